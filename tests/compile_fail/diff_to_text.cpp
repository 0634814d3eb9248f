// expect: merge::diff: the third argument is a RapidJSON handler
#include <devicetwin/devicetwin.hpp>
#include <string>

int main() {
  rapidjson::Document from, to;
  std::string patch;
  return static_cast<bool>(devicetwin::merge::diff(from, to, patch));
}
