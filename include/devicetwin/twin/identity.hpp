/// The read-only part of a twin: who the device is, and the counters that only the service moves.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <string_view>  // std::string_view

#include "../json/error.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// What a new twin is made with (docs/azure.md, "Identity"). `device_id` is required; an empty
/// `module_id` means the twin of the device itself.
struct new_identity {
  std::string_view device_id;
  std::string_view module_id = {};
  std::string_view model_id = {};
  std::string_view authentication_type = "sas";
  bool iot_edge = false;
};

/// ok, or invalid_identity: 1 to 128 characters, ASCII letters, digits and - : . + % _ # * ? ! ( )
/// , = @ ; $ '
inline json::errc check_id(std::string_view id) noexcept {
  constexpr std::string_view allowed = "-:.+%_#*?!(),=@;$'";
  if (id.empty() || id.size() > 128) return json::errc::invalid_identity;
  for (const char c : id) {
    const char lower = static_cast<char>(c | 0x20);
    const bool good = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
                      allowed.find(c) != std::string_view::npos;
    if (!good) return json::errc::invalid_identity;
  }
  return json::errc::ok;
}

/// The member at the root of a service view in which a twin keeps what the service's own JSON has
/// no room for: tombstones, and the versions of reported properties (docs/azure.md, "History").
/// Other readers ignore it.
inline constexpr std::string_view history_member = "$history";

/// Whose twin is meant: a device's, or with `module` that of one of its modules.
struct twin_id {
  std::string_view device = {};
  std::string_view module = {};
};
/// The order of stores: a device, then its modules. Negative, zero or positive, as
/// std::string_view::compare().
inline int compare(const twin_id& a, const twin_id& b) noexcept {
  const int devices = a.device.compare(b.device);
  return devices != 0 ? devices : a.module.compare(b.module);
}
inline bool operator==(const twin_id& a, const twin_id& b) noexcept {
  return a.device == b.device && a.module == b.module;
}
inline bool operator!=(const twin_id& a, const twin_id& b) noexcept { return !(a == b); }

/// ok, or invalid_identity: of both ids, where an empty `module` is none.
inline json::errc check_id(const twin_id& id) noexcept {
  const json::errc device = check_id(id.device);
  return device != json::errc::ok || id.module.empty() ? device : check_id(id.module);
}

/// Whether the service has an identity member of this name, at the root of a twin.
inline bool is_identity_member(std::string_view name) noexcept {
  constexpr std::string_view names[] = {
      "deviceId",           "moduleId",        "modelId",          "etag",
      "deviceEtag",         "version",         "status",           "statusReason",
      "statusUpdateTime",   "connectionState", "lastActivityTime", "cloudToDeviceMessageCount",
      "authenticationType", "x509Thumbprint",  "capabilities",     "deviceScope",
      "parentScopes",       "configurations"};
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

namespace detail {

/// Without blanks and tabs around it (RFC 9110, section 5.6.3).
constexpr std::string_view without_blanks(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// An etag without its quotes and the weak mark before them. A stored etag may have quotes of its
/// own, which a header then doubles, so every pair goes.
constexpr std::string_view bare_etag(std::string_view text) noexcept {
  for (;;) {
    const std::size_t mark =
        text.size() > 2 && text[0] == 'W' && text[1] == '/' && text[2] == '"' ? 2 : 0;
    if (text.size() < mark + 2 || text[mark] != '"' || text.back() != '"') return text;
    text = text.substr(mark + 1, text.size() - mark - 2);
  }
}

/// Calls `visit(std::string_view)` for each etag that an If-Match header may mean, without quotes,
/// until it returns true: for the whole text, and for each element of a list. A comma inside quotes
/// does not end an element. Returns whether `visit` did. Cost: one pass.
template <class Visit>
bool visit_etags(std::string_view header, Visit&& visit) {
  const auto one = [&visit](std::string_view text) {
    text = without_blanks(text);
    if (text.empty()) return false;
    const std::string_view bare = bare_etag(text);
    return visit(bare) || (bare.size() > 2 && bare.substr(0, 2) == "W/" && visit(bare.substr(2)));
  };
  if (one(header)) return true;
  bool quoted = false, list = false;
  std::size_t start = 0;
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (header[i] == '"') quoted = !quoted;
    if (header[i] != ',' || quoted) continue;
    list = true;
    if (one(header.substr(start, i - start))) return true;
    start = i + 1;
  }
  return list && one(header.substr(start));
}

/// The highest counter that an etag may be taken for, in any way etag_matches() would take it.
/// False when there is none.
inline bool highest_counter(std::string_view etag, std::uint64_t& counter) noexcept {
  bool found = false;
  visit_etags(etag, [&](std::string_view text) {
    std::uint64_t here = 0;
    if (read_etag(text, here) && (!found || here > counter)) {
      counter = here;
      found = true;
    }
    return false;
  });
  return found;
}

}  // namespace detail

/// Whether the value of an If-Match header (RFC 9110, section 13.1.1) allows a write to what has
/// this etag.
///
/// `if_match` is the value as it came: one etag, or a list with commas between; each with or
/// without quotes, and with or without the weak mark `W/`. It matches when any of them is `etag`.
/// An empty value sets no condition, and `*` alone matches anything; in quotes too, as Microsoft's
/// service clients send it. `etag` is compared as an opaque text; quotes that are part of it need
/// not be repeated.
///
/// This differs from the RFC on purpose: it asks for a strong comparison, in which a weak etag
/// never matches. Service SDKs send `W/"..."` for the strong etags that they were given, so weak
/// ones match here. Cost: one pass over `if_match`.
inline bool etag_matches(std::string_view if_match, std::string_view etag) noexcept {
  if (detail::without_blanks(if_match).empty() || if_match == etag) return true;
  if (detail::bare_etag(detail::without_blanks(if_match)) == "*") return true;
  const std::string_view wanted = detail::bare_etag(etag);
  return detail::visit_etags(if_match,
                             [wanted](std::string_view given) { return given == wanted; });
}

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
