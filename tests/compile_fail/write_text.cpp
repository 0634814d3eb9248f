// expect: devicetwin: a JSON value is expected here: a json::document, a RapidJSON document
#include <devicetwin/devicetwin.hpp>
#include <string>

int main() {
  std::string from = "{}", to;
  return static_cast<bool>(devicetwin::json::write(from, to));
}
