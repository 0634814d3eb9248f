/// The mixing step of every hash table in this library.
#pragma once

#include <cstdint>  // std::uint64_t

#include "../version.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace base {

inline std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  constexpr std::uint64_t multiplier = 0x9E3779B97F4A7C15u;
  std::uint64_t hash = (a * multiplier) ^ (b * 0xC2B2AE3D27D4EB4Fu);
  hash = (hash ^ (hash >> 32)) * multiplier;
  return hash ^ (hash >> 29);
}

/// Thirty-two bits of a hash over sixty-four.
inline std::uint64_t spread(std::uint32_t hash) noexcept { return hash * 0x9E3779B97F4A7C15u; }

}  // namespace base
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
