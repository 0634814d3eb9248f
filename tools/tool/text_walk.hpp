// What two JSON texts differ in, place by place, without trees.
//
// The texts have been validated. If they change afterwards, because a mapped file does, the answers
// are wrong, but nothing is read outside of the texts and the walks end.
#pragma once

#include <devicetwin/json/text/tokens.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tool {

/// A value of a text, without white space around it. One that is not there has no data().
using value_text = std::string_view;

inline bool is_object(value_text v) { return !v.empty() && v.front() == '{'; }
inline bool is_array(value_text v) { return !v.empty() && v.front() == '['; }

/// The value of a text as a whole.
value_text whole_value(std::string_view text);

/// Takes the members of an object, or the elements of an array, one by one.
class text_items {
 public:
  explicit text_items(value_text container);
  /// Returns false at the end.
  bool next();
  /// What stands between the quotes of the member's name.
  std::string_view name() const { return name_; }
  value_text value() const { return value_; }

 private:
  devicetwin::json::core::text_structure structure_;
  const char* p_;
  const char* end_;
  bool named_;
  std::string_view name_;
  value_text value_;
};

/// A string without its escapes. `raw` is what stands between the quotes.
std::string plain_string(std::string_view raw);

/// A member that is not the same byte by byte in two objects.
struct member_pair {
  std::string_view name;  ///< as one of them spells it
  value_text from, to;
  std::size_t place;  ///< among the members of the first object
  bool added;         ///< comes behind the member at this place
};
/// The members of two objects that differ at least in their spelling. Members are paired by name,
/// in any order. Order of the result: that of `from`, a new member behind the one that it follows
/// in `to`. Cost: one pass over both; members in another order are sorted. Memory: for the members
/// that differ, and those in another order.
std::vector<member_pair> differing_members(value_text from, value_text to);

/// Whether two values mean the same: objects in any order, numbers by their decimal values.
bool same_value(value_text a, value_text b);

/// A hash that is the same for values that mean the same. (Rarely it is not, for numbers of more
/// digits than a double holds.)
std::uint64_t hash_of(value_text v);

}  // namespace tool
