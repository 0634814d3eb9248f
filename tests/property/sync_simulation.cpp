// Devices and a hub together, in all weathers (tests/support/sync_simulation.hpp).
// DEVICETWIN_SYNC_EVENTS asks for more events than the 10,000 of every day.
#include "../support/sync_simulation.hpp"

#include <cstdlib>

using devicetwin::authority;

TEST_CASE("a sync simulation ends with device and hub in step") {
  const char* const asked = std::getenv("DEVICETWIN_SYNC_EVENTS");
  const std::size_t all =
      asked == nullptr ? 10'000 : static_cast<std::size_t>(std::strtoull(asked, nullptr, 10));
  constexpr std::size_t life = 2'500;
  std::size_t changes = 0, lost = 0, repeated = 0, power_losses = 0, hub_starts = 0, recreated = 0,
              failures = 0, preconditions = 0;
  unsigned seed = 0;
  for (std::size_t done = 0; done < all; done += life / 5) {
    sync_simulation::options o;
    o.seed = ++seed;
    o.who = seed % 4 == 3 ? authority::shared : authority::device;
    o.conditional = seed % 3 == 0;
    o.max_payload = seed % 5 == 0 ? 60 : devicetwin::dialect::unlimited;
    o.always_saves = seed % 2 == 0;
    o.loses_state = seed % 7 == 0;
    sync_simulation s(o);
    const std::string wrong = s.run(life / 5);
    if (!wrong.empty()) FAIL(wrong);
    changes += s.count.changes;
    lost += s.lost();
    repeated += s.repeated();
    power_losses += s.count.power_losses;
    hub_starts += s.count.hub_starts;
    recreated += s.count.recreated;
    failures += s.count.failures;
    preconditions += s.count.preconditions;
  }
  // All of it has happened.
  CHECK(changes > 100);
  CHECK(lost > 100);
  CHECK(repeated > 100);
  CHECK(power_losses > 10);
  CHECK(hub_starts > 20);
  CHECK(recreated > 20);
  CHECK(failures > 10);
  CHECK(preconditions > 0);
}
