// The hub's end: every topic, every status, who is told what, and that nothing is acknowledged that
// is not stored.
#include <devicetwin/hub/hub_session.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "../support/failing_heap.hpp"
#include "../support/memory_table.hpp"
#include "../support/mqtt_match.hpp"

using devicetwin::hub_action;
using devicetwin::memory_store;
using devicetwin::twin_cache;
using devicetwin::twin_id;

namespace {

const std::string get_topic = "$iothub/twin/GET/?$rid=";
const std::string report_topic = "$iothub/twin/PATCH/properties/reported/?$rid=";

/// An action, copied.
struct told {
  hub_action::kind_type kind;
  std::string to, topic, payload, operation;
  unsigned status;
};

/// A hub over some store, and short ways to talk to it.
template <class Store>
struct basic_hub {
  Store& store;
  devicetwin::hub_session<Store> session;
  std::int64_t now = noon().ticks;
  std::vector<told> out;

  explicit basic_hub(Store& s, const devicetwin::hub_options& options = {},
                     const devicetwin::memory_source& memory = {})
      : store(s), session(s, options, devicetwin::heap_memory(memory)) {}

  void collect() {
    out.clear();
    for (const hub_action& a : session.actions()) {
      std::string to(a.to.device);
      if (!a.to.module.empty()) to += "/" + std::string(a.to.module);
      out.push_back({a.kind, to, std::string(a.topic), std::string(a.payload),
                     std::string(a.operation), a.status});
    }
  }
  json::error send(const twin_id& from, const std::string& topic, std::string_view payload) {
    json::error e = session.message(from, topic, payload, at(++now));
    collect();
    return e;
  }
  json::error get(const twin_id& from) { return send(from, get_topic + "1", ""); }
  json::error report(const twin_id& from, std::string_view patch, const std::string& more = "") {
    return send(from, report_topic + "1" + more, patch);
  }
  unsigned create(const twin_id& id) {
    const unsigned status = session.service_create({id.device, id.module}, at(++now)).status;
    collect();
    return status;
  }
  devicetwin::service_reply patch(const twin_id& id, std::string_view text,
                                  std::string_view if_match = {}) {
    auto reply = session.service_patch(id, text, at(++now), if_match);
    collect();
    return reply;
  }
  devicetwin::service_reply desire(const twin_id& id, const std::string& desired) {
    return patch(id, of_desired(desired));
  }
  devicetwin::service_reply replace(const twin_id& id, std::string_view text,
                                    std::string_view if_match = {}) {
    auto reply = session.service_replace(id, text, at(++now), if_match);
    collect();
    return reply;
  }
  /// A device that is there, connected and subscribed.
  void add(const twin_id& id) {
    REQUIRE(create(id) == 200);
    REQUIRE(!session.connected(id));
    session.subscribed(id, devicetwin::desired_filter);
  }
  std::string device_view(const twin_id& id) {
    REQUIRE(!get(id));
    return out[0].payload;
  }
};
using test_hub = basic_hub<memory_store>;

/// The errorCode of a body, which must be JSON with a message.
std::int64_t code_in(std::string_view body) {
  const auto value = parsed(body);
  REQUIRE(json::get<std::string_view>(value, "/message"));
  return *json::get<std::int64_t>(value, "/errorCode");
}

const twin_id a{"devA"}, b{"devB"};

}  // namespace

TEST_CASE("a device gets its twin") {
  memory_store store;
  test_hub hub(store);
  REQUIRE(hub.create(a) == 200);
  REQUIRE(hub.desire(a, R"({"fan":2})").status == 200);
  // Clients send nothing, or a blank, or whatever; ids of requests are opaque.
  for (const char* payload : {"", " ", "x"}) {
    for (const char* rid : {"1", "%20a", "5e8f0d6e-1c1c-4a63-8c1a-1e8e1a6e4b5f", "\xC3\xA9"}) {
      REQUIRE(!hub.send(a, get_topic + rid, payload));
      REQUIRE(hub.out.size() == 1);
      CHECK(hub.out[0].kind == hub_action::reply);
      CHECK(hub.out[0].to == "devA");
      CHECK(hub.out[0].status == 200);
      CHECK(hub.out[0].topic == "$iothub/twin/res/200/?$rid=" + std::string(rid));
      CHECK(hub.out[0].payload ==
            R"({"desired":{"fan":2,"$version":2},"reported":{"$version":1}})");
    }
  }
}

TEST_CASE("a device reports, and gets the new version") {
  memory_store store;
  test_hub hub(store);
  hub.add(a);
  REQUIRE(!hub.report(a, R"({"fan":1})"));
  REQUIRE(hub.out.size() == 2);
  CHECK(hub.out[0].topic == "$iothub/twin/res/204/?$rid=1&$version=2");
  CHECK(hub.out[0].payload.empty());
  CHECK(hub.out[0].status == 204);
  CHECK(hub.out[1].kind == hub_action::event);
  CHECK(hub.out[1].to == "devA");
  CHECK(hub.out[1].operation == "updateTwin");
  CHECK(*json::get<std::int64_t>(parsed(hub.out[1].payload), "/properties/reported/fan") == 1);

  // The version is a condition.
  REQUIRE(!hub.report(a, R"({"fan":2})", "&$version=2"));
  CHECK(hub.out[0].topic == "$iothub/twin/res/204/?$rid=1&$version=3");
  CHECK(hub.report(a, R"({"fan":3})", "&$version=2").code() == errc::precondition_failed);
  REQUIRE(hub.out.size() == 1);
  CHECK(hub.out[0].topic == "$iothub/twin/res/412/?$rid=1");
  CHECK(code_in(hub.out[0].payload) == 412001);

  // Nothing new: acknowledged with the version there is, and nothing to tell.
  REQUIRE(!hub.report(a, R"({"unknown":null})"));
  REQUIRE(hub.out.size() == 1);
  CHECK(hub.out[0].topic == "$iothub/twin/res/204/?$rid=1&$version=3");
  // The same value is a write.
  REQUIRE(!hub.report(a, R"({"fan":2})"));
  CHECK(hub.out[0].topic == "$iothub/twin/res/204/?$rid=1&$version=4");
  CHECK(hub.out.size() == 2);
}

TEST_CASE("a device that is connected and subscribed is told of desired") {
  memory_store store;
  test_hub hub(store);
  REQUIRE(hub.create(a) == 200);
  const auto is_told = [&] {
    REQUIRE(hub.desire(a, R"({"fan":1})").status == 200);
    REQUIRE((hub.out.size() == 1 || hub.out.size() == 2));
    CHECK(hub.out.back().kind == hub_action::event);
    return hub.out.size() == 2 && hub.out[0].kind == hub_action::notify;
  };
  hub.session.subscribed(a, devicetwin::desired_filter);  // not connected
  CHECK(!is_told());
  REQUIRE(!hub.session.connected(a));
  CHECK(!is_told());
  hub.session.subscribed(a, devicetwin::responses_filter);
  CHECK(!is_told());
  hub.session.subscribed(a, devicetwin::desired_filter);
  REQUIRE(is_told());
  CHECK(hub.out[0].to == "devA");
  CHECK(hub.out[0].topic == "$iothub/twin/PATCH/properties/desired/?$version=5");
  CHECK(hub.out[0].payload == R"({"fan":1,"$version":5})");

  // Two subscriptions: one is enough.
  hub.session.subscribed(a, "$iothub/#");
  hub.session.unsubscribed(a, devicetwin::desired_filter);
  CHECK(is_told());
  hub.session.unsubscribed(a, "$iothub/#");
  CHECK(!is_told());

  // A new connection starts without; the end of the older one, told late, is not the end of the
  // newer.
  hub.session.subscribed(a, devicetwin::desired_filter);
  REQUIRE(!hub.session.connected(a, 2));
  CHECK(!is_told());
  hub.session.subscribed(a, devicetwin::desired_filter);
  hub.session.disconnected(a);
  CHECK(is_told());
  hub.session.disconnected(a, 2);
  CHECK(!is_told());
  CHECK(!hub.session.is_connected(a));
  CHECK(hub.session.connections() == 0);

  // A write without an effect is told to nobody.
  hub.add(b);
  REQUIRE(hub.desire(b, R"({"unknown":null})").status == 200);
  CHECK(hub.out.empty());
  // Nor is one of tags to the device.
  REQUIRE(hub.patch(b, R"({"tags":{"site":"n"}})").status == 200);
  CHECK(hub.out.size() == 1);
}

TEST_CASE("subscriptions count when they match the notifications' topics") {
  // Every filter of up to seven levels out of these, against the rule itself.
  const std::string levels[] = {"$iothub", "twin", "PATCH", "properties", "desired",
                                "+",       "#",    "",      "other",      "?$version=1"};
  const std::string topic = "$iothub/twin/PATCH/properties/desired/?$version=";
  std::vector<std::uint64_t> bits;
  std::string filter;
  const auto check = [&] {
    const std::uint64_t bit = devicetwin::detail::filter_bit(filter);
    const bool matches =
        mqtt_match(filter, topic + "1") && mqtt_match(filter, topic + "9223372036854775807");
    if ((bit != 0) != matches || (bit & (bit - 1)) != 0) FAIL_CHECK(filter);
    if (bit != 0) bits.push_back(bit);
  };
  const auto down = [&](auto& self, std::size_t depth) -> void {
    const std::size_t size = filter.size();
    for (const std::string& level : levels) {
      if (depth != 0) filter += "/";
      filter += level;
      check();
      // Beyond what can match anything only one step further.
      if (depth < 6 && mqtt_match(filter + "/#", topic + "1")) self(self, depth + 1);
      filter.resize(size);
    }
  };
  down(down, 0);
  std::sort(bits.begin(), bits.end());
  CHECK(bits.size() == 63);
  CHECK(std::unique(bits.begin(), bits.end()) == bits.end());  // no two share a bit
  for (const char* none :
       {"", "#", "+/twin/#", "$iothub", "$iothub/twin/res/#",
        "$iothub/twin/PATCH/properties/desired", "$iothub/#/x", "$iothub/twin/#x",
        "$share/g/$iothub/#", "$iothub/twin/PATCH/properties/desired/?$version=1"}) {
    CHECK(devicetwin::detail::filter_bit(none) == 0);
  }
}

TEST_CASE("what the service writes as a whole is told with null for what has gone") {
  memory_store store;
  test_hub hub(store);
  hub.add(a);
  REQUIRE(hub.desire(a, R"({"a":1,"b":2})").status == 200);
  const auto reply = hub.replace(a, R"({"properties":{"desired":{"a":1,"c":100}},"tags":{"x":1}})");
  CHECK(reply.status == 200);
  CHECK(reply.body.empty());
  CHECK(reply.etag == "AAAAAAAAAAM=");
  REQUIRE(hub.out.size() == 2);
  CHECK(hub.out[0].payload == R"({"a":1,"c":100,"b":null,"$version":3})");
  CHECK(hub.out[1].operation == "replaceTwin");
  // ... and a device that had the old one has the new one after it.
  auto copy = loaded_twin(R"({"desired":{"a":1,"b":2,"$version":2},"reported":{"$version":1}})");
  devicetwin::outcome done;
  REQUIRE(!copy.apply_notification(hub.out[0].payload, noon(), done));
  CHECK(device_text(copy) == hub.device_view(a));
}

TEST_CASE("the service gets, and writes on condition of the etag") {
  memory_store store;
  test_hub hub(store);
  hub.add(a);
  auto reply = hub.session.service_get(a);
  CHECK(reply.status == 200);
  CHECK(reply.etag == "AAAAAAAAAAE=");
  CHECK(std::string(reply.body) == service_text(**store.find(a)));
  CHECK(hub.session.actions().empty());

  CHECK(hub.patch(a, of_desired(R"({"fan":1})"), "\"AAAAAAAAAAE=\"").status == 200);
  reply = hub.patch(a, of_desired(R"({"fan":2})"), "\"AAAAAAAAAAE=\"");
  CHECK(reply.status == 412);
  CHECK(!reply);
  CHECK(reply.etag.empty());
  CHECK(code_in(reply.body) == 412001);
  CHECK(hub.out.empty());
  CHECK(hub.replace(a, of_desired("{}"), "x").status == 412);
  CHECK(hub.patch(a, of_desired(R"({"fan":2})"), "*").status == 200);
  CHECK(hub.patch(a, of_desired(R"({"fan":2})"), "W/\"AAAAAAAAAAM=\"").status == 200);
  // A report of the device leaves the etag alone.
  REQUIRE(!hub.report(a, R"({"fan":2})"));
  CHECK(hub.patch(a, R"({"tags":{"x":1}})", "AAAAAAAAAAQ=").status == 200);
  reply = hub.session.service_remove(a, at(hub.now), "AAAAAAAAAAQ=");
  CHECK(reply.status == 412);
  CHECK(code_in(reply.body) == 412001);
  CHECK(hub.session.actions().empty());
  CHECK(hub.session.service_remove(a, at(hub.now), "AAAAAAAAAAU=").status == 204);
}

TEST_CASE("twins are made and removed, and the back end is told") {
  memory_store store;
  test_hub hub(store);
  REQUIRE(hub.create(a) == 200);
  REQUIRE(hub.out.size() == 1);
  CHECK(hub.out[0].operation == "createDeviceIdentity");
  CHECK(*json::get<std::string_view>(parsed(hub.out[0].payload), "/deviceId") == "devA");
  CHECK(hub.create(a) == 409);
  CHECK(hub.out.empty());
  auto reply = hub.session.service_create({"devA"}, at(hub.now));
  CHECK(code_in(reply.body) == 409001);

  // A module needs its device.
  const twin_id module{"devA", "fan"}, orphan{"devB", "fan"};
  reply = hub.session.service_create({orphan.device, orphan.module}, at(hub.now));
  CHECK(reply.status == 404);
  CHECK(code_in(reply.body) == 404001);
  REQUIRE(hub.create(module) == 200);
  CHECK(hub.out[0].operation == "createModuleIdentity");
  CHECK(hub.out[0].to == "devA/fan");
  reply = hub.session.service_create({module.device, module.module}, at(hub.now));
  CHECK(reply.status == 409);
  CHECK(code_in(reply.body) == 409301);

  REQUIRE(!hub.report(a, R"({"x":1})"));
  reply = hub.session.service_remove(a, at(hub.now));
  CHECK(reply.status == 204);
  hub.collect();
  REQUIRE(hub.out.size() == 1);
  CHECK(hub.out[0].operation == "deleteDeviceIdentity");
  CHECK(*json::get<std::int64_t>(parsed(hub.out[0].payload), "/properties/reported/x") == 1);
  CHECK(hub.session.service_remove(a, at(hub.now)).status == 404);
  CHECK(hub.session.service_get(a).status == 404);
  // The module is a twin of its own.
  CHECK(hub.session.service_get(module).status == 200);
  CHECK(hub.session.service_remove(module, at(hub.now)).status == 204);
  CHECK(hub.session.actions()[0].operation == "deleteModuleIdentity");

  // Made anew it starts anew.
  REQUIRE(hub.create(a) == 200);
  CHECK(hub.device_view(a) == R"({"desired":{"$version":1},"reported":{"$version":1}})");
}

TEST_CASE("every refusal has its status, its code, and says what is wrong where") {
  memory_store store;
  devicetwin::hub_options options;
  options.max_payload = 40'000;
  options.max_service_body = 50'000;
  test_hub hub(store, options);
  hub.add(a);
  struct row {
    std::string patch;
    errc code;
    unsigned status;
    std::int64_t error_code;
    std::string says;
  };
  std::string deep = "1";
  for (int i = 0; i < 12; ++i) deep = "{\"d\":" + deep + "}";
  const row rows[] = {
      {"", errc::empty_input, 400, 400006, "line 1, column 1"},
      {" ", errc::empty_input, 400, 400006, "empty"},
      {"{\"a\":1,}", errc::unexpected_character, 400, 400006, "line 1, column 8"},
      {"{\"a\":1", errc::unexpected_end, 400, 400006, "ends"},
      {"{}{}", errc::trailing_characters, 400, 400006, "follows"},
      {"{\"a\":01}", errc::invalid_number, 400, 400006, "/a"},
      {"{\"a\":1e999}", errc::number_overflow, 400, 400004, "/a"},
      {"{\"a\":18446744073709551616}", errc::integer_overflow, 400, 400004, "/a"},
      {"{\"a\":\"\\x\"}", errc::invalid_escape, 400, 400006, "/a"},
      {"{\"a\":\"\\ud800\"}", errc::lone_surrogate, 400, 400006, "/a"},
      {"{\"a\":\"\n\"}", errc::control_character, 400, 400006, "/a"},
      {"{\"a\":\"\xFF\"}", errc::invalid_utf8, 400, 400006, "/a"},
      {"{\"\xFF\":1}", errc::invalid_utf8, 400, 400006, "UTF-8"},
      {"{\"a\":1,\"\\u0061\":2}", errc::duplicate_name, 400, 400006, "/a"},
      {"\xEF\xBB\xBF{}", errc::byte_order_mark, 400, 400006, "byte order mark"},
      {"[]", errc::not_a_twin, 400, 400004, ""},
      {"null", errc::not_a_twin, 400, 400004, ""},
      {"{\"$version\":1}", errc::reserved_member, 400, 400004, "/$version"},
      {"{\"\\u0024x\":1}", errc::reserved_member, 400, 400004, "/$x"},
      {"{\"a\":{\"b.c\":1}}", errc::forbidden_name, 400, 400004, "/a/b.c"},
      {"{\"a\":[null]}", errc::null_in_array, 400, 400004, "/a/0"},
      {"{\"a\":[{\"b\":null}]}", errc::null_in_array, 400, 400004, "/a/0/b"},
      {"{\"a\":4503599627370496}", errc::integer_too_large, 400, 400004, "4503599627370495"},
      {"{\"a\":\"" + std::string(4097, 'x') + "\"}", errc::string_too_long, 400, 400004, "4096"},
      {"{\"" + std::string(1025, 'x') + "\":1}", errc::name_too_long, 400, 400004, "1024"},
      {"{\"a\":" + deep + "}", errc::depth_exceeded, 400, 400004, "/a/d"},
      {"{\"a\":\"" + std::string(40'000, 'x') + "\"}", errc::too_large, 413, 413001,
       "the text is too long (the limit is 40000, this is 40008)"},
  };
  const std::string before = service_text(**store.find(a));
  for (const row& r : rows) {
    INFO(r.patch.substr(0, 60));
    CHECK(hub.report(a, r.patch).code() == r.code);
    REQUIRE(hub.out.size() == 1);
    CHECK(hub.out[0].kind == hub_action::reply);
    CHECK(hub.out[0].status == r.status);
    CHECK(hub.out[0].topic == "$iothub/twin/res/" + std::to_string(r.status) + "/?$rid=1");
    CHECK(code_in(hub.out[0].payload) == r.error_code);
    CHECK_THAT(hub.out[0].payload, matchers::ContainsSubstring(r.says));
    CHECK_THAT(hub.out[0].payload,
               matchers::ContainsSubstring("\"timestampUtc\":\"2026-01-31T12:"));
    CHECK(service_text(**store.find(a)) == before);
  }
  // What does not fit: 403.
  for (int i = 0; i < 8; ++i)
    REQUIRE(!hub.report(a, "{\"n" + std::to_string(i) + "\":\"" + std::string(4090, 'x') + "\"}"));
  CHECK(hub.report(a, "{\"n8\":\"" + std::string(4090, 'x') + "\"}").code() ==
        errc::section_too_large);
  CHECK(hub.out[0].status == 403);
  CHECK(code_in(hub.out[0].payload) == 403100);

  // The service's writes are refused the same way, and told to nobody.
  const auto refused = [&](const devicetwin::service_reply& reply, unsigned status,
                           std::int64_t code, const std::string& says) {
    CHECK(reply.status == status);
    CHECK(reply.why);
    CHECK(code_in(reply.body) == code);
    CHECK_THAT(std::string(reply.body), matchers::ContainsSubstring(says));
    CHECK(hub.out.empty());
  };
  refused(hub.patch(a, "{"), 400, 400006, "line 1");
  refused(hub.desire(a, R"({"a":{"$x":1}})"), 400, 400004, "/properties/desired/a/$x");
  refused(hub.replace(a, R"({"tags":{"a":null}})"), 400, 400004, "/tags/a");
  refused(hub.patch(a, R"({"tags":1})"), 400, 400004, "/tags");
  refused(hub.patch(a, R"({"tags":{"a":")" + std::string(4000, 'x') + R"(","b":")" +
                           std::string(4000, 'x') + R"(","c":")" + std::string(4000, 'x') + "\"}}"),
          403, 403100, "8192");
  refused(hub.patch(a, std::string(50'001, ' ')), 413, 413001, "50000");
  refused(hub.desire(b, "{}"), 404, 404001, "device");
  refused(hub.desire({"devA", "m"}, "{}"), 404, 404010, "module");
  refused(hub.desire({"dev/A"}, "{}"), 404, 404001, "device");
  refused(hub.session.service_get({"", ""}), 400, 400004, "id");
  refused(hub.session.service_create({"dev/A"}, at(hub.now)), 400, 400004, "deviceId");
  refused(hub.session.service_create({std::string(129, 'x')}, at(hub.now)), 400, 400004, "id");
  refused(hub.session.service_remove({"dev A"}, at(hub.now)), 404, 404001, "device");

  // By a dialect without the silent ignoring of what a device writes.
  devicetwin::dialect strict = devicetwin::azure;
  strict.ignores_echo = false;
  memory_store other(strict);
  test_hub second(other);
  second.add(a);
  CHECK(code_in(second.patch(a, R"({"properties":{"reported":{"a":1}}})").body) == 400003);
}

TEST_CASE("a device of which nothing is known is answered with 404") {
  memory_store store;
  test_hub hub(store);
  CHECK(hub.get(a).code() == errc::not_found);
  REQUIRE(hub.out.size() == 1);
  CHECK(hub.out[0].topic == "$iothub/twin/res/404/?$rid=1");
  CHECK(code_in(hub.out[0].payload) == 404001);
  CHECK(hub.report(a, R"({"x":1})").code() == errc::not_found);
  CHECK(code_in(hub.out[0].payload) == 404001);
  CHECK(hub.get({"devA", "m"}).code() == errc::not_found);
  CHECK(code_in(hub.out[0].payload) == 404010);
  CHECK(store.size() == 0);

  // What is no id at all is the caller's mistake; there is nobody to answer.
  for (const std::string& bad : {std::string(), std::string(129, 'x')}) {
    CHECK(hub.get({bad, ""}).code() == errc::invalid_identity);
    CHECK(hub.out.empty());
    CHECK(hub.session.connected({bad, ""}).code() == errc::invalid_identity);
    CHECK(
        hub.session.refuse({bad, ""}, get_topic + "1", devicetwin::throttled, "", noon()).code() ==
        errc::invalid_identity);
  }
}

TEST_CASE(
    "what a device may not publish is refused, and what is not the hub's business is left alone") {
  memory_store store;
  test_hub hub(store);
  hub.add(a);
  hub.add(b);
  const std::string before = service_text(**store.find(a)) + service_text(**store.find(b));
  // Forged answers and notifications.
  for (const char* topic :
       {"$iothub/twin/res/200/?$rid=1", "$iothub/twin/res/204/?$rid=1&$version=2",
        "$iothub/twin/PATCH/properties/desired/?$version=2",
        "$iothub/twin/PATCH/properties/desired/"}) {
    CHECK(hub.send(a, topic, R"({"x":1})").code() == errc::not_writable);
    CHECK(hub.out.empty());
    CHECK(hub.session.refuse(a, topic, devicetwin::throttled, "", noon()).code() ==
          errc::not_writable);
  }
  for (const char* topic :
       {"devices/devA/messages/events/", "", "$iothub/twin/", "$iothub/twin/GET/",
        "$iothub/twin/GET/?$rid=", "$iothub/methods/res/200/?$rid=1",
        "$aws/things/devB/shadow/update", "devB/$iothub/twin/GET/?$rid=1"}) {
    CHECK(hub.send(a, topic, R"({"x":1})").code() == errc::invalid_topic);
    CHECK(hub.out.empty());
  }
  // Nothing that is written names another: this is a report of a's own.
  REQUIRE(!hub.report(a, R"({"deviceId":"devB","moduleId":"m"})"));
  CHECK(hub.out[0].to == "devA");
  CHECK(device_text(**store.find(b)) == R"({"desired":{"$version":1},"reported":{"$version":1}})");
  CHECK(before != service_text(**store.find(a)) + service_text(**store.find(b)));
}

TEST_CASE("a malformed request with a request id is refused, and nothing is written") {
  memory_store store;
  test_hub hub(store);
  hub.add(a);
  const std::string before = device_text(**store.find(a));
  const std::string longer(devicetwin::max_request_id + 1, 'r');
  const struct {
    std::string topic, id;
  } cases[] = {{report_topic + "7&$version=abc", "7"},
               {report_topic + "7&$version=-1", "7"},
               {report_topic + "7&$version=99999999999999999999", "7"},
               {report_topic + "7&$version=1&$version=1", "7"},
               {report_topic + "7&$rid=8", "7"},
               {"$iothub/twin/PATCH/properties/reported/?$version=&$rid=7", "7"},
               {"$iothub/twin/PATCH/properties/reported/x/?$rid=7", "7"},
               {"$iothub/twin/GET/x?$rid=7", "7"},
               {get_topic + "7&$version=x", "7"},
               {get_topic + longer, longer},
               {report_topic + std::string(60'000, 'r'), std::string(60'000, 'r')}};
  for (const auto& c : cases) {
    INFO(c.topic.substr(0, 100));
    CHECK(hub.send(a, c.topic, R"({"x":1})").code() == errc::invalid_topic);
    REQUIRE(hub.out.size() == 1);
    CHECK(hub.out[0].kind == hub_action::reply);
    CHECK(hub.out[0].to == "devA");
    CHECK(hub.out[0].status == 400);
    CHECK(hub.out[0].topic == "$iothub/twin/res/400/?$rid=" + c.id);
    CHECK(code_in(hub.out[0].payload) == 400004);
    CHECK(device_text(**store.find(a)) == before);

    CHECK(hub.session.refuse(a, c.topic, devicetwin::throttled, "slower", noon()).code() ==
          errc::invalid_topic);
    hub.collect();
    REQUIRE(hub.out.size() == 1);
    CHECK(hub.out[0].topic == "$iothub/twin/res/429/?$rid=" + c.id);
    CHECK(code_in(hub.out[0].payload) == 429001);
  }
}

TEST_CASE("the reply to a malformed request is left out when there is no memory for it") {
  failing_heap heap;
  memory_store store;
  test_hub hub(store, {}, heap.source());
  hub.add(a);
  heap.refused_request = heap.requests + 1;
  CHECK(hub.send(a, report_topic + "7&$version=abc", "{}").code() == errc::invalid_topic);
  CHECK(hub.out.empty());
  CHECK(hub.send(a, report_topic + "7&$version=abc", "{}").code() == errc::invalid_topic);
  CHECK(hub.out.size() == 1);
}

TEST_CASE("two devices and a module have twins of their own") {
  memory_store store;
  test_hub hub(store);
  const twin_id module{"devA", "m"};
  for (const twin_id& id : {a, b, module}) hub.add(id);
  REQUIRE(!hub.report(a, R"({"who":"a"})"));
  REQUIRE(!hub.report(module, R"({"who":"m"})"));
  CHECK(hub.out[0].to == "devA/m");
  REQUIRE(hub.desire(b, R"({"only":"b"})").status == 200);
  REQUIRE(hub.out.size() == 2);
  CHECK(hub.out[0].to == "devB");
  CHECK(hub.device_view(a) == R"({"desired":{"$version":1},"reported":{"who":"a","$version":2}})");
  CHECK(hub.device_view(module) ==
        R"({"desired":{"$version":1},"reported":{"who":"m","$version":2}})");
  CHECK(hub.device_view(b) == R"({"desired":{"only":"b","$version":2},"reported":{"$version":1}})");
  CHECK(hub.out[0].to == "devB");
  REQUIRE(hub.desire(module, R"({"x":1})").status == 200);
  CHECK(hub.out[0].to == "devA/m");
  hub.session.disconnected(a);  // its module stays
  CHECK(hub.session.is_notified(module));
}

TEST_CASE("the number of connections is bounded") {
  memory_store store;
  devicetwin::hub_options options;
  options.max_connections = 2;
  test_hub hub(store, options);
  REQUIRE(!hub.session.connected({"1"}));
  REQUIRE(!hub.session.connected({"2"}));
  CHECK(hub.session.connected({"3"}).code() == errc::too_many_connections);
  REQUIRE(!hub.session.connected({"1"}, 7));
  hub.session.disconnected({"2"});
  REQUIRE(!hub.session.connected({"3"}));
  CHECK(hub.session.connections() == 2);
  REQUIRE(hub.create({"4"}) == 200);
  CHECK(!hub.get({"4"}));  // served, whether or not it counts as connected
}

TEST_CASE("a message is refused without being looked at") {
  memory_store store;
  test_hub hub(store);
  hub.add(a);
  REQUIRE(!hub.session.refuse(a, report_topic + "9", devicetwin::throttled,
                              "slower, \"please\"\n\xFF", noon()));
  hub.collect();
  REQUIRE(hub.out.size() == 1);
  CHECK(hub.out[0].topic == "$iothub/twin/res/429/?$rid=9");
  CHECK(
      hub.out[0].payload ==
      R"({"errorCode":429001,"message":"slower, \"please\"\n?","timestampUtc":"2026-01-31T12:00:00Z"})");
  REQUIRE(!hub.session.refuse(a, get_topic + "9", devicetwin::server_busy, "", noon()));
  hub.collect();
  CHECK(hub.out[0].status == 503);
  CHECK(code_in(hub.out[0].payload) == 503001);
  CHECK(hub.session.refuse(a, "x", devicetwin::throttled, "", noon()).code() ==
        errc::invalid_topic);
}

TEST_CASE("actions are those of the last call, and need nothing of the caller's") {
  memory_store store;
  test_hub hub(store);
  {
    std::string id = "devA", topic = get_topic + "some-request-id", payload = " ";
    REQUIRE(hub.session.service_create({id}, noon()).status == 200);
    REQUIRE(!hub.session.message({id}, topic, payload, noon()));
    id.assign(4, '!');
    topic.assign(topic.size(), '!');
  }
  hub.collect();
  CHECK(hub.out[0].to == "devA");
  CHECK(hub.out[0].topic == "$iothub/twin/res/200/?$rid=some-request-id");
  for (const auto& call : {+[](test_hub& h) { static_cast<void>(h.session.connected(a)); },
                           +[](test_hub& h) { h.session.subscribed(a, "x"); },
                           +[](test_hub& h) { h.session.unsubscribed(a, "x"); },
                           +[](test_hub& h) { h.session.disconnected(a); },
                           +[](test_hub& h) { static_cast<void>(h.session.service_get(a)); },
                           +[](test_hub& h) { static_cast<void>(h.send(a, "x", "")); }}) {
    REQUIRE(!hub.get(a));
    CHECK(hub.session.actions().size() == 1);
    call(hub);
    CHECK(hub.session.actions().empty());
  }
}

namespace {

using table_store = twin_cache<memory_table>;

/// What is stored, as somebody else would load it.
std::string stored_view(memory_table& table, const twin_id& id) {
  table_store theirs(table);
  const auto found = theirs.find(id);
  return found ? device_text(**found) : "none";
}

/// A store on top of another that is always too late.
struct late_store {
  memory_store held;
  using twin_type = devicetwin::twin;
  unsigned commits = 0;
  json::result<devicetwin::twin*> find(const twin_id& id) { return held.find(id); }
  json::error commit(const twin_id&) {
    ++commits;
    return errc::precondition_failed;
  }
  json::error create(const devicetwin::new_identity& who, devicetwin::timestamp now,
                     devicetwin::outcome& done) {
    return held.create(who, now, done);
  }
  json::error remove(const twin_id&) { return errc::precondition_failed; }
};

}  // namespace

TEST_CASE("nothing is acknowledged or told that is not stored") {
  const auto mode = GENERATE(false, true);
  for (std::size_t n = 1; n < 8; ++n) {
    memory_table table;
    table.failing_store = n;
    table.stores_before_failing = mode;
    table_store store(table);
    basic_hub<table_store> hub(store);
    static_cast<void>(hub.create(a));
    if (stored_view(table, a) == "none") {
      CHECK(hub.out.empty());
      REQUIRE(hub.create(a) == 200);
    } else if (n == 1) {
      CHECK(hub.out.empty());
      CHECK(hub.create(a) == 409);  // it was made; only the answer was lost
    }
    REQUIRE(!hub.session.connected(a));
    hub.session.subscribed(a, devicetwin::desired_filter);
    for (int i = 0; i < 6; ++i) {
      const std::string before = stored_view(table, a);
      const bool device = i % 2 == 0;
      const std::string value = "{\"v\":" + std::to_string(i) + "}";
      bool done = false;
      if (device) {
        done = !hub.report(a, value);
        REQUIRE(!hub.out.empty());
        CHECK(hub.out[0].status == (done ? 204 : 500));
        if (!done) CHECK(code_in(hub.out[0].payload) == 500001);
      } else {
        const auto reply = hub.desire(a, value);
        done = reply.status == 200;
        if (!done) {
          CHECK(reply.status == 500);
          CHECK(code_in(reply.body) == 500001);
        }
      }
      const std::string after = stored_view(table, a);
      const bool stored = after != before;
      if (done) {
        CHECK(stored);
        CHECK(hub.out.size() == 2);
        const auto view = parsed(after);
        CHECK(*json::get<std::int64_t>(view, device ? "/reported/v" : "/desired/v") == i);
        const auto version =
            *json::get<std::int64_t>(view, device ? "/reported/$version" : "/desired/$version");
        CHECK_THAT(hub.out[0].topic, matchers::EndsWith("$version=" + std::to_string(version)));
      } else {
        CHECK(stored == mode);
        CHECK(hub.out.size() == (device ? 1 : 0));  // nobody is told
      }
      CHECK(hub.device_view(a) == after);  // what the hub shows is what is stored
    }
    CHECK(table.stores >= n);  // one did fail
  }
}

TEST_CASE("how often an overtaken write is tried is an option") {
  for (const unsigned attempts : {0u, 1u, 5u}) {
    late_store late;
    devicetwin::hub_options options;
    options.write_attempts = attempts;
    basic_hub<late_store> hub(late, options);
    hub.add(a);
    CHECK(hub.report(a, R"({"a":1})").code() == errc::precondition_failed);
    CHECK(late.commits == (attempts == 0 ? 1 : attempts));
    CHECK(hub.out.at(0).status == 503);
  }
}

TEST_CASE("the outcome of the last write can be asked for") {
  memory_store store;
  test_hub hub(store);
  hub.add(a);
  REQUIRE(!hub.report(a, R"({"a":1,"b":{"c":2}})"));
  const devicetwin::outcome& last = hub.session.last_outcome();
  REQUIRE(last.size() == 2);
  CHECK(last[1].pointer == "/b");
  CHECK(last.reported_version == 2);
  REQUIRE(hub.desire(a, R"({"x":true})").status == 200);
  REQUIRE(last.size() == 1);
  CHECK(last[0].where == part::desired);
  CHECK(hub.report(a, R"({"a.b":1})"));
  CHECK(last.size() == 0);
}

TEST_CASE("where somebody else has stored the twin, the write is made once more, on theirs") {
  memory_table table;
  table_store store(table), theirs(table);
  basic_hub<table_store> hub(store);
  hub.add(a);
  REQUIRE(!hub.report(a, R"({"a":1})"));
  devicetwin::outcome done;
  const auto they_report = [&](std::string_view patch) {
    theirs.forget_all();
    REQUIRE(!(*theirs.find(a))->device_patch(patch, noon(), done));
    REQUIRE(!theirs.commit(a));
  };
  they_report(R"({"b":2})");
  REQUIRE(!hub.report(a, R"({"a":3})"));
  CHECK(hub.out[0].topic == "$iothub/twin/res/204/?$rid=1&$version=4");
  CHECK(stored_view(table, a) ==
        R"({"desired":{"$version":1},"reported":{"a":3,"b":2,"$version":4}})");

  // Conditions are held against what is stored.
  they_report(R"({"b":5})");
  CHECK(hub.report(a, R"({"a":6})", "&$version=4").code() == errc::precondition_failed);
  CHECK(hub.out[0].status == 412);
  CHECK(hub.device_view(a) == stored_view(table, a));
  const std::string etag(hub.session.service_get(a).etag);
  theirs.forget_all();
  REQUIRE(!(*theirs.find(a))->service_patch(R"({"tags":{"x":1}})", noon(), done));
  REQUIRE(!theirs.commit(a));
  CHECK(hub.patch(a, R"({"tags":{"x":2}})", etag).status == 412);
  CHECK(hub.patch(a, R"({"tags":{"x":2}})", done.etag()).status == 200);

  // Gone: that is told, too.
  theirs.forget_all();
  REQUIRE(!theirs.remove(a));
  CHECK(hub.report(a, R"({"a":7})").code() == errc::not_found);
  CHECK(hub.out[0].status == 404);

  // Once more, not for ever.
  late_store late;
  basic_hub<late_store> second(late);
  second.add(a);
  CHECK(second.report(a, R"({"a":1})").code() == errc::precondition_failed);
  CHECK(late.commits == 2);
  REQUIRE(second.out.size() == 1);
  CHECK(second.out[0].status == 503);
  CHECK(second.desire(a, R"({"a":1})").status == 503);
  CHECK(second.out.empty());
  CHECK(second.session.service_remove(a, noon()).status == 412);
  CHECK(second.session.actions().empty());
}

TEST_CASE(
    "a hub whose allocations fail in turn leaves the twin as it was or acknowledges the write") {
  const auto script = [](failing_heap& heap, std::size_t refused) {
    memory_store store(devicetwin::azure, heap.source());
    test_hub hub(store, {}, heap.source());
    while (hub.create(a) != 200) CHECK(hub.out.empty());
    heap.refused_request = heap.requests + refused;
    bool refused_one = false;
    const auto step = [&](bool done, const std::string& before) {
      const std::size_t at = heap.refused_request;
      heap.refused_request = 0;
      if (!done) {
        refused_one = true;
        CHECK(device_text(**store.find(a)) == before);
      }
      heap.refused_request = at;
      return done;
    };
    const auto view = [&] {
      const std::size_t at = heap.refused_request, requests = heap.requests;
      heap.refused_request = 0;
      std::string text = device_text(**store.find(a));
      heap.refused_request = at;
      heap.requests = requests;
      return text;
    };
    while (!step(!hub.session.connected(a), view())) {
    }
    hub.session.subscribed(a, devicetwin::desired_filter);
    for (int i = 0; i < 3; ++i) {
      const std::string value =
          "{\"member_with_a_long_name_" + std::to_string(i) +
          "\":{\"a\":[1,2,3],\"b\":\"a text that is longer than a few bytes\"}}";
      std::string before = view();
      while (!step(!hub.report(a, value), before)) {
        REQUIRE(hub.out.size() == 1);
        CHECK(hub.out[0].status == 500);
        CHECK(code_in(hub.out[0].payload) == 500001);
      }
      CHECK(hub.out.size() == 2);
      before = view();
      while (!step(hub.desire(a, value).status == 200, before)) CHECK(hub.out.empty());
      CHECK(hub.out.size() == 2);
      before = view();
      while (!step(!hub.get(a), before)) CHECK(hub.out[0].status == 500);
      CHECK(hub.out[0].payload == before);
      while (true) {
        const auto reply = hub.session.service_get(a);
        if (reply) break;
        CHECK(reply.status == 500);
        CHECK(code_in(reply.body) == 500001);
        refused_one = true;
      }
    }
    while (true) {
      const auto reply = hub.session.service_remove(a, noon());
      if (reply) break;
      CHECK(reply.status == 500);
      CHECK(store.find(a));
      refused_one = true;
    }
    return refused_one;
  };
  std::size_t n = 1;
  for (;; ++n) {
    REQUIRE(n < 10'000);
    failing_heap heap;
    const bool refused = script(heap, n);
    CHECK(heap.out == 0);
    if (!refused && heap.requests < heap.refused_request) break;
  }
  CHECK(n > 15);
}

TEST_CASE("a message needs no memory once a hub's buffers have grown") {
  failing_heap heap;
  memory_store store;  // a twin's own memory is its own matter: it is compacted now and then
  test_hub hub(store, {}, heap.source());
  hub.add(a);
  const auto round = [&](int i) {
    REQUIRE(!hub.get(a));
    REQUIRE(!hub.report(a, "{\"v\":" + std::to_string(i) + "}"));
    CHECK(hub.report(a, "{\"$v\":1}"));
    REQUIRE(hub.desire(a, "{\"v\":" + std::to_string(i) + "}").status == 200);
    REQUIRE(hub.session.service_get(a).status == 200);
  };
  for (int i = 10; i < 20; ++i) round(i);
  const std::size_t before = heap.requests;
  for (int i = 20; i < 40; ++i) round(i);
  CHECK(heap.requests == before);
}

TEST_CASE("a hub in a caller's buffer says when it is full") {
  alignas(16) static char buffer[16 * 1024];
  memory_store store;
  devicetwin::hub_session<memory_store, devicetwin::buffer_memory> hub(
      store, {}, devicetwin::buffer_memory(buffer, sizeof buffer));
  REQUIRE(hub.service_create({"devA"}, noon()).status == 200);
  REQUIRE(!hub.connected(a));
  std::size_t connected = 1;
  while (!hub.connected({"dev" + std::to_string(connected)})) ++connected;
  CHECK(connected > 50);
  CHECK(hub.connections() == connected);
  // Nothing is left for a report as long as the buffer: that is told, and nothing is written.
  const std::string before = service_text(**store.find(a));
  const std::string large = "{\"x\":\"" + std::string(sizeof buffer, 'x') + "\"}";
  CHECK(hub.message(a, report_topic + "1", large, noon()).code() == errc::out_of_memory);
  REQUIRE(hub.actions().size() == 1);
  CHECK(hub.actions()[0].status == 500);
  CHECK(service_text(**store.find(a)) == before);
  // A short one finds room where the long one did not.
  const json::error e = hub.message(a, report_topic + "2", R"({"x":1})", noon());
  REQUIRE(hub.actions().size() >= 1);
  CHECK(hub.actions()[0].status == (e ? 500u : 204u));
  CHECK((service_text(**store.find(a)) == before) == e.failed());
}
