// What a hub_session asks its caller to do.
#include <devicetwin/hub/action.hpp>
#include <devicetwin/hub/hub_session.hpp>
#include <devicetwin/twin/store.hpp>

#include <string>
#include <vector>

#include "../catch.hpp"

using devicetwin::hub_action;
using devicetwin::timestamp;

TEST_CASE("an action that says nothing is a reply to nobody", "[hub_action]") {
  const hub_action action;
  CHECK(action.kind == hub_action::reply);
  CHECK(action.to.device.empty());
  CHECK(action.topic.empty());
  CHECK(action.payload.empty());
  CHECK(action.status == 0);
  CHECK(action.operation.empty());
}

TEST_CASE("each kind of action has what its caller needs", "[hub_action]") {
  devicetwin::memory_store store;
  devicetwin::hub_session<devicetwin::memory_store> hub(store);
  std::vector<std::string> seen;
  const auto look = [&] {
    seen.clear();
    for (const hub_action& a : hub.actions()) {
      seen.push_back(std::to_string(a.kind) + " " + std::string(a.to.device) + " " +
                     std::string(a.topic) + " " + std::to_string(a.status) + " " +
                     std::string(a.operation));
      CHECK(a.payload.empty() == (a.kind == hub_action::reply && a.status == 204));
    }
  };
  const std::string reply = std::to_string(hub_action::reply) + " pump-7 ";
  const std::string notify = std::to_string(hub_action::notify) + " pump-7 ";
  const std::string event = std::to_string(hub_action::event) + " pump-7 ";

  REQUIRE(hub.service_create({"pump-7"}, timestamp{1}).status == 200);
  look();
  CHECK(seen == std::vector<std::string>{event + " 0 createDeviceIdentity"});

  REQUIRE_FALSE(hub.connected({"pump-7"}));
  hub.subscribed({"pump-7"}, "$iothub/twin/PATCH/properties/desired/#");
  REQUIRE(hub.service_patch({"pump-7"}, R"({"properties":{"desired":{"rpm":900}}})", timestamp{2})
              .status == 200);
  look();
  CHECK(seen ==
        std::vector<std::string>{notify + "$iothub/twin/PATCH/properties/desired/?$version=2 0 ",
                                 event + " 0 updateTwin"});

  REQUIRE_FALSE(hub.message({"pump-7"}, "$iothub/twin/PATCH/properties/reported/?$rid=5",
                            R"({"rpm":880})", timestamp{3}));
  look();
  CHECK(seen == std::vector<std::string>{reply + "$iothub/twin/res/204/?$rid=5&$version=2 204 ",
                                         event + " 0 updateTwin"});

  REQUIRE_FALSE(hub.message({"pump-7"}, "$iothub/twin/GET/?$rid=6", "", timestamp{4}));
  look();
  CHECK(seen == std::vector<std::string>{reply + "$iothub/twin/res/200/?$rid=6 200 "});

  REQUIRE(hub.service_remove({"pump-7"}, timestamp{5}).status == 204);
  look();
  CHECK(seen == std::vector<std::string>{event + " 0 deleteDeviceIdentity"});
}
