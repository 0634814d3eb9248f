// The working memory of every walk: what std::vector does, with room inside itself.
#include <devicetwin/base/pool.hpp>
#include <devicetwin/base/stack.hpp>

#include <random>
#include <vector>

#include "../catch.hpp"

namespace {

struct element {
  int number;
  char letter;
};
using stack = devicetwin::base::stack<element, 8>;

}  // namespace

TEST_CASE("a stack does what a vector does", "[stack]") {
  std::mt19937 random(1);
  for (int round = 0; round < 50; ++round) {
    stack s{devicetwin::memory_source()};
    std::vector<element> expected;
    for (int i = 0; i < 300; ++i) {
      const element e{i, static_cast<char>('a' + i % 26)};
      const element several[] = {e, {i + 1, 'x'}, {i + 2, 'y'}};
      switch (random() % 8) {
        case 0:
          REQUIRE(s.push(e));
          expected.push_back(e);
          break;
        case 1:
          REQUIRE(s.emplace(i, 'e'));
          expected.push_back({i, 'e'});
          break;
        case 2: {
          element* const added = s.add();
          REQUIRE(added != nullptr);
          *added = e;
          expected.push_back(e);
          break;
        }
        case 3:
          REQUIRE(s.append(several, 3));
          expected.insert(expected.end(), several, several + 3);
          break;
        case 4:
          REQUIRE(s.extend(2));
          s[s.size() - 2] = s.back() = e;
          expected.insert(expected.end(), 2, e);
          break;
        case 5:
          REQUIRE(s.reserve(random() % 100));
          break;
        case 6:
          if (s.empty()) break;
          s.pop();
          expected.pop_back();
          break;
        default:
          if (s.size() < 20) break;
          s.truncate(s.size() - 15);
          expected.resize(expected.size() - 15);
          break;
      }
      REQUIRE(s.size() == expected.size());
      REQUIRE(s.capacity() >= s.size());
    }
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CHECK(s[i].number == expected[i].number);
      CHECK(s.data()[i].letter == expected[i].letter);
    }
  }
}

TEST_CASE("the first elements of a stack need no memory", "[stack]") {
  stack s(devicetwin::memory_source::none());
  CHECK(s.empty());
  const std::size_t inside = s.capacity();
  CHECK(inside == devicetwin::base::room(8));
  for (std::size_t i = 0; i < inside; ++i) REQUIRE(s.push({static_cast<int>(i), 'x'}));
  CHECK(!s.push({0, 'y'}));
  CHECK(!s.emplace(0, 'y'));
  CHECK(s.add() == nullptr);
  CHECK(!s.extend(1));
  CHECK(!s.reserve(inside + 1));
  const element one{0, 'y'};
  CHECK(!s.append(&one, 1));
  CHECK(s.append(nullptr, 0));
  CHECK(s.size() == inside);
  CHECK(s.back().number == static_cast<int>(inside) - 1);
}

TEST_CASE("a stack gives its memory back, and refuses sizes that no memory has", "[stack]") {
  char room[4096];
  const devicetwin::pool pool(room, sizeof room);
  const std::size_t before = pool.free_bytes();
  {
    stack s(pool.source());
    while (s.push({1, 'x'})) {
    }
    CHECK(s.size() > 100);
    CHECK(s.back().letter == 'x');
    CHECK(!s.extend(static_cast<std::size_t>(-1) - s.size()));
    CHECK(!s.reserve(static_cast<std::size_t>(-1) / 2));
  }
  CHECK(pool.free_bytes() == before);
}
