/// What a merge does to the memory of its target, measured before it is done.
#pragma once

#include <cstddef>      // std::size_t
#include <type_traits>  // std::void_t
#include <utility>      // std::declval

#include "../../base/memory.hpp"
#include "../../json/error.hpp"
#include "../../json/tree/builder.hpp"
#include "../../json/tree/events.hpp"
#include "../../json/tree/find_member.hpp"
#include "../../json/tree/inside.hpp"
#include "../../json/tree/scalar.hpp"
#include "../../json/value.hpp"
#include "copies.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

using json::errc;
using json::core::member_of;
using json::core::no_index;

/// How many members an object has room for, where RapidJSON tells (master does, 1.1.0 does not);
/// else no_index.
template <class Value>
auto capacity_of(const Value& object, int) -> decltype(object.MemberCapacity()) {
  return object.MemberCapacity();
}
template <class Value>
size_type capacity_of(const Value&, long) {
  return no_index;
}

/// An upper bound of the bytes that RapidJSON allocates while `added` members are appended: it
/// starts with 16 members and grows by one half, copying.
template <class Value>
std::size_t growth_bytes(const Value& object, size_type added) noexcept {
  constexpr std::size_t member = sizeof(member_of<Value>);
  constexpr std::size_t first = 16;
  const std::size_t count = object.MemberCount();
  const std::size_t wanted = count + added;
  std::size_t capacity = capacity_of(object, 0);
  if (capacity == no_index) {
    if (count == 0) {
      capacity = 0;
    } else if (added == 1) {
      capacity = count;
    } else {
      return 3 * member * (wanted + (wanted + 1) / 2);
    }
  }
  std::size_t bytes = 0;
  while (capacity < wanted) {
    capacity = capacity == 0 ? first : capacity + (capacity + 1) / 2;
    bytes += capacity * member;
  }
  return bytes;
}

template <class Allocator, class = void>
inline constexpr bool can_promise = false;
/// True for an allocator that can be asked for room beforehand; for no other does it matter how
/// much that is.
template <class Allocator>
inline constexpr bool can_promise<
    Allocator, std::void_t<decltype(std::declval<Allocator&>().reserve(std::size_t{}))>> = true;

/// What applying a plan allocates, and by how much an exact copy of the target grows and shrinks.
/// Counted only for targets whose allocator can promise; for others all is 0.
///
/// Functions that return bool return false when memory for a walk over a value ran out.
template <class Target>
class memory_use {
 public:
  /// Bytes to allocate at most.
  std::size_t needed() const noexcept { return added_ + growth_; }
  /// Bytes that an exact copy of the result has more than the target, and less than it.
  std::size_t added() const noexcept { return added_ + slots_; }
  std::size_t freed() const noexcept { return freed_; }

  /// Counts a new text.
  template <class Text>
  void add_text(const Text& text) noexcept {
    add(outside_bytes<Target>(text));
  }
  /// Counts what a new value takes outside of itself.
  void add(std::size_t bytes) noexcept {
    if constexpr (measured) added_ += bytes;
  }
  /// Counts so many new members of an object of the target, besides their names and values.
  void append(const Target& object, size_type members) noexcept {
    if (!measured || members == 0) return;
    growth_ += growth_bytes(object, members);
    slots_ += members * sizeof(member_of<Target>);
  }

  /// Counts a text that goes.
  template <class Text>
  void free_text(const Text& text) noexcept {
    if constexpr (measured) freed_ += outside_bytes<Target>(text);
  }
  /// Counts what a value that goes takes outside of itself.
  bool free_value(const Target& value, const memory_source& memory) {
    if constexpr (!measured) return true;
    if (json::core::is_container(value)) return free_container(value, memory);
    if (value.IsString()) free_text(value);
    return true;
  }
  /// Counts a member that goes.
  bool free_member(const member_of<Target>& member, const memory_source& memory) {
    if constexpr (!measured) return true;
    freed_ += sizeof member;
    free_text(member.name);
    return free_value(member.value, memory);
  }

 private:
  static constexpr bool measured = can_promise<typename Target::AllocatorType>;

  bool free_container(const Target& value, const memory_source& memory) {
    json::core::footprint_counter<Target> bytes;
    json::core::walk_memory<Target> walk(memory);
    const json::error e =
        json::core::emit(value, bytes, json::core::nulls::emit, static_cast<std::size_t>(-1), walk);
    freed_ += bytes.bytes();
    return e.code() != errc::out_of_memory;
  }

  std::size_t added_ = 0;   ///< texts and containers of new values, names of new members
  std::size_t slots_ = 0;   ///< new members themselves
  std::size_t growth_ = 0;  ///< what appending them may allocate
  std::size_t freed_ = 0;
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
