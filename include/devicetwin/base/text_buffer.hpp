/// Texts that are written piece by piece: one that grows or stays in a caller's buffer, and what
/// every output needs.
#pragma once

#include <cstddef>      // std::size_t
#include <cstring>      // std::memcpy
#include <string_view>  // std::string_view
#include <type_traits>  // std::void_t, std::is_same_v
#include <utility>      // std::swap, std::declval

#include "memory.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// A text that grows on a memory_source, or stays in a caller's buffer, and says when it cannot.
/// Not terminated by NUL. Movable, not copyable.
class text_buffer {
 public:
  text_buffer() noexcept : text_buffer(memory_source{}) {}
  explicit text_buffer(const memory_source& memory) noexcept : memory_(memory) {}
  /// In the caller's `buffer` of `capacity` bytes, which must outlive it.
  text_buffer(char* buffer, std::size_t capacity) noexcept
      : data_(buffer), capacity_(capacity), fixed_(true) {}
  text_buffer(text_buffer&& other) noexcept { swap(other); }
  text_buffer& operator=(text_buffer&& other) noexcept {
    text_buffer(static_cast<text_buffer&&>(other)).swap(*this);
    return *this;
  }
  ~text_buffer() {
    if (!fixed_ && data_ != nullptr) memory_.release(memory_.context, data_);
  }
  void swap(text_buffer& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    std::swap(fixed_, other.fixed_);
  }

  /// False, with nothing changed, when it does not fit. `text` may be a piece of this text.
  [[nodiscard]] bool append(const char* text, std::size_t length) noexcept;
  /// Cuts the text to its first `size` bytes; a larger size changes nothing.
  void resize(std::size_t size) noexcept {
    if (size < size_) size_ = size;
  }
  const char* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  std::string_view view() const noexcept { return {data_, size_}; }

 private:
  memory_source memory_;
  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  bool fixed_ = false;
};

// ---------------------------------------------------------------------------------------------

inline bool text_buffer::append(const char* text, std::size_t length) noexcept {
  if (length > capacity_ - size_) {
    if (fixed_ || length > static_cast<std::size_t>(-1) / 4 - size_) return false;
    std::size_t capacity = capacity_ < 128 ? 256 : 2 * capacity_;
    if (capacity < size_ + length) capacity = size_ + length;
    void* block = memory_.allocate(memory_.context, capacity);
    if (block == nullptr) return false;
    char* const grown = static_cast<char*>(block);
    if (size_ != 0) std::memcpy(grown, data_, size_);
    std::memcpy(grown + size_, text, length);  // before the old block goes: it may be a piece of it
    if (data_ != nullptr) memory_.release(memory_.context, data_);
    data_ = grown;
    capacity_ = capacity;
  } else if (length != 0) {
    std::memcpy(data_ + size_, text, length);
  }
  size_ += length;
  return true;
}

namespace base {

/// True for a type that texts can be written to: append(const char*, std::size_t), size() and
/// resize(std::size_t).
template <class Output, class = void>
inline constexpr bool is_output = false;
template <class Output>
inline constexpr bool is_output<
    Output, std::void_t<decltype(std::declval<Output&>().append("", std::size_t{})),
                        decltype(std::declval<Output&>().resize(std::declval<Output&>().size()))>> =
    true;

/// Appends bytes to an output whose append() returns bool, or nothing. False when it is full.
template <class Output>
[[nodiscard]] bool append(Output& out, const char* bytes, std::size_t count) {
  if constexpr (std::is_same_v<decltype(out.append(bytes, count)), bool>) {
    return out.append(bytes, count);
  } else {
    out.append(bytes, count);
    return true;
  }
}

/// Counts the bytes of a text that is written to it.
class byte_counter {
 public:
  bool append(const char*, std::size_t length) noexcept {
    size_ += length;
    return true;
  }
  void resize(std::size_t size) noexcept { size_ = size; }
  std::size_t size() const noexcept { return size_; }

 private:
  std::size_t size_ = 0;
};

}  // namespace base

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
