/// One section of a twin: the values, their version, and who wrote what when. It is the only writer
/// of all three, so they stay aligned.
#pragma once

#include <cstddef>  // std::size_t
#include <cstdint>  // std::int64_t
#include <new>      // placement new
#include <utility>  // std::swap

#include "../base/text_buffer.hpp"
#include "../json/arena.hpp"
#include "../json/error.hpp"
#include "../json/pointer.hpp"
#include "../merge/diff.hpp"
#include "../merge/merge_patch.hpp"
#include "detail/history.hpp"
#include "detail/loaded_metadata.hpp"
#include "detail/plan_walk.hpp"
#include "detail/shadow.hpp"
#include "detail/shadow_load.hpp"
#include "detail/shadow_metadata.hpp"
#include "detail/shadow_write.hpp"
#include "dialect.hpp"
#include "stamp.hpp"
#include "validate.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// What a section keeps beside its values: stamps of every property, and tombstones of removed
/// ones.
class stamped {
 public:
  static constexpr bool keeps_stamps = true;

  explicit stamped(const memory_source& memory = {}) noexcept : shadow_(memory), history_(memory) {}
  ~stamped() { drop_unusual(); }
  stamped(const stamped&) = delete;
  stamped& operator=(const stamped&) = delete;
  void swap(stamped& other) noexcept {
    shadow_.swap(other.shadow_);
    history_.swap(other.history_);
    std::swap(unusual_, other.unusual_);
    std::swap(doubted_, other.doubted_);
  }

  const detail::stamp_shadow& shadow() const noexcept { return shadow_; }
  detail::stamp_shadow& shadow() noexcept { return shadow_; }
  detail::section_history& history() noexcept { return history_; }
  const detail::section_history& history() const noexcept { return history_; }
  /// Whether stamps, versions or history contradict each other as they were loaded. Then it is not
  /// known what changed since any version, up to the next write.
  bool is_doubted() const noexcept { return doubted_; }
  /// Forgets everything up to the section's present version, and doubts it.
  void doubt(std::int64_t version) noexcept {
    history_.start(version);
    doubted_ = true;
  }
  void set_doubted(bool doubted) noexcept { doubted_ = doubted; }
  /// What a loaded `$metadata` had beyond stamps, as a patch of what the stamps print; a null
  /// pointer for nothing.
  const json::arena_value* unusual() const noexcept {
    return unusual_ == nullptr ? nullptr : &unusual_->root();
  }
  /// Takes such a patch over, an object. False when memory ran out.
  [[nodiscard]] bool set_unusual(json::document& patch) noexcept {
    drop_unusual();
    const memory_source& memory = shadow_.memory();
    void* room = memory.allocate(memory.context, sizeof(json::document));
    if (room == nullptr) return false;
    unusual_ = new (room) json::document(memory);
    unusual_->swap(patch);
    return true;
  }
  std::size_t memory_in_bytes() const noexcept {
    return shadow_.memory_in_bytes() + history_.memory_in_bytes() +
           (unusual_ == nullptr ? 0 : sizeof *unusual_ + unusual_->capacity_in_bytes());
  }

  /// What a write takes and removes: a visitor of walk_plan() before prepare().
  class survey {
   public:
    survey(const stamped& target, const memory_source& working) noexcept
        : text_(working),
          writer_(text_),
          memory_(working),
          names_(writer_, memory_),
          words_(target.shadow_) {}
    bool enter(const json::arena_value& object, json::size_type index,
               const detail::value_member* member) noexcept {
      return names_.enter(object, index, member) && words_.enter(object, index, member);
    }
    bool write(detail::merge_action action, const json::arena_value* old, json::size_type index,
               const detail::value_member* member) {
      return names_.write(action, old, index, member) && words_.write(action, old, index, member);
    }
    bool leave() { return names_.leave() && words_.leave(); }

   private:
    friend class stamped;
    text_buffer text_;
    json::text_writer writer_;
    json::core::own_walk_memory<json::arena_value> memory_;
    detail::removed_names<json::text_writer> names_;
    detail::stamp_words words_;
  };
  /// All that commit() needs; the plan is not carried out yet.
  [[nodiscard]] bool prepare(const survey& found) {
    return history_.prepare(found.text_.view()) && shadow_.prepare(found.words_.words());
  }
  void commit(const detail::merge_plan& plan, const json::arena_value& values, const stamp& s,
              const survey& found) noexcept;
  /// Everything carries one stamp from now on. Was prepared.
  void restamp(const stamp& s) noexcept {
    shadow_.reset(s);
    drop_unusual();
    doubted_ = false;
  }

  /// Nothing is known but that all this was so at `version`.
  void start(std::int64_t version) noexcept { history_.start(version); }
  [[nodiscard]] bool reset(const stamp& s) noexcept {
    if (!shadow_.prepare_reset()) return false;
    restamp(s);
    return true;
  }
  /// Takes `$metadata` as it is written in a twin whose section has this version, and the versions
  /// that it does not show, if they are known.
  json::error load(const json::arena_value& values, const json::arena_value& metadata,
                   const json::arena_value* versions, bool with_versions, std::int64_t version,
                   const memory_source& working);
  /// The versions in this `$metadata`, which was loaded, are not believed. It is still written as
  /// it was.
  json::error forget_versions(const json::arena_value& values, const json::arena_value& metadata,
                              bool with_versions, const memory_source& working) {
    return take_stamps(values, metadata, metadata, with_versions, 0, working);
  }
  json::error assign(const stamped& other) {
    if (!shadow_.assign(other.shadow_) || !history_.assign(other.history_))
      return json::errc::out_of_memory;
    drop_unusual();
    doubted_ = other.doubted_;
    if (other.unusual_ == nullptr) return {};
    json::document copy(shadow_.memory());
    if (json::error e = copy.assign(other.unusual_->root(), detail::whole_twin_depth)) return e;
    return set_unusual(copy) ? json::errc::ok : json::errc::out_of_memory;
  }

  /// Sends `$metadata` as events. Errors: out_of_memory, and what the handler says.
  template <class Handler>
  json::error emit(const json::arena_value& values, bool with_versions, Handler& handler,
                   const memory_source& working) const;

 private:
  static detail::stamp_fields fields(bool with_versions) noexcept {
    return with_versions ? detail::stamp_fields::both : detail::stamp_fields::time;
  }
  /// How the difference of a loaded `$metadata` is made and applied: to the letter.
  static merge::options unusual_rules(const memory_source& working) noexcept {
    merge::options o;
    o.nulls = merge::null_rule::keep;
    o.numbers = merge::number_equality::by_value_and_type;
    o.max_depth = detail::whole_twin_depth;
    o.memory = working;
    return o;
  }

  /// Takes the stamps of `complete`, and what it takes for them to be written as `metadata`.
  json::error take_stamps(const json::arena_value& values, const json::arena_value& complete,
                          const json::arena_value& metadata, bool with_versions,
                          std::int64_t newest, const memory_source& working);

  detail::stamp_shadow shadow_;
  void drop_unusual() noexcept {
    if (unusual_ == nullptr) return;
    unusual_->~document();
    shadow_.memory().release(shadow_.memory().context, unusual_);
    unusual_ = nullptr;
  }

  detail::section_history history_;
  bool doubted_ = false;
  /// Seldom needed, so not a member; in the memory of the shadow.
  json::document* unusual_ = nullptr;
};

/// For tags, which have no stamps: a section keeps values only, and nothing is spent on stamps.
class unstamped {
 public:
  static constexpr bool keeps_stamps = false;

  explicit unstamped(const memory_source& = {}) noexcept {}
  void swap(unstamped&) noexcept {}
  std::size_t memory_in_bytes() const noexcept { return 0; }
  struct survey {
    survey(const unstamped&, const memory_source&) noexcept {}
    bool enter(const json::arena_value&, json::size_type, const detail::value_member*) noexcept {
      return true;
    }
    bool write(detail::merge_action, const json::arena_value*, json::size_type,
               const detail::value_member*) noexcept {
      return true;
    }
    bool leave() noexcept { return true; }
  };
  [[nodiscard]] bool prepare(const survey&) { return true; }
  void commit(const detail::merge_plan&, const json::arena_value&, const stamp&,
              const survey&) noexcept {}
  void restamp(const stamp&) noexcept {}
  void start(std::int64_t) noexcept {}
  [[nodiscard]] bool reset(const stamp&) noexcept { return true; }
  json::error load(const json::arena_value&, const json::arena_value&, const json::arena_value*,
                   bool, std::int64_t, const memory_source&) {
    return {};
  }
  json::error assign(const unstamped&) { return {}; }
};

template <class Tracking>
class section_write;

/// What a section is loaded from.
struct loaded_section {
  const json::arena_value& values;
  std::int64_t version = 0;
  const json::arena_value* metadata = nullptr;  ///< as `$metadata` has it; null where there is none
  const json::arena_value* versions =
      nullptr;                        ///< those that the metadata does not show, from the history
  const stamp* everything = nullptr;  ///< one stamp for all
  bool with_versions = false;         ///< the metadata shows versions
};

/// Values, an object at the root, with a version that counts writes from 1; 0 where a loaded twin
/// had none. Read it freely; it is written through section_write, which a twin does. Const access
/// from several threads is safe. References into values() are valid until the next write.
template <class Tracking>
class section {
 public:
  explicit section(const memory_source& memory = {}) noexcept
      : values_(memory), tracking_(memory) {}

  const json::arena_value& values() const noexcept { return values_.root(); }
  std::int64_t version() const noexcept { return version_; }
  /// The size by the dialect's formula.
  std::size_t size() const noexcept { return size_.by_formula; }
  /// The bytes of the compact JSON text of its values, as dialect::max_text counts them.
  std::size_t text_size() const noexcept { return size_.text; }
  const Tracking& tracking() const noexcept { return tracking_; }
  Tracking& tracking() noexcept { return tracking_; }
  std::size_t memory_in_bytes() const noexcept {
    return values_.capacity_in_bytes() + tracking_.memory_in_bytes();
  }

  void swap(section& other) noexcept {
    values_.swap(other.values_);
    tracking_.swap(other.tracking_);
    std::swap(version_, other.version_);
    std::swap(size_, other.size_);
  }
  json::error assign(const section& other) {
    section copy(json::core::document_access::source(values_));
    if (json::error e = copy.values_.assign(other.values())) return e;
    if (json::error e = copy.tracking_.assign(other.tracking_)) return e;
    copy.version_ = other.version_;
    copy.size_ = other.size_;
    swap(copy);
    return {};
  }

  /// Takes over values as they are, with what is known of them. Errors: not_a_twin when the values
  /// are not an object; depth_exceeded, not_finite, out_of_memory. After an error the section must
  /// not be used.
  json::error load(const loaded_section& content, size_formula formula,
                   const memory_source& working);

 private:
  friend class section_write<Tracking>;
  json::document values_;
  Tracking tracking_;
  std::int64_t version_ = 0;
  detail::section_size size_;
};

/// A write to a section in four steps: plan(), follow() and prepare() do all that can fail,
/// commit() cannot, and without it nothing has happened.
template <class Tracking>
class section_write {
 public:
  section_write(section<Tracking>& target, part where, const dialect& rules,
                const memory_source& working) noexcept
      : target_(target),
        where_(where),
        rules_(rules),
        working_(working),
        merge_(target.values_, detail::merge_options(rules, working)),
        survey_(target.tracking_, working) {
    if (where != part::tags && counts_on())
      next_version_ = target.version_ + 1;  // tags have no version
  }

  /// Whether there is a version after the current one.
  bool counts_on() const noexcept { return target_.version_ != INT64_MAX; }

  /// Holds a patch or a replacement, as it was sent, against the dialect's rules of names and
  /// values. `base` is where it stands in the whole input, for errors. With a report all violations
  /// are noted there, with the place inside the part, and are no errors. Errors: any of the rules;
  /// not_a_twin when it is no object; depth_exceeded, not_finite, out_of_memory.
  json::error check(const json::arena_value& input, shape form, const json::location& base,
                    validation* report) {
    json::core::own_walk_memory<json::arena_value> memory(working_);
    detail::rule_checker checker(rules_, where_, form, report, working_);
    if (json::error e = detail::check_rules(input, checker, memory, base)) return e;
    if (rules_.basis != size_basis::patch) return {};
    return detail::measure(input, rules_.size, json::core::nulls::emit, memory, input_size_);
  }
  /// Finds out what `patch`, which was checked and must stay until the commit, does. Errors:
  /// section_too_large, section_text_too_long (noted in the report if there is one),
  /// depth_exceeded, not_finite, out_of_memory.
  json::error plan(const json::arena_value& patch, const json::location& base, validation* report);

  /// Whether the write moves the version: it has an effect, by the dialect's meaning of one.
  bool effective() const noexcept {
    return merge_.planned().changes() != 0 || rules_.empty_write_counts;
  }
  const detail::merge_plan& planned() const noexcept { return merge_.planned(); }
  const json::arena_value& values_before() const noexcept { return target_.values(); }
  std::size_t size_after() const noexcept { return size_after_.by_formula; }
  std::int64_t next_version() const noexcept { return next_version_; }
  /// For a version that somebody else has counted.
  void set_next_version(std::int64_t version) noexcept { next_version_ = version; }
  part where() const noexcept { return where_; }

  /// One walk over the plan, once, for all who want to know what it writes (detail::walk_plan).
  /// False when one of them stopped or memory ran out.
  template <class... Visitors>
  [[nodiscard]] bool follow(Visitors&... visitors) {
    return detail::walk_plan(planned(), values_before(), survey_, visitors...);
  }
  json::error prepare() {
    if (!target_.tracking_.prepare(survey_)) return json::errc::out_of_memory;
    return merge_.prepare();
  }
  /// `restamp`: everything in the section carries the stamp, not only what was written.
  void commit(timestamp now, bool restamp) {
    const bool skips = next_version_ - 1 !=
                       target_.version_;  // somebody else counted, and writes between are not known
    target_.version_ = next_version_;
    const stamp s{now, target_.version_};
    target_.tracking_.commit(planned(), values_before(), s, survey_);
    if (skips) target_.tracking_.start(s.version);
    if (restamp) target_.tracking_.restamp(s);
    merge::no_journal nobody;
    merge_.commit(nobody);
    target_.size_ = size_after_;
  }

 private:
  section<Tracking>& target_;
  part where_;
  const dialect& rules_;
  memory_source working_;
  merge::core::document_merge<json::arena_value> merge_;
  typename Tracking::survey survey_;
  std::int64_t next_version_ = 0;
  detail::section_size input_size_;  ///< where the dialect measures that
  detail::section_size size_after_;
};

// ---------------------------------------------------------------------------------------------

/// Takes what a plan writes out of a loaded `$metadata`'s peculiarities: the stamps of what is
/// written and of the objects around it are the twin's own from now on.
class unusual_pruner {
 public:
  explicit unusual_pruner(json::arena_value& root) noexcept : root_(root) {}
  bool enter(const json::arena_value&, json::size_type, const value_member* member) noexcept {
    json::arena_value* at = depth_ == 0 ? &root_ : nullptr;
    if (depth_ != 0 && objects_[depth_ - 1] != nullptr) {
      json::arena_value& around = *objects_[depth_ - 1];
      const json::size_type index = find(around, *member);
      if (index != json::core::no_index) at = &json::core::members_begin(around)[index].value;
      if (at != nullptr && !at->IsObject()) {  // no metadata at all: now there is some
        erase(around, index);
        at = nullptr;
      }
    }
    for (json::size_type i = at == nullptr ? 0 : at->MemberCount(); i-- > 0;) {
      const std::string_view name = json::core::text_of(json::core::members_begin(*at)[i].name);
      if (!name.empty() && name.front() == '$') erase(*at, i);
    }
    objects_[depth_++] = at;
    return true;
  }
  bool leave() noexcept {
    --depth_;
    return true;
  }
  bool write(merge_action, const json::arena_value*, json::size_type,
             const value_member* member) noexcept {
    json::arena_value* object = objects_[depth_ - 1];
    if (object == nullptr) return true;
    const json::size_type index = find(*object, *member);
    if (index != json::core::no_index) erase(*object, index);
    return true;
  }

 private:
  static json::size_type find(const json::arena_value& object,
                              const value_member& member) noexcept {
    return json::core::member_index<json::arena_value>(json::core::members_begin(object),
                                                       object.MemberCount(), member.name);
  }
  static void erase(json::arena_value& object, json::size_type index) {
    object.EraseMember(object.MemberBegin() + static_cast<std::ptrdiff_t>(index));
  }
  json::arena_value& root_;
  detail::per_level<json::arena_value*> objects_ = {};
  std::size_t depth_ = 0;
};

/// Adds up how a plan changes the size of a section.
class plan_sizes {
 public:
  plan_sizes(size_formula formula, json::core::nulls rule, const memory_source& memory) noexcept
      : formula_(formula), rule_(rule), memory_(memory) {}
  section_size added, removed;
  json::error failure;

  bool enter(const arena_value& object, size_type, const value_member*) noexcept {
    counts_[depth_++] = {object.MemberCount(), object.MemberCount()};
    return true;
  }
  bool leave() noexcept {
    --depth_;
    added += commas(counts_[depth_].after, formula_);
    removed += commas(counts_[depth_].before, formula_);
    return true;
  }
  bool write(merge_action action, const arena_value* old, size_type, const value_member* member) {
    if (action == merge_action::keep) return true;
    const std::string_view name = json::core::text_of(member->name);
    if (old != nullptr && !count(*old, json::core::nulls::emit, removed)) return false;
    if (action != merge_action::remove && !count(member->value, rule_, added)) return false;
    if (action == merge_action::add) {
      added += name_size(name, formula_);
      ++counts_[depth_ - 1].after;
    } else if (action == merge_action::remove) {
      removed += name_size(name, formula_);
      --counts_[depth_ - 1].after;
    }
    return true;
  }

 private:
  bool count(const arena_value& value, json::core::nulls rule, section_size& sum) {
    if (formula_ == size_formula::contents && !value.IsObject() &&
        !value.IsArray()) {  // no walk for that
      size_counter counter;
      static_cast<void>(json::core::emit_scalar(value, counter));
      sum += counter.size();
      return true;
    }
    section_size size;
    failure = measure(value, formula_, rule, memory_, size);
    sum += size;
    return !failure;
  }
  struct member_counts {
    std::size_t before, after;
  };
  size_formula formula_;
  json::core::nulls rule_;
  json::core::own_walk_memory<json::arena_value> memory_;
  detail::per_level<member_counts> counts_;
  std::size_t depth_ = 0;
};

inline void stamped::commit(const detail::merge_plan& plan, const json::arena_value& values,
                            const stamp& s, const survey& found) noexcept {
  if (found.text_.size() != 0) history_.append(s.version, found.text_.view());
  detail::stamp_writer writer(shadow_, s);
  static_cast<void>(detail::walk_plan(plan, values, writer));
  if (unusual_ != nullptr) {
    detail::unusual_pruner pruner(json::core::document_access::root(*unusual_));
    static_cast<void>(detail::walk_plan(plan, values, pruner));
    if (unusual_->root().MemberCount() == 0) drop_unusual();
  }
  if (doubted_) {
    history_.start(s.version);
    doubted_ = detail::names_version_above(unusual(), s.version);
  }
}

inline json::error stamped::load(const json::arena_value& values, const json::arena_value& metadata,
                                 const json::arena_value* versions, bool with_versions,
                                 std::int64_t version, const memory_source& working) {
  json::document complete(working);
  if (versions != nullptr) {
    merge::options o;
    o.max_depth = detail::whole_twin_depth;
    o.memory = working;
    if (json::error e = complete.assign(metadata, detail::whole_twin_depth)) return e;
    if (json::error e = merge::apply_merge_patch(complete, *versions, o)) return e;
  }
  if (json::error e = take_stamps(values, versions != nullptr ? complete.root() : metadata,
                                  metadata, with_versions, version, working))
    return e;
  if (detail::names_version_above(unusual(), version)) doubt(version);
  return {};
}

inline json::error stamped::take_stamps(const json::arena_value& values,
                                        const json::arena_value& complete,
                                        const json::arena_value& metadata, bool with_versions,
                                        std::int64_t newest, const memory_source& working) {
  if (!detail::stamp_loader(shadow_, newest, working).load(values, complete))
    return json::errc::out_of_memory;
  // What the stamps do not print the way it was written is kept as a difference.
  json::document printed(working);
  if (json::error e = json::core::document_access::rebuild(printed, 0, [&](auto& handler) {
        return detail::emit_metadata(values, shadow_, fields(with_versions), handler);
      })) {
    return e;
  }
  json::document difference(shadow_.memory());
  if (json::error e = merge::diff(printed.root(), metadata, difference, unusual_rules(working)))
    return e;
  // An empty difference is kept only where it alone tells that there is metadata.
  if (difference.root().MemberCount() == 0 && shadow_.root() != 0) {
    drop_unusual();
    return {};
  }
  return set_unusual(difference) ? json::errc::ok : json::errc::out_of_memory;
}

template <class Handler>
json::error stamped::emit(const json::arena_value& values, bool with_versions, Handler& handler,
                          const memory_source& working) const {
  if (unusual_ == nullptr)
    return detail::emit_metadata(values, shadow_, fields(with_versions), handler);
  json::document printed(working);
  if (json::error e = json::core::document_access::rebuild(printed, 0, [&](auto& h) {
        return detail::emit_metadata(values, shadow_, fields(with_versions), h);
      })) {
    return e;
  }
  if (json::error e = merge::apply_merge_patch(printed, unusual_->root(), unusual_rules(working)))
    return e;
  detail::own_members_first(json::core::document_access::root(printed));
  json::core::own_walk_memory<json::arena_value> memory(working);
  return json::core::emit(printed.root(), handler, json::core::nulls::emit,
                          static_cast<std::size_t>(-1), memory);
}

template <class Tracking>
json::error section<Tracking>::load(const loaded_section& content, size_formula formula,
                                    const memory_source& working) {
  if (!content.values.IsObject()) return json::errc::not_a_twin;
  if (json::error e = values_.assign(content.values)) return e;
  json::core::own_walk_memory<json::arena_value> memory(working);
  if (json::error e =
          detail::measure(values_.root(), formula, json::core::nulls::emit, memory, size_))
    return e;
  version_ = content.version;
  tracking_.start(version_);
  if (content.everything != nullptr && !tracking_.reset(*content.everything))
    return json::errc::out_of_memory;
  if (content.metadata == nullptr) return {};
  return tracking_.load(values_.root(), *content.metadata, content.versions, content.with_versions,
                        version_, working);
}

template <class Tracking>
json::error section_write<Tracking>::plan(const json::arena_value& patch,
                                          const json::location& base, validation* report) {
  if (json::error e = merge_.plan(patch)) return e;
  detail::plan_sizes sizes(rules_.size, planned().copy_rule(), working_);
  if (!detail::walk_plan(planned(), values_before(), sizes)) return sizes.failure;
  size_after_ = target_.size_;
  size_after_ += sizes.added;
  size_after_ -= sizes.removed;
  const std::size_t held =
      rules_.basis == size_basis::patch ? input_size_.by_formula : size_after_.by_formula;
  if (report != nullptr)
    detail::validation_access::set_head_room(*report, where_,
                                             detail::room_left(rules_.max_size(where_), held));
  json::error failure;
  static_cast<void>(
      detail::check_sizes(rules_, where_, held, target_.size_, size_after_, [&](json::error e) {
        if (report != nullptr && report->add(where_, e)) return true;
        failure = report == nullptr ? static_cast<json::error&&>(e).at(base)
                                    : json::error(json::errc::out_of_memory);
        return false;
      }));
  return failure;
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
