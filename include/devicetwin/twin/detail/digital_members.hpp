/// What a digital twin shows of both sections: properties, components, and acknowledgements.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view

#include "../../json/arena.hpp"
#include "../../json/error.hpp"
#include "../../json/tree/find_member.hpp"
#include "../../json/tree/member_lookup.hpp"
#include "plan_walk.hpp"
#include "shadow.hpp"
#include "sync_count.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// The member of an object that marks a component: `"__t":"c"`.
inline constexpr std::string_view component_mark = "__t";

/// Whether a value is an object that is marked as a component.
inline bool is_component(const arena_value* value) noexcept {
  const arena_value* mark =
      value != nullptr && value->IsObject() ? find_member(*value, component_mark) : nullptr;
  return mark != nullptr && mark->IsString() && json::core::text_of(*mark) == "c";
}

/// Whether a value is an object with a member besides the mark.
inline bool has_properties(const arena_value* value) noexcept {
  if (value == nullptr || !value->IsObject()) return false;
  return value->MemberCount() > (find_member(*value, component_mark) != nullptr ? 1u : 0u);
}

/// What both sections have under one name, or the two sections themselves. Values are null pointers
/// where there is none. The stamps of the past are not known.
struct digital_member {
  const arena_value* reported = nullptr;
  const arena_value* desired = nullptr;
  stamp_shadow::word reported_at = 0;
  stamp_shadow::word desired_at = 0;

  bool exists() const noexcept { return reported != nullptr || desired != nullptr; }
};

enum class digital_kind : unsigned char { none, property, component };

/// What a digital twin shows of a member of the sections. A mark in one section is enough. A
/// component without a property is not shown.
inline digital_kind kind_of(const digital_member& m) noexcept {
  if (!m.exists()) return digital_kind::none;
  if (!is_component(m.reported) && !is_component(m.desired)) return digital_kind::property;
  return has_properties(m.reported) || has_properties(m.desired) ? digital_kind::component
                                                                 : digital_kind::none;
}

/// The value that is shown of a reported property, and what its acknowledgement says.
struct reported_answer {
  const arena_value* value;
  bool acknowledged = false;
  bool has_version = false;
  std::int64_t code = 0;
  std::int64_t version = 0;
  const arena_value* text = nullptr;  ///< a string, or a null pointer
};

/// Takes an acknowledgement apart: an object with a `value` that is not null, an integer `ac`, and
/// an integer `av` or none. Anything else is a value as it stands.
inline reported_answer read_reported(const arena_value& reported) noexcept {
  reported_answer said{&reported};
  if (!reported.IsObject()) return said;
  const arena_value* value = find_member(reported, "value");
  const arena_value* code = find_member(reported, "ac");
  const arena_value* version = find_member(reported, "av");
  if (value == nullptr || value->IsNull() || code == nullptr || !is_integer(*code, said.code))
    return said;
  if (version != nullptr && !is_integer(*version, said.version)) return said;
  said.value = value;
  said.acknowledged = true;
  said.has_version = version != nullptr;
  said.text = find_member(reported, "ad");
  if (said.text != nullptr && !said.text->IsString()) said.text = nullptr;
  return said;
}

/// Calls `visit(name, values, indexes)` once for each name that is in any of the objects: in the
/// order of the first object, then of the second, and so on. `values` has the value in each object,
/// or a null pointer, and `indexes` its place there. What is no object has no names. `visit`
/// returns an error or none; it may use `memory` and gives back what it took. Errors: out_of_memory
/// and what `visit` returns. Cost: n * log(n) at worst.
template <std::size_t N, class Visit>
json::error for_each_name(const arena_value* const (&objects)[N], json::core::index_memory& memory,
                          Visit&& visit) {
  const std::size_t base = memory.size();
  object_lookup lookups[N];
  for (std::size_t i = 0; i < N; ++i) lookups[i] = json::core::lookup_in(objects[i]);
  for (std::size_t i = 0; i < N; ++i) {
    if (objects[i] == nullptr || !objects[i]->IsObject()) continue;
    const auto* members = json::core::members_begin(*objects[i]);
    for (size_type at = 0; at < objects[i]->MemberCount(); ++at) {
      const arena_value* values[N] = {};
      size_type indexes[N] = {};
      bool seen = false;
      for (std::size_t other = 0; other < N && !seen; ++other) {
        indexes[other] = other == i ? at : json::core::no_index;
        if (other != i && !lookups[other].find_next(members[at].name, memory, indexes[other]))
          return json::errc::out_of_memory;
        if (indexes[other] == json::core::no_index) continue;
        values[other] = &json::core::members_begin(*objects[other])[indexes[other]].value;
        seen = other < i;
      }
      if (seen) continue;
      if (json::error e = visit(json::core::text_of(members[at].name), values, indexes)) return e;
    }
  }
  memory.truncate(base);
  return {};
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
