/// The JSON form of a change, which is also how it is kept in memory.
#pragma once

#include "../../json/arena.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

using json::arena_value;

/// What a change does at one place.
enum class deed : unsigned char { keep, set, remove, descend };

/// The deed of a place in a checked form: [] keep, [value] set, null remove, an object descend.
inline deed deed_of(const arena_value& form) noexcept {
  if (form.IsNull()) return deed::remove;
  if (form.IsObject()) return deed::descend;
  return form.Empty() ? deed::keep : deed::set;
}

/// The value that a `set` puts there.
inline const arena_value& value_of(const arena_value& form) noexcept { return *form.Begin(); }

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
