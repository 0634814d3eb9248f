#include <devicetwin/json/tree/member_lookup.hpp>

#include "../support/json.hpp"

#include <map>
#include <random>
#include <string>

namespace core = json::core;
using json::size_type;

namespace {

std::string name_of(unsigned i) {
  return (i % 2 == 0 ? "n" : "a name outside of its value ") + std::to_string(i);
}

/// An object of `count` members; with `repeats`, a third of the names come again.
void make(rapidjson::Document& d, unsigned count, bool repeats) {
  d.SetObject();
  for (unsigned i = 0; i < count; ++i) {
    const std::string name = name_of(repeats && i % 3 == 2 ? i / 2 : i);
    rapidjson::Value text(name.data(), static_cast<size_type>(name.size()), d.GetAllocator());
    d.AddMember(text, i, d.GetAllocator());
  }
}
/// The first member of each name, by looking at all.
std::map<std::string, size_type> first_of(const json::value& object) {
  std::map<std::string, size_type> first;
  for (size_type i = 0; i < object.MemberCount(); ++i)
    first.emplace(core::text_of(core::members_begin(object)[i].name), i);
  return first;
}

}  // namespace

TEST_CASE("a look-up finds the first member of a name, in any order and any number of times",
          "[member_lookup]") {
  for (const unsigned count : {0u, 1u, 16u, 17u, 64u, 65u, 700u}) {
    for (const bool repeats : {false, true}) {
      INFO(count << (repeats ? " with repeats" : ""));
      rapidjson::Document d;
      make(d, count, repeats);
      const json::value& object = d;
      const auto first = first_of(object);
      core::index_memory memory{devicetwin::memory_source{}};
      core::member_lookup<json::value> lookup(object);
      core::repeat_lookup<json::value> near(object);
      core::index_memory near_memory{devicetwin::memory_source{}};
      std::mt19937 engine(count);
      const auto random = [&engine] { return static_cast<unsigned>(engine()); };
      int wrong = 0;
      for (int i = 0; i < 3000; ++i) {
        const std::string name = name_of(random() % (count + 5));
        const auto expected = first.find(name);
        const size_type at = expected == first.end() ? core::no_index : expected->second;
        size_type index = 12345;
        if (!lookup.find(std::string_view(name), memory, index) || index != at) ++wrong;
        if (!near.find_near(std::string_view(name), random() % (count + 1), near_memory, index) ||
            index != at)
          ++wrong;
        if (!near.find_next(std::string_view(name), near_memory, index) || index != at) ++wrong;
        if (!repeats && (!lookup.find_next(std::string_view(name), memory, index) || index != at))
          ++wrong;
      }
      CHECK(wrong == 0);
      CHECK(lookup.indexed() == (count > 16));  // after so many looks
    }
  }
}

TEST_CASE("the first member of each name is told from those that repeat it", "[member_lookup]") {
  for (const unsigned count : {1u, 10u, 64u, 65u, 1000u}) {
    for (const bool repeats : {false, true}) {
      for (const bool backwards : {false, true}) {
        INFO(count << (repeats ? " with repeats" : "") << (backwards ? " backwards" : ""));
        rapidjson::Document d;
        make(d, count, repeats);
        const json::value& object = d;
        const auto first = first_of(object);
        core::index_memory memory{devicetwin::memory_source{}};
        core::repeat_lookup<json::value> lookup(object);
        int wrong = 0;
        for (unsigned n = 0; n < count; ++n) {
          const size_type i = backwards ? count - 1 - n : n;
          bool is_first = false;
          const std::string name(core::text_of(core::members_begin(object)[i].name));
          if (!lookup.is_first(i, memory, is_first) || is_first != (first.at(name) == i)) ++wrong;
        }
        CHECK(wrong == 0);
        if (count > 2) CHECK(lookup.show_distinct(memory) == !repeats);
      }
    }
  }
}

TEST_CASE("a look-up knows whether names are distinct once it has an index", "[member_lookup]") {
  for (const bool repeats : {false, true}) {
    rapidjson::Document d;
    make(d, 100, repeats);
    const json::value& object = d;
    core::index_memory memory{devicetwin::memory_source{}};
    core::member_lookup<json::value> lookup(object);
    CHECK_FALSE(lookup.indexed());
    CHECK_FALSE(lookup.distinct());
    REQUIRE(lookup.make_index(memory));
    CHECK(lookup.indexed());
    CHECK(lookup.distinct() == !repeats);
  }
}

TEST_CASE("a look-up in what is no object finds nothing", "[member_lookup]") {
  const auto array = parsed("[1]");
  const json::value* const values[] = {nullptr, &array};
  core::index_memory memory{devicetwin::memory_source{}};
  for (const json::value* v : values) {
    size_type index = 0;
    REQUIRE(core::lookup_in(v).find(std::string_view("a"), memory, index));
    CHECK(index == core::no_index);
    index = 0;
    REQUIRE(core::repeats_in(v).find(std::string_view("a"), memory, index));
    CHECK(index == core::no_index);
  }
}

TEST_CASE("a look-up that needs an index says when memory runs out", "[member_lookup]") {
  rapidjson::Document d;
  make(d, 1000, false);
  const json::value& object = d;
  core::index_memory none{devicetwin::memory_source::none()};
  core::member_lookup<json::value> lookup(object);
  bool failed = false;
  for (int i = 0; i < 1000 && !failed; ++i) {
    size_type index = 0;
    failed = !lookup.find(std::string_view("absent"), none, index);
    if (!failed) CHECK(index == core::no_index);
  }
  CHECK(failed);
  CHECK_FALSE(core::repeat_lookup<json::value>(object).show_distinct(none));
}
