/// The members of two objects that do not stand in the same order, put together by name.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint32_t, std::uint64_t
#include <cstring>      // std::memset
#include <new>          // placement new
#include <string_view>  // std::string_view

#include "../../base/inline.hpp"
#include "../../base/memory.hpp"
#include "../../base/stack.hpp"
#include "../value.hpp"
#include "distinct_names.hpp"
#include "find_member.hpp"
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

/// The names of some members of an object, for a table of names.
template <class Value>
struct listed_names {
  const member_of<Value>* members;
  const size_type* list;  ///< where in the object they stand
  const Value& operator[](size_type i) const noexcept { return members[list[i]].name; }
  std::string_view text(size_type i) const noexcept { return text_of((*this)[i]); }
  std::uint64_t hash(size_type i) const noexcept { return hash_name((*this)[i]); }
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
  unsigned char slots_[most_slots];  ///< which name, plus one; 0 where there is none
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
      : searches_(memory),
        loose_from_(memory),
        loose_to_(memory),
        partners_(memory),
        indexes_(memory) {}

  [[nodiscard]] bool open(const From& from, const To& to) {
    search* const s = searches_.add();
    if (s == nullptr) return false;
    new (static_cast<void*>(s)) search{&from,
                                       &to,
                                       loose_from_.size(),
                                       loose_to_.size(),
                                       partners_.size(),
                                       indexes_.size(),
                                       0,
                                       false,
                                       false,
                                       false,
                                       repeat_lookup<From>(from),
                                       repeat_lookup<To>(to)};
    return true;
  }
  void close() noexcept {
    const search& s = searches_.back();
    loose_from_.truncate(s.first_from);
    loose_to_.truncate(s.first_to);
    partners_.truncate(s.first_partner);
    indexes_.truncate(s.index_base);
    searches_.pop();
  }

  [[nodiscard]] bool put_aside_from(size_type index) { return loose_from_.push(index); }
  [[nodiscard]] bool put_aside_to(size_type index) { return loose_to_.push(index); }
  bool any() const noexcept {
    const search& s = searches_.back();
    return loose_from_.size() != s.first_from || loose_to_.size() != s.first_to;
  }

  /// Puts the rest of both objects aside: what stands at `from` and `to` and behind. No more can be
  /// put aside then, and next() may be called.
  [[nodiscard]] bool put_aside_rest(size_type from, size_type to) {
    search& s = searches_.back();
    const bool in_order = !any();
    const size_type from_count = inside<From>::member_count(*s.from);
    const size_type to_count = inside<To>::member_count(*s.to);
    const std::size_t out_from = loose_from_.size(), out_to = loose_to_.size();
    if (!loose_from_.extend(from_count - from) || !loose_to_.extend(to_count - to)) return false;
    for (size_type* out = loose_from_.data() + out_from; from != from_count;) *out++ = from++;
    for (size_type* out = loose_to_.data() + out_to; to != to_count;) *out++ = to++;
    s.next = s.first_from;
    return match(s, in_order);
  }

  /// What is to be compared next: two members of the same name, or one that has no partner.
  struct turn {
    size_type from, to;  ///< where they stand in their objects; no_index where there is none
    bool known;          ///< each is known to be the first of its name
  };
  /// Sets `now` to what comes next, those of `from` first, and `found` to whether there is any.
  /// Pairs that are the same scalar at a glance may be left out.
  [[nodiscard]] bool next(turn& now, bool& found) {
    search& s = searches_.back();
    found = true;
    bool first = true;
    for (; !s.behind_from && s.next != loose_from_.size();) {
      const std::size_t at = s.next++;
      now.from = loose_from_[at];
      now.to = s.matched ? partners_[s.first_partner + (at - s.first_from)] : no_index;
      now.known = s.distinct;
      if (s.distinct || now.to != no_index) return true;
      if (!s.from_names.is_first(now.from, indexes_, first)) return false;
      if (!first) continue;
      now.known = true;
      return s.matched || s.to_names.find(name_of(*s.from, now.from), indexes_, now.to);
    }
    if (!s.behind_from) {
      s.behind_from = true;
      s.next = s.first_to;
    }
    while (s.next != loose_to_.size()) {
      now = {no_index, loose_to_[s.next++], true};
      if (s.distinct) return true;
      if (!s.to_names.is_first(now.to, indexes_, first)) return false;
      if (!first) continue;
      if (s.matched) return true;
      if (!s.from_names.find(name_of(*s.to, now.to), indexes_, now.from)) return false;
      if (now.from != no_index && was_put_aside(s, now.from)) continue;  // had its turn
      return true;
    }
    found = false;
    return true;
  }

  /// Sets `first` to whether both members are the first of their names, and `all` to whether all
  /// members are known to be. `in_order`: so far all names of both objects are the same.
  [[nodiscard]] bool are_first(size_type from, size_type to, bool in_order, bool& first,
                               bool& all) {
    search& s = searches_.back();
    if (!s.to_names.is_first(to, indexes_, first)) return false;
    if (!in_order && first && !s.from_names.is_first(from, indexes_, first)) return false;
    all = s.to_names.distinct() && (in_order || s.from_names.distinct());
    s.distinct = all && !in_order;
    return true;
  }

 private:
  struct search {
    const From* from;
    const To* to;
    std::size_t first_from, first_to, first_partner, index_base;
    std::size_t next;  ///< of the members put aside
    bool behind_from;  ///< `next` is one of `to`
    bool matched;      ///< those of `from` have partners, and those of `to` are the ones without
    bool distinct;     ///< all names of each object are known to be distinct
    repeat_lookup<From> from_names;
    repeat_lookup<To> to_names;
  };

  template <class Value>
  static const Value& name_of(const Value& object, size_type at) noexcept {
    return members_begin(object)[at].name;
  }

  /// Finds the partners of all members put aside at once, unless a name is repeated: then each is
  /// looked up when its turn comes. `in_order`: nothing was put aside but the rest.
  ///
  /// Members of one name that repeat each other make no difference here. In front of the rest, both
  /// objects have the same names. So the first of a name in one stands in front exactly when that
  /// of the other does, and the firsts among the rest are partners. That later ones are compared
  /// as well does no harm: where they differ, are_first() is asked.
  bool match(search& s, bool in_order) {
    const auto from_count = static_cast<size_type>(loose_from_.size() - s.first_from);
    const auto to_count = static_cast<size_type>(loose_to_.size() - s.first_to);
    if (!in_order) {
      if (from_count <= tuning::unmatched_before_index || !show_distinct(s)) return true;
      s.distinct = true;
    }
    const std::size_t base = indexes_.size();
    const listed_names<To> names{members_begin(*s.to), loose_to_.data() + s.first_to};
    if (to_count <= few_names<listed_names<To>>::most) {
      few_names<listed_names<To>> table(names);
      std::uint32_t taken[few_names<listed_names<To>>::most / 32 + 1] = {};
      if (!table.build(to_count)) return true;
      return pair(s, table, taken);
    }
    many_names<listed_names<To>> table(names, indexes_);
    bool distinct = false;
    const std::size_t words = to_count / 32 + 1;
    if (!indexes_.extend(words) || !table.build(to_count, distinct)) return false;
    std::uint32_t* const taken = indexes_.data() + base;
    std::memset(static_cast<void*>(taken), 0, words * sizeof *taken);
    const bool good = !distinct || pair(s, table, taken);
    indexes_.truncate(base);
    return good;
  }
  bool show_distinct(search& s) {
    return show_distinct(*s.from, s.from_names) && show_distinct(*s.to, s.to_names);
  }
  template <class Value>
  bool show_distinct(const Value& object, repeat_lookup<Value>& names) {
    const size_type count = inside<Value>::member_count(object);
    return count <= tuning::most_scanned ? few_distinct<Value>(members_begin(object), count)
                                         : names.show_distinct(indexes_);
  }

  /// Pairs what was put aside. Of `from` that keeps what has no partner or another value, with its
  /// partners; of `to` what is not `taken` then.
  template <class Table>
  DEVICETWIN_NEVER_INLINE bool pair(search& s, const Table& table, std::uint32_t* taken) {
    const auto from_count = static_cast<size_type>(loose_from_.size() - s.first_from);
    const auto to_count = static_cast<size_type>(loose_to_.size() - s.first_to);
    if (!partners_.extend(from_count)) return false;
    const member_of<From>* const from = members_begin(*s.from);
    const member_of<To>* const to = members_begin(*s.to);
    size_type* const from_list = loose_from_.data() + s.first_from;
    size_type* const to_list = loose_to_.data() + s.first_to;
    size_type* const partners = partners_.data() + s.first_partner;
    size_type kept = 0;
    size_type expected = 0;  // the one behind the last partner
    for (size_type i = 0; i != from_count; ++i) {
      const auto& member = from[from_list[i]];
      size_type found = expected;
      if (expected == to_count || !same_names(to[to_list[expected]].name, member.name))
        found = table.find(member.name);
      if (found != no_index) {
        const std::uint32_t bit = std::uint32_t{1} << found % 32;
        if ((taken[found / 32] & bit) != 0) continue;  // repeats a name
        taken[found / 32] |= bit;
        expected = found + 1;
        found = to_list[found];
        if (same_scalars(member.value, to[found].value)) continue;
      }
      from_list[kept] = from_list[i];
      partners[kept++] = found;
    }
    loose_from_.truncate(s.first_from + kept);
    partners_.truncate(s.first_partner + kept);
    size_type left = 0;
    for (size_type i = 0; i != to_count; ++i) {
      if ((taken[i / 32] >> i % 32 & 1) == 0) to_list[left++] = to_list[i];
    }
    loose_to_.truncate(s.first_to + left);
    s.matched = true;
    return true;
  }

  bool was_put_aside(const search& s, size_type index) const noexcept {
    std::size_t low = s.first_from;  // the list is in order
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

  base::stack<search, 1> searches_;
  base::stack<size_type, 32> loose_from_;
  base::stack<size_type, 32> loose_to_;
  base::stack<size_type, 32> partners_;  ///< of the members of `from`, where they were matched
  index_memory indexes_;
};

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
