/// Checked typed access: the value at a pointer as a C++ type, or an error that says why not.
///
/// RapidJSON's own getters assert, or give garbage when assertions are off.
#pragma once

#include <cstdint>      // std::int64_t
#include <limits>       // std::numeric_limits
#include <string_view>  // std::string_view
#include <type_traits>  // std::is_same_v, std::conditional_t, std::enable_if_t

#include "error.hpp"
#include "number.hpp"
#include "pointer.hpp"
#include "tree/scalar.hpp"
#include "value.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {

namespace core {

template <class T, class... Types>
inline constexpr bool is_one_of = (std::is_same_v<T, Types> || ...);

/// The integers that get() returns: all but bool and the types of characters.
template <class T>
inline constexpr bool is_integer =
    is_one_of<T, signed char, unsigned char, short, unsigned short, int, unsigned, long,
              unsigned long, long long, unsigned long long>;

template <class T>
inline constexpr bool gettable =
    is_integer<T> || is_one_of<T, bool, float, double, std::string_view>;

/// T, or, so that a mistake is told in few lines, a type that get() can return.
template <class T>
using gettable_or_double = std::conditional_t<gettable<T>, T, double>;

}  // namespace core

namespace functions {

/// The value at `pointer` (RFC 6901; "" is `root` itself) as T: bool, any integer type, float,
/// double or std::string_view. `root` is a document or a value.
///
/// An integer type takes a number that it holds exactly, however it was spelled: 1.0 is 1, but 1.5
/// is out of range for an int, -1 for an unsigned and 256 for an std::uint8_t. A double takes any
/// number, but an integer only when it holds it exactly: 2^53 + 1 is out of range. A float takes a
/// number with a point or an exponent rounded to the nearest float, an integer only exactly. A
/// string view is UTF-8, may contain NUL, and is valid until the document is written. Errors:
/// invalid_pointer, not_found, wrong_type, number_out_of_range; with the pointer. Cost: as find().
template <class T, class Source>
result<core::gettable_or_double<T>> get(const Source& root, std::string_view pointer = {}) noexcept;

}  // namespace functions

// ---------------------------------------------------------------------------------------------

namespace core {

/// The integer `magnitude`, negated if `negative`, or number_out_of_range.
template <class Integer>
errc convert(bool negative, std::uint64_t magnitude, Integer& to) noexcept {
  static_assert(is_integer<Integer> && sizeof(Integer) <= sizeof magnitude);
  constexpr auto largest = static_cast<std::uint64_t>((std::numeric_limits<Integer>::max)());
  if (!negative || magnitude == 0) {
    if (magnitude > largest) return errc::number_out_of_range;
    to = static_cast<Integer>(magnitude);
    return errc::ok;
  }
  if (std::is_unsigned_v<Integer> || magnitude > largest + 1) return errc::number_out_of_range;
  to = static_cast<Integer>(-static_cast<std::int64_t>(magnitude - 1) - 1);
  return errc::ok;
}

/// A number as an integer of any type, or number_out_of_range.
template <class Integer>
std::enable_if_t<is_integer<Integer>, errc> convert(const number& n, Integer& to) noexcept {
  if (n.stored_as == number::kind::unsigned_integer) return convert(false, n.u, to);
  if (n.stored_as == number::kind::signed_integer)
    return convert(n.i < 0, n.i < 0 ? 0 - n.u : n.u, to);
  const bool negative = n.d < 0;
  const double size = negative ? -n.d : n.d;
  if (!(size < 18446744073709551616.0)) return errc::number_out_of_range;
  const auto magnitude = static_cast<std::uint64_t>(size);
  if (static_cast<double>(magnitude) != size) return errc::number_out_of_range;
  return convert(negative, magnitude, to);
}

/// A number as a double or float, or number_out_of_range for an integer that it cannot hold.
inline errc convert(const number& n, double& to) noexcept {
  number back;
  back.stored_as = number::kind::real;
  switch (n.stored_as) {
    case number::kind::signed_integer:
      back.d = static_cast<double>(n.i);
      break;
    case number::kind::unsigned_integer:
      back.d = static_cast<double>(n.u);
      break;
    case number::kind::real:
      back.d = n.d;
      break;
  }
  to = back.d;
  return n.stored_as == number::kind::real || same_number(n, back) ? errc::ok
                                                                   : errc::number_out_of_range;
}
inline errc convert(const number& n, float& to) noexcept {
  double wide = 0;
  const errc failure = convert(n, wide);
  if (failure != errc::ok) return failure;
  constexpr float largest = (std::numeric_limits<float>::max)();
  constexpr double rounded_up = 3.4028235677973366e+38;  // half a step above the largest
  if (!(wide < rounded_up && wide > -rounded_up)) return errc::number_out_of_range;
  to = wide > static_cast<double>(largest)    ? largest
       : wide < -static_cast<double>(largest) ? -largest
                                              : static_cast<float>(wide);
  return n.stored_as == number::kind::real || static_cast<double>(to) == wide
             ? errc::ok
             : errc::number_out_of_range;
}

}  // namespace core

namespace functions {

template <class T, class Source>
result<core::gettable_or_double<T>> get(const Source& root, std::string_view pointer) noexcept {
  static_assert(core::gettable<T>,
                "json::get<T>: T must be bool, an integer, float, double or std::string_view");
  const auto found = find(root, pointer);
  if (!found) return found.error();
  const auto& at = **found;
  core::gettable_or_double<T> wanted{};
  errc code = errc::wrong_type;
  if constexpr (std::is_same_v<T, bool>) {
    if (at.IsBool()) {
      wanted = at.GetBool();
      code = errc::ok;
    }
  } else if constexpr (std::is_same_v<T, std::string_view>) {
    if (at.IsString()) {
      wanted = core::text_of(at);
      code = errc::ok;
    }
  } else if constexpr (core::gettable<T>) {
    if (at.IsNumber()) code = core::convert(core::number_of(at), wanted);
  }
  if (code == errc::ok) return wanted;
  return error(code).at(core::pointer_text{pointer});
}

}  // namespace functions

}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
