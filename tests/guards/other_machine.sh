#!/bin/sh
# usage: other_machine.sh MACHINE [REGEX], in the repository's root
# Builds the tests whose line in tests/sources.txt matches REGEX (default: those of texts, trees and the scanner)
# for another kind of machine, aarch64 (NEON) or s390x (big-endian), and runs them with QEMU. Installs what is missing
# (Debian, Ubuntu); Debian's cross compilers push out g++-multilib. Needs the single header of Catch2 2.
. "$(dirname "$0")/../../tools/lib.sh"
machine=$1
case $machine in
  aarch64 | s390x) ;;
  *) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
need "the other machine" "g++-$machine-linux-gnu" qemu-user
need "the library's only dependency" rapidjson-dev
need "test framework" catch2
wanted=${2:-'^unit/(json|merge|names|number|read|scan|text)\.cpp$'}
compiler=$machine-linux-gnu-g++
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# These two headers alone: the others in their folder are this machine's.
mkdir "$work/include"
ln -s /usr/include/rapidjson /usr/include/catch2 "$work/include/"
printf '#define CATCH_CONFIG_MAIN\n#include <catch2/catch.hpp>\n' >"$work/main.cpp"

compile() {
  "$compiler" -std=c++17 -O1 -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Werror \
    -DDEVICETWIN_TEST_DATA="\"$PWD/tests\"" -isystem "$work/include" -Iinclude -c "$1" -o "$2" && return
  echo "$1 does not compile for $machine"
  exit 1
}
compile "$work/main.cpp" "$work/main.o"
for source in $(grep -E "$wanted" tests/sources.txt | grep -v '^#'); do
  compile "tests/$source" "$work/$(echo "$source" | tr / -).o"
done
"$compiler" -static "$work"/*.o -o "$work/tests" && "qemu-$machine" "$work/tests"
