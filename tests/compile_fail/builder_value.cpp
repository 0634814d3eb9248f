// expect: merge::change_builder::set: the value is a bool, a number, a text, nullptr, a document
#include <devicetwin/devicetwin.hpp>

struct point {
  int x, y;
};

int main() { devicetwin::merge::change_builder().set("/at", point{1, 2}); }
