/// What a section keeps beside its values and its version: who wrote what when.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <new>          // placement new
#include <string_view>  // std::string_view
#include <utility>      // std::swap

#include "../../base/text_buffer.hpp"
#include "../../json/arena.hpp"
#include "../../json/error.hpp"
#include "../../json/write.hpp"
#include "../../merge/diff.hpp"
#include "../../merge/merge_patch.hpp"
#include "../stamp.hpp"
#include "history.hpp"
#include "loaded_metadata.hpp"
#include "plan_walk.hpp"
#include "shadow.hpp"
#include "shadow_load.hpp"
#include "shadow_metadata.hpp"
#include "shadow_write.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// What a section keeps beside its values: stamps of every property, and tombstones of removed
/// ones.
class stamped {
 public:
  static constexpr bool keeps_stamps = true;

  explicit stamped(const memory_source& memory = {}) noexcept : shadow_(memory), history_(memory) {}
  ~stamped() { drop_unusual(); }
  stamped(const stamped&) = delete;
  stamped& operator=(const stamped&) = delete;
  void swap(stamped& other) noexcept {
    shadow_.swap(other.shadow_);
    history_.swap(other.history_);
    std::swap(unusual_, other.unusual_);
    std::swap(doubted_, other.doubted_);
  }

  const stamp_shadow& shadow() const noexcept { return shadow_; }
  stamp_shadow& shadow() noexcept { return shadow_; }
  section_history& history() noexcept { return history_; }
  const section_history& history() const noexcept { return history_; }
  /// Whether stamps, versions or history contradict each other as they were loaded. Then it is not
  /// known what changed since any version, up to the next write.
  bool is_doubted() const noexcept { return doubted_; }
  /// Forgets everything up to the section's present version, and doubts it.
  void doubt(std::int64_t version) noexcept {
    history_.start(version);
    doubted_ = true;
  }
  void set_doubted(bool doubted) noexcept { doubted_ = doubted; }
  /// What a loaded `$metadata` had beyond stamps, as a patch of what the stamps print; a null
  /// pointer for nothing.
  const json::arena_value* unusual() const noexcept {
    return unusual_ == nullptr ? nullptr : &unusual_->root();
  }
  /// Takes such a patch over, an object. False when memory ran out.
  [[nodiscard]] bool set_unusual(json::document& patch) noexcept {
    drop_unusual();
    const memory_source& memory = shadow_.memory();
    void* room = memory.allocate(memory.context, sizeof(json::document));
    if (room == nullptr) return false;
    unusual_ = new (room) json::document(memory);
    unusual_->swap(patch);
    return true;
  }
  std::size_t memory_in_bytes() const noexcept {
    return shadow_.memory_in_bytes() + history_.memory_in_bytes() +
           (unusual_ == nullptr ? 0 : sizeof *unusual_ + unusual_->capacity_in_bytes());
  }

  /// What a write takes and removes: a visitor of walk_plan() before prepare().
  class survey {
   public:
    survey(const stamped& target, const memory_source& working) noexcept
        : text_(working),
          writer_(text_),
          memory_(working),
          names_(writer_, memory_),
          words_(target.shadow_) {}
    bool enter(const json::arena_value& object, json::size_type index,
               const value_member* member) noexcept {
      return names_.enter(object, index, member) && words_.enter(object, index, member);
    }
    bool write(merge_action action, const json::arena_value* old, json::size_type index,
               const value_member* member) {
      return names_.write(action, old, index, member) && words_.write(action, old, index, member);
    }
    bool leave() { return names_.leave() && words_.leave(); }

   private:
    friend class stamped;
    text_buffer text_;
    json::text_writer writer_;
    json::core::own_walk_memory<json::arena_value> memory_;
    removed_names<json::text_writer> names_;
    stamp_words words_;
  };
  /// All that commit() needs; the plan is not carried out yet.
  [[nodiscard]] bool prepare(const survey& found) {
    return history_.prepare(found.text_.view()) && shadow_.prepare(found.words_.words());
  }
  void commit(const merge_plan& plan, const json::arena_value& values, const stamp& s,
              const survey& found) noexcept;
  /// Everything carries one stamp from now on. Was prepared.
  void restamp(const stamp& s) noexcept {
    shadow_.reset(s);
    drop_unusual();
    doubted_ = false;
  }

  /// Nothing is known but that all this was so at `version`.
  void start(std::int64_t version) noexcept { history_.start(version); }
  [[nodiscard]] bool reset(const stamp& s) noexcept {
    if (!shadow_.prepare_reset()) return false;
    restamp(s);
    return true;
  }
  /// Takes `$metadata` as it is written in a twin whose section has this version, and the versions
  /// that it does not show, if they are known.
  json::error load(const json::arena_value& values, const json::arena_value& metadata,
                   const json::arena_value* versions, bool with_versions, std::int64_t version,
                   const memory_source& working);
  /// The versions in this `$metadata`, which was loaded, are not believed. It is still written as
  /// it was.
  json::error forget_versions(const json::arena_value& values, const json::arena_value& metadata,
                              bool with_versions, const memory_source& working) {
    return take_stamps(values, metadata, metadata, with_versions, 0, working);
  }
  json::error assign(const stamped& other) {
    if (!shadow_.assign(other.shadow_) || !history_.assign(other.history_))
      return json::errc::out_of_memory;
    drop_unusual();
    doubted_ = other.doubted_;
    if (other.unusual_ == nullptr) return {};
    json::document copy(shadow_.memory());
    if (json::error e = copy.assign(other.unusual_->root(), whole_twin_depth)) return e;
    return set_unusual(copy) ? json::errc::ok : json::errc::out_of_memory;
  }

  /// Sends `$metadata` as events. Errors: out_of_memory, and what the handler says.
  template <class Handler>
  json::error emit(const json::arena_value& values, bool with_versions, Handler& handler,
                   const memory_source& working) const;

 private:
  static stamp_fields fields(bool with_versions) noexcept {
    return with_versions ? stamp_fields::both : stamp_fields::time;
  }
  /// How the difference of a loaded `$metadata` is made and applied: to the letter.
  static merge::options unusual_rules(const memory_source& working) noexcept {
    merge::options o;
    o.nulls = merge::null_rule::keep;
    o.numbers = merge::number_equality::by_value_and_type;
    o.max_depth = whole_twin_depth;
    o.memory = working;
    return o;
  }

  /// Takes the stamps of `complete`, and what it takes for them to be written as `metadata`.
  json::error take_stamps(const json::arena_value& values, const json::arena_value& complete,
                          const json::arena_value& metadata, bool with_versions,
                          std::int64_t newest, const memory_source& working);

  stamp_shadow shadow_;
  void drop_unusual() noexcept {
    if (unusual_ == nullptr) return;
    unusual_->~document();
    shadow_.memory().release(shadow_.memory().context, unusual_);
    unusual_ = nullptr;
  }

  section_history history_;
  bool doubted_ = false;
  /// Seldom needed, so not a member; in the memory of the shadow.
  json::document* unusual_ = nullptr;
};

/// For tags, which have no stamps: a section keeps values only, and nothing is spent on stamps.
class unstamped {
 public:
  static constexpr bool keeps_stamps = false;

  explicit unstamped(const memory_source& = {}) noexcept {}
  void swap(unstamped&) noexcept {}
  std::size_t memory_in_bytes() const noexcept { return 0; }
  struct survey {
    survey(const unstamped&, const memory_source&) noexcept {}
    bool enter(const json::arena_value&, json::size_type, const value_member*) noexcept {
      return true;
    }
    bool write(merge_action, const json::arena_value*, json::size_type,
               const value_member*) noexcept {
      return true;
    }
    bool leave() noexcept { return true; }
  };
  [[nodiscard]] bool prepare(const survey&) { return true; }
  void commit(const merge_plan&, const json::arena_value&, const stamp&, const survey&) noexcept {}
  void restamp(const stamp&) noexcept {}
  void start(std::int64_t) noexcept {}
  [[nodiscard]] bool reset(const stamp&) noexcept { return true; }
  json::error load(const json::arena_value&, const json::arena_value&, const json::arena_value*,
                   bool, std::int64_t, const memory_source&) {
    return {};
  }
  json::error assign(const unstamped&) { return {}; }
};

// ---------------------------------------------------------------------------------------------

/// Takes what a plan writes out of a loaded `$metadata`'s peculiarities: the stamps of what is
/// written and of the objects around it are the twin's own from now on.
class unusual_pruner {
 public:
  explicit unusual_pruner(json::arena_value& root) noexcept : root_(root) {}
  bool enter(const json::arena_value&, json::size_type, const value_member* member) noexcept {
    json::arena_value* at = depth_ == 0 ? &root_ : nullptr;
    if (depth_ != 0 && objects_[depth_ - 1] != nullptr) {
      json::arena_value& around = *objects_[depth_ - 1];
      const json::size_type index = find(around, *member);
      if (index != json::core::no_index) at = &json::core::members_begin(around)[index].value;
      if (at != nullptr && !at->IsObject()) {  // no metadata at all: now there is some
        erase(around, index);
        at = nullptr;
      }
    }
    for (json::size_type i = at == nullptr ? 0 : at->MemberCount(); i-- > 0;) {
      const std::string_view name = json::core::text_of(json::core::members_begin(*at)[i].name);
      if (!name.empty() && name.front() == '$') erase(*at, i);
    }
    objects_[depth_++] = at;
    return true;
  }
  bool leave() noexcept {
    --depth_;
    return true;
  }
  bool write(merge_action, const json::arena_value*, json::size_type,
             const value_member* member) noexcept {
    json::arena_value* object = objects_[depth_ - 1];
    if (object == nullptr) return true;
    const json::size_type index = find(*object, *member);
    if (index != json::core::no_index) erase(*object, index);
    return true;
  }

 private:
  static json::size_type find(const json::arena_value& object,
                              const value_member& member) noexcept {
    return json::core::member_index<json::arena_value>(json::core::members_begin(object),
                                                       object.MemberCount(), member.name);
  }
  static void erase(json::arena_value& object, json::size_type index) {
    object.EraseMember(object.MemberBegin() + static_cast<std::ptrdiff_t>(index));
  }
  json::arena_value& root_;
  per_level<json::arena_value*> objects_ = {};
  std::size_t depth_ = 0;
};

inline void stamped::commit(const merge_plan& plan, const json::arena_value& values, const stamp& s,
                            const survey& found) noexcept {
  if (found.text_.size() != 0) history_.append(s.version, found.text_.view());
  stamp_writer writer(shadow_, s);
  static_cast<void>(walk_plan(plan, values, writer));
  if (unusual_ != nullptr) {
    unusual_pruner pruner(json::core::document_access::root(*unusual_));
    static_cast<void>(walk_plan(plan, values, pruner));
    if (unusual_->root().MemberCount() == 0) drop_unusual();
  }
  if (doubted_) {
    history_.start(s.version);
    doubted_ = names_version_above(unusual(), s.version);
  }
}

inline json::error stamped::load(const json::arena_value& values, const json::arena_value& metadata,
                                 const json::arena_value* versions, bool with_versions,
                                 std::int64_t version, const memory_source& working) {
  json::document complete(working);
  if (versions != nullptr) {
    merge::options o;
    o.max_depth = whole_twin_depth;
    o.memory = working;
    if (json::error e = complete.assign(metadata, whole_twin_depth)) return e;
    if (json::error e = merge::apply_merge_patch(complete, *versions, o)) return e;
  }
  if (json::error e = take_stamps(values, versions != nullptr ? complete.root() : metadata,
                                  metadata, with_versions, version, working))
    return e;
  if (names_version_above(unusual(), version)) doubt(version);
  return {};
}

inline json::error stamped::take_stamps(const json::arena_value& values,
                                        const json::arena_value& complete,
                                        const json::arena_value& metadata, bool with_versions,
                                        std::int64_t newest, const memory_source& working) {
  if (!stamp_loader(shadow_, newest, working).load(values, complete))
    return json::errc::out_of_memory;
  // What the stamps do not print the way it was written is kept as a difference.
  json::document printed(working);
  if (json::error e = json::core::document_access::rebuild(printed, 0, [&](auto& handler) {
        return emit_metadata(values, shadow_, fields(with_versions), handler);
      })) {
    return e;
  }
  json::document difference(shadow_.memory());
  if (json::error e = merge::diff(printed.root(), metadata, difference, unusual_rules(working)))
    return e;
  // An empty difference is kept only where it alone tells that there is metadata.
  if (difference.root().MemberCount() == 0 && shadow_.root() != 0) {
    drop_unusual();
    return {};
  }
  return set_unusual(difference) ? json::errc::ok : json::errc::out_of_memory;
}

template <class Handler>
json::error stamped::emit(const json::arena_value& values, bool with_versions, Handler& handler,
                          const memory_source& working) const {
  if (unusual_ == nullptr) return emit_metadata(values, shadow_, fields(with_versions), handler);
  json::document printed(working);
  if (json::error e = json::core::document_access::rebuild(printed, 0, [&](auto& h) {
        return emit_metadata(values, shadow_, fields(with_versions), h);
      })) {
    return e;
  }
  if (json::error e = merge::apply_merge_patch(printed, unusual_->root(), unusual_rules(working)))
    return e;
  own_members_first(json::core::document_access::root(printed));
  json::core::own_walk_memory<json::arena_value> memory(working);
  return json::core::emit(printed.root(), handler, json::core::nulls::emit,
                          static_cast<std::size_t>(-1), memory);
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
