/// Hashes of member names, for names that are texts and for names that are values: hash_name() for
/// tables, quick_name_hash() for proofs that names differ.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <cstring>      // std::memcpy
#include <string_view>  // std::string_view

#include "../../base/bits.hpp"
#include "../../base/hash.hpp"
#include "../value.hpp"
#include "inside.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

/// Returns the hash of a name of at most 13 bytes, given as the words of a value. Bytes behind the
/// name must be 0.
inline std::uint64_t hash_name(const value_words& words) noexcept {
  return base::mix(words.low, words.high);
}

/// Returns the hash of a name. All bits are good. It can be made to collide on purpose: whoever
/// uses it must stay fast then.
inline std::uint64_t hash_name(std::string_view name) noexcept {
  if constexpr (!base::shortcuts) {
    std::uint32_t sum = 0;
    for (const char c : name) sum = (sum ^ static_cast<unsigned char>(c)) * 0x01000193u;
    return base::spread(sum);
  }
  if (is_compact<value> && name.size() <= inside<value>::longest_inline)
    return hash_name(words_of_text(name));
  const char* p = name.data();
  std::size_t left = name.size();
  std::uint64_t hash = left;
  for (; left > 16; p += 16, left -= 16)
    hash = base::mix(hash ^ base::load_8(p), base::load_8(p + 8));
  std::uint64_t first = 0, last = 0;  // what is left; the two may overlap
  if (left >= 8) {
    first = base::load_8(p);
    last = base::load_8(p + left - 8);
  } else if (left >= 4) {
    std::uint32_t low = 0, high = 0;
    std::memcpy(&low, p, 4);
    std::memcpy(&high, p + left - 4, 4);
    first = low | (std::uint64_t{high} << 32);
  } else if (left != 0) {
    first = static_cast<unsigned char>(p[0]) |
            (std::uint64_t{static_cast<unsigned char>(p[left / 2])} << 8) |
            (std::uint64_t{static_cast<unsigned char>(p[left - 1])} << 16);
  }
  return base::mix(hash ^ first, last);
}

/// Returns the hash of a member's name, equal to that of its text. An inline name is hashed without
/// reading its characters one by one.
template <class Allocator>
DEVICETWIN_ALWAYS_INLINE std::uint64_t hash_name(const basic_value<Allocator>& name) noexcept {
  using parts = inside<basic_value<Allocator>>;
  if constexpr (base::shortcuts && is_compact<basic_value<Allocator>>) {
    const value_words words = words_of(name);
    if ((words.flags() & parts::inline_flag) != 0) {
      const value_words& mask = masks_of_inline_text.of[words.unused()];
      return hash_name(value_words{words.low & mask.low, words.high & mask.high});
    }
  }
  return hash_name(text_of(name));
}

/// Returns a hash for the proof that names differ: names with the same hash need a closer look. Its
/// highest bits are the best. hash_name() in its place costs 14 % of a diff of texts, and 4 % of an
/// apply to an object of 300 members (instructions). Names of more than 24 bytes that differ only
/// in between have the same hash.
DEVICETWIN_ALWAYS_INLINE std::uint64_t quick_name_hash(std::string_view name) noexcept {
  const char* const p = name.data();
  const std::size_t size = name.size();
  std::uint64_t a = 0, b = 0;
  if (size >= 8) {
    std::memcpy(&a, p, 8);
    std::memcpy(&b, p + size - 8, 8);
    if (size > 16) a ^= base::load_8(p + size / 2 - 4) * 0xFF51AFD7ED558CCDu;
  } else if (size >= 4) {
    std::memcpy(&a, p, 4);
    std::memcpy(&b, p + size - 4, 4);
  } else if (size != 0) {
    a = static_cast<unsigned char>(p[0]) |
        static_cast<unsigned>(static_cast<unsigned char>(p[size / 2])) << 8;
    b = static_cast<unsigned char>(p[size - 1]);
  }
  return (a ^ std::uint64_t{size} << 40) * 0x9E3779B97F4A7C15u + b * 0xC2B2AE3D27D4EB4Fu;
}

/// Returns such a hash of a member's name. It is not that of its text.
template <class Allocator>
DEVICETWIN_ALWAYS_INLINE std::uint64_t quick_name_hash(
    const basic_value<Allocator>& name) noexcept {
  using Name = basic_value<Allocator>;
  constexpr std::uint64_t multiplier = 0x9E3779B97F4A7C15u;
  if constexpr (base::shortcuts && is_compact<Name>) {
    value_words words = words_of(name);
    if ((words.flags() & inside<Name>::inline_flag) == 0) {
      const std::string_view text = text_of(name);
      if (text.size() > inside<Name>::longest_inline) {
        return (base::load_8(text.data()) ^ base::load_8(text.data() + text.size() - 8) * 5 ^
                base::load_8(text.data() + text.size() / 2 - 4) * 9) *
               multiplier;
      }
      words = words_of_text(text);
    }
    const value_words& mask = masks_of_inline_text.of[words.unused()];
    return ((words.low & mask.low) ^ (words.high & mask.high) * 5) * multiplier;
  } else {
    return hash_name(name);
  }
}

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
