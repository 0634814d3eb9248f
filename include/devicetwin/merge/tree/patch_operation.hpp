/// One operation of a JSON Patch (RFC 6902, section 4), read from a tree.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../json/error.hpp"
#include "../../json/pointer.hpp"
#include "../../json/tree/find_member.hpp"
#include "../../json/value.hpp"
#include "places.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

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

/// An operation. Its texts and its value are those of the patch.
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

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
