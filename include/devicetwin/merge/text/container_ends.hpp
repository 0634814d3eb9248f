/// An index of where the containers of a text end.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../base/stack.hpp"
#include "../../json/text/tokens.hpp"
#include "text_member.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

/// Holds the ends of all objects of a text, and of the arrays that are members of objects. What is
/// inside arrays is not in it.
class container_ends {
 public:
  explicit container_ends(const memory_source& memory) noexcept : all_(memory) {}

  bool made() const noexcept { return text_ != nullptr; }

  /// Makes the index of `text`, whose structure is `structure`. Returns false when memory ran out;
  /// made() stays false then. Cost: one pass. Memory: 8 bytes per container.
  [[nodiscard]] bool make(std::string_view text, json::core::text_structure& structure) {
    all_.truncate(0);
    text_offset innermost =
        no_offset;  // in `end`, an open one holds the index of the one around it
    for (const char* p = text.data();
         p != nullptr && (p = structure.next_separator(p)) != nullptr;) {
      if (*p == ',') {
        ++p;
      } else if (*p == '}' || *p == ']') {
        ++p;
        if (innermost == no_offset) break;  // not JSON
        container& closed = all_[innermost];
        innermost = closed.end;
        closed.end = static_cast<text_offset>(p - text.data());
      } else {
        const bool is_array = *p == '[';
        const auto open = static_cast<text_offset>(p - text.data());
        p = is_array ? structure.leave_container(p + 1) : p + 1;
        const text_offset end = !is_array      ? innermost
                                : p == nullptr ? no_offset
                                               : static_cast<text_offset>(p - text.data());
        if (!is_array) innermost = static_cast<text_offset>(all_.size());
        if (!all_.push({open, end})) return false;
      }
    }
    while (innermost != no_offset) {  // not JSON: these have no end
      container& unclosed = all_[innermost];
      innermost = unclosed.end;
      unclosed.end = no_offset;
    }
    text_ = text.data();
    return true;
  }

  /// Returns the end of the container whose opening bracket is at `bracket`; a null pointer when it
  /// is not in the index or has no end. Cost: a binary search.
  const char* find(const char* bracket) const noexcept {
    const auto wanted = static_cast<text_offset>(bracket - text_);
    std::size_t low = 0;
    for (std::size_t high = all_.size(); low < high;) {
      const std::size_t middle = low + (high - low) / 2;
      if (all_[middle].open < wanted) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low == all_.size() || all_[low].open != wanted || all_[low].end == no_offset)
      return nullptr;
    return text_ + all_[low].end;
  }

 private:
  struct container {
    text_offset open;
    text_offset end;  ///< behind its closing bracket
  };

  const char* text_ = nullptr;
  base::stack<container, 8> all_;
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
