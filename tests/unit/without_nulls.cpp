// A value of a merge patch without its null members, held against RFC 7396 as it is written.
#include <devicetwin/merge/text/without_nulls.hpp>

#include <string>
#include <string_view>

#include "../support/failing_heap.hpp"
#include "../support/naive_json.hpp"
#include "../support/random_json.hpp"

namespace core = merge::core;

namespace {

struct outcome {
  errc code;
  bool is_copy;  ///< false: the result is the value itself
  std::string text;
};

outcome without_nulls(std::string_view value, std::size_t levels = 64,
                      const devicetwin::memory_source& memory = {}) {
  const std::string patch = "{\"patch\":" + std::string(value) + ",\"n\":null}";
  json::core::text_structure structure;
  structure.reset(patch);
  core::text_plan plan(memory);
  plan.start("{}");
  core::text_plan::piece made;
  const std::string_view in_patch = std::string_view(patch).substr(9, value.size());
  const errc code = core::without_nulls(structure, plan).run(in_patch, levels, made);
  if (code != errc::ok) return {code, false, {}};
  REQUIRE(plan.add("name", 1, made, false));
  return {code, made.first == nullptr, std::string(plan.new_value(plan[0]))};
}

}  // namespace

TEST_CASE("a null member goes with one comma, and the other bytes stay", "[without_nulls]") {
  const auto text = [](std::string_view value) { return without_nulls(value).text; };
  CHECK(text(R"({"a":null})") == "{}");
  CHECK(text(R"({"a":null,"b":1})") == R"({"b":1})");
  CHECK(text(R"({"b":1,"a":null})") == R"({"b":1})");
  CHECK(text(R"({"b":1,"a":null,"c":2})") == R"({"b":1,"c":2})");
  CHECK(text(R"({"a":null,"b":null,"c":null})") == "{}");
  CHECK(text(R"({ "a" : null , "b" : 1 })") == R"({ "b" : 1 })");
  CHECK(text(R"({"b" : 1 ,"a":null })") == R"({"b" : 1 })");
  CHECK(text(R"({"a":{"b":null},"c":{"d":{"e":null,"f":1}}})") == R"({"a":{},"c":{"d":{"f":1}}})");
  CHECK(text(R"({"a":{},"b":null,"c":1})") == R"({"a":{},"c":1})");
  CHECK(text(R"({"a":null,"b":{"c":null},"d":null})") == R"({"b":{}})");
}

TEST_CASE("an object without null members is taken as it is, nulls in arrays and all",
          "[without_nulls]") {
  for (const std::string_view value :
       {"{}", R"({"a":"null"})", R"({"a":[null,{"b":null}],"n":{}})", "{ \"a\" : true }"}) {
    const outcome o = without_nulls(value);
    INFO(value);
    CHECK(o.code == errc::ok);
    CHECK_FALSE(o.is_copy);
    CHECK(o.text == value);
  }
}

TEST_CASE("objects inside each other count as levels", "[without_nulls]") {
  CHECK(without_nulls(R"({"a":{"b":{}}})", 3).code == errc::ok);
  CHECK(without_nulls(R"({"a":{"b":{}}})", 2).code == errc::depth_exceeded);
  CHECK(without_nulls(R"({"a":{},"b":{}})", 2).code == errc::ok);
  CHECK(without_nulls("{}", 0).code == errc::depth_exceeded);
}

TEST_CASE("an object that is not JSON is refused", "[without_nulls]") {
  for (const std::string_view value : {"{", "{\"a", "{\"a\"", "{\"a\":", "{1:2}", "{\"a\":null",
                                       "{\"a\":{}", "{\"a\":[}", "{,", "{\"a\" 1}", "{\"a\":n,"}) {
    json::core::text_structure structure;
    structure.reset(value);
    core::text_plan plan{devicetwin::memory_source()};
    plan.start("{}");
    core::text_plan::piece made;
    INFO(value);
    CHECK(core::without_nulls(structure, plan).run(value, 64, made) == errc::unexpected_character);
  }
}

TEST_CASE("a value without its nulls is what RFC 7396 makes of it", "[without_nulls][property]") {
  random_json random(7);
  int copies = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::string value = random.patch();
    const outcome o = without_nulls(value);
    INFO(value);
    REQUIRE(o.code == errc::ok);
    const auto expected = naive::reader::read(value), made = naive::reader::read(o.text);
    if (!expected) continue;
    REQUIRE(made);
    CHECK(*made == naive::merge_patch({}, *expected));
    copies += o.is_copy ? 1 : 0;
  }
  CHECK(copies > 100);
}

TEST_CASE("a value that finds no room is not made", "[without_nulls][failure]") {
  const std::string value =
      R"({"a":")" + std::string(500, 'x') + R"(","b":null,"c":")" + std::string(900, 'y') + "\"}";
  with_every_failure(
      [&](const devicetwin::memory_source& memory) {
        return json::error(without_nulls(value, 64, memory).code);
      },
      [] {});
}
