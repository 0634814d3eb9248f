/// From std::chrono and back. Not part of devicetwin.hpp: <chrono> takes long to compile.
#pragma once

#include <chrono>   // std::chrono::system_clock, std::chrono::steady_clock
#include <cstdint>  // std::int64_t
#include <ratio>    // std::ratio

#include "time.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

namespace detail {

using chrono_ticks = std::chrono::duration<std::int64_t, std::ratio<1, ticks_per_second>>;

}  // namespace detail

/// A point in time of the system's clock, rounded down to 100 ns. That clock counts from 1970:
/// C++20 says so, and libraries did so before.
inline timestamp to_timestamp(std::chrono::system_clock::time_point time) noexcept {
  return {std::chrono::floor<detail::chrono_ticks>(time.time_since_epoch()).count()};
}
/// The timestamp of now.
inline timestamp timestamp_now() noexcept { return to_timestamp(std::chrono::system_clock::now()); }

/// A point in time of the system's clock, rounded down to what that clock counts. Undefined for a
/// time that the clock cannot hold: one that counts nanoseconds holds 1678 to 2262.
inline std::chrono::system_clock::time_point to_time_point(timestamp time) noexcept {
  using clock = std::chrono::system_clock;
  return clock::time_point(std::chrono::floor<clock::duration>(detail::chrono_ticks(time.ticks)));
}

/// A duration, rounded down.
template <class Count, class Period>
constexpr milliseconds to_milliseconds(std::chrono::duration<Count, Period> duration) noexcept {
  return {std::chrono::floor<std::chrono::duration<std::int64_t, std::milli>>(duration).count()};
}
/// The milliseconds of a clock that never goes back: the time that a device session wants.
inline milliseconds milliseconds_now() noexcept {
  return to_milliseconds(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
