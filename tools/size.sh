#!/bin/sh
# Prints the flash that number conversion takes on a Cortex-M4, and diff and merge patch on texts, in bytes of
# text: -Os, no exceptions, small numbers, no instruction-set code, no heap. The difference to an empty program
# is the figure to compare. Then what a device session takes: flash, the stack of each call, and, run in an emulator,
# the RAM for a twin of 2 KB. Fails beyond the limits.
. "$(dirname "$0")/lib.sh"
need "the cross compiler" gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib
need "the library's only dependency" rapidjson-dev

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/include"
ln -s /usr/include/rapidjson "$work/include/rapidjson"

cat >"$work/empty.cpp" <<'CODE'
int main() { return 0; }
CODE
cat >"$work/numbers.cpp" <<'CODE'
#include <devicetwin/json/number.hpp>
volatile const char* text = "1.5";
char buffer[devicetwin::json::max_number_chars];
int main() {
  devicetwin::json::number n;
  const char* t = const_cast<const char*>(text);
  if (devicetwin::json::parse_number(t, t + 3, n).code != devicetwin::json::errc::ok) return 1;
  return *devicetwin::json::to_chars(buffer, n.d);
}
CODE

cat >"$work/texts.cpp" <<'CODE'
#include <devicetwin/merge/text.hpp>
namespace json = devicetwin::json;
namespace merge = devicetwin::merge;
char from[1024], to[1024], buffer[1024];
volatile std::size_t from_size, to_size;
volatile bool trusted;
void changed(const json::location& where, const std::string_view* before, const std::string_view* after) {
  buffer[0] = static_cast<char>(where.depth() + (before != nullptr) + (after != nullptr));
}
int main() {
  merge::text_options options;
  options.memory = devicetwin::memory_source::none();
  options.trust = trusted ? merge::text_trust::trusted : merge::text_trust::checked;
  devicetwin::text_buffer out(buffer, sizeof buffer);
  if (merge::diff_text({from, from_size}, {to, to_size}, out, options)) return 1;
  return merge::apply_merge_patch_text({from, from_size}, {to, to_size}, out, options, changed) ? 1 : 0;
}
CODE

flags="-std=c++17 -mcpu=cortex-m4 -mthumb -Os -fno-exceptions -fno-rtti -ffunction-sections -fdata-sections
  -Wl,--gc-sections --specs=nano.specs -DDEVICETWIN_SMALL
  -I$root/include -isystem $work/include"
# build SOURCE PROGRAM FLAG...
build() {
  source=$1
  program=$work/$2.elf
  shift 2
  (cd "$work" && arm-none-eabi-g++ $flags "$source" "$@" -o "$program" 2>"$work/log") || { cat "$work/log" >&2; exit 1; }
}
text_of() {
  build "${2:-$work/$1.cpp}" "$1" --specs=nosys.specs -fcallgraph-info=su || exit 1
  arm-none-eabi-size "$work/$1.elf" | awk 'NR == 2 { print $1 }'
}

empty=$(text_of empty) || exit 1
status=0
# size WHAT PROGRAM LIMIT [SOURCE]
size() {
  bytes=$(text_of "$2" "$4") || exit 1
  echo "$1: $((bytes - empty)) bytes of text (limit $3)"
  [ $((bytes - empty)) -le "$3" ] || status=1
}
size "number conversion, both directions" numbers 16384
size "diff and merge patch on texts, both doors, with journal" texts 24576
size "device session, all calls" device 65536 "$root/tools/device/calls.cpp"

awk -f "$root/tools/device/worst_stack.awk" "$work/device.elf-calls.ci" >"$work/stack" || { cat "$work/stack"; exit 1; }
sort -rn "$work/stack" | {
  read -r bytes call
  echo "device session, most stack that a call takes: $bytes bytes, in $call() (limit 4096)"
  [ "$bytes" -le 4096 ]
} || status=1

if command -v qemu-system-arm >/dev/null; then
  build "$root/tools/device/flow.cpp" flow --specs=rdimon.specs -x c "$root/tools/device/start.c" -T "$root/tools/device/cortex_m4.ld"
  qemu-system-arm -M mps2-an386 -nographic -monitor none -serial none -semihosting-config enable=on,target=native \
    -kernel "$work/flow.elf" </dev/null || status=1
else
  echo "device session, RAM: not measured, qemu-system-arm is not here"
fi
exit $status
