// The walk behind diff_text() by itself; text.cpp holds it against the trees.
#include <devicetwin/merge/text/text_diff.hpp>

#include "../support/text.hpp"

#include <string>

#include "../support/failing_heap.hpp"
#include "../support/random_json.hpp"

namespace core = merge::core;

namespace {

struct walked {
  std::string patch;
  json::error failure;
  bool differ, malformed;
};

walked walk(std::string_view from, std::string_view to, bool strict = false, bool writes = true,
            const devicetwin::memory_source& memory = {}) {
  walked w{};
  core::text_sink sink(w.patch);
  json::core::diff_rules rules;
  rules.stop_at_first = !writes;
  core::text_diff diff(rules, writes ? &sink : nullptr, memory);
  if (strict) diff.check_second();
  diff.run(from, to);
  w.failure = diff.failure();
  if (!w.failure && writes) w.failure = sink.finish();
  if (!w.failure) sink.keep();
  w.differ = diff.differ();
  w.malformed = diff.malformed();
  return w;
}

}  // namespace

TEST_CASE("a walk over texts writes the patch between them", "[text_diff]") {
  CHECK(walk(R"({"b":{"c":[1,2]},"a":1})", R"({ "b" : {"c":[1,3]} })").patch ==
        R"({"b":{"c":[1,3]},"a":null})");
  CHECK(walk("[1]", "[2]").patch == "[2]");
  CHECK(walk(R"({"a":1})", R"({"\u0061":1.0})").patch == "{}");
}

TEST_CASE("without a sink a walk says whether texts differ", "[text_diff][property]") {
  int differ = 0;
  for (unsigned seed = 0; seed < 1500; ++seed) {
    random_json random(seed);
    const std::string x = random.value(), y = random.below(3) == 0 ? x : random.value();
    const walked w = walk(x, y, false, false);
    REQUIRE(!w.failure);
    INFO(x << "\n" << y);
    CHECK(w.differ == !are_equal(parsed(x), parsed(y)));
    differ += w.differ ? 1 : 0;
  }
  CHECK((differ > 300 && differ < 1500));
}

TEST_CASE("a strict walk leaves a text that is not JSON to the reader", "[text_diff]") {
  if constexpr (devicetwin::base::shortcuts) {
    const std::string good = R"({"a":1,"b":[true,{"c":"x"}]})";
    CHECK(!walk(good, good, true).failure);
    for (const char* const bad :
         {R"({"a":01,"b":[true,{"c":"x"}]})", R"({"a":1,"b":[true,{"c":"x"}])",
          R"({"a":1,"b":[tru,{"c":"x"}]})", R"({"a":1,"a":2})", "{\"a\":\"\x01\"}", "", "{"}) {
      const walked w = walk(good, bad, true);
      INFO(bad);
      CHECK(w.failure);
      CHECK((w.malformed || w.failure.code() == errc::null_member));
      CHECK(w.patch.empty());
    }
  }
}

TEST_CASE("a null in what is new is refused with its place", "[text_diff]") {
  const walked w = walk("{}", R"({"a":{"b~":null}})");
  CHECK(w.failure.code() == errc::null_member);
  CHECK(w.failure.pointer() == "/a/b~0");
}

TEST_CASE("members in another order survive every failing allocation", "[text_diff][failure]") {
  std::string from = "{", to = "{";
  for (int i = 0; i < 300; ++i) {
    from += "\"m" + std::to_string(i) + "\":{\"\\u0078\":" + std::to_string(i) + "},";
    to += "\"m" + std::to_string(i * 7 % 300) + "\":{\"x\":" + std::to_string(i * 7 % 300) + "},";
  }
  from.back() = to.back() = '}';
  with_every_failure(
      [&](const devicetwin::memory_source& source) {
        const walked w = walk(from, to, false, true, source);
        CHECK(w.patch == (w.failure ? "" : "{}"));
        return w.failure;
      },
      [] {});
}
