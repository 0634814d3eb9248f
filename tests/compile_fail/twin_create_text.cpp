// expect: basic_twin: a twin is created with a devicetwin::new_identity
#include <devicetwin/devicetwin.hpp>

int main() {
  devicetwin::twin t;
  return t.create("greenhouse-07", devicetwin::timestamp()) ? 1 : 0;
}
