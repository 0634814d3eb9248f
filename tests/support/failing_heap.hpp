// Every allocation failing in turn.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <string>

#include "text.hpp"

/// A heap that refuses the n-th request and counts what is out.
struct failing_heap {
  std::size_t requests = 0;
  std::size_t refused_request = 0;  // 0: none
  std::size_t out = 0;
  devicetwin::memory_source source() {
    return {[](void* context, std::size_t bytes) -> void* {
              auto& heap = *static_cast<failing_heap*>(context);
              if (++heap.requests == heap.refused_request) return nullptr;
              ++heap.out;
              return std::malloc(bytes);
            },
            [](void* context, void* block) {
              --static_cast<failing_heap*>(context)->out;
              std::free(block);
            },
            this};
  }
};

/// Runs `act(source)` with the 1st, 2nd, ... request refused until it makes so few that none is.
/// Calls `check(error, refused)` after each run.
template <class Act, class Check>
void refuse_each_request(Act&& act, Check&& check) {
  for (std::size_t n = 1;; ++n) {
    REQUIRE(n < 10000);
    failing_heap heap;
    heap.refused_request = n;
    const json::error e = act(heap.source());
    CHECK(heap.out == 0);
    const bool refused = heap.requests >= n;
    if (e) CHECK((refused && e.code() == errc::out_of_memory));
    check(e, refused);
    if (!refused) return;
  }
}

/// Runs `act(source)` with each request refused in turn: it must fail. Calls `check()` after each
/// failure.
template <class Act, class Check>
void with_every_failure(Act&& act, Check&& check) {
  refuse_each_request(act, [&](const json::error& e, bool refused) {
    CHECK(e.failed() == refused);
    if (e) check();
  });
}

/// The same for an act that can do without some of the memory that it asks for: it may succeed when
/// a request is refused. It must fail at least once.
template <class Act>
void with_every_refusal(Act&& act) {
  int failures = 0;
  refuse_each_request(act, [&](const json::error& e, bool) { failures += e ? 1 : 0; });
  CHECK(failures > 0);
}

/// Runs `act(document, source)` on a document of this text with the 1st, 2nd, ... request during
/// the call refused until it succeeds. After each failure the document is what it was.
template <class Act>
void document_survives(const std::string& text, Act&& act) {
  for (std::size_t n = 1;; ++n) {
    REQUIRE(n < 10000);
    failing_heap heap;
    bool done = false;
    {
      json::document d(heap.source());
      REQUIRE(!json::read(text, d));
      const std::size_t size = d.size_in_bytes();
      heap.refused_request = heap.requests + n;
      const json::error e = act(d, heap.source());
      done = heap.requests < heap.refused_request;
      heap.refused_request = 0;
      if (e) {
        CHECK(e.code() == errc::out_of_memory);
        CHECK(written(d) == written(parsed(text)));
        CHECK(d.size_in_bytes() == size);
      }
      if (done) CHECK(!e);
    }
    CHECK(heap.out == 0);
    if (done) break;
  }
}
