#include <devicetwin/json/tree/distinct_names.hpp>

#include <devicetwin/json/tree/member_lookup.hpp>

#include <string>

#include "../catch.hpp"

namespace json = devicetwin::json;
using json::size_type;

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

TEST_CASE("a name filter knows every hash that it was given", "[names]") {
  json::core::name_filter filter;
  int unknown = 0;
  for (std::uint64_t i = 0; i < 64; ++i) {
    if (!filter.add(i * 0x9E3779B97F4A7C15u)) ++unknown;
    CHECK(filter.add(i * 0x9E3779B97F4A7C15u));
  }
  CHECK(unknown > 40);  // and mostly says so of one that it was not given
  json::core::name_filter names;
  CHECK_FALSE(names.add_name(std::string_view("a")));
  CHECK_FALSE(names.add_name(std::string_view("b")));
  CHECK(names.add_name(std::string_view("a")));
}
