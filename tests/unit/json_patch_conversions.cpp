// JSON Patches of changes and merge patches, and back.
#include <devicetwin/merge/json_patch_conversions.hpp>

#include <string>

#include "../support/failing_heap.hpp"
#include "../support/naive_json_patch.hpp"
#include "../support/random_json.hpp"

TEST_CASE("a change becomes a JSON Patch, and a JSON Patch a change", "[json_patch]") {
  const auto base =
      parsed(R"({"a":{"x":1},"list":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17],"b":2})");
  merge::change c;
  REQUIRE(!merge::read_change(parsed(R"({"a":{"x":[null],"y":{"z":[1]}},"b":null,"gone":null,)"
                                     R"("list":[[1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17]]})"),
                              c));
  json::document patch;
  REQUIRE(!merge::to_json_patch(c, base, patch));
  CHECK(
      written(patch) ==
      R"([{"op":"replace","path":"/a/x","value":null},{"op":"add","path":"/a/y","value":{"z":1}},)"
      R"({"op":"remove","path":"/list/9"},{"op":"remove","path":"/b"}])");
  merge::change back;
  REQUIRE(!merge::from_json_patch(patch, base, back));
  CHECK(
      written(back.form()) ==
      R"({"a":{"x":[null],"y":[{"z":1}]},"list":[[1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17]],"b":null})");
}

TEST_CASE("a merge patch becomes a JSON Patch", "[json_patch]") {
  json::document base, patch;
  REQUIRE(!json::read(R"({"a":{"x":1},"b":2,"c":[1]})", base));
  REQUIRE(!merge::merge_patch_to_json_patch(
      parsed(R"({"a":{"x":null,"y":2},"b":2,"c":null,"d":{"e":null},"f":null})"), base, patch));
  CHECK(written(patch) == R"([{"op":"remove","path":"/a/x"},{"op":"add","path":"/a/y","value":2},)"
                          R"({"op":"remove","path":"/c"},{"op":"add","path":"/d","value":{}}])");
  merge::json_patch_options o;
  o.nulls = merge::null_rule::keep;
  REQUIRE(!merge::merge_patch_to_json_patch(parsed(R"({"b":null})"), base, patch, o));
  CHECK(written(patch) == R"([{"op":"replace","path":"/b","value":null}])");
}

TEST_CASE("a JSON Patch that does not apply makes no change", "[json_patch]") {
  merge::change c;
  REQUIRE(!merge::read_change(parsed(R"({"a":[1]})"), c));
  const json::error e =
      merge::from_json_patch(parsed(R"([{"op":"remove","path":"/z"}])"), parsed("{}"), c);
  CHECK(e.code() == errc::not_found);
  CHECK(e.pointer() == "/z");
  CHECK(written(c.form()) == R"({"a":[1]})");
}

TEST_CASE("conversions do to the base what was converted does", "[json_patch]") {
  for (unsigned seed = 1; seed <= 600; ++seed) {
    INFO(seed);
    random_json random(seed);
    const std::string text = random.value();
    json::document base, changed, patched, patch;
    REQUIRE(!json::read(text, base));
    merge::change c;
    REQUIRE(!merge::read_change(parsed(random.change()), c));
    REQUIRE((!changed.assign(base) && !merge::apply(changed, c)));
    REQUIRE(!merge::to_json_patch(c, base, patch));
    REQUIRE((!patched.assign(base) && !merge::apply_json_patch(patched, patch)));
    CHECK(are_equal(changed, patched));
    merge::change back;
    REQUIRE(!merge::from_json_patch(patch, base, back));
    REQUIRE((!patched.assign(base) && !merge::apply(patched, back)));
    CHECK(are_equal(changed, patched));

    const auto merge_patch = parsed(random.patch());
    REQUIRE((!changed.assign(base) && !merge::apply_merge_patch(changed, merge_patch)));
    REQUIRE(!merge::merge_patch_to_json_patch(merge_patch, base, patch));
    REQUIRE((!patched.assign(base) && !merge::apply_json_patch(patched, patch)));
    CHECK(are_equal(changed, patched));

    auto expected = parsed(text);
    const auto operations = parsed(naive_json_patch::random_patch(random, expected, 8, 0));
    REQUIRE(!merge::from_json_patch(operations, base, c));
    REQUIRE((!changed.assign(base) && !merge::apply(changed, c)));
    CHECK(are_equal(changed, expected));
  }
}

TEST_CASE("conversions survive every allocation that fails", "[json_patch]") {
  const auto base = parsed(R"({"a":{"x":1},"list":[1,2,3],"text":"a text that is not short"})");
  const auto merge_patch = parsed(R"({"a":null,"list":[1,3],"new":{"text":"another long text"}})");
  const auto operations =
      parsed(R"([{"op":"remove","path":"/list/1"},{"op":"remove","path":"/a"}])");
  merge::change c;
  REQUIRE(!merge::from_merge_patch(merge_patch, c));
  json::document patch;
  with_every_failure(
      [&](const devicetwin::memory_source& memory) {
        merge::json_patch_options o;
        o.memory = memory;
        json::document out(memory);
        return merge::to_json_patch(c, base, out, o);
      },
      [] {});
  with_every_failure(
      [&](const devicetwin::memory_source& memory) {
        merge::json_patch_options o;
        o.memory = memory;
        json::document out(memory);
        return merge::merge_patch_to_json_patch(merge_patch, base, out, o);
      },
      [] {});
  with_every_failure(
      [&](const devicetwin::memory_source& memory) {
        merge::json_patch_options o;
        o.memory = memory;
        merge::change out(memory);
        return merge::from_json_patch(operations, base, out, o);
      },
      [] {});
}
