#!/bin/sh
# usage: budget.sh [--update] COMPILER [FLAG...], in the repository's root
# What including a header costs, but for those in detail/ and for what floors share (json/tree, json/text, merge/tree,
# merge/text): preprocessed lines on top of rapidjson/document.h, C++17, g++.
# Fails when a header costs more than its line in include_budget.txt. --update writes that file
# anew, each cost rounded up to the next hundred. Update with RapidJSON 1.1.0: it includes less than
# later trees, so there is more left for this project's headers to bring.
budget=tests/guards/include_budget.txt
update=
if [ "$1" = --update ]; then
  update=1
  shift
fi

count() {
  text="#include <rapidjson/document.h>
#include \"$1\""
  shift
  echo "$text" | "$@" -std=c++17 -Iinclude -x c++ -E -P - | grep -c '[^[:space:]]'
}

base=$(count rapidjson/document.h "$@")
status=0
new=$(
  echo '# header, preprocessed lines it may add to rapidjson/document.h (see budget.sh)'
  find include/devicetwin -name '*.hpp' ! -path '*/detail/*' ! -path '*/tree/*' ! -path '*/text/*' | sort | while read -r path; do
    header=${path#include/}
    echo "$header $(($(count "$header" "$@") - base))"
  done
)
if [ -n "$update" ]; then
  echo "$new" | awk '/^#/ { print; next } { print $1, int(($2 + 99) / 100) * 100 }' >$budget
  exit
fi
echo "$new" | awk -v budget=$budget '
  BEGIN { while ((getline line < budget) > 0) { split(line, part, " "); allowed[part[1]] = part[2] } }
  /^#/ { next }
  !($1 in allowed) { print $1 " has no line in " budget " (it adds " $2 ")"; bad = 1; next }
  $2 > allowed[$1] + 0 { print $1 " adds " $2 " lines, its budget is " allowed[$1]; bad = 1 }
  END { exit bad }'
