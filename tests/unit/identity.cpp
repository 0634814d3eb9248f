// Ids, and etags: what an If-Match header matches, and which etags a twin shows one after the
// other.
#include "../support/twin.hpp"

#include <random>
#include <string>
#include <vector>

#include "../support/reference_twin.hpp"

using devicetwin::etag_matches;
using devicetwin::outcome;
using devicetwin::twin;

namespace {

std::string counter_text(std::uint64_t counter) {
  char text[devicetwin::etag_chars];
  devicetwin::write_etag(counter, text);
  return std::string(text, sizeof text);
}

/// A twin with this etag, written as a JSON string, and these versions.
twin twin_of(const std::string& etag, std::int64_t version, std::int64_t reported) {
  json::document value;
  REQUIRE(!json::read("{}", value));
  std::string spelled;
  REQUIRE(!json::write(json::arena_value(etag.data(), static_cast<json::size_type>(etag.size())),
                       spelled));
  return loaded_twin(
      R"({"deviceId":"d","etag":)" + spelled + R"(,"version":)" + std::to_string(version) +
      R"(,"tags":{},"properties":{"desired":{"$version":1},"reported":{"$version":)" +
      std::to_string(reported) + "}}}");
}

}  // namespace

TEST_CASE("an If-Match header matches an etag quoted or not, weak or not", "[identity]") {
  const std::string etag = "AAAAAAAAAAI=";
  for (const char* header :
       {"AAAAAAAAAAI=", "\"AAAAAAAAAAI=\"", "W/\"AAAAAAAAAAI=\"",
        "W/AAAAAAAAAAI=", " \"AAAAAAAAAAI=\"\t", "", "  ", "*", "\"*\"", " * ", "W/\"*\""}) {
    INFO(header);
    CHECK(etag_matches(header, etag));
  }
  for (const char* header : {"AAAAAAAAAAE=", "\"AAAAAAAAAAE=\"", "\"AAAAAAAAAAI=", "AAAAAAAAAAI=\"",
                             "\"\"", "\"", "W/", "W/\"\"", "w/\"AAAAAAAAAAI=\"", "'AAAAAAAAAAI='",
                             "AAAAAAAAAAi=", "AAAAAAAAAAJ=", "**", ",", ", ,"}) {
    INFO(header);
    CHECK(!etag_matches(header, etag));
  }
}

TEST_CASE("an If-Match header may be a list, which commas inside quotes do not split",
          "[identity]") {
  for (const char* header : {"\"x\", \"y\"", "\"y\",\"x\"", "x,y", "W/\"x\",\"y\"",
                             "\"x\" , W/\"y\"", ",, \"y\",", "\"a,b\", y", "\"a\",,\"y\""}) {
    INFO(header);
    CHECK(etag_matches(header, "y"));
    CHECK(!etag_matches(header, "z"));
    CHECK(!etag_matches(header, "b"));
    CHECK(!etag_matches(header, ""));
  }
  CHECK(!etag_matches("\"a,y,b\"", "y"));
  CHECK(!etag_matches("\"a, y\"", "y"));
  CHECK(!etag_matches("\"a\", \"b,y\", \"c\"", "y"));
  CHECK(!etag_matches("\"x, y", "y"));    // the quote is not closed
  CHECK(!etag_matches("\"x\", *", "y"));  // the star stands alone
  CHECK(etag_matches("\"x\", \"*\"", "*"));
}

TEST_CASE("any etag that a twin shows can be matched", "[identity]") {
  for (const std::string etag : {"x",         "\"AAAAAAAAAAI=\"",
                                 "\"\"x\"\"", "W/\"x\"",
                                 "W/x",       "a,b",
                                 "a, \"b\"",  "\"a\", \"b\"",
                                 "a\"b",      "\"",
                                 "\"\"",      "\"x",
                                 "x\"",       " x ",
                                 ",",         "\t",
                                 "W/",        "a\",b",
                                 "*",         "\xC3\xA9"}) {
    INFO(etag);
    twin t = twin_of(etag, 5, 2);
    REQUIRE(t.etag() == etag);
    CHECK(etag_matches(t.etag(), t.etag()));
    CHECK(etag_matches('"' + etag + '"', t.etag()));
    CHECK(etag_matches("W/\"" + etag + '"', t.etag()));
    outcome done;
    CHECK(t.service_patch(R"({"tags":{"a":1}})", noon(), done, "\"another\"").code() ==
          errc::precondition_failed);
    CHECK(!t.service_patch(R"({"tags":{"a":1}})", noon(), done, '"' + etag + '"'));
  }
  CHECK(etag_matches("AAAAAAAAAAI=", "\"AAAAAAAAAAI=\""));
  CHECK(etag_matches("\"x\", \"AAAAAAAAAAI=\"", "\"AAAAAAAAAAI=\""));
  CHECK(etag_matches("\"x\", \"\"AAAAAAAAAAI=\"\"", "\"AAAAAAAAAAI=\""));
  CHECK(!etag_matches("\"a\", \"b\"", "c"));
}

TEST_CASE("a long If-Match header is gone through once", "[identity]") {
  CHECK(!etag_matches(std::string(1 << 20, '"'), "x"));
  CHECK(!etag_matches(std::string(1 << 20, ','), "x"));
  std::string header;
  for (int i = 0; i < 100000; ++i) header += "\"x\",";
  CHECK(etag_matches(header + "\"y\"", "y"));
  CHECK(!etag_matches(header, "y"));
}

TEST_CASE(
    "no etag repeats after a twin was loaded, also when it is saved and loaded after every write",
    "[identity][property]") {
  const std::vector<std::string> odd{"",
                                     "x",
                                     "*,",
                                     "\"\"",
                                     "AAAAAAAAAAF=",
                                     "AAAAAAAAAAI",
                                     "AAAAAAAAAAI=,AAAAAAAAAAM=",
                                     ",",
                                     "W/",
                                     "DAzNDUyOTQw=",
                                     "not a counter",
                                     "W/AAAAAAAAAA=",
                                     "aaaaaaaaaaa=",
                                     "AAAAAAAAAA\\="};
  for (unsigned seed = 0; seed < 400; ++seed) {
    INFO(seed);
    std::mt19937 random(seed);
    const auto below = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    std::string etag =
        below(3) == 0 ? odd[below(static_cast<unsigned>(odd.size()))]
                      : counter_text(below(8) == 0 ? std::uint64_t{random()} << 20 : below(12));
    for (unsigned layers = below(3); layers != 0; --layers)
      etag = (below(3) == 0 ? "W/\"" : "\"") + etag + '"';
    if (below(4) == 0) etag = "W/" + etag;
    if (below(4) == 0) etag = "x, " + etag;
    if (below(4) == 0) etag = " " + etag + "\t";
    const std::int64_t reported = 1 + below(4);
    twin t = twin_of(etag, reported + below(10), reported);
    std::vector<std::string> shown{std::string(t.etag())};
    outcome done;
    for (int step = 0; step < 12; ++step) {
      const bool service = below(3) != 0;
      const std::string was(t.etag());
      const std::string value = std::to_string(step);
      if (!service) {
        REQUIRE(!t.device_patch("{\"a\":" + value + "}", noon(), done));
      } else if (below(2) == 0) {
        REQUIRE(!t.service_patch(R"({"tags":{"a":)" + value + "}}", noon(), done, '"' + was + '"'));
      } else {
        REQUIRE(
            !t.service_replace(of_desired("{\"a\":" + value + "}"), noon(), done, '"' + was + '"'));
      }
      CHECK(done.etag() == t.etag());
      if (!service) {
        CHECK(t.etag() == was);
        continue;
      }
      for (const std::string& earlier : shown) {
        INFO(earlier << " and then " << t.etag());
        if (!earlier.empty()) CHECK(!etag_matches(earlier, t.etag()));
        CHECK(!etag_matches('"' + earlier + '"', t.etag()));
        CHECK(!etag_matches("W/\"" + earlier + '"', t.etag()));
      }
      shown.emplace_back(t.etag());
      if (below(2) == 0) {
        std::string view = service_text(t);
        REQUIRE(!t.load(view));
      } else {
        std::string bytes;
        REQUIRE(!devicetwin::write_stored(t, bytes));
        REQUIRE(!devicetwin::load_stored(bytes, t));
      }
      CHECK(t.etag() == shown.back());
    }
  }
}

TEST_CASE("a counter that cannot count on is an error of a write and of an event", "[identity]") {
  for (const char* etag : {"//////////8=", "\"//////////8=\"", "W/\"//////////8=\""}) {
    twin t = twin_of(etag, 5, 2);
    outcome done;
    const json::error e = t.service_patch(R"({"tags":{"a":1}})", noon(), done);
    CHECK(e.code() == errc::number_out_of_range);
    CHECK(e.pointer() == "/etag");
    const json::error of_event = t.apply_event(R"({"version":6,"tags":{"a":1}})", done);
    CHECK(of_event.code() == errc::number_out_of_range);
    CHECK(of_event.pointer() == "/etag");
    CHECK(t.etag() == etag);
    CHECK(!t.apply_event(
        R"({"version":6,"properties":{"reported":{"a":1,"$metadata":{"$lastUpdated":"2020-01-01T00:00:00Z"},"$version":3}}})",
        done));
    CHECK(t.etag() == etag);
  }
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

TEST_CASE("an id has 1 to 128 characters of those that Azure allows", "[identity]") {
  using devicetwin::check_id;
  CHECK(check_id("a") == errc::ok);
  CHECK(check_id("AZaz09-:.+%_#*?!(),=@;$'") == errc::ok);
  CHECK(check_id(std::string(128, 'x')) == errc::ok);
  for (const std::string& bad :
       {std::string(), std::string(129, 'x'), std::string("a b"), std::string("a/b"),
        std::string("\xC3\xA9"), std::string("a\0", 2), std::string("["), std::string("{"),
        std::string("`"), std::string("\\"), std::string("\x1a")}) {
    CHECK(check_id(bad) == errc::invalid_identity);
  }
}

TEST_CASE("etags are counters in base64", "[identity]") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t counter = i < 64    ? std::uint64_t{1} << i
                                  : i < 128 ? UINT64_MAX << (i - 64)
                                            : random() >> (i % 64);
    char text[devicetwin::etag_chars];
    devicetwin::write_etag(counter, text);
    CHECK(std::string(text, sizeof text) == reference::etag_text(counter));
    std::uint64_t is = 0;
    CHECK(devicetwin::read_etag({text, sizeof text}, is));
    CHECK(is == counter);
  }
  std::uint64_t kept = 7;
  for (const char* bad : {"", "AAAAAAAAAAE", "AAAAAAAAAAE==", "AAAAAAAAAAF=", "AAAAAAAAAA-=",
                          "AAAAAAAAAAEA", "\"AAAAAAAAAAE=", "MQ==", "DAzNDUyOTQw="}) {
    CHECK(devicetwin::read_etag(bad, kept) == reference::etag_value(bad).has_value());
    if (bad != std::string("DAzNDUyOTQw=")) CHECK(kept == 7);
  }
}
