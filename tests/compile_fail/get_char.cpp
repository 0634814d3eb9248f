// expect: json::get<T>: T must be bool, an integer, float, double or std::string_view
#include <devicetwin/devicetwin.hpp>

int main() {
  rapidjson::Document document;
  return *devicetwin::json::get<char>(document, "/a");
}
