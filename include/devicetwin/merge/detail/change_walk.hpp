/// Walking a change beside the document that it is for.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../base/stack.hpp"
#include "../tree/places.hpp"
#include "change_form.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

/// Walks a form in its order, with the document's value at each place. Pull it with next().
template <class Base>
class change_walk {
 public:
  enum class step : unsigned char {
    set,
    remove,
    open,  ///< a descend; its members follow unless skip() is called now
    close,
    end,    ///< also at once, for a change that keeps everything
    failed  ///< out of memory
  };

  change_walk(const arena_value& form, const Base* base, const memory_source& memory) noexcept
      : form_(&form), base_(base), frames_(memory), indexes_(memory), path_(memory) {}

  step next() {
    if (inside_) {
      inside_ = false;
      path_.pop();
    }
    if (!started_) {
      started_ = true;
      return visit();
    }
    if (entering_) {
      entering_ = false;
      const Base* object = base_ != nullptr && base_->IsObject() ? base_ : nullptr;
      if (!frames_.push({form_, object, 0, indexes_.size(), repeats_in(object)}))
        return step::failed;
    }
    if (frames_.empty()) return step::end;
    frame& top = frames_.back();
    if (top.next == top.form->MemberCount()) {
      indexes_.truncate(top.index_base);
      frames_.pop();
      inside_ = !frames_.empty();  // its name goes when the next step is asked for
      return step::close;
    }
    const auto& member = members_begin(*top.form)[top.next++];
    name_ = &member.name;
    form_ = &member.value;
    base_ = nullptr;
    index_ = no_index;
    if (top.base != nullptr) {
      if (!top.lookup.find_next(*name_, indexes_, index_)) return step::failed;
      if (index_ != no_index) base_ = &members_begin(*top.base)[index_].value;
    }
    if (!path_.push(name())) return step::failed;
    return visit();
  }
  /// After `open`: goes on behind the object. There is no `close` for it.
  void skip() noexcept {
    entering_ = false;
    inside_ = !frames_.empty();
  }

  /// The member's name, as text and as the value that holds it; the root has none.
  std::string_view name() const noexcept {
    return name_ == nullptr ? std::string_view() : text_of(*name_);
  }
  const arena_value& name_value() const noexcept { return *name_; }
  const arena_value& form() const noexcept { return *form_; }
  /// The document's value at this place, null where there is none; valid for set, remove and open.
  const Base* base() const noexcept { return base_; }
  /// The object that the place is in, null where the document has none there; and its index.
  const Base* parent() const noexcept { return frames_.empty() ? nullptr : frames_.back().base; }
  size_type index() const noexcept { return index_; }
  /// False when it is known that the parent has this name once at most.
  bool may_repeat() const noexcept { return !frames_.back().lookup.distinct(); }
  bool at_root() const noexcept { return frames_.empty(); }
  const path& where() const noexcept { return path_; }

 private:
  struct frame {
    const arena_value* form;
    const Base* base;
    size_type next;
    std::size_t index_base;
    repeat_lookup<Base> lookup;
  };

  step visit() {
    switch (deed_of(*form_)) {
      case deed::keep:
        return step::end;
      case deed::descend:
        entering_ = true;
        return step::open;
      case deed::set:
        inside_ = !frames_.empty();
        return step::set;
      case deed::remove:
        inside_ = !frames_.empty();
        return step::remove;
    }
    return step::end;
  }

  const arena_value* form_;
  const Base* base_;
  const arena_value* name_ = nullptr;
  size_type index_ = no_index;
  base::stack<frame, 6> frames_;
  index_memory indexes_;
  path path_;
  bool started_ = false;
  bool entering_ = false;
  bool inside_ = false;  ///< the path still has a name that is done with
};

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
