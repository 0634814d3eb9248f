/// Finding values in JSON text, without a tree: JSON Pointer (RFC 6901) and checked typed access.
#pragma once

#include <array>        // std::array
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
#include "text/search.hpp"
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

/// The texts of the values at several pointers, each as find_text() has it, in one pass that ends
/// behind the last of them; an empty text where there is no value. Of repeated names the first
/// counts.
///
///     const auto found = json::find_texts(twin, {"/desired/$version", "/reported/$version"});
///     if (found && !(*found)[0].empty()) ...
///
/// Errors: invalid_pointer, and depth_exceeded for a pointer of more than 64 steps; with that
/// pointer. Then nothing was looked for. A value that is missing is no error. Cost: one pass for
/// every eight pointers. In it, each name of an object, and each element of an array, is compared
/// with one step of each pointer that leads there. No memory.
template <std::size_t count>
result<std::array<std::string_view, count>> find_texts(
    std::string_view text, const std::string_view (&pointers)[count]) noexcept;

/// The same for a number of pointers known at run time: sets found[i] to the value at pointers[i].
/// After an error all of `found` are empty.
inline error find_texts(std::string_view text, const std::string_view* pointers, std::size_t count,
                        std::string_view* found) noexcept;

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

/// The value at a valid pointer, or an empty text.
inline std::string_view text_at(std::string_view text, std::string_view pointer,
                                search_in where = search_in::objects_and_arrays) noexcept {
  text_search<1> search(where);
  search.add(pointer);
  search.run(text);
  return search.value(0);
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
  core::text_search<1> search;
  search.add(pointer);
  search.run(text);
  const std::string_view found = search.value(0);
  if (!found.empty()) return found;
  return error(errc::not_found).at(core::pointer_text{search.lost_at(0)});
}

inline error find_texts(std::string_view text, const std::string_view* pointers, std::size_t count,
                        std::string_view* found) noexcept {
  constexpr std::size_t together = 8;
  using search_type = core::text_search<together>;
  for (std::size_t i = 0; i < count; ++i) found[i] = {};
  for (std::size_t i = 0; i < count; ++i) {
    if (!core::pointer_tokens::valid(pointers[i]))
      return error(errc::invalid_pointer).at(core::pointer_text{pointers[i]});
    std::size_t steps = 0;
    for (const char c : pointers[i]) steps += c == '/';
    if (steps > search_type::longest)
      return error(errc::depth_exceeded).at(core::pointer_text{pointers[i]});
  }
  for (std::size_t i = 0; i < count; i += together) {
    search_type search;
    const std::size_t some = count - i < together ? count - i : together;
    for (std::size_t j = 0; j < some; ++j) search.add(pointers[i + j]);
    search.run(text);
    for (std::size_t j = 0; j < some; ++j) found[i + j] = search.value(j);
  }
  return {};
}

template <std::size_t count>
result<std::array<std::string_view, count>> find_texts(
    std::string_view text, const std::string_view (&pointers)[count]) noexcept {
  std::array<std::string_view, count> found;
  if (error e = find_texts(text, pointers, count, found.data())) return e;
  return found;
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
