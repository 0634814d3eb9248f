// expect: devicetwin: a JSON value is expected here: a json::document, a RapidJSON document
#include <devicetwin/devicetwin.hpp>
#include <string>

int main() {
  std::string base, ours, theirs;
  devicetwin::json::document merged;
  return static_cast<bool>(devicetwin::merge::merge3(base, ours, theirs, merged));
}
