/// Deep equality of JSON values, as JSON means it.
#pragma once

#include <cstddef>  // std::size_t

#include "../base/memory.hpp"
#include "error.hpp"
#include "tree/tree_diff.hpp"
#include "value.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {

struct equal_options {
  number_equality numbers = number_equality::by_value;
  std::size_t max_depth = default_max_depth;
  memory_source memory = {};
};

/// What a comparison of two values found.
enum class comparison : unsigned char {
  equal,
  different,
  too_deep,       ///< a value nested deeper than max_depth came before any difference
  out_of_memory,  ///< members in another order need memory, and there was none before any
                  ///< difference was found
};

namespace functions {

/// Compares two values: arrays element by element, objects whatever the order of their members,
/// strings byte by byte, numbers as `options.numbers` says (1 and 1.0 are equal unless told
/// otherwise). Of members with the same name the first counts.
///
/// RapidJSON's operator== is no substitute: it is quadratic, recursive, not reflexive with repeated
/// names, and in release 1.1.0 with C++20 a comparison with a scalar never returns. Returns:
/// different where either has a NaN or an infinity, which are no JSON numbers. Cost: linear when
/// members stand in the same order, n log n at worst.
template <class A, class B>
[[nodiscard]] comparison equal(const A& a, const B& b, const equal_options& options = {}) {
  core::diff_rules rules;
  rules.stop_at_first = true;
  rules.numbers = options.numbers;
  rules.max_depth = options.max_depth;
  core::tree_diff<core::value_type_of<A>, core::value_type_of<B>> walk(rules, options.memory);
  switch (walk.run(core::value_of(a), core::value_of(b)).code()) {
    case errc::ok:
      return walk.differ() ? comparison::different : comparison::equal;
    case errc::depth_exceeded:
      return comparison::too_deep;
    case errc::out_of_memory:
      return comparison::out_of_memory;
    default:
      return comparison::different;  // not_finite
  }
}

}  // namespace functions

namespace core {

/// The error of a function that needs to know whether two values are equal; ok where that is known.
constexpr errc failure_of(comparison c) noexcept {
  return c == comparison::too_deep        ? errc::depth_exceeded
         : c == comparison::out_of_memory ? errc::out_of_memory
                                          : errc::ok;
}

}  // namespace core

}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
