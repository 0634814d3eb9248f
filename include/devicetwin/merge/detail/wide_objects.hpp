/// Finds members by name in objects that change in between: for the wide ones that a JSON Patch
/// visits again and again.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint32_t, std::uintptr_t
#include <new>          // placement new
#include <string_view>  // std::string_view

#include "../../base/memory.hpp"
#include "../../base/stack.hpp"
#include "../../json/tree/inside.hpp"
#include "../../json/tree/tuning.hpp"
#include "../tree/places.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

/// The names of one object in order, as a balanced tree (an AA tree): members can be added, and no
/// names make it slow. Names are compared as bytes.
class name_tree {
 public:
  explicit name_tree(const memory_source& memory) noexcept : nodes_(memory) {}

  /// Finds the entry of a name; a null pointer when there is none. An entry is the index of a
  /// member, whose name is names.text(index).
  template <class Names>
  size_type* find(const Names& names, std::string_view name) noexcept {
    std::uint32_t at = root_;
    while (at != 0) {
      node& n = node_at(at);
      const int order = name.compare(names.text(n.member));
      if (order == 0) return &n.member;
      at = order < 0 ? n.left : n.right;
    }
    return nullptr;
  }
  /// Adds a member, unless one of its name is there; `added` says which. False when memory ran out.
  template <class Names>
  [[nodiscard]] bool add(const Names& names, size_type member, bool& added) {
    const std::string_view name = names.text(member);
    std::uint32_t path[most_levels];
    std::size_t depth = 0;
    added = false;
    for (std::uint32_t at = root_; at != 0;) {
      const node& n = node_at(at);
      const int order = name.compare(names.text(n.member));
      if (order == 0) return true;
      path[depth++] = order < 0 ? at | left_bit : at;
      at = order < 0 ? n.left : n.right;
    }
    if (!nodes_.push({0, 0, member, 1})) return false;
    added = true;
    auto child = static_cast<std::uint32_t>(nodes_.size());
    while (depth != 0) {
      const std::uint32_t step = path[--depth];
      const std::uint32_t parent = step & ~left_bit;
      ((step & left_bit) != 0 ? node_at(parent).left : node_at(parent).right) = child;
      child = split(skew(parent));
    }
    root_ = child;
    return true;
  }
  void clear() noexcept {
    nodes_.truncate(0);
    root_ = 0;
  }

 private:
  static constexpr std::uint32_t left_bit = 0x80000000;
  /// A level of the tree has at most two nodes on a path, and there are fewer than 32 levels.
  static constexpr std::size_t most_levels = 64;

  struct node {
    std::uint32_t left, right;  ///< 0 for none
    size_type member;
    std::uint32_t level;
  };
  node& node_at(std::uint32_t at) noexcept { return nodes_[at - 1]; }
  std::uint32_t level_of(std::uint32_t at) noexcept { return at == 0 ? 0 : node_at(at).level; }

  std::uint32_t skew(std::uint32_t at) noexcept {
    const std::uint32_t left = node_at(at).left;
    if (level_of(left) != node_at(at).level) return at;
    node_at(at).left = node_at(left).right;
    node_at(left).right = at;
    return left;
  }
  std::uint32_t split(std::uint32_t at) noexcept {
    const std::uint32_t right = node_at(at).right;
    if (right == 0 || level_of(node_at(right).right) != node_at(at).level) return at;
    node_at(at).right = node_at(right).left;
    node_at(right).left = at;
    ++node_at(right).level;
    return right;
  }

  base::stack<node, 2> nodes_;
  std::uint32_t root_ = 0;
};

/// What is known of one wide object.
template <class Value>
struct wide_object {
  explicit wide_object(const memory_source& memory) noexcept : names(memory) {}

  Value* object = nullptr;  ///< where it was when it was visited last
  std::size_t looks = 0;    ///< at single members
  size_type gaps = 0;       ///< members that are buried, see tree_edits
  bool indexed = false;     ///< names is in use
  bool repeats = false;     ///< a name is repeated
  name_tree names;
};

/// The wide objects that were visited, found by the block that has their members.
///
/// Cost: constant time for each visit. Memory: one allocation for each wide object.
template <class Value>
class wide_objects {
 public:
  using wide = wide_object<Value>;

  explicit wide_objects(const memory_source& memory) noexcept
      : memory_(memory), all_(memory), table_(memory) {}
  ~wide_objects() {
    for (std::size_t i = 0; i < all_.size(); ++i) {
      all_[i]->~wide_object();
      memory_.release(memory_.context, all_[i]);
    }
  }
  wide_objects(const wide_objects&) = delete;
  wide_objects& operator=(const wide_objects&) = delete;

  static bool is_wide(const Value& object) noexcept {
    return json::core::inside<Value>::member_count(object) > json::core::tuning::most_scanned;
  }

  /// Returns what is known of an object; a null pointer when memory ran out.
  wide* visit(Value& object) {
    const void* const block = members_begin(object);
    std::size_t slot = 0;
    wide* found = look_up(block, slot);
    if (found == nullptr && (found = add(block)) == nullptr) return nullptr;
    found->object = &object;
    return found;
  }
  /// After an object got another block.
  [[nodiscard]] bool moved(wide& object, const void* old_block) {
    std::size_t slot = 0;
    static_cast<void>(look_up(old_block, slot));
    table_[slot].block = nullptr;  // `known` stays: the slot is not free for the probes of others
    return enter(members_begin(*object.object), &object);
  }

 private:
  struct entry {
    const void* block;
    wide* known;  ///< null for a slot that was never used
  };

  std::size_t place_of(const void* block) const noexcept {
    const auto address = reinterpret_cast<std::uintptr_t>(block) / 8;
    return static_cast<std::size_t>(address ^ address >> 7 ^ address >> 15) & (table_.size() - 1);
  }
  wide* look_up(const void* block, std::size_t& slot) const noexcept {
    if (table_.empty()) return nullptr;
    for (slot = place_of(block); table_[slot].known != nullptr;
         slot = (slot + 1) & (table_.size() - 1)) {
      if (table_[slot].block == block) return table_[slot].known;
    }
    return nullptr;
  }
  wide* add(const void* block) {
    if (!all_.reserve(all_.size() + 1)) return nullptr;
    void* const place = memory_.allocate(memory_.context, sizeof(wide));
    if (place == nullptr) return nullptr;
    wide* const made = new (place) wide(memory_);
    static_cast<void>(all_.push(made));
    return enter(block, made) ? made : nullptr;
  }
  bool enter(const void* block, wide* known) {
    if (2 * (used_ + 1) > table_.size() && !rebuild()) return false;
    put({block, known});
    return true;
  }
  void put(const entry& e) noexcept {
    std::size_t slot = place_of(e.block);
    while (table_[slot].known != nullptr) slot = (slot + 1) & (table_.size() - 1);
    table_[slot] = e;
    ++used_;
  }
  /// A larger table, without the slots of blocks that are gone.
  bool rebuild() {
    base::stack<entry, 8> old(memory_);
    if (!old.append(table_.data(), table_.size())) return false;
    std::size_t slots = 8;
    while (slots < 4 * (all_.size() + 1)) slots *= 2;
    if (!table_.reserve(slots)) return false;
    table_.truncate(0);
    static_cast<void>(table_.extend(slots));
    for (std::size_t i = 0; i < slots; ++i) table_[i] = {nullptr, nullptr};
    used_ = 0;
    for (std::size_t i = 0; i < old.size(); ++i) {
      if (old[i].block != nullptr) put(old[i]);
    }
    return true;
  }

  memory_source memory_;
  base::stack<wide*, 8> all_;
  base::stack<entry, 8> table_;
  std::size_t used_ = 0;  ///< slots
};

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
