// Checking against dialects.
#include "../support/twin.hpp"

#include <random>
#include <string>
#include <vector>

#include "../support/reference_twin.hpp"

using devicetwin::dialect;
using devicetwin::shape;
using devicetwin::validation;

namespace {

/// All violations, a line each.
std::string violations(const std::string& text, part where, shape form,
                       const dialect& rules = devicetwin::azure, std::int64_t* room = nullptr) {
  json::document d;
  json::read_options options;
  REQUIRE(!json::read(text, d, options));
  validation report;
  const json::error e = devicetwin::validate(d, where, form, rules, report);
  INFO(e.message());
  REQUIRE(!e);
  std::string lines;
  for (std::size_t i = 0; i < report.size(); ++i) {
    CHECK(report[i].where == where);
    const json::error& v = report[i].what;
    lines += std::string(v.pointer()) + " " + std::string(json::describe(v.code())) + " " +
             std::to_string(v.limit()) + " " + std::to_string(v.actual()) + "\n";
  }
  CHECK(report.empty() == lines.empty());
  if (room != nullptr) *room = report.head_room(where);
  return lines;
}
std::string in_patch(const std::string& text, const dialect& rules = devicetwin::azure) {
  return violations(text, part::reported, shape::patch, rules);
}

/// What a device's patch is refused for, with its figures, and that a report says the same; "" when
/// it is accepted.
std::string refused(const std::string& patch, const dialect& rules = devicetwin::azure) {
  devicetwin::twin t = fresh_twin(rules);
  devicetwin::outcome done;
  validation report;
  REQUIRE(!t.check_device_patch(patch, report));
  const json::error e = t.device_patch(patch, noon(), done);
  CHECK(report.empty() == !e);
  if (!e) return "";
  bool reported = false;
  for (std::size_t i = 0; i < report.size(); ++i) {
    const json::error& v = report[i].what;
    reported = reported || (v.code() == e.code() && v.pointer() == e.pointer() &&
                            v.limit() == e.limit() && v.actual() == e.actual());
  }
  CHECK(reported);
  CHECK(t.version() == 2);
  return std::string(e.pointer()) + " " + std::string(json::describe(e.code())) + " " +
         std::to_string(e.limit()) + " " + std::to_string(e.actual());
}

std::string nested(int objects, const std::string& inside) {
  std::string text;
  for (int i = 0; i < objects; ++i) text += "{\"a\":";
  return text + inside + std::string(static_cast<std::size_t>(objects), '}');
}
/// `count` members of `bytes` each, by the formula of contents: two for the name, the rest for the
/// value.
std::string filled(std::size_t bytes) {
  std::string text = "{";
  for (unsigned i = 0; bytes != 0; ++i) {
    const std::size_t some = bytes < 1000 ? bytes : bytes - 1000 < 4 ? 900 : 1000;
    bytes -= some;
    const std::string name = {static_cast<char>('a' + i / 26), static_cast<char>('a' + i % 26)};
    text +=
        (text.size() > 1 ? "," : "") + ("\"" + name + "\":\"" + std::string(some - 2, 'x') + "\"");
  }
  return text + "}";
}

}  // namespace

// --- names ---------------------------------------------------------------------------------------

TEST_CASE("names are case-sensitive UTF-8", "[validate][names]") {
  CHECK(refused(
            "{\"a\":1,\"A\":2,\"\xC3\xA9\":3,\"\xE6\x97\xA5\":4,\"\xF0\x9F\x98\x80\":5,\"\":6}") ==
        "");
}
TEST_CASE("names have at most 1024 bytes", "[validate][names]") {
  CHECK(refused("{\"" + std::string(1024, 'n') + "\":1}") == "");
  const std::string why = refused("{\"" + std::string(1025, 'n') + "\":1}");
  CHECK(why.substr(why.find(' ')) == " the name is too long 1024 1025");
  std::string wide;  // characters of two bytes count as two
  for (int i = 0; i < 512; ++i) wide += "\xC3\xA9";
  CHECK(refused("{\"" + wide + "\":1}") == "");
  CHECK(refused("{\"" + wide + "x\":1}") != "");
}
TEST_CASE("azure forbids dots, dollars, number signs, spaces and control characters in names",
          "[validate][names]") {
  const std::string forbidden = " the name has a character that is forbidden in names 0 0";
  for (const char c : std::string(".$# ")) {
    CHECK(refused("{\"x" + std::string(1, c) + "y\":1}") ==
          "/x" + std::string(1, c) + "y" + forbidden);
  }
  for (unsigned c = 0; c < 0xA0; ++c) {
    if (c >= 0x20 && c < 0x7F) continue;
    char escaped[16];
    std::snprintf(escaped, sizeof escaped, "\\u%04X", c);
    INFO(escaped);
    const std::string why = in_patch("{\"x" + std::string(escaped) + "y\":1}");
    CHECK(why.find(forbidden) != std::string::npos);
    CHECK(in_patch("{\"x" + std::string(escaped) + "y\":1}", devicetwin::rfc7396).empty());
  }
  for (const char* good :
       {"\\u00a0", "\\u2003", "!", "/", "~", "\\\"", "\\\\", "@", "{", "\\u00c2"}) {
    CHECK(refused("{\"x" + std::string(good) + "y\":1}") == "");
  }
}
TEST_CASE("edge_hub forbids all white space in names", "[validate][names]") {
  for (const char* white : {" ", "\\t", "\\u0085", "\\u00a0", "\\u1680", "\\u2000", "\\u2005",
                            "\\u200a", "\\u2028", "\\u2029", "\\u202f", "\\u205f", "\\u3000"}) {
    INFO(white);
    CHECK(refused("{\"x" + std::string(white) + "y\":1}", devicetwin::edge_hub) != "");
  }
  for (const char* other :
       {"\\u200b", "\\u180e", "\\u2010", "\\u3001", "\\u1681", "\\u2060", "\\u00a1", "\\u2027"}) {
    INFO(other);
    CHECK(refused("{\"x" + std::string(other) + "y\":1}", devicetwin::edge_hub) == "");
  }
}

// --- values --------------------------------------------------------------------------------------

TEST_CASE("values may be booleans, numbers, strings, objects and arrays", "[validate][values]") {
  CHECK(refused(R"({"a":true,"b":1,"c":1.5,"d":"","e":{},"f":[],"g":null})") == "");
}
TEST_CASE("integers are from -2^52 to 2^52-1", "[validate][values]") {
  CHECK(refused(R"({"a":4503599627370495,"b":-4503599627370496})") == "");
  CHECK(refused(R"({"a":4503599627370496})") ==
        "/a the integer is outside the range allowed 4503599627370495 4503599627370496");
  CHECK(refused(R"({"a":-4503599627370497})") ==
        "/a the integer is outside the range allowed 4503599627370496 4503599627370497");
  CHECK(refused(R"({"a":[1,{"b":9223372036854775808}]})") ==
        "/a/1/b the integer is outside the range allowed 4503599627370495 9223372036854775808");
  CHECK(refused(R"({"a":-9223372036854775808})") ==
        "/a the integer is outside the range allowed 4503599627370496 9223372036854775808");
  CHECK(refused(R"({"a":1e300,"b":4503599627370496.0})") == "");  // a double is no integer
  CHECK(refused(R"({"a":18446744073709551615})", devicetwin::rfc7396) == "");
}
TEST_CASE("strings have at most 4096 bytes", "[validate][values]") {
  CHECK(refused("{\"a\":\"" + std::string(4096, 's') + "\"}") == "");
  CHECK(refused("{\"a\":\"" + std::string(4097, 's') + "\"}") ==
        "/a the string is too long 4096 4097");
  CHECK(refused("{\"a\":[\"" + std::string(4097, 's') + "\"]}") ==
        "/a/0 the string is too long 4096 4097");
  CHECK(refused("{\"a\":\"" + std::string(4097, 's') + "\"}", devicetwin::ditto) == "");
}
TEST_CASE("a section has at most ten levels, arrays included", "[validate][depth]") {
  CHECK(refused(nested(11, "1")) == "");
  CHECK(refused(nested(10, "{}")) == "");
  CHECK(refused(nested(11, "{}")) == "/a/a/a/a/a/a/a/a/a/a/a nested too deeply 10 11");
  CHECK(refused(nested(10, "[1]")) == "");
  CHECK(refused(nested(11, "[]")) == "/a/a/a/a/a/a/a/a/a/a/a nested too deeply 10 11");
  CHECK(refused(nested(12, "1")) == "/a/a/a/a/a/a/a/a/a/a/a nested too deeply 10 11");
  CHECK(refused(nested(40, "1")) == "/a/a/a/a/a/a/a/a/a/a/a nested too deeply 10 11");
  dialect flat_arrays = devicetwin::azure;
  flat_arrays.arrays_are_levels = false;
  CHECK(refused(nested(11, "[[[[1]]]]"), flat_arrays) == "");
  CHECK(refused(nested(11, "[{}]"), flat_arrays) != "");
}
TEST_CASE("metadata counts for neither depth nor size", "[validate][depth]") {
  devicetwin::twin t = fresh_twin();
  devicetwin::outcome done;
  REQUIRE(!t.device_patch(nested(11, "1"), noon(), done));
  CHECK(t.size(part::reported) == 11 + 8);
  const std::string text = service_text(t);
  CHECK(service_text(loaded_twin(text)) == text);
}

// --- nulls and arrays ----------------------------------------------------------------------------

TEST_CASE("null as a member removes and is never stored", "[validate][nulls]") {
  devicetwin::twin t = twin_with("{}", R"({"a":1,"b":{"c":1}})");
  devicetwin::outcome done;
  REQUIRE(
      !t.device_patch(R"({"a":null,"b":{"c":null},"d":{"e":null,"f":{"g":null}}})", noon(), done));
  CHECK(written(t.reported()) == R"({"b":{},"d":{"f":{}}})");
}
TEST_CASE("null inside an array is refused", "[validate][nulls]") {
  const std::string why = " null is not allowed inside an array 0 0";
  CHECK(refused(R"({"a":[null]})") == "/a/0" + why);
  CHECK(refused(R"({"a":[1,[2,null]]})") == "/a/1/1" + why);
  CHECK(refused(R"({"a":[{"b":null}]})") == "/a/0/b" + why);
  CHECK(refused(R"({"a":[{"b":{"c":[{"d":null}]}}]})") == "/a/0/b/c/0/d" + why);
  CHECK(refused(R"({"a":[null]})", devicetwin::edge_hub) == "/a/0" + why);
  CHECK(refused(R"({"a":[null,{"b":null}]})", devicetwin::rfc7396) == "");
}
TEST_CASE("arrays may be forbidden, as they were once", "[validate][nulls]") {
  dialect old = devicetwin::azure;
  old.arrays = false;
  CHECK(refused(R"({"a":{"b":[1]}})", old) == "/a/b arrays are not allowed 0 0");
}
TEST_CASE("arrays are replaced as a whole and carry one stamp", "[validate][nulls]") {
  devicetwin::twin t = fresh_twin();
  devicetwin::outcome done;
  REQUIRE(!t.device_patch(R"({"a":[{"x":1},{"y":2}]})", noon(1), done));
  REQUIRE(!t.device_patch(R"({"a":[{"x":1}]})", noon(2), done));
  CHECK(done.size() == 1);
  CHECK(metadata_text(t, part::reported) ==
        R"({"$lastUpdated":"2026-01-31T12:00:02Z","a":{"$lastUpdated":"2026-01-31T12:00:02Z"}})");
  CHECK(*t.stamp_of(part::reported, "/a/0/x") == devicetwin::stamp{noon(2), 3});
  CHECK(t.stamp_of(part::reported, "/a/1").error().code() == errc::not_found);
}

// --- sizes ---------------------------------------------------------------------------------------

TEST_CASE("the size of contents is counted as Azure documents it", "[validate][size]") {
  const auto size = [](const std::string& section) {
    return loaded_twin("{\"tags\":" + section + "}").size(part::tags);
  };
  CHECK(size("{}") == 0);
  CHECK(size(R"({"abc":"defg"})") == 7);
  CHECK(size(R"({"a":1})") == 9);
  CHECK(size(R"({"a":1.5e300})") == 9);
  CHECK(size(R"({"a":true,"b":false})") == 10);
  CHECK(size(R"({"a":{"b":{"c":1}}})") == 11);
  CHECK(size(R"({"a":[1,"xy",true,[{"b":1}]]})") == 1 + 8 + 2 + 4 + 9);
  CHECK(size(R"({"a":null})") == 1);
  CHECK(size("{\"\xC3\xA9\":\"\xF0\x9F\x98\x80\"}") == 6);  // bytes of UTF-8
  CHECK(size(R"({"a":"\u0000\u001f\u007f\u0080\u009fx"})") ==
        2);  // control characters do not count
  CHECK(size(R"({"a":"\u00a0\u00c2"})") == 5);
  CHECK(
      loaded_twin(
          R"({"properties":{"desired":{"a":1,"$version":7,"$metadata":{"$lastUpdated":"2020-01-01T00:00:00Z"}}}})")
          .size(part::desired) == 9);
}
TEST_CASE("a section is taken up to its size, and not one byte more", "[validate][size]") {
  devicetwin::outcome done;
  const auto as_service = [&](const std::string& patch) {
    devicetwin::twin t = fresh_twin();
    const json::error e = t.service_patch(patch, noon(), done);
    return e ? std::string(e.pointer()) + " " + std::to_string(e.limit()) + " " +
                   std::to_string(e.actual())
             : "";
  };
  CHECK(as_service("{\"tags\":" + filled(8192) + "}") == "");
  CHECK(as_service("{\"tags\":" + filled(8193) + "}") == "/tags 8192 8193");
  CHECK(as_service(of_desired(filled(32768))) == "");
  CHECK(as_service(of_desired(filled(32769))) == "/properties/desired 32768 32769");
  CHECK(refused(filled(32768)) == "");
  CHECK(refused(filled(32769)) == " the section would be too large 32768 32769");
}
TEST_CASE("the size is that of the merged section, and only growth is refused",
          "[validate][size]") {
  const std::string large = filled(32000);
  devicetwin::twin t = loaded_twin(
      "{\"deviceId\":\"d\",\"properties\":{\"desired\":{},\"reported\":" + large + "}}");
  devicetwin::outcome done;
  validation report;
  REQUIRE(!t.check_device_patch(R"({"x":1})", report));
  CHECK(report.head_room(part::reported) == 32768 - 32009);
  CHECK(report.head_room(part::desired) == INT64_MAX);
  CHECK(t.device_patch("{\"xx\":\"" + std::string(767, 'x') + "\"}", noon(), done).code() ==
        errc::section_too_large);
  REQUIRE(!t.device_patch("{\"xx\":\"" + std::string(766, 'x') + "\"}", noon(), done));
  CHECK(t.size(part::reported) == 32768);
  // A section that is too large already may stay so, or shrink.
  t = loaded_twin(
      "{\"deviceId\":\"d\",\"properties\":{\"desired\":{},\"reported\":" + filled(40000) + "}}");
  CHECK(t.size(part::reported) == 40000);
  REQUIRE(!t.device_patch(R"({"aa":"y"})", noon(), done));
  CHECK(t.size(part::reported) == 40000 - 998 + 1);
  REQUIRE(!t.device_patch(R"({"aa":"z"})", noon(), done));
  CHECK(t.device_patch(R"({"aa":"zz"})", noon(), done).code() == errc::section_too_large);
  REQUIRE(!t.check_device_patch("{}", report));
  CHECK(report.empty());
  CHECK(report.head_room(part::reported) == 32768 - 39003);
}
TEST_CASE("the text of a section is counted as it is written", "[validate][size]") {
  for (
      const std::string section :
      {R"({})", R"({"a":[],"b":{},"c":null})", R"({"":"","\"":"\\\n\u0001\u007f\u0085"})", R"([])",
       R"({"a":{"b":[1,-25,-9,10,99,100,0,4503599627370495,-4503599627370496,true,false,[[],{"x":[{}]}]]}})"}) {
    INFO(section);
    devicetwin::twin t = loaded_twin("{\"deviceId\":\"d\",\"tags\":{\"v\":" + section + "}}");
    CHECK(t.text_size(part::tags) == written(t.tags()).size());
    // Patched to and fro the count stays right.
    devicetwin::outcome done;
    REQUIRE(!t.service_patch("{\"tags\":{\"w\":" + section + ",\"x\":{\"y\":7}}}", noon(), done));
    CHECK(t.text_size(part::tags) == written(t.tags()).size());
    REQUIRE(!t.service_patch(R"({"tags":{"v":null,"x":{"y":-1,"z":"é"}}})", noon(), done));
    CHECK(t.text_size(part::tags) == written(t.tags()).size());
    REQUIRE(!t.service_replace(R"({"tags":{}})", noon(), done));
    CHECK(t.text_size(part::tags) == 2);
  }
  // A double counts as the longest one.
  CHECK(loaded_twin(R"({"tags":{"a":0.5,"b":[-1.7976931348623157e308]}})").text_size(part::tags) ==
        5 + 24 + 6 + 24 + 2);
}
TEST_CASE("what the formula does not count is bounded by the length of the text",
          "[validate][size]") {
  const auto array_of = [](const std::string& element, std::size_t bytes) {
    std::string text = "{\"a\":[" + element;
    while (text.size() + element.size() + 3 <= bytes) text += "," + element;
    text += "]}";
    return text.substr(0, text.size() - 2) + "]}";
  };
  const std::string longest = array_of("[]", 256 * 1024);
  CHECK(refused(array_of("[]", 500000)) ==
        " the JSON text of the section would be too long 262144 499999");
  for (const char* element : {"[]", "{}", "\"\"", "{\"\":\"\"}", "\"\\u0001\\u0002\"", "[[[]]]"}) {
    INFO(element);
    CHECK(refused(array_of(element, 256 * 1024 - 2)) == "");
    const std::string refusal = refused(array_of(element, 262144 + 40));
    CHECK(refusal.find("the JSON text of the section would be too long 262144 ") !=
          std::string::npos);
  }

  // Bit by bit, through each door.
  dialect small = devicetwin::azure;
  small.max_text = 100;
  devicetwin::outcome done;
  devicetwin::twin t = fresh_twin(small);
  const std::string empties =
      R"({"e":[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]})";  // 97
  REQUIRE(!t.device_patch(empties, noon(), done));
  CHECK(t.text_size(part::reported) == 97);
  json::error e = t.device_patch(R"({"f":[]})", noon(), done);
  CHECK(e.code() == errc::section_text_too_long);
  CHECK(e.limit() == 100);
  CHECK(e.actual() == 104);
  CHECK(written(t.reported()) == empties);
  e = t.service_patch(of_desired(empties.substr(0, empties.size() - 1) + R"(,"f":[]})"), noon(),
                      done);
  CHECK(e.code() == errc::section_text_too_long);
  CHECK(e.pointer() == "/properties/desired");
  e = t.service_replace(of_desired(empties.substr(0, empties.size() - 1) + R"(,"f":[]})"), noon(),
                        done);
  CHECK(e.code() == errc::section_text_too_long);
  REQUIRE(!t.service_replace(of_desired(empties), noon(), done));
  e = t.service_patch("{\"tags\":" + empties.substr(0, empties.size() - 1) + R"(,"f":[]}})", noon(),
                      done);
  CHECK(e.code() == errc::section_text_too_long);
  CHECK(e.pointer() == "/tags");
  validation report;
  REQUIRE(!t.check_device_patch(R"({"f":[]})", report));
  REQUIRE(report.size() == 1);
  CHECK(report[0].what.code() == errc::section_text_too_long);
  // What is over the limit already may stay so, or shrink.
  t = devicetwin::twin(small);
  REQUIRE(!t.load("{\"deviceId\":\"d\",\"properties\":{\"desired\":{},\"reported\":" +
                  array_of("[]", 200) + "}}"));
  REQUIRE(!t.device_patch(R"({"b":0,"a":[1]})", noon(), done));
  t = devicetwin::twin(small);
  REQUIRE(!t.load("{\"deviceId\":\"d\",\"properties\":{\"desired\":{},\"reported\":" +
                  array_of("[]", 200) + "}}"));
  CHECK(t.device_patch(R"({"b":0})", noon(), done).code() == errc::section_text_too_long);
  // Edge Hub measures the patch by its formula; the section is bounded all the same.
  small = devicetwin::edge_hub;
  small.max_text = 100;
  t = fresh_twin(small);
  REQUIRE(!t.device_patch(R"({"a":"0123456789012345678901234567890123456789"})", noon(), done));
  CHECK(t.device_patch(R"({"b":"0123456789012345678901234567890123456789012345"})", noon(), done)
            .code() == errc::section_text_too_long);
}
TEST_CASE("edge_hub measures the text of the patch", "[validate][size]") {
  dialect small = devicetwin::edge_hub;
  small.max_reported = 20;
  CHECK(refused(R"({"a":"12345678901"})", small) == "");
  CHECK(refused(R"({"a":"1234567890123"})", small) == " the section would be too large 20 21");
  devicetwin::twin t = twin_with("{}", R"({"b":"a text that is much longer than that"})", small);
  devicetwin::outcome done;
  CHECK(!t.device_patch(R"({"a":1})", noon(), done));
}
TEST_CASE("aws and ditto measure all parts together", "[validate][size]") {
  dialect small = devicetwin::aws;
  small.max_total = 40;  // three times {} are six
  devicetwin::twin t = fresh_twin(small);
  devicetwin::outcome done;
  REQUIRE(!t.service_patch(R"({"tags":{"a":"123"},"properties":{"desired":{"b":"12345"}}})", noon(),
                           done));  // 11 + 13 + 2
  const json::error e = t.device_patch(R"({"c":"123456789"})", noon(), done);
  CHECK(e.code() == errc::section_too_large);
  CHECK(e.limit() == 40);
  CHECK(e.actual() == 41);
  REQUIRE(!t.device_patch(R"({"c":"12345678"})", noon(), done));
  REQUIRE(!t.service_patch(R"({"tags":{"a":null}})", noon(), done));
  CHECK(!t.device_patch(R"({"d":"1"})", noon(), done));
}

// --- all at once ---------------------------------------------------------------------------------

TEST_CASE("validate() reports every violation", "[validate]") {
  CHECK(violations(R"({"a.b":1,"$c":{"d e":[null,4503599627370496]},"f":null,"g":[{"$h":null}]})",
                   part::desired, shape::patch) ==
        "/a.b the name has a character that is forbidden in names 0 0\n"
        "/$c names that start with '$' are written by the service alone 0 0\n"
        "/$c/d e the name has a character that is forbidden in names 0 0\n"
        "/$c/d e/0 null is not allowed inside an array 0 0\n"
        "/$c/d e/1 the integer is outside the range allowed 4503599627370495 4503599627370496\n"
        "/g/0/$h names that start with '$' are written by the service alone 0 0\n"
        "/g/0/$h null is not allowed inside an array 0 0\n");
  CHECK(violations(R"({"f":null,"g":{"h":null}})", part::desired, shape::section) ==
        "/f null is not allowed in a replacement; leave the member out instead 0 0\n"
        "/g/h null is not allowed in a replacement; leave the member out instead 0 0\n");
  CHECK(violations(R"({"f":null})", part::desired, shape::section, devicetwin::aws).empty());
  CHECK(violations(R"({"$version":1,"$metadata":{}})", part::desired, shape::section) ==
        "/$version names that start with '$' are written by the service alone 0 0\n"
        "/$metadata names that start with '$' are written by the service alone 0 0\n");
  validation report;
  CHECK(devicetwin::validate(parsed("[]"), part::tags, shape::patch, devicetwin::azure, report)
            .code() == errc::not_a_twin);
  auto d = parsed(R"({"a":[1]})");
  d["a"][0].SetDouble(std::numeric_limits<double>::infinity());
  const json::error e =
      devicetwin::validate(d, part::tags, shape::patch, devicetwin::azure, report);
  CHECK(e.code() == errc::not_finite);
  CHECK(e.pointer() == "/a/0");
}
TEST_CASE("validate() tells the head room of a section", "[validate]") {
  std::int64_t room = 0;
  CHECK(violations(filled(8000), part::tags, shape::section, devicetwin::azure, &room).empty());
  CHECK(room == 192);
  CHECK(violations(filled(8200), part::tags, shape::section, devicetwin::azure, &room) ==
        " the section would be too large 8192 8200\n");
  CHECK(room == -8);
  CHECK(violations(filled(8200), part::tags, shape::patch, devicetwin::azure, &room).empty());
  CHECK(room == INT64_MAX);
  CHECK(violations(filled(8200), part::tags, shape::section, devicetwin::rfc7396, &room).empty());
  CHECK(room == INT64_MAX);
  CHECK(violations("{}", part::tags, shape::patch, devicetwin::edge_hub, &room).empty());
  CHECK(room == 8190);
}
TEST_CASE("asking a twin reports everything and changes nothing", "[validate]") {
  devicetwin::twin t = twin_with(R"({"a":1})");
  const std::string before = service_text(t);
  validation report;
  REQUIRE(!t.check_service_patch(
      "{\"tags\":{\"x y\":1},\"properties\":{\"desired\":{\"$b\":1,\"c\":\"" +
          std::string(4097, 'c') + "\"}}}",
      report));
  REQUIRE(report.size() == 3);
  CHECK(report[0].where == part::tags);
  CHECK(report[0].what.pointer() == "/x y");
  CHECK(report[1].where == part::desired);
  CHECK(report[1].what.pointer() == "/$b");
  CHECK(report[2].what.code() == errc::string_too_long);
  CHECK(report.head_room(part::tags) == 8192 - 11);
  CHECK(report.head_room(part::desired) == 32768 - 9 - 10 - 4098);
  REQUIRE(!t.check_service_replace(
      "{\"tags\":null,\"properties\":{\"desired\":" + filled(33000) + "}}", report));
  REQUIRE(report.size() == 2);
  CHECK(report[0].what.pointer().empty());
  CHECK(report[0].what.code() == errc::null_in_replacement);
  CHECK(report[1].what.pointer().empty());  // the place inside the part
  CHECK(report[1].what.code() == errc::section_too_large);
  CHECK(report.head_room(part::desired) == 32768 - 33000);
  CHECK(t.check_service_patch(R"({"other":1})", report).code() == errc::not_writable);
  CHECK(t.check_device_patch("[]", report).code() == errc::not_a_twin);
  CHECK(t.check_device_patch("{", report).has_position());
  CHECK(service_text(t) == before);
}

// --- Numbers that no tree can hold ------------------------------------------------------------

namespace {

std::string text_violations(std::string_view text, part where, shape form,
                            const dialect& rules = devicetwin::azure) {
  validation report;
  const json::error e = devicetwin::validate(text, where, form, rules, report);
  if (e) {
    CHECK(report.empty());
    return "error: " + e.message();
  }
  std::string lines;
  for (std::size_t i = 0; i < report.size(); ++i) {
    CHECK(report[i].where == where);
    lines += std::string(report[i].what.pointer()) + " " +
             std::string(json::describe(report[i].what.code())) + "\n";
  }
  return lines;
}

constexpr const dialect* dialects[] = {&devicetwin::azure, &devicetwin::edge_hub, &devicetwin::aws,
                                       &devicetwin::ditto, &devicetwin::rfc7396};

}  // namespace

TEST_CASE("validate on text finds what it finds on trees, and numbers that trees cannot hold",
          "[validate]") {
  for (const dialect* rules : dialects) {
    for (const char* const number :
         {"18446744073709551616", "-9223372036854775809", "894902000012345678901234"}) {
      const std::string text =
          R"({"a":[0,[)" + std::string(number) + R"(]],"\u0062~/":{"c":)" + number + "}}";
      CHECK(text_violations(text, part::desired, shape::patch, *rules) ==
            "/a/1/0 the integer does not fit in 64 bits\n/b~0~1/c the integer does not fit in 64 "
            "bits\n");
    }
    CHECK(text_violations(R"({"a":1e400,"b":-1e400})", part::reported, shape::patch, *rules) ==
          "/a the number is too large for a double\n/b the number is too large for a double\n");
    CHECK(text_violations(R"({"a":1e300,"b":0.10000000000000001,"c":1})", part::reported,
                          shape::section, *rules) == "");
  }
  CHECK(text_violations(R"({"a b":[null,1e400],"c":18446744073709551616,"$d":1})", part::reported,
                        shape::patch) ==
        "/a b/1 the number is too large for a double\n/c the integer does not fit in 64 bits\n"
        "/a b the name has a character that is forbidden in names\n/a b/0 null is not allowed "
        "inside an array\n"
        "/$d names that start with '$' are written by the service alone\n");
  dialect rounding = devicetwin::aws;
  rounding.big_integers = json::big_integer_rule::round;
  CHECK(text_violations(R"({"a":18446744073709551616,"b":1e400})", part::reported, shape::patch,
                        rounding) == "/b the number is too large for a double\n");
  CHECK(text_violations(R"([18446744073709551616])", part::reported, shape::patch).substr(0, 6) ==
        "error:");
  CHECK(text_violations(R"({"a":18446744073709551616,})", part::reported, shape::patch)
            .substr(0, 6) == "error:");
  CHECK(text_violations("1e400", part::reported, shape::patch).substr(0, 6) == "error:");
  CHECK(text_violations("{", part::reported, shape::patch).substr(0, 6) == "error:");
  validation report;  // the room that is left is that of the rest
  REQUIRE(!devicetwin::validate(R"({"a":1e400,"b":"xxx"})", part::tags, shape::section,
                                devicetwin::azure, report));
  CHECK(report.head_room(part::tags) == 8192 - 13);
}

TEST_CASE("all text doors of a twin refuse an integer beyond 64 bits, unless its dialect rounds",
          "[validate]") {
  const std::string big = "18446744073709551616";
  for (const dialect* rules : dialects) {
    devicetwin::twin t = fresh_twin(*rules);
    devicetwin::outcome done;
    const auto code = [](const json::error& e) { return e.code(); };
    CHECK(code(t.service_patch(R"({"tags":{"a":)" + big + "}}", noon(), done)) ==
          errc::integer_overflow);
    CHECK(code(t.service_replace(R"({"properties":{"desired":{"a":)" + big + "}}}", noon(),
                                 done)) == errc::integer_overflow);
    CHECK(code(t.device_patch("{\"a\":" + big + "}", noon(), done)) == errc::integer_overflow);
    CHECK(code(t.apply_notification("{\"a\":" + big + ",\"$version\":2}", noon(), done)) ==
          errc::integer_overflow);
    CHECK(code(t.apply_event(R"({"version":3,"tags":{"a":)" + big + "}}", done)) ==
          errc::integer_overflow);
    CHECK(t.version() == 2);
    devicetwin::twin other(*rules);
    const json::error e =
        other.load("{\"desired\":{\"$version\":1},\n\"reported\":{\"a\":" + big + "}}");
    CHECK(e.code() == errc::integer_overflow);
    CHECK(e.pointer() == "/reported/a");
    CHECK(e.line() == 2);
    CHECK(e.column() == 17);

    dialect rounding = *rules;
    rounding.big_integers = json::big_integer_rule::round;
    devicetwin::twin lenient = fresh_twin(rounding);
    REQUIRE(!lenient.device_patch("{\"a\":" + big + "}", noon(), done));
    CHECK(written(lenient.reported()) == "{\"a\":18446744073709552000.0}");
    CHECK(!other.load(R"({"desired":{},"reported":{"a":18446744073709551615}})"));
  }
}

TEST_CASE("asking first names the numbers that no tree can hold", "[validate]") {
  devicetwin::twin t = fresh_twin();
  validation report;
  const auto found = [&] {
    std::string lines;
    for (std::size_t i = 0; i < report.size(); ++i) {
      lines += std::string(name_of(report[i].where)) + std::string(report[i].what.pointer()) + " " +
               std::to_string(static_cast<int>(report[i].what.code())) + "\n";
    }
    return lines;
  };
  const std::string overflow =
      " " + std::to_string(static_cast<int>(errc::integer_overflow)) + "\n";
  const std::string forbidden = " " + std::to_string(static_cast<int>(errc::forbidden_name)) + "\n";
  REQUIRE(!t.check_device_patch(R"({"a":[1,18446744073709551616],"b c":1})", report));
  CHECK(found() == "reported/a/1" + overflow + "reported/b c" + forbidden);
  const char* const service =
      R"({"tags":{"a":18446744073709551616},"properties":{"desired":{"b c":[{"d":-9223372036854775809}]}}})";
  const std::string both =
      "tags/a" + overflow + "desired/b c/0/d" + overflow + "desired/b c" + forbidden;
  REQUIRE(!t.check_service_patch(service, report));
  CHECK(found() == both);
  REQUIRE(!t.check_service_replace(service, report));
  CHECK(found() == both);
  CHECK(t.check_service_patch(R"({"tagsx":18446744073709551616})", report).code() ==
        errc::integer_overflow);
  CHECK(t.check_service_patch(R"({"tags":{"a":18446744073709551616},})", report).has_position());
}

TEST_CASE("a section alone may be no larger than the whole twin", "[validate]") {
  for (const auto* rules : {&devicetwin::aws, &devicetwin::ditto}) {
    INFO(rules->name);
    for (const std::size_t more : {std::size_t{0}, std::size_t{1}}) {
      const std::string text = "{\"a\":\"" + std::string(rules->max_total - 8 + more, 'x') + "\"}";
      for (const part where : {part::tags, part::desired, part::reported}) {
        devicetwin::validation report;
        REQUIRE(
            !devicetwin::validate(parsed(text), where, devicetwin::shape::section, *rules, report));
        CHECK(report.size() == more);
        CHECK(report.head_room(where) == -static_cast<std::int64_t>(more));
        if (more == 0) continue;
        CHECK(report[0].what.code() == errc::section_too_large);
        CHECK(report[0].what.limit() == rules->max_total);
        CHECK(report[0].what.actual() == rules->max_total + 1);
      }
    }
  }
}
