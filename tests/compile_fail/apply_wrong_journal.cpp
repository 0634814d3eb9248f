// expect: merge::apply_merge_patch: the journal is called as journal(const json::location&
#include "devicetwin/devicetwin.hpp"

int main() {
  devicetwin::json::document target;
  rapidjson::Document patch;
  return static_cast<bool>(devicetwin::merge::apply_merge_patch(target, patch, {}, [](int) {}));
}
