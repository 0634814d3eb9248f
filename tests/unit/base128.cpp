// Numbers in groups of seven bits.
#include <devicetwin/base/base128.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include "../catch.hpp"

namespace base = devicetwin::base;

namespace {

std::string written(std::uint64_t n) {
  char bytes[base::max_base128];
  return {bytes, base::write_base128(bytes, n)};
}

}  // namespace

TEST_CASE("a number has a byte for each seven bits, the lowest first", "[base128]") {
  CHECK(written(0) == std::string(1, '\0'));
  CHECK(written(127) == "\x7F");
  CHECK(written(128) == "\x80\x01");
  CHECK(written(150) == "\x96\x01");  // the example in Protocol Buffers' encoding guide
  CHECK(written(UINT64_MAX) == "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01");
}
TEST_CASE("every number of one bit, and those beside it, is read back", "[base128]") {
  for (unsigned bit = 0; bit < 64; ++bit) {
    const std::uint64_t middle = std::uint64_t{1} << bit;
    for (const std::uint64_t n : {middle - 1, middle, middle + 1}) {
      const std::string bytes = written(n) + "rest";
      std::string_view left = bytes;
      std::uint64_t read = n + 1;
      REQUIRE(base::read_base128(left, read));
      CHECK(read == n);
      CHECK(left == "rest");
    }
  }
}
TEST_CASE("a number that is torn or too long is refused", "[base128]") {
  for (const std::string& bytes :
       {std::string(), std::string("\x80"), written(UINT64_MAX).substr(0, 9),
        std::string(10, '\xFF') + "\x01"}) {
    std::string_view left = bytes;
    std::uint64_t n = 0;
    CHECK_FALSE(base::read_base128(left, n));
  }
}
