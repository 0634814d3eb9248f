/// Reading a change from its JSON form, or from a merge patch.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../base/stack.hpp"
#include "../../json/error.hpp"
#include "../../json/tree/events.hpp"
#include "../../json/tree/member_lookup.hpp"
#include "../../json/value.hpp"
#include "../options.hpp"
#include "../tree/places.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

/// Reads places: those of a merge patch, or those of a form, which are checked.
template <class Value, class Handler>
class place_reader {
 public:
  place_reader(Handler& handler, bool form, const options& o) noexcept
      : handler_(handler),
        form_(form),
        options_(o),
        frames_(o.memory),
        indexes_(o.memory),
        path_(o.memory),
        walk_(o.memory) {}

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
    if (!visit(root)) return failure_;
    while (!frames_.empty()) {
      frame& top = frames_.back();
      if (!(top.next == top.object->MemberCount() ? leave(top) : member_step(top))) return failure_;
    }
    return {};
  }

 private:
  struct frame {
    const Value* object;
    size_type next;
    size_type sent;
    std::size_t index_base;
    json::core::repeat_lookup<Value> names;
  };
  bool leave(const frame& top) {
    const size_type sent = top.sent;
    indexes_.truncate(top.index_base);
    frames_.pop();
    if (!frames_.empty()) path_.pop();
    return handler_.EndObject(sent) || stopped();
  }
  bool member_step(frame& top) {
    const size_type at = top.next++;
    const auto& member = members_begin(*top.object)[at];
    const std::string_view name = text_of(member.name);
    bool first;
    if (!top.names.is_first(at, indexes_, first) || !path_.push(name))
      return fail(errc::out_of_memory);
    if (!first && form_) return fail(errc::duplicate_name);
    if (first) {
      ++top.sent;
      if (!handler_.Key(name.data(), static_cast<size_type>(name.size()), true)) return stopped();
      if (member.value.IsObject()) return visit(member.value);
      if (!visit(member.value)) return false;
    }
    path_.pop();
    return true;
  }
  bool visit(const Value& place) {
    if (place.IsObject()) {
      if (frames_.size() >= options_.max_depth) return fail(errc::depth_exceeded);
      if (!handler_.StartObject()) return stopped();
      return frames_.push(
                 {&place, 0, 0, indexes_.size(), json::core::repeat_lookup<Value>(place)}) ||
             fail(errc::out_of_memory);
    }
    if (place.IsNull()) return handler_.Null() || stopped();
    if (form_ && (!place.IsArray() || place.Size() != 1)) return fail(errc::not_a_change);
    const Value& value = form_ ? *place.Begin() : place;
    if (!handler_.StartArray()) return stopped();
    failure_ = json::core::emit(value, handler_, json::core::nulls::emit, options_.max_depth, walk_,
                                frames_.size(), path_);
    return !failure_ && (handler_.EndArray(1) || stopped());
  }
  bool stopped() { return fail(json::core::failure_of(handler_, 0)); }
  bool fail(errc code) {
    failure_ =
        error(code).limited_to(code == errc::depth_exceeded ? options_.max_depth : 0).at(path_);
    return false;
  }

  Handler& handler_;
  bool form_;
  options options_;
  base::stack<frame, 6> frames_;
  index_memory indexes_;
  path path_;
  json::core::walk_memory<Value> walk_;
  error failure_;
};

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
