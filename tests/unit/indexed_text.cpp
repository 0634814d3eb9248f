// Members and elements read over an index, one after the other.
#include <devicetwin/merge/text/indexed_text.hpp>

#include <string>
#include <vector>

#include "../support/text.hpp"

namespace core = merge::core;

namespace {

struct reading {
  explicit reading(std::string_view all) : text(all) {
    structure.reset(text);
    patch.reset(text.data(), text.data());
    it.reset(text, structure);
  }
  std::string_view between(core::text_offset first, core::text_offset last) const {
    return std::string_view(text).substr(first, last - first);
  }
  std::string text;
  json::core::text_structure structure;
  core::text_patch patch{json::core::diff_rules(), nullptr, structure, devicetwin::memory_source{}};
  core::plain_names names{devicetwin::memory_source{}};
  core::indexed_text it{patch, names, devicetwin::memory_source{}};
};

}  // namespace

TEST_CASE("members are read with their names and values, whatever is in them", "[indexed_text]") {
  const std::string forty(40, 'n');
  reading r("{ \"a\" : 1 ,\"b\":{\"x\":[1,2]},\"\\u0063\":[ ] , \"" + forty +
            "\":\"}\",\"\":null }");
  REQUIRE(r.it.make_index(r.text.data() + 1));
  core::item_cursor at{1, 0, true};
  std::vector<std::string> names, values;
  while (at.more) {
    core::text_item item{};
    std::uint32_t hash = 0;
    REQUIRE(r.it.pass(r.it.at_hand(), at, item, true));
    REQUIRE(r.it.read_name(r.it.at_hand(), item, hash));
    names.emplace_back(r.it.plain_name(item));
    values.emplace_back(r.between(item.value, item.last));
    CHECK((item.inside != core::text_item::no_entry) ==
          (values.back()[0] == '{' || values.back()[0] == '['));
  }
  CHECK(names == std::vector<std::string>{"a", "b", "c", forty, ""});
  CHECK(values == std::vector<std::string>{"1", "{\"x\":[1,2]}", "[ ]", "\"}\"", "null"});
}

TEST_CASE("a name has one hash, however it is spelled and wherever it stands", "[indexed_text]") {
  for (const std::size_t length : {0u, 1u, 7u, 8u, 15u, 16u, 17u, 30u, 31u, 32u, 33u, 80u}) {
    const std::string name(length, 'q');
    std::string escaped;
    for (std::size_t i = 0; i < length; ++i) escaped += i == 0 ? "\\u0071" : "q";
    // The last one is so near the end that less of it can be read at a time.
    reading r("{\"" + name + "\":1,\"" + escaped + "\":2,\"" + name + "\" :3,\"" + name + "\":4}");
    REQUIRE(r.it.make_index(r.text.data() + 1));
    core::item_cursor at{1, 0, true};
    std::vector<std::uint32_t> hashes;
    while (at.more) {
      core::text_item item{};
      hashes.push_back(0);
      REQUIRE(r.it.pass(r.it.at_hand(), at, item, true));
      REQUIRE(r.it.read_name(r.it.at_hand(), item, hashes.back()));
      CHECK(r.it.plain_name(item) == name);
    }
    REQUIRE(hashes.size() == 4);
    for (const std::uint32_t hash : hashes) CHECK(hash == hashes[0]);
  }
}

TEST_CASE("what is no member is noticed where it is looked at", "[indexed_text]") {
  for (const char* const text : {"{a:1}", "{\"a\":}", "{\"a\"}", "{\"a\" 1}", "{1:2}", "{\"a\":1,}",
                                 "{\"a\":{}{},\"b\":1}"}) {
    reading r(text);
    REQUIRE(r.it.make_index(r.text.data() + 1));
    core::item_cursor at{1, 0, true};
    bool good = true;
    while (good && at.more) {
      core::text_item item{};
      std::uint32_t hash = 0;
      good =
          r.it.pass(r.it.at_hand(), at, item, true) && r.it.read_name(r.it.at_hand(), item, hash);
    }
    CHECK_FALSE(good);
    CHECK(r.patch.malformed());
  }
  reading open("{\"a\":[1}");
  CHECK(open.it.make_index(open.text.data() + 1) == false);
}
