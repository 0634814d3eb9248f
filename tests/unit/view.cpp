// What each party sees: views, events, metadata.
#include "../support/twin.hpp"

#include <string>

using devicetwin::outcome;
using devicetwin::twin;

namespace {

std::string lifecycle(const twin& t) {
  std::string text;
  REQUIRE(!devicetwin::write_lifecycle_event(t, text));
  return text;
}

/// `"$lastUpdated":…` of a stamp so many seconds after noon, in desired.
std::string at(int second, int version) {
  return "\"$lastUpdated\":\"2026-01-31T12:00:0" + std::to_string(second) + "Z\"" +
         (version == 0 ? "" : ",\"$lastUpdatedVersion\":" + std::to_string(version));
}

}  // namespace

// --- views ---------------------------------------------------------------------------------------

TEST_CASE("the service's view shows a device and a module", "[view]") {
  twin t;
  outcome done;
  devicetwin::new_identity who{"d"};
  who.module_id = "m";
  who.model_id = "dtmi:com:example:Pump;1";
  who.authentication_type = "selfSigned";
  who.iot_edge = true;
  REQUIRE(!t.create(who, noon(), done));
  CHECK(t.module_id() == "m");
  REQUIRE(!t.service_patch(R"({"tags":{"x":1},"properties":{"desired":{"a":{"b":1}}}})", noon(1),
                           done));
  CHECK(
      service_text(t) ==
      R"({"deviceId":"d","moduleId":"m","etag":"AAAAAAAAAAI=","deviceEtag":"MQ==","status":"enabled","statusUpdateTime":"0001-01-01T00:00:00Z",)"
      R"("connectionState":"Disconnected","lastActivityTime":"0001-01-01T00:00:00Z","cloudToDeviceMessageCount":0,)"
      R"("authenticationType":"selfSigned","x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},)"
      R"("modelId":"dtmi:com:example:Pump;1","version":3,"tags":{"x":1},"properties":{"desired":{"a":{"b":1},"$metadata":{)" +
          at(1, 2) + R"(,"a":{)" + at(1, 2) + R"(,"b":{)" + at(1, 2) +
          R"(}}},"$version":2},"reported":{"$metadata":{)" + at(0, 0) +
          R"(},"$version":1}},"capabilities":{"iotEdge":true}})");
  CHECK(service_text(t, false).find("$metadata") == std::string::npos);
  CHECK(lifecycle(t).substr(0, 60) ==
        R"({"deviceId":"d","moduleId":"m","etag":"AAAAAAAAAAI=","versio)");
}
TEST_CASE("tags are left out when there are none", "[view]") {
  twin t = fresh_twin();
  outcome done;
  CHECK(service_text(t).find("tags") == std::string::npos);
  REQUIRE(!t.service_patch(R"({"tags":{"a":1}})", noon(), done));
  CHECK(service_text(t).find(R"("tags":{"a":1})") != std::string::npos);
  REQUIRE(!t.service_patch(R"({"tags":{"a":null}})", noon(), done));
  CHECK(service_text(t).find("tags") == std::string::npos);
}
TEST_CASE("the device's view has both sections, their versions, and nothing else", "[view]") {
  twin t = fresh_twin();
  outcome done;
  REQUIRE(!t.service_patch(R"({"tags":{"secret":1},"properties":{"desired":{"a":{"b":[1]}}}})",
                           noon(), done));
  REQUIRE(!t.device_patch(R"({"c":null,"d":{}})", noon(), done));
  CHECK(device_text(t) ==
        R"({"desired":{"a":{"b":[1]},"$version":2},"reported":{"d":{},"$version":2}})");
}
TEST_CASE("views go to any handler and any output, and are taken back when it is full", "[view]") {
  twin t = twin_with(R"({"a":{"b":1}})", R"({"c":[1,2]})");
  const std::string whole = service_text(t);
  json::document d;
  REQUIRE(!json::core::document_access::rebuild(
      d, 0, [&](auto& handler) { return devicetwin::emit_service_view(t, handler); }));
  CHECK(written(d) == whole);
  rapidjson::Document parsed_again = parsed(whole);
  CHECK(written(parsed_again) == whole);
  std::string indented;
  devicetwin::view_options options;
  options.indent = 2;
  REQUIRE(!devicetwin::write_service_view(t, indented, options));
  CHECK(indented.find("\n  \"properties\": {\n    \"desired\": {\n") != std::string::npos);
  CHECK(written(parsed(indented)) == whole);
  std::string device = "before:";
  REQUIRE(!devicetwin::write_device_view(t, device, options));
  CHECK(device.substr(0, 24) == "before:{\n  \"desired\": {\n");
  char small[100];
  for (std::size_t room = 0; room < sizeof small; ++room) {
    devicetwin::text_buffer out(small, room);
    CHECK(devicetwin::write_service_view(t, out).code() == errc::out_of_memory);
    CHECK(out.size() == 0);
  }
  struct stopping {
    int left;
    bool step() { return left-- > 0; }
    bool Null() { return step(); }
    bool Bool(bool) { return step(); }
    bool Int(int) { return step(); }
    bool Uint(unsigned) { return step(); }
    bool Int64(std::int64_t) { return step(); }
    bool Uint64(std::uint64_t) { return step(); }
    bool Double(double) { return step(); }
    bool String(const char*, json::size_type, bool) { return step(); }
    bool Key(const char*, json::size_type, bool) { return step(); }
    bool StartObject() { return step(); }
    bool EndObject(json::size_type) { return step(); }
    bool StartArray() { return step(); }
    bool EndArray(json::size_type) { return step(); }
  };
  for (int events = 0;; ++events) {
    REQUIRE(events < 1000);
    stopping handler{events};
    const json::error e = devicetwin::emit_service_view(t, handler);
    if (!e) break;
    CHECK(e.code() == errc::handler_stopped);
  }
}

// --- events --------------------------------------------------------------------------------------

TEST_CASE(
    "an updateTwin event has the root version and what was touched, with metadata and version",
    "[view][event]") {
  twin t = twin_with(R"({"a":1,"b":{"c":1,"d":1},"e":1})");
  outcome done;
  REQUIRE(!t.service_patch(
      R"({"tags":{"x":1},"properties":{"desired":{"b":{"c":2,"d":null},"e":null,"n":{"o":[1]}}}})",
      noon(1), done));
  CHECK(
      done.event() ==
      R"({"version":3,"tags":{"x":1},"properties":{"desired":{"b":{"c":2,"d":null},"e":null,"n":{"o":[1]},"$metadata":{)" +
          at(1, 2) + R"(,"b":{)" + at(1, 2) + R"(,"c":{)" + at(1, 2) + R"(}},"n":{)" + at(1, 2) +
          R"(,"o":{)" + at(1, 2) + R"(}}},"$version":2}}})");
  REQUIRE(!t.service_patch(R"({"tags":{"x":2}})", noon(1), done));
  CHECK(done.event() == R"({"version":4,"tags":{"x":2}})");
}
TEST_CASE("a replaceTwin event has the whole twin", "[view][event]") {
  twin t = loaded_twin(
      R"({"deviceId":"d","moduleId":"m","etag":"AAAAAAAAAAE=","version":2,"status":"enabled","tags":{"t":1},"properties":{"desired":{"a":1,"$version":1},"reported":{"r":1,"$version":1}}})");
  outcome done;
  REQUIRE(!t.service_replace(of_desired(R"({"b":{"c":1}})"), noon(1), done));
  CHECK(
      done.event() ==
      R"({"deviceId":"d","moduleId":"m","etag":"AAAAAAAAAAI=","version":3,"tags":{"t":1},"properties":{"desired":{"b":{"c":1},"$metadata":{)" +
          at(1, 2) + R"(,"b":{)" + at(1, 2) + R"(,"c":{)" + at(1, 2) +
          R"(}}},"$version":2},"reported":{"r":1,"$version":1}}})");
  REQUIRE(!t.service_replace(R"({"tags":{"u":1}})", noon(2), done));
  const std::string event(done.event());
  CHECK(event.substr(0, event.find(",\"properties\"")) ==
        R"({"deviceId":"d","moduleId":"m","etag":"AAAAAAAAAAM=","version":4,"tags":{"u":1})");
  // It is a twin that can be loaded.
  twin copy = loaded_twin(event);
  CHECK(written(copy.desired()) == R"({"b":{"c":1}})");
  CHECK(copy.version() == 4);
}
TEST_CASE(
    "the event of a reported patch has its members and their metadata, no tags and no desired",
    "[view][event]") {
  twin t = loaded_twin(
      R"({"deviceId":"d","version":2,"tags":{"t":1},"properties":{"desired":{"a":1,"$version":1},"reported":{"r":1,"s":2,"$version":1}}})");
  outcome done;
  REQUIRE(!t.device_patch(R"({"r":2,"x":{"y":1}})", noon(1), done));
  CHECK(done.event() ==
        R"({"version":3,"properties":{"reported":{"r":2,"x":{"y":1},"$metadata":{)" + at(1, 0) +
            R"(,"r":{)" + at(1, 0) + R"(},"x":{)" + at(1, 0) + R"(,"y":{)" + at(1, 0) +
            R"(}}},"$version":2}}})");
}
TEST_CASE(
    "the event of a service's patch with the whole twin has all tags and desired, never reported",
    "[view][event]") {
  twin t = loaded_twin(
      R"({"deviceId":"d","version":2,"tags":{"t":1},"properties":{"desired":{"a":1,"$version":1},"reported":{"r":1,"$version":1}}})");
  outcome done;
  REQUIRE(!t.service_patch(service_text(t), noon(1), done));
  CHECK(done.event() ==
        R"({"version":3,"tags":{"t":1},"properties":{"desired":{"a":1,"$metadata":{)" + at(1, 2) +
            R"(,"a":{)" + at(1, 2) + R"(}},"$version":2}}})");
}
TEST_CASE("events never have old values", "[view][event]") {
  twin t = twin_with(R"({"a":"old-1","b":{"c":"old-2"},"d":"old-3"})", R"({"a":"old-4"})");
  outcome done;
  REQUIRE(!t.service_patch(of_desired(R"({"a":1,"b":null,"d":{"x":1}})"), noon(), done));
  CHECK(done.event().find("old") == std::string_view::npos);
  REQUIRE(!t.device_patch(R"({"a":{"b":1}})", noon(), done));
  CHECK(done.event().find("old") == std::string_view::npos);
  t = twin_with(R"({"a":"old-1"})");
  REQUIRE(!t.service_replace(of_desired("{}"), noon(), done));
  CHECK(done.event().find("old") == std::string_view::npos);
}
TEST_CASE("a reported patch with an equal value still makes an event", "[view][event]") {
  twin t = twin_with("{}", R"({"a":1})");
  outcome done;
  REQUIRE(!t.device_patch(R"({"a":1})", noon(), done));
  CHECK(!done.event().empty());
  CHECK(done.size() == 0);
}
TEST_CASE("the lifecycle event has the fresh twin", "[view][event]") {
  twin t;
  outcome done;
  REQUIRE(!t.create({"d"}, noon(), done));
  CHECK(
      done.event() ==
      R"({"deviceId":"d","etag":"AAAAAAAAAAE=","version":2,"properties":{"desired":{"$metadata":{)" +
          at(0, 0) + R"(},"$version":1},"reported":{"$metadata":{)" + at(0, 0) +
          R"(},"$version":1}}})");
  CHECK(lifecycle(t) == done.event());
  const twin copy = loaded_twin(done.event());
  CHECK(lifecycle(copy) == done.event());
}

// --- metadata ------------------------------------------------------------------------------------

TEST_CASE("metadata mirrors objects, with one stamp a value", "[view][metadata]") {
  twin t = fresh_twin();
  outcome done;
  REQUIRE(!t.service_patch(of_desired(R"({"a":{"b":{},"c":[1,{"d":1}],"e":1}})"), noon(1), done));
  const std::string s = at(1, 2);
  CHECK(metadata_text(t, part::desired) ==
        "{" + s + R"(,"a":{)" + s + R"(,"b":{)" + s + R"(},"c":{)" + s + R"(},"e":{)" + s + "}}}");
}
TEST_CASE("versions stand in desired's metadata alone", "[view][metadata]") {
  twin t = fresh_twin();
  outcome done;
  CHECK(metadata_text(t, part::desired) == "{" + at(0, 0) + "}");
  REQUIRE(!t.device_patch(R"({"a":1})", noon(1), done));
  CHECK(metadata_text(t, part::reported) == "{" + at(1, 0) + R"(,"a":{)" + at(1, 0) + "}}");
  REQUIRE(!t.service_patch(of_desired(R"({"a":1})"), noon(1), done));
  CHECK(metadata_text(t, part::desired) == "{" + at(1, 2) + R"(,"a":{)" + at(1, 2) + "}}");
}
TEST_CASE("what is around a changed leaf takes its stamp; siblings keep theirs",
          "[view][metadata]") {
  twin t = fresh_twin();
  outcome done;
  REQUIRE(!t.service_patch(of_desired(R"({"a":{"x":1,"y":{"z":1}},"temp":1})"), noon(1), done));
  REQUIRE(!t.service_patch(of_desired(R"({"a":{"y":{"z":2}}})"), noon(2), done));
  CHECK(metadata_text(t, part::desired) == "{" + at(2, 3) + R"(,"a":{)" + at(2, 3) + R"(,"x":{)" +
                                               at(1, 2) + R"(},"y":{)" + at(2, 3) + R"(,"z":{)" +
                                               at(2, 3) + R"(}}},"temp":{)" + at(1, 2) + "}}");
  CHECK(*t.stamp_of(part::desired, "") == devicetwin::stamp{noon(2), 3});
  CHECK(*t.stamp_of(part::desired, "/a/x") == devicetwin::stamp{noon(1), 2});
  CHECK(*t.stamp_of(part::desired, "/a/y/z") == devicetwin::stamp{noon(2), 3});
  CHECK(t.stamp_of(part::desired, "/a/q").error().code() == errc::not_found);
  CHECK(t.stamp_of(part::desired, "/a/q").error().pointer() == "/a/q");
  CHECK(t.stamp_of(part::desired, "a").error().code() == errc::invalid_pointer);
  CHECK(t.stamp_of(part::tags, "").error().code() == errc::not_found);
}
TEST_CASE("a configuration's marks stay until their property is written", "[view][metadata]") {
  const std::string text =
      R"({"deviceId":"Device-385","etag":"AAAAAAAAABY=","version":24,"properties":{"desired":{"temp":19,"sample":{"rate":2},"$metadata":{)"
      R"("$lastUpdated":"2020-04-09T16:16:55.2361131Z","$lastUpdatedVersion":20,"temp":{"$lastUpdated":"2020-04-09T16:01:41.0284512Z","$lastUpdatedVersion":19},)"
      R"("sample":{"$lastUpdated":"2020-04-09T16:16:55.2361131Z","$lastUpdatedVersion":20,"rate":{"$lastUpdated":"2020-04-09T16:16:55.2361131Z",)"
      R"("$lastUpdatedBy":"faster","$lastUpdatedByDigest":"637220170152361131","$lastUpdatedVersion":20}}},"$version":20},"reported":{"$version":2}}})";
  twin t = loaded_twin(text);
  CHECK(metadata_text(t, part::desired).find("faster") != std::string::npos);
  CHECK(t.stamp_of(part::desired, "/sample/rate")->version == 20);
  outcome done;
  REQUIRE(!t.service_patch(of_desired(R"({"temp":20})"), noon(), done));
  CHECK(metadata_text(t, part::desired).find("\"$lastUpdatedBy\":\"faster\"") != std::string::npos);
  REQUIRE(!t.service_patch(of_desired(R"({"sample":{"rate":3}})"), noon(), done));
  CHECK(metadata_text(t, part::desired).find("faster") == std::string::npos);
}
TEST_CASE("an array has one metadata object, its elements none", "[view][metadata]") {
  twin t = fresh_twin();
  outcome done;
  REQUIRE(!t.device_patch(R"({"a":[{"b":1},[2]]})", noon(1), done));
  CHECK(metadata_text(t, part::reported) == "{" + at(1, 0) + R"(,"a":{)" + at(1, 0) + "}}");
}
TEST_CASE("a deletion shows in the stamp around it, and its metadata goes", "[view][metadata]") {
  twin t = fresh_twin();
  outcome done;
  REQUIRE(!t.service_patch(of_desired(R"({"a":{"b":1,"c":{"d":1}},"e":1})"), noon(1), done));
  REQUIRE(!t.service_patch(of_desired(R"({"a":{"c":null}})"), noon(2), done));
  CHECK(metadata_text(t, part::desired) == "{" + at(2, 3) + R"(,"a":{)" + at(2, 3) + R"(,"b":{)" +
                                               at(1, 2) + R"(}},"e":{)" + at(1, 2) + "}}");
  REQUIRE(!t.service_patch(of_desired(R"({"a":{"c":1}})"), noon(3), done));
  CHECK(*t.stamp_of(part::desired, "/a/c") == devicetwin::stamp{noon(3), 4});
}
TEST_CASE("tags have neither metadata nor version", "[view][metadata]") {
  twin t = fresh_twin();
  outcome done;
  REQUIRE(!t.service_patch(R"({"tags":{"a":{"b":1}}})", noon(1), done));
  CHECK(service_text(t).find(R"("tags":{"a":{"b":1}})") != std::string::npos);
}
TEST_CASE("known defects of the service do not occur here", "[view][metadata]") {
  twin t = fresh_twin();
  outcome done;
  // A string replaced by an object: its children have metadata.
  REQUIRE(!t.service_patch(of_desired(R"({"p":"text"})"), noon(1), done));
  REQUIRE(!t.service_patch(of_desired(R"({"p":{"a":1}})"), noon(2), done));
  CHECK(metadata_text(t, part::desired) ==
        "{" + at(2, 3) + R"(,"p":{)" + at(2, 3) + R"(,"a":{)" + at(2, 3) + "}}}");
  // Null for an absent key leaves its siblings alone.
  REQUIRE(!t.service_patch(of_desired(R"({"key1":{"key2":1}})"), noon(3), done));
  const std::string before = service_text(t);
  REQUIRE(!t.service_patch(of_desired(R"({"key1":{"key3":null}})"), noon(4), done));
  CHECK(service_text(t) == before);
  // Null removes, and removes again.
  for (int i = 0; i < 3; ++i) {
    REQUIRE(!t.service_patch(of_desired(R"({"key1":null})"), noon(5), done));
    CHECK(written(t.desired()) == R"({"p":{"a":1}})");
  }
}
TEST_CASE("only a value that differs takes a stamp where values count", "[view][metadata]") {
  twin t = fresh_twin(devicetwin::rfc7396);
  outcome done;
  REQUIRE(!t.service_patch(of_desired(R"({"a":{"b":1,"c":1}})"), noon(1), done));
  REQUIRE(!t.service_patch(of_desired(R"({"a":{"b":1.0,"c":2}})"), noon(2), done));
  CHECK(metadata_text(t, part::desired) == "{" + at(2, 3) + R"(,"a":{)" + at(2, 3) + R"(,"b":{)" +
                                               at(1, 2) + R"(},"c":{)" + at(2, 3) + "}}}");
  REQUIRE(!t.service_replace(of_desired(R"({"a":{"b":1,"c":2}})"), noon(3), done));
  CHECK(!done.effective());
  REQUIRE(!t.service_replace(of_desired(R"({"a":{"b":1,"c":3}})"), noon(4), done));
  CHECK(t.stamp_of(part::desired, "/a/b")->time == noon(4));
}
