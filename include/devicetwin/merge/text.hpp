/// Merge patches (RFC 7396) between JSON texts, without trees: what two texts differ in, and a text
/// patched.
///
/// What is the same in both texts is passed over as bytes, and meaning is looked at only where they
/// differ. So comparing two texts takes less than reading one of them, and what a patch does not
/// touch keeps its bytes.
///
/// Numbers are compared by their decimal values (json/number_text.hpp) and never rounded. So these
/// functions see a difference in the 20th digit, which trees do not hold, and accept numbers that
/// json::read refuses: integers beyond 64 bits and numbers beyond the largest double.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view
#include <type_traits>  // std::is_same_v, std::remove_const_t

#include "../base/text_buffer.hpp"
#include "../json/error.hpp"
#include "../json/text/reader.hpp"
#include "../json/text/validate.hpp"
#include "../json/tree/handlers.hpp"
#include "../json/write.hpp"
#include "diff.hpp"
#include "journal.hpp"
#include "options.hpp"
#include "text/text_diff.hpp"
#include "text/text_failure.hpp"
#include "text/text_merge.hpp"
#include "text/text_plan.hpp"
#include "text/text_sink.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {

/// Appends to `out` the smallest merge patch from the JSON text `from` to the JSON text `to`. Where
/// trees hold all numbers exactly, it is as a tree what merge::diff gives for the two. White space,
/// order of members, escapes and spellings of numbers make no difference. Names and values in the
/// patch are spelled as in `to`, members that are gone as in `from`.
///
/// Shape: `out` is what json::write accepts (std::string, text_buffer, growable or fixed); it
/// must not be where a text is.
/// Errors: those of json::read but for the size of numbers, with line, column, pointer and
/// error::text(); null_member, kept_member as merge::diff has them, with the pointer;
/// out_of_memory, with error::needed() when `out` is full. On an error `out` is as it was. Of
/// trusted texts a fault is found only where it is looked at. They cannot do harm: nothing is read
/// outside of them, and the walk ends; but the patch is any text then.
/// Cost: trusted, equal stretches pass at the speed of memory, their brackets at some GB/s as far
/// as the last difference; each difference costs its length. An object whose members are in another order
/// is indexed to its end, which takes some 3 instructions per byte, and its members are matched by
/// hashed names, sorted when hashes collide: n log n at worst. Checked, one strict pass over each
/// text more. Memory: some 100 bytes per level beyond 16; for objects in another order 4 bytes per
/// comma and bracket of both, and 40 per member of the second text in those that are open. Such an
/// object may reach up to 2 GiB into its text (too_large). With DEVICETWIN_SMALL there is no index:
/// no such memory, and what is in members in another order is passed over once more for each object
/// around it.
template <class Output>
json::error diff_text(std::string_view from, std::string_view to, Output& out,
                      const text_options& options = {});

/// Appends to `out` the JSON text `document` with the JSON text `patch` applied, as
/// merge::apply_merge_patch does it to a tree. What is not changed keeps its bytes, white space
/// included: with a patch that changes nothing, `out` gets the very bytes of `document`. New
/// members come last, new values as `patch` spells them.
///
/// Journal: a callable
///     void (const json::location& where, const std::string_view* old_text,
///           const std::string_view* new_text)
/// told of every effective change in the order of the document, once `out` is complete; see
/// journal.hpp for the rest. The texts are those of the values, valid during the call.
/// Shape, errors, trust: as diff_text().
/// Cost: trusted, one pass over the patch, however deep it is and in whichever order its members
/// stand, and one over the document as far as the last member concerned, at some GB/s where the
/// patch changes nothing; names are looked up with hashes, or sorted where many hashes are the same.
/// With DEVICETWIN_SMALL the brackets of an object in the patch are passed over once more for each
/// object around it. Checked, one strict pass over each text more. Memory: beyond small documents,
/// some 140 bytes per open level, 24 per member of the patch's open objects, 80 per change, and 8 per
/// object of a patch of many levels.
template <class Output, class Journal = no_journal>
json::error apply_merge_patch_text(std::string_view document, std::string_view patch, Output& out,
                                   const text_options& options = {}, Journal&& journal = {});

// ---------------------------------------------------------------------------------------------

namespace core {

// Functions with much room on the stack are never inlined into those that call several of them, so
// that no two of them are there at the same time.

/// What json::read says about a text; `which` of two it is.
DEVICETWIN_NEVER_INLINE inline error read_text(std::string_view text, unsigned which,
                                               const options& o) {
  json::core::ignore_events nobody;
  error e = json::core::reader<json::core::ignore_events>(text, nobody, o.max_depth,
                                                          json::big_integer_rule::round, o.memory)
                .read();
  if (e) return static_cast<error&&>(e).of_text(which);
  return {};
}
/// The same, sooner when there is nothing to say.
inline error check_text(std::string_view text, unsigned which, const options& o) {
#if !defined(DEVICETWIN_SMALL)
  if (text.size() <= longest_text &&
      json::core::quick_validator(text, o.max_depth, o.memory).sure()) {
    return {};
  }
#endif
  return read_text(text, which, o);
}
inline error check_texts(std::string_view first, std::string_view second, const options& o) {
  if (error e = check_text(first, 1, o)) return e;
  return check_text(second, 2, o);
}

/// Writes the patch. An error for which needs_reader() is true is the reader's to explain.
DEVICETWIN_NEVER_INLINE inline error walk_texts(std::string_view from, std::string_view to,
                                                text_sink& sink, const text_options& o,
                                                bool check_second) {
  text_diff walk(text_rules_of(o), &sink, o.memory);
  if (check_second) walk.check_second();
  walk.run(from, to);
  return walk.failure();
}

inline error write_text_patch(std::string_view from, std::string_view to, text_sink& sink,
                              const text_options& o) {
  if (o.trust == text_trust::checked) {
    if (error bad = check_text(from, 1, o)) return bad;
    if constexpr (shortcuts) {  // what is the same in both is valid now
      const error failure = walk_texts(from, to, sink, o, true);
      if (!failure) return sink.finish();
      if (error worse = read_text(to, 2, o)) return worse;
      if (failure.code() == errc::null_member || failure.code() == errc::kept_member) {
        return failure;
      }
      sink.restart();
    } else {
      if (error bad = read_text(to, 2, o)) return bad;
    }
  }
  const error failure = walk_texts(from, to, sink, o, false);
  if (!failure) return sink.finish();
  if (needs_reader(failure)) {
    if (error better = check_texts(from, to, o)) return better;
  }
  return failure;
}

/// Writes the new text, then tells the journal. Errors: out_of_memory, handler_stopped.
template <class Output, class Journal>
DEVICETWIN_NEVER_INLINE error write_merged(text_plan& plan, Output& out, const options& o,
                                           Journal& journal) {
  constexpr bool told = !std::is_same_v<std::remove_const_t<Journal>, no_journal>;
  text_sink sink(out);
  text_plan::steps path(o.memory);
  plan.write(sink);
  if (error full = sink.finish()) return full;
  if constexpr (told) {
    if (plan.changes() != 0) {
      if (!plan.prepare_to_tell(path)) return errc::out_of_memory;
      if (!reserve_journal(journal, plan.changes(), 0)) return errc::handler_stopped;
    }
  }
  sink.keep();
  if constexpr (told) plan.tell(journal, path);
  return {};
}

/// Finds the changes, writes the new text and tells the journal. Errors: those of text_merge::make()
/// and write_merged(). None has a place.
template <class Output, class Journal>
DEVICETWIN_NEVER_INLINE error merge_texts(std::string_view document, std::string_view patch,
                                          Output& out, const text_options& o, Journal& journal) {
  text_merge merge(o);
  if (!merge.make(document, patch)) return merge.failure();
  return write_merged(merge.plan(), out, o, journal);
}

}  // namespace core

template <class Output>
json::error diff_text(std::string_view from, std::string_view to, Output& out,
                      const text_options& options) {
  static_assert(base::is_output<Output>,
                "merge::diff_text: the output needs append(const char*, std::size_t), size() and "
                "resize(std::size_t)");
  core::text_sink sink(out);
  json::error e = core::write_text_patch(from, to, sink, options);
  if (!e) sink.keep();
  return e;
}

template <class Output, class Journal>
json::error apply_merge_patch_text(std::string_view document, std::string_view patch, Output& out,
                                   const text_options& options, Journal&& journal) {
  static_assert(base::is_output<Output>,
                "merge::apply_merge_patch_text: the output needs append(const char*, std::size_t), "
                "size() and resize(std::size_t)");
  json::error failure;
  if (options.trust == text_trust::checked) {
    failure = core::check_texts(document, patch, options);
    if (failure) return failure;
  }
  failure = core::merge_texts(document, patch, out, options, journal);
  if (core::needs_reader(failure) || failure.code() == json::errc::depth_exceeded) {
    if (json::error better = core::check_texts(document, patch, options)) return better;
  }
  return failure;
}

}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
