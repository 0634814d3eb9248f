// JSON numbers as texts: a slow and obvious decimal value to compare them by, and random spellings
// of related values.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>

namespace spelled_numbers {

/// The digits of a sum, of which the first number is larger than the amount of the second.
inline std::string sum(std::string digits, long long more) {
  for (std::size_t i = digits.size(); i-- != 0 && more != 0;) {
    more += digits[i] - '0';
    long long digit = more % 10;
    if (digit < 0) digit += 10;
    digits[i] = static_cast<char>('0' + digit);
    more = (more - digit) / 10;
  }
  if (more != 0) digits.insert(0, std::to_string(more));
  return digits.substr(digits.find_first_not_of('0'));
}

/// The value of a number's text, written in one way only: its sign, all digits of an integer
/// without zeros at either end, and the power of ten of the last one.
inline std::string decimal(const std::string& text) {
  std::string digits;
  long long exponent = 0;
  bool fraction = false;
  std::size_t i = text[0] == '-' ? 1 : 0;
  for (; i < text.size() && text[i] != 'e' && text[i] != 'E'; ++i) {
    if (text[i] == '.') {
      fraction = true;
      continue;
    }
    digits += text[i];
    if (fraction) --exponent;
  }
  std::string spelled = i < text.size() ? text.substr(i + 1) : "0";
  const bool negative = spelled[0] == '-';
  if (negative || spelled[0] == '+') spelled.erase(0, 1);
  spelled.erase(0, spelled.find_first_not_of('0'));
  const bool huge = spelled.size() > 15;
  if (!huge) exponent += (negative ? -1 : 1) * std::atoll(spelled.c_str());
  while (!digits.empty() && digits.back() == '0') {
    digits.pop_back();
    ++exponent;
  }
  digits.erase(0, digits.find_first_not_of('0'));
  if (digits.empty()) return "0";
  const std::string power =
      huge ? (negative ? "-" : "") + sum(spelled, negative ? -exponent : exponent)
           : std::to_string(exponent);
  return (text[0] == '-' ? "-" : "") + digits + "e" + power;
}

inline bool is_integer(const std::string& text) {
  return text.find_first_of(".eE") == std::string::npos;
}

/// Whether two numbers are equal as json::text_numbers::as_stored has it.
inline bool as_stored(const std::string& a, const std::string& b) {
  if (decimal(a) == decimal(b)) return true;
  if (is_integer(a) && is_integer(b)) return false;
  const double x = std::strtod(a.c_str(), nullptr);
  const double y = std::strtod(b.c_str(), nullptr);
  return std::isfinite(x) && x == y;
}

class random_spelling {
 public:
  explicit random_spelling(unsigned seed) : random_(seed) {}

  /// Of one value, or of two that are close or far apart.
  std::pair<std::string, std::string> pair() {
    const std::string first = digits(1 + below(30));
    std::string second = first;
    int shift = below(60) - 40;
    const int first_shift = shift;
    bool negative = below(4) == 0;
    const bool first_negative = negative;
    switch (below(8)) {
      case 0:
        second = digits(1 + below(30));
        break;
      case 1:
        second[static_cast<std::size_t>(below(static_cast<int>(second.size())))] =
            static_cast<char>('0' + below(10));
        break;
      case 2:
        second.back() = static_cast<char>('0' + below(10));
        break;
      case 3:
        second += digits(1 + below(5));
        shift -= below(5);
        break;
      case 4:
        shift += below(3) - 1;
        break;
      case 5:
        negative = below(2) == 0;
        break;
      default:
        break;
    }
    return {spelled(first, first_shift, first_negative), spelled(second, shift, negative)};
  }
  /// A number whose value is `digits` times ten to the power of `shift`.
  std::string spelled(std::string digits, int shift, bool negative) {
    for (int zeros = below(4); zeros > 0; --zeros) {
      digits += '0';
      --shift;
    }
    std::string text;
    const int form = below(3);
    if (form == 0 && shift >= 0) {  // an integer
      text = digits + std::string(static_cast<std::size_t>(shift), '0');
    } else if (form == 1 && shift < 0) {  // a fraction
      const auto places = static_cast<std::size_t>(-shift);
      if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
      text = digits;
      text.insert(text.size() - places, ".");
    } else {  // with an exponent
      const auto places = static_cast<std::size_t>(below(static_cast<int>(digits.size())));
      text = digits;
      if (places != 0) text.insert(text.size() - places, ".");
      shift += static_cast<int>(places);
      std::string exponent = std::to_string(std::abs(shift));
      exponent.insert(0, static_cast<std::size_t>(below(3)), '0');
      text += below(2) == 0 ? "e" : "E";
      text += shift < 0 ? "-" : below(2) == 0 ? "+" : "";
      text += exponent;
    }
    // One zero at most before the point.
    std::size_t zeros = 0;
    while (zeros + 1 < text.size() && text[zeros] == '0' && text[zeros + 1] >= '0' &&
           text[zeros + 1] <= '9')
      ++zeros;
    return (negative ? "-" : "") + text.substr(zeros);
  }
  int below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(random_); }

 private:
  std::string digits(int count) {
    std::string text;
    for (; count > 0; --count) text += static_cast<char>('0' + (below(4) == 0 ? 0 : below(10)));
    return text;
  }
  std::mt19937 random_;
};

}  // namespace spelled_numbers
