// One operation of a JSON Patch, taken apart.
#include <devicetwin/merge/tree/patch_operation.hpp>

#include <string>

#include "../support/text.hpp"

using merge::core::patch_operation;
using merge::core::patch_verb;

namespace {

/// What is read of an operation, or where it is wrong.
std::string operation_text(const std::string& text) {
  const auto given = parsed(text);
  const json::value& value = given;
  patch_operation<json::value> op;
  if (const json::error e = op.read(value, 7)) {
    CHECK(e.code() == errc::not_a_json_patch);
    CHECK(e.has_operation());
    CHECK(e.operation() == 7);
    return "wrong at " + std::string(e.pointer());
  }
  const char* const names[] = {"add", "remove", "replace", "move", "copy", "test"};
  return names[static_cast<int>(op.verb)] + std::string(" ") + std::string(op.path) + " " +
         std::string(op.from) + " " + (op.value == nullptr ? "none" : written(*op.value));
}

}  // namespace

TEST_CASE("an operation has what its verb needs", "[patch_operation]") {
  CHECK(operation_text(R"({"op":"add","path":"/a","value":null})") == "add /a  null");
  CHECK(operation_text(R"({"value":[1],"path":"","op":"replace"})") == "replace   [1]");
  CHECK(operation_text(R"({"op":"test","path":"/a","value":{}})") == "test /a  {}");
  CHECK(operation_text(R"({"op":"remove","path":"/a"})") == "remove /a  none");
  CHECK(operation_text(R"({"op":"move","path":"/a","from":"/b"})") == "move /a /b none");
  CHECK(operation_text(R"({"op":"copy","path":"/a","from":"/b"})") == "copy /a /b none");
}
TEST_CASE("an operation may have members that no RFC defines", "[patch_operation]") {
  CHECK(operation_text(R"({"op":"remove","path":"/a","value":1,"from":2,"x":3})") ==
        "remove /a  none");
}
TEST_CASE("an operation without what its verb needs is refused at that member",
          "[patch_operation]") {
  for (const char* text : {"7", "null", "[]", R"("add")"})
    CHECK(operation_text(text) == "wrong at /7");
  for (const char* text : {"{}", R"({"path":"/a","value":1})", R"({"op":7,"path":"/a"})",
                           R"({"op":"Add","path":"/a","value":1})", R"({"op":"","path":"/a"})"})
    CHECK(operation_text(text) == "wrong at /7/op");
  CHECK(operation_text(R"({"op":"remove"})") == "wrong at /7/path");
  CHECK(operation_text(R"({"op":"remove","path":null})") == "wrong at /7/path");
  CHECK(operation_text(R"({"op":"move","path":"/a"})") == "wrong at /7/from");
  CHECK(operation_text(R"({"op":"copy","path":"/a","from":1})") == "wrong at /7/from");
  for (const char* verb : {"add", "replace", "test"})
    CHECK(operation_text(R"({"op":")" + std::string(verb) + R"(","path":"/a"})") ==
          "wrong at /7/value");
}
