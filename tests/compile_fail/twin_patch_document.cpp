// expect: basic_twin: the input is JSON text or a RapidJSON value
#include <devicetwin/devicetwin.hpp>

int main() {
  devicetwin::twin t;
  devicetwin::outcome done;
  devicetwin::json::document patch;
  return t.service_patch(patch, 0, done) ? 1 : 0;
}
