/// Quick proofs that no name is repeated. They may fail where names are distinct, but are never
/// wrong where one is repeated.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <cstring>      // std::memcpy, std::memset
#include <string_view>  // std::string_view

#include "../../base/bits.hpp"
#include "../value.hpp"
#include "find_member.hpp"
#include "inside.hpp"
#include "name_hash.hpp"
#include "name_index.hpp"
#include "tuning.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

/// Whether all of many names are different for certain, because their hashes are: `hash(i)` gives
/// sixty-four bits, of which the highest are the best. False when two are the same, when somebody
/// chose them to collide, or when memory ran out. What is done to a name does not depend on those
/// before it, which could not be predicted: one that finds its slot taken waits for another round,
/// with another and smaller table.
template <class Hash>
bool surely_distinct(size_type count, index_memory& memory, Hash&& hash) {
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
    if (round == tuning::proof_rounds) return false;
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
    return add(quick_name_hash(name));
  }

 private:
  std::uint64_t bits_[4] = {};
};

/// Whether the names of an object of at most `tuning::most_scanned` members are all different.
template <class Value>
bool few_distinct(const member_of<Value>* members, size_type count) noexcept {
  std::uint64_t seen[16] = {};
  for (size_type i = 0; i < count; ++i) {
    const std::uint64_t hash = quick_name_hash(members[i].name);
    std::uint64_t& word = seen[hash >> 60];
    const std::uint64_t bit = std::uint64_t{1} << (hash >> 54 & 63);
    if ((word & bit) != 0 && member_index<Value>(members, i, members[i].name) != no_index)
      return false;
    word |= bit;
  }
  return true;
}

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
