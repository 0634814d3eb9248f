/// How a hub refuses: the HTTP status and error code of each error, and the body that says it.
///
///     {"errorCode":400004,"message":"…, at /$x","timestampUtc":"…"}
///
/// docs/azure.md, "Error codes", has the table. That there is an errorCode in the body is what some
/// clients go by alone.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <cstring>      // std::memcpy
#include <string_view>  // std::string_view

#include "../base/text_buffer.hpp"
#include "../json/error.hpp"
#include "../json/write.hpp"
#include "../twin/stamp.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// A status, as HTTP has them, and the code that says more.
struct refusal {
  unsigned status = 500;
  unsigned code = 500001;
};

/// The refusals that no error of this library stands for.
inline constexpr refusal server_error{500, 500001};
inline constexpr refusal server_busy{503, 503001};  ///< to be tried again
inline constexpr refusal throttled{429, 429001};    ///< too many requests: to be tried again, later

/// Whether the thing that was not found, or was there already, is a module's.
enum class twin_of : bool { device, module };

/// What an error is told as. What is the hub's own fault (out_of_memory, damaged data and the like)
/// is server_error.
constexpr refusal refusal_of(json::errc code, twin_of whose = twin_of::device) noexcept;

/// What a body says beside the code.
struct error_details {
  std::string_view tracking_id = {};  ///< left out when empty
  const timestamp* now = nullptr;     ///< left out when null
};

/// Longer than any body of a json::error without a tracking id.
inline constexpr std::size_t max_error_body = 2048;

/// Appends the body to anything json::write() takes; its message is the error's sentence with the
/// property and, where a text was read, line and column. Errors: out_of_memory; then `out` is as it
/// was.
template <class Output>
json::error write_error_body(const refusal& as, const json::error& why, Output& out,
                             const error_details& details = {});
/// The same with a sentence of the caller's. Bytes of it that are not UTF-8 are written as '?'.
template <class Output>
json::error write_error_body(const refusal& as, std::string_view message, Output& out,
                             const error_details& details = {});

// ---------------------------------------------------------------------------------------------

constexpr refusal refusal_of(json::errc code, twin_of whose) noexcept {
  using json::errc;
  constexpr refusal invalid_format{400, 400006}, invalid_argument{400, 400004};
  const bool device = whose == twin_of::device;
  switch (code) {
    case errc::ok:
      return {200, 0};
    // JSON, but not what was asked for.
    case errc::depth_exceeded:
    case errc::not_a_change:
    case errc::not_a_json_patch:
    case errc::invalid_pointer:
    case errc::wrong_type:
    case errc::not_a_twin:
    case errc::misplaced_section:
    case errc::invalid_time:
    case errc::invalid_topic:
    case errc::reserved_member:
      return invalid_argument;
    case errc::section_too_large:
    case errc::section_text_too_long:
      return {403, 403100};
    case errc::not_found:
      return {404, device ? 404001u : 404010u};
    case errc::already_exists:
      return {409, device ? 409001u : 409301u};
    case errc::too_large:
    case errc::patch_too_long:
      return {413, 413001};
    case errc::number_out_of_range:  // a counter that cannot count on
      return server_error;
    default:
      break;
  }
  switch (json::group_of(code)) {
    case json::error_group::syntax:
      return invalid_format;
    case json::error_group::rule:
      return invalid_argument;
    case json::error_group::rights:
      return {400, 400003};  // an invalid operation
    case json::error_group::state:
      return {412, 412001};
    case json::error_group::none:
    case json::error_group::resource:
      break;
  }
  return server_error;
}

namespace detail {

/// The same text with '?' for what is not UTF-8, in place.
inline void make_utf8(char* text, std::size_t size) noexcept {
  for (std::size_t i = 0; i < size;) {
    const std::size_t length = json::core::utf8_length(text + i, text + size);
    if (length == 0) text[i] = '?';
    i += length == 0 ? 1 : length;
  }
}

template <class Output>
json::error write_clean_error_body(const refusal& as, std::string_view message, Output& out,
                                   const error_details& details) {
  const auto before = out.size();
  json::text_writer writer(out);
  const auto text = [&writer](std::string_view value) {
    return writer.String(value.empty() ? "" : value.data(),
                         static_cast<json::size_type>(value.size()), true);
  };
  bool good = writer.StartObject() && writer.RawKey("\"errorCode\":") && writer.Uint(as.code);
  if (!details.tracking_id.empty())
    good = good && writer.RawKey("\"trackingId\":") && text(details.tracking_id);
  good = good && writer.RawKey("\"message\":") && text(message);
  if (details.now != nullptr) {
    char time[max_timestamp_chars];
    const char* end = format_timestamp(time, *details.now);
    good = good && writer.RawKey("\"timestampUtc\":") &&
           text({time, static_cast<std::size_t>(end - time)});
  }
  if (good && writer.EndObject(0)) return {};
  out.resize(before);
  return writer.failure();
}

}  // namespace detail

template <class Output>
json::error write_error_body(const refusal& as, const json::error& why, Output& out,
                             const error_details& details) {
  static_assert(base::is_output<Output>,
                "write_error_body: the output needs append(const char*, std::size_t), size() and "
                "resize(std::size_t)");
  char text[1200];
  std::size_t size = why.message(text, sizeof text);
  if (size > sizeof text) size = sizeof text;
  if (why.has_position()) {
    json::core::bounded_text rest(text + size, sizeof text - size);
    rest.put(", line ");
    rest.put(std::uint64_t{why.line()});
    rest.put(", column ");
    rest.put(std::uint64_t{why.column()});
    size = size + rest.length() < sizeof text ? size + rest.length() : sizeof text;
  }
  detail::make_utf8(text, size);
  return detail::write_clean_error_body(as, {text, size}, out, details);
}

template <class Output>
json::error write_error_body(const refusal& as, std::string_view message, Output& out,
                             const error_details& details) {
  static_assert(base::is_output<Output>,
                "write_error_body: the output needs append(const char*, std::size_t), size() and "
                "resize(std::size_t)");
  char text[1200];
  const std::size_t size = message.size() < sizeof text ? message.size() : sizeof text;
  if (size != 0) std::memcpy(text, message.data(), size);
  detail::make_utf8(text, size);
  return detail::write_clean_error_body(as, {text, size}, out, details);
}

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
