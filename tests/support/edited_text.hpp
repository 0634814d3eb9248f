// A text made from another by edits that bytes choose, for fuzz targets.
#pragma once

#include <string>
#include <string_view>

/// Each edit has three bytes: a place, and what to put, insert, remove or copy there.
inline std::string edited_text(std::string text, std::string_view edits) {
  for (; edits.size() >= 3 && !text.empty(); edits.remove_prefix(3)) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(edits[i]); };
    const std::size_t at = (byte(0) * 16u + byte(1) / 16u) % text.size();
    switch (byte(1) % 4) {
      case 0:
        text[at] = edits[2];
        break;
      case 1:
        text.insert(at, 1, edits[2]);
        break;
      case 2:
        text.erase(at, 1 + byte(2) % 16u);
        break;
      default:
        text.insert(at, text.substr(byte(2) % text.size(), 1 + byte(2) / 8u));
        break;
    }
  }
  return text;
}
