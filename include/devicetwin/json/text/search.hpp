/// The values at some JSON Pointers in one pass over a text.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <cstring>      // std::memcmp, std::memchr
#include <string_view>  // std::string_view

#include "../../base/inline.hpp"
#include "../pointer.hpp"
#include "../tree/find_member.hpp"
#include "../value.hpp"
#include "tokens.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

inline std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

/// True when an escaped token of a pointer spells the name of which `raw` stands between the
/// quotes.
inline bool token_is_text(std::string_view token, std::string_view raw) noexcept {
  if (!has_escapes(raw)) return token_is(token, raw);
  plain_bytes name(raw);
  for (std::size_t i = 0; i < token.size(); ++i) {
    char c = token[i];
    if (c == '~') c = ++i < token.size() && token[i] == '0' ? '~' : '/';
    if (name.next() != static_cast<unsigned char>(c)) return false;
  }
  return name.next() < 0;
}

/// Which containers a pointer leads into.
enum class search_in : bool { objects, objects_and_arrays };

/// Looks for the values at up to `most` pointers in trusted text, in one pass that ends behind the
/// last of them. Of repeated names the first counts. A value that does not end counts as missing.
/// Whatever the bytes are, nothing is read outside of them, and the walk ends.
template <std::size_t most>
class text_search {
 public:
  /// With several pointers, none may have more steps than this.
  static constexpr std::size_t longest = default_max_depth;
  static_assert(longest <= 64, "a bit for each level");

  explicit text_search(search_in where = search_in::objects_and_arrays) noexcept : where_(where) {}

  /// Adds a valid pointer. `most` may be added.
  void add(std::string_view pointer) noexcept {
    wish& w = wishes_[count_++];
    w.pointer = w.rest = pointer;
    w.index = 0;
    w.looks_in = w.ends_in = 0;
  }

  /// Looks for all of them.
  void run(std::string_view text) noexcept {
    text = trimmed(text);
    if (text.empty()) return;
    for (wish& w : all()) {
      if (next_token(w)) {
        w.looks_in = 1;
        ++left_;
      } else {
        w.value = text;
      }
    }
    if (left_ == 0 || !is_open(text.front())) return;
    structure_.reset(text);
    end_ = text.data() + text.size();
    const char* p = open(text.data());
    while (left_ != 0 && p != nullptr && p != end_) {
      if (*p == '}' || *p == ']') {
        p = close(p);
      } else if (object_ && (p = name(p)) == nullptr) {
        break;
      } else if (enters(p)) {
        p = open(p);
      } else if (left_ != 0) {
        p = leave_item(p);
      }
    }
  }

  /// Returns the i-th value, or an empty view when the text has no such value.
  std::string_view value(std::size_t i) const noexcept { return wishes_[i].value; }
  /// The i-th pointer up to the step that led nowhere.
  std::string_view lost_at(std::size_t i) const noexcept {
    const wish& w = wishes_[i];
    return w.pointer.substr(0, w.pointer.size() - w.rest.size());
  }

 private:
  struct wish {
    std::string_view pointer;
    std::string_view rest;   ///< of the pointer, behind `token`
    std::string_view token;  ///< the step looked for
    std::string_view value;
    size_type index;         ///< what the step is in an array
    std::uint32_t looks_in;  ///< the depth of the container in which the step is looked for, or 0
    std::uint32_t ends_in;   ///< that of the container in which the value ends, once it began, or 0
    bool plain;              ///< the token is the name itself, and no longer when it is spelled
  };
  struct wishes {
    wish* first;
    wish* last;
    wish* begin() const noexcept { return first; }
    wish* end() const noexcept { return last; }
  };

  wishes all() noexcept { return {wishes_, wishes_ + (most == 1 ? 1 : count_)}; }
  /// Whether something is looked for in the innermost container. The only pointer's step always is:
  /// the search ends when it is missing or found.
  bool is_here(const wish& w) const noexcept { return most == 1 || w.looks_in == depth_; }
  static bool is_open(char c) noexcept { return c == '{' || c == '['; }

  static bool next_token(wish& w) noexcept {
    pointer_tokens tokens(w.rest);
    if (!tokens.next(w.token)) return false;
    w.rest.remove_prefix(w.rest.size() - tokens.remaining());
    w.plain = w.token.find_first_of("~\\") == std::string_view::npos;
    return true;
  }

  void drop(wish& w) noexcept {
    w.looks_in = 0;
    --left_;
  }
  /// What is looked for at this depth, and was not found, is not there.
  void drop_all(std::uint32_t depth) noexcept {
    for (wish& w : all()) {
      if (w.looks_in == depth) drop(w);
    }
  }

  /// Enters the container at `p`. Returns where its first item begins, or its closing bracket.
  const char* open(const char* p) noexcept {
    if constexpr (most != 1) {
      indexes_[depth_] = index_;
      objects_ = objects_ << 1 | (object_ ? 1u : 0u);
    }
    ++depth_;
    object_ = *p == '{';
    index_ = 0;
    if (!object_) {
      for (wish& w : all()) {
        if (is_here(w) &&
            (where_ == search_in::objects || !token_index(w.token, no_index, w.index)))
          drop(w);
      }
    }
    return skip_space(p + 1, end_);
  }
  /// Leaves the innermost container, whose closing bracket is at `p`.
  const char* close(const char* p) noexcept {
    drop_all(depth_);
    if (left_ == 0) return p;
    if constexpr (most != 1) {
      --depth_;
      index_ = indexes_[depth_];
      object_ = (objects_ & 1) != 0;
      objects_ >>= 1;
    }
    return leave_item(p + 1);
  }

  /// Reads the name at `p`. Returns where the value begins; null when that is no member.
  const char* name(const char* p) noexcept {
    if (*p != '"') return nullptr;
    const char* const start = p + 1;
    if ((p = structure_.skip_string(p)) == nullptr) return nullptr;
    name_ = {start, static_cast<std::size_t>(p - start) - 1};
    if (p != end_ && *p != ':') p = skip_space(p, end_);
    if (p == end_ || *p != ':') return nullptr;
    p = skip_space(p + 1, end_);
    return p == end_ ? nullptr : p;
  }

  bool is_step(const wish& w) const noexcept {
    if (!object_) return w.index == index_;
    const std::string_view token = w.token;
    if (!w.plain) return token_is_text(token, name_);
    if (name_.size() == token.size())
      return std::memcmp(name_.data(), token.data(), token.size()) == 0;
    // Only a name with escape sequences is longer than what it means.
    return name_.size() > token.size() && !token.empty() &&
           (name_.front() == token.front() || name_.front() == '\\') && token_is_text(token, name_);
  }
  /// At the value of an item: whose step is it? True when it is a container that some pointers lead
  /// into.
  bool enters(const char* p) noexcept {
    bool further = false;
    for (wish& w : all()) {
      if (!is_here(w) || !is_step(w)) continue;
      if (next_token(w)) {
        ++w.looks_in;
        further = true;
      } else {
        w.value = {p, 0};
        w.looks_in = 0;
        w.ends_in = depth_;
        ++begun_;
      }
    }
    if (!further || is_open(*p)) return further;
    drop_all(depth_ + 1);
    return false;
  }

  /// From an item's value, or from behind a part of it, to the next item or to the closing bracket
  /// of the container; null when there is neither.
  const char* leave_item(const char* p) noexcept {
    const char* at = structure_.next_separator(p);
    while (at != nullptr && is_open(*at)) {
      if ((at = structure_.leave_container(at + 1)) != nullptr) at = structure_.next_separator(at);
    }
    if (at == nullptr) return nullptr;
    if (begun_ != 0) end_values(at);
    if (*at != ',') return at;
    ++index_;
    return skip_space(at + 1, end_);
  }
  void end_values(const char* at) noexcept {
    for (wish& w : all()) {
      if (w.ends_in != depth_) continue;
      const char* const begin = w.value.data();
      const char* end = at;
      while (end != begin && is_space(end[-1])) --end;
      w.value = {begin, static_cast<std::size_t>(end - begin)};
      w.ends_in = 0;
      --begun_;
      --left_;
    }
  }

  const char* end_ = nullptr;
  search_in where_;
  bool object_ = false;      ///< the innermost container is one
  size_type index_ = 0;      ///< of the item in it
  std::uint32_t depth_ = 0;  ///< open containers
  std::size_t count_ = 0;
  std::size_t left_ = 0;  ///< looked for or begun
  std::size_t begun_ = 0;
  std::string_view name_;  ///< of the member, as it stands between its quotes
  wish wishes_[most];
  /// Of the containers around the innermost one: where in them it is, and, a bit each, whether they
  /// are objects.
  size_type indexes_[most == 1 ? 1 : longest + 1];
  std::uint64_t objects_ = 0;
  text_structure structure_;
};

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
