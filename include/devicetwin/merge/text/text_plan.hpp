/// The changes that a merge patch makes to a text, found before anything is written.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../base/stack.hpp"
#include "../../json/pointer.hpp"
#include "../../json/text/tokens.hpp"
#include "text_member.hpp"
#include "text_sink.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

/// The changes of one text, in its order. Names and values are not copied: the document and the
/// patch must outlive the plan.
///
/// A function that returns bool returns false when memory ran out.
class text_plan {
 public:
  /// A value: a piece of the patch, or of what append() was given.
  struct piece {
    const char* first = nullptr;  ///< null when it was appended
    std::size_t start = 0;        ///< where it begins in what was appended
    std::size_t length = 0;
  };
  enum class action : unsigned char {
    set,      ///< the value of the member `name` is replaced
    add,      ///< the member `name` is new
    remove,   ///< the member `name` is removed
    descend,  ///< the next entries are about members of the member `name`
    leave,    ///< the next entries are about the object around it
  };
  struct entry {
    action what;
    bool comma;             ///< a new member needs a comma before it
    text_offset cut_first;  ///< from here to cut_last, the document's bytes are replaced
    text_offset cut_last;
    text_offset old_first, old_last;  ///< the old value, if there was one
    std::string_view name;            ///< as it is spelled, without quotes
    piece value;                      ///< the new value
    std::size_t plain;                ///< where the name without escapes is, if it has any
    std::size_t plain_length;
  };

  explicit text_plan(const memory_source& memory) noexcept : entries_(memory), made_(memory) {}

  /// Sets the document. Called once, before all others.
  void start(std::string_view document) noexcept { document_ = document; }

  // --- making ---------------------------------------------------------------------------------

  // Places are in the document. `old` is the old value, in the document.

  /// The next change is about the document itself, and there is no other.
  void replace_document() noexcept { whole_ = true; }
  [[nodiscard]] bool set(std::string_view name, std::string_view old, const piece& value) {
    entry* const e = change(action::set, name);
    if (e == nullptr) return false;
    put_old(*e, old);
    e->cut_first = e->old_first;
    e->value = value;
    return true;
  }
  [[nodiscard]] bool add(std::string_view name, text_offset where, const piece& value, bool comma) {
    entry* const e = change(action::add, name);
    if (e == nullptr) return false;
    e->comma = comma;
    e->cut_first = e->cut_last = where;
    e->value = value;
    return true;
  }
  /// Removes the document's bytes from `first` to the end of the old value.
  [[nodiscard]] bool remove(std::string_view name, std::string_view old, text_offset first) {
    entry* const e = change(action::remove, name);
    if (e == nullptr) return false;
    put_old(*e, old);
    e->cut_first = first;
    ++removals_;
    return true;
  }
  /// Makes the removal at `index` end at `last`.
  void extend_removal(std::size_t index, text_offset last) noexcept {
    entries_[index].cut_last = last;
  }
  [[nodiscard]] bool descend(std::string_view name) {
    return push(action::descend, name) != nullptr;
  }
  /// Ends what descend() began. `size` is what size() was after it. Without a change in between,
  /// both leave no entry.
  [[nodiscard]] bool leave(std::size_t size) {
    if (entries_.size() != size) return push(action::leave, {}) != nullptr;
    entries_.pop();
    return true;
  }

  /// Where append() writes next.
  std::size_t made() const noexcept { return made_.size(); }
  [[nodiscard]] bool append(const char* first, const char* last) {
    return made_.append(first, static_cast<std::size_t>(last - first));
  }
  /// The value that was appended from `start` on.
  piece made_from(std::size_t start) const noexcept {
    return {nullptr, start, made_.size() - start};
  }

  // --- reading --------------------------------------------------------------------------------

  std::size_t changes() const noexcept { return changes_; }
  /// Those of them that remove a member.
  std::size_t removals() const noexcept { return removals_; }

  std::size_t size() const noexcept { return entries_.size(); }
  const entry& operator[](std::size_t index) const noexcept { return entries_[index]; }
  std::string_view old_value(const entry& e) const noexcept {
    return text_between(document_.data() + e.old_first, document_.data() + e.old_last);
  }
  std::string_view new_value(const entry& e) const noexcept {
    return {e.value.first != nullptr ? e.value.first : made_.data() + e.value.start,
            e.value.length};
  }

  /// Writes the new text.
  void write(text_sink& out) const {
    const char* const text = document_.data();
    const char* done = text;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const entry& e = entries_[i];
      if (e.what == action::descend || e.what == action::leave) continue;
      out.put(done, text + e.cut_first);
      if (e.what == action::add) {
        if (e.comma) out.put(',');
        out.put('"');
        out.put(e.name);
        out.put("\":");
      }
      if (e.what != action::remove) out.put(new_value(e));
      done = text + e.cut_last;
    }
    out.put(done, text + document_.size());
  }

  using steps = base::stack<json::step, 8>;

  /// Takes the memory that tell() needs.
  [[nodiscard]] bool prepare_to_tell(steps& path) {
    std::size_t depth = 1, deepest = 1;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      entry& e = entries_[i];
      if (e.what == action::descend && ++depth > deepest) deepest = depth;
      if (e.what == action::leave) --depth;
      if (!json::core::has_escapes(e.name)) continue;
      e.plain = made_.size();
      if (!append_plain(e.name, made_)) return false;
      e.plain_length = made_.size() - e.plain;
    }
    return path.extend(deepest);
  }
  /// Tells the journal every change, in the order of the document, as apply_merge_patch_text()
  /// says. prepare_to_tell() must have succeeded if there is any change.
  template <class Journal>
  void tell(Journal& journal, steps& path) const {
    if (changes_ == 0) return;
    std::size_t depth = 0;
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      const entry& e = entries_[i];
      if (e.what == action::leave) {
        --depth;
        continue;
      }
      path[depth] = json::step::member(
          e.plain_length == 0 ? e.name : std::string_view(made_.data() + e.plain, e.plain_length));
      if (e.what == action::descend) {
        ++depth;
        continue;
      }
      const std::string_view old_text = old_value(e);
      const std::string_view new_text = new_value(e);
      journal(json::location(path.data(), whole_ ? 0 : depth + 1),
              e.what == action::add ? nullptr : &old_text,
              e.what == action::remove ? nullptr : &new_text);
    }
  }

 private:
  /// A new entry; a null pointer when memory ran out.
  entry* push(action what, std::string_view name) {
    entry* const e = entries_.add();
    if (e == nullptr) return nullptr;
    *e = {};
    e->what = what;
    e->name = name;
    return e;
  }
  entry* change(action what, std::string_view name) {
    ++changes_;
    return push(what, name);
  }
  void put_old(entry& e, std::string_view old) const noexcept {
    e.old_first = static_cast<text_offset>(old.data() - document_.data());
    e.old_last = e.cut_last = static_cast<text_offset>(e.old_first + old.size());
  }

  std::string_view document_;
  bool whole_ = false;
  std::size_t changes_ = 0;
  std::size_t removals_ = 0;
  base::stack<entry, 16> entries_;
  base::stack<char, 64> made_;  ///< appended values, then names without escapes
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
