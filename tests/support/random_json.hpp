// Random JSON texts that are likely to be related: few names, few values, some of everything.
#pragma once

#include <cstdint>
#include <random>
#include <set>
#include <string>

class random_json {
 public:
  explicit random_json(unsigned seed) : random_(seed) {}

  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }

  std::string value(int depth = 0) {
    const unsigned kind = below(depth > 4 ? 8 : 12);
    switch (kind) {
      case 0: return "null";
      case 1: return below(2) ? "true" : "false";
      case 2: return std::to_string(below(4));
      case 3: return std::to_string(below(4)) + ".0";
      case 4: return "-" + std::to_string(below(3)) + (below(2) ? "" : ".5e" + std::to_string(below(40)));
      case 5: return below(2) ? "9007199254740993" : "9007199254740992.0";
      case 6: return "\"" + std::string(below(30), 'x') + "\"";
      case 7: return below(2) ? "\"\\u00e9\\n\"" : "\"\xC3\xA9\\u000a\"";
      case 8: return array(depth);
      default: return object(depth);
    }
  }
  std::string array(int depth) {
    std::string text = "[";
    for (unsigned n = below(4); n != 0; --n) text += value(depth + 1) + (n > 1 ? "," : "");
    return text + "]";
  }
  std::string object(int depth) {
    const bool wide = depth == 0 && below(8) == 0;
    std::string text = "{";
    std::set<unsigned> taken;
    for (unsigned n = below(wide ? 60 : 7); n != 0; --n) {
      const unsigned name = below(wide ? 80 : 7);
      if (!taken.insert(name).second) continue;
      if (text.size() > 1) text += ",";
      text += "\"" + (wide ? "a-rather-long-name-" + std::to_string(name) : std::string(1 + name * 3, "abcdefg"[name])) +
              "\":" + value(depth + 1);
    }
    return text + "}";
  }

 private:
  std::mt19937 random_;
};
