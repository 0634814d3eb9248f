#include "../support/text.hpp"

#include <limits>
#include <string>

#include "../support/change_text.hpp"
#include "../support/failing_heap.hpp"
#include "../support/random_json.hpp"

namespace {

std::string built(merge::change_builder& b) {
  merge::change c;
  const auto e = b.finish(c);
  return e ? problem(e) : form_of(c);
}

}  // namespace

TEST_CASE("change_builder sets and removes by pointer", "[change_builder]") {
  merge::change c;
  REQUIRE(
      !merge::change_builder().set("/fan/rpm", 900).remove("/mode").set("/fan/on", true).finish(c));
  CHECK(form_of(c) == R"({"fan":{"rpm":[900],"on":[true]},"mode":null})");

  merge::change_builder b;
  CHECK(built(b) == "[]");
  const std::string text = "a text";
  const auto value = parsed(R"({"x":[null]})");
  b.set("/a", -1)
      .set("/b", 18446744073709551615u)
      .set("/c", 0.5)
      .set("/d", text)
      .set("/e", "t\0t")
      .set("/f", nullptr);
  b.set("/g", value).set("/h", std::string_view()).set("/i~1~0", 'x');
  CHECK(
      built(b) ==
      R"({"a":[-1],"b":[18446744073709551615],"c":[0.5],"d":["a text"],"e":["t"],"f":[null],"g":[{"x":[null]}],"h":[""],"i/~":[120]})");
  CHECK(built(b) == "[]");  // anew
  CHECK(built(b.set("", 5)) == "[5]");
  CHECK(built(b.set("/", 1).set("//", 2).remove("/0")) == R"({"":[{"":2}],"0":null})");
}

TEST_CASE("change_builder adds to what was said before", "[change_builder]") {
  merge::change_builder b;
  CHECK(built(b.set("/a", 1).set("/a", 2)) == R"({"a":[2]})");
  CHECK(built(b.set("/a", 1).remove("/a")) == R"({"a":null})");
  CHECK(built(b.set("/a/b", 1).remove("/a").set("/a/c", 2)) == R"({"a":[{"c":2}]})");
  CHECK(built(b.remove("/a").remove("/a/b/c")) == R"({"a":[{"b":{}}]})");
  const auto value = parsed(R"({"x":1,"y":{"z":2}})");
  CHECK(built(b.set("/a", value).set("/a/y/w", 3).remove("/a/x").remove("/a/nothing")) ==
        R"({"a":[{"y":{"z":2,"w":3}}]})");
  CHECK(built(b.set("/a", 5).set("/a/b", 1)) == R"({"a":[{"b":1}]})");
  CHECK(built(b.set("", value).remove("/y")) == R"([{"x":1}])");
  CHECK(built(b.set("/a", 1).set("", nullptr)) == "[null]");
}

TEST_CASE("what change_builder makes in a row is what composing makes",
          "[change_builder][property]") {
  random_json random(8);
  for (int i = 0; i < 500; ++i) {
    merge::change_builder all;
    merge::change expected, made;
    for (unsigned steps = 1 + random.below(8); steps != 0; --steps) {
      std::string pointer;
      for (unsigned depth = random.below(4); depth != 0; --depth)
        pointer += std::string("/") + "abc"[random.below(3)];
      merge::change_builder one;
      if (!pointer.empty() && random.below(3) == 0) {
        all.remove(pointer);
        one.remove(pointer);
      } else {
        const auto value = parsed(random.value(2));
        all.set(pointer, value);
        one.set(pointer, value);
      }
      merge::change step;
      REQUIRE(!one.finish(step));
      REQUIRE(!merge::compose(expected, step, expected));
    }
    REQUIRE(!all.finish(made));
    CHECK(are_equal(made.form(), expected.form()));
  }
}

TEST_CASE("change_builder keeps its first error", "[change_builder]") {
  merge::change_builder b;
  CHECK(built(b.set("a", 1).set("/b~2", 1)) ==
        std::string(describe(errc::invalid_pointer)) + " at a");
  CHECK(built(b.remove("")) == std::string(describe(errc::root_removed)) + " at ");
  CHECK(built(b.set("/a", std::numeric_limits<double>::quiet_NaN())) ==
        std::string(describe(errc::not_finite)) + " at /a");
  auto nan = parsed("[[1]]");
  nan[0][0].SetDouble(std::numeric_limits<double>::infinity());
  CHECK(built(b.set("/a", nan)) == std::string(describe(errc::not_finite)) + " at /a/0/0");
  merge::change unused;
  std::string deep;
  for (int i = 0; i < 64; ++i) deep += "/a";
  REQUIRE(!b.set(deep, 1).finish(unused));
  CHECK(changed("{}", unused) == nest(64, "1"));
  CHECK(b.set(deep, parsed("{}")).finish(unused).code() == errc::depth_exceeded);
  CHECK(b.set(deep + "/a", 1).finish(unused).code() == errc::depth_exceeded);
  merge::change c = change_of(R"({"kept":null})");
  CHECK(b.set("x", 1).finish(c).code() == errc::invalid_pointer);
  CHECK(form_of(c) == R"({"kept":null})");
}

TEST_CASE("change_recorder makes a change of what was done, or of how to undo it",
          "[change_recorder][journal]") {
  const std::string before = R"({"a":1,"b":{"c":2,"d":{"e":3}},"f":[1]})";
  json::document d = document_of(before);
  merge::change_recorder done, undo(merge::change_recorder::direction::undo);
  const auto both = [&](const json::location& where, const auto* old_value, const auto* new_value) {
    done(where, old_value, new_value);
    undo(where, old_value, new_value);
  };
  REQUIRE(!merge::apply_merge_patch(
      d, parsed(R"({"a":null,"b":{"c":9,"d":{"e":4,"x":{}},"n":7},"f":[1]})"), {}, both));
  merge::change c;
  REQUIRE(!done.finish(c));
  CHECK(form_of(c) == R"({"a":null,"b":{"c":[9],"d":{"e":[4],"x":[{}]},"n":[7]}})");
  REQUIRE(!undo.finish(c));
  CHECK(form_of(c) == R"({"a":[1],"b":{"c":[2],"d":{"e":[3],"x":null},"n":null}})");
  REQUIRE(!merge::apply(d, c));
  CHECK(are_equal(d, parsed(before)));
  REQUIRE(!undo.finish(c));
  CHECK(c.keeps());
}

TEST_CASE("change_recorder adds up several patches", "[change_recorder][journal]") {
  const std::string before = R"({"a":{"old":1},"b":2})";
  json::document d = document_of(before);
  merge::change_recorder done, undo(merge::change_recorder::direction::undo);
  json::document again = document_of(before);
  for (const char* patch :
       {R"({"a":null})", R"({"a":{"x":1}})", R"({"b":3,"a":{"y":2}})", "{}", R"({"b":null})"}) {
    REQUIRE(!merge::apply_merge_patch(d, parsed(patch), {}, done));
    REQUIRE(!merge::apply_merge_patch(again, parsed(patch), {}, undo));
  }
  merge::change c;
  REQUIRE(!done.finish(c));
  CHECK(form_of(c) == R"({"a":[{"x":1,"y":2}],"b":null})");
  REQUIRE(!undo.finish(c));
  REQUIRE(!merge::apply(again, c));
  CHECK(are_equal(again, parsed(before)));
}

TEST_CASE("change_builder and change_recorder survive every failing allocation", "[failure]") {
  const auto value = parsed(nest(30, "\"a text that is longer than a value has room for\""));
  with_every_failure(
      [&](const devicetwin::memory_source& source) {
        merge::options o;
        o.memory = source;
        merge::change_builder b(o);
        for (int i = 0; i < 40; ++i) {
          const std::string pointer =
              "/a rather long name of a member, number " + std::to_string(i % 25);
          b.set(pointer + "/a~1b", value).remove(pointer + "/gone").set(pointer + "/again", i);
        }
        merge::change c(source);
        json::error e = b.finish(c);
        if (e) CHECK(c.keeps());
        return e;
      },
      [] {});
  std::string patch = "{";
  for (int i = 0; i < 40; ++i)
    patch +=
        "\"member" + std::to_string(i) + "\":" + nest(i, "\"a text that is rather long\"") + ",";
  patch.back() = '}';
  const auto first = parsed(patch),
             second = parsed(R"({"member3":null,"member4":{"a":{"a":{"a":5}}}})");
  for (const auto which :
       {merge::change_recorder::direction::forward, merge::change_recorder::direction::undo}) {
    with_every_failure(
        [&](const devicetwin::memory_source& source) -> json::error {
          merge::options o;
          o.memory = source;
          merge::change_recorder r(which, o);
          json::document d = document_of("{}");
          REQUIRE(!merge::apply_merge_patch(d, first, {}, r));
          const json::error refused = merge::apply_merge_patch(d, second, {}, r);
          if (refused) {
            CHECK(refused.code() == errc::handler_stopped);
            CHECK(are_equal(d, first));
          }
          merge::change c(source);
          json::error e = r.finish(c);
          if (e) CHECK(c.keeps());
          CHECK((!refused || e));
          return e;
        },
        [] {});
  }
}
