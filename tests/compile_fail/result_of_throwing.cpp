// expect: json::result<T>: T must be made and moved without exceptions
#include <devicetwin/json/error.hpp>

struct slow {
  slow() noexcept {}
  slow(const slow&) noexcept(false) {}
};

int main() {
  const devicetwin::json::result<slow> r(devicetwin::json::errc::not_found);
  return r ? 0 : 1;
}
