// <windows.h> defines many short words as macros. The headers compile after these definitions, on
// every system: none of the words may be a name in this library. The headers below are included
// first, because the standard library itself does not expect such macros everywhere.
#include <rapidjson/document.h>
#include <rapidjson/reader.h>

#include <cerrno>
#include <cfloat>
#include <charconv>
#include <climits>
#include <clocale>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#define min(a, b) (((a) < (b)) ? (a) : (b))
#define max(a, b) (((a) > (b)) ? (a) : (b))

// Each stands for nothing that could compile.
#define ABSOLUTE ] ABSOLUTE is a macro of windows.h [
#ifndef alloca
#define alloca ] alloca is a macro of windows.h [
#endif
#define ALTERNATE ] ALTERNATE is a macro of windows.h [
#define ASSERT ] ASSERT is a macro of windows.h [
#define BOOL ] BOOL is a macro of windows.h [
#define BOOLEAN ] BOOLEAN is a macro of windows.h [
#define BYTE ] BYTE is a macro of windows.h [
#define CALLBACK ] CALLBACK is a macro of windows.h [
#define CDECL ] CDECL is a macro of windows.h [
#define cdecl ] cdecl is a macro of windows.h [
#define CHAR ] CHAR is a macro of windows.h [
#define cmb1 ] cmb1 is a macro of windows.h [
#define COMPLEX ] COMPLEX is a macro of windows.h [
#define CONST ] CONST is a macro of windows.h [
#define CopyFile ] CopyFile is a macro of windows.h [
#define CreateEvent ] CreateEvent is a macro of windows.h [
#define CreateFile ] CreateFile is a macro of windows.h [
#define DELETE ] DELETE is a macro of windows.h [
#define DeleteFile ] DeleteFile is a macro of windows.h [
#define DIFFERENCE ] DIFFERENCE is a macro of windows.h [
#ifndef DOMAIN
#define DOMAIN ] DOMAIN is a macro of windows.h [
#endif
#define DWORD ] DWORD is a macro of windows.h [
#define EDGE ] EDGE is a macro of windows.h [
#define environ ] environ is a macro of windows.h [
#define ERROR ] ERROR is a macro of windows.h [
#define EXCEPTION_CONTINUE_EXECUTION ] EXCEPTION_CONTINUE_EXECUTION is a macro of windows.h [
#define FALSE ] FALSE is a macro of windows.h [
#define FAR ] FAR is a macro of windows.h [
#define far ] far is a macro of windows.h [
#define FindText ] FindText is a macro of windows.h [
#define FLOAT ] FLOAT is a macro of windows.h [
#define GENERIC_READ ] GENERIC_READ is a macro of windows.h [
#define GetClassName ] GetClassName is a macro of windows.h [
#define GetCurrentTime ] GetCurrentTime is a macro of windows.h [
#define GetFreeSpace ] GetFreeSpace is a macro of windows.h [
#define GetMessage ] GetMessage is a macro of windows.h [
#define GetObject ] GetObject is a macro of windows.h [
#define GetProp ] GetProp is a macro of windows.h [
#define GetUserName ] GetUserName is a macro of windows.h [
#define grp1 ] grp1 is a macro of windows.h [
#define HANDLE ] HANDLE is a macro of windows.h [
#define huge ] huge is a macro of windows.h [
#define hyper ] hyper is a macro of windows.h [
#define ico1 ] ico1 is a macro of windows.h [
#define IGNORE ] IGNORE is a macro of windows.h [
#define IN ] IN is a macro of windows.h [
#define INFINITE ] INFINITE is a macro of windows.h [
#define INT ] INT is a macro of windows.h [
#define INTERFACE ] INTERFACE is a macro of windows.h [
#define interface ] interface is a macro of windows.h [
#define INVALID_HANDLE_VALUE ] INVALID_HANDLE_VALUE is a macro of windows.h [
#define LoadString ] LoadString is a macro of windows.h [
#define LONG ] LONG is a macro of windows.h [
#define MOD_SHIFT ] MOD_SHIFT is a macro of windows.h [
#define MoveFile ] MoveFile is a macro of windows.h [
#define NEAR ] NEAR is a macro of windows.h [
#define near ] near is a macro of windows.h [
#define NO_ERROR ] NO_ERROR is a macro of windows.h [
#define NULLREGION ] NULLREGION is a macro of windows.h [
#define OPAQUE ] OPAQUE is a macro of windows.h [
#define OPTIONAL ] OPTIONAL is a macro of windows.h [
#define OUT ] OUT is a macro of windows.h [
#ifndef OVERFLOW
#define OVERFLOW ] OVERFLOW is a macro of windows.h [
#endif
#define PASCAL ] PASCAL is a macro of windows.h [
#define pascal ] pascal is a macro of windows.h [
#define PASSTHROUGH ] PASSTHROUGH is a macro of windows.h [
#define rad1 ] rad1 is a macro of windows.h [
#define REASON_UNKNOWN ] REASON_UNKNOWN is a macro of windows.h [
#define REGISTERED ] REGISTERED is a macro of windows.h [
#define RELATIVE ] RELATIVE is a macro of windows.h [
#define ReplaceText ] ReplaceText is a macro of windows.h [
#define SendMessage ] SendMessage is a macro of windows.h [
#define SetPort ] SetPort is a macro of windows.h [
#define SEVERITY_ERROR ] SEVERITY_ERROR is a macro of windows.h [
#define small ] small is a macro of windows.h [
#define STATUS_PENDING ] STATUS_PENDING is a macro of windows.h [
#define STRICT ] STRICT is a macro of windows.h [
#define SUCCEEDED ] SUCCEEDED is a macro of windows.h [
#define TEXT ] TEXT is a macro of windows.h [
#define THIS ] THIS is a macro of windows.h [
#define TRANSPARENT ] TRANSPARENT is a macro of windows.h [
#define TRUE ] TRUE is a macro of windows.h [
#define UNALIGNED ] UNALIGNED is a macro of windows.h [
#ifndef UNDERFLOW
#define UNDERFLOW ] UNDERFLOW is a macro of windows.h [
#endif
#define VOID ] VOID is a macro of windows.h [
#define WAIT_TIMEOUT ] WAIT_TIMEOUT is a macro of windows.h [
#define WINAPI ] WINAPI is a macro of windows.h [
#define Yield ] Yield is a macro of windows.h [

#include "devicetwin/devicetwin.hpp"
