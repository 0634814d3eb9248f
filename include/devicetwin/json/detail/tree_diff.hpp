/// Two trees walked side by side: the one comparison behind json::equal and merge::diff.
///
/// Members are expected in the same order; where they are not, the walk looks one member ahead, and what it
/// still cannot pair is looked up by name at the end of the object. So equal order costs one pass, and any
/// order n log n at worst.
#pragma once

#include <cstddef>  // std::size_t

#include "../error.hpp"
#include "../memory.hpp"
#include "../pointer.hpp"
#include "../value.hpp"
#include "events.hpp"
#include "names.hpp"
#include "scalar.hpp"
#include "stack.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace detail {

/// What a walk is to find out, and what a patch made of it may say.
struct diff_rules {
  bool stop_at_first = false;   ///< only whether there is a difference
  bool sets_null = false;       ///< a patch can set a member to null
  bool carries_null = false;    ///< a new or replaced member may contain members that are null
  bool removes = true;          ///< a patch can remove a member
  number_equality numbers = number_equality::by_value;
  std::size_t max_depth = default_max_depth;
};

template <class From, class To>
class tree_diff {
 public:
  /// One step of the patch, in order. `member` is a member of an object in `to`, for `remove` in `from`.
  enum class op : unsigned char { open, close, set, remove };
  struct entry {
    op kind;
    const void* member;
    const member_of<To>& to() const noexcept { return *static_cast<const member_of<To>*>(member); }
    const member_of<From>& from() const noexcept {
      return *static_cast<const member_of<From>*>(member);
    }
  };
  using entries_type = stack<entry, 24>;

  tree_diff(const diff_rules& rules, const memory_source& memory) noexcept
      : rules_(rules),
        memory_(memory),
        frames_(memory),
        entries_(memory),
        loose_from_(memory),
        loose_to_(memory),
        indexes_(memory) {}

  /// Walks. Errors: depth_exceeded, not_finite, out_of_memory, null_member, kept_member, with the pointer.
  error run(const From& from, const To& to) {
    if (!pair(from, to)) return failure_;
    while (!frames_.empty() && !stopped_) {
      frame& top = frames_.back();
      if (!(top.object ? object_step(top) : array_step(top))) return failure_;
    }
    return {};
  }

  /// After run(): whether the trees differ; whether the patch is `to` as a whole, because the roots are not
  /// both objects; and otherwise the members of the patch.
  bool differ() const noexcept { return differ_; }
  bool whole() const noexcept { return whole_; }
  const entries_type& entries() const noexcept { return entries_; }

 private:
  enum class phase : unsigned char { aligned, loose_from, loose_to };

  struct frame {
    const From* from;
    const To* to;
    bool object;
    phase now;
    bool in_order;  ///< so far every name stood at the same place in both
    bool from_indexed, to_indexed;
    unsigned char scans;  ///< how often names were searched without an index
    size_type i, j;       ///< next members or elements
    size_type at_from, at_to;  ///< the pair being compared; no_index where there is none
    std::size_t first_loose_from, first_loose_to, next_loose;
    std::size_t opened;  ///< entries before this object's
    std::size_t index_base;
    name_index from_index, to_index;
  };

  // Each returns false when failure_ is set.

  /// Compares two values: settles scalars, opens frames for containers.
  bool pair(const From& from, const To& to) {
    const bool objects = from.IsObject() && to.IsObject();
    if (objects || (from.IsArray() && to.IsArray())) {
      if (frames_.size() >= rules_.max_depth) return fail(errc::depth_exceeded);
      if (!objects && from.Size() != to.Size()) return different(to);
      return enter(from, to, objects);
    }
    if (is_not_finite(from) || is_not_finite(to)) return fail(errc::not_finite);
    if (!from.IsObject() && !from.IsArray() && !to.IsObject() && !to.IsArray() &&
        same_scalar(from, to, rules_.numbers)) {
      return true;
    }
    return different(to);
  }

  bool enter(const From& from, const To& to, bool object) {
    const std::size_t opened = entries_.size();
    if (object && !frames_.empty() && !in_array() &&
        !entries_.push({op::open, current_member()})) {
      return fail(errc::out_of_memory);
    }
    if (!object && !in_array()) outermost_array_ = frames_.size();
    if (!frames_.push({&from, &to, object, phase::aligned, true, false, false, 0, 0, 0, no_index, no_index,
                       loose_from_.size(), loose_to_.size(), 0, opened, indexes_.size(), {}, {}})) {
      return fail(errc::out_of_memory);
    }
    return true;
  }

  /// Records that the pair being compared differs.
  bool different(const To& to) {
    if (rules_.stop_at_first) {
      differ_ = stopped_ = true;
      return true;
    }
    const To* changed = &to;
    if (in_array()) {  // an array is one value: the outermost one differs
      changed = frames_[outermost_array_].to;
      while (frames_.size() > outermost_array_) drop_frame();
      outermost_array_ = no_array;
    }
    if (frames_.empty()) {
      differ_ = whole_ = true;
      return sayable(*changed);
    }
    frame& top = frames_.back();
    bool first = true;
    if (!is_first(top, true, top.at_to, first)) return false;
    if (!first) return true;
    if (!top.in_order && top.at_from != no_index && !is_first(top, false, top.at_from, first)) return false;
    if (!first) return true;
    if (changed->IsNull() && !rules_.sets_null) return fail(errc::null_member);
    if (!sayable(*changed)) return false;
    differ_ = true;
    return entries_.push({op::set, current_member()}) || fail(errc::out_of_memory);
  }

  /// Records that the member of `from` at hand is not in `to`.
  bool missing(const frame& top) {
    if (rules_.stop_at_first || in_array()) return different(*top.to);
    if (!rules_.removes) return fail(errc::kept_member);
    differ_ = true;
    return entries_.push({op::remove, members_begin(*top.from) + top.at_from}) || fail(errc::out_of_memory);
  }

  /// Checks that a patch can carry this value.
  bool sayable(const To& value) {
    if (!value.IsObject() && !value.IsArray()) return true;
    class checker : public footprint_counter<To> {
     public:
      explicit checker(bool carries_null) noexcept : carries_null_(carries_null) {}
      errc failure() const noexcept { return errc::null_member; }
      bool Null() { return carries_null_ || arrays_ != 0; }
      bool StartArray() {
        ++arrays_;
        return true;
      }
      bool EndArray(size_type) {
        --arrays_;
        return true;
      }

     private:
      bool carries_null_;
      std::size_t arrays_ = 0;
    } check(rules_.carries_null);
    walk_memory<To> memory(memory_);
    failure_ = emit(value, check, nulls::emit, rules_.max_depth, memory, frames_.size(), place{frames_});
    return !failure_;
  }

  bool array_step(frame& top) {
    if (top.j == top.to->Size()) return leave();
    const size_type at = top.j++;
    top.at_from = top.at_to = at;
    return pair(*(top.from->Begin() + at), *(top.to->Begin() + at));
  }

  bool object_step(frame& top) {
    switch (top.now) {
      case phase::aligned: return aligned_step(top);
      case phase::loose_from: return loose_from_step(top);
      case phase::loose_to: return loose_to_step(top);
    }
    return true;
  }

  bool aligned_step(frame& top) {
    const auto* from = members_begin(*top.from);
    const auto* to = members_begin(*top.to);
    const size_type from_count = top.from->MemberCount();
    const size_type to_count = top.to->MemberCount();
    while (top.i != from_count && top.j != to_count) {
      const auto& a = from[top.i];
      const auto& b = to[top.j];
      if (same_text(a.name, b.name)) {
        top.at_from = top.i++;
        top.at_to = top.j++;
        const std::size_t depth = frames_.size();
        if (!pair(a.value, b.value)) return false;
        if (frames_.size() != depth || stopped_) return true;
        continue;
      }
      top.in_order = false;
      const bool more_from = top.i + 1 != from_count;
      const bool more_to = top.j + 1 != to_count;
      if (more_from && same_text(from[top.i + 1].name, b.name)) {
        if (!loose_from_.push(top.i++)) return fail(errc::out_of_memory);
      } else if (more_to && same_text(a.name, to[top.j + 1].name)) {
        if (!loose_to_.push(top.j++)) return fail(errc::out_of_memory);
      } else if (more_from && more_to && same_text(from[top.i + 1].name, to[top.j + 1].name)) {
        if (!loose_from_.push(top.i++) || !loose_to_.push(top.j++)) return fail(errc::out_of_memory);
      } else {
        break;
      }
    }
    while (top.i != from_count) {
      if (!loose_from_.push(top.i++)) return fail(errc::out_of_memory);
    }
    while (top.j != to_count) {
      if (!loose_to_.push(top.j++)) return fail(errc::out_of_memory);
    }
    if (loose_from_.size() == top.first_loose_from && loose_to_.size() == top.first_loose_to) {
      return leave();
    }
    top.in_order = false;
    top.now = phase::loose_from;
    top.next_loose = top.first_loose_from;
    return true;
  }

  bool loose_from_step(frame& top) {
    if (top.next_loose == loose_from_.size()) {
      top.now = phase::loose_to;
      top.next_loose = top.first_loose_to;
      return true;
    }
    top.at_from = loose_from_[top.next_loose++];
    top.at_to = no_index;
    const auto& member = members_begin(*top.from)[top.at_from];
    bool first = true;
    if (!is_first(top, false, top.at_from, first)) return false;
    if (!first) return true;
    if (!find(top, true, text_of(member.name), top.at_to)) return false;
    if (top.at_to == no_index) return missing(top);
    return pair(member.value, members_begin(*top.to)[top.at_to].value);
  }

  bool loose_to_step(frame& top) {
    if (top.next_loose == loose_to_.size()) return leave();
    top.at_to = loose_to_[top.next_loose++];
    top.at_from = no_index;
    const auto& member = members_begin(*top.to)[top.at_to];
    bool first = true;
    if (!is_first(top, true, top.at_to, first)) return false;
    if (!first) return true;
    if (!find(top, false, text_of(member.name), top.at_from)) return false;
    if (top.at_from == no_index) {
      return is_not_finite(member.value) ? fail(errc::not_finite) : different(member.value);
    }
    if (is_loose_from(top, top.at_from)) return true;  // was compared from its side
    return pair(members_begin(*top.from)[top.at_from].value, member.value);
  }

  bool is_loose_from(const frame& top, size_type index) const noexcept {
    std::size_t low = top.first_loose_from;  // the list is in order
    for (std::size_t high = loose_from_.size(); low < high;) {
      const std::size_t middle = low + (high - low) / 2;
      if (loose_from_[middle] < index) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low < loose_from_.size() && loose_from_[low] == index;
  }

  /// The first member of this name on one side, or no_index.
  bool find(frame& top, bool in_to, std::string_view name, size_type& index) {
    return in_to ? find_in(top, *top.to, top.to_index, top.to_indexed, name, index)
                 : find_in(top, *top.from, top.from_index, top.from_indexed, name, index);
  }
  /// Whether no earlier member on that side has the same name; callers' values may repeat names.
  bool is_first(frame& top, bool in_to, size_type at, bool& first) {
    size_type index = 0;
    const std::string_view name = in_to ? text_of(members_begin(*top.to)[at].name)
                                        : text_of(members_begin(*top.from)[at].name);
    if (!find(top, in_to, name, index)) return false;
    first = index == at;
    return true;
  }

  template <class Value>
  bool find_in(frame& top, const Value& object, name_index& index, bool& indexed, std::string_view name,
               size_type& found) {
    constexpr unsigned char worth_an_index = 8;
    const size_type count = object.MemberCount();
    const auto names = names_of(object);
    if (count > small_object && !indexed && top.scans >= worth_an_index) {
      if (!index.build(count, names, indexes_, [](size_type) {})) return fail(errc::out_of_memory);
      indexed = true;
    }
    if (indexed) {
      found = index.find(name, names, indexes_);
      return true;
    }
    if (top.scans < worth_an_index) ++top.scans;
    found = no_index;
    for (size_type i = 0; i < count; ++i) {
      if (names(i) == name) {
        found = i;
        break;
      }
    }
    return true;
  }

  bool leave() {
    frame& top = frames_.back();
    if (top.object && frames_.size() > 1 && !in_array()) {
      if (entries_.size() == top.opened + 1) {
        entries_.truncate(top.opened);
      } else if (!entries_.push({op::close, nullptr})) {
        return fail(errc::out_of_memory);
      }
    }
    drop_frame();
    if (frames_.size() == outermost_array_) outermost_array_ = no_array;
    return true;
  }
  void drop_frame() noexcept {
    loose_from_.truncate(frames_.back().first_loose_from);
    loose_to_.truncate(frames_.back().first_loose_to);
    indexes_.truncate(frames_.back().index_base);
    frames_.pop();
  }

  const member_of<To>* current_member() const noexcept {
    const frame& top = frames_.back();
    return members_begin(*top.to) + top.at_to;
  }
  bool in_array() const noexcept { return outermost_array_ != no_array; }

  bool fail(errc code) noexcept {
    failure_ = error(code)
                   .limited_to(code == errc::depth_exceeded ? rules_.max_depth : 0)
                   .at(place{frames_});
    return false;
  }

  static constexpr std::size_t no_array = static_cast<std::size_t>(-1);

  using frames_type = stack<frame, 6>;
  struct place {
    const frames_type& frames;
    template <class Put>
    void render(Put&& put) const {
      for (std::size_t i = 0; i < frames.size(); ++i) {
        const frame& f = frames[i];
        if (f.at_to == no_index && f.at_from == no_index) return;
        if (!f.object) {
          render_step(step::element(f.at_to), put);
        } else if (f.at_to != no_index) {
          render_step(step::member(text_of(members_begin(*f.to)[f.at_to].name)), put);
        } else {
          render_step(step::member(text_of(members_begin(*f.from)[f.at_from].name)), put);
        }
      }
    }
  };

  diff_rules rules_;
  memory_source memory_;
  frames_type frames_;
  entries_type entries_;
  stack<size_type, 16> loose_from_;
  stack<size_type, 16> loose_to_;
  index_memory indexes_;
  std::size_t outermost_array_ = no_array;
  bool differ_ = false;
  bool whole_ = false;
  bool stopped_ = false;
  error failure_;
};

}  // namespace detail
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
