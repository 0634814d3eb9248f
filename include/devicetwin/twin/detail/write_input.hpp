/// What a write of a whole twin, an event or a stored twin brings: its parts, and the members that
/// the service keeps in them.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view

#include "../../json/get.hpp"
#include "../../json/pointer.hpp"
#include "../identity.hpp"
#include "section.hpp"
#include "twin_state.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// Whether the service itself keeps a member of this name in a section: the metadata and the
/// version of any, and the etag that tags once had.
constexpr bool is_services_own(std::string_view name, part where) noexcept {
  return name == "$metadata" || name == "$version" || (where == part::tags && name == "$etag");
}

/// Where a part stands in a twin.
class part_place {
 public:
  explicit part_place(part p) noexcept : depth_(p == part::tags ? 1 : 2) {
    if (p != part::tags) steps_[0] = json::step::member("properties");
    steps_[depth_ - 1] = json::step::member(name_of(p));
  }
  json::location location() const noexcept { return json::location(steps_, depth_); }
  /// The place of a member of it.
  json::location member(std::string_view name) noexcept {
    steps_[depth_] = json::step::member(name);
    return json::location(steps_, depth_ + 1);
  }

 private:
  json::step steps_[3];
  std::size_t depth_;
};

/// Moves the member of this name out of an object; false when there is none.
inline bool take_member(json::arena_value& object, std::string_view name,
                        json::arena_value& value) {
  const json::size_type index = json::core::member_index(object, name);
  if (index == json::core::no_index) return false;
  const auto member = object.MemberBegin() + static_cast<std::ptrdiff_t>(index);
  value.Swap(member->value);
  object.EraseMember(member);
  return true;
}

/// Takes a version out of an object: false when it is none.
inline bool take_version(json::arena_value& object, std::string_view name, std::int64_t& version) {
  json::arena_value given;
  if (!take_member(object, name, given)) return false;
  const auto number = json::get<std::int64_t>(given);
  if (!number || *number < 0) return false;
  version = *number;
  return true;
}

/// The parts that an input names, null for others.
struct given_parts {
  json::arena_value* tags = nullptr;
  json::arena_value* desired = nullptr;
  json::arena_value* reported = nullptr;
};

/// Finds the sections in a service's write or an event, and refuses what does not belong there.
inline json::error take_apart(json::arena_value& input, bool with_reported,
                              const json::arena_value& identity, const dialect& rules,
                              given_parts& parts) {
  if (!input.IsObject()) return json::errc::not_a_twin;
  auto* members = json::core::members_begin(input);
  for (json::size_type i = 0; i < input.MemberCount(); ++i) {
    const std::string_view name = json::core::text_of(members[i].name);
    if (name == "tags") {
      parts.tags = &members[i].value;
      continue;
    }
    if (name != "properties") {
      // What the service itself keeps at the root comes back from those who send a whole twin.
      const bool echo = name == history_member || is_identity_member(name) ||
                        (identity.IsObject() && find_member(identity, name) != nullptr);
      if (echo && rules.ignores_echo) continue;
      return error_at_member(json::errc::not_writable, name);
    }
    json::arena_value& properties = members[i].value;
    if (!properties.IsObject()) return error_at_member(json::errc::not_a_twin, name);
    auto* inner = json::core::members_begin(properties);
    for (json::size_type j = 0; j < properties.MemberCount(); ++j) {
      const std::string_view section = json::core::text_of(inner[j].name);
      if (section == "desired") {
        parts.desired = &inner[j].value;
      } else if (section == "reported" && with_reported) {
        parts.reported = &inner[j].value;
      } else {
        const json::step steps[] = {json::step::member(name), json::step::member(section)};
        return json::error(json::errc::not_writable).at(json::location(steps, 2));
      }
    }
  }
  return {};
}

/// Takes out what the service itself keeps in a section.
inline void take_out_own(json::arena_value& given, part where) {
  if (!given.IsObject()) return;
  for (json::size_type i = given.MemberCount(); i-- > 0;) {
    if (is_services_own(json::core::text_of(json::core::members_begin(given)[i].name), where)) {
      given.EraseMember(given.MemberBegin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

/// What the service kept in the tags of a loaded twin, such as their `$etag`, is about those tags.
/// A patch that does something to them drops it, as a replacement does: it gets a null for each.
inline json::error drop_own_of_tags(section<unstamped>& tags, json::arena_value& patch,
                                    json::arena& memory, const dialect& rules,
                                    const memory_source& working) {
  const json::size_type count = tags.values().MemberCount();
  const auto* members = json::core::members_begin(tags.values());
  const auto own = [&](json::size_type i) {
    return is_services_own(json::core::text_of(members[i].name), part::tags);
  };
  json::size_type found = 0;
  for (json::size_type i = 0; i < count; ++i) found += own(i) ? 1u : 0u;
  if (found == 0 || !patch.IsObject()) return {};
  section_write<unstamped> trial(tags, part::tags, rules, working);
  if (json::error e = trial.plan(patch, {}, nullptr))
    return e.code() == json::errc::out_of_memory ? e : json::error();
  if (!trial.effective()) return {};
  if (!memory.reserve(merge::core::growth_bytes(patch, found))) return json::errc::out_of_memory;
  for (json::size_type i = 0; i < count; ++i) {
    if (!own(i)) continue;
    const std::string_view text = json::core::text_of(members[i].name);
    if (!memory.reserve(text.size() + 8 + merge::core::growth_bytes(patch, 1)))
      return json::errc::out_of_memory;
    json::arena_value name(text.data(), static_cast<json::size_type>(text.size()), memory);
    json::arena_value null;
    patch.AddMember(name, null, memory);
  }
  return {};
}

/// Adds a null to `replacement` for each member that only `old` has, at every level where both are
/// objects: as a merge patch it then makes the one out of the other.
inline json::error null_for_missing(const json::arena_value& old, json::arena_value& replacement,
                                    json::arena& memory, const memory_source& working) {
  struct pair {
    const json::arena_value* old;
    json::arena_value* made;
    json::size_type next;
    json::size_type given;  ///< members of the replacement itself
    std::size_t index_base;
    object_lookup lookup;
  };
  base::stack<pair, 8> pairs(working);
  json::core::index_memory indexes(working);
  if (!pairs.push({&old, &replacement, 0, replacement.MemberCount(), 0, object_lookup(old)}))
    return json::errc::out_of_memory;
  // First down the common objects, then the nulls: adding a member may move those that are there.
  while (!pairs.empty()) {
    pair& p = pairs.back();
    if (p.next != p.given) {
      auto& member = json::core::members_begin(*p.made)[p.next++];
      json::size_type index = json::core::no_index;
      if (!member.value.IsObject()) continue;
      if (!p.lookup.find_next(member.name, indexes, index)) return json::errc::out_of_memory;
      if (index == json::core::no_index) continue;
      const json::arena_value& before = json::core::members_begin(*p.old)[index].value;
      if (!before.IsObject()) continue;
      if (!pairs.push({&before, &member.value, 0, member.value.MemberCount(), indexes.size(),
                       object_lookup(before)})) {
        return json::errc::out_of_memory;
      }
      continue;
    }
    object_lookup there(*p.made);
    base::stack<json::size_type, 16> missing(working);
    for (json::size_type i = 0; i < p.old->MemberCount(); ++i) {
      json::size_type index = json::core::no_index;
      if (!there.find_next(json::core::members_begin(*p.old)[i].name, indexes, index))
        return json::errc::out_of_memory;
      if (index == json::core::no_index && !missing.push(i)) return json::errc::out_of_memory;
    }
    if (!memory.reserve(
            merge::core::growth_bytes(*p.made, static_cast<json::size_type>(missing.size())))) {
      return json::errc::out_of_memory;
    }
    for (std::size_t i = 0; i < missing.size(); ++i) {
      // A copy: the old tree may move before the patch is carried out.
      const std::string_view text =
          json::core::text_of(json::core::members_begin(*p.old)[missing[i]].name);
      if (!memory.reserve(text.size() + 8 + merge::core::growth_bytes(*p.made, 1)))
        return json::errc::out_of_memory;
      json::arena_value name(text.data(), static_cast<json::size_type>(text.size()), memory);
      json::arena_value null;
      p.made->AddMember(name, null, memory);
    }
    indexes.truncate(p.index_base);
    pairs.pop();
  }
  return {};
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
