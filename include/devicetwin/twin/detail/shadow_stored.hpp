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
  section_walk<word> walk;
  const auto enter = [&](const arena_value& value, word w) {
    if (!stamp_shadow::is_block(w)) {
      put(w);
      return;
    }
    const word* block = shadow.words_.data() + stamp_shadow::place_of(w);
    put((std::uint64_t{block[stamp_shadow::own]} << 1) | 1);
    put(block[stamp_shadow::others]);
    put(block[stamp_shadow::last]);
    static_cast<void>(walk.enter(value, w));  // no section has more levels
  };
  enter(values, shadow.root_);
  while (!walk.done()) {
    const value_member* member = walk.next();
    if (member == nullptr) {
      walk.leave();
    } else {
      enter(member->value, shadow.child(walk.note(), walk.index()));
    }
  }
}

/// Takes such numbers back from next(std::uint64_t&), which returns false at the end. Errors:
/// damaged, when they do not fit the tree; out_of_memory. After an error the shadow must not be
/// used.
template <class Next>
json::errc restore_stamps(stamp_shadow& shadow, const arena_value& values, Next&& next,
                          const memory_source& memory) {
  using json::errc;
  using word = stamp_shadow::word;
  shadow.words_.truncate(0);
  shadow.table_.truncate(0);
  shadow.root_ = 0;
  std::uint64_t stamps = 0;
  if (!next(stamps) || stamps > 0x3FFFFFFF) return errc::damaged;
  for (std::uint64_t i = 0; i < stamps; ++i) {
    std::uint64_t time = 0, version = 0;
    if (i != 0 && (!next(time) || !next(version))) return errc::damaged;
    if (!shadow.table_.reserve(1)) return errc::out_of_memory;
    shadow.table_.push({{static_cast<std::int64_t>(time)}, static_cast<std::int64_t>(version)});
  }
  struct block {
    word own_id, others_id, last_index;
    std::size_t first;  ///< of its members' words in `found`
  };
  json::core::object_walk<const arena_value, block> walk(memory);
  base::stack<word, 64> found(memory);
  const auto enter = [&](const arena_value& value) {
    std::uint64_t first = 0, newest = 0, index = 0;
    if (!next(first) || (first >> 1) >= (stamps == 0 ? 1 : stamps)) return errc::damaged;
    if ((first & 1) == 0)
      return found.push(static_cast<word>(first)) ? errc::ok : errc::out_of_memory;
    if (!value.IsObject() || !next(newest) || newest >= stamps || !next(index))
      return errc::damaged;
    if (index != json::core::no_index && index >= value.MemberCount()) return errc::damaged;
    const block b{static_cast<word>(first >> 1), static_cast<word>(newest),
                  static_cast<word>(index), found.size()};
    return walk.enter(value, b) ? errc::ok : errc::out_of_memory;
  };
  if (const errc e = enter(values); e != errc::ok) return e;
  while (!walk.done()) {
    if (const value_member* member = walk.next()) {
      if (const errc e = enter(member->value); e != errc::ok) return e;
      continue;
    }
    const block b = walk.note();
    const std::size_t members = found.size() - b.first;
    if (!shadow.words_.reserve(stamp_shadow::header + stamp_shadow::room_for(members)))
      return errc::out_of_memory;
    const word made =
        shadow.add_block(b.own_id, b.others_id, b.last_index, found.data() + b.first, members);
    found.truncate(b.first);
    walk.leave();
    if (!found.push(made)) return errc::out_of_memory;
  }
  shadow.root_ = found[0];
  return errc::ok;
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
