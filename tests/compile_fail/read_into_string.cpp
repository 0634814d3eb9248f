// expect: json::read: the second argument is a json::document
#include "devicetwin/devicetwin.hpp"

int main() {
  std::string out;
  return static_cast<bool>(devicetwin::json::read("1", out));
}
