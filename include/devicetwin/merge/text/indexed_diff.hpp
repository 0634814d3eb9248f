/// Two objects in JSON texts whose members stand in different orders.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint32_t, std::uint64_t
#include <cstring>      // std::memcmp, std::memset
#include <string_view>  // std::string_view
#include <type_traits>  // std::conditional_t

#include "../../base/bits.hpp"
#include "../../base/hash.hpp"
#include "../../base/inline.hpp"
#include "../../base/memory.hpp"
#include "../../base/stack.hpp"
#include "../../json/error.hpp"
#include "../../json/text/scan.hpp"
#include "../../json/text/tokens.hpp"
#include "../../json/tree/name_hash.hpp"
#include "../../json/tree/name_index.hpp"
#include "../../json/tree/tuning.hpp"
#include "indexed_text.hpp"
#include "look_ahead.hpp"
#include "text_member.hpp"
#include "text_patch.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

/// Whether stretches of two texts are the same. Containers begin alike, and what is in them is
/// compared again, member by member. So it is kept what was the same last, and how far: no byte is
/// compared once for each container around it.
class same_stretches {
 public:
  DEVICETWIN_NEVER_INLINE bool same(const char* from_text, text_offset from, const char* to_text,
                                    text_offset to, text_offset length) noexcept {
    const text_offset apart = from - to;  // modulo 2^32
    if (apart != apart_ || from < first_ || from > last_) {
      apart_ = apart;
      first_ = last_ = from;
      ended_ = false;
    }
    const text_offset known = last_ - from;
    if (known >= length) return true;
    if (ended_) return false;
    last_ += static_cast<text_offset>(
        json::core::level().common(from_text + last_, to_text + to + known, length - known));
    ended_ = last_ - from < length;
    return !ended_;
  }

 private:
  text_offset apart_ = 0;  ///< from here in `from`, so much less in `to`,
  text_offset first_ = 0;  ///< both were the same
  text_offset last_ = 0;   ///< up to here;
  bool ended_ = false;     ///< the bytes here are different
};
/// The same where memory counts.
class plain_stretches {
 public:
  static bool same(const char* from_text, text_offset from, const char* to_text, text_offset to,
                   text_offset length) noexcept {
    return std::memcmp(from_text + from, to_text + to, length) == 0;
  }
};

/// Matches the members of two objects by name, in any order, and all that is in them. A structural
/// index of both texts is made first; from then on a member is passed over in one step, whatever is
/// in it, so that no byte is passed over once for each object around it. Members of `to` are
/// collected and hashed; those of `from` are looked up one after the other. A member that is the
/// same byte by byte, name and value, needs no further look.
///
/// The texts are taken on trust: nothing is read outside of them, and the walk ends.
class indexed_diff {
 public:
  indexed_diff(text_patch& patch, const memory_source& memory) noexcept
      : patch_(patch),
        from_(patch, names_, memory),
        to_(patch, names_, memory),
        levels_(memory),
        members_(memory),
        hashes_(memory),
        names_(memory),
        index_(memory) {}

  void reset(std::string_view from, json::core::text_structure& from_structure, std::string_view to,
             json::core::text_structure& to_structure) noexcept {
    from_.reset(from, from_structure);
    to_.reset(to, to_structure);
  }

  /// Compares what is left of the innermost open object: the members put aside and those from `a`
  /// and `b` on, each of which is at a member's name or at the closing bracket, where it is left.
  /// The patch gets the members that differ. False when patch().failure() is set, or when the walk
  /// is over because a difference was all that was wanted, or the objects are in an array: then
  /// `different` is set.
  bool compare(members_aside from_aside, members_aside to_aside, const char*& a, const char*& b,
               bool& different) {
    from_aside_ = from_aside;
    long_stretches_ = {};
    different_ = false;
    good_ = open_rest(to_aside, a, b);
    while (good_ && !levels_.empty()) {
      good_ = levels_.back().object ? members_step() : elements_step();
    }
    clear();
    different = different_;
    if (!good_) return false;
    a = from_.text + from_.end_of_rest;
    b = to_.text + to_.end_of_rest;
    return true;
  }

 private:
  using number = text_index::number;
  using item = text_item;

  /// A pair of containers that is being compared.
  struct level {
    item_cursor from;
    item_cursor to;          ///< of an array
    text_offset aside;       ///< how many members of `from` that were put aside were looked at
    text_offset first;       ///< member of `to`, in members_
    text_offset expected;    ///< member of `to`, in members_
    text_offset names;       ///< size of names_ before
    text_offset index_base;  ///< size of index_ before
    number from_entries, to_entries;  ///< sizes of the indexes before
    json::core::name_index index;
    bool indexed;
    bool object;
  };

  // Each returns false when patch().failure() or different_ is set.

  // --- Entering and leaving containers -----------------------------------------------------------

  level new_level() const noexcept {
    level made{};
    made.first = made.expected = static_cast<text_offset>(members_.size());
    made.names = static_cast<text_offset>(names_.size());
    made.index_base = static_cast<text_offset>(index_.size());
    made.from_entries = from_.index.size();
    made.to_entries = to_.index.size();
    return made;
  }

  /// Makes the first level: the rest of an object.
  bool open_rest(members_aside to_aside, const char* a, const char* b) {
    level made = new_level();
    made.object = true;
    for (std::size_t i = 0; shortcuts && i < to_aside.count; ++i) {
      item it;
      std::uint32_t hash = 0;
      it.met = 0;
      if (!to_.recall(to_aside.first[i], it, hash)) return false;
      if (!members_.push(it) || !hashes_.push(hash)) return patch_.fail(errc::out_of_memory);
    }
    if (!begin_rest(from_, a, made.from) || !begin_rest(to_, b, made.to)) return false;
    return levels_.push(made) ? collect() : patch_.fail(errc::out_of_memory);
  }
  bool begin_rest(indexed_text& s, const char* p, item_cursor& at) {
    at = {static_cast<text_offset>(p - s.text), s.index.size(), *p != '}'};
    s.end_of_rest = at.at;
    if (!at.more || !shortcuts) return true;
    if (!s.make_index(p)) return false;
    s.end_of_rest = s.index.entries()[s.index.size() - 1];
    return true;
  }
  /// Collects the members of `to`.
  bool collect() {
    constexpr std::size_t few = json::core::tuning::text_hashes_scanned;
    level& top = levels_.back();
    const indexed_text::source to = to_.at_hand();
    item_cursor at = top.to;
    while (at.more) {
      item* const it = members_.add();
      std::uint32_t* const hash = hashes_.add();
      if (it == nullptr || hash == nullptr) return patch_.fail(errc::out_of_memory);
      it->met = 0;
      if (!to_.pass(to, at, *it, true) || !to_.read_name(to, *it, *hash)) return false;
    }
    const std::size_t count = members_.size() - top.first;
    if (!shortcuts && levels_.size() == 1 && count != 0) to_.end_of_rest = at.at - 1;
    if (!top.from.more && levels_.size() == 1 && from_aside_.count == 0) return true;
    if (count <= few) {
      if constexpr (!shortcuts) return true;
      // They are looked at by sixteen.
      if (!hashes_.reserve(hashes_.size() + 16)) return patch_.fail(errc::out_of_memory);
      std::memset(hashes_.data() + hashes_.size(), 0, 16 * sizeof(std::uint32_t));
      return true;
    }
    top.indexed = true;
    json::core::first_repeat ignored;
    return top.index.build(static_cast<size_type>(count), json::core::indexed(names_of_to(top)),
                           index_, ignored) ||
           patch_.fail(errc::out_of_memory);
  }
  struct to_names {
    const indexed_diff& diff;
    const item* items;
    const std::uint32_t* hashes;
    std::string_view text(size_type i) const noexcept { return diff.to_.plain_name(items[i]); }
    std::uint64_t hash(size_type i) const noexcept { return base::spread(hashes[i]); }
  };
  to_names names_of_to(const level& top) const noexcept {
    return {*this, members_.data() + top.first, hashes_.data() + top.first};
  }

  /// Enters two containers of the same kind.
  bool enter(const item& from, const item& to) {
    level made = new_level();
    made.object = to_.text[to.value] == '{';
    if (!patch_.push(from_.text + from.value, to_.text + to.value)) return false;
    if (!begin_inside(from_, from, made.from) || !begin_inside(to_, to, made.to)) return false;
    if (!levels_.push(made)) return patch_.fail(errc::out_of_memory);
    return !made.object || collect();
  }
  bool begin_inside(indexed_text& s, const item& it, item_cursor& at) {
    at.at = it.value + 1;
    at.entry = it.inside;
    if (shortcuts && it.inside == text_item::no_entry) {  // it was put aside
      at.entry = s.index.size();
      if (!s.make_index(s.text + at.at)) return false;
    }
    const char* const p = json::core::skip_space(s.text + at.at, s.end);
    at.more = *p != '}' && *p != ']';
    return true;
  }

  /// Leaves the innermost pair of containers.
  void leave() {
    drop();
    if (levels_.empty()) return;
    patch_.close_innermost();
    patch_.pop();
  }
  void drop() noexcept {
    const level& top = levels_.back();
    members_.truncate(top.first);
    hashes_.truncate(top.first);
    names_.truncate(top.names);
    index_.truncate(top.index_base);
    from_.index.truncate(top.from_entries);
    to_.index.truncate(top.to_entries);
    levels_.pop();
  }
  void clear() noexcept {
    while (!levels_.empty()) drop();
    members_.truncate(0);
    hashes_.truncate(0);
    names_.truncate(0);
    from_.index.truncate(0);
    to_.index.truncate(0);
  }

  // --- Members -----------------------------------------------------------------------------------

  /// Looks at members of `from` up to one whose value is entered, or the last.
  bool members_step() {
    level& top = levels_.back();
    const indexed_text::source text = from_.at_hand();
    item_cursor at = top.from;
    item from;
    std::uint32_t hash = 0;
    while (shortcuts && levels_.size() == 1 && top.aside != from_aside_.count) {
      if (!from_.recall(from_aside_.first[top.aside++], from, hash)) return false;
      if (!match(top, from, hash)) return false;
      if (!is_innermost(top)) return true;
    }
    for (bool in_order = true; at.more;) {
      if (!from_.pass(text, at, from, true)) return false;
      if (shortcuts && in_order && top.expected != members_.size() &&
          same_member(from, members_[top.expected])) {
        members_[top.expected++].met = 1;
        continue;
      }
      in_order = false;
      if (!from_.read_name(text, from, hash)) return false;
      bool same = false;
      item* const to = find(top, from, hash, same);
      if (same && to->met == 0) {
        to->met = 1;
        top.expected = static_cast<text_offset>(to - members_.data()) + 1;
        continue;
      }
      top.from = at;
      if (!differing(top, from, to)) return false;
      if (!is_innermost(top)) return true;
      in_order = true;
    }
    if (!shortcuts && levels_.size() == 1 && at.at > from_.end_of_rest) {
      from_.end_of_rest = at.at - 1;
    }
    top.from.more = false;
    return new_members(top);
  }
  /// Finds the member of `to` of the name of this one, and compares the two.
  bool match(level& top, const item& from, std::uint32_t hash) {
    bool same = false;
    item* const to = find(top, from, hash, same);
    if (!same || to->met != 0) return differing(top, from, to);
    to->met = 1;
    return true;
  }
  /// A member of `from` that is not the same, byte by byte, as the one of `to` of the same name,
  /// which is null when there is none.
  bool differing(level& top, const item& from, item* to) {
    if (to == nullptr) {
      if (!missing(from)) return false;
    } else if (to->met == 0) {  // of repeated names the first counts
      to->met = 1;
      top.expected = static_cast<text_offset>(to - members_.data()) + 1;
      if (!values(from, *to)) return false;
    }
    if (is_innermost(top) && from.unescaped != no_offset) names_.truncate(from.unescaped);
    return true;
  }
  /// False when another pair of containers was entered, or this one was left.
  bool is_innermost(const level& top) const noexcept { return &top == &levels_.back(); }
  /// Whether two members are the same byte by byte, name and value.
  bool same_member(const item& from, const item& to) noexcept {
    return same_stretch(from.first, from.last, to.first, to.last);
  }
  bool same_stretch(text_offset from, text_offset from_last, text_offset to,
                    text_offset to_last) noexcept {
    const text_offset length = from_last - from;
    if (length != to_last - to) return false;
    if (length > longest_short_stretch) {
      return long_stretches_.same(from_.text, from, to_.text, to, length);
    }
    return base::same_bytes(from_.text + from, to_.text + to, length);
  }
  /// The member of `to` that has this name, or null. `same` is set when it is the same byte by byte.
  DEVICETWIN_ALWAYS_INLINE item* find(const level& top, const item& from, std::uint32_t hash,
                                      bool& same) {
    item* const first = members_.data() + top.first;
    const auto has_name = [&](const item& to) {
      same = shortcuts && same_member(from, to);
      return same || same_name(from, to);
    };
    if (!top.indexed) {
      const std::size_t count = members_.size() - top.first;
      const std::uint32_t* const hashes = hashes_.data() + top.first;
      constexpr std::size_t together = shortcuts ? 16 : 1;
      for (std::size_t at = 0; at < count; at += together) {
        std::uint32_t found = hashes[at] == hash;
        if constexpr (shortcuts) {
          found = json::core::same_hashes(hashes + at, hash);
          if (count - at < 16) found &= (std::uint32_t{1} << (count - at)) - 1;
        }
        for (; found != 0; found &= found - 1) {
          item* const to = first + at + base::lowest_bit(found);
          if (has_name(*to)) return to;
        }
      }
      return nullptr;
    }
    const std::uint32_t* const hashes = hashes_.data() + top.first;
    const std::string_view plain = from_.plain_name(from);
    const size_type i = top.index.find_if(
        shortcuts ? base::spread(hash) : json::core::hash_name(plain), plain, names_of_to(top),
        index_, [&](size_type at) { return hashes[at] == hash && has_name(first[at]); });
    return i == json::core::no_index ? nullptr : first + i;
  }
  bool same_name(const item& from, const item& to) const noexcept {
    return from_.plain_name(from) == to_.plain_name(to);
  }
  /// Compares the values of two members of the same name; enters containers of the same kind.
  bool values(const item& from, const item& to) {
    bool same = false, entered = false;
    return same_values(from, to, same, entered) && (same || entered || differs(to));
  }
  bool same_values(const item& from, const item& to, bool& same, bool& entered) {
    same = same_stretch(from.value, from.last, to.value, to.last);
    if (same) return true;
    const char* const a = from_.text + from.value;
    const char* const b = to_.text + to.value;
    if (*a == *b && (*a == '{' || *a == '[')) {
      entered = true;
      return enter(from, to);
    }
    same = json::core::same_scalar_text({a, from.last - from.value}, {b, to.last - to.value},
                                        patch_.rules().numbers, patch_.rules().number_texts);
    return true;
  }

  bool missing(const item& from) {
    if (!says_members()) return array_differs();
    return patch_.remove(from_.text + from.first, from_.text + from.name_end);
  }
  bool differs(const item& to) { return says_members() ? set(to) : array_differs(); }
  bool set(const item& to) {
    return patch_.set(to_.text + to.first, to_.text + to.name_end, to_.text + to.value,
                      to_.text + to.last);
  }
  /// Whether the patch can say what differs in the innermost objects.
  bool says_members() const noexcept { return patch_.wanted() && !patch_.inside_array(); }

  /// What `from` does not have. Then the objects are left.
  bool new_members(const level& top) {
    for (std::size_t i = top.first; i < members_.size(); ++i) {
      if (members_[i].met != 0) continue;
      if (!differs(members_[i])) return false;
      if (!is_innermost(top)) return true;
    }
    leave();
    return true;
  }

  // --- Elements ----------------------------------------------------------------------------------

  /// Looks at elements up to one that is a container, or the last.
  bool elements_step() {
    level& top = levels_.back();
    const indexed_text::source from_text = from_.at_hand(), to_text = to_.at_hand();
    while (top.from.more && top.to.more) {
      item from, to;
      if (!from_.pass(from_text, top.from, from, false) || !to_.pass(to_text, top.to, to, false))
        return false;
      from.value = from.first;
      to.value = to.first;
      if (from.value >= from.last || to.value >= to.last) return patch_.not_json();
      bool same = false, entered = false;
      if (!same_values(from, to, same, entered)) return false;
      if (entered) return true;
      if (!same) return array_differs();
    }
    if (top.from.more || top.to.more) return array_differs();
    leave();
    return true;
  }

  /// In an array something differs. An array is one value, so the outermost one does.
  bool array_differs() {
    patch_.note_difference();
    // The array may be open around the object that was asked about.
    const std::size_t around = patch_.depth() + 1 - levels_.size();
    if (!patch_.wanted() || patch_.outermost_array() < around) {
      different_ = true;
      return false;
    }
    while (patch_.inside_array()) {
      patch_.pop();
      drop();
    }
    // Its member is the one that was entered last.
    return set(members_[levels_.back().expected - 1]);
  }

  static constexpr text_offset longest_short_stretch = 64;

  text_patch& patch_;
  indexed_text from_;
  indexed_text to_;
  members_aside from_aside_{};
  bool good_ = true;
  bool different_ = false;
  std::conditional_t<shortcuts, same_stretches, plain_stretches> long_stretches_;
  base::stack<level, shortcuts ? 8 : 4> levels_;
  base::stack<item, shortcuts ? 32 : 12> members_;
  base::stack<std::uint32_t, shortcuts ? 48 : 12> hashes_;  ///< of their names
  plain_names names_;
  json::core::index_memory index_;
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
