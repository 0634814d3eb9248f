// expect: basic_twin: the input is JSON text, a json::document, or a RapidJSON document or value
#include <devicetwin/twin/twin.hpp>

int main() {
  devicetwin::twin t;
  devicetwin::outcome done;
  return t.device_patch(42, {}, done) ? 1 : 0;
}
