/// What merging and diffing can be told.
#pragma once

#include <cstddef>  // std::size_t

#include "../json/detail/scalar.hpp"
#include "../json/memory.hpp"
#include "../json/value.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {

/// What a null in a merge patch means.
enum class null_rule : unsigned char {
  remove,           ///< RFC 7396: it removes the member, and vanishes inside what is new
  remove_existing,  ///< it removes the member, but stays inside what is new (Azure's Edge Hub)
  keep              ///< it is a value like any other; nothing can be removed
};

using json::number_equality;

/// What counts as a change when a member is written.
enum class change_rule : unsigned char {
  by_value,    ///< a value that differs from what was there
  by_presence  ///< also an equal one: the journal is told, with the same value as old and new
};

struct options {
  null_rule nulls = null_rule::remove;
  /// Whether writing 1.0 over 1 is a change. By value it is none, and the 1 stays.
  number_equality numbers = number_equality::by_value;
  change_rule changes = change_rule::by_value;
  std::size_t max_depth = json::default_max_depth;  ///< levels of arrays and objects
  json::memory_source memory = {};                  ///< working memory
};

}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
