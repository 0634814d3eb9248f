// Differences between two documents, arrays element by element.
#include <devicetwin/merge/differences.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "../support/failing_heap.hpp"
#include "../support/random_json.hpp"
#include "../support/reference.hpp"

namespace {

std::string shown(const std::string_view* text) {
  return text == nullptr ? "-" : written(parsed(*text));
}
template <class Value>
std::string shown(const Value* value) {
  return value == nullptr ? "-" : written(*value);
}

/// The differences of two texts and, which must be the same, of their trees.
std::string differences(const std::string& from, const std::string& to,
                        const merge::text_options& o = {}) {
  INFO(from);
  INFO(to);
  std::string of_texts, of_trees;
  const auto note = [](std::string& told) {
    return [&told](const json::location& where, const auto* was, const auto* is) {
      told += pointer_of(where) + " " + shown(was) + " " + shown(is) + "\n";
    };
  };
  REQUIRE(!merge::for_each_difference_text(from, to, note(of_texts), o));
  json::document a;
  REQUIRE(!json::read(from, a));
  REQUIRE(!merge::for_each_difference(a, parsed(to), note(of_trees), o));
  CHECK(of_texts == of_trees);
  return of_texts;
}

std::size_t count_lines(const std::string& text) {
  std::size_t lines = 0;
  for (const char c : text) lines += c == '\n';
  return lines;
}

}  // namespace

TEST_CASE("for_each_difference goes into objects and arrays", "[differences]") {
  CHECK(differences("1", "1").empty());
  CHECK(differences("1", "2") == " 1 2\n");
  CHECK(differences("{}", "[]") == " {} []\n");
  CHECK(differences(R"({"a":1,"b":{"c":[1,2]},"d":null})", R"({"d":null,"b":{"c":[1,2]},"a":1})")
            .empty());
  CHECK(differences(R"({"a":1,"b":2,"c":3})", R"({"x":9,"c":4,"a":1})") ==
        "/b 2 -\n/c 3 4\n/x - 9\n");
  CHECK(differences(R"({"a":null})", R"({"a":{"b":null}})") == R"(/a null {"b":null})"
                                                               "\n");
  CHECK(differences("[1,2,3]", "[1,3]") == "/1 2 -\n");
  CHECK(differences("[1,3]", "[1,2,3]") == "/1 - 2\n");
  CHECK(differences("[1,2,3]", "[0,1,2,3,4]") == "/0 - 0\n/4 - 4\n");
  CHECK(differences("[1,2,3,4]", "[1,9,3,4]") == "/1 2 9\n");
  CHECK(differences("[]", "[[]]") == "/0 - []\n");
  CHECK(differences(R"([{"id":1,"x":[1]},{"id":2},{"id":3}])",
                    R"([{"id":1,"x":[1,2]},{"id":3}])") == "/0/x/1 - 2\n/1 {\"id\":2} -\n");
  // What is gone is named by its place in the first document, all the way.
  CHECK(differences(R"([0,{"a":[5,6]}])", R"([9,8,0,{"a":[6,7]}])") ==
        "/0 - 9\n/1 - 8\n/1/a/0 5 -\n/3/a/1 - 7\n");
  CHECK(differences(R"({"a/b":{"c~d":1}})", R"({"a/b":{"c~d":2}})") == "/a~1b/c~0d 1 2\n");
}

TEST_CASE("for_each_difference compares by meaning", "[differences]") {
  CHECK(differences(R"({"a":1,"b":[2,3]})", R"({ "b" : [ 2.0 , 3 ], "a" : 1.0 })").empty());
  CHECK(differences(R"({"é":"\u00e9"})", R"({"\u00e9":"é"})").empty());
  CHECK(differences(R"([[{"a":1,"b":2}],0])", R"([[{"b":2.0,"a":1}],1])") == "/1 0 1\n");
  merge::text_options o;
  o.numbers = merge::number_equality::by_value_and_type;
  CHECK(differences("[1,2.5]", "[1.0,2.5]", o) == "/0 1 1.0\n");
  // Digits that a tree does not hold.
  std::string told;
  const auto note = [&told](const json::location& where, const auto*, const auto*) {
    told += pointer_of(where) + "\n";
  };
  REQUIRE(!merge::for_each_difference_text(R"([1,0.1,1e400,0])",
                                           R"([1,0.10000000000000000001,1e400,0])", note));
  CHECK(told == "/1\n");
  told.clear();
  o = {};
  o.number_texts = merge::text_numbers::as_stored;
  REQUIRE(!merge::for_each_difference_text("[1,0.1,5]", "[1,0.10000000000000000001,6]", note, o));
  CHECK(told == "/2\n");
}

TEST_CASE("for_each_difference finds the shortest edit script of an array", "[differences]") {
  // Against the longest common subsequence by dynamic programming.
  for (unsigned seed = 1; seed <= 300; ++seed) {
    INFO(seed);
    random_json random(seed);
    std::vector<unsigned> from, to;
    for (unsigned i = random.below(30); i != 0; --i) from.push_back(random.below(4));
    for (unsigned i = random.below(30); i != 0; --i) to.push_back(random.below(4));
    const auto text = [](const std::vector<unsigned>& list) {
      std::string out = "[";
      for (const unsigned n : list) out += (out.size() > 1 ? "," : "") + std::to_string(n);
      return out + "]";
    };
    std::vector<std::vector<std::size_t>> common(from.size() + 1,
                                                 std::vector<std::size_t>(to.size() + 1));
    for (std::size_t i = 0; i < from.size(); ++i) {
      for (std::size_t j = 0; j < to.size(); ++j) {
        common[i + 1][j + 1] =
            from[i] == to[j] ? common[i][j] + 1 : std::max(common[i][j + 1], common[i + 1][j]);
      }
    }
    const std::size_t kept = common[from.size()][to.size()];
    std::size_t removed = 0, inserted = 0;
    REQUIRE(!merge::for_each_difference_text(
        text(from), text(to), [&](const json::location&, const auto* was, const auto* is) {
          removed += was != nullptr;
          inserted += is != nullptr;
        }));
    CHECK(removed == from.size() - kept);
    CHECK(inserted == to.size() - kept);
  }
}

TEST_CASE("for_each_difference keeps unique elements of arrays that differ a lot",
          "[differences]") {
  // 1,000 of 2,000 elements go and 1,000 others come: beyond the shortest script, but the rest is
  // found all the same.
  std::string from = "[", to = "[";
  for (int i = 0; i < 2000; ++i) {
    from += (i == 0 ? "" : ",") + std::to_string(i);
    to += (i == 0 ? "" : ",") + std::to_string(i % 2 == 0 ? i : 10000 + i * 7 % 1999);
  }
  CHECK(count_lines(differences(from + "]", to + "]")) == 1000);
  // No element is there twice and none stays: they are paired by position.
  std::string other = "[";
  for (int i = 0; i < 1500; ++i) other += (i == 0 ? "" : ",") + std::to_string(5000 + i);
  CHECK(count_lines(differences(from + "]", other + "]")) == 2000);
  // Few values, each many times.
  std::string few = "[", fewer = "[";
  for (int i = 0; i < 3000; ++i) {
    few += (i == 0 ? "" : ",") + std::to_string(i * i % 7);
    fewer += (i == 0 ? "" : ",") + std::to_string(i * i % 5);
  }
  CHECK(count_lines(differences(few + "]", fewer + "]")) <= 3000);
}

TEST_CASE("for_each_difference tells what leads from one document to the other", "[differences]") {
  for (unsigned seed = 1; seed <= 2000; ++seed) {
    INFO(seed);
    random_json random(seed);
    const std::string from = random.value(), to = random.value();
    std::string told = differences(from, to);
    const auto x = reference::parser::parse(from), y = reference::parser::parse(to);
    CHECK(told.empty() == reference::equal(*x, *y));
    json::document a;
    rapidjson::Document b = parsed(to);
    REQUIRE(!json::read(from, a));
    REQUIRE(!merge::for_each_difference(
        a, b, [&](const json::location& where, const auto* was, const auto* is) {
          const std::string pointer = pointer_of(where);
          if (is != nullptr) {
            CHECK(*json::find(b, pointer) == is);
          } else {
            CHECK(*json::find(a, pointer) == was);
          }
          CHECK((was == nullptr || is == nullptr ||
                 !reference::equal(reference::from_value(*was), reference::from_value(*is))));
        }));
  }
}

TEST_CASE("for_each_difference stops where the visitor says so", "[differences]") {
  int told = 0;
  const auto stop = [&told](const json::location&, const auto*, const auto*) {
    return ++told != 2;
  };
  CHECK(merge::for_each_difference_text("[1,2,3]", "[4,5,6]", stop).code() ==
        errc::handler_stopped);
  CHECK(told == 2);
}

TEST_CASE("for_each_difference says what is wrong with a text", "[differences]") {
  const auto nobody = [](const json::location&, const auto*, const auto*) {};
  const json::error e = merge::for_each_difference_text("[1]", "[1,", nobody);
  CHECK(e.code() == errc::unexpected_end);
  CHECK(e.text() == 2);
  CHECK(merge::for_each_difference_text("", "1", nobody).code() == errc::empty_input);
  merge::text_options o;
  o.trust = merge::text_trust::trusted;
  CHECK(merge::for_each_difference_text(" ", "1", nobody, o).code() == errc::empty_input);
  CHECK(merge::for_each_difference_text("[1,[2}", "[1,[3]]", nobody, o).failed());
  CHECK(merge::for_each_difference_text(R"({"a" 1})", R"({"a":2})", nobody, o).failed());
  o = {};
  o.max_depth = 2;
  const json::error deep =
      merge::for_each_difference(parsed(R"({"a":[[1]]})"), parsed(R"({"a":[[2]]})"), nobody, o);
  CHECK(deep.code() == errc::depth_exceeded);
  CHECK(deep.pointer() == "/a/0");
}

TEST_CASE("for_each_difference takes the first of repeated names", "[differences]") {
  rapidjson::Document a, b;
  for (rapidjson::Document* d : {&a, &b}) {
    d->SetObject();
    d->AddMember("x", 1, d->GetAllocator());
    d->AddMember("x", d == &a ? 2 : 3, d->GetAllocator());
  }
  int told = 0;
  const auto count = [&told](const json::location&, const auto*, const auto*) { ++told; };
  REQUIRE(!merge::for_each_difference(a, b, count));
  CHECK(told == 0);
  b.AddMember("y", 1, b.GetAllocator());
  b.AddMember("y", 2, b.GetAllocator());
  REQUIRE(!merge::for_each_difference(a, b, count));
  CHECK(told == 1);
  REQUIRE(!merge::for_each_difference(b, a, count));
  CHECK(told == 2);
}

TEST_CASE("for_each_difference finds members in any order, colliding names included",
          "[differences]") {
  for (const std::size_t members : {5u, 9u, 100u, 3000u}) {
    std::string from = "{", to = "{", expected;
    for (std::size_t i = 0; i < members; ++i) {
      const std::size_t j = i * 7919 % members;
      from += (i == 0 ? "" : ",") + ("\"m" + std::to_string(i)) + "\":" + std::to_string(i);
      to += (i == 0 ? "" : ",") + ("\"m" + std::to_string(j)) +
            "\":" + std::to_string(j % 100 == 3 ? j + 1 : j);
      if (i % 100 == 3)
        expected +=
            "/m" + std::to_string(i) + " " + std::to_string(i) + " " + std::to_string(i + 1) + "\n";
    }
    CHECK(differences(from + "}", to + "}") == expected);
  }
}

TEST_CASE("for_each_difference survives every allocation that fails", "[differences]") {
  std::string from = "{", to = "{";
  for (int i = 0; i < 40; ++i) {
    from += "\"member " + std::to_string(i) + "\":" + std::to_string(i) + ",";
    to += "\"member \\u003" + std::to_string((39 - i) / 4 % 10) + std::to_string(39 - i) + "\":0,";
  }
  std::string list;
  for (int i = 0; i < 60; ++i) list += std::to_string(i) + ",";
  std::string other;
  for (int i = 0; i < 60; ++i) other += std::to_string(i % 3 == 0 ? i : 100 - i) + ",";
  std::string deep_a = "1", deep_b = "2";
  for (int i = 0; i < 20; ++i) {
    deep_a = "[" + deep_a + ",{}]";
    deep_b = "[" + deep_b + ",{}]";
  }
  from += R"("list":[)" + list + R"(0],"deep":)" + deep_a + "}";
  to += R"("list":[)" + other + R"(0],"deep":)" + deep_b + "}";
  const auto nobody = [](const json::location&, const auto*, const auto*) {};
  const auto a = parsed(from), b = parsed(to);
  with_every_refusal([&](const devicetwin::memory_source& memory) {
    merge::text_options o;
    o.memory = memory;
    return merge::for_each_difference_text(from, to, nobody, o);
  });
  with_every_refusal([&](const devicetwin::memory_source& memory) {
    merge::options o;
    o.memory = memory;
    return merge::for_each_difference(a, b, nobody, o);
  });
}
