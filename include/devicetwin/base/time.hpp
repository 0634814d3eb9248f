/// Points in time and durations. Two units are in use, so each is a type of its own.
#pragma once

#include <cstdint>  // std::int64_t, INT64_MAX

#include "../version.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// When something was written: ticks of 100 ns since 1970-01-01T00:00:00 UTC, leap seconds left
/// out. Azure prints seven decimals of a second, and the year 1 for "never"; both fit.
/// base/chrono.hpp converts from and to std::chrono.
struct timestamp {
  std::int64_t ticks = 0;

  friend constexpr bool operator==(timestamp a, timestamp b) noexcept { return a.ticks == b.ticks; }
  friend constexpr bool operator!=(timestamp a, timestamp b) noexcept { return a.ticks != b.ticks; }
  friend constexpr bool operator<(timestamp a, timestamp b) noexcept { return a.ticks < b.ticks; }
  friend constexpr bool operator>(timestamp a, timestamp b) noexcept { return a.ticks > b.ticks; }
  friend constexpr bool operator<=(timestamp a, timestamp b) noexcept { return a.ticks <= b.ticks; }
  friend constexpr bool operator>=(timestamp a, timestamp b) noexcept { return a.ticks >= b.ticks; }
};

inline constexpr std::int64_t ticks_per_second = 10'000'000;
/// 0001-01-01T00:00:00Z, the service's "never", and the last tick of the year 9999: what can be
/// written.
inline constexpr timestamp first_timestamp{-719162LL * 86400 * ticks_per_second};
inline constexpr timestamp last_timestamp{2932897LL * 86400 * ticks_per_second - 1};

/// A duration, or a point in time of a clock that only runs on, such as a device's since its start.
struct milliseconds {
  std::int64_t count = 0;

  friend constexpr bool operator==(milliseconds a, milliseconds b) noexcept {
    return a.count == b.count;
  }
  friend constexpr bool operator!=(milliseconds a, milliseconds b) noexcept {
    return a.count != b.count;
  }
  friend constexpr bool operator<(milliseconds a, milliseconds b) noexcept {
    return a.count < b.count;
  }
  friend constexpr bool operator>(milliseconds a, milliseconds b) noexcept {
    return a.count > b.count;
  }
  friend constexpr bool operator<=(milliseconds a, milliseconds b) noexcept {
    return a.count <= b.count;
  }
  friend constexpr bool operator>=(milliseconds a, milliseconds b) noexcept {
    return a.count >= b.count;
  }
};

/// A point in time that does not come.
inline constexpr milliseconds never{INT64_MAX};

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
