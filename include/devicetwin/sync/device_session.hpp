/// The device's side of a twin: kept in step with the hub over any MQTT client, without I/O of its own.
///
///     devicetwin::sync::device_session session;
///     session.connected(now);                      // after the client connected; then do what actions() says
///     session.message(topic, payload, now);        // for each message that came
///     session.tick(now);                           // when next_tick() is due
///     session.report(R"({"rpm":900})", now);       // what the device has to say
///     for (const auto& action : session.actions()) ...
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <cstring>      // std::memcpy
#include <new>          // placement new
#include <string_view>  // std::string_view

#include "../json/detail/reader.hpp"
#include "../json/error.hpp"
#include "../json/find_text.hpp"
#include "../json/memory.hpp"
#include "../json/read.hpp"
#include "../merge/text.hpp"
#include "../twin/detail/stored_form.hpp"
#include "../twin/detail/text_size.hpp"
#include "../twin/dialect.hpp"
#include "../twin/subscription.hpp"
#include "../twin/validate.hpp"
#include "action.hpp"
#include "detail/compact.hpp"
#include "detail/match_texts.hpp"
#include "detail/text_store.hpp"
#include "topic.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace sync {

/// Who writes reported.
enum class authority : unsigned char {
  /// The device alone: what a snapshot lacks or has otherwise is sent again. So a lost section, an identity made anew and
  /// a late duplicate are healed.
  device,
  /// Others too: what they wrote is taken over, except where the device has written since. That is what merge::outbox
  /// does under policy::ours.
  shared
};

/// Times are in milliseconds.
struct device_options {
  const dialect* rules = &azure;                             ///< of what is reported; must outlive the session
  authority who = authority::device;
  bool conditional = false;                                  ///< reported patches name the version they are about; 412: GET, and again
  std::size_t max_payload = dialect::unlimited;              ///< bytes of one reported patch; longer ones are sent in parts
  std::size_t max_kept = 4096;                               ///< bytes of changes kept while the twin is being asked for
  std::int64_t time_out = 30000;                             ///< for an answer
  std::int64_t retry_first = 1000;                           ///< back-off: doubled each time, and of that half to all by chance
  std::int64_t retry_longest = 300000;
  std::uint64_t seed = 0;                                    ///< of that chance and of request ids: another one at each start
};

class device_session;

/// The actions of the last call: a range of device_action.
class device_actions {
 public:
  class iterator {
   public:
    device_action operator*() const noexcept;
    iterator& operator++() noexcept {
      ++index_;
      return *this;
    }
    friend bool operator==(const iterator& a, const iterator& b) noexcept { return a.index_ == b.index_; }
    friend bool operator!=(const iterator& a, const iterator& b) noexcept { return a.index_ != b.index_; }

   private:
    friend class device_actions;
    iterator(const device_session* session, std::size_t index) noexcept : session_(session), index_(index) {}
    const device_session* session_;
    std::size_t index_;
  };
  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  device_action operator[](std::size_t index) const noexcept { return *iterator(session_, index); }
  iterator begin() const noexcept { return {session_, 0}; }
  iterator end() const noexcept { return {session_, size_}; }

 private:
  friend class device_session;
  device_actions(const device_session* session, std::size_t size) noexcept : session_(session), size_(size) {}
  const device_session* session_;
  std::size_t size_;
};

/// A device's copy of its twin. It keeps desired and reported as compact text, patched and compared by merge/text.hpp.
///
/// Each call that takes a time is an event; on an error everything is as it was before, but for what it says otherwise.
/// Afterwards actions() and changes() are those of this event. Time is any clock that does not go back.
/// Not copyable, not movable. Not for several threads at once.
class device_session {
 public:
  /// On the heap, or another memory source.
  explicit device_session(const device_options& options = {}, const json::memory_source& heap = {}) noexcept
      : options_(options), store_(heap) {
    state_.random = options.seed;
  }
  /// In the caller's `buffer` of `bytes` and nowhere else; it must outlive the session. Where it is too small,
  /// out_of_memory has the bytes it would have to have, at least, in needed().
  device_session(void* buffer, std::size_t bytes, const device_options& options = {}) noexcept
      : options_(options), store_(buffer, bytes) {
    state_.random = options.seed;
  }
  device_session(const device_session&) = delete;
  device_session& operator=(const device_session&) = delete;

  // --- events --------------------------------------------------------------------------------

  /// The client connected: subscribes and asks for the twin.
  [[nodiscard]] json::error connected(std::int64_t now);
  /// The connection is lost. A reported patch whose answer did not come is cleared up after the next connected().
  [[nodiscard]] json::error disconnected(std::int64_t now);
  /// A message came on one of the topics subscribed to.
  /// Errors: invalid_topic; those of json::read for a payload that is no JSON; not_a_twin, with the pointer, where it is
  ///   not what the topic promises, or names another version than the topic; out_of_memory. After an error in a change or a
  ///   twin the twin is asked for again.
  [[nodiscard]] json::error message(std::string_view topic, std::string_view payload, std::int64_t now);
  /// Time went by: call it when next_tick() is due; sooner does no harm.
  [[nodiscard]] json::error tick(std::int64_t now);
  /// The device reports `patch`, a merge patch (RFC 7396) of its reported section. It is sent as soon as may be: at once, or
  /// with what else was reported meanwhile when the patch before it is answered; and only what is new in it.
  /// Errors, with the pointer of what would be refused: those of json::read; not_a_twin when it is no object; those of
  ///   twin/validate.hpp; section_too_large; patch_too_long for a value that alone does not fit into max_payload;
  ///   out_of_memory.
  [[nodiscard]] json::error report(std::string_view patch, std::int64_t now);

  // --- across power loss ----------------------------------------------------------------------

  /// Appends the session's state to what json::write() takes: any bytes, with a checksum. Saved after report(), nothing
  /// that was reported is lost. Errors: out_of_memory; then `out` is as it was.
  template <class Output>
  [[nodiscard]] json::error save(Output& out) const;
  /// Takes a state that save() wrote, before connected(). What changed meanwhile comes with the first twin.
  /// Errors: damaged (torn, changed, or no state at all); newer_format; out_of_memory. Then the session is as it was, and
  ///   the first twin brings everything.
  [[nodiscard]] json::error restore(std::string_view bytes);

  /// What to do now, in this order.
  device_actions actions() const noexcept { return {this, state_.action_count}; }
  /// When tick() is due; INT64_MAX when it is not.
  std::int64_t next_tick() const noexcept;
  /// How desired changed in the last event.
  text_changes changes() const noexcept { return {view(records), view(old_desired), view(news)}; }
  /// Calls `visit(const text_change&)` for what of it a subscription is about, as find_matches() finds it in trees: where an
  /// object that contains the property came or went as a whole, the property's own old and new value. Nothing for parts
  /// other than desired. The texts are valid during the call.
  /// Errors: invalid_pointer; out_of_memory, after some visits perhaps. Cost: the changes, and what they hold on the way.
  template <class Visit>
  [[nodiscard]] json::error changes(const subscription& wanted, Visit&& visit);

  // --- the twin as it is seen here ------------------------------------------------------------

  /// The compact text of a section, an object: desired, or reported as the device wants it. Tags are empty. Valid until the
  /// next call that is not const.
  std::string_view text(part p) const noexcept {
    return p == part::desired ? section(desired) : p == part::reported ? wanted_text() : std::string_view("{}");
  }
  /// Reported as the hub has it for all that is known.
  std::string_view acknowledged() const noexcept { return section(acked); }
  /// The version of a section; no_version when it is not known.
  std::int64_t version(part p) const noexcept {
    return p == part::desired ? state_.desired_version : p == part::reported ? state_.reported_version : no_version;
  }
  /// Whether the twin was fetched since connected(), and all that was reported is acknowledged.
  bool in_step() const noexcept {
    return state_.online && state_.fetched && state_.get.phase == standing::idle && !state_.own_wanted && view(sent).empty();
  }

  /// The value at a JSON Pointer in a section; see json::get_text(). Nothing is parsed before it is asked for.
  template <class T>
  [[nodiscard]] json::result<json::detail::gettable_from_text_or_bool<T>> get(part p, std::string_view pointer) const noexcept {
    return json::get_text<T>(text(p), pointer);
  }
  /// Appends a string, unescaped; see json::get_string().
  template <class Output>
  [[nodiscard]] json::error get_string(part p, std::string_view pointer, Output& out) const {
    return json::get_string(text(p), pointer, out);
  }
  /// The JSON text of a value; see json::find_text().
  [[nodiscard]] json::result<std::string_view> find(part p, std::string_view pointer) const noexcept {
    return json::find_text(text(p), pointer);
  }
  /// A section as a RapidJSON or json::document. Errors: as json::read.
  template <class Document>
  [[nodiscard]] json::error read(part p, Document& out, const json::read_options& options = {}) const {
    return json::read(text(p), out, options);
  }

 private:
  friend class device_actions::iterator;
  using errc = json::errc;
  using error = json::error;
  using region = detail::region;
  using output = detail::store_output;

  /// The texts that are kept; from old_desired on, those of one event.
  enum slot : unsigned char {
    desired,
    acked,        ///< reported as acknowledged
    wanted,       ///< reported as it is to be, where own_wanted says that it is another
    sent,         ///< the reported patch whose answer did not come yet
    before,       ///< what was reported before the first twin came: patches, one after the other
    kept,         ///< changes that came while the twin is asked for: version, length, text
    old_desired,  ///< desired before the event
    news,         ///< the patch that changed it
    records,      ///< of text_changes
    given,        ///< the patch that was refused
    note,         ///< the hub's message
    spare,
    spare_2,
    slot_count
  };
  enum class standing : unsigned char { idle, waiting, resting };
  /// A request: on its way until the time-out, or put off.
  struct request {
    standing phase = standing::idle;
    unsigned char attempts = 0;
    std::uint32_t number = 0;
    std::int64_t due = 0;
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
    std::int64_t highest_kept = no_version;  ///< of the changes that came while the twin is asked for
    std::uint64_t random = 0;
    std::uint32_t requests = 0;
    request get, patch;
    bool online = false;
    bool fetched = false;      ///< the twin, since connected()
    bool forbidden = false;    ///< the hub will not give it
    bool known = false;        ///< the twin came once: what was reported is no longer kept as patches
    bool own_wanted = false;
    bool covers = false;       ///< what was sent is all that was pending
    bool guarded = false;      ///< and named a version
    unsigned char action_count = 0;
    action_kind actions[most_actions] = {};
    unsigned status = 0;
    std::int64_t code = 0;
    unsigned char topic_size = 0;
  };

  // --- texts ----------------------------------------------------------------------------------

  std::string_view view(slot s) const noexcept { return store_.text(state_.texts[s]); }
  /// An object: an empty one where there is none yet.
  std::string_view section(slot s) const noexcept { return state_.texts[s].size == 0 ? std::string_view("{}") : view(s); }
  std::string_view wanted_text() const noexcept { return section(state_.own_wanted ? wanted : acked); }
  void drop(slot s) noexcept { state_.texts[s] = {}; }
  void move(slot from, slot to) noexcept {
    state_.texts[to] = state_.texts[from];
    drop(from);
  }

  /// Makes a text at the top of the store: `fill(output)` is called until it fits. It must take views anew each time.
  template <class Fill>
  error build(slot to, Fill&& fill);
  /// The slot becomes `object` without white space; see copy_compact().
  error compact(slot to, std::string_view object, detail::leave_out without);
  /// The slot becomes the smallest merge patch between two texts.
  template <class From, class To>
  error difference(slot to, From&& from, To&& wanted);
  /// The slot becomes a text with a patch applied.
  template <class Document, class Patch>
  error merged(slot to, Document&& document, Patch&& patch, merge::null_rule nulls = merge::null_rule::remove);

  merge::options rules(merge::null_rule nulls = merge::null_rule::remove) noexcept {
    merge::options o;
    o.nulls = nulls;  // in a section null means that there is no such member, whatever the dialect keeps
    o.numbers = options_.rules->numbers;
    o.memory = store_.working();
    return o;
  }
  /// Whether a text is JSON; makes room and asks again when memory ran out. The text is not in the store.
  error checked(std::string_view text);
  template <class Try>
  error with_room(Try&& attempt);

  /// An engine in working memory: they are large for a small stack.
  template <class Engine>
  struct placed {
    template <class... Args>
    explicit placed(const json::memory_source& m, Args&&... args) : memory(m) {
      void* const room = memory.allocate(memory.context, sizeof(Engine));
      if (room != nullptr) it = new (room) Engine(static_cast<Args&&>(args)...);
    }
    ~placed() {
      if (it == nullptr) return;
      it->~Engine();
      memory.release(memory.context, it);
    }
    placed(const placed&) = delete;
    placed& operator=(const placed&) = delete;
    json::memory_source memory;
    Engine* it = nullptr;
  };

  // --- events ---------------------------------------------------------------------------------

  void begin() noexcept;
  template <class Act>
  error all_or_nothing(Act&& act);
  void act(action_kind kind) noexcept {
    if (state_.action_count < most_actions) state_.actions[state_.action_count++] = kind;
  }

  error take_twin(std::string_view payload, std::int64_t now);
  error take_reported();
  error take_change(const twin_topic& topic, std::string_view payload, std::int64_t now);
  error keep_change(std::int64_t version, std::string_view payload);
  error apply_kept(slot onto, std::int64_t& version);
  error become(slot fresh);
  error tell_all();
  error take_answer(const twin_topic& topic, std::string_view payload, std::int64_t now);
  error refuse(unsigned status, std::string_view payload);
  error replay_without_sent();
  error send_pending(std::int64_t now);
  error note_reason(unsigned status, std::string_view payload);
  error add_to_before();
  error check_report(std::string_view patch);
  error check_size(slot fresh);

  void ask_for_twin(std::int64_t now) noexcept;
  void publish_patch(std::int64_t now) noexcept;
  void put_off(request& r, std::int64_t now) noexcept;
  bool is_answer_to(const request& r, std::string_view id) const noexcept;
  std::uint64_t chance() noexcept;

  device_action action(std::size_t index) const noexcept;

  device_options options_;
  detail::text_store store_;
  state state_;
  state before_event_;
  char topic_[128];
};

// ---------------------------------------------------------------------------------------------

inline device_action device_actions::iterator::operator*() const noexcept { return session_->action(index_); }

inline device_action device_session::action(std::size_t index) const noexcept {
  device_action a;
  a.kind = state_.actions[index];
  switch (a.kind) {
    case action_kind::subscribe: a.topic = index == 0 ? responses_filter : desired_filter; break;
    case action_kind::publish:
      a.topic = {topic_, state_.topic_size};
      if (state_.get.phase != standing::waiting) a.payload = view(sent);
      break;
    case action_kind::changed: break;
    case action_kind::refused: a.payload = view(given); [[fallthrough]];
    case action_kind::failed:
      a.status = state_.status;
      a.code = state_.code;
      a.message = view(note);
      break;
  }
  return a;
}

template <class Try>
json::error device_session::with_room(Try&& attempt) {
  for (;;) {
    store_.forget_missing();
    error e = attempt();
    if (e.code() != errc::out_of_memory) return e;
    if (!store_.make_room(state_.texts, before_event_.texts, slot_count)) {
      return error(errc::out_of_memory).needing(store_.needed());
    }
  }
}

template <class Fill>
json::error device_session::build(slot to, Fill&& fill) {
  return with_room([&]() -> error {
    output out(store_);
    error e = fill(out);
    if (!e) {
      state_.texts[to] = out.made();
      return e;
    }
    out.resize(0);
    if (e.needed() != 0) static_cast<void>(store_.room(static_cast<std::size_t>(e.needed())));  // notes what is missing
    return e;
  });
}

inline json::error device_session::checked(std::string_view text) {
  return with_room([&] { return merge::detail::check_text(text, 0, rules()); });
}

inline json::error device_session::compact(slot to, std::string_view object, detail::leave_out without) {
  return build(to, [&](output& out) -> error {
    char* const room = store_.room(object.size());
    if (room == nullptr) return errc::out_of_memory;
    const char* const end = detail::copy_compact(object, without, room);
    store_.set_top(store_.top() + static_cast<std::size_t>(end - room));
    static_cast<void>(out);
    return {};
  });
}

template <class From, class To>
json::error device_session::difference(slot to, From&& from, To&& wanted_now) {
  return build(to, [&](output& out) -> error {
    const merge::options o = rules();
    merge::detail::text_sink sink(out);
    error e;
    placed<merge::detail::text_diff> walk(o.memory, merge::detail::rules_of(o), &sink, o.memory, e);
    if (walk.it == nullptr) return errc::out_of_memory;
    walk.it->run(from(), wanted_now());
    if (!e) e = sink.finish();
    if (!e) sink.keep();
    return e;
  });
}

template <class Document, class Patch>
json::error device_session::merged(slot to, Document&& document, Patch&& patch, merge::null_rule nulls) {
  return build(to, [&](output& out) -> error {
    const merge::options o = rules(nulls);
    error e;
    placed<merge::detail::text_merge> plan(o.memory, o, e);
    if (plan.it == nullptr) return errc::out_of_memory;
    plan.it->make(document(), patch());
    if (e) return e;
    merge::detail::text_sink sink(out);
    plan.it->write(sink);
    e = sink.finish();
    if (!e) sink.keep();
    return e;
  });
}

// --- The beginning and end of an event --------------------------------------------------------

inline void device_session::begin() noexcept {
  std::size_t top = 0;
  for (unsigned s = 0; s < slot_count; ++s) {
    if (s >= old_desired) state_.texts[s] = {};
    const std::size_t end = state_.texts[s].size == 0 ? 0 : state_.texts[s].at + std::size_t{state_.texts[s].size};
    if (end > top) top = end;
  }
  store_.set_top(top);
  state_.action_count = 0;
  state_.topic_size = 0;
  before_event_ = state_;
}

template <class Act>
json::error device_session::all_or_nothing(Act&& act) {
  error e = act();
  if (e) {
    state_ = before_event_;
  }
  return e;
}

inline std::uint64_t device_session::chance() noexcept {
  // SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", 2014).
  std::uint64_t z = state_.random += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

inline void device_session::put_off(request& r, std::int64_t now) noexcept {
  std::int64_t delay = options_.retry_first;
  for (unsigned i = 0; i < r.attempts && delay < options_.retry_longest; ++i) delay *= 2;
  if (delay > options_.retry_longest) delay = options_.retry_longest;
  if (delay < 1) delay = 1;
  const std::int64_t half = delay / 2;
  delay = half + static_cast<std::int64_t>(chance() % static_cast<std::uint64_t>(delay - half + 1));
  if (r.attempts < 60) ++r.attempts;
  r.phase = standing::resting;
  r.due = now > INT64_MAX - delay ? INT64_MAX : now + delay;
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
    json::detail::bounded_text digits(text + size, sizeof text - size);
    digits.put(std::uint64_t{number});
    size += digits.length();
  }
  std::string_view view() const noexcept { return {text, size}; }
};

}  // namespace detail

inline bool device_session::is_answer_to(const request& r, std::string_view id) const noexcept {
  return r.phase == standing::waiting && detail::request_id(options_.seed, r.number).view() == id;
}

inline void device_session::ask_for_twin(std::int64_t now) noexcept {
  request& r = state_.get;
  r.phase = standing::waiting;
  r.number = ++state_.requests;
  r.due = now > INT64_MAX - options_.time_out ? INT64_MAX : now + options_.time_out;
  state_.highest_kept = no_version;
  const detail::request_id id(options_.seed, r.number);
  json::text_buffer out(topic_, sizeof topic_);
  twin_topic topic;
  topic.request_id = id.view();
  static_cast<void>(write_twin_topic(topic, out));  // it fits
  state_.topic_size = static_cast<unsigned char>(out.size());
  act(action_kind::publish);
}

inline void device_session::publish_patch(std::int64_t now) noexcept {
  request& r = state_.patch;
  r.phase = standing::waiting;
  r.number = ++state_.requests;
  r.due = now > INT64_MAX - options_.time_out ? INT64_MAX : now + options_.time_out;
  const detail::request_id id(options_.seed, r.number);
  json::text_buffer out(topic_, sizeof topic_);
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

inline json::error device_session::connected(std::int64_t now) {
  begin();
  state_.online = true;
  state_.fetched = state_.forbidden = false;
  state_.get = state_.patch = request();
  drop(kept);
  act(action_kind::subscribe);
  act(action_kind::subscribe);
  ask_for_twin(now);
  return {};
}

inline json::error device_session::disconnected(std::int64_t) {
  begin();
  state_.online = state_.fetched = false;
  state_.get = state_.patch = request();
  drop(kept);
  return {};
}

inline std::int64_t device_session::next_tick() const noexcept {
  if (state_.get.phase != standing::idle) return state_.get.due;
  return state_.patch.phase != standing::idle ? state_.patch.due : INT64_MAX;
}

inline json::error device_session::tick(std::int64_t now) {
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

inline json::error device_session::message(std::string_view topic, std::string_view payload, std::int64_t now) {
  begin();
  const json::result<twin_topic> parsed = parse_twin_topic(topic);
  if (!parsed) return parsed.error();
  if (parsed->kind != twin_topic_kind::response && parsed->kind != twin_topic_kind::desired_patch) {
    return detail::bad_topic(topic, 0);  // the device itself says such things
  }
  if (!state_.online) return {};
  if (parsed->kind == twin_topic_kind::desired_patch) {
    if (state_.forbidden && !state_.fetched) return {};
    error e = all_or_nothing([&] { return take_change(*parsed, payload, now); });
    if (e && state_.fetched && state_.get.phase == standing::idle && !state_.forbidden) ask_for_twin(now);
    return e;
  }
  if (is_answer_to(state_.patch, parsed->request_id)) {
    return all_or_nothing([&] { return take_answer(*parsed, payload, now); });
  }
  if (!is_answer_to(state_.get, parsed->request_id)) return {};
  const unsigned status = parsed->status;
  if (status / 100 == 2) {
    error e = all_or_nothing([&] { return take_twin(payload, now); });
    if (e) put_off(state_.get, now);
    return e;
  }
  if (status == 429 || status >= 500) {
    put_off(state_.get, now);
    return {};
  }
  return all_or_nothing([&]() -> error {
    state_.get = request();
    state_.forbidden = true;
    act(action_kind::failed);
    return note_reason(status, payload);
  });
}

/// What the hub says about a refusal: `{"errorCode":…,"message":…}`, or any text.
inline json::error device_session::note_reason(unsigned status, std::string_view payload) {
  state_.status = status;
  state_.code = 0;
  constexpr std::size_t longest = 512;  // a reason is to be shown, and may be kept short where memory is
  std::string_view reason = payload;
  bool is_string = false;
  if (!payload.empty() && !checked(payload)) {
    state_.code = json::get_text<std::int64_t>(payload, "/errorCode").value_or(0);
    for (const std::string_view name : {std::string_view("/message"), std::string_view("/Message")}) {
      const auto found = json::find_text(payload, name);
      if (!found || found->size() < 2 || found->front() != '"') continue;
      reason = *found;
      is_string = true;
      break;
    }
  }
  if (!is_string && reason.size() > longest) reason = reason.substr(0, longest);
  return build(note, [&](output& out) -> error {
    if (is_string) return json::get_string(reason, {}, out);
    return out.append(reason.data(), reason.size()) ? error() : error(errc::out_of_memory);
  });
}

namespace detail {

/// The `$version` at the root of a section or change, whatever its spelling; no_version when there is none. False when it
/// is no version.
inline bool find_version(std::string_view object, std::int64_t& version) noexcept {
  version = no_version;
  const std::string_view found = json::detail::member_text(object, "$version");
  if (found.empty()) return true;
  return json::detail::text_to(found, version) == json::errc::ok && version >= 0;
}
inline json::error no_twin(std::string_view pointer) noexcept {
  return json::error(json::errc::not_a_twin).at(json::detail::pointer_text{pointer});
}

}  // namespace detail

// --- Desired ----------------------------------------------------------------------------------

inline json::error device_session::take_change(const twin_topic& topic, std::string_view payload, std::int64_t now) {
  if (error e = checked(payload)) return e;
  payload = json::detail::trimmed(payload);
  if (payload.front() != '{') return detail::no_twin("");
  std::int64_t version = no_version;
  if (!detail::find_version(payload, version)) return detail::no_twin("/$version");
  if (version == no_version) version = topic.version;
  if (version == no_version || (topic.version != no_version && topic.version != version)) return detail::no_twin("/$version");
  if (!state_.fetched || state_.get.phase != standing::idle) return keep_change(version, payload);
  if (version <= state_.desired_version) return {};
  if (version != state_.desired_version + 1) {
    if (state_.forbidden) return {};
    ask_for_twin(now);
    return keep_change(version, payload);
  }
  if (error e = compact(news, payload, {true, false})) return e;
  if (error e = become(spare)) return e;
  state_.desired_version = version;
  return {};
}

/// Applies `news` to desired, by way of a slot, and notes what changed.
inline json::error device_session::become(slot fresh) {
  bool any = false;
  std::size_t text_size = 0;
  error e = build(fresh, [&](output& out) -> error {
    const merge::options o = rules();
    error failed;
    placed<merge::detail::text_merge> plan(o.memory, o, failed);
    if (plan.it == nullptr) return errc::out_of_memory;
    const std::string_view old = section(desired);
    const std::string_view patch = view(news);
    plan.it->make(old, patch);
    if (failed) return failed;
    any = plan.it->changes() != 0;
    if (!any) return {};
    merge::detail::text_sink sink(out);
    plan.it->write(sink);
    failed = sink.finish();
    if (failed) return failed;
    sink.keep();
    text_size = out.size();
    merge::detail::text_merge::steps path(o.memory);
    if (!plan.it->prepare_to_tell(path)) return errc::out_of_memory;
    json::text_buffer pointer(o.memory);
    bool good = true;
    const auto journal = [&](const json::location& where, const std::string_view* before_text, const std::string_view* after) {
      pointer.resize(0);
      where.render([&](char c) { good = good && pointer.append(&c, 1); });
      good = good && text_changes::append(out, pointer.view(), old, before_text == nullptr ? std::string_view() : *before_text, patch,
                                          after == nullptr ? std::string_view() : *after);
    };
    plan.it->tell(journal, path);
    return good ? error() : error(errc::out_of_memory);
  });
  if (e) return e;
  if (!any) {
    drop(news);
    return {};
  }
  region& made = state_.texts[fresh];
  state_.texts[records] = {static_cast<std::uint32_t>(made.at + text_size), static_cast<std::uint32_t>(made.size - text_size)};
  made.size = static_cast<std::uint32_t>(text_size);
  if (state_.texts[desired].size != 0) move(desired, old_desired);
  move(fresh, desired);
  act(action_kind::changed);
  return {};
}

/// Puts a change aside until the twin is here. Without room for it the twin will be asked for once more.
inline json::error device_session::keep_change(std::int64_t version, std::string_view payload) {
  if (version > state_.highest_kept) state_.highest_kept = version;
  if (state_.texts[kept].size + payload.size() + sizeof(kept_head) > options_.max_kept) return {};
  error e = compact(spare, payload, {true, false});
  if (!e) {
    e = build(spare_2, [&](output& out) -> error {
      const std::string_view all = view(kept);
      const std::string_view fresh = view(spare);
      const kept_head head{version, static_cast<std::uint32_t>(fresh.size())};
      char bytes[sizeof head];
      std::memcpy(bytes, &head, sizeof head);
      return out.append(all.data(), all.size()) && out.append(bytes, sizeof bytes) && out.append(fresh.data(), fresh.size())
                 ? error()
                 : error(errc::out_of_memory);
    });
  }
  drop(spare);
  if (e) {
    drop(spare_2);
    return {};
  }
  move(spare_2, kept);
  return {};
}

/// Applies the changes that were put aside to the snapshot in a slot, in the order of their versions as long as none lacks.
inline json::error device_session::apply_kept(slot onto, std::int64_t& version) {
  for (;;) {
    std::string_view rest = view(kept);
    const char* const start = rest.data();
    std::size_t at = 0, size = 0;
    bool found = false;
    while (rest.size() > sizeof(kept_head)) {
      kept_head head;
      std::memcpy(&head, rest.data(), sizeof head);
      rest.remove_prefix(sizeof head);
      if (head.version == version + 1) {
        found = true;
        at = static_cast<std::size_t>(rest.data() - start);
        size = head.size;
        break;
      }
      rest.remove_prefix(head.size);
    }
    if (!found) return {};
    if (error e = merged(spare_2, [&] { return view(onto); }, [&] { return view(kept).substr(at, size); })) return e;
    move(spare_2, onto);
    ++version;
  }
}

inline json::error device_session::take_twin(std::string_view payload, std::int64_t now) {
  if (error e = checked(payload)) return e;
  std::string_view root = json::detail::trimmed(payload);
  // Some hubs of old have the sections in `properties`.
  std::string_view fresh_desired = json::detail::member_text(root, "desired");
  if (fresh_desired.empty()) {
    root = json::detail::member_text(root, "properties");
    fresh_desired = json::detail::member_text(root, "desired");
  }
  std::string_view fresh_reported = json::detail::member_text(root, "reported");
  if (fresh_desired.empty() || fresh_desired.front() != '{') return detail::no_twin("/desired");
  if (fresh_reported.empty() || fresh_reported == "null") fresh_reported = "{}";
  if (fresh_reported.front() != '{') return detail::no_twin("/reported");
  std::int64_t version = no_version, reported_version = no_version;
  if (!detail::find_version(fresh_desired, version) || version == no_version) return detail::no_twin("/desired/$version");
  if (!detail::find_version(fresh_reported, reported_version)) return detail::no_twin("/reported/$version");

  // Reported.
  if (error e = compact(spare, fresh_reported, {true, true})) return e;
  if (error e = take_reported()) return e;
  state_.reported_version = reported_version;
  drop(sent);
  state_.patch = request();

  // Desired.
  if (error e = compact(spare, fresh_desired, {true, true})) return e;
  if (error e = apply_kept(spare, version)) return e;
  drop(kept);
  if (view(spare) != section(desired)) {
    if (state_.texts[desired].size == 0) {
      move(spare, news);
      if (error e = tell_all()) return e;
    } else {
      if (error e = difference(news, [&] { return section(desired); }, [&] { return view(spare); })) return e;
      drop(spare);
      if (view(news) == "{}") {
        drop(news);
      } else if (error e = become(spare)) {
        return e;
      }
    }
  }
  drop(spare);
  state_.desired_version = version;
  state_.get = request();
  state_.fetched = state_.known = true;
  if (state_.highest_kept > version) {  // newer changes came, and were not all kept
    ask_for_twin(now);
    return {};
  }
  state_.highest_kept = no_version;
  return send_pending(now);
}

/// The first desired section is `news` itself: each member is new.
inline json::error device_session::tell_all() {
  state_.texts[desired] = state_.texts[news];
  error e = build(records, [&](output& out) -> error {
    const std::string_view all = view(news);
    json::text_buffer pointer(store_.working());
    bool good = true;
    json::detail::text_items items(all);
    while (items.next()) {
      pointer.resize(0);
      merge::detail::render_name(items.name(), [&](char c) { good = good && pointer.append(&c, 1); });
      good = good && text_changes::append(out, pointer.view(), {}, {}, all, items.value());
    }
    return good ? error() : error(errc::out_of_memory);
  });
  if (!e && !view(records).empty()) act(action_kind::changed);
  return e;
}

// --- Reported ---------------------------------------------------------------------------------

/// The hub has in reported what is in `spare`.
inline json::error device_session::take_reported() {
  if (!state_.known) {
    // What was reported before goes on top, patch by patch: as one patch it could not always be said.
    move(spare, acked);
    std::size_t at = 0;
    while (at < view(before).size()) {
      const auto patch = [&] {
        const std::string_view rest = view(before).substr(at);
        return rest.substr(0, rest.find('\n'));
      };
      const slot from = at == 0 ? acked : wanted;
      if (error e = merged(spare, [&] { return section(from); }, patch)) return e;
      at += patch().size() + 1;
      move(spare, wanted);
    }
    state_.own_wanted = !view(before).empty();
    if (!state_.own_wanted) drop(wanted);
    drop(before);
    return {};
  }
  if (options_.who == authority::device) {
    if (!state_.own_wanted) {
      if (view(spare) != section(acked)) {
        move(acked, wanted);
        state_.own_wanted = true;
      }
    }
    move(spare, acked);
    return {};
  }
  if (!state_.own_wanted && view(sent).empty()) {
    move(spare, acked);
    return {};
  }
  // First the patch in flight, which may have arrived or not; then what came after it (merge::outbox::reconnect).
  if (!view(sent).empty()) {
    if (error e = merged(spare_2, [&] { return section(acked); }, [&] { return view(sent); })) return e;
    if (error e = difference(news, [&] { return view(spare_2); }, [&] { return wanted_text(); })) return e;
    if (error e = merged(spare_2, [&] { return view(spare); }, [&] { return view(sent); })) return e;
  } else {
    if (error e = difference(news, [&] { return section(acked); }, [&] { return wanted_text(); })) return e;
    state_.texts[spare_2] = state_.texts[spare];
  }
  if (error e = merged(wanted, [&] { return view(spare_2); }, [&] { return view(news); })) return e;
  state_.own_wanted = true;
  drop(spare_2);
  drop(news);
  move(spare, acked);
  return {};
}

inline json::error device_session::take_answer(const twin_topic& topic, std::string_view payload, std::int64_t now) {
  const unsigned status = topic.status;
  if (status == 429 || status >= 500) {
    put_off(state_.patch, now);
    return {};
  }
  if (status == 412 && state_.guarded) {  // somebody else wrote; what was sent is cleared up with what they wrote
    state_.patch = request();
    ask_for_twin(now);
    return {};
  }
  if (status / 100 != 2) {
    if (error e = refuse(status, payload)) return e;
    state_.patch = request();
    return send_pending(now);
  }
  if (state_.covers) {
    if (state_.own_wanted) move(wanted, acked);
    state_.own_wanted = false;
  } else {
    if (error e = merged(spare, [&] { return section(acked); }, [&] { return view(sent); })) return e;
    move(spare, acked);
  }
  drop(sent);
  state_.patch = request();
  const bool foreign = topic.version != no_version && state_.reported_version != no_version && topic.version != state_.reported_version + 1;
  state_.reported_version = topic.version;
  // Somebody else wrote, or the twin that is on its way may be from before this.
  if (foreign || state_.get.phase == standing::waiting) ask_for_twin(now);
  return send_pending(now);
}

/// The patch in flight is refused for good: it is handed back, and what came after it stays.
inline json::error device_session::refuse(unsigned status, std::string_view payload) {
  if (error e = note_reason(status, payload)) return e;
  if (error e = replay_without_sent()) return e;
  move(sent, given);
  act(action_kind::refused);
  return {};
}

inline json::error device_session::replay_without_sent() {
  if (state_.covers) {
    drop(wanted);
    state_.own_wanted = false;
    return {};
  }
  if (error e = merged(spare, [&] { return section(acked); }, [&] { return view(sent); })) return e;
  if (error e = difference(spare_2, [&] { return view(spare); }, [&] { return wanted_text(); })) return e;
  if (error e = merged(wanted, [&] { return section(acked); }, [&] { return view(spare_2); })) return e;
  drop(spare);
  drop(spare_2);
  state_.own_wanted = true;
  return {};
}

/// Sends what is pending, if nothing is in flight.
inline json::error device_session::send_pending(std::int64_t now) {
  while (state_.online && state_.fetched && state_.get.phase == standing::idle && view(sent).empty() && state_.own_wanted) {
    if (error e = difference(sent, [&] { return section(acked); }, [&] { return wanted_text(); })) return e;
    if (view(sent) == "{}") {
      drop(sent);
      drop(wanted);
      state_.own_wanted = false;
      return {};
    }
    state_.covers = view(sent).size() <= options_.max_payload;
    if (!state_.covers) {
      error e = build(spare, [&](output& out) { return detail::text_splitter(view(sent), store_.working()).first_part(options_.max_payload, out); });
      if (e) return e;
      move(spare, sent);
      if (view(sent).size() > options_.max_payload) {  // one leaf, which somebody else put there
        if (state_.action_count == most_actions) {
          drop(sent);
          return {};
        }
        if (error refused = refuse(0, {})) return refused;
        continue;
      }
    }
    publish_patch(now);
  }
  return {};
}

inline json::error device_session::check_report(std::string_view patch) {
  return with_room([&]() -> error {
    const json::memory_source working = store_.working();
    placed<devicetwin::detail::rule_checker> checker(working, *options_.rules, part::reported, shape::patch, nullptr, working);
    if (checker.it == nullptr) return errc::out_of_memory;
    using reader = json::detail::reader<devicetwin::detail::rule_checker>;
    void* const room = working.allocate(working.context, sizeof(reader));
    if (room == nullptr) return errc::out_of_memory;
    auto* const strict = new (room) reader(patch, *checker.it, json::default_max_depth, false, working);
    error e = strict->read();
    strict->~reader();
    working.release(working.context, room);
    if (e && e.code() == checker.it->failure()) {
      e = static_cast<error&&>(e).limited_to(checker.it->limit(), checker.it->actual());
    }
    return e;
  });
}

inline json::error device_session::report(std::string_view patch, std::int64_t now) {
  begin();
  return all_or_nothing([&]() -> error {
    if (error e = check_report(patch)) return e;
    patch = json::detail::trimmed(patch);
    if (patch.front() != '{') return detail::no_twin("");
    if (error e = compact(news, patch, {false, false})) return e;
    if (view(news).size() > options_.max_payload) {
      error too_long;
      error e = with_room([&] {
        return detail::text_splitter(view(news), store_.working()).measure([&](std::size_t alone) {
          if (alone > options_.max_payload) too_long = error(errc::patch_too_long).limited_to(options_.max_payload, alone);
          return !too_long;
        });
      });
      if (e) return e;
      if (too_long) return too_long;
    }
    if (error e = merged(spare, [&] { return wanted_text(); }, [&] { return view(news); })) return e;
    if (error e = check_size(spare)) return e;
    if (!state_.known) {
      if (error e = add_to_before()) return e;
    }
    if (view(spare) != wanted_text()) {
      move(spare, wanted);
      state_.own_wanted = true;
      state_.covers = false;
    }
    drop(spare);
    drop(news);
    return send_pending(now);
  });
}


/// Whether reported may become what is in a slot, having got `news`: only growth beyond the limits is refused.
inline json::error device_session::check_size(slot fresh) {
  const dialect& d = *options_.rules;
  const auto size_of = [&](std::string_view object) { return devicetwin::detail::text_size(object, d.size); };
  const auto too_large = [](std::size_t limit, std::size_t size) {
    return error(errc::section_too_large).limited_to(limit, size).at(json::detail::pointer_text{{}});
  };
  const std::size_t limit = d.max_size(part::reported);
  const std::string_view measured = view(d.basis == size_basis::patch ? news : fresh);
  // No value counts for more than eight times its text, so mostly there is nothing to measure.
  if (measured.size() > limit / 8) {
    const std::size_t size = size_of(measured);
    if (size > limit && (d.basis == size_basis::patch || size > size_of(wanted_text()))) return too_large(limit, size);
  }
  if (d.max_total != dialect::unlimited) {
    const std::size_t size = size_of(section(desired)) + size_of(view(fresh));
    if (size > d.max_total && size_of(view(fresh)) > size_of(wanted_text())) return too_large(d.max_total, size);
  }
  return {};
}

/// Before the first twin: `news` joins the last patch that was reported, where one patch can say both, or stands behind it.
inline json::error device_session::add_to_before() {
  const std::string_view all = view(before);
  std::size_t last = all.empty() ? 0 : all.size() - 1;
  while (last != 0 && all[last - 1] != '\n') --last;
  bool together = !all.empty();
  if (together) {
    // Not where an object would be merged into what the earlier patch removed or replaced.
    error e = build(spare_2, [&](output& out) -> error {
      const merge::options o = rules(merge::null_rule::keep);
      error failed;
      placed<merge::detail::text_merge> plan(o.memory, o, failed);
      if (plan.it == nullptr) return errc::out_of_memory;
      const std::string_view patches = view(before);
      plan.it->make(patches.substr(last, patches.size() - last - 1), view(news));
      if (failed) return failed;
      merge::detail::text_merge::steps path(o.memory);
      if (!plan.it->prepare_to_tell(path)) return errc::out_of_memory;
      together = true;
      const auto journal = [&](const json::location&, const std::string_view* old_text, const std::string_view* new_text) {
        if (old_text != nullptr && new_text != nullptr && new_text->front() == '{') together = false;
      };
      plan.it->tell(journal, path);
      if (!out.append(patches.data(), last)) return errc::out_of_memory;
      merge::detail::text_sink sink(out);
      plan.it->write(sink);
      failed = sink.finish();
      if (failed) return failed;
      sink.keep();
      return out.append("\n", 1) ? error() : error(errc::out_of_memory);
    });
    if (e) return e;
  }
  if (!together) {
    error e = build(spare_2, [&](output& out) -> error {
      const std::string_view patches = view(before);
      return out.append(patches.data(), patches.size()) && out.append(view(news).data(), view(news).size()) && out.append("\n", 1)
                 ? error()
                 : error(errc::out_of_memory);
    });
    if (e) return e;
  }
  move(spare_2, before);
  return {};
}

// --- Across power loss ------------------------------------------------------------------------

namespace detail {

// The content of the stored form (twin/detail/stored_form.hpp): flags, both versions plus one, and the texts of desired,
// reported as acknowledged, as wanted, in flight, and what was reported before the first twin.
inline constexpr std::string_view session_mark = "DTDS";
inline constexpr unsigned char session_format = 1;
inline constexpr unsigned session_known = 1, session_own_wanted = 2, session_covers = 4;

}  // namespace detail

template <class Output>
json::error device_session::save(Output& out) const {
  static_assert(json::detail::is_output<Output>,
                "device_session::save: the output needs append(const char*, std::size_t), size() and resize(std::size_t)");
  return devicetwin::detail::write_stored_form(detail::session_mark, detail::session_format, out, [this](auto& to) {
    to.number((state_.known ? detail::session_known : 0) | (state_.own_wanted ? detail::session_own_wanted : 0) |
              (state_.covers ? detail::session_covers : 0));
    to.number(static_cast<std::uint64_t>(state_.desired_version + 1));
    to.number(static_cast<std::uint64_t>(state_.reported_version + 1));
    for (const slot s : {desired, acked, wanted, sent, before}) to.text(view(s));
  });
}

inline json::error device_session::restore(std::string_view bytes) {
  begin();
  std::string_view content;
  const errc form = devicetwin::detail::read_stored_form(bytes, detail::session_mark, detail::session_format, content);
  if (form != errc::ok) return form;
  return all_or_nothing([&]() -> error {
    devicetwin::detail::stored_reader in(content);
    std::uint64_t flags = 0, versions[2] = {};
    if (!in.number(flags) || !in.number(versions[0]) || !in.number(versions[1])) return errc::damaged;
    state fresh;
    fresh.random = state_.random;
    fresh.requests = state_.requests;
    state_ = fresh;
    for (const slot s : {desired, acked, wanted, sent, before}) {
      std::string_view text;
      if (!in.text(text)) return errc::damaged;
      for (std::string_view rest = text; !rest.empty();) {  // each an object; of those before there may be several
        std::string_view object = rest;
        if (s == before) {
          object = rest.substr(0, rest.find('\n'));
          if (object.size() == rest.size()) return errc::damaged;
        }
        if (object.empty() || object.front() != '{') return errc::damaged;
        if (error e = checked(object)) return e.code() == errc::out_of_memory ? e : error(errc::damaged);
        rest.remove_prefix(s == before ? object.size() + 1 : object.size());
      }
      error e = build(s, [&](output& out) { return out.append(text.data(), text.size()) ? error() : error(errc::out_of_memory); });
      if (e) return e;
    }
    for (const std::uint64_t version : versions) {
      if (version > static_cast<std::uint64_t>(INT64_MAX)) return errc::damaged;
    }
    if (!in.done() || flags > 7) return errc::damaged;
    state_.known = (flags & detail::session_known) != 0;
    state_.own_wanted = (flags & detail::session_own_wanted) != 0;
    state_.covers = (flags & detail::session_covers) != 0;
    state_.desired_version = static_cast<std::int64_t>(versions[0]) - 1;
    state_.reported_version = static_cast<std::int64_t>(versions[1]) - 1;
    return {};
  });
}

// --- Subscriptions ----------------------------------------------------------------------------

template <class Visit>
json::error device_session::changes(const subscription& wanted_changes, Visit&& visit) {
  if (!json::detail::pointer_tokens::valid(wanted_changes.pointer)) {
    return error(errc::invalid_pointer).at(json::detail::pointer_text{wanted_changes.pointer});
  }
  if (wanted_changes.where != part::desired) return {};
  return detail::match_changes(wanted_changes, changes(), rules(), visit);
}

}  // namespace sync
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
