#include "human_diff.hpp"

#include <devicetwin/json/visible.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "edit_script.hpp"

namespace json = devicetwin::json;

namespace tool {
namespace {

constexpr std::size_t longest_value = 100;  ///< characters shown
constexpr std::size_t shown_before = 24;    ///< bytes before the first difference of two strings
constexpr std::size_t longest_name = 60;    ///< bytes of a name in a path
constexpr std::size_t most_pairs = 64;      ///< elements compared with each other in one gap

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

/// How alike two elements of arrays are, 0 to 100.
int likeness(value_text a, value_text b) {
  if (is_array(a) && is_array(b)) return 1;
  if (!is_object(a) || !is_object(b)) return 0;
  int members = 0;
  for (text_items items(a); items.next();) ++members;
  int changed = 0;
  for (const member_pair& p : differing_members(a, b)) {
    const bool in_both = p.from.data() != nullptr && p.to.data() != nullptr;
    if (!in_both || !same_value(p.from, p.to)) ++changed;
    if (p.added) ++members;
  }
  return members == 0 ? 1 : 100 * (members - changed) / members;
}

/// Which of some removed and some added elements belong together, because they are alike.
index_pairs similar_elements(const std::vector<value_text>& a, const std::vector<value_text>& b) {
  index_pairs pairs;
  if (a.size() * b.size() > most_pairs) {  // by their places
    for (std::uint32_t i = 0; i != std::min(a.size(), b.size()); ++i) pairs.emplace_back(i, i);
    return pairs;
  }
  // best[i][j]: the most likeness that the elements from i and j on can have.
  std::vector<std::vector<int>> best(a.size() + 1, std::vector<int>(b.size() + 1, 0)), like = best;
  for (std::size_t i = a.size(); i-- != 0;) {
    for (std::size_t j = b.size(); j-- != 0;) {
      like[i][j] = likeness(a[i], b[j]);
      best[i][j] = std::max({best[i + 1][j + 1] + like[i][j], best[i + 1][j], best[i][j + 1]});
    }
  }
  for (std::size_t i = 0, j = 0; i != a.size() && j != b.size();) {
    if (like[i][j] != 0 && best[i][j] == best[i + 1][j + 1] + like[i][j]) {
      pairs.emplace_back(i++, j++);
    } else {
      ++(best[i][j] == best[i + 1][j] ? i : j);
    }
  }
  return pairs;
}

}  // namespace

bool human_diff::run(std::string_view from, std::string_view to) {
  any_ = false;
  return compare(whole_value(from), whole_value(to));
}

bool human_diff::compare(value_text from, value_text to) {
  if (from == to) return true;
  if (path_.size() > json::default_max_depth) return true;  // a text changed meanwhile
  if (is_object(from) && is_object(to)) return compare_members(from, to);
  if (is_array(from) && is_array(to)) return compare_elements(from, to);
  if (same_value(from, to)) return true;
  std::size_t start = 0;
  if (!is_container(from) && !is_container(to)) {
    const auto ends = std::mismatch(from.begin(), from.end(), to.begin(), to.end());
    const auto common = static_cast<std::size_t>(ends.first - from.begin());
    if (common > longest_value / 2 + shown_before) {
      start = common - shown_before;
      while (is_continuation(from[start])) --start;
    }
  }
  return line('-', from, start) && line('+', to, start);
}

bool human_diff::compare_members(value_text from, value_text to) {
  for (const member_pair& p : differing_members(from, to)) {
    path_.push_back({p.name});
    const bool going_on = p.from.data() == nullptr ? added(p.to)
                          : p.to.data() == nullptr ? removed(p.from)
                                                   : compare(p.from, p.to);
    path_.pop_back();
    if (!going_on) return false;
  }
  return true;
}

bool human_diff::compare_elements(value_text from, value_text to) {
  // What is the same at the start and at the end needs no search.
  std::vector<value_text> a, b;
  std::uint32_t first = 0;
  {
    text_items x(from), y(to);
    bool more_a = x.next(), more_b = y.next();
    for (; more_a && more_b && same_value(x.value(), y.value()); ++first) {
      more_a = x.next();
      more_b = y.next();
    }
    for (; more_a; more_a = x.next()) a.push_back(x.value());
    for (; more_b; more_b = y.next()) b.push_back(y.value());
  }
  while (!a.empty() && !b.empty() && same_value(a.back(), b.back())) {
    a.pop_back();
    b.pop_back();
  }
  std::vector<std::uint64_t> hashes_a, hashes_b;
  if (!a.empty() && !b.empty() && a.size() + b.size() > 2) {
    for (const value_text v : a) hashes_a.push_back(hash_of(v));
    for (const value_text v : b) hashes_b.push_back(hash_of(v));
  }
  index_pairs common = common_elements(hashes_a, hashes_b);
  common.emplace_back(a.size(), b.size());
  const auto offset = [](std::uint32_t i) { return static_cast<std::ptrdiff_t>(i); };
  std::uint32_t i = 0, j = 0;
  for (const auto& [next_i, next_j] : common) {
    const std::vector<value_text> gone(a.begin() + offset(i), a.begin() + offset(next_i));
    const std::vector<value_text> come(b.begin() + offset(j), b.begin() + offset(next_j));
    if (!compare_gap(gone, come, first + i, first + j)) return false;
    if (next_i != a.size()) {  // with equal hashes: almost always the same
      path_.push_back({{}, true, first + next_i, first + next_j});
      const bool going_on = compare(a[next_i], b[next_j]);
      path_.pop_back();
      if (!going_on) return false;
    }
    i = next_i + 1;
    j = next_j + 1;
  }
  return true;
}

/// Elements between two that both arrays have.
bool human_diff::compare_gap(const std::vector<value_text>& from, const std::vector<value_text>& to,
                             std::uint32_t first_from, std::uint32_t first_to) {
  index_pairs pairs = similar_elements(from, to);
  pairs.emplace_back(from.size(), to.size());
  std::uint32_t i = 0, j = 0;
  bool going_on = true;
  for (const auto& [next_i, next_j] : pairs) {
    // One by one, so that scalars that took the place of others stand next to each other.
    while (going_on && (i != next_i || j != next_j)) {
      path_.push_back({{}, true, first_from + i, first_to + j});
      if (i != next_i) going_on = removed(from[i++]);
      if (going_on && j != next_j) going_on = added(to[j++]);
      path_.pop_back();
    }
    if (!going_on || next_i == from.size()) return going_on;
    path_.push_back({{}, true, first_from + i, first_to + j});
    going_on = compare(from[i++], to[j++]);
    path_.pop_back();
  }
  return going_on;
}

/// A path as jq spells it: .tags["a b"][3]
void human_diff::append_path(char sign) {
  if (path_.empty() || path_.front().is_element) line_ += '.';
  for (const step& s : path_) {
    if (s.is_element) {
      line_ += '[' + std::to_string(sign == '-' ? s.from : s.to) + ']';
      continue;
    }
    const auto is_letter = [](char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; };
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const bool is_plain =
        !s.name.empty() && s.name.size() <= longest_name && !is_digit(s.name.front()) &&
        std::all_of(s.name.begin(), s.name.end(),
                    [&](char c) { return c == '_' || is_letter(c) || is_digit(c); });
    if (is_plain) {
      line_ += '.';
      line_ += s.name;
      continue;
    }
    line_ += &s == &path_.front() ? ".[\"" : "[\"";
    std::string_view left = start_of(s.name, longest_name);
    const bool is_whole = left.size() == s.name.size();
    while (!left.empty()) append_character(take_character(left), line_);
    line_ += is_whole ? "\"]" : "\xE2\x80\xA6\"]";
  }
}

bool human_diff::line(char sign, value_text value, std::size_t start) {
  any_ = true;
  line_.clear();
  if (with_colours_) line_ += sign == '-' ? "\033[31m" : "\033[32m";
  line_ += sign;
  line_ += ' ';
  append_path(sign);
  line_ += ": ";
  append_value(value, start, line_);
  if (with_colours_) line_ += "\033[0m";
  line_ += '\n';
  return out_.append(line_);
}

}  // namespace tool
