// expect: basic_twin: after the input come the time (a devicetwin::timestamp)
#include <devicetwin/devicetwin.hpp>

int main() {
  devicetwin::twin t;
  devicetwin::outcome done;
  const devicetwin::json::error e = t.service_replace("{}", done);
  return e.failed() ? 1 : 0;
}
