/// Who somebody is, and what he may do: the decisions of the broker's plugin, without the broker.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../azure/sas_token.hpp"
#include "key_file.hpp"

namespace hub {

/// A device or module that has shown its key. From then on its client id says who it is.
struct identity {
  std::string_view device;
  std::string_view module;  ///< empty for the device itself
};

/// Takes a client id apart: `device` or `device/module`.
inline identity identity_of(std::string_view client_id);

/// What was decided of a login: until when it holds, or why it was refused.
struct login {
  std::int64_t expiry = 0;  ///< seconds since 1970
  std::string refusal;      ///< in one sentence, for the log; empty when it was accepted
};

/// Judges a device's CONNECT: the user name `host/{client id}/?api-version=…` names this hub and
/// the client id, the password is a token for `host/devices/{id}[/modules/{id}]`, signed with one
/// of the keys, and not expired at `now`. `hosts` are the names this hub goes by, compared without
/// a port.
inline login judge_device(const std::vector<std::string>& hosts, std::string_view client_id,
                          std::string_view user_name, std::string_view password,
                          const std::vector<std::string>* keys, std::int64_t now);

/// Judges the Authorization header of a back end's request: a token for this hub, with the name of
/// a policy, signed with one of that policy's keys, and not expired.
inline login judge_service(const std::vector<std::string>& hosts, std::string_view authorization,
                           const key_list& keys, std::int64_t now);

// What a device may do. Its own are: the answers and notifications of its twin, messages to it, and
// calls of its methods. A filter that could match anything else, by a wildcard or as a shared
// subscription, is refused.

inline bool may_subscribe(const identity& who, std::string_view filter);
inline bool may_receive(const identity& who, std::string_view topic);
/// Twin requests and telemetry of its own, at most once or at least once. A message with RETAIN is
/// one like any other.
inline bool may_publish(const identity& who, std::string_view topic, int qos);

// ---------------------------------------------------------------------------------------------

namespace detail {

inline bool starts_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

inline bool names_host(const std::vector<std::string>& hosts, std::string_view name) {
  const std::size_t colon = name.rfind(':');
  if (colon != std::string_view::npos) name = name.substr(0, colon);
  for (const std::string& host : hosts) {
    if (host.size() != name.size()) continue;
    bool same = true;
    for (std::size_t i = 0; i < name.size() && same; ++i) {
      const char c =
          name[i] >= 'A' && name[i] <= 'Z' ? static_cast<char>(name[i] - 'A' + 'a') : name[i];
      same = c == host[i];
    }
    if (same) return true;
  }
  return false;
}

/// Whether a token's resource is this hub's, and the path in it the one that is wanted, or empty.
inline bool is_for(const std::vector<std::string>& hosts, std::string_view resource,
                   std::string_view path) {
  const std::size_t slash = resource.find('/');
  if (!names_host(hosts, resource.substr(0, slash))) return false;
  const std::string_view rest =
      slash == std::string_view::npos ? std::string_view() : resource.substr(slash);
  // Some clients encode the ids once more before the whole is encoded.
  std::string decoded;
  return rest == path || (azure::percent_decoded(rest, decoded) && decoded == path);
}

/// `devices/{device}[/modules/{module}]`
inline std::string path_of(const identity& who) {
  std::string path = "devices/" + std::string(who.device);
  if (!who.module.empty()) path += "/modules/" + std::string(who.module);
  return path;
}

inline std::string judge_token(const azure::sas_token& token, const std::vector<std::string>* keys,
                               std::int64_t now) {
  if (keys == nullptr) return "no such key";
  bool matches = false;
  for (const std::string& key : *keys) matches = azure::is_signed_with(token, key) || matches;
  if (!matches) return "the signature is not of a key of that name";
  if (token.expiry <= now) return "the token has expired";
  return {};
}

}  // namespace detail

inline identity identity_of(std::string_view client_id) {
  const std::size_t slash = client_id.find('/');
  if (slash == std::string_view::npos) return {client_id, {}};
  return {client_id.substr(0, slash), client_id.substr(slash + 1)};
}

inline login judge_device(const std::vector<std::string>& hosts, std::string_view client_id,
                          std::string_view user_name, std::string_view password,
                          const std::vector<std::string>* keys, std::int64_t now) {
  const std::size_t slash = user_name.find('/');
  if (!is_client_id(client_id)) return {0, "the client id cannot be one of a device"};
  if (slash == std::string_view::npos || !detail::names_host(hosts, user_name.substr(0, slash)))
    return {0, "the user name is not of this hub"};
  const std::string_view named = user_name.substr(slash + 1);
  const std::string_view options =
      named.substr(named.size() < client_id.size() ? named.size() : client_id.size());
  if (!detail::starts_with(named, client_id) || !(detail::starts_with(options, "/?api-version=") ||
                                                  detail::starts_with(options, "/api-version="))) {
    return {0, "the user name is not {host}/{client id}/?api-version={version}"};
  }
  azure::sas_token token;
  if (!azure::parse_sas_token(password, token)) return {0, "the password is not a token"};
  if (!token.policy.empty()) return {0, "a device connects with its own key, not with a policy's"};
  if (!detail::is_for(hosts, token.resource, "/" + detail::path_of(identity_of(client_id))))
    return {0, "the token is for something else"};
  std::string refusal = detail::judge_token(token, keys, now);
  return {token.expiry, std::move(refusal)};
}

inline login judge_service(const std::vector<std::string>& hosts, std::string_view authorization,
                           const key_list& keys, std::int64_t now) {
  azure::sas_token token;
  if (!azure::parse_sas_token(authorization, token))
    return {0, "the Authorization header is not a token"};
  if (!detail::is_for(hosts, token.resource, "")) return {0, "the token is for something else"};
  const auto policy = keys.policies.find(token.policy);
  std::string refusal =
      detail::judge_token(token, policy == keys.policies.end() ? nullptr : &policy->second, now);
  return {token.expiry, std::move(refusal)};
}

inline bool may_subscribe(const identity& who, std::string_view filter) {
  return filter == "$iothub/twin/res/#" || filter == "$iothub/twin/PATCH/properties/desired/#" ||
         filter == "$iothub/methods/POST/#" ||
         filter == detail::path_of(who) + "/messages/devicebound/#";
}

inline bool may_receive(const identity& who, std::string_view topic) {
  return detail::starts_with(topic, "$iothub/twin/res/") ||
         detail::starts_with(topic, "$iothub/twin/PATCH/properties/desired/") ||
         detail::starts_with(topic, "$iothub/methods/POST/") ||
         detail::starts_with(topic, detail::path_of(who) + "/messages/devicebound/");
}

inline bool may_publish(const identity& who, std::string_view topic, int qos) {
  if (qos > 1) return false;
  return detail::starts_with(topic, "$iothub/twin/GET/") ||
         detail::starts_with(topic, "$iothub/twin/PATCH/properties/reported/") ||
         detail::starts_with(topic, detail::path_of(who) + "/messages/events/");
}

}  // namespace hub
