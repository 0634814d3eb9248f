// Devices and a hub over a link that loses, repeats and reorders, with a made-up clock, until the
// link is quiet: then the copies must be equal, and nothing that was reported lost. The link is the
// one that users get, too (devicetwin/testing/simulated_link.hpp).
//
// What is simulated beside the link: writes of both parties, with conditions and without;
// connections lost, with what was under way; power losses of devices, which go on from what they
// saved; hubs that start again, from what is stored; stores that fail before or after they have
// stored; a time that is too long; identities made anew.
#pragma once

#include <devicetwin/device/device_session.hpp>
#include <devicetwin/hub/hub_session.hpp>
#include <devicetwin/testing/simulated_link.hpp>

#include <cstdint>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "memory_table.hpp"
#include "reference.hpp"

class sync_simulation : devicetwin::testing::link_listener {
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
      device& d = devices_.back();
      d.id = id;
      start(d);
      d.number = link_->add({d.id}, *d.session);
      recreate(d);
    }
  }
  sync_simulation(const sync_simulation&) = delete;
  sync_simulation& operator=(const sync_simulation&) = delete;

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
    std::size_t connections = 0, power_losses = 0, hub_starts = 0, recreated = 0, failures = 0,
                changes = 0, reports = 0, acknowledged = 0, preconditions = 0;
  } count;
  std::size_t lost() const { return link_->lost(); }
  std::size_t repeated() const { return link_->repeated(); }

 private:
  using link_type = devicetwin::testing::simulated_link<
      devicetwin::hub_session<devicetwin::twin_cache<memory_table>>, sync_simulation>;
  friend link_type;
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
    std::size_t number = 0;                // on the link
  };

  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
  bool one_in(unsigned n) { return below(n) == 0; }
  void complain(const std::string& what) {
    if (wrong_.empty()) wrong_ = what;
  }
  void complain_if(const json::error& e, const std::string& what) {
    if (e) complain(what + ": " + e.message());
  }
  static reference::node node_of(std::string_view text) {
    rapidjson::Document d;
    const json::error e = json::read(text, d);
    return e ? reference::node() : reference::from_value(d);
  }
  static reference::node empty() { return node_of("{}"); }

  // --- the link ---------------------------------------------------------------------------------

  bool is_connected(const device& d) const { return link_->is_connected(d.number); }
  void hub_failed(const devicetwin::testing::link_message&, const json::error& e) {
    if (e.code() != errc::precondition_failed && e.code() != errc::handler_stopped)
      complain("the hub refuses: " + e.message());
  }
  void device_failed(std::size_t, const devicetwin::testing::link_message& m,
                     const json::error& e) {
    complain("the device refuses " + m.topic + " " + m.payload + ": " + e.message());
  }
  void after_hub() {
    for (const devicetwin::hub_action& a : hub_->actions()) {
      if (a.kind == devicetwin::hub_action::event) continue;
      if (a.status == 204) ++count.acknowledged;
      if (a.status == 412) ++count.preconditions;
      if (a.status == 500) ++count.failures;
    }
  }
  void after_device(std::size_t number) {
    device& d = devices_[number];
    std::size_t changed = 0;
    for (const devicetwin::device_action a : d.session->actions()) {
      if (a.kind == devicetwin::device_action::changed) ++changed;
      if (a.kind == devicetwin::device_action::refused)
        complain("refused: " + std::string(a.payload) + " " + std::string(a.message));
      if (a.kind == devicetwin::device_action::failed)
        complain("no twin: " + std::string(a.message));
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
  /// The hub's replies to the devices, and the notifications that a service's write has made.
  void take_hub_actions() { link_->take_hub_actions(); }

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
    auto store = std::make_unique<table_store>(table_, devicetwin::azure,
                                               devicetwin::memory_source{}, 1 + below(3));
    auto hub = std::make_unique<hub_type>(*store);
    if (link_) {
      link_->replace_hub(*hub);
    } else {
      devicetwin::testing::link_options o;
      o.seed = random_();
      link_ = std::make_unique<link_type>(*hub, *this, o);
    }
    hub_ = std::move(hub);
    store_ = std::move(store);
  }

  /// The device's power comes back.
  void start(device& d, bool power_lost = false) {
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
    if (is_connected(d)) return;
    ++count.connections;
    complain_if(link_->connect(d.number), "connected");
  }
  void disconnect(device& d) {
    if (is_connected(d)) complain_if(link_->disconnect(d.number), "disconnected");
  }
  void lose_power(device& d) {
    ++count.power_losses;
    const auto before = std::move(d.session);  // the link has it until then
    start(d, true);
    link_->replace_device(d.number, *d.session);
  }
  /// Its connection is closed by that, and nothing of the old one comes to the new one.
  void recreate(device& d) {
    ++count.recreated;
    disconnect(d);
    link_->drop_messages(d.number);
    static_cast<void>(hub_->service_remove({d.id}, link_->time()));
    const unsigned status = hub_->service_create({d.id}, link_->time()).status;
    if (status != 200) complain("not made anew: " + std::to_string(status));
    // One who takes over what others write takes that over, too.
    if (options_.who == devicetwin::authority::shared) d.exact = false;
  }
  void report(device& d, const std::string& patch) {
    ++count.reports;
    const json::error e = d.session->report(patch, link_->now());
    if (!e) {
      d.wanted = reference::merge(d.wanted, node_of(patch));
      if (options_.always_saves || one_in(3)) save(d);
    } else if (e.code() != errc::patch_too_long) {
      complain("report " + patch + ": " + e.message());
    }
    link_->take_device_actions(d.number);
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
      status = hub_->service_replace({d.id}, of_desired(without_nulls(patch)), link_->time(), etag)
                   .status;
    } else {
      status = hub_->service_patch({d.id}, of_desired(one_in(12) ? "null" : random_object(2)),
                                   link_->time(), etag)
                   .status;
    }
    if (status != 200 && status != 412 && status != 500)
      complain("a service's write: " + std::to_string(status));
    take_hub_actions();
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
    for (device& d : devices_) complain_if(link_->disconnect(d.number), "disconnected");
  }

  void pass(std::int64_t duration) {
    if (!link_->run(ms(duration))) complain("there is no end to it");
  }

  /// The link is whole, everybody is there and says one thing more: that is enough to be in step.
  void be_quiet() {
    link_->set_quiet(true);
    for (device& d : devices_) connect(d);
    pass(1'000'000);
    for (device& d : devices_) {
      const std::string last = "{\"last\":" + std::to_string(steps_) + "}";
      if (hub_->service_patch({d.id}, of_desired(last), link_->time()).status != 200)
        complain("the last write");
      take_hub_actions();
      report(d, last);
    }
    pass(1'000'000);
    if (link_->on_its_way() != 0) complain("there is no end to the messages");
    for (device& d : devices_) check(d);
    link_->set_quiet(false);
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
  std::unique_ptr<link_type> link_;
  std::size_t steps_ = 0;
  std::string wrong_;

  static std::vector<device> reserved() {
    std::vector<device> v;
    v.reserve(4);  // they are pointed to
    return v;
  }
};
