/// The version of the library, in one place: the build systems and the tests read it from here.
#pragma once

#define DEVICETWIN_VERSION_MAJOR 0
#define DEVICETWIN_VERSION_MINOR 1
#define DEVICETWIN_VERSION_PATCH 0

/// DEVICETWIN_SMALL_NUMBERS, when the user defines it for the whole program, chooses the number
/// conversion that is small instead of fast (json/number.hpp), DEVICETWIN_NO_SIMD code and working
/// memory for a small machine (json/detail/scan.hpp). They change classes and the bodies of inline
/// functions, so they are part of the namespace: mixing flavours is a link error and not undefined
/// behaviour.
#if defined(DEVICETWIN_SMALL_NUMBERS) && defined(DEVICETWIN_NO_SIMD)
#define DEVICETWIN_ABI v0_small_plain
#elif defined(DEVICETWIN_SMALL_NUMBERS)
#define DEVICETWIN_ABI v0_small
#elif defined(DEVICETWIN_NO_SIMD)
#define DEVICETWIN_ABI v0_plain
#else
#define DEVICETWIN_ABI v0
#endif

namespace devicetwin {

/// Everything lives in this inline namespace, so that two incompatible versions in one program
/// do not collide. Users write `devicetwin::json::read` and never name it.
inline namespace DEVICETWIN_ABI {}

}  // namespace devicetwin
