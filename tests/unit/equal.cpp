// Equality of JSON values.
#include <devicetwin/json/equal.hpp>

#include <limits>
#include <string>

#include "../support/json.hpp"

TEST_CASE("equal compares as JSON", "[equal]") {
  const auto same = [](const char* a, const char* b) { return are_equal(parsed(a), parsed(b)); };
  CHECK(same(R"({"a":1,"b":[1,{"c":null,"d":2}]})", R"({"b":[1.0,{"d":2,"c":null}],"a":1})"));
  CHECK(!same("[1,2]", "[2,1]"));
  CHECK(!same("[1]", "[1,1]"));
  CHECK(!same("{}", "[]"));
  CHECK(!same("true", "false"));
  CHECK(!same("null", "false"));
  CHECK(!same("\"1\"", "1"));
  CHECK(!same(R"({"a":1})", R"({"b":1})"));
  CHECK(!same(R"({"a":1})", R"({"a":1,"b":1})"));
  CHECK(!same("9007199254740993", "9007199254740992.0"));
  json::equal_options strict;
  strict.numbers = json::number_equality::by_value_and_type;
  CHECK(!are_equal(parsed("1"), parsed("1.0"), strict));
  CHECK(are_equal(parsed("1.5"), parsed("1.5"), strict));
}

TEST_CASE("equal says that NaN is different and that values are too deep", "[equal]") {
  rapidjson::Document d = parsed("[[1,0]]");
  d[0][1].SetDouble(std::numeric_limits<double>::quiet_NaN());
  CHECK(json::equal(d, d) == json::comparison::different);
  json::equal_options shallow;
  shallow.max_depth = 1;
  CHECK(json::equal(parsed("[[]]"), parsed("[[]]"), shallow) == json::comparison::too_deep);
}

TEST_CASE("equal finds a difference at every depth, in objects and arrays", "[equal]") {
  for (std::size_t depth = 1; depth != 60; ++depth) {
    std::string open, close;
    for (std::size_t i = 1; i != depth; ++i) {
      const bool object = i % 3 != 0;
      open += object ? R"({"first":true,"a":)" : "[7,";
      close.insert(0, object ? R"(,"last":{"b":0.5}})" : R"(,"more than thirteen characters"])");
    }
    const auto nested = [&](const char* innermost) { return parsed(open + innermost + close); };
    CHECK(are_equal(nested(R"({"b":1})"), nested(R"({"b":1})")));
    CHECK(are_equal(nested("[1,2]"), nested("[1,2.0]")));
    for (const char* other :
         {R"({"b":2})", R"({"c":1})", R"({"b":1,"c":1})", "{}", "[1]", "1", R"({"b":{}})"}) {
      INFO(other);
      CHECK(!are_equal(nested(R"({"b":1})"), nested(other)));
      CHECK(!are_equal(nested(other), nested(R"({"b":1})")));
    }
    json::equal_options limited;
    limited.max_depth = depth < 2 ? 1 : depth - 1;
    CHECK(json::equal(nested("[[]]"), nested("[[]]"), limited) == json::comparison::too_deep);
  }
}
