// Properties, for any two texts (the input is split at its first NUL; the byte before chooses the options), at every
// level of the instruction set, with the texts against unmapped memory: see tests/support/text_roads.hpp.
#include "../tests/support/text_roads.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t middle = text.find('\0');
  if (middle == std::string_view::npos) return 0;
  text_roads::check_all(text.substr(0, middle), text.substr(middle + 1), data[0]);
  return 0;
}
