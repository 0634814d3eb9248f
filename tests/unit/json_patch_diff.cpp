// The JSON Patch between two documents.
#include <devicetwin/merge/json_patch.hpp>

#include <limits>
#include <string>

#include "../support/failing_heap.hpp"
#include "../support/naive_json_patch.hpp"
#include "../support/random_json.hpp"

namespace {

/// The patch between two texts and, which must be the same, between their trees. It must apply.
std::string json_patch(const std::string& from, const std::string& to,
                       const merge::json_patch_options& o = {}) {
  INFO(from);
  INFO(to);
  std::string text;
  REQUIRE(!merge::diff_json_patch_text(from, to, text, o));
  json::document a, patch, b;
  REQUIRE(!json::read(from, a));
  REQUIRE(!json::read(to, b));
  REQUIRE(!merge::diff_json_patch(a, parsed(to), patch, o));
  CHECK(written(parsed(text)) == written(patch));
  rapidjson::Document other;
  REQUIRE(!merge::diff_json_patch(a, b, other, o));
  CHECK(written(other) == written(patch));
  INFO(text);
  REQUIRE(!merge::apply_json_patch(a, patch));
  CHECK(are_equal(a, b));
  auto naive = parsed(from);
  CHECK(naive_json_patch::apply(naive, other) == other.Size());
  return text;
}

}  // namespace

TEST_CASE("diff_json_patch names single members and elements", "[json_patch]") {
  CHECK(json_patch("1", "1") == "[]");
  CHECK(json_patch("1", "2") == R"([{"op":"replace","path":"","value":2}])");
  CHECK(json_patch(R"({"a":1,"b":{"c":2},"d":3})", R"({"a":null,"b":{"c":2,"e":[]}})") ==
        R"([{"op":"replace","path":"/a","value":null},{"op":"add","path":"/b/e","value":[]},)"
        R"({"op":"remove","path":"/d"}])");
  CHECK(json_patch(R"({"a/b":{"~":1}})", R"({"a/b":{"~":2}})") ==
        R"([{"op":"replace","path":"/a~1b/~0","value":2}])");
  const std::string long_text = "\"" + std::string(200, 'x') + "\"";
  const auto list = [&](const std::string& inside) { return "[" + long_text + inside + "]"; };
  CHECK(json_patch(list(",1,2,3"), list(",0,1,3,4")) ==
        R"([{"op":"add","path":"/1","value":0},{"op":"remove","path":"/3"},)"
        R"({"op":"add","path":"/4","value":4}])");
  CHECK(json_patch(list(",{\"a\":1},2"), list(",{\"a\":2}")) ==
        R"([{"op":"replace","path":"/1/a","value":2},{"op":"remove","path":"/2"}])");
}

TEST_CASE("diff_json_patch replaces an array as a whole where that is shorter", "[json_patch]") {
  CHECK(json_patch(R"({"a":[1,2,3]})", R"({"a":[3,1,2]})") ==
        R"([{"op":"replace","path":"/a","value":[3,1,2]}])");
  CHECK(json_patch("[1,2,3]", "[4,5]") == R"([{"op":"replace","path":"","value":[4,5]}])");
  CHECK(json_patch(R"({"a":[[1,2,3],[1]],"b":0})", R"({"a":[[2],[1]],"b":0})") ==
        R"([{"op":"replace","path":"/a/0","value":[2]}])");
  // Never longer than replacing, for one array.
  for (unsigned seed = 1; seed <= 300; ++seed) {
    random_json random(seed);
    const std::string from = random.array(), to = random.array();
    const std::string patch = json_patch(from, to);
    CHECK(patch.size() <=
          to.size() + std::string(R"([{"op":"replace","path":"","value":}])").size());
  }
}

TEST_CASE("diff_json_patch can test what it replaces", "[json_patch]") {
  merge::json_patch_options o;
  o.tests = true;
  CHECK(json_patch(R"({"a":1,"b":2.50})", R"({"a":3,"c":4})", o) ==
        R"([{"op":"test","path":"/a","value":1},{"op":"replace","path":"/a","value":3},)"
        R"({"op":"test","path":"/b","value":2.50},{"op":"remove","path":"/b"},)"
        R"({"op":"add","path":"/c","value":4}])");
  CHECK(json_patch("[]", "{}", o) ==
        R"([{"op":"test","path":"","value":[]},{"op":"replace","path":"","value":{}}])");
  auto other = parsed(R"({"a":2,"b":2.5})");
  rapidjson::Document patch;
  REQUIRE(!merge::diff_json_patch(parsed(R"({"a":1,"b":2.5})"), parsed("{}"), patch, o));
  CHECK(merge::apply_json_patch(other, patch).code() == errc::test_failed);
}

TEST_CASE("diff_json_patch leads from any document to any other", "[json_patch]") {
  for (unsigned seed = 1; seed <= 1500; ++seed) {
    random_json random(seed);
    const std::string from = random.value(), to = random.value();
    merge::json_patch_options o;
    o.tests = seed % 2 == 0;
    json_patch(from, to, o);
    CHECK(json_patch(from, from) == "[]");
  }
  for (unsigned seed = 1; seed <= 300; ++seed) {
    // Documents that have much in common.
    random_json random(seed);
    auto changed = parsed(random.object());
    const std::string from = written(changed);
    naive_json_patch::random_patch(random, changed, 10, 0);
    json_patch(from, written(changed));
  }
}

TEST_CASE("diff_json_patch refuses what JSON cannot write, before it sends anything",
          "[json_patch]") {
  auto from = parsed(R"({"a":[1,{"b":2}]})"), to = parsed(R"({"a":[1,{"b":2}],"c":[[0]]})");
  std::string text;
  json::text_writer writer(text);
  to["c"][0][0].SetDouble(std::numeric_limits<double>::quiet_NaN());
  json::error e = merge::diff_json_patch(from, to, writer);
  CHECK(e.code() == errc::not_finite);
  CHECK(e.pointer() == "/c/0/0");
  to["c"][0][0].SetInt(1);
  merge::json_patch_options o;
  o.max_depth = 2;
  from["a"] = rapidjson::Value(1);
  to["a"] = rapidjson::Value(1);
  e = merge::diff_json_patch(from, to, writer, o);
  CHECK(e.code() == errc::depth_exceeded);
  CHECK(e.pointer() == "/c/0");
  CHECK(text.empty());
}

TEST_CASE("diff_json_patch_text leaves its output alone on an error", "[json_patch]") {
  std::string out = "before";
  CHECK(merge::diff_json_patch_text("[1", "[1]", out).text() == 1);
  CHECK(out == "before");
  char small[40];
  devicetwin::text_buffer buffer(small, sizeof small);
  const json::error e = merge::diff_json_patch_text("[1]", "{\"a\":1}", buffer);
  CHECK(e.code() == errc::out_of_memory);
  CHECK(e.needed() == std::string(R"([{"op":"replace","path":"","value":{"a":1}}])").size());
  CHECK(buffer.size() == 0);
  out.clear();
  REQUIRE(!merge::diff_json_patch_text("[1e400,100000000000000000000000]",
                                       "[1e400,100000000000000000000001]", out));
  CHECK(out == R"([{"op":"replace","path":"/1","value":100000000000000000000001}])");
}

TEST_CASE("diff_json_patch survives every allocation that fails", "[json_patch]") {
  std::string from = R"({"gone":1,"list":[)", to = R"({"list":[)";
  for (int i = 0; i < 40; ++i) {
    from += R"({"a long text that is there in both":)" + std::to_string(i) + "},";
    if (i % 9 != 4) to += R"({"a long text that is there in both":)" + std::to_string(i) + "},";
  }
  from += "0]}";
  to += "1]}";
  std::string deep_from = "1", deep_to = "2";
  for (int i = 0; i < 30; ++i) {
    deep_from = "{\"nested\":" + deep_from + "}";
    deep_to = "{\"nested\":" + deep_to + "}";
  }
  from = "[" + from + "," + deep_from + "]";
  to = "[" + to + "," + deep_to + "]";
  const auto a = parsed(from), b = parsed(to);
  with_every_failure(
      [&](const devicetwin::memory_source& memory) {
        merge::json_patch_options o;
        o.memory = memory;
        json::document patch(memory);
        return merge::diff_json_patch(a, b, patch, o);
      },
      [] {});
  std::string out = "before";
  with_every_refusal([&](const devicetwin::memory_source& memory) {
    merge::json_patch_options o;
    o.memory = memory;
    out = "before";
    const json::error e = merge::diff_json_patch_text(from, to, out, o);
    if (e) CHECK(out == "before");
    return e;
  });
}
