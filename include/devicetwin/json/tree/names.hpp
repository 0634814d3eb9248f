/// Member names of one object: has this name been seen, and where is it? Never quadratic, whatever
/// names an attacker chooses.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <cstring>      // std::memcpy, std::memcmp
#include <string_view>  // std::string_view

#include "../../base/bits.hpp"
#include "../../base/hash.hpp"
#include "../../base/stack.hpp"
#include "../value.hpp"
#include "inside.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

inline constexpr size_type no_index = static_cast<size_type>(-1);

/// Objects up to this many members are searched by looking at each.
inline constexpr size_type small_object = 16;

/// A quick hash of a name of at most 13 bytes, as the words of a value cut to what means something.
inline std::uint64_t hash_words(const value_words& words) noexcept {
  return base::mix(words.low, words.high);
}

/// A quick hash of a name. Nothing depends on it being hard to collide.
inline std::uint64_t hash_name(std::string_view name) noexcept {
  if constexpr (!base::shortcuts) {
    std::uint32_t sum = 0;
    for (const char c : name) sum = (sum ^ static_cast<unsigned char>(c)) * 0x01000193u;
    return base::spread(sum);
  }
  if (is_compact<value> && name.size() <= inside<value>::longest_inline)
    return hash_words(words_of_text(name));
  const char* p = name.data();
  std::size_t left = name.size();
  std::uint64_t hash = left;
  for (; left > 16; p += 16, left -= 16)
    hash = base::mix(hash ^ base::load_8(p), base::load_8(p + 8));
  std::uint64_t first = 0, last = 0;  // what is left; the two may overlap
  if (left >= 8) {
    first = base::load_8(p);
    last = base::load_8(p + left - 8);
  } else if (left >= 4) {
    std::uint32_t low = 0, high = 0;
    std::memcpy(&low, p, 4);
    std::memcpy(&high, p + left - 4, 4);
    first = low | (std::uint64_t{high} << 32);
  } else if (left != 0) {
    first = static_cast<unsigned char>(p[0]) |
            (std::uint64_t{static_cast<unsigned char>(p[left / 2])} << 8) |
            (std::uint64_t{static_cast<unsigned char>(p[left - 1])} << 16);
  }
  return base::mix(hash ^ first, last);
}

/// The same for the name of a member: without going through its characters when they are inline.
template <class Name>
DEVICETWIN_ALWAYS_INLINE std::uint64_t hash_of(const Name& name) noexcept {
  if constexpr (base::shortcuts && is_compact<Name>) {
    const value_words words = words_of(name);
    if ((words.flags() & inside<Name>::inline_flag) != 0) {
      const value_words& mask = masks_of_inline_text.of[words.unused()];
      return hash_words({words.low & mask.low, words.high & mask.high});
    }
  }
  return hash_name(text_of(name));
}

/// The names of a RapidJSON object's members, as name_index wants them.
template <class Value>
struct object_names {
  const member_of<Value>* members;
  const Value& operator[](size_type i) const noexcept { return members[i].name; }
  std::string_view text(size_type i) const noexcept { return text_of(members[i].name); }
  std::uint64_t hash(size_type i) const noexcept { return hash_of(members[i].name); }
};
template <class Value>
object_names<Value> names_of(const Value& object) noexcept {
  return {members_begin(object)};
}

/// Any names as name_index wants them: where size counts, an index is compiled once for all.
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
/// The names of texts, to be handed to an index; valid as long as `names`.
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

/// scan_names() from the member at `begin` on, for a text wherever it is, by its bytes.
template <class Value>
DEVICETWIN_NEVER_INLINE size_type scan_texts(const member_of<Value>* members, size_type begin,
                                             size_type count, std::string_view text) noexcept {
  for (size_type i = begin; i < count; ++i) {
    if constexpr (is_compact<Value>) {
      // A text outside its value starts with the length. An inline one that does so by chance is
      // rare.
      const value_words words = words_of(members[i].name);
      if (text.size() > inside<Value>::longest_inline) {
        if (static_cast<std::uint32_t>(words.low) == text.size() &&
            (words.flags() & inside<Value>::inline_flag) == 0 &&
            base::same_bytes(inside<Value>::outside_text(members[i].name), text.data(),
                             text.size())) {
          return i;
        }
        continue;
      }
    }
    const std::string_view name = text_of(members[i].name);
    if (name.size() == text.size() && base::same_bytes(name.data(), text.data(), text.size()))
      return i;
  }
  return no_index;
}

/// The first member among `count` whose name is that of `wanted`, or no_index, by looking at each.
/// Cheap enough that an object must be searched several times over before an index is worth it:
/// some nanosecond a member.
template <class Value, class Name>
DEVICETWIN_NEVER_INLINE size_type scan_names(const member_of<Value>* members, size_type count,
                                             const Name& wanted) noexcept {
  size_type i = 0;
  if constexpr (is_compact<Value>) {
    const value_words sought = words_of(wanted);
    if ((sought.flags() & inside<Name>::inline_flag) != 0) {
      const value_words& mask = masks_of_inline_text.of[sought.unused()];
      const std::uint64_t low_mask = mask.low, low = sought.low & low_mask;
      const auto length =
          static_cast<std::uint32_t>(inside<Value>::longest_inline - sought.unused());
      for (; i < count; ++i) {
        const value_words words = words_of(members[i].name);
        if ((words.low & low_mask) == low && ((words.high ^ sought.high) & mask.high) == 0)
          return i;
        if (static_cast<std::uint32_t>(words.low) == length)
          break;  // perhaps a short text outside its value
      }
      if (i == count) return no_index;
    }
  }
  return scan_texts<Value>(members, i, count, text_of(wanted));
}

/// The shared memory of indexes that are alive at the same time, the youngest on top.
using index_memory = base::stack<std::uint32_t, 8>;

/// Finds names among `count` by a hash table with a bounded probe; when a probe gets longer than
/// chance allows, the names collide on purpose and are sorted instead. So building costs count in
/// practice and count * log(count) comparisons at worst, and a look-up one or log(count).
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
    constexpr size_type ahead = base::shortcuts ? 8 : 1;
    std::uint64_t hashes[ahead];  // of the next ones, whose slots are on their way into the cache
    for (size_type next = 0; next < ahead && next < count; ++next)
      hashes[next] = hash_ahead(next, names, table);
    for (size_type i = 0; i < count; ++i) {
      const std::uint64_t hash = hashes[i % ahead];
      if (count - i > ahead) hashes[i % ahead] = hash_ahead(i + ahead, names, table);
      const std::uint32_t tag = tag_of(hash);
      std::size_t at = static_cast<std::size_t>(hash) & mask_;
      for (int probe = 0; table[at] != 0; ++probe, at = (at + 1) & mask_) {
        if (probe == longest_probe) {
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

  /// The index of the first member of an object whose name is `wanted`, or no_index.
  template <class Value, class Name>
  size_type find(const Name& wanted, const object_names<Value>& names,
                 const index_memory& memory) const {
    return look_up(hash_of(wanted), text_of(wanted), names, memory,
                   [&](size_type i) { return same_text(names[i], wanted); });
  }
  /// The same for a text.
  template <class Names>
  size_type find_text(std::string_view wanted, const Names& names,
                      const index_memory& memory) const {
    return find_text(hash_name(wanted), wanted, names, memory);
  }
  /// The same with its hash_name().
  template <class Names>
  size_type find_text(std::uint64_t hash, std::string_view wanted, const Names& names,
                      const index_memory& memory) const {
    return look_up(hash, wanted, names, memory,
                   [&](size_type i) { return names.text(i) == wanted; });
  }
  // Who looks for many names asks for these some names ahead, so that not each look-up has to wait
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
  static constexpr int longest_probe = 64;

  template <class Names, class Same>
  size_type look_up(std::uint64_t hash, std::string_view text, const Names& names,
                    const index_memory& memory, Same&& same) const {
    const std::uint32_t* table = memory.data() + base_;
    if (sorted_ != 0) return find_sorted(text, names, table);
    const std::uint32_t tag = tag_of(hash);
    // No name lies further from its place than build() allowed, however long the run of taken
    // slots.
    std::size_t at = static_cast<std::size_t>(hash) & mask_;
    for (int probe = 0; probe <= longest_probe && table[at] != 0; ++probe, at = (at + 1) & mask_) {
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

/// Whether all of many names are different for certain, because their hashes are: `hash(i)` gives
/// sixty-four bits, of which the highest are the best. False when two are the same, when somebody
/// chose them to collide, or when memory ran out. What is done to a name does not depend on those
/// before it, which could not be predicted: one that finds its slot taken waits for another round,
/// with another and smaller table.
template <class Hash>
bool surely_distinct(size_type count, index_memory& memory, Hash&& hash) {
  constexpr int most_rounds = 16;
  std::size_t slots = 8;
  int shift = 61;
  for (; slots < std::size_t{count} + count / 2; slots *= 2) --shift;
  const std::size_t base = memory.size();
  if (!memory.extend(slots + 2 * std::size_t{count})) return false;
  std::uint32_t* const table = memory.data() + base;
  std::uint32_t* const waiting = table + slots;  // hashes, of two words
  memory.truncate(base);
  for (size_type i = 0; i < count; ++i) {
    const std::uint64_t known = hash(i);
    std::memcpy(waiting + 2 * std::size_t{i}, &known, sizeof known);
  }
  size_type left = count;
  std::uint64_t multiplier = 1;
  for (int round = 0; left != 0; ++round, multiplier = multiplier * 0x9E3779B97F4A7C15u) {
    if (round == most_rounds) return false;
    for (; slots > 8 && slots / 2 >= std::size_t{left} + left / 2; slots /= 2) ++shift;
    std::memset(static_cast<void*>(table), 0, slots * sizeof *table);
    bool repeated = false;
    size_type taken = 0;
    for (size_type i = 0; i < left; ++i) {
      const std::uint64_t known = base::load_8(waiting + 2 * std::size_t{i});
      const std::uint32_t wanted =
          static_cast<std::uint32_t>(known >> 20) | 1;  // never that of an empty slot
      std::uint32_t& slot = table[(known * multiplier) >> shift];
      const std::uint32_t there = slot;
      repeated |= there == wanted;
      slot = there == 0 ? wanted : there;
      std::memcpy(waiting + 2 * std::size_t{taken}, &known, sizeof known);
      taken += there != 0;
    }
    if (repeated) return false;
    left = taken;
  }
  return true;
}

/// A hash of a member's name that is not as good as hash_of(), in its highest bits.
template <class Name>
DEVICETWIN_ALWAYS_INLINE std::uint64_t quick_hash(const Name& name) noexcept {
  constexpr std::uint64_t multiplier = 0x9E3779B97F4A7C15u;
  if constexpr (base::shortcuts && is_compact<Name>) {
    value_words words = words_of(name);
    if ((words.flags() & inside<Name>::inline_flag) == 0) {
      const std::string_view text = text_of(name);
      if (text.size() > inside<Name>::longest_inline) {
        return (base::load_8(text.data()) ^ base::load_8(text.data() + text.size() - 8) * 5 ^
                base::load_8(text.data() + text.size() / 2 - 4) * 9) *
               multiplier;
      }
      words = words_of_text(text);
    }
    const value_words& mask = masks_of_inline_text.of[words.unused()];
    return ((words.low & mask.low) ^ (words.high & mask.high) * 5) * multiplier;
  } else {
    return hash_of(name);
  }
}

/// A set of small hashes: says for most names at once that they were not seen before.
class name_filter {
 public:
  /// True when a name of this hash may have been added before; adds it.
  bool add(std::uint64_t hash) noexcept {
    std::uint64_t& word = bits_[hash >> 62];
    const std::uint64_t bit = std::uint64_t{1} << ((hash >> 56) & 63);
    const bool seen = (word & bit) != 0;
    word |= bit;
    return seen;
  }
  /// The same for the name of a member.
  template <class Name>
  bool add_name(const Name& name) noexcept {
    return add(quick_hash(name));
  }

 private:
  std::uint64_t bits_[4] = {};
};

/// Whether the names of an object of at most `most_scanned` members are all different.
inline constexpr size_type most_scanned = 64;
template <class Value>
bool few_distinct(const member_of<Value>* members, size_type count) noexcept {
  std::uint64_t seen[16] = {};
  for (size_type i = 0; i < count; ++i) {
    const std::uint64_t hash = quick_hash(members[i].name);
    std::uint64_t& word = seen[hash >> 60];
    const std::uint64_t bit = std::uint64_t{1} << (hash >> 54 & 63);
    if ((word & bit) != 0 && scan_names<Value>(members, i, members[i].name) != no_index)
      return false;
    word |= bit;
  }
  return true;
}

/// Looks for names in one object, in the way that is cheapest for what has been asked so far.
/// Callers' values may repeat names: of these the first counts. What it allocates lies in the
/// caller's index_memory.
template <class Value>
class name_search {
 public:
  /// The first member of this name, or no_index. Names are looked at one by one until that has cost
  /// as much as an index would. False when memory ran out.
  template <class Name>
  [[nodiscard]] bool find(const Value& object, const Name& wanted, index_memory& memory,
                          size_type& index) {
    const size_type count = inside<Value>::member_count(object);
    constexpr std::size_t rounds =
        3;  // an index costs as much as looking at all names some five times
    if (count > small_object && scanned_ > rounds * count + 256 && !make_index(object, memory))
      return false;
    if (indexed_) {
      index = index_.find(wanted, names_of(object), memory);
      return true;
    }
    index = scan_names<Value>(members_begin(object), count, wanted);
    scanned_ += index == no_index ? count : index;
    return true;
  }

  /// The same, when it is likely to be at `expected` or soon behind.
  template <class Name>
  [[nodiscard]] bool find_near(const Value& object, const Name& wanted, size_type expected,
                               index_memory& memory, size_type& index) {
    constexpr size_type soon = 8;  // with an index
    const size_type count = inside<Value>::member_count(object);
    if (expected >= count) return find(object, wanted, memory, index);
    const size_type ahead = indexed_ && count - expected > soon ? soon : count - expected;
    const size_type found = scan_names<Value>(members_begin(object) + expected, ahead, wanted);
    scanned_ += found == no_index ? ahead : found;
    if (found == no_index) return find(object, wanted, memory, index);
    index = expected + found;
    bool first = true;
    if (!is_first(object, index, memory, first)) return false;
    return first || find(object, wanted, memory, index);
  }

  /// Whether the member at `at` is the first of its name. False when memory ran out.
  [[nodiscard]] bool is_first(const Value& object, size_type at, index_memory& memory,
                              bool& first) {
    first = true;
    if (distinct_ || at == 0 || distinct_up_to(object, at + 1) || shown_distinct(object, memory))
      return true;
    size_type index = at;
    if (!find(object, members_begin(object)[at].name, memory, index)) return false;
    first = index == at;
    return true;
  }

  /// Whether their hashes show that all names are distinct. That is tried once.
  bool show_distinct(const Value& object, index_memory& memory) {
    if (indexed_ || tried_) return distinct_;
    const size_type count = inside<Value>::member_count(object);
    tried_ = true;
    const auto* members = members_begin(object);
    distinct_ = surely_distinct(count, memory, [members](size_type i) noexcept {
      const std::uint64_t hash = quick_hash(members[i].name);
      return hash ^ hash >> 32;
    });
    return distinct_;
  }

  /// Whether all names are known to be distinct; makes an index to find out. False when memory ran
  /// out.
  [[nodiscard]] bool make_index(const Value& object, index_memory& memory) {
    if (indexed_) return true;
    size_type repeated = 0;
    const auto note = [&repeated](size_type) { ++repeated; };
    if (!index_.build(inside<Value>::member_count(object), names_of(object), memory, note))
      return false;
    indexed_ = true;
    distinct_ = repeated == 0;
    return true;
  }
  bool indexed() const noexcept { return indexed_; }
  bool distinct() const noexcept { return distinct_; }
  void assume_distinct() noexcept { distinct_ = true; }

 private:
  /// The same, when an index would be worth it.
  bool shown_distinct(const Value& object, index_memory& memory) {
    const size_type count = inside<Value>::member_count(object);
    return count > small_object && scanned_ > std::size_t{count} + 256 &&
           show_distinct(object, memory);
  }
  /// Whether the first `count` names can be shown to be distinct by a look at each that is new to
  /// this.
  bool distinct_up_to(const Value& object, size_type count) noexcept {
    constexpr size_type few = 64;  // up to here that is cheaper than an index
    if (count > few) return false;
    const auto* members = members_begin(object);
    for (; known_ < count; ++known_) {
      if (filter_.add_name(members[known_].name) &&
          scan_names<Value>(members, known_, members[known_].name) != no_index) {
        return false;
      }
    }
    return true;
  }

  name_filter filter_;
  size_type known_ = 0;  ///< names from the beginning that are known to be distinct
  bool indexed_ = false;
  bool distinct_ = false;
  bool tried_ = false;       ///< whether their hashes show that
  std::size_t scanned_ = 0;  ///< names that were looked at one by one
  name_index index_;
};

/// Tells the first occurrence of each name from later ones while the members of one object are
/// walked in order, for values that callers built: RapidJSON lets an object repeat a name. Keeps
/// its index, if it needs one, in `memory`; the caller truncates that when done.
template <class Value>
class first_names {
 public:
  first_names() noexcept = default;
  explicit first_names(const Value& object) noexcept
      : names_(names_of(object)), count_(object.MemberCount()) {}

  /// True when the member at `i` is the first of its name. False with `failed` set when memory ran
  /// out.
  bool is_first(size_type i, index_memory& memory, bool& failed) noexcept {
    if (count_ > small_object) {
      if (!indexed_) {
        if (!index_.build(count_, names_, memory, [this](size_type) { ++duplicates_; })) {
          failed = true;
          return false;
        }
        indexed_ = true;
      }
      return duplicates_ == 0 || index_.find(names_[i], names_, memory) == i;
    }
    return !filter_.add_name(names_[i]) ||
           scan_names<Value>(names_.members, i, names_[i]) == no_index;
  }

 private:
  object_names<Value> names_{nullptr};
  size_type count_ = 0;
  size_type duplicates_ = 0;
  bool indexed_ = false;
  name_filter filter_;
  name_index index_;
};

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
