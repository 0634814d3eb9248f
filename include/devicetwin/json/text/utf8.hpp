/// Looking at the bytes of strings, eight at a time.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <cstring>      // std::memcpy
#include <string_view>  // std::string_view

#include "../../base/inline.hpp"
#include "../error.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

/// Eight bytes at once: which of them end the run of plain ASCII in a string? The highest bit of
/// each byte that is '"', '\\', a control character or not ASCII is set; a bit above such a byte
/// may be wrong.
inline std::uint64_t special_bytes(std::uint64_t word) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101u;
  constexpr std::uint64_t highs = 0x8080808080808080u;
  // Each difference of an ASCII byte has its highest bit set only when it went below zero.
  const std::uint64_t quote = (word ^ (ones * '"')) - ones;
  const std::uint64_t backslash = (word ^ (ones * '\\')) - ones;
  const std::uint64_t control = word - ones * 0x20;
  return (quote | backslash | control | word) & highs;
}
/// The highest bits of eight bytes next to each other; the other bits are 0.
inline unsigned byte_bits(std::uint64_t highest) noexcept {
  return static_cast<unsigned>((highest * 0x0002040810204081u) >> 56);
}
inline std::uint64_t special_bytes(const char* p) noexcept {
  std::uint64_t word;
  std::memcpy(&word, p, 8);
  return special_bytes(word);
}

/// Copies a text of plain ASCII that needs no escape. False when it is none; then a part has been
/// copied.
inline bool copy_plain(char* to, const char* from, std::size_t length) noexcept {
  if (length >= 8) {
    for (std::size_t i = 0;;
         i = length - 8 - i < 8 ? length - 8 : i + 8) {  // the last eight may overlap
      std::uint64_t word;
      std::memcpy(&word, from + i, 8);
      if (special_bytes(word) != 0) return false;
      std::memcpy(to + i, &word, 8);
      if (i == length - 8) return true;
    }
  }
  if (length >= 4) {
    std::uint32_t first, last;
    std::memcpy(&first, from, 4);
    std::memcpy(&last, from + length - 4, 4);
    if (special_bytes(first | std::uint64_t{last} << 32) != 0) return false;
    std::memcpy(to, &first, 4);
    std::memcpy(to + length - 4, &last, 4);
    return true;
  }
  for (std::size_t i = 0; i < length; ++i) {
    const auto c = static_cast<unsigned char>(from[i]);
    if (c == '"' || c == '\\' || c < 0x20 || c >= 0x80) return false;
    to[i] = from[i];
  }
  return true;
}

/// Whether all characters are good: `good` judges eight at once, and `good_byte` each of fewer.
template <class Good, class GoodByte>
DEVICETWIN_ALWAYS_INLINE bool all_good(const char* p, std::size_t length, Good&& good,
                                       GoodByte&& good_byte) noexcept {
  if (length >= 8) {
    for (std::size_t i = 0;;
         i = length - 8 - i < 8 ? length - 8 : i + 8) {  // the last eight may overlap
      std::uint64_t word;
      std::memcpy(&word, p + i, 8);
      if (!good(word)) return false;
      if (i == length - 8) return true;
    }
  }
  if (length >= 4) {
    std::uint32_t first, last;
    std::memcpy(&first, p, 4);
    std::memcpy(&last, p + length - 4, 4);
    return good(first | std::uint64_t{last} << 32);
  }
  for (std::size_t i = 0; i < length; ++i) {
    if (!good_byte(static_cast<unsigned char>(p[i]))) return false;
  }
  return true;
}

/// Whether a text is plain ASCII that needs no escape and has no control character, U+007F
/// included.
inline bool is_plain(const char* p, std::size_t length) noexcept {
  const auto good = [](std::uint64_t word) {
    constexpr std::uint64_t ones = 0x0101010101010101u;
    return (special_bytes(word) | ((word + ones) & (ones * 0x80))) == 0;
  };
  return all_good(p, length, good,
                  [](unsigned char c) { return c != '"' && c != '\\' && c >= 0x20 && c < 0x7F; });
}

/// Whether all characters are ASCII from `lowest` to `highest`.
template <unsigned char lowest, unsigned char highest>
bool all_between(const char* p, std::size_t length) noexcept {
  static_assert(lowest <= highest && highest < 0x80);
  const auto good = [](std::uint64_t word) {
    // Too low a byte borrows into its highest bit, too high a one carries into it; neighbours of
    // such may be wrong.
    constexpr std::uint64_t ones = 0x0101010101010101u;
    return (((word - ones * lowest) | (word + ones * (0x7F - highest)) | word) & (ones * 0x80)) ==
           0;
  };
  return all_good(p, length, good, [](unsigned char c) { return c >= lowest && c <= highest; });
}

/// Whether a name has only letters, digits and other characters from '0' to '}', as most have. It
/// is the same in a JSON Pointer then.
inline bool is_common_name(std::string_view name) noexcept {
  return all_between<'0', '}'>(name.data(), name.size());
}

/// How many bytes a UTF-8 character has that begins with this byte; 0 when none does.
inline std::size_t utf8_size(unsigned char first) noexcept {
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

/// The length of the UTF-8 character at `p`, or 0 when the bytes there are none: overlong forms,
/// surrogates and anything above U+10FFFF are none (RFC 3629, section 4).
inline std::size_t utf8_length(const char* p, const char* end) noexcept {
  const auto byte = [p](std::size_t i) { return static_cast<unsigned char>(p[i]); };
  const unsigned char first = byte(0);
  const std::size_t length = utf8_size(first);
  if (length < 2) return length;
  if (static_cast<std::size_t>(end - p) < length) return 0;
  const unsigned lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
  const unsigned highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
  if (byte(1) < lowest || byte(1) > highest) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (!is_continuation(p[i])) return 0;
  }
  return length;
}

/// The next byte from `p` on that is '"', '\\', a control character or not ASCII, or `end`.
inline const char* skip_plain(const char* p, const char* end) noexcept {
#if defined(__GNUC__) && defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  // Sixteen at a time, without a branch on where among them a string ends: most do, nobody knows
  // where.
  for (; end - p >= 16; p += 16) {
    const unsigned found = byte_bits(special_bytes(p)) | byte_bits(special_bytes(p + 8)) << 8;
    if (found != 0) return p + __builtin_ctz(found);  // the lowest set bit is exact
  }
#endif
  while (end - p >= 8 && special_bytes(p) == 0) p += 8;
  for (; p != end; ++p) {
    const auto c = static_cast<unsigned char>(*p);
    if (c == '"' || c == '\\' || c < 0x20 || c >= 0x80) break;
  }
  return p;
}

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
