// The quick validator against the reader: what it is sure of is valid, and what is valid it is
// mostly sure of.
#include <devicetwin/devicetwin.hpp>

#include "../support/text.hpp"

#include <string>
#include <string_view>

#include "../catch.hpp"
#include "../support/random_json.hpp"
#include "../support/text_roads.hpp"

// Small machines leave it out.
#if !defined(DEVICETWIN_SMALL)

namespace {

namespace core = json::core;

bool reader_accepts(std::string_view text, std::size_t max_depth = 64) {
  json::core::ignore_events nobody;  // takes numbers of any size, as the text functions do
  json::read_options options;
  options.max_depth = max_depth;
  return !json::read_events(text, nobody, options);
}
bool sure(std::string_view text, std::size_t max_depth = 64) {
  return core::quick_validator(text, max_depth, devicetwin::memory_source()).sure();
}

// By every level, and with unmapped pages next to the text.
void check(std::string_view text, bool must_be_sure) {
  static guarded_memory memory;
  INFO(text);
  const bool valid = reader_accepts(text);
  for (std::size_t i = 0; core::level_at(i) != nullptr; ++i) {
    core::force_level(core::level_at(i));
    for (const bool at_end : {false, true}) {
      const bool is_sure = sure(memory.put(text, at_end));
      if (is_sure) CHECK(valid);
      if (valid && must_be_sure) CHECK(is_sure);
    }
  }
  core::force_level(nullptr);
}

}  // namespace

TEST_CASE("the quick validator is sure of what is common", "[validate]") {
  for (const char* const text : {
           "{}",
           "[]",
           " { } ",
           "[ ]\n",
           "[[],{}]",
           R"({"a":1,"b":"c","d":[true,false,null],"e":{"f":-0.5}})",
           "[0,-0,0.0,-1.5,1e5,1.25E-3,1E+2,123456789,12345678.5,1.23456789,1234567.1234567,"
           "1234567.12345678]",
           "[18446744073709551616,0.1234567890123456789,1e400,-1e99999999999999999999,1E-400]",
           "[\"\",\"\\\"\",\"\\\\\",\"\\u00e9\",\"\\ud83d\\ude00\",\"\xE2\x82\xAC\"]",
           "\r\n\t { \"a\" : [ 1 , 2.5 , \"x\" ] ,\n\"b\" : { } , \"c\" : true }\n\n",
       }) {
    check(text, true);
    CHECK(reader_accepts(text));
  }
}

TEST_CASE("the quick validator is never sure of what the reader refuses", "[validate]") {
  for (const char* const text : {
           "",
           " ",
           "{",
           "[",
           "}",
           "]",
           "[}",
           "{]",
           "[1",
           "{\"a\"}",
           "{\"a\":}",
           "{\"a\":1,}",
           "[1,]",
           "[,1]",
           "{,}",
           "[1 2]",
           "[1\"a\"]",
           "[\"a\"1]",
           "[\"a\"\"b\"]",
           "{\"a\" 1}",
           "{\"a\"::1}",
           "{1:2}",
           "{\"a\":1 \"b\":2}",
           "[\"a\":1]",
           "{\"a\":1}}",
           "[1]]",
           "[[1]",
           "{\"a\":{\"b\":1}",
           "[1]x",
           "[1] 2",
           "[01]",
           "[-]",
           "[-01]",
           "[1.]",
           "[.5]",
           "[1.e5]",
           "[1e]",
           "[1e+]",
           "[+1]",
           "[1.5.5]",
           "[--1]",
           "[1-1]",
           "[0x1]",
           "[tru]",
           "[truE]",
           "[true1]",
           "[nulll]",
           "[falsee]",
           "[True]",
           "[t]",
           "[truetrue]",
           "[\"a]",
           "[\"\\x\"]",
           "[\"\\u12\"]",
           "[\"\\ud800\"]",
           "[\"\x01\"]",
           "[\"\n\"]",
           "[\"\x80\"]",
           "[\"\xC0\x80\"]",
           "[\"\xED\xA0\x80\"]",
           "[\"\xF4\x90\x80\x80\"]",
           "[\"\xE2\x82\"]",
           "[\x80]",
           "[\\\"a\"]",
           "[\"a\"\\\"b\"]",
           "[\x01]",
           "[1\x0B]",
           "{\"a\":1,\"a\":2}",
           "{\"a\":1,\"\\u0061\":2}",
           "{\"b\":{\"a\":1,\"a\":2}}",
           "{\"\":1,\"\":2}",
           "{\"abcdefghijklmnopqrstuvwxyz\":1,\"abcdefghijklmnopqrstuvwxyz\":2}",
       }) {
    check(text, false);
    CHECK_FALSE(reader_accepts(text));
    // Further into a text, with blocks before and behind, across the bounds of blocks too.
    for (std::size_t shift = 60; shift < 70; ++shift) {
      check("[\"" + std::string(shift, 'x') + "\"," + text + ",\"" + std::string(70, 'y') + "\"]",
            false);
    }
  }
  for (const char* const text : {"1", "\"a\"", "null"})
    CHECK_FALSE(sure(text));  // valid, but neither array nor object
  CHECK_FALSE(sure(std::string_view("[\"a\0b\"]", 7)));
  CHECK_FALSE(sure(std::string_view("[1,\0]", 5)));
  CHECK(sure("[[[]]]", 3));
  CHECK_FALSE(sure("[[[]]]", 2));
  CHECK_FALSE(sure(std::string(100000, '[')));
  CHECK_FALSE(sure(std::string(100000, '{') + "}"));
}

TEST_CASE(
    "the quick validator checks characters that lie across blocks, and across the blocks at hand",
    "[validate]") {
  // The blocks at hand are sixteen: 1,024 bytes.
  for (const char* const middle : {"\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xC3\xA9", "\xE2\x82",
                                   "\xF0\x9F\x98", "\xC3", "\x80", "\xED\xA0\x80", "\xC0\x80"}) {
    for (const std::size_t border : {std::size_t{64}, std::size_t{1024}, std::size_t{2048}}) {
      for (std::size_t at = border - 5; at < border + 2; ++at) {
        const std::string start = "[\"" + std::string(at - 2, 'x') + middle;
        check(start + "\"]", true);
        check(start + std::string(80, 'y') + "\"]", true);
        check(start + std::string(1100, 'y') + "\xE2\x82\xAC\"]", true);
        check(start + "\",1]", true);
      }
    }
  }
  check("[1,\"a\xC3\"]", false);
  check("[1,\xC3\xA9]", false);
}

TEST_CASE("the quick validator finds a name that stands twice, however many there are",
          "[validate]") {
  for (const unsigned count : {2u, 3u, 10u, 100u, 128u, 129u, 1000u}) {
    std::string text = "{";
    for (unsigned i = 0; i < count; ++i)
      text += "\"" + std::string(i % 40, 'n') + std::to_string(i) + "\":1,";
    const std::string more =
        text + "\"" + std::string(count / 2 % 40, 'n') + std::to_string(count / 2) + "\":1}";
    text.back() = '}';
    check(text, true);
    check(more, false);
    CHECK_FALSE(reader_accepts(more));
    check("{\"a\":" + text + ",\"b\":" + text + "}", true);
    check("{\"a\":" + text + ",\"b\":[{},{\"c\":" + more + "}]}", false);
  }
  // Names that differ in one character, wherever that is.
  for (std::size_t length = 1; length <= 24; ++length) {
    std::string alike = "{\"" + std::string(length, 'n') + "\":1";
    for (std::size_t i = 0; i < length; ++i) {
      alike += ",\"" + std::string(length, 'n') + "\":1";
      alike[alike.size() - 3 - length + i] = 'o';
    }
    check(alike + "}", true);
  }
  // More objects than can be numbered in a byte.
  std::string text = "[";
  for (int i = 0; i < 1000; ++i) text += "{\"x\":1,\"y\":{\"x\":2,\"z\":3}},";
  check(text + "{\"x\":1,\"y\":2}]", true);
  check(text + "{\"x\":1,\"y\":2,\"x\":3}]", false);
}

TEST_CASE("the quick validator agrees with the reader on random texts", "[validate][property]") {
  const std::string_view tokens[] = {"{",     "}",       "[",  "]",    ",",    ":",    "\"a\"",
                                     "\"b\"", "\"c d\"", "1",  "-2.5", "true", "null", " ",
                                     "\n",    "\\",      "\"", "e",    "0"};
  for (unsigned seed = 0; seed < 20000; ++seed) {
    random_json random(seed);
    std::string text = seed % 2 == 0 ? "[" : "{";
    for (unsigned n = random.below(12); n != 0; --n)
      text += tokens[random.below(sizeof tokens / sizeof *tokens)];
    text += seed % 2 == 0 ? "]" : "}";
    check(text, text.find('\\') == std::string::npos);
  }
  for (unsigned seed = 0; seed < 3000; ++seed) {
    random_json random(seed);
    std::string text = random.below(2) == 0 ? random.object(0)
                                            : "[" + random.object(0) + "," + random.array(0) + "]";
    check(text, true);
    for (int i = 0; i < 4; ++i) {
      std::string other = text;
      const std::size_t at = random.below(static_cast<unsigned>(other.size()));
      switch (random.below(4)) {
        case 0:
          other.erase(at, 1);
          break;
        case 1:
          other.insert(at, 1, "{}[],:\"\\ 0-.e"[random.below(13)]);
          break;
        case 2:
          other[at] = static_cast<char>(other[at] ^ (1 << random.below(8)));
          break;
        default:
          other.resize(at);
          break;
      }
      check(other, false);
    }
  }
}

#endif
