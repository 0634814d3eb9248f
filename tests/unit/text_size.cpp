// The size of a section that is text: what a twin counts of the same section.
#include "../support/twin.hpp"

#include <algorithm>
#include <string>

#include "../support/random_json.hpp"

using devicetwin::size_formula;
using devicetwin::text_size;

TEST_CASE("the size of a text is that of the section that it is", "[text_size]") {
  random_json random(4);
  random.avoid_null();
  std::size_t largest = 0;
  for (int i = 0; i < 1500; ++i) {
    devicetwin::twin t = fresh_twin(devicetwin::rfc7396);
    devicetwin::dialect contents = devicetwin::rfc7396;
    contents.size = size_formula::contents;
    devicetwin::twin counting = fresh_twin(contents);
    devicetwin::outcome done;
    const std::string patch = random.object();
    INFO(patch);
    REQUIRE(!t.device_patch(patch, noon(), done));
    REQUIRE(!counting.device_patch(patch, noon(), done));
    const std::string text = written(t.reported());
    CHECK(text_size(text, size_formula::json_text) == t.size(part::reported));
    CHECK(text_size(text, size_formula::contents) == counting.size(part::reported));
    largest = std::max(largest, counting.size(part::reported));
  }
  CHECK(largest > 1000);
}

TEST_CASE("contents are names, strings, numbers and booleans, without control characters",
          "[text_size]") {
  const auto size = [](const char* text) { return text_size(text, size_formula::contents); };
  CHECK(size("{}") == 0);
  CHECK(size(R"({"name":"text"})") == 8);
  CHECK(size(R"({"a":-1.5e10,"b":[true,false,null]})") == 2 + 8 + 4 + 4);
  CHECK(size(R"({"a":{"b":[[],{}]}})") == 2);
  CHECK(size(R"({"\u0061\n":"\u00e9\t\""})") == 1 + 2 + 1);
  CHECK(size("{\"\xC3\xA9\":0}") == 2 + 8);
}
