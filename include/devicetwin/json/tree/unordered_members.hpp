/// The members of two objects that do not stand in the same order, put together by name.
#pragma once

#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint32_t, std::uint64_t
#include <cstring>  // std::memset
#include <new>      // placement new

#include "../../base/inline.hpp"
#include "../../base/memory.hpp"
#include "../../base/stack.hpp"
#include "../value.hpp"
#include "distinct_names.hpp"
#include "find_member.hpp"
#include "glance.hpp"
#include "inside.hpp"
#include "member_lookup.hpp"
#include "name_hash.hpp"
#include "name_index.hpp"
#include "scalar.hpp"
#include "tuning.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

/// The names of a few members that stand behind each other: each is looked at.
template <class Value>
class scanned_names {
 public:
  scanned_names(const member_of<Value>* members, size_type count) noexcept
      : members_(members), count_(count) {}

  /// Returns which of the names this is, the first if it is repeated, or no_index.
  template <class Name>
  size_type find(const Name& name) const noexcept {
    return member_index<Value>(members_, count_, name);
  }
  /// Whether find() is the quickest way to see that the next name is the one expected.
  static constexpr bool quick = true;

 private:
  const member_of<Value>* members_;
  size_type count_;
};

/// A table of few names. It needs no memory but its own, and is fast however the names were chosen,
/// because they are few.
template <class Names>
class few_names {
  static constexpr std::size_t most_slots = base::room(256);

 public:
  /// So many names fit.
  static constexpr size_type most = most_slots / 4;

  explicit few_names(const Names& names) noexcept : names_(names) {}

  /// Takes the names in. Returns false when one is repeated: then nothing can be found.
  bool build(size_type count) noexcept {
    std::size_t slots = 8;
    for (shift_ = 61; slots < std::size_t{count} * 4; slots *= 2) --shift_;
    mask_ = slots - 1;
    std::memset(static_cast<void*>(slots_), 0, slots);
    for (size_type i = 0; i < count; ++i) {
      std::size_t at = slot_of(names_[i]);
      for (; slots_[at] != 0; at = (at + 1) & mask_) {
        if (same_names(names_[slots_[at] - 1u], names_[i])) return false;
      }
      slots_[at] = static_cast<unsigned char>(i + 1);
    }
    return true;
  }
  static constexpr bool quick = false;  ///< as above
  /// Returns which of the names this is, or no_index.
  template <class Name>
  DEVICETWIN_ALWAYS_INLINE size_type find(const Name& name) const noexcept {
    for (std::size_t at = slot_of(name); slots_[at] != 0; at = (at + 1) & mask_) {
      const size_type i = slots_[at] - 1u;
      if (same_names(names_[i], name)) return i;
    }
    return no_index;
  }

 private:
  template <class Name>
  DEVICETWIN_ALWAYS_INLINE std::size_t slot_of(const Name& name) const noexcept {
    return static_cast<std::size_t>(quick_name_hash(name) >> shift_);
  }

  Names names_;
  int shift_ = 0;
  std::size_t mask_ = 0;
  unsigned char slots_[most_slots];  ///< which name, plus one; 0: the slot is free
};

/// A table of any number of names.
template <class Names>
class many_names {
 public:
  many_names(const Names& names, index_memory& memory) noexcept : names_(names), memory_(memory) {}

  /// Takes the names in. Sets `distinct` to whether none is repeated. Returns false when memory ran
  /// out.
  [[nodiscard]] bool build(size_type count, bool& distinct) {
    distinct = true;
    return index_.build(count, names_, memory_, [&distinct](size_type) { distinct = false; });
  }
  static constexpr bool quick = false;  ///< as above
  template <class Name>
  size_type find(const Name& name) const {
    return index_.find(name, names_, memory_);
  }

 private:
  Names names_;
  index_memory& memory_;
  name_index index_;
};

/// Members of pairs of objects that were put aside because their names do not stand at the same
/// place. Pairs of objects lie in each other: open() opens one, close() ends it, and all other
/// functions are about the innermost.
///
/// The objects may be values that a caller built, with repeated names: then the first member of a
/// name counts in each. All that is paired is then still paired right, as far as `known` of a
/// `turn` says so.
///
/// Cost: n * log(n) comparisons for n members at worst, whatever the names; in practice some
/// hundred instructions per member. Functions that return bool return false when memory ran out.
template <class From, class To>
class unordered_members {
 public:
  explicit unordered_members(const memory_source& memory) noexcept
      : levels_(memory),
        lookups_(memory),
        pairs_(memory),
        loose_from_(memory),
        loose_to_(memory),
        indexes_(memory) {}

  [[nodiscard]] bool open(const From& from, const To& to) {
    return levels_.emplace(&from, &to, pairs_.size(), loose_from_.size(), loose_to_.size(),
                           pairs_.size(), turns::of_pairs, false, false, false);
  }
  void close() noexcept {
    const level& l = levels_.back();
    pairs_.truncate(l.first_pair);
    loose_from_.truncate(l.first_from);
    loose_to_.truncate(l.first_to);
    if (l.searching) {
      indexes_.truncate(lookups_.back().index_base);
      lookups_.pop();
    }
    levels_.pop();
  }

  /// Each puts one member aside, in the order of the object. The others are compared elsewhere.
  [[nodiscard]] bool put_aside_from(size_type index) { return loose_from_.push(index); }
  [[nodiscard]] bool put_aside_to(size_type index) { return loose_to_.push(index); }
  /// Whether any member is put aside.
  bool any() const noexcept {
    const level& l = levels_.back();
    return loose_from_.size() != l.first_from || loose_to_.size() != l.first_to;
  }

  /// Puts the rest of both objects aside: what stands at `from` and `to` and behind. No more can be
  /// put aside then, and next() may be called. Sets `left` to whether it has anything to say. What
  /// is inside of members is looked at unless they are as deep as they may be.
  ///
  /// Members of one name that repeat each other make no difference where nothing was put aside
  /// before. Both objects have the same names in front then. So the first of a name in one stands
  /// there exactly when that of the other does, and the firsts among the rest are partners. That
  /// later ones are compared as well does no harm: where they differ, are_first() is asked.
  [[nodiscard]] bool put_aside_rest(size_type from, size_type to, bool looks_inside, bool& left) {
    level& l = levels_.back();
    const rest members{members_begin(*l.from) + from,
                       members_begin(*l.to) + to,
                       from,
                       to,
                       inside<From>::member_count(*l.from) - from,
                       inside<To>::member_count(*l.to) - to,
                       looks_inside};
    l.complete = !any();
    bool paired =
        l.complete || (members.from_count > tuning::unmatched_before_index && show_distinct(l));
    if (paired && !match(members, paired)) return false;
    if (!paired) {  // each is looked up when its turn comes
      l.complete = false;
      if (!put_aside(loose_from_, from, members.from_count) ||
          !put_aside(loose_to_, to, members.to_count))
        return false;
    }
    left = any() || pairs_.size() != l.first_pair;
    return true;
  }

  /// What is to be compared next: two members of the same name, or one that has no partner.
  struct turn {
    size_type from, to;  ///< where they stand in their objects, or no_index
    bool known;          ///< each is known to be the first of its name
  };
  /// Sets `now` to what comes next: pairs, then what only `from` has, then what only `to` has. Sets
  /// `found` to whether there is anything. Pairs that are the same scalar at a glance are left out,
  /// and pairs of containers of such scalars.
  [[nodiscard]] bool next(turn& now, bool& found) {
    level& l = levels_.back();
    found = true;
    if (l.now == turns::of_pairs) {
      if (l.next != pairs_.size()) {
        const members_pair& p = pairs_[l.next++];
        now = {p.from, p.to, l.distinct};
        return true;
      }
      l.now = turns::of_from;
      l.next = l.first_from;
    }
    if (l.now == turns::of_from) {
      while (l.next != loose_from_.size()) {
        now = {loose_from_[l.next++], no_index, true};
        if (l.complete && l.distinct) return true;
        if (!find_partner_of_from(now, found)) return false;
        if (found) return true;
      }
      l.now = turns::of_to;
      l.next = l.first_to;
    }
    while (l.next != loose_to_.size()) {
      now = {no_index, loose_to_[l.next++], true};
      if (l.complete && l.distinct) return true;
      if (!find_partner_of_to(now, found)) return false;
      if (found) return true;
    }
    found = false;
    return true;
  }

  /// Sets `first` to whether both members are the first of their names, and `all` to whether all
  /// members are known to be. `in_order`: so far all names of both objects are the same.
  [[nodiscard]] bool are_first(size_type from, size_type to, bool in_order, bool& first,
                               bool& all) {
    lookups* const names = look_up();
    if (names == nullptr || !names->to.is_first(to, indexes_, first)) return false;
    if (!in_order && first && !names->from.is_first(from, indexes_, first)) return false;
    all = names->to.distinct() && (in_order || names->from.distinct());
    levels_.back().distinct = all && !in_order;
    return true;
  }

 private:
  struct members_pair {
    size_type from, to;
  };
  enum class turns : unsigned char { of_pairs, of_from, of_to };
  struct level {
    const From* from;
    const To* to;
    std::size_t first_pair, first_from, first_to;
    std::size_t next;  ///< of the pairs, or of the members put aside
    turns now;
    bool complete;   ///< a member put aside has no partner
    bool distinct;   ///< all names of each object are known to be distinct
    bool searching;  ///< the last of lookups_ is this one's
  };
  /// The members of both objects from some place on.
  struct rest {
    const member_of<From>* from;
    const member_of<To>* to;
    size_type from_index, to_index;  ///< where the first stand in their objects
    size_type from_count, to_count;
    bool looks_inside;
  };
  /// What is needed in addition once single names are looked for.
  struct lookups {
    std::size_t index_base;
    repeat_lookup<From> from;
    repeat_lookup<To> to;
  };

  /// Returns the look-ups of the innermost pair; a null pointer when memory ran out.
  lookups* look_up() {
    level& l = levels_.back();
    if (!l.searching) {
      lookups* const made = lookups_.add();
      if (made == nullptr) return nullptr;
      new (static_cast<void*>(made))
          lookups{indexes_.size(), repeat_lookup<From>(*l.from), repeat_lookup<To>(*l.to)};
      l.searching = true;
    }
    return &lookups_.back();
  }

  template <class Value>
  static const Value& name_of(const Value& object, size_type at) noexcept {
    return members_begin(object)[at].name;
  }

  using list = base::stack<size_type, 16>;

  static bool put_aside(list& out, size_type index, size_type count) {
    const std::size_t old = out.size();
    if (!out.extend(count)) return false;
    for (size_type* at = out.data() + old; count != 0; --count) *at++ = index++;
    return true;
  }

  /// Looks up the partner of a member of `from`, unless it is known that it has no partner. Sets
  /// `found` to whether the member is the first of its name; the others have no turn.
  bool find_partner_of_from(turn& now, bool& found) {
    lookups* const names = look_up();
    if (names == nullptr || !names->from.is_first(now.from, indexes_, found)) return false;
    now.known = true;
    const level& l = levels_.back();
    return !found || l.complete ||
           names->to.find(members_begin(*l.from)[now.from].name, indexes_, now.to);
  }
  /// The same for a member of `to`. One whose partner was put aside had its turn.
  bool find_partner_of_to(turn& now, bool& found) {
    lookups* const names = look_up();
    if (names == nullptr || !names->to.is_first(now.to, indexes_, found)) return false;
    const level& l = levels_.back();
    if (!found || l.complete) return true;
    if (!names->from.find(members_begin(*l.to)[now.to].name, indexes_, now.from)) return false;
    found = now.from == no_index || !was_put_aside(l, now.from);
    return true;
  }

  /// Pairs the rest of both objects, and puts aside what has no partner there. Sets `paired` to
  /// false when a name of `to` is repeated: nothing is paired then.
  bool match(const rest& members, bool& paired) {
    if (members.to_count <= tuning::unordered_scanned) {
      std::uint32_t taken = 0;
      return pair(members, scanned_names<To>(members.to, members.to_count), &taken);
    }
    const object_names<To> names{members.to};
    if (members.to_count <= few_names<object_names<To>>::most) {
      few_names<object_names<To>> table(names);
      std::uint32_t taken[few_names<object_names<To>>::most / 32 + 1] = {};
      paired = table.build(members.to_count);
      return !paired || pair(members, table, taken);
    }
    const std::size_t base = indexes_.size(), words = members.to_count / 32 + 1;
    many_names<object_names<To>> table(names, indexes_);
    if (!indexes_.extend(words) || !table.build(members.to_count, paired)) return false;
    std::uint32_t* const taken = indexes_.data() + base;
    std::memset(static_cast<void*>(taken), 0, words * sizeof *taken);
    const bool good = !paired || pair(members, table, taken);
    indexes_.truncate(base);
    return good;
  }
  /// Tries to show that all names of both objects are distinct.
  bool show_distinct(level& l) {
    l.distinct = names_distinct<From>(*l.from, [](lookups& names) { return &names.from; }) &&
                 names_distinct<To>(*l.to, [](lookups& names) { return &names.to; });
    return l.distinct;
  }
  template <class Value, class Choose>
  bool names_distinct(const Value& object, Choose&& choose) {
    const size_type count = inside<Value>::member_count(object);
    if (count <= tuning::most_scanned) return few_distinct<Value>(members_begin(object), count);
    lookups* const names = look_up();
    return names != nullptr && choose(*names)->show_distinct(indexes_);
  }

  /// match() with a table of the names of `to`, and one bit for each, none of which is set.
  template <class Names>
  DEVICETWIN_NEVER_INLINE bool pair(const rest& members, const Names& names, std::uint32_t* taken) {
    const member_of<From>* const from = members.from;
    const member_of<To>* const to = members.to;
    const size_type from_count = members.from_count, to_count = members.to_count;
    size_type expected = 0;  // the one behind the last partner
    size_type matched = 0;
    for (size_type i = 0; i != from_count; ++i) {
      size_type found = expected;
      if (Names::quick || expected == to_count ||
          !seem_same_names(to[expected].name, from[i].name) ||
          !same_names(to[expected].name, from[i].name)) {
        found = names.find(from[i].name);
      }
      if (found == no_index) {
        if (!loose_from_.push(members.from_index + i)) return false;
        continue;
      }
      const std::uint32_t bit = std::uint32_t{1} << found % 32;
      if ((taken[found / 32] & bit) != 0) continue;  // repeats a name
      taken[found / 32] |= bit;
      ++matched;
      expected = found + 1;
      const From& a = from[i].value;
      const To& b = to[found].value;
      if (same_scalars(a, b)) continue;
      if (same_containers(a, b) && members.looks_inside && same_leaves(a, b)) continue;
      if (!pairs_.emplace(members.from_index + i, members.to_index + found)) return false;
    }
    for (size_type i = 0; matched != to_count; ++i) {
      if ((taken[i / 32] >> i % 32 & 1) != 0) continue;
      ++matched;
      if (!loose_to_.push(members.to_index + i)) return false;
    }
    return true;
  }

  bool was_put_aside(const level& l, size_type index) const noexcept {
    std::size_t low = l.first_from;  // the list is in order
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

  base::stack<level, 8> levels_;
  base::stack<lookups, 1> lookups_;  ///< of the pairs that needed them
  base::stack<members_pair, 16> pairs_;
  list loose_from_;
  list loose_to_;
  index_memory indexes_;
};

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
