/// How large a section is: by a dialect's formula and as JSON text, and whether that passes a
/// limit.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t, std::uint64_t
#include <string_view>  // std::string_view

#include "../../base/text_buffer.hpp"
#include "../../json/error.hpp"
#include "../../json/text/utf8.hpp"
#include "../../json/tree/events.hpp"
#include "../../json/value.hpp"
#include "../../json/write.hpp"
#include "../dialect.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// Counts the bytes of a text without the control characters U+0000 to U+001F and U+007F to U+009F.
class visible_count {
 public:
  void add(unsigned char byte) noexcept {
    if (before_ == 0xC2 && byte >= 0x80 && byte < 0xA0) {
      --count_;  // U+0080 to U+009F, whose first byte was counted
    } else if (byte >= 0x20 && byte != 0x7F) {
      ++count_;
    }
    before_ = byte;
  }
  std::size_t count() const noexcept { return count_; }

 private:
  std::size_t count_ = 0;
  unsigned char before_ = 0;
};

/// The bytes of a text that visible_count counts.
inline std::size_t visible_size(std::string_view text) noexcept {
  if (json::core::all_between<0x20, 0x7E>(text.data(), text.size())) return text.size();
  visible_count visible;
  for (const char c : text) visible.add(static_cast<unsigned char>(c));
  return visible.count();
}

/// How large a section, or a piece of one, is: by the dialect's formula, and as compact JSON text
/// (dialect::max_text).
struct section_size {
  std::size_t by_formula = 0;
  std::size_t text = 0;

  section_size& operator+=(const section_size& more) noexcept {
    by_formula += more.by_formula;
    text += more.text;
    return *this;
  }
  section_size& operator-=(const section_size& less) noexcept {
    by_formula -= less.by_formula;
    text -= less.text;
    return *this;
  }
};

/// The bytes of a string as JSON text, with its quotes.
inline std::size_t quoted_size(std::string_view text) noexcept {
  const char* const end = text.data() + text.size();
  std::size_t size = text.size() + 2;
  for (const char* p = json::core::skip_plain(text.data(), end); p != end;
       p = json::core::skip_plain(p + 1, end)) {
    const auto c = static_cast<unsigned char>(*p);
    if (c == '"' || c == '\\' || (c >= 0x08 && c <= 0x0D && c != 0x0B)) {
      size += 1;
    } else if (c < 0x20) {
      size += 5;
    }
  }
  return size;
}

/// A handler of events that counts by the formula size_formula::contents and the bytes of the
/// compact text at once. Each double counts as the longest in the text: to write every one would
/// cost more than the rest.
class size_counter {
 public:
  static constexpr std::size_t longest_double = 24;  ///< -1.7976931348623157e+308

  section_size size() const noexcept { return size_; }

  bool Null() { return value(0, 4); }
  bool Bool(bool b) { return value(4, b ? 4 : 5); }
  bool Int(int i) { return Int64(i); }
  bool Uint(unsigned u) { return Uint64(u); }
  bool Int64(std::int64_t i) {
    const auto magnitude = static_cast<std::uint64_t>(i);
    return i < 0 ? value(8, 1 + digits(0 - magnitude)) : value(8, digits(magnitude));
  }
  bool Uint64(std::uint64_t u) { return value(8, digits(u)); }
  bool Double(double) { return value(8, longest_double); }
  bool String(const char* text, json::size_type length, bool) {
    name({text, length});
    return value(0, 0);
  }
  bool Key(const char* text, json::size_type length, bool) {
    name({text, length});
    ++size_.text;  // the colon
    return true;
  }
  bool StartObject() { return start(); }
  bool EndObject(json::size_type) { return end(); }
  bool StartArray() { return start(); }
  bool EndArray(json::size_type) { return end(); }

 private:
  void name(std::string_view text) noexcept {
    if (json::core::is_plain(text.data(), text.size())) {
      size_ += {text.size(), text.size() + 2};
    } else {
      size_ += {visible_size(text), quoted_size(text)};
    }
  }
  static std::size_t digits(std::uint64_t n) noexcept {
    std::size_t count = 1;
    for (; n >= 10; n /= 10) ++count;
    return count;
  }
  // A comma is counted behind each value inside, and taken back at the end of what it is in.
  bool value(std::size_t by_formula, std::size_t text) noexcept {
    size_ += {by_formula, text + (depth_ != 0 ? 1u : 0u)};
    empty_ = false;
    return true;
  }
  bool start() noexcept {
    ++depth_;
    empty_ = true;
    return true;
  }
  bool end() noexcept {
    --depth_;
    if (!empty_) --size_.text;
    return value(0, 2);
  }

  section_size size_;
  std::size_t depth_ = 0;
  bool empty_ = false;
};

/// The size of a value by a formula; nulls that a merge drops do not count.
template <class Value, class Names>
json::error measure(const Value& value, size_formula formula, json::core::nulls rule,
                    json::core::walk_memory<Value, Names>& memory, section_size& size) {
  constexpr std::size_t deepest = json::default_max_depth;
  if (formula == size_formula::contents) {
    size_counter counter;
    json::error e = json::core::emit(value, counter, rule, deepest, memory);
    size = counter.size();
    return e;
  }
  base::byte_counter text;
  json::text_writer writer(text);
  json::error e = json::core::emit(value, writer, rule, deepest, memory);
  size = {text.size(), text.size()};
  return e;
}

/// The size of a name with what a member adds around it; a comma is counted by whoever knows its
/// neighbours.
inline section_size name_size(std::string_view name, size_formula formula) {
  const std::size_t text = quoted_size(name) + 1;  // the colon
  return {formula == size_formula::contents ? visible_size(name) : text, text};
}
/// The commas of an object of so many members.
inline section_size commas(std::size_t members, size_formula formula) noexcept {
  const std::size_t count = members == 0 ? 0 : members - 1;
  return {formula == size_formula::contents ? 0 : count, count};
}

/// Which limits a section would pass that had `before` bytes and will have `after`; calls
/// `broken(error)` for each until that gives false. `held` is what the dialect holds against its
/// limit by the formula.
template <class Broken>
bool check_sizes(const dialect& rules, part where, std::size_t held, const section_size& before,
                 const section_size& after, Broken&& broken) {
  const std::size_t limit = rules.max_size(where);
  if (held > limit && (rules.basis == size_basis::patch || held > before.by_formula) &&
      !broken(json::error(json::errc::section_too_large).limited_to(limit, held))) {
    return false;
  }
  return after.text <= rules.max_text || after.text <= before.text ||
         broken(
             json::error(json::errc::section_text_too_long).limited_to(rules.max_text, after.text));
}

/// What is left of a limit, as head room is told.
inline std::int64_t room_left(std::size_t limit, std::size_t size) noexcept {
  if (limit >= static_cast<std::size_t>(INT64_MAX)) return INT64_MAX;
  return static_cast<std::int64_t>(limit) - static_cast<std::int64_t>(size);
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
