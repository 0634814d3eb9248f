// JSON Pointers.
#include <devicetwin/json/pointer.hpp>

#include "../support/json.hpp"

TEST_CASE("find follows RFC 6901", "[pointer]") {
  const auto d = parsed(
      R"({"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8})");
  const auto at = [&](const char* pointer) { return written(**json::find(d, pointer)); };
  CHECK(at("/foo") == R"(["bar","baz"])");
  CHECK(at("/foo/0") == "\"bar\"");
  CHECK(at("/") == "0");
  CHECK(at("/a~1b") == "1");
  CHECK(at("/c%d") == "2");
  CHECK(at("/e^f") == "3");
  CHECK(at("/g|h") == "4");
  CHECK(at("/i\\j") == "5");
  CHECK(at("/k\"l") == "6");
  CHECK(at("/ ") == "7");
  CHECK(at("/m~0n") == "8");
  CHECK(*json::find(d, "") == &d);
  for (const char* pointer : {"/foo/2", "/foo/-", "/foo/00", "/foo/01", "/foo/x", "/foo/",
                              "/foo/0/x", "/nope/x", "/foo/4294967296", "/foo/99999999999"}) {
    CHECK(json::find(d, pointer).error().code() == errc::not_found);
  }
  CHECK(json::find(d, "/foo/7/8").error().pointer() == "/foo/7");
  for (const char* pointer : {"foo", "/~", "/~2", "/a~"}) {
    CHECK(json::find(d, pointer).error().code() == errc::invalid_pointer);
  }
}
