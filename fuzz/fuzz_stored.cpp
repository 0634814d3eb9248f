// Stored twins and stored device sessions with a right checksum, so that any content gets past it.
// Whatever is loaded works, and what is written then can be loaded again, to the same.
//   The first byte chooses: bit 0 a device session instead of a twin; bit 1 the content is the rest
//   as it is, else it is made of pieces up to a NUL each: `n` and a number in decimal, or `t` and a
//   text that gets its length before it; the others a dialect, or the size of a buffer.
#include <devicetwin/devicetwin.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "../tests/support/accepted_json.hpp"
#include "../tests/support/time.hpp"

namespace {

namespace json = devicetwin::json;
using devicetwin::part;

void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

void must_be_json(std::string_view text, const char* what) { must(is_json(text, 80), what); }

/// The content, as the first byte says.
std::string content_of(bool pieces, std::string_view rest) {
  if (!pieces) return std::string(rest);
  std::string out;
  devicetwin::json::core::stored_writer<std::string> writer(out);
  while (!rest.empty()) {
    const std::string_view piece = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(piece.size() < rest.size() ? piece.size() + 1 : piece.size());
    if (piece.empty()) continue;
    if (piece.front() == 't') {
      writer.text(piece.substr(1));
    } else {
      std::uint64_t n = 0;
      for (const char c : piece.substr(1)) n = n * 10 + static_cast<unsigned char>(c) % 10;
      writer.number(n);
    }
  }
  return out;
}

std::string stored(std::string_view mark, std::string_view content) {
  std::string out;
  must(!devicetwin::json::core::write_stored_form(mark, 1, out,
                                                  [&](auto& to) { to.bytes(content); }),
       "storing");
  return out;
}

// --- Twins --------------------------------------------------------------------------------------

/// What a twin writes can be loaded, and is written again as it was.
void must_be_stable(const devicetwin::twin& t) {
  std::string bytes, again;
  must(!devicetwin::write_stored(t, bytes), "a loaded twin can be written");
  devicetwin::twin other(t.rules());
  must(!devicetwin::load_stored(bytes, other), "what a twin writes can be loaded");
  must(devicetwin::equal(t, other) == json::comparison::equal, "to the same twin");
  must(!devicetwin::write_stored(other, again) && again == bytes, "which writes the same");
}

void ask_everything(const devicetwin::twin& t) {
  std::string view, text;
  must(!devicetwin::write_service_view(t, view), "a view");
  must_be_json(view, "a view is JSON");
  must(!devicetwin::write_device_view(t, text), "the device's view");
  must_be_json(text, "the device's view is JSON");
  text.clear();
  must(!devicetwin::write_delta(t, text), "the delta");
  must_be_json(text, "the delta is JSON");
  devicetwin::delta_list list;
  must(!devicetwin::list_delta(t, list), "the list of the delta");
  for (const part p : {part::desired, part::reported}) {
    const std::int64_t version = p == part::desired ? t.desired_version() : t.reported_version();
    for (const std::int64_t since : {std::int64_t{0}, version / 2, version - 1, version}) {
      text.clear();
      if (!devicetwin::write_changes_since(t, p, since, text))
        must_be_json(text, "what changed is JSON");
      else
        must(text.empty(), "an error leaves nothing");
    }
    for (const char* const pointer : {"", "/a", "/a/b"}) static_cast<void>(t.stamp_of(p, pointer));
  }
  devicetwin::twin again(t.rules());
  must(!again.load(view), "a view can be loaded");
}

void twin(const devicetwin::dialect& rules, const std::string& bytes) {
  devicetwin::twin t(rules);
  if (const json::error e = devicetwin::load_stored(bytes, t)) {
    must(e.code() == json::errc::damaged, "what is wrong is damaged");
    must(t.identity().IsNull() && t.version() == 0, "nothing was loaded");
    return;
  }
  must_be_stable(t);
  ask_everything(t);
  devicetwin::outcome done;
  // Counters may be at their end, and sections at their limit.
  static_cast<void>(t.service_patch(
      R"({"tags":{"t":1},"properties":{"desired":{"a":{"b":5},"new":[1],"gone":null}}})", at(10),
      done));
  static_cast<void>(t.device_patch(R"({"a":null,"b":{"value":1,"ac":200,"av":1}})", at(11), done));
  must_be_stable(t);
  ask_everything(t);
  t.forget_before(part::desired, t.desired_version());
  t.set_history_budget(64);
  must_be_stable(t);
}

// --- Device sessions ----------------------------------------------------------------------------

void must_be_stable(const devicetwin::device_session& s) {
  for (const std::string_view text :
       {s.text(part::desired), s.text(part::reported), s.acknowledged()}) {
    must_be_json(text, "a section is JSON");
    must(text.front() == '{', "a section is an object");
  }
  std::string saved, again;
  must(!s.save(saved), "a session can be saved");
  devicetwin::device_session other;
  must(!other.restore(saved), "what was saved can be restored");
  must(!other.save(again) && again == saved, "to the same");
}

void session(std::size_t buffer_bytes, const std::string& bytes) {
  static const std::unique_ptr<char[]> buffer(new char[16 * 1024]);
  devicetwin::device_options options;
  devicetwin::device_session s(buffer.get(), 2048 + buffer_bytes, options);
  if (const json::error e = s.restore(bytes)) {
    must(e.code() == json::errc::damaged || e.code() == json::errc::out_of_memory,
         "what is wrong is damaged");
    must(s.text(part::desired) == "{}" && s.text(part::reported) == "{}", "nothing was restored");
    return;
  }
  must_be_stable(s);
  // It goes on: a report, a connection, a twin, a change.
  static_cast<void>(s.report(R"({"x":1,"a":null})", ms(1)));
  static_cast<void>(s.connected(ms(2)));
  std::string get, patch;
  const auto look = [&] {
    for (const devicetwin::device_action a : s.actions()) {
      if (a.kind != devicetwin::device_action::publish) continue;
      const auto topic = devicetwin::parse_twin_topic(a.topic);
      must(static_cast<bool>(topic), "a topic");
      (topic->kind == devicetwin::twin_topic_kind::get ? get : patch) =
          std::string(topic->request_id);
      if (!a.payload.empty()) must_be_json(a.payload, "a payload is JSON");
    }
  };
  look();
  static_cast<void>(s.message(
      "$iothub/twin/res/200/?$rid=" + get,
      R"({"desired":{"a":1,"b":{"c":[2]},"$version":4},"reported":{"y":1,"$version":3}})", ms(3)));
  look();
  static_cast<void>(s.message("$iothub/twin/PATCH/properties/desired/?$version=5",
                              R"({"b":{"c":null,"d":1}})", ms(4)));
  look();
  static_cast<void>(s.message("$iothub/twin/res/204/?$rid=" + patch + "&$version=4", "", ms(5)));
  look();
  static_cast<void>(s.tick(ms(s.next_tick().count)));
  must_be_stable(s);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned choice = data[0];
  const std::string content =
      content_of((choice & 2) == 0, {reinterpret_cast<const char*>(data + 1), size - 1});
  if ((choice & 1) != 0) {
    session((choice >> 2) * 64u, stored("DTDS", content));
    return 0;
  }
  static const devicetwin::dialect* const dialects[] = {&devicetwin::azure, &devicetwin::rfc7396,
                                                        &devicetwin::edge_hub, &devicetwin::aws};
  twin(*dialects[choice >> 2 & 3], stored("DTWN", content));
  return 0;
}
