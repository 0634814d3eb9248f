/// Hashes of JSON values by what they mean: equal values have the same hash, whatever the order of
/// their members and the spelling of their numbers and strings.
#pragma once

#include <cstdint>      // std::int64_t, std::uint64_t
#include <cstring>      // std::memcpy
#include <string_view>  // std::string_view

#include "../../base/hash.hpp"
#include "../../base/memory.hpp"
#include "../../base/stack.hpp"
#include "../../json/error.hpp"
#include "../../json/find_text.hpp"
#include "../../json/number.hpp"
#include "../../json/text/tokens.hpp"
#include "../../json/tree/name_hash.hpp"
#include "../../json/value.hpp"
#include "../tree/places.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

/// A handler of events that computes the hash of one value. Numbers count as the doubles next to
/// them.
class value_hasher {
 public:
  explicit value_hasher(const memory_source& memory) noexcept : levels_(memory) {}

  errc failure() const noexcept { return errc::out_of_memory; }
  /// Of the value that was sent.
  std::uint64_t hash() const noexcept { return hash_; }

  bool Null() { return add(1); }
  bool Bool(bool b) { return add(b ? 2 : 3); }
  bool Int(int i) { return Double(i); }
  bool Uint(unsigned u) { return Double(u); }
  bool Int64(std::int64_t i) { return Double(static_cast<double>(i)); }
  bool Uint64(std::uint64_t u) { return Double(static_cast<double>(u)); }
  bool Double(double d) {
    std::uint64_t bits = 0;
    if (d != 0) std::memcpy(&bits, &d, sizeof bits);
    return add(base::mix(bits, 4));
  }
  bool String(const char* text, size_type length, bool) {
    return add(base::mix(json::core::hash_name(std::string_view(text, length)), 5));
  }
  bool Key(const char* text, size_type length, bool) {
    levels_.back().name = json::core::hash_name(std::string_view(text, length));
    return true;
  }
  bool StartObject() { return levels_.push({6, 0, true}); }
  bool StartArray() { return levels_.push({7, 0, false}); }
  bool EndObject(size_type) { return leave(); }
  bool EndArray(size_type) { return leave(); }

 private:
  struct level {
    std::uint64_t sum;
    std::uint64_t name;
    bool object;
  };
  bool leave() {
    const std::uint64_t sum = levels_.back().sum;
    levels_.pop();
    return add(base::mix(sum, 8));
  }
  bool add(std::uint64_t hash) noexcept {
    if (levels_.empty()) {
      hash_ = hash;
    } else if (levels_.back().object) {
      levels_.back().sum += base::mix(levels_.back().name, hash);
    } else {
      levels_.back().sum = base::mix(levels_.back().sum, hash);
    }
    return true;
  }

  base::stack<level, 16> levels_;
  std::uint64_t hash_ = 0;
};

/// Sends the events of a value's text to a value_hasher. The text is taken on trust. False when
/// memory ran out.
inline bool hash_text(std::string_view text, const memory_source& memory, std::uint64_t& hash) {
  value_hasher to(memory);
  base::stack<char, 64> string(memory);
  base::stack<unsigned char, 64> objects(memory);  // whether each open container is one
  const char* p = text.data();
  const char* const end = p + text.size();
  bool good = true;
  for (bool name_next = false; p != end && good;) {
    const char c = *p;
    if (json::core::is_space(c) || c == ':') {
      ++p;
    } else if (c == ',') {
      ++p;
      name_next = !objects.empty() && objects.back() != 0;
    } else if (c == '{' || c == '[') {
      ++p;
      name_next = c == '{';
      good = objects.push(c == '{') && (c == '{' ? to.StartObject() : to.StartArray());
    } else if (c == '}' || c == ']') {
      ++p;
      if (objects.empty()) break;
      good = objects.back() != 0 ? to.EndObject(0) : to.EndArray(0);
      objects.pop();
      name_next = false;
    } else {
      const char* const last = json::core::skip_value(p, end);
      if (last == nullptr) break;
      if (c == '"') {
        std::string_view raw(p + 1, static_cast<std::size_t>(last - p) - 2);
        if (json::core::has_escapes(raw)) {
          string.truncate(0);
          json::core::plain_bytes bytes(raw);
          for (int byte = bytes.next(); byte >= 0; byte = bytes.next())
            good = good && string.push(static_cast<char>(byte));
          raw = {string.data(), string.size()};
        }
        const auto length = static_cast<size_type>(raw.size());
        good = good &&
               (name_next ? to.Key(raw.data(), length, true) : to.String(raw.data(), length, true));
        name_next = false;
      } else if (c == 'n') {
        good = to.Null();
      } else if (c == 't' || c == 'f') {
        good = to.Bool(c == 't');
      } else {
        json::number n;
        const bool fits = json::parse_number(p, last, n).code == errc::ok;
        using kind = json::number::kind;
        good = to.Double(!fits                                   ? 1
                         : n.stored_as == kind::signed_integer   ? static_cast<double>(n.i)
                         : n.stored_as == kind::unsigned_integer ? static_cast<double>(n.u)
                                                                 : n.d);
      }
      p = last;
    }
  }
  hash = to.hash();
  return good;
}

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
