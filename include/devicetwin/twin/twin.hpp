/// The device twin: the JSON document that a device and its back end share.
///
///     devicetwin::twin t;
///     if (auto made = t.create({"greenhouse-07"}, now); !made) ...
///     auto done = t.service_patch(R"({"properties":{"desired":{"fan":2}}})", now);
///     if (done) send_to_device(done->notification());
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view

#include "../base/pool.hpp"
#include "../json/arena.hpp"
#include "../json/get.hpp"
#include "../json/read.hpp"
#include "../json/write.hpp"
#include "detail/render.hpp"
#include "detail/section.hpp"
#include "detail/twin_load.hpp"
#include "detail/twin_mistakes.hpp"
#include "detail/twin_state.hpp"
#include "detail/twin_write.hpp"
#include "dialect.hpp"
#include "identity.hpp"
#include "outcome.hpp"
#include "stamp.hpp"
#include "validate.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// Where a twin lives: on the C library's heap, or another memory_source's.
class heap_memory {
 public:
  heap_memory() noexcept = default;
  explicit heap_memory(const memory_source& source) noexcept : source_(source) {}
  memory_source source() const noexcept { return source_; }

 private:
  memory_source source_;
};

/// Where a twin lives: in a caller's buffer and nowhere else; the buffer must outlive it. Views and
/// questions may take working memory from it, too, so that not even const access is for several
/// threads at once. A write for which there is no room is refused with out_of_memory, and nothing
/// has changed. Six times the text of the service's view, metadata included, and 2 KB are enough to
/// load it and to patch it for ever.
class buffer_memory {
 public:
  buffer_memory(void* buffer, std::size_t bytes) noexcept : pool_(buffer, bytes) {}
  memory_source source() const noexcept { return pool_.source(); }

 private:
  pool pool_;
};

/// A twin, with the stamps of its properties and the tombstones of removed ones. `Memory` is
/// heap_memory or buffer_memory.
///
/// Its parts are identity (read-only to both parties), tags and desired (written by the service)
/// and reported (written by the device). Every write is one step: it happens as a whole or, with an
/// error, not at all. The rules are those of a dialect, azure if none is named; docs/azure.md has
/// them in words. What is handed out by reference is valid until the next write. Const access from
/// several threads is safe; one writer at a time. Movable; assign() copies.
template <class Memory>
class basic_twin : private detail::twin_mistakes {
 public:
  /// `rules` must outlive the twin.
  explicit basic_twin(const dialect& rules = azure, const Memory& memory = Memory()) noexcept
      : state_(rules, memory) {}
  basic_twin(basic_twin&& other) noexcept : basic_twin(other.rules(), other.state_.memory) {
    swap(other);
  }
  basic_twin& operator=(basic_twin&& other) noexcept {
    basic_twin(static_cast<basic_twin&&>(other)).swap(*this);
    return *this;
  }
  void swap(basic_twin& other) noexcept { state_.swap(other.state_); }
  /// Becomes a copy, in this twin's own memory. Errors: out_of_memory; then nothing has changed.
  json::error assign(const basic_twin& other) {
    state copy(other.rules(), state_.memory);
    if (json::error e = copy.copy_from(other.state_)) return e;
    state_.swap(copy);
    return {};
  }

  // --- reading -------------------------------------------------------------------------------

  const dialect& rules() const noexcept { return *state_.rules; }
  /// Everything at the root but tags and properties, an object; null before there is a twin.
  const json::arena_value& identity() const noexcept { return state_.identity.root(); }
  /// Objects; null before there is a twin.
  const json::arena_value& tags() const noexcept { return state_.tags.values(); }
  const json::arena_value& desired() const noexcept { return state_.desired.values(); }
  const json::arena_value& reported() const noexcept { return state_.reported.values(); }

  std::int64_t version() const noexcept { return state_.version; }
  std::int64_t desired_version() const noexcept { return state_.desired.version(); }
  std::int64_t reported_version() const noexcept { return state_.reported.version(); }
  /// Without the quotes that a header puts around it; empty when there is none.
  std::string_view etag() const noexcept { return state_.etag(); }
  std::string_view device_id() const noexcept { return state_.device_id(); }
  std::string_view module_id() const noexcept { return state_.module_id(); }

  /// The size of a part by the dialect's formula.
  std::size_t size(part p) const noexcept { return state_.size(p); }
  /// The bytes of the compact JSON text of a part's values, as dialect::max_text counts them. Cost:
  /// none, a counter is kept.
  std::size_t text_size(part p) const noexcept { return state_.text_size(p); }
  /// When the property at `pointer` ("" is the section itself) was last written. Of a property of
  /// tags, or one whose metadata is missing, nothing is known: not_found. The version is 0 where it
  /// is not known: the metadata has none, or one that cannot be right, or contradicts the history
  /// (docs/azure.md, "History"). Errors: as json::find. Cost: a scan of each object on the way.
  json::result<stamp> stamp_of(part where, std::string_view pointer) const noexcept {
    return state_.stamp_of(where, pointer);
  }

  /// Whether reported has every desired property, with its value; an acknowledgement counts as the
  /// value it names. Cost: none, a counter is kept.
  bool in_sync() const noexcept { return state_.pending == 0; }

  /// Bytes held for everything beside this object itself.
  std::size_t memory_in_bytes() const noexcept {
    return state_.identity.capacity_in_bytes() + state_.tags.memory_in_bytes() +
           state_.desired.memory_in_bytes() + state_.reported.memory_in_bytes();
  }

  /// The value at `pointer` of a part as T, as json::get() has it. A std::string_view is valid
  /// until the next write. Errors: as json::get().
  template <class T>
  json::result<json::core::gettable_or_double<T>> get(
      part where, std::string_view pointer = {}) const noexcept {
    return json::get<T>(where == part::tags      ? tags()
                        : where == part::desired ? desired()
                                                 : reported(),
                        pointer);
  }

  // --- making one ----------------------------------------------------------------------------

  /// A fresh twin: empty sections at version 1, the etag's counter at 1, the twin at version 2.
  /// `done` has the lifecycle event. Errors: invalid_identity at the member, out_of_memory; then
  /// nothing has changed.
  json::error create(const new_identity& who, timestamp now, outcome& done) {
    done.clear();
    state fresh = state_.successor();
    if (json::error e = detail::make_twin(fresh, who, now, done)) return emptied(done, e);
    state_.swap(fresh);
    return {};
  }
  /// The same, and returns the outcome.
  json::result<outcome> create(const new_identity& who, timestamp now) {
    outcome done(memory());
    return outcome_of(create(who, now, done), done);
  }
  using twin_mistakes::create;

  /// Takes a twin from JSON text or a value: what the service's GET gives, a device's own
  /// (`{"desired":…,"reported":…}`), or the body of a lifecycle or replaceTwin event. Limits do not
  /// apply: what exists is taken, kept, and written back the same, also metadata that is missing,
  /// stale or strange, and counters that follow no law. Members of the root that are not known are
  /// kept; of `properties` only the two sections are. Errors: of reading; not_a_twin with the
  /// pointer of what has the wrong type; misplaced_section with the pointer of `desired` or
  /// `reported` at the root of a twin that has `properties` too; out_of_memory; then nothing has
  /// changed.
  template <class Input = std::string_view>
  json::error load(const Input& input) {
    static_assert(
        json::core::stands_for_text<Input> || json::core::stands_for_value<Input>,
        "basic_twin: the input is JSON text, a json::document, or a RapidJSON document or "
        "value");
    json::arena scratch(memory());
    json::arena_value whole;
    if constexpr (json::core::stands_for_text<Input>) {
      // It is rarely more; without room for that it grows in steps.
      static_cast<void>(scratch.reserve(3 * std::string_view(input).size()));
    }
    if (json::error e = take(input, whole, scratch, detail::whole_twin_depth)) return e;
    return load_value(whole);
  }

  // --- writing -------------------------------------------------------------------------------
  //
  // A write takes JSON text, or a value or document, and the time. Each has two forms, which do the
  // same. One returns its outcome, whose memory is the twin's memory(): a twin in a buffer must
  // outlive it, and the outcome takes room there. The other fills an outcome of the caller's, which
  // soon needs no new memory. Errors: of reading, with line and column; those of the dialect, with
  // the pointer; number_out_of_range at a counter of a loaded twin that cannot count on;
  // out_of_memory. Then nothing has changed and the caller's outcome is empty. Cost: what the input
  // says, not what the twin holds, apart from the scan for each name.

  /// The service merges `{"tags":{…},"properties":{"desired":{…}}}`, either left out, in one step.
  /// Null for a section empties it. `if_match` as etag_matches() has it. Errors:
  /// precondition_failed, not_writable.
  template <class Input = std::string_view>
  json::error service_patch(const Input& patch, timestamp now, outcome& done,
                            std::string_view if_match = {}) {
    return write_from(patch, done, [&](json::arena_value& v) {
      return service_write(state_, v, false, now, done, if_match, nullptr).run();
    });
  }
  template <class Input = std::string_view>
  json::result<outcome> service_patch(const Input& patch, timestamp now,
                                      std::string_view if_match = {}) {
    outcome done(memory());
    return outcome_of(service_patch(patch, now, done, if_match), done);
  }
  using twin_mistakes::service_patch;

  /// The service replaces the sections that are given, in the same shape. The device is told what
  /// is there, and null for what is gone.
  template <class Input = std::string_view>
  json::error service_replace(const Input& document, timestamp now, outcome& done,
                              std::string_view if_match = {}) {
    return write_from(document, done, [&](json::arena_value& v) {
      return service_write(state_, v, true, now, done, if_match, nullptr).run();
    });
  }
  template <class Input = std::string_view>
  json::result<outcome> service_replace(const Input& document, timestamp now,
                                        std::string_view if_match = {}) {
    outcome done(memory());
    return outcome_of(service_replace(document, now, done, if_match), done);
  }
  using twin_mistakes::service_replace;

  /// No condition on a version.
  static constexpr std::int64_t any_version = -1;

  /// The device merges the bare object of what it reports; any `$` name in it is refused. With
  /// `expected_version`, the reported version must be that one: precondition_failed.
  template <class Input = std::string_view>
  json::error device_patch(const Input& patch, timestamp now, outcome& done,
                           std::int64_t expected_version = any_version) {
    return write_from(patch, done, [&](json::arena_value& v) {
      return device_write(state_, v, now, done, expected_version, nullptr).run();
    });
  }
  template <class Input = std::string_view>
  json::result<outcome> device_patch(const Input& patch, timestamp now,
                                     std::int64_t expected_version = any_version) {
    outcome done(memory());
    return outcome_of(device_patch(patch, now, done, expected_version), done);
  }
  using twin_mistakes::device_patch;

  /// A device's copy takes a notification: members of desired and "$version", which becomes
  /// desired's. Only the version after the current one is taken, precondition_failed otherwise:
  /// fetch the whole twin then. Errors: not_a_twin at "/$version".
  template <class Input = std::string_view>
  json::error apply_notification(const Input& notification, timestamp now, outcome& done) {
    return write_from(notification, done, [&](json::arena_value& v) {
      return notification_write(state_, v, now, done).run();
    });
  }
  template <class Input = std::string_view>
  json::result<outcome> apply_notification(const Input& notification, timestamp now) {
    outcome done(memory());
    return outcome_of(apply_notification(notification, now, done), done);
  }
  using twin_mistakes::apply_notification;

  /// A back end's copy takes an updateTwin event: root "version", and of each section written its
  /// members, "$metadata", whose time they carry from now on, and "$version". Only the event after
  /// the copy's version is taken, and a section's version must be above the copy's;
  /// precondition_failed otherwise: fetch the whole twin then. (The body of any other event is a
  /// whole twin: load().) Errors: not_a_twin at what is missing or has the wrong type.
  template <class Input = std::string_view>
  json::error apply_event(const Input& event, outcome& done) {
    return write_from(event, done,
                      [&](json::arena_value& v) { return event_write(state_, v, done).run(); });
  }
  template <class Input = std::string_view>
  json::result<outcome> apply_event(const Input& event) {
    outcome done(memory());
    return outcome_of(apply_event(event, done), done);
  }
  using twin_mistakes::apply_event;

  // --- asking first --------------------------------------------------------------------------

  /// What the write of the same name would be refused for, all of it, and the room each written
  /// section would have left; nothing is changed. Errors: what makes the input no such write at all
  /// (reading, not_a_twin, not_writable, out_of_memory).
  json::error check_service_patch(std::string_view text, validation& report) const {
    return ask(text, party::service, report, [&](state& s, json::arena_value& v, outcome& none) {
      return service_write(s, v, false, timestamp(), none, {}, &report).run();
    });
  }
  json::error check_service_replace(std::string_view text, validation& report) const {
    return ask(text, party::service, report, [&](state& s, json::arena_value& v, outcome& none) {
      return service_write(s, v, true, timestamp(), none, {}, &report).run();
    });
  }
  json::error check_device_patch(std::string_view text, validation& report) const {
    return ask(text, party::device, report, [&](state& s, json::arena_value& v, outcome& none) {
      return device_write(s, v, timestamp(), none, any_version, &report).run();
    });
  }

  // --- what was removed ----------------------------------------------------------------------

  /// How many bytes of tombstones each section may keep; the oldest go first. Stays when another
  /// twin is loaded.
  void set_history_budget(std::size_t bytes) noexcept {
    state_.desired.tracking().history().set_budget(bytes);
    state_.reported.tracking().history().set_budget(bytes);
  }
  /// Forgets what was removed up to this version of the section; nobody will ask any more. A
  /// version that the section has not reached yet means the present one.
  void forget_before(part section, std::int64_t version) noexcept {
    if (section == part::tags) return;
    auto& written = state_.properties(section);
    written.tracking().history().forget_before(version < written.version() ? version
                                                                           : written.version());
  }

  /// Where its working memory comes from.
  memory_source memory() const noexcept { return state_.working(); }

 private:
  friend struct detail::twin_access;
  using state = detail::twin_state<Memory>;
  using service_write = detail::service_write<state>;
  using device_write = detail::device_write<state>;
  using notification_write = detail::notification_write<state>;
  using event_write = detail::event_write<state>;

  /// Reads text, or copies a value and checks its strings, which nobody has read yet. Callers
  /// assert that the input is one of these.
  template <class Input>
  json::error take(const Input& input, json::arena_value& value, json::arena& scratch,
                   std::size_t max_depth = json::default_max_depth) const {
    if constexpr (json::core::stands_for_text<Input>) {
      return read_text(input, value, scratch, max_depth);
    } else if constexpr (json::core::stands_for_value<Input>) {
      return copy_checked(json::core::value_of(input), value, scratch, max_depth);
    } else {
      return json::errc::wrong_type;
    }
  }
  json::error read_text(std::string_view text, json::arena_value& value, json::arena& scratch,
                        std::size_t max_depth) const {
    json::read_options options;
    options.max_depth = max_depth;
    options.big_integers = rules().big_integers;
    options.memory = memory();
    return json::read(text, value, scratch, options);
  }
  template <class Input, class Write>
  json::error write_from(const Input& input, outcome& done, Write&& write) const {
    static_assert(
        json::core::stands_for_text<Input> || json::core::stands_for_value<Input>,
        "basic_twin: the input is JSON text, a json::document, or a RapidJSON document or "
        "value");
    done.clear();
    json::arena_value value;
    if (json::error e = take(input, value, detail::outcome_access::arena(done)))
      return emptied(done, e);
    return emptied(done, write(value));
  }
  static json::result<outcome> outcome_of(const json::error& failure, outcome& done) {
    if (failure) return failure;
    return static_cast<outcome&&>(done);
  }
  enum class party : unsigned char { service, device };
  template <class Act>
  json::error ask(std::string_view text, party who, validation& report, Act&& act) const {
    report.clear();
    outcome none(memory());
    auto& self = const_cast<state&>(state_);  // with a report nothing is written
    const json::error e =
        write_from(text, none, [&](json::arena_value& v) { return act(self, v, none); });
    if (!detail::is_number_size(e.code())) return e;
    // The numbers are violations; the rest is looked at without them.
    json::arena_value value;
    const auto note = [&](std::string_view pointer, json::errc code) {
      part where = part::reported;
      if (who == party::service && !section_in_root(pointer, where)) return code;
      const auto violation = json::error(code).at(json::core::pointer_text{pointer});
      return report.add(where, violation) ? json::errc::ok : json::errc::out_of_memory;
    };
    if (json::error worse = detail::read_without_big_numbers(
            text, value, detail::outcome_access::arena(none), rules(), memory(), note))
      return worse;
    return act(self, value, none);
  }
  /// Takes the place of a section off a pointer into what a service writes. False when it leads to
  /// neither tags nor desired.
  static bool section_in_root(std::string_view& pointer, part& where) noexcept {
    constexpr std::string_view places[] = {"/tags", "/properties/desired"};
    for (const std::string_view place : places) {
      const std::string_view rest =
          pointer.substr(pointer.size() < place.size() ? pointer.size() : place.size());
      if (pointer.substr(0, place.size()) != place || (!rest.empty() && rest.front() != '/'))
        continue;
      where = place == places[0] ? part::tags : part::desired;
      pointer = rest;
      return true;
    }
    return false;
  }
  static json::error emptied(outcome& done, const json::error& e) {
    if (e) done.clear();
    return e;
  }
  template <class Value>
  json::error copy_checked(const Value& given, json::arena_value& value, json::arena& scratch,
                           std::size_t max_depth) const {
    json::core::walk_memory<Value> walk(memory());
    base::byte_counter text;
    json::text_writer checker(text);
    if (json::error e = json::core::emit(given, checker, json::core::nulls::emit, max_depth, walk))
      return e;
    json::core::tree_builder<json::arena> builder(scratch, memory());
    return builder.build(value, [&](auto& handler) {
      return json::core::emit(given, handler, json::core::nulls::emit, max_depth, walk);
    });
  }

  json::error load_value(json::arena_value& value) {  // takes it apart
    state fresh = state_.successor();
    if (json::error e = detail::twin_loader<state>(fresh).load(value)) return e;
    state_.swap(fresh);
    return {};
  }

  state state_;
};

/// The everyday twin: on the heap.
using twin = basic_twin<heap_memory>;

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
