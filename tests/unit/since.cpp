// What changed since a version.
#include "../support/twin.hpp"

#include <random>
#include <string>
#include <vector>

#include "../support/failing_heap.hpp"
#include "../support/random_json.hpp"

namespace {

/// A text without the value at a pointer.
/// Whether two views have the same metadata of desired.
bool same_metadata(const std::string& a, const std::string& b) {
  const auto parsed_a = parsed(a), parsed_b = parsed(b);
  return are_equal(**json::find(parsed_a, "/properties/desired/$metadata"),
                   **json::find(parsed_b, "/properties/desired/$metadata"));
}

std::string without(const std::string& text, const std::string& pointer) {
  json::document whole, patch;
  REQUIRE(!json::read(text, whole));
  std::string nulls = "null";
  std::vector<std::string> names;
  for (std::size_t at = 1; at <= pointer.size();) {
    const std::size_t end =
        pointer.find('/', at) == pointer.npos ? pointer.size() : pointer.find('/', at);
    names.push_back(pointer.substr(at, end - at));
    at = end + 1;
  }
  if (names.back() == "0") {  // an element
    nulls = "[]";
    names.pop_back();
  }
  for (; !names.empty(); names.pop_back()) nulls = "{\"" + names.back() + "\":" + nulls + "}";
  REQUIRE(!json::read(nulls, patch));
  REQUIRE(!merge::apply_merge_patch(whole, patch));
  REQUIRE(written(whole) != text);
  return written(whole);
}

/// Both sections are written and lose a member: desired has version 3 then, as reported has.
void write_and_remove(test_twin& x) {
  REQUIRE(!x.desire(R"({"a":{"y":1},"b":1})"));
  REQUIRE(!x.report(R"({"r":1,"s":{"t":1}})"));
  REQUIRE(!x.desire(R"({"a":null})"));
  REQUIRE(!x.report(R"({"s":{"t":null,"u":1}})"));
}

std::string view_with_history(const devicetwin::twin& t) {
  devicetwin::view_options options;
  options.history = true;
  std::string text;
  REQUIRE(!devicetwin::write_service_view(t, text, options));
  return text;
}

}  // namespace

TEST_CASE("changes_since gives only what was written later", "[since]") {
  test_twin x;
  REQUIRE(!x.desire(R"({"a":{"b":1,"c":2},"d":[1]})"));  // version 2
  CHECK(x.since(part::desired, 2) == "{}");
  CHECK(x.since(part::desired, 1) == R"({"a":{"b":1,"c":2},"d":[1]})");
  REQUIRE(!x.desire(R"({"a":{"c":3}})"));
  CHECK(x.since(part::desired, 2) == R"({"a":{"c":3}})");
  REQUIRE(!x.desire(R"({"d":[1,2],"e":{}})"));
  CHECK(x.since(part::desired, 2) == R"({"a":{"c":3},"d":[1,2],"e":{}})");
  CHECK(x.since(part::desired, 3) == R"({"d":[1,2],"e":{}})");
}

TEST_CASE("changes_since gives deletions, also inside what came back", "[since]") {
  test_twin x;
  REQUIRE(!x.desire(R"({"a":{"y":1}})"));
  REQUIRE(!x.desire(R"({"a":null})"));
  CHECK(x.since(part::desired, 2) == R"({"a":null})");
  REQUIRE(!x.desire(R"({"a":{"x":1}})"));
  CHECK(x.since(part::desired, 2) == R"({"a":{"x":1,"y":null}})");
  CHECK(x.since(part::desired, 3) == R"({"a":{"x":1}})");
  REQUIRE(!x.desire(R"({"a":5})"));
  CHECK(x.since(part::desired, 2) == R"({"a":5})");
  REQUIRE(!x.desire(R"({"a":{"z":{"deep":{"er":1}}}})"));
  REQUIRE(!x.replace(R"({"a":{"z":{}}})"));
  CHECK(x.since(part::desired, 6) == R"({"a":{"z":{"deep":null}}})");
  CHECK(x.since(part::desired, 2) == R"({"a":{"z":{"deep":null},"x":null,"y":null}})");
}

TEST_CASE("changes_since refuses a version that is not known", "[since]") {
  test_twin x;
  REQUIRE(!x.report(R"({"a":1})"));
  REQUIRE(!x.report(R"({"a":null})"));
  json::document patch;
  CHECK(devicetwin::changes_since(x.t, part::reported, 0, patch).code() == errc::too_old);
  CHECK(devicetwin::changes_since(x.t, part::reported, 4, patch).code() == errc::too_old);
  CHECK(devicetwin::changes_since(x.t, part::tags, 1, patch).code() == errc::not_found);
  CHECK(!devicetwin::changes_since(x.t, part::reported, 1, patch));
  x.t.forget_before(part::reported, 2);
  CHECK(devicetwin::changes_since(x.t, part::reported, 1, patch).code() == errc::too_old);
  CHECK(x.since(part::reported, 2) == R"({"a":null})");
  x.t.set_history_budget(0);
  CHECK(devicetwin::changes_since(x.t, part::reported, 2, patch).code() == errc::too_old);
  CHECK(x.since(part::reported, 3) == "{}");
}

TEST_CASE("tombstones stay within their budget, the oldest going first", "[since]") {
  test_twin x;
  x.t.set_history_budget(300);
  for (int i = 0; i < 200; ++i) {
    const std::string name = "\"a_rather_long_name_" + std::to_string(i) + "\"";
    REQUIRE(!x.report("{" + name + ":1}"));
    REQUIRE(!x.report("{" + name + ":null}"));
  }
  const auto& history = tracked_section(x.t, part::reported).tracking().history();
  CHECK(history.memory_in_bytes() < 1000);
  CHECK(history.known_since() > 300);
  CHECK(x.since(part::reported, history.known_since() - 1) == json::error(errc::too_old).message());
  CHECK(x.since(part::reported, history.known_since()).find("null") != std::string::npos);
}

TEST_CASE("the same member coming and going takes no more room", "[since]") {
  test_twin x;
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(!x.report(R"({"a":{"b":1}})"));
    REQUIRE(!x.report(R"({"a":null})"));
  }
  CHECK(x.since(part::reported, 1) == R"({"a":null})");
}

TEST_CASE("changes_since is exact for every version still known", "[since][property]") {
  for (unsigned seed = 0; seed < 60; ++seed) {
    INFO(seed);
    random_json random(seed);
    const auto& rules = seed % 2 != 0 ? devicetwin::azure : devicetwin::rfc7396;
    test_twin x(rules);
    if (seed % 3 == 0) x.t.set_history_budget(random.below(200));
    std::vector<std::string> past{"{}"};
    for (int i = 0; i < 25; ++i) {
      if (x.report(random.object(0))) continue;  // nulls in arrays, say
      if (x.done.effective()) past.push_back(written(x.t.reported()));
      REQUIRE(static_cast<std::int64_t>(past.size()) == x.t.reported_version());
      for (std::size_t v = 1; v <= past.size(); ++v) {
        json::document patch;
        const json::error e =
            devicetwin::changes_since(x.t, part::reported, static_cast<std::int64_t>(v), patch);
        if (e) {
          REQUIRE(e.code() == errc::too_old);
          continue;
        }
        json::document then;
        REQUIRE(!json::read(past[v - 1], then));
        REQUIRE(!merge::apply_merge_patch(then, patch));
        CHECK(are_equal(then, x.t.reported()));
      }
    }
  }
}

TEST_CASE("the history travels with the service's JSON", "[since]") {
  test_twin x;
  write_and_remove(x);
  const std::string text = view_with_history(x.t);
  test_twin y;
  REQUIRE(!y.t.load(text));
  CHECK(y.since(part::desired, 2) == R"({"a":null})");
  CHECK(y.since(part::desired, 1) == R"({"b":1,"a":null})");
  CHECK(y.since(part::reported, 2) == R"({"s":{"u":1,"t":null}})");
  CHECK(y.view() == text);  // written again because it was there
  // Without it nothing before the loading is known.
  REQUIRE(!y.t.load(x.view()));
  CHECK(y.since(part::desired, 3) == "{}");
  CHECK(y.since(part::desired, 2) == json::error(errc::too_old).message());
}

TEST_CASE("a history that is none is refused with its place", "[since]") {
  test_twin x;
  for (const char* history :
       {R"({"desired":1})", R"({"desired":{"knownSince":0,"removed":{}}})",
        R"({"desired":{"knownSince":0,"removed":[1]}})",
        R"({"desired":{"knownSince":0,"removed":[{"version":1,"names":1}]}})"}) {
    INFO(history);
    const std::string text =
        std::string(R"({"properties":{"desired":{"$version":1}},"$history":)") + history + "}";
    const json::error e = x.t.load(text);
    CHECK(e.code() == errc::not_a_twin);
    CHECK(e.pointer() == "/$history/desired");
  }
  CHECK(x.t.device_id() == "devA");
}

TEST_CASE("a history that does not fit its section is not believed", "[since]") {
  test_twin x;
  write_and_remove(x);
  const std::string whole = view_with_history(x.t);
  const std::string not_known = json::error(errc::too_old).message();
  for (const char* place :
       {"/properties/desired/$metadata", "/properties/desired/$metadata/$lastUpdatedVersion",
        "/properties/desired/$metadata/b", "/properties/desired/$metadata/b/$lastUpdatedVersion",
        "/properties/desired/b", "/$history/desired", "/$history/desired/knownSince",
        "/$history/desired/removed", "/$history/desired/removed/0", "/$history/desired/checksum"}) {
    INFO(place);
    test_twin y;
    REQUIRE(!y.t.load(without(whole, place)));
    for (std::int64_t version = 0; version <= 4; ++version)
      CHECK(y.since(part::desired, version) == not_known);
    CHECK(y.since(part::reported, 2) ==
          R"({"s":{"u":1,"t":null}})");  // the other section's own is whole
    // What is written from now on is known again.
    REQUIRE(!y.desire(R"({"c":1})"));
    const std::int64_t version = y.t.desired_version();
    CHECK(y.since(part::desired, version - 1) == not_known);
    REQUIRE(!y.desire(R"({"c":null,"d":{}})"));
    CHECK(y.since(part::desired, version) == R"({"d":{},"c":null})");
  }
  for (const char* place : {"/$history/reported/versions", "/$history/reported/versions/r",
                            "/$history/reported/versions/s/u/$lastUpdatedVersion",
                            "/properties/reported/$metadata", "/properties/reported/$metadata/s"}) {
    INFO(place);
    test_twin y;
    REQUIRE(!y.t.load(without(whole, place)));
    for (std::int64_t version = 0; version <= 4; ++version)
      CHECK(y.since(part::reported, version) == not_known);
    CHECK(y.since(part::desired, 2) == R"({"a":null})");
  }
  // Doubts outlive saving and loading, in either form.
  test_twin y, z;
  REQUIRE(!y.t.load(without(whole, "/properties/desired/$metadata/b")));
  REQUIRE(!z.t.load(y.view()));
  CHECK(z.since(part::desired, 3) == not_known);
  std::string bytes;
  REQUIRE(!devicetwin::write_stored(y.t, bytes));
  REQUIRE(!devicetwin::load_stored(bytes, z.t));
  CHECK(z.since(part::desired, 3) == not_known);
  CHECK(z.since(part::reported, 2) == R"({"s":{"u":1,"t":null}})");
  REQUIRE(!z.desire(R"({"c":1})"));
  CHECK(z.since(part::desired, 4) == "{}");
}

TEST_CASE("a history that nobody can have written is not believed", "[since]") {
  test_twin x;
  for (
      const char* history :
      {"{}", "null", "7", R"({"desired":{}})", R"({"desired":{"knownSince":-1}})",
       R"({"desired":{"knownSince":9}})", R"({"desired":{"knownSince":"0"}})",
       R"({"desired":{"knownSince":0,"removed":[]}})",
       R"({"desired":{"knownSince":0,"removed":[],"checksum":"0000000000000000"}})",
       R"({"desired":{"knownSince":0,"removed":[],"checksum":7}})",
       R"({"desired":{"knownSince":0,"removed":[{"version":2,"names":{}}],"checksum":"0"}})",
       R"({"desired":{"knownSince":0,"removed":[{"version":1,"names":{}},{"version":1,"names":{}}],"checksum":"0"}})"}) {
    INFO(history);
    REQUIRE(!x.t.load(std::string(R"({"properties":{"desired":{"a":1,"$version":1}},"$history":)") +
                      history + "}"));
    CHECK(x.since(part::desired, 0) == json::error(errc::too_old).message());
    CHECK(x.since(part::desired, 1) == json::error(errc::too_old).message());
    // What is written can be loaded again.
    test_twin y;
    REQUIRE(!y.t.load(x.view()));
    std::string bytes;
    REQUIRE(!devicetwin::write_stored(x.t, bytes));
    REQUIRE(!devicetwin::load_stored(bytes, y.t));
  }
}

TEST_CASE("a stamp above the section's version hides the history until it is written over",
          "[since]") {
  const auto stamped = [](int root, int member, int version) {
    const auto stamp = [](int v) {
      return R"("$lastUpdated":"2020-01-01T00:00:00Z","$lastUpdatedVersion":)" + std::to_string(v);
    };
    return R"({"properties":{"desired":{"a":1,"$metadata":{)" + stamp(root) + R"(,"a":{)" +
           stamp(member) + R"(}},"$version":)" + std::to_string(version) + "}}}";
  };
  test_twin x;
  const std::string not_known = json::error(errc::too_old).message();
  REQUIRE(!x.t.load(stamped(1, 3, 1)));
  CHECK(x.since(part::desired, 1) == not_known);
  CHECK(x.t.stamp_of(part::desired, "/a")->version == 0);
  CHECK(x.t.stamp_of(part::desired, "")->version == 0);
  CHECK(are_equal(parsed(x.view()), parsed(stamped(1, 3, 1))));
  REQUIRE(!x.desire(R"({"b":1})"));
  CHECK(x.since(part::desired, 2) == not_known);  // /a still says 3
  REQUIRE(!x.desire(R"({"a":2})"));
  CHECK(x.since(part::desired, 2) == not_known);
  CHECK(x.since(part::desired, 3) == "{}");
  // A child that is younger than its parent, but not than the section.
  REQUIRE(!x.t.load(stamped(1, 3, 3)));
  CHECK(x.since(part::desired, 1) == not_known);
  CHECK(x.since(part::desired, 3) == "{}");
  CHECK(x.t.stamp_of(part::desired, "/a")->version == 3);
  // A section without a version never had one.
  REQUIRE(!x.t.load(R"({"properties":{"desired":{"a":1}}})"));
  CHECK(x.since(part::desired, 0) == not_known);
}

TEST_CASE("the stamp of an object is never older than one inside of it", "[since]") {
  const auto stamp = [](int v) {
    return R"("$lastUpdated":"2020-01-01T00:00:00Z","$lastUpdatedVersion":)" + std::to_string(v);
  };
  for (const int root : {0, 1, 3, 4}) {
    for (const int object : {0, 1, 2, 3, 4}) {
      INFO(root << " " << object);
      const std::string text =
          R"({"properties":{"desired":{"a":{"b":2,"c":{"d":1},"e":{}},"$metadata":{)" +
          stamp(root) + R"(,"a":{)" + stamp(object) + R"(,"b":{)" + stamp(1) + R"(},"c":{)" +
          stamp(2) + R"(,"d":{)" + stamp(3) + R"(}},"e":{)" + stamp(1) + R"(}}},"$version":4}}})";
      const devicetwin::twin t = loaded_twin(text);
      CHECK(t.stamp_of(part::desired, "/a/b")->version == 1);
      CHECK(t.stamp_of(part::desired, "/a/c/d")->version == 3);
      CHECK(t.stamp_of(part::desired, "/a/c")->version == 0);
      CHECK(t.stamp_of(part::desired, "/a")->version == (object < 3 ? 0 : object));
      CHECK(t.stamp_of(part::desired, "")->version == (root < 3 || root < object ? 0 : root));
      CHECK(t.stamp_of(part::desired, "/a/c")->time ==
            *devicetwin::parse_timestamp("2020-01-01T00:00:00Z"));
      CHECK(same_metadata(service_text(t), text));  // written back as it was
    }
  }
}

TEST_CASE("no version of a stamp is believed where the history does not fit", "[since]") {
  test_twin x;
  REQUIRE(!x.desire(R"({"a":{"y":1},"b":1})"));
  REQUIRE(!x.report(R"({"r":{"s":1}})"));
  REQUIRE(!x.desire(R"({"b":2})"));
  const std::string whole = view_with_history(x.t);
  const std::string changed =
      R"("b":{"$lastUpdated":"1970-01-01T00:00:00.0000003Z","$lastUpdatedVersion":)";
  const std::size_t at = whole.find(changed + "3");
  REQUIRE(at != std::string::npos);
  std::string damaged = whole;
  damaged[at + changed.size()] = '2';
  test_twin y;
  REQUIRE(!y.t.load(damaged));
  for (const char* place : {"", "/a", "/a/y", "/b"})
    CHECK(y.t.stamp_of(part::desired, place)->version == 0);
  CHECK(y.t.stamp_of(part::desired, "/b")->time == x.t.stamp_of(part::desired, "/b")->time);
  CHECK(y.t.stamp_of(part::reported, "/r/s")->version == 2);
  // The metadata is written back as it was, until its place is written.
  CHECK(same_metadata(y.view(), damaged));
  std::string bytes;
  REQUIRE(!devicetwin::write_stored(y.t, bytes));
  REQUIRE(!devicetwin::load_stored(bytes, y.t));
  CHECK(y.t.stamp_of(part::desired, "/a")->version == 0);
  REQUIRE(!y.desire(R"({"b":3})"));
  CHECK(y.t.stamp_of(part::desired, "/b")->version == 4);
  CHECK(y.t.stamp_of(part::desired, "")->version == 4);
  CHECK(y.t.stamp_of(part::desired, "/a")->version == 0);
  // A history that lost its versions.
  test_twin z;
  REQUIRE(!z.t.load(without(whole, "/$history/reported/versions/r/s")));
  for (const char* place : {"", "/r", "/r/s"})
    CHECK(z.t.stamp_of(part::reported, place)->version == 0);
}

TEST_CASE("forget_before a version that is still to come forgets up to the present one",
          "[since]") {
  test_twin x;
  REQUIRE(!x.report(R"({"a":1})"));
  x.t.forget_before(part::reported, 1000);
  CHECK(x.since(part::reported, 2) == "{}");
  std::string bytes, text;
  REQUIRE(!devicetwin::write_stored(x.t, bytes));
  devicetwin::twin y;
  REQUIRE(!devicetwin::load_stored(bytes, y));
  devicetwin::view_options options;
  options.history = true;
  REQUIRE(!devicetwin::write_service_view(x.t, text, options));
  REQUIRE(!y.load(text));
}

TEST_CASE("a longer history than the budget loses the oldest, and is believed", "[since]") {
  test_twin x;
  x.t.set_history_budget(100000);
  for (int i = 0; i < 60; ++i) {
    const std::string name = "\"name_" + std::to_string(i) + "\"";
    REQUIRE(!x.report("{" + name + ":1}"));
    REQUIRE(!x.report("{" + name + ":null}"));
  }
  const std::string text = view_with_history(x.t);
  test_twin y;
  REQUIRE(!y.t.load(text));
  CHECK(y.since(part::reported, 1) == json::error(errc::too_old).message());
  CHECK(y.since(part::reported, 119) == x.since(part::reported, 119));
  CHECK(y.since(part::reported, 100) == x.since(part::reported, 100));
}

TEST_CASE("a history far beyond the default budget is exact, written, loaded and cut", "[since]") {
  test_twin x;
  x.t.set_history_budget(1000000);
  struct state {
    std::int64_t version = 0;  // of the last write; 0: never there
    bool there = false;
  };
  std::vector<state> names(150);
  for (std::size_t i = 0; i < 700; ++i) {  // they come, go, and come again long after
    const std::size_t at = i * 37 % names.size();
    state& s = names[at];
    s.there = !s.there;
    const std::string value = s.there ? "1" : "null";
    const std::string member = "\"a_name_" + std::to_string(at) + "\":" + value;
    REQUIRE(!x.report(at % 2 == 0 ? "{" + member + "}" : "{\"o\":{" + member + "}}"));
    s.version = x.t.reported_version();
  }
  const auto expected = [&](std::int64_t version) {
    std::string outer, inner;
    for (std::size_t at = 0; at < names.size(); ++at) {
      if (names[at].version <= version) continue;
      std::string& list = at % 2 == 0 ? outer : inner;
      list += "\"a_name_" + std::to_string(at) + "\":" + (names[at].there ? "1," : "null,");
    }
    if (!inner.empty()) outer += "\"o\":{" + inner.substr(0, inner.size() - 1) + "},";
    return "{" + (outer.empty() ? outer : outer.substr(0, outer.size() - 1)) + "}";
  };
  const auto exact = [&](const test_twin& t, std::int64_t version) {
    return are_equal(parsed(t.since(part::reported, version)), parsed(expected(version)));
  };
  const std::int64_t last = x.t.reported_version();
  for (std::int64_t version = 2; version <= last; version += 7) CHECK(exact(x, version));

  const std::string text = view_with_history(x.t);
  test_twin y;
  y.t.set_history_budget(1000000);
  REQUIRE(!y.t.load(text));
  for (std::int64_t version = 2; version <= last; version += 31) CHECK(exact(y, version));

  for (const std::size_t budget : {5000u, 300u, 40u}) {  // many go at once
    x.t.set_history_budget(budget);
    const std::int64_t known =
        tracked_section(x.t, part::reported).tracking().history().known_since();
    CHECK(known > 2);
    CHECK(exact(x, known));
    CHECK(x.since(part::reported, known - 1) == json::error(errc::too_old).message());
  }
  y.t.forget_before(part::reported, last - 100);
  CHECK(exact(y, last - 100));
  CHECK(exact(y, last - 3));
  CHECK(y.since(part::reported, last - 101) == json::error(errc::too_old).message());
}

TEST_CASE("the deepest names that were removed can be written and read back", "[since]") {
  std::string deep = "1";
  for (int i = 0; i < 63; ++i) deep = R"({"a":)" + deep + "}";
  test_twin x(devicetwin::rfc7396), y(devicetwin::rfc7396);
  REQUIRE(!x.t.load(R"({"properties":{"reported":{"b":)" + deep + R"(,"$version":1}}})"));
  REQUIRE(!x.report(R"({"b":null})"));
  devicetwin::view_options options;
  options.history = true;
  std::string text, bytes;
  REQUIRE(!devicetwin::write_service_view(x.t, text, options));
  REQUIRE(!y.t.load(text));
  CHECK(y.since(part::reported, 1) == R"({"b":null})");
  REQUIRE(!devicetwin::write_stored(x.t, bytes));
  REQUIRE(!devicetwin::load_stored(bytes, y.t));
}

TEST_CASE("changes_since survives every failing allocation", "[since][failure]") {
  for (std::size_t n = 1;; ++n) {
    REQUIRE(n < 1000);
    failing_heap heap;
    bool done = false;
    {
      devicetwin::twin t(devicetwin::azure, devicetwin::heap_memory(heap.source()));
      devicetwin::outcome out;
      REQUIRE(!t.create({"devA"}, at(0), out));
      REQUIRE(!t.device_patch(R"({"a":{"b":{"c":{"d":1}}},"e":1})", at(1), out));
      REQUIRE(!t.device_patch(R"({"a":{"b":{"c":{"d":null,"f":1}}}})", at(2), out));
      REQUIRE(!t.device_patch(R"({"e":null})", at(3), out));
      heap.refused_request = heap.requests + n;
      json::document patch(heap.source());
      const json::error e = devicetwin::changes_since(t, part::reported, 2, patch);
      done = heap.requests < heap.refused_request;
      heap.refused_request = 0;
      if (e) {
        CHECK(e.code() == errc::out_of_memory);
        CHECK(patch.root().IsNull());
      } else {
        CHECK(written(patch) == R"({"a":{"b":{"c":{"f":1,"d":null}}},"e":null})");
      }
      if (done) CHECK(!e);
    }
    CHECK(heap.out == 0);
    if (done) break;
  }
}

TEST_CASE("a version above the section's is found however it is spelled", "[since]") {
  for (const char* version : {"9", "9.0", "90e-1", "1e300", "18446744073709551615"}) {
    INFO(version);
    const std::string text =
        std::string(R"({"properties":{"desired":{"a":1,"b":2,"$version":3,"$metadata":{)") +
        R"("$lastUpdated":"2026-03-02T06:41:17Z","$lastUpdatedVersion":3,)" +
        R"("a":{"$lastUpdated":"2026-03-02T06:41:17Z","$lastUpdatedVersion":2},)" +
        R"("b":{"$lastUpdated":"2026-03-02T06:41:17Z","$lastUpdatedVersion":)" + version + "}}}}}";
    devicetwin::twin t;
    REQUIRE(!t.load(text));
    // Nobody knows which of the versions are this section's.
    for (const char* place : {"", "/a", "/b"})
      CHECK(t.stamp_of(part::desired, place)->version == 0);
    std::string view;
    REQUIRE(!devicetwin::write_service_view(t, view));
    devicetwin::twin again;
    REQUIRE(!again.load(view));
    std::string same;
    REQUIRE(!devicetwin::write_service_view(again, same));
    CHECK(same == view);
  }
}
