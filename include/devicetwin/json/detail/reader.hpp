/// The strict reader's machine: RFC 8259 and nothing else, one pass, no recursion.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint32_t
#include <cstring>      // std::memcmp
#include <string_view>  // std::string_view

#include "../error.hpp"
#include "../memory.hpp"
#include "../number.hpp"
#include "../pointer.hpp"
#include "escape.hpp"
#include "events.hpp"
#include "names.hpp"
#include "stack.hpp"
#include "text.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace detail {

/// Reads one JSON text and sends its events to `Handler`.
template <class Handler>
class reader {
 public:
  reader(std::string_view text, Handler& handler, std::size_t max_depth, bool refuse_big_integers,
         const memory_source& memory) noexcept
      : text_(text),
        p_(text.data()),
        end_(text.data() + text.size()),
        handler_(handler),
        max_depth_(max_depth),
        refuse_big_integers_(refuse_big_integers),
        frames_(memory),
        names_(memory),
        name_text_(memory),
        unescaped_(memory),
        index_(memory) {}

  error read() {
    if (text_.size() > 0xFFFFFFFE) return errc::too_large;
    if (!run()) return failure();
    return {};
  }

 private:
  /// A member's name: in the text, or unescaped in name_text_ when it was written with escapes.
  struct seen_name {
    const char* text;       ///< null when unescaped
    std::size_t unescaped;  ///< offset in name_text_
    size_type length;
    size_type offset;  ///< where it stands in the text
    std::uint64_t hash;
  };
  struct frame {
    bool object;
    name_filter filter;
    size_type count;         ///< members or elements so far
    std::size_t first_name;  ///< in names_
    std::size_t name_text;   ///< size of name_text_ when the object began
  };

  bool run() {
    skip_space();
    if (p_ == end_) return fail(errc::empty_input);
    if (text_.size() >= 3 && std::memcmp(text_.data(), "\xEF\xBB\xBF", 3) == 0) {
      return fail(errc::byte_order_mark);
    }
    for (;;) {
      if (!value()) return false;
      // A value is complete, or a container has just been opened and has no value yet.
      for (;;) {
        if (frames_.empty()) {
          skip_space();
          return p_ == end_ || fail(errc::trailing_characters);
        }
        skip_space();
        if (p_ == end_) return fail(errc::unexpected_end);
        frame& top = frames_.back();
        const char close = top.object ? '}' : ']';
        if (*p_ == close && !after_comma_) {
          if (!close_container(top)) return false;
          continue;
        }
        if (!opened_ && !after_comma_) {
          if (*p_ != ',') return fail(errc::unexpected_character);
          ++p_;
          after_comma_ = true;
          continue;
        }
        opened_ = after_comma_ = false;
        ++top.count;
        if (!top.object) break;
        if (!name(top)) return false;
        break;
      }
    }
  }

  /// Reads a scalar, or opens a container.
  bool value() {
    token_ = p_;
    switch (*p_) {
      case '"': {
        std::string_view text;
        bool escaped;
        unescaped_.truncate(0);
        if (!string(text, escaped, unescaped_)) return false;
        return sent(handler_.String(text.data(), static_cast<size_type>(text.size()), true));
      }
      case '{': return open(true);
      case '[': return open(false);
      case 't': return literal("true") && sent(handler_.Bool(true));
      case 'f': return literal("false") && sent(handler_.Bool(false));
      case 'n': return literal("null") && sent(handler_.Null());
      default: return number_value();
    }
  }

  bool open(bool object) {
    if (frames_.size() >= max_depth_) return fail(errc::depth_exceeded);
    if (!sent(object ? handler_.StartObject() : handler_.StartArray())) return false;
    if (!frames_.push({object, {}, 0, names_.size(), name_text_.size()})) return fail(errc::out_of_memory);
    ++p_;
    opened_ = true;
    return true;
  }

  bool close_container(frame& top) {
    opened_ = false;
    token_ = p_;
    if (top.object) {
      if (top.count > small_object && !names_differ(top)) return false;
      if (!sent(handler_.EndObject(top.count))) return false;
      names_.truncate(top.first_name);
      name_text_.truncate(top.name_text);
    } else if (!sent(handler_.EndArray(top.count))) {
      return false;
    }
    frames_.pop();
    ++p_;
    return true;
  }

  /// Reads a member's name and the colon after it, up to the value.
  bool name(frame& top) {
    --top.count;  // an error before the name is complete belongs to the object
    if (*p_ != '"') return fail(errc::unexpected_character);
    const char* start = token_ = p_;
    std::string_view text;
    bool escaped;
    const std::size_t unescaped = name_text_.size();
    if (!string(text, escaped, name_text_)) return false;
    ++top.count;
    const seen_name seen{escaped ? nullptr : text.data(), unescaped,
                         static_cast<size_type>(text.size()),
                         static_cast<size_type>(start - text_.data()), hash_name(text)};
    if (!names_.push(seen)) return fail(errc::out_of_memory);
    if (top.count <= small_object && top.filter.add(seen.hash)) {
      for (std::size_t i = top.first_name; i + 1 < names_.size(); ++i) {
        if (names_[i].hash == seen.hash && text_of_name(names_[i]) == text) {
          p_ = start;
          return fail(errc::duplicate_name);
        }
      }
    }
    if (!sent(handler_.Key(text.data(), static_cast<size_type>(text.size()), true))) return false;
    skip_space();
    if (p_ == end_) return fail(errc::unexpected_end);
    if (*p_ != ':') return fail(errc::unexpected_character);
    ++p_;
    skip_space();
    return p_ != end_ || fail(errc::unexpected_end);
  }

  std::string_view text_of_name(const seen_name& n) const noexcept {
    return {n.text != nullptr ? n.text : name_text_.data() + n.unescaped, n.length};
  }

  /// Looks for a repeated name in an object that is too large for comparing each with each.
  bool names_differ(const frame& top) {
    const seen_name* names = names_.data() + top.first_name;
    size_type duplicate = no_index;
    name_index found;
    index_.truncate(0);
    const auto note = [&](size_type i) {
      if (i < duplicate) duplicate = i;
    };
    if (!found.build(
            top.count, [&](size_type i) { return text_of_name(names[i]); }, index_, note)) {
      return fail(errc::out_of_memory);
    }
    if (duplicate == no_index) return true;
    p_ = text_.data() + names[duplicate].offset;
    names_.truncate(top.first_name + duplicate + 1);  // so that the pointer names it
    return fail(errc::duplicate_name);
  }

  /// Reads a string. `text` is a piece of the input or, when it has escapes, of `buffer`, to which it is
  /// appended.
  template <std::size_t Inline>
  bool string(std::string_view& text, bool& escaped, stack<char, Inline>& buffer) {
    const char* start = ++p_;
    const std::size_t kept = buffer.size();
    escaped = false;
    const char* run = p_;  // not yet copied to the buffer
    for (;;) {
      p_ = skip_plain(p_, end_);
      if (p_ == end_) return fail(errc::unexpected_end);
      const auto c = static_cast<unsigned char>(*p_);
      if (c == '"') {
        if (!escaped) {
          text = {start, static_cast<std::size_t>(p_ - start)};
        } else {
          if (!buffer.append(run, static_cast<std::size_t>(p_ - run))) return fail(errc::out_of_memory);
          text = {buffer.data() + kept, buffer.size() - kept};
        }
        ++p_;
        return true;
      }
      if (c == '\\') {
        escaped = true;
        if (!buffer.append(run, static_cast<std::size_t>(p_ - run))) return fail(errc::out_of_memory);
        char decoded[4];
        std::size_t length = 0;
        if (!escape(decoded, length)) return false;
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

  /// Reads one escape sequence and gives its UTF-8.
  bool escape(char (&decoded)[4], std::size_t& length) {
    const escape_end found = read_escape(p_, end_, decoded, length);
    p_ = found.end;
    return found.code == errc::ok || fail(found.code);
  }

  bool literal(std::string_view word) {
    for (const char c : word) {
      if (p_ == end_) return fail(errc::unexpected_end);
      if (*p_ != c) return fail(errc::unexpected_character);
      ++p_;
    }
    return true;
  }

  bool number_value() {
    if (*p_ != '-' && !is_digit(*p_)) {
      return fail(*p_ == '+' || *p_ == '.' ? errc::invalid_number : errc::unexpected_character);
    }
    number read;
    const char* start = p_;
    const number_end found = parse_number(p_, end_, read);
    p_ = found.end;
    if (found.code != errc::ok) return fail(found.code);
    switch (read.stored_as) {
      case number::kind::signed_integer:
        if (read.i >= INT32_MIN && read.i <= INT32_MAX) {
          return sent(handler_.Int(static_cast<int>(read.i)));
        }
        if (read.i > 0 && read.i <= UINT32_MAX) {
          return sent(handler_.Uint(static_cast<unsigned>(read.i)));
        }
        return sent(handler_.Int64(read.i));
      case number::kind::unsigned_integer: return sent(handler_.Uint64(read.u));
      case number::kind::real: break;
    }
    if (read.big_integer && refuse_big_integers_) return fail_at(start, errc::integer_overflow);
    return sent(handler_.Double(read.d));
  }

  void skip_space() noexcept {
    while (p_ != end_ && (*p_ == ' ' || *p_ == '\n' || *p_ == '\r' || *p_ == '\t')) ++p_;
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
  bool refuse_big_integers_;
  const char* token_ = nullptr;  ///< start of what is being read, where a handler's refusal belongs
  bool opened_ = false;       ///< a container was just opened
  bool after_comma_ = false;  ///< a comma was just read
  errc code_ = errc::ok;
  stack<frame, 8> frames_;
  stack<seen_name, 24> names_;
  stack<char, 64> name_text_;
  stack<char, 64> unescaped_;
  index_memory index_;
};

}  // namespace detail
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
