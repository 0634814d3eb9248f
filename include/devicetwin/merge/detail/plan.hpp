/// A merge patch worked out before it is written: which members change, and what that takes.
#pragma once

#include <cstddef>  // std::size_t

#include "../../json/detail/builder.hpp"
#include "../../json/detail/events.hpp"
#include "../../json/detail/names.hpp"
#include "../../json/detail/scalar.hpp"
#include "../../json/detail/stack.hpp"
#include "../../json/detail/tree_diff.hpp"
#include "../../json/error.hpp"
#include "../../json/pointer.hpp"
#include "../../json/value.hpp"
#include "../options.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

using json::errc;
using json::error;
using json::size_type;
using json::detail::member_of;
using json::detail::members_begin;
using json::detail::no_index;
using json::detail::text_of;

/// How many members an object has room for, where RapidJSON tells (master does, 1.1.0 does not).
template <class Value>
auto capacity_of(const Value& object, int) -> decltype(object.MemberCapacity()) {
  return object.MemberCapacity();
}
template <class Value>
size_type capacity_of(const Value&, long) {
  return no_index;
}

/// An upper bound of the bytes that RapidJSON allocates while `added` members are appended: it starts with
/// 16 members and grows by one half, copying.
template <class Value>
std::size_t growth_bytes(const Value& object, size_type added) noexcept {
  constexpr std::size_t member = sizeof(member_of<Value>);
  constexpr std::size_t first = 16;
  const std::size_t count = object.MemberCount();
  const std::size_t wanted = count + added;
  std::size_t capacity = capacity_of(object, 0);
  if (capacity == no_index) {
    if (count == 0) {
      capacity = 0;
    } else if (added == 1) {
      capacity = count;
    } else {
      return 3 * member * (wanted + (wanted + 1) / 2);
    }
  }
  std::size_t bytes = 0;
  while (capacity < wanted) {
    capacity = capacity == 0 ? first : capacity + (capacity + 1) / 2;
    bytes += capacity * member;
  }
  return bytes;
}

/// One thing that applying does.
enum class plan_action : unsigned char {
  set,      ///< the member at `index` becomes `member`'s value
  keep,     ///< the member at `index` was written with an equal value, which counts by presence
  add,      ///< `member` is new
  remove,   ///< the member at `index` goes
  shadow,   ///< the member at `index`, a repeated name hidden behind the one removed, goes unsaid
  descend,  ///< the following entries are about the object at `index`
  leave     ///< back to the object around it
};

template <class Target, class Patch>
class merge_plan {
 public:
  using action = plan_action;
  struct entry {
    action what;
    size_type index;
    const member_of<Patch>* member;
  };
  using entries_type = json::detail::stack<entry, 24>;

  merge_plan(const options& o) noexcept
      : options_(o), frames_(o.memory), entries_(o.memory), indexes_(o.memory) {}

  /// Works out what applying `patch` to `target` does. Changes neither.
  error make(const Target& target, const Patch& patch) {
    if (!patch.IsObject() || !target.IsObject()) {
      bool same = false;
      if (!check_value(patch) || !equal_values(target, patch, same)) return failure_;
      if (!same || options_.changes == change_rule::by_presence) {
        whole_ = true;
        changes_ = 1;
        freed_ = footprint_of(target);
      }
      return failure_;
    }
    if (!enter(target, patch, no_index, nullptr)) return failure_;
    while (!frames_.empty()) {
      frame& top = frames_.back();
      if (!(top.next == top.patch->MemberCount() ? leave(top) : member_step(top))) return failure_;
    }
    return failure_;
  }

  bool whole() const noexcept { return whole_; }  ///< the target as a whole becomes the patch
  std::size_t changes() const noexcept { return changes_; }
  const entries_type& entries() const noexcept { return entries_; }
  /// Bytes to allocate at most; bytes that an exact copy of the result has more, and less, than the target.
  std::size_t needed() const noexcept { return added_ + growth_; }
  std::size_t added() const noexcept { return added_ + slots_; }
  std::size_t freed() const noexcept { return freed_; }

  /// How values of the patch are copied into the target.
  json::detail::nulls copy_rule() const noexcept {
    return options_.nulls == null_rule::remove ? json::detail::nulls::drop_outside_arrays
                                               : json::detail::nulls::emit;
  }

 private:
  struct frame {
    const Target* target;
    const Patch* patch;
    size_type next;    ///< member of the patch
    size_type added;   ///< members that are new in the target
    bool indexed;
    std::size_t opened;  ///< entries before this object's
    std::size_t index_base;
    json::detail::first_names<Patch> names;
    json::detail::name_index index;
  };

  bool enter(const Target& target, const Patch& patch, size_type index, const member_of<Patch>* member) {
    if (frames_.size() >= options_.max_depth) return fail(errc::depth_exceeded);
    const std::size_t opened = entries_.size();
    if (member != nullptr && !push({action::descend, index, member})) return false;
    if (!frames_.push({&target, &patch, 0, 0, false, opened, indexes_.size(),
                       json::detail::first_names<Patch>(patch), {}})) {
      return fail(errc::out_of_memory);
    }
    return true;
  }

  bool leave(const frame& top) {
    if (top.added != 0) {
      growth_ += growth_bytes(*top.target, top.added);
      slots_ += top.added * sizeof(member_of<Target>);
    }
    if (frames_.size() > 1) {
      if (entries_.size() == top.opened + 1) {
        entries_.truncate(top.opened);
      } else if (!push({action::leave, 0, nullptr})) {
        return false;
      }
    }
    indexes_.truncate(top.index_base);
    frames_.pop();
    return true;
  }

  bool member_step(frame& top) {
    const size_type at = top.next++;
    const auto& member = members_begin(*top.patch)[at];
    bool failed = false;
    const bool first = top.names.is_first(at, indexes_, failed);
    if (failed) return fail(errc::out_of_memory);
    if (!first) return true;
    size_type index = no_index;
    if (!find(top, text_of(member.name), index)) return false;
    const Target* old = index == no_index ? nullptr : &members_begin(*top.target)[index].value;
    if (member.value.IsNull() && options_.nulls != null_rule::keep) {
      return old == nullptr || remove(top, index, member);
    }
    if (old == nullptr) {
      ++top.added;
      ++changes_;
      added_ += json::detail::string_bytes<Target>(member.name.GetStringLength());
      return check_value(member.value) && push({action::add, no_index, &member});
    }
    if (member.value.IsObject() && old->IsObject()) return enter(*old, member.value, index, &member);
    bool same = false;
    if (!equal_values(*old, member.value, same)) return false;
    if (same) return keep(index, member);
    ++changes_;
    freed_ += footprint_of(*old);
    return check_value(member.value) && push({action::set, index, &member});
  }

  bool keep(size_type index, const member_of<Patch>& member) {
    if (options_.changes == change_rule::by_value) return true;
    ++changes_;
    return push({action::keep, index, &member});
  }

  bool remove(frame& top, size_type index, const member_of<Patch>& member) {
    const auto* members = members_begin(*top.target);
    const size_type count = top.target->MemberCount();
    ++changes_;
    if (!push({action::remove, index, &member})) return false;
    free_member(members[index]);
    if (top.indexed && !repeated_) return true;
    for (size_type i = index + 1; i < count; ++i) {
      if (!json::detail::same_text(members[i].name, members[index].name)) continue;
      if (!push({action::shadow, i, &member})) return false;
      free_member(members[i]);
    }
    return true;
  }

  void free_member(const member_of<Target>& member) {
    freed_ += footprint_of(member.value) + sizeof member +
              json::detail::string_bytes<Target>(member.name.GetStringLength());
  }

  /// The first member of this name in the target. Few names are looked for one by one, many with an index.
  bool find(frame& top, std::string_view name, size_type& index) {
    constexpr size_type few = 8;
    const size_type count = top.target->MemberCount();
    const auto names = json::detail::names_of(*top.target);
    if (count > json::detail::small_object && top.patch->MemberCount() > few) {
      if (!top.indexed) {
        if (!top.index.build(count, names, indexes_, [this](size_type) { repeated_ = true; })) {
          return fail(errc::out_of_memory);
        }
        top.indexed = true;
      }
      index = top.index.find(name, names, indexes_);
      return true;
    }
    for (size_type i = 0; i < count; ++i) {
      if (names(i) == name) {
        index = i;
        break;
      }
    }
    return true;
  }

  /// Checks a value that will be copied and counts its bytes.
  bool check_value(const Patch& value) {
    if (value.IsObject() || value.IsArray()) {
      json::detail::footprint_counter<Target> bytes;
      json::detail::walk_memory<Patch> memory(options_.memory);
      failure_ = json::detail::emit(value, bytes, copy_rule(), options_.max_depth, memory, frames_.size(),
                                    place{frames_});
      added_ += bytes.bytes();
      return !failure_;
    }
    if (json::detail::is_not_finite(value)) return fail(errc::not_finite);
    if (value.IsString()) added_ += json::detail::string_bytes<Target>(value.GetStringLength());
    return true;
  }

  /// Whether the value that is there already is what the patch's value would become; not both are objects.
  bool equal_values(const Target& old, const Patch& value, bool& same) {
    same = false;
    if (old.IsArray() && value.IsArray()) {
      json::detail::diff_rules rules;
      rules.stop_at_first = true;
      rules.numbers = options_.numbers;
      rules.max_depth = static_cast<std::size_t>(-1);
      json::detail::tree_diff<Target, Patch> walk(rules, options_.memory);
      const error e = walk.run(old, value);
      if (e.code() == errc::out_of_memory) return fail(e.code());
      same = !e && !walk.differ();  // what is wrong with the new value is found when it is checked
      return true;
    }
    if (!old.IsArray() && !old.IsObject() && !value.IsArray() && !value.IsObject()) {
      same = json::detail::same_scalar(old, value, options_.numbers);
    }
    return true;
  }

  /// What an exact copy of a value that goes takes beyond itself.
  std::size_t footprint_of(const Target& value) {
    if (value.IsString()) return json::detail::string_bytes<Target>(value.GetStringLength());
    if (!value.IsObject() && !value.IsArray()) return 0;
    json::detail::footprint_counter<Target> bytes;
    json::detail::walk_memory<Target> memory(options_.memory);
    const error e = json::detail::emit(value, bytes, json::detail::nulls::emit,
                                       static_cast<std::size_t>(-1), memory);
    if (e.code() == errc::out_of_memory) static_cast<void>(fail(e.code()));
    return bytes.bytes();
  }

  bool push(const entry& e) { return entries_.push(e) || fail(errc::out_of_memory); }
  bool fail(errc code) noexcept {
    failure_ = error(code)
                   .limited_to(code == errc::depth_exceeded ? options_.max_depth : 0)
                   .at(place{frames_});
    return false;
  }

  using frames_type = json::detail::stack<frame, 6>;
  struct place {
    const frames_type& frames;
    template <class Put>
    void render(Put&& put) const {
      for (std::size_t i = 0; i < frames.size(); ++i) {
        const frame& f = frames[i];
        if (f.next == 0) return;
        json::detail::render_step(json::step::member(text_of(members_begin(*f.patch)[f.next - 1].name)), put);
      }
    }
  };

  options options_;
  frames_type frames_;
  entries_type entries_;
  json::detail::index_memory indexes_;
  std::size_t changes_ = 0;
  std::size_t added_ = 0;   ///< strings and containers of new values, names of new members
  std::size_t slots_ = 0;   ///< new members themselves
  std::size_t growth_ = 0;  ///< what appending them may allocate
  std::size_t freed_ = 0;
  bool whole_ = false;
  bool repeated_ = false;  ///< some indexed object of the target repeats a name
  error failure_;
};

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
