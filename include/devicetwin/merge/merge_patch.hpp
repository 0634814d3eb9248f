/// Applying a JSON Merge Patch (RFC 7396) to a JSON value, in place.
#pragma once

#include <cstddef>      // std::size_t
#include <type_traits>  // std::enable_if_t, std::is_same_v

#include "../base/inline.hpp"
#include "../json/arena.hpp"
#include "../json/error.hpp"
#include "../json/pointer.hpp"
#include "../json/tree/builder.hpp"
#include "../json/tree/find_member.hpp"
#include "../json/tree/inside.hpp"
#include "../json/tree/scalar.hpp"
#include "../json/value.hpp"
#include "detail/copies.hpp"
#include "detail/plan_writer.hpp"
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
    return v.IsString() ? core::outside_bytes<Target>(v) : 0;
  }

  Target* old_ = nullptr;
  const Patch* new_ = nullptr;
  std::size_t depth_ = 0;
  bool same_ = false;
  const Patch* names_[most_levels];
};

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
    if (error e = json::core::document_access::make_room(target_, plan_.memory().needed(), left_))
      return e;
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
    json::core::document_access::settle(target_, plan_.memory().added(), plan_.memory().freed());
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
