/// How values and names of a patch are copied into the target: decided while a merge is planned,
/// allocated before the first write, taken while writing.
#pragma once

#include <cstddef>      // std::size_t
#include <cstring>      // std::memcpy
#include <new>          // placement new, std::launder
#include <string_view>  // std::string_view

#include "../../base/bits.hpp"
#include "../../base/inline.hpp"
#include "../../base/memory.hpp"
#include "../../base/stack.hpp"
#include "../../json/tree/builder.hpp"
#include "../../json/tree/events.hpp"
#include "../../json/tree/inside.hpp"
#include "../../json/tree/scalar.hpp"
#include "../../json/value.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

using json::size_type;
using json::core::text_of;

/// The ways to copy a value of the patch, or the name of a new member. Without the ways `text` and
/// `row` a merge takes up to 2.4 times the instructions; docs/tried.md has the figures.
enum class copy_way : unsigned char {
  plain,  ///< the bytes of the value are all there is to copy
  text,   ///< a text outside its value: copied into a block while the target is written
  row,    ///< an array of plain values, none of them NaN or infinite: copied in the same way
  made    ///< made before the target is written, and moved in then
};

/// Returns whether the bytes of a value are all there is to copy: a number, true, false, null, or a
/// text inside its value.
template <class Value>
bool is_plain(const Value& v) noexcept {
  using parts = json::core::inside<Value>;
  const unsigned flags = parts::flags(v);
  return (flags & parts::string_flag) != 0 ? (flags & parts::inline_flag) != 0
                                           : !json::core::is_container(v);
}

/// Returns whether a value is an array that can be copied as copy_way::row.
template <class Value>
bool is_row(const Value& v) noexcept {
  using parts = json::core::inside<Value>;
  if ((parts::flags(v) & parts::type_mask) != parts::array_type) return false;
  const size_type count = parts::element_count(v);
  const Value* const elements = parts::elements(v);
  for (size_type i = 0; i < count; ++i) {
    if (!is_plain(elements[i]) || json::core::is_not_finite(elements[i])) return false;
  }
  return count != 0;
}

/// Returns how a value is copied. Texts and rows wait until the target is written. What they are
/// copied from may be strings of the target, which stay until then; it cannot be texts inside the
/// target's values, which are short. All blocks are allocated as one, so texts and rows are for
/// allocators that free nothing one by one.
template <class Target, class Value>
copy_way way_of(const Value& v) noexcept {
  using parts = json::core::inside<Value>;
  if (is_plain(v)) return copy_way::plain;
  if (Target::AllocatorType::kNeedFree) return copy_way::made;
  if ((parts::flags(v) & parts::string_flag) == 0)
    return is_row(v) ? copy_way::row : copy_way::made;
  return text_of(v).size() > parts::longest_inline ? copy_way::text : copy_way::made;
}

/// Returns the bytes that the copy of a text takes outside its value.
template <class Target, class Text>
std::size_t outside_bytes(const Text& text) noexcept {
  return json::core::string_bytes<Target>(text_of(text).size());
}

/// Returns the bytes that the copy of a row takes outside its value.
template <class Target, class Value>
std::size_t row_bytes(const Value& row) noexcept {
  return json::core::inside<Value>::element_count(row) * sizeof(Target);
}

/// Makes a copy of a text or a row, in memory that holds no value; what lies outside the value is
/// put in `block`. Returns the end of what was put there.
template <class Target, class Value>
DEVICETWIN_ALWAYS_INLINE char* copy_to_block(void* to, const Value& from, copy_way way,
                                             char* block) noexcept {
  using parts = json::core::inside<Value>;
  if (way == copy_way::text) {
    const std::string_view text = text_of(from);
    base::copy_bytes(block, text.data(), text.size());
    block[text.size()] = '\0';
    json::core::inside<Target>::make_text(to, block, static_cast<size_type>(text.size()));
    return block + json::core::string_bytes<Target>(text.size());
  }
  const size_type count = parts::element_count(from);
  std::memcpy(block, static_cast<const void*>(parts::elements(from)), count * sizeof(Target));
  json::core::inside<Target>::make_array(to, reinterpret_cast<Target*>(block), count);
  return block + count * sizeof(Target);
}

/// Copies a plain value. Values of two types differ in their allocator only.
template <class Target, class Patch>
void copy_plain_value(Target& to, const Patch& from) noexcept {
  static_assert(sizeof to == sizeof from, "values differ by their allocator only");
  std::memcpy(static_cast<void*>(&to), static_cast<const void*>(&from), sizeof to);
}

/// Copies any value into the target's memory. False when memory ran out; this holds for the two
/// functions below, too.
template <class Target, class Patch, class Allocator>
bool copy_value(Target& to, const Patch& from, Allocator& allocator, json::core::nulls rule,
                const memory_source& memory) {
  json::core::tree_builder<Allocator> builder(allocator, memory);
  json::core::walk_memory<Patch> walk(memory);
  return !builder.build(to, [&](auto& handler) {
    return json::core::emit(from, handler, rule, static_cast<std::size_t>(-1), walk);
  });
}

/// Copies a text that is not plain, or is that of another kind of value.
template <class Target, class Text, class Allocator>
bool copy_text(Target& to, const Text& from, Allocator& allocator) {
  const std::string_view text = text_of(from);
  using parts = json::core::inside<Target>;
  if (text.size() <= parts::longest_inline) {
    parts::make_short_text(&to, text.data(), static_cast<size_type>(text.size()));
    return true;
  }
  char* copy = static_cast<char*>(allocator.Malloc(text.size() + 1));
  if (copy == nullptr) return false;
  base::copy_bytes(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  parts::make_text(&to, copy, static_cast<size_type>(text.size()));
  return true;
}

/// Copies a value that is not plain.
template <class Target, class Patch, class Allocator>
bool copy_new(Target& to, const Patch& from, Allocator& allocator, json::core::nulls rule,
              const memory_source& memory) {
  return from.IsString() ? copy_text(to, from, allocator)
                         : copy_value(to, from, allocator, rule, memory);
}

/// The copies that a plan needs: how many are made, and how large the block for the others is.
template <class Target>
class planned_copies {
 public:
  /// Decides how a value or name is copied for the entry at `entry`, and counts it. To be called in
  /// the order of the entries; for the name of a new member before its value.
  template <class Source>
  copy_way add(const Source& from, std::size_t entry) noexcept {
    const copy_way way = way_of<Target>(from);
    if (way == copy_way::made) return add_made(entry);
    if (way == copy_way::text) block_bytes_ += outside_bytes<Target>(from);
    if (way == copy_way::row) block_bytes_ += row_bytes<Target>(from);
    return way;
  }
  /// add() for a text outside its value.
  template <class Source>
  DEVICETWIN_ALWAYS_INLINE copy_way add_text(const Source& from, std::size_t entry) noexcept {
    const std::size_t bytes = outside_bytes<Target>(from);
    if (Target::AllocatorType::kNeedFree || bytes == 0) return add_made(entry);
    block_bytes_ += bytes;
    return copy_way::text;
  }

  std::size_t made() const noexcept { return made_; }
  /// The first entry with a copy that is made, if there is one.
  std::size_t first_made() const noexcept { return first_made_; }
  std::size_t block_bytes() const noexcept { return block_bytes_; }

 private:
  copy_way add_made(std::size_t entry) noexcept {
    if (made_++ == 0) first_made_ = entry;
    return copy_way::made;
  }

  std::size_t made_ = 0;
  std::size_t first_made_ = 0;
  std::size_t block_bytes_ = 0;
};

/// Values and names made before the target is written, so that writing only moves them in. What was
/// not moved is destroyed.
template <class Value>
class made_values {
 public:
  explicit made_values(const memory_source& memory) noexcept : slots_(memory) {}
  ~made_values() {
    for (std::size_t i = 0; Value::AllocatorType::kNeedFree && i < slots_.size(); ++i)
      (*this)[i].~Value();
  }
  made_values(const made_values&) = delete;
  made_values& operator=(const made_values&) = delete;

  /// Adds a null; returns a null pointer when memory ran out.
  Value* add() noexcept {
    if (!slots_.extend(1)) return nullptr;
    return new (static_cast<void*>(&slots_.back())) Value();
  }
  Value& operator[](std::size_t i) noexcept {
    return *std::launder(reinterpret_cast<Value*>(&slots_[i]));
  }
  std::size_t size() const noexcept { return slots_.size(); }

 private:
  struct slot {  // values may be moved by memcpy, as RapidJSON itself does
    alignas(Value) unsigned char bytes[sizeof(Value)];
  };
  base::stack<slot, 8> slots_;
};

/// The copies of a plan, allocated before the target is written. Taking them cannot fail.
template <class Target>
class prepared_copies {
 public:
  explicit prepared_copies(const memory_source& memory) noexcept : made_(memory), memory_(memory) {}

  /// Makes a copy. False when memory ran out.
  template <class Source, class Allocator>
  bool make(const Source& from, Allocator& allocator, json::core::nulls rule) {
    Target* const to = made_.add();
    return to != nullptr && copy_new(*to, from, allocator, rule, memory_);
  }
  std::size_t made() const noexcept { return made_.size(); }
  /// Allocates the block for texts and rows. False when memory ran out.
  template <class Allocator>
  bool make_block(std::size_t bytes, Allocator& allocator) {
    if (bytes != 0) block_ = static_cast<char*>(allocator.Malloc(bytes));
    return bytes == 0 || block_ != nullptr;
  }

  /// Moves the next copy to `to`, which is null or a value that needs no destruction. To be called
  /// in the order of the plan.
  template <class Source>
  DEVICETWIN_ALWAYS_INLINE void take(Target& to, const Source& from, copy_way way) noexcept {
    if (way == copy_way::plain) {
      copy_plain_value(to, from);
    } else if (way == copy_way::made) {
      to.Swap(made_[next_made_++]);
    } else {
      block_ = copy_to_block<Target>(&to, from, way, block_);
    }
  }

 private:
  made_values<Target> made_;
  std::size_t next_made_ = 0;
  char* block_ = nullptr;  ///< where the next text or row goes
  memory_source memory_;
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
