/// The hash of a member name: one function, for names that are texts and for names that are values.
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

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
