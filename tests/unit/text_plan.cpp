// The plan of a merge: what it writes, and what it tells.
#include <devicetwin/merge/text/text_plan.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "../support/failing_heap.hpp"

namespace core = merge::core;
using core::text_plan;

namespace {

constexpr std::string_view document = R"({"a":1,"b":{"c":2,"d":3}})";

std::string_view old(std::string_view value) {
  return document.substr(document.find(value), value.size());
}
core::text_offset place(std::string_view text) {
  return static_cast<core::text_offset>(document.find(text));
}
text_plan::piece piece(std::string_view value) { return {value.data(), 0, value.size()}; }

std::string text_of(const text_plan& plan) {
  std::string text;
  core::text_sink sink(text);
  plan.write(sink);
  REQUIRE(!sink.finish());
  sink.keep();
  return text;
}

/// What a journal was told: pointer, old and new value.
std::vector<std::string> told_by(text_plan& plan) {
  std::vector<std::string> told;
  text_plan::steps path{devicetwin::memory_source()};
  REQUIRE(plan.prepare_to_tell(path));
  const auto journal = [&](const json::location& where, const std::string_view* before,
                           const std::string_view* after) {
    told.push_back(pointer_of(where) + " " + std::string(before == nullptr ? "-" : *before) + " " +
                   std::string(after == nullptr ? "-" : *after));
  };
  plan.tell(journal, path);
  return told;
}

}  // namespace

TEST_CASE("a plan without changes writes the document and tells nothing", "[text_plan]") {
  text_plan plan{devicetwin::memory_source()};
  plan.start(document);
  CHECK(text_of(plan) == document);
  CHECK(plan.changes() == 0);
  CHECK(told_by(plan).empty());
}

TEST_CASE("a plan writes its changes in place and tells them in order", "[text_plan]") {
  text_plan plan{devicetwin::memory_source()};
  plan.start(document);
  REQUIRE(plan.set("a", old("1"), piece("[9]")));
  REQUIRE(plan.descend("b"));
  const std::size_t inside = plan.size();
  REQUIRE(plan.remove("d", old("3"), place(",\"d\"")));
  REQUIRE(plan.add("\\u0065/", place("}}"), piece("true"), true));
  REQUIRE(plan.leave(inside));
  REQUIRE(plan.add("f", place("}}") + 1, piece("{}"), true));
  CHECK(text_of(plan) == R"({"a":[9],"b":{"c":2,"\u0065/":true},"f":{}})");
  CHECK(plan.changes() == 4);
  CHECK(plan.removals() == 1);
  CHECK(told_by(plan) ==
        std::vector<std::string>{"/a 1 [9]", "/b/d 3 -", "/b/e~1 - true", "/f - {}"});
}

TEST_CASE("an object in which nothing changes leaves nothing in the plan", "[text_plan]") {
  text_plan plan{devicetwin::memory_source()};
  plan.start(document);
  REQUIRE(plan.descend("b"));
  REQUIRE(plan.leave(plan.size()));
  CHECK(plan.size() == 0);
  REQUIRE(plan.set("a", old("1"), piece("2")));
  CHECK(told_by(plan) == std::vector<std::string>{"/a 1 2"});
}

TEST_CASE("a removal can take what stands behind it", "[text_plan]") {
  text_plan plan{devicetwin::memory_source()};
  plan.start(document);
  REQUIRE(plan.remove("a", old("1"), 1));
  plan.extend_removal(0, place("\"b\""));
  CHECK(text_of(plan) == R"({"b":{"c":2,"d":3}})");
  CHECK(told_by(plan) == std::vector<std::string>{"/a 1 -"});
}

TEST_CASE("a document that is replaced is told at the root", "[text_plan]") {
  text_plan plan{devicetwin::memory_source()};
  plan.start(document);
  plan.replace_document();
  REQUIRE(plan.set({}, document, piece("7")));
  CHECK(text_of(plan) == "7");
  CHECK(told_by(plan) == std::vector<std::string>{" " + std::string(document) + " 7"});
}

TEST_CASE("values that are made stay as they are while others are made", "[text_plan]") {
  text_plan plan{devicetwin::memory_source()};
  plan.start(document);
  std::string expected = "{\"a\":1,\"b\":{\"c\":2,\"d\":3}";
  for (int i = 0; i < 100; ++i) {
    const std::string value = '[' + std::to_string(i) + ']';
    const std::size_t start = plan.made();
    REQUIRE(plan.append(value.data(), value.data() + 1));
    REQUIRE(plan.append(value.data() + 1, value.data() + value.size()));
    REQUIRE(plan.add("\\n", place("}}") + 1, plan.made_from(start), true));
    expected += ",\"\\n\":" + value;
  }
  CHECK(text_of(plan) == expected + "}");
  const std::vector<std::string> told = told_by(plan);
  REQUIRE(told.size() == 100);
  CHECK(told.front() == "/\n - [0]");
  CHECK(told.back() == "/\n - [99]");
}

TEST_CASE("a plan says when memory runs out", "[text_plan][failure]") {
  const std::string long_name = "\\n" + std::string(200, 'x');
  with_every_failure(
      [&](const devicetwin::memory_source& memory) -> json::error {
        text_plan plan(memory);
        plan.start(document);
        bool good = true;
        for (int i = 0; i < 40; ++i) good = good && plan.descend(long_name);
        good = good && plan.set("a", old("1"), piece("2"));
        for (int i = 0; i < 40; ++i) good = good && plan.leave(0);
        text_plan::steps path(memory);
        good = good && plan.prepare_to_tell(path);
        return good ? errc::ok : errc::out_of_memory;
      },
      [] {});
}
