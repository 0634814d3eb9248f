// Property: every law in tests/support/change_laws.hpp about one change and about several in a row.
// The bytes choose the changes and the document, so that they have names in common.
#include "../tests/support/change_laws.hpp"

#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  random_json chosen(data, size);
  const std::string broken = laws::algebra(chosen);
  if (broken.empty()) return 0;
  std::fprintf(stderr, "%s\n", broken.c_str());
  std::abort();
}
