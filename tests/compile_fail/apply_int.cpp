// expect: merge::apply_merge_patch: the patch is a RapidJSON value
#include <devicetwin/devicetwin.hpp>

int main() {
  rapidjson::Document document;
  return static_cast<bool>(devicetwin::merge::apply_merge_patch(document, 42, document.GetAllocator()));
}
