/// Walking the objects inside an object, and looking names up in another object beside it, without
/// recursion.
#pragma once

#include <cstddef>      // std::size_t
#include <type_traits>  // std::remove_reference_t
#include <utility>      // std::declval

#include "../../base/stack.hpp"
#include "../pointer.hpp"
#include "../value.hpp"
#include "inside.hpp"
#include "member_lookup.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

/// An object that a walk is in, and what the walk notes about it.
template <class Value, class Note>
struct open_object {
  Value* container;
  size_type next;  ///< index of the member to visit
  size_type end;   ///< behind the last one to visit
  Note note;
};

/// Open objects in an array of their own, for walks over trees whose depth has a limit: the walk
/// needs no memory.
template <std::size_t Most>
struct at_most {
  template <class T>
  class levels {
   public:
    /// False when so many are open.
    [[nodiscard]] bool push(const T& level) noexcept {
      if (size_ == Most) return false;
      all_[size_++] = level;
      return true;
    }
    void pop() noexcept { --size_; }
    void truncate(std::size_t size) noexcept { size_ = size; }
    T& back() noexcept { return all_[size_ - 1]; }
    T& operator[](std::size_t index) noexcept { return all_[index]; }
    const T& operator[](std::size_t index) const noexcept { return all_[index]; }
    std::size_t size() const noexcept { return size_; }
    bool empty() const noexcept { return size_ == 0; }

   private:
    T all_[Most];
    std::size_t size_ = 0;
  };
};
/// Open objects in a memory_source's memory, room for `Usual` of them aside.
template <std::size_t Usual = 8>
struct in_memory {
  template <class T>
  using levels = base::stack<T, Usual>;
};

/// For a walk that notes nothing.
struct no_note {};

/// Calls `put(char)` for every character of the JSON Pointer to the member or element that a walk
/// is at. `levels` are the open objects and arrays, the outermost first.
template <class Levels, class Put>
void render_levels(const Levels& levels, Put&& put) {
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const auto& level = levels[i];
    if (level.next == 0) return;
    const size_type at = level.next - 1;
    if (level.container->IsObject()) {
      render_step(step::member(text_of(members_begin(*level.container)[at].name)), put);
    } else {
      render_step(step::element(at), put);
    }
  }
}

/// A walk over the members of an object, and of those objects inside it that the caller enters, in
/// order. The caller decides what happens at each member:
///
///     for (bool good = walk.enter(root, note); good && !walk.done();) {
///       const auto* member = walk.next();
///       if (member == nullptr) {
///         walk.leave();  // all members of the innermost object were visited
///       } else if (member->value.IsObject()) {
///         good = walk.enter(member->value, note);
///       }
///     }
///
/// `Value` is const for a tree that is only read. `Levels` says where the open objects are kept:
/// at_most or in_memory.
template <class Value, class Note = no_note, class Levels = in_memory<>>
class object_walk {
  using open = open_object<Value, Note>;

 public:
  using member = std::remove_reference_t<decltype(*members_begin(std::declval<Value&>()))>;

  /// Arguments: the memory_source for in_memory, nothing for at_most.
  template <class... Memory>
  explicit object_walk(const Memory&... memory) noexcept : levels_(memory...) {}

  /// Opens `object`. False, with nothing changed, when memory ran out or at_most objects are open.
  [[nodiscard]] bool enter(Value& object, const Note& note = {}) noexcept {
    return levels_.push({&object, 0, object.MemberCount(), note});
  }
  /// The next member of the innermost object; a null pointer behind the last one.
  member* next() noexcept {
    open& top = levels_.back();
    return top.next == top.end ? nullptr : members_begin(*top.container) + top.next++;
  }
  /// Visits only the members from `next` on, `end` excluded, of the innermost object.
  void visit_only(size_type next, size_type end) noexcept {
    levels_.back().next = next;
    levels_.back().end = end;
  }
  void leave() noexcept { levels_.pop(); }
  void restart() noexcept { levels_.truncate(0); }

  /// True before enter() and after the outermost object was left.
  bool done() const noexcept { return levels_.empty(); }
  /// How many objects are open.
  std::size_t depth() const noexcept { return levels_.size(); }
  Value& object() noexcept { return *levels_.back().container; }
  Note& note() noexcept { return levels_.back().note; }
  /// The note of the object at a level, 0 being the outermost.
  Note& note(std::size_t level) noexcept { return levels_[level].note; }
  /// The index of the member that next() returned last, in the innermost object or in the one at a
  /// level, 0 being the outermost.
  size_type index() noexcept { return levels_.back().next - 1; }
  size_type index(std::size_t level) const noexcept { return levels_[level].next - 1; }

  /// The place of the member that next() returned last, for an error.
  template <class Put>
  void render(Put&& put) const {
    render_levels(levels_, put);
  }

 private:
  typename Levels::template levels<open> levels_;
};

/// An object, or none, beside the object that a walk is in: names of the one are looked up in the
/// other. No name in it may be repeated.
template <class Value>
class object_beside {
 public:
  object_beside() noexcept = default;
  /// `object` may be a null pointer or no object; then nothing is found. `memory` is for indexes of
  /// this object and those inside it.
  object_beside(const Value* object, const index_memory& memory) noexcept
      : object_(object != nullptr && object->IsObject() ? object : nullptr),
        base_(memory.size()),
        lookup_(lookup_in(object_)) {}

  /// The object; a null pointer for none.
  const Value* get() const noexcept { return object_; }
  /// Sets `found` to the value of the member of this name, or to a null pointer. False when memory
  /// ran out.
  template <class Name>
  [[nodiscard]] bool find(const Name& name, index_memory& memory, const Value*& found) {
    found = nullptr;
    if (object_ == nullptr) return true;
    size_type index = no_index;
    if (!lookup_.find_next(name, memory, index)) return false;
    if (index != no_index) found = &members_begin(*object_)[index].value;
    return true;
  }
  /// Gives back what this object and those inside it took. It is not asked any more.
  void close(index_memory& memory) const noexcept { memory.truncate(base_); }

 private:
  const Value* object_ = nullptr;
  std::size_t base_ = 0;
  member_lookup<Value> lookup_;
};

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
