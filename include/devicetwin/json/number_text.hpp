/// When two numbers of JSON texts are equal: the two definitions, both without a tree.
///
/// Trees hold integers of 64 bits and doubles, and compare what they hold (same_number() in
/// number.hpp). A text holds decimal numbers of any length, and nothing here rounds one unless the
/// caller asks for that.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view

#include "../base/inline.hpp"
#include "number.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {

/// When two numbers of texts are equal.
enum class text_numbers : unsigned char {
  /// When their decimal values are the same: 1, 1.0 and 10e-1 are equal, and so are 0 and -0.
  /// Nothing is rounded: 1e-400
  /// is not 0, and 0.1 is not 0.10000000000000001.
  exact,
  /// When they are exactly equal, or at least one of them has a point or an exponent and both round
  /// to the same double.
  /// For a text compared with one that came from a system that stores such numbers as doubles.
  as_stored
};

/// Whether two JSON numbers (RFC 8259, section 6) are equal. False when one of the texts is not a
/// number. Cost: linear in the two texts, whatever the exponents are. No memory.
[[nodiscard]] inline bool same_number_text(std::string_view a, std::string_view b,
                                           text_numbers rule = text_numbers::exact) noexcept;

// ---------------------------------------------------------------------------------------------

namespace detail {

/// Where the parts of a number are in its text. The value is d.ddd * 10^(lead + the exponent),
/// where d.ddd are the digits from `first` on.
struct spelled_number {
  const char* first;     ///< the first digit that is not zero; equal to `last` when there is none
  const char* last;      ///< behind the digits; a point may be among them
  std::int64_t lead;     ///< the power of ten of the first digit, without the exponent
  const char* exponent;  ///< its digits, without leading zeros
  const char* exponent_end;
  bool negative;
  bool negative_exponent;
  bool integer;  ///< neither a point nor an exponent

  bool zero() const noexcept { return first == last; }
};

/// False when the text is not a number.
inline bool read_spelled(std::string_view text, spelled_number& n) noexcept {
  const char* p = text.data();
  const char* const end = p + text.size();
  n.negative = p != end && *p == '-';
  if (n.negative) ++p;
  if (p == end || !core::is_digit(*p)) return false;
  const char* point = nullptr;
  n.first = nullptr;
  for (; p != end; ++p) {
    if (*p == '.' && point == nullptr) {
      point = p;
    } else if (!core::is_digit(*p)) {
      break;
    } else if (n.first == nullptr && *p != '0') {
      n.first = p;
    }
  }
  n.last = p;
  if (n.first == nullptr) n.first = p;
  n.integer = point == nullptr && p == end;
  if (point == nullptr) point = p;
  n.lead = n.first < point ? point - n.first - 1 : point - n.first;
  n.negative_exponent = false;
  if (p != end && (*p == 'e' || *p == 'E')) {
    ++p;
    n.negative_exponent = p != end && *p == '-';
    if (p != end && (*p == '-' || *p == '+')) ++p;
    if (p == end) return false;
  }
  while (p != end && *p == '0') ++p;
  n.exponent = p;
  while (p != end && core::is_digit(*p)) ++p;
  n.exponent_end = p;
  return p == end;
}

/// Whether the first digits of two numbers stand for the same power of ten. Exponents may have any
/// number of digits.
inline bool same_power(const spelled_number& a, const spelled_number& b) noexcept {
  // The difference of the exponents, digit by digit. Once it is this large, no digit that follows
  // can bring it back to the difference of the leads, which is less than the length of a text.
  constexpr std::int64_t beyond_any_text = 100000000000000000;
  const auto signed_digit = [](const spelled_number& n, std::ptrdiff_t from_end) {
    if (n.exponent_end - n.exponent < from_end) return 0;
    const int digit = n.exponent_end[-from_end] - '0';
    return n.negative_exponent ? -digit : digit;
  };
  std::ptrdiff_t left = a.exponent_end - a.exponent;
  if (b.exponent_end - b.exponent > left) left = b.exponent_end - b.exponent;
  std::int64_t difference = 0;
  for (; left != 0; --left) {
    difference = difference * 10 + signed_digit(a, left) - signed_digit(b, left);
    if (difference > beyond_any_text || difference < -beyond_any_text) return false;
  }
  return difference == b.lead - a.lead;
}

/// Whether two numbers have the same digits but for zeros at their ends.
inline bool same_digits(const spelled_number& a, const spelled_number& b) noexcept {
  const char* p = a.first;
  const char* q = b.first;
  for (;;) {
    if (p != a.last && *p == '.') ++p;
    if (q != b.last && *q == '.') ++q;
    if (p == a.last && q == b.last) return true;
    const char x = p == a.last ? '0' : *p++;
    const char y = q == b.last ? '0' : *q++;
    if (x != y) return false;
  }
}

inline bool same_decimal(const spelled_number& a, const spelled_number& b) noexcept {
  if (a.zero() || b.zero()) return a.zero() && b.zero();
  return a.negative == b.negative && same_power(a, b) && same_digits(a, b);
}

/// The bits of the double that a number's text rounds to. False when there is none.
inline bool nearest_double_of(std::string_view text, const spelled_number& spelled,
                              std::uint64_t& bits) noexcept {
  number n;
  if (parse_number(text.data(), text.data() + text.size(), n).code != errc::ok) return false;
  if (n.stored_as == number::kind::real) {
    bits = bits_of(n.d);
  } else {  // not by a cast, which takes a kilobyte of code where doubles are not in hardware
    const auto integer =
        n.stored_as == number::kind::unsigned_integer ? n.u : static_cast<std::uint64_t>(n.i);
    scanned_number scanned{};
    scanned.first = spelled.first;
    scanned.last = scanned.end = spelled.last;
    scanned.significand = spelled.negative ? 0 - integer : integer;
    scanned.digits = spelled.last - spelled.first;
    bits = double_bits(scanned) | std::uint64_t{spelled.negative} << 63;
  }
  return true;
}

/// Whether an integer of a text, within the range of doubles, is a double exactly.
DEVICETWIN_NEVER_INLINE inline bool is_double_exactly(std::string_view integer) noexcept {
  if (integer.front() == '-') integer.remove_prefix(1);
  decimal value(integer.data(), integer.data() + integer.size(), 0);
  static_cast<void>(value.to_double_bits());
  return value.was_double();
}

/// Whether two numbers are of the same type, as trees have it: an integer, or a double. -0 is a
/// double.
inline bool same_number_type(std::string_view a, std::string_view b) noexcept {
  spelled_number x, y;
  if (!read_spelled(a, x) || !read_spelled(b, y)) return false;
  return (x.integer && !(x.negative && x.zero())) == (y.integer && !(y.negative && y.zero()));
}

/// The integer of 64 bits, and its sign, that a number's text means, however it is spelled.
/// wrong_type when the text is not a number, number_out_of_range when it means something else.
inline errc integer_of(std::string_view text, bool& negative, std::uint64_t& magnitude) noexcept {
  spelled_number n;
  if (!read_spelled(text, n)) return errc::wrong_type;
  negative = n.negative;
  magnitude = 0;
  if (n.zero()) return errc::ok;
  if (n.exponent_end - n.exponent > 18) return errc::number_out_of_range;
  std::int64_t power = 0;
  for (const char* p = n.exponent; p != n.exponent_end; ++p) power = power * 10 + (*p - '0');
  power = n.lead + (n.negative_exponent ? -power : power);
  if (power < 0 || power > 19) return errc::number_out_of_range;
  const char* p = n.first;
  for (; power >= 0; --power) {
    if (p != n.last && *p == '.') ++p;
    const auto digit = static_cast<std::uint64_t>(p == n.last ? 0 : *p++ - '0');
    if (magnitude > (UINT64_MAX - digit) / 10) return errc::number_out_of_range;
    magnitude = magnitude * 10 + digit;
  }
  for (; p != n.last; ++p) {  // behind the point
    if (*p != '.' && *p != '0') return errc::number_out_of_range;
  }
  return errc::ok;
}

}  // namespace detail

inline bool same_number_text(std::string_view a, std::string_view b, text_numbers rule) noexcept {
  detail::spelled_number x, y;
  if (!detail::read_spelled(a, x) || !detail::read_spelled(b, y)) return false;
  if (detail::same_decimal(x, y)) return true;
  if (rule == text_numbers::exact || (x.integer && y.integer)) return false;
  std::uint64_t p = 0, q = 0;
  if (!detail::nearest_double_of(a, x, p) || !detail::nearest_double_of(b, y, q)) return false;
  return p == q || (p | q) << 1 == 0;  // 0 and -0
}

}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
