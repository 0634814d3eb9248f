/// What the caller of a device session has to do or to know, in order, until it was read.
#pragma once

#include <cstdint>  // std::uint32_t, std::int32_t

#include "../../version.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

enum class due_action : unsigned char {
  subscribe_to_answers,
  subscribe_to_changes,
  get_twin,
  patch_reported,
  arrived,
  changed,
  refused,
  failed
};

/// Actions under positions that count on from event to event. An event drops the actions that were
/// read, so those that were not are still due. Each kind is there once at most, but for refused and
/// failed.
///
/// A plain value: a session copies it to come back to it.
class action_queue {
 public:
  /// Of refused and failed together. The others always fit.
  static constexpr unsigned most_refusals = 4;

  unsigned size() const noexcept { return size_; }
  std::uint32_t first() const noexcept { return first_; }
  bool has(std::uint32_t position) const noexcept { return position - first_ < size_; }
  due_action operator[](std::uint32_t position) const noexcept { return due_[position - first_]; }
  /// The position after this one. After an event it is that of the first action that was not read.
  std::uint32_t after(std::uint32_t position) const noexcept {
    return static_cast<std::int32_t>(position - first_) < 0 ? first_ + read_ : position + 1;
  }
  bool contains(due_action what) const noexcept { return find(what) != size_; }
  /// How many refused and failed there are before a position.
  unsigned refusals_before(std::uint32_t position) const noexcept {
    unsigned count = 0;
    for (std::uint32_t p = first_; p != position; ++p) count += is_refusal((*this)[p]) ? 1u : 0u;
    return count;
  }
  unsigned refusals() const noexcept { return refusals_before(first_ + size_); }
  static bool is_refusal(due_action what) noexcept {
    return what == due_action::refused || what == due_action::failed;
  }

  /// This action and all before it were read.
  void read(std::uint32_t position) noexcept {
    if (position - first_ >= read_) read_ = static_cast<unsigned char>(position - first_ + 1);
  }
  /// Drops the first action if it was read, and returns in `dropped` which one it was.
  bool drop_read(due_action& dropped) noexcept {
    if (read_ == 0) return false;
    dropped = due_[0];
    erase(0);
    ++first_;
    --read_;
    return true;
  }
  /// Appends an action; one that is there already moves to the end. Refused and failed need
  /// refusals() < most_refusals.
  void add(due_action what) noexcept {
    if (!is_refusal(what)) remove(what);
    due_[size_++] = what;
  }
  void remove(due_action what) noexcept {
    const unsigned at = find(what);
    if (at != size_) erase(at);
  }
  void clear() noexcept {
    first_ += size_;
    size_ = read_ = 0;
  }

 private:
  static constexpr unsigned capacity = 6 + most_refusals;

  unsigned find(due_action what) const noexcept {
    unsigned at = 0;
    while (at < size_ && due_[at] != what) ++at;
    return at;
  }
  void erase(unsigned at) noexcept {
    for (--size_; at < size_; ++at) due_[at] = due_[at + 1];
  }

  std::uint32_t first_ = 0;
  unsigned char size_ = 0;
  unsigned char read_ = 0;  ///< of them, from the first on
  due_action due_[capacity] = {};
};

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
