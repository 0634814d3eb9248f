/// Strict reading of JSON text (RFC 8259): into RapidJSON values, or as events.
///
/// Accepted is exactly what RFC 8259 allows, with one exception by design: an object that repeats a
/// name is refused, also when the name is spelled with other escapes, because no two readers agree
/// what it means. The whole text must be one value. UTF-8 is checked. Nothing recurses on the
/// input. Numbers are stored as number.hpp says.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view
#include <type_traits>  // std::enable_if_t, std::is_same_v

#include "../base/memory.hpp"
#include "arena.hpp"
#include "error.hpp"
#include "text/reader.hpp"
#include "tree/builder.hpp"
#include "value.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {

struct read_options {
  std::size_t max_depth = default_max_depth;  ///< levels of arrays and objects
  /// What becomes of an integer beyond 64 bits. A number with a point or an exponent is always
  /// rounded to a double.
  big_integer_rule big_integers = big_integer_rule::refuse;
  memory_source memory =
      {};  ///< working memory: some bytes per level, name, and unescaped character
};

namespace functions {

/// Reads `text` into `out`, whose strings and containers are allocated from `allocator`. Escapes
/// are resolved; nothing in `out` refers to `text`.
///
/// Errors: any of the first group of errc, depth_exceeded, out_of_memory; with line, column and
/// pointer.
///   Then `out` is as it was. (What was allocated from a pool meanwhile stays allocated.
///   RapidJSON's own allocators are not checked for exhaustion, as RapidJSON does not;
///   json::document is.)
/// Cost: linear in the text; objects of more than 64 members put their names in a hash table to
/// find duplicates, or sort them when they collide.
template <class Allocator>
error read(std::string_view text, basic_value<Allocator>& out, Allocator& allocator,
           const read_options& options = {});

/// The same for a RapidJSON document with its own allocator.
template <class Allocator, class StackAllocator>
error read(std::string_view text, basic_document<Allocator, StackAllocator>& out,
           const read_options& options = {}) {
  basic_value<Allocator>& root = out;
  return read(text, root, out.GetAllocator(), options);
}

/// The same for a document that keeps itself compact; it takes some two bytes of memory per byte of
/// text.
inline error read(std::string_view text, document& out, const read_options& options = {});

/// A value without its allocator: a mistake, explained.
template <class Allocator>
error read(std::string_view, basic_value<Allocator>&, const read_options& = {}) {
  static_assert(core::mistaken<Allocator>,
                "json::read: a RapidJSON value needs its allocator: read(text, value, allocator)");
  return errc::wrong_type;
}

/// Neither a value nor a document: another mistake.
template <class Out, class... Rest>
std::enable_if_t<!core::is_value<std::remove_reference_t<Out>> &&
                     !std::is_same_v<std::remove_reference_t<Out>, document>,
                 error>
read(std::string_view, Out&&, Rest&&...) {
  static_assert(
      core::mistaken<Out>,
      "json::read: the second argument is a json::document, a RapidJSON document, or a value "
      "followed by its allocator");
  return errc::wrong_type;
}

/// Sends `text` as events to any RapidJSON handler (Null, Bool, Int, Uint, Int64, Uint64, Double,
/// String, StartObject, Key, EndObject, StartArray, EndArray). A handler returns false to stop.
/// Strings are valid during the call only (copy is true). A handler that has
/// NumberText(std::string_view) gets each number as the text spells it, by that event alone. Then
/// nothing is rounded and no number is too large. json::text_writer is one, so that sending a text
/// to it changes its white space and escapes but no digit.
///
/// Errors: as read(), and handler_stopped; events before the error have been sent then. A repeated
/// name in an object of more than 64 members is found at the object's end, before EndObject.
template <class Handler>
error read_events(std::string_view text, Handler& handler, const read_options& options = {}) {
  static_assert(
      core::is_handler<Handler>,
      "json::read_events: the second argument is a RapidJSON handler, with all of its events");
  if constexpr (core::is_handler<Handler>) {
    return core::reader<Handler>(text, handler, options.max_depth, options.big_integers,
                                 options.memory)
        .read();
  } else {
    return errc::wrong_type;
  }
}

}  // namespace functions

// ---------------------------------------------------------------------------------------------

namespace functions {

template <class Allocator>
error read(std::string_view text, basic_value<Allocator>& out, Allocator& allocator,
           const read_options& options) {
  core::tree_builder<Allocator> builder(allocator, options.memory);
  return builder.build(out, [&](auto& handler) { return read_events(text, handler, options); });
}

inline error read(std::string_view text, document& out, const read_options& options) {
  error failure = core::document_access::rebuild(
      out, 2 * text.size(), [&](auto& handler) { return read_events(text, handler, options); });
  if (!failure) core::document_access::settle(out, 0, 0);
  return failure;
}

}  // namespace functions

}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
