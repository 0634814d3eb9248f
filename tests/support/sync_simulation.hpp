// Devices and a hub over a link that loses, repeats and reorders, with a made-up clock, until the
// link is quiet: then the copies must be equal, and nothing that was reported lost.
//
// What is simulated beside the link: writes of both parties, with conditions and without;
// connections lost, with what was under way; power losses of devices, which go on from what they
// saved; hubs that start again, from what is stored; stores that fail before or after they have
// stored; a time that is too long; identities made anew.
#pragma once

#include <devicetwin/device/device_session.hpp>
#include <devicetwin/hub/hub_session.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "memory_table.hpp"
#include "reference.hpp"

class sync_simulation {
 public:
  struct options {
    unsigned seed = 1;
    devicetwin::authority who = devicetwin::authority::device;
    bool conditional = false;
    std::size_t max_payload = devicetwin::dialect::unlimited;
    bool always_saves = true;  ///< after each report; otherwise now and then, and a power loss
                               ///< takes what was not saved
    bool loses_state = false;  ///< what was saved may be torn: a device then starts with nothing
  };

  explicit sync_simulation(const options& o) : options_(o), random_(o.seed) {
    restart_hub();
    for (const char* id : {"pump-7", "pump-8"}) {
      devices_.emplace_back();
      devices_.back().id = id;
      start(devices_.back(), false);
      recreate(devices_.back());
    }
  }

  /// So many events, in storms of some hundred with quiet between. What went wrong, or nothing.
  std::string run(std::size_t events) {
    while (events != 0 && wrong_.empty()) {
      const std::size_t some = events < 300 ? events : 300;
      for (std::size_t i = 0; i < some && wrong_.empty(); ++i) step();
      events -= some;
      if (wrong_.empty()) be_quiet();
    }
    return wrong_.empty() ? wrong_
                          : wrong_ + " (seed " + std::to_string(options_.seed) + ", event " +
                                std::to_string(steps_) + ")";
  }

  /// How often what happened, to see that it does.
  struct {
    std::size_t lost = 0, repeated = 0, connections = 0, power_losses = 0, hub_starts = 0,
                recreated = 0, refusals = 0, failures = 0, changes = 0, reports = 0,
                acknowledged = 0, preconditions = 0;
  } count;

 private:
  using table_store = devicetwin::twin_cache<memory_table>;
  using hub_type = devicetwin::hub_session<table_store>;

  struct device {
    std::string id;
    std::unique_ptr<devicetwin::device_session> session;
    std::string saved;                     // what a power loss leaves
    reference::node wanted, saved_wanted;  // what was reported, all told
    bool exact = true;                     // that is all of what should be in reported
    bool saved_knows = false;              // a twin had come when it was saved
    reference::node seen;                  // desired, as told by changes
    std::uint64_t connection = 0;          // 0: none
  };
  struct message {
    std::int64_t due;
    std::uint64_t order;
    std::size_t device;
    std::uint64_t connection;
    bool to_hub;
    std::string topic, payload;
    bool operator<(const message& other) const {
      return due != other.due ? due < other.due : order < other.order;
    }
  };

  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
  bool one_in(unsigned n) { return below(n) == 0; }
  void complain(const std::string& what) {
    if (wrong_.empty()) wrong_ = what;
  }
  void complain_if(const json::error& e, const std::string& what) {
    if (e) complain(what + ": " + e.message());
  }
  devicetwin::timestamp time() const { return at(noon().ticks + now_ * 10'000); }
  static reference::node node_of(std::string_view text) {
    rapidjson::Document d;
    const json::error e = json::read(text, d);
    return e ? reference::node() : reference::from_value(d);
  }
  static reference::node empty() { return node_of("{}"); }

  // --- the link ---------------------------------------------------------------------------------

  void send(const device& d, bool to_hub, std::string_view topic, std::string_view payload) {
    unsigned copies = 1;
    if (!quiet_ && one_in(6)) {
      ++count.lost;
      copies = 0;
    } else if (!quiet_ && one_in(8)) {
      ++count.repeated;
      copies = 2;
    }
    for (; copies != 0; --copies) {
      std::int64_t delay = quiet_ ? 5 : below(100);
      if (!quiet_ && one_in(5)) delay += below(4000);  // so late that others overtake
      link_.insert({now_ + delay, ++order_, static_cast<std::size_t>(&d - devices_.data()),
                    d.connection, to_hub, std::string(topic), std::string(payload)});
    }
  }
  /// What was on its way ends with the connection; what the broker had taken may still come to the
  /// hub.
  void cut(device& d) {
    if (d.connection == 0) return;
    const std::size_t index = static_cast<std::size_t>(&d - devices_.data());
    for (auto m = link_.begin(); m != link_.end();) {
      m = m->device == index && (!m->to_hub || one_in(2)) ? link_.erase(m) : ++m;
    }
    hub_->disconnected({d.id}, d.connection);
    d.connection = 0;
  }

  void deliver(const message& m) {
    device& d = devices_[m.device];
    if (m.to_hub) {
      const json::error e = hub_->message({d.id}, m.topic, m.payload, time());
      if (e && e.code() != errc::precondition_failed && e.code() != errc::handler_stopped)
        complain("the hub refuses: " + e.message());
      after_hub();
    } else if (m.connection == d.connection) {
      complain_if(d.session->message(m.topic, m.payload, ms(now_)),
                  "the device refuses " + m.topic + " " + m.payload);
      after_device(d);
    }
  }

  void after_hub() {
    for (const devicetwin::hub_action& a : hub_->actions()) {
      if (a.kind == devicetwin::hub_action::event) continue;
      if (a.status == 204) ++count.acknowledged;
      if (a.status == 412) ++count.preconditions;
      if (a.status == 500) ++count.failures;
      for (device& d : devices_) {
        if (d.id == a.to.device && d.connection != 0) send(d, false, a.topic, a.payload);
      }
    }
  }

  void after_device(device& d) {
    std::size_t changed = 0;
    for (const devicetwin::device_action a : d.session->actions()) {
      switch (a.kind) {
        case devicetwin::device_action::subscribe:
          hub_->subscribed({d.id}, a.topic);
          break;
        case devicetwin::device_action::publish:
          send(d, true, a.topic, a.payload);
          break;
        case devicetwin::device_action::arrived:
          break;
        case devicetwin::device_action::changed:
          ++changed;
          break;
        case devicetwin::device_action::refused:
          complain("refused: " + std::string(a.payload) + " " + std::string(a.message));
          break;
        case devicetwin::device_action::failed:
          complain("no twin: " + std::string(a.message));
          break;
      }
    }
    if (changed > 1) complain("changes are told more than once");
    if ((changed == 1) == d.session->changes().empty())
      complain("changes without being told, or told without");
    for (const devicetwin::text_change c : d.session->changes()) {
      ++count.changes;
      apply(d, c);
    }
    if (changed != 0 && !reference::equal(d.seen, node_of(d.session->text(part::desired)))) {
      complain("the changes do not lead to " + std::string(d.session->text(part::desired)));
    }
  }

  /// Takes one change over, and looks whether what it says was there is there.
  void apply(device& d, const devicetwin::text_change& c) {
    reference::node* at = &d.seen;
    std::string_view rest = c.pointer;
    for (;;) {
      if (rest.empty() || rest.front() != '/' || at->what != reference::node::object)
        return complain("a change of no property");
      rest.remove_prefix(1);
      const std::size_t end = rest.find('/') == rest.npos ? rest.size() : rest.find('/');
      std::string name;
      for (std::size_t i = 0; i < end; ++i) {
        if (rest[i] == '~') {
          name += rest[++i] == '1' ? '/' : '~';
        } else {
          name += rest[i];
        }
      }
      rest.remove_prefix(end);
      const auto found = at->o.find(name);
      if (!rest.empty()) {
        if (found == at->o.end()) return complain("a change inside of nothing");
        at = &found->second;
        continue;
      }
      if ((found == at->o.end()) != c.old_text.empty() ||
          (found != at->o.end() && !reference::equal(found->second, node_of(c.old_text)))) {
        return complain("a change at " + std::string(c.pointer) + " from what was not there");
      }
      if (c.new_text.empty()) {
        at->o.erase(name);
      } else {
        at->o[name] = node_of(c.new_text);
      }
      return;
    }
  }

  // --- what happens -----------------------------------------------------------------------------

  void restart_hub() {
    ++count.hub_starts;
    for (device& d : devices_) {
      if (hub_) cut(d);
    }
    hub_.reset();
    store_ = std::make_unique<table_store>(table_, devicetwin::azure, devicetwin::memory_source{},
                                           1 + below(3));
    hub_ = std::make_unique<hub_type>(*store_);
  }

  /// The device's power comes back.
  void start(device& d, bool power_lost) {
    devicetwin::device_options o;
    o.who = options_.who;
    o.conditional = options_.conditional;
    o.max_payload = options_.max_payload;
    o.seed = random_();
    o.max_kept = one_in(3) ? 0 : 4096;
    d.session = std::make_unique<devicetwin::device_session>(o);
    d.wanted = empty();
    if (options_.loses_state && !d.saved.empty() && one_in(3)) {
      std::string torn = d.saved;
      torn[below(static_cast<unsigned>(torn.size()))] ^= static_cast<char>(1 + below(255));
      if (d.session->restore(torn)) {
        d.exact = false;  // what the hub has is taken over
      } else {            // it was nothing that counts
        std::string again;
        complain_if(d.session->save(again), "save");
        if (again != d.saved) complain("a damaged state is taken");
        d.wanted = d.saved_wanted;
      }
    } else if (!d.saved.empty()) {
      complain_if(d.session->restore(d.saved), "restore");
      d.wanted = d.saved_wanted;
    }
    // Who has never seen the twin takes over what is in it: perhaps what they reported themselves
    // and did not save.
    if (power_lost && !d.saved_knows) d.exact = false;
    d.seen = node_of(d.session->text(part::desired));
  }
  void save(device& d) {
    d.saved.clear();
    complain_if(d.session->save(d.saved), "save");
    d.saved_wanted = d.wanted;
    d.saved_knows = d.session->version(part::reported) != devicetwin::no_version;
  }
  void connect(device& d) {
    if (d.connection != 0) return;
    ++count.connections;
    d.connection = ++connections_;
    complain_if(hub_->connected({d.id}, d.connection), "connected");
    complain_if(d.session->connected(ms(now_)), "connected");
    after_device(d);
  }
  void disconnect(device& d) {
    if (d.connection == 0) return;
    cut(d);
    complain_if(d.session->disconnected(ms(now_)), "disconnected");
    after_device(d);
  }
  void lose_power(device& d) {
    ++count.power_losses;
    cut(d);
    start(d, true);
  }
  /// Its connection is closed by that, and nothing of the old one comes to the new one.
  void recreate(device& d) {
    ++count.recreated;
    disconnect(d);
    const std::size_t index = static_cast<std::size_t>(&d - devices_.data());
    for (auto m = link_.begin(); m != link_.end();) m = m->device == index ? link_.erase(m) : ++m;
    static_cast<void>(hub_->service_remove({d.id}, time()));
    const unsigned status = hub_->service_create({d.id}, time()).status;
    if (status != 200) complain("not made anew: " + std::to_string(status));
    // One who takes over what others write takes that over, too.
    if (options_.who == devicetwin::authority::shared) d.exact = false;
  }
  void report(device& d, const std::string& patch) {
    ++count.reports;
    const json::error e = d.session->report(patch, ms(now_));
    if (!e) {
      d.wanted = reference::merge(d.wanted, node_of(patch));
      if (options_.always_saves || one_in(3)) save(d);
    } else if (e.code() != errc::patch_too_long) {
      complain("report " + patch + ": " + e.message());
    }
    after_device(d);
  }

  std::string random_value(unsigned depth) {
    switch (below(depth == 0 ? 5 : 8)) {
      case 0:
        return "null";
      case 1:
        return std::to_string(below(4));
      case 2:
        return one_in(2) ? "true" : "1.0";
      case 3:
        return "\"" + std::string(below(20), 'x') + "\\n\"";
      case 4:
        return one_in(2) ? "[1,{\"a\":2}]" : "[]";
      default:
        return random_object(depth - 1);
    }
  }
  std::string random_object(unsigned depth) {
    constexpr const char* names[] = {"a", "b", "c", "a/b", "~", "\\u00e9", "a_name_that_is_longer"};
    std::string text = "{";
    std::set<unsigned> used;
    for (unsigned i = below(4); i != 0; --i) {
      const unsigned which = below(7);
      if (!used.insert(which).second) continue;
      if (text.size() > 1) text += ",";
      text += std::string(one_in(4) ? " \"" : "\"") + names[which] + "\":" + random_value(depth);
    }
    return text + "}";
  }

  void service_write(device& d) {
    std::string etag;
    if (one_in(3)) etag = std::string(hub_->service_get({d.id}).etag);
    if (one_in(8)) etag = "AAAAAAAAAAE=";
    unsigned status;
    if (one_in(8)) {
      std::string values;
      const reference::node none;
      const std::string patch = random_object(2);
      status = hub_->service_replace({d.id}, of_desired(without_nulls(patch)), time(), etag).status;
    } else {
      status = hub_->service_patch({d.id}, of_desired(one_in(12) ? "null" : random_object(2)),
                                   time(), etag)
                   .status;
    }
    if (status != 200 && status != 412 && status != 500)
      complain("a service's write: " + std::to_string(status));
    after_hub();
  }
  static std::string without_nulls(std::string text) {
    for (std::size_t at; (at = text.find("null")) != text.npos;) text.replace(at, 4, "0");
    return text;
  }

  void step() {
    ++steps_;
    device& d = devices_[below(static_cast<unsigned>(devices_.size()))];
    table_.failing_store = one_in(10) ? table_.stores + 1 : 0;
    table_.stores_before_failing = one_in(2);
    switch (below(24)) {
      case 0:
        disconnect(d);
        break;
      case 1:
        if (one_in(3)) lose_power(d);
        break;
      case 2:
        if (one_in(10)) restart_hub_and_tell();
        break;
      case 3:
        table_.failing_store = 0;
        if (one_in(20)) recreate(d);
        break;
      case 4:
        save(d);
        break;
      case 5:
      case 6:
      case 7:
        service_write(d);
        break;
      case 8:
      case 9:
      case 10:
        report(d, random_object(2));
        break;
      case 11:
      case 12:
      case 13:
        connect(d);
        break;
      default:
        pass(below(one_in(20) ? 70'000 : 300));
        break;
    }
    table_.failing_store = 0;
  }
  void restart_hub_and_tell() {
    restart_hub();
    for (device& d : devices_) {
      complain_if(d.session->disconnected(ms(now_)), "disconnected");
      after_device(d);
    }
  }

  /// Time goes by: messages come, and what is due is done.
  void pass(std::int64_t duration) {
    const std::int64_t end = now_ + duration;
    for (std::size_t rounds = 0; wrong_.empty(); ++rounds) {
      if (rounds > 20'000) return complain("there is no end to it");
      std::int64_t next = link_.empty() ? INT64_MAX : link_.begin()->due;
      device* ticking = nullptr;
      for (device& d : devices_) {
        if (d.connection != 0 && d.session->next_tick().count < next) {
          next = d.session->next_tick().count;
          ticking = &d;
        }
      }
      if (next > end) break;
      if (next > now_) now_ = next;
      if (ticking != nullptr) {
        const std::int64_t due = ticking->session->next_tick().count;
        complain_if(ticking->session->tick(ms(now_)), "tick");
        if (ticking->session->next_tick().count == due && ticking->session->actions().empty())
          complain("a tick that stays due");
        after_device(*ticking);
      } else {
        const message m = *link_.begin();
        link_.erase(link_.begin());
        deliver(m);
      }
    }
    now_ = end;
  }

  /// The link is whole, everybody is there and says one thing more: that is enough to be in step.
  void be_quiet() {
    quiet_ = true;
    for (device& d : devices_) connect(d);
    pass(1'000'000);
    for (device& d : devices_) {
      const std::string last = "{\"last\":" + std::to_string(steps_) + "}";
      if (hub_->service_patch({d.id}, of_desired(last), time()).status != 200)
        complain("the last write");
      after_hub();
      report(d, last);
    }
    pass(1'000'000);
    if (!link_.empty()) complain("there is no end to the messages");
    for (device& d : devices_) check(d);
    quiet_ = false;
  }
  void check(device& d) {
    if (!wrong_.empty()) return;
    store_->forget_all();
    const auto found = store_->find({d.id});
    if (!found) return complain("the twin is gone");
    const devicetwin::twin& t = **found;
    const auto values = [](const json::arena_value& v) { return reference::from_value(v); };
    const std::string shown = d.id + "\n  hub    " + device_text(t) + "\n  device " +
                              std::string(d.session->text(part::desired)) + " " +
                              std::string(d.session->text(part::reported)) + " " +
                              std::to_string(d.session->version(part::desired)) + " " +
                              std::to_string(d.session->version(part::reported));
    if (!d.session->in_step()) return complain("not in step: " + shown);
    if (!reference::equal(node_of(d.session->text(part::desired)), values(t.desired())))
      return complain("desired differs: " + shown);
    if (d.session->version(part::desired) != t.desired_version())
      return complain("desired's version differs: " + shown);
    if (!reference::equal(node_of(d.session->text(part::reported)), values(t.reported())))
      return complain("reported differs: " + shown);
    if (d.session->version(part::reported) != t.reported_version())
      return complain("reported's version differs: " + shown);
    if (d.exact && !reference::equal(d.wanted, values(t.reported())))
      return complain("what was reported is lost: " + shown);
    if (!d.exact) d.wanted = values(t.reported());
    d.exact = options_.who == devicetwin::authority::device;
    save(d);
  }

  options options_;
  std::mt19937_64 random_;
  memory_table table_;
  std::unique_ptr<table_store> store_;
  std::unique_ptr<hub_type> hub_;
  std::vector<device> devices_ = reserved();
  std::set<message> link_;
  std::int64_t now_ = 0;
  std::uint64_t order_ = 0, connections_ = 0;
  std::size_t steps_ = 0;
  bool quiet_ = false;
  std::string wrong_;

  static std::vector<device> reserved() {
    std::vector<device> v;
    v.reserve(4);  // they are pointed to
    return v;
  }
};
