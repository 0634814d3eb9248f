#include "human_diff.hpp"

#include <devicetwin/json/pointer.hpp>
#include <devicetwin/json/visible.hpp>
#include <devicetwin/merge/differences.hpp>

#include <algorithm>
#include <cstddef>
#include <string>

#include "text_items.hpp"

namespace json = devicetwin::json;
namespace merge = devicetwin::merge;

namespace tool {
namespace {

constexpr std::size_t longest_value = 100;  ///< characters shown
constexpr std::size_t shown_before = 24;    ///< bytes before the first difference of two strings
constexpr std::size_t longest_name = 60;    ///< bytes of a name in a path

bool is_container(value_text v) { return is_object(v) || is_array(v); }

void append_visible(std::string_view text, std::string& out) {
  json::put_visible(text, [&out](char c) { out += c; });
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// The longest start of a text that has at most `length` bytes and ends between two characters.
std::string_view start_of(std::string_view text, std::size_t length) {
  if (text.size() <= length) return text;
  while (length != 0 && is_continuation(text[length])) --length;
  return text.substr(0, length);
}

/// Takes the next character of a JSON string, escape sequence included, off its text.
std::string_view take_character(std::string_view& text) {
  std::size_t length = 1;
  if (text.front() == '\\') {
    const bool is_pair = text.size() > 3 && text[1] == 'u' && (text[2] | 0x20) == 'd' &&
                         std::string_view("89abAB").find(text[3]) != std::string_view::npos;
    length = text.size() < 2 || text[1] != 'u' ? 2 : is_pair ? 12 : 6;
  } else {
    while (length < text.size() && is_continuation(text[length])) ++length;
  }
  const std::string_view character = text.substr(0, length);
  text.remove_prefix(character.size());
  return character;
}

/// Appends a character of a string: as itself when it can be seen and may stand between quotes.
void append_character(std::string_view character, std::string& out) {
  if (character.size() < 2 || character.front() != '\\') return append_visible(character, out);
  const std::string plain = plain_string(character);
  const bool needs_escape = plain.size() == 1 && (plain[0] == '"' || plain[0] == '\\' ||
                                                  static_cast<unsigned char>(plain[0]) < 0x20);
  if (needs_escape) return append_visible(character, out);
  append_visible(plain, out);
}

/// Appends a value on one line, from an offset in its text on, and at most longest_value characters
/// of it.
void append_value(value_text value, std::size_t start, std::string& out) {
  std::string_view left = value.substr(start);
  bool in_string = start != 0;            // only scalars are shown from their middle on
  if (start != 0) out += "\xE2\x80\xA6";  // an ellipsis
  std::size_t shown = 0;
  for (; !left.empty() && shown != longest_value; ++shown) {
    if (left.front() == '"') in_string = !in_string;
    append_character(take_character(left), out);
    if (!in_string) left.remove_prefix(std::min(left.find_first_not_of(" \t\r\n"), left.size()));
  }
  if (!left.empty()) out += "\xE2\x80\xA6 (" + std::to_string(value.size()) + " bytes)";
}

/// Appends a place as jq spells it: .tags["a b"][3]
void append_path(const json::location& where, std::string& out) {
  const auto is_letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (where.depth() == 0) out += '.';
  for (std::size_t i = 0; i != where.depth(); ++i) {
    const json::step& s = where[i];
    const std::string_view name = s.text();
    const bool is_plain = !name.empty() && name.size() <= longest_name && !is_digit(name.front()) &&
                          std::all_of(name.begin(), name.end(), [&](char c) {
                            return c == '_' || is_letter(c) || is_digit(c);
                          });
    if (is_plain || i == 0) out += '.';
    if (s.name == nullptr) {
      out += '[' + std::to_string(s.index) + ']';
    } else if (is_plain) {
      out += name;
    } else {
      const std::string_view start = start_of(name, longest_name);
      out += "[\"";
      for (const char c : start) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
      }
      out += start.size() == name.size() ? "\"]" : "\xE2\x80\xA6\"]";
    }
  }
}

/// Where the text of one of two scalars is shown from, so that the first difference can be seen.
std::size_t shown_from(value_text a, value_text b) {
  if (is_container(a) || is_container(b)) return 0;
  const auto ends = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  const auto common = static_cast<std::size_t>(ends.first - a.begin());
  if (common <= longest_value / 2 + shown_before) return 0;
  std::size_t start = common - shown_before;
  while (is_continuation(a[start])) --start;
  return start;
}

/// Writes the lines.
class difference_writer {
 public:
  difference_writer(byte_stream& out, bool with_colours) : out_(out), with_colours_(with_colours) {}

  bool line(char sign, const json::location& where, value_text value, std::size_t start) {
    std::string place, content;
    append_path(where, place);
    append_value(value, start, content);
    line_.clear();
    if (with_colours_) line_ += sign == '-' ? "\033[31m" : "\033[32m";
    (line_ += sign) += ' ';
    append_visible(place, line_);
    line_ += ": ";
    line_ += content;
    if (with_colours_) line_ += "\033[0m";
    line_ += '\n';
    return out_.append(line_);
  }

 private:
  byte_stream& out_;
  bool with_colours_;
  std::string line_;
};

}  // namespace

json::error write_differences(std::string_view from, std::string_view to, bool with_colours,
                              byte_stream& out, bool& any) {
  difference_writer writer(out, with_colours);
  any = false;
  merge::text_options trusted;
  trusted.trust = merge::text_trust::trusted;
  const auto write = [&](const json::location& where, const value_text* old_value,
                         const value_text* new_value) {
    any = true;
    const std::size_t start =
        old_value != nullptr && new_value != nullptr ? shown_from(*old_value, *new_value) : 0;
    return (old_value == nullptr || writer.line('-', where, *old_value, start)) &&
           (new_value == nullptr || writer.line('+', where, *new_value, start));
  };
  return merge::for_each_difference_text(from, to, write, trusted);
}

}  // namespace tool
