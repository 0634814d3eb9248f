#include "../support/text.hpp"

#include <clocale>
#include <vector>

#include "../support/reference.hpp"

namespace {

json::error refused(std::string_view text, const json::read_options& options = {}) {
  rapidjson::Document d;
  d.SetInt(42);
  const json::error e = json::read(text, d, options);
  INFO(text.substr(0, 200));
  REQUIRE(e);
  CHECK((d.IsInt() && d.GetInt() == 42));
  CHECK(e.has_position());
  return e;
}

std::string object_of(std::size_t members, const std::string& extra = "") {
  std::string text = "{";
  for (std::size_t i = 0; i < members; ++i) text += "\"n" + std::to_string(i) + "\":1,";
  if (extra.empty()) text.pop_back();
  return text + extra + "}";
}

}  // namespace

TEST_CASE("read takes every kind of value", "[read]") {
  const auto d = parsed(
      R"( {"s":"x","i":-1,"u":18446744073709551615,"d":1.5,"t":true,"f":false,"n":null,"a":[[],{}]} )");
  CHECK(
      written(d) ==
      R"({"s":"x","i":-1,"u":18446744073709551615,"d":1.5,"t":true,"f":false,"n":null,"a":[[],{}]})");
  CHECK(written(parsed("0")) == "0");
  CHECK(written(parsed("\"\"")) == "\"\"");
  CHECK(written(parsed("{\"\":1}")) == "{\"\":1}");
}

TEST_CASE("read says what is too long, and the limit", "[read]") {
  if (sizeof(std::size_t) < 8) return;
  // Nothing of it is looked at.
  const std::string_view text("1", static_cast<std::size_t>(0xFFFFFFFFull));
  rapidjson::Document d;
  const json::error e = json::read(text, d);
  CHECK(e.code() == json::errc::too_large);
  CHECK(e.message() == "the text is too long (the limit is 4294967294, this is 4294967295)");
  std::string out;
  CHECK(merge::diff_text("{}", text, out).message() == e.message() + ", in the second text");
  CHECK(merge::diff_text(text, "{}", out).message() == e.message() + ", in the first text");
  CHECK(merge::apply_merge_patch_text("{}", text, out).message() ==
        e.message() + ", in the second text");
  CHECK(merge::apply_merge_patch_text(text, "{}", out).message() ==
        e.message() + ", in the first text");
  CHECK(out.empty());
}

TEST_CASE("read refuses a million brackets without recursion", "[read]") {
  const std::string deep(1000000, '[');
  const auto e = refused(deep);
  CHECK(e.code() == errc::depth_exceeded);
  CHECK(e.offset() == 64);
  CHECK(e.limit() == 64);
  json::read_options options;
  options.max_depth = 2000000;
  CHECK(refused(deep, options).code() == errc::unexpected_end);
}

TEST_CASE("read takes 64 levels and not 65", "[read]") {
  const std::string open(64, '['), close(64, ']');
  CHECK(written(parsed(open + close)) == open + close);
  CHECK(refused("[" + open + close + "]").code() == errc::depth_exceeded);
}

TEST_CASE("read wants the whole input to be one value", "[read]") {
  CHECK(refused(std::string_view("{}\0junk", 7)).code() == errc::trailing_characters);
  CHECK(refused(std::string_view("{}\0junk", 7)).offset() == 2);
  CHECK(refused("{} {}").code() == errc::trailing_characters);
  CHECK(refused("1 2").code() == errc::trailing_characters);
  CHECK(refused("").code() == errc::empty_input);
  CHECK(refused(" \n\t\r").code() == errc::empty_input);
  CHECK(refused(std::string_view("\0", 1)).code() == errc::unexpected_character);
  CHECK(refused("\xEF\xBB\xBF{}").code() == errc::byte_order_mark);
}

TEST_CASE("read refuses invalid UTF-8", "[read]") {
  for (const char* bytes :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF",
        "\xED\xA0\x80\xED\xB0\x80", "\xED\xB0\x80\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
        "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "\xC3", "\xE2\x82", "\xF0\x9F\x98"}) {
    const std::string text = "[\"ok\",\"" + std::string(bytes) + "\"]";
    const auto e = refused(text);
    CHECK(e.code() == errc::invalid_utf8);
    CHECK(e.offset() == 7);
    CHECK(e.pointer() == "/1");
  }
  CHECK(written(parsed("\"\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF\"")) ==
        "\"\xED\x9F\xBF\xEE\x80\x80\xF4\x8F\xBF\xBF\"");
}

TEST_CASE("read resolves escapes and refuses lone surrogates", "[read]") {
  CHECK(json::get<std::string_view>(parsed(R"("\"\\\/\b\f\n\r\t\u00e9\uD83D\uDe00\u0000")"))
            .value_or("") == std::string_view("\"\\/\b\f\n\r\t\xC3\xA9\xF0\x9F\x98\x80\0", 15));
  for (const char* text : {R"("\ud800")", R"("\udc00")", R"("\ud800x")", R"("\ud800\n")",
                           R"("\udc00\ud800")", R"("\ud800\ud800")", R"("\ud800\u0041")"}) {
    CHECK(refused(text).code() == errc::lone_surrogate);
  }
  for (const char* text : {R"("\x")", R"("\u12g4")", R"("\'")", R"("\U0041")"}) {
    CHECK(refused(text).code() == errc::invalid_escape);
  }
  for (const char* text : {"\"\\", "\"\\u", "\"\\u12", "\"\\ud83d\\u", "\"abc"}) {
    CHECK(refused(text).code() == errc::unexpected_end);
  }
}

TEST_CASE("read refuses control characters in strings, and comments, and trailing commas",
          "[read]") {
  CHECK(refused("\"a\nb\"").code() == errc::control_character);
  CHECK(refused(std::string_view("\"a\0b\"", 5)).code() == errc::control_character);
  CHECK(written(parsed("\"\x7F\"")) == "\"\x7F\"");
  for (const char* text : {"[1,]",      "{\"a\":1,}",
                           "[,1]",      "[1,,2]",
                           "{,}",       "// c\n1",
                           "/* c */1",  "[1 2]",
                           "{\"a\" 1}", "{a:1}",
                           "{'a':1}",   "nul",
                           "True",      "NaN",
                           "Infinity",  "-Infinity",
                           "}",         "]",
                           "[}",        "{]",
                           "\f1",       "{\"a\":1 \"b\":2}",
                           "{1:2}",     "[\"a\":1]",
                           "0x10",      ",",
                           ":"}) {
    CHECK(refused(text).failed());
  }
}

TEST_CASE("read refuses repeated names however they are spelled", "[read]") {
  const auto e = refused(R"({"a":1,"\u0061":2})");
  CHECK(e.code() == errc::duplicate_name);
  CHECK(e.pointer() == "/a");
  CHECK(e.offset() == 7);
  CHECK(refused(R"({"\u0024version":1,"$version":2})").code() == errc::duplicate_name);
  CHECK(refused(R"({"x":{"a":1,"b":2,"a":3}})").pointer() == "/x/a");
  CHECK(refused(R"({"":1,"":2})").code() == errc::duplicate_name);
  for (const std::size_t members : {2u, 15u, 16u, 17u, 20u, 100000u}) {
    CHECK(parsed(object_of(members)).MemberCount() == members);
    const std::string text = object_of(members, "\"\\u006e1\":2");
    const auto repeated = refused(text);
    CHECK(repeated.code() == errc::duplicate_name);
    CHECK(repeated.pointer() == "/n1");
    CHECK(repeated.offset() == text.find("\"\\u006e1\""));
  }
  CHECK(parsed(R"({"a":{"a":{"a":1}},"b":{"a":2}})").MemberCount() == 2);
}

TEST_CASE("read is not slowed down by names that collide", "[read]") {
  // Names whose hash has the same low 12 bits, found by trying: enough to fill one slot's
  // neighbourhood. Those of the reader are remembered in 32 bits.
  const bool by_reader = GENERATE(true, false);
  const auto slot = [&](const std::string& name) {
    const std::uint64_t hash = json::core::hash_name(name);
    return (by_reader ? devicetwin::base::spread(static_cast<std::uint32_t>(hash)) : hash) & 0xFFF;
  };
  std::vector<std::string> colliding;
  for (unsigned i = 0; colliding.size() < 400; ++i) {
    std::string name = "k" + std::to_string(i);
    if (slot(name) == slot("seed")) colliding.push_back(name);
  }
  std::string text = "{";
  for (const auto& name : colliding) text += "\"" + name + "\":1,";
  text.back() = '}';
  CHECK(parsed(text).MemberCount() == colliding.size());
  text.back() = ',';
  const std::size_t second = text.size();
  text += "\"" + colliding[7] + "\":2}";
  const auto e = refused(text);
  CHECK(e.code() == errc::duplicate_name);
  CHECK(e.offset() == second);
  // And as a document: equal and diff look names up the same way.
  text.resize(second);
  text.back() = '}';
  std::string reversed = "{";
  for (std::size_t i = colliding.size(); i-- > 0;) reversed += "\"" + colliding[i] + "\":1,";
  reversed.back() = '}';
  CHECK(are_equal(parsed(text), parsed(reversed)));
  reversed.replace(reversed.find(":1"), 2, ":2");
  rapidjson::Document patch, patched = parsed(text);
  REQUIRE(!merge::diff(patched, parsed(reversed), patch));
  CHECK(written(patch) == "{\"" + colliding.back() + "\":2}");
  REQUIRE(!merge::apply_merge_patch(patched, parsed(reversed), patched.GetAllocator()));
  CHECK(are_equal(patched, parsed(reversed)));
}

TEST_CASE("read's numbers do not depend on the locale", "[read]") {
  const std::string before = std::setlocale(LC_NUMERIC, nullptr);
  for (const char* locale : {"de_DE.UTF-8", "fr_FR.UTF-8", "C"}) {
    if (std::setlocale(LC_NUMERIC, locale) == nullptr) continue;
    CHECK(written(parsed("[0.5,0.324315470366742364179071e-330]")) == "[0.5,0.0]");
  }
  std::setlocale(LC_NUMERIC, before.c_str());
  CHECK(refused("[1,5e400]").pointer() == "/1");
}

TEST_CASE("read refuses integers beyond 64 bits unless it is asked to round them", "[read]") {
  const std::string huge(400, '9');
  for (const std::string& text :
       {std::string("18446744073709551616"), std::string("-9223372036854775809"),
        std::string("894902000012345678901234"), huge, "-" + huge}) {
    const auto e = refused("{\n \"a\": [0, " + text + "]}");
    CHECK(e.code() == errc::integer_overflow);
    CHECK(e.line() == 2);
    CHECK(e.column() == 11);
    CHECK(e.pointer() == "/a/1");
  }
  CHECK(written(parsed(
            "[18446744073709551615,-9223372036854775808,1e30,1000000000000000000000.0,-0]")) ==
        "[18446744073709551615,-9223372036854775808,1e30,1e21,-0.0]");

  json::read_options options;
  options.big_integers = json::big_integer_rule::round;
  rapidjson::Document d;
  CHECK(!json::read("[18446744073709551616,-9223372036854775809]", d, options));
  CHECK(written(d) == "[18446744073709552000.0,-9223372036854776000.0]");
  CHECK(refused("[" + huge + "]", options).code() == errc::number_overflow);
}

TEST_CASE("read_events gives a handler that asks for it the spelling of each number", "[read]") {
  std::string out;
  json::text_writer writer(out);
  const std::string all =
      "[0,-0,1.0,1E5,1e-400,1e400,3.14159265358979323846,89490200001234567890,10e+2,-"
      "9223372036854775809]";
  CHECK(!json::read_events(all, writer));
  CHECK(out == all);
  for (const char* bad : {"[01]", "[1.]", "[-]", "[1e]", "[1e+]", "[.5]", "[--1]", "[1.5.5]"}) {
    std::string ignored;
    json::text_writer other(ignored);
    const json::error e = json::read_events(bad, other);
    const json::error expected = refused(bad);
    INFO(bad);
    CHECK(e.code() == expected.code());
    CHECK(e.offset() == expected.offset());
  }
}

TEST_CASE("read names line, column and pointer", "[read]") {
  const auto e = refused("{\n  \"a\": [\n    1,\n    \"\xC3\xA9\xC3\xA9\", x\n  ]\n}");
  CHECK(e.line() == 4);
  CHECK(e.column() == 11);
  CHECK(e.pointer() == "/a/2");
  CHECK(e.message() == "unexpected character 'x', at /a/2");
  CHECK(refused("[\x01]").message() == "unexpected character (byte 0x01), at /0");
  CHECK(refused("\xC3\xA9").message() == "unexpected character (byte 0xc3)");
  CHECK(json::error(errc::unexpected_character).message() == "unexpected character");
}

TEST_CASE("read_events stops when the handler does", "[read]") {
  struct stopper {
    int left = 3;
    bool next() { return --left != 0; }
    bool Null() { return next(); }
    bool Bool(bool) { return next(); }
    bool Int(int) { return next(); }
    bool Uint(unsigned) { return next(); }
    bool Int64(std::int64_t) { return next(); }
    bool Uint64(std::uint64_t) { return next(); }
    bool Double(double) { return next(); }
    bool String(const char*, json::size_type, bool) { return next(); }
    bool StartObject() { return next(); }
    bool Key(const char*, json::size_type, bool) { return next(); }
    bool EndObject(json::size_type) { return next(); }
    bool StartArray() { return next(); }
    bool EndArray(json::size_type) { return next(); }
  } handler;
  const auto e = json::read_events("[1,2,3]", handler);
  CHECK(e.offset() == 3);
  CHECK(e.code() == errc::handler_stopped);
  CHECK(e.pointer() == "/1");
}

TEST_CASE("read gives values as RapidJSON's own parser would type them", "[read]") {
  const auto d = parsed("[2147483647,2147483648,4294967295,4294967296,-2147483648,-2147483649]");
  CHECK((d[0].IsInt() && d[0].IsUint()));
  CHECK((!d[1].IsInt() && d[1].IsUint()));
  CHECK((d[2].IsUint() && d[2].IsInt64()));
  CHECK((!d[3].IsUint() && d[3].IsInt64() && d[3].IsUint64()));
  CHECK(d[4].IsInt());
  CHECK((!d[5].IsInt() && d[5].IsInt64()));
}
