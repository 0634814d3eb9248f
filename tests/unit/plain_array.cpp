// The storage of what lives long: what std::vector does, with room that is reserved first.
#include <devicetwin/base/plain_array.hpp>
#include <devicetwin/base/pool.hpp>

#include <random>
#include <vector>

#include "../catch.hpp"

using array = devicetwin::base::plain_array<int>;

TEST_CASE("a plain_array does what a vector does", "[plain_array]") {
  std::mt19937 random(1);
  array a;
  std::vector<int> expected;
  for (int i = 0; i < 5000; ++i) {
    const int several[] = {i, i + 1, i + 2};
    switch (random() % 6) {
      case 0:
        REQUIRE(a.reserve(1));
        a.push(i);
        expected.push_back(i);
        break;
      case 1:
        REQUIRE(a.reserve(3));
        a.append(several, 3);
        expected.insert(expected.end(), several, several + 3);
        break;
      case 2:
        REQUIRE(a.reserve(1));
        a.extend(1);
        a[a.size() - 1] = -i;
        expected.push_back(-i);
        break;
      case 3: {
        if (expected.size() < 4) break;
        const std::size_t at = random() % (expected.size() - 3), count = random() % 4;
        a.erase(at, count);
        const auto first = expected.begin() + static_cast<std::ptrdiff_t>(at);
        expected.erase(first, first + static_cast<std::ptrdiff_t>(count));
        break;
      }
      case 4: {
        array moved(static_cast<array&&>(a));
        CHECK(a.empty());
        a = static_cast<array&&>(moved);
        break;
      }
      default:
        if (expected.size() < 50) break;
        a.truncate(a.size() - 40);
        expected.resize(expected.size() - 40);
        break;
    }
    REQUIRE(a.size() == expected.size());
    REQUIRE(a.empty() == expected.empty());
  }
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(a.data()[i] == expected[i]);
}

TEST_CASE("a plain_array has exactly the room that is asked for, or a quarter more",
          "[plain_array]") {
  array a;
  CHECK(a.capacity() == 0);
  REQUIRE(a.reserve_exactly(10));
  CHECK(a.capacity() == 10);
  REQUIRE(a.reserve_exactly(5));
  CHECK(a.capacity() == 10);
  a.extend(10);
  REQUIRE(a.reserve(90));
  CHECK(a.capacity() == 129);
}

TEST_CASE("a plain_array that finds no memory stays as it was, and gives all back",
          "[plain_array]") {
  char room[2048];
  const devicetwin::pool pool(room, sizeof room);
  const std::size_t before = pool.free_bytes();
  {
    array a(pool.source());
    REQUIRE(a.reserve(100));
    a.push(7);
    CHECK(!a.reserve(1000));
    CHECK(!a.reserve(static_cast<std::size_t>(-1)));
    CHECK(!a.reserve_exactly(static_cast<std::size_t>(-1)));
    CHECK(a.size() == 1);
    CHECK(a[0] == 7);
    array other;
    other.swap(a);
    CHECK(other[0] == 7);
    CHECK(a.capacity() == 0);
  }
  CHECK(pool.free_bytes() == before);
}
