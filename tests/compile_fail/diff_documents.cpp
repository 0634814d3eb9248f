// expect: merge::diff: it compares two RapidJSON values (of a json::document, its root())
#include "devicetwin/devicetwin.hpp"

int main() {
  devicetwin::json::document from, to, patch;
  return static_cast<bool>(devicetwin::merge::diff(from, to, patch));
}
