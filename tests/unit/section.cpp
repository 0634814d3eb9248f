#include <devicetwin/twin/detail/section.hpp>

#include "../support/twin.hpp"

#include <string>

#include "../support/failing_heap.hpp"

namespace {

using section = devicetwin::detail::section<devicetwin::detail::stamped>;

json::error load(section& s, std::string_view text, std::int64_t version = 3) {
  json::document d;
  REQUIRE(!json::read(text, d));
  devicetwin::detail::loaded_section content{d.root()};
  content.version = version;
  return s.load(content, devicetwin::azure.size, {});
}

}  // namespace

TEST_CASE("a section before any load is null at version 0", "[section]") {
  const section s;
  CHECK(s.values().IsNull());
  CHECK(s.version() == 0);
  CHECK(s.size() == 0);
}

TEST_CASE("a section takes over values, and counts their size and their text", "[section]") {
  section s;
  const std::string text = R"({"a":1,"bc":{"d":"four","e":[true,null]}})";
  REQUIRE(!load(s, text));
  CHECK(written(s.values()) == text);
  CHECK(s.version() == 3);
  CHECK(s.text_size() == text.size());
  const devicetwin::twin t = loaded_twin(of_desired(text));
  CHECK(s.size() == t.size(part::desired));
  CHECK(s.memory_in_bytes() > text.size());
}

TEST_CASE("what is no object is no section", "[section]") {
  for (const char* const text : {"[]", "1", "null", "\"x\""}) {
    section s;
    CHECK(load(s, text).code() == errc::not_a_twin);
  }
}

TEST_CASE("sections are swapped and assigned with all that they keep", "[section]") {
  section a, b;
  REQUIRE(!load(a, R"({"a":1})", 4));
  REQUIRE(!load(b, R"({"b":"two"})", 7));
  a.swap(b);
  CHECK(written(a.values()) == R"({"b":"two"})");
  CHECK(a.version() == 7);
  CHECK(b.version() == 4);
  CHECK(a.text_size() == 11);
  REQUIRE(!b.assign(a));
  CHECK(written(b.values()) == R"({"b":"two"})");
  CHECK(b.version() == 7);
  CHECK(b.size() == a.size());
  CHECK(b.text_size() == 11);
}

TEST_CASE("an assignment that finds no memory leaves a section as it was", "[section][failure]") {
  section source;
  std::string text = "{";
  for (int i = 0; i < 100; ++i)
    text += "\"name" + std::to_string(i) + "\":\"a text outside of its value\",";
  text.back() = '}';
  REQUIRE(!load(source, text));
  with_every_refusal([&](const devicetwin::memory_source& memory) {
    section s(memory);
    const json::error e = s.assign(source);
    CHECK(s.version() == (e ? 0 : 3));
    CHECK(s.values().IsNull() == e.failed());
    return e;
  });
}

TEST_CASE("writes of a twin keep a section's values, version, size and text together",
          "[section]") {
  test_twin x;
  for (const char* const patch : {R"({"a":{"b":"text"},"c":[1,2.5]})", R"({"a":{"b":null,"d":1}})",
                                  R"({"c":null})", R"({"a":"\u00e9\u0001"})"}) {
    const std::int64_t before = x.t.desired_version();
    REQUIRE(!x.desire(patch));
    const section& s = tracked_section(x.t, part::desired);
    section fresh;
    REQUIRE(!load(fresh, written(s.values()), before + 1));
    INFO(patch);
    CHECK(s.version() == before + 1);
    CHECK(s.size() == fresh.size());
    CHECK(s.text_size() == fresh.text_size());
  }
}
