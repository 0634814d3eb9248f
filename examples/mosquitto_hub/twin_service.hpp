/// The hub behind the broker: identities, twins and what is asked of them. It knows neither MQTT
/// sockets nor HTTP sockets; the plugin tells it what happened, and gets what is to be published.
#pragma once

#include <devicetwin/hub/hub_session.hpp>
#include <devicetwin/merge/text.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access.hpp"
#include "http_call.hpp"
#include "http_error.hpp"
#include "identities.hpp"
#include "routes.hpp"
#include "sqlite_table.hpp"

namespace hub {

struct settings {
  std::vector<std::string> hosts;  ///< the names of this hub, in lower case, without a port
  std::string key_file;
  std::string database;
  bool commits_each_message = false;  ///< message() makes its write durable before it returns
};

/// To be published to one client.
struct publication {
  std::string client_id;
  std::string topic;
  std::string payload;
};

/// All twins of a hub. What happens comes in turns: everything between two calls of finish_turn()
/// is made durable together, and only then is anything of it published or answered. For one thread.
class twin_service {
 public:
  /// Returns what went wrong, in one sentence, or nothing.
  std::string open(const settings& with);
  /// Reads the key file again; after an error the keys are as they were.
  std::string load_keys() { return identities_.load_key_file(settings_.key_file); }

  // --- devices ---------------------------------------------------------------------------------

  login judge(std::string_view client_id, std::string_view user_name, std::string_view password,
              devicetwin::timestamp now);
  /// A client that was let in; `connection` tells two connections of the same client apart. Its
  /// twin is made when there is none. A session that goes on (MQTT's "clean session" is 0) brings
  /// its subscriptions along, also those from before the broker was killed, and those of a deleted
  /// device of this name: Microsoft's clients rely on that, and subscribe once in their life.
  void connected(std::string_view client_id, std::uint64_t connection, bool goes_on,
                 devicetwin::timestamp now);
  void disconnected(std::string_view client_id, std::uint64_t connection);
  /// False when a subscription that outlives the connection could not be stored: then it is to be
  /// refused.
  bool subscribed(std::string_view client_id, std::string_view filter, bool keeps_session);
  void unsubscribed(std::string_view client_id, std::string_view filter);
  /// False when the database did not take what the message wrote, where
  /// settings::commits_each_message is set: then the message must not be acknowledged, and has no
  /// reply.
  bool message(std::string_view client_id, std::string_view topic, std::string_view payload,
               devicetwin::timestamp now);

  // --- the service -----------------------------------------------------------------------------

  /// Does what the call asks for and fills in its answer, which must not be sent before
  /// finish_turn().
  void answer(http_call& call, devicetwin::timestamp now);

  // --- turns -----------------------------------------------------------------------------------

  /// Makes durable what happened since the last call. True: `publish` and `disconnect` (client ids)
  /// are to be done, and calls can be answered. False: what is not durable has not happened,
  /// nothing is to be said of it, and calls are to be refused; `publish` and `disconnect` have what
  /// was durable before.
  bool finish_turn(std::vector<publication>& publish, std::vector<std::string>& disconnect);
  /// What the operator should know, in one sentence each, since the last call.
  std::vector<std::string> take_problems() { return std::exchange(problems_, {}); }

  /// For tests of what happens when it fails.
  sqlite_table& table() { return table_; }

 private:
  using session = devicetwin::hub_session<devicetwin::twin_cache<sqlite_table>>;
  using twin_id = devicetwin::twin_id;

  static twin_id id_of(std::string_view client_id) {
    const identity who = identity_of(client_id);
    return {who.device, who.module};
  }
  bool commit();
  void collect();
  void end_connections(std::string_view client_id);
  void note(const std::string& problem);
  void note_unreadable(std::string_view client_id, const devicetwin::json::error& why);
  devicetwin::json::error make_twin(std::string_view client_id, devicetwin::timestamp now);
  void answer_about_twin(http_call& call, const std::string& client_id, devicetwin::timestamp now);
  void answer_about_identity(http_call& call, const std::string& client_id,
                             devicetwin::timestamp now);
  refused change_identity(http_call& call, const std::string& client_id, devicetwin::timestamp now);
  void show_twin(http_call& call, const std::string& client_id, const identity_record& record,
                 devicetwin::timestamp now);
  void refuse_twin(http_call& call, std::string_view client_id, const devicetwin::json::error& why,
                   devicetwin::timestamp now);
  void refuse(http_call& call, const refused& r, devicetwin::timestamp now) {
    write_http_error(call, r.as, r.why, now);
  }

  /// What is to be done once the group that it belongs to is durable.
  struct consequences {
    std::vector<publication> publish;
    std::vector<std::string> disconnect;

    void take(consequences& other);
    void clear() {
      publish.clear();
      disconnect.clear();
    }
  };

  settings settings_;
  sqlite_table table_;
  identities identities_{table_};
  devicetwin::twin_cache<sqlite_table> store_{table_};
  session session_{store_};
  std::map<std::string, std::uint64_t, std::less<>> connections_;  ///< by client id
  consequences pending_;  ///< of the group that is not durable yet
  consequences ready_;
  std::vector<std::string> problems_;
};

// ---------------------------------------------------------------------------------------------

inline std::string twin_service::open(const settings& with) {
  settings_ = with;
  if (std::string problem = load_keys(); !problem.empty()) return problem;
  if (std::string problem = table_.open(settings_.database); !problem.empty())
    return settings_.database + ": " + problem;
  table_.begin_group();
  return {};
}

inline void twin_service::note(const std::string& problem) {
  for (const std::string& known : problems_) {
    if (known == problem) return;
  }
  problems_.push_back(problem);
}

/// For the errors that are the database's and no client's.
inline void twin_service::note_unreadable(std::string_view client_id,
                                          const devicetwin::json::error& why) {
  if (why.code() == devicetwin::json::errc::damaged ||
      why.code() == devicetwin::json::errc::newer_format) {
    note("what is stored of " + std::string(client_id) + " cannot be read (" + why.message() +
         "); DELETE and PUT of the identity make it anew");
  } else if (devicetwin::refusal_of(why.code()).status == 500) {
    note("a request about " + std::string(client_id) + " failed: " + why.message());
  }
}

// --- devices -------------------------------------------------------------------------------------

inline login twin_service::judge(std::string_view client_id, std::string_view user_name,
                                 std::string_view password, devicetwin::timestamp now) {
  std::vector<std::string> keys;
  std::string why_none;
  if (is_client_id(client_id)) why_none = identities_.login_keys(client_id, keys);
  if (!why_none.empty()) return {0, why_none};
  return judge_device(settings_.hosts, client_id, user_name, password,
                      keys.empty() ? nullptr : &keys, now.ticks / devicetwin::ticks_per_second);
}

/// Makes the twin of an identity when there is none, and that of a module's device.
inline devicetwin::json::error twin_service::make_twin(std::string_view client_id,
                                                       devicetwin::timestamp now) {
  using devicetwin::json::errc;
  const twin_id id = id_of(client_id);
  for (const twin_id& needed : {twin_id{id.device, {}}, id}) {
    const auto found = store_.find(needed);
    if (found) continue;
    if (found.error().code() != errc::not_found) {
      if (needed == id) return found.error();
      continue;  // a module's twin can be used whatever the state of its device's
    }
    const auto made = session_.service_create({needed.device, needed.module}, now);
    if (!made && needed == id) return made.why;
  }
  return {};
}

inline void twin_service::connected(std::string_view client_id, std::uint64_t connection,
                                    bool goes_on, devicetwin::timestamp now) {
  const twin_id id = id_of(client_id);
  static_cast<void>(
      make_twin(client_id, now));  // what cannot be made is not found by the first request
  connections_[std::string(client_id)] = connection;
  if (session_.connected(id, connection)) return;
  if (goes_on) {
    for (const std::string& filter : table_.filters(client_id)) session_.subscribed(id, filter);
  } else {
    table_.remove_filters(client_id);
  }
}

inline void twin_service::disconnected(std::string_view client_id, std::uint64_t connection) {
  session_.disconnected(id_of(client_id), connection);
  const auto found = connections_.find(client_id);
  if (found != connections_.end() && found->second == connection) connections_.erase(found);
}

inline bool twin_service::subscribed(std::string_view client_id, std::string_view filter,
                                     bool keeps_session) {
  // The broker confirms a subscription at once, so it must be durable now; and with it what
  // happened before in this turn.
  if (keeps_session && (!table_.put_filter(client_id, filter) || !commit())) return false;
  session_.subscribed(id_of(client_id), filter);
  return true;
}

inline void twin_service::unsubscribed(std::string_view client_id, std::string_view filter) {
  session_.unsubscribed(id_of(client_id), filter);
  table_.remove_filter(client_id, filter);
}

inline bool twin_service::message(std::string_view client_id, std::string_view topic,
                                  std::string_view payload, devicetwin::timestamp now) {
  const devicetwin::json::error why =
      session_.message(id_of(client_id), topic, payload, now);  // a refusal is an action, too
  if (why) note_unreadable(client_id, why);
  const bool failed = why.code() == devicetwin::json::errc::storage_failed ||
                      why.code() == devicetwin::json::errc::out_of_memory;
  if (settings_.commits_each_message && failed) return false;
  collect();
  return !settings_.commits_each_message || commit();
}

inline void twin_service::collect() {
  for (const auto& action : session_.actions()) {
    if (action.kind == devicetwin::hub_action::event)
      continue;  // nobody is there to take change events
    std::string client_id(action.to.device);
    if (!action.to.module.empty()) client_id.append("/").append(action.to.module);
    pending_.publish.push_back(
        {std::move(client_id), std::string(action.topic), std::string(action.payload)});
  }
}

/// Ends the connection of a client, and of a device those of its modules.
inline void twin_service::end_connections(std::string_view client_id) {
  const std::string modules = std::string(client_id) + "/";
  if (connections_.find(client_id) != connections_.end())
    pending_.disconnect.emplace_back(client_id);
  for (auto c = connections_.lower_bound(modules);
       c != connections_.end() && c->first.compare(0, modules.size(), modules) == 0; ++c) {
    pending_.disconnect.push_back(c->first);
  }
}

// --- the service ---------------------------------------------------------------------------------

inline void twin_service::answer(http_call& call, devicetwin::timestamp now) {
  const login who = judge_service(settings_.hosts, call.authorization, identities_.listed(),
                                  now.ticks / devicetwin::ticks_per_second);
  if (!who.refusal.empty()) return refuse(call, {{401, 401002}, who.refusal}, now);
  const route asked = route_of(call.method, call.target);
  const std::string why(asked.why);
  switch (asked.what) {
    case route::kind::twin:
      return answer_about_twin(call, asked.client_id, now);
    case route::kind::identity:
      return answer_about_identity(call, asked.client_id, now);
    case route::kind::missing:
      return refuse(call, {{501, 501000}, why}, now);
    case route::kind::unknown:
      return refuse(call, {{404, 404000}, "there is nothing of this path"}, now);
    case route::kind::bad_path:
      return refuse(call, {{400, 400004}, why}, now);
    case route::kind::wrong_method:
      break;
  }
  refuse(call, {{405, 405000}, why}, now);
  call.allow = asked.allow;
}

inline void twin_service::refuse_twin(http_call& call, std::string_view client_id,
                                      const devicetwin::json::error& why,
                                      devicetwin::timestamp now) {
  note_unreadable(client_id, why);
  const bool of_module = client_id.find('/') != std::string_view::npos;
  const auto as = devicetwin::refusal_of(
      why.code(), of_module ? devicetwin::twin_of::module : devicetwin::twin_of::device);
  write_http_error(call, as, why, now);
}

inline void twin_service::answer_about_twin(http_call& call, const std::string& client_id,
                                            devicetwin::timestamp now) {
  const found_identity found = identities_.find(client_id);
  if (!found) {
    note_unreadable(client_id, found.why);
    return refuse(call, refusal_of(found), now);
  }
  if (const devicetwin::json::error e = make_twin(client_id, now))
    return refuse_twin(call, client_id, e, now);
  const twin_id id = id_of(client_id);
  if (call.method != "GET") {
    if (const refused other = contradicts_path(call.body, client_id))
      return refuse(call, other, now);
    const auto done = call.method == "PUT"
                          ? session_.service_replace(id, call.body, now, call.if_match)
                          : session_.service_patch(id, call.body, now, call.if_match);
    collect();
    if (!done) return refuse_twin(call, client_id, done.why, now);
  }
  show_twin(call, client_id, found.record, now);
}

/// The twin, with what its identity has by now.
inline void twin_service::show_twin(http_call& call, const std::string& client_id,
                                    const identity_record& record, devicetwin::timestamp now) {
  const auto twin = session_.service_get(id_of(client_id));
  if (!twin) return refuse_twin(call, client_id, twin.why, now);
  std::string part;
  devicetwin::merge::text_options trusted;
  trusted.trust = devicetwin::merge::text_trust::trusted;
  call.reply.clear();
  if (!write_identity_part(record, part) ||
      devicetwin::merge::apply_merge_patch_text(twin.body, part, call.reply, trusted)) {
    return refuse(call, {devicetwin::server_error, "the twin could not be written"}, now);
  }
  call.status = 200;
  call.etag = twin.etag;
}

inline void twin_service::answer_about_identity(http_call& call, const std::string& client_id,
                                                devicetwin::timestamp now) {
  if (call.method == "GET") {
    const found_identity found = identities_.find(client_id);
    if (!found) {
      note_unreadable(client_id, found.why);
      return refuse(call, refusal_of(found), now);
    }
    call.status = 200;
    call.etag = found.record.etag;
    call.reply.clear();
    write_identity(client_id, found.record, call.reply);
    return;
  }
  refused why;
  if (!table_.begin_part()) {
    why = {devicetwin::server_error, "the database cannot be written"};
  } else {
    why = change_identity(call, client_id, now);
    if (!table_.end_part(!why) && !why)
      why = {devicetwin::server_error, "the change could not be stored"};
  }
  if (!why) return;
  if (why.as.status == 500) note("a request about " + client_id + " failed: " + why.why);
  // Their twins may have been made in the part that was undone.
  store_.forget(id_of(client_id));
  store_.forget({id_of(client_id).device, {}});
  refuse(call, why, now);
}

/// PUT and DELETE, in a part of the group.
inline refused twin_service::change_identity(http_call& call, const std::string& client_id,
                                             devicetwin::timestamp now) {
  const twin_id id = id_of(client_id);
  std::vector<std::string> modules;
  if (id.module.empty()) modules = table_.modules_with_twins(id.device);
  if (call.method == "DELETE") {
    if (refused why = identities_.remove(client_id, call.if_match)) return why;
    store_.forget(id);
    for (const std::string& module : modules) store_.forget({id.device, module});
    end_connections(client_id);
    call.status = 204;
    call.reply.clear();
    return {};
  }
  identity_record before, after;
  if (refused why = identities_.put(client_id, call.body, call.if_match, now, before, after))
    return why;
  const bool is_new = before.etag.empty();
  if (is_new) {
    for (const std::string& module : modules)
      store_.forget({id.device, module});  // an older device's
    if (const devicetwin::json::error e = make_twin(client_id, now)) {
      return {devicetwin::server_error, "its twin could not be made: " + e.message()};
    }
  }
  if (!after.enabled) {
    end_connections(client_id);
  } else if (!is_new && before.keys() != after.keys() &&
             connections_.find(client_id) != connections_.end()) {
    pending_.disconnect.push_back(client_id);  // it comes again with its new key
  }
  call.status = 200;
  call.etag = after.etag;
  call.reply.clear();
  write_identity(client_id, after, call.reply);
  return {};
}

// --- turns ---------------------------------------------------------------------------------------

inline void twin_service::consequences::take(consequences& other) {
  for (publication& p : other.publish) publish.push_back(std::move(p));
  for (std::string& client_id : other.disconnect) disconnect.push_back(std::move(client_id));
  other.clear();
}

/// Makes durable what was written, and begins a new group. False: it has not happened.
inline bool twin_service::commit() {
  const bool durable = table_.end_group();
  table_.begin_group();
  if (durable) {
    ready_.take(pending_);
  } else {
    store_.forget_all();  // what is live is ahead of what is stored
    pending_.clear();
  }
  return durable;
}

inline bool twin_service::finish_turn(std::vector<publication>& publish,
                                      std::vector<std::string>& disconnect) {
  const bool durable = commit();
  publish = std::exchange(ready_.publish, {});
  disconnect = std::exchange(ready_.disconnect, {});
  return durable;
}

}  // namespace hub
