/// Members of objects in JSON texts: where they stand, and how their names are compared, hashed and
/// written.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint32_t, std::uint64_t
#include <cstring>      // std::memcpy
#include <string_view>  // std::string_view

#include "../../base/stack.hpp"
#include "../../base/text_buffer.hpp"
#include "../../json/text/tokens.hpp"
#include "../../json/tree/name_hash.hpp"
#include "../../json/value.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

using json::size_type;

/// Where a text begins; places in it are counted from there in 32 bits.
using text_offset = std::uint32_t;
inline constexpr text_offset no_offset = static_cast<text_offset>(-1);
inline constexpr text_offset same_value = no_offset - 1;
/// Longer texts are refused, as the reader does.
inline constexpr std::size_t longest_text = 0xFFFFFFFE;

/// A member of an object in a text.
struct text_member {
  text_offset name;  ///< of its opening quote
  text_offset name_end;
  text_offset value;
  text_offset value_end;
  text_offset unescaped;  ///< where its name stands without escapes; no_offset: it has none
  text_offset match;  ///< index of the member of the same name on the other side; no_offset: there
                      ///< is none yet; same_value: there is, and its value is the same byte by byte
};

/// Renders a member's name as one step of a JSON Pointer.
template <class Put>
void render_name(std::string_view raw, Put&& put) {
  put('/');
  json::core::plain_bytes bytes(raw);
  for (int c = bytes.next(); c >= 0; c = bytes.next()) {
    if (c == '~' || c == '/') {
      put('~');
      put(c == '~' ? '0' : '1');
    } else {
      put(static_cast<char>(c));
    }
  }
}

/// Appends that step. False when there was no room.
[[nodiscard]] inline bool append_name(std::string_view raw, text_buffer& out) {
  bool good = true;
  render_name(raw, [&](char c) { good = good && out.append(&c, 1); });
  return good;
}

/// Behind the string or value at `p`; null when it does not end before `end`.
inline const char* string_end(json::core::text_structure& structure, const char* p,
                              const char* end) noexcept {
  const char* const found = structure.skip_string(p);
  return found == nullptr || found > end ? nullptr : found;
}
inline const char* value_end(json::core::text_structure& structure, const char* p,
                             const char* end) noexcept {
  const char* const found = structure.skip_value(p);
  return found == nullptr || found > end ? nullptr : found;
}

inline std::string_view name_of(const char* base, const text_member& member) noexcept {
  return {base + member.name + 1, member.name_end - member.name - 2};
}

/// Names without their escapes, where they have any: the length of each, then its bytes.
using plain_names = base::stack<char, 64>;

inline bool append_plain(std::string_view raw, plain_names& names) {
  json::core::plain_bytes bytes(raw);
  for (int c = bytes.next(); c >= 0; c = bytes.next()) {
    if (!names.push(static_cast<char>(c))) return false;
  }
  return true;
}
/// Keeps the name of a member, if it has escapes. False when memory ran out.
inline bool keep_plain(const char* base, text_member& member, plain_names& names) {
  const std::string_view raw = name_of(base, member);
  if (!json::core::has_escapes(raw)) return true;
  const std::size_t start = names.size();
  member.unescaped = static_cast<text_offset>(start);
  if (!names.extend(sizeof(size_type)) || !append_plain(raw, names)) return false;
  const auto length = static_cast<size_type>(names.size() - start - sizeof(size_type));
  std::memcpy(names.data() + start, &length, sizeof length);
  return true;
}
/// The names of some members, as an index of names asks for them.
struct member_names {
  const char* base;
  const text_member* members;
  const char* plain;
  std::string_view text(size_type i) const noexcept {
    const text_member& member = members[i];
    if (member.unescaped == no_offset) return name_of(base, member);
    size_type length;
    std::memcpy(&length, plain + member.unescaped, sizeof length);
    return {plain + member.unescaped + sizeof length, length};
  }
  std::uint64_t hash(size_type i) const noexcept { return json::core::hash_name(text(i)); }
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
