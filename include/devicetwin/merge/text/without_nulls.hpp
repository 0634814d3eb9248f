/// A merge patch's value as it is put into a document that does not have the member: without the
/// null members of its objects (RFC 7396, section 2).
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../json/error.hpp"
#include "../../json/text/tokens.hpp"
#include "text_member.hpp"
#include "text_plan.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

/// Removes null members, at every level. Nulls in arrays are values and stay.
class without_nulls {
 public:
  /// `structure` is that of the patch. A value that differs from the patch's is appended to `plan`.
  without_nulls(json::core::text_structure& structure, text_plan& plan) noexcept
      : structure_(structure), plan_(plan) {}

  /// Sets `result` to the object `value` without its null members, or to `value` itself when it has
  /// none. Errors: unexpected_character when it is not JSON; depth_exceeded when more than `levels`
  /// objects are inside each other; out_of_memory. Cost: one pass.
  json::errc run(std::string_view value, std::size_t levels, text_plan::piece& result) {
    using json::errc;
    const std::size_t start = plan_.made();
    const char* const end = value.data() + value.size();
    copied_ = value.data();
    const char* p = value.data();
    bool first = true;  // no member of the innermost object was kept yet
    std::size_t depth = 0;
    do {
      const char* const before = p;
      p = json::core::skip_space(p, end);
      if (p == end) return errc::unexpected_character;
      if (*p == '}') {
        ++p;
        --depth;
        first = false;
        continue;
      }
      const char* name = p;
      if (depth != 0) {
        if (*p == ',') name = p = json::core::skip_space(p + 1, end);
        if (p == end || *p != '"' || (p = string_end(structure_, p, end)) == nullptr ||
            !to_value(p, end)) {
          return errc::unexpected_character;
        }
      }
      if (*p == '{') {
        if (depth == levels) return errc::depth_exceeded;
        ++depth;
        ++p;
        first = true;
        continue;
      }
      const bool is_null = *p == 'n';
      if ((p = value_end(structure_, p, end)) == nullptr) return errc::unexpected_character;
      if (!is_null) {
        first = false;
        continue;
      }
      // A comma is removed, too: the one before it or, for a first member, the one after it.
      if (!plan_.append(copied_, first ? name : before)) return errc::out_of_memory;
      if (first) {
        const char* const comma = json::core::skip_space(p, end);
        if (comma != end && *comma == ',') p = json::core::skip_space(comma + 1, end);
      }
      copied_ = p;
    } while (depth != 0);
    result = {value.data(), 0, value.size()};
    if (copied_ == value.data()) return errc::ok;
    if (!plan_.append(copied_, p)) return errc::out_of_memory;
    result = plan_.made_from(start);
    return errc::ok;
  }

 private:
  json::core::text_structure& structure_;
  text_plan& plan_;
  const char* copied_ = nullptr;  ///< all text before this place was copied or left out
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
