// Any sequence of calls of a hub, with topics, filters and payloads of any bytes, on two stores at
// once: they must answer the same; what is answered must be well-formed, about the one who asked,
// and stored; and nobody else's twin may change. Each step is a byte that says what, one that says
// who, and texts up to a NUL where the call takes some.
#include <devicetwin/hub/hub_session.hpp>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "../tests/support/memory_table.hpp"
#include "../tests/support/time.hpp"

namespace {

using devicetwin::twin_id;

void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

class bytes {
 public:
  bytes(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}
  bool more() const { return at_ != end_; }
  unsigned below(unsigned n) { return at_ == end_ ? 0 : *at_++ % n; }
  std::string text() {
    std::string out;
    while (at_ != end_ && *at_ != 0) out += static_cast<char>(*at_++);
    if (at_ != end_) ++at_;
    return out;
  }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

/// The code of an error body that has a message, or 0.
std::int64_t code_of(const rapidjson::Document& payload) {
  const auto code = json::get<std::int64_t>(payload, "/errorCode");
  return code && json::get<std::string_view>(payload, "/message") ? *code : 0;
}

/// What a call came to, as one text.
template <class Session>
std::string told(const Session& session, const twin_id& who) {
  std::string out;
  unsigned previous = 0;
  for (const devicetwin::hub_action& a : session.actions()) {
    must(a.to == who, "an action is about who asked");
    const auto kind = static_cast<unsigned>(a.kind);
    must(out.empty() || kind > previous, "reply, notification, event, each once");
    previous = kind;
    rapidjson::Document payload;
    if (!a.payload.empty()) must(!json::read(a.payload, payload), "a payload is JSON");
    if (a.kind == devicetwin::hub_action::event) {
      must(a.topic.empty() && !a.operation.empty() && payload.IsObject(), "an event has its body");
    } else {
      const auto topic = devicetwin::parse_twin_topic(a.topic);
      // A request id that is too long is told so, at its full length.
      const bool has_long_id = a.status == 400 && a.topic.size() > devicetwin::max_request_id;
      must(topic || has_long_id, "a topic is one");
      if (!topic) {
        must(code_of(payload) == 400004, "a refusal says why");
      } else if (a.kind == devicetwin::hub_action::reply) {
        must(topic->kind == devicetwin::twin_topic_kind::response && topic->status == a.status,
             "a reply's topic has its status");
        must((a.status == 204) == a.payload.empty(),
             "only what was reported is answered with nothing");
        if (a.status >= 400) {
          must(code_of(payload) / 1000 == a.status, "a refusal says why");
        }
      } else {
        const auto version = json::get<std::int64_t>(payload, "/$version");
        must(topic->kind == devicetwin::twin_topic_kind::desired_patch && version &&
                 *version == topic->version,
             "a notification has its version");
      }
    }
    out.append(a.topic).append("|").append(a.payload).append("|").append(a.operation).append("\n");
  }
  return out;
}

std::string shown(const devicetwin::service_reply& r) {
  rapidjson::Document body;
  if (!r.body.empty()) must(!json::read(r.body, body), "a body is JSON");
  if (r.status >= 400)
    must(json::get<std::int64_t>(body, "/errorCode") && r.why, "a refusal says why");
  return std::to_string(r.status) + "|" + std::string(r.body) + "|" + std::string(r.etag);
}

const twin_id ids[] = {{"a"}, {"a", "m"}, {"b"}, {"", "m"}, {"a/m"}};
constexpr std::size_t id_count = sizeof ids / sizeof *ids;

template <class Store>
struct side {
  Store& store;
  devicetwin::hub_session<Store> hub;
  explicit side(Store& s) : store(s), hub(s, options()) {}
  static devicetwin::hub_options options() {
    devicetwin::hub_options o;
    o.max_payload = 1000;
    o.max_service_body = 1000;
    o.max_connections = 2;
    return o;
  }
  std::string view(const twin_id& id) {
    const auto found = store.find(id);
    std::string text;
    if (found) must(!devicetwin::write_service_view(**found, text), "a view");
    return text;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  bytes in(data, size);
  devicetwin::memory_store live;
  memory_table table;
  using table_store = devicetwin::twin_cache<memory_table>;
  table_store stored(table, devicetwin::azure, {}, 1);
  side<devicetwin::memory_store> one(live);
  side<table_store> two(stored);
  std::int64_t ticks = 0;

  for (unsigned steps = 0; in.more() && steps < 30; ++steps) {
    const unsigned what = in.below(16);
    const twin_id who = ids[in.below(id_count)];
    const std::string first = what >= 4 ? in.text() : std::string();
    const std::string second = what >= 9 ? in.text() : std::string();
    std::map<const twin_id*, std::string> before;
    for (const twin_id& id : ids) before[&id] = one.view(id);
    const devicetwin::timestamp now = at(++ticks);

    const auto act = [&](auto& on) -> std::string {
      auto& hub = on.hub;
      std::string answer;
      const auto said = [&](const json::error& e) {
        answer = std::to_string(static_cast<int>(e.code()));
      };
      switch (what) {
        case 0:
          answer = shown(hub.service_create({who.device, who.module}, now));
          break;
        case 1:
          said(hub.connected(who, steps % 2));
          break;
        case 2:
          hub.disconnected(who, steps % 2);
          break;
        case 3:
          answer = shown(hub.service_get(who));
          break;
        case 4:
          hub.subscribed(who, first);
          break;
        case 5:
          hub.unsubscribed(who, first);
          break;
        case 6:
          hub.subscribed(who, devicetwin::desired_filter);
          break;
        case 7:
          said(hub.message(who, "$iothub/twin/PATCH/properties/reported/?$rid=1", first, now));
          break;
        case 8:
          answer = shown(hub.service_patch(who, first, now));
          break;
        case 9:
          answer = shown(hub.service_patch(who, first, now, second));
          break;
        case 10:
          answer = shown(hub.service_replace(who, first, now, second));
          break;
        case 11:
          said(hub.message(who, first, second, now));
          break;
        case 12:
          said(hub.message(who, "$iothub/twin/GET/?$rid=" + first, second, now));
          break;
        case 13:
          said(hub.message(who, "$iothub/twin/PATCH/properties/reported/?$rid=" + first, second,
                           now));
          break;
        case 14:
          said(hub.refuse(who, first, devicetwin::throttled, second, now));
          break;
        default:
          answer = shown(hub.service_remove(who, now, second));
          break;
      }
      return answer + "\n" + told(hub, who);
    };
    const std::string answer = act(one);
    must(answer == act(two), "two stores, one answer");
    for (const twin_id& id : ids) {
      const std::string after = one.view(id);
      must(id == who || after == before[&id], "nobody else's twin changes");
      must(after == two.view(id), "the twins are the same");
    }
    must(one.hub.connections() == two.hub.connections() && one.hub.connections() <= 2,
         "connections are bounded");
    // What is stored is what is shown.
    stored.forget_all();
    must(one.view(who) == two.view(who), "what is stored is what is shown");
  }
  return 0;
}
