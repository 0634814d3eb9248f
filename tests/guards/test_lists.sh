#!/bin/sh
# Every test is in the build, in that of CMake and in that of Meson. Run in the repository's root.
#   - Every file in tests/unit and tests/property is in tests/sources.txt, and every line there is a file.
#   - Every header that is not in a detail/ folder has a file of its name in tests/unit, but for those listed below with the
#     reason. Where two headers have one name, the file is FLOOR_NAME.cpp. Names of tests are sentences.
#   - Every other .cpp file below tests/ is named by both build systems, but those of tests/compile_fail, which
#     compile_fail.sh finds, of tests/consumer, and those that a guard names.
#   - Both build the same test programs of the same files.
#   - Every guard is run by CMake (Meson builds programs, and leaves the guards to CMake).
#   - Every fuzz target is in fuzz/targets.txt, and has options and a corpus.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

{
  grep -v '^#' tests/sources.txt | while read -r file; do
    [ -f "tests/$file" ] || echo "tests/sources.txt lists $file, which does not exist"
  done
  grep -v '^#' tests/sources.txt | sort | uniq -d | sed 's|$| is twice in tests/sources.txt|'

  find tests -name '*.cpp' ! -path 'tests/compile_fail/*' ! -path 'tests/consumer/*' | sed 's|^tests/||' | sort |
    while read -r file; do
      grep -qxF "$file" tests/sources.txt && continue
      case $file in
        unit/* | property/*) echo "tests/$file is not in tests/sources.txt" && continue ;;
      esac
      grep -qF "tests/$file" tests/guards/*.sh && continue
      grep -qF "$file" tests/CMakeLists.txt || echo "tests/$file is not in tests/CMakeLists.txt"
      grep -qF "$file" tests/meson.build || echo "tests/$file is not in tests/meson.build"
    done

  # Headers without a test file:
  #   devicetwin.hpp       includes all others, and has nothing of its own
  #   base/inline.hpp      tells compilers what to inline and to prefetch, which makes no difference to see
  #   json/tree/tuning.hpp numbers that make a difference to the speed alone
  #   json/tree/diff_rules.hpp  a struct without functions; both diffs have tests of each rule
  headers=$(find include/devicetwin -name '*.hpp' ! -path '*/detail/*' | sed 's|^include/devicetwin/||' | sort)
  for header in $headers; do
    case $header in
      devicetwin.hpp | base/inline.hpp | json/tree/tuning.hpp | json/tree/diff_rules.hpp) continue ;;
    esac
    name=$(basename "$header" .hpp)
    [ "$(printf '%s\n' "$headers" | grep -cE "(^|/)$name\.hpp\$")" -eq 1 ] || name=${header%%/*}_$name
    [ -f "tests/unit/$name.cpp" ] || echo "include/devicetwin/$header has no test file tests/unit/$name.cpp"
  done

  # A name of one or two words, or with a colon, is a label.
  cat tests/unit/*.cpp tests/property/*.cpp tests/examples/*.cpp | tr '\n' ' ' | grep -oE 'TEST_CASE\( *"[^"]*"' |
    sed -E 's/TEST_CASE\( *"//; s/"$//' | grep -E '^[^ ]*( [^ ]*)?$|: ' | sed 's/^/this name of a test is no sentence: /'

  # Catch2 refuses to start a program with two tests of one name.
  cat tests/unit/*.cpp tests/property/*.cpp | tr '\n' ' ' | grep -oE 'TEST_CASE\( *"[^"]*"' | sort | uniq -d |
    sed 's/^/two tests have this name: /'

  # Each program and its files, one line each: the text from its name to the first argument that is no file.
  tr '\n' ' ' <tests/CMakeLists.txt | grep -oE 'devicetwin_program\([^)]*\)' |
    sed -E 's/devicetwin_program\(//; s/\)//; s/\$\{test_sources\}/(sources.txt)/; s/ +/ /g; s/ $//' | sort >"$work/cmake"
  tr '\n' ' ' <tests/meson.build | sed -E "s/test_sources = \[([^]]*)\]/\n&\n/; s/, test_sources,/, '(sources.txt)', 'contract\/odr_1.cpp', 'contract\/odr_2.cpp',/" |
    grep -oE "executable\('[^']*',( *\[?'[^']*'\]?,?)*" |
    sed -E "s/executable\(//; s/[][',]//g; s/ +/ /g; s/ $//" | sort >"$work/meson"
  grep -q "test_sources = \['contract/odr_1.cpp', 'contract/odr_2.cpp'\]" tests/meson.build ||
    echo "tests/meson.build does not start its list of sources with the two files that CMake adds"
  [ -s "$work/cmake" ] || echo "no program was found in tests/CMakeLists.txt"
  diff "$work/cmake" "$work/meson" | sed -n -e 's|^< |only CMake has the test program of: |p' -e 's|^> |only Meson has the test program of: |p'

  for guard in tests/guards/*.sh; do
    name=$(basename "$guard" .sh)
    grep -qE "guard\($name[ )]|guards/$name\.sh" tests/CMakeLists.txt || echo "$guard is run by nothing"
  done

  for source in fuzz/fuzz_*.cpp; do
    name=$(basename "$source" .cpp)
    grep -qxF "$name" fuzz/targets.txt || echo "$source is not in fuzz/targets.txt"
    [ -f "fuzz/$name.options" ] || echo "$name has no options"
    [ -n "$(ls "fuzz/corpus/$name" 2>/dev/null)" ] || echo "$name has no corpus"
  done
  grep -v '^#' fuzz/targets.txt | while read -r name; do
    [ -f "fuzz/$name.cpp" ] || echo "fuzz/targets.txt lists $name, which does not exist"
  done
} >"$work/problems"
cat "$work/problems"
[ ! -s "$work/problems" ]
