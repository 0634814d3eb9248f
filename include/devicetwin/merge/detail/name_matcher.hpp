/// Finds the members of a target that a patch names.
#pragma once

#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint32_t
#include <cstring>  // std::memset
#include <new>      // placement new

#include "../../base/inline.hpp"
#include "../../base/memory.hpp"
#include "../../base/stack.hpp"
#include "../../json/tree/distinct_names.hpp"
#include "../../json/tree/find_member.hpp"
#include "../../json/tree/inside.hpp"
#include "../../json/tree/member_lookup.hpp"
#include "../../json/tree/name_index.hpp"
#include "../../json/tree/scalar.hpp"
#include "../../json/tree/tuning.hpp"
#include "../../json/value.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

using json::size_type;
using json::core::member_of;
using json::core::members_begin;
using json::core::no_index;
namespace tuning = json::core::tuning;

/// Finds the members of a target that the members of a patch name. Both may be values that a caller
/// built, with repeated names: of the patch the first of a name counts, of the target the first is
/// found.
///
/// Goes through pairs of objects, of which one is merged into the other: match() opens a pair,
/// done() ends it, and pairs opened in between lie inside it. Only the innermost open pair may be
/// asked about. Neither object may change meanwhile.
///
/// Cost: for n names in an object of m members (n + m) * log(n + m) comparisons at worst, and
/// mostly n: names are expected in the target's order, and an index is made when they come in
/// another. Functions that return bool return false when memory ran out.
template <class Target, class Patch>
class name_matcher {
 public:
  /// A pair of objects, and what is known about their names.
  struct pair {
    const Target* target;
    const Patch* patch;
    size_type expected;  ///< where in the target the next name is looked for first
    size_type above;     ///< all members found so far stand below
    size_type removals;
    bool unmatched;  ///< some name of the patch was not found
    bool scanned;    ///< each name is looked for among all of the target's
    bool distinct;   ///< the target's names are known to be
    bool searching;  ///< the last of searches_ is this pair's
  };

  explicit name_matcher(const memory_source& memory) noexcept
      : searches_(memory), indexes_(memory) {}

  DEVICETWIN_ALWAYS_INLINE static pair match(const Target& target, const Patch& patch) noexcept {
    const size_type count = json::core::inside<Target>::member_count(target);
    const size_type wanted = json::core::inside<Patch>::member_count(patch);
    const bool distinct = worth_a_look(wanted, count) &&
                          json::core::few_distinct<Target>(members_begin(target), count);
    const bool scanned =
        !distinct && (wanted <= tuning::patch_names_scanned || count <= tuning::most_scanned);
    return {&target, &patch, 0, 0, 0, false, scanned, distinct, false};
  }
  DEVICETWIN_ALWAYS_INLINE void done(const pair& p) noexcept {
    if (!p.searching) return;
    indexes_.truncate(searches_.back().index_base);
    searches_.pop();
  }

  /// Sets `index` to that of the target's first member with `name`, the name of the patch's member
  /// at `at`, or to no_index; and `first` to whether the patch has no member of this name before.
  /// To be called for the members of the patch in order.
  DEVICETWIN_ALWAYS_INLINE bool find(pair& p, const Patch& name, size_type at, size_type& index,
                                     bool& first) {
    first = true;
    if (!find_name(p, name, index)) return false;
    if (index >= p.above && index != no_index) {
      p.above = index + 1;
      return true;
    }
    bool known_first = true;  // `first` itself is to stay in a register
    const bool good = is_first(p, at, index, known_first);
    first = known_first;
    return good;
  }

  /// Calls `visit(i)` for each member of the target behind the one at `index` that repeats its
  /// name, `name`, until one call returns false; then returns false itself. Few calls look through
  /// the rest of the object; for many it is found out once where the next of the same name stands.
  template <class Visit>
  bool each_repeat(pair& p, size_type index, const Patch& name, Visit&& visit) {
    if (p.distinct) return true;
    const auto* const members = members_begin(*p.target);
    const size_type count = p.target->MemberCount();
    if (count > tuning::most_scanned && ++p.removals > tuning::removals_before_index)
      return each_known_repeat(p, index, visit);
    for (size_type i = index + 1; i < count; ++i) {
      const size_type next = json::core::member_index<Target>(members + i, count - i, name);
      if (next == no_index) break;
      i += next;
      if (!visit(i)) return false;
    }
    return true;
  }

 private:
  struct search {
    std::size_t index_base;
    json::core::repeat_lookup<Target> target;
    json::core::repeat_lookup<Patch> patch;
    std::size_t repeats;  ///< where in indexes_ the next of the same name is noted, by member
    bool repeats_known;
  };

  /// Returns whether it pays to look at each of the target's names first, so that the next can be
  /// expected behind the last one found.
  static bool worth_a_look(size_type patch_count, size_type target_count) noexcept {
    return patch_count > tuning::patch_names_scanned && target_count > tuning::small_object / 2 &&
           target_count <= tuning::most_scanned;
  }

  /// Few names are found by looking at each of the target's; of many the next is looked for behind
  /// the last one found.
  DEVICETWIN_ALWAYS_INLINE bool find_name(pair& p, const Patch& name, size_type& index) {
    const size_type count = json::core::inside<Target>::member_count(*p.target);
    const auto* const targets = members_begin(*p.target);
    const size_type begin = p.expected;
    if (p.scanned) {
      index = json::core::member_index<Target>(targets, count, name);
      return true;
    }
    if (p.distinct && begin < count && json::core::same_names(targets[begin].name, name)) {
      index = begin;
      p.expected = begin + 1;
      return true;
    }
    return find_elsewhere(p, name, index);
  }
  DEVICETWIN_NEVER_INLINE bool find_elsewhere(pair& p, const Patch& name, size_type& index) {
    const size_type count = json::core::inside<Target>::member_count(*p.target);
    if (count > tuning::most_scanned) {
      // While members come in order; the index is made when they do not.
      constexpr size_type soon = tuning::target_near;
      const auto* const targets = members_begin(*p.target);
      const bool looks = p.distinct && !searches_.back().target.indexed();
      for (index = p.expected + 1; looks && index < count && index <= p.expected + soon; ++index) {
        if (!json::core::same_names(targets[index].name, name)) continue;
        p.expected = index + 1;
        return true;
      }
      return find_near(p, name, index);
    }
    index = scan_from(members_begin(*p.target), count, p.expected, name);
    if (index != no_index) p.expected = index + 1;
    return true;
  }
  /// Returns the member of this name, from `expected` on and then before it.
  static size_type scan_from(const member_of<Target>* targets, size_type count, size_type expected,
                             const Patch& name) noexcept {
    const size_type behind =
        json::core::member_index<Target>(targets + expected, count - expected, name);
    return behind != no_index ? expected + behind
                              : json::core::member_index<Target>(targets, expected, name);
  }
  bool find_near(pair& p, const Patch& name, size_type& index) {
    if (!start_search(p)) return false;
    auto& names = searches_.back().target;
    if (json::core::inside<Patch>::member_count(*p.patch) >
        json::core::inside<Target>::member_count(*p.target) / 16) {
      static_cast<void>(names.show_distinct(indexes_));
    }
    if (!names.find_near(name, p.expected, indexes_, index)) return false;
    if (index != no_index) p.expected = index + 1;
    p.distinct = names.distinct();
    return true;
  }

  /// A member of the patch that was not found behind all those before it may repeat one of them;
  /// the first one that was not found at all does not.
  bool is_first(pair& p, size_type at, size_type index, bool& first) {
    if (index == no_index && !p.unmatched) {
      p.unmatched = true;
      return true;
    }
    return start_search(p) && searches_.back().patch.is_first(at, indexes_, first);
  }

  template <class Visit>
  bool each_known_repeat(pair& p, size_type index, Visit&& visit) {
    if (!start_search(p)) return false;
    search& s = searches_.back();
    if (s.target.show_distinct(indexes_)) {
      p.distinct = true;
      return true;
    }
    if (!s.repeats_known && !find_repeats(s, *p.target)) return false;
    for (size_type i = indexes_[s.repeats + index]; i != no_index; i = indexes_[s.repeats + i]) {
      if (!visit(i)) return false;
    }
    return true;
  }
  /// Notes for each member where the next of the same name stands.
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

  bool start_search(pair& p) {
    if (p.searching) return true;
    search* s = searches_.add();
    if (s == nullptr) return false;
    new (static_cast<void*>(s))
        search{indexes_.size(), json::core::repeat_lookup<Target>(*p.target),
               json::core::repeat_lookup<Patch>(*p.patch), 0, false};
    p.searching = true;
    return true;
  }

  base::stack<search, 1> searches_;   ///< of the open pairs that needed one
  json::core::index_memory indexes_;  ///< of those searches, the innermost's on top
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
