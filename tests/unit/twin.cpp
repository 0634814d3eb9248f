// What both parties may write and what follows from it: versions, notifications, events, merging,
// protection.
#include "../support/twin.hpp"

#include <limits>
#include <string>
#include <vector>

using devicetwin::outcome;
using devicetwin::twin;

namespace {

/// Desired after a service's patch.
std::string patched(const std::string& desired, const std::string& patch,
                    const devicetwin::dialect& rules = devicetwin::azure) {
  twin t = twin_with(desired, "{}", rules);
  outcome done;
  const json::error e = t.service_patch(of_desired(patch), noon(), done);
  INFO(e.message());
  CHECK(!e);
  return written(t.desired());
}

/// What the device is told.
std::string notified(const std::string& desired, const std::string& patch, bool replace = false,
                     const devicetwin::dialect& rules = devicetwin::azure) {
  twin t = twin_with(desired, "{}", rules);
  outcome done;
  const json::error e = replace ? t.service_replace(of_desired(patch), noon(), done)
                                : t.service_patch(of_desired(patch), noon(), done);
  INFO(e.message());
  CHECK(!e);
  CHECK(done.wrote(part::desired) == !done.notification().empty());
  CHECK(t.desired_version() == (done.notification().empty() ? 1 : 2));
  return std::string(done.notification());
}

/// The code and pointer of a refusal, which must have changed nothing; "" when there was none.
template <class Act>
std::string refusal(twin& t, Act&& act) {
  outcome done;
  const std::string before = service_text(t);
  const json::error e = act(done);
  if (!e) return "";
  CHECK(service_text(t) == before);
  CHECK(!done.effective());
  CHECK(done.size() == 0);
  CHECK(done.version == 0);
  CHECK(done.notification().empty());
  CHECK(done.event().empty());
  return std::string(e.pointer()) + ": " + std::string(json::describe(e.code()));
}
std::string refused_of_device(const std::string& patch,
                              const devicetwin::dialect& rules = devicetwin::azure) {
  twin t = twin_with(R"({"a":1})", R"({"a":1})", rules);
  return refusal(t, [&](outcome& done) { return t.device_patch(patch, noon(), done); });
}
std::string refused_of_service(const std::string& patch,
                               const devicetwin::dialect& rules = devicetwin::azure,
                               bool replace = false) {
  twin t = twin_with(R"({"a":1})", R"({"a":1})", rules);
  return refusal(t, [&](outcome& done) {
    return replace ? t.service_replace(patch, noon(), done) : t.service_patch(patch, noon(), done);
  });
}

const std::string reserved = ": names that start with '$' are written by the service alone";
const std::string not_writable = ": this part may not be written by this party";

}  // namespace

TEST_CASE("a new twin has two empty sections at version 1", "[twin]") {
  twin t;
  outcome done;
  CHECK(t.identity().IsNull());
  CHECK(t.desired().IsNull());
  CHECK(t.version() == 0);
  REQUIRE(!t.create({"greenhouse-07"}, noon(), done));
  CHECK(t.version() == 2);
  CHECK(t.desired_version() == 1);
  CHECK(t.reported_version() == 1);
  CHECK(t.etag() == "AAAAAAAAAAE=");
  CHECK(t.device_id() == "greenhouse-07");
  CHECK(t.module_id().empty());
  CHECK(t.in_sync());
  CHECK(
      service_text(t) ==
      R"({"deviceId":"greenhouse-07","etag":"AAAAAAAAAAE=","deviceEtag":"MQ==","status":"enabled",)"
      R"("statusUpdateTime":"0001-01-01T00:00:00Z","connectionState":"Disconnected","lastActivityTime":"0001-01-01T00:00:00Z",)"
      R"("cloudToDeviceMessageCount":0,"authenticationType":"sas","x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},)"
      R"("modelId":"","version":2,"properties":{"desired":{"$metadata":{"$lastUpdated":"2026-01-31T12:00:00Z"},"$version":1},)"
      R"("reported":{"$metadata":{"$lastUpdated":"2026-01-31T12:00:00Z"},"$version":1}},"capabilities":{"iotEdge":false}})");
  CHECK(device_text(t) == R"({"desired":{"$version":1},"reported":{"$version":1}})");
}

TEST_CASE("a new twin needs an id", "[twin]") {
  twin t = fresh_twin();
  CHECK(refusal(t, [&](outcome& done) { return t.create({""}, noon(), done); }).substr(0, 10) ==
        "/deviceId:");
  CHECK(refusal(t, [&](outcome& done) {
          return t.create({"no spaces"}, noon(), done);
        }).substr(0, 10) == "/deviceId:");
  CHECK(refusal(t, [&](outcome& done) {
          return t.create({"d", "no/slash"}, noon(), done);
        }).substr(0, 10) == "/moduleId:");
  CHECK(refusal(t, [&](outcome& done) {
          return t.create({std::string(129, 'd')}, noon(), done);
        }).substr(0, 10) == "/deviceId:");
  outcome done;
  const std::string longest(128, 'd');
  CHECK(!t.create({longest, "m"}, noon(), done));
  CHECK(t.device_id() == longest);
  CHECK(t.module_id() == "m");
}

TEST_CASE("nothing can be written before there is a twin", "[twin]") {
  twin t;
  outcome done;
  devicetwin::validation report;
  CHECK(t.service_patch("{}", noon(), done).code() == errc::not_a_twin);
  CHECK(t.service_replace("{}", noon(), done).code() == errc::not_a_twin);
  CHECK(t.device_patch("{}", noon(), done).code() == errc::not_a_twin);
  CHECK(t.apply_notification(R"({"$version":1})", noon(), done).code() == errc::not_a_twin);
  CHECK(t.check_service_patch("{}", report).code() == errc::not_a_twin);
  std::string text;
  CHECK(devicetwin::write_service_view(t, text).code() == errc::not_a_twin);
  CHECK(devicetwin::write_device_view(t, text).code() == errc::not_a_twin);
  CHECK(devicetwin::write_lifecycle_event(t, text).code() == errc::not_a_twin);
  CHECK(text.empty());
}

// --- the notification to the device --------------------------------------------------------------

TEST_CASE("the notification of a patch has the members of the patch", "[twin][notification]") {
  CHECK(notified(R"({"a":1,"b":2})", R"({"a":-1})") == R"({"a":-1,"$version":2})");
}
TEST_CASE("the notification of a patch has values that did not change", "[twin][notification]") {
  CHECK(notified(R"({"a":1,"b":2})", R"({"a":1,"b":2})") == R"({"a":1,"b":2,"$version":2})");
}
TEST_CASE("the notification of a replacement has null for what is gone", "[twin][notification]") {
  CHECK(notified(R"({"a":1,"b":2})", R"({"a":1,"c":100})", true) ==
        R"({"a":1,"c":100,"b":null,"$version":2})");
  CHECK(notified(R"({"a":{"x":1,"y":2}})", R"({"a":{"y":2}})", true) ==
        R"({"a":{"y":2,"x":null},"$version":2})");
}
TEST_CASE("the notification of an emptied desired has null for every member",
          "[twin][notification]") {
  CHECK(notified(R"({"a":1,"b":{"c":2}})", "null") == R"({"a":null,"b":null,"$version":2})");
}
TEST_CASE("the notification has only what differs where only values count",
          "[twin][notification]") {
  CHECK(notified(R"({"a":1,"b":2})", R"({"a":1,"b":3})", false, devicetwin::rfc7396) ==
        R"({"b":3,"$version":2})");
  CHECK(notified(R"({"a":1,"b":2})", R"({"a":1,"b":2})", false, devicetwin::rfc7396).empty());
  CHECK(notified(R"({"a":1,"b":2})", R"({"a":1,"c":100})", true, devicetwin::rfc7396) ==
        R"({"c":100,"b":null,"$version":2})");
}
TEST_CASE("writes of reported, of tags or of nothing have no notification",
          "[twin][notification]") {
  twin t = twin_with(R"({"a":1})");
  outcome done;
  REQUIRE(!t.device_patch(R"({"a":1})", noon(), done));
  CHECK(done.notification().empty());
  REQUIRE(!t.service_patch(R"({"tags":{"a":1}})", noon(), done));
  CHECK(done.notification().empty());
  REQUIRE(!t.service_patch("{}", noon(), done));
  CHECK(done.notification().empty());
}

// --- versions ------------------------------------------------------------------------------------

TEST_CASE("desired's version counts its writes", "[twin][versions]") {
  twin t = fresh_twin();
  outcome done;
  CHECK(t.desired_version() == 1);
  REQUIRE(!t.service_patch(of_desired(R"({"a":1,"b":1})"), noon(), done));
  CHECK(t.desired_version() == 2);
  REQUIRE(!t.service_patch(R"({"tags":{"x":1}})", noon(), done));
  CHECK(t.desired_version() == 2);
  REQUIRE(!t.service_patch(R"({"tags":{"x":2},"properties":{"desired":{"a":2}}})", noon(), done));
  CHECK(t.desired_version() == 3);
  REQUIRE(!t.service_patch(of_desired(R"({"b":null})"), noon(), done));
  CHECK(t.desired_version() == 4);
  REQUIRE(!t.service_replace(of_desired(R"({"a":2})"), noon(), done));
  CHECK(t.desired_version() == 5);
}
TEST_CASE("reported's version counts the device's patches, equal values included",
          "[twin][versions]") {
  twin t = fresh_twin();
  outcome done;
  CHECK(t.reported_version() == 1);
  for (int version = 2; version < 5; ++version) {
    REQUIRE(!t.device_patch(R"({"a":1})", noon(), done));
    CHECK(t.reported_version() == version);
    CHECK(done.reported_version == version);
    CHECK(done.size() == (version == 2 ? 1u : 0u));
  }
}
TEST_CASE("the etag's counter counts the service's writes", "[twin][versions]") {
  twin t = fresh_twin();
  outcome done;
  CHECK(t.etag() == "AAAAAAAAAAE=");
  REQUIRE(!t.device_patch(R"({"a":1})", noon(), done));
  CHECK(t.etag() == "AAAAAAAAAAE=");
  CHECK(done.etag() == "AAAAAAAAAAE=");
  REQUIRE(!t.service_patch(R"({"tags":{"x":1}})", noon(), done));
  CHECK(t.etag() == "AAAAAAAAAAI=");
  REQUIRE(!t.service_patch(R"({"tags":{"x":1},"properties":{"desired":{"a":2}}})", noon(), done));
  CHECK(t.etag() == "AAAAAAAAAAM=");
  CHECK(done.etag() == "AAAAAAAAAAM=");
}
TEST_CASE("the root version counts all writes", "[twin][versions]") {
  twin t = fresh_twin();
  outcome done;
  CHECK(t.version() == 2);
  REQUIRE(!t.device_patch(R"({"a":1})", noon(), done));
  CHECK(t.version() == 3);
  REQUIRE(!t.service_patch(R"({"tags":{"x":1},"properties":{"desired":{"a":2}}})", noon(), done));
  CHECK(t.version() == 4);
  CHECK(done.version == 4);
  const auto view = parsed(service_text(t));
  CHECK(*json::get<std::int64_t>(view, "/version") == 4);
}

TEST_CASE("twins found in the wild load, and their next writes follow the law",
          "[twin][versions][load]") {
  struct sample {
    const char* name;
    std::uint64_t etag;
    std::int64_t desired, reported, version;
  };
  const sample samples[] = {{"a fresh twin", 1, 1, 1, 2},
                            {"iot-hub-device-update", 6, 2, 1, 7},
                            {"atc-azure-iot, with tags", 7, 4, 1, 8},
                            {"iotedge-lorawan-starterkit, with tags", 11, 1, 313, 324},
                            {"Device-385, with a tag", 22, 21, 2, 24},
                            {"Device-159", 20, 20, 1, 21},
                            {"java", 20, 20, 1, 21},
                            {"another stored twin", 18, 18, 444, 462},
                            {"before a reported write", 3, 2, 7, 10},
                            {"after a desired write", 4, 3, 7, 11},
                            {"after a tags write", 5, 3, 7, 12}};
  for (const sample& s : samples) {
    INFO(s.name);
    char etag[devicetwin::etag_chars];
    devicetwin::write_etag(s.etag, etag);
    const std::string text = R"({"deviceId":"d","etag":")" + std::string(etag, sizeof etag) +
                             R"(","version":)" + std::to_string(s.version) +
                             R"(,"tags":{"x":1},"properties":{"desired":{"a":1,"$version":)" +
                             std::to_string(s.desired) + R"(},"reported":{"b":1,"$version":)" +
                             std::to_string(s.reported) + "}}}";
    twin t = loaded_twin(text);
    CHECK(service_text(t) == text);
    const auto law = [&](std::uint64_t counter, std::int64_t desired, std::int64_t reported) {
      std::uint64_t is = 0;
      CHECK(devicetwin::read_etag(t.etag(), is));
      CHECK(is == counter);
      CHECK(t.desired_version() == desired);
      CHECK(t.reported_version() == reported);
      CHECK(t.version() == static_cast<std::int64_t>(counter) + reported);
    };
    law(s.etag, s.desired, s.reported);
    outcome done;
    REQUIRE(!t.device_patch(R"({"b":2})", noon(), done));
    law(s.etag, s.desired, s.reported + 1);
    REQUIRE(!t.service_patch(of_desired(R"({"a":2})"), noon(), done));
    law(s.etag + 1, s.desired + 1, s.reported + 1);
    REQUIRE(!t.service_patch(R"({"tags":{"x":2}})", noon(), done));
    law(s.etag + 2, s.desired + 1, s.reported + 1);
    REQUIRE(!t.service_replace(R"({"tags":{"y":2},"properties":{"desired":{}}})", noon(), done));
    law(s.etag + 3, s.desired + 2, s.reported + 1);
  }
}

TEST_CASE("a counter that cannot count on refuses the write", "[twin][versions]") {
  twin t = loaded_twin(
      R"({"deviceId":"d","etag":"AAAAAAAAAAE=","version":5,"properties":{"desired":{"$version":9223372036854775807},"reported":{"$version":9223372036854775807}}})");
  CHECK(refusal(t, [&](outcome& done) {
          return t.service_patch(of_desired(R"({"a":1})"), noon(), done);
        }).substr(0, 30) == "/properties/desired/$version: ");
  CHECK(refusal(t, [&](outcome& done) {
          return t.device_patch(R"({"a":1})", noon(), done);
        }).substr(0, 31) == "/properties/reported/$version: ");
  CHECK(refusal(t, [&](outcome& done) {
          return t.service_patch(R"({"tags":{"a":1}})", noon(), done);
        }) == "");
  t = loaded_twin(
      R"({"deviceId":"d","etag":"//////////8=","properties":{"desired":{},"reported":{}}})");
  CHECK(refusal(t, [&](outcome& done) {
          return t.service_patch(of_desired(R"({"a":1})"), noon(), done);
        }).substr(0, 6) == "/etag:");
  CHECK(refusal(t, [&](outcome& done) {
          return t.device_patch(R"({"a":1})", noon(), done);
        }).substr(0, 9) == "/version:");
  t = loaded_twin(
      R"({"deviceId":"d","etag":"x","version":9223372036854775807,"properties":{"desired":{},"reported":{}}})");
  CHECK(refusal(t, [&](outcome& done) {
          return t.service_patch(of_desired(R"({"a":1})"), noon(), done);
        }).substr(0, 9) == "/version:");
  CHECK(refusal(t, [&](outcome& done) {
          return t.device_patch(R"({"a":1})", noon(), done);
        }).substr(0, 9) == "/version:");
  t = loaded_twin(
      R"({"deviceId":"d","version":9223372036854775805,"properties":{"desired":{},"reported":{}}})");
  outcome done;
  REQUIRE(!t.device_patch(R"({"a":1})", noon(), done));
  REQUIRE(!t.device_patch(R"({"a":1})", noon(), done));
  CHECK(t.version() == INT64_MAX);
}

// --- updates without content ---------------------------------------------------------------------

TEST_CASE("a service's patch with the same value moves notification, version and metadata",
          "[twin][empty]") {
  twin t = twin_with(R"({"a":1})");
  outcome done;
  REQUIRE(!t.service_patch(of_desired(R"({"a":1})"), noon(), done));
  CHECK(done.notification() == R"({"a":1,"$version":2})");
  CHECK(done.size() == 0);
  CHECK(t.version() == 3);
  CHECK(
      metadata_text(t, part::desired) ==
      R"({"$lastUpdated":"2026-01-31T12:00:00Z","$lastUpdatedVersion":2,"a":{"$lastUpdated":"2026-01-31T12:00:00Z","$lastUpdatedVersion":2}})");
}
TEST_CASE("a service's patch with null for an absent key moves nothing, however often",
          "[twin][empty]") {
  twin t = twin_with(R"({"a":1})");
  const std::string before = service_text(t);
  outcome done;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(!t.service_patch(of_desired(R"({"b":null})"), noon(), done));
    CHECK(!done.effective());
    CHECK(done.notification().empty());
    CHECK(done.event().empty());
    CHECK(done.version == 2);
    CHECK(done.etag() == "AAAAAAAAAAE=");
  }
  CHECK(service_text(t) == before);
}
TEST_CASE("a service's patch with {} onto an object moves nothing, however often",
          "[twin][empty]") {
  twin t = twin_with(R"({"k":{"x":1}})");
  const std::string before = service_text(t);
  outcome done;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(!t.service_patch(of_desired(R"({"k":{}})"), noon(), done));
    CHECK(!done.effective());
  }
  CHECK(service_text(t) == before);
}
TEST_CASE("a change of tags beside a desired without members leaves desired's version",
          "[twin][empty]") {
  twin t = twin_with(R"({"a":1})");
  outcome done;
  REQUIRE(!t.service_patch(
      R"({"tags":{"x":1},"properties":{"desired":{"$version":1,"$metadata":{}}}})", noon(), done));
  CHECK(done.wrote(part::tags));
  CHECK(!done.wrote(part::desired));
  CHECK(t.desired_version() == 1);
  CHECK(t.version() == 3);
  CHECK(done.notification().empty());
}
TEST_CASE("an unchanged desired that stands whole beside a change of tags counts as written",
          "[twin][empty]") {
  twin t = twin_with(R"({"a":1,"b":{"c":2}})");
  outcome done;
  REQUIRE(!t.service_patch(R"({"tags":{"x":1},"properties":{"desired":{"a":1,"b":{"c":2}}}})",
                           noon(), done));
  CHECK(t.desired_version() == 2);
  CHECK(t.version() == 3);
  CHECK(done.notification() == R"({"a":1,"b":{"c":2},"$version":2})");
  CHECK(t.stamp_of(part::desired, "/b/c")->version == 2);
}
TEST_CASE("a device's patch with the same value moves the version and makes an event",
          "[twin][empty]") {
  twin t = twin_with("{}", R"({"a":1})");
  outcome done;
  REQUIRE(!t.device_patch(R"({"a":1})", noon(), done));
  CHECK(t.reported_version() == 2);
  CHECK(
      done.event() ==
      R"({"version":3,"properties":{"reported":{"a":1,"$metadata":{"$lastUpdated":"2026-01-31T12:00:00Z","a":{"$lastUpdated":"2026-01-31T12:00:00Z"}},"$version":2}}})");
}
TEST_CASE("a device's patch with null for an absent key moves nothing", "[twin][empty]") {
  // The service was once seen to raise an event here, unlike for its own patches; we do for the
  // device as for the service.
  twin t = twin_with("{}", R"({"a":1})");
  outcome done;
  REQUIRE(!t.device_patch(R"({"b":null})", noon(), done));
  CHECK(!done.effective());
  CHECK(t.version() == 2);
}
TEST_CASE("a replacement refreshes all metadata", "[twin][empty]") {
  twin t = fresh_twin();
  outcome done;
  REQUIRE(!t.service_patch(of_desired(R"({"a":1,"b":{"c":2,"d":{}}})"), noon(1), done));
  REQUIRE(!t.service_replace(of_desired(R"({"a":1,"b":{"c":2,"d":{}}})"), noon(2), done));
  for (const char* pointer : {"", "/a", "/b", "/b/c", "/b/d"}) {
    INFO(pointer);
    CHECK(*t.stamp_of(part::desired, pointer) == devicetwin::stamp{noon(2), 3});
  }
}
TEST_CASE("an empty desired at version 2 exists", "[twin][empty]") {
  const std::string text =
      R"({"deviceId":"d","etag":"AAAAAAAAAAY=","version":7,"properties":{"desired":{"$metadata":{"$lastUpdated":"2022-05-04T10:00:00Z","$lastUpdatedVersion":2},"$version":2},"reported":{"$metadata":{"$lastUpdated":"2022-05-04T10:00:00Z"},"$version":1}}})";
  twin t = loaded_twin(text);
  CHECK(service_text(t) == text);
  CHECK(*t.stamp_of(part::desired, "") ==
        devicetwin::stamp{*devicetwin::parse_timestamp("2022-05-04T10:00:00Z"), 2});
}
TEST_CASE("a dialect may count writes without effect", "[twin][empty]") {
  devicetwin::dialect counting = devicetwin::azure;
  counting.empty_write_counts = true;
  twin t = twin_with(R"({"a":1})", "{}", counting);
  outcome done;
  REQUIRE(!t.device_patch("{}", noon(), done));
  CHECK(t.reported_version() == 2);
  CHECK(done.effective());
  REQUIRE(!t.service_patch(of_desired("{}"), noon(), done));
  CHECK(done.notification() == R"({"$version":2})");
  REQUIRE(!t.service_patch("{}", noon(), done));
  CHECK(!done.effective());
}

// --- merging -------------------------------------------------------------------------------------

TEST_CASE("a patch merges", "[twin][merge]") {
  struct row {
    const char *base, *patch, *result;
  };
  const row rows[] = {{"{}", R"({"p":null})", "{}"},
                      {"{}", R"({"p1":{"p2":null}})", R"({"p1":{}})"},
                      {R"({"p":{"a":1}})", R"({"p":{"b":2}})", R"({"p":{"a":1,"b":2}})"},
                      {R"({"p":{"a":1}})", R"({"p":{"a":null}})", R"({"p":{}})"},
                      {R"({"p":{"a":1}})", R"({"p":null})", "{}"},
                      {R"({"p":1})", R"({"p":{"a":1}})", R"({"p":{"a":1}})"},
                      {R"({"p":{"a":1}})", R"({"p":1})", R"({"p":1})"},
                      {R"({"p":[1,2]})", R"({"p":[3]})", R"({"p":[3]})"},
                      {R"({"p":{"a":1}})", R"({"p":{}})", R"({"p":{"a":1}})"},
                      {R"({"p":{"a":1},"q":2})", "null", "{}"}};
  for (const row& r : rows) {
    INFO(r.base << " and " << r.patch);
    CHECK(patched(r.base, r.patch) == r.result);
    twin t = twin_with("{}", r.base);  // reported merges by the same rules
    outcome done;
    if (std::string(r.patch) == "null") {
      CHECK(t.device_patch(r.patch, noon(), done).code() == errc::not_a_twin);
    } else {
      REQUIRE(!t.device_patch(r.patch, noon(), done));
      CHECK(written(t.reported()) == r.result);
    }
  }
}
TEST_CASE("edge_hub keeps nulls inside what is new", "[twin][merge]") {
  CHECK(patched("{}", R"({"p1":{"p2":null}})", devicetwin::edge_hub) == R"({"p1":{"p2":null}})");
  CHECK(patched(R"({"p":1})", R"({"p":{"a":null}})", devicetwin::edge_hub) ==
        R"({"p":{"a":null}})");
  CHECK(patched(R"({"p":{"a":null}})", R"({"p":{"a":null}})", devicetwin::edge_hub) ==
        R"({"p":{}})");
}
TEST_CASE("null for the tags clears them", "[twin][merge]") {
  twin t = fresh_twin();
  outcome done;
  REQUIRE(!t.service_patch(R"({"tags":{"a":1,"b":{"c":2}}})", noon(), done));
  REQUIRE(!t.service_patch(R"({"tags":null})", noon(), done));
  CHECK(written(t.tags()) == "{}");
  CHECK(done.size() == 2);
  CHECK(done.event() == R"({"version":4,"tags":{"a":null,"b":null}})");
  CHECK(service_text(t).find("\"tags\"") == std::string::npos);
}
TEST_CASE("tags and desired change in one step or not at all", "[twin][merge]") {
  CHECK(refused_of_service(R"({"tags":{"x":1},"properties":{"desired":{"a":2,"b.c":1}}})") ==
        "/properties/desired/b.c: the name has a character that is forbidden in names");
  CHECK(refused_of_service(R"({"tags":{"x":[null]},"properties":{"desired":{"a":2}}})") ==
        "/tags/x/0: null is not allowed inside an array");
}
TEST_CASE("a replacement replaces each section that is given, and no other", "[twin][merge]") {
  twin t = fresh_twin();
  outcome done;
  REQUIRE(!t.service_patch(R"({"tags":{"a":1},"properties":{"desired":{"b":1,"c":{"d":1}}}})",
                           noon(), done));
  REQUIRE(!t.service_replace(of_desired(R"({"c":{"e":1}})"), noon(), done));
  CHECK(written(t.tags()) == R"({"a":1})");
  CHECK(written(t.desired()) == R"({"c":{"e":1}})");
  REQUIRE(!t.service_replace(R"({"tags":{"z":1}})", noon(), done));
  CHECK(written(t.tags()) == R"({"z":1})");
  CHECK(written(t.desired()) == R"({"c":{"e":1}})");
  REQUIRE(!t.service_replace(R"({"tags":{},"properties":{"desired":{}}})", noon(), done));
  CHECK(written(t.tags()) == "{}");
  CHECK(written(t.desired()) == "{}");
}
TEST_CASE("null in a replacement is refused", "[twin][merge]") {
  const std::string why = ": null is not allowed in a replacement; leave the member out instead";
  CHECK(refused_of_service(of_desired(R"({"a":null})"), devicetwin::azure, true) ==
        "/properties/desired/a" + why);
  CHECK(refused_of_service(of_desired(R"({"a":{"b":null}})"), devicetwin::azure, true) ==
        "/properties/desired/a/b" + why);
  CHECK(refused_of_service(of_desired("null"), devicetwin::azure, true) ==
        "/properties/desired" + why);
  CHECK(refused_of_service(R"({"tags":null})", devicetwin::azure, true) == "/tags" + why);
  CHECK(refused_of_service(of_desired(R"({"a":null})"), devicetwin::aws, true) == "");
}
TEST_CASE("a replacement's own nulls do not count as sent", "[twin][merge]") {
  devicetwin::dialect small = devicetwin::edge_hub;
  small.max_desired = 35;
  twin t = twin_with(R"({"aaaaa":1,"bbbbb":2,"ccccc":3})", "{}", small);
  outcome done;
  CHECK(!t.service_patch(of_desired("null"), noon(), done));
  CHECK(written(t.desired()) == "{}");
}

// --- changes -------------------------------------------------------------------------------------

TEST_CASE(
    "what the service kept in the tags goes with the next write to them, by patch, replacement or "
    "event",
    "[twin]") {
  const std::string text =
      R"({"deviceId":"d","etag":"AAAAAAAAAAE=","version":2,"tags":{"$etag":"x","a":1,"$version":3,"$other":4},"properties":{"desired":{"$version":1},"reported":{"$version":1}}})";
  outcome done;
  const auto tags_after = [&](auto&& write) {
    twin t = loaded_twin(text);
    CHECK(service_text(t) == text);
    REQUIRE(!write(t));
    return written(t.tags());
  };
  const std::string kept = R"({"$etag":"x","a":1,"$version":3,"$other":4})";
  CHECK(tags_after([&](twin& t) { return t.service_patch(R"({"tags":{"a":2}})", noon(), done); }) ==
        R"({"a":2,"$other":4})");
  CHECK(tags_after([&](twin& t) {
          return t.service_patch(R"({"tags":{"$etag":"x","a":2}})", noon(), done);
        }) == R"({"a":2,"$other":4})");
  CHECK(tags_after([&](twin& t) {
          return t.service_replace(R"({"tags":{"$etag":"x","a":2}})", noon(), done);
        }) == R"({"a":2})");
  CHECK(tags_after([&](twin& t) { return t.service_patch(R"({"tags":null})", noon(), done); }) ==
        "{}");
  CHECK(tags_after([&](twin& t) {
          return t.service_patch(of_desired(R"({"a":2})"), noon(), done);
        }) == kept);
  CHECK(tags_after([&](twin& t) { return t.service_patch(R"({"tags":{}})", noon(), done); }) ==
        kept);
  CHECK(!done.effective());
  CHECK(tags_after([&](twin& t) {
          return t.service_patch(R"({"tags":{"gone":null,"$etag":"x"}})", noon(), done);
        }) == kept);
  CHECK(!done.effective());
  CHECK(tags_after([&](twin& t) {
          return t.apply_event(R"({"version":3,"tags":{"a":2}})", done);
        }) == R"({"a":2,"$other":4})");
  // The copy of a back end takes the event of such a write.
  twin hub = loaded_twin(text), copy = loaded_twin(text);
  REQUIRE(!hub.service_patch(R"({"tags":{"b":1}})", noon(), done));
  const std::string event(done.event());
  REQUIRE(!copy.apply_event(event, done));
  CHECK(service_text(copy) == service_text(hub));
}

TEST_CASE("an event that does not move its section on is refused", "[twin]") {
  const auto event = [](int version) {
    return R"({"version":6,"properties":{"desired":{"a":1,"$metadata":{"$lastUpdated":"2020-01-01T00:00:00Z"},"$version":)" +
           std::to_string(version) + "}}}";
  };
  outcome done;
  const std::string text =
      R"({"deviceId":"d","version":5,"properties":{"desired":{"b":1,"$version":4},"reported":{"$version":1}}})";
  for (const int version : {0, 1, 4}) {
    twin t = loaded_twin(text);
    CHECK(t.apply_event(event(version), done).code() == errc::precondition_failed);
    CHECK(t.desired_version() == 4);
  }
  for (const int version : {5, 8}) {
    twin t = loaded_twin(text);
    REQUIRE(!t.apply_event(event(version), done));
    CHECK(t.desired_version() == version);
    std::string patch;
    CHECK(!devicetwin::write_changes_since(t, part::desired, version, patch));
    CHECK(patch == "{}");
    CHECK(static_cast<bool>(devicetwin::write_changes_since(t, part::desired, 4, patch)) ==
          (version != 5));  // others are not known
    std::string bytes;
    REQUIRE(!devicetwin::write_stored(t, bytes));
    REQUIRE(!devicetwin::load_stored(bytes, t));
  }
}

// --- concurrency ---------------------------------------------------------------------------------

TEST_CASE("a service's write is refused when If-Match does not name the etag",
          "[twin][concurrency]") {
  twin t = fresh_twin();
  outcome done;
  REQUIRE(!t.service_patch(R"({"tags":{"a":1}})", noon(), done));
  const std::string etag(t.etag());
  const auto with = [&](const std::string& condition) {
    twin copy;
    REQUIRE(!copy.assign(t));
    const std::string patch = refusal(copy, [&](outcome& d) {
      return copy.service_patch(R"({"tags":{"a":2}})", noon(), d, condition);
    });
    const std::string replace = refusal(copy, [&](outcome& d) {
      return copy.service_replace(R"({"tags":{"a":3}})", noon(), d, condition);
    });
    CHECK(replace.empty() ==
          (patch.empty() && (condition.empty() || condition == "*")));  // the patch moved the etag
    return patch.empty();
  };
  CHECK(with(""));
  CHECK(with("*"));
  CHECK(with("\"" + etag + "\""));
  CHECK(with("W/\"" + etag + "\""));
  CHECK(with(etag));
  CHECK(!with("\"AAAAAAAAAAE=\""));
  CHECK(!with("\"\""));
  CHECK(!with("\""));
  CHECK(!with("W/"));
  CHECK(!with("\"" + etag));
  CHECK(refusal(t, [&](outcome& d) {
          return t.service_patch(R"({"tags":{"a":2}})", noon(), d, "\"x\"");
        }) == ": the twin has changed: the expected etag or version is not the current one");
}
TEST_CASE("a device's write is refused when reported has not the expected version",
          "[twin][concurrency]") {
  twin t = fresh_twin();
  outcome done;
  CHECK(t.device_patch(R"({"a":1})", noon(), done, 2).code() == errc::precondition_failed);
  CHECK(t.device_patch(R"({"a":1})", noon(), done, 0).code() == errc::precondition_failed);
  CHECK(t.reported_version() == 1);
  REQUIRE(!t.device_patch(R"({"a":1})", noon(), done, 1));
  REQUIRE(
      !t.device_patch(R"({"a":2})", noon(), done, done.reported_version));  // the new one chains
  REQUIRE(!t.device_patch(R"({"a":3})", noon(), done));                     // none: no condition
  CHECK(t.reported_version() == 4);
}
TEST_CASE("a chatty device does not disturb a service's etag", "[twin][concurrency]") {
  twin t = fresh_twin();
  outcome done;
  const std::string etag(t.etag());
  for (int i = 0; i < 5; ++i)
    REQUIRE(!t.device_patch("{\"a\":" + std::to_string(i) + "}", noon(), done));
  CHECK(!t.service_patch(R"({"tags":{"a":1}})", noon(), done, etag));
}

// --- protection ----------------------------------------------------------------------------------

TEST_CASE("a device's patch with a name of the service's is refused whole, however it is spelled",
          "[twin][protection]") {
  const std::string too_long(5000, 'x');
  const std::vector<std::string> spelled = {R"("$version")",
                                            R"("$metadata")",
                                            R"("$x")",
                                            R"("$")",
                                            R"("\u0024version")",
                                            R"("\u0024")",
                                            R"("$\u0076ersion")",
                                            R"("\u0024\u006d\u0065tadata")",
                                            "\"$" + too_long + "\"",
                                            "\"\\u0024" + too_long + "\"",
                                            R"("$\u0000")",
                                            R"("$version\u0000")",
                                            R"("$$")"};
  for (const std::string& name : spelled) {
    INFO(name.substr(0, 60));
    for (const auto& [before, after] :
         std::vector<std::pair<std::string, std::string>>{{"{\"ok\":1,", ":1}"},
                                                          {"{", ":1,\"ok\":1}"},
                                                          {"{\"ok\":{\"deep\":{\"er\":{", ":1}}}}"},
                                                          {"{\"ok\":[{", ":1}]}"},
                                                          {"{\"ok\":[[1,{\"a\":[{", ":{}}]}]]}"},
                                                          {"{", ":null}"},
                                                          {"{\"a\":{", ":null}}"}}) {
      const std::string why = refused_of_device(before + name + after);
      CHECK(why.size() > reserved.size());
      CHECK(why.substr(why.size() - reserved.size()) == reserved);
      CHECK(refused_of_device(before + name + after, devicetwin::rfc7396) == why);
      CHECK(refused_of_device(before + name + after, devicetwin::edge_hub) == why);
    }
  }
  CHECK(refused_of_device(R"({"a":{"b":[1,{"\u0024c":1}]}})") == "/a/b/1/$c" + reserved);
}
TEST_CASE("a device's patch that names the service's twice is not even read",
          "[twin][protection]") {
  CHECK(refused_of_device(R"({"$version":1,"$version":1})").find("stands twice") !=
        std::string::npos);
  CHECK(refused_of_device(R"({"a":1,"a":{"$x":1}})").find("stands twice") != std::string::npos);
  CHECK(refused_of_device(R"({"a":1,"\u0061":2})").find("stands twice") != std::string::npos);
}
TEST_CASE("a dollar inside a name is forbidden by azure alone", "[twin][protection]") {
  CHECK(refused_of_device(R"({"a$b":1})") ==
        "/a$b: the name has a character that is forbidden in names");
  CHECK(refused_of_device(R"({"a\u0024b":1})") ==
        "/a$b: the name has a character that is forbidden in names");
  CHECK(refused_of_device(R"({"a$b":1})", devicetwin::rfc7396) == "");
}
TEST_CASE("values given by a program are held to the same", "[twin][protection]") {
  twin t = fresh_twin();
  outcome done;
  rapidjson::Document d;
  d.SetObject();
  auto& memory = d.GetAllocator();
  rapidjson::Value inner(rapidjson::kObjectType);
  inner.AddMember(rapidjson::Value("$version", memory), rapidjson::Value(1), memory);
  d.AddMember("a", inner, memory);
  CHECK(t.device_patch(d, noon(), done).code() == errc::reserved_member);
  d.SetObject();
  d.AddMember("a", rapidjson::Value("\xC3(", 2, memory), memory);
  CHECK(t.device_patch(d, noon(), done).code() == errc::invalid_utf8);
  d.SetObject();
  d.AddMember(rapidjson::Value("\xFF", 1, memory), rapidjson::Value(1), memory);
  CHECK(t.device_patch(d, noon(), done).code() == errc::invalid_utf8);
  d.SetObject();
  d.AddMember("a", rapidjson::Value(std::numeric_limits<double>::quiet_NaN()), memory);
  const json::error e = t.device_patch(d, noon(), done);
  CHECK(e.code() == errc::not_finite);
  CHECK(e.pointer() == "/a");
  CHECK(t.version() == 2);
  // Its own values may go in again: they are copied first.
  REQUIRE(!t.service_patch(of_desired(R"({"a":{"b":[1]}})"), noon(), done));
  REQUIRE(!t.device_patch(t.desired(), noon(), done));
  CHECK(written(t.reported()) == written(t.desired()));
  CHECK(t.in_sync());
  REQUIRE(!t.device_patch(t.reported(), noon(), done));
}
TEST_CASE("a service's patch may echo what an earlier GET gave, which is ignored",
          "[twin][protection]") {
  twin t = fresh_twin();
  outcome done;
  REQUIRE(!t.service_patch(R"({"tags":{"x":1},"properties":{"desired":{"a":1}}})", noon(), done));
  REQUIRE(!t.device_patch(R"({"a":1})", noon(), done));
  const std::string whole = service_text(t);
  REQUIRE(!t.service_patch(whole, noon(5), done));
  CHECK(
      done.event() ==
      R"({"version":5,"tags":{"x":1},"properties":{"desired":{"a":1,"$metadata":{"$lastUpdated":"2026-01-31T12:00:05Z","$lastUpdatedVersion":3,)"
      R"("a":{"$lastUpdated":"2026-01-31T12:00:05Z","$lastUpdatedVersion":3}},"$version":3}}})");
  CHECK(t.reported_version() == 2);
  REQUIRE(!t.service_replace(whole, noon(6), done));
  CHECK(t.desired_version() == 4);
  REQUIRE(!t.service_patch(
      R"({"tags":{"$etag":"x","$version":1,"$metadata":{},"y":1},"properties":{"reported":{"a":9,"$version":77}},"deviceId":"z","version":99,"etag":"q"})",
      noon(), done));
  CHECK(written(t.tags()) == R"({"x":1,"y":1})");
  CHECK(written(t.reported()) == R"({"a":1})");
  CHECK(t.device_id() == "greenhouse-07");
  CHECK(t.version() == 7);
}
TEST_CASE("a strict dialect refuses every echo", "[twin][protection]") {
  devicetwin::dialect strict = devicetwin::azure;
  strict.ignores_echo = false;
  CHECK(refused_of_service(of_desired(R"({"$version":1})"), strict) ==
        "/properties/desired/$version" + reserved);
  CHECK(refused_of_service(of_desired(R"({"$metadata":{}})"), strict) ==
        "/properties/desired/$metadata" + reserved);
  CHECK(refused_of_service(R"({"tags":{"$etag":""}})", strict) == "/tags/$etag" + reserved);
  CHECK(refused_of_service(R"({"properties":{"reported":{}}})", strict) ==
        "/properties/reported" + not_writable);
  CHECK(refused_of_service(R"({"deviceId":"d"})", strict) == "/deviceId" + not_writable);
  CHECK(refused_of_service(R"({"version":2})", strict) == "/version" + not_writable);
}
TEST_CASE("every other name of the service's is refused in its patch", "[twin][protection]") {
  CHECK(refused_of_service(of_desired(R"({"$x":1})")) == "/properties/desired/$x" + reserved);
  CHECK(refused_of_service(of_desired(R"({"$etag":1})")) == "/properties/desired/$etag" + reserved);
  CHECK(refused_of_service(of_desired(R"({"a":{"$version":1}})")) ==
        "/properties/desired/a/$version" + reserved);
  CHECK(refused_of_service(of_desired(R"({"a":[{"$metadata":1}]})")) ==
        "/properties/desired/a/0/$metadata" + reserved);
  CHECK(refused_of_service(R"({"tags":{"$x":1}})") == "/tags/$x" + reserved);
  CHECK(refused_of_service(of_desired(R"({"$x":1})"), devicetwin::azure, true) ==
        "/properties/desired/$x" + reserved);
  CHECK(refused_of_service(of_desired(R"({"\u0024version":5})")) ==
        "");  // an echo, however it is spelled
}
TEST_CASE("what is no part of a service's patch is refused", "[twin][protection]") {
  CHECK(refused_of_service(R"({"desired":{}})") == "/desired" + not_writable);
  CHECK(refused_of_service(R"({"properties":{"other":{}}})") == "/properties/other" + not_writable);
  CHECK(refused_of_service(R"({"properties":{"tags":{}}})") == "/properties/tags" + not_writable);
  CHECK(refused_of_service(R"({"properties":null})") ==
        "/properties: a part of the twin has the wrong type");
  CHECK(refused_of_service(R"({"properties":{"desired":[]}})") ==
        "/properties/desired: a part of the twin has the wrong type");
  CHECK(refused_of_service(R"({"tags":5})") == "/tags: a part of the twin has the wrong type");
  CHECK(refused_of_service("[]") == ": a part of the twin has the wrong type");
  CHECK(refused_of_device("[]") == ": a part of the twin has the wrong type");
  CHECK(refused_of_device("null") == ": a part of the twin has the wrong type");
}
TEST_CASE("text from outside is read strictly", "[twin][protection]") {
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("{}x"), std::string("{}\0", 3),
        std::string("{\"a\":\"\xff\"}"), std::string("{\"a\":01}"), std::string("\xef\xbb\xbf{}"),
        std::string(100000, '['), std::string("{\"a\":1e999}"),
        std::string("{\"a\":18446744073709551616}")}) {
    twin t = fresh_twin();
    outcome done;
    const std::string before = service_text(t);
    for (int way = 0; way < 3; ++way) {
      const json::error e = way == 0   ? t.device_patch(text, noon(), done)
                            : way == 1 ? t.service_patch(text, noon(), done)
                                       : t.service_replace(text, noon(), done);
      CHECK(e);
      CHECK(e.has_position());
    }
    CHECK(service_text(t) == before);
  }
}

// --- a device's copy -----------------------------------------------------------------------------

TEST_CASE("a device's copy takes notifications in order", "[twin][device]") {
  twin hub = fresh_twin();
  twin device;
  outcome done;
  REQUIRE(!device.load(device_text(hub)));
  REQUIRE(!hub.service_patch(of_desired(R"({"a":1,"b":{"c":1}})"), noon(), done));
  const std::string second(done.notification());
  REQUIRE(!hub.service_replace(of_desired(R"({"b":{"d":2}})"), noon(), done));
  const std::string third(done.notification());
  CHECK(device.apply_notification(third, noon(), done).code() == errc::precondition_failed);
  REQUIRE(!device.apply_notification(second, noon(), done));
  CHECK(done.size() == 2);
  CHECK(done.desired_version == 2);
  CHECK(device.apply_notification(second, noon(), done).code() == errc::precondition_failed);
  REQUIRE(!device.apply_notification(third, noon(), done));
  CHECK(device_text(device) == device_text(hub));
  CHECK(device.apply_notification(R"({"a":1})", noon(), done).code() == errc::not_a_twin);
  const json::error e = device.apply_notification(R"({"$version":"4"})", noon(), done);
  CHECK(e.code() == errc::not_a_twin);
  CHECK(e.pointer() == "/$version");
  CHECK(device.apply_notification(R"({"$version":4,"$x":1})", noon(), done).code() ==
        errc::reserved_member);
  CHECK(device_text(device) == device_text(hub));
  REQUIRE(!device.apply_notification(R"({"$version":4})", noon(), done));
  CHECK(!done.effective());
  CHECK(device.desired_version() == 4);
}
TEST_CASE("a device's copy without desired gets it by a notification", "[twin][device]") {
  twin device = loaded_twin(R"({"etag":"x","reported":{"a":1,"$version":3}})");
  outcome done;
  REQUIRE(!device.apply_notification(R"({"a":1,"$version":1})", noon(), done));
  CHECK(done.etag() == "x");
  CHECK(device.in_sync());
  CHECK(
      service_text(device, false) ==
      R"({"etag":"x","properties":{"desired":{"a":1,"$version":1},"reported":{"a":1,"$version":3}}})");
}

// --- in sync -------------------------------------------------------------------------------------

TEST_CASE("in_sync compares what is desired with what is reported", "[twin][sync]") {
  struct row {
    const char *desired, *reported;
    bool in_sync;
  };
  const row rows[] = {
      {"{}", "{}", true},
      {"{}", R"({"a":1})", true},
      {R"({"a":1})", "{}", false},
      {R"({"a":1})", R"({"a":1.0})", true},
      {R"({"a":{"b":1,"c":2}})", R"({"a":{"b":1}})", false},
      {R"({"a":{"b":1}})", R"({"a":{"b":1,"c":2}})", true},
      {R"({"a":[1]})", R"({"a":[1]})", true},
      {R"({"a":[1]})", R"({"a":[1,2]})", false},
      {R"({"a":{}})", R"({"a":1})", false},
      {R"({"a":1})", R"({"a":{"value":1,"ac":200,"av":2}})", true},
      {R"({"a":1})", R"({"a":{"value":2,"ac":200,"av":2}})", false},
      {R"({"a":1})", R"({"a":{"value":1,"ac":200}})", false},
      {R"({"a":{"x":1}})", R"({"a":{"value":{"x":1},"ac":203,"av":0}})", true},
      {R"({"a":{"x":1}})", R"({"a":{"x":{"value":1,"ac":200,"av":2,"ad":"t"}}})", true},
      {R"({"x":1})", R"({"value":{"x":1},"ac":200,"av":2})", false},  // a section is no property
      {R"({"value":5})", R"({"value":5,"ac":200,"av":2})", true}};
  for (const row& r : rows) {
    INFO(r.desired << " and " << r.reported);
    CHECK(twin_with(r.desired, r.reported).in_sync() == r.in_sync);
    twin t = fresh_twin();
    outcome done;
    REQUIRE(!t.device_patch(r.reported, noon(), done));
    REQUIRE(!t.service_patch(of_desired(r.desired), noon(), done));
    CHECK(t.in_sync() == r.in_sync);
    t = fresh_twin();
    REQUIRE(!t.service_patch(of_desired(r.desired), noon(), done));
    REQUIRE(!t.device_patch(r.reported, noon(), done));
    CHECK(t.in_sync() == r.in_sync);
  }
}
TEST_CASE("in_sync follows an acknowledgement that comes in pieces", "[twin][sync]") {
  twin t = twin_with(R"({"a":1,"b":{"c":{"d":2}}})");
  outcome done;
  const auto report = [&](const char* patch) {
    REQUIRE(!t.device_patch(patch, noon(), done));
    return t.in_sync();
  };
  CHECK(!report(R"({"a":{"value":1,"ac":200}})"));
  CHECK(!report(R"({"b":{"c":{"value":{"d":2},"ac":202}}})"));
  CHECK(!report(R"({"a":{"av":1}})"));
  CHECK(report(R"({"b":{"c":{"av":1}}})"));
  CHECK(!report(R"({"b":{"c":{"value":{"d":3}}}})"));
  CHECK(report(R"({"b":{"c":{"value":{"d":2}}}})"));
  CHECK(!report(R"({"a":{"ac":null}})"));
  CHECK(report(R"({"a":1})"));
}

// --- a twin as a value ---------------------------------------------------------------------------

TEST_CASE("a twin moves, swaps, and is copied by assign()", "[twin]") {
  twin a = twin_with(R"({"a":1})");
  const std::string text = service_text(a);
  twin b;
  REQUIRE(!b.assign(a));
  CHECK(service_text(b) == text);
  CHECK(are_equal(a, b));
  outcome done;
  REQUIRE(!b.device_patch(R"({"x":1})", noon(), done));
  CHECK(service_text(a) == text);
  CHECK(!are_equal(a, b));
  twin c = static_cast<twin&&>(a);
  CHECK(service_text(c) == text);
  CHECK(a.identity().IsNull());
  CHECK(are_equal(a, twin()));
  CHECK(!are_equal(a, c));
  a = static_cast<twin&&>(c);
  CHECK(service_text(a) == text);
  a.swap(b);
  CHECK(service_text(b) == text);
  REQUIRE(!b.assign(b));
  CHECK(service_text(b) == text);
  REQUIRE(!b.assign(twin()));
  CHECK(b.identity().IsNull());
}

// --- writes that return their outcome ------------------------------------------------------------

TEST_CASE("a write returns the outcome that it would fill", "[twin][outcome]") {
  twin t;
  check_both_forms(
      t, [](twin& x, outcome& done) { return x.create({"d"}, noon(), done); },
      [](twin& x) { return x.create({"d"}, noon()); });
  for (const char* patch :
       {R"({"properties":{"desired":{"a":{"b":1},"c":"x"}},"tags":{"t":1}})",
        R"({"properties":{"desired":{"a":null}}})", R"({})", "[", "5",
        R"({"properties":{"desired":{"$x":1}}})", R"({"properties":{"reported":{}}})"}) {
    CAPTURE(patch);
    for (const char* if_match : {"", "*", "AAAAAAAAAAE=", "wrong"}) {
      check_both_forms(
          t,
          [&](twin& x, outcome& done) { return x.service_patch(patch, noon(1), done, if_match); },
          [&](twin& x) { return x.service_patch(patch, noon(1), if_match); });
      check_both_forms(
          t,
          [&](twin& x, outcome& done) { return x.service_replace(patch, noon(2), done, if_match); },
          [&](twin& x) { return x.service_replace(patch, noon(2), if_match); });
    }
  }
  for (const char* patch : {R"({"a":{"b":1},"c":[1,2]})", R"({"a":null})", "[", R"({"a.b":1})"}) {
    CAPTURE(patch);
    for (const std::int64_t version : {twin::any_version, t.reported_version(), std::int64_t{99}}) {
      check_both_forms(
          t, [&](twin& x, outcome& done) { return x.device_patch(patch, noon(3), done, version); },
          [&](twin& x) { return x.device_patch(patch, noon(3), version); });
    }
  }
  const auto document = parsed(R"({"properties":{"desired":{"of":"a value"}}})");
  check_both_forms(
      t, [&](twin& x, outcome& done) { return x.service_patch(document, noon(4), done); },
      [&](twin& x) { return x.service_patch(document, noon(4)); });
}

TEST_CASE("copies of a twin return the outcome of a notification and an event", "[twin][outcome]") {
  twin hub = twin_with(R"({"a":1})");
  twin device, back_end;
  REQUIRE(!device.load(device_text(hub)));
  REQUIRE(!back_end.load(service_text(hub)));
  const auto done = hub.service_patch(of_desired(R"({"a":2,"b":{"c":3}})"), noon());
  REQUIRE(done);
  for (const std::string_view notification : {done->notification(), done->notification()}) {
    check_both_forms(  // the second time it is not the next version any more
        device,
        [&](twin& x, outcome& out) { return x.apply_notification(notification, noon(), out); },
        [&](twin& x) { return x.apply_notification(notification, noon()); });
  }
  for (const std::string_view event : {done->event(), done->event()}) {
    check_both_forms(
        back_end, [&](twin& x, outcome& out) { return x.apply_event(event, out); },
        [&](twin& x) { return x.apply_event(event); });
  }
  CHECK(device.desired_version() == hub.desired_version());
  CHECK(service_text(back_end) == service_text(hub));
}

TEST_CASE("a returned outcome outlives its twin and can be moved", "[twin][outcome]") {
  outcome kept;
  std::string expected;
  {
    twin t = twin_with(R"({"a":"an old text that needs memory of its own"})");
    auto done = t.service_patch(of_desired(R"({"a":"a new text that needs memory, too"})"), noon());
    REQUIRE(done);
    expected = outcome_text(*done);
    kept = *static_cast<json::result<outcome>&&>(done);
    CHECK(outcome_text(*done) == outcome_text(outcome()));
  }
  CHECK(outcome_text(kept) == expected);
  CHECK(kept[0].pointer == "/a");
  twin other = twin_with("{}");
  REQUIRE(!other.service_patch(of_desired(R"({"x":1})"), noon(), kept));
  CHECK(kept[0].pointer == "/x");
}

TEST_CASE("a twin in a buffer takes a returned outcome's memory from there", "[twin][outcome]") {
  alignas(16) static char buffer[16384];
  using small_twin = devicetwin::basic_twin<devicetwin::buffer_memory>;
  small_twin t(devicetwin::azure, devicetwin::buffer_memory(buffer, sizeof buffer));
  REQUIRE(t.create({"d"}, noon()));
  for (int i = 0; i < 200; ++i) {
    const auto done = t.device_patch("{\"n\":" + std::to_string(i) + "}", noon());
    REQUIRE(done);
    const auto* const at = done->event().data();
    CHECK((at >= buffer && at < buffer + sizeof buffer));
  }
  CHECK(t.get<int>(part::reported, "/n").value_or(-1) == 199);
}

TEST_CASE("a twin's properties are read as C++ types", "[twin][get]") {
  twin t;
  CHECK(t.get<int>(part::desired, "/a").error().code() == errc::not_found);
  CHECK(t.get<int>(part::tags).error().code() == errc::wrong_type);
  t = loaded_twin(
      R"({"deviceId":"d","tags":{"floor":-3},"properties":{"desired":{"fan":{"rpm":900},"mode":"eco","on":true},"reported":{"t":21.5}}})");
  CHECK(*t.get<int>(part::tags, "/floor") == -3);
  CHECK(t.get<unsigned>(part::tags, "/floor").error().code() == errc::number_out_of_range);
  CHECK(*t.get<std::uint16_t>(part::desired, "/fan/rpm") == 900);
  CHECK(t.get<std::uint8_t>(part::desired, "/fan/rpm").error().code() == errc::number_out_of_range);
  CHECK(*t.get<std::string_view>(part::desired, "/mode") == "eco");
  CHECK(t.get<bool>(part::desired, "/on").value_or(false));
  CHECK(*t.get<double>(part::reported, "/t") == 21.5);
  CHECK(*t.get<float>(part::reported, "/t") == 21.5F);
  CHECK(t.get<int>(part::desired, "/fan").error().code() == errc::wrong_type);
  CHECK(t.get<int>(part::desired, "/fan").error().pointer() == "/fan");
  CHECK(t.get<int>(part::desired, "fan").error().code() == errc::invalid_pointer);
}
