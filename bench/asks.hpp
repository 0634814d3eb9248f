// What is asked of the library, in one place. Rows without an entry here are for information.
#pragma once

#include <string_view>
#include <vector>

#include "contest.hpp"

namespace bench {

// A ratio asked for: our time / the time of the yardstick.
struct ask {
  road where;
  std::vector<std::string_view> documents;
  std::vector<std::string_view> changes;
  // "library": the best library call; "hand-written": the best of those, "packaged": of libraries
  // that tools/bench.sh installs; "any": the best of all others; else a contestant's name
  std::string_view yardstick;
  double must;     // the ratio may not be above this
  double aim = 0;  // wished for; 0: nothing
};

// A growth asked for: our time on `large` / our time on `small`.
struct growth_ask {
  road where;
  const char* name;
  std::string_view small;
  std::string_view large;
  std::vector<std::string_view> changes;
  double must;
  double aim = 0;
};

inline const std::vector<ask>& asks() {
  const std::string_view walk = "rapidjson-cursor";
  const std::string_view yyjson_walk = "yyjson-iter";
  static const std::vector<ask> table = {
      {road::read,
       {"small", "typical", "max", "meta", "wide"},
       {"p0"},
       "rapidjson-default-parse",
       1.0,
       0.5},
      {road::equal, {"small", "typical", "max", "meta", "wide"}, {"p0"}, "any", 0.6, 0.4},
      {road::equal, {"small", "typical", "max", "meta"}, {"p0s"}, walk, 0.8, 0.5},
      {road::diff, {"typical", "max", "meta"}, {"p0", "p1", "p5"}, walk, 0.6, 0.4},
      {road::diff, {"typical", "max", "meta"}, {"p0", "p1", "p5"}, "library", 0.3, 0.2},
      {road::diff, {"typical", "max", "meta"}, {"p50"}, walk, 0.8, 0.6},
      {road::diff, {"wide"}, {"p0", "p1", "p5", "p50"}, walk, 0.8, 0.6},
      {road::diff, {"typical", "max", "meta", "wide"}, {"p5s"}, "library", 1.0, 0.6},
      {road::diff, {"small", "typical", "max", "meta"}, {"p0s", "p5s"}, walk, 0.8, 0.5},
      {road::apply, {"typical", "max", "meta"}, {"p1", "p5", "p50"}, "any", 1.5, 1.0},
      {road::apply, {"wide"}, {"p50"}, "any", 1.5, 1.0},
      {road::json_patch_diff, {"typical", "max", "meta"}, {"p1", "p5", "p50"}, "library", 0.5, 0},
      {road::json_patch_apply, {"typical", "max", "meta"}, {"p1", "p5", "p50"}, "library", 0.5, 0},
      {road::device_patch, {"twin-typical"}, {"p1"}, "rapidjson-default-parse", 5.0, 3.0},
      {road::device_patch, {"twin-typical", "twin-max"}, {"p1", "p5"}, "hand-written", 0.2, 0},
      {road::hub_get, {"twin-o32"}, {"p0"}, "rapidjson-default-parse", 4.0, 0},
      {road::hub_report, {"twin-o32"}, {"p1"}, "rapidjson-default-parse", 4.0, 0},
      {road::hub_desired, {"twin-o32"}, {"p1"}, "rapidjson-default-parse", 4.0, 0},
      // A device whose twin's text has 2 kB.
      {road::session_change, {"twin-o16"}, {"p1", "p5"}, "rapidjson-default-parse", 4.0, 0},
      {road::session_report, {"twin-o16"}, {"p1", "p5"}, "rapidjson-default-parse", 4.0, 0},
      {road::text_diff,
       {"typical", "max", "meta"},
       {"p0", "p1", "p5"},
       "simdjson-one-parse",
       0.5,
       0.2},
      {road::text_diff, {"typical", "max", "meta"}, {"p50"}, "simdjson-one-parse", 2.0, 1.0},
      {road::text_diff_checked,
       {"typical", "max", "meta"},
       {"p0", "p1", "p5"},
       "simdjson-one-parse",
       1.3,
       0.8},
      // Members in another order.
      {road::text_diff, {"small"}, {"p5s"}, yyjson_walk, 0.85, 0.7},
      {road::text_diff, {"typical", "meta"}, {"p5s"}, yyjson_walk, 0.65, 0.5},
      {road::text_diff, {"small", "typical", "max", "meta"}, {"p5s"}, "packaged", 0.5, 0.35},
      {road::text_diff_checked, {"typical", "meta"}, {"p5s"}, yyjson_walk, 1.0, 0.75},
      {road::text_apply, {"typical", "max", "meta"}, {"p1", "p5"}, "simdjson-one-parse", 0.5, 0.25},
      // Text in many scripts.
      {road::text_diff_checked,
       {"real-4k", "real-40k", "real-400k"},
       {"p0"},
       "simdjson-one-parse",
       1.2,
       1.0},
      {road::lookup, {"small", "typical"}, {"p1", "p5"}, "library", 1.5, 1.0},
  };
  return table;
}

inline const std::vector<growth_ask>& growth_asks() {
  static const std::vector<growth_ask> table = {
      {road::read, "read-growth", "w10000", "w100000", {"p0"}, 15.0, 11.0},
      {road::write, "write-growth", "w10000", "w100000", {"p0"}, 15.0, 11.0},
      {road::equal, "equal-growth", "w10000", "w100000", {"p0"}, 15.0, 11.0},
      {road::diff, "diff-growth", "w10000", "w100000", {"p0", "p50", "p50s"}, 15.0, 11.0},
      {road::apply, "apply-growth", "w10000", "w100000", {"p50", "p50s"}, 15.0, 11.0},
      {road::text_diff,
       "text_diff-growth",
       "w10000",
       "w100000",
       {"p50", "p5s", "p50s"},
       15.0,
       11.0},
      {road::text_diff_checked,
       "text_diff_checked-growth",
       "w10000",
       "w100000",
       {"p50", "p50s"},
       15.0,
       11.0},
      {road::text_apply, "text_apply-growth", "w10000", "w100000", {"p50", "p50s"}, 15.0, 11.0},
      {road::changes_since, "since-growth", "twin-o16", "twin-o16000", {"p1"}, 1.5},
      {road::in_sync, "in-sync-growth", "twin-o16", "twin-o16000", {"p1"}, 1.5},
  };
  return table;
}

// A size asked for: the bytes of a loaded twin / the compact text of its sections.
struct size_ask {
  std::string_view document;
  const char* written;  // as in the table
  stamps how;
  double must;  // 0: nothing is asked
};

inline const std::vector<size_ask>& size_asks() {
  static const std::vector<size_ask> table = {
      {"twin-small", "uniform", stamps::uniform, 0},
      {"twin-small", "differ", stamps::different, 0},
      {"twin-typical", "uniform", stamps::uniform, 2.4},
      {"twin-typical", "differ", stamps::different, 3.0},
      {"twin-max", "uniform", stamps::uniform, 2.4},
      {"twin-max", "differ", stamps::different, 3.0},
  };
  return table;
}

}  // namespace bench
