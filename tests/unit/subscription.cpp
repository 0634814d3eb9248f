// Which changes a subscription is about.
#include "../support/twin.hpp"

#include <string>

using devicetwin::reach;

namespace {

std::string found(const devicetwin::outcome& done, const devicetwin::subscription& wanted) {
  devicetwin::matches matches;
  REQUIRE(!devicetwin::find_matches(wanted, done, matches));
  std::string text;
  for (std::size_t i = 0; i < matches.size(); ++i) {
    const auto m = matches[i];
    CHECK(m.where == wanted.where);
    text += std::string(m.pointer) + ":" + (m.old_value != nullptr ? written(*m.old_value) : "") +
            ">" + (m.new_value != nullptr ? written(*m.new_value) : "") + " ";
  }
  return text;
}

}  // namespace

TEST_CASE("a subscription matches one place, a subtree, or any name at one level",
          "[subscription]") {
  test_twin x;
  REQUIRE(!x.desire(R"({"zone":{"a":{"t":20},"b":{"t":21}},"fan":1})"));
  CHECK(found(x.done, {part::desired, "/fan"}) == "/fan:>1 ");
  CHECK(found(x.done, {part::desired, "/zone/*/t"}) == "/zone/a/t:>20 /zone/b/t:>21 ");
  CHECK(found(x.done, {part::reported, "/fan"}).empty());
  REQUIRE(!x.desire(R"({"zone":{"a":null,"b":{"t":22,"u":1}},"fan":1})"));
  CHECK(found(x.done, {part::desired, "/fan"}).empty());  // written, and the same
  CHECK(found(x.done, {part::desired, "/zone/*/t"}) == "/zone/a/t:20> /zone/b/t:21>22 ");
  CHECK(found(x.done, {part::desired, "/zone"}).empty());  // only inside
  CHECK(found(x.done, {part::desired, "/zone", reach::subtree}) ==
        R"(/zone/a:{"t":20}> /zone/b/t:21>22 /zone/b/u:>1 )");
  CHECK(found(x.done, {part::desired, "", reach::subtree}) ==
        R"(/zone/a:{"t":20}> /zone/b/t:21>22 /zone/b/u:>1 )");
  REQUIRE(!x.desire(R"({"zone":[1]})"));
  CHECK(found(x.done, {part::desired, "/zone/b/t"}) == "/zone/b/t:22> ");
  CHECK(found(x.done, {part::desired, "/zone/*/*"}) == "/zone/b/t:22> /zone/b/u:1> ");
  CHECK(found(x.done, {part::desired, "/zone"}) == R"(/zone:{"b":{"t":22,"u":1}}>[1] )");
  REQUIRE(!x.desire(R"({"a/b":{"c~d":1}})"));
  CHECK(found(x.done, {part::desired, "/a~1b/c~0d"}) == "/a~1b/c~0d:>1 ");
  CHECK(found(x.done, {part::desired, "/a~1b/*"}) == "/a~1b/c~0d:>1 ");
  devicetwin::matches none;
  CHECK(devicetwin::find_matches({part::desired, "zone"}, x.done, none).code() ==
        errc::invalid_pointer);
  CHECK(devicetwin::find_matches({part::desired, "/a~2"}, x.done, none).code() ==
        errc::invalid_pointer);
}
