// Points in time and durations.
#include <devicetwin/base/time.hpp>

#include <cstdint>

#include "../catch.hpp"
#include "../support/time.hpp"

TEST_CASE("points in time and durations are ordered", "[time]") {
  CHECK(at(1) < at(2));
  CHECK(at(2) > at(1));
  CHECK(at(1) <= at(1));
  CHECK(at(1) >= at(1));
  CHECK(at(1) != at(2));
  CHECK(at(1) == at(1));
  CHECK(ms(1) < ms(2));
  CHECK(ms(2) > ms(1));
  CHECK(ms(1) <= ms(1));
  CHECK(ms(1) >= ms(1));
  CHECK(ms(1) != ms(2));
  CHECK(ms(1) == ms(1));
  CHECK(devicetwin::never > ms(INT64_MAX - 1));
  CHECK(devicetwin::first_timestamp < devicetwin::timestamp());
  CHECK(devicetwin::last_timestamp > devicetwin::timestamp());
}
