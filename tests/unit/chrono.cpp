// Times of std::chrono become the library's and come back.
#include <devicetwin/base/chrono.hpp>

#include <chrono>

#include "../catch.hpp"
#include "../support/time.hpp"

using namespace std::chrono;
using devicetwin::timestamp;

TEST_CASE("a point in time of the system's clock becomes a timestamp, rounded down to 100 ns",
          "[chrono]") {
  const auto from = [](nanoseconds since_1970) {
    return devicetwin::to_timestamp(
        system_clock::time_point(duration_cast<system_clock::duration>(since_1970)));
  };
  CHECK(from(nanoseconds(0)) == at(0));
  CHECK(from(nanoseconds(100)) == at(1));
  CHECK(from(seconds(1)) == at(devicetwin::ticks_per_second));
  if (system_clock::period::den == 1'000'000'000) {
    CHECK(from(nanoseconds(199)) == at(1));
    CHECK(from(nanoseconds(-1)) == at(-1));
    CHECK(from(nanoseconds(-100)) == at(-1));
    CHECK(from(nanoseconds(-101)) == at(-2));
  }
}

TEST_CASE("a timestamp comes back from the system's clock as it was", "[chrono]") {
  for (const std::int64_t seconds_since : {std::int64_t{0}, std::int64_t{1'772'433'677},
                                           std::int64_t{-86'400}, std::int64_t{9'000'000'000}}) {
    const timestamp time = at(seconds_since * devicetwin::ticks_per_second + 2'150'810);
    CHECK(devicetwin::to_timestamp(devicetwin::to_time_point(time)) == time);
    CHECK(floor<seconds>(devicetwin::to_time_point(time).time_since_epoch()).count() ==
          seconds_since);
  }
}

TEST_CASE("the timestamp of now is between two readings of the clock", "[chrono]") {
  const timestamp before = devicetwin::to_timestamp(system_clock::now());
  const timestamp now = devicetwin::timestamp_now();
  CHECK(before <= now);
  CHECK(now <= devicetwin::to_timestamp(system_clock::now()));
}

TEST_CASE("durations become milliseconds, rounded down", "[chrono]") {
  static_assert(devicetwin::to_milliseconds(seconds(2)) == ms(2000));
  CHECK(devicetwin::to_milliseconds(microseconds(1999)) == ms(1));
  CHECK(devicetwin::to_milliseconds(microseconds(-1)) == ms(-1));
  CHECK(devicetwin::to_milliseconds(hours(1)) == ms(3'600'000));
  CHECK(devicetwin::to_milliseconds(duration<double>(0.25)) == ms(250));
  const auto before = devicetwin::milliseconds_now();
  CHECK(before <= devicetwin::milliseconds_now());
}
