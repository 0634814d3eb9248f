#!/bin/sh
# Builds and runs the benchmarks; installs what is missing (Debian, Ubuntu).
#
#   tools/bench.sh [--quick] [--algebra] [--build DIR] [-- ARGUMENT...]
#     --algebra    changes and three-way merge instead: within five minutes
#     --quick      the rows something is asked of and a few more: within five minutes, else within 25
#     --build DIR  default: build/
#     ARGUMENT     for the program, such as --check, --list, --only=diff/max/
#
# Prints the table; it is also in DIR/bench/results.csv, and every contestant in DIR/bench/details.csv. Without
# --algebra and ARGUMENTs, docs/performance.md and its plot are written anew from these.
. "$(dirname "$0")/lib.sh"

build=$root/build
quick=
target=devicetwin_bench
while [ $# -gt 0 ]; do
  case $1 in
    --quick) quick=--quick ;;
    --algebra) target=devicetwin_bench_algebra ;;
    --build) build=$2; shift ;;
    --) shift; break ;;
    --help) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) sed -n '2,/^$/s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
  shift
done

need "benchmark harness, and the judge of results" libbenchmark-dev nlohmann-json3-dev
# Where a release lacks one of these, the others are compared with.
for peer in libboost-json1.81-dev libcjson-dev libjansson-dev libsimdjson-dev; do
  (need "a library to compare with" $peer) || echo "Going on without $peer" >&2
done

set_up BENCH "$build" &&
  cmake --build "$build" -j "$(jobs)" --target $target || exit 1

# On one core, the last: the first is the one that most interrupts go to.
pin=
if command -v taskset >/dev/null; then
  core=$(($(jobs) - 1))
  taskset -c "$core" true 2>/dev/null && pin="taskset -c $core"
fi
[ $target = devicetwin_bench ] || exec $pin "$build/bench/$target" "$@"
$pin "$build/bench/devicetwin_bench" $quick \
  --csv="$build/bench/results.csv" --details="$build/bench/details.csv" "$@" || exit 1
[ $# -eq 0 ] || exit 0
need "the report" python3
# cached NAME: what CMake's cache has.
cached() {
  sed -n "s/^$1:[A-Z]*=//p" "$build/CMakeCache.txt"
}
python3 "$root/tools/report.py" "$build/bench/results.csv" "$build/bench/details.csv" \
  "$(cached CMAKE_CXX_COMPILER)" "$(cached DEVICETWIN_BENCH_FLAGS)"
