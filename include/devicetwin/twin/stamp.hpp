/// When a property was last written: a point in time and a version.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view

#include "../base/time.hpp"
#include "../json/error.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// Who wrote a property last: `time`, and the section's version then; 0 when it is not known.
struct stamp {
  timestamp time;
  std::int64_t version = 0;
  friend constexpr bool operator==(const stamp& a, const stamp& b) noexcept {
    return a.time == b.time && a.version == b.version;
  }
  friend constexpr bool operator!=(const stamp& a, const stamp& b) noexcept { return !(a == b); }
};

/// The longest text that format_timestamp() writes.
inline constexpr std::size_t max_timestamp_chars = 28;

/// Writes `time` as ISO 8601 in UTC, decimals without trailing zeros: 2026-01-31T12:00:00.25Z.
/// Returns the end of it. `buffer` holds max_timestamp_chars. A time outside the years 1 to 9999 is
/// written as the nearest inside.
inline char* format_timestamp(char* buffer, timestamp time) noexcept;

/// Reads a point in time as ISO 8601 writes it (RFC 3339 and without an offset, which means UTC);
/// decimals beyond the seventh are cut off. Errors: invalid_time, also for a day that does not
/// exist.
inline json::result<timestamp> parse_timestamp(std::string_view text) noexcept;

// ---------------------------------------------------------------------------------------------

namespace detail {

/// Days since 1970-01-01 in the Gregorian calendar. Years begin in March here, so that the day that
/// comes and goes is the last one.
constexpr std::int64_t days_of(std::int64_t year, std::int64_t month, std::int64_t day) noexcept {
  if (month <= 2) --year;
  const std::int64_t in_era = year % 400;  // years are positive
  const std::int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return year / 400 * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + of_year - 719468;
}

constexpr int days_in_month(int year, int month) noexcept {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

}  // namespace detail

inline char* format_timestamp(char* buffer, timestamp time) noexcept {
  if (time < first_timestamp) time = first_timestamp;
  if (time > last_timestamp) time = last_timestamp;
  const std::int64_t since =
      time.ticks - first_timestamp.ticks;  // since the year 1, so nothing is negative
  auto decimals = static_cast<std::uint32_t>(since % ticks_per_second);
  const std::int64_t second_of_day = since / ticks_per_second % 86400;
  // The inverse of days_of(), counted from the first of March of the year 0.
  const std::int64_t days = since / ticks_per_second / 86400 + 306;
  const std::int64_t era = days / 146097;
  const std::int64_t of_era = days % 146097;
  const std::int64_t in_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  const std::int64_t of_year = of_era - (365 * in_era + in_era / 4 - in_era / 100);
  const std::int64_t month_from_march = (5 * of_year + 2) / 153;
  const std::int64_t day = of_year - (153 * month_from_march + 2) / 5 + 1;
  const std::int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  const std::int64_t year = era * 400 + in_era + (month <= 2 ? 1 : 0);
  const auto put_two = [&buffer](std::uint32_t number, char after) {
    buffer[0] = static_cast<char>('0' + number / 10);
    buffer[1] = static_cast<char>('0' + number % 10);
    buffer[2] = after;
    buffer += 3;
  };
  const auto years = static_cast<std::uint32_t>(year);
  const auto seconds = static_cast<std::uint32_t>(second_of_day);
  buffer[0] = static_cast<char>('0' + years / 1000);
  buffer[1] = static_cast<char>('0' + years / 100 % 10);
  buffer += 2;
  put_two(years % 100, '-');
  put_two(static_cast<std::uint32_t>(month), '-');
  put_two(static_cast<std::uint32_t>(day), 'T');
  put_two(seconds / 3600, ':');
  put_two(seconds / 60 % 60, ':');
  put_two(seconds % 60, 'Z');
  if (decimals == 0) return buffer;
  buffer[-1] = '.';
  for (std::uint32_t unit = static_cast<std::uint32_t>(ticks_per_second) / 10; decimals != 0;
       unit /= 10) {
    *buffer++ = static_cast<char>('0' + decimals / unit);
    decimals %= unit;
  }
  *buffer++ = 'Z';
  return buffer;
}

inline json::result<timestamp> parse_timestamp(std::string_view text) noexcept {
  std::size_t at = 0;
  bool good = true;
  const auto number = [&](int digits) {
    int value = 0;
    for (int i = 0; i < digits; ++i, ++at) {
      if (at >= text.size() || text[at] < '0' || text[at] > '9') {
        good = false;
        return 0;
      }
      value = value * 10 + (text[at] - '0');
    }
    return value;
  };
  const auto expect = [&](char a, char b) {
    if (at < text.size() && (text[at] == a || text[at] == b)) {
      ++at;
    } else {
      good = false;
    }
  };
  const int year = number(4);
  expect('-', '-');
  const int month = number(2);
  expect('-', '-');
  const int day = number(2);
  expect('T', 't');
  const int hour = number(2);
  expect(':', ':');
  const int minute = number(2);
  expect(':', ':');
  const int second = number(2);
  if (!good || year == 0 || month < 1 || month > 12 || day < 1 ||
      day > detail::days_in_month(year, month) || hour > 23 || minute > 59 || second > 59) {
    return json::errc::invalid_time;
  }
  std::int64_t ticks = 0;
  if (at < text.size() && text[at] == '.') {
    ++at;
    std::int64_t unit = ticks_per_second / 10;
    const std::size_t first = at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10) {
      ticks += unit * (text[at] - '0');
    }
    if (at == first) return json::errc::invalid_time;
  }
  std::int64_t offset = 0;  // in minutes
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) {
    const int sign = text[at++] == '-' ? -1 : 1;
    const int hours = number(2);
    expect(':', ':');
    const int minutes = number(2);
    if (!good || hours > 23 || minutes > 59) return json::errc::invalid_time;
    offset = sign * (hours * 60 + minutes);
  } else if (at < text.size()) {
    expect('Z', 'z');
  }
  if (!good || at != text.size()) return json::errc::invalid_time;
  const std::int64_t seconds =
      detail::days_of(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset * 60;
  return timestamp{seconds * ticks_per_second + ticks};
}

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
