/// What is inlined at any price, and what never: where it was measured to matter. Optimising for size (-Os) leaves
/// it to the compiler.
#pragma once

#if defined(__GNUC__) && !defined(__OPTIMIZE_SIZE__)
#define DEVICETWIN_ALWAYS_INLINE __attribute__((always_inline)) inline
#define DEVICETWIN_NEVER_INLINE __attribute__((noinline))
#else
#define DEVICETWIN_ALWAYS_INLINE inline
#define DEVICETWIN_NEVER_INLINE
#endif
