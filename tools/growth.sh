#!/bin/sh
# Counts the instructions of every public function at 250, 2,000 and 16,000 members (bench/growth.cpp), prints how they
# grow, and fails where they grow faster than n log n: above 1.12 in the exponent between the two larger sizes.
#
#   tools/growth.sh [--short] [PATTERN]
#
# --short: each function with a few of the shapes, most of them without the largest size. There, small, fixed costs, the
# logarithm and objects that are still searched name by name, being small, weigh more; such a row fails above 1.4, which
# a square still does.
# PATTERN: only functions whose names contain it. The last line is "N passed, M failed".
. "$(dirname "$0")/lib.sh"
need "the compiler" g++
need "the library's only dependency" rapidjson-dev
need "counting instructions" valgrind

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build=${GROWTH_BUILD:-$work}
flags="-std=c++17 -O2 -I$root/include"
for file in growth growth_shapes; do
  ${CXX:-g++} $flags -c "$root/bench/$file.cpp" -o "$build/$file.o" || exit 1
done
${CXX:-g++} "$build/growth.o" "$build/growth_shapes.o" -o "$work/growth" || exit 1

# Several at a time, each with a share of the shapes.
parts=$(jobs)
failed=0
i=0
pids=
while [ $i -lt "$parts" ]; do
  valgrind -q --tool=callgrind --instr-atstart=no --combine-dumps=yes --callgrind-out-file="$work/counts.$i" \
    "$work/growth" --part "$i/$parts" "$@" >"$work/log.$i" 2>&1 &
  pids="$pids $!"
  i=$((i + 1))
done
for pid in $pids; do wait "$pid" || failed=1; done
if [ $failed -ne 0 ]; then
  cat "$work"/log.*
  echo "0 passed, 1 failed"
  exit 1
fi

cat "$work"/counts.* | awk '
  /^desc: Trigger: Client Request: / {
    split(substr($0, 32), part, "|")
    if (!((part[1], part[2]) in seen)) {
      seen[part[1], part[2]] = 1
      order[++rows] = part[1] SUBSEP part[2]
    }
    at = part[1] SUBSEP part[2] SUBSEP part[3]
  }
  /^summary: / && at != "" {
    count[at] = $2
    at = ""
  }
  END {
    printf "%-62s %-40s %12s %12s %12s %6s\n", "function", "shape", 250, 2000, 16000, "grows"
    for (i = 1; i <= rows; ++i) {
      split(order[i], name, SUBSEP)
      small = count[order[i], 250]
      middle = count[order[i], 2000]
      large = count[order[i], 16000]
      before = large > 0 ? middle : small
      after = large > 0 ? large : middle
      exponent = before > 0 && after > 0 ? log(after / before) / log(8) : 99
      bad = exponent > (large > 0 ? 1.12 : 1.4)
      printf "%-62s %-40s %12d %12d %12d %6.2f%s\n", name[1], name[2], small, middle, large, exponent, bad ? "  TOO FAST" : ""
      if (bad) ++failed; else ++passed
    }
    if (rows == 0) failed = 1  # nothing was counted
    print passed + 0 " passed, " failed + 0 " failed"
    exit failed > 0
  }'
