#!/bin/sh
# usage: macros.sh COMPILER [FLAG...], in the repository's root
# Including everything leaves at most 12 macros of this project, all named DEVICETWIN_...
limit=12
# -dD keeps #define, #undef and the line markers that tell the file.
macros=$(echo '#include "devicetwin/devicetwin.hpp"' |
  "$@" -std=c++17 -Iinclude -x c++ -E -dD - | awk '
    $1 == "#" && $3 ~ /^"/ { ours = ($3 ~ /include\/devicetwin\//); next }
    $1 == "#define" && ours { name = $2; sub(/\(.*/, "", name); defined[name] = 1 }
    $1 == "#undef" { delete defined[$2] }
    END { for (name in defined) print name }' | sort)
status=0
foreign=$(echo "$macros" | grep -v '^DEVICETWIN_')
if [ -n "$foreign" ]; then
  echo "macros without the prefix DEVICETWIN_:" $foreign
  status=1
fi
count=$(echo "$macros" | grep -c .)
if [ "$count" -gt $limit ]; then
  echo "$count macros are left defined, at most $limit may be:" $macros
  status=1
fi
if [ "$count" -eq 0 ]; then
  echo "no macro was seen: the umbrella header did not preprocess"
  status=1
fi
exit $status
