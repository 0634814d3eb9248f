/// Who may connect to the hub: the devices of the key file and those that were made over HTTP, with
/// their modules.
#pragma once

#include <devicetwin/protocol/error_body.hpp>
#include <devicetwin/twin/identity.hpp>

#include <openssl/evp.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "identity_record.hpp"
#include "key_file.hpp"
#include "sqlite_table.hpp"

namespace hub {

/// What was found of a device or module. `why` is ok, not_found, damaged or storage_failed; `whose`
/// says whether that is about the device or about its module.
struct found_identity {
  identity_record record = {};
  devicetwin::json::errc why = devicetwin::json::errc::ok;
  devicetwin::twin_of whose = devicetwin::twin_of::device;

  explicit operator bool() const { return why == devicetwin::json::errc::ok; }
};

/// The identities of a hub. Those of the key file go before those of the database and cannot be
/// changed here. A module is one only as long as its device is.
class identities {
 public:
  explicit identities(sqlite_table& table) : table_(table) {}

  /// Reads the key file. Returns what went wrong, or nothing; after an error the keys are as they
  /// were.
  std::string load_key_file(const std::string& path);
  const key_list& listed() const { return listed_; }
  bool is_listed(std::string_view client_id) const {
    return listed_.devices.find(client_id) != listed_.devices.end();
  }

  found_identity find(std::string_view client_id);
  /// The keys that a client may sign its token with. Returns why there are none, or nothing.
  std::string login_keys(std::string_view client_id, std::vector<std::string>& keys);

  /// Makes an identity (without `if_match`), or changes one. `before` is the record that was
  /// changed; its etag is empty for a new one. Refuses as the service does: 409 for a new one that
  /// is there already, 404 for a change of one that is not there, 412 for another etag, 404 for a
  /// module without its device; and 400 for one of the key file.
  refused put(std::string_view client_id, std::string_view body, std::string_view if_match,
              devicetwin::timestamp now, identity_record& before, identity_record& after);
  /// Removes an identity and its twin: of a device, its modules too. What is left of one that is no
  /// identity any more goes as well.
  ///
  /// put() and remove() are to be called within a part of the table's group, which is undone after
  /// a refusal.
  refused remove(std::string_view client_id, std::string_view if_match);

 private:
  devicetwin::json::errc find_own(std::string_view client_id, identity_record& record);

  key_list listed_;
  sqlite_table& table_;
};

/// The refusal for an identity that was not found, or that cannot be read.
inline refused refusal_of(const found_identity& found);

// ---------------------------------------------------------------------------------------------

namespace detail {

/// The record of an identity of the key file. Its etag changes with its keys.
inline identity_record record_of(const std::vector<std::string>& keys) {
  identity_record record;
  record.primary_key = keys.front();
  record.secondary_key = keys.back();
  record.generation = "key-file";
  const std::string text = record.primary_key + " " + record.secondary_key;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
  record.etag = azure::to_base64({reinterpret_cast<const char*>(digest), size < 9 ? size : 9});
  return record;
}

}  // namespace detail

inline std::string identities::load_key_file(const std::string& path) {
  std::string problem = hub::load_key_file(path, listed_);
  return problem.empty() ? problem : path + ": " + problem;
}

inline devicetwin::json::errc identities::find_own(std::string_view client_id,
                                                   identity_record& record) {
  const auto listed = listed_.devices.find(client_id);
  if (listed == listed_.devices.end()) return table_.identity(client_id, record).code();
  record = detail::record_of(listed->second);
  return devicetwin::json::errc::ok;
}

inline found_identity identities::find(std::string_view client_id) {
  const identity who = identity_of(client_id);
  found_identity found;
  found.why = find_own(who.device, found.record);
  if (who.module.empty() || !found) return found;
  found.record = {};
  found.whose = devicetwin::twin_of::module;
  found.why = find_own(client_id, found.record);
  return found;
}

inline std::string identities::login_keys(std::string_view client_id,
                                          std::vector<std::string>& keys) {
  const identity who = identity_of(client_id);
  found_identity found = find(who.device);
  if (found && !found.record.enabled) return "the device is disabled";
  if (found && !who.module.empty()) {
    found = find(client_id);
    if (found && !found.record.enabled) return "the module is disabled";
  }
  if (found.why == devicetwin::json::errc::not_found) return "there is no such device or module";
  if (!found) return "its identity cannot be read from the database";
  keys = found.record.keys();
  return {};
}

inline refused refusal_of(const found_identity& found) {
  using devicetwin::twin_of;
  const bool device = found.whose == twin_of::device;
  if (found.why == devicetwin::json::errc::not_found) {
    return {devicetwin::refusal_of(found.why, found.whose),
            device ? "there is no such device" : "there is no such module on this device"};
  }
  return {devicetwin::server_error, device ? "what is stored of this device cannot be read"
                                           : "what is stored of this module cannot be read"};
}

inline refused identities::put(std::string_view client_id, std::string_view body,
                               std::string_view if_match, devicetwin::timestamp now,
                               identity_record& before, identity_record& after) {
  using devicetwin::json::errc;
  const found_identity found = find(client_id);
  const identity who = identity_of(client_id);
  const bool is_module = !who.module.empty();
  const auto whose = is_module ? devicetwin::twin_of::module : devicetwin::twin_of::device;
  const bool its_own = found.whose == whose;  // not the device that a module lacks
  if (!found && (!its_own || found.why != errc::not_found || !if_match.empty())) {
    if (its_own && found.why == errc::damaged && if_match.empty()) {
      return {devicetwin::refusal_of(errc::already_exists, whose),
              "there is one already, but it cannot be read: delete it first"};
    }
    return refusal_of(found);
  }
  if (found && if_match.empty()) {
    return {devicetwin::refusal_of(errc::already_exists, whose),
            is_module ? "this device has such a module already" : "there is such a device already"};
  }
  if (is_listed(client_id))
    return {{400, 400003}, "this identity is in the hub's key file, and can be changed there only"};
  if (found && !devicetwin::etag_matches(if_match, found.record.etag)) {
    return {devicetwin::refusal_of(errc::precondition_failed),
            "the etag is not that of the identity as it is now"};
  }
  before = found.record;
  after = found.record;
  if (refused bad = put_identity_body(body, client_id, now, after)) return bad;
  // A new device has none of the modules that an older one of the same id left behind.
  const bool stored = (found || is_module || table_.remove_modules(who.device)) &&
                      table_.put_identity(client_id, after);
  if (!stored) return {devicetwin::server_error, "the identity could not be stored"};
  return {};
}

inline refused identities::remove(std::string_view client_id, std::string_view if_match) {
  using devicetwin::json::errc;
  const found_identity found = find(client_id);
  if (found && is_listed(client_id))
    return {{400, 400003}, "this identity is in the hub's key file, and can be removed there only"};
  if (found.why == errc::storage_failed) return refusal_of(found);
  // What is damaged has no etag that a client could know.
  if (!devicetwin::etag_matches(if_match, found.record.etag) && found.why != errc::not_found) {
    return {devicetwin::refusal_of(errc::precondition_failed),
            "the etag is not that of the identity as it is now"};
  }
  const identity who = identity_of(client_id);
  std::size_t removed = 0;
  if (!table_.remove_identity({who.device, who.module}, &removed)) {
    return {devicetwin::server_error, "the identity could not be removed"};
  }
  return removed != 0 ? refused{} : refusal_of(found);
}

}  // namespace hub
