// Dialects as data. twin_validate.cpp and twin.cpp test what they mean.
#include <devicetwin/twin/dialect.hpp>

#include <utility>

#include "../catch.hpp"

using devicetwin::dialect;
using devicetwin::part;

TEST_CASE("a dialect says its limits, and a copy of one can say others", "[dialect]") {
  CHECK(devicetwin::azure.max_size(part::tags) == 8192);
  CHECK(devicetwin::azure.max_size(part::desired) == 32768);
  CHECK(devicetwin::azure.max_size(part::reported) == 32768);
  CHECK(devicetwin::rfc7396.max_size(part::reported) == dialect::unlimited);
  dialect mine = devicetwin::azure;
  mine.max_reported = 8;
  CHECK(mine.max_size(part::reported) == 8);
  CHECK(devicetwin::azure.max_size(part::reported) == 32768);
}

TEST_CASE("each dialect has its own name, and no section deeper than views can show", "[dialect]") {
  const std::pair<const dialect*, const char*> all[] = {{&devicetwin::azure, "azure"},
                                                        {&devicetwin::edge_hub, "edge_hub"},
                                                        {&devicetwin::aws, "aws"},
                                                        {&devicetwin::ditto, "ditto"},
                                                        {&devicetwin::rfc7396, "rfc7396"}};
  for (const auto& [rules, name] : all) {
    CHECK(rules->name == name);
    CHECK(rules->max_depth <= dialect::deepest);
    CHECK(rules->max_integer > 0);
    CHECK(rules->min_integer < 0);
  }
  CHECK(devicetwin::edge_hub.max_string == devicetwin::azure.max_string);  // it is made of azure
}

TEST_CASE("each part has its name and its limit", "[dialect]") {
  CHECK(devicetwin::name_of(part::tags) == "tags");
  CHECK(devicetwin::name_of(part::desired) == "desired");
  CHECK(devicetwin::name_of(part::reported) == "reported");
  dialect mine;
  mine.max_tags = 1;
  mine.max_desired = 2;
  mine.max_reported = 3;
  CHECK(mine.max_size(part::tags) == 1);
  CHECK(mine.max_size(part::desired) == 2);
  CHECK(mine.max_size(part::reported) == 3);
}
