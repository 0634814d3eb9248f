/// An index of names. Never quadratic, whatever names an attacker chooses.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <cstring>      // std::memset
#include <string_view>  // std::string_view
#include <type_traits>  // std::is_same_v

#include "../../base/bits.hpp"
#include "../../base/stack.hpp"
#include "../value.hpp"
#include "find_member.hpp"
#include "inside.hpp"
#include "name_hash.hpp"
#include "tuning.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

/// The names of an object's members, for an index.
template <class Value>
struct object_names {
  const member_of<Value>* members;
  const Value& operator[](size_type i) const noexcept { return members[i].name; }
  std::string_view text(size_type i) const noexcept { return text_of(members[i].name); }
  std::uint64_t hash(size_type i) const noexcept { return hash_name(members[i].name); }
};
template <class Value>
object_names<Value> names_of(const Value& object) noexcept {
  return {members_begin(object)};
}

/// Any names, for an index: on small machines name_index is compiled once, for this class.
class any_names {
 public:
  template <class Names>
  explicit any_names(const Names& names) noexcept
      : names_(&names), text_([](const void* from, size_type i) noexcept {
          return static_cast<const Names*>(from)->text(i);
        }) {}
  std::string_view text(size_type i) const noexcept { return text_(names_, i); }
  std::uint64_t hash(size_type i) const noexcept { return hash_name(text(i)); }

 private:
  const void* names_;
  std::string_view (*text_)(const void*, size_type) noexcept;
};
/// Returns what to hand to an index for names that are texts; valid as long as `names`.
template <class Names>
auto indexed(const Names& names) noexcept {
  if constexpr (base::shortcuts) {
    return names;
  } else {
    return any_names(names);
  }
}

/// Remembers the first name that repeats another.
struct first_repeat {
  size_type at = no_index;
  void operator()(size_type i) noexcept {
    if (i < at) at = i;
  }
};

/// The shared memory of indexes that are alive at the same time, the youngest on top.
using index_memory = base::stack<std::uint32_t, 8>;

/// Finds names among `count`: a hash table with a bounded probe. When a probe gets longer than
/// chance allows, the names collide on purpose, and they are sorted instead. Building costs `count`
/// in practice and count * log(count) comparisons at worst; a look-up costs one or log(count).
class name_index {
 public:
  /// `names` offers text(i) and hash(i). Of equal names the first is kept; `on_duplicate(i)` is
  /// called for each later one, in order when nothing collides. False when memory ran out.
  template <class Names, class OnDuplicate>
  [[nodiscard]] bool build(size_type count, const Names& names, index_memory& memory,
                           OnDuplicate&& on_duplicate) {
    std::size_t slots = 8;
    while (slots < std::size_t{count} * 2) slots *= 2;
    base_ = memory.size();
    if (!memory.extend(slots)) return false;
    mask_ = slots - 1;
    std::uint32_t* table = memory.data() + base_;
    std::memset(static_cast<void*>(table), 0, slots * sizeof *table);
    constexpr size_type ahead = tuning::hashes_ahead;
    std::uint64_t hashes[ahead];  // of the next ones, whose slots are on their way into the cache
    for (size_type next = 0; next < ahead && next < count; ++next)
      hashes[next] = hash_ahead(next, names, table);
    for (size_type i = 0; i < count; ++i) {
      const std::uint64_t hash = hashes[i % ahead];
      if (count - i > ahead) hashes[i % ahead] = hash_ahead(i + ahead, names, table);
      const std::uint32_t tag = tag_of(hash);
      std::size_t at = static_cast<std::size_t>(hash) & mask_;
      for (int probe = 0; table[at] != 0; ++probe, at = (at + 1) & mask_) {
        if (probe == tuning::longest_probe) {
          sort(count, names, table);
          report_sorted(names, table, on_duplicate);
          return true;
        }
        if (((table[at] ^ tag) & ~index_mask()) == 0 &&
            names.text(index_of(table[at])) == names.text(i)) {
          on_duplicate(i);
          break;
        }
      }
      if (table[at] == 0) table[at] = tag | (i + 1);
    }
    return true;
  }

  /// Returns the index of the first of the names that is `wanted`, a text or a value that holds
  /// one; or no_index. `names` also offers names[i], a value.
  template <class Name, class Names>
  size_type find(const Name& wanted, const Names& names, const index_memory& memory) const {
    if constexpr (std::is_same_v<Name, std::string_view>) {
      return find_text(wanted, names, memory);
    } else {
      return look_up(hash_name(wanted), text_of(wanted), names, memory,
                     [&](size_type i) { return same_text(names[i], wanted); });
    }
  }
  /// Returns the index of the first of any names that is `wanted`, or no_index.
  template <class Names>
  size_type find_text(std::string_view wanted, const Names& names,
                      const index_memory& memory) const {
    return find_text(hash_name(wanted), wanted, names, memory);
  }
  /// find_text() for a caller that knows hash_name(wanted).
  template <class Names>
  size_type find_text(std::uint64_t hash, std::string_view wanted, const Names& names,
                      const index_memory& memory) const {
    return look_up(hash, wanted, names, memory,
                   [&](size_type i) { return names.text(i) == wanted; });
  }
  /// The same for a caller that compares by itself: `same(i)` returns whether name `i` is `wanted`.
  template <class Names, class Same>
  size_type find_if(std::uint64_t hash, std::string_view wanted, const Names& names,
                    const index_memory& memory, Same&& same) const {
    return look_up(hash, wanted, names, memory, same);
  }
  // A caller that looks for many names calls these two some names ahead, so that no look-up waits
  // for memory.
  void prefetch_slot(std::uint64_t hash, const index_memory& memory) const noexcept {
    base::prefetch(memory.data() + base_ + (static_cast<std::size_t>(hash) & mask_));
  }
  /// The index of the name that is looked at first, or no_index.
  size_type candidate(std::uint64_t hash, const index_memory& memory) const noexcept {
    const std::uint32_t slot = memory[base_ + (static_cast<std::size_t>(hash) & mask_)];
    return sorted_ != 0 || slot == 0 ? no_index : index_of(slot);
  }

 private:
  template <class Names, class Same>
  size_type look_up(std::uint64_t hash, std::string_view text, const Names& names,
                    const index_memory& memory, Same&& same) const {
    const std::uint32_t* table = memory.data() + base_;
    if (sorted_ != 0) return find_sorted(text, names, table);
    const std::uint32_t tag = tag_of(hash);
    // No name lies further from its place than build() allowed, however long the run of taken
    // slots.
    std::size_t at = static_cast<std::size_t>(hash) & mask_;
    for (int probe = 0; probe <= tuning::longest_probe && table[at] != 0;
         ++probe, at = (at + 1) & mask_) {
      if (((table[at] ^ tag) & ~index_mask()) == 0 && same(index_of(table[at])))
        return index_of(table[at]);
    }
    return no_index;
  }

  template <class Names>
  std::uint64_t hash_ahead(size_type i, const Names& names, const std::uint32_t* table) const {
    const std::uint64_t hash = names.hash(i);
    base::prefetch(table + (static_cast<std::size_t>(hash) & mask_));
    return hash;
  }

  // A slot holds an index plus one in its low bits, for which those of mask_ are enough, and bits
  // of the hash above.
  std::uint32_t index_mask() const noexcept { return static_cast<std::uint32_t>(mask_); }
  size_type index_of(std::uint32_t slot) const noexcept { return (slot & index_mask()) - 1; }
  std::uint32_t tag_of(std::uint64_t hash) const noexcept {
    return static_cast<std::uint32_t>(hash >> 32) & ~index_mask();
  }

  /// Heap sort by name, then index: no memory, no bad case.
  template <class Names>
  void sort(size_type count, const Names& names, std::uint32_t* items) {
    sorted_ = count;
    for (size_type i = 0; i < count; ++i) items[i] = i;
    const auto before = [&names](std::uint32_t a, std::uint32_t b) {
      const int order = names.text(a).compare(names.text(b));
      return order < 0 || (order == 0 && a < b);
    };
    const auto sink = [&](std::size_t root, std::size_t end) {
      for (std::size_t child = 2 * root + 1; child < end; root = child, child = 2 * root + 1) {
        if (child + 1 < end && before(items[child], items[child + 1])) ++child;
        if (!before(items[root], items[child])) return;
        const std::uint32_t swapped = items[root];
        items[root] = items[child];
        items[child] = swapped;
      }
    };
    for (std::size_t root = count / 2; root-- > 0;) sink(root, count);
    for (std::size_t end = count; end-- > 1;) {
      const std::uint32_t largest = items[0];
      items[0] = items[end];
      items[end] = largest;
      sink(0, end);
    }
  }

  template <class Names, class OnDuplicate>
  void report_sorted(const Names& names, const std::uint32_t* items, OnDuplicate&& on_duplicate) {
    for (size_type i = 1; i < sorted_; ++i) {
      if (names.text(items[i - 1]) == names.text(items[i])) on_duplicate(items[i]);
    }
  }

  template <class Names>
  size_type find_sorted(std::string_view text, const Names& names,
                        const std::uint32_t* items) const {
    size_type low = 0;
    for (size_type high = sorted_; low < high;) {
      const size_type middle = low + (high - low) / 2;
      if (names.text(items[middle]).compare(text) < 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low == sorted_ || names.text(items[low]) != text) return no_index;
    return items[low];
  }

  std::size_t base_ = 0;
  std::size_t mask_ = 0;
  size_type sorted_ = 0;  ///< how many are sorted; 0 for a hash table
};

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
