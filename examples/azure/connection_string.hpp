/// The text that a device is given to reach its hub: `HostName=…;DeviceId=…;SharedAccessKey=…`.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "encoding.hpp"

namespace azure {

struct connection_string {
  std::string host;  ///< without the port
  int port = 8883;   ///< MQTT over TLS
  std::string device;
  std::string module;  ///< empty for the device itself
  std::string key;     ///< base64
};

/// Parses a connection string: fields in any order, an optional port in the host name, an optional
/// ModuleId. Ignores other fields. Returns an empty text, or one sentence that says what is wrong;
/// it never repeats the key.
inline std::string parse_connection_string(std::string_view text, connection_string& to);

// ---------------------------------------------------------------------------------------------

inline std::string parse_connection_string(std::string_view text, connection_string& to) {
  to = {};
  while (!text.empty()) {
    const std::string_view field = text.substr(0, text.find(';'));
    text.remove_prefix(field.size() < text.size() ? field.size() + 1 : text.size());
    const std::size_t equals = field.find('=');
    const std::string_view name = field.substr(0, equals);
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : field.substr(equals + 1);
    if (name == "HostName") to.host = value;
    if (name == "DeviceId") to.device = value;
    if (name == "ModuleId") to.module = value;
    if (name == "SharedAccessKey") to.key = value;
  }
  const std::size_t colon = to.host.rfind(':');
  if (colon != std::string::npos) {
    int port = 0;
    const std::string_view digits = std::string_view(to.host).substr(colon + 1);
    for (const char c : digits) {
      port = c >= '0' && c <= '9' && port < 65536 ? port * 10 + (c - '0') : 65536;
    }
    if (port == 0 || port > 65535) return "the port in HostName is not a number from 1 to 65535";
    to.port = port;
    to.host.resize(colon);
  }
  if (to.host.empty()) return "the connection string has no HostName";
  if (to.device.empty()) return "the connection string has no DeviceId";
  std::string secret;
  if (!from_base64(to.key, secret) || secret.empty())
    return "the connection string has no SharedAccessKey, or it is not base64";
  return {};
}

}  // namespace azure
