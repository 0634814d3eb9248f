// Random operations of both parties on twins and on the reference beside them
// (tests/support/twin_driver.hpp). DEVICETWIN_MODEL_STEPS asks for more steps than the few of every
// day.
#include <cstdlib>
#include <random>
#include <string>

#include "../catch.hpp"
#include "../support/twin_driver.hpp"

namespace twin_model {

void differ(const std::string& what, const std::string& is, const std::string& should_be) {
  FAIL(what << "\n  is        " << is << "\n  should be " << should_be);
  std::abort();
}

}  // namespace twin_model

namespace {

class random_choices : public twin_model::choices {
 public:
  random_choices(unsigned seed, unsigned steps) : random_(seed), steps_(steps) {}
  unsigned below(unsigned n) override { return static_cast<unsigned>(random_() % n); }
  bool more() override { return steps_-- != 0; }
  std::optional<std::string> text() override { return std::nullopt; }

 private:
  std::mt19937 random_;
  unsigned steps_;
};

void drive(unsigned which, unsigned steps) {
  // Short lives, so that many different ones are seen.
  constexpr unsigned life = 50;
  for (unsigned seed = 0; steps != 0; ++seed) {
    const unsigned some = steps < life ? steps : life;
    steps -= some;
    random_choices c(seed * twin_model::dialects + which, some);
    twin_model::model m(twin_model::dialect_of(which), c);
    for (unsigned step = 0; c.more(); ++step) {
      INFO("dialect " << which << ", life " << seed << ", step " << step);
      m.step();
    }
  }
}

unsigned steps_asked_for() {
  const char* asked = std::getenv("DEVICETWIN_MODEL_STEPS");
  return asked == nullptr ? 100 : static_cast<unsigned>(std::strtoul(asked, nullptr, 10));
}

}  // namespace

TEST_CASE("a twin does what the reference does, under every dialect", "[twin][property]") {
  const auto which = GENERATE(range(0u, twin_model::dialects));
  drive(which, steps_asked_for());
}
