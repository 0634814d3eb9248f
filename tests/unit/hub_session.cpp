// The hub's end: every topic, every status, who is told what, and that nothing is acknowledged that is not stored.
#include <devicetwin/sync/hub_session.hpp>

#include <string>
#include <vector>

#include "../support/failing_heap.hpp"
#include "../support/memory_table.hpp"

namespace sync = devicetwin::sync;
using devicetwin::memory_store;
using devicetwin::twin_cache;
using devicetwin::twin_id;
using sync::hub_action;

namespace {

const std::string get_topic = "$iothub/twin/GET/?$rid=";
const std::string report_topic = "$iothub/twin/PATCH/properties/reported/?$rid=";

/// An action, copied.
struct told {
  hub_action::kind what;
  std::string to, topic, payload, operation;
  unsigned status;
};

/// A hub over some store, and short ways to talk to it.
template <class Store>
struct basic_hub {
  Store& store;
  sync::hub_session<Store> session;
  devicetwin::timestamp now = noon();
  std::vector<told> out;

  explicit basic_hub(Store& s, const sync::hub_options& options = {}, const json::memory_source& memory = {})
      : store(s), session(s, options, devicetwin::heap_memory(memory)) {}

  void collect() {
    out.clear();
    for (const hub_action& a : session.actions()) {
      std::string to(a.to.device);
      if (!a.to.module.empty()) to += "/" + std::string(a.to.module);
      out.push_back({a.what, to, std::string(a.topic), std::string(a.payload), std::string(a.operation), a.status});
    }
  }
  json::error send(const twin_id& from, const std::string& topic, std::string_view payload) {
    json::error e = session.message(from, topic, payload, ++now);
    collect();
    return e;
  }
  json::error get(const twin_id& from) { return send(from, get_topic + "1", ""); }
  json::error report(const twin_id& from, std::string_view patch, const std::string& more = "") {
    return send(from, report_topic + "1" + more, patch);
  }
  unsigned create(const twin_id& id) {
    const unsigned status = session.service_create({id.device, id.module}, ++now).status;
    collect();
    return status;
  }
  sync::service_reply patch(const twin_id& id, std::string_view text, std::string_view if_match = {}) {
    auto reply = session.service_patch(id, text, ++now, if_match);
    collect();
    return reply;
  }
  sync::service_reply desire(const twin_id& id, const std::string& desired) { return patch(id, of_desired(desired)); }
  sync::service_reply replace(const twin_id& id, std::string_view text, std::string_view if_match = {}) {
    auto reply = session.service_replace(id, text, ++now, if_match);
    collect();
    return reply;
  }
  /// A device that is there, connected and subscribed.
  void add(const twin_id& id) {
    REQUIRE(create(id) == 200);
    REQUIRE(!session.connected(id));
    session.subscribed(id, sync::desired_filter);
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
      CHECK(hub.out[0].what == hub_action::kind::reply);
      CHECK(hub.out[0].to == "devA");
      CHECK(hub.out[0].status == 200);
      CHECK(hub.out[0].topic == "$iothub/twin/res/200/?$rid=" + std::string(rid));
      CHECK(hub.out[0].payload == R"({"desired":{"fan":2,"$version":2},"reported":{"$version":1}})");
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
  CHECK(hub.out[1].what == hub_action::kind::event);
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
    CHECK(hub.out.back().what == hub_action::kind::event);
    return hub.out.size() == 2 && hub.out[0].what == hub_action::kind::notify;
  };
  hub.session.subscribed(a, sync::desired_filter);  // not connected
  CHECK(!is_told());
  REQUIRE(!hub.session.connected(a));
  CHECK(!is_told());
  hub.session.subscribed(a, sync::responses_filter);
  CHECK(!is_told());
  hub.session.subscribed(a, sync::desired_filter);
  REQUIRE(is_told());
  CHECK(hub.out[0].to == "devA");
  CHECK(hub.out[0].topic == "$iothub/twin/PATCH/properties/desired/?$version=5");
  CHECK(hub.out[0].payload == R"({"fan":1,"$version":5})");

  // Two subscriptions: one is enough.
  hub.session.subscribed(a, "$iothub/#");
  hub.session.unsubscribed(a, sync::desired_filter);
  CHECK(is_told());
  hub.session.unsubscribed(a, "$iothub/#");
  CHECK(!is_told());

  // A new connection starts without; the end of the older one, told late, is not the end of the newer.
  hub.session.subscribed(a, sync::desired_filter);
  REQUIRE(!hub.session.connected(a, 2));
  CHECK(!is_told());
  hub.session.subscribed(a, sync::desired_filter);
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
