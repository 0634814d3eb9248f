/// What has changed since an earlier version of a section: one merge patch, deletions included.
///
/// No twin service answers this; its users fetch the whole document and compare.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view

#include "../base/text_buffer.hpp"
#include "../json/write.hpp"
#include "../merge/diff.hpp"
#include "../merge/merge_patch.hpp"
#include "detail/shadow.hpp"
#include "twin.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

namespace functions {

/// Sends the merge patch (RFC 7396) that turns the section as it was at `version` into what it is
/// now, to a RapidJSON handler. `where` is desired or reported.
///
/// Errors: too_old when removals after that version are not all remembered, the section never had
/// that version, or its loaded stamps, versions and history contradict each other: send the whole
/// section then; out_of_memory; handler_stopped. Events may have been sent before the last two.
/// Cost: what changed, and nothing for what did not. One member in each object is remembered as the
/// last one written; an object in which several have changed since is gone through member by
/// member.
template <class Memory, class Handler>
json::error emit_changes_since(const basic_twin<Memory>& t, part where, std::int64_t version,
                               Handler& handler);

/// The same as text, appended to anything json::write() takes. On an error it is as it was.
template <class Memory, class Output>
json::error write_changes_since(const basic_twin<Memory>& t, part where, std::int64_t version,
                                Output& out, unsigned indent = 0);

/// The same as a document.
template <class Memory>
json::error changes_since(const basic_twin<Memory>& t, part where, std::int64_t version,
                          json::document& patch) {
  return json::core::document_access::rebuild(
      patch, 0, [&](auto& handler) { return emit_changes_since(t, where, version, handler); });
}

}  // namespace functions

// ---------------------------------------------------------------------------------------------

namespace detail {

/// Sends a record's names that are not there now as null, inside the objects that are: {} when all
/// are back.
template <class Handler>
bool emit_missing_names(const arena_value& names, const arena_value& values, Handler& handler,
                        json::core::index_memory& indexes, const memory_source& working) {
  struct looked_up {
    object_beside values;
    size_type sent;
  };
  json::core::object_walk<const arena_value, looked_up> walk(working);
  indexes.truncate(0);
  const auto enter = [&](const arena_value& object, const arena_value& beside) {
    return handler.StartObject() && walk.enter(object, {object_beside(&beside, indexes), 0});
  };
  if (!enter(names, values)) return false;
  while (!walk.done()) {
    looked_up& top = walk.note();
    const value_member* name = walk.next();
    if (name == nullptr) {
      if (!handler.EndObject(top.sent)) return false;
      top.values.close(indexes);
      walk.leave();
      continue;
    }
    const arena_value* now;
    if (!top.values.find(name->name, indexes, now)) return false;
    if (now != nullptr && !(now->IsObject() && name->value.IsObject()))
      continue;  // it is there, and sent as a whole if it changed
    if (!json::core::emit_name(name->name, handler)) return false;
    ++top.sent;
    if (!(now == nullptr ? handler.Null() : enter(name->value, *now))) return false;
  }
  return true;
}

/// All names that went after `version` and are not there now, as one tree of nulls; null when there
/// are none. The trees of the records are joined in pairs, and those in pairs again, so that n
/// records cost n * log(n).
inline json::error removed_since(const section_history& history, const arena_value& values,
                                 std::int64_t version, json::document& nulls,
                                 const memory_source& working) {
  if (history.size() == 0 || history[history.size() - 1].version <= version) return {};
  json::core::index_memory indexes(working);
  merge::options keep;
  keep.nulls = merge::null_rule::keep;
  keep.memory = working;
  constexpr std::size_t most = 20;
  json::document joined[most];  // the trees of 1, 2, 4... records, or null; the first ones are of
                                // older records
  const auto join = [&](json::document& younger, json::document& older) -> json::error {
    if (older.root().IsNull()) return {};
    if (younger.root().IsNull()) {
      younger.swap(older);
      return {};
    }
    return merge::apply_merge_patch(younger, older.root(), keep);
  };
  for (std::size_t i = history.size(); i-- > 0 && history[i].version > version;) {
    json::document names(working), missing(working);
    if (json::error e = read_names(history[i].names, names, working)) return e;
    if (json::error e = json::core::document_access::rebuild(missing, 0, [&](auto& handler) {
          return json::error(emit_missing_names(names.root(), values, handler, indexes, working)
                                 ? json::errc::ok
                                 : json::errc::out_of_memory);
        })) {
      return e;
    }
    std::size_t at = 0;
    for (; at + 1 < most && !joined[at].root().IsNull(); ++at) {
      if (json::error e = join(joined[at], missing)) return e;
      missing.swap(joined[at]);
      json::document(working).swap(joined[at]);
    }
    if (json::error e = join(joined[at], missing)) return e;
  }
  for (std::size_t at = most; at-- > 0;) {
    if (json::error e = join(nulls, joined[at])) return e;
  }
  return {};
}

template <class Handler>
json::error send_changes(const section<stamped>& s, std::int64_t version,
                         const arena_value& removed, Handler& handler,
                         const memory_source& working) {
  struct sent_object {
    stamp_shadow::word at;
    object_beside removed;  ///< the tree of nulls beside it
    size_type sent;
  };
  const stamp_shadow& shadow = s.tracking().shadow();
  json::core::object_walk<const arena_value, sent_object> walk(working);
  json::core::index_memory indexes(working);
  json::core::own_walk_memory<json::arena_value> memory(working);
  const auto stopped = [&] { return json::error(json::core::failure_of(handler, 0)); };
  const auto enter = [&](const arena_value& object, stamp_shadow::word w,
                         const arena_value* nulls) {
    if (!walk.enter(object, {w, object_beside(nulls, indexes), 0})) return false;
    if (shadow.is_block(w) &&
        shadow.newest_other(w).version <= version) {  // at most the last one written is new
      const size_type last = shadow.last_written(w);
      walk.visit_only(last, last == json::core::no_index ? last : last + 1);
    }
    return true;
  };
  if (!handler.StartObject()) return stopped();
  if (!enter(s.values(), shadow.root(), &removed)) return json::errc::out_of_memory;
  if (shadow.at(shadow.root()).version <= version) walk.visit_only(0, 0);
  while (!walk.done()) {
    sent_object& top = walk.note();
    const value_member* member = walk.next();
    if (member == nullptr) {
      const arena_value* gone = top.removed.get();
      for (size_type i = 0; gone != nullptr && i < gone->MemberCount(); ++i) {
        const value_member& name = json::core::members_begin(*gone)[i];
        if (!name.value.IsNull()) continue;
        if (!json::core::emit_name(name.name, handler) || !handler.Null()) return stopped();
        ++top.sent;
      }
      if (!handler.EndObject(top.sent)) return stopped();
      top.removed.close(indexes);
      walk.leave();
      continue;
    }
    const stamp_shadow::word w = shadow.child(top.at, walk.index());
    if (shadow.at(w).version <= version) continue;
    if (!json::core::emit_name(member->name, handler)) return stopped();
    ++top.sent;
    if (!member->value.IsObject()) {
      if (json::error e = json::core::emit(member->value, handler, json::core::nulls::emit,
                                           static_cast<std::size_t>(-1), memory))
        return e;
      continue;
    }
    const arena_value* nulls;
    if (!top.removed.find(member->name, indexes, nulls)) return json::errc::out_of_memory;
    if (!handler.StartObject()) return stopped();
    if (!enter(member->value, w, nulls)) return json::errc::out_of_memory;
  }
  return {};
}

}  // namespace detail

namespace functions {

template <class Memory, class Handler>
json::error emit_changes_since(const basic_twin<Memory>& t, part where, std::int64_t version,
                               Handler& handler) {
  static_assert(json::core::is_handler<Handler>,
                "emit_changes_since: the last argument is a RapidJSON handler");
  if (where == part::tags || !t.desired().IsObject()) return json::errc::not_found;
  const detail::section<detail::stamped>& s = detail::twin_access::state(t).properties(where);
  const detail::section_history& history = s.tracking().history();
  if (version < 1 || version < history.known_since() || version > s.version() ||
      s.tracking().is_doubted())
    return json::errc::too_old;
  const memory_source working = t.memory();
  json::document removed(working);
  if (json::error e = detail::removed_since(history, s.values(), version, removed, working))
    return e;
  return detail::send_changes(s, version, removed.root(), handler, working);
}

template <class Memory, class Output>
json::error write_changes_since(const basic_twin<Memory>& t, part where, std::int64_t version,
                                Output& out, unsigned indent) {
  static_assert(base::is_output<Output>,
                "devicetwin: the output needs append(const char*, std::size_t), size() and "
                "resize(std::size_t)");
  return detail::write_events(
      out, indent, [&](auto& writer) { return emit_changes_since(t, where, version, writer); });
}

}  // namespace functions

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
