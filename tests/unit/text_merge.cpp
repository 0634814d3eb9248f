// The plan behind apply_merge_patch_text() by itself; text.cpp holds it against the trees.
#include <devicetwin/merge/text/text_merge.hpp>

#include "../support/naive_json.hpp"
#include "../support/text.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace core = merge::core;

namespace {

struct planned {
  json::error failure;
  std::string text;
  std::size_t changes, removals;
  bool malformed;
};

planned plan(std::string_view document, std::string_view patch, const merge::text_options& o = {}) {
  planned p{};
  core::text_merge merge(o);
  const bool made = merge.make(document, patch);
  p.failure = merge.failure();
  CHECK(made == !p.failure);
  p.changes = merge.plan().changes();
  p.removals = merge.plan().removals();
  p.malformed = merge.malformed();
  if (p.failure) return p;
  core::text_sink sink(p.text);
  merge.plan().write(sink);
  p.failure = sink.finish();
  sink.keep();
  return p;
}

/// An object of `width` members, of which every fourth is one of `depth - 1`; `change` says how
/// often a value is another one, or null.
std::string nested(std::mt19937& random, unsigned width, unsigned depth, unsigned change,
                   bool shuffled) {
  std::vector<std::string> members;
  for (unsigned i = 0; i < width; ++i) {
    const unsigned luck = change == 0 ? 1 : static_cast<unsigned>(random()) % change;
    std::string value = luck != 0 ? std::to_string(i) : i % 3 == 0 ? "null" : "\"new\"";
    if (i % 4 == 1 && depth > 1) value = nested(random, width, depth - 1, change, shuffled);
    members.push_back((i % 7 == 5 ? "\"\\u006e" : "\"n") + std::to_string(i) + "\":" + value);
  }
  if (shuffled) std::shuffle(members.begin(), members.end(), random);
  std::string text = "{";
  for (const std::string& m : members) text += (text.size() == 1 ? "" : ",") + m;
  return text + "}";
}

}  // namespace

TEST_CASE("a patch may have its members in any order at every level", "[text_merge][property]") {
  std::mt19937 random(5);
  for (const auto& [width, depth] : {std::pair(3u, 6u), std::pair(8u, 3u), std::pair(12u, 3u),
                                     std::pair(64u, 1u), std::pair(66u, 2u), std::pair(300u, 1u)}) {
    for (int i = 0; i < 6; ++i) {
      const std::string document = nested(random, width, depth, 0, i % 2 == 1);
      const std::string patch = nested(random, width + 2, depth, 4, true);
      const planned p = plan(document, patch);
      REQUIRE(!p.failure);
      INFO(document << " and " << patch);
      const auto expected =
          naive::merge_patch(*naive::reader::read(document), *naive::reader::read(patch));
      CHECK(*naive::reader::read(p.text) == expected);
    }
  }
}

TEST_CASE("a patch of many levels is applied at each of them", "[text_merge]") {
  for (const bool down_first : {false, true}) {
    std::string document = "{}", patch = R"({"here":"it is"})", expected = patch;
    for (int i = 0; i < 400; ++i) {
      const std::string digits = std::to_string(i);
      document = "{\"a\":1,\"down\":" + document + ",\"b\":2}";
      expected = "{\"a\":1,\"down\":" + expected + ",\"b\":" + digits + "}";
      patch = down_first ? "{\"down\":" + patch + ",\"b\":" + digits + "}"
                         : "{\"b\":" + digits + ",\"down\":" + patch + "}";
    }
    merge::text_options o;
    o.max_depth = 1000;
    const planned p = plan(document, patch, o);
    CHECK(p.text == expected);
    CHECK(p.changes == 400);  // 2 is there already, and the innermost object gets a member
    o.max_depth = 400;
    CHECK(plan(document, patch, o).failure.code() == errc::depth_exceeded);
  }
}

TEST_CASE("a plan counts its changes and keeps all other bytes", "[text_merge]") {
  const planned p =
      plan("{ \"a\" : 1,\n \"b\":{\"c\":2 , \"d\":3} }", R"({"b":{"c":null},"e":[4]})");
  CHECK(p.text == "{ \"a\" : 1,\n \"b\":{\"d\":3},\"e\":[4] }");
  CHECK(p.changes == 2);
  CHECK(p.removals == 1);
  const planned nothing = plan(" { \"a\" : 1.0 } ", R"({"a":1,"b":null})");
  CHECK(nothing.text == " { \"a\" : 1.0 } ");
  CHECK(nothing.changes == 0);
}

TEST_CASE("a patch that is no object takes the place of the document", "[text_merge]") {
  CHECK(plan(R"({"a":1})", "[1, null]").text == "[1, null]");
  CHECK(plan(R"([1])", R"({"a":null,"b":2})").text == R"({"b":2})");
}

TEST_CASE("the first member can go, and the last, and all", "[text_merge]") {
  const char* const document = R"({"a":1,"b":2,"c":3})";
  CHECK(plan(document, R"({"a":null})").text == R"({"b":2,"c":3})");
  CHECK(plan(document, R"({"c":null})").text == R"({"a":1,"b":2})");
  CHECK(plan(document, R"({"a":null,"b":null,"c":null})").text == "{}");
  CHECK(plan(document, R"({"a":null,"b":null,"c":null,"d":4})").text == R"({"d":4})");
}

TEST_CASE("a change that only another rule for numbers sees is found", "[text_merge]") {
  for (const auto& [patch, stays] :
       {std::pair(R"({"a":0.10000000000000001})", false), std::pair(R"({"a":0.2})", true)}) {
    merge::text_options o;
    core::text_merge merge(o);
    REQUIRE(merge.make(R"({"a":0.1})", patch));
    CHECK(merge.plan().changes() == 1);
    bool all = !stays;
    REQUIRE(merge.change_under(merge::text_numbers::as_stored, all));
    CHECK(all == stays);
  }
}

TEST_CASE("texts that are not JSON are left to the reader", "[text_merge]") {
  for (const auto& [document, patch] :
       {std::pair("", "{}"), std::pair("{}", ""), std::pair("{\"a\"", "{\"a\":1}"),
        std::pair("{}", "{\"a\":")}) {
    const planned p = plan(document, patch);
    INFO(document << " and " << patch);
    CHECK(p.failure);
    CHECK(p.malformed);
    CHECK(p.text.empty());
  }
}

TEST_CASE("a null that the document has, too, removes or stays as the rule says", "[text_merge]") {
  const char* const document = R"({"a":null,"b":[null]})";
  CHECK(plan(document, R"({"a":null,"b":[null]})").text == R"({"b":[null]})");
  merge::text_options o;
  o.nulls = merge::null_rule::keep;
  CHECK(plan(document, R"({"a":null,"b":[null]})", o).changes == 0);
}

TEST_CASE("a number that goes on where the patch's ends is another number", "[text_merge]") {
  CHECK(plan(R"({"a":12,"b":1})", R"({"a":1,"b":12})").text == R"({"a":1,"b":12})");
  CHECK(plan(R"({"a":1.5})", R"({"a":1})").text == R"({"a":1})");
  CHECK(plan(R"({"a":1 })", R"({"a":1})").changes == 0);
  CHECK(plan("{\"a\":1\n,\"b\":2}", R"({"a":1,"b":2})").changes == 0);
}

TEST_CASE("a plan reports that it found no memory", "[text_merge]") {
  std::string patch = "{";
  for (int i = 0; i < 500; ++i) patch += "\"m" + std::to_string(i) + "\":1,";
  patch.back() = '}';
  merge::text_options o;
  o.memory = devicetwin::memory_source::none();
  const planned p = plan("{\"x\":1}", patch, o);
  CHECK(p.failure.code() == errc::out_of_memory);
  CHECK(p.text.empty());
}
