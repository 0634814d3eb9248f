/// Numbers in groups of seven bits, the lowest first: one byte for each group, with the highest bit
/// set in all but the last (base 128, as Protocol Buffers and LEB128 have it).
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <string_view>  // std::string_view

#include "../version.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace base {

/// The bytes of the longest number.
inline constexpr std::size_t max_base128 = 10;

/// Writes a number to `to`, which has room for max_base128 bytes. Returns the end of it.
inline char* write_base128(char* to, std::uint64_t n) noexcept {
  for (; n > 0x7F; n >>= 7) *to++ = static_cast<char>((n & 0x7F) | 0x80);
  *to++ = static_cast<char>(n);
  return to;
}

/// Takes a number off the front of `bytes`. False when it does not end there or has more than
/// max_base128 bytes.
inline bool read_base128(std::string_view& bytes, std::uint64_t& n) noexcept {
  n = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    n |= std::uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

}  // namespace base
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
