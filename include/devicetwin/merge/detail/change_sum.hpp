/// Many changes, added one by one, as one.
#pragma once

#include <cstddef>  // std::size_t
#include <new>      // placement new
#include <utility>  // std::swap

#include "../../base/memory.hpp"
#include "../../json/error.hpp"
#include "../change.hpp"
#include "../options.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

/// Composes changes in the order in which they are added, or in the reverse order. It keeps several
/// changes, each more than twice as large as the next, and composes neighbours of similar size; so
/// adding n changes one by one costs n * log(n), where composing the sum with each of them would
/// cost n * n.
class change_sum {
 public:
  enum class order : unsigned char { after, before };  ///< where a change that is added goes

  explicit change_sum(const memory_source& memory, order where = order::after) noexcept
      : memory_(memory), where_(where) {}
  ~change_sum() { clear(); }
  change_sum(change_sum&& other) noexcept : change_sum(other.memory_, other.where_) { swap(other); }
  change_sum& operator=(change_sum&& other) noexcept {
    change_sum(static_cast<change_sum&&>(other)).swap(*this);
    return *this;
  }
  void swap(change_sum& other) noexcept {
    std::swap(memory_, other.memory_);
    std::swap(top_, other.top_);
    std::swap(where_, other.where_);
  }

  bool empty() const noexcept { return top_ == nullptr; }
  void clear() noexcept {
    while (top_ != nullptr) drop();
  }

  /// Adds a change, which is taken over. Errors: out_of_memory; nothing was added then.
  json::error add(change&& made, const options& o) {
    if (made.keeps()) return {};
    void* const room = memory_.allocate(memory_.context, sizeof(node));
    if (room == nullptr) return json::errc::out_of_memory;
    top_ = new (room) node{static_cast<change&&>(made), top_};
    while (top_->below != nullptr && weight(*top_->below) / 2 <= weight(*top_)) {
      if (join(o)) break;  // without memory for it they stay apart, which is as good
    }
    return {};
  }

  /// Gives all that was added to `out`, as one change. Errors: out_of_memory; `out` is as it was.
  json::error total(change& out, const options& o) const {
    change sum(memory_);
    for (const node* part = top_; part != nullptr; part = part->below) {
      // compose() with a change that keeps everything is a copy.
      if (json::error e = where_ == order::after ? compose(part->value, sum, sum, o)
                                                 : compose(sum, part->value, sum, o))
        return e;
    }
    out.swap(sum);
    return {};
  }
  /// Makes all that was added one change, and returns it. Errors: out_of_memory; nothing was lost.
  json::result<const change*> settle(const options& o) {
    if (top_ == nullptr) return &nothing_;
    while (top_->below != nullptr) {
      if (json::error e = join(o)) return e;
    }
    return &top_->value;
  }

 private:
  struct node {
    change value;
    node* below;
  };
  static std::size_t weight(const node& n) noexcept {
    return change_access::document(const_cast<change&>(n.value)).size_in_bytes();
  }
  /// Composes the uppermost two.
  json::error join(const options& o) {
    change& below = top_->below->value;
    if (json::error e = where_ == order::after ? compose(below, top_->value, below, o)
                                               : compose(top_->value, below, below, o))
      return e;
    drop();
    return {};
  }
  void drop() noexcept {
    node* const gone = top_;
    top_ = gone->below;
    gone->~node();
    memory_.release(memory_.context, gone);
  }

  memory_source memory_;
  node* top_ = nullptr;
  order where_;
  change nothing_;
};

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
