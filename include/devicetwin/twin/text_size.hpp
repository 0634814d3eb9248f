/// The size of a section that is text.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../json/find_text.hpp"
#include "detail/section_size.hpp"
#include "dialect.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// The bytes of a string that count, of which `raw` stands between the quotes.
inline std::size_t visible_text(std::string_view raw) noexcept {
  if (!json::core::has_escapes(raw)) return visible_size(raw);
  visible_count visible;
  json::core::plain_bytes bytes(raw);
  for (int byte = bytes.next(); byte >= 0; byte = bytes.next())
    visible.add(static_cast<unsigned char>(byte));
  return visible.count();
}

}  // namespace detail

/// Returns the size of an object, given as text, by a dialect's formula: what size_limit counts.
/// The text must be valid JSON and compact. Cost: linear.
inline std::size_t text_size(std::string_view object, size_formula formula) noexcept {
  if (formula == size_formula::json_text) return object.size();
  std::size_t size = 0;
  const char* p = object.data();
  const char* const end = p + object.size();
  while (p != nullptr && p != end) {  // names and values, each for itself
    const char c = *p;
    if (c == '"') {
      const char* const start = p + 1;
      p = json::core::skip_string(start, end);
      if (p != nullptr)
        size += detail::visible_text({start, static_cast<std::size_t>(p - start) - 1});
    } else if (c == 't' || c == 'f') {
      size += 4;
      p = json::core::skip_value(p, end);
    } else if (c == '-' || json::core::is_digit(c)) {
      size += 8;
      p = json::core::skip_value(p, end);
    } else {
      p = c == 'n' ? json::core::skip_value(p, end) : p + 1;
    }
  }
  return size;
}

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
