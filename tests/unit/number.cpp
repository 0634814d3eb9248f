#include <devicetwin/json/number.hpp>

#include <cmath>
#include <cstdlib>
#include <random>
#include <string>

#include "../catch.hpp"

namespace json = devicetwin::json;
using json::errc;
using json::number;

namespace {

number parse(const std::string& text) {
  number n;
  const auto end = json::parse_number(text.data(), text.data() + text.size(), n);
  INFO(text);
  REQUIRE(end.code == errc::ok);
  REQUIRE(end.end == text.data() + text.size());
  return n;
}

errc code_of(const std::string& text) {
  number n;
  return json::parse_number(text.data(), text.data() + text.size(), n).code;
}

std::string print(double d) {
  char buffer[json::max_number_chars];
  return std::string(buffer, json::to_chars(buffer, d));
}

std::uint64_t bits(double d) { return json::detail::bits_of(d); }

}  // namespace

TEST_CASE("parse_number keeps 64-bit integers exactly", "[number]") {
  CHECK(parse("0").i == 0);
  CHECK(parse("9007199254740993").i == 9007199254740993);
  CHECK(parse("9223372036854775807").i == INT64_MAX);
  CHECK(parse("-9223372036854775808").i == INT64_MIN);
  CHECK(parse("9223372036854775808").stored_as == number::kind::unsigned_integer);
  CHECK(parse("18446744073709551615").u == UINT64_MAX);
}

TEST_CASE("parse_number makes -0 a double and larger integers the nearest double", "[number]") {
  CHECK(parse("-0").stored_as == number::kind::real);
  CHECK(std::signbit(parse("-0").d));
  CHECK(!parse("-0").big_integer);
  CHECK(std::signbit(parse("-0.0").d));
  CHECK(parse("18446744073709551616").d == 18446744073709551616.0);
  CHECK(parse("18446744073709551616").big_integer);
  CHECK(parse("-9223372036854775809").d == -9223372036854775808.0);
  CHECK(parse("28446744073709551616").big_integer);
  CHECK(!parse("1e30").big_integer);
}

TEST_CASE("parse_number refuses what is no JSON number", "[number]") {
  for (const char* text :
       {"01", "-01", "1.", "1.e5", ".5", "+1", "1e", "1e+", "-", "", "-x", "00"}) {
    INFO(text);
    CHECK((code_of(text) == errc::invalid_number || code_of(text) == errc::unexpected_end));
  }
  for (const char* text : {"1e400", "-1e400", "1.7976931348623159e308", "1e99999999999999999999"}) {
    INFO(text);
    CHECK(code_of(text) == errc::number_overflow);
  }
  CHECK(code_of(std::string(400, '9')) == errc::number_overflow);
}

TEST_CASE("parse_number rounds as strtod does", "[number]") {
  for (const char* text :
       {"0.1", "5e-324", "2.4703282292062327e-324", "2.4703282292062328e-324", "1e-400", "0.0e109",
        "0e999", "1.7976931348623157e308", "1.7976931348623158e308",
        "0.324315470366742364179071e-330", "2.2250738585072011e-308", "2.2250738585072014e-308",
        "9007199254740993.0", "1e23", "7946.673302800612353898530286e305",
        "0.184467440737095516159", "1e-99999999999999999999",
        "100000000000000000000000000000000000000000000e-40", "100e307"}) {
    const std::string spelled(text);
    INFO(spelled);
    number n;
    const auto end = json::parse_number(text, text + spelled.size(), n);
    const double expected = std::strtod(text, nullptr);
    if (std::isinf(expected)) {
      CHECK(end.code == errc::number_overflow);
    } else {
      CHECK(bits(n.d) == bits(expected));
    }
  }
}

TEST_CASE("parse_number decides ties by every digit there is", "[number]") {
  const std::string half = "9007199254740992.5";  // between two neighbours after 2^53
  CHECK(parse("9007199254740993." + std::string(700, '0')).d == 9007199254740992.0);
  CHECK(parse("9007199254740993." + std::string(700, '0') + "1").d == 9007199254740994.0);
  CHECK(parse("9007199254740993." + std::string(900, '0') + "1").d == 9007199254740994.0);
  CHECK(parse(half).d == 9007199254740992.0);
}

TEST_CASE("numbers survive printing and reading, against the C library", "[number]") {
  std::mt19937_64 random(20261123);
  for (int i = 0; i < 20000; ++i) {
    std::uint64_t pattern = random();
    if (i % 5 == 0) pattern &= ~std::uint64_t{0xFFFFFFFF};
    if (i % 7 == 0) pattern &= 0x800FFFFFFFFFFFFFu;
    const double d = json::detail::double_of_bits(pattern);
    if (!std::isfinite(d)) continue;
    const std::string text = print(d);
    INFO(text);
    CHECK(text.size() <= json::max_number_chars);
    CHECK(bits(std::strtod(text.c_str(), nullptr)) == pattern);
    CHECK(bits(parse(text).d) == pattern);
    CHECK(text.find_first_of(".e") != std::string::npos);
  }
  for (int i = 0; i < 20000; ++i) {
    std::string text(1, static_cast<char>('1' + random() % 9));
    const auto digits = static_cast<std::size_t>(i % 100 == 0 ? 800 : random() % 30);
    for (std::size_t k = 0; k < digits; ++k) text += static_cast<char>('0' + random() % 10);
    text += ".5e" + std::to_string(static_cast<int>(random() % 660) - 340);
    const double expected = std::strtod(text.c_str(), nullptr);
    INFO(text);
    if (std::isinf(expected)) {
      CHECK(code_of(text) == errc::number_overflow);
    } else {
      CHECK(bits(parse(text).d) == bits(expected));
    }
  }
}

TEST_CASE("the long-hand conversion alone is exact too", "[number]") {
  std::mt19937_64 random(7);
  for (int i = 0; i < 3000; ++i) {
    const std::string digits = std::to_string(random());
    const int exponent = static_cast<int>(random() % 700) - 350;
    json::detail::decimal d(digits.data(), digits.data() + digits.size(), exponent);
    const double expected = std::strtod((digits + "e" + std::to_string(exponent)).c_str(), nullptr);
    CHECK(d.to_double_bits() == bits(expected));
  }
}

TEST_CASE("to_chars lays doubles out as documented", "[number]") {
  CHECK(print(0.0) == "0.0");
  CHECK(print(-0.0) == "-0.0");
  CHECK(print(1.0) == "1.0");
  CHECK(print(-1.5) == "-1.5");
  CHECK(print(0.1) == "0.1");
  CHECK(print(100.0) == "100.0");
  CHECK(print(0.000001) == "0.000001");
  CHECK(print(1e-7) == "1e-7");
  CHECK(print(1e21) == "1e21");
  CHECK(print(1e20) == "100000000000000000000.0");
  CHECK(print(123456.789) == "123456.789");
  CHECK(print(0.30000000000000004) == "0.30000000000000004");
  CHECK(print(1e23) == "1e23");
  CHECK(print(1.7976931348623157e308) == "1.7976931348623157e308");
  CHECK(print(5e-324) == "5e-324");
  CHECK(print(9007199254740993.0) == "9007199254740992.0");
}

TEST_CASE("a double is printed with the fewest digits that read back to it", "[number]") {
  std::mt19937_64 random(11);
  const auto check = [](std::uint64_t pattern) {
    const double d = json::detail::double_of_bits(pattern);
    if (!std::isfinite(d) || pattern == 0) return;
    const json::detail::double_digits found = json::detail::digits_by_hand(pattern);
    const std::string digits(found.digits, static_cast<std::size_t>(found.count));
    INFO(digits << " * 10^" << found.point);
    // By hand: not every C library's strtod rounds correctly.
    const auto reads_back = [&](const std::string& text, int point) {
      const int power = point - static_cast<int>(text.size());
      json::detail::decimal exact(text.data(), text.data() + text.size(), power);
      return exact.to_double_bits() == pattern;
    };
    CHECK(reads_back(digits, found.point));
    if (digits.size() == 1) return;
    // Neither of the two neighbours with one digit less does.
    std::string below = digits.substr(0, digits.size() - 1), above = below;
    int above_point = found.point;
    std::size_t at = above.size();
    while (at > 0 && above[at - 1] == '9') above[--at] = '0';
    if (at > 0) {
      ++above[at - 1];
    } else {
      above.insert(0, "1");
      ++above_point;
    }
    CHECK_FALSE(reads_back(below, found.point));
    CHECK_FALSE(reads_back(above, above_point));
  };
  for (unsigned exponent = 0; exponent < 2047; ++exponent) {  // powers of two and their neighbours
    for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
      check((std::uint64_t{exponent} << json::detail::mantissa_bits) + offset);
    }
  }
  for (int i = 0; i < 3000; ++i) check(random() >> 1);
  for (int i = 0; i < 300; ++i) check(random() >> (13 + i % 50));  // subnormal
}

#if defined(__cpp_lib_to_chars)
TEST_CASE("the conversion by hand and the standard library's agree in every digit and bit",
          "[number]") {
  std::mt19937_64 random(12);
  const auto check = [](std::uint64_t pattern) {
    if (pattern == 0 || !std::isfinite(json::detail::double_of_bits(pattern))) return;
    const auto hand = json::detail::digits_by_hand(pattern);
    const auto library = json::detail::digits_by_library(pattern);
    const std::string digits(hand.digits, static_cast<std::size_t>(hand.count));
    CHECK(digits == std::string(library.digits, static_cast<std::size_t>(library.count)));
    CHECK(hand.point == library.point);
  };
  for (unsigned exponent = 0; exponent < 2047; ++exponent) {
    for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
      check((std::uint64_t{exponent} << json::detail::mantissa_bits) + offset);
    }
  }
  for (int i = 0; i < 5000; ++i) check(random() >> 1);
  for (int i = 0; i < 300; ++i) check(random() >> (13 + i % 50));

  const auto compare = [](const std::string& text) {
    json::detail::scanned_number s{};
    s.first = text.data();
    const std::size_t e = text.find('e');
    s.last = text.data() + (e == std::string::npos ? text.size() : e);
    s.end = text.data() + text.size();
    if (e != std::string::npos)
      s.spelled_exponent = std::strtoll(text.c_str() + e + 1, nullptr, 10);
    INFO(text);
    CHECK(json::detail::double_bits_by_hand(s) == json::detail::double_bits_by_library(s));
  };
  for (const char* text :
       {"0", "0.0", "0e5", "1e400", "1e-400", "2.5e-324", "2.4703282292062327e-324",
        "2.4703282292062328e-324", "1.7976931348623157e308", "1.7976931348623158e308",
        "1.7976931348623159e308", "9007199254740992.5", "9007199254740993",
        "2.2250738585072011e-308", "2.2250738585072014e-308", "0.1", "1e23", "5e-324"}) {
    compare(text);
  }
  compare("9007199254740993." + std::string(900, '0') + "1");
  compare("0." + std::string(400, '0') + "1e400");
  compare(std::string(400, '9'));
  for (int i = 0; i < 5000; ++i) {
    std::string text(1, static_cast<char>('1' + random() % 9));
    const auto digits = static_cast<std::size_t>(i % 100 == 0 ? 800 : random() % 30);
    for (std::size_t k = 0; k < digits; ++k) text += static_cast<char>('0' + random() % 10);
    if (i % 2 == 0) text += ".5";
    compare(text + "e" + std::to_string(static_cast<int>(random() % 660) - 340));
  }
}
#endif

TEST_CASE("numbers of few decimals are printed as the conversion by hand prints them", "[number]") {
  std::mt19937_64 random(13);
  for (int i = 0; i < 20000; ++i) {
    const double scale = std::pow(10.0, i % 8);
    const double number = static_cast<double>((random() >> (10 + i % 53)) + 1) / scale;
    const auto hand = json::detail::digits_by_hand(bits(number));
    const auto found = json::detail::shortest_digits(bits(number));
    INFO(number);
    CHECK(std::string(found.digits, static_cast<std::size_t>(found.count)) ==
          std::string(hand.digits, static_cast<std::size_t>(hand.count)));
    CHECK(found.point == hand.point);
  }
}

TEST_CASE("to_chars writes integers", "[number]") {
  char buffer[json::max_number_chars];
  CHECK(std::string(buffer, json::to_chars(buffer, INT64_MIN)) == "-9223372036854775808");
  CHECK(std::string(buffer, json::to_chars(buffer, UINT64_MAX)) == "18446744073709551615");
  CHECK(std::string(buffer, json::to_chars(buffer, std::int64_t{0})) == "0");
}

TEST_CASE("same_number compares exactly across representations", "[number]") {
  CHECK(same_number(parse("1"), parse("1.0")));
  CHECK(same_number(parse("-0"), parse("0")));
  CHECK(same_number(parse("-5"), parse("-5.0")));
  CHECK(!same_number(parse("9007199254740993"), parse("9007199254740992.0")));
  CHECK(same_number(parse("9007199254740992"), parse("9007199254740992.0")));
  CHECK(!same_number(parse("18446744073709551615"), parse("18446744073709551616")));
  CHECK(same_number(parse("9223372036854775808"), parse("9223372036854775808.0")));
  CHECK(same_number(parse("-9223372036854775808"), parse("-9223372036854775808.0")));
  CHECK(!same_number(parse("18446744073709551615"), parse("-1")));
  CHECK(!same_number(parse("1"), parse("1.5")));
  CHECK(!same_number(parse("1"), parse("-1.0")));
}
