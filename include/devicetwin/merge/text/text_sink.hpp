/// Pieces of text on their way to a caller's output, whose type is forgotten here: the engine is
/// compiled once.
#pragma once

#include <cstddef>      // std::size_t
#include <cstring>      // std::memcpy
#include <string_view>  // std::string_view

#include "../../base/bits.hpp"
#include "../../base/inline.hpp"
#include "../../base/stack.hpp"
#include "../../base/text_buffer.hpp"
#include "../../json/error.hpp"
#include "../../json/tree/inside.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

/// Collects short pieces. When the output is full it only counts, so that the size needed is known
/// at the end. What was written is taken back, also when the output throws, unless keep() was
/// called.
class text_sink {
 public:
  template <class Output>
  explicit text_sink(Output& out)
      : out_(&out),
        append_([](void* to, const char* text, std::size_t length) -> bool {
          return base::append(*static_cast<Output*>(to), text, length);
        }),
        resize_([](void* to, std::size_t size) { static_cast<Output*>(to)->resize(size); }),
        size_before_(out.size()) {}
  ~text_sink() {
    if (handed_over_) resize_(out_, size_before_);
  }
  text_sink(const text_sink&) = delete;
  text_sink& operator=(const text_sink&) = delete;

  void put(const char* text, std::size_t length) {
    if (length > sizeof pending_ - pending_size_) return put_much(text, length);
    base::copy_bytes(pending_ + pending_size_, text, length);
    pending_size_ += length;
  }
  void put(std::string_view text) { put(text.data(), text.size()); }
  void put(const char* first, const char* last) {
    put(first, static_cast<std::size_t>(last - first));
  }
  void put(char c) {
    if (pending_size_ == sizeof pending_) flush();
    pending_[pending_size_++] = c;
  }

  /// Hands over what is left. Error: out_of_memory with the size the output needs.
  json::error finish() {
    flush();
    if (full_) return json::error(json::errc::out_of_memory).needing(size_before_ + total_);
    return {};
  }
  /// Takes back what was written.
  void restart() {
    if (handed_over_) resize_(out_, size_before_);
    total_ = pending_size_ = 0;
    full_ = handed_over_ = false;
  }
  /// Makes what was written stay.
  void keep() noexcept { handed_over_ = false; }

 private:
  DEVICETWIN_NEVER_INLINE void put_much(const char* text, std::size_t length) {
    flush();
    if (length > sizeof pending_ / 2) return hand_over(text, length);
    std::memcpy(pending_, text, length);
    pending_size_ = length;
  }
  void flush() {
    const std::size_t size = pending_size_;
    pending_size_ = 0;
    if (size != 0) hand_over(pending_, size);
  }
  void hand_over(const char* text, std::size_t length) {
    handed_over_ = true;
    total_ += length;
    full_ = full_ || !append_(out_, text, length);
  }

  void* out_;
  bool (*append_)(void*, const char*, std::size_t);
  void (*resize_)(void*, std::size_t);
  std::size_t size_before_;
  std::size_t total_ = 0;  ///< handed over, had there been room
  bool full_ = false;
  bool handed_over_ = false;  ///< something is in the output and may have to be taken back
  std::size_t pending_size_ = 0;
  char pending_[base::shortcuts ? 1024 : 64];
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
