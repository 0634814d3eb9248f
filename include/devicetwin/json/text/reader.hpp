/// The strict reader's machine: RFC 8259 and nothing else, one pass, no recursion.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint32_t
#include <cstring>      // std::memcmp
#include <new>          // placement new
#include <string_view>  // std::string_view
#include <type_traits>  // std::void_t
#include <utility>      // std::declval

#include "../../base/hash.hpp"
#include "../../base/memory.hpp"
#include "../../base/stack.hpp"
#include "../detail/escape.hpp"
#include "../error.hpp"
#include "../number.hpp"
#include "../pointer.hpp"
#include "../tree/distinct_names.hpp"
#include "../tree/events.hpp"
#include "../tree/inside.hpp"
#include "../tree/name_hash.hpp"
#include "../tree/name_index.hpp"
#include "../tree/tuning.hpp"
#include "../value.hpp"
#include "utf8.hpp"

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
class reader {
 public:
  reader(std::string_view text, Handler& handler, std::size_t max_depth,
         big_integer_rule big_integers, const memory_source& memory) noexcept
      : text_(text),
        p_(text.data()),
        end_(text.data() + text.size()),
        handler_(handler),
        max_depth_(max_depth),
        big_integers_(big_integers),
        frames_(memory),
        names_(memory),
        name_text_(memory),
        unescaped_(memory),
        index_(memory) {}

  static constexpr size_type few_names = tuning::reader_compared_names;
  static constexpr size_type longest_inline = inside<json::value>::longest_inline;

  error read() {
    constexpr std::uint64_t longest = 0xFFFFFFFE;
    if (text_.size() > longest) return error(errc::too_large).limited_to(longest, text_.size());
    if (!run()) return failure();
    return {};
  }

 private:
  /// A member's name: in the text, or unescaped in name_text_ when it was written with escapes.
  struct seen_name {
    size_type offset;  ///< where it stands in the text, with its quote
    size_type length;  ///< unescaped
    std::uint32_t hash;
    std::uint32_t unescaped;  ///< offset in name_text_ plus one, or 0
  };
  struct frame {
    bool object;
    size_type count;         ///< members or elements so far
    std::size_t first_name;  ///< in names_
    std::size_t name_text;   ///< size of name_text_ when the object began
    name_filter filter;
  };
  /// A string that was read: a piece of the text, or unescaped.
  struct read_text {
    const char* data;
    size_type length;
    bool escaped;
  };

  // The place in the text is handed on as `p` and stays in a register; p_ has it where an error is
  // found, and on the way into and out of functions that are called.

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

  /// Remembers a name; an error when it is a repeated one of the first few, which are compared each
  /// with each if their hashes do not settle it.
  bool new_name(frame& top, const char* start, const read_text& text, std::size_t unescaped,
                std::uint64_t hash) {
    const auto short_hash = static_cast<std::uint32_t>(hash);
    if (!names_.emplace(static_cast<size_type>(start - text_.data()), text.length, short_hash,
                        text.escaped ? static_cast<std::uint32_t>(unescaped + 1) : 0)) {
      return fail_at(start, errc::out_of_memory);
    }
    if (top.count > few_names || !top.filter.add(hash)) return true;
    for (std::size_t i = top.first_name; i + 1 < names_.size(); ++i) {
      if (names_[i].hash == short_hash && text_of_name(names_[i]) == text_of_name(names_.back())) {
        return fail_at(start, errc::duplicate_name);
      }
    }
    return true;
  }

  std::string_view text_of_name(const seen_name& n) const noexcept {
    return {n.unescaped == 0 ? text_.data() + n.offset + 1 : name_text_.data() + (n.unescaped - 1),
            n.length};
  }

  /// Looks for a repeated name in an object that is too large for comparing each with each.
  bool names_differ(const frame& top) {
    struct {
      const reader& r;
      const seen_name* names;
      std::string_view text(size_type i) const noexcept { return r.text_of_name(names[i]); }
      std::uint64_t hash(size_type i) const noexcept { return base::spread(names[i].hash); }
    } const names{*this, names_.data() + top.first_name};
    first_repeat duplicate;
    name_index found;
    index_.truncate(0);
    if (!found.build(top.count, indexed(names), index_, duplicate))
      return fail_at(token_, errc::out_of_memory);
    if (duplicate.at == no_index) return true;
    const char* repeated = text_.data() + names.names[duplicate.at].offset;
    names_.truncate(top.first_name + duplicate.at + 1);  // so that the pointer names it
    return fail_at(repeated, errc::duplicate_name);
  }

  /// Reads a string. `text` is a piece of the input or, when it has escapes, of `buffer`, to which
  /// it is appended.
  template <std::size_t Inline>
  DEVICETWIN_ALWAYS_INLINE bool string(const char*& p, read_text& text,
                                       base::stack<char, Inline>& buffer) {
    const char* start = p + 1;
    const char* last = skip_plain(start, end_);
    if (last != end_ && *last == '"') {
      text = {start, static_cast<size_type>(last - start), false};
      p = last + 1;
      return true;
    }
    p_ = last;
    if (!rest_of_string(start, text, buffer)) return false;
    p = p_;
    return true;
  }
  /// The same from the first character on that is not plain.
  template <std::size_t Inline>
  bool rest_of_string(const char* start, read_text& text, base::stack<char, Inline>& buffer) {
    const std::size_t kept = buffer.size();
    bool escaped = false;
    const char* run = start;  // not yet copied to the buffer
    for (;; p_ = skip_plain(p_, end_)) {
      if (p_ == end_) return fail(errc::unexpected_end);
      const auto c = static_cast<unsigned char>(*p_);
      if (c == '"') {
        text = {start, static_cast<size_type>(p_ - start), escaped};
        if (escaped) {
          if (!buffer.append(run, static_cast<std::size_t>(p_ - run)))
            return fail(errc::out_of_memory);
          text = {buffer.data() + kept, static_cast<size_type>(buffer.size() - kept), escaped};
        }
        ++p_;
        return true;
      }
      if (c == '\\') {
        escaped = true;
        if (!buffer.append(run, static_cast<std::size_t>(p_ - run)))
          return fail(errc::out_of_memory);
        char decoded[4];
        std::size_t length = 0;
        const detail::escape_end sequence = detail::read_escape(p_, end_, decoded, length);
        p_ = sequence.end;
        if (sequence.code != errc::ok) return fail(sequence.code);
        if (!buffer.append(decoded, length)) return fail(errc::out_of_memory);
        run = p_;
        continue;
      }
      if (c < 0x20) return fail(errc::control_character);
      const std::size_t length = utf8_length(p_, end_);
      if (length == 0) return fail(errc::invalid_utf8);
      p_ += length;
    }
  }

  /// A text of at most 13 bytes as the words of a value.
  value_words short_words(const read_text& text) const noexcept {
    if constexpr (is_compact<json::value>) {
      // Most strings of the input have so much behind them that two words can be read and cut to
      // size.
      if (!text.escaped && end_ - text.data >= 16) return cut_words(text.data, text.length);
    }
    return words_of_text({text.data, text.length});
  }

  DEVICETWIN_ALWAYS_INLINE bool literal(const char*& p, std::string_view word) {
    if (static_cast<std::size_t>(end_ - p) >= word.size() &&
        std::memcmp(p, word.data(), word.size()) == 0) {
      p += word.size();
      return true;
    }
    return fail_literal(p, word);
  }
  bool fail_literal(const char* p, std::string_view word) {
    for (const char c : word) {
      if (p == end_) return fail_at(p, errc::unexpected_end);
      if (*p != c) break;
      ++p;
    }
    return fail_at(p, errc::unexpected_character);
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

  const char* skip_space(const char* p) const noexcept {
    while (p != end_ && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) ++p;
    return p;
  }
  /// Skips white space, behind which something must come.
  DEVICETWIN_ALWAYS_INLINE bool more_space(const char*& p) noexcept {
    if (p != end_ && static_cast<unsigned char>(*p) > ' ') return true;
    p = skip_space(p);
    return p != end_ || fail_at(p, errc::unexpected_end);
  }

  bool sent(bool accepted) { return accepted || fail_at(token_, failure_of(handler_, 0)); }
  bool fail(errc code) noexcept {
    code_ = code;
    return false;
  }
  bool fail_at(const char* where, errc code) noexcept {
    p_ = where;
    return fail(code);
  }

  /// The open containers and where each of them is, as a JSON Pointer.
  struct place {
    const reader& r;
    template <class Put>
    void render(Put&& put) const {
      for (std::size_t i = 0; i < r.frames_.size(); ++i) {
        const frame& f = r.frames_[i];
        if (f.count == 0) return;
        if (!f.object) {
          render_step(step::element(f.count - 1), put);
          continue;
        }
        const std::size_t next =
            i + 1 < r.frames_.size() ? r.frames_[i + 1].first_name : r.names_.size();
        if (next == f.first_name) return;
        render_step(step::member(r.text_of_name(r.names_[next - 1])), put);
      }
    }
  };

  error failure() const {
    const auto offset = static_cast<std::size_t>(p_ - text_.data());
    return error(code_)
        .limited_to(code_ == errc::depth_exceeded ? max_depth_ : 0)
        .in_text(text_, offset)
        .at(place{*this});
  }

  std::string_view text_;
  const char* p_;
  const char* end_;
  Handler& handler_;
  std::size_t max_depth_;
  big_integer_rule big_integers_;
  const char* token_ = nullptr;  ///< start of what is being read, where a handler's refusal belongs
  bool opened_ = false;          ///< a container was just opened
  errc code_ = errc::ok;
  base::stack<frame, 8> frames_;
  base::stack<seen_name, 24> names_;
  base::stack<char, 64> name_text_;
  base::stack<char, 64> unescaped_;
  index_memory index_;
};

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
