/// Strict writing: RapidJSON values and events to JSON text that any strict reader accepts.
#pragma once

#include <cstddef>      // std::size_t
#include <cstring>      // std::memcpy
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <type_traits>  // std::void_t
#include <utility>      // std::swap, std::declval

#include "../base/memory.hpp"
#include "../base/text_buffer.hpp"
#include "error.hpp"
#include "number.hpp"
#include "text/utf8.hpp"
#include "tree/events.hpp"
#include "value.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {

struct write_options {
  unsigned indent = 0;  ///< spaces per level, each member on its line; 0: compact
  std::size_t max_depth = default_max_depth;  ///< levels of arrays and objects
  memory_source memory = {};  ///< working memory: some 100 bytes per level beyond 16
};

namespace functions {

/// Appends `source` as JSON text to `out`: a std::string, a text_buffer, or anything with
/// append(const char*, std::size_t), which may give false when it is full, size() and
/// resize(std::size_t).
///
/// Doubles are written as number.hpp says, with the fewest digits that read back to the same
/// double. Only
/// '"', '\\' and control characters are escaped. Of members with the same name only the first is
/// written. Errors: depth_exceeded, not_finite, invalid_utf8 (a string that a caller put in),
/// out_of_memory. Then `out` is as it was: never a partial text.
/// Cost: linear, plus a hash of each name to find repeated ones.
template <class Source, class Output>
error write(const Source& source, Output& out, const write_options& options = {});

}  // namespace functions

/// A RapidJSON handler that writes the events it gets as JSON text. The text is complete in `out`
/// when the outermost value is. It trusts the order of events and does not look for repeated names.
///
/// An event returns false, and failure() the reason, for NaN and infinities (not_finite), an invalid
/// raw number (invalid_number), invalid UTF-8 (invalid_utf8), and a full output (out_of_memory).
/// `out` may have a part of the text then. write() removes it; a caller of this class must.
///
/// `out` has append(const char*, std::size_t) and must outlive the writer. The writer is no
/// template, so that programs with several kinds of output contain one. Cost: one call of append()
/// for 256 bytes or for a longer string.
class text_writer {
 public:
  template <class Output>
  explicit text_writer(Output& out, unsigned indent = 0) noexcept
      : out_(&out),
        append_([](void* to, const char* text, std::size_t length) {
          return base::append(*static_cast<Output*>(to), text, length);
        }),
        indent_(indent) {}
  text_writer(const text_writer&) = delete;
  text_writer& operator=(const text_writer&) = delete;

  errc failure() const noexcept { return failure_; }

  bool Null() { return scalar("null"); }
  bool Bool(bool b) { return scalar(b ? std::string_view("true") : std::string_view("false")); }
  bool Int(int i) { return Int64(i); }
  bool Uint(unsigned u) { return Uint64(u); }
  bool Int64(std::int64_t i) { return numeral(i); }
  bool Uint64(std::uint64_t u) { return numeral(u); }
  bool Double(double d) { return core::is_finite(d) ? numeral(d) : fail(errc::not_finite); }
  bool RawNumber(const char* text, size_type length, bool) {
    const number_end end = skip_number(text, text + length);
    const bool whole = end.code == errc::ok && end.end == text + length;
    return whole ? scalar({text, length})
                 : fail(end.code == errc::ok ? errc::invalid_number : end.code);
  }
  /// A number as a reader found it; nobody looks at it.
  bool NumberText(std::string_view text) { return scalar(text); }
  /// A whole JSON value that is text already; nobody looks at it.
  bool RawValue(std::string_view json) { return scalar(json); }
  bool String(const char* text, size_type length, bool) {
    return begin() && quoted({text, length}) && complete();
  }
  bool Key(const char* text, size_type length, bool) {
    if (indent_ == 0 &&
        std::size_t{length} + 3 <= sizeof pending_ - pending_size_) {  // almost always
      char* const to = pending_ + pending_size_;
      if (core::copy_plain(to + 1, text, length)) {
        to[0] = to[length + 1] = '"';
        to[length + 2] = ':';
        pending_size_ += std::size_t{length} + 3;
        return true;
      }
    }
    return begin() && quoted({text, length}) && put(':') && (indent_ == 0 || name_written());
  }
  /// A name that is text already, a literal with its quotes and the colon; nobody looks at it. In
  /// compact text, names and braces of objects around it may stand before, `opened` of them.
  template <std::size_t N>
  bool RawKey(const char (&json)[N], std::size_t opened = 0) {
    static_assert(N <= sizeof pending_);
    if (!begin() || (sizeof pending_ - pending_size_ < N - 1 && !flush())) return false;
    std::memcpy(pending_ + pending_size_, json, N - 1);
    pending_size_ += N - 1;
    depth_ += opened;
    return indent_ == 0 || name_written();
  }
  /// An object begun by text already, its brace and some members or none; nobody looks at it.
  /// EndObject() ends it.
  bool RawStart(std::string_view json) {
    if (!begin() || !put(json)) return false;
    ++depth_;
    return json.size() == 1 || put(',');
  }
  bool StartObject() { return start('{'); }
  bool EndObject(size_type) { return end('}'); }
  bool StartArray() { return start('['); }
  bool EndArray(size_type) { return end(']'); }

 private:
  bool fail(errc code) noexcept {
    failure_ = code;
    return false;
  }
  // A comma follows each member and element at once; the bracket at the end takes the place of the
  // last one. So compact text needs no memory of what stands before.
  bool scalar(std::string_view text) { return begin() && put(text) && complete(); }
  template <class Number>
  bool numeral(Number n) {
    if (!begin() || (sizeof pending_ - pending_size_ < max_number_chars && !flush())) return false;
    pending_size_ = static_cast<std::size_t>(to_chars(pending_ + pending_size_, n) - pending_);
    return complete();
  }
  bool start(char bracket) {
    if (!begin() || !put(bracket)) return false;
    ++depth_;
    return true;
  }
  bool end(char bracket) {
    --depth_;
    const bool empty = pending_[pending_size_ - 1] !=
                       ',';  // what was put last is never handed over before more comes
    if (!empty) --pending_size_;
    return (indent_ == 0 || empty || new_line()) && put(bracket) && complete();
  }
  bool complete() { return depth_ != 0 ? put(',') : flush(); }

  /// Before a name, or a value that has none: where it stands.
  bool begin() {
    if (indent_ == 0 || depth_ == 0) return true;
    if (!after_name_) return new_line();
    after_name_ = false;
    return true;
  }
  bool name_written() {
    after_name_ = true;
    return put(' ');
  }
  bool new_line() {
    if (!put('\n')) return false;
    for (std::size_t i = 0; i < depth_ * indent_; ++i) {
      if (!put(' ')) return false;
    }
    return true;
  }

  bool quoted(std::string_view text) {
    const char* p = text.data();
    const char* const last = p + text.size();
    // Most strings are short and have nothing to escape.
    if (text.size() + 2 <= sizeof pending_ - pending_size_) {
      char* to = pending_ + pending_size_;
      if (core::copy_plain(to + 1, p, text.size())) {
        to[0] = to[text.size() + 1] = '"';
        pending_size_ += text.size() + 2;
        return true;
      }
    }
    if (!put('"')) return false;
    for (const char* run = p;;) {
      p = core::skip_plain(p, last);
      if (p != last && static_cast<unsigned char>(*p) >= 0x80) {
        const std::size_t length = core::utf8_length(p, last);
        if (length == 0) return fail(errc::invalid_utf8);
        p += length;
        continue;
      }
      if (!put({run, static_cast<std::size_t>(p - run)})) return false;
      if (p == last) return put('"');
      if (!escaped(*p)) return false;
      run = ++p;
    }
  }
  bool escaped(char c) {
    constexpr std::string_view characters = "\"\\\b\f\n\r\t";
    constexpr std::string_view letters = "\"\\bfnrt";
    const std::size_t which = characters.find(c);
    if (which != std::string_view::npos) {
      const char two[] = {'\\', letters[which]};
      return put({two, 2});
    }
    constexpr char hex[] = "0123456789abcdef";
    const char six[] = {'\\', 'u', '0', '0', hex[static_cast<unsigned char>(c) >> 4], hex[c & 15]};
    return put({six, 6});
  }

  bool put(char c) {
    if (pending_size_ == sizeof pending_ && !flush()) return false;
    pending_[pending_size_++] = c;
    return true;
  }
  bool put(std::string_view text) {
    if (text.size() > sizeof pending_ - pending_size_) {
      if (!flush()) return false;
      if (text.size() > sizeof pending_) return hand_over(text);
    }
    if (!text.empty()) std::memcpy(pending_ + pending_size_, text.data(), text.size());
    pending_size_ += text.size();
    return true;
  }
  bool flush() {
    const std::size_t size = pending_size_;
    pending_size_ = 0;
    return hand_over({pending_, size});
  }
  bool hand_over(std::string_view text) {
    return append_(out_, text.data(), text.size()) || fail(errc::out_of_memory);
  }

  void* out_;
  bool (*append_)(void*, const char*, std::size_t);
  unsigned indent_;
  std::size_t depth_ = 0;
  bool after_name_ = false;  ///< a member's name was just written; told in indented text only
  errc failure_ = errc::ok;
  std::size_t pending_size_ = 0;
  char pending_[256];
};

// ---------------------------------------------------------------------------------------------

namespace core {

template <class Value, class Output>
error write_text(const Value& source, Output& out, const write_options& options) {
  // Also takes back what was written when the output throws, as std::string does for want of
  // memory.
  struct undo {
    Output& out;
    std::size_t size;
    bool armed = true;
    ~undo() {
      if (armed) out.resize(size);
    }
  } restore{out, out.size()};
  text_writer writer(out, options.indent);
  walk_memory<Value> memory(options.memory);
  error failure = emit(source, writer, nulls::emit, options.max_depth, memory);
  restore.armed = static_cast<bool>(failure);
  return failure;
}

}  // namespace core

namespace functions {

template <class Source, class Output>
error write(const Source& source, Output& out, const write_options& options) {
  static_assert(base::is_output<Output>,
                "json::write: the output needs append(const char*, std::size_t), size() and "
                "resize(std::size_t)");
  if constexpr (base::is_output<Output>) {
    return core::write_text(core::value_of(source), out, options);
  } else {
    return errc::handler_stopped;
  }
}

}  // namespace functions

}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
