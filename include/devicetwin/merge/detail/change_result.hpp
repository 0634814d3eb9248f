/// What a change makes of a value, as events.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../base/stack.hpp"
#include "../../json/error.hpp"
#include "../../json/pointer.hpp"
#include "../../json/tree/events.hpp"
#include "../../json/tree/failure.hpp"
#include "../tree/places.hpp"
#include "change_form.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

/// Sends what a change makes of a value, which may be missing: the events of the result.
/// Errors: depth_exceeded, not_finite, out_of_memory, and what the handler says, with the place.
template <class Base, class Handler, class Where = json::location>
class result_sender : json::core::steps_may_fail {
 public:
  result_sender(Handler& handler, std::size_t max_depth, const memory_source& memory,
                const Where& where = {}, std::size_t depth = 0) noexcept
      : handler_(handler),
        max_depth_(max_depth),
        depth_(depth),
        where_(where),
        base_memory_(memory),
        form_memory_(memory),
        frames_(memory),
        indexes_(memory),
        path_(memory) {}

  /// `form` neither keeps nor removes, unless there is a `base` to keep.
  error run(const arena_value& form, const Base* base) {
    switch (deed_of(form)) {
      case deed::keep:
        return base == nullptr ? error() : send_value(*base, base_memory_);
      case deed::set:
        return send_value(value_of(form), form_memory_);
      case deed::remove:
        return {};
      case deed::descend:
        break;
    }
    if (!enter(form, base)) return failure();
    while (!frames_.empty()) {
      frame& top = frames_.back();
      if (!(top.from_base ? base_step(top) : form_step(top))) return failure();
    }
    return {};
  }

 private:
  struct frame {
    const arena_value* form;
    const Base* base;  ///< an object, or null
    size_type next;
    size_type sent;
    bool from_base;  ///< members of the base come first, in their order
    std::size_t index_base;
    member_lookup<arena_value> in_form;
    repeat_lookup<Base> in_base;
  };
  /// Where the result is, from the outside in.
  struct place {
    const Where& outer;
    const path& inner;
    template <class Put>
    void render(Put&& put) const {
      outer.render(put);
      inner.render(put);
    }
  };

  bool enter(const arena_value& form, const Base* base) {
    if (depth_ + frames_.size() >= max_depth_) return fail(errc::depth_exceeded);
    if (base != nullptr && !base->IsObject()) base = nullptr;
    if (!handler_.StartObject()) return stopped();
    return frames_.push({&form, base, 0, 0, base != nullptr, indexes_.size(),
                         member_lookup<arena_value>(form), repeats_in(base)}) ||
           fail(errc::out_of_memory);
  }
  bool base_step(frame& top) {
    if (top.next == top.base->MemberCount()) {
      top.from_base = false;
      top.next = 0;
      return true;
    }
    const size_type at = top.next++;
    const auto& member = members_begin(*top.base)[at];
    const std::string_view name = text_of(member.name);
    bool first;
    size_type index = no_index;
    if (!top.in_base.is_first(at, indexes_, first)) return fail(errc::out_of_memory);
    if (!first) return true;
    if (!top.in_form.find_next(member.name, indexes_, index)) return fail(errc::out_of_memory);
    if (index == no_index) {
      return begin(top, name) && finish(send_value(member.value, base_memory_));
    }
    return send_node(top, name, members_begin(*top.form)[index].value, &member.value);
  }
  bool form_step(frame& top) {
    if (top.next == top.form->MemberCount()) {
      const size_type sent = top.sent;
      indexes_.truncate(top.index_base);
      frames_.pop();
      if (!frames_.empty()) path_.pop();
      return handler_.EndObject(sent) || stopped();
    }
    const auto& member = members_begin(*top.form)[top.next++];
    const std::string_view name = text_of(member.name);
    if (top.base != nullptr) {
      size_type index = no_index;
      if (!top.in_base.find_next(member.name, indexes_, index)) return fail(errc::out_of_memory);
      if (index != no_index) return true;  // was sent in the base's order
    }
    return send_node(top, name, member.value, nullptr);
  }
  bool send_node(frame& top, std::string_view name, const arena_value& form, const Base* base) {
    switch (deed_of(form)) {
      case deed::keep:
      case deed::remove:
        return true;
      case deed::set:
        return begin(top, name) && finish(send_value(value_of(form), form_memory_));
      case deed::descend:
        return begin(top, name) && enter(form, base);
    }
    return true;
  }
  bool begin(frame& top, std::string_view name) {
    ++top.sent;
    if (!path_.push(name)) return fail(errc::out_of_memory);
    return handler_.Key(name.data(), static_cast<size_type>(name.size()), true) || stopped();
  }
  template <class Value>
  error send_value(const Value& value, json::core::walk_memory<Value>& memory) {
    return json::core::emit(value, handler_, json::core::nulls::emit, max_depth_, memory,
                            depth_ + frames_.size(), place{where_, path_});
  }
  bool finish(const error& e) {
    path_.pop();
    return good(e);
  }
  bool stopped() { return steps_may_fail::stopped(handler_, place{where_, path_}); }
  bool fail(errc code) {
    return steps_may_fail::fail(code, place{where_, path_},
                                code == errc::depth_exceeded ? max_depth_ : 0);
  }

  Handler& handler_;
  std::size_t max_depth_;
  std::size_t depth_;
  Where where_;
  json::core::walk_memory<Base> base_memory_;
  json::core::walk_memory<arena_value> form_memory_;
  base::stack<frame, 6> frames_;
  index_memory indexes_;
  path path_;
};

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
