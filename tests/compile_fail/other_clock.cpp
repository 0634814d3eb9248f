// expect: milliseconds
#include <devicetwin/devicetwin.hpp>

int main() {
  devicetwin::device_session session;
  const devicetwin::timestamp now;
  return session.connected(now) ? 1 : 0;
}
