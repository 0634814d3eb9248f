/// Applying a JSON Merge Patch (RFC 7396) to a JSON value, in place.
#pragma once

#include <cstddef>      // std::size_t
#include <cstring>      // std::memcpy
#include <new>          // placement new, std::launder
#include <string_view>  // std::string_view
#include <type_traits>  // std::enable_if_t, std::is_same_v

#include "../base/bits.hpp"
#include "../base/stack.hpp"
#include "../json/arena.hpp"
#include "../json/error.hpp"
#include "../json/pointer.hpp"
#include "../json/tree/builder.hpp"
#include "../json/value.hpp"
#include "journal.hpp"
#include "options.hpp"
#include "tree/plan.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {

namespace functions {

/// Applies `patch` to `target`.
///
/// Shape: `target` is any JSON value, its memory from `allocator`; `patch` any JSON value, with
/// another allocator if you like, only read. Neither may lie inside the other, but strings of
/// `patch` may refer to strings of `target` (rapidjson::StringRef) when its allocator keeps what is
/// replaced: a pool, an arena, a document.
/// Effects (RFC 7396, section 2): if `patch` is an object, each of its members in turn: null
/// removes that name, an object is merged into the member of that name (made an empty object if it
/// is none), anything else replaces it, arrays as a whole. If `patch` is not an object, `target`
/// becomes a copy of it. Members that stay keep their order, new ones are appended in the patch's;
/// a value equal to what is there is not written. Nothing in `target` refers to `patch` afterwards.
/// Of repeated names the first counts.
/// Journal: told of every effective change, see journal.hpp.
/// Errors: depth_exceeded, not_finite, out_of_memory, handler_stopped; the pointer is the place in
/// the patch.
///   Then nothing has changed: everything is checked, measured and allocated before the first
///   write. RapidJSON's own allocators cannot be asked, and their exhaustion is as RapidJSON leaves
///   it.
/// Cost: the patch, plus for each of its objects a scan of the target's object per name, or one
/// pass over it when there are more than eight. References into `target` are invalid afterwards.
/// Memory: with RapidJSON's pool allocator what is replaced stays allocated; use json::document for
/// what lives long.
template <class TargetAllocator, class Patch, class Journal = no_journal>
json::error apply_merge_patch(json::basic_value<TargetAllocator>& target, const Patch& patch,
                              TargetAllocator& allocator, const options& options = {},
                              Journal&& journal = {});

/// The same for a document that keeps itself compact: its memory stays within about twice that of a
/// fresh copy, and a patch that cannot be afforded is refused.
template <class Patch, class Journal = no_journal>
json::error apply_merge_patch(json::document& target, const Patch& patch,
                              const options& options = {}, Journal&& journal = {});

/// The same for a RapidJSON document with its own allocator.
template <class TargetAllocator, class StackAllocator, class Patch, class Journal = no_journal>
json::error apply_merge_patch(json::basic_document<TargetAllocator, StackAllocator>& target,
                              const Patch& patch, const options& options = {},
                              Journal&& journal = {}) {
  json::basic_value<TargetAllocator>& root = target;
  return apply_merge_patch(root, patch, target.GetAllocator(), options,
                           static_cast<Journal&&>(journal));
}

}  // namespace functions

namespace core {

/// Whether the third argument of apply_merge_patch() is the target's allocator.
template <class Target, class... Rest>
inline constexpr bool has_allocator = false;
template <class Allocator, class... Rest>
inline constexpr bool has_allocator<json::basic_value<Allocator>, Allocator&, Rest...> = true;
template <class Allocator, class StackAllocator, class... Rest>
inline constexpr bool
    has_allocator<json::basic_document<Allocator, StackAllocator>, Allocator&, Rest...> = true;

/// Whether apply_merge_patch() takes this target, whatever else is wrong.
template <class Target, class... Rest>
inline constexpr bool can_apply = std::is_same_v<Target, json::document> ||
                                  json::core::is_document<Target> || has_allocator<Target, Rest...>;

}  // namespace core

namespace functions {

/// An invalid target, or a value without its allocator: a mistake, explained.
template <class Target, class Patch, class... Rest>
std::enable_if_t<!core::can_apply<Target, Rest...>, json::error> apply_merge_patch(Target&,
                                                                                   const Patch&,
                                                                                   Rest&&...) {
  static_assert(json::core::mistaken<Patch>,
                "merge::apply_merge_patch: the target is a json::document, a RapidJSON document, "
                "or a value with its allocator as third argument");
  return json::errc::wrong_type;
}

}  // namespace functions

// ---------------------------------------------------------------------------------------------

namespace core {

/// New values and names, built aside so that writing only moves them in. What is left is destroyed.
template <class Value>
class made_values {
 public:
  explicit made_values(const memory_source& memory) noexcept : slots_(memory) {}
  ~made_values() {
    for (std::size_t i = 0; Value::AllocatorType::kNeedFree && i < slots_.size(); ++i)
      (*this)[i].~Value();
  }
  made_values(const made_values&) = delete;
  made_values& operator=(const made_values&) = delete;

  /// One more, null at first; a null pointer when memory ran out.
  Value* add() noexcept {
    if (!slots_.extend(1)) return nullptr;
    return new (static_cast<void*>(&slots_.back())) Value();
  }
  Value& operator[](std::size_t i) noexcept {
    return *std::launder(reinterpret_cast<Value*>(&slots_[i]));
  }
  std::size_t size() const noexcept { return slots_.size(); }

 private:
  struct slot {  // values may be moved by memcpy, as RapidJSON itself does
    alignas(Value) unsigned char bytes[sizeof(Value)];
  };
  base::stack<slot, 8> slots_;
};

/// Copies a value of the patch into the target's memory.
template <class Target, class Patch, class Allocator>
bool copy_value(Target& to, const Patch& from, Allocator& allocator, json::core::nulls rule,
                const memory_source& memory) {
  json::core::tree_builder<Allocator> builder(allocator, memory);
  json::core::walk_memory<Patch> walk(memory);
  return !builder.build(to, [&](auto& handler) {
    return json::core::emit(from, handler, rule, static_cast<std::size_t>(-1), walk);
  });
}

/// Copies a text of the patch that lies outside its value, or in another kind of value.
template <class Target, class Text, class Allocator>
bool copy_text(Target& to, const Text& from, Allocator& allocator) {
  const std::string_view text = text_of(from);
  using parts = json::core::inside<Target>;
  if (text.size() <= parts::longest_inline) {
    parts::make_short_text(&to, text.data(), static_cast<size_type>(text.size()));
    return true;
  }
  char* copy = static_cast<char*>(allocator.Malloc(text.size() + 1));
  if (copy == nullptr) return false;
  base::copy_bytes(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  parts::make_text(&to, copy, static_cast<size_type>(text.size()));
  return true;
}

/// Copies such a value. Values differ by their allocator only.
template <class Target, class Patch>
void copy_plain_value(Target& to, const Patch& from) noexcept {
  static_assert(sizeof to == sizeof from, "values differ by their allocator only");
  std::memcpy(static_cast<void*>(&to), static_cast<const void*>(&from), sizeof to);
}

/// Copies any other.
template <class Target, class Patch, class Allocator>
bool copy_new(Target& to, const Patch& from, Allocator& allocator, json::core::nulls rule,
              const memory_source& memory) {
  return from.IsString() ? copy_text(to, from, allocator)
                         : copy_value(to, from, allocator, rule, memory);
}

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

template <class Plan, class Allocator>
class merge_writer {
  using Target = typename Plan::target_type;
  using Patch = typename Plan::patch_type;

 public:
  merge_writer(const Plan& plan, const options& o, Allocator& allocator)
      : plan_(plan),
        options_(o),
        allocator_(allocator),
        values_(o.memory),
        open_(o.memory),
        steps_(o.memory) {}

  /// Allocates everything that write() needs. The target is not touched.
  bool prepare(const Patch& patch) {
    if (!json::core::promise(allocator_, plan_.needed(), 0)) return false;
    if (plan_.whole()) return is_plain(patch) || make(patch);
    for (std::size_t i = plan_.first_made(); values_.size() != plan_.makes(); ++i) {
      const auto& entry = plan_.entries()[i];
      if (entry.name == copy_way::made && !make(entry.member->name)) return false;
      if (entry.value == copy_way::made && !make(entry.member->value)) return false;
    }
    if (plan_.block_bytes() != 0) {
      block_ = static_cast<char*>(allocator_.Malloc(plan_.block_bytes()));
      if (block_ == nullptr) return false;
    }
    return open_.reserve(plan_.depth()) && steps_.reserve(plan_.depth());
  }

  /// Makes the change. Cannot fail.
  template <class Journal>
  void write(Target& target, const Patch& patch, Journal& journal) {
    constexpr bool told = !std::is_same_v<std::remove_const_t<Journal>, no_journal>;
    if (plan_.whole()) {
      Target fresh;
      take(fresh, patch, is_plain(patch) ? copy_way::plain : copy_way::made);
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
        if constexpr (!told && !Allocator::kNeedFree) {  // what was there needs no goodbye
          take(value, entry.member->value, entry.value);
        } else {
          Target other;
          take(other, entry.member->value, entry.value);
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
        take(name, entry.member->name, entry.name);
        take(value, entry.member->value, entry.value);
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
  // What takes memory and is no text or row is made beforehand and taken in the same order.
  template <class Source>
  bool make(const Source& from) {
    Target* const to = values_.add();
    return to != nullptr && copy_new(*to, from, allocator_, plan_.copy_rule(), options_.memory);
  }
  /// `to` is null, or a value that needs no destruction.
  template <class Source>
  DEVICETWIN_ALWAYS_INLINE void take(Target& to, const Source& from, copy_way way) noexcept {
    if (way == copy_way::plain) {
      copy_plain_value(to, from);
    } else if (way == copy_way::made) {
      to.Swap(values_[next_value_++]);
    } else {
      block_ = copy_to_block<Target>(&to, from, way, block_);
    }
  }

  const Plan& plan_;
  const options& options_;
  Allocator& allocator_;
  made_values<Target> values_;
  std::size_t next_value_ = 0;
  char* block_ = nullptr;             ///< where the next text or row goes
  base::stack<Target*, 8> open_;      ///< the objects around the one being written
  base::stack<json::step, 8> steps_;  ///< the member being written in each open object
};

/// Gives the memory of a failed attempt back where that is possible.
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

/// A shortcut for what most patches are: one member changes, in some objects inside each other,
/// from one scalar to another. Then there is nothing to plan.
template <class Target, class Patch>
class single_change {
 public:
  /// False when it is not so; else what there is to do is known. Changes nothing.
  bool find(Target& target, const Patch& patch, const options& o) noexcept {
    using target_parts = json::core::inside<Target>;
    using patch_parts = json::core::inside<Patch>;
    if constexpr (!base::shortcuts) return false;
    if (o.changes != change_rule::by_value) return false;
    Target* object = &target;
    const Patch* wanted = &patch;
    for (std::size_t depth = 0; depth < most_levels && depth < o.max_depth; ++depth) {
      if (!is_object(*object) || !is_object(*wanted) || patch_parts::member_count(*wanted) != 1)
        return false;
      const member_of<Patch>& member = *members_begin(*wanted);
      const size_type index = json::core::member_index<Target>(
          members_begin(*object), target_parts::member_count(*object), member.name);
      if (index == no_index) return false;
      names_[depth] = &member.name;
      object = &members_begin(*object)[index].value;
      wanted = &member.value;
      if (is_object(*object) && is_object(*wanted)) continue;
      old_ = object;
      new_ = wanted;
      depth_ = depth + 1;
      if (!is_scalar(*old_) || !is_scalar(*new_) || (new_->IsNull() && o.nulls != null_rule::keep))
        return false;
      same_ = json::core::same_scalar(*old_, *new_, o.numbers);
      return true;
    }
    return false;
  }
  bool same() const noexcept { return same_; }

  /// What the new value takes outside of itself, and what the old one took.
  std::size_t added() const noexcept { return outside_bytes(*new_); }
  std::size_t freed() const noexcept { return outside_bytes(*old_); }

  /// Makes the new value, asks the journal, writes. All or nothing.
  template <class Allocator, class Journal>
  errc carry_out(Allocator& allocator, Journal& journal) {
    const auto mark = position(allocator);
    Target value;  // the new one, then the old one
    if (is_plain(*new_)) {
      copy_plain_value(value, *new_);
    } else if (!json::core::promise(allocator, added(), 0) || !copy_text(value, *new_, allocator)) {
      return errc::out_of_memory;
    }
    if (!reserve_journal(journal, 1, 0)) {
      give_back(allocator, mark);
      return errc::handler_stopped;
    }
    old_->Swap(value);
    if constexpr (!std::is_same_v<std::remove_const_t<Journal>, no_journal>) {
      json::step steps[most_levels];
      for (std::size_t i = 0; i < depth_; ++i) steps[i] = json::step::member(text_of(*names_[i]));
      journal(json::location(steps, depth_), const_cast<const Target*>(&value),
              const_cast<const Target*>(old_));
    }
    return errc::ok;
  }

 private:
  static constexpr std::size_t most_levels = 8;

  template <class Value>
  static bool is_object(const Value& v) noexcept {
    using parts = json::core::inside<Value>;
    return (parts::flags(v) & parts::type_mask) == parts::object_type;
  }
  template <class Value>
  static bool is_scalar(const Value& v) noexcept {
    return !json::core::is_container(v) && !json::core::is_not_finite(v);
  }
  template <class Value>
  static std::size_t outside_bytes(const Value& v) noexcept {
    return v.IsString() ? json::core::string_bytes<Target>(text_of(v).size()) : 0;
  }

  Target* old_ = nullptr;
  const Patch* new_ = nullptr;
  std::size_t depth_ = 0;
  bool same_ = false;
  const Patch* names_[most_levels];
};

/// The second half of every other apply: allocate, ask the journal, write.
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

/// A merge patch on a document in three steps, so that several things can change together or not at
/// all: plan() and prepare() do all that can fail, commit() cannot. Without a commit the document
/// is as it was.
template <class Patch>
class document_merge {
 public:
  using plan_type = merge_plan<json::arena_value, Patch>;

  document_merge(json::document& target, const options& o)
      : target_(target),
        options_(o),
        plan_(options_),
        writer_(plan_, options_, json::core::document_access::memory(target)) {}
  ~document_merge() {
    if (prepared_) give_back(json::core::document_access::memory(target_), mark_);
  }
  document_merge(const document_merge&) = delete;
  document_merge& operator=(const document_merge&) = delete;

  /// What applying `patch`, which must stay until the commit, does. Errors as apply_merge_patch().
  error plan(const Patch& patch) {
    patch_ = &patch;
    return plan_.make(target_.root(), patch) ? error() : plan_.failure();
  }
  const plan_type& planned() const noexcept { return plan_; }

  /// Allocates everything; may move the tree, whose members keep their order: the plan names them
  /// by it.
  error prepare() {
    if (plan_.changes() == 0) return {};
    // Strings in the patch may be the target's own, by reference; so what the tree leaves is kept
    // until then.
    if (error e = json::core::document_access::make_room(target_, plan_.needed(), left_)) return e;
    mark_ = position(json::core::document_access::memory(target_));
    prepared_ = true;
    return writer_.prepare(*patch_) ? errc::ok : errc::out_of_memory;
  }
  template <class Journal>
  void commit(Journal& journal) {
    if (plan_.changes() == 0) return;
    prepared_ = false;
    writer_.write(json::core::document_access::root(target_), *patch_, journal);
    left_.clear();
    json::core::document_access::settle(target_, plan_.added(), plan_.freed());
  }

 private:
  json::document& target_;
  options options_;
  const Patch* patch_ = nullptr;
  plan_type plan_;
  merge_writer<plan_type, json::arena> writer_;
  json::arena::mark mark_;
  json::arena left_;  ///< what held the tree before it moved
  bool prepared_ = false;
};

}  // namespace core

namespace functions {

template <class TargetAllocator, class Patch, class Journal>
json::error apply_merge_patch(json::basic_value<TargetAllocator>& target, const Patch& patch,
                              TargetAllocator& allocator, const options& options,
                              Journal&& journal) {
  using target_type = json::basic_value<TargetAllocator>;
  using patch_type = json::core::value_type_of<Patch>;
  const patch_type& source = json::core::value_of(patch);
  if constexpr (core::is_journal<Journal, target_type>) {
    core::single_change<target_type, patch_type> only;
    if (only.find(target, source, options))
      return only.same() ? json::errc::ok : only.carry_out(allocator, journal);
  }
  core::merge_plan<target_type, patch_type> plan(options);
  if (!plan.make(target, source)) return plan.failure();
  return core::carry_out(plan, target, source, allocator, options, journal);
}

template <class Patch, class Journal>
json::error apply_merge_patch(json::document& target, const Patch& patch, const options& options,
                              Journal&& journal) {
  static_assert(
      core::is_journal<Journal, json::arena_value>,
      "merge::apply_merge_patch: the journal is called as journal(const json::location&, const "
      "Value* old_value, const Value* new_value), with Value the target's type");
  if constexpr (core::is_journal<Journal, json::arena_value>) {
    using access = json::core::document_access;
    using patch_type = json::core::value_type_of<Patch>;
    const patch_type& source = json::core::value_of(patch);
    core::single_change<json::arena_value, patch_type> only;
    if (only.find(access::root(target), source, options) &&
        access::has_room(target, only.added())) {
      if (only.same()) return {};
      const std::size_t added = only.added(), freed = only.freed();
      const json::errc failure = only.carry_out(access::memory(target), journal);
      if (failure == json::errc::ok) access::settle(target, added, freed);
      return failure;
    }
    core::document_merge<patch_type> merge(target, options);
    if (json::error e = merge.plan(source)) return e;
    if (merge.planned().changes() == 0) return {};
    if (json::error e = merge.prepare()) return e;
    if (!core::reserve_journal(journal, merge.planned().changes(), 0))
      return json::errc::handler_stopped;
    merge.commit(journal);
    return {};
  } else {
    return json::errc::wrong_type;
  }
}

}  // namespace functions

}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
