#include <devicetwin/merge/tree/plan.hpp>

#include "../support/text.hpp"

#include <string>

#include "../support/failing_heap.hpp"

namespace core = merge::core;

namespace {

using plan_of_values = core::merge_plan<json::value, json::value>;

/// The entries of a plan, by the index of the target's member or the name in the patch.
std::string shown(const plan_of_values& plan) {
  std::string text;
  for (std::size_t i = 0; i < plan.entries().size(); ++i) {
    const auto& e = plan.entries()[i];
    const auto name = [&] { return std::string(json::core::text_of(e.member->name)); };
    switch (e.what) {
      case core::plan_action::set:
        text += "set " + std::to_string(e.index);
        break;
      case core::plan_action::keep:
        text += "keep " + std::to_string(e.index);
        break;
      case core::plan_action::add:
        text += "add " + name();
        break;
      case core::plan_action::remove:
        text += "remove " + std::to_string(e.index);
        break;
      case core::plan_action::shadow:
        text += "shadow " + std::to_string(e.index);
        break;
      case core::plan_action::descend:
        text += "into " + std::to_string(e.index);
        break;
      case core::plan_action::leave:
        text += "leave";
    }
    text += ", ";
  }
  return text;
}

}  // namespace

TEST_CASE("a plan says what a patch does, and does nothing", "[plan]") {
  const auto target = parsed(R"({"a":1,"b":{"x":1,"y":2},"c":3,"d":4})");
  const auto patch = parsed(R"({"a":1,"b":{"y":5},"c":null,"new":[1],"d":6,"absent":null})");
  plan_of_values plan{merge::options()};
  REQUIRE(plan.make(target, patch));
  const std::string said = shown(plan);
  INFO(said);
  for (const char* const step : {"into 1, set 1, leave, ", "remove 2, ", "add new, ", "set 3, "})
    CHECK(said.find(step) != std::string::npos);
  CHECK(said.find("set 0") == std::string::npos);
  CHECK(said.find("absent") == std::string::npos);
  CHECK(plan.changes() == 4);
  CHECK(plan.depth() == 2);
  CHECK_FALSE(plan.whole());
  CHECK(written(target) == R"({"a":1,"b":{"x":1,"y":2},"c":3,"d":4})");
}

TEST_CASE("an equal value is planned where presence counts", "[plan]") {
  const auto target = parsed(R"({"a":1})"), patch = parsed(R"({"a":1.0})");
  merge::options o;
  plan_of_values by_value{o};
  REQUIRE(by_value.make(target, patch));
  CHECK(by_value.changes() == 0);
  o.changes = merge::change_rule::by_presence;
  plan_of_values by_presence{o};
  REQUIRE(by_presence.make(target, patch));
  CHECK(by_presence.changes() == 1);
  CHECK(shown(by_presence).find("keep 0") != std::string::npos);
}

TEST_CASE("a repeated name hidden behind one that goes is planned to go, too", "[plan]") {
  rapidjson::Document target(rapidjson::kObjectType);
  for (int i = 0; i < 3; ++i) target.AddMember("a", i, target.GetAllocator());
  const auto patch = parsed(R"({"a":null})");
  plan_of_values plan{merge::options()};
  REQUIRE(plan.make(target, patch));
  CHECK(plan.changes() == 1);
  const std::string said = shown(plan);
  INFO(said);
  CHECK(said.find("remove 0, ") != std::string::npos);
  CHECK(said.find("shadow 1, ") != std::string::npos);
  CHECK(said.find("shadow 2, ") != std::string::npos);
}

TEST_CASE("a patch or a target that is no object is a change of the whole", "[plan]") {
  for (const auto& [target, patch, changes] :
       {std::tuple("[1]", "[2]", 1u), std::tuple("{}", "1", 1u), std::tuple("1", "1.0", 0u)}) {
    const auto a = parsed(target), b = parsed(patch);
    plan_of_values plan{merge::options()};
    REQUIRE(plan.make(a, b));
    INFO(target << " and " << patch);
    CHECK(plan.whole() == (changes != 0));
    CHECK(plan.changes() == changes);
  }
}

TEST_CASE("a patch that is too deep is refused with its place", "[plan]") {
  merge::options o;
  o.max_depth = 2;
  const auto target = parsed("{}"), patch = parsed(R"({"a":{"b":{"c":1}}})");
  plan_of_values plan{o};
  CHECK_FALSE(plan.make(target, patch));
  CHECK(plan.failure().code() == errc::depth_exceeded);
  CHECK(plan.failure().pointer() == "/a/b");
}

TEST_CASE("a plan survives every failing allocation", "[plan][failure]") {
  std::string members = "{";
  for (int i = 0; i < 400; ++i)
    members += "\"m" + std::to_string(i * 7 % 400) + "\":{\"x\":" + std::to_string(i) + "},";
  members.back() = '}';
  const auto target = parsed(members);
  std::string wishes = "{";
  for (int i = 0; i < 600; ++i)
    wishes += "\"m" + std::to_string(i) + (i % 2 == 0 ? "\":null," : "\":{\"x\":[1]},");
  wishes.back() = '}';
  const auto patch = parsed(wishes);
  with_every_refusal([&](const devicetwin::memory_source& source) -> json::error {
    merge::options o;
    o.memory = source;
    plan_of_values plan{o};
    if (!plan.make(target, patch)) return plan.failure();
    CHECK(plan.changes() == 500);  // 200 go, 200 change, 100 are new
    return {};
  });
}

TEST_CASE("a list of plain values is copied as a row, other arrays are made", "[plan]") {
  const auto plain = parsed(R"([1,true,"short"])"), deep = parsed("[[1]]"),
             text = parsed(R"(["a text outside of its value"])");
  CHECK(core::is_row(static_cast<const json::value&>(plain)));
  CHECK_FALSE(core::is_row(static_cast<const json::value&>(deep)));
  CHECK_FALSE(core::is_row(static_cast<const json::value&>(text)));
}
