// Short ways to read and write JSON in tests.
#pragma once

#include <devicetwin/json/equal.hpp>
#include <devicetwin/json/pointer.hpp>
#include <devicetwin/json/read.hpp>
#include <devicetwin/json/write.hpp>

#include <string>
#include <string_view>
#include <type_traits>

#include "../catch.hpp"

namespace json = devicetwin::json;
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

/// Whether json::equal() says so of two values or documents.
template <class A, class B, class... Options>
std::enable_if_t<json::core::stands_for_value<A>, bool> are_equal(const A& a, const B& b,
                                                                  const Options&... options) {
  return json::equal(a, b, options...) == json::comparison::equal;
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
