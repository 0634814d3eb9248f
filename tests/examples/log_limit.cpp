// What a client can cause again and again does not fill the log.
#include "../../examples/mosquitto_hub/log_limit.hpp"

#include <string>

#include "../support/text.hpp"
#include "../support/twin.hpp"

TEST_CASE("a line goes into the log once a minute", "[log_limit]") {
  const auto later = [](std::int64_t ticks) { return at(noon().ticks + ticks); };
  constexpr std::int64_t second = devicetwin::ticks_per_second;
  hub::log_limit limit;
  CHECK(limit.may_write("a", noon()));
  CHECK(limit.may_write("b", later(second)));
  CHECK(!limit.may_write("a", later(60 * second - 1)));
  CHECK(limit.may_write("a", later(60 * second)));
  CHECK(!limit.may_write("a", later(119 * second)));
  CHECK(limit.may_write("b", later(61 * second)));
  CHECK(limit.may_write("a", later(-second)));  // the clock was set back
}

TEST_CASE("the lines that are remembered are bounded, and a forgotten one is written again",
          "[log_limit]") {
  hub::log_limit limit;
  for (int i = 0; i < 1024; ++i) CHECK(limit.may_write(std::to_string(i), noon()));
  CHECK(!limit.may_write("0", noon()));
  CHECK(limit.may_write("one more", noon()));
  CHECK(limit.may_write("0", noon()));
  CHECK(!limit.may_write("one more", noon()));
}
