/// Two JSON texts walked side by side: the machine behind diff_text and the equality of texts.
///
/// It stands at the same place of both texts and does, over and over: pass over what is the same
/// byte by byte (text_walk.hpp); then one member, element or separator by its meaning; and so on.
/// Members are expected in the same order. Where they are not, the walk looks a few members ahead
/// and puts aside what it cannot pair (look_ahead.hpp). When that does not help, the rest of the
/// two objects is matched by name (indexed_diff.hpp). What is found to differ is written on the
/// way (text_patch.hpp).
#pragma once

#include <string_view>  // std::string_view

#include "../../base/memory.hpp"
#include "../../json/error.hpp"
#include "../../json/text/tokens.hpp"
#include "../../json/text/validate.hpp"
#include "../../json/tree/tree_diff.hpp"
#include "indexed_diff.hpp"
#include "look_ahead.hpp"
#include "text_member.hpp"
#include "text_patch.hpp"
#include "text_sink.hpp"
#include "text_walk.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

class text_diff : private text_walk {
 public:
  /// `sink` gets the merge patch; when it is null, only whether the texts differ is found out.
  text_diff(const json::core::diff_rules& rules, text_sink* sink,
            const memory_source& memory) noexcept
      : text_walk(rules, sink, memory), indexed_(patch_, memory) {}

  /// From now on `to` is validated wherever it differs from `from`, which must be valid: then a
  /// walk without error means that both are. malformed() means that the reader has to decide. Only
  /// where there are shortcuts.
  void check_second() noexcept {
    if constexpr (shortcuts) strict_ = true;
  }
  /// Walks. Errors: null_member, kept_member, depth_exceeded with the pointer, out_of_memory,
  /// too_large; and when malformed(), any: the text is not JSON then, and the reader knows better
  /// where.
  void run(std::string_view from, std::string_view to) {
    if (!patch_.short_enough(from, to)) return;
    reset(from, to);
    indexed_.reset(from, from_structure_, to, to_structure_);
    skip_spaces();
    static_cast<void>(walk());  // false may only mean that a difference was found
  }

  bool differ() const noexcept { return patch_.differ(); }
  bool malformed() const noexcept { return patch_.malformed(); }
  const error& failure() const noexcept { return patch_.failure(); }

 private:
  // Each returns false when failure() is set, or when the walk is over because only a difference
  // was wanted.

  bool walk() {
    if (a_ == a_end_ || b_ == b_end_) return patch_.not_json();
    if (patch_.wanted()) {
      if (*a_ != '{' || *b_ != '{') return strict() ? patch_.not_json() : whole();
      patch_.begin();
    } else if (*a_ != *b_ || (*a_ != '{' && *a_ != '[')) {
      return scalars();
    }
    if (!enter()) return false;
    while (!patch_.empty()) {
      if (state_ == state::after) {
        if (!after_step()) return false;
        continue;
      }
      if (!skip_equal()) return false;
      if (patch_.empty() || state_ != state::entry) continue;
      if (!(patch_.inside_object() ? member_step() : element_step())) return false;
    }
    return !strict() || json::core::skip_space(b_, b_end_) == b_end_ || patch_.not_json();
  }

  /// The roots are not both objects: the patch is `to` itself.
  bool whole() {
    const char* const end = value_end(to_structure_, b_, b_end_);
    return end == nullptr ? patch_.not_json() : patch_.put_root(b_, end);
  }

  bool after_step() {
    skip_spaces();
    if (a_ == a_end_ || b_ == b_end_) return patch_.not_json();
    const char close = patch_.inside_object() ? '}' : ']';
    if ((*a_ != ',' && *a_ != close) || (*b_ != ',' && *b_ != close)) return patch_.not_json();
    if (*a_ == ',') ++a_;
    if (*b_ == ',') {
      ++b_;
      if (strict()) {
        b_ = json::core::skip_space(b_, b_end_);
        if (b_ == b_end_ || *b_ == '}' || *b_ == ']') return patch_.not_json();
      }
    }
    state_ = state::entry;
    return true;
  }

  bool element_step() {
    skip_spaces();
    if (a_ == a_end_ || b_ == b_end_) return patch_.not_json();
    if (*a_ != ']' && *b_ != ']') return pair();
    if (*a_ != *b_) return different();
    ++a_;
    ++b_;
    leave();
    return true;
  }

  bool member_step() {
    skip_spaces();
    if (a_ == a_end_ || b_ == b_end_) return patch_.not_json();
    if (*a_ == '}' && *b_ == '}' && !aside_.any()) {
      ++a_;
      ++b_;
      leave();
      return true;
    }
    if (strict() && *b_ == '}' && behind_comma(b_)) return patch_.not_json();
    if (*a_ == '}' || *b_ == '}') return object_end();
    if (*a_ != '"' || *b_ != '"') return patch_.not_json();
    const char* const to_end = string_end(to_structure_, b_, b_end_);
    if (to_end == nullptr) return patch_.not_json();
    const char* from_end;
    if (to_end <= same_to_) {
      from_end = a_ + (to_end - b_);
    } else {
      if (strict() && !json::core::is_valid_string(b_ + 1, to_end - 1)) return patch_.not_json();
      from_end = string_end(from_structure_, a_, a_end_);
      if (from_end == nullptr) return patch_.not_json();
      if (!json::core::same_string(text_between(a_ + 1, from_end - 1),
                                   text_between(b_ + 1, to_end - 1))) {
        return reorder();
      }
    }
    name_ = b_;
    name_end_ = to_end;
    a_ = from_end;
    b_ = to_end;
    return to_value(a_, a_end_) && to_value(b_, b_end_) ? pair() : patch_.not_json();
  }

  /// Compares the two values at hand: settles scalars, enters containers.
  bool pair() {
    if (*a_ == *b_ && (*a_ == '{' || *a_ == '[')) return enter();
    const char* const value = b_;
    bool same = false;
    if (!skip_scalars(same)) return false;
    state_ = state::after;
    return same || different(value, b_);
  }
  bool skip_scalars(bool& same) {
    const char* const a = a_;
    const char* const b = b_;
    a_ = value_end(from_structure_, a_, a_end_);
    b_ = value_end(to_structure_, b_, b_end_);
    if (a_ == nullptr || b_ == nullptr) return patch_.not_json();
    if (strict() && !is_valid(b, b_)) return patch_.not_json();
    same = json::core::same_scalar_text(text_between(a, a_), text_between(b, b_),
                                        patch_.rules().numbers, patch_.rules().number_texts);
    return true;
  }
  bool scalars() {
    bool same = false;
    if (!skip_scalars(same)) return false;
    if (!same) patch_.note_difference();
    return true;
  }

  /// Opens the containers at hand.
  bool enter() {
    if (!patch_.push(a_, b_)) return false;
    ++a_;
    ++b_;
    state_ = state::entry;
    return true;
  }

  // --- Members in another order -----------------------------------------------------------------

  text_side from_side() noexcept { return {&from_structure_, from_, a_end_}; }
  text_side to_side() noexcept { return {&to_structure_, to_, b_end_}; }

  /// Two members of different names: goes on with the next pair of the same name, if it is near.
  /// Once that failed, no order is expected any more. On small machines it never is.
  bool reorder() {
    if (ordered_) {
      if (!aside_.find_pair(from_side(), a_, to_side(), b_, strict(), ordered_)) return false;
      if (ordered_) return true;
    }
    return validate_all() && compare_rest();
  }
  /// From here on `to` is not looked at in order, so it is validated as a whole, once.
  bool validate_all() {
    if (strict() && !is_valid_text()) return patch_.not_json();
    strict_ = false;
    return true;
  }
  DEVICETWIN_NEVER_INLINE bool is_valid_text() {  // it needs much room on the stack
    return json::core::quick_validator(text_between(to_, b_end_), patch_.rules().max_depth, memory_)
        .sure();
  }

  /// One of the objects has no more members: what is left of the other, and what was put aside,
  /// is matched by name.
  bool object_end() {
    if (!strict() && !aside_.any()) {
      if (!says_members()) return different();
      while (*a_ != '}') {
        if (!member_alone(from_structure_, a_, a_end_)) return false;
      }
      while (*b_ != '}') {
        if (!member_alone(to_structure_, b_, b_end_)) return false;
      }
      return true;
    }
    bool few = false;
    if (!aside_.put_rest_aside(from_side(), a_, to_side(), b_, strict(), few)) return false;
    if (!few) return validate_all() && compare_rest();
    if (strict()) {
      const members_aside aside = aside_.of_to();
      for (std::size_t i = 0; i < aside.count; ++i) {
        if (!is_valid(to_ + aside.first[i].value, to_ + aside.first[i].value_end)) {
          return patch_.not_json();
        }
      }
      if (!aside_.names_differ(to_side(), to_ + patch_.innermost().to + 1, b_)) {
        return patch_.not_json();
      }
    }
    return says_members() && aside_.no_pairs(from_, to_) ? put_aside_members() : compare_rest();
  }
  /// What was put aside is in one text only.
  bool put_aside_members() {
    const members_aside gone = aside_.of_from();
    for (std::size_t i = 0; i < gone.count; ++i) {
      const text_member& member = gone.first[i];
      if (!patch_.remove(from_ + member.name, from_ + member.name_end)) return false;
    }
    const members_aside added = aside_.of_to();
    for (std::size_t i = 0; i < added.count; ++i) {
      const text_member& member = added.first[i];
      if (!patch_.set(to_ + member.name, to_ + member.name_end, to_ + member.value,
                      to_ + member.value_end)) {
        return false;
      }
    }
    return close_objects();
  }

  /// The member at `p` has no partner. Moves to the next one, or to the closing bracket.
  bool member_alone(json::core::text_structure& structure, const char*& p, const char* end) {
    const char* const name = p;
    const char* const name_end = *p == '"' ? string_end(structure, p, end) : nullptr;
    if (name_end == nullptr) return patch_.not_json();
    const char* value = name_end;
    if (!to_value(value, end)) return patch_.not_json();
    const char* const last = value_end(structure, value, end);
    if (last == nullptr) return patch_.not_json();
    p = json::core::skip_space(last, end);
    if (p != end && *p == ',') p = json::core::skip_space(p + 1, end);
    if (p == end || (*p != '}' && *p != '"')) return patch_.not_json();
    return &structure == &from_structure_ ? patch_.remove(name, name_end)
                                          : patch_.set(name, name_end, value, last);
  }

  bool compare_rest() {
    bool differs = false;
    if (!indexed_.compare(aside_.of_from(), aside_.of_to(), a_, b_, differs)) {
      return differs && different();
    }
    return close_objects();
  }
  /// Both are at the closing bracket of an object.
  bool close_objects() {
    ++a_;
    ++b_;
    leave();
    return true;
  }

  // --- Differences ------------------------------------------------------------------------------

  /// Inside an array, something differs; an array is one value, so the outermost one does.
  bool different() {
    patch_.note_difference();
    if (!patch_.wanted()) return false;
    const open_pair outer = patch_[patch_.outermost_array()];
    while (patch_.inside_array()) pop();
    a_ = value_end(from_structure_, from_ + outer.from, a_end_);
    b_ = value_end(to_structure_, to_ + outer.to, b_end_);
    if (a_ == nullptr || b_ == nullptr) return patch_.not_json();
    if (!patch_.name_before(outer, name_, name_end_)) return patch_.not_json();
    if (strict() && !is_valid(to_ + outer.to, b_)) return patch_.not_json();
    state_ = state::after;
    return patch_.set(name_, name_end_, to_ + outer.to, b_);
  }
  /// The member at hand differs.
  bool different(const char* value, const char* end) {
    return says_members() ? patch_.set(name_, name_end_, value, end) : different();
  }
  /// Whether the patch can say what differs in the innermost objects.
  bool says_members() const noexcept { return patch_.wanted() && !patch_.inside_array(); }

  void skip_spaces() noexcept {
    a_ = json::core::skip_space(a_, a_end_);
    b_ = json::core::skip_space(b_, b_end_);
  }

  bool ordered_ = true;
  indexed_diff indexed_;
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
