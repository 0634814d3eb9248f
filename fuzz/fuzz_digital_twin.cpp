// Property: a digital twin, the patches on it and its change events are those of the reference in
// tests/support/reference_digital_twin.hpp. The bytes choose a twin and what is written.
#include <cstdio>
#include <cstdlib>

#include "../tests/support/digital_twin_laws.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  random_json chosen(data, size);
  const std::string broken = laws::digital_life().run(chosen);
  if (broken.empty()) return 0;
  std::fprintf(stderr, "%s\n", broken.c_str());
  std::abort();
}
