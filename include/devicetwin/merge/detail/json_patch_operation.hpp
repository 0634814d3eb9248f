/// One operation of a JSON Patch (RFC 6902, section 4), read from a tree.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../json/error.hpp"
#include "../../json/pointer.hpp"
#include "../../json/tree/find_member.hpp"
#include "../../json/tree/inside.hpp"
#include "../../json/value.hpp"
#include "../tree/places.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

enum class patch_verb : unsigned char { add, remove, replace, move, copy, test };

/// The verb of this name; false when there is none.
inline bool read_verb(std::string_view name, patch_verb& verb) noexcept {
  constexpr std::string_view names[] = {"add", "remove", "replace", "move", "copy", "test"};
  for (std::size_t i = 0; i < sizeof names / sizeof *names; ++i) {
    if (names[i] != name) continue;
    verb = static_cast<patch_verb>(i);
    return true;
  }
  return false;
}
constexpr bool needs_from(patch_verb verb) noexcept {
  return verb == patch_verb::move || verb == patch_verb::copy;
}
constexpr bool needs_value(patch_verb verb) noexcept {
  return verb == patch_verb::add || verb == patch_verb::replace || verb == patch_verb::test;
}

/// What is wrong with an operation of a patch: the place is that of the member, in the patch.
inline error bad_operation(std::size_t index, std::string_view member) noexcept {
  const json::step steps[] = {json::step::element(static_cast<size_type>(index)),
                              json::step::member(member)};
  return error(errc::not_a_json_patch)
      .in_operation(index)
      .at(json::location(steps, member.empty() ? 1 : 2));
}

template <class Patch>
struct patch_operation {
  patch_verb verb = patch_verb::test;
  std::string_view path;
  std::string_view from;         ///< of move and copy
  const Patch* value = nullptr;  ///< of add, replace and test

  /// Reads the operation that is the element `index` of a patch. Members that RFC 6902 does not
  /// define are ignored; of repeated names the first counts. Error: not_a_json_patch.
  error read(const Patch& operation, std::size_t index) noexcept {
    if (!operation.IsObject()) return bad_operation(index, {});
    const auto text = [&operation](std::string_view name, std::string_view& to) noexcept {
      const Patch* const found = json::core::find_member(operation, name);
      if (found == nullptr || !found->IsString()) return false;
      to = text_of(*found);
      return true;
    };
    std::string_view name;
    if (!text("op", name) || !read_verb(name, verb)) return bad_operation(index, "op");
    if (!text("path", path)) return bad_operation(index, "path");
    if (needs_from(verb) && !text("from", from)) return bad_operation(index, "from");
    if (needs_value(verb)) {
      value = json::core::find_member(operation, "value");
      if (value == nullptr) return bad_operation(index, "value");
    }
    return {};
  }
};

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
