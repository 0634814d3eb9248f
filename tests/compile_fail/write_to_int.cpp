// expect: json::write: the output needs append(const char*, std::size_t), size() and
// resize(std::size_t)
#include <devicetwin/devicetwin.hpp>

int main() {
  rapidjson::Document document;
  int out = 0;
  return static_cast<bool>(devicetwin::json::write(document, out));
}
