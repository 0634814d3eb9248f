#!/bin/sh
# Builds and runs all tests; installs what is missing (Debian, Ubuntu).
#
#   tools/test.sh [OPTION...] [-- CTEST_ARGUMENT...]
#     --compiler g++|clang++   default: the system's c++
#     --std 17|20|23           default: 17
#     --rapidjson DIR          another RapidJSON than the installed one
#     --sanitize               ASan and UBSan
#     --no-exceptions          -fno-exceptions -fno-rtti
#     --werror                 warnings are errors
#     --optimise 0|1|2|3       default: 2; less is quicker to build
#     --tests-only             without the tool, the examples, the fuzz targets and their tests
#     --no-fuzz                without the fuzz targets over their corpora
#     --build DIR              default: build/, or build-VARIANT/ when an option above asks for one
#
# The last line is "N passed, M failed".
. "$(dirname "$0")/lib.sh"

usage() {
  sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
  exit "$1"
}

build=
variant=
compiler=
std=17
rapidjson=
sanitize=OFF
no_exceptions=OFF
werror=OFF
others=ON
fuzz=ON
optimise=
while [ $# -gt 0 ]; do
  case $1 in
    --compiler) compiler=$2 variant=$variant-$2; shift ;;
    --std) std=$2 variant=$variant-c++$2; shift ;;
    --rapidjson) rapidjson=$(cd "$2" && pwd) || exit 2; variant=$variant-rapidjson; shift ;;
    --sanitize) sanitize=ON variant=$variant-sanitize ;;
    --no-exceptions) no_exceptions=ON variant=$variant-no-exceptions ;;
    --werror) werror=ON ;;
    --tests-only) others=OFF fuzz=OFF variant=$variant-tests ;;
    --no-fuzz) fuzz=OFF ;;
    --optimise) optimise=$2 variant=$variant-O$2; shift ;;
    --build) build=$2; shift ;;
    --help) usage 0 ;;
    --) shift; break ;;
    *) usage 2 >&2 ;;
  esac
  shift
done
build=${build:-$root/build$variant}
mkdir -p "$build" && build=$(cd "$build" && pwd) || exit 2

need "compiler and build tools" g++ make cmake
need "the library's only dependency" rapidjson-dev
need "test framework" catch2
need "the examples, a broker's plugin and a device" libmosquitto-dev mosquitto-dev libssl-dev libsqlite3-dev
need_beast
need "tests of the ways to use the library" meson ninja-build pkg-config
need "the merge driver in docs/merging.md" git
if [ "$compiler" = clang++ ]; then
  need "compiler asked for" clang libclang-rt-dev
fi

# What a failed step before the tests counts as.
give_up() {
  echo "$1"
  echo "0 passed, 1 failed"
  exit 1
}

cmake -S "$root" -B "$build" ${compiler:+-DCMAKE_CXX_COMPILER=$compiler} \
  ${optimise:+-DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_FLAGS=-O$optimise} \
  -DCMAKE_CXX_STANDARD="$std" -DDEVICETWIN_RAPIDJSON_DIR="$rapidjson" \
  -DDEVICETWIN_SANITIZE=$sanitize -DDEVICETWIN_WERROR=$werror \
  -DDEVICETWIN_NO_EXCEPTIONS=$no_exceptions \
  -DDEVICETWIN_BUILD_TESTS=ON -DDEVICETWIN_TEST_BATCHES=8 \
  -DDEVICETWIN_BUILD_BENCH=OFF -DDEVICETWIN_BUILD_FUZZ=$fuzz \
  -DDEVICETWIN_BUILD_EXAMPLES=$others -DDEVICETWIN_BUILD_TOOLS=$others || give_up "the configuration failed"
cmake --build "$build" -j "$(jobs)" || give_up "the build failed"

log=$build/ctest.log
(cd "$build" && ctest -j "$(jobs)" --output-on-failure "$@"; echo $? >"$log.status") 2>&1 | tee "$log"
# ctest: "98% tests passed, 1 tests failed out of 50"
sed -n 's/.*tests passed, \([0-9]*\) tests failed out of \([0-9]*\).*/\1 \2/p' "$log" >"$log.counts"
read -r failed total <"$log.counts" || give_up "there was no test to run"
echo "$((total - failed)) passed, $failed failed"
[ "$(cat "$log.status")" = 0 ]
