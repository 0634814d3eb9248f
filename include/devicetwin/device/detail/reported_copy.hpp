/// A device's reported: what the hub has, what the device wants, and the patch between them that is
/// sent.
#pragma once

#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view

#include "../../json/find_text.hpp"
#include "../../protocol/topic.hpp"
#include "compact.hpp"
#include "early_reports.hpp"
#include "report_rules.hpp"
#include "twin_texts.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// Reported as acknowledged, as wanted, and the patch in flight.
///
/// A function that returns bool returns false when it failed; the texts' failure() then says why.
class reported_copy {
 public:
  /// All that an event can change beside the texts.
  struct state {
    std::int64_t version = no_version;
    bool known = false;             ///< a twin came: reports are no longer kept as patches
    bool has_wanted = false;        ///< the device wants something else than what is acknowledged
    bool sent_is_all = false;       ///< the patch in flight is all that was pending
    bool incoming_is_next = false;  ///< the report in `incoming` is the patch to be sent
  };

  reported_copy(twin_texts& texts, state& now) noexcept : texts_(texts), now_(now) {}

  std::string_view wanted() const noexcept { return texts_.object(wanted_name()); }
  bool in_flight() const noexcept { return !texts_.empty(twin_texts::sent); }
  /// Whether there may be something to send.
  bool pending() const noexcept { return now_.has_wanted; }

  /// Takes the fetched section.
  bool take_section(std::string_view object);
  /// Takes a report. See device_session::report().
  bool report(std::string_view patch);

  enum class next : unsigned char { failed, nothing, patch, too_long };
  /// Makes the next patch, `sent`. too_long when one leaf alone is longer than a message: a removal
  /// of what others put there, for reports are checked.
  next next_patch();
  /// The hub took the patch in flight.
  bool accepted();
  /// The patch in flight is refused for good. It is dropped; what was reported after it stays.
  bool refused();

 private:
  twin_texts::name wanted_name() const noexcept {
    return now_.has_wanted ? twin_texts::wanted : twin_texts::acknowledged;
  }
  void forget_wanted() noexcept {
    texts_.drop(twin_texts::wanted);
    now_.has_wanted = false;
  }
  bool rebase_wanted();

  twin_texts& texts_;
  state& now_;
};

inline bool reported_copy::take_section(std::string_view object) {
  if (!texts_.compact(twin_texts::scratch_a, object, {true, true})) return false;
  if (!now_.known) {
    texts_.move(twin_texts::scratch_a, twin_texts::acknowledged);
    forget_wanted();
    const auto apply = [this](const twin_texts::piece& patch) {
      if (!texts_.merge(twin_texts::wanted, {wanted_name()}, patch)) return false;
      return now_.has_wanted = true;
    };
    if (!apply_early_reports(texts_, apply)) return false;
    now_.known = true;
  } else {
    if (texts_.options().who == authority::shared) {
      if (!rebase_wanted()) return false;
    } else if (!now_.has_wanted &&
               texts_.view(twin_texts::scratch_a) != texts_.object(twin_texts::acknowledged)) {
      texts_.move(twin_texts::acknowledged, twin_texts::wanted);
      now_.has_wanted = true;
    }
    texts_.move(twin_texts::scratch_a, twin_texts::acknowledged);
  }
  texts_.drop(twin_texts::sent);
  return true;
}

/// What is wanted goes on top of the section in scratch_a: first the patch in flight, which may
/// have arrived or not; then what came after it. See merge::outbox::reconnect().
inline bool reported_copy::rebase_wanted() {
  if (!now_.has_wanted && !in_flight()) return true;
  twin_texts::name old_base = twin_texts::acknowledged, new_base = twin_texts::scratch_a;
  if (in_flight()) {
    if (!texts_.merge(twin_texts::scratch_b, {twin_texts::acknowledged}, {twin_texts::sent}))
      return false;
    old_base = twin_texts::scratch_b;
  }
  if (!texts_.difference(twin_texts::scratch_c, {old_base}, {wanted_name()},
                         json::text_numbers::as_stored))
    return false;
  if (in_flight()) {
    if (!texts_.merge(twin_texts::scratch_b, {twin_texts::scratch_a}, {twin_texts::sent}))
      return false;
    new_base = twin_texts::scratch_b;
  }
  if (!texts_.merge(twin_texts::wanted, {new_base}, {twin_texts::scratch_c})) return false;
  now_.has_wanted = true;
  return true;
}

inline bool reported_copy::report(std::string_view patch) {
  if (!check_report(texts_, patch)) return false;
  patch = json::core::trimmed(patch);
  if (patch.front() != '{')
    return texts_.fail(json::error(json::errc::not_a_twin).at(json::core::pointer_text{{}}));
  merge_effect effect{};
  if (!texts_.compact(twin_texts::incoming, patch, {false, false}) || !check_leaves(texts_) ||
      !texts_.merge(twin_texts::scratch_a, {wanted_name()}, {twin_texts::incoming}, &effect) ||
      !check_size(texts_, wanted(), texts_.view(twin_texts::scratch_a)))
    return false;
  if (effect.changes.all != 0) {
    // Where nothing else is pending, each leaf changes something that is to be sent, and each null
    // removes something, the patch is the difference.
    const leaf_count leaves = count_leaves(texts_.view(twin_texts::incoming));
    now_.incoming_is_next = now_.known && !now_.has_wanted && !in_flight() && effect.all_sent &&
                            leaves.all == effect.changes.all &&
                            leaves.nulls == effect.changes.nulls;
    texts_.move(twin_texts::scratch_a, twin_texts::wanted);
    now_.has_wanted = true;
    now_.sent_is_all = false;
  }
  if (!now_.known && !add_early_report(texts_)) return false;
  if (!now_.incoming_is_next) texts_.drop(twin_texts::incoming);
  return true;
}

inline reported_copy::next reported_copy::next_patch() {
  if (now_.incoming_is_next) {
    texts_.move(twin_texts::incoming, twin_texts::sent);
    now_.incoming_is_next = false;
  } else if (!texts_.difference(twin_texts::sent, {twin_texts::acknowledged}, {twin_texts::wanted},
                                json::text_numbers::as_stored)) {
    return next::failed;
  }
  if (texts_.view(twin_texts::sent) == "{}") {
    // The hub has it, perhaps with other digits. Those of the device stay.
    texts_.drop(twin_texts::sent);
    texts_.move(twin_texts::wanted, twin_texts::acknowledged);
    now_.has_wanted = false;
    return next::nothing;
  }
  const std::size_t limit = texts_.options().max_payload;
  now_.sent_is_all = texts_.view(twin_texts::sent).size() <= limit;
  if (now_.sent_is_all) return next::patch;
  const bool cut = texts_.build(twin_texts::sent, [&](twin_texts::output& out) {
    return texts_.good(
        text_splitter(texts_.view(twin_texts::sent), texts_.working()).first_part(limit, out));
  });
  if (!cut) return next::failed;
  return texts_.view(twin_texts::sent).size() <= limit ? next::patch : next::too_long;
}

inline bool reported_copy::accepted() {
  if (!now_.sent_is_all) {
    if (!texts_.merge(twin_texts::acknowledged, {twin_texts::acknowledged}, {twin_texts::sent}))
      return false;
  } else if (now_.has_wanted) {
    texts_.move(twin_texts::wanted, twin_texts::acknowledged);
    now_.has_wanted = false;
  }
  texts_.drop(twin_texts::sent);
  return true;
}

inline bool reported_copy::refused() {
  if (now_.sent_is_all) {
    forget_wanted();
  } else {
    if (!texts_.merge(twin_texts::scratch_a, {twin_texts::acknowledged}, {twin_texts::sent}) ||
        !texts_.difference(twin_texts::scratch_b, {twin_texts::scratch_a}, {wanted_name()},
                           json::text_numbers::exact))
      return false;
    texts_.drop(twin_texts::scratch_a);
    if (!texts_.merge(twin_texts::wanted, {twin_texts::acknowledged}, {twin_texts::scratch_b}))
      return false;
    now_.has_wanted = true;
  }
  texts_.drop(twin_texts::sent);
  return true;
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
