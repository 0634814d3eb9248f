#include <devicetwin/json/tree/name_hash.hpp>

#include <set>
#include <string>

#include "../catch.hpp"
#include "../support/guarded_memory.hpp"

namespace json = devicetwin::json;
namespace core = devicetwin::json::core;

namespace {

/// A name as a value, copied or by reference to text of the caller's; what stood there before stays
/// behind a short one.
rapidjson::Value value_of_name(const std::string& name, unsigned way,
                               rapidjson::Document::AllocatorType& allocator) {
  const auto length = static_cast<json::size_type>(name.size());
  rapidjson::Value v;
  switch (way) {
    case 0:
      v.SetString(name.data(), length, allocator);
      break;
    case 1:
      v.SetString("thirteen byte", 13, allocator);
      v.SetString(name.data(), length, allocator);
      break;
    default:
      v.SetString(rapidjson::StringRef(name.data(), name.size()));
  }
  return v;
}

}  // namespace

TEST_CASE("the hash of a name is the same however the name is held", "[names]") {
  rapidjson::Document d;
  guarded_memory memory;
  for (std::size_t length = 0; length < 60; ++length) {
    std::string name;
    for (std::size_t i = 0; i < length; ++i) name += static_cast<char>('a' + i % 26);
    INFO(name);
    const std::uint64_t hash = core::hash_name(std::string_view(name));
    CHECK(core::hash_name(memory.put(name, true)) == hash);  // nothing behind the name is read
    CHECK(core::hash_name(memory.put(name, false)) == hash);
    const std::uint64_t quick = core::quick_name_hash(value_of_name(name, 0, d.GetAllocator()));
    for (unsigned way = 0; way < 3; ++way) {
      const rapidjson::Value v = value_of_name(name, way, d.GetAllocator());
      CHECK(core::hash_name(v) == hash);
      CHECK(core::quick_name_hash(v) == quick);
    }
    CHECK(core::quick_name_hash(memory.put(name, true)) ==
          core::quick_name_hash(std::string_view(name)));
  }
}

TEST_CASE("names that differ in one character have different hashes", "[names]") {
  rapidjson::Document d;
  for (std::size_t length = 1; length <= 40; ++length) {
    std::set<std::uint64_t> hashes, quick, quick_values;
    const std::string same(length, 'n');
    for (std::size_t i = 0; i <= length; ++i) {
      std::string name = same;
      if (i != length) name[i] = 'o';
      hashes.insert(core::hash_name(std::string_view(name)));
      quick.insert(core::quick_name_hash(std::string_view(name)));
      quick_values.insert(core::quick_name_hash(value_of_name(name, 0, d.GetAllocator())));
    }
    INFO(length);
    CHECK(hashes.size() == length + 1);
    if (length <= 24) CHECK(quick.size() == length + 1);
    if (length <= 24) CHECK(quick_values.size() == length + 1);
  }
}

TEST_CASE("names of different lengths have different hashes, NUL or not", "[names]") {
  std::set<std::uint64_t> hashes, quick;
  for (std::size_t length = 0; length <= 40; ++length) {
    hashes.insert(core::hash_name(std::string(length, '\0')));
    quick.insert(core::quick_name_hash(std::string(length, '\0')));
  }
  CHECK(hashes.size() == 41);
  CHECK(quick.size() == 41);
}
