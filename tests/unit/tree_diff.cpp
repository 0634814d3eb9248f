#include <devicetwin/json/tree/tree_diff.hpp>

#include "../support/text.hpp"

#include <string>

#include "../support/failing_heap.hpp"
#include "../support/random_json.hpp"
#include "../support/reference.hpp"

namespace core = json::core;

namespace {

using diff_of_values = core::tree_diff<json::value, json::value>;

/// The steps of a patch: "name{ ... }" goes into an object, "name=" sets, "name-" removes.
std::string steps(const diff_of_values& walk) {
  std::string text;
  for (std::size_t i = 0; i < walk.entries().size(); ++i) {
    const auto& entry = walk.entries()[i];
    const auto name = [](const auto& member) { return std::string(core::text_of(member.name)); };
    switch (entry.kind) {
      case diff_of_values::op::open:
        text += (entry.member == nullptr ? "" : name(entry.to())) + "{ ";
        break;
      case diff_of_values::op::close:
        text += "} ";
        break;
      case diff_of_values::op::set:
        text += name(entry.to()) + "=" + written(entry.to().value) + " ";
        break;
      case diff_of_values::op::remove:
        text += name(entry.from()) + "- ";
    }
  }
  return text;
}

std::string steps_between(const char* from, const char* to) {
  const auto a = parsed(from), b = parsed(to);
  diff_of_values walk({}, {});
  const json::error e = walk.run(a, b);
  if (e) return e.message();
  return walk.whole() ? "whole" : steps(walk);
}

}  // namespace

TEST_CASE("a walk records what differs, member by member", "[tree_diff]") {
  const std::string same = steps_between(R"({"a":{"b":1}})", R"({"a":{"b":1.0}})");
  CHECK(same.find('=') == std::string::npos);
  const std::string found =
      steps_between(R"({"a":{"x":1,"y":2},"b":[1],"c":0})", R"({"a":{"x":1,"y":3},"b":[2],"d":4})");
  INFO(found);
  CHECK(found.find("a{ y=3 } ") != std::string::npos);
  CHECK(found.find("b=[2] ") != std::string::npos);
  CHECK(found.find("c- ") != std::string::npos);
  CHECK(found.find("d=4 ") != std::string::npos);
  CHECK(found.find("x=") == std::string::npos);
}

TEST_CASE("a root that is no object differs as a whole", "[tree_diff]") {
  CHECK(steps_between("[1]", "[2]") == "whole");
  CHECK(steps_between(R"({"a":1})", "1") == "whole");
  CHECK(steps_between("1", R"({"a":1})") == "whole");
}

TEST_CASE("whether two trees differ is what the reference says, in any order",
          "[tree_diff][property]") {
  int differ = 0;
  for (unsigned seed = 0; seed < 1500; ++seed) {
    random_json random(seed);
    const std::string x = random.value(), y = random.below(3) == 0 ? x : random.value();
    const auto a = parsed(x), b = parsed(y);
    const bool expected =
        !reference::equal(*reference::parser::parse(x), *reference::parser::parse(y));
    core::diff_rules rules;
    rules.stop_at_first = true;
    diff_of_values quick(rules, {});
    REQUIRE(!quick.run(a, b));
    INFO(x << "\n" << y);
    CHECK(quick.differ() == expected);
    rules.stop_at_first = false;
    rules.sets_null = rules.carries_null = true;
    diff_of_values whole(rules, {});
    REQUIRE(!whole.run(a, b));
    CHECK((whole.differ() || whole.whole()) == expected);
    differ += expected ? 1 : 0;
  }
  CHECK((differ > 300 && differ < 1500));
}

TEST_CASE("what a patch cannot say is an error with its place, unless the rules allow it",
          "[tree_diff]") {
  const auto a = parsed(R"({"a":{"b":1}})"), null = parsed(R"({"a":{"b":null}})"),
             gone = parsed(R"({"a":{}})"), fresh = parsed(R"({"a":{"b":1,"c":{"d":null}}})");
  core::diff_rules rules;
  const auto outcome = [&](const json::value& to) {
    diff_of_values walk(rules, {});
    const json::error e = walk.run(a, to);
    return e ? std::string(e.pointer()) + (e.code() == errc::null_member   ? " null"
                                           : e.code() == errc::kept_member ? " kept"
                                                                           : " else")
             : "";
  };
  CHECK(outcome(null) == "/a/b null");
  CHECK(outcome(fresh) == "/a/c/d null");
  CHECK(outcome(gone) == "");
  rules.sets_null = true;
  CHECK(outcome(null) == "");
  rules.carries_null = true;
  CHECK(outcome(fresh) == "");
  rules.removes = false;
  CHECK(outcome(gone) == "/a/b kept");
  rules.max_depth = 1;
  CHECK(outcome(gone) == "/a else");
}

TEST_CASE("objects in another order survive every failing allocation", "[tree_diff][failure]") {
  std::string from = "{", to = "{";
  for (int i = 0; i < 300; ++i) {
    from += "\"m" + std::to_string(i) + "\":{\"x\":" + std::to_string(i) + "},";
    to += "\"m" + std::to_string(i * 7 % 300) + "\":{\"x\":" + std::to_string(i * 7 % 300) + "},";
  }
  from.back() = to.back() = '}';
  const auto a = parsed(from), b = parsed(to);
  with_every_failure(
      [&](const devicetwin::memory_source& source) {
        diff_of_values walk({}, source);
        json::error e = walk.run(a, b);
        if (!e) CHECK(steps(walk).find_first_of("=-") == std::string::npos);
        return e;
      },
      [] {});
}
