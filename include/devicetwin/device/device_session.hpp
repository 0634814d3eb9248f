/// The device's side of a twin: kept in step with the hub over any MQTT client, without I/O of its
/// own.
///
///     devicetwin::device_session session;
///     session.connected(now);                      // after the client connected; then do what
///     actions() says session.message(topic, payload, now);        // for each message that came
///     session.tick(now);                           // when next_tick() is due
///     session.report(R"({"rpm":900})", now);       // what the device has to say
///     for (const auto& action : session.actions()) ...
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <cstring>      // std::memcpy
#include <string_view>  // std::string_view

#include "../base/memory.hpp"
#include "../base/range.hpp"
#include "../base/text_buffer.hpp"
#include "../json/error.hpp"
#include "../json/find_text.hpp"
#include "../json/read.hpp"
#include "../json/stored_form.hpp"
#include "../json/text/reader.hpp"
#include "../merge/text.hpp"
#include "../protocol/topic.hpp"
#include "../twin/dialect.hpp"
#include "../twin/subscription.hpp"
#include "../twin/text_size.hpp"
#include "../twin/validate.hpp"
#include "action.hpp"
#include "detail/compact.hpp"
#include "detail/match_texts.hpp"
#include "detail/placed.hpp"
#include "detail/removal_writer.hpp"
#include "detail/text_store.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// Who writes reported.
enum class authority : unsigned char {
  /// The device alone: what a snapshot lacks or has otherwise is sent again. So a lost section, an
  /// identity made anew and
  /// a late duplicate are healed.
  device,
  /// Others too: what they wrote is taken over, except where the device has written since. That is
  /// what merge::outbox
  /// does under policy::ours.
  shared
};

/// Times are in milliseconds.
struct device_options {
  const dialect* rules = &azure;  ///< of what is reported; must outlive the session
  authority who = authority::device;
  bool conditional =
      false;  ///< reported patches name the version they are about; 412: GET, and again
  std::size_t max_payload =
      dialect::unlimited;  ///< bytes of one reported patch; longer ones are sent in parts
  /// Bytes of changes kept while the twin is being asked for. Each takes up to 16 bytes and its
  /// text, and costs one pass over desired when the twin is there.
  std::size_t max_kept = 4096;
  milliseconds time_out{30'000};  ///< for an answer
  milliseconds retry_first{
      1'000};  ///< back-off: doubled each time; the delay is a random half to all of it
  milliseconds retry_longest{300'000};
  std::uint64_t seed = 0;  ///< of that chance and of request ids: another one at each start
};

class device_session;

/// The actions of the last call: a range of device_action.
class device_actions {
 public:
  using iterator = index_iterator<device_actions, device_action, device_actions>;

  device_actions() noexcept = default;
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  device_action operator[](std::size_t index) const noexcept;
  iterator begin() const noexcept { return {*this, 0}; }
  iterator end() const noexcept { return {*this, size_}; }

 private:
  friend class device_session;
  device_actions(const device_session* session, std::size_t size) noexcept
      : session_(session), size_(size) {}
  const device_session* session_ = nullptr;
  std::size_t size_ = 0;
};

/// A device's copy of its twin. It keeps desired and reported as compact text, patched and compared
/// by merge/text.hpp.
///
/// Each call that takes a time is an event; on an error everything is as it was before, but for
/// what it says otherwise. Afterwards actions() and changes() are those of this event. Time is any
/// clock that does not go back. Not copyable, not movable. Not for several threads at once.
class device_session {
 public:
  /// On the heap, or another memory source.
  explicit device_session(const device_options& options = {},
                          const memory_source& heap = {}) noexcept
      : options_(options), store_(heap) {
    state_.random = options.seed;
  }
  /// In the caller's `buffer` of `bytes` and nowhere else but for the stack; it must outlive the
  /// session. Where it is too small, out_of_memory has the bytes it would have to have, at least,
  /// in needed().
  device_session(void* buffer, std::size_t bytes, const device_options& options = {}) noexcept
      : options_(options), store_(buffer, bytes) {
    state_.random = options.seed;
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

  /// What to do now, in this order.
  device_actions actions() const noexcept { return {this, state_.action_count}; }
  /// When tick() is due, or never.
  milliseconds next_tick() const noexcept;
  /// How desired changed in the last event.
  text_changes changes() const noexcept { return {view(records), view(old_desired), view(news)}; }
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
    return p == part::desired    ? section(desired)
           : p == part::reported ? section(wanted_slot())
                                 : std::string_view("{}");
  }
  /// Reported as the hub has it for all that is known.
  std::string_view acknowledged() const noexcept { return section(acked); }
  /// The version of a section; no_version when it is not known.
  std::int64_t version(part p) const noexcept {
    return p == part::desired    ? state_.desired_version
           : p == part::reported ? state_.reported_version
                                 : no_version;
  }
  /// Whether the twin was fetched since connected(), no change of desired that was heard of is
  /// missing, and all that was reported is acknowledged.
  bool in_step() const noexcept {
    return state_.online && state_.fetched && state_.get.phase == standing::idle &&
           state_.highest_heard <= state_.desired_version && !state_.own_wanted &&
           view(sent).empty();
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
  memory_source working_memory() noexcept { return store_.working(); }
  /// A section as a RapidJSON or json::document. Errors: as json::read.
  template <class Document>
  json::error read(part p, Document& out, const json::read_options& options = {}) const {
    return json::read(text(p), out, options);
  }

 private:
  friend class device_actions;
  using errc = json::errc;
  using error = json::error;
  using region = detail::region;
  using output = detail::store_output;

  /// The texts that are kept; from old_desired on, those of one event.
  enum slot : unsigned char {
    desired,
    acked,   ///< reported as acknowledged
    wanted,  ///< reported as it is to be, where own_wanted says that it is another
    sent,    ///< the reported patch whose answer did not come yet
    before,  ///< what was reported before the first twin came: patches one after the other, each
             ///< with a '\n'
    kept,    ///< changes that came while the twin is asked for: version, length, text
    old_desired,  ///< desired before the event
    news,         ///< the patch that changed it
    records,      ///< of text_changes
    given,        ///< the patch that was refused
    note,         ///< the hub's message
    resets,       ///< see join_patches()
    spare,
    spare_2,
    slot_count
  };
  static_assert(slot_count <= detail::text_store::most_regions);
  enum class standing : unsigned char { idle, waiting, resting };
  /// A request: on its way until the time-out, or put off.
  struct request {
    standing phase = standing::idle;
    unsigned char attempts = 0;
    std::uint32_t number = 0;
    milliseconds due;
  };
  static constexpr std::size_t most_actions = 6;
  struct kept_head {
    std::int64_t version;
    std::uint32_t size;
  };

  /// All that an event can change beside the texts themselves.
  struct state {
    region texts[slot_count];
    std::int64_t desired_version = no_version;
    std::int64_t reported_version = no_version;
    std::int64_t highest_kept =
        no_version;  ///< of the changes that came since the twin was asked for last
    std::int64_t highest_heard = no_version;  ///< of all changes since the last twin came
    std::uint64_t random = 0;
    std::uint32_t requests = 0;
    request get, patch;
    bool online = false;
    bool fetched = false;    ///< the twin, since connected()
    bool forbidden = false;  ///< the hub refused to give it
    bool known = false;      ///< the twin came once: what was reported is no longer kept as patches
    bool own_wanted = false;
    bool covers = false;   ///< what was sent is all that was pending
    bool guarded = false;  ///< and named a version
    bool ready = false;    ///< `news` is what is to be sent
    unsigned char action_count = 0;
    action_kind actions[most_actions] = {};
    unsigned status = 0;
    std::int64_t code = 0;
    unsigned char topic_size = 0;
  };

  // --- texts ----------------------------------------------------------------------------------

  /// Where a text is, or a piece of one: making room moves texts, and then they are looked up anew.
  struct source {
    slot where;
    std::uint32_t at = 0;
    std::uint32_t size = static_cast<std::uint32_t>(-1);
  };

  std::string_view view(slot s) const noexcept { return store_.text(state_.texts[s]); }
  std::string_view view(const source& s) const noexcept {
    return section(s.where).substr(s.at, s.size);
  }
  /// An object: an empty one where there is none yet.
  std::string_view section(slot s) const noexcept {
    return state_.texts[s].size == 0 ? std::string_view("{}") : view(s);
  }
  slot wanted_slot() const noexcept { return state_.own_wanted ? wanted : acked; }
  void drop(slot s) noexcept { state_.texts[s] = {}; }
  void move(slot from, slot to) noexcept {
    state_.texts[to] = state_.texts[from];
    drop(from);
  }

  // What follows gives false when failure_ says why.

  bool fail(const error& e) noexcept {
    failure_ = e;
    return false;
  }
  bool no_twin(const char* pointer) noexcept;
  bool good(const error& e) noexcept { return !e || fail(e); }
  /// After `attempt` failed: makes room for another one, when it was for want of memory.
  bool more_room() noexcept;
  /// Makes a text at the top of the store: `fill(output)` is called until it fits. It must look up
  /// texts anew each time.
  template <class Fill>
  bool build(slot to, Fill&& fill);
  /// The slot becomes this text, which is not in the store.
  bool copy(slot to, std::string_view text);
  /// The slot becomes `object` without white space; see copy_compact().
  bool compact(slot to, std::string_view object, detail::leave_out without,
               std::string_view& version);
  bool compact(slot to, std::string_view object, detail::leave_out without) {
    std::string_view version;
    return compact(to, object, without, version);
  }
  /// The slot becomes the smallest merge patch between two texts.
  bool difference(slot to, const source& from, const source& onto, json::text_numbers numbers);
  /// The slot becomes a text with a patch applied. Notes the changes behind it, when they are
  /// wanted.
  bool merged(slot to, const source& document, const source& patch) {
    return merge_into(to, document, patch, false);
  }
  bool merge_into(slot to, const source& document, const source& patch, bool with_records);
  /// The slot becomes a text with a patch applied, of `size` bytes, and what write_behind(plan,
  /// output) writes behind it.
  template <class Behind>
  bool merge_with(slot to, const source& document, const source& patch, merge::null_rule nulls,
                  std::size_t& size, Behind&& write_behind);
  bool tell(merge::core::text_merge& plan, output& out, std::string_view old,
            std::string_view fresh);
  /// What is in a slot beyond `size` bytes goes to another slot.
  void split(slot of, std::size_t size, slot behind) noexcept;
  /// Whether a text, which is not in the store, is JSON.
  bool checked(std::string_view text);

  merge::text_options rules(merge::null_rule nulls = merge::null_rule::remove) noexcept {
    merge::text_options o;
    o.nulls =
        nulls;  // in a section null means that there is no such member, whatever the dialect keeps
    o.numbers = options_.rules->numbers;
    o.memory = store_.working();
    return o;
  }

  // --- events ---------------------------------------------------------------------------------

  void begin() noexcept;
  /// The end of an event: on failure everything is as it was.
  error end(bool well) noexcept;
  void act(action_kind kind) noexcept {
    if (state_.action_count < most_actions) state_.actions[state_.action_count++] = kind;
  }

  bool take_message(const twin_topic& topic, std::string_view payload, milliseconds now);
  bool take_twin(std::string_view payload, milliseconds now);
  bool take_desired(std::string_view object, std::int64_t version);
  bool take_reported(std::string_view object);
  bool join_before();
  bool rebase_wanted();
  bool take_change(const twin_topic& topic, std::string_view payload, milliseconds now);
  bool keep_change(std::int64_t version, std::string_view payload);
  void hear_of(std::int64_t version) noexcept {
    if (version > state_.highest_kept) state_.highest_kept = version;
    if (version > state_.highest_heard) state_.highest_heard = version;
  }
  bool find_kept(std::int64_t version, source& change) const noexcept;
  bool apply_kept(slot from, slot onto, std::int64_t& version);
  bool catch_up(bool with_news);
  bool become();
  bool become_spare();
  bool tell_all();
  bool tell_difference();
  bool take_answer(const twin_topic& topic, std::string_view payload, milliseconds now);
  bool refuse(unsigned status, std::string_view payload);
  bool replay_without_sent();
  bool send_pending(milliseconds now);
  bool cut_sent();
  bool note_reason(unsigned status, std::string_view payload);
  bool join_patches(slot to, const source& earlier, const source& later);
  bool add_to_before();
  bool take_report(std::string_view patch);
  bool check_report(std::string_view patch);
  bool check_leaves();
  bool check_size(slot fresh);
  bool take_stored(std::string_view content);

  void ask_for_twin(milliseconds now) noexcept;
  void publish_patch(milliseconds now) noexcept;
  void put_off(request& r, milliseconds now) noexcept;
  bool is_answer_to(const request& r, std::string_view id) const noexcept;
  std::uint64_t chance() noexcept;

  device_action action(std::size_t index) const noexcept;

  device_options options_;
  detail::text_store store_;
  state state_;
  state before_event_;
  error failure_;
  detail::leaf_count changes_made_;  ///< by the last merge: all, and those that remove
  bool all_to_be_sent_ =
      false;  ///< and whether none of them is only to digits that a hub does not store
  char topic_[128];
};

// ---------------------------------------------------------------------------------------------

inline device_action device_actions::operator[](std::size_t index) const noexcept {
  return session_->action(index);
}

inline device_action device_session::action(std::size_t index) const noexcept {
  device_action a;
  a.kind = state_.actions[index];
  switch (a.kind) {
    case action_kind::subscribe:
      a.topic = index == 0 ? responses_filter : desired_filter;
      break;
    case action_kind::publish:
      a.topic = {topic_, state_.topic_size};
      if (state_.get.phase != standing::waiting) a.payload = view(sent);
      break;
    case action_kind::changed:
      break;
    case action_kind::refused:
      a.payload = view(given);
      [[fallthrough]];
    case action_kind::failed:
      a.status = state_.status;
      a.code = state_.code;
      a.message = view(note);
      break;
  }
  return a;
}

inline bool device_session::more_room() noexcept {
  if (failure_.code() != errc::out_of_memory) return false;
  if (failure_.needed() != 0)
    static_cast<void>(
        store_.room(static_cast<std::size_t>(failure_.needed())));  // notes what is missing
  if (store_.make_room(state_.texts, before_event_.texts, slot_count)) return true;
  return fail(error(errc::out_of_memory).needing(store_.needed()));
}

template <class Fill>
bool device_session::build(slot to, Fill&& fill) {
  store_.forget_missing();
  for (;;) {
    output out(store_);
    failure_ = errc::ok;  // the engine writes to it where something goes wrong
    if (fill(out)) {
      state_.texts[to] = out.made();
      return true;
    }
    out.resize(0);
    if (!more_room()) return false;
  }
}

inline bool device_session::checked(std::string_view text) {
  store_.forget_missing();
  while (!good(merge::core::check_text(text, 0, rules()))) {
    if (!more_room()) return false;
  }
  return true;
}

inline bool device_session::copy(slot to, std::string_view text) {
  return build(to, [&](output& out) {
    return out.append(text.data(), text.size()) || fail(errc::out_of_memory);
  });
}

inline bool device_session::compact(slot to, std::string_view object, detail::leave_out without,
                                    std::string_view& version) {
  return build(to, [&](output&) {
    char* const room = store_.room(object.size());
    if (room == nullptr) return fail(errc::out_of_memory);
    const char* const end = detail::copy_compact(object, without, room, version);
    store_.set_top(store_.top() + static_cast<std::size_t>(end - room));
    return true;
  });
}

inline bool device_session::difference(slot to, const source& from, const source& onto,
                                       json::text_numbers numbers) {
  return build(to, [&](output& out) {
    merge::text_options o = rules();
    o.number_texts = numbers;
    merge::core::text_sink sink(out);
    detail::placed<merge::core::text_diff> walk(o.memory, merge::core::text_rules_of(o), &sink,
                                                o.memory, failure_);
    if (!walk) return fail(errc::out_of_memory);
    walk->run(view(from), view(onto));
    if (failure_ || !good(sink.finish())) return false;
    sink.keep();
    return true;
  });
}

template <class Behind>
bool device_session::merge_with(slot to, const source& document, const source& patch,
                                merge::null_rule nulls, std::size_t& size, Behind&& write_behind) {
  return build(to, [&](output& out) {
    const merge::text_options o = rules(nulls);
    detail::placed<merge::core::text_merge> plan(o.memory, o, failure_);
    if (!plan) return fail(errc::out_of_memory);
    plan->make(view(document), view(patch));
    if (failure_) return false;
    {
      merge::core::text_sink sink(out);
      plan->write(sink);
      if (!good(sink.finish())) return false;
      sink.keep();
    }
    size = out.size();
    return write_behind(*plan, out);
  });
}

inline void device_session::split(slot of, std::size_t size, slot behind) noexcept {
  region& all = state_.texts[of];
  state_.texts[behind] = {static_cast<std::uint32_t>(all.at + size),
                          static_cast<std::uint32_t>(all.size - size)};
  all.size = static_cast<std::uint32_t>(size);
}

inline bool device_session::merge_into(slot to, const source& document, const source& patch,
                                       bool with_records) {
  std::size_t size = 0;
  const auto count = [&](merge::core::text_merge& plan, output& out) {
    changes_made_ = {plan.changes(), plan.removals()};
    if (with_records) return tell(plan, out, view(document), view(patch));
    return plan.change_under(json::text_numbers::as_stored, all_to_be_sent_);
  };
  if (!merge_with(to, document, patch, merge::null_rule::remove, size, count)) return false;
  if (with_records) split(to, size, records);
  return true;
}

inline bool device_session::tell(merge::core::text_merge& plan, output& out, std::string_view old,
                                 std::string_view fresh) {
  if (plan.changes() == 0) return true;
  merge::core::text_merge::steps path(store_.working());
  if (!plan.prepare_to_tell(path)) return fail(errc::out_of_memory);
  text_buffer pointer(store_.working());
  bool fits = true;
  const auto journal = [&](const json::location& where, const std::string_view* before_text,
                           const std::string_view* after) {
    pointer.resize(0);
    for (std::size_t i = 0; i < where.depth(); ++i)
      fits = fits && detail::append_step(pointer, where[i]);
    const text_change change{pointer.view(),
                             before_text == nullptr ? std::string_view() : *before_text,
                             after == nullptr ? std::string_view() : *after};
    fits = fits && text_changes::append(out, change, old, fresh);
  };
  plan.tell(journal, path);
  return fits || fail(errc::out_of_memory);
}

// --- The beginning and end of an event --------------------------------------------------------

inline void device_session::begin() noexcept {
  std::size_t top = 0;
  for (unsigned s = 0; s < slot_count; ++s) {
    if (s >= old_desired) state_.texts[s] = {};
    const std::size_t end =
        state_.texts[s].size == 0 ? 0 : state_.texts[s].at + std::size_t{state_.texts[s].size};
    if (end > top) top = end;
  }
  store_.set_top(top);
  state_.action_count = 0;
  state_.topic_size = 0;
  state_.ready = false;
  store_.tidy(state_.texts, slot_count);
  before_event_ = state_;
}

inline json::error device_session::end(bool well) noexcept {
  if (well) return {};
  state_ = before_event_;
  return failure_;
}

inline std::uint64_t device_session::chance() noexcept {
  // SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators",
  // 2014).
  std::uint64_t z = state_.random += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

namespace detail {

/// A point in time and so much later; never where that is beyond what can be counted.
constexpr milliseconds later(milliseconds now, milliseconds delay) noexcept {
  if (delay.count <= 0) return now;
  return now.count > INT64_MAX - delay.count ? never : milliseconds{now.count + delay.count};
}

/// Whether `next` is the version after `version`; the last one has none.
constexpr bool is_next_version(std::int64_t version, std::int64_t next) noexcept {
  return version != INT64_MAX && next == version + 1;
}

}  // namespace detail

inline void device_session::put_off(request& r, milliseconds now) noexcept {
  const std::int64_t first = options_.retry_first.count, longest = options_.retry_longest.count;
  std::int64_t delay = first < 1 ? 1 : first;
  for (unsigned i = 0; i < r.attempts && delay < longest && delay <= INT64_MAX / 2; ++i) delay *= 2;
  if (delay > longest) delay = longest;
  if (delay < 1) delay = 1;
  const std::int64_t half = delay / 2;
  delay = half + static_cast<std::int64_t>(chance() % static_cast<std::uint64_t>(delay - half + 1));
  if (r.attempts < 60) ++r.attempts;
  r.phase = standing::resting;
  r.due = detail::later(now, {delay});
}

namespace detail {

/// A request id: the session's own eight digits, and a count.
struct request_id {
  char text[20];
  std::size_t size = 0;
  request_id(std::uint64_t seed, std::uint32_t number) noexcept {
    seed = (seed ^ (seed >> 31)) * 0xBF58476D1CE4E5B9u;
    seed ^= seed >> 29;
    for (int i = 0; i < 8; ++i, seed >>= 4) text[size++] = "0123456789abcdef"[seed & 15];
    text[size++] = '-';
    json::core::bounded_text digits(text + size, sizeof text - size);
    digits.put(std::uint64_t{number});
    size += digits.length();
  }
  std::string_view view() const noexcept { return {text, size}; }
};

}  // namespace detail

inline bool device_session::is_answer_to(const request& r, std::string_view id) const noexcept {
  return r.phase != standing::idle && detail::request_id(options_.seed, r.number).view() == id;
}

inline void device_session::ask_for_twin(milliseconds now) noexcept {
  request& r = state_.get;
  r.phase = standing::waiting;
  r.number = ++state_.requests;
  r.due = detail::later(now, options_.time_out);
  state_.highest_kept = no_version;
  const detail::request_id id(options_.seed, r.number);
  text_buffer out(topic_, sizeof topic_);
  twin_topic topic;
  topic.request_id = id.view();
  static_cast<void>(write_twin_topic(topic, out));  // it fits
  state_.topic_size = static_cast<unsigned char>(out.size());
  act(action_kind::publish);
}

inline void device_session::publish_patch(milliseconds now) noexcept {
  request& r = state_.patch;
  r.phase = standing::waiting;
  r.number = ++state_.requests;
  r.due = detail::later(now, options_.time_out);
  const detail::request_id id(options_.seed, r.number);
  text_buffer out(topic_, sizeof topic_);
  twin_topic topic;
  topic.kind = twin_topic_kind::reported_patch;
  topic.request_id = id.view();
  state_.guarded = options_.conditional && state_.reported_version != no_version;
  if (state_.guarded) topic.version = state_.reported_version;
  static_cast<void>(write_twin_topic(topic, out));
  state_.topic_size = static_cast<unsigned char>(out.size());
  act(action_kind::publish);
}

// --- Connecting, time -------------------------------------------------------------------------

inline json::error device_session::connected(milliseconds now) {
  begin();
  state_.online = true;
  state_.fetched = state_.forbidden = false;
  state_.get = state_.patch = request();
  state_.highest_heard = no_version;
  drop(kept);
  act(action_kind::subscribe);
  act(action_kind::subscribe);
  ask_for_twin(now);
  return {};
}

inline json::error device_session::disconnected(milliseconds) {
  begin();
  state_.online = state_.fetched = false;
  state_.get = state_.patch = request();
  drop(kept);
  return {};
}

inline milliseconds device_session::next_tick() const noexcept {
  if (state_.get.phase != standing::idle) return state_.get.due;
  return state_.patch.phase != standing::idle ? state_.patch.due : never;
}

inline json::error device_session::tick(milliseconds now) {
  begin();
  if (state_.get.phase != standing::idle) {  // a patch waits for the twin
    if (now < state_.get.due) return {};
    if (state_.get.phase == standing::waiting) {
      put_off(state_.get, now);
    } else {
      ask_for_twin(now);
    }
  } else if (state_.patch.phase != standing::idle && now >= state_.patch.due) {
    if (state_.patch.phase == standing::waiting) {
      put_off(state_.patch, now);
    } else {
      publish_patch(now);
    }
  }
  return {};
}

// --- Messages ---------------------------------------------------------------------------------

inline json::error device_session::message(std::string_view topic, std::string_view payload,
                                           milliseconds now) {
  begin();
  const json::result<twin_topic> parsed = parse_twin_topic(topic);
  if (!parsed) return parsed.error();
  if (parsed->kind != twin_topic_kind::response && parsed->kind != twin_topic_kind::desired_patch) {
    return detail::bad_topic(topic, 0);  // the device itself says such things
  }
  if (!state_.online) return {};
  if (take_message(*parsed, payload, now) && send_pending(now)) return {};
  state_ = before_event_;
  // What was lost is in the twin.
  if (parsed->kind == twin_topic_kind::desired_patch) {
    hear_of(INT64_MAX);  // which version it has is not known: missing until a twin comes that is
                         // asked for from now on
    if (state_.fetched && state_.get.phase == standing::idle) ask_for_twin(now);
  } else if (is_answer_to(state_.get, parsed->request_id)) {
    put_off(state_.get, now);
  }
  return failure_;
}

inline bool device_session::take_message(const twin_topic& topic, std::string_view payload,
                                         milliseconds now) {
  if (topic.kind == twin_topic_kind::desired_patch) return take_change(topic, payload, now);
  if (is_answer_to(state_.patch, topic.request_id)) return take_answer(topic, payload, now);
  if (!is_answer_to(state_.get, topic.request_id)) return true;
  if (topic.status / 100 == 2) return take_twin(payload, now);
  if (topic.status == 429 || topic.status >= 500) {
    if (state_.get.phase == standing::waiting) put_off(state_.get, now);
    return true;
  }
  state_.get = request();
  state_.forbidden = true;
  act(action_kind::failed);
  return note_reason(topic.status, payload) && (!state_.fetched || catch_up(false));
}

/// What the hub says about a refusal: `{"errorCode":…,"message":…}`, or any text.
inline bool device_session::note_reason(unsigned status, std::string_view payload) {
  state_.status = status;
  state_.code = 0;
  constexpr std::size_t longest =
      512;  // a text that is not understood is to be shown, not to be kept
  std::string_view reason;
  if (!payload.empty() && checked(payload)) {
    const std::string_view object = json::core::trimmed(payload);
    static_cast<void>(
        json::core::text_to(json::core::member_text(object, "errorCode"), state_.code));
    reason = json::core::member_text(object, "message");
    if (reason.empty()) reason = json::core::member_text(object, "Message");
  }
  if (reason.size() < 2 || reason.front() != '"') return copy(note, payload.substr(0, longest));
  return build(note, [&](output& out) { return good(json::get_string(reason, {}, out)); });
}

namespace detail {

/// A `$version` as it is spelled; no_version when it is not there. False when it is no version.
inline bool read_version(std::string_view spelled, std::int64_t& version) noexcept {
  version = no_version;
  if (spelled.empty()) return true;
  return json::core::text_to(spelled, version) == json::errc::ok && version >= 0;
}

}  // namespace detail

inline bool device_session::no_twin(const char* pointer) noexcept {
  return fail(error(errc::not_a_twin).at(json::core::pointer_text{pointer}));
}

// --- Desired ----------------------------------------------------------------------------------

inline bool device_session::take_change(const twin_topic& topic, std::string_view payload,
                                        milliseconds now) {
  if (!state_.fetched && state_.forbidden) return true;
  if (!checked(payload)) return false;
  payload = json::core::trimmed(payload);
  if (payload.front() != '{') return no_twin("");
  std::string_view spelled;
  if (!compact(news, payload, {true, false}, spelled)) return false;
  std::int64_t version = no_version;
  const bool well = detail::read_version(spelled, version);
  if (version == no_version) version = topic.version;
  if (!well || version == no_version || (topic.version != no_version && topic.version != version))
    return no_twin("/$version");
  if (!state_.fetched) return keep_change(version, payload);
  const bool asked = state_.get.phase != standing::idle;
  if (!asked && version <= state_.desired_version) return true;
  const bool next = detail::is_next_version(state_.desired_version, version);
  if (!asked && !next) ask_for_twin(now);
  // What is kept is applied again if the twin that is on its way is from before it.
  if ((asked || !next) && !keep_change(version, payload)) return false;
  return !next || catch_up(true);
}

/// Applies the next change, which is in `news` if `with_news`, and the changes behind it that were
/// put aside.
inline bool device_session::catch_up(bool with_news) {
  std::int64_t version = state_.desired_version;
  source change{kept};
  if (with_news) {
    ++version;
    if (!find_kept(version, change)) {
      state_.desired_version = version;
      if (!become()) return false;
    } else if (!merged(spare, {desired}, {news}) || !apply_kept(spare, spare, version)) {
      return false;
    }
  } else {
    if (!find_kept(version, change)) return true;
    if (!apply_kept(desired, spare, version)) return false;
  }
  if (version != state_.desired_version) {
    drop(news);
    state_.desired_version = version;
    if (!become_spare()) return false;
  }
  if (state_.get.phase == standing::idle && state_.highest_heard <= version) {
    drop(kept);
    state_.highest_kept = no_version;
  }
  return true;
}

/// Applies `news` to desired and notes what changed.
inline bool device_session::become() {
  if (!merge_into(spare, {desired}, {news}, true)) return false;
  if (view(records).empty()) {
    drop(news);
    drop(spare);
    return true;
  }
  if (state_.texts[desired].size != 0) move(desired, old_desired);
  move(spare, desired);
  act(action_kind::changed);
  return true;
}

/// Puts a change aside until the twin is here. Without room for it the twin will be asked for once
/// more.
inline bool device_session::keep_change(std::int64_t version, std::string_view payload) {
  hear_of(version);
  if (state_.texts[kept].size + payload.size() + sizeof(kept_head) > options_.max_kept) return true;
  const bool copied = build(spare, [&](output& out) {
    const std::string_view all = view(kept);
    kept_head head{version, 0};
    char bytes[sizeof head] = {};
    const std::size_t start = all.size() + sizeof head;
    if (!out.append(all.data(), all.size()) || !out.append(bytes, sizeof bytes))
      return fail(errc::out_of_memory);
    char* const room = store_.room(payload.size());
    if (room == nullptr) return fail(errc::out_of_memory);
    std::string_view ignored;
    const char* const end = detail::copy_compact(payload, {true, false}, room, ignored);
    head.size = static_cast<std::uint32_t>(end - room);
    std::memcpy(room - sizeof head, &head, sizeof head);
    store_.set_top(store_.top() + head.size);
    return out.size() >= start;
  });
  if (copied) move(spare, kept);
  return true;
}

/// Finds the change that was put aside and follows a version.
inline bool device_session::find_kept(std::int64_t version, source& change) const noexcept {
  const std::string_view all = view(kept);
  kept_head head{};
  for (std::size_t at = 0; at < all.size(); at += head.size) {
    std::memcpy(&head, all.data() + at, sizeof head);
    at += sizeof head;
    if (!detail::is_next_version(version, head.version)) continue;
    change = {kept, static_cast<std::uint32_t>(at), head.size};
    return true;
  }
  return false;
}

/// Makes the text in `onto` from the one in `from`, which has this version, and the changes that
/// were put aside, in the order of their versions as long as none lacks. Cost: a pass over the
/// section for each, of which max_kept limits the number.
inline bool device_session::apply_kept(slot from, slot onto, std::int64_t& version) {
  for (source change{kept}; find_kept(version, change); from = onto) {
    if (!merged(spare_2, {from}, change)) return false;
    move(spare_2, onto);
    ++version;
  }
  return true;
}

inline bool device_session::take_twin(std::string_view payload, milliseconds now) {
  if (!checked(payload)) return false;
  std::string_view root = json::core::trimmed(payload);
  // Some hubs of old have the sections in `properties`.
  std::string_view fresh_desired = json::core::member_text(root, "desired");
  if (fresh_desired.empty()) {
    root = json::core::member_text(root, "properties");
    fresh_desired = json::core::member_text(root, "desired");
  }
  std::string_view fresh_reported = json::core::member_text(root, "reported");
  if (fresh_desired.empty() || fresh_desired.front() != '{') return no_twin("/desired");
  if (fresh_reported.empty() || fresh_reported == "null") fresh_reported = "{}";
  if (fresh_reported.front() != '{') return no_twin("/reported");
  std::int64_t version = no_version;
  if (!detail::read_version(json::core::member_text(fresh_desired, "$version"), version) ||
      version == no_version)
    return no_twin("/desired/$version");
  if (!detail::read_version(json::core::member_text(fresh_reported, "$version"),
                            state_.reported_version))
    return no_twin("/reported/$version");
  // Two steps, of which the first stands when there is no memory for the second: less is kept to
  // come back to.
  if (!take_reported(fresh_reported)) return false;
  state_.known = true;
  before_event_ = state_;
  if (!take_desired(fresh_desired, version)) return false;
  state_.get = request();
  state_.fetched = true;
  state_.highest_heard = state_.highest_kept;
  if (state_.highest_kept > state_.desired_version) {  // newer changes came, and were not all kept
    ask_for_twin(now);
    return true;
  }
  state_.highest_kept = state_.highest_heard = no_version;
  return true;
}

inline bool device_session::take_desired(std::string_view object, std::int64_t version) {
  if (!compact(spare, object, {true, true}) || !apply_kept(spare, spare, version)) return false;
  drop(kept);
  state_.desired_version = version;
  return become_spare();
}

/// Desired becomes what is in `spare`; notes the difference.
inline bool device_session::become_spare() {
  if (view(spare) == section(desired)) {
    drop(spare);
    return true;
  }
  if (state_.texts[desired].size == 0) {
    move(spare, news);
    return tell_all();
  }
  if (!difference(news, {desired}, {spare}, json::text_numbers::exact)) return false;
  if (view(news) == "{}") {
    drop(news);
    drop(spare);
    return true;
  }
  act(action_kind::changed);
  if (!tell_difference()) return false;
  move(desired, old_desired);
  move(spare, desired);
  return true;
}

/// Notes the changes that `news`, the difference, makes to desired.
inline bool device_session::tell_difference() {
  return build(records, [&](output& out) {
    const std::string_view old = view(desired);
    const std::string_view fresh = view(news);
    const merge::text_options o = rules();
    if (store_.is_fixed()) {
      return detail::tell_patch(out, old, fresh, o.memory) || fail(errc::out_of_memory);
    }
    detail::placed<merge::core::text_merge> plan(o.memory, o, failure_);
    if (!plan) return fail(errc::out_of_memory);
    plan->make(old, fresh);
    return !failure_ && tell(*plan, out, old, fresh);
  });
}

/// The first desired section is `news` itself: each member is new.
inline bool device_session::tell_all() {
  state_.texts[desired] = state_.texts[news];
  const bool told = build(records, [&](output& out) {
    const std::string_view all = view(news);
    text_buffer pointer(store_.working());
    bool fits = true;
    json::core::text_items items(all);
    while (fits && items.next()) {
      pointer.resize(0);
      merge::core::render_name(items.name(), [&](char c) { fits = fits && pointer.append(&c, 1); });
      fits = fits && text_changes::append(out, {pointer.view(), {}, items.value()}, {}, all);
    }
    return fits || fail(errc::out_of_memory);
  });
  if (told && !view(records).empty()) act(action_kind::changed);
  return told;
}

// --- Reported ---------------------------------------------------------------------------------

/// The hub has this in reported.
inline bool device_session::take_reported(std::string_view object) {
  if (!compact(spare, object, {true, true})) return false;
  if (!state_.known) {
    move(spare, acked);
    if (!join_before()) return false;
  } else if (options_.who == authority::shared) {
    if (!rebase_wanted()) return false;
  } else {
    if (!state_.own_wanted && view(spare) != section(acked)) {
      move(acked, wanted);
      state_.own_wanted = true;
    }
    move(spare, acked);
  }
  drop(sent);
  state_.patch = request();
  return true;
}

/// What was reported before the first twin goes on top of it, patch by patch: as one patch it could
/// not always be said. See add_to_before().
inline bool device_session::join_before() {
  drop(wanted);
  state_.own_wanted = false;
  for (std::size_t at = 0; at < view(before).size();) {
    const std::size_t size = view(before).find('\n', at) - at;
    if (!merged(spare, {wanted_slot()},
                {before, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(size)}))
      return false;
    move(spare, wanted);
    state_.own_wanted = true;
    at += size + 1;
  }
  drop(before);
  return true;
}

/// Reported becomes what is in `spare`, and what is pending is replayed on it: first the patch in
/// flight, which may have arrived or not; then what came after it. See merge::outbox::reconnect().
inline bool device_session::rebase_wanted() {
  const bool in_flight = !view(sent).empty();
  if (!state_.own_wanted && !in_flight) {
    move(spare, acked);
    return true;
  }
  if (in_flight) {
    if (!merged(spare_2, {acked}, {sent}) ||
        !difference(news, {spare_2}, {wanted_slot()}, json::text_numbers::as_stored) ||
        !merged(spare_2, {spare}, {sent}) || !merged(given, {spare_2}, {news})) {
      return false;
    }
  } else if (!difference(news, {acked}, {wanted_slot()}, json::text_numbers::as_stored) ||
             !merged(given, {spare}, {news})) {
    return false;
  }
  move(given, wanted);
  state_.own_wanted = true;
  drop(spare_2);
  drop(news);
  move(spare, acked);
  return true;
}

inline bool device_session::take_answer(const twin_topic& topic, std::string_view payload,
                                        milliseconds now) {
  const unsigned status = topic.status;
  if (status == 429 || status >= 500) {
    if (state_.patch.phase == standing::waiting) put_off(state_.patch, now);
    return true;
  }
  if (status == 412 &&
      state_.guarded) {  // somebody else wrote; what was sent is cleared up with what they wrote
    state_.patch = request();
    ask_for_twin(now);
    return true;
  }
  if (status / 100 != 2) {
    state_.patch = request();
    return refuse(status, payload);
  }
  if (!state_.covers) {
    if (!merged(spare, {acked}, {sent})) return false;
    move(spare, acked);
  } else if (state_.own_wanted) {
    move(wanted, acked);
    state_.own_wanted = false;
  }
  drop(sent);
  state_.patch = request();
  const bool foreign = topic.version != no_version && state_.reported_version != no_version &&
                       !detail::is_next_version(state_.reported_version, topic.version);
  state_.reported_version = topic.version;
  // Somebody else wrote, or the twin that is on its way may be from before this.
  if (foreign || state_.get.phase == standing::waiting) ask_for_twin(now);
  return true;
}

/// The patch in flight is refused for good: it is handed back, and what came after it stays.
inline bool device_session::refuse(unsigned status, std::string_view payload) {
  if (!note_reason(status, payload) || !replay_without_sent()) return false;
  move(sent, given);
  act(action_kind::refused);
  return true;
}

inline bool device_session::replay_without_sent() {
  if (state_.covers) {
    drop(wanted);
    state_.own_wanted = false;
    return true;
  }
  if (!merged(spare, {acked}, {sent}) ||
      !difference(spare_2, {spare}, {wanted_slot()}, json::text_numbers::exact)) {
    return false;
  }
  drop(spare);
  if (!merged(spare, {acked}, {spare_2})) return false;
  drop(spare_2);
  move(spare, wanted);
  state_.own_wanted = true;
  return true;
}

/// What is to be sent is cut to what fits into a message.
inline bool device_session::cut_sent() {
  const bool cut = build(spare, [&](output& out) {
    return good(
        detail::text_splitter(view(sent), store_.working()).first_part(options_.max_payload, out));
  });
  if (cut) move(spare, sent);
  return cut;
}

/// Sends what is pending, if nothing is in flight.
inline bool device_session::send_pending(milliseconds now) {
  while (state_.online && state_.fetched && state_.get.phase == standing::idle &&
         view(sent).empty() && state_.own_wanted) {
    if (state_.ready) {
      move(news, sent);
      state_.ready = false;
    } else if (!difference(sent, {acked}, {wanted}, json::text_numbers::as_stored)) {
      return false;
    }
    if (view(sent) ==
        "{}") {  // the hub has it, perhaps with other digits: those of the device stay
      drop(sent);
      move(wanted, acked);
      state_.own_wanted = false;
      return true;
    }
    state_.covers = view(sent).size() <= options_.max_payload;
    if (!state_.covers) {
      if (!cut_sent()) return false;
      if (view(sent).size() >
          options_.max_payload) {  // one leaf that goes, which somebody else put there
        if (state_.action_count == most_actions) {
          drop(sent);
          return true;
        }
        if (!refuse(0, {})) return false;
        continue;
      }
    }
    publish_patch(now);
  }
  return true;
}

inline json::error device_session::report(std::string_view patch, milliseconds now) {
  begin();
  return end(take_report(patch) && send_pending(now));
}

inline bool device_session::take_report(std::string_view patch) {
  if (!check_report(patch)) return false;
  patch = json::core::trimmed(patch);
  if (patch.front() != '{') return no_twin("");
  if (!compact(news, patch, {false, false}) || !check_leaves() ||
      !merged(spare, {wanted_slot()}, {news}) || !check_size(spare) ||
      (!state_.known && !add_to_before())) {
    return false;
  }
  if (changes_made_.all != 0) {
    // Where nothing else is pending and each leaf changes something that is to be sent, and each
    // null removes something, the patch is the difference.
    const detail::leaf_count leaves = detail::count_leaves(view(news));
    state_.ready = state_.known && !state_.own_wanted && view(sent).empty() && all_to_be_sent_ &&
                   leaves.all == changes_made_.all && leaves.nulls == changes_made_.nulls;
    move(spare, wanted);
    state_.own_wanted = true;
    state_.covers = false;
  }
  drop(spare);
  if (!state_.ready) drop(news);
  return true;
}

inline bool device_session::check_report(std::string_view patch) {
  using devicetwin::detail::rule_checker;
  using reader = json::core::reader<rule_checker>;
  store_.forget_missing();
  const auto attempt = [&] {
    const memory_source working = store_.working();
    detail::placed<rule_checker> checker(working, *options_.rules, part::reported, shape::patch,
                                         nullptr, working);
    if (!checker) return fail(errc::out_of_memory);
    detail::placed<reader> strict(working, patch, *checker, json::default_max_depth,
                                  options_.rules->big_integers, working);
    if (!strict) return fail(errc::out_of_memory);
    if (good(strict->read())) return true;
    if (failure_.code() == checker->failure())
      failure_ = static_cast<error&&>(failure_).limited_to(checker->limit(), checker->actual());
    return false;
  };
  while (!attempt()) {
    if (!more_room()) return false;
  }
  return true;
}

/// Whether each leaf of `news` fits into a message.
inline bool device_session::check_leaves() {
  if (view(news).size() <= options_.max_payload) return true;
  store_.forget_missing();
  const auto attempt = [&] {
    detail::text_splitter splitter(view(news), store_.working());
    std::size_t longest = 0;
    if (!good(splitter.measure(
            [&](std::size_t alone) { return (longest = alone) <= options_.max_payload; })))
      return false;
    if (longest <= options_.max_payload) return true;
    return fail(error(errc::patch_too_long).limited_to(options_.max_payload, longest).at(splitter));
  };
  while (!attempt()) {
    if (!more_room()) return false;
  }
  return true;
}

/// Whether reported may become what is in a slot, having got `news`: only growth beyond the limits
/// is refused.
inline bool device_session::check_size(slot fresh) {
  const dialect& d = *options_.rules;
  const auto size_of = [&](std::string_view object) {
    return devicetwin::text_size(object, d.size);
  };
  const auto too_large = [&](std::size_t limit, std::size_t size) {
    return fail(
        error(errc::section_too_large).limited_to(limit, size).at(json::core::pointer_text{{}}));
  };
  if (view(fresh).size() > d.max_text && view(fresh).size() > section(wanted_slot()).size()) {
    return fail(error(errc::section_text_too_long)
                    .limited_to(d.max_text, view(fresh).size())
                    .at(json::core::pointer_text{{}}));
  }
  const std::size_t limit = d.max_size(part::reported);
  const std::string_view measured = view(d.basis == size_basis::patch ? news : fresh);
  // No value counts for more than eight times its text, so mostly there is nothing to measure.
  if (measured.size() > limit / 8) {
    const std::size_t size = size_of(measured);
    if (size > limit && (d.basis == size_basis::patch || size > size_of(section(wanted_slot()))))
      return too_large(limit, size);
  }
  if (d.max_total != dialect::unlimited) {
    const std::size_t size = size_of(section(desired)) + size_of(view(fresh));
    if (size > d.max_total && size_of(view(fresh)) > size_of(section(wanted_slot())))
      return too_large(d.max_total, size);
  }
  return true;
}

/// A slot becomes the merge patch that does what two do one after the other, as far as one can: not
/// where the later one puts an object in the place of something else. `resets` becomes a patch that
/// removes what was at those places, or is empty.
inline bool device_session::join_patches(slot to, const source& earlier, const source& later) {
  const auto write_resets = [&](merge::core::text_merge& plan, output& out) {
    merge::core::text_merge::steps path(store_.working());
    if (!plan.prepare_to_tell(path)) return fail(errc::out_of_memory);
    detail::removal_writer<output> writer(out, store_.working());
    bool fits = true;
    const auto journal = [&](const json::location& where, const std::string_view* old_text,
                             const std::string_view* new_text) {
      if (old_text != nullptr && new_text != nullptr && new_text->front() == '{')
        fits = fits && writer.remove(where);
    };
    plan.tell(journal, path);
    return (fits && writer.finish()) || fail(errc::out_of_memory);
  };
  std::size_t size = 0;
  if (!merge_with(to, earlier, later, merge::null_rule::keep, size, write_resets)) return false;
  split(to, size, resets);
  return true;
}

/// Before the first twin: `news` joins what was reported, of which two patches are kept at most.
/// The first removes what an object in the second takes the place of, so that the object is not
/// merged into it.
inline bool device_session::add_to_before() {
  const auto begin_of_patch = [&](std::size_t end) {
    while (end > 1 && view(before)[end - 2] != '\n') --end;
    return end == 0 ? 0 : end - 1;
  };
  const auto patch = [&](std::size_t begin, std::size_t end) {
    return source{before, static_cast<std::uint32_t>(begin),
                  static_cast<std::uint32_t>(end - begin - 1)};
  };
  const std::size_t size = view(before).size(), second = begin_of_patch(size),
                    first = begin_of_patch(second);
  source patches[2] = {{before, 0, 0}, {news}};
  std::size_t kept_size = 0;
  if (size != 0) {
    if (!join_patches(spare_2, patch(second, size), {news})) return false;
    if (view(resets).empty() || second != 0) patches[1] = {spare_2};
    if (view(resets).empty()) {
      kept_size = second;
    } else if (second == 0) {
      kept_size = size;
    } else {
      if (!join_patches(given, patch(first, second), {resets})) return false;
      // What the first patch had at a place that is above one of these covers it.
      if (!view(resets).empty() && !join_patches(given, {given}, {resets})) return false;
      kept_size = first;
      patches[0] = {given};
    }
  }
  const bool made = build(old_desired, [&](output& out) {
    bool fits = out.append(view(before).data(), kept_size);
    for (const source& p : patches) {
      const std::string_view text = view(p);
      if (!text.empty()) fits = fits && out.append(text.data(), text.size()) && out.append("\n", 1);
    }
    return fits || fail(errc::out_of_memory);
  });
  if (!made) return false;
  move(old_desired, before);
  drop(spare_2);
  drop(given);
  drop(resets);
  return true;
}

// --- Across power loss ------------------------------------------------------------------------

namespace detail {

// The content of the stored form (json/stored_form.hpp): flags, both versions plus one, and
// the texts of desired, reported as acknowledged, as wanted, in flight, and what was reported
// before the first twin.
inline constexpr std::string_view session_mark = "DTDS";
inline constexpr unsigned char session_format = 1;
inline constexpr unsigned session_known = 1, session_own_wanted = 2, session_covers = 4;

}  // namespace detail

template <class Output>
json::error device_session::save(Output& out) const {
  static_assert(base::is_output<Output>,
                "device_session::save: the output needs append(const char*, std::size_t), size() "
                "and resize(std::size_t)");
  return json::core::write_stored_form(
      detail::session_mark, detail::session_format, out, [this](auto& to) {
        to.number((state_.known ? detail::session_known : 0) |
                  (state_.own_wanted ? detail::session_own_wanted : 0) |
                  (state_.covers ? detail::session_covers : 0));
        to.number(static_cast<std::uint64_t>(state_.desired_version) + 1);  // 0 for no_version
        to.number(static_cast<std::uint64_t>(state_.reported_version) + 1);
        for (const slot s : {desired, acked, wanted, sent, before}) to.text(view(s));
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
    return fail(errc::damaged);
  state fresh;
  fresh.random = state_.random;
  fresh.requests = state_.requests;
  state_ = fresh;
  for (const slot s : {desired, acked, wanted, sent, before}) {
    std::string_view text;
    if (!in.text(text)) return fail(errc::damaged);
    for (std::string_view rest = text;
         !rest.empty();) {  // each an object; of those before there may be several
      const std::string_view object = s == before ? rest.substr(0, rest.find('\n')) : rest;
      if (object.empty() || object.front() != '{' || (s == before && object.size() == rest.size()))
        return fail(errc::damaged);
      if (!checked(object))
        return fail(failure_.code() == errc::out_of_memory ? failure_ : error(errc::damaged));
      rest.remove_prefix(s == before ? object.size() + 1 : object.size());
    }
    if (!text.empty() && !copy(s, text)) return false;
  }
  for (const std::uint64_t version : versions) {
    if (version > static_cast<std::uint64_t>(INT64_MAX) + 1) return fail(errc::damaged);
  }
  if (!in.done()) return fail(errc::damaged);
  state_.known = (flags & detail::session_known) != 0;
  state_.own_wanted = (flags & detail::session_own_wanted) != 0;
  state_.covers = (flags & detail::session_covers) != 0;
  const auto version_of = [](std::uint64_t stored) {
    return stored == 0 ? no_version : static_cast<std::int64_t>(stored - 1);
  };
  state_.desired_version = version_of(versions[0]);
  state_.reported_version = version_of(versions[1]);
  return true;
}

// --- Subscriptions ----------------------------------------------------------------------------

template <class Visit>
json::error device_session::changes(const subscription& wanted_changes, Visit&& visit) {
  if (!json::core::pointer_tokens::valid(wanted_changes.pointer)) {
    return error(errc::invalid_pointer).at(json::core::pointer_text{wanted_changes.pointer});
  }
  if (wanted_changes.where != part::desired) return {};
  return detail::match_changes(wanted_changes, changes(), rules(), visit);
}

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
