#include <devicetwin/json/text/utf8.hpp>

#include <cstdint>
#include <string>
#include <vector>

#include "../catch.hpp"
#include "../support/guarded_memory.hpp"
#include "../support/reference_utf8.hpp"

namespace core = devicetwin::json::core;

namespace {

bool plain(unsigned char c) { return c != '"' && c != '\\' && c >= 0x20 && c < 0x80; }

}  // namespace

TEST_CASE("a character's length is that of RFC 3629, for every first three bytes", "[utf8]") {
  int wrong = 0, valid = 0;
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      for (const unsigned third : {0x00u, 0x7Fu, 0x80u, 0xBFu, 0xC0u, 0xFFu}) {
        for (std::size_t size = 1; size <= 4; ++size) {
          std::string text{static_cast<char>(first), static_cast<char>(second),
                           static_cast<char>(third), '\x90'};
          text.resize(size);
          const std::size_t length = core::utf8_length(text.data(), text.data() + size);
          if (length != reference::utf8_length(text)) ++wrong;
          if (length > 1) ++valid;
        }
      }
    }
  }
  CHECK(wrong == 0);
  CHECK(valid > 1000);
}

TEST_CASE("a fourth byte that continues nothing is no character", "[utf8]") {
  for (unsigned last = 0; last < 256; ++last) {
    const std::string text{'\xF0', '\x9F', '\x98', static_cast<char>(last)};
    CHECK(core::utf8_length(text.data(), text.data() + 4) == reference::utf8_length(text));
  }
}

TEST_CASE("every byte ends a run of plain ASCII or does not, at every place", "[utf8]") {
  guarded_memory memory;
  for (std::size_t size = 1; size < 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      int wrong = 0;
      for (unsigned c = 0; c < 256; ++c) {
        std::string text(size, 'x');
        text[at] = static_cast<char>(c);
        const std::string_view edge = memory.put(text, true);
        const char* const end = edge.data() + size;
        const bool good = plain(static_cast<unsigned char>(c));
        if (core::skip_plain(edge.data(), end) != (good ? end : edge.data() + at)) ++wrong;
        std::string copy(size, '?');
        const bool copied = core::copy_plain(&copy[0], edge.data(), size);
        if (copied != good || (good && copy != text)) ++wrong;
        if (core::is_plain(edge.data(), size) != (good && c != 0x7F)) ++wrong;
        if (core::is_common_name(edge) != (c >= '0' && c <= '}')  // letters and what is between
            && c != '\\')
          ++wrong;
        if (core::all_between<'a', 'y'>(edge.data(), size) != (c >= 'a' && c <= 'y')) ++wrong;
      }
      INFO(size << " bytes, byte " << at);
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("the highest bits of eight bytes come together in their order", "[utf8]") {
  for (unsigned bits = 0; bits < 256; ++bits) {
    std::uint64_t highest = 0;
    for (int i = 0; i < 8; ++i) {
      if ((bits >> i & 1u) != 0) highest |= std::uint64_t{0x80} << (8 * i);
    }
    CHECK(core::byte_bits(highest) == bits);
  }
}

TEST_CASE("an empty text is plain", "[utf8]") {
  CHECK(core::is_plain("", 0));
  CHECK(core::is_common_name(""));
  const char* const nothing = "\"";
  CHECK(core::skip_plain(nothing, nothing) == nothing);
}
