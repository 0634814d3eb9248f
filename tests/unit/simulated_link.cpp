// The simulated link delivers, loses, repeats and reorders as it is told to, and does the same
// again.
#include <devicetwin/testing/simulated_link.hpp>

#include <devicetwin/hub/hub_session.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "../catch.hpp"
#include "../support/time.hpp"

using devicetwin::device_session;
using devicetwin::part;
using devicetwin::testing::link_listener;
using devicetwin::testing::link_message;
using devicetwin::testing::link_options;
namespace json = devicetwin::json;

namespace {

using hub_type = devicetwin::hub_session<devicetwin::memory_store>;

constexpr link_options perfect() {
  link_options o;
  o.one_lost_in = o.one_repeated_in = o.one_late_in = 0;
  return o;
}

/// A hub and some devices on a link, and what was heard of them.
struct network : link_listener {
  devicetwin::memory_store store;
  hub_type hub{store};
  device_session sessions[2];
  devicetwin::testing::simulated_link<hub_type, network> link;
  std::vector<std::string> heard;
  std::string hub_error, device_error;

  explicit network(const link_options& options = perfect()) : link(hub, *this, options) {
    for (const devicetwin::twin_id& id : {devicetwin::twin_id{"pump"}, {"pump", "valve"}}) {
      REQUIRE(hub.service_create({id.device, id.module}, link.time()).status == 200);
      link.add(id, sessions[link_size++]);
    }
  }
  void after_device(std::size_t device) {
    for (const devicetwin::device_action a : sessions[device].actions())
      heard.push_back(std::to_string(device) + " " + std::string(a.topic) + std::string(a.payload));
  }
  void after_hub() {
    for (const auto& a : hub.actions())
      heard.push_back("hub " + std::string(a.topic) + std::string(a.payload));
  }
  void hub_failed(const link_message& m, const json::error& e) {
    hub_error = m.topic + ": " + e.message();
  }
  void device_failed(std::size_t, const link_message& m, const json::error& e) {
    device_error = m.topic + ": " + e.message();
  }
  std::string reported_at_hub() {
    std::string text;
    REQUIRE(!devicetwin::write_device_view(**store.find({"pump"}), text));
    return text;
  }
  void report(std::size_t device, std::string_view patch) {
    REQUIRE(!sessions[device].report(patch, link.now()));
    link.take_device_actions(device);
  }
  void desire(const std::string& desired) {
    REQUIRE(
        hub.service_patch({"pump"}, "{\"properties\":{\"desired\":" + desired + "}}", link.time())
            .status == 200);
    link.take_hub_actions();
  }

 private:
  std::size_t link_size = 0;
};

}  // namespace

TEST_CASE("over a link a device reports and hears what is desired", "[simulated_link]") {
  network n;
  REQUIRE(!n.link.connect(0));
  REQUIRE(!n.link.connect(0));  // no second connection
  CHECK(n.link.is_connected(0));
  CHECK(!n.link.is_connected(1));
  REQUIRE(n.link.run(ms(1000)));
  CHECK(n.sessions[0].in_step());
  n.report(0, R"({"rpm":870})");
  n.desire(R"({"rpm":900})");
  REQUIRE(n.link.settle());
  CHECK(n.reported_at_hub() ==
        R"({"desired":{"rpm":900,"$version":2},"reported":{"rpm":870,"$version":2}})");
  CHECK(n.sessions[0].text(part::desired) == R"({"rpm":900})");
  CHECK(n.sessions[1].text(part::desired) == "{}");  // the module's is another twin
  CHECK(n.link.lost() == 0);
  CHECK(n.link.repeated() == 0);
  CHECK(n.link.on_its_way() == 0);
  CHECK(n.link.sent() >= 5);
}

TEST_CASE("the clocks of a link go on together", "[simulated_link]") {
  network n;
  const devicetwin::timestamp start = n.link.time();
  CHECK(n.link.now() == ms(0));
  REQUIRE(n.link.run(ms(1500)));
  CHECK(n.link.now() == ms(1500));
  CHECK(n.link.time().ticks - start.ticks == 15'000'000);
}

TEST_CASE("a link that loses everything delivers nothing, until it is quiet", "[simulated_link]") {
  link_options o = perfect();
  o.one_lost_in = 1;
  network n(o);
  REQUIRE(!n.link.connect(0));
  REQUIRE(n.link.run(ms(100'000)));
  CHECK(n.link.sent() == 0);
  CHECK(n.link.lost() > 1);  // the session has asked again
  CHECK(!n.sessions[0].in_step());
  n.link.set_quiet(true);
  REQUIRE(n.link.run(ms(1'000'000)));
  CHECK(n.sessions[0].in_step());
}

TEST_CASE("a link that repeats everything delivers each message twice", "[simulated_link]") {
  link_options o = perfect();
  o.one_repeated_in = 1;
  network n(o);
  REQUIRE(!n.link.connect(0));
  CHECK(n.link.on_its_way() == 2);  // the request for the twin
  CHECK(n.link.repeated() == 1);
  REQUIRE(n.link.run(ms(10'000)));
  CHECK(n.sessions[0].in_step());
}

TEST_CASE("messages that are late are overtaken", "[simulated_link]") {
  link_options o = perfect();
  o.one_late_in = 3;
  network n(o);
  REQUIRE(!n.link.connect(0));
  REQUIRE(n.link.run(ms(60'000)));
  std::vector<std::string> sent;
  n.heard.clear();
  for (int i = 0; i < 30; ++i) n.desire("{\"n\":" + std::to_string(i) + "}");
  for (const std::string& h : n.heard) {
    if (h.find("desired/?$version") != h.npos) sent.push_back(h);
  }
  CHECK(sent.size() == 30);
  REQUIRE(n.link.run(ms(60'000)));
  CHECK(n.sessions[0].text(part::desired) == R"({"n":29})");
  // Who is overtaken makes the session ask for the twin.
  const auto asked = std::count_if(n.heard.begin(), n.heard.end(), [](const std::string& h) {
    return h.find("0 $iothub/twin/GET/") == 0;
  });
  CHECK(asked > 0);
}

TEST_CASE("the same seed does the same again, and another seed does not", "[simulated_link]") {
  const auto story = [](std::uint64_t seed) {
    link_options o;
    o.seed = seed;
    network n(o);
    REQUIRE(!n.link.connect(0));
    for (int i = 0; i < 20; ++i) {
      n.report(0, "{\"n\":" + std::to_string(i) + "}");
      n.desire("{\"n\":" + std::to_string(i) + "}");
      REQUIRE(n.link.run(ms(500)));
    }
    return n.heard;
  };
  CHECK(story(1) == story(1));
  CHECK(story(1) != story(2));
}

TEST_CASE("with a connection goes what is on its way to the device", "[simulated_link]") {
  network n;
  REQUIRE(!n.link.connect(0));
  REQUIRE(n.link.run(ms(1000)));
  n.desire(R"({"a":1})");
  CHECK(n.link.on_its_way() == 1);
  n.link.cut(0);
  CHECK(n.link.on_its_way() == 0);
  CHECK(!n.link.is_connected(0));
  CHECK(!n.hub.is_connected({"pump"}));
  REQUIRE(n.link.run(ms(1000)));
  CHECK(n.sessions[0].text(part::desired) == "{}");
  REQUIRE(!n.link.disconnect(0));  // now the session knows
  REQUIRE(!n.link.connect(0));
  REQUIRE(n.link.run(ms(1000)));
  CHECK(n.sessions[0].text(part::desired) == R"({"a":1})");
}

TEST_CASE("messages can be taken off the link", "[simulated_link]") {
  network n;
  REQUIRE(!n.link.connect(0));
  REQUIRE(!n.link.connect(1));
  const std::size_t both = n.link.on_its_way();
  n.link.drop_messages(0);
  CHECK(n.link.on_its_way() == both / 2);
  REQUIRE(n.link.run(ms(1000)));
  CHECK(n.sessions[1].in_step());
  CHECK(!n.sessions[0].in_step());
}

TEST_CASE("a device and a hub that start again go on over the same link", "[simulated_link]") {
  network n;
  REQUIRE(!n.link.connect(0));
  REQUIRE(n.link.run(ms(1000)));
  device_session again;
  n.link.replace_device(0, again);
  CHECK(!n.link.is_connected(0));
  hub_type second(n.store);
  n.link.replace_hub(second);
  REQUIRE(!n.link.connect(0));
  CHECK(second.is_connected({"pump"}));
  CHECK(!n.hub.is_connected({"pump"}));
  REQUIRE(n.link.run(ms(1000)));
  CHECK(again.in_step());
}

TEST_CASE("a listener hears of errors of both ends", "[simulated_link]") {
  network n;
  REQUIRE(!n.store.remove({"pump"}));
  REQUIRE(!n.link.connect(0));
  REQUIRE(n.link.run(ms(1000)));
  CHECK(n.hub_error.find("$iothub/twin/GET/") == 0);
  CHECK(n.device_error.empty());  // it has got an answer
  n.link.replace_hub(n.hub);
  // A session in too small a buffer has no room for its twin.
  char room[600];
  device_session small(room, sizeof room, {});
  n.link.replace_device(1, small);
  n.hub_error.clear();
  static_cast<void>(n.link.connect(1));
  REQUIRE(n.hub
              .service_patch({"pump", "valve"},
                             R"({"properties":{"desired":{"x":")" + std::string(600, 'x') + "\"}}}",
                             n.link.time())
              .status == 200);
  REQUIRE(n.link.run(ms(1000)));
  CHECK(n.hub_error.empty());
  CHECK(n.device_error.find("$iothub/twin/res/200/") == 0);
}

namespace {

/// Says something on every answer, without end.
struct chatty : link_listener {
  device_session session;
  devicetwin::testing::simulated_link<hub_type, chatty>* link = nullptr;
  int said = 0;
  void after_device(std::size_t) {}
  void after_hub() {
    const std::string patch = "{\"said\":" + std::to_string(++said) + "}";
    REQUIRE(!session.report(patch, link->now()));
    link->take_device_actions(0);
  }
};

}  // namespace

TEST_CASE("a conversation without end in no time ends the run", "[simulated_link]") {
  link_options o = perfect();
  o.longest_delay = ms(0);
  chatty talker;
  devicetwin::memory_store store;
  hub_type hub(store);
  devicetwin::testing::simulated_link<hub_type, chatty> link(hub, talker, o);
  talker.link = &link;
  REQUIRE(hub.service_create({"pump"}, link.time()).status == 200);
  link.add({"pump"}, talker.session);
  REQUIRE(!link.connect(0));
  CHECK(!link.run(ms(1000)));
  CHECK(talker.said > 1000);
}
