/// The hub's list of keys: who may connect, and with which keys.
///
///     # kind   name              key                    second key, if any
///     device   greenhouse-07     bm90IGEgcmVhbCBrZXk=
///     device   greenhouse-07/pump  YSBtb2R1bGUncyBrZXk=
///     policy   service           dGhlIGJhY2sgZW5kJ3Mga2V5
///
/// One line each, fields apart by blanks; `#` starts a comment line. A policy is a back end's key,
/// for all twins.
#pragma once

#include <cstddef>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "../azure/encoding.hpp"

namespace hub {

struct key_list {
  /// Keys in base64; a device's or module's by its client id, `device` or `device/module`.
  std::map<std::string, std::vector<std::string>, std::less<>> devices;
  std::map<std::string, std::vector<std::string>, std::less<>> policies;
};

/// Reads the text of a key file. Gives what is wrong with it, with the line but without keys;
/// nothing when all is well. With an error `keys` is as it was.
inline std::string parse_key_file(std::string_view text, key_list& keys);

/// The same for a file.
inline std::string load_key_file(const std::string& path, key_list& keys);

/// Whether a device or module id can be part of topics here: 1 to 128 of the characters that Azure
/// allows, but none that MQTT's filters give a meaning to (`#`, `+`).
inline bool is_id(std::string_view text);

/// Whether a client id is a device's or a module's: `device` or `device/module`.
inline bool is_client_id(std::string_view text);

// ---------------------------------------------------------------------------------------------

inline bool is_id(std::string_view text) {
  constexpr std::string_view others = "-:._%*?!(),=@;$'";
  if (text.empty() || text.size() > 128) return false;
  for (const char c : text) {
    const bool letter = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!letter && others.find(c) == std::string_view::npos) return false;
  }
  return true;
}

inline bool is_client_id(std::string_view text) {
  const std::size_t slash = text.find('/');
  return is_id(text.substr(0, slash)) &&
         (slash == std::string_view::npos || is_id(text.substr(slash + 1)));
}

inline std::string parse_key_file(std::string_view text, key_list& keys) {
  key_list read;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    const auto bad = [number](const char* what) {
      return "line " + std::to_string(number) + ": " + what;
    };
    std::istringstream fields(line);
    std::string kind, name, key, secret;
    if (!(fields >> kind) || kind.front() == '#') continue;
    if (kind != "device" && kind != "policy")
      return bad("the first word is neither device nor policy");
    if (!(fields >> name)) return bad("the name is missing");
    if (kind == "device" ? !is_client_id(name) : !is_id(name))
      return bad("the name has a character that it cannot have, or is too long");
    std::vector<std::string>& found = (kind == "device" ? read.devices : read.policies)[name];
    if (!found.empty()) return bad("this name has a line already");
    while (fields >> key) {
      if (!azure::from_base64(key, secret) || secret.empty()) return bad("a key is not base64");
      found.push_back(key);
    }
    if (found.empty()) return bad("the key is missing");
    if (found.size() > 2) return bad("more than two keys");
  }
  keys = std::move(read);
  return {};
}

inline std::string load_key_file(const std::string& path, key_list& keys) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) return "cannot be read, or is empty";
  return parse_key_file(text.str(), keys);
}

}  // namespace hub
