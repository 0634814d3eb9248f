// Copies of a twin that are kept by notifications and events.
#include "../support/twin.hpp"

#include <string>

#include "../support/random_json.hpp"

TEST_CASE("a back end's copy follows the events", "[twin][mirror]") {
  for (unsigned seed = 0; seed < 60; ++seed) {
    INFO(seed);
    random_json random(seed);
    test_twin x;
    devicetwin::twin copy;
    REQUIRE(!copy.load(x.view()));
    devicetwin::outcome told;
    for (int i = 0; i < 20; ++i) {
      json::error e;
      switch (random.below(4)) {
        case 0:
          e = x.desire(random.object(1));
          break;
        case 1:
          e = x.service("{\"tags\":" + random.object(1) +
                        ",\"properties\":{\"desired\":" + random.object(1) + "}}");
          break;
        case 2:
          e = x.replace(random.object(1));
          break;
        default:
          e = x.report(random.object(1));
      }
      if (e || !x.done.effective()) continue;
      const std::string event(x.done.event());
      const bool whole = event.find("deviceId") != std::string::npos;
      if (whole) {
        devicetwin::twin next;
        REQUIRE(!next.load(event));
        CHECK(are_equal(next.desired(), x.t.desired()));
        REQUIRE(!copy.load(x.view()));  // the identity is not all in the event
        continue;
      }
      const json::error refused = copy.apply_event(event, told);
      INFO(event);
      INFO(refused.message());
      REQUIRE(!refused);
      CHECK(are_equal(copy, x.t));
      CHECK(copy.in_sync() == x.t.in_sync());
      CHECK(told.size() == x.done.size());
      CHECK(told.etag() == x.done.etag());
      CHECK(copy.apply_event(event, told).code() == errc::precondition_failed);  // not twice
    }
  }
}

TEST_CASE("an event that is none is refused with its place", "[twin][mirror]") {
  test_twin x;
  const std::string before = x.view();
  devicetwin::outcome done;
  for (
      const auto& [event, code, pointer] : {
          std::tuple{R"([])", errc::not_a_twin, ""},
          std::tuple{R"({})", errc::not_a_twin, "/version"},
          std::tuple{R"({"version":"3"})", errc::not_a_twin, "/version"},
          std::tuple{R"({"version":4})", errc::precondition_failed, ""},
          std::tuple{R"({"version":3,"tags":1})", errc::not_a_twin, "/tags"},
          std::tuple{R"({"version":3,"properties":{"desired":{"a":1}}})", errc::not_a_twin,
                     "/properties/desired"},
          std::tuple{
              R"({"version":3,"properties":{"desired":{"a":1,"$metadata":{"$lastUpdated":"now"},"$version":2}}})",
              errc::not_a_twin, "/properties/desired"},
          std::tuple{
              R"({"version":3,"properties":{"desired":{"a.b":1,"$metadata":{"$lastUpdated":"2026-01-01T00:00:00Z"},"$version":2}}})",
              errc::forbidden_name, "/properties/desired/a.b"},
          std::tuple{R"({"version":3,"properties":{"other":{}}})", errc::not_writable,
                     "/properties/other"},
      }) {
    INFO(event);
    const json::error e = x.t.apply_event(event, done);
    CHECK(e.code() == code);
    CHECK(e.pointer() == pointer);
    CHECK(x.view() == before);
    CHECK(!done.effective());
  }
}

TEST_CASE("a device's copy follows the notifications", "[twin][mirror]") {
  test_twin x;
  devicetwin::twin copy;
  std::string device_view;
  REQUIRE(!devicetwin::write_device_view(x.t, device_view));
  REQUIRE(!copy.load(device_view));
  devicetwin::outcome told;
  REQUIRE(!x.desire(R"({"a":{"b":1,"c":2}})"));
  REQUIRE(!copy.apply_notification(x.done.notification(), at(1), told));
  CHECK(told.size() == 1);
  REQUIRE(!x.replace(R"({"a":{"c":2},"d":[1]})"));
  const std::string second(x.done.notification());
  CHECK(second == R"({"a":{"c":2,"b":null},"d":[1],"$version":3})");
  REQUIRE(!copy.apply_notification(second, at(2), told));
  CHECK(written(copy.desired()) == written(x.t.desired()));
  CHECK(copy.desired_version() == 3);
  CHECK(copy.apply_notification(second, at(3), told).code() == errc::precondition_failed);
  CHECK(copy.apply_notification(R"({"a":1,"$version":5})", at(3), told).code() ==
        errc::precondition_failed);
  CHECK(copy.apply_notification(R"({"a":1})", at(3), told).pointer() == "/$version");
  CHECK(copy.desired_version() == 3);
}

TEST_CASE("a copy holds the text of a section against its dialect's limit", "[twin][mirror]") {
  devicetwin::dialect rules = devicetwin::azure;
  rules.max_text = 20;
  const std::string members = R"("a":[[],[],[]],"b":0)";  // with their braces 22 bytes
  test_twin x;
  REQUIRE(!x.desire(R"({"a":[[],[],[]]})"));
  devicetwin::twin device(rules), service(rules);
  REQUIRE(!device.load(x.view()));
  REQUIRE(!service.load(x.view()));
  devicetwin::outcome told;

  REQUIRE(!x.desire(R"({"b":0})"));
  json::error e = device.apply_notification(x.done.notification(), at(1), told);
  CHECK(e.code() == errc::section_text_too_long);
  CHECK(e.limit() == 20);
  CHECK(e.actual() == members.size() + 2);
  e = service.apply_event(x.done.event(), told);
  CHECK(e.code() == errc::section_text_too_long);
  CHECK(e.pointer() == "/properties/desired");
  CHECK(e.limit() == 20);
  for (const devicetwin::twin* copy : {&device, &service}) {  // nothing was taken
    CHECK(written(copy->desired()) == R"({"a":[[],[],[]]})");
    CHECK(copy->desired_version() == 2);
  }

  rules.max_text = members.size() + 2;  // to the byte
  REQUIRE(!device.apply_notification(x.done.notification(), at(1), told));
  REQUIRE(!service.apply_event(x.done.event(), told));
  CHECK(device.text_size(part::desired) == members.size() + 2);
  rules.max_text = 10;  // what does not grow is taken
  REQUIRE(!x.desire(R"({"b":1})"));
  REQUIRE(!device.apply_notification(x.done.notification(), at(2), told));
  REQUIRE(!service.apply_event(x.done.event(), told));
  CHECK(written(device.desired()) == written(x.t.desired()));
  CHECK(written(service.desired()) == written(x.t.desired()));
}
