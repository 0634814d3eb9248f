#!/bin/sh
# usage: other_machine.sh MACHINE [REGEX], in the repository's root
# Builds the tests whose line in tests/sources.txt matches REGEX for another kind of machine and runs them. Installs what
# is missing (Debian, Ubuntu):
#   aarch64, s390x  NEON and big-endian, with QEMU; default: the tests of texts, trees and the scanner.
#                   Needs g++-MACHINE-linux-gnu and qemu-user.
#   i686            32 bits; default: those, and of twins, stored states and both ends. Needs g++-12-multilib or another g++-multilib. (Debian's cross compilers
#                   push out the package g++-multilib, but not g++-12-multilib.)
#   windows         MinGW, with <windows.h> before everything else in one program; default: as for i686.
#                   Needs g++-mingw-w64-x86-64-posix and, to run them, wine64.
# All need the single header of Catch2 2.
. "$(dirname "$0")/../../tools/lib.sh"
machine=$1
case $machine in
  aarch64 | s390x) need "the other machine" "g++-$machine-linux-gnu" qemu-user ;;
  i686) [ -d /usr/lib/gcc/x86_64-linux-gnu/12/32 ] || need "32-bit programs" g++-12-multilib ;;
  windows) need "Windows programs" g++-mingw-w64-x86-64-posix ;;
  *) sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
need "the library's only dependency" rapidjson-dev
need "test framework" catch2
work=$(mktemp -d)
# What wine leaves running writes into its folder until it is told to end.
trap '[ ! -d "$work/wine" ] || wineserver -k 2>/dev/null; rm -rf "$work"' EXIT

some='^unit/(write|arena|merge_patch|names|number|number_text|read|scan|text|stored|twin|device_session|hub_session)\.cpp$'
case $machine in
  i686)
    # The last one: where only g++-12-multilib is installed, the kernel's headers are the other machine's.
    compiler="g++ -m32 -O0 -idirafter /usr/include/$(uname -m)-linux-gnu" run= wanted=$some
    ;;
  windows)
    compiler="x86_64-w64-mingw32-g++-posix -O0 -Wa,-mbig-obj" wanted=$some
    # The folder for wine's settings is the test's own.
    WINEPREFIX=$work/wine WINEDEBUG=-all
    export WINEPREFIX WINEDEBUG
    run=wine
    command -v wine >/dev/null || run=none
    ;;
  *)
    compiler="$machine-linux-gnu-g++ -O1" run=qemu-$machine
    wanted='^unit/(write|merge_patch|names|number|read|scan|text)\.cpp$'
    ;;
esac
wanted=${2:-$wanted}
command -v ccache >/dev/null && compiler="ccache $compiler"

# These two headers alone: the others in their folder are this machine's.
mkdir "$work/include"
ln -s /usr/include/rapidjson /usr/include/catch2 "$work/include/"
printf '#define CATCH_CONFIG_MAIN\n#include <catch2/catch.hpp>\n' >"$work/main.cpp"

compile() {
  $compiler -std=c++17 -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wundef -Werror \
    -DDEVICETWIN_TEST_DATA="\"$PWD/tests\"" -isystem "$work/include" -Iinclude -c "$1" -o "$2" && return
  echo "$1 does not compile for $machine"
  exit 1
}
# link_and_run PROGRAM OBJECT...
link_and_run() {
  program=$1
  shift
  $compiler -static "$@" -o "$program" || { echo "$program does not link for $machine"; exit 1; }
  if [ "$run" = none ]; then
    echo "*** $machine: $(basename "$program") WAS NOT RUN, only built: please install wine64 and wine ***" >&2
    return 0
  fi
  $run "$program" || exit 1
}

if [ "$machine" = windows ]; then
  compile tests/contract/windows_first.cpp "$work/first.obj"
  link_and_run "$work/first.exe" "$work/first.obj"
fi
compile "$work/main.cpp" "$work/main.o"
for source in $(grep -v '^#' tests/sources.txt | grep -E "$wanted"); do
  compile "tests/$source" "$work/$(echo "$source" | tr / -).o"
done
link_and_run "$work/tests.exe" "$work"/*.o
