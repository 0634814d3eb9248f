/// Base64 and percent-encoding, as keys, tokens and addresses have them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace azure {

/// The base64 text of bytes (RFC 4648, section 4).
inline std::string to_base64(std::string_view bytes);

/// The bytes that a base64 text stands for. False, with `bytes` empty, for anything that
/// to_base64() does not write: other characters, white space, a missing end, bits left over.
inline bool from_base64(std::string_view text, std::string& bytes);

/// A text with everything but letters, digits and - . _ ~ as %XX (RFC 3986, section 2.3).
inline std::string percent_encoded(std::string_view text);

/// The text that a percent-encoded one stands for; false for a % without two hexadecimal digits.
inline bool percent_decoded(std::string_view text, std::string& decoded);

// ---------------------------------------------------------------------------------------------

namespace detail {

inline constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The value of a hexadecimal digit, or -1.
inline int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace detail

inline std::string to_base64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = bytes.size() - i < 3 ? bytes.size() - i : 3;
    unsigned group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = group << 8 | (k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k)
      text += k <= count ? detail::base64_digits[group >> (18 - 6 * k) & 63] : '=';
  }
  return text;
}

inline bool from_base64(std::string_view text, std::string& bytes) {
  bytes.clear();
  std::size_t digits = text.size();
  while (digits != 0 && text.size() - digits < 2 && text[digits - 1] == '=') --digits;
  if (text.size() % 4 != 0) return false;
  unsigned group = 0, bits = 0;
  for (const char c : text.substr(0, digits)) {
    const std::size_t value = detail::base64_digits.find(c);
    if (value == std::string_view::npos) return bytes.clear(), false;
    group = group << 6 | static_cast<unsigned>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes += static_cast<char>(group >> bits & 0xFF);
    }
  }
  if ((group & ((1u << bits) - 1)) != 0) return bytes.clear(), false;
  return true;
}

inline std::string percent_encoded(std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      encoded += c;
    } else {
      encoded += {'%', hex[byte >> 4], hex[byte & 15]};
    }
  }
  return encoded;
}

inline bool percent_decoded(std::string_view text, std::string& decoded) {
  decoded.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 1 < text.size() ? detail::hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? detail::hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) return decoded.clear(), false;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return true;
}

}  // namespace azure
