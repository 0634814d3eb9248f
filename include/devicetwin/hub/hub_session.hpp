/// The hub's end of the twin protocol, as a state machine without I/O: what devices publish and the
/// service asks goes in, what is to be published and answered comes out.
///
///     memory_store store;
///     hub_session<memory_store> hub(store);
///     hub.connected({"pump-7"});                                   // the broker says who it is
///     hub.subscribed({"pump-7"}, "$iothub/twin/PATCH/properties/desired/#");
///     hub.message({"pump-7"}, topic, payload, now);
///     for (const hub_action& a : hub.actions()) ...  // publish a.payload on a.topic to a.to
///
/// docs/hub.md has the flow and what is guaranteed.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <string_view>  // std::string_view

#include "../base/text_buffer.hpp"
#include "../protocol/error_body.hpp"
#include "../protocol/topic.hpp"
#include "../twin/store.hpp"
#include "../twin/view.hpp"
#include "action.hpp"
#include "detail/action_list.hpp"
#include "detail/connection_table.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// What a service call is answered with, as over HTTP.
struct service_reply {
  unsigned status = 200;
  std::string_view body = {};  ///< JSON: the twin, or why not; empty for a write that was done
  std::string_view etag = {};  ///< without quotes; of the twin as it is now; empty after an error
                               ///< and of a twin without one
  json::error why = {};

  explicit operator bool() const noexcept { return status < 300; }
};

struct hub_options {
  std::size_t max_payload =
      256 * 1024;  ///< bytes of what a device publishes; more is refused with 413
  std::size_t max_service_body = 1 << 20;  ///< bytes of what the service sends
  std::size_t max_connections = 100'000;   ///< devices and modules connected at a time
  /// How often a write is tried where somebody else has stored the twin in between, at least once;
  /// after that it is refused with 503.
  unsigned write_attempts = 2;
};

/// The hub over a store (twin/store.hpp has what one must offer), with its own memory from
/// `Memory`: heap_memory or buffer_memory. `store` must outlive it.
///
/// Who a message is from is what the caller says, by `twin_id`, and never taken from a topic or
/// payload; so no device can reach another's twin. A reply and a notification are handed out only
/// after the store has committed what they speak of. Whatever goes wrong, the twin is as it was, or
/// as stored, and the session can be used on.
///
/// actions(), and what a service_reply refers to, are valid until the next call of the session or
/// the store. Not for several threads at once: give each thread a session of its own, over a
/// synchronized_store (twin/synchronized_store.hpp). Cost of a message: finding the id, twice, and
/// the twin's own work; once its buffers have grown, no allocation of its own.
template <class Store, class Memory = heap_memory>
class hub_session {
  static_assert(sizeof(devicetwin::detail::check_twin_store<Store>) !=
                0);  // says what a store lacks

 public:
  explicit hub_session(Store& store, const hub_options& options = {},
                       const Memory& memory = Memory()) noexcept
      : memory_(memory),
        store_(store),
        options_(options),
        done_(memory_.source()),
        body_(memory_.source()),
        connections_(memory_.source()),
        actions_(memory_.source()) {}
  hub_session(const hub_session&) = delete;
  hub_session& operator=(const hub_session&) = delete;

  // --- what the broker tells ------------------------------------------------------------------
  //
  // `connection` tells two connections of one client apart, by any number of the caller's: where a
  // client takes over from its older self, the older one's end may be told after the newer one's
  // beginning, and is then passed over.

  /// A device has connected, and is subscribed to nothing yet. Errors: invalid_identity;
  /// too_many_connections beyond max_connections; out_of_memory. It is not notified of changes
  /// then, and everything else works.
  json::error connected(const twin_id& id, std::uint64_t connection = 0) {
    actions_.clear();
    return connections_.add(id, connection, options_.max_connections);
  }
  void disconnected(const twin_id& id, std::uint64_t connection = 0) noexcept {
    actions_.clear();
    connections_.remove(id, connection);
  }
  /// It is subscribed to an MQTT topic filter; of interest are those that match the topics of
  /// notifications, such as
  /// `$iothub/twin/PATCH/properties/desired/#` and `$iothub/#`. A filter for one certain version is
  /// not. Wildcards as in MQTT 3.1.1, section 4.7. Without an effect when it is not connected.
  void subscribed(const twin_id& id, std::string_view filter) noexcept {
    actions_.clear();
    connections_.subscribe(id, filter);
  }
  void unsubscribed(const twin_id& id, std::string_view filter) noexcept {
    actions_.clear();
    connections_.unsubscribe(id, filter);
  }

  bool is_connected(const twin_id& id) const noexcept { return connections_.is_connected(id); }
  /// Whether it is connected and told of changes of desired.
  bool is_notified(const twin_id& id) const noexcept { return connections_.is_notified(id); }
  std::size_t connections() const noexcept { return connections_.size(); }

  /// A device has published. A topic under `$iothub/twin/` that is a device's to write gets its
  /// reply, with a status other than 200 and 204 when it was refused; this function then gives the
  /// reason. The payload of GET says nothing and is not looked at. A malformed request whose `$rid`
  /// can be read (readable_request_id()) is refused with 400. Errors without an action:
  /// invalid_topic, when it is not the twin's, or is malformed and has no `$rid` to answer to;
  ///   not_writable, when it is the hub's to write; invalid_identity, when the id is empty or too
  ///   long.
  json::error message(const twin_id& id, std::string_view topic, std::string_view payload,
                      timestamp now);

  /// The same message refused without looking at it, as with `throttled`.
  json::error refuse(const twin_id& id, std::string_view topic, const refusal& as,
                     std::string_view message, timestamp now);

  // --- what the service asks ------------------------------------------------------------------

  /// The service's view of the twin, `$metadata` included.
  service_reply service_get(const twin_id& id);
  /// As basic_twin::service_patch() and service_replace(); `if_match` as etag_matches() has it. The
  /// reply has no body: service_get() has the twin. The device is notified when it can be.
  service_reply service_patch(const twin_id& id, std::string_view text, timestamp now,
                              std::string_view if_match = {}) {
    return write_as_service(id, text, now, if_match, false);
  }
  service_reply service_replace(const twin_id& id, std::string_view text, timestamp now,
                                std::string_view if_match = {}) {
    return write_as_service(id, text, now, if_match, true);
  }
  /// A new twin; that of a module needs one of its device. 409 when it is there already.
  service_reply service_create(const new_identity& who, timestamp now);
  /// 204, and the twin is gone. Modules of a device are twins of their own, and stay.
  service_reply service_remove(const twin_id& id, timestamp now, std::string_view if_match = {});

  // --- what is to be done ---------------------------------------------------------------------

  /// In this order: the reply, the notification, the event; each at most once.
  struct action_range {
    const hub_action* first;
    std::size_t count;
    const hub_action* begin() const noexcept { return first; }
    const hub_action* end() const noexcept { return first + count; }
    std::size_t size() const noexcept { return count; }
    bool empty() const noexcept { return count == 0; }
    const hub_action& operator[](std::size_t index) const noexcept { return first[index]; }
  };
  action_range actions() const noexcept { return {actions_.data(), actions_.size()}; }
  /// What the last write did: its changes, versions and etag. Empty where it was refused. Valid
  /// until the next write.
  const outcome& last_outcome() const noexcept { return done_; }

 private:
  using twin_type = typename Store::twin_type;

  /// What finding, or writing and committing came to.
  struct failure {
    json::error why = {};
    refusal as = {};
  };

  static bool is_for_hub(const twin_topic& topic) noexcept {
    return topic.kind == twin_topic_kind::get || topic.kind == twin_topic_kind::reported_patch;
  }
  json::error refuse(const twin_topic& request, const failure& f, timestamp now) noexcept;
  void notify_and_tell(std::string_view operation) noexcept;
  std::string_view body_of(const failure& f, const timestamp* now) noexcept;
  service_reply refused(const failure& f, const timestamp* now) noexcept;
  service_reply write_as_service(const twin_id& id, std::string_view text, timestamp now,
                                 std::string_view if_match, bool replace);

  twin_of whose() const noexcept {
    return actions_.party().module.empty() ? twin_of::device : twin_of::module;
  }
  failure by_party(const json::error& why) const noexcept {
    return {why, refusal_of(why.code(), whose())};
  }
  /// Of what the store says, the party can understand only that there is no twin.
  failure by_store(const json::error& why) const noexcept {
    return {why,
            why.code() == json::errc::not_found ? refusal_of(why.code(), whose()) : server_error};
  }
  template <class Write>
  failure write_and_commit(Write&& write);

  Memory memory_;
  Store& store_;
  hub_options options_;
  outcome done_;
  text_buffer body_;
  detail::connection_table connections_;
  detail::action_list actions_;
  char error_body_[max_error_body];  ///< it must be written without asking for memory
};

// ---------------------------------------------------------------------------------------------

template <class Store, class Memory>
json::error hub_session<Store, Memory>::message(const twin_id& id, std::string_view topic,
                                                std::string_view payload, timestamp now) {
  if (const json::errc code = actions_.start(id); code != json::errc::ok) return code;
  const auto request = parse_twin_topic(topic);
  if (!request) {
    const failure f = by_party(request.error());
    actions_.add_reply_to_malformed(topic, f.as.status, body_of(f, &now));
    return f.why;
  }
  if (!is_for_hub(*request)) return json::errc::not_writable;
  if (payload.size() > options_.max_payload) {
    return refuse(
        *request,
        by_party(
            json::error(json::errc::too_large).limited_to(options_.max_payload, payload.size())),
        now);
  }
  if (request->kind == twin_topic_kind::get) {
    const auto found = store_.find(actions_.party());
    if (!found) return refuse(*request, by_store(found.error()), now);
    body_.resize(0);
    if (json::error e = write_device_view(**found, body_))
      return refuse(*request, by_store(e), now);
    actions_.add_reply(*request, 200, no_version, body_.view());
    return {};
  }
  const std::int64_t expected =
      request->version == no_version ? twin_type::any_version : request->version;
  const failure f =
      write_and_commit([&](twin_type& t) { return t.device_patch(payload, now, done_, expected); });
  if (f.why) return refuse(*request, f, now);
  actions_.add_reply(*request, 204, done_.reported_version, {});
  notify_and_tell("updateTwin");
  return {};
}

template <class Store, class Memory>
json::error hub_session<Store, Memory>::refuse(const twin_id& id, std::string_view topic,
                                               const refusal& as, std::string_view message,
                                               timestamp now) {
  if (const json::errc code = actions_.start(id); code != json::errc::ok) return code;
  text_buffer body(error_body_, sizeof error_body_);
  error_details details;
  details.now = &now;
  if (json::error e = write_error_body(as, message, body, details)) return e;
  const auto request = parse_twin_topic(topic);
  if (!request) {
    actions_.add_reply_to_malformed(topic, as.status, body.view());
    return request.error();
  }
  if (!is_for_hub(*request)) return json::errc::not_writable;
  actions_.add_reply(*request, as.status, no_version, body.view());
  return {};
}

template <class Store, class Memory>
service_reply hub_session<Store, Memory>::service_get(const twin_id& id) {
  if (const json::errc code = actions_.start(id); code != json::errc::ok)
    return refused(by_party(code), nullptr);
  const auto found = store_.find(actions_.party());
  if (!found) return refused(by_store(found.error()), nullptr);
  body_.resize(0);
  if (json::error e = write_service_view(**found, body_)) return refused(by_store(e), nullptr);
  service_reply answer;
  answer.body = body_.view();
  answer.etag = (*found)->etag();
  return answer;
}

template <class Store, class Memory>
service_reply hub_session<Store, Memory>::write_as_service(const twin_id& id, std::string_view text,
                                                           timestamp now, std::string_view if_match,
                                                           bool replace) {
  if (const json::errc code = actions_.start(id); code != json::errc::ok)
    return refused(by_party(code), &now);
  if (text.size() > options_.max_service_body) {
    return refused(
        by_party(
            json::error(json::errc::too_large).limited_to(options_.max_service_body, text.size())),
        &now);
  }
  const failure f = write_and_commit([&](twin_type& t) {
    return replace ? t.service_replace(text, now, done_, if_match)
                   : t.service_patch(text, now, done_, if_match);
  });
  if (f.why) return refused(f, &now);
  notify_and_tell(replace ? "replaceTwin" : "updateTwin");
  service_reply answer;
  answer.etag = done_.etag();
  return answer;
}

template <class Store, class Memory>
service_reply hub_session<Store, Memory>::service_create(const new_identity& who, timestamp now) {
  const twin_id id{who.device_id, who.module_id};
  if (const json::errc code = actions_.start(id); code != json::errc::ok)
    return refused(by_party(code), &now);
  if (!id.module.empty()) {
    const auto device = store_.find({actions_.party().device, {}});
    if (!device) {
      failure f = by_store(device.error());
      if (device.error().code() == json::errc::not_found)
        f.as = refusal_of(json::errc::not_found, twin_of::device);
      return refused(f, &now);
    }
  }
  if (json::error e = store_.create(who, now, done_)) {
    const bool partys =
        e.code() == json::errc::already_exists || e.code() == json::errc::invalid_identity;
    return refused(partys ? by_party(e) : by_store(e), &now);
  }
  notify_and_tell(whose() == twin_of::device ? "createDeviceIdentity" : "createModuleIdentity");
  service_reply answer;
  answer.etag = done_.etag();
  return answer;
}

template <class Store, class Memory>
service_reply hub_session<Store, Memory>::service_remove(const twin_id& id, timestamp now,
                                                         std::string_view if_match) {
  if (const json::errc code = actions_.start(id); code != json::errc::ok)
    return refused(by_party(code), &now);
  const auto found = store_.find(actions_.party());
  if (!found) return refused(by_store(found.error()), &now);
  if (!etag_matches(if_match, (*found)->etag()))
    return refused(by_party(json::errc::precondition_failed), &now);
  body_.resize(0);
  if (json::error e = write_lifecycle_event(**found, body_)) return refused(by_store(e), &now);
  if (json::error e = store_.remove(actions_.party())) {
    return refused(e.code() == json::errc::precondition_failed ? by_party(e) : by_store(e), &now);
  }
  actions_.add_event(whose() == twin_of::device ? "deleteDeviceIdentity" : "deleteModuleIdentity",
                     body_.view());
  service_reply answer;
  answer.status = 204;
  return answer;
}

/// Writes to the twin of the party and makes it durable. Where somebody else stored it since it was
/// loaded, what they stored is loaded and written to, once.
template <class Store, class Memory>
template <class Write>
typename hub_session<Store, Memory>::failure hub_session<Store, Memory>::write_and_commit(
    Write&& write) {
  for (unsigned attempt = 1;; ++attempt) {
    const auto found = store_.find(actions_.party());
    if (!found) return by_store(found.error());
    if (json::error e = write(**found)) return by_party(e);
    if (!done_.effective()) return {};  // nothing to store
    json::error e = store_.commit(actions_.party());
    if (!e) return {};
    const bool overtaken = e.code() == json::errc::precondition_failed;
    if (overtaken && attempt < options_.write_attempts) continue;
    done_.clear();
    return overtaken ? failure{e, server_busy} : by_store(e);
  }
}

template <class Store, class Memory>
json::error hub_session<Store, Memory>::refuse(const twin_topic& request, const failure& f,
                                               timestamp now) noexcept {
  actions_.add_reply(request, f.as.status, no_version, body_of(f, &now));
  return f.why;
}

template <class Store, class Memory>
service_reply hub_session<Store, Memory>::refused(const failure& f, const timestamp* now) noexcept {
  service_reply answer;
  answer.status = f.as.status;
  answer.body = body_of(f, now);
  answer.why = f.why;
  return answer;
}

template <class Store, class Memory>
std::string_view hub_session<Store, Memory>::body_of(const failure& f,
                                                     const timestamp* now) noexcept {
  text_buffer body(error_body_, sizeof error_body_);
  error_details details;
  details.now = now;
  // max_error_body is enough for all of them.
  if (f.why.code() != json::errc::not_found) {
    static_cast<void>(write_error_body(f.as, f.why, body, details));
  } else {
    const bool of_device = f.as.code == refusal_of(json::errc::not_found, twin_of::device).code;
    static_cast<void>(write_error_body(
        f.as, of_device ? "there is no twin of this device" : "there is no twin of this module",
        body, details));
  }
  return body.view();
}

/// What follows from done_: the notification, if there is one and somebody to get it, and the
/// event.
template <class Store, class Memory>
void hub_session<Store, Memory>::notify_and_tell(std::string_view operation) noexcept {
  if (!done_.notification().empty() && is_notified(actions_.party()))
    actions_.add_notification(done_.desired_version, done_.notification());
  if (!done_.event().empty()) actions_.add_event(operation, done_.event());
}

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
