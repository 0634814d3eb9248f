// expect: merge::apply: a RapidJSON value needs its allocator
#include <devicetwin/devicetwin.hpp>

int main() {
  rapidjson::Value document;
  return static_cast<bool>(devicetwin::merge::apply(document, devicetwin::merge::change()));
}
