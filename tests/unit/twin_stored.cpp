// The stored form of a twin; stamps; the pool.
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

TEST_CASE("every allocation failing: store and load", "[stored][failure]") {
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

TEST_CASE("crc32 has the standard's check value", "[stored]") {
  CHECK(devicetwin::json::core::crc32("123456789") == 0xCBF43926u);
}

TEST_CASE("timestamps are written and read", "[stamp]") {
  const auto text = [](devicetwin::timestamp t) {
    char buffer[devicetwin::max_timestamp_chars];
    return std::string(buffer, devicetwin::format_timestamp(buffer, t));
  };
  for (const char* same :
       {"1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z",
        "2026-03-02T06:41:17.2150812Z", "2000-02-29T12:00:00.5Z", "2024-02-29T00:00:00Z",
        "1969-12-31T23:59:59.9999999Z", "1600-03-01T00:00:00.01Z"}) {
    INFO(same);
    const auto time = devicetwin::parse_timestamp(same);
    REQUIRE(time);
    CHECK(text(*time) == same);
  }
  CHECK(*devicetwin::parse_timestamp("1970-01-01T00:00:01Z") == at(devicetwin::ticks_per_second));
  CHECK(*devicetwin::parse_timestamp("0001-01-01T00:00:00Z") == devicetwin::first_timestamp);
  CHECK(*devicetwin::parse_timestamp("9999-12-31T23:59:59.9999999Z") == devicetwin::last_timestamp);
  CHECK(text(*devicetwin::parse_timestamp("2026-01-31T12:00:00.1000000+01:30")) ==
        "2026-01-31T10:30:00.1Z");
  CHECK(text(*devicetwin::parse_timestamp("0001-01-01T00:00:00")) == "0001-01-01T00:00:00Z");
  CHECK(text(*devicetwin::parse_timestamp("2026-01-31T12:00:00.12345678Z")) ==
        "2026-01-31T12:00:00.1234567Z");
  CHECK(text(at(INT64_MIN)) == "0001-01-01T00:00:00Z");
  CHECK(text(at(INT64_MAX)) == "9999-12-31T23:59:59.9999999Z");
  for (const char* wrong :
       {"", "2026", "2015-02-30T16:24:48.789Z", "2023-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:60Z", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00ZZ", "2026-01-01T00:00:00+1", "0000-01-01T00:00:00Z",
        "2026-01-01T00:00:00+24:00", "x026-01-01T00:00:00Z"}) {
    INFO(wrong);
    CHECK(devicetwin::parse_timestamp(wrong).error().code() == errc::invalid_time);
  }
  // Every day of four centuries, against plain counting.
  std::int64_t day = 0;
  for (int year = 1970; year < 2370; ++year) {
    for (int month = 1; month <= 12; ++month) {
      for (int d = 1; d <= devicetwin::detail::days_in_month(year, month); ++d, ++day) {
        if (devicetwin::detail::days_of(year, month, d) != day) FAIL(year);
      }
    }
  }
  CHECK(text(at(day * 86400 * devicetwin::ticks_per_second)) == "2370-01-01T00:00:00Z");
}

TEST_CASE("etags count in base64", "[identity]") {
  const auto text = [](std::uint64_t n) {
    char etag[devicetwin::etag_chars];
    devicetwin::write_etag(n, etag);
    return std::string(etag, sizeof etag);
  };
  CHECK(text(1) == "AAAAAAAAAAE=");
  CHECK(text(22) == "AAAAAAAAABY=");
  CHECK(text(0xFFFFFFFFFFFFFFFF) == "//////////8=");
  for (std::uint64_t n :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0x0123456789ABCDEF}, ~std::uint64_t{0}}) {
    std::uint64_t back = 0;
    REQUIRE(devicetwin::read_etag(text(n), back));
    CHECK(back == n);
  }
  std::uint64_t none = 0;
  for (const char* wrong :
       {"", "AAAAAAAAAAE", "AAAAAAAAAAF=", "AAAAAAAAAA!=", "\"AAAAAAAAAE=", "AAAAAAAAAAEA"}) {
    CHECK(!devicetwin::read_etag(wrong, none));
  }
  CHECK(devicetwin::etag_matches("", "x"));
  CHECK(devicetwin::etag_matches("*", "x"));
  CHECK(devicetwin::etag_matches("\"*\"", "x"));
  CHECK(devicetwin::etag_matches("W/\"x\"", "x"));
  CHECK(devicetwin::etag_matches("\"x\"", "x"));
  CHECK(!devicetwin::etag_matches("\"y\"", "x"));
}

TEST_CASE("a pool gives out, takes back, joins, and never leaves its buffer", "[pool]") {
  std::vector<char> room(4096 + 64, 'x');
  char* start = room.data() + 19;
  devicetwin::pool pool(start, 4000);
  const devicetwin::memory_source source = pool.source();
  const std::size_t all = pool.free_bytes();
  CHECK(all <= 4000);
  CHECK(all > 3900);
  struct block {
    unsigned char* at;
    std::size_t bytes;
    unsigned char mark;
  };
  std::vector<block> blocks;
  std::mt19937 random(11);
  for (int i = 0; i < 20000; ++i) {
    if (random() % 2 == 0 || blocks.empty()) {
      const std::size_t bytes = random() % 400;
      auto* at = static_cast<unsigned char*>(source.allocate(source.context, bytes));
      if (at == nullptr) continue;
      CHECK(reinterpret_cast<std::uintptr_t>(at) % 16 == 0);
      CHECK((reinterpret_cast<char*>(at) >= start &&
             reinterpret_cast<char*>(at) + bytes <= start + 4000));
      const auto mark = static_cast<unsigned char>(i);
      for (std::size_t k = 0; k < bytes; ++k) at[k] = mark;
      blocks.push_back({at, bytes, mark});
    } else {
      const std::size_t which = random() % blocks.size();
      const block b = blocks[which];
      for (std::size_t k = 0; k < b.bytes; ++k) REQUIRE(b.at[k] == b.mark);
      source.release(source.context, b.at);
      blocks[which] = blocks.back();
      blocks.pop_back();
    }
  }
  for (const block& b : blocks) source.release(source.context, b.at);
  CHECK(pool.free_bytes() == all);
  CHECK(source.allocate(source.context, all - 16) != nullptr);
  CHECK(source.allocate(source.context, 1) == nullptr);
  CHECK(source.allocate(source.context, static_cast<std::size_t>(-1)) == nullptr);
  CHECK((room[18] == 'x' && room[19 + 4000] == 'x'));
  devicetwin::pool none(start, 20);
  CHECK(none.source().allocate(none.source().context, 1) == nullptr);
}
