// expect: devicetwin: a JSON value is expected here: a json::document, a RapidJSON document
#include <devicetwin/devicetwin.hpp>

int main() {
  devicetwin::twin t;
  devicetwin::validation found;
  return devicetwin::validate(t, devicetwin::part::desired, devicetwin::shape::patch,
                              devicetwin::azure, found)
             ? 1
             : 0;
}
