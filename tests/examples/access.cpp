// Who may connect to the example hub, and what may be said: the decisions, without a broker.
#include "../../examples/mosquitto_hub/access.hpp"

#include <string>
#include <vector>

#include "../catch.hpp"

namespace {

const std::vector<std::string> hosts = {"localhost", "hub.example"};
const std::string key = "bm90IGEgcmVhbCBrZXk=", other_key = "c29tZWJvZHkgZWxzZSdz";
const std::vector<std::string> keys = {key};
constexpr std::int64_t now = 1'772'433'677;

std::string token_for(const std::string& resource, std::int64_t expiry = now + 60,
                      const std::string& with = key, const std::string& policy = {}) {
  return azure::make_sas_token(resource, with, expiry, policy);
}
std::string refusal(std::string_view client_id, std::string_view user_name,
                    std::string_view password, const std::vector<std::string>* of = &keys) {
  return hub::judge_device(hosts, client_id, user_name, password, of, now).refusal;
}

}  // namespace

TEST_CASE("a device is let in with a token of its own", "[access]") {
  const std::string token = token_for("localhost/devices/pump-7");
  const std::string user = "localhost/pump-7/?api-version=2021-04-12&DeviceClientType=x";
  const hub::login accepted = hub::judge_device(hosts, "pump-7", user, token, &keys, now);
  CHECK(accepted.refusal.empty());
  CHECK(accepted.expiry == now + 60);
  const std::vector<std::string> two = {other_key, key};
  CHECK(refusal("pump-7", user, token, &two).empty());
  CHECK(refusal("pump-7", "localhost/pump-7/api-version=2018-06-30", token).empty());
  CHECK(refusal("pump-7", "LocalHost:8883/pump-7/?api-version=1",
                token_for("LOCALHOST:8883/devices/pump-7"))
            .empty());
  CHECK(refusal("pump-7", "hub.example/pump-7/?api-version=1", token).empty());
  CHECK(refusal("a:b", "localhost/a:b/?api-version=1", token_for("localhost/devices/a%3Ab"))
            .empty());  // encoded twice by some
}

TEST_CASE("a module has a token, a user name and a client id of its own", "[access]") {
  const std::string user = "localhost/pump-7/valve/?api-version=1";
  CHECK(refusal("pump-7/valve", user, token_for("localhost/devices/pump-7/modules/valve")).empty());
  CHECK(!refusal("pump-7/valve", user, token_for("localhost/devices/pump-7")).empty());
  CHECK(!refusal("pump-7", user, token_for("localhost/devices/pump-7")).empty());
  CHECK(!refusal("pump-7", "localhost/pump-7/?api-version=1",
                 token_for("localhost/devices/pump-7/modules/valve"))
             .empty());
  CHECK(!refusal("pump-7/valve/x", "localhost/pump-7/valve/x/?api-version=1",
                 token_for("localhost/devices/pump-7/modules/valve/x"))
             .empty());
}

TEST_CASE("everything about a login must be right", "[access]") {
  const std::string token = token_for("localhost/devices/pump-7"),
                    user = "localhost/pump-7/?api-version=1";
  REQUIRE(refusal("pump-7", user, token).empty());
  CHECK(refusal("pump-7", user, token, nullptr) == "no such key");
  CHECK(refusal("pump-7", user, token_for("localhost/devices/pump-7", now)) ==
        "the token has expired");
  CHECK(refusal("pump-7", user, token_for("localhost/devices/pump-7", now + 60, other_key)) ==
        "the signature is not of a key of that name");
  CHECK(refusal("pump-7", user, token_for("localhost/devices/pump-8")) ==
        "the token is for something else");
  CHECK(refusal("pump-7", user, token_for("localhost/devices/pump-77")) ==
        "the token is for something else");
  CHECK(refusal("pump-7", user, token_for("localhost")) == "the token is for something else");
  CHECK(refusal("pump-7", user, token_for("elsewhere/devices/pump-7")) ==
        "the token is for something else");
  CHECK(refusal("pump-7", user, token_for("/devices/pump-7")) == "the token is for something else");
  CHECK(!refusal("pump-7", user, token_for("localhost/devices/pump-7", now + 60, key, "device"))
             .empty());
  CHECK(!refusal("pump-7", user, "").empty());
  CHECK(!refusal("pump-7", user, token + "&x=1").empty());
  for (const char* name :
       {"", "/", "pump-7", "localhost", "localhost/", "localhost/pump-7", "localhost/pump-7/",
        "localhost/pump-7/?", "localhost/pump-7?api-version=1", "localhost/pump-/?api-version=1",
        "localhost/pump-77/?api-version=1", "elsewhere/pump-7/?api-version=1",
        "localhost//pump-7/?api-version=1", "localhost.evil/pump-7/?api-version=1",
        "/pump-7/?api-version=1"}) {
    INFO(name);
    CHECK(!refusal("pump-7", name, token).empty());
  }
  for (const std::string id :
       {"", "/", "a/", "/a", "+", "#", "a+", "a#", "a/#", "a b", "a\n", "\xC3\xA9", "a/b/c"}) {
    INFO(id);
    CHECK(!refusal(id, "localhost/" + id + "/?api-version=1", token_for("localhost/devices/" + id))
               .empty());
  }
}

TEST_CASE("a back end needs a policy's token for this hub", "[access]") {
  hub::key_list list;
  list.policies["service"] = {other_key, key};
  list.devices["pump-7"] = {key};
  const auto refused = [&](std::string_view header) {
    return hub::judge_service(hosts, header, list, now).refusal;
  };
  CHECK(refused(token_for("localhost", now + 1, key, "service")).empty());
  CHECK(refused(token_for("hub.example", now + 1, other_key, "service")).empty());
  CHECK(!refused(token_for("localhost", now, key, "service")).empty());
  CHECK(!refused(token_for("localhost", now + 1, key, "pump-7")).empty());
  CHECK(!refused(token_for("localhost", now + 1, key)).empty());
  CHECK(!refused(token_for("localhost/devices/pump-7", now + 1, key, "service")).empty());
  CHECK(!refused(token_for("elsewhere", now + 1, key, "service")).empty());
  CHECK(!refused(token_for("localhost", now + 1, "d3Jvbmc=", "service")).empty());
  CHECK(!refused("").empty());
  CHECK(!refused("Bearer x").empty());
}

TEST_CASE("a device may subscribe to what is its own, exactly", "[access]") {
  const hub::identity device = hub::identity_of("pump-7"),
                      module = hub::identity_of("pump-7/valve");
  for (const char* filter : {"$iothub/twin/res/#", "$iothub/twin/PATCH/properties/desired/#",
                             "$iothub/methods/POST/#"}) {
    CHECK(hub::may_subscribe(device, filter));
    CHECK(hub::may_subscribe(module, filter));
  }
  CHECK(hub::may_subscribe(device, "devices/pump-7/messages/devicebound/#"));
  CHECK(!hub::may_subscribe(module, "devices/pump-7/messages/devicebound/#"));
  CHECK(hub::may_subscribe(module, "devices/pump-7/modules/valve/messages/devicebound/#"));
  for (const char* filter :
       {"", "#", "+", "+/#", "$iothub/#", "$iothub/twin/#", "$iothub/+/res/#", "$iothub/twin/res/+",
        "$share/g/$iothub/twin/res/#", "devices/+/messages/devicebound/#",
        "devices/pump-8/messages/devicebound/#", "devices/pump-7/#", "$SYS/#",
        "devices/pump-7/messages/events/#", "$iothub/twin/GET/#"}) {
    INFO(filter);
    CHECK(!hub::may_subscribe(device, filter));
  }
}

TEST_CASE("a device may publish requests and its own telemetry, and receive answers", "[access]") {
  const hub::identity device = hub::identity_of("pump-7"),
                      module = hub::identity_of("pump-7/valve");
  const char* const twin_topics[] = {"$iothub/twin/GET/?$rid=1",
                                     "$iothub/twin/PATCH/properties/reported/?$rid=1"};
  for (const char* topic : twin_topics) {
    CHECK(hub::may_publish(device, topic, 0));
    CHECK(hub::may_publish(device, topic, 1));
    CHECK(!hub::may_publish(device, topic, 2));
    CHECK(!hub::may_receive(device, topic));
  }
  CHECK(hub::may_publish(device, "devices/pump-7/messages/events/a=b", 1));
  CHECK(!hub::may_publish(device, "devices/pump-77/messages/events/", 1));
  CHECK(!hub::may_publish(device, "devices/pump-7/modules/valve/messages/events/", 1));
  CHECK(hub::may_publish(module, "devices/pump-7/modules/valve/messages/events/", 1));
  for (const char* topic :
       {"", "$iothub/twin/res/200/?$rid=1", "$iothub/twin/PATCH/properties/desired/?$version=2",
        "$iothub/methods/POST/x/?$rid=1", "devices/pump-7/messages/devicebound/", "$SYS/x",
        "$CONTROL/dynamic-security/v1"}) {
    INFO(topic);
    CHECK(!hub::may_publish(device, topic, 0));
  }
  CHECK(hub::may_receive(device, "$iothub/twin/res/204/?$rid=1&$version=2"));
  CHECK(hub::may_receive(device, "$iothub/twin/PATCH/properties/desired/?$version=2"));
  CHECK(hub::may_receive(device, "devices/pump-7/messages/devicebound/x"));
  CHECK(!hub::may_receive(device, "devices/pump-8/messages/devicebound/x"));
}

TEST_CASE("a key file is understood as a whole or not at all", "[access]") {
  hub::key_list list;
  REQUIRE(
      hub::parse_key_file(
          "# who   what\n\ndevice a YQ==\n device  a/m\tYg== Yw==\r\n#x\npolicy service ZA==", list)
          .empty());
  CHECK(list.devices.size() == 2);
  CHECK(list.devices["a/m"] == std::vector<std::string>{"Yg==", "Yw=="});
  CHECK(list.policies["service"] == std::vector<std::string>{"ZA=="});
  const auto problem = [&](std::string_view text) { return hub::parse_key_file(text, list); };
  CHECK(problem("device a YQ==\ndevise b YQ==") ==
        "line 2: the first word is neither device nor policy");
  CHECK(problem("device") == "line 1: the name is missing");
  CHECK(problem("device a") == "line 1: the key is missing");
  CHECK(problem("device a+ YQ==") ==
        "line 1: the name has a character that it cannot have, or is too long");
  CHECK(problem("policy a/b YQ==") ==
        "line 1: the name has a character that it cannot have, or is too long");
  CHECK(problem("device a secret!") == "line 1: a key is not base64");
  CHECK(problem("device a YQ== Yg== Yw==") == "line 1: more than two keys");
  CHECK(problem("device a YQ==\ndevice a Yg==") == "line 2: this name has a line already");
  CHECK(list.devices.size() == 2);
  CHECK(hub::load_key_file("/nowhere/keys", list) == "cannot be read, or is empty");
  CHECK(problem("").empty());
  CHECK(list.devices.empty());
}
