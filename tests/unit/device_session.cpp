#include "../support/text.hpp"

#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "../support/failing_heap.hpp"
#include "../support/files.hpp"
#include "../support/random_json.hpp"
#include "../support/reference.hpp"
#include "../support/spelled_numbers.hpp"

using devicetwin::part;
using devicetwin::reach;
using devicetwin::subscription;

namespace {

/// The last action of a kind.
std::string last(devicetwin::device_session& s, devicetwin::device_action::kind_type kind,
                 bool payload = false) {
  std::string found = "none";
  for (const auto& a : s.actions()) {
    if (a.kind == kind) found = std::string(payload ? a.payload : a.topic);
  }
  return found;
}
std::string published(devicetwin::device_session& s) {
  return last(s, devicetwin::device_action::publish, true);
}

std::string changes_of(const devicetwin::device_session& s) {
  std::string all;
  for (const auto& c : s.changes()) {
    all += (all.empty() ? "" : " ") + std::string(c.pointer) + ":" +
           (c.old_text.empty() ? "-" : std::string(c.old_text)) + ">" +
           (c.new_text.empty() ? "-" : std::string(c.new_text));
  }
  return all;
}
std::string problem(const json::error& e) {
  return e ? std::string(json::describe(e.code())) + " at " + std::string(e.pointer()) : "";
}

/// A session and what was published last, by whoever is the hub here.
struct device {
  explicit device(const devicetwin::device_options& options = {}) : session(options) {}
  devicetwin::device_session session;
  std::int64_t now = 1000;
  std::string get_id, patch_id;

  std::string did(const json::error& e) {
    for (const auto& a : session.actions()) {
      if (a.kind != devicetwin::device_action::publish) continue;
      const auto topic = devicetwin::parse_twin_topic(a.topic);
      REQUIRE(topic);
      (topic->kind == devicetwin::twin_topic_kind::get ? get_id : patch_id) = topic->request_id;
    }
    return problem(e);
  }
  std::string connect() { return did(session.connected(ms(++now))); }
  std::string report(std::string_view patch) { return did(session.report(patch, ms(++now))); }
  std::string twin(std::string_view body) {
    return did(session.message("$iothub/twin/res/200/?$rid=" + get_id, body, ms(++now)));
  }
  std::string get_answer(int status, std::string_view body = {}) {
    return did(session.message("$iothub/twin/res/" + std::to_string(status) + "/?$rid=" + get_id,
                               body, ms(++now)));
  }
  std::string answer(int status, std::int64_t version, std::string_view body = {}) {
    return did(session.message("$iothub/twin/res/" + std::to_string(status) + "/?$rid=" + patch_id +
                                   (version < 0 ? "" : "&$version=" + std::to_string(version)),
                               body, ms(++now)));
  }
  std::string change(std::int64_t version, std::string_view body) {
    return did(session.message(
        "$iothub/twin/PATCH/properties/desired/?$version=" + std::to_string(version), body,
        ms(++now)));
  }
  std::string tick_when_due() {
    now = session.next_tick().count;
    return did(session.tick(ms(now)));
  }
  std::string desired() const { return std::string(session.text(part::desired)); }
  std::string reported() const { return std::string(session.text(part::reported)); }
  std::string acknowledged() const { return std::string(session.acknowledged()); }
};

/// One that has this twin.
void start(
    device& d,
    std::string_view twin =
        R"({"desired":{"rpm":900,"zone":{"a":1,"b":2},"$version":3},"reported":{"rpm":870,"$version":5}})") {
  REQUIRE(d.connect() == "");
  REQUIRE(d.twin(twin) == "");
}

}  // namespace

TEST_CASE("a session subscribes, asks for the twin and tells what is desired", "[device_session]") {
  device d;
  CHECK(d.session.actions().empty());
  CHECK(d.session.next_tick().count == INT64_MAX);
  CHECK(d.connect() == "");
  REQUIRE(d.session.actions().size() == 3);
  CHECK(d.session.actions()[0].kind == devicetwin::device_action::subscribe);
  CHECK(d.session.actions()[0].topic == devicetwin::responses_filter);
  CHECK(d.session.actions()[1].topic == devicetwin::desired_filter);
  CHECK(d.session.actions()[2].kind == devicetwin::device_action::publish);
  CHECK(d.session.actions()[2].topic == "$iothub/twin/GET/?$rid=" + d.get_id);
  CHECK(d.session.actions()[2].payload.empty());
  CHECK(d.session.next_tick().count == d.now + 30000);
  CHECK(
      d.twin(
          R"({"desired":{"rpm":900,"zone":{"a":1},"$version":3},"reported":{"rpm":870,"$version":5}})") ==
      "");
  REQUIRE(d.session.actions().size() == 2);
  CHECK(d.session.actions()[0].kind == devicetwin::device_action::arrived);
  CHECK(d.session.actions()[1].kind == devicetwin::device_action::changed);
  CHECK(changes_of(d.session) == R"(/rpm:->900 /zone:->{"a":1})");
  CHECK(d.desired() == R"({"rpm":900,"zone":{"a":1}})");
  CHECK(d.reported() == R"({"rpm":870})");
  CHECK(d.session.version(part::desired) == 3);
  CHECK(d.session.version(part::reported) == 5);
  CHECK(d.session.in_step());
  CHECK(d.session.next_tick().count == INT64_MAX);
  CHECK(d.session.text(part::tags) == "{}");
}

TEST_CASE("changes are applied in the order of their versions, and none twice",
          "[device_session]") {
  device d;
  start(d);
  CHECK(d.change(4, R"({"rpm":null,"zone":{"b":3,"c":{"d":null,"e":[null]}},"$version":4})") == "");
  CHECK(changes_of(d.session) == R"(/rpm:900>- /zone/b:2>3 /zone/c:->{"e":[null]})");
  CHECK(d.desired() == R"({"zone":{"a":1,"b":3,"c":{"e":[null]}}})");
  CHECK(d.change(4, R"({"rpm":1,"$version":4})") == "");  // once more
  CHECK(d.change(3, R"({"rpm":1,"$version":3})") == "");
  CHECK(d.session.actions().empty());
  CHECK(d.session.changes().empty());
  CHECK(d.desired() == R"({"zone":{"a":1,"b":3,"c":{"e":[null]}}})");
  CHECK(d.change(5, R"({"zone":{"b":3.0},"$version":5})") == "");  // nothing new, but a version
  CHECK(d.session.actions().empty());
  CHECK(d.session.version(part::desired) == 5);
}

TEST_CASE("a version that lacks is fetched, and the difference is told, deletions included",
          "[device_session]") {
  device d;
  start(d);
  CHECK(d.change(5, R"({"late":1,"$version":5})") == "");
  CHECK(last(d.session, devicetwin::device_action::publish) ==
        "$iothub/twin/GET/?$rid=" + d.get_id);
  CHECK(d.session.changes().empty());
  CHECK(d.change(6, R"({"later":{"x":1},"$version":6})") == "");  // kept
  CHECK(d.session.actions().empty());
  CHECK(
      d.twin(
          R"({"desired":{"late":1,"zone":{"a":1},"$version":5},"reported":{"rpm":870,"$version":5}})") ==
      "");
  CHECK(d.session.actions().size() == 1);  // one batch
  CHECK(
      reference::equal(*reference::parser::parse(d.desired()),
                       *reference::parser::parse(R"({"late":1,"zone":{"a":1},"later":{"x":1}})")));
  std::string all = changes_of(d.session);
  for (const char* change : {"/rpm:900>-", "/zone/b:2>-", "/late:->1", R"(/later:->{"x":1})"}) {
    INFO(all);
    CHECK(all.find(change) != std::string::npos);
  }
  CHECK(d.session.changes().size() == 4);
  CHECK(d.session.version(part::desired) == 6);
  CHECK(d.session.in_step());
}

TEST_CASE("changes that come before the twin are kept, dropped or applied", "[device_session]") {
  device d;
  REQUIRE(d.connect() == "");
  CHECK(d.change(2, R"({"a":2,"$version":2})") == "");
  CHECK(d.change(4, R"({"a":4,"$version":4})") == "");
  CHECK(d.change(3, R"({"a":3,"b":3,"$version":3})") == "");  // in another order
  CHECK(d.twin(R"({"desired":{"a":2,"$version":2},"reported":{"$version":1}})") == "");
  CHECK(d.desired() == R"({"a":4,"b":3})");
  CHECK(d.session.version(part::desired) == 4);
  // One that lacks: the twin once more.
  REQUIRE(d.connect() == "");
  CHECK(d.change(7, R"({"a":7,"$version":7})") == "");
  CHECK(d.twin(R"({"desired":{"a":5,"$version":5},"reported":{"$version":1}})") == "");
  CHECK(last(d.session, devicetwin::device_action::publish).find("GET") != std::string::npos);
  CHECK(d.desired() == R"({"a":5})");
  CHECK(d.twin(R"({"desired":{"a":7,"$version":7},"reported":{"$version":1}})") == "");
  CHECK(d.session.in_step());
  CHECK(d.session.actions().size() == 1);
}

TEST_CASE("changes for which there is no room are fetched", "[device_session]") {
  devicetwin::device_options options;
  options.max_kept = 40;
  device d(options);
  REQUIRE(d.connect() == "");
  CHECK(d.change(2, R"({"long":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx","$version":2})") == "");
  CHECK(d.twin(R"({"desired":{"$version":1},"reported":{"$version":1}})") == "");
  CHECK(last(d.session, devicetwin::device_action::publish).find("GET") != std::string::npos);
  CHECK(d.twin(R"({"desired":{"long":"x","$version":2},"reported":{"$version":1}})") == "");
  CHECK(d.session.in_step());
  CHECK(d.desired() == R"({"long":"x"})");
}

TEST_CASE("a snapshot replaces whatever its version is", "[device_session]") {
  device d;
  start(d);
  REQUIRE(!d.session.disconnected(ms(d.now)));
  CHECK_FALSE(d.session.in_step());
  REQUIRE(d.connect() == "");
  CHECK(d.twin(R"({"desired":{"new":true,"$version":1},"reported":{"$version":1}})") ==
        "");  // an identity made anew
  CHECK(d.session.version(part::desired) == 1);
  CHECK(changes_of(d.session) == R"(/rpm:900>- /zone:{"a":1,"b":2}>- /new:->true)");
  CHECK(published(d.session) == R"({"rpm":870})");  // the device is the one who knows
  CHECK(d.change(2, R"({"new":false,"$version":2})") == "");
  CHECK(changes_of(d.session) == "/new:true>false");
}

TEST_CASE("nothing is told when nothing changed", "[device_session]") {
  device d;
  start(d);
  REQUIRE(d.connect() == "");
  CHECK(
      d.twin(
          R"({ "reported" : { "$version":5,"rpm":870.0}, "desired":{"zone":{"b":2,"a":1},"\u0072pm":9e2,"$version":3}})") ==
      "");
  REQUIRE(d.session.actions().size() == 1);
  CHECK(d.session.actions()[0].kind == devicetwin::device_action::arrived);
  CHECK(d.session.changes().empty());
}

TEST_CASE("a version stands in the topic, in the body, or in both", "[device_session]") {
  device d;
  start(d, R"({"desired":{"$version":1},"reported":{"$version":1}})");
  CHECK(d.change(2, R"({"a":2})") == "");
  CHECK(d.did(d.session.message("$iothub/twin/PATCH/properties/desired/",
                                R"({"a":3,"\u0024version":3})", ms(d.now))) == "");
  CHECK(d.desired() == R"({"a":3})");
  CHECK(d.change(4, R"({"a":4,"$metadata":{},"\u0024other":1,"b":{"$inside":1},"$version":4})") ==
        "");
  CHECK(d.desired() == R"({"a":4,"b":{"$inside":1}})");  // at the root alone they are the hub's
  for (const char* body :
       {R"({"a":5,"$version":6})", R"({"a":5,"$version":"5"})", R"({"a":5,"$version":-5})",
        R"({"a":5,"$version":5.5})", R"({"a":5,"$version":null})", R"({"a":5,"$version":[5]})"}) {
    INFO(body);
    device other;
    start(other, R"({"desired":{"$version":4},"reported":{"$version":1}})");
    CHECK(other.change(5, body) == "a part of the twin has the wrong type at /$version");
    CHECK(last(other.session, devicetwin::device_action::publish).find("GET") !=
          std::string::npos);  // it was about something
    CHECK(other.desired() == "{}");
  }
  CHECK(d.did(d.session.message("$iothub/twin/PATCH/properties/desired/", R"({"a":5})",
                                ms(d.now))) != "");
}

TEST_CASE("twins and changes that are none are errors, and the twin is asked for again",
          "[device_session]") {
  for (const char* body :
       {"", " ", "{", "[]", "1", "null", R"({"reported":{"$version":1}})",
        R"({"desired":1,"reported":{}})", R"({"desired":null,"reported":{}})",
        R"({"desired":{},"reported":{}})", R"({"desired":{"$version":"1"},"reported":{}})",
        R"({"desired":{"$version":1},"reported":[]})",
        R"({"desired":{"$version":1},"reported":{"$version":true}})",
        R"({"desired":{"$version":1,"a":1,"a":2},"reported":{}})",
        "{\"desired\":{\"$version\":1,\"a\":\"\xFF\"},\"reported\":{}}",
        R"({"desired":{"$version":99999999999999999999},"reported":{}})"}) {
    INFO(body);
    device d;
    start(d);
    REQUIRE(d.connect() == "");
    CHECK(d.twin(body) != "");
    CHECK(d.session.actions().empty());
    CHECK(d.desired() == R"({"rpm":900,"zone":{"a":1,"b":2}})");
    CHECK(d.reported() == R"({"rpm":870})");
    const std::string id = d.get_id;
    CHECK(d.session.next_tick().count != INT64_MAX);
    CHECK(d.tick_when_due() == "");
    CHECK(d.get_id != id);
    CHECK(d.twin(R"({"desired":{"$version":3,"a":null,"b":{"c":null}},"reported":null})") == "");
    CHECK(d.desired() == R"({"b":{}})");
  }
  for (const char* body : {"", "{", "[]", "7", "{\"a\":1,\"a\":1}", "{\"a\":\"\x01\"}"}) {
    INFO(body);
    device d;
    start(d);
    CHECK(d.change(4, body) != "");
    CHECK(last(d.session, devicetwin::device_action::publish).find("GET") != std::string::npos);
    CHECK(d.desired() == R"({"rpm":900,"zone":{"a":1,"b":2}})");
  }
  device d;
  // As it was once documented.
  start(d, R"({"properties":{"desired":{"a":1,"$version":2},"reported":{"b":1,"$version":1}}})");
  CHECK(d.desired() == R"({"a":1})");
  CHECK(d.reported() == R"({"b":1})");
  CHECK(d.did(d.session.message("$iothub/twin/res/200/", "{}", ms(1))) != "");
  CHECK(d.did(d.session.message("a/b", "{}", ms(1))) != "");
  CHECK(d.did(d.session.message("$iothub/twin/GET/?$rid=1", "", ms(1))) != "");
  std::string deep = R"({"desired":{"$version":1,"a":)" + std::string(80, '[') +
                     std::string(80, ']') + R"(},"reported":{}})";
  REQUIRE(d.connect() == "");
  CHECK(d.twin(deep).find("nested too deeply") == 0);
}

TEST_CASE("a twin that is refused is not asked for again before the next connection",
          "[device_session]") {
  for (const int status : {400, 401, 404}) {
    device d;
    REQUIRE(d.connect() == "");
    CHECK(d.get_answer(
              status,
              R"({"errorCode":404001,"trackingId":"x","message":"no such \"device\"\u00e9"})") ==
          "");
    REQUIRE(d.session.actions().size() == 1);
    const auto a = d.session.actions()[0];
    CHECK(a.kind == devicetwin::device_action::failed);
    CHECK(a.status == static_cast<unsigned>(status));
    CHECK(a.code == 404001);
    CHECK(a.message == "no such \"device\"\xC3\xA9");
    CHECK(d.session.next_tick().count == INT64_MAX);
    CHECK(d.change(2, R"({"a":1,"$version":2})") == "");
    CHECK(d.session.actions().empty());
    CHECK(d.report(R"({"a":1})") == "");
    CHECK(d.session.actions().empty());
    CHECK(d.connect() == "");
    CHECK(d.twin(R"({"desired":{"$version":1},"reported":{"$version":1}})") == "");
    CHECK(published(d.session) == R"({"a":1})");
  }
  device d;
  REQUIRE(d.connect() == "");
  CHECK(d.get_answer(401, std::string(2000, 'x')) == "");
  CHECK(d.session.actions()[0].message.size() == 512);
  CHECK(d.session.actions()[0].code == 0);
}

TEST_CASE("a change that is missing is never passed over, also when the twin is refused",
          "[device_session]") {
  device d;
  start(d, R"({"desired":{"a":4,"$version":4},"reported":{"$version":1}})");
  CHECK(d.change(6, R"({"b":6,"$version":6})") == "");
  CHECK(d.get_answer(404) == "");
  CHECK(d.session.actions()[0].kind == devicetwin::device_action::failed);
  CHECK_FALSE(d.session.in_step());
  const std::string id = d.get_id;
  CHECK(d.change(7, R"({"c":7,"$version":7})") == "");  // another gap: asked again
  CHECK(d.get_id != id);
  CHECK_FALSE(d.session.in_step());
  CHECK(d.change(5, R"({"a":5,"b":5,"$version":5})") == "");  // the others follow
  CHECK(changes_of(d.session) == "/a:4>5 /b:->6 /c:->7");
  CHECK(d.session.version(part::desired) == 7);
  CHECK_FALSE(d.session.in_step());
  CHECK(d.change(8, R"({"c":8,"$version":8})") == "");
  CHECK(changes_of(d.session) == "/c:7>8");
  CHECK_FALSE(d.session.in_step());  // the twin is still asked for
  CHECK(d.get_answer(404) == "");
  CHECK(d.session.in_step());
  CHECK(d.session.version(part::desired) == 8);
  CHECK(d.desired() == R"({"a":5,"b":6,"c":8})");
  CHECK(d.change(9, R"({"c":9,"$version":9})") == "");
  CHECK(d.session.in_step());
  // A gap that is never closed; the next connection fetches.
  CHECK(d.change(12, R"({"c":12,"$version":12})") == "");
  CHECK(d.get_answer(404) == "");
  CHECK(d.change(10, R"({"c":10,"$version":10})") == "");
  CHECK(d.desired() == R"({"a":5,"b":6,"c":10})");
  CHECK_FALSE(d.session.in_step());
  REQUIRE(d.connect() == "");
  CHECK(d.twin(R"({"desired":{"c":12,"$version":12},"reported":{"$version":1}})") == "");
  CHECK(d.session.in_step());
  CHECK(d.desired() == R"({"c":12})");
  // A change that cannot be read is missing, too.
  CHECK(d.change(14, R"({"c":14,"$version":14})") == "");
  CHECK(d.get_answer(404) == "");
  CHECK(d.change(13, "{") != "");
  CHECK(last(d.session, devicetwin::device_action::publish).find("GET") != std::string::npos);
}

TEST_CASE(
    "a missing change stays missing when the request for the twin is repeated and then refused",
    "[device_session]") {
  device d;
  start(d, R"({"desired":{"a":4,"$version":4},"reported":{"$version":1}})");
  CHECK(d.change(6, R"({"b":6,"$version":6})") == "");
  CHECK(d.tick_when_due() == "");  // no answer came
  CHECK(d.tick_when_due() == "");
  CHECK(d.get_answer(404) == "");
  CHECK_FALSE(d.session.in_step());
  CHECK(d.change(8, R"({"b":8,"$version":8})") == "");
  CHECK(d.tick_when_due() == "");
  CHECK(d.tick_when_due() == "");
  CHECK(d.get_answer(404) == "");
  CHECK(d.change(5, R"({"b":5,"$version":5})") == "");
  CHECK(d.session.version(part::desired) == 6);
  CHECK_FALSE(d.session.in_step());
  CHECK(d.change(7, R"({"b":7,"$version":7})") == "");  // the last one was kept
  CHECK(d.session.version(part::desired) == 8);
  CHECK(d.desired() == R"({"a":4,"b":8})");
  CHECK(d.session.in_step());
}

TEST_CASE("a change that cannot be read is missing until a twin comes that was asked for after it",
          "[device_session]") {
  for (const char* body :
       {"{", "7", "{\"a\":1,\"a\":1}", R"({"a":5,"$version":6})", R"({"a":5,"$version":-1})"}) {
    INFO(body);
    device d;
    start(d, R"({"desired":{"a":4,"$version":4},"reported":{"$version":1}})");
    CHECK(d.change(5, body) != "");
    CHECK(d.get_answer(404) == "");
    CHECK_FALSE(d.session.in_step());
    // While a twin is asked for, which may be from before the change.
    for (const bool first : {true, false}) {
      device e;
      if (!first) start(e, R"({"desired":{"a":4,"$version":4},"reported":{"$version":1}})");
      REQUIRE(e.connect() == "");
      const std::string id = e.get_id;
      CHECK(e.change(5, body) != "");
      CHECK(e.get_id == id);
      CHECK(e.twin(R"({"desired":{"a":4,"$version":4},"reported":{"$version":1}})") == "");
      CHECK(e.get_id != id);
      CHECK_FALSE(e.session.in_step());
      CHECK(e.twin(R"({"desired":{"a":5,"$version":5},"reported":{"$version":1}})") == "");
      CHECK(e.session.in_step());
      CHECK(e.desired() == R"({"a":5})");
    }
  }
}

TEST_CASE(
    "a change that follows is applied while the twin is asked for, and again on an older twin",
    "[device_session]") {
  device d;
  start(d, R"({"desired":{"a":4,"$version":4},"reported":{"$version":1}})");
  CHECK(d.change(6, R"({"b":6,"$version":6})") == "");
  CHECK(d.change(5, R"({"a":5,"$version":5})") == "");
  CHECK(d.session.version(part::desired) == 6);
  CHECK(d.change(7, R"({"a":null,"c":7,"$version":7})") == "");
  CHECK(d.session.version(part::desired) == 7);
  CHECK(d.twin(R"({"desired":{"a":5,"b":6,"$version":6},"reported":{"$version":1}})") == "");
  CHECK(d.session.changes().empty());
  CHECK(d.session.version(part::desired) == 7);
  CHECK(d.desired() == R"({"b":6,"c":7})");
  CHECK(d.session.in_step());
}

TEST_CASE("versions and times up to the last one are defined", "[device_session]") {
  const std::string most = std::to_string(INT64_MAX);
  device d;
  start(d,
        R"({"desired":{"a":1,"$version":)" + most + R"(},"reported":{"$version":)" + most + "}}");
  CHECK(d.session.version(part::desired) == INT64_MAX);
  CHECK(d.session.in_step());
  CHECK(d.change(INT64_MAX, R"({"a":2})") == "");
  CHECK(d.change(0, R"({"a":2})") == "");
  CHECK(d.desired() == R"({"a":1})");
  CHECK(d.session.in_step());
  std::string bytes;
  REQUIRE(!d.session.save(bytes));
  devicetwin::device_session again;
  REQUIRE(!again.restore(bytes));
  CHECK(again.version(part::desired) == INT64_MAX);
  CHECK(again.version(part::reported) == INT64_MAX);
  CHECK(again.text(part::desired) == R"({"a":1})");
  // There is no version after the last: whatever the answer says, the twin is fetched.
  CHECK(d.report(R"({"b":1})") == "");
  CHECK(d.answer(204, INT64_MAX) == "");
  CHECK(last(d.session, devicetwin::device_action::publish).find("GET") != std::string::npos);
  CHECK(d.change(INT64_MAX, R"({"a":3})") == "");
  CHECK(d.twin(R"({"desired":{"a":1,"$version":)" + most + R"(},"reported":{"b":1,"$version":)" +
               most + "}}") == "");
  CHECK(d.session.in_step());
  // The last step.
  start(d, R"({"desired":{"a":1,"$version":9223372036854775806},"reported":{"$version":1}})");
  CHECK(d.change(INT64_MAX, R"({"a":2})") == "");
  CHECK(d.desired() == R"({"a":2})");
  REQUIRE(d.connect() == "");
  CHECK(d.change(INT64_MAX, R"({"a":4})") == "");
  CHECK(d.twin(R"({"desired":{"a":1,"$version":9223372036854775806},"reported":{"$version":1}})") ==
        "");
  CHECK(d.desired() == R"({"a":4})");

  for (const std::int64_t first : {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, std::int64_t{1},
                                   INT64_MAX / 2 + 1, INT64_MAX}) {
    for (const std::int64_t longest : {INT64_MIN, std::int64_t{0}, INT64_MAX - 1, INT64_MAX}) {
      for (const std::int64_t time_out :
           {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, INT64_MAX}) {
        devicetwin::device_options options;
        options.retry_first = ms(first);
        options.retry_longest = ms(longest);
        options.time_out = ms(time_out);
        for (std::int64_t now : {INT64_MIN, std::int64_t{-1}, std::int64_t{0}, INT64_MAX}) {
          devicetwin::device_session s(options);
          REQUIRE(!s.connected(ms(now)));
          for (int i = 0; i < 140; ++i) {
            CHECK(s.next_tick().count >= now);
            if (s.next_tick().count > now) now = s.next_tick().count;
            REQUIRE(!s.tick(ms(now)));
          }
        }
      }
    }
  }
}

TEST_CASE("requests are repeated with a growing delay after 429, 5xx and a time-out",
          "[device_session]") {
  devicetwin::device_options options;
  options.retry_first = ms(100);
  options.retry_longest = ms(1000);
  options.time_out = ms(5000);
  options.seed = 7;
  std::vector<std::int64_t> delays[2];
  for (auto& seen : delays) {
    device d(options);
    REQUIRE(d.connect() == "");
    for (int i = 0; i < 8; ++i) {
      const std::string id = d.get_id;
      if (i % 3 == 2) {
        CHECK(d.session.next_tick().count == d.now + 5000);
        CHECK(d.tick_when_due() == "");  // the time is over
      } else {
        CHECK(d.get_answer(i % 3 == 0 ? 429 : 503) == "");
        CHECK(d.get_answer(429) == "");  // once more: it changes nothing
        --d.now;
      }
      CHECK(d.session.actions().empty());
      seen.push_back(d.session.next_tick().count - d.now);
      const std::int64_t longest = std::min<std::int64_t>(1000, 100 << i);
      CHECK(seen.back() >= longest / 2 - 1);
      CHECK(seen.back() <= longest);
      REQUIRE(!d.session.tick(ms(d.session.next_tick().count - 1)));
      CHECK(d.session.actions().empty());
      CHECK(d.tick_when_due() == "");
      CHECK(d.get_id != id);
    }
    CHECK(d.twin(R"({"desired":{"$version":1},"reported":{"$version":1}})") == "");
    // The same for a reported patch, which stays the same.
    CHECK(d.report(R"({"a":1})") == "");
    for (const int status : {429, 500, 0, 504}) {
      const std::string id = d.patch_id;
      if (status == 0) {
        CHECK(d.tick_when_due() == "");
      } else {
        CHECK(d.answer(status, -1) == "");
      }
      CHECK(d.session.actions().empty());
      CHECK(d.report(R"({"a":2})") == "");
      CHECK(d.session.actions().empty());
      CHECK(d.tick_when_due() == "");
      CHECK(published(d.session) == R"({"a":1})");
      CHECK(d.patch_id != id);
    }
    CHECK(d.answer(204, 2) == "");
    CHECK(published(d.session) == R"({"a":2})");
    CHECK(d.answer(204, 3) == "");
    CHECK(d.session.in_step());
  }
  CHECK(delays[0] == delays[1]);
  options.seed = 8;
  device other(options);
  REQUIRE(other.connect() == "");
  device same(options);
  REQUIRE(same.connect() == "");
  CHECK(other.get_id == same.get_id);
  options.seed = 9;
  device another(options);
  REQUIRE(another.connect() == "");
  CHECK(another.get_id != same.get_id);
}

TEST_CASE("an answer that comes late is an answer", "[device_session]") {
  device d;
  REQUIRE(d.connect() == "");
  CHECK(d.tick_when_due() == "");
  CHECK(d.twin(R"({"desired":{"a":1,"$version":1},"reported":{"$version":1}})") == "");
  CHECK(d.session.in_step());
  CHECK(d.report(R"({"b":1})") == "");
  CHECK(d.tick_when_due() == "");
  CHECK(d.answer(204, 2) == "");
  CHECK(d.session.in_step());
  // But not one to an older request.
  CHECK(d.report(R"({"b":2})") == "");
  const std::string old = d.patch_id;
  CHECK(d.answer(429, -1) == "");
  CHECK(d.tick_when_due() == "");
  CHECK(d.did(d.session.message("$iothub/twin/res/204/?$rid=" + old + "&$version=3", "",
                                ms(d.now))) == "");
  CHECK_FALSE(d.session.in_step());
  CHECK(d.did(d.session.message("$iothub/twin/res/400/?$rid=x", "", ms(d.now))) == "");
  CHECK_FALSE(d.session.in_step());
  CHECK(d.acknowledged() == R"({"b":1})");
}

TEST_CASE("reports are sent one by one, and only what is new in them", "[device_session]") {
  device d;
  start(d);
  CHECK(d.report(R"({ "rpm" : 870.0 })") == "");
  CHECK(d.session.actions().empty());  // nothing new
  CHECK(d.report(R"({"rpm":871,"x":{"y":1,"z":null}})") == "");
  CHECK(published(d.session) == R"({"rpm":871,"x":{"y":1}})");
  CHECK(last(d.session, devicetwin::device_action::publish) ==
        "$iothub/twin/PATCH/properties/reported/?$rid=" + d.patch_id);
  CHECK(d.report(R"({"rpm":872,"x":null})") == "");
  CHECK(d.report(R"({"rpm":873,"x":{"w":[1, 2]}})") == "");
  CHECK(d.session.actions().empty());
  CHECK(d.reported() == R"({"rpm":873,"x":{"w":[1,2]}})");
  CHECK(d.acknowledged() == R"({"rpm":870})");
  CHECK(d.answer(204, 6) == "");
  CHECK(published(d.session) == R"({"rpm":873,"x":{"y":null,"w":[1,2]}})");
  CHECK(d.report(R"({"rpm":873})") == "");
  CHECK(d.answer(204, 7) == "");
  CHECK(d.session.in_step());
  CHECK(d.session.actions().empty());
  CHECK(d.session.version(part::reported) == 7);
  // There and back: nothing is left to say.
  CHECK(d.report(R"({"rpm":1})") == "");
  CHECK(d.report(R"({"rpm":2})") == "");
  CHECK(d.report(R"({"rpm":1})") == "");
  CHECK(d.answer(204, 8) == "");
  CHECK(d.session.in_step());
}

TEST_CASE("a refused report is handed back, and what came later stays", "[device_session]") {
  device d;
  start(d);
  CHECK(d.report(R"({"bad":1,"x":{"y":1}})") == "");
  CHECK(d.report(R"({"good":2,"x":{"z":2}})") == "");
  CHECK(d.answer(400, -1, R"({"errorCode":400004,"message":"not this"})") == "");
  REQUIRE(d.session.actions().size() == 2);
  const auto a = d.session.actions()[0];
  CHECK(a.kind == devicetwin::device_action::refused);
  CHECK(a.status == 400);
  CHECK(a.code == 400004);
  CHECK(a.message == "not this");
  CHECK(a.payload == R"({"bad":1,"x":{"y":1}})");
  CHECK(published(d.session) == R"({"x":{"z":2},"good":2})");
  CHECK(d.reported() == R"({"rpm":870,"x":{"z":2},"good":2})");
  CHECK(d.answer(403, -1, "too large") == "");
  CHECK(d.session.actions()[0].message == "too large");
  CHECK(d.reported() == R"({"rpm":870})");
  CHECK(d.session.in_step());
}

TEST_CASE("a report that is too long goes in parts, and a value that is too long is refused",
          "[device_session]") {
  devicetwin::device_options options;
  options.max_payload = 40;
  device d(options);
  start(d, R"({"desired":{"$version":1},"reported":{"$version":1}})");
  CHECK(d.report(R"({"a":{"bb":"0123456789","cc":"0123456789","d":{"e":[1,2,3]}},"f":true})") ==
        "");
  std::vector<std::string> parts;
  for (std::int64_t version = 2; !d.session.in_step(); ++version) {
    parts.push_back(published(d.session));
    CHECK(parts.back().size() <= 40);
    REQUIRE(parts.size() < 10);
    CHECK(d.answer(204, version) == "");
  }
  CHECK(parts == std::vector<std::string>{R"({"a":{"bb":"0123456789"}})",
                                          R"({"a":{"cc":"0123456789"}})",
                                          R"({"a":{"d":{"e":[1,2,3]}},"f":true})"});
  CHECK(d.acknowledged() ==
        R"({"a":{"bb":"0123456789","cc":"0123456789","d":{"e":[1,2,3]}},"f":true})");
  CHECK(d.report(R"({"x":1,"n":{"o~/":"0123456789012345678901234567"}})") ==
        "this alone makes a patch longer than it may be at /n/o~0~1");
  CHECK(d.reported() == d.acknowledged());
  // Somebody else put there what cannot be removed in so few bytes.
  REQUIRE(d.connect() == "");
  CHECK(
      d.twin(
          R"({"desired":{"$version":1},"reported":{"a-name-that-does-not-fit-into-a-message":{"as-a-whole":1},"$version":9}})") ==
      "");
  bool refused = false;
  for (const auto& a : d.session.actions())
    refused = refused || (a.kind == devicetwin::device_action::refused && a.status == 0);
  for (std::int64_t version = 10; !d.session.in_step(); ++version) {
    REQUIRE(version < 20);
    CHECK(d.answer(204, version) == "");
    for (const auto& a : d.session.actions())
      refused = refused || (a.kind == devicetwin::device_action::refused && a.status == 0);
  }
  CHECK(refused);
}

TEST_CASE("conditional reports name the version, and 412 brings the twin", "[device_session]") {
  for (const auto who : {devicetwin::authority::device, devicetwin::authority::shared}) {
    devicetwin::device_options options;
    options.conditional = true;
    options.who = who;
    device d(options);
    start(d);
    CHECK(d.report(R"({"rpm":871})") == "");
    CHECK(last(d.session, devicetwin::device_action::publish) ==
          "$iothub/twin/PATCH/properties/reported/?$rid=" + d.patch_id + "&$version=5");
    CHECK(d.answer(412, -1, R"({"errorCode":412001})") == "");
    REQUIRE(d.session.actions().size() == 1);
    CHECK(last(d.session, devicetwin::device_action::publish) ==
          "$iothub/twin/GET/?$rid=" + d.get_id);
    CHECK(
        d.twin(
            R"({"desired":{"rpm":900,"zone":{"a":1,"b":2},"$version":3},"reported":{"rpm":870,"other":1,"$version":6}})") ==
        "");
    CHECK(last(d.session, devicetwin::device_action::publish) ==
          "$iothub/twin/PATCH/properties/reported/?$rid=" + d.patch_id + "&$version=6");
    CHECK(
        published(d.session) ==
        (who == devicetwin::authority::shared ? R"({"rpm":871})" : R"({"rpm":871,"other":null})"));
    CHECK(d.answer(204, 7) == "");
    CHECK(d.session.in_step());
  }
  device d;  // not asked for: 412 is a refusal like any other
  start(d);
  CHECK(d.report(R"({"rpm":871})") == "");
  CHECK(d.answer(412, -1) == "");
  CHECK(d.session.actions()[0].kind == devicetwin::device_action::refused);
}

TEST_CASE("who else writes reported is noticed by its version", "[device_session]") {
  device d;
  start(d);
  CHECK(d.report(R"({"rpm":871})") == "");
  CHECK(d.report(R"({"rpm":872})") == "");
  CHECK(d.answer(204, 8) == "");  // not 6
  REQUIRE(d.session.actions().size() == 1);
  CHECK(last(d.session, devicetwin::device_action::publish) ==
        "$iothub/twin/GET/?$rid=" + d.get_id);
  CHECK(
      d.twin(
          R"({"desired":{"rpm":900,"zone":{"a":1,"b":2},"$version":3},"reported":{"rpm":1,"$version":8}})") ==
      "");
  CHECK(published(d.session) == R"({"rpm":872})");
  // A hub that names no version: nothing can be concluded.
  CHECK(d.answer(204, -1) == "");
  CHECK(d.session.in_step());
  CHECK(d.session.version(part::reported) == devicetwin::no_version);
  CHECK(d.report(R"({"rpm":873})") == "");
  CHECK(d.answer(204, 100) == "");
  CHECK(d.session.in_step());
}

TEST_CASE("an answer that crosses a request for the twin makes it ask again", "[device_session]") {
  device d;
  start(d);
  CHECK(d.report(R"({"rpm":871})") == "");
  CHECK(d.change(9, R"({"$version":9})") == "");
  const std::string crossed = d.get_id;
  CHECK(d.answer(204, 6) == "");
  CHECK(d.get_id != crossed);
  CHECK(d.did(d.session.message("$iothub/twin/res/200/?$rid=" + crossed, "{}", ms(d.now))) ==
        "");  // may be from before the report
  CHECK_FALSE(d.session.in_step());
  CHECK(d.twin(R"({"desired":{"$version":9},"reported":{"rpm":871,"$version":6}})") == "");
  CHECK(d.session.in_step());
}

TEST_CASE("what others report is taken over where authority is shared", "[device_session]") {
  devicetwin::device_options options;
  options.who = devicetwin::authority::shared;
  device d(options);
  start(d);
  CHECK(d.report(R"({"mine":1,"both":"mine"})") == "");
  REQUIRE(!d.session.disconnected(ms(d.now)));
  CHECK(d.report(R"({"mine":2})") == "");
  REQUIRE(d.connect() == "");
  CHECK(
      d.twin(
          R"({"desired":{"rpm":900,"zone":{"a":1,"b":2},"$version":3},"reported":{"theirs":1,"both":"theirs","$version":9}})") ==
      "");
  CHECK(reference::equal(*reference::parser::parse(d.reported()),
                         *reference::parser::parse(R"({"theirs":1,"both":"mine","mine":2})")));
  CHECK(published(d.session) == R"({"both":"mine","mine":2})");
}

TEST_CASE("what was reported before the first twin goes on top of it, one after the other",
          "[device_session]") {
  device d;
  CHECK(d.report(R"({"a":null,"b":1})") == "");
  CHECK(d.report(R"({"c":{"x":1},"b":2})") == "");
  CHECK(d.report(R"({"a":{"new":1}})") == "");  // what stood in `a` goes all the same
  CHECK(d.report(R"({"d":5})") == "");
  CHECK(d.report(R"({"d":{"y":null}})") == "");
  CHECK(d.session.actions().empty());
  CHECK(d.reported() == R"({"b":2,"c":{"x":1},"a":{"new":1},"d":{}})");
  REQUIRE(d.connect() == "");
  CHECK(
      d.twin(
          R"({"desired":{"$version":1},"reported":{"a":{"old":1},"c":{"z":1},"d":{"y":1},"$version":4}})") ==
      "");
  CHECK(reference::equal(
      *reference::parser::parse(d.reported()),
      *reference::parser::parse(R"({"a":{"new":1},"b":2,"c":{"x":1,"z":1},"d":{}})")));
  CHECK(reference::equal(
      *reference::parser::parse(published(d.session)),
      *reference::parser::parse(R"({"a":{"old":null,"new":1},"b":2,"c":{"x":1},"d":{"y":null}})")));
}

TEST_CASE("reports before the first twin, however many, are kept as two patches that do the same",
          "[device_session]") {
  for (unsigned seed = 0; seed < 300; ++seed) {
    INFO("seed " << seed);
    random_json random(seed);
    const auto object = [&](const auto& self, unsigned depth, bool nulls) -> std::string {
      std::string text = "{";
      for (const char* name : {"a", "b~\\u0022", "\u00e9"}) {
        if (random.below(2) == 0) continue;
        text += (text.size() == 1 ? "\"" : ",\"") + std::string(name) + "\":";
        const auto choice = random.below(6);
        if (choice < 4 && depth < 3) {
          text += self(self, depth + 1, nulls);
        } else {
          text += choice == 5 && nulls ? "null" : std::to_string(random.below(3));
        }
      }
      return text + "}";
    };
    device d;
    const std::string stored = object(object, 0, false);
    auto expected = *reference::parser::parse(stored);
    std::string state;
    for (auto n = random.below(12) + 1; n-- != 0;) {
      const std::string patch = object(object, 0, true);
      INFO(patch);
      REQUIRE(d.report(patch) == "");
      expected = reference::merge(expected, *reference::parser::parse(patch));
      state.clear();
      REQUIRE_FALSE(d.session.save(state));
      const std::size_t between = state.find("}\n{");
      CHECK((between == std::string::npos || state.find("}\n{", between + 1) == std::string::npos));
      if (random.below(4) == 0) REQUIRE_FALSE(d.session.restore(state));
    }
    REQUIRE(d.connect() == "");
    REQUIRE(
        d.twin("{\"desired\":{\"$version\":1},\"reported\":" + stored.substr(0, stored.size() - 1) +
               (stored == "{}" ? "" : ",") + "\"$version\":4}}") == "");
    CHECK(reference::equal(*reference::parser::parse(d.reported()), expected));
  }
}

TEST_CASE("states that the first version of the format saved are restored", "[device_session]") {
  const auto reference_of = [](const std::string& text) { return *reference::parser::parse(text); };
  device d;
  REQUIRE(!d.session.restore(kept_file("device_state_format_1")));
  CHECK(d.desired() == R"({"rpm":900})");
  CHECK(reference::equal(reference_of(d.reported()),
                         reference_of(R"({"kept":true,"early":{"x":2},"a":{"new":1},"later":5})")));
  CHECK(d.session.acknowledged() == R"({"a":{"old":1},"kept":true})");
  CHECK(d.session.version(part::desired) == 4);

  device early;
  REQUIRE(!early.session.restore(kept_file("device_state_before_twin_format_1")));
  REQUIRE(early.connect() == "");
  REQUIRE(
      early.twin(
          R"({"desired":{"$version":1},"reported":{"early":{"gone":1},"a":{"old":1},"$version":9}})") ==
      "");
  CHECK(reference::equal(reference_of(early.reported()),
                         reference_of(R"({"early":{"x":2},"a":{"new":1}})")));
}

TEST_CASE("reports before the first twin that take turns with an object do not grow what is kept",
          "[device_session]") {
  device d;
  std::string early, late;
  for (int i = 0; i < 200; ++i) {
    CHECK(d.report(i % 2 == 0 ? R"({"a":{"b":{"c":1}}})" : R"({"a":{"b":2}})") == "");
    if (i == 10) REQUIRE_FALSE(d.session.save(early));
  }
  REQUIRE_FALSE(d.session.save(late));
  CHECK(late.size() <= early.size() + 16);
}

TEST_CASE("a report that would be refused is refused here, with the place", "[device_session]") {
  device d;
  start(d);
  const auto before = d.reported();
  const std::pair<const char*, const char*> cases[] = {
      {R"({"a":{"b.c":1}})", "the name has a character that is forbidden in names at /a/b.c"},
      {R"({"a":{"\u0024b":1}})",
       "names that start with '$' are written by the service alone at /a/$b"},
      {R"({"$version":1})",
       "names that start with '$' are written by the service alone at /$version"},
      {R"({"a":[1,{"b":null}]})", "null is not allowed inside an array at /a/1/b"},
      {R"({"a":4503599627370496})", "the integer is outside the range allowed at /a"},
      {R"({"a":1,"a":2})", "a member name stands twice in one object at /a"},
      {R"({"a":1)", "the text ends in the middle of a value at "},
      {"", "the text is empty where a JSON value was expected at "},
      {"[1]", "a part of the twin has the wrong type at "},
      {"null", "a part of the twin has the wrong type at "},
      {R"({"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{}}}}}}}}}}}})",
       "nested too deeply at /a/a/a/a/a/a/a/a/a/a/a"},
  };
  for (const auto& [patch, said] : cases) {
    INFO(patch);
    const std::string got = d.report(patch);
    CHECK(got.substr(0, std::string_view(said).size()) == said);
    CHECK(d.session.actions().empty());
    CHECK(d.reported() == before);
  }
  const json::error e = d.session.report(R"({"a":")" + std::string(4097, 'x') + "\"}", ms(1));
  CHECK(e.code() == errc::string_too_long);
  CHECK(e.limit() == 4096);
  CHECK(e.actual() == 4097);
  CHECK(e.pointer() == "/a");
}

TEST_CASE("the size of reported is held against the limit when it grows", "[device_session]") {
  devicetwin::dialect rules = devicetwin::azure;
  rules.max_reported = 40;
  devicetwin::device_options options;
  options.rules = &rules;
  device d(options);
  start(
      d,
      R"({"desired":{"$version":1},"reported":{"a":1,"b":"\u0001\u00e9","c":[true,null],"$version":1}})");
  // a 1+8, b 1+2, c 1+4
  CHECK(d.report(R"({"d":"01234567890123456789"})") == "");  // 17 + 21
  const json::error e = d.session.report(R"({"e":"0123"})", ms(2));
  CHECK(e.code() == errc::section_too_large);
  CHECK(e.limit() == 40);
  CHECK(e.actual() == 43);
  rules.max_reported = 10;
  CHECK(d.report(R"({"d":"0123456789"})") == "");  // less is always allowed
  CHECK(d.session.report(R"({"d":"0123456789012"})", ms(2)).code() == errc::section_too_large);
  rules = devicetwin::aws;
  rules.max_total = 60;
  CHECK(d.report(R"({"d":"x"})") == "");
  CHECK(d.session.report(R"({"d":"01234567890123456789"})", ms(2)).code() ==
        errc::section_too_large);
  rules = devicetwin::edge_hub;
  rules.max_reported = 13;
  CHECK(d.report(R"({ "d" : "01234" })") == "");  // the patch alone counts, without white space
  CHECK(d.session.report(R"({"d":"012345"})", ms(2)).code() == errc::section_too_large);
}

TEST_CASE("the text of reported is held against the limit when it grows", "[device_session]") {
  devicetwin::dialect rules = devicetwin::azure;
  rules.max_text = 40;
  devicetwin::device_options options;
  options.rules = &rules;
  device d(options);
  start(d, R"({"desired":{"$version":1},"reported":{"a":[[],[],[],[],[],[],[]],"$version":1}})");
  CHECK(d.report(R"({"b":[ [], [] ]})") == "");  // 40 bytes without the spaces
  const json::error e = d.session.report(R"({"c":{}})", ms(2));
  CHECK(e.code() == errc::section_text_too_long);
  CHECK(e.limit() == 40);
  CHECK(e.actual() == 47);
  CHECK(d.reported() == R"({"a":[[],[],[],[],[],[],[]],"b":[[],[]]})");
  rules.max_text = 10;
  CHECK(d.report(R"({"b":[]})") == "");  // less is always allowed
  CHECK(d.session.report(R"({"b":[[]]})", ms(2)).code() == errc::section_text_too_long);
}

TEST_CASE("values are parsed when they are asked for", "[device_session]") {
  device d;
  start(
      d,
      R"({"desired":{"on":true,"n":-5,"big":18446744073709551615,"x":1.5,"text":"a\"\u00e9","list":[1,[2,3]],"$version":1},"reported":{}})");
  const auto& s = d.session;
  CHECK(s.get<bool>(part::desired, "/on").value_or(false));
  CHECK(s.get<std::int32_t>(part::desired, "/n").value_or(0) == -5);
  CHECK(s.get<std::uint32_t>(part::desired, "/n").error().code() == errc::number_out_of_range);
  CHECK(s.get<std::uint64_t>(part::desired, "/big").value_or(0) == 18446744073709551615u);
  CHECK(s.get<std::int64_t>(part::desired, "/big").error().code() == errc::number_out_of_range);
  CHECK(s.get<double>(part::desired, "/x").value_or(0) == 1.5);
  CHECK(s.get<int>(part::desired, "/list/1/0").value_or(0) == 2);
  CHECK(s.get<int>(part::desired, "/text").error().code() == errc::wrong_type);
  CHECK(s.get<int>(part::desired, "/none").error().code() == errc::not_found);
  CHECK(s.get<int>(part::desired, "none").error().code() == errc::invalid_pointer);
  CHECK(*s.find(part::desired, "/list") == "[1,[2,3]]");
  std::string text;
  CHECK(!s.get_string(part::desired, "/text", text));
  CHECK(text == "a\"\xC3\xA9");
  json::document section;
  CHECK(!s.read(part::desired, section));
  CHECK(json::get<bool>(section, "/on").value_or(false));
}

TEST_CASE("a subscription gets what it is about, also inside of what came or went as a whole",
          "[device_session]") {
  device d;
  start(
      d,
      R"({"desired":{"zones":{"a":{"fan":1},"b":{"fan":2,"on":true}},"x":1,"$version":1},"reported":{}})");
  const auto matches = [&](const subscription& wanted) {
    std::string all;
    const json::error e = d.session.changes(wanted, [&](const devicetwin::text_change& c) {
      all += (all.empty() ? "" : " ") + std::string(c.pointer) + ":" + std::string(c.old_text) +
             ">" + std::string(c.new_text);
    });
    return e ? e.message() : all;
  };
  CHECK(matches({part::desired, "/zones/*/fan"}) == "/zones/a/fan:>1 /zones/b/fan:>2");
  CHECK(
      d.change(
          2,
          R"({"zones":{"a":null,"b":{"fan":3,"on":null},"c":{"fan":{"deep":[1]}},"d":1},"$version":2})") ==
      "");
  CHECK(matches({part::desired, "/zones/*/fan"}) ==
        R"(/zones/a/fan:1> /zones/b/fan:2>3 /zones/c/fan:>{"deep":[1]})");
  CHECK(matches({part::desired, "/zones/b"}) == "");
  CHECK(matches({part::desired, "/zones/b", reach::subtree}) ==
        "/zones/b/fan:2>3 /zones/b/on:true>");
  CHECK(matches({part::desired, "/zones/c/fan/deep"}) == "/zones/c/fan/deep:>[1]");
  CHECK(matches({part::desired, "/x"}) == "");
  CHECK(matches({part::reported, "/zones/*/fan"}) == "");
  CHECK(matches({part::desired, "", reach::subtree}).find("/zones/d:>1") != std::string::npos);
  CHECK(matches({part::desired, "x"}).find("not a JSON Pointer") == 0);
  CHECK(d.change(3, R"({"zones":{"b":{"fan":3}},"$version":3})") == "");
  CHECK(matches({part::desired, "", reach::subtree}) == "");
}

TEST_CASE("nothing that was saved is lost with the power", "[device_session]") {
  device d;
  start(d);
  CHECK(d.change(4, R"({"rpm":901,"$version":4})") == "");
  CHECK(d.report(R"({"rpm":871})") == "");
  CHECK(d.report(R"({"mode":"eco"})") == "");
  std::string saved;
  REQUIRE(!d.session.save(saved));
  devicetwin::device_options options;
  options.seed = 99;
  device after(options);
  REQUIRE(!after.session.restore(saved));
  CHECK(after.desired() == d.desired());
  CHECK(after.reported() == R"({"rpm":871,"mode":"eco"})");
  CHECK(after.session.version(part::desired) == 4);
  REQUIRE(after.connect() == "");
  CHECK(
      after.twin(
          R"({"desired":{"rpm":901,"zone":{"a":1},"$version":5},"reported":{"rpm":871,"$version":6}})") ==
      "");
  CHECK(changes_of(after.session) == "/zone/b:2>-");  // what changed meanwhile, and no more
  CHECK(published(after.session) == R"({"mode":"eco"})");

  // Before the first twin, too.
  device early;
  CHECK(early.report(R"({"a":null})") == "");
  CHECK(early.report(R"({"a":{"b":1}})") == "");
  std::string first;
  REQUIRE(!early.session.save(first));
  device again;
  REQUIRE(!again.session.restore(first));
  REQUIRE(again.connect() == "");
  CHECK(again.twin(R"({"desired":{"$version":1},"reported":{"a":{"c":1},"$version":1}})") == "");
  CHECK(published(again.session) == R"({"a":{"c":null,"b":1}})");
}

TEST_CASE("a torn, changed or newer state is an error and changes nothing", "[device_session]") {
  device d;
  start(d);
  CHECK(d.report(R"({"rpm":871})") == "");
  std::string saved, before;
  REQUIRE(!d.session.save(saved));
  device other;
  start(other, R"({"desired":{"x":1,"$version":1},"reported":{"$version":1}})");
  REQUIRE(!other.session.save(before));
  const auto is_as_before = [&] {
    std::string now;
    REQUIRE(!other.session.save(now));
    return now == before;
  };
  for (std::size_t size = 0; size < saved.size(); ++size) {
    CHECK(other.session.restore(std::string_view(saved).substr(0, size)).code() == errc::damaged);
  }
  CHECK(is_as_before());
  for (std::size_t i = 0; i < saved.size(); ++i) {
    if (i >= 5 && i < 8) continue;  // nothing stands there yet
    for (const int bit : {1, 0x80}) {
      std::string changed = saved;
      changed[i] = static_cast<char>(changed[i] ^ bit);
      const errc code = other.session.restore(changed).code();
      CHECK((code == errc::damaged || (i == 4 && code == errc::newer_format)));
    }
  }
  CHECK(is_as_before());
  CHECK(other.session.restore(saved + "x").code() == errc::damaged);
  CHECK(other.session.restore("").code() == errc::damaged);
  // A right checksum over what is no state.
  const auto sealed = [](std::string_view content) {
    std::string out;
    REQUIRE(!devicetwin::json::core::write_stored_form("DTDS", 1, out,
                                                       [&](auto& to) { to.bytes(content); }));
    return out;
  };
  using namespace std::string_literals;
  for (const std::string& content :
       {""s, "\x00\x00\x00"s, "\x00\x00\x00\x01{"s, "\x00\x00\x00\x02[]\x00\x00\x00\x00"s,
        "\x00\x00\x00\x00\x00\x00\x00\x02{}"s, "\x08\x00\x00\x00\x00\x00\x00\x00"s,
        "\x00\x00\x00\x00\x00\x00\x00\x00\x00"s,
        "\x00\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\x00\x00\x00\x00\x00\x00"s}) {
    CHECK(other.session.restore(sealed(content)).code() == errc::damaged);
  }
  CHECK(is_as_before());
  CHECK(!other.session.restore(sealed("\x00\x00\x00\x00\x00\x00\x00\x00"s)));
}

// --- Actions ----------------------------------------------------------------------------------

namespace {

using devicetwin::device_action;

const char* name_of(device_action::kind_type kind) {
  switch (kind) {
    case device_action::subscribe:
      return "subscribe";
    case device_action::publish:
      return "publish";
    case device_action::arrived:
      return "arrived";
    case device_action::changed:
      return "changed";
    case device_action::refused:
      return "refused";
    case device_action::failed:
      return "failed";
  }
  return "?";
}

/// Notes the actions that a loop comes to, each with what belongs to it, and keeps the ids.
struct reader {
  device& d;
  std::string seen;

  void note(const device_action& a) {
    seen += (seen.empty() ? "" : " ") + std::string(name_of(a.kind));
    if (a.kind == device_action::changed) seen += "(" + changes_of(d.session) + ")";
    if (a.kind == device_action::refused)
      seen += "(" + std::to_string(a.status) + " " + std::string(a.payload) + " " +
              std::string(a.message) + ")";
    if (a.kind != device_action::publish) return;
    const auto topic = devicetwin::parse_twin_topic(a.topic);
    REQUIRE(topic);
    (topic->kind == devicetwin::twin_topic_kind::get ? d.get_id : d.patch_id) = topic->request_id;
    seen += "(" +
            (topic->kind == devicetwin::twin_topic_kind::get ? "GET" : std::string(a.payload)) +
            ")";
  }
  std::string all() {
    seen.clear();
    for (const auto& action : d.session.actions()) note(action);
    return seen;
  }
};

/// An event whose actions nobody reads yet.
json::error unread_twin(device& d, std::string_view body) {
  return d.session.message("$iothub/twin/res/200/?$rid=" + d.get_id, body, ms(++d.now));
}
json::error unread_change(device& d, int version, std::string_view body) {
  return d.session.message(
      "$iothub/twin/PATCH/properties/desired/?$version=" + std::to_string(version), body,
      ms(++d.now));
}

constexpr const char* small_twin = R"({"desired":{"a":1,"$version":1},"reported":{"$version":1}})";
constexpr const char* empty_twin = R"({"desired":{"$version":1},"reported":{"$version":1}})";

}  // namespace

TEST_CASE("the first twin after connected() is an action, even if it is empty",
          "[device_session]") {
  device d;
  reader r{d, {}};
  REQUIRE(d.connect() == "");
  REQUIRE(!unread_twin(d, empty_twin));
  CHECK(r.all() == "arrived");
  REQUIRE(
      !unread_change(d, 5, "{}"));  // a gap: the twin is asked for again, and that is no arrival
  CHECK(r.all() == "publish(GET)");
  REQUIRE(!unread_twin(d, R"({"desired":{"$version":5},"reported":{"$version":1}})"));
  CHECK(r.all() == "");
  REQUIRE(!d.session.disconnected(ms(++d.now)));
  REQUIRE(d.connect() == "");
  CHECK(unread_twin(d, "{}"));  // not a twin
  CHECK(r.all() == "");
  REQUIRE(d.tick_when_due() == "");
  REQUIRE(!unread_twin(d, R"({"desired":{"$version":5},"reported":{"$version":1}})"));
  CHECK(r.all() == "arrived");
}

TEST_CASE("a loop over actions may report, and loses none", "[device_session]") {
  device d;
  reader r{d, {}};
  REQUIRE(d.connect() == "");
  REQUIRE(!unread_twin(d, small_twin));
  int reports = 0;
  for (const auto& action : d.session.actions()) {
    r.note(action);
    if (action.kind == device_action::publish) continue;
    REQUIRE(!d.session.report("{\"n\":" + std::to_string(++reports) + "}", ms(++d.now)));
  }
  CHECK(r.seen == R"(arrived changed(/a:->1) publish({"n":1}))");
  CHECK(d.answer(204, 2) == "");
  CHECK(published(d.session) == R"({"n":2})");
}

TEST_CASE("a report that is refused in a loop over actions leaves the rest due",
          "[device_session]") {
  device d;
  reader r{d, {}};
  REQUIRE(d.connect() == "");
  REQUIRE(!unread_twin(d, small_twin));
  for (const auto& action : d.session.actions()) {
    r.note(action);
    CHECK(d.session.report("{\"n\":", ms(++d.now)));
    CHECK(d.session.report(R"({"n":[null]})", ms(++d.now)));
  }
  CHECK(r.seen == "arrived changed(/a:->1)");
  CHECK(d.session.actions().empty());
}

TEST_CASE("actions that a loop did not come to are due before those of the next event",
          "[device_session]") {
  device d;
  reader r{d, {}};
  REQUIRE(!d.session.connected(ms(1)));
  for (const auto& action : d.session.actions()) {
    r.note(action);
    break;
  }
  CHECK(r.seen == "subscribe");
  CHECK(r.all() == "subscribe subscribe publish(GET)");  // until the next event, all can be read
  REQUIRE(!unread_twin(d, small_twin));
  CHECK(d.session.actions()[0].kind == device_action::arrived);
  REQUIRE(!d.session.report(R"({"n":1})", ms(2)));
  CHECK(r.all() == R"(changed(/a:->1) publish({"n":1}))");
  REQUIRE(!d.session.tick(ms(3)));
  CHECK(d.session.actions().empty());
}

TEST_CASE("a loop within a loop over actions comes to each action once", "[device_session]") {
  device d;
  reader r{d, {}};
  REQUIRE(d.connect() == "");
  REQUIRE(!unread_twin(d, small_twin));
  int depth = 0;
  const auto handle = [&](const auto& again) -> void {
    for (const auto& action : d.session.actions()) {
      r.note(action);
      if (action.kind == device_action::publish || depth == 3) continue;
      ++depth;
      REQUIRE(!d.session.report("{\"n\":" + std::to_string(depth) + "}", ms(++d.now)));
      again(again);
    }
  };
  handle(handle);
  CHECK(r.seen == R"(arrived changed(/a:->1) publish({"n":1}))");
}

TEST_CASE("a copy of the actions is whole, and copying reads them", "[device_session]") {
  device d;
  start(d);
  REQUIRE(!d.session.report(R"({"n":1})", ms(++d.now)));
  REQUIRE(!unread_change(d, 9, "{}"));  // a gap: a GET beside the patch
  const auto range = d.session.actions();
  const std::vector<device_action> copy(range.begin(), range.end());
  REQUIRE(copy.size() == 2);
  const auto patch = devicetwin::parse_twin_topic(copy[0].topic);
  const auto get = devicetwin::parse_twin_topic(copy[1].topic);
  REQUIRE(patch);
  REQUIRE(get);
  CHECK(patch->kind == devicetwin::twin_topic_kind::reported_patch);
  CHECK(copy[0].payload == R"({"n":1})");
  CHECK(get->kind == devicetwin::twin_topic_kind::get);
  CHECK(copy[1].payload.empty());
  CHECK(patch->request_id != get->request_id);
  REQUIRE(!d.session.tick(ms(d.now)));
  CHECK(d.session.actions().empty());
  CHECK(d.session.actions().begin() == d.session.actions().end());
  CHECK(devicetwin::device_actions().empty());
  CHECK(devicetwin::device_actions().begin() == devicetwin::device_actions().end());
}

TEST_CASE("reading by index counts for the actions before, and size() reads nothing",
          "[device_session]") {
  device d;
  reader r{d, {}};
  REQUIRE(!d.session.connected(ms(1)));
  CHECK(d.session.actions().size() == 3);
  REQUIRE(!d.session.tick(ms(2)));
  CHECK(d.session.actions().size() == 3);
  CHECK(d.session.actions()[1].topic == devicetwin::desired_filter);
  REQUIRE(!d.session.tick(ms(3)));
  CHECK(r.all() == "publish(GET)");
}

TEST_CASE("changes that were not read are one batch with the next", "[device_session]") {
  char buffer[8192];
  for (const bool fixed : {false, true}) {
    INFO(fixed);
    device on_heap;
    REQUIRE(on_heap.connect() == "");
    devicetwin::device_session in_buffer(buffer, sizeof buffer);
    devicetwin::device_session& s = fixed ? in_buffer : on_heap.session;
    std::int64_t now = 1;
    std::string id;
    const auto read = [&] {
      std::string seen;
      for (const auto& a : s.actions()) {
        seen += std::string(seen.empty() ? "" : " ") + name_of(a.kind);
        if (a.kind == device_action::publish)
          id = std::string(devicetwin::parse_twin_topic(a.topic)->request_id);
        if (a.kind == device_action::changed) seen += "(" + changes_of(s) + ")";
      }
      return seen;
    };
    const auto change = [&](int version, std::string_view body) {
      REQUIRE(
          !s.message("$iothub/twin/PATCH/properties/desired/?$version=" + std::to_string(version),
                     body, ms(++now)));
    };
    REQUIRE(!s.connected(ms(++now)));
    read();
    REQUIRE(!s.message("$iothub/twin/res/200/?$rid=" + id,
                       R"({"desired":{"a":1,"o":{"x":1},"$version":1},"reported":{"$version":1}})",
                       ms(++now)));
    change(2, R"({"b":2,"o":{"y":2}})");  // with the first twin
    CHECK(read() == R"(arrived changed(/a:->1 /o:->{"x":1,"y":2} /b:->2))");
    change(3, R"({"a":3,"o":{"x":null}})");
    CHECK(changes_of(s) == "/a:1>3 /o/x:1>-");
    change(4, R"({"a":4,"b":null})");
    change(5, R"({"c":[5]})");
    CHECK(read() == "changed(/a:1>4 /o/x:1>- /b:2>- /c:->[5])");
    CHECK(s.text(part::desired) == R"({"a":4,"o":{"y":2},"c":[5]})");
    change(6, R"({"a":6})");
    change(7, R"({"a":4.0})");  // back again
    CHECK(read() == "");
    CHECK(s.changes().empty());
    change(8, R"({"a":8})");
    change(12, R"({"a":12})");  // a gap
    REQUIRE(s.actions().size() == 2);
    CHECK(s.actions()[1].kind == device_action::publish);
    CHECK(read() == "changed(/a:4.0>8) publish");
    REQUIRE(!s.message("$iothub/twin/res/200/?$rid=" + id,
                       R"({"desired":{"a":13,"$version":13},"reported":{"$version":1}})",
                       ms(++now)));
    change(14, R"({"d":14})");
    REQUIRE(!s.report(R"({"r":1})", ms(++now)));
    CHECK(read() == R"(changed(/a:8>13 /o:{"y":2}>- /c:[5]>- /d:->14) publish)");
  }
}

TEST_CASE("batches of changes lead to desired, however often they are read", "[device_session]") {
  std::mt19937 random(11);
  const auto same = [](std::string_view a, std::string_view b) {  // 1 and 1.0 are no change
    return (a == "1.0" ? "1" : a) == (b == "1.0" ? "1" : b);
  };
  for (int round = 0; round < 200; ++round) {
    device d;
    start(d, empty_twin);
    std::map<std::string, std::string> seen;
    for (int version = 2; version < 20; ++version) {
      std::string patch = "{";
      for (const char* name : {"a", "b", "c", "d"}) {
        if (random() % 2 == 0) continue;
        static const char* values[] = {"null", "1", "1.0", "\"x\"", "[2]"};
        patch +=
            (patch.size() == 1 ? "\"" : ",\"") + std::string(name) + "\":" + values[random() % 5];
      }
      REQUIRE(!unread_change(d, version, patch + "}"));
      if (random() % 3 != 0) continue;
      for (const auto& action : d.session.actions()) {
        REQUIRE(action.kind == device_action::changed);
        for (const auto& c : d.session.changes()) {
          const std::string name(c.pointer.substr(1));
          const auto was = seen.find(name);
          CHECK(same(c.old_text, was == seen.end() ? std::string() : was->second));
          if (c.new_text.empty()) {
            seen.erase(name);
          } else {
            seen[name] = std::string(c.new_text);
          }
        }
      }
      for (const char* name : {"a", "b", "c", "d"}) {
        const auto is = d.session.find(part::desired, "/" + std::string(name));
        const auto was = seen.find(name);
        REQUIRE(static_cast<bool>(is) == (was != seen.end()));
        if (is) CHECK(same(*is, was->second));
      }
    }
  }
}

TEST_CASE("of a request that is sent again, or of another connection, only the last is due",
          "[device_session]") {
  device d;
  reader r{d, {}};
  REQUIRE(!d.session.connected(ms(1)));
  REQUIRE(!d.session.connected(ms(2)));
  CHECK(d.session.actions().size() == 3);
  for (int i = 0; i < 4; ++i) REQUIRE(!d.session.tick(d.session.next_tick()));
  CHECK(r.all() == "subscribe subscribe publish(GET)");
  REQUIRE(!unread_twin(d, empty_twin));  // to the last of them
  REQUIRE(!d.session.report(R"({"n":1})", ms(5)));
  REQUIRE(!d.session.disconnected(ms(6)));
  CHECK(r.all() == "arrived");  // the patch is sent once there is a connection
  REQUIRE(!d.session.connected(ms(7)));
  CHECK(r.all() == "subscribe subscribe publish(GET)");
  REQUIRE(!unread_twin(d, empty_twin));
  CHECK(r.all() == R"(arrived publish({"n":1}))");
}

TEST_CASE("each refused patch comes with its own reason", "[device_session]") {
  devicetwin::device_options options;
  options.max_payload = 20;
  device d(options);
  reader r{d, {}};
  REQUIRE(d.connect() == "");
  REQUIRE(!unread_twin(d, empty_twin));
  REQUIRE(!d.session.report(R"({"n":1})", ms(++d.now)));
  CHECK(r.all() == R"(arrived publish({"n":1}))");
  REQUIRE(!unread_change(d, 9, "{}"));
  CHECK(r.all() == "publish(GET)");
  // The hub has what cannot be removed in so few bytes.
  REQUIRE(!unread_twin(
      d,
      R"({"desired":{"$version":9},"reported":{"a-long-name-number-1":1,"a-long-name-number-2":2,"$version":9}})"));
  CHECK(d.session.actions().size() == 3);
  REQUIRE(!d.session.tick(ms(++d.now)));  // nobody has read them
  CHECK(
      r.all() ==
      R"(refused(0 {"a-long-name-number-1":null} ) refused(0 {"a-long-name-number-2":null} ) publish({"n":1}))");
  REQUIRE(!d.session.message("$iothub/twin/res/400/?$rid=" + d.patch_id,
                             R"({"errorCode":400004,"message":"no"})", ms(++d.now)));
  CHECK(r.all() == R"(refused(400 {"n":1} no))");
  REQUIRE(!d.session.tick(ms(++d.now)));
  CHECK(d.session.actions().empty());
  CHECK(d.session.in_step());
}

TEST_CASE("refusals that were not read keep their reasons when others were", "[device_session]") {
  device d;
  reader r{d, {}};
  start(d, empty_twin);
  for (int i = 1; i <= 4; ++i) {
    REQUIRE(!d.session.report("{\"n\":" + std::to_string(i) + "}", ms(++d.now)));
    for (const auto& a : d.session.actions()) r.note(a);
    REQUIRE(!d.session.message("$iothub/twin/res/400/?$rid=" + d.patch_id,
                               "why " + std::to_string(i), ms(++d.now)));
    if (i == 2) CHECK(d.session.actions()[0].message == "why 2");
  }
  CHECK(r.all() == R"(refused(400 {"n":4} why 4))");  // the others were read on the way
}

TEST_CASE("restore() leaves no action of before", "[device_session]") {
  device d;
  start(d);
  std::string saved;
  REQUIRE(!d.session.save(saved));
  REQUIRE(!d.session.connected(ms(++d.now)));
  REQUIRE(!d.session.restore(saved));
  CHECK(d.session.actions().empty());
  CHECK(d.session.changes().empty());
}

TEST_CASE("an event that fails for want of memory leaves due what was not read",
          "[device_session]") {
  for (std::size_t n = 1;; ++n) {
    REQUIRE(n < 1000);
    failing_heap heap;
    bool failed = false;
    {
      devicetwin::device_session s({}, heap.source());
      std::string id, seen;
      REQUIRE(!s.connected(ms(1)));
      for (const auto& a : s.actions()) {
        if (a.kind == device_action::publish)
          id = std::string(devicetwin::parse_twin_topic(a.topic)->request_id);
      }
      REQUIRE(!s.message("$iothub/twin/res/200/?$rid=" + id, small_twin, ms(2)));
      const auto change = [&] {
        return s.message("$iothub/twin/PATCH/properties/desired/?$version=2",
                         R"({"b":{"c":[1,2,3,"a text that takes a while"]}})", ms(4));
      };
      heap.refused_request = heap.requests + n;
      for (const auto& a : s.actions()) {
        seen += std::string(" ") + name_of(a.kind);
        if (a.kind == device_action::arrived) {
          json::error e = s.report(R"({"n":[1,2,3,"another text that takes a while"]})", ms(3));
          if (e) {
            CHECK(e.code() == errc::out_of_memory);
            failed = true;
            CHECK(s.actions().size() == 1);
            CHECK(changes_of(s) == "/a:->1");
            heap.refused_request = 0;
            REQUIRE(!s.report(R"({"n":[1,2,3,"another text that takes a while"]})", ms(3)));
          }
          e = change();
          if (e) {
            CHECK(e.code() == errc::out_of_memory);
            failed = true;
            CHECK(changes_of(s) == "/a:->1");
            heap.refused_request = 0;  // the twin is asked for again
          }
        }
        if (a.kind == device_action::changed) seen += changes_of(s).substr(0, 6);
      }
      const bool asks = s.version(part::desired) == 1;
      // The report may have to wait for the twin; otherwise it is published, once.
      std::string expected = " arrived changed/a:->1 publish";
      if (asks) expected += " publish";
      CHECK(seen == expected);
    }
    CHECK(heap.out == 0);
    if (!failed) break;
  }
}

// --- Memory -----------------------------------------------------------------------------------

namespace {

/// A story with everything in it, told to a session step by step; gives the first error, when it
/// may.
template <class OnError>
void tell_story(devicetwin::device_session& s, OnError&& on_error) {
  std::string get, patch;
  std::int64_t now = 0;
  bool well = true;
  const auto step = [&](const json::error& e) {
    for (const auto& a : s.actions()) {
      if (a.kind != devicetwin::device_action::publish) continue;
      const auto topic = devicetwin::parse_twin_topic(a.topic);
      (topic->kind == devicetwin::twin_topic_kind::get ? get : patch) = topic->request_id;
    }
    if (e) well = on_error(e);
    return !e;
  };
  const auto all = [&](auto&& event) {
    while (well && !step(event())) {
    }
  };
  std::string zone = "{";
  for (int i = 0; i < 30; ++i)
    zone += (i == 0 ? "\"name" : ",\"name") + std::to_string(i) + "\":{\"x\":" + std::to_string(i) +
            ",\"y\":[1,2]}";
  zone += "}";
  const auto res = [&](int status, const std::string& id, int version) {
    return "$iothub/twin/res/" + std::to_string(status) + "/?$rid=" + id +
           (version < 0 ? "" : "&$version=" + std::to_string(version));
  };
  all([&] { return s.report(R"({"a":null})", ms(++now)); });
  all([&] { return s.report(R"({"a":{"b":1}})", ms(++now)); });
  all([&] { return s.connected(ms(++now)); });
  const std::string first =
      R"({"desired":{"zone":)" + zone + R"(,"$version":1},"reported":{"a":{"c":1},"$version":1}})";
  all([&] { return s.message(res(200, get, -1), first, ms(++now)); });
  all([&] { return s.message(res(204, patch, 2), "", ms(++now)); });
  all([&] {
    return s.message("$iothub/twin/PATCH/properties/desired/?$version=2",
                     R"({"zone":{"name3":null,"name4":{"x":null,"z":{"n":null}}}})", ms(++now));
  });
  all([&] { return s.report(R"({"r":)" + zone + "}", ms(++now)); });
  all([&] { return s.report(R"({"r":{"name7":null}})", ms(++now)); });
  all([&] {
    return s.message(res(400, patch, -1), R"({"errorCode":400004,"message":"\u006eo"})", ms(++now));
  });
  all([&] { return s.message(res(204, patch, 3), "", ms(++now)); });
  all([&] {
    return s.message("$iothub/twin/PATCH/properties/desired/?$version=9", R"({"q":1})", ms(++now));
  });
  const std::string second = R"({"desired":{"zone":{"name1":)" + zone +
                             R"(},"$version":9},"reported":{"other":1,"$version":7}})";
  all([&] { return s.message(res(200, get, -1), second, ms(++now)); });
  std::string saved;
  if (well && s.save(saved)) well = false;
  all([&] { return s.restore(saved); });
  if (!well) return;
  CHECK(s.version(part::desired) == 9);
  CHECK(s.get<int>(part::desired, "/zone/name1/name29/x").value_or(0) == 29);
}

}  // namespace

TEST_CASE("a session survives every failing allocation", "[device_session]") {
  for (std::size_t n = 1;; ++n) {
    REQUIRE(n < 5000);
    failing_heap heap;
    heap.refused_request = n;
    bool failed = false;
    {
      devicetwin::device_session s({}, heap.source());
      std::string before;
      tell_story(s, [&](const json::error& e) {
        CHECK(e.code() == errc::out_of_memory);
        failed = true;
        heap.refused_request = 0;  // then there is memory, and the same event goes well: by and by,
                                   // for a twin is asked for again
        CHECK(reference::parser::parse(s.text(part::desired)));
        CHECK(reference::parser::parse(s.text(part::reported)));
        return false;
      });
    }
    CHECK(heap.out == 0);
    if (!failed) break;
  }
}

TEST_CASE("a buffer of any size is enough, or the error says what is needed", "[device_session]") {
  std::vector<char> buffer(64 * 1024);
  std::size_t enough = 0;
  for (std::size_t size = 0; enough == 0; size += size < 300 ? 1 : 61) {
    REQUIRE(size < buffer.size());
    std::fill(buffer.begin(), buffer.end(), '\x7e');
    devicetwin::device_session s(buffer.data(), size, {});
    bool failed = false;
    tell_story(s, [&](const json::error& e) {
      CHECK(e.code() == errc::out_of_memory);
      CHECK(e.needed() > size);
      failed = true;
      return false;
    });
    for (std::size_t i = size; i < buffer.size(); ++i) {
      if (buffer[i] != '\x7e') FAIL("written behind the buffer");
    }
    if (!failed) enough = size;
  }
  // Following what the error says gets there, in few steps.
  std::size_t size = 0;
  int steps = 0;
  for (bool failed = true; failed; ++steps) {
    REQUIRE(steps < 60);
    REQUIRE(size < buffer.size());
    failed = false;
    devicetwin::device_session s(buffer.data(), size, {});
    tell_story(s, [&](const json::error& e) {
      size = static_cast<std::size_t>(e.needed());
      failed = true;
      return false;
    });
  }
  CHECK(size <= enough + 4096);
}

// --- Numbers ----------------------------------------------------------------------------------

namespace {

/// A hub that keeps the twin as the service does, its decimals as doubles, and counts the reported
/// patches.
struct storing_hub {
  devicetwin::twin t;
  devicetwin::outcome done;
  int patches = 0;

  storing_hub() {
    devicetwin::new_identity who;
    who.device_id = "d";
    REQUIRE(!t.create(who, at(1), done));
  }
  void desire(const std::string& desired) {
    REQUIRE(!t.service_patch(R"({"properties":{"desired":)" + desired + "}}", at(2), done));
  }
  std::string twin() const {
    std::string text;
    REQUIRE(!devicetwin::write_device_view(t, text));
    return text;
  }
  /// Takes the patches that the device sends, until there are no more.
  void serve(device& d) {
    for (std::string patch; (patch = published(d.session)) != "none";) {
      if (last(d.session, devicetwin::device_action::publish).find("/GET/") != std::string::npos) {
        REQUIRE(d.twin(twin()) == "");
        continue;
      }
      ++patches;
      REQUIRE(!t.device_patch(patch, at(3), done));
      REQUIRE(d.answer(204, t.reported_version()) == "");
    }
  }
  void reconnect(device& d) {
    REQUIRE(!d.session.disconnected(ms(++d.now)));
    REQUIRE(d.connect() == "");
    serve(d);
  }
};

}  // namespace

TEST_CASE("a desired number changes when any of its digits does", "[device_session]") {
  device d;
  start(
      d,
      R"({"desired":{"id":89490200001234567890,"pi":3.14159265358979323846,"$version":3},"reported":{"$version":1}})");
  CHECK(d.change(4, R"({"id":89490200001234567891,"$version":4})") == "");
  CHECK(changes_of(d.session) == "/id:89490200001234567890>89490200001234567891");
  CHECK(last(d.session, devicetwin::device_action::changed) != "none");
  CHECK(
      d.change(5, R"({"id":8949020000123456789.10e1,"pi":3.14159265358979323847,"$version":5})") ==
      "");
  CHECK(changes_of(d.session) == "/pi:3.14159265358979323846>3.14159265358979323847");
  CHECK(d.desired() == R"({"id":89490200001234567891,"pi":3.14159265358979323847})");
  CHECK(d.connect() == "");  // and in a twin that was fetched
  CHECK(
      d.twin(
          R"({"desired":{"pi":3.14159265358979323847,"id":89490200001234567892,"$version":6},"reported":{"$version":1}})") ==
      "");
  CHECK(changes_of(d.session) == "/id:89490200001234567891>89490200001234567892");
  CHECK(d.change(7, R"({"id":1e400,"$version":7})") == "");
  CHECK(changes_of(d.session) == "/id:89490200001234567892>1e400");
  CHECK(d.session.get<double>(part::desired, "/id").error().code() == errc::number_out_of_range);
}

TEST_CASE("decimals that a hub rounds are reported once", "[device_session]") {
  const std::string said =
      R"({"a":0.10000000000000001,"pi":3.14159265358979323846,"more":[1,{"x":2.99999999999999999999}]})";
  for (const auto who : {devicetwin::authority::device, devicetwin::authority::shared}) {
    devicetwin::device_options options;
    options.who = who;
    storing_hub hub;
    device d(options);
    REQUIRE(d.connect() == "");
    hub.serve(d);
    REQUIRE(d.report(said) == "");
    CHECK(published(d.session) == said);
    hub.serve(d);
    CHECK(hub.patches == 1);
    CHECK(d.reported() == said);
    for (int i = 0; i < 3; ++i) {
      hub.reconnect(d);
      CHECK(d.session.in_step());
      REQUIRE(d.report(said) == "");  // said again, it is nothing new
      hub.serve(d);
    }
    CHECK(hub.patches == 1);
    CHECK(d.reported() == said);

    std::string state;
    REQUIRE(!d.session.save(state));
    device woken(options);
    REQUIRE(!woken.session.restore(state));
    REQUIRE(woken.connect() == "");
    hub.serve(woken);
    CHECK(woken.session.in_step());

    device restarted(options);  // without a state: it reports what the hub has already
    REQUIRE(restarted.report(said) == "");
    REQUIRE(restarted.connect() == "");
    hub.serve(restarted);
    REQUIRE(restarted.report(said) == "");
    hub.serve(restarted);
    CHECK(hub.patches == 1);
    CHECK(restarted.session.in_step());

    REQUIRE(restarted.report(R"({"a":0.2})") == "");
    hub.serve(restarted);
    CHECK(hub.patches == 2);
  }
}

TEST_CASE(
    "a report keeps the digits of the device, and is sent where the hub would store something else",
    "[device_session]") {
  storing_hub hub;
  device d;
  REQUIRE(d.connect() == "");
  hub.serve(d);
  REQUIRE(d.report(R"({"a":0.1,"n":1})") == "");
  hub.serve(d);
  CHECK(hub.patches == 1);
  REQUIRE(d.report(R"({"a":0.10000000000000001})") == "");  // the same double
  CHECK(published(d.session) == "none");
  CHECK(d.reported() == R"({"a":0.10000000000000001,"n":1})");
  CHECK(d.session.in_step());
  REQUIRE(d.report(R"({"a":0.1,"n":2})") == "");
  CHECK(published(d.session) == R"({"n":2})");
  hub.serve(d);
  REQUIRE(d.report(R"({"a":0.1000000000000001})") == "");
  CHECK(published(d.session) == R"({"a":0.1000000000000001})");
}

TEST_CASE("a report with a number that a hub cannot hold is refused", "[device_session]") {
  device d;
  start(d);
  CHECK(d.report(R"({"a":18446744073709551616})") == "the integer does not fit in 64 bits at /a");
  CHECK(d.report(R"({"a":[-9223372036854775809]})") ==
        "the integer does not fit in 64 bits at /a/0");
  CHECK(d.report(R"({"a":1e400})") == "the number is too large for a double at /a");
  CHECK(d.session.actions().empty());
  for (const devicetwin::dialect* rules :
       {&devicetwin::aws, &devicetwin::ditto, &devicetwin::rfc7396, &devicetwin::edge_hub}) {
    devicetwin::device_options options;
    options.rules = rules;
    device other(options);
    start(other);
    CHECK(other.report(R"({"a":18446744073709551616})") ==
          "the integer does not fit in 64 bits at /a");
  }
  devicetwin::dialect rounding = devicetwin::rfc7396;
  rounding.big_integers = json::big_integer_rule::round;
  devicetwin::device_options options;
  options.rules = &rounding;
  device other(options);
  start(other);
  CHECK(other.report(R"({"a":18446744073709551616})") == "");
  CHECK(published(other.session) == R"({"a":18446744073709551616})");
}

TEST_CASE("a session sees a change of desired exactly when the decimal value changes",
          "[device_session][property]") {
  spelled_numbers::random_spelling random(5);
  device d;
  start(d, R"({"desired":{"a":0,"$version":1},"reported":{"$version":1}})");
  std::string now = "0";
  std::int64_t version = 1;
  for (int i = 0; i < 3000; ++i) {
    const auto [a, b] = random.pair();
    for (const std::string& next : {a, b}) {
      const std::string text = std::to_string(++version);
      INFO(now << " to " << next);
      if (random.below(3) == 0) {
        REQUIRE(d.connect() == "");
        REQUIRE(d.twin(R"({"desired":{"a":)" + next + R"(,"$version":)" + text +
                       R"(},"reported":{"$version":1}})") == "");
      } else {
        REQUIRE(d.change(version, R"({"a":)" + next + R"(,"$version":)" + text + "}") == "");
      }
      const bool same = spelled_numbers::decimal(now) == spelled_numbers::decimal(next);
      REQUIRE(changes_of(d.session) == (same ? "" : "/a:" + now + ">" + next));
      if (!same) now = next;
      REQUIRE(d.desired() == "{\"a\":" + now + "}");
    }
  }
}

TEST_CASE("a session sends a report exactly when the hub would store another number",
          "[device_session][property]") {
  spelled_numbers::random_spelling random(6);
  devicetwin::dialect rules = devicetwin::rfc7396;
  rules.big_integers = json::big_integer_rule::round;
  devicetwin::device_options options;
  options.rules = &rules;
  std::size_t sent = 0;
  for (int i = 0; i < 1500; ++i) {
    const auto [a, b] = random.pair();
    device d(options);
    start(d, R"({"desired":{"$version":1},"reported":{"a":)" + a + R"(,"$version":1}})");
    INFO(a << " to " << b);
    REQUIRE(d.report("{\"a\":" + b + "}") == "");
    const bool same = spelled_numbers::as_stored(a, b);
    sent += !same;
    REQUIRE(published(d.session) == (same ? "none" : "{\"a\":" + b + "}"));
    REQUIRE(d.reported() ==
            "{\"a\":" + (spelled_numbers::decimal(a) == spelled_numbers::decimal(b) ? a : b) + "}");
    REQUIRE(d.session.in_step() == same);
  }
  CHECK(sent > 200);
  CHECK(sent < 1300);
}
namespace {

/// What a session on a heap asked for during some events.
struct metered_heap {
  std::size_t requests = 0;
  std::size_t bytes = 0;
  devicetwin::memory_source source() {
    return {[](void* context, std::size_t size) -> void* {
              auto& heap = *static_cast<metered_heap*>(context);
              ++heap.requests;
              heap.bytes += size;
              return std::malloc(size);
            },
            [](void*, void* block) { std::free(block); }, this};
  }
};

/// A twin with so many members in each section.
std::string wide_twin(int members) {
  std::string section;
  for (int i = 0; i < members; ++i)
    section += "\"property" + std::to_string(i) + "\":{\"value\":" + std::to_string(i) + "},";
  return R"({"desired":{)" + section + R"("$version":3},"reported":{)" + section +
         R"("$version":5}})";
}

}  // namespace

TEST_CASE("a session on a heap asks for memory a few times, and for a multiple of its texts") {
  for (const int members : {20, 200, 2000, 20000}) {
    INFO(members);
    metered_heap heap;
    devicetwin::device_options options;
    options.rules = &devicetwin::rfc7396;
    devicetwin::device_session s(options, heap.source());
    const std::string twin = wide_twin(members);
    const auto answer = [&](std::string_view body) {
      return problem(s.message(
          "$iothub/twin/res/200/?$rid=" +
              std::string(devicetwin::parse_twin_topic(last(s, devicetwin::device_action::publish))
                              ->request_id),
          body, ms(2)));
    };
    REQUIRE(problem(s.connected(ms(1))) == "");
    REQUIRE(answer(twin) == "");
    CHECK(s.text(part::desired).size() > twin.size() / 3);
    CHECK(heap.requests < 60);
    CHECK(heap.bytes < 40 * twin.size() + 100000);
    // A large report, the largest change there is, and another twin altogether.
    std::string patch = "{";
    for (int i = 0; i < members; ++i)
      patch +=
          (i == 0 ? "\"other" : ",\"other") + std::to_string(i) + "\":[" + std::to_string(i) + "]";
    REQUIRE(problem(s.report(patch + "}", ms(3))) == "");
    REQUIRE(problem(s.message("$iothub/twin/PATCH/properties/desired/?$version=4", patch + "}",
                              ms(4))) == "");
    REQUIRE(problem(s.connected(ms(5))) == "");
    REQUIRE(answer(R"({"desired":{"$version":9},"reported":{"$version":9}})") == "");
    REQUIRE(problem(s.connected(ms(6))) == "");
    REQUIRE(answer(twin) == "");
    CHECK(heap.requests < 300);
    CHECK(heap.bytes < 150 * twin.size() + 300000);
  }
}
