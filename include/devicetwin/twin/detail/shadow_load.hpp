/// Stamps out of a section's `$metadata`.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t, std::uint32_t
#include <cstring>      // std::memset
#include <string_view>  // std::string_view

#include "../../base/hash.hpp"
#include "../../base/plain_array.hpp"
#include "../../base/stack.hpp"
#include "../../json/arena.hpp"
#include "../../json/get.hpp"
#include "../../json/tree/find_member.hpp"
#include "../../json/tree/name_index.hpp"
#include "../stamp.hpp"
#include "plan_walk.hpp"
#include "shadow.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// The ids of the different stamps in a table, by a hash that only has to be quick: an equal stamp
/// that is not found only costs room.
class stamp_ids {
 public:
  stamp_ids(base::plain_array<stamp>& table, const memory_source& memory) noexcept
      : table_(table), slots_(memory) {}

  /// Sets `id` to that of the stamp, which is added to the table if it is new. False when memory
  /// ran out.
  [[nodiscard]] bool find(const stamp& s, stamp_shadow::word& id) {
    if (2 * table_.size() >= slots_.size() && !grow()) return false;
    for (std::size_t at = place(s), probes = 0;; at = (at + 1) & (slots_.size() - 1), ++probes) {
      if (slots_[at] != 0 && table_[slots_[at]] == s) {
        id = slots_[at];
        return true;
      }
      if (slots_[at] != 0 && probes < most_probes) continue;
      if (!table_.reserve(1)) return false;
      id = static_cast<stamp_shadow::word>(table_.size());
      slots_[at] = id;
      table_.push(s);
      return true;
    }
  }

 private:
  static constexpr std::size_t most_probes = 8;

  bool grow() {
    const std::size_t size = slots_.size() < 64 ? 64 : slots_.size() * 2;
    slots_.truncate(0);
    if (!slots_.extend(size)) return false;
    std::memset(slots_.data(), 0, size * sizeof(std::uint32_t));
    for (std::size_t i = 1; i < table_.size(); ++i)
      slots_[place(table_[i])] = static_cast<std::uint32_t>(i);
    return true;
  }
  std::size_t place(const stamp& s) const noexcept {
    return static_cast<std::size_t>(base::mix(static_cast<std::uint64_t>(s.time.ticks),
                                              static_cast<std::uint64_t>(s.version))) &
           (slots_.size() - 1);
  }

  base::plain_array<stamp>& table_;
  base::stack<std::uint32_t, 4> slots_;
};

/// Takes the stamps from a section's `$metadata`. What is missing or has no meaning there is not
/// known. Neither is a version above `newest`, the section's own, nor an object's version below one
/// inside of it. Other members of it are left to the caller.
class stamp_loader {
 public:
  stamp_loader(stamp_shadow& shadow, std::int64_t newest, const memory_source& memory) noexcept
      : shadow_(shadow),
        newest_(newest),
        ids_(shadow.table_, memory),
        walk_(memory),
        found_(memory),
        indexes_(memory) {}

  /// False when memory ran out; then the shadow must not be used.
  [[nodiscard]] bool load(const arena_value& values, const arena_value& metadata) {
    shadow_.words_.truncate(0);
    shadow_.table_.truncate(0);
    if (!shadow_.table_.reserve(1)) return false;
    shadow_.table_.push({});
    shadow_.root_ = 0;
    if (!enter(values, &metadata)) return false;
    while (!walk_.done()) {
      const value_member* member = walk_.next();
      if (!(member == nullptr ? leave() : member_step(*member))) return false;
    }
    shadow_.root_ = found_[0];
    give_back();
    return true;
  }

 private:
  using word = stamp_shadow::word;

  struct open_values {
    word id;
    std::int64_t latest;  ///< the highest version inside of it
    std::size_t first;    ///< of its members' words in found_
    object_beside metadata;
  };

  bool enter(const arena_value& object, const arena_value* meta) {
    word id = 0;
    if (meta != nullptr && !meta->IsObject()) meta = nullptr;
    if (meta != nullptr && !own_id(*meta, id)) return false;
    return walk_.enter(object, {id, 0, found_.size(), object_beside(meta, indexes_)});
  }
  /// Sets `id` to that of what a metadata object says of its own place; to 0 when that is nothing.
  bool own_id(const arena_value& meta, word& id) {
    id = 0;
    const auto* members = json::core::members_begin(meta);
    stamp s;
    bool timed = false;
    for (size_type i = 0; i < meta.MemberCount() && !(timed && s.version != 0); ++i) {
      const std::string_view name = json::core::text_of(members[i].name);
      if (name == "$lastUpdated") {
        const auto text = json::get<std::string_view>(members[i].value);
        const auto time =
            text ? parse_timestamp(*text) : json::result<timestamp>(json::errc::invalid_time);
        if (!time) return true;
        s.time = *time;
        timed = true;
      } else if (name == "$lastUpdatedVersion") {
        const auto version = json::get<std::int64_t>(members[i].value);
        if (version && *version > 0 && *version <= newest_) s.version = *version;
      }
    }
    return !timed || ids_.find(s, id);
  }

  bool member_step(const value_member& member) {
    open_values& top = walk_.note();
    const arena_value* meta = nullptr;
    const std::string_view name = json::core::text_of(member.name);
    const bool of_stamps = !name.empty() && name.front() == '$';  // those names are the stamps' own
    if (!of_stamps && !top.metadata.find(member.name, indexes_, meta)) return false;
    if (member.value.IsObject()) return enter(member.value, meta);
    word id = 0;
    if (meta != nullptr && meta->IsObject() && !own_id(*meta, id)) return false;
    const std::int64_t version = shadow_.table_[id].version;
    if (version > top.latest) top.latest = version;
    return found_.push(id << 1);
  }

  /// All members of an object are known: the same stamp everywhere needs no block.
  bool leave() {
    open_values& top = walk_.note();
    const stamp its = shadow_.table_[top.id];
    if (its.version > top.latest) {
      top.latest = its.version;
    } else if (its.version != 0 && its.version < top.latest) {
      if (!ids_.find({its.time, 0}, top.id)) return false;
    }
    const std::size_t members = found_.size() - top.first;
    word result = top.id << 1;
    bool uniform = true;
    for (std::size_t i = top.first; i < found_.size(); ++i)
      uniform = uniform && found_[i] == result;
    if (!uniform) {
      if (!shadow_.words_.reserve(stamp_shadow::header + stamp_shadow::room_for(members)))
        return false;
      result = shadow_.add_block(top.id, top.id, json::core::no_index, found_.data() + top.first,
                                 members);
    }
    const std::int64_t latest = top.latest;
    found_.truncate(top.first);
    top.metadata.close(indexes_);
    walk_.leave();
    if (!walk_.done() && latest > walk_.note().latest) walk_.note().latest = latest;
    return found_.push(result);
  }

  /// What was asked for in steps is given back, if there is memory for a copy.
  template <class T>
  static void shrink(base::plain_array<T>& array) noexcept {
    base::plain_array<T> exact(array.memory());
    if (array.size() == 0 || !exact.reserve_exactly(array.size())) return;
    exact.append(array.data(), array.size());
    array.swap(exact);
  }
  void give_back() noexcept {
    shrink(shadow_.table_);
    shrink(shadow_.words_);
  }

  stamp_shadow& shadow_;
  std::int64_t newest_;
  stamp_ids ids_;
  json::core::object_walk<const arena_value, open_values> walk_;
  base::stack<word, 64> found_;  ///< words of the members of all open objects
  json::core::index_memory indexes_;
};

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
