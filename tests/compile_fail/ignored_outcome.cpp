// expect: ignoring return
#include <devicetwin/twin/twin.hpp>

#pragma GCC diagnostic error "-Wunused-result"

int main() {
  devicetwin::twin t;
  t.service_patch("{}", {});
}
