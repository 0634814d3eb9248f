/// A device session's requests: which are under way, under which id, when they time out, and how
/// long to wait before one is sent again. Knows neither JSON nor topics.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view

#include "../../base/time.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// The sum of a point in time and a delay; `never` when it cannot be counted.
constexpr milliseconds later(milliseconds now, milliseconds delay) noexcept {
  if (delay.count <= 0) return now;
  return now.count > INT64_MAX - delay.count ? never : milliseconds{now.count + delay.count};
}

/// The id that a request carries and its answer repeats: eight digits that are the session's own,
/// and the number of the request.
class request_id {
 public:
  request_id(std::uint64_t seed, std::uint32_t number) noexcept {
    seed = (seed ^ (seed >> 31)) * 0xBF58476D1CE4E5B9u;
    seed ^= seed >> 29;
    for (int i = 0; i < 8; ++i, seed >>= 4) text_[size_++] = "0123456789abcdef"[seed & 15];
    text_[size_++] = '-';
    for (std::uint32_t rest = number; rest > 9; rest /= 10) ++size_;
    std::size_t at = ++size_;
    do {
      text_[--at] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
  }
  std::string_view view() const noexcept { return {text_, size_}; }

 private:
  char text_[19];  // 8 + 1 + 10
  std::size_t size_ = 0;
};

enum class request_kind : unsigned char { get_twin, patch_reported };

struct request_timing {
  milliseconds time_out;  ///< for an answer
  milliseconds retry_first;
  milliseconds retry_longest;
};

/// At most one request of each kind. A request is idle, or waits for its answer, or backs off: it
/// will be sent again when its delay is over. An answer that comes meanwhile is still taken.
///
/// A plain value: a session copies it to come back to it.
class requests {
 public:
  requests() noexcept = default;
  /// `seed` decides the delays.
  explicit requests(std::uint64_t seed) noexcept : random_(seed) {}

  bool idle(request_kind kind) const noexcept { return of(kind).phase == phase::idle; }
  bool waiting(request_kind kind) const noexcept { return of(kind).phase == phase::waiting; }
  /// The number of the request that was sent last.
  std::uint32_t number(request_kind kind) const noexcept { return of(kind).number; }
  /// Whether `id` is that of the request that is under way.
  bool is_answer_to(request_kind kind, std::uint64_t seed, std::string_view id) const noexcept {
    return !idle(kind) && request_id(seed, number(kind)).view() == id;
  }
  /// When expire() is to be called, or `never`. A patch waits as long as the twin is asked for.
  milliseconds next_due() const noexcept {
    const request& r = of(first());
    return r.phase == phase::idle ? never : r.due;
  }

  /// The request is sent now, under a new number.
  void send(request_kind kind, milliseconds now, const request_timing& timing) noexcept {
    request& r = of(kind);
    r.phase = phase::waiting;
    r.number = ++sent_;
    r.due = later(now, timing.time_out);
  }
  /// It is to be sent again, after a delay that doubles each time.
  void back_off(request_kind kind, milliseconds now, const request_timing& timing) noexcept {
    request& r = of(kind);
    const std::int64_t longest = timing.retry_longest.count;
    std::int64_t delay = timing.retry_first.count < 1 ? 1 : timing.retry_first.count;
    for (unsigned i = 0; i < r.attempts && delay < longest && delay <= INT64_MAX / 2; ++i)
      delay *= 2;
    if (delay > longest) delay = longest;
    if (delay < 1) delay = 1;
    const std::int64_t half = delay / 2;
    delay =
        half + static_cast<std::int64_t>(chance() % static_cast<std::uint64_t>(delay - half + 1));
    if (r.attempts < most_attempts) ++r.attempts;
    r.phase = phase::backing_off;
    r.due = later(now, {delay});
  }
  /// Time went by. A request whose answer did not come backs off. True when `kind` is to be sent
  /// again now.
  bool expire(milliseconds now, const request_timing& timing, request_kind& kind) noexcept {
    kind = first();
    const request& r = of(kind);
    if (r.phase == phase::idle || now < r.due) return false;
    if (r.phase == phase::backing_off) return true;
    back_off(kind, now, timing);
    return false;
  }
  /// The request was answered, or is given up. The next one starts with the first delay.
  void finish(request_kind kind) noexcept { of(kind) = request(); }
  void finish_all() noexcept { all_[0] = all_[1] = request(); }

 private:
  enum class phase : unsigned char { idle, waiting, backing_off };
  struct request {
    detail::requests::phase phase = phase::idle;
    unsigned char attempts = 0;
    std::uint32_t number = 0;
    milliseconds due;
  };
  static constexpr unsigned most_attempts = 60;  // doubling has reached any delay by then

  request& of(request_kind kind) noexcept { return all_[static_cast<unsigned>(kind)]; }
  const request& of(request_kind kind) const noexcept { return all_[static_cast<unsigned>(kind)]; }
  request_kind first() const noexcept {
    return idle(request_kind::get_twin) ? request_kind::patch_reported : request_kind::get_twin;
  }
  std::uint64_t chance() noexcept {
    // SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators",
    // 2014).
    std::uint64_t z = random_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  std::uint64_t random_ = 0;
  request all_[2];
  std::uint32_t sent_ = 0;
};

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
