#include <devicetwin/json/tree/events.hpp>

#include "../support/text.hpp"

#include <limits>
#include <string>

#include "../support/failing_heap.hpp"
#include "../support/random_json.hpp"

namespace core = json::core;

namespace {

template <class Value>
json::error sent(const Value& v, std::string& text, core::nulls rule = core::nulls::emit,
                 std::size_t max_depth = 64, const devicetwin::memory_source& memory = {}) {
  text.clear();
  core::walk_memory<Value> walk(memory);
  json::text_writer writer(text);
  return core::emit(v, writer, rule, max_depth, walk);
}

struct stops_at : core::ignore_events {
  std::string name;
  bool Key(const char* text, json::size_type length, bool) {
    return std::string(text, length) != name;
  }
};

}  // namespace

TEST_CASE("a handler has all events of RapidJSON's concept", "[events]") {
  struct almost : core::ignore_events {
    void Null() = delete;
  };
  CHECK(core::is_handler<core::ignore_events>);
  CHECK(core::is_handler<rapidjson::Document>);
  CHECK_FALSE(core::is_handler<almost>);
  CHECK_FALSE(core::is_handler<int>);
}

TEST_CASE("a walk sends what RapidJSON's Accept() sends", "[events][property]") {
  for (unsigned seed = 0; seed < 500; ++seed) {
    random_json random(seed);
    const auto d = parsed(random.value());
    std::string ours, theirs;
    REQUIRE(!sent(static_cast<const json::value&>(d), ours));
    json::text_writer writer(theirs);
    REQUIRE(d.Accept(writer));
    CHECK(ours == theirs);
  }
}

TEST_CASE("nulls are dropped from objects, not from arrays", "[events]") {
  const auto d = parsed(R"({"a":null,"b":[null,{"c":null}],"d":{"e":null,"f":1}})");
  std::string text;
  REQUIRE(!sent(static_cast<const json::value&>(d), text, core::nulls::drop_outside_arrays));
  CHECK(text == R"({"b":[null,{"c":null}],"d":{"f":1}})");
}

TEST_CASE("of members with the same name the first is sent", "[events]") {
  rapidjson::Document d(rapidjson::kObjectType);
  for (int i = 0; i < 100; ++i) {
    rapidjson::Value name(("m" + std::to_string(i % 40)).c_str(), d.GetAllocator());
    d.AddMember(name, i, d.GetAllocator());
  }
  std::string text;
  REQUIRE(!sent(static_cast<const json::value&>(d), text));
  const auto read = parsed(text);  // which refuses repeated names
  REQUIRE(read.MemberCount() == 40);
  CHECK(read["m7"].GetInt() == 7);
}

TEST_CASE("errors of a walk have their place", "[events]") {
  auto d = parsed(R"({"a":[1,{"b":{}}]})");
  const json::value& root = d;
  std::string text;
  json::error e = sent(root, text, core::nulls::emit, 3);
  CHECK(e.code() == errc::depth_exceeded);
  CHECK(e.pointer() == "/a/1/b");
  CHECK(e.limit() == 3);
  CHECK(!sent(root, text, core::nulls::emit, 4));
  d["a"][1]["b"].SetDouble(std::numeric_limits<double>::infinity());
  e = sent(root, text);
  CHECK(e.code() == errc::not_finite);
  CHECK(e.pointer() == "/a/1/b");
  stops_at handler;
  handler.name = "b";
  core::walk_memory<json::value> walk({});
  e = core::emit(root, handler, core::nulls::emit, 64, walk);
  CHECK(e.code() == errc::handler_stopped);
  CHECK(e.pointer() == "/a/1/b");
  // Where the value stands in a document counts for the depth and is put before the pointer.
  const json::step steps[] = {json::step::member("x"), json::step::member("y")};
  core::ignore_events nobody;
  e = core::emit(root, nobody, core::nulls::emit, 3, walk, 2, json::location{steps, 2});
  CHECK(e.code() == errc::depth_exceeded);
  CHECK(e.pointer() == "/x/y/a");
}

TEST_CASE("a deep walk survives every failing allocation", "[events][failure]") {
  std::string text = "1";
  for (int i = 0; i < 60; ++i)
    text = (i % 2 == 0 ? "{\"a\":" : "[") + text + (i % 2 == 0 ? "}" : "]");
  const auto d = parsed(text);
  with_every_failure(
      [&](const devicetwin::memory_source& source) {
        std::string out;
        const json::error e =
            sent(static_cast<const json::value&>(d), out, core::nulls::emit, 64, source);
        if (!e) CHECK(out == text);
        return e;
      },
      [] {});
}

TEST_CASE("a footprint is what a copy takes", "[events]") {
  for (
      const char* const text :
      {"1", "[]", "[1,2,3]", R"({"a":1})", R"(["a text that is outside of its value"])",
       R"({"a name that is outside of its value":{"x":[{},"another text outside of its value"]}})"}) {
    json::document d;
    REQUIRE(!json::read(text, d));
    core::footprint_counter<json::arena_value> count;
    core::walk_memory<json::arena_value> walk({});
    REQUIRE(!core::emit(d.root(), count, core::nulls::emit, 64, walk));
    INFO(text);
    CHECK(count.bytes() == d.size_in_bytes());
  }
}
