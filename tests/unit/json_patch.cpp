// JSON Patches: the operations of RFC 6902, all or nothing.
#include <devicetwin/merge/json_patch.hpp>

#include <limits>
#include <string>
#include <vector>

#include "../support/failing_heap.hpp"
#include "../support/naive_json_patch.hpp"
#include "../support/random_json.hpp"
#include "../support/reference.hpp"

namespace {

/// Applies a patch to every kind of target, which must agree, and returns the result; on an error,
/// after a look that nothing has changed, "error" and its message.
std::string patched(const std::string& document, const std::string& patch,
                    const merge::json_patch_options& o = {}) {
  INFO(document);
  INFO(patch);
  const auto p = parsed(patch);
  json::document kept;
  REQUIRE(!json::read(document, kept));
  const json::error e = merge::apply_json_patch(kept, p, o);
  auto pooled = parsed(document);
  const json::error same = merge::apply_json_patch(pooled, p, o);
  rapidjson::GenericDocument<rapidjson::UTF8<>, rapidjson::CrtAllocator> counted;
  REQUIRE(!json::read(document, counted));
  const json::error also = merge::apply_json_patch(counted, p, o);
  CHECK(e.message() == same.message());
  CHECK(e.message() == also.message());
  CHECK(written(kept) == written(pooled));
  CHECK(written(kept) == written(counted));
  json::document fresh;
  REQUIRE(!fresh.assign(kept));
  CHECK(fresh.size_in_bytes() == kept.size_in_bytes());
  CHECK(kept.capacity_in_bytes() <= 2 * kept.size_in_bytes() + 1024);
  if (!e) return written(kept);
  CHECK(written(kept) == written(parsed(document)));
  return "error: " + e.message();
}

struct writing_journal {
  std::string& told;
  bool allowed = true;
  std::size_t announced = 0;
  bool reserve(std::size_t changes) {
    announced = changes;
    return allowed;
  }
  template <class Value>
  void operator()(const json::location& where, const Value* old_value, const Value* new_value) {
    told += pointer_of(where) + " " + (old_value == nullptr ? "-" : written(*old_value)) + " " +
            (new_value == nullptr ? "-" : written(*new_value)) + "\n";
  }
};

struct example {
  const char *document, *patch, *result;
};

}  // namespace

TEST_CASE("apply_json_patch does RFC 6902, appendix A", "[json_patch][conformance]") {
  const example examples[] = {
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux"}])",
       R"({"foo":"bar","baz":"qux"})"},
      {R"({"foo":["bar","baz"]})", R"([{"op":"add","path":"/foo/1","value":"qux"}])",
       R"({"foo":["bar","qux","baz"]})"},
      {R"({"baz":"qux","foo":"bar"})", R"([{"op":"remove","path":"/baz"}])", R"({"foo":"bar"})"},
      {R"({"foo":["bar","qux","baz"]})", R"([{"op":"remove","path":"/foo/1"}])",
       R"({"foo":["bar","baz"]})"},
      {R"({"baz":"qux","foo":"bar"})", R"([{"op":"replace","path":"/baz","value":"boo"}])",
       R"({"baz":"boo","foo":"bar"})"},
      {R"({"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}})",
       R"([{"op":"move","from":"/foo/waldo","path":"/qux/thud"}])",
       R"({"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}})"},
      {R"({"foo":["all","grass","cows","eat"]})",
       R"([{"op":"move","from":"/foo/1","path":"/foo/3"}])",
       R"({"foo":["all","cows","eat","grass"]})"},
      {R"({"baz":"qux","foo":["a",2,"c"]})",
       R"([{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}])",
       R"({"baz":"qux","foo":["a",2,"c"]})"},
      {R"({"baz":"qux"})", R"([{"op":"test","path":"/baz","value":"bar"}])",
       "error: the value is not the one that was tested for, in operation 0, at /baz"},
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/child","value":{"grandchild":{}}}])",
       R"({"foo":"bar","child":{"grandchild":{}}})"},
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux","xyz":123}])",
       R"({"foo":"bar","baz":"qux"})"},
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz/bat","value":"qux"}])",
       "error: there is no such value, in operation 0, at /baz"},
      {R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":10}])", R"({"/":9,"~1":10})"},
      {R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":"10"}])",
       "error: the value is not the one that was tested for, in operation 0, at /~01"},
      {R"({"foo":["bar"]})", R"([{"op":"add","path":"/foo/-","value":["abc","def"]}])",
       R"({"foo":["bar",["abc","def"]]})"},
  };
  for (const example& e : examples) CHECK(patched(e.document, e.patch) == e.result);
}

TEST_CASE("apply_json_patch writes over, appends, and keeps the order of members", "[json_patch]") {
  const example examples[] = {
      {R"({"a":1,"b":2,"c":3})", R"([{"op":"add","path":"/b","value":9}])",
       R"({"a":1,"b":9,"c":3})"},
      {R"({"a":1,"b":2,"c":3})",
       R"([{"op":"remove","path":"/a"},{"op":"add","path":"/a","value":1}])",
       R"({"b":2,"c":3,"a":1})"},
      {R"({"a":1})", R"([{"op":"add","path":"/a","value":null}])", R"({"a":null})"},
      {R"({"a":1})", R"([{"op":"replace","path":"/a","value":1.0}])", R"({"a":1})"},
      {R"({"a":[1]})",
       R"([{"op":"add","path":"/a/1","value":2},{"op":"add","path":"/a/0","value":0}])",
       R"({"a":[0,1,2]})"},
      {R"([1,2,3])", R"([{"op":"replace","path":"/1","value":[]}])", "[1,[],3]"},
      {R"({"a":{"b":1}})", R"([{"op":"copy","from":"/a","path":"/a/c"}])",
       R"({"a":{"b":1,"c":{"b":1}}})"},
      {R"({"a":{"b":1}})", R"([{"op":"copy","from":"","path":"/a"}])", R"({"a":{"a":{"b":1}}})"},
      {R"([[1],2])", R"([{"op":"move","from":"/0/0","path":""}])", "1"},
      {R"([0,1,2,3])", R"([{"op":"move","from":"/3","path":"/0"}])", "[3,0,1,2]"},
      {R"({"a":1,"b":2})", R"([{"op":"move","from":"/a","path":"/b"}])", R"({"b":1})"},
      {R"({"a":{"x":1}})", R"([{"op":"move","from":"/a","path":"/a"}])", R"({"a":{"x":1}})"},
      {R"({"a":1})",
       R"([{"op":"replace","path":"","value":[1]},{"op":"add","path":"/-","value":2}])", "[1,2]"},
      {R"({"":{"":1}})", R"([{"op":"replace","path":"//","value":2}])", R"({"":{"":2}})"},
      {R"({"a~b/c":1})", R"([{"op":"move","from":"/a~0b~1c","path":"/~1~0"}])", R"({"/~":1})"},
      {"5", "[]", "5"},
  };
  for (const example& e : examples) CHECK(patched(e.document, e.patch) == e.result);
}

TEST_CASE("apply_json_patch refuses what cannot be done, and says where", "[json_patch]") {
  const std::string no_patch =
      "error: not a JSON Patch: an array of objects, each with an \"op\" that is add, remove, "
      "replace, move, copy or test, a \"path\", and the \"value\" or \"from\" that it needs";
  const std::string no_value = "error: there is no such value, in operation ";
  const std::string no_element = "error: the array has no element of this index, in operation ";
  const std::string document = R"({"a":[1,2],"b":{"c":1}})";
  const struct {
    std::string operation, result;
  } examples[] = {
      {R"(7)", no_patch + ", in operation 1, at /1"},
      {R"({"path":"/a"})", no_patch + ", in operation 1, at /1/op"},
      {R"({"op":"Add","path":"/a","value":1})", no_patch + ", in operation 1, at /1/op"},
      {R"({"op":1,"path":"/a"})", no_patch + ", in operation 1, at /1/op"},
      {R"({"op":"add","value":1})", no_patch + ", in operation 1, at /1/path"},
      {R"({"op":"add","path":null,"value":1})", no_patch + ", in operation 1, at /1/path"},
      {R"({"op":"add","path":"/a"})", no_patch + ", in operation 1, at /1/value"},
      {R"({"op":"replace","path":"/a"})", no_patch + ", in operation 1, at /1/value"},
      {R"({"op":"test","path":"/a"})", no_patch + ", in operation 1, at /1/value"},
      {R"({"op":"move","path":"/a"})", no_patch + ", in operation 1, at /1/from"},
      {R"({"op":"copy","path":"/a","from":1})", no_patch + ", in operation 1, at /1/from"},
      {R"({"op":"remove","path":"/z"})", no_value + "1, at /z"},
      {R"({"op":"remove","path":"/b/c/d"})", no_value + "1, at /b/c/d"},
      {R"({"op":"replace","path":"/z/y","value":1})", no_value + "1, at /z"},
      {R"({"op":"test","path":"/a/x","value":1})", no_value + "1, at /a/x"},
      {R"({"op":"test","path":"/a/01","value":1})", no_value + "1, at /a/01"},
      {R"({"op":"test","path":"/a/-1","value":1})", no_value + "1, at /a/-1"},
      {R"({"op":"test","path":"/a/","value":1})", no_value + "1, at /a/"},
      {R"({"op":"test","path":"/a/2","value":1})", no_element + "1, at /a/2"},
      {R"({"op":"test","path":"/a/-","value":1})", no_element + "1, at /a/-"},
      {R"({"op":"add","path":"/a/3","value":1})", no_element + "1, at /a/3"},
      {R"({"op":"add","path":"/a/99999999999999999999","value":1})",
       no_element + "1, at /a/99999999999999999999"},
      {R"({"op":"add","path":"/a/4294967297","value":1})", no_element + "1, at /a/4294967297"},
      {R"({"op":"add","path":"/a/-/x","value":1})", no_element + "1, at /a/-"},
      {R"({"op":"copy","from":"/a/-","path":"/b/d"})", no_element + "1, at /a/-"},
      {R"({"op":"move","from":"/b","path":"/b/c/d"})",
       "error: a value cannot move to a place inside itself, in operation 1, at /b/c/d"},
      {R"({"op":"move","from":"","path":"/b"})",
       "error: a value cannot move to a place inside itself, in operation 1, at /b"},
      {R"({"op":"remove","path":""})",
       "error: the document as a whole cannot be removed, in operation 1"},
  };
  for (const auto& e : examples) {
    CHECK(patched(document, R"([{"op":"add","path":"/n","value":1},)" + e.operation + "]") ==
          e.result);
  }
  for (const std::string pointer : {"a", "/~", "/a~2", "/~01~"}) {
    for (const std::string other :
         {R"({"op":"add","value":1,"path":")", R"({"op":"remove","path":")",
          R"({"op":"test","value":1,"path":")", R"({"op":"copy","from":"/a","path":")",
          R"({"op":"move","from":"/a","path":")", R"({"op":"move","path":"/z","from":")"}) {
      CHECK(patched(document, "[" + other + pointer + "\"}]")
                .find("not a JSON Pointer: it must be empty or start with '/'") !=
            std::string::npos);
    }
  }
  for (const std::string patch : {"{}", "null", R"({"op":"add","path":"/a","value":1})"})
    CHECK(patched(document, patch) == no_patch);
  const auto d = parsed("[]");
  json::document target;
  const json::error e = merge::apply_json_patch(
      target, parsed(R"([{"op":"test","path":"","value":null},{"op":"remove","path":"/a"}])"));
  CHECK(e.has_operation());
  CHECK(e.operation() == 1);
  CHECK_FALSE(json::error(errc::not_found).has_operation());
}

TEST_CASE("apply_json_patch bounds depth and what copy operations make", "[json_patch]") {
  merge::json_patch_options o;
  o.max_depth = 3;
  CHECK(patched(R"({"a":{"b":{}}})", R"([{"op":"add","path":"/a/b/c","value":1}])", o) ==
        R"({"a":{"b":{"c":1}}})");
  CHECK(patched(R"({"a":{"b":{}}})", R"([{"op":"add","path":"/a/b/c","value":{"x":[]}}])", o) ==
        "error: nested too deeply (the limit is 3), in operation 0, at /a/b/c");
  CHECK(patched(R"({"a":{"b":{}},"d":[]})", R"([{"op":"add","path":"/d/0","value":{"x":[]}}])",
                o) == "error: nested too deeply (the limit is 3), in operation 0, at /d/0/x");
  CHECK(patched(R"({"a":{"b":{}}})", R"([{"op":"copy","from":"/a","path":"/a/b/c"}])", o) ==
        "error: nested too deeply (the limit is 3), in operation 0, at /a/b/c");
  CHECK(patched(R"({"a":{"b":[]},"d":{}})", R"([{"op":"move","from":"/a","path":"/d/a"}])", o) ==
        "error: nested too deeply (the limit is 3), in operation 0, at /d/a/b");
  CHECK(patched(R"({"a":{"b":1},"d":{}})", R"([{"op":"move","from":"/a","path":"/d/a"}])", o) ==
        R"({"d":{"a":{"b":1}}})");
  // Copies of copies: 2^40 elements.
  std::string doubling = "[";
  for (int i = 0; i < 40; ++i)
    doubling += std::string(i == 0 ? "" : ",") + R"({"op":"copy","from":"/a","path":"/a/-"})";
  o = {};
  o.max_depth = 100;
  const std::string refused = patched(R"({"a":["x"]})", doubling + "]", o);
  CHECK(refused.find("the text is too long (the limit is 16777216), in operation ") == 7);
  o.max_copied_bytes = 100;
  CHECK(patched(R"({"a":[1,2,3]})", R"([{"op":"copy","from":"/a","path":"/b"}])", o) ==
        R"({"a":[1,2,3],"b":[1,2,3]})");
  CHECK(patched(R"({"a":[1,2,3]})",
                R"([{"op":"copy","from":"/a","path":"/b"},{"op":"copy","from":"/a","path":"/c"}])",
                o)
            .find("(the limit is 100), in operation 1, at /c") != std::string::npos);
}

TEST_CASE("apply_json_patch refuses numbers that JSON cannot write", "[json_patch]") {
  auto patch =
      parsed(R"([{"op":"add","path":"/b","value":[1]},{"op":"add","path":"/c","value":1}])");
  json::document d;
  REQUIRE(!json::read(R"({"a":1})", d));
  patch[0]["value"][0].SetDouble(std::numeric_limits<double>::infinity());
  json::error e = merge::apply_json_patch(d, patch);
  CHECK(e.code() == errc::not_finite);
  CHECK(e.pointer() == "/b/0");
  patch[0]["value"][0].SetInt(1);
  patch[1]["value"].SetDouble(std::numeric_limits<double>::quiet_NaN());
  e = merge::apply_json_patch(d, patch);
  CHECK(e.code() == errc::not_finite);
  CHECK(e.pointer() == "/c");
  CHECK(e.operation() == 1);
  CHECK(written(d) == R"({"a":1})");
}

TEST_CASE("apply_json_patch takes the first of repeated names, and removes all", "[json_patch]") {
  for (const int members : {3, 200}) {
    rapidjson::Document d;
    d.SetObject();
    auto& memory = d.GetAllocator();
    const auto add = [&](const std::string& name, int n) {
      d.AddMember(rapidjson::Value(name.c_str(), memory), rapidjson::Value(n), memory);
    };
    add("twice", 1);
    for (int i = 0; i < members; ++i) add("member " + std::to_string(i), i);
    add("twice", 2);
    add("twice", 3);
    add("last", 4);
    // Enough operations for an index, where the object is wide.
    std::string patch = "[";
    for (int i = 0; i < 10; ++i) patch += R"({"op":"test","path":"/last","value":4},)";
    patch += R"({"op":"test","path":"/twice","value":1},{"op":"remove","path":"/twice"},)";
    const json::error e =
        merge::apply_json_patch(d, parsed(patch + R"({"op":"test","path":"/twice","value":2}])"));
    CHECK(e.code() == errc::not_found);
    CHECK(d.MemberCount() == static_cast<unsigned>(members) + 4);
    int told = 0;
    REQUIRE(!merge::apply_json_patch(
        d, parsed(patch + R"({"op":"add","path":"/twice","value":7}])"), {},
        [&told](const json::location&, const auto*, const auto*) { ++told; }));
    CHECK(told == 2);
    CHECK(d.MemberCount() == static_cast<unsigned>(members) + 2);
    CHECK(d["twice"].GetInt() == 7);
  }
}

TEST_CASE("apply_json_patch agrees with a naive one on random documents", "[json_patch]") {
  for (unsigned seed = 1; seed <= 1500; ++seed) {
    INFO(seed);
    random_json random(seed);
    const std::string document = random.value();
    auto expected = parsed(document);
    const std::string patch =
        naive_json_patch::random_patch(random, expected, random.below(12), 20);
    const auto p = parsed(patch);
    auto again = parsed(document);
    const std::size_t done = naive_json_patch::apply(again, p);
    const std::string got = patched(document, patch);
    if (done == p.Size()) {
      REQUIRE(got == written(again));
    } else {
      INFO(got);
      REQUIRE(got.find(", in operation " + std::to_string(done)) != std::string::npos);
    }
  }
}

TEST_CASE("apply_json_patch agrees with a naive one on wide objects", "[json_patch]") {
  for (unsigned seed = 1; seed <= 25; ++seed) {
    INFO(seed);
    random_json random(seed);
    std::string wide[3];
    for (std::string& text : wide) {
      for (unsigned i = 0; i < 70 + random.below(60); ++i)
        text += (i == 0 ? "" : ",") + ("\"m" + std::to_string(i * 7 % 131)) +
                "\":" + (random.below(8) == 0 ? random.value(4) : std::to_string(i));
    }
    const std::string document =
        "{\"a\":[{" + wide[0] + "}],\"b\":{\"in\":{" + wide[1] + "}," + wide[2] + "}}";
    if (reference::parser::parse(document) == std::nullopt) continue;  // a name stands twice
    auto expected = parsed(document);
    const std::string patch = naive_json_patch::random_patch(random, expected, 300, 0);
    REQUIRE(patched(document, patch) == written(expected));
    // The same, and then a failure: all of it goes back.
    REQUIRE(patched(document, patch.substr(0, patch.size() - 1) + (patch.size() > 2 ? "," : "") +
                                  R"({"op":"remove","path":""}])")
                .find("the document as a whole cannot be removed") != std::string::npos);
  }
}

TEST_CASE("members that go from wide objects inside each other keep the others' order",
          "[json_patch]") {
  // Ten wide objects, each inside the one before: more gaps than are kept at a time.
  const auto nested = [](int level, const auto& self) -> std::string {
    std::string text = "{";
    for (int i = 0; i < 80; ++i)
      text += "\"m" + std::to_string(i) + "\":" + std::to_string(i) + ",";
    return text + "\"in\":" + (level == 0 ? "0" : self(level - 1, self)) + ",\"z\":1}";
  };
  const std::string document = nested(10, nested);
  std::string patch = "[";
  for (int round = 0; round < 20; ++round) {
    std::string pointer;
    for (int level = 0; level <= 10; ++level, pointer += "/in") {
      patch += R"({"op":"remove","path":")" + pointer + "/m" + std::to_string(round * 3) + "\"},";
      if (round % 5 == 4)
        patch += R"({"op":"add","path":")" + pointer + "/m" + std::to_string(round * 3) +
                 R"(","value":[]},)";
      if (round % 7 == 6) patch += R"({"op":"test","path":")" + pointer + R"(/z","value":1},)";
    }
    if (round == 10) patch += R"({"op":"copy","from":"/in/in/in","path":"/copied"},)";
    if (round == 15)
      patch +=
          R"({"op":"move","from":"/in/in/in/in","path":"/moved"},{"op":"move","from":"/moved","path":"/in/in/in/in"},)";
  }
  patch.back() = ']';
  auto expected = parsed(document);
  const auto p = parsed(patch);
  REQUIRE(naive_json_patch::apply(expected, p) == p.Size());
  CHECK(patched(document, patch) == written(expected));
}

TEST_CASE("apply_json_patch tells the journal of each change in order", "[json_patch]") {
  std::string told;
  writing_journal notes{told};
  const std::string document = R"({"a":1,"list":[0,{"x":1}],"b~c":true,"with a long name":"gone"})";
  const auto patch =
      parsed(R"([{"op":"replace","path":"/a","value":1},{"op":"replace","path":"/a","value":2},)"
             R"({"op":"add","path":"/list/1","value":[5]},{"op":"remove","path":"/list/2/x"},)"
             R"({"op":"move","from":"/b~0c","path":"/d"},{"op":"copy","from":"/list","path":"/e"},)"
             R"({"op":"test","path":"/d","value":true},{"op":"remove","path":"/with a long name"},)"
             R"({"op":"remove","path":"/list/0"},{"op":"replace","path":"","value":null}])");
  const std::string all =
      "/a 1 2\n/list/1 - [5]\n/list/2/x 1 -\n/b~0c true -\n/d - true\n/e - [0,[5],{}]\n"
      "/with a long name \"gone\" -\n/list/0 0 -\n"
      R"( {"a":2,"list":[[5],{}],"d":true,"e":[0,[5],{}]} null)"
      "\n";
  json::document d;
  REQUIRE(!json::read(document, d));
  notes.allowed = false;
  CHECK(merge::apply_json_patch(d, patch, {}, notes).code() == errc::handler_stopped);
  CHECK(notes.announced == 9);
  CHECK(told.empty());
  CHECK(written(d) == document);
  notes.allowed = true;
  REQUIRE(!merge::apply_json_patch(d, patch, {}, notes));
  CHECK(told == all);
  told.clear();
  auto pooled = parsed(document);
  REQUIRE(!merge::apply_json_patch(pooled, patch, {}, notes));
  CHECK(told == all);
  told.clear();
  merge::json_patch_options o;
  o.changes = merge::change_rule::by_presence;
  pooled = parsed(document);
  REQUIRE(!merge::apply_json_patch(pooled, patch, o, notes));
  CHECK(told == "/a 1 1\n" + all);
}

TEST_CASE("apply_json_patch tells nothing of a patch that fails", "[json_patch]") {
  json::document d;
  REQUIRE(!json::read(R"({"a":1})", d));
  int told = 0;
  CHECK(merge::apply_json_patch(
            d, parsed(R"([{"op":"remove","path":"/a"},{"op":"remove","path":"/a"}])"), {},
            [&told](const json::location&, const auto*, const auto*) { ++told; })
            .code() == errc::not_found);
  CHECK(told == 0);
  CHECK(written(d) == R"({"a":1})");
}

TEST_CASE("a journal is told of changes in wide objects as well", "[json_patch]") {
  std::string document = "{", patch = "[";
  for (int i = 0; i < 150; ++i)
    document += (i == 0 ? "" : ",") + ("\"m" + std::to_string(i)) + "\":" + std::to_string(i);
  for (int i = 10; i < 140; ++i)
    patch += R"({"op":"remove","path":"/m)" + std::to_string(i) + R"("},)" +
             (i % 3 == 0 ? R"({"op":"add","path":"/n)" + std::to_string(i) + R"(","value":{}},)"
                         : std::string());
  patch += R"({"op":"test","path":"/m0","value":0}])";
  json::document d;
  REQUIRE(!json::read(document + "}", d));
  std::string told, expected;
  for (int i = 10; i < 140; ++i) {
    expected += "/m" + std::to_string(i) + " ";
    if (i % 3 == 0) expected += "/n" + std::to_string(i) + " ";
  }
  REQUIRE(!merge::apply_json_patch(
      d, parsed(patch), {}, [&told](const json::location& where, const auto* was, const auto* is) {
        told += pointer_of(where) + " ";
        CHECK((was == nullptr) != (is == nullptr));
      }));
  CHECK(told == expected);
}

TEST_CASE("apply_json_patch survives every allocation that fails", "[json_patch]") {
  std::string wide = R"({"list":[1,[2,{"x":"a text that is not short at all"}]],"obj":{"k":[]}})";
  std::string patch =
      R"([{"op":"add","path":"/obj/a rather long name~1 it is","value":{"deep":[1,{"er":"another long text to copy"}]}},)"
      R"({"op":"copy","from":"/list","path":"/list/0"},{"op":"remove","path":"/list/1"},)"
      R"({"op":"move","from":"/obj","path":"/list/-"},{"op":"replace","path":"/list/0","value":"and a third text"},)"
      R"({"op":"test","path":"/list/1/1/x","value":"a text that is not short at all"}])";
  const auto p = parsed(patch);
  document_survives(wide, [&](json::document& d, const devicetwin::memory_source& memory) {
    merge::json_patch_options o;
    o.memory = memory;
    return merge::apply_json_patch(d, p, o);
  });
  document_survives(wide, [&](json::document& d, const devicetwin::memory_source& memory) {
    merge::json_patch_options o;
    o.memory = memory;
    return merge::apply_json_patch(d, p, o, [](const json::location&, const auto*, const auto*) {});
  });
  // A wide object, with an index and gaps.
  std::string document = "{", operations = "[";
  for (int i = 0; i < 80; ++i)
    document += (i == 0 ? "" : ",") + ("\"m" + std::to_string(i)) + "\":" + std::to_string(i);
  for (int i = 0; i < 20; ++i)
    operations += R"({"op":"remove","path":"/m)" + std::to_string(i) +
                  R"("},{"op":"add","path":"/n)" + std::to_string(i) + R"(","value":1},)";
  operations.back() = ']';
  const auto many = parsed(operations);
  document_survives(document + "}",
                    [&](json::document& d, const devicetwin::memory_source& memory) {
                      merge::json_patch_options o;
                      o.memory = memory;
                      return merge::apply_json_patch(d, many, o);
                    });
}

TEST_CASE("apply_json_patch works in a buffer, and makes room there", "[json_patch]") {
  alignas(8) unsigned char buffer[4096];
  json::document d(buffer, sizeof buffer);
  REQUIRE(!json::read(R"({"list":[],"text":""})", d));
  // Each write leaves the old text behind; from time to time the tree is copied to the other half.
  for (int i = 0; i < 200; ++i) {
    const std::string text(100 + static_cast<std::size_t>(i % 7), 'x');
    REQUIRE(!merge::apply_json_patch(
        d, parsed(R"([{"op":"replace","path":"/text","value":")" + text + R"("}])")));
    CHECK(d.root()["text"].GetStringLength() == text.size());
  }
  const std::string before = written(d);
  std::string patch = "[";
  for (int i = 0; i < 200; ++i) patch += R"({"op":"add","path":"/list/-","value":1},)";
  patch.back() = ']';
  CHECK(merge::apply_json_patch(d, parsed(patch)).code() == errc::out_of_memory);
  CHECK(written(d) == before);
}

TEST_CASE("strings of a JSON Patch may be the target's own", "[json_patch]") {
  json::document d;
  REQUIRE(!json::read(R"({"a":"a text that is not short at all","b":1})", d));
  rapidjson::Document patch;
  patch.Parse(R"([{"op":"remove","path":"/a"},{"op":"add","path":"/b","value":0}])");
  patch[1]["value"].SetString(rapidjson::StringRef(d.root()["a"].GetString(), 31));
  REQUIRE(!merge::apply_json_patch(d, patch));
  CHECK(written(d) == R"({"b":"a text that is not short at all"})");
}
