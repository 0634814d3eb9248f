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

/// A class that works on texts in steps. Its steps return false when they failed, and failure()
/// says why.
class text_steps : public json::core::steps_may_fail {
 public:
  /// True when a text is not JSON. The strict reader finds the place and the reason then:
  /// failure() holds only unexpected_character, without a place.
  bool malformed() const noexcept { return malformed_; }

 protected:
  /// Notes that a text is not JSON, and returns false.
  bool not_json() noexcept {
    malformed_ = true;
    return fail(errc::unexpected_character);
  }
  /// Returns whether both texts are short enough for text_offset; notes too_large when one is not.
  bool short_enough(std::string_view first, std::string_view second) noexcept {
    const std::size_t longer = first.size() > second.size() ? first.size() : second.size();
    return longer <= longest_text || good(error(errc::too_large).limited_to(longest_text, longer));
  }
  /// For a class that can do its work again.
  void forget_failure() noexcept {
    malformed_ = false;
    steps_may_fail::forget_failure();
  }

 private:
  bool malformed_ = false;
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
