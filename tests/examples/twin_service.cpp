// The example hub without a broker: what is published and answered, and that nothing is before it
// is durable.
#include "../../examples/mosquitto_hub/twin_service.hpp"

#include <devicetwin/json/get.hpp>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "../support/files.hpp"
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
    write_keys("device a " + key + "\ndevice b " + key + "\ndevice a/m " + key + "\npolicy p " +
               key + "\n");
    const std::string problem = service.open({{"localhost"}, keys.path, database.path});
    INFO(problem);
    REQUIRE(problem.empty());
  }
  void write_keys(const std::string& text) const { write_file(keys.path, text); }
  bool finish() { return service.finish_turn(published, disconnected); }
  /// What was published to whom, in one line each.
  std::string said() const {
    std::string all;
    for (const auto& p : published) all += p.client_id + " " + p.topic + " " + p.payload + "\n";
    return all;
  }
  hub::http_call call(const char* method, const std::string& target, const std::string& body = {},
                      const std::string& if_match = {}) {
    hub::http_call c;
    c.method = method;
    c.target = target;
    c.body = body;
    c.if_match = if_match;
    c.authorization = azure::make_sas_token("localhost", key,
                                            noon().ticks / devicetwin::ticks_per_second + 60, "p");
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
        "a $iothub/twin/res/200/?$rid=2 "
        "{\"desired\":{\"$version\":1},\"reported\":{\"x\":1,\"$version\":2}}\n");
  REQUIRE(hub.finish());
  CHECK(hub.said().empty());
}

TEST_CASE("the example hub notifies who is subscribed, and keeps the subscriptions of sessions",
          "[twin_service]") {
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
  patch.authorization = azure::make_sas_token(
      "localhost", key, noon().ticks / devicetwin::ticks_per_second + 60, "p");
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
  CHECK(hub.said() ==
        "a $iothub/twin/res/200/?$rid=3 "
        "{\"desired\":{\"$version\":1},\"reported\":{\"$version\":1}}\n");
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
  CHECK(hub.call("GET", "/twins/nobody").error_code == "DeviceNotFound");
  CHECK(hub.call("GET", "/twins/nobody/modules/m").error_code == "DeviceNotFound");
  CHECK(hub.call("GET", "/twins/a/modules/nobody").error_code == "ModuleNotFound");
  CHECK(hub.call("PATCH", "/twins/nobody", "{}").status == 404);
  const auto first = hub.call("PATCH", "/twins/a", R"({"tags":{"site":"north"}})");
  CHECK(first.status == 200);
  CHECK(first.etag == "AAAAAAAAAAI=");
  CHECK_THAT(first.reply, matchers::ContainsSubstring(R"("tags":{"site":"north"})"));
  CHECK(hub.call("PATCH", "/twins/a", R"({"tags":{"site":"south"}})", "\"AAAAAAAAAAE=\"").status ==
        412);
  CHECK(hub.call("PUT", "/twins/a", R"({"tags":{"site":"south"}})", "\"AAAAAAAAAAI=\"").status ==
        200);
  CHECK(hub.call("PUT", "/twins/a", R"({"tags":{"site":"south"}})", "\"*\"").status == 200);
  CHECK(hub.call("PATCH", "/twins/a", "{").status == 400);
  CHECK(hub.call("POST", "/twins/a", "{}").status == 405);
  CHECK(hub.call("POST", "/twins/a", "{}").allow == "GET, PATCH, PUT");
  CHECK(hub.call("PATCH", "/twins/a", R"({"deviceId":"b","tags":{"x":1}})").status == 400);
  CHECK(hub.call("PUT", "/twins/a", R"({"deviceId":"a","moduleId":"m","tags":{"x":1}})").status ==
        400);
  CHECK(hub.call("PATCH", "/twins/a/modules/m", R"({"moduleId":"other","tags":{"x":1}})").status ==
        400);
  CHECK(hub.call("PATCH", "/twins/a/modules/m", R"({"deviceId":"a","moduleId":"m","tags":{"x":1}})")
            .status == 200);
  for (const char* target : {"", "/", "//", "/twins", "/twins/a/", "/twins/a/modules",
                             "/twins/a/modules/m/x", "/nothing/a", "/twins/a/x/m"}) {
    INFO(target);
    const auto call = hub.call("GET", target);
    CHECK(call.status == 404);
    CHECK(call.error_code == "GenericNotFound");
  }
  for (const char* target :
       {"/twins/", "/twins/%", "/twins/a%2Fb", "/twins/%00", "/twins/a/modules/", "/twins/a b"}) {
    INFO(target);
    CHECK(hub.call("GET", target).status == 400);
  }
  hub::http_call stranger;
  stranger.method = "GET";
  stranger.target = "/twins/a";
  hub.service.answer(stranger, noon());
  CHECK(stranger.status == 401);
  CHECK(stranger.error_code == "IotHubUnauthorizedAccess");
  stranger.method = "POST";
  stranger.target = "/devices/query";
  hub.service.answer(stranger, noon());
  CHECK(stranger.status == 401);  // a stranger is not told what there is
}

TEST_CASE("what the hub does not have is said, and is not taken for a device", "[twin_service]") {
  running_hub hub;
  const struct {
    const char *method, *target, *says;
  } cases[] = {{"POST", "/devices/query?api-version=2021-04-12", "no queries"},
               {"POST", "/devices", "no bulk operations"},
               {"POST", "/devices/?api-version=2021-04-12", "no bulk operations"},
               {"GET", "/devices?top=10", "cannot list devices"},
               {"GET", "/devices/", "cannot list devices"},
               {"GET", "/devices/a/modules", "cannot list modules"},
               {"GET", "/devices/a/modules/", "cannot list modules"},
               {"POST", "/devices/a/applyConfigurationContent", "no configurations"},
               {"DELETE", "/devices/a/commands", "no messages to devices"},
               {"POST", "/twins/a/methods", "no direct methods"},
               {"POST", "/twins/a/modules/m/methods", "no direct methods"},
               {"PUT", "/jobs/v2/job1", "no jobs"},
               {"GET", "/jobs", "no jobs"},
               {"GET", "/jobs/v2/query?jobType=x", "no jobs"},
               {"GET", "/configurations?top=5", "no configurations"},
               {"PUT", "/configurations/c", "no configurations"},
               {"GET", "/statistics/devices", "no statistics"},
               {"GET", "/statistics/service", "no statistics"},
               {"GET", "/digitaltwins/a", "no digital twins"},
               {"PATCH", "/digitaltwins/a", "no digital twins"},
               {"POST", "/digitaltwins/a/components/c/commands/reboot", "no digital twins"},
               {"GET", "/messages/serviceBound/feedback", "no messages to devices"}};
  for (const auto& c : cases) {
    INFO(c.method << " " << c.target);
    const auto call = hub.call(c.method, c.target, "{}");
    CHECK(call.status == 501);
    CHECK(call.error_code == "NotImplemented");
    CHECK_THAT(call.reply, matchers::ContainsSubstring(c.says));
  }
  CHECK(hub.call("GET", "/devices/query").error_code == "DeviceNotFound");  // an id like any other
  CHECK(hub.call("PUT", "/devices/query").status == 400);
}

namespace {

/// The body of a PUT with these keys, and more members where given.
std::string with_keys(const std::string& first, const std::string& second,
                      const std::string& more = {}) {
  return R"({"authentication":{"type":"sas","symmetricKey":{"primaryKey":")" + first +
         R"(","secondaryKey":")" + second + "\"}}" + more + "}";
}
const std::string key_1 = azure::to_base64("the first of keys"),
                  key_2 = azure::to_base64("the second of keys"),
                  key_3 = azure::to_base64("the third of keys");

std::string member(const std::string& body, const char* pointer) {
  devicetwin::json::document document;
  INFO(body);
  REQUIRE(!devicetwin::json::read(body, document));
  const auto text = json::get<std::string_view>(document, pointer);
  return text ? std::string(*text) : "none";
}
const char* const primary = "/authentication/symmetricKey/primaryKey";
const char* const secondary = "/authentication/symmetricKey/secondaryKey";

bool lets_in(running_hub& hub, const std::string& client_id, const std::string& with) {
  const hub::identity who = hub::identity_of(client_id);
  const std::string resource = "localhost/devices/" + std::string(who.device) +
                               (who.module.empty() ? "" : "/modules/" + std::string(who.module));
  const std::string token =
      azure::make_sas_token(resource, with, noon().ticks / devicetwin::ticks_per_second + 60);
  return hub.service.judge(client_id, "localhost/" + client_id + "/?api-version=1", token, noon())
      .refusal.empty();
}
using ids = std::vector<std::string>;

}  // namespace

TEST_CASE("identities are made, shown, changed and deleted", "[twin_service]") {
  running_hub hub;
  CHECK(hub.call("GET", "/devices/new").status == 404);
  CHECK(!lets_in(hub, "new", key_1));
  const auto made = hub.call("PUT", "/devices/new", with_keys(key_1, key_2));
  CHECK(made.status == 200);
  CHECK(lets_in(hub, "new", key_1));
  CHECK(lets_in(hub, "new", key_2));
  CHECK(hub.call("GET", "/twins/new").status == 200);
  const auto shown = hub.call("GET", "/devices/new");
  CHECK(shown.reply == made.reply);
  CHECK(member(shown.reply, "/deviceId") == "new");
  CHECK(member(shown.reply, "/status") == "enabled");
  CHECK(member(shown.reply, primary) == key_1);
  CHECK(member(shown.reply, secondary) == key_2);
  CHECK(member(shown.reply, "/etag") == shown.etag);
  const auto again = hub.call("PUT", "/devices/new", with_keys(key_3, key_3));
  CHECK(again.status == 409);
  CHECK(again.error_code == "DeviceAlreadyExists");
  hub.service.connected("new", 1, false, noon());
  CHECK(hub.call("PUT", "/devices/new", with_keys(key_3, key_3), "*").status == 200);
  CHECK(!lets_in(hub, "new", key_1));
  CHECK(lets_in(hub, "new", key_3));
  REQUIRE(hub.finish());
  CHECK(hub.disconnected == ids{"new"});  // it comes again with its new key
  CHECK(hub.call("DELETE", "/devices/new").status == 204);
  CHECK(!lets_in(hub, "new", key_3));
  CHECK(hub.call("GET", "/twins/new").status == 404);
  CHECK(hub.call("DELETE", "/devices/new").error_code == "DeviceNotFound");
  CHECK(hub.call("PATCH", "/devices/a").status == 405);
  CHECK(hub.call("PATCH", "/devices/a").allow == "GET, PUT, DELETE");
}

TEST_CASE("identities of the key file are shown, and cannot be changed over HTTP",
          "[twin_service]") {
  running_hub hub;
  const auto shown = hub.call("GET", "/devices/a");
  CHECK(shown.status == 200);
  CHECK(member(shown.reply, primary) == key);
  CHECK(hub.call("PUT", "/devices/a", "{}").status == 409);
  for (const char* method : {"PUT", "DELETE"}) {
    const auto call = hub.call(method, "/devices/a", with_keys(key_1, key_1), "*");
    CHECK(call.status == 400);
    CHECK(call.error_code == "InvalidOperation");
    CHECK_THAT(call.reply, matchers::ContainsSubstring("key file"));
  }
  CHECK(lets_in(hub, "a", key));
  hub.write_keys("device a " + key_1 + "\npolicy p " + key + "\n");
  REQUIRE(hub.service.load_keys().empty());
  CHECK(hub.call("GET", "/devices/a").etag != shown.etag);
  CHECK(hub.call("PUT", "/devices/a/modules/made", "{}").status == 200);
  CHECK(hub.call("DELETE", "/devices/a/modules/made").status == 204);
}

TEST_CASE("keys that are missing or empty are generated, or stay", "[twin_service]") {
  running_hub hub;
  std::vector<std::string> seen;
  int n = 0;
  for (
      const char* body :
      {"{}", R"({"deviceId":null,"authentication":null,"status":null})", R"({"authentication":{}})",
       R"({"authentication":{"symmetricKey":null}})",
       R"({"authentication":{"type":"sas","symmetricKey":{"primaryKey":"","secondaryKey":""}}})",
       R"({"authentication":{"type":"sas","symmetricKey":{"primaryKey":null,"secondaryKey":null},"x509Thumbprint":{"primaryThumbprint":null}}})",
       R"({"capabilities":{"iotEdge":false},"deviceScope":"","parentScopes":[]})"}) {
    INFO(body);
    const std::string path = "/devices/new-" + std::to_string(++n);
    const auto made = hub.call("PUT", path, body);
    REQUIRE(made.status == 200);
    for (const char* which : {primary, secondary}) {
      const std::string generated = member(made.reply, which);
      std::string secret;
      REQUIRE(azure::from_base64(generated, secret));
      CHECK(secret.size() == 32);
      for (const std::string& other : seen) CHECK(other != generated);
      seen.push_back(generated);
    }
    CHECK(hub.call("GET", path).reply == made.reply);
  }
  const auto one = hub.call("PUT", "/devices/one", with_keys(key_1, ""));
  CHECK(member(one.reply, primary) == key_1);
  const std::string generated = member(one.reply, secondary);
  CHECK(generated != key_1);
  CHECK(lets_in(hub, "one", generated));
  hub.service.connected("one", 1, false, noon());
  const auto status_only =
      hub.call("PUT", "/devices/one", R"({"deviceId":"one","status":"enabled"})", "\"*\"");
  CHECK(status_only.status == 200);
  CHECK(member(status_only.reply, primary) == key_1);
  CHECK(member(status_only.reply, secondary) == generated);
  REQUIRE(hub.finish());
  CHECK(hub.disconnected.empty());  // nothing has changed for it
  const auto other = hub.call("PUT", "/devices/one", with_keys("", key_2), "*");
  CHECK(member(other.reply, primary) == key_1);
  CHECK(member(other.reply, secondary) == key_2);
  CHECK(!lets_in(hub, "one", generated));
}

TEST_CASE("a body that is wrong changes no identity", "[twin_service]") {
  running_hub hub;
  REQUIRE(hub.call("PUT", "/devices/there", with_keys(key_1, key_2)).status == 200);
  REQUIRE(hub.call("PUT", "/devices/there/modules/m", with_keys(key_1, key_2)).status == 200);
  const std::string before = hub.call("GET", "/devices/there").reply,
                    module_before = hub.call("GET", "/devices/there/modules/m").reply;
  const std::string long_key = azure::to_base64(std::string(65, 'k')),
                    short_key = azure::to_base64(std::string(15, 'k'));
  const std::vector<std::string> bodies = {
      "",
      "{",
      "[]",
      "null",
      "\"x\"",
      "{\"a\":1,\"a\":2}",
      R"({"deviceId":"other"})",
      R"({"deviceId":""})",
      R"({"deviceId":7})",
      R"({"moduleId":"other"})",
      R"({"status":"Disabled"})",
      R"({"status":""})",
      R"({"status":true})",
      R"({"statusReason":7})",
      R"({"statusReason":")" + std::string(129, 'r') + "\"}",
      R"({"authentication":[]})",
      R"({"authentication":{"type":"selfSigned"}})",
      R"({"authentication":{"type":"certificateAuthority"}})",
      R"({"authentication":{"type":"none"}})",
      R"({"authentication":{"type":1}})",
      R"({"authentication":{"symmetricKey":"x"}})",
      R"({"authentication":{"x509Thumbprint":{"primaryThumbprint":"AB"}}})",
      R"({"authentication":{"x509Thumbprint":"AB"}})",
      R"({"capabilities":{"iotEdge":true}})",
      R"({"capabilities":true})",
      R"({"deviceScope":"ms-azure-iot-edge://x"})",
      R"({"parentScopes":["x"]})",
      with_keys("not base64", key_1),
      with_keys(key_1, "not base64"),
      with_keys("YQ==", key_1),
      with_keys(short_key, key_1),
      with_keys(key_1, long_key),
      R"({"authentication":{"symmetricKey":{"primaryKey":7}}})"};
  for (const std::string& body : bodies) {
    INFO(body);
    for (const char* path : {"/devices/there", "/devices/there/modules/m"})
      CHECK(hub.call("PUT", path, body, "*").status == 400);
    CHECK(hub.call("PUT", "/devices/new", body).status == 400);
    CHECK(hub.call("GET", "/devices/new").status == 404);
    CHECK(hub.call("GET", "/twins/new").status == 404);
  }
  CHECK(hub.call("PUT", "/devices/there/modules/m", R"({"deviceId":"other","moduleId":"m"})", "*")
            .status == 400);
  CHECK(hub.call("GET", "/devices/there").reply == before);
  CHECK(hub.call("GET", "/devices/there/modules/m").reply == module_before);
  for (const std::string& good :
       {azure::to_base64(std::string(16, 'k')), azure::to_base64(std::string(64, 'k'))}) {
    CHECK(hub.call("PUT", "/devices/there",
                   with_keys(
                       good, good,
                       R"(,"deviceId":"there","statusReason":")" + std::string(128, 'r') + "\""),
                   "*")
              .status == 200);
  }
}

TEST_CASE("a disabled device is out at once, with its modules, until it is enabled",
          "[twin_service]") {
  running_hub hub;
  REQUIRE(hub.call("PUT", "/devices/d", with_keys(key_1, key_2)).status == 200);
  REQUIRE(hub.call("PUT", "/devices/d/modules/m", with_keys(key_1, key_2)).status == 200);
  REQUIRE(hub.call("PUT", "/devices/d0", with_keys(key_1, key_2)).status == 200);
  std::uint64_t connection = 0;
  for (const char* id : {"d", "d/m", "d0"}) hub.service.connected(id, ++connection, false, noon());
  const auto disabled = hub.call(
      "PUT", "/devices/d", R"({"deviceId":"d","status":"disabled","statusReason":"stolen"})", "*");
  CHECK(member(disabled.reply, "/status") == "disabled");
  REQUIRE(hub.finish());
  CHECK(hub.disconnected == ids{"d", "d/m"});
  for (const char* id : {"d", "d/m"}) CHECK(!lets_in(hub, id, key_1));
  CHECK(lets_in(hub, "d0", key_1));
  const auto shown = hub.call("GET", "/devices/d");
  CHECK(member(shown.reply, "/status") == "disabled");
  CHECK(member(shown.reply, "/statusReason") == "stolen");
  CHECK(member(shown.reply, "/statusUpdatedTime") == "2026-01-31T12:00:00Z");
  CHECK(member(shown.reply, primary) == key_1);
  const auto twin = hub.call("GET", "/twins/d");
  CHECK(member(twin.reply, "/status") == "disabled");
  CHECK(member(twin.reply, "/statusReason") == "stolen");
  CHECK(member(twin.reply, "/deviceEtag") == shown.etag);
  // Keys can be changed meanwhile, and it stays disabled.
  CHECK(member(hub.call("PUT", "/devices/d", with_keys(key_3, key_3), "*").reply, "/status") ==
        "disabled");
  CHECK(!lets_in(hub, "d", key_3));
  CHECK(member(hub.call("PUT", "/devices/d", R"({"status":"enabled"})", "*").reply,
               "/statusReason") == "none");
  CHECK(lets_in(hub, "d", key_3));
  CHECK(lets_in(hub, "d/m", key_1));

  REQUIRE(hub.finish());
  CHECK(hub.call("PUT", "/devices/d/modules/m", R"({"status":"disabled"})", "*").status == 200);
  REQUIRE(hub.finish());
  CHECK(hub.disconnected == ids{"d/m"});
  CHECK(lets_in(hub, "d", key_3));
  CHECK(!lets_in(hub, "d/m", key_1));

  REQUIRE(
      hub.call("PUT", "/devices/born", with_keys(key_1, key_2, R"(,"status":"disabled")")).status ==
      200);
  CHECK(!lets_in(hub, "born", key_1));

  hub::twin_service again;  // the process was killed
  REQUIRE(again.open({{"localhost"}, hub.keys.path, hub.database.path}).empty());
  const std::string token = azure::make_sas_token("localhost/devices/born", key_1,
                                                  noon().ticks / devicetwin::ticks_per_second + 60);
  REQUIRE(hub.finish());
  CHECK(again.judge("born", "localhost/born/?api-version=1", token, noon()).refusal ==
        "the device is disabled");
}

TEST_CASE("an identity's etag changes with every write, and If-Match is held to it",
          "[twin_service]") {
  running_hub hub;
  std::vector<std::string> etags;
  const auto remember = [&](const hub::http_call& call) {
    REQUIRE(call.status == 200);
    for (const std::string& other : etags) CHECK(other != call.etag);
    etags.push_back(call.etag);
  };
  const std::string path = "/devices/e";
  for (const char* any : {"*", "\"*\"", "\"x\""})
    CHECK(hub.call("PUT", path, "{}", any).error_code == "DeviceNotFound");
  remember(hub.call("PUT", path, "{}"));
  remember(hub.call("PUT", path, "{}", "*"));
  remember(hub.call("PUT", path, "{}", "\"" + etags.back() + "\""));
  remember(hub.call("PUT", path, "{}", etags.back()));
  remember(hub.call("PUT", path, "{}", "W/\"" + etags.back() + "\""));
  const std::string before = hub.call("GET", path).reply;
  for (const std::string& stale :
       {std::string("\"stale\""), "\"" + etags.front() + "\"", etags.front()}) {
    CHECK(hub.call("PUT", path, "{}", stale).status == 412);
    CHECK(hub.call("PUT", path, "{}", stale).error_code == "PreconditionFailed");
    CHECK(hub.call("DELETE", path, "", stale).status == 412);
  }
  CHECK(hub.call("GET", path).reply == before);
  CHECK(hub.call("DELETE", path, "", "\"" + etags.back() + "\"").status == 204);
  const std::string generation = member(before, "/generationId");
  remember(hub.call("PUT", path, "{}"));
  CHECK(member(hub.call("GET", path).reply, "/generationId") != generation);
  CHECK(hub.call("DELETE", path, "", "*").status == 204);
  CHECK(hub.call("DELETE", path, "", "*").status == 404);
}

TEST_CASE("modules need their device, and go with it", "[twin_service]") {
  running_hub hub;
  CHECK(hub.call("PUT", "/devices/none/modules/m", "{}").error_code == "DeviceNotFound");
  CHECK(hub.call("GET", "/twins/none").status == 404);
  for (const char* method : {"GET", "DELETE"})
    CHECK(hub.call(method, "/devices/none/modules/m").error_code == "DeviceNotFound");
  REQUIRE(hub.call("PUT", "/devices/h", with_keys(key_1, key_1)).status == 200);
  for (const char* method : {"GET", "DELETE"})
    CHECK(hub.call(method, "/devices/h/modules/m").error_code == "ModuleNotFound");
  const auto made = hub.call("PUT", "/devices/h/modules/m", with_keys("", ""));
  REQUIRE(made.status == 200);
  CHECK(member(made.reply, "/moduleId") == "m");
  const std::string module_key = member(made.reply, primary);
  CHECK(module_key != key_1);  // not its device's
  CHECK(hub.call("PUT", "/devices/h/modules/m", "{}").error_code == "ModuleAlreadyExistsOnDevice");
  CHECK(lets_in(hub, "h/m", module_key));
  hub.service.connected("h", 1, true, noon());
  hub.service.connected("h/m", 2, true, noon());
  hub.service.subscribed("h/m", desired_filter, true);
  hub.service.message("h/m", reported, R"({"x":1})", noon());
  REQUIRE(hub.finish());

  CHECK(hub.call("DELETE", "/devices/h").status == 204);
  REQUIRE(hub.finish());
  CHECK(hub.disconnected == ids{"h", "h/m"});
  CHECK(!lets_in(hub, "h/m", module_key));
  for (const char* path : {"/devices/h", "/twins/h", "/devices/h/modules/m", "/twins/h/modules/m"})
    CHECK(hub.call("GET", path).error_code == "DeviceNotFound");
  CHECK(hub.call("DELETE", "/devices/h").status == 404);

  REQUIRE(hub.call("PUT", "/devices/h", with_keys(key_1, key_1)).status == 200);
  CHECK(!lets_in(hub, "h/m", module_key));
  CHECK(hub.call("GET", "/devices/h/modules/m").error_code == "ModuleNotFound");
  REQUIRE(hub.call("PUT", "/devices/h/modules/m", "{}").status == 200);
  CHECK_THAT(hub.call("GET", "/twins/h/modules/m").reply, !matchers::ContainsSubstring("\"x\":1"));
  CHECK(hub.call("DELETE", "/devices/h/modules/m").status == 204);
  CHECK(hub.call("GET", "/devices/h").status == 200);

  // A module of the key file whose device is not there.
  hub.write_keys("device b/m " + key + "\npolicy p " + key + "\n");
  REQUIRE(hub.service.load_keys().empty());
  CHECK(!lets_in(hub, "b/m", key));
  CHECK(hub.call("GET", "/twins/b/modules/m").error_code == "DeviceNotFound");
}

TEST_CASE("a failing DELETE or PUT loses nothing", "[twin_service]") {
  running_hub hub;
  REQUIRE(hub.call("PUT", "/devices/d", with_keys(key_1, key_2)).status == 200);
  REQUIRE(hub.call("PUT", "/devices/d/modules/m", with_keys(key_1, key_2)).status == 200);
  REQUIRE(hub.call("PATCH", "/twins/d", R"({"tags":{"t":1}})").status == 200);
  REQUIRE(hub.finish());
  REQUIRE(hub.service.table().run(
      "CREATE TRIGGER no_delete BEFORE DELETE ON twins BEGIN SELECT RAISE(ABORT, 'no'); END"));
  REQUIRE(hub.service.table().run(
      "CREATE TRIGGER no_insert BEFORE INSERT ON twins BEGIN SELECT RAISE(ABORT, 'no'); END"));
  const std::string device = hub.call("GET", "/devices/d").reply,
                    twin = hub.call("GET", "/twins/d").reply;
  for (const char* path : {"/devices/d", "/devices/d/modules/m"})
    CHECK(hub.call("DELETE", path).status == 500);
  CHECK(hub.call("PUT", "/devices/new", "{}").status == 500);
  CHECK(hub.service.take_problems().size() == 3);
  REQUIRE(hub.service.table().run("DROP TRIGGER no_delete; DROP TRIGGER no_insert"));
  REQUIRE(hub.finish());
  CHECK(hub.disconnected.empty());
  CHECK(hub.call("GET", "/devices/d").reply == device);
  CHECK(hub.call("GET", "/twins/d").reply == twin);
  for (const char* id : {"d", "d/m"}) CHECK(lets_in(hub, id, key_1));
  CHECK(hub.call("GET", "/devices/new").status == 404);
  CHECK(hub.call("DELETE", "/devices/d").status == 204);
}

TEST_CASE(
    "what is damaged is answered with 500 and one line in the log, and DELETE and PUT repair it",
    "[twin_service]") {
  const auto damage = [](const char* sql) {
    running_hub hub;
    INFO(sql);
    REQUIRE(hub.call("PUT", "/devices/d", with_keys(key_1, key_2)).status == 200);
    REQUIRE(hub.call("PUT", "/devices/d/modules/m", with_keys(key_1, key_2)).status == 200);
    REQUIRE(hub.call("PATCH", "/twins/d", R"({"tags":{"t":1}})").status == 200);
    REQUIRE(hub.finish());
    hub::twin_service again;
    hub::sqlite_table theirs;
    REQUIRE(theirs.open(hub.database.path).empty());
    REQUIRE(theirs.run(sql));
    REQUIRE(again.open({{"localhost"}, hub.keys.path, hub.database.path}).empty());
    const bool twin = std::string(sql).find("twins") != std::string::npos;
    hub::http_call get;
    get.method = "GET";
    get.target = twin ? "/twins/d" : "/devices/d";
    get.authorization = azure::make_sas_token(
        "localhost", key, noon().ticks / devicetwin::ticks_per_second + 60, "p");
    again.answer(get, noon());
    CHECK(get.status == 500);
    CHECK(get.error_code == "ServerError");
    const auto problems = again.take_problems();
    REQUIRE(problems.size() == 1);
    CHECK_THAT(problems[0], matchers::ContainsSubstring("what is stored of d cannot be read"));
    CHECK(again.take_problems().empty());
    if (twin) {
      again.connected("d", 1, false, noon());
      again.message("d", "$iothub/twin/GET/?$rid=1", "", noon());
      again.message("d", reported, R"({"x":1})", noon());
      REQUIRE(again.finish_turn(hub.published, hub.disconnected));
      REQUIRE(hub.published.size() == 2);
      for (const auto& p : hub.published) CHECK(p.topic == "$iothub/twin/res/500/?$rid=1");
      CHECK(again.take_problems().size() == 1);
    }
    const auto call = [&](const char* method, const char* target, const char* body,
                          const char* if_match = "") {
      hub::http_call c = get;
      c.method = method;
      c.target = target;
      c.body = body;
      c.if_match = if_match;
      again.answer(c, noon());
      return c.status;
    };
    CHECK(call("PUT", "/devices/d", "{}") == 409);
    CHECK(call("DELETE", "/devices/d", "", "\"x\"") == 412);
    CHECK(call("DELETE", "/devices/d", "") == 204);
    CHECK(call("GET", "/twins/d", "") == 404);
    CHECK(call("PUT", "/devices/d", "{}") == 200);
    CHECK(call("GET", "/twins/d", "") == 200);
    CHECK(call("GET", "/devices/d", "") == 200);
    CHECK(call("GET", "/devices/d/modules/m", "") == 404);
    CHECK(again.finish_turn(hub.published, hub.disconnected));
  };
  for (const char* sql :
       {"UPDATE twins SET form = substr(form, 1, 30) || x'00' || substr(form, 32)",
        "UPDATE twins SET form = x''", "UPDATE twins SET revision = 0",
        "UPDATE twins SET form = (SELECT form FROM twins WHERE device = 'd' AND module = 'm') "
        "WHERE module = ''",
        "UPDATE identities SET primary_key = '!'", "UPDATE identities SET etag = ''",
        "UPDATE identities SET status = 'on' WHERE client_id = 'd'"}) {
    damage(sql);
  }
}

TEST_CASE("a twin without an identity is not shown, and can be removed", "[twin_service]") {
  running_hub hub;
  const temporary_file old;
  write_file(old.path, read_file(DEVICETWIN_TEST_DATA "/examples/data/twins_schema_0.sqlite"));
  hub::twin_service service;
  REQUIRE(service.open({{"localhost"}, hub.keys.path, old.path}).empty());
  const auto call = [&](const char* method, const char* target, const char* body = "") {
    hub::http_call c;
    c.method = method;
    c.target = target;
    c.body = body;
    c.authorization = azure::make_sas_token("localhost", key,
                                            noon().ticks / devicetwin::ticks_per_second + 60, "p");
    service.answer(c, noon());
    return c;
  };
  CHECK_THAT(call("GET", "/twins/pump").reply, matchers::ContainsSubstring("\"rpm\":870"));
  CHECK(call("GET", "/twins/pump/modules/valve").status == 200);
  CHECK(call("GET", "/devices/short").status ==
        200);  // its key is too short for a new one, and goes on
  for (const char* ghost : {"/twins/never", "/twins/never/modules/ghost",
                            "/devices/never/modules/ghost", "/twins/gone/modules/left"}) {
    INFO(ghost);
    CHECK(call("GET", ghost).error_code == "DeviceNotFound");
  }
  CHECK(call("DELETE", "/devices/never").status == 204);
  CHECK(call("DELETE", "/devices/never").status == 404);
  CHECK(call("PUT", "/devices/gone", "{}").status == 200);  // without the old one's module
  CHECK(call("GET", "/devices/gone/modules/left").error_code == "ModuleNotFound");
  CHECK(call("GET", "/twins/gone/modules/left").error_code == "ModuleNotFound");
}

TEST_CASE("a device that is made again has the subscriptions of the session that the broker kept",
          "[twin_service]") {
  running_hub hub;
  for (const char* path : {"/devices/h", "/devices/h/modules/m"})
    REQUIRE(hub.call("PUT", path, "{}").status == 200);
  const auto notified = [&] {
    std::size_t count = 0;
    for (const char* path : {"/twins/h", "/twins/h/modules/m"}) {
      REQUIRE(hub.call("PATCH", path, R"({"properties":{"desired":{"x":1}}})").status == 200);
      REQUIRE(hub.finish());
      count += hub.published.size();
    }
    return count;
  };
  std::uint64_t connection = 0;
  for (const char* id : {"h", "h/m"}) {
    hub.service.connected(id, ++connection, true, noon());
    REQUIRE(hub.service.subscribed(id, desired_filter, true));
  }
  REQUIRE(hub.call("DELETE", "/devices/h").status == 204);
  REQUIRE(hub.finish());
  hub.service.disconnected("h", 1);
  hub.service.disconnected("h/m", 2);
  for (const char* path : {"/devices/h", "/devices/h/modules/m"})
    REQUIRE(hub.call("PUT", path, "{}").status == 200);
  CHECK(notified() == 0);
  for (const char* id : {"h", "h/m"}) hub.service.connected(id, ++connection, true, noon());
  CHECK(notified() == 2);
  for (const char* id : {"h", "h/m"}) hub.service.connected(id, ++connection, false, noon());
  CHECK(notified() == 0);
}

TEST_CASE("with commits for each message, a message that is not durable is not acknowledged",
          "[twin_service]") {
  temporary_file database, keys;
  running_hub writer;
  writer.write_keys("device a " + key + "\ndevice b " + key + "\npolicy p " + key + "\n");
  hub::twin_service service;
  REQUIRE(service.open({{"localhost"}, writer.keys.path, database.path, true}).empty());
  service.connected("a", 1, false, noon());
  service.connected("b", 2, false, noon());
  hub::sqlite_table somebody;
  REQUIRE(somebody.open(database.path).empty());
  const auto stored = [&](const char* id) {
    devicetwin::twin_cache<hub::sqlite_table> theirs(somebody);
    const auto found = theirs.find({id});
    return found ? device_text(**found) : "none";
  };
  CHECK(service.message("a", reported, R"({"x":1})", noon()));
  CHECK(stored("a") ==
        R"({"desired":{"$version":1},"reported":{"x":1,"$version":2}})");  // before the turn has
                                                                           // ended
  CHECK(service.message("a", reported, R"({"$x":1})", noon()));            // a refusal is an answer
  CHECK(service.message("a", "$iothub/twin/GET/?$rid=2", "", noon()));

  REQUIRE(service.table().run("PRAGMA busy_timeout = 1"));
  REQUIRE(somebody.run("BEGIN IMMEDIATE"));
  CHECK(!service.message("b", reported, R"({"x":2})", noon()));
  CHECK(!service.message("a", reported, R"({"x":2})", noon()));
  REQUIRE(somebody.run("ROLLBACK"));
  CHECK(service.message("b", reported, R"({"x":3})", noon()));
  std::vector<hub::publication> published;
  std::vector<std::string> disconnected;
  REQUIRE(service.finish_turn(published, disconnected));
  std::string topics;
  for (const auto& p : published) topics += p.client_id + " " + p.topic + "\n";
  CHECK(topics ==
        "a $iothub/twin/res/204/?$rid=1&$version=2\n"
        "a $iothub/twin/res/400/?$rid=1\n"
        "a $iothub/twin/res/200/?$rid=2\n"
        "b $iothub/twin/res/204/?$rid=1&$version=2\n");
  CHECK(stored("a") == R"({"desired":{"$version":1},"reported":{"x":1,"$version":2}})");
  CHECK(stored("b") == R"({"desired":{"$version":1},"reported":{"x":3,"$version":2}})");
}

TEST_CASE("a subscription that cannot be kept is refused", "[twin_service]") {
  running_hub hub;
  hub.service.connected("a", 1, true, noon());
  REQUIRE(hub.finish());
  hub::sqlite_table somebody;
  REQUIRE(somebody.open(hub.database.path).empty());
  REQUIRE(hub.service.table().run("PRAGMA busy_timeout = 1"));
  REQUIRE(somebody.run("BEGIN IMMEDIATE"));
  CHECK(!hub.service.subscribed("a", desired_filter, true));
  CHECK(hub.service.subscribed("a", "$iothub/twin/res/#", false));
  REQUIRE(somebody.run("ROLLBACK"));
  CHECK(hub.service.subscribed("a", desired_filter, true));
}

TEST_CASE("keys are read again, or stay", "[twin_service]") {
  running_hub hub;
  const auto lets_in = [&](const std::string& with) {
    const std::string token = azure::make_sas_token(
        "localhost/devices/a", with, noon().ticks / devicetwin::ticks_per_second + 60);
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
