/// What a hub knows of a device or module beside its twin: keys, status and etag; read from and
/// written as the JSON that service clients send and get.
#pragma once

#include <devicetwin/json/pointer.hpp>
#include <devicetwin/json/read.hpp>
#include <devicetwin/json/write.hpp>
#include <devicetwin/protocol/error_body.hpp>
#include <devicetwin/twin/stamp.hpp>

#include <openssl/rand.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "access.hpp"

namespace hub {

/// The record of one device or module. All texts can be written as JSON.
struct identity_record {
  std::string primary_key;  ///< base64
  std::string secondary_key;
  bool enabled = true;
  std::string status_reason;                         ///< at most 128 characters; may be empty
  std::string status_time = "0001-01-01T00:00:00Z";  ///< when `enabled` was changed last
  std::string generation;  ///< another one when an identity is deleted and made again
  std::string etag;        ///< another one after each write; opaque, without quotes

  std::vector<std::string> keys() const { return {primary_key, secondary_key}; }
};

/// Why a request was refused; no refusal when `why` is empty.
struct refused {
  devicetwin::refusal as = {};
  std::string why = {};

  explicit operator bool() const { return !why.empty(); }
};

/// Changes `record` as the body of a PUT for `client_id` says. Keys that are missing, null or empty
/// stay, or are generated when there are none yet; a status that is missing or null stays, and so
/// does the reason unless there is a status. A new etag is made in any case. Refuses: what is not a
/// JSON object; an id that is not the one of `client_id`; a status other than enabled and disabled;
/// a reason of more than 128 characters; a key that is not the base64 of 16 to 64 bytes; and what
/// this hub does not have: certificates, IoT Edge, device scopes. Then `record` is as it was.
inline refused put_identity_body(std::string_view body, std::string_view client_id,
                                 devicetwin::timestamp now, identity_record& record);

/// Refuses the body of a write to the twin of `client_id` when it has the id of another device or
/// module. What is not JSON is not refused here.
inline refused contradicts_path(std::string_view body, std::string_view client_id);

/// Appends the identity as JSON. False when a text of the record is not UTF-8.
inline bool write_identity(std::string_view client_id, const identity_record& record,
                           std::string& out);

/// Appends the merge patch that brings the identity's part of a twin up to date. False as above.
inline bool write_identity_part(const identity_record& record, std::string& out);

/// Base64 of that many random bytes; empty when the system has none.
inline std::string random_base64(std::size_t bytes);

/// Whether a record that was stored can be one of this program's: keys in base64, and no text empty
/// that cannot be.
inline bool is_sound(const identity_record& record);

// ---------------------------------------------------------------------------------------------

namespace detail {

inline constexpr std::size_t min_key_bytes = 16, max_key_bytes = 64;
inline constexpr devicetwin::refusal bad_argument{400, 400004};

/// A look at the members of a PUT's body. After the first problem, nothing more is looked at.
class identity_body {
 public:
  using value = devicetwin::json::arena_value;

  identity_body(const devicetwin::json::document& root, refused& problem)
      : root_(root), problem_(problem) {}

  void refuse(std::string_view pointer, std::string_view what) {
    if (!problem_) problem_ = {bad_argument, std::string(pointer) + " " + std::string(what)};
  }
  /// The value at a pointer; null when there is none, or JSON's null.
  const value* at(std::string_view pointer) const {
    const auto found = devicetwin::json::find(root_, pointer);
    return found && !(*found)->IsNull() ? *found : nullptr;
  }
  /// The text at a pointer; no data() when there is none.
  std::string_view text(std::string_view pointer) {
    const value* found = at(pointer);
    if (found == nullptr) return {};
    if (found->IsString()) return {found->GetString(), found->GetStringLength()};
    refuse(pointer, "is not a string");
    return {};
  }
  void must_be_object(std::string_view pointer) {
    const value* found = at(pointer);
    if (found != nullptr && !found->IsObject()) refuse(pointer, "is not an object");
  }
  /// The ids are those of the path, or missing.
  void must_be_about(const identity& who) {
    const std::string_view device = text("/deviceId"), module = text("/moduleId");
    if (device.data() != nullptr && device != who.device)
      refuse("/deviceId", "is not the device in the path");
    if (module.data() != nullptr && module != who.module)
      refuse("/moduleId", "is not the module in the path");
  }
  /// For what this hub cannot keep.
  void must_be_empty(std::string_view pointer, std::string_view what) {
    const value* found = at(pointer);
    const bool empty = found == nullptr || found->IsFalse() ||
                       (found->IsString() && found->GetStringLength() == 0) ||
                       (found->IsArray() && found->Empty());
    if (!empty) refuse(pointer, what);
  }
  void take_key(std::string_view pointer, std::string& key) {
    const std::string_view given = text(pointer);
    if (given.empty()) return;
    std::string secret;
    if (!azure::from_base64(given, secret) || secret.size() < min_key_bytes ||
        secret.size() > max_key_bytes) {
      return refuse(pointer, "is not a key: the base64 of 16 to 64 bytes");
    }
    key = given;
  }

 private:
  const devicetwin::json::document& root_;
  refused& problem_;
};

/// The number of characters of a text in UTF-8.
inline std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

template <class Writer>
bool put_text(Writer& out, std::string_view name, std::string_view text) {
  using size_type = devicetwin::json::size_type;
  return out.Key(name.data(), static_cast<size_type>(name.size()), true) &&
         out.String(text.empty() ? "" : text.data(), static_cast<size_type>(text.size()), true);
}
template <class Writer>
bool put_status(Writer& out, const identity_record& record, std::string_view time_name) {
  return put_text(out, "status", record.enabled ? "enabled" : "disabled") &&
         (record.status_reason.empty() || put_text(out, "statusReason", record.status_reason)) &&
         put_text(out, time_name, record.status_time);
}

}  // namespace detail

inline std::string random_base64(std::size_t bytes) {
  std::string random(bytes, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&random[0]), static_cast<int>(bytes)) != 1)
    return {};
  return azure::to_base64(random);
}

inline refused put_identity_body(std::string_view body, std::string_view client_id,
                                 devicetwin::timestamp now, identity_record& record) {
  devicetwin::json::document document;
  if (const devicetwin::json::error e = devicetwin::json::read(body, document)) {
    std::string why = e.message();
    if (e.has_position())
      why += ", line " + std::to_string(e.line()) + ", column " + std::to_string(e.column());
    return {devicetwin::refusal_of(e.code()), std::move(why)};
  }
  if (!document.root().IsObject()) return {detail::bad_argument, "the body is not a JSON object"};

  refused problem;
  identity_record changed = record;
  detail::identity_body members(document, problem);
  members.must_be_about(identity_of(client_id));

  if (const std::string_view status = members.text("/status"); status.data() != nullptr) {
    if (status != "enabled" && status != "disabled")
      members.refuse("/status", "is neither \"enabled\" nor \"disabled\"");
    changed.enabled = status == "enabled";
    changed.status_reason.clear();  // it was the reason of the old status
  }
  if (const std::string_view reason = members.text("/statusReason"); reason.data() != nullptr) {
    if (detail::characters(reason) > 128)
      members.refuse("/statusReason", "has more than 128 characters");
    changed.status_reason = reason;
  }
  for (const char* pointer : {"/authentication", "/authentication/symmetricKey",
                              "/authentication/x509Thumbprint", "/capabilities"}) {
    members.must_be_object(pointer);
  }
  if (const std::string_view type = members.text("/authentication/type");
      type.data() != nullptr && type != "sas") {
    members.refuse("/authentication/type",
                   "is not \"sas\": this hub knows keys, and no certificates");
  }
  for (const char* pointer : {"/authentication/x509Thumbprint/primaryThumbprint",
                              "/authentication/x509Thumbprint/secondaryThumbprint"}) {
    members.must_be_empty(pointer, "cannot be kept: this hub knows keys, and no certificates");
  }
  members.must_be_empty("/capabilities/iotEdge",
                        "cannot be kept: this hub has no IoT Edge devices");
  for (const char* pointer : {"/deviceScope", "/parentScopes"})
    members.must_be_empty(pointer, "cannot be kept: this hub has no IoT Edge devices");
  members.take_key("/authentication/symmetricKey/primaryKey", changed.primary_key);
  members.take_key("/authentication/symmetricKey/secondaryKey", changed.secondary_key);
  if (problem) return problem;

  for (std::string* key : {&changed.primary_key, &changed.secondary_key}) {
    if (key->empty()) *key = random_base64(32);
  }
  if (changed.generation.empty()) changed.generation = random_base64(9);
  changed.etag = random_base64(9);
  if (!is_sound(changed)) return {devicetwin::server_error, "the system has no random bytes"};
  if (changed.enabled != record.enabled) {
    char time[devicetwin::max_timestamp_chars];
    changed.status_time.assign(time, devicetwin::format_timestamp(time, now));
  }
  record = std::move(changed);
  return {};
}

inline refused contradicts_path(std::string_view body, std::string_view client_id) {
  devicetwin::json::document document;
  refused problem;
  if (devicetwin::json::read(body, document)) return problem;
  detail::identity_body(document, problem).must_be_about(identity_of(client_id));
  return problem;
}

inline bool is_sound(const identity_record& record) {
  std::string secret;
  for (const std::string* key : {&record.primary_key, &record.secondary_key}) {
    if (!azure::from_base64(*key, secret) || secret.empty()) return false;
  }
  for (const char c : record.etag) {
    if (c <= ' ' || c == '"' || c > '~') return false;
  }
  std::string text;
  return !record.generation.empty() && !record.etag.empty() &&
         devicetwin::parse_timestamp(record.status_time) && write_identity("a", record, text);
}

inline bool write_identity(std::string_view client_id, const identity_record& record,
                           std::string& out) {
  const identity who = identity_of(client_id);
  devicetwin::json::text_writer writer(out);
  const auto text = [&](std::string_view name, std::string_view value) {
    return detail::put_text(writer, name, value);
  };
  return writer.StartObject() && text("deviceId", who.device) &&
         (who.module.empty() || text("moduleId", who.module)) &&
         text("generationId", record.generation) && text("etag", record.etag) &&
         detail::put_status(writer, record, "statusUpdatedTime") &&
         writer.Key("authentication", 14, true) && writer.StartObject() && text("type", "sas") &&
         writer.Key("symmetricKey", 12, true) && writer.StartObject() &&
         text("primaryKey", record.primary_key) && text("secondaryKey", record.secondary_key) &&
         writer.EndObject(0) && writer.EndObject(0) && writer.EndObject(0);
}

inline bool write_identity_part(const identity_record& record, std::string& out) {
  devicetwin::json::text_writer writer(out);
  return writer.StartObject() && detail::put_text(writer, "deviceEtag", record.etag) &&
         detail::put_status(writer, record, "statusUpdateTime") && writer.EndObject(0);
}

}  // namespace hub
