#!/bin/sh
# usage: output.sh EXPECTED PROGRAM [ARGUMENT...]
# Fails when PROGRAM fails or prints something else than the file EXPECTED holds.
expected=$1
shift
actual=$("$@") || { echo "$1 failed with exit status $?"; exit 1; }
[ "$actual" = "$(cat "$expected")" ] && exit 0
echo "$1 does not print what $expected says:"
printf '%s\n' "$actual" | diff "$expected" -
exit 1
