/// A JSON text that is changed: taken apart only where something is done, so that all other bytes
/// stay.
#pragma once

#include <cstddef>      // std::size_t
#include <cstring>      // std::memcpy, std::memmove
#include <new>          // placement new
#include <string_view>  // std::string_view

#include "../../base/memory.hpp"
#include "../../base/plain_array.hpp"
#include "../../base/stack.hpp"
#include "../../base/text_buffer.hpp"
#include "../../json/arena.hpp"
#include "../../json/text/tokens.hpp"
#include "../../json/tree/tuning.hpp"
#include "../../json/write.hpp"
#include "../tree/places.hpp"
#include "wide_objects.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

struct text_container;

/// A value with what stands around it, or the whole document.
struct text_piece {
  std::string_view lead;             ///< before the value: white space, of a member also the name
  std::string_view name;             ///< of a member, escapes resolved
  std::string_view value;            ///< as it was
  std::string_view tail;             ///< white space behind the value
  text_container* opened = nullptr;  ///< when the value was taken apart
  bool gone = false;                 ///< a member that was removed
  text_piece* before = nullptr;      ///< the member before it that is not gone
  text_piece* after = nullptr;       ///< and the one behind it
};

/// An array or object that was taken apart. Members that go stay in the list, marked, so that the
/// index of names stays right.
struct text_container {
  text_container(bool is_object, const memory_source& memory) noexcept
      : object(is_object), items(memory), names(memory) {}

  std::string_view text(size_type i) const noexcept { return items[i]->name; }

  bool object;
  bool changed = false;
  bool indexed = false;
  std::size_t looks = 0;  ///< at single members
  base::plain_array<text_piece*> items;
  name_tree names;
  text_piece* last = nullptr;      ///< the last member that is not gone
  text_container* next = nullptr;  ///< of all
};

/// The text. Functions that return bool or a pointer return false or null when memory ran out, or
/// when a text that was taken on trust is no JSON; broken() says which.
class text_pieces {
 public:
  text_pieces(std::string_view document, const memory_source& memory) noexcept
      : memory_(memory), arena_(memory) {
    std::string_view rest = document;
    while (!rest.empty() && json::core::is_space(rest.front())) rest.remove_prefix(1);
    root_.lead = document.substr(0, document.size() - rest.size());
    const std::size_t size = rest.size();
    while (!rest.empty() && json::core::is_space(rest.back())) rest.remove_suffix(1);
    root_.value = rest;
    root_.tail = document.substr(document.size() - (size - rest.size()));
  }
  ~text_pieces() {
    while (containers_ != nullptr) {
      text_container* const last = containers_;
      containers_ = last->next;
      last->~text_container();
    }
  }
  text_pieces(const text_pieces&) = delete;
  text_pieces& operator=(const text_pieces&) = delete;

  text_piece& root() noexcept { return root_; }
  bool broken() const noexcept { return broken_; }

  /// Takes a value apart that is an array or an object.
  [[nodiscard]] bool open(text_piece& piece) {
    if (piece.opened != nullptr) return true;
    void* const place = arena_.Malloc(sizeof(text_container));
    if (place == nullptr) return false;
    auto* const made = new (place) text_container(piece.value.front() == '{', memory_);
    made->next = containers_;
    containers_ = made;
    if (!read(piece.value, *made)) return false;
    piece.opened = made;
    return true;
  }

  /// Sets `index` to that of the member of this name, or to no_index.
  [[nodiscard]] bool find(text_container& object, std::string_view name, size_type& index) {
    const auto count = static_cast<size_type>(object.items.size());
    if (!object.indexed && count > json::core::tuning::most_scanned &&
        object.looks > json::core::tuning::looks_per_member * std::size_t{count}) {
      for (size_type i = 0; i < count; ++i) {
        if (!object.items[i]->gone && !enter(object, i)) return false;
      }
      object.indexed = true;
    }
    index = no_index;
    if (object.indexed) {
      const size_type* const found = object.names.find(object, name);
      if (found != nullptr && !object.items[*found]->gone) index = *found;
      return true;
    }
    for (size_type i = 0; i < count && index == no_index; ++i) {
      if (!object.items[i]->gone && object.items[i]->name == name) index = i;
    }
    object.looks += index == no_index ? count : index;
    return true;
  }

  /// Puts a new member or element at `index`, laid out like its neighbours.
  [[nodiscard]] bool insert(text_container& to, size_type index, std::string_view name,
                            std::string_view value, text_container* opened) {
    if (!to.items.reserve(1)) return false;
    void* const place = arena_.Malloc(sizeof(text_piece));
    if (place == nullptr) return false;
    auto* const made = new (place) text_piece();
    text_piece* const before = piece_before(to, index);
    const text_piece* beside = before;
    if (beside == nullptr && index < to.items.size()) beside = to.items[index];
    if (to.object) {
      if (!copy(name, made->name) || !make_lead(beside, name, made->lead)) return false;
    } else if (beside != nullptr) {
      made->lead = beside->lead;
    }
    made->value = value;
    made->opened = opened;
    if (before != nullptr && index == to.items.size()) {
      made->tail = before->tail;  // what stood before the closing bracket still does
      before->tail = {};
    }
    if (to.object) link(to, *made);
    to.items.extend(1);
    std::memmove(static_cast<void*>(to.items.data() + index + 1), to.items.data() + index,
                 (to.items.size() - 1 - index) * sizeof(text_piece*));
    to.items[index] = made;
    return !to.indexed || enter(to, index);
  }
  void remove(text_container& from, size_type index) noexcept {
    text_piece& piece = *from.items[index];
    const bool last = from.object ? &piece == from.last : index + 1 == from.items.size();
    text_piece* const before = from.object ? piece.before : piece_before(from, index);
    if (last && before != nullptr) before->tail = piece.tail;
    if (!from.object) return from.items.erase(index, 1);
    piece.gone = true;
    (before != nullptr ? before->after : piece.after) = piece.after;
    (piece.after != nullptr ? piece.after->before : from.last) = before;
  }

  /// Sets `text` to the value's text as it is now: a piece of a text that was given, or a copy.
  [[nodiscard]] bool current(const text_piece& piece, std::string_view& text) {
    text = piece.value;
    if (piece.opened == nullptr || !piece.opened->changed) return true;
    base::byte_counter counter;
    if (!write_value(piece, counter)) return false;
    char* const copy = static_cast<char*>(arena_.Malloc(counter.size()));
    if (copy == nullptr) return false;
    text_buffer buffer(copy, counter.size());
    text = {copy, counter.size()};
    return write_value(piece, buffer);
  }

  /// Appends the whole text.
  template <class Output>
  [[nodiscard]] bool write(Output& out) const {
    return put(out, root_.lead) && write_value(root_, out) && put(out, root_.tail);
  }

  /// Makes a copy of a text that stays.
  [[nodiscard]] bool copy(std::string_view text, std::string_view& made) {
    made = {};
    if (text.empty()) return true;
    char* const place = static_cast<char*>(arena_.Malloc(text.size()));
    if (place == nullptr) return false;
    std::memcpy(place, text.data(), text.size());
    made = {place, text.size()};
    return true;
  }

  /// Makes of what stands between the quotes of a string what it means, in memory that stays.
  [[nodiscard]] bool resolve(std::string_view& string) {
    char* const made = static_cast<char*>(arena_.Malloc(string.size()));
    if (made == nullptr) return false;
    std::size_t length = 0;
    json::core::plain_bytes bytes(string);
    for (int byte = bytes.next(); byte >= 0; byte = bytes.next())
      made[length++] = static_cast<char>(byte);
    string = {made, length};
    return true;
  }

 private:
  bool fault() noexcept {
    broken_ = true;
    return false;
  }
  bool enter(text_container& object, size_type index) {
    if (size_type* const gone = object.names.find(object, object.items[index]->name)) {
      *gone = index;
      return true;
    }
    bool added = false;
    return object.names.add(object, index, added);
  }

  /// Reads the items of a container's text.
  bool read(std::string_view text, text_container& to) {
    structure_.reset(text);
    const char* const end = text.data() + text.size();
    const char* p = text.data() + 1;
    const auto piece = [](const char* first, const char* last) {
      return std::string_view(first, static_cast<std::size_t>(last - first));
    };
    for (;;) {
      const char* const start = p;
      p = json::core::skip_space(p, end);
      if (p == end) return fault();
      if ((*p == '}' || *p == ']') && to.items.empty()) return true;
      void* const place = arena_.Malloc(sizeof(text_piece));
      if (place == nullptr || !to.items.reserve(1)) return false;
      auto* const made = new (place) text_piece();
      to.items.push(made);
      if (to.object) link(to, *made);
      if (to.object && !read_name(p, end, made->name)) return false;
      if (p == end) return fault();
      const char* const value = p;
      p = structure_.skip_value(p);
      if (p == nullptr || p > end) return fault();
      made->lead = piece(start, value);
      made->value = piece(value, p);
      const char* const behind = p;
      p = json::core::skip_space(p, end);
      made->tail = piece(behind, p);
      if (p == end) return fault();
      if (*p == '}' || *p == ']') return true;
      if (*p++ != ',') return fault();
    }
  }
  bool read_name(const char*& p, const char* end, std::string_view& name) {
    const char* const start = p + 1;
    if (*p != '"' || (p = structure_.skip_string(p)) == nullptr || p > end) return fault();
    name = {start, static_cast<std::size_t>(p - start) - 1};
    if (json::core::has_escapes(name) && !resolve(name)) return false;
    p = json::core::skip_space(p, end);
    if (p == end || *p != ':') return fault();
    p = json::core::skip_space(p + 1, end);
    return true;
  }

  /// What stands before a new item. A new member is the last one.
  static text_piece* piece_before(text_container& in, std::size_t index) noexcept {
    if (in.object) return in.last;
    return index == 0 ? nullptr : in.items[index - 1];
  }
  static void link(text_container& object, text_piece& last) noexcept {
    last.before = object.last;
    if (object.last != nullptr) object.last->after = &last;
    object.last = &last;
  }
  /// The name of a new member as text, with the white space that a member beside it has.
  bool make_lead(const text_piece* beside, std::string_view name, std::string_view& lead) {
    std::string_view before, behind;
    if (beside != nullptr) {
      before = behind = beside->lead;
      std::size_t blank = 0;
      while (blank < before.size() && json::core::is_space(before[blank])) ++blank;
      before = before.substr(0, blank);
      blank = behind.size();
      while (blank != 0 && json::core::is_space(behind[blank - 1])) --blank;
      behind = behind.substr(blank);
    }
    text_buffer made(memory_);
    json::text_writer writer(made);
    return made.append(before.data(), before.size()) &&
           writer.String(name.data(), static_cast<size_type>(name.size()), true) &&
           made.append(":", 1) && made.append(behind.data(), behind.size()) &&
           copy(made.view(), lead);
  }

  template <class Output>
  static bool put(Output& out, std::string_view text) {
    return base::append(out, text.data(), text.size());
  }
  template <class Output>
  bool write_value(const text_piece& piece, Output& out) const {
    struct level {
      const text_container* container;
      std::size_t next;
      std::string_view tail;  ///< behind the container
      bool any;
    };
    base::stack<level, 8> levels(memory_);
    const text_piece* at = &piece;
    std::string_view tail;
    for (;;) {
      if (at->opened == nullptr || !at->opened->changed) {
        if (!put(out, at->value) || !put(out, tail)) return false;
      } else {
        if (!put(out, at->opened->object ? "{" : "[")) return false;
        if (!levels.push({at->opened, 0, tail, false})) return false;
      }
      for (at = nullptr; at == nullptr;) {
        if (levels.empty()) return true;
        level& top = levels.back();
        while (top.next != top.container->items.size() && at == nullptr) {
          const text_piece* const item = top.container->items[top.next++];
          if (!item->gone) at = item;
        }
        if (at != nullptr) {
          if ((top.any && !put(out, ",")) || !put(out, at->lead)) return false;
          top.any = true;
          tail = at->tail;
        } else {
          if (!put(out, top.container->object ? "}" : "]") || !put(out, top.tail)) return false;
          levels.pop();
        }
      }
    }
  }

  memory_source memory_;
  json::arena arena_;
  text_piece root_;
  text_container* containers_ = nullptr;
  json::core::text_structure structure_;
  bool broken_ = false;
};

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
