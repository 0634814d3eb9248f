// The whole flow of a device with a twin of 2 KB, on a microcontroller or anywhere: connects,
// follows desired, reports, is refused, falls behind, loses the connection and the power. Prints
// how much memory it takes, and ends with 0 when every step did what it must.
#include <devicetwin/device/device_session.hpp>

#include <cstdio>
#include <cstring>
#include <new>

namespace json = devicetwin::json;
using devicetwin::part;

namespace {

constexpr std::size_t twin_bytes = 2048;
constexpr std::size_t most_bytes = 4 * twin_bytes;

alignas(8) char memory[most_bytes];
alignas(devicetwin::device_session) char place[sizeof(devicetwin::device_session)];
char payload[twin_bytes + 512];
char saved[2 * twin_bytes];
char topic[128];
std::size_t deepest;  // of the stack

// A text that is put together in `payload`.
struct writer {
  std::size_t size = 0;
  void put(const char* text) {
    const std::size_t length = std::strlen(text);
    if (size + length < sizeof payload) std::memcpy(payload + size, text, length);
    size += length;
  }
  void put(long number) {
    char digits[24];
    std::snprintf(digits, sizeof digits, "%ld", number);
    put(digits);
  }
  std::string_view view() const { return {payload, size}; }
};

// A section of about 1 KB: zones with a few properties each, whose values depend on `seed`.
void section(writer& w, long seed, long version) {
  w.put("{");
  for (long zone = 0; zone < 12; ++zone) {
    w.put("\"zone");
    w.put(zone);
    w.put("\":{\"target\":");
    w.put(seed + zone);
    w.put(".5,\"mode\":\"eco\",\"schedule\":[6,");
    w.put(8 + seed % 10);
    w.put(",22],\"on\":true,\"fan\":{\"rpm\":");
    w.put(900 + seed);
    w.put("}},");
  }
  w.put("\"$version\":");
  w.put(version);
  w.put("}");
}
std::string_view twin(long desired_seed, long desired_version, long reported_seed,
                      long reported_version) {
  writer w;
  w.put("{\"desired\":");
  section(w, desired_seed, desired_version);
  w.put(",\"reported\":");
  section(w, reported_seed, reported_version);
  w.put("}");
  return w.view();
}

// The stack below this call is filled with a pattern, and looked at afterwards: a little less of
// it, since that call may stand deeper.
constexpr std::size_t painted = 6 * 1024;
constexpr std::size_t looked_at = painted - 512;
[[gnu::noinline]] void paint() {
  volatile char area[painted];
  for (std::size_t i = 0; i < painted; ++i) area[i] = 0x5A;
}
[[gnu::noinline]] void measure() {
  volatile char area[looked_at];
  asm volatile("" : : "r"(area) : "memory");
  std::size_t untouched = 0;
  while (untouched < looked_at && area[untouched] == 0x5A) ++untouched;
  if (looked_at - untouched > deepest) deepest = looked_at - untouched;
}

// One run in so many bytes. Gives the line of the step that went wrong; 0 when none did, -1 for
// want of memory.
class run {
 public:
  explicit run(std::size_t bytes) : bytes_(bytes) {
    options_.seed = 42;
    session_ = new (place) devicetwin::device_session(memory, bytes_, options_);
  }
  ~run() { session_->~device_session(); }

  int all() {
    devicetwin::device_session* const s = session_;
    paint();
#define MUST(what)                 \
  do {                             \
    const bool well = (what);      \
    if (out_of_memory_) return -1; \
    if (!well) return __LINE__;    \
  } while (false)
    MUST(did(s->report(R"({"boot":1,"zone0":{"on":null}})", {now_})));
    MUST(did(s->connected({now_})));
    MUST(s->actions().size() == 3 && answer(200, -1, twin(1, 3, 1, 5)));
    MUST(!s->changes().empty() && accept());
    MUST(s->in_step());
    for (long i = 0; i < 20; ++i) {
      writer w;
      w.put("{\"zone3\":{\"fan\":{\"rpm\":");
      w.put(i);
      w.put("},\"mode\":\"boost\"},\"extra\":");
      w.put(i % 2 == 0 ? "{\"a\":[1,2,3],\"b\":{\"c\":1}}" : "null");
      w.put(",\"$version\":");
      w.put(4 + i);
      w.put("}");
      MUST(change(4 + i, w.view()));
      MUST(s->get<int>(part::desired, "/zone3/fan/rpm").value_or(-1) == i);
      writer r;
      r.put("{\"zone3\":{\"fan\":{\"rpm\":");
      r.put(i);
      r.put("},\"schedule\":[1,");
      r.put(i);
      r.put("]}}");
      MUST(did(s->report(r.view(), {now_})));
      MUST(did(s->report(R"({"zone4":{"fan":{"rpm":1}},"more":"text\n"})", {now_})));
      MUST(did(s->report(R"({"zone4":{"fan":null},"more":null})", {now_})));
      MUST(accept());
      if (i % 5 == 0) MUST(answer(400, -1, R"({"errorCode":400004,"message":"not so"})"));
      while (!s->in_step()) MUST(accept());
    }
    // The hub says that somebody else wrote: the twin is fetched, and what the device has is sent
    // again.
    MUST(did(s->report(R"({"more":"text"})", {now_})));
    MUST(answer(204, 99, {}));
    MUST(answer(200, -1, twin(1, 23, 1, 99)));
    while (!s->in_step()) MUST(accept());
    // A change got lost: the twin is fetched, and all of it is another one.
    MUST(change(99, R"({"zone1":null,"$version":99})"));
    MUST(answer(200, -1, twin(77, 99, 1, 120)));
    MUST(s->get<double>(part::desired, "/zone11/target").value_or(0) == 88.5);
    while (!s->in_step()) MUST(accept());
    MUST(did(s->disconnected({now_})));
    MUST(did(s->report(R"({"zone7":{"mode":"off","note":"offline"},"zone8":null})", {now_})));
    devicetwin::text_buffer out(saved, sizeof saved);
    MUST(did(s->save(out)));
    s->~device_session();
    session_ = new (place) devicetwin::device_session(memory, bytes_, options_);
    MUST(did(s->restore(out.view())));
    MUST(did(s->connected({now_})));
    MUST(answer(200, -1, twin(5, 100, 1, 62)));
    MUST(!s->changes().empty());
    while (!s->in_step()) MUST(accept());
    MUST(s->find(part::reported, "/zone8").error().code() == json::errc::not_found);
    MUST(*s->find(part::reported, "/zone7/note") == "\"offline\"");
    return 0;
  }

 private:
  bool did(const json::error& e) {
    measure();
    if (e.code() == json::errc::out_of_memory) out_of_memory_ = true;
    for (const devicetwin::device_action& a : session_->actions()) {
      if (a.kind != devicetwin::device_action::publish) continue;
      const auto parsed = devicetwin::parse_twin_topic(a.topic);
      if (!parsed || parsed->request_id.size() >= sizeof id_) return false;
      std::memcpy(id_, parsed->request_id.data(), parsed->request_id.size());
      id_[parsed->request_id.size()] = '\0';
    }
    paint();
    return !e;
  }
  bool answer(int status, long version, std::string_view body) {
    int length = std::snprintf(topic, sizeof topic, "$iothub/twin/res/%d/?$rid=%s", status, id_);
    if (version >= 0)
      length += std::snprintf(topic + length, sizeof topic - static_cast<std::size_t>(length),
                              "&$version=%ld", version);
    paint();
    return did(session_->message({topic, static_cast<std::size_t>(length)}, body, {++now_}));
  }
  bool accept() {
    return answer(204, static_cast<long>(session_->version(part::reported)) + 1, {});
  }
  bool change(long version, std::string_view body) {
    const int length = std::snprintf(
        topic, sizeof topic, "$iothub/twin/PATCH/properties/desired/?$version=%ld", version);
    paint();
    return did(session_->message({topic, static_cast<std::size_t>(length)}, body, {++now_}));
  }

  std::size_t bytes_;
  devicetwin::device_options options_;
  devicetwin::device_session* session_;
  std::int64_t now_ = 0;
  bool out_of_memory_ = false;
  char id_[32] = {};
};

}  // namespace

int main() {
  const std::size_t text = twin(1, 3, 1, 5).size();
  for (std::size_t bytes = 512; bytes <= sizeof memory; bytes += 64) {
    const int wrong = run(bytes).all();
    if (wrong < 0) continue;
    if (wrong > 0) {
      std::printf("wrong in line %d, with %u bytes\n", wrong, static_cast<unsigned>(bytes));
      return 1;
    }
    const std::size_t ram = bytes + sizeof(devicetwin::device_session);
    std::printf(
        "device session with a twin of %u bytes: %u bytes of RAM (session %u, buffer %u; limit "
        "four times the twin), %u of stack used\n",
        static_cast<unsigned>(text), static_cast<unsigned>(ram),
        static_cast<unsigned>(sizeof(devicetwin::device_session)), static_cast<unsigned>(bytes),
        static_cast<unsigned>(deepest));
    return ram <= 4 * text ? 0 : 2;
  }
  std::printf("a twin of %u bytes does not fit\n", static_cast<unsigned>(text));
  return 3;
}
