/// The texts of a device session under their names, and the functions that make one from others.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint32_t
#include <string_view>  // std::string_view

#include "../../base/memory.hpp"
#include "../../json/error.hpp"
#include "../../merge/text.hpp"
#include "../options.hpp"
#include "change_records.hpp"
#include "compact.hpp"
#include "placed.hpp"
#include "text_store.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// What a merge did.
struct merge_effect {
  leaf_count changes;  ///< all, and those that remove
  bool all_sent;       ///< none of them is only to digits that a hub does not store
};

/// Named texts in one text_store. A text is never changed in place: a function makes a new one, and
/// then its name stands for that. So the same name may be a source and the target.
///
/// begin() starts an event, and rollback() brings back all texts as they were then.
///
/// A function that returns bool returns false when it failed; failure() then says why.
class twin_texts {
 public:
  enum name : unsigned char {
    desired,        ///< compact, as all texts here
    acknowledged,   ///< reported as the hub has acknowledged it
    wanted,         ///< reported as the device wants it, where that is something else
    sent,           ///< the reported patch whose answer did not come yet
    early_reports,  ///< patches reported before the first twin came; see early_reports.hpp
    kept_changes,   ///< changes that came while the twin was asked for; see desired_copy.hpp
    // What the caller has not read yet.
    old_desired,   ///< desired before the changes
    change_patch,  ///< what made the changes; the new values stand in it
    records,       ///< the changes, as text_changes reads them; empty when there are none
    refusals,      ///< see refusals.hpp
    // From here on, the texts of one event.
    incoming,  ///< the patch that came: a change of desired, or a report
    scratch_a,
    scratch_b,
    scratch_c,
    name_count
  };
  static constexpr name first_of_event = incoming;
  static_assert(name_count <= text_store::most_regions);

  /// A text, or a piece of one. Making room moves texts, so functions take this and not a view.
  struct piece {
    name of;
    std::uint32_t at = 0;
    std::uint32_t size = static_cast<std::uint32_t>(-1);
  };
  using output = store_output;

  twin_texts(const device_options& options, const memory_source& heap) noexcept
      : options_(options), store_(heap) {}
  twin_texts(const device_options& options, void* buffer, std::size_t bytes) noexcept
      : options_(options), store_(buffer, bytes) {}
  twin_texts(const twin_texts&) = delete;
  twin_texts& operator=(const twin_texts&) = delete;

  const device_options& options() const noexcept { return options_; }

  // --- an event -------------------------------------------------------------------------------

  void begin() noexcept {
    std::size_t top = 0;
    for (unsigned n = 0; n < name_count; ++n) {
      region& r = texts_[n];
      if (n >= first_of_event) r = {};
      const std::size_t end = r.size == 0 ? 0 : r.at + std::size_t{r.size};
      if (end > top) top = end;
    }
    store_.set_top(top);
    store_.tidy(texts_, name_count);
    checkpoint();
  }
  /// What was done so far stands, whatever comes after it.
  void checkpoint() noexcept {
    for (unsigned n = 0; n < name_count; ++n) before_[n] = texts_[n];
  }
  void rollback() noexcept {
    for (unsigned n = 0; n < name_count; ++n) texts_[n] = before_[n];
  }

  // --- reading --------------------------------------------------------------------------------

  std::string_view view(name n) const noexcept { return store_.text(texts_[n]); }
  bool empty(name n) const noexcept { return texts_[n].size == 0; }
  /// The text of an object; that of an empty one when there is no text yet.
  std::string_view object(name n) const noexcept {
    return empty(n) ? std::string_view("{}") : view(n);
  }
  std::string_view object(const piece& p) const noexcept {
    return object(p.of).substr(p.at, p.size);
  }

  // --- naming ---------------------------------------------------------------------------------

  void drop(name n) noexcept { texts_[n] = {}; }
  void move(name from, name to) noexcept {
    texts_[to] = texts_[from];
    drop(from);
  }
  /// Drops the first bytes of a text.
  void drop_front(name n, std::size_t bytes) noexcept {
    texts_[n].at += static_cast<std::uint32_t>(bytes);
    texts_[n].size -= static_cast<std::uint32_t>(bytes);
  }
  void drop_scratch() noexcept { texts_[scratch_a] = texts_[scratch_b] = texts_[scratch_c] = {}; }
  /// Two names for one text.
  void share(name from, name to) noexcept { texts_[to] = texts_[from]; }
  /// What a text has beyond `size` bytes becomes another text.
  void split(name n, std::size_t size, name rest) noexcept {
    region& all = texts_[n];
    texts_[rest] = {static_cast<std::uint32_t>(all.at + size),
                    static_cast<std::uint32_t>(all.size - size)};
    all.size = static_cast<std::uint32_t>(size);
  }

  // --- failing --------------------------------------------------------------------------------

  const json::error& failure() const noexcept { return failure_; }
  json::error& failure() noexcept { return failure_; }
  bool fail(const json::error& e) noexcept {
    failure_ = e;
    return false;
  }
  bool fail(json::errc code) noexcept {  // apart, because an error is large for a small stack
    failure_ = code;
    return false;
  }
  bool out_of_memory() noexcept { return fail(json::errc::out_of_memory); }
  bool good(const json::error& e) noexcept { return !e || fail(e); }
  /// Calls `attempt()` until it succeeds, making room between when memory was short. It must look
  /// up texts each time.
  template <class Attempt>
  bool retry(Attempt&& attempt) {
    store_.forget_missing();
    while (!attempt()) {
      if (!more_room()) return false;
    }
    return true;
  }

  // --- memory ---------------------------------------------------------------------------------

  memory_source working() noexcept { return store_.working(); }
  /// Whether the texts are in a caller's block, and nothing is on a heap.
  bool is_fixed() const noexcept { return store_.is_fixed(); }
  /// Room for `bytes` behind what `out` has; a null pointer when there is none.
  char* room(std::size_t bytes) noexcept { return store_.room(bytes); }

  /// The options of the text functions. In a section null means that there is no such member,
  /// whatever the dialect keeps.
  merge::text_options rules(merge::null_rule nulls = merge::null_rule::remove) noexcept {
    merge::text_options o;
    o.nulls = nulls;
    o.numbers = options_.rules->numbers;
    o.memory = store_.working();
    return o;
  }

  // --- making texts ---------------------------------------------------------------------------

  /// The text that `fill(output)` writes. It is called until it fits, and must look up texts each
  /// time.
  template <class Fill>
  bool build(name to, Fill&& fill) {
    return retry([&] {
      output out(store_);
      fail(json::errc::ok);  // the engine writes to it where something goes wrong
      if (fill(out)) {
        texts_[to] = out.made();
        return true;
      }
      out.resize(0);
      return false;
    });
  }
  /// A copy of `text`, which is not one of these texts.
  bool copy(name to, std::string_view text) {
    return build(
        to, [&](output& out) { return out.append(text.data(), text.size()) || out_of_memory(); });
  }
  /// `object`, which is not one of these texts, without white space; see copy_compact(). `version`
  /// becomes the `$version` that was left out.
  bool compact(name to, std::string_view object, leave_out without, std::string_view& version) {
    return build(to, [&](output&) {
      char* const room = store_.room(object.size());
      if (room == nullptr) return out_of_memory();
      const char* const end = copy_compact(object, without, room, version);
      store_.set_top(store_.top() + static_cast<std::size_t>(end - room));
      return true;
    });
  }
  bool compact(name to, std::string_view object, leave_out without) {
    std::string_view version;
    return compact(to, object, without, version);
  }
  /// The smallest merge patch from one text to another.
  bool difference(name to, const piece& from, const piece& onto, json::text_numbers numbers);
  /// A document with a patch applied.
  bool merge(name to, const piece& document, const piece& patch, merge_effect* effect = nullptr) {
    return merge_and(also::nothing, to, to, document, patch, effect);
  }
  /// A document with a patch applied; `records` becomes the changes, as text_changes reads them.
  bool merge_and_record(name to, const piece& document, const piece& patch) {
    return merge_and(also::changes, to, records, document, patch, nullptr);
  }
  /// The merge patch that does what two patches do one after the other, as far as one can: not
  /// where the later one puts an object in the place of something else. `removals` becomes a patch
  /// that removes what was at those places, or is empty.
  bool join(name to, name removals, const piece& earlier, const piece& later) {
    return merge_and(also::removals, to, removals, earlier, later, nullptr);
  }
  /// Whether `text`, which is not one of these texts, is JSON.
  bool check(std::string_view text) {
    return retry([&] { return good(merge::core::check_text(text, 0, rules())); });
  }

 private:
  enum class also : unsigned char { nothing, changes, removals };
  /// One function for all merges, because the code of a merge is large. `rest` becomes what is also
  /// asked for.
  bool merge_and(also what, name to, name rest, const piece& document, const piece& patch,
                 merge_effect* effect);
  /// After a failure: whether there is more room now, when memory was short.
  bool more_room() noexcept;

  const device_options& options_;
  text_store store_;
  region texts_[name_count];
  region before_[name_count];
  json::error failure_;
};

inline bool twin_texts::more_room() noexcept {
  if (failure_.code() != json::errc::out_of_memory) return false;
  if (failure_.needed() != 0)
    static_cast<void>(
        store_.room(static_cast<std::size_t>(failure_.needed())));  // notes what is missing
  if (store_.make_room(texts_, before_, name_count)) return true;
  return fail(json::error(json::errc::out_of_memory).needing(store_.needed()));
}

inline bool twin_texts::difference(name to, const piece& from, const piece& onto,
                                   json::text_numbers numbers) {
  return build(to, [&](output& out) {
    merge::text_options o = rules();
    o.number_texts = numbers;
    merge::core::text_sink sink(out);
    placed<merge::core::text_diff> walk(o.memory, merge::core::text_rules_of(o), &sink, o.memory);
    if (!walk) return out_of_memory();
    walk->run(object(from), object(onto));
    if (!good(walk->failure()) || !good(sink.finish())) return false;
    sink.keep();
    return true;
  });
}

inline bool twin_texts::merge_and(also what, name to, name rest, const piece& document,
                                  const piece& patch, merge_effect* effect) {
  std::size_t size = 0;
  const bool built = build(to, [&](output& out) {
    const merge::text_options o =
        rules(what == also::removals ? merge::null_rule::keep : merge::null_rule::remove);
    placed<merge::core::text_merge> merge(o.memory, o);
    if (!merge) return out_of_memory();
    if (!merge->make(object(document), object(patch))) return fail(merge->failure());
    merge::core::text_plan& plan = merge->plan();
    {
      merge::core::text_sink sink(out);
      plan.write(sink);
      if (!good(sink.finish())) return false;
      sink.keep();
    }
    size = out.size();
    if (effect != nullptr) {
      effect->changes = {plan.changes(), plan.removals()};
      if (!merge->change_under(json::text_numbers::as_stored, effect->all_sent))
        return fail(merge->failure());
    }
    const bool fits =
        what == also::nothing ||
        (what == also::changes ? write_changes(plan, o.memory, out, object(document), object(patch))
                               : write_removals(plan, o.memory, out));
    return fits || out_of_memory();
  });
  if (built && rest != to) split(to, size, rest);
  return built;
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
