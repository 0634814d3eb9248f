#include <devicetwin/json/tree/inside.hpp>

#include "../support/json.hpp"

#include <string>

namespace core = json::core;
using parts = core::inside<json::value>;

TEST_CASE("a text is seen the same, inside its value or outside", "[inside]") {
  rapidjson::Document d;
  for (std::size_t length = 0; length < 40; ++length) {
    std::string text;
    for (std::size_t i = 0; i < length; ++i) text += static_cast<char>('a' + i);
    const auto size = static_cast<json::size_type>(length);
    const rapidjson::Value copy(text.data(), size, d.GetAllocator());
    const rapidjson::Value reference(rapidjson::StringRef(text.data(), length));
    CHECK(core::text_of(copy) == text);
    CHECK(core::text_of(reference) == text);
    CHECK(((parts::flags(copy) & parts::inline_flag) != 0) == (length <= parts::longest_inline));
    CHECK((parts::flags(reference) & parts::inline_flag) == 0);
    CHECK(core::same_text(copy, reference));
    for (std::size_t i = 0; i < length; ++i) {
      std::string other = text;
      other[i] = '?';
      const rapidjson::Value different(other.data(), size, d.GetAllocator());
      CHECK_FALSE(core::same_text(copy, different));
      CHECK_FALSE(core::same_text(different, reference));
    }
    const std::string longer = text + '\0';
    CHECK_FALSE(core::same_text(copy, rapidjson::Value(longer.data(), size + 1, d.GetAllocator())));
  }
}

TEST_CASE("a short text is made as RapidJSON makes it", "[inside]") {
  if constexpr (core::is_compact<json::value>) {
    rapidjson::Document d;
    for (json::size_type length = 0; length <= parts::longest_inline; ++length) {
      const std::string text = std::string(length, 't') + std::string(16, '?');
      const rapidjson::Value theirs(text.data(), length, d.GetAllocator());
      alignas(json::value) unsigned char place[sizeof(json::value)];
      parts::make_short_text(place, text.data(), length);
      const auto& ours = *std::launder(reinterpret_cast<const json::value*>(place));
      CHECK(core::text_of(ours) == std::string_view(text).substr(0, length));
      CHECK(core::same_inline_text(core::words_of(ours), core::words_of(theirs)));
      const core::value_words words = core::words_of_text(std::string_view(text).substr(0, length));
      CHECK(core::same_words(words, core::words_of(ours)));
      CHECK(core::same_words(core::cut_words(text.data(), length), words));
      CHECK(words.unused() == 13 - length);
    }
  }
}

TEST_CASE("bytes behind a short text mean nothing", "[inside]") {
  if constexpr (core::is_compact<json::value>) {
    rapidjson::Document d;
    rapidjson::Value used("thirteen byte", 13, d.GetAllocator());
    used.SetString("abc", 3, d.GetAllocator());
    const rapidjson::Value fresh("abc", 3, d.GetAllocator());
    CHECK(core::same_inline_text(core::words_of(used), core::words_of(fresh)));
    const rapidjson::Value other("abd", 3, d.GetAllocator());
    CHECK_FALSE(core::same_inline_text(core::words_of(fresh), core::words_of(other)));
    const rapidjson::Value longer("abcd", 4, d.GetAllocator());
    CHECK_FALSE(core::same_inline_text(core::words_of(fresh), core::words_of(longer)));
    CHECK_FALSE(core::same_inline_text(core::words_of(longer), core::words_of(fresh)));
  }
}

TEST_CASE("containers are made in one piece, and their parts are seen", "[inside]") {
  rapidjson::Document d;
  auto& allocator = d.GetAllocator();
  auto* const elements = static_cast<json::value*>(allocator.Malloc(2 * sizeof(json::value)));
  new (elements) json::value(1);
  new (elements + 1) json::value(2.5);
  json::value array, object;
  array.~GenericValue();
  parts::make_array(&array, elements, 2);
  CHECK(written(array) == "[1,2.5]");
  CHECK(array.Capacity() == 2);
  CHECK(parts::elements(array) == elements);
  CHECK(parts::element_count(array) == 2);
  CHECK(parts::real(array[1]) == 2.5);
  CHECK(parts::integer_bits(array[0]) == 1);
  auto* const members = static_cast<parts::member*>(allocator.Malloc(sizeof(parts::member)));
  new (&members->name) json::value("n");
  new (&members->value) json::value(true);
  object.~GenericValue();
  parts::make_object(&object, members, 1);
  CHECK(written(object) == R"({"n":true})");
  CHECK(core::members_begin(object) == members);
  CHECK(parts::member_count(object) == 1);
  array.PushBack(3, allocator);  // and RapidJSON can go on with them
  CHECK(written(array) == "[1,2.5,3]");
}
