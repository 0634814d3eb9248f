/// Moving over JSON text without a tree: strings, values, names, and what two of them have in
/// common.
///
/// Everything here takes text on trust and stays within its bounds whatever the bytes are: a null
/// pointer is the answer where the text cannot be JSON, and what is not looked at is not noticed.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <cstring>      // std::memchr, std::memcmp, std::memcpy, std::memset
#include <string_view>  // std::string_view

#include "../../base/bits.hpp"
#include "../../base/inline.hpp"
#include "../detail/escape.hpp"
#include "../number_text.hpp"
#include "../tree/scalar.hpp"
#include "../tree/tuning.hpp"
#include "../value.hpp"
#include "scan.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

inline bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

/// From one space to behind all of them. Most are the line break and the indentation of a text that
/// is laid out for people.
inline const char* skip_spaces(const char* p, const char* end) noexcept {
  do {
    ++p;
#if !defined(DEVICETWIN_SMALL)
    constexpr std::uint64_t spaces = 0x2020202020202020u;
    while (end - p >= 8) {
      const std::uint64_t others = base::first_lowest(p) ^ spaces;
      p += others == 0 ? 8 : base::lowest_bit(others) / 8;
      if (others != 0) break;
    }
#endif
  } while (p != end && is_space(*p));
  return p;
}
inline const char* skip_space(const char* p, const char* end) noexcept {
  return p != end && is_space(*p) ? skip_spaces(p, end) : p;
}

/// The next quote or backslash from `p` on, or `end`.
inline const char* find_quote(const char* p, const char* end) noexcept {
#if !defined(DEVICETWIN_SMALL)
  constexpr std::uint64_t ones = 0x0101010101010101u;
  constexpr std::uint64_t highs = 0x8080808080808080u;
  for (; end - p >= 8; p += 8) {
    const std::uint64_t word = base::first_lowest(p);
    const std::uint64_t quote = word ^ (ones * '"');
    const std::uint64_t backslash = word ^ (ones * '\\');
    const std::uint64_t found =
        (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash)) & highs;
    if (found != 0) return p + base::lowest_bit(found) / 8;  // the lowest bit is exact
  }
#endif
  while (p != end && *p != '"' && *p != '\\') ++p;
  return p;
}

/// From inside a string to behind its closing quote; null when there is none.
inline const char* skip_string(const char* p, const char* end) noexcept {
  if constexpr (base::shortcuts) {
    const void* const quote = std::memchr(p, '"', static_cast<std::size_t>(end - p));
    if (quote == nullptr) return nullptr;
    const char* const last = static_cast<const char*>(quote);
    if (std::memchr(p, '\\', static_cast<std::size_t>(last - p)) == nullptr) return last + 1;
  }
  for (;;) {
    p = find_quote(p, end);
    if (p == end) return nullptr;
    if (*p == '"') return p + 1;
    if (end - p < 2) return nullptr;
    p += 2;
  }
}

/// How many of eight bytes are digits before one that is none; 0 when all are.
DEVICETWIN_ALWAYS_INLINE int leading_digits(std::uint64_t word) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101u;
  const std::uint64_t x = word ^ (ones * '0');
  const std::uint64_t others = (((x & (ones * 0x7F)) + ones * (0x80 - 10)) | x) & (ones * 0x80);
  return others == 0 ? 0 : base::lowest_bit(others) / 8;
}
/// To behind a number of at most seven digits before a dot, and after one, without exponent; null
/// for any other, and close to the end. What follows is not looked at.
DEVICETWIN_ALWAYS_INLINE const char* skip_short_number(const char* p, const char* end) noexcept {
  if (end - p < 18) return nullptr;
  p += *p == '-' ? 1 : 0;
  const std::uint64_t word = base::first_lowest(p);
  int digits = leading_digits(word);
  if (digits == 0 || (digits > 1 && (word & 0xFF) == '0')) return nullptr;
  p += digits;
  if (*p == '.') {
    digits = leading_digits(base::first_lowest(++p));
    if (digits == 0) return nullptr;
    p += digits;
  }
  return (*p | 0x20) == 'e' ? nullptr : p;
}

/// The structure of one text, block by block, as far as it was asked for and a little further.
/// Places asked for are starts of tokens, mostly in order; what is around the last ones is at hand.
class text_structure {
 public:
  void reset(std::string_view text) noexcept {
    text_ = text;
    start_ = count_ = 0;
  }

  /// A walk over blocks: for (cursor c = structure.at(p); c.block != nullptr; structure.next(c)).
  /// The bits that count are those of c.bits, which leaves out what stands before `p`.
  struct cursor {
    const scan_block* block;  ///< null at the end of the text
    std::uint64_t bits;
    const char* first;  ///< where the block begins
  };
  cursor at(const char* p) noexcept {
    std::size_t at = static_cast<std::size_t>(p - text_.data()) - start_;
    if (at >= count_ * block_size) {  // also when it is before start_
      start_ += at;
      if (!restart()) return {nullptr, 0, nullptr};
      at = 0;
    }
    return {blocks_ + at / block_size, ~std::uint64_t{0} << at % block_size, p - at % block_size};
  }
  void next(cursor& c) noexcept { pass(c, 1); }
  /// How many blocks from that of `c` on are at hand, one after the other.
  std::size_t at_hand(const cursor& c) const noexcept {
    return static_cast<std::size_t>(blocks_ + count_ - c.block);
  }
  /// Moves over blocks at hand.
  void pass(cursor& c, std::size_t blocks) noexcept {
    c.first += blocks * block_size;
    c.bits = ~std::uint64_t{0};
    c.block += blocks;
    if (c.block == blocks_ + count_) c.block = more();
  }

  /// To behind the string that starts at `p`; null when it does not end.
  const char* skip_string(const char* p) noexcept {
    const std::size_t offset = static_cast<std::size_t>(p - text_.data()) - start_;
    if (base::shortcuts &&
        offset < count_ * block_size) {  // mostly, all of it is in one block at hand
      const std::size_t place = offset % block_size;
      const std::uint64_t quotes =
          blocks_[offset / block_size].quote & (~std::uint64_t{1} << place);
      if (quotes != 0) return p - place + base::lowest_bit(quotes) + 1;
    }
    return skip_long_string(p);
  }
  /// To behind the number or literal that starts at `p`; null when there is none.
  const char* skip_plain_scalar(const char* p) noexcept {
    const char* end = text_.data() + text_.size();
    for (cursor c = at(p); c.block != nullptr; next(c)) {
      const std::uint64_t stops =
          (c.block->close | c.block->comma | c.block->open | c.block->quote) & c.bits;
      if (stops != 0) {
        end = c.first + base::lowest_bit(stops);
        break;
      }
    }
    while (end != p && is_space(end[-1])) --end;
    return end == p ? nullptr : end;
  }
  /// The next comma or bracket from `p` on, which is in no string; null when there is none.
  const char* next_separator(const char* p) noexcept {
    for (cursor c = at(p); c.block != nullptr; next(c)) {
      const std::uint64_t found = (c.block->close | c.block->comma | c.block->open) & c.bits;
      if (found != 0) return c.first + base::lowest_bit(found);
    }
    return nullptr;
  }
  /// From inside a container to behind its closing bracket; null when there is none.
  const char* leave_container(const char* p) noexcept {
    std::size_t depth = 1;
    for (cursor c = at(p); c.block != nullptr; next(c)) {
      std::uint64_t opening = c.block->open & c.bits;
      // Most containers inside are closed in the block that opens them.
      for (std::uint64_t closing = c.block->close & c.bits; closing != 0; closing &= closing - 1) {
        const std::uint64_t below = (closing - 1) & ~closing;
        std::uint64_t own = opening & below;
        opening &= ~below;
        if (own == 0) {
          if (--depth == 0) return c.first + base::lowest_bit(closing) + 1;
        } else {
          while ((own &= own - 1) != 0) ++depth;
        }
      }
      for (; opening != 0; opening &= opening - 1) ++depth;
    }
    return nullptr;
  }
  /// To behind the value that starts at `p`; null when there is none.
  const char* skip_value(const char* p) noexcept {
    if (*p == '"') return skip_string(p);
    if (*p == '{' || *p == '[') return leave_container(p + 1);
    return skip_plain_scalar(p);
  }

 private:
  static constexpr std::size_t most = tuning::text_blocks;  // at hand

  DEVICETWIN_NEVER_INLINE const char* skip_long_string(const char* p) noexcept {
    cursor c = at(p);
    c.bits &= c.bits - 1;  // not its first quote
    for (; c.block != nullptr; next(c)) {
      const std::uint64_t quotes = c.block->quote & c.bits;
      if (quotes != 0) return c.first + base::lowest_bit(quotes) + 1;
    }
    return nullptr;
  }

  bool restart() noexcept {
    count_ = 0;
    state_ = {};
    ahead_ = 1;
    return scan();
  }
  /// Scans on behind the last block at hand and gives the first new one; null at the end of the
  /// text.
  const scan_block* more() noexcept {
    if (count_ + 1 > most - most / 4) {  // keep some: what was passed may be asked for again
      constexpr std::size_t kept = most < 16 ? most / 4 : 4;
      std::memcpy(static_cast<void*>(blocks_), blocks_ + count_ - kept, kept * sizeof(scan_block));
      start_ += (count_ - kept) * block_size;
      count_ = kept;
    }
    const std::size_t before = count_;
    return scan() ? blocks_ + before : nullptr;
  }
  /// Scans some blocks more. False at the end of the text.
  bool scan() noexcept {
    const std::size_t from = start_ + count_ * block_size;
    if (from >= text_.size()) return false;
    const std::size_t left = text_.size() - from;
    if (ahead_ < most / 2) ahead_ *= 2;
    std::size_t blocks = left / block_size;
    if (blocks > ahead_) blocks = ahead_;
    if (blocks > most - count_) blocks = most - count_;
    if (blocks != 0) {
      level().scan(text_.data() + from, blocks, state_, blocks_ + count_);
    } else {
      char padded[block_size];
      std::memset(padded, ' ', sizeof padded);
      std::memcpy(padded, text_.data() + from, left);
      level().scan(padded, blocks = 1, state_, blocks_ + count_);
    }
    count_ += blocks;
    return true;
  }

  std::string_view text_;
  std::size_t start_ = 0;  ///< of the first block at hand
  std::size_t count_ = 0;  ///< blocks at hand
  std::size_t ahead_ = 1;  ///< how many were asked for last
  scan_state state_;       ///< behind the last block
  scan_block blocks_[most];
};

/// The characters of a string of JSON text, escapes resolved, one byte at a time.
class plain_bytes {
 public:
  /// What stands between the quotes.
  explicit plain_bytes(std::string_view raw) noexcept : p_(raw.data()), end_(p_ + raw.size()) {}

  /// The next byte, 0 to 255, or -1 at the end.
  int next() noexcept {
    if (taken_ != length_) return static_cast<unsigned char>(decoded_[taken_++]);
    if (p_ == end_) return -1;
    if (*p_ == '\\') {
      const detail::escape_end read = detail::read_escape(p_, end_, decoded_, length_);
      if (read.code == errc::ok) {
        p_ = read.end;
        taken_ = 1;
        return static_cast<unsigned char>(decoded_[0]);
      }
      taken_ = length_ = 0;  // not JSON: the backslash stands for itself
    }
    return static_cast<unsigned char>(*p_++);
  }

 private:
  const char* p_;
  const char* end_;
  std::size_t taken_ = 0;
  std::size_t length_ = 0;
  char decoded_[4];
};

inline bool has_escapes(std::string_view raw) noexcept {
  return !raw.empty() && std::memchr(raw.data(), '\\', raw.size()) != nullptr;
}

/// Whether two strings, each what stands between its quotes, mean the same.
inline bool same_string(std::string_view a, std::string_view b) noexcept {
  if (a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0) return true;
  // No escape sequence has more than six bytes for each byte it stands for. So comparing a name
  // with many others costs no more than these are long, however long it is itself.
  if (a.size() / 6 > b.size() || b.size() / 6 > a.size()) return false;
  if (!has_escapes(a) && !has_escapes(b)) return false;
  plain_bytes x(a), y(b);
  for (;;) {
    const int c = x.next();
    if (c != y.next()) return false;
    if (c < 0) return true;
  }
}

/// Whether two scalars mean the same.
inline bool same_scalar_text(std::string_view a, std::string_view b, number_equality rule,
                             text_numbers texts) noexcept {
  if (a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0) return true;
  if (a.empty() || b.empty()) return false;
  if (a.front() == '"') {
    return b.front() == '"' && a.size() >= 2 && b.size() >= 2 &&
           same_string({a.data() + 1, a.size() - 2}, {b.data() + 1, b.size() - 2});
  }
  const auto is_number = [](std::string_view text) {
    return text.front() == '-' || is_digit(text.front());
  };
  if (!is_number(a) || !is_number(b) || !same_number_text(a, b, texts)) return false;
  return rule == number_equality::by_value || detail::same_number_type(a, b);
}

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
