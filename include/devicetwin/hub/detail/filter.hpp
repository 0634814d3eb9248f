/// Which MQTT topic filters match the topics of desired notifications.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <string_view>  // std::string_view

#include "../../version.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// A bit of its own for each filter that matches every notification's topic,
/// "$iothub/twin/PATCH/properties/desired/" and one more level, and 0 for all others. There are 63
/// of them: `#` behind 1 to 6 levels, or all six levels, where the second to fifth may be `+` and
/// the sixth has to be. (MQTT 3.1.1, section 4.7: a wildcard does not stand for a first level with
/// `$`; `#` takes its parent, too.) So a set of 64 bits is all that is to be kept of a client's
/// subscriptions.
inline std::uint64_t filter_bit(std::string_view filter) noexcept {
  constexpr std::string_view levels[] = {"$iothub", "twin", "PATCH", "properties", "desired"};
  constexpr std::size_t count = 6;
  unsigned plus = 0;        // a bit for each `+` among the second to fifth level
  std::size_t matched = 0;  // levels
  for (;; ++matched) {
    std::size_t end = filter.find('/');
    const bool last = end == std::string_view::npos;
    if (last) end = filter.size();
    const std::string_view level = filter.substr(0, end);
    if (level == "#") {
      if (!last || matched == 0) return 0;
      // 2^(k-1) filters with `#` behind k levels, for k up to 5; then the 16 with it behind all
      // six.
      const unsigned before = matched < count ? (1u << (matched - 1)) - 1 : 31;
      return std::uint64_t{1} << (before + plus);
    }
    if (matched == count) return 0;
    if (level == "+") {
      if (matched == 0) return 0;
      if (matched != count - 1) plus |= 1u << (matched - 1);
    } else if (matched == count - 1 || level != levels[matched]) {
      return 0;
    }
    if (last) return matched == count - 1 ? std::uint64_t{1} << (47 + plus) : 0;
    filter.remove_prefix(end + 1);
  }
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
