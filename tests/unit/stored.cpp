// The stored form of a twin.
#include "../support/twin.hpp"

#include <random>
#include <string>
#include <vector>

#include "../support/failing_heap.hpp"
#include "../support/files.hpp"
#include "../support/random_json.hpp"
#include "../support/reference.hpp"

namespace {

std::string stored(const devicetwin::twin& t) {
  std::string bytes;
  REQUIRE(!devicetwin::write_stored(t, bytes));
  return bytes;
}

test_twin busy_twin() {
  test_twin x;
  REQUIRE(!x.service(
      R"({"tags":{"site":"Wien"},"properties":{"desired":{"a":{"b":1,"c":"text longer than a value"},"d":[1]}}})"));
  REQUIRE(!x.report(R"({"a":{"b":1},"gone":{"x":1}})"));
  REQUIRE(!x.report(R"({"gone":null,"z":2})"));
  REQUIRE(!x.desire(R"({"a":{"b":2}})"));
  return x;
}

}  // namespace

TEST_CASE("a twin that the first version of the format stored is loaded", "[stored]") {
  devicetwin::twin t, by_view;
  REQUIRE(!devicetwin::load_stored(kept_file("twin_format_1"), t));
  REQUIRE(!by_view.load(kept_file("twin_format_1.json")));
  CHECK(are_equal(t, by_view));
  CHECK(t.stamp_of(part::desired, "/zone/a")->version == 2);
  CHECK(t.stamp_of(part::reported, "/pi")->version == 2);
  std::string since;
  REQUIRE(!devicetwin::write_changes_since(t, part::reported, 2, since));
  CHECK(reference::equal(*reference::parser::parse(since),
                         *reference::parser::parse(R"({"text":"caf\u00e9 \u0001","old":null})")));
  since.clear();
  REQUIRE(!devicetwin::write_changes_since(t, part::desired, 2, since));
  CHECK(since == R"({"mode":null})");
}

TEST_CASE("a stored twin comes back whole", "[stored]") {
  const test_twin x = busy_twin();
  const std::string bytes = stored(x.t);
  devicetwin::twin y;
  REQUIRE(!devicetwin::load_stored(bytes, y));
  CHECK(are_equal(x.t, y));
  CHECK(stored(y) == bytes);
  for (const part where : {part::desired, part::reported}) {
    for (std::int64_t v = 1; v <= tracked_section(x.t, where).version(); ++v) {
      std::string again;
      REQUIRE(!devicetwin::write_changes_since(y, where, v, again));
      CHECK(again == x.since(where, v));
    }
  }
  CHECK(y.stamp_of(part::reported, "/z")->version == 3);
}

TEST_CASE("a stored twin keeps strange metadata", "[stored]") {
  const std::string text =
      R"({"deviceId":"d","properties":{"desired":{"a":{"b":1},"$metadata":{"$lastUpdated":"yesterday","a":{"$lastUpdated":)"
      R"("2026-01-01T00:00:00Z","$lastUpdatedVersion":3,"b":null},"gone":{}},"$version":4},"reported":{}}})";
  devicetwin::twin x, y;
  REQUIRE(!x.load(text));
  REQUIRE(!devicetwin::load_stored(stored(x), y));
  std::string again;
  REQUIRE(!devicetwin::write_service_view(y, again));
  CHECK(are_equal(parsed(again), parsed(text)));
}

TEST_CASE("a torn, changed or newer stored twin is an error that says so", "[stored]") {
  const test_twin x = busy_twin();
  const std::string bytes = stored(x.t);
  test_twin y;
  REQUIRE(!y.report(R"({"kept":1})"));
  const std::string kept = y.view();
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CHECK(devicetwin::load_stored(bytes.substr(0, length), y.t).code() == errc::damaged);
  }
  CHECK(devicetwin::load_stored(bytes + "x", y.t).code() == errc::damaged);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    const json::error e = devicetwin::load_stored(changed, y.t);
    if (at == 4) {
      CHECK(e.code() == errc::newer_format);
    } else if (at < 5 || at > 7) {  // three bytes are spare
      CHECK(e.code() == errc::damaged);
    }
    if (!e) REQUIRE(!y.t.load(kept));
  }
  CHECK(y.view() == kept);
}

TEST_CASE("a stored twin with a right checksum and wrong content harms nobody", "[stored]") {
  const test_twin x = busy_twin();
  const std::string bytes = stored(x.t);
  std::mt19937 random(7);
  std::size_t refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string payload = bytes.substr(16);
    for (auto n = 1 + random() % 3; n != 0; --n) {
      payload[random() % payload.size()] = static_cast<char>(random());
    }
    std::string whole = bytes.substr(0, 12);
    const std::uint32_t crc = devicetwin::json::core::crc32(payload);
    for (int shift = 0; shift < 32; shift += 8) whole += static_cast<char>(crc >> shift & 0xFF);
    devicetwin::twin y;
    const json::error e = devicetwin::load_stored(whole + payload, y);
    refused += static_cast<bool>(e);
    if (e) {
      CHECK(e.code() == errc::damaged);
      continue;
    }
    std::string view;
    REQUIRE(!devicetwin::write_service_view(y, view));
    devicetwin::outcome done;
    static_cast<void>(y.device_patch(R"({"a":{"b":7},"new":1,"z":null})", at(1), done));
    std::string since;
    static_cast<void>(devicetwin::write_changes_since(y, part::reported, 1, since));
  }
  CHECK(refused > 1000);
}

TEST_CASE("a stored twin that claims versions that it never had is damaged", "[stored]") {
  // The content again, with another history of desired, whose version is 3.
  const test_twin x = busy_twin();
  const auto with_history = [](const test_twin& t, std::uint64_t flags, std::uint64_t known_since,
                               const std::vector<std::pair<std::uint64_t, std::string>>& removed,
                               const std::string& unusual = "") {
    devicetwin::text_buffer content;
    devicetwin::json::core::stored_writer<devicetwin::text_buffer> writer(content);
    writer.number(flags);
    writer.text(t.view(false));
    for (const part where : {part::desired, part::reported}) {
      const auto& s = tracked_section(t.t, where);
      const bool own = where == part::reported;
      writer.number(own ? static_cast<std::uint64_t>(s.tracking().history().known_since())
                        : known_since);
      writer.number(1024);
      writer.number(own ? 0 : removed.size());
      if (!own) {
        for (const auto& [version, names] : removed) {
          writer.number(version);
          writer.text(names);
        }
      }
      devicetwin::detail::store_stamps(s.tracking().shadow(), s.values(),
                                       [&writer](std::uint64_t n) { writer.number(n); });
      writer.text(own ? "" : unusual);
    }
    std::string bytes;
    REQUIRE(!devicetwin::json::core::write_stored_form(
        "DTWN", 1, bytes, [&](auto& to) { to.bytes(content.view()); }));
    return bytes;
  };
  REQUIRE(x.t.desired_version() == 3);
  devicetwin::twin y;
  CHECK(!devicetwin::load_stored(with_history(x, 1, 1, {{2, R"({"z":null})"}, {3, "{}"}}), y));
  CHECK(!devicetwin::load_stored(with_history(x, 6, 3, {}), y));
  std::string text;
  for (const part where : {part::desired, part::reported}) {
    CHECK(devicetwin::write_changes_since(y, where, 3, text).code() ==
          errc::too_old);  // both are doubted
  }
  CHECK(devicetwin::load_stored(with_history(x, 8, 1, {}), y).code() == errc::damaged);
  for (const std::uint64_t known_since :
       {std::uint64_t{4}, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    CHECK(devicetwin::load_stored(with_history(x, 1, known_since, {}), y).code() == errc::damaged);
  }
  for (const auto& removed : std::vector<std::vector<std::pair<std::uint64_t, std::string>>>{
           {{4, "{}"}},
           {{1, "{}"}},
           {{0, "{}"}},
           {{3, "{}"}, {2, R"({"a":null})"}},
           {{2, "{}"}, {2, R"({"a":null})"}},
           {{~std::uint64_t{0}, "{}"}},
           {{2, "[]"}},
           {{2, "{"}}}) {
    CHECK(devicetwin::load_stored(with_history(x, 1, 1, removed), y).code() == errc::damaged);
  }
  // Peculiarities of the metadata: as deep as can be read again, and with no version above the
  // section's.
  for (int depth = 60; depth < 72; ++depth) {
    INFO(depth);
    std::string deep = "1";
    for (int i = 0; i < depth; ++i) deep = R"({"x":)" + deep + "}";
    const json::error e = devicetwin::load_stored(with_history(x, 1, 1, {}, deep), y);
    CHECK((depth <= 66 ? !e : e.code() == errc::damaged));
    devicetwin::twin z;
    if (!e) CHECK(!z.load(service_text(y)));
  }
  REQUIRE(
      !devicetwin::load_stored(with_history(x, 1, 1, {}, R"({"a":{"$lastUpdatedVersion":4}})"), y));
  CHECK(devicetwin::write_changes_since(y, part::desired, 3, text).code() == errc::too_old);
  REQUIRE(
      !devicetwin::load_stored(with_history(x, 1, 1, {}, R"({"a":{"$lastUpdatedVersion":3}})"), y));
  CHECK(!devicetwin::write_changes_since(y, part::desired, 3, text));
}

TEST_CASE("whatever loads with a right checksum can be written and loaded again",
          "[stored][property]") {
  std::size_t loaded = 0;
  for (unsigned seed = 0; seed < 4000; ++seed) {
    INFO(seed);
    std::mt19937 random(seed);
    test_twin x = busy_twin();
    if (random() % 2 != 0) {  // strange metadata, and a history that is shown
      REQUIRE(!x.t.load(
          R"({"deviceId":"d","properties":{"desired":{"a":{"b":1},"c":1,"$metadata":{"$lastUpdated":"2020-01-01T00:00:00Z","$lastUpdatedVersion":9,)"
          R"("a":{"$lastUpdated":"2020-01-01T00:00:00Z","$lastUpdatedVersion":3},"gone":{"x":1}},"$version":4},"reported":{"r":1,"$version":2}},"$history":{}})"));
      REQUIRE(!x.report(R"({"s":{"t":1}})"));
      REQUIRE(!x.report(R"({"r":null})"));
    }
    const std::string bytes = stored(x.t);
    std::string content = bytes.substr(16);
    const std::size_t half = content.size() / 2;  // behind the view, mostly
    for (auto n = random() % 4 == 0 ? 2 : 1; n != 0; --n) {
      const std::size_t at =
          random() % 4 == 0 ? random() % content.size() : half + random() % (content.size() - half);
      content[at] = static_cast<char>(random() % 3 == 0 ? random() : random() % 8);
    }
    std::string damaged;
    REQUIRE(!devicetwin::json::core::write_stored_form("DTWN", 1, damaged,
                                                       [&](auto& to) { to.bytes(content); }));
    devicetwin::twin y, z;
    if (devicetwin::load_stored(damaged, y)) continue;
    ++loaded;
    devicetwin::view_options options;
    options.history = true;
    for (int round = 0; round < 2; ++round) {
      std::string view;
      REQUIRE(!devicetwin::write_service_view(y, view, options));
      CHECK(!z.load(view));
      CHECK(!devicetwin::load_stored(stored(y), z));
      for (const part where : {part::desired, part::reported}) {
        const auto& s = tracked_section(y, where);
        CHECK(s.tracking().history().known_since() <= s.version());
        CHECK(s.tracking().shadow().in_order_after(s.tracking().history().known_since()));
        for (std::int64_t version = 0; version <= s.version() && version < 20; ++version) {
          std::string patch, again;
          const json::error e = devicetwin::write_changes_since(y, where, version, patch);
          CHECK(devicetwin::write_changes_since(z, where, version, again).code() == e.code());
          CHECK(again == patch);
        }
      }
      devicetwin::outcome done;
      static_cast<void>(y.device_patch(R"({"a":{"b":7},"new":1,"z":null,"r":null})", at(1), done));
      static_cast<void>(y.service_patch(of_desired(R"({"a":{"b":null},"n":1})"), at(2), done));
    }
  }
  CHECK(loaded > 200);
}

TEST_CASE("storing and loading survive every failing allocation", "[stored][failure]") {
  const test_twin x = busy_twin();
  const std::string bytes = stored(x.t);
  for (std::size_t n = 1;; ++n) {
    REQUIRE(n < 1000);
    failing_heap heap;
    heap.refused_request = n;
    {
      devicetwin::twin y(devicetwin::azure, devicetwin::heap_memory(heap.source()));
      const json::error e = devicetwin::load_stored(bytes, y);
      CHECK((!e || e.code() == errc::out_of_memory));
      // Room that would only have been convenient may be refused without harm.
      CHECK((e ? y.identity().IsNull() : y.device_id() == "devA"));
    }
    CHECK(heap.out == 0);
    if (heap.requests < n) break;
  }
}
