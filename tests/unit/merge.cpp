#include "../support/text.hpp"

#include <limits>
#include <string>
#include <vector>

#include "../support/random_json.hpp"
#include "../support/reference.hpp"
#include "../support/rfc7396.hpp"

namespace {

std::string applied(const std::string& document, const std::string& patch,
                    const merge::options& options = {}) {
  auto d = parsed(document);
  const auto p = parsed(patch);
  REQUIRE(!merge::apply_merge_patch(d, p, d.GetAllocator(), options));
  json::document compact;
  REQUIRE(!json::read(document, compact));
  REQUIRE(!merge::apply_merge_patch(compact, p, options));
  CHECK(written(compact) == written(d));
  return written(d);
}

std::string difference(const std::string& from, const std::string& to,
                       const merge::options& options = {}) {
  const auto a = parsed(from);
  const auto b = parsed(to);
  rapidjson::Document patch;
  const auto e = merge::diff(a, b, patch, options);
  return e ? "error at " + std::string(e.pointer()) : written(patch);
}

struct recorded {
  std::string pointer, before, after;
};
struct recorder {
  std::vector<recorded>& changes;
  template <class Value>
  void operator()(const json::location& where, const Value* old_value,
                  const Value* new_value) const {
    changes.push_back({pointer_of(where), old_value == nullptr ? "-" : written(*old_value),
                       new_value == nullptr ? "-" : written(*new_value)});
  }
};

/// A journal that refuses, and keeps how many changes it was asked to take.
struct refusing {
  std::size_t asked = 0;
  bool reserve(std::size_t changes) {
    asked = changes;
    return false;
  }
  void operator()(const json::location&, const json::arena_value*, const json::arena_value*) {
    FAIL("told");
  }
};

}  // namespace

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

TEST_CASE("the journal has every effective change and no other", "[merge][journal]") {
  std::vector<recorded> changes;
  auto d = parsed(R"({"a":1,"b":{"c":2,"d":{"e":3}},"f":[1],"g":"same","h":{"i":1}})");
  const auto p = parsed(
      R"({"a":null,"b":{"c":2.0,"d":{"e":4},"n/w":{"x":null,"y":1}},"f":[1,2],"g":"same","zz":null,"h":7})");
  REQUIRE(!merge::apply_merge_patch(d, p, d.GetAllocator(), {}, recorder{changes}));
  REQUIRE(changes.size() == 5);
  const auto is = [&](std::size_t i, const char* pointer, const char* before, const char* after) {
    return changes[i].pointer == pointer && changes[i].before == before &&
           changes[i].after == after;
  };
  CHECK(is(0, "/a", "1", "-"));
  CHECK(is(1, "/b/d/e", "3", "4"));
  CHECK(is(2, "/b/n~1w", "-", R"({"y":1})"));
  CHECK(is(3, "/f", "[1]", "[1,2]"));
  CHECK(is(4, "/h", R"({"i":1})", "7"));
  changes.clear();
  REQUIRE(!merge::apply_merge_patch(d, parsed("[1]"), d.GetAllocator(), {}, recorder{changes}));
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].pointer.empty());
  CHECK(changes[0].after == "[1]");
}

TEST_CASE("a journal can refuse", "[merge][journal]") {
  refusing journal;
  json::document d;
  REQUIRE(!json::read(R"({"a":1})", d));
  CHECK(merge::apply_merge_patch(
            d, parsed(R"({"a":2,"b":"text that is not kept inside the value"})"), {}, journal)
            .code() == errc::handler_stopped);
  CHECK(journal.asked == 2);
  CHECK(written(d) == R"({"a":1})");
}

TEST_CASE("one changed member is told, refused and stored as many are", "[merge][journal]") {
  const std::string before =
      GENERATE(as<std::string>{}, "1", "\"short\"", "\"a text of more than thirteen bytes\"",
               "true", "-2.5", "null", "[1]", "{\"x\":1}");
  const std::string after =
      GENERATE(as<std::string>{}, "1", "\"short\"", "\"another text of more than thirteen\"",
               "false", "1.0", "null", "[2]", "{\"x\":2}");
  const std::size_t levels = GENERATE(1u, 2u, 8u, 9u);
  const auto nested = [&](const std::string& value, const std::string& beside) {
    std::string text = value;
    for (std::size_t i = 0; i < levels; ++i) {
      text = "{" + (i % 2 == 0 ? beside : "") + "\"level " + std::to_string(i) + "\":" + text + "}";
    }
    return text;
  };
  const std::string document = nested(before, R"("beside":[{}],)"), patch = nested(after, "");
  const auto expected =
      reference::merge(*reference::parser::parse(document), *reference::parser::parse(patch));
  CHECK(reference::equal(*reference::parser::parse(applied(document, patch)), expected));

  refusing journal;
  json::document d;
  REQUIRE(!json::read(document, d));
  const auto p = parsed(patch);
  const json::error e = merge::apply_merge_patch(d, p, {}, journal);
  CHECK(e.code() == (journal.asked == 0 ? errc::ok : errc::handler_stopped));
  CHECK(written(d) == written(parsed(document)));
  std::vector<recorded> changes;
  REQUIRE(!merge::apply_merge_patch(d, p, {}, recorder{changes}));
  CHECK(reference::equal(reference::from_value(d), expected));
  CHECK(changes.size() == journal.asked);
  if (changes.size() == 1 && before[0] != '{') {
    std::string pointer;
    for (std::size_t i = levels; i-- > 0;) pointer += "/level " + std::to_string(i);
    CHECK(changes[0].pointer == pointer);
    CHECK(changes[0].before == written(parsed(before)));
    CHECK(changes[0].after == (after == "null" ? "-" : written(parsed(after))));
  }
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
  CHECK(written(compact) == expected);
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
    CHECK(!merge::diff(from, to, patch, o));
    for (const auto& e :
         {merge::diff(from, deeper, patch, o), merge::diff(deeper, other, patch, o)}) {
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
  json::text_writer<std::string> writer(text);
  CHECK(merge::diff(parsed(R"({"a":1,"b":2})"), parsed(R"({"a":9,"b":null})"), writer).code() ==
        errc::null_member);
  CHECK(text.empty());
  REQUIRE(!merge::diff(parsed(R"({"a":1,"b":2})"), parsed(R"({"a":9})"), writer));
  CHECK(text == R"({"a":9,"b":null})");
}

TEST_CASE("wide objects in any order", "[diff][merge]") {
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
    CHECK(are_equal(d, b));
    CHECK(are_equal(b, d));
    // And everything removed again, half of it at a time.
    REQUIRE(!merge::diff(d, parsed(R"({"m1":1})"), patch));
    CHECK(patch.MemberCount() == static_cast<json::size_type>(count - 1));
    REQUIRE(!merge::apply_merge_patch(d, patch));
    CHECK(written(d) == R"({"m1":1})");
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
