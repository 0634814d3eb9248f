// expect: merge::apply_merge_patch: the target is a json::document, a RapidJSON document, or a
// value with its allocator
#include "devicetwin/devicetwin.hpp"

int main() {
  rapidjson::Value target;
  rapidjson::Document patch;
  return static_cast<bool>(devicetwin::merge::apply_merge_patch(target, patch));
}
