/// Two changes, one after the other, as one.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../base/stack.hpp"
#include "../../json/error.hpp"
#include "../../json/tree/failure.hpp"
#include "../../json/value.hpp"
#include "../tree/places.hpp"
#include "change_form.hpp"
#include "change_result.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

/// Sends the form of "first, then second". Neither keeps everything.
template <class Handler>
class composer : json::core::steps_may_fail {
 public:
  composer(Handler& handler, const memory_source& memory) noexcept
      : handler_(handler), memory_(memory), walk_(memory), frames_(memory), indexes_(memory) {}

  error run(const arena_value& first, const arena_value& second) {
    if (!both(first, second)) return failure();
    while (!frames_.empty()) {
      frame& top = frames_.back();
      if (!(top.second_only ? second_step(top) : first_step(top))) return failure();
    }
    return {};
  }

 private:
  struct frame {
    const arena_value* first;
    const arena_value* second;
    size_type next;
    size_type sent;
    bool second_only;  ///< the places of the first come first, in their order
    std::size_t index_base;
    member_lookup<arena_value> in_first;
    member_lookup<arena_value> in_second;
  };

  /// A place where both do something. What the second does decides, unless it goes into an object.
  bool both(const arena_value& first, const arena_value& second) {
    if (!second.IsObject()) return one(second);
    switch (deed_of(first)) {
      case deed::keep:
        return one(second);
      case deed::remove:
        return set_result(second, nullptr);
      case deed::set:
        return set_result(second, &value_of(first));
      case deed::descend:
        return (handler_.StartObject() || stopped(handler_)) &&
               (frames_.push({&first, &second, 0, 0, false, indexes_.size(),
                              member_lookup<arena_value>(first),
                              member_lookup<arena_value>(second)}) ||
                fail(errc::out_of_memory));
    }
    return true;
  }
  bool one(const arena_value& form) {
    return good(json::core::emit(form, handler_, json::core::nulls::emit, any_depth, walk_));
  }
  /// Sets what `form` makes of a value that is known, or of nothing.
  bool set_result(const arena_value& form, const arena_value* value) {
    if (!handler_.StartArray()) return stopped(handler_);
    return good(result_sender<arena_value, Handler>(handler_, any_depth, memory_)
                    .run(form, value)) &&
           (handler_.EndArray(1) || stopped(handler_));
  }

  bool first_step(frame& top) {
    if (top.next == top.first->MemberCount()) {
      top.second_only = true;
      top.next = 0;
      return true;
    }
    const auto& member = members_begin(*top.first)[top.next++];
    const std::string_view name = text_of(member.name);
    size_type index = no_index;
    if (!top.in_second.find_next(member.name, indexes_, index)) return fail(errc::out_of_memory);
    if (!key(top, name)) return false;
    if (index == no_index) return one(member.value);
    return both(member.value, members_begin(*top.second)[index].value);
  }
  bool second_step(frame& top) {
    if (top.next == top.second->MemberCount()) {
      const size_type sent = top.sent;
      indexes_.truncate(top.index_base);
      frames_.pop();
      return handler_.EndObject(sent) || stopped(handler_);
    }
    const auto& member = members_begin(*top.second)[top.next++];
    const std::string_view name = text_of(member.name);
    size_type index = no_index;
    if (!top.in_first.find_next(member.name, indexes_, index)) return fail(errc::out_of_memory);
    if (index != no_index) return true;
    return key(top, name) && one(member.value);
  }
  bool key(frame& top, std::string_view name) {
    ++top.sent;
    return handler_.Key(name.data(), static_cast<size_type>(name.size()), true) ||
           stopped(handler_);
  }

  Handler& handler_;
  memory_source memory_;
  json::core::walk_memory<arena_value> walk_;
  base::stack<frame, 4> frames_;
  index_memory indexes_;
};

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
