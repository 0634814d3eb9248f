/// Words of eight bytes, single bits of them, and short runs of bytes.
#pragma once

#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint64_t
#include <cstring>  // std::memcpy, std::memcmp

#include "inline.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace base {

inline int lowest_bit(std::uint64_t bits) noexcept {  // bits are not 0
#if defined(__GNUC__)
  return __builtin_ctzll(bits);
#else
  int at = 0;
  for (; (bits & 1) == 0; bits >>= 1) ++at;
  return at;
#endif
}
inline int highest_bit(std::uint64_t bits) noexcept {  // bits are not 0
#if defined(__GNUC__)
  return 63 - __builtin_clzll(bits);
#else
  int at = 0;
  while ((bits >>= 1) != 0) ++at;
  return at;
#endif
}

/// Returns how many bits are set.
inline std::size_t count_bits(std::uint64_t bits) noexcept {
  bits -= (bits >> 1) & 0x5555555555555555u;
  bits = (bits & 0x3333333333333333u) + ((bits >> 2) & 0x3333333333333333u);
  bits = (bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
  return static_cast<std::size_t>((bits * 0x0101010101010101u) >> 56);
}

/// Eight bytes as a number whose lowest byte is the first.
inline std::uint64_t first_lowest(const char* p) noexcept {
  std::uint64_t word;
  std::memcpy(&word, p, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

/// Whether any of eight bytes is `c`.
inline bool any_byte(std::uint64_t word, char c) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101u;
  const std::uint64_t x = word ^ (ones * static_cast<unsigned char>(c));
  return ((x - ones) & ~x & (ones * 0x80)) != 0;
}

/// Eight bytes, in the machine's order.
DEVICETWIN_ALWAYS_INLINE std::uint64_t load_8(const void* from) noexcept {
  std::uint64_t word;
  std::memcpy(&word, from, 8);
  return word;
}

/// The bits that differ in the eight bytes from `at`.
DEVICETWIN_ALWAYS_INLINE std::uint64_t differ_8(const char* a, const char* b,
                                                std::size_t at) noexcept {
  return load_8(a + at) ^ load_8(b + at);
}
/// Whether the first and the last 16 of at least 16 bytes are equal.
DEVICETWIN_ALWAYS_INLINE bool same_ends(const char* a, const char* b, std::size_t length) noexcept {
  return (differ_8(a, b, 0) | differ_8(a, b, 8) | differ_8(a, b, length - 16) |
          differ_8(a, b, length - 8)) == 0;
}
/// Equal bytes. Names and twins' texts are short: a call would be the larger part.
DEVICETWIN_ALWAYS_INLINE bool same_bytes(const char* a, const char* b,
                                         std::size_t length) noexcept {
  if (length - 16 <= 16)
    return same_ends(a, b, length);  // the most of those that are not in their values
  if (length > 64) return std::memcmp(a, b, length) == 0;
  if (length > 32) {
    for (std::size_t i = 16; i + 16 < length; i += 16) {
      if ((differ_8(a, b, i) | differ_8(a, b, i + 8)) != 0) return false;
    }
    return same_ends(a, b, length);
  }
  if (length >= 8) return (differ_8(a, b, 0) | differ_8(a, b, length - 8)) == 0;
  for (std::size_t i = 0; i < length; ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

/// memcpy for what is mostly short.
inline void copy_bytes(char* to, const char* from, std::size_t length) noexcept {
  if (length - 16 <= 48) {
    for (std::size_t i = 0; i + 16 < length; i += 16) std::memcpy(to + i, from + i, 16);
    std::memcpy(to + length - 16, from + length - 16, 16);
  } else if (length - 8 < 8) {
    std::memcpy(to, from, 8);
    std::memcpy(to + length - 8, from + length - 8, 8);
  } else if (length != 0) {
    std::memcpy(to, from, length);
  }
}

}  // namespace base
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
