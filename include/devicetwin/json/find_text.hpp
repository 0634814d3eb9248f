/// Finding values in JSON text, without a tree: JSON Pointer (RFC 6901) and checked typed access.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view
#include <type_traits>  // std::is_same_v, std::is_floating_point_v

#include "../base/text_buffer.hpp"
#include "error.hpp"
#include "get.hpp"
#include "number.hpp"
#include "number_text.hpp"
#include "pointer.hpp"
#include "text/tokens.hpp"
#include "write.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {

// All functions here take text on trust: json::write or merge/text.hpp wrote it, or json::read
// accepted it. Whatever the bytes are, nothing is read outside of them and the walk ends; in text
// that is no JSON any value may be found, or none.

/// The text of the value at `pointer` (RFC 6901, section 4), "" being the whole; names are compared
/// by what they mean, however they are escaped. The result is a piece of `text`, without white
/// space around it. Errors: invalid_pointer; not_found, also for the index "-" and for one with a
/// leading zero, with the pointer up to the step that failed. Cost: one pass over what stands
/// before the value. No memory.
inline result<std::string_view> find_text(std::string_view text, std::string_view pointer) noexcept;

/// The value at `pointer` as T: bool, any integer type, float, double or std::string_view, as
/// json::get() has it for values. (The names differ because this function trusts its text.)
///
/// An integer type takes a number that it holds exactly, however that is spelled: 1.0 and 10e-1
/// are 1. A double takes the nearest one of a number with a point or an exponent; a float the
/// nearest one of that double. An integer, of any number of digits, must be a double or float
/// exactly: 18446744073709551616 (2^64) is one, 9007199254740993 (2^53 + 1) and
/// 18446744073709551617 are no doubles. A string view is the piece of `text` between the quotes; a
/// string with an escape sequence is an error, escaped_string: use get_string(). Errors:
/// invalid_pointer, not_found, wrong_type, number_out_of_range, escaped_string; with the pointer.
template <class T>
result<core::gettable_or_double<T>> get_text(std::string_view text,
                                             std::string_view pointer = {}) noexcept;

/// Appends the string at `pointer`, escapes resolved, to what json::write() takes; it may contain
/// NUL. Errors: invalid_pointer, not_found, wrong_type with the pointer; out_of_memory; then `out`
/// is as it was.
template <class Output>
error get_string(std::string_view text, std::string_view pointer, Output& out);

// ---------------------------------------------------------------------------------------------

namespace core {

/// Behind the value at `p`, looked at byte by byte: for short texts. Null when it does not end.
inline const char* skip_value(const char* p, const char* end) noexcept {
  if (p == end) return nullptr;
  if (*p == '"') return skip_string(p + 1, end);
  if (*p != '{' && *p != '[') {
    const char* const start = p;
    while (p != end && *p != ',' && *p != '}' && *p != ']' && *p != ':' && *p != '"' &&
           !is_space(*p))
      ++p;
    return p == start ? nullptr : p;
  }
  std::size_t depth = 0;
  while (p != end) {
    const char c = *p++;
    if (c == '"') {
      if ((p = skip_string(p, end)) == nullptr) return nullptr;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return p;
    }
  }
  return nullptr;
}

/// Goes through the members of an object, or the elements of an array, of trusted text.
class text_items {
 public:
  /// `container` starts with its opening bracket; of any other text there are no items.
  explicit text_items(std::string_view container) noexcept
      : p_(container.data()), end_(p_ + container.size()) {
    if (!container.empty() && (*p_ == '{' || *p_ == '[')) {
      object_ = *p_ == '{';
      ++p_;
    } else {
      p_ = end_;
    }
  }
  bool is_object() const noexcept { return object_; }
  /// The next one; false at the end.
  bool next() noexcept { return next_start() && finish(); }
  /// As next(), but the end of the value is not looked for: rest() starts with it, and finish()
  /// goes on.
  bool next_start() noexcept {
    p_ = core::skip_space(p_, end_);
    if (p_ != end_ && *p_ == ',') p_ = core::skip_space(p_ + 1, end_);
    if (p_ == end_ || *p_ == '}' || *p_ == ']') return stop();
    if (object_) {
      if (*p_ != '"') return stop();
      const char* const start = p_ + 1;
      if ((p_ = core::skip_string(start, end_)) == nullptr) return stop();
      name_ = {start, static_cast<std::size_t>(p_ - start) - 1};
      p_ = core::skip_space(p_, end_);
      if (p_ == end_ || *p_ != ':') return stop();
      p_ = core::skip_space(p_ + 1, end_);
    }
    return true;
  }
  /// After next_start(): finds the end of the value. False when it has none.
  bool finish() noexcept {
    const char* const start = p_;
    if ((p_ = skip_value(p_, end_)) == nullptr) return stop();
    value_ = {start, static_cast<std::size_t>(p_ - start)};
    return true;
  }
  /// The text from here to the end of what was given, beyond the container perhaps.
  std::string_view rest() const noexcept { return {p_, static_cast<std::size_t>(end_ - p_)}; }
  /// What stands between the quotes of the member's name.
  std::string_view name() const noexcept { return name_; }
  std::string_view value() const noexcept { return value_; }

 private:
  bool stop() noexcept {
    p_ = end_;
    return false;
  }
  const char* p_;
  const char* end_;
  bool object_ = false;
  std::string_view name_, value_;
};

/// True when an escaped token of a pointer spells the name of which `raw` stands between the
/// quotes.
inline bool token_is_text(std::string_view token, std::string_view raw) noexcept {
  if (!has_escapes(raw)) return token_is(token, raw);
  plain_bytes name(raw);
  for (std::size_t i = 0; i < token.size(); ++i) {
    char c = token[i];
    if (c == '~') c = ++i < token.size() && token[i] == '0' ? '~' : '/';
    if (name.next() != static_cast<unsigned char>(c)) return false;
  }
  return name.next() < 0;
}

/// The value of the member that a pointer's token names, or an empty text.
inline std::string_view member_text(std::string_view object, std::string_view token) noexcept {
  text_items items(object);
  if (!items.is_object()) return {};
  while (items.next()) {
    if (token_is_text(token, items.name())) return items.value();
  }
  return {};
}

/// Goes one step of a pointer into the value that `at` starts with; then `at` starts with the value
/// there. What stands behind these values is of no matter. So a pointer costs one pass, however
/// deep it leads.
inline bool step_into(std::string_view& at, std::string_view token) noexcept {
  text_items items(at);
  size_type index = 0;
  if (!items.is_object() && !token_index(token, no_index, index)) return false;
  while (items.next_start()) {
    if (items.is_object() ? token_is_text(token, items.name()) : index-- == 0) {
      at = items.rest();
      return true;
    }
    if (!items.finish()) break;
  }
  return false;
}

/// Cuts what stands behind the value that `at` starts with. False when there is none, or it does
/// not end.
inline bool cut_to_value(std::string_view& at) noexcept {
  const char* const end = skip_value(at.data(), at.data() + at.size());
  if (end == nullptr) return false;
  at = {at.data(), static_cast<std::size_t>(end - at.data())};
  return true;
}

inline std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

template <class T>
errc text_to(std::string_view text, T& to) noexcept {
  if constexpr (std::is_same_v<T, bool>) {
    to = text == "true";
    return to || text == "false" ? errc::ok : errc::wrong_type;
  } else if constexpr (std::is_same_v<T, std::string_view>) {
    if (text.size() < 2 || text.front() != '"') return errc::wrong_type;
    to = text.substr(1, text.size() - 2);
    return has_escapes(to) ? errc::escaped_string : errc::ok;
  } else {
    const number_end whole = skip_number(text.data(), text.data() + text.size());
    if (whole.code != errc::ok || whole.end != text.data() + text.size()) return errc::wrong_type;
    if constexpr (std::is_floating_point_v<T>) {
      number n;
      if (parse_number(text.data(), whole.end, n).code != errc::ok)
        return errc::number_out_of_range;
      if (n.big_integer) {  // n.d is a double near it
        if (!detail::is_double_exactly(text)) return errc::number_out_of_range;
        const errc failure = convert(n, to);
        return failure == errc::ok && static_cast<double>(to) != n.d ? errc::number_out_of_range
                                                                     : failure;
      }
      return convert(n, to);
    } else {
      bool negative = false;
      std::uint64_t magnitude = 0;
      const errc code = detail::integer_of(text, negative, magnitude);
      return code != errc::ok ? code : convert(negative, magnitude, to);
    }
  }
}

}  // namespace core

inline result<std::string_view> find_text(std::string_view text,
                                          std::string_view pointer) noexcept {
  if (!core::pointer_tokens::valid(pointer))
    return error(errc::invalid_pointer).at(core::pointer_text{pointer});
  std::string_view at = core::trimmed(text);
  core::pointer_tokens tokens(pointer);
  std::string_view token;
  while (tokens.next(token)) {
    if (!core::step_into(at, token) || at.empty()) {
      return error(errc::not_found)
          .at(core::pointer_text{pointer.substr(0, pointer.size() - tokens.remaining())});
    }
  }
  if (at.empty() || (!pointer.empty() && !core::cut_to_value(at)))
    return error(errc::not_found).at(core::pointer_text{pointer});
  return at;
}

template <class T>
result<core::gettable_or_double<T>> get_text(std::string_view text,
                                             std::string_view pointer) noexcept {
  static_assert(core::gettable<T>,
                "json::get_text<T>: T must be bool, an integer, float, double or std::string_view");
  const auto found = find_text(text, pointer);
  if (!found) return found.error();
  core::gettable_or_double<T> wanted{};
  const errc code = core::text_to(*found, wanted);
  if (code == errc::ok) return wanted;
  return error(code).at(core::pointer_text{pointer});
}

template <class Output>
error get_string(std::string_view text, std::string_view pointer, Output& out) {
  static_assert(base::is_output<Output>,
                "json::get_string: the output needs append(const char*, std::size_t), size() and "
                "resize(std::size_t)");
  const auto found = find_text(text, pointer);
  if (!found) return found.error();
  if (found->size() < 2 || found->front() != '"')
    return error(errc::wrong_type).at(core::pointer_text{pointer});
  const std::size_t before = out.size();
  std::string_view raw = found->substr(1, found->size() - 2);
  const auto put = [&out](const char* bytes, std::size_t count) {
    return base::append(out, bytes, count);
  };
  while (!raw.empty()) {  // up to the next escape sequence, and that
    std::size_t plain = raw.find('\\');
    if (plain == std::string_view::npos) plain = raw.size();
    bool good = put(raw.data(), plain);
    raw.remove_prefix(plain);
    if (good && !raw.empty()) {
      char decoded[4];
      std::size_t length = 0;
      const detail::escape_end read =
          detail::read_escape(raw.data(), raw.data() + raw.size(), decoded, length);
      if (read.code != errc::ok) {  // no JSON: the backslash stands for itself
        good = put(raw.data(), 1);
        raw.remove_prefix(1);
      } else {
        good = put(decoded, length);
        raw.remove_prefix(static_cast<std::size_t>(read.end - raw.data()));
      }
    }
    if (!good) {
      out.resize(before);
      return errc::out_of_memory;
    }
  }
  return {};
}

}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
