/// Random JSON documents for tests that must hold for all of them:
///
///     devicetwin::testing::random_document random(seed);
///     random.for_twins();                          // only values that a twin may hold
///     const std::string desired = random.object(), patch = random.patch();
///
/// The documents are likely to be related: few names, few values, some of everything. The same seed
/// makes the same documents on every machine.
#pragma once

#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint8_t
#include <random>   // std::mt19937
#include <set>      // std::set
#include <string>   // std::string

#include "../version.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace testing {

/// Makes JSON texts, each another one. All of them are valid and nest at most seven levels deep.
class random_document {
 public:
  explicit random_document(unsigned seed) : random_(seed) {}
  /// Takes its choices from bytes, which a fuzzer chooses: one byte for each. When they are used
  /// up, every choice is the first. `bytes` must outlive this object.
  random_document(const std::uint8_t* bytes, std::size_t count)
      : bytes_(bytes), left_(count), chosen_(true) {}

  /// A number from 0 to n - 1; n is at most 256 where the choices come from bytes.
  unsigned below(unsigned n) {
    if (!chosen_) return static_cast<unsigned>(random_() % n);
    if (left_ == 0) return 0;
    --left_;
    return *bytes_++ % n;
  }
  /// Whether the bytes are used up.
  bool exhausted() const { return chosen_ && left_ == 0; }

  /// From now on no value is or has a null. patch() and change() still remove.
  void avoid_null() { nulls_ = false; }
  /// From now on all values may stand in a twin: there is no null, and no integer beyond 52 bits.
  /// The dialects azure and edge_hub accept all of them.
  void for_twins() {
    nulls_ = false;
    large_integers_ = false;
  }

  /// Any value. `depth` says how many levels are around it.
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
        if (!large_integers_) return below(2) ? "4503599627370495" : "-4503599627370496";
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
  std::string array(int depth = 0) {
    std::string text = "[";
    for (unsigned n = below(4); n != 0; --n) text += value(depth + 1) + (n > 1 ? "," : "");
    return text + "]";
  }
  /// An object; one in eight at depth 0 has many members.
  std::string object(int depth = 0) {
    return members(depth, [this](int inside) { return value(inside); });
  }
  /// A merge patch (RFC 7396): an object with nulls where it removes members, also inside. After
  /// avoid_null() and for_twins() these are its only nulls.
  std::string patch(int depth = 0) {
    return members(depth, [this](int inside) {
      const unsigned kind = below(4);
      return kind == 0 ? "null" : kind == 1 && inside < 5 ? patch(inside) : value(inside);
    });
  }
  /// The JSON form of a change (merge/change.hpp).
  std::string change(int depth = 0) {
    const unsigned kind = below(depth == 0 ? 12 : depth > 3 ? 5 : 8);
    if (depth == 0 && kind < 2) return kind == 0 ? "[]" : "[" + value() + "]";
    if (depth != 0 && kind < 2) return "null";
    if (depth != 0 && kind < 5) return "[" + value(depth + 1) + "]";
    return members(depth, [this](int inside) { return change(inside); });
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
  bool large_integers_ = true;
};

}  // namespace testing
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
