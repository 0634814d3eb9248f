// Properties, for any two texts, at the levels of the instruction set, with the texts against
// unmapped memory: see tests/support/text_roads.hpp. The first byte chooses the options. What
// follows is split at its first NUL into the two texts; or, when the first byte is above 127, into
// a text and a list of edits of three bytes each (a place and what to put, remove or copy there)
// that make the second text from the first.
#include "../tests/support/edited_text.hpp"
#include "../tests/support/text_roads.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t middle = text.find('\0');
  if (middle == std::string_view::npos) return 0;
  const std::string first(text.substr(0, middle));
  const std::string_view rest = text.substr(middle + 1);
  const std::string second = data[0] > 127 ? edited_text(first, rest) : std::string(rest);
  // All levels take six times as long: an eighth of the inputs sees them, the others one that the
  // bytes choose.
  std::uint32_t sum = 0x811C9DC5u;  // FNV-1a
  for (std::size_t i = 0; i < size; ++i) sum = (sum ^ data[i]) * 0x01000193u;
  std::optional<std::size_t> choice;
  if ((sum >> 8) % 8 != 0) choice = sum >> 11;
  text_roads::check_all(first, second, data[0] % 6u, choice);
  if (data[0] > 127) text_roads::check_all(second, first, data[0] % 6u, choice);
  return 0;
}
