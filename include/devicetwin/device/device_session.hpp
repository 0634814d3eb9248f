/// The device's side of a twin: kept in step with the hub over any MQTT client, without I/O of its
/// own.
///
///     devicetwin::device_session session;
///     session.connected(now);                      // the client connected
///     session.message(topic, payload, now);        // for each message that came
///     session.tick(now);                           // when next_tick() is due
///     session.report(R"({"rpm":900})", now);       // what the device has to say
///     for (const auto& action : session.actions()) ...  // after each event: do what it says
///
// How device/ is built:
//
//   options.hpp, action.hpp      what goes in and what comes out
//   detail/requests.hpp          requests under way: ids, time-outs, delays. No JSON
//   detail/action_queue.hpp      actions until they were read; refusals in detail/refusals.hpp
//   detail/twin_texts.hpp        the texts under their names, and how one is made from others;
//                                begin and rollback of an event. In detail/text_store.hpp
//   detail/desired_copy.hpp      desired: changes in any order, fetched twins, what changed
//   detail/reported_copy.hpp     reported: what the hub has, what is wanted, the patch in flight;
//                                with detail/report_rules.hpp and detail/early_reports.hpp
//   this file                    the protocol: which event does what, in the order of the calls
//   plug_and_play.hpp            components and acknowledgements; knows no session
#pragma once

#include <cstddef>      // std::size_t, std::ptrdiff_t
#include <cstdint>      // std::int64_t
#include <iterator>     // std::input_iterator_tag
#include <string_view>  // std::string_view

#include "../base/memory.hpp"
#include "../base/text_buffer.hpp"
#include "../base/time.hpp"
#include "../json/error.hpp"
#include "../json/find_text.hpp"
#include "../json/read.hpp"
#include "../json/stored_form.hpp"
#include "../protocol/topic.hpp"
#include "../twin/subscription.hpp"
#include "action.hpp"
#include "detail/action_queue.hpp"
#include "detail/desired_copy.hpp"
#include "detail/match_texts.hpp"
#include "detail/refusals.hpp"
#include "detail/reported_copy.hpp"
#include "detail/requests.hpp"
#include "detail/twin_texts.hpp"
#include "options.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

class device_session;

/// The actions that are due, in order: a range of device_action.
///
/// An action has been read once an iterator or operator[] returned it. The next event drops the
/// actions that were read. Those that were not stay due, before the actions of that event. So a
/// loop may call events, and may be left early:
///
///     for (const auto& action : session.actions()) {
///       if (action.kind == device_action::changed) session.report(answer(session), now);
///       ...
///     }
///
/// The loop goes on with what was due and with the actions of the events called in it: each action
/// comes once. The texts of an action are valid until the next event.
class device_actions {
 public:
  /// Reads each action. Valid as long as the session; after an event it can only be incremented and
  /// compared.
  class iterator {
   public:
    using value_type = device_action;
    using difference_type = std::ptrdiff_t;
    using reference = device_action;
    using iterator_category = std::input_iterator_tag;
#if defined(__cpp_lib_concepts) && __cpp_lib_concepts >= 202002L
    using iterator_concept = std::forward_iterator_tag;
#endif
    /// What `->` needs: a place for the action.
    class pointer {
     public:
      const device_action* operator->() const noexcept { return &action_; }

     private:
      friend class iterator;
      explicit pointer(const device_action& action) noexcept : action_(action) {}
      device_action action_;
    };

    iterator() noexcept = default;
    device_action operator*() const noexcept;
    pointer operator->() const noexcept { return pointer(**this); }
    iterator& operator++() noexcept;
    iterator operator++(int) noexcept {
      const iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const iterator& a, const iterator& b) noexcept {
      return a.at_end() ? b.at_end() : !b.at_end() && a.position_ == b.position_;
    }
    friend bool operator!=(const iterator& a, const iterator& b) noexcept { return !(a == b); }

   private:
    friend class device_actions;
    explicit iterator(device_session* session, std::uint32_t position) noexcept
        : session_(session), position_(position) {}
    bool at_end() const noexcept;
    device_session* session_ = nullptr;  ///< null at the end
    std::uint32_t position_ = 0;
  };

  device_actions() noexcept = default;
  std::size_t size() const noexcept;
  bool empty() const noexcept { return size() == 0; }
  /// The action at an index. Those before it count as read, too.
  device_action operator[](std::size_t index) const noexcept;
  iterator begin() const noexcept;
  iterator end() const noexcept { return {}; }

 private:
  friend class device_session;
  explicit device_actions(device_session* session) noexcept : session_(session) {}
  device_session* session_ = nullptr;
};

/// A device's copy of its twin. It keeps desired and reported as compact text, patched and compared
/// by merge/text.hpp.
///
/// Each call that takes a time is an event. On an error nothing changes, except where the call says
/// so. Afterwards actions() has what is to be done. Time is any clock that does not go back. Not
/// copyable, not movable. Not for several threads at once.
class device_session {
 public:
  /// On the heap, or another memory source.
  explicit device_session(const device_options& options = {},
                          const memory_source& heap = {}) noexcept
      : options_(options), texts_(options_, heap) {
    state_.requests = detail::requests(options.seed);
  }
  /// In the caller's `buffer` of `bytes` and nowhere else but for the stack; it must outlive the
  /// session. Where it is too small, out_of_memory has the bytes it would have to have, at least,
  /// in needed().
  device_session(void* buffer, std::size_t bytes, const device_options& options = {}) noexcept
      : options_(options), texts_(options_, buffer, bytes) {
    state_.requests = detail::requests(options.seed);
  }
  device_session(const device_session&) = delete;
  device_session& operator=(const device_session&) = delete;

  // --- events --------------------------------------------------------------------------------

  /// The client connected: subscribes and asks for the twin.
  json::error connected(milliseconds now);
  /// The connection is lost. A reported patch whose answer did not come is cleared up after the
  /// next connected().
  json::error disconnected(milliseconds now);
  /// A message came on one of the topics subscribed to.
  /// Errors: invalid_topic; those of json::read for a payload that is no JSON; not_a_twin, with the
  /// pointer, where it is not what the topic promises, or names another version than the topic;
  /// out_of_memory. After an error in a change or a twin the twin is asked for again.
  json::error message(std::string_view topic, std::string_view payload, milliseconds now);
  /// Time went by: call it when next_tick() is due; sooner does no harm.
  json::error tick(milliseconds now);
  /// The device reports `patch`, a merge patch (RFC 7396) of its reported section. It is sent as
  /// soon as may be: at once, or with what else was reported meanwhile when the patch before it is
  /// answered; and only what is new in it. Errors, with the pointer of what would be refused: those
  /// of json::read; not_a_twin when it is no object; those of twin/validate.hpp; section_too_large;
  /// section_text_too_long; patch_too_long for a value that alone does not fit into max_payload;
  /// out_of_memory.
  json::error report(std::string_view patch, milliseconds now);

  // --- across power loss ----------------------------------------------------------------------

  /// Appends the session's state to what json::write() takes: any bytes, with a checksum. Saved
  /// after report(), nothing that was reported is lost. Errors: out_of_memory; then `out` is as it
  /// was.
  template <class Output>
  json::error save(Output& out) const;
  /// Takes a state that save() wrote, before connected(). What changed meanwhile comes with the
  /// first twin. Errors: damaged (torn, changed, or no state at all); newer_format; out_of_memory.
  /// Then the session is as it was, and the first twin brings everything.
  json::error restore(std::string_view bytes);

  /// What to do now, in this order; see device_actions.
  device_actions actions() noexcept { return device_actions(this); }
  /// When tick() is due, or never.
  milliseconds next_tick() const noexcept;
  /// How desired changed: in the last event, and in those before it whose action `changed` was not
  /// read. Those are one batch, from what desired was before them to what it is. Valid until the
  /// next event.
  text_changes changes() const noexcept { return desired_.changes(); }
  /// Calls `visit(const text_change&)` for what of it a subscription is about, as find_matches()
  /// finds it in trees: where an object that contains the property came or went as a whole, the
  /// property's own old and new value. Nothing for parts other than desired. The texts are valid
  /// during the call. Errors: invalid_pointer; out_of_memory, after some visits perhaps. Cost: the
  /// changes, and what they hold on the way.
  template <class Visit>
  json::error changes(const subscription& wanted, Visit&& visit);

  // --- the twin as it is seen here ------------------------------------------------------------

  /// The compact text of a section, an object: desired, or reported as the device wants it. Tags
  /// are empty. Valid until the next call that is not const.
  std::string_view text(part p) const noexcept {
    return p == part::desired    ? texts_.object(detail::twin_texts::desired)
           : p == part::reported ? reported_.wanted()
                                 : std::string_view("{}");
  }
  /// Reported as the hub has it for all that is known.
  std::string_view acknowledged() const noexcept {
    return texts_.object(detail::twin_texts::acknowledged);
  }
  /// The version of a section; no_version when it is not known.
  std::int64_t version(part p) const noexcept {
    return p == part::desired    ? state_.desired.version
           : p == part::reported ? state_.reported.version
                                 : no_version;
  }
  /// Whether the twin was fetched since connected(), no change of desired that was heard of is
  /// missing, and all that was reported is acknowledged.
  bool in_step() const noexcept {
    return may_send() && !desired_.misses_changes() && !reported_.pending() &&
           !reported_.in_flight();
  }

  /// The value at a JSON Pointer in a section; see json::get_text(). Nothing is parsed before it is
  /// asked for.
  template <class T>
  json::result<json::core::gettable_or_double<T>> get(part p,
                                                      std::string_view pointer) const noexcept {
    return json::get_text<T>(text(p), pointer);
  }
  /// Appends a string, unescaped; see json::get_string().
  template <class Output>
  json::error get_string(part p, std::string_view pointer, Output& out) const {
    return json::get_string(text(p), pointer, out);
  }
  /// The JSON text of a value; see json::find_text().
  json::result<std::string_view> find(part p, std::string_view pointer) const noexcept {
    return json::find_text(text(p), pointer);
  }
  /// Working memory for functions on these texts, until the next call that is not const.
  memory_source working_memory() noexcept { return texts_.working(); }
  /// A section as a RapidJSON or json::document. Errors: as json::read.
  template <class Document>
  json::error read(part p, Document& out, const json::read_options& options = {}) const {
    return json::read(text(p), out, options);
  }

 private:
  friend class device_actions;
  using errc = json::errc;
  using error = json::error;
  using request_kind = detail::request_kind;

  using due_action = detail::due_action;

  /// All that an event can change beside the texts.
  struct state {
    detail::requests requests;
    detail::desired_copy::state desired;
    detail::reported_copy::state reported;
    bool online = false;
    bool fetched = false;    ///< the twin, since connected()
    bool forbidden = false;  ///< the hub refused to return it
    bool guarded = false;    ///< the patch in flight names a version
    detail::action_queue actions;
  };

  // A function that returns bool returns false when it failed; texts_.failure() then says why.

  // --- the frame of an event ------------------------------------------------------------------

  void begin() noexcept;
  /// What was done so far stands, whatever comes after it.
  void checkpoint() noexcept {
    before_event_ = state_;
    texts_.checkpoint();
  }
  void rollback() noexcept {
    state_ = before_event_;
    texts_.rollback();
  }
  error end(bool succeeded) noexcept {
    if (succeeded) return {};
    rollback();
    return texts_.failure();
  }

  // --- actions --------------------------------------------------------------------------------

  device_action read_action(std::uint32_t position) noexcept;
  std::string_view topic_of(request_kind kind) noexcept;
  /// The action `changed` is due as long as there are changes that were not read.
  void note_changes() noexcept {
    const bool due = state_.actions.contains(due_action::changed);
    if (desired_.has_changes() == due) return;
    due ? state_.actions.remove(due_action::changed) : state_.actions.add(due_action::changed);
  }

  // --- messages -------------------------------------------------------------------------------

  bool take_message(const twin_topic& topic, std::string_view payload, milliseconds now);
  bool take_change(const twin_topic& topic, std::string_view payload, milliseconds now);
  bool take_get_answer(const twin_topic& topic, std::string_view payload, milliseconds now);
  bool take_twin(std::string_view payload, milliseconds now);
  bool take_patch_answer(const twin_topic& topic, std::string_view payload, milliseconds now);
  bool refuse(unsigned status, std::string_view payload);
  bool note_refusal(due_action what, unsigned status, std::string_view payload);
  bool not_a_twin(const char* pointer) noexcept {
    return texts_.fail(error(errc::not_a_twin).at(json::core::pointer_text{pointer}));
  }

  // --- desired --------------------------------------------------------------------------------

  bool settle(bool applied) noexcept;

  // --- requests -------------------------------------------------------------------------------

  detail::request_timing timing() const noexcept {
    return {options_.time_out, options_.retry_first, options_.retry_longest};
  }
  bool is_answer_to(request_kind kind, std::string_view id) const noexcept {
    return state_.requests.is_answer_to(kind, options_.seed, id);
  }
  void back_off(request_kind kind, milliseconds now) noexcept {
    if (state_.requests.waiting(kind)) state_.requests.back_off(kind, now, timing());
  }
  /// Whether a reported patch may go out when there is one.
  bool may_send() const noexcept {
    return state_.online && state_.fetched && state_.requests.idle(request_kind::get_twin);
  }
  void ask_for_twin(milliseconds now) noexcept;
  bool send_pending(milliseconds now);
  void publish_patch(milliseconds now) noexcept;
  void finish(request_kind kind) noexcept;
  void forget_connection() noexcept;

  bool take_stored(std::string_view content);

  device_options options_;
  detail::twin_texts texts_;
  state state_;
  state before_event_;
  detail::desired_copy desired_{texts_, state_.desired};
  detail::reported_copy reported_{texts_, state_.reported};
  char get_topic_[44];    // the longest has 42 bytes
  char patch_topic_[96];  // and 93
};

// --- Actions ----------------------------------------------------------------------------------

inline std::size_t device_actions::size() const noexcept {
  return session_ == nullptr ? 0 : session_->state_.actions.size();
}
inline device_action device_actions::operator[](std::size_t index) const noexcept {
  return session_->read_action(session_->state_.actions.first() +
                               static_cast<std::uint32_t>(index));
}
inline device_actions::iterator device_actions::begin() const noexcept {
  return iterator(session_, session_ == nullptr ? 0 : session_->state_.actions.first());
}
inline device_action device_actions::iterator::operator*() const noexcept {
  return session_->read_action(position_);
}
inline device_actions::iterator& device_actions::iterator::operator++() noexcept {
  position_ = session_->state_.actions.after(position_);
  return *this;
}
inline bool device_actions::iterator::at_end() const noexcept {
  return session_ == nullptr || !session_->state_.actions.has(position_);
}

inline device_action device_session::read_action(std::uint32_t position) noexcept {
  state_.actions.read(position);
  device_action a;
  const due_action due = state_.actions[position];
  switch (due) {
    case due_action::subscribe_to_answers:
      a.topic = responses_filter;
      break;
    case due_action::subscribe_to_changes:
      a.topic = desired_filter;
      break;
    case due_action::get_twin:
      a.kind = device_action::publish;
      a.topic = topic_of(request_kind::get_twin);
      break;
    case due_action::patch_reported:
      a.kind = device_action::publish;
      a.topic = topic_of(request_kind::patch_reported);
      a.payload = texts_.view(detail::twin_texts::sent);
      break;
    case due_action::arrived:
      a.kind = device_action::arrived;
      break;
    case due_action::changed:
      a.kind = device_action::changed;
      break;
    case due_action::refused:
    case due_action::failed: {
      const detail::kept_refusal why = detail::read_refusal(
          texts_.view(detail::twin_texts::refusals), state_.actions.refusals_before(position));
      a.kind = due == due_action::refused ? device_action::refused : device_action::failed;
      a.payload = why.patch;
      a.status = why.status;
      a.code = why.code;
      a.message = why.message;
      break;
    }
  }
  return a;
}

/// The topic of the request that was sent last.
inline std::string_view device_session::topic_of(request_kind kind) noexcept {
  const detail::request_id id(options_.seed, state_.requests.number(kind));
  const bool get = kind == request_kind::get_twin;
  twin_topic topic;
  topic.request_id = id.view();
  if (!get) {
    topic.kind = twin_topic_kind::reported_patch;
    if (state_.guarded) topic.version = state_.reported.version;
  }
  text_buffer out(get ? get_topic_ : patch_topic_, get ? sizeof get_topic_ : sizeof patch_topic_);
  static_cast<void>(write_twin_topic(topic, out));  // it fits
  return out.view();
}

// --- The connection, time ---------------------------------------------------------------------

inline void device_session::begin() noexcept {
  for (due_action read{}; state_.actions.drop_read(read);) {
    if (detail::action_queue::is_refusal(read)) detail::drop_first_refusal(texts_);
    if (read == due_action::changed) desired_.forget_changes();
  }
  state_.reported.incoming_is_next = false;
  before_event_ = state_;
  texts_.begin();
}

inline json::error device_session::connected(milliseconds now) {
  begin();
  state_.online = true;
  state_.fetched = state_.forbidden = false;
  forget_connection();
  desired_.connected();
  state_.actions.add(due_action::subscribe_to_answers);
  state_.actions.add(due_action::subscribe_to_changes);
  ask_for_twin(now);
  return {};
}

inline json::error device_session::disconnected(milliseconds) {
  begin();
  state_.online = state_.fetched = false;
  forget_connection();
  desired_.forget_kept();
  return {};
}

inline milliseconds device_session::next_tick() const noexcept {
  return state_.requests.next_due();
}

inline json::error device_session::tick(milliseconds now) {
  begin();
  request_kind kind{};
  if (!state_.requests.expire(now, timing(), kind)) return {};
  if (kind == request_kind::get_twin) {
    ask_for_twin(now);
  } else {
    publish_patch(now);
  }
  return {};
}

// --- Messages ---------------------------------------------------------------------------------

inline json::error device_session::message(std::string_view topic, std::string_view payload,
                                           milliseconds now) {
  begin();
  const json::result<twin_topic> parsed = parse_twin_topic(topic);
  if (!parsed) return parsed.error();
  const bool is_change = parsed->kind == twin_topic_kind::desired_patch;
  if (!is_change && parsed->kind != twin_topic_kind::response) {
    return detail::bad_topic(topic, 0);  // only devices publish on it
  }
  if (!state_.online) return {};
  if (take_message(*parsed, payload, now) && send_pending(now)) return {};
  rollback();
  // The twin has what was lost.
  if (is_change) {
    // Its version is not known: it is missing until a twin comes that is asked for from now on.
    desired_.heard_of(INT64_MAX);
    if (may_send()) ask_for_twin(now);
  } else if (is_answer_to(request_kind::get_twin, parsed->request_id)) {
    state_.requests.back_off(request_kind::get_twin, now, timing());
  }
  return texts_.failure();
}

inline bool device_session::take_message(const twin_topic& topic, std::string_view payload,
                                         milliseconds now) {
  if (topic.kind == twin_topic_kind::desired_patch) return take_change(topic, payload, now);
  if (is_answer_to(request_kind::patch_reported, topic.request_id))
    return take_patch_answer(topic, payload, now);
  if (is_answer_to(request_kind::get_twin, topic.request_id))
    return take_get_answer(topic, payload, now);
  return true;  // to an older request
}

namespace detail {

/// Whether the hub asks to send the same again later.
constexpr bool is_for_a_while(unsigned status) noexcept { return status == 429 || status >= 500; }

}  // namespace detail

inline bool device_session::take_get_answer(const twin_topic& topic, std::string_view payload,
                                            milliseconds now) {
  if (topic.status / 100 == 2) return take_twin(payload, now);
  if (detail::is_for_a_while(topic.status)) {
    back_off(request_kind::get_twin, now);
    return true;
  }
  finish(request_kind::get_twin);
  state_.forbidden = true;
  if (!note_refusal(due_action::failed, topic.status, payload)) return false;
  return !state_.fetched || settle(desired_.apply_kept());
}

/// A fetched twin: both sections, with their versions.
inline bool device_session::take_twin(std::string_view payload, milliseconds now) {
  if (!texts_.check(payload)) return false;
  static constexpr std::string_view pointers[] = {
      "/desired", "/desired/$version", "/reported", "/reported/$version",
      // Some old hubs have the sections in `properties`.
      "/properties/desired", "/properties/desired/$version", "/properties/reported",
      "/properties/reported/$version"};
  std::string_view found[8];
  static_cast<void>(json::find_texts(payload, pointers, 8, found));
  const std::string_view* const root = found[0].empty() ? found + 4 : found;
  const std::string_view desired = root[0];
  std::string_view reported = root[2];
  if (desired.empty() || desired.front() != '{') return not_a_twin("/desired");
  if (reported.empty() || reported == "null") reported = "{}";
  if (reported.front() != '{') return not_a_twin("/reported");
  std::int64_t version = no_version;
  if (!detail::read_version(root[1], version) || version == no_version)
    return not_a_twin("/desired/$version");
  if (!detail::read_version(root[3], state_.reported.version))
    return not_a_twin("/reported/$version");
  // Two steps. The first stands when there is no memory for the second: this way less is kept to
  // come back to.
  if (!reported_.take_section(reported)) return false;
  finish(request_kind::patch_reported);
  texts_.drop_scratch();
  checkpoint();
  if (!desired_.take_section(desired, version)) return false;
  if (!state_.fetched) state_.actions.add(due_action::arrived);
  note_changes();
  finish(request_kind::get_twin);
  state_.fetched = true;
  if (desired_.outdated()) ask_for_twin(now);
  return true;
}

/// A change of desired.
inline bool device_session::take_change(const twin_topic& topic, std::string_view payload,
                                        milliseconds now) {
  if (!state_.fetched && state_.forbidden) return true;
  std::int64_t version = topic.version;
  if (!desired_.read_change(payload, version)) return false;
  if (!state_.fetched) {
    desired_.keep_change(version, payload.size());
    return true;
  }
  const bool asked = !state_.requests.idle(request_kind::get_twin);
  if (!asked && version <= desired_.version()) return true;
  const bool next = detail::is_next_version(desired_.version(), version);
  if (!asked && !next) ask_for_twin(now);
  // It is applied again if the twin that is on its way is from before it.
  if (asked || !next) desired_.keep_change(version, payload.size());
  return !next || settle(desired_.apply_incoming());
}

/// After changes were applied: says what changed, and forgets the kept changes when none is
/// missing.
inline bool device_session::settle(bool applied) noexcept {
  if (!applied) return false;
  note_changes();
  if (state_.requests.idle(request_kind::get_twin) && !desired_.misses_changes()) desired_.settle();
  return true;
}

/// The answer to the reported patch in flight.
inline bool device_session::take_patch_answer(const twin_topic& topic, std::string_view payload,
                                              milliseconds now) {
  if (detail::is_for_a_while(topic.status)) {
    back_off(request_kind::patch_reported, now);
    return true;
  }
  finish(request_kind::patch_reported);
  if (topic.status == 412 && state_.guarded) {
    ask_for_twin(now);  // somebody else wrote; the patch in flight is cleared up with the twin
    return true;
  }
  if (topic.status / 100 != 2) return refuse(topic.status, payload);
  if (!reported_.accepted()) return false;
  std::int64_t& version = state_.reported.version;
  const bool others_wrote = topic.version != no_version && version != no_version &&
                            !detail::is_next_version(version, topic.version);
  version = topic.version;
  // Or the twin that is on its way may be from before this patch.
  if (others_wrote || state_.requests.waiting(request_kind::get_twin)) ask_for_twin(now);
  return true;
}

/// The patch in flight is refused for good: it is handed back, and what came after it stays.
inline bool device_session::refuse(unsigned status, std::string_view payload) {
  return note_refusal(due_action::refused, status, payload) && reported_.refused();
}

inline bool device_session::note_refusal(due_action what, unsigned status,
                                         std::string_view payload) {
  // There is room unless the hub refuses what the caller has not sent yet.
  if (state_.actions.refusals() == detail::action_queue::most_refusals) return true;
  if (!detail::add_refusal(texts_, status, payload, what == due_action::refused)) return false;
  state_.actions.add(what);
  return true;
}

// --- Reports ----------------------------------------------------------------------------------

inline json::error device_session::report(std::string_view patch, milliseconds now) {
  begin();
  return end(reported_.report(patch) && send_pending(now));
}

/// Sends what is pending, if nothing is in flight.
inline bool device_session::send_pending(milliseconds now) {
  using next = detail::reported_copy::next;
  texts_.drop_scratch();
  while (may_send() && !reported_.in_flight() && reported_.pending()) {
    switch (reported_.next_patch()) {
      case next::failed:
        return false;
      case next::nothing:
        return true;
      case next::patch:
        publish_patch(now);
        return true;
      case next::too_long:
        if (state_.actions.refusals() == detail::action_queue::most_refusals) {
          texts_.drop(detail::twin_texts::sent);
          return true;
        }
        if (!refuse(0, {})) return false;
    }
  }
  return true;
}

// --- Requests ---------------------------------------------------------------------------------

inline void device_session::ask_for_twin(milliseconds now) noexcept {
  state_.requests.send(request_kind::get_twin, now, timing());
  desired_.asked();
  state_.actions.add(due_action::get_twin);
}

inline void device_session::publish_patch(milliseconds now) noexcept {
  state_.requests.send(request_kind::patch_reported, now, timing());
  state_.guarded = options_.conditional && state_.reported.version != no_version;
  state_.actions.add(due_action::patch_reported);
}

/// A request was answered or is given up; if it was not published yet, it need not be.
inline void device_session::finish(request_kind kind) noexcept {
  state_.requests.finish(kind);
  state_.actions.remove(kind == request_kind::get_twin ? due_action::get_twin
                                                       : due_action::patch_reported);
}

inline void device_session::forget_connection() noexcept {
  finish(request_kind::get_twin);
  finish(request_kind::patch_reported);
  state_.actions.remove(due_action::subscribe_to_answers);
  state_.actions.remove(due_action::subscribe_to_changes);
}

// --- Across power loss ------------------------------------------------------------------------

namespace detail {

// The content of the stored form (json/stored_form.hpp): flags, both versions plus one, and the
// texts.
inline constexpr std::string_view session_mark = "DTDS";
inline constexpr unsigned char session_format = 1;
inline constexpr unsigned session_known = 1, session_has_wanted = 2, session_sent_is_all = 4;
inline constexpr twin_texts::name saved_texts[] = {twin_texts::desired, twin_texts::acknowledged,
                                                   twin_texts::wanted, twin_texts::sent,
                                                   twin_texts::early_reports};

}  // namespace detail

template <class Output>
json::error device_session::save(Output& out) const {
  static_assert(base::is_output<Output>,
                "device_session::save: the output needs append(const char*, std::size_t), size() "
                "and resize(std::size_t)");
  return json::core::write_stored_form(
      detail::session_mark, detail::session_format, out, [this](auto& to) {
        const auto& reported = state_.reported;
        to.number((reported.known ? detail::session_known : 0) |
                  (reported.has_wanted ? detail::session_has_wanted : 0) |
                  (reported.sent_is_all ? detail::session_sent_is_all : 0));
        to.number(static_cast<std::uint64_t>(state_.desired.version) + 1);  // 0 for no_version
        to.number(static_cast<std::uint64_t>(reported.version) + 1);
        for (const auto name : detail::saved_texts) to.text(texts_.view(name));
      });
}

inline json::error device_session::restore(std::string_view bytes) {
  begin();
  std::string_view content;
  const errc form =
      json::core::read_stored_form(bytes, detail::session_mark, detail::session_format, content);
  if (form != errc::ok) return form;
  return end(take_stored(content));
}

inline bool device_session::take_stored(std::string_view content) {
  json::core::stored_reader in(content);
  std::uint64_t flags = 0, versions[2] = {};
  if (!in.number(flags) || !in.number(versions[0]) || !in.number(versions[1]) || flags > 7)
    return texts_.fail(errc::damaged);
  for (const std::uint64_t version : versions) {
    if (version > static_cast<std::uint64_t>(INT64_MAX) + 1) return texts_.fail(errc::damaged);
  }
  state fresh;
  fresh.requests = state_.requests;
  fresh.requests.finish_all();
  fresh.actions = state_.actions;
  fresh.actions.clear();
  state_ = fresh;
  desired_.forget_kept();
  desired_.forget_changes();
  texts_.drop(detail::twin_texts::refusals);
  for (const auto name : detail::saved_texts) {
    std::string_view saved;
    if (!in.text(saved)) return texts_.fail(errc::damaged);
    // Each is an object. There may be several early reports.
    for (std::string_view rest = saved; !rest.empty();) {
      const bool early = name == detail::twin_texts::early_reports;
      const std::string_view object = early ? rest.substr(0, rest.find('\n')) : rest;
      if (object.empty() || object.front() != '{' || (early && object.size() == rest.size()))
        return texts_.fail(errc::damaged);
      if (!texts_.check(object))
        return texts_.failure().code() == errc::out_of_memory ? false : texts_.fail(errc::damaged);
      rest.remove_prefix(early ? object.size() + 1 : object.size());
    }
    texts_.drop(name);
    if (!saved.empty() && !texts_.copy(name, saved)) return false;
  }
  if (!in.done()) return texts_.fail(errc::damaged);
  state_.reported.known = (flags & detail::session_known) != 0;
  state_.reported.has_wanted = (flags & detail::session_has_wanted) != 0;
  state_.reported.sent_is_all = (flags & detail::session_sent_is_all) != 0;
  const auto version_of = [](std::uint64_t stored) {
    return stored == 0 ? no_version : static_cast<std::int64_t>(stored - 1);
  };
  state_.desired.version = version_of(versions[0]);
  state_.reported.version = version_of(versions[1]);
  return true;
}

// --- Subscriptions ----------------------------------------------------------------------------

template <class Visit>
json::error device_session::changes(const subscription& wanted_changes, Visit&& visit) {
  if (!json::core::pointer_tokens::valid(wanted_changes.pointer)) {
    return error(errc::invalid_pointer).at(json::core::pointer_text{wanted_changes.pointer});
  }
  if (wanted_changes.where != part::desired) return {};
  return detail::match_changes(wanted_changes, changes(), texts_.rules(), visit);
}

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
