// JSON texts that are likely to be related: few names, few values, some of everything. Random ones
// for tests, and ones that a fuzzer's bytes choose.
#pragma once

#include <cstdint>
#include <random>
#include <set>
#include <string>

class random_json {
 public:
  explicit random_json(unsigned seed) : random_(seed) {}
  /// Each choice takes one byte; when they are used up, it is always the first.
  random_json(const std::uint8_t* bytes, std::size_t count)
      : bytes_(bytes), left_(count), chosen_(true) {}

  unsigned below(unsigned n) {
    if (!chosen_) return static_cast<unsigned>(random_() % n);
    if (left_ == 0) return 0;
    --left_;
    return *bytes_++ % n;
  }
  /// From now on there is no null but where a change removes.
  void avoid_null() { nulls_ = false; }
  bool exhausted() const { return chosen_ && left_ == 0; }

  std::string value(int depth = 0) {
    const unsigned kind = below(depth > 4 ? 8 : 12);
    switch (kind) {
      case 0:
        return nulls_ ? "null" : "\"\"";
      case 1:
        return below(2) ? "true" : "false";
      case 2:
        return std::to_string(below(4));
      case 3:
        return std::to_string(below(4)) + ".0";
      case 4:
        return "-" + std::to_string(below(3)) + (below(2) ? "" : ".5e" + std::to_string(below(40)));
      case 5:
        return below(2) ? "9007199254740993" : "9007199254740992.0";
      case 6:
        return "\"" + std::string(below(30), 'x') + "\"";
      case 7:
        return below(2) ? "\"\\u00e9\\n\"" : "\"\xC3\xA9\\u000a\"";
      case 8:
        return array(depth);
      default:
        return object(depth);
    }
  }
  /// The JSON form of a change (merge/change.hpp).
  std::string change(int depth = 0) {
    const unsigned kind = below(depth == 0 ? 12 : depth > 3 ? 5 : 8);
    if (depth == 0 && kind < 2) return kind == 0 ? "[]" : "[" + value() + "]";
    if (depth != 0 && kind < 2) return "null";
    if (depth != 0 && kind < 5) return "[" + value(depth + 1) + "]";
    return members(depth, [this](int inside) { return change(inside); });
  }
  std::string array(int depth) {
    std::string text = "[";
    for (unsigned n = below(4); n != 0; --n) text += value(depth + 1) + (n > 1 ? "," : "");
    return text + "]";
  }
  std::string object(int depth) {
    return members(depth, [this](int inside) { return value(inside); });
  }

 private:
  template <class Inside>
  std::string members(int depth, Inside&& inside) {
    const bool wide = depth == 0 && below(8) == 0;
    std::string text = "{";
    std::set<unsigned> taken;
    for (unsigned n = below(wide ? 60 : 7); n != 0; --n) {
      const unsigned name = below(wide ? 80 : 7);
      if (!taken.insert(name).second) continue;
      if (text.size() > 1) text += ",";
      text += "\"" +
              (wide ? "a-rather-long-name-" + std::to_string(name)
                    : std::string(1 + name * 3, "abcdefg"[name])) +
              "\":" + inside(depth + 1);
    }
    return text + "}";
  }

  std::mt19937 random_;
  const std::uint8_t* bytes_ = nullptr;
  std::size_t left_ = 0;
  bool chosen_ = false;
  bool nulls_ = true;
};
