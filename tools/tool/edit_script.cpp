#include "edit_script.hpp"

#include <algorithm>
#include <cstddef>

namespace tool {
namespace {

using sequence = std::vector<std::uint64_t>;
using index = std::uint32_t;

/// A part of both sequences.
struct range {
  index a, a_end, b, b_end;
  bool empty() const { return a == a_end || b == b_end; }
};

class matcher {
 public:
  matcher(const sequence& a, const sequence& b) : a_(a), b_(b) {}

  index_pairs run() {
    solve({0, static_cast<index>(a_.size()), 0, static_cast<index>(b_.size())}, most_splits);
    std::sort(found_.begin(), found_.end());
    return std::move(found_);
  }

 private:
  static constexpr int most_edits = 400;
  static constexpr int most_splits = 12;

  void solve(range r, int splits) {
    while (!r.empty() && a_[r.a] == b_[r.b]) found_.emplace_back(r.a++, r.b++);
    while (!r.empty() && a_[r.a_end - 1] == b_[r.b_end - 1])
      found_.emplace_back(--r.a_end, --r.b_end);
    if (r.empty() || few_edits(r) || splits == 0) return;
    const index_pairs anchors = split(r);
    if (anchors.empty()) return;
    for (const auto& [a, b] : anchors) {
      found_.emplace_back(a, b);
      solve({r.a, a, r.b, b}, splits - 1);
      r.a = a + 1;
      r.b = b + 1;
    }
    solve(r, splits - 1);
  }

  /// Myers' greedy algorithm (1986). Returns false, with nothing found, when it takes more than
  /// most_edits or too many steps.
  bool few_edits(const range& r) {
    const int n = static_cast<int>(std::min<index>(r.a_end - r.a, 1u << 30));
    const int m = static_cast<int>(std::min<index>(r.b_end - r.b, 1u << 30));
    long steps = 16L * (long{n} + m) + 100000;
    // furthest[k]: how far in `a` the diagonal k (in a minus in b) is reached; one row per edit.
    std::vector<std::vector<int>> rows;
    const int most = static_cast<int>(std::min<long>(most_edits, long{n} + m));
    std::vector<int> furthest(2 * static_cast<std::size_t>(most) + 3, 0);
    const auto at = [most](int k) { return static_cast<std::size_t>(k + most + 1); };
    const auto enter = [&](int k, int d) {
      const bool down = k == -d || (k != d && furthest[at(k - 1)] < furthest[at(k + 1)]);
      return down ? furthest[at(k + 1)] : furthest[at(k - 1)] + 1;
    };
    for (int d = 0; d <= most; ++d) {
      rows.emplace_back(furthest.begin() + static_cast<std::ptrdiff_t>(at(-d - 1)),
                        furthest.begin() + static_cast<std::ptrdiff_t>(at(d + 1)) + 1);
      for (int k = -d; k <= d; k += 2) {
        int x = d == 0 ? 0 : enter(k, d);
        const int start = x;
        while (x < n && x - k < m && x - k >= 0 && same(r, x, x - k)) ++x;
        furthest[at(k)] = x;
        steps -= 1 + x - start;
        if (x >= n && x - k >= m) return note_path(r, rows, d, k, x);
      }
      if (steps < 0) return false;
    }
    return false;
  }
  bool same(const range& r, int x, int y) const {
    return a_[r.a + static_cast<index>(x)] == b_[r.b + static_cast<index>(y)];
  }
  /// Follows the rows back and notes the elements on the way.
  bool note_path(const range& r, const std::vector<std::vector<int>>& rows, int d, int k, int x) {
    for (; d > 0; --d) {
      const std::vector<int>& row = rows[static_cast<std::size_t>(d)];  // before edit d
      const auto reached = [&](int diagonal) {
        return row[static_cast<std::size_t>(diagonal + d + 1)];
      };
      const bool down = k == -d || (k != d && reached(k - 1) < reached(k + 1));
      const int before = down ? k + 1 : k - 1;
      const int start = down ? reached(before) : reached(before) + 1;
      note(r, start, x, k);
      x = reached(before);
      k = before;
    }
    note(r, 0, x, k);
    return true;
  }
  void note(const range& r, int from, int to, int k) {
    for (int x = from; x < to; ++x)
      found_.emplace_back(r.a + static_cast<index>(x), r.b + static_cast<index>(x - k));
  }

  /// Elements that stand once in both ranges: the longest ascending run of them.
  index_pairs split(const range& r) const {
    struct place {
      std::uint64_t value;
      bool second;
      index at;
    };
    std::vector<place> places;
    places.reserve(std::size_t{r.a_end - r.a} + (r.b_end - r.b));
    for (index i = r.a; i != r.a_end; ++i) places.push_back({a_[i], false, i});
    for (index i = r.b; i != r.b_end; ++i) places.push_back({b_[i], true, i});
    std::sort(places.begin(), places.end(), [](const place& x, const place& y) {
      return std::make_pair(x.value, x.second) < std::make_pair(y.value, y.second);
    });
    index_pairs once;
    for (std::size_t i = 0; i != places.size();) {
      std::size_t end = i + 1;
      while (end != places.size() && places[end].value == places[i].value) ++end;
      if (end - i == 2 && !places[i].second && places[i + 1].second)
        once.emplace_back(places[i].at, places[i + 1].at);
      i = end;
    }
    std::sort(once.begin(), once.end());
    return longest_ascending(once);
  }
  static index_pairs longest_ascending(const index_pairs& pairs) {
    constexpr std::size_t none = static_cast<std::size_t>(-1);
    std::vector<std::size_t> ends;  // of the best run of each length
    std::vector<std::size_t> before(pairs.size(), none);
    for (std::size_t i = 0; i != pairs.size(); ++i) {
      const auto at = std::lower_bound(
          ends.begin(), ends.end(), pairs[i].second,
          [&](std::size_t end, index second) { return pairs[end].second < second; });
      if (at != ends.begin()) before[i] = at[-1];
      if (at == ends.end()) {
        ends.push_back(i);
      } else {
        *at = i;
      }
    }
    index_pairs run;
    for (std::size_t i = ends.empty() ? none : ends.back(); i != none; i = before[i])
      run.push_back(pairs[i]);
    std::reverse(run.begin(), run.end());
    return run;
  }

  const sequence& a_;
  const sequence& b_;
  index_pairs found_;
};

}  // namespace

index_pairs common_elements(const sequence& a, const sequence& b) { return matcher(a, b).run(); }

}  // namespace tool
