/// Finds members of one object by name, many times: by looking at each member while that is cheap,
/// with an index when it is not.
#pragma once

#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint32_t, std::uint64_t

#include "../value.hpp"
#include "distinct_names.hpp"
#include "find_member.hpp"
#include "inside.hpp"
#include "name_index.hpp"
#include "tuning.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

/// Finds members of one object by name. Of a name that is repeated it finds the first member.
///
/// Looks at each member until that has cost as much as an index; then makes one, in `memory`. All
/// calls are given the same `memory`, which must have on top what it had after the last call. It
/// is for the caller to truncate it when done. The object must not change. Names are texts
/// (std::string_view) or values that hold one.
///
/// Cost: n look-ups in an object of n members take n * log(n) comparisons at worst, whatever the
/// names.
template <class Value>
class member_lookup {
 public:
  /// For no object: it finds nothing.
  member_lookup() noexcept = default;
  explicit member_lookup(const Value& object) noexcept
      : members_(members_begin(object)), count_(inside<Value>::member_count(object)) {}

  /// Sets `index` to that of the first member of this name, or to no_index. False when memory ran
  /// out.
  template <class Name>
  [[nodiscard]] bool find(const Name& wanted, index_memory& memory, size_type& index) {
    if (count_ > tuning::small_object &&
        looks_ > tuning::looks_per_member * count_ + tuning::looks_before_index &&
        !make_index(memory))
      return false;
    if (indexed_) {
      index = index_.find(wanted, object_names<Value>{members_}, memory);
      return true;
    }
    index = member_index<Value>(members_, count_, wanted);
    looks_ += index == no_index ? count_ : index;
    return true;
  }

  /// find() for names that mostly come in the order of the members: looks behind the last one found
  /// first. No name in the object may be repeated.
  template <class Name>
  [[nodiscard]] bool find_next(const Name& wanted, index_memory& memory, size_type& index) {
    if (next_ < count_ && is_name(members_[next_].name, wanted)) {
      index = next_++;
      return true;
    }
    if (!find(wanted, memory, index)) return false;
    if (index != no_index) next_ = index + 1;
    return true;
  }

  /// Makes the index, if there is none. False when memory ran out.
  [[nodiscard]] bool make_index(index_memory& memory) {
    if (indexed_) return true;
    size_type repeated = 0;
    const auto note = [&repeated](size_type) { ++repeated; };
    if (!index_.build(count_, object_names<Value>{members_}, memory, note)) return false;
    indexed_ = true;
    distinct_ = repeated == 0;
    return true;
  }
  bool indexed() const noexcept { return indexed_; }
  /// True when it is known that no name is repeated.
  bool distinct() const noexcept { return distinct_; }

 protected:
  static bool is_name(const Value& name, std::string_view wanted) noexcept {
    return text_of(name) == wanted;
  }
  template <class Name>
  static bool is_name(const Value& name, const Name& wanted) noexcept {
    return same_text(name, wanted);
  }

  const member_of<Value>* members_ = nullptr;
  size_type count_ = 0;
  size_type next_ = 0;   ///< behind the member that find_next() found last
  size_type looks_ = 0;  ///< at single members so far
  bool indexed_ = false;
  bool distinct_ = false;
  bool tried_ = false;  ///< whether hashes show that names are distinct
  name_index index_;
};

/// Returns a look-up in an object; one that finds nothing for a null pointer or another value.
template <class Value>
member_lookup<Value> lookup_in(const Value* object) noexcept {
  return object != nullptr && object->IsObject() ? member_lookup<Value>(*object)
                                                 : member_lookup<Value>();
}

/// A look-up in an object that may repeat names, as values that callers built may. It also tells
/// the first member of each name from those that repeat it.
template <class Value>
class repeat_lookup : public member_lookup<Value> {
  using lookup = member_lookup<Value>;

 public:
  using lookup::lookup;

  /// Sets `first` to whether the member at `at` is the first of its name. False when memory ran
  /// out. Cheapest when asked for one member after the other.
  [[nodiscard]] DEVICETWIN_ALWAYS_INLINE bool is_first(size_type at, index_memory& memory,
                                                       bool& first) {
    if (at == known_ && at < tuning::most_scanned && !filter_.add_name(members_[at].name)) {
      known_ = at + 1;
      first = true;
      return true;
    }
    return is_first_elsewhere(at, memory, first);
  }

  /// find() for names that mostly come in the order of the members: looks behind the last one found
  /// first.
  template <class Name>
  [[nodiscard]] bool find_next(const Name& wanted, index_memory& memory, size_type& index) {
    const bool found = count_ <= tuning::small_object ? lookup::find(wanted, memory, index)
                                                      : find_near(wanted, next_, memory, index);
    if (!found) return false;
    if (index != no_index) next_ = index + 1;
    return true;
  }

  /// find() for a name that is likely to be that of the member at `expected`, or of one soon behind
  /// it.
  template <class Name>
  [[nodiscard]] bool find_near(const Name& wanted, size_type expected, index_memory& memory,
                               size_type& index) {
    if (expected >= count_) return lookup::find(wanted, memory, index);
    const size_type ahead = indexed_ && count_ - expected > tuning::near_with_index
                                ? tuning::near_with_index
                                : count_ - expected;
    const size_type found = member_index<Value>(members_ + expected, ahead, wanted);
    looks_ += found == no_index ? ahead : found;
    if (found == no_index) return lookup::find(wanted, memory, index);
    index = expected + found;
    bool first = true;
    if (!is_first(index, memory, first)) return false;
    return first || lookup::find(wanted, memory, index);
  }

  /// Returns whether hashes show that no name is repeated. That is tried once; it needs memory, and
  /// without any the answer is false.
  bool show_distinct(index_memory& memory) {
    if (indexed_ || tried_) return distinct_;
    tried_ = true;
    distinct_ = surely_distinct(count_, memory, [members = members_](size_type i) noexcept {
      const std::uint64_t hash = quick_name_hash(members[i].name);
      return hash ^ hash >> 32;
    });
    return distinct_;
  }

 private:
  using lookup::count_;
  using lookup::distinct_;
  using lookup::indexed_;
  using lookup::looks_;
  using lookup::members_;
  using lookup::next_;
  using lookup::tried_;

  /// is_first() where the names before were not asked for one after the other, or one of them may
  /// be the same.
  DEVICETWIN_NEVER_INLINE bool is_first_elsewhere(size_type at, index_memory& memory, bool& first) {
    first = true;
    if (distinct_ || at == 0 || distinct_up_to(at + 1) || shown_distinct(memory)) return true;
    size_type index = at;
    if (!lookup::find(members_[at].name, memory, index)) return false;
    first = index == at;
    return true;
  }

  /// show_distinct(), once an index would be worth it, or when the filter has had all it takes: who
  /// asked for so many names will ask for the others.
  bool shown_distinct(index_memory& memory) {
    return count_ > tuning::small_object &&
           (looks_ > std::size_t{count_} + tuning::looks_before_proof ||
            known_ == tuning::most_scanned) &&
           show_distinct(memory);
  }
  /// Whether the first `count` names are distinct, by a look at those that are new to this.
  bool distinct_up_to(size_type count) noexcept {
    if (count > tuning::most_scanned) return false;
    for (; known_ < count; ++known_) {
      if (filter_.add_name(members_[known_].name) &&
          member_index<Value>(members_, known_, members_[known_].name) != no_index) {
        return false;
      }
    }
    return true;
  }

  name_filter filter_;
  size_type known_ = 0;  ///< names from the beginning that are known to be distinct
};

/// Returns a look-up in an object that may repeat names; one that finds nothing for a null pointer
/// or another value.
template <class Value>
repeat_lookup<Value> repeats_in(const Value* object) noexcept {
  return object != nullptr && object->IsObject() ? repeat_lookup<Value>(*object)
                                                 : repeat_lookup<Value>();
}

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
