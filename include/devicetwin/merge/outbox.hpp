/// What has been changed here and is still to be sent: the queue of one who is not always
/// connected.
#pragma once

#include <cstddef>      // std::size_t
#include <type_traits>  // std::remove_reference_t

#include "../json/arena.hpp"
#include "../json/error.hpp"
#include "../json/value.hpp"
#include "change.hpp"
#include "conflict.hpp"
#include "detail/change_sum.hpp"
#include "detail/split.hpp"
#include "options.hpp"
#include "tree/places.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {

/// The check of those who send anything: a callable that takes the merge patch about to be sent,
/// and gives an error when it may not be.
struct no_check {
  template <class Value>
  json::error operator()(const Value&) const noexcept {
    return {};
  }
};

/// What outbox::next() had to hand out.
class next_patch {
 public:
  next_patch() noexcept = default;
  explicit next_patch(bool handed_out) noexcept : empty_(!handed_out) {}
  /// True when there was nothing to send.
  bool empty() const noexcept { return empty_; }

 private:
  bool empty_ = true;
};

/// Keeps the changes that were made to a document here, and hands them out as merge patches, one at
/// a time, until the other side has them all. A queue that merges patches into one another brings
/// removed members back; this one composes changes, and makes each patch against the document that
/// it is for.
///
/// Its state is three things, and storing these three is storing it:
///     acknowledged()   the document as the other side is known to have had it last
///     in_flight()      the change that was handed out and not answered yet, or one that keeps all
///     pending()        the change made since, on top of that
/// and what is seen here, view(), is pending() after in_flight() after acknowledged().
///
///     idle, nothing in flight        waiting, one patch in flight
///       next(): hands out a patch    ->
///                                    <-  acknowledge(): it arrived
///                                    <-  refuse(): it was rejected, and is dropped
///                                    <-  recall(): it did not arrive, and goes back to the queue
///       reconnect(): a newer document  <-  reconnect(): the same, whether it arrived or not
/// add() is possible at any time.
///
/// Every function changes everything it says, or on an error nothing. Not for several threads at
/// once.
class outbox {
 public:
  /// Starts with null as the document: reconnect() brings the first one.
  explicit outbox(const options& options = {}) noexcept
      : options_(options),
        acknowledged_(options.memory),
        in_flight_(options.memory),
        pending_(options.memory) {}

  const json::arena_value& acknowledged() const noexcept { return acknowledged_.root(); }
  const change& in_flight() const noexcept { return in_flight_; }
  bool waiting() const noexcept { return !in_flight_.keeps(); }
  /// The changes made since, as one. Errors: out_of_memory; `out` is as it was. Cost: linear in
  /// them.
  json::error pending(change& out) const { return pending_.total(out, options_); }
  /// Whether there are any.
  bool has_pending() const noexcept { return !pending_.empty(); }

  /// The document as it is seen here. Errors: depth_exceeded, out_of_memory. Cost: linear in the
  /// document.
  json::error view(json::document& out) const;

  /// A change was made to the view. Errors: out_of_memory. Cost: linear in it; adding n changes one
  /// by one costs n * log(n), for what is pending is put together as it grows.
  json::error add(const change& made);

  /// Hands out the next merge patch, which is in flight then. Returns an empty next_patch when one
  /// is in flight already, or when nothing is left to send; `patch` is as it was then, and also on
  /// an error.
  ///
  /// The patch is the smallest that makes the view of the acknowledged document. When it is longer
  /// than `max_bytes` as compact JSON text, it is the first part of it that fits; the rest stays
  /// pending. However many parts get through, each leaf (a scalar, an array, a member that goes) is
  /// the old one or the new one; but one part may be accepted and another refused. `check` is
  /// called with the patch, and its error is given. Errors: null_member, when something was set to
  /// null; patch_too_long, when one leaf alone does not fit; those of the check; depth_exceeded,
  /// invalid_utf8, out_of_memory; with the place. What is wrong stays pending until a further
  /// change puts it right.
  template <class Check = no_check>
  json::result<next_patch> next(json::document& patch,
                                std::size_t max_bytes = static_cast<std::size_t>(-1),
                                Check&& check = {});

  /// The patch in flight arrived: it is part of the acknowledged document. Nothing, when none is in
  /// flight. Errors: out_of_memory; the patch is in flight still.
  json::error acknowledge();

  /// The patch in flight was rejected for good: its change is dropped, here too. What is pending is
  /// replayed without it as rebase() does, each conflict being told to the report. Errors: conflict
  /// (policy::fail), out_of_memory; the patch is in flight still.
  template <class Report = no_report>
  json::error refuse(policy prefer = policy::ours, Report&& report = {});

  /// The patch in flight did not arrive, for certain: its change is pending again, before the
  /// others. Errors: out_of_memory; the patch is in flight still.
  json::error recall();

  /// The document was fetched anew, after a loss of connection or because the other side refused to
  /// write to a newer one: it is what is acknowledged now, and all that is not in it yet is
  /// pending, replayed on it as rebase() does. Each conflict is told to the report, ours being what
  /// is seen here and theirs what was fetched.
  ///
  /// A patch in flight counts as arrived where the document has what it wrote. Where somebody undid
  /// it since, that cannot be told from a patch that got lost, and it is sent again. Who knows
  /// better calls acknowledge() or recall() first. Errors: conflict (policy::fail), depth_exceeded,
  /// not_finite, out_of_memory; with the place.
  template <class Newer, class Report = no_report>
  json::error reconnect(const Newer& newer, policy prefer = policy::ours, Report&& report = {});

 private:
  /// What is pending, made for `from`, as a change for `onto`: only what it really changes.
  template <class From, class Onto, class Report>
  json::error replay_pending(const From& from, const Onto& onto, change& out, policy prefer,
                             Report& report) const;

  options options_;
  json::document acknowledged_;
  change in_flight_;
  detail::change_sum pending_;
};

// ---------------------------------------------------------------------------------------------

inline json::error outbox::add(const change& made) {
  change copy(options_.memory);
  if (json::error e = copy.assign(made)) return e;
  return pending_.add(static_cast<change&&>(copy), options_);
}

inline json::error outbox::view(json::document& out) const {
  change all(options_.memory);
  if (json::error e = pending_.total(all, options_)) return e;
  if (json::error e = compose(in_flight_, all, all, options_)) return e;
  return detail::replace_by_result(out, all, acknowledged_.root(), options_);
}

template <class Check>
json::result<next_patch> outbox::next(json::document& patch, std::size_t max_bytes, Check&& check) {
  if (waiting()) return next_patch();
  const auto all = pending_.settle(options_);
  if (!all) return all.error();
  change smallest(options_.memory);
  if (json::error e = minimise(**all, acknowledged_.root(), smallest, options_)) return e;
  if (smallest.keeps()) {
    pending_.clear();
    return next_patch();
  }
  json::document whole(options_.memory), part(options_.memory), rest(options_.memory);
  if (json::error e = to_merge_patch(smallest, acknowledged_.root(), whole, options_)) return e;
  std::size_t bytes = 0;
  if (json::error e = detail::text_bytes(whole.root(), options_.memory, bytes)) return e;
  change sent(options_.memory), left(options_.memory);
  if (bytes > max_bytes) {
    if (!whole.root().IsObject())
      return json::error(json::errc::patch_too_long).limited_to(max_bytes);
    detail::patch_splitter splitter(whole.root(), options_.memory);
    std::size_t fitting = 0, count = 0;
    if (json::error e = splitter.measure(max_bytes, fitting, count)) return e;
    const auto cut = [&](json::document& to, std::size_t first, std::size_t last) {
      return json::core::document_access::rebuild(
          to, 0, [&](auto& handler) { return splitter.send(first, last, handler); });
    };
    if (json::error e = cut(part, 0, fitting)) return e;
    if (json::error e = cut(rest, fitting, count)) return e;
    if (json::error e = from_merge_patch(rest.root(), left, options_)) return e;
    whole.swap(part);
  }
  if (json::error e = from_merge_patch(whole.root(), sent, options_)) return e;
  if (json::error e = check(whole.root())) return e;
  detail::change_sum still(options_.memory);
  if (json::error e = still.add(static_cast<change&&>(left), options_)) return e;
  if (json::error e = patch.assign(whole.root(), detail::any_depth)) return e;
  in_flight_.swap(sent);
  pending_.swap(still);
  return next_patch(true);
}

inline json::error outbox::acknowledge() {
  if (json::error e = apply(acknowledged_, in_flight_, options_)) return e;
  change(options_.memory).swap(in_flight_);
  return {};
}

template <class From, class Onto, class Report>
json::error outbox::replay_pending(const From& from, const Onto& onto, change& out, policy prefer,
                                   Report& report) const {
  change all(options_.memory);
  if (json::error e = pending_.total(all, options_)) return e;
  if (json::error e = minimise(all, from, out, options_)) return e;
  return rebase(out, from, onto, out, prefer, report, options_);
}

template <class Report>
json::error outbox::refuse(policy prefer, Report&& report) {
  if (!waiting()) return {};
  json::document sent(options_.memory);
  change left(options_.memory);
  if (json::error e = detail::replace_by_result(sent, in_flight_, acknowledged_.root(), options_))
    return e;
  if (json::error e = replay_pending(sent.root(), acknowledged_.root(), left, prefer, report))
    return e;
  detail::change_sum still(options_.memory);
  if (json::error e = still.add(static_cast<change&&>(left), options_)) return e;
  pending_.swap(still);
  change(options_.memory).swap(in_flight_);
  return {};
}

inline json::error outbox::recall() {
  change all(options_.memory);
  if (json::error e = pending_.total(all, options_)) return e;
  if (json::error e = compose(in_flight_, all, all, options_)) return e;
  detail::change_sum still(options_.memory);
  if (json::error e = still.add(static_cast<change&&>(all), options_)) return e;
  pending_.swap(still);
  change(options_.memory).swap(in_flight_);
  return {};
}

template <class Newer, class Report>
json::error outbox::reconnect(const Newer& newer, policy prefer, Report&& report) {
  json::document fetched(options_.memory);
  change left(options_.memory);
  if (json::error e = fetched.assign(newer, options_.max_depth)) return e;
  // Two replays are one to the caller: the second is made, and its conflicts are told, when the
  // first has some.
  detail::judge<std::remove_reference_t<Report>> judge(prefer, report);
  if (!waiting()) {
    if (json::error e = replay_pending(acknowledged_.root(), newer, left, prefer, judge)) return e;
  } else {
    // First the patch in flight, which may have arrived or not; then what came after it.
    change again(options_.memory);
    json::document sent(options_.memory), resent(options_.memory);
    if (json::error e =
            rebase(in_flight_, acknowledged_.root(), newer, again, prefer, judge, options_))
      return e;
    if (json::error e = detail::replace_by_result(sent, in_flight_, acknowledged_.root(), options_))
      return e;
    if (json::error e =
            detail::replace_by_result(resent, again, json::core::value_of(newer), options_))
      return e;
    if (json::error e = replay_pending(sent.root(), resent.root(), left, prefer, judge)) return e;
    if (json::error e = compose(again, left, left, options_)) return e;
  }
  if (judge.refused()) return judge.refused();
  detail::change_sum still(options_.memory);
  if (json::error e = still.add(static_cast<change&&>(left), options_)) return e;
  acknowledged_.swap(fetched);
  pending_.swap(still);
  change(options_.memory).swap(in_flight_);
  return {};
}

}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
