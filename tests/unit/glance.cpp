#include <devicetwin/json/tree/glance.hpp>

#include <string>

#include "../support/json.hpp"

namespace core = json::core;

namespace {

using glance_type = core::glance<json::value, json::value>;

}  // namespace

TEST_CASE("a glance sees that two trees are the same", "[glance]") {
  const char* const text = R"({"a":{"b":[1,"two",{"c":true}],"d":{}},"e":[],"f":"x"})";
  const auto a = parsed(text), b = parsed(text);
  glance_type look;
  CHECK(look.all_same(a, b, 100));
}

TEST_CASE("a glance says where it ended", "[glance]") {
  const auto a = parsed(R"({"z":0,"a":{"b":[1,2]}})");
  glance_type look;

  const auto value = parsed(R"({"z":0,"a":{"b":[1,3]}})");
  CHECK_FALSE(look.all_same(a, value, 100));
  CHECK(look.depth() == 2);
  CHECK(look.at(0).at == 1);
  CHECK(look.at(1).at == 0);
  CHECK(look.at(2).at == 1);
  REQUIRE(look.from() != nullptr);
  CHECK(look.from()->GetInt() == 2);
  CHECK(look.to()->GetInt() == 3);

  const auto name = parsed(R"({"z":0,"x":{"b":[1,2]}})");
  CHECK_FALSE(look.all_same(a, name, 100));
  CHECK(look.depth() == 0);
  CHECK(look.at(0).at == 1);
  CHECK(look.from() == nullptr);

  const auto count = parsed(R"({"z":0,"a":{"b":[1]}})");
  CHECK_FALSE(look.all_same(a, count, 100));
  CHECK(look.depth() == 2);
  CHECK(look.from() == nullptr);

  const auto same = parsed(R"({"z":0,"a":{"b":[1,2]}})");
  CHECK_FALSE(look.all_same(a, same, 2));  // one level more than it may
  CHECK(look.depth() == 2);
  CHECK(look.from() == nullptr);
  CHECK(look.all_same(a, same, 3));
}

TEST_CASE("leaves are the same in the same order, and nothing else is", "[glance]") {
  const auto same = [](const char* a, const char* b) {
    return core::same_leaves<json::value, json::value>(parsed(a), parsed(b));
  };
  CHECK(same("{}", "{}"));
  CHECK(same("[]", "[]"));
  CHECK(same(R"({"a":1,"b":"x"})", R"({"a":1,"b":"x"})"));
  CHECK(same(R"([1,null,"x"])", R"([1,null,"x"])"));
  CHECK_FALSE(same(R"({"a":1,"b":2})", R"({"b":2,"a":1})"));
  CHECK_FALSE(same(R"({"a":1})", R"({"a":2})"));
  CHECK_FALSE(same(R"({"a":1})", R"({"b":1})"));
  CHECK_FALSE(same(R"({"a":1})", R"({"a":1,"b":1})"));
  CHECK_FALSE(same("[1]", "[2]"));
  CHECK_FALSE(same("[1]", "[1,2]"));
  CHECK_FALSE(same(R"({"a":{}})", R"({"a":{}})"));
  CHECK_FALSE(same("[[]]", "[[]]"));
}
