/// Two trees walked side by side: the one comparison behind json::equal and merge::diff.
///
/// Members are expected in the same order; where they are not, the walk looks one member ahead, and
/// what it still cannot pair is looked up by name at the end of the object. So equal order costs
/// one pass, and any order n log n at worst.
#pragma once

#include <cstddef>  // std::size_t

#include "../../base/memory.hpp"
#include "../../base/stack.hpp"
#include "../error.hpp"
#include "../number_text.hpp"
#include "../pointer.hpp"
#include "../value.hpp"
#include "distinct_names.hpp"
#include "events.hpp"
#include "find_member.hpp"
#include "inside.hpp"
#include "member_lookup.hpp"
#include "name_index.hpp"
#include "scalar.hpp"
#include "tuning.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

/// What a walk is to find out, and what a patch made of it may say.
struct diff_rules {
  bool stop_at_first = false;  ///< only whether there is a difference
  bool sets_null = false;      ///< a patch can set a member to null
  bool carries_null = false;   ///< a new or replaced member may contain members that are null
  bool removes = true;         ///< a patch can remove a member
  number_equality numbers = number_equality::by_value;
  text_numbers number_texts = text_numbers::exact;  ///< of a walk over texts
  std::size_t max_depth = default_max_depth;
};

template <class From, class To>
class tree_diff {
 public:
  /// One step of the patch, in order. `member` is a member of an object in `to`, for `remove` in
  /// `from`.
  enum class op : unsigned char { open, close, set, remove };
  struct entry {
    op kind;
    const void* member;
    const member_of<To>& to() const noexcept { return *static_cast<const member_of<To>*>(member); }
    const member_of<From>& from() const noexcept {
      return *static_cast<const member_of<From>*>(member);
    }
  };
  using entries_type = base::stack<entry, 24>;

  tree_diff(const diff_rules& rules, const memory_source& memory) noexcept
      : rules_(rules),
        memory_(memory),
        frames_(memory),
        entries_(memory),
        searches_(memory),
        loose_from_(memory),
        loose_to_(memory),
        partners_(memory),
        indexes_(memory) {}

  /// Walks. Errors: depth_exceeded, not_finite, out_of_memory, null_member, kept_member, with the
  /// pointer.
  error run(const From& from, const To& to) {
    if (!pair(from, to)) return failure_;
    while (!frames_.empty()) {
      frame& top = frames_.back();
      bool going = false;
      switch (top.now) {
        case phase::elements:
          going = elements_step(top);
          break;
        case phase::aligned:
          going = aligned_step(top);
          break;
        case phase::loose_from:
          going = loose_from_step(top);
          break;
        case phase::loose_to:
          going = loose_to_step(top);
          break;
      }
      if (!going) return failure_;
    }
    return {};
  }

  /// After run(): whether the trees differ; whether the patch is `to` as a whole, because the roots
  /// are not both objects; and otherwise the members of the patch.
  bool differ() const noexcept { return differ_ || !entries_.empty(); }
  bool whole() const noexcept { return whole_; }
  const entries_type& entries() const noexcept { return entries_; }

 private:
  using from_inside = inside<From>;
  using to_inside = inside<To>;

  enum class phase : unsigned char { elements, aligned, loose_from, loose_to };

  /// What most containers need: a pair of arrays or objects and how far the walk has come.
  struct frame {
    const From* from;
    const To* to;
    phase now;
    bool in_order;  ///< so far every name stood at the same place in both
    bool known;     ///< the member at hand is the first of its name, as all are when no name stands
                    ///< twice
    bool searching;        ///< the last of searches_ is this object's
    unsigned char looked;  ///< whether the names before one at hand were looked through: 0, 1, or 2
                           ///< when that was given up
    size_type i, j;        ///< next members or elements
    size_type at_from, at_to;  ///< the pair being compared; no_index where there is none
    std::size_t opened;        ///< entries before this object's
  };

  /// What an object needs in addition once a name has to be looked for.
  struct search {
    std::size_t first_loose_from, first_loose_to, first_partner, next_loose, index_base;
    std::size_t
        taken;     ///< where in indexes_ the bits are that say which of to's members have a partner
    bool matched;  ///< the loose members have partners, and no name stands twice
    repeat_lookup<From> from;
    repeat_lookup<To> to;
  };

  // Each returns false when failure_ is set.

  /// Compares two values that are not the same scalar at a glance: settles scalars, opens frames
  /// for containers.
  DEVICETWIN_ALWAYS_INLINE bool pair_here(const From& from, const To& to) {
    if (!same_containers(from, to)) return pair_scalars(from, to);
    if constexpr (base::shortcuts) return skim(from, to);
    return enter(from, to, 0);
  }
  bool pair(const From& from, const To& to) {
    return same_scalars(from, to) || pair_here(from, to);
  }

  /// Whether both are objects, or both arrays.
  static bool same_containers(const From& from, const To& to) noexcept {
    const unsigned type = from_inside::flags(from) & from_inside::type_mask;
    return type == (to_inside::flags(to) & to_inside::type_mask) &&
           (type == from_inside::object_type || type == from_inside::array_type);
  }
  template <class Value>
  static size_type count_of(const Value& container) noexcept {
    return is_object(container) ? inside<Value>::member_count(container)
                                : inside<Value>::element_count(container);
  }
  template <class Value>
  static bool is_object(const Value& container) noexcept {
    return (inside<Value>::flags(container) & inside<Value>::type_mask) ==
           inside<Value>::object_type;
  }

  /// Where a walk without frames has come to.
  struct level {
    const From* from;
    const To* to;
    size_type at;
  };
  struct path {
    static constexpr std::size_t most = tuning::skimmed_levels;
    level above[most];
    std::size_t depth;
    level here;
    const From* a;  ///< the pair at hand, when that is what is not the same at a glance
    const To* b;
  };

  /// Compares two containers of the same kind. Most of most trees is the same, and for that no
  /// frames are made.
  bool skim(const From& from, const To& to) {
    path way;
    return all_same(from, to, way) || enter_all(way);
  }
  /// Goes through two containers of the same kind and all that is in them as long as everything is
  /// the same at a glance. If it is not, `way` is where that ends.
  DEVICETWIN_NEVER_INLINE bool all_same(const From& from, const To& to, path& way) const noexcept {
    const std::size_t allowed = rules_.max_depth - frames_.size();
    const std::size_t deepest = allowed < path::most ? allowed : path::most;
    std::size_t depth = 0;
    level here{&from, &to, 0};
    way.a = nullptr;
    while (depth != deepest && count_of(*here.from) == count_of(*here.to)) {
      const size_type count = count_of(*here.from);
      const From* a = nullptr;
      const To* b = nullptr;
      if (is_object(*here.from)) {
        const auto* before = members_begin(*here.from) + here.at;
        const auto* after = members_begin(*here.to) + here.at;
        size_type left = count - here.at;
        bool same_name = true;
        for (; left != 0; --left, ++before, ++after) {
          same_name = same_names(before->name, after->name);
          if (!same_name || !same_scalars(before->value, after->value)) break;
        }
        here.at = count - left;
        if (!same_name) break;
        if (left != 0) {
          a = &before->value;
          b = &after->value;
        }
      } else {
        const auto* const before = from_inside::elements(*here.from);
        const auto* const after = to_inside::elements(*here.to);
        here.at += same_elements(before + here.at, after + here.at, count - here.at);
        if (here.at != count) {
          a = before + here.at;
          b = after + here.at;
        }
      }
      if (a == nullptr) {
        if (depth == 0) return true;
        here = way.above[--depth];
        ++here.at;
      } else if (same_containers(*a, *b)) {
        way.above[depth++] = here;
        here = {a, b, 0};
      } else {
        way.a = a;
        way.b = b;
        break;
      }
    }
    way.here = here;
    way.depth = depth;
    return false;
  }
  /// Makes the frames of a walk without.
  bool enter_all(const path& way) {
    for (std::size_t i = 0; i != way.depth; ++i) {
      if (!enter(*way.above[i].from, *way.above[i].to, way.above[i].at)) return false;
      take_pair(frames_.back());
    }
    if (!enter(*way.here.from, *way.here.to, way.here.at)) return false;
    if (way.a == nullptr) return true;
    take_pair(frames_.back());
    return pair_scalars(*way.a, *way.b);
  }
  /// The next members or elements of both are the pair being compared.
  static void take_pair(frame& top) noexcept {
    top.at_from = top.i++;
    top.at_to = top.j++;
  }

  /// Compares two values that are not both objects or both arrays, nor the same scalar at a glance.
  DEVICETWIN_ALWAYS_INLINE bool pair_scalars(const From& from, const To& to) {
    if (!frames_.empty() && says_members() && different_scalars(from, to, rules_.numbers)) {
      frame& top = frames_.back();
      bool first = top.known;
      if (!first && !at_first(top, first)) return false;
      return !first || entries_.emplace(op::set, current_member()) || fail(errc::out_of_memory);
    }
    return pair_others(from, to);
  }
  bool pair_others(const From& from, const To& to) {
    if (is_not_finite(from) || is_not_finite(to)) return refuse(errc::not_finite);
    return same_scalar(from, to, rules_.numbers) || different(to);
  }

  /// Goes into a pair of containers, whose first `same` members or elements need not be looked at
  /// again.
  bool enter(const From& from, const To& to, size_type same) {
    if (frames_.size() >= rules_.max_depth) return refuse(errc::depth_exceeded);
    const bool object = is_object(from);
    if (!object && from_inside::element_count(from) != to_inside::element_count(to))
      return different(to);
    const std::size_t opened = entries_.size();
    if (object && !frames_.empty() && says_members() &&
        !entries_.emplace(op::open, current_member())) {
      return fail(errc::out_of_memory);
    }
    if (!object && !in_array()) outermost_array_ = frames_.size();
    const phase first = object ? phase::aligned : phase::elements;
    if (!frames_.emplace(&from, &to, first, true, false, false, static_cast<unsigned char>(0), same,
                         same, no_index, no_index, opened)) {
      return fail(errc::out_of_memory);
    }
    return true;
  }

  /// Records that the pair being compared differs.
  bool different(const To& to) {
    const To* changed = &to;
    // An array is one value, and for a mere yes or no the whole tree is: the difference is one of
    // the outermost.
    while (!frames_.empty() && !says_members()) {
      bool first = true;
      if (!at_first(frames_.back(), first)) return false;
      if (!first) return true;
      changed = frames_.back().to;
      drop_frame();
    }
    if (frames_.empty()) {
      differ_ = whole_ = true;
      return rules_.stop_at_first || sayable(*changed);
    }
    bool first = true;
    if (!at_first(frames_.back(), first)) return false;
    if (!first) return true;
    if (changed->IsNull() && !rules_.sets_null) return refuse(errc::null_member);
    if (!sayable(*changed)) return hidden();
    return entries_.emplace(op::set, current_member()) || fail(errc::out_of_memory);
  }

  /// Records that the member of `from` at hand is not in `to`.
  bool missing(const frame& top) {
    if (!says_members()) return different(*top.to);
    if (!rules_.removes) return refuse(errc::kept_member);
    return entries_.emplace(op::remove, members_begin(*top.from) + top.at_from) ||
           fail(errc::out_of_memory);
  }

  /// Checks that a patch can carry this value.
  DEVICETWIN_ALWAYS_INLINE bool sayable(const To& value) {
    return !is_container(value) || sayable_container(value);
  }
  bool sayable_container(const To& value) {
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
    failure_ =
        emit(value, check, nulls::emit, rules_.max_depth, memory, frames_.size(), place{frames_});
    return !failure_;
  }

  bool elements_step(frame& top) {
    const auto* from = from_inside::elements(*top.from);
    const auto* to = to_inside::elements(*top.to);
    const size_type count = to_inside::element_count(*top.to);
    const size_type at = top.j + same_elements(from + top.j, to + top.j, count - top.j);
    if (at == count) return leave();
    top.j = at + 1;
    top.at_from = top.at_to = at;
    return pair(from[at], to[at]);
  }

  bool aligned_step(frame& top) {
    const auto* const from = members_begin(*top.from);
    const auto* const to = members_begin(*top.to);
    const size_type from_count = from_inside::member_count(*top.from);
    const size_type to_count = to_inside::member_count(*top.to);
    const std::size_t depth = frames_.size();
    bool recording = says_members() && top.known;
    const auto* a = from + top.i;
    const auto* b = to + top.j;
    for (; a != from + from_count && b != to + to_count; ++a, ++b) {
      if (!same_names(a->name, b->name)) break;
      if (same_scalars(a->value, b->value)) continue;
      const bool changed = recording && different_scalars(a->value, b->value, rules_.numbers);
      if (changed && entries_.emplace(op::set, b)) continue;
      top.i = static_cast<size_type>(a - from);
      top.j = static_cast<size_type>(b - to);
      take_pair(top);
      if (changed) return fail(errc::out_of_memory);
      if (!pair_here(a->value, b->value)) return false;
      if (frames_.size() != depth || &frames_.back() != &top)
        return true;  // `top` may also have moved
      recording = says_members() && top.known;
    }
    top.i = static_cast<size_type>(a - from);
    top.j = static_cast<size_type>(b - to);
    if (top.i == from_count && top.j == to_count && (!top.searching || !any_loose()))
      return leave();
    return part(top, from_count, to_count);
  }

  /// Names at the same place differ, or one side has ended: puts members aside until names meet
  /// again.
  bool part(frame& top, size_type from_count, size_type to_count) {
    const auto* from = members_begin(*top.from);
    const auto* to = members_begin(*top.to);
    if (!start_search(top)) return false;
    top.in_order = top.known = false;
    if (top.i != from_count && top.j != to_count) {
      const bool more_from = top.i + 1 != from_count;
      const bool more_to = top.j + 1 != to_count;
      const bool skip_from = more_from && same_text(from[top.i + 1].name, to[top.j].name);
      const bool skip_to = !skip_from && more_to && same_text(from[top.i].name, to[top.j + 1].name);
      const bool skip_both = !skip_from && !skip_to && more_from && more_to &&
                             same_text(from[top.i + 1].name, to[top.j + 1].name);
      if (skip_from || skip_both) {
        if (!loose_from_.push(top.i++)) return fail(errc::out_of_memory);
      }
      if (skip_to || skip_both) {
        if (!loose_to_.push(top.j++)) return fail(errc::out_of_memory);
      }
      if (skip_from || skip_to || skip_both) return true;
    }
    for (; top.i != from_count; ++top.i) {
      if (!loose_from_.push(top.i)) return fail(errc::out_of_memory);
    }
    for (; top.j != to_count; ++top.j) {
      if (!loose_to_.push(top.j)) return fail(errc::out_of_memory);
    }
    top.now = phase::loose_from;
    searches_.back().next_loose = searches_.back().first_loose_from;
    return match(top);
  }

  /// Finds the partners of many loose members at once. When that shows that a name stands twice
  /// somewhere, nothing is matched, and each is looked up when its turn comes.
  bool match(frame& top) {
    search& s = searches_.back();
    const size_type count = to_inside::member_count(*top.to);
    const std::size_t loose = loose_from_.size() - s.first_loose_from;
    if (count <= tuning::small_object || loose <= tuning::unmatched_before_index) return true;
    const auto* from = members_begin(*top.from);
    if (!s.to.make_index(indexes_)) return fail(errc::out_of_memory);
    if (!s.to.distinct()) return true;
    s.taken = indexes_.size();
    const std::size_t words = count / 32 + 1;
    if (!indexes_.extend(words)) return fail(errc::out_of_memory);
    std::uint32_t* taken = indexes_.data() + s.taken;  // all but the loose ones are
    std::memset(static_cast<void*>(taken), 0xFF, words * sizeof *taken);
    for (std::size_t k = s.first_loose_to; k < loose_to_.size(); ++k) {
      taken[loose_to_[k] / 32] &= ~(std::uint32_t{1} << loose_to_[k] % 32);
    }
    if (!partners_.extend(loose)) return fail(errc::out_of_memory);
    std::size_t without = 0;
    for (std::size_t k = 0; k < loose; ++k) {
      size_type partner = no_index;
      if (!s.to.find(from[loose_from_[s.first_loose_from + k]].name, indexes_, partner)) {
        return fail(errc::out_of_memory);
      }
      partners_[s.first_partner + k] = partner;
      if (partner == no_index) {
        ++without;
        continue;
      }
      const std::uint32_t bit = std::uint32_t{1} << partner % 32;
      if ((taken[partner / 32] & bit) != 0) return true;
      taken[partner / 32] |= bit;
    }
    if (without > 1) {
      if (!s.from.make_index(indexes_)) return fail(errc::out_of_memory);
      if (!s.from.distinct()) return true;
    }
    s.matched = true;
    return true;
  }

  bool loose_from_step(frame& top) {
    search& s = searches_.back();
    const auto* from = members_begin(*top.from);
    const auto* to = members_begin(*top.to);
    if (s.matched) {
      for (; s.next_loose != loose_from_.size(); ++s.next_loose) {
        top.at_from = loose_from_[s.next_loose];
        top.at_to = partners_[s.first_partner + (s.next_loose - s.first_loose_from)];
        if (top.at_to == no_index || !same_scalars(from[top.at_from].value, to[top.at_to].value))
          break;
      }
    }
    if (s.next_loose == loose_from_.size()) {
      top.now = phase::loose_to;
      s.next_loose = s.first_loose_to;
      return true;
    }
    top.at_from = loose_from_[s.next_loose++];
    if (!s.matched) {
      top.at_to = no_index;
      bool first = true;
      if (!s.from.is_first(top.at_from, indexes_, first)) return fail(errc::out_of_memory);
      if (!first) return true;
      if (!s.to.find(from[top.at_from].name, indexes_, top.at_to)) return fail(errc::out_of_memory);
    }
    top.known = true;
    if (top.at_to == no_index) return missing(top);
    return pair(from[top.at_from].value, to[top.at_to].value);
  }

  bool loose_to_step(frame& top) {
    search& s = searches_.back();
    const auto* from = members_begin(*top.from);
    const auto* to = members_begin(*top.to);
    if (s.matched) {
      const std::uint32_t* taken = indexes_.data() + s.taken;
      for (; s.next_loose != loose_to_.size(); ++s.next_loose) {
        const size_type at = loose_to_[s.next_loose];
        if ((taken[at / 32] >> at % 32 & 1) == 0) break;
      }
    }
    if (s.next_loose == loose_to_.size()) return leave();
    top.at_to = loose_to_[s.next_loose++];
    top.at_from = no_index;
    if (!s.matched) {
      bool first = true;
      if (!s.to.is_first(top.at_to, indexes_, first)) return fail(errc::out_of_memory);
      if (!first) return true;
      if (!s.from.find(to[top.at_to].name, indexes_, top.at_from)) return fail(errc::out_of_memory);
    }
    top.known = true;
    if (top.at_from != no_index) {
      if (is_loose_from(s, top.at_from)) return true;  // was compared from its side
      return pair(from[top.at_from].value, to[top.at_to].value);
    }
    return is_not_finite(to[top.at_to].value) ? refuse(errc::not_finite)
                                              : different(to[top.at_to].value);
  }

  bool any_loose() const noexcept {
    return loose_from_.size() != searches_.back().first_loose_from ||
           loose_to_.size() != searches_.back().first_loose_to;
  }
  bool is_loose_from(const search& s, size_type index) const noexcept {
    std::size_t low = s.first_loose_from;  // the list is in order
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

  /// Whether what the innermost object has at hand is the first of its name; callers' values may
  /// repeat names.
  bool at_first(frame& top, bool& first) {
    first = true;
    if (top.now == phase::elements || top.known || (top.at_from | top.at_to) == 0) return true;
    if (top.in_order && !top.searching) {  // then what is true of to's names is true of from's
      const size_type count = to_inside::member_count(*top.to);
      const auto* const to = members_begin(*top.to);
      if (count <= tuning::most_scanned && top.looked <= 1) {
        if (top.looked++ == 0) {
          first = member_index<To>(to, top.at_to, to[top.at_to].name) == no_index;
          return true;
        }
        top.known = few_distinct<To>(to, count);
        if (top.known) return true;
      }
    }
    if (!start_search(top)) return false;
    search& s = searches_.back();
    if (!s.to.is_first(top.at_to, indexes_, first)) return fail(errc::out_of_memory);
    if (top.in_order) {  // then the same is true of from's names
      top.known = s.to.distinct();
      return true;
    }
    if (first && !s.from.is_first(top.at_from, indexes_, first)) return fail(errc::out_of_memory);
    top.known = s.to.distinct() && s.from.distinct();
    return true;
  }

  /// Called while `top` is the innermost object, so that searches_ and what they own grow and
  /// shrink with frames_.
  bool start_search(frame& top) {
    if (top.searching) return true;
    search* s = searches_.add();
    if (s == nullptr) return fail(errc::out_of_memory);
    new (static_cast<void*>(s)) search{loose_from_.size(),
                                       loose_to_.size(),
                                       partners_.size(),
                                       0,
                                       indexes_.size(),
                                       0,
                                       false,
                                       repeat_lookup<From>(*top.from),
                                       repeat_lookup<To>(*top.to)};
    top.searching = true;
    return true;
  }

  bool leave() {
    const bool object = frames_.back().now != phase::elements;
    const std::size_t opened = frames_.back().opened;
    drop_frame();
    if (!object || frames_.empty() || !says_members()) return true;
    bool changed = entries_.size() != opened + 1;
    if (changed && !at_first(frames_.back(), changed)) return false;
    if (!changed) {
      entries_.truncate(opened);
      return true;
    }
    return entries_.emplace(op::close, nullptr) || fail(errc::out_of_memory);
  }
  void drop_frame() noexcept {
    if (frames_.back().searching) {
      const search& s = searches_.back();
      loose_from_.truncate(s.first_loose_from);
      loose_to_.truncate(s.first_loose_to);
      partners_.truncate(s.first_partner);
      indexes_.truncate(s.index_base);
      searches_.pop();
    }
    frames_.pop();
    if (frames_.size() == outermost_array_) outermost_array_ = no_array;
  }

  /// How many elements at the beginning of two arrays are the same at a glance, one by one.
  static size_type same_elements(const From* from, const To* to, size_type count) noexcept {
    size_type i = 0;
    while (i != count && same_scalars(from[i], to[i])) ++i;
    return i;
  }

  const member_of<To>* current_member() const noexcept {
    const frame& top = frames_.back();
    return members_begin(*top.to) + top.at_to;
  }
  bool in_array() const noexcept { return outermost_array_ != no_array; }
  /// Whether differences are recorded member by member, here and now.
  bool says_members() const noexcept { return !rules_.stop_at_first && !in_array(); }

  /// An error in the pair at hand. It is none when a repeated name hides the pair, and the walk
  /// goes on behind that.
  bool refuse(errc code) {
    fail(code);
    return hidden();
  }
  /// Whether what failure_ is about stands behind a repeated name. If not, the walk ends.
  bool hidden() {
    if (failure_.code() == errc::out_of_memory) return false;
    for (; !frames_.empty(); drop_frame()) {
      bool first = true;
      if (!at_first(frames_.back(), first)) return false;
      if (!first) {
        failure_ = error();
        return true;
      }
      entries_.truncate(frames_.back().opened);
    }
    return false;
  }
  bool fail(errc code) noexcept {
    failure_ = error(code)
                   .limited_to(code == errc::depth_exceeded ? rules_.max_depth : 0)
                   .at(place{frames_});
    return false;
  }

  static constexpr std::size_t no_array = static_cast<std::size_t>(-1);

  using frames_type = base::stack<frame, 6>;
  struct place {
    const frames_type& frames;
    template <class Put>
    void render(Put&& put) const {
      for (std::size_t i = 0; i < frames.size(); ++i) {
        const frame& f = frames[i];
        if (f.at_to == no_index && f.at_from == no_index) return;
        if (f.now == phase::elements) {
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
  base::stack<search, 1> searches_;
  base::stack<size_type, 16> loose_from_;
  base::stack<size_type, 16> loose_to_;
  base::stack<size_type, 16> partners_;  ///< of the loose members of from, where they were matched
  index_memory indexes_;
  std::size_t outermost_array_ = no_array;
  bool differ_ = false;
  bool whole_ = false;
  error failure_;
};

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
