// The example hub's database: a store as twin/store.hpp asks for it, groups that are durable together, kept keys.
#include "../../examples/mosquitto_hub/sqlite_table.hpp"

#include <cstdio>
#include <memory>
#include <string>

#include "../support/store_contract.hpp"
#include "temporary_file.hpp"

using devicetwin::outcome;
using devicetwin::twin_cache;
using devicetwin::twin_id;
using hub::sqlite_table;

namespace {

/// One user of a database.
struct connection {
  sqlite_table table;
  twin_cache<sqlite_table> store{table};
  explicit connection(const std::string& path) {
    const std::string problem = table.open(path);
    INFO(problem);
    REQUIRE(problem.empty());
  }
};

struct in_sqlite {
  temporary_file file;
  std::unique_ptr<connection> held = std::make_unique<connection>(file.path);
  twin_cache<sqlite_table>& store() { return held->store; }
  bool reopen() {
    held = nullptr;
    held = std::make_unique<connection>(file.path);
    return true;
  }
  bool another_patches(const twin_id& id, std::string_view patch) {
    connection theirs(file.path);
    const auto found = theirs.store.find(id);
    REQUIRE(found);
    outcome done;
    return !(*found)->device_patch(patch, noon(9), done) && !theirs.store.commit(id);
  }
  bool another_removes(const twin_id& id) { return !connection(file.path).store.remove(id); }
};

std::string reported(twin_cache<sqlite_table>& store, const twin_id& id) {
  const auto found = store.find(id);
  return found ? device_text(**found) : "none";
}
/// What somebody else sees.
std::string stored(const temporary_file& file, const twin_id& id) {
  connection theirs(file.path);
  return reported(theirs.store, id);
}
bool report(twin_cache<sqlite_table>& store, const twin_id& id, std::string_view patch) {
  outcome done;
  const auto found = store.find(id);
  return found && !(*found)->device_patch(patch, noon(1), done) && !store.commit(id);
}

}  // namespace

TEST_CASE("the store in SQLite fulfils twin_store", "[sqlite]") {
  in_sqlite place;
  store_contract(place);
}

TEST_CASE("a group is durable when it has ended, and others see all of it or nothing", "[sqlite]") {
  const temporary_file file;
  connection ours(file.path);
  outcome done;
  REQUIRE(!ours.store.create({"a"}, noon(), done));
  REQUIRE(!ours.store.create({"b"}, noon(), done));
  ours.table.begin_group();
  REQUIRE(report(ours.store, {"a"}, R"({"x":1})"));
  REQUIRE(report(ours.store, {"b"}, R"({"x":1})"));
  REQUIRE(report(ours.store, {"a"}, R"({"x":2})"));
  const std::string before = R"({"desired":{"$version":1},"reported":{"$version":1}})";
  CHECK(stored(file, {"a"}) == before);
  CHECK(stored(file, {"b"}) == before);
  REQUIRE(ours.table.end_group());
  CHECK(stored(file, {"a"}) == R"({"desired":{"$version":1},"reported":{"x":2,"$version":3}})");
  CHECK(stored(file, {"b"}) == R"({"desired":{"$version":1},"reported":{"x":1,"$version":2}})");
  CHECK(ours.table.end_group());  // there was none
  ours.table.begin_group();
  CHECK(ours.table.end_group());  // nothing was in it
}

TEST_CASE("a group that cannot be made durable has not happened", "[sqlite]") {
  const temporary_file file;
  std::string before;
  {
    connection ours(file.path);
    outcome done;
    REQUIRE(!ours.store.create({"a"}, noon(), done));
    before = reported(ours.store, {"a"});
    ours.table.begin_group();
    REQUIRE(report(ours.store, {"a"}, R"({"x":1})"));
    REQUIRE(ours.table.run("ROLLBACK"));  // as SQLite does by itself on a full disk
    CHECK(!report(ours.store, {"a"}, R"({"x":2})"));
    CHECK(!ours.table.put_keys("a", {"YQ=="}));
    CHECK(!ours.table.end_group());
    ours.store.forget_all();
    CHECK(reported(ours.store, {"a"}) == before);
    CHECK(report(ours.store, {"a"}, R"({"x":3})"));  // and it goes on
  }
  CHECK(stored(file, {"a"}) == R"({"desired":{"$version":1},"reported":{"x":3,"$version":2}})");
}

TEST_CASE("when somebody else holds the database for too long, a write fails and says so", "[sqlite]") {
  const temporary_file file;
  connection ours(file.path), theirs(file.path);
  outcome done;
  REQUIRE(!ours.store.create({"a"}, noon(), done));
  REQUIRE(ours.table.run("PRAGMA busy_timeout = 1"));
  REQUIRE(theirs.table.run("BEGIN IMMEDIATE"));
  const auto found = ours.store.find({"a"});
  REQUIRE(found);
  REQUIRE(!(*found)->device_patch(R"({"x":1})", noon(1), done));
  CHECK(ours.store.commit({"a"}).code() == errc::storage_failed);
  REQUIRE(theirs.table.run("ROLLBACK"));
  CHECK(report(ours.store, {"a"}, R"({"x":2})"));
}

TEST_CASE("keys of identities are kept", "[sqlite]") {
  const temporary_file file;
  {
    connection ours(file.path);
    CHECK(ours.table.keys("a").empty());
    CHECK(ours.table.put_keys("a", {"YQ==", "Yg=="}));
    CHECK(ours.table.put_keys("a/m", {"Yw=="}));
    CHECK(ours.table.put_keys("b", {"YQ=="}));
    CHECK(ours.table.put_keys("b", {"Yg=="}));
    CHECK(ours.table.put_keys("c", {"Yg=="}));
    CHECK(ours.table.remove_keys("c"));
    CHECK(ours.table.remove_keys("nobody"));
  }
  connection again(file.path);
  CHECK(again.table.keys("a") == std::vector<std::string>{"YQ==", "Yg=="});
  CHECK(again.table.keys("a/m") == std::vector<std::string>{"Yw=="});
  CHECK(again.table.keys("b") == std::vector<std::string>{"Yg=="});
  CHECK(again.table.keys("c").empty());
}

TEST_CASE("subscriptions of sessions are kept", "[sqlite]") {
  const temporary_file file;
  using filters = std::vector<std::string>;
  {
    connection ours(file.path);
    CHECK(ours.table.filters("a").empty());
    for (const char* filter : {"x/#", "y/#", "x/#"}) CHECK(ours.table.put_filter("a", filter));
    CHECK(ours.table.put_filter("b", "x/#"));
    CHECK(ours.table.put_filter("c", "x/#"));
    CHECK(ours.table.remove_filter("a", "y/#"));
    CHECK(ours.table.remove_filter("a", "z/#"));
    CHECK(ours.table.remove_filters("c"));
  }
  connection again(file.path);
  CHECK(again.table.filters("a") == filters{"x/#"});
  CHECK(again.table.filters("b") == filters{"x/#"});
  CHECK(again.table.filters("c").empty());
}

TEST_CASE("what is no database is refused with a reason", "[sqlite]") {
  sqlite_table table;
  CHECK(!table.open("/nowhere/twins.sqlite").empty());
  const temporary_file file;
  std::FILE* out = std::fopen(file.path.c_str(), "wb");
  REQUIRE(out != nullptr);
  std::fputs(std::string(4096, 'x').c_str(), out);
  std::fclose(out);
  CHECK_THAT(table.open(file.path), matchers::ContainsSubstring("not a database"));
}
