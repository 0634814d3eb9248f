#include <devicetwin/merge/tree/places.hpp>

#include "../support/text.hpp"

#include <limits>
#include <string>

namespace core = merge::core;

TEST_CASE("a path says where it is, with escapes, and goes back", "[places]") {
  core::path path({});
  CHECK(pointer_of(path.where()) == "");
  REQUIRE(path.push("a"));
  REQUIRE(path.push("b/c~"));
  CHECK(path.depth() == 2);
  CHECK(pointer_of(path.where()) == "/a/b~1c~0");
  std::string rendered;
  core::path_view{&path}.render([&](char c) { rendered += c; });
  CHECK(rendered == "/a/b~1c~0");
  path.pop();
  CHECK(pointer_of(path.where()) == "/a");
  core::path none(devicetwin::memory_source::none());
  int pushed = 0;
  while (none.push("x")) REQUIRE(++pushed < 1000);
  CHECK(none.depth() == static_cast<std::size_t>(pushed));
}

TEST_CASE("a failure inside a value is told with the place of the value", "[places]") {
  core::path path({});
  REQUIRE(path.push("outer"));
  const json::step steps[] = {json::step::member("in"), json::step::element(3)};
  const json::error inner =
      json::error(errc::depth_exceeded).limited_to(5).at(json::location{steps, 2});
  const json::error e = core::nested(inner, path);
  CHECK(e.code() == errc::depth_exceeded);
  CHECK(e.limit() == 5);
  CHECK(e.pointer() == "/outer/in/3");
}

TEST_CASE("values are compared by the options, and either may be missing", "[places]") {
  core::path path({});
  REQUIRE(path.push("at"));
  const auto one = parsed(R"({"a":[1]})"), real = parsed(R"({"a":[1.0]})");
  const json::value &a = one, &b = real;
  const json::value* const missing = nullptr;
  merge::options o;
  bool same = false;
  REQUIRE(!core::compare(a, b, o, path, same));
  CHECK(same);
  o.numbers = merge::number_equality::by_value_and_type;
  REQUIRE(!core::compare(a, b, o, path, same));
  CHECK_FALSE(same);
  REQUIRE(!core::compare(missing, missing, o, path, same));
  CHECK(same);
  REQUIRE(!core::compare(&a, missing, o, path, same));
  CHECK_FALSE(same);
  REQUIRE(!core::compare(&a, &a, o, path, same));
  CHECK(same);
  auto infinite = parsed(R"({"a":[1]})");
  infinite["a"][0].SetDouble(std::numeric_limits<double>::infinity());
  const json::value& bad = infinite;
  const json::error e = core::compare(bad, bad, o, path, same);
  CHECK(e.code() == errc::not_finite);
  CHECK(e.pointer() == "/at/a/0");
}

TEST_CASE("a value that was checked is sent at any depth", "[places]") {
  const std::string text = std::string(200, '[') + std::string(200, ']');
  rapidjson::Document d;
  json::read_options deep;
  deep.max_depth = 300;
  REQUIRE(!json::read(text, d, deep));
  std::string out;
  json::text_writer writer(out);
  REQUIRE(!core::send(static_cast<const json::value&>(d), writer, {}));
  CHECK(out == text);
}
