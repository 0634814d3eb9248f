/// A device's copy of desired: brought up to date by changes and by fetched twins, and what
/// changed.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <cstring>      // std::memcpy
#include <string_view>  // std::string_view

#include "../../json/find_text.hpp"
#include "../../protocol/topic.hpp"
#include "../action.hpp"
#include "change_records.hpp"
#include "match_texts.hpp"
#include "twin_texts.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// Whether `next` is the version after `version`; the last one has none.
constexpr bool is_next_version(std::int64_t version, std::int64_t next) noexcept {
  return version != INT64_MAX && next == version + 1;
}

/// Reads a `$version` as it is spelled; no_version when it is empty. False when it is invalid.
inline bool read_version(std::string_view spelled, std::int64_t& version) noexcept {
  version = no_version;
  if (spelled.empty()) return true;
  return json::core::text_to(spelled, version) == json::errc::ok && version >= 0;
}

/// Desired and its version. Changes may come in any order, and while the twin is asked for: those
/// are kept and applied when their turn comes.
///
/// A function that returns bool returns false when it failed; the texts' failure() then says why.
class desired_copy {
 public:
  /// All that an event can change beside the texts.
  struct state {
    std::int64_t version = no_version;
    std::int64_t newest_since_asked = no_version;  ///< of the changes since the twin was asked for
    std::int64_t newest_heard = no_version;        ///< of all changes since the last twin came
  };

  desired_copy(twin_texts& texts, state& now) noexcept : texts_(texts), now_(now) {}

  std::int64_t version() const noexcept { return now_.version; }
  /// Whether a change that was heard of is missing.
  bool misses_changes() const noexcept { return now_.newest_heard > now_.version; }
  /// The changes that the caller has not read, as one batch.
  text_changes changes() const noexcept {
    return {texts_.view(twin_texts::records), texts_.view(twin_texts::old_desired),
            texts_.view(twin_texts::change_patch)};
  }
  bool has_changes() const noexcept { return !texts_.empty(twin_texts::records); }
  void forget_changes() noexcept {
    texts_.drop(twin_texts::old_desired);
    texts_.drop(twin_texts::change_patch);
    texts_.drop(twin_texts::records);
  }

  // --- the connection -------------------------------------------------------------------------

  void forget_kept() noexcept { texts_.drop(twin_texts::kept_changes); }
  void connected() noexcept {
    now_.newest_heard = no_version;
    forget_kept();
  }
  /// The twin is asked for now.
  void asked() noexcept { now_.newest_since_asked = no_version; }
  void heard_of(std::int64_t version) noexcept {
    if (version > now_.newest_since_asked) now_.newest_since_asked = version;
    if (version > now_.newest_heard) now_.newest_heard = version;
  }

  // --- changes --------------------------------------------------------------------------------

  /// Reads a change into `incoming`. `version` is that of the topic and becomes that of the change;
  /// the two must agree.
  bool read_change(std::string_view payload, std::int64_t& version);
  /// Keeps the change in `incoming`, which was `size` bytes long, until the twin is here. When
  /// there is no room for it, the twin will be asked for once more.
  void keep_change(std::int64_t version, std::size_t size);
  /// Applies the change in `incoming`, which is the next one, and the kept changes behind it.
  bool apply_incoming();
  /// Applies the kept changes that are next.
  bool apply_kept();
  /// No change is missing any more.
  void settle() noexcept {
    forget_kept();
    now_.newest_since_asked = no_version;
  }

  // --- a fetched twin -------------------------------------------------------------------------

  /// Takes the fetched section, which has `version`, and the kept changes behind it.
  bool take_section(std::string_view object, std::int64_t version);
  /// What was heard of before the twin was asked for is in it. True when newer changes came and
  /// were not all kept.
  bool outdated() noexcept {
    now_.newest_heard = now_.newest_since_asked;
    if (misses_changes()) return true;
    now_.newest_heard = now_.newest_since_asked = no_version;
    return false;
  }

 private:
  using output = twin_texts::output;
  /// Stands before each kept change.
  struct kept_head {
    std::int64_t version;
    std::uint32_t size;
  };

  bool find_kept(std::int64_t version, twin_texts::piece& change) const noexcept;
  bool apply_kept(twin_texts::name from, std::int64_t& version);
  bool become_merged();
  bool become_scratch();
  bool become_first();
  bool record_difference(twin_texts::name old);

  twin_texts& texts_;
  state& now_;
};

inline bool desired_copy::read_change(std::string_view payload, std::int64_t& version) {
  const auto invalid = [this](const char* pointer) {
    return texts_.fail(json::error(json::errc::not_a_twin).at(json::core::pointer_text{pointer}));
  };
  if (!texts_.check(payload)) return false;
  payload = json::core::trimmed(payload);
  if (payload.front() != '{') return invalid("");
  std::string_view spelled;
  if (!texts_.compact(twin_texts::incoming, payload, {true, false}, spelled)) return false;
  const std::int64_t of_topic = version;
  const bool valid = read_version(spelled, version);
  if (version == no_version) version = of_topic;
  if (!valid || version == no_version || (of_topic != no_version && of_topic != version))
    return invalid("/$version");
  return true;
}

inline void desired_copy::keep_change(std::int64_t version, std::size_t size) {
  heard_of(version);
  if (texts_.view(twin_texts::kept_changes).size() + size + sizeof(kept_head) >
      texts_.options().max_kept)
    return;
  static_cast<void>(texts_.build(twin_texts::kept_changes, [&](output& out) {
    const std::string_view all = texts_.view(twin_texts::kept_changes);
    const std::string_view change = texts_.view(twin_texts::incoming);
    const kept_head head{version, static_cast<std::uint32_t>(change.size())};
    char bytes[sizeof head] = {};
    std::memcpy(bytes, &head, sizeof head);
    return (out.append(all.data(), all.size()) && out.append(bytes, sizeof bytes) &&
            out.append(change.data(), change.size())) ||
           texts_.out_of_memory();
  }));
}

/// Finds the kept change that follows a version.
inline bool desired_copy::find_kept(std::int64_t version,
                                    twin_texts::piece& change) const noexcept {
  const std::string_view all = texts_.view(twin_texts::kept_changes);
  kept_head head{};
  for (std::size_t at = 0; at < all.size(); at += head.size) {
    std::memcpy(&head, all.data() + at, sizeof head);
    at += sizeof head;
    if (!is_next_version(version, head.version)) continue;
    change = {twin_texts::kept_changes, static_cast<std::uint32_t>(at), head.size};
    return true;
  }
  return false;
}

/// Makes scratch_a from a text that has this version, and the kept changes behind it, in the order
/// of their versions, until one is missing. Cost: a pass over the section for each change; max_kept
/// limits their number.
inline bool desired_copy::apply_kept(twin_texts::name from, std::int64_t& version) {
  for (twin_texts::piece change{twin_texts::kept_changes}; find_kept(version, change);
       from = twin_texts::scratch_a) {
    if (!texts_.merge(twin_texts::scratch_a, {from}, change)) return false;
    ++version;
  }
  return true;
}

inline bool desired_copy::apply_incoming() {
  std::int64_t version = now_.version + 1;
  twin_texts::piece change{twin_texts::kept_changes};
  if (!find_kept(version, change)) {
    now_.version = version;
    return become_merged();
  }
  if (!texts_.merge(twin_texts::scratch_a, {twin_texts::desired}, {twin_texts::incoming}) ||
      !apply_kept(twin_texts::scratch_a, version))
    return false;
  texts_.drop(twin_texts::incoming);
  now_.version = version;
  return become_scratch();
}

inline bool desired_copy::apply_kept() {
  std::int64_t version = now_.version;
  if (!apply_kept(twin_texts::desired, version)) return false;
  if (version == now_.version) return true;
  now_.version = version;
  return become_scratch();
}

inline bool desired_copy::take_section(std::string_view object, std::int64_t version) {
  if (!texts_.compact(twin_texts::scratch_a, object, {true, true}) ||
      !apply_kept(twin_texts::scratch_a, version))
    return false;
  forget_kept();
  now_.version = version;
  return become_scratch();
}

/// Applies `incoming` to desired and records what changed, in one pass where it can.
inline bool desired_copy::become_merged() {
  if (has_changes()) {
    return texts_.merge(twin_texts::scratch_a, {twin_texts::desired}, {twin_texts::incoming}) &&
           become_scratch();
  }
  if (!texts_.merge_and_record(twin_texts::scratch_a, {twin_texts::desired},
                               {twin_texts::incoming}))
    return false;
  if (!has_changes()) {
    texts_.drop(twin_texts::incoming);
    return true;
  }
  texts_.move(twin_texts::incoming, twin_texts::change_patch);
  texts_.move(twin_texts::desired, twin_texts::old_desired);
  texts_.move(twin_texts::scratch_a, twin_texts::desired);
  return true;
}

/// Desired becomes scratch_a. Records the difference; when there are changes that were not read,
/// the difference to what was before them.
inline bool desired_copy::become_scratch() {
  if (texts_.view(twin_texts::scratch_a) == texts_.object(twin_texts::desired)) return true;
  if (texts_.empty(twin_texts::desired)) return become_first();
  const bool joins = has_changes();
  const twin_texts::name old = joins ? twin_texts::old_desired : twin_texts::desired;
  if (!texts_.difference(twin_texts::change_patch, {old}, {twin_texts::scratch_a},
                         json::text_numbers::exact))
    return false;
  const bool same = texts_.view(twin_texts::change_patch) == "{}";
  if (!same && !record_difference(old)) return false;
  if (!joins && !same) texts_.move(twin_texts::desired, twin_texts::old_desired);
  if (joins || !same) texts_.move(twin_texts::scratch_a, twin_texts::desired);
  if (same) forget_changes();
  return true;
}

/// Records the changes that `change_patch` makes to a text.
inline bool desired_copy::record_difference(twin_texts::name old) {
  return texts_.build(twin_texts::records, [&](output& out) {
    const std::string_view old_text = texts_.object(old);
    const std::string_view new_text = texts_.view(twin_texts::change_patch);
    const merge::text_options o = texts_.rules();
    if (texts_.is_fixed()) {
      return tell_patch(out, old_text, new_text, o.memory) || texts_.out_of_memory();
    }
    placed<merge::core::text_merge> merge(o.memory, o);
    if (!merge) return texts_.out_of_memory();
    if (!merge->make(old_text, new_text)) return texts_.fail(merge->failure());
    return write_changes(merge->plan(), o.memory, out, old_text, new_text) ||
           texts_.out_of_memory();
  });
}

/// The first desired section is the change itself: each member is new.
inline bool desired_copy::become_first() {
  texts_.move(twin_texts::scratch_a, twin_texts::change_patch);
  texts_.share(twin_texts::change_patch, twin_texts::desired);
  return texts_.build(twin_texts::records, [&](output& out) {
    return write_members(texts_.view(twin_texts::change_patch), texts_.working(), out) ||
           texts_.out_of_memory();
  });
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
