/// JSON Patch (RFC 6902): applying one to a document, and making the one that turns a document into
/// another.
///
/// A JSON Patch is an array of operations, carried out one after the other. It can say what a merge
/// patch cannot: a member that becomes null, and one element of an array.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view
#include <type_traits>  // std::is_same_v, std::remove_const_t

#include "../base/text_buffer.hpp"
#include "../json/arena.hpp"
#include "../json/error.hpp"
#include "../json/tree/builder.hpp"
#include "../json/tree/events.hpp"
#include "../json/value.hpp"
#include "../json/write.hpp"
#include "detail/difference_model.hpp"
#include "detail/difference_walk.hpp"
#include "detail/json_patch_run.hpp"
#include "detail/json_patch_text_run.hpp"
#include "detail/json_patch_writer.hpp"
#include "detail/plan_writer.hpp"
#include "differences.hpp"
#include "journal.hpp"
#include "options.hpp"
#include "text.hpp"
#include "text/text_sink.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {

/// Options of the functions for JSON Patches. `nulls` has no meaning here: null is a value like any
/// other. What text_options adds is for texts only.
struct json_patch_options : text_options {
  /// Bytes of memory that `copy` operations, and `move` operations to a deeper place, may go over
  /// in one patch. A few copies of copies would fill any memory otherwise.
  std::size_t max_copied_bytes = std::size_t{16} << 20;
  /// Of a patch that is made: before each value that goes, a `test` operation for it. Applied to
  /// another document, the patch fails then and changes nothing.
  bool tests = false;
};

namespace functions {

/// Applies a JSON Patch (RFC 6902) to `target`: all operations, or none.
///
/// Shape: `target` is any JSON value, its memory from `allocator`; `patch` is any JSON value, with
/// another allocator if you like, only read. Neither may lie inside the other, but strings of
/// `patch` may refer to strings of `target`, as for apply_merge_patch().
/// Effects: as RFC 6902, section 4. A new member is appended, the others keep their order. A value
/// that `add` or `replace` writes over an equal one is not written; options.numbers says when
/// numbers are equal, for `test`, too. Members of an operation that RFC 6902 does not define are
/// ignored. Of repeated names the first counts, in `target` and in `patch`; `remove` removes all.
/// Journal: told of every effective change in the order of the operations, once it is known that
/// none fails; see journal.hpp. A `move` is told as a removal and as a new value.
/// Errors: error::operation() is the index of the operation.
///   not_a_json_patch; the pointer is the place in the patch.
///   invalid_pointer, not_found, index_out_of_range (also for "-" where an element is needed),
///   test_failed, moved_into_itself, root_removed, depth_exceeded, not_finite, too_large (see
///   json_patch_options); the pointer is the place in the document, up to the step that failed.
///   out_of_memory, handler_stopped.
///   Then nothing has changed. RapidJSON's own allocators cannot be asked whether they have
///   memory, and their exhaustion is as RapidJSON leaves it.
/// Cost: each operation, plus a look at each name on its way; wide objects that are visited often
/// get an index, so that n operations on n members take n log n. An operation that inserts or
/// removes an element moves the elements behind it (16 bytes each). References into `target` are
/// invalid afterwards.
/// Memory: some 72 bytes for each operation, and what it adds. With RapidJSON's pool allocator what
/// is replaced stays allocated; use json::document for what lives long.
template <class Allocator, class Patch, class Journal = no_journal>
json::error apply_json_patch(json::basic_value<Allocator>& target, const Patch& patch,
                             Allocator& allocator, const json_patch_options& options = {},
                             Journal&& journal = {});

/// The same for a document that keeps itself compact.
template <class Patch, class Journal = no_journal>
json::error apply_json_patch(json::document& target, const Patch& patch,
                             const json_patch_options& options = {}, Journal&& journal = {});

/// The same for a RapidJSON document with its own allocator.
template <class Allocator, class StackAllocator, class Patch, class Journal = no_journal>
json::error apply_json_patch(json::basic_document<Allocator, StackAllocator>& target,
                             const Patch& patch, const json_patch_options& options = {},
                             Journal&& journal = {}) {
  json::basic_value<Allocator>& root = target;
  return apply_json_patch(root, patch, target.GetAllocator(), options,
                          static_cast<Journal&&>(journal));
}

/// A value without its allocator: a mistake, explained.
template <class Allocator, class Patch>
json::error apply_json_patch(json::basic_value<Allocator>&, const Patch&,
                             const json_patch_options& = {}) {
  static_assert(json::core::mistaken<Allocator>,
                "merge::apply_json_patch: a RapidJSON value needs its allocator: "
                "apply_json_patch(value, patch, allocator)");
  return json::errc::wrong_type;
}

/// Sends the JSON Patch from `from` to `to` to `handler`, a RapidJSON handler such as
/// json::text_writer. Applying it to `from` gives a value equal to `to`; for equal values it is [].
///
/// Operations: for each difference as for_each_difference() finds it, in that order, an `add`,
/// `remove` or `replace`; never a `move` or `copy`. An array is replaced as a whole where that is
/// the shorter text. With options.tests a `test` before each `remove` and `replace`.
/// Errors: depth_exceeded, not_finite, each with the place in `to`, and found before the first
/// event; out_of_memory, before or after it; handler_stopped when the handler returns false. NaN
/// in `from` is an error with options.tests alone.
/// Cost: as for_each_difference(), and the values that are in the patch. An array that differs
/// inside is measured once for each array around it. Memory: some 64 bytes for each operation and
/// for each object or array around one.
template <class From, class To, class Handler>
json::error diff_json_patch(const From& from, const To& to, Handler& handler,
                            const json_patch_options& options = {});

/// The same as a value in `allocator`. On an error `patch` is as it was.
template <class From, class To, class PatchAllocator>
json::error diff_json_patch(const From& from, const To& to,
                            json::basic_value<PatchAllocator>& patch, PatchAllocator& allocator,
                            const json_patch_options& options = {});
/// The same into a RapidJSON document, or one that keeps itself compact.
template <class From, class To, class PatchAllocator, class StackAllocator>
json::error diff_json_patch(const From& from, const To& to,
                            json::basic_document<PatchAllocator, StackAllocator>& patch,
                            const json_patch_options& options = {}) {
  json::basic_value<PatchAllocator>& root = patch;
  return diff_json_patch(from, to, root, patch.GetAllocator(), options);
}
template <class From, class To>
json::error diff_json_patch(const From& from, const To& to, json::document& patch,
                            const json_patch_options& options = {});

}  // namespace functions

/// Appends to `out` the JSON text `document` with the JSON text `patch` applied, as
/// apply_json_patch() does it to a tree. What is not changed keeps its bytes, white space included;
/// new values are spelled as in `patch`, with the white space of their neighbours around them.
///
/// Shape: `out` is what json::write accepts; it must not be where a text is.
/// Errors: those of apply_json_patch(), and those of json::read but for the size of numbers, with
/// error::text(); out_of_memory, with error::needed() when `out` is full. On an error `out` is as it
/// was. Numbers are never rounded, and compared as diff_text() compares them. For trusted texts see
/// diff_text(). max_copied_bytes counts bytes of text.
/// Cost: each object or array on the way to a place is gone over once, when an operation leads into
/// it first; then as apply_json_patch(), 8 bytes being moved for each element. A `test`, `copy` or
/// `replace` of an object or array that was changed before writes it once more. Checked, one strict
/// pass over each text more. Memory: some 100 bytes for each member or element of those objects and
/// arrays.
template <class Output>
json::error apply_json_patch_text(std::string_view document, std::string_view patch, Output& out,
                                  const json_patch_options& options = {});

/// Appends to `out` the JSON Patch from the JSON text `from` to the JSON text `to`, compact, with
/// the values as `to` spells them; those of `test` operations as `from` does.
///
/// Shape: `out` is what json::write accepts; it must not be where a text is. Numbers are compared as
/// diff_text() compares them, and never rounded.
/// Errors: those of json::read but for the size of numbers, with error::text(); out_of_memory. On
/// an error `out` is as it was.
/// Cost: as for_each_difference_text().
template <class Output>
json::error diff_json_patch_text(std::string_view from, std::string_view to, Output& out,
                                 const json_patch_options& options = {});

// ---------------------------------------------------------------------------------------------

namespace detail {

/// A text_sink as an output: a full one counts on, and says so at the end.
struct sink_output {
  core::text_sink& sink;
  bool append(const char* text, std::size_t length) {
    sink.put(text, length);
    return true;
  }
};

/// Applies a patch, or puts everything back. `size` is set when it succeeds.
template <class Value, class Patch, class Journal>
error carry_out_json_patch(Value& target, const Patch& patch,
                           typename Value::AllocatorType& allocator, const json_patch_options& o,
                           Journal& journal, size_change& size) {
  static_assert(
      core::is_journal<Journal, Value>,
      "merge::apply_json_patch: the journal is called as journal(const json::location&, const "
      "Value* old_value, const Value* new_value), with Value the target's type");
  if constexpr (core::is_journal<Journal, Value>) {
    const auto mark = core::position(allocator);
    json_patch_run<Value, Patch> run(target, allocator, o, o.max_copied_bytes);
    auto& edits = run.edits();
    error failure;
    if (!run.run(patch)) failure = run.failure();
    const bool tells = !std::is_same_v<std::remove_const_t<Journal>, no_journal>;
    if (!failure && tells && edits.told() != 0) {
      if (!edits.reserve_steps()) {
        failure = errc::out_of_memory;
      } else {
        edits.undo_all();
        if (core::reserve_journal(journal, edits.told(), 0)) {
          edits.redo_all(journal);
        } else {
          edits.abandon();
          core::give_back(allocator, mark);
          return errc::handler_stopped;
        }
      }
    }
    if (failure) {
      edits.undo_all();
      edits.abandon();
      core::give_back(allocator, mark);
      return failure;
    }
    edits.commit();
    size = run.size();
    return {};
  } else {
    return errc::wrong_type;
  }
}

}  // namespace detail

namespace functions {

template <class Allocator, class Patch, class Journal>
json::error apply_json_patch(json::basic_value<Allocator>& target, const Patch& patch,
                             Allocator& allocator, const json_patch_options& options,
                             Journal&& journal) {
  detail::size_change size;
  return detail::carry_out_json_patch(target, json::core::value_of(patch), allocator, options,
                                      journal, size);
}

template <class Patch, class Journal>
json::error apply_json_patch(json::document& target, const Patch& patch,
                             const json_patch_options& options, Journal&& journal) {
  using access = json::core::document_access;
  const auto& source = json::core::value_of(patch);
  detail::size_change size;
  json::arena left;  // what held the tree until now: strings of the patch may be there
  for (bool again = access::in_buffer(target);; again = false) {
    json::error failure = detail::carry_out_json_patch(
        access::root(target), source, access::memory(target), options, journal, size);
    if (!failure) break;
    // In a buffer, what earlier writes have left may be in the way.
    if (failure.code() != json::errc::out_of_memory || !again) return failure;
    if (access::make_room(target, access::free_bytes(target) + 1, left)) return failure;
  }
  access::settle(target, size.added, size.freed);
  return {};
}

template <class From, class To, class Handler>
json::error diff_json_patch(const From& from, const To& to, Handler& handler,
                            const json_patch_options& options) {
  static_assert(json::core::is_handler<Handler>,
                "merge::diff_json_patch: the third argument is a RapidJSON handler, a RapidJSON "
                "document, a json::document, or a value followed by its allocator");
  if constexpr (json::core::is_handler<Handler>) {
    using from_value = json::core::value_type_of<From>;
    using to_value = json::core::value_type_of<To>;
    using maker_type =
        detail::json_patch_maker<detail::tree_values<from_value>, detail::tree_values<to_value>>;
    detail::tree_model<from_value, to_value> model(options);
    maker_type maker(options, options.tests);
    detail::difference_walk<decltype(model), maker_type> walk(model, maker, options);
    if (!walk.run(&json::core::value_of(from), &json::core::value_of(to)))
      return maker.why() ? maker.why() : walk.failure();
    return maker.send(handler);
  } else {
    return json::errc::handler_stopped;
  }
}

template <class From, class To, class PatchAllocator>
json::error diff_json_patch(const From& from, const To& to,
                            json::basic_value<PatchAllocator>& patch, PatchAllocator& allocator,
                            const json_patch_options& options) {
  const auto& before = json::core::value_of(from);
  const auto& after = json::core::value_of(to);
  json::core::tree_builder<PatchAllocator> builder(allocator, options.memory);
  return builder.build(
      patch, [&](auto& handler) { return diff_json_patch(before, after, handler, options); });
}

template <class From, class To>
json::error diff_json_patch(const From& from, const To& to, json::document& patch,
                            const json_patch_options& options) {
  const auto& before = json::core::value_of(from);
  const auto& after = json::core::value_of(to);
  json::error failure = json::core::document_access::rebuild(
      patch, 0, [&](auto& handler) { return diff_json_patch(before, after, handler, options); });
  if (!failure) json::core::document_access::settle(patch, 0, 0);
  return failure;
}

}  // namespace functions

template <class Output>
json::error diff_json_patch_text(std::string_view from, std::string_view to, Output& out,
                                 const json_patch_options& options) {
  static_assert(base::is_output<Output>,
                "merge::diff_json_patch_text: the output needs append(const char*, std::size_t), "
                "size() and resize(std::size_t)");
  detail::json_patch_maker<detail::text_values, detail::text_values> maker(options, options.tests);
  if (json::error e = detail::walk_difference(from, to, maker, options))
    return maker.why() ? maker.why() : e;
  core::text_sink sink(out);
  detail::sink_output pieces{sink};
  json::text_writer writer(pieces);
  json::error failure = maker.send(writer);
  if (!failure) failure = sink.finish();
  if (!failure) sink.keep();
  return failure;
}

template <class Output>
json::error apply_json_patch_text(std::string_view document, std::string_view patch, Output& out,
                                  const json_patch_options& options) {
  static_assert(base::is_output<Output>,
                "merge::apply_json_patch_text: the output needs append(const char*, std::size_t), "
                "size() and resize(std::size_t)");
  if (options.trust == text_trust::checked) {
    if (json::error e = core::check_texts(document, patch, options)) return e;
  }
  const std::string_view operations = json::core::trimmed(patch);
  if (json::core::trimmed(document).empty() || operations.empty())
    return core::check_texts(document, patch, options);
  detail::json_patch_text_run run(document, operations, options, options.max_copied_bytes);
  if (!run.run()) {
    if (run.broken()) {
      if (json::error better = core::check_texts(document, patch, options)) return better;
    }
    return run.failure();
  }
  core::text_sink sink(out);
  detail::sink_output pieces{sink};
  if (!run.pieces().write(pieces)) return json::errc::out_of_memory;
  json::error failure = sink.finish();
  if (!failure) sink.keep();
  return failure;
}

}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
