#include "text_items.hpp"

namespace json = devicetwin::json;

namespace tool {

std::string plain_string(std::string_view raw) {
  std::string plain;
  json::core::plain_bytes bytes(raw);
  for (int c = bytes.next(); c >= 0; c = bytes.next()) plain += static_cast<char>(c);
  return plain;
}

text_items::text_items(value_text container)
    : p_(container.data() + 1),
      end_(container.data() + container.size()),
      named_(is_object(container)) {
  structure_.reset(container);
}

bool text_items::next() {
  using json::core::skip_space;
  p_ = skip_space(p_, end_);
  if (p_ != end_ && *p_ == ',') p_ = skip_space(p_ + 1, end_);
  if (p_ == end_ || *p_ == '}' || *p_ == ']') return false;
  const char* value = p_;
  p_ = end_;  // unless all goes well
  if (named_) {
    if (*value != '"') return false;
    const char* const colon = structure_.skip_string(value);
    if (colon == nullptr || colon > end_ || colon - value < 2) return false;
    name_ = {value + 1, static_cast<std::size_t>(colon - value) - 2};
    value = skip_space(colon, end_);
    if (value == end_) return false;
    value = skip_space(value + 1, end_);
    if (value == end_) return false;
  }
  const char* const behind = structure_.skip_value(value);
  if (behind == nullptr || behind > end_) return false;
  value_ = {value, static_cast<std::size_t>(behind - value)};
  p_ = behind;
  return true;
}

}  // namespace tool
