#include <devicetwin/base/memory.hpp>

#include <cstdint>
#include <cstring>

#include "../catch.hpp"

using devicetwin::memory_source;

TEST_CASE("memory is the C library's unless told otherwise, aligned for any scalar", "[memory]") {
  const memory_source source;
  CHECK(source.context == nullptr);
  for (const std::size_t bytes : {1u, 7u, 64u, 100000u}) {
    void* const block = source.allocate(source.context, bytes);
    REQUIRE(block != nullptr);
    CHECK(reinterpret_cast<std::uintptr_t>(block) % alignof(std::max_align_t) == 0);
    std::memset(block, 0xA5, bytes);
    CHECK(static_cast<unsigned char*>(block)[bytes - 1] == 0xA5);
    source.release(source.context, block);
  }
}

TEST_CASE("a source that has nothing gives nothing", "[memory]") {
  const memory_source nothing = memory_source::none();
  for (const std::size_t bytes : {0u, 1u, 1000u})
    CHECK(nothing.allocate(nothing.context, bytes) == nullptr);
}

TEST_CASE("copies of a source have its functions and its context", "[memory]") {
  struct counter {
    int asked = 0, released = 0;
  } counts;
  char block = 'b';
  struct pair {
    counter* counts;
    char* block;
  } context{&counts, &block};
  const memory_source source{[](void* to, std::size_t) -> void* {
                               ++static_cast<pair*>(to)->counts->asked;
                               return static_cast<pair*>(to)->block;
                             },
                             [](void* to, void* given) {
                               auto& p = *static_cast<pair*>(to);
                               if (given == p.block) ++p.counts->released;
                             },
                             &context};
  const memory_source copy = source;
  void* const got = copy.allocate(copy.context, 1);
  CHECK(got == &block);
  source.release(source.context, got);
  CHECK(counts.asked == 1);
  CHECK(counts.released == 1);
}
