// A small program over the whole library: reads, applies, makes a patch, writes. It throws nothing
// and asks for no type information, so it is also built with -fno-exceptions -fno-rtti.
#include <cstdio>
#include <string>

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
  expect(!devicetwin::json::write(doc.root(), text), "write");
  return text;
}

void round_trip() {
  document from;
  document to;
  document patch;
  expect(!devicetwin::json::read(R"({"interval":60,"led":"off","wifi":{"ssid":"a"}})", from), "read");
  expect(!devicetwin::json::read(R"({"interval":60,"led":"on","wifi":{}})", to), "read");

  RAPIDJSON_NAMESPACE::Document made;
  expect(!devicetwin::merge::diff(from.root(), to.root(), made), "diff");
  expect(!devicetwin::merge::apply_merge_patch(from, made), "apply_merge_patch");

  const auto same = devicetwin::json::equal(from.root(), to.root());
  expect(same && *same, "the patched document equals the other one");
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
  expect(!merge::merge3(base.root(), ours.root(), theirs.root(), merged, merge::policy::theirs), "merge3");
  expect(text_of(merged) == R"({"led":"dim","wifi":{}})", "the merged document");

  merge::outbox box;
  expect(!box.reconnect(base.root()), "reconnect");
  expect(!merge::change_builder().remove("/wifi").set("/wifi/channel", 6).finish(change), "change_builder");
  expect(!box.add(change), "add");
  const auto handed = box.next(patch);
  expect(handed && *handed, "next");
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

}  // namespace

int main() {
  round_trip();
  algebra();
  errors();
  return failures == 0 ? 0 : 1;
}
