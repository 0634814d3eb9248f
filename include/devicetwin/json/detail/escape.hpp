/// Escape sequences of JSON strings (RFC 8259, section 7).
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint32_t
#include <string_view>  // std::string_view

#include "../error.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace detail {

/// What read_escape() found.
struct escape_end {
  const char* end;  ///< after the sequence; on error where it went wrong
  errc code;        ///< ok, unexpected_end, invalid_escape or lone_surrogate
};

/// Four hexadecimal digits at `p`; `start` is where the sequence they belong to begins.
inline escape_end read_hex_digits(const char* p, const char* end, const char* start,
                                  std::uint32_t& code) noexcept {
  code = 0;
  for (int i = 0; i < 4; ++i, ++p) {
    if (p == end) return {p, errc::unexpected_end};
    const char c = *p;
    std::uint32_t digit;
    if (c >= '0' && c <= '9') {
      digit = static_cast<std::uint32_t>(c - '0');
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
      digit = static_cast<std::uint32_t>((c | 0x20) - 'a' + 10);
    } else {
      return {start, errc::invalid_escape};
    }
    code = code << 4 | digit;
  }
  return {p, errc::ok};
}

/// Reads the escape sequence whose backslash is at `p` and gives its UTF-8.
inline escape_end read_escape(const char* p, const char* end, char (&decoded)[4],
                              std::size_t& length) noexcept {
  constexpr std::string_view letters = "\"\\/bfnrt";
  constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
  const char* const start = p;
  length = 0;
  if (end - p < 2) return {end, errc::unexpected_end};
  const char letter = p[1];
  p += 2;
  if (letter != 'u') {
    const std::size_t which = letters.find(letter);
    if (which == std::string_view::npos) return {start, errc::invalid_escape};
    decoded[length++] = meanings[which];
    return {p, errc::ok};
  }
  std::uint32_t code;
  escape_end read = read_hex_digits(p, end, start, code);
  if (read.code != errc::ok) return read;
  p = read.end;
  if (code >= 0xDC00 && code <= 0xDFFF) return {start, errc::lone_surrogate};
  if (code >= 0xD800 && code <= 0xDBFF) {
    std::uint32_t low = 0;
    if (end - p < 2 || p[0] != '\\' || p[1] != 'u') return {start, errc::lone_surrogate};
    read = read_hex_digits(p + 2, end, p, low);
    if (read.code != errc::ok) return read;
    p = read.end;
    if (low < 0xDC00 || low > 0xDFFF) return {start, errc::lone_surrogate};
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  if (code < 0x80) {
    decoded[length++] = static_cast<char>(code);
    return {p, errc::ok};
  }
  if (code < 0x800) {
    decoded[length++] = static_cast<char>(0xC0 | (code >> 6));
  } else {
    if (code < 0x10000) {
      decoded[length++] = static_cast<char>(0xE0 | (code >> 12));
    } else {
      decoded[length++] = static_cast<char>(0xF0 | (code >> 18));
      decoded[length++] = static_cast<char>(0x80 | ((code >> 12) & 0x3F));
    }
    decoded[length++] = static_cast<char>(0x80 | ((code >> 6) & 0x3F));
  }
  decoded[length++] = static_cast<char>(0x80 | (code & 0x3F));
  return {p, errc::ok};
}

}  // namespace detail
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
