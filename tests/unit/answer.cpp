#include <devicetwin/twin/answer.hpp>

#include "../support/twin.hpp"

#include <devicetwin/twin/delta.hpp>

#include <string>
#include <tuple>

using devicetwin::answer_state;

TEST_CASE("an answer is none until it is set", "[answer]") {
  const devicetwin::answer none;
  CHECK(none.state == answer_state::none);
  CHECK(none.code == 0);
  CHECK(none.version == 0);
  CHECK(none.text.empty());
}

TEST_CASE("an acknowledgement of the desired version is accepted by 2xx alone", "[answer]") {
  using devicetwin::detail::state_of;
  for (const std::int64_t code : {200, 202, 299}) {
    INFO(code);
    CHECK(state_of(code, 3, 3, false) == answer_state::accepted);
    CHECK(state_of(code, 4, 3, false) == answer_state::accepted);
  }
  for (const std::int64_t code : {-1, 0, 199, 300, 400, 500}) {
    INFO(code);
    CHECK(state_of(code, 3, 3, true) == answer_state::refused);
  }
}

TEST_CASE("an older acknowledgement is no answer unless the value is the desired one", "[answer]") {
  using devicetwin::detail::state_of;
  for (const std::int64_t code : {200, 400}) {
    CHECK(state_of(code, 2, 3, false) == answer_state::pending);
    CHECK(state_of(code, 2, 3, true) == answer_state::accepted);
  }
}

TEST_CASE("answer_to() returns the acknowledgement's code, version and text", "[answer]") {
  for (const auto& [reported, state, code, version, text] :
       {std::tuple(R"({})", answer_state::none, 0, 0, ""),
        std::tuple(R"({"a":{"value":1,"ac":200,"av":1,"ad":"old"}})", answer_state::pending, 200, 1,
                   "old"),
        std::tuple(R"({"a":{"value":1,"ac":202,"av":2,"ad":"soon"}})", answer_state::accepted, 202,
                   2, "soon"),
        std::tuple(R"({"a":{"value":1,"ac":404,"av":2,"ad":"no"}})", answer_state::refused, 404, 2,
                   "no")}) {
    INFO(reported);
    devicetwin::twin t = twin_with(R"({"a":1})", reported);
    REQUIRE(t.service_patch(of_desired(R"({"a":2})"), noon()));
    const auto said = devicetwin::answer_to(t, "/a");
    REQUIRE(said);
    CHECK(said->state == state);
    CHECK(said->code == code);
    CHECK(said->version == version);
    CHECK(said->text == text);
  }
}
