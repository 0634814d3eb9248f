/// The read-only part of a twin: who the device is, and the counters that only the service moves.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <string_view>  // std::string_view

#include "../json/error.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// What a new twin is made with (docs/azure.md, "Identity"). `device_id` is required; an empty `module_id` means the
/// twin of the device itself.
struct new_identity {
  std::string_view device_id;
  std::string_view module_id = {};
  std::string_view model_id = {};
  std::string_view authentication_type = "sas";
  bool iot_edge = false;
};

/// ok, or invalid_identity: 1 to 128 characters, ASCII letters, digits and - : . + % _ # * ? ! ( ) , = @ ; $ '
inline json::errc check_id(std::string_view id) noexcept {
  constexpr std::string_view allowed = "-:.+%_#*?!(),=@;$'";
  if (id.empty() || id.size() > 128) return json::errc::invalid_identity;
  for (const char c : id) {
    const char lower = static_cast<char>(c | 0x20);
    const bool good = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || allowed.find(c) != std::string_view::npos;
    if (!good) return json::errc::invalid_identity;
  }
  return json::errc::ok;
}

/// Whose twin is meant: a device's, or with `module` that of one of its modules.
struct twin_id {
  std::string_view device = {};
  std::string_view module = {};
};
/// The order of stores: a device, then its modules. Negative, zero or positive, as std::string_view::compare().
inline int compare(const twin_id& a, const twin_id& b) noexcept {
  const int devices = a.device.compare(b.device);
  return devices != 0 ? devices : a.module.compare(b.module);
}
inline bool operator==(const twin_id& a, const twin_id& b) noexcept { return a.device == b.device && a.module == b.module; }
inline bool operator!=(const twin_id& a, const twin_id& b) noexcept { return !(a == b); }

/// ok, or invalid_identity: of both ids, where an empty `module` is none.
inline json::errc check_id(const twin_id& id) noexcept {
  const json::errc device = check_id(id.device);
  return device != json::errc::ok || id.module.empty() ? device : check_id(id.module);
}

/// Whether the service has an identity member of this name, at the root of a twin.
inline bool is_identity_member(std::string_view name) noexcept {
  constexpr std::string_view names[] = {
      "deviceId", "moduleId", "modelId", "etag", "deviceEtag", "version", "status", "statusReason", "statusUpdateTime",
      "connectionState", "lastActivityTime", "cloudToDeviceMessageCount", "authenticationType", "x509Thumbprint",
      "capabilities", "deviceScope", "parentScopes", "configurations"};
  for (const std::string_view n : names) {
    if (n == name) return true;
  }
  return false;
}

/// The length of an etag that is a counter.
inline constexpr std::size_t etag_chars = 12;

/// Writes a counter as an etag: base64 (RFC 4648, section 4) of its eight bytes, the highest first.
inline void write_etag(std::uint64_t counter, char (&text)[etag_chars]) noexcept {
  constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  // 64 bits are ten digits of six bits and one of four, filled up; the twelfth character is '='.
  for (std::size_t i = 0; i < 10; ++i) text[i] = digits[counter >> (58 - 6 * i) & 63];
  text[10] = digits[(counter & 15) << 2];
  text[11] = '=';
}

/// Reads a counter from an etag; false when it is none.
inline bool read_etag(std::string_view text, std::uint64_t& counter) noexcept {
  if (text.size() != etag_chars || text[11] != '=') return false;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 11; ++i) {
    const char c = text[i];
    unsigned digit;
    if (c >= 'A' && c <= 'Z') {
      digit = static_cast<unsigned>(c - 'A');
    } else if (c >= 'a' && c <= 'z') {
      digit = static_cast<unsigned>(c - 'a') + 26;
    } else if (c >= '0' && c <= '9') {
      digit = static_cast<unsigned>(c - '0') + 52;
    } else if (c == '+' || c == '/') {
      digit = c == '+' ? 62 : 63;
    } else {
      return false;
    }
    if (i == 10) {
      if ((digit & 3) != 0) return false;
      value = value << 4 | digit >> 2;
    } else {
      value = value << 6 | digit;
    }
  }
  counter = value;
  return true;
}

/// Whether an If-Match header (RFC 7232, section 3.1) holds for an etag: empty or `*` always, the star also in quotes, as
/// Microsoft's service clients send it; otherwise the etag, with or without quotes and the weak mark.
inline bool etag_matches(std::string_view if_match, std::string_view etag) noexcept {
  if (if_match.empty()) return true;
  if (if_match.size() > 2 && if_match.substr(0, 2) == "W/") if_match.remove_prefix(2);
  if (if_match.size() >= 2 && if_match.front() == '"' && if_match.back() == '"') {
    if_match = if_match.substr(1, if_match.size() - 2);
  }
  return if_match == "*" || if_match == etag;
}

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
