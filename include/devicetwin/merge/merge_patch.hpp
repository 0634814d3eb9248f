/// Applying a JSON Merge Patch (RFC 7396) to a JSON value, in place.
#pragma once

#include <cstddef>      // std::size_t
#include <cstring>      // std::memcpy
#include <new>          // placement new, std::launder
#include <string_view>  // std::string_view
#include <type_traits>  // std::enable_if_t, std::is_same_v, std::void_t

#include "../json/arena.hpp"
#include "../json/detail/builder.hpp"
#include "../json/detail/stack.hpp"
#include "../json/error.hpp"
#include "../json/pointer.hpp"
#include "../json/value.hpp"
#include "detail/plan.hpp"
#include "journal.hpp"
#include "options.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {

/// Applies `patch` to `target`.
///
/// Shape: `target` is any JSON value, its memory from `allocator`; `patch` any JSON value, with another allocator
///   if you like, only read. Neither may lie inside the other, but strings of `patch` may refer to strings of
///   `target` (rapidjson::StringRef) when its allocator keeps what is replaced: a pool, an arena, a document.
/// Effects (RFC 7396, section 2): if `patch` is an object, each of its members in turn: null removes that
///   name, an object is merged into the member of that name (made an empty object if it is none), anything else
///   replaces it, arrays as a whole. If `patch` is not an object, `target` becomes a copy of it. Members that
///   stay keep their order, new ones are appended in the patch's; a value equal to what is there is not written.
///   Nothing in `target` refers to `patch` afterwards. Of repeated names the first counts.
/// Journal: told of every effective change, see journal.hpp.
/// Errors: depth_exceeded, not_finite, out_of_memory, handler_stopped; the pointer is the place in the patch.
///   Then nothing has changed: everything is checked, measured and allocated before the first write. RapidJSON's
///   own allocators cannot be asked, and their exhaustion is as RapidJSON leaves it.
/// Cost: the patch, plus for each of its objects a scan of the target's object per name, or one pass over it when
///   there are more than eight. References into `target` are invalid afterwards.
/// Memory: with RapidJSON's pool allocator what is replaced stays allocated; use json::document for what lives long.
template <class TargetAllocator, class PatchAllocator, class Journal = no_journal>
[[nodiscard]] json::error apply_merge_patch(json::basic_value<TargetAllocator>& target,
                                            const json::basic_value<PatchAllocator>& patch,
                                            TargetAllocator& allocator, const options& options = {},
                                            Journal&& journal = {});

/// The same for a document that keeps itself compact: its memory stays within about twice that of a fresh copy,
/// and a patch that cannot be afforded is refused.
template <class PatchAllocator, class Journal = no_journal>
[[nodiscard]] json::error apply_merge_patch(json::document& target,
                                            const json::basic_value<PatchAllocator>& patch,
                                            const options& options = {}, Journal&& journal = {});

namespace detail {

template <class Target, class Allocator, class = void>
inline constexpr bool is_allocator_of = false;
template <class Target, class Allocator>
inline constexpr bool is_allocator_of<Target, Allocator, std::void_t<typename Target::AllocatorType>> =
    std::is_same_v<Allocator, typename Target::AllocatorType&>;

/// Whether apply_merge_patch() takes these, whatever else is wrong.
template <class Target, class Patch, class... Rest>
struct can_apply : std::false_type {};
template <class Patch, class... Rest>
struct can_apply<json::document, Patch, Rest...> : std::bool_constant<json::detail::is_value<Patch>> {};
template <class Target, class Patch, class Allocator, class... Rest>
struct can_apply<Target, Patch, Allocator, Rest...>
    : std::bool_constant<json::detail::is_value<Target> && !std::is_const_v<Target> &&
                         json::detail::is_value<Patch> && is_allocator_of<Target, Allocator>> {};
template <class Patch, class First, class... Rest>
struct can_apply<json::document, Patch, First, Rest...>
    : std::bool_constant<json::detail::is_value<Patch>> {};

}  // namespace detail

/// A target or patch that is none, or a value without its allocator: a mistake, explained.
template <class Target, class Patch, class... Rest>
std::enable_if_t<!detail::can_apply<Target, Patch, Rest...>::value, json::error> apply_merge_patch(
    Target&, const Patch&, Rest&&...) {
  static_assert(json::detail::mistaken<Patch>,
                "merge::apply_merge_patch: the target is a json::document, or a value with its allocator as "
                "third argument; the patch is a RapidJSON value (of a json::document, its root()); "
                "json::read makes one from text");
  return json::errc::wrong_type;
}

// ---------------------------------------------------------------------------------------------

namespace detail {

/// New values and names, built aside so that writing only moves them in. What is left is destroyed.
template <class Value>
class prepared_values {
 public:
  explicit prepared_values(const json::memory_source& memory) noexcept : slots_(memory) {}
  ~prepared_values() {
    for (std::size_t i = 0; i < slots_.size(); ++i) (*this)[i].~Value();
  }
  prepared_values(const prepared_values&) = delete;
  prepared_values& operator=(const prepared_values&) = delete;

  /// One more, null at first; a null pointer when memory ran out.
  Value* add() noexcept {
    if (!slots_.extend(1)) return nullptr;
    return new (static_cast<void*>(&slots_.back())) Value();
  }
  Value& operator[](std::size_t i) noexcept {
    return *std::launder(reinterpret_cast<Value*>(&slots_[i]));
  }

 private:
  struct slot {  // values may be moved by memcpy, as RapidJSON itself does
    alignas(Value) unsigned char bytes[sizeof(Value)];
  };
  json::detail::stack<slot, 16> slots_;
};

/// Copies a value of the patch into the target's memory.
template <class Target, class Patch, class Allocator>
bool copy_value(Target& to, const Patch& from, Allocator& allocator, json::detail::nulls rule,
                const json::memory_source& memory) {
  json::detail::tree_builder<Allocator> builder(allocator, memory);
  json::detail::walk_memory<Patch> walk(memory);
  return !builder.build(to, [&](auto& handler) {
    return json::detail::emit(from, handler, rule, static_cast<std::size_t>(-1), walk);
  });
}

/// Copies a text of the patch that lies outside its value, or in another kind of value.
template <class Target, class Text, class Allocator>
bool copy_text(Target& to, const Text& from, Allocator& allocator) {
  const std::string_view text = text_of(from);
  using parts = json::detail::inside<Target>;
  if (text.size() <= parts::longest_inline) {
    parts::make_short_text(&to, text.data(), static_cast<size_type>(text.size()));
    return true;
  }
  char* copy = static_cast<char*>(allocator.Malloc(text.size() + 1));
  if (copy == nullptr) return false;
  json::detail::copy_bytes(copy, text.data(), text.size());
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
bool copy_new(Target& to, const Patch& from, Allocator& allocator, json::detail::nulls rule,
              const json::memory_source& memory) {
  return from.IsString() ? copy_text(to, from, allocator) : copy_value(to, from, allocator, rule, memory);
}

/// Takes out the members whose name was made null, keeping the order of the others.
template <class Value>
void sweep(Value& object) {
  auto* members = members_begin(object);
  const size_type count = object.MemberCount();
  size_type kept = 0;
  for (size_type i = 0; i < count; ++i) {
    if (members[i].name.IsNull()) continue;
    if (kept != i) {
      members[kept].name = members[i].name;  // RapidJSON's assignment moves
      members[kept].value = members[i].value;
    }
    ++kept;
  }
  object.EraseMember(object.MemberBegin() + static_cast<std::ptrdiff_t>(kept), object.MemberEnd());
}

template <class Target, class Patch, class Allocator>
class merge_writer {
 public:
  using plan_type = merge_plan<Target, Patch>;
  merge_writer(const plan_type& plan, const options& o, Allocator& allocator)
      : plan_(plan), options_(o), allocator_(allocator), values_(o.memory), open_(o.memory), steps_(o.memory) {}

  /// Allocates everything that write() needs. The target is not touched.
  bool prepare(const Patch& patch) {
    if (!json::detail::promise(allocator_, plan_.needed(), 0)) return false;
    if (plan_.whole()) return prepare_value(patch);
    for (std::size_t i = 0; plan_.prepares() && i < plan_.entries().size(); ++i) {
      const auto& entry = plan_.entries()[i];
      if (!entry.prepares) continue;
      if (entry.what == plan_type::action::add && !prepare_value(entry.member->name)) return false;
      if (!prepare_value(entry.member->value)) return false;
    }
    return open_.reserve(plan_.depth()) && steps_.reserve(plan_.depth());
  }

  /// Makes the change. Cannot fail.
  template <class Journal>
  void write(Target& target, const Patch& patch, Journal& journal) {
    constexpr bool told = !std::is_same_v<std::remove_const_t<Journal>, no_journal>;
    if (plan_.whole()) {
      Target fresh;
      take(fresh, patch);
      target.Swap(fresh);
      journal(json::location(), const_cast<const Target*>(&fresh), const_cast<const Target*>(&target));
      return;
    }
    const auto tell = [&]([[maybe_unused]] const Target* old_value, [[maybe_unused]] const Target* new_value) {
      if constexpr (told) journal(json::location(steps_.data(), steps_.size()), old_value, new_value);
    };
    using action = typename plan_type::action;
    enter<told>(target);
    for (std::size_t i = 0; i < plan_.entries().size(); ++i) {
      const auto& entry = plan_.entries()[i];
      while (open_.size() > entry.level + std::size_t{1}) leave<told>();
      object& top = open_.back();
      if constexpr (told) steps_.back() = json::step::member(text_of(entry.member->name));
      if (entry.what == action::add) {
        Target name, value;
        take(name, entry.member->name);
        take(value, entry.member->value);
        top.self->AddMember(name, value, allocator_);
        tell(nullptr, &members_begin(*top.self)[top.self->MemberCount() - 1].value);
        continue;
      }
      auto& member = members_begin(*top.self)[entry.index];
      switch (entry.what) {
        case action::descend: enter<told>(member.value); break;
        case action::set: {
          if constexpr (!told && !Allocator::kNeedFree) {  // what was there needs no goodbye
            if (!entry.prepares) {
              copy_plain_value(member.value, entry.member->value);
              break;
            }
          }
          Target value;
          take(value, entry.member->value);
          member.value.Swap(value);
          tell(&value, &member.value);
          break;
        }
        case action::keep: tell(&member.value, &member.value); break;
        case action::remove: tell(&member.value, nullptr); [[fallthrough]];
        case action::shadow:
          member.name.SetNull();
          member.value.SetNull();
          top.sweep = true;
          break;
        case action::add: break;
      }
    }
    while (!open_.empty()) leave<told>();
  }

 private:
  struct object {
    Target* self;
    bool sweep;  ///< members are to be taken out
  };

  // Values and names that take no memory are copied when their turn comes; the others are prepared, in order.
  bool prepare_value(const Patch& from) {
    if (is_plain(from)) return true;
    Target* to = values_.add();
    if (to == nullptr) return false;
    return copy_new(*to, from, allocator_, plan_.copy_rule(), options_.memory);
  }
  void take(Target& to, const Patch& from) noexcept {
    if (is_plain(from)) {
      copy_plain_value(to, from);
    } else {
      to.Swap(values_[next_value_++]);
    }
  }
  template <bool told>
  void enter(Target& self) {  // room was made by prepare()
    static_cast<void>(open_.emplace(&self, false));
    if constexpr (told) static_cast<void>(steps_.push({}));
  }
  template <bool told>
  void leave() {
    if (open_.back().sweep) sweep(*open_.back().self);
    open_.pop();
    if constexpr (told) steps_.pop();
  }
  const plan_type& plan_;
  const options& options_;
  Allocator& allocator_;
  prepared_values<Target> values_;
  std::size_t next_value_ = 0;
  json::detail::stack<object, 8> open_;
  json::detail::stack<json::step, 8> steps_;  ///< the member being written in each open object
};

/// Gives the memory of a failed attempt back where that is possible.
inline json::arena::mark position(json::arena& allocator) { return allocator.position(); }
inline void give_back(json::arena& allocator, const json::arena::mark& mark) { allocator.rewind(mark); }
struct no_mark {};
template <class Allocator>
no_mark position(Allocator&) { return {}; }
template <class Allocator>
void give_back(Allocator&, no_mark) {}

/// A shortcut for what most patches are: one member changes, in some objects inside each other, from one scalar to
/// another. Then there is nothing to plan.
template <class Target, class Patch>
class single_change {
 public:
  /// False when it is not so; else what there is to do is known. Changes nothing.
  bool find(Target& target, const Patch& patch, const options& o) noexcept {
    using target_parts = json::detail::inside<Target>;
    using patch_parts = json::detail::inside<Patch>;
    if constexpr (!json::detail::shortcuts) return false;
    if (o.changes != change_rule::by_value) return false;
    Target* object = &target;
    const Patch* wanted = &patch;
    for (std::size_t depth = 0; depth < most_levels && depth < o.max_depth; ++depth) {
      if (!is_object(*object) || !is_object(*wanted) || patch_parts::member_count(*wanted) != 1) return false;
      const member_of<Patch>& member = *members_begin(*wanted);
      const size_type index = json::detail::scan_names<Target>(members_begin(*object), target_parts::member_count(*object), member.name);
      if (index == no_index) return false;
      names_[depth] = &member.name;
      object = &members_begin(*object)[index].value;
      wanted = &member.value;
      if (is_object(*object) && is_object(*wanted)) continue;
      old_ = object;
      new_ = wanted;
      depth_ = depth + 1;
      if (!is_scalar(*old_) || !is_scalar(*new_) || (new_->IsNull() && o.nulls != null_rule::keep)) return false;
      same_ = json::detail::same_scalar(*old_, *new_, o.numbers);
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
    } else if (!json::detail::promise(allocator, added(), 0) || !copy_text(value, *new_, allocator)) {
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
      journal(json::location(steps, depth_), const_cast<const Target*>(&value), const_cast<const Target*>(old_));
    }
    return errc::ok;
  }

 private:
  static constexpr std::size_t most_levels = 8;

  template <class Value>
  static bool is_object(const Value& v) noexcept {
    using parts = json::detail::inside<Value>;
    return (parts::flags(v) & parts::type_mask) == parts::object_type;
  }
  template <class Value>
  static bool is_scalar(const Value& v) noexcept {
    return !json::detail::is_container(v) && !json::detail::is_not_finite(v);
  }
  template <class Value>
  static std::size_t outside_bytes(const Value& v) noexcept {
    return v.IsString() ? json::detail::string_bytes<Target>(text_of(v).size()) : 0;
  }

  Target* old_ = nullptr;
  const Patch* new_ = nullptr;
  std::size_t depth_ = 0;
  bool same_ = false;
  const Patch* names_[most_levels];
};

/// The second half of every other apply: allocate, ask the journal, write.
template <class Target, class Patch, class Source, class Allocator, class Journal>
json::error carry_out(const merge_plan<Target, Patch>& plan, Target& target, const Source& patch, Allocator& allocator,
                      const options& o, Journal& journal) {
  static_assert(is_journal<Journal, Target>, "merge::apply_merge_patch: the journal is called as journal(const json::location&, const "
                 "Value* old_value, const Value* new_value), with Value the target's type");
  if constexpr (is_journal<Journal, Target>) {
    if (plan.changes() == 0) return {};
    const auto mark = position(allocator);
    merge_writer<Target, Patch, Allocator> writer(plan, o, allocator);
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

/// A merge patch on a document in three steps, so that several things can change together or not at all: plan()
/// and prepare() do all that can fail, commit() cannot. Without a commit the document is as it was.
template <class Patch>
class document_merge {
 public:
  using plan_type = merge_plan<json::arena_value, Patch>;

  document_merge(json::document& target, const options& o)
      : target_(target), options_(o), plan_(options_), writer_(plan_, options_, json::document_access::memory(target)) {}
  ~document_merge() {
    if (prepared_) give_back(json::document_access::memory(target_), mark_);
  }
  document_merge(const document_merge&) = delete;
  document_merge& operator=(const document_merge&) = delete;

  /// What applying `patch`, which must stay until the commit, does. Errors as apply_merge_patch().
  error plan(const Patch& patch) {
    patch_ = &patch;
    return plan_.make(target_.root(), patch) ? error() : plan_.failure();
  }
  const plan_type& planned() const noexcept { return plan_; }

  /// Allocates everything; may move the tree, whose members keep their order: the plan names them by it.
  error prepare() {
    if (plan_.changes() == 0) return {};
    // Strings in the patch may be the target's own, by reference; so what the tree leaves is kept until then.
    if (error e = json::document_access::make_room(target_, plan_.needed(), left_)) return e;
    mark_ = position(json::document_access::memory(target_));
    prepared_ = true;
    return writer_.prepare(*patch_) ? errc::ok : errc::out_of_memory;
  }
  template <class Journal>
  void commit(Journal& journal) {
    if (plan_.changes() == 0) return;
    prepared_ = false;
    writer_.write(json::document_access::root(target_), *patch_, journal);
    left_.clear();
    json::document_access::settle(target_, plan_.added(), plan_.freed());
  }

 private:
  json::document& target_;
  options options_;
  const Patch* patch_ = nullptr;
  plan_type plan_;
  merge_writer<json::arena_value, Patch, json::arena> writer_;
  json::arena::mark mark_;
  json::arena left_;  ///< what held the tree before it moved
  bool prepared_ = false;
};

}  // namespace detail

template <class TargetAllocator, class PatchAllocator, class Journal>
json::error apply_merge_patch(json::basic_value<TargetAllocator>& target,
                              const json::basic_value<PatchAllocator>& patch, TargetAllocator& allocator,
                              const options& options, Journal&& journal) {
  using target_type = json::basic_value<TargetAllocator>;
  using patch_type = json::basic_value<PatchAllocator>;
  if constexpr (detail::is_journal<Journal, target_type>) {
    detail::single_change<target_type, patch_type> only;
    if (only.find(target, patch, options)) return only.same() ? json::errc::ok : only.carry_out(allocator, journal);
  }
  detail::merge_plan<target_type, patch_type> plan(options);
  if (!plan.make(target, patch)) return plan.failure();
  return detail::carry_out(plan, target, patch, allocator, options, journal);
}

template <class PatchAllocator, class Journal>
json::error apply_merge_patch(json::document& target, const json::basic_value<PatchAllocator>& patch,
                              const options& options, Journal&& journal) {
  static_assert(detail::is_journal<Journal, json::arena_value>, "merge::apply_merge_patch: the journal is called as journal(const json::location&, const "
                 "Value* old_value, const Value* new_value), with Value the target's type");
  if constexpr (detail::is_journal<Journal, json::arena_value>) {
    using access = json::document_access;
    detail::single_change<json::arena_value, json::basic_value<PatchAllocator>> only;
    if (only.find(access::root(target), patch, options) && access::has_room(target, only.added())) {
      if (only.same()) return {};
      const std::size_t added = only.added(), freed = only.freed();
      const json::errc failure = only.carry_out(access::memory(target), journal);
      if (failure == json::errc::ok) access::settle(target, added, freed);
      return failure;
    }
    detail::document_merge<json::basic_value<PatchAllocator>> merge(target, options);
    if (json::error e = merge.plan(patch)) return e;
    if (merge.planned().changes() == 0) return {};
    if (json::error e = merge.prepare()) return e;
    if (!detail::reserve_journal(journal, merge.planned().changes(), 0)) return json::errc::handler_stopped;
    merge.commit(journal);
    return {};
  } else {
    return json::errc::wrong_type;
  }
}

}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
