/// A tree of ours as events, without the care that json::core::emit() takes of others'.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../json/arena.hpp"
#include "../../json/tree/events.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// Sends a value that this library has read or copied: its names do not repeat, its doubles are
/// finite, and it has at most default_max_depth levels. So only the handler can stop it; false
/// then.
template <class Handler>
bool send_known(const json::arena_value& root, Handler& handler) {
  struct frame {
    const json::arena_value* container;
    json::size_type next, count;
  } frames[json::default_max_depth];
  std::size_t depth = 0;
  const json::arena_value* at = &root;
  for (;;) {
    const bool object = at->IsObject();
    if (object || at->IsArray()) {
      if (!(object ? handler.StartObject() : handler.StartArray())) return false;
      frames[depth++] = {at, 0, object ? at->MemberCount() : at->Size()};
    } else if (!json::core::emit_scalar(*at, handler)) {
      return false;
    }
    for (;;) {  // the next value, closing what is complete
      if (depth == 0) return true;
      frame& top = frames[depth - 1];
      const bool members = top.container->IsObject();
      if (top.next == top.count) {
        if (!(members ? handler.EndObject(top.count) : handler.EndArray(top.count))) return false;
        --depth;
        continue;
      }
      if (!members) {
        at = top.container->Begin() + top.next++;
        break;
      }
      const auto& member = json::core::members_begin(*top.container)[top.next++];
      const std::string_view name = json::core::text_of(member.name);
      if (!handler.Key(name.data(), static_cast<json::size_type>(name.size()), true)) return false;
      at = &member.value;
      break;
    }
  }
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
