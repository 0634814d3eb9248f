/// What stores and sessions keep for each twin, found by its id.
#pragma once

#include <cstddef>      // std::size_t
#include <cstring>      // std::memcpy
#include <new>          // placement new
#include <string_view>  // std::string_view
#include <utility>      // std::swap, std::forward

#include "../../base/memory.hpp"
#include "../../base/plain_array.hpp"
#include "../identity.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// Makes a Node, whose first member is its id, with the text of the id behind it. A null pointer
/// when memory ran out.
template <class Node, class... Rest>
Node* make_node(const memory_source& memory, const twin_id& id, Rest&&... rest) {
  void* room = memory.allocate(memory.context, sizeof(Node) + id.device.size() + id.module.size());
  if (room == nullptr) return nullptr;
  char* text = static_cast<char*>(room) + sizeof(Node);
  if (!id.device.empty()) std::memcpy(text, id.device.data(), id.device.size());
  if (!id.module.empty()) std::memcpy(text + id.device.size(), id.module.data(), id.module.size());
  const twin_id own{{text, id.device.size()}, {text + id.device.size(), id.module.size()}};
  return new (room) Node{own, std::forward<Rest>(rest)...};
}
template <class Node>
void drop_node(const memory_source& memory, Node* node) noexcept {
  node->~Node();
  memory.release(memory.context, node);
}

/// Nodes in the order of their ids, in pieces of a bounded size: ids are chosen by others, and no
/// choice of theirs makes this slow, as it could with a hash. Owns the nodes. Cost: finding is two
/// binary searches; inserting and erasing move at most one piece, and now and then the pieces'
/// list, a pointer for 64 nodes and more.
template <class Node>
class id_table {
 public:
  explicit id_table(const memory_source& memory = {}) noexcept : pieces_(memory) {}
  id_table(const id_table&) = delete;
  id_table& operator=(const id_table&) = delete;
  ~id_table() {
    for (std::size_t p = 0; p < pieces_.size(); ++p) {
      for (std::size_t i = 0; i < pieces_[p]->size; ++i) drop_node(memory(), pieces_[p]->nodes[i]);
      memory().release(memory().context, pieces_[p]);
    }
  }
  const memory_source& memory() const noexcept { return pieces_.memory(); }
  std::size_t size() const noexcept { return size_; }

  Node* find(const twin_id& id) const noexcept {
    const place at = locate(id);
    return at.found ? pieces_[at.piece]->nodes[at.index] : nullptr;
  }
  /// Takes a node over whose id is not there yet. False when memory ran out; then it is still the
  /// caller's.
  [[nodiscard]] bool insert(Node* node) noexcept {
    place at = locate(node->id);
    if (pieces_.empty() || pieces_[at.piece]->size == piece::capacity) {
      if (!pieces_.reserve(1)) return false;
      void* room = memory().allocate(memory().context, sizeof(piece));
      if (room == nullptr) return false;
      auto* added = new (room) piece;
      const std::size_t where = pieces_.empty() ? 0 : at.piece + 1;
      pieces_.extend(1);
      for (std::size_t p = pieces_.size() - 1; p > where; --p) pieces_[p] = pieces_[p - 1];
      pieces_[where] = added;
      if (where != 0) {  // the upper half of the full one moves over
        piece& full = *pieces_[at.piece];
        constexpr std::size_t half = piece::capacity / 2;
        std::memcpy(added->nodes, full.nodes + half, half * sizeof(Node*));
        added->size = full.size = half;
        if (at.index > half) at = {where, at.index - half, false};
      }
    }
    piece& into = *pieces_[at.piece];
    std::memmove(into.nodes + at.index + 1, into.nodes + at.index,
                 (into.size - at.index) * sizeof(Node*));
    into.nodes[at.index] = node;
    ++into.size;
    ++size_;
    return true;
  }
  /// Takes the node of this id out and drops it. False when there is none.
  bool erase(const twin_id& id) noexcept {
    const place at = locate(id);
    if (!at.found) return false;
    piece& from = *pieces_[at.piece];
    drop_node(memory(), from.nodes[at.index]);
    --from.size;
    --size_;
    std::memmove(from.nodes + at.index, from.nodes + at.index + 1,
                 (from.size - at.index) * sizeof(Node*));
    if (from.size == 0) {
      memory().release(memory().context, &from);
      pieces_.erase(at.piece, 1);
    }
    return true;
  }
  /// Shows each node to `visit`, in order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (std::size_t p = 0; p < pieces_.size(); ++p) {
      for (std::size_t i = 0; i < pieces_[p]->size; ++i) visit(*pieces_[p]->nodes[i]);
    }
  }

 private:
  struct piece {
    static constexpr std::size_t capacity = 128;
    std::size_t size = 0;
    Node* nodes[capacity];
  };
  struct place {
    std::size_t piece, index;
    bool found;
  };
  /// Where a node of this id is, or belongs.
  place locate(const twin_id& id) const noexcept {
    if (pieces_.empty()) return {0, 0, false};
    std::size_t first = 0,
                last = pieces_.size();  // the piece whose first node is not behind the id
    while (last - first > 1) {
      const std::size_t middle = first + (last - first) / 2;
      (compare(pieces_[middle]->nodes[0]->id, id) <= 0 ? first : last) = middle;
    }
    const piece& in = *pieces_[first];
    std::size_t low = 0, high = in.size;
    while (low != high) {
      const std::size_t middle = low + (high - low) / 2;
      const int order = compare(in.nodes[middle]->id, id);
      if (order == 0) return {first, middle, true};
      if (order < 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return {first, low, false};
  }

  base::plain_array<piece*> pieces_;
  std::size_t size_ = 0;
};

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
