/// The version of the library, in one place: the build systems and the tests read it from here.
#pragma once

#define DEVICETWIN_VERSION_MAJOR 0
#define DEVICETWIN_VERSION_MINOR 1
#define DEVICETWIN_VERSION_PATCH 0

/// DEVICETWIN_SMALL, when the user defines it for the whole program, is for small machines: the
/// small number conversion (json/number.hpp), portable code instead of instruction sets, and less
/// working memory on the stack (json/text/scan.hpp, base/inline.hpp). It changes classes
/// and the bodies of inline functions, so it is part of the namespace: mixing flavours is a link
/// error and not undefined behaviour.
#if defined(DEVICETWIN_NO_SIMD) || defined(DEVICETWIN_SMALL_NUMBERS)
#error "DEVICETWIN_NO_SIMD and DEVICETWIN_SMALL_NUMBERS are one switch now: DEVICETWIN_SMALL"
#endif
#if defined(DEVICETWIN_SMALL)
#define DEVICETWIN_ABI v0_small
#else
#define DEVICETWIN_ABI v0
#endif

namespace devicetwin {

/// Everything lives in this inline namespace, so that two incompatible versions in one program
/// do not collide. Users write `devicetwin::json::read` and never name it.
inline namespace DEVICETWIN_ABI {

/// Functions that take values, documents, changes or twins are members of a namespace `functions`,
/// which a using-directive opens to the namespace around it. Argument-dependent look-up does not
/// follow using-directives. So a program that calls its own read(path, document) or equal(a, b)
/// gets its own function, whatever the arguments are, and calls this library's by their qualified
/// names: devicetwin::json::read, devicetwin::equal.
namespace functions {}
using namespace functions;
namespace json {
namespace functions {}
using namespace functions;
}  // namespace json
namespace merge {
namespace functions {}
using namespace functions;
}  // namespace merge

}  // namespace DEVICETWIN_ABI

}  // namespace devicetwin
