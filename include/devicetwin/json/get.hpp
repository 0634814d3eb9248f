/// Checked typed access: the value at a pointer as a C++ type, or an error that says why not.
///
/// RapidJSON's own getters assert, or give garbage when assertions are off.
#pragma once

#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view
#include <type_traits>  // std::is_same_v, std::conditional_t

#include "error.hpp"
#include "number.hpp"
#include "pointer.hpp"
#include "tree/scalar.hpp"
#include "value.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {

namespace core {

template <class T>
inline constexpr bool gettable = std::is_same_v<T, bool> || std::is_same_v<T, std::int64_t> ||
                                 std::is_same_v<T, std::uint64_t> || std::is_same_v<T, double> ||
                                 std::is_same_v<T, std::string_view>;

/// T, or, so that a mistake is told in few lines, a type that get() can give.
template <class T>
using gettable_or_double = std::conditional_t<gettable<T>, T, double>;

}  // namespace core

/// The value at `pointer` (RFC 6901; "" is `root` itself) as T: bool, std::int64_t, std::uint64_t,
/// double or std::string_view.
///
/// A number is given when T can hold it exactly, however it was spelled: 1.0 is an int64 and 1 a
/// double, but 1.5 is no int64, -1 no uint64 and 2^53+1 no double. A string view is UTF-8, may
/// contain NUL, and is valid until the document is written. Errors: invalid_pointer, not_found,
/// wrong_type, number_out_of_range; with the pointer. Cost: as find().
template <class T, class Allocator>
result<core::gettable_or_double<T>> get(const basic_value<Allocator>& root,
                                        std::string_view pointer = {}) noexcept;

// ---------------------------------------------------------------------------------------------

namespace core {

/// Converts exactly, or gives number_out_of_range.
inline errc convert(const number& n, std::int64_t& to) noexcept {
  if (n.stored_as == number::kind::unsigned_integer) return errc::number_out_of_range;
  if (n.stored_as == number::kind::signed_integer) {
    to = n.i;
    return errc::ok;
  }
  if (!(n.d >= -9223372036854775808.0 && n.d < 9223372036854775808.0))
    return errc::number_out_of_range;
  to = static_cast<std::int64_t>(n.d);
  return static_cast<double>(to) == n.d ? errc::ok : errc::number_out_of_range;
}
inline errc convert(const number& n, std::uint64_t& to) noexcept {
  if (n.stored_as == number::kind::real) {
    if (!(n.d >= 0.0 && n.d < 18446744073709551616.0)) return errc::number_out_of_range;
    to = static_cast<std::uint64_t>(n.d);
    return static_cast<double>(to) == n.d ? errc::ok : errc::number_out_of_range;
  }
  to = n.u;
  return n.stored_as == number::kind::signed_integer && n.i < 0 ? errc::number_out_of_range
                                                                : errc::ok;
}
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

}  // namespace core

template <class T, class Allocator>
result<core::gettable_or_double<T>> get(const basic_value<Allocator>& root,
                                        std::string_view pointer) noexcept {
  static_assert(
      core::gettable<T>,
      "json::get<T>: T must be bool, std::int64_t, std::uint64_t, double or std::string_view");
  const auto found = find(root, pointer);
  if (!found) return found.error();
  const basic_value<Allocator>& at = **found;
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

}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
