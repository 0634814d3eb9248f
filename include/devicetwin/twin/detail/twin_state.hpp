/// What a twin holds. Views, stores and questions of this library read it; writes change it.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view
#include <utility>      // std::swap

#include "../../json/arena.hpp"
#include "../../json/pointer.hpp"
#include "../dialect.hpp"
#include "../identity.hpp"
#include "section.hpp"
#include "sync_count.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// Where tags and properties stand among the members of the root, and which of them a loaded twin
/// has.
struct root_layout {
  json::size_type tags = json::core::no_index;        ///< before this member of identity
  json::size_type properties = json::core::no_index;  ///< before this one
  bool shows_empty_tags = false;
  bool shows_history = false;
  bool has_desired = true, has_reported = true;
};

inline json::error error_at_member(json::errc code, std::string_view name) noexcept {
  const json::step s = json::step::member(name);
  return json::error(code).at(json::location(&s, 1));
}

template <class Memory>
struct twin_state {
  twin_state(const dialect& d, const Memory& m) noexcept
      : memory(m),
        rules(&d),
        identity(m.source()),
        tags(m.source()),
        desired(m.source()),
        reported(m.source()) {}
  twin_state(twin_state&& other) noexcept : twin_state(*other.rules, other.memory) { swap(other); }

  Memory memory;
  const dialect* rules;
  json::document identity;
  section<unstamped> tags;
  section<stamped> desired;
  section<stamped> reported;
  std::int64_t version = 0;
  std::int64_t pending = 0;  ///< desired properties that reported does not have
  root_layout layout;
  json::size_type version_hint =
      0;  ///< where the version was found last among the members of identity

  void swap(twin_state& other) noexcept {
    std::swap(memory, other.memory);
    std::swap(rules, other.rules);
    identity.swap(other.identity);
    tags.swap(other.tags);
    desired.swap(other.desired);
    reported.swap(other.reported);
    std::swap(version, other.version);
    std::swap(pending, other.pending);
    std::swap(layout, other.layout);
  }
  /// Becomes a copy in its own memory. Errors: out_of_memory; then it is not to be used any more.
  json::error copy_from(const twin_state& other) {
    if (json::error e = identity.assign(other.identity.root())) return e;
    if (json::error e = tags.assign(other.tags)) return e;
    if (json::error e = desired.assign(other.desired)) return e;
    if (json::error e = reported.assign(other.reported)) return e;
    version = other.version;
    pending = other.pending;
    layout = other.layout;
    return {};
  }
  /// An empty one that is to take this one's place.
  twin_state successor() const noexcept {
    twin_state fresh(*rules, memory);
    fresh.desired.tracking().history().set_budget(desired.tracking().history().budget());
    fresh.reported.tracking().history().set_budget(reported.tracking().history().budget());
    return fresh;
  }

  memory_source working() const noexcept { return memory.source(); }
  /// False before there is a twin.
  bool exists() const noexcept { return !identity.root().IsNull(); }

  /// Desired or reported. Tags are no property section and have another type: `tags`.
  section<stamped>& properties(part p) noexcept { return p == part::desired ? desired : reported; }
  const section<stamped>& properties(part p) const noexcept {
    return p == part::desired ? desired : reported;
  }

  std::string_view device_id() const noexcept { return text_member("deviceId"); }
  std::string_view module_id() const noexcept { return text_member("moduleId"); }
  std::string_view etag() const noexcept { return text_member("etag"); }
  std::size_t size(part p) const noexcept {
    return p == part::tags ? tags.size() : properties(p).size();
  }
  std::size_t text_size(part p) const noexcept {
    return p == part::tags ? tags.text_size() : properties(p).text_size();
  }
  std::size_t total_size() const noexcept { return tags.size() + desired.size() + reported.size(); }

  std::uint64_t etag_counter() const noexcept {
    std::uint64_t counter = 0;
    if (highest_counter(etag(), counter)) return counter;
    // The law that holds wherever it could be seen: version = etag counter + reported version
    // (docs/azure.md).
    return version > reported.version() ? static_cast<std::uint64_t>(version - reported.version())
                                        : 1;
  }
  /// The twin's version after the next write. Error: number_out_of_range.
  json::result<std::int64_t> next_version() const noexcept {
    constexpr auto most = static_cast<std::uint64_t>(INT64_MAX);
    const std::uint64_t counter = version != 0 ? 0 : etag_counter();
    const auto others = static_cast<std::uint64_t>(version != 0 ? version : reported.version());
    if (counter >= most || others >= most - counter)
      return error_at_member(json::errc::number_out_of_range, "version");
    return static_cast<std::int64_t>(counter + others) + 1;
  }

  json::result<stamp> stamp_of(part where, std::string_view pointer) const noexcept;

 private:
  std::string_view text_member(std::string_view name) const noexcept {
    if (!identity.root().IsObject()) return {};
    const json::arena_value* found = find_member(identity.root(), name);
    return found != nullptr && found->IsString() ? json::core::text_of(*found) : std::string_view();
  }
};

/// The way to a twin's state. A twin's users have no business there.
struct twin_access {
  template <class Twin>
  static auto& state(Twin& t) noexcept {
    return t.state_;
  }
};

template <class Memory>
json::result<stamp> twin_state<Memory>::stamp_of(part where,
                                                 std::string_view pointer) const noexcept {
  if (where == part::tags) return json::errc::not_found;
  const auto found = json::find(properties(where).values(), pointer);
  if (!found) return found.error();
  const auto& shadow = properties(where).tracking().shadow();
  const json::arena_value* at = &properties(where).values();
  auto word = shadow.root();
  json::core::pointer_tokens tokens(pointer);
  std::string_view token;
  while (at->IsObject() && tokens.next(token)) {  // elements carry their array's stamp
    const auto* members = json::core::members_begin(*at);
    json::size_type i = 0;
    while (!json::core::token_is(token, json::core::text_of(members[i].name))) ++i;
    word = shadow.child(word, i);
    at = &members[i].value;
  }
  if (shadow.known(word)) return shadow.at(word);
  return json::error(json::errc::not_found).at(json::core::pointer_text{pointer});
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
