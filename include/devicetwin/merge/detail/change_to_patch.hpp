/// A change as merge patches (RFC 7396).
#pragma once

#include <cstddef>      // std::size_t
#include <type_traits>  // std::remove_const_t

#include "../../json/error.hpp"
#include "../../json/tree/tree_diff.hpp"
#include "../../json/value.hpp"
#include "../diff.hpp"
#include "../options.hpp"
#include "../tree/places.hpp"
#include "change_form.hpp"
#include "change_walk.hpp"
#include "change_writer.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

/// The merge patch from a document to what a change makes of it.
template <class Base, class Handler>
error send_merge_patch(const arena_value& form, const Base& base, Handler& handler,
                       const options& o) {
  using walk_type = change_walk<Base>;
  using step = typename walk_type::step;
  if (deed_of(form) == deed::keep) {
    if (!base.IsObject()) return send(base, handler, o.memory);
    return handler.StartObject() && handler.EndObject(0) ? errc::ok
                                                         : json::core::failure_of(handler, 0);
  }
  options exact = o;
  exact.nulls = null_rule::remove;
  walk_type walk(form, &base, o.memory);
  sparse_writer<Handler> out(handler, o.memory);
  for (;;) {
    bool good = true;
    switch (walk.next()) {
      case step::end:
        return out.failure();
      case step::failed:
        return error(errc::out_of_memory).at(walk.where());
      case step::open:
        good = out.open(walk.name(),
                        walk.at_root() || walk.base() == nullptr || !walk.base()->IsObject());
        break;
      case step::close:
        good = out.close();
        break;
      case step::remove:
        good = walk.base() == nullptr || out.null(walk.name());
        break;
      case step::set: {
        const arena_value& value = value_of(walk.form());
        const auto patch_from = [&](const auto& from) -> error {
          using from_type = std::remove_const_t<std::remove_reference_t<decltype(from)>>;
          json::core::tree_diff<from_type, arena_value> changes(rules_of(exact), o.memory);
          if (error e = changes.run(from, value)) return nested(e, walk.where());
          const bool absent = walk.base() == nullptr;
          if (!absent && !changes.differ() && !walk.at_root()) return {};
          if (value.IsNull() && !walk.at_root()) return error(errc::null_member).at(walk.where());
          if (!out.member(walk.name())) return out.failure();
          const bool whole = absent || !from.IsObject() || !value.IsObject();
          return send_patch(changes, value, whole, handler, o.memory);
        };
        const error e =
            walk.base() == nullptr ? patch_from(arena_value()) : patch_from(*walk.base());
        if (e) return e;
        break;
      }
    }
    if (!good) return out.failure();
  }
}

/// One of the merge patches that say a change whatever the document: the first removes what is set
/// to an object, and the second sets it.
template <class Handler>
error send_blind_patch(const arena_value& form, bool second, Handler& handler, bool& sent,
                       const options& o) {
  using walk_type = change_walk<arena_value>;
  using step = typename walk_type::step;
  options exact = o;
  exact.nulls = null_rule::remove;
  exact.max_depth = any_depth;
  walk_type walk(form, nullptr, o.memory);
  sparse_writer<Handler> out(handler, o.memory);
  for (;;) {
    bool good = true;
    switch (walk.next()) {
      case step::end:
        sent = out.sent();
        return out.failure();
      case step::failed:
        return error(errc::out_of_memory).at(walk.where());
      case step::open:
        good = out.open(walk.name(), !second);
        break;
      case step::close:
        good = out.close();
        break;
      case step::remove:
        good = second || out.null(walk.name());
        break;
      case step::set: {
        const arena_value& value = value_of(walk.form());
        if (value.IsNull() && !walk.at_root()) return error(errc::null_member).at(walk.where());
        json::core::tree_diff<arena_value, arena_value> sayable(rules_of(exact), o.memory);
        if (const error e = sayable.run(arena_value(), value)) return nested(e, walk.where());
        if (!value.IsObject()) {
          good = second || out.value(walk.name(), value, o.memory);
        } else {
          good = second ? out.value(walk.name(), value, o.memory) : out.null(walk.name());
        }
        break;
      }
    }
    if (!good) return out.failure();
  }
}

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
