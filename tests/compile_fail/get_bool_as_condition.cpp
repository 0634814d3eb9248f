// expect: result<bool>: is it whether there is a value, or the value? Ask has_value(), or take
// value_or()
#include <devicetwin/json/get.hpp>

bool is_on(const rapidjson::Value& settings) {
  if (devicetwin::json::get<bool>(settings, "/on")) return true;
  return false;
}
