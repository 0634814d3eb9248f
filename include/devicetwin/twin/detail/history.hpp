/// What was removed from a section, and when: tombstones, the oldest of which go when their room is
/// used up.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view

#include "../../base/plain_array.hpp"
#include "../../json/tree/events.hpp"
#include "../../json/tree/handlers.hpp"
#include "../../json/write.hpp"
#include "plan_walk.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// One record for each write that removed something: a JSON object of the names that went, with the
/// names inside what went, and null for anything that is no object. {"a":{"b":null}} may mean that
/// `b` went from `a` or that `a` went with its `b`: whether `a` is there now tells.
class section_history {
 public:
  static constexpr std::size_t default_budget = 1024;

  explicit section_history(const memory_source& memory = {}) noexcept
      : text_(memory), records_(memory) {}
  void swap(section_history& other) noexcept {
    text_.swap(other.text_);
    records_.swap(other.records_);
    std::swap(known_since_, other.known_since_);
    std::swap(budget_, other.budget_);
  }

  /// Every removal after this version is recorded here.
  std::int64_t known_since() const noexcept { return known_since_; }
  std::size_t budget() const noexcept { return budget_; }
  std::size_t size() const noexcept { return records_.size(); }
  struct record {
    std::int64_t version;
    std::string_view names;
  };
  record operator[](std::size_t index) const noexcept {
    const entry& e = records_[index];
    return {e.version, {text_.data() + e.offset, e.length}};
  }
  std::size_t memory_in_bytes() const noexcept {
    return text_.capacity() + records_.capacity() * sizeof(entry);
  }

  /// Starts anew: nothing before `version` is known.
  void start(std::int64_t version) noexcept {
    text_.truncate(0);
    records_.truncate(0);
    known_since_ = version;
  }
  void set_budget(std::size_t bytes) noexcept {
    budget_ = bytes;
    keep_to_budget();
  }
  /// Forgets the removals up to this version, which the section has had.
  void forget_before(std::int64_t version) noexcept {
    std::size_t count = 0;
    while (count < records_.size() && records_[count].version <= version) ++count;
    drop_oldest(count);
    if (known_since_ < version) known_since_ = version;
  }

  /// Room for a record; one that is larger than the budget needs none. Never for more than the
  /// budget: the oldest records go before the new one comes.
  [[nodiscard]] bool prepare(std::string_view names) noexcept {
    return cost(names.size()) > budget_ ||
           (room_in(text_, names.size(), budget_) && room_in(records_, 1, budget_ / sizeof(entry)));
  }
  /// Notes the names that a write to `version` removed. Was prepared. Cost: at most a pass over the
  /// budget.
  void append(std::int64_t version, std::string_view names) noexcept {
    if (cost(names.size()) > budget_) {
      start(version);
      return;
    }
    // The same names again: the younger record says all that the older one did. Only the youngest
    // are looked at, which are all that the default budget holds: else n removals would cost n * n.
    for (std::size_t i = records_.size(), end = i > 64 ? i - 64 : 0; i-- > end;) {
      if ((*this)[i].names == names) {
        drop(i);
        break;
      }
    }
    keep_to_budget(cost(names.size()));
    restore(version, names);
  }
  /// Takes a record as it was written, behind those that are there. Was prepared, and is within the
  /// budget.
  void restore(std::int64_t version, std::string_view names) noexcept {
    records_.push({version, static_cast<std::uint32_t>(text_.size()),
                   static_cast<std::uint32_t>(names.size())});
    text_.append(names.data(), names.size());
  }

  [[nodiscard]] bool assign(const section_history& other) {
    section_history copy(text_.memory());
    if (!copy.text_.reserve_exactly(other.text_.size()) ||
        !copy.records_.reserve_exactly(other.records_.size()))
      return false;
    copy.text_.append(other.text_.data(), other.text_.size());
    copy.records_.append(other.records_.data(), other.records_.size());
    copy.known_since_ = other.known_since_;
    copy.budget_ = other.budget_;
    swap(copy);
    return true;
  }

 private:
  struct entry {
    std::int64_t version;
    std::uint32_t offset;
    std::uint32_t length;
  };
  static constexpr std::size_t cost(std::size_t names) noexcept { return names + sizeof(entry); }

  void drop(std::size_t index) noexcept {
    const entry gone = records_[index];
    text_.erase(gone.offset, gone.length);
    records_.erase(index, 1);
    for (std::size_t i = index; i < records_.size(); ++i) records_[i].offset -= gone.length;
  }
  void drop_oldest(std::size_t count) noexcept {
    if (count == 0) return;
    const std::uint32_t bytes = records_[count - 1].offset + records_[count - 1].length;
    text_.erase(0, bytes);
    records_.erase(0, count);
    for (std::size_t i = 0; i < records_.size(); ++i) records_[i].offset -= bytes;
  }
  /// Room for `added` elements, growing by a quarter but not beyond `most`; what is in the way then
  /// will go.
  template <class T>
  static bool room_in(base::plain_array<T>& array, std::size_t added, std::size_t most) noexcept {
    const std::size_t wanted = array.size() + added;
    if (wanted <= array.capacity() || array.capacity() >= most) return true;
    return array.reserve_exactly(wanted + wanted / 4 < most ? wanted + wanted / 4 : most);
  }
  /// The oldest records go until `more` bytes fit.
  void keep_to_budget(std::size_t more = 0) noexcept {
    std::size_t needed = text_.size() + records_.size() * sizeof(entry) + more;
    std::size_t count = 0;
    for (; needed > budget_; ++count) needed -= cost(records_[count].length);
    if (count != 0) known_since_ = records_[count - 1].version;
    drop_oldest(count);
  }

  base::plain_array<char> text_;
  base::plain_array<entry> records_;  ///< in the order of versions
  std::int64_t known_since_ = 0;
  std::size_t budget_ = default_budget;
};

/// Writes the names that a plan removes as one record. Objects on the way are opened only when
/// something inside goes.
template <class Writer>
class removed_names {
 public:
  removed_names(Writer& out, json::core::own_walk_memory<json::arena_value>& memory) noexcept
      : out_(out), memory_(memory) {}
  /// Whether anything was written; then the record is complete.
  bool any() const noexcept { return any_; }

  bool enter(const arena_value&, size_type, const value_member* member) noexcept {
    pending_[depth_++] = member;
    return true;
  }
  bool leave() {
    --depth_;
    if (open_ <= depth_) return true;
    open_ = depth_;
    return out_.EndObject(0);
  }
  bool write(merge_action action, const arena_value* old, size_type, const value_member* member) {
    const bool gone =
        action == merge_action::remove || (action == merge_action::set && old->IsObject());
    if (!gone) return true;
    for (; open_ < depth_; ++open_) {
      if (open_ != 0 && !key(*pending_[open_])) return false;
      if (!out_.StartObject()) return false;
    }
    any_ = true;
    return key(*member) && names(*old);
  }

 private:
  bool key(const value_member& member) {
    const std::string_view name = json::core::text_of(member.name);
    return out_.Key(name.data(), static_cast<size_type>(name.size()), true);
  }
  /// The names inside a value: objects only, everything else is null.
  bool names(const arena_value& value) {
    if (!value.IsObject()) return out_.Null();
    name_sender sender(out_);
    return !json::core::emit(value, sender, json::core::nulls::emit, static_cast<std::size_t>(-1),
                             memory_);
  }
  struct name_sender : json::core::scalar_events<name_sender> {
    explicit name_sender(Writer& o) noexcept : out(o) {}
    Writer& out;
    std::size_t arrays = 0;
    bool scalar() { return arrays != 0 || out.Null(); }
    bool Key(const char* text, size_type length, bool copy) {
      return arrays != 0 || out.Key(text, length, copy);
    }
    bool StartObject() { return arrays != 0 || out.StartObject(); }
    bool EndObject(size_type n) { return arrays != 0 || out.EndObject(n); }
    bool StartArray() { return arrays++ != 0 || out.Null(); }
    bool EndArray(size_type) {
      --arrays;
      return true;
    }
  };

  Writer& out_;
  json::core::own_walk_memory<json::arena_value>& memory_;
  per_level<const value_member*> pending_;
  std::size_t depth_ = 0;
  std::size_t open_ = 0;  ///< objects begun in the output
  bool any_ = false;
};

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
