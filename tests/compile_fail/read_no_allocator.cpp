// expect: json::read: a RapidJSON value needs its allocator
#include <devicetwin/devicetwin.hpp>

int main() {
  rapidjson::Value value;
  return static_cast<bool>(devicetwin::json::read("{}", value));
}
