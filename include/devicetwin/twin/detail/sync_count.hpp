/// Desired against reported: what a device has still to do, and how a write changes how much that
/// is.
#pragma once

#include <cstddef>  // std::size_t
#include <cstdint>  // std::int64_t

#include "../../json/arena.hpp"
#include "../../json/equal.hpp"
#include "../../json/get.hpp"
#include "../../json/tree/failure.hpp"
#include "../../merge/merge_patch.hpp"
#include "../dialect.hpp"
#include "plan_walk.hpp"
#include "shadow.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// Whether a value is an integer of 64 bits, also one that is spelled as 200.0.
inline bool is_integer(const arena_value& value, std::int64_t& integer) noexcept {
  return value.IsNumber() &&
         json::core::convert(json::core::number_of(value), integer) == json::errc::ok;
}

/// The value in effect of an acknowledgement (docs/azure.md, "Acknowledgements"): an object with a
/// `value` and integers `ac` and `av`. A null pointer for anything else.
inline const arena_value* acknowledged_value(const arena_value& reported) noexcept {
  if (!reported.IsObject() || reported.MemberCount() < 3) return nullptr;
  for (const std::string_view integer : {"ac", "av"}) {
    const arena_value* found = find_member(reported, integer);
    std::int64_t ignored;
    if (found == nullptr || !is_integer(*found, ignored)) return nullptr;
  }
  const arena_value* value = find_member(reported, "value");
  return value != nullptr && !value->IsNull() ? value : nullptr;
}

/// What desired is compared with.
inline const arena_value* in_effect(const arena_value* reported) noexcept {
  const arena_value* value = reported == nullptr ? nullptr : acknowledged_value(*reported);
  return value == nullptr ? reported : value;
}

/// Walks desired beside reported. The visitor is told of each desired property that reported lacks
/// or has with another value, the topmost of a subtree that is missing as a whole: differs(steps,
/// desired, reported, acknowledgement), reported a null pointer where it is missing; false stops.
/// The acknowledgement is the object that answers the property or what it is in, or a null pointer.
/// A visitor with extra(steps, reported) is also told of what only reported has, and, by
/// enter(name) and leave(), which pair of objects the walk is in; the name of the outermost is
/// empty.
class delta_walk : public json::core::steps_may_fail {
 public:
  delta_walk(merge::number_equality numbers, const memory_source& memory) noexcept
      : numbers_(numbers), memory_(memory), walk_(memory), steps_(memory), indexes_(memory) {}

  /// Members that are null do not count on this side: a patch's values are compared before they are
  /// merged.
  bool skip_desired_nulls = false;
  bool skip_reported_nulls = false;

  /// While the visitor is told of something: which member of desired leads on from the open object
  /// at this level.
  size_type desired_index(std::size_t level) const noexcept { return walk_.index(level); }

  /// False when the visitor stopped or, with failure(), memory ran out. `is_section`: the values
  /// are two whole sections, and not a property, which alone may be an acknowledgement.
  template <class Visitor>
  bool run(const arena_value& desired, const arena_value* reported, Visitor& visitor,
           bool is_section = true) {
    forget_failure();
    walk_.restart();
    steps_.truncate(0);
    indexes_.truncate(0);
    if (!pair(desired, reported, nullptr, visitor, is_section)) return false;
    while (!walk_.done()) {
      compared& top = walk_.note();
      const value_member* member = walk_.next();
      if (member == nullptr) {
        if (!extras(walk_.object(), *top.reported.get(), visitor, 0)) return false;
        top.reported.close(indexes_);
        walk_.leave();
        steps_.pop();
        leave(visitor, 0);
        continue;
      }
      if (skip_desired_nulls && member->value.IsNull()) continue;
      const arena_value* beside;
      if (!top.reported.find(member->name, indexes_, beside))
        return fail(json::errc::out_of_memory);
      steps_.back() = json::step::member(json::core::text_of(member->name));
      if (!pair(member->value, beside, top.acknowledgement, visitor)) return false;
    }
    return true;
  }

 private:
  struct compared {
    object_beside reported;
    const arena_value* acknowledgement;
  };

  template <class Visitor>
  bool pair(const arena_value& desired, const arena_value* given,
            const arena_value* acknowledgement, Visitor& visitor, bool is_section = false) {
    if (skip_reported_nulls && given != nullptr && given->IsNull()) given = nullptr;
    const arena_value* reported = is_section ? given : in_effect(given);
    if (reported != given) acknowledgement = given;
    const json::location here(steps_.data(), steps_.size());
    if (reported == nullptr) return visitor.differs(here, desired, given, acknowledgement);
    if (desired.IsObject() && reported->IsObject()) {
      if (!enter(visitor, 0)) return false;
      const compared both{object_beside(reported, indexes_), acknowledgement};
      return (walk_.enter(desired, both) && steps_.push({})) || fail(json::errc::out_of_memory);
    }
    json::equal_options options;
    options.numbers = numbers_;
    options.memory = memory_;
    const auto same = json::equal(desired, *reported, options);
    if (const json::errc e = json::core::failure_of(same); e != json::errc::ok) return fail(e);
    return same == json::comparison::equal ||
           visitor.differs(here, desired, given, acknowledgement);
  }

  /// What only reported has, for a visitor that wants to know.
  template <class Visitor>
  auto extras(const arena_value& desired, const arena_value& reported, Visitor& visitor, int)
      -> decltype(visitor.extra(json::location(), reported)) {
    object_beside wanted(&desired, indexes_);
    const auto* members = json::core::members_begin(reported);
    for (size_type i = 0; i < reported.MemberCount(); ++i) {
      const arena_value* found;
      if (!wanted.find(members[i].name, indexes_, found)) return fail(json::errc::out_of_memory);
      if (found != nullptr) continue;
      steps_.back() = json::step::member(json::core::text_of(members[i].name));
      if (!visitor.extra(json::location(steps_.data(), steps_.size()), members[i].value))
        return false;
    }
    return true;
  }
  template <class Visitor>
  bool extras(const arena_value&, const arena_value&, Visitor&, long) {
    return true;
  }
  template <class Visitor>
  auto enter(Visitor& visitor, int) -> decltype(visitor.enter(std::string_view())) {
    return visitor.enter(steps_.empty() ? std::string_view() : steps_.back().text());
  }
  template <class Visitor>
  bool enter(Visitor&, long) {
    return true;
  }
  template <class Visitor>
  auto leave(Visitor& visitor, int) -> decltype(visitor.leave()) {
    visitor.leave();
  }
  template <class Visitor>
  void leave(Visitor&, long) {}

  merge::number_equality numbers_;
  memory_source memory_;
  json::core::object_walk<const arena_value, compared> walk_;
  base::stack<json::step, 8> steps_;
  json::core::index_memory indexes_;
};

/// How many desired properties reported does not have in effect: what in_sync() asks, kept up to
/// date by looking at what a plan writes and nothing else.
class sync_counter {
 public:
  sync_counter(const dialect& rules, const memory_source& memory) noexcept
      : rules_(rules), memory_(memory) {}

  /// Which of two values to compare comes from a patch and is not merged yet.
  enum class from_patch : unsigned char { neither, desired, reported };

  json::error count(const arena_value& desired, const arena_value* reported, from_patch which,
                    std::int64_t& sum, bool is_section = false) {
    const bool drops = rules_.nulls == merge::null_rule::remove;
    if (!desired.IsObject() && !desired.IsArray()) {  // most often: no walk for that
      if (drops && which == from_patch::reported && reported != nullptr && reported->IsNull())
        reported = nullptr;
      reported = in_effect(reported);
      const bool same = reported != nullptr && !reported->IsObject() && !reported->IsArray() &&
                        json::core::same_scalar(desired, *reported, rules_.numbers);
      sum += same ? 0 : 1;
      return {};
    }
    struct adder {
      std::int64_t count = 0;
      bool differs(const json::location&, const arena_value&, const arena_value*,
                   const arena_value*) noexcept {
        ++count;
        return true;
      }
    } adder;
    delta_walk walk(rules_.numbers, memory_);
    walk.skip_desired_nulls = drops && which == from_patch::desired;
    walk.skip_reported_nulls = drops && which == from_patch::reported;
    if (!walk.run(desired, reported, adder, is_section)) return walk.failure();
    sum += adder.count;
    return {};
  }

  /// By how much a write changes the count: visitors of walk_plan() for a plan of either section,
  /// which walk the other one along with it.
  struct desired_write;
  struct reported_write;

 private:
  struct write_base {
    write_base(sync_counter& c, const arena_value& other) noexcept
        : counter(c), other_root(&other), indexes(c.memory_), others(c.memory_) {}
    sync_counter& counter;
    const arena_value* other_root;
    json::core::index_memory indexes;
    base::stack<object_beside, 8> others;  ///< none where the write can make no difference
    std::int64_t change = 0;
    json::errc failed = json::errc::ok;

    json::errc failure() const noexcept { return failed; }
    bool fail(json::errc code) noexcept {
      failed = code;
      return false;
    }
    bool push(const arena_value* other) noexcept {
      return others.push(object_beside(other, indexes)) || fail(json::errc::out_of_memory);
    }
    bool leave() noexcept {
      others.back().close(indexes);
      others.pop();
      return true;
    }
    /// The other section's member beside this one, or a null pointer.
    bool beside(const value_member& member, const arena_value*& found) {
      return others.back().find(member.name, indexes, found) || fail(json::errc::out_of_memory);
    }
    bool add(const arena_value& desired, const arena_value* reported, from_patch which,
             std::int64_t sign) {
      std::int64_t sum = 0;
      if (json::error e = counter.count(desired, reported, which, sum)) return fail(e.code());
      change += sign * sum;
      return true;
    }
  };

  const dialect& rules_;
  memory_source memory_;
};

struct sync_counter::desired_write : sync_counter::write_base {
  using write_base::write_base;
  bool enter(const arena_value&, size_type, const value_member* member) {
    const arena_value* reported = other_root;
    if (member == nullptr) return push(reported);
    return beside(*member, reported) && push(in_effect(reported));
  }
  bool write(merge_action action, const arena_value* old, size_type, const value_member* member) {
    if (action == merge_action::keep || others.back().get() == nullptr) return true;
    const arena_value* reported;
    if (!beside(*member, reported)) return false;
    return (old == nullptr || add(*old, reported, from_patch::neither, -1)) &&
           (action == merge_action::remove || add(member->value, reported, from_patch::desired, 1));
  }
};

struct sync_counter::reported_write : sync_counter::write_base {
  using write_base::write_base;
  bool enter(const arena_value& object, size_type, const value_member* member) {
    const arena_value* desired = other_root;
    if (member != nullptr) {
      if (!beside(*member, desired)) return false;
      // What is or becomes an acknowledgement is compared as a whole.
      if (desired != nullptr && concerns_acknowledgement(object, member->value)) {
        if (!add(*desired, &object, from_patch::neither, -1) ||
            !add_merged(*desired, object, member->value))
          return false;
        desired = nullptr;
      }
    }
    return push(desired);
  }
  bool write(merge_action action, const arena_value* old, size_type, const value_member* member) {
    if (action == merge_action::keep) return true;
    const arena_value* desired;
    if (!beside(*member, desired)) return false;
    if (desired == nullptr) return true;
    return add(*desired, old, from_patch::neither, -1) &&
           add(*desired, action == merge_action::remove ? nullptr : &member->value,
               from_patch::reported, 1);
  }
  static bool concerns_acknowledgement(const arena_value& object,
                                       const arena_value& patch) noexcept {
    return acknowledged_value(object) != nullptr || find_member(patch, "ac") != nullptr ||
           find_member(patch, "av") != nullptr || find_member(patch, "value") != nullptr;
  }
  bool add_merged(const arena_value& desired, const arena_value& object, const arena_value& patch) {
    json::document merged(counter.memory_);
    if (json::error e = merged.assign(object)) return fail(e.code());
    if (json::error e =
            merge::apply_merge_patch(merged, patch, merge_options(counter.rules_, counter.memory_)))
      return fail(e.code());
    return add(desired, &merged.root(), from_patch::neither, 1);
  }
};

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
