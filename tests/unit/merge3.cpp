#include "../support/text.hpp"

#include <limits>
#include <string>

#include "../support/change_laws.hpp"
#include "../support/change_text.hpp"
#include "../support/failing_heap.hpp"

namespace {

/// The merged document, and each conflict as POINTER:BASE/OURS/THEIRS kind>chosen.
std::string merged(std::string_view base, std::string_view ours, std::string_view theirs,
                   merge::policy prefer = merge::policy::ours) {
  json::document result;
  std::string conflicts;
  const auto show = [](const auto* value) {
    return value == nullptr ? std::string("-") : written(*value);
  };
  const auto e =
      merge::merge3(parsed(base), parsed(ours), parsed(theirs), result, prefer, [&](const auto& c) {
        conflicts += " " + pointer_of(c.where) + ":" + show(c.base) + "/" + show(c.ours) + "/" +
                     show(c.theirs) + " " + merge::name_of(c.kind) + ">" + merge::name_of(c.chosen);
      });
  return (e ? problem(e) : written(result)) + conflicts;
}

}  // namespace

TEST_CASE("merge3 takes what one side changed", "[merge3]") {
  CHECK(merged(R"({"a":1,"b":{"c":2,"d":3},"e":4})", R"({"a":9,"b":{"c":2,"d":3},"e":4})",
               R"({"a":1,"b":{"c":2,"d":8,"x":{"y":1}}})") ==
        R"({"a":9,"b":{"c":2,"d":8,"x":{"y":1}}})");
  CHECK(merged("{}", R"({"a":1})", R"({"a":1.0})") == R"({"a":1})");
  CHECK(merged("1", "1", "[2]") == "[2]");
  CHECK(merged("1", "[2]", "1") == "[2]");
  CHECK(merged(R"({"a":[1,2]})", R"({"a":[1,2]})", R"({"a":[1]})") == R"({"a":[1]})");
  CHECK(merged(R"({"a":1})", R"({"a":1,"n":null})", R"({"a":null})") == R"({"a":null,"n":null})");
}

TEST_CASE("merge3 reports every conflict, its kind and who won", "[merge3]") {
  const char* base = R"({"a":1,"b":{"c":2},"d":[1],"e":"x","f":true,"g":1})";
  const char* ours = R"({"a":2,"b":{"c":3},"d":[1,2],"e":{"y":1},"f":false,"g":2})";
  const char* theirs = R"({"a":3,"d":[0],"e":5,"f":"no","g":2})";
  const std::string conflicts =
      " /a:1/2/3 both changed>X /d:[1]/[1,2]/[0] both changed>X"
      R"( /e:"x"/{"y":1}/5 type clash>X /f:true/false/"no" type clash>X)"
      R"( /b:{"c":2}/{"c":3}/- changed and removed>X)";
  const auto chosen = [&](const char* side) {
    std::string text = conflicts;
    for (std::size_t at; (at = text.find('X')) != text.npos;) text.replace(at, 1, side);
    return text;
  };
  CHECK(merged(base, ours, theirs) ==
        R"({"a":2,"b":{"c":3},"d":[1,2],"e":{"y":1},"f":false,"g":2})" + chosen("ours"));
  CHECK(merged(base, ours, theirs, merge::policy::theirs) ==
        R"({"a":3,"d":[0],"e":5,"f":"no","g":2})" + chosen("theirs"));
  CHECK(merged(base, ours, theirs, merge::policy::fail) ==
        std::string(describe(errc::conflict)) + " at /a" + chosen("ours"));
  CHECK(merged("1", "2", "3") == "2 :1/2/3 both changed>ours");
  CHECK(merged(R"({"a":1})", "5", R"({"a":2})", merge::policy::theirs) ==
        R"({"a":2} :{"a":1}/5/{"a":2} type clash>theirs)");
}

TEST_CASE("merge3 lets the report decide each conflict", "[merge3]") {
  json::document result;
  const auto a_is_ours = [](const auto& c) {
    return c.where == "/a" ? merge::side::ours : merge::side::theirs;
  };
  REQUIRE(!merge::merge3(parsed(R"({"a":1,"b":1})"), parsed(R"({"a":2,"b":2})"),
                         parsed(R"({"a":3})"), result, merge::policy::fail, a_is_ours));
  CHECK(written(result) == R"({"a":2})");
}

TEST_CASE("two sides that make the same object without a base are merged member by member",
          "[merge3][published]") {
  CHECK(merged("{}", R"({"wifi":{"ssid":"a","pin":{"x":1}}})",
               R"({"wifi":{"channel":6,"pin":{"y":2}}})") ==
        R"({"wifi":{"ssid":"a","pin":{"x":1,"y":2},"channel":6}})");
  CHECK(merged(R"({"wifi":false})", R"({"wifi":{"ssid":"a","c":1}})",
               R"({"wifi":{"ssid":"b","c":1}})") ==
        R"({"wifi":{"ssid":"a","c":1}} /wifi/ssid:-/"a"/"b" both changed>ours)");
}

TEST_CASE("what others own survives a merge of last applied, new and live documents",
          "[merge3][published]") {
  const char* applied =
      R"({"replicas":2,"image":"a:1","debug":true,"labels":{"app":"x","tmp":"1"}})";
  const char* live =
      R"({"replicas":5,"image":"a:1","debug":true,"labels":{"app":"x","tmp":"1","added":"by others"},"status":{"ready":5}})";
  const char* wanted = R"({"replicas":2,"image":"a:2","labels":{"app":"x"}})";
  CHECK(
      merged(applied, wanted, live) ==
      R"({"replicas":5,"image":"a:2","labels":{"app":"x","added":"by others"},"status":{"ready":5}})");
}

TEST_CASE("merge3 gives the change from ours, and works in place", "[merge3]") {
  merge::change from_ours;
  REQUIRE(!merge::merge3(parsed(R"({"a":1,"b":2})"), parsed(R"({"a":5,"b":2})"),
                         parsed(R"({"a":1,"b":3,"c":4})"), from_ours));
  CHECK(form_of(from_ours) == R"({"b":[3],"c":[4]})");
  json::document ours = document_of(R"({"a":5,"b":2})");
  REQUIRE(!merge::merge3(parsed(R"({"a":1,"b":2})"), ours, parsed(R"({"a":1,"b":3,"c":4})"), ours));
  CHECK(written(ours) == R"({"a":5,"b":3,"c":4})");
  CHECK(merge::merge3(parsed(R"({"a":1})"), ours, parsed(R"({"a":2})"), ours).code() ==
        errc::conflict);
  CHECK(written(ours) == R"({"a":5,"b":3,"c":4})");
  // Into a buffer, which ours does not fit twice.
  alignas(8) char buffer[3000];
  json::document small(buffer, sizeof buffer);
  REQUIRE(!json::read(R"({"kept":1})", small));
  const auto large = parsed("{\"a\":\"" + std::string(2000, 'x') + "\"}");
  CHECK(merge::merge3(parsed("{}"), large, parsed(R"({"b":1})"), small).code() ==
        errc::out_of_memory);
  CHECK(written(small) == R"({"kept":1})");
  REQUIRE(!merge::merge3(parsed("{}"), parsed(R"({"a":1})"), parsed(R"({"b":1})"), small));
  CHECK(written(small) == R"({"a":1,"b":1})");
}

TEST_CASE("merge3 refuses what cannot be compared or stored", "[merge3]") {
  json::document result;
  auto nan = parsed(R"({"a":{"b":[1]}})");
  nan["a"]["b"][0].SetDouble(std::numeric_limits<double>::quiet_NaN());
  CHECK(problem(merge::merge3(parsed("{}"), parsed("{}"), nan, result)) ==
        std::string(describe(errc::not_finite)) + " at /a/b/0");
  CHECK(problem(merge::merge3(parsed(R"({"a":{"b":[1]}})"), nan, parsed(R"({"a":{"b":[2]}})"),
                              result)) == std::string(describe(errc::not_finite)) + " at /a/b/0");
  CHECK(merge::merge3(parsed("{}"), parsed("{}"), parsed(R"({"a":{"b":1}})"), result,
                      merge::policy::fail, merge::no_report{},
                      [] {
                        merge::options o;
                        o.max_depth = 1;
                        return o;
                      }())
            .code() == errc::depth_exceeded);
  CHECK(result.root().IsNull());
}

TEST_CASE("merge3 takes the first of repeated names", "[merge3]") {
  rapidjson::Document ours;
  ours.SetObject();
  ours.AddMember("a", 1, ours.GetAllocator());
  ours.AddMember("a", 2, ours.GetAllocator());
  ours.AddMember("b", 3, ours.GetAllocator());
  json::document result;
  REQUIRE(!merge::merge3(parsed(R"({"a":1,"b":0})"), ours, parsed(R"({"b":0})"), result,
                         merge::policy::theirs));
  CHECK(written(result) == R"({"b":3})");
}

TEST_CASE("the laws of three-way merge hold for random documents", "[merge3][property]") {
  random_json random(6);
  for (int i = 0; i < 3000; ++i) {
    const std::string wrong = laws::merging(random);
    REQUIRE(wrong == "");
  }
}

TEST_CASE("merge3 merges wide objects in any order", "[merge3]") {
  const int count = 3000;
  std::string base = "{", ours = "{", theirs = "{";
  for (int i = 0; i < count; ++i) {
    const auto member = [](int name, int value) {
      return "\"m" + std::to_string(name) + "\":{\"v\":" + std::to_string(value) + "},";
    };
    const int k = i * 7 % count, l = i * 11 % count;
    base += member(i, 0);
    if (k % 5 != 0) ours += member(k, k % 3);
    if (l % 7 != 0) theirs += member(l, l % 2);
  }
  base.back() = ours.back() = theirs.back() = '}';
  CHECK(laws::of_three(document_of(base), document_of(ours), document_of(theirs)) == "");
}

TEST_CASE("merge3 survives every failing allocation", "[failure]") {
  std::string base = "{", ours = "{", theirs = "{";
  for (int i = 0; i < 40; ++i) {
    const std::string name = "\"a name that is not inline " + std::to_string(i) + "\":";
    base += name + nest(i % 20, "\"a text that is longer than a value has room for\"") + ",";
    ours += name + nest(i % 20, "[" + std::to_string(i % 4) + "]") + ",";
    theirs += name + nest((i + i % 3) % 20, "[1]") + ",";
  }
  base.back() = ours.back() = theirs.back() = '}';
  const auto b = parsed(base), o = parsed(ours), t = parsed(theirs);
  with_every_failure(
      [&](const devicetwin::memory_source& source) {
        merge::options options;
        options.memory = source;
        json::document result(source);
        json::error e =
            merge::merge3(b, o, t, result, merge::policy::theirs, merge::no_report{}, options);
        if (e) CHECK(result.root().IsNull());
        return e;
      },
      [] {});
}

TEST_CASE("merge3 of objects that need an index survives every failing allocation", "[failure]") {
  std::string base = "{", ours = "{", theirs = "{";
  for (int i = 0; i < 240; ++i) {
    const std::string name = "\"m" + std::to_string(i) + "\":";
    base += name + "0,";
    ours += name + (i % 2 == 0 ? "0," : "1,");
    theirs += name + (i % 3 == 0 ? "{\"q\":1}," : "0,");
  }
  base.back() = ours.back() = theirs.back() = '}';
  const auto b = parsed(base), o = parsed(ours), t = parsed(theirs);
  json::document expected;
  REQUIRE(!merge::merge3(b, o, t, expected, merge::policy::theirs));
  for (std::size_t n = 1;; ++n) {
    REQUIRE(n < 10000);
    failing_heap heap;
    heap.refused_request = n;
    {
      merge::options options;
      options.memory = heap.source();
      json::document result(heap.source());
      const json::error e =
          merge::merge3(b, o, t, result, merge::policy::theirs, merge::no_report{}, options);
      // Some of the memory saves time only, and is done without.
      if (e) CHECK(e.code() == errc::out_of_memory);
      if (!e) CHECK(written(result) == written(expected));
    }
    CHECK(heap.out == 0);
    if (heap.requests < n) break;
  }
}
