/// What a strict reader knows without its handler: where it is in the text, the open containers and
/// their names, and why it failed. Apart from the reader, so that programs contain it once and not
/// for each handler.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint32_t
#include <cstring>      // std::memcmp
#include <string_view>  // std::string_view

#include "../../base/hash.hpp"
#include "../../base/inline.hpp"
#include "../../base/memory.hpp"
#include "../../base/stack.hpp"
#include "../error.hpp"
#include "../pointer.hpp"
#include "../text/utf8.hpp"
#include "../tree/distinct_names.hpp"
#include "../tree/inside.hpp"
#include "../tree/name_index.hpp"
#include "../tree/tuning.hpp"
#include "../value.hpp"
#include "escape.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

/// The base of every reader of one JSON text. Functions that return bool return false when the text
/// is invalid; failure() has the reason.
class reader_base {
 protected:
  reader_base(std::string_view text, std::size_t max_depth, const memory_source& memory) noexcept
      : text_(text),
        p_(text.data()),
        end_(text.data() + text.size()),
        max_depth_(max_depth),
        frames_(memory),
        names_(memory),
        name_text_(memory),
        unescaped_(memory),
        index_(memory) {}
  ~reader_base() = default;

  using text_stack = base::stack<char, 64>;
  static constexpr size_type few_names = tuning::reader_compared_names;

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
      const reader_base& r;
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
  DEVICETWIN_ALWAYS_INLINE bool string(const char*& p, read_text& text, text_stack& buffer) {
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
  bool rest_of_string(const char* start, read_text& text, text_stack& buffer) {
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
    const reader_base& r;
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
  std::size_t max_depth_;
  const char* token_ = nullptr;  ///< start of what is being read, where a handler's refusal belongs
  bool opened_ = false;          ///< a container was just opened
  errc code_ = errc::ok;
  base::stack<frame, 8> frames_;
  base::stack<seen_name, 24> names_;
  text_stack name_text_;
  text_stack unescaped_;
  index_memory index_;
};

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
