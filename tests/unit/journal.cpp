// What a merge patch tells its journal.
#include <devicetwin/merge/journal.hpp>

#include <string>
#include <vector>

#include "../support/merge_text.hpp"
#include "../support/reference.hpp"

namespace {

struct recorded {
  std::string pointer, before, after;
};
struct recorder {
  std::vector<recorded>& changes;
  template <class Value>
  void operator()(const json::location& where, const Value* old_value,
                  const Value* new_value) const {
    changes.push_back({pointer_of(where), old_value == nullptr ? "-" : written(*old_value),
                       new_value == nullptr ? "-" : written(*new_value)});
  }
};

/// A journal that refuses, and keeps how many changes it was asked to take.
struct refusing {
  std::size_t asked = 0;
  bool reserve(std::size_t changes) {
    asked = changes;
    return false;
  }
  void operator()(const json::location&, const json::arena_value*, const json::arena_value*) {
    FAIL("told");
  }
};

}  // namespace

TEST_CASE("the journal has every effective change and no other", "[merge][journal]") {
  std::vector<recorded> changes;
  auto d = parsed(R"({"a":1,"b":{"c":2,"d":{"e":3}},"f":[1],"g":"same","h":{"i":1}})");
  const auto p = parsed(
      R"({"a":null,"b":{"c":2.0,"d":{"e":4},"n/w":{"x":null,"y":1}},"f":[1,2],"g":"same","zz":null,"h":7})");
  REQUIRE(!merge::apply_merge_patch(d, p, d.GetAllocator(), {}, recorder{changes}));
  REQUIRE(changes.size() == 5);
  const auto is = [&](std::size_t i, const char* pointer, const char* before, const char* after) {
    return changes[i].pointer == pointer && changes[i].before == before &&
           changes[i].after == after;
  };
  CHECK(is(0, "/a", "1", "-"));
  CHECK(is(1, "/b/d/e", "3", "4"));
  CHECK(is(2, "/b/n~1w", "-", R"({"y":1})"));
  CHECK(is(3, "/f", "[1]", "[1,2]"));
  CHECK(is(4, "/h", R"({"i":1})", "7"));
  changes.clear();
  REQUIRE(!merge::apply_merge_patch(d, parsed("[1]"), d.GetAllocator(), {}, recorder{changes}));
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].pointer.empty());
  CHECK(changes[0].after == "[1]");
}

TEST_CASE("a journal can refuse", "[merge][journal]") {
  refusing journal;
  json::document d;
  REQUIRE(!json::read(R"({"a":1})", d));
  CHECK(merge::apply_merge_patch(
            d, parsed(R"({"a":2,"b":"text that is not kept inside the value"})"), {}, journal)
            .code() == errc::handler_stopped);
  CHECK(journal.asked == 2);
  CHECK(written(d.root()) == R"({"a":1})");
}

TEST_CASE("one changed member is told, refused and stored as many are", "[merge][journal]") {
  const std::string before =
      GENERATE(as<std::string>{}, "1", "\"short\"", "\"a text of more than thirteen bytes\"",
               "true", "-2.5", "null", "[1]", "{\"x\":1}");
  const std::string after =
      GENERATE(as<std::string>{}, "1", "\"short\"", "\"another text of more than thirteen\"",
               "false", "1.0", "null", "[2]", "{\"x\":2}");
  const std::size_t levels = GENERATE(1u, 2u, 8u, 9u);
  const auto nested = [&](const std::string& value, const std::string& beside) {
    std::string text = value;
    for (std::size_t i = 0; i < levels; ++i) {
      text = "{" + (i % 2 == 0 ? beside : "") + "\"level " + std::to_string(i) + "\":" + text + "}";
    }
    return text;
  };
  const std::string document = nested(before, R"("beside":[{}],)"), patch = nested(after, "");
  const auto expected =
      reference::merge(*reference::parser::parse(document), *reference::parser::parse(patch));
  CHECK(reference::equal(*reference::parser::parse(applied(document, patch)), expected));

  refusing journal;
  json::document d;
  REQUIRE(!json::read(document, d));
  const auto p = parsed(patch);
  const json::error e = merge::apply_merge_patch(d, p, {}, journal);
  CHECK(e.code() == (journal.asked == 0 ? errc::ok : errc::handler_stopped));
  CHECK(written(d.root()) == written(parsed(document)));
  std::vector<recorded> changes;
  REQUIRE(!merge::apply_merge_patch(d, p, {}, recorder{changes}));
  CHECK(reference::equal(reference::from_value(d.root()), expected));
  CHECK(changes.size() == journal.asked);
  if (changes.size() == 1 && before[0] != '{') {
    std::string pointer;
    for (std::size_t i = levels; i-- > 0;) pointer += "/level " + std::to_string(i);
    CHECK(changes[0].pointer == pointer);
    CHECK(changes[0].before == written(parsed(before)));
    CHECK(changes[0].after == (after == "null" ? "-" : written(parsed(after))));
  }
}
