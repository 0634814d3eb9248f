/// Two trees compared at a glance: the fast part of a comparison, for trees that are mostly the
/// same and have their members in the same order.
#pragma once

#include <cstddef>  // std::size_t

#include "../../base/inline.hpp"
#include "../value.hpp"
#include "inside.hpp"
#include "scalar.hpp"
#include "tuning.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

/// Returns whether a value is an object; for an array or object.
template <class Value>
DEVICETWIN_ALWAYS_INLINE bool is_object(const Value& container) noexcept {
  return (inside<Value>::flags(container) & inside<Value>::type_mask) == inside<Value>::object_type;
}
/// Returns the number of members or elements of an object or array.
template <class Value>
DEVICETWIN_ALWAYS_INLINE size_type count_of(const Value& container) noexcept {
  return is_object(container) ? inside<Value>::member_count(container)
                              : inside<Value>::element_count(container);
}
/// Returns whether two values are both objects, or both arrays.
template <class ValueA, class ValueB>
DEVICETWIN_ALWAYS_INLINE bool same_containers(const ValueA& a, const ValueB& b) noexcept {
  const unsigned type = inside<ValueA>::flags(a) & inside<ValueA>::type_mask;
  return type == (inside<ValueB>::flags(b) & inside<ValueB>::type_mask) &&
         (type == inside<ValueA>::object_type || type == inside<ValueA>::array_type);
}
/// Returns how many elements at the beginning of two arrays are the same scalars at a glance.
template <class ValueA, class ValueB>
DEVICETWIN_ALWAYS_INLINE size_type same_elements(const ValueA* a, const ValueB* b,
                                                 size_type count) noexcept {
  size_type i = 0;
  while (i != count && same_scalars(a[i], b[i])) ++i;
  return i;
}

/// Returns whether two containers of the same kind hold nothing but scalars, in the same order, and
/// all are the same at a glance.
template <class ValueA, class ValueB>
DEVICETWIN_NEVER_INLINE bool same_leaves(const ValueA& a, const ValueB& b) noexcept {
  const size_type count = count_of(a);
  if (count != count_of(b)) return false;
  if (!is_object(a))
    return same_elements(inside<ValueA>::elements(a), inside<ValueB>::elements(b), count) == count;
  const auto* x = members_begin(a);
  const auto* y = members_begin(b);
  for (const auto* const end = x + count; x != end; ++x, ++y) {
    if (!same_names(x->name, y->name) || !same_scalars(x->value, y->value)) return false;
  }
  return true;
}

/// Goes through two containers as long as everything in them is the same at a glance, and remembers
/// where that ends. Needs no memory but its own.
template <class From, class To>
class glance {
 public:
  /// A pair of containers, and how many of their members or elements are the same.
  struct level {
    const From* from;
    const To* to;
    size_type at;
  };

  /// Returns whether two containers of the same kind are the same. Goes into at most `levels`
  /// levels of containers. After false, the rest says where something else is needed.
  DEVICETWIN_NEVER_INLINE bool all_same(const From& from, const To& to,
                                        std::size_t levels) noexcept {
    const std::size_t deepest = levels < most ? levels : most;
    std::size_t depth = 0;
    level here{&from, &to, 0};
    from_ = nullptr;
    while (depth != deepest && count_of(*here.from) == count_of(*here.to)) {
      const size_type count = count_of(*here.from);
      const From* a = nullptr;
      const To* b = nullptr;
      if (is_object(*here.from)) {
        const auto* before = members_begin(*here.from) + here.at;
        const auto* after = members_begin(*here.to) + here.at;
        size_type left = count - here.at;
        bool same_name = true;
        for (; left != 0; --left, ++before, ++after) {
          same_name = same_names(before->name, after->name);
          if (!same_name || !same_scalars(before->value, after->value)) break;
        }
        here.at = count - left;
        if (!same_name) break;
        if (left != 0) {
          a = &before->value;
          b = &after->value;
        }
      } else {
        const auto* const before = inside<From>::elements(*here.from);
        const auto* const after = inside<To>::elements(*here.to);
        here.at += same_elements(before + here.at, after + here.at, count - here.at);
        if (here.at != count) {
          a = before + here.at;
          b = after + here.at;
        }
      }
      if (a == nullptr) {
        if (depth == 0) return true;
        here = above_[--depth];
        ++here.at;
      } else if (same_containers(*a, *b)) {
        above_[depth++] = here;
        here = {a, b, 0};
      } else {
        from_ = a;
        to_ = b;
        break;
      }
    }
    here_ = here;
    depth_ = depth;
    return false;
  }

  /// The containers that were gone into, the outermost first; the last is at(depth()).
  std::size_t depth() const noexcept { return depth_; }
  const level& at(std::size_t i) const noexcept { return i == depth_ ? here_ : above_[i]; }
  /// The pair of values that is not the same at a glance. Null pointers if it is not a pair of
  /// values that ended it: names or counts differ, or there are too many levels.
  const From* from() const noexcept { return from_; }
  const To* to() const noexcept { return to_; }

 private:
  static constexpr std::size_t most = tuning::skimmed_levels;
  level above_[most];
  std::size_t depth_;
  level here_;
  const From* from_;
  const To* to_;
};

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
