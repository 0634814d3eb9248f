/// Which elements two arrays have in common, in the same order: what an edit script keeps.
#pragma once

#include <cstddef>  // std::size_t
#include <cstdint>  // std::int32_t, std::uint32_t, std::uint64_t

#include "../../base/memory.hpp"
#include "../../base/stack.hpp"
#include "../../json/tree/tuning.hpp"
#include "../tree/places.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

/// A part of an edit script: so many elements stay, then so many of the old ones make room for so
/// many new ones.
struct script_step {
  size_type kept, removed, inserted;
};
using script_steps = base::stack<script_step, 8>;

/// Numbers the elements of two arrays. Equal elements get the same number, so that comparing two
/// elements is comparing two numbers.
///
/// `hash(element)` is the same for equal elements; `equal(a, b, same)` compares two and returns
/// false when it could not. Elements that collide too often get numbers of their own, though they
/// may be equal: a script is longer then, and not wrong.
class element_numbers {
 public:
  explicit element_numbers(const memory_source& memory) noexcept
      : hashes_(memory), table_(memory), numbers_(memory) {}

  /// Numbers `count` elements; element(i) is any of them. False when memory ran out or `equal`
  /// failed.
  template <class Hash, class Equal>
  [[nodiscard]] bool number(std::size_t count, Hash&& hash, Equal&& equal) {
    std::size_t slots = 16;
    while (slots < 2 * count) slots *= 2;
    hashes_.truncate(0);
    table_.truncate(0);
    numbers_.truncate(0);
    if (!hashes_.extend(count) || !table_.extend(slots) || !numbers_.extend(count)) return false;
    for (std::size_t i = 0; i < slots; ++i) table_[i] = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!hash(i, hashes_[i])) return false;
      numbers_[i] = static_cast<std::uint32_t>(i);
      std::size_t slot = static_cast<std::size_t>(hashes_[i]) & (slots - 1);
      int compared = 0;
      for (int probe = 0; probe < json::core::tuning::longest_probe && table_[slot] != 0;
           ++probe, slot = (slot + 1) & (slots - 1)) {
        const std::size_t other = table_[slot] - 1;
        if (hashes_[other] != hashes_[i]) continue;
        if (++compared > most_compared) break;
        bool same = false;
        if (!equal(other, i, same)) return false;
        if (!same) continue;
        numbers_[i] = static_cast<std::uint32_t>(other);
        break;
      }
      if (table_[slot] == 0) table_[slot] = static_cast<std::uint32_t>(i) + 1;
    }
    return true;
  }
  const std::uint32_t* numbers() const noexcept { return numbers_.data(); }

 private:
  static constexpr int most_compared = 4;  ///< unequal elements of the same hash

  base::stack<std::uint64_t, 32> hashes_;
  base::stack<std::uint32_t, 64> table_;
  base::stack<std::uint32_t, 32> numbers_;
};

/// Makes the edit script between two sequences of numbers.
///
/// The script is the shortest (Myers, "An O(ND) difference algorithm", 1986) as long as it has few
/// edits. Beyond that, numbers that both have once are matched first, as many as can stand in order,
/// and then what is between them. Cost: n log n, whatever the numbers. Memory: some 20 bytes per
/// number, and 64 KB.
class array_script {
 public:
  explicit array_script(const memory_source& memory) noexcept
      : furthest_(memory),
        kept_from_(memory),
        kept_to_(memory),
        places_(memory),
        anchors_(memory) {}

  /// Appends the script from the first `from_count` numbers to the `to_count` ones behind them; all
  /// numbers are less than their count. False when memory ran out.
  [[nodiscard]] bool make(const std::uint32_t* numbers, size_type from_count, size_type to_count,
                          script_steps& out) {
    from_ = numbers;
    to_ = numbers + from_count;
    kept_from_.truncate(0);
    kept_to_.truncate(0);
    if (!kept_from_.extend(from_count) || !kept_to_.extend(to_count)) return false;
    for (size_type i = 0; i < from_count; ++i) kept_from_[i] = 0;
    for (size_type i = 0; i < to_count; ++i) kept_to_[i] = 0;
    bool found = false;
    if (!match({0, from_count, 0, to_count}, found)) return false;
    if (!found && !match_around_anchors(from_count, to_count)) return false;
    return write(from_count, to_count, out);
  }

 private:
  struct range {
    size_type from, from_end, to, to_end;
  };

  void keep(size_type from, size_type to) noexcept { kept_from_[from] = kept_to_[to] = 1; }

  /// Finds the shortest script for a part. `found` stays false when that has too many edits. False
  /// when memory ran out.
  bool match(range r, bool& found) {
    for (; r.from != r.from_end && r.to != r.to_end && from_[r.from] == to_[r.to]; ++r.from, ++r.to)
      keep(r.from, r.to);
    for (; r.from != r.from_end && r.to != r.to_end && from_[r.from_end - 1] == to_[r.to_end - 1];)
      keep(--r.from_end, --r.to_end);
    if (r.from == r.from_end || r.to == r.to_end) return found = true;
    const auto n = static_cast<std::int32_t>(r.from_end - r.from);
    const auto m = static_cast<std::int32_t>(r.to_end - r.to);
    furthest_.truncate(0);
    for (std::int32_t edits = 0; edits <= most_edits; ++edits) {
      // For each diagonal the furthest place that so many edits reach.
      if (!furthest_.extend(2 * static_cast<std::size_t>(edits) + 1)) return false;
      for (std::int32_t diagonal = -edits; diagonal <= edits; diagonal += 2) {
        std::int32_t x = edits == 0 ? 0 : start(edits, diagonal);
        std::int32_t y = x - diagonal;
        while (x < n && y < m &&
               from_[r.from + static_cast<size_type>(x)] == to_[r.to + static_cast<size_type>(y)]) {
          ++x;
          ++y;
        }
        at(edits, diagonal) = x;
        if (x < n || y < m) continue;
        go_back(r, edits, n, m);
        return found = true;
      }
    }
    return true;
  }
  std::int32_t& at(std::int32_t edits, std::int32_t diagonal) noexcept {
    return furthest_[static_cast<std::size_t>(edits * edits + diagonal + edits)];
  }
  /// Whether the last edit before a diagonal was an insertion.
  bool inserted(std::int32_t edits, std::int32_t diagonal) noexcept {
    return diagonal == -edits ||
           (diagonal != edits && at(edits - 1, diagonal - 1) < at(edits - 1, diagonal + 1));
  }
  std::int32_t start(std::int32_t edits, std::int32_t diagonal) noexcept {
    return inserted(edits, diagonal) ? at(edits - 1, diagonal + 1)
                                     : at(edits - 1, diagonal - 1) + 1;
  }
  void go_back(const range& r, std::int32_t edits, std::int32_t x, std::int32_t y) noexcept {
    for (; edits >= 0; --edits) {
      const std::int32_t diagonal = x - y;
      const std::int32_t first = edits == 0 ? 0 : start(edits, diagonal);
      while (x > first) {
        --x;
        --y;
        keep(r.from + static_cast<size_type>(x), r.to + static_cast<size_type>(y));
      }
      if (edits == 0) return;
      if (inserted(edits, diagonal)) {
        --y;
      } else {
        --x;
      }
    }
  }

  /// Where a number is in both sequences.
  struct place {
    size_type from, to;
    std::uint32_t from_times, to_times;
  };
  /// A number that both have once.
  struct anchor {
    size_type from, to;
    std::uint32_t before;  ///< the anchor before it in the longest run that ends here, plus one
    std::uint32_t last;  ///< of the runs of this length, the anchor that ends the lowest, plus one
  };

  bool match_around_anchors(size_type from_count, size_type to_count) {
    const std::size_t count = std::size_t{from_count} + to_count;
    places_.truncate(0);
    anchors_.truncate(0);
    if (!places_.extend(count)) return false;
    for (std::size_t i = 0; i < count; ++i) places_[i] = {0, 0, 0, 0};
    for (size_type i = 0; i < from_count; ++i) {
      places_[from_[i]].from = i;
      ++places_[from_[i]].from_times;
    }
    for (size_type i = 0; i < to_count; ++i) {
      places_[to_[i]].to = i;
      ++places_[to_[i]].to_times;
    }
    for (size_type i = 0; i < from_count; ++i) {
      const place& p = places_[from_[i]];
      if (p.from_times == 1 && p.to_times == 1 && !anchors_.push({p.from, p.to, 0, 0}))
        return false;
    }
    return match_between(longest_run(), from_count, to_count);
  }
  /// The longest run of anchors that are in order in both sequences; returns its last one, plus one.
  std::uint32_t longest_run() noexcept {
    std::size_t longest = 0;
    for (std::size_t i = 0; i < anchors_.size(); ++i) {
      std::size_t low = 0;
      for (std::size_t high = longest; low < high;) {
        const std::size_t middle = low + (high - low) / 2;
        if (anchors_[anchors_[middle].last - 1].to < anchors_[i].to) {
          low = middle + 1;
        } else {
          high = middle;
        }
      }
      anchors_[i].before = low == 0 ? 0 : anchors_[low - 1].last;
      anchors_[low].last = static_cast<std::uint32_t>(i) + 1;
      if (low == longest) ++longest;
    }
    return longest == 0 ? 0 : anchors_[longest - 1].last;
  }
  /// Matches what is between the anchors of a run, from the last one to the first.
  bool match_between(std::uint32_t last, size_type from_end, size_type to_end) {
    for (;;) {
      const anchor* const a = last == 0 ? nullptr : &anchors_[last - 1];
      bool found = false;
      if (!match({a == nullptr ? 0 : a->from + 1, from_end, a == nullptr ? 0 : a->to + 1, to_end},
                 found)) {
        return false;
      }
      if (a == nullptr) return true;
      keep(a->from, a->to);
      from_end = a->from;
      to_end = a->to;
      last = a->before;
    }
  }

  bool write(size_type from_count, size_type to_count, script_steps& out) {
    size_type i = 0, j = 0;
    while (i != from_count || j != to_count) {
      script_step step{0, 0, 0};
      for (; i != from_count && j != to_count && kept_from_[i] != 0 && kept_to_[j] != 0; ++i, ++j)
        ++step.kept;
      for (; i != from_count && kept_from_[i] == 0; ++i) ++step.removed;
      for (; j != to_count && kept_to_[j] == 0; ++j) ++step.inserted;
      if (!out.push(step)) return false;
    }
    return true;
  }

  static constexpr std::int32_t most_edits = json::core::tuning::most_array_edits;

  const std::uint32_t* from_ = nullptr;
  const std::uint32_t* to_ = nullptr;
  base::stack<std::int32_t, 64> furthest_;  ///< by edits, then by diagonal
  base::stack<unsigned char, 64> kept_from_, kept_to_;
  base::stack<place, 2> places_;
  base::stack<anchor, 2> anchors_;
};

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
