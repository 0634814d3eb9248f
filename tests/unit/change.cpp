#include "../support/text.hpp"

#include <limits>
#include <string>
#include <vector>

#include "../support/change_laws.hpp"
#include "../support/change_text.hpp"
#include "../support/failing_heap.hpp"

namespace {

std::string patch_for(const merge::change& c, std::string_view base) {
  json::document patch;
  const auto e = merge::to_merge_patch(c, document_of(base), patch);
  return e ? problem(e) : written(patch);
}

std::string patches_for(const merge::change& c) {
  merge::merge_patches patches;
  if (const auto e = merge::to_merge_patches(c, patches)) return problem(e);
  std::string text;
  for (std::size_t i = 0; i < patches.count; ++i)
    text += (i == 0 ? "" : " then ") + written(patches.patch[i]);
  return text;
}

std::string difference_of(std::string_view from, std::string_view to) {
  merge::change c;
  REQUIRE(!merge::difference(parsed(from), parsed(to), c));
  return form_of(c);
}

/// The rebased change, and each conflict as POINTER:BASE/OURS/THEIRS.
std::string rebased(const merge::change& c, std::string_view from, std::string_view onto,
                    merge::policy prefer = merge::policy::ours) {
  merge::change out;
  std::string conflicts;
  const auto show = [](const auto* value) {
    return value == nullptr ? std::string("-") : written(*value);
  };
  const auto e = merge::rebase(c, parsed(from), parsed(onto), out, prefer, [&](const auto& found) {
    conflicts += " " + pointer_of(found.where) + ":" + show(found.base) + "/" + show(found.ours) +
                 "/" + show(found.theirs);
  });
  return (e ? problem(e) : form_of(out)) + conflicts;
}

}  // namespace

TEST_CASE("a change keeps everything until told otherwise", "[change]") {
  merge::change c;
  CHECK(c.keeps());
  CHECK(form_of(c) == "[]");
  CHECK(changed(R"({"a":1})", c) == R"({"a":1})");
  CHECK(changed("null", c) == "null");
  c = change_of(R"({"a":[1]})");
  CHECK(!c.keeps());
  merge::change moved = static_cast<merge::change&&>(c);
  CHECK(c.keeps());
  CHECK(form_of(moved) == R"({"a":[1]})");
  REQUIRE(!c.assign(moved));
  CHECK(form_of(c) == form_of(moved));
  c.swap(moved);
  CHECK(form_of(moved) == R"({"a":[1]})");
}

TEST_CASE("read_change takes the JSON form and nothing else", "[change]") {
  for (const char* form :
       {"[]", "[null]", "[[]]", "[{}]", "{}", R"({"a":null})", R"({"a":[null],"b":{"c":[[1,2]]}})",
        R"({"":[1],"/":{"~":null},"\u0000":[2],"$set":[3]})"}) {
    CHECK(form_of(change_of(form)) == form);
  }
  const auto refused = [](std::string_view form) {
    merge::change c = change_of(R"({"kept":null})");
    const auto e = merge::read_change(parsed(form), c);
    CHECK(form_of(c) == R"({"kept":null})");
    return problem(e);
  };
  const std::string wrong = std::string(describe(errc::not_a_change)) + " at ";
  CHECK(refused("null") == std::string(describe(errc::root_removed)) + " at ");
  CHECK(refused("1") == wrong);
  CHECK(refused("[1,2]") == wrong);
  CHECK(refused(R"({"a":1})") == wrong + "/a");
  CHECK(refused(R"({"a":[]})") == wrong + "/a");
  CHECK(refused(R"({"a":{"b":[1,2]}})") == wrong + "/a/b");
  CHECK(refused(R"({"a":{"b":"text"}})") == wrong + "/a/b");
  rapidjson::Document twice;
  twice.SetObject();
  twice.AddMember("a", json::value(), twice.GetAllocator());
  twice.AddMember("a", json::value(), twice.GetAllocator());
  merge::change c;
  CHECK(problem(merge::read_change(twice, c)) ==
        std::string(describe(errc::duplicate_name)) + " at /a");
}

TEST_CASE("a change reaches as deep as a document may be, and no deeper", "[change]") {
  json::read_options deep;
  deep.max_depth = 100;
  for (const int depth : {63, 64, 65}) {
    rapidjson::Document set, descend;
    REQUIRE(!json::read("[" + nest(depth, "1") + "]", set, deep));
    REQUIRE(!json::read(nest(depth, "[1]"), descend, deep));
    for (const auto* form : {&set, &descend}) {
      merge::change c;
      const auto e = merge::read_change(*form, c);
      CHECK(e.code() == (depth > 64 ? errc::depth_exceeded : errc::ok));
      CHECK(e.limit() == (depth > 64 ? 64 : 0));
      if (!e) CHECK(changed("{}", c) == nest(depth, "1"));
    }
  }
  std::string text(100000, '[');
  text += std::string(100000, ']');
  json::read_options any;
  any.max_depth = 1000000;
  json::document abyss;
  REQUIRE(!json::read(text, abyss, any));
  merge::change c;
  CHECK(merge::read_change(abyss, c).code() == errc::depth_exceeded);
  CHECK(merge::from_merge_patch(abyss, c).code() == errc::depth_exceeded);
  CHECK(merge::difference(parsed("1"), abyss, c).code() == errc::depth_exceeded);
  // Deep documents that others keep are compared and put back without recursion all the same.
  REQUIRE(!merge::invert(change_of("[1]"), abyss, c));
  CHECK(!c.keeps());
}

TEST_CASE("from_merge_patch says what the patch says", "[change]") {
  CHECK(form_of(patch_of(R"({"a":1,"b":null,"c":{"d":[null],"e":{}}})")) ==
        R"({"a":[1],"b":null,"c":{"d":[[null]],"e":{}}})");
  CHECK(form_of(patch_of("[1]")) == "[[1]]");
  CHECK(form_of(patch_of("null")) == "[null]");
  CHECK(form_of(patch_of("{}")) == "{}");
  rapidjson::Document twice;
  twice.SetObject();
  twice.AddMember("a", 1, twice.GetAllocator());
  twice.AddMember("a", 2, twice.GetAllocator());
  merge::change c;
  REQUIRE(!merge::from_merge_patch(twice, c));
  CHECK(form_of(c) == R"({"a":[1]})");
  auto nan = parsed(R"({"a":{"b":[1]}})");
  nan["a"]["b"][0].SetDouble(std::numeric_limits<double>::quiet_NaN());
  CHECK(problem(merge::from_merge_patch(nan, c)) ==
        std::string(describe(errc::not_finite)) + " at /a/b/0");
  CHECK(form_of(c) == R"({"a":[1]})");
}

TEST_CASE("difference is the smallest change, and can set null", "[change]") {
  CHECK(difference_of(R"({"a":1})", R"({"a":1.0})") == "[]");
  CHECK(difference_of(R"({"a":1,"b":{"c":2,"d":3}})", R"({"b":{"c":null,"d":3},"e":{"f":null}})") ==
        R"({"b":{"c":[null]},"a":null,"e":[{"f":null}]})");
  CHECK(difference_of("1", R"({"a":null})") == R"([{"a":null}])");
  CHECK(difference_of("[1]", "[1,2]") == "[[1,2]]");
  CHECK(difference_of("{}", "null") == "[null]");
}

TEST_CASE("apply goes into objects and replaces the rest", "[change]") {
  CHECK(
      changed(
          R"({"fan":{"rpm":1,"on":true},"mode":"eco","site":{"hall":1}})",
          change_of(
              R"({"fan":{"rpm":[900]},"mode":null,"site":[{"row":4}],"new":{"x":{"y":null}}})")) ==
      R"({"fan":{"rpm":900,"on":true},"site":{"row":4},"new":{"x":{}}})");
  CHECK(changed("5", change_of(R"({"a":{"b":[1],"c":null}})")) == R"({"a":{"b":1}})");
  CHECK(changed(R"({"a":5})", change_of(R"({"a":{}})")) == R"({"a":{}})");
  CHECK(changed(R"({"a":[1]})", change_of(R"({"a":{"0":[2]}})")) == R"({"a":{"0":2}})");
  CHECK(changed(R"({"a":1})", change_of(R"({"a":[null]})")) == R"({"a":null})");
  CHECK(changed(R"({"a":1})", change_of("[null]")) == "null");
  CHECK(changed(R"({"a":1})", change_of(R"({"a":[1.0]})")) == R"({"a":1})");
}

TEST_CASE("apply refuses what cannot be stored and changes nothing", "[change]") {
  json::document d = document_of(nest(63, R"({"x":1})"));
  merge::options deep;
  deep.max_depth = 80;
  json::read_options reads_deep;
  reads_deep.max_depth = 80;
  rapidjson::Document patch;
  REQUIRE(!json::read(nest(63, R"({"x":2,"y":{"z":1}})"), patch, reads_deep));
  merge::change c;
  REQUIRE(!merge::from_merge_patch(patch, c, deep));
  const auto e = merge::apply(d, c);
  CHECK(e.code() == errc::depth_exceeded);
  CHECK(e.pointer().substr(e.pointer().size() - 4) == "/a/y");
  CHECK(written(d) == nest(63, R"({"x":1})"));

  alignas(8) char buffer[2048];
  json::document small(buffer, sizeof buffer);
  REQUIRE(!json::read(R"({"a":{"b":1}})", small));
  CHECK(
      merge::apply(small, change_of(R"({"a":{"b":[2]},"c":[")" + std::string(3000, 'x') + R"("]})"))
          .code() == errc::out_of_memory);
  CHECK(written(small) == R"({"a":{"b":1}})");
  REQUIRE(!merge::apply(small, change_of(R"({"a":{"b":[2]},"c":["x"]})")));
  CHECK(written(small) == R"({"a":{"b":2},"c":"x"})");
}

TEST_CASE("apply tells the journal like a merge patch does", "[change][journal]") {
  std::string told;
  const auto journal = [&](const json::location& where, const auto* before, const auto* after) {
    told += pointer_of(where) + ":" + (before == nullptr ? "-" : written(*before)) + ">" +
            (after == nullptr ? "-" : written(*after)) + " ";
  };
  json::document d = document_of(R"({"a":1,"b":{"c":2,"d":3},"e":{"f":4}})");
  REQUIRE(!merge::apply(
      d, change_of(R"({"a":null,"b":{"c":[2.0],"d":[5],"x":null},"e":[{"g":1}],"n":{"m":[1]}})"),
      {}, journal));
  CHECK(told == R"(/a:1>- /b/d:3>5 /e:{"f":4}>{"g":1} /n:->{"m":1} )");
  told.clear();
  REQUIRE(!merge::apply(d, change_of("[7]"), {}, journal));
  CHECK(told == R"(:{"b":{"c":2,"d":5},"e":{"g":1},"n":{"m":1}}>7 )");
  struct refusing {
    bool reserve(std::size_t) { return false; }
    void operator()(const json::location&, const json::arena_value*, const json::arena_value*) {
      FAIL("told");
    }
  };
  CHECK(merge::apply(d, change_of("[8]"), {}, refusing{}).code() == errc::handler_stopped);
  CHECK(written(d) == "7");
}

TEST_CASE("apply tells of equal values, too, where presence counts", "[change][journal]") {
  std::string told;
  const auto journal = [&](const json::location& where, const auto* before, const auto* after) {
    told += pointer_of(where) + (before == after ? " same " : " changed ");
  };
  merge::options by_presence;
  by_presence.changes = merge::change_rule::by_presence;
  json::document d =
      document_of(R"({"a":1,"b":{"c":[2],"d":"a text that is not kept inside the value"}})");
  REQUIRE(!merge::apply(d, change_of(R"({"a":[1.0],"b":{"c":[[2]],"d":["x"],"e":null}})"),
                        by_presence, journal));
  CHECK(told == "/a same /b/c same /b/d changed ");
  CHECK(written(d) == R"({"a":1,"b":{"c":[2],"d":"x"}})");
  json::document fresh;
  REQUIRE(!fresh.assign(d));
  CHECK(fresh.size_in_bytes() == d.size_in_bytes());
  told.clear();
  REQUIRE(!merge::apply(d, change_of("[7]"), {}, journal));
  REQUIRE(!merge::apply(d, change_of("[7]"), {}, journal));
  REQUIRE(!merge::apply(d, change_of("[7]"), by_presence, journal));
  CHECK(told == " changed  changed ");
}

TEST_CASE("apply removes every member of a repeated name", "[change]") {
  for (const int count : {3, 40}) {
    rapidjson::Document d;
    d.SetObject();
    for (int i = 0; i < count; ++i) {
      json::value name(("n" + std::to_string(i / 2)).c_str(), d.GetAllocator());
      d.AddMember(name, i, d.GetAllocator());
    }
    std::string form = "{";
    for (int i = 0; i < count; i += 2) form += "\"n" + std::to_string(i / 2) + "\":null,";
    form.back() = '}';
    REQUIRE(!merge::apply(static_cast<json::value&>(d), change_of(form), d.GetAllocator()));
    CHECK(written(d) == "{}");
    CHECK(d.MemberCount() == 0);
  }
}

TEST_CASE("compose makes a set of a removal and something new, which no merge patch says",
          "[change]") {
  const merge::change both = composed(patch_of(R"({"a":null})"), patch_of(R"({"a":{"x":1}})"));
  CHECK(form_of(both) == R"({"a":[{"x":1}]})");
  CHECK(changed(R"({"a":{"old":5},"b":2})", both) == R"({"a":{"x":1},"b":2})");
  CHECK(changed("{}", both) == R"({"a":{"x":1}})");
  CHECK(form_of(composed(change_of(R"({"a":[{"b":1,"c":{"d":2}}]})"),
                         change_of(R"({"a":{"b":null,"c":{"e":[3]},"f":{"g":null}}})"))) ==
        R"({"a":[{"c":{"d":2,"e":3},"f":{}}]})");
  CHECK(form_of(composed(change_of(R"({"a":[5],"b":{"c":[1]}})"),
                         change_of(R"({"a":{"x":null},"b":{"d":[2]},"e":null})"))) ==
        R"({"a":[{}],"b":{"c":[1],"d":[2]},"e":null})");
  CHECK(form_of(composed(change_of(R"({"a":[1]})"), change_of("[2]"))) == "[2]");
  CHECK(form_of(composed(change_of("[2]"), change_of(R"({"a":{"b":[1]}})"))) ==
        R"([{"a":{"b":1}}])");
}

TEST_CASE("merging one patch into another brings removed members back; composing does not",
          "[change][published]") {
  // A queue that keeps one pending patch, and a library that promises one patch equal to two in a
  // row, both merge the second patch into the first. For these two it gives {"a":{"c":1}}, and the
  // old children of a survive.
  const std::string first = R"({"a":null})", second = R"({"a":{"c":1}})";
  const std::string document = R"({"a":{"b":1,"c":0},"z":true})";
  auto naive = parsed(first);
  auto onto_it = parsed(second);
  merge::options keeping;  // merges the patches as documents, with null as a value
  keeping.nulls = merge::null_rule::keep;
  REQUIRE(!merge::apply_merge_patch(static_cast<json::value&>(naive), onto_it, naive.GetAllocator(),
                                    keeping));
  auto wrong = parsed(document);
  REQUIRE(!merge::apply_merge_patch(static_cast<json::value&>(wrong), naive, wrong.GetAllocator()));
  CHECK(written(wrong) == R"({"a":{"b":1,"c":1},"z":true})");

  auto right = parsed(document);
  REQUIRE(!merge::apply_merge_patch(static_cast<json::value&>(right), parsed(first),
                                    right.GetAllocator()));
  REQUIRE(!merge::apply_merge_patch(static_cast<json::value&>(right), parsed(second),
                                    right.GetAllocator()));
  CHECK(written(right) == R"({"z":true,"a":{"c":1}})");
  const merge::change both = composed(patch_of(first), patch_of(second));
  CHECK(are_equal(parsed(changed(document, both)), right));
  CHECK(patch_for(both, document) == R"({"a":{"c":1,"b":null}})");
  CHECK(patches_for(both) == R"({"a":null} then {"a":{"c":1}})");
}

TEST_CASE("invert puts back what was there", "[change]") {
  const auto undo = [](const char* form, const char* base) {
    merge::change out;
    REQUIRE(!merge::invert(change_of(form), parsed(base), out));
    return form_of(out);
  };
  CHECK(undo(R"({"a":[2],"b":null,"c":{"d":[1]},"e":[1],"f":null})",
             R"({"a":1,"b":{"x":null},"c":{"z":1}})") ==
        R"({"a":[1],"b":[{"x":null}],"c":{"d":null},"e":null})");
  CHECK(undo(R"({"a":{"b":[1]}})", R"({"a":[5]})") == R"({"a":[[5]]})");
  CHECK(undo(R"({"a":{"b":[1]}})", "{}") == R"({"a":null})");
  CHECK(undo(R"({"a":{"b":null}})", R"({"a":{}})") == "[]");
  CHECK(undo("[1]", R"({"a":2})") == R"([{"a":2}])");
  CHECK(undo("[]", "1") == "[]");
  auto nan = parsed(R"({"a":{"b":[1]}})");
  nan["a"]["b"][0].SetDouble(std::numeric_limits<double>::infinity());
  merge::change out;
  CHECK(problem(merge::invert(change_of(R"({"a":{"b":null}})"), nan, out)) ==
        std::string(describe(errc::not_finite)) + " at /a/b/0");
}

TEST_CASE("minimise leaves what has an effect", "[change]") {
  const auto minimal = [](const char* form, const char* base) {
    merge::change out;
    REQUIRE(!merge::minimise(change_of(form), parsed(base), out));
    return form_of(out);
  };
  CHECK(minimal(R"({"a":[1.0],"b":null,"c":{"d":[2],"e":[3]},"f":{}})",
                R"({"a":1,"c":{"d":2},"f":{}})") == R"({"c":{"e":[3]}})");
  CHECK(minimal(R"({"a":[{"x":1,"y":2}]})", R"({"a":{"x":1,"z":3}})") ==
        R"({"a":{"z":null,"y":[2]}})");
  CHECK(minimal(R"({"a":{}})", R"({"a":1})") == R"({"a":[{}]})");
  CHECK(minimal("[5]", "5") == "[]");
  CHECK(minimal(R"({"a":[[1,2]]})", R"({"a":[1,2]})") == "[]");
  merge::options typed;
  typed.numbers = merge::number_equality::by_value_and_type;
  merge::change out;
  REQUIRE(!merge::minimise(change_of(R"({"a":[1.0]})"), parsed(R"({"a":1})"), out, typed));
  CHECK(form_of(out) == R"({"a":[1.0]})");
}

TEST_CASE("to_merge_patch is exact against its base, or says where it cannot be", "[change]") {
  CHECK(patch_for(change_of(R"({"site":[{"row":4}],"x":null})"),
                  R"({"site":{"hall":1,"row":4}})") == R"({"site":{"hall":null}})");
  CHECK(patch_for(change_of("[]"), "5") == "5");
  CHECK(patch_for(change_of("[]"), R"({"a":1})") == "{}");
  CHECK(patch_for(change_of("[7]"), R"({"a":1})") == "7");
  CHECK(patch_for(change_of("[null]"), R"({"a":1})") == "null");
  CHECK(patch_for(change_of(R"({"a":{"b":null}})"), "5") == R"({"a":{}})");
  CHECK(patch_for(change_of(R"({"a":[null]})"), R"({"a":null})") == "{}");
  const std::string unsayable = std::string(describe(errc::null_member)) + " at ";
  CHECK(patch_for(change_of(R"({"a":[null]})"), "{}") == unsayable + "/a");
  CHECK(patch_for(change_of(R"({"a":{"b":[{"c":[1],"d":null}]}})"), "{}") == unsayable + "/a/b/d");
  CHECK(patch_for(change_of(R"({"a":[{"c":null}]})"), R"({"a":{"c":1}})") == unsayable + "/a/c");
  CHECK(patch_for(change_of(R"([{"c":null}])"), "1") == unsayable + "/c");
  // Into a RapidJSON value as well.
  rapidjson::Document patch;
  json::value& root = patch;
  REQUIRE(
      !merge::to_merge_patch(change_of(R"({"a":[1]})"), parsed("{}"), root, patch.GetAllocator()));
  CHECK(written(patch) == R"({"a":1})");
  CHECK(
      merge::to_merge_patch(change_of(R"({"a":[null]})"), parsed("{}"), root, patch.GetAllocator())
          .code() == errc::null_member);
  CHECK(written(patch) == R"({"a":1})");
}

TEST_CASE("to_merge_patches is the shortest sequence for every base", "[change]") {
  CHECK(patches_for(change_of("[]")) == "");
  CHECK(patches_for(change_of("{}")) == "{}");
  CHECK(patches_for(change_of(R"({"a":{"b":[1],"c":{}},"d":null})")) ==
        R"({"a":{"b":1,"c":{}},"d":null})");
  CHECK(patches_for(change_of(R"({"a":{"b":[{"x":1}],"c":[2]},"d":[{}]})")) ==
        R"({"a":{"b":null,"c":2},"d":null} then {"a":{"b":{"x":1}},"d":{}})");
  CHECK(patches_for(change_of(R"([{"x":1}])")) == R"(null then {"x":1})");
  CHECK(patches_for(change_of("[null]")) == "null");
  CHECK(patches_for(change_of("[[1]]")) == "[1]");
  const std::string unsayable = std::string(describe(errc::null_member)) + " at ";
  CHECK(patches_for(change_of(R"({"a":{"b":[null]}})")) == unsayable + "/a/b");
  CHECK(patches_for(change_of(R"({"a":[{"b":{"c":null}}]})")) == unsayable + "/a/b/c");
}

TEST_CASE("where to_merge_patch and to_merge_patches fail or need two, no single patch does",
          "[change][brute force]") {
  // Every value with the names a and b, two levels deep below a, with the leaves null and 1.
  const std::vector<std::string> leaves = {"null", "1"};
  const auto objects_of = [](const std::vector<std::string>& in_a,
                             const std::vector<std::string>& in_b) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i <= in_a.size(); ++i) {
      for (std::size_t k = 0; k <= in_b.size(); ++k) {
        const std::string a = i == in_a.size() ? "" : "\"a\":" + in_a[i];
        const std::string b = k == in_b.size() ? "" : "\"b\":" + in_b[k];
        all.push_back("{" + a + (a.empty() || b.empty() ? "" : ",") + b + "}");
      }
    }
    return all;
  };
  std::vector<std::string> shallow = leaves;
  for (const auto& o : objects_of(leaves, leaves)) shallow.push_back(o);
  std::vector<std::string> texts = leaves;
  for (const auto& o : objects_of(shallow, leaves)) texts.push_back(o);
  std::vector<reference::node> values;
  std::vector<json::document> documents;
  for (const auto& text : texts) {
    values.push_back(*reference::parser::parse(text));
    documents.push_back(document_of(text));
  }
  REQUIRE(values.size() == 38);

  std::size_t failures = 0;
  for (std::size_t base = 0; base < values.size(); ++base) {
    for (std::size_t wanted = 0; wanted < values.size(); ++wanted) {
      merge::change c;
      json::document patch;
      REQUIRE(!merge::difference(documents[base], documents[wanted], c));
      if (!merge::to_merge_patch(c, documents[base], patch)) {
        REQUIRE(
            equal(reference::merge(values[base], reference::from_value(patch)), values[wanted]));
        continue;
      }
      ++failures;
      for (const auto& other : values) {
        if (equal(reference::merge(values[base], other), values[wanted]))
          FAIL(texts[base] + " to " + texts[wanted]);
      }
    }
  }
  CHECK(failures > 500);

  // Setting an object, as one patch for all of these documents and some with a member that no patch
  // here names?
  std::vector<reference::node> bases = values;
  for (const char* text : {R"({"z":1})", R"({"a":{"z":1}})", R"({"a":{"b":{"z":1}}})"}) {
    bases.push_back(*reference::parser::parse(text));
  }
  for (const char* form :
       {R"({"a":[{}]})", R"({"a":[{"b":1}]})", R"([{}])", R"([{"a":1}])", R"({"a":{"b":[{}]}})"}) {
    merge::merge_patches patches;
    REQUIRE(!merge::to_merge_patches(change_of(form), patches));
    CHECK(patches.count == 2);
    const auto node = *reference::parser::parse(form);
    for (const auto& one : values) {
      bool for_all = true;
      for (std::size_t i = 0; i < bases.size() && for_all; ++i) {
        for_all = equal(reference::merge(bases[i], one), *reference::apply(node, bases[i]));
      }
      CHECK(!for_all);
    }
  }
}

TEST_CASE("rebase replays a change and reports what collides", "[change]") {
  const std::string from = R"({"a":1,"b":{"c":2,"d":3},"e":4})";
  const merge::change c = change_of(R"({"a":[10],"b":{"c":[20],"new":[1]},"e":null})");
  CHECK(rebased(c, from, from) == form_of(c));
  CHECK(rebased(c, from, R"({"a":1,"b":{"c":2,"d":9},"e":4,"z":1})") == form_of(c));  // elsewhere
  CHECK(rebased(c, from, R"({"a":10,"b":{"c":20,"d":3,"new":1}})") == "[]");  // the same already
  CHECK(rebased(c, from, R"({"a":7,"b":{"c":2,"d":3},"e":4})") == form_of(c) + " /a:1/10/7");
  CHECK(rebased(c, from, R"({"a":7,"b":{"c":2,"d":3},"e":5})", merge::policy::theirs) ==
        R"({"b":{"c":[20],"new":[1]}} /a:1/10/7 /e:4/-/5)");
  CHECK(rebased(c, from, R"({"a":7,"b":{"c":2,"d":3},"e":5})", merge::policy::fail) ==
        std::string(describe(errc::conflict)) + " at /a /a:1/10/7 /e:4/-/5");
  // An object that is gone: what was written in it goes into a new one, what was beside it does not
  // come back.
  CHECK(rebased(c, from, R"({"a":1,"e":4})") ==
        form_of(c) + R"( /b:{"c":2,"d":3}/{"c":20,"d":3,"new":1}/-)");
  CHECK(changed(R"({"a":1,"e":4})", c) == R"({"a":10,"b":{"c":20,"new":1}})");
  CHECK(rebased(c, from, R"({"a":1,"b":"x","e":4})", merge::policy::theirs) ==
        R"({"a":[10],"e":null} /b:{"c":2,"d":3}/{"c":20,"d":3,"new":1}/"x")");
}

TEST_CASE("rebase looks into objects that are set as a whole", "[change]") {
  const merge::change c = change_of(R"({"a":[{"x":1,"y":2}]})");
  CHECK(rebased(c, "{}", R"({"a":{"z":3}})") == R"({"a":{"x":[1],"y":[2]}})");  // both made one
  CHECK(rebased(c, "{}", R"({"a":{"x":9,"y":2}})") == R"({"a":{"x":[1]}} /a/x:-/1/9)");
  CHECK(rebased(c, R"({"a":{"x":0,"q":5}})", R"({"a":{"x":0,"q":5,"z":3}})") ==
        R"({"a":{"x":[1],"q":null,"y":[2]}})");  // replaced, and added to
  CHECK(rebased(c, R"({"a":{"x":0,"q":5}})", R"({"a":{"x":0,"q":6}})") ==
        R"({"a":{"x":[1],"q":null,"y":[2]}} /a/q:5/-/6)");
  CHECK(rebased(change_of(R"({"a":{}})"), R"({"a":{}})", R"({"a":{"b":1}})") == R"({"a":{}})");
}

TEST_CASE("the report of rebase can decide", "[change]") {
  merge::change out;
  REQUIRE(!merge::rebase(change_of(R"({"a":[1],"b":[1]})"), parsed("{}"),
                         parsed(R"({"a":2,"b":2})"), out, merge::policy::fail,
                         [](const auto& found) {
                           return found.where == "/a" ? merge::side::ours : merge::side::theirs;
                         }));
  CHECK(form_of(out) == R"({"a":[1]})");
}

TEST_CASE("hostile names stay names", "[change]") {
  const std::string form = R"({"":{"~0":[1],"$version":[2],"a/b":{"\u0000":null,"[]":[{}]}}})";
  const merge::change c = change_of(form);
  CHECK(form_of(c) == form);
  CHECK(changed(R"({"":{"a/b":{"\u0000":1}}})", c) ==
        R"({"":{"a/b":{"[]":{}},"~0":1,"$version":2}})");
  CHECK(rebased(c, "{}", R"({"":{"~0":9}})") == form + R"( //~00:-/1/9)");
}

TEST_CASE("the laws of changes hold for wide objects in any order", "[change]") {
  const int count = 5000;
  std::string document = "{", first = "{", second = "{";
  for (int i = 0; i < count; ++i) {
    const std::string name = "\"m" + std::to_string(i * 7 % count) + "\":";
    document += name + "{\"x\":" + std::to_string(i) + "},";
    first +=
        "\"m" + std::to_string(i * 11 % count) + "\":" + (i % 3 == 0 ? "null," : "{\"x\":[1]},");
    second +=
        "\"m" + std::to_string(i * 13 % count) + "\":" + (i % 2 == 0 ? "{\"y\":[2]}," : "[3],");
  }
  document.back() = first.back() = second.back() = '}';
  CHECK(laws::of_one(change_of(first), document_of(document)) == "");
  CHECK(laws::of_composition(change_of(first), change_of(second), change_of("[]"),
                             document_of(document)) == "");
}

TEST_CASE("the laws of changes hold for random changes and documents", "[change][property]") {
  random_json random(5);
  for (int i = 0; i < 3000; ++i) {
    const std::string wrong = laws::algebra(random);
    REQUIRE(wrong == "");
  }
}

TEST_CASE("changes survive every failing allocation", "[failure]") {
  std::string from = "{", to = "{", patch = "{";
  for (int i = 0; i < 40; ++i) {
    const std::string name = "\"a name that is not inline " + std::to_string(i) + "\":";
    from += name + nest(i % 20, "\"a text that is longer than a value has room for\"") + ",";
    if (i % 3 != 0) to += name + nest(i % 17, "[" + std::to_string(i) + "]") + ",";
    patch += name +
             (i % 5 == 0 ? "null" : nest(i % 20, "\"another text that is longer than that\"")) +
             ",";
  }
  from.back() = to.back() = patch.back() = '}';
  const auto a = parsed(from), b = parsed(to), p = parsed(patch);
  const merge::change first = patch_of(patch), second = patch_of(to);
  const auto with = [](const devicetwin::memory_source& source) {
    merge::options o;
    o.memory = source;
    return o;
  };
  // Each operation on a change that keeps its value when the operation fails.
  const auto keeps_its_value = [&](auto&& operation) {
    with_every_failure(
        [&](const devicetwin::memory_source& source) {
          merge::change out(source);
          const json::error e = operation(out, with(source));
          if (e) CHECK(out.keeps());
          return e;
        },
        [] {});
  };
  keeps_its_value([&](merge::change& out, const merge::options& o) {
    return merge::read_change(first.form(), out, o);
  });
  keeps_its_value([&](merge::change& out, const merge::options& o) {
    return merge::from_merge_patch(p, out, o);
  });
  keeps_its_value(
      [&](merge::change& out, const merge::options& o) { return merge::difference(a, b, out, o); });
  keeps_its_value([&](merge::change& out, const merge::options&) { return out.assign(first); });
  keeps_its_value([&](merge::change& out, const merge::options& o) {
    return merge::compose(first, second, out, o);
  });
  keeps_its_value(
      [&](merge::change& out, const merge::options& o) { return merge::invert(first, a, out, o); });
  keeps_its_value([&](merge::change& out, const merge::options& o) {
    return merge::minimise(first, a, out, o);
  });
  keeps_its_value([&](merge::change& out, const merge::options& o) {
    return merge::rebase(first, a, b, out, merge::policy::ours, merge::no_report{}, o);
  });
  with_every_failure(
      [&](const devicetwin::memory_source& source) {
        json::document out(source);
        const json::error e = merge::to_merge_patch(first, a, out, with(source));
        if (e) CHECK(out.root().IsNull());
        return e;
      },
      [] {});
  with_every_failure(
      [&](const devicetwin::memory_source& source) {
        merge::merge_patches out;
        const json::error e =
            merge::to_merge_patches(composed(change_of("[{}]"), first), out, with(source));
        if (e) CHECK(out.count == 0);
        return e;
      },
      [] {});
  // apply: the document is as it was.
  for (std::size_t n = 1;; ++n) {
    REQUIRE(n < 10000);
    failing_heap heap;
    bool done = false;
    {
      json::document d(heap.source());
      REQUIRE(!d.assign(a));
      heap.refused_request = heap.requests + n;
      const json::error e = merge::apply(d, first, with(heap.source()));
      done = heap.requests < heap.refused_request;
      heap.refused_request = 0;
      if (e) {
        CHECK(e.code() == errc::out_of_memory);
        CHECK(written(d) == written(a));
      }
      CHECK(done == !e);  // what is refused is not done without
    }
    CHECK(heap.out == 0);
    if (done) break;
  }
}
