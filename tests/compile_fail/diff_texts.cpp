// expect: devicetwin: a JSON value is expected here: a json::document, a RapidJSON document
#include <devicetwin/devicetwin.hpp>

int main() {
  devicetwin::json::document patch;
  return static_cast<bool>(devicetwin::merge::diff("{}", "{}", patch));
}
