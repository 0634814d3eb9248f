// A store behind a mutex: it keeps the promises of stores, loses no write, and calls the store only
// while it holds the mutex. tests/contract/threads.cpp has the threads.
#include <devicetwin/twin/synchronized_store.hpp>

#include <memory>
#include <string>

#include "../support/failing_heap.hpp"
#include "../support/memory_table.hpp"
#include "../support/store_contract.hpp"
#include "../support/twin.hpp"

using devicetwin::memory_store;
using devicetwin::outcome;
using devicetwin::twin_cache;
using devicetwin::twin_id;

namespace {

/// A mutex for one thread, which sees how it is used.
struct watched_mutex {
  bool held = false;
  std::size_t locked = 0;
  void lock() {
    REQUIRE(!held);
    held = true;
    ++locked;
  }
  void unlock() {
    REQUIRE(held);
    held = false;
  }
};

/// A store that may be called only while its mutex is held.
template <class Store>
struct guarded_store {
  using twin_type = devicetwin::twin;
  Store& store;
  watched_mutex& mutex;

  json::result<devicetwin::twin*> find(const twin_id& id) {
    CHECK(mutex.held);
    return store.find(id);
  }
  json::error commit(const twin_id& id) {
    CHECK(mutex.held);
    return store.commit(id);
  }
  json::error create(const devicetwin::new_identity& who, devicetwin::timestamp now,
                     outcome& done) {
    CHECK(mutex.held);
    return store.create(who, now, done);
  }
  json::error remove(const twin_id& id) {
    CHECK(mutex.held);
    return store.remove(id);
  }
};

template <class Store>
using synchronized = devicetwin::synchronized_store<guarded_store<Store>, watched_mutex>;

/// A store in memory, and two threads' access to it.
struct shared_memory_store {
  memory_store store;
  watched_mutex mutex;
  guarded_store<memory_store> guarded{store, mutex};
  synchronized<memory_store> mine{guarded, mutex}, theirs{guarded, mutex};

  shared_memory_store() {
    outcome done;
    REQUIRE(!mine.create({"a"}, noon(), done));
  }
};

template <class Store>
json::error report(Store& store, const twin_id& id, std::string_view patch) {
  outcome done;
  const auto found = store.find(id);
  REQUIRE(found);
  REQUIRE(!(*found)->device_patch(patch, noon(1), done));
  return store.commit(id);
}

struct in_memory : devicetwin::testing::store_place {
  memory_store held;
  watched_mutex mutex;
  guarded_store<memory_store> guarded{held, mutex};
  synchronized<memory_store> mine{guarded, mutex};
  synchronized<memory_store>& store() { return mine; }
  bool another_patches(const twin_id& id, std::string_view patch) {
    synchronized<memory_store> theirs(guarded, mutex);
    return !report(theirs, id, patch);
  }
  bool another_removes(const twin_id& id) {
    return !synchronized<memory_store>(guarded, mutex).remove(id);
  }
};

/// Two processes, each with a cache of its own behind a mutex of its own.
struct over_table : devicetwin::testing::store_place {
  struct process {
    twin_cache<memory_table> cache;
    watched_mutex mutex;
    guarded_store<twin_cache<memory_table>> guarded{cache, mutex};
    synchronized<twin_cache<memory_table>> store{guarded, mutex};
    process(memory_table& table, std::size_t max_live)
        : cache(table, devicetwin::azure, {}, max_live) {}
  };
  memory_table table;
  std::size_t max_live = 100;
  std::unique_ptr<process> held = std::make_unique<process>(table, max_live);

  synchronized<twin_cache<memory_table>>& store() { return held->store; }
  bool reopen() {
    held = std::make_unique<process>(table, max_live);
    return true;
  }
  bool another_patches(const twin_id& id, std::string_view patch) {
    process theirs(table, 1);
    return !report(theirs.store, id, patch);
  }
  bool another_removes(const twin_id& id) { return !process(table, 1).store.remove(id); }
  bool next_commit_fails() {
    table.failing_store = table.stores + 1;
    return true;
  }
};

}  // namespace

TEST_CASE("a synchronised store in memory keeps the promises of stores", "[synchronized_store]") {
  in_memory place;
  check_store_contract(place);
  CHECK(place.held.size() == 0);
  CHECK(!place.mutex.held);
}

TEST_CASE("a synchronised cache over a table keeps the promises of stores",
          "[synchronized_store]") {
  over_table place;
  SECTION("with room") {}
  SECTION("with room for one twin") { place.max_live = 1; }
  REQUIRE(place.reopen());
  check_store_contract(place);
  CHECK(place.table.rows.empty());
}

TEST_CASE("of two threads that write to one twin, the later one is told", "[synchronized_store]") {
  shared_memory_store x;
  outcome done;
  const auto mine = x.mine.find({"a"});
  const auto theirs = x.theirs.find({"a"});
  REQUIRE((mine && theirs));
  CHECK(*mine != *theirs);  // copies, each thread its own
  REQUIRE(!(*mine)->device_patch(R"({"m":1})", noon(), done));
  REQUIRE(!(*theirs)->device_patch(R"({"t":1})", noon(), done));
  const std::string fresh = R"({"desired":{"$version":1},"reported":{"$version":1}})";
  CHECK(device_text(**x.store.find({"a"})) == fresh);  // nobody sees what is not committed
  REQUIRE(!x.mine.commit({"a"}));
  CHECK(x.theirs.commit({"a"}).code() == errc::precondition_failed);
  const std::string one = R"({"desired":{"$version":1},"reported":{"m":1,"$version":2}})";
  CHECK(device_text(**x.store.find({"a"})) == one);
  REQUIRE(!report(x.theirs, {"a"}, R"({"t":1})"));
  CHECK(device_text(**x.store.find({"a"})) ==
        R"({"desired":{"$version":1},"reported":{"m":1,"t":1,"$version":3}})");
}

TEST_CASE("a twin that was removed and made anew in between is another one",
          "[synchronized_store]") {
  shared_memory_store x;
  outcome done;
  const auto found = x.mine.find({"a"});
  REQUIRE(found);
  REQUIRE(!(*found)->device_patch(R"({"m":1})", noon(), done));
  REQUIRE(!x.theirs.remove({"a"}));
  SECTION("removed") { CHECK(x.mine.commit({"a"}).code() == errc::precondition_failed); }
  SECTION("made anew, with the same versions") {
    REQUIRE(!x.theirs.create({"a"}, noon(5), done));
    CHECK(x.mine.commit({"a"}).code() == errc::precondition_failed);
    CHECK((*x.mine.find({"a"}))->reported().MemberCount() == 0);
  }
}

TEST_CASE("a removal on the ground of what was found is refused when that has changed",
          "[synchronized_store]") {
  shared_memory_store x;
  REQUIRE(x.mine.find({"a"}));
  REQUIRE(!report(x.theirs, {"a"}, R"({"t":1})"));
  CHECK(x.mine.remove({"a"}).code() == errc::precondition_failed);
  CHECK(x.store.size() == 1);
  CHECK(!x.mine.remove({"a"}));  // without a find() before it there is no condition
  CHECK(x.store.size() == 0);
  CHECK(x.mine.remove({"a"}).code() == errc::not_found);
}

TEST_CASE("a commit stores the last find() and nothing else", "[synchronized_store]") {
  shared_memory_store x;
  outcome done;
  REQUIRE(!x.mine.create({"b"}, noon(), done));
  CHECK(x.mine.commit({"b"}).code() == errc::not_found);  // not found before
  REQUIRE(x.mine.find({"a"}));
  CHECK(x.mine.commit({"b"}).code() == errc::not_found);
  CHECK(x.mine.commit({"a"}).code() == errc::not_found);  // it was forgotten
  CHECK(x.mine.find({"none"}).error().code() == errc::not_found);
  REQUIRE(x.mine.find({"a"}));
  REQUIRE(!x.mine.commit({"a"}));
  CHECK(x.mine.commit({"a"}).code() == errc::not_found);
}

TEST_CASE("a twin that the cache had to load again in between is still the same",
          "[synchronized_store]") {
  memory_table table;
  twin_cache<memory_table> cache(table, devicetwin::azure, {}, 1);
  watched_mutex mutex;
  guarded_store<twin_cache<memory_table>> guarded{cache, mutex};
  synchronized<twin_cache<memory_table>> mine(guarded, mutex), theirs(guarded, mutex);
  outcome done;
  for (const char* id : {"a", "b"}) REQUIRE(!mine.create({id}, noon(), done));
  REQUIRE(!report(mine, {"a"}, R"({"x":{"y":[1,2.5,"\u00e9"],"z":{"n":-0.0}},"gone":1})"));
  REQUIRE(!report(mine, {"a"}, R"({"gone":null,"x":{"z":{"n":7}}})"));
  const auto found = mine.find({"a"});
  REQUIRE(found);
  REQUIRE(!(*found)->device_patch(R"({"m":1})", noon(3), done));
  REQUIRE(theirs.find({"b"}));  // the cache has room for one twin: a goes
  CHECK(cache.live() == 1);
  CHECK(!mine.commit({"a"}));
  SECTION("unless another process has stored it") {
    const auto again = mine.find({"a"});
    REQUIRE(again);
    REQUIRE(!(*again)->device_patch(R"({"m":2})", noon(4), done));
    twin_cache<memory_table> other(table);
    REQUIRE(!report(other, {"a"}, R"({"o":1})"));
    REQUIRE(theirs.find({"b"}));
    CHECK(mine.commit({"a"}).code() == errc::precondition_failed);
    CHECK((*mine.find({"a"}))->reported().HasMember("o"));
  }
}

TEST_CASE("the mutex is free while a twin is in use", "[synchronized_store]") {
  shared_memory_store x;
  const std::size_t before = x.mutex.locked;
  const auto found = x.mine.find({"a"});
  CHECK(!x.mutex.held);
  outcome done;
  REQUIRE(!(*found)->device_patch(R"({"m":1})", noon(), done));
  REQUIRE(!x.mine.commit({"a"}));
  CHECK(!x.mutex.held);
  CHECK(x.mutex.locked == before + 2);
}

TEST_CASE("a synchronised store survives every failing allocation",
          "[synchronized_store][failure]") {
  const auto write_a_and_remove_b = [](synchronized<memory_store>& mine) -> json::error {
    const auto found = mine.find({"a"});
    if (!found) return found.error();
    outcome done;
    if (json::error e = (*found)->device_patch(R"({"x":"a text that is long"})", noon(), done))
      return e;
    if (json::error e = mine.commit({"a"})) return e;
    if (const auto b = mine.find({"b"}); !b) return b.error();
    return mine.remove({"b"});
  };
  with_every_failure(
      [&](const devicetwin::memory_source& memory) {
        memory_store store;  // on the heap that does not fail
        outcome done;
        for (const char* id : {"a", "b"}) REQUIRE(!store.create({id}, noon(), done));
        watched_mutex mutex;
        guarded_store<memory_store> guarded{store, mutex};
        synchronized<memory_store> mine(guarded, mutex, memory);
        json::error e = write_a_and_remove_b(mine);
        CHECK(!mutex.held);
        CHECK(store.size() == (e ? 2 : 1));
        const std::string now = device_text(**store.find({"a"}));
        const bool is_fresh = now == R"({"desired":{"$version":1},"reported":{"$version":1}})";
        CHECK((is_fresh || now.find("a text that is long") != now.npos));
        return e;
      },
      [] {});
}
