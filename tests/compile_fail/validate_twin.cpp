// expect: validate: the first argument is a RapidJSON value
#include <devicetwin/devicetwin.hpp>

int main() {
  devicetwin::twin t;
  devicetwin::validation found;
  return devicetwin::validate(t, devicetwin::part::desired, devicetwin::shape::patch,
                              devicetwin::azure, found)
             ? 1
             : 0;
}
