// Members in another order, in objects of every size at which they are paired in another way.
#include <devicetwin/json/tree/unordered_members.hpp>

#include <devicetwin/json/tree/tree_diff.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "../support/failing_heap.hpp"
#include "../support/json.hpp"
#include "../support/random_json.hpp"

namespace core = json::core;

namespace {

using walk_type = core::tree_diff<json::value, json::value>;
using member = std::pair<std::string, int>;
using members = std::vector<member>;

/// Names of several kinds. Those of the last kind have the same quick hash.
std::string name_of(int kind, std::size_t i) {
  const std::string digits = std::to_string(i);
  if (kind == 0) return "n" + digits;
  if (kind == 1) return "name of more than thirteen bytes " + digits;
  return std::string(12, 'a') + std::string(8 - digits.size(), '0') + digits + std::string(44, 'a');
}

/// A value for a number: a scalar, an array or an object.
std::string value_of(int number) {
  const std::string digits = std::to_string(number / 4);
  switch (number % 4) {
    case 0:
      return "[{\"x\":" + digits + ",\"y\":[]}]";
    case 1:
      return "{\"deep\":{\"x\":" + digits + "},\"y\":0}";
    case 2:
      return "{\"x\":" + digits + "}";
    default:
      return digits;
  }
}

/// RapidJSON's own parser keeps repeated names.
rapidjson::Document built(const members& all) {
  std::string text = "{";
  for (const member& m : all)
    text += (text.size() > 1 ? ",\"" : "\"") + m.first + "\":" + value_of(m.second);
  rapidjson::Document made;
  made.Parse((text + "}").c_str());
  REQUIRE(!made.HasParseError());
  return made;
}

/// What the members mean: the first of a name counts.
std::map<std::string, int> meaning(const members& all) {
  std::map<std::string, int> made;
  for (const member& m : all) made.insert(m);
  return made;
}

/// The names of what a walk sets, goes into or removes in the outermost objects, each once.
std::map<std::string, char> changed(const walk_type& walk) {
  std::map<std::string, char> found;
  int depth = 0;
  for (std::size_t i = 0; i < walk.entries().size(); ++i) {
    const auto& entry = walk.entries()[i];
    if (entry.kind == walk_type::op::close) {
      --depth;
      continue;
    }
    const bool removed = entry.kind == walk_type::op::remove;
    const json::value& name = removed ? entry.from().name : entry.to().name;
    if (depth == 0)
      CHECK(found.emplace(std::string(core::text_of(name)), removed ? '-' : '=').second);
    if (entry.kind == walk_type::op::open) ++depth;
  }
  return found;
}
std::map<std::string, char> expected_changes(const members& from, const members& to) {
  const auto before = meaning(from), after = meaning(to);
  std::map<std::string, char> expected;
  for (const auto& [name, value] : after) {
    const auto old = before.find(name);
    if (old == before.end() || old->second != value) expected.emplace(name, '=');
  }
  for (const auto& [name, value] : before) {
    static_cast<void>(value);
    if (after.count(name) == 0) expected.emplace(name, '-');
  }
  return expected;
}

template <class Random>
void shuffle(members& all, std::size_t first, Random& random) {
  for (std::size_t i = all.size(); i > first + 1; --i)
    std::swap(all[i - 1], all[first + random.below(static_cast<unsigned>(i - first))]);
}

void check(const members& from, const members& to) {
  const auto a = built(from), b = built(to);
  walk_type walk({}, {});
  REQUIRE(!walk.run(a, b));
  const auto expected = expected_changes(from, to);
  CHECK(changed(walk) == expected);
  CHECK(are_equal(a, b) == expected.empty());
}

}  // namespace

TEST_CASE("members in any order are paired by name, at every size and with repeated names",
          "[unordered_members][property]") {
  unsigned seed = 0;
  for (const std::size_t count :
       {0u, 1u, 2u, 3u, 5u, 8u, 9u, 16u, 63u, 64u, 65u, 127u, 128u, 129u, 200u}) {
    for (int round = 0; round < 60; ++round) {
      random_json random(seed++);
      const int kind = round % 3;
      members from;
      for (std::size_t i = 0; i < count; ++i)
        from.emplace_back(name_of(kind, i), static_cast<int>(random.below(40)));
      const bool repeats = round % 4 == 3;
      const auto repeat = [&](members& all) {
        for (unsigned n = random.below(4); n != 0 && !all.empty(); --n) {
          const auto at = random.below(static_cast<unsigned>(all.size()));
          const auto value =
              random.below(3) == 0 ? all[at].second : static_cast<int>(random.below(40));
          all.emplace_back(all[at].first, value);
        }
      };
      if (repeats) repeat(from);
      members to = from;
      if (repeats) repeat(to);
      for (unsigned n = random.below(4); n != 0 && !to.empty(); --n) {
        const auto at = random.below(static_cast<unsigned>(to.size()));
        switch (random.below(3)) {
          case 0:
            to[at].second = static_cast<int>(random.below(40));
            break;
          case 1:
            to.erase(to.begin() + static_cast<std::ptrdiff_t>(at));
            break;
          default:
            to.insert(to.begin() + static_cast<std::ptrdiff_t>(at),
                      {name_of(kind, 1000 + n), static_cast<int>(n)});
        }
      }
      const std::size_t kept = random.below(3) == 0 ? to.size() / 2 : 0;
      if (random.below(4) != 0) shuffle(to, kept, random);
      INFO(count << " members, round " << round);
      check(from, to);
      check(to, from);
    }
  }
}

TEST_CASE("all members of an object may be new or gone, in any order", "[unordered_members]") {
  for (const std::size_t count : {4u, 8u, 20u, 64u, 65u, 300u}) {
    members from, to;
    for (std::size_t i = 0; i < count; ++i) {
      from.emplace_back(name_of(0, i), 3);
      to.emplace_back(name_of(0, count + i), 3);
    }
    check(from, to);
    to.insert(to.begin(), from.rbegin(), from.rend());
    check(from, to);
    check(to, from);
  }
}

TEST_CASE("what was put aside before the order was lost finds its partner", "[unordered_members]") {
  for (const int size : {20, 100}) {
    members from, to;
    for (int i = 0; i < size; ++i) from.emplace_back(name_of(0, static_cast<std::size_t>(i)), i);
    to.assign(from.begin() + 1, from.begin() + 5);  // the first is put aside
    members rest(from.begin() + 5, from.end());
    std::reverse(rest.begin(), rest.end());
    to.insert(to.end(), rest.begin(), rest.end());
    to.push_back({from[0].first, 99});
    check(from, to);
    to.back() = from[0];
    check(from, to);
    to.pop_back();
    check(from, to);
    to.push_back(to[3]);  // repeats a name
    check(from, to);
    check(to, from);
  }
}

TEST_CASE("objects in arrays may have their members in any order", "[unordered_members]") {
  CHECK(are_equal(parsed(R"([{"a":1,"b":[{"c":2,"d":{"e":3,"f":4}}]}])"),
                  parsed(R"([{"b":[{"d":{"f":4,"e":3},"c":2}],"a":1}])")));
  CHECK(!are_equal(parsed(R"([{"a":1,"b":[{"c":2,"d":{"e":3,"f":4}}]}])"),
                   parsed(R"([{"b":[{"d":{"f":4,"e":5},"c":2}],"a":1}])")));
}

TEST_CASE("a container too deep is found in any order", "[unordered_members]") {
  core::diff_rules rules;
  rules.max_depth = 2;
  for (const char* innermost : {"{\"x\":1}", "[1]"}) {
    const std::string text = R"({"a":{"b":1,"c":)" + std::string(innermost) + "}}";
    const std::string other = R"({"a":{"c":)" + std::string(innermost) + R"(,"b":1}})";
    walk_type walk(rules, {});
    const auto a = parsed(text), b = parsed(other);
    const json::error e = walk.run(a, b);
    CHECK(e.code() == errc::depth_exceeded);
    CHECK(e.pointer() == "/a/c");
  }
}

TEST_CASE("a table of few names finds each, and refuses a repeated one", "[unordered_members]") {
  using names_type = core::object_names<json::value>;
  for (const int kind : {0, 1, 2}) {
    members all;
    for (std::size_t i = 0; i < core::few_names<names_type>::most; ++i)
      all.emplace_back(name_of(kind, i), 3);
    auto object = built(all);
    const auto count = static_cast<json::size_type>(all.size());
    core::few_names<names_type> table(names_type{core::members_begin(object)});
    REQUIRE(table.build(count));
    for (json::size_type i = 0; i < count; ++i)
      CHECK(table.find(core::members_begin(object)[i].name) == i);
    const auto other = built({{name_of(kind, 500), 3}});
    CHECK(table.find(core::members_begin(other)->name) == core::no_index);
    all.back().first = all.front().first;
    object = built(all);
    core::few_names<names_type> repeated(names_type{core::members_begin(object)});
    CHECK_FALSE(repeated.build(count));
  }
}

TEST_CASE("members in any order survive every failing allocation", "[unordered_members][failure]") {
  for (const std::size_t count : {30u, 64u, 65u, 300u}) {
    members from, to;
    for (std::size_t i = 0; i < count; ++i) {
      from.emplace_back(name_of(1, i), static_cast<int>(i));
      to.emplace_back(name_of(1, (i * 7 + 1) % count),
                      static_cast<int>((i * 7 + 1) % count + i % 3));
    }
    to.emplace_back("new", 1);
    from.emplace_back("gone", 1);
    const auto a = built(from), b = built(to);
    const auto expected = expected_changes(from, to);
    with_every_refusal([&](const devicetwin::memory_source& source) {
      walk_type walk({}, source);
      json::error e = walk.run(a, b);
      if (!e) CHECK(changed(walk) == expected);
      return e;
    });
  }
}
