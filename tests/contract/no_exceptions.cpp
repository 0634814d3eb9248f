// A small program over the whole library: reads, applies, makes a patch, writes. It throws nothing
// and asks for no type information, so it is also built with -fno-exceptions -fno-rtti.
#include <cstdio>
#include <string>

#include "../support/time.hpp"
#include "devicetwin/devicetwin.hpp"

namespace {

using devicetwin::json::document;

int failures = 0;

void expect(bool condition, const char* what) {
  if (condition) return;
  std::printf("failed: %s\n", what);
  ++failures;
}

std::string text_of(const document& doc) {
  std::string text;
  expect(!devicetwin::json::write(doc, text), "write");
  return text;
}

void round_trip() {
  document from;
  document to;
  document patch;
  expect(!devicetwin::json::read(R"({"interval":60,"led":"off","wifi":{"ssid":"a"}})", from),
         "read");
  expect(!devicetwin::json::read(R"({"interval":60,"led":"on","wifi":{}})", to), "read");

  RAPIDJSON_NAMESPACE::Document made;
  expect(!devicetwin::merge::diff(from, to, made), "diff");
  expect(!devicetwin::merge::apply_merge_patch(from, made), "apply_merge_patch");

  const auto same = devicetwin::json::equal(from, to);
  expect(same == devicetwin::json::comparison::equal, "the patched document equals the other one");
  expect(text_of(from) == R"({"interval":60,"led":"on","wifi":{}})", "the text of the document");
}

void algebra() {
  namespace merge = devicetwin::merge;
  document base;
  document ours;
  document theirs;
  document merged;
  document patch;
  merge::change change;
  expect(!devicetwin::json::read(R"({"led":"off","wifi":{"ssid":"a"}})", base), "read");
  expect(!devicetwin::json::read(R"({"led":"on","wifi":{"ssid":"a"}})", ours), "read");
  expect(!devicetwin::json::read(R"({"led":"dim","wifi":{}})", theirs), "read");
  expect(!merge::merge3(base, ours, theirs, merged, merge::policy::theirs), "merge3");
  expect(text_of(merged) == R"({"led":"dim","wifi":{}})", "the merged document");

  merge::outbox box;
  expect(!box.reconnect(base), "reconnect");
  expect(!merge::change_builder().remove("/wifi").set("/wifi/channel", 6).finish(change),
         "change_builder");
  expect(!box.add(change), "add");
  const auto handed = box.next(patch);
  expect(handed && !handed->empty(), "next");
  expect(text_of(patch) == R"({"wifi":{"ssid":null,"channel":6}})", "the outbox's patch");
  expect(!box.acknowledge(), "acknowledge");
}

void errors() {
  document doc;
  const devicetwin::json::error refused = devicetwin::json::read("{\"a\":1,}", doc);
  expect(static_cast<bool>(refused), "a trailing comma is refused");
  expect(refused.line() == 1, "the error has a position");
  expect(!refused.message().empty(), "the error has a message");
}

template <class Twin>
void live(Twin& t) {
  devicetwin::outcome done;
  expect(!t.create({"d"}, at(0), done), "create");
  expect(!t.service_patch(R"({"tags":{"x":1},"properties":{"desired":{"led":"on"}}})", at(0), done),
         "service_patch");
  expect(done.notification() == R"({"led":"on","$version":2})", "the notification");
  expect(!t.device_patch(R"({"led":"on"})", at(0), done, 1), "device_patch");
  expect(t.in_sync(), "in_sync");
  expect(static_cast<bool>(t.device_patch(R"({"\u0024version":1})", at(0), done)),
         "the device may not write the service's names");
  std::string view;
  expect(!devicetwin::write_service_view(t, view), "write_service_view");
  expect(!t.load(view), "load");
  std::string again;
  expect(!devicetwin::write_service_view(t, again) && view == again, "the view of a view");
  RAPIDJSON_NAMESPACE::Document replacement;
  expect(!devicetwin::json::read(R"({"properties":{"desired":{}}})", replacement), "read");
  expect(!t.service_replace(replacement, at(0), done), "service_replace");
  devicetwin::validation report;
  expect(!t.check_device_patch(R"({"$a":1})", report) && report.size() == 1, "check_device_patch");
}

void twins() {
  devicetwin::twin on_the_heap;
  live(on_the_heap);
  static unsigned char buffer[32 * 1024];
  devicetwin::basic_twin<devicetwin::buffer_memory> in_a_buffer(devicetwin::azure,
                                                                {buffer, sizeof buffer});
  live(in_a_buffer);
  devicetwin::twin plain(devicetwin::rfc7396);
  live(plain);
}

}  // namespace

int main() {
  round_trip();
  algebra();
  errors();
  twins();
  return failures == 0 ? 0 : 1;
}
