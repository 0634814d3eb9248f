#!/bin/sh
# usage: tools/fuzz_cost.sh [TARGET...]
# Counts the instructions that each fuzz target takes for each file of its corpus (valgrind's callgrind, without
# sanitizers), and prints the median and the maximum in thousands. Fails when a median is above the target's limit: a target
# that is slow finds nothing.
. "$(dirname "$0")/lib.sh"
need "counting instructions" valgrind
need "compiler and build tools" g++ make cmake
need "the library's only dependency" rapidjson-dev

few=3000    # thousands of instructions: targets that look at one input
many=10000  # targets that do one thing after the other
targets=${*:-$(grep -v '^#' "$root/fuzz/targets.txt")}

build=${DEVICETWIN_BUILD:-$root/build-fuzz-cost}
[ -f "$build/CMakeCache.txt" ] ||
  cmake -S "$root" -B "$build" -DCMAKE_BUILD_TYPE=Release -DDEVICETWIN_BUILD_FUZZ=ON -DDEVICETWIN_BUILD_TESTS=OFF \
    -DDEVICETWIN_BUILD_TOOLS=OFF -DDEVICETWIN_BUILD_EXAMPLES=OFF -DDEVICETWIN_BUILD_BENCH=OFF >/dev/null || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
printf '%-22s %7s %10s %10s %10s\n' target files median largest limit
for target in $targets; do
  cmake --build "$build" --target "$target" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
  case $target in
    fuzz_read | fuzz_text | fuzz_text_tree | fuzz_merge | fuzz_topic) limit=$few ;;
    *) limit=$many ;;
  esac
  rm -f "$work"/count*
  # One dump for each input.
  if ! valgrind --tool=callgrind --callgrind-out-file="$work/count" --toggle-collect=LLVMFuzzerTestOneInput \
      --dump-after=LLVMFuzzerTestOneInput "$build/fuzz/$target" "$root/fuzz/corpus/$target" >"$work/log" 2>&1; then
    cat "$work/log"
    exit 1
  fi
  grep -h '^totals: ' "$work"/count* | awk '$2 > 0 { print $2 }' | sort -n >"$work/sorted"
  awk -v target="$target" -v limit="$limit" '
    { count[NR] = $1 / 1000 }
    END {
      if (NR == 0) { print target " was not measured"; exit 1 }
      median = count[int((NR + 1) / 2)]
      printf "%-22s %7d %10d %10d %10d%s\n", target, NR, median, count[NR], limit, (median > limit ? "  TOO SLOW" : "")
      exit (median > limit)
    }' "$work/sorted" || status=1
done
exit $status
