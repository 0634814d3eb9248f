#include "../support/text.hpp"

#include <devicetwin/merge/conflict.hpp>

#include <string>

using merge::conflict_kind;
using merge::policy;
using merge::side;

namespace {

struct found {
  std::string text;
  json::error error;
};

/// The conflicts of a merge of three documents, as lines, and the result.
found merged(policy prefer) {
  const auto base = parsed(R"({"a":1,"b":{"x":1},"c":{"y":1}})");
  const auto ours = parsed(R"({"a":2,"c":7})");
  const auto theirs = parsed(R"({"a":3,"b":{"x":2},"c":{"y":2}})");
  rapidjson::Document out;
  found f;
  f.error = merge::merge3(base, ours, theirs, out, prefer, [&](const auto& c) {
    f.text += pointer_of(c.where) + " " + merge::name_of(c.kind) + ", " + merge::name_of(c.chosen) +
              (c.ours == nullptr ? ", ours gone" : "") + (c.base == nullptr ? ", new" : "") + "\n";
  });
  if (!f.error) f.text += written(out);
  return f;
}

}  // namespace

TEST_CASE("kinds of conflicts and sides have words for logs", "[conflict]") {
  CHECK(std::string(merge::name_of(conflict_kind::both_changed)) == "both changed");
  CHECK(std::string(merge::name_of(conflict_kind::changed_and_removed)) == "changed and removed");
  CHECK(std::string(merge::name_of(conflict_kind::type_clash)) == "type clash");
  CHECK(std::string(merge::name_of(side::ours)) == "ours");
  CHECK(std::string(merge::name_of(side::theirs)) == "theirs");
}

TEST_CASE("the policy chooses a side, or refuses with the first place", "[conflict]") {
  const std::string kinds[] = {"/a both changed, ", "/b changed and removed, ", "/c type clash, "};
  for (const policy prefer : {policy::ours, policy::theirs, policy::fail}) {
    const found f = merged(prefer);
    INFO(f.text);
    const std::string chosen = prefer == policy::theirs ? "theirs" : "ours";
    for (const std::string& kind : kinds) CHECK(f.text.find(kind + chosen) != std::string::npos);
    CHECK((f.error.code() == errc::conflict) == (prefer == policy::fail));
    if (prefer == policy::fail) CHECK(f.error.pointer() == "/a");
  }
}

TEST_CASE("a report that returns a side decides, also where the policy would refuse",
          "[conflict]") {
  const auto base = parsed(R"({"a":1,"b":1})");
  const auto ours = parsed(R"({"a":2,"b":2})");
  const auto theirs = parsed(R"({"a":3,"b":3})");
  rapidjson::Document out;
  REQUIRE(!merge::merge3(base, ours, theirs, out, policy::fail, [](const auto& c) {
    return pointer_of(c.where) == "/a" ? side::theirs : side::ours;
  }));
  CHECK(written(out) == R"({"a":3,"b":2})");
}

TEST_CASE("no_report takes any conflict and decides nothing", "[conflict]") {
  const auto base = parsed(R"({"a":1})"), ours = parsed(R"({"a":2})"),
             theirs = parsed(R"({"a":3})");
  rapidjson::Document out;
  REQUIRE(!merge::merge3(base, ours, theirs, out, policy::theirs, merge::no_report()));
  CHECK(written(out) == R"({"a":3})");
}
