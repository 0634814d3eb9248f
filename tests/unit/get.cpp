// Typed access to values.
#include <devicetwin/json/get.hpp>

#include <devicetwin/json/find_text.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "../support/json.hpp"

TEST_CASE("get gives the value or says why not", "[get]") {
  const auto d = parsed(
      R"({"b":true,"i":-5,"u":18446744073709551615,"d":1.5,"w":3.0,"s":"x\u0000y","big":9007199254740993,"n":null,"huge":1e300})");
  CHECK(*json::get<bool>(d, "/b"));
  CHECK(*json::get<std::int64_t>(d, "/i") == -5);
  CHECK(*json::get<std::int64_t>(d, "/w") == 3);
  CHECK(*json::get<std::uint64_t>(d, "/u") == UINT64_MAX);
  CHECK(*json::get<double>(d, "/i") == -5.0);
  CHECK(*json::get<double>(d, "/d") == 1.5);
  CHECK(*json::get<std::string_view>(d, "/s") == std::string_view("x\0y", 3));
  const auto code = [&](auto result) { return result.error().code(); };
  CHECK(code(json::get<std::int64_t>(d, "/u")) == errc::number_out_of_range);
  CHECK(code(json::get<std::uint64_t>(d, "/i")) == errc::number_out_of_range);
  CHECK(code(json::get<std::int64_t>(d, "/d")) == errc::number_out_of_range);
  CHECK(code(json::get<std::int64_t>(d, "/huge")) == errc::number_out_of_range);
  CHECK(code(json::get<std::uint64_t>(d, "/huge")) == errc::number_out_of_range);
  CHECK(code(json::get<double>(d, "/big")) == errc::number_out_of_range);
  CHECK(code(json::get<double>(d, "/u")) == errc::number_out_of_range);
  CHECK(code(json::get<bool>(d, "/n")) == errc::wrong_type);
  CHECK(code(json::get<std::string_view>(d, "/i")) == errc::wrong_type);
  CHECK(code(json::get<double>(d, "/s")) == errc::wrong_type);
  CHECK(code(json::get<double>(d, "/zzz")) == errc::not_found);
  CHECK(json::get<double>(d, "/s").error().pointer() == "/s");
  CHECK(json::get<double>(d, "/s").value_or(7) == 7);
}

namespace {

/// What an integer type holds at most and at least, and that get() and get_text() stop there.
template <class T>
void check_limits() {
  const std::string largest = std::to_string((std::numeric_limits<T>::max)());
  const std::string smallest = std::to_string((std::numeric_limits<T>::min)());
  CAPTURE(largest, smallest);
  CHECK(*json::get<T>(parsed(largest)) == (std::numeric_limits<T>::max)());
  CHECK(*json::get<T>(parsed(smallest)) == (std::numeric_limits<T>::min)());
  CHECK(*json::get_text<T>(largest) == (std::numeric_limits<T>::max)());
  CHECK(*json::get_text<T>(smallest) == (std::numeric_limits<T>::min)());
  for (const bool negative : {false, true}) {
    std::string beyond = negative ? smallest : largest;  // one more, or one less
    if (beyond == "0")
      beyond = "-1";
    else
      ++beyond.back();  // no limit ends with a 9
    CAPTURE(beyond);
    CHECK(json::get_text<T>(beyond).error().code() == errc::number_out_of_range);
    if (negative && sizeof(T) == 8) continue;  // rounded in a tree, it is the smallest
    json::document d;
    json::read_options round;
    round.big_integers = json::big_integer_rule::round;
    REQUIRE(!json::read(beyond, d, round));
    CHECK(json::get<T>(d).error().code() == errc::number_out_of_range);
  }
  for (const char* text : {"1.0", "1e0", "10e-1"}) {
    CHECK(*json::get<T>(parsed(text)) == 1);
    CHECK(*json::get_text<T>(text) == 1);
  }
  for (const char* text : {"1.5", "1e300", "-1e300"}) {
    CHECK(json::get<T>(parsed(text)).error().code() == errc::number_out_of_range);
    CHECK(json::get_text<T>(text).error().code() == errc::number_out_of_range);
  }
  CHECK(*json::get<T>(parsed("-0.0")) == 0);
  CHECK(*json::get_text<T>("-0.0") == 0);
  for (const char* text : {"true", "\"1\"", "null", "[1]"}) {
    CHECK(json::get<T>(parsed(text)).error().code() == errc::wrong_type);
    CHECK(json::get_text<T>(text).error().code() == errc::wrong_type);
  }
}

}  // namespace

TEST_CASE("get returns any integer type, up to its limits", "[get]") {
  check_limits<std::int8_t>();
  check_limits<std::uint8_t>();
  check_limits<short>();
  check_limits<unsigned short>();
  check_limits<int>();
  check_limits<unsigned>();
  check_limits<long>();
  check_limits<unsigned long>();
  check_limits<long long>();
  check_limits<unsigned long long>();
  CHECK(*json::get<std::int64_t>(parsed("-9223372036854775808.0")) == INT64_MIN);
  CHECK(json::get<std::int64_t>(parsed("9223372036854775808.0")).error().code() ==
        errc::number_out_of_range);
  CHECK(*json::get<std::uint64_t>(parsed("9223372036854775808.0")) == std::uint64_t{1} << 63);
  CHECK(json::get<std::uint64_t>(parsed("18446744073709551616.0")).error().code() ==
        errc::number_out_of_range);
}

TEST_CASE("get returns a decimal as the nearest float, an integer only exactly", "[get]") {
  const auto both = [](const char* text, float wanted) {
    CAPTURE(text);
    const auto of_value = json::get<float>(parsed(text));
    const auto of_text = json::get_text<float>(text);
    return of_value && of_text && *of_value == wanted && *of_text == wanted &&
           std::signbit(*of_value) == std::signbit(wanted) &&
           std::signbit(*of_text) == std::signbit(wanted);
  };
  constexpr float largest = (std::numeric_limits<float>::max)();
  CHECK(both("0.1", 0.1F));
  CHECK(both("-2.5", -2.5F));
  CHECK(both("-0.0", -0.0F));
  CHECK(both("1e-60", 0.0F));
  CHECK(both("1e-45", std::numeric_limits<float>::denorm_min()));
  CHECK(both("16777216", 16777216.0F));
  CHECK(both("16777217.0", 16777216.0F));
  CHECK(both("3.4028235e38", largest));
  CHECK(both("3.4028235677973362e38", largest));
  CHECK(both("-3.4028235e38", -largest));
  for (const char* text : {"16777217", "-16777217", "18446744073709551615", "3.4028235677973366e38",
                           "1e39", "-1e39"}) {
    CAPTURE(text);
    CHECK(json::get<float>(parsed(text)).error().code() == errc::number_out_of_range);
    CHECK(json::get_text<float>(text).error().code() == errc::number_out_of_range);
  }
  CHECK(*json::get_text<float>("18446744073709551616") == 18446744073709551616.0F);
  CHECK(json::get_text<float>("18446744073709555712").error().code() ==
        errc::number_out_of_range);  // 2^64 + 2^12, which is a double
  CHECK(*json::get_text<double>("18446744073709555712") == 18446744073709555712.0);
}
