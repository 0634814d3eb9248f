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
  std::string_view yardstick;  // "library": the best library call; else a contestant's name
  double must;                 // the ratio may not be above this
  double aim;                  // wished for; 0: nothing
};

// A growth asked for: our time on `large` / our time on `small`.
struct growth_ask {
  road where;
  const char* name;
  std::string_view small;
  std::string_view large;
  std::vector<std::string_view> changes;
  double must;
};

inline const std::vector<ask>& asks() {
  static const std::vector<ask> table = {
      {road::read,
       {"small", "typical", "max", "meta", "wide"},
       {"p0"},
       "rapidjson-default-parse",
       2.0,
       0},
      {road::apply, {"typical", "max"}, {"p1", "p5", "p50"}, "library", 1.0, 0},
      {road::diff, {"typical", "max"}, {"p0", "p1", "p5", "p50"}, "library", 1.0, 0},
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
      {road::text_apply,
       {"typical", "max", "meta"},
       {"p1", "p5"},
       "simdjson-one-parse",
       0.5,
       0.25},
  };
  return table;
}

inline const std::vector<growth_ask>& growth_asks() {
  static const std::vector<growth_ask> table = {
      {road::diff, "diff-growth", "w10000", "w100000", {"p50", "p50s"}, 15.0},
      {road::apply, "apply-growth", "w10000", "w100000", {"p50", "p50s"}, 15.0},
      {road::text_diff,
       "text_diff-growth",
       "w10000",
       "w100000",
       {"p50", "p5s", "p50s"},
       15.0},
      {road::text_diff_checked,
       "text_diff_checked-growth",
       "w10000",
       "w100000",
       {"p50", "p50s"},
       15.0},
      {road::text_apply, "text_apply-growth", "w10000", "w100000", {"p50", "p50s"}, 15.0},
  };
  return table;
}

}  // namespace bench
