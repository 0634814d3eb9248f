/// What of some changes a subscription is about, where old and new are texts: the counterpart of twin/subscription.hpp.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../json/detail/stack.hpp"
#include "../../json/error.hpp"
#include "../../json/find_text.hpp"
#include "../../json/pointer.hpp"
#include "../../json/write.hpp"
#include "../../merge/detail/text_diff.hpp"
#include "../../merge/diff.hpp"
#include "../../merge/options.hpp"
#include "../../twin/subscription.hpp"
#include "../action.hpp"
#include "placed.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace sync {
namespace detail {

/// Appends a step of a JSON Pointer: most names stand in it as they are.
inline bool append_step(json::text_buffer& out, const json::step& s) {
  if (s.name != nullptr && json::detail::is_common_name(s.text()) && s.text().find('~') == std::string_view::npos) {
    return out.append("/", 1) && out.append(s.name, s.length);
  }
  bool fits = true;
  json::detail::render_step(s, [&](char c) { fits = fits && out.append(&c, 1); });
  return fits;
}

/// Whether two values mean the same. Trusted texts.
inline json::result<bool> same_text(std::string_view a, std::string_view b, const merge::text_options& o) {
  if (a == b) return true;
  json::detail::diff_rules rules = merge::detail::text_rules_of(o);
  rules.stop_at_first = true;
  json::error e;
  placed<merge::detail::text_diff> walk(o.memory, rules, nullptr, o.memory, e);
  if (!walk) return json::errc::out_of_memory;
  walk->run(a, b);
  if (e) return e;
  return !walk->differ();
}

/// A walk down the rest of a subscription's pointer into the old and the new text of a change above it.
template <class Visit>
json::error look_inside(const text_change& change, std::string_view rest, const merge::text_options& o, Visit& visit) {
  struct frame {
    std::string_view old_text, new_text;
    std::string_view rest;
    std::size_t pointer;  ///< length of the pointer up to here
    std::size_t next;     ///< for a wildcard: members of old, then of new
  };
  json::detail::stack<frame, 4> frames(o.memory);
  json::text_buffer pointer(o.memory);
  if (!pointer.append(change.pointer.data(), change.pointer.size()) ||
      !frames.push({change.old_text, change.new_text, rest, pointer.size(), 0})) {
    return json::errc::out_of_memory;
  }
  while (!frames.empty()) {
    const frame f = frames.back();
    pointer.resize(f.pointer);
    if (f.rest.empty()) {
      frames.pop();
      if (!f.old_text.empty() && !f.new_text.empty()) {
        const auto same = same_text(f.old_text, f.new_text, o);
        if (!same) return same.error();
        if (*same) continue;
      }
      visit(text_change{pointer.view(), f.old_text, f.new_text});
      continue;
    }
    json::detail::pointer_tokens tokens(f.rest);
    std::string_view token;
    static_cast<void>(tokens.next(token));
    const std::string_view after = f.rest.substr(f.rest.size() - tokens.remaining());
    std::string_view old_text, new_text;
    if (token != "*") {
      frames.pop();
      old_text = json::detail::member_text(f.old_text, token);
      new_text = json::detail::member_text(f.new_text, token);
      if (!pointer.append("/", 1) || !pointer.append(token.data(), token.size())) return json::errc::out_of_memory;
    } else {
      // Each name of the old object, then those that only the new one has.
      std::size_t index = frames.back().next++;
      bool found = false;
      bool in_old = true;
      std::string_view name;
      for (const std::string_view object : {f.old_text, f.new_text}) {
        json::detail::text_items items(object);
        while (!found && items.is_object() && items.next()) {
          if (index-- != 0) continue;
          found = true;
          name = items.name();
          (in_old ? old_text : new_text) = items.value();
        }
        if (found) break;
        in_old = false;
      }
      if (!found) {
        frames.pop();
        continue;
      }
      bool good = true;
      merge::detail::render_name(name, [&](char c) { good = good && pointer.append(&c, 1); });
      if (!good) return json::errc::out_of_memory;
      const std::string_view spelled = pointer.view().substr(f.pointer + 1);
      if (in_old) {
        new_text = json::detail::member_text(f.new_text, spelled);
      } else if (!json::detail::member_text(f.old_text, spelled).empty()) {
        continue;
      }
    }
    if (old_text.empty() && new_text.empty()) continue;
    if (!frames.push({old_text, new_text, after, pointer.size(), 0})) return json::errc::out_of_memory;
  }
  return {};
}

/// Notes the changes that a merge patch makes to an object, of which it is the smallest difference: without any memory but
/// for the pointer, and at the cost of looking for each member from behind the last one found on.
template <class Output>
bool tell_patch(Output& out, std::string_view old, std::string_view patch, const json::memory_source& memory) {
  struct frame {
    json::detail::text_items patch;
    json::detail::text_items old;  ///< behind the member found last
    std::string_view object;
    std::size_t pointer;           ///< length of the pointer down to here
  };
  json::detail::stack<frame, 8> frames(memory);
  json::text_buffer pointer(memory);
  if (!frames.push({json::detail::text_items(patch), json::detail::text_items(old), old, 0})) return false;
  while (!frames.empty()) {
    frame& top = frames.back();
    pointer.resize(top.pointer);
    if (!top.patch.next()) {
      frames.pop();
      continue;
    }
    const std::string_view name = top.patch.name();
    bool fits = true;
    merge::detail::render_name(name, [&](char c) { fits = fits && pointer.append(&c, 1); });
    if (!fits) return false;
    std::string_view found;
    for (int round = 0; round < 2 && found.empty(); ++round) {
      if (round == 1) top.old = json::detail::text_items(top.object);
      while (found.empty() && top.old.next()) {
        if (json::detail::same_string(top.old.name(), name)) found = top.old.value();
      }
    }
    const std::string_view value = top.patch.value();
    if (!found.empty() && found.front() == '{' && value.front() == '{') {
      const std::size_t length = pointer.size();
      if (!frames.push({json::detail::text_items(value), json::detail::text_items(found), found, length})) return false;
    } else if (!text_changes::append(out, {pointer.view(), found, value == "null" ? std::string_view() : value}, old, patch)) {
      return false;
    }
  }
  return true;
}

/// Visits what of `changes` a subscription is about.
template <class Visit>
json::error match_changes(const subscription& wanted, const text_changes& changes, const merge::text_options& o, Visit& visit) {
  for (const text_change& change : changes) {
    json::detail::pointer_tokens pattern(wanted.pointer), changed(change.pointer);
    std::string_view token, name;
    for (;;) {
      const std::string_view rest = wanted.pointer.substr(wanted.pointer.size() - pattern.remaining());
      const bool more = changed.next(name);
      if (rest.empty()) {  // at, or inside, what is wanted
        if (!more || wanted.down == reach::subtree) visit(change);
        break;
      }
      if (!more) {
        if (json::error e = look_inside(change, rest, o, visit)) return e;
        break;
      }
      static_cast<void>(pattern.next(token));
      if (token != "*" && token != name) break;  // both are escaped the same way
    }
  }
  return {};
}

}  // namespace detail
}  // namespace sync
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
