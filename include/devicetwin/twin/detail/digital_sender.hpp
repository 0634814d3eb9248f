/// The parts of a digital twin as events: the whole twin, a component, a property's metadata.
#pragma once

#include <string_view>  // std::string_view

#include "../../base/text_buffer.hpp"
#include "../../json/tree/events.hpp"
#include "../../json/tree/failure.hpp"
#include "../stamp.hpp"
#include "digital_members.hpp"
#include "section.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// Who a digital twin is.
struct digital_identity {
  std::string_view device, module, model;  ///< the last two may be empty
};

/// Sends parts of a digital twin to a handler of events. Functions return an error or none:
/// out_of_memory, and what the handler says.
template <class Handler>
class digital_sender {
 public:
  digital_sender(const section<stamped>& desired, const section<stamped>& reported,
                 Handler& handler, const memory_source& memory) noexcept
      : desired_(desired),
        reported_(reported),
        out_(handler),
        memory_(memory),
        walk_(memory),
        indexes_(memory) {}

  /// The two sections, one beside the other.
  digital_member sections() const noexcept {
    return {&reported_.values(), &desired_.values(), reported_.tracking().shadow().root(),
            desired_.tracking().shadow().root()};
  }
  /// A member of two objects that stand beside each other: its values, null pointers for none, and
  /// their places among the members.
  digital_member inside(const digital_member& of, const arena_value* reported,
                        size_type reported_index, const arena_value* desired,
                        size_type desired_index) const noexcept {
    digital_member m{reported, desired};
    if (reported != nullptr)
      m.reported_at = reported_.tracking().shadow().child(of.reported_at, reported_index);
    if (desired != nullptr)
      m.desired_at = desired_.tracking().shadow().child(of.desired_at, desired_index);
    return m;
  }
  stamp reported_stamp(const digital_member& m) const noexcept {
    return reported_.tracking().shadow().at(m.reported_at);
  }
  stamp desired_stamp(const digital_member& m) const noexcept {
    return desired_.tracking().shadow().at(m.desired_at);
  }
  json::core::index_memory& indexes() noexcept { return indexes_; }

  /// The whole twin.
  json::error twin(const digital_identity& who) {
    if (!out_.StartObject() || !key("$dtId")) return stopped();
    if (json::error e = id(who)) return e;
    size_type sent = 1;
    if (json::error e =
            each_in(sections(), false, [&](std::string_view name, const digital_member& m) {
              return shown_member(name, m, true, sent);
            }))
      return e;
    if (json::error e = metadata(sections(), false, who.model)) return e;
    return out_.EndObject(sent + 1) ? json::error() : stopped();
  }
  /// A component: its properties and their metadata.
  json::error component(const digital_member& component) {
    if (!out_.StartObject()) return stopped();
    size_type sent = 0;
    if (json::error e =
            each_in(component, true, [&](std::string_view name, const digital_member& m) {
              return shown_member(name, m, false, sent);
            }))
      return e;
    if (json::error e = metadata(component, true, {})) return e;
    return out_.EndObject(sent + 1) ? json::error() : stopped();
  }
  /// A value as it stands.
  json::error value(const arena_value& v) {
    return json::core::emit(v, out_, json::core::nulls::emit, static_cast<std::size_t>(-1), walk_);
  }
  json::error text(std::string_view t) {
    return out_.String(t.empty() ? "" : t.data(), static_cast<size_type>(t.size()), true)
               ? json::error()
               : stopped();
  }
  json::error number(std::int64_t n) { return out_.Int64(n) ? json::error() : stopped(); }
  json::error time(timestamp when) {
    char buffer[max_timestamp_chars];
    const char* end = format_timestamp(buffer, when);
    return text({buffer, static_cast<std::size_t>(end - buffer)});
  }
  /// The metadata of a property.
  json::error entry(const digital_member& m) {
    size_type sent = 0;
    const auto member = [&](std::string_view name, auto&& send) -> json::error {
      ++sent;
      if (!key(name)) return stopped();
      return send();
    };
    if (!out_.StartObject()) return stopped();
    if (m.desired != nullptr) {
      if (json::error e = member("desiredValue", [&] { return value(*m.desired); })) return e;
      if (const std::int64_t version = desired_stamp(m).version; version != 0) {
        if (json::error e = member("desiredVersion", [&] { return number(version); })) return e;
      }
    }
    if (m.reported != nullptr) {
      const reported_answer said = read_reported(*m.reported);
      if (said.has_version) {
        if (json::error e = member("ackVersion", [&] { return number(said.version); })) return e;
      }
      if (said.acknowledged) {
        if (json::error e = member("ackCode", [&] { return number(said.code); })) return e;
      }
      if (said.text != nullptr) {
        if (json::error e = member("ackDescription", [&] { return value(*said.text); })) return e;
      }
      if (reported_.tracking().shadow().known(m.reported_at)) {
        if (json::error e = member("lastUpdateTime", [&] { return time(reported_stamp(m).time); }))
          return e;
      }
    }
    return out_.EndObject(sent) ? json::error() : stopped();
  }

 private:
  json::error stopped() const noexcept { return json::core::failure_of(out_, 0); }
  bool key(std::string_view name) {
    return out_.Key(name.data(), static_cast<size_type>(name.size()), true);
  }

  /// `device`, or `device~module`.
  json::error id(const digital_identity& who) {
    if (who.module.empty()) return text(who.device);
    text_buffer joined(memory_);
    if (!joined.append(who.device.data(), who.device.size()) || !joined.append("~", 1) ||
        !joined.append(who.module.data(), who.module.size()))
      return json::errc::out_of_memory;
    return text(joined.view());
  }
  /// Calls `visit(name, member)` for each name in two objects. The mark of a component is none of
  /// its properties.
  template <class Visit>
  json::error each_in(const digital_member& both, bool in_component, Visit&& visit) {
    const arena_value* const objects[] = {both.reported, both.desired};
    return for_each_name(objects, indexes_,
                         [&](std::string_view name, const arena_value* const(&values)[2],
                             const size_type(&indexes)[2]) -> json::error {
                           if (in_component && name == component_mark) return {};
                           return visit(name,
                                        inside(both, values[0], indexes[0], values[1], indexes[1]));
                         });
  }
  /// A reported property, or a component where there can be one; nothing for another member.
  json::error shown_member(std::string_view name, const digital_member& m, bool with_components,
                           size_type& sent) {
    const digital_kind kind = with_components ? kind_of(m) : digital_kind::property;
    const bool is_shown = kind == digital_kind::component ||
                          (kind == digital_kind::property && m.reported != nullptr);
    if (!is_shown) return {};
    ++sent;
    if (!key(name)) return stopped();
    return kind == digital_kind::component ? component(m)
                                           : value(*read_reported(*m.reported).value);
  }
  /// `$metadata` of the properties in two objects, its name included.
  json::error metadata(const digital_member& both, bool in_component, std::string_view model) {
    size_type sent = 0;
    if (!key("$metadata") || !out_.StartObject()) return stopped();
    if (!model.empty()) {
      ++sent;
      if (!key("$model")) return stopped();
      if (json::error e = text(model)) return e;
    }
    if (json::error e = each_in(both, in_component,
                                [&](std::string_view name, const digital_member& m) -> json::error {
                                  if (!in_component && kind_of(m) != digital_kind::property)
                                    return {};
                                  ++sent;
                                  if (!key(name)) return stopped();
                                  return entry(m);
                                }))
      return e;
    return out_.EndObject(sent) ? json::error() : stopped();
  }

  const section<stamped>& desired_;
  const section<stamped>& reported_;
  Handler& out_;
  memory_source memory_;
  json::core::own_walk_memory<arena_value> walk_;
  json::core::index_memory indexes_;
};

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
