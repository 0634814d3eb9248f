/// Several texts in one block of memory: each where there was room, what is not needed any more
/// closed up when there is none.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint32_t
#include <cstring>      // std::memcpy
#include <string_view>  // std::string_view

#include "../../base/memory.hpp"
#include "../../json/error.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// A text in a store; empty ones are nowhere.
struct region {
  std::uint32_t at = 0;
  std::uint32_t size = 0;
};

/// One block, a caller's or grown on a heap. Texts are written behind each other and never changed,
/// so that a state of before is come back to by forgetting what was written since. Working memory
/// is taken from the end of a caller's block; beside a heap, from the heap.
class text_store {
 public:
  static constexpr std::size_t most_regions = 16;  ///< in a list

  explicit text_store(const memory_source& heap) noexcept : heap_(heap) {}
  text_store(void* buffer, std::size_t bytes) noexcept
      : heap_(memory_source::none()), fixed_(true) {
    block_ = static_cast<char*>(buffer);
    capacity_ = block_ == nullptr ? 0 : bytes < longest ? bytes : longest;
    // The end is aligned, for working memory.
    const std::size_t odd = reinterpret_cast<std::uintptr_t>(block_ + capacity_) % unit;
    capacity_ = odd <= capacity_ ? capacity_ - odd : 0;
    floor_ = capacity_;
  }
  ~text_store() {
    if (!fixed_ && block_ != nullptr) heap_.release(heap_.context, block_);
  }
  text_store(const text_store&) = delete;
  text_store& operator=(const text_store&) = delete;

  std::string_view text(const region& r) const noexcept { return {block_ + r.at, r.size}; }
  char* at(std::size_t place) noexcept { return block_ + place; }
  bool is_fixed() const noexcept { return fixed_; }
  std::size_t capacity() const noexcept { return capacity_; }
  std::size_t top() const noexcept { return top_; }
  void set_top(std::size_t top) noexcept { top_ = static_cast<std::uint32_t>(top); }

  /// Memory for the engine while one text is made.
  memory_source working() noexcept {
    if (!fixed_) return heap_;
    return {[](void* context, std::size_t bytes) {
              return static_cast<text_store*>(context)->take(bytes);
            },
            [](void* context, void* block) { static_cast<text_store*>(context)->give_back(block); },
            this};
  }

  /// Room for so many bytes at the top, or a null pointer; what is missing is noted.
  char* room(std::size_t bytes) noexcept {
    if (bytes <= floor_ - top_) return block_ + top_;
    note_missing(bytes - (floor_ - top_));
    return nullptr;
  }
  void note_missing(std::size_t bytes) noexcept {
    if (bytes > missing_) missing_ = bytes;
  }

  /// After a request for memory failed: makes more of it by closing up what none of the regions of
  /// the two lists holds, or by growing. False when neither is possible. Views go.
  bool make_room(region* first, region* second, std::size_t count) noexcept {
    const std::size_t missing = missing_;
    const std::size_t before = top_;
    close_up(first, second, count);
    // On a heap it grows early: making room in the middle of an event costs more than what it is
    // for.
    const bool ample = fixed_ || (missing <= before - top_ && floor_ - top_ >= top_ + missing);
    if (top_ != before && ample) {
      missing_ = 0;
      return true;
    }
    if (fixed_ || missing > longest / 4) return false;
    if (missing == 0) return top_ != before;
    // By a share of what it has, not by what the last piece lacked: the text at hand, which is made
    // once more after this, does not count in top_.
    std::size_t capacity = 2 * (std::size_t{top_} + missing) + 512;
    if (capacity < capacity_ + capacity_ / 2 + missing)
      capacity = capacity_ + capacity_ / 2 + missing;
    if (capacity > longest) return false;
    auto* const grown = static_cast<char*>(heap_.allocate(heap_.context, capacity));
    if (grown == nullptr) return top_ != before && missing <= floor_ - top_;
    if (block_ != nullptr) {
      std::memcpy(grown, block_, top_);
      heap_.release(heap_.context, block_);
    }
    block_ = grown;
    floor_ = capacity_ = capacity;
    missing_ = 0;
    return true;
  }
  /// Closes up before there is a need, when little room is left and much of the block is held by
  /// nobody: a text that does not fit is made in vain.
  void tidy(region* list, std::size_t count) noexcept {
    std::size_t held = 0;
    for (std::size_t i = 0; i < count; ++i) held += list[i].size;
    if (floor_ - top_ < held + 512 && held < top_) close_up(list, nullptr, count);
  }
  /// The bytes that a caller's block would need to have, after a failure; 0 on a heap.
  std::size_t needed() const noexcept { return fixed_ ? capacity_ + missing_ + unit : 0; }
  void forget_missing() noexcept { missing_ = 0; }

 private:
  static constexpr std::size_t unit = 8;
  static constexpr std::size_t longest = 0x7FFFFFF0;
  struct header {
    std::uint32_t bytes;  ///< with this
    std::uint32_t given_back;
  };
  static_assert(sizeof(header) == unit);

  void* take(std::size_t bytes) noexcept {
    bytes = bytes < longest ? (bytes + unit - 1) / unit * unit + sizeof(header) : longest;
    if (bytes > floor_ - top_) {
      note_missing(bytes - (floor_ - top_));
      return nullptr;
    }
    floor_ -= bytes;
    const header h{static_cast<std::uint32_t>(bytes), 0};
    std::memcpy(block_ + floor_, &h, sizeof h);
    return block_ + floor_ + sizeof h;
  }
  void give_back(void* block) noexcept {
    char* at = static_cast<char*>(block) - sizeof(header);
    header h;
    std::memcpy(&h, at, sizeof h);
    h.given_back = 1;
    std::memcpy(at, &h, sizeof h);
    while (floor_ != capacity_) {  // blocks mostly come back in reverse order
      std::memcpy(&h, block_ + floor_, sizeof h);
      if (h.given_back == 0) break;
      floor_ += h.bytes;
    }
  }

  void close_up(region* first, region* second, std::size_t count) noexcept {
    region* held[2 * most_regions];  // in the order of their places; the lists share some
    std::size_t size = 0;
    for (region* list : {first, second}) {
      for (std::size_t i = 0; list != nullptr && i < count; ++i) {
        if (list[i].size == 0) continue;
        std::size_t at = size++;
        for (; at != 0 && held[at - 1]->at > list[i].at; --at) held[at] = held[at - 1];
        held[at] = list + i;
      }
    }
    std::uint32_t to = 0, moved = 0, from = static_cast<std::uint32_t>(-1);
    for (std::size_t i = 0; i < size; ++i) {
      if (held[i]->at != from) {
        from = held[i]->at;
        moved = to;
        if (from != to) std::memmove(block_ + to, block_ + from, held[i]->size);
        to += held[i]->size;
      }
      held[i]->at = moved;
    }
    top_ = to;
  }

  char* block_ = nullptr;
  std::size_t capacity_ = 0;
  std::size_t floor_ = 0;    ///< where working memory begins
  std::uint32_t top_ = 0;    ///< behind the last text
  std::size_t missing_ = 0;  ///< what the last request that failed lacked
  memory_source heap_;
  bool fixed_ = false;
};

/// One text on its way into a store.
class store_output {
 public:
  explicit store_output(text_store& store) noexcept : store_(store), start_(store.top()) {}
  bool append(const char* text, std::size_t length) noexcept {
    if (length == 0) return true;  // there may be no block yet
    char* const to = store_.room(length);
    if (to == nullptr) return false;
    std::memcpy(to, text, length);
    store_.set_top(store_.top() + length);
    return true;
  }
  std::size_t size() const noexcept { return store_.top() - start_; }
  void resize(std::size_t size) noexcept { store_.set_top(start_ + size); }
  /// What was written so far, from a place on.
  char* at(std::size_t place) noexcept { return store_.at(start_ + place); }
  /// The region of what was written so far from `from` on.
  region made(std::size_t from = 0) const noexcept {
    return {static_cast<std::uint32_t>(start_ + from), static_cast<std::uint32_t>(size() - from)};
  }

 private:
  text_store& store_;
  std::size_t start_;
};

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
