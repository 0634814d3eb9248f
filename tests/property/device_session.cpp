// Property: whatever order events come in, and whatever is lost, doubled, cut off or refused on the
// way, the device and the hub have the same in the end, and at each step what the application was
// told is what the session has.
#include "../catch.hpp"

#include <cstdlib>

#include "../support/device_simulation.hpp"

TEST_CASE("a device and its hub agree in the end", "[device_session]") {
  const char* more = std::getenv("DEVICETWIN_SIMULATIONS");  // another number of runs
  const unsigned runs = more != nullptr ? static_cast<unsigned>(std::atoi(more)) : 250;
  for (unsigned seed = 0; seed < runs; ++seed) {
    random_json random(seed);
    INFO("seed " << seed);
    REQUIRE(simulation::device(random) == "");
  }
}
