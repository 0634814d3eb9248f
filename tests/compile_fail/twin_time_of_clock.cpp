// expect: basic_twin: after the input come the time (a devicetwin::timestamp)
#include <devicetwin/devicetwin.hpp>

#include <chrono>

int main() {
  devicetwin::twin t;
  return t.device_patch("{}", std::chrono::system_clock::now()) ? 1 : 0;
}
