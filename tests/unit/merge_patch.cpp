// Merge patches: what they do, and that diff leads back to them.
#include <devicetwin/merge/merge_patch.hpp>

#include <limits>
#include <string>

#include "../support/merge_text.hpp"
#include "../support/random_json.hpp"
#include "../support/reference.hpp"
#include "../support/rfc7396.hpp"

TEST_CASE("apply_merge_patch does RFC 7396, appendix A", "[merge][conformance]") {
  for (const merge_example& c : rfc7396_appendix_a) CHECK(applied(c.document, c.patch) == c.result);
}

TEST_CASE("apply_merge_patch does RFC 7396, section 3", "[merge][conformance]") {
  CHECK(
      applied(
          R"({"title":"Goodbye!","author":{"givenName":"John","familyName":"Doe"},"tags":["example","sample"],"content":"This will be unchanged"})",
          R"({"title":"Hello!","phoneNumber":"+01-123-456-7890","author":{"familyName":null},"tags":["example"]})") ==
      R"({"title":"Hello!","author":{"givenName":"John"},"tags":["example"],"content":"This will be unchanged","phoneNumber":"+01-123-456-7890"})");
}

TEST_CASE("apply_merge_patch keeps order and appends", "[merge]") {
  CHECK(applied(R"({"a":1,"b":2,"c":3,"d":4})", R"({"z":0,"c":null,"a":9,"y":1})") ==
        R"({"a":9,"b":2,"d":4,"z":0,"y":1})");
  CHECK(applied(R"({"a":[{"x":null}]})", R"({"b":[{"x":null}]})") ==
        R"({"a":[{"x":null}],"b":[{"x":null}]})");
  CHECK(applied(R"({"a":1})", R"({"a":1.0})") == R"({"a":1})");
  CHECK(applied("1", R"({"a":{"b":null}})") == R"({"a":{}})");
  CHECK(applied(R"({"a":5})", R"({"a":{}})") == R"({"a":{}})");
}

TEST_CASE("apply_merge_patch has rules for null", "[merge]") {
  merge::options o;
  o.nulls = merge::null_rule::remove_existing;
  CHECK(applied(R"({"a":1})", R"({"a":null,"b":{"c":null},"d":null})", o) == R"({"b":{"c":null}})");
  CHECK(applied(R"({"a":1})", R"({"a":{"x":null}})", o) == R"({"a":{"x":null}})");
  o.nulls = merge::null_rule::keep;
  CHECK(applied(R"({"a":1})", R"({"a":null,"b":{"c":null}})", o) == R"({"a":null,"b":{"c":null}})");
  o = {};
  o.numbers = merge::number_equality::by_value_and_type;
  CHECK(applied(R"({"a":1,"b":[1]})", R"({"a":1.0,"b":[1.0]})", o) == R"({"a":1.0,"b":[1.0]})");
}

TEST_CASE("apply_merge_patch refuses what cannot be stored and changes nothing", "[merge]") {
  auto d = parsed(R"({"a":{"b":1}})");
  auto p = parsed(R"({"first":1,"a":{"b":2,"c":[0,1]}})");
  SECTION("NaN") {
    p["a"]["c"][1].SetDouble(std::numeric_limits<double>::quiet_NaN());
    const auto e = merge::apply_merge_patch(d, p, d.GetAllocator());
    CHECK(e.code() == errc::not_finite);
    CHECK(e.pointer() == "/a/c/1");
  }
  SECTION("depth") {
    merge::options o;
    o.max_depth = 2;
    const auto e = merge::apply_merge_patch(d, p, d.GetAllocator(), o);
    CHECK(e.code() == errc::depth_exceeded);
    CHECK(e.pointer() == "/a/c");
    CHECK(e.limit() == 2);
  }
  CHECK(written(d) == R"({"a":{"b":1}})");
}

TEST_CASE("a name that stands twice and goes is removed once, in any order of the others",
          "[merge]") {
  rapidjson::Document from, to;
  from.SetObject();
  to.SetObject();
  const auto add = [](rapidjson::Document& d, const std::string& name) {
    d.AddMember(rapidjson::Value(name.c_str(), d.GetAllocator()), rapidjson::Value(1),
                d.GetAllocator());
  };
  for (int i = 0; i < 200; ++i) add(from, "member " + std::to_string(i));
  for (int i = 0; i < 2; ++i) add(from, "twice");
  for (int i = 200; i-- > 0;) add(to, "member " + std::to_string(i));
  rapidjson::Document patch;
  REQUIRE(!merge::diff(from, to, patch));
  CHECK(written(patch) == R"({"twice":null})");
  CHECK(patch.MemberCount() == 1);
}

TEST_CASE("texts of a patch may be the target's own, which it replaces crosswise", "[merge]") {
  const std::string left = GENERATE(std::string("l"), std::string("13 characters"),
                                    std::string("fourteen bytes"), std::string(100, 'l'));
  const std::string right =
      GENERATE(std::string("r"), std::string("a text that takes memory of its own"));
  const std::string text = R"({"a":")" + left + R"(","b":")" + right + R"(","gone":1})";
  const std::string expected = R"({"a":")" + right + R"(","b":")" + left + R"(","row":[")" + left +
                               R"(",")" + right + R"(",1],")" + left + R"(":")" + left + "\"}";
  const auto refer = [](const auto& to) {
    const std::string_view chars = json::core::text_of(to);
    return rapidjson::Value(
        rapidjson::StringRef(chars.data(), static_cast<json::size_type>(chars.size())));
  };
  const auto patch_of = [&](const auto& root, rapidjson::Document& patch) {
    auto& memory = patch.GetAllocator();
    patch.SetObject();
    patch.AddMember("gone", rapidjson::Value(), memory);
    patch.AddMember("a", refer(root["b"]), memory);
    patch.AddMember("b", refer(root["a"]), memory);
    rapidjson::Value row(rapidjson::kArrayType);
    row.PushBack(refer(root["a"]), memory).PushBack(refer(root["b"]), memory).PushBack(1, memory);
    patch.AddMember("row", row, memory);
    patch.AddMember(refer(root["a"]), refer(root["a"]), memory);
  };
  auto d = parsed(text);
  rapidjson::Document patch;
  patch_of(d, patch);
  REQUIRE(!merge::apply_merge_patch(d, patch, d.GetAllocator()));
  CHECK(written(d) == expected);
  json::document compact;
  REQUIRE(!json::read(text, compact));
  patch_of(compact.root(), patch);
  REQUIRE(!merge::apply_merge_patch(compact, patch));
  CHECK(written(compact.root()) == expected);
  json::document fresh;
  REQUIRE(!json::read(expected, fresh));
  CHECK(compact.size_in_bytes() == fresh.size_in_bytes());
}

TEST_CASE("rows are copied as other arrays are", "[merge]") {
  CHECK(
      applied(
          R"({"a":1,"b":[]})",
          R"({"a":[null,true,-1.5,"short"],"b":[7],"c":[],"d":[[1]],"e":[{}],"f":["a text that takes memory"]})") ==
      R"({"a":[null,true,-1.5,"short"],"b":[7],"c":[],"d":[[1]],"e":[{}],"f":["a text that takes memory"]})");
  CHECK(applied("[1]", "[1,2]") == "[1,2]");
  CHECK(applied(R"({"a":[1,null]})", R"({"a":[1.0,null],"b":1})") == R"({"a":[1,null],"b":1})");
}

TEST_CASE("wide objects are compared and patched in any order", "[diff][merge]") {
  for (const int count : {17, 300, 5000}) {
    std::string from = "{", to = "{", expected = "{";
    for (int i = 0; i < count; ++i)
      from += "\"m" + std::to_string(i) + "\":" + std::to_string(i) + ",";
    for (int i = 0; i < count; ++i) {
      const int k = (i * 7 + 3) % count;  // another order, when 7 does not divide count
      if (count % 7 == 0) FAIL("choose another count");
      to += "\"m" + std::to_string(k) + "\":" + std::to_string(k % 2 ? k : k + 1) + ",";
    }
    from.back() = to.back() = '}';
    const auto a = parsed(from);
    const auto b = parsed(to);
    rapidjson::Document patch;
    REQUIRE(!merge::diff(a, b, patch));
    CHECK(patch.MemberCount() == static_cast<json::size_type>((count + 1) / 2));
    json::document d;
    REQUIRE(!d.assign(a));
    REQUIRE(!merge::apply_merge_patch(d, patch));
    CHECK(are_equal(d.root(), b));
    CHECK(are_equal(b, d.root()));
    // And everything removed again, half of it at a time.
    REQUIRE(!merge::diff(d.root(), parsed(R"({"m1":1})"), patch));
    CHECK(patch.MemberCount() == static_cast<json::size_type>(count - 1));
    REQUIRE(!merge::apply_merge_patch(d, patch));
    CHECK(written(d.root()) == R"({"m1":1})");
  }
}

TEST_CASE("apply and diff agree with the obvious implementation", "[property]") {
  random_json random(2);
  for (int i = 0; i < 4000; ++i) {
    const std::string x = i % 9 == 0 ? random.value() : random.object(0);
    const std::string y = i % 11 == 0 ? random.value() : random.object(0);
    INFO(x);
    INFO(y);
    const auto a = reference::parser::parse(x);
    const auto b = reference::parser::parse(y);
    CHECK(equal(reference::from_value(parsed(applied(x, y))), reference::merge(*a, *b)));
    const auto expected = reference::diff(*a, *b);
    const auto found = difference(x, y);
    if (!expected) {
      CHECK(found.substr(0, 8) == "error at");
    } else {
      CHECK(identical(reference::from_value(parsed(found)), *expected));
      CHECK(equal(reference::from_value(parsed(applied(x, found))), *b));
    }
  }
}
