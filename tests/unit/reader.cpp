#include <devicetwin/json/text/reader.hpp>

#include "../support/text.hpp"

#include <string>

#include "../support/failing_heap.hpp"

namespace core = json::core;

namespace {

/// What the reader sends, one word for each event.
struct recorder : core::ignore_events {
  std::string seen;
  bool note(const std::string& what) {
    seen += what + " ";
    return true;
  }
  bool Null() { return note("null"); }
  bool Bool(bool b) { return note(b ? "true" : "false"); }
  bool NumberText(std::string_view text) { return note("#" + std::string(text)); }
  bool String(const char* text, json::size_type length, bool) {
    return note("'" + std::string(text, length) + "'");
  }
  bool Key(const char* text, json::size_type length, bool) {
    return note(std::string(text, length) + ":");
  }
  bool StartObject() { return note("{"); }
  bool EndObject(json::size_type members) { return note("}" + std::to_string(members)); }
  bool StartArray() { return note("["); }
  bool EndArray(json::size_type elements) { return note("]" + std::to_string(elements)); }
};

template <class Handler>
json::error read_with(std::string_view text, Handler& handler, std::size_t max_depth = 64,
                      const devicetwin::memory_source& memory = {}) {
  return core::reader<Handler>(text, handler, max_depth, json::big_integer_rule::refuse, memory)
      .read();
}

}  // namespace

TEST_CASE("a reader sends the events of a text in its order", "[reader]") {
  recorder r;
  REQUIRE(!read_with(" { \"a\\u0062\" : [ 1.50 , -0, true,null ] , \"c\":{}, \"\":\"x\\n\" } ", r));
  CHECK(r.seen == "{ ab: [ #1.50 #-0 true null ]4 c: { }0 : 'x\n' }3 ");
}

TEST_CASE("a handler may take numbers as they are spelled, and words in place of short texts",
          "[reader]") {
  CHECK(core::takes_number_text<recorder>);
  CHECK_FALSE(core::takes_number_text<rapidjson::Document>);
  CHECK(core::takes_words<core::tree_builder<json::arena>> == core::is_compact<json::value>);
  CHECK_FALSE(core::takes_words<recorder>);
}

TEST_CASE("a reader names the line, the column and the pointer of what is wrong", "[reader]") {
  recorder r;
  const json::error e = read_with("{\n  \"a\": [1,\n    x]}", r);
  CHECK(e.code() == errc::unexpected_character);
  CHECK(e.line() == 3);
  CHECK(e.column() == 5);
  CHECK(e.pointer() == "/a/1");
}

TEST_CASE("a repeated name is refused among few names and among many", "[reader]") {
  for (const unsigned count : {1u, 2u, 63u, 64u, 65u, 3000u}) {
    for (const bool escaped : {false, true}) {
      std::string text = "{";
      for (unsigned i = 0; i < count; ++i) text += "\"n" + std::to_string(i) + "\":1,";
      const std::string last = std::to_string(count / 2);
      core::ignore_events nobody;
      INFO(count);
      CHECK(!read_with(text + "\"other\":2}", nobody));
      const json::error e =
          read_with(text + (escaped ? "\"\\u006e" : "\"n") + last + "\":2}", nobody);
      CHECK(e.code() == errc::duplicate_name);
      CHECK(e.pointer() == "/n" + last);
    }
  }
}

TEST_CASE("a reader goes as deep as it is told and no deeper", "[reader]") {
  for (const std::size_t levels : {1u, 5u, 1000u}) {
    core::ignore_events nobody;
    const std::string text = std::string(levels, '[') + std::string(levels, ']');
    CHECK(!read_with(text, nobody, levels));
    const json::error e = read_with(text, nobody, levels - 1);
    CHECK(e.code() == errc::depth_exceeded);
    CHECK(e.limit() == levels - 1);
  }
}

TEST_CASE("a reader survives every failing allocation", "[reader][failure]") {
  std::string text = std::string(40, '[') + "{";
  for (int i = 0; i < 200; ++i)
    text += "\"a name with an escape \\u0061 " + std::to_string(i) + "\":1,";
  text.back() = '}';
  text += std::string(40, ']');
  with_every_failure(
      [&](const devicetwin::memory_source& source) {
        core::ignore_events nobody;
        return read_with(text, nobody, 64, source);
      },
      [] {});
}
