/// What of some changes a subscription is about, where old and new are texts: the counterpart of
/// twin/subscription.hpp.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../base/stack.hpp"
#include "../../base/text_buffer.hpp"
#include "../../json/equal.hpp"
#include "../../json/error.hpp"
#include "../../json/find_text.hpp"
#include "../../json/pointer.hpp"
#include "../../json/write.hpp"
#include "../../merge/diff.hpp"
#include "../../merge/options.hpp"
#include "../../merge/text/text_diff.hpp"
#include "../../twin/subscription.hpp"
#include "../action.hpp"
#include "placed.hpp"
#include "text_lookup.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// Appends a step of a JSON Pointer: most names stand in it as they are.
inline bool append_step(const json::step& s, text_buffer& out) {
  if (s.name != nullptr && json::core::is_common_name(s.text())) {
    return out.append("/", 1) && out.append(s.name, s.length);
  }
  return json::core::append_step(s, out);
}

/// Compares two values by what they mean. Trusted texts.
inline json::comparison compare_texts(std::string_view a, std::string_view b,
                                      const merge::text_options& o) {
  if (a == b) return json::comparison::equal;
  json::core::diff_rules rules = merge::core::text_rules_of(o);
  rules.stop_at_first = true;
  placed<merge::core::text_diff> walk(o.memory, rules, nullptr, o.memory);
  if (!walk) return json::comparison::out_of_memory;
  walk->run(a, b);
  if (const json::error& e = walk->failure())
    return e.code() == json::errc::out_of_memory ? json::comparison::out_of_memory
                                                 : json::comparison::too_deep;
  return walk->differ() ? json::comparison::different : json::comparison::equal;
}

/// Walks down the rest of a subscription's pointer into the old and the new text of a change above
/// it, and visits each value found there that is new, gone or different.
template <class Visit>
class inside_walk {
 public:
  inside_walk(const merge::text_options& o, Visit& visit) noexcept
      : options_(o), visit_(visit), frames_(o.memory), indexes_(o.memory), pointer_(o.memory) {}

  /// Errors: out_of_memory, depth_exceeded.
  json::error run(const text_change& change, std::string_view rest) {
    if (!pointer_.append(change.pointer.data(), change.pointer.size()) ||
        !push({change.old_text, change.new_text}, rest)) {
      return json::errc::out_of_memory;
    }
    while (!frames_.empty()) {
      if (const json::errc e = step(); e != json::errc::ok) return e;
    }
    return {};
  }

 private:
  /// The values at one place of the old and of the new text. An empty one is missing.
  struct value_pair {
    std::string_view old_text, new_text;
  };
  struct frame {
    value_pair at;
    std::string_view rest;
    std::size_t pointer;  ///< length of the pointer up to here
    bool in_new;          ///< a wildcard goes through the members of old, then of new
    json::core::text_items items;
    text_lookup other;  ///< of the object that is not gone through
  };

  json::errc step() {
    frame& f = frames_.back();
    pointer_.resize(f.pointer);
    const value_pair at = f.at;
    if (f.rest.empty()) {
      frames_.pop();
      return visit_changed(at);
    }
    const std::string_view names = names_before_wildcard(f.rest);
    const std::string_view after = f.rest.substr(names.size());
    if (names.empty()) return next_member(f, after.substr(2));  // behind "/*"
    frames_.pop();
    return follow_names(at, names, after);
  }

  json::errc visit_changed(const value_pair& at) {
    if (!at.old_text.empty() && !at.new_text.empty()) {
      const json::comparison same = compare_texts(at.old_text, at.new_text, options_);
      if (const json::errc e = json::core::failure_of(same); e != json::errc::ok) return e;
      if (same == json::comparison::equal) return json::errc::ok;
    }
    visit_(text_change{pointer_.view(), at.old_text, at.new_text});
    return json::errc::ok;
  }

  /// Takes all steps down to the next wildcard at once. They lead into objects alone.
  json::errc follow_names(value_pair at, std::string_view names, std::string_view after) {
    at.old_text = json::core::text_at(at.old_text, names, json::core::search_in::objects);
    at.new_text = json::core::text_at(at.new_text, names, json::core::search_in::objects);
    if (!pointer_.append(names.data(), names.size())) return json::errc::out_of_memory;
    return enter(at, after);
  }

  /// Enters the next member for a wildcard: each name of the old object, then those that only the
  /// new one has.
  json::errc next_member(frame& f, std::string_view after) {
    if (!f.items.is_object() || !f.items.next()) {
      f.other.close(indexes_);
      if (f.in_new) {
        frames_.pop();
      } else {
        f.in_new = true;
        f.items = json::core::text_items(f.at.new_text);
        f.other = text_lookup(f.at.old_text);
      }
      return json::errc::ok;
    }
    std::string_view found;
    if (!f.other.find(f.items.name(), indexes_, found) ||
        !merge::core::append_name(f.items.name(), pointer_))
      return json::errc::out_of_memory;
    if (!f.in_new) return enter({f.items.value(), found}, after);
    return found.empty() ? enter({found, f.items.value()}, after) : json::errc::ok;
  }

  json::errc enter(const value_pair& at, std::string_view rest) {
    const bool nothing = at.old_text.empty() && at.new_text.empty();
    return nothing || push(at, rest) ? json::errc::ok : json::errc::out_of_memory;
  }
  bool push(const value_pair& at, std::string_view rest) {
    return frames_.push({at, rest, pointer_.size(), false, json::core::text_items(at.old_text),
                         text_lookup(at.new_text)});
  }

  static std::string_view names_before_wildcard(std::string_view steps) {
    json::core::pointer_tokens tokens(steps);
    std::size_t length = 0;
    for (std::string_view token; tokens.next(token) && token != "*";)
      length = steps.size() - tokens.remaining();
    return steps.substr(0, length);
  }

  merge::text_options options_;
  Visit& visit_;
  base::stack<frame, 2> frames_;
  lookup_memory indexes_;
  text_buffer pointer_;
};

template <class Visit>
json::error look_inside(const text_change& change, std::string_view rest,
                        const merge::text_options& o, Visit& visit) {
  return inside_walk<Visit>(o, visit).run(change, rest);
}

/// Notes the changes that a merge patch makes to an object, of which it is the smallest difference.
/// It needs memory for the pointer, and for indexes where the order of the members differs; without
/// memory for these it looks for each member from behind the last one found on. An object is passed
/// over once for each object around it in the patch: depth times size at worst, and the depth is
/// that of the patch.
template <class Output>
bool tell_patch(Output& out, std::string_view old, std::string_view patch,
                const memory_source& memory) {
  struct frame {
    json::core::text_items patch;
    text_lookup old;
    std::size_t pointer;  ///< length of the pointer down to here
  };
  base::stack<frame, 4> frames(memory);
  lookup_memory indexes(memory);
  text_buffer pointer(memory);
  if (!frames.push({json::core::text_items(patch), text_lookup(old), 0})) return false;
  while (!frames.empty()) {
    frame& top = frames.back();
    pointer.resize(top.pointer);
    if (!top.patch.next()) {
      top.old.close(indexes);
      frames.pop();
      continue;
    }
    if (!merge::core::append_name(top.patch.name(), pointer)) return false;
    std::string_view found;
    if (!top.old.find(top.patch.name(), indexes, found)) top.old.scan(top.patch.name(), found);
    const std::string_view value = top.patch.value();
    if (!found.empty() && found.front() == '{' && value.front() == '{') {
      const std::size_t length = pointer.size();
      if (!frames.push({json::core::text_items(value), text_lookup(found), length})) return false;
    } else if (!text_changes::append(
                   out, {pointer.view(), found, value == "null" ? std::string_view() : value}, old,
                   patch)) {
      return false;
    }
  }
  return true;
}

/// Visits what of `changes` a subscription is about.
template <class Visit>
json::error match_changes(const subscription& wanted, const text_changes& changes,
                          const merge::text_options& o, Visit& visit) {
  for (const text_change& change : changes) {
    json::core::pointer_tokens pattern(wanted.pointer), changed(change.pointer);
    std::string_view token, name;
    for (;;) {
      const std::string_view rest =
          wanted.pointer.substr(wanted.pointer.size() - pattern.remaining());
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
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
