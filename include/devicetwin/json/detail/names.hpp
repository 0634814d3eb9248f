/// Member names of one object: has this name been seen, and where is it? Never quadratic, whatever
/// names an attacker chooses.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <cstring>      // std::memcpy, std::memcmp
#include <string_view>  // std::string_view

#include "../value.hpp"
#include "stack.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace detail {

inline constexpr size_type no_index = static_cast<size_type>(-1);

/// Objects up to this many members are searched by looking at each.
inline constexpr size_type small_object = 16;

/// A quick hash of a name. Nothing depends on it being hard to collide.
inline std::uint64_t hash_name(std::string_view name) noexcept {
  constexpr std::uint64_t multiplier = 0x9E3779B97F4A7C15u;
  const char* p = name.data();
  std::size_t left = name.size();
  std::uint64_t hash = left * multiplier;
  std::uint64_t word = 0;
  for (; left >= 8; p += 8, left -= 8) {
    std::memcpy(&word, p, 8);
    hash = (hash ^ word) * multiplier;
    hash ^= hash >> 32;
  }
  if (left >= 4) {
    std::uint32_t low = 0, high = 0;
    std::memcpy(&low, p, 4);
    std::memcpy(&high, p + left - 4, 4);
    hash ^= low | (std::uint64_t{high} << 32);
  } else if (left != 0) {
    hash ^= static_cast<unsigned char>(p[0]) |
            (std::uint64_t{static_cast<unsigned char>(p[left / 2])} << 8) |
            (std::uint64_t{static_cast<unsigned char>(p[left - 1])} << 16);
  }
  hash *= multiplier;
  return hash ^ (hash >> 29);
}

/// The names of a RapidJSON object's members.
template <class Value>
struct object_names {
  const member_of<Value>* members;
  std::string_view operator()(size_type i) const noexcept { return text_of(members[i].name); }
};
template <class Value>
object_names<Value> names_of(const Value& object) noexcept {
  return {members_begin(object)};
}

/// The shared memory of indexes that are alive at the same time, the youngest on top.
using index_memory = stack<std::uint64_t, 4>;

/// Finds names among `count` by a hash table with a bounded probe; when a probe gets longer than
/// chance allows, the names collide on purpose and are sorted instead. So building costs count in
/// practice and count * log(count) comparisons at worst, and a look-up one or log(count).
class name_index {
 public:
  /// `name(i)` gives the i-th name. Of equal names the first is kept; `on_duplicate(i)` is called for
  /// each later one, in order when nothing collides. False when memory ran out.
  template <class Names, class OnDuplicate>
  [[nodiscard]] bool build(size_type count, const Names& name, index_memory& memory,
                           OnDuplicate&& on_duplicate) {
    std::size_t slots = 8;
    while (slots < std::size_t{count} * 2) slots *= 2;
    base_ = memory.size();
    if (!memory.extend(slots)) return false;
    mask_ = slots - 1;
    std::uint64_t* table = memory.data() + base_;
    std::memset(static_cast<void*>(table), 0, slots * sizeof *table);
    for (size_type i = 0; i < count; ++i) {
      const std::string_view text = name(i);
      const std::uint64_t hash = hash_name(text);
      const std::uint64_t entry = (hash & tag_bits) | (std::uint64_t{i} + 1);
      std::size_t at = static_cast<std::size_t>(hash) & mask_;
      for (int probe = 0;; ++probe, at = (at + 1) & mask_) {
        if (table[at] == 0) {
          table[at] = entry;
          break;
        }
        if (probe == longest_probe) {
          sort(count, name, table);
          report_sorted(name, table, on_duplicate);
          return true;
        }
        if (((table[at] ^ hash) & tag_bits) == 0 && name(index_of(table[at])) == text) {
          on_duplicate(i);
          break;
        }
      }
    }
    return true;
  }

  /// The index of the first member of this name, or no_index.
  template <class Names>
  size_type find(std::string_view text, const Names& name, const index_memory& memory) const {
    const std::uint64_t* table = memory.data() + base_;
    if (sorted_ != 0) return find_sorted(text, name, table);
    const std::uint64_t hash = hash_name(text);
    // No name lies further from its place than build() allowed, however long the run of taken slots.
    std::size_t at = static_cast<std::size_t>(hash) & mask_;
    for (int probe = 0; probe <= longest_probe && table[at] != 0; ++probe, at = (at + 1) & mask_) {
      if (((table[at] ^ hash) & tag_bits) == 0 && name(index_of(table[at])) == text) {
        return index_of(table[at]);
      }
    }
    return no_index;
  }

 private:
  static constexpr std::uint64_t tag_bits = 0xFFFFFFFF00000000u;
  static constexpr int longest_probe = 64;

  static size_type index_of(std::uint64_t entry) noexcept {
    return static_cast<size_type>(entry & 0xFFFFFFFF) - 1;
  }

  /// Heap sort by name, then index: no memory, no bad case.
  template <class Names>
  void sort(size_type count, const Names& name, std::uint64_t* items) {
    sorted_ = count;
    for (size_type i = 0; i < count; ++i) items[i] = i;
    const auto before = [&name](std::uint64_t a, std::uint64_t b) {
      const int order = name(static_cast<size_type>(a)).compare(name(static_cast<size_type>(b)));
      return order < 0 || (order == 0 && a < b);
    };
    const auto sink = [&](std::size_t root, std::size_t end) {
      for (std::size_t child = 2 * root + 1; child < end; root = child, child = 2 * root + 1) {
        if (child + 1 < end && before(items[child], items[child + 1])) ++child;
        if (!before(items[root], items[child])) return;
        const std::uint64_t swapped = items[root];
        items[root] = items[child];
        items[child] = swapped;
      }
    };
    for (std::size_t root = count / 2; root-- > 0;) sink(root, count);
    for (std::size_t end = count; end-- > 1;) {
      const std::uint64_t largest = items[0];
      items[0] = items[end];
      items[end] = largest;
      sink(0, end);
    }
  }

  template <class Names, class OnDuplicate>
  void report_sorted(const Names& name, const std::uint64_t* items, OnDuplicate&& on_duplicate) {
    for (size_type i = 1; i < sorted_; ++i) {
      const auto index = static_cast<size_type>(items[i]);
      if (name(static_cast<size_type>(items[i - 1])) == name(index)) on_duplicate(index);
    }
  }

  template <class Names>
  size_type find_sorted(std::string_view text, const Names& name, const std::uint64_t* items) const {
    size_type low = 0;
    for (size_type high = sorted_; low < high;) {
      const size_type middle = low + (high - low) / 2;
      if (name(static_cast<size_type>(items[middle])).compare(text) < 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low == sorted_ || name(static_cast<size_type>(items[low])) != text) return no_index;
    return static_cast<size_type>(items[low]);
  }

  std::size_t base_ = 0;
  std::size_t mask_ = 0;
  size_type sorted_ = 0;  ///< how many are sorted; 0 for a hash table
};

/// A set of small hashes: says for most names at once that they were not seen before.
class name_filter {
 public:
  /// True when this name may have been added before; adds it.
  bool add(std::uint64_t hash) noexcept {
    const std::uint64_t bit = std::uint64_t{1} << (hash & 63);
    const bool seen = (bits_ & bit) != 0;
    bits_ |= bit;
    return seen;
  }

 private:
  std::uint64_t bits_ = 0;
};

/// Tells the first occurrence of each name from later ones while the members of one object are walked
/// in order, for values that callers built: RapidJSON lets an object repeat a name.
/// Keeps its index, if it needs one, in `memory`; the caller truncates that when done.
template <class Value>
class first_names {
 public:
  first_names() noexcept = default;
  explicit first_names(const Value& object) noexcept
      : names_(names_of(object)), count_(object.MemberCount()) {}

  /// True when the member at `i` is the first of its name. False with `failed` set when memory ran out.
  bool is_first(size_type i, index_memory& memory, bool& failed) noexcept {
    if (count_ > small_object) {
      if (!indexed_) {
        if (!index_.build(count_, names_, memory, [this](size_type) { ++duplicates_; })) {
          failed = true;
          return false;
        }
        indexed_ = true;
      }
      return duplicates_ == 0 || index_.find(names_(i), names_, memory) == i;
    }
    const std::string_view text = names_(i);
    if (!filter_.add(hash_name(text))) return true;
    for (size_type earlier = 0; earlier < i; ++earlier) {
      if (names_(earlier) == text) return false;
    }
    return true;
  }

 private:
  object_names<Value> names_{nullptr};
  size_type count_ = 0;
  size_type duplicates_ = 0;
  bool indexed_ = false;
  name_filter filter_;
  name_index index_;
};

}  // namespace detail
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
