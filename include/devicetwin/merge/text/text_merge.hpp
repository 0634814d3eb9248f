/// The walk that finds what a merge patch changes in a text.
///
/// It goes through the document member by member and looks up each name in the patch. Where both
/// have an object, it goes on inside. It ends when every member of the patch was found, or its
/// place was.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../base/bits.hpp"
#include "../../base/inline.hpp"
#include "../../base/stack.hpp"
#include "../../json/error.hpp"
#include "../../json/text/tokens.hpp"
#include "../options.hpp"
#include "patch_members.hpp"
#include "text_diff.hpp"
#include "text_failure.hpp"
#include "text_member.hpp"
#include "text_plan.hpp"
#include "without_nulls.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

class text_merge : public text_steps {
 public:
  explicit text_merge(const text_options& o) noexcept
      : options_(o), frames_(o.memory), patch_(o.memory), plan_(o.memory) {}

  /// Finds what applying `patch` to `document` changes; called once. Errors: depth_exceeded,
  /// out_of_memory, too_large; and unexpected_character when malformed(). None has a place.
  bool make(std::string_view document, std::string_view patch) {
    if (!short_enough(document, patch)) return false;
    p_ = text_ = document.data();
    end_ = text_ + document.size();
    document_.reset(document);
    patch_.start(patch);
    plan_.start(document);
    p_ = json::core::skip_space(p_, end_);
    const char* const patch_end = patch.data() + patch.size();
    const char* const q = json::core::skip_space(patch.data(), patch_end);
    if (p_ == end_ || q == patch_end) return not_json();
    if (*p_ != '{' || *q != '{') return replace_document(q, patch_end);
    return walk(q);
  }

  /// The changes.
  text_plan& plan() noexcept { return plan_; }

  /// Sets `all` to whether each change is also one under another rule for numbers. Errors as
  /// make().
  bool change_under(text_numbers rule, bool& all) {
    all = true;
    options_.number_texts = rule;
    for (std::size_t i = 0; all && i < plan_.size(); ++i) {
      const text_plan::entry& e = plan_[i];
      if (e.what != text_plan::action::set) continue;
      const std::string_view old = plan_.old_value(e);
      const char first = old.front();
      if (first != '-' && first != '[' && !json::core::is_digit(first)) continue;
      bool same = false;
      if (!compare(old, plan_.new_value(e), same)) return false;
      all = !same;
    }
    return true;
  }

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  /// An object of the document that is open, and the patch's object that is merged into it.
  struct frame {
    patch_members::object wanted;
    std::size_t plan_size;  ///< size of the plan when this was opened
    std::size_t leading;  ///< the plan's entry that removed the member just passed, if all members
                          ///< before it are removed, too; or none
    text_offset last;     ///< the end of the last member, or of the opening brace
    bool kept;            ///< a member before this place is not removed
  };

  /// For a document or patch that is not an object: the patch's value replaces the document.
  bool replace_document(const char* wanted, const char* patch_end) {
    const char* const value = p_;
    if ((p_ = value_end(document_, p_, end_)) == nullptr) return not_json();
    const char* const wanted_end = value_end(patch_.structure(), wanted, patch_end);
    if (wanted_end == nullptr) return not_json();
    plan_.replace_document();
    return set_value({}, text_between(value, p_), text_between(wanted, wanted_end));
  }

  bool walk(const char* patch_object) {
    if (!open_object(patch_object)) return false;
    while (!frames_.empty()) {
      frame& top = frames_.back();
      if (patch_.left() == 0 && top.leading == none) break;  // nothing is left to do
      if (!member_step(top)) return false;
    }
    return true;
  }

  /// Opens the object at `p_`, and the patch's object at `brace`.
  bool open_object(const char* brace) {
    if (frames_.size() >= options_.max_depth) return succeeded(errc::depth_exceeded);
    frame* const opened = frames_.add();
    if (!have_memory(opened != nullptr) || !succeeded(patch_.open(brace, opened->wanted)))
      return false;
    ++p_;
    opened->plan_size = plan_.size();
    opened->leading = none;
    opened->last = at(p_);
    opened->kept = false;
    return true;
  }

  /// Handles the next member of the document, or the end of its object.
  bool member_step(frame& top) {
    p_ = json::core::skip_space(p_, end_);
    if (p_ == end_) return not_json();
    if (*p_ == ',') {
      p_ = json::core::skip_space(p_ + 1, end_);
      if (p_ == end_) return not_json();
    }
    // A first member is removed together with the comma and white space behind it.
    if (top.leading != none) {
      plan_.extend_removal(top.leading, *p_ == '}' ? top.last : at(p_));
      if (*p_ != '}') top.last = at(p_);
      top.leading = none;
    }
    if (*p_ == '}') return close_object(top);
    if (top.wanted.left() == 0) {
      top.kept = true;
      p_ = document_.leave_container(p_);
      if (p_ == nullptr) return not_json();
      --p_;
      return close_object(top);
    }
    const text_member* found = patch_.take_expected(top.wanted, p_, end_);
    const char* name_end = p_;
    if (found != nullptr) {
      name_end += found->name_end - found->name;
    } else if (shortcuts && !top.wanted.has_escapes()) {
      if (!skip_to_wanted(top, found, name_end)) return false;
      if (*p_ == '}') return close_object(top);
    }
    if (found == nullptr && !find_by_name(top, found, name_end)) return false;
    const char* const name = p_;
    p_ = name_end;
    if (!to_value(p_, end_)) return not_json();
    if (found != nullptr) return wanted_member(top, *found, name, name_end);
    top.kept = true;
    if ((p_ = value_end(document_, p_, end_)) == nullptr) return not_json();
    top.last = at(p_);
    return true;
  }

  /// Looks up the name at `p_`. Sets `found` to the patch's member, or to a null pointer.
  bool find_by_name(frame& top, const text_member*& found, const char*& name_end) {
    if (*p_ != '"' || (name_end = string_end(document_, p_, end_)) == nullptr) return not_json();
    const std::string_view raw = text_between(p_ + 1, name_end - 1);
    return have_memory(patch_.take_by_name(top.wanted, raw, json::core::has_escapes(raw), found));
  }
  /// Skips members that the patch does not have, most of them after a look at two bytes of the
  /// name. Stops at a member that it has, and sets `found` to the patch's; or at a name with escapes
  /// or the end of the object, with a null pointer. The patch's names must have no escapes.
  bool skip_to_wanted(frame& top, const text_member*& found, const char*& name_end) {
    const char* p = p_;
    const char* behind = nullptr;  // the separator after the last value skipped
    while (end_ - p > 2 && *p == '"' && p[1] != '\\' && p[2] != '\\') {
      if (top.wanted.may_begin(p)) {
        name_end = json::core::find_quote(p + 1, end_);
        if (name_end == end_ || *name_end == '\\') break;
        const std::string_view name = text_between(p + 1, name_end);
        ++name_end;
        if (top.wanted.may_be(name)) {
          found = patch_.take_expected(top.wanted, p, end_);
          if (found == nullptr && !have_memory(patch_.take_by_name(top.wanted, name, false, found)))
            return false;
          if (found != nullptr) break;
        }
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

  /// Applies the patch's member `found` to the value at `p_`.
  bool wanted_member(frame& top, const text_member& found, const char* name, const char* name_end) {
    const std::string_view name_text = text_between(name + 1, name_end - 1);
    const std::string_view wanted = patch_.value_of(found);
    const char* const value = p_;
    if (wanted.front() == '{' && *value == '{') {
      top.kept = true;
      return have_memory(plan_.descend(name_text)) && open_object(wanted.data());
    }
    const bool removes = wanted.front() == 'n' && options_.nulls != null_rule::keep;
    if (!removes && shortcuts && stands_at(value, wanted)) {
      p_ += wanted.size();
      top.kept = true;
      top.last = at(p_);
      return true;
    }
    if ((p_ = value_end(document_, p_, end_)) == nullptr) return not_json();
    const std::string_view old = text_between(value, p_);
    const text_offset before = top.last;
    top.last = at(p_);
    if (removes) {
      if (!top.kept) top.leading = plan_.size();
      return have_memory(plan_.remove(name_text, old, top.kept ? before : at(name)));
    }
    top.kept = true;
    return set_value(name_text, old, wanted);
  }
  /// Replaces a value, unless the new one is equal. At most one of them is an object.
  bool set_value(std::string_view name, std::string_view old, std::string_view wanted) {
    bool same = false;
    if (!compare(old, wanted, same)) return false;
    text_plan::piece piece;
    return same || (new_value(wanted, piece) && have_memory(plan_.set(name, old, piece)));
  }

  /// At the closing brace: adds the members that the document does not have.
  bool close_object(frame& top) {
    std::size_t from = 0;
    while (const text_member* const member = patch_.take_left(top.wanted, from)) {
      const std::string_view value = patch_.value_of(*member);
      if (value.front() == 'n' && options_.nulls != null_rule::keep) continue;
      text_plan::piece piece;
      if (!new_value(value, piece) ||
          !have_memory(plan_.add(patch_.name_of(*member), top.last, piece, top.kept)))
        return false;
      top.kept = true;
    }
    const std::size_t plan_size = top.plan_size;
    patch_.close(top.wanted);
    frames_.pop();
    ++p_;
    if (frames_.empty()) return true;
    frames_.back().last = at(p_);
    return have_memory(plan_.leave(plan_size));
  }

  // --- values ---------------------------------------------------------------------------------

  /// Sets `result` to a value of the patch as it is put into the document.
  bool new_value(std::string_view value, text_plan::piece& result) {
    if (value.front() == '{' && options_.nulls == null_rule::remove) {
      return succeeded(without_nulls(patch_.structure(), plan_)
                           .run(value, options_.max_depth - frames_.size(), result));
    }
    result = {value.data(), 0, value.size()};
    return true;
  }

  /// Returns whether the value at `p` has the same bytes. `value` is not an object.
  bool stands_at(const char* p, std::string_view value) const noexcept {
    if (!starts_with(p, end_, value) || p + value.size() == end_) return false;
    const char behind = p[value.size()];  // a number may have more digits
    return behind == ',' || behind == '}';
  }
  /// Sets `same` to whether two values are equal. At most one of them is an object.
  bool compare(std::string_view old, std::string_view value, bool& same) {
    same = old == value;
    if (same) return true;
    if (old.front() == '[' && value.front() == '[') return compare_arrays(old, value, same);
    same = json::core::same_scalar_text(old, value, options_.numbers, options_.number_texts);
    return true;
  }
  DEVICETWIN_NEVER_INLINE bool compare_arrays(std::string_view old, std::string_view value,
                                              bool& same) {
    json::core::diff_rules rules;
    rules.stop_at_first = true;
    rules.numbers = options_.numbers;
    rules.number_texts = options_.number_texts;
    rules.max_depth = static_cast<std::size_t>(-1);
    text_diff walk(rules, nullptr, options_.memory);
    walk.run(old, value);
    same = !walk.differ();
    return succeeded(walk.failure().code());  // without a pointer into the array
  }

  // --- failure --------------------------------------------------------------------------------

  /// Notes the outcome of a call. False when it failed.
  bool succeeded(errc code) noexcept {
    return code == errc::ok ||
           exceeded(code, code == errc::depth_exceeded ? options_.max_depth : 0);
  }
  bool have_memory(bool yes) noexcept { return yes || fail(errc::out_of_memory); }

  text_offset at(const char* p) const noexcept { return static_cast<text_offset>(p - text_); }

  text_options options_;
  const char* text_ = nullptr;
  const char* p_ = nullptr;  ///< where the walk is in the document
  const char* end_ = nullptr;
  json::core::text_structure document_;
  base::stack<frame, 8> frames_;
  patch_members patch_;
  text_plan plan_;
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
