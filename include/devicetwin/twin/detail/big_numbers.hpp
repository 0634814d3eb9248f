/// Numbers that trees cannot hold, or a dialect refuses: finding all of them in a text.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t, std::uint64_t
#include <string_view>  // std::string_view
#include <type_traits>  // std::remove_reference_t

#include "../../base/memory.hpp"
#include "../../base/stack.hpp"
#include "../../base/text_buffer.hpp"
#include "../../json/arena.hpp"
#include "../../json/error.hpp"
#include "../../json/number.hpp"
#include "../../json/pointer.hpp"
#include "../../json/read.hpp"
#include "../../json/tree/builder.hpp"
#include "../../json/tree/events.hpp"
#include "../../json/value.hpp"
#include "../dialect.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// Whether trees can hold a number: ok, integer_overflow where the dialect refuses it,
/// number_overflow.
inline json::errc parse_for(const dialect& rules, std::string_view text, json::number& n) noexcept {
  const json::number_end read = json::parse_number(text.data(), text.data() + text.size(), n);
  const bool refused = n.big_integer && rules.big_integers == json::big_integer_rule::refuse;
  return refused ? json::errc::integer_overflow : read.code;
}

/// Passes the events of a text on to a handler, and a 0 for each number that trees cannot hold:
/// `note(pointer, code)` is told of it, and returns ok or why to stop.
template <class Handler, class Note>
class number_filter {
 public:
  number_filter(Handler& handler, const dialect& rules, Note& note,
                const memory_source& memory) noexcept
      : handler_(handler), rules_(rules), note_(note), pointer_(memory), open_(memory) {}

  json::errc failure() const noexcept {
    return failure_ != json::errc::ok ? failure_ : json::core::failure_of(handler_, 0);
  }

  bool NumberText(std::string_view text) {
    json::number n;
    const json::errc code = parse_for(rules_, text, n);
    if (code != json::errc::ok) {
      if (!locate()) return false;
      failure_ = note_(pointer_.view(), code);
      return failure_ == json::errc::ok && next(handler_.Int(0));
    }
    if (n.stored_as == json::number::kind::signed_integer) return next(handler_.Int64(n.i));
    return next(n.stored_as == json::number::kind::unsigned_integer ? handler_.Uint64(n.u)
                                                                    : handler_.Double(n.d));
  }
  bool Null() { return next(handler_.Null()); }
  bool Bool(bool b) { return next(handler_.Bool(b)); }
  bool Int(int i) { return next(handler_.Int(i)); }
  bool Uint(unsigned u) { return next(handler_.Uint(u)); }
  bool Int64(std::int64_t i) { return next(handler_.Int64(i)); }
  bool Uint64(std::uint64_t u) { return next(handler_.Uint64(u)); }
  bool Double(double d) { return next(handler_.Double(d)); }
  bool String(const char* text, json::size_type length, bool copy) {
    return next(handler_.String(text, length, copy));
  }
  bool Key(const char* text, json::size_type length, bool copy) {
    return point_at(json::step::member({text, length})) && handler_.Key(text, length, copy);
  }
  bool StartObject() { return start(false) && handler_.StartObject(); }
  bool EndObject(json::size_type count) { return end(handler_.EndObject(count)); }
  bool StartArray() { return start(true) && handler_.StartArray(); }
  bool EndArray(json::size_type count) { return end(handler_.EndArray(count)); }

 private:
  struct container {
    std::size_t pointer;    ///< length of the pointer down to here
    json::size_type index;  ///< of the element at hand
    bool array;
  };

  bool out_of_memory() noexcept {
    failure_ = json::errc::out_of_memory;
    return false;
  }
  /// Makes the pointer that of a member or element of the innermost container.
  bool point_at(const json::step& s) {
    pointer_.resize(open_.back().pointer);
    bool fits = true;
    json::core::render_step(s, [&](char c) { fits = fits && pointer_.append(&c, 1); });
    return fits || out_of_memory();
  }
  /// Makes the pointer that of the value at hand; in an object, its name did so.
  bool locate() {
    return open_.empty() || !open_.back().array ||
           point_at(json::step::element(open_.back().index));
  }
  bool start(bool array) {
    return locate() && (open_.push({pointer_.size(), 0, array}) || out_of_memory());
  }
  bool end(bool sent) {
    open_.pop();
    return next(sent);
  }
  bool next(bool sent) {
    if (!open_.empty()) ++open_.back().index;
    return sent;
  }

  Handler& handler_;
  const dialect& rules_;
  Note& note_;
  text_buffer pointer_;
  base::stack<container, 8> open_;
  json::errc failure_ = json::errc::ok;
};

/// Reads a text that json::read refused for the size of a number, with a 0 for each such number;
/// see number_filter.
template <class Note>
json::error read_without_big_numbers(std::string_view text, json::arena_value& out,
                                     json::arena& arena, const dialect& rules,
                                     const memory_source& memory, Note&& note) {
  json::read_options options;
  options.memory = memory;
  json::core::tree_builder<json::arena> builder(arena, memory);
  return builder.build(out, [&](auto& handler) {
    number_filter<std::remove_reference_t<decltype(handler)>, std::remove_reference_t<Note>> filter(
        handler, rules, note, memory);
    return json::read_events(text, filter, options);
  });
}
inline bool is_number_size(json::errc code) noexcept {
  return code == json::errc::integer_overflow || code == json::errc::number_overflow;
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
