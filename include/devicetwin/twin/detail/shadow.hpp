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

#include "../../base/hash.hpp"
#include "../../base/plain_array.hpp"
#include "../../base/stack.hpp"
#include "../../json/arena.hpp"
#include "../../json/get.hpp"
#include "../../json/tree/member_lookup.hpp"
#include "../../json/tree/name_index.hpp"
#include "../../json/write.hpp"
#include "../stamp.hpp"
#include "plan_walk.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// What of a stamp is written.
enum class stamp_fields : unsigned char { time, version, both };

/// Sends the members that make up one stamp, and counts them.
template <class Handler>
bool emit_stamp(const stamp& s, stamp_fields fields, Handler& handler, size_type& sent) {
  if (fields != stamp_fields::version) {
    char text[max_timestamp_chars];
    const char* end = format_timestamp(text, s.time);
    ++sent;
    if (!handler.Key("$lastUpdated", 12, true) ||
        !handler.String(text, static_cast<size_type>(end - text), true))
      return false;
  }
  if (fields == stamp_fields::time || s.version == 0) return true;
  ++sent;
  return handler.Key("$lastUpdatedVersion", 19, true) && handler.Int64(s.version);
}

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

  /// How many words a write may take at most; a visitor of walk_plan().
  class words_needed;
  /// Room for what write() and reset() do. False, with nothing changed, when memory ran out.
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

  /// What the plan writes carries the stamp, and so do the objects around it. Was prepared, and the
  /// plan is not carried out yet.
  void write(const merge_plan& plan, const arena_value& values, const stamp& s) noexcept {
    if (table_.empty()) table_.push({});
    table_.push(s);
    write_visitor writer(*this, static_cast<word>(table_.size() - 1));
    static_cast<void>(walk_plan(plan, values, writer));
  }

  /// Takes the stamps from a section's `$metadata`. What is missing or has no meaning there is not
  /// known. Neither is a version above `newest`, the section's own, nor an object's version below
  /// one inside of it. Other members of it are left to the caller. False when memory ran out; then
  /// this is undefined.
  [[nodiscard]] bool load(const arena_value& values, const arena_value& metadata,
                          std::int64_t newest, const memory_source& memory);

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

  // --- storing -------------------------------------------------------------------------------

  /// Sends everything as numbers to put(std::uint64_t): the table, then the words in the order of
  /// the tree.
  template <class Put>
  void store(const arena_value& values, Put&& put) const;
  /// Takes such numbers back from next(std::uint64_t&), which gives false at the end; false also
  /// when they do not fit the tree, or memory ran out (`out_of_memory` says so). Then this is
  /// undefined.
  template <class Next>
  [[nodiscard]] bool restore(const arena_value& values, Next&& next, const memory_source& memory,
                             bool& out_of_memory);
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

  struct write_visitor {
    write_visitor(stamp_shadow& s, word id) noexcept : shadow(s), stamp_id(id) {}
    struct frame {
      std::size_t place;  ///< of the block
      size_type index;    ///< of the object in the block around it
      word before;        ///< the object's id before this write
      bool touched, swept;
    };
    stamp_shadow& shadow;
    word stamp_id;
    frame frames[json::default_max_depth + 1];
    std::size_t depth = 0;

    word& link(std::size_t level) noexcept {
      return level == 0 ? shadow.root_
                        : shadow.words_[frames[level - 1].place + header + frames[level].index];
    }
    bool enter(const arena_value& object, size_type index, const value_member*) noexcept {
      if (depth != 0) touch(frames[depth - 1], index);
      frames[depth].index = index;
      word& w = link(depth);
      if (!is_block(w)) w = shadow.expand(w, object.MemberCount());
      frame& f = frames[depth++];
      f.place = place_of(w);
      f.before = shadow.words_[f.place + own];
      f.touched = f.swept = false;
      shadow.words_[f.place + own] = stamp_id;
      return true;
    }
    /// Notes that the member at `index` is written.
    void touch(frame& f, size_type index) noexcept {
      word* block = shadow.words_.data() + f.place;
      if (block[last] != index) block[others] = f.touched ? stamp_id : f.before;
      block[last] = index;
      f.touched = true;
    }
    bool write(merge_action action, const arena_value*, size_type index,
               const value_member*) noexcept {
      frame& f = frames[depth - 1];
      if (action == merge_action::add) {
        const word members = shadow.words_[f.place + count];
        if (room_for(members) == members) {
          f.place = shadow.move_block(f.place);
          link(depth - 1) = block_at(f.place);
        }
        shadow.words_[f.place + count] = members + 1;
        touch(f, members);
        shadow.words_[f.place + header + members] = stamp_id << 1;
      } else if (action == merge_action::remove) {
        shadow.words_[f.place + header + index] = dead;
        f.swept = true;
      } else {
        touch(f, index);
        shadow.words_[f.place + header + index] = stamp_id << 1;
      }
      return true;
    }
    bool leave() noexcept {
      const frame& f = frames[--depth];
      if (f.swept) shadow.sweep(f.place);
      return true;
    }
  };

  static word block_at(std::size_t place) noexcept { return static_cast<word>(place << 1 | 1); }

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
    } frames[json::default_max_depth + 1];
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

class stamp_shadow::words_needed {
 public:
  explicit words_needed(const stamp_shadow& s) noexcept : shadow_(s) {}
  std::size_t words() const noexcept { return words_; }

  bool enter(const arena_value& object, size_type index, const value_member*) noexcept {
    const word w = depth_ == 0 ? shadow_.root_ : shadow_.child(frames_[depth_ - 1].at, index);
    frames_[depth_++] = {w, object.MemberCount(), 0};
    return true;
  }
  bool write(merge_action action, const arena_value*, size_type, const value_member*) noexcept {
    if (action == merge_action::add) ++frames_[depth_ - 1].added;
    return true;
  }
  bool leave() noexcept {
    const frame& f = frames_[--depth_];
    const std::size_t wanted = f.count + f.added;
    if (!is_block(f.at)) words_ += header + room_for(f.count);
    // Members are added one by one, and a block that is full moves.
    for (std::size_t room = room_for(f.count); room < wanted; room = room_for(room + 1)) {
      words_ += header + room_for(room + 1);
    }
    return true;
  }

 private:
  struct frame {
    word at;
    size_type count;
    size_type added;
  };
  const stamp_shadow& shadow_;
  frame frames_[json::default_max_depth + 1];
  std::size_t depth_ = 0;
  std::size_t words_ = 0;
};

/// Sends a section's `$metadata` as events: the mirror of its objects with the stamps that are
/// known.
template <class Handler>
json::error emit_metadata(const arena_value& values, const stamp_shadow& shadow,
                          stamp_fields fields, Handler& handler) {
  struct frame {
    const arena_value* object;
    stamp_shadow::word at;
    size_type next;
    size_type sent;
  } frames[json::default_max_depth + 1];
  std::size_t depth = 0;
  const auto stopped = [&] { return json::error(json::core::failure_of(handler, 0)); };
  /// Opens the mirror of a value, with its own stamp.
  const auto open = [&](stamp_shadow::word w, size_type& sent) {
    return handler.StartObject() &&
           (!shadow.known(w) || emit_stamp(shadow.at(w), fields, handler, sent));
  };
  frames[depth++] = {&values, shadow.root(), 0, 0};
  if (!open(shadow.root(), frames[0].sent)) return stopped();
  while (depth != 0) {
    frame& f = frames[depth - 1];
    if (f.next == f.object->MemberCount()) {
      if (!handler.EndObject(f.sent)) return stopped();
      --depth;
      continue;
    }
    const size_type index = f.next++;
    const stamp_shadow::word w = shadow.child(f.at, index);
    if (w == 0) continue;  // nothing known of it and all inside
    const value_member& member = json::core::members_begin(*f.object)[index];
    const std::string_view name = json::core::text_of(member.name);
    if (!handler.Key(name.data(), static_cast<size_type>(name.size()), true)) return stopped();
    ++f.sent;
    size_type sent = 0;
    if (!open(w, sent)) return stopped();
    if (member.value.IsObject()) {
      frames[depth++] = {&member.value, w, 0, sent};
    } else if (!handler.EndObject(sent)) {
      return stopped();
    }
  }
  return {};
}

inline bool stamp_shadow::load(const arena_value& values, const arena_value& metadata,
                               std::int64_t newest, const memory_source& memory) {
  /// The different stamps so far, by a hash that only has to be quick: equal ones that are not
  /// found only cost room.
  struct known_stamps {
    base::stack<std::uint32_t, 4> slots;
    explicit known_stamps(const memory_source& m) noexcept : slots(m) {}
    bool id_of(const stamp& s, base::plain_array<stamp>& table, word& id) {
      if (2 * table.size() >= slots.size()) {
        const std::size_t size = slots.size() < 64 ? 64 : slots.size() * 2;
        slots.truncate(0);
        if (!slots.extend(size)) return false;
        std::memset(slots.data(), 0, size * sizeof(std::uint32_t));
        for (std::size_t i = 1; i < table.size(); ++i)
          slots[place(table[i])] = static_cast<std::uint32_t>(i);
      }
      for (std::size_t at = place(s), probes = 0;; at = (at + 1) & (slots.size() - 1), ++probes) {
        if (slots[at] != 0 && table[slots[at]] == s) {
          id = slots[at];
          return true;
        }
        if (slots[at] != 0 && probes < 8) continue;
        if (!table.reserve(1)) return false;
        id = static_cast<word>(table.size());
        slots[at] = id;
        table.push(s);
        return true;
      }
    }
    std::size_t place(const stamp& s) const noexcept {
      return static_cast<std::size_t>(base::mix(static_cast<std::uint64_t>(s.time.ticks),
                                                static_cast<std::uint64_t>(s.version))) &
             (slots.size() - 1);
    }
  } stamps(memory);

  words_.truncate(0);
  table_.truncate(0);
  if (!table_.reserve(1)) return false;
  table_.push({});
  root_ = 0;

  struct frame {
    const arena_value* object;
    word id;
    size_type next;
    std::int64_t latest;  ///< the highest version inside of it
    std::size_t first;    ///< of its members' words in `found`
    std::size_t index_base;
    object_lookup metadata;
    bool has_metadata;
    const arena_value* metadata_object;
  };
  base::stack<frame, 8> frames(memory);
  base::stack<word, 64> found(memory);
  json::core::index_memory indexes(memory);

  /// The id of what a metadata object says of its own place; 0 when that is nothing.
  const auto own_id = [&](const arena_value& meta, word& id) {
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
        if (version && *version > 0 && *version <= newest) s.version = *version;
      }
    }
    return !timed || stamps.id_of(s, table_, id);
  };
  const auto enter = [&](const arena_value& object, const arena_value* meta) {
    word id = 0;
    const bool has = meta != nullptr && meta->IsObject();
    if (has && !own_id(*meta, id)) return false;
    return frames.push({&object, id, 0, 0, found.size(), indexes.size(),
                        lookup_in(has ? meta : nullptr), has, meta});
  };
  if (!enter(values, &metadata)) return false;
  for (;;) {
    frame& f = frames.back();
    if (f.next != f.object->MemberCount()) {
      const value_member& member = json::core::members_begin(*f.object)[f.next++];
      const arena_value* meta = nullptr;
      const std::string_view name = json::core::text_of(member.name);
      if (f.has_metadata &&
          (name.empty() || name.front() != '$')) {  // those names are the stamps' own
        size_type index = json::core::no_index;
        if (!f.metadata.find_next(member.name, indexes, index)) return false;
        if (index != json::core::no_index)
          meta = &json::core::members_begin(*f.metadata_object)[index].value;
      }
      if (member.value.IsObject()) {
        if (!enter(member.value, meta)) return false;
        continue;
      }
      word id = 0;
      if (meta != nullptr && meta->IsObject() && !own_id(*meta, id)) return false;
      if (table_[id].version > f.latest) f.latest = table_[id].version;
      if (!found.push(id << 1)) return false;
      continue;
    }
    if (table_[f.id].version > f.latest) {
      f.latest = table_[f.id].version;
    } else if (table_[f.id].version != 0 && table_[f.id].version < f.latest) {
      if (!stamps.id_of({table_[f.id].time, 0}, table_, f.id)) return false;
    }
    const std::int64_t latest = f.latest;
    // All members are known: the same stamp everywhere needs no block.
    const std::size_t members = found.size() - f.first;
    word result = f.id << 1;
    bool uniform = true;
    for (std::size_t i = f.first; i < found.size(); ++i) uniform = uniform && found[i] == result;
    if (!uniform) {
      const std::size_t place = words_.size();
      if (!words_.reserve(header + room_for(members))) return false;
      words_.extend(header + room_for(members));
      word* block = words_.data() + place;
      block[own] = block[others] = f.id;
      block[last] = json::core::no_index;
      block[count] = static_cast<word>(members);
      if (members != 0) std::memcpy(block + header, found.data() + f.first, members * sizeof(word));
      result = block_at(place);
    }
    found.truncate(f.first);
    indexes.truncate(f.index_base);
    frames.pop();
    if (frames.empty()) {
      root_ = result;
      break;
    }
    if (latest > frames.back().latest) frames.back().latest = latest;
    if (!found.push(result)) return false;
  }
  // What was asked for in steps is given back.
  base::plain_array<stamp> exact(table_.memory());
  if (exact.reserve_exactly(table_.size())) {
    exact.append(table_.data(), table_.size());
    table_.swap(exact);
  }
  base::plain_array<word> exact_words(words_.memory());
  if (words_.size() != 0 && exact_words.reserve_exactly(words_.size())) {
    exact_words.append(words_.data(), words_.size());
    words_.swap(exact_words);
  }
  return true;
}

inline bool stamp_shadow::in_order_after(std::int64_t version) const noexcept {
  if (!is_block(root_)) return true;
  struct frame {
    word at, next;
  } frames[json::default_max_depth + 1];
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

template <class Put>
void stamp_shadow::store(const arena_value& values, Put&& put) const {
  put(table_.size());
  for (std::size_t i = 1; i < table_.size(); ++i) {  // the first is always the same
    put(static_cast<std::uint64_t>(table_[i].time.ticks));
    put(static_cast<std::uint64_t>(table_[i].version));
  }
  struct frame {
    const arena_value* object;
    word at;
    size_type next;
  } frames[json::default_max_depth + 1];
  std::size_t depth = 0;
  const auto enter = [&](const arena_value& value, word w) {
    if (!is_block(w)) {
      put(w);
      return;
    }
    const word* block = words_.data() + place_of(w);
    put((std::uint64_t{block[own]} << 1) | 1);
    put(block[others]);
    put(block[last]);
    frames[depth++] = {&value, w, 0};
  };
  enter(values, root_);
  while (depth != 0) {
    frame& f = frames[depth - 1];
    if (f.next == f.object->MemberCount()) {
      --depth;
      continue;
    }
    const size_type index = f.next++;
    enter(json::core::members_begin(*f.object)[index].value, child(f.at, index));
  }
}

template <class Next>
bool stamp_shadow::restore(const arena_value& values, Next&& next, const memory_source& memory,
                           bool& out_of_memory) {
  const auto no_memory = [&out_of_memory] {
    out_of_memory = true;
    return false;
  };
  words_.truncate(0);
  table_.truncate(0);
  root_ = 0;
  std::uint64_t stamps = 0;
  if (!next(stamps) || stamps > 0x3FFFFFFF) return false;
  for (std::uint64_t i = 0; i < stamps; ++i) {
    std::uint64_t time = 0, version = 0;
    if (i != 0 && (!next(time) || !next(version))) return false;
    if (!table_.reserve(1)) return no_memory();
    table_.push({{static_cast<std::int64_t>(time)}, static_cast<std::int64_t>(version)});
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
    const std::size_t place = words_.size();
    if (!words_.reserve(header + room_for(members))) return no_memory();
    words_.extend(header + room_for(members));
    word* block = words_.data() + place;
    block[own] = f.own_id;
    block[others] = f.others_id;
    block[last] = f.last_index;
    block[count] = static_cast<word>(members);
    if (members != 0) std::memcpy(block + header, found.data() + f.first, members * sizeof(word));
    found.truncate(f.first);
    frames.pop();
    if (!found.push(block_at(place))) return no_memory();
  }
  root_ = found[0];
  return true;
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
