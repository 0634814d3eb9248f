#include <devicetwin/base/hash.hpp>

#include <cstdint>
#include <set>

#include "../catch.hpp"

using devicetwin::base::mix;
using devicetwin::base::spread;

TEST_CASE("a hash of two words tells apart what differs in one bit or in order", "[hash]") {
  std::set<std::uint64_t> first{mix(0, 0)}, second{mix(0, 0)};
  for (int bit = 0; bit < 64; ++bit) {
    first.insert(mix(std::uint64_t{1} << bit, 0));
    second.insert(mix(0, std::uint64_t{1} << bit));
  }
  CHECK(first.size() == 65);
  CHECK(second.size() == 65);
  CHECK(mix(1, 2) != mix(2, 1));
  CHECK(mix(1, 2) == mix(1, 2));
}

TEST_CASE("one bit of the input changes the low and the high bits of a hash", "[hash]") {
  // Tables take their slot from the lowest bits and their tag from the highest.
  for (int bit = 0; bit < 64; ++bit) {
    std::set<std::uint64_t> low, high;
    for (std::uint64_t word = 0; word < 64; ++word) {
      const std::uint64_t hash = mix(word << bit | word >> (64 - bit) % 64, 7);
      low.insert(hash & 0xFFF);
      high.insert(hash >> 52);
    }
    INFO(bit);
    CHECK(low.size() > 40);
    CHECK(high.size() > 40);
  }
}

TEST_CASE("thirty-two bits are spread over sixty-four without a collision", "[hash]") {
  std::set<std::uint64_t> all, high;
  for (std::uint32_t i = 0; i < 4096; ++i) {
    all.insert(spread(i));
    high.insert(spread(i) >> 52);
  }
  CHECK(all.size() == 4096);
  CHECK(high.size() > 2000);
  CHECK(spread(0xFFFFFFFFu) > 0xFFFFFFFFu);
}
