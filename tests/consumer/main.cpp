// What every consumer builds: one call of the library, one check, and one of what is for tests.
#include <cstdio>
#include <devicetwin/devicetwin.hpp>
#include <devicetwin/testing/random_document.hpp>
#include <string>

int main() {
  devicetwin::json::document twin;
  rapidjson::Document patch;
  std::string text;
  if (devicetwin::json::read(R"({"led":"off","fan":1})", twin) ||
      devicetwin::json::read(R"({"led":"on","fan":null})", patch) ||
      devicetwin::merge::apply_merge_patch(twin, patch) || devicetwin::json::write(twin, text)) {
    return 1;
  }
  if (devicetwin::json::read(devicetwin::testing::random_document(1).object(), patch)) return 1;
  std::puts(text.c_str());
  return text == R"({"led":"on"})" ? 0 : 1;
}
