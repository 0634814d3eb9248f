// JSON as plain data, for tests of functions on texts: numbers are decimal values of any length,
// and RFC 7396 is written as its pseudocode stands. Nothing here uses the library.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "spelled_numbers.hpp"

namespace naive {

struct value {
  enum kind { null, boolean, number, string, array, object } what = null;
  std::string text;  ///< true or false; the decimal value; the string, unescaped
  std::vector<value> items;
  std::map<std::string, value> members;

  bool operator==(const value& other) const {
    return what == other.what && text == other.text && items == other.items &&
           members == other.members;
  }
};

/// Reads a text that is known to be JSON without repeated names. Nothing when an exponent has more
/// than nine digits, which spelled_numbers::decimal() does not take.
class reader {
 public:
  static std::optional<value> read(std::string_view text) {
    reader r(text);
    value v = r.any();
    if (!r.good_) return std::nullopt;
    return v;
  }

 private:
  explicit reader(std::string_view text) : rest_(text) {}
  char peek() {
    while (!rest_.empty() &&
           std::string_view(" \t\r\n").find(rest_.front()) != std::string_view::npos)
      rest_.remove_prefix(1);
    return rest_.empty() ? '\0' : rest_.front();
  }
  /// Passes this character over, and says whether it was there.
  bool take(char c) {
    if (peek() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  value any() {
    value v;
    switch (peek()) {
      case '{':
        v.what = value::object;
        take('{');
        while (good_ && !take('}') && !rest_.empty()) {
          std::string name = string();
          take(':');
          v.members[std::move(name)] = any();
          take(',');
        }
        break;
      case '[':
        v.what = value::array;
        take('[');
        while (good_ && !take(']') && !rest_.empty()) {
          v.items.push_back(any());
          take(',');
        }
        break;
      case '"':
        v.what = value::string;
        v.text = string();
        break;
      case 't':
      case 'f':
        v.what = value::boolean;
        v.text = rest_.front() == 't' ? "true" : "false";
        rest_.remove_prefix(v.text.size());
        break;
      case 'n':
        rest_.remove_prefix(4);
        break;
      default:
        v.what = value::number;
        v.text = number();
    }
    return v;
  }
  std::string number() {
    const std::size_t length = rest_.find_first_not_of("+-.0123456789eE");
    const std::string spelling(rest_.substr(0, length));
    rest_.remove_prefix(spelling.size());
    const std::size_t exponent = spelling.find_first_of("eE");
    if (spelling.empty() || (exponent != std::string::npos && spelling.size() - exponent > 10)) {
      good_ = false;
      rest_ = {};
      return {};
    }
    return spelled_numbers::decimal(spelling);
  }
  std::string string() {
    std::string out;
    take('"');
    while (!rest_.empty() && rest_.front() != '"') {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c != '\\') {
        out += c;
        continue;
      }
      const char escape = rest_.front();
      rest_.remove_prefix(1);
      const std::size_t plain = std::string_view("bfnrt").find(escape);
      if (escape == 'u')
        append_character(out);
      else
        out += plain == std::string_view::npos ? escape : "\b\f\n\r\t"[plain];
    }
    if (!rest_.empty()) rest_.remove_prefix(1);
    return out;
  }
  unsigned four_digits() {
    const unsigned n =
        static_cast<unsigned>(std::stoul(std::string(rest_.substr(0, 4)), nullptr, 16));
    rest_.remove_prefix(4);
    return n;
  }
  void append_character(std::string& out) {
    unsigned c = four_digits();
    if (c >= 0xD800 && c < 0xDC00) {
      rest_.remove_prefix(2);
      c = 0x10000 + ((c - 0xD800) << 10) + (four_digits() - 0xDC00);
    }
    const auto put = [&out](unsigned byte) { out += static_cast<char>(byte); };
    if (c < 0x80) {
      put(c);
    } else if (c < 0x800) {
      put(0xC0 | c >> 6);
      put(0x80 | (c & 63));
    } else if (c < 0x10000) {
      put(0xE0 | c >> 12);
      put(0x80 | (c >> 6 & 63));
      put(0x80 | (c & 63));
    } else {
      put(0xF0 | c >> 18);
      put(0x80 | (c >> 12 & 63));
      put(0x80 | (c >> 6 & 63));
      put(0x80 | (c & 63));
    }
  }

  std::string_view rest_;
  bool good_ = true;
};

/// RFC 7396, section 2: MergePatch(Target, Patch).
inline value merge_patch(value target, const value& patch) {
  if (patch.what != value::object) return patch;
  if (target.what != value::object) {
    target = value();
    target.what = value::object;
  }
  for (const auto& [name, v] : patch.members) {
    if (v.what == value::null) {
      target.members.erase(name);
    } else {
      target.members[name] = merge_patch(target.members[name], v);
    }
  }
  return target;
}

/// Whether a merge patch can turn `from` into `to`: not when a member of an object becomes null, or
/// is in something new.
inline bool can_diff(const value& from, const value& to) {
  if (to.what != value::object) return true;
  for (const auto& [name, v] : to.members) {
    const auto old = from.members.find(name);
    const bool known = from.what == value::object && old != from.members.end();
    if (known && old->second == v) continue;
    if (v.what == value::null || !can_diff(known ? old->second : value(), v)) return false;
  }
  return true;
}

/// Calls visit(pointer, value) for the value and all that it holds, at most `most` times.
template <class Visit>
void each_place(const value& v, const std::string& pointer, int& most, Visit&& visit) {
  if (most-- <= 0) return;
  visit(pointer, v);
  for (std::size_t i = 0; i < v.items.size(); ++i)
    each_place(v.items[i], pointer + "/" + std::to_string(i), most, visit);
  for (const auto& [name, member] : v.members) {
    std::string token;
    for (const char c : name) token += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    each_place(member, pointer + "/" + token, most, visit);
  }
}

}  // namespace naive
