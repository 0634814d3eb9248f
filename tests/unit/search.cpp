#include <devicetwin/json/text/search.hpp>

#include <string>
#include <vector>

#include "../support/json.hpp"

namespace core = json::core;

namespace {

template <std::size_t most>
std::vector<std::string> found(std::string_view text, const std::vector<std::string>& pointers,
                               core::search_in where = core::search_in::objects_and_arrays) {
  core::text_search<most> search(where);
  for (const std::string& pointer : pointers) search.add(pointer);
  search.run(text);
  std::vector<std::string> values;
  for (std::size_t i = 0; i < pointers.size(); ++i) values.emplace_back(search.value(i));
  return values;
}
using values = std::vector<std::string>;

}  // namespace

TEST_CASE("a search for several values goes back to the containers around them", "[search]") {
  const char* text = R"({"a":[[0,{"b":1}],2,{"c":[3]}],"d":{"e":4}})";
  CHECK(found<8>(text, {"/d/e", "/a/2/c/0", "/a/0/1/b", "/a/1", "/a/0/2", "/a/2/x", "/d"}) ==
        values{"4", "3", "1", "2", "", "", R"({"e":4})"});
  CHECK(found<2>(text, {"/a", "/a"}) == values(2, R"([[0,{"b":1}],2,{"c":[3]}])"));
}

TEST_CASE("a search may be for members of objects alone", "[search]") {
  const char* text = R"({"a":[{"0":1}],"0":{"0":2}})";
  CHECK(found<1>(text, {"/a/0"}) == values{R"({"0":1})"});
  CHECK(found<1>(text, {"/a/0"}, core::search_in::objects) == values{""});
  CHECK(found<2>(text, {"/a/0", "/0/0"}, core::search_in::objects) == values{"", "2"});
}

TEST_CASE("a search says which step led nowhere", "[search]") {
  const auto lost = [](std::string_view text, std::string_view pointer) {
    core::text_search<1> search;
    search.add(pointer);
    search.run(text);
    CHECK(search.value(0).empty());
    return std::string(search.lost_at(0));
  };
  const char* text = R"({"a":{"b":1},"c":[2]})";
  CHECK(lost(text, "/x/y") == "/x");
  CHECK(lost(text, "/a/b/c") == "/a/b/c");
  CHECK(lost(text, "/a/x/c") == "/a/x");
  CHECK(lost(text, "/c/1/c") == "/c/1");
  CHECK(lost(text, "/c/01") == "/c/01");
  CHECK(lost("7", "/a/b") == "/a");
  CHECK(lost("", "") == "");
}

TEST_CASE("a search in text that is not JSON ends", "[search]") {
  for (const char* const text : {"{",
                                 "[",
                                 "{\"a\"",
                                 "{\"a\":",
                                 "{\"a\":}",
                                 "{\"a\":1",
                                 "{\"a\":1,",
                                 "[1",
                                 "[,",
                                 "[}",
                                 "{]}",
                                 "{\"a\" 1}",
                                 "{a:1}",
                                 "[[[[",
                                 "{\"a\":{\"b\":1",
                                 "{\"a\":[1,2}",
                                 "\\\"{",
                                 "]",
                                 ",",
                                 "{\"a\":  ,}"}) {
    for (const values& pointers : {values{"/a"}, {"/0"}, {"/a/b", "/a", "/0/0"}}) {
      for (const std::string& value : found<8>(text, pointers))
        CHECK(value.size() <= std::string_view(text).size());
    }
  }
}
