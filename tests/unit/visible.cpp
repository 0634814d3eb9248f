#include "../catch.hpp"

#include <devicetwin/json/error.hpp>
#include <devicetwin/json/pointer.hpp>
#include <devicetwin/json/visible.hpp>

#include <string>
#include <string_view>

namespace json = devicetwin::json;

namespace {

std::string visible(std::string_view text) {
  std::string result;
  json::put_visible(text, [&result](char c) { result += c; });
  return result;
}

std::string utf8(std::uint32_t c) {
  std::string text;
  const auto put = [&text](std::uint32_t byte) {
    text += static_cast<char>(static_cast<unsigned char>(byte));
  };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
  return text;
}

}  // namespace

TEST_CASE("visible text without control characters stays as it is") {
  for (const std::string_view text : {"", "plain ~ text", "\\u009b", "Grüße, 東京, שלום, Ωμέγα",
                                      "\xF0\x9F\x8C\xB1", "\xEF\xBF\xBD"}) {
    CHECK(visible(text) == text);
  }
}

TEST_CASE("what a terminal obeys or does not show is escaped as in JSON") {
  CHECK(visible("\x1b[2J") == "\\u001b[2J");
  CHECK(visible(std::string_view("a\0b", 3)) == "a\\u0000b");
  CHECK(visible("line\r\n") == "line\\u000d\\u000a");
  CHECK(visible("\x7f") == "\\u007f");
  CHECK(visible("\xC2\x9B"
                "2J") == "\\u009b2J");
  CHECK(visible("\xE2\x80\xAE"
                "fdp.exe") == "\\u202efdp.exe");
  CHECK(visible("\xEF\xBB\xBF") == "\\ufeff");
  CHECK(visible("\xF3\xA0\x81\x81") == "\\udb40\\udc41");
}

TEST_CASE("each byte that is not UTF-8 is escaped alone") {
  CHECK(visible("\x9B"
                "2J") == "\\x9b2J");
  CHECK(visible("\xC2") == "\\xc2");
  CHECK(visible("\xC2\x41") ==
        "\\xc2"
        "A");
  CHECK(visible("\xC0\x9B") == "\\xc0\\x9b");           // overlong
  CHECK(visible("\xE0\x82\x9B") == "\\xe0\\x82\\x9b");  // overlong U+009B
  CHECK(visible("\xF0\x80\x82\x9B") == "\\xf0\\x80\\x82\\x9b");
  CHECK(visible("\xED\xA0\x80") == "\\xed\\xa0\\x80");           // a surrogate
  CHECK(visible("\xF4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // beyond U+10FFFF
  CHECK(visible("\xF5\x80\x80\x80\xFF") == "\\xf5\\x80\\x80\\x80\\xff");
  CHECK(visible("\xE2\x80") == "\\xe2\\x80");
  CHECK(visible("\xE2\x80\xC2\x9B") == "\\xe2\\x80\\u009b");
}

TEST_CASE("of all characters, controls and formats alone are escaped") {
  std::size_t escaped = 0;
  for (std::uint32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    const std::string text = utf8(c), shown = visible(text);
    if (shown.size() > 6 * text.size()) FAIL("longer than six chars for a byte: " << shown);
    if (shown == text) continue;
    ++escaped;
    if (shown.substr(0, 2) != "\\u" || visible(shown) != shown) FAIL("not an escape: " << shown);
  }
  // C0, DEL and C1, and the format characters without a shape of their own.
  CHECK(escaped == 65 + 3 + 5 + 7 + 16 + 1 + 3 + 4 + 8 + 128);
}

TEST_CASE("names in an error's sentence are escaped") {
  const json::step steps[] = {
      json::step::member("a\xC2\x9B"
                         "2J\x1b\x7f\xE2\x80\xAE")};
  const json::error e = json::error(json::errc::null_member).at(json::location(steps, 1));
  CHECK(e.message() ==
        "a merge patch cannot set a member to null; a JSON Patch can, at "
        "/a\\u009b2J\\u001b\\u007f\\u202e");
  // The longest name and the longest escapes fit.
  std::string longest;
  for (int i = 0; i < 40; ++i) longest += "\x1b";
  const json::step deep[] = {json::step::member(longest), json::step::member(longest),
                             json::step::member(longest)};
  const std::string message =
      json::error(json::errc::null_member).at(json::location(deep, 3)).message();
  CHECK(message.find("...") != std::string::npos);
  CHECK(message.substr(message.size() - 6) == "\\u001b");
}
