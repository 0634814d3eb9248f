/// The version of the library, in one place: the build systems and the tests read it from here.
#pragma once

#define DEVICETWIN_VERSION_MAJOR 0
#define DEVICETWIN_VERSION_MINOR 1
#define DEVICETWIN_VERSION_PATCH 0

/// DEVICETWIN_SMALL_NUMBERS, when the user defines it for the whole program, chooses the number
/// conversion that is small instead of fast (json/number.hpp). It changes the bodies of inline
/// functions, so it is part of the namespace: mixing the two flavours is a link error and not
/// undefined behaviour. So it is with DEVICETWIN_SMALL_STACK, which leaves a quarter of the working space
/// that functions have on the stack (json/detail/stack.hpp): for microcontrollers, together with a memory source.
#if defined(DEVICETWIN_SMALL_NUMBERS) && defined(DEVICETWIN_SMALL_STACK)
#define DEVICETWIN_ABI v0_small_both
#elif defined(DEVICETWIN_SMALL_STACK)
#define DEVICETWIN_ABI v0_small_stack
#elif defined(DEVICETWIN_SMALL_NUMBERS)
#define DEVICETWIN_ABI v0_small
#else
#define DEVICETWIN_ABI v0
#endif

namespace devicetwin {

/// Everything lives in this inline namespace, so that two incompatible versions in one program
/// do not collide. Users write `devicetwin::json::read` and never name it.
inline namespace DEVICETWIN_ABI {}

}  // namespace devicetwin
