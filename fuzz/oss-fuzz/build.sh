#!/bin/bash -eu
# Called by OSS-Fuzz with CXX, CXXFLAGS, LIB_FUZZING_ENGINE, SRC and OUT set.
cd "$SRC/devicetwin"
for target in $(grep -v '^#' fuzz/targets.txt); do
  $CXX $CXXFLAGS -std=c++17 -Iinclude -isystem "$SRC/rapidjson/include" "fuzz/$target.cpp" \
    -o "$OUT/$target" $LIB_FUZZING_ENGINE
  zip -q -j -r "$OUT/${target}_seed_corpus.zip" "fuzz/corpus/$target"
  cp fuzz/json.dict "$OUT/$target.dict"
  cp "fuzz/$target.options" "$OUT/"
done
