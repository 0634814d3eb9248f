// Property, by the lowest bit of the first byte:
//   0  the bytes choose what happens between a session, a bad link and a slow hub; see
//   tests/support/device_simulation.hpp; 1  a session in a buffer of some size gets calls with any
//   text. Whatever it is, the sections stay JSON objects, what the
//      application is told makes desired, and a saved state is taken back as it is.
// For 1: a byte for the size of the buffer, then calls: a byte that says which, the text up to a
// NUL or the end.
#include "../tests/support/accepted_json.hpp"
#include "../tests/support/device_simulation.hpp"
#include "../tests/support/time.hpp"

#include <cstdio>
#include <cstdlib>

namespace {

void must(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

class any_calls {
 public:
  any_calls(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}

  void run() {
    const std::size_t bytes = 600 + 64 * std::size_t{byte()};
    const std::unique_ptr<char[]> buffer(new char[bytes]);
    sync_options_.max_payload = 32 + byte();
    sync_options_.conditional = byte() % 2 == 0;
    sync_options_.who =
        byte() % 2 == 0 ? devicetwin::authority::device : devicetwin::authority::shared;
    devicetwin::device_session session(buffer.get(), bytes, sync_options_);
    while (at_ != end_) {
      const unsigned what = byte();
      // Each text in memory of its own, so that reading behind it is seen.
      const std::uint8_t* const start = at_;
      while (at_ != end_ && *at_ != 0) ++at_;
      const auto length = static_cast<std::size_t>(at_ - start);
      if (at_ != end_) ++at_;
      const std::unique_ptr<char[]> copy(new char[length]);
      if (length != 0) std::memcpy(copy.get(), start, length);
      call(session, what, {copy.get(), length});
    }
  }

 private:
  unsigned byte() { return at_ == end_ ? 0 : *at_++; }

  void call(devicetwin::device_session& s, unsigned what, std::string_view text) {
    now_ += what;
    const auto answer = [&](const std::string& id, int status) {
      return s.message("$iothub/twin/res/" + std::to_string(status) + "/?$rid=" + id +
                           (what & 32 ? "&$version=" + std::to_string(++version_) : ""),
                       text, ms(now_));
    };
    devicetwin::json::error e;
    switch (what % 12) {
      case 0:
        e = s.connected(ms(now_));
        break;
      case 1:
        e = s.message(text, "{\"a\":1}", ms(now_));
        break;
      case 2:
        e = answer(get_, 200);
        break;
      case 3:
        e = answer(patch_, 204);
        break;
      case 4:
        e = answer(patch_, what & 16 ? 400 : 412);
        break;
      case 5:
        e = s.message("$iothub/twin/PATCH/properties/desired/?$version=" +
                          std::to_string(s.version(part::desired) + 1),
                      text, ms(now_));
        break;
      case 6:
        e = s.message("$iothub/twin/PATCH/properties/desired/", text, ms(now_));
        break;
      case 7:
      case 8:
        e = s.report(text, ms(now_));
        break;
      case 9:
        e = s.tick(what & 16 ? s.next_tick() : ms(now_));
        break;
      case 10:
        e = s.restore(text);
        if (!e) seen_ = text_of_desired(s);
        break;
      default:
        e = what & 16 ? s.disconnected(ms(now_)) : answer(get_, what & 64 ? 404 : 503);
        break;
    }
    for (const devicetwin::device_action a : s.actions()) {
      if (a.kind != devicetwin::device_action::publish) continue;
      const auto topic = devicetwin::parse_twin_topic(a.topic);
      must(static_cast<bool>(topic), "a topic that is none");
      (topic->kind == devicetwin::twin_topic_kind::get ? get_ : patch_) =
          std::string(topic->request_id);
      must(a.payload.size() <= sync_options_.max_payload, "a payload that is too long");
      must(a.payload.empty() || is_json(a.payload), "a payload that is no JSON");
    }
    must(!e || e.code() != devicetwin::json::errc::out_of_memory || e.needed() != 0,
         "what is needed is not said");
    const std::string before = seen_;
    std::string told(before);
    for (const devicetwin::text_change c : s.changes()) {  // as a merge patch of one member each
      std::string patch = c.new_text.empty() ? "null" : std::string(c.new_text);
      std::string_view rest = c.pointer;
      while (!rest.empty()) {
        const std::size_t slash = rest.rfind('/');
        std::string name;
        for (std::size_t i = slash + 1; i < rest.size(); ++i)
          name += rest[i] != '~' ? rest[i] : rest[++i] == '0' ? '~' : '/';
        node n;
        n.what = node::string;
        n.s = name;
        patch = "{" + reference::text_of(n) + ":" + patch + "}";
        rest = rest.substr(0, slash);
      }
      // What is replaced goes first, so that an object does not join an object.
      std::string after;
      if (!c.old_text.empty() && !c.new_text.empty()) {
        const std::string gone =
            patch.substr(0, patch.size() - c.new_text.size() - depth_of(c.pointer)) + "null" +
            std::string(depth_of(c.pointer), '}');
        must(!devicetwin::merge::apply_merge_patch_text(told, gone, after),
             "a change that is no patch");
        told.swap(after);
        after.clear();
      }
      must(!devicetwin::merge::apply_merge_patch_text(told, patch, after),
           "a change that is no patch");
      told.swap(after);
    }
    must(is_json(s.text(part::desired)) && s.text(part::desired).front() == '{' && is_json(told),
         "desired is no object");
    const auto is = read_naively(s.text(part::desired)), should_be = read_naively(told);
    must(!is || !should_be || *is == *should_be, "the changes do not make desired");
    seen_ = std::string(s.text(part::desired));
    for (const std::string_view section : {s.text(part::reported), s.acknowledged()}) {
      must(is_json(section) && section.front() == '{', "reported is no object");
    }
    std::string saved, again;
    must(!s.save(saved), "a state that cannot be saved");
    devicetwin::device_session other;
    must(!other.restore(saved) && !other.save(again) && again == saved,
         "a state that is not taken back");
    static_cast<void>(s.changes({part::desired, text, devicetwin::reach::subtree},
                                [](const devicetwin::text_change&) {}));
    static_cast<void>(s.get<double>(part::desired, text));
  }
  static std::size_t depth_of(std::string_view pointer) {
    std::size_t depth = 0;
    for (const char c : pointer) depth += c == '/' ? 1 : 0;
    return depth;
  }
  static std::string text_of_desired(const devicetwin::device_session& s) {
    return std::string(s.text(part::desired));
  }

  using node = reference::node;
  using part = devicetwin::part;
  const std::uint8_t* at_;
  const std::uint8_t* end_;
  devicetwin::device_options sync_options_;
  std::int64_t now_ = 0;
  std::int64_t version_ = 0;
  std::string get_ = "x", patch_ = "x", seen_ = "{}";
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  if ((data[0] & 1) != 0) {
    any_calls(data + 1, size - 1).run();
    return 0;
  }
  random_json chosen(data + 1, size - 1);
  const std::string broken = simulation::device(chosen, 100);
  if (broken.empty()) return 0;
  std::fprintf(stderr, "%s\n", broken.c_str());
  std::abort();
}
