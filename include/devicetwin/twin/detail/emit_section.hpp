/// A section as the views write it: its members, then $metadata, then $version.
#pragma once

#include <string_view>  // std::string_view

#include "../../base/text_buffer.hpp"
#include "../../json/read.hpp"
#include "../../json/tree/events.hpp"
#include "../../json/write.hpp"
#include "history_checksum.hpp"
#include "section.hpp"
#include "shadow_metadata.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// Writes text by way of events, and takes it back on an error. An output that is none is explained
/// by the caller.
template <class Output, class Send>
json::error write_events(Output& out, unsigned indent, Send&& send) {
  if constexpr (base::is_output<Output>) {
    const auto size = out.size();
    json::text_writer writer(out, indent);
    json::error failure = send(writer);
    if (failure) out.resize(size);
    return failure;
  } else {
    return json::errc::wrong_type;
  }
}

/// A tombstone record as a document.
inline json::error read_names(std::string_view text, json::document& names,
                              const memory_source& working) {
  json::read_options options;
  options.memory = working;
  return json::read(text, names, options);
}
/// Sends what a section remembers beyond its values and metadata:
/// {"knownSince":n,"removed":[{"version":n,"names":{}}]}, where metadata does not show them
/// "versions", and the checksum, without which nobody will believe it.
template <class Handler>
json::error emit_history(const section<stamped>& s, bool with_versions, Handler& handler,
                         const memory_source& working) {
  const section_history& history = s.tracking().history();
  json::core::own_walk_memory<json::arena_value> memory(working);
  const auto stopped = [&] { return json::error(json::core::failure_of(handler, 0)); };
  if (!handler.StartObject() || !handler.Key("knownSince", 10, true) ||
      !handler.Int64(history.known_since()) || !handler.Key("removed", 7, true) ||
      !handler.StartArray()) {
    return stopped();
  }
  for (std::size_t i = 0; i < history.size(); ++i) {
    json::document names(working);
    if (json::error e = read_names(history[i].names, names, working)) return e;
    if (!handler.StartObject() || !handler.Key("version", 7, true) ||
        !handler.Int64(history[i].version) || !handler.Key("names", 5, true)) {
      return stopped();
    }
    if (json::error e = json::core::emit(names.root(), handler, json::core::nulls::emit,
                                         static_cast<std::size_t>(-1), memory))
      return e;
    if (!handler.EndObject(2)) return stopped();
  }
  if (!handler.EndArray(static_cast<json::size_type>(history.size()))) return stopped();
  if (with_versions) {
    if (!handler.Key("versions", 8, true)) return stopped();
    if (json::error e =
            emit_metadata(s.values(), s.tracking().shadow(), stamp_fields::version, handler))
      return e;
  }
  json::size_type members = with_versions ? 3 : 2;
  if (!s.tracking().is_doubted()) {
    char sum[checksum_chars];
    if (json::error e = write_history_checksum(s.values(), s.tracking().shadow(), s.version(),
                                               history, working, sum))
      return e;
    if (!handler.Key("checksum", 8, true) || !handler.String(sum, checksum_chars, true))
      return stopped();
    ++members;
  }
  return handler.EndObject(members) ? json::error() : stopped();
}

/// Sends the members of an object without its braces, and counts them.
template <class Handler>
json::error emit_members(const json::arena_value& object, Handler& handler, json::size_type& sent,
                         json::core::own_walk_memory<json::arena_value>& memory) {
  const auto* members = json::core::members_begin(object);
  for (json::size_type i = 0; i < object.MemberCount(); ++i, ++sent) {
    const std::string_view name = json::core::text_of(members[i].name);
    if (!handler.Key(name.data(), static_cast<json::size_type>(name.size()), true))
      return json::core::failure_of(handler, 0);
    if (json::error e = json::core::emit(members[i].value, handler, json::core::nulls::emit,
                                         static_cast<std::size_t>(-1), memory)) {
      return e;
    }
  }
  return {};
}

/// Sends a whole section. `with_versions`: its metadata shows versions, as desired's does.
template <class Tracking, class Handler>
json::error emit_section(const section<Tracking>& s, bool with_metadata, bool with_versions,
                         Handler& handler, const memory_source& working) {
  json::core::own_walk_memory<json::arena_value> memory(working);
  const auto stopped = [&] { return json::error(json::core::failure_of(handler, 0)); };
  json::size_type sent = 0;
  if (!handler.StartObject()) return stopped();
  if (json::error e = emit_members(s.values(), handler, sent, memory)) return e;
  if constexpr (Tracking::keeps_stamps) {
    if (with_metadata && (s.tracking().shadow().root() != 0 || s.tracking().unusual() != nullptr)) {
      if (!handler.Key("$metadata", 9, true)) return stopped();
      if (json::error e = s.tracking().emit(s.values(), with_versions, handler, working)) return e;
      ++sent;
    }
  }
  if (s.version() != 0) {
    if (!handler.Key("$version", 8, true) || !handler.Int64(s.version())) return stopped();
    ++sent;
  }
  return handler.EndObject(sent) ? json::error() : stopped();
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
