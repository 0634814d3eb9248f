/// A merge patch worked out before it is written: which members change, and what that takes.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint32_t
#include <cstring>      // std::memset
#include <new>          // placement new
#include <type_traits>  // std::void_t
#include <utility>      // std::declval

#include "../../base/bits.hpp"
#include "../../base/stack.hpp"
#include "../../json/error.hpp"
#include "../../json/pointer.hpp"
#include "../../json/tree/builder.hpp"
#include "../../json/tree/distinct_names.hpp"
#include "../../json/tree/events.hpp"
#include "../../json/tree/find_member.hpp"
#include "../../json/tree/inside.hpp"
#include "../../json/tree/member_lookup.hpp"
#include "../../json/tree/name_index.hpp"
#include "../../json/tree/scalar.hpp"
#include "../../json/tree/tree_diff.hpp"
#include "../../json/tree/tuning.hpp"
#include "../../json/value.hpp"
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
namespace tuning = json::core::tuning;

/// How many members an object has room for, where RapidJSON tells (master does, 1.1.0 does not).
template <class Value>
auto capacity_of(const Value& object, int) -> decltype(object.MemberCapacity()) {
  return object.MemberCapacity();
}
template <class Value>
size_type capacity_of(const Value&, long) {
  return no_index;
}

/// An upper bound of the bytes that RapidJSON allocates while `added` members are appended: it
/// starts with 16 members and grows by one half, copying.
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
  descend,  ///< the entries that follow are about the object at `index`, up to the leave that
            ///< belongs to it
  leave     ///< the object is done, the root too: `index` is the first of its members that go, or
            ///< no_index
};

/// True when a copy of this value takes no memory and is the same bytes.
template <class Value>
bool is_plain(const Value& v) noexcept {
  using parts = json::core::inside<Value>;
  const unsigned flags = parts::flags(v);
  return (flags & parts::string_flag) != 0 ? (flags & parts::inline_flag) != 0
                                           : !json::core::is_container(v);
}

/// How a value of the patch is copied, or the name of a member that is new.
enum class copy_way : unsigned char {
  plain,  ///< it takes no memory beyond itself: the same bytes
  text,   ///< a text longer than what is kept inside a value, in a block of its own
  row,    ///< an array of plain values that need no check, in a block of its own
  made    ///< it is made before writing
};

/// Whether a value is what copy_way calls a row.
template <class Value>
bool is_row(const Value& v) noexcept {
  using parts = json::core::inside<Value>;
  if ((parts::flags(v) & parts::type_mask) != parts::array_type) return false;
  const size_type count = parts::element_count(v);
  const Value* const elements = parts::elements(v);
  for (size_type i = 0; i < count; ++i) {
    if (!is_plain(elements[i]) || json::core::is_not_finite(elements[i])) return false;
  }
  return count != 0;
}
/// Texts and rows can be copied while the target is written: what they are copied from may be
/// strings of the target, but none that lie in its values, which are short. Their blocks are one
/// piece of memory, which needs an allocator that frees nothing one by one.
template <class Target, class Value>
copy_way way_of(const Value& v) noexcept {
  using parts = json::core::inside<Value>;
  if (is_plain(v)) return copy_way::plain;
  if (Target::AllocatorType::kNeedFree) return copy_way::made;
  if ((parts::flags(v) & parts::string_flag) == 0)
    return is_row(v) ? copy_way::row : copy_way::made;
  return text_of(v).size() > parts::longest_inline ? copy_way::text : copy_way::made;
}
/// The bytes of the block of a text or row.
template <class Target, class Value>
std::size_t block_bytes(const Value& v, copy_way way) noexcept {
  using parts = json::core::inside<Value>;
  return way == copy_way::text ? json::core::string_bytes<Target>(text_of(v).size())
                               : parts::element_count(v) * sizeof(Target);
}
/// Makes the copy of a text or row in a block, in memory that holds no value. Gives the end of the
/// block.
template <class Target, class Value>
DEVICETWIN_ALWAYS_INLINE char* copy_to_block(void* to, const Value& from, copy_way way,
                                             char* block) noexcept {
  using parts = json::core::inside<Value>;
  if (way == copy_way::text) {
    const std::string_view text = text_of(from);
    base::copy_bytes(block, text.data(), text.size());
    block[text.size()] = '\0';
    json::core::inside<Target>::make_text(to, block, static_cast<size_type>(text.size()));
    return block + json::core::string_bytes<Target>(text.size());
  }
  const size_type count = parts::element_count(from);
  std::memcpy(block, static_cast<const void*>(parts::elements(from)), count * sizeof(Target));
  json::core::inside<Target>::make_array(to, reinterpret_cast<Target*>(block), count);
  return block + count * sizeof(Target);
}

template <class Allocator, class = void>
inline constexpr bool can_promise = false;
/// True for an allocator that can be asked for room beforehand; for no other does it matter how
/// much that is.
template <class Allocator>
inline constexpr bool can_promise<
    Allocator, std::void_t<decltype(std::declval<Allocator&>().reserve(std::size_t{}))>> = true;

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
      : options_(o),
        frames_(o.memory),
        entries_(o.memory),
        searches_(o.memory),
        indexes_(o.memory) {}

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
  /// How many names and values are made before writing, from which entry on; and the bytes that all
  /// blocks of the others take.
  std::size_t makes() const noexcept { return makes_; }
  std::size_t first_made() const noexcept { return first_made_; }
  std::size_t block_bytes() const noexcept { return block_bytes_; }
  /// For targets whose allocator can promise: bytes to allocate at most; bytes that an exact copy
  /// of the result has more, and less, than the target.
  std::size_t needed() const noexcept { return added_ + growth_; }
  std::size_t added() const noexcept { return added_ + slots_; }
  std::size_t freed() const noexcept { return freed_; }

  /// How values of the patch are copied into the target.
  json::core::nulls copy_rule() const noexcept {
    return options_.nulls == null_rule::remove ? json::core::nulls::drop_outside_arrays
                                               : json::core::nulls::emit;
  }

 private:
  static constexpr bool measured = can_promise<typename Target::AllocatorType>;

  struct frame {
    const Target* target;
    const Patch* patch;
    size_type next;      ///< member of the patch
    size_type expected;  ///< where in the target the next member is looked for first
    size_type above;     ///< all members found so far stand below
    size_type added;     ///< members that are new in the target
    size_type removals;
    size_type first_gone;  ///< of the target's members that go, or no_index
    std::size_t opened;    ///< entries before this object's
    bool unmatched;        ///< some member of the patch was not found
    bool scanned;          ///< each member is looked for among all of the target
    bool distinct;         ///< the target's names are known to be
    bool searching;        ///< the last of searches_ is this object's
  };
  struct search {
    std::size_t index_base;
    json::core::repeat_lookup<Target> target;
    json::core::repeat_lookup<Patch> patch;
    std::size_t repeats;  ///< where in indexes_ the next of the same name is noted, by member
    bool repeats_known;
  };

  DEVICETWIN_ALWAYS_INLINE bool enter(const Target& target, const Patch& patch) {
    if (frames_.size() >= options_.max_depth) return fail(errc::depth_exceeded);
    const std::size_t opened = entries_.size();
    const size_type count = json::core::inside<Target>::member_count(target);
    const size_type wanted = json::core::inside<Patch>::member_count(patch);
    if (opened + wanted >= entries_.capacity() && !make_room(opened + wanted + 1)) return false;
    const bool distinct = worth_a_look(wanted, count) &&
                          json::core::few_distinct<Target>(members_begin(target), count);
    const bool scanned =
        !distinct && (wanted <= tuning::patch_names_scanned || count <= tuning::most_scanned);
    if (!frames_.emplace(&target, &patch, 0u, 0u, 0u, 0u, 0u, no_index, opened, false, scanned,
                         distinct, false)) {
      return fail(errc::out_of_memory);
    }
    if (frames_.size() > depth_) depth_ = frames_.size();
    return true;
  }

  /// Where a few entries do not suffice, there will be many.
  bool make_room(std::size_t least) {
    constexpr std::size_t many = tuning::many_plan_entries;
    return entries_.reserve(least < many ? 4 * least : least) || fail(errc::out_of_memory);
  }

  DEVICETWIN_ALWAYS_INLINE bool leave(const frame& top) {
    if (measured && top.added != 0) {
      growth_ += growth_bytes(*top.target, top.added);
      slots_ += top.added * sizeof(member_of<Target>);
    }
    if (frames_.size() > 1 && entries_.size() == top.opened) {
      entries_.pop();  // its descend
    } else if (!push(action::leave, top.first_gone, nullptr)) {
      return false;
    }
    if (top.searching) {
      indexes_.truncate(searches_.back().index_base);
      searches_.pop();
    }
    frames_.pop();
    return true;
  }

  /// Goes through the members of the innermost object of the patch, until one that is merged into
  /// another object.
  DEVICETWIN_ALWAYS_INLINE bool members_step(frame& top) {
    const auto* const members = members_begin(*top.patch);
    const auto* const targets = members_begin(*top.target);
    const size_type count = json::core::inside<Patch>::member_count(*top.patch);
    for (size_type at = top.next; at != count; ++at) {
      const auto& member = members[at];
      top.next = at + 1;
      size_type index = no_index;
      if (!find(top, member.name, index)) return false;
      if (index >= top.above && index != no_index) {
        top.above = index + 1;
      } else {
        bool first = true;
        if (!is_first(top, at, index, first)) return false;
        if (!first) continue;
      }
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
    if constexpr (measured) {
      if ((was & parts::string_flag) != 0) freed_ += outside_bytes(old);
      if ((is & parts::string_flag) != 0) added_ += outside_bytes(member.value);
    }
    copy_way way = copy_way::plain;
    if ((is & (parts::string_flag | parts::inline_flag)) == parts::string_flag)
      way = planned_text(member.value);
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
      added_ += outside_bytes(member.name);
    }
    ++changes_;
    if (!check_value(member.value)) return false;
    const copy_way name = old == nullptr ? planned(member.name) : copy_way::plain;
    return push(old == nullptr ? action::add : action::set, index, &member, name,
                planned(member.value));
  }
  /// How a text outside its value will be copied; counted.
  DEVICETWIN_ALWAYS_INLINE copy_way planned_text(const Patch& from) noexcept {
    const std::size_t bytes = outside_bytes(from);
    if (Target::AllocatorType::kNeedFree || bytes == 0) return planned(from);
    block_bytes_ += bytes;
    return copy_way::text;
  }
  /// The same for any value or name.
  copy_way planned(const Patch& from) noexcept {
    const copy_way way = way_of<Target>(from);
    if (way == copy_way::made) {
      if (makes_++ == 0) first_made_ = entries_.size();
    } else if (way != copy_way::plain) {
      block_bytes_ += core::block_bytes<Target>(from, way);
    }
    return way;
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

  /// Where the target's names are worth a look at each, so that the next can be expected behind the
  /// last one found.
  static bool worth_a_look(size_type patch_count, size_type target_count) noexcept {
    return patch_count > tuning::patch_names_scanned && target_count > tuning::small_object / 2 &&
           target_count <= tuning::most_scanned;
  }
  /// The first member of this name in the target. Few are found by looking at each; of many the
  /// next is looked for behind the last one found.
  DEVICETWIN_ALWAYS_INLINE bool find(frame& top, const Patch& name, size_type& index) {
    const size_type count = json::core::inside<Target>::member_count(*top.target);
    const auto* const targets = members_begin(*top.target);
    const size_type begin = top.expected;
    if (top.scanned) {
      index = json::core::member_index<Target>(targets, count, name);
      return true;
    }
    if (top.distinct && begin < count && json::core::same_names(targets[begin].name, name)) {
      index = begin;
      top.expected = begin + 1;
      return true;
    }
    return find_elsewhere(top, name, index);
  }
  DEVICETWIN_NEVER_INLINE bool find_elsewhere(frame& top, const Patch& name, size_type& index) {
    const size_type count = json::core::inside<Target>::member_count(*top.target);
    if (count > tuning::most_scanned) {
      // While members come in order; the index is made when they do not.
      constexpr size_type soon = tuning::target_near;
      const auto* const targets = members_begin(*top.target);
      const bool looks = top.distinct && !searches_.back().target.indexed();
      for (index = top.expected + 1; looks && index < count && index <= top.expected + soon;
           ++index) {
        if (!json::core::same_names(targets[index].name, name)) continue;
        top.expected = index + 1;
        return true;
      }
      return find_near(top, name, index);
    }
    index = scan_from(members_begin(*top.target), count, top.expected, name);
    if (index != no_index) top.expected = index + 1;
    return true;
  }
  /// The member of this name, from `expected` on and then before it.
  static size_type scan_from(const member_of<Target>* targets, size_type count, size_type expected,
                             const Patch& name) noexcept {
    const size_type behind =
        json::core::member_index<Target>(targets + expected, count - expected, name);
    return behind != no_index ? expected + behind
                              : json::core::member_index<Target>(targets, expected, name);
  }
  bool find_near(frame& top, const Patch& name, size_type& index) {
    if (!start_search(top)) return false;
    auto& names = searches_.back().target;
    if (json::core::inside<Patch>::member_count(*top.patch) >
        json::core::inside<Target>::member_count(*top.target) / 16) {
      static_cast<void>(names.show_distinct(indexes_));
    }
    if (!names.find_near(name, top.expected, indexes_, index)) return fail(errc::out_of_memory);
    if (index != no_index) top.expected = index + 1;
    top.distinct = names.distinct();
    return true;
  }

  /// Whether the member of the patch at `at`, which was found at `index` of the target, is the
  /// first of its name. It is, without a look, when the target has it behind all those before it,
  /// or when it is the first that the target has not.
  bool is_first(frame& top, size_type at, size_type index, bool& first) {
    if (index == no_index && !top.unmatched) {
      top.unmatched = true;
      return true;
    }
    return start_search(top) &&
           (searches_.back().patch.is_first(at, indexes_, first) || fail(errc::out_of_memory));
  }

  /// Called while `top` is the innermost object, so that searches_ and indexes_ grow and shrink
  /// with frames_.
  bool start_search(frame& top) {
    if (top.searching) return true;
    search* s = searches_.add();
    if (s == nullptr) return fail(errc::out_of_memory);
    new (static_cast<void*>(s))
        search{indexes_.size(), json::core::repeat_lookup<Target>(*top.target),
               json::core::repeat_lookup<Patch>(*top.patch), 0, false};
    top.searching = true;
    return true;
  }

  bool keep(size_type index, const member_of<Patch>& member) {
    if (options_.changes == change_rule::by_value) return true;
    ++changes_;
    return push(action::keep, index, &member);
  }

  /// The member at `index` goes, with all that repeat its name. Few removals look for those by
  /// going through the rest of the object; for many it is found out once where the next of the same
  /// name stands.
  bool remove(frame& top, size_type index, const member_of<Patch>& member) {
    const auto* members = members_begin(*top.target);
    const size_type count = top.target->MemberCount();
    ++changes_;
    if (!push(action::remove, index, &member) || !free_member(members[index])) return false;
    if (index < top.first_gone) top.first_gone = index;
    if (top.distinct) return true;
    if (count > tuning::most_scanned && ++top.removals > tuning::removals_before_index)
      return remove_repeats(top, index, member);
    for (size_type i = index + 1; i < count; ++i) {
      const size_type next = json::core::member_index<Target>(members + i, count - i, member.name);
      if (next == no_index) break;
      i += next;
      if (!push(action::shadow, i, &member) || !free_member(members[i])) return false;
    }
    return true;
  }
  bool remove_repeats(frame& top, size_type index, const member_of<Patch>& member) {
    if (!start_search(top)) return false;
    search& s = searches_.back();
    if (s.target.show_distinct(indexes_)) {
      top.distinct = true;
      return true;
    }
    if (!s.repeats_known && !find_repeats(s, *top.target)) return fail(errc::out_of_memory);
    const auto* members = members_begin(*top.target);
    for (size_type i = indexes_[s.repeats + index]; i != no_index; i = indexes_[s.repeats + i]) {
      if (!push(action::shadow, i, &member) || !free_member(members[i])) return false;
    }
    return true;
  }
  /// Notes for each member where the next of the same name stands. False when memory ran out.
  bool find_repeats(search& s, const Target& object) {
    const size_type count = object.MemberCount();
    if (!s.target.make_index(indexes_)) return false;
    s.repeats = indexes_.size();
    if (!indexes_.extend(count)) return false;
    std::memset(static_cast<void*>(indexes_.data() + s.repeats), 0xFF,
                count * sizeof(std::uint32_t));
    const auto* members = members_begin(object);
    // Backwards: what was noted for the first of a name stands behind this one.
    for (size_type i = count; i-- > 0;) {
      size_type first = no_index;
      if (!s.target.find(members[i].name, indexes_, first)) return false;
      if (first == i) continue;
      std::uint32_t* const next = indexes_.data() + s.repeats;
      next[i] = next[first];
      next[first] = i;
    }
    s.repeats_known = true;
    return true;
  }

  bool free_member(const member_of<Target>& member) {
    freed_ += sizeof member + outside_bytes(member.name);
    return free_value(member.value);
  }

  /// What a text takes outside its value.
  template <class Text>
  static std::size_t outside_bytes(const Text& text) noexcept {
    return json::core::string_bytes<Target>(text_of(text).size());
  }

  /// Checks a value that will be copied and counts its bytes.
  bool check_value(const Patch& value) {
    if (json::core::is_container(value)) {
      if (!is_row(value) || frames_.size() >= options_.max_depth) return check_container(value);
      added_ += core::block_bytes<Target>(value, copy_way::row);
      return true;
    }
    if (json::core::is_not_finite(value)) return fail(errc::not_finite);
    if (value.IsString()) added_ += outside_bytes(value);
    return true;
  }
  bool check_container(const Patch& value) {
    json::core::footprint_counter<Target> bytes;
    json::core::walk_memory<Patch> memory(options_.memory);
    failure_ = json::core::emit(value, bytes, copy_rule(), options_.max_depth, memory,
                                frames_.size(), place{frames_});
    added_ += bytes.bytes();
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

  /// Counts what an exact copy of a value that goes takes beyond itself.
  bool free_value(const Target& value) {
    if constexpr (!measured) return true;
    if (json::core::is_container(value)) return free_container(value);
    if (value.IsString()) freed_ += outside_bytes(value);
    return true;
  }
  bool free_container(const Target& value) {
    json::core::footprint_counter<Target> bytes;
    json::core::walk_memory<Target> memory(options_.memory);
    const error e = json::core::emit(value, bytes, json::core::nulls::emit,
                                     static_cast<std::size_t>(-1), memory);
    freed_ += bytes.bytes();
    return e.code() != errc::out_of_memory || fail(e.code());
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
            json::step::member(text_of(members_begin(*f.patch)[f.next - 1].name)), put);
      }
    }
  };

  options options_;
  frames_type frames_;
  entries_type entries_;
  base::stack<search, 1> searches_;
  json::core::index_memory indexes_;
  std::size_t changes_ = 0;
  std::size_t added_ = 0;   ///< strings and containers of new values, names of new members
  std::size_t slots_ = 0;   ///< new members themselves
  std::size_t growth_ = 0;  ///< what appending them may allocate
  std::size_t freed_ = 0;
  std::size_t makes_ = 0;
  std::size_t first_made_ = 0;
  std::size_t block_bytes_ = 0;
  std::size_t depth_ = 0;
  bool whole_ = false;
  error failure_;
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
