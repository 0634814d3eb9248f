/// The boundary to RapidJSON: the only header, with detail/inside.hpp, that names its namespace.
///
/// RapidJSON's values are the currency of this library. Functions take them as
/// `const basic_value<Allocator>&` for any allocator, and hand them out the same way. UTF-8 is the
/// only encoding, as JSON on the wire has no other (RFC 8259, section 8.1).
#pragma once

#include <rapidjson/document.h>

#include <cstddef>      // std::size_t
#include <type_traits>  // std::true_type

#include "../version.hpp"

#if defined(RAPIDJSON_USE_MEMBERSMAP) && RAPIDJSON_USE_MEMBERSMAP
#error "devicetwin: RAPIDJSON_USE_MEMBERSMAP changes how objects are stored; build without it"
#endif

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {

/// RapidJSON's encoding tag for UTF-8.
using utf8 = RAPIDJSON_NAMESPACE::UTF8<char>;

/// A JSON value of RapidJSON with any allocator. `rapidjson::Value` and `rapidjson::Document` are
/// such values.
template <class Allocator>
using basic_value = RAPIDJSON_NAMESPACE::GenericValue<utf8, Allocator>;

/// A RapidJSON document: a value that brings its allocator.
template <class Allocator, class StackAllocator>
using basic_document = RAPIDJSON_NAMESPACE::GenericDocument<utf8, Allocator, StackAllocator>;

/// The everyday value, `rapidjson::Value`.
using value = basic_value<RAPIDJSON_NAMESPACE::MemoryPoolAllocator<>>;

/// RapidJSON's type of counts and indices: 32 bits.
using size_type = RAPIDJSON_NAMESPACE::SizeType;

/// Levels of nesting that every function accepts unless told otherwise; the outermost array or
/// object is level 1, a scalar alone is level 0.
inline constexpr std::size_t default_max_depth = 64;

namespace core {

template <class Value>
using member_of = typename Value::Member;

template <class Allocator>
std::true_type derives_from_value(const basic_value<Allocator>*);
std::false_type derives_from_value(const void*);

/// True for RapidJSON's values and documents.
template <class T>
inline constexpr bool is_value =
    decltype(derives_from_value(static_cast<const T*>(nullptr)))::value;

template <class Allocator, class StackAllocator>
std::true_type derives_from_document(basic_document<Allocator, StackAllocator>*);
std::false_type derives_from_document(const void*);

/// True for RapidJSON's documents that may be written to: values that bring their allocator.
template <class T>
inline constexpr bool is_document =
    decltype(derives_from_document(static_cast<T*>(nullptr)))::value;

/// For a static_assert in a template that is only there to explain a mistake.
template <class...>
inline constexpr bool mistaken = false;

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
