// An index of commas and brackets against a walk byte by byte.
#include <devicetwin/merge/text/text_index.hpp>

#include <string>
#include <vector>

#include "../support/failing_heap.hpp"
#include "../support/random_json.hpp"
#include "../support/text.hpp"

namespace core = merge::core;

namespace {

/// The index of what is inside the outermost brackets, made byte by byte.
std::vector<std::uint32_t> by_bytes(std::string_view text) {
  std::vector<std::uint32_t> entries;
  std::vector<std::size_t> open;
  bool in_string = false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\') {
      ++i;
    } else if (c == '"') {
      in_string = !in_string;
    } else if (!in_string && (c == '{' || c == '[')) {
      open.push_back(entries.size());
      entries.push_back(0);
    } else if (!in_string && (c == '}' || c == ']')) {
      entries.push_back(static_cast<std::uint32_t>(i));
      if (open.empty()) break;
      entries[open.back()] =
          core::text_index::opens | static_cast<std::uint32_t>(entries.size() - 1);
      open.pop_back();
    } else if (!in_string && c == ',') {
      entries.push_back(static_cast<std::uint32_t>(i));
    }
  }
  return entries;
}

json::errc index(core::text_index& made, std::string_view text, std::size_t first) {
  json::core::text_structure structure;
  structure.reset(text);
  return made.add(structure, text.data(), text.data() + first);
}

}  // namespace

TEST_CASE("an index has the place of every comma and closing bracket, and pairs brackets",
          "[text_index][property]") {
  for (std::size_t level = 0; json::core::level_at(level) != nullptr; ++level) {
    json::core::force_level(json::core::level_at(level));
    for (unsigned seed = 0; seed < 300; ++seed) {
      random_json random(seed);
      std::string text = random.object(0);
      if (seed % 3 == 0) text = "{\"a\":[" + text + "," + text + "],\"\\\"}\":" + text + "}";
      const std::vector<std::uint32_t> expected = by_bytes(text);
      core::text_index made{devicetwin::memory_source{}};
      REQUIRE(index(made, text + " , ]}", 1) == json::errc::ok);
      CHECK(std::vector<std::uint32_t>(made.entries(), made.entries() + made.size()) == expected);
    }
  }
  json::core::force_level(nullptr);
}

TEST_CASE("an index is added to, and shortened again", "[text_index]") {
  const std::string text = R"({"a":[1,2],"b":{}})";
  core::text_index made{devicetwin::memory_source{}};
  REQUIRE(index(made, text, 1) == json::errc::ok);
  const auto first = made.size();
  CHECK(first == 7);
  CHECK(made.entries()[0] == (core::text_index::opens | 2));
  REQUIRE(index(made, text, 6) == json::errc::ok);  // what is in the array
  CHECK(made.size() == first + 2);
  CHECK(made.entries()[first] == 7);
  CHECK(made.entries()[first + 1] == 9);
  made.truncate(first);
  CHECK(made.size() == first);
}

TEST_CASE("a container that is not closed has no index", "[text_index]") {
  for (const char* const text : {"{", "{\"a\":[1,2]", "{\"a}", "{\"a\":[}"}) {
    core::text_index made{devicetwin::memory_source{}};
    CHECK(index(made, text, 1) == json::errc::unexpected_character);
  }
}

TEST_CASE("an index gives up cleanly when memory runs out", "[text_index][failure]") {
  std::string text = "[0";
  for (int i = 1; i < 3000; ++i) text += ",[]";
  text += "]";
  refuse_each_request(
      [&](const devicetwin::memory_source& memory) -> json::error {
        core::text_index made{memory};
        return index(made, text, 1);
      },
      [](const json::error& e, bool refused) {
        CHECK(e.code() == (refused ? json::errc::out_of_memory : json::errc::ok));
      });
}
