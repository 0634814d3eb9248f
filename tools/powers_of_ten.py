#!/usr/bin/env python3
"""Prints include/devicetwin/json/detail/powers_of_ten.hpp.

Each power of ten is written as its 128 most significant bits, rounded down: floor(10^q / 2^e) with e
such that the result lies in [2^127, 2^128). The range serves both directions of number conversion:
reading needs -342 to 308, printing -292 to 324.
"""

FIRST, LAST = -342, 324


def top_bits(q):
    if q >= 0:
        power = 10**q
        shift = power.bit_length() - 128
        return power >> shift if shift > 0 else power << -shift
    power = 10**-q
    bits = power.bit_length() + 128
    quotient = (1 << bits) // power
    return quotient >> (quotient.bit_length() - 128)


print(
    f"""/// Powers of ten to 128 bits, and the arithmetic on them. Printed by tools/powers_of_ten.py.
#pragma once

#include <cstdint>  // std::uint64_t

#include "../../version.hpp"

namespace devicetwin {{
inline namespace DEVICETWIN_ABI {{
namespace json {{
namespace detail {{

struct uint128 {{
  std::uint64_t high;
  std::uint64_t low;
}};

/// The full product of two 64-bit numbers.
inline uint128 multiply(std::uint64_t a, std::uint64_t b) noexcept {{
#if defined(__SIZEOF_INT128__)
  __extension__ using wide = unsigned __int128;
  const wide product = static_cast<wide>(a) * b;
  return {{static_cast<std::uint64_t>(product >> 64), static_cast<std::uint64_t>(product)}};
#else
  const std::uint64_t a_low = a & 0xFFFFFFFF, a_high = a >> 32;
  const std::uint64_t b_low = b & 0xFFFFFFFF, b_high = b >> 32;
  const std::uint64_t low = a_low * b_low;
  const std::uint64_t middle = a_high * b_low + (low >> 32);
  const std::uint64_t middle2 = a_low * b_high + (middle & 0xFFFFFFFF);
  return {{a_high * b_high + (middle >> 32) + (middle2 >> 32), (middle2 << 32) | (low & 0xFFFFFFFF)}};
#endif
}}

/// Leading zero bits of a number that is not zero.
inline int leading_zeros(std::uint64_t number) noexcept {{
#if defined(__GNUC__) || defined(__clang__)
  return __builtin_clzll(number);
#else
  int zeros = 0;
  for (; (number >> 63) == 0; number <<= 1) ++zeros;
  return zeros;
#endif
}}

inline constexpr int first_power_of_ten = {FIRST};
inline constexpr uint128 powers_of_ten[] = {{"""
)
for q in range(FIRST, LAST + 1):
    bits = top_bits(q)
    print(f"    {{0x{bits >> 64:016x}, 0x{bits & (1 << 64) - 1:016x}}},  // 1e{q}")
print(
    """};

/// The 128 most significant bits of 10^q, rounded down; exact for 0 <= q <= 55.
inline const uint128& power_of_ten(int q) noexcept { return powers_of_ten[q - first_power_of_ten]; }

}  // namespace detail
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin"""
)
