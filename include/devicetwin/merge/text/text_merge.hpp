/// A merge patch on a text worked out before anything is written: which bytes stay, go, and come
/// in.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint32_t
#include <string_view>  // std::string_view
#include <type_traits>  // std::conditional_t

#include "../../base/stack.hpp"
#include "../../json/error.hpp"
#include "../../json/pointer.hpp"
#include "../../json/text/tokens.hpp"
#include "../../json/tree/name_hash.hpp"
#include "../../json/tree/name_index.hpp"
#include "../../json/tree/tuning.hpp"
#include "../journal.hpp"
#include "../options.hpp"
#include "text_diff.hpp"
#include "text_member.hpp"
#include "text_sink.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

class text_merge {
 public:
  enum class action : unsigned char {
    set,      ///< the value of the member `name` is replaced
    add,      ///< the member `name` is new
    remove,   ///< the member `name` goes
    descend,  ///< what follows is about the members of the member `name`
    leave,    ///< and now about those of the object around it again
  };
  /// A piece of text: of the document, of the patch, or made here.
  struct piece {
    const char* first = nullptr;  ///< null: made here
    std::size_t start = 0;        ///< in what was made
    std::size_t length = 0;
  };
  struct entry {
    action what;
    bool comma;             ///< a new member needs a comma before it
    text_offset cut_first;  ///< these bytes of the document go; a new member comes in here
    text_offset cut_last;
    text_offset old_first, old_last;  ///< the value that was there, if any
    std::string_view name;            ///< what stands between its quotes
    piece value;                      ///< the new one
    std::size_t plain;                ///< where the name without escapes stands, if it has any
    std::size_t plain_length;
  };

  /// What goes wrong is written to `failure`.
  text_merge(const text_options& o, error& failure) noexcept
      : options_(o),
        failure_(failure),
        frames_(o.memory),
        wanted_(o.memory),
        entries_(o.memory),
        made_(o.memory),
        names_(o.memory),
        index_(o.memory) {}

  /// Works out what applying `patch` to `document` does.
  /// Errors: depth_exceeded, out_of_memory, too_large; and when malformed(), any.
  void make(std::string_view document, std::string_view patch) {
    if (document.size() > longest_text || patch.size() > longest_text) {
      const std::size_t size = document.size() > patch.size() ? document.size() : patch.size();
      failure_ = error(errc::too_large).limited_to(longest_text, size);
      return;
    }
    text_ = p_ = document.data();
    end_ = text_ + document.size();
    q_ = patch_text_ = patch.data();
    q_end_ = q_ + patch.size();
    document_.reset(document);
    patch_.reset(patch);
    p_ = json::core::skip_space(p_, end_);
    q_ = json::core::skip_space(q_, q_end_);
    if (p_ == end_ || q_ == q_end_) {
      static_cast<void>(not_json());
    } else if (*p_ != '{' || *q_ != '{') {
      static_cast<void>(whole());
    } else {
      static_cast<void>(walk());
    }
  }

  bool malformed() const noexcept { return malformed_; }
  std::size_t changes() const noexcept { return changes_; }
  /// Those of them that remove a member.
  std::size_t removals() const noexcept { return removals_; }

  /// Whether each change is also one under another rule for numbers. False when `failure` was set.
  bool change_under(text_numbers rule, bool& all) {
    all = true;
    options_.number_texts = rule;
    for (std::size_t i = 0; all && i < entries_.size(); ++i) {
      const entry& e = entries_[i];
      if (e.what != action::set) continue;
      const std::string_view old(text_ + e.old_first, e.old_last - e.old_first);
      const char first = old.front();
      if (first != '-' && first != '[' && !json::core::is_digit(first)) continue;
      bool same = false;
      if (!same_value(old, view(e.value), same)) return false;
      all = !same;
    }
    return true;
  }

  /// Writes the new text.
  void write(text_sink& out) const {
    const char* done = text_;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const entry& e = entries_[i];
      if (e.what == action::descend || e.what == action::leave) continue;
      out.put(done, text_ + e.cut_first);
      if (e.what == action::add) {
        if (e.comma) out.put(',');
        out.put('"');
        out.put(e.name);
        out.put("\":");
      }
      if (e.what != action::remove) out.put(view(e.value));
      done = text_ + e.cut_last;
    }
    out.put(done, end_);
  }

  using steps = base::stack<json::step, 8>;

  /// Makes ready for tell(). False when memory ran out.
  bool prepare_to_tell(steps& path) {
    std::size_t depth = 1, deepest = 1;
    names_.truncate(0);
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      entry& e = entries_[i];
      if (e.what == action::descend && ++depth > deepest) deepest = depth;
      if (e.what == action::leave) --depth;
      if (!json::core::has_escapes(e.name)) continue;
      e.plain = names_.size();
      if (!append_plain(e.name, names_)) return false;
      e.plain_length = names_.size() - e.plain;
    }
    return path.extend(deepest);
  }
  /// Tells the journal every change, in the order of the document; after prepare_to_tell(), where
  /// there is any.
  template <class Journal>
  void tell(Journal& journal, steps& path) const {
    if (changes() == 0) return;
    std::size_t depth = 0;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const entry& e = entries_[i];
      if (e.what == action::leave) {
        --depth;
        continue;
      }
      path[depth] = json::step::member(
          e.plain_length == 0 ? e.name : std::string_view(names_.data() + e.plain, e.plain_length));
      if (e.what == action::descend) {
        ++depth;
        continue;
      }
      const std::string_view old_text(text_ + e.old_first, e.old_last - e.old_first);
      const std::string_view new_text = view(e.value);
      journal(json::location(path.data(), whole_ ? 0 : depth + 1),
              e.what == action::add ? nullptr : &old_text,
              e.what == action::remove ? nullptr : &new_text);
    }
  }

 private:
  /// A member of a patch's object; its `match` is set once the document's member of that name was
  /// met.
  using wish = text_member;
  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  using hint_bits =
      std::conditional_t<shortcuts, std::uint64_t, unsigned char>;  // where they are of use, or not

  /// An object of the document into which an object of the patch is being merged.
  struct frame {
    std::size_t first_wish;
    std::size_t next_wish;  ///< where the next is expected
    std::size_t left;       ///< wishes not met yet
    std::size_t descended;  ///< the entry that led here
    std::size_t names;
    std::size_t index_base;
    json::core::name_index index;
    bool indexed;
    bool escapes;                  ///< a name among the wishes is spelled with escapes
    hint_bits hints, first_hints;  ///< of the names of the wishes, see hint() and first_hint()
    bool kept;                     ///< a member stands before and stays
    std::size_t leading;  ///< the last entry that removes a member with none before it that stays;
                          ///< none: none
    text_offset last;     ///< behind the last member, or behind the opening bracket
  };

  bool whole() {
    const char* const value = p_;
    if ((p_ = value_end(document_, p_, end_)) == nullptr) return not_json();
    const char* const wanted = q_;
    if ((q_ = value_end(patch_, q_, q_end_)) == nullptr) return not_json();
    bool same = false;
    if (*wanted != '{' && !same_value(text(value, p_), text(wanted, q_), same)) return false;
    if (same) return true;
    whole_ = true;
    return change(action::set, value, p_, value, p_, {}, wanted, q_, false);
  }

  bool walk() {
    if (!enter()) return false;
    while (!frames_.empty()) {
      frame& top = frames_.back();
      if (top.left == 0 && !returning_needed()) break;  // nothing is left to do
      if (!member_step(top)) return false;
    }
    return true;
  }

  /// Whether any open object still has to be looked through.
  bool returning_needed() const noexcept {
    for (std::size_t i = 0; i < frames_.size(); ++i) {
      if (frames_[i].left != 0 || frames_[i].leading != none) return true;
    }
    return false;
  }

  /// Both at an opening brace: reads all members of the patch's object.
  bool enter() {
    if (frames_.size() >= options_.max_depth) return fail(errc::depth_exceeded);
    frame opened;
    opened.first_wish = opened.next_wish = wanted_.size();
    opened.left = 0;
    opened.descended = entries_.size();
    opened.names = names_.size();
    opened.index_base = index_.size();
    opened.indexed = opened.escapes = opened.kept = false;
    opened.leading = none;
    opened.hints = opened.first_hints = 0;
    ++p_;
    opened.last = static_cast<text_offset>(p_ - text_);
    q_ = json::core::skip_space(q_ + 1, q_end_);
    for (;;) {
      if (q_ == q_end_) return not_json();
      if (*q_ == '}') break;
      wish next;
      next.name = in_patch(q_);
      if (*q_ != '"' || (q_ = string_end(patch_, q_, q_end_)) == nullptr) return not_json();
      next.name_end = in_patch(q_);
      if constexpr (shortcuts) {
        opened.hints = static_cast<hint_bits>(opened.hints | hint(name_of(patch_text_, next)));
        opened.first_hints =
            static_cast<hint_bits>(opened.first_hints | first_hint(patch_text_ + next.name));
      }
      opened.escapes = opened.escapes || json::core::has_escapes(name_of(patch_text_, next));
      if (!to_value(q_, q_end_)) return not_json();
      next.value = in_patch(q_);
      if ((q_ = value_end(patch_, q_, q_end_)) == nullptr) return not_json();
      next.value_end = in_patch(q_);
      next.unescaped = next.match = no_offset;
      if (!wanted_.push(next)) return fail(errc::out_of_memory);
      ++opened.left;
      q_ = json::core::skip_space(q_, q_end_);
      if (q_ != q_end_ && *q_ == ',') {
        q_ = json::core::skip_space(q_ + 1, q_end_);
      } else if (q_ != q_end_ && *q_ != '}') {
        return not_json();
      }
    }
    ++q_;
    return frames_.push(opened) || fail(errc::out_of_memory);
  }

  /// The next member of the document, or the end of its object.
  bool member_step(frame& top) {
    p_ = json::core::skip_space(p_, end_);
    if (p_ == end_) return not_json();
    if (*p_ == ',') {
      p_ = json::core::skip_space(p_ + 1, end_);
      if (p_ == end_) return not_json();
    }
    if (top.leading !=
        none) {  // a removed first member takes what stands between it and the next one
      entries_[top.leading].cut_last = *p_ == '}' ? top.last : at(p_);
      if (*p_ != '}') top.last = at(p_);
      top.leading = none;
    }
    if (*p_ == '}') return leave(top);
    if (top.left == 0) {  // nobody asks for the rest
      top.kept = true;
      p_ = document_.leave_container(p_);
      if (p_ == nullptr) return not_json();
      --p_;
      return leave(top);
    }
    if (shortcuts && !top.escapes && !pass(top)) return false;
    if (*p_ == '}') return leave(top);
    const char* const name = p_;
    if (*p_ != '"' || (p_ = string_end(document_, p_, end_)) == nullptr) return not_json();
    const char* const name_end = p_;
    if (!to_value(p_, end_)) return not_json();
    const char* const value = p_;
    wish* found = nullptr;
    if (!find(top, text(name + 1, name_end - 1), found)) return false;
    if (found == nullptr || (patch_text_[found->value] == '{' && *value == '{')) {
      top.kept = true;
      if (found == nullptr) {
        if ((p_ = value_end(document_, p_, end_)) == nullptr) return not_json();
        top.last = at(p_);
        return true;
      }
      found->match = 0;
      --top.left;
      const char* const rest = patch_text_ + found->value;
      entry e{};
      e.what = action::descend;
      e.name = text(name + 1, name_end - 1);
      if (!entries_.push(e)) return fail(errc::out_of_memory);
      q_ = rest;
      return enter();
    }
    found->match = 0;
    --top.left;
    const char* const wanted = patch_text_ + found->value;
    const char* const wanted_end = patch_text_ + found->value_end;
    if ((p_ = value_end(document_, p_, end_)) == nullptr) return not_json();
    const text_offset before = top.last;
    top.last = at(p_);
    if (*wanted == 'n' && options_.nulls != null_rule::keep) {
      if (!top.kept) top.leading = entries_.size();
      return change(action::remove, top.kept ? text_ + before : name, p_, value, p_,
                    text(name + 1, name_end - 1), nullptr, nullptr, false);
    }
    top.kept = true;
    bool same = false;
    if (!same_value(text(value, p_), text(wanted, wanted_end), same)) return false;
    return same || change(action::set, value, p_, value, p_, text(name + 1, name_end - 1), wanted,
                          wanted_end, false);
  }

  /// Passes over members that nobody asks for, as far as that is seen at a glance.
  bool pass(frame& top) {
    const char* p = p_;
    const char* behind = nullptr;  // the last value passed over, and white space
    while (end_ - p > 2 && *p == '"' && p[1] != '\\' && p[2] != '\\') {
      if ((top.first_hints & first_hint(p)) != 0) {
        const char* const name_end = json::core::find_quote(p + 1, end_);
        if (name_end == end_ || *name_end == '\\' || (top.hints & hint(text(p + 1, name_end))) != 0)
          break;
      }
      behind = document_.next_separator(p);
      if (behind != nullptr && (*behind == '{' || *behind == '[')) {
        behind = document_.leave_container(behind + 1);
        if (behind != nullptr) behind = document_.next_separator(behind);
      }
      if (behind == nullptr) return not_json();
      p = behind;
      if (*p == ',' && ++p != end_ && *p != '"') p = json::core::skip_space(p, end_);
      if (p == end_) return not_json();
    }
    p_ = p;
    if (behind == nullptr) return true;
    top.kept = true;
    while (json::core::is_space(behind[-1])) --behind;
    top.last = at(behind);
    return true;
  }
  /// A bit for the first two bytes of a name without escapes, or its closing quote, from its
  /// opening quote on.
  static std::uint64_t first_hint(const char* name) noexcept {
    const unsigned first = static_cast<unsigned char>(name[1]);
    const unsigned second = first == '"' ? 0u : static_cast<unsigned char>(name[2]);
    return std::uint64_t{1} << ((first * 5u + second) & 63);
  }
  /// A bit for the length and last byte of a name.
  static std::uint64_t hint(std::string_view name) noexcept {
    const std::size_t last = name.empty() ? 0 : static_cast<unsigned char>(name.back());
    return std::uint64_t{1} << ((name.size() * 7 + last) & 63);
  }

  /// At the closing brace: what the document does not have yet comes in.
  bool leave(frame& top) {
    const std::size_t count = wanted_.size();
    for (std::size_t i = top.first_wish; top.left != 0 && i < count; ++i) {
      const wish& wanted = wanted_[i];
      if (wanted.match != no_offset) continue;
      --top.left;
      if (patch_text_[wanted.value] == 'n' && options_.nulls != null_rule::keep) continue;
      if (!change(action::add, text_ + top.last, text_ + top.last, nullptr, nullptr,
                  name_of(patch_text_, wanted), patch_text_ + wanted.value,
                  patch_text_ + wanted.value_end, top.kept)) {
        return false;
      }
      top.kept = true;
    }
    const std::size_t descended = top.descended;
    wanted_.truncate(top.first_wish);
    names_.truncate(top.names);
    index_.truncate(top.index_base);
    frames_.pop();
    if (!frames_.empty()) {
      if (entries_.size() == descended) {
        entries_.pop();
      } else {
        entry e{};
        e.what = action::leave;
        if (!entries_.push(e)) return fail(errc::out_of_memory);
      }
      frames_.back().last = at(p_ + 1);
    }
    ++p_;
    return true;
  }

  /// Notes a change.
  bool change(action what, const char* cut, const char* cut_end, const char* old,
              const char* old_end, std::string_view name, const char* value, const char* value_end,
              bool comma) {
    entry e{};
    e.what = what;
    e.comma = comma;
    e.cut_first = at(cut);
    e.cut_last = at(cut_end);
    if (old != nullptr) {
      e.old_first = at(old);
      e.old_last = at(old_end);
    }
    e.name = name;
    ++changes_;
    if (what == action::remove) ++removals_;
    if (value != nullptr && !value_of(value, value_end, e.value)) return false;
    return entries_.push(e) || fail(errc::out_of_memory);
  }

  /// A value of the patch as it comes into the document: without the nulls that vanish, if it has
  /// any.
  bool value_of(const char* value, const char* end, piece& result) {
    result = {value, 0, static_cast<std::size_t>(end - value)};
    if (*value != '{' || options_.nulls != null_rule::remove) return true;
    const std::size_t start = made_.size();
    const char* copied = value;  // what stands before was copied, or left out
    bool left_out = false;
    std::size_t depth = frames_.size();
    bool first = true;      // no member of the innermost object was kept yet
    const char* p = value;  // goes from token to token
    const std::size_t around = depth;
    for (;;) {
      // At an opening brace.
      if (depth >= options_.max_depth) return fail(errc::depth_exceeded);
      ++depth;
      ++p;
      first = true;
      bool inner = false;
      while (!inner) {
        const char* const before = p;
        p = json::core::skip_space(p, end);
        if (p == end) return not_json();
        if (*p == '}') {
          ++p;
          first = false;
          if (--depth == around) {
            if (!left_out) return true;
            if (!made_.append(copied, static_cast<std::size_t>(p - copied))) {
              return fail(errc::out_of_memory);
            }
            result = {nullptr, start, made_.size() - start};
            return true;
          }
          continue;
        }
        const bool comma = *p == ',';
        if (comma) p = json::core::skip_space(p + 1, end);
        const char* const name = p;
        if (p == end || *p != '"' || (p = string_end(patch_, p, end)) == nullptr) return not_json();
        if (!to_value(p, end)) return not_json();
        if (*p ==
            'n') {  // leave it out, with the comma before it or, if it is first, the one after it
          if ((p = value_end(patch_, p, end)) == nullptr) return not_json();
          left_out = true;
          if (!made_.append(copied, static_cast<std::size_t>((first ? name : before) - copied))) {
            return fail(errc::out_of_memory);
          }
          if (first) {
            const char* const after = json::core::skip_space(p, end);
            if (after != end && *after == ',') p = json::core::skip_space(after + 1, end);
          }
          copied = p;
          continue;
        }
        first = false;
        if (*p == '{') {
          inner = true;
        } else if ((p = value_end(patch_, p, end)) == nullptr) {
          return not_json();
        }
      }
    }
  }

  /// The wish of this name that is not met yet, or null.
  bool find(frame& top, std::string_view raw, wish*& found) {
    constexpr std::size_t few = json::core::tuning::text_wishes_scanned;
    const std::size_t count = wanted_.size();
    wish* const all = wanted_.data();
    if (top.next_wish < count && spelled(all[top.next_wish], raw)) {
      found = all + top.next_wish++;
      return true;
    }
    if (count - top.first_wish <= few) {
      for (std::size_t i = top.first_wish; i < count; ++i) {
        if (spelled(all[i], raw)) {
          found = all + i;
          top.next_wish = i + 1;
          return true;
        }
      }
      if (!top.escapes && !json::core::has_escapes(raw)) return true;
      for (std::size_t i = top.first_wish; i < count; ++i) {
        if (all[i].match == no_offset &&
            json::core::same_string(name_of(patch_text_, all[i]), raw)) {
          found = all + i;
          top.next_wish = i + 1;
          return true;
        }
      }
      return true;
    }
    wish* const first = all + top.first_wish;
    if (!top.indexed) {
      for (std::size_t i = top.first_wish; i < count; ++i) {
        if (!keep_plain(patch_text_, all[i], names_)) return fail(errc::out_of_memory);
      }
      json::core::first_repeat repeat;
      const member_names names{patch_text_, first, names_.data()};
      if (!top.index.build(static_cast<size_type>(count - top.first_wish),
                           json::core::indexed(names), index_, repeat)) {
        return fail(errc::out_of_memory);
      }
      top.indexed = true;
    }
    std::string_view plain = raw;
    const std::size_t kept = names_.size();
    if (json::core::has_escapes(raw)) {
      if (!append_plain(raw, names_)) return fail(errc::out_of_memory);
      plain = {names_.data() + kept, names_.size() - kept};
    }
    const size_type i =
        top.index.find_text(plain, member_names{patch_text_, first, names_.data()}, index_);
    names_.truncate(kept);
    if (i != json::core::no_index && first[i].match == no_offset) {
      found = first + i;
      top.next_wish = top.first_wish + i + 1;
    }
    return true;
  }
  /// Whether a wish that is not met yet has this name, spelled the same.
  bool spelled(const wish& wanted, std::string_view raw) const noexcept {
    return wanted.match == no_offset && name_of(patch_text_, wanted) == raw;
  }

  /// Whether the value that is there already is what the patch's value would become; not both are
  /// objects.
  bool same_value(std::string_view old, std::string_view value, bool& same) {
    same = false;
    if (old.size() == value.size() && std::memcmp(old.data(), value.data(), old.size()) == 0) {
      same = true;
    } else if (old.front() != '[' || value.front() != '[') {
      same = json::core::same_scalar_text(old, value, options_.numbers, options_.number_texts);
    } else {
      return same_arrays(old, value, same);
    }
    return true;
  }
  DEVICETWIN_NEVER_INLINE bool same_arrays(std::string_view old, std::string_view value,
                                           bool& same) {
    json::core::diff_rules rules;
    rules.stop_at_first = true;
    rules.numbers = options_.numbers;
    rules.number_texts = options_.number_texts;
    rules.max_depth = static_cast<std::size_t>(-1);
    text_diff walk(rules, nullptr, options_.memory, failure_);
    walk.run(old, value);
    if (walk.malformed()) return not_json();
    if (failure_) return fail(failure_.code());  // without a pointer into the array
    same = !walk.differ();
    return true;
  }

  static std::string_view text(const char* first, const char* last) noexcept {
    return {first, static_cast<std::size_t>(last - first)};
  }
  text_offset in_patch(const char* q) const noexcept {
    return static_cast<text_offset>(q - patch_text_);
  }
  text_offset at(const char* p) const noexcept { return static_cast<text_offset>(p - text_); }
  std::string_view view(const piece& p) const noexcept {
    return {p.first != nullptr ? p.first : made_.data() + p.start, p.length};
  }
  static bool to_value(const char*& p, const char* end) noexcept {
    p = json::core::skip_space(p, end);
    if (p == end || *p != ':') return false;
    p = json::core::skip_space(p + 1, end);
    return p != end;
  }
  bool fail(errc code) noexcept {
    failure_ = error(code).limited_to(code == errc::depth_exceeded ? options_.max_depth : 0);
    return false;
  }
  bool not_json() noexcept {
    malformed_ = true;
    failure_ = errc::unexpected_character;
    return false;
  }

  text_options options_;
  error& failure_;
  const char* text_ = nullptr;
  const char* p_ = nullptr;  ///< where the walk is in the document
  const char* end_ = nullptr;
  const char* patch_text_ = nullptr;
  const char* q_ = nullptr;  ///< and in the patch
  const char* q_end_ = nullptr;
  json::core::text_structure document_;
  json::core::text_structure patch_;
  bool whole_ = false;
  bool malformed_ = false;
  std::size_t changes_ = 0;
  std::size_t removals_ = 0;
  base::stack<frame, 8> frames_;
  base::stack<wish, 16> wanted_;
  base::stack<entry, 16> entries_;
  base::stack<char, 64> made_;
  plain_names names_;
  json::core::index_memory index_;
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
