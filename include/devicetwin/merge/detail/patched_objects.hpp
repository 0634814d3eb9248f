/// Members of objects that a JSON Patch adds and removes, found by name.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../json/tree/find_member.hpp"
#include "../../json/tree/inside.hpp"
#include "../../json/tree/name_index.hpp"
#include "../../json/tree/tuning.hpp"
#include "../tree/places.hpp"
#include "json_patch_operation.hpp"
#include "tree_edits.hpp"
#include "wide_objects.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

/// Finds, appends and removes members, as edits. Members that go from a wide object with an index
/// are buried, so that the index stays right, and the gaps are closed later, many at once.
///
/// `pointer` is the place of the object, and must stay: it is that of an operation of the patch.
/// All functions return false when memory ran out.
template <class Value>
class patched_objects {
 public:
  patched_objects(tree_edits<Value>& edits, const memory_source& memory) noexcept
      : edits_(edits), wide_(memory) {}

  /// Sets `index` to that of the first member of this name that is not buried, or to no_index.
  bool find(Value& object, std::string_view name, size_type& index) {
    const member* const members = parts::members(object);
    const size_type count = parts::member_count(object);
    if (!wide_objects<Value>::is_wide(object)) {
      index = json::core::member_index<Value>(members, count, name);
      return true;
    }
    wide* const known = wide_.visit(object);
    if (known == nullptr) return false;
    if (!known->indexed) {
      index = json::core::member_index<Value>(members, count, name);
      known->looks += index == no_index ? count : index;
      return known->looks <= json::core::tuning::looks_per_member * std::size_t{count} ||
             make_index(*known, members, count);
    }
    const size_type* const found = known->names.find(names_of(members), name);
    index = found == nullptr || edits_.is_buried(members[*found].value) ? no_index : *found;
    return true;
  }
  /// Appends a member; `path` leads to it. The member may be there though exhausted() is true then.
  [[nodiscard]] bool append(Value& object, std::string_view pointer, const Value& name,
                            const Value& fresh, const path_indexes& path, edit_kind kind) {
    if (!sweep_below(pointer)) return false;
    const void* const block = parts::members(object);
    const size_type index = parts::member_count(object);
    wide* const known = wide_objects<Value>::is_wide(object) ? wide_.visit(object) : nullptr;
    if (known == nullptr && wide_objects<Value>::is_wide(object)) return false;
    if (!edits_.append(object, name, fresh, path, kind)) return false;
    if (known == nullptr) return true;
    const member* const members = parts::members(object);
    if (members != block && !wide_.moved(*known, block)) exhausted_ = true;
    if (!known->indexed || exhausted_) return true;
    if (size_type* const buried = known->names.find(names_of(members), text_of(name))) {
      *buried = index;
      return true;
    }
    bool added = false;
    exhausted_ = !known->names.add(names_of(members), index, added);
    return true;
  }
  /// Whether memory ran out after a member was appended.
  bool exhausted() const noexcept { return exhausted_; }
  /// Removes the member at `index`, to which `path` leads, and those that repeat its name. Calls
  /// count(member, repeats) before each, which returns false when memory ran out.
  template <class Count>
  [[nodiscard]] bool remove(Value& object, std::string_view pointer, size_type index,
                            path_indexes& path, edit_kind kind, Count&& count) {
    const bool is_wide = wide_objects<Value>::is_wide(object);
    wide* const known = is_wide ? wide_.visit(object) : nullptr;
    if (is_wide && known == nullptr) return false;
    bool bury = is_wide && known->indexed;
    if (bury && known->gaps == 0 && !note_gaps(*known, pointer, bury)) return false;
    if (!bury && !sweep_below(pointer)) return false;
    for (size_type at = index; at != no_index; kind = {false, false}) {
      if (!count(parts::members(object)[at], at != index)) return false;
      // Whether there are repeated members is known where there is an index.
      size_type next = bury && !known->repeats ? no_index : repeat_of(object, at);
      path.back() = at;
      if (bury) {
        ++known->gaps;
        if (!edits_.bury(object, at, path, kind)) return false;
      } else {
        if (!edits_.remove(object, at, path, kind)) return false;
        if (next != no_index) --next;
      }
      at = next;
    }
    if (is_wide && !bury) known->looks += parts::member_count(object);
    return true;
  }

  /// Closes all gaps in the value at this place and in what it holds, the innermost first. To be
  /// called before the value is read or moved.
  bool sweep(std::string_view pointer) { return sweep_if(pointer, true); }
  /// The same for what the value holds, without itself.
  bool sweep_below(std::string_view pointer) { return sweep_if(pointer, false); }

 private:
  using parts = json::core::inside<Value>;
  using member = json::core::member_of<Value>;
  using wide = wide_object<Value>;

  static json::core::object_names<Value> names_of(const member* members) noexcept {
    return {members};
  }
  bool make_index(wide& object, const member* members, size_type count) {
    for (size_type i = 0; i < count; ++i) {
      bool added = false;
      if (!object.names.add(names_of(members), i, added)) return false;
      object.repeats = object.repeats || !added;
    }
    return object.indexed = true;
  }

  /// The next member with the name of that at `index`.
  size_type repeat_of(const Value& object, size_type index) const noexcept {
    const member* const members = parts::members(object);
    const size_type count = parts::member_count(object);
    for (size_type i = index + 1; i < count; ++i) {
      if (!edits_.is_buried(members[i].value) &&
          json::core::same_text(members[i].name, members[index].name)) {
        return i;
      }
    }
    return no_index;
  }

  // Objects with members that are buried. The place of each is given by a pointer of the patch:
  // whatever would change its meaning closes the gaps first.

  static constexpr std::size_t most_gaps = 8;
  struct gap {
    wide* object;
    std::string_view pointer;
  };
  /// Notes that an object is about to have gaps. When too many have some, one of them is closed;
  /// where all of those are around this object, `bury` becomes false and the object gets none.
  bool note_gaps(wide& object, std::string_view pointer, bool& bury) {
    if (gaps_count_ == most_gaps) {
      std::size_t deepest = most_gaps;
      for (std::size_t i = 0; i < most_gaps; ++i) {
        if (is_within(pointer, gaps_[i].pointer)) continue;
        if (deepest == most_gaps || gaps_[i].pointer.size() > gaps_[deepest].pointer.size())
          deepest = i;
      }
      if (deepest == most_gaps) {
        bury = false;
        forget(object);
        return true;
      }
      if (!close(deepest)) return false;
    }
    gaps_[gaps_count_++] = {&object, pointer};
    return true;
  }
  /// What is known of an object is no longer so.
  static void forget(wide& object) noexcept {
    object.gaps = 0;
    object.indexed = object.repeats = false;
    object.looks = 0;
    object.names.clear();
  }
  bool close(std::size_t which) {
    wide& object = *gaps_[which].object;
    gaps_[which] = gaps_[--gaps_count_];
    forget(object);
    return edits_.sweep(*object.object);
  }
  bool sweep_if(std::string_view pointer, bool itself) {
    while (gaps_count_ != 0) {
      std::size_t deepest = gaps_count_;
      for (std::size_t i = 0; i < gaps_count_; ++i) {
        const std::string_view at = gaps_[i].pointer;
        if (!is_within(at, pointer) || (!itself && at.size() == pointer.size())) continue;
        if (deepest == gaps_count_ || at.size() > gaps_[deepest].pointer.size()) deepest = i;
      }
      if (deepest == gaps_count_) return true;
      if (!close(deepest)) return false;
    }
    return true;
  }

  tree_edits<Value>& edits_;
  wide_objects<Value> wide_;
  gap gaps_[most_gaps];
  std::size_t gaps_count_ = 0;
  bool exhausted_ = false;
};

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
