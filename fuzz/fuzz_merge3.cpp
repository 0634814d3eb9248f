// Property: three-way merge and rebase do what the obvious rules say, with the same conflicts, and
// keep the laws in tests/support/change_laws.hpp. The bytes choose a document and what two sides
// change in it.
#include "../tests/support/change_laws.hpp"

#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  random_json chosen(data, size);
  const std::string broken = laws::merging(chosen);
  if (broken.empty()) return 0;
  std::fprintf(stderr, "%s\n", broken.c_str());
  std::abort();
}
