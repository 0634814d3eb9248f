/// A twin as bytes, with all that it knows: for a file, flash or a database.
///
/// The service's JSON has no place for tombstones and shows a time stamp at every level; this form
/// has both, compactly, and tells when it was torn or written by a later version.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <string_view>  // std::string_view

#include "../base/text_buffer.hpp"
#include "../json/read.hpp"
#include "../json/stored_form.hpp"
#include "../json/write.hpp"
#include "detail/shadow_stored.hpp"
#include "twin.hpp"
#include "view.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// The version of the stored form. A reader takes this one and earlier ones.
inline constexpr unsigned char stored_format = 1;

namespace functions {

/// Appends the stored form to anything json::write() takes. Not for text: it holds any byte.
/// Errors: not_a_twin before there is one; out_of_memory; then `out` is as it was.
template <class Memory, class Output>
json::error write_stored(const basic_twin<Memory>& t, Output& out);

/// Takes a twin from its stored form; `bytes` is exactly that. The twin keeps its own dialect.
/// Errors: damaged (torn, changed, or no stored twin at all); newer_format; out_of_memory; then
/// nothing has changed.
template <class Memory>
json::error load_stored(std::string_view bytes, basic_twin<Memory>& t);

}  // namespace functions

// ---------------------------------------------------------------------------------------------

namespace detail {

// The content of the stored form (../json/stored_form.hpp): flags, the service's view without
// metadata, and for desired and reported: known since, budget, the records (version, names), the
// numbers of store_stamps(), and the peculiarities of a loaded `$metadata` as JSON, or
// nothing.
inline constexpr std::string_view stored_mark = "DTWN";
inline constexpr unsigned stored_shows_history = 1, stored_doubts_desired = 2,
                          stored_doubts_reported = 4;

inline json::error store_tracking(const stamped& tracking, const json::arena_value& values,
                                  json::core::stored_writer<text_buffer>& out,
                                  const memory_source& working) {
  const section_history& history = tracking.history();
  out.number(static_cast<std::uint64_t>(history.known_since()));
  out.number(history.budget());
  out.number(history.size());
  for (std::size_t i = 0; i < history.size(); ++i) {
    out.number(static_cast<std::uint64_t>(history[i].version));
    out.text(history[i].names);
  }
  store_stamps(tracking.shadow(), values, [&out](std::uint64_t n) { out.number(n); });
  text_buffer unusual(working);
  json::write_options options;
  options.max_depth = whole_twin_depth;
  options.memory = working;
  if (tracking.unusual() != nullptr) {
    if (json::error e = json::write(*tracking.unusual(), unusual, options)) return e;
  }
  out.text(unusual.view());
  return {};
}

/// Takes what store_tracking() wrote for a section of these values and this version.
inline json::errc restore_tracking(json::core::stored_reader& in, const json::arena_value& values,
                                   std::int64_t newest, bool doubted, stamped& tracking,
                                   const memory_source& working) {
  section_history& history = tracking.history();
  std::uint64_t known_since = 0, budget = 0, records = 0;
  if (!in.number(known_since) || !in.number(budget) || !in.number(records))
    return json::errc::damaged;
  if (known_since > static_cast<std::uint64_t>(newest)) return json::errc::damaged;
  std::uint64_t before = known_since;
  history.start(static_cast<std::int64_t>(known_since));
  history.set_budget(static_cast<std::size_t>(budget));
  for (std::uint64_t i = 0; i < records; ++i) {
    std::uint64_t version = 0;
    std::string_view names;
    if (!in.number(version) || !in.text(names)) return json::errc::damaged;
    if (version <= before || version > static_cast<std::uint64_t>(newest))
      return json::errc::damaged;
    before = version;
    json::document parsed(working);
    const json::error e = read_names(names, parsed, working);
    if (e.code() == json::errc::out_of_memory) return e.code();
    if (e || !parsed.root().IsObject()) return json::errc::damaged;
    if (!history.prepare(names)) return json::errc::out_of_memory;
    history.append(static_cast<std::int64_t>(version), names);
  }
  const auto next = [&in](std::uint64_t& n) { return in.number(n); };
  if (const json::errc code = restore_stamps(tracking.shadow(), values, next, working);
      code != json::errc::ok)
    return code;
  const bool out_of_range = tracking.shadow().drop_versions_above(newest);
  tracking.set_doubted(false);
  if (doubted || out_of_range || !tracking.shadow().in_order_after(history.known_since()))
    tracking.doubt(newest);
  std::string_view unusual;
  if (!in.text(unusual)) return json::errc::damaged;
  if (unusual.empty()) return json::errc::ok;
  json::read_options options;
  options.max_depth = whole_twin_depth - 3;  // where a view has `$metadata`
  options.memory = working;
  json::document patch(working);
  const json::error e = json::read(unusual, patch, options);
  if (e.code() == json::errc::out_of_memory) return e.code();
  if (e || !patch.root().IsObject()) return json::errc::damaged;
  if (!tracking.set_unusual(patch)) return json::errc::out_of_memory;
  if (names_version_above(tracking.unusual(), newest)) tracking.doubt(newest);
  return json::errc::ok;
}

}  // namespace detail

namespace functions {

template <class Memory, class Output>
json::error write_stored(const basic_twin<Memory>& t, Output& out) {
  static_assert(base::is_output<Output>,
                "write_stored: the output needs append(const char*, std::size_t), size() and "
                "resize(std::size_t)");
  const auto& state = detail::twin_access::state(t);
  const memory_source working = t.memory();
  text_buffer payload(working), view(working);
  json::core::stored_writer<text_buffer> writer(payload);
  view_options options;
  options.metadata = false;
  if (json::error e =
          detail::write_events(view, 0, [&](auto& w) { return emit_service_view(t, w, options); }))
    return e;
  // A history member of the view says only whether it is shown; the history itself follows.
  writer.number((state.layout.shows_history ? detail::stored_shows_history : 0) |
                (state.desired.tracking().is_doubted() ? detail::stored_doubts_desired : 0) |
                (state.reported.tracking().is_doubted() ? detail::stored_doubts_reported : 0));
  writer.text(view.view());
  for (const part where : {part::desired, part::reported}) {
    const detail::section<detail::stamped>& s = state.properties(where);
    if (json::error e = detail::store_tracking(s.tracking(), s.values(), writer, working)) return e;
  }
  if (!writer.good()) return json::errc::out_of_memory;
  return json::core::write_stored_form(detail::stored_mark, stored_format, out,
                                       [&](auto& to) { to.bytes(payload.view()); });
}

template <class Memory>
json::error load_stored(std::string_view bytes, basic_twin<Memory>& t) {
  std::string_view payload;
  const json::errc form =
      json::core::read_stored_form(bytes, detail::stored_mark, stored_format, payload);
  if (form != json::errc::ok) return form;
  json::core::stored_reader in(payload);
  std::uint64_t flags = 0;
  std::string_view view;
  if (!in.number(flags) || flags > 7 || !in.text(view)) return json::errc::damaged;
  basic_twin<Memory> fresh(t.rules(), detail::twin_access::state(t).memory);
  if (json::error e = fresh.load(view))
    return e.code() == json::errc::out_of_memory ? e : json::error(json::errc::damaged);
  auto& state = detail::twin_access::state(fresh);
  state.layout.shows_history = (flags & detail::stored_shows_history) != 0;
  for (const part where : {part::desired, part::reported}) {
    detail::section<detail::stamped>& s = state.properties(where);
    const bool doubted = (flags & (where == part::desired ? detail::stored_doubts_desired
                                                          : detail::stored_doubts_reported)) != 0;
    const json::errc code =
        detail::restore_tracking(in, s.values(), s.version(), doubted, s.tracking(), t.memory());
    if (code != json::errc::ok) return code;
  }
  if (!in.done()) return json::errc::damaged;
  t.swap(fresh);
  return {};
}

}  // namespace functions

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
