// Refusals over HTTP: what Microsoft's service clients read of them.
#include "../../examples/mosquitto_hub/http_error.hpp"

#include <devicetwin/json/get.hpp>
#include <devicetwin/json/read.hpp>

#include <string>

#include "../catch.hpp"

namespace {

const devicetwin::timestamp now = *devicetwin::parse_timestamp("2026-11-28T15:04:05.25Z");

hub::http_call refused(unsigned status, unsigned code, std::string_view why) {
  hub::http_call call;
  call.etag = "old";
  hub::write_http_error(call, {status, code}, why, now);
  return call;
}

std::string member(const std::string& body, const char* pointer) {
  devicetwin::json::document document;
  REQUIRE_FALSE(devicetwin::json::read(body, document));
  const auto text = devicetwin::json::get<std::string_view>(document, pointer);
  REQUIRE(text);
  return std::string(*text);
}

}  // namespace

TEST_CASE("a refusal has the error's name in its header and its body", "[http_error]") {
  const hub::http_call call = refused(404, 404001, "there is no such device");
  CHECK(call.status == 404);
  CHECK(call.error_code == "DeviceNotFound");
  CHECK(call.etag.empty());
  CHECK(member(call.reply, "/Message") == "ErrorCode:DeviceNotFound;there is no such device");
  const std::string tracking = member(call.reply, "/ExceptionMessage");
  CHECK(tracking.substr(0, 12) == "Tracking ID:");
  CHECK(tracking.substr(tracking.find("-G:")) == "-G:0-TimeStamp:11/28/2026 15:04:05");
}

TEST_CASE("two refusals at one time have different tracking ids", "[http_error]") {
  CHECK(member(refused(404, 404001, "x").reply, "/ExceptionMessage") !=
        member(refused(404, 404001, "x").reply, "/ExceptionMessage"));
}

TEST_CASE("a code without a name of its own has the name of its status", "[http_error]") {
  CHECK(hub::error_name({405, 405001}) == "GenericMethodNotAllowed");
  CHECK(hub::error_name({501, 501000}) == "NotImplemented");
  CHECK(hub::error_name({431, 431000}) == "GenericBadRequest");
  CHECK(hub::error_name({403, 403100}) == "GenericForbidden");
  CHECK(hub::error_name({507, 507000}) == "ServerError");
  CHECK(hub::error_name({412, 412001}) == "PreconditionFailed");
}

TEST_CASE("a sentence cannot end the message early or break the body", "[http_error]") {
  CHECK(member(refused(400, 400004, "bad name at /a;b\"\\\n").reply, "/Message") ==
        "ErrorCode:ArgumentInvalid;bad name at /a,b\"\\\n");
  CHECK(member(refused(400, 400004, "not UTF-8: \xff").reply, "/Message") ==
        "ErrorCode:ArgumentInvalid;ArgumentInvalid");
}

TEST_CASE("an error of the library is told with its place", "[http_error]") {
  devicetwin::json::document document;
  const devicetwin::json::error why = devicetwin::json::read("{\n\"a\":x}", document);
  REQUIRE(why);
  hub::http_call call;
  hub::write_http_error(call, {400, 400006}, why, now);
  const std::string message = member(call.reply, "/Message");
  CHECK(message.substr(0, 28) == "ErrorCode:IotHubFormatError;");
  CHECK(message.find(", line 2, column 5") != std::string::npos);
}
