// Typed access to values.
#include <devicetwin/json/get.hpp>

#include <cstdint>
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
