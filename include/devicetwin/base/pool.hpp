/// Memory of fixed size that is given out and taken back: a heap in a caller's buffer.
#pragma once

#include <cstddef>  // std::size_t
#include <cstdint>  // std::uintptr_t

#include "memory.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// A small heap in a caller's buffer, which must outlive everything made with it. For few and large
/// blocks, such as documents: the first free piece that is large enough is taken, and pieces side
/// by side are joined again. A copy of a pool is the same pool. Not for several threads at once.
/// Cost: each allocation and release passes over the free pieces before it. 16 bytes for each
/// block, and 32 in all.
class pool {
 public:
  /// In `buffer` of `bytes`; one too small for anything refuses every request.
  pool(void* buffer, std::size_t bytes) noexcept;

  memory_source source() const noexcept {
    return {[](void* context, std::size_t bytes) { return allocate(context, bytes); },
            [](void* context, void* block) { release(context, block); }, head_};
  }
  /// Bytes that are free, in all pieces together.
  std::size_t free_bytes() const noexcept;

 private:
  static constexpr std::size_t unit = 16;
  /// Before every piece. While it is free, `next` is the next free one, in the order of addresses.
  struct alignas(unit) piece {
    std::size_t bytes;  ///< with this header
    piece* next;
  };
  static_assert(sizeof(piece) == unit, "headers and blocks keep the same alignment");

  static void* allocate(void* context, std::size_t bytes) noexcept;
  static void release(void* context, void* block) noexcept;

  piece* head_ = nullptr;  ///< a piece of no size, in front of all free ones
};

// ---------------------------------------------------------------------------------------------

inline pool::pool(void* buffer, std::size_t bytes) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(buffer);
  const std::size_t skipped = static_cast<std::size_t>((unit - address % unit) % unit);
  if (buffer == nullptr || bytes < skipped + 2 * unit) return;
  head_ = reinterpret_cast<piece*>(static_cast<char*>(buffer) + skipped);
  piece* all = head_ + 1;
  *head_ = {0, all};
  *all = {(bytes - skipped) / unit * unit - unit, nullptr};
}

inline void* pool::allocate(void* context, std::size_t bytes) noexcept {
  if (context == nullptr || bytes > static_cast<std::size_t>(-1) - 2 * unit) return nullptr;
  const std::size_t wanted = (bytes + unit - 1) / unit * unit + unit;
  for (piece* before = static_cast<piece*>(context); before->next != nullptr;
       before = before->next) {
    piece* found = before->next;
    if (found->bytes < wanted) continue;
    if (found->bytes - wanted >= 2 * unit) {  // the rest stays free
      piece* rest = found + wanted / unit;
      *rest = {found->bytes - wanted, found->next};
      found->bytes = wanted;
      before->next = rest;
    } else {
      before->next = found->next;
    }
    return found + 1;
  }
  return nullptr;
}

inline void pool::release(void* context, void* block) noexcept {
  piece* freed = static_cast<piece*>(block) - 1;
  piece* head = static_cast<piece*>(context);
  piece* before = head;
  while (before->next != nullptr && before->next < freed) before = before->next;
  freed->next = before->next;
  before->next = freed;
  if (freed->next == freed + freed->bytes / unit) {
    freed->bytes += freed->next->bytes;
    freed->next = freed->next->next;
  }
  if (before != head && freed == before + before->bytes / unit) {
    before->bytes += freed->bytes;
    before->next = freed->next;
  }
}

inline std::size_t pool::free_bytes() const noexcept {
  std::size_t bytes = 0;
  for (const piece* p = head_; p != nullptr; p = p->next) bytes += p->bytes;
  return bytes;
}

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
