// What every consumer builds: one call of the library, one check.
#include <cstdio>
#include <devicetwin/devicetwin.hpp>
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
  std::puts(text.c_str());
  return text == R"({"led":"on"})" ? 0 : 1;
}
