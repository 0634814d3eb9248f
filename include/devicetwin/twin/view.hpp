/// What each party sees of a twin, as JSON text or as events for any RapidJSON handler.
///
/// Reading them back is basic_twin::load() for the service's and the device's view and for the
/// bodies of lifecycle and replaceTwin events, and basic_twin::apply_notification() for a desired
/// notification.
#pragma once

#include <string_view>  // std::string_view

#include "../base/plain_array.hpp"
#include "../base/text_buffer.hpp"
#include "../json/write.hpp"
#include "detail/emit_section.hpp"
#include "twin.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

struct view_options {
  bool metadata = true;  ///< `$metadata` of both sections, in the service's view
  bool history =
      false;  ///< what changes_since() needs, as `$history`; written in any case if it was loaded
  unsigned indent = 0;  ///< of text: spaces per level; 0 is compact
};

namespace functions {

/// The service's GET: identity in the order it was loaded or made, tags if there are any,
/// properties with `$metadata` and
/// `$version` (docs/azure.md, "Views"). Sends events; errors: out_of_memory, handler_stopped, and
/// what the handler says.
template <class Memory, class Handler>
json::error emit_service_view(const basic_twin<Memory>& t, Handler& handler,
                              const view_options& options = {});

/// The device's GET: desired and reported with their versions, and nothing else.
template <class Memory, class Handler>
json::error emit_device_view(const basic_twin<Memory>& t, Handler& handler);

/// The same two, and the body of a lifecycle event, appended as text to anything json::write()
/// takes. On an error it is as it was.
template <class Memory, class Output>
json::error write_service_view(const basic_twin<Memory>& t, Output& out,
                               const view_options& options = {});
template <class Memory, class Output>
json::error write_device_view(const basic_twin<Memory>& t, Output& out,
                              const view_options& options = {});
template <class Memory, class Output>
json::error write_lifecycle_event(const basic_twin<Memory>& t, Output& out,
                                  const view_options& options = {});

/// Compares two twins: identity, values, versions and stamps; the order of
/// members is irrelevant. Returns equal, different or out_of_memory.
template <class MemoryA, class MemoryB>
[[nodiscard]] json::comparison equal(const basic_twin<MemoryA>& a, const basic_twin<MemoryB>& b);

}  // namespace functions

// ---------------------------------------------------------------------------------------------

namespace functions {

template <class Memory, class Handler>
json::error emit_service_view(const basic_twin<Memory>& t, Handler& handler,
                              const view_options& options) {
  const memory_source working = t.memory();
  json::core::own_walk_memory<json::arena_value> memory(working);
  const auto stopped = [&] { return json::error(json::core::failure_of(handler, 0)); };
  const auto name = [&](std::string_view n) {
    return handler.Key(n.data(), static_cast<json::size_type>(n.size()), true);
  };
  if (!t.identity().IsObject()) return json::errc::not_a_twin;
  const auto& layout = detail::twin_access::state(t).layout;
  const json::size_type members = t.identity().MemberCount();
  json::size_type sent = 0;
  const auto tags = [&]() -> json::error {
    if (t.tags().MemberCount() == 0 && !layout.shows_empty_tags) return {};
    if (!name("tags")) return stopped();
    ++sent;
    return json::core::emit(t.tags(), handler, json::core::nulls::emit,
                            static_cast<std::size_t>(-1), memory);
  };
  const auto properties = [&]() -> json::error {
    if (!layout.has_desired && !layout.has_reported && layout.properties == json::core::no_index)
      return {};
    if (!name("properties") || !handler.StartObject()) return stopped();
    ++sent;
    json::size_type sections = 0;
    if (layout.has_desired) {
      if (!name("desired")) return stopped();
      ++sections;
      if (json::error e = detail::emit_section(detail::twin_access::state(t).desired,
                                               options.metadata, true, handler, working))
        return e;
    }
    if (layout.has_reported) {
      if (!name("reported")) return stopped();
      ++sections;
      if (json::error e = detail::emit_section(detail::twin_access::state(t).reported,
                                               options.metadata, false, handler, working))
        return e;
    }
    return handler.EndObject(sections) ? json::error() : stopped();
  };
  if (!handler.StartObject()) return stopped();
  bool tags_sent = false, properties_sent = false;
  for (json::size_type i = 0;; ++i) {
    const bool last = i == members;
    if (!tags_sent && (i == layout.tags ||
                       (layout.tags == json::core::no_index && (i == layout.properties || last)))) {
      tags_sent = true;
      if (json::error e = tags()) return e;
    }
    if (!properties_sent && (i == layout.properties || last)) {
      properties_sent = true;
      if (json::error e = properties()) return e;
    }
    if (last) break;
    const auto& member = json::core::members_begin(t.identity())[i];
    if (!detail::send_name(member, handler)) return stopped();
    if (json::error e = json::core::emit(member.value, handler, json::core::nulls::emit,
                                         static_cast<std::size_t>(-1), memory))
      return e;
    ++sent;
  }
  if (options.history || layout.shows_history) {
    if (!name(history_member) || !handler.StartObject()) return stopped();
    ++sent;
    for (const part where : {part::desired, part::reported}) {
      if (!name(name_of(where))) return stopped();
      if (json::error e = detail::emit_history(detail::twin_access::state(t).properties(where),
                                               where == part::reported, handler, working))
        return e;
    }
    if (!handler.EndObject(2)) return stopped();
  }
  return handler.EndObject(sent) ? json::error() : stopped();
}

template <class Memory, class Handler>
json::error emit_device_view(const basic_twin<Memory>& t, Handler& handler) {
  const memory_source working = t.memory();
  const auto stopped = [&] { return json::error(json::core::failure_of(handler, 0)); };
  if (!t.desired().IsObject()) return json::errc::not_a_twin;
  if (!handler.StartObject() || !handler.Key("desired", 7, true)) return stopped();
  if (json::error e = detail::emit_section(detail::twin_access::state(t).desired, false, true,
                                           handler, working))
    return e;
  if (!handler.Key("reported", 8, true)) return stopped();
  if (json::error e = detail::emit_section(detail::twin_access::state(t).reported, false, false,
                                           handler, working))
    return e;
  return handler.EndObject(2) ? json::error() : stopped();
}

template <class Memory, class Output>
json::error write_service_view(const basic_twin<Memory>& t, Output& out,
                               const view_options& options) {
  static_assert(base::is_output<Output>,
                "devicetwin: the output needs append(const char*, std::size_t), size() and "
                "resize(std::size_t)");
  return detail::write_events(out, options.indent,
                              [&](auto& writer) { return emit_service_view(t, writer, options); });
}
template <class Memory, class Output>
json::error write_device_view(const basic_twin<Memory>& t, Output& out,
                              const view_options& options) {
  static_assert(base::is_output<Output>,
                "devicetwin: the output needs append(const char*, std::size_t), size() and "
                "resize(std::size_t)");
  return detail::write_events(out, options.indent,
                              [&](auto& writer) { return emit_device_view(t, writer); });
}
template <class Memory, class Output>
json::error write_lifecycle_event(const basic_twin<Memory>& t, Output& out,
                                  const view_options& options) {
  static_assert(base::is_output<Output>,
                "devicetwin: the output needs append(const char*, std::size_t), size() and "
                "resize(std::size_t)");
  if (!t.identity().IsObject()) return json::errc::not_a_twin;
  const memory_source working = t.memory();
  return detail::write_events(out, options.indent, [&](auto& writer) {
    return detail::write_event_body(
        writer, t, t.etag(), t.version(), [] { return json::error(); },
        [&] {
          return detail::emit_section(detail::twin_access::state(t).desired, true, true, writer,
                                      working);
        },
        [&] {
          return detail::emit_section(detail::twin_access::state(t).reported, true, false, writer,
                                      working);
        });
  });
}

template <class MemoryA, class MemoryB>
json::comparison equal(const basic_twin<MemoryA>& a, const basic_twin<MemoryB>& b) {
  json::document views[2];
  const auto build = [](const auto& t, json::document& view) -> json::error {
    if (!t.identity().IsObject()) return {};
    return json::core::document_access::rebuild(
        view, 0, [&](auto& handler) { return emit_service_view(t, handler); });
  };
  if (build(a, views[0]) || build(b, views[1])) return json::comparison::out_of_memory;
  json::equal_options options;
  options.max_depth = detail::whole_twin_depth;
  return json::equal(views[0].root(), views[1].root(), options);
}

}  // namespace functions

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
