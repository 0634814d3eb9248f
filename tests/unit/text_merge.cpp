// The plan behind apply_merge_patch_text() by itself; text.cpp holds it against the trees.
#include <devicetwin/merge/text/text_merge.hpp>

#include "../support/text.hpp"

#include <string>

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

}  // namespace

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
