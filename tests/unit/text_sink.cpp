#include <devicetwin/merge/text/text_sink.hpp>

#include "../support/json.hpp"

#include <string>

namespace core = devicetwin::merge::core;

TEST_CASE("a sink hands over what it was given, in pieces of any length", "[text_sink]") {
  for (const std::size_t piece : {1u, 7u, 63u, 64u, 500u, 1023u, 1024u, 1025u, 5000u}) {
    std::string out = "before", expected = out;
    core::text_sink sink(out);
    for (int i = 0; i < 30; ++i) {
      const std::string text(piece, static_cast<char>('a' + i % 26));
      sink.put(text);
      sink.put('-');
      sink.put(text.data(), text.data() + 1);
      expected += text + "-" + text[0];
    }
    REQUIRE(!sink.finish());
    sink.keep();
    INFO(piece);
    CHECK(out == expected);
  }
}

TEST_CASE("what was not kept is taken back", "[text_sink]") {
  std::string out = "before";
  {
    core::text_sink sink(out);
    sink.put(std::string(5000, 'x'));
    REQUIRE(!sink.finish());
    CHECK(out.size() == 5006);
  }
  CHECK(out == "before");
  core::text_sink sink(out);
  sink.put(std::string(5000, 'x'));
  sink.restart();
  CHECK(out == "before");
  sink.put("y");
  REQUIRE(!sink.finish());
  sink.keep();
  CHECK(out == "beforey");
}

TEST_CASE("a full output is told the size that it needs", "[text_sink]") {
  for (const std::size_t size : {10u, 5000u}) {
    std::string room(size, '?');
    devicetwin::text_buffer out(&room[0], size);
    REQUIRE(out.append("before", 6));
    {
      core::text_sink sink(out);
      for (int i = 0; i < 100; ++i) sink.put(std::string(100, 'x'));
      const json::error e = sink.finish();
      CHECK(e.code() == errc::out_of_memory);
      CHECK(e.needed() == 6 + 10000);
    }
    CHECK(out.view() == "before");
  }
}
