// What all stored bytes have in common.
#include <devicetwin/json/stored_form.hpp>

#include <cstdint>
#include <string>

#include "../catch.hpp"

namespace core = devicetwin::json::core;
using devicetwin::json::errc;

namespace {

std::string form_of(const std::string& content, unsigned char format = 2) {
  std::string bytes = "kept";
  REQUIRE(!core::write_stored_form("MARK", format, bytes, [&](auto& to) { to.bytes(content); }));
  REQUIRE(bytes.substr(0, 4) == "kept");
  return bytes.substr(4);
}
errc read(const std::string& bytes, std::string& content) {
  std::string_view found;
  const errc code = core::read_stored_form(bytes, "MARK", 2, found);
  if (code == errc::ok) content = found;
  return code;
}

}  // namespace

TEST_CASE("crc32 has the standard's check value", "[stored_form]") {
  CHECK(devicetwin::json::core::crc32("123456789") == 0xCBF43926u);
}

TEST_CASE("a stored form comes back, also one of an earlier format", "[stored_form]") {
  for (const std::string& content : {std::string(), std::string("x"), std::string(1000, '\0')}) {
    for (const unsigned char format : {std::uint8_t{1}, std::uint8_t{2}}) {
      std::string back = "none";
      CHECK(read(form_of(content, format), back) == errc::ok);
      CHECK(back == content);
    }
  }
}

TEST_CASE("a stored form that is torn, changed or of a later format is told", "[stored_form]") {
  const std::string bytes = form_of("some content");
  std::string content;
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK(read(bytes.substr(0, size), content) == errc::damaged);
  CHECK(read(bytes + "x", content) == errc::damaged);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x40);
    const bool is_format = i == 4, is_reserved = i > 4 && i < 8;
    CHECK(read(changed, content) == (is_format     ? errc::newer_format
                                     : is_reserved ? errc::ok
                                                   : errc::damaged));
  }
  CHECK(read(form_of("x", 3), content) == errc::newer_format);
  CHECK(read(form_of("x", 0), content) == errc::damaged);
}

TEST_CASE("numbers and texts of a stored form come back, and never reach beyond its end",
          "[stored_form]") {
  std::string bytes;
  core::stored_writer<std::string> writer(bytes);
  const std::uint64_t numbers[] = {0, 1, 127, 128, 16383, 16384, UINT32_MAX, UINT64_MAX};
  for (const std::uint64_t n : numbers) writer.number(n);
  writer.text("a text");
  writer.text("");
  CHECK(writer.good());
  core::stored_reader reader(bytes);
  std::uint64_t n = 0;
  std::string_view text;
  for (const std::uint64_t expected : numbers) CHECK((reader.number(n) && n == expected));
  CHECK((reader.text(text) && text == "a text"));
  CHECK((reader.text(text) && text.empty()));
  CHECK(reader.done());
  CHECK(!reader.number(n));
  core::stored_reader longer("\x07six ch");  // says seven, has six
  CHECK(!longer.text(text));
  core::stored_reader endless("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01");
  CHECK(!endless.number(n));
  core::stored_reader torn("\x80");
  CHECK(!torn.number(n));
}

TEST_CASE("a stored form that does not fit leaves the output, and says what it needs",
          "[stored_form]") {
  struct bounded {
    std::string text;
    bool append(const char* bytes, std::size_t count) {
      if (text.size() + count > 20) return false;
      text.append(bytes, count);
      return true;
    }
    std::size_t size() const { return text.size(); }
    void resize(std::size_t size) { text.resize(size); }
  } out;
  REQUIRE(out.append("ab", 2));
  const auto e =
      core::write_stored_form("MARK", 1, out, [](auto& to) { to.bytes("some content"); });
  CHECK(e.code() == errc::out_of_memory);
  CHECK(e.needed() == 2 + 16 + 12);
  CHECK(out.text == "ab");
}
