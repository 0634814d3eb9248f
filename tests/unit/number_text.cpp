// The equalities of numbers in texts, against a slow big decimal of the test's own.
#include <devicetwin/json/find_text.hpp>
#include <devicetwin/json/number.hpp>
#include <devicetwin/json/number_text.hpp>

#include <string>

#include "../catch.hpp"
#include "../support/spelled_numbers.hpp"

namespace json = devicetwin::json;
using json::same_number_text;
using json::text_numbers;

TEST_CASE("exact compares decimal values, however they are spelled", "[number_text]") {
  const char* same[][2] = {{"1", "1.0"},        {"1", "10e-1"},
                           {"1", "0.1e1"},      {"100", "1e2"},
                           {"1E+2", "100.000"}, {"0", "-0"},
                           {"0", "0.0e999"},    {"-0.0", "0e-7"},
                           {"1.50", "1.5"},     {"0.00012", "12e-5"},
                           {"1e00005", "1e5"},  {"1e-0", "1"},
                           {"-2.5", "-25e-1"},  {"89490200001234567890", "8949020000123456789e1"}};
  for (const auto& pair : same) {
    INFO(pair[0] << " " << pair[1]);
    CHECK(same_number_text(pair[0], pair[1]));
    CHECK(same_number_text(pair[1], pair[0]));
    CHECK(same_number_text(pair[0], pair[1], text_numbers::as_stored));
  }
  const char* different[][2] = {{"1", "-1"},
                                {"1", "2"},
                                {"1", "10"},
                                {"1", "1.0000000000000000000000000000000001"},
                                {"1e-400", "0"},
                                {"1e400", "1e401"},
                                {"12", "21"},
                                {"89490200001234567890", "89490200001234567891"},
                                {"9007199254740993", "9007199254740992.0"},
                                {"0.1", "0.10000000000000001"},
                                {"0.1", "0.01"}};
  for (const auto& pair : different) {
    INFO(pair[0] << " " << pair[1]);
    CHECK(!same_number_text(pair[0], pair[1]));
    CHECK(!same_number_text(pair[1], pair[0]));
  }
}

TEST_CASE("as_stored adds what rounds to the same double, where one is not spelled as an integer",
          "[number_text]") {
  const auto stored = [](std::string_view a, std::string_view b) {
    CHECK(same_number_text(b, a, text_numbers::as_stored) ==
          same_number_text(a, b, text_numbers::as_stored));
    return same_number_text(a, b, text_numbers::as_stored);
  };
  CHECK(stored("0.1", "0.10000000000000001"));
  CHECK(stored("3.14159265358979323846", "3.141592653589793"));
  CHECK(stored("9007199254740993", "9007199254740992.0"));
  CHECK(stored("89490200001234567890", "8.949020000123457e19"));
  CHECK(stored("18446744073709551615", "18446744073709551616.0"));
  CHECK(stored("1e-400", "0"));
  CHECK(stored("1e-400", "-2e-500"));
  CHECK(!stored("9007199254740993", "9007199254740992"));
  CHECK(!stored("89490200001234567890", "89490200001234567891"));
  CHECK(!stored("1e400", "2e400"));
  CHECK(stored("1e400", "10e399"));
  CHECK(!stored("1e400", "1e308"));
  CHECK(!stored("0.1", "0.1000000000000001"));
  CHECK(!stored("1", "x"));
}

TEST_CASE("exponents of any length are compared exactly", "[number_text]") {
  CHECK(same_number_text("10e999999999999999999999", "1e1000000000000000000000"));
  CHECK(same_number_text("0.001e1000000000000000000002", "1e999999999999999999999"));
  CHECK(same_number_text("1e-999999999999999999999", "100e-1000000000000000000001"));
  CHECK(!same_number_text("1e999999999999999999999", "1e1000000000000000000000"));
  CHECK(!same_number_text("1e999999999999999999999", "1e-999999999999999999999"));
  CHECK(!same_number_text("1e18446744073709551616", "1"));
  CHECK(!same_number_text("1e18446744073709551617", "10"));
  CHECK(!same_number_text("1e-18446744073709551616", "1"));
  CHECK(same_number_text("0e999999999999999999999", "0"));
  const std::string nines(1000, '9');
  CHECK(same_number_text("10e" + nines, "1e1" + std::string(1000, '0')));
  CHECK(!same_number_text("10e" + nines, "1e" + nines));
  CHECK(same_number_text("1e" + std::string(1000, '0') + "5", "100000"));
}

TEST_CASE("numbers with long exponents are equal as the reference has it", "[number_text]") {
  spelled_numbers::random_spelling random(13);
  std::size_t equal = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string exponents[2] = {std::string(static_cast<std::size_t>(20 + random.below(3)),
                                            random.below(2) == 0 ? '9' : '0'),
                                {}};
    exponents[0].front() = static_cast<char>('1' + random.below(9));
    exponents[0].back() = static_cast<char>('0' + random.below(10));
    exponents[1] = spelled_numbers::sum(exponents[0], random.below(5) - 2);
    std::string texts[2];
    const std::string sign = random.below(2) == 0 ? "-" : "";
    for (int k = 0; k < 2; ++k) {
      const int zeros = random.below(3);
      texts[k] = (random.below(2) == 0 ? "0." : "") +
                 std::string(random.below(2) == 0 ? "12" : "1") +
                 std::string(static_cast<std::size_t>(zeros), '0') + "e" + sign + exponents[k];
    }
    INFO(texts[0] << " " << texts[1]);
    const bool same = spelled_numbers::decimal(texts[0]) == spelled_numbers::decimal(texts[1]);
    equal += same;
    REQUIRE(same_number_text(texts[0], texts[1]) == same);
    REQUIRE(same_number_text(texts[1], texts[0]) == same);
  }
  CHECK(equal > 100);
}

TEST_CASE("numbers of a hundred thousand digits are compared to the last", "[number_text]") {
  const std::string digits = "7" + std::string(99998, '3');
  CHECK(same_number_text(digits + "1", digits + "1.000"));
  CHECK(!same_number_text(digits + "1", digits + "2"));
  CHECK(same_number_text("0." + digits, digits + "e-99999"));
  CHECK(same_number_text("1" + std::string(100000, '0'), "1e100000"));
  CHECK(same_number_text("0." + std::string(99999, '0') + "1", "1e-100000"));
}

TEST_CASE("what is not a number equals nothing", "[number_text]") {
  for (const char* text :
       {"", "-", "x", ".", "1x", "1.2.3", "1e", "1e+", "-e", "e5", "\"1\"", "null"}) {
    INFO(text);
    CHECK(!same_number_text(text, text));
    CHECK(!same_number_text(text, "1"));
    CHECK(!same_number_text("1", text, text_numbers::as_stored));
  }
}

TEST_CASE("both equalities hold for random spellings as the reference has it", "[number_text]") {
  spelled_numbers::random_spelling random(12);
  std::size_t equal = 0;
  for (int i = 0; i < 30000; ++i) {
    const auto [a, b] = random.pair();
    INFO(a << " and " << b);
    const bool same = spelled_numbers::decimal(a) == spelled_numbers::decimal(b);
    equal += same;
    REQUIRE(same_number_text(a, b) == same);
    REQUIRE(same_number_text(b, a) == same);
    REQUIRE(same_number_text(a, b, text_numbers::as_stored) == spelled_numbers::as_stored(a, b));
    REQUIRE(same_number_text(b, a, text_numbers::as_stored) == spelled_numbers::as_stored(b, a));
  }
  CHECK(equal > 3000);
  CHECK(equal < 27000);
}

TEST_CASE("skip_number goes where parse_number goes, at any size", "[number_text]") {
  const char alphabet[] = "0123456789.eE+-01";
  std::uint32_t seed = 1;
  for (int i = 0; i < 200000; ++i) {
    std::string text;
    for (int n = static_cast<int>((seed = seed * 1664525u + 1013904223u) >> 24) % 9; n >= 0; --n) {
      text += alphabet[((seed = seed * 1664525u + 1013904223u) >> 16) % (sizeof alphabet - 1)];
    }
    json::number ignored;
    const char* const end = text.data() + text.size();
    const auto parsed = json::parse_number(text.data(), end, ignored);
    const auto skipped = json::skip_number(text.data(), end);
    INFO(text);
    if (parsed.code == json::errc::number_overflow) {
      REQUIRE(skipped.code == json::errc::ok);
    } else {
      REQUIRE(skipped.code == parsed.code);
      REQUIRE(skipped.end == parsed.end);
    }
  }
}

TEST_CASE("an integer is got from a text however it is spelled, and only exactly",
          "[number_text]") {
  CHECK(*json::get_text<std::int64_t>("200.0") == 200);
  CHECK(*json::get_text<std::int64_t>("2e2") == 200);
  CHECK(*json::get_text<std::int64_t>("9007199254740993.0") == 9007199254740993);
  CHECK(*json::get_text<std::int64_t>("900719925474099.3e1") == 9007199254740993);
  CHECK(*json::get_text<std::int64_t>("-9223372036854775808.000") == INT64_MIN);
  CHECK(*json::get_text<std::uint64_t>("18446744073709551615.0") == UINT64_MAX);
  CHECK(*json::get_text<std::uint64_t>("-0.0") == 0);
  CHECK(*json::get_text<int>("-2147483648") == INT32_MIN);
  for (const char* text :
       {"1.5", "0.1", "9007199254740993.5", "9223372036854775808", "-9223372036854775809", "1e19",
        "1e400", "1e-400", "1e999999999999999999999", "89490200001234567890"}) {
    INFO(text);
    CHECK(json::get_text<std::int64_t>(text).error().code() == json::errc::number_out_of_range);
  }
  CHECK(json::get_text<std::uint64_t>("18446744073709551616").error().code() ==
        json::errc::number_out_of_range);
  CHECK(json::get_text<std::uint64_t>("-1").error().code() == json::errc::number_out_of_range);
  CHECK(json::get_text<int>("2147483648").error().code() == json::errc::number_out_of_range);
  CHECK(json::get_text<int>("1x").error().code() == json::errc::wrong_type);
  CHECK(json::get_text<double>("1e400").error().code() == json::errc::number_out_of_range);
}
