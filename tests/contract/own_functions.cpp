// A program's own functions, with the names of the library's, are the ones that its unqualified
// calls mean, whatever types of the library they are called with.
#include <devicetwin/devicetwin.hpp>

#include <string>

#include "../catch.hpp"

namespace app {

namespace json = devicetwin::json;
namespace merge = devicetwin::merge;
using devicetwin::twin;

// Each takes what the library's function of that name takes, or something that converts less well.
int read(const std::string&, json::document&) { return 1; }
int read(const std::string&, rapidjson::Document&) { return 1; }
template <class Handler>
int read_events(const std::string&, Handler&) {
  return 1;
}
template <class Value, class Output>
int write(const Value&, Output&) {
  return 1;
}
template <class A, class B>
int equal(const A&, const B&) {
  return 1;
}
template <class T, class Document>
T get(const Document&, const std::string&) {
  return T(1);
}
template <class Document>
int find(const Document&, const std::string&) {
  return 1;
}
template <class... T>
int diff(const T&...) {
  return 1;
}
template <class... T>
int apply(const T&...) {
  return 1;
}
template <class... T>
int apply_merge_patch(const T&...) {
  return 1;
}
template <class... T>
int compose(const T&...) {
  return 1;
}
template <class... T>
int invert(const T&...) {
  return 1;
}
template <class... T>
int rebase(const T&...) {
  return 1;
}
template <class... T>
int merge3(const T&...) {
  return 1;
}
template <class... T>
int validate(const T&...) {
  return 1;
}
template <class... T>
int write_device_view(const T&...) {
  return 1;
}
template <class... T>
int load_stored(const T&...) {
  return 1;
}
template <class... T>
int find_matches(const T&...) {
  return 1;
}

int call_all() {
  json::document d;
  rapidjson::Document r;
  merge::change c;
  twin t;
  devicetwin::outcome done;
  devicetwin::matches found;
  devicetwin::validation report;
  std::string text;
  json::text_writer writer(text);
  int calls = 0;
  calls += read("file.json", d) + read("file.json", r) + read_events("file.json", writer);
  calls += write(d, text) + write(d.root(), text) + write(r, text);
  calls += equal(d, d) + equal(d.root(), d) + equal(t, t) + equal(c, c);
  calls += get<int>(d, "/a") + get<int>(d.root(), "/a") + find(d, "/a") + find(d.root(), "/a");
  calls += diff(d, d, d) + diff(d.root(), d, d) + apply(d, c) + apply_merge_patch(d, d);
  calls += compose(c, c, c) + invert(c, d, c) + rebase(c, d, d, c) + merge3(d, d, d, d);
  calls +=
      validate(d, devicetwin::part::desired, devicetwin::shape::patch, devicetwin::azure, report);
  calls += write_device_view(t, text) + load_stored(text, t);
  calls += find_matches(devicetwin::subscription{devicetwin::part::desired, ""}, done, found);
  return calls;
}

}  // namespace app

TEST_CASE("an unqualified call means the program's own function", "[contract]") {
  CHECK(app::call_all() == 26);
}
