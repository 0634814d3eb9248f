// expect: ignoring return
#include <devicetwin/devicetwin.hpp>

#pragma GCC diagnostic error "-Wunused-result"

int main() {
  devicetwin::json::document document;
  document.assign(rapidjson::Value());
}
