// Property: an outbox, driven by edits, losses, answers, refusals and foreign writes that the bytes
// choose, shows at each step what tests/support/outbox_simulation.hpp expects, and in the end the
// server has it too.
#include "../tests/support/outbox_simulation.hpp"

#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  random_json chosen(data, size);
  const std::string broken = laws::outbox(chosen, 30);
  if (broken.empty()) return 0;
  std::fprintf(stderr, "%s\n", broken.c_str());
  std::abort();
}
