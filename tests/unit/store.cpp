// Stores of twins: the requirement, the store in memory, the cache over a table.
#include "../support/store_contract.hpp"

#include <memory>

#include "../support/failing_heap.hpp"
#include "../support/memory_table.hpp"

using devicetwin::memory_store;
using devicetwin::outcome;
using devicetwin::twin_cache;
using devicetwin::twin_id;

namespace {

struct in_memory : devicetwin::testing::store_place {
  memory_store held;
  memory_store& store() { return held; }
};

struct over_table : devicetwin::testing::store_place {
  memory_table table;
  std::size_t max_live = 100;
  std::unique_ptr<twin_cache<memory_table>> held = make();
  std::unique_ptr<twin_cache<memory_table>> make() {
    return std::make_unique<twin_cache<memory_table>>(table, devicetwin::azure,
                                                      devicetwin::memory_source{}, max_live);
  }
  twin_cache<memory_table>& store() { return *held; }
  bool reopen() {
    held = make();
    return true;
  }
  bool another_patches(const twin_id& id, std::string_view patch) {
    const auto theirs = make();
    const auto found = theirs->find(id);
    REQUIRE(found);
    outcome done;
    return !(*found)->device_patch(patch, noon(9), done) && !theirs->commit(id);
  }
  bool another_removes(const twin_id& id) { return !make()->remove(id); }
  bool next_commit_fails() {
    table.failing_store = table.stores + 1;
    return true;
  }
};

}  // namespace

TEST_CASE("the store in memory fulfils twin_store") {
  in_memory place;
  check_store_contract(place);
  CHECK(place.held.size() == 0);
}

TEST_CASE("the cache over a table fulfils twin_store") {
  over_table place;
  SECTION("with room") {}
  SECTION("with room for one twin") { place.max_live = 1; }
  SECTION("with no room, which is taken for one") { place.max_live = 0; }
  SECTION("over a table that fails after it has stored") {
    place.table.stores_before_failing = true;
  }
  REQUIRE(place.reopen());
  check_store_contract(place);
  CHECK(place.table.rows.empty());
}

TEST_CASE("a twin that is live costs no load, and the one used longest ago makes room") {
  memory_table table;
  twin_cache<memory_table> store(table, devicetwin::azure, {}, 2);
  outcome done;
  for (const char* id : {"a", "b", "c"}) REQUIRE(!store.create({id}, noon(), done));
  CHECK(store.live() == 2);
  table.loads = 0;
  REQUIRE(store.find({"b"}));
  REQUIRE(store.find({"c"}));
  REQUIRE(store.find({"b"}));
  CHECK(table.loads == 0);
  REQUIRE(store.find({"a"}));  // c goes
  REQUIRE(store.find({"b"}));
  CHECK(table.loads == 1);
  REQUIRE(store.find({"c"}));
  CHECK(table.loads == 2);
  store.forget({"c"});
  store.forget({"unknown"});
  CHECK(store.live() == 1);
  store.forget_all();
  CHECK(store.live() == 0);
  REQUIRE(store.find({"c"}));
}

TEST_CASE("a store over a table says when what is stored is damaged, and leaves it alone") {
  memory_table table;
  twin_cache<memory_table> store(table);
  outcome done;
  REQUIRE(!store.create({"a"}, noon(), done));
  store.forget_all();
  std::string& bytes = table.rows.begin()->second.bytes;
  const std::string good = bytes;
  bytes[bytes.size() / 2] ^= 1;
  CHECK(store.find({"a"}).error().code() == errc::damaged);
  CHECK(store.live() == 0);
  CHECK(store.create({"a"}, noon(), done).code() == errc::already_exists);
  CHECK(done.event().empty());
  bytes = good;
  CHECK(store.find({"a"}));
  bytes[0] ^= 1;
  store.forget_all();
  CHECK(!store.remove({"a"}));  // what cannot be read can be removed
  CHECK(table.rows.empty());
}

TEST_CASE("the bytes of another twin are damage, although their checksum is right") {
  memory_table table;
  twin_cache<memory_table> store(table);
  outcome done;
  const twin_id ids[] = {{"a"}, {"b"}, {"a", "m"}};
  for (const twin_id& id : ids) REQUIRE(!store.create({id.device, id.module}, noon(), done));
  const auto bytes_of = [&](const twin_id& id) -> std::string& {
    return table.rows.at(memory_table::key(id)).bytes;
  };
  for (const twin_id& id : ids) {
    const std::string own = bytes_of(id);
    for (const twin_id& other : ids) {
      bytes_of(id) = other == id ? own : bytes_of(other);
      store.forget_all();
      CHECK((store.find(id).error().code() == errc::damaged) == (other != id));
      bytes_of(id) = own;
    }
  }
}

TEST_CASE("a commit that fails forgets what was written") {
  memory_table table;
  twin_cache<memory_table> store(table);
  outcome done;
  REQUIRE(!store.create({"a"}, noon(), done));
  table.failing_store = table.stores + 1;
  std::string expected = R"({"desired":{"$version":1},"reported":{"$version":1}})";
  SECTION("before it has stored") {}
  SECTION("after it has stored") {
    table.stores_before_failing = true;
    expected = R"({"desired":{"$version":1},"reported":{"x":1,"$version":2}})";
  }
  REQUIRE(!(*store.find({"a"}))->device_patch(R"({"x":1})", noon(), done));
  CHECK(store.commit({"a"}).code() == errc::handler_stopped);
  CHECK(device_text(**store.find({"a"})) == expected);
  CHECK(store.commit({"unknown"}).code() == errc::not_found);
}

TEST_CASE("a twin is put into the store in memory as it is, in place of another") {
  memory_store store;
  const auto t = loaded_twin(
      R"({"deviceId":"a","moduleId":"m","properties":{"desired":{"x":1,"$version":7},"reported":{"$version":3}}})");
  REQUIRE(!store.put(t));
  CHECK(service_text(**store.find({"a", "m"})) == service_text(t));
  REQUIRE(!store.put(t));
  CHECK(store.size() == 1);
  CHECK(store.put(devicetwin::twin()).code() == errc::not_a_twin);
  CHECK(store.put(loaded_twin(R"({"desired":{}})")).code() == errc::invalid_identity);
  REQUIRE(!store.put(loaded_twin(R"({"deviceId":"a"})")));
  std::string ids;
  store.for_each([&](const twin_id& id, devicetwin::twin& live) {
    CHECK(id.module == live.module_id());
    ids += std::string(id.device) + "/" + std::string(id.module) + " ";
  });
  CHECK(ids == "a/ a/m ");
}

TEST_CASE("stores survive every failing allocation") {
  const auto live_one = [](auto& store) -> json::error {
    outcome done;
    for (const char* id : {"b", "a"}) {
      if (json::error e = store.create({id}, noon(), done)) {
        CHECK(done.event().empty());
        return e;
      }
    }
    if (json::error e = store.remove({"b"})) return e;
    const auto found = store.find({"a"});
    return found ? json::error() : found.error();
  };
  SECTION("in memory") {
    with_every_failure(
        [&](const devicetwin::memory_source& memory) {
          memory_store store(devicetwin::azure, memory);
          return live_one(store);
        },
        [] {});
  }
  SECTION("over a table") {
    with_every_failure(
        [&](const devicetwin::memory_source& memory) {
          memory_table table;
          twin_cache<memory_table> store(table, devicetwin::azure, memory, 1);
          json::error e = live_one(store);
          return e;
        },
        [] {});
  }
}
