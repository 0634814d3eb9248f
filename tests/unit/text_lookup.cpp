#include <devicetwin/device/detail/match_texts.hpp>
#include <devicetwin/device/detail/text_lookup.hpp>

#include <string>
#include <vector>

#include "../support/failing_heap.hpp"
#include "../support/text.hpp"

namespace {

using devicetwin::detail::lookup_memory;
using devicetwin::detail::text_lookup;

std::string name_of(std::size_t i) {
  return i % 5 == 3 ? "\\u0061/\\n" + std::to_string(i)
                    : "a name that is not so short " + std::to_string(i);
}
/// The same name in another spelling.
std::string respelled(std::size_t i) {
  return "\\u0061" + (i % 5 == 3 ? "\\/\\u000a" : name_of(i).substr(1, 27)) + std::to_string(i);
}

std::vector<std::size_t> numbers(std::size_t count, char order) {
  std::vector<std::size_t> all(count);
  for (std::size_t i = 0; i < count; ++i)
    all[i] = order == 'r' ? count - 1 - i : order == 's' ? i * 7919 % count : i;
  return all;
}
std::string value_of(std::size_t i) { return "[" + std::to_string(i) + "]"; }
std::string object_of(std::size_t count) {
  std::string text = "{";
  for (std::size_t i = 0; i < count; ++i)
    text += (i == 0 ? "\"" : " ,\n\"") + name_of(i) + "\": " + value_of(i);
  return text + "}";
}

}  // namespace

TEST_CASE("members of a text are found by name in any order, however they are spelled",
          "[text_lookup]") {
  for (const std::size_t count : {0u, 1u, 7u, 60u, 500u}) {
    for (const char order : {'k', 'r', 's'}) {
      INFO(count << order);
      const std::string object = object_of(count);
      lookup_memory memory{devicetwin::memory_source()};
      text_lookup lookup(object);
      std::string_view found;
      for (const std::size_t i : numbers(count, order)) {
        REQUIRE(lookup.find(name_of(i), memory, found));
        CHECK(found == value_of(i));
        REQUIRE(lookup.find("no such name " + std::to_string(i), memory, found));
        CHECK(found.empty());
        REQUIRE(lookup.find(respelled(i), memory, found));
        CHECK(found == value_of(i));
        lookup.scan(respelled(i), found);
        CHECK(found == value_of(i));
      }
      lookup.close(memory);
      CHECK(memory.members.empty());
      CHECK(memory.names.empty());
    }
  }
}

TEST_CASE("in a text that is no object no member is found", "[text_lookup]") {
  for (const char* text : {"", "1", "\"a\"", "[1]", "null"}) {
    lookup_memory memory{devicetwin::memory_source()};
    text_lookup lookup(text);
    std::string_view found = "before";
    REQUIRE(lookup.find("a", memory, found));
    CHECK(found.empty());
    lookup.close(memory);
  }
}

TEST_CASE("lookups inside each other survive every failing allocation", "[text_lookup][failure]") {
  const std::string object = object_of(200);
  with_every_failure(
      [&](const devicetwin::memory_source& source) -> json::error {
        lookup_memory memory(source);
        text_lookup outer(object), inner(object);
        json::error result;
        for (const std::size_t i : numbers(200, 'r')) {
          for (text_lookup* const lookup : {&outer, &inner}) {
            // The inner one takes its memory after the outer one.
            if (lookup == &inner && i > 100) continue;
            std::string_view found;
            if (!lookup->find(respelled(i), memory, found)) {
              result = errc::out_of_memory;
              lookup->scan(respelled(i), found);  // what is left to do without memory
            }
            CHECK(found == value_of(i));
          }
        }
        inner.close(memory);
        outer.close(memory);
        CHECK(memory.members.empty());
        CHECK(memory.names.empty());
        return result;
      },
      [] {});
}

TEST_CASE("a wildcard goes through the members of old and new in any order", "[text_lookup]") {
  for (const std::size_t count : {3u, 40u, 400u}) {
    for (const char order : {'k', 'r', 's'}) {
      INFO(count << order);
      std::string old_text = "{", new_text = "{", expected;
      for (const std::size_t i : numbers(count, 'k')) {
        if (i % 3 != 0)
          old_text += (old_text.size() > 1 ? ",\"" : "\"") + name_of(i) +
                      "\":{\"x\":" + (i % 2 == 0 ? "1" : "[2]") + ",\"y\":0}";
      }
      for (const std::size_t i : numbers(count, order)) {
        if (i % 4 != 0)
          new_text += (new_text.size() > 1 ? ",\"" : "\"") + name_of(i) + "\":{\"y\":1,\"x\":" +
                      (i % 5 == 0   ? "7"
                       : i % 2 == 0 ? "1.0"
                                    : "[2]") +
                      "}";
      }
      const auto pointer_of_member = [](std::size_t i) {
        return "/in/" + (i % 5 == 3 ? "a~1\n" + std::to_string(i) : name_of(i)) + "/x";
      };
      // Of the old object's members in its order, those that changed or went; then the new ones in
      // their order.
      for (const std::size_t i : numbers(count, 'k')) {
        if (i % 3 == 0) continue;
        const std::string old_value = i % 2 == 0 ? "1" : "[2]";
        if (i % 4 == 0)
          expected += pointer_of_member(i) + ":" + old_value + ">;";
        else if (i % 5 == 0)
          expected += pointer_of_member(i) + ":" + old_value + ">7;";
      }
      for (const std::size_t i : numbers(count, order)) {
        if (i % 3 == 0 && i % 4 != 0)
          expected += pointer_of_member(i) + ":>" +
                      (i % 5 == 0   ? "7"
                       : i % 2 == 0 ? "1.0"
                                    : "[2]") +
                      ";";
      }
      const std::string outer_old = "{\"b\":" + old_text + "},\"c\":{\"d\":1}}",
                        outer_new = "{\"c\":0,\"b\":" + new_text + "}}";
      std::string seen;
      const auto visit = [&](const devicetwin::text_change& c) {
        seen += std::string(c.pointer) + ":" + std::string(c.old_text) + ">" +
                std::string(c.new_text) + ";";
      };
      REQUIRE(!devicetwin::detail::look_inside({"/in", old_text + "}", new_text + "}"}, "/*/x", {},
                                               visit));
      CHECK(seen == expected);
      // The same below members that are named.
      for (std::size_t at = 0; (at = expected.find("/in/", at)) != std::string::npos; at += 6)
        expected.insert(at + 3, "/b");
      seen.clear();
      REQUIRE(!devicetwin::detail::look_inside({"/in", outer_old, outer_new}, "/b/*/x", {}, visit));
      CHECK(seen == expected);
      with_every_failure(
          [&](const devicetwin::memory_source& source) {
            merge::text_options o;
            o.memory = source;
            seen.clear();
            const json::error e =
                devicetwin::detail::look_inside({"/in", outer_old, outer_new}, "/b/*/x", o, visit);
            if (!e) CHECK(seen == expected);
            return e;
          },
          [] {});
    }
  }
}

TEST_CASE("what a subscription names is looked for down to the place, and no further",
          "[text_lookup]") {
  std::string seen;
  const auto inside = [&](std::string_view old_text, std::string_view new_text,
                          std::string_view rest) {
    seen.clear();
    const auto visit = [&](const devicetwin::text_change& c) {
      seen += std::string(c.pointer) + ":" + std::string(c.old_text) + ">" +
              std::string(c.new_text) + ";";
    };
    const json::error e =
        devicetwin::detail::look_inside({"/in", old_text, new_text}, rest, {}, visit);
    return e ? e.message() : seen;
  };
  CHECK(inside(R"({"a":{"b":{"c":1}},"z":1})", R"({"a":{"b":{"c":2},"d":3}})", "/a/b/c") ==
        "/in/a/b/c:1>2;");
  CHECK(inside(R"({"a":{"b":{"c":1}}})", "", "/a/b/c") == "/in/a/b/c:1>;");
  CHECK(inside("", R"({"a":{"b":{"c":[1, 2]},"c":0}})", "/a/b/c") == "/in/a/b/c:>[1, 2];");
  CHECK(inside(R"({"a":{"b":1}})", R"({"a":{"c":1}})", "/a/b/c") == "");
  CHECK(inside(R"({"a":[{"0":1}]})", R"({"a":[{"0":2}]})", "/a/0/0") ==
        "");  // there are no members in an array
  CHECK(inside(R"({"a":{"b":{"x":1},"c":{"x":2}}})", R"({"a":{"c":{"x":3}}})", "/a/*/x") ==
        "/in/a/b/x:1>;/in/a/c/x:2>3;");
  CHECK(inside(R"({"a":{"b":{"x":{"y":1}}}})", R"({"a":{"b":{"x":{"y":2}}}})", "/*/b/*/y") ==
        "/in/a/b/x/y:1>2;");
}
