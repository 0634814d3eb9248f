// The index of names under names that were chosen against it.
#include <devicetwin/json/tree/name_index.hpp>

#include <cstring>
#include <string>
#include <vector>

#include "../catch.hpp"

namespace json = devicetwin::json;
using json::size_type;

namespace {

/// The name of sixteen bytes that hash_name() gives this hash, where it has its shortcuts.
std::string name_with_hash(std::uint64_t hash) {
  constexpr std::uint64_t multiplier = 0x9E3779B97F4A7C15u;
  std::uint64_t inverse = 1;  // modulo 2^64, by Newton's iteration
  for (int i = 0; i < 6; ++i) inverse *= 2 - multiplier * inverse;
  std::uint64_t word = hash ^ (hash >> 29) ^ (hash >> 58);
  word *= inverse;
  word ^= word >> 32;
  word = (word * inverse) ^ 16;
  std::string name(16, '\0');  // the second half stays zero
  std::memcpy(&name[0], &word, 8);
  return name;
}

struct counting_names {
  const std::vector<std::string>& names;
  std::size_t& looked_at;
  std::string_view text(size_type i) const {
    ++looked_at;
    return names[i];
  }
  std::uint64_t hash(size_type i) const { return json::core::hash_name(names[i]); }
};

}  // namespace

TEST_CASE("name_index finds what is there and nothing else, whatever the names", "[names]") {
  constexpr size_type count = 1000;  // in 2048 slots
  std::vector<std::string> names;
  const std::uint64_t tag = std::uint64_t{0xABCDEF}
                            << 32;  // all look alike until they are compared
  SECTION("spread") {
    for (size_type i = 0; i < count; ++i) names.push_back("name " + std::to_string(i));
  }
  if constexpr (devicetwin::base::shortcuts) {
    SECTION("one long run of slots, each name in its own place") {
      for (size_type i = 0; i < count; ++i) names.push_back(name_with_hash(tag | i));
    }
    SECTION("all in one slot") {
      for (size_type i = 0; i < count; ++i)
        names.push_back(name_with_hash(tag | (std::uint64_t{i} << 12)));
    }
  }
  std::size_t looked_at = 0;
  const counting_names name{names, looked_at};
  json::core::index_memory memory{devicetwin::memory_source{}};
  json::core::name_index index;
  size_type repeated = 0;
  REQUIRE(index.build(count, name, memory, [&](size_type) { ++repeated; }));
  CHECK(repeated == 0);
  for (size_type i = 0; i < count; ++i) CHECK(index.find_text(names[i], name, memory) == i);
  for (std::uint64_t i = 1; i < 100; ++i) {
    const std::string absent = name_with_hash(tag | (i << 24));
    if constexpr (devicetwin::base::shortcuts)
      REQUIRE((json::core::hash_name(absent) & 0xFFF) == 0);
    looked_at = 0;
    CHECK(index.find_text(absent, name, memory) == json::core::no_index);
    CHECK(looked_at <= 65);
  }
}

TEST_CASE("name_index reports each later name of the same spelling", "[names]") {
  std::vector<std::string> names;
  const bool collide = devicetwin::base::shortcuts && GENERATE(false, true);
  for (size_type i = 0; i < 300; ++i) {
    names.push_back(collide ? name_with_hash(std::uint64_t{i % 100} << 20)
                            : std::to_string(i % 100));
  }
  std::size_t looked_at = 0;
  const counting_names name{names, looked_at};
  json::core::index_memory memory{devicetwin::memory_source{}};
  json::core::name_index index;
  std::vector<bool> repeated(300);
  REQUIRE(index.build(300, name, memory, [&](size_type i) { repeated[i] = true; }));
  for (size_type i = 0; i < 300; ++i) {
    CHECK(repeated[i] == (i >= 100));
    CHECK(index.find_text(names[i], name, memory) == i % 100);
  }
}

TEST_CASE("name_index says when memory runs out", "[names]") {
  std::vector<std::string> names;
  for (size_type i = 0; i < 100; ++i) names.push_back(std::to_string(i));
  std::size_t looked_at = 0;
  const counting_names name{names, looked_at};
  json::core::index_memory none{devicetwin::memory_source::none()};
  json::core::name_index index;
  CHECK_FALSE(index.build(100, name, none, [](size_type) {}));
  CHECK(none.empty());
}

TEST_CASE("name_index tells which name it would look at first", "[names]") {
  const std::vector<std::string> names{"a", "b", "c"};
  std::size_t looked_at = 0;
  const counting_names name{names, looked_at};
  json::core::index_memory memory{devicetwin::memory_source{}};
  json::core::name_index index;
  json::core::first_repeat repeat;
  REQUIRE(index.build(3, name, memory, repeat));
  CHECK(repeat.at == json::core::no_index);
  for (size_type i = 0; i < 3; ++i) {
    const std::uint64_t hash = json::core::hash_name(names[i]);
    index.prefetch_slot(hash, memory);
    CHECK(index.candidate(hash, memory) < 3);
    CHECK(index.find_text(hash, names[i], name, memory) == i);
  }
  repeat(2);
  repeat(1);
  CHECK(repeat.at == 1);
}
