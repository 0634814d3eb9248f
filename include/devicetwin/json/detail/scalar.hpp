/// Scalars of RapidJSON, compared by what they mean.
#pragma once

#include "../number.hpp"
#include "../value.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {

/// When two numbers count as equal.
enum class number_equality : unsigned char {
  by_value,          ///< 1 and 1.0 are equal (same_number() in number.hpp)
  by_value_and_type  ///< an integer and a double never are; for systems that tell them apart
};

namespace detail {

template <class Value>
number number_of(const Value& v) noexcept {
  number n;
  if (v.IsInt64()) {
    n.stored_as = number::kind::signed_integer;
    n.i = v.GetInt64();
  } else if (v.IsUint64()) {
    n.stored_as = number::kind::unsigned_integer;
    n.u = v.GetUint64();
  } else {
    n.stored_as = number::kind::real;
    n.d = v.GetDouble();
  }
  return n;
}

/// True for a double that JSON cannot write.
template <class Value>
bool is_not_finite(const Value& v) noexcept {
  return v.IsDouble() && !is_finite(v.GetDouble());
}

/// Two numbers under a rule.
inline bool same_number(const number& a, const number& b, number_equality rule) noexcept {
  if (rule == number_equality::by_value_and_type &&
      (a.stored_as == number::kind::real) != (b.stored_as == number::kind::real)) {
    return false;
  }
  return json::same_number(a, b);
}

/// Two values of which at least one is a scalar.
template <class ValueA, class ValueB>
bool same_scalar(const ValueA& a, const ValueB& b, number_equality rule) noexcept {
  if (a.IsNumber()) {
    if (!b.IsNumber()) return false;
    return same_number(number_of(a), number_of(b), rule);
  }
  if (a.GetType() != b.GetType()) return false;  // true and false are types of their own
  return !a.IsString() || same_text(a, b);
}

}  // namespace detail
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
