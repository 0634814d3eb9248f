// expect: merge::apply: a RapidJSON value needs its allocator
#include <devicetwin/devicetwin.hpp>

int main() {
  rapidjson::Document document;
  return static_cast<bool>(devicetwin::merge::apply(document, devicetwin::merge::change()));
}
