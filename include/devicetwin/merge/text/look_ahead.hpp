/// Members of two objects that stand in the same order but for some: those are put aside.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../base/memory.hpp"
#include "../../base/stack.hpp"
#include "../../json/error.hpp"
#include "../../json/text/tokens.hpp"
#include "../../json/text/validate.hpp"
#include "../../json/tree/name_index.hpp"
#include "../../json/tree/tuning.hpp"
#include "text_member.hpp"
#include "text_patch.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

/// Members that were put aside.
struct members_aside {
  const text_member* first;
  std::size_t count;
};

/// One of two texts that are walked over side by side.
struct text_side {
  json::core::text_structure* structure;
  const char* text;
  const char* end;
};

/// Looks a few members ahead for two of the same name. Those before them are put aside until the
/// end of the object. It knows which of the open containers have such members.
class look_ahead {
 public:
  look_ahead(text_patch& patch, const memory_source& memory) noexcept
      : patch_(patch),
        objects_(memory),
        from_(memory),
        to_(memory),
        names_(memory),
        index_(memory) {}

  /// Whether no member of any open object was put aside.
  bool none() const noexcept { return from_.empty() && to_.empty(); }
  /// Whether one of the innermost object was.
  bool any() const noexcept {
    return has_innermost() &&
           (objects_.back().from != from_.size() || objects_.back().to != to_.size());
  }
  members_aside of_from() const noexcept {
    const std::size_t first = has_innermost() ? objects_.back().from : from_.size();
    return {from_.data() + first, from_.size() - first};
  }
  members_aside of_to() const noexcept {
    const std::size_t first = has_innermost() ? objects_.back().to : to_.size();
    return {to_.data() + first, to_.size() - first};
  }
  /// A walk over equal brackets stops at the end of the container that is this one, counted from
  /// the outside, the outermost being 1: the innermost with members put aside, or the root.
  std::size_t outermost_to_stop_at() const noexcept {
    return objects_.empty() ? 1 : objects_.back().depth;
  }
  /// Before the container at this depth is left.
  void leave(std::size_t depth) noexcept {
    if (objects_.empty() || objects_.back().depth != depth) return;
    from_.truncate(objects_.back().from);
    to_.truncate(objects_.back().to);
    objects_.pop();
  }

  /// `a` and `b` are at members of different names. Finds out whether the next few members of one
  /// text are new in it, so that the other's member follows: they are put aside then, and `found` is
  /// set. Otherwise all is as before; so it is when the member at hand was put aside in the other
  /// text, which means that members have moved. With `strict`, names of `to` that are put aside
  /// are validated.
  bool find_pair(const text_side& from, const char*& a, const text_side& to, const char*& b,
                 bool strict, bool& found) {
    if (!note_innermost()) return false;
    // Where nothing was in order before, the rest hardly is.
    const bool first = json::core::skip_space(to.text + patch_.innermost().to + 1, b) == b;
    const std::size_t few = first ? 1 : json::core::tuning::text_reordered;
    const std::size_t first_from = from_.size();
    const std::size_t first_to = to_.size();
    const char* next_a = a;
    const char* next_b = b;
    std::string_view a_name, b_name, name;
    found = false;
    if (!next_name(from, a, a_name) || !next_name(to, b, b_name)) return patch_.not_json();
    if (is_among_last(a_name, to.text, of_to()) || is_among_last(b_name, from.text, of_from())) {
      return true;
    }
    for (std::size_t i = 0; i < few && is_near(a, next_a, b, next_b); ++i) {
      if (*next_b != '}') {
        if (!collect(to, next_b, to_, strict)) return false;
        if (!next_name(to, next_b, name)) return patch_.not_json();
        if (*next_b == '"' && json::core::same_string(a_name, name)) {
          from_.truncate(first_from);
          b = next_b;
          found = true;
          return !strict || valid_names(to, first_to);
        }
      }
      if (*next_a != '}') {
        if (!collect(from, next_a, from_, false)) return false;
        if (!next_name(from, next_a, name)) return patch_.not_json();
        if (*next_a == '"' && json::core::same_string(b_name, name)) {
          to_.truncate(first_to);
          a = next_a;
          found = true;
          return true;
        }
      }
    }
    if (*next_a == '}' && *next_b == '}') {  // no more than these is left
      a = next_a;
      b = next_b;
      found = true;
      return !strict || valid_names(to, first_to);
    }
    from_.truncate(first_from);
    to_.truncate(first_to);
    return true;
  }

  /// Puts the rest of one of the innermost objects aside, whose other has no members left. Does
  /// nothing when that is much: then `few` is false.
  bool put_rest_aside(const text_side& from, const char*& a, const text_side& to, const char*& b,
                      bool strict, bool& few) {
    if (!note_innermost()) return false;
    const char* const a_before = a;
    const char* const b_before = b;
    const std::size_t first_from = from_.size();
    const std::size_t first_to = to_.size();
    few = true;
    while (few && *a != '}') {
      if (!collect(from, a, from_, false)) return false;
      few = is_near(a_before, a, b_before, b);
    }
    while (few && *b != '}') {
      if (!collect(to, b, to_, strict)) return false;
      few = is_near(a_before, a, b_before, b);
    }
    if (few) return !strict || valid_names(to, first_to);
    a = a_before;
    b = b_before;
    from_.truncate(first_from);
    to_.truncate(first_to);
    return true;
  }

  /// Whether no two members put aside have the same name. False, too, when there are many.
  bool no_pairs(const char* from, const char* to) const noexcept {
    constexpr std::size_t few = json::core::tuning::text_new_names_scanned;
    const members_aside a = of_from();
    const members_aside b = of_to();
    if (a.count > few && b.count > few) return false;
    for (std::size_t i = 0; i < a.count; ++i) {
      for (std::size_t j = 0; j < b.count; ++j) {
        if (json::core::same_string(name_of(from, a.first[i]), name_of(to, b.first[j]))) {
          return false;
        }
      }
    }
    return true;
  }

  /// Whether no member of the innermost object of `to` that was put aside has the name of another.
  /// The object reaches from behind `open` to its closing bracket at `close`.
  bool names_differ(const text_side& to, const char* open, const char* close) {
    constexpr std::size_t few = json::core::tuning::text_new_names_scanned;
    const members_aside aside = of_to();
    if (aside.count == 0) return true;
    const std::size_t base = index_.size();
    json::core::name_index index;
    if (aside.count > few && !index_aside(to, aside, index)) return false;
    const char* p = json::core::skip_space(open, close);
    while (p != close) {
      const char* const name = p;
      const char* const name_end = string_end(*to.structure, p, close);
      if (name_end == nullptr || (aside.count > few ? stands_twice(to, aside, index, name, name_end)
                                                    : is_aside_too(to, aside, name, name_end))) {
        break;
      }
      p = to.structure->next_separator(name_end);
      if (p != nullptr && (*p == '{' || *p == '[')) {
        p = to.structure->leave_container(p + 1);
        if (p != nullptr) p = to.structure->next_separator(p);
      }
      if (p == nullptr || p > close) break;
      if (*p == ',') p = json::core::skip_space(p + 1, close);
    }
    index_.truncate(base);
    names_.truncate(0);
    return p == close;
  }

 private:
  /// An open object with members put aside, and how many there were before.
  struct object {
    std::size_t depth;
    std::size_t from;
    std::size_t to;
  };
  using members = base::stack<text_member, 16>;

  bool note_innermost() {
    return has_innermost() || objects_.push({patch_.depth(), from_.size(), to_.size()}) ||
           patch_.fail_at(errc::out_of_memory, {});
  }
  /// What is passed over here may have to be passed over again.
  static bool is_near(const char* a_before, const char* a, const char* b_before,
                      const char* b) noexcept {
    constexpr std::ptrdiff_t most = json::core::tuning::text_looked_ahead;
    return a - a_before <= most && b - b_before <= most;
  }
  bool has_innermost() const noexcept {
    return !objects_.empty() && objects_.back().depth == patch_.depth();
  }

  /// Whether one of the last members put aside has this name.
  static bool is_among_last(std::string_view name, const char* text, members_aside aside) noexcept {
    constexpr std::size_t few = json::core::tuning::text_reordered;
    for (std::size_t i = aside.count > few ? aside.count - few : 0; i < aside.count; ++i) {
      if (json::core::same_string(name, name_of(text, aside.first[i]))) return true;
    }
    return false;
  }

  /// Reads the member at `p` and goes to the next name or to the closing bracket.
  bool collect(const text_side& side, const char*& p, members& all, bool strict) {
    text_member member;
    member.name = static_cast<text_offset>(p - side.text);
    if (*p != '"' || (p = string_end(*side.structure, p, side.end)) == nullptr) {
      return patch_.not_json();
    }
    member.name_end = static_cast<text_offset>(p - side.text);
    if (!to_value(p, side.end)) return patch_.not_json();
    member.value = static_cast<text_offset>(p - side.text);
    if ((p = value_end(*side.structure, p, side.end)) == nullptr) return patch_.not_json();
    member.value_end = static_cast<text_offset>(p - side.text);
    member.unescaped = member.match = no_offset;
    p = json::core::skip_space(p, side.end);
    if (p != side.end && *p == ',') {
      p = json::core::skip_space(p + 1, side.end);
      if (strict && p != side.end && *p != '"') return patch_.not_json();
    } else if (p != side.end && *p != '}') {
      return patch_.not_json();
    }
    if (p == side.end) return patch_.not_json();
    return all.push(member) || patch_.fail_at(errc::out_of_memory, {});
  }
  /// The name at `p`, unless there is a closing bracket.
  static bool next_name(const text_side& side, const char* p, std::string_view& name) noexcept {
    if (*p != '"') return *p == '}';
    const char* const last = string_end(*side.structure, p, side.end);
    if (last != nullptr) name = text_between(p + 1, last - 1);
    return last != nullptr;
  }
  /// Whether the reader would accept the names of the members of `to` put aside, from the `first`
  /// on, for certain.
  bool valid_names(const text_side& to, std::size_t first) {
    for (; first != to_.size(); ++first) {
      const text_member& member = to_[first];
      if (!json::core::is_valid_string(to.text + member.name + 1, to.text + member.name_end - 1)) {
        return patch_.not_json();
      }
    }
    return true;
  }

  /// Whether another member put aside has this name, with its quotes.
  static bool is_aside_too(const text_side& to, members_aside aside, const char* name,
                           const char* name_end) noexcept {
    for (std::size_t i = 0; i < aside.count; ++i) {
      const text_member& other = aside.first[i];
      if (name != to.text + other.name &&
          json::core::same_string(text_between(name + 1, name_end - 1), name_of(to.text, other))) {
        return true;
      }
    }
    return false;
  }
  /// Makes an index of the members put aside. False when a name stands twice or memory ran out.
  bool index_aside(const text_side& to, members_aside aside, json::core::name_index& index) {
    text_member* const own = to_.data() + (aside.first - to_.data());
    for (std::size_t i = 0; i < aside.count; ++i) {
      own[i].unescaped = no_offset;
      if (!keep_plain(to.text, own[i], names_)) return false;
    }
    json::core::first_repeat repeat;
    const member_names names{to.text, own, names_.data()};
    return index.build(static_cast<size_type>(aside.count), json::core::indexed(names), index_,
                       repeat) &&
           repeat.at == json::core::no_index;
  }
  /// Whether another member put aside has this name, with its quotes; also when memory ran out.
  bool stands_twice(const text_side& to, members_aside aside, const json::core::name_index& index,
                    const char* name, const char* name_end) {
    std::string_view plain = text_between(name + 1, name_end - 1);
    const std::size_t kept = names_.size();
    if (json::core::has_escapes(plain)) {
      if (!append_plain(plain, names_)) return true;
      plain = {names_.data() + kept, names_.size() - kept};
    }
    const size_type i =
        index.find_text(plain, member_names{to.text, aside.first, names_.data()}, index_);
    names_.truncate(kept);
    return i != json::core::no_index && to.text + aside.first[i].name != name;
  }

  text_patch& patch_;
  base::stack<object, 4> objects_;
  members from_;
  members to_;
  plain_names names_;
  json::core::index_memory index_;
};

/// The same where size counts: nothing is near, and no member is put aside.
class no_look_ahead {
 public:
  no_look_ahead(text_patch&, const memory_source&) noexcept {}
  bool none() const noexcept { return true; }
  bool any() const noexcept { return false; }
  members_aside of_from() const noexcept { return {nullptr, 0}; }
  members_aside of_to() const noexcept { return {nullptr, 0}; }
  std::size_t outermost_to_stop_at() const noexcept { return 1; }
  void leave(std::size_t) noexcept {}
  bool find_pair(const text_side&, const char*, const text_side&, const char*, bool, bool& found) {
    found = false;
    return true;
  }
  bool put_rest_aside(const text_side&, const char*, const text_side&, const char*, bool,
                      bool& few) {
    few = false;
    return true;
  }
  bool no_pairs(const char*, const char*) const noexcept { return false; }
  bool names_differ(const text_side&, const char*, const char*) { return true; }
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
