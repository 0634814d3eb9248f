/// Where memory comes from, when a function needs some of its own.
#pragma once

#include <cstddef>  // std::size_t
#include <cstdlib>  // std::malloc, std::free

#include "../version.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// A heap: two functions and what they need to know. The default is the C library's.
///
/// `allocate` gives a block of at least `bytes` bytes, aligned for any scalar type, or a null
/// pointer; a null pointer becomes errc::out_of_memory in the function that asked, and nothing has
/// changed. `release` takes such a block back and is never called with a null pointer.
/// Both must not throw. A memory_source is copied freely; `context` must outlive every copy.
struct memory_source {
  void* (*allocate)(void* context, std::size_t bytes) = [](void*, std::size_t bytes) {
    return std::malloc(bytes);
  };
  void (*release)(void* context, void* block) = [](void*, void* block) { std::free(block); };
  void* context = nullptr;

  /// A source that has nothing: functions then live on their fixed working space on the stack
  /// (some 16 levels of nesting, objects of some 32 members; with DEVICETWIN_SMALL a quarter of
  /// that) and answer errc::out_of_memory beyond.
  static memory_source none() noexcept {
    return {[](void*, std::size_t) -> void* { return nullptr; }, [](void*, void*) {}, nullptr};
  }
};

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
