// Errors: their sentences, pointers and groups.
#include <string>

#include "../support/reference.hpp"
#include "../support/text.hpp"

using json::error_group;

TEST_CASE("error's message is one sentence with the pointer", "[error]") {
  CHECK(json::error().message() == "no error");
  CHECK(!json::error());
  const json::step steps[] = {json::step::member("a/b~c"), json::step::element(12),
                              json::step::member("x\n\x1B")};
  const json::error e = json::error(errc::not_found).at(json::location(steps, 3));
  CHECK(e.pointer() == "/a~1b~0c/12/x\n\x1B");
  CHECK(e.message() == "there is no such value, at /a~1b~0c/12/x\\u000a\\u001b");
  CHECK(json::error(errc::depth_exceeded).limited_to(64).message() ==
        "nested too deeply (the limit is 64)");
  char small[8];
  CHECK(e.message(small, sizeof small) == e.message().size());
  CHECK(std::string(small, 8) == "there is");
}

TEST_CASE("error shortens a long pointer in the middle, at whole characters", "[error]") {
  for (std::size_t length = 100; length < 400; ++length) {
    std::string name;
    while (name.size() < length) name += "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80x";
    const json::step steps[] = {json::step::member("head"), json::step::member(name),
                                json::step::member("tail")};
    const json::error e = json::error(errc::not_found).at(json::location(steps, 3));
    const std::string pointer(e.pointer());
    CHECK(pointer.size() <= json::error::pointer_capacity);
    CHECK(pointer.substr(0, 6) == "/head/");
    CHECK(pointer.substr(pointer.size() - 5) == "/tail");
    CHECK(e.pointer_is_whole() == (11 + name.size() <= json::error::pointer_capacity));
    CHECK(e.pointer_is_whole() == (pointer.find("...") == std::string::npos));
    CHECK(reference::parser::parse("\"" + pointer + "\"").has_value());  // still UTF-8
  }
}

TEST_CASE("every code has a group and a sentence of its own", "[error]") {
  std::string told;
  for (int code = 0; code <= static_cast<int>(errc::handler_stopped); ++code) {
    const auto c = static_cast<errc>(code);
    INFO(describe(c));
    CHECK((group_of(c) == error_group::none) == (c == errc::ok));
    const std::string sentence = std::string(describe(c)) + "\n";
    CHECK(told.find("\n" + sentence) == std::string::npos);
    CHECK(sentence != "unknown error\n");
    told += "\n" + sentence;
  }
}

TEST_CASE("a group says what kind of failure it is", "[error]") {
  CHECK(json::error().group() == error_group::none);
  CHECK(json::error(errc::duplicate_name).group() == error_group::syntax);
  CHECK(json::error(errc::not_a_twin).group() == error_group::syntax);
  CHECK(json::error(errc::integer_overflow).group() == error_group::rule);
  CHECK(json::error(errc::section_too_large).group() == error_group::rule);
  CHECK(json::error(errc::reserved_member).group() == error_group::rights);
  CHECK(json::error(errc::precondition_failed).group() == error_group::state);
  CHECK(json::error(errc::out_of_memory).group() == error_group::resource);
  CHECK(json::error(errc::damaged).group() == error_group::resource);
}

TEST_CASE("an error converts to true, and failed() says the same", "[error]") {
  CHECK_FALSE(json::error().failed());
  CHECK_FALSE(static_cast<bool>(json::error()));
  CHECK(json::error(errc::not_found).failed());
  CHECK(static_cast<bool>(json::error(errc::not_found)));
}

TEST_CASE("a result has a value or an error", "[error]") {
  const json::result<int> seven = 7, none = errc::not_found;
  CHECK(seven.has_value());
  CHECK(static_cast<bool>(seven));
  CHECK(*seven == 7);
  CHECK(seven.value_or(1) == 7);
  CHECK_FALSE(none.has_value());
  CHECK_FALSE(static_cast<bool>(none));
  CHECK(none.value_or(1) == 1);
  CHECK(none.error().code() == errc::not_found);
  const json::result<bool> no = false, unknown = errc::wrong_type;
  CHECK(no.has_value());
  CHECK_FALSE(no.value_or(true));
  CHECK_FALSE(unknown.has_value());
  CHECK(unknown.value_or(true));
}
