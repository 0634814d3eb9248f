/// One section of a twin: the values, their version, and who wrote what when. It is the only writer
/// of all three, so they stay aligned.
#pragma once

#include <cstddef>  // std::size_t
#include <cstdint>  // std::int64_t, INT64_MAX
#include <utility>  // std::swap

#include "../../json/arena.hpp"
#include "../../json/error.hpp"
#include "../../json/pointer.hpp"
#include "../../merge/merge_patch.hpp"
#include "../dialect.hpp"
#include "../violations.hpp"
#include "plan_sizes.hpp"
#include "plan_walk.hpp"
#include "rule_checker.hpp"
#include "section_size.hpp"
#include "tracking.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

template <class Tracking>
class section_write;

/// What a section is loaded from.
struct loaded_section {
  const json::arena_value& values;
  std::int64_t version = 0;
  const json::arena_value* metadata = nullptr;  ///< `$metadata`, or a null pointer
  const json::arena_value* versions = nullptr;  ///< those that the metadata does not show
  const stamp* everything = nullptr;            ///< one stamp for all
  bool with_versions = false;                   ///< the metadata shows versions
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
  section_size size_;
};

/// A write to a section in steps: check_rules(), plan(), follow() and prepare() do all that can
/// fail, commit() cannot, and without it nothing has happened.
template <class Tracking>
class section_write {
 public:
  section_write(section<Tracking>& target, part where, const dialect& rules,
                const memory_source& working) noexcept
      : target_(target),
        where_(where),
        rules_(rules),
        working_(working),
        merge_(target.values_, merge_options(rules, working)),
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
  json::error check_rules(const json::arena_value& input, shape form, const json::location& base,
                          validation* report) {
    json::core::own_walk_memory<json::arena_value> memory(working_);
    rule_checker checker(rules_, where_, form, report, working_);
    if (json::error e = detail::check_rules(input, checker, memory, base)) return e;
    if (rules_.basis != size_basis::patch) return {};
    return measure(input, rules_.size, json::core::nulls::emit, memory, input_size_);
  }
  /// Finds out what `patch`, which was checked and must stay until the commit, does. Errors:
  /// section_too_large, section_text_too_long (noted in the report if there is one),
  /// depth_exceeded, not_finite, out_of_memory.
  json::error plan(const json::arena_value& patch, const json::location& base, validation* report);

  /// Whether the write moves the version: it has an effect, by the dialect's meaning of one.
  bool effective() const noexcept {
    return merge_.planned().changes() != 0 || rules_.empty_write_counts;
  }
  const merge_plan& planned() const noexcept { return merge_.planned(); }
  const json::arena_value& values_before() const noexcept { return target_.values(); }
  std::size_t size_after() const noexcept { return size_after_.by_formula; }
  std::int64_t next_version() const noexcept { return next_version_; }
  /// For a version that somebody else has counted.
  void set_next_version(std::int64_t version) noexcept { next_version_ = version; }
  part where() const noexcept { return where_; }

  /// One walk over the plan, once, for all who want to know what it writes (walk_plan).
  /// False when one of them stopped or memory ran out.
  template <class... Visitors>
  [[nodiscard]] bool follow(Visitors&... visitors) {
    return walk_plan(planned(), values_before(), survey_, visitors...);
  }
  json::error prepare() {
    if (!target_.tracking_.prepare(survey_)) return json::errc::out_of_memory;
    return merge_.prepare();
  }
  /// `restamp`: everything in the section carries the stamp, not only what was written.
  void commit(timestamp now, bool restamp) {
    // Somebody else counted, and the writes between are not known.
    const bool skips = next_version_ - 1 != target_.version_;
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
  section_size input_size_;  ///< where the dialect measures that
  section_size size_after_;
};

// ---------------------------------------------------------------------------------------------

template <class Tracking>
json::error section<Tracking>::load(const loaded_section& content, size_formula formula,
                                    const memory_source& working) {
  if (!content.values.IsObject()) return json::errc::not_a_twin;
  if (json::error e = values_.assign(content.values)) return e;
  json::core::own_walk_memory<json::arena_value> memory(working);
  if (json::error e = measure(values_.root(), formula, json::core::nulls::emit, memory, size_))
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
  plan_sizes sizes(rules_.size, planned().copy_rule(), working_);
  if (!walk_plan(planned(), values_before(), sizes)) return sizes.failure();
  size_after_ = target_.size_;
  size_after_ += sizes.added;
  size_after_ -= sizes.removed;
  const std::size_t held =
      rules_.basis == size_basis::patch ? input_size_.by_formula : size_after_.by_formula;
  if (report != nullptr)
    validation_access::set_head_room(*report, where_, room_left(rules_.max_size(where_), held));
  json::error failure;
  static_cast<void>(
      check_sizes(rules_, where_, held, target_.size_, size_after_, [&](json::error e) {
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
