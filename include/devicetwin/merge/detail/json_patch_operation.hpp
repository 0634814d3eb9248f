/// What carrying out the operations of a JSON Patch needs besides the operations: their places.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../base/memory.hpp"
#include "../../base/stack.hpp"
#include "../../json/error.hpp"
#include "../tree/patch_operation.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

/// Whether the place at `inner` is that at `outer`, or inside of it. Both are valid JSON Pointers,
/// which spell each place in one way.
inline bool is_within(std::string_view inner, std::string_view outer) noexcept {
  return inner.size() >= outer.size() && inner.substr(0, outer.size()) == outer &&
         (inner.size() == outer.size() || inner[outer.size()] == '/');
}

/// How many steps a valid JSON Pointer has.
inline std::size_t steps_of(std::string_view pointer) noexcept {
  std::size_t steps = 0;
  for (const char c : pointer) steps += c == '/' ? 1 : 0;
  return steps;
}
/// The pointer to the parent; "" for a place at the root.
inline std::string_view parent_of(std::string_view pointer) noexcept {
  const std::size_t last = pointer.rfind('/');
  return last == std::string_view::npos ? std::string_view() : pointer.substr(0, last);
}

/// A name that a step of a JSON Pointer spells, escapes resolved (RFC 6901, section 4); a piece of
/// the pointer where there are none.
class step_name {
 public:
  explicit step_name(const memory_source& memory) noexcept : resolved_(memory) {}

  /// False when memory ran out. The name is valid until the next call.
  [[nodiscard]] bool resolve(std::string_view token, std::string_view& name) {
    name = token;
    if (token.find('~') == std::string_view::npos) return true;
    resolved_.truncate(0);
    if (!resolved_.reserve(token.size())) return false;
    for (std::size_t i = 0; i < token.size(); ++i) {
      const char c = token[i] != '~' ? token[i] : token[++i] == '0' ? '~' : '/';
      static_cast<void>(resolved_.push(c));
    }
    name = {resolved_.data(), resolved_.size()};
    return true;
  }

 private:
  base::stack<char, 64> resolved_;
};

/// Why a step leads to no element of an array: the code for a step that is an index, and for any
/// other.
inline errc no_element(std::string_view token) noexcept {
  if (token == "-" || token == "0") return errc::index_out_of_range;
  bool index = !token.empty() && token.front() != '0';
  for (const char c : token) index = index && c >= '0' && c <= '9';
  return index ? errc::index_out_of_range : errc::not_found;
}

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
