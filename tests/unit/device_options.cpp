// device/options.hpp: what a session does when nothing else is said. A change here is one for
// users.
#include <devicetwin/device/options.hpp>

#include <devicetwin/device/device_session.hpp>

#include <string>

#include "../catch.hpp"

using devicetwin::device_options;

TEST_CASE("a session's options are those that the documentation names", "[device_session]") {
  const device_options o;
  CHECK(o.rules == &devicetwin::azure);
  CHECK(o.who == devicetwin::authority::device);
  CHECK(o.conditional == false);
  CHECK(o.max_payload == devicetwin::dialect::unlimited);
  CHECK(o.max_kept == 4096);
  CHECK(o.time_out.count == 30'000);
  CHECK(o.retry_first.count == 1'000);
  CHECK(o.retry_longest.count == 300'000);
  CHECK(o.retry_first < o.retry_longest);
  CHECK(o.seed == 0);
}

TEST_CASE("a session keeps to the options that it was given", "[device_session]") {
  const auto first_topic = [](std::uint64_t seed) {
    device_options o;
    o.seed = seed;
    devicetwin::device_session session(o);
    REQUIRE(!session.connected(devicetwin::milliseconds{0}));
    std::string topics;
    for (const devicetwin::device_action& action : session.actions()) {
      if (action.kind == devicetwin::device_action::publish) topics += action.topic;
    }
    REQUIRE(!topics.empty());
    return topics;
  };
  CHECK(first_topic(1) == first_topic(1));
  CHECK(first_topic(1) != first_topic(2));
}
