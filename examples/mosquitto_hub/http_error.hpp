/// How the hub refuses over HTTP, in the form that Azure IoT Hub's service clients read.
///
///     HTTP/1.1 404 Not Found
///     iothub-errorcode: DeviceNotFound
///
///     {"Message":"ErrorCode:DeviceNotFound;there is no such device","ExceptionMessage":"Tracking
///     ID:…-TimeStamp:11/28/2026 15:00:00"}
///
/// Microsoft's Node.js client splits `Message` at ';' and ':'. Its .NET client reads the name in
/// `Message` as well, and ignores it unless the header has the same. The names are those of
/// Microsoft's list of error codes (learn.microsoft.com, "troubleshoot-error-codes"). docs/azure.md
/// has the codes that this hub uses.
#pragma once

#include <devicetwin/json/error.hpp>
#include <devicetwin/json/write.hpp>
#include <devicetwin/protocol/error_body.hpp>
#include <devicetwin/twin/stamp.hpp>

#include <atomic>
#include <cstdio>
#include <string>
#include <string_view>

#include "http_call.hpp"

namespace hub {

/// The name of an error code. A code that is not in the list gets the general name of its HTTP
/// status.
constexpr std::string_view error_name(const devicetwin::refusal& as) noexcept;

/// Makes `call` an answer that refuses: status, error code and body; an etag is removed. `why` is
/// one sentence. Its semicolons become commas, because clients cut the message there. If it is not
/// UTF-8, the error's name stands instead. For any thread.
inline void write_http_error(http_call& call, const devicetwin::refusal& as, std::string_view why,
                             devicetwin::timestamp now);

/// The same with an error of the library: its sentence, with the property and the place in the
/// text.
inline void write_http_error(http_call& call, const devicetwin::refusal& as,
                             const devicetwin::json::error& why, devicetwin::timestamp now);

// ---------------------------------------------------------------------------------------------

constexpr std::string_view error_name(const devicetwin::refusal& as) noexcept {
  switch (as.code) {
    case 400003:
      return "InvalidOperation";
    case 400004:
      return "ArgumentInvalid";
    case 400005:
      return "ArgumentNull";
    case 400006:
      return "IotHubFormatError";
    case 401001:
      return "IotHubNotFound";
    case 401002:
      return "IotHubUnauthorizedAccess";
    case 401003:
      return "IotHubUnauthorized";
    case 404001:
      return "DeviceNotFound";
    case 404010:
      return "ModuleNotFound";
    case 409001:
      return "DeviceAlreadyExists";
    case 409301:
      return "ModuleAlreadyExistsOnDevice";
    case 412001:
      return "PreconditionFailed";
    case 413001:
      return "MessageTooLarge";
    case 429001:
      return "ThrottlingException";
    case 500001:
      return "ServerError";
    case 503001:
      return "ServiceUnavailable";
    case 503005:
      return "ServerBusy";
    default:
      break;
  }
  switch (as.status) {
    case 401:
      return "GenericUnauthorized";
    case 403:
      return "GenericForbidden";
    case 404:
      return "GenericNotFound";
    case 405:
      return "GenericMethodNotAllowed";
    case 408:
      return "GenericTimeout";
    case 409:
      return "GenericConflict";
    case 412:
      return "GenericPreconditionFailed";
    case 413:
      return "GenericRequestEntityTooLarge";
    case 415:
      return "GenericUnsupportedMediaType";
    case 429:
      return "GenericTooManyRequests";
    case 501:
      return "NotImplemented";
    case 503:
      return "GenericServiceUnavailable";
    default:
      return as.status < 500 ? "GenericBadRequest" : "ServerError";
  }
}

namespace detail {

/// What a user can name when asking about a request: a number of its own, and the time.
inline std::string tracking_text(devicetwin::timestamp now) {
  static std::atomic<unsigned long long> count{0};
  char iso[devicetwin::max_timestamp_chars + 1] = {};  // 2026-11-28T15:00:00.25Z
  devicetwin::format_timestamp(iso, now);
  char text[128];
  std::snprintf(text, sizeof text, "Tracking ID:%016llX%016llX-G:0-TimeStamp:%.2s/%.2s/%.4s %.8s",
                static_cast<unsigned long long>(now.ticks), ++count, iso + 5, iso + 8, iso,
                iso + 11);
  return text;
}

inline bool append_error_body(std::string& out, std::string_view message,
                              std::string_view tracking) {
  using size_type = devicetwin::json::size_type;
  devicetwin::json::text_writer writer(out);
  return writer.StartObject() && writer.Key("Message", 7, true) &&
         writer.String(message.data(), static_cast<size_type>(message.size()), true) &&
         writer.Key("ExceptionMessage", 16, true) &&
         writer.String(tracking.data(), static_cast<size_type>(tracking.size()), true) &&
         writer.EndObject(2);
}

}  // namespace detail

inline void write_http_error(http_call& call, const devicetwin::refusal& as, std::string_view why,
                             devicetwin::timestamp now) {
  const std::string_view name = error_name(as);
  call.status = static_cast<int>(as.status);
  call.error_code = name;
  call.etag.clear();
  const std::string tracking = detail::tracking_text(now);
  for (const std::string_view sentence : {why, name}) {
    std::string message = "ErrorCode:" + std::string(name) + ";";
    for (const char c : sentence) message += c == ';' ? ',' : c;
    call.reply.clear();
    if (detail::append_error_body(call.reply, message, tracking)) return;
  }
}

inline void write_http_error(http_call& call, const devicetwin::refusal& as,
                             const devicetwin::json::error& why, devicetwin::timestamp now) {
  std::string sentence = why.message();
  if (why.has_position())
    sentence += ", line " + std::to_string(why.line()) + ", column " + std::to_string(why.column());
  write_http_error(call, as, sentence, now);
}

}  // namespace hub
