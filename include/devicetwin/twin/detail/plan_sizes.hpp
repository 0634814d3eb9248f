/// How a plan changes the size of a section.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../json/error.hpp"
#include "../../json/tree/events.hpp"
#include "../../json/tree/failure.hpp"
#include "../dialect.hpp"
#include "plan_walk.hpp"
#include "section_size.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// Adds up how a plan changes the size of a section.
class plan_sizes : public json::core::steps_may_fail {
 public:
  plan_sizes(size_formula formula, json::core::nulls rule, const memory_source& memory) noexcept
      : formula_(formula), rule_(rule), memory_(memory) {}
  section_size added, removed;

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
    if (!good(measure(value, formula_, rule, memory_, size))) return false;
    sum += size;
    return true;
  }
  struct member_counts {
    std::size_t before, after;
  };
  size_formula formula_;
  json::core::nulls rule_;
  json::core::own_walk_memory<json::arena_value> memory_;
  per_level<member_counts> counts_;
  std::size_t depth_ = 0;
};

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
