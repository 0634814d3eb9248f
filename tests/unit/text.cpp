#include "../support/text.hpp"

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "../support/random_json.hpp"
#include "../support/respell.hpp"
#include "../support/rfc7396.hpp"
#include "../support/text_roads.hpp"

namespace {

merge::text_options trusted() {
  merge::text_options o;
  o.trust = merge::text_trust::trusted;
  return o;
}

std::string text_diff(std::string_view from, std::string_view to,
                      const merge::text_options& o = {}) {
  std::string out;
  const json::error e = merge::diff_text(from, to, out, o);
  CHECK((!e || out.empty()));
  return e ? e.message() : out;
}
std::string patched(std::string_view document, std::string_view patch,
                    const merge::text_options& o = {}) {
  std::string out;
  const json::error e = merge::apply_merge_patch_text(document, patch, out, o);
  CHECK((!e || out.empty()));
  return e ? e.message() : out;
}

}  // namespace

TEST_CASE("diff_text gives the merge patch between two texts", "[text]") {
  CHECK(text_diff(R"({"a":1,"b":{"c":2,"d":3}})", R"({"b":{"d":4,"c":2.0}})") ==
        R"({"b":{"d":4},"a":null})");
  CHECK(text_diff(R"({"a":1})", R"({"a":1})") == "{}");
  CHECK(text_diff(R"({"a":{"b":{"c":1}},"d":1})", R"({"a":{"b":{"c":2}},"d":2})") ==
        R"({"a":{"b":{"c":2}},"d":2})");
  CHECK(text_diff(R"({"a":[1,{"b":1,"c":2}]})", R"({"a":[1,{"b":1,"c":3}]})") ==
        R"({"a":[1,{"b":1,"c":3}]})");
  CHECK(text_diff(R"({"a":{}})", R"({"a":{"b":{}}})") == R"({"a":{"b":{}}})");
  CHECK(text_diff("{}", "{}") == "{}");
}

TEST_CASE("diff_text gives an array whole, however deep the difference is and the array",
          "[text]") {
  const char* const starts[] = {"", R"("x":1,)", R"("x":{"y":[{}]},)"};
  for (const std::string start : starts) {
    for (const auto& [open, close] :
         {std::pair("", ""), std::pair(R"("a":{)", "}"), std::pair(R"("a":{"b":{)", "}}"),
          std::pair(R"("a":{"z":[],"b":{"z":{},)", "}}")}) {
      for (const auto& [before, after] :
           {std::pair("[1,2]", "[1,3]"), std::pair(R"([{"c":1}])", R"([{"c":2}])"),
            std::pair(R"([0,{"c":{"d":[[],[1]]}}])", R"([0,{"c":{"d":[[],[2]]}}])"),
            std::pair("[[[]]]", "[[[1]]]"), std::pair(R"([{"c":1,"e":5},{}])", R"([{"c":1},{}])"),
            std::pair(R"([[1],{"c":"text"}])", R"([[1],{"c":"texts"}])")}) {
        const std::string from =
            "{" + start + open + R"("m":)" + before + R"(,"n":0)" + close + "}";
        const std::string to = "{" + start + open + R"("m":)" + after + R"(,"n":0)" + close + "}";
        std::string expected = "{" + std::string(open) + R"("m":)" + after + close + "}";
        for (const char* const unchanged : {R"("z":[],)", R"("z":{},)"}) {
          if (const std::size_t at = expected.find(unchanged); at != std::string::npos)
            expected.erase(at, std::strlen(unchanged));
        }
        CHECK(text_diff(from, to) == expected);
        CHECK(text_diff(from, to, trusted()) == expected);
      }
    }
  }
}

TEST_CASE("diff_text sees meaning, not spelling", "[text]") {
  CHECK(text_diff(R"({"a":"x","b":1})", "{ \"\\u0061\" : \"\\u0078\",\r\n\t\"b\" : 10e-1 }") ==
        "{}");
  CHECK(text_diff(R"({"a":[1,{"x":1,"y":[]}]})", R"({"a":[1.0, {"y":[ ],"x":1e0}]})") == "{}");
  CHECK(text_diff(R"({"a":9007199254740993})", R"({"a":9007199254740992.0})") ==
        R"({"a":9007199254740992.0})");
  CHECK(text_diff(R"({"a":9007199254740993})", R"({"a":9007199254740993})") == "{}");
  CHECK(text_diff(R"({"a":-0})", R"({"a":0})") == "{}");
  CHECK(text_diff(R"({"a":"\ud83d\ude00"})", "{\"a\":\"\xF0\x9F\x98\x80\"}") == "{}");
  CHECK(text_diff(R"({"a":"1"})", R"({"a":1})") == R"({"a":1})");
  merge::text_options o;
  o.numbers = json::number_equality::by_value_and_type;
  CHECK(text_diff(R"({"a":1,"b":2})", R"({"a":1.0,"b":2})", o) == R"({"a":1.0})");
}

TEST_CASE("diff_text tells numbers apart by their value, however they are spelled", "[text]") {
  const char* const numbers[] = {"0",
                                 "-0",
                                 "0.0",
                                 "-0.0",
                                 "0e5",
                                 "1",
                                 "1.0",
                                 "1.00",
                                 "10",
                                 "1e1",
                                 "10.0",
                                 "100e-1",
                                 "-1",
                                 "-1.0",
                                 "1.5",
                                 "1.50",
                                 "15e-1",
                                 "0.5",
                                 "0.50",
                                 "0.05",
                                 "1234567",
                                 "1234567.0",
                                 "12345678",
                                 "12345678.0",
                                 "1234567.1234567",
                                 "1234567.12345670",
                                 "12345678.5",
                                 "12345678.50",
                                 "0.1",
                                 "0.10000000000000001",
                                 "0.1000000000000001",
                                 "0.30000000000000004",
                                 "9007199254740992",
                                 "9007199254740993",
                                 "9007199254740992.0",
                                 "9007199254740993.0",
                                 "123456789012345.5",
                                 "123456789012345.50",
                                 "1234567890123456",
                                 "1234567890123456.0",
                                 "12345678901234567890",
                                 "12345678901234567891",
                                 "89490200001234567890",
                                 "89490200001234567891",
                                 "3.14159265358979323846",
                                 "3.141592653589793",
                                 "1e300",
                                 "1E+300",
                                 "1e400",
                                 "10e399",
                                 "1e-400",
                                 "true",
                                 "false",
                                 "null",
                                 "\"1\""};
  for (const char* const rest :
       {"}", ",\"more\":\"text than is looked at in one go\"}"}) {  // close to the end, and not
    for (const char* const a : numbers) {
      for (const char* const b : numbers) {
        const std::string from = std::string("{\"a\":") + a + rest,
                          to = std::string("{\"a\":") + b + rest;
        const auto is_number = [](const char* text) {
          return *text == '-' || (*text >= '0' && *text <= '9');
        };
        const bool same = is_number(a) && is_number(b)
                              ? spelled_numbers::decimal(a) == spelled_numbers::decimal(b)
                              : std::string_view(a) == b;
        const std::string expected = same ? "{}" : std::string("{\"a\":") + b + "}";
        INFO(from << " " << to);
        for (const merge::text_options& o : {merge::text_options{}, trusted()}) {
          std::string out;
          const json::error e = merge::diff_text(from, to, out, o);
          if (!same && std::string(b) == "null") {
            CHECK(e.code() == errc::null_member);
          } else {
            CHECK(!e);
            CHECK(out == expected);
          }
        }
      }
    }
  }
}

TEST_CASE("diff_text keeps the spelling of what it puts into the patch", "[text]") {
  CHECK(text_diff(R"({"a":1})", R"({"\u0061" : [ 1, 2 ] })") == R"({"\u0061":[ 1, 2 ]})");
  CHECK(text_diff(R"({"\u0061":1.50})", "{}") == R"({"\u0061":null})");
}

TEST_CASE("diff_text gives a root that is no object whole", "[text]") {
  CHECK(text_diff("1", " 2 ") == "2");
  CHECK(text_diff("[1]", "[1]") == "[1]");
  CHECK(text_diff(R"({"a":1})", "null") == "null");
  CHECK(text_diff("1", R"({"a":1})") == R"({"a":1})");
  CHECK(text_diff("1", R"({"a":{"b/c":null}})") ==
        "a merge patch cannot set a member to null; a JSON Patch can, at /a/b~1c");
}

TEST_CASE("diff_text says what a merge patch cannot", "[text]") {
  CHECK(text_diff(R"({"a":{"b":1}})", R"({"a":{"b":null}})") ==
        "a merge patch cannot set a member to null; a JSON Patch can, at /a/b");
  CHECK(text_diff(R"({"a":1})", R"({"a":{"b":{"\u0063":null}}})") ==
        "a merge patch cannot set a member to null; a JSON Patch can, at /a/b/c");
  CHECK(text_diff(R"({"a":null,"b":1})", R"({"a":null,"b":2})") == R"({"b":2})");
  CHECK(text_diff(R"({"b":1})", R"({"b":[{"a":null}]})") == R"({"b":[{"a":null}]})");
  merge::text_options o;
  o.nulls = merge::null_rule::keep;
  CHECK(text_diff(R"({"a":1,"b":1})", R"({"a":null,"b":1})", o) == R"({"a":null})");
  CHECK(text_diff(R"({"a":{"x":1,"y":2}})", R"({"a":{"y":2}})", o) ==
        "a merge patch cannot remove a member when null is kept as a value, at /a/x");
}

TEST_CASE("diff_text pairs members in any order", "[text]") {
  std::string from = "{", to = "{", shuffled = "{";
  for (int i = 0; i < 300; ++i) {
    const std::string name =
        "\"name" + std::string(1, static_cast<char>('A' + i % 26)) + std::to_string(i * 7919 % 300);
    const std::string value = "{\"v\":" + std::to_string(i) + ",\"w\":[" + std::to_string(i) + "]}";
    from += (i == 0 ? "" : ",") + name + "\":" + value;
    if (i % 10 != 3) to += (i == 0 ? "" : ",") + name + "\":" + value;
  }
  for (int k = 0; k < 300; ++k) {
    const int i = k * 7 % 300;
    const std::string name =
        "\"name" + std::string(1, static_cast<char>('A' + i % 26)) + std::to_string(i * 7919 % 300);
    const std::string number = std::to_string(i == 123 ? 1234 : i);
    shuffled +=
        (k == 0 ? "" : ",") + name + "\":{\"w\":[" + std::to_string(i) + "],\"v\":" + number + "}";
  }
  for (const merge::text_options& o : {merge::text_options{}, trusted()}) {
    const std::string removed = text_diff(from + "}", to + "}", o);
    CHECK(parsed(removed).MemberCount() == 30);
    CHECK(text_diff(from + "}", patched(from + "}", removed, o), o) == removed);
    const std::string one = text_diff(from + "}", shuffled + "}", o);
    CHECK(one.substr(one.find(':')) == R"(:{"v":1234}})");
    CHECK(text_diff(shuffled + "}", from + "}", o).substr(one.find(':')) == R"(:{"v":123}})");
  }
}

TEST_CASE("diff_text tells names with a NUL inside apart behind it", "[text]") {
  const std::string from = R"({"a\u0000b":1,"c":1,"d":1,"e":1,"f":1,"g":1})";
  CHECK(text_diff(from, R"({"g":1,"f":1,"e":1,"d":1,"c":1,"a\u0000c":1})") ==
        R"({"a\u0000b":null,"a\u0000c":1})");
  CHECK(text_diff(from, R"({"g":1,"f":1,"e":1,"d":1,"c":1,"a\u0000b":2})") == R"({"a\u0000b":2})");
  std::string out;
  const json::error e = merge::diff_text(from, R"({"a\u0000b":{"x\u0000y":null}})", out);
  CHECK(e.code() == errc::null_member);
  CHECK(e.pointer() == std::string_view("/a\0b/x\0y", 8));
}

TEST_CASE("several members that are new or gone do not put the rest out of order", "[text]") {
  std::string from = "{\"first\":1", to = "{";
  for (int i = 0; i < 6; ++i) to += "\"new" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  to += "\"first\":1";
  for (int i = 0; i < 100; ++i) {
    const std::string member = ",\"m" + std::to_string(i) + "\":" + std::to_string(i);
    from += member;
    if (i < 40 || i > 46) to += member;
  }
  CHECK(
      text_diff(from + "}", to + "}") ==
      R"({"m40":null,"m41":null,"m42":null,"m43":null,"m44":null,"m45":null,"m46":null,"new0":0,"new1":1,"new2":2,"new3":3,"new4":4,"new5":5})");
}

TEST_CASE("apply_merge_patch_text does RFC 7396, appendix A", "[text][conformance]") {
  for (const merge_example& c : rfc7396_appendix_a) {
    CHECK(patched(c.document, c.patch) == c.result);
    CHECK(patched(c.document, c.patch, trusted()) == c.result);
  }
}

TEST_CASE("apply_merge_patch_text leaves the bytes that it need not touch", "[text]") {
  const std::string pretty =
      "{\n  \"a\" : 1.50,\n  \"b\" : { \"c\" : [ 1 ] },\n  \"d\" : true\n}\n";
  CHECK(patched(pretty, "{}") == pretty);
  CHECK(patched(pretty, R"({"a":15e-1,"b":{"c":[1.0],"x":null},"zz":null})") == pretty);
  CHECK(patched(pretty, R"({"b":{"c":[2]}})") ==
        "{\n  \"a\" : 1.50,\n  \"b\" : { \"c\" : [2] },\n  \"d\" : true\n}\n");
  CHECK(patched(pretty, R"({"a":null})") == "{\n  \"b\" : { \"c\" : [ 1 ] },\n  \"d\" : true\n}\n");
  CHECK(patched(pretty, R"({"d":null})") == "{\n  \"a\" : 1.50,\n  \"b\" : { \"c\" : [ 1 ] }\n}\n");
  CHECK(patched(pretty, R"({"a":null,"b":null,"d":null})") == "{\n  \n}\n");
  CHECK(patched(pretty, R"({"a":null,"b":null,"d":null,"e":0})") == "{\n  \"e\":0\n}\n");
  CHECK(patched(pretty, R"({"b":{"n":7},"e":0})") ==
        "{\n  \"a\" : 1.50,\n  \"b\" : { \"c\" : [ 1 ],\"n\":7 },\n  \"d\" : true,\"e\":0\n}\n");
  CHECK(patched(" 1 ", "2") == " 2 ");
  CHECK(patched("{}", R"({"a":{"x":null,"y":{"z":null},"v":1,"w":null}})") ==
        R"({"a":{"y":{},"v":1}})");
  CHECK(patched("{}", R"({"a":{ "x" : null , "y" : null } })") == R"({"a":{  }})");
  CHECK(patched(R"({"a":1})", R"({"\u0061":2,"\u0062":[null]})") == R"({"a":2,"\u0062":[null]})");
}

TEST_CASE("apply_merge_patch_text finds names of any length", "[text]") {
  for (const char* name : {"", "a", "ab", "abc", "abcdefgh", "abcdefghijklmnop"}) {
    for (const char* colon : {":", " :", "\t: "}) {
      const std::string member = std::string("\"") + name + "\"" + colon;
      CHECK(patched("{\"x\":{\"y\":1}," + member + "1,\"z\":2}",
                    std::string("{\"") + name + "\":3}") ==
            "{\"x\":{\"y\":1}," + member + "3,\"z\":2}");
      CHECK(patched("{\"x\":1," + member + "1}", std::string("{\"") + name + "\":null}") ==
            "{\"x\":1}");
    }
  }
  // A name at the very end of a text that is cut off: nothing behind it is looked at.
  text_roads::check_all("{\"\"", "{\"\"", 0);
  text_roads::check_all("{\"a", "{\"", 0);
  text_roads::check_all("{\"a\"", "{\"a\":", 0);
}

TEST_CASE("apply_merge_patch_text tells a journal", "[text][journal]") {
  std::vector<std::string> told;
  const auto journal = [&](const json::location& where, const auto* before, const auto* after) {
    told.push_back(pointer_of(where) + ": " + std::string(before == nullptr ? "-" : *before) +
                   " -> " + std::string(after == nullptr ? "-" : *after));
  };
  std::string out;
  REQUIRE(!merge::apply_merge_patch_text(
      R"({"a":1,"b":{"c":2,"\u0064":{"e":3}},"f":[1],"g":"same","h":{"i":1}})",
      R"({"a":null,"b":{"c":2.0,"d":{"e":4},"n\/w":{"x":null,"y":1}},"f":[1,2],"g":"same","zz":null,"h":7})",
      out, {}, journal));
  CHECK(told == std::vector<std::string>{"/a: 1 -> -", "/b/d/e: 3 -> 4", "/b/n~1w: - -> {\"y\":1}",
                                         "/f: [1] -> [1,2]", "/h: {\"i\":1} -> 7"});
  told.clear();
  REQUIRE(!merge::apply_merge_patch_text("[1]", "[2]", out, {}, journal));
  CHECK(told == std::vector<std::string>{": [1] -> [2]"});
  struct refusing {
    bool reserve(std::size_t) { return false; }
    void operator()(const json::location&, const std::string_view*, const std::string_view*) {
      FAIL("told");
    }
  };
  out = "kept";
  CHECK(merge::apply_merge_patch_text("{}", R"({"a":1})", out, {}, refusing{}).code() ==
        errc::handler_stopped);
  CHECK(out == "kept");
  CHECK(!merge::apply_merge_patch_text("{}", "{}", out, {}, refusing{}));
}

TEST_CASE("texts that are not JSON are refused with their place", "[text]") {
  std::string out = "kept";
  json::error e = merge::diff_text("{\"a\":1}", "{\"a\":\n {\"b\":tru}}", out);
  CHECK(e.code() == errc::unexpected_character);
  CHECK(e.message() == "unexpected character '}', in the second text, at /a/b");
  CHECK(e.text() == 2);
  CHECK(e.line() == 2);
  CHECK(e.column() == 10);
  e = merge::diff_text("{\"a\":1,\"a\":1}", "{\"a\":1,\"a\":1}", out);
  CHECK(e.code() == errc::duplicate_name);
  CHECK(e.text() == 1);
  e = merge::apply_merge_patch_text("{}", "{\"a\":1,\"\\u0061\":1}", out);
  CHECK(e.code() == errc::duplicate_name);
  CHECK(e.text() == 2);
  CHECK(merge::diff_text("", "{}", out).code() == errc::empty_input);
  CHECK(merge::diff_text("{\"a\":1 \"b\":2}", "{\"a\":1 \"b\":3}", out, trusted()).code() ==
        errc::unexpected_character);
  CHECK(merge::apply_merge_patch_text("{\"a\":1]", "{\"b\":2}", out, trusted()).code() ==
        errc::unexpected_character);
  CHECK(out == "kept");
}

TEST_CASE("the text roads keep to the depth limit", "[text]") {
  std::string deep = "1", deeper;
  for (int i = 0; i < 64; ++i) deep = "{\"a\":" + deep + "}";
  deeper = "{\"a\":" + deep + "}";
  CHECK(text_diff(deep, deep) == "{}");
  CHECK(text_diff("{}", deep) == deep);
  CHECK(patched("{}", deep) == deep);
  CHECK(patched(deep, deep) == deep);
  std::string out;
  CHECK(merge::diff_text("{}", deeper, out).code() == errc::depth_exceeded);
  CHECK(merge::diff_text("{}", deeper, out, trusted()).code() == errc::depth_exceeded);
  std::string other = deeper;
  other[other.find('1')] = '2';
  CHECK(merge::diff_text(other, deeper, out, trusted()).code() == errc::depth_exceeded);
  CHECK(merge::apply_merge_patch_text(deeper, other, out, trusted()).code() ==
        errc::depth_exceeded);
  CHECK(merge::apply_merge_patch_text("1", deeper, out, trusted()).code() == errc::depth_exceeded);
  CHECK(out.empty());
}

TEST_CASE("names that are alike where the quick check looks are told apart", "[text]") {
  const std::size_t count = GENERATE(2u, 10u, 100u, 300u);
  const std::string alike(20, 'a'), end(40, 'z');
  std::string from = "{", to = "{", twice = "{";
  for (std::size_t i = 0; i < count; ++i) {
    const std::string comma = i == 0 ? "" : ",", number = std::to_string(1000 + i);
    from += comma + '"' + alike + number + end + "\":1";
    to += comma + '"' + alike + number + end + "\":" + (i == 1 ? "2" : "1");
    twice += comma + '"' + alike + (i + 1 == count ? "1000" : number) + end + "\":1";
  }
  CHECK(text_diff(from + "}", to + "}") == '{' + ('"' + alike + "1001" + end) + "\":2}");
  std::string out;
  CHECK(merge::diff_text(twice + "}", to + "}", out).code() == errc::duplicate_name);
  CHECK(merge::diff_text(from + "}", twice + "}", out).code() == errc::duplicate_name);
  CHECK(merge::apply_merge_patch_text(twice + "}", "{}", out).code() == errc::duplicate_name);
}

TEST_CASE("the text roads give up cleanly when memory runs out", "[text][memory]") {
  // Every allocation fails in turn.
  struct source {
    int left;
    static void* take(void* self, std::size_t bytes) {
      return static_cast<source*>(self)->left-- > 0 ? std::malloc(bytes) : nullptr;
    }
    static void give(void*, void* block) { std::free(block); }
  };
  std::string from = "{", to = "{";
  for (int i = 0; i < 60; ++i) {
    from += (i == 0 ? "" : ",") + ("\"\\u006eame" + std::to_string(i)) +
            "\":{\"x\":" + std::to_string(i) + "}";
    to += (i == 0 ? "" : ",") + ("\"na\\u006de" + std::to_string(i * 7 % 60)) +
          "\":{\"x\":" + std::to_string(i) + "}";
  }
  for (int i = 0; i < 40; ++i) {
    from += ",\"d\":{\"a\":1";
    to += ",\"d\":{\"a\":2";
  }
  from += std::string(40, '}') + "}";
  to += std::string(40, '}') + "}";
  const std::string expected_patch = text_diff(from, to), expected = patched(from, to);
  const auto journal = [](const json::location&, const auto*, const auto*) {};
  for (const merge::text_trust trust : {merge::text_trust::checked, merge::text_trust::trusted}) {
    int refusals = 0;
    for (int left = 0;; ++left) {
      source with{left};
      merge::text_options o;
      o.trust = trust;
      o.memory = {source::take, source::give, &with};
      std::string patch, text;
      const json::error d = merge::diff_text(from, to, patch, o);
      with.left = left;
      const json::error m = merge::apply_merge_patch_text(from, to, text, o, journal);
      CHECK((d ? d.code() == errc::out_of_memory && patch.empty() : patch == expected_patch));
      CHECK((m ? m.code() == errc::out_of_memory && text.empty() : text == expected));
      if (!d && !m) break;
      ++refusals;
    }
    CHECK(refusals > 3);
  }
}

TEST_CASE("objects in another order inside each other give up cleanly when memory runs out",
          "[text][memory]") {
  // So that it is the note about the innermost object which there is no memory for.
  for (int depth = 1; depth < 12; ++depth) {
    std::string from = "{\"y\":1}", to = "{\"y\":2}", expected = to;
    for (int i = 0; i < depth; ++i) {
      from = "{\"z\":" + from + ",\"x\":0}";
      to = "{\"x\":0,\"z\":" + to + "}";
      expected = "{\"z\":" + expected + "}";
    }
    struct source {
      int left;
      static void* take(void* self, std::size_t bytes) {
        return static_cast<source*>(self)->left-- > 0 ? std::malloc(bytes) : nullptr;
      }
      static void give(void*, void* block) { std::free(block); }
    };
    for (int left = 0;; ++left) {
      source with{left};
      merge::text_options o = trusted();
      o.memory = {source::take, source::give, &with};
      std::string patch;
      const json::error e = merge::diff_text(from, to, patch, o);
      CHECK((e ? e.code() == errc::out_of_memory && patch.empty() : patch == expected));
      CHECK((e || with.left >= 0));  // nothing that was refused is done without
      if (!e) break;
    }
  }
}

TEST_CASE("a patch without effect tells a journal nothing, however deep it reaches", "[text]") {
  std::string text = "1";
  for (int depth = 0; depth < 40; ++depth) {
    text = R"({"name":)" + text + "}";
    std::string out;
    int told = 0;
    CHECK(!merge::apply_merge_patch_text(
        text, text, out, {}, [&](const json::location&, const auto*, const auto*) { ++told; }));
    CHECK(told == 0);
    CHECK(out == text);
  }
}

TEST_CASE("the text roads agree with the tree roads on random documents", "[text][property]") {
  for (unsigned seed = 0; seed < 400; ++seed) {
    random_json random(seed);
    std::string a = random.below(3) != 0 ? random.object(0) : random.value();
    std::string b =
        random.below(4) == 0 ? random.value() : respelled(a, random, random.below(6) * 4);
    if (random.below(3) == 0) a = respelled(a, random, 0);
    text_roads::check_all(a, b, random.below(8) != 0 ? 0 : seed);
    if (b.empty()) continue;
    for (unsigned k = random.below(3) + 1; k != 0; --k) {
      b[random.below(static_cast<unsigned>(b.size()))] = "\"\\{}[],:n1 x\x80\t"[random.below(14)];
    }
    text_roads::check_all(a, b, 0);
    text_roads::check_all(b, a, 0);
  }
  SUCCEED("every property held");
}

TEST_CASE("the trusted door stays within its texts, whatever is in them", "[text][property]") {
  static guarded_memory memory_a, memory_b;
  // Only that it ends, and that nothing outside is read: each text touches memory that is not
  // there.
  const auto both_ways = [](std::string_view first, std::string_view second) {
    for (std::size_t i = 0; json::core::level_at(i) != nullptr; ++i) {
      json::core::force_level(json::core::level_at(i));
      for (const bool a_at_end : {false, true}) {
        for (const bool b_at_end : {false, true}) {
          const std::string_view a = memory_a.put(first, a_at_end),
                                 b = memory_b.put(second, b_at_end);
          for (const auto& [from, to] : {std::pair{a, b}, std::pair{b, a}}) {
            std::string out;
            static_cast<void>(merge::diff_text(from, to, out, trusted()));
            static_cast<void>(merge::apply_merge_patch_text(
                from, to, out, trusted(),
                [](const json::location& where, const auto* before, const auto* after) {
                  std::size_t length = (before == nullptr ? 0 : before->size()) +
                                       (after == nullptr ? 0 : after->size());
                  where.render([&](char) { ++length; });
                }));
          }
        }
      }
    }
    json::core::force_level(nullptr);
  };
  const std::string texts[] = {
      R"({"a":[1,-2.5e3,"x\u0041\\"],"bb":{"c":true,"dddddddddddd":null},"\u0065":"\"é","f":{}})",
      R"({"f":{"g":1},"a":[1,-2.5e3,"x\u0041\\\""],"bb":{"dddddddddddd":0,"c":true,"x":{"y":[{}]}}})",
      R"({ "a" : [ 1 , -2.5e3, "xA\\" ] , "bb" : { "c" : true } , "e" : "\"" , "long" : "0123456789012345678901234567890123456789" })",
      R"([{"a":1},[[]],"\\"])",
      R"({"first":"0123456789abcdef","second":["x",false],"third":"some text","fourth":12.5})"};
  // Cut off anywhere, at either end.
  for (const std::string& text : texts) {
    for (std::size_t length = 0; length <= text.size(); ++length) {
      both_ways(text, std::string_view(text).substr(0, length));
      both_ways(text, std::string_view(text).substr(text.size() - length));
      both_ways(std::string_view(texts[1]).substr(0, length),
                std::string_view(text).substr(0, length));
    }
  }
  // A difference shortly before the cut: in a name, a string, a number.
  for (const std::string& text : {texts[0], texts[2], texts[4]}) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      std::string other = text;
      other[at] = text[at] == '0' ? '1' : '0';
      for (std::size_t length = at + 1; length <= text.size() && length < at + 16; ++length) {
        both_ways(text, std::string_view(other).substr(0, length));
      }
    }
  }
  // A few bytes changed on both sides; and nothing but brackets, quotes and backslashes.
  const char odd[] = "\"\\{}[],:n1 x\x80\t\0-.e";
  for (unsigned seed = 0; seed < 1500; ++seed) {
    random_json random(seed);
    std::string a, b;
    if (seed % 3 != 0) {
      a = seed % 2 == 0 ? texts[random.below(5)] : random.object(0);
      b = respelled(a, random, random.below(6) * 4);
      for (std::string* text : {&a, &b}) {
        for (unsigned k = random.below(4); k != 0 && !text->empty(); --k) {
          (*text)[random.below(static_cast<unsigned>(text->size()))] =
              odd[random.below(sizeof odd - 1)];
        }
      }
    } else {
      const unsigned kinds = random.below(2) != 0 ? 7 : sizeof odd - 1;
      for (unsigned k = random.below(300); k != 0; --k) a += odd[random.below(kinds)];
      b = a.substr(0, random.below(static_cast<unsigned>(a.size() + 1)));
      for (unsigned k = random.below(100); k != 0; --k) b += odd[random.below(kinds)];
    }
    both_ways(a, b);
  }
  SUCCEED("every call came back");
}

TEST_CASE("every byte in every place is refused or taken as the reader does", "[text][property]") {
  const std::string text = R"({"a":[1,-2.5e3,"x\u0041"],"b":{"c":true,"d":null} ,"e":"é"})";
  for (std::size_t i = 0; i <= text.size(); ++i) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = text;
      if (i == text.size()) {
        changed += static_cast<char>(byte);
      } else {
        changed[i] = static_cast<char>(byte);
      }
      rapidjson::Document d;
      const bool valid = !json::read(changed, d);
      for (std::size_t k = 0; json::core::level_at(k) != nullptr; ++k) {
        json::core::force_level(json::core::level_at(k));
        std::string out;
        const bool taken = !merge::diff_text(text, changed, out) ||
                           merge::diff_text(text, changed, out).code() == errc::null_member;
        out.clear();
        const bool taken_first = !merge::diff_text(changed, text, out) ||
                                 merge::diff_text(changed, text, out).code() == errc::null_member;
        if (taken != valid || taken_first != valid) {
          INFO(changed);
          CHECK(taken == valid);
          CHECK(taken_first == valid);
        }
      }
      json::core::force_level(nullptr);
    }
  }
  SUCCEED("all of them");
}

TEST_CASE("repeated names are found in objects of any size, new, changed or in another order",
          "[text]") {
  for (const int count : {2, 15, 16, 17, 40, 200, 1000}) {
    std::string from = "{\"o\":{", to = "{\"o\":{", backwards = "{\"o\":{";
    std::string elements = "[";
    for (int i = 0; i < count; ++i) {
      from += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":" + std::to_string(i);
      backwards += (i == 0 ? "\"k" : ",\"k") + std::to_string(count - i - 1) + "\":0";
      elements += (i == 0 ? "" : ",") + std::to_string(i);
    }
    from += "}}";
    std::string out;
    REQUIRE(!merge::diff_text(from, backwards + "}}", out));
    for (const int repeated : {0, count / 2, count - 1}) {
      const std::string again = ",\"k" + std::to_string(repeated) + "\":1}}";
      for (const std::string& bad : {from.substr(0, from.size() - 2) + again, backwards + again}) {
        json::error e = merge::diff_text(from, bad, out);
        CHECK(e.code() == errc::duplicate_name);
        CHECK(e.text() == 2);
        e = merge::diff_text(bad, from, out);
        CHECK(e.code() == errc::duplicate_name);
        CHECK(e.text() == 1);
        CHECK(merge::diff_text(from, bad.substr(0, bad.size() - 2) + ",\"new\":1}}", out).code() ==
              errc::duplicate_name);
      }
    }
    const std::string twice = from.substr(0, from.size() - 2) + ",\"new\":1,\"new\":2}}";
    CHECK(merge::diff_text(from, twice, out).code() == errc::duplicate_name);
    const std::string array = "{\"a\":" + elements + "],\"b\":" + elements + "]}";
    out.clear();
    CHECK(!merge::diff_text(from, array, out));
    out.clear();
    CHECK(!merge::diff_text(array, "{\"a\":" + elements + ",-1],\"b\":" + elements + "]}", out));
    CHECK(out == "{\"a\":" + elements + ",-1]}");
  }
}

TEST_CASE("among any number of new names a repeated one is found", "[text]") {
  for (const int count : {2, 3, 4, 5, 6, 20, 70, 300}) {
    // The members that both have stand in another order, first, last or between the new ones.
    for (const int kept : {0, count / 2, count}) {
      std::string names;
      const std::string spelled_again = "\"\\u006eew" + std::to_string(count / 2) + "\":0";
      for (int i = 0; i < count; ++i) {
        if (i == kept) names += "\"b\":2,\"a\":1,";
        names += "\"new" + std::to_string(i) + "\":" + std::to_string(i) + ",";
      }
      if (kept == count) names += "\"b\":2,\"a\":1,";
      const std::string from = R"({"o":{"a":1,"b":2}})";
      const std::string to = "{\"o\":{" + names + "\"last\":0}}";
      std::string out;
      REQUIRE(!merge::diff_text(from, to, out));
      json::document patch;
      REQUIRE(!merge::diff(parsed(from), parsed(to), patch));
      CHECK(are_equal(parsed(out), patch));
      for (const std::string repeated : {"\"new0\":1", "\"new1\":1", "\"last\":1", "\"a\":1",
                                         "\"b\":3", spelled_again.c_str()}) {
        for (const std::string& bad : {"{\"o\":{" + repeated + "," + names + "\"last\":0}}",
                                       "{\"o\":{" + names + "\"last\":0," + repeated + "}}"}) {
          INFO(bad);
          const json::error e = merge::diff_text(from, bad, out);
          CHECK(e.code() == errc::duplicate_name);
          CHECK(e.text() == 2);
        }
      }
    }
  }
}

TEST_CASE("one name that is far longer than the others is told apart from them", "[text]") {
  for (const std::size_t count : {3u, 8u, 9u, 100u}) {
    for (const std::string end : {"", "\\t", "\\u0000", "\\u00e9x"}) {
      const std::string long_name = std::string(10 * count, 'n') + end;
      const auto object = [&](std::size_t first, std::size_t step, const std::string& name,
                              const char* value) {
        std::string text = "{";
        for (std::size_t k = 0, i = first; k < count; ++k, i = (i + step) % count) {
          text += (k == 0 ? "\"" : ",\"") + (i == count / 2 ? name : std::string(i, 'n')) +
                  "\":" + value;
        }
        return text + "}";
      };
      const std::string from = object(0, 1, long_name, "1");
      for (const std::string& to : {object(count - 1, count - 1, long_name, "1"),
                                    object(count - 1, count - 1, long_name, "2"),
                                    object(count - 1, count - 1, long_name + "n", "1"),
                                    object(1, 1, "\\u006e" + long_name.substr(1), "1")}) {
        for (const merge::text_options& o : {merge::text_options{}, trusted()}) {
          json::document patch, result;
          REQUIRE(!merge::diff(parsed(from), parsed(to), patch));
          const std::string made = text_diff(from, to, o);
          CHECK(are_equal(parsed(made), patch));
          CHECK(are_equal(parsed(patched(from, made, o)), parsed(to)));
          CHECK(are_equal(parsed(patched(from, to, o)), parsed(patched(from, made, o))) ==
                (to.find(long_name + "n") == std::string::npos));
        }
      }
    }
  }
}

TEST_CASE("a text with pieces cut out or doubled is refused or taken as the reader does",
          "[text][property]") {
  const std::string text =
      R"({"a":[1,{"x":2,"y":[]}, "z"],"b":{"c":true,"d":null},"e":1.5 ,"f":{},"g":"\u0061"})";
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (std::size_t length = 1; i + length <= text.size() && length <= 24; ++length) {
      for (const bool doubled : {false, true}) {
        std::string changed = text;
        if (doubled) {
          changed.insert(i, text.substr(i, length));
        } else {
          changed.erase(i, length);
        }
        rapidjson::Document d;
        const bool valid = !json::read(changed, d);
        std::string out;
        const json::error second = merge::diff_text(text, changed, out);
        const json::error first = merge::diff_text(changed, text, out);
        INFO(changed);
        CHECK((!second || second.code() == errc::null_member) == valid);
        CHECK((!first || first.code() == errc::null_member) == valid);
      }
    }
  }
  std::string out;
  CHECK(merge::diff_text(R"({"a":1,"b":2,"c":3})", R"({"a":1,"b":2,})", out).code() ==
        errc::unexpected_character);
  CHECK(merge::diff_text(R"({"a":1,"b":2,"c":3})", "{\"a\":1,\"b\":2, }", out).code() ==
        errc::unexpected_character);
}

namespace {

/// The same text with other numbers: some of one value in many spellings, some close to it, some
/// far away.
std::string with_other_numbers(const std::string& text, spelled_numbers::random_spelling& random) {
  static const char* const pool[] = {"89490200001234567890",
                                     "89490200001234567891",
                                     "8949020000123456789e1",
                                     "3.14159265358979323846",
                                     "3.141592653589793238460",
                                     "3.141592653589793",
                                     "0.1",
                                     "0.10000000000000001",
                                     "1e-1",
                                     "-0",
                                     "0",
                                     "0e7",
                                     "1e400",
                                     "10e399",
                                     "1e-400",
                                     "18446744073709551616",
                                     "-9223372036854775809",
                                     "1e99999999999",
                                     "10e99999999998",
                                     "100",
                                     "1e2",
                                     "1.0E+2"};
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '"') {
      std::size_t end = i + 1;
      while (text[end] != '"') end += text[end] == '\\' ? 2u : 1u;
      out.append(text, i, end + 1 - i);
      i = end + 1;
    } else if (text[i] == '-' || (text[i] >= '0' && text[i] <= '9')) {
      const std::size_t end = text.find_first_not_of("0123456789+-.eE", i);
      const int choice = random.below(4);
      out += choice == 0 ? text.substr(i, end - i)
             : choice == 1
                 ? random.spelled(std::to_string(random.below(3)), random.below(3) - 1,
                                  random.below(4) == 0)
                 : std::string(pool[random.below(static_cast<int>(sizeof pool / sizeof *pool))]);
      i = end;
    } else {
      out += text[i++];
    }
  }
  return out;
}

}  // namespace

TEST_CASE("diff_text and apply_merge_patch_text hold numbers of any length exactly",
          "[text][property]") {
  random_json random(77);
  spelled_numbers::random_spelling numbers(78);
  for (unsigned i = 0; i < 1500; ++i) {
    const std::string object = random.object(0);
    const std::string first = with_other_numbers(object, numbers);
    const std::string second = with_other_numbers(i % 2 == 0 ? object : random.object(0), numbers);
    text_roads::check_all(first, second, i);
  }
}

TEST_CASE("a text keeps every digit that a patch does not touch", "[text]") {
  const std::string document =
      R"({"id":89490200001234567890,"pi":3.14159265358979323846,"big":1e400,"z":-0,"x":1E5,"one":1.0})";
  CHECK(patched(document, R"({"new":1})") ==
        document.substr(0, document.size() - 1) + R"(,"new":1})");
  CHECK(patched(document, R"({"one":1,"x":100000,"z":0,"id":8949020000123456789.0e1})") ==
        document);
  CHECK(
      patched(document, R"({"id":89490200001234567891})") ==
      R"({"id":89490200001234567891,"pi":3.14159265358979323846,"big":1e400,"z":-0,"x":1E5,"one":1.0})");
  CHECK(text_diff(R"({"id":89490200001234567890})", R"({"id":89490200001234567891})") ==
        R"({"id":89490200001234567891})");
  CHECK(text_diff(R"({"a":[89490200001234567890]})", R"({"a":[89490200001234567891]})") ==
        R"({"a":[89490200001234567891]})");
  CHECK(text_diff("89490200001234567890", "89490200001234567891") == "89490200001234567891");
}

TEST_CASE("as_stored leaves out of a diff what a double does not tell apart", "[text]") {
  merge::text_options o;
  o.number_texts = json::text_numbers::as_stored;
  const std::string said =
      R"({"a":0.10000000000000001,"b":[3.14159265358979323846,1],"c":9007199254740993})";
  const std::string stored = R"({"a":0.1,"b":[3.141592653589793,1],"c":9007199254740993})";
  CHECK(text_diff(stored, said, o) == "{}");
  CHECK(text_diff(stored, said) == R"({"a":0.10000000000000001,"b":[3.14159265358979323846,1]})");
  CHECK(patched(stored, said, o) == stored);
  CHECK(patched(stored, said) == said);
  CHECK(text_diff(stored, R"({"a":0.1,"b":[3.141592653589793,1],"c":9007199254740992})", o) ==
        R"({"c":9007199254740992})");
  CHECK(text_diff(R"({"c":9007199254740993.0})", R"({"c":9007199254740992})", o) == "{}");
  o.numbers = json::number_equality::by_value_and_type;
  CHECK(text_diff(R"({"c":9007199254740993.0})", R"({"c":9007199254740992})", o) ==
        R"({"c":9007199254740992})");
}
