/// Who wants to know of which changes.
///
///     devicetwin::subscription fan(devicetwin::part::desired, "/zones/*/fan");
///     devicetwin::matches found;
///     if (auto e = find_matches(fan, done, found)) ...   // done: the outcome of a write
///     for (std::size_t i = 0; i < found.size(); ++i) ... // found[i].pointer, .old_value,
///     .new_value
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../base/plain_array.hpp"
#include "../base/range.hpp"
#include "../base/stack.hpp"
#include "../base/text_buffer.hpp"
#include "../json/equal.hpp"
#include "../json/pointer.hpp"
#include "../json/write.hpp"
#include "detail/shadow.hpp"
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
  json::error look_inside(const subscription& wanted, const property_change& change,
                          std::string_view rest);

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

/// The change is above what is wanted: `rest` of the pointer is looked for in the old and in the
/// new value.
inline json::error matches::look_inside(const subscription& wanted, const property_change& change,
                                        std::string_view rest) {
  struct frame {
    const json::arena_value* old_value;
    const json::arena_value* new_value;
    std::string_view rest;
    std::size_t pointer;  ///< length of the pointer up to here
    bool in_new;          ///< a wildcard goes through the members of old, then of new
    json::size_type next;
    std::size_t index_base;
    detail::ordered_lookup other;  ///< of the object that is not gone through
  };
  base::stack<frame, 4> frames(memory_);
  json::core::index_memory indexes(memory_);
  text_buffer pointer(memory_);
  const auto as_object = [](const json::arena_value* value) {
    return value != nullptr && value->IsObject() ? value : nullptr;
  };
  const auto lookup_in = [&](const json::arena_value* value) {
    return as_object(value) == nullptr ? detail::ordered_lookup() : detail::ordered_lookup(*value);
  };
  const auto enter = [&](const json::arena_value* old_value, const json::arena_value* new_value,
                         std::string_view after) {
    return frames.push({old_value, new_value, after, pointer.size(), false, 0, indexes.size(),
                        lookup_in(new_value)});
  };
  if (!pointer.append(change.pointer.data(), change.pointer.size()) ||
      !enter(change.old_value, change.new_value, rest)) {
    return json::errc::out_of_memory;
  }
  const auto member = [&](const json::arena_value* object,
                          std::string_view token) -> const json::arena_value* {
    if (as_object(object) == nullptr) return nullptr;
    const auto* members = json::core::members_begin(*object);
    for (json::size_type i = 0; i < object->MemberCount(); ++i) {
      if (json::core::token_is(token, json::core::text_of(members[i].name)))
        return &members[i].value;
    }
    return nullptr;
  };
  while (!frames.empty()) {
    frame& f = frames.back();
    pointer.resize(f.pointer);
    if (f.rest.empty()) {
      const json::arena_value* const old_value = f.old_value;
      const json::arena_value* const new_value = f.new_value;
      frames.pop();
      if (old_value != nullptr && new_value != nullptr) {
        json::equal_options options;
        options.memory = memory_;
        const auto same = json::equal(*old_value, *new_value, options);
        if (const json::errc e = json::core::failure_of(same); e != json::errc::ok) return e;
        if (same == json::comparison::equal) continue;
      }
      if (!add(wanted.where, pointer.view(), old_value, new_value))
        return json::errc::out_of_memory;
      continue;
    }
    json::core::pointer_tokens tokens(f.rest);
    std::string_view token;
    static_cast<void>(tokens.next(token));
    const std::string_view after = f.rest.substr(f.rest.size() - tokens.remaining());
    const json::arena_value* old_value = nullptr;
    const json::arena_value* new_value = nullptr;
    if (token != "*") {
      old_value = member(f.old_value, token);
      new_value = member(f.new_value, token);
      frames.pop();
      if (!pointer.append("/", 1) || !pointer.append(token.data(), token.size()))
        return json::errc::out_of_memory;
    } else {
      // Each name of the old object, then those that only the new one has.
      const json::arena_value* const object = as_object(f.in_new ? f.new_value : f.old_value);
      const json::arena_value* const beside = as_object(f.in_new ? f.old_value : f.new_value);
      if (object == nullptr || f.next == object->MemberCount()) {
        indexes.truncate(f.index_base);
        if (f.in_new) {
          frames.pop();
        } else {
          f.in_new = true;
          f.next = 0;
          f.other = lookup_in(f.old_value);
        }
        continue;
      }
      const auto& m = json::core::members_begin(*object)[f.next++];
      const json::step taken = json::step::member(json::core::text_of(m.name));
      json::size_type index = json::core::no_index;
      bool good = beside == nullptr || f.other.find(taken.text(), indexes, index);
      json::core::render_step(taken, [&](char c) { good = good && pointer.append(&c, 1); });
      if (!good) return json::errc::out_of_memory;
      if (f.in_new && index != json::core::no_index) continue;
      (f.in_new ? new_value : old_value) = &m.value;
      if (index != json::core::no_index)
        new_value = &json::core::members_begin(*beside)[index].value;
    }
    if (old_value == nullptr && new_value == nullptr) continue;
    if (!enter(old_value, new_value, after)) return json::errc::out_of_memory;
  }
  return {};
}

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
        failure = found.look_inside(wanted, change, rest);
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
