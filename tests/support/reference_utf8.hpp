// UTF-8 by the book, one character at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace reference {

/// The length of the character that the text starts with, or 0. Decodes by RFC 3629, and holds the
/// result against the shortest form.
inline std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) return 1;
  const std::size_t length = byte(0) >> 5 == 6    ? 2
                             : byte(0) >> 4 == 14 ? 3
                             : byte(0) >> 3 == 30 ? 4
                                                  : 0;
  if (length == 0 || text.size() < length) return 0;
  std::uint32_t code = byte(0) & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if (byte(i) >> 6 != 2) return 0;
    code = code << 6 | (byte(i) & 63u);
  }
  const std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return 0;
  return length;
}

/// How many bytes at the start of a text are valid characters.
inline std::size_t utf8_valid(std::string_view text) {
  std::size_t at = 0;
  while (at != text.size()) {
    const std::size_t length = utf8_length(text.substr(at));
    if (length == 0) break;
    at += length;
  }
  return at;
}

/// Whether up to three bytes begin a character, and more of it is missing.
inline bool utf8_begins(const std::string& text) {
  if (text.empty() || text.size() > 3) return false;
  for (const char* const more : {"\x80\x80\x80", "\x90\x80\x80", "\xA0\x80\x80", "\xBF\x80\x80"}) {
    for (std::size_t count = 1; count + text.size() <= 4; ++count) {
      if (utf8_length(text + std::string(more, count)) == text.size() + count) return true;
    }
  }
  return false;
}

}  // namespace reference
