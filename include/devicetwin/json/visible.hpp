/// Text from outside, made safe to print on a terminal.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint32_t
#include <string_view>  // std::string_view

#include "../version.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {

namespace detail {

/// Whether a character is not seen as itself on a terminal: a control character (C0, DEL, C1), a
/// line separator, or a format character (Unicode category Cf) that has no shape of its own, such
/// as those that turn the direction of a text.
inline bool is_invisible(std::uint32_t character) noexcept {
  struct range {
    std::uint32_t first, last;
  };
  constexpr range ranges[] = {
      {0, 0x1F},          {0x7F, 0x9F},       {0xAD, 0xAD},      {0x61C, 0x61C},   {0x180E, 0x180E},
      {0x200B, 0x200F},   {0x2028, 0x202E},   {0x2060, 0x206F},  {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB},
      {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE007F}};
  for (const range& r : ranges) {
    if (character >= r.first && character <= r.last) return true;
  }
  return false;
}

/// The length in bytes of the UTF-8 character that `text` starts with, and the character; 0 if it
/// starts with none.
inline std::size_t first_character(std::string_view text, std::uint32_t& character) noexcept {
  const auto byte = [text](std::size_t i) {
    return std::uint32_t{static_cast<unsigned char>(text[i])};
  };
  const std::uint32_t lead = byte(0);
  if (lead < 0x80) return character = lead, 1;
  const std::size_t length = lead < 0xC2   ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  if (length == 0 || text.size() < length) return 0;
  character = lead & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
    character = (character << 6) | (byte(i) & 0x3F);
  }
  const bool is_shortest = character >= (length == 2 ? 0x80u : length == 3 ? 0x800u : 0x10000u);
  const bool is_surrogate = character >= 0xD800 && character <= 0xDFFF;
  return is_shortest && !is_surrogate && character <= 0x10FFFF ? length : 0;
}

}  // namespace detail

/// Passes a text to `put`, char by char, with each character that a terminal obeys or does not show
/// escaped as in JSON
/// (\u009b; two such escapes above U+FFFF), and each byte that is not UTF-8 as \x9b. JSON text
/// without white space between its tokens stays JSON text of the same value. At most six chars are
/// put for a byte. Cost: linear.
template <class Put>
void put_visible(std::string_view text, Put&& put) {
  constexpr char hex[] = "0123456789abcdef";
  const auto escape = [&](std::uint32_t unit) {
    put('\\');
    put('u');
    for (unsigned shift = 16; shift != 0; shift -= 4) put(hex[(unit >> (shift - 4)) & 15]);
  };
  while (!text.empty()) {
    std::uint32_t character = 0;
    const std::size_t length = detail::first_character(text, character);
    if (length == 0) {
      const auto byte = static_cast<unsigned char>(text[0]);
      put('\\');
      put('x');
      put(hex[byte >> 4]);
      put(hex[byte & 15]);
      text.remove_prefix(1);
      continue;
    }
    if (!detail::is_invisible(character)) {
      for (const char c : text.substr(0, length)) put(c);
    } else if (character < 0x10000) {
      escape(character);
    } else {
      escape(0xD800 + ((character - 0x10000) >> 10));
      escape(0xDC00 + ((character - 0x10000) & 0x3FF));
    }
    text.remove_prefix(length);
  }
}

}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
