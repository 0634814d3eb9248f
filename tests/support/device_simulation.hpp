// A device session, a link that loses, doubles and reorders messages, and a small slow hub; beside
// them what an application was told, what the device reported, and an outbox, which all must agree.
// Gives what went wrong, or an empty text.
#pragma once

#include <devicetwin/devicetwin.hpp>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "random_json.hpp"
#include "reference.hpp"
#include "reference_twin.hpp"
#include "time.hpp"

namespace simulation {

namespace json = devicetwin::json;
namespace merge = devicetwin::merge;
using devicetwin::part;
using reference::node;

inline node empty_object() {
  node n;
  n.what = node::object;
  return n;
}
inline node parse(std::string_view text) {
  const auto n = reference::parser::parse(text);
  return n ? *n : node{};
}
/// The text of a section or change with the hub's own member.
inline std::string with_version(std::string text, std::int64_t version, bool first) {
  const std::string member = "\"$version\":" + std::to_string(version);
  const bool any = text.find_first_not_of(" {}\t\r\n") != std::string::npos;
  if (first) return text.insert(text.find('{') + 1, member + (any ? "," : ""));
  return text.insert(text.rfind('}'), (any ? "," : "") + member);
}

struct letter {
  std::string topic, payload;
};

/// The hub: two sections and their versions.
struct hub {
  node desired = empty_object(), reported = empty_object();
  std::int64_t desired_version = 1, reported_version = 1;

  letter twin(std::string_view request_id, bool first) const {
    return {"$iothub/twin/res/200/?$rid=" + std::string(request_id),
            "{\"desired\":" + with_version(reference::text_of(desired), desired_version, first) +
                ",\"reported\":" +
                with_version(reference::text_of(reported), reported_version, !first) + "}"};
  }
};

class device_simulation {
 public:
  explicit device_simulation(random_json& random) : random_(random) {
    options_.rules = &devicetwin::rfc7396;
    options_.who =
        random.below(2) == 0 ? devicetwin::authority::device : devicetwin::authority::shared;
    options_.conditional = random.below(3) == 0;
    const std::size_t limits[] = {devicetwin::dialect::unlimited, 200, 60};
    options_.max_payload = limits[random.below(3)];
    options_.max_kept = random.below(4) == 0 ? 100 : 4096;
    options_.time_out = ms(50);
    options_.retry_first = ms(10);
    options_.retry_longest = ms(200);
    refuses_ = random.below(3) == 0;
    power_fails_ = random.below(3) == 0;
    const bool fixed = random.below(2) == 0;
    if (fixed) tight_ = random.below(4) == 0;
    bytes_ = !fixed ? 0 : tight_ ? 3000 + 500 * random.below(40) : 256 * 1024;
    with_outbox_ = options_.who == devicetwin::authority::shared && !power_fails_ && !tight_ &&
                   options_.max_payload == devicetwin::dialect::unlimited;
    if (random.below(2) == 0) {
      random_.avoid_null();
      hub_.desired = parse(object(1));
      hub_.reported = parse(object(1));
    }
    merge_options_.nulls = merge::null_rule::remove;
    start();
    model_ = hub_.reported;
  }

  std::string run(unsigned most_steps) {
    for (unsigned i = 0; i < most_steps && !random_.exhausted() && wrong_.empty(); ++i) step();
    if (wrong_.empty() && !tight_) settle();
    return wrong_.empty() ? wrong_ : wrong_ + story_;
  }

 private:
  void start() {
    options_.seed = ++starts_ * 7919;
    session_.reset();
    if (bytes_ == 0) {
      session_ = std::make_unique<devicetwin::device_session>(options_);
    } else {
      buffer_.assign(bytes_ + 8, '\x5a');
      session_ = std::make_unique<devicetwin::device_session>(buffer_.data(), bytes_, options_);
    }
    online_ = false;
  }

  void step() {
    now_ += random_.below(8);
    switch (random_.below(16)) {
      case 0:
      case 1:
        report(object());
        break;
      case 2:
      case 3:
        write_desired();
        break;
      case 4:
      case 5:
      case 6:
        deliver_up(lossy_index(up_));
        break;
      case 7:
      case 8:
      case 9:
        deliver_down(lossy_index(down_));
        break;
      case 10:
        lose_or_double(random_.below(2) == 0 ? up_ : down_);
        break;
      case 11:
        online_ ? disconnect() : connect();
        break;
      case 12:
        if (!online_) connect();
        break;
      case 13:
        now_ += 30 * random_.below(10);
        tick();
        break;
      case 14:
        foreign();
        break;
      default:
        power();
        break;
    }
  }

  // --- the device -----------------------------------------------------------------------------

  /// What every event must leave.
  void check(const json::error& e, const char* what, bool may_fail = false) {
    if (!wrong_.empty()) return;
    if (e && !may_fail && !(tight_ && e.code() == json::errc::out_of_memory))
      return fail(std::string(what) + ": " + e.message());
    if (e && e.code() == json::errc::out_of_memory && e.needed() <= bytes_)
      return fail("what is needed is not told");
    bool told = false;
    for (const devicetwin::device_action a : session_->actions()) {
      if (a.kind == devicetwin::device_action::publish) {
        story_ += "\n    publish " + std::string(a.topic) + " " + std::string(a.payload);
        if (a.payload.size() > options_.max_payload) return fail("a payload is too long");
        const auto topic = devicetwin::parse_twin_topic(a.topic);
        if (!topic) return fail("a topic is none");
        if (topic->kind == devicetwin::twin_topic_kind::reported_patch)
          published(*topic, a.payload);
        else
          get_id_ = std::string(topic->request_id);
        if (online_) up_.push_back({std::string(a.topic), std::string(a.payload)});
      }
      told = told || a.kind == devicetwin::device_action::changed;
      if (a.kind == devicetwin::device_action::refused) {
        story_ += "\n    refused " + std::string(a.payload);
        refused_ = true;
        if (with_outbox_ && box_.refuse()) return fail("the outbox does not refuse");
      }
    }
    if (told != !session_->changes().empty()) return fail("changed without changes");
    for (const devicetwin::text_change change : session_->changes()) {
      story_ += "\n    " + std::string(change.pointer) + ": " + std::string(change.old_text) +
                " -> " + std::string(change.new_text);
      const auto error = apply_change(change);
      if (!error.empty()) return fail(error);
    }
    if (!equal(seen_, parse(session_->text(part::desired))))
      return fail("the changes do not make desired");
    if (session_->text(part::reported).empty() || session_->text(part::reported).front() != '{')
      return fail("reported is none");
    if (with_outbox_ && known_) {
      json::document view;
      if (box_.view(view)) return fail("no view");
      if (!equal(reference::from_value(view), parse(session_->text(part::reported)))) {
        return fail("the outbox has " + reference::text_of(reference::from_value(view)) + ", not " +
                    std::string(session_->text(part::reported)));
      }
      if (!equal(reference::from_value(box_.acknowledged()), parse(session_->acknowledged())))
        return fail("acknowledged differs");
    }
  }
  /// The outbox sends the same.
  void published(const devicetwin::twin_topic& topic, std::string_view payload) {
    const std::string id(topic.request_id);
    patch_id_ = id;
    if (!with_outbox_ || box_.waiting()) return;  // sent once more
    json::document patch;
    const auto handed = box_.next(patch);
    if (!handed || handed->empty()) return fail("the outbox sends nothing");
    if (!equal(reference::from_value(patch), parse(payload))) {
      return fail("the outbox sends " + reference::text_of(reference::from_value(patch)));
    }
  }
  std::string apply_change(const devicetwin::text_change& change) {
    node* at = &seen_;
    std::string name;
    std::string_view rest = change.pointer;
    if (rest.empty()) return "a change of the whole";
    for (;;) {
      rest.remove_prefix(1);
      const std::size_t length = std::min(rest.find('/'), rest.size());
      name.clear();
      for (std::size_t i = 0; i < length; ++i)
        name += rest[i] != '~' ? rest[i] : rest[++i] == '0' ? '~' : '/';
      rest.remove_prefix(length);
      if (at->what != node::object) return "a change in what is no object";
      if (rest.empty()) break;
      if (at->o.count(name) == 0) return "a change in what is not there";
      at = &at->o[name];
    }
    const auto found = at->o.find(name);
    if ((found == at->o.end()) != change.old_text.empty()) return "the old value is there, or not";
    if (!change.old_text.empty() && !equal(found->second, parse(change.old_text)))
      return "the old value is another";
    if (!change.old_text.empty() && !change.new_text.empty() &&
        equal(found->second, parse(change.new_text)))
      return "no change";
    if (change.new_text.empty()) {
      at->o.erase(name);
    } else {
      at->o[name] = parse(change.new_text);
    }
    return {};
  }

  void report(const std::string& patch) {
    // Before the first document the outbox has nothing to compare with: of an object that replaces
    // what it wrote over one that it does not know, it keeps the members that are not its own.
    if (with_outbox_ && !known_) return;
    story_ += "\n  report " + patch;
    const json::error e = session_->report(patch, ms(now_));
    if (e.code() != json::errc::ok && (tight_ || e.code() == json::errc::patch_too_long)) {
      if (e.code() == json::errc::out_of_memory && !tight_) fail("no memory");
      return check(e, "report", true);
    }
    if (!e) {
      model_ = reference::merge(model_, parse(patch));
      if (with_outbox_) {
        json::document read;
        merge::change c;
        if (json::read(patch, read) || merge::from_merge_patch(read, c, merge_options_) ||
            box_.add(c))
          fail("the outbox cannot");
      }
    }
    check(e, "report");
  }
  void connect() {
    story_ += "\n  connect";
    online_ = true;
    up_.clear();
    down_.clear();
    check(session_->connected(ms(now_)), "connected");
  }
  void disconnect() {
    story_ += "\n  disconnect";
    // What is on its way may arrive still, or not.
    while (!up_.empty() && random_.below(2) == 0) deliver_up(0);
    online_ = false;
    up_.clear();
    down_.clear();
    check(session_->disconnected(ms(now_)), "disconnected");
  }
  void tick() {
    if (now_ < session_->next_tick().count) return;
    story_ += "\n  tick";
    check(session_->tick(ms(now_)), "tick");
  }
  void power() {
    if (!power_fails_) return;
    if (random_.below(2) == 0) {
      story_ += "\n  save";
      saved_.clear();
      if (session_->save(saved_)) return fail("save failed");
      saved_model_ = model_;
      saved_known_ = known_;
      return;
    }
    if (saved_.empty()) return;
    story_ += "\n  power loss";
    start();
    up_.clear();
    down_.clear();
    std::string torn = saved_;
    if (random_.below(2) == 0) {
      torn.resize(random_.below(static_cast<unsigned>(torn.size())));
    } else {
      torn[random_.below(static_cast<unsigned>(torn.size()))] ^=
          static_cast<char>(1 + random_.below(255));
    }
    if (!session_->restore(torn)) {
      const std::size_t reserved = 5;  // three bytes of the header mean nothing yet
      torn[reserved] = torn[reserved + 1] = torn[reserved + 2] = 0;
      if (torn != saved_) return fail("a torn state was taken");
    }
    const json::error e = session_->restore(saved_);
    if (e && tight_) {
      saved_.clear();
      seen_ = empty_object();
      start();
      return;
    }
    if (e) return fail("restore: " + e.message());
    seen_ = parse(session_->text(part::desired));
    model_ = saved_model_;
    known_ = saved_known_;
    refused_ = refused_ || !known_;  // what the hub got meanwhile is taken for its own
    std::string again;
    if (session_->save(again) || again != saved_) fail("a state saved again is another one");
  }

  // --- the link ------------------------------------------------------------------------------

  std::size_t lossy_index(const std::vector<letter>& queue) {
    return queue.size() > 1 && random_.below(4) == 0
               ? random_.below(static_cast<unsigned>(queue.size()))
               : 0;
  }
  void lose_or_double(std::vector<letter>& queue) {
    if (queue.empty()) return;
    const std::size_t i = random_.below(static_cast<unsigned>(queue.size()));
    if (random_.below(2) == 0) {
      story_ += "\n  lost " + queue[i].topic;
      queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      story_ += "\n  doubled " + queue[i].topic;
      queue.push_back(letter(queue[i]));
    }
  }
  void deliver_down(std::size_t index) {
    if (index >= down_.size()) return;
    letter l = down_[index];
    down_.erase(down_.begin() + static_cast<std::ptrdiff_t>(index));
    const bool cut = !settling_ && !l.payload.empty() && random_.below(20) == 0;
    if (cut) l.payload.resize(random_.below(static_cast<unsigned>(l.payload.size())));
    story_ += "\n  message " + l.topic + " " + l.payload;
    const auto topic = devicetwin::parse_twin_topic(l.topic);
    const bool to_patch = topic && topic->request_id == patch_id_;
    const std::string payload = l.payload;
    // The payload ends where it ends: a copy without anything behind it.
    const std::unique_ptr<char[]> exact(new char[payload.size() + 1]);
    std::memcpy(exact.get(), payload.data(), payload.size());
    const json::error e = session_->message(l.topic, {exact.get(), payload.size()}, ms(now_));
    if (!e && topic) tell_outbox(*topic, payload, to_patch);
    check(e, "message", cut);
  }
  /// What the message means to the outbox, if the session took it.
  void tell_outbox(const devicetwin::twin_topic& topic, const std::string& payload, bool to_patch) {
    if (topic.kind != devicetwin::twin_topic_kind::response) return;
    const std::string id(topic.request_id);
    if (to_patch && topic.status / 100 == 2) {
      patch_id_.clear();
      if (with_outbox_ && box_.acknowledge()) fail("the outbox does not acknowledge");
    }
    if (to_patch && topic.status / 100 == 4 && topic.status != 429) patch_id_.clear();
    if (!to_patch && topic.status == 200 && id == get_id_) {
      get_id_.clear();
      if (payload.empty()) return;
      known_ = true;
      patch_id_.clear();
      if (!with_outbox_) return;
      json::document d;
      const auto reported = json::find_text(payload, "/reported");
      node section = parse(*reported);
      section.o.erase("$version");
      if (json::read(reference::text_of(section), d) || box_.reconnect(d))
        fail("the outbox does not reconnect");
    }
  }

  // --- the hub -------------------------------------------------------------------------------

  void deliver_up(std::size_t index) {
    if (index >= up_.size()) return;
    const letter l = up_[index];
    up_.erase(up_.begin() + static_cast<std::ptrdiff_t>(index));
    const auto topic = devicetwin::parse_twin_topic(l.topic);
    const std::string id(topic->request_id);
    const auto answer = [&](unsigned status, const std::string& more, const std::string& payload) {
      down_.push_back(
          {"$iothub/twin/res/" + std::to_string(status) + "/?$rid=" + id + more, payload});
    };
    story_ += "\n  hub gets " + l.topic;
    if (topic->kind == devicetwin::twin_topic_kind::get) {
      if (!settling_ && random_.below(8) == 0)
        return answer(random_.below(2) == 0 ? 429 : 503, "", "");
      down_.push_back(hub_.twin(id, random_.below(2) == 0));
      return;
    }
    if (topic->version != devicetwin::no_version && topic->version != hub_.reported_version) {
      return answer(412, "", R"({"errorCode":412001,"message":"no"})");
    }
    if (!settling_ && random_.below(8) == 0)
      return answer(random_.below(2) == 0 ? 429 : 500, "", "");
    if (!settling_ && refuses_ && random_.below(4) == 0)
      return answer(400, "", R"({"errorCode":400004,"message":"a\"b"})");
    hub_.reported = reference::merge(hub_.reported, parse(l.payload));
    ++hub_.reported_version;
    if (!settling_ && random_.below(16) == 0)
      return answer(504, "", "");  // it did, and does not know
    answer(204, "&$version=" + std::to_string(hub_.reported_version), "");
  }
  void write_desired() {
    std::string patch = object();
    story_ += "\n  desired " + patch;
    const node before = hub_.desired;
    if (random_.below(4) == 0) {  // as a whole: what goes is null in the notification
      node whole = reference::merge(empty_object(), parse(patch));
      hub_.desired = whole;
      for (const auto& [name, value] : before.o) {
        if (whole.o.count(name) == 0) whole.o[name] = node{};
        // A merge is not a replacement: members inside go by name, too.
        else if (value.what == node::object && whole.o[name].what == node::object)
          whole.o[name] = replacing(value, whole.o[name]);
      }
      patch = reference::text_of(whole);
    } else {
      hub_.desired = reference::merge(hub_.desired, parse(patch));
    }
    ++hub_.desired_version;
    if (!online_) return;
    const std::string version =
        random_.below(4) == 0 ? "" : "?$version=" + std::to_string(hub_.desired_version);
    down_.push_back({"$iothub/twin/PATCH/properties/desired/" + version,
                     version.empty() || random_.below(4) != 0
                         ? with_version(patch, hub_.desired_version, random_.below(2) == 0)
                         : patch});
  }
  static node replacing(const node& before, node whole) {
    for (const auto& [name, value] : before.o) {
      const auto found = whole.o.find(name);
      if (found == whole.o.end())
        whole.o[name] = node{};
      else if (value.what == node::object && found->second.what == node::object)
        found->second = replacing(value, found->second);
    }
    return whole;
  }
  void foreign() {
    if (online_ || !known_) return;
    if (random_.below(3) == 0) {
      story_ += "\n  identity made anew";
      hub_ = hub();
      refused_ = refused_ || options_.who == devicetwin::authority::shared;
      return;
    }
    if (options_.who != devicetwin::authority::shared) return;
    const std::string patch = object();
    story_ += "\n  foreign " + patch;
    hub_.reported = reference::merge(hub_.reported, parse(patch));
    ++hub_.reported_version;
    refused_ = true;  // the device is not alone any more
  }

  /// A random object, without an integer and a decimal that are equal only once a hub has rounded
  /// the integer: the session compares what it reports as hubs store it, the outbox and this model
  /// compare exactly. (unit/device_session.cpp has such numbers.)
  std::string object(int depth = 0) {
    std::string text = random_.object(depth);
    constexpr std::string_view rounded = "9007199254740992.0", other = "9007199254740994.0";
    for (std::size_t at = 0; (at = text.find(rounded, at)) != std::string::npos;) {
      text.replace(at, rounded.size(), other);
    }
    return text;
  }

  /// From now on everything gets through, in order.
  void settle() {
    settling_ = true;
    story_ += "\n  settling";
    if (online_) disconnect();
    connect();
    for (int i = 0; i < 3000 && wrong_.empty(); ++i) {
      if (!up_.empty()) {
        deliver_up(0);
      } else if (!down_.empty()) {
        deliver_down(0);
      } else if (session_->in_step()) {
        break;
      } else {
        if (session_->next_tick().count == INT64_MAX)
          return fail("nothing is due, and nothing is done");
        now_ = std::max(now_, session_->next_tick().count);
        tick();
      }
    }
    if (!wrong_.empty()) return;
    if (!session_->in_step()) return fail("it does not end");
    if (!equal(hub_.desired, parse(session_->text(part::desired))))
      return fail("desired differs: " + reference::text_of(hub_.desired));
    if (!equal(hub_.reported, parse(session_->text(part::reported))))
      return fail("reported differs: " + reference::text_of(hub_.reported));
    if (session_->acknowledged() != session_->text(part::reported))
      return fail("something is pending");
    if (session_->version(part::desired) != hub_.desired_version)
      return fail("the version of desired differs");
    if (session_->version(part::reported) != hub_.reported_version)
      return fail("the version of reported differs");
    if (!refused_ && options_.who == devicetwin::authority::device &&
        !equal(hub_.reported, model_)) {
      return fail("what was reported is " + reference::text_of(model_) + ", not " +
                  reference::text_of(hub_.reported));
    }
  }

  void fail(const std::string& what) {
    if (wrong_.empty()) wrong_ = what;
  }

  random_json& random_;
  devicetwin::device_options options_;
  merge::options merge_options_;
  std::unique_ptr<devicetwin::device_session> session_;
  std::vector<char> buffer_;
  std::size_t bytes_ = 0;
  unsigned starts_ = 0;
  std::int64_t now_ = 1000;
  bool refuses_ = false, power_fails_ = false, tight_ = false, with_outbox_ = false;
  bool online_ = false, settling_ = false, known_ = false, saved_known_ = false;
  bool refused_ = false;  // what the hub has is not all that the device reported
  hub hub_;
  std::vector<letter> up_, down_;
  node seen_ = empty_object();  // desired, as the application was told
  node model_, saved_model_;    // all that was reported, on top of what was there
  merge::outbox box_;
  std::string get_id_, patch_id_, saved_;
  std::string wrong_, story_;
};

inline std::string device(random_json& random, unsigned most_steps = 80) {
  return device_simulation(random).run(most_steps);
}

}  // namespace simulation
