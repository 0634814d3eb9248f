/// Shared access signatures: with them a device or a back end shows a hub that it holds a key,
/// without telling the key.
///
///     SharedAccessSignature sr={resource}&sig={signature}&se={expiry}[&skn={policy}]
///
/// The signature is the base64 of the HMAC-SHA256, under the key's bytes, of the percent-encoded
/// resource, a line feed and the expiry. The expiry is in seconds since 1970. docs/azure.md,
/// "Tokens".
#pragma once

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "encoding.hpp"

namespace azure {

/// A token, taken apart; nothing in it has been believed yet.
struct sas_token {
  std::string
      resource;  ///< what it is for: `host/devices/{id}[/modules/{id}]`, or a prefix of that
  std::string signed_resource;  ///< the same, spelled as it was signed
  std::string signature;        ///< the 32 bytes
  std::int64_t expiry = 0;      ///< seconds since 1970
  std::string signed_expiry;    ///< the same, spelled as it was signed
  std::string policy;           ///< empty for a device's own key
};

/// Parses a token. Returns false when the text is not one: a field is missing, repeated, unknown or
/// badly encoded; the signature is not 32 bytes; or the expiry is not 1 to 18 digits.
inline bool parse_sas_token(std::string_view text, sas_token& token);

/// Whether the token was signed with this key (base64). Takes the same time wherever the signatures
/// differ.
inline bool is_signed_with(const sas_token& token, std::string_view key);

/// Makes a token; empty when the key is not base64.
inline std::string make_sas_token(std::string_view resource, std::string_view key,
                                  std::int64_t expiry, std::string_view policy = {});

// ---------------------------------------------------------------------------------------------

namespace detail {

inline constexpr std::size_t signature_size = 32;

inline bool sign(std::string_view encoded_resource, std::string_view expiry, std::string_view key,
                 unsigned char (&signature)[signature_size]) {
  std::string secret;
  if (!from_base64(key, secret) || secret.empty()) return false;
  std::string text(encoded_resource);
  text += '\n';
  text += expiry;
  unsigned length = 0;
  const bool made = HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
                         reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                         signature, &length) != nullptr;
  OPENSSL_cleanse(&secret[0], secret.size());
  return made && length == signature_size;
}

}  // namespace detail

inline bool parse_sas_token(std::string_view text, sas_token& token) {
  constexpr std::string_view start = "SharedAccessSignature ";
  token = {};
  if (text.substr(0, start.size()) != start) return false;
  text.remove_prefix(start.size());
  bool has_resource = false, has_signature = false, has_expiry = false, has_policy = false;
  while (!text.empty()) {
    const std::string_view field = text.substr(0, text.find('&'));
    text.remove_prefix(field.size() < text.size() ? field.size() + 1 : text.size());
    const std::size_t equals = field.find('=');
    if (equals == std::string_view::npos) return false;
    const std::string_view name = field.substr(0, equals), value = field.substr(equals + 1);
    std::string decoded;
    if (!percent_decoded(value, decoded)) return false;
    const auto first = [](bool& had) { return !had && (had = true); };
    if (name == "sr") {
      if (!first(has_resource)) return false;
      token.resource = decoded;
      token.signed_resource = value;
    } else if (name == "sig") {
      if (!first(has_signature) || !from_base64(decoded, token.signature) ||
          token.signature.size() != detail::signature_size)
        return false;
    } else if (name == "se") {
      if (!first(has_expiry) || value.empty() || value.size() > 18) return false;
      for (const char c : value) {
        if (c < '0' || c > '9') return false;
        token.expiry = token.expiry * 10 + (c - '0');
      }
      token.signed_expiry = value;
    } else if (name == "skn") {
      if (!first(has_policy)) return false;
      token.policy = decoded;
    } else {
      return false;
    }
  }
  return has_resource && has_signature && has_expiry;
}

inline bool is_signed_with(const sas_token& token, std::string_view key) {
  unsigned char expected[detail::signature_size];
  return token.signature.size() == sizeof expected &&
         detail::sign(token.signed_resource, token.signed_expiry, key, expected) &&
         CRYPTO_memcmp(expected, token.signature.data(), sizeof expected) == 0;
}

inline std::string make_sas_token(std::string_view resource, std::string_view key,
                                  std::int64_t expiry, std::string_view policy) {
  const std::string encoded = percent_encoded(resource), until = std::to_string(expiry);
  unsigned char signature[detail::signature_size];
  if (!detail::sign(encoded, until, key, signature)) return {};
  std::string token = "SharedAccessSignature sr=" + encoded;
  token += "&sig=" +
           percent_encoded(to_base64({reinterpret_cast<const char*>(signature), sizeof signature}));
  token += "&se=" + until;
  if (!policy.empty()) token += "&skn=" + percent_encoded(policy);
  return token;
}

}  // namespace azure
