// What two texts have in common is passed over, whatever stands around the first difference.
#include <devicetwin/merge/text/text_walk.hpp>

#include <string>

#include "../support/text.hpp"
#include "../support/text_roads.hpp"

TEST_CASE("a difference is found wherever it is in its block", "[text_walk][property]") {
  for (std::size_t level = 0; json::core::level_at(level) != nullptr; ++level) {
    json::core::force_level(json::core::level_at(level));
    for (std::size_t before = 0; before < 140; before += 3) {
      for (const char* const pair : {"1|2", "true|false", "\"x\"|\"y\"", "1|1.0", "[1]|[2]",
                                     "{\"y\":1}|{\"y\":2}", "\"\\u0061\"|\"a\"", "12|1", "{}|[]"}) {
        const std::string both = pair;
        const std::string old = both.substr(0, both.find('|'));
        const std::string now = both.substr(both.find('|') + 1);
        const std::string start =
            "{\"a\":\"" + std::string(before, '-') + "\",\"b\":{\"c\":[],\"d\":";
        const std::string end = ",\"e\":[{}]},\"f\":\"" + std::string(before / 2, '+') + "\"}";
        text_roads::check_all(start + old + end, start + now + end, 0);
      }
    }
  }
  json::core::force_level(nullptr);
  SUCCEED("every property held");
}
