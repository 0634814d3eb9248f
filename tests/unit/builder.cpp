#include <devicetwin/json/tree/builder.hpp>

#include "../support/text.hpp"

#include <string>

#include "../support/failing_heap.hpp"

namespace core = json::core;

namespace {

const char* const everything =
    R"({"a":null,"b":[true,false,-1,4000000000,-5000000000,18446744073709551615,0.5],)"
    R"("a name outside of its value":"and a text outside of its value","e":{},"f":[],"":""})";

/// Has what a handler of events would be sent.
template <class Builder>
json::error generate(Builder& b, const char* text) {
  return json::read_events(text, b);
}

}  // namespace

TEST_CASE("a builder makes what its events say", "[builder]") {
  rapidjson::Document d;
  core::tree_builder<rapidjson::Document::AllocatorType> builder(d.GetAllocator(), {});
  rapidjson::Value v;
  REQUIRE(!builder.build(v, [&](auto& handler) { return generate(handler, everything); }));
  CHECK(written(v) == everything);
  CHECK(v["b"].Capacity() == 7);  // each container has its exact size
  CHECK(v.MemberCount() == 6);
  CHECK(v["b"][3].IsUint());
  CHECK(v["b"][5].IsUint64());
  CHECK(v["b"][6].IsDouble());
  // And once more with the same builder.
  REQUIRE(!builder.build(v, [&](auto& handler) { return generate(handler, "[1]"); }));
  CHECK(written(v) == "[1]");
}

TEST_CASE("a builder whose events fail leaves the value as it was", "[builder]") {
  rapidjson::Document d;
  core::tree_builder<rapidjson::Document::AllocatorType> builder(d.GetAllocator(), {});
  rapidjson::Value v(5);
  const json::error e =
      builder.build(v, [&](auto& handler) { return generate(handler, R"({"a":[1,{"b":2)"); });
  CHECK(e.code() == errc::unexpected_end);
  CHECK(v.GetInt() == 5);
  REQUIRE(!builder.build(v, [&](auto& handler) { return generate(handler, "{}"); }));
  CHECK(written(v) == "{}");
}

TEST_CASE("a builder survives every failing allocation", "[builder][failure]") {
  std::string wide = "[";
  for (int i = 0; i < 200; ++i)
    wide += std::string("{\"a name outside of its value\":[") + "1,2]},";
  wide.back() = ']';
  with_every_failure(
      [&](const devicetwin::memory_source& source) {
        json::arena arena(source);
        json::arena_value v(7);
        core::tree_builder<json::arena> builder(arena, source);
        json::error e =
            builder.build(v, [&](auto& handler) { return generate(handler, wide.c_str()); });
        if (e) {
          CHECK(v.GetInt() == 7);
        } else {
          CHECK(written(v) == wide);
        }
        return e;
      },
      [] {});
}

TEST_CASE("a builder copies scalars and names from values of another allocator", "[builder]") {
  const auto from =
      parsed(R"({"short":"text","a name outside of its value":"a text outside of its value"})");
  json::arena arena;
  json::arena_value v;
  core::tree_builder<json::arena> builder(arena, {});
  REQUIRE(builder.expect(2));
  REQUIRE(!builder.build(v, [&](auto& handler) -> json::error {
    if (!handler.StartObject()) return handler.failure();
    for (json::size_type i = 0; i < 2; ++i) {
      if (!handler.ScalarMember(core::members_begin(static_cast<const json::value&>(from))[i]))
        return handler.failure();
    }
    if (!handler.EndObject(2)) return handler.failure();
    return {};
  }));
  CHECK(written(v) == written(from));
  CHECK(v["a name outside of its value"].GetString() !=
        from["a name outside of its value"].GetString());
}

TEST_CASE("a string takes no bytes inside its value, and multiples of eight outside", "[builder]") {
  const std::size_t inside = core::inside<json::value>::longest_inline;
  CHECK(core::string_bytes<json::value>(0) == 0);
  CHECK(core::string_bytes<json::value>(inside) == 0);
  for (std::size_t length = inside + 1; length < 100; ++length) {
    const std::size_t bytes = core::string_bytes<json::value>(length);
    CHECK(bytes > length);  // a NUL behind it
    CHECK(bytes <= length + 8);
    CHECK(bytes % 8 == 0);
  }
}
