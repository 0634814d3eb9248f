#!/bin/sh
# usage: fuzz/run.sh [TARGET] [SECONDS]
# Fuzzes TARGET (a name in fuzz/targets.txt; default: all)
# for SECONDS each (default: 60) with clang's libFuzzer, ASan and UBSan. New inputs go to build-fuzz/corpus/TARGET, a
# crashing one to build-fuzz/.
. "$(dirname "$0")/../tools/lib.sh"

targets=${1:-$(grep -v '^#' "$root/fuzz/targets.txt")}
seconds=${2:-60}

need "compiler and build tools" g++ make cmake
need "the library's only dependency" rapidjson-dev
need "libFuzzer" clang libclang-rt-dev

build=$root/build-fuzz
cmake -S "$root" -B "$build" -DCMAKE_CXX_COMPILER=clang++ -DDEVICETWIN_FUZZ_ENGINE=ON \
  -DDEVICETWIN_BUILD_FUZZ=ON -DDEVICETWIN_BUILD_TESTS=OFF -DDEVICETWIN_BUILD_TOOLS=OFF \
  -DDEVICETWIN_BUILD_EXAMPLES=OFF -DDEVICETWIN_BUILD_BENCH=OFF || exit 1

for target in $targets; do
  cmake --build "$build" --target "$target" || exit 1
  mkdir -p "$build/corpus/$target"
  (cd "$build" && fuzz/"$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 \
    -print_final_stats=1 -dict="$root/fuzz/json.dict" \
    "corpus/$target" "$root/fuzz/corpus/$target") || exit 1
done
