// expect: and the expected version or none
#include <devicetwin/devicetwin.hpp>

int main() {
  devicetwin::twin t;
  return t.device_patch("{}", devicetwin::timestamp(), "AAAAAAAAAAE=") ? 1 : 0;
}
