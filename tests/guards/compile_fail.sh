#!/bin/sh
# usage: compile_fail.sh COMPILER [FLAG...], in the repository's root
# Each tests/compile_fail/NAME.cpp is a typical mistake. Its first line is
#   // expect: SENTENCE
# Compiling it fails, in at most 15 lines, and SENTENCE is in them.
limit=15
status=0
for file in tests/compile_fail/*.cpp; do
  sentence=$(sed -n '1s|^// expect: ||p' "$file")
  output=$("$@" -std=c++17 -Iinclude -fsyntax-only "$file" 2>&1)
  compiled=$?
  count=$(printf '%s\n' "$output" | wc -l)
  problem=
  if [ -z "$sentence" ]; then
    problem="the first line is not '// expect: SENTENCE'"
  elif [ $compiled -eq 0 ]; then
    problem="it compiles, but should not"
  elif [ "$count" -gt $limit ]; then
    problem="$count lines of diagnostics, at most $limit may be"
  elif [ "${output#*"$sentence"}" = "$output" ]; then
    problem="the diagnostics lack the sentence: $sentence"
  fi
  if [ -n "$problem" ]; then
    echo "$file: $problem"
    printf '%s\n' "$output" | head -n 40
    status=1
  fi
done
exit $status
