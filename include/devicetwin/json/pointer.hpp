/// JSON Pointer (RFC 6901): finding a value, and saying where one is.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "error.hpp"
#include "tree/inside.hpp"
#include "value.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {

/// One step from a value into it: a member's name, or an element's index when `name` is null.
struct step {
  const char* name = nullptr;
  size_type length = 0;  ///< of the name, in bytes
  size_type index = 0;   ///< of the element, from 0

  static step member(std::string_view name) noexcept {
    return {name.data(), static_cast<size_type>(name.size()), 0};
  }
  static step element(size_type index) noexcept { return {nullptr, 0, index}; }
  std::string_view text() const noexcept { return {name, length}; }
};

/// Where a value is in a document: the steps from the root to it. A view, valid only during the
/// call that hands it out.
class location {
 public:
  location() noexcept = default;
  location(const step* steps, std::size_t depth) noexcept : steps_(steps), depth_(depth) {}

  /// How many steps; 0 is the root.
  std::size_t depth() const noexcept { return depth_; }
  const step& operator[](std::size_t index) const noexcept { return steps_[index]; }

  /// Calls `put(char)` for every character of the JSON Pointer.
  template <class Put>
  void render(Put&& put) const;

  /// Appends the JSON Pointer to anything with `append(const char*, std::size_t)`, such as
  /// std::string.
  template <class Output>
  void append_to(Output& out) const {
    render([&out](char c) { out.append(&c, 1); });
  }

  /// True when `pointer` is exactly this place's JSON Pointer as render() spells it.
  friend bool operator==(const location& where, std::string_view pointer) noexcept {
    std::size_t at = 0;
    bool same = true;
    where.render([&](char c) { same = same && at < pointer.size() && pointer[at++] == c; });
    return same && at == pointer.size();
  }
  friend bool operator!=(const location& where, std::string_view pointer) noexcept {
    return !(where == pointer);
  }

 private:
  const step* steps_ = nullptr;
  std::size_t depth_ = 0;
};

namespace functions {

/// The value at `pointer` (RFC 6901, section 4), "" being `root` itself.
///
/// Errors: invalid_pointer; not_found, also for the index "-" and for an index with a leading zero,
///   with the pointer up to the step that failed.
/// Cost: one scan of each object on the way; of duplicate names the first counts. No memory.
template <class Source>
result<const core::value_type_of<Source>*> find(const Source& root,
                                                std::string_view pointer) noexcept;

}  // namespace functions

// ---------------------------------------------------------------------------------------------

namespace core {

/// Renders one reference token: '/', then the name with '~' and '/' escaped (RFC 6901, section 3).
template <class Put>
void render_step(const step& s, Put&& put) {
  put('/');
  if (s.name == nullptr) {
    char digits[10];
    std::size_t count = 0;
    size_type rest = s.index;
    do digits[count++] = static_cast<char>('0' + rest % 10);
    while ((rest /= 10) != 0);
    while (count != 0) put(digits[--count]);
    return;
  }
  for (char c : s.text()) {
    if (c == '~') {
      put('~');
      put('0');
    } else if (c == '/') {
      put('~');
      put('1');
    } else {
      put(c);
    }
  }
}

/// Appends one reference token to anything with a bool append(const char*, std::size_t). False when
/// there was no room.
template <class Output>
[[nodiscard]] bool append_step(const step& s, Output& out) {
  bool good = true;
  render_step(s, [&](char c) { good = good && out.append(&c, 1); });
  return good;
}

/// Takes a JSON Pointer apart, token by token, without memory.
class pointer_tokens {
 public:
  explicit pointer_tokens(std::string_view pointer) noexcept : rest_(pointer) {}

  /// True when every '~' is followed by 0 or 1, and the first token, if any, starts with '/'.
  static bool valid(std::string_view pointer) noexcept {
    if (!pointer.empty() && pointer.front() != '/') return false;
    for (std::size_t i = 0; i < pointer.size(); ++i) {
      if (pointer[i] != '~') continue;
      if (++i == pointer.size() || (pointer[i] != '0' && pointer[i] != '1')) return false;
    }
    return true;
  }

  /// The next token, still escaped, into `token`; false at the end.
  bool next(std::string_view& token) noexcept {
    if (rest_.empty()) return false;
    rest_.remove_prefix(1);
    std::size_t length = rest_.find('/');
    if (length == std::string_view::npos) length = rest_.size();
    token = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return true;
  }
  /// How much of the pointer has not been handed out.
  std::size_t remaining() const noexcept { return rest_.size(); }

 private:
  std::string_view rest_;
};

/// True when the escaped token spells this name.
inline bool token_is(std::string_view token, std::string_view name) noexcept {
  std::size_t at = 0;
  for (std::size_t i = 0; i < token.size(); ++i, ++at) {
    char c = token[i];
    if (c == '~') c = token[++i] == '0' ? '~' : '/';
    if (at == name.size() || name[at] != c) return false;
  }
  return at == name.size();
}

/// Reads an array index: digits without a leading zero, below `count`.
inline bool token_index(std::string_view token, size_type count, size_type& index) noexcept {
  if (token.empty() || token.size() > 10 || (token.size() > 1 && token.front() == '0'))
    return false;
  std::uint64_t number = 0;
  for (char c : token) {
    if (c < '0' || c > '9') return false;
    number = number * 10 + static_cast<std::uint64_t>(c - '0');
  }
  index = static_cast<size_type>(number);
  return number < count;
}

/// A piece of pointer text that an error can take over as it stands.
struct pointer_text {
  std::string_view text;
  template <class Put>
  void render(Put&& put) const {
    for (char c : text) put(c);
  }
};

}  // namespace core

template <class Put>
void location::render(Put&& put) const {
  for (std::size_t i = 0; i < depth_; ++i) core::render_step(steps_[i], put);
}

namespace functions {

template <class Source>
result<const core::value_type_of<Source>*> find(const Source& root,
                                                std::string_view pointer) noexcept {
  using value_type = core::value_type_of<Source>;
  if (!core::pointer_tokens::valid(pointer)) {
    return error(errc::invalid_pointer).at(core::pointer_text{pointer});
  }
  const value_type* at = &core::value_of(root);
  core::pointer_tokens tokens(pointer);
  std::string_view token;
  while (tokens.next(token)) {
    const value_type* next = nullptr;
    if (at->IsObject()) {
      const auto* member = core::members_begin(*at);
      for (size_type left = at->MemberCount(); left != 0 && next == nullptr; --left, ++member) {
        if (core::token_is(token, core::text_of(member->name))) next = &member->value;
      }
    } else if (at->IsArray()) {
      size_type index = 0;
      if (core::token_index(token, at->Size(), index)) next = at->Begin() + index;
    }
    if (next == nullptr) {
      const std::string_view failed = pointer.substr(0, pointer.size() - tokens.remaining());
      return error(errc::not_found).at(core::pointer_text{failed});
    }
    at = next;
  }
  return at;
}

}  // namespace functions

}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
