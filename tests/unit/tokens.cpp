#include <devicetwin/json/text/tokens.hpp>

#include "../support/json.hpp"

#include <string>

#include "../support/guarded_memory.hpp"
#include "../support/random_json.hpp"

namespace core = json::core;

namespace {

/// Behind the string whose first quote is at `at`, byte by byte.
std::size_t string_end(const std::string& text, std::size_t at) {
  for (++at; text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return at + 1;
}
/// Behind the value at `at`, byte by byte.
std::size_t value_end(const std::string& text, std::size_t at) {
  if (text[at] == '"') return string_end(text, at);
  std::size_t depth = 0;
  do {
    const char c = text[at];
    if (c == '"') {
      at = string_end(text, at);
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    ++at;
  } while (at < text.size() &&
           (depth != 0 || std::string_view(",]} \n").find(text[at]) == std::string_view::npos) &&
           !(depth == 0 && (text[at - 1] == '}' || text[at - 1] == ']')));
  return at;
}

}  // namespace

TEST_CASE("white space is that of JSON and no other", "[tokens]") {
  int spaces = 0;
  for (int c = 0; c < 256; ++c) spaces += core::is_space(static_cast<char>(c)) ? 1 : 0;
  CHECK(spaces == 4);
  const std::string text = " \t\r\n\v ";
  const char* const end = text.data() + text.size();
  CHECK(core::skip_space(text.data(), end) == text.data() + 4);
  CHECK(core::skip_space(end, end) == end);
}

TEST_CASE("white space is passed over wherever it ends, and nothing is read behind the text",
          "[tokens]") {
  static guarded_memory memory;
  int wrong = 0;
  for (std::size_t count = 0; count < 40; ++count) {
    for (std::size_t line = 0; line <= count; ++line) {  // where a line breaks
      for (const char* const behind : {"", "x", "\"abcdefgh", "\v       ", "!!!!!!!!"}) {
        std::string text(count, ' ');
        if (line < count) text[line] = "\n\t\r"[line % 3];
        const std::string_view there = memory.put(text + behind, true);
        if (core::skip_space(there.data(), there.data() + there.size()) != there.data() + count)
          ++wrong;
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("the end of a string is found behind escapes, and nothing is read behind the text",
          "[tokens]") {
  guarded_memory memory;
  for (std::size_t length = 0; length < 40; ++length) {
    for (const char* const inside : {"", "\\\"", "\\\\", "\\\\\\\""}) {
      const std::string body = std::string(length, 'x') + inside + "y";
      const std::string_view whole = memory.put(body + "\"", true);
      CHECK(core::skip_string(whole.data(), whole.data() + whole.size()) ==
            whole.data() + whole.size());
      const std::string_view cut = memory.put(body, true);
      CHECK(core::skip_string(cut.data(), cut.data() + cut.size()) == nullptr);
      const std::size_t odd = body.find('\\');
      CHECK(core::find_quote(cut.data(), cut.data() + cut.size()) ==
            cut.data() + (odd == std::string::npos ? cut.size() : odd));
    }
    const std::string_view torn = memory.put(std::string(length, 'x') + "\\", true);
    CHECK(core::skip_string(torn.data(), torn.data() + torn.size()) == nullptr);
  }
}

TEST_CASE("short numbers are passed over, and others are left to somebody else", "[tokens]") {
  const auto skipped = [](const std::string& number) {
    const std::string text = number + ",                    ";
    const char* const end = core::skip_short_number(text.data(), text.data() + text.size());
    return end == nullptr ? -1 : static_cast<int>(end - text.data());
  };
  for (const char* const number : {"0", "7", "-1", "1234567", "0.5", "-12.25", "1.1234567"}) {
    INFO(number);
    CHECK(skipped(number) == static_cast<int>(std::string(number).size()));
  }
  for (const char* const other :
       {"01", "1e5", "1.5E2", "-", "x", "12345678", "1.12345678", "1.", ".5", ""}) {
    INFO(other);
    CHECK(skipped(other) == -1);
  }
  const std::string close = "1";
  CHECK(core::skip_short_number(close.data(), close.data() + 1) == nullptr);
}

TEST_CASE("values of any text are passed over as byte by byte, in any order",
          "[tokens][property]") {
  static guarded_memory memory;
  for (unsigned seed = 0; seed < 300; ++seed) {
    random_json random(seed);
    // Several blocks of 64 bytes.
    const std::string text = "[" + random.object() + ",\"" +
                             std::string(random.below(200), random.below(2) == 0 ? '[' : 'x') +
                             "\"," + random.object() + "]";
    const std::string_view edge = memory.put(text, true);
    core::text_structure structure;
    structure.reset(edge);
    int wrong = 0;
    std::size_t at = 1;
    for (int i = 0; i < 3; ++i) {
      const std::size_t end = value_end(text, at);
      if (structure.skip_value(edge.data() + at) != edge.data() + end) ++wrong;
      at = end + 1;
    }
    if (structure.skip_value(edge.data()) != edge.data() + text.size()) ++wrong;  // back again
    INFO(text);
    CHECK(wrong == 0);
  }
}

TEST_CASE("what does not end has no end", "[tokens]") {
  for (const std::string& text :
       {std::string("[1,[2]"), std::string("{\"a\":{}"), "\"" + std::string(300, 'x'),
        "[\"" + std::string(300, ']') + "\""}) {
    core::text_structure structure;
    structure.reset(text);
    INFO(text);
    CHECK(structure.skip_value(text.data()) == nullptr);
  }
  const std::string blank = "[1,   ]";
  core::text_structure structure;
  structure.reset(blank);
  CHECK(structure.skip_plain_scalar(blank.data() + 3) == nullptr);
  CHECK(structure.next_separator(blank.data() + 1) == blank.data() + 2);
  CHECK(structure.next_separator(blank.data() + 3) == blank.data() + 6);
}

TEST_CASE("strings are the same when they mean the same", "[tokens]") {
  CHECK(core::same_string("a", "a"));
  CHECK(core::same_string("a", R"(\u0061)"));
  CHECK(core::same_string(R"(\ud83d\ude00)", "\xF0\x9F\x98\x80"));
  CHECK(core::same_string(R"(\/)", "/"));
  CHECK_FALSE(core::same_string("a", "b"));
  CHECK_FALSE(core::same_string("a", R"(\u0062)"));
  CHECK_FALSE(core::same_string("a", "a\\u0061"));
  CHECK_FALSE(core::same_string("", "a"));
  CHECK_FALSE(core::same_string(R"(\n)", "n"));
}

TEST_CASE("scalars are the same by value, or by value and type", "[tokens]") {
  const auto same = [](std::string_view a, std::string_view b, json::number_equality rule) {
    const bool one = core::same_scalar_text(a, b, rule, json::text_numbers::exact);
    CHECK(core::same_scalar_text(b, a, rule, json::text_numbers::exact) == one);
    return one;
  };
  const auto by_value = json::number_equality::by_value;
  CHECK(same("1", "1.0", by_value));
  CHECK(same("1e1", "10", by_value));
  CHECK_FALSE(same("1", "1.0", json::number_equality::by_value_and_type));
  CHECK(same("\"a\"", "\"\\u0061\"", by_value));
  CHECK(same("true", "true", by_value));
  CHECK_FALSE(same("true", "false", by_value));
  CHECK_FALSE(same("null", "0", by_value));
  CHECK_FALSE(same("1", "\"1\"", by_value));
  CHECK_FALSE(same("", "1", by_value));
}
