/// Scalars of RapidJSON, compared by what they mean.
#pragma once

#include "../../base/bits.hpp"
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

namespace core {

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
  if ((x & y & inside<ValueA>::double_flag) != 0)
    return inside<ValueA>::real(a) == inside<ValueB>::real(b);
  return rule == number_equality::by_value && same_number(number_of(a), number_of(b));
}

// Most of what is compared is the same, and most of that can be seen at a glance: the same words of
// a value, or texts of the same length with the same bytes. Where that shows nothing, the functions
// behind them decide.

/// Whether two values with these words, which are not the same words, are the same text.
template <class ValueA, class ValueB>
DEVICETWIN_ALWAYS_INLINE bool same_texts(const ValueA& a, const ValueB& b, const value_words& x,
                                         const value_words& y) noexcept {
  if ((x.flags() & inside<ValueA>::inline_flag) != 0) return same_inline_text(x, y);
  const auto length = static_cast<std::uint32_t>(x.low);
  return (x.high ^ y.high) >> 48 == 0 && length == static_cast<std::uint32_t>(y.low) &&
         base::same_bytes(inside<ValueA>::outside_text(a), inside<ValueB>::outside_text(b), length);
}
/// Whether two values are the same scalar at a glance.
template <class ValueA, class ValueB>
DEVICETWIN_ALWAYS_INLINE bool same_scalars(const ValueA& a, const ValueB& b) noexcept {
  using parts = inside<ValueA>;
  if constexpr (!is_compact<ValueA>) return false;
  const value_words x = words_of(a);
  const value_words y = words_of(b);
  const unsigned flags = x.flags();
  if (same_words(x, y)) {  // so are the pointers of containers, in which something may be wrong
    const unsigned type = flags & parts::type_mask;
    return type != parts::object_type && type != parts::array_type &&
           ((flags & parts::double_flag) == 0 || is_finite(parts::real(a)));
  }
  if ((flags & parts::string_flag) != 0) return same_texts(a, b, x, y);
  return (flags & parts::number_flag) != 0 && (flags & parts::double_flag) == 0 &&
         flags == y.flags() && x.low == y.low;
}
/// Whether two names are the same.
template <class ValueA, class ValueB>
DEVICETWIN_ALWAYS_INLINE bool same_names(const ValueA& a, const ValueB& b) noexcept {
  if constexpr (is_compact<ValueA>) {
    constexpr unsigned in_line = inside<ValueA>::inline_flag;
    const value_words x = words_of(a);
    const value_words y = words_of(b);
    if (same_words(x, y) || same_texts(a, b, x, y)) return true;
    if (x.flags() == y.flags()) return false;
    if (((x.flags() ^ y.flags()) & in_line) !=
        0) {  // one of them outside, starting with the length
      const value_words& outside = (x.flags() & in_line) != 0 ? y : x;
      if (static_cast<std::uint32_t>(outside.low) > inside<ValueA>::longest_inline) return false;
    }
  }
  return same_text(a, b);
}

/// A hint, cheaper than same_names(): false for nearly all names that differ. It may also be false
/// for names that are the same.
template <class ValueA, class ValueB>
DEVICETWIN_ALWAYS_INLINE bool seem_same_names(const ValueA& a, const ValueB& b) noexcept {
  if constexpr (!is_compact<ValueA>) return true;
  return static_cast<std::uint32_t>(words_of(a).low) == static_cast<std::uint32_t>(words_of(b).low);
}

/// Two values of which at least one is a scalar.
template <class ValueA, class ValueB>
bool same_scalar(const ValueA& a, const ValueB& b, number_equality rule) noexcept {
  const unsigned x = inside<ValueA>::flags(a);
  const unsigned y = inside<ValueB>::flags(b);
  if ((x & y & inside<ValueA>::string_flag) != 0) return same_text(a, b);
  if ((x & y & inside<ValueA>::number_flag) != 0) return same_number_value(a, b, rule);
  const unsigned type =
      x & inside<ValueA>::type_mask;  // null, false and true are types of their own
  return type == (y & inside<ValueA>::type_mask) && type < inside<ValueA>::object_type;
}

/// Whether two values that same_scalars() did not show to be the same are different scalars that
/// JSON can write, and not null.
template <class ValueA, class ValueB>
DEVICETWIN_ALWAYS_INLINE bool different_scalars(const ValueA& a, const ValueB& b,
                                                number_equality rule) noexcept {
  using parts = inside<ValueA>;
  const unsigned x = parts::flags(a);
  const unsigned y = inside<ValueB>::flags(b);
  if (is_compact<ValueA> && x == y && (x & parts::double_flag) == 0 &&
      (x & (parts::string_flag | parts::number_flag)) != 0) {
    return true;
  }
  constexpr unsigned plain = parts::string_flag | parts::number_flag | parts::bool_flag;
  if ((x & plain) == 0 || (y & plain) == 0) return false;
  if ((x & y & plain) == 0 && ((x | y) & parts::double_flag) == 0) return true;
  return !is_not_finite(a) && !is_not_finite(b) && !same_scalar(a, b, rule);
}

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
