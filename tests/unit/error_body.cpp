// The bodies of refusals.
#include <devicetwin/protocol/error_body.hpp>

#include <devicetwin/json/get.hpp>
#include <devicetwin/twin/stamp.hpp>

#include <cstdint>
#include <string>

#include "../support/json.hpp"

TEST_CASE("an error body has a code, a sentence, and the details that it is given") {
  std::string out = "x";
  devicetwin::error_details details;
  const devicetwin::timestamp now = *devicetwin::parse_timestamp("2026-01-31T12:00:00Z");
  details.now = &now;
  details.tracking_id = "abc\"-1";
  const json::error why = json::error(errc::reserved_member).at(json::location());
  REQUIRE(!write_error_body(devicetwin::refusal_of(why.code()), why, out, details));
  CHECK(out ==
        "x{\"errorCode\":400004,\"trackingId\":\"abc\\\"-1\",\"message\":\"names that start with "
        "'$' are written by the service alone\","
        "\"timestampUtc\":\"2026-01-31T12:00:00Z\"}");
  out.clear();
  REQUIRE(!write_error_body(devicetwin::server_error, "", out));
  CHECK(out == R"({"errorCode":500001,"message":""})");
  CHECK(devicetwin::refusal_of(errc::ok).status == 200);

  // Every error has a status of 4xx or 5xx, and a code that starts with it; the longest body has
  // room.
  for (int i = 1; i <= static_cast<int>(errc::handler_stopped); ++i) {
    const auto code = static_cast<errc>(i);
    for (const auto whose : {devicetwin::twin_of::device, devicetwin::twin_of::module}) {
      const devicetwin::refusal r = devicetwin::refusal_of(code, whose);
      CHECK(r.status >= 400);
      CHECK(r.code / 1000 == r.status);
    }
    for (const char c : {'x', '\n', '"', '\x7F'}) {
      const std::string name(400, c);
      const json::step step = json::step::member(name);
      const json::error worst = json::error(code)
                                    .limited_to(UINT64_MAX, UINT64_MAX)
                                    .of_text(1)
                                    .at(json::location(&step, 1));
      std::string text(3000, '\n');
      char room[devicetwin::max_error_body];
      devicetwin::text_buffer body(room, sizeof room);
      REQUIRE(!write_error_body(devicetwin::refusal_of(code),
                                json::error(worst).in_text(text, 2900), body, {{}, &now}));
      const auto read = parsed(body.view());
      CHECK(*json::get<std::int64_t>(read, "/errorCode") == devicetwin::refusal_of(code).code);
      CHECK(json::get<std::string_view>(read, "/message"));
    }
  }
  // Into too small a buffer: nothing.
  char small[40];
  devicetwin::text_buffer none(small, sizeof small);
  CHECK(
      write_error_body(devicetwin::throttled, "this does not fit into forty bytes", none).code() ==
      errc::out_of_memory);
  CHECK(none.size() == 0);
}

TEST_CASE("what a digital twin refuses is an invalid argument", "[error_body]") {
  for (const errc code : {errc::not_a_json_patch, errc::unsupported_operation, errc::not_conformant,
                          errc::null_forbidden, errc::array_forbidden, errc::forbidden_name,
                          errc::name_too_long, errc::reserved_member, errc::depth_exceeded}) {
    INFO(json::describe(code));
    CHECK(devicetwin::refusal_of(code).status == 400);
    CHECK(devicetwin::refusal_of(code).code == 400004);
  }
}
