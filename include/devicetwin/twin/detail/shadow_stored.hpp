/// Stamps as numbers, for a stored twin.
#pragma once

#include <cstddef>  // std::size_t
#include <cstdint>  // std::int64_t, std::uint64_t

#include "../../base/stack.hpp"
#include "../../json/arena.hpp"
#include "../../json/tree/find_member.hpp"
#include "plan_walk.hpp"
#include "shadow.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// Sends all stamps as numbers to put(std::uint64_t): the table, then the words in the order of the
/// tree.
template <class Put>
void store_stamps(const stamp_shadow& shadow, const arena_value& values, Put&& put) {
  using word = stamp_shadow::word;
  put(shadow.table_.size());
  for (std::size_t i = 1; i < shadow.table_.size(); ++i) {  // the first is always the same
    put(static_cast<std::uint64_t>(shadow.table_[i].time.ticks));
    put(static_cast<std::uint64_t>(shadow.table_[i].version));
  }
  struct frame {
    const arena_value* object;
    word at;
    size_type next;
  };
  per_level<frame> frames;
  std::size_t depth = 0;
  const auto enter = [&](const arena_value& value, word w) {
    if (!stamp_shadow::is_block(w)) {
      put(w);
      return;
    }
    const word* block = shadow.words_.data() + stamp_shadow::place_of(w);
    put((std::uint64_t{block[stamp_shadow::own]} << 1) | 1);
    put(block[stamp_shadow::others]);
    put(block[stamp_shadow::last]);
    frames[depth++] = {&value, w, 0};
  };
  enter(values, shadow.root_);
  while (depth != 0) {
    frame& f = frames[depth - 1];
    if (f.next == f.object->MemberCount()) {
      --depth;
      continue;
    }
    const size_type index = f.next++;
    enter(json::core::members_begin(*f.object)[index].value, shadow.child(f.at, index));
  }
}

/// Takes such numbers back from next(std::uint64_t&), which returns false at the end. False when
/// they do not fit the tree, or memory ran out (`out_of_memory` says so); then the shadow must not
/// be used.
template <class Next>
[[nodiscard]] bool restore_stamps(stamp_shadow& shadow, const arena_value& values, Next&& next,
                                  const memory_source& memory, bool& out_of_memory) {
  using word = stamp_shadow::word;
  const auto no_memory = [&out_of_memory] {
    out_of_memory = true;
    return false;
  };
  shadow.words_.truncate(0);
  shadow.table_.truncate(0);
  shadow.root_ = 0;
  std::uint64_t stamps = 0;
  if (!next(stamps) || stamps > 0x3FFFFFFF) return false;
  for (std::uint64_t i = 0; i < stamps; ++i) {
    std::uint64_t time = 0, version = 0;
    if (i != 0 && (!next(time) || !next(version))) return false;
    if (!shadow.table_.reserve(1)) return no_memory();
    shadow.table_.push({{static_cast<std::int64_t>(time)}, static_cast<std::int64_t>(version)});
  }
  struct frame {
    const arena_value* object;
    word own_id, others_id, last_index;
    size_type next;
    std::size_t first;
  };
  base::stack<frame, 8> frames(memory);
  base::stack<word, 64> found(memory);
  const auto enter = [&](const arena_value& value) {
    std::uint64_t first = 0, newest = 0, index = 0;
    if (!next(first) || (first >> 1) >= (stamps == 0 ? 1 : stamps)) return false;
    if ((first & 1) == 0) return found.push(static_cast<word>(first)) || no_memory();
    if (!value.IsObject() || !next(newest) || newest >= stamps || !next(index)) return false;
    if (index != json::core::no_index && index >= value.MemberCount()) return false;
    return frames.push({&value, static_cast<word>(first >> 1), static_cast<word>(newest),
                        static_cast<word>(index), 0, found.size()}) ||
           no_memory();
  };
  if (!enter(values)) return false;
  while (!frames.empty()) {
    frame& f = frames.back();
    if (f.next != f.object->MemberCount()) {
      if (!enter(json::core::members_begin(*f.object)[f.next++].value)) return false;
      continue;
    }
    const std::size_t members = found.size() - f.first;
    if (!shadow.words_.reserve(stamp_shadow::header + stamp_shadow::room_for(members)))
      return no_memory();
    const word made =
        shadow.add_block(f.own_id, f.others_id, f.last_index, found.data() + f.first, members);
    found.truncate(f.first);
    frames.pop();
    if (!found.push(made)) return no_memory();
  }
  shadow.root_ = found[0];
  return true;
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
