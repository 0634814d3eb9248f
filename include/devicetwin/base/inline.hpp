/// What is inlined at any price, and what never: where it was measured to matter. Optimising for
/// size (-Os) leaves it to the compiler.
#pragma once

#include "../version.hpp"

#if defined(__OPTIMIZE_SIZE__) || !(defined(__GNUC__) || defined(_MSC_VER))
#define DEVICETWIN_ALWAYS_INLINE inline
#define DEVICETWIN_NEVER_INLINE
#elif defined(__GNUC__)
#define DEVICETWIN_ALWAYS_INLINE __attribute__((always_inline)) inline
#define DEVICETWIN_NEVER_INLINE __attribute__((noinline))
#else
#define DEVICETWIN_ALWAYS_INLINE __forceinline
#define DEVICETWIN_NEVER_INLINE __declspec(noinline)
#endif

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace base {

/// Whether code may be spent on shortcuts; not where size counts most.
#if defined(DEVICETWIN_SMALL)
inline constexpr bool shortcuts = false;
#else
inline constexpr bool shortcuts = true;
#endif

/// Brings what is there into the cache, while other things are done; anything may be there, even
/// nothing.
inline void prefetch(const void* there) noexcept {
#if defined(__GNUC__)
  if constexpr (shortcuts) __builtin_prefetch(there);
#endif
  static_cast<void>(there);
}

}  // namespace base
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
