// expect: timestamp
#include <devicetwin/devicetwin.hpp>

int main() {
  char buffer[devicetwin::max_timestamp_chars];
  return devicetwin::format_timestamp(buffer, 5) == buffer ? 1 : 0;
}
