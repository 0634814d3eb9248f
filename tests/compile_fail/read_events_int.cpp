// expect: json::read_events: the second argument is a RapidJSON handler
#include "devicetwin/devicetwin.hpp"

int main() {
  int handler = 0;
  return static_cast<bool>(devicetwin::json::read_events("1", handler));
}
