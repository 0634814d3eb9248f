// The broker's plugin: makes mosquitto a twin service. TLS, MQTT and its sessions are the broker's;
// who may connect, what may be said, and the twins are decided in the headers beside this file.
//
// What this relies on, of mosquitto 2.0.11:
// - All callbacks come on one thread. A message published here to one client goes to that client
// alone, subscribed or not, at the start of the broker's next turn; TICK is the last thing in each
// turn, which lasts a tenth of a second at most.
// - BASIC_AUTH comes before the older connection of the same client is closed, so its DISCONNECT
// comes late: connections are told apart by number. It comes again for each client, also for those
// that are away, after RELOAD.
// - DISCONNECT comes also for those that were never let in, without a client id, and before the
// check of a last will.
// - ACL_CHECK tells subscriptions and their ends by filter. It comes again for each subscription of
// a kept session when the client is kicked.
// - PUBACK is written when MESSAGE has returned. Any error but MOSQ_ERR_ACL_DENIED ends the
// connection without one. A change of `retain` in MESSAGE holds. A last will does not come to
// MESSAGE.

#include <devicetwin/base/chrono.hpp>

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "http_side.hpp"
#include "log_limit.hpp"
#include "twin_service.hpp"

namespace {

std::string_view text_of(const char* text) {
  return text != nullptr ? std::string_view(text) : std::string_view();
}

/// Reads a port in decimal digits. False when it is none.
bool read_port(const std::string& text, int& port) {
  if (text.empty() || text.size() > 5 || text.find_first_not_of("0123456789") != std::string::npos)
    return false;
  port = std::stoi(text);
  return port >= 1 && port <= 65535;
}

class plugin {
 public:
  /// Reads the options, opens the database and listens. Gives what went wrong.
  std::string start(const mosquitto_opt* options, int count);
  void stop() { http_.stop(); }

  int basic_auth(const mosquitto_evt_basic_auth& e);
  int acl_check(const mosquitto_evt_acl_check& e);
  int message(mosquitto_evt_message& e);
  int disconnect(const mosquitto_evt_disconnect& e);
  int reload();
  int tick();

 private:
  struct connection {
    std::string client_id;
    std::uint64_t number;
    std::int64_t expiry;  ///< seconds since 1970
    bool keeps_session;   ///< the broker may keep its session beyond the connection
    bool ended = false;  ///< the broker has told its end; the check of its last will may still come
  };

  void end_expired();

  hub::twin_service twins_;
  hub::http_side http_;
  hub::log_limit log_limit_;  ///< for lines that clients can cause again and again
  std::unordered_map<const mosquitto*, connection> connections_;
  std::uint64_t last_number_ = 0;
  std::int64_t last_look_ = 0;  ///< for expired tokens, in seconds
  std::vector<const mosquitto*>
      closing_;  ///< their end has been told; the check of their last will is still to come
  bool reloading_ = false;
};

std::string plugin::start(const mosquitto_opt* options, int count) {
  hub::settings with;
  hub::http_options http;
  for (int i = 0; i < count; ++i) {
    const std::string_view name = text_of(options[i].key);
    const std::string value(text_of(options[i].value));
    if (name == "host") {
      with.hosts.push_back(value);
    } else if (name == "keys") {
      with.key_file = value;
    } else if (name == "database") {
      with.database = value;
    } else if (name == "puback") {
      if (value != "early" && value != "committed")
        return "plugin_opt_puback is neither early nor committed";
      with.commits_each_message = value == "committed";
    } else if (name == "https_address") {
      http.https_address = value;
    } else if (name == "certfile") {
      http.certificate = value;
    } else if (name == "keyfile") {
      http.key = value;
    } else if (name == "https_port" || name == "http_port") {
      int& port = name == "https_port" ? http.https_port : http.http_port;
      if (!read_port(value, port))
        return "plugin_opt_" + std::string(name) + " is not a number from 1 to 65535";
    } else {
      return "plugin_opt_" + std::string(name) + " is no option";
    }
  }
  if (with.hosts.empty() || with.key_file.empty() || with.database.empty()) {
    return "plugin_opt_host, plugin_opt_keys and plugin_opt_database are needed";
  }
  if (std::string problem = twins_.open(with); !problem.empty()) return problem;
  if (http.https_port != 0 && (http.certificate.empty() || http.key.empty())) {
    return "plugin_opt_https_port needs plugin_opt_certfile and plugin_opt_keyfile";
  }
  return http_.start(http);
}

int plugin::basic_auth(const mosquitto_evt_basic_auth& e) {
  const std::string_view client_id = text_of(mosquitto_client_id(e.client));
  const devicetwin::timestamp at = devicetwin::timestamp_now();
  const hub::login judged = twins_.judge(client_id, text_of(e.username), text_of(e.password), at);
  if (!judged.refusal.empty()) {
    // Nothing of the client's own making goes into the log but what has been checked for its
    // characters.
    const bool printable = hub::is_client_id(client_id);
    mosquitto_log_printf(MOSQ_LOG_NOTICE, "Twin hub: refused %.*s: %s.",
                         printable ? static_cast<int>(client_id.size()) : 8,
                         printable ? client_id.data() : "a client", judged.refusal.c_str());
    return MOSQ_ERR_AUTH;
  }
  if (reloading_) return MOSQ_ERR_SUCCESS;
  const bool clean = mosquitto_client_clean_session(e.client);
  // In MQTT 5 a session that starts clean may be kept all the same; the broker tells no plugin for
  // how long.
  const bool keeps_session = !clean || mosquitto_client_protocol_version(e.client) == 5;
  connection made{std::string(client_id), ++last_number_, judged.expiry, keeps_session};
  twins_.connected(made.client_id, made.number, !clean, at);
  connections_[e.client] = std::move(made);
  return MOSQ_ERR_SUCCESS;
}

int plugin::acl_check(const mosquitto_evt_acl_check& e) {
  const auto found = connections_.find(e.client);
  if (found == connections_.end()) return MOSQ_ERR_ACL_DENIED;
  const std::string& client_id = found->second.client_id;
  const hub::identity who = hub::identity_of(client_id);
  const std::string_view topic = text_of(e.topic);
  bool allowed = false;
  switch (e.access) {
    case MOSQ_ACL_READ:
      allowed = hub::may_receive(who, topic);
      break;
    case MOSQ_ACL_WRITE:
      // A last will does not come to message(), so it would stay retained in the broker.
      allowed = hub::may_publish(who, topic, e.qos) && !(e.retain && found->second.ended);
      break;
    case MOSQ_ACL_SUBSCRIBE:
      allowed = hub::may_subscribe(who, topic) &&
                twins_.subscribed(client_id, topic, found->second.keeps_session);
      break;
    case MOSQ_ACL_UNSUBSCRIBE:
      allowed = true;
      twins_.unsubscribed(client_id, topic);
      break;
  }
  if (!allowed) {
    const char* const act = e.access == MOSQ_ACL_READ    ? "receive"
                            : e.access == MOSQ_ACL_WRITE ? "publish"
                                                         : "subscribe to";
    const std::string line = client_id + " may not " + act + " what it wants to";
    if (log_limit_.may_write(line, devicetwin::timestamp_now()))
      mosquitto_log_printf(MOSQ_LOG_NOTICE, "Twin hub: %s.", line.c_str());
  }
  return allowed ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ACL_DENIED;
}

int plugin::message(mosquitto_evt_message& e) {
  e.retain = false;  // the broker would keep a retained message for later subscribers; the service
                     // takes it as an ordinary one
  const auto found = connections_.find(e.client);
  const std::string_view topic = text_of(e.topic);
  if (found == connections_.end()) return MOSQ_ERR_ACL_DENIED;
  if (topic.substr(0, devicetwin::twin_prefix.size()) != devicetwin::twin_prefix)
    return MOSQ_ERR_SUCCESS;
  if (twins_.message(found->second.client_id, topic,
                     {static_cast<const char*>(e.payload), e.payloadlen},
                     devicetwin::timestamp_now()))
    return MOSQ_ERR_SUCCESS;
  mosquitto_log_printf(MOSQ_LOG_ERR,
                       "Twin hub: the database did not take what %s wrote; its connection is ended "
                       "without an acknowledgement.",
                       found->second.client_id.c_str());
  return MOSQ_ERR_UNKNOWN;
}

int plugin::disconnect(const mosquitto_evt_disconnect& e) {
  const auto found = connections_.find(e.client);
  if (found == connections_.end()) return MOSQ_ERR_SUCCESS;
  twins_.disconnected(found->second.client_id, found->second.number);
  found->second.ended = true;
  closing_.push_back(e.client);
  return MOSQ_ERR_SUCCESS;
}

int plugin::reload() {
  const std::string problem = twins_.load_keys();
  if (!problem.empty())
    mosquitto_log_printf(MOSQ_LOG_ERR, "Twin hub: the old keys stay: %s.", problem.c_str());
  reloading_ = true;  // until the next tick; the broker judges everybody again
  return MOSQ_ERR_PLUGIN_DEFER;
}

void plugin::end_expired() {
  const std::int64_t second = devicetwin::timestamp_now().ticks / devicetwin::ticks_per_second;
  if (second == last_look_) return;
  last_look_ = second;
  std::vector<std::string> expired;
  for (const auto& [client, c] : connections_) {
    if (c.expiry <= second) expired.push_back(c.client_id);
  }
  for (const std::string& client_id : expired) {
    mosquitto_log_printf(MOSQ_LOG_NOTICE, "Twin hub: the token of %s has expired.",
                         client_id.c_str());
    mosquitto_kick_client_by_clientid(client_id.c_str(), true);
  }
}

int plugin::tick() {
  reloading_ = false;
  const auto calls = http_.take();
  for (const auto& call : calls) twins_.answer(*call, devicetwin::timestamp_now());

  std::vector<hub::publication> publish;
  std::vector<std::string> leave;
  if (!twins_.finish_turn(publish, leave)) {
    mosquitto_log_printf(
        MOSQ_LOG_ERR,
        "Twin hub: the database did not take the last changes; nobody was told that it did.");
    for (const auto& call : calls)
      hub::write_http_error(*call, devicetwin::server_busy, "the database did not take the change",
                            devicetwin::timestamp_now());
  }
  for (const hub::publication& p : publish) {
    mosquitto_broker_publish_copy(p.client_id.c_str(), p.topic.c_str(),
                                  static_cast<int>(p.payload.size()), p.payload.data(), 0, false,
                                  nullptr);
  }
  for (const std::string& problem : twins_.take_problems()) {
    if (log_limit_.may_write(problem, devicetwin::timestamp_now()))
      mosquitto_log_printf(MOSQ_LOG_ERR, "Twin hub: %s.", problem.c_str());
  }
  // Whoever reads that a device is disabled or gone can rely on it.
  for (const std::string& client_id : leave)
    mosquitto_kick_client_by_clientid(client_id.c_str(), true);
  http_.answer(calls);
  for (const mosquitto* client : closing_) connections_.erase(client);
  closing_.clear();
  end_expired();
  return MOSQ_ERR_SUCCESS;
}

/// The broker is C: nothing is thrown through it.
template <class Act>
int guarded(Act&& act) {
  try {
    return act();
  } catch (const std::exception& e) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "Twin hub: %s.", e.what());
    return MOSQ_ERR_UNKNOWN;
  }
}
template <class Event, int (plugin::*Handler)(Event&)>
int on(int, void* event, void* self) {
  return guarded([&] {
    return (static_cast<plugin*>(self)->*Handler)(*static_cast<std::remove_const_t<Event>*>(event));
  });
}
template <int (plugin::*Handler)()>
int on(int, void*, void* self) {
  return guarded([&] { return (static_cast<plugin*>(self)->*Handler)(); });
}

int start(mosquitto_plugin_id_t* identifier, void** user_data, const mosquitto_opt* options,
          int option_count) {
  auto self = std::make_unique<plugin>();
  const std::string problem = self->start(options, option_count);
  if (!problem.empty()) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "Twin hub: %s.", problem.c_str());
    return MOSQ_ERR_INVAL;
  }
  const struct {
    int event;
    MOSQ_FUNC_generic_callback call;
  } callbacks[] = {
      {MOSQ_EVT_BASIC_AUTH, on<const mosquitto_evt_basic_auth, &plugin::basic_auth>},
      {MOSQ_EVT_ACL_CHECK, on<const mosquitto_evt_acl_check, &plugin::acl_check>},
      {MOSQ_EVT_MESSAGE, on<mosquitto_evt_message, &plugin::message>},
      {MOSQ_EVT_DISCONNECT, on<const mosquitto_evt_disconnect, &plugin::disconnect>},
      {MOSQ_EVT_RELOAD, on<&plugin::reload>},
      {MOSQ_EVT_TICK, on<&plugin::tick>},
  };
  for (const auto& c : callbacks) {
    if (mosquitto_callback_register(identifier, c.event, c.call, nullptr, self.get()) !=
        MOSQ_ERR_SUCCESS)
      return MOSQ_ERR_UNKNOWN;
  }
  *user_data = self.release();
  return MOSQ_ERR_SUCCESS;
}

}  // namespace

extern "C" {

int mosquitto_plugin_version(int count, const int* versions) {
  for (int i = 0; i < count; ++i) {
    if (versions[i] == 5) return 5;
  }
  return -1;
}

int mosquitto_plugin_init(mosquitto_plugin_id_t* identifier, void** user_data,
                          mosquitto_opt* options, int option_count) {
  return guarded([&] { return start(identifier, user_data, options, option_count); });
}

int mosquitto_plugin_cleanup(void* user_data, mosquitto_opt*, int) {
  // The broker frees its callbacks by itself.
  const std::unique_ptr<plugin> self(static_cast<plugin*>(user_data));
  self->stop();
  return MOSQ_ERR_SUCCESS;
}

}  // extern "C"
