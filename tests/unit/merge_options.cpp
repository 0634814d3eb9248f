// merge/options.hpp: each option does what it says, to trees and to texts.
#include "../support/text.hpp"

#include <string>

namespace {

std::string applied(const std::string& target, const std::string& patch, const merge::options& o) {
  rapidjson::Document d = parsed(target);
  if (const json::error e = merge::apply_merge_patch(d, parsed(patch), d.GetAllocator(), o))
    return e.message();
  std::string text;
  merge::text_options of_text;
  static_cast<merge::options&>(of_text) = o;
  REQUIRE(!merge::apply_merge_patch_text(target, patch, text, of_text));
  CHECK(are_equal(parsed(text), d));
  return written(d);
}

}  // namespace

TEST_CASE("without options a patch follows RFC 7396, by value and checked", "[options]") {
  const merge::text_options o;
  CHECK(o.nulls == merge::null_rule::remove);
  CHECK(o.numbers == merge::number_equality::by_value);
  CHECK(o.changes == merge::change_rule::by_value);
  CHECK(o.max_depth == 64);
  CHECK(o.trust == merge::text_trust::checked);
  CHECK(o.number_texts == merge::text_numbers::exact);
}

TEST_CASE("null removes, removes what exists, or is a value", "[options]") {
  const std::string target = R"({"a":1,"b":2})", patch = R"({"a":null,"n":{"x":null}})";
  merge::options o;
  CHECK(applied(target, patch, o) == R"({"b":2,"n":{}})");
  o.nulls = merge::null_rule::remove_existing;
  CHECK(applied(target, patch, o) == R"({"b":2,"n":{"x":null}})");
  o.nulls = merge::null_rule::keep;
  CHECK(applied(target, patch, o) == R"({"a":null,"b":2,"n":{"x":null}})");
}

TEST_CASE("a number of another type is a change only by type", "[options]") {
  merge::options o;
  CHECK(applied(R"({"a":1})", R"({"a":1.0})", o) == R"({"a":1})");
  o.numbers = merge::number_equality::by_value_and_type;
  CHECK(applied(R"({"a":1})", R"({"a":1.0})", o) == R"({"a":1.0})");
}

TEST_CASE("an equal value is told to the journal only by presence", "[options]") {
  const auto told = [](merge::change_rule rule) {
    merge::options o;
    o.changes = rule;
    rapidjson::Document d = parsed(R"({"a":1,"b":2})");
    std::string seen;
    REQUIRE(!merge::apply_merge_patch(
        d, parsed(R"({"a":1,"b":3})"), d.GetAllocator(), o,
        [&](const json::location& where, const auto*, const auto*) { seen += pointer_of(where); }));
    return seen;
  };
  CHECK(told(merge::change_rule::by_value) == "/b");
  CHECK(told(merge::change_rule::by_presence) == "/a/b");
}

TEST_CASE("what is deeper than max_depth is refused", "[options]") {
  merge::options o;
  o.max_depth = 2;
  CHECK(applied("{}", R"({"a":{"b":1}})", o) == R"({"a":{"b":1}})");
  rapidjson::Document d = parsed("{}");
  const json::error e =
      merge::apply_merge_patch(d, parsed(R"({"a":{"b":{}}})"), d.GetAllocator(), o);
  CHECK(e.code() == errc::depth_exceeded);
  CHECK(e.limit() == 2);
}

TEST_CASE("working memory is the source's of the options", "[options]") {
  merge::options o;
  o.memory = devicetwin::memory_source::none();
  std::string wide = "{";
  for (int i = 0; i < 2000; ++i) wide += "\"m" + std::to_string(i) + "\":null,";
  wide.back() = '}';
  rapidjson::Document d = parsed("{}");
  for (int i = 0; i < 2000; ++i) {
    rapidjson::Value name(("m" + std::to_string(i)).c_str(), d.GetAllocator());
    d.AddMember(name, i, d.GetAllocator());
  }
  CHECK(merge::apply_merge_patch(d, parsed(wide), d.GetAllocator(), o).code() ==
        errc::out_of_memory);
  CHECK(d.MemberCount() == 2000);
}

TEST_CASE("trusted texts are not validated where they are the same", "[options]") {
  merge::text_options o;
  const std::string broken = R"({"a":01,"b":1})", other = R"({"a":01,"b":2})";
  std::string patch;
  CHECK(merge::diff_text(broken, other, patch, o).code() != errc::ok);
  o.trust = merge::text_trust::trusted;
  REQUIRE(!merge::diff_text(broken, other, patch, o));
  CHECK(patch == R"({"b":2})");
}
