/// How a twin is written: the stages that every write goes through, and the four kinds of writes.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view

#include "../../base/text_buffer.hpp"
#include "../../json/write.hpp"
#include "../dialect.hpp"
#include "../identity.hpp"
#include "../outcome.hpp"
#include "../validate.hpp"
#include "counters_write.hpp"
#include "emit_section.hpp"
#include "section.hpp"
#include "sync_count.hpp"
#include "twin_state.hpp"
#include "write_input.hpp"
#include "write_output.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// A write of a twin in stages:
///
/// - parse: the input is a value in the outcome's memory already (basic_twin::write_from)
/// - check: preconditions, and which parts the input has
/// - plan: each part is checked against the dialect's rules, and what its patch changes is found
/// - count: the versions and the etag afterwards
/// - follow: one walk over each plan writes the change list, the notification and the event, and
///   counts what is out of sync
/// - prepare: takes all memory that the commit needs
/// - commit: writes, and cannot fail
///
/// Before commit() the twin is as it was. A `Kind` derives from this class and has check(), plan(),
/// count(), follow(), each_written(call), and counts_at_root: whether it moves the twin's version.
/// Where they differ from what stands here, it also has effective() and restamps().
template <class Kind, class State>
class twin_write {
 public:
  json::error run() {
    if (json::error e = kind().check()) return e;
    if (json::error e = kind().plan()) return e;
    if (report_ != nullptr) return {};  // that was the question
    if (!kind().effective()) return note_unchanged();
    if (json::error e = kind().count()) return e;
    if (json::error e = kind().follow()) return e;
    if (json::error e = prepare()) return e;
    commit();
    return {};
  }

 protected:
  using writer_type = json::text_writer;

  twin_write(State& state, outcome& done, timestamp now, validation* report) noexcept
      : state_(state),
        done_(done),
        now_(now),
        report_(report),
        working_(state.working()),
        counters_(state.identity, state.version_hint, working_) {}

  const dialect& rules() const noexcept { return *state_.rules; }
  /// Whether there is something to write.
  static constexpr bool effective() noexcept { return true; }
  /// Whether all of desired carries the stamp afterwards, and not only what was written.
  static constexpr bool restamps() noexcept { return false; }

  /// Limits of all parts together, of which `size` is the sum.
  json::error check_total(std::size_t size) const {
    if (size <= rules().max_total || size <= state_.total_size()) return {};
    const json::error e =
        json::error(json::errc::section_too_large).limited_to(rules().max_total, size);
    if (report_ == nullptr) return e;
    return report_->add(part::reported, e) ? json::errc::ok : json::errc::out_of_memory;
  }

  /// The twin's next version.
  json::error count_root() {
    const auto next = state_.next_version();
    if (!next) return next.error();
    next_version_ = *next;
    return {};
  }
  /// An etag that this twin never had.
  json::error count_etag() {
    if (state_.etag_counter() == UINT64_MAX)
      return error_at_member(json::errc::number_out_of_range, "etag");
    char text[etag_chars];
    write_etag(state_.etag_counter() + 1, text);
    if (!outcome_access::set_etag(done_, {text, etag_chars})) return json::errc::out_of_memory;
    new_etag_ = done_.etag();
    return {};
  }
  json::error keep_etag() {
    return outcome_access::set_etag(done_, state_.etag()) ? json::errc::ok
                                                          : json::errc::out_of_memory;
  }
  template <class Section>
  static json::error check_counter(const Section& write) {
    if (write.counts_on()) return {};
    return json::error(json::errc::number_out_of_range)
        .at(part_place(write.where()).member("$version"));
  }

  /// One walk over the plan collects the changes and tells the visitors, which say why they stop
  /// with failure().
  template <class SectionWrite, class... Visitors>
  json::error follow_plan(SectionWrite& write, Visitors&... visitors) {
    outcome_access::note_write(done_, write.where(), write.effective());
    outcome_access::collector changes(done_, write.where(), write.planned().copy_rule());
    if (write.follow(changes, visitors...)) return {};
    json::errc why = json::errc::ok;
    static_cast<void>((((why = visitors.failure()) != json::errc::ok) || ...));
    return why == json::errc::ok ? json::errc::out_of_memory : why;
  }

  State& state_;
  outcome& done_;
  timestamp now_;
  validation* report_;  ///< where violations are collected; then nothing is written
  memory_source working_;
  std::int64_t next_version_ = 0;
  std::int64_t pending_change_ = 0;
  std::string_view new_etag_;  ///< empty where it stays

 private:
  Kind& kind() noexcept { return static_cast<Kind&>(*this); }

  json::error note_unchanged() {
    outcome_access::note_versions(done_, state_.desired.version(), state_.reported.version(),
                                  state_.version);
    return keep_etag();
  }
  json::error prepare() {
    if constexpr (Kind::counts_at_root) {
      if (json::error e = counters_.prepare(new_etag_, next_version_, outcome_access::arena(done_)))
        return e;
    }
    json::error failure;
    kind().each_written([&](auto& write) {
      if (!failure) failure = write.prepare();
    });
    return failure;
  }
  void commit() {
    kind().each_written([&](auto& write) {
      const part where = write.where();
      write.commit(now_, where == part::desired && kind().restamps());
      root_layout& layout = state_.layout;
      if (where == part::tags) layout.shows_empty_tags = false;
      if (where == part::desired) layout.has_desired = true;
      if (where == part::reported) layout.has_reported = true;
    });
    if constexpr (Kind::counts_at_root) {
      counters_.commit();
      state_.version = next_version_;
    }
    state_.pending += pending_change_;
  }

  counters_write counters_;
};

/// The service patches or replaces tags and desired.
template <class State>
class service_write : public twin_write<service_write<State>, State> {
  using base = twin_write<service_write<State>, State>;
  friend base;
  using typename base::writer_type;
  static constexpr bool counts_at_root = true;

 public:
  service_write(State& state, json::arena_value& input, bool replace, timestamp now, outcome& done,
                std::string_view if_match, validation* report) noexcept
      : base(state, done, now, report),
        input_(input),
        replace_(replace),
        if_match_(if_match),
        tags_(state.tags, part::tags, *state.rules, this->working_),
        desired_(state.desired, part::desired, *state.rules, this->working_) {}

 private:
  json::error check() {
    if (!this->state_.exists()) return json::errc::not_a_twin;
    if (!etag_matches(if_match_, this->state_.etag())) return json::errc::precondition_failed;
    return take_apart(input_, this->rules().ignores_echo, this->state_.identity.root(),
                      this->rules(), given_);
  }
  json::error plan() {
    if (json::error e = plan_part(tags_, given_.tags)) return e;
    if (json::error e = plan_part(desired_, given_.desired)) return e;
    writes_tags_ = given_.tags != nullptr && tags_.effective();
    writes_desired_ = given_.desired != nullptr && desired_.effective();
    const std::size_t tags_size =
        given_.tags != nullptr ? tags_.size_after() : this->state_.tags.size();
    const std::size_t desired_size =
        given_.desired != nullptr ? desired_.size_after() : this->state_.desired.size();
    return this->check_total(tags_size + desired_size + this->state_.reported.size());
  }
  template <class SectionWrite>
  json::error plan_part(SectionWrite& write, json::arena_value* given) {
    if (given == nullptr) return {};
    const part_place place(write.where());
    const dialect& rules = this->rules();
    if (rules.ignores_echo) take_out_own(*given, write.where());  // otherwise the rules refuse it
    const bool clear = given->IsNull();
    if (clear && replace_ && !rules.nulls_in_replacement) {
      if (this->report_ == nullptr)
        return json::error(json::errc::null_in_replacement).at(place.location());
      return this->report_->add(write.where(), json::errc::null_in_replacement)
                 ? json::errc::ok
                 : json::errc::out_of_memory;
    }
    if (clear) given->SetObject();
    if (json::error e = write.check_rules(*given, replace_ ? shape::section : shape::patch,
                                          place.location(), this->report_))
      return e;
    json::arena& memory = outcome_access::arena(this->done_);
    if (replace_ || clear) {
      if (json::error e = null_for_missing(write.values_before(), *given, memory, this->working_))
        return e;
    } else if (write.where() == part::tags) {
      if (json::error e =
              drop_own_of_tags(this->state_.tags, *given, memory, rules, this->working_))
        return e;
    }
    return write.plan(*given, place.location(), this->report_);
  }
  bool effective() const noexcept { return writes_tags_ || writes_desired_; }
  bool restamps() const noexcept { return replace_; }

  json::error count() {
    if (writes_desired_) {
      if (json::error e = this->check_counter(desired_)) return e;
    }
    if (json::error e = this->count_etag()) return e;
    if (json::error e = this->count_root()) return e;
    outcome_access::note_versions(
        this->done_, writes_desired_ ? desired_.next_version() : this->state_.desired.version(),
        this->state_.reported.version(), this->next_version_);
    return {};
  }
  json::error follow() {
    if (writes_tags_) {
      if (json::error e = this->follow_plan(tags_)) return e;
    }
    if (writes_desired_) {
      if (json::error e = follow_desired()) return e;
    }
    return replace_ ? write_replace_event() : write_update_event();
  }
  /// Writes the notification, too.
  json::error follow_desired() {
    json::core::own_walk_memory<json::arena_value> memory(this->working_);
    writer_type writer(outcome_access::notification(this->done_));
    sync_counter counter(this->rules(), this->working_);
    sync_counter::desired_write sync(counter, this->state_.reported.values());
    member_renderer<writer_type> members{writer, desired_.planned().copy_rule(), memory, 0};
    if (!writer.StartObject()) return writer.failure();
    if (json::error e = this->follow_plan(desired_, sync, members)) return e;
    this->pending_change_ = sync.change;
    return render_end(desired_, false, this->now_, writer, memory);
  }
  /// updateTwin: what was written.
  json::error write_update_event() {
    writer_type writer(outcome_access::event(this->done_));
    const auto stopped = [&writer] { return json::error(writer.failure()); };
    if (!writer.RawKey("{\"version\":", 1) || !writer.Int64(this->next_version_)) return stopped();
    if (writes_tags_) {
      if (!writer.Key("tags", 4, true)) return stopped();
      if (json::error e = render_section(tags_, false, this->now_, writer, this->working_))
        return e;
    }
    if (writes_desired_) {
      // The members are those of the notification, which is text already.
      const std::string_view members = members_before_version(this->done_.notification());
      if (!writer.RawKey("\"properties\":{\"desired\":", 1) || !writer.RawStart(members))
        return stopped();
      json::core::own_walk_memory<json::arena_value> memory(this->working_);
      if (json::error e = render_end(desired_, true, this->now_, writer, memory)) return e;
      if (!writer.EndObject(1)) return stopped();
    }
    return writer.EndObject(0) ? json::error() : stopped();
  }
  /// replaceTwin: the whole twin, as it will be.
  json::error write_replace_event() {
    writer_type writer(outcome_access::event(this->done_));
    const stamp written{this->now_, desired_.next_version()};
    const State& state = this->state_;
    const auto tags = [&]() -> json::error {
      if (!writes_tags_ && state.tags.values().MemberCount() == 0) return {};
      if (!writer.Key("tags", 4, true)) return writer.failure();
      return writes_tags_ ? write_replaced(*given_.tags, nullptr, false, 0, writer, this->working_)
                          : emit_section(state.tags, false, false, writer, this->working_);
    };
    const auto desired = [&]() -> json::error {
      if (!writes_desired_) return emit_section(state.desired, true, true, writer, this->working_);
      return write_replaced(*given_.desired, &written, true, desired_.next_version(), writer,
                            this->working_);
    };
    const auto reported = [&]() -> json::error {
      return emit_section(state.reported, true, false, writer, this->working_);
    };
    return write_event_body(writer, state, this->done_.etag(), this->next_version_, tags, desired,
                            reported);
  }
  template <class Call>
  void each_written(Call&& call) {
    if (writes_tags_) call(tags_);
    if (writes_desired_) call(desired_);
  }

  json::arena_value& input_;
  bool replace_;
  bool writes_tags_ = false, writes_desired_ = false;
  std::string_view if_match_;
  given_parts given_;
  section_write<unstamped> tags_;
  section_write<stamped> desired_;
};

/// The device patches reported.
template <class State>
class device_write : public twin_write<device_write<State>, State> {
  using base = twin_write<device_write<State>, State>;
  friend base;
  using typename base::writer_type;
  static constexpr bool counts_at_root = true;

 public:
  /// `expected_version`: of reported; negative for any.
  device_write(State& state, const json::arena_value& patch, timestamp now, outcome& done,
               std::int64_t expected_version, validation* report) noexcept
      : base(state, done, now, report),
        patch_(patch),
        expected_version_(expected_version),
        reported_(state.reported, part::reported, *state.rules, this->working_) {}

 private:
  json::error check() {
    if (!this->state_.exists()) return json::errc::not_a_twin;
    const bool fits = expected_version_ < 0 || expected_version_ == this->state_.reported.version();
    return fits ? json::errc::ok : json::errc::precondition_failed;
  }
  json::error plan() {
    if (json::error e = reported_.check_rules(patch_, shape::patch, {}, this->report_)) return e;
    if (json::error e = reported_.plan(patch_, {}, this->report_)) return e;
    return this->check_total(this->state_.tags.size() + this->state_.desired.size() +
                             reported_.size_after());
  }
  bool effective() const noexcept { return reported_.effective(); }

  json::error count() {
    if (json::error e = this->check_counter(reported_)) return e;
    if (json::error e = this->count_root()) return e;
    if (json::error e = this->keep_etag()) return e;
    outcome_access::note_versions(this->done_, this->state_.desired.version(),
                                  reported_.next_version(), this->next_version_);
    return {};
  }
  /// Writes the event, too.
  json::error follow() {
    json::core::own_walk_memory<json::arena_value> memory(this->working_);
    writer_type writer(outcome_access::event(this->done_));
    const auto stopped = [&writer] { return json::error(writer.failure()); };
    if (!writer.RawKey("{\"version\":", 1) || !writer.Int64(this->next_version_) ||
        !writer.RawKey("\"properties\":{\"reported\":", 1) || !writer.StartObject()) {
      return stopped();
    }
    sync_counter counter(this->rules(), this->working_);
    sync_counter::reported_write sync(counter, this->state_.desired.values());
    member_renderer<writer_type> members{writer, reported_.planned().copy_rule(), memory, 0};
    if (json::error e = this->follow_plan(reported_, sync, members)) return e;
    if (json::error e = render_end(reported_, true, this->now_, writer, memory)) return e;
    if (!writer.EndObject(1) || !writer.EndObject(2)) return stopped();
    this->pending_change_ = sync.change;
    return {};
  }
  template <class Call>
  void each_written(Call&& call) {
    call(reported_);
  }

  const json::arena_value& patch_;
  std::int64_t expected_version_;
  section_write<stamped> reported_;
};

/// A device's copy takes a notification of desired.
template <class State>
class notification_write : public twin_write<notification_write<State>, State> {
  using base = twin_write<notification_write<State>, State>;
  friend base;
  static constexpr bool counts_at_root = false;

 public:
  notification_write(State& state, json::arena_value& input, timestamp now, outcome& done) noexcept
      : base(state, done, now, nullptr),
        input_(input),
        desired_(state.desired, part::desired, *state.rules, this->working_) {}

 private:
  json::error check() {
    if (!this->state_.exists() || !input_.IsObject()) return json::errc::not_a_twin;
    std::int64_t version = 0;
    if (!take_version(input_, "$version", version))
      return error_at_member(json::errc::not_a_twin, "$version");
    const bool next = version != 0 && version - 1 == this->state_.desired.version();
    return next ? json::errc::ok : json::errc::precondition_failed;
  }
  json::error plan() {
    if (json::error e = desired_.check_rules(input_, shape::patch, {}, nullptr)) return e;
    return desired_.plan(input_, {}, nullptr);
  }

  json::error count() {
    outcome_access::note_versions(this->done_, desired_.next_version(),
                                  this->state_.reported.version(), this->state_.version);
    return this->keep_etag();
  }
  json::error follow() {
    sync_counter counter(this->rules(), this->working_);
    sync_counter::desired_write sync(counter, this->state_.reported.values());
    if (json::error e = this->follow_plan(desired_, sync)) return e;
    this->pending_change_ = sync.change;
    return {};
  }
  template <class Call>
  void each_written(Call&& call) {
    call(desired_);
  }

  json::arena_value& input_;
  section_write<stamped> desired_;
};

/// A back end's copy takes an event.
template <class State>
class event_write : public twin_write<event_write<State>, State> {
  using base = twin_write<event_write<State>, State>;
  friend base;
  static constexpr bool counts_at_root = true;

 public:
  event_write(State& state, json::arena_value& input, outcome& done) noexcept
      : base(state, done, timestamp(), nullptr),
        input_(input),
        tags_(state.tags, part::tags, *state.rules, this->working_),
        desired_(state.desired, part::desired, *state.rules, this->working_),
        reported_(state.reported, part::reported, *state.rules, this->working_) {}

 private:
  json::error check() {
    if (!this->state_.exists() || !input_.IsObject()) return json::errc::not_a_twin;
    std::int64_t version = 0;
    if (!take_version(input_, "version", version))
      return error_at_member(json::errc::not_a_twin, "version");
    if (this->count_root() || version != this->next_version_)
      return json::errc::precondition_failed;
    return take_apart(input_, true, this->state_.identity.root(), this->rules(), given_);
  }
  json::error plan() {
    if (json::error e = plan_tags()) return e;
    if (json::error e = plan_properties(desired_, given_.desired)) return e;
    if (json::error e = plan_properties(reported_, given_.reported)) return e;
    // Desired and reported are compared as they are after both writes, so the second counts when
    // the first is done; an event has one of them only.
    const bool both = given_.desired != nullptr && given_.reported != nullptr;
    return both ? error_at_member(json::errc::not_a_twin, "properties") : json::error();
  }
  json::error plan_tags() {
    if (given_.tags == nullptr) return {};
    const part_place place(part::tags);
    if (!given_.tags->IsObject()) return json::error(json::errc::not_a_twin).at(place.location());
    take_out_own(*given_.tags, part::tags);
    if (json::error e = tags_.check_rules(*given_.tags, shape::patch, place.location(), nullptr))
      return e;
    json::arena& memory = outcome_access::arena(this->done_);
    if (json::error e = drop_own_of_tags(this->state_.tags, *given_.tags, memory, this->rules(),
                                         this->working_))
      return e;
    return tags_.plan(*given_.tags, place.location(), nullptr);
  }
  /// Of desired or reported; the time stands in its metadata.
  template <class SectionWrite>
  json::error plan_properties(SectionWrite& write, json::arena_value* given) {
    if (given == nullptr) return {};
    const part_place place(write.where());
    const auto invalid = [&] { return json::error(json::errc::not_a_twin).at(place.location()); };
    if (!given->IsObject()) return invalid();
    std::int64_t next = 0;
    json::arena_value metadata;
    static_cast<void>(take_member(*given, "$metadata", metadata));
    const json::arena_value* updated =
        metadata.IsObject() ? find_member(metadata, "$lastUpdated") : nullptr;
    const auto time = updated != nullptr && updated->IsString()
                          ? parse_timestamp(json::core::text_of(*updated))
                          : json::result<timestamp>(json::errc::not_a_twin);
    if (!time || !take_version(*given, "$version", next)) return invalid();
    if (next <= this->state_.properties(write.where()).version())
      return json::errc::precondition_failed;
    this->now_ = *time;
    write.set_next_version(next);
    if (json::error e = write.check_rules(*given, shape::patch, place.location(), nullptr))
      return e;
    return write.plan(*given, place.location(), nullptr);
  }

  json::error count() {
    const bool by_service = given_.tags != nullptr || given_.desired != nullptr;
    if (json::error e = by_service ? this->count_etag() : this->keep_etag()) return e;
    outcome_access::note_versions(
        this->done_,
        given_.desired != nullptr ? desired_.next_version() : this->state_.desired.version(),
        given_.reported != nullptr ? reported_.next_version() : this->state_.reported.version(),
        this->next_version_);
    return {};
  }
  json::error follow() {
    sync_counter counter(this->rules(), this->working_);
    if (given_.tags != nullptr) {
      if (json::error e = this->follow_plan(tags_)) return e;
    }
    if (given_.desired != nullptr) {
      sync_counter::desired_write sync(counter, this->state_.reported.values());
      if (json::error e = this->follow_plan(desired_, sync)) return e;
      this->pending_change_ = sync.change;
    }
    if (given_.reported != nullptr) {
      sync_counter::reported_write sync(counter, this->state_.desired.values());
      if (json::error e = this->follow_plan(reported_, sync)) return e;
      this->pending_change_ = sync.change;
    }
    return {};
  }
  template <class Call>
  void each_written(Call&& call) {
    if (given_.tags != nullptr) call(tags_);
    if (given_.desired != nullptr) call(desired_);
    if (given_.reported != nullptr) call(reported_);
  }

  json::arena_value& input_;
  given_parts given_;
  section_write<unstamped> tags_;
  section_write<stamped> desired_;
  section_write<stamped> reported_;
};

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
