// Texts that are written piece by piece.
#include <devicetwin/base/pool.hpp>
#include <devicetwin/base/text_buffer.hpp>

#include <string>

#include "../catch.hpp"

TEST_CASE("text_buffer appends a piece of itself", "[text_buffer]") {
  devicetwin::text_buffer out;
  REQUIRE(out.append("abc", 3));
  for (int i = 0; i < 12; ++i) REQUIRE(out.append(out.data(), out.size()));
  REQUIRE(out.size() == 3 * 4096);
  for (std::size_t i = 0; i < out.size(); ++i) CHECK(out.data()[i] == "abc"[i % 3]);
  devicetwin::text_buffer moved = static_cast<devicetwin::text_buffer&&>(out);
  CHECK(out.size() == 0);
  CHECK(moved.size() == 3 * 4096);
  moved.resize(5);
  moved.resize(7);
  CHECK(moved.view() == "abcab");
}

TEST_CASE("a text in a caller's buffer says when it is full, and stays as it was",
          "[text_buffer]") {
  char buffer[5];
  devicetwin::text_buffer out(buffer, sizeof buffer);
  REQUIRE(out.append("abc", 3));
  CHECK(!out.append("def", 3));
  CHECK(out.view() == "abc");
  REQUIRE(out.append("de", 2));
  CHECK(out.view() == "abcde");
  CHECK(!out.append("f", 1));
  CHECK(out.append("", 0));
}

TEST_CASE("a text that finds no memory stays as it was", "[text_buffer]") {
  char room[1024];
  const devicetwin::pool pool(room, sizeof room);
  devicetwin::text_buffer out(pool.source());
  REQUIRE(out.append(std::string(200, 'x').data(), 200));
  CHECK(!out.append(std::string(2000, 'y').data(), 2000));
  CHECK(out.view() == std::string(200, 'x'));
  volatile std::size_t most = static_cast<std::size_t>(-1);  // no constant: compilers warn of it
  CHECK(!out.append("", most));
  devicetwin::text_buffer none(devicetwin::memory_source::none());
  CHECK(!none.append("x", 1));
  CHECK(none.append("", 0));
  CHECK(none.view().empty());
}

TEST_CASE("a text can be swapped and assigned, in its own memory or a caller's", "[text_buffer]") {
  char buffer[8];
  devicetwin::text_buffer fixed(buffer, sizeof buffer), grown;
  REQUIRE((fixed.append("fixed", 5) && grown.append("a text that grows", 17)));
  fixed.swap(grown);
  CHECK(fixed.view() == "a text that grows");
  CHECK(grown.view() == "fixed");
  CHECK(grown.data() == buffer);
  grown = static_cast<devicetwin::text_buffer&&>(fixed);
  CHECK(grown.view() == "a text that grows");
  CHECK(fixed.view().empty());
}

TEST_CASE("an output is anything with append, size and resize", "[text_buffer]") {
  struct no_resize {
    void append(const char*, std::size_t) {}
    std::size_t size() const { return 0; }
  };
  STATIC_REQUIRE(devicetwin::base::is_output<devicetwin::text_buffer>);
  STATIC_REQUIRE(devicetwin::base::is_output<std::string>);
  STATIC_REQUIRE(devicetwin::base::is_output<devicetwin::base::byte_counter>);
  STATIC_REQUIRE(!devicetwin::base::is_output<no_resize>);
  STATIC_REQUIRE(!devicetwin::base::is_output<int>);
  devicetwin::base::byte_counter counter;
  CHECK((counter.append("abc", 3) && counter.append("de", 2)));
  CHECK(counter.size() == 5);
  counter.resize(1);
  CHECK(counter.size() == 1);
}
