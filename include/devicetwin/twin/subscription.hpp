/// Who wants to know of which changes.
///
///     devicetwin::subscription fan(devicetwin::part::desired, "/zones/*/fan");
///     devicetwin::matches found;
///     if (auto e = find_matches(fan, done, found)) ...   // done: the outcome of a write
///     for (const auto& match : found) ...                // match.pointer, .old_value, .new_value
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../base/plain_array.hpp"
#include "../base/range.hpp"
#include "../base/stack.hpp"
#include "../base/text_buffer.hpp"
#include "../json/equal.hpp"
#include "../json/pointer.hpp"
#include "../json/tree/find_member.hpp"
#include "../json/tree/name_index.hpp"
#include "../json/write.hpp"
#include "detail/plan_walk.hpp"
#include "outcome.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// How much below its pointer a subscription is about.
enum class reach : unsigned char {
  exact,  ///< the property itself: that it is written, appears or goes, also with what it stands in
  subtree  ///< also each property inside it
};

/// A part, a JSON Pointer in it, in which a token `*` stands for any one name, and how far down.
/// The text must outlive the subscription.
struct subscription {
  part where;
  std::string_view pointer;
  reach down = reach::exact;
  constexpr subscription(part p, std::string_view text, reach r = reach::exact) noexcept
      : where(p), pointer(text), down(r) {}
};

class matches;
namespace functions {
inline json::error find_matches(const subscription& wanted, const outcome& done, matches& found);
}

/// What of one write a subscription is about: one delivery, whatever the number of changes.
class matches {
 public:
  explicit matches(const memory_source& memory = {}) noexcept
      : memory_(memory), found_(memory), pointers_(memory) {}

  bool empty() const noexcept { return found_.empty(); }
  std::size_t size() const noexcept { return found_.size(); }
  /// Old and new value are valid as long as the outcome's.
  property_change operator[](std::size_t index) const noexcept {
    const record& r = found_[index];
    return {r.where, r.kind, {pointers_.data() + r.pointer, r.length}, r.old_value, r.new_value};
  }
  /// For algorithms: the changes by index.
  using iterator = index_iterator<matches, property_change>;
  iterator begin() const noexcept { return {this, 0}; }
  iterator end() const noexcept { return {this, size()}; }

 private:
  friend json::error functions::find_matches(const subscription& wanted, const outcome& done,
                                             matches& found);
  struct record {
    part where;
    change_kind kind;
    std::size_t pointer, length;
    const json::arena_value* old_value;
    const json::arena_value* new_value;
  };
  void clear() noexcept {
    found_.truncate(0);
    pointers_.resize(0);
  }
  bool add(part where, std::string_view pointer, const json::arena_value* old_value,
           const json::arena_value* new_value);

  memory_source memory_;
  base::plain_array<record> found_;
  text_buffer pointers_;
};

namespace functions {

/// Fills `found` with what `wanted` is about in the changes of one write; nothing for what did not
/// change its value. Where an object that contains the property came or went as a whole, the
/// property's own old and new value are found. Errors: invalid_pointer; out_of_memory; then `found`
/// is empty. Cost: the changes, and what they hold on the way.
inline json::error find_matches(const subscription& wanted, const outcome& done, matches& found);

}  // namespace functions

// ---------------------------------------------------------------------------------------------

inline bool matches::add(part where, std::string_view pointer, const json::arena_value* old_value,
                         const json::arena_value* new_value) {
  const change_kind kind = old_value == nullptr   ? change_kind::added
                           : new_value == nullptr ? change_kind::removed
                                                  : change_kind::changed;
  if (!found_.reserve(1)) return false;
  const std::size_t start = pointers_.size();
  if (!pointers_.append(pointer.data(), pointer.size())) return false;
  found_.push({where, kind, start, pointer.size(), old_value, new_value});
  return true;
}

namespace detail {

/// Looks for what is left of a subscription's pointer in the old and the new value of a change
/// above it, and tells found(pointer, old_value, new_value) of each property there that changed. It
/// returns false when memory ran out.
template <class Found>
class pattern_walk {
 public:
  pattern_walk(const Found& found, const memory_source& memory) noexcept
      : found_(found), memory_(memory), frames_(memory), indexes_(memory), pointer_(memory) {}

  json::error run(const property_change& change, std::string_view rest) {
    if (!pointer_.append(change.pointer.data(), change.pointer.size()) ||
        !enter(change.old_value, change.new_value, rest)) {
      return json::errc::out_of_memory;
    }
    while (!frames_.empty()) {
      if (const json::errc e = step(frames_.back()); e != json::errc::ok) return e;
    }
    return {};
  }

 private:
  struct frame {
    const json::arena_value* old_value;
    const json::arena_value* new_value;
    std::string_view rest;
    std::size_t pointer;  ///< length of the pointer up to here
    bool in_new;          ///< a wildcard goes through the members of old, then of new
    size_type next;
    object_beside other;  ///< the object that is not gone through
  };

  [[nodiscard]] bool enter(const json::arena_value* old_value, const json::arena_value* new_value,
                           std::string_view after) {
    if (old_value == nullptr && new_value == nullptr) return true;
    return frames_.push({old_value, new_value, after, pointer_.size(), false, 0,
                         object_beside(new_value, indexes_)});
  }

  json::errc step(frame& top) {
    pointer_.resize(top.pointer);
    if (top.rest.empty()) return arrive(top);
    json::core::pointer_tokens tokens(top.rest);
    std::string_view token;
    static_cast<void>(tokens.next(token));
    const std::string_view after = top.rest.substr(top.rest.size() - tokens.remaining());
    return token == "*" ? any_name(top, after) : one_name(top, token, after);
  }

  /// The end of the pattern: the two values, if they differ.
  json::errc arrive(const frame& top) {
    const json::arena_value* const old_value = top.old_value;
    const json::arena_value* const new_value = top.new_value;
    frames_.pop();
    if (old_value != nullptr && new_value != nullptr) {
      json::equal_options options;
      options.memory = memory_;
      const auto same = json::equal(*old_value, *new_value, options);
      if (const json::errc e = json::core::failure_of(same); e != json::errc::ok) return e;
      if (same == json::comparison::equal) return json::errc::ok;
    }
    return found_(pointer_.view(), old_value, new_value) ? json::errc::ok
                                                         : json::errc::out_of_memory;
  }

  json::errc one_name(const frame& top, std::string_view token, std::string_view after) {
    const json::arena_value* const old_value = member(top.old_value, token);
    const json::arena_value* const new_value = member(top.new_value, token);
    frames_.pop();
    const bool good = pointer_.append("/", 1) && pointer_.append(token.data(), token.size()) &&
                      enter(old_value, new_value, after);
    return good ? json::errc::ok : json::errc::out_of_memory;
  }

  /// Each name of the old object, then those that only the new one has.
  json::errc any_name(frame& top, std::string_view after) {
    const json::arena_value* const object = as_object(top.in_new ? top.new_value : top.old_value);
    if (object == nullptr || top.next == object->MemberCount()) {
      top.other.close(indexes_);
      if (top.in_new) {
        frames_.pop();
      } else {
        top.in_new = true;
        top.next = 0;
        top.other = object_beside(top.old_value, indexes_);
      }
      return json::errc::ok;
    }
    const auto& m = json::core::members_begin(*object)[top.next++];
    const json::arena_value* other;
    if (!top.other.find(m.name, indexes_, other) ||
        !json::core::append_step(json::step::member(json::core::text_of(m.name)), pointer_))
      return json::errc::out_of_memory;
    if (top.in_new && other != nullptr) return json::errc::ok;  // was found from the old object
    const bool good = top.in_new ? enter(nullptr, &m.value, after) : enter(&m.value, other, after);
    return good ? json::errc::ok : json::errc::out_of_memory;
  }

  static const json::arena_value* as_object(const json::arena_value* value) noexcept {
    return value != nullptr && value->IsObject() ? value : nullptr;
  }
  static const json::arena_value* member(const json::arena_value* object, std::string_view token) {
    if (as_object(object) == nullptr) return nullptr;
    const auto* members = json::core::members_begin(*object);
    for (size_type i = 0; i < object->MemberCount(); ++i) {
      if (json::core::token_is(token, json::core::text_of(members[i].name)))
        return &members[i].value;
    }
    return nullptr;
  }

  const Found& found_;
  memory_source memory_;
  base::stack<frame, 4> frames_;
  json::core::index_memory indexes_;
  text_buffer pointer_;
};

}  // namespace detail

namespace functions {

inline json::error find_matches(const subscription& wanted, const outcome& done, matches& found) {
  found.clear();
  if (!json::core::pointer_tokens::valid(wanted.pointer)) {
    return json::error(json::errc::invalid_pointer).at(json::core::pointer_text{wanted.pointer});
  }
  for (std::size_t i = 0; i < done.size(); ++i) {
    const property_change change = done[i];
    if (change.where != wanted.where) continue;
    json::core::pointer_tokens pattern(wanted.pointer), changed(change.pointer);
    std::string_view token, name;
    json::error failure;
    for (;;) {
      const std::string_view rest =
          wanted.pointer.substr(wanted.pointer.size() - pattern.remaining());
      const bool more = changed.next(name);
      if (rest.empty()) {  // at, or inside, what is wanted
        if (more && wanted.down == reach::exact) break;
        if (!found.add(wanted.where, change.pointer, change.old_value, change.new_value))
          failure = json::errc::out_of_memory;
        break;
      }
      if (!more) {
        const auto add = [&](std::string_view pointer, const json::arena_value* old_value,
                             const json::arena_value* new_value) {
          return found.add(wanted.where, pointer, old_value, new_value);
        };
        failure = detail::pattern_walk(add, found.memory_).run(change, rest);
        break;
      }
      static_cast<void>(pattern.next(token));
      if (token != "*" && token != name) break;  // both are escaped the same way
    }
    if (failure) {
      found.clear();
      return failure;
    }
  }
  return {};
}

}  // namespace functions

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
