/// The boundary to RapidJSON: the only header, with detail/inside.hpp, that names its namespace.
///
/// RapidJSON's values are the currency of this library. Functions take them as
/// `const basic_value<Allocator>&` for any allocator, and hand them out the same way. UTF-8 is the
/// only encoding, as JSON on the wire has no other (RFC 8259, section 8.1).
#pragma once

#include <rapidjson/document.h>

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view
#include <type_traits>  // std::true_type, std::enable_if_t
#include <utility>      // std::declval

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

class arena;
class document;

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

/// The value that an argument stands for. Every function that takes a value takes what value_of()
/// takes: a RapidJSON value, a RapidJSON document, a json::document.
template <class Allocator>
const basic_value<Allocator>& value_of(const basic_value<Allocator>& value) noexcept {
  return value;
}
inline const basic_value<arena>& value_of(const document& holder) noexcept;  // json/arena.hpp

/// True for what stands for a value.
template <class T>
inline constexpr bool stands_for_value = is_value<T> || std::is_base_of_v<document, T>;

/// True for what stands for JSON text: std::string_view and what converts to it.
template <class T>
inline constexpr bool stands_for_text = std::is_convertible_v<const T&, std::string_view>;

/// Anything else: a mistake, explained. The value returned keeps further errors away.
template <class T>
std::enable_if_t<!stands_for_value<T>, const value&> value_of(const T& other) noexcept {
  static_assert(mistaken<T>,
                "devicetwin: a JSON value is expected here: a json::document, a RapidJSON document "
                "or a RapidJSON value; json::read makes one from text");
  return reinterpret_cast<const value&>(other);
}

/// Its type.
template <class T>
using value_type_of = std::remove_const_t<
    std::remove_reference_t<decltype(core::value_of(std::declval<const T&>()))>>;

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
