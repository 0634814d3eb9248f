/// Writes a merge that was planned. All that can fail is done before the first write.
#pragma once

#include <cstddef>      // std::size_t, std::ptrdiff_t
#include <type_traits>  // std::is_same_v, std::remove_const_t

#include "../../base/inline.hpp"
#include "../../base/stack.hpp"
#include "../../json/arena.hpp"
#include "../../json/error.hpp"
#include "../../json/pointer.hpp"
#include "../../json/tree/builder.hpp"
#include "../../json/tree/inside.hpp"
#include "../../json/value.hpp"
#include "../journal.hpp"
#include "../options.hpp"
#include "../tree/plan.hpp"
#include "copies.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

/// Takes out the members whose name was made null, the first of which is at `first`, keeping the
/// order of the others.
template <class Value>
void sweep(Value& object, size_type first) {
  auto* members = members_begin(object);
  const size_type count = object.MemberCount();
  size_type kept = first;
  for (size_type i = first; i < count; ++i) {
    if (members[i].name.IsNull()) continue;
    if (kept != i) {
      members[kept].name = members[i].name;  // RapidJSON's assignment moves
      members[kept].value = members[i].value;
    }
    ++kept;
  }
  object.EraseMember(object.MemberBegin() + static_cast<std::ptrdiff_t>(kept), object.MemberEnd());
}

/// Carries out a plan, a merge_plan or one with the same functions: prepare() does all that can
/// fail, write() the rest. The plan must stay.
template <class Plan, class Allocator>
class merge_writer {
  using Target = typename Plan::target_type;
  using Patch = typename Plan::patch_type;

 public:
  merge_writer(const Plan& plan, const options& o, Allocator& allocator)
      : plan_(plan), allocator_(allocator), copies_(o.memory), open_(o.memory), steps_(o.memory) {}

  /// Allocates everything that write() needs. The target is not touched. False when memory ran out.
  bool prepare(const Patch& patch) {
    const auto& copies = plan_.copies();
    if (!json::core::promise(allocator_, plan_.memory().needed(), 0)) return false;
    if (plan_.whole()) return is_plain(patch) || make(patch);
    for (std::size_t i = copies.first_made(); copies_.made() != copies.made(); ++i) {
      const auto& entry = plan_.entries()[i];
      if (entry.name == copy_way::made && !make(entry.member->name)) return false;
      if (entry.value == copy_way::made && !make(entry.member->value)) return false;
    }
    return copies_.make_block(copies.block_bytes(), allocator_) && open_.reserve(plan_.depth()) &&
           steps_.reserve(plan_.depth());
  }

  /// Makes the change. Cannot fail.
  template <class Journal>
  void write(Target& target, const Patch& patch, Journal& journal) {
    constexpr bool told = !std::is_same_v<std::remove_const_t<Journal>, no_journal>;
    if (plan_.whole()) {
      Target fresh;
      copies_.take(fresh, patch, is_plain(patch) ? copy_way::plain : copy_way::made);
      target.Swap(fresh);
      journal(json::location(), const_cast<const Target*>(&fresh),
              const_cast<const Target*>(&target));
      return;
    }
    const auto tell = [&]([[maybe_unused]] const Target* old_value,
                          [[maybe_unused]] const Target* new_value) {
      if constexpr (told)
        journal(json::location(steps_.data(), steps_.size()), old_value, new_value);
    };
    using action = typename Plan::action;
    Target* object = &target;  // the innermost open one
    auto* members = members_begin(*object);
    if constexpr (told) static_cast<void>(steps_.push({}));  // room was made by prepare()
    for (std::size_t i = 0; i < plan_.entries().size(); ++i) {
      const auto& entry = plan_.entries()[i];
      if (told && entry.what != action::leave)
        steps_.back() = json::step::member(text_of(entry.member->name));
      // A chain, the most frequent first: it is predicted better than a jump by table.
      if (entry.what == action::set) {
        Target& value = members[entry.index].value;
        if constexpr (!told && !Allocator::kNeedFree) {  // the old value needs no destructor
          copies_.take(value, entry.member->value, entry.value);
        } else {
          Target other;
          copies_.take(other, entry.member->value, entry.value);
          value.Swap(other);
          tell(&other, &value);
        }
      } else if (entry.what == action::leave) {
        if (entry.index != no_index) sweep(*object, entry.index);
        if constexpr (told) steps_.pop();
        if (open_.empty()) return;
        object = open_.back();
        open_.pop();
        members = members_begin(*object);
      } else if (entry.what == action::descend) {
        static_cast<void>(open_.push(object));
        object = &members[entry.index].value;
        members = members_begin(*object);
        if constexpr (told) static_cast<void>(steps_.push({}));
      } else if (entry.what == action::add) {
        Target name, value;
        copies_.take(name, entry.member->name, entry.name);
        copies_.take(value, entry.member->value, entry.value);
        object->AddMember(name, value, allocator_);
        members = members_begin(*object);
        tell(nullptr, &members[object->MemberCount() - 1].value);
      } else if (entry.what == action::keep) {
        tell(&members[entry.index].value, &members[entry.index].value);
      } else {
        if (entry.what == action::remove) tell(&members[entry.index].value, nullptr);
        members[entry.index].name.SetNull();
        members[entry.index].value.SetNull();
      }
    }
  }

 private:
  template <class Source>
  bool make(const Source& from) {
    return copies_.make(from, allocator_, plan_.copy_rule());
  }

  const Plan& plan_;
  Allocator& allocator_;
  prepared_copies<Target> copies_;
  base::stack<Target*, 8> open_;      ///< the objects around the one being written
  base::stack<json::step, 8> steps_;  ///< the member being written in each open object
};

/// The place to give memory back to after a failed attempt, for allocators that can.
inline json::arena::mark position(json::arena& allocator) { return allocator.position(); }
inline void give_back(json::arena& allocator, const json::arena::mark& mark) {
  allocator.rewind(mark);
}
struct no_mark {};
template <class Allocator>
no_mark position(Allocator&) {
  return {};
}
template <class Allocator>
void give_back(Allocator&, no_mark) {}

/// Allocates, asks the journal, and writes: what is left of an apply when the plan is made.
/// Errors: out_of_memory, handler_stopped. Then nothing has changed.
template <class Plan, class Target, class Source, class Allocator, class Journal>
json::error carry_out(const Plan& plan, Target& target, const Source& patch, Allocator& allocator,
                      const options& o, Journal& journal) {
  static_assert(
      is_journal<Journal, Target>,
      "merge::apply_merge_patch: the journal is called as journal(const json::location&, const "
      "Value* old_value, const Value* new_value), with Value the target's type");
  if constexpr (is_journal<Journal, Target>) {
    if (plan.changes() == 0) return {};
    const auto mark = position(allocator);
    merge_writer<Plan, Allocator> writer(plan, o, allocator);
    errc failure = errc::out_of_memory;
    if (writer.prepare(patch)) {
      failure = errc::handler_stopped;
      if (reserve_journal(journal, plan.changes(), 0)) {
        writer.write(target, patch, journal);
        return {};
      }
    }
    give_back(allocator, mark);
    return failure;
  } else {
    return errc::wrong_type;
  }
}

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
