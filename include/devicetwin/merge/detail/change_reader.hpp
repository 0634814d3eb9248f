/// Reading a change from its JSON form, or from a merge patch.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../json/error.hpp"
#include "../../json/tree/events.hpp"
#include "../../json/tree/failure.hpp"
#include "../../json/tree/member_lookup.hpp"
#include "../../json/tree/object_walk.hpp"
#include "../../json/value.hpp"
#include "../options.hpp"
#include "../tree/places.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

/// Reads places: those of a merge patch, or those of a form, which are checked.
template <class Value, class Handler>
class place_reader : json::core::steps_may_fail {
 public:
  place_reader(Handler& handler, bool form, const options& o) noexcept
      : handler_(handler),
        form_(form),
        options_(o),
        walk_(o.memory),
        indexes_(o.memory),
        value_memory_(o.memory) {}

  error run(const Value& root) {
    if (form_ && root.IsNull()) return errc::root_removed;
    if (form_ && root.IsArray() && root.Empty()) {
      return handler_.StartArray() && handler_.EndArray(0) ? errc::ok
                                                           : json::core::failure_of(handler_, 0);
    }
    if (!form_ && root.IsNull()) {
      const bool sent = handler_.StartArray() && handler_.Null() && handler_.EndArray(1);
      return sent ? errc::ok : json::core::failure_of(handler_, 0);
    }
    if (!visit(root)) return failure();
    while (!walk_.done()) {
      const auto* member = walk_.next();
      if (!(member == nullptr ? leave() : member_step(*member))) return failure();
    }
    return {};
  }

 private:
  struct read_object {
    size_type sent;
    std::size_t index_base;
    json::core::repeat_lookup<Value> names;
  };
  bool leave() {
    const size_type sent = walk_.note().sent;
    indexes_.truncate(walk_.note().index_base);
    walk_.leave();
    return handler_.EndObject(sent) || stopped(handler_, walk_);
  }
  bool member_step(const json::core::member_of<Value>& member) {
    read_object& top = walk_.note();
    bool first;
    if (!top.names.is_first(walk_.index(), indexes_, first))
      return fail(errc::out_of_memory, walk_);
    if (!first) return !form_ || fail(errc::duplicate_name, walk_);
    ++top.sent;
    return (json::core::emit_name(member.name, handler_) || stopped(handler_, walk_)) &&
           visit(member.value);
  }
  bool visit(const Value& place) {
    if (place.IsObject()) {
      if (walk_.depth() >= options_.max_depth)
        return fail(errc::depth_exceeded, walk_, options_.max_depth);
      if (!handler_.StartObject()) return stopped(handler_, walk_);
      return walk_.enter(place, {0, indexes_.size(), json::core::repeat_lookup<Value>(place)}) ||
             fail(errc::out_of_memory, walk_);
    }
    if (place.IsNull()) return handler_.Null() || stopped(handler_, walk_);
    if (form_ && (!place.IsArray() || place.Size() != 1)) return fail(errc::not_a_change, walk_);
    const Value& value = form_ ? *place.Begin() : place;
    if (!handler_.StartArray()) return stopped(handler_, walk_);
    return good(json::core::emit(value, handler_, json::core::nulls::emit, options_.max_depth,
                                 value_memory_, walk_.depth(), walk_)) &&
           (handler_.EndArray(1) || stopped(handler_, walk_));
  }

  Handler& handler_;
  bool form_;
  options options_;
  json::core::object_walk<const Value, read_object, json::core::in_memory<6>> walk_;
  index_memory indexes_;
  json::core::walk_memory<Value> value_memory_;
};

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
