/// The hub behind the broker: keys, twins and what is asked of them. It knows neither MQTT sockets nor HTTP sockets; the
/// plugin tells it what happened, and gets what is to be published.
#pragma once

#include <devicetwin/json/get.hpp>
#include <devicetwin/json/read.hpp>
#include <devicetwin/sync/hub_session.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access.hpp"
#include "http_call.hpp"
#include "key_file.hpp"
#include "sqlite_table.hpp"

namespace hub {

struct settings {
  std::vector<std::string> hosts;  ///< the names of this hub, in lower case, without a port
  std::string key_file;
  std::string database;
};

/// To be published to one client.
struct publication {
  std::string client_id;
  std::string topic;
  std::string payload;
};

/// All twins of a hub. What happens comes in turns: everything between two calls of finish_turn() is made durable together,
/// and only then is anything of it published or answered. For one thread.
class twin_service {
 public:
  /// Gives what went wrong, in one sentence; nothing when all is well.
  std::string open(const settings& with);
  /// Reads the key file again; with an error the keys are as they were.
  std::string load_keys();

  // --- devices ---------------------------------------------------------------------------------

  login judge(std::string_view client_id, std::string_view user_name, std::string_view password, devicetwin::timestamp now);
  /// A client that was let in; `connection` tells two connections of the same client apart. Its twin is made when there is
  /// none. A session that is kept (MQTT's "clean session" is 0) brings its subscriptions along, also those from before the
  /// broker was killed: Microsoft's clients rely on that, and subscribe once in their life.
  void connected(std::string_view client_id, std::uint64_t connection, bool keeps_session, devicetwin::timestamp now);
  void disconnected(std::string_view client_id, std::uint64_t connection) { session_.disconnected(id_of(client_id), connection); }
  void subscribed(std::string_view client_id, std::string_view filter, bool keeps_session);
  void unsubscribed(std::string_view client_id, std::string_view filter);
  void message(std::string_view client_id, std::string_view topic, std::string_view payload, devicetwin::timestamp now);

  // --- the service -----------------------------------------------------------------------------

  /// Does what the call asks for and fills in its answer, which must not be sent before finish_turn().
  void answer(http_call& call, devicetwin::timestamp now);

  // --- turns -----------------------------------------------------------------------------------

  /// Makes durable what happened since the last call. True: `publish` and `disconnect` (client ids) are to be done, and
  /// calls can be answered. False: nothing of it has happened, nothing is to be said, and calls are to be refused.
  bool finish_turn(std::vector<publication>& publish, std::vector<std::string>& disconnect);

  /// For tests of what happens when it fails.
  sqlite_table& table() { return table_; }

 private:
  using session = devicetwin::sync::hub_session<devicetwin::twin_cache<sqlite_table>>;
  using twin_id = devicetwin::twin_id;

  static twin_id id_of(std::string_view client_id) {
    const identity who = identity_of(client_id);
    return {who.device, who.module};
  }
  const std::vector<std::string>* keys_of(std::string_view client_id);
  void collect();
  devicetwin::sync::service_reply make_twin(const twin_id& id, devicetwin::timestamp now);
  void refuse(http_call& call, const devicetwin::sync::refusal& as, std::string_view why, devicetwin::timestamp now);
  void answer_about_twin(http_call& call, const twin_id& id, devicetwin::timestamp now);
  void answer_about_identity(http_call& call, const std::string& client_id, devicetwin::timestamp now);
  static void fill(http_call& call, const devicetwin::sync::service_reply& reply);
  static bool read_keys(std::string_view body, std::vector<std::string>& keys);
  std::string identity_text(const std::string& client_id, const std::vector<std::string>& keys);

  settings settings_;
  key_list listed_;
  std::vector<std::string> made_;  ///< the keys last looked up in the table
  sqlite_table table_;
  devicetwin::twin_cache<sqlite_table> store_{table_};
  session session_{store_};
  std::vector<publication> publish_;
  std::vector<std::string> disconnect_;
  bool broken_ = false;  ///< something of this turn could not be made durable
};

// ---------------------------------------------------------------------------------------------

inline std::string twin_service::open(const settings& with) {
  settings_ = with;
  if (std::string problem = load_keys(); !problem.empty()) return problem;
  if (std::string problem = table_.open(settings_.database); !problem.empty()) return settings_.database + ": " + problem;
  table_.begin_group();
  return {};
}

inline std::string twin_service::load_keys() {
  std::string problem = load_key_file(settings_.key_file, listed_);
  return problem.empty() ? problem : settings_.key_file + ": " + problem;
}

inline const std::vector<std::string>* twin_service::keys_of(std::string_view client_id) {
  const auto listed = listed_.devices.find(client_id);
  if (listed != listed_.devices.end()) return &listed->second;
  made_ = table_.keys(client_id);
  return made_.empty() ? nullptr : &made_;
}

inline login twin_service::judge(std::string_view client_id, std::string_view user_name, std::string_view password, devicetwin::timestamp now) {
  return judge_device(settings_.hosts, client_id, user_name, password, keys_of(client_id), now / devicetwin::ticks_per_second);
}

inline void twin_service::collect() {
  using kind = devicetwin::sync::hub_action::kind;
  for (const auto& action : session_.actions()) {
    if (action.what == kind::event) continue;  // nobody is there to take change events
    std::string client_id(action.to.device);
    if (!action.to.module.empty()) client_id.append("/").append(action.to.module);
    publish_.push_back({std::move(client_id), std::string(action.topic), std::string(action.payload)});
  }
}

inline devicetwin::sync::service_reply twin_service::make_twin(const twin_id& id, devicetwin::timestamp now) {
  if (!id.module.empty() && !store_.find({id.device, {}})) {
    if (const auto made = session_.service_create({id.device}, now); !made) return made;
  }
  return session_.service_create({id.device, id.module}, now);
}

inline void twin_service::connected(std::string_view client_id, std::uint64_t connection, bool keeps_session, devicetwin::timestamp now) {
  const twin_id id = id_of(client_id);
  if (!store_.find(id)) static_cast<void>(make_twin(id, now));  // what cannot be made is not found by the first request
  if (session_.connected(id, connection)) return;
  if (keeps_session) {
    for (const std::string& filter : table_.filters(client_id)) session_.subscribed(id, filter);
  } else {
    table_.remove_filters(client_id);
  }
}

inline void twin_service::subscribed(std::string_view client_id, std::string_view filter, bool keeps_session) {
  session_.subscribed(id_of(client_id), filter);
  if (!keeps_session) return;
  // The broker confirms a subscription at once, so it must be durable now; and with it what happened before in this turn.
  table_.put_filter(client_id, filter);
  broken_ = !table_.end_group() || broken_;
  table_.begin_group();
}

inline void twin_service::unsubscribed(std::string_view client_id, std::string_view filter) {
  session_.unsubscribed(id_of(client_id), filter);
  table_.remove_filter(client_id, filter);
}

inline void twin_service::message(std::string_view client_id, std::string_view topic, std::string_view payload, devicetwin::timestamp now) {
  static_cast<void>(session_.message(id_of(client_id), topic, payload, now));  // a refusal is an action, too
  collect();
}

inline void twin_service::fill(http_call& call, const devicetwin::sync::service_reply& reply) {
  call.status = static_cast<int>(reply.status);
  call.reply = reply.body;
  call.etag = reply.etag;
}

inline void twin_service::refuse(http_call& call, const devicetwin::sync::refusal& as, std::string_view why, devicetwin::timestamp now) {
  call.status = static_cast<int>(as.status);
  call.reply.clear();
  devicetwin::sync::error_details details;
  details.now = &now;
  static_cast<void>(devicetwin::sync::write_error_body(as, why, call.reply, details));
}

inline void twin_service::answer(http_call& call, devicetwin::timestamp now) {
  const login who = judge_service(settings_.hosts, call.authorization, listed_, now / devicetwin::ticks_per_second);
  if (!who.refusal.empty()) return refuse(call, {401, 401002}, who.refusal, now);

  std::vector<std::string> path;
  std::string_view target = std::string_view(call.target).substr(0, call.target.find('?'));
  while (!target.empty()) {
    target.remove_prefix(1);  // the slash
    const std::string_view segment = target.substr(0, target.find('/'));
    path.emplace_back();
    if (!azure::percent_decoded(segment, path.back())) return refuse(call, {400, 400004}, "a % in the path has no two hexadecimal digits", now);
    target.remove_prefix(segment.size());
  }
  const bool of_device = path.size() == 2, of_module = path.size() == 4 && path[2] == "modules";
  if ((!of_device && !of_module) || (path[0] != "twins" && path[0] != "devices")) return refuse(call, {404, 404000}, "there is nothing of this path", now);
  if (!is_id(path[1]) || (of_module && !is_id(path[3]))) return refuse(call, {400, 400004}, "this is no id of a device or module here", now);
  const std::string client_id = of_module ? path[1] + "/" + path[3] : path[1];
  if (path[0] == "devices") return answer_about_identity(call, client_id, now);
  answer_about_twin(call, id_of(client_id), now);
}

inline void twin_service::answer_about_twin(http_call& call, const twin_id& id, devicetwin::timestamp now) {
  std::string client_id(id.device);
  if (!id.module.empty()) client_id.append("/").append(id.module);
  if (!store_.find(id) && listed_.devices.count(client_id) != 0) {
    if (const auto made = make_twin(id, now); !made) return fill(call, made);
  }
  if (call.method == "PATCH" || call.method == "PUT") {
    const auto done = call.method == "PUT" ? session_.service_replace(id, call.body, now, call.if_match)
                                           : session_.service_patch(id, call.body, now, call.if_match);
    collect();
    if (!done) return fill(call, done);
  } else if (call.method != "GET") {
    return refuse(call, {405, 405001}, "a twin can be read, patched and replaced", now);
  }
  fill(call, session_.service_get(id));
}

inline bool twin_service::read_keys(std::string_view body, std::vector<std::string>& keys) {
  devicetwin::json::document document;
  if (devicetwin::json::read(body, document)) return false;
  std::string secret;
  for (const char* pointer : {"/authentication/symmetricKey/primaryKey", "/authentication/symmetricKey/secondaryKey"}) {
    const auto key = devicetwin::json::get<std::string_view>(document.root(), pointer);
    if (!key) continue;
    if (!azure::from_base64(*key, secret) || secret.empty()) return false;
    keys.emplace_back(*key);
  }
  return !keys.empty();
}

inline std::string twin_service::identity_text(const std::string& client_id, const std::vector<std::string>& keys) {
  const twin_id id = id_of(client_id);  // ids and keys have no character that JSON escapes
  std::string text = "{\"deviceId\":\"" + std::string(id.device) + "\"";
  if (!id.module.empty()) text += ",\"moduleId\":\"" + std::string(id.module) + "\"";
  text += ",\"etag\":\"MQ==\",\"status\":\"enabled\",\"authentication\":{\"type\":\"sas\",\"symmetricKey\":{\"primaryKey\":\"" + keys[0] +
          "\",\"secondaryKey\":\"" + (keys.size() > 1 ? keys[1] : keys[0]) + "\"}}}";
  return text;
}

inline void twin_service::answer_about_identity(http_call& call, const std::string& client_id, devicetwin::timestamp now) {
  const bool listed = listed_.devices.count(client_id) != 0;
  const std::vector<std::string>* found = keys_of(client_id);
  std::vector<std::string> keys;
  if (call.method == "GET") {
    if (found == nullptr) return refuse(call, {404, 404001}, "there is no such device", now);
    keys = *found;
  } else if (call.method == "PUT") {
    if (listed) return refuse(call, {409, 409001}, "this device is in the key file", now);
    if (found != nullptr && call.if_match.empty()) return refuse(call, {409, 409001}, "there is such a device already", now);
    if (!read_keys(call.body, keys)) return refuse(call, {400, 400004}, "/authentication/symmetricKey has no keys in base64", now);
    if (!store_.find(id_of(client_id))) {
      if (const auto made = make_twin(id_of(client_id), now); !made) return fill(call, made);
    }
    if (!table_.put_keys(client_id, keys)) return refuse(call, devicetwin::sync::server_error, "the keys could not be stored", now);
    disconnect_.push_back(client_id);  // it comes again with its new key
  } else if (call.method == "DELETE") {
    if (listed) return refuse(call, {409, 409001}, "this device is in the key file", now);
    if (!table_.remove_keys(client_id)) return refuse(call, devicetwin::sync::server_error, "the keys could not be removed", now);
    table_.remove_filters(client_id);
    fill(call, session_.service_remove(id_of(client_id), now));
    disconnect_.push_back(client_id);
    return;
  } else {
    return refuse(call, {405, 405001}, "a device can be read, put and deleted", now);
  }
  call.status = 200;
  call.reply = identity_text(client_id, keys);
}

inline bool twin_service::finish_turn(std::vector<publication>& publish, std::vector<std::string>& disconnect) {
  const bool durable = table_.end_group() && !broken_;
  broken_ = false;
  table_.begin_group();
  publish.clear();
  disconnect.clear();
  if (durable) {
    publish.swap(publish_);
    disconnect.swap(disconnect_);
  } else {
    store_.forget_all();  // what is live is ahead of what is stored
    publish_.clear();
    disconnect_.clear();
  }
  return durable;
}

}  // namespace hub
