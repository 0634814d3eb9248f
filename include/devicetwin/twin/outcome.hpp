/// What a write to a twin did: versions, changes, and what is to be sent on.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <cstring>      // std::memcpy
#include <new>          // placement new
#include <string_view>  // std::string_view
#include <utility>      // std::swap

#include "../base/plain_array.hpp"
#include "../base/range.hpp"
#include "../base/text_buffer.hpp"
#include "../json/arena.hpp"
#include "../json/pointer.hpp"
#include "../json/write.hpp"
#include "../merge/merge_patch.hpp"
#include "detail/plan_walk.hpp"
#include "dialect.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

enum class change_kind : unsigned char { added, changed, removed };

/// One effective change of one property. A subtree that is new, gone or replaced as a whole is one
/// change; a value equal to what was there is none.
struct property_change {
  part where;
  change_kind kind;
  std::string_view pointer;            ///< JSON Pointer inside the part
  const json::arena_value* old_value;  ///< null for added
  const json::arena_value* new_value;  ///< null for removed
};

namespace detail {
struct outcome_access;
}

/// What one write of a twin did. A write returns one, or fills one of the caller's. An outcome that
/// is used for one write after the other soon needs no new memory. All that it hands out is valid
/// until its next write, whatever becomes of the twin. After an error it is empty. Movable, not
/// copyable.
class outcome {
 public:
  outcome() noexcept : outcome(memory_source{}) {}
  explicit outcome(const memory_source& memory) noexcept
      : memory_(memory),
        arena_(memory),
        changes_(memory),
        pointers_(memory),
        notification_(memory),
        event_(memory) {}
  outcome(outcome&& other) noexcept : outcome(other.memory_) { swap(other); }
  outcome& operator=(outcome&& other) noexcept {
    outcome(static_cast<outcome&&>(other)).swap(*this);
    return *this;
  }
  void swap(outcome& other) noexcept;

  /// Whether the write had an effect at all, and on which parts.
  bool effective() const noexcept { return wrote_[0] || wrote_[1] || wrote_[2]; }
  bool wrote(part p) const noexcept { return wrote_[static_cast<std::size_t>(p)]; }

  /// What the twin has afterwards: the versions of both sections, of the twin, and the etag.
  std::int64_t desired_version = 0;
  std::int64_t reported_version = 0;
  std::int64_t version = 0;
  std::string_view etag() const noexcept { return etag_; }

  /// The changes, parts in the order tags, desired, reported, members in the order of the patch.
  std::size_t size() const noexcept { return changes_.size(); }
  property_change operator[](std::size_t index) const noexcept {
    const record& r = changes_[index];
    return {
        r.where, r.kind, {pointers_.data() + r.pointer, r.pointer_size}, r.old_value, r.new_value};
  }
  /// For algorithms: the changes by index.
  using iterator = index_iterator<outcome, property_change>;
  iterator begin() const noexcept { return {this, 0}; }
  iterator end() const noexcept { return {this, size()}; }

  /// The body of the desired-properties notification for the device; empty when there is none to
  /// send.
  std::string_view notification() const noexcept { return notification_.view(); }
  /// The body of the change event for the back end; empty when nothing changed.
  std::string_view event() const noexcept { return event_.view(); }

  /// Empty again, as before the first write; the memory is kept.
  void clear() noexcept;

 private:
  friend struct detail::outcome_access;

  struct record {
    part where;
    change_kind kind;
    std::uint32_t pointer, pointer_size;
    const json::arena_value* old_value;
    const json::arena_value* new_value;
  };

  void note_versions(std::int64_t desired, std::int64_t reported, std::int64_t whole) noexcept {
    desired_version = desired;
    reported_version = reported;
    version = whole;
  }
  bool set_etag(std::string_view text) noexcept {
    if (text.empty()) return true;
    auto* copy = static_cast<char*>(arena_.Malloc(text.size()));
    if (copy == nullptr) return false;
    std::memcpy(copy, text.data(), text.size());
    etag_ = {copy, text.size()};
    return true;
  }

  /// Collects the changes of a plan that is not carried out yet.
  struct collector {
    outcome& out;
    part where;
    json::core::nulls rule;
    bool copy_new;  ///< values of the patch may hold nulls that are dropped
    std::size_t depth = 0;
    detail::per_level<const detail::value_member*> path;  ///< to where the plan is

    collector(outcome& o, part p, json::core::nulls r) noexcept
        : out(o), where(p), rule(r), copy_new(r != json::core::nulls::emit) {}
    bool enter(const json::arena_value&, json::size_type,
               const detail::value_member* member) noexcept {
      if (depth != 0) path[depth - 1] = member;
      ++depth;
      return true;
    }
    bool leave() noexcept {
      --depth;
      return true;
    }
    bool write(detail::merge_action action, const json::arena_value* old, json::size_type,
               const detail::value_member* member) {
      if (action == detail::merge_action::keep) return true;
      record r{where,
               change_kind::changed,
               static_cast<std::uint32_t>(out.pointers_.size()),
               0,
               nullptr,
               nullptr};
      if (action == detail::merge_action::add) r.kind = change_kind::added;
      if (action == detail::merge_action::remove) r.kind = change_kind::removed;
      if (old != nullptr && !out.keep(*old, json::core::nulls::emit, true, r.old_value))
        return false;
      if (r.kind != change_kind::removed && !out.keep(member->value, rule, copy_new, r.new_value))
        return false;
      path[depth - 1] = member;
      for (std::size_t i = 0; i < depth; ++i) {
        if (!out.append_step(json::core::text_of(path[i]->name))) return false;
      }
      r.pointer_size = static_cast<std::uint32_t>(out.pointers_.size() - r.pointer);
      if (!out.changes_.reserve(1)) return false;
      out.changes_.push(r);
      return true;
    }
  };

  /// Appends one step of a pointer, which seldom has anything to escape.
  bool append_step(std::string_view name) noexcept {
    if (json::core::is_common_name(name))
      return pointers_.append("/", 1) && pointers_.append(name.data(), name.size());
    return json::core::append_step(json::step::member(name), pointers_);
  }

  /// Keeps a value: as it stands when it will stay, or as a copy.
  bool keep(const json::arena_value& value, json::core::nulls rule, bool copy,
            const json::arena_value*& kept) {
    if (!copy) {
      kept = &value;
      return true;
    }
    void* room = arena_.Malloc(sizeof(json::arena_value));
    if (room == nullptr) return false;
    auto* made = new (room) json::arena_value();
    kept = made;
    if (!merge::core::is_plain(value))
      return merge::core::copy_new(*made, value, arena_, rule, memory_);
    merge::core::copy_plain_value(*made, value);
    return true;
  }

  static constexpr std::size_t smallest = 2048;
  memory_source memory_;
  json::arena arena_;  ///< the patch that was read, old and new values
  json::arena::mark start_;
  std::size_t kept_ = static_cast<std::size_t>(-1);
  base::plain_array<record> changes_;
  text_buffer pointers_;
  text_buffer notification_;
  text_buffer event_;
  bool wrote_[part_count] = {};
  std::string_view etag_;
};

// ---------------------------------------------------------------------------------------------

namespace detail {

/// The writing side of an outcome, for the writes of this library.
struct outcome_access {
  using collector = outcome::collector;
  static json::arena& arena(outcome& o) noexcept { return o.arena_; }
  static text_buffer& notification(outcome& o) noexcept { return o.notification_; }
  static text_buffer& event(outcome& o) noexcept { return o.event_; }
  static bool set_etag(outcome& o, std::string_view etag) noexcept { return o.set_etag(etag); }
  static void note_versions(outcome& o, std::int64_t desired, std::int64_t reported,
                            std::int64_t whole) noexcept {
    o.note_versions(desired, reported, whole);
  }
  static void note_write(outcome& o, part where, bool effective) noexcept {
    o.wrote_[static_cast<std::size_t>(where)] = effective;
  }
};

}  // namespace detail

inline void outcome::swap(outcome& other) noexcept {
  std::swap(desired_version, other.desired_version);
  std::swap(reported_version, other.reported_version);
  std::swap(version, other.version);
  std::swap(memory_, other.memory_);
  arena_.swap(other.arena_);
  std::swap(start_, other.start_);
  std::swap(kept_, other.kept_);
  changes_.swap(other.changes_);
  pointers_.swap(other.pointers_);
  notification_.swap(other.notification_);
  event_.swap(other.event_);
  std::swap(wrote_, other.wrote_);
  std::swap(etag_, other.etag_);
}

inline void outcome::clear() noexcept {
  wrote_[0] = wrote_[1] = wrote_[2] = false;
  desired_version = reported_version = version = 0;
  etag_ = {};
  changes_.truncate(0);
  pointers_.resize(0);
  notification_.resize(0);
  event_.resize(0);
  // One block that was large enough so far.
  const std::size_t held = arena_.capacity();
  if (held != kept_) {
    arena_.clear();
    kept_ = arena_.reserve(held < smallest ? smallest : held) ? arena_.capacity() : 0;
    start_ = arena_.position();
  }
  arena_.rewind(start_);
}

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
