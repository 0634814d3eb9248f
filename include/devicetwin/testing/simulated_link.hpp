/// A bad network between device sessions and a hub session, in one thread and without waiting: time
/// is made up, and messages are lost, repeated and reordered. The same seed does the same again.
///
///     devicetwin::testing::link_listener nobody;
///     devicetwin::testing::simulated_link link(hub, nobody);
///     const std::size_t pump = link.add({"pump-7"}, session);
///     link.connect(pump);
///     session.report(R"({"rpm":900})", link.now());
///     link.take_device_actions(pump);              // puts them on the link
///     link.run(devicetwin::milliseconds{60'000});
///
/// docs/testing.md has a whole program.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t, std::int64_t
#include <random>       // std::mt19937_64
#include <set>          // std::set
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <utility>      // std::move
#include <vector>       // std::vector

#include "../base/time.hpp"
#include "../device/device_session.hpp"
#include "../twin/identity.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace testing {

/// How bad a link is. "One in n" with n = 0 means never.
struct link_options {
  std::uint64_t seed = 1;
  unsigned one_lost_in = 6;
  unsigned one_repeated_in = 8;
  unsigned one_late_in = 5;               ///< so late that others overtake it
  milliseconds longest_delay{100};        ///< of a message that is not late
  milliseconds longest_late_delay{4000};  ///< on top of that
  milliseconds quiet_delay{5};            ///< of every message while the link is quiet
  /// What the hub's clock shows when the link is made: 2026-01-31T12:00:00Z.
  timestamp start{std::int64_t{1'769'860'800} * ticks_per_second};
};

/// A message on its way.
struct link_message {
  bool to_hub = false;
  std::size_t device = 0;  ///< as add() returned it
  std::string topic;
  std::string payload;
};

/// What a test can hear of. Derive from it and hide what you want to hear.
struct link_listener {
  /// The link, or take_device_actions(), has called the session of a device: its actions() and
  /// changes() say what came of it. They are put on the link after this call.
  void after_device(std::size_t) {}
  /// The same of the hub, and take_hub_actions().
  void after_hub() {}
  /// A session returned an error for a message or, with a message without a topic, for a tick.
  void device_failed(std::size_t, const link_message&, const json::error&) {}
  /// The hub returned an error for a message. It has answered where it can.
  void hub_failed(const link_message&, const json::error&) {}
};

/// The link between a hub session (hub/hub_session.hpp) and any number of device sessions
/// (device/device_session.hpp), which it also wakes when they are due. The hub, the sessions and
/// the listener must outlive it. Not for several threads at once.
template <class Hub, class Listener>
class simulated_link {
 public:
  simulated_link(Hub& hub, Listener& listener, const link_options& options = {})
      : hub_(&hub), listener_(listener), options_(options), random_(options.seed) {}
  simulated_link(const simulated_link&) = delete;
  simulated_link& operator=(const simulated_link&) = delete;

  // --- who is on the link -----------------------------------------------------------------------

  /// Adds a device, or a module, that is not connected. Returns its number: 0, 1, 2 and so on.
  std::size_t add(const twin_id& id, device_session& session) {
    devices_.push_back({std::string(id.device), std::string(id.module), &session, 0});
    return devices_.size() - 1;
  }
  /// A device starts again, with another session and not connected. The hub hears that the
  /// connection has ended.
  void replace_device(std::size_t device, device_session& session) {
    cut(device);
    devices_[device].session = &session;
  }
  /// The hub starts again: all connections end. Their sessions have yet to hear of it, by
  /// disconnect(), connect() or replace_device().
  void replace_hub(Hub& hub) {
    for (std::size_t i = 0; i < devices_.size(); ++i) cut(i);
    hub_ = &hub;
  }

  /// Connects a device, and tells both ends. Without an effect while it is connected. Errors: of
  /// hub_session::connected() and device_session::connected().
  json::error connect(std::size_t device) {
    member& m = devices_[device];
    if (m.connection != 0) return {};
    m.connection = ++connections_;
    if (json::error e = hub_->connected(id_of(m), m.connection)) {
      m.connection = 0;
      return e;
    }
    json::error e = m.session->connected(now_);
    take_device_actions(device);
    return e;
  }
  /// Ends the connection, and tells both ends. The session is told in any case. Errors: of
  /// device_session::disconnected().
  json::error disconnect(std::size_t device) {
    cut(device);
    json::error e = devices_[device].session->disconnected(now_);
    take_device_actions(device);
    return e;
  }
  /// Ends the connection without telling the device. What is on its way to the device is lost; of
  /// what is on its way to the hub, any part.
  void cut(std::size_t device) {
    member& m = devices_[device];
    if (m.connection == 0) return;
    drop_messages(device, [this](const link_message& lost) { return !lost.to_hub || one_in(2); });
    hub_->disconnected(id_of(m), m.connection);
    m.connection = 0;
  }
  /// Takes all messages of a device off the link.
  void drop_messages(std::size_t device) {
    drop_messages(device, [](const link_message&) { return true; });
  }
  bool is_connected(std::size_t device) const { return devices_[device].connection != 0; }

  // --- what is sent -----------------------------------------------------------------------------

  /// Puts on the link what a session wants sent. Call it after each call of a session of your own,
  /// such as report(). A device that is not connected sends nothing.
  void take_device_actions(std::size_t device) {
    listener_.after_device(device);
    const member& m = devices_[device];
    for (const device_action a : m.session->actions()) {
      if (m.connection == 0) continue;
      if (a.kind == device_action::subscribe) hub_->subscribed(id_of(m), a.topic);
      if (a.kind == device_action::publish) send(true, device, a.topic, a.payload);
    }
  }
  /// The same of the hub, after calls such as service_patch().
  void take_hub_actions() {
    listener_.after_hub();
    for (const auto& a : hub_->actions()) {
      if (a.topic.empty()) continue;  // an event, which is for the back end
      for (std::size_t i = 0; i < devices_.size(); ++i) {
        if (devices_[i].connection != 0 && id_of(devices_[i]) == a.to)
          send(false, i, a.topic, a.payload);
      }
    }
  }

  // --- time -------------------------------------------------------------------------------------

  /// The devices' clock, and the hub's.
  milliseconds now() const { return now_; }
  timestamp time() const { return {options_.start.ticks + now_.count * (ticks_per_second / 1000)}; }

  /// Lets time go by: messages arrive, and sessions that are due are woken. Returns false when
  /// 20,000 things have happened and the time has not come to an end: somebody answers for ever.
  bool run(milliseconds duration) {
    const std::int64_t end = now_.count + duration.count;
    for (std::size_t happened = 0;; ++happened) {
      milliseconds next = on_link_.empty() ? never : on_link_.begin()->due;
      std::size_t due = devices_.size();
      for (std::size_t i = 0; i < devices_.size(); ++i) {
        if (devices_[i].connection == 0 || devices_[i].session->next_tick() >= next) continue;
        next = devices_[i].session->next_tick();
        due = i;
      }
      if (next.count > end) break;
      if (happened == 20'000) return false;
      if (next > now_) now_ = next;
      due != devices_.size() ? wake(due) : deliver_next();
    }
    now_ = {end};
    return true;
  }
  /// A quiet link loses, repeats and reorders nothing. What was sent before is not affected.
  void set_quiet(bool quiet) { quiet_ = quiet; }
  /// Runs until nothing is on the link, for at most `longest`. Returns whether the link is empty.
  bool settle(milliseconds longest = {1'000'000}) {
    const std::int64_t end = now_.count + longest.count;
    while (!on_link_.empty() && on_link_.begin()->due.count <= end) {
      const milliseconds next = on_link_.begin()->due;
      if (!run({next > now_ ? next.count - now_.count : 0})) return false;
    }
    return on_link_.empty();
  }

  // --- what has happened ------------------------------------------------------------------------

  std::size_t on_its_way() const { return on_link_.size(); }
  std::size_t sent() const { return order_; }  ///< repetitions included, lost ones not
  std::size_t lost() const { return lost_; }   ///< by the link, not by the end of a connection
  std::size_t repeated() const { return repeated_; }

 private:
  struct member {
    std::string device, module;
    device_session* session;
    std::uint64_t connection;  ///< 0: none
  };
  struct travelling {
    milliseconds due;
    std::uint64_t order;
    std::uint64_t connection;
    link_message message;
    bool operator<(const travelling& other) const {
      return due != other.due ? due < other.due : order < other.order;
    }
  };

  static twin_id id_of(const member& m) { return {m.device, m.module}; }
  bool one_in(unsigned n) { return n != 0 && random_() % n == 0; }
  std::int64_t up_to(milliseconds longest) {
    return longest.count <= 0 ? 0
                              : static_cast<std::int64_t>(
                                    random_() % (static_cast<std::uint64_t>(longest.count) + 1));
  }

  void send(bool to_hub, std::size_t device, std::string_view topic, std::string_view payload) {
    unsigned copies = 1;
    if (!quiet_ && one_in(options_.one_lost_in)) {
      ++lost_;
      copies = 0;
    } else if (!quiet_ && one_in(options_.one_repeated_in)) {
      ++repeated_;
      copies = 2;
    }
    for (; copies != 0; --copies) {
      std::int64_t delay = quiet_ ? options_.quiet_delay.count : up_to(options_.longest_delay);
      if (!quiet_ && one_in(options_.one_late_in)) delay += up_to(options_.longest_late_delay);
      on_link_.insert({{now_.count + delay},
                       ++order_,
                       devices_[device].connection,
                       {to_hub, device, std::string(topic), std::string(payload)}});
    }
  }
  template <class Goes>
  void drop_messages(std::size_t device, Goes&& goes) {
    for (auto m = on_link_.begin(); m != on_link_.end();)
      m = m->message.device == device && goes(m->message) ? on_link_.erase(m) : ++m;
  }
  void deliver_next() {
    const travelling arrived = *on_link_.begin();
    on_link_.erase(on_link_.begin());
    const link_message& m = arrived.message;
    const member& party = devices_[m.device];
    if (m.to_hub) {  // what the broker has taken is delivered after the end of the connection, too
      if (json::error e = hub_->message(id_of(party), m.topic, m.payload, time()))
        listener_.hub_failed(m, e);
      take_hub_actions();
    } else if (arrived.connection == party.connection) {
      if (json::error e = party.session->message(m.topic, m.payload, now_))
        listener_.device_failed(m.device, m, e);
      take_device_actions(m.device);
    }
  }
  void wake(std::size_t device) {
    if (json::error e = devices_[device].session->tick(now_))
      listener_.device_failed(device, {false, device, {}, {}}, e);
    take_device_actions(device);
  }

  Hub* hub_;
  Listener& listener_;
  link_options options_;
  std::mt19937_64 random_;
  std::vector<member> devices_;
  std::set<travelling> on_link_;
  milliseconds now_{0};
  std::uint64_t order_ = 0, connections_ = 0;
  std::size_t lost_ = 0, repeated_ = 0;
  bool quiet_ = false;
};

}  // namespace testing
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
