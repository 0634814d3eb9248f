// expect: basic_twin: after the input come the time (a devicetwin::timestamp)
#include <devicetwin/devicetwin.hpp>

int main() {
  devicetwin::twin t;
  return t.service_patch("{}", 1769860800) ? 1 : 0;
}
