// Members of objects in texts: their names, and where strings and values end.
#include "devicetwin/merge/text/text_member.hpp"

#include <catch2/catch.hpp>
#include <string>

#include "devicetwin/json/text/tokens.hpp"

using namespace devicetwin;
using namespace devicetwin::merge::core;

namespace {

/// The member whose name, with its quotes, is the text from `first` on.
text_member member_at(text_offset first, text_offset name_end) {
  text_member member{};
  member.name = first;
  member.name_end = name_end;
  member.unescaped = member.match = no_offset;
  return member;
}

}  // namespace

TEST_CASE("a name becomes a step of a pointer, with ~ and / escaped and JSON's escapes resolved",
          "[text_member]") {
  const auto step = [](std::string_view raw) {
    std::string out;
    render_name(raw, [&](char c) { out += c; });
    return out;
  };
  CHECK(step("plain") == "/plain");
  CHECK(step("") == "/");
  CHECK(step("a/b~c") == "/a~1b~0c");
  CHECK(step("\\u002f\\u007e") == "/~1~0");

  char room[8];
  text_buffer out(room, sizeof room);
  CHECK(append_name("a/b", out));
  CHECK(out.view() == "/a~1b");
  CHECK_FALSE(append_name("longer", out));
}

TEST_CASE("a name with escapes is kept without them and found by that", "[text_member]") {
  const std::string text = R"("name" "n\u0061me" "other")";
  text_member members[] = {member_at(0, 6), member_at(7, 18), member_at(19, 26)};
  plain_names names(memory_source{});
  for (text_member& member : members) REQUIRE(keep_plain(text.data(), member, names));
  CHECK(members[0].unescaped == no_offset);
  CHECK(members[1].unescaped != no_offset);
  const member_names all{text.data(), members, names.data()};
  CHECK(all.text(0) == "name");
  CHECK(all.text(1) == "name");
  CHECK(all.text(2) == "other");
  CHECK(all.hash(0) == all.hash(1));
  CHECK(all.hash(0) != all.hash(2));
  CHECK(name_of(text.data(), members[1]) == "n\\u0061me");
}

TEST_CASE("a string or value that ends behind the bound does not end", "[text_member]") {
  const std::string text = R"("abc" [1, 2] )";
  json::core::text_structure structure;
  structure.reset(text);
  const char* const p = text.data();
  CHECK(string_end(structure, p, p + 5) == p + 5);
  CHECK(string_end(structure, p, p + 4) == nullptr);
  CHECK(value_end(structure, p + 6, p + 12) == p + 12);
  CHECK(value_end(structure, p + 6, p + 11) == nullptr);
  CHECK(value_end(structure, p + 6, p + text.size()) == p + 12);
}
