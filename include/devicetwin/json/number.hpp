/// Numbers, both directions: the only place where text becomes a number or a number text.
///
/// Exact and the same everywhere: doubles are correctly rounded (to nearest, ties to even), printed
/// with the fewest digits that read back to them, and independent of locale and processor;
/// RapidJSON's own conversion is none of these. The standard library's <charconv> does it where it
/// can. Elsewhere, and with DEVICETWIN_SMALL defined for the whole program, a conversion by hand
/// does the same more slowly, in 3 KB of code on a Cortex-M4.
#pragma once

#include <cfloat>       // FLT_EVAL_METHOD
#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <cstring>      // std::memcpy
#include <string_view>  // std::string_view

#include "../base/inline.hpp"
#include "error.hpp"

// The standard library converts doubles, where it can; libc++ before version 20 and others cannot,
// and for a small machine its tables are too large (150 KB with arm-none-eabi-g++ 12).
#if !defined(DEVICETWIN_SMALL) && defined(__has_include)
#if __has_include(<charconv>)
#include <charconv>
#endif
#endif

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {

/// A number as it is stored: an integer of 64 bits, or a double.
struct number {
  enum class kind : unsigned char {
    signed_integer,    ///< in `i`
    unsigned_integer,  ///< in `u`, only above the largest int64
    real               ///< in `d`, finite
  };
  kind stored_as = kind::signed_integer;
  bool big_integer = false;  ///< a real that was spelled as an integer beyond 64 bits
  union {
    std::int64_t i = 0;
    std::uint64_t u;
    double d;
  };
};

/// What becomes of an integer beyond 64 bits that is read into a tree.
enum class big_integer_rule : unsigned char {
  refuse,  ///< it is an error: integer_overflow
  round    ///< it becomes the nearest double
};

/// What parse_number() found.
struct number_end {
  const char* end;  ///< after the number; on error where it went wrong
  errc code;        ///< ok, unexpected_end, invalid_number or number_overflow
};

/// Reads one JSON number (RFC 8259, section 6) at the start of [first, last).
///
/// 64-bit integers are exact; `-0` is the double -0.0; any other integer is the nearest double and
/// marked big_integer. A result beyond the largest double is number_overflow; one below the
/// smallest is zero or a subnormal, as strtod has it. The text may go on after the number. Cost:
/// linear; beyond what a double can hold, and on small machines, some microseconds.
inline number_end parse_number(const char* first, const char* last, number& out) noexcept;

/// Moves over one JSON number at the start of [first, last), of any size. Errors are those of
/// parse_number(), except that no number is too large. Cost: linear.
inline number_end skip_number(const char* first, const char* last) noexcept;

/// The longest text that to_chars() writes for any number.
inline constexpr std::size_t max_number_chars = 32;

/// Writes a finite double so that it reads back to the same double, with a point or an exponent in
/// it, and gives the end. Uses the fewest digits that do (ECMAScript's layout: 0.001, 100.0, 1e21,
/// 1e-7). `buffer` holds max_number_chars.
inline char* to_chars(char* buffer, double number) noexcept;
/// Integers, exactly.
inline char* to_chars(char* buffer, std::int64_t number) noexcept;
inline char* to_chars(char* buffer, std::uint64_t number) noexcept;

/// Equal as exact numbers: 1 equals 1.0 and -0.0 equals 0, but the integer 2^53+1 does not equal
/// the double 2^53, though converting it would say so.
inline bool same_number(const number& a, const number& b) noexcept;

// ---------------------------------------------------------------------------------------------

namespace core {

inline bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }
/// Neither an infinity nor NaN; also where -ffast-math lets the compiler assume so.
inline bool is_finite(double number) noexcept {
  std::uint64_t bits;
  std::memcpy(&bits, &number, sizeof bits);
  return ((bits >> 52) & 0x7FF) != 0x7FF;
}

}  // namespace core

namespace detail {

inline constexpr int mantissa_bits = 52;  ///< stored bits; the leading one is implied
inline constexpr int exponent_bias = 1023;
inline constexpr std::uint64_t hidden_bit = std::uint64_t{1} << mantissa_bits;
inline constexpr std::uint64_t infinite_exponent = 0x7FF;

inline double double_of_bits(std::uint64_t bits) noexcept {
  double number;
  std::memcpy(&number, &bits, sizeof number);
  return number;
}
inline std::uint64_t bits_of(double number) noexcept {
  std::uint64_t bits;
  std::memcpy(&bits, &number, sizeof bits);
  return bits;
}

/// A number divided by ten.
struct tenth {
  std::uint64_t quotient;
  unsigned rest;
};
inline tenth divide_by_ten(std::uint64_t number) noexcept {
#if defined(DEVICETWIN_SMALL)
  // Sixteen bits at a time: a division of 64 bits takes 0.8 KB where the processor has none.
  tenth result{0, 0};
  for (int shift = 48; shift >= 0; shift -= 16) {
    const std::uint32_t part =
        static_cast<std::uint32_t>(result.rest) << 16 | (number >> shift & 0xFFFF);
    result.quotient = result.quotient << 16 | part / 10;
    result.rest = part % 10;
  }
  return result;
#else
  return {number / 10, static_cast<unsigned>(number % 10)};
#endif
}

/// A decimal number of up to 768 digits, which is all that deciding a double can ever need; what is
/// cut off is remembered. Slow, exact and small: shifting by a power of two is long multiplication
/// or division by hand.
class decimal {
 public:
  /// From the digits of a JSON number; a point among them is counted, anything else ends them.
  decimal(const char* first, const char* last, std::int64_t exponent) noexcept {
    bool after_point = false;
    for (; first != last; ++first) {
      if (*first == '.') {
        after_point = true;
        continue;
      }
      if (!core::is_digit(*first)) break;
      const int read = *first - '0';
      if (count_ != 0 || read != 0) {
        append(read);
        if (!after_point) ++point_;
      } else if (after_point) {
        --point_;
      }
    }
    const std::int64_t point = point_ + exponent;
    point_ = point > 100000 ? 100000 : point < -100000 ? -100000 : static_cast<int>(point);
    trim();
  }
  /// From an integer times two to the power of `exponent`.
  decimal(std::uint64_t mantissa, int exponent) noexcept {
    char text[20];
    int length = 0;
    while (mantissa != 0) {
      const tenth cut = divide_by_ten(mantissa);
      text[length++] = static_cast<char>(cut.rest);
      mantissa = cut.quotient;
    }
    point_ = length;
    while (length != 0) append(text[--length]);
    trim();
    shift(exponent);
  }

  /// The nearest double's bits without the sign; infinite when too large.
  std::uint64_t to_double_bits() noexcept {
    constexpr std::uint64_t infinity = infinite_exponent << mantissa_bits;
    if (count_ == 0 || point_ < -330) return 0;
    if (point_ > 310) return infinity;
    int exponent = 0;  // make it at least 1/2 and below 1
    while (point_ > 0) {
      const int by = bits_for(point_);
      shift(-by);
      exponent += by;
    }
    while (point_ < 0 || (point_ == 0 && digit(0) < 5)) {
      const int by = bits_for(-point_);
      shift(by);
      exponent -= by;
    }
    --exponent;
    if (exponent < 1 - exponent_bias) {  // subnormal
      shift(exponent - (1 - exponent_bias));
      exponent = 1 - exponent_bias;
    }
    if (exponent > exponent_bias) return infinity;
    shift(mantissa_bits + 1);
    std::uint64_t mantissa = rounded();
    if (mantissa == hidden_bit * 2) {
      mantissa = hidden_bit;
      if (++exponent > exponent_bias) return infinity;
    }
    if ((mantissa & hidden_bit) == 0) return mantissa;
    return (static_cast<std::uint64_t>(exponent + exponent_bias) << mantissa_bits) |
           (mantissa & (hidden_bit - 1));
  }

  /// After to_double_bits(): whether the number is that double exactly.
  bool was_double() const noexcept { return !cut_ && count_ <= point_; }

  /// Rounds to at most `count` digits, to nearest, ties to even.
  void round_to(int count) noexcept {
    if (count >= count_) return;
    const bool up = rounds_up(count);
    count_ = count;
    cut_ = false;
    if (up) {
      int i = count;
      while (i != 0 && digit(i - 1) == 9) --i;
      if (i == 0) {
        set(0, 1);
        count_ = 1;
        ++point_;
      } else {
        set(i - 1, digit(i - 1) + 1);
        count_ = i;
      }
    }
    trim();
  }

  /// The digits as an integer; there must be at most 19. The value is that times 10^(point() -
  /// size()).
  std::uint64_t significand() const noexcept {
    std::uint64_t number = 0;
    for (int i = 0; i < count_; ++i) number = number * 10 + digit(i);
    return number;
  }
  int size() const noexcept { return count_; }
  int point() const noexcept { return point_; }

 private:
  static constexpr int capacity = 768;
  static constexpr int max_shift = 56;  // 9 << 56 and a carry stay below 2^64

  unsigned digit(int i) const noexcept {
    return static_cast<unsigned>(digits_[i / 2]) >> (i % 2 * 4) & 15u;
  }
  void set(int i, unsigned digit) noexcept {
    unsigned char& two = digits_[i / 2];
    two =
        static_cast<unsigned char>(i % 2 == 0 ? (two & 0xF0u) | digit : (two & 0x0Fu) | digit << 4);
  }
  void append(int digit) noexcept {
    if (count_ < capacity) {
      set(count_++, static_cast<unsigned>(digit));
    } else if (digit != 0) {
      cut_ = true;
    }
  }
  void trim() noexcept {
    while (count_ != 0 && digit(count_ - 1) == 0) --count_;
    if (count_ == 0) point_ = 0;
  }
  /// How many bits to shift at a time so that `digits` decimal places are not overshot.
  static int bits_for(int digits) noexcept {
    constexpr unsigned char bits[] = {1, 3, 6, 9, 13, 16, 19, 23, 26};
    return digits < static_cast<int>(sizeof bits) ? bits[digits] : 27;
  }

  void shift(int by) noexcept {
    for (; by > max_shift; by -= max_shift) multiply(max_shift);
    for (; by < -max_shift; by += max_shift) divide(max_shift);
    if (by > 0) multiply(by);
    if (by < 0) divide(-by);
  }
  void multiply(int bits) noexcept {
    if (count_ == 0) return;
    const int longer = bits * 30103 / 100000 + 1;  // decimal digits that `bits` bits can add
    std::uint64_t carry = 0;
    for (int i = count_ + longer - 1; i >= 0;
         --i) {  // each digit is read before it is written over
      if (i >= longer) carry += std::uint64_t{digit(i - longer)} << bits;
      const tenth cut = divide_by_ten(carry);
      set(i, cut.rest);
      carry = cut.quotient;
    }
    int zeros = 0;
    while (digit(zeros) == 0) ++zeros;
    const int count = count_ + longer - zeros;
    point_ += longer - zeros;
    count_ = 0;
    for (int i = 0; i < count; ++i) append(static_cast<int>(digit(zeros + i)));
    trim();
  }
  void divide(int bits) noexcept {
    const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
    std::uint64_t rest = 0;
    int read = 0;
    int write = 0;
    for (; (rest >> bits) == 0; ++read) {
      if (read >= count_) {
        if (rest == 0) {
          count_ = 0;
          point_ = 0;
          return;
        }
        while ((rest >> bits) == 0) {
          rest *= 10;
          ++read;
        }
        break;
      }
      rest = rest * 10 + digit(read);
    }
    point_ -= read - 1;
    for (; read < count_; ++read) {
      const auto next = static_cast<unsigned>(rest >> bits);
      rest = (rest & mask) * 10 + digit(read);
      set(write++, next);
    }
    count_ = write;
    while (rest != 0) {
      append(static_cast<int>(rest >> bits));
      rest = (rest & mask) * 10;
    }
    trim();
  }

  bool rounds_up(int at) const noexcept {
    if (at < 0 || at >= count_) return false;
    if (digit(at) == 5 && at + 1 == count_) {  // exactly half, as far as kept
      return cut_ || (at > 0 && digit(at - 1) % 2 != 0);
    }
    return digit(at) >= 5;
  }
  std::uint64_t rounded() const noexcept {
    std::uint64_t number = 0;
    for (int i = 0; i < point_; ++i) number = number * 10 + (i < count_ ? digit(i) : 0u);
    return number + (rounds_up(point_) ? 1u : 0u);
  }

  int count_ = 0;
  int point_ = 0;     ///< the value is 0.d1d2d3... times 10^point
  bool cut_ = false;  ///< a digit that is not zero was cut off
  unsigned char digits_[(capacity + 20) /
                        2];  ///< two in each; and room for what multiply() adds before it cuts
};

/// What a JSON number's text says, before it is a double.
struct scanned_number {
  const char* first;          ///< of the digits
  const char* last;           ///< end of the digits, before an exponent
  const char* end;            ///< of the number
  std::uint64_t significand;  ///< all digits, where there are 19 or fewer
  std::int64_t exponent;      ///< decimal exponent of the significand
  std::int64_t spelled_exponent;
  std::ptrdiff_t digits;
};

/// The double nearest to a number, by hand. Its sign is not looked at, as in the two functions
/// below.
inline std::uint64_t double_bits_by_hand(const scanned_number& s) noexcept {
  return decimal(s.first, s.last, s.spelled_exponent).to_double_bits();
}

#if defined(__cpp_lib_to_chars)

/// The same by the standard library.
inline std::uint64_t double_bits_by_library(const scanned_number& s) noexcept {
  double number = 0;
  const std::from_chars_result result = std::from_chars(s.first, s.end, number);
  // Too large or too small: the library says which of them in different ways.
  return result.ec == std::errc() ? bits_of(number) : double_bits_by_hand(s);
}

#endif

inline std::uint64_t double_bits(const scanned_number& s) noexcept {
#if defined(__cpp_lib_to_chars)
#if FLT_EVAL_METHOD == 0
  // Both factors are exact doubles, so one operation rounds once (W. Clinger, 1990).
  constexpr double exact_powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                     1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                     1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (s.digits <= 19 && s.significand <= hidden_bit * 2 && s.exponent >= -22 && s.exponent <= 22) {
    const double exact = static_cast<double>(s.significand);
    return bits_of(s.exponent < 0 ? exact / exact_powers[-s.exponent]
                                  : exact * exact_powers[s.exponent]);
  }
#endif
  return double_bits_by_library(s);
#else
  return double_bits_by_hand(s);
#endif
}

/// Sets `out` to an integer that fits in 64 bits. False for any other, and for -0.
DEVICETWIN_ALWAYS_INLINE bool take_integer(const scanned_number& s, bool negative,
                                           number& out) noexcept {
  // Up to 19 digits cannot wrap; 20 digits that start with 1 have wrapped only if below 10^19.
  constexpr std::uint64_t ten_to_19 = 10000000000000000000u;
  const bool whole =
      s.digits < 20 || (s.digits == 20 && *s.first == '1' && s.significand >= ten_to_19);
  constexpr std::uint64_t largest = static_cast<std::uint64_t>(INT64_MAX);
  if (whole && s.significand <= largest && !(negative && s.significand == 0)) {
    out.stored_as = number::kind::signed_integer;
    out.i = static_cast<std::int64_t>(s.significand);
    if (negative) out.i = -out.i;
    return true;
  }
  if (whole && negative && s.significand == largest + 1) {
    out.stored_as = number::kind::signed_integer;
    out.i = INT64_MIN;
    return true;
  }
  if (whole && !negative) {
    out.stored_as = number::kind::unsigned_integer;
    out.u = s.significand;
    return true;
  }
  return false;
}

}  // namespace detail

inline number_end parse_number(const char* first, const char* last, number& out) noexcept {
  const char* p = first;
  const bool negative = p != last && *p == '-';
  if (negative) ++p;
  if (p == last) return {p, errc::unexpected_end};
  if (!core::is_digit(*p)) return {p, errc::invalid_number};

  detail::scanned_number s{p, p, p, 0, 0, 0, 0};
  if (*p == '0') {
    ++p;
    if (p != last && core::is_digit(*p)) return {p, errc::invalid_number};
  } else {
    for (; p != last && core::is_digit(*p); ++p) {
      s.significand = s.significand * 10 + static_cast<std::uint64_t>(*p - '0');
    }
  }
  const std::ptrdiff_t integer_digits = p - s.first;
  std::ptrdiff_t digits = integer_digits;
  bool integer = true;
  if (p != last && *p == '.') {
    integer = false;
    const char* fraction = ++p;
    for (; p != last && core::is_digit(*p); ++p) {
      s.significand = s.significand * 10 + static_cast<std::uint64_t>(*p - '0');
    }
    if (p == fraction) return {p, p == last ? errc::unexpected_end : errc::invalid_number};
    s.exponent = fraction - p;
    digits += p - fraction;
  }
  s.last = p;
  if (p != last && (*p == 'e' || *p == 'E')) {
    integer = false;
    ++p;
    const bool minus = p != last && *p == '-';
    if (p != last && (*p == '-' || *p == '+')) ++p;
    const char* exponent = p;
    for (; p != last && core::is_digit(*p); ++p) {
      // Beyond any number of digits that a text has, and no further.
      if (s.spelled_exponent < PTRDIFF_MAX / 11)
        s.spelled_exponent = s.spelled_exponent * 10 + (*p - '0');
    }
    if (p == exponent) return {p, p == last ? errc::unexpected_end : errc::invalid_number};
    if (minus) s.spelled_exponent = -s.spelled_exponent;
    s.exponent += s.spelled_exponent;
  }

  out.big_integer = false;
  s.end = p;
  s.digits = digits;
  if (integer) {
    if (detail::take_integer(s, negative, out)) return {p, errc::ok};
    out.big_integer = s.significand != 0 || digits > 1;
  }
  std::uint64_t bits = detail::double_bits(s);
  if ((bits >> detail::mantissa_bits) == detail::infinite_exponent) {
    return {first, errc::number_overflow};
  }
  if (negative) bits |= std::uint64_t{1} << 63;
  out.stored_as = number::kind::real;
  out.d = detail::double_of_bits(bits);
  return {p, errc::ok};
}

inline number_end skip_number(const char* first, const char* last) noexcept {
  const char* p = first;
  bool missing = false;
  const auto digits = [&] {  // at least one
    missing = p == last || !core::is_digit(*p);
    while (p != last && core::is_digit(*p)) ++p;
  };
  const auto stop = [&]() -> number_end {
    return {p, p == last ? errc::unexpected_end : errc::invalid_number};
  };
  if (p != last && *p == '-') ++p;
  if (p != last && *p == '0') {
    ++p;
    if (p != last && core::is_digit(*p)) return {p, errc::invalid_number};
  } else {
    digits();
    if (missing) return stop();
  }
  if (p != last && *p == '.') {
    ++p;
    digits();
    if (missing) return stop();
  }
  if (p != last && (*p == 'e' || *p == 'E')) {
    ++p;
    if (p != last && (*p == '-' || *p == '+')) ++p;
    digits();
    if (missing) return stop();
  }
  return {p, errc::ok};
}

namespace detail {

inline char* write_digits(char* out, std::uint64_t number) noexcept {
  int count = 1;
  for (std::uint64_t rest = number; rest >= 10; rest = divide_by_ten(rest).quotient) ++count;
  char* const end = out + count;
  for (char* at = end; at != out;) {
    const tenth cut = divide_by_ten(number);
    *--at = static_cast<char>('0' + cut.rest);
    number = cut.quotient;
  }
  return end;
}

/// The digits of a double, without zeros at either end: 0.digits * 10^point. The fewest that read
/// back to the same double, and of several numbers with as many, the nearest.
struct double_digits {
  char digits[20];
  int count;
  int point;
};

/// Finds them by hand, for a number above zero.
inline double_digits digits_by_hand(std::uint64_t bits) noexcept {
  const int stored = static_cast<int>(bits >> mantissa_bits);
  std::uint64_t mantissa = bits & (hidden_bit - 1);
  const bool lower_is_closer = mantissa == 0 && stored > 1;
  if (stored != 0) mantissa |= hidden_bit;
  const int exponent = (stored == 0 ? 1 : stored) - exponent_bias - mantissa_bits;
  double_digits found;
  // Fifteen digits always read back to what they were before, so where fewer do, they are these;
  // but subnormal numbers have less precision. Seventeen always suffice.
  for (int digits = stored == 0 ? 1 : 15;; ++digits) {
    decimal d(mantissa, exponent);
    d.round_to(digits);
    std::uint64_t significand = d.significand();
    for (int size = d.size(); size < digits; ++size) significand *= 10;
    const int power = d.point() - digits;
    bool same = digits == 17 || d.to_double_bits() == bits;
    if (!same && lower_is_closer) {
      // Next to a power of two the nearest may be too far below, and its neighbour near enough.
      const char* const end = write_digits(found.digits, ++significand);
      same = decimal(found.digits, end, power).to_double_bits() == bits;
    }
    if (!same) continue;
    found.count = static_cast<int>(write_digits(found.digits, significand) - found.digits);
    found.point = power + found.count;
    while (found.digits[found.count - 1] == '0') --found.count;
    return found;
  }
}

#if defined(__cpp_lib_to_chars)

/// Finds them by the standard library.
inline double_digits digits_by_library(std::uint64_t bits) noexcept {
  char text[max_number_chars];
  const std::to_chars_result end =
      std::to_chars(text, text + sizeof text, double_of_bits(bits), std::chars_format::scientific);
  double_digits found;
  found.count = 0;
  const char* p = text;  // d.ddde-xx
  for (; *p != 'e'; ++p) {
    if (*p != '.') found.digits[found.count++] = *p;
  }
  const bool negative = *++p == '-';
  int exponent = 0;
  while (++p != end.ptr) exponent = exponent * 10 + (*p - '0');
  found.point = (negative ? -exponent : exponent) + 1;
  return found;
}

#endif

#if FLT_EVAL_METHOD == 0

/// Finds them for a number of few decimals, as measured values mostly are; false for others.
/// Numbers of fifteen digits all become different doubles. So one that becomes this double is the
/// only one, and the division shows that it does, for it rounds once.
inline bool digits_of_few_decimals(double number, double_digits& found) noexcept {
  constexpr struct {
    double scale;
    int decimals;
  } tries[] = {{1e3, 3}, {1e6, 6}};
  for (const auto& t : tries) {
    const double scaled = number * t.scale;
    if (!(scaled < 1e15)) return false;
    std::uint64_t whole = static_cast<std::uint64_t>(scaled + 0.5);
    if (static_cast<double>(whole) / t.scale != number) continue;
    int power = -t.decimals;
    for (; power < 0 && whole % 10 == 0; ++power) whole /= 10;
    found.count = static_cast<int>(write_digits(found.digits, whole) - found.digits);
    found.point = power + found.count;
    while (found.digits[found.count - 1] == '0') --found.count;
    return true;
  }
  return false;
}

#endif

/// Finds them in the quickest way, for a number above zero.
inline double_digits shortest_digits(std::uint64_t bits) noexcept {
#if defined(__cpp_lib_to_chars)
#if FLT_EVAL_METHOD == 0
  double_digits found;
  if (digits_of_few_decimals(double_of_bits(bits), found)) return found;
#endif
  return digits_by_library(bits);
#else
  return digits_by_hand(bits);
#endif
}

}  // namespace detail

inline char* to_chars(char* buffer, std::uint64_t number) noexcept {
  return detail::write_digits(buffer, number);
}

inline char* to_chars(char* buffer, std::int64_t number) noexcept {
  if (number >= 0) return detail::write_digits(buffer, static_cast<std::uint64_t>(number));
  *buffer++ = '-';
  return detail::write_digits(buffer, ~static_cast<std::uint64_t>(number) + 1);
}

inline char* to_chars(char* buffer, double number) noexcept {
  std::uint64_t bits = detail::bits_of(number);
  char* out = buffer;
  if ((bits >> 63) != 0) *out++ = '-';
  bits &= ~(std::uint64_t{1} << 63);
  if (bits == 0) {
    std::memcpy(out, "0.0", 3);
    return out + 3;
  }
  const detail::double_digits shortest = detail::shortest_digits(bits);
  const int count = shortest.count, point = shortest.point;
  const auto copy = [&out, &shortest](int from, int to) {
    while (from < to) *out++ = shortest.digits[from++];
  };
  const auto zeros = [&out](int how_many) {
    while (how_many-- > 0) *out++ = '0';
  };
  if (count <= point && point <= 21) {
    copy(0, count);
    zeros(point - count);
    *out++ = '.';
    *out++ = '0';
  } else if (0 < point && point <= 21) {
    copy(0, point);
    *out++ = '.';
    copy(point, count);
  } else if (-6 < point && point <= 0) {
    *out++ = '0';
    *out++ = '.';
    zeros(-point);
    copy(0, count);
  } else {
    copy(0, 1);
    if (count > 1) *out++ = '.';
    copy(1, count);
    *out++ = 'e';
    out = to_chars(out, static_cast<std::int64_t>(point - 1));
  }
  return out;
}

namespace detail {

/// An integer against a finite double, exactly: the double must be whole and within 64 bits.
/// Without arithmetic on doubles, which takes 2 KB where the processor has none.
inline bool same_integer(bool negative, std::uint64_t magnitude, double real) noexcept {
  const std::uint64_t bits = bits_of(real);
  if (bits << 1 == 0) return magnitude == 0;  // either zero
  const int exponent = static_cast<int>(bits >> mantissa_bits & infinite_exponent) - exponent_bias;
  if (negative != (bits >> 63 != 0) || exponent < 0 || exponent > 63) return false;
  const std::uint64_t mantissa = (bits & (hidden_bit - 1)) | hidden_bit;
  if (exponent >= mantissa_bits) return mantissa << (exponent - mantissa_bits) == magnitude;
  const int fraction = mantissa_bits - exponent;
  return mantissa << (64 - fraction) == 0 && mantissa >> fraction == magnitude;
}
/// Two finite doubles.
inline bool same_real(double a, double b) noexcept {
  return bits_of(a) == bits_of(b) || (bits_of(a) | bits_of(b)) << 1 == 0;
}

}  // namespace detail

inline bool same_number(const number& a, const number& b) noexcept {
  using kind = number::kind;
  if (a.stored_as == b.stored_as)
    return a.stored_as == kind::real ? detail::same_real(a.d, b.d) : a.u == b.u;
  if (a.stored_as != kind::real && b.stored_as != kind::real) return false;  // disjoint ranges
  const number& integer = a.stored_as == kind::real ? b : a;
  const number& real = a.stored_as == kind::real ? a : b;
  const bool negative = integer.stored_as == kind::signed_integer && integer.i < 0;
  return detail::same_integer(negative, negative ? ~integer.u + 1 : integer.u, real.d);
}

}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
