// Times as text.
#include <devicetwin/twin/stamp.hpp>

#include <cstdint>
#include <random>
#include <string>

#include "../catch.hpp"
#include "../support/reference_twin.hpp"
#include "../support/time.hpp"

TEST_CASE("timestamps are written and read", "[stamp]") {
  const auto text = [](devicetwin::timestamp t) {
    char buffer[devicetwin::max_timestamp_chars];
    return std::string(buffer, devicetwin::format_timestamp(buffer, t));
  };
  for (const char* same :
       {"1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z",
        "2026-03-02T06:41:17.2150812Z", "2000-02-29T12:00:00.5Z", "2024-02-29T00:00:00Z",
        "1969-12-31T23:59:59.9999999Z", "1600-03-01T00:00:00.01Z"}) {
    INFO(same);
    const auto time = devicetwin::parse_timestamp(same);
    REQUIRE(time);
    CHECK(text(*time) == same);
  }
  CHECK(*devicetwin::parse_timestamp("1970-01-01T00:00:01Z") == at(devicetwin::ticks_per_second));
  CHECK(*devicetwin::parse_timestamp("0001-01-01T00:00:00Z") == devicetwin::first_timestamp);
  CHECK(*devicetwin::parse_timestamp("9999-12-31T23:59:59.9999999Z") == devicetwin::last_timestamp);
  CHECK(text(*devicetwin::parse_timestamp("2026-01-31T12:00:00.1000000+01:30")) ==
        "2026-01-31T10:30:00.1Z");
  CHECK(text(*devicetwin::parse_timestamp("0001-01-01T00:00:00")) == "0001-01-01T00:00:00Z");
  CHECK(text(*devicetwin::parse_timestamp("2026-01-31T12:00:00.12345678Z")) ==
        "2026-01-31T12:00:00.1234567Z");
  CHECK(text(at(INT64_MIN)) == "0001-01-01T00:00:00Z");
  CHECK(text(at(INT64_MAX)) == "9999-12-31T23:59:59.9999999Z");
  for (const char* wrong :
       {"", "2026", "2015-02-30T16:24:48.789Z", "2023-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00ZZ", "2026-01-01T00:00:00+1", "0000-01-01T00:00:00Z",
        "2026-01-01T00:00:00+24:00", "x026-01-01T00:00:00Z"}) {
    INFO(wrong);
    CHECK(devicetwin::parse_timestamp(wrong).error().code() ==
          devicetwin::json::errc::invalid_time);
  }
  // Every day of four centuries, against plain counting.
  std::int64_t day = 0;
  for (int year = 1970; year < 2370; ++year) {
    for (int month = 1; month <= 12; ++month) {
      for (int d = 1; d <= devicetwin::detail::days_in_month(year, month); ++d, ++day) {
        if (devicetwin::detail::days_of(year, month, d) != day) FAIL(year);
      }
    }
  }
  CHECK(text(at(day * 86400 * devicetwin::ticks_per_second)) == "2370-01-01T00:00:00Z");
}

TEST_CASE("times are written as ISO 8601", "[stamp]") {
  const auto text = [](devicetwin::timestamp t) {
    char buffer[devicetwin::max_timestamp_chars];
    return std::string(buffer, devicetwin::format_timestamp(buffer, t));
  };
  CHECK(text(at(0)) == "1970-01-01T00:00:00Z");
  CHECK(text(at(-1)) == "1969-12-31T23:59:59.9999999Z");
  CHECK(text(at(2500000)) == "1970-01-01T00:00:00.25Z");
  CHECK(text(devicetwin::first_timestamp) == "0001-01-01T00:00:00Z");
  CHECK(text(devicetwin::last_timestamp) == "9999-12-31T23:59:59.9999999Z");
  CHECK(text(at(INT64_MIN)) == "0001-01-01T00:00:00Z");
  CHECK(text(at(INT64_MAX)) == "9999-12-31T23:59:59.9999999Z");
  std::mt19937_64 random(2);
  for (int i = 0; i < 20000; ++i) {
    const auto range = static_cast<std::uint64_t>(devicetwin::last_timestamp.ticks -
                                                  devicetwin::first_timestamp.ticks);
    const auto t =
        at(devicetwin::first_timestamp.ticks + static_cast<std::int64_t>(random() % range));
    const std::string written = text(t);
    if (written != reference::time_text(t.ticks)) CHECK(written == reference::time_text(t.ticks));
    const auto back = devicetwin::parse_timestamp(written);
    if (!back || *back != t) CHECK(written.empty());
  }
}

TEST_CASE("times are read as ISO 8601 writes them", "[stamp]") {
  const auto read = [](const char* text) { return devicetwin::parse_timestamp(text); };
  CHECK(*read("1970-01-01T00:00:00Z") == at(0));
  CHECK(*read("1970-01-01T00:00:00") == at(0));
  CHECK(*read("1970-01-01t00:00:00z") == at(0));
  CHECK(*read("1970-01-01T00:00:00.0Z") == at(0));
  CHECK(*read("1970-01-01T00:00:00.123456789Z") == at(1234567));
  CHECK(*read("1970-01-01T00:00:00.00000009") == at(0));
  CHECK(*read("1970-01-01T02:00:00+02:00") == at(0));
  CHECK(*read("1969-12-31T22:30:00-01:30") == at(0));
  CHECK(*read("0001-01-01T00:00:00") == devicetwin::first_timestamp);
  CHECK(read("2000-02-29T00:00:00Z"));
  CHECK(read("2024-02-29T00:00:00Z"));
  for (const char* bad : {"",
                          "never",
                          "2015-02-30T16:24:48.789Z",
                          "1900-02-29T00:00:00Z",
                          "2023-02-29T00:00:00Z",
                          "2020-00-01T00:00:00Z",
                          "2020-13-01T00:00:00Z",
                          "2020-01-00T00:00:00Z",
                          "2020-04-31T00:00:00Z",
                          "2020-01-01T24:00:00Z",
                          "2020-01-01T00:60:00Z",
                          "2020-01-01T00:00:60Z",
                          "2020-01-01T00:00:00.Z",
                          "2020-01-01T00:00:00ZZ",
                          "2020-01-01 00:00:00Z",
                          "2020-01-01",
                          "0000-01-01T00:00:00Z",
                          "2020-01-01T00:00:00+24:00",
                          "2020-01-01T00:00:00+0200",
                          "2020-01-01T00:00:00+02:60",
                          "+2020-01-01T00:00:00Z",
                          "20200-01-01T00:00:00Z",
                          "2020-1-1T00:00:00Z",
                          "2020-01-01T00:00:00.1.2Z"}) {
    INFO(bad);
    CHECK(read(bad).error().code() == devicetwin::json::errc::invalid_time);
  }
}

TEST_CASE("stamps are equal when both time and version are", "[stamp]") {
  const devicetwin::stamp s{at(1), 2};
  CHECK(s == devicetwin::stamp{at(1), 2});
  CHECK(s != devicetwin::stamp{at(2), 2});
  CHECK(s != devicetwin::stamp{at(1), 3});
}
