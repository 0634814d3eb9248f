/// The stamps of a section: who was written when, kept by position beside the tree of values.
///
/// A section has as many stamps as members, but most are the same and the names stand in the tree
/// already. So each member has one word, in the order of the object's members: an id into a table
/// of different stamps, or the place of a block with the words of its own members. An object whose
/// members all carry the same stamp has no block. A block also knows which member was written last
/// and how new all others can be: what changed since a version is found without looking at what did
/// not.
#pragma once

#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint32_t
#include <cstring>  // std::memcpy
#include <utility>  // std::swap

#include "../../base/plain_array.hpp"
#include "../../json/arena.hpp"
#include "../../json/tree/find_member.hpp"
#include "../stamp.hpp"
#include "plan_walk.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

class stamp_shadow {
 public:
  /// What is known of one value: an id, or the place of a block. 0 is nothing known.
  using word = std::uint32_t;

  explicit stamp_shadow(const memory_source& memory = {}) noexcept
      : words_(memory), table_(memory) {}
  void swap(stamp_shadow& other) noexcept {
    words_.swap(other.words_);
    table_.swap(other.table_);
    std::swap(root_, other.root_);
  }

  // --- reading -------------------------------------------------------------------------------

  word root() const noexcept { return root_; }
  /// The word of the member at `index` of the object that `w` stands for.
  word child(word w, size_type index) const noexcept {
    return is_block(w) ? words_[members_of(w) + index] : w;
  }
  static bool is_block(word w) noexcept { return (w & 1) != 0; }
  bool known(word w) const noexcept { return id_of(w) != 0; }
  stamp at(word w) const noexcept { return table_.empty() ? stamp{} : table_[id_of(w)]; }
  /// In a block: the member written last, and the newest stamp any other one can have.
  size_type last_written(word w) const noexcept { return words_[place_of(w) + last]; }
  stamp newest_other(word w) const noexcept { return table_[words_[place_of(w) + others]]; }

  const memory_source& memory() const noexcept { return words_.memory(); }
  std::size_t memory_in_bytes() const noexcept {
    return words_.capacity() * sizeof(word) + table_.capacity() * sizeof(stamp);
  }

  // --- writing -------------------------------------------------------------------------------

  /// Room for what stamp_writer and reset() do. False, with nothing changed, when memory ran out.
  [[nodiscard]] bool prepare(std::size_t words) {
    if (!room_in_table()) return false;  // may give words back, so it comes first
    return words_.capacity() - words_.size() >= words || rebuild(words);
  }
  [[nodiscard]] bool prepare_reset() { return room_in_table(); }

  /// Everything carries this stamp. Was prepared.
  void reset(const stamp& s) noexcept {
    words_.truncate(0);
    table_.truncate(0);
    table_.push({});
    table_.push(s);
    root_ = 1 << 1;
  }

  /// Becomes a copy. False, with nothing changed, when memory ran out.
  [[nodiscard]] bool assign(const stamp_shadow& other) {
    stamp_shadow copy(words_.memory());
    if (!copy.words_.reserve_exactly(other.words_.size()) ||
        !copy.table_.reserve_exactly(other.table_.size()))
      return false;
    copy.words_.append(other.words_.data(), other.words_.size());
    copy.table_.append(other.table_.data(), other.table_.size());
    copy.root_ = other.root_;
    swap(copy);
    return true;
  }

  // --- doubting ------------------------------------------------------------------------------

  /// Versions that no write to a section can have had, below 0 or above `newest`, are not known any
  /// more. Returns whether there was one.
  bool drop_versions_above(std::int64_t newest) noexcept {
    bool found = false;
    for (std::size_t i = 0; i < table_.size(); ++i) {
      if (table_[i].version >= 0 && table_[i].version <= newest) continue;
      table_[i].version = 0;
      found = true;
    }
    return found;
  }
  /// Whether what was written after `version` can be found from above: no object has an older stamp
  /// than what is in it, and blocks say the truth about their members.
  bool in_order_after(std::int64_t version) const noexcept;

 private:
  friend class stamp_writer;
  friend class stamp_loader;
  friend class stamp_words;
  template <class Put>
  friend void store_stamps(const stamp_shadow& shadow, const arena_value& values, Put&& put);
  template <class Next>
  friend json::errc restore_stamps(stamp_shadow& shadow, const arena_value& values, Next&& next,
                                   const memory_source& memory);

  // A block: four words, then one for each member, then what is spare.
  enum : std::size_t {
    own,     ///< the object's id
    others,  ///< id of the newest stamp that any member but the last written one can have
    last,    ///< index of the member written last, or no_index
    count,   ///< members
    header
  };
  static constexpr word dead = static_cast<word>(-1);

  static std::size_t place_of(word w) noexcept { return w >> 1; }
  static std::size_t members_of(word w) noexcept { return place_of(w) + header; }
  word id_of(word w) const noexcept { return is_block(w) ? words_[place_of(w) + own] : w >> 1; }
  /// The room a block of so many members has: a function of the count, so it need not be stored.
  /// Blocks that shrink forget some room.
  static std::size_t room_for(std::size_t members) noexcept {
    std::size_t step = 4;  // about one eighth, so that growing member by member stays linear
    while (step * 8 < members) step *= 2;
    return (members + step - 1) / step * step;
  }

  static word block_at(std::size_t place) noexcept { return static_cast<word>(place << 1 | 1); }

  /// Makes a block with the given words of an object's members, for which room was reserved.
  word add_block(word own_id, word others_id, word last_index, const word* members,
                 std::size_t size) noexcept {
    const std::size_t place = words_.size();
    words_.extend(header + room_for(size));
    word* block = words_.data() + place;
    block[own] = own_id;
    block[others] = others_id;
    block[last] = last_index;
    block[count] = static_cast<word>(size);
    if (size != 0) std::memcpy(block + header, members, size * sizeof(word));
    return block_at(place);
  }
  /// A block for an object whose members all carried the same stamp.
  word expand(word w, size_type members) noexcept {
    const std::size_t place = words_.size();
    words_.extend(header + room_for(members));
    word* block = words_.data() + place;
    block[own] = block[others] = w >> 1;
    block[last] = json::core::no_index;
    block[count] = members;
    for (size_type i = 0; i < members; ++i) block[header + i] = w;
    return block_at(place);
  }
  /// Moves a full block to where it has room for one more.
  std::size_t move_block(std::size_t from) noexcept {
    const word members = words_[from + count];
    const std::size_t place = words_.size();
    words_.extend(header + room_for(members + std::size_t{1}));
    std::memcpy(words_.data() + place, words_.data() + from, (header + members) * sizeof(word));
    return place;
  }
  /// Closes the gaps of removed members.
  void sweep(std::size_t place) noexcept {
    word* block = words_.data() + place;
    word* members = block + header;
    const word before = block[count];
    word kept = 0;
    word last_now = json::core::no_index;
    for (word i = 0; i < before; ++i) {
      if (members[i] == dead) continue;
      if (block[last] == i) last_now = kept;
      members[kept++] = members[i];
    }
    block[count] = kept;
    block[last] = last_now;
  }

  /// Copies what is in use to a fresh array with room for `more` words.
  bool rebuild(std::size_t more) noexcept {
    base::plain_array<word> fresh(words_.memory());
    const std::size_t wanted = live_words() + more;
    if (!fresh.reserve_exactly(wanted + wanted / 4)) return false;
    if (is_block(root_)) root_ = copy_block(root_, fresh);
    // Blocks that were copied are gone through in order; those inside them follow behind.
    for (std::size_t at = 0; at < fresh.size(); at += header + room_for(fresh[at + count])) {
      const std::size_t end = at + header + fresh[at + count];
      for (std::size_t i = at + header; i < end; ++i) {
        if (is_block(fresh[i])) fresh[i] = copy_block(fresh[i], fresh);
      }
    }
    words_.swap(fresh);
    return true;
  }
  word copy_block(word w, base::plain_array<word>& to) const noexcept {
    const std::size_t place = to.size();
    const std::size_t members = words_[place_of(w) + count];
    to.append(words_.data() + place_of(w), header + members);
    to.extend(room_for(members) - members);
    return block_at(place);
  }
  /// The words of all blocks in use, found without memory: a block is visited from the one around
  /// it.
  std::size_t live_words() const noexcept {
    if (!is_block(root_)) return 0;
    struct frame {
      std::size_t place;
      word next;
    };
    per_level<frame> frames;
    std::size_t depth = 0;
    frames[depth++] = {place_of(root_), 0};
    std::size_t live = 0;
    while (depth != 0) {
      frame& f = frames[depth - 1];
      const word members = words_[f.place + count];
      if (f.next == 0) live += header + room_for(members);
      word w = 0;
      while (f.next < members && !is_block(w)) w = words_[f.place + header + f.next++];
      if (is_block(w)) {
        frames[depth++] = {place_of(w), 0};
      } else {
        --depth;
      }
    }
    return live;
  }

  /// Room for two more stamps in the table; throws out those that nothing carries any more.
  bool room_in_table() noexcept {
    if (table_.capacity() - table_.size() >= 2) return true;
    if (table_.size() >= 16 && !collect()) return false;
    if (table_.capacity() - table_.size() >= 2 + table_.size() / 2) return true;
    return table_.reserve(2 + table_.size() / 2);
  }
  bool collect() noexcept {
    base::plain_array<word> renumbered(words_.memory());
    if (!renumbered.reserve_exactly(table_.size()) || !rebuild(0)) return false;
    renumbered.extend(table_.size());
    for (std::size_t i = 0; i < table_.size(); ++i) renumbered[i] = 0;
    renumbered[0] = 1;
    const auto for_each_id = [this](auto&& act) {
      if (!is_block(root_)) {
        word id = root_ >> 1;
        act(id);
        root_ = id << 1;
      }
      for (std::size_t at = 0; at < words_.size();) {
        act(words_[at + own]);
        act(words_[at + others]);
        const std::size_t members = words_[at + count];
        for (std::size_t i = at + header; i < at + header + members; ++i) {
          if (is_block(words_[i])) continue;
          word id = words_[i] >> 1;
          act(id);
          words_[i] = id << 1;
        }
        at += header + room_for(members);
      }
    };
    for_each_id([&](word& id) { renumbered[id] = 1; });
    word next = 0;
    for (std::size_t i = 0; i < table_.size(); ++i) {
      if (renumbered[i] == 0) continue;
      table_[next] = table_[i];
      renumbered[i] = next++;
    }
    table_.truncate(next);
    for_each_id([&](word& id) { id = renumbered[id]; });
    return true;
  }

  base::plain_array<word> words_;
  base::plain_array<stamp> table_;  ///< the first is "not known"
  word root_ = 0;
};

inline bool stamp_shadow::in_order_after(std::int64_t version) const noexcept {
  if (!is_block(root_)) return true;
  struct frame {
    word at, next;
  };
  per_level<frame> frames;
  std::size_t depth = 0;
  frames[depth++] = {root_, 0};
  while (depth != 0) {
    frame& f = frames[depth - 1];
    const word* block = words_.data() + place_of(f.at);
    if (f.next == block[count]) {
      --depth;
      continue;
    }
    const word index = f.next++;
    const word member = block[header + index];
    const std::int64_t written = at(member).version;
    if (written > version && (written > at(f.at).version ||
                              (index != block[last] && written > newest_other(f.at).version)))
      return false;
    if (is_block(member)) frames[depth++] = {member, 0};
  }
  return true;
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
