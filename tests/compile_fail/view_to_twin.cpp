// expect: devicetwin: the output needs append
#include <devicetwin/devicetwin.hpp>

int main() {
  devicetwin::twin t;
  return devicetwin::write_service_view(t, t) ? 1 : 0;
}
