/// How the classes that work on two JSON texts report failure.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../json/error.hpp"
#include "../../json/tree/failure.hpp"
#include "text_member.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

using json::errc;
using json::error;

/// Returns whether an error says that a text is not JSON without saying where. The strict reader
/// finds the place and the reason then.
inline bool needs_reader(const error& e) noexcept {
  return e.code() == errc::unexpected_character && !e.has_position();
}

/// A class that works on texts in steps. Its steps return false when they failed, and failure()
/// says why.
class text_steps : public json::core::steps_may_fail {
 public:
  /// Returns whether it failed because a text is not JSON; see needs_reader().
  bool malformed() const noexcept { return needs_reader(failure()); }

 protected:
  /// Notes that a text is not JSON, and returns false.
  bool not_json() noexcept { return fail(errc::unexpected_character); }
  /// Returns whether both texts are short enough for text_offset; notes too_large when one is not.
  bool short_enough(std::string_view first, std::string_view second) noexcept {
    const std::size_t longer = first.size() > second.size() ? first.size() : second.size();
    return longer <= longest_text || exceeded(errc::too_large, longest_text, longer);
  }
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
