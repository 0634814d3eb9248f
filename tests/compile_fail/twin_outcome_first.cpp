// expect: basic_twin: after the input come the time (a devicetwin::timestamp)
#include <devicetwin/devicetwin.hpp>

int main() {
  devicetwin::twin t;
  devicetwin::outcome done;
  return t.apply_notification("{}", done, devicetwin::timestamp()).failed() ? 1 : 0;
}
