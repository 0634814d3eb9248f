/// Finding one member of an object by looking at each: for small objects, and for a few look-ups in
/// larger ones.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <string_view>  // std::string_view
#include <type_traits>  // std::is_same_v

#include "../../base/bits.hpp"
#include "../value.hpp"
#include "inside.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

inline constexpr size_type no_index = static_cast<size_type>(-1);

/// member_index() for a name that is a text, from the member at `begin` on. Compares bytes.
template <class Value>
DEVICETWIN_NEVER_INLINE size_type member_index_from(const member_of<Value>* members,
                                                    size_type begin, size_type count,
                                                    std::string_view text) noexcept {
  for (size_type i = begin; i < count; ++i) {
    if constexpr (is_compact<Value>) {
      // A text outside its value starts with the length. An inline one that does so by chance is
      // rare.
      const value_words words = words_of(members[i].name);
      if (text.size() > inside<Value>::longest_inline) {
        if (static_cast<std::uint32_t>(words.low) == text.size() &&
            (words.flags() & inside<Value>::inline_flag) == 0 &&
            base::same_bytes(inside<Value>::outside_text(members[i].name), text.data(),
                             text.size())) {
          return i;
        }
        continue;
      }
    }
    const std::string_view name = text_of(members[i].name);
    if (name.size() == text.size() && base::same_bytes(name.data(), text.data(), text.size()))
      return i;
  }
  return no_index;
}

/// Returns the index of the first of `count` members with the name of `wanted`, which is a text or
/// a value that holds one; no_index if there is none. Looks at each member, which costs about a
/// nanosecond: an object must be searched several times before an index is worth it.
template <class Value, class Name>
DEVICETWIN_NEVER_INLINE size_type member_index(const member_of<Value>* members, size_type count,
                                               const Name& wanted) noexcept {
  size_type i = 0;
  if constexpr (is_compact<Value>) {
    value_words sought{0, 0};
    if constexpr (!std::is_same_v<Name, std::string_view>) {
      sought = words_of(wanted);
    } else if (wanted.size() <= inside<Value>::longest_inline) {
      sought = words_of_text(wanted);
    }
    if ((sought.flags() & inside<Value>::inline_flag) != 0) {
      const value_words& mask = masks_of_inline_text.of[sought.unused()];
      const std::uint64_t low_mask = mask.low, low = sought.low & low_mask;
      const auto length =
          static_cast<std::uint32_t>(inside<Value>::longest_inline - sought.unused());
      for (; i < count; ++i) {
        const value_words words = words_of(members[i].name);
        if ((words.low & low_mask) == low && ((words.high ^ sought.high) & mask.high) == 0)
          return i;
        if (static_cast<std::uint32_t>(words.low) == length)
          break;  // perhaps a short text outside its value
      }
      if (i == count) return no_index;
    }
  }
  if constexpr (std::is_same_v<Name, std::string_view>) {
    return member_index_from<Value>(members, i, count, wanted);
  } else {
    return member_index_from<Value>(members, i, count, text_of(wanted));
  }
}

/// Returns the index of the first member of this name, or no_index. For one look-up.
template <class Value>
size_type member_index(const Value& object, std::string_view name) noexcept {
  const auto* const members = members_begin(object);
  const size_type count = object.MemberCount();
  for (size_type i = 0; i < count; ++i) {  // the length settles most
    if (members[i].name.GetStringLength() == name.size() && text_of(members[i].name) == name)
      return i;
  }
  return no_index;
}
/// Returns the value of the first member of this name; a null pointer if there is none.
template <class Value>
const Value* find_member(const Value& object, std::string_view name) noexcept {
  const size_type index = member_index(object, name);
  return index == no_index ? nullptr : &members_begin(object)[index].value;
}

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
