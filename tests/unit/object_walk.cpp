// Walks over objects, and objects beside them.
#include <devicetwin/json/arena.hpp>
#include <devicetwin/json/read.hpp>
#include <devicetwin/json/tree/object_walk.hpp>

#include <string>

#include "../catch.hpp"

namespace json = devicetwin::json;
namespace core = devicetwin::json::core;
using json::arena_value;

namespace {

json::document parsed(const std::string& text) {
  json::document d;
  REQUIRE(!json::read(text, d));
  return d;
}

template <class Walk>
std::string place_of(const Walk& walk) {
  std::string pointer;
  walk.render([&pointer](char c) { pointer += c; });
  return pointer;
}

/// The places of all members that a walk visits, "<" where it leaves an object.
template <class Walk>
std::string visited(Walk& walk, const arena_value& root) {
  std::string places;
  if (!walk.enter(root)) return "no memory";
  while (!walk.done()) {
    const auto* member = walk.next();
    if (member == nullptr) {
      walk.leave();
      places += "<";
      continue;
    }
    places += place_of(walk);
    if (member->value.IsObject() && !walk.enter(member->value)) places += "!";
  }
  return places;
}

/// `{"a":{"a":...}}` with so many objects.
std::string nested(int levels) {
  std::string text = "1";
  for (int i = 0; i < levels; ++i) text = "{\"a\":" + text + "}";
  return text;
}

}  // namespace

TEST_CASE("a walk visits members in order and knows their places", "[object_walk]") {
  const auto d = parsed(R"({"a":1,"b":{"x/y":{"n~":[{"no":1}]},"e":{}},"c":2})");
  core::object_walk<const arena_value> walk{devicetwin::memory_source()};
  CHECK(walk.done());
  CHECK(visited(walk, d.root()) == "/a/b/b/x~1y/b/x~1y/n~0</b/e<</c<");
  CHECK(walk.done());
}
TEST_CASE("a walk over an empty object visits nothing", "[object_walk]") {
  const auto d = parsed("{}");
  core::object_walk<const arena_value> walk{devicetwin::memory_source()};
  CHECK(visited(walk, d.root()) == "<");
}
TEST_CASE("each open object has its note and its index", "[object_walk]") {
  const auto d = parsed(R"({"a":1,"b":{"c":1,"d":2}})");
  core::object_walk<const arena_value, int> walk{devicetwin::memory_source()};
  REQUIRE(walk.enter(d.root(), 7));
  REQUIRE(walk.next() != nullptr);
  CHECK(walk.index() == 0);
  const auto* b = walk.next();
  REQUIRE(b != nullptr);
  REQUIRE(walk.enter(b->value, 8));
  CHECK(&walk.object() == &b->value);
  CHECK(walk.depth() == 2);
  REQUIRE(walk.next() != nullptr);
  CHECK(place_of(walk) == "/b/c");
  CHECK(walk.index() == 0);
  CHECK(walk.index(0) == 1);
  CHECK(walk.note() == 8);
  walk.note() = 9;
  walk.leave();
  CHECK(walk.note() == 7);
  walk.restart();
  CHECK(walk.done());
}
TEST_CASE("a walk can be told to visit some members only", "[object_walk]") {
  const auto d = parsed(R"({"a":1,"b":2,"c":3})");
  core::object_walk<const arena_value> walk{devicetwin::memory_source()};
  REQUIRE(walk.enter(d.root()));
  walk.visit_only(1, 2);
  REQUIRE(walk.next() != nullptr);
  CHECK(place_of(walk) == "/b");
  CHECK(walk.next() == nullptr);
}
TEST_CASE("a walk without memory refuses what is too deep and goes on", "[object_walk]") {
  core::object_walk<const arena_value, core::no_note, core::at_most<3>> walk;
  CHECK(visited(walk, parsed(nested(3)).root()) == "/a/a/a/a/a/a<<<");
  CHECK(visited(walk, parsed(nested(5)).root()) == "/a/a/a/a/a/a!<<<");
}
TEST_CASE("a walk through a tree that is changed reaches the values themselves", "[object_walk]") {
  auto d = parsed(R"({"a":{"b":1}})");
  core::object_walk<arena_value, core::no_note, core::at_most<2>> walk;
  REQUIRE(walk.enter(core::document_access::root(d)));
  auto* a = walk.next();
  REQUIRE(a != nullptr);
  REQUIRE(walk.enter(a->value));
  walk.next()->value.SetInt(5);
  CHECK(d.root()["a"]["b"].GetInt() == 5);
}
TEST_CASE("a walk whose memory runs out says so", "[object_walk]") {
  const auto d = parsed(nested(40));
  core::object_walk<const arena_value> walk{devicetwin::memory_source::none()};
  CHECK(visited(walk, d.root()).find('!') != std::string::npos);
}

TEST_CASE("names are found in an object beside, in any order", "[object_walk]") {
  const auto d = parsed(R"({"a":1,"b":null,"c":3})");
  core::index_memory memory{devicetwin::memory_source()};
  core::object_beside<arena_value> beside(&d.root(), memory);
  CHECK(beside.get() == &d.root());
  const arena_value* found = nullptr;
  for (const char* const name : {"c", "a", "b"}) {
    REQUIRE(beside.find(std::string_view(name), memory, found));
    CHECK(found == &d.root()[name]);
  }
  REQUIRE(beside.find(std::string_view("x"), memory, found));
  CHECK(found == nullptr);
}
TEST_CASE("nothing is found beside no object", "[object_walk]") {
  const auto number = parsed("1");
  core::index_memory memory{devicetwin::memory_source()};
  for (const arena_value* const none : {static_cast<const arena_value*>(nullptr), &number.root()}) {
    core::object_beside<arena_value> beside(none, memory);
    CHECK(beside.get() == nullptr);
    const arena_value* found = &number.root();
    REQUIRE(beside.find(std::string_view("a"), memory, found));
    CHECK(found == nullptr);
  }
}
TEST_CASE("an object beside gives its index back, and says when there is no memory for it",
          "[object_walk]") {
  std::string text = "{";
  for (int i = 0; i < 200; ++i) text += (i == 0 ? "\"n" : ",\"n") + std::to_string(i) + "\":1";
  const auto d = parsed(text + "}");
  const auto look_for_all = [&d](const devicetwin::memory_source& source, std::size_t& left) {
    core::index_memory memory{source};
    core::object_beside<arena_value> beside(&d.root(), memory);
    const arena_value* found = nullptr;
    bool good = true;
    for (int i = 200; good && i-- > 0;)  // the wrong way round, so that an index is made
      good = beside.find(std::string_view("n" + std::to_string(i)), memory, found);
    left = memory.size();
    beside.close(memory);
    CHECK(memory.empty());
    return good;
  };
  std::size_t left = 0;
  CHECK(look_for_all(devicetwin::memory_source(), left));
  CHECK(left != 0);
  CHECK_FALSE(look_for_all(devicetwin::memory_source::none(), left));
}
