// expect: comparison
#include <devicetwin/json/equal.hpp>

bool same(const rapidjson::Value& a, const rapidjson::Value& b) {
  if (devicetwin::json::equal(a, b)) return true;
  return false;
}
