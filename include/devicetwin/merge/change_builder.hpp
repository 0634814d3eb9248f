/// Making a change by hand, and out of what was done.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view
#include <type_traits>  // std::is_same_v

#include "../base/stack.hpp"
#include "../json/arena.hpp"
#include "../json/error.hpp"
#include "../json/pointer.hpp"
#include "../json/value.hpp"
#include "change.hpp"
#include "detail/change_form.hpp"
#include "detail/change_sum.hpp"
#include "merge_patch.hpp"
#include "options.hpp"
#include "tree/places.hpp"
#include "tree/plan.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {

/// A change written by hand, in order:
///     merge::change_builder().set("/fan/rpm", 900).remove("/mode").finish(c)
/// Each call adds to what the calls before it have said. A pointer (RFC 6901) leads through objects
/// alone: what is no object on the way becomes one, also for remove(), as in a merge patch; and a
/// number is a name, not an index, for a change never goes into an array. The first error is kept;
/// calls after it do nothing, and finish() gives it. Errors: invalid_pointer, root_removed,
/// depth_exceeded, not_finite, out_of_memory; with the place. Cost: n calls cost n * log(n): what
/// was said is kept in parts, which are composed as they grow.
class change_builder {
 public:
  explicit change_builder(const options& options = {}) noexcept
      : options_(options), said_(options.memory), memory_(options.memory), name_(options.memory) {
    root_.SetArray();
  }
  change_builder(const change_builder&) = delete;
  change_builder& operator=(const change_builder&) = delete;

  /// Sets the place to a bool, an integer, a double, a text (UTF-8), nullptr for JSON's null, or a
  /// copy of a document or a RapidJSON value.
  template <class T>
  change_builder& set(std::string_view pointer, const T& value);
  change_builder& remove(std::string_view pointer) {
    static_cast<void>(write(pointer, static_cast<const json::arena_value*>(nullptr)));
    return *this;
  }

  /// Gives the change to `out`, and starts anew. On an error `out` is as it was.
  json::error finish(change& out);

 private:
  using node = json::arena_value;
  template <class Value>
  bool write(std::string_view pointer, const Value* value);  // null: remove
  template <class Value>
  bool write_here(std::string_view pointer, const Value* value);
  node* step_into(node& object, std::string_view token);
  json::error put_aside();
  bool fail(const json::error& e) {
    failure_ = e;
    return false;
  }

  options options_;
  detail::change_sum said_;  ///< before what is in root_
  json::arena memory_;
  node root_;                ///< a form
  std::size_t scanned_ = 0;  ///< members of it that were looked at
  base::stack<char, 64> name_;
  json::error failure_;
};

/// A journal (journal.hpp) that keeps what was done as a change: for apply_merge_patch() and
/// apply(), for one call or for several after each other on the same document.
class change_recorder {
 public:
  enum class direction : unsigned char {
    forward,  ///< the change that was made
    undo      ///< the change that takes it back
  };
  explicit change_recorder(direction which = direction::forward,
                           const options& options = {}) noexcept
      : undo_(which == direction::undo),
        options_(options),
        total_(options.memory,
               undo_ ? detail::change_sum::order::before : detail::change_sum::order::after),
        memory_(options.memory) {
    options_.max_depth = detail::any_depth;  // what it records was checked
    latest_.SetArray();
  }
  change_recorder(const change_recorder&) = delete;
  change_recorder& operator=(const change_recorder&) = delete;

  /// The journal's side. When memory has run out before, the next apply is refused.
  bool reserve(std::size_t);
  template <class Value>
  void operator()(const json::location& where, const Value* old_value, const Value* new_value);

  /// Gives the change to `out`, and starts anew.
  /// Errors: out_of_memory, also for what could not be recorded; `out` is as it was, and the record
  /// is lost.
  json::error finish(change& out);

 private:
  json::error fold();
  json::arena_value* place(const json::location& where);

  bool undo_;
  options options_;
  detail::change_sum total_;
  json::arena memory_;
  json::arena_value latest_;  ///< the form of what was told since the last reserve()
  json::error failure_;
};

// ---------------------------------------------------------------------------------------------

namespace detail {

/// Appends a member to an object, if the arena can pay for it; a null pointer otherwise.
inline arena_value* append_member(arena_value& object, std::string_view name, json::arena& memory) {
  if (!memory.reserve(growth_bytes(object, 1) + json::core::string_bytes<arena_value>(name.size())))
    return nullptr;
  arena_value key, value;
  key.SetString(name.data() == nullptr ? "" : name.data(), static_cast<size_type>(name.size()),
                memory);
  object.AddMember(key, value, memory);
  return &members_begin(object)[object.MemberCount() - 1].value;
}

/// Makes a value the array that holds it.
inline bool wrap(arena_value& value, json::arena& memory) {
  if (!memory.reserve(sizeof value)) return false;
  arena_value array;
  array.SetArray();
  array.Reserve(1, memory);
  array.PushBack(value, memory);
  value.Swap(array);
  return true;
}

/// Copies a value into an arena, checked. `depth` is that of the place it is for.
template <class Value>
error copy_checked(arena_value& to, const Value& from, json::arena& memory, std::size_t depth,
                   const options& o) {
  json::core::footprint_counter<arena_value> bytes;
  json::core::walk_memory<Value> walk(o.memory);
  if (error e = json::core::emit(from, bytes, json::core::nulls::emit, o.max_depth, walk, depth))
    return e;
  const bool copied = memory.reserve(bytes.bytes()) &&
                      copy_value(to, from, memory, json::core::nulls::emit, o.memory);
  return copied ? errc::ok : errc::out_of_memory;
}

}  // namespace detail

inline json::arena_value* change_builder::step_into(node& object, std::string_view token) {
  for (json::size_type i = object.MemberCount(); i-- != 0;
       ++scanned_) {  // what was written last is the likeliest
    auto& member = json::core::members_begin(object)[i];
    if (json::core::token_is(token, json::core::text_of(member.name))) return &member.value;
  }
  name_.truncate(0);
  for (std::size_t i = 0; i < token.size(); ++i) {
    char c = token[i];
    if (c == '~') c = token[++i] == '0' ? '~' : '/';
    if (!name_.push(c)) return nullptr;
  }
  node* added = detail::append_member(object, {name_.data(), name_.size()}, memory_);
  if (added != nullptr) added->SetArray();  // keeps, until something is said
  return added;
}

/// Makes what is in root_ part of what was said before.
inline json::error change_builder::put_aside() {
  change part(options_.memory);
  if (json::error e = detail::change_access::rebuild(part, [&](auto& handler, bool& sent) {
        sent = true;
        return detail::send(root_, handler, options_.memory);
      })) {
    return e;
  }
  if (json::error e = said_.add(static_cast<change&&>(part), options_)) return e;
  memory_.clear();
  root_.SetArray();
  scanned_ = 0;
  return {};
}

template <class Value>
bool change_builder::write(std::string_view pointer, const Value* value) {
  constexpr std::size_t enough =
      4096;  // what looking at members may cost before it is time for another part
  if (failure_ || !write_here(pointer, value)) return false;
  if (scanned_ > enough) failure_ = put_aside();
  return !failure_;
}

template <class Value>
bool change_builder::write_here(std::string_view pointer, const Value* value) {
  const json::core::pointer_text text{pointer};
  if (!json::core::pointer_tokens::valid(pointer))
    return fail(json::error(json::errc::invalid_pointer).at(text));
  if (pointer.empty() && value == nullptr) return fail(json::errc::root_removed);

  node* at = &root_;
  bool inside = false;  // inside a value that is set: `at` is a plain value, else a form
  std::size_t depth = 0;
  json::core::pointer_tokens tokens(pointer);
  std::string_view token;
  while (tokens.next(token)) {
    if (++depth > options_.max_depth) {
      return fail(json::error(json::errc::depth_exceeded).limited_to(options_.max_depth).at(text));
    }
    if (!inside && detail::deed_of(*at) == detail::deed::remove) {
      at->SetObject();  // removed and made anew: set as a whole
      if (!detail::wrap(*at, memory_)) return fail(json::errc::out_of_memory);
    }
    if (!inside && detail::deed_of(*at) == detail::deed::set) {
      at = at->Begin();
      inside = true;
    }
    if (!at->IsObject()) at->SetObject();
    if (inside && value == nullptr && tokens.remaining() == 0) {
      const auto* members = json::core::members_begin(*at);
      for (json::size_type i = 0; i < at->MemberCount(); ++i, ++scanned_) {
        if (!json::core::token_is(token, json::core::text_of(members[i].name))) continue;
        at->EraseMember(at->MemberBegin() + static_cast<std::ptrdiff_t>(i));
        break;
      }
      return true;
    }
    at = step_into(*at, token);
    if (at == nullptr) return fail(json::errc::out_of_memory);
  }
  if (value == nullptr) {
    at->SetNull();
    return true;
  }
  node copied;
  if (const json::error e = detail::copy_checked(copied, *value, memory_, depth, options_)) {
    return fail(detail::nested(e, text));
  }
  if (!inside && !detail::wrap(copied, memory_)) return fail(json::errc::out_of_memory);
  at->Swap(copied);
  return true;
}

template <class T>
change_builder& change_builder::set(std::string_view pointer, const T& value) {
  node made;
  if constexpr (json::core::stands_for_value<T>) {
    static_cast<void>(write(pointer, &json::core::value_of(value)));
    return *this;
  } else if constexpr (std::is_same_v<T, std::nullptr_t>) {
    made.SetNull();
  } else if constexpr (std::is_same_v<T, bool>) {
    made.SetBool(value);
  } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    made.SetInt64(value);
  } else if constexpr (std::is_integral_v<T>) {
    made.SetUint64(value);
  } else if constexpr (std::is_floating_point_v<T>) {
    made.SetDouble(static_cast<double>(value));
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    const std::string_view text = value;
    using reference = typename node::StringRefType;
    made.SetString(reference(text.data() == nullptr ? "" : text.data(),
                             static_cast<json::size_type>(text.size())));
  } else {
    static_assert(json::core::mistaken<T>,
                  "merge::change_builder::set: the value is a bool, a number, a text, nullptr, a "
                  "document or a RapidJSON value");
  }
  static_cast<void>(write(pointer, &made));
  return *this;
}

inline json::error change_builder::finish(change& out) {
  json::error failure = failure_;
  if (!failure && said_.empty()) {
    failure = detail::change_access::rebuild(out, [&](auto& handler, bool& sent) {
      sent = true;
      return detail::send(root_, handler, options_.memory);
    });
  } else if (!failure) {
    failure = put_aside();
    if (!failure) failure = said_.total(out, options_);
  }
  said_.clear();
  scanned_ = 0;
  memory_.clear();
  root_.SetArray();
  failure_ = {};
  return failure;
}

inline json::error change_recorder::fold() {
  if (!failure_ && detail::deed_of(latest_) != detail::deed::keep) {
    change latest(options_.memory);
    failure_ = detail::change_access::rebuild(latest, [&](auto& handler, bool& sent) {
      sent = true;
      return detail::send(latest_, handler, options_.memory);
    });
    if (!failure_) failure_ = total_.add(static_cast<change&&>(latest), options_);
  }
  memory_.clear();
  latest_.SetArray();
  return failure_;
}

inline bool change_recorder::reserve(std::size_t) { return !fold(); }

/// The node for a place. An apply tells its changes in the order of the tree: a place is new, and
/// an object on the way to it is new or was the last one.
inline json::arena_value* change_recorder::place(const json::location& where) {
  json::arena_value* at = &latest_;
  for (std::size_t i = 0; i < where.depth(); ++i) {
    if (!at->IsObject()) at->SetObject();
    const std::string_view name = where[i].text();
    const json::size_type count = at->MemberCount();
    auto* last = count == 0 ? nullptr : json::core::members_begin(*at) + (count - 1);
    if (i + 1 != where.depth() && last != nullptr && json::core::text_of(last->name) == name) {
      at = &last->value;
    } else {
      at = detail::append_member(*at, name, memory_);
      if (at == nullptr) return nullptr;
    }
  }
  return at;
}

template <class Value>
void change_recorder::operator()(const json::location& where, const Value* old_value,
                                 const Value* new_value) {
  if (failure_) return;
  const Value* value = undo_ ? old_value : new_value;
  json::arena_value* at = place(where);
  failure_ = at == nullptr ? json::errc::out_of_memory : json::errc::ok;
  if (failure_) return;
  at->SetNull();
  if (value == nullptr) return;
  json::arena_value copied;
  failure_ = detail::copy_checked(copied, *value, memory_, 0, options_);
  if (!failure_ && !detail::wrap(copied, memory_)) failure_ = json::errc::out_of_memory;
  if (!failure_) at->Swap(copied);
}

inline json::error change_recorder::finish(change& out) {
  json::error failure = fold();
  if (!failure) failure = total_.total(out, options_);
  total_.clear();
  failure_ = {};
  return failure;
}

}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
