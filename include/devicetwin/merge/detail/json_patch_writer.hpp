/// Makes the operations of a JSON Patch from the differences of two documents, and sends them.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../base/stack.hpp"
#include "../../base/text_buffer.hpp"
#include "../../json/error.hpp"
#include "../../json/pointer.hpp"
#include "../../json/tree/events.hpp"
#include "../../json/write.hpp"
#include "../options.hpp"
#include "../tree/places.hpp"
#include "difference_walk.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

/// What a value of a tree, or its text, is in a patch.
template <class Value>
struct tree_values {
  using node = const Value*;

  /// How long the value's text is. Errors: depth_exceeded, not_finite, out_of_memory.
  template <class Place>
  static error measure(node value, const options& o, std::size_t depth, const Place& where,
                       std::size_t& length) {
    base::byte_counter counter;
    json::text_writer writer(counter);
    json::core::walk_memory<Value> memory(o.memory);
    error e = json::core::emit(*value, writer, json::core::nulls::emit, o.max_depth, memory, depth,
                               where);
    length = counter.size();
    return e;
  }
  template <class Handler>
  static error send(node value, Handler& handler, const memory_source& memory) {
    return detail::send(*value, handler, memory);
  }
};
struct text_values {
  using node = std::string_view;

  template <class Place>
  static error measure(node text, const options&, std::size_t, const Place&,
                       std::size_t& length) noexcept {
    length = text.size();
    return {};
  }
  template <class Handler>
  static error send(node text, Handler& handler, const memory_source&) {
    return handler.RawValue(text) ? errc::ok : json::core::failure_of(handler, 0);
  }
};

/// A sink for a difference_walk that makes operations. The elements of an array become operations
/// as long as these are shorter than a new array as a whole.
template <class FromValues, class ToValues>
class json_patch_maker {
 public:
  static constexpr bool by_position = false;
  using from_node = typename FromValues::node;
  using to_node = typename ToValues::node;

  json_patch_maker(const options& o, bool tests) noexcept
      : options_(o), tests_(tests), entries_(o.memory), open_(o.memory), pointer_(o.memory) {}

  /// Of the last function that returned false.
  errc failure() const noexcept { return failure_.code(); }
  const error& why() const noexcept { return failure_; }

  bool enter(const difference_step& step) {
    if (!open_.push({entries_.size(), bytes_, pointer_length_}) ||
        !entries_.push({what::enter, step, {}, {}}))
      return exhausted();
    pointer_length_ += length_of(step);
    return true;
  }
  bool leave(const from_node& from, const to_node& to, bool array) {
    level top{0, 0, 0};
    bool whole = open_.empty();
    if (!whole) {
      top = open_.back();
      open_.pop();
      pointer_length_ = top.pointer_length;
    }
    const std::size_t before = entries_.size();
    const bool nothing = before == top.first + (whole ? 0 : 1);
    if (nothing) {
      entries_.truncate(top.first);
      return true;
    }
    if (array) {
      const std::size_t inside = bytes_ - top.bytes;
      const difference_step step = whole ? difference_step{} : entries_[top.first].step;
      if (!count(what::replace, whole ? nullptr : &step, &from, &to)) return false;
      const std::size_t replaced = bytes_ - top.bytes - inside;
      if (replaced < inside) {
        entries_.truncate(top.first);
        bytes_ = top.bytes + replaced;
        return entries_.push({whole ? what::replace_all : what::replace, step, from, to}) ||
               exhausted();
      }
      bytes_ = top.bytes + inside;
    }
    return whole || entries_.push({what::leave, {}, {}, {}}) || exhausted();
  }
  bool differ(const difference_step* step, const from_node* from, const to_node* to) {
    const what kind = to == nullptr     ? what::remove
                      : from == nullptr ? what::add
                      : step == nullptr ? what::replace_all
                                        : what::replace;
    if (!count(kind, step, from, to)) return false;
    return entries_.push({kind, step == nullptr ? difference_step{} : *step,
                          from == nullptr ? from_node{} : *from,
                          to == nullptr ? to_node{} : *to}) ||
           exhausted();
  }

  /// Sends the patch to a RapidJSON handler.
  template <class Handler>
  error send(Handler& handler) {
    if (!handler.StartArray()) return stop(handler);
    base::stack<std::size_t, 16> lengths(options_.memory);  // of the pointers around
    size_type operations = 0;
    pointer_.truncate(0);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const entry& e = entries_[i];
      if (e.kind == what::leave) {
        pointer_.truncate(lengths.back());
        lengths.pop();
        continue;
      }
      const std::size_t length = pointer_.size();
      if (e.kind != what::replace_all && !append(e.step)) return errc::out_of_memory;
      if (e.kind == what::enter) {
        if (!lengths.push(length)) return errc::out_of_memory;
        continue;
      }
      if (error failure = send_operation(e, handler, operations)) return failure;
      pointer_.truncate(length);
    }
    return handler.EndArray(operations) ? error() : stop(handler);
  }

 private:
  enum class what : unsigned char { enter, leave, add, remove, replace, replace_all };
  struct entry {
    what kind;
    difference_step step;
    from_node from;
    to_node to;
  };
  struct level {
    std::size_t first;  ///< the entry that opened it
    std::size_t bytes;
    std::size_t pointer_length;
  };

  // Lengths of an operation's text without pointer and value.
  static constexpr std::size_t test_bytes = sizeof R"({"op":"test","path":"","value":},)" - 1;
  static constexpr std::size_t add_bytes = sizeof R"({"op":"add","path":"","value":},)" - 1;
  static constexpr std::size_t remove_bytes = sizeof R"({"op":"remove","path":""},)" - 1;
  static constexpr std::size_t replace_bytes = sizeof R"({"op":"replace","path":"","value":},)" - 1;

  static json::step step_of(const difference_step& step) noexcept {
    return step.element ? json::step::element(step.to) : json::step::member(step.name);
  }
  static std::size_t length_of(const difference_step& step) {
    std::size_t length = 0;
    json::core::render_step(step_of(step), [&length](char) { ++length; });
    return length;
  }

  /// Adds the length of an operation to bytes_, and checks its values.
  bool count(what kind, const difference_step* step, const from_node* from, const to_node* to) {
    const std::size_t pointer = pointer_length_ + (step == nullptr ? 0 : length_of(*step));
    std::size_t value = 0;
    if (to != nullptr) {
      failure_ = ToValues::measure(*to, options_, open_.size() + (step == nullptr ? 0 : 1),
                                   place{*this, step}, value);
      if (failure_) return false;
      bytes_ += (from == nullptr ? add_bytes : replace_bytes) + pointer + value;
    } else {
      bytes_ += remove_bytes + pointer;
    }
    if (!tests_ || kind == what::add) return true;
    options any = options_;
    any.max_depth = any_depth;
    failure_ = FromValues::measure(*from, any, 0, place{*this, step}, value);
    bytes_ += test_bytes + pointer + value;
    return !failure_;
  }

  template <class Handler>
  error send_operation(const entry& e, Handler& handler, size_type& operations) {
    const bool removes = e.kind == what::remove;
    if (tests_ && e.kind != what::add) {
      ++operations;
      if (!begin(handler, "test") || !key(handler, "value")) return stop(handler);
      if (error failure = FromValues::send(e.from, handler, options_.memory)) return failure;
      if (!handler.EndObject(3)) return stop(handler);
    }
    ++operations;
    if (!begin(handler, removes ? "remove" : e.kind == what::add ? "add" : "replace"))
      return stop(handler);
    if (!removes) {
      if (!key(handler, "value")) return stop(handler);
      if (error failure = ToValues::send(e.to, handler, options_.memory)) return failure;
    }
    return handler.EndObject(removes ? 2 : 3) ? error() : stop(handler);
  }
  template <class Handler>
  bool begin(Handler& handler, std::string_view verb) {
    return handler.StartObject() && key(handler, "op") &&
           handler.String(verb.data(), static_cast<size_type>(verb.size()), true) &&
           key(handler, "path") &&
           handler.String(pointer_.data(), static_cast<size_type>(pointer_.size()), true);
  }
  template <class Handler>
  static bool key(Handler& handler, std::string_view name) {
    return handler.Key(name.data(), static_cast<size_type>(name.size()), true);
  }
  template <class Handler>
  static error stop(const Handler& handler) {
    return json::core::failure_of(handler, 0);
  }
  bool append(const difference_step& step) {
    bool good = true;
    json::core::render_step(step_of(step), [&](char c) { good = good && pointer_.push(c); });
    return good;
  }
  bool exhausted() noexcept {
    failure_ = errc::out_of_memory;
    return false;
  }

  /// The place at hand, for an error.
  struct place {
    const json_patch_maker& maker;
    const difference_step* last;
    template <class Put>
    void render(Put&& put) const {
      for (std::size_t i = 0; i < maker.open_.size(); ++i)
        json::core::render_step(step_of(maker.entries_[maker.open_[i].first].step), put);
      if (last != nullptr) json::core::render_step(step_of(*last), put);
    }
  };

  options options_;
  bool tests_;
  base::stack<entry, 16> entries_;
  base::stack<level, 16> open_;
  base::stack<char, 128> pointer_;
  std::size_t bytes_ = 0;           ///< of the text of all operations
  std::size_t pointer_length_ = 0;  ///< of the place that was entered
  error failure_;
};

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
