// expect: basic_twin: the input is JSON text, a json::document, or a RapidJSON document or value
#include <devicetwin/twin/twin.hpp>

int main() {
  devicetwin::twin t, other;
  return t.service_patch(other, {}) ? 0 : 1;
}
