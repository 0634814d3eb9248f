/// Applying a JSON Merge Patch (RFC 7396) to a JSON value, in place.
#pragma once

#include <cstddef>      // std::size_t
#include <cstring>      // std::memcpy
#include <new>          // placement new, std::launder
#include <string_view>  // std::string_view
#include <type_traits>  // std::enable_if_t, std::is_same_v

#include "../json/arena.hpp"
#include "../json/detail/builder.hpp"
#include "../json/detail/inside.hpp"
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
///   if you like, only read. Neither may lie inside the other.
/// Effects (RFC 7396, section 2): if `patch` is an object, each of its members in turn: null removes that
///   name, an object is merged into the member of that name (made an empty object if it is none), anything else
///   replaces it, arrays as a whole. If `patch` is not an object, `target` becomes a copy of it. Members that
///   stay keep their order, new ones are appended in the patch's; a value equal to what is there is not written.
///   Nothing in `target` refers to `patch` afterwards. Of repeated names the first counts.
/// Journal: told of every effective change, see journal.hpp.
/// Errors: depth_exceeded, not_finite, out_of_memory, handler_stopped; the pointer is the place in the patch.
///   Then nothing has changed: everything is checked, measured and allocated before the first write. RapidJSON's
///   own allocators cannot be asked, and their exhaustion is as RapidJSON leaves it.
/// Cost: the patch, plus for each of its objects a scan of the target's object per name, some nanosecond a member; many
///   names for many members cost one pass when they stand in the same order, n log n at worst. References into `target` are invalid afterwards.
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

/// A patch that is not a value: a mistake, explained.
template <class Target, class Patch, class... Rest>
std::enable_if_t<!json::detail::is_value<Patch>, json::error> apply_merge_patch(Target&, const Patch&,
                                                                                Rest&&...) {
  static_assert(json::detail::mistaken<Patch>,
                "merge::apply_merge_patch: the patch is a RapidJSON value (of a json::document, its root()); "
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

/// True when a copy of this value takes no memory and is the same bytes.
template <class Value>
bool is_plain(const Value& v) noexcept {
  using parts = json::detail::inside<Value>;
  const unsigned flags = parts::flags(v);
  return (flags & parts::string_flag) != 0 ? (flags & parts::inline_flag) != 0 : !json::detail::is_container(v);
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

template <class Target, class Patch, class Allocator, class Journal>
class merge_writer {
 public:
  using plan_type = merge_plan<Target, Patch>;
  merge_writer(const plan_type& plan, const options& o, Allocator& allocator, Journal& journal)
      : plan_(plan), options_(o), allocator_(allocator), journal_(journal), values_(o.memory), open_(o.memory), steps_(o.memory) {}

  /// Allocates everything that write() needs. The target is not touched.
  bool prepare(const Patch& patch) {
    if (!json::detail::promise(allocator_, plan_.needed(), 0)) return false;
    if (plan_.whole()) return prepare_value(patch);
    for (std::size_t i = 0; i < plan_.entries().size(); ++i) {
      const auto& entry = plan_.entries()[i];
      if (entry.what == plan_type::action::add && !prepare_value(entry.member->name)) return false;
      if (entry.what != plan_type::action::add && entry.what != plan_type::action::set) continue;
      if (!prepare_value(entry.member->value)) return false;
    }
    return open_.reserve(plan_.depth()) && (!told || steps_.reserve(plan_.depth()));
  }

  /// Makes the change. Cannot fail.
  void write(Target& target, const Patch& patch) {
    if (plan_.whole()) {
      Target fresh;
      take(fresh, patch);
      target.Swap(fresh);
      journal_(json::location(), &fresh, const_cast<const Target*>(&target));
      return;
    }
    using action = typename plan_type::action;
    enter(target);
    for (std::size_t i = 0; i < plan_.entries().size(); ++i) {
      const auto& entry = plan_.entries()[i];
      while (open_.size() > entry.level + std::size_t{1}) leave();
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
        case action::descend: enter(member.value); break;
        case action::set: {
          Target value;
          take(value, entry.member->value);
          member.value.Swap(value);
          tell(&value, &member.value);
          break;
        }
        case action::remove: tell(&member.value, nullptr); [[fallthrough]];
        case action::shadow:
          member.name.SetNull();
          member.value.SetNull();
          top.sweep = true;
          break;
        case action::add: break;
      }
    }
    while (!open_.empty()) leave();
  }

 private:
  struct object {
    Target* self;
    bool sweep;  ///< members are to be taken out
  };

  static constexpr bool told = !std::is_same_v<std::remove_const_t<Journal>, no_journal>;

  // Values and names that take no memory are copied when their turn comes; the others are prepared, in order.
  bool prepare_value(const Patch& from) {
    if (is_plain(from)) return true;
    Target* to = values_.add();
    if (to == nullptr) return false;
    return from.IsString() ? copy_text(*to, from, allocator_)
                           : copy_value(*to, from, allocator_, plan_.copy_rule(), options_.memory);
  }
  void take(Target& to, const Patch& from) noexcept {
    static_assert(sizeof to == sizeof from, "values differ by their allocator only");
    if (is_plain(from)) {
      std::memcpy(static_cast<void*>(&to), static_cast<const void*>(&from), sizeof to);
    } else {
      to.Swap(values_[next_value_++]);
    }
  }
  void enter(Target& self) {  // room was made by prepare()
    static_cast<void>(open_.emplace(&self, false));
    if constexpr (told) static_cast<void>(steps_.push({}));
  }
  void leave() {
    if (open_.back().sweep) sweep(*open_.back().self);
    open_.pop();
    if constexpr (told) steps_.pop();
  }
  void tell([[maybe_unused]] const Target* old_value, [[maybe_unused]] const Target* new_value) {
    if constexpr (told) journal_(json::location(steps_.data(), steps_.size()), old_value, new_value);
  }

  const plan_type& plan_;
  const options& options_;
  Allocator& allocator_;
  Journal& journal_;
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

/// The second half of every apply: allocate, ask the journal, write.
template <class Target, class Patch, class Allocator, class Journal>
json::error carry_out(const merge_plan<Target, Patch>& plan, Target& target, const Patch& patch,
                      Allocator& allocator, const options& o, Journal& journal) {
  if (plan.changes() == 0) return {};
  const auto mark = position(allocator);
  merge_writer<Target, Patch, Allocator, Journal> writer(plan, o, allocator, journal);
  errc failure = errc::ok;
  if (!writer.prepare(patch)) {
    failure = errc::out_of_memory;
  } else if (!reserve_journal(journal, plan.changes(), 0)) {
    failure = errc::handler_stopped;
  } else {
    writer.write(target, patch);
    return {};
  }
  give_back(allocator, mark);
  return failure;
}

}  // namespace detail

template <class TargetAllocator, class PatchAllocator, class Journal>
json::error apply_merge_patch(json::basic_value<TargetAllocator>& target,
                              const json::basic_value<PatchAllocator>& patch, TargetAllocator& allocator,
                              const options& options, Journal&& journal) {
  detail::merge_plan<json::basic_value<TargetAllocator>, json::basic_value<PatchAllocator>> plan(options);
  if (!plan.make(target, patch)) return plan.failure();
  return detail::carry_out(plan, target, patch, allocator, options, journal);
}

template <class PatchAllocator, class Journal>
json::error apply_merge_patch(json::document& target, const json::basic_value<PatchAllocator>& patch,
                              const options& options, Journal&& journal) {
  using access = json::document_access;
  detail::merge_plan<json::arena_value, json::basic_value<PatchAllocator>> plan(options);
  if (!plan.make(target.root(), patch)) return plan.failure();
  if (plan.changes() == 0) return {};
  // From here on the plan holds when the tree moves: it names members by their index.
  if (json::error e = access::make_room(target, plan.needed())) return e;
  if (json::error e = detail::carry_out(plan, access::root(target), patch, access::memory(target), options,
                                        journal)) {
    return e;
  }
  access::settle(target, plan.added(), plan.freed());
  return {};
}

}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
