/// Is a text JSON, as strictly as the reader has it? A quick yes, or: ask the reader, who also knows what is wrong.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <cstring>      // std::memcmp
#include <string_view>  // std::string_view

#include "../memory.hpp"
#include "../number.hpp"
#include "escape.hpp"
#include "names.hpp"
#include "scan.hpp"
#include "stack.hpp"
#include "text.hpp"
#include "tokens.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace detail {

/// True when a string, from behind its opening quote to its closing one, is one that the reader accepts.
inline bool is_valid_string(const char* p, const char* end) noexcept {
  for (;;) {
    p = skip_plain(p, end);
    if (p == end) return true;
    const auto c = static_cast<unsigned char>(*p);
    if (c == '\\') {
      char decoded[4];
      std::size_t length;
      const escape_end read = read_escape(p, end, decoded, length);
      if (read.code != errc::ok) return false;
      p = read.end;
    } else if (c < 0x80) {
      return false;  // a control character, or a quote
    } else {
      const std::size_t length = utf8_length(p, end);
      if (length == 0) return false;
      p += length;
    }
  }
}

/// To behind the number at `p`; null when it is none, or too large for a double. Reads on while there are digits,
/// so something else must follow somewhere.
inline const char* skip_valid_number(const char* p) noexcept {
  const auto digit = [](char c) { return static_cast<unsigned char>(c - '0') < 10; };
  const char* const start = p;
  if (*p == '-') ++p;
  if (!digit(*p)) return nullptr;
  if (*p++ != '0') {
    while (digit(*p)) ++p;
  }
  if (*p == '.') {
    if (!digit(*++p)) return nullptr;
    while (digit(*p)) ++p;
  }
  if ((*p | 0x20) == 'e' || p - start > 300) {
    const char* end = p;
    while (digit(*end) || *end == 'e' || *end == 'E' || *end == '+' || *end == '-') ++end;
    number ignored;
    const number_end read = parse_number(start, end, ignored);
    return read.code == errc::ok ? read.end : nullptr;
  }
  return p;
}

/// To behind the number or literal at `p`; null when it is none. What is before `end` must not end in a digit.
inline const char* skip_valid_plain(const char* p, const char* end) noexcept {
  const auto left = static_cast<std::size_t>(end - p);
  if (*p == 't') return left >= 4 && std::memcmp(p, "true", 4) == 0 ? p + 4 : nullptr;
  if (*p == 'f') return left >= 5 && std::memcmp(p, "false", 5) == 0 ? p + 5 : nullptr;
  if (*p == 'n') return left >= 4 && std::memcmp(p, "null", 4) == 0 ? p + 4 : nullptr;
  return skip_valid_number(p);
}

/// Goes over a text and checks everything, strings by the block. It knows no place and no cause of an error, and
/// nothing of names with escapes; that keeps it quick. Of names it keeps hashes only.
class quick_validator {
 public:
  quick_validator(std::string_view text, std::size_t max_depth, const memory_source& memory) noexcept
      : text_(text),
        end_(text.data() + text.size()),
        max_depth_(max_depth),
        frames_(memory),
        names_(memory),
        index_(memory) {}

  /// True when the text is an array or object, and valid for certain.
  bool sure() {
    const char* p = skip_space(text_.data(), end_);
    while (p != end_ && is_space(end_[-1])) --end_;
    // With a bracket at the end of the text, which no string, number or space runs over, nothing below has to look
    // for the end.
    if (end_ - p < 2 || (*p != '{' && *p != '[') || (end_[-1] != '}' && end_[-1] != ']') || !open(p)) return false;
    while (!frames_.empty()) {
      p = frames_.back().object ? members(p) : elements(p);
      if (p == nullptr) return false;
    }
    return p == end_;
  }

 private:
  struct frame {
    bool object;
    size_type count;  ///< of members or elements
    std::size_t first_name;
  };

  // All of these give where to go on, or null when the text may be invalid.

  /// From behind an opening brace, or a value in an object, to behind what is opened or closed next.
  const char* members(const char* p) {
    frame& top = frames_.back();
    size_type count = top.count;
    std::uint64_t quotes = quotes_;  // here, not in memory: the next one is waited for
    if (count != 0 && p == end_) return nullptr;  // behind no other value: the text ends with a bracket
    if (count != 0) goto behind_value;  // NOLINT: the other way round would test it for every member
    if (is_space(*p)) p = skip_space(p, end_);
    if (*p == '}') return close(top, p);  // no quotes were passed
    for (;;) {
      if (*p != '"' || next_quote(quotes) != p) return nullptr;
      {
        const char* const name = p + 1;
        escapes_ = to_check_ && blocks_[at_].escapes != 0;
        p = next_quote(quotes);
        ++count;
        if (p == nullptr || !note({name, static_cast<std::size_t>(p - name)})) return nullptr;
      }
      if (*++p != ':') p = skip_space(p, end_);
      if (*p != ':') return nullptr;
      if (is_space(*++p)) p = skip_space(p, end_);
      if (*p == '{' || *p == '[') {
        top.count = count;
        quotes_ = quotes;
        return open(p) ? p : nullptr;
      }
      p = scalar(p, quotes);
      if (p == nullptr) return nullptr;
    behind_value:
      if (*p != ',') {
        if (is_space(*p)) p = skip_space(p, end_);
        if (*p == '}') {
          top.count = count;
          quotes_ = quotes;
          return close(top, p);
        }
        if (*p != ',') return nullptr;
      }
      if (*++p != '"') p = skip_space(p, end_);
    }
  }
  const char* elements(const char* p) {
    frame& top = frames_.back();
    if (top.count == 0) {
      p = skip_space(p, end_);
      if (*p == ']') return close(top, p);
    }
    for (;; ++top.count) {
      if (top.count != 0) {
        p = skip_space(p, end_);
        if (p == end_) return nullptr;
        if (*p == ']') return close(top, p);
        if (*p != ',') return nullptr;
        p = skip_space(p + 1, end_);
      }
      if (*p == '{' || *p == '[') {
        ++top.count;
        return open(p) ? p : nullptr;
      }
      if ((p = scalar(p, quotes_)) == nullptr) return nullptr;
    }
  }

  bool open(const char*& p) {
    return frames_.size() < max_depth_ && frames_.push({*p++ == '{', 0, names_.size()});
  }
  const char* close(const frame& top, const char* p) {
    if (top.object && top.count > 1 && !differ(names_.data() + top.first_name, top.count)) return nullptr;
    names_.truncate(top.first_name);
    frames_.pop();
    return p + 1;
  }

  DEVICETWIN_ALWAYS_INLINE const char* scalar(const char* p, std::uint64_t& quotes) noexcept {
    if (*p != '"') return skip_valid_plain(p, end_);
    // What is in a string is checked with the blocks.
    if (next_quote(quotes) != p) return nullptr;
    const char* const last = next_quote(quotes);
    return last == nullptr ? nullptr : last + 1;
  }
  /// `quotes` are those of the block at hand that were not gone to yet.
  DEVICETWIN_ALWAYS_INLINE const char* next_quote(std::uint64_t& quotes) noexcept {
    while (quotes == 0) {
      if (at_ + 1 < count_ && !to_check_) {  // mostly
        first_ += block_size;
        quotes = blocks_[++at_].quote;
      } else if (next_blocks()) {
        quotes = quotes_;
      } else {
        return nullptr;
      }
    }
    const char* const quote = first_ + lowest_bit(quotes);
    quotes &= quotes - 1;
    return quote;
  }

  /// Goes to the next block that has a quote. False at the end, and when a string is not valid.
  DEVICETWIN_NEVER_INLINE bool next_blocks() noexcept {
    do {
      if (++at_ >= count_ && !scan()) return false;
      first_ += block_size;
      if (to_check_ && !check(blocks_[at_])) return false;
      quotes_ = blocks_[at_].quote;
      if (to_check_) escapes_ = escapes_ || blocks_[at_].escapes != 0;
    } while (quotes_ == 0);
    return true;
  }
  bool scan() noexcept {
    start_ += count_ * block_size;
    at_ = count_ = 0;
    if (start_ >= text_.size()) return false;
    const std::size_t left = text_.size() - start_;
    first_ = text_.data() + start_ - block_size;  // next_blocks() adds that
    count_ = left / block_size;
    if (count_ > most) count_ = most;
    if (count_ != 0) {
      to_check_ = level().strings(text_.data() + start_, count_, state_, blocks_);
      return true;
    }
    char padded[block_size];
    std::memset(padded, ' ', sizeof padded);
    std::memcpy(padded, text_.data() + start_, left);
    to_check_ = level().strings(padded, count_ = 1, state_, blocks_);
    return true;
  }

  /// Escape sequences and UTF-8 of a block, which may reach into the next.
  bool check(const string_block& block) noexcept {
    if (block.forbidden != 0) return false;
    for (std::uint64_t left = block.escapes; left != 0; left &= left - 1) {
      const char* const p = first_ + lowest_bit(left);
      if (p < checked_escapes_) continue;
      char decoded[4];
      std::size_t length;
      const escape_end read = read_escape(p, end_, decoded, length);
      if (read.code != errc::ok) return false;
      checked_escapes_ = read.end;
    }
    for (std::uint64_t left = block.not_ascii; left != 0; left &= left - 1) {
      const char* const p = first_ + lowest_bit(left);
      if (p < checked_utf8_) continue;
      const std::size_t length = utf8_length(p, end_);
      if (length == 0) return false;
      checked_utf8_ = p + length;
    }
    return true;
  }

  /// Quick. Two names of up to 24 bytes hardly ever have the same; longer ones may, if they differ in between only,
  /// which costs time: the reader decides then.
  static std::uint64_t hash_some(std::string_view name) noexcept {
    const char* const p = name.data();
    const std::size_t size = name.size();
    std::uint64_t a = 0, b = 0;
    if (size >= 8) {
      std::memcpy(&a, p, 8);
      std::memcpy(&b, p + size - 8, 8);
      if (size > 16) a ^= load_8(p + size / 2 - 4) * 0xFF51AFD7ED558CCDu;
    } else if (size >= 4) {
      std::memcpy(&a, p, 4);
      std::memcpy(&b, p + size - 4, 4);
    } else if (size != 0) {
      a = static_cast<unsigned char>(p[0]) | static_cast<unsigned>(static_cast<unsigned char>(p[size / 2])) << 8;
      b = static_cast<unsigned char>(p[size - 1]);
    }
    const std::uint64_t hash = (a ^ size) * 0x9E3779B97F4A7C15u + b * 0xC2B2AE3D27D4EB4Fu;
    return hash ^ hash >> 32;
  }

  /// Keeps the hash of a name. False when it has escapes, or memory ran out.
  DEVICETWIN_ALWAYS_INLINE bool note(std::string_view name) {
    return !(escapes_ && has_escapes(name)) && names_.push(hash_some(name));
  }

  /// Whether all names are different for certain, because their hashes are.
  bool differ(const std::uint64_t* hashes, size_type count) {
    constexpr size_type few = 128;
    if (count > few) {
      index_.truncate(0);
      return surely_distinct(count, index_, [hashes](size_type i) noexcept { return hashes[i]; });
    }
    std::uint64_t bits[16] = {};
    for (size_type i = 0; i < count; ++i) {
      std::uint64_t& word = bits[hashes[i] >> 60];
      const std::uint64_t bit = std::uint64_t{1} << (hashes[i] >> 54 & 63);
      if ((word & bit) != 0 && repeats(hashes, i)) return false;
      word |= bit;
    }
    return true;
  }
  DEVICETWIN_NEVER_INLINE static bool repeats(const std::uint64_t* hashes, size_type at) noexcept {
    for (size_type i = 0; i < at; ++i) {
      if (hashes[i] == hashes[at]) return true;
    }
    return false;
  }

  static constexpr std::size_t most = 16;

  std::string_view text_;
  const char* end_;
  std::size_t max_depth_;
  bool escapes_ = false;         ///< there are some in the blocks of the name at hand
  std::uint64_t quotes_ = 0;     ///< of the block at hand, those not gone to yet
  const char* first_ = nullptr;  ///< where that begins
  bool to_check_ = false;        ///< some block at hand has more than plain ASCII in strings
  std::size_t at_ = 0;           ///< its index
  std::size_t count_ = 0;        ///< blocks at hand
  std::size_t start_ = 0;        ///< where the first of them begins
  const char* checked_escapes_ = nullptr;  ///< up to here
  const char* checked_utf8_ = nullptr;
  scan_state state_;
  string_block blocks_[most];
  stack<frame, 16> frames_;
  stack<std::uint64_t, 32> names_;  ///< hashes of the names of all open objects
  index_memory index_;
};

}  // namespace detail
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
