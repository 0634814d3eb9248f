#include <devicetwin/json/value.hpp>

#include <devicetwin/json/arena.hpp>

#include <string>
#include <type_traits>

#include "../support/json.hpp"

namespace core = json::core;

namespace {

using other_value = rapidjson::GenericValue<rapidjson::UTF8<>, rapidjson::CrtAllocator>;

template <class T>
std::string kind_of(const T&) {
  return std::string(core::is_value<T> ? "value " : "") +
         (core::is_document<T> ? "document " : "") +
         (core::stands_for_value<T> ? "stands for a value " : "") +
         (core::stands_for_text<T> ? "text" : "");
}

}  // namespace

TEST_CASE("values, documents and texts are told apart", "[value]") {
  rapidjson::Document d;
  const rapidjson::Document fixed;
  CHECK(kind_of(rapidjson::Value()) == "value stands for a value ");
  CHECK(kind_of(other_value()) == "value stands for a value ");
  CHECK(kind_of(json::arena_value()) == "value stands for a value ");
  CHECK(kind_of(d) == "value document stands for a value ");
  CHECK(core::is_document<rapidjson::Document>);
  CHECK_FALSE(core::is_document<const rapidjson::Document>);  // it cannot be written to
  CHECK(kind_of(json::document()) == "stands for a value ");
  CHECK(kind_of(std::string()) == "text");
  CHECK(kind_of(std::string_view()) == "text");
  CHECK(kind_of("{}") == "text");
  CHECK(kind_of(42) == "");
}

TEST_CASE("value_of() returns the value itself, without a copy", "[value]") {
  rapidjson::Document d;
  d.SetInt(5);
  CHECK(&core::value_of(d) == &static_cast<rapidjson::Value&>(d));
  json::document compact;
  REQUIRE(!json::read(R"({"a":1})", compact));
  CHECK(&core::value_of(compact) == &compact.root());
  CHECK((std::is_same_v<core::value_type_of<json::document>, json::arena_value>));
  CHECK((std::is_same_v<core::value_type_of<rapidjson::Document>, rapidjson::Value>));
  CHECK((std::is_same_v<core::value_type_of<const other_value&>, other_value>));
}

TEST_CASE("values of any allocator go through one function", "[value]") {
  rapidjson::CrtAllocator heap;
  other_value v(rapidjson::kArrayType);
  v.PushBack(1, heap).PushBack("x", heap);
  CHECK(written(v) == R"([1,"x"])");
  CHECK(are_equal(v, parsed(R"([1.0,"x"])")));
}

TEST_CASE("every function accepts the default depth of 64 levels and not 65", "[value]") {
  CHECK(json::default_max_depth == 64);
  for (const std::size_t levels : {json::default_max_depth, json::default_max_depth + 1}) {
    rapidjson::Document d;
    const json::error e = json::read(std::string(levels, '[') + std::string(levels, ']'), d);
    CHECK((e.code() == errc::depth_exceeded) == (levels > json::default_max_depth));
  }
}
