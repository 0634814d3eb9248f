// Random documents are valid, of every kind, the same for the same seed, and fit for twins if
// asked.
#include <devicetwin/testing/random_document.hpp>

#include <devicetwin/json/arena.hpp>
#include <devicetwin/json/read.hpp>
#include <devicetwin/twin/validate.hpp>

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "../catch.hpp"

using devicetwin::testing::random_document;
namespace json = devicetwin::json;

namespace {

bool is_json(const std::string& text) {
  json::document d;
  return !json::read(text, d);
}

}  // namespace

TEST_CASE("random documents are valid JSON of every kind", "[random_document]") {
  random_document random(1);
  std::set<char> kinds;
  std::set<std::string> different;
  bool has_null = false;
  for (int i = 0; i < 3000; ++i) {
    const std::string text = random.value();
    INFO(text);
    CHECK(is_json(text));
    CHECK(is_json(random.object()));
    CHECK(is_json(random.array()));
    CHECK(is_json(random.patch()));
    CHECK(is_json(random.change()));
    kinds.insert(text[0]);
    different.insert(text);
    has_null = has_null || text.find("null") != text.npos;
  }
  for (const char kind : {'{', '[', '"', 't', 'f', 'n', '-', '0', '9'})
    CHECK(kinds.count(kind) == 1);
  CHECK(different.size() > 500);
  CHECK(has_null);
}

TEST_CASE("the same seed makes the same documents, another seed makes others",
          "[random_document]") {
  random_document a(5), b(5), c(6);
  int same = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string text = a.object();
    CHECK(text == b.object());
    same += text == c.object() ? 1 : 0;
  }
  CHECK(same < 100);
}

TEST_CASE("bytes choose a document, and when they are used up it ends", "[random_document]") {
  const std::uint8_t bytes[] = {9, 1, 1, 0, 2, 3};  // an object, not wide, of one member, a: 3
  random_document chosen(bytes, sizeof bytes);
  CHECK(!chosen.exhausted());
  CHECK(chosen.value() == R"({"a":3})");
  CHECK(chosen.exhausted());
  CHECK(chosen.value() == "null");
}

TEST_CASE("values without null have none anywhere", "[random_document]") {
  random_document random(2);
  random.avoid_null();
  for (int i = 0; i < 2000; ++i) CHECK(random.value().find("null") == std::string::npos);
}

TEST_CASE("documents for twins are accepted by azure and edge_hub, and so are their patches",
          "[random_document]") {
  random_document random(3);
  random.for_twins();
  bool removes = false, nests = false;
  for (int i = 0; i < 2000; ++i) {
    const std::string whole = random.object(), patch = random.patch();
    removes = removes || patch.find("null") != patch.npos;
    nests = nests || patch.find("{\"a\":null}") != patch.npos;
    for (const devicetwin::dialect* rules : {&devicetwin::azure, &devicetwin::edge_hub}) {
      for (const auto& [text, form] : {std::pair(whole, devicetwin::shape::section),
                                       std::pair(patch, devicetwin::shape::patch)}) {
        devicetwin::validation report;
        INFO(text);
        REQUIRE(!devicetwin::validate(text, devicetwin::part::desired, form, *rules, report));
        for (const devicetwin::violation& v : report) FAIL_CHECK(v.what.message());
      }
    }
  }
  CHECK(removes);
  CHECK(nests);
}
