/// Edits of a tree, one after the other, that can all be taken back: a JSON Patch changes all or
/// nothing.
#pragma once

#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint32_t
#include <cstring>  // std::memcpy, std::memmove
#include <new>      // std::launder

#include "../../base/memory.hpp"
#include "../../base/stack.hpp"
#include "../../json/pointer.hpp"
#include "../../json/tree/builder.hpp"
#include "../../json/tree/inside.hpp"
#include "../../json/value.hpp"
#include "../tree/places.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

/// The way from the root to a place, as the index of a member or element at each level.
using path_indexes = base::stack<size_type, 16>;

/// Whether the journal is told of an edit, and where the new value comes from.
struct edit_kind {
  bool told = true;    ///< false for what is a part of another edit
  bool moved = false;  ///< the value stays in the document: another edit takes it out or puts it in
};

/// A value or name on its way into the tree or out of it. Values may be moved by memcpy, as
/// RapidJSON itself does.
template <class Value>
struct value_bytes {
  alignas(Value) unsigned char bytes[sizeof(Value)];

  Value& value() noexcept { return *std::launder(reinterpret_cast<Value*>(bytes)); }
  const Value& value() const noexcept {
    return *std::launder(reinterpret_cast<const Value*>(bytes));
  }
  /// Takes over the content of a value, which must not be destroyed then.
  void take(const Value& from) noexcept {
    std::memcpy(bytes, static_cast<const void*>(&from), sizeof bytes);
  }
  void put(Value& to) const noexcept { std::memcpy(static_cast<void*>(&to), bytes, sizeof bytes); }
};

/// The edits of one tree, in order. Each function makes one edit, and returns false with nothing
/// changed when memory ran out. Then either commit() ends the edits, or undo_all(), followed by
/// redo_all() or abandon(). Values are addressed by pointers: undoing in reverse order puts every
/// value back where it was when its edit was made.
///
/// Cost: an edit of an array moves the elements behind it, and so does an edit that removes a
/// member; sweep() moves once for many members. Appending takes constant time on average. Memory:
/// some 56 bytes per edit.
template <class Value>
class tree_edits {
 public:
  using allocator_type = typename Value::AllocatorType;
  using member = member_of<Value>;

  tree_edits(Value& root, allocator_type& allocator, const memory_source& memory) noexcept
      : root_(root),
        allocator_(allocator),
        records_(memory),
        dead_(memory),
        steps_(memory),
        locations_(memory) {}
  tree_edits(const tree_edits&) = delete;
  tree_edits& operator=(const tree_edits&) = delete;

  /// The value at `at` becomes `fresh`. `path` leads to it, as indexes from the root on.
  [[nodiscard]] bool replace(Value& at, const Value& fresh, const path_indexes& path,
                             edit_kind kind = {}) {
    record r = made(what::replace, &at, 0, kind);
    r.leaves = false;
    r.value.take(fresh);
    return add(r, path);
  }
  /// The value at `at` was written with an equal one, which only the journal is interested in.
  [[nodiscard]] bool keep(Value& at, const path_indexes& path) {
    return add(made(what::keep, &at, 0, {}), path);
  }
  /// Inserts an element; `path` leads to it.
  [[nodiscard]] bool insert(Value& array, size_type index, const Value& fresh,
                            const path_indexes& path, edit_kind kind = {}) {
    if (parts::element_count(array) == parts::element_capacity(array) && !grow(array, false))
      return false;
    record r = made(what::insert, &array, index, kind);
    r.value.take(fresh);
    return add(r, path);
  }
  [[nodiscard]] bool erase(Value& array, size_type index, const path_indexes& path,
                           edit_kind kind = {}) {
    return add(made(what::erase, &array, index, kind), path);
  }
  /// Appends a member.
  [[nodiscard]] bool append(Value& object, const Value& name, const Value& fresh,
                            const path_indexes& path, edit_kind kind = {}) {
    const size_type count = parts::member_count(object);
    if (count == parts::member_capacity(object) && !grow(object, true)) return false;
    record r = made(what::append, &object, count, kind);
    r.name.take(name);
    r.value.take(fresh);
    return add(r, path);
  }
  /// Takes a member out, keeping the order of the others.
  [[nodiscard]] bool remove(Value& object, size_type index, const path_indexes& path,
                            edit_kind kind = {}) {
    return add(made(what::remove, &object, index, kind), path);
  }
  /// The same in two steps, for many members of one object: bury() leaves a gap, which has the name
  /// still and no value, and sweep() closes all gaps. Between them is_buried() tells which members
  /// are gone.
  [[nodiscard]] bool bury(Value& object, size_type index, const path_indexes& path,
                          edit_kind kind = {}) {
    return add(made(what::bury, &object, index, kind), path);
  }
  [[nodiscard]] bool sweep(Value& object) {
    const auto* const members = parts::members(object);
    record r = made(what::sweep, &object, 0, {false, false});
    r.steps = dead_.size();
    for (size_type i = 0; i < parts::member_count(object); ++i) {
      if (!is_buried(members[i].value)) continue;
      ++r.index;
      if (!dead_.push(i)) {
        dead_.truncate(r.steps);
        return false;
      }
    }
    if (!records_.push(r)) {
      dead_.truncate(r.steps);
      return false;
    }
    run(records_.back());
    return true;
  }
  /// Told by address: no other value refers to this text.
  static bool is_buried(const Value& value) noexcept {
    return (parts::flags(value) & (parts::string_flag | parts::inline_flag)) ==
               parts::string_flag &&
           parts::outside_text(value) == gap_text;
  }

  /// How many edits the journal is told of.
  std::size_t told() const noexcept { return told_; }

  /// The edits stay. What they took out is destroyed.
  void commit() noexcept {
    if (!allocator_type::kNeedFree) return;
    for (std::size_t i = 0; i < records_.size(); ++i) {
      record& r = records_[i];
      const bool taken_out = r.what_ == what::replace || r.what_ == what::erase ||
                             r.what_ == what::remove || r.what_ == what::bury;
      if (taken_out && !r.leaves) r.value.value().~Value();
      if (r.what_ == what::remove || r.what_ == what::bury) r.name.value().~Value();
      if (r.what_ == what::grow) allocator_type::Free(r.block);
    }
  }
  /// Takes all edits back.
  void undo_all() noexcept {
    for (std::size_t i = records_.size(); i != 0; --i) undo(records_[i - 1]);
  }
  /// After undo_all(): what the edits brought is destroyed.
  void abandon() noexcept {
    if (!allocator_type::kNeedFree) return;
    for (std::size_t i = 0; i < records_.size(); ++i) {
      record& r = records_[i];
      const bool brought =
          r.what_ == what::replace || r.what_ == what::insert || r.what_ == what::append;
      if (brought && !r.enters) r.value.value().~Value();
      if (r.what_ == what::append) r.name.value().~Value();
      if (r.what_ == what::grow) allocator_type::Free(r.block);
    }
  }
  /// After undo_all(): makes all edits again and tells the journal of each.
  template <class Journal>
  void redo_all(Journal& journal) {
    for (std::size_t i = 0; i < records_.size(); ++i) redo(records_[i], journal);
  }

  /// Room for the steps of any path in these edits, which redo_all() needs.
  [[nodiscard]] bool reserve_steps() noexcept { return locations_.reserve(deepest_); }

 private:
  using parts = json::core::inside<Value>;
  static constexpr char gap_text[] = "a member that is gone";

  enum class what : unsigned char {
    replace,
    keep,
    insert,
    erase,
    append,
    remove,
    bury,
    sweep,
    grow
  };
  struct record {
    what what_;
    bool told;
    bool enters;        ///< the value was in the tree before
    bool leaves;        ///< the value taken out is put in elsewhere
    bool object;        ///< of grow
    size_type index;    ///< of sweep: how many members go; of grow: the other block's capacity
    Value* at;          ///< the value, or the container
    std::size_t steps;  ///< where the path begins in steps_, or dead_ for sweep
    std::size_t depth;
    void* block;                     ///< of grow: the block that is not in use
    value_bytes<Value> value, name;  ///< what is not in the tree
  };

  static record made(what w, Value* at, size_type index, edit_kind kind) noexcept {
    record r;
    r.what_ = w;
    r.told = kind.told;
    r.enters = kind.moved;
    r.leaves = kind.moved;
    r.object = false;
    r.index = index;
    r.at = at;
    r.steps = r.depth = 0;
    r.block = nullptr;
    return r;
  }

  bool add(const record& r, const path_indexes& path) {
    if (!records_.push(r)) return false;
    record& made = records_.back();
    made.steps = steps_.size();
    made.depth = path.size();
    if (!steps_.append(path.data(), path.size())) {
      records_.pop();
      return false;
    }
    if (path.size() > deepest_) deepest_ = path.size();
    if (made.told) ++told_;
    run(made);
    return true;
  }

  /// Gives a full container a larger block, as an edit of its own.
  bool grow(Value& container, bool object) {
    const size_type capacity =
        object ? parts::member_capacity(container) : parts::element_capacity(container);
    const std::size_t wanted = std::size_t{capacity} + capacity / 2 + 4;
    if (wanted > static_cast<size_type>(-1)) return false;
    record r = made(what::grow, &container, static_cast<size_type>(wanted), {false, false});
    r.object = object;
    if (!records_.reserve(records_.size() + 1)) return false;
    r.block = allocator_.Malloc(wanted * (object ? sizeof(member) : sizeof(Value)));
    if (r.block == nullptr) return false;
    static_cast<void>(records_.push(r));
    run(records_.back());
    return true;
  }

  /// Exchanges the block of a container for the one that the record has.
  void change_block(record& r) noexcept {
    void* const other = r.block;
    const size_type capacity = r.index;
    if (r.object) {
      r.block = parts::members(*r.at);
      r.index = parts::member_capacity(*r.at);
      parts::set_members(*r.at, static_cast<member*>(other), capacity);
    } else {
      r.block = parts::elements(*r.at);
      r.index = parts::element_capacity(*r.at);
      parts::set_elements(*r.at, static_cast<Value*>(other), capacity);
    }
  }

  static void move(void* to, const void* from, std::size_t bytes) noexcept {
    if (bytes != 0) std::memmove(to, from, bytes);
  }
  void put_element(record& r) noexcept {
    Value* const elements = parts::elements(*r.at);
    const size_type count = parts::element_count(*r.at);
    move(elements + r.index + 1, elements + r.index, (count - r.index) * sizeof(Value));
    r.value.put(elements[r.index]);
    parts::set_element_count(*r.at, count + 1);
  }
  void take_element(record& r) noexcept {
    Value* const elements = parts::elements(*r.at);
    const size_type count = parts::element_count(*r.at);
    r.value.take(elements[r.index]);
    move(elements + r.index, elements + r.index + 1, (count - r.index - 1) * sizeof(Value));
    parts::set_element_count(*r.at, count - 1);
  }
  void put_member(record& r) noexcept {
    member* const members = parts::members(*r.at);
    const size_type count = parts::member_count(*r.at);
    move(members + r.index + 1, members + r.index, (count - r.index) * sizeof(member));
    r.name.put(members[r.index].name);
    r.value.put(members[r.index].value);
    parts::set_member_count(*r.at, count + 1);
  }
  void take_member(record& r) noexcept {
    member* const members = parts::members(*r.at);
    const size_type count = parts::member_count(*r.at);
    r.name.take(members[r.index].name);
    r.value.take(members[r.index].value);
    move(members + r.index, members + r.index + 1, (count - r.index - 1) * sizeof(member));
    parts::set_member_count(*r.at, count - 1);
  }
  void exchange(record& r) noexcept {
    value_bytes<Value> other;
    other.take(*r.at);
    r.value.put(*r.at);
    r.value = other;
  }

  /// Makes an edit, for the first time or again.
  void run(record& r) noexcept {
    switch (r.what_) {
      case what::replace:
        return exchange(r);
      case what::keep:
        return;
      case what::insert:
        return put_element(r);
      case what::erase:
        return take_element(r);
      case what::append:
        return put_member(r);
      case what::remove:
        return take_member(r);
      case what::bury: {
        member& gap = parts::members(*r.at)[r.index];
        r.name.take(gap.name);
        r.value.take(gap.value);
        parts::make_text(&gap.value, gap_text, 0);
        return;
      }
      case what::sweep:
        return close_gaps(r);
      case what::grow: {
        const void* const from = r.object ? static_cast<const void*>(parts::members(*r.at))
                                          : static_cast<const void*>(parts::elements(*r.at));
        const std::size_t bytes = r.object ? parts::member_count(*r.at) * sizeof(member)
                                           : parts::element_count(*r.at) * sizeof(Value);
        if (bytes != 0) std::memcpy(r.block, from, bytes);
        return change_block(r);
      }
    }
  }
  void undo(record& r) noexcept {
    switch (r.what_) {
      case what::replace:
        return exchange(r);
      case what::keep:
        return;
      case what::insert:
        return take_element(r);
      case what::erase:
        return put_element(r);
      case what::append:
        return take_member(r);
      case what::remove:
        return put_member(r);
      case what::bury: {
        member& gap = parts::members(*r.at)[r.index];
        r.name.put(gap.name);
        return r.value.put(gap.value);
      }
      case what::sweep:
        return open_gaps(r);
      case what::grow:
        return change_block(r);
    }
  }

  void close_gaps(const record& r) noexcept {
    member* const members = parts::members(*r.at);
    const size_type count = parts::member_count(*r.at);
    for (size_type gap = 0; gap < r.index; ++gap) {
      const size_type from = dead_[r.steps + gap] + 1;
      const size_type to = gap + 1 < r.index ? dead_[r.steps + gap + 1] : count;
      move(members + from - gap - 1, members + from, (to - from) * sizeof(member));
    }
    parts::set_member_count(*r.at, count - r.index);
  }
  /// The names of the members in the gaps are in the records of their edits, and come back from
  /// there: what is undone next are those edits.
  void open_gaps(const record& r) noexcept {
    member* const members = parts::members(*r.at);
    const size_type count = parts::member_count(*r.at) + r.index;
    for (size_type gap = r.index; gap-- != 0;) {
      const size_type from = dead_[r.steps + gap] + 1;
      const size_type to = gap + 1 < r.index ? dead_[r.steps + gap + 1] : count;
      move(members + from, members + from - gap - 1, (to - from) * sizeof(member));
    }
    parts::set_member_count(*r.at, count);
  }

  template <class Journal>
  void redo(record& r, Journal& journal) {
    const auto tell = [&](const Value* old_value, const Value* new_value) {
      if (r.told) journal(json::location(locations_.data(), r.depth), old_value, new_value);
    };
    const bool leaves = r.what_ != what::insert && r.what_ != what::append;
    if (r.told && leaves) locate(r);
    run(r);
    if (r.told && !leaves) locate(r);
    switch (r.what_) {
      case what::replace:
        return tell(&r.value.value(), r.at);
      case what::keep:
        return tell(r.at, r.at);
      case what::insert:
        return tell(nullptr, parts::elements(*r.at) + r.index);
      case what::append:
        return tell(nullptr, &parts::members(*r.at)[r.index].value);
      case what::remove:
      case what::bury:
        // The name is the record's now; a short one is inside of its value.
        if (r.told) locations_.back() = json::step::member(text_of(r.name.value()));
        return tell(&r.value.value(), nullptr);
      case what::erase:
        return tell(&r.value.value(), nullptr);
      case what::sweep:
      case what::grow:
        return;
    }
  }
  /// Makes the steps to the place of an edit.
  void locate(const record& r) noexcept {
    const Value* at = &root_;
    locations_.truncate(0);
    for (std::size_t i = 0; i < r.depth; ++i) {
      const size_type index = steps_[r.steps + i];
      if (at->IsObject()) {
        const member& m = parts::members(*at)[index];
        static_cast<void>(locations_.push(json::step::member(text_of(m.name))));
        at = &m.value;
      } else {
        static_cast<void>(locations_.push(json::step::element(index)));
        at = parts::elements(*at) + index;
      }
    }
  }

  Value& root_;
  allocator_type& allocator_;
  base::stack<record, 4> records_;
  base::stack<size_type, 4> dead_;    ///< the members that went, for sweep
  base::stack<size_type, 16> steps_;  ///< the paths of the edits
  base::stack<json::step, 8> locations_;
  std::size_t told_ = 0;
  std::size_t deepest_ = 0;
};

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
