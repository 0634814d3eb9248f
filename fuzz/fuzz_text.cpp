// Properties, for any two texts, at every level of the instruction set, with the texts against unmapped memory: see
// tests/support/text_roads.hpp. The first byte chooses the options. What follows is split at its first NUL into
// the two texts; or, when the first byte is above 127, into a text and a list of edits of three bytes each (a place
// and what to put, remove or copy there) that make the second text from the first.
#include "../tests/support/text_roads.hpp"

namespace {

std::string edited(std::string text, std::string_view edits) {
  for (; edits.size() >= 3 && !text.empty(); edits.remove_prefix(3)) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(edits[i]); };
    const std::size_t at = (byte(0) * 16u + byte(1) / 16u) % text.size();
    switch (byte(1) % 4) {
      case 0: text[at] = edits[2]; break;
      case 1: text.insert(at, 1, edits[2]); break;
      case 2: text.erase(at, 1 + byte(2) % 16u); break;
      default: text.insert(at, text.substr(byte(2) % text.size(), 1 + byte(2) / 8u)); break;
    }
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t middle = text.find('\0');
  if (middle == std::string_view::npos) return 0;
  const std::string first(text.substr(0, middle));
  const std::string_view rest = text.substr(middle + 1);
  const std::string second = data[0] > 127 ? edited(first, rest) : std::string(rest);
  text_roads::check_all(first, second, data[0] % 6u);
  if (data[0] > 127) text_roads::check_all(second, first, data[0] % 6u);
  return 0;
}
