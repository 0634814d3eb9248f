// expect: json::get<T>: T must be bool, an integer, float, double or std::string_view
#include "devicetwin/devicetwin.hpp"

int main() {
  rapidjson::Document document;
  return static_cast<bool>(devicetwin::json::get<std::string>(document, "/a"));
}
