// Pointers, access, writing, equality.
#include "../support/text.hpp"

#include <cmath>
#include <limits>
#include <string>

#include "../support/random_json.hpp"
#include "../support/reference.hpp"

TEST_CASE("find follows RFC 6901", "[pointer]") {
  const auto d = parsed(
      R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8})");
  const auto at = [&](const char* pointer) { return written(**json::find(d, pointer)); };
  CHECK(at("/foo") == R"(["bar","baz"])");
  CHECK(at("/foo/0") == "\"bar\"");
  CHECK(at("/") == "0");
  CHECK(at("/a~1b") == "1");
  CHECK(at("/c%d") == "2");
  CHECK(at("/e^f") == "3");
  CHECK(at("/g|h") == "4");
  CHECK(at("/i\\j") == "5");
  CHECK(at("/k\"l") == "6");
  CHECK(at("/ ") == "7");
  CHECK(at("/m~0n") == "8");
  CHECK(*json::find(d, "") == &d);
  for (const char* pointer : {"/foo/2", "/foo/-", "/foo/00", "/foo/01", "/foo/x", "/foo/",
                              "/foo/0/x", "/nope/x", "/foo/4294967296", "/foo/99999999999"}) {
    CHECK(json::find(d, pointer).error().code() == errc::not_found);
  }
  CHECK(json::find(d, "/foo/7/8").error().pointer() == "/foo/7");
  for (const char* pointer : {"foo", "/~", "/~2", "/a~"}) {
    CHECK(json::find(d, pointer).error().code() == errc::invalid_pointer);
  }
}

TEST_CASE("get gives the value or says why not", "[get]") {
  const auto d = parsed(
      R"({"b":true,"i":-5,"u":18446744073709551615,"d":1.5,"w":3.0,"s":"x\u0000y","big":9007199254740993,"n":null,"huge":1e300})");
  CHECK(*json::get<bool>(d, "/b"));
  CHECK(*json::get<std::int64_t>(d, "/i") == -5);
  CHECK(*json::get<std::int64_t>(d, "/w") == 3);
  CHECK(*json::get<std::uint64_t>(d, "/u") == UINT64_MAX);
  CHECK(*json::get<double>(d, "/i") == -5.0);
  CHECK(*json::get<double>(d, "/d") == 1.5);
  CHECK(*json::get<std::string_view>(d, "/s") == std::string_view("x\0y", 3));
  const auto code = [&](auto result) { return result.error().code(); };
  CHECK(code(json::get<std::int64_t>(d, "/u")) == errc::number_out_of_range);
  CHECK(code(json::get<std::uint64_t>(d, "/i")) == errc::number_out_of_range);
  CHECK(code(json::get<std::int64_t>(d, "/d")) == errc::number_out_of_range);
  CHECK(code(json::get<std::int64_t>(d, "/huge")) == errc::number_out_of_range);
  CHECK(code(json::get<std::uint64_t>(d, "/huge")) == errc::number_out_of_range);
  CHECK(code(json::get<double>(d, "/big")) == errc::number_out_of_range);
  CHECK(code(json::get<double>(d, "/u")) == errc::number_out_of_range);
  CHECK(code(json::get<bool>(d, "/n")) == errc::wrong_type);
  CHECK(code(json::get<std::string_view>(d, "/i")) == errc::wrong_type);
  CHECK(code(json::get<double>(d, "/s")) == errc::wrong_type);
  CHECK(code(json::get<double>(d, "/zzz")) == errc::not_found);
  CHECK(json::get<double>(d, "/s").error().pointer() == "/s");
  CHECK(json::get<double>(d, "/s").value_or(7) == 7);
}

namespace {

/// What an integer type holds at most and at least, and that get() and get_text() stop there.
template <class T>
void check_limits() {
  const std::string largest = std::to_string((std::numeric_limits<T>::max)());
  const std::string smallest = std::to_string((std::numeric_limits<T>::min)());
  CAPTURE(largest, smallest);
  CHECK(*json::get<T>(parsed(largest)) == (std::numeric_limits<T>::max)());
  CHECK(*json::get<T>(parsed(smallest)) == (std::numeric_limits<T>::min)());
  CHECK(*json::get_text<T>(largest) == (std::numeric_limits<T>::max)());
  CHECK(*json::get_text<T>(smallest) == (std::numeric_limits<T>::min)());
  for (const bool negative : {false, true}) {
    std::string beyond = negative ? smallest : largest;  // one more, or one less
    if (beyond == "0")
      beyond = "-1";
    else
      ++beyond.back();  // no limit ends with a 9
    CAPTURE(beyond);
    CHECK(json::get_text<T>(beyond).error().code() == errc::number_out_of_range);
    if (negative && sizeof(T) == 8) continue;  // rounded in a tree, it is the smallest
    json::document d;
    json::read_options round;
    round.big_integers = json::big_integer_rule::round;
    REQUIRE(!json::read(beyond, d, round));
    CHECK(json::get<T>(d).error().code() == errc::number_out_of_range);
  }
  for (const char* text : {"1.0", "1e0", "10e-1"}) {
    CHECK(*json::get<T>(parsed(text)) == 1);
    CHECK(*json::get_text<T>(text) == 1);
  }
  for (const char* text : {"1.5", "1e300", "-1e300"}) {
    CHECK(json::get<T>(parsed(text)).error().code() == errc::number_out_of_range);
    CHECK(json::get_text<T>(text).error().code() == errc::number_out_of_range);
  }
  CHECK(*json::get<T>(parsed("-0.0")) == 0);
  CHECK(*json::get_text<T>("-0.0") == 0);
  for (const char* text : {"true", "\"1\"", "null", "[1]"}) {
    CHECK(json::get<T>(parsed(text)).error().code() == errc::wrong_type);
    CHECK(json::get_text<T>(text).error().code() == errc::wrong_type);
  }
}

}  // namespace

TEST_CASE("get returns any integer type, up to its limits", "[get]") {
  check_limits<std::int8_t>();
  check_limits<std::uint8_t>();
  check_limits<short>();
  check_limits<unsigned short>();
  check_limits<int>();
  check_limits<unsigned>();
  check_limits<long>();
  check_limits<unsigned long>();
  check_limits<long long>();
  check_limits<unsigned long long>();
  CHECK(*json::get<std::int64_t>(parsed("-9223372036854775808.0")) == INT64_MIN);
  CHECK(json::get<std::int64_t>(parsed("9223372036854775808.0")).error().code() ==
        errc::number_out_of_range);
  CHECK(*json::get<std::uint64_t>(parsed("9223372036854775808.0")) == std::uint64_t{1} << 63);
  CHECK(json::get<std::uint64_t>(parsed("18446744073709551616.0")).error().code() ==
        errc::number_out_of_range);
}

TEST_CASE("get returns a decimal as the nearest float, an integer only exactly", "[get]") {
  const auto both = [](const char* text, float wanted) {
    CAPTURE(text);
    const auto of_value = json::get<float>(parsed(text));
    const auto of_text = json::get_text<float>(text);
    return of_value && of_text && *of_value == wanted && *of_text == wanted &&
           std::signbit(*of_value) == std::signbit(wanted) &&
           std::signbit(*of_text) == std::signbit(wanted);
  };
  constexpr float largest = (std::numeric_limits<float>::max)();
  CHECK(both("0.1", 0.1F));
  CHECK(both("-2.5", -2.5F));
  CHECK(both("-0.0", -0.0F));
  CHECK(both("1e-60", 0.0F));
  CHECK(both("1e-45", std::numeric_limits<float>::denorm_min()));
  CHECK(both("16777216", 16777216.0F));
  CHECK(both("16777217.0", 16777216.0F));
  CHECK(both("3.4028235e38", largest));
  CHECK(both("3.4028235677973362e38", largest));
  CHECK(both("-3.4028235e38", -largest));
  for (const char* text : {"16777217", "-16777217", "18446744073709551615", "3.4028235677973366e38",
                           "1e39", "-1e39"}) {
    CAPTURE(text);
    CHECK(json::get<float>(parsed(text)).error().code() == errc::number_out_of_range);
    CHECK(json::get_text<float>(text).error().code() == errc::number_out_of_range);
  }
  CHECK(*json::get_text<float>("18446744073709551616") == 18446744073709551616.0F);
  CHECK(json::get_text<float>("18446744073709555712").error().code() ==
        errc::number_out_of_range);  // 2^64 + 2^12, which is a double
  CHECK(*json::get_text<double>("18446744073709555712") == 18446744073709555712.0);
}

TEST_CASE("write escapes what must be and nothing else", "[write]") {
  const rapidjson::Value v("\"\\/\b\f\n\r\t\x01\x1F\x7F\xC3\xA9", 13);
  CHECK(written(v) == "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7F\xC3\xA9\"");
}

TEST_CASE("write indents", "[write]") {
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

TEST_CASE("text_buffer appends a piece of itself", "[write]") {
  devicetwin::text_buffer out;
  REQUIRE(out.append("abc", 3));
  for (int i = 0; i < 12; ++i) REQUIRE(out.append(out.data(), out.size()));
  REQUIRE(out.size() == 3 * 4096);
  for (std::size_t i = 0; i < out.size(); ++i) CHECK(out.data()[i] == "abc"[i % 3]);
  devicetwin::text_buffer moved = static_cast<devicetwin::text_buffer&&>(out);
  CHECK(out.size() == 0);
  CHECK(moved.size() == 3 * 4096);
  moved.resize(5);
  moved.resize(7);
  CHECK(moved.view() == "abcab");
}

TEST_CASE("text_writer takes events one by one", "[write]") {
  std::string text;
  json::text_writer<std::string> writer(text);
  CHECK((writer.StartArray() && writer.RawNumber("1e5", 3, true) && writer.Uint64(7) &&
         writer.EndArray(2)));
  CHECK(text == "[1e5,7]");
  const auto refused = [](const char* number) {
    std::string out;
    json::text_writer<std::string> w(out);
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
  json::text_writer<std::string> w(large);
  CHECK((w.RawNumber("1e400", 5, true) && large == "1e400"));
}

TEST_CASE("callers' repeated names: the first counts, everywhere", "[write][equal][merge]") {
  rapidjson::Document d;
  d.SetObject();
  const auto add = [&](rapidjson::Value& object, int number) {
    object.AddMember("a", number, d.GetAllocator());
  };
  add(d, 1);
  add(d, 2);
  d.AddMember("b", 3, d.GetAllocator());
  CHECK(written(d) == R"({"a":1,"b":3})");
  CHECK(are_equal(d, parsed(R"({"b":3,"a":1})")));
  CHECK(are_equal(parsed(R"({"b":3,"a":1})"), d));
  CHECK(!are_equal(d, parsed(R"({"b":3,"a":2})")));
  CHECK(are_equal(d, d));
  rapidjson::Document patch;
  REQUIRE(!merge::diff(d, parsed(R"({"a":1,"b":4})"), patch));
  CHECK(written(patch) == R"({"b":4})");
  REQUIRE(!merge::diff(parsed(R"({"a":1,"b":4})"), d, patch));
  CHECK(written(patch) == R"({"b":3})");
  REQUIRE(!merge::diff(d, parsed("{}"), patch));
  CHECK(written(patch) == R"({"a":null,"b":null})");
  rapidjson::Document target = parsed("{}");
  REQUIRE(!merge::apply_merge_patch(target, d, target.GetAllocator()));
  CHECK(written(target) == R"({"a":1,"b":3})");
  REQUIRE(!merge::apply_merge_patch(d, parsed(R"({"a":null})"), d.GetAllocator()));
  CHECK(d.MemberCount() == 1);
}

TEST_CASE("equal compares as JSON", "[equal]") {
  const auto same = [](const char* a, const char* b) { return are_equal(parsed(a), parsed(b)); };
  CHECK(same(R"({"a":1,"b":[1,{"c":null,"d":2}]})", R"({"b":[1.0,{"d":2,"c":null}],"a":1})"));
  CHECK(!same("[1,2]", "[2,1]"));
  CHECK(!same("[1]", "[1,1]"));
  CHECK(!same("{}", "[]"));
  CHECK(!same("true", "false"));
  CHECK(!same("null", "false"));
  CHECK(!same("\"1\"", "1"));
  CHECK(!same(R"({"a":1})", R"({"b":1})"));
  CHECK(!same(R"({"a":1})", R"({"a":1,"b":1})"));
  CHECK(!same("9007199254740993", "9007199254740992.0"));
  json::equal_options strict;
  strict.numbers = json::number_equality::by_value_and_type;
  CHECK(!are_equal(parsed("1"), parsed("1.0"), strict));
  CHECK(are_equal(parsed("1.5"), parsed("1.5"), strict));
}

TEST_CASE("equal says that NaN is different and that values are too deep", "[equal]") {
  rapidjson::Document d = parsed("[[1,0]]");
  d[0][1].SetDouble(std::numeric_limits<double>::quiet_NaN());
  CHECK(json::equal(d, d) == json::comparison::different);
  json::equal_options shallow;
  shallow.max_depth = 1;
  CHECK(json::equal(parsed("[[]]"), parsed("[[]]"), shallow) == json::comparison::too_deep);
}

TEST_CASE("equal finds a difference at every depth, in objects and arrays", "[equal]") {
  for (std::size_t depth = 1; depth != 60; ++depth) {
    std::string open, close;
    for (std::size_t i = 1; i != depth; ++i) {
      const bool object = i % 3 != 0;
      open += object ? R"({"first":true,"a":)" : "[7,";
      close.insert(0, object ? R"(,"last":{"b":0.5}})" : R"(,"more than thirteen characters"])");
    }
    const auto nested = [&](const char* innermost) { return parsed(open + innermost + close); };
    CHECK(are_equal(nested(R"({"b":1})"), nested(R"({"b":1})")));
    CHECK(are_equal(nested("[1,2]"), nested("[1,2.0]")));
    for (const char* other :
         {R"({"b":2})", R"({"c":1})", R"({"b":1,"c":1})", "{}", "[1]", "1", R"({"b":{}})"}) {
      INFO(other);
      CHECK(!are_equal(nested(R"({"b":1})"), nested(other)));
      CHECK(!are_equal(nested(other), nested(R"({"b":1})")));
    }
    json::equal_options limited;
    limited.max_depth = depth < 2 ? 1 : depth - 1;
    CHECK(json::equal(nested("[[]]"), nested("[[]]"), limited) == json::comparison::too_deep);
  }
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
