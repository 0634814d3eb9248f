// The members of an object, or the elements of an array, in JSON text.
//
// The text has been validated. If it changes afterwards, because a mapped file does, the answers
// are wrong, but nothing is read outside of the text and a walk ends.
#pragma once

#include <devicetwin/json/find_text.hpp>
#include <devicetwin/json/text/tokens.hpp>

#include <string>
#include <string_view>

namespace tool {

/// A value of a text, without white space around it. One that is not there has no data().
using value_text = std::string_view;

inline bool is_object(value_text v) { return !v.empty() && v.front() == '{'; }
inline bool is_array(value_text v) { return !v.empty() && v.front() == '['; }

/// The value of a text as a whole.
inline value_text whole_value(std::string_view text) {
  return devicetwin::json::core::trimmed(text);
}

/// A string without its escapes. `raw` is what stands between the quotes.
std::string plain_string(std::string_view raw);

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

}  // namespace tool
