/// Two trees walked side by side: the one comparison behind json::equal and merge::diff.
///
/// Members are expected in the same order; where they are not, the walk looks one member ahead, and
/// pairs the rest of the object by name. So equal order costs one pass, and any order n log n at
/// worst.
#pragma once

#include <cstddef>  // std::size_t

#include "../../base/memory.hpp"
#include "../../base/stack.hpp"
#include "../error.hpp"
#include "../pointer.hpp"
#include "../value.hpp"
#include "diff_rules.hpp"
#include "distinct_names.hpp"
#include "events.hpp"
#include "failure.hpp"
#include "find_member.hpp"
#include "glance.hpp"
#include "inside.hpp"
#include "scalar.hpp"
#include "tuning.hpp"
#include "unordered_members.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

template <class From, class To>
class tree_diff : public steps_may_fail {
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
      : rules_(rules), memory_(memory), frames_(memory), entries_(memory), unordered_(memory) {}

  /// Walks. Errors: depth_exceeded, not_finite, out_of_memory, null_member, kept_member, with the
  /// pointer.
  error run(const From& from, const To& to) {
    if (!pair(from, to)) return failure();
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
        case phase::unordered:
          going = unordered_step(top);
          break;
      }
      if (!going) return failure();
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

  enum class phase : unsigned char { elements, aligned, unordered };

  /// What most containers need: a pair of arrays or objects and how far the walk has come.
  struct frame {
    const From* from;
    const To* to;
    phase now;
    bool in_order;  ///< so far every name stood at the same place in both
    bool known;     ///< the member at hand is the first of its name, as all are when no name stands
                    ///< twice
    bool searching;        ///< the innermost object of unordered_ is this one
    unsigned char looked;  ///< whether the names before one at hand were looked through: 0, 1, or 2
                           ///< when that was given up
    size_type i, j;        ///< next members or elements
    size_type at_from, at_to;  ///< the pair being compared; no_index where there is none
    std::size_t opened;        ///< entries before this object's
  };

  // Each step returns false when it failed, and failure() says why.

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

  /// Compares two containers of the same kind. Most of most trees is the same, and for that no
  /// frames are made.
  bool skim(const From& from, const To& to) {
    if (begin_otherwise(from, to)) return enter(from, to, 0);
    glance<From, To> same;
    return same.all_same(from, to, rules_.max_depth - frames_.size()) || enter_all(same);
  }
  /// Whether two containers of the same kind are objects that seem to have another name first.
  static bool begin_otherwise(const From& from, const To& to) noexcept {
    return is_object(from) && from_inside::member_count(from) != 0 &&
           to_inside::member_count(to) != 0 &&
           !seem_same_names(members_begin(from)->name, members_begin(to)->name);
  }
  /// Makes the frames of a walk without, where that ended.
  bool enter_all(const glance<From, To>& same) {
    for (std::size_t i = 0;; ++i) {
      const auto& level = same.at(i);
      if (!enter(*level.from, *level.to, level.at)) return false;
      if (i == same.depth()) break;
      take_pair(frames_.back());
    }
    if (same.from() == nullptr) return true;
    take_pair(frames_.back());
    return pair_scalars(*same.from(), *same.to());
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
    return good(
        emit(value, check, nulls::emit, rules_.max_depth, memory, frames_.size(), place{frames_}));
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
    if (top.i == from_count && top.j == to_count && (!top.searching || !unordered_.any()))
      return leave();
    return part(top, from_count, to_count);
  }

  /// Names at the same place differ, or one side has ended: puts members aside until names meet
  /// again.
  bool part(frame& top, size_type from_count, size_type to_count) {
    if (!start_search(top)) return fail(errc::out_of_memory);
    top.in_order = top.known = false;
    const bool looks = from_count > tuning::unordered_scanned;
    const bool skips_from = looks && meet(top, 1, 0);
    const bool skips_to = looks && !skips_from && meet(top, 0, 1);
    const bool skips_both = looks && !skips_from && !skips_to && meet(top, 1, 1);
    if ((skips_from || skips_both) && !unordered_.put_aside_from(top.i++))
      return fail(errc::out_of_memory);
    if ((skips_to || skips_both) && !unordered_.put_aside_to(top.j++))
      return fail(errc::out_of_memory);
    if (skips_from || skips_to || skips_both) return true;
    const size_type i = top.i, j = top.j;
    top.i = from_count;
    top.j = to_count;
    top.now = phase::unordered;
    bool left = false;
    if (!unordered_.put_aside_rest(i, j, frames_.size() < rules_.max_depth, left))
      return fail(errc::out_of_memory);
    return left ? unordered_step(top) : leave();
  }
  /// Returns whether names meet again so many members behind. In small objects two names in a row
  /// have to: one may stand there by chance, and pairing the rest of the object costs little.
  static bool meet(const frame& top, size_type skipped_from, size_type skipped_to) noexcept {
    const size_type from_count = from_inside::member_count(*top.from);
    const size_type to_count = to_inside::member_count(*top.to);
    const size_type i = top.i + skipped_from, j = top.j + skipped_to;
    if (i >= from_count || j >= to_count) return false;
    const auto* const from = members_begin(*top.from);
    const auto* const to = members_begin(*top.to);
    if (!same_names(from[i].name, to[j].name)) return false;
    return to_count > tuning::most_scanned || i + 1 == from_count || j + 1 == to_count ||
           same_names(from[i + 1].name, to[j + 1].name);
  }

  bool unordered_step(frame& top) {
    typename unordered_members<From, To>::turn now;
    bool found = false;
    if (!unordered_.next(now, found)) return fail(errc::out_of_memory);
    if (!found) return leave();
    top.at_from = now.from;
    top.at_to = now.to;
    top.known = now.known;
    if (now.to == no_index) return missing(top);
    const To& to = members_begin(*top.to)[now.to].value;
    if (now.from != no_index) return pair(members_begin(*top.from)[now.from].value, to);
    return is_not_finite(to) ? refuse(errc::not_finite) : different(to);
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
    return (start_search(top) &&
            unordered_.are_first(top.at_from, top.at_to, top.in_order, first, top.known)) ||
           fail(errc::out_of_memory);
  }

  /// Opens an object in unordered_ while it is the innermost one here, so that both grow and shrink
  /// together. False when memory ran out.
  bool start_search(frame& top) {
    if (!top.searching) top.searching = unordered_.open(*top.from, *top.to);
    return top.searching;
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
    if (frames_.back().searching) unordered_.close();
    frames_.pop();
    if (frames_.size() == outermost_array_) outermost_array_ = no_array;
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
  /// Whether what failure() is about stands behind a repeated name. If not, the walk ends.
  bool hidden() {
    if (failure().code() == errc::out_of_memory) return false;
    for (; !frames_.empty(); drop_frame()) {
      bool first = true;
      if (!at_first(frames_.back(), first)) return false;
      if (!first) {
        forget_failure();
        return true;
      }
      entries_.truncate(frames_.back().opened);
    }
    return false;
  }
  bool fail(errc code) {
    return steps_may_fail::fail(code, place{frames_},
                                code == errc::depth_exceeded ? rules_.max_depth : 0);
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
  unordered_members<From, To> unordered_;
  std::size_t outermost_array_ = no_array;
  bool differ_ = false;
  bool whole_ = false;
};

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
