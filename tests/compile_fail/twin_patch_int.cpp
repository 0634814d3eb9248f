// expect: basic_twin: the input is JSON text or a RapidJSON value
#include <devicetwin/twin/twin.hpp>

int main() {
  devicetwin::twin t;
  devicetwin::outcome done;
  return t.device_patch(42, 0, done) ? 1 : 0;
}
