// The index of names under names that were chosen against it.
#include <devicetwin/json/tree/member_lookup.hpp>

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

TEST_CASE("names are shown to be distinct, never when they are not", "[names]") {
  const size_type count = GENERATE(0u, 1u, 2u, 17u, 64u, 5000u);
  rapidjson::Document object(rapidjson::kObjectType);
  const auto add = [&object](size_type i) {
    const std::string name =
        (i % 2 == 0 ? "a name outside of its value " : "n") + std::to_string(i);
    json::value text(name.c_str(), static_cast<size_type>(name.size()), object.GetAllocator());
    object.AddMember(text, i, object.GetAllocator());
  };
  for (size_type i = 0; i < count; ++i) add(i);
  json::core::index_memory memory{devicetwin::memory_source{}};
  const json::value& root = object;
  const auto shown = [&] {
    return json::core::repeat_lookup<json::value>(root).show_distinct(memory);
  };
  const auto few = [&] {
    return count > 64 || json::core::few_distinct<json::value>(json::core::members_begin(root),
                                                               root.MemberCount());
  };
  CHECK(shown());
  CHECK(few());
  if (count == 0) return;
  for (const size_type i : {size_type{0}, count / 2, count - 1}) {
    add(i);
    CHECK_FALSE(shown());
    if (count < 64) CHECK_FALSE(few());
    object.RemoveMember(object.MemberEnd() - 1);
  }
}

TEST_CASE("hashes are shown to be distinct, never when they are not", "[names]") {
  json::core::index_memory memory{devicetwin::memory_source{}};
  const std::uint64_t step = std::uint64_t{1} << GENERATE(33, 40);
  for (const size_type count : {1u, 2u, 100u, 2000u}) {
    const auto hash = [&](size_type i) { return i * step + i; };
    CHECK(json::core::surely_distinct(count, memory, hash));
    for (const size_type repeated : {size_type{0}, count / 2, count - 1}) {
      CHECK_FALSE(json::core::surely_distinct(
          count + 1, memory, [&](size_type i) { return hash(i == count ? repeated : i); }));
    }
  }
  CHECK_FALSE(json::core::surely_distinct(
      100, memory, [](size_type i) { return std::uint64_t{i} << 52; }));  // collide
  CHECK(memory.empty());
  json::core::index_memory none{devicetwin::memory_source::none()};
  CHECK_FALSE(json::core::surely_distinct(100, none, [&](size_type i) { return i * step; }));
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
