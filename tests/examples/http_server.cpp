// Who has to go when the HTTP server is full, and the way of requests to the broker's thread.
#include "../../examples/mosquitto_hub/http_server.hpp"

#include <memory>
#include <string>
#include <vector>

#include "../catch.hpp"

namespace {

using hub::http_peer;
using phase = http_peer::phase;

struct peer final : http_peer {
  explicit peer(hub::http_peers& in) : list(in) { list.add(*this); }
  void drop() override {
    dropped = true;
    list.remove(*this);
  }
  hub::http_peers& list;
  bool dropped = false;
};

/// A full list; the peer with the number n came n seconds after the first.
struct full_list {
  full_list() {
    for (std::size_t i = 0; i < hub::max_http_connections; ++i) {
      all.push_back(std::make_unique<peer>(list));
      all.back()->since += std::chrono::seconds(i);
      all.back()->now = phase::reading;
    }
  }
  std::vector<std::size_t> dropped() const {
    std::vector<std::size_t> numbers;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i]->dropped) numbers.push_back(i);
    }
    return numbers;
  }
  hub::http_peers list;
  std::vector<std::unique_ptr<peer>> all;
};

using numbers = std::vector<std::size_t>;

}  // namespace

TEST_CASE("nobody has to go while there is room", "[http_server]") {
  full_list f;
  f.all[7]->drop();
  CHECK(f.list.make_room());
  CHECK(f.dropped() == numbers{7});
}

TEST_CASE("the oldest stranger goes first, whatever phase it is in", "[http_server]") {
  for (const phase of :
       {phase::handshake, phase::idle, phase::reading, phase::writing, phase::closing}) {
    full_list f;
    f.all[0]->authenticated = true;
    f.all[1]->now = of;
    REQUIRE(f.list.make_room());
    CHECK(f.dropped() == numbers{1});
    CHECK(f.list.size() == hub::max_http_connections - 1);
  }
}

TEST_CASE("clients that were let in go when there is no stranger, the oldest first",
          "[http_server]") {
  full_list f;
  for (const auto& p : f.all) p->authenticated = true;
  f.all[0]->now = phase::waiting;
  REQUIRE(f.list.make_room());
  CHECK(f.dropped() == numbers{1});
}

TEST_CASE("a connection whose request the hub has in hand never goes", "[http_server]") {
  full_list f;
  for (const auto& p : f.all) p->now = phase::waiting;
  CHECK_FALSE(f.list.make_room());
  CHECK(f.dropped().empty());
}

TEST_CASE("bodies have a bound together, and those that are not complete make room",
          "[http_server]") {
  full_list f;
  const std::size_t each = hub::max_http_bodies / 100;
  for (std::size_t i = 0; i < 100; ++i) CHECK(f.list.count_body(*f.all[i], each));
  CHECK(f.dropped().empty());
  f.all[0]->now = f.all[1]->now = phase::waiting;
  CHECK(f.list.count_body(*f.all[200], each));
  CHECK(f.dropped() == numbers{2});
  // A body that was answered gives its room back.
  CHECK(f.list.count_body(*f.all[3], 0));
  CHECK(f.list.count_body(*f.all[201], each));
  CHECK(f.dropped() == numbers{2});
  // When all others wait for the hub, the new one has to.
  for (const auto& p : f.all) p->now = phase::waiting;
  CHECK_FALSE(f.list.count_body(*f.all[202], each));
  CHECK(f.dropped() == numbers{2});
}

TEST_CASE("requests are taken once, in their order, or withdrawn", "[http_server]") {
  hub::http_queue queue;
  queue.start();
  CHECK_FALSE(queue.wake());
  const auto first = std::make_shared<hub::http_call>(),
             second = std::make_shared<hub::http_call>(),
             third = std::make_shared<hub::http_call>();
  for (const auto& call : {first, second, third}) queue.put(call);
  CHECK(queue.wake());  // the signal does nothing else
  CHECK(queue.withdraw(second.get()));
  CHECK_FALSE(queue.withdraw(second.get()));
  CHECK(queue.take() == std::vector{first, third});
  CHECK_FALSE(queue.withdraw(first.get()));
  CHECK(queue.take().empty());
  CHECK_FALSE(queue.wake());
}
