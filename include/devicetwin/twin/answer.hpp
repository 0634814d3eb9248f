/// What a device has said to a desired property (IoT Plug and Play's `{value, ac, av, ad}`).
#pragma once

#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view

#include "../version.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

enum class answer_state : unsigned char {
  none,      ///< nothing: no acknowledgement, and the plain value differs or is not there
  pending,   ///< nothing yet to the version that is desired now, and the value in effect differs
  accepted,  ///< 2xx: applied (200) or in progress (202); or the value in effect is the desired one
  refused,   ///< any other code, with a text
  overdue    ///< none or pending for longer than was allowed
};

struct answer {
  answer_state state = answer_state::none;
  std::int64_t code = 0;     ///< `ac`
  std::int64_t version = 0;  ///< `av`: the desired version it is about
  std::string_view text;     ///< `ad`; valid until the next write
};

namespace detail {

/// What an acknowledgement says to a property that was last desired with a version (docs/azure.md,
/// "Acknowledgements"). An older one says nothing to it, and an initial value is about version 0.
/// `equal`: the value in effect is what is desired; that needs no newer one.
constexpr answer_state state_of(std::int64_t code, std::int64_t version,
                                std::int64_t desired_version, bool equal) noexcept {
  if (version < desired_version) return equal ? answer_state::accepted : answer_state::pending;
  return code >= 200 && code < 300 ? answer_state::accepted : answer_state::refused;
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
