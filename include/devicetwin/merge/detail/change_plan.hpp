/// A change worked out before it is written: the same plan as for a merge patch, for the same
/// writer.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view
#include <type_traits>  // std::remove_reference_t

#include "../../base/stack.hpp"
#include "../../json/error.hpp"
#include "../../json/tree/builder.hpp"
#include "../../json/tree/events.hpp"
#include "../../json/tree/failure.hpp"
#include "../../json/value.hpp"
#include "../options.hpp"
#include "../tree/places.hpp"
#include "../tree/plan.hpp"
#include "change_form.hpp"
#include "change_result.hpp"
#include "change_walk.hpp"
#include "copies.hpp"
#include "memory_use.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

// The plan's functions, which change_source adds overloads to.
using core::copy_new;
using core::copy_plain_value;
using core::copy_to_block;
using core::copy_value;
using core::is_plain;
using core::row_bytes;
using core::text_of;
using core::way_of;

/// What merge_writer copies when it carries out a change: a name, a value, or what a change makes
/// of nothing.
struct change_source {
  const arena_value* at = nullptr;
  bool made = false;  ///< `at` is a form
};

inline std::string_view text_of(const change_source& name) noexcept { return text_of(*name.at); }

template <class Target, class Allocator>
bool copy_value(Target& to, const change_source& from, Allocator& allocator, json::core::nulls rule,
                const memory_source& memory) {
  if (!from.made) return copy_value(to, *from.at, allocator, rule, memory);
  json::core::tree_builder<Allocator> builder(allocator, memory);
  return !builder.build(to, [&](auto& handler) {
    result_sender<arena_value, std::remove_reference_t<decltype(handler)>> sender(
        handler, any_depth, memory);
    return sender.run(*from.at, nullptr);
  });
}

template <class Target, class Allocator>
bool copy_new(Target& to, const change_source& from, Allocator& allocator, json::core::nulls rule,
              const memory_source& memory) {
  return from.made ? copy_value(to, from, allocator, rule, memory)
                   : copy_new(to, *from.at, allocator, rule, memory);
}
template <class Target>
std::size_t row_bytes(const change_source& from) noexcept {
  return row_bytes<Target>(*from.at);
}
inline bool is_plain(const change_source& from) noexcept {
  return !from.made && is_plain(*from.at);
}
template <class Target>
void copy_plain_value(Target& to, const change_source& from) noexcept {
  copy_plain_value(to, *from.at);
}
template <class Target>
copy_way way_of(const change_source& from) noexcept {
  return from.made ? copy_way::made : way_of<Target>(*from.at);
}
template <class Target>
char* copy_to_block(void* to, const change_source& from, copy_way way, char* block) noexcept {
  return copy_to_block<Target>(to, *from.at, way, block);
}

template <class Target>
class change_plan : public json::core::steps_may_fail {
 public:
  using target_type = Target;
  using patch_type = change_source;
  using action = plan_action;
  struct named_source {
    change_source name;
    change_source value;
    const named_source* operator->() const noexcept { return this; }
  };
  struct entry {
    action what;
    copy_way name;   ///< for add
    copy_way value;  ///< for add and set
    size_type index;
    named_source member;
  };
  using entries_type = base::stack<entry, 16>;

  explicit change_plan(const options& o) noexcept
      : options_(o), entries_(o.memory), opened_(o.memory) {}

  /// Works out what the change of this form does to `target`. Changes neither.
  /// Errors: depth_exceeded, not_finite, out_of_memory, with the place. False when failure() says
  /// why not.
  [[nodiscard]] bool make(const Target& target, const arena_value& form) {
    using walk_type = change_walk<Target>;
    using step = typename walk_type::step;
    walk_type walk(form, &target, options_.memory);
    for (;;) {
      bool done = true;
      switch (walk.next()) {
        case step::end:
          return true;
        case step::failed:
          return fail(errc::out_of_memory, walk);
        case step::set:
          done = set(walk, {&value_of(walk.form()), false});
          break;
        case step::remove:
          done = walk.base() == nullptr || remove(walk);
          break;
        case step::open:
          if (walk.base() != nullptr && walk.base()->IsObject()) {
            done = descend(walk);
          } else {
            done = set(walk, {&walk.form(), true});
            walk.skip();
          }
          break;
        case step::close:
          done = leave();
          break;
      }
      if (!done) return false;
    }
  }

  bool whole() const noexcept { return whole_; }
  /// For whole(): what the target becomes.
  const change_source& whole_source() const noexcept { return whole_source_; }
  std::size_t changes() const noexcept { return changes_; }
  std::size_t depth() const noexcept { return depth_; }  ///< levels of objects that change
  const entries_type& entries() const noexcept { return entries_; }
  const planned_copies<Target>& copies() const noexcept { return copies_; }
  const memory_use<Target>& memory() const noexcept { return memory_; }
  json::core::nulls copy_rule() const noexcept { return json::core::nulls::emit; }

 private:
  struct opened_object {
    const Target* object;
    std::size_t entries;   ///< before its first
    size_type first_gone;  ///< of its members that go, or no_index
    size_type added;
  };

  template <class Walk>
  bool descend(const Walk& walk) {
    const std::size_t before = entries_.size();
    if (!walk.at_root() && !push(action::descend, walk.index(), named(walk))) return false;
    if (!opened_.push({walk.base(), before, no_index, 0})) return fail(errc::out_of_memory, walk);
    if (opened_.size() > depth_) depth_ = opened_.size();
    return true;
  }
  bool leave() {
    const opened_object top = opened_.back();
    opened_.pop();
    memory_.append(*top.object, top.added);
    if (!opened_.empty() && entries_.size() == top.entries + 1) {
      entries_.truncate(top.entries);
      return true;
    }
    return push(action::leave, top.first_gone, {});
  }

  template <class Walk>
  bool set(const Walk& walk, const change_source& value) {
    const Target* old = walk.base();
    bool same = false;
    if (old != nullptr && !value.made) {
      if (!good(compare(*old, *value.at, options_, walk.where(), same))) return false;
    }
    if (same && options_.changes == change_rule::by_value) return true;
    if (same && !walk.at_root()) {
      ++changes_;
      return push(action::keep, walk.index(), named(walk));
    }
    if (!measure(walk, value)) return false;
    ++changes_;
    if (old != nullptr && !memory_.free_value(*old, options_.memory))
      return fail(errc::out_of_memory, walk);
    if (walk.at_root()) {
      whole_ = true;
      whole_source_ = value;
      return true;
    }
    named_source member = named(walk);
    member.value = value;
    const std::size_t at = entries_.size();
    if (old != nullptr) {
      return push(action::set, walk.index(), member, copy_way::plain, copies_.add(value, at));
    }
    ++opened_.back().added;
    memory_.add_text(walk.name_value());
    const copy_way name = copies_.add(member.name, at);
    return push(action::add, no_index, member, name, copies_.add(value, at));
  }

  template <class Walk>
  bool remove(const Walk& walk) {
    const auto* members = members_begin(*walk.parent());
    ++changes_;
    if (walk.index() < opened_.back().first_gone) opened_.back().first_gone = walk.index();
    const size_type last = walk.may_repeat() ? walk.parent()->MemberCount() - 1 : walk.index();
    for (size_type i = walk.index(); i <= last; ++i) {  // a caller's value may repeat the name
      const bool first = i == walk.index();
      if (!first && text_of(members[i].name) != walk.name()) continue;
      if (!push(first ? action::remove : action::shadow, i, named(walk))) return false;
      if (!memory_.free_member(members[i], options_.memory)) return fail(errc::out_of_memory, walk);
    }
    return true;
  }

  template <class Walk>
  named_source named(const Walk& walk) const {
    return {{&walk.name_value(), false}, {}};
  }

  /// Checks a value that will be copied and counts its bytes.
  template <class Walk>
  bool measure(const Walk& walk, const change_source& value) {
    json::core::footprint_counter<Target> bytes;
    const std::size_t depth = walk.where().depth();
    if (value.made) {
      result_sender<arena_value, decltype(bytes), path_view> sender(
          bytes, options_.max_depth, options_.memory, path_view{&walk.where()}, depth);
      if (!good(sender.run(*value.at, nullptr))) return false;
    } else {
      json::core::walk_memory<arena_value> memory(options_.memory);
      if (!good(json::core::emit(*value.at, bytes, json::core::nulls::emit, options_.max_depth,
                                 memory, depth, walk.where())))
        return false;
    }
    memory_.add(bytes.bytes());
    return true;
  }

  bool push(action what, size_type index, const named_source& member,
            copy_way name = copy_way::plain, copy_way value = copy_way::plain) {
    return entries_.push({what, name, value, index, member}) ||
           steps_may_fail::fail(errc::out_of_memory);
  }
  template <class Walk>
  bool fail(errc code, const Walk& walk) {
    return steps_may_fail::fail(code, walk.where());
  }

  options options_;
  entries_type entries_;
  base::stack<opened_object, 8> opened_;
  change_source whole_source_;
  planned_copies<Target> copies_;
  memory_use<Target> memory_;
  std::size_t changes_ = 0;
  std::size_t depth_ = 0;
  bool whole_ = false;
};

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
