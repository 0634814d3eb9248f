/// Memory for documents that live long: an arena, and a document that stays compact in one.
///
/// RapidJSON's pool allocator never gives anything back, so a tree that is patched for weeks grows
/// for weeks; and RapidJSON does not look whether an allocation failed. Here both are settled: room
/// is reserved before anything is written, and a document is copied into a fresh block now and
/// then.
#pragma once

#include <cstddef>  // std::size_t
#include <cstdint>  // std::uintptr_t
#include <cstring>  // std::memcpy
#include <new>      // placement new
#include <utility>  // std::swap

#include "../base/memory.hpp"
#include "error.hpp"
#include "tree/builder.hpp"
#include "tree/events.hpp"
#include "value.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {

/// An allocator for RapidJSON values that hands out memory front to back and frees it all at once.
///
/// Growing (from a memory_source, block by block) or on a caller's buffer, which must outlive it.
/// Sizes are in bytes, rounded up to 8. Used with RapidJSON's own calls it behaves like RapidJSON's
/// pool: Malloc gives a null pointer when memory runs out, and RapidJSON does not check. Through
/// this library, which asks reserve() first, running out is an error and nothing else. Movable, not
/// copyable. Not for several threads at once.
class arena {
 public:
  static const bool kNeedFree = false;  ///< for RapidJSON: values need no destruction

  arena() noexcept : arena(memory_source{}) {}
  explicit arena(const memory_source& memory) noexcept : memory_(memory) {}
  /// On the caller's `buffer` of `bytes`, and never more than that.
  arena(void* buffer, std::size_t bytes) noexcept;
  arena(arena&& other) noexcept { swap(other); }
  arena& operator=(arena&& other) noexcept {
    arena(static_cast<arena&&>(other)).swap(*this);
    return *this;
  }
  ~arena() { clear(); }
  void swap(arena& other) noexcept;

  /// True when the next allocations are sure to succeed as long as they take at most `bytes`
  /// together.
  [[nodiscard]] bool reserve(std::size_t bytes) noexcept {
    return bytes <= static_cast<std::size_t>(end_ - at_) || add_block(bytes);
  }
  /// Bytes handed out, and bytes held.
  std::size_t size() const noexcept {
    return used_before_ + static_cast<std::size_t>(at_ - start_);
  }
  std::size_t capacity() const noexcept { return held_; }

  /// Frees everything; no value in this arena may be used afterwards.
  void clear() noexcept { rewind(mark{}); }

  /// A state to come back to.
  struct mark {
    void* block = nullptr;
    char* at = nullptr;
  };
  mark position() const noexcept { return {top_, at_}; }
  /// Frees what was allocated after `to` was taken.
  void rewind(const mark& to) noexcept;

  /// RapidJSON's Allocator concept.
  void* Malloc(std::size_t bytes) noexcept {
    bytes = round_up(bytes);
    if (bytes == 0 || !reserve(bytes)) return nullptr;
    char* given = at_;
    at_ += bytes;
    return given;
  }
  void* Realloc(void* old, std::size_t old_bytes, std::size_t bytes) noexcept;
  static void Free(void*) noexcept {}

 private:
  struct alignas(8) block {  // what follows it is aligned as well, also where pointers have 32 bits
    block* previous;
    std::size_t bytes;   ///< of the data that follow
    std::size_t before;  ///< handed out from older blocks
  };
  static constexpr std::size_t smallest_block = 256 - sizeof(block);

  static constexpr std::size_t round_up(std::size_t bytes) noexcept {
    return (bytes + 7) & ~static_cast<std::size_t>(7);
  }
  bool add_block(std::size_t bytes) noexcept;

  memory_source memory_;
  block* top_ = nullptr;  ///< null on a caller's buffer
  char* start_ = nullptr;
  char* at_ = nullptr;
  char* end_ = nullptr;
  std::size_t used_before_ = 0;
  std::size_t held_ = 0;
  char* buffer_ = nullptr;  ///< the caller's
};

/// A value in an arena.
using arena_value = basic_value<arena>;

namespace core {
struct document_access;
}

/// A JSON document that owns its memory and keeps it in proportion: one block of an arena, with
/// every write checked and reserved before it begins.
///
/// However often it is patched, at rest it holds at most about twice what a fresh copy needs; while
/// it is copied into a new block, both exist. A write that cannot be afforded is refused and
/// changes nothing. It starts as null. Write it with json::read, assign() and
/// merge::apply_merge_patch. Any write may move everything: references, iterators and string
/// pointers into the tree are valid until the next write. Const access from several threads is
/// safe; one writer at a time.
class document {
 public:
  /// Grows on the heap, or on the caller's memory source.
  document() noexcept : document(memory_source{}) {}
  explicit document(const memory_source& memory) noexcept : memory_(memory), arena_(memory) {}
  /// Lives in the caller's `buffer` of `bytes` alone, which must outlive it: one half holds the
  /// document, the other is where it is copied to when the first has filled up. Working memory for
  /// deep or wide values beyond what fits on the stack comes from `working_memory`; functions that
  /// take options use the memory named there besides.
  document(void* buffer, std::size_t bytes, const memory_source& working_memory = {}) noexcept
      : memory_(working_memory),
        half_bytes_(bytes / 2),
        spare_half_(static_cast<char*>(buffer) + bytes / 2),
        current_half_(static_cast<char*>(buffer)),
        arena_(buffer, bytes / 2) {}
  document(document&& other) noexcept { swap(other); }
  document& operator=(document&& other) noexcept {
    document(static_cast<document&&>(other)).swap(*this);
    return *this;
  }
  void swap(document& other) noexcept;

  /// The document's value, for RapidJSON's own members: `d.root()["a"]`. The functions of this
  /// library take the document itself.
  const arena_value& root() const noexcept { return root_; }

  /// Becomes a copy of `source`, which must not lie inside this document. Of equal names the first
  /// counts. Errors: depth_exceeded, not_finite, out_of_memory; then nothing has changed.
  template <class Source>
  error assign(const Source& source, std::size_t max_depth = default_max_depth);

  /// Bytes that the tree takes, as a fresh exact copy would; and bytes held for it.
  std::size_t size_in_bytes() const noexcept { return live_; }
  std::size_t capacity_in_bytes() const noexcept { return arena_.capacity(); }

 private:
  friend struct core::document_access;

  // Both hand what held the tree before to `old`, when that is asked for.
  template <class Generate>
  error rebuild(std::size_t expected, Generate&& generate, arena* old = nullptr);
  error copy_to_fresh_block(std::size_t need, arena* old = nullptr);

  memory_source memory_;
  std::size_t half_bytes_ = 0;  ///< 0 when growing
  char* spare_half_ = nullptr;
  char* current_half_ = nullptr;
  arena arena_;
  arena_value root_;
  std::size_t live_ = 0;
};

namespace core {

/// The writing side of a document, for the functions of this library.
struct document_access {
  static arena_value& root(document& d) noexcept { return d.root_; }
  static arena& memory(document& d) noexcept { return d.arena_; }
  static const memory_source& source(const document& d) noexcept { return d.memory_; }

  /// Replaces the document by what `generate(handler)` sends; `expected` bytes are asked for first.
  template <class Generate>
  static error rebuild(document& d, std::size_t expected, Generate&& generate) {
    return d.rebuild(expected, generate);
  }
  /// Whether it lives in a caller's buffer.
  static bool in_buffer(const document& d) noexcept { return d.half_bytes_ != 0; }
  /// How many more bytes fit.
  static std::size_t free_bytes(const document& d) noexcept {
    return d.arena_.capacity() - d.arena_.size();
  }
  /// Whether `need` more bytes fit.
  static bool has_room(const document& d, std::size_t need) noexcept {
    return need <= free_bytes(d);
  }
  /// Makes sure that they do, moving the whole tree when they do not. Strings of the tree that
  /// others point to stay valid as long as `old`.
  static error make_room(document& d, std::size_t need, arena& old) {
    if (has_room(d, need)) return {};
    return d.copy_to_fresh_block(need, &old);
  }
  /// After a write that added and freed so many bytes: gives back what is far too much.
  static void settle(document& d, std::size_t added, std::size_t freed) {
    d.live_ += added;
    d.live_ -= freed;
    if (d.half_bytes_ == 0 && d.arena_.capacity() > 2 * d.live_ + 1024) {
      static_cast<void>(d.copy_to_fresh_block(0));  // when it fails, the next write tries again
    }
  }
};

}  // namespace core

// ---------------------------------------------------------------------------------------------

namespace core {

inline const arena_value& value_of(const document& holder) noexcept { return holder.root(); }

}  // namespace core

inline arena::arena(void* buffer, std::size_t bytes) noexcept : memory_(memory_source::none()) {
  const auto address = reinterpret_cast<std::uintptr_t>(buffer);
  const std::size_t skipped = round_up(address) - address;
  if (buffer == nullptr || bytes < skipped) return;
  buffer_ = start_ = at_ = static_cast<char*>(buffer) + skipped;
  held_ = (bytes - skipped) & ~static_cast<std::size_t>(7);
  end_ = start_ + held_;
}

inline void arena::swap(arena& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(top_, other.top_);
  std::swap(start_, other.start_);
  std::swap(at_, other.at_);
  std::swap(end_, other.end_);
  std::swap(used_before_, other.used_before_);
  std::swap(held_, other.held_);
  std::swap(buffer_, other.buffer_);
}

inline bool arena::add_block(std::size_t bytes) noexcept {
  if (buffer_ != nullptr || bytes > static_cast<std::size_t>(-1) / 4) return false;
  bytes = round_up(bytes);
  if (bytes < smallest_block) bytes = smallest_block;
  if (top_ != nullptr && bytes < held_) bytes = held_;
  auto* added = static_cast<block*>(memory_.allocate(memory_.context, sizeof(block) + bytes));
  if (added == nullptr) return false;
  *added = {top_, bytes, size()};
  used_before_ = added->before;
  top_ = added;
  start_ = at_ = reinterpret_cast<char*>(added + 1);
  end_ = start_ + bytes;
  held_ += bytes;
  return true;
}

inline void arena::rewind(const mark& to) noexcept {
  if (buffer_ != nullptr) {
    at_ = to.at == nullptr ? buffer_ : to.at;
    return;
  }
  while (top_ != nullptr && top_ != to.block) {
    block* last = top_;
    top_ = last->previous;
    held_ -= last->bytes;
    memory_.release(memory_.context, last);
  }
  start_ = top_ == nullptr ? nullptr : reinterpret_cast<char*>(top_ + 1);
  end_ = top_ == nullptr ? nullptr : start_ + top_->bytes;
  used_before_ = top_ == nullptr ? 0 : top_->before;
  at_ = top_ == nullptr ? nullptr : to.at;
}

inline void* arena::Realloc(void* old, std::size_t old_bytes, std::size_t bytes) noexcept {
  if (old == nullptr) return Malloc(bytes);
  if (bytes == 0) return nullptr;
  old_bytes = round_up(old_bytes);
  bytes = round_up(bytes);
  if (bytes <= old_bytes) return old;
  const std::size_t more = bytes - old_bytes;
  if (static_cast<char*>(old) + old_bytes == at_ && more <= static_cast<std::size_t>(end_ - at_)) {
    at_ += more;
    return old;
  }
  void* moved = Malloc(bytes);
  if (moved != nullptr && old_bytes != 0) std::memcpy(moved, old, old_bytes);
  return moved;
}

inline void document::swap(document& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(half_bytes_, other.half_bytes_);
  std::swap(spare_half_, other.spare_half_);
  std::swap(current_half_, other.current_half_);
  arena_.swap(other.arena_);
  root_.Swap(other.root_);
  std::swap(live_, other.live_);
}

template <class Generate>
error document::rebuild(std::size_t expected, Generate&& generate, arena* old) {
  arena fresh = half_bytes_ == 0 ? arena(memory_) : arena(spare_half_, half_bytes_);
  if (!fresh.reserve(expected) && half_bytes_ == 0) return errc::out_of_memory;
  core::tree_builder<arena> builder(fresh, memory_);
  arena_value built;
  if (error e = builder.build(built, generate)) return e;
  root_.Swap(built);
  arena_.swap(fresh);
  std::swap(current_half_, spare_half_);
  live_ = arena_.size();
  if (old != nullptr) old->swap(fresh);
  return {};
}

inline error document::copy_to_fresh_block(std::size_t need, arena* old) {
  const auto copy = [this](auto& handler) {
    core::walk_memory<arena_value> memory(memory_);
    return core::emit(root_, handler, core::nulls::emit, static_cast<std::size_t>(-1), memory);
  };
  error failure = rebuild(half_bytes_ != 0 ? 0 : live_ + live_ / 2 + need + 512, copy, old);
  if (!failure && need > arena_.capacity() - arena_.size()) failure = errc::out_of_memory;
  return failure;
}

template <class Source>
error document::assign(const Source& source, std::size_t max_depth) {
  const auto& from = core::value_of(source);
  core::walk_memory<core::value_type_of<Source>> memory(memory_);
  core::footprint_counter<arena_value> bytes;
  if (error e = core::emit(from, bytes, core::nulls::emit, max_depth, memory)) return e;
  return rebuild(bytes.bytes(), [&](auto& handler) {
    return core::emit(from, handler, core::nulls::emit, max_depth, memory);
  });
}

}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
