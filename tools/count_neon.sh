#!/bin/sh
# Counts the instructions that diffs of texts take on a 64-bit ARM, with the portable code and with NEON, under QEMU:
# there, time says nothing.
. "$(dirname "$0")/lib.sh"
need "compilers and an emulator" g++ g++-aarch64-linux-gnu qemu-user
need "the library's only dependency" rapidjson-dev

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/include"
ln -s /usr/include/rapidjson "$work/include/rapidjson"

cat >"$work/texts.cpp" <<'CODE'
#include <fstream>
#include "documents.hpp"
int main(int, char** arguments) {
  const bench::pair_texts texts = bench::make_pair_texts(arguments[1], arguments[2]);
  std::ofstream(arguments[3]) << texts.from;
  std::ofstream(arguments[4]) << texts.to;
}
CODE
cat >"$work/diffs.cpp" <<'CODE'
#include <devicetwin/merge/text.hpp>
#include <cstdio>
#include <cstdlib>
namespace json = devicetwin::json;
namespace merge = devicetwin::merge;
char from[1 << 18], to[1 << 18], patch[1 << 18];
std::size_t load(const char* file, char* text) {
  std::FILE* const stream = std::fopen(file, "rb");
  const std::size_t size = std::fread(text, 1, 1 << 18, stream);
  std::fclose(stream);
  return size;
}
int main(int, char** arguments) {  // FROM TO LEVEL TRUST TIMES
  const std::size_t from_size = load(arguments[1], from), to_size = load(arguments[2], to);
  json::core::force_level(json::core::level_at(static_cast<std::size_t>(std::atoi(arguments[3]))));
  merge::text_options options;
  options.trust = *arguments[4] == 't' ? merge::text_trust::trusted : merge::text_trust::checked;
  for (int i = std::atoi(arguments[5]); i != 0; --i) {
    devicetwin::text_buffer out(patch, sizeof patch);
    if (merge::diff_text({from, from_size}, {to, to_size}, out, options)) return 1;
  }
}
CODE
g++ -std=c++17 -O1 -I"$root/bench" "$work/texts.cpp" "$root/bench/documents.cpp" "$root/bench/real_text.cpp" -o "$work/texts" &&
  aarch64-linux-gnu-g++ -std=c++17 -O2 -static -isystem "$work/include" -I"$root/include" "$work/diffs.cpp" \
    -o "$work/diffs" || exit 1

# instructions LEVEL TRUST TIMES: of the whole program, one line each.
instructions() {
  qemu-aarch64 -singlestep -d nochain,exec -D /dev/stdout "$work/diffs" "$work/from" "$work/to" "$@" | wc -l
}
# of_one LEVEL TRUST: of one diff.
of_one() {
  echo $(($(instructions "$@" 2) - $(instructions "$@" 1)))
}
printf '%-9s %-8s %-8s %9s %9s  %s\n' document changes door portable NEON ratio
for document in typical max meta; do
  for changes in p0 p1 p5 p50; do
    "$work/texts" $document $changes "$work/from" "$work/to" || exit 1
    for door in trusted checked; do
      portable=$(of_one 0 $door)
      neon=$(of_one 1 $door)
      printf '%-9s %-8s %-8s %9s %9s  %s\n' $document $changes $door "$portable" "$neon" \
        "$(awk "BEGIN { printf \"%.1f\", $portable / $neon }")"
    done
  done
done
