// Twins as they are found: loaded, kept, and written back the same.
#include "../support/twin.hpp"

#include <random>
#include <string>
#include <vector>

#include "../support/random_json.hpp"
#include "../support/reference_twin.hpp"

using devicetwin::outcome;
using devicetwin::twin;

namespace {

/// Loads and writes back; the same text, and the same by way of a value.
void comes_back(const std::string& text, const devicetwin::dialect& rules = devicetwin::azure) {
  INFO(text);
  const twin t = loaded_twin(text, rules);
  CHECK(service_text(t) == text);
  twin by_value(rules);
  REQUIRE(!by_value.load(parsed(text)));
  CHECK(service_text(by_value) == text);
  CHECK(are_equal(t, by_value));
}
/// The same as JSON: the order of metadata is the twin's.
void comes_back_as_json(const std::string& text) {
  INFO(text);
  const std::string again = service_text(loaded_twin(text));
  INFO(again);
  const auto is = reference::parser::parse(again), should_be = reference::parser::parse(text);
  REQUIRE(is.has_value());
  CHECK(identical(*is, *should_be));
}
std::string with_desired(const std::string& desired) {
  return R"({"deviceId":"d","etag":"AAAAAAAAAAE=","version":2,"properties":{"desired":)" + desired +
         R"(,"reported":{"$version":1}}})";
}
std::string not_loaded(const std::string& text) {
  twin t = twin_with(R"({"kept":1})");
  const std::string before = service_text(t);
  const json::error e = t.load(text);
  CHECK(e);
  CHECK(service_text(t) == before);
  return std::string(e.pointer()) + ": " + std::string(json::describe(e.code()));
}

const std::string no_twin = ": a part of the twin has the wrong type";

}  // namespace

// --- identity ------------------------------------------------------------------------------------

TEST_CASE("every property of the identity comes back, byte for byte", "[load][identity]") {
  const std::string text =
      R"({"deviceId":"d","moduleId":"m","modelId":"dtmi:x;1","etag":"AAAAAAAAABY=","deviceEtag":"NDUyMzQ1Mg==","version":24,"status":"disabled",)"
      R"("statusReason":"on purpose","statusUpdateTime":"2020-01-02T03:04:05.1234567Z","connectionState":"Connected",)"
      R"("lastActivityTime":"2015-02-30T16:24:48.789Z","cloudToDeviceMessageCount":3,"authenticationType":"certificateAuthority",)"
      R"("x509Thumbprint":{"primaryThumbprint":"AB","secondaryThumbprint":null},"tags":{"a":1},"properties":{"desired":{"$version":22},"reported":{"$version":2}},)"
      R"("capabilities":{"iotEdge":true},"deviceScope":"ms-azure-iot-edge://d-637","parentScopes":["ms-azure-iot-edge://p-1"],)"
      R"("configurations":{"c":{"status":"Applied"}}})";
  comes_back(text);
  twin t = loaded_twin(text);
  outcome done;
  REQUIRE(!t.device_patch(R"({"a":1})", noon(), done));
  std::string expected = text;
  expected.replace(expected.find("\"version\":24"), 12, "\"version\":25");
  const std::string now = service_text(t, false);
  CHECK(now.substr(0, now.find("\"tags\"")) == expected.substr(0, expected.find("\"tags\"")));
  CHECK(now.substr(now.find("\"capabilities\"")) ==
        expected.substr(expected.find("\"capabilities\"")));
  for (const char* name :
       {"deviceId", "moduleId", "modelId", "etag", "deviceEtag", "version", "status",
        "statusReason", "statusUpdateTime", "connectionState", "lastActivityTime",
        "cloudToDeviceMessageCount", "authenticationType", "x509Thumbprint", "capabilities",
        "deviceScope", "parentScopes", "configurations"}) {
    CHECK(devicetwin::is_identity_member(name));
    CHECK(t.identity().HasMember(name));
  }
}
TEST_CASE("unknown properties of the identity come back, and may be echoed", "[load][identity]") {
  const std::string text =
      R"({"deviceId":"d","x":{"y":[1,null,{"z":-0.0}],"":""},"version":2,"$weird":null,"a.b":1e300,"properties":{"desired":{},"reported":{}},"after":[]})";
  comes_back(text);
  twin t = loaded_twin(text);
  outcome done;
  CHECK(!t.service_patch(text, noon(), done));
  CHECK(t.service_patch(R"({"not there":1})", noon(), done).code() == errc::not_writable);
  REQUIRE(!t.service_patch(R"({"tags":{"a":1}})", noon(), done));
  CHECK(
      service_text(t) ==
      R"({"deviceId":"d","x":{"y":[1,null,{"z":-0.0}],"":""},"version":3,"$weird":null,"a.b":1e300,"tags":{"a":1},"properties":{"desired":{},"reported":{}},"after":[],"etag":"AAAAAAAAAAM="})");
}
TEST_CASE("impossible and strange times stay as they are", "[load][identity]") {
  for (const char* time : {"2015-02-30T16:24:48.789Z", "0001-01-01T00:00:00",
                           "0001-01-01T00:00:00Z", "yesterday", ""}) {
    comes_back(R"({"deviceId":"d","lastActivityTime":")" + std::string(time) +
               R"(","statusUpdateTime":")" + time + R"("})");
  }
}

// --- shape ---------------------------------------------------------------------------------------

TEST_CASE("tags and sections may be absent or empty, anywhere", "[load]") {
  for (const char* text :
       {"{}", R"({"deviceId":"d"})", R"({"tags":{}})", R"({"tags":{"a":1}})",
        R"({"properties":{}})", R"({"properties":{"desired":{}}})",
        R"({"properties":{"reported":{"a":1}}})", R"({"properties":{"desired":{"$version":0}}})",
        R"({"tags":{},"deviceId":"d"})",
        R"({"properties":{"desired":{},"reported":{}},"x":1,"tags":{"a":1},"y":1})",
        R"({"a":1,"tags":{},"b":2,"properties":{"reported":{}},"c":3})"}) {
    if (std::string(text).find("\"$version\":0") != std::string::npos) {
      CHECK(service_text(loaded_twin(text)) ==
            R"({"properties":{"desired":{}}})");  // a version of 0 is none
    } else {
      comes_back(text);
    }
  }
  comes_back_as_json(
      R"({"properties":{"desired":{},"reported":{}},"tags":{"a":1},"x":1})");  // tags go first,
                                                                               // side by side
  CHECK(device_text(loaded_twin("{}")) == R"({"desired":{},"reported":{}})");
}
TEST_CASE("absent sections can be written", "[load]") {
  twin t = loaded_twin(R"({"deviceId":"d"})");
  outcome done;
  REQUIRE(!t.service_patch(R"({"tags":{"a":1},"properties":{"desired":{"b":1}}})", noon(), done));
  CHECK(
      service_text(t, false) ==
      R"({"deviceId":"d","etag":"AAAAAAAAAAI=","version":2,"tags":{"a":1},"properties":{"desired":{"b":1,"$version":1}}})");
  REQUIRE(!t.device_patch(R"({"b":1})", noon(), done));
  CHECK(t.version() == 3);
  CHECK(t.reported_version() == 1);
  CHECK(t.in_sync());
}
TEST_CASE("a device's view is a twin", "[load]") {
  twin t = loaded_twin(R"({"desired":{"a":1,"$version":4},"reported":{"b":1,"$version":7}})");
  CHECK(t.desired_version() == 4);
  CHECK(t.reported_version() == 7);
  CHECK(device_text(t) == R"({"desired":{"a":1,"$version":4},"reported":{"b":1,"$version":7}})");
  outcome done;
  REQUIRE(!t.device_patch(R"({"b":2})", noon(), done));
  CHECK(t.reported_version() == 8);
  comes_back(R"({"desirable":1,"properties":{"desired":{},"reported":{}},"Reported":{}})");
}
TEST_CASE("desired and reported do not stand beside properties", "[load]") {
  const std::string misplaced = ": " + std::string(json::describe(errc::misplaced_section));
  CHECK(not_loaded(R"({"desired":{"a":1},"properties":{"desired":{},"reported":{}}})") ==
        "/desired" + misplaced);
  CHECK(not_loaded(R"({"properties":{},"reported":{"b":1}})") == "/reported" + misplaced);
  CHECK(not_loaded(R"({"properties":{"desired":{"a":1}},"desired":null})") ==
        "/desired" + misplaced);
}
TEST_CASE("what has the wrong type is no twin", "[load]") {
  CHECK(not_loaded("[]") == no_twin);
  CHECK(not_loaded("1") == no_twin);
  CHECK(not_loaded(R"({"tags":null})") == "/tags" + no_twin);
  CHECK(not_loaded(R"({"properties":[]})") == "/properties" + no_twin);
  CHECK(not_loaded(R"({"properties":{"desired":1}})") == "/properties/desired" + no_twin);
  CHECK(not_loaded(R"({"reported":1})") == "/reported" + no_twin);
  CHECK(not_loaded(R"({"properties":{"reported":{"$version":"1"}}})") ==
        "/properties/reported/$version" + no_twin);
  CHECK(not_loaded(R"({"properties":{"reported":{"$version":-1}}})") ==
        "/properties/reported/$version" + no_twin);
  CHECK(not_loaded(R"({"properties":{"reported":{"$version":1.5}}})") ==
        "/properties/reported/$version" + no_twin);
  CHECK(not_loaded(R"({"properties":{"reported":{"$version":9223372036854775808}}})") ==
        "/properties/reported/$version" + no_twin);
  CHECK(not_loaded(R"({"desired":{"$metadata":[]}})") == "/desired/$metadata" + no_twin);
  CHECK(not_loaded(R"({"version":"2"})") == "/version" + no_twin);
  CHECK(not_loaded(R"({"version":-2})") == "/version" + no_twin);
  CHECK(not_loaded(R"({"a":1,"a":1})").find("stands twice") != std::string::npos);
  CHECK(not_loaded("{").find("ends in the middle") != std::string::npos);
}
TEST_CASE("limits do not apply to what exists", "[load]") {
  std::string large = "{";
  for (int i = 0; i < 2000; ++i)
    large += (i == 0 ? "\"" : ",\"") + std::string("name with spaces.") + std::to_string(i) +
             "\":\"" + std::string(50, 'x') + "\"";
  large += "}";
  comes_back(R"({"deviceId":"d","tags":)" + large + R"(,"properties":{"desired":)" + large +
             R"(,"reported":{"a":[null,{"b":null}],"n":null,"i":18446744073709551615,"$x":1}}})");
  std::string deep;
  for (int i = 0; i < 40; ++i) deep += "{\"a\":";
  comes_back(R"({"properties":{"desired":)" + deep + "1" + std::string(40, '}') + "}}");
}
TEST_CASE("the deepest twin that can be written can be read back", "[load]") {
  const auto nested = [](std::size_t levels) {
    std::string text;
    for (std::size_t i = 0; i < levels; ++i) text += "{\"a\":";
    return text + "1" + std::string(levels, '}');
  };
  const std::string deep = nested(devicetwin::dialect::deepest + 1);  // the section itself is one
  twin t = fresh_twin(devicetwin::rfc7396);
  outcome done;
  REQUIRE(!t.device_patch(deep, noon(), done));
  const std::string text = service_text(t);
  twin again(devicetwin::rfc7396);
  REQUIRE(!again.load(text));
  CHECK(service_text(again) == text);
  CHECK(are_equal(t, again));
  rapidjson::Document d;
  json::read_options options;
  options.max_depth = 100;
  REQUIRE(!json::read(text, d, options));
  REQUIRE(!again.load(d));
  CHECK(service_text(again) == text);
  // One more is refused, as text and as a value, and so is anything deeper.
  CHECK(not_loaded("{\"reported\":" + nested(70) + "}").find("nested too deeply") !=
        std::string::npos);
  CHECK(not_loaded(std::string(1000000, '[')).find("nested too deeply") != std::string::npos);
  CHECK(t.device_patch("{\"a\":" + deep + "}", noon(), done).code() == errc::depth_exceeded);
}

// --- counters ------------------------------------------------------------------------------------

TEST_CASE("an etag that is no counter is kept; the next service write starts one from the law",
          "[load][versions]") {
  for (const char* etag : {"\"x\"", "\"\"", "null", "7", "{\"a\":1}", "\"DAzNDUyOTQwMTIzNDU=\"",
                           "\"an etag that is rather longer than fifteen bytes\""}) {
    const std::string text =
        R"({"deviceId":"d","etag":)" + std::string(etag) +
        R"(,"version":30,"properties":{"desired":{"$version":3},"reported":{"$version":10}}})";
    comes_back(text);
    twin t = loaded_twin(text);
    outcome done;
    REQUIRE(!t.device_patch(R"({"a":1})", noon(), done));
    CHECK(service_text(t).find("\"etag\":" + std::string(etag)) != std::string::npos);
    CHECK(t.version() == 31);
    REQUIRE(!t.service_patch(of_desired(R"({"a":1})"), noon(), done));
    CHECK(t.version() == 32);
    std::uint64_t counter = 0;
    REQUIRE(devicetwin::read_etag(t.etag(), counter));
    CHECK(counter == 21);  // 30 - 10 and one more
  }
}
TEST_CASE("counters that follow no law are kept and counted on", "[load][versions]") {
  const std::string text =
      R"({"deviceId":"d","etag":"AAAAAAAAAAE=","version":1000,"properties":{"desired":{"$version":77},"reported":{"$version":9000}}})";
  comes_back(text);
  twin t = loaded_twin(text);
  outcome done;
  REQUIRE(!t.service_patch(of_desired(R"({"a":1})"), noon(), done));
  CHECK(t.version() == 1001);
  CHECK(t.desired_version() == 78);
  CHECK(t.etag() == "AAAAAAAAAAI=");
  REQUIRE(!t.device_patch(R"({"a":1})", noon(), done));
  CHECK(t.version() == 1002);
  CHECK(t.reported_version() == 9001);
  // No counter at all, and more reported than there should be.
  t = loaded_twin(
      R"({"deviceId":"d","etag":"x","version":5,"properties":{"desired":{},"reported":{"$version":9}}})");
  REQUIRE(!t.service_patch(R"({"tags":{"a":1}})", noon(), done));
  CHECK(t.etag() == "AAAAAAAAAAI=");
  CHECK(t.version() == 6);
}
TEST_CASE("versions are 64 bits wide", "[load][versions]") {
  const std::string text =
      R"({"deviceId":"d","etag":"f////////+s=","version":9223372036854775800,"properties":{"desired":{"a":1,"$metadata":{"$lastUpdated":"2020-01-01T00:00:00Z",)"
      R"("$lastUpdatedVersion":9223372036854775799,"a":{"$lastUpdated":"2020-01-01T00:00:00Z","$lastUpdatedVersion":9223372036854775799}},"$version":9223372036854775799},)"
      R"("reported":{"$version":9223372036854775806}}})";
  comes_back(text);
  twin t = loaded_twin(text);
  outcome done;
  REQUIRE(!t.service_patch(of_desired(R"({"a":2})"), noon(), done));
  CHECK(t.desired_version() == 9223372036854775800);
  CHECK(t.stamp_of(part::desired, "/a")->version == 9223372036854775800);
  CHECK(t.version() == 9223372036854775801);
  CHECK(done.notification() == R"({"a":2,"$version":9223372036854775800})");
}

// --- metadata ------------------------------------------------------------------------------------

TEST_CASE("metadata that is missing, in whole or in part, is not invented", "[load][metadata]") {
  comes_back(with_desired(R"({"a":{"b":1},"c":2,"$version":1})"));
  comes_back(with_desired(R"({"a":{"b":1},"c":2,"$metadata":{},"$version":1})"));
  comes_back(with_desired(
      R"({"a":{"b":1},"c":2,"$metadata":{"$lastUpdated":"2020-01-01T00:00:00Z"},"$version":1})"));
  comes_back(with_desired(
      R"({"a":{"b":1},"c":2,"$metadata":{"a":{"b":{"$lastUpdated":"2020-01-01T00:00:00Z"}}},"$version":1})"));
  comes_back(with_desired(
      R"({"a":{"b":1},"c":2,"$metadata":{"$lastUpdated":"2020-01-01T00:00:00Z","a":{"$lastUpdated":"2020-01-01T00:00:00Z"}},"$version":1})"));
  comes_back(
      R"({"deviceId":"d","properties":{"desired":{"$metadata":{}},"reported":{"$metadata":{}}}})");
  twin t = loaded_twin(with_desired(R"({"a":{"b":1},"c":2,"$version":1})"));
  CHECK(t.stamp_of(part::desired, "").error().code() == errc::not_found);
  outcome done;
  REQUIRE(!t.service_patch(of_desired(R"({"a":{"b":2}})"), noon(), done));
  CHECK(
      metadata_text(t, part::desired) ==
      R"({"$lastUpdated":"2026-01-31T12:00:00Z","$lastUpdatedVersion":2,"a":{"$lastUpdated":"2026-01-31T12:00:00Z","$lastUpdatedVersion":2,)"
      R"("b":{"$lastUpdated":"2026-01-31T12:00:00Z","$lastUpdatedVersion":2}}})");
  CHECK(t.stamp_of(part::desired, "/c").error().code() == errc::not_found);
}
TEST_CASE("metadata that is strange comes back as it was", "[load][metadata]") {
  const std::string stamp = R"("$lastUpdated":"2020-01-01T00:00:00Z","$lastUpdatedVersion":1)";
  const std::vector<std::string> strange = {
      "{" + stamp + R"(,"a":null})",
      "{" + stamp + R"(,"a":7,"c":[]})",
      R"({"$lastUpdated":null,"a":{"$lastUpdated":5}})",
      "{" + stamp + R"(,"gone":{)" + stamp + R"(,"x":null}})",
      "{" + stamp + R"(,"c":{)" + stamp + R"(,"child of a number":{)" + stamp + "}}}",
      R"({"$lastUpdated":"2015-02-30T16:24:48.789Z","a":{"$lastUpdated":"0001-01-01T00:00:00","b":{"$lastUpdated":"2020-01-01T00:00:00.100Z"}}})",
      R"({"$lastUpdated":"2020-01-01T02:00:00+02:00","$lastUpdatedVersion":0})",
      R"({"$lastUpdatedVersion":7})",
      R"({"$lastUpdated":"2020-01-01T00:00:00Z","$lastUpdatedVersion":-1,"a":{"$lastUpdatedVersion":"x"}})",
      R"({"$lastUpdated":"2020-01-01T00:00:00Z","$lastUpdatedVersion":3.0})",
      R"({"a":{},"$lastUpdatedVersion":4,"$lastUpdated":"2020-01-01T00:00:00Z","$unknown":[null]})",
      R"({"$lastUpdated":{"$lastUpdated":"2020-01-01T00:00:00Z"},"$metadata":{},"$version":3})"};
  for (const std::string& metadata : strange) {
    comes_back_as_json(
        with_desired(R"({"a":{"b":1},"c":2,"$metadata":)" + metadata + R"(,"$version":1})"));
    comes_back_as_json(R"({"properties":{"reported":{"a":{"b":1},"c":2,"$metadata":)" + metadata +
                       R"(,"$version":1}}})");
  }
  twin t = loaded_twin(with_desired(
      R"({"a":1,"$metadata":{"a":{"b":{},"$lastUpdated":"2020-01-01T00:00:00Z","c":{},"$lastUpdatedVersion":9}},"$version":9})"));
  CHECK(t.stamp_of(part::desired, "/a")->version == 9);  // whatever the order
}
TEST_CASE("strange metadata stays until its place is written", "[load][metadata]") {
  const std::string stamp = R"("$lastUpdated":"2026-01-31T12:00:00Z","$lastUpdatedVersion":2)";
  const auto after = [](const std::string& metadata, const std::string& patch) {
    twin t = loaded_twin(with_desired(R"({"a":{"b":1,"c":{"d":1}},"e":2,"$metadata":)" + metadata +
                                      R"(,"$version":1})"));
    outcome done;
    REQUIRE(!t.service_patch(of_desired(patch), noon(), done));
    return metadata_text(t, part::desired);
  };
  CHECK(after(R"({"a":null,"e":5})", R"({"a":{"b":2}})") ==
        "{" + stamp + R"(,"a":{)" + stamp + R"(,"b":{)" + stamp + R"(}},"e":5})");
  CHECK(after(R"({"a":{"c":[]},"e":5})", R"({"a":{"c":{"x":1}}})") ==
        "{" + stamp + R"(,"a":{)" + stamp + R"(,"c":{)" + stamp + R"(,"x":{)" + stamp +
            R"(}}},"e":5})");
  CHECK(
      after(
          R"({"$lastUpdatedBy":"x","a":{"$lastUpdatedBy":"x","b":{"$lastUpdatedBy":"x"}},"e":{"$lastUpdatedBy":"x"}})",
          R"({"a":{"c":null}})") ==
      "{" + stamp + R"(,"a":{)" + stamp +
          R"(,"b":{"$lastUpdatedBy":"x"}},"e":{"$lastUpdatedBy":"x"}})");
  CHECK(after(R"({"gone":{"x":null},"e":null})", R"({"gone":1,"e":3})") ==
        "{" + stamp + R"(,"e":{)" + stamp + R"(},"gone":{)" + stamp + "}}");
  CHECK(after("{}", R"({"e":3})") == "{" + stamp + R"(,"e":{)" + stamp + "}}");
  twin t = loaded_twin(
      with_desired(R"({"a":1,"$metadata":{"$lastUpdatedBy":"x","a":[],"z":1},"$version":1})"));
  outcome done;
  REQUIRE(!t.service_replace(of_desired(R"({"a":1})"), noon(), done));
  CHECK(metadata_text(t, part::desired) == "{" + stamp + R"(,"a":{)" + stamp + "}}");
}
TEST_CASE("members with the names of stamps have none of their own", "[load][metadata]") {
  const std::string text = with_desired(
      R"({"$lastUpdated":{"x":1},"a":1,"$metadata":{"$lastUpdated":{"$lastUpdated":"2020-01-01T00:00:00Z","x":{"$lastUpdated":"2020-01-01T00:00:00Z"}}},"$version":1})");
  comes_back(text);
  twin t = loaded_twin(text);
  outcome done;
  REQUIRE(!t.service_patch(of_desired(R"({"a":2})"), noon(), done));
  const std::string now = service_text(t);
  CHECK(service_text(loaded_twin(now)) == now);  // no name twice
}
TEST_CASE("random metadata is kept, and what is written inside becomes the twin's",
          "[load][metadata][property]") {
  // Any JSON as metadata beside any values: more random than the twin's own driver makes it.
  for (unsigned seed = 0; seed < 600; ++seed) {
    random_json random(seed);
    const std::string values = random.object(1), metadata = random.object(1),
                      patch = random.object(1);
    const std::string text =
        with_desired(values.substr(0, values.size() - 1) + (values.size() > 2 ? "," : "") +
                     "\"$metadata\":" + metadata + ",\"$version\":5}");
    INFO(text);
    const auto given = reference::parser::parse(text);
    REQUIRE(given.has_value());
    twin t(devicetwin::rfc7396);
    reference::twin r(devicetwin::rfc7396);
    REQUIRE(!t.load(text));
    REQUIRE(r.load(*given));
    const auto same = [&] {
      const auto is = reference::parser::parse(service_text(t), 80);
      REQUIRE(is.has_value());
      return identical(*is, r.service_view(true));
    };
    CHECK(same());
    INFO(patch);
    const auto written_patch = reference::parser::parse(of_desired(patch));
    outcome done;
    const bool good = !t.service_patch(of_desired(patch), noon(), done);
    CHECK(good == r.service_patch(*written_patch, noon().ticks, "").refusals.empty());
    CHECK(same());
  }
}
