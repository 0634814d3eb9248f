// The example hub without a broker: what is published and answered, and that nothing is before it is durable.
#include "../../examples/mosquitto_hub/twin_service.hpp"

#include <cstdio>
#include <string>
#include <vector>

#include "../support/text.hpp"
#include "../support/twin.hpp"
#include "temporary_file.hpp"

namespace {

const std::string key = "bm90IGEgcmVhbCBrZXk=";

/// A hub with the devices a and b, the module a/m, and the policy p.
struct running_hub {
  temporary_file database, keys;
  hub::twin_service service;
  std::vector<hub::publication> published;
  std::vector<std::string> disconnected;

  running_hub() {
    write_keys("device a " + key + "\ndevice b " + key + "\ndevice a/m " + key + "\npolicy p " + key + "\n");
    const std::string problem = service.open({{"localhost"}, keys.path, database.path});
    INFO(problem);
    REQUIRE(problem.empty());
  }
  void write_keys(const std::string& text) const {
    std::FILE* out = std::fopen(keys.path.c_str(), "wb");
    REQUIRE(out != nullptr);
    std::fputs(text.c_str(), out);
    std::fclose(out);
  }
  bool finish() { return service.finish_turn(published, disconnected); }
  /// What was published to whom, in one line each.
  std::string said() const {
    std::string all;
    for (const auto& p : published) all += p.client_id + " " + p.topic + " " + p.payload + "\n";
    return all;
  }
  hub::http_call call(const char* method, const std::string& target, const std::string& body = {}, const std::string& if_match = {}) {
    hub::http_call c;
    c.method = method;
    c.target = target;
    c.body = body;
    c.if_match = if_match;
    c.authorization = azure::make_sas_token("localhost", key, noon() / devicetwin::ticks_per_second + 60, "p");
    service.answer(c, noon());
    return c;
  }
};

constexpr const char* reported = "$iothub/twin/PATCH/properties/reported/?$rid=1";
constexpr const char* desired_filter = "$iothub/twin/PATCH/properties/desired/#";

}  // namespace

TEST_CASE("the example hub answers a device when the turn has ended", "[twin_service]") {
  running_hub hub;
  hub.service.connected("a", 1, false, noon());
  hub.service.message("a", reported, R"({"x":1})", noon());
  hub.service.message("a", "$iothub/twin/GET/?$rid=2", "", noon());
  CHECK(hub.published.empty());
  REQUIRE(hub.finish());
  CHECK(hub.said() ==
        "a $iothub/twin/res/204/?$rid=1&$version=2 \n"
        "a $iothub/twin/res/200/?$rid=2 {\"desired\":{\"$version\":1},\"reported\":{\"x\":1,\"$version\":2}}\n");
  REQUIRE(hub.finish());
  CHECK(hub.said().empty());
}

TEST_CASE("the example hub notifies who is subscribed, and keeps the subscriptions of sessions", "[twin_service]") {
  running_hub hub;
  const auto notified = [&] {
    REQUIRE(hub.call("PATCH", "/twins/a", R"({"properties":{"desired":{"x":1}}})").status == 200);
    REQUIRE(hub.finish());
    return hub.published.size();
  };
  hub.service.connected("a", 1, true, noon());
  CHECK(notified() == 0);
  hub.service.subscribed("a", desired_filter, true);
  CHECK(notified() == 1);
  CHECK(hub.published[0].topic == "$iothub/twin/PATCH/properties/desired/?$version=3");
  hub.service.connected("a", 2, true, noon());  // takes over
  hub.service.disconnected("a", 1);
  CHECK(notified() == 1);
  hub.service.disconnected("a", 2);
  CHECK(notified() == 0);

  hub::twin_service again;  // the process was killed
  REQUIRE(again.open({{"localhost"}, hub.keys.path, hub.database.path}).empty());
  again.connected("a", 1, true, noon());
  hub::http_call patch;
  patch.method = "PATCH";
  patch.target = "/twins/a";
  patch.body = R"({"properties":{"desired":{"x":2}}})";
  patch.authorization = azure::make_sas_token("localhost", key, noon() / devicetwin::ticks_per_second + 60, "p");
  again.answer(patch, noon());
  REQUIRE(again.finish_turn(hub.published, hub.disconnected));
  CHECK(hub.published.size() == 1);
  again.unsubscribed("a", desired_filter);
  again.connected("a", 2, false, noon());  // a clean session
  again.answer(patch, noon());
  REQUIRE(again.finish_turn(hub.published, hub.disconnected));
  CHECK(hub.published.empty());
}

TEST_CASE("the example hub says nothing of what its database did not take", "[twin_service]") {
  running_hub hub;
  hub.service.connected("a", 1, false, noon());
  hub.service.connected("b", 2, false, noon());
  REQUIRE(hub.finish());
  hub::sqlite_table somebody;
  REQUIRE(somebody.open(hub.database.path).empty());

  hub.service.message("a", reported, R"({"x":1})", noon());
  REQUIRE(hub.service.table().run("ROLLBACK"));  // as SQLite does by itself on a full disk
  hub.service.message("b", reported, R"({"x":1})", noon());
  CHECK(hub.call("PATCH", "/twins/a", R"({"tags":{"t":1}})").status == 500);
  CHECK(!hub.finish());
  CHECK(hub.published.empty());

  hub.service.message("a", "$iothub/twin/GET/?$rid=3", "", noon());
  REQUIRE(hub.finish());
  CHECK(hub.said() == "a $iothub/twin/res/200/?$rid=3 {\"desired\":{\"$version\":1},\"reported\":{\"$version\":1}}\n");
  hub.service.message("a", reported, R"({"x":2})", noon());
  REQUIRE(hub.finish());
  CHECK(hub.said() == "a $iothub/twin/res/204/?$rid=1&$version=2 \n");
}

TEST_CASE("a module's twin is made with its device's", "[twin_service]") {
  running_hub hub;
  hub.service.connected("a/m", 1, false, noon());
  hub.service.message("a/m", reported, R"({"x":1})", noon());
  REQUIRE(hub.finish());
  CHECK(hub.said() == "a/m $iothub/twin/res/204/?$rid=1&$version=2 \n");
  CHECK(hub.call("GET", "/twins/a/modules/m").status == 200);
  const auto device = hub.call("GET", "/twins/a?api-version=1");
  CHECK(device.status == 200);
  CHECK(device.etag == "AAAAAAAAAAE=");
}

TEST_CASE("the service side of the example hub has the statuses of the service", "[twin_service]") {
  running_hub hub;
  CHECK(hub.call("GET", "/twins/b").status == 200);  // a twin is made when somebody asks for it
  CHECK(hub.call("GET", "/twins/nobody").status == 404);
  CHECK(hub.call("PATCH", "/twins/nobody", "{}").status == 404);
  const auto first = hub.call("PATCH", "/twins/a", R"({"tags":{"site":"north"}})");
  CHECK(first.status == 200);
  CHECK(first.etag == "AAAAAAAAAAI=");
  CHECK_THAT(first.reply, matchers::ContainsSubstring(R"("tags":{"site":"north"})"));
  CHECK(hub.call("PATCH", "/twins/a", R"({"tags":{"site":"south"}})", "\"AAAAAAAAAAE=\"").status == 412);
  CHECK(hub.call("PUT", "/twins/a", R"({"tags":{"site":"south"}})", "\"AAAAAAAAAAI=\"").status == 200);
  CHECK(hub.call("PUT", "/twins/a", R"({"tags":{"site":"south"}})", "\"*\"").status == 200);
  CHECK(hub.call("PATCH", "/twins/a", "{").status == 400);
  CHECK(hub.call("POST", "/twins/a", "{}").status == 405);
  for (const char* target : {"", "/", "//", "/twins", "/twins/a/", "/twins/a/modules", "/twins/a/modules/m/x", "/jobs/a", "/twins/a/x/m"}) {
    INFO(target);
    CHECK(hub.call("GET", target).status == 404);
  }
  for (const char* target : {"/twins/", "/twins/%", "/twins/a%2Fb", "/twins/%00", "/twins/a/modules/", "/twins/a b"}) {
    INFO(target);
    CHECK(hub.call("GET", target).status == 400);
  }
  hub::http_call stranger;
  stranger.method = "GET";
  stranger.target = "/twins/a";
  hub.service.answer(stranger, noon());
  CHECK(stranger.status == 401);
  CHECK_THAT(stranger.reply, matchers::ContainsSubstring("\"errorCode\":401002"));
}

TEST_CASE("identities are made, shown, changed and deleted", "[twin_service]") {
  running_hub hub;
  const auto keys = [](const std::string& first, const std::string& second) {
    return R"({"authentication":{"symmetricKey":{"primaryKey":")" + first + R"(","secondaryKey":")" + second + "\"}}}";
  };
  const auto lets_in = [&](const std::string& with) {
    const std::string token = azure::make_sas_token("localhost/devices/new", with, noon() / devicetwin::ticks_per_second + 60);
    return hub.service.judge("new", "localhost/new/?api-version=1", token, noon()).refusal.empty();
  };
  CHECK(hub.call("GET", "/devices/new").status == 404);
  CHECK(!lets_in("YQ=="));
  CHECK(hub.call("PUT", "/devices/new", "{}").status == 400);
  CHECK(hub.call("PUT", "/devices/new", keys("not base64", "YQ==")).status == 400);
  CHECK(hub.call("PUT", "/devices/new", keys("YQ==", "Yg==")).status == 200);
  CHECK(lets_in("YQ=="));
  CHECK(lets_in("Yg=="));
  CHECK(hub.call("GET", "/twins/new").status == 200);
  CHECK_THAT(hub.call("GET", "/devices/new").reply, matchers::ContainsSubstring(R"("primaryKey":"YQ==","secondaryKey":"Yg==")"));
  CHECK(hub.call("PUT", "/devices/new", keys("Yw==", "Yw==")).status == 409);
  CHECK(hub.call("PUT", "/devices/new", keys("Yw==", "Yw=="), "*").status == 200);
  CHECK(!lets_in("YQ=="));
  CHECK(lets_in("Yw=="));
  REQUIRE(hub.finish());
  CHECK(hub.disconnected == std::vector<std::string>{"new", "new"});  // it comes again with its new key
  CHECK(hub.call("DELETE", "/devices/new").status == 204);
  CHECK(!lets_in("Yw=="));
  CHECK(hub.call("GET", "/twins/new").status == 404);
  for (const char* method : {"PUT", "DELETE"}) CHECK(hub.call(method, "/devices/a", keys("YQ==", "YQ=="), "*").status == 409);  // of the key file
  CHECK(hub.call("GET", "/devices/a").status == 200);
  CHECK(hub.call("PATCH", "/devices/a").status == 405);
}

TEST_CASE("keys are read again, or stay", "[twin_service]") {
  running_hub hub;
  const auto lets_in = [&](const std::string& with) {
    const std::string token = azure::make_sas_token("localhost/devices/a", with, noon() / devicetwin::ticks_per_second + 60);
    return hub.service.judge("a", "localhost/a/?api-version=1", token, noon()).refusal.empty();
  };
  CHECK(lets_in(key));
  hub.write_keys("device a YQ==\n");
  CHECK(hub.service.load_keys().empty());
  CHECK(!lets_in(key));
  CHECK(lets_in("YQ=="));
  hub.write_keys("device a\n");
  CHECK_THAT(hub.service.load_keys(), matchers::ContainsSubstring("line 1"));
  CHECK(lets_in("YQ=="));
}
