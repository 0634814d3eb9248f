#include "../support/text.hpp"

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "../support/random_json.hpp"
#include "../support/respell.hpp"

namespace {

std::string found(std::string_view text, std::string_view pointer) {
  const auto value = json::find_text(text, pointer);
  return value ? std::string(*value)
               : std::string(json::describe(value.error().code())) + " at " +
                     std::string(value.error().pointer());
}

/// Every value of a tree is found in the text, and is the same.
void compare(const rapidjson::Value& v, std::string_view text, std::string pointer) {
  INFO(text);
  INFO(pointer);
  const auto value = json::find_text(text, pointer);
  REQUIRE(value);
  CHECK(written(parsed(*value)) == written(v));
  if (v.IsObject()) {
    const auto* member = json::core::members_begin(v);
    for (json::size_type i = 0; i < v.MemberCount(); ++i, ++member) {
      std::string step;
      json::core::render_step(
          json::step::member({member->name.GetString(), member->name.GetStringLength()}),
          [&](char c) { step += c; });
      compare(member->value, text, pointer + step);
    }
  } else if (v.IsArray()) {
    for (json::size_type i = 0; i < v.Size(); ++i)
      compare(v[i], text, pointer + "/" + std::to_string(i));
  }
}

/// The pointers of all values of a tree.
void collect(const rapidjson::Value& v, const std::string& pointer,
             std::vector<std::string>& pointers) {
  pointers.push_back(pointer);
  if (v.IsObject()) {
    const auto* member = json::core::members_begin(v);
    for (json::size_type i = 0; i < v.MemberCount(); ++i, ++member) {
      std::string step;
      json::core::render_step(
          json::step::member({member->name.GetString(), member->name.GetStringLength()}),
          [&](char c) { step += c; });
      collect(member->value, pointer + step, pointers);
    }
  } else if (v.IsArray()) {
    for (json::size_type i = 0; i < v.Size(); ++i)
      collect(v[i], pointer + "/" + std::to_string(i), pointers);
  }
}

/// Several pointers at once are what each of them is alone, in the same place of the same text.
/// Returns how many were not.
int wrong_together(std::string_view text, const std::vector<std::string>& pointers) {
  std::vector<std::string_view> wanted(pointers.begin(), pointers.end());
  std::vector<std::string_view> together(wanted.size(), "left over");
  if (json::find_texts(text, wanted.data(), wanted.size(), together.data())) return -1;
  int wrong = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto alone = json::find_text(text, wanted[i]);
    const std::string_view expected = alone ? *alone : std::string_view();
    if (together[i].size() != expected.size() ||
        (!expected.empty() && together[i].data() != expected.data()))
      ++wrong;
  }
  return wrong;
}

}  // namespace

TEST_CASE("values are found in text by pointer", "[find_text]") {
  const char* text =
      R"( { "a" : [ 1 , { "b~/c" : "x,]}\"" } , [ ] ] , "" : null , "\u0061b" : -1.5e3 , "n" : { } } )";
  CHECK(found(text, "/a/0") == "1");
  CHECK(found(text, "/a/1/b~0~1c") == R"("x,]}\"")");
  CHECK(found(text, "/a/2") == "[ ]");
  CHECK(found(text, "/") == "null");
  CHECK(found(text, "/ab") == "-1.5e3");
  CHECK(found(text, "/n") == "{ }");
  CHECK(found("  7 ", "") == "7");
  CHECK(found(text, "/a/3") == "there is no such value at /a/3");
  CHECK(found(text, "/a/-") == "there is no such value at /a/-");
  CHECK(found(text, "/a/00") == "there is no such value at /a/00");
  CHECK(found(text, "/a/1/x/y") == "there is no such value at /a/1/x");
  CHECK(found(text, "/n/x") == "there is no such value at /n/x");
  CHECK(found(text, "/ab/0") == "there is no such value at /ab/0");
  CHECK(json::find_text(text, "a").error().code() == errc::invalid_pointer);
  CHECK(json::find_text(text, "/~2").error().code() == errc::invalid_pointer);
  CHECK(json::find_text("", "").error().code() == errc::not_found);
}

TEST_CASE("what the tree has, the text has", "[find_text]") {
  for (unsigned seed = 0; seed < 200; ++seed) {
    random_json random(seed);
    const std::string text = random.object(0);
    const std::string other = respelled(text, random, 0);
    compare(parsed(other), other, "");
  }
}

TEST_CASE("a pointer leads as deep as the text, past values that look like its end",
          "[find_text]") {
  const std::string deep = [] {
    std::string text = "[7]";
    for (int i = 0; i < 200; ++i) {
      text = i % 3 == 0 ? "[{\"a\":[\"]}\"]}, " + text + " ,0]"
                        : "{\"x\":{\"a\":0},\"y\":\"\\\"}\",\"a\" : " + text + " , \"a\":1}";
    }
    return " " + text + " ";
  }();
  std::string pointer;
  for (int i = 199; i >= 0; --i) {
    pointer += i % 3 == 0 ? "/1" : "/a";
    const auto found = json::find_text(deep, pointer);
    REQUIRE(found);
    CHECK(found->back() == (i != 0 && (i - 1) % 3 != 0 ? '}' : ']'));
  }
  CHECK(*json::find_text(deep, pointer) == "[7]");
  CHECK(*json::get_text<int>(deep, pointer + "/0") == 7);
  CHECK(json::find_text(deep, pointer + "/1").error().code() == errc::not_found);
  const json::error e = json::find_text(R"({"a":[0,{"b":1}],"c":{"d":1}})", "/a/1/d/e").error();
  CHECK(e.code() == errc::not_found);
  CHECK(e.pointer() == "/a/1/d");
}

TEST_CASE(
    "of repeated names the first counts, even when the rest of the pointer leads nowhere there",
    "[find_text]") {
  const char* text = R"({"a":{"b":1},"a":{"c":2},"x":[{"y":1}],"\u0078":[0,3]})";
  CHECK(found(text, "/a/b") == "1");
  CHECK(found(text, "/a/c") == "there is no such value at /a/c");
  CHECK(found(text, "/x/1") == "there is no such value at /x/1");
  CHECK(wrong_together(text, {"/a/c", "/a/b", "/x/1", "/x/0/y", "/a", "/x"}) == 0);
}

TEST_CASE("several values are found in one pass", "[find_text]") {
  const std::string text =
      R"( {"desired":{"fan":[1,{"on":true} , 3] ,"$version":7},"reported" : {"$version": 9 } } )";
  const auto values = json::find_texts(text, {"/reported/$version", "/desired/fan/1/on", "/tags",
                                              "/desired/fan", "", "/desired/fan/1"});
  REQUIRE(values);
  const auto& [reported, on, tags, fan, all, one] = *values;
  CHECK(reported == "9");
  CHECK(on == "true");
  CHECK(tags.empty());
  CHECK(fan == R"([1,{"on":true} , 3])");
  CHECK(all == std::string_view(text).substr(1, text.size() - 2));
  CHECK(one == R"({"on":true})");
  CHECK(one.data() == text.data() + text.find("{\"on\""));
}

TEST_CASE("what several pointers find is what each of them finds alone", "[find_text][property]") {
  int wrong = 0, most = 0;
  for (unsigned seed = 0; seed < 400; ++seed) {
    random_json random(seed);
    const std::string text = respelled(random.object(0), random, 0);
    std::vector<std::string> all, some;
    collect(parsed(text), "", all);
    for (unsigned left = random.below(25); left != 0; --left) {
      std::string pointer = all[random.below(static_cast<unsigned>(all.size()))];
      switch (random.below(8)) {
        case 0:
          pointer += "/no";
          break;
        case 1:
          pointer += "/0";
          break;
        case 2:
          pointer += "/" + std::to_string(random.below(5));
          break;
        case 3:
          if (!pointer.empty()) pointer.pop_back();  // perhaps invalid
          if (!json::core::pointer_tokens::valid(pointer)) pointer = "";
          break;
        default:
          break;
      }
      some.push_back(pointer);
    }
    most = static_cast<int>(some.size()) > most ? static_cast<int>(some.size()) : most;
    wrong += wrong_together(text, some);
    wrong += wrong_together(text, all);
  }
  CHECK(wrong == 0);
  CHECK(most > 16);
}

TEST_CASE("an invalid or too deep pointer among several leaves nothing found", "[find_text]") {
  std::string_view found[3];
  const auto look = [&](std::string_view first, std::string_view second) {
    const std::string_view pointers[] = {first, second, "/a"};
    for (std::string_view& one : found) one = "left over";
    return json::find_texts(R"({"a":1})", pointers, 3, found);
  };
  json::error e = look("/a", "a");
  CHECK(e.code() == errc::invalid_pointer);
  CHECK(e.pointer() == "a");
  CHECK((found[0].empty() && found[1].empty() && found[2].empty()));
  CHECK(look("/~2", "/a").code() == errc::invalid_pointer);

  std::string deep, text = "1";
  for (int i = 0; i < 64; ++i) {
    deep += i % 2 == 0 ? "/0" : "/a";
    text = i % 2 != 0 ? "[" + text + ",0]" : "{\"a\":" + text + ",\"b\":0}";
  }
  CHECK(*json::find_text(text, deep) == "1");
  CHECK(wrong_together(text, {deep, "/0/a", deep.substr(0, 100), "/1", "", "/0/b"}) == 0);
  e = look("/a", deep + "/0");
  CHECK(e.code() == errc::depth_exceeded);
  CHECK(e.pointer().size() > 20);
  CHECK(found[0].empty());
  REQUIRE(!look("", "/b"));
  CHECK(found[0] == R"({"a":1})");
  CHECK(found[1].empty());
  CHECK(found[2] == "1");
  CHECK(!json::find_texts("{}", nullptr, 0, nullptr));
}

TEST_CASE("values are found by every level, wherever blocks end", "[find_text]") {
  for (std::size_t before = 0; before < 140; ++before) {
    const std::string space(before % 7, ' ');
    const std::string text = "{\"" + std::string(before, 'n') + "\":\"" +
                             std::string(before / 2 * 2, '\\') + "\"" + space +
                             ",\"b\":[[1,{\"c\":" + space + "\"]}\"}" + space + "],2" + space +
                             "]" + space + "}";
    INFO(text);
    for (std::size_t i = 0; json::core::level_at(i) != nullptr; ++i) {
      json::core::force_level(json::core::level_at(i));
      CHECK(found(text, "/b/0/1/c") == "\"]}\"");
      CHECK(found(text, "/b/1") == "2");
      CHECK(found(text, "/b/0/0") == "1");
      CHECK(wrong_together(text, {"/b/1", "/b/0/1/c", "/b/0", "/b/0/1", "/b", "/c"}) == 0);
    }
    json::core::force_level(nullptr);
  }
}

TEST_CASE("numbers are given when the type can hold them", "[find_text]") {
  CHECK(*json::get_text<int>("1.0") == 1);
  CHECK(*json::get_text<std::int64_t>("-9223372036854775808") == INT64_MIN);
  CHECK(*json::get_text<std::uint64_t>("18446744073709551615") == UINT64_MAX);
  CHECK(*json::get_text<std::int32_t>("2147483647") == INT32_MAX);
  CHECK(*json::get_text<double>("[1,2.5]", "/1") == 2.5);
  CHECK(*json::get_text<bool>(R"({"a":true})", "/a"));
  CHECK_FALSE(*json::get_text<bool>(R"({"a":false})", "/a"));
  CHECK(json::get_text<std::int32_t>("2147483648").error().code() == errc::number_out_of_range);
  CHECK(json::get_text<std::uint32_t>("4294967296").error().code() == errc::number_out_of_range);
  CHECK(json::get_text<std::uint32_t>("-1").error().code() == errc::number_out_of_range);
  CHECK(json::get_text<int>("1.5").error().code() == errc::number_out_of_range);
  CHECK(json::get_text<double>("9007199254740993").error().code() == errc::number_out_of_range);
  for (const char* text : {"true", "\"1\"", "null", "[1]", "{}"}) {
    CHECK(json::get_text<int>(text).error().code() == errc::wrong_type);
  }
  CHECK(json::get_text<bool>("1").error().code() == errc::wrong_type);
  CHECK(json::get_text<int>(R"({"a":"x"})", "/a").error().pointer() == "/a");
}

TEST_CASE("an integer is a double when no digit is lost, however many it has", "[find_text]") {
  const auto is = [](const std::string& text, double wanted) {
    return json::get_text<double>(text).value_or(-1.5) == wanted;
  };
  const auto is_refused = [](const std::string& text) {
    return json::get_text<double>(text).error().code() == errc::number_out_of_range;
  };
  CHECK(is("18446744073709551616", 18446744073709551616.0));
  CHECK(is("-18446744073709551616", -18446744073709551616.0));
  CHECK(is("-9223372036854775808", -9223372036854775808.0));
  CHECK(is("10000000000000000000000", 1e22));
  for (const char* text :
       {"18446744073709551615", "18446744073709551617", "-9223372036854775809",
        "89490200001234567890", "100000000000000000000000", "99999999999999999999999"}) {
    CAPTURE(text);
    CHECK(is_refused(text));
  }
  // The largest double, digit by digit, and its neighbours among the integers.
  const std::string largest =
      "17976931348623157081452742373170435679807056752584499659891747680315726078002853876058955863"
      "27668781715404589535143824642343"
      "21326889464182768467546703537516986049910576551282076245490090389328944075868508455133942304"
      "58323690322294816580855933212334"
      "8274797826204144723168738177180919299881250404026184124858368";
  CHECK(is(largest, 1.7976931348623157e308));
  CHECK(is_refused(largest.substr(0, 308) + "7"));
  CHECK(is_refused(largest.substr(0, 308) + "9"));
  CHECK(is_refused(largest + "0"));
  // With a point or an exponent a number is a decimal, and those are rounded: 0.1 is no double
  // either.
  CHECK(is("18446744073709551617.0", 18446744073709551616.0));
  CHECK(is("89490200001234567890e0", 89490200001234567890.0));
}

TEST_CASE("a string without escape sequences is a piece of the text", "[find_text]") {
  const std::string text = R"({"a":"plain \u00e9","b":["",  "x y"],"c":"\u00e9","d":1})";
  const auto a = json::get_text<std::string_view>(text, "/b/1");
  REQUIRE(a);
  CHECK(*a == "x y");
  CHECK(a->data() == text.data() + text.find("x y"));
  CHECK(json::get_text<std::string_view>(text, "/b/0")->empty());
  const auto escaped = json::get_text<std::string_view>(text, "/a");
  CHECK(escaped.error().code() == errc::escaped_string);
  CHECK(escaped.error().pointer() == "/a");
  CHECK(escaped.error().group() == json::error_group::state);
  CHECK(escaped.error().message() ==
        "the string has escape sequences; json::get_string() resolves them, at /a");
  std::string resolved;
  REQUIRE(!json::get_string(text, "/a", resolved));
  CHECK(resolved == "plain \xC3\xA9");
  CHECK(json::get_text<std::string_view>(text, "/c").error().code() == errc::escaped_string);
  for (const char* other : {"/d", "/b", ""})
    CHECK(json::get_text<std::string_view>(text, other).error().code() == errc::wrong_type);
  CHECK(json::get_text<std::string_view>(text, "/e").error().code() == errc::not_found);
  for (const char* broken : {"\"", "\"x", "x\""})  // no JSON: nothing outside of it is read
    static_cast<void>(json::get_text<std::string_view>(broken));
  CHECK(*json::get_text<std::string_view>("\"ab\"") == "ab");
}

TEST_CASE("strings come without their escapes", "[find_text]") {
  std::string out = "before ";
  REQUIRE(!json::get_string(R"({"a":"x\"\u00e9\n\ud83d\ude00\u0000y"})", "/a", out));
  CHECK(out == std::string("before x\"\xC3\xA9\n\xF0\x9F\x98\x80\0y", 18));
  CHECK(json::get_string(R"({"a":1})", "/a", out).code() == errc::wrong_type);
  CHECK(json::get_string(R"({"a":1})", "/b", out).code() == errc::not_found);
  for (std::size_t size = 0; size < 5; ++size) {
    char room[8];
    devicetwin::text_buffer fixed(room, size);
    const json::error e = json::get_string("\"a\\u00e9b\"", "", fixed);
    CHECK((size < 4 ? e.code() == errc::out_of_memory && fixed.size() == 0
                    : !e && fixed.view() == "a\xC3\xA9"
                                            "b"));
  }
}

TEST_CASE("what is found in text that is no JSON lies within it", "[find_text]") {
  const std::string whole = R"({"a":[1,{"b":"x\"y"},[[]]],"c\u0061":{"d":tru}})";
  int hits = 0, outside = 0;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    for (std::size_t changed = 0; changed <= size; ++changed) {
      // In memory of its own, so that a step behind it is seen.
      const std::unique_ptr<char[]> copy(new char[size]);
      whole.copy(copy.get(), size);
      if (changed < size) copy[changed] = "\"{}[]\\:,"[(size + changed) % 8];
      const std::string_view text(copy.get(), size);
      for (const char* pointer : {"", "/a", "/a/1/b", "/a/2/0", "/ca/d"}) {
        if (const auto found = json::find_text(text, pointer)) {
          ++hits;
          if (found->data() < text.data() || found->data() + found->size() > text.data() + size)
            ++outside;
        }
        const auto several = json::find_texts(text, {"/a/1/b", pointer, "/c", "/a", "/ca/d"});
        REQUIRE(several);
        for (const std::string_view one : *several) {
          if (!one.empty() &&
              (one.data() < text.data() || one.data() + one.size() > text.data() + size))
            ++outside;
        }
        static_cast<void>(json::get_text<double>(text, pointer));
        std::string out;
        static_cast<void>(json::get_string(text, pointer, out));
      }
    }
  }
  CHECK(hits > 100);
  CHECK(outside == 0);
}
