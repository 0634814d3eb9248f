// Where the containers of a text end.
#include <devicetwin/merge/text/container_ends.hpp>

#include <string>
#include <string_view>

#include "../catch.hpp"

using namespace devicetwin;
using merge::core::container_ends;

namespace {

/// What stands between an opening bracket, the `nth` in the text, and its end.
std::string_view container(const container_ends& ends, std::string_view text, std::size_t nth) {
  std::size_t at = text.find_first_of("{[");
  while (nth-- != 0) at = text.find_first_of("{[", at + 1);
  const char* const end = ends.find(text.data() + at);
  if (end == nullptr) return {};
  return text.substr(at, static_cast<std::size_t>(end - text.data()) - at);
}

}  // namespace

TEST_CASE("the end of every object outside arrays is known, and of their arrays",
          "[container_ends]") {
  const std::string_view text =
      R"({"a":{"b{":[1,[2],{"c":3}]}, "d" : { } ,"e":[] , "f":[{"g":{}}],"h":{"i":{"j":"]}"}}} )";
  json::core::text_structure structure;
  structure.reset(text);
  container_ends ends{memory_source()};
  CHECK_FALSE(ends.made());
  REQUIRE(ends.make(text, structure));
  CHECK(ends.made());
  CHECK(container(ends, text, 0) == text.substr(0, text.size() - 1));
  CHECK(container(ends, text, 1) == R"({"b{":[1,[2],{"c":3}]})");
  CHECK(container(ends, text, 3) == R"([1,[2],{"c":3}])");
  CHECK(container(ends, text, 6) == "{ }");
  CHECK(container(ends, text, 7) == "[]");
  CHECK(container(ends, text, 8) == R"([{"g":{}}])");
  CHECK(container(ends, text, 11) == R"({"i":{"j":"]}"}})");
  CHECK(container(ends, text, 12) == R"({"j":"]}"})");
  for (const unsigned in_a_name_or_array : {2u, 4u, 5u, 9u, 10u})
    CHECK(container(ends, text, in_a_name_or_array).empty());
}

TEST_CASE("brackets without a partner have no end", "[container_ends]") {
  for (const std::string_view text : {R"({"a":{"b":{"c":{)", R"({"a":{"b":[1)", "{", "["}) {
    json::core::text_structure structure;
    structure.reset(text);
    container_ends ends{memory_source()};
    REQUIRE(ends.make(text, structure));
    for (const char& c : text) {
      if (c == '{' || c == '[') CHECK(ends.find(&c) == nullptr);
    }
  }
  for (const std::string_view text : {"}", "]{}", ""}) {
    json::core::text_structure structure;
    structure.reset(text);
    container_ends ends{memory_source()};
    REQUIRE(ends.make(text, structure));
    CHECK(ends.find(text.data()) == nullptr);
  }
}

TEST_CASE("the ends of containers are found at any depth, or memory runs out", "[container_ends]") {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "{\"before\":[{}],\"down\":";
  text += "0";
  for (int i = 0; i < 3000; ++i) text += ",\"behind\":{}}";
  json::core::text_structure structure;
  structure.reset(text);
  container_ends ends{memory_source()};
  REQUIRE(ends.make(text, structure));
  std::size_t at = 0;
  for (std::size_t i = 0; i < 3000; ++i, at += 22) {
    CHECK(ends.find(text.data() + at) == text.data() + text.size() - 13 * i);
    CHECK(ends.find(text.data() + at + 10) == text.data() + at + 14);
  }
  CHECK(ends.find(text.data() + text.size() - 3) == text.data() + text.size() - 1);

  container_ends without{memory_source::none()};
  CHECK_FALSE(without.make(text, structure));
  CHECK_FALSE(without.made());
}
