// expect: devicetwin: a JSON value is expected here: a json::document, a RapidJSON document
#include <devicetwin/devicetwin.hpp>

int main() {
  rapidjson::Document document;
  return static_cast<bool>(
      devicetwin::merge::apply_merge_patch(document, 42, document.GetAllocator()));
}
