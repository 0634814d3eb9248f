// JSON Patches on texts: what they do not touch keeps its bytes.
#include <string>

#include <devicetwin/merge/json_patch.hpp>

#include "../support/failing_heap.hpp"
#include "../support/naive_json_patch.hpp"
#include "../support/random_json.hpp"

namespace {

/// The text with the patch applied, or "error" and the message. A tree must agree.
std::string patched_text(const std::string& document, const std::string& patch,
                         const merge::json_patch_options& o = {}) {
  INFO(document);
  INFO(patch);
  std::string out = "|";
  const json::error e = merge::apply_json_patch_text(document, patch, out, o);
  json::document tree, operations;
  REQUIRE(!json::read(document, tree));
  REQUIRE(!json::read(patch, operations));
  const json::error of_tree = merge::apply_json_patch(tree, operations, o);
  INFO(e.message());
  INFO(of_tree.message());
  CHECK(e.code() == of_tree.code());
  CHECK(e.operation() == of_tree.operation());
  if (e.code() != errc::depth_exceeded) CHECK(e.pointer() == of_tree.pointer());
  if (e) {
    CHECK(out == "|");
    return "error: " + e.message();
  }
  CHECK(out.front() == '|');
  out.erase(0, 1);
  CHECK(written(parsed(out)) == written(tree));
  return out;
}

}  // namespace

TEST_CASE("apply_json_patch_text keeps the bytes of what it does not touch", "[json_patch]") {
  const std::string document = " { \"a\" : 1.50 ,\n  \"b\":[ 1, 2 ,3 ] , \"c\\u0041\": {} }\n";
  CHECK(patched_text(document, "[]") == document);
  CHECK(patched_text(document, R"([{"op":"test","path":"/a","value":1.5}])") == document);
  CHECK(patched_text(document, R"([{"op":"replace","path":"/a","value":15e-1}])") == document);
  CHECK(patched_text(document, R"([{"op":"replace","path":"/a","value":[ 0 ]}])") ==
        " { \"a\" : [ 0 ] ,\n  \"b\":[ 1, 2 ,3 ] , \"c\\u0041\": {} }\n");
  CHECK(patched_text(document, R"([{"op":"remove","path":"/b/1"}])") ==
        " { \"a\" : 1.50 ,\n  \"b\":[ 1,3 ] , \"c\\u0041\": {} }\n");
  CHECK(patched_text(document, R"([{"op":"add","path":"/cA/x","value":true}])") ==
        " { \"a\" : 1.50 ,\n  \"b\":[ 1, 2 ,3 ] , \"c\\u0041\": {\"x\":true} }\n");
  CHECK(patched_text(document, R"([{"op":"remove","path":"/cA"},{"op":"remove","path":"/a"}])") ==
        " {\n  \"b\":[ 1, 2 ,3 ] }\n");
}

TEST_CASE("apply_json_patch_text lays out what is new like its neighbours", "[json_patch]") {
  const std::string document = "{\n  \"list\": [\n    1,\n    2\n  ],\n  \"x\": 1\n}\n";
  CHECK(patched_text(
            document,
            R"([{"op":"add","path":"/list/-","value":3},{"op":"add","path":"/list/0","value":0},)"
            R"({"op":"add","path":"/a\"b~1","value":null},{"op":"remove","path":"/x"}])") ==
        "{\n  \"list\": [\n    0,\n    1,\n    2,\n    3\n  ],\n  \"a\\\"b/\": null\n}\n");
  CHECK(
      patched_text(document, R"([{"op":"remove","path":"/list/1"},{"op":"remove","path":"/x"}])") ==
      "{\n  \"list\": [\n    1\n  ]\n}\n");
}

TEST_CASE("apply_json_patch_text does all operations, one after the other", "[json_patch]") {
  CHECK(
      patched_text(
          R"({"a":{"b":[1]}})",
          R"([{"op":"add","path":"/a/b/0","value":{"x":1}},{"op":"copy","from":"/a","path":"/c"},)"
          R"({"op":"replace","path":"/a/b/0/x","value":2},{"op":"move","from":"/a/b","path":"/d"},)"
          R"({"op":"test","path":"/c","value":{"b":[{"x":1.0},1]}},{"op":"remove","path":"/c/b/1"}])") ==
      R"({"a":{},"c":{"b":[{"x":1}]},"d":[{"x":2},1]})");
  CHECK(
      patched_text(
          "[1]",
          R"([{"op":"replace","path":"","value":{"a":[]}},{"op":"add","path":"/a/-","value":1}])") ==
      R"({"a":[1]})");
  CHECK(patched_text(" [1] ", R"([{"op":"copy","from":"","path":"/0"}])") == " [[1],1] ");
  CHECK(patched_text("[[1],2]", R"([{"op":"move","from":"/0","path":""}])") == "[1]");
}

TEST_CASE("apply_json_patch_text never rounds a number", "[json_patch]") {
  std::string out;
  REQUIRE(!merge::apply_json_patch_text(
      R"({"a":123456789012345678901234567890,"b":1e400,"c":0.1})",
      R"([{"op":"test","path":"/b","value":10e399},{"op":"copy","from":"/a","path":"/d"},)"
      R"({"op":"replace","path":"/c","value":0.10000000000000000000001}])",
      out));
  CHECK(
      out ==
      R"({"a":123456789012345678901234567890,"b":1e400,"c":0.10000000000000000000001,"d":123456789012345678901234567890})");
  CHECK(merge::apply_json_patch_text(
            "[0.1]", R"([{"op":"test","path":"/0","value":0.10000000000000000001}])", out)
            .code() == errc::test_failed);
}

TEST_CASE("apply_json_patch_text refuses what a tree refuses", "[json_patch]") {
  const std::string document = R"({"a":[1,2],"b":{"c":1}})";
  for (const std::string operation : {R"(7)",
                                      R"({"path":"/a"})",
                                      R"({"op":"Add","path":"/a","value":1})",
                                      R"({"op":1,"path":"/a"})",
                                      R"({"op":"add","value":1})",
                                      R"({"op":"add","path":null,"value":1})",
                                      R"({"op":"add","path":"/a"})",
                                      R"({"op":"move","path":"/a"})",
                                      R"({"op":"copy","path":"/a","from":1})",
                                      R"({"op":"remove","path":"/z"})",
                                      R"({"op":"remove","path":"/b/c/d"})",
                                      R"({"op":"test","path":"/a/01","value":1})",
                                      R"({"op":"test","path":"/a/2","value":1})",
                                      R"({"op":"add","path":"/a/3","value":1})",
                                      R"({"op":"add","path":"/a/-/x","value":1})",
                                      R"({"op":"move","from":"/b","path":"/b/c/d"})",
                                      R"({"op":"remove","path":""})",
                                      R"({"op":"remove","path":"a"})",
                                      R"({"op":"copy","from":"/a","path":"/~"})",
                                      R"({"op":"move","from":"/a","path":"/~"})",
                                      R"({"op":"test","path":"","value":1})"}) {
    CHECK(patched_text(document, R"([{"\u006fp":"add","path":"/n","value":1},)" + operation + "]")
              .compare(0, 6, "error:") == 0);
  }
  CHECK(patched_text(document, "{}").compare(0, 6, "error:") == 0);
  merge::json_patch_options o;
  o.max_depth = 3;
  for (const std::string operation :
       {R"({"op":"add","path":"/b/c","value":{"x":[]}})",
        R"({"op":"copy","from":"","path":"/b/d"})", R"({"op":"move","from":"/a","path":"/b/c"})"})
    patched_text(document, "[" + operation + "]", o);
  o = {};
  o.max_copied_bytes = 8;
  std::string out;
  const json::error e = merge::apply_json_patch_text(
      R"({"a":[1,2]})",
      R"([{"op":"copy","from":"/a","path":"/b"},{"op":"copy","from":"/a","path":"/c"}])", out, o);
  CHECK(e.code() == errc::too_large);
  CHECK(e.operation() == 1);
  CHECK(e.limit() == 8);
}

TEST_CASE("apply_json_patch_text says what is wrong with a text", "[json_patch]") {
  std::string out = "|";
  json::error e = merge::apply_json_patch_text("[1", "[]", out);
  CHECK(e.code() == errc::unexpected_end);
  CHECK(e.text() == 1);
  e = merge::apply_json_patch_text("[1]", R"([{"op":"add","op":"add","path":"/0","value":1}])",
                                   out);
  CHECK(e.code() == errc::duplicate_name);
  CHECK(e.text() == 2);
  merge::json_patch_options o;
  o.trust = merge::text_trust::trusted;
  for (const std::string document : {"", " ", "{", "{\"a\"}", "{\"a\":[1,}", "[1 2]", "{1}", "[",
                                     "{\"a\":\"x", "}", "\"", "{\"a\":1"}) {
    INFO(document);
    for (const std::string patch :
         {"[{\"op\":\"remove\",\"path\":\"/a/0\"}]",
          "[{\"op\":\"add\",\"path\":\"/0\",\"value\":1}]", "[{\"op\":\"remove\",\"path\":\"/0\"",
          "[{", "[\"", "", "[{\"op\":}]", "[{\"op\"\"add\"}]"})
      static_cast<void>(merge::apply_json_patch_text(document, patch, out, o).failed());
  }
  char small[4];
  devicetwin::text_buffer buffer(small, sizeof small);
  e = merge::apply_json_patch_text("[1]", R"([{"op":"add","path":"/-","value":2}])", buffer);
  CHECK(e.code() == errc::out_of_memory);
  CHECK(e.needed() == 5);
  CHECK(buffer.size() == 0);
}

TEST_CASE("apply_json_patch_text agrees with trees on random documents", "[json_patch]") {
  for (unsigned seed = 1; seed <= 1500; ++seed) {
    INFO(seed);
    random_json random(seed);
    const std::string document = random.value();
    auto expected = parsed(document);
    const std::string patch =
        naive_json_patch::random_patch(random, expected, random.below(12), 20);
    patched_text(document, patch);
  }
  for (unsigned seed = 1; seed <= 10; ++seed) {
    INFO(seed);
    random_json random(seed);
    std::string wide;
    for (unsigned i = 0; i < 130; ++i)
      wide += (i == 0 ? "" : ",") + ("\"m" + std::to_string(i * 7 % 131)) +
              "\":" + (i % 9 == 0 ? "{\"x\":1}" : std::to_string(i));
    const std::string document = "{\"in\":[{" + wide + "}]," + wide + "}";
    auto expected = parsed(document);
    patched_text(document, naive_json_patch::random_patch(random, expected, 300, 0));
  }
}

TEST_CASE("a text that diff_json_patch_text describes is what apply_json_patch_text makes",
          "[json_patch]") {
  for (unsigned seed = 1; seed <= 800; ++seed) {
    INFO(seed);
    random_json random(seed);
    const std::string from = random.value(), to = random.value();
    std::string patch, result;
    merge::json_patch_options o;
    o.tests = seed % 2 == 0;
    REQUIRE(!merge::diff_json_patch_text(from, to, patch, o));
    REQUIRE(!merge::apply_json_patch_text(from, patch, result, o));
    CHECK(are_equal(parsed(result), parsed(to)));
  }
}

TEST_CASE("apply_json_patch_text survives every allocation that fails", "[json_patch]") {
  std::string document = "{\"list\":[1,[2,{\"x\":3}]],\"obj\":{\"k\\n\":[]}", patch;
  for (int i = 0; i < 80; ++i) document += ",\"m" + std::to_string(i) + "\":" + std::to_string(i);
  document += "}";
  for (int i = 0; i < 10; ++i)
    patch += R"({"op":"remove","path":"/m)" + std::to_string(70 - i) + R"("},)";
  patch =
      "[" + patch +
      R"({"op":"add","path":"/obj/a rather long\tname~1 it is","value":{"deep":[1,2]}},)"
      R"({"op":"copy","from":"/list","path":"/list/0"},{"op":"remove","path":"/list/0/0"},)"
      R"({"op":"copy","from":"/list","path":"/l"},{"op":"move","from":"/obj","path":"/list/-"},)"
      R"({"op":"test","path":"/l","value":[[[2,{"x":3}]],1,[2,{"x":3}]]}])";
  std::string out = "before";
  with_every_refusal([&](const devicetwin::memory_source& memory) {
    merge::json_patch_options o;
    o.memory = memory;
    out = "before";
    const json::error e = merge::apply_json_patch_text(document, patch, out, o);
    if (e) CHECK(out == "before");
    return e;
  });
  CHECK(out.size() > 6);
}
