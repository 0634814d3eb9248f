#!/bin/sh
# usage: format.sh [--fix], in the repository's root
# All C++ code has the form that .clang-format describes. Versions of clang-format differ, so it is version 14 that says so
# (Debian 12); without it nothing is checked, and a line says so. --fix brings the code into that form.
version=14
for command in clang-format-$version clang-format; do
  command -v $command >/dev/null && $command --version | grep -q "version $version\." && break
  command=
done
if [ -z "$command" ]; then
  echo "*** NOT CHECKED: the form of the code. clang-format $version is missing ***"
  exit 0
fi
if [ "$1" = --fix ]; then
  set -- -i
else
  set -- --dry-run -Werror
fi
find include tests bench fuzz tools examples -name '*.[ch]pp' -print0 | xargs -0 $command "$@"
