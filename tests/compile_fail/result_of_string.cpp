// expect: a result holds plain values
#include <string>

#include "devicetwin/json/error.hpp"

int main() {
  const devicetwin::json::result<std::string> r(std::string("text"));
  return r ? 0 : 1;
}
