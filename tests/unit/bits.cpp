// Words of eight bytes, and short runs of bytes, against loops.
#include <devicetwin/base/bits.hpp>

#include <cstdint>
#include <random>
#include <string>

#include "../catch.hpp"

namespace base = devicetwin::base;

TEST_CASE("the lowest and the highest bit of a word are found", "[bits]") {
  for (int low = 0; low < 64; ++low) {
    for (int high = low; high < 64; ++high) {
      const std::uint64_t bits = std::uint64_t{1} << low | std::uint64_t{1} << high;
      CHECK(base::lowest_bit(bits) == low);
      CHECK(base::highest_bit(bits) == high);
    }
  }
}

TEST_CASE("a byte is found in a word of eight, whatever stands beside it", "[bits]") {
  std::mt19937 random(1);
  for (int i = 0; i < 5000; ++i) {
    char bytes[8];
    for (char& c : bytes)
      c = static_cast<char>(random() % 3 == 0 ? random() % 256 : 0x7F + random() % 3);
    const char wanted = bytes[random() % 8];
    const char other = static_cast<char>(random() % 256);
    const bool has_other = std::string(bytes, 8).find(other) != std::string::npos;
    CHECK(base::any_byte(base::load_8(bytes), wanted));
    CHECK(base::any_byte(base::load_8(bytes), other) == has_other);
  }
}

TEST_CASE("the first byte of a word is its lowest", "[bits]") {
  CHECK(base::first_lowest("\x01\x02\x03\x04\x05\x06\x07\x08") == 0x0807060504030201u);
}

TEST_CASE("bytes of every length are compared and copied, to the last and not beyond", "[bits]") {
  std::mt19937 random(2);
  for (std::size_t length = 0; length < 200; ++length) {
    std::string a(length + 1, 'x');
    for (char& c : a) c = static_cast<char>(random());
    std::string b = a;
    b[length] = static_cast<char>(~a[length]);  // behind the end, and irrelevant
    CHECK(base::same_bytes(a.data(), b.data(), length));
    for (std::size_t i = 0; i < length; ++i) {
      b[i] = static_cast<char>(b[i] ^ 1);
      CHECK(!base::same_bytes(a.data(), b.data(), length));
      b[i] = a[i];
    }
    std::string copy(length + 2, '#');
    base::copy_bytes(&copy[1], a.data(), length);
    CHECK(copy == "#" + a.substr(0, length) + "#");
  }
}
