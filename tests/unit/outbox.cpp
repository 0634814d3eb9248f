#include "../support/text.hpp"

#include <string>

#include "../support/outbox_simulation.hpp"

TEST_CASE("an outbox ends with the reference, whatever happens on the way", "[outbox][property]") {
  random_json random(7);
  for (int i = 0; i < 1500; ++i) {
    const std::string wrong = laws::outbox(random);
    REQUIRE(wrong == "");
  }
}
