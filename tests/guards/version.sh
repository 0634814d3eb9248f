#!/bin/sh
# The version is written in include/devicetwin/version.hpp. The newest heading of CHANGELOG.md names
# the same one, and neither build system has a copy of its own. Run in the repository's root.
header=include/devicetwin/version.hpp
version=$(sed -n 's/^#define DEVICETWIN_VERSION_[A-Z]* //p' $header | paste -s -d . -)
heading=$(sed -n 's/^## \[\{0,1\}\([0-9][0-9.]*\).*/\1/p' CHANGELOG.md | head -n 1)
status=0
if [ "$version" != "$heading" ]; then
  echo "CHANGELOG.md's newest version is $heading, $header says $version"
  status=1
fi
for file in CMakeLists.txt meson.build; do
  if ! grep -q $header $file; then
    echo "$file does not read the version from $header"
    status=1
  fi
done
exit $status
