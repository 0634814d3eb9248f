/// A merge patch worked out before it is written: which members change, and what that takes.
#pragma once

#include <cstddef>  // std::size_t

#include "../../base/inline.hpp"
#include "../../base/stack.hpp"
#include "../../json/error.hpp"
#include "../../json/pointer.hpp"
#include "../../json/tree/events.hpp"
#include "../../json/tree/find_member.hpp"
#include "../../json/tree/inside.hpp"
#include "../../json/tree/scalar.hpp"
#include "../../json/tree/tree_diff.hpp"
#include "../../json/tree/tuning.hpp"
#include "../../json/value.hpp"
#include "../detail/copies.hpp"
#include "../detail/memory_use.hpp"
#include "../detail/name_matcher.hpp"
#include "../options.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

using json::errc;
using json::error;
using json::size_type;
using json::core::member_of;
using json::core::members_begin;
using json::core::no_index;
using json::core::text_of;

/// One thing that applying does.
enum class plan_action : unsigned char {
  set,      ///< the member at `index` becomes `member`'s value
  keep,     ///< the member at `index` was written with an equal value, which counts by presence
  add,      ///< `member` is new
  remove,   ///< the member at `index` goes
  shadow,   ///< the member at `index`, which repeats the name of the one removed before, goes, too;
            ///< no journal is told
  descend,  ///< the entries that follow are about the object at `index`, up to the leave that
            ///< belongs to it
  leave     ///< the object is done, the root too: `index` is the first of its members that go, or
            ///< no_index
};

/// What applying a merge patch to a target does, as a list of entries in the order of writing.
///
/// Walks over the patch once, all of which it checks, and over what the patch names of the target.
/// name_matcher finds the members; planned_copies and memory_use count what writing takes. A plan
/// for another kind of patch, to be written by merge_writer as well, has the same types and
/// functions but for make().
template <class Target, class Patch>
class merge_plan {
 public:
  using target_type = Target;
  using patch_type = Patch;
  using action = plan_action;
  struct entry {
    action what;
    copy_way name;   ///< for add
    copy_way value;  ///< for add and set
    size_type index;
    const member_of<Patch>* member;
  };
  using entries_type = base::stack<entry, 64>;

  merge_plan(const options& o) noexcept
      : options_(o), frames_(o.memory), entries_(o.memory), names_(o.memory) {}

  /// Works out what applying `patch` to `target` does. Changes neither. False when failure() says
  /// why not.
  [[nodiscard]] bool make(const Target& target, const Patch& patch) {
    if (!patch.IsObject() || !target.IsObject()) {
      bool same = false;
      if (!check_value(patch) || !equal_values(target, patch, same)) return false;
      if (!same || options_.changes == change_rule::by_presence) {
        whole_ = true;
        changes_ = 1;
        return free_value(target);
      }
      return true;
    }
    if (!enter(target, patch)) return false;
    while (!frames_.empty()) {
      if (!members_step(frames_.back())) return false;
    }
    return true;
  }
  const error& failure() const noexcept { return failure_; }

  bool whole() const noexcept { return whole_; }  ///< the target as a whole becomes the patch
  std::size_t changes() const noexcept { return changes_; }
  std::size_t depth() const noexcept { return depth_; }  ///< levels of objects that change
  const entries_type& entries() const noexcept { return entries_; }
  const planned_copies<Target>& copies() const noexcept { return copies_; }
  const memory_use<Target>& memory() const noexcept { return memory_; }

  /// How values of the patch are copied into the target.
  json::core::nulls copy_rule() const noexcept {
    return options_.nulls == null_rule::remove ? json::core::nulls::drop_outside_arrays
                                               : json::core::nulls::emit;
  }

 private:
  using matcher = name_matcher<Target, Patch>;

  struct frame {
    typename matcher::pair objects;
    size_type next;        ///< member of the patch
    size_type added;       ///< members that are new in the target
    size_type first_gone;  ///< of the target's members that go, or no_index
    std::size_t opened;    ///< entries before this object's
  };

  DEVICETWIN_ALWAYS_INLINE bool enter(const Target& target, const Patch& patch) {
    if (frames_.size() >= options_.max_depth) return fail(errc::depth_exceeded);
    const std::size_t opened = entries_.size();
    const size_type wanted = json::core::inside<Patch>::member_count(patch);
    if (opened + wanted >= entries_.capacity() && !make_room(opened + wanted + 1)) return false;
    if (!frames_.emplace(matcher::match(target, patch), 0u, 0u, no_index, opened))
      return fail(errc::out_of_memory);
    if (frames_.size() > depth_) depth_ = frames_.size();
    return true;
  }

  /// Where a few entries do not suffice, there will be many.
  bool make_room(std::size_t least) {
    constexpr std::size_t many = json::core::tuning::many_plan_entries;
    return entries_.reserve(least < many ? 4 * least : least) || fail(errc::out_of_memory);
  }

  DEVICETWIN_ALWAYS_INLINE bool leave(const frame& top) {
    memory_.append(*top.objects.target, top.added);
    if (frames_.size() > 1 && entries_.size() == top.opened) {
      entries_.pop();  // its descend
    } else if (!push(action::leave, top.first_gone, nullptr)) {
      return false;
    }
    names_.done(top.objects);
    frames_.pop();
    return true;
  }

  /// Goes through the members of the innermost object of the patch, until one that is merged into
  /// another object.
  DEVICETWIN_ALWAYS_INLINE bool members_step(frame& top) {
    const auto* const members = members_begin(*top.objects.patch);
    const auto* const targets = members_begin(*top.objects.target);
    const size_type count = json::core::inside<Patch>::member_count(*top.objects.patch);
    for (size_type at = top.next; at != count; ++at) {
      const auto& member = members[at];
      top.next = at + 1;
      size_type index = no_index;
      bool first = true;
      if (!names_.find(top.objects, member.name, at, index, first))
        return fail(errc::out_of_memory);
      if (!first) continue;
      if (index == no_index) {
        if (!other_change(top, member, index, nullptr)) return false;
        continue;
      }
      const Target& old = targets[index].value;
      if (is_object(old) && is_object(member.value)) {
        return push(action::descend, index, &member) && enter(old, member.value);
      }
      if (!change(top, member, index, old)) return false;
    }
    return leave(top);
  }

  /// Records what one member does that is not merged into an object.
  DEVICETWIN_ALWAYS_INLINE bool change(frame& top, const member_of<Patch>& member, size_type index,
                                       const Target& old) {
    using parts = json::core::inside<Target>;
    if (json::core::is_container(old) || !is_plain_or_text(member.value))
      return other_change(top, member, index, &old);
    const unsigned was = parts::flags(old);
    const unsigned is = json::core::inside<Patch>::flags(member.value);
    if (((was ^ is) & parts::type_mask) == 0 &&
        (json::core::same_scalars(old, member.value) ||
         (!json::core::different_scalars(old, member.value, options_.numbers) &&
          json::core::same_scalar(old, member.value, options_.numbers)))) {
      return keep(index, member);
    }
    ++changes_;
    if ((was & parts::string_flag) != 0) memory_.free_text(old);
    if ((is & parts::string_flag) != 0) memory_.add_text(member.value);
    copy_way way = copy_way::plain;
    if ((is & (parts::string_flag | parts::inline_flag)) == parts::string_flag)
      way = copies_.add_text(member.value, entries_.size());
    return push(action::set, index, &member, copy_way::plain, way);
  }
  bool other_change(frame& top, const member_of<Patch>& member, size_type index,
                    const Target* old) {
    if (member.value.IsNull() && options_.nulls != null_rule::keep) {
      return old == nullptr || remove(top, index, member);
    }
    if (old != nullptr) {
      bool same = false;
      if (!equal_values(*old, member.value, same)) return false;
      if (same) return keep(index, member);
      if (!free_value(*old)) return false;
    } else {
      ++top.added;
      memory_.add_text(member.name);
    }
    ++changes_;
    if (!check_value(member.value)) return false;
    const std::size_t at = entries_.size();
    const copy_way name = old == nullptr ? copies_.add(member.name, at) : copy_way::plain;
    return push(old == nullptr ? action::add : action::set, index, &member, name,
                copies_.add(member.value, at));
  }
  template <class Value>
  static bool is_object(const Value& v) noexcept {
    using parts = json::core::inside<Value>;
    return (parts::flags(v) & parts::type_mask) == parts::object_type;
  }
  /// Whether a value is true, false, a text, or a finite number.
  template <class Value>
  static bool is_plain_or_text(const Value& v) noexcept {
    using parts = json::core::inside<Value>;
    const unsigned flags = parts::flags(v);
    if ((flags & parts::double_flag) != 0) return json::core::is_finite(parts::real(v));
    const unsigned type = flags & parts::type_mask;
    return type != parts::object_type && type != parts::array_type && type != parts::null_type;
  }

  bool keep(size_type index, const member_of<Patch>& member) {
    if (options_.changes == change_rule::by_value) return true;
    ++changes_;
    return push(action::keep, index, &member);
  }

  /// The member at `index` goes, with all that repeat its name.
  bool remove(frame& top, size_type index, const member_of<Patch>& member) {
    const auto* const members = members_begin(*top.objects.target);
    const auto note = [&](action what, size_type i) {
      return push(what, i, &member) && memory_.free_member(members[i], options_.memory);
    };
    ++changes_;
    if (index < top.first_gone) top.first_gone = index;
    return (note(action::remove, index) &&
            names_.each_repeat(top.objects, index, member.name,
                               [&](size_type i) { return note(action::shadow, i); })) ||
           fail(errc::out_of_memory);
  }

  /// Checks a value that will be copied and counts its bytes.
  bool check_value(const Patch& value) {
    if (json::core::is_container(value)) {
      if (!is_row(value) || frames_.size() >= options_.max_depth) return check_container(value);
      memory_.add(row_bytes<Target>(value));
      return true;
    }
    if (json::core::is_not_finite(value)) return fail(errc::not_finite);
    if (value.IsString()) memory_.add_text(value);
    return true;
  }
  bool check_container(const Patch& value) {
    json::core::footprint_counter<Target> bytes;
    json::core::walk_memory<Patch> memory(options_.memory);
    failure_ = json::core::emit(value, bytes, copy_rule(), options_.max_depth, memory,
                                frames_.size(), place{frames_});
    memory_.add(bytes.bytes());
    return !failure_;
  }

  /// Whether the value that is there already is what the patch's value would become; not both are
  /// objects.
  DEVICETWIN_ALWAYS_INLINE bool equal_values(const Target& old, const Patch& value, bool& same) {
    if (old.IsArray() && value.IsArray()) return equal_arrays(old, value, same);
    same = json::core::same_scalar(old, value, options_.numbers);
    return true;
  }
  bool equal_arrays(const Target& old, const Patch& value, bool& same) {
    json::core::diff_rules rules;
    rules.stop_at_first = true;
    rules.numbers = options_.numbers;
    rules.max_depth = static_cast<std::size_t>(-1);
    json::core::tree_diff<Target, Patch> walk(rules, options_.memory);
    const error e = walk.run(old, value);
    if (e.code() == errc::out_of_memory) return fail(e.code());
    same = !e && !walk.differ();  // what is wrong with the new value is found when it is checked
    return true;
  }

  bool free_value(const Target& value) {
    return memory_.free_value(value, options_.memory) || fail(errc::out_of_memory);
  }

  DEVICETWIN_ALWAYS_INLINE bool push(action what, size_type index, const member_of<Patch>* member,
                                     copy_way name = copy_way::plain,
                                     copy_way value = copy_way::plain) {
    entry* const added = entries_.add();
    if (added == nullptr) return fail(errc::out_of_memory);
    *added = {what, name, value, index, member};
    return true;
  }
  bool fail(errc code) noexcept {
    failure_ = error(code)
                   .limited_to(code == errc::depth_exceeded ? options_.max_depth : 0)
                   .at(place{frames_});
    return false;
  }

  using frames_type = base::stack<frame, 12>;
  struct place {
    const frames_type& frames;
    template <class Put>
    void render(Put&& put) const {
      for (std::size_t i = 0; i < frames.size(); ++i) {
        const frame& f = frames[i];
        if (f.next == 0) return;
        json::core::render_step(
            json::step::member(text_of(members_begin(*f.objects.patch)[f.next - 1].name)), put);
      }
    }
  };

  options options_;
  frames_type frames_;
  entries_type entries_;
  matcher names_;
  planned_copies<Target> copies_;
  memory_use<Target> memory_;
  std::size_t changes_ = 0;
  std::size_t depth_ = 0;
  bool whole_ = false;
  error failure_;
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
