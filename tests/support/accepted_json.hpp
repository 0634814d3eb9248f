// Whether the library's reader takes a text, with numbers of any size, and what such a text says.
#pragma once

#include <devicetwin/json/read.hpp>
#include <devicetwin/merge/text.hpp>

#include <optional>
#include <string_view>

#include "naive_json.hpp"

inline bool is_json(std::string_view text,
                    std::size_t max_depth = devicetwin::json::default_max_depth) {
  devicetwin::json::core::ignore_events nobody;
  devicetwin::json::read_options options;
  options.max_depth = max_depth;
  return !devicetwin::json::read_events(text, nobody, options);
}

/// What a text says. Nothing when it is not JSON, or has an exponent that naive::reader does not
/// take.
inline std::optional<naive::value> read_naively(std::string_view text) {
  return is_json(text) ? naive::reader::read(text) : std::nullopt;
}
