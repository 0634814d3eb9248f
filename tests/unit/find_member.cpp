#include <devicetwin/json/tree/find_member.hpp>

#include "../support/json.hpp"

#include <string>
#include <vector>

namespace core = json::core;
using json::size_type;

TEST_CASE("a member is found by name, whatever its length, and however it is held",
          "[find_member]") {
  rapidjson::Document d(rapidjson::kObjectType);
  std::vector<std::string> names;
  for (std::size_t length = 0; length < 40; ++length) {
    for (const char last : {'x', 'y'}) {
      if (length == 0 && last == 'y') continue;
      names.push_back(std::string(length == 0 ? 0 : length - 1, 'n') +
                      (length == 0 ? "" : std::string(1, last)));
    }
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    rapidjson::Value name;
    if (i % 3 == 0) {
      name.SetString(rapidjson::StringRef(names[i].data(), names[i].size()));
    } else {
      name.SetString(names[i].data(), static_cast<size_type>(names[i].size()), d.GetAllocator());
    }
    d.AddMember(name, static_cast<unsigned>(i), d.GetAllocator());
  }
  const json::value& object = d;
  const auto* const members = core::members_begin(object);
  const size_type count = object.MemberCount();
  for (size_type i = 0; i < count; ++i) {
    INFO(names[i]);
    const std::string_view name(names[i]);
    CHECK(core::member_index<json::value>(members, count, name) == i);
    CHECK(core::member_index<json::value>(members, count, members[i].name) == i);
    const rapidjson::Value copy(names[i].data(), static_cast<size_type>(names[i].size()),
                                d.GetAllocator());
    CHECK(core::member_index<json::value>(members, count, copy) == i);
    CHECK(core::member_index(object, name) == i);
    CHECK(core::member_index<json::value>(members, i, name) ==
          core::no_index);  // not among those before
    CHECK(core::find_member(object, name) == &members[i].value);
    CHECK(core::member_index_from<json::value>(members, i, count, name) == i);
    CHECK(core::member_index_from<json::value>(members, i + 1, count, name) == core::no_index);
  }
  for (const std::string& absent : {std::string("z"), std::string(13, 'n'), std::string(14, 'n'),
                                    std::string(100, 'n'), std::string(3, '\0')}) {
    CHECK(core::member_index<json::value>(members, count, std::string_view(absent)) ==
          core::no_index);
    CHECK(core::member_index(object, absent) == core::no_index);
    CHECK(core::find_member(object, absent) == nullptr);
  }
}

TEST_CASE("of repeated names the first member is found", "[find_member]") {
  rapidjson::Document d(rapidjson::kObjectType);
  for (int i = 0; i < 3; ++i) d.AddMember("a", i, d.GetAllocator());
  const json::value& object = d;
  CHECK(core::member_index(object, "a") == 0);
  CHECK(core::find_member(object, "a")->GetInt() == 0);
}

TEST_CASE("names with a NUL inside are told apart behind it", "[find_member]") {
  const auto d = parsed(R"({"a":0,"a\u0000":1,"a\u0000b":2})");
  const json::value& object = d;
  CHECK(core::member_index(object, "a") == 0);
  CHECK(core::member_index(object, std::string_view("a\0", 2)) == 1);
  CHECK(core::member_index(object, std::string_view("a\0b", 3)) == 2);
  CHECK(core::member_index(object, std::string_view("a\0c", 3)) == core::no_index);
}

TEST_CASE("in an object without members nothing is found", "[find_member]") {
  const rapidjson::Document d(rapidjson::kObjectType);
  const json::value& object = d;
  CHECK(core::member_index(object, "") == core::no_index);
  CHECK(core::find_member(object, "a") == nullptr);
}
