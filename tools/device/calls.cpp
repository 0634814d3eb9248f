// Each call of a device session in a function of its own, for tools/size.sh: how much flash all of
// it takes, and how much stack each call.
#include <devicetwin/device/device_session.hpp>

namespace json = devicetwin::json;
using devicetwin::part;
using session = devicetwin::device_session;

alignas(8) char memory[6 * 1024];
char topic[128], payload[2560], bytes[4096];
volatile std::size_t topic_size, payload_size, taken;
volatile int event;
volatile long long now;
volatile double number;

#define CALL(name)                                                             \
  [[gnu::noinline]] json::error call_##name(session& s, std::string_view text, \
                                            std::string_view more)
CALL(connected) { return (void)text, (void)more, s.connected({now}); }
CALL(disconnected) { return (void)text, (void)more, s.disconnected({now}); }
CALL(message) { return s.message(text, more, {now}); }
CALL(tick) { return (void)text, (void)more, s.tick({now}); }
CALL(report) { return (void)text, s.report(more, {now}); }
CALL(restore) { return (void)text, s.restore(more); }
CALL(save) {
  devicetwin::text_buffer out(bytes, sizeof bytes);
  return (void)text, (void)more, s.save(out);
}
CALL(get) {
  number = s.get<double>(part::desired, text).value_or(0);
  taken = static_cast<std::size_t>(s.get<int>(part::desired, more).value_or(0));
  return {};
}
CALL(get_string) {
  devicetwin::text_buffer out(bytes, sizeof bytes);
  return (void)more, s.get_string(part::desired, text, out);
}
CALL(look) {
  for (const devicetwin::device_action& a : s.actions())
    taken = a.topic.size() + a.payload.size() + a.message.size();
  for (const devicetwin::text_change& c : s.changes()) taken = c.pointer.size() + c.new_text.size();
  return (void)text, (void)more, json::errc::ok;
}
CALL(changes) {
  return (void)more, s.changes({part::desired, text},
                               [](const devicetwin::text_change& c) { taken = c.pointer.size(); });
}

int main() {
  devicetwin::device_options options;
  options.seed = static_cast<std::uint64_t>(now);
  static session s(memory, sizeof memory, options);
  constexpr json::error (*calls[])(session&, std::string_view, std::string_view) = {
      call_connected, call_disconnected, call_message,    call_tick, call_report, call_restore,
      call_save,      call_get,          call_get_string, call_look, call_changes};
  for (;;) {
    if (calls[event](s, {topic, topic_size}, {payload, payload_size})) return 1;
  }
}
