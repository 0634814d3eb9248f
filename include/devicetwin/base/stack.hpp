/// A growable array of plain data with room inside itself: the working memory of every walk.
#pragma once

#include <cstddef>      // std::size_t
#include <cstring>      // std::memcpy
#include <new>          // placement new
#include <type_traits>  // std::is_trivially_copyable_v

#include "inline.hpp"
#include "memory.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace base {

/// How much working space is on the stack: a quarter of the usual where size counts, for the stacks
/// there are small.
constexpr std::size_t room(std::size_t usual) noexcept {
  return shortcuts ? usual : (usual + 3) / 4;
}

/// Elements are moved by memcpy and never destroyed. The first room(Usual) of them need no heap.
template <class T, std::size_t Usual>
class stack {
  static_assert(std::is_trivially_copyable_v<T>, "stack elements are moved by memcpy");
  static constexpr std::size_t Inline = room(Usual);

 public:
  explicit stack(const memory_source& memory) noexcept : memory_(memory) {}
  ~stack() {
    if (data_ != local()) memory_.release(memory_.context, data_);
  }
  stack(const stack&) = delete;
  stack& operator=(const stack&) = delete;

  /// False when memory ran out; nothing has changed then.
  [[nodiscard]] bool push(const T& element) noexcept {
    if (size_ == capacity_ && !grow(size_ + 1)) return false;
    data_[size_++] = element;
    return true;
  }
  /// The same for an element made in place of its parts: copying one just made would wait for their
  /// stores.
  template <class... Parts>
  [[nodiscard]] bool emplace(Parts... parts) noexcept {
    if (size_ == capacity_ && !grow(size_ + 1)) return false;
    new (static_cast<void*>(data_ + size_++)) T{parts...};
    return true;
  }
  /// Makes room for one more element and counts it in; a null pointer when memory ran out.
  [[nodiscard]] DEVICETWIN_ALWAYS_INLINE T* add() noexcept {
    if (size_ == capacity_ && !grow(size_ + 1)) return nullptr;
    return data_ + size_++;
  }
  /// Appends `count` elements from `first`.
  [[nodiscard]] bool append(const T* first, std::size_t count) noexcept {
    if (count > capacity_ - size_ && !grow(size_ + count)) return false;
    if (count != 0) std::memcpy(data_ + size_, first, count * sizeof(T));
    size_ += count;
    return true;
  }
  /// Makes room for `count` further elements and counts them in; their content is undefined.
  [[nodiscard]] bool extend(std::size_t count) noexcept {
    if (count > capacity_ - size_ && !grow(size_ + count)) return false;
    size_ += count;
    return true;
  }
  /// Makes room for `count` elements altogether.
  [[nodiscard]] bool reserve(std::size_t count) noexcept {
    return count <= capacity_ || grow(count);
  }
  void pop() noexcept { --size_; }
  void truncate(std::size_t size) noexcept { size_ = size; }

  T* data() noexcept { return data_; }
  const T* data() const noexcept { return data_; }
  T& operator[](std::size_t index) noexcept { return data_[index]; }
  const T& operator[](std::size_t index) const noexcept { return data_[index]; }
  T& back() noexcept { return data_[size_ - 1]; }
  const T& back() const noexcept { return data_[size_ - 1]; }
  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return capacity_; }
  bool empty() const noexcept { return size_ == 0; }

 private:
  T* local() noexcept { return reinterpret_cast<T*>(local_); }

  DEVICETWIN_NEVER_INLINE bool grow(std::size_t least) noexcept {
    if (least < size_ || least > static_cast<std::size_t>(-1) / (2 * sizeof(T))) return false;
    std::size_t capacity = capacity_ * 2;
    if (capacity < least) capacity = least;
    void* block = memory_.allocate(memory_.context, capacity * sizeof(T));
    if (block == nullptr) return false;
    T* moved = static_cast<T*>(block);
    if (size_ != 0) std::memcpy(static_cast<void*>(moved), data_, size_ * sizeof(T));
    if (data_ != local()) memory_.release(memory_.context, data_);
    data_ = moved;
    capacity_ = capacity;
    return true;
  }

  memory_source memory_;
  alignas(T) unsigned char local_[Inline * sizeof(T)];
  T* data_ = local();
  std::size_t size_ = 0;
  std::size_t capacity_ = Inline;
};

}  // namespace base
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
