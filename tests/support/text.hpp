// Short ways to read and write in tests.
#pragma once

#include <devicetwin/devicetwin.hpp>

#include <string>
#include <string_view>

#include "../catch.hpp"
#include "time.hpp"

namespace json = devicetwin::json;
namespace merge = devicetwin::merge;
using json::errc;

/// Reads what must be readable.
inline rapidjson::Document parsed(std::string_view text) {
  rapidjson::Document d;
  const json::error e = json::read(text, d);
  INFO(text);
  INFO(e.message());
  REQUIRE(!e);
  return d;
}

/// Whether equal() of two values or twins says so.
template <class A, class B, class... Options>
bool are_equal(const A& a, const B& b, const Options&... options) {
  if constexpr (json::core::stands_for_value<A>) {
    return json::equal(a, b, options...) == json::comparison::equal;
  } else {
    return devicetwin::equal(a, b, options...) == json::comparison::equal;
  }
}

template <class Value>
std::string written(const Value& v) {
  std::string text;
  const json::error e = json::write(v, text);
  INFO(e.message());
  REQUIRE(!e);
  return text;
}

/// The pointers of errors and changes as strings.
inline std::string pointer_of(const json::location& where) {
  std::string text;
  where.append_to(text);
  return text;
}
