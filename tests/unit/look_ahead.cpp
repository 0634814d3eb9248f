// Looking a few members ahead, and what is put aside on the way.
#include <devicetwin/merge/text/look_ahead.hpp>

#include <string>

#include "../support/text.hpp"

namespace core = merge::core;

namespace {

/// Two objects, each at a member behind its first one.
struct pair_of_objects {
  pair_of_objects(std::string_view from_text, std::string_view to_text)
      : from(from_text), to(to_text) {
    from_structure.reset(from);
    to_structure.reset(to);
    patch.reset(from.data(), to.data());
    REQUIRE(patch.push(from.data(), to.data()));
  }
  core::text_side from_side() { return {&from_structure, from.data(), from.data() + from.size()}; }
  core::text_side to_side() { return {&to_structure, to.data(), to.data() + to.size()}; }
  bool find_pair(bool strict = false) {
    bool found = false;
    const char* const a_before = a;
    const char* const b_before = b;
    REQUIRE(ahead.find_pair(from_side(), a, to_side(), b, strict, found));
    if (!found) {
      CHECK(a == a_before);
      CHECK(b == b_before);
    }
    return found;
  }
  std::string rest_of_from() const { return {a, from.data() + from.size()}; }
  std::string rest_of_to() const { return {b, to.data() + to.size()}; }

  std::string from, to;
  json::core::text_structure from_structure, to_structure;
  core::text_patch patch{json::core::diff_rules(), nullptr, to_structure,
                         devicetwin::memory_source{}};
  core::look_ahead ahead{patch, devicetwin::memory_source{}};
  const char* a = from.data() + 7;  // behind {"x":1,
  const char* b = to.data() + 7;
};

}  // namespace

TEST_CASE("a new member is put aside, and so is one that is gone", "[look_ahead]") {
  pair_of_objects added(R"({"x":1,"b":2,"c":3})", R"({"x":1,"new":[1,{}],"more":0,"b":2,"c":3})");
  CHECK(added.find_pair());
  CHECK(added.rest_of_to() == R"("b":2,"c":3})");
  CHECK(added.ahead.of_to().count == 2);
  CHECK(added.ahead.of_from().count == 0);
  CHECK(added.ahead.any());

  pair_of_objects gone(R"({"x":1,"a":2,"b":3})", R"({"x":1,"\u0062":2,"c":3})");
  CHECK(gone.find_pair());
  CHECK(gone.rest_of_from() == R"("b":3})");
  CHECK(gone.ahead.of_from().count == 1);
  CHECK(gone.ahead.of_to().count == 0);
}

TEST_CASE("when no more members are left than are looked at, all of them are put aside",
          "[look_ahead]") {
  pair_of_objects renamed(R"({"x":1,"a":2})", R"({"x":1,"b":2})");
  CHECK(renamed.find_pair());
  CHECK(renamed.rest_of_from() == "}");
  CHECK(renamed.rest_of_to() == "}");
  CHECK(renamed.ahead.no_pairs(renamed.from.data(), renamed.to.data()));

  pair_of_objects swapped(R"({"x":1,"a":2,"b":3})", R"({"x":1,"c":2,"a":2})");
  CHECK(swapped.find_pair());
}

TEST_CASE("members that are not near are not found", "[look_ahead]") {
  const std::string many = R"("1":0,"2":0,"3":0,"4":0,"5":0,"6":0,"7":0,"8":0,)";
  pair_of_objects far(R"({"x":1,"b":2})", R"({"x":1,)" + many + R"("b":2})");
  CHECK_FALSE(far.find_pair());
  CHECK_FALSE(far.ahead.any());
  // What is long is not passed over twice.
  const std::string is_long = "\"long\":\"" + std::string(5000, 'x') + "\",";
  pair_of_objects behind(R"({"x":1,"b":2,"c":3})",
                         R"({"x":1,)" + is_long + R"("more":[],"b":2,"c":3})");
  CHECK_FALSE(behind.find_pair());
}

TEST_CASE("a member that was put aside in the other text has moved", "[look_ahead]") {
  pair_of_objects moved(R"({"x":1,"b":2,"a":3,"c":4,"d":5})", R"({"x":1,"a":3,"b":2,"d":4,"c":5})");
  CHECK(moved.find_pair());  // "a" is put aside in the second text
  moved.a += 6;              // behind "b":2,
  moved.b += 6;
  CHECK_FALSE(moved.find_pair());
}

TEST_CASE("what was put aside is forgotten with its object", "[look_ahead]") {
  pair_of_objects added(R"({"x":1,"b":2})", R"({"x":1,"new":0,"b":2})");
  CHECK(added.find_pair());
  CHECK_FALSE(added.ahead.none());
  added.ahead.leave(2);
  CHECK(added.ahead.any());
  added.ahead.leave(1);
  CHECK(added.ahead.none());
}

TEST_CASE("a name that was put aside and stands elsewhere in its object is found", "[look_ahead]") {
  const auto differ = [](const std::string& members) {
    pair_of_objects added(R"({"x":1,"b":2,"c":3})", R"({"x":1,)" + members + R"("b":2,"c":3})");
    REQUIRE(added.find_pair(true));
    const char* const close = added.to.data() + added.to.size() - 1;
    return added.ahead.names_differ(added.to_side(), added.to.data() + 1, close);
  };
  CHECK(differ(R"("n":0,)"));
  CHECK(differ(R"("n":0,"m":{"n":1},)"));
  CHECK_FALSE(differ(R"("c":0,)"));
  CHECK_FALSE(differ(R"("\u0063":0,)"));
  CHECK_FALSE(differ(R"("n":0,"\u006e":[],)"));
}
