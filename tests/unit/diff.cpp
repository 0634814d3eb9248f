// The merge patch between two values.
#include <devicetwin/merge/diff.hpp>

#include <string>

#include "../support/merge_text.hpp"

TEST_CASE("diff looks as deep as it is told to", "[diff]") {
  for (const std::size_t limit : {3u, 64u, 80u}) {
    merge::options o;
    o.max_depth = limit;
    json::read_options reading;
    reading.max_depth = 100;
    std::string open, close;
    for (std::size_t i = 1; i != limit; ++i) {
      open += "{\"a\":";
      close += '}';
    }
    const auto nested = [&](const char* innermost) {
      json::document d;
      REQUIRE(!json::read(open + innermost + close, d, reading));
      return d;
    };
    const json::document from = nested("{\"b\":1}"), to = nested("{\"b\":2}");
    const json::document deeper = nested("{\"b\":{}}"), other = nested("{\"b\":{\"c\":1}}");
    json::document patch;
    CHECK(!merge::diff(from.root(), to.root(), patch, o));
    for (const auto& e : {merge::diff(from.root(), deeper.root(), patch, o),
                          merge::diff(deeper.root(), other.root(), patch, o)}) {
      CHECK(e.code() == errc::depth_exceeded);
      CHECK(e.limit() == limit);
    }
  }
}

TEST_CASE("diff says what changed", "[diff]") {
  CHECK(difference(R"({"a":1,"b":{"c":2,"d":3}})", R"({"b":{"d":3,"c":5},"e":{}})") ==
        R"({"b":{"c":5},"a":null,"e":{}})");
  CHECK(difference(R"({"a":1})", R"({"a":1.0})") == "{}");
  CHECK(difference(R"({"a":[1,2]})", R"({"a":[1,3]})") == R"({"a":[1,3]})");
  CHECK(difference(R"({"a":[{"x":1}]})", R"({"a":[{"y":1}]})") == R"({"a":[{"y":1}]})");
  CHECK(difference("[1]", "[1]") == "[1]");
  CHECK(difference("1", R"({"a":1})") == R"({"a":1})");
  CHECK(difference(R"({"a":1})", "null") == "null");
  CHECK(difference(R"({"a":5})", R"({"a":{}})") == R"({"a":{}})");
  CHECK(difference(R"({"n":null})", R"({"n":null,"m":1})") == R"({"m":1})");
  CHECK(difference(R"({})", R"({"a":[{"b":null}]})") == R"({"a":[{"b":null}]})");
}

TEST_CASE("diff refuses what a merge patch cannot say, naming the place", "[diff]") {
  CHECK(difference(R"({"a":1})", R"({"a":null})") == "error at /a");
  CHECK(difference(R"({})", R"({"x":{"y":{"z":null}}})") == "error at /x/y/z");
  CHECK(difference(R"({"x":{"y":1}})", R"({"x":{"y":{"z":null}}})") == "error at /x/y/z");
  CHECK(difference("1", R"({"a":null})") == "error at /a");
  merge::options o;
  o.nulls = merge::null_rule::keep;
  CHECK(difference(R"({"a":1})", R"({"a":null,"b":{"c":null}})", o) ==
        R"({"a":null,"b":{"c":null}})");
  CHECK(difference(R"({"a":1,"b":{"c":2}})", R"({"a":1,"b":{}})", o) == "error at /b/c");
  o.nulls = merge::null_rule::remove_existing;
  CHECK(difference(R"({"a":1})", R"({"a":1,"b":{"c":null}})", o) == R"({"b":{"c":null}})");
  CHECK(difference(R"({"a":1})", R"({"a":null})", o) == "error at /a");
}

TEST_CASE("diff finds its errors before it sends anything", "[diff]") {
  std::string text;
  json::text_writer writer(text);
  CHECK(merge::diff(parsed(R"({"a":1,"b":2})"), parsed(R"({"a":9,"b":null})"), writer).code() ==
        errc::null_member);
  CHECK(text.empty());
  REQUIRE(!merge::diff(parsed(R"({"a":1,"b":2})"), parsed(R"({"a":9})"), writer));
  CHECK(text == R"({"a":9,"b":null})");
}
