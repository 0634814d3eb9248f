// Whether the library's reader takes a text, with numbers of any size, and what such a text says.
#pragma once

#include <devicetwin/json/read.hpp>

#include <optional>
#include <string_view>

#include "naive_json.hpp"

inline bool is_json(std::string_view text, std::size_t max_depth = devicetwin::json::default_max_depth) {
  struct anything {
    bool Null() { return true; }
    bool Bool(bool) { return true; }
    bool Int(int) { return true; }
    bool Uint(unsigned) { return true; }
    bool Int64(std::int64_t) { return true; }
    bool Uint64(std::uint64_t) { return true; }
    bool Double(double) { return true; }
    bool NumberText(std::string_view) { return true; }
    bool String(const char*, devicetwin::json::size_type, bool) { return true; }
    bool Key(const char*, devicetwin::json::size_type, bool) { return true; }
    bool StartObject() { return true; }
    bool EndObject(devicetwin::json::size_type) { return true; }
    bool StartArray() { return true; }
    bool EndArray(devicetwin::json::size_type) { return true; }
  } any;
  devicetwin::json::read_options options;
  options.max_depth = max_depth;
  return !devicetwin::json::read_events(text, any, options);
}

/// What a text says. Nothing when it is not JSON, or has an exponent that naive::reader does not take.
inline std::optional<naive::value> read_naively(std::string_view text) {
  return is_json(text) ? naive::reader::read(text) : std::nullopt;
}
