/// A planned merge, entry by entry, with the objects it goes through: how stamps, sizes, change
/// lists and notifications all learn what a write does, before it is done.
#pragma once

#include <cstddef>  // std::size_t

#include "../../base/stack.hpp"
#include "../../json/arena.hpp"
#include "../../json/pointer.hpp"
#include "../../json/tree/find_member.hpp"
#include "../../json/tree/member_lookup.hpp"
#include "../../json/tree/object_walk.hpp"
#include "../../merge/tree/plan.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

using json::arena_value;
using json::size_type;
using json::core::find_member;
using object_beside = json::core::object_beside<arena_value>;
using object_lookup = json::core::member_lookup<arena_value>;

/// One element for each object that a walk over a section is in at the same time. Sections are
/// written with merge_options(), which allow default_max_depth levels, and read or copied with as
/// many at most.
template <class T>
using per_level = T[json::default_max_depth + 1];

/// A walk over the objects of a section's values. It needs no memory.
template <class Note>
using section_walk = json::core::object_walk<const arena_value, Note,
                                             json::core::at_most<json::default_max_depth + 1>>;

using merge_plan = merge::core::merge_plan<arena_value, arena_value>;
using merge_action = merge_plan::action;
using value_member = arena_value::Member;

/// Goes through the entries of a plan made for the object `root`, which must not have been written
/// yet, and tells each visitor in turn.
///
/// A visitor has three functions, each giving false to stop: enter(object, index, member) where the
/// patch descends into the member at `index`, an object of the target, first of all into the root
/// (member is null); leave(); and write(action, old_value, index, member) with action set, keep,
/// add or remove, `old_value` null for add, and `member` the patch's (for remove only its name
/// counts).
template <class... Visitors>
bool walk_plan(const merge_plan& plan, const arena_value& root, Visitors&... visitors) {
  per_level<const arena_value*> objects;
  std::size_t depth = 1;
  objects[0] = &root;
  if (!(visitors.enter(root, json::core::no_index, static_cast<const value_member*>(nullptr)) &&
        ...))
    return false;
  for (std::size_t i = 0; i < plan.entries().size(); ++i) {
    const auto& entry = plan.entries()[i];
    if (entry.what == merge_action::leave) {
      if (!(visitors.leave() && ...)) return false;
      --depth;
      continue;
    }
    if (entry.what == merge_action::add) {
      if (!(visitors.write(entry.what, static_cast<const arena_value*>(nullptr),
                           json::core::no_index, entry.member) &&
            ...))
        return false;
      continue;
    }
    const arena_value& old = json::core::members_begin(*objects[depth - 1])[entry.index].value;
    if (entry.what == merge_action::descend) {
      objects[depth++] = &old;
      if (!(visitors.enter(old, entry.index, entry.member) && ...)) return false;
    } else if (entry.what != merge_action::shadow) {  // names do not repeat in a section
      if (!(visitors.write(entry.what, &old, entry.index, entry.member) && ...)) return false;
    }
  }
  return true;
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
