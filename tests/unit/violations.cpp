// What a check against a dialect found.
#include <devicetwin/twin/violations.hpp>

#include <algorithm>
#include <cstdint>

#include "../catch.hpp"

using devicetwin::part;
using devicetwin::validation;
using devicetwin::violation;
using devicetwin::json::errc;

TEST_CASE("a report has the violations in the order in which they were added", "[violations]") {
  validation report;
  CHECK(report.empty());
  REQUIRE(report.add(part::desired, errc::forbidden_name));
  REQUIRE(report.add(part::reported, errc::string_too_long));
  REQUIRE(report.size() == 2);
  CHECK_FALSE(report.empty());
  CHECK(report[0].where == part::desired);
  CHECK(report[0].what.code() == errc::forbidden_name);
  CHECK(report[1].where == part::reported);
  CHECK(report[1].what.code() == errc::string_too_long);
  CHECK(std::count_if(report.begin(), report.end(),
                      [](const violation& v) { return v.where == part::reported; }) == 1);
}

TEST_CASE("a section without a known limit has all the room there is", "[violations]") {
  const validation report;
  for (const part p : {part::tags, part::desired, part::reported})
    CHECK(report.head_room(p) == INT64_MAX);
}

TEST_CASE("a report that was cleared is empty and can be filled again", "[violations]") {
  validation report;
  REQUIRE(report.add(part::tags, errc::array_forbidden));
  report.clear();
  CHECK(report.empty());
  CHECK(report.begin() == report.end());
  REQUIRE(report.add(part::tags, errc::forbidden_name));
  CHECK(report[0].what.code() == errc::forbidden_name);
}

TEST_CASE("a report without memory refuses a violation and keeps what it has", "[violations]") {
  validation report(devicetwin::memory_source::none());
  CHECK_FALSE(report.add(part::tags, errc::forbidden_name));
  CHECK(report.empty());
}
