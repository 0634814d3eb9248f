// Writing, and reading back.
#include <devicetwin/json/write.hpp>

#include <limits>
#include <string>

#include "../support/json.hpp"
#include "../support/random_json.hpp"
#include "../support/reference.hpp"

TEST_CASE("write escapes what must be and nothing else", "[write]") {
  const rapidjson::Value v("\"\\/\b\f\n\r\t\x01\x1F\x7F\xC3\xA9", 13);
  CHECK(written(v) == "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7F\xC3\xA9\"");
}

TEST_CASE("write indents by as many spaces as it is asked to", "[write]") {
  std::string text;
  json::write_options options;
  options.indent = 2;
  REQUIRE(!json::write(parsed(R"({"a":[1,{}],"b":[],"c":{"d":null}})"), text, options));
  CHECK(text ==
        "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": [],\n  \"c\": {\n    \"d\": null\n  }\n}");
}

TEST_CASE("write leaves the output as it was on an error", "[write]") {
  rapidjson::Document d = parsed(R"({"a":[1,2]})");
  std::string text = "kept";
  SECTION("NaN") {
    d["a"][1].SetDouble(std::numeric_limits<double>::quiet_NaN());
    const auto e = json::write(d, text);
    CHECK(e.code() == errc::not_finite);
    CHECK(e.pointer() == "/a/1");
  }
  SECTION("infinity") {
    d["a"][0].SetDouble(-std::numeric_limits<double>::infinity());
    CHECK(json::write(d, text).pointer() == "/a/0");
  }
  SECTION("invalid UTF-8 in a string and in a name") {
    d["a"][0].SetString("\xFF", 1);
    CHECK(json::write(d, text).code() == errc::invalid_utf8);
    d["a"].SetObject().AddMember("\xC0\x80", 1, d.GetAllocator());
    CHECK(json::write(d, text).code() == errc::invalid_utf8);
  }
  SECTION("depth") {
    json::write_options options;
    options.max_depth = 1;
    const auto e = json::write(d, text, options);
    CHECK(e.code() == errc::depth_exceeded);
    CHECK(e.pointer() == "/a");
  }
  CHECK(text == "kept");
}

TEST_CASE("write into a fixed buffer says when it is full", "[write]") {
  const auto d =
      parsed(R"({"a":"long enough to fill more than one internal block? no, but long"})");
  const std::string whole = written(d);
  for (std::size_t capacity = 0; capacity <= whole.size(); ++capacity) {
    std::string storage(capacity, '\0');
    devicetwin::text_buffer out(storage.data(), capacity);
    const auto e = json::write(d, out);
    CHECK((capacity == whole.size() ? !e : e.code() == errc::out_of_memory));
    CHECK(out.size() == (capacity == whole.size() ? whole.size() : 0));
  }
}

TEST_CASE("text_writer takes events one by one", "[write]") {
  std::string text;
  json::text_writer writer(text);
  CHECK((writer.StartArray() && writer.RawNumber("1e5", 3, true) && writer.Uint64(7) &&
         writer.EndArray(2)));
  CHECK(text == "[1e5,7]");
  const auto refused = [](const char* number) {
    std::string out;
    json::text_writer w(out);
    CHECK(
        !w.RawNumber(number, static_cast<json::size_type>(std::string_view(number).size()), true));
    return w.failure();
  };
  CHECK(refused("1e") == errc::unexpected_end);
  CHECK(refused("01") == errc::invalid_number);
  CHECK(refused("1,2") == errc::invalid_number);
  CHECK(refused("NaN") == errc::invalid_number);
  // A text may hold numbers of any size.
  std::string large;
  json::text_writer w(large);
  CHECK((w.RawNumber("1e400", 5, true) && large == "1e400"));
}

TEST_CASE("reading, writing and equality agree with the obvious implementation", "[property]") {
  random_json random(1);
  std::string previous = "{}";
  for (int i = 0; i < 3000; ++i) {
    const std::string text = random.value();
    INFO(text);
    const auto expected = reference::parser::parse(text);
    REQUIRE(expected);
    const auto d = parsed(text);
    CHECK(identical(reference::from_value(d), *expected));
    CHECK(identical(reference::from_value(parsed(written(d))), *expected));
    const auto other = parsed(previous);
    CHECK(are_equal(d, other) == equal(*expected, reference::from_value(other)));
    CHECK(are_equal(d, parsed(text)));
    previous = random.below(3) == 0 ? text : random.value();
  }
}
