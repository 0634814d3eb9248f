/// What merging and diffing can be told.
#pragma once

#include <cstddef>  // std::size_t

#include "../base/memory.hpp"
#include "../json/number_text.hpp"
#include "../json/tree/scalar.hpp"
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
using json::text_numbers;

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
  memory_source memory = {};                        ///< working memory
};

/// What is known of texts before they are looked at.
enum class text_trust : unsigned char {
  checked,  ///< nothing: both are validated as strictly as json::read does, whatever they differ in
  trusted   ///< json::write or merge/text.hpp wrote them, or json::read accepted them: they are not
            ///< validated
};

/// Options of the functions on texts; max_depth and memory are as for trees. `changes` has no
/// meaning here: only a different value is a change.
struct text_options : options {
  text_trust trust = text_trust::checked;
  /// When two numbers have the same value. Under by_value_and_type they must be of the same type,
  /// too.
  text_numbers number_texts = text_numbers::exact;
};

}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
