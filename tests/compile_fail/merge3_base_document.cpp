// expect: merge::merge3: base, ours and theirs are RapidJSON values
#include <devicetwin/devicetwin.hpp>

int main() {
  devicetwin::json::document base, ours, theirs, merged;
  return static_cast<bool>(devicetwin::merge::merge3(base, ours.root(), theirs.root(), merged));
}
