/// Two objects in JSON texts whose members stand in different orders.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint32_t, std::uint64_t
#include <cstring>      // std::memcpy
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
#include "look_ahead.hpp"
#include "text_index.hpp"
#include "text_member.hpp"
#include "text_patch.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

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
        from_(memory),
        to_(memory),
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
    same_ = {};
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
  static constexpr number no_entry = static_cast<number>(-1);

  /// One of the texts, and the index of a part of it.
  struct side {
    explicit side(const memory_source& memory) noexcept : index(memory) {}
    void reset(std::string_view all, json::core::text_structure& its) noexcept {
      text = all.data();
      end = text + all.size();
      structure = &its;
    }
    const char* text = nullptr;
    const char* end = nullptr;
    json::core::text_structure* structure = nullptr;
    text_offset end_of_rest = 0;  ///< the closing bracket of the object that was asked about
    std::conditional_t<shortcuts, text_index, no_text_index> index;
  };

  /// A place in one of the texts: a member, element or closing bracket begins there.
  struct cursor {
    text_offset at;
    number entry;  ///< the first from there on
    bool more;     ///< false behind the last member or element
  };
  /// A value, or a member when `name` is used.
  struct item {
    text_offset first;  ///< where the member or element begins: of a member, at its name
    text_offset last;   ///< behind its value
    text_offset name_end;
    text_offset value;
    number inside;  ///< the first entry inside, when it is a container; no_entry: not in the index
    text_offset unescaped;  ///< where its name stands without escapes; no_offset: it has none
    std::uint32_t met;      ///< a member of the other text has this name
  };

  /// A pair of containers that is being compared.
  struct level {
    cursor from;
    cursor to;               ///< of an array
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

  // --- Reading members ---------------------------------------------------------------------------

  /// A text and its index, at hand in a loop.
  struct source {
    const char* text;
    const char* end;
    const number* entries;
    json::core::text_structure* structure;
  };
  static source source_of(const side& s) noexcept {
    return {s.text, s.end, s.index.entries(), s.structure};
  }

  /// Finds where the member or element at `at` begins and ends, and moves behind it.
  DEVICETWIN_ALWAYS_INLINE bool pass_item(const source& s, cursor& at, item& it, bool member) {
    if constexpr (!shortcuts) return pass_unindexed(s, at, it, member);
    number entry = at.entry;
    number place = s.entries[entry];
    text_offset last = place;
    it.inside = no_entry;
    if ((place & text_index::opens) != 0) {
      it.inside = entry + 1;
      entry = place ^ text_index::opens;
      last = s.entries[entry] + 1;
      place = s.entries[++entry];
      if ((place & text_index::opens) != 0) return patch_.not_json();
    } else if (s.text[last - 1] <= ' ') {
      while (json::core::is_space(s.text[last - 1])) --last;  // a bracket or comma stands before
    }
    text_offset first = at.at;
    if (s.text[first] <= ' ') {
      while (json::core::is_space(s.text[first])) ++first;  // a bracket or comma stands behind
    }
    it.first = first;
    it.last = last;
    at.at = place + 1;
    at.entry = entry + 1;
    at.more = s.text[place] == ',';
    return true;
  }
  /// The same without an index, where memory counts: what is in the item is passed over.
  bool pass_unindexed(const source& s, cursor& at, item& it, bool member) {
    const char* p = json::core::skip_space(s.text + at.at, s.end);
    it.first = static_cast<text_offset>(p - s.text);
    if (p == s.end) return patch_.not_json();
    if (member &&
        (*p != '"' || (p = string_end(*s.structure, p, s.end)) == nullptr || !to_value(p, s.end))) {
      return patch_.not_json();
    }
    if ((p = value_end(*s.structure, p, s.end)) == nullptr) return patch_.not_json();
    it.last = static_cast<text_offset>(p - s.text);
    p = json::core::skip_space(p, s.end);
    if (p == s.end) return patch_.not_json();
    at.more = *p == ',';
    at.at = static_cast<text_offset>(p - s.text) + 1;
    return true;
  }
  /// Reads the name of the member, and finds where its value begins.
  DEVICETWIN_ALWAYS_INLINE bool read_name(const source& s, item& it, std::uint32_t& hash) {
    const char* const name = s.text + it.first;
    if (shortcuts && s.end - name > 36 && *name == '"') {
      const std::size_t length = json::core::bytes_before_quote(name + 1);
      const char* const behind = name + 1 + length;
      if (length < 32 && behind[0] == '"' && behind[1] == ':' && !json::core::is_space(behind[2])) {
        hash = hash_name(name + 1, length);
        it.unescaped = no_offset;
        it.name_end = it.first + static_cast<text_offset>(length) + 2;
        it.value = it.name_end + 1;
        return it.value < it.last || patch_.not_json();
      }
    }
    return read_any_name(s, it, hash);
  }
  /// The hash of a name of less than 32 bytes. As many can be read.
  static std::uint32_t hash_name(const char* name, std::size_t length) noexcept {
    static constexpr unsigned char masks[32] = {255, 255, 255, 255, 255, 255, 255, 255,
                                                255, 255, 255, 255, 255, 255, 255, 255};
    std::uint64_t before = 0;
    if (length >= 16) {
      before = base::mix(base::load_8(name), base::load_8(name + 8));
      name += 16;
      length -= 16;
    }
    const std::uint64_t low = base::load_8(name) & base::load_8(masks + 16 - length);
    const std::uint64_t high = base::load_8(name + 8) & base::load_8(masks + 24 - length);
    return static_cast<std::uint32_t>(
        ((low ^ before ^ length) + high * 0xC2B2AE3D27D4EB4Fu) * 0x9E3779B97F4A7C15u >> 32);
  }
  static std::uint32_t hash_of(std::string_view name) noexcept {
    if (shortcuts && name.size() < 32) {
      char bytes[32] = {};
      name.copy(bytes, name.size());
      return hash_name(bytes, name.size());
    }
    return static_cast<std::uint32_t>(json::core::hash_name(name) >> 32);
  }
  /// The same for a name that is long, near the end of the text or has white space behind, or one
  /// with escapes, which is kept without them.
  DEVICETWIN_NEVER_INLINE bool read_any_name(const source& s, item& it, std::uint32_t& hash) {
    const char* const name = s.text + it.first;
    const char* p = *name == '"' ? json::core::skip_string(name + 1, s.end) : nullptr;
    if (p == nullptr) return patch_.not_json();
    it.name_end = static_cast<text_offset>(p - s.text);
    it.unescaped = no_offset;
    if (json::core::has_escapes(text_between(name, p))) {
      text_member member{};
      member.name = it.first;
      member.name_end = it.name_end;
      if (!keep_plain(s.text, member, names_)) return patch_.fail(errc::out_of_memory);
      it.unescaped = member.unescaped;
    }
    hash = hash_of(plain_name(s.text, it));
    if (!to_value(p, s.end)) return patch_.not_json();
    it.value = static_cast<text_offset>(p - s.text);
    return it.value < it.last || patch_.not_json();
  }
  std::string_view plain_name(const char* text, const item& it) const noexcept {
    if (it.unescaped == no_offset) {
      return text_between(text + it.first + 1, text + it.name_end - 1);
    }
    size_type length;
    std::memcpy(&length, names_.data() + it.unescaped, sizeof length);
    return {names_.data() + it.unescaped + sizeof length, length};
  }

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
      if (!recall(to_, to_aside.first[i], it, hash)) return false;
      if (!members_.push(it) || !hashes_.push(hash)) return patch_.fail(errc::out_of_memory);
    }
    if (!begin_rest(from_, a, made.from) || !begin_rest(to_, b, made.to)) return false;
    return levels_.push(made) ? collect() : patch_.fail(errc::out_of_memory);
  }
  bool begin_rest(side& s, const char* p, cursor& at) {
    at = {static_cast<text_offset>(p - s.text), s.index.size(), *p != '}'};
    s.end_of_rest = at.at;
    if (!at.more || !shortcuts) return true;
    if (!make_index(s, p)) return false;
    s.end_of_rest = s.index.entries()[s.index.size() - 1];
    return true;
  }
  bool make_index(side& s, const char* p) {
    const errc code = s.index.add(*s.structure, s.text, p);
    if (code == errc::ok) return true;
    return code == errc::unexpected_character ? patch_.not_json() : patch_.fail(code);
  }
  /// A member that was put aside as an item.
  bool recall(const side& s, const text_member& member, item& it, std::uint32_t& hash) {
    it.first = member.name;
    it.last = member.value_end;
    it.inside = no_entry;
    it.met = 0;
    return read_any_name(source_of(s), it, hash);
  }

  /// Collects the members of `to`.
  bool collect() {
    constexpr std::size_t few = json::core::tuning::text_hashes_scanned;
    level& top = levels_.back();
    const source to = source_of(to_);
    cursor at = top.to;
    while (at.more) {
      item* const it = members_.add();
      std::uint32_t* const hash = hashes_.add();
      if (it == nullptr || hash == nullptr) return patch_.fail(errc::out_of_memory);
      it->met = 0;
      if (!pass_item(to, at, *it, true) || !read_name(to, *it, *hash)) return false;
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
    std::string_view text(size_type i) const noexcept {
      return diff.plain_name(diff.to_.text, items[i]);
    }
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
  bool begin_inside(side& s, const item& it, cursor& at) {
    at.at = it.value + 1;
    at.entry = it.inside;
    if (shortcuts && it.inside == no_entry) {  // it was put aside
      at.entry = s.index.size();
      if (!make_index(s, s.text + at.at)) return false;
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
    const source text = source_of(from_);
    cursor at = top.from;
    item from;
    std::uint32_t hash = 0;
    while (shortcuts && levels_.size() == 1 && top.aside != from_aside_.count) {
      if (!recall(from_, from_aside_.first[top.aside++], from, hash)) return false;
      if (!match(top, from, hash)) return false;
      if (!is_innermost(top)) return true;
    }
    for (bool in_order = true; at.more;) {
      if (!pass_item(text, at, from, true)) return false;
      if (shortcuts && in_order && top.expected != members_.size() &&
          same_member(from, members_[top.expected])) {
        members_[top.expected++].met = 1;
        continue;
      }
      in_order = false;
      if (!read_name(text, from, hash)) return false;
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
    if (shortcuts && length > longest_short_stretch) return same_long_stretch(from, to, length);
    return base::same_bytes(from_.text + from, to_.text + to, length);
  }
  /// Containers begin alike, and what is in them is compared again, member by member. So it is kept
  /// what was the same last, and how far: no byte is compared once for each container around it.
  DEVICETWIN_NEVER_INLINE bool same_long_stretch(text_offset from, text_offset to,
                                                 text_offset length) noexcept {
    const text_offset apart = from - to;  // modulo 2^32
    if (apart != same_.apart || from < same_.first || from > same_.last) {
      same_ = {apart, from, from, false};
    }
    const text_offset known = same_.last - from;
    if (known >= length) return true;
    if (same_.ended) return false;
    same_.last += static_cast<text_offset>(
        json::core::level().common(from_.text + same_.last, to_.text + to + known, length - known));
    same_.ended = same_.last - from < length;
    return !same_.ended;
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
    const std::string_view plain = plain_name(from_.text, from);
    const size_type i = top.index.find_if(
        shortcuts ? base::spread(hash) : json::core::hash_name(plain), plain, names_of_to(top),
        index_, [&](size_type at) { return hashes[at] == hash && has_name(first[at]); });
    return i == json::core::no_index ? nullptr : first + i;
  }
  bool same_name(const item& from, const item& to) const noexcept {
    return plain_name(from_.text, from) == plain_name(to_.text, to);
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
    const source from_text = source_of(from_), to_text = source_of(to_);
    while (top.from.more && top.to.more) {
      item from, to;
      if (!pass_item(from_text, top.from, from, false) || !pass_item(to_text, top.to, to, false))
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
  /// What was the same in both texts: from `first` to `last` of `from`, and `apart` less in `to`.
  struct same_text {
    text_offset apart = 0;
    text_offset first = 0;
    text_offset last = 0;
    bool ended = false;  ///< the bytes at `last` are different
  };

  text_patch& patch_;
  same_text same_;
  side from_;
  side to_;
  members_aside from_aside_{};
  bool good_ = true;
  bool different_ = false;
  base::stack<level, shortcuts ? 8 : 4> levels_;
  base::stack<item, shortcuts ? 32 : 16> members_;
  base::stack<std::uint32_t, shortcuts ? 48 : 16> hashes_;  ///< of their names
  plain_names names_;
  json::core::index_memory index_;
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
