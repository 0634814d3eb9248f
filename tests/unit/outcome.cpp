// What a write did.
#include "../support/twin.hpp"

#include <string>

#include "../support/failing_heap.hpp"

using devicetwin::outcome;

TEST_CASE("the outcome lists each effective change", "[outcome]") {
  devicetwin::twin t = twin_with(R"({"a":1,"b":{"c":2,"x~/":3},"same":1})");
  outcome done;
  REQUIRE(!t.service_patch(
      R"({"tags":{"site":{"n":null,"m":1}},"properties":{"desired":{"a":2,"b":{"x~/":null,"d":[1]},"same":1.0,"none":null}}})",
      noon(), done));
  REQUIRE(done.size() == 4);
  const auto is = [&](std::size_t i, part where, devicetwin::change_kind kind, const char* pointer,
                      const char* before, const char* after) {
    const auto c = done[i];
    return c.where == where && c.kind == kind && c.pointer == pointer &&
           (c.old_value == nullptr ? "-" : written(*c.old_value)) == before &&
           (c.new_value == nullptr ? "-" : written(*c.new_value)) == after;
  };
  using kind = devicetwin::change_kind;
  CHECK(is(0, part::tags, kind::added, "/site", "-", R"({"m":1})"));
  CHECK(is(1, part::desired, kind::changed, "/a", "1", "2"));
  CHECK(is(2, part::desired, kind::removed, "/b/x~0~1", "3", "-"));
  CHECK(is(3, part::desired, kind::added, "/b/d", "-", "[1]"));
  CHECK(written(t.desired()) ==
        R"({"a":2,"b":{"c":2,"d":[1]},"same":1})");  // 1.0 over 1 is no other value
  // What was handed out stays when the twin goes on or goes away.
  t = fresh_twin();
  CHECK(is(3, part::desired, kind::added, "/b/d", "-", "[1]"));
  REQUIRE(t.service_patch(of_desired(R"({"$x":1})"), noon(), done));
  CHECK(done.size() == 0);
}

TEST_CASE("an outcome that was used once needs no more memory for the like", "[outcome][memory]") {
  failing_heap heap;
  outcome done(heap.source());
  devicetwin::twin t = fresh_twin();
  for (int i = 0; i < 4; ++i)
    REQUIRE(!t.device_patch(
        "{\"a\":{\"b\":\"a text longer than fifteen bytes " + std::to_string(i) + "\"}}", noon(i),
        done));
  const std::size_t requests = heap.requests;
  for (int i = 0; i < 9; ++i)
    REQUIRE(!t.device_patch(
        "{\"a\":{\"b\":\"a text longer than fifteen bytes " + std::to_string(i) + "\"}}", noon(i),
        done));
  CHECK(heap.requests == requests);
}
