/// Where an engine of the text functions is while it works.
#pragma once

#include <new>  // placement new

#include "../../base/memory.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

#if defined(DEVICETWIN_SMALL)  // for small machines

/// In working memory: they are large for a small stack.
template <class Engine>
class placed {
 public:
  template <class... Args>
  explicit placed(const memory_source& memory, Args&&... args) : memory_(memory) {
    void* const room = memory.allocate(memory.context, sizeof(Engine));
    if (room != nullptr) it_ = new (room) Engine(static_cast<Args&&>(args)...);
  }
  ~placed() {
    if (it_ == nullptr) return;
    it_->~Engine();
    memory_.release(memory_.context, it_);
  }
  placed(const placed&) = delete;
  placed& operator=(const placed&) = delete;
  /// False when there was no memory for it.
  explicit operator bool() const noexcept { return it_ != nullptr; }
  Engine* operator->() const noexcept { return it_; }
  Engine& operator*() const noexcept { return *it_; }

 private:
  memory_source memory_;
  Engine* it_ = nullptr;
};

#else

/// On the stack.
template <class Engine>
class placed {
 public:
  template <class... Args>
  explicit placed(const memory_source&, Args&&... args) : it_(static_cast<Args&&>(args)...) {}
  placed(const placed&) = delete;
  placed& operator=(const placed&) = delete;
  explicit operator bool() const noexcept { return true; }
  Engine* operator->() noexcept { return &it_; }
  Engine& operator*() noexcept { return it_; }

 private:
  Engine it_;
};

#endif

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
