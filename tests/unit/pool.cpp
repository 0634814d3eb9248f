// Memory of fixed size that is given out and taken back.
#include <devicetwin/base/pool.hpp>

#include <cstdint>
#include <random>
#include <vector>

#include "../catch.hpp"

TEST_CASE("a pool gives out, takes back, joins, and never leaves its buffer", "[pool]") {
  std::vector<char> room(4096 + 64, 'x');
  char* start = room.data() + 19;
  devicetwin::pool pool(start, 4000);
  const devicetwin::memory_source source = pool.source();
  const std::size_t all = pool.free_bytes();
  CHECK(all <= 4000);
  CHECK(all > 3900);
  struct block {
    unsigned char* at;
    std::size_t bytes;
    unsigned char mark;
  };
  std::vector<block> blocks;
  std::mt19937 random(11);
  for (int i = 0; i < 20000; ++i) {
    if (random() % 2 == 0 || blocks.empty()) {
      const std::size_t bytes = random() % 400;
      auto* at = static_cast<unsigned char*>(source.allocate(source.context, bytes));
      if (at == nullptr) continue;
      CHECK(reinterpret_cast<std::uintptr_t>(at) % 16 == 0);
      CHECK((reinterpret_cast<char*>(at) >= start &&
             reinterpret_cast<char*>(at) + bytes <= start + 4000));
      const auto mark = static_cast<unsigned char>(i);
      for (std::size_t k = 0; k < bytes; ++k) at[k] = mark;
      blocks.push_back({at, bytes, mark});
    } else {
      const std::size_t which = random() % blocks.size();
      const block b = blocks[which];
      for (std::size_t k = 0; k < b.bytes; ++k) REQUIRE(b.at[k] == b.mark);
      source.release(source.context, b.at);
      blocks[which] = blocks.back();
      blocks.pop_back();
    }
  }
  for (const block& b : blocks) source.release(source.context, b.at);
  CHECK(pool.free_bytes() == all);
  CHECK(source.allocate(source.context, all - 16) != nullptr);
  CHECK(source.allocate(source.context, 1) == nullptr);
  CHECK(source.allocate(source.context, static_cast<std::size_t>(-1)) == nullptr);
  CHECK((room[18] == 'x' && room[19 + 4000] == 'x'));
  devicetwin::pool none(start, 20);
  CHECK(none.source().allocate(none.source().context, 1) == nullptr);
}
