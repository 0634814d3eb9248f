/// What a comparison of two documents is to find out, as trees and as texts.
#pragma once

#include <cstddef>  // std::size_t

#include "../number_text.hpp"
#include "../value.hpp"
#include "scalar.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

/// What a walk is to find out, and what a patch made of it may say.
struct diff_rules {
  bool stop_at_first = false;  ///< only whether there is a difference
  bool sets_null = false;      ///< a patch can set a member to null
  bool carries_null = false;   ///< a new or replaced member may contain members that are null
  bool removes = true;         ///< a patch can remove a member
  number_equality numbers = number_equality::by_value;
  text_numbers number_texts = text_numbers::exact;  ///< of a walk over texts
  std::size_t max_depth = default_max_depth;
};

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
