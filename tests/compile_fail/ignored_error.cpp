// expect: ignoring return
#include <devicetwin/devicetwin.hpp>

#pragma GCC diagnostic error "-Wunused-result"

int main() {
  rapidjson::Document document;
  devicetwin::json::read("{}", document);
}
