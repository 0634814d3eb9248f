/// The strict reader's machine: RFC 8259 and nothing else, one pass, no recursion.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <cstring>      // std::memcmp
#include <new>          // placement new
#include <string_view>  // std::string_view
#include <type_traits>  // std::void_t
#include <utility>      // std::declval

#include "../../base/inline.hpp"
#include "../../base/memory.hpp"
#include "../detail/reader_base.hpp"
#include "../error.hpp"
#include "../number.hpp"
#include "../tree/events.hpp"
#include "../tree/inside.hpp"
#include "../tree/name_hash.hpp"
#include "../value.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

/// A handler that takes short texts as the words of a value; it is one of this library's own.
template <class Handler, class = void>
inline constexpr bool takes_words = false;
template <class Handler>
inline constexpr bool takes_words<Handler, std::void_t<decltype(std::declval<Handler&>().Words(
                                               std::declval<const value_words&>()))>> =
    is_compact<json::value>;

/// A handler that takes numbers as they are spelled: `bool NumberText(std::string_view)`. None is
/// too large for it.
template <class Handler, class = void>
inline constexpr bool takes_number_text = false;
template <class Handler>
inline constexpr bool takes_number_text<
    Handler, std::void_t<decltype(std::declval<Handler&>().NumberText(std::string_view()))>> = true;

/// Reads one JSON text and sends its events to `Handler`.
template <class Handler>
class reader : reader_base {
 public:
  reader(std::string_view text, Handler& handler, std::size_t max_depth,
         big_integer_rule big_integers, const memory_source& memory) noexcept
      : reader_base(text, max_depth, memory), handler_(handler), big_integers_(big_integers) {}

  error read() {
    constexpr std::uint64_t longest = 0xFFFFFFFE;
    if (text_.size() > longest) return error(errc::too_large).limited_to(longest, text_.size());
    if (!run()) return failure();
    return {};
  }

 private:
  static constexpr size_type longest_inline = inside<json::value>::longest_inline;

  bool run() {
    const char* p = skip_space(text_.data());
    if (p == end_) return fail_at(p, errc::empty_input);
    if (text_.size() >= 3 && std::memcmp(text_.data(), "\xEF\xBB\xBF", 3) == 0) {
      return fail_at(p, errc::byte_order_mark);
    }
    if (!value(p)) return false;
    // From here on a value is complete, or a container has just been opened.
    while (!frames_.empty()) {
      if (!more_space(p)) return false;
      frame& top = frames_.back();
      if (*p == (top.object ? '}' : ']')) {
        opened_ = false;
        token_ = p++;
        if (!close_container(top)) return false;
        continue;
      }
      if (!opened_) {
        if (*p != ',') return fail_at(p, errc::unexpected_character);
        ++p;
        if (!more_space(p)) return false;
      }
      opened_ = false;
      if (top.object) {
        if (!name(top, p)) return false;
      } else {
        ++top.count;
      }
      if (!value(p)) return false;
    }
    p = skip_space(p);
    return p == end_ || fail_at(p, errc::trailing_characters);
  }

  /// Reads a scalar, or opens a container.
  DEVICETWIN_ALWAYS_INLINE bool value(const char*& p) {
    token_ = p;
    switch (*p) {
      case '"': {
        read_text text;
        unescaped_.truncate(0);
        if (!string(p, text, unescaped_)) return false;
        if constexpr (takes_words<Handler>) {
          if (text.length <= longest_inline) return sent(handler_.Words(short_words(text)));
        }
        return sent(handler_.String(text.data, text.length, true));
      }
      case '{':
        ++p;
        return open(true);
      case '[':
        ++p;
        return open(false);
      case 't':
        return literal(p, "true") && sent(handler_.Bool(true));
      case 'f':
        return literal(p, "false") && sent(handler_.Bool(false));
      case 'n':
        return literal(p, "null") && sent(handler_.Null());
      default:
        return number_value(p);
    }
  }

  bool open(bool object) {
    if (frames_.size() >= max_depth_) return fail_at(token_, errc::depth_exceeded);
    if (!sent(object ? handler_.StartObject() : handler_.StartArray())) return false;
    void* added = frames_.add();
    if (added == nullptr) return fail_at(token_, errc::out_of_memory);
    new (added) frame{object, 0, names_.size(), name_text_.size(), {}};
    opened_ = true;
    return true;
  }

  bool close_container(frame& top) {
    if (top.object) {
      if (top.count > few_names && !names_differ(top)) return false;
      if (!sent(handler_.EndObject(top.count))) return false;
      names_.truncate(top.first_name);
      name_text_.truncate(top.name_text);
    } else if (!sent(handler_.EndArray(top.count))) {
      return false;
    }
    frames_.pop();
    return true;
  }

  /// Reads a member's name and the colon after it, up to the value. An error before the name is
  /// complete belongs to the object.
  DEVICETWIN_ALWAYS_INLINE bool name(frame& top, const char*& p) {
    if (*p != '"') return fail_at(p, errc::unexpected_character);
    const char* start = token_ = p;
    read_text text;
    const std::size_t unescaped = name_text_.size();
    if (!string(p, text, name_text_)) return false;
    ++top.count;
    bool accepted;
    std::uint64_t hash;
    if ((base::shortcuts || takes_words<Handler>)&&text.length <= longest_inline) {
      const value_words words = short_words(text);
      hash = base::shortcuts ? hash_name(words) : hash_name({text.data, text.length});
      if (!new_name(top, start, text, unescaped, hash)) return false;
      if constexpr (takes_words<Handler>) {
        accepted = handler_.Words(words);
      } else {
        accepted = handler_.Key(text.data, text.length, true);
      }
    } else {
      hash = hash_name({text.data, text.length});
      if (!new_name(top, start, text, unescaped, hash)) return false;
      accepted = handler_.Key(text.data, text.length, true);
    }
    if (!sent(accepted) || !more_space(p)) return false;
    if (*p != ':') return fail_at(p, errc::unexpected_character);
    ++p;
    return more_space(p);
  }

  DEVICETWIN_ALWAYS_INLINE bool number_value(const char*& p) {
    if constexpr (!base::shortcuts || takes_number_text<Handler>) {
      p_ = p;
      const bool accepted = any_number();
      p = p_;
      return accepted;
    }
    // An integer of few digits, which most numbers are.
    const char* digits = p + (*p == '-');
    const char* last = digits;
    std::uint64_t magnitude = 0;
    for (; last != end_ && is_digit(*last); ++last) {
      magnitude = magnitude * 10 + static_cast<std::uint64_t>(*last - '0');
    }
    const std::ptrdiff_t count = last - digits;
    if (count > 18 || last == end_ || *last == '.' || (*last | 0x20) == 'e' || count == 0 ||
        (*digits == '0' && (count > 1 || digits != p))) {
      p_ = p;
      if (!any_number()) return false;
      p = p_;
      return true;
    }
    const auto positive = static_cast<std::int64_t>(magnitude);
    const bool accepted = integer(digits != p ? -positive : positive);
    p = last;
    return accepted;
  }

  bool any_number() {
    if (*p_ != '-' && !is_digit(*p_)) {
      return fail(*p_ == '+' || *p_ == '.' ? errc::invalid_number : errc::unexpected_character);
    }
    const char* const start = p_;
    if constexpr (takes_number_text<Handler>) {
      const number_end found = skip_number(start, end_);
      p_ = found.end;
      if (found.code != errc::ok) return fail(found.code);
      return sent(handler_.NumberText({start, static_cast<std::size_t>(p_ - start)}));
    }
    number read;
    const number_end found = parse_number(start, end_, read);
    p_ = found.end;
    if (read.big_integer && big_integers_ == big_integer_rule::refuse)
      return fail_at(start, errc::integer_overflow);
    if (found.code != errc::ok) return fail(found.code);
    switch (read.stored_as) {
      case number::kind::signed_integer:
        return integer(read.i);
      case number::kind::unsigned_integer:
        return sent(handler_.Uint64(read.u));
      case number::kind::real:
        break;
    }
    return sent(handler_.Double(read.d));
  }
  bool integer(std::int64_t i) {
    if (i >= INT32_MIN && i <= INT32_MAX) return sent(handler_.Int(static_cast<int>(i)));
    if (i > 0 && i <= UINT32_MAX) return sent(handler_.Uint(static_cast<unsigned>(i)));
    return sent(handler_.Int64(i));
  }

  bool sent(bool accepted) { return accepted || fail_at(token_, failure_of(handler_, 0)); }

  Handler& handler_;
  big_integer_rule big_integers_;
};

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
