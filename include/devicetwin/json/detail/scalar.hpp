/// Scalars of RapidJSON, compared by what they mean.
#pragma once

#include "../number.hpp"
#include "../value.hpp"
#include "inside.hpp"

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

/// True for arrays and objects.
template <class Value>
bool is_container(const Value& v) noexcept {
  const unsigned type = inside<Value>::flags(v) & inside<Value>::type_mask;
  return type == inside<Value>::object_type || type == inside<Value>::array_type;
}

/// Two numbers.
template <class ValueA, class ValueB>
bool same_number_value(const ValueA& a, const ValueB& b, number_equality rule) noexcept {
  const unsigned x = inside<ValueA>::flags(a);
  const unsigned y = inside<ValueB>::flags(b);
  if (((x | y) & inside<ValueA>::double_flag) == 0) {
    return ((x ^ y) & inside<ValueA>::int64_flag) == 0 &&
           inside<ValueA>::integer_bits(a) == inside<ValueB>::integer_bits(b);
  }
  if ((x & y & inside<ValueA>::double_flag) != 0) return inside<ValueA>::real(a) == inside<ValueB>::real(b);
  return rule == number_equality::by_value && same_number(number_of(a), number_of(b));
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
  const unsigned x = inside<ValueA>::flags(a);
  const unsigned y = inside<ValueB>::flags(b);
  if ((x & y & inside<ValueA>::string_flag) != 0) return same_text(a, b);
  if ((x & y & inside<ValueA>::number_flag) != 0) return same_number_value(a, b, rule);
  const unsigned type = x & inside<ValueA>::type_mask;  // null, false and true are types of their own
  return type == (y & inside<ValueA>::type_mask) && type < inside<ValueA>::object_type;
}

}  // namespace detail
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
