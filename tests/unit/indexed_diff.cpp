// Members in any order, at every level, against the diff of trees.
#include <devicetwin/merge/text/indexed_diff.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "../support/failing_heap.hpp"
#include "../support/guarded_memory.hpp"
#include "../support/random_json.hpp"
#include "../support/respell.hpp"
#include "../support/text.hpp"
#include "../support/text_roads.hpp"

namespace {

using texts = std::vector<std::string>;

/// A name for a number. The lengths go around those at which names are read in another way.
std::string name_of(std::size_t i, int kind) {
  const std::string digits = std::to_string(i);
  switch (kind) {
    case 0:
      return digits;
    case 1:
      return digits + std::string((i * 7) % 70, 'n');
    case 2:
      return std::string(13 + i % 5, 'a') + digits;
    case 3:
      return std::string(29 + i % 5, 'a') + digits;
    default:
      return (i % 2 == 0 ? "\\u006e\\u00e9" : "n\xC3\xA9") + digits;
  }
}

std::string object_of(const texts& members) {
  std::string text = "{";
  for (const std::string& member : members) text += (text.size() > 1 ? "," : "") + member;
  return text + "}";
}

std::string shuffled(texts members, unsigned seed) {
  std::mt19937 random(seed);
  std::shuffle(members.begin(), members.end(), random);
  return object_of(members);
}

json::error diff(std::string_view from, std::string_view to, std::string& out,
                 merge::text_trust trust, const devicetwin::memory_source& memory = {}) {
  merge::text_options o;
  o.trust = trust;
  o.memory = memory;
  return merge::diff_text(from, to, out, o);
}

}  // namespace

TEST_CASE("objects of every size and kind of names are matched in any order",
          "[indexed_diff][property]") {
  for (std::size_t level = 0; json::core::level_at(level) != nullptr; ++level) {
    json::core::force_level(json::core::level_at(level));
    for (const std::size_t count :
         {2u, 3u, 4u, 8u, 15u, 16u, 17u, 31u, 33u, 63u, 64u, 65u, 66u, 130u, 300u}) {
      for (int kind = 0; kind < 5; ++kind) {
        texts from, to;
        std::string expected;
        for (std::size_t i = 0; i < count; ++i) {
          const std::string name = '"' + name_of(i, kind) + "\":";
          const std::string inner = "{\"x\":[" + std::to_string(i) + "],\"y\":{\"z\":1}}";
          const std::string turned = "{\"y\":{\"z\":1},\"x\":[" + std::to_string(i) + "]}";
          from.push_back(name + (i % 3 == 0 ? inner : std::to_string(i)));
          to.push_back(name + (i % 3 == 0 ? turned : std::to_string(i)));
        }
        const std::string a = shuffled(from, 1), b = shuffled(to, 2);
        for (const auto trust : {merge::text_trust::trusted, merge::text_trust::checked}) {
          std::string none;
          CHECK(!diff(a, b, none, trust));
          CHECK(none == "{}");
        }
        // One changed, one gone, one new.
        texts changed = to;
        changed[count / 2] = '"' + name_of(count / 2, kind) + "\":\"other\"";
        changed[0] = "\"new\":[{}]";
        text_roads::check_all(a, shuffled(changed, 3), 0);
      }
    }
  }
  json::core::force_level(nullptr);
}

TEST_CASE("objects in arrays are matched in any order", "[indexed_diff]") {
  std::string out;
  const std::string from = R"({"q":1,"r":2,"s":3,"t":[{"a":1,"b":[{"c":2,"d":3}]},4]})";
  CHECK(!diff(from, R"({"t":[{"b":[{"d":3.0,"c":2}],"a":1},4],"s":3,"r":2,"q":1})", out,
              merge::text_trust::checked));
  CHECK(out == "{}");
  out.clear();
  CHECK(!diff(from, R"({"t":[{"b":[{"d":3,"c":5}],"a":1},4],"s":3,"r":2,"q":1})", out,
              merge::text_trust::checked));
  CHECK(out == R"({"t":[{"b":[{"d":3,"c":5}],"a":1},4]})");
  for (const char* const other :
       {R"([{"a":1,"b":[{"c":2,"d":3}]}])", R"([{"a":1,"b":[{"c":2}]},4])",
        R"([{"b":[{"c":2,"d":3,"e":0}],"a":1},4])", "[]", R"([[],4])", R"([{"a":1,"b":{}},4])"}) {
    text_roads::check_all(from, R"({"t":)" + std::string(other) + R"(,"s":3,"r":2,"q":1})", 0);
  }
}

TEST_CASE("random documents with all members in another order agree with trees",
          "[indexed_diff][property]") {
  for (unsigned seed = 0; seed < 300; ++seed) {
    random_json random(seed + 5000);
    texts from, to;
    for (unsigned i = 0; i < 3 + seed % 90; ++i) {
      const std::string value = random.value();
      from.push_back('"' + name_of(i, static_cast<int>(i % 5)) + "\":" + value);
      to.push_back('"' + name_of(i, static_cast<int>(i % 5)) +
                   "\":" + respelled(value, random, random.below(3) * 5));
    }
    text_roads::check_all(shuffled(from, seed), shuffled(to, seed + 1), 0);
  }
  SUCCEED("every property held");
}

TEST_CASE("no byte beyond a text is read, whatever is in it", "[indexed_diff][property]") {
  static guarded_memory memory_a, memory_b;
  const std::string from = R"({"a":{"b":[1,{"c":2}],"d":"x"},"e":3,"f":"ghij","k":[[],{}]})";
  const std::string to = R"({"k":[[],{}],"f":"ghij","e":4,"a":{"d":"x","b":[1,{"c":2}]}})";
  for (std::size_t level = 0; json::core::level_at(level) != nullptr; ++level) {
    json::core::force_level(json::core::level_at(level));
    for (std::size_t i = 0; i < to.size(); ++i) {
      for (const char c : {'"', '\\', '{', '}', '[', ']', ',', ':', ' ', '0', '\0'}) {
        std::string damaged = to;
        damaged[i] = c;
        for (const std::string& text : {damaged, to.substr(0, i)}) {
          const std::string_view a = memory_a.put(from, true), b = memory_b.put(text, true);
          std::string out;
          static_cast<void>(diff(a, b, out, merge::text_trust::trusted));
          static_cast<void>(diff(b, a, out, merge::text_trust::trusted));
        }
      }
    }
  }
  json::core::force_level(nullptr);
  SUCCEED("nothing else was read");
}

TEST_CASE("members in any order give up cleanly when memory runs out", "[indexed_diff][failure]") {
  texts members;
  for (std::size_t i = 0; i < 90; ++i) {
    members.push_back('"' + name_of(i, static_cast<int>(i % 5)) + "\":{\"x\":1,\"y\":[" +
                      std::to_string(i) + "]}");
  }
  texts changed = members;
  changed[40] = "\"new\":1";
  const std::string from = "{\"o\":" + shuffled(members, 1) + "}";
  const std::string to = "{\"o\":" + shuffled(changed, 2) + "}";
  for (const auto trust : {merge::text_trust::trusted, merge::text_trust::checked}) {
    std::string whole;
    REQUIRE(!diff(from, to, whole, trust));
    refuse_each_request(
        [&](const devicetwin::memory_source& memory) {
          std::string out;
          json::error e = diff(from, to, out, trust, memory);
          CHECK(out == (e ? "" : whole));
          return e;
        },
        [](const json::error& e, bool refused) {
          if (!refused) CHECK(!e);
          if (e) CHECK(e.code() == errc::out_of_memory);
        });
  }
}

TEST_CASE("the first of repeated names counts on trust, and both are refused when checked",
          "[indexed_diff]") {
  const std::string from = R"({"a":1,"b":2,"c":3,"d":4,"e":5})";
  for (const char* const to :
       {R"({"e":5,"d":4,"c":3,"b":2,"a":1,"e":6})", R"({"e":5,"d":4,"c":3,"b":2,"a":1,"\u0065":5})",
        R"({"e":5,"d":4,"new":1,"c":3,"b":2,"a":1,"new":1})"}) {
    std::string out;
    const json::error e = diff(from, to, out, merge::text_trust::checked);
    CHECK(e.code() == errc::duplicate_name);
    CHECK(e.text() == 2);
  }
  std::string out;
  CHECK(!diff(R"({"e":5,"d":4,"c":3,"b":2,"a":1,"e":6})", from, out, merge::text_trust::trusted));
  CHECK(out == "{}");
}

TEST_CASE("levels in another order cost no more than their depth allows", "[indexed_diff]") {
  std::string from = R"({"x":1})", to = from, expected = R"({"x":1})";
  for (int depth = 0; depth < 60; ++depth) {
    from = R"({"p":"same","q":)" + from + R"(,"r":0,"s":0,"t":0})";
    to = R"({"p":"same","t":0,"s":0,"r":0,"q":)" + to + "}";
  }
  std::string out;
  CHECK(!diff(from, to, out, merge::text_trust::checked));
  CHECK(out == "{}");
  merge::text_options shallow;
  shallow.max_depth = 30;
  shallow.trust = merge::text_trust::trusted;
  CHECK(merge::diff_text(from, to.replace(to.find("\"x\":1"), 5, "\"x\":2"), out, shallow).code() ==
        errc::depth_exceeded);
}
