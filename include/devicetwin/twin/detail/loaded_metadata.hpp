/// What a `$metadata` that was loaded has beyond stamps, which may be anything.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view

#include "../../json/arena.hpp"
#include "../../json/get.hpp"
#include "../../json/text/utf8.hpp"
#include "../../json/tree/object_walk.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// Levels of a whole twin as text: a section of the deepest kind stands two levels down, its
/// metadata has two more, and the names that were removed from it stand five levels down.
inline constexpr std::size_t whole_twin_depth = json::default_max_depth + 5;

/// A walk over the objects of a `$metadata`, none of which is deeper. It needs no memory.
template <class Value>
using metadata_walk =
    json::core::object_walk<Value, json::core::no_note, json::core::at_most<whole_twin_depth>>;
template <class Value>
void enter(metadata_walk<Value>& walk, Value& object) noexcept {
  static_cast<void>(walk.enter(object));
}

/// Whether it names a version above `version`, however that is spelled. Such a version was never
/// one of this section's. Cost: linear.
inline bool names_version_above(const json::arena_value* unusual, std::int64_t version) noexcept {
  if (unusual == nullptr) return false;
  metadata_walk<const json::arena_value> walk;
  for (enter(walk, *unusual); !walk.done();) {
    const auto* member = walk.next();
    if (member == nullptr) {
      walk.leave();
    } else if (member->value.IsObject()) {
      enter(walk, member->value);
    } else if (member->value.IsNumber() &&
               json::core::text_of(member->name) == "$lastUpdatedVersion") {
      const auto named = json::get<std::int64_t>(member->value);
      if (named ? *named > version : member->value.GetDouble() >= 9223372036854775808.0)
        return true;
    }
  }
  return false;
}

/// Puts `$lastUpdated` and `$lastUpdatedVersion` in front of the other members in each object of a
/// `$metadata`, as stamps print them. So a view has one order, whether a version in it is believed
/// or not. Cost: linear.
inline void own_members_first(json::arena_value& metadata) noexcept {
  metadata_walk<json::arena_value> walk;
  const auto put_first = [&](json::arena_value& object) {
    for (const std::string_view name : {"$lastUpdatedVersion", "$lastUpdated"}) {
      auto* const members = json::core::members_begin(object);
      json::size_type at = 0;
      while (at != object.MemberCount() && json::core::text_of(members[at].name) != name) ++at;
      for (at = at == object.MemberCount() ? 0 : at; at != 0; --at) {
        members[at].name.Swap(members[at - 1].name);
        members[at].value.Swap(members[at - 1].value);
      }
    }
    enter(walk, object);
  };
  if (metadata.IsObject()) put_first(metadata);
  while (!walk.done()) {
    auto* member = walk.next();
    if (member == nullptr) {
      walk.leave();
    } else if (member->value.IsObject()) {
      put_first(member->value);
    }
  }
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
