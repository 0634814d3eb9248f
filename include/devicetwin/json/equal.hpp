/// Deep equality of JSON values, as JSON means it.
#pragma once

#include <cstddef>  // std::size_t

#include "detail/tree_diff.hpp"
#include "error.hpp"
#include "memory.hpp"
#include "value.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {

struct equal_options {
  number_equality numbers = number_equality::by_value;
  std::size_t max_depth = default_max_depth;
  memory_source memory = {};
};

/// Whether two values are equal: arrays element by element, objects whatever the order of their members,
/// strings byte by byte, numbers as `options.numbers` says (1 and 1.0 are equal unless told otherwise).
/// Of members with the same name the first counts.
///
/// RapidJSON's operator== is no substitute: it is quadratic, recursive, not reflexive with repeated names,
/// and in release 1.1.0 with C++20 a comparison with a scalar never returns.
/// Errors: depth_exceeded, not_finite (NaN equals nothing, so there is no answer), out_of_memory; these only
///   where the walk came before it found a difference.
/// Cost: linear when members stand in the same order, n log n at worst.
template <class AllocatorA, class AllocatorB>
result<bool> equal(const basic_value<AllocatorA>& a, const basic_value<AllocatorB>& b,
                   const equal_options& options = {}) {
  detail::diff_rules rules;
  rules.stop_at_first = true;
  rules.numbers = options.numbers;
  rules.max_depth = options.max_depth;
  detail::tree_diff<basic_value<AllocatorA>, basic_value<AllocatorB>> walk(rules, options.memory);
  if (error e = walk.run(a, b)) return e;
  return !walk.differ();
}

}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
