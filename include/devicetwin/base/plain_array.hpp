/// A growable array of plain data that can be moved: the storage of what lives long beside a
/// document.
#pragma once

#include <cstddef>      // std::size_t
#include <cstring>      // std::memcpy
#include <type_traits>  // std::is_trivially_copyable_v
#include <utility>      // std::swap

#include "memory.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace base {

/// Like stack, but empty it holds no memory, and it can be moved. Room is reserved before it is
/// used: what follows a reserve() cannot fail.
template <class T>
class plain_array {
  static_assert(std::is_trivially_copyable_v<T>, "elements are moved by memcpy");

 public:
  explicit plain_array(const memory_source& memory = {}) noexcept : memory_(memory) {}
  plain_array(plain_array&& other) noexcept { swap(other); }
  plain_array& operator=(plain_array&& other) noexcept {
    plain_array(static_cast<plain_array&&>(other)).swap(*this);
    return *this;
  }
  ~plain_array() {
    if (data_ != nullptr) memory_.release(memory_.context, data_);
  }
  void swap(plain_array& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  /// Room for exactly `capacity` elements in all; false, with nothing changed, when memory ran out.
  [[nodiscard]] bool reserve_exactly(std::size_t capacity) noexcept {
    if (capacity <= capacity_) return true;
    if (capacity > static_cast<std::size_t>(-1) / (2 * sizeof(T))) return false;
    void* block = memory_.allocate(memory_.context, capacity * sizeof(T));
    if (block == nullptr) return false;
    if (size_ != 0) std::memcpy(block, static_cast<const void*>(data_), size_ * sizeof(T));
    if (data_ != nullptr) memory_.release(memory_.context, data_);
    data_ = static_cast<T*>(block);
    capacity_ = capacity;
    return true;
  }
  /// Room for `count` further elements; grows by a quarter.
  [[nodiscard]] bool reserve(std::size_t count) noexcept {
    if (count <= capacity_ - size_) return true;
    const std::size_t wanted = size_ + count;
    return reserve_exactly(wanted < size_ ? static_cast<std::size_t>(-1) : wanted + wanted / 4 + 4);
  }

  /// These three need room reserved.
  void push(const T& element) noexcept { data_[size_++] = element; }
  void append(const T* first, std::size_t count) noexcept {
    if (count != 0) std::memcpy(static_cast<void*>(data_ + size_), first, count * sizeof(T));
    size_ += count;
  }
  void extend(std::size_t count) noexcept { size_ += count; }

  void truncate(std::size_t size) noexcept { size_ = size; }
  /// Takes out `count` elements at `at`.
  void erase(std::size_t at, std::size_t count) noexcept {
    std::memmove(static_cast<void*>(data_ + at), data_ + at + count,
                 (size_ - at - count) * sizeof(T));
    size_ -= count;
  }

  const memory_source& memory() const noexcept { return memory_; }
  T* data() noexcept { return data_; }
  const T* data() const noexcept { return data_; }
  T& operator[](std::size_t index) noexcept { return data_[index]; }
  const T& operator[](std::size_t index) const noexcept { return data_[index]; }
  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return capacity_; }
  bool empty() const noexcept { return size_ == 0; }

 private:
  memory_source memory_;
  T* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace base
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
