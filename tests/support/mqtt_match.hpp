// Whether a topic filter matches a topic, straight from MQTT 3.1.1, section 4.7; slow and obvious.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

inline bool mqtt_match(std::string_view filter, std::string_view topic) {
  const auto levels_of = [](std::string_view text) {
    std::vector<std::string_view> levels;
    for (std::size_t end; (end = text.find('/')) != std::string_view::npos;
         text.remove_prefix(end + 1))
      levels.push_back(text.substr(0, end));
    levels.push_back(text);
    return levels;
  };
  const auto f = levels_of(filter), t = levels_of(topic);
  // "#" must be the last level and "+" a whole one (4.7.1.2, 4.7.1.3).
  for (std::size_t i = 0; i < f.size(); ++i) {
    if (f[i].find('#') != std::string_view::npos && (f[i] != "#" || i + 1 != f.size()))
      return false;
    if (f[i].find('+') != std::string_view::npos && f[i] != "+") return false;
  }
  // No wildcard for a first level with "$" (4.7.2).
  if (!topic.empty() && topic[0] == '$' && (f[0] == "#" || f[0] == "+")) return false;
  for (std::size_t i = 0;; ++i) {
    if (i < f.size() && f[i] == "#") return true;  // also its parent: then t has ended here
    if (i == f.size() || i == t.size()) return i == f.size() && i == t.size();
    if (f[i] != "+" && f[i] != t[i]) return false;
  }
}
