/// Looking at the bytes of strings, eight at a time.
#pragma once

#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint64_t
#include <cstring>  // std::memcpy

#include "../error.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace detail {

/// Eight bytes at once: which of them end the run of plain ASCII in a string? The highest bit of each byte
/// that is '"', '\\', a control character or not ASCII is set; a bit above such a byte may be wrong.
inline std::uint64_t special_bytes(const char* p) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101u;
  constexpr std::uint64_t highs = 0x8080808080808080u;
  std::uint64_t word;
  std::memcpy(&word, p, 8);
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

/// The length of the UTF-8 character at `p`, or 0 when the bytes there are none: overlong forms, surrogates
/// and anything above U+10FFFF are none (RFC 3629, section 4).
inline std::size_t utf8_length(const char* p, const char* end) noexcept {
  const auto byte = [p](std::size_t i) { return static_cast<unsigned char>(p[i]); };
  const std::size_t left = static_cast<std::size_t>(end - p);
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (left < length) return 0;
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
  // Sixteen at a time, without a branch on where among them a string ends: most do, nobody knows where.
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

}  // namespace detail
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
