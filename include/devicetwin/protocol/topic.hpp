/// The MQTT topics on which a device and Azure IoT Hub talk about a twin. Parsing and formatting
/// allocate nothing, and any input is safe.
/// docs/azure.md, "Topics", has the grammar.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <cstring>      // std::memcpy
#include <string_view>  // std::string_view

#include "../base/text_buffer.hpp"
#include "../json/error.hpp"
#include "../json/write.hpp"
#include "../twin/identity.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// What a topic of Azure's is for.
enum class twin_topic_kind : unsigned char {
  get,             ///< device to hub: asks for the twin. `$iothub/twin/GET/?$rid=…`
  reported_patch,  ///< device to hub: `$iothub/twin/PATCH/properties/reported/?$rid=…[&$version=…]`
  response,        ///< hub to device: `$iothub/twin/res/200/?$rid=…[&$version=…]`
  desired_patch  ///< hub to device: `$iothub/twin/PATCH/properties/desired/[?$version=…]`
};

/// A topic that names no version.
inline constexpr std::int64_t no_version = -1;

/// A topic of Azure's, taken apart. The request id is the client's, opaque and spelled as it came
/// (nothing is percent-decoded); it refers to the text that was parsed.
struct twin_topic {
  twin_topic_kind kind = twin_topic_kind::get;
  unsigned status = 0;                ///< of a response, 100 to 999; 0 for the others
  std::string_view request_id = {};   ///< "$rid"; empty for desired_patch
  std::int64_t version = no_version;  ///< "$version": of a section, 0 or more
};

/// What a device subscribes to: answers, and changes of desired.
inline constexpr std::string_view responses_filter = "$iothub/twin/res/#";
inline constexpr std::string_view desired_filter = "$iothub/twin/PATCH/properties/desired/#";
/// How every twin topic of Azure's starts.
inline constexpr std::string_view twin_prefix = "$iothub/twin/";

/// The longest request id that is taken and given, in bytes; clients use numbers and UUIDs.
inline constexpr std::size_t max_request_id = 256;

/// Takes a topic apart. Unknown properties are skipped, as are an empty one and a trailing `&`.
/// Errors: invalid_topic with the offset: not a twin topic; a known property given twice; a request
///   id that is missing, empty, longer than max_request_id, or has a control character, `#` or `+`;
///   a version or a status that is not a number, or too large.
inline json::result<twin_topic> parse_twin_topic(std::string_view text) noexcept;

/// The request id that a refusal of a malformed request can name: the first `$rid` of a topic that
/// starts as GET's or the reported patch's. Refers to `text`. It may be longer than max_request_id.
/// Empty when there is none, or it has a control character, `#` or `+`.
[[nodiscard]] inline std::string_view readable_request_id(std::string_view text) noexcept;

/// Appends the topic to what json::write() takes. A version is written where it is not no_version.
/// Errors: invalid_topic, for what parse_twin_topic() would not give back; out_of_memory; then
/// `out` is as it was.
template <class Output>
json::error write_twin_topic(const twin_topic& topic, Output& out);

/// Takes an MQTT client id of Azure's apart: `device` or `device/module`; the ids refer to it.
/// Errors: invalid_identity.
inline json::result<twin_id> parse_client_id(std::string_view text) noexcept;

// ---------------------------------------------------------------------------------------------

namespace detail {

inline constexpr std::string_view get_path = "$iothub/twin/GET/";
inline constexpr std::string_view reported_path = "$iothub/twin/PATCH/properties/reported/";
inline constexpr std::string_view desired_path = "$iothub/twin/PATCH/properties/desired/";
inline constexpr std::string_view response_path = "$iothub/twin/res/";

inline bool starts_with(std::string_view text, std::string_view start) noexcept {
  return text.size() >= start.size() && text.substr(0, start.size()) == start;
}

/// The number that `text` spells in digits; false when there is none or it is too large.
inline bool parse_count(std::string_view text, std::int64_t& number) noexcept {
  if (text.empty()) return false;
  constexpr std::int64_t largest = INT64_MAX;
  number = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || number > (largest - (c - '0')) / 10) return false;
    number = number * 10 + (c - '0');
  }
  return true;
}

/// The first character that a request id of any length cannot have; its size when there is none.
inline std::size_t bad_character_in_request_id(std::string_view id) noexcept {
  for (std::size_t i = 0; i < id.size(); ++i) {
    const auto c = static_cast<unsigned char>(id[i]);
    if (c < 0x20 || c == 0x7F || c == '#' || c == '+' || c == '&') return i;
  }
  return id.size();
}
/// The same for a request id that is no longer than it may be.
inline std::size_t bad_in_request_id(std::string_view id) noexcept {
  return id.size() > max_request_id ? max_request_id : bad_character_in_request_id(id);
}

inline json::error bad_topic(std::string_view text, std::size_t offset) noexcept {
  return json::error(json::errc::invalid_topic).in_text(text, offset);
}

/// The property bag from `offset` on: nothing, or `?` and `name[=value]` with `&` between.
inline json::error parse_bag(std::string_view text, std::size_t offset,
                             twin_topic& topic) noexcept {
  if (offset == text.size()) return {};
  if (text[offset] != '?') return bad_topic(text, offset);
  bool has_id = false, has_version = false;
  for (std::size_t at = offset + 1; at < text.size();) {
    std::size_t end = text.find('&', at);
    if (end == std::string_view::npos) end = text.size();
    const std::string_view property = text.substr(at, end - at);
    const std::size_t equals = property.find('=');
    const std::string_view name = property.substr(0, equals);
    const std::size_t start = equals == std::string_view::npos ? property.size() : equals + 1;
    const std::string_view value = property.substr(start);
    if (name == "$rid") {
      const std::size_t bad = bad_in_request_id(value);
      if (has_id) return bad_topic(text, at);
      if (bad != value.size()) return bad_topic(text, at + start + bad);
      topic.request_id = value;
      has_id = true;
    } else if (name == "$version") {
      if (has_version) return bad_topic(text, at);
      if (!parse_count(value, topic.version)) return bad_topic(text, at + start);
      has_version = true;
    }
    at = end + 1;
  }
  return {};
}

/// A topic that is put together, in a buffer of its own: no longer than the longest of is_valid().
class topic_text {
 public:
  void put(std::string_view text) noexcept {
    std::memcpy(text_ + size_, text.data(), text.size());
    size_ += text.size();
  }
  void put(std::uint64_t number) noexcept {
    json::core::bounded_text digits(text_ + size_, sizeof text_ - size_);
    digits.put(number);
    size_ += digits.length();
  }
  /// Appends it as a whole, or not at all.
  template <class Output>
  json::error append_to(Output& out) const {
    return base::append(out, text_, size_) ? json::errc::ok : json::errc::out_of_memory;
  }

 private:
  std::size_t size_ = 0;
  char text_[128 + max_request_id];
};

inline bool is_valid(const twin_topic& t) noexcept {
  if (t.version < no_version || t.kind > twin_topic_kind::desired_patch) return false;
  if (t.kind == twin_topic_kind::desired_patch) return t.request_id.empty() && t.status == 0;
  return !t.request_id.empty() && bad_in_request_id(t.request_id) == t.request_id.size() &&
         (t.kind == twin_topic_kind::response ? t.status >= 100 && t.status <= 999 : t.status == 0);
}

}  // namespace detail

inline json::result<twin_topic> parse_twin_topic(std::string_view text) noexcept {
  twin_topic topic;
  std::size_t offset = 0;
  if (detail::starts_with(text, detail::get_path)) {
    offset = detail::get_path.size();
  } else if (detail::starts_with(text, detail::reported_path)) {
    topic.kind = twin_topic_kind::reported_patch;
    offset = detail::reported_path.size();
  } else if (detail::starts_with(text, detail::desired_path)) {
    topic.kind = twin_topic_kind::desired_patch;
    offset = detail::desired_path.size();
  } else if (detail::starts_with(text, detail::response_path)) {
    topic.kind = twin_topic_kind::response;
    offset = detail::response_path.size();
    const std::size_t slash = text.find('/', offset);
    std::int64_t status = 0;
    if (slash == std::string_view::npos || slash - offset != 3 ||
        !detail::parse_count(text.substr(offset, 3), status) || status < 100) {
      return detail::bad_topic(text, offset);
    }
    topic.status = static_cast<unsigned>(status);
    offset = slash + 1;
  } else {
    return detail::bad_topic(text, 0);
  }
  if (json::error e = detail::parse_bag(text, offset, topic)) return e;
  if (topic.kind == twin_topic_kind::desired_patch) {
    topic.request_id = {};
  } else if (topic.request_id.empty()) {
    return detail::bad_topic(text, text.size());
  }
  return topic;
}

inline std::string_view readable_request_id(std::string_view text) noexcept {
  if (!detail::starts_with(text, detail::get_path) &&
      !detail::starts_with(text, detail::reported_path))
    return {};
  constexpr std::string_view name = "$rid=";
  std::size_t at = text.find('?');
  while (at < text.size()) {
    const std::string_view property = text.substr(at + 1, text.find('&', at + 1) - (at + 1));
    if (detail::starts_with(property, name)) {
      const std::string_view id = property.substr(name.size());
      return detail::bad_character_in_request_id(id) == id.size() ? id : std::string_view();
    }
    at = text.find('&', at + 1);
  }
  return {};
}

template <class Output>
json::error write_twin_topic(const twin_topic& topic, Output& out) {
  static_assert(base::is_output<Output>,
                "write_twin_topic: the output needs append(const char*, std::size_t), size() and "
                "resize(std::size_t)");
  if (!detail::is_valid(topic)) return json::errc::invalid_topic;
  detail::topic_text writer;
  switch (topic.kind) {
    case twin_topic_kind::get:
      writer.put(detail::get_path);
      break;
    case twin_topic_kind::reported_patch:
      writer.put(detail::reported_path);
      break;
    case twin_topic_kind::desired_patch:
      writer.put(detail::desired_path);
      break;
    case twin_topic_kind::response:
      writer.put(detail::response_path);
      writer.put(std::uint64_t{topic.status});
      writer.put("/");
      break;
  }
  if (!topic.request_id.empty()) {
    writer.put("?$rid=");
    writer.put(topic.request_id);
  }
  if (topic.version != no_version) {
    writer.put(topic.request_id.empty() ? "?$version=" : "&$version=");
    writer.put(static_cast<std::uint64_t>(topic.version));
  }
  return writer.append_to(out);
}

inline json::result<twin_id> parse_client_id(std::string_view text) noexcept {
  const std::size_t slash = text.find('/');
  twin_id id{text.substr(0, slash), {}};
  if (slash != std::string_view::npos) {
    id.module = text.substr(slash + 1);
    if (id.module.empty()) return json::errc::invalid_identity;
  }
  if (const json::errc code = check_id(id); code != json::errc::ok) return code;
  return id;
}

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
