// expect: basic_twin: after an event comes an outcome or none; an event has its own time
#include <devicetwin/devicetwin.hpp>

int main() {
  devicetwin::twin t;
  return t.apply_event("{}", devicetwin::timestamp()) ? 1 : 0;
}
