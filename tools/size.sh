#!/bin/sh
# Prints the flash that number conversion takes on a Cortex-M4, in bytes of text and data: -Os, no
# exceptions, small numbers. The difference to an empty program is the figure to compare.
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

text_of() {
  arm-none-eabi-g++ -std=c++17 -mcpu=cortex-m4 -mthumb -Os -fno-exceptions -fno-rtti \
    -ffunction-sections -fdata-sections -Wl,--gc-sections --specs=nano.specs --specs=nosys.specs \
    -DDEVICETWIN_SMALL_NUMBERS -I"$root/include" -isystem "$work/include" "$work/$1.cpp" \
    -o "$work/$1.elf" 2>"$work/log" || { cat "$work/log" >&2; exit 1; }
  arm-none-eabi-size "$work/$1.elf" | awk 'NR == 2 { print $1 }'
}

empty=$(text_of empty) || exit 1
numbers=$(text_of numbers) || exit 1
limit=16384
echo "number conversion, both directions: $((numbers - empty)) bytes of text (limit $limit)"
[ $((numbers - empty)) -le $limit ]
