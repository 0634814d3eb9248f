/// Notifications and change events, written from a plan before it is carried out.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../json/tree/events.hpp"
#include "../../json/tree/handlers.hpp"
#include "../../json/write.hpp"
#include "../stamp.hpp"
#include "plan_walk.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// One stamp, spelled once and used for every property that carries it.
class stamp_text {
 public:
  stamp_text(const stamp& s, bool with_version) noexcept {
    put("{\"$lastUpdated\":\"");
    size_ = static_cast<std::size_t>(format_timestamp(text_ + size_, s.time) - text_);
    put("\"");
    if (with_version && s.version != 0) {
      put(",\"$lastUpdatedVersion\":");
      size_ = static_cast<std::size_t>(json::to_chars(text_ + size_, s.version) - text_);
    }
    put("}");
  }
  stamp_text(const stamp_text&) = delete;
  stamp_text& operator=(const stamp_text&) = delete;

  /// The metadata of a property that has none inside; a whole JSON object.
  template <class Writer>
  bool send(Writer& out) const {
    return out.RawValue({text_, size_});
  }
  /// The beginning of the metadata of an object, before that of its members.
  template <class Writer>
  bool send_start(Writer& out) const {
    return out.RawStart({text_, size_ - 1});
  }

 private:
  void put(std::string_view s) noexcept {
    std::memcpy(text_ + size_, s.data(), s.size());
    size_ += s.size();
  }
  char text_[120];
  std::size_t size_ = 0;
};

template <class Writer>
bool send_name(const value_member& member, Writer& out) {
  const std::string_view name = json::core::text_of(member.name);
  return out.Key(name.data(), static_cast<size_type>(name.size()), true);
}

/// Sends the members that a plan writes, removed ones as null: the content of a notification.
template <class Writer>
struct member_renderer {
  Writer& out;
  json::core::nulls rule;
  json::core::own_walk_memory<json::arena_value>& memory;
  std::size_t depth = 0;

  json::errc failure() const noexcept { return json::core::failure_of(out, 0); }
  bool enter(const arena_value&, size_type, const value_member* member) {
    return depth++ == 0 || (send_name(*member, out) && out.StartObject());
  }
  bool leave() { return --depth == 0 || out.EndObject(0); }
  bool write(merge_action action, const arena_value*, size_type, const value_member* member) {
    if (!send_name(*member, out)) return false;
    if (action == merge_action::remove) return out.Null();
    if (!member->value.IsObject() && !member->value.IsArray())
      return json::core::emit_scalar(member->value, out);
    return !json::core::emit(member->value, out, rule, static_cast<std::size_t>(-1), memory);
  }
};

/// A handler that turns a value into its metadata: objects are mirrored, anything else is one
/// stamp.
template <class Writer>
struct metadata_mirror : json::core::scalar_events<metadata_mirror<Writer>> {
  metadata_mirror(Writer& o, const stamp_text& t) noexcept : out(o), text(t) {}
  Writer& out;
  const stamp_text& text;
  std::size_t arrays = 0;

  json::errc failure() const noexcept { return json::core::failure_of(out, 0); }
  bool scalar() { return arrays != 0 || text.send(out); }
  bool Key(const char* name, size_type length, bool copy) {
    return arrays != 0 || out.Key(name, length, copy);
  }
  bool StartObject() { return arrays != 0 || text.send_start(out); }
  bool EndObject(size_type n) { return arrays != 0 || out.EndObject(n); }
  bool StartArray() { return arrays++ != 0 || text.send(out); }
  bool EndArray(size_type) {
    --arrays;
    return true;
  }
};

/// Sends the metadata of what a plan writes, as a change event has it: one stamp everywhere,
/// nothing for what goes.
template <class Writer>
struct metadata_renderer {
  Writer& out;
  const stamp_text& text;
  json::core::nulls rule;
  json::core::own_walk_memory<json::arena_value>& memory;
  std::size_t depth = 0;

  bool enter(const arena_value&, size_type, const value_member* member) {
    if (depth++ != 0 && !send_name(*member, out)) return false;
    return text.send_start(out);
  }
  bool leave() {
    --depth;
    return out.EndObject(0);
  }
  bool write(merge_action action, const arena_value*, size_type, const value_member* member) {
    if (action == merge_action::remove) return true;
    if (!send_name(*member, out)) return false;
    if (!member->value.IsObject()) return text.send(out);
    metadata_mirror<Writer> mirror(out, text);
    return !json::core::emit(member->value, mirror, rule, static_cast<std::size_t>(-1), memory);
  }
};

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
