/// Stamps as a section's `$metadata`.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../json/arena.hpp"
#include "../../json/error.hpp"
#include "../../json/tree/events.hpp"
#include "../stamp.hpp"
#include "plan_walk.hpp"
#include "shadow.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// What of a stamp is written.
enum class stamp_fields : unsigned char { time, version, both };

/// Sends the members that make up one stamp, and counts them.
template <class Handler>
bool emit_stamp(const stamp& s, stamp_fields fields, Handler& handler, size_type& sent) {
  if (fields != stamp_fields::version) {
    char text[max_timestamp_chars];
    const char* end = format_timestamp(text, s.time);
    ++sent;
    if (!handler.Key("$lastUpdated", 12, true) ||
        !handler.String(text, static_cast<size_type>(end - text), true))
      return false;
  }
  if (fields == stamp_fields::time || s.version == 0) return true;
  ++sent;
  return handler.Key("$lastUpdatedVersion", 19, true) && handler.Int64(s.version);
}

/// Sends a section's `$metadata` as events: the mirror of its objects with the stamps that are
/// known.
template <class Handler>
json::error emit_metadata(const arena_value& values, const stamp_shadow& shadow,
                          stamp_fields fields, Handler& handler) {
  struct mirrored {
    stamp_shadow::word at;
    size_type sent;
  };
  section_walk<mirrored> walk;
  const auto stopped = [&] { return json::error(json::core::failure_of(handler, 0)); };
  /// Opens the mirror of a value, with its own stamp.
  const auto open = [&](stamp_shadow::word w, size_type& sent) {
    return handler.StartObject() &&
           (!shadow.known(w) || emit_stamp(shadow.at(w), fields, handler, sent));
  };
  size_type sent = 0;
  if (!open(shadow.root(), sent)) return stopped();
  bool good = walk.enter(values, {shadow.root(), sent});
  while (good && !walk.done()) {
    const value_member* member = walk.next();
    if (member == nullptr) {
      if (!handler.EndObject(walk.note().sent)) return stopped();
      walk.leave();
      continue;
    }
    const stamp_shadow::word w = shadow.child(walk.note().at, walk.index());
    if (w == 0) continue;  // nothing known of it and all inside
    if (!json::core::emit_name(member->name, handler)) return stopped();
    ++walk.note().sent;
    sent = 0;
    if (!open(w, sent)) return stopped();
    if (member->value.IsObject()) {
      good = walk.enter(member->value, {w, sent});
    } else if (!handler.EndObject(sent)) {
      return stopped();
    }
  }
  return good ? json::errc::ok : json::errc::depth_exceeded;
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
