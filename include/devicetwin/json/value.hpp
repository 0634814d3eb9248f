/// The boundary to RapidJSON: the only header that names its namespace.
///
/// RapidJSON's values are the currency of this library. Functions take them as
/// `const basic_value<Allocator>&` for any allocator, and hand them out the same way. UTF-8 is the
/// only encoding, as JSON on the wire has no other (RFC 8259, section 8.1).
#pragma once

#include <rapidjson/document.h>

#include <cstddef>      // std::size_t
#include <cstring>      // std::memcmp
#include <string_view>  // std::string_view
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

namespace detail {

template <class Value>
using member_of = typename Value::Member;

/// Members of an object as plain pointers: RapidJSON 1.1.0's iterators compare ambiguously in C++20.
template <class Value>
const member_of<Value>* members_begin(const Value& object) noexcept {
  return object.MemberCount() == 0 ? nullptr : &*object.MemberBegin();
}

template <class Value>
member_of<Value>* members_begin(Value& object) noexcept {
  return object.MemberCount() == 0 ? nullptr : &*object.MemberBegin();
}

/// The text of a string value; no terminator is promised, NUL may occur inside.
template <class Value>
std::string_view text_of(const Value& string) noexcept {
  return {string.GetString(), string.GetStringLength()};
}

/// Equal as strings. The length goes first: it settles most cases without touching the text.
template <class ValueA, class ValueB>
bool same_text(const ValueA& a, const ValueB& b) noexcept {
  const size_type length = a.GetStringLength();
  return length == b.GetStringLength() && std::memcmp(a.GetString(), b.GetString(), length) == 0;
}

template <class Allocator>
std::true_type derives_from_value(const basic_value<Allocator>*);
std::false_type derives_from_value(const void*);

/// True for RapidJSON's values and documents.
template <class T>
inline constexpr bool is_value = decltype(derives_from_value(static_cast<const T*>(nullptr)))::value;

/// For a static_assert in a template that is only there to explain a mistake.
template <class...>
inline constexpr bool mistaken = false;

}  // namespace detail
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
