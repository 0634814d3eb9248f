// Values that callers built with RapidJSON's own calls: texts stored in every way, bytes left over
// from what stood there before, repeated names. Every function must see what they mean and nothing
// else.
#include "../support/text.hpp"

#include <deque>
#include <limits>
#include <string>
#include <vector>

#include "../support/random_json.hpp"
#include "../support/reference.hpp"

namespace {

using rapidjson::Value;

/// Builds what a node says, with choices made at random. Members keep their first value whatever is
/// repeated.
class builder {
 public:
  builder(rapidjson::Document::AllocatorType& allocator, unsigned seed)
      : allocator_(allocator), random_(seed) {}

  Value make(const reference::node& n) {
    switch (n.what) {
      case reference::node::null:
        return left_over(Value());
      case reference::node::boolean:
        return left_over(Value(n.b));
      case reference::node::integer:
        return left_over(Value(n.i));
      case reference::node::natural:
        return left_over(Value(n.u));
      case reference::node::real:
        return left_over(Value(n.d));
      case reference::node::string:
        return text(n.s);
      case reference::node::array: {
        Value array(rapidjson::kArrayType);
        for (const auto& element : n.a) array.PushBack(make(element), allocator_);
        return array;
      }
      case reference::node::object:
        break;
    }
    std::vector<const std::pair<const std::string, reference::node>*> members;
    for (const auto& member : n.o) members.push_back(&member);
    if (random_.below(3) == 0) {
      for (std::size_t i = members.size(); i > 1; --i)
        std::swap(members[i - 1], members[random_.below(static_cast<unsigned>(i))]);
    }
    Value object(rapidjson::kObjectType);
    const bool repeat = repeats && random_.below(3) == 0;
    for (std::size_t i = 0; i < members.size(); ++i) {
      Value name = text(members[i]->first);
      object.AddMember(name, make(members[i]->second), allocator_);
      while (repeat && random_.below(3) == 0) {
        const auto& earlier = *members[random_.below(static_cast<unsigned>(i + 1))];
        Value again = text(earlier.first);
        object.AddMember(again, make(*reference::parser::parse(random_.value(3))), allocator_);
      }
    }
    return object;
  }

  bool repeats = true;

 private:
  Value text(const std::string& s) {
    const auto length = static_cast<json::size_type>(s.size());
    Value v;
    switch (random_.below(4)) {
      case 0:
        return Value(s.data(), length, allocator_);
      case 1:  // refers to text of the caller's
        texts_.push_back(s);
        return Value(rapidjson::StringRef(texts_.back().data(), texts_.back().size()));
      case 2:
        v.SetString("thirteen bytes", 13, allocator_);
        v.SetString(s.data(), length, allocator_);
        return v;
      default:
        return Value(Value(s.data(), length, allocator_), allocator_);
    }
  }
  Value left_over(Value fresh) {
    Value v(rapidjson::Value("0123456789abc", 13, allocator_), allocator_);
    if (random_.below(2) == 0) return fresh;
    v = fresh;
    return v;
  }

  rapidjson::Document::AllocatorType& allocator_;
  random_json random_;
  std::deque<std::string> texts_;
};

void check_pair(const reference::node& x, const reference::node& y, unsigned seed, bool repeats) {
  rapidjson::Document a, b;
  builder first(a.GetAllocator(), seed), second(b.GetAllocator(), seed + 1);
  first.repeats = second.repeats = repeats;
  static_cast<Value&>(a) = first.make(x);
  static_cast<Value&>(b) = second.make(y);
  const json::comparison same = equal(x, y) ? json::comparison::equal : json::comparison::different;
  CHECK(json::equal(a, b) == same);
  CHECK(json::equal(b, a) == same);

  rapidjson::Document patch;
  const auto e = merge::diff(a, b, patch);
  const auto expected = reference::diff(x, y);
  if (expected) {
    REQUIRE(!e);
    CHECK(identical(reference::from_value(patch), *expected));
  } else {
    CHECK(e.code() == errc::null_member);
  }
  json::document compact;
  REQUIRE(!compact.assign(a));
  REQUIRE(!merge::apply_merge_patch(compact, b));
  CHECK(equal(reference::from_value(compact), reference::merge(x, y)));
  REQUIRE(!merge::apply_merge_patch(a, b, a.GetAllocator()));
  CHECK(equal(reference::from_value(a), reference::merge(x, y)));
}

std::string object_of(unsigned count, unsigned step, const char* name) {
  std::string text = "{";
  for (unsigned i = 0; i < count; ++i) {
    const unsigned k = i * step % count;
    text += "\"" + std::string(name) + std::to_string(k) + "\":" + std::to_string(k % 5) + ",";
  }
  text.back() = '}';
  return text;
}

}  // namespace

TEST_CASE("compact values are laid out as the fast roads take them to be", "[inside]") {
  using namespace json::core;
#if RAPIDJSON_48BITPOINTER_OPTIMIZATION
  STATIC_REQUIRE(is_compact<Value>);
#endif
  if constexpr (is_compact<Value>) {
    rapidjson::Document d;
    const char text[] = "abcdefghijklmnopqrstuvw";
    for (json::size_type length = 0; length <= 13; ++length) {
      Value v("0123456789abc", 13, d.GetAllocator());
      v.SetString(text, length, d.GetAllocator());  // with what is left of the digits behind
      const value_words words = words_of(v);
      CHECK(13 - words.unused() == length);
      CHECK(words.flags() == inside<Value>::short_text_flags);
      const value_words fresh = words_of_text({text, length});
      CHECK(
          (cut_words(text, length).low == fresh.low && cut_words(text, length).high == fresh.high));
      CHECK(same_inline_text(words, fresh));
      CHECK(same_inline_text(fresh, words));
      CHECK(hash_name(v) == hash_name({text, length}));
      if (length != 0) CHECK(!same_inline_text(fresh, words_of_text({text + 1, length})));
      CHECK(!same_inline_text(fresh, words_of_text({text, length == 0 ? 1u : length - 1})));
    }
    const Value longer(text, 20, d.GetAllocator());
    CHECK(static_cast<std::uint32_t>(words_of(longer).low) == 20);
    CHECK((words_of(longer).flags() & inside<Value>::inline_flag) == 0);
    CHECK(words_of(Value(-7)).low == ~std::uint64_t{6});
  }
}

TEST_CASE("same_bytes looks at every byte and no other", "[inside]") {
  for (std::size_t length = 0; length < 100; ++length) {
    const std::string a(length, 'x');
    CHECK(devicetwin::base::same_bytes(a.data(), std::string(length, 'x').data(), length));
    for (std::size_t i = 0; i < length; ++i) {
      std::string b = a;
      b[i] = 'y';
      CHECK(!devicetwin::base::same_bytes(a.data(), b.data(), length));
    }
    std::vector<char> copy(length + 1);
    devicetwin::base::copy_bytes(copy.data(), a.data(), length);
    CHECK(std::string(copy.data(), length) == a);
  }
}

TEST_CASE("built values mean the same to every function as to the obvious one",
          "[property][built]") {
  random_json random(11);
  for (unsigned i = 0; i < 9000; ++i) {
    const auto x = *reference::parser::parse(random.object(0));
    const auto y = i % 5 == 0 ? x : *reference::parser::parse(random.object(0));
    check_pair(x, y, i, i % 3 != 0);
  }
}

TEST_CASE("wide built values mean the same to every function as to the obvious one",
          "[property][built]") {
  for (const unsigned count : {15u, 16u, 17u, 18u, 63u, 64u, 65u, 66u, 67u, 300u}) {
    for (unsigned step : {1u, 7u, 11u}) {
      if (count % step == 0 && step != 1) continue;
      for (const char* name : {"n", "a name longer than thirteen "}) {
        auto x = *reference::parser::parse(object_of(count, 1, name));
        auto y = x;
        for (unsigned changed = 0; changed < count; changed += step)
          y.o[name + std::to_string(changed)].i += 1;
        check_pair(x, x, count + step, true);
        check_pair(x, y, count * step, true);
        check_pair(x, y, count * step, false);
        y.o.erase(std::string(name) + "0");
        y.o["new"] = x;
        check_pair(x, y, count + step, true);
        check_pair(y, x, count + step, false);
      }
    }
  }
}

TEST_CASE("of repeated names the first counts, at every depth", "[built]") {
  // RapidJSON's own parser keeps repeated names.
  const auto built = [](const char* text) {
    rapidjson::Document d;
    d.Parse(text);
    return d;
  };
  const auto difference = [&](const char* from, const char* to) {
    rapidjson::Document patch;
    REQUIRE(!merge::diff(built(from), built(to), patch));
    return written(patch);
  };
  CHECK(are_equal(built(R"({"a":1,"a":2})"), built(R"({"a":1,"a":3})")));
  CHECK(are_equal(built(R"({"o":{"x":1},"o":{"x":2}})"), built(R"({"o":{"x":1},"o":{"x":3}})")));
  CHECK(are_equal(built(R"([{"a":1,"a":[2]}])"), built(R"([{"a":1,"a":[3]}])")));
  CHECK(!are_equal(built(R"({"o":{"x":1},"p":{"x":2}})"), built(R"({"o":{"x":1},"p":{"x":3}})")));
  CHECK(difference(R"({"o":{"x":1},"o":{"x":2}})", R"({"o":{"x":1},"o":{"x":3}})") == "{}");
  CHECK(difference(R"({"o":{"x":1},"b":0,"o":{"x":2}})", R"({"b":1,"o":{"x":1},"o":{"x":3}})") ==
        R"({"b":1})");
  CHECK(difference(R"({"a":[1],"a":[2]})", R"({"a":[1],"a":[3]})") == "{}");
  CHECK(difference(R"({"a":1,"a":2,"b":1})", R"({"b":2})") == R"({"b":2,"a":null})");
  // So does an error behind one.
  CHECK(difference(R"({"o":{"x":1},"o":{"x":2},"z":1})", R"({"o":{"x":1},"o":{"x":null},"z":2})") ==
        R"({"z":2})");
  CHECK(difference(R"({"o":{"x":1},"o":{"y":{"x":2}},"z":1})",
                   R"({"o":{"x":1},"o":{"y":{"x":{"n":null}}},"z":2})") == R"({"z":2})");
}

TEST_CASE("a removal takes all members of the name, in a wide object too", "[built]") {
  const unsigned times = GENERATE(1u, 2u, 3u);
  const unsigned removed_of = GENERATE(1u, 2u, 40u);  // every so many-th name
  constexpr unsigned names = 200;
  rapidjson::Document target(rapidjson::kObjectType), patch(rapidjson::kObjectType),
      expected(rapidjson::kObjectType);
  const auto add = [](rapidjson::Document& to, unsigned name, Value&& value) {
    const std::string text = "name of some length " + std::to_string(name);
    Value copy(text.c_str(), to.GetAllocator());
    to.AddMember(copy, value, to.GetAllocator());
  };
  for (unsigned time = 0; time < times; ++time) {
    for (unsigned name = 0; name < names; ++name) {
      add(target, name, Value(time));
      if (name % removed_of != 0) add(expected, name, Value(time));
    }
  }
  for (unsigned name = 0; name < names; name += removed_of) add(patch, name, Value());
  unsigned told = 0;
  json::value& root = target;
  REQUIRE(!merge::apply_merge_patch(
      root, patch, target.GetAllocator(), {},
      [&](const json::location&, const json::value* was, const json::value* is) {
        REQUIRE(was != nullptr);
        REQUIRE(is == nullptr);
        ++told;
      }));
  CHECK(told == (names + removed_of - 1) / removed_of);
  REQUIRE(target.MemberCount() == expected.MemberCount());
  for (json::size_type i = 0; i < target.MemberCount(); ++i) {
    CHECK(target.MemberBegin()[static_cast<std::ptrdiff_t>(i)].name ==
          expected.MemberBegin()[static_cast<std::ptrdiff_t>(i)].name);
    CHECK(target.MemberBegin()[static_cast<std::ptrdiff_t>(i)].value ==
          expected.MemberBegin()[static_cast<std::ptrdiff_t>(i)].value);
  }
}

TEST_CASE("NaN equals nothing, where everything else is the same", "[built]") {
  for (const char* text : {R"({"a":{"b":[1.5,2.5]}})", "[[1.5,2.5]]", R"([0,{"b":[1.5,2.5]}])"}) {
    rapidjson::Document a = parsed(text), b = parsed(text);
    const std::string pointer = text[0] == '{' ? "/a/b" : text[1] == '[' ? "/0" : "/1/b";
    for (auto* d : {&a, &b})
      const_cast<Value&>(**json::find(*d, pointer + "/1"))
          .SetDouble(std::numeric_limits<double>::quiet_NaN());
    CHECK(json::equal(a, b) == json::comparison::different);
    CHECK(json::equal(a, a) == json::comparison::different);
  }
}

TEST_CASE("zeros and numbers of other types are equal by value", "[built]") {
  CHECK(are_equal(parsed("[0.0,0,1,18446744073709551615]"),
                  parsed("[-0.0,0.0,1.0,18446744073709551615]")));
  CHECK(!are_equal(parsed("[-1]"), parsed("[18446744073709551615]")));
  CHECK(!are_equal(parsed("[true]"), parsed("[false]")));
  CHECK(!are_equal(parsed("[null]"), parsed("[false]")));
  CHECK(!are_equal(parsed("[{}]"), parsed("[[]]")));
  CHECK(!are_equal(parsed("[0]"), parsed("[null]")));
}

TEST_CASE("the first of a caller's repeated names counts everywhere", "[write][equal][merge]") {
  rapidjson::Document d;
  d.SetObject();
  const auto add = [&](rapidjson::Value& object, int number) {
    object.AddMember("a", number, d.GetAllocator());
  };
  add(d, 1);
  add(d, 2);
  d.AddMember("b", 3, d.GetAllocator());
  CHECK(written(d) == R"({"a":1,"b":3})");
  CHECK(are_equal(d, parsed(R"({"b":3,"a":1})")));
  CHECK(are_equal(parsed(R"({"b":3,"a":1})"), d));
  CHECK(!are_equal(d, parsed(R"({"b":3,"a":2})")));
  CHECK(are_equal(d, d));
  rapidjson::Document patch;
  REQUIRE(!merge::diff(d, parsed(R"({"a":1,"b":4})"), patch));
  CHECK(written(patch) == R"({"b":4})");
  REQUIRE(!merge::diff(parsed(R"({"a":1,"b":4})"), d, patch));
  CHECK(written(patch) == R"({"b":3})");
  REQUIRE(!merge::diff(d, parsed("{}"), patch));
  CHECK(written(patch) == R"({"a":null,"b":null})");
  rapidjson::Document target = parsed("{}");
  REQUIRE(!merge::apply_merge_patch(target, d, target.GetAllocator()));
  CHECK(written(target) == R"({"a":1,"b":3})");
  REQUIRE(!merge::apply_merge_patch(d, parsed(R"({"a":null})"), d.GetAllocator()));
  CHECK(d.MemberCount() == 1);
}
