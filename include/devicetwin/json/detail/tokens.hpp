/// Moving over JSON text without a tree: strings, values, names, and what two of them have in common.
///
/// Everything here takes text on trust and stays within its bounds whatever the bytes are: a null pointer is
/// the answer where the text cannot be JSON, and what is not looked at is not noticed.
#pragma once

#include <cstddef>      // std::size_t
#include <cstring>      // std::memcmp
#include <string_view>  // std::string_view

#include "../number.hpp"
#include "../value.hpp"
#include "escape.hpp"
#include "scalar.hpp"
#include "scan.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace detail {

inline bool is_space(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

inline const char* skip_space(const char* p, const char* end) noexcept {
  while (p != end && is_space(*p)) ++p;
  return p;
}

/// From inside a string to behind its closing quote; null when there is none.
inline const char* skip_string(const char* p, const char* end) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101u;
  constexpr std::uint64_t highs = 0x8080808080808080u;
  for (;;) {
#if !defined(DEVICETWIN_NO_SIMD)
    while (end - p >= 8) {
      const std::uint64_t word = first_lowest(p);
      const std::uint64_t quote = word ^ (ones * '"');
      const std::uint64_t backslash = word ^ (ones * '\\');
      const std::uint64_t found =
          (((quote - ones) & ~quote) | ((backslash - ones) & ~backslash)) & highs;
      if (found != 0) {
        p += lowest_bit(found) / 8;  // the lowest bit is exact
        break;
      }
      p += 8;
    }
#else
    static_cast<void>(ones);
    static_cast<void>(highs);
#endif
    while (p != end && *p != '"' && *p != '\\') ++p;
    if (p == end) return nullptr;
    if (*p == '"') return p + 1;
    if (end - p < 2) return nullptr;
    p += 2;
  }
}

/// From inside a container, `depth` levels of which are to be left, to behind the last closing bracket; null
/// when there is none. `end` bounds both what is looked at and what is read.
inline const char* leave_containers(const char* p, const char* end, std::size_t depth) noexcept {
  constexpr std::size_t batch = 8;
  scan_state state;
  scan_block found[batch];
  const scan_level& use = level();
  while (p != end) {
    const std::size_t left = static_cast<std::size_t>(end - p);
    std::size_t blocks = left / block_size;
    std::size_t bytes;
    if (blocks == 0) {
      char padded[block_size];
      std::memset(padded, ' ', sizeof padded);
      std::memcpy(padded, p, left);
      use.scan(padded, 1, state, found);
      blocks = 1;
      bytes = left;
    } else {
      if (blocks > batch) blocks = batch;
      use.scan(p, blocks, state, found);
      bytes = blocks * block_size;
    }
    for (std::size_t i = 0; i < blocks; ++i) {
      const std::uint64_t open = found[i].open;
      std::uint64_t close = found[i].close;
      std::size_t closed = 0;  // in this block so far
      while (close != 0) {
        // Only the closing brackets can end it; count the opening ones before each.
        const std::uint64_t one = close & (0 - close);
        const std::uint64_t before = open & (one - 1);
        ++closed;
        const std::size_t opened = static_cast<std::size_t>(count_bits(before));
        if (depth + opened == closed) return p + i * block_size + lowest_bit(one) + 1;
        close &= close - 1;
      }
      depth += static_cast<std::size_t>(count_bits(open));
      depth -= closed;
    }
    p += bytes;
  }
  return nullptr;
}

/// To behind the value that starts at `p`; null when there is none.
inline const char* skip_value(const char* p, const char* end) noexcept {
  if (p == end) return nullptr;
  if (*p == '"') return skip_string(p + 1, end);
  if (*p == '{' || *p == '[') return leave_containers(p + 1, end, 1);
  const char* const start = p;
  while (p != end && *p != ',' && *p != '}' && *p != ']' && *p != ':' && *p != '"' && !is_space(*p)) ++p;
  return p == start ? nullptr : p;
}

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
      const escape_end read = read_escape(p_, end_, decoded_, length_);
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
  if (!has_escapes(a) && !has_escapes(b)) return false;
  plain_bytes x(a), y(b);
  for (;;) {
    const int c = x.next();
    if (c != y.next()) return false;
    if (c < 0) return true;
  }
}

/// Whether two scalars mean the same.
inline bool same_scalar_text(std::string_view a, std::string_view b, number_equality rule) noexcept {
  if (a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0) return true;
  if (a.empty() || b.empty()) return false;
  if (a.front() == '"') {
    return b.front() == '"' && a.size() >= 2 && b.size() >= 2 &&
           same_string(a.substr(1, a.size() - 2), b.substr(1, b.size() - 2));
  }
  const auto is_number = [](std::string_view text) {
    return text.front() == '-' || is_digit(text.front());
  };
  if (!is_number(a) || !is_number(b)) return false;
  number x, y;
  return parse_number(a.data(), a.data() + a.size(), x).code == errc::ok &&
         parse_number(b.data(), b.data() + b.size(), y).code == errc::ok && same_number(x, y, rule);
}

}  // namespace detail
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
