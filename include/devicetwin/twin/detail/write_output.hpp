/// What a write sends: the bodies of notifications and events.
#pragma once

#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view

#include "../../json/tree/events.hpp"
#include "../../json/write.hpp"
#include "../stamp.hpp"
#include "render.hpp"
#include "section.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// Why a walk that writes came to a stop: the writer's reason, or else its own memory ran out.
template <class Writer>
json::error why_stopped(const Writer& out) noexcept {
  const json::errc code = json::core::failure_of(out, 0);
  return code == json::errc::ok ? json::errc::out_of_memory : code;
}

/// Of an object's compact text that ends with `"$version"`: the brace and the members before it,
/// without the comma.
inline std::string_view members_before_version(std::string_view object) noexcept {
  object.remove_suffix(object.size() -
                       object.rfind('"'));  // up to the name's last quote: the number has none
  object.remove_suffix(std::string_view("\"$version").size());
  if (object.back() == ',') object.remove_suffix(1);
  return object;
}

/// The body of an event that has the whole twin: lifecycle and replaceTwin. `tags` writes the tags
/// with their name, or nothing; the others write a section.
template <class Writer, class Twin, class Tags, class Desired, class Reported>
json::error write_event_body(Writer& out, const Twin& t, std::string_view etag,
                             std::int64_t version, Tags&& tags, Desired&& desired,
                             Reported&& reported) {
  const auto stopped = [&out] { return json::error(json::core::failure_of(out, 0)); };
  const auto name = [&out](std::string_view n) {
    return out.Key(n.data(), static_cast<json::size_type>(n.size()), true);
  };
  const auto text = [&](std::string_view n, std::string_view value) {
    return value.empty() ||
           (name(n) && out.String(value.data(), static_cast<json::size_type>(value.size()), true));
  };
  if (!out.StartObject() || !text("deviceId", t.device_id()) || !text("moduleId", t.module_id()) ||
      !text("etag", etag) || !name("version") || !out.Int64(version)) {
    return stopped();
  }
  if (json::error e = tags()) return e;
  if (!name("properties") || !out.StartObject() || !name("desired")) return stopped();
  if (json::error e = desired()) return e;
  if (!name("reported")) return stopped();
  if (json::error e = reported()) return e;
  return out.EndObject(2) && out.EndObject(0) ? json::error() : stopped();
}

/// A section as it will be when `content` has replaced it: no nulls, and one stamp everywhere.
template <class Writer>
json::error write_replaced(const json::arena_value& content, const stamp* s, bool with_version,
                           std::int64_t version, Writer& out, const memory_source& working) {
  json::core::own_walk_memory<json::arena_value> memory(working);
  const auto stopped = [&out] { return json::error(json::core::failure_of(out, 0)); };
  constexpr auto rule = json::core::nulls::drop_outside_arrays;
  if (!out.StartObject()) return stopped();
  const auto* members = json::core::members_begin(content);
  for (json::size_type i = 0; i < content.MemberCount(); ++i) {
    if (members[i].value.IsNull()) continue;
    if (!send_name(members[i], out)) return stopped();
    if (json::error e =
            json::core::emit(members[i].value, out, rule, static_cast<std::size_t>(-1), memory))
      return e;
  }
  if (s != nullptr) {
    const stamp_text text(*s, with_version);
    metadata_mirror<Writer> mirror(out, text);
    if (!out.Key("$metadata", 9, true)) return stopped();
    if (json::error e =
            json::core::emit(content, mirror, rule, static_cast<std::size_t>(-1), memory))
      return e;
  }
  if (version != 0 && (!out.Key("$version", 8, true) || !out.Int64(version))) return stopped();
  return out.EndObject(0) ? json::error() : stopped();
}

/// What follows the members.
template <class SectionWrite, class Writer>
json::error render_end(SectionWrite& w, bool with_stamps, timestamp now, Writer& out,
                       json::core::own_walk_memory<json::arena_value>& memory) {
  const auto stopped = [&out] { return why_stopped(out); };
  if (with_stamps) {
    const stamp_text text({now, w.next_version()}, w.where() == part::desired);
    metadata_renderer<Writer> metadata{out, text, w.planned().copy_rule(), memory, 0};
    if (!out.RawKey("\"$metadata\":") || !walk_plan(w.planned(), w.values_before(), metadata))
      return stopped();
  }
  if (w.where() != part::tags && (!out.RawKey("\"$version\":") || !out.Int64(w.next_version())))
    return stopped();
  return out.EndObject(0) ? json::error() : stopped();
}

/// A written section as notifications and events have it: what was written, its stamps, the
/// version.
template <class SectionWrite, class Writer>
json::error render_section(SectionWrite& w, bool with_stamps, timestamp now, Writer& out,
                           const memory_source& working) {
  json::core::own_walk_memory<json::arena_value> memory(working);
  member_renderer<Writer> members{out, w.planned().copy_rule(), memory, 0};
  if (!out.StartObject() || !walk_plan(w.planned(), w.values_before(), members))
    return why_stopped(out);
  return render_end(w, with_stamps, now, out, memory);
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
