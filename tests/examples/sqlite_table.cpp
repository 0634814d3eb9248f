// The example hub's database: a store as twin/store.hpp asks for it, groups that are durable
// together, kept keys.
#include "../../examples/mosquitto_hub/sqlite_table.hpp"

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "../support/files.hpp"
#include "../support/store_contract.hpp"
#include "../support/twin.hpp"
#include "temporary_file.hpp"

using devicetwin::outcome;
using devicetwin::twin_cache;
using devicetwin::twin_id;
using hub::identity_record;
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

struct in_sqlite : devicetwin::testing::store_place {
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
identity_record record(const std::string& name) {
  identity_record r;
  r.primary_key = azure::to_base64("the first key of " + name);
  r.secondary_key = azure::to_base64("the second key of " + name);
  r.generation = "g-" + name;
  r.etag = "e-" + name;
  return r;
}
bool report(twin_cache<sqlite_table>& store, const twin_id& id, std::string_view patch) {
  outcome done;
  const auto found = store.find(id);
  return found && !(*found)->device_patch(patch, noon(1), done) && !store.commit(id);
}

}  // namespace

TEST_CASE("the store in SQLite fulfils twin_store", "[sqlite]") {
  in_sqlite place;
  check_store_contract(place);
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
    CHECK(!ours.table.put_identity("a", record("a")));
    CHECK(!ours.table.end_group());
    ours.store.forget_all();
    CHECK(reported(ours.store, {"a"}) == before);
    CHECK(report(ours.store, {"a"}, R"({"x":3})"));  // and it goes on
  }
  CHECK(stored(file, {"a"}) == R"({"desired":{"$version":1},"reported":{"x":3,"$version":2}})");
}

TEST_CASE("when somebody else holds the database for too long, a write fails and says so",
          "[sqlite]") {
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

TEST_CASE("identities are kept", "[sqlite]") {
  const temporary_file file;
  {
    connection ours(file.path);
    identity_record none;
    CHECK(ours.table.identity("a", none).code() == errc::not_found);
    for (const char* id : {"a", "a/m", "b", "c"}) CHECK(ours.table.put_identity(id, record(id)));
    identity_record disabled = record("second");
    disabled.enabled = false;
    disabled.status_reason = "stolen: \"x\"\n";
    CHECK(ours.table.put_identity("b", disabled));
    CHECK(ours.table.remove_identity({"c"}));
    CHECK(ours.table.remove_identity({"nobody"}));
  }
  connection again(file.path);
  identity_record found;
  REQUIRE(!again.table.identity("a/m", found));
  CHECK(found.keys() == record("a/m").keys());
  CHECK(found.enabled);
  CHECK(found.generation == "g-a/m");
  REQUIRE(!again.table.identity("b", found));
  CHECK(!found.enabled);
  CHECK(found.status_reason == "stolen: \"x\"\n");
  CHECK(found.etag == "e-second");
  CHECK(again.table.identity("c", found).code() == errc::not_found);
}

TEST_CASE("an identity is removed with its modules and twins, and no other is; subscriptions stay",
          "[sqlite]") {
  const temporary_file file;
  connection ours(file.path);
  outcome done;
  const std::vector<std::string> ids = {"a", "a-", "a/m", "a/n", "a0", "b", "b/m", "a.b"};
  for (const std::string& id : ids) {
    const hub::identity who = hub::identity_of(id);
    REQUIRE(!ours.store.create({who.device, who.module}, noon(), done));
    REQUIRE(ours.table.put_identity(id, record(id)));
    REQUIRE(ours.table.put_filter(id, "x/#"));
  }
  const auto left = [&] {
    std::string all;
    for (const std::string& id : ids) {
      identity_record r;
      const hub::identity who = hub::identity_of(id);
      ours.store.forget_all();
      const int there = (!ours.table.identity(id, r) ? 1 : 0) +
                        (ours.store.find({who.device, who.module}) ? 1 : 0);
      CHECK((there == 0 || there == 2));
      CHECK(ours.table.filters(id).size() == 1);
      if (there == 2) all += id + " ";
    }
    return all;
  };
  std::size_t removed = 0;
  CHECK(ours.table.modules_with_twins("a") == std::vector<std::string>{"m", "n"});
  REQUIRE(ours.table.remove_identity({"b", "m"}, &removed));
  CHECK(removed == 2);
  CHECK(left() == "a a- a/m a/n a0 b a.b ");
  REQUIRE(ours.table.remove_modules("b", &removed));
  CHECK(removed == 2);
  REQUIRE(ours.table.remove_identity({"a"}, &removed));
  CHECK(removed == 8);
  CHECK(left() == "a- a0 b a.b ");
}

TEST_CASE("a part of a group is undone without the rest", "[sqlite]") {
  const temporary_file file;
  {
    connection ours(file.path);
    ours.table.begin_group();
    REQUIRE(ours.table.put_identity("a", record("a")));
    REQUIRE(ours.table.begin_part());
    REQUIRE(ours.table.remove_identity({"a"}));
    REQUIRE(ours.table.put_identity("b", record("b")));
    REQUIRE(ours.table.end_part(false));
    REQUIRE(ours.table.begin_part());
    REQUIRE(ours.table.put_identity("c", record("c")));
    REQUIRE(ours.table.end_part(true));
    REQUIRE(ours.table.end_group());
    ours.table.begin_group();
    REQUIRE(ours.table.begin_part());
    REQUIRE(ours.table.put_identity("d", record("d")));
    REQUIRE(ours.table.run("ROLLBACK"));  // as SQLite does by itself on a full disk
    CHECK(!ours.table.end_part(true));
    CHECK(!ours.table.begin_part());
    CHECK(!ours.table.end_group());
  }
  connection again(file.path);
  identity_record r;
  CHECK(!again.table.identity("a", r));
  CHECK(again.table.identity("b", r).code() == errc::not_found);
  CHECK(!again.table.identity("c", r));
  CHECK(again.table.identity("d", r).code() == errc::not_found);
}

TEST_CASE("rows that this program did not write are damage, and can be removed", "[sqlite]") {
  const temporary_file file;
  connection ours(file.path);
  outcome done;
  REQUIRE(!ours.store.create({"a"}, noon(), done));
  REQUIRE(ours.table.put_identity("a", record("a")));
  identity_record r;
  for (const char* damage :
       {"primary_key = ''", "primary_key = 'not base64'", "secondary_key = x'ff'",
        "secondary_key = 7", "status = 'ENABLED'", "status = ''", "status_reason = x'41'",
        "status_reason = CAST(x'FF' AS TEXT)", "status_time = 1.5", "generation = ''", "etag = ''",
        "etag = 'a\"b'", "etag = 'a' || char(13, 10) || 'Set-Cookie: x'", "etag = char(233)"}) {
    INFO(damage);
    REQUIRE(ours.table.put_identity("a", record("a")));
    REQUIRE(!ours.table.identity("a", r));
    REQUIRE(ours.table.run((std::string("UPDATE identities SET ") + damage).c_str()));
    const std::string etag = r.etag;
    CHECK(ours.table.identity("a", r).code() == errc::damaged);
    CHECK(r.etag == etag);
  }
  REQUIRE(ours.table.remove_identity({"a"}));
  // Columns cannot be NULL, unless somebody edits the schema.
  REQUIRE(
      ours.table.run("DROP TABLE twins; CREATE TABLE twins (device, module, revision, form, "
                     "PRIMARY KEY (device, module))"));
  connection theirs(file.path);
  for (const char* row : {"('a', '', NULL, NULL)", "('a', '', 0, x'00')", "('a', '', -5, x'00')",
                          "('a', '', 'x', x'00')", "('a', '', 1, NULL)", "('a', '', 1, 'text')",
                          "('a', '', 1, x'')", "('a', '', 1, zeroblob(100000))"}) {
    INFO(row);
    REQUIRE(ours.table.run(
        (std::string("DELETE FROM twins; INSERT INTO twins VALUES ") + row).c_str()));
    CHECK(theirs.store.find({"a"}).error().code() == errc::damaged);
    CHECK(theirs.store.create({"a"}, noon(), done));
    std::size_t removed = 0;
    REQUIRE(theirs.table.remove_identity({"a"}, &removed));
    CHECK(removed == 1);
    CHECK(theirs.store.find({"a"}).error().code() == errc::not_found);
  }
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

TEST_CASE("nobody but its owner can read the database", "[sqlite]") {
  const mode_t before = umask(0);
  const auto mode_of = [](const std::string& name) {
    struct stat st {};
    return ::stat(name.c_str(), &st) == 0 ? st.st_mode & 0777 : 0u;
  };
  const temporary_file file;
  std::remove(file.path.c_str());
  {
    connection ours(file.path);
    outcome done;
    REQUIRE(!ours.store.create({"a"}, noon(), done));
    for (const char* end : {"", "-wal", "-shm"}) CHECK(mode_of(file.path + end) == 0600);
    // A file of an older version of the hub could be read by all.
    for (const char* end : {"", "-wal", "-shm"})
      REQUIRE(::chmod((file.path + end).c_str(), 0666) == 0);
    connection theirs(file.path);
    for (const char* end : {"", "-wal", "-shm"}) CHECK(mode_of(file.path + end) == 0600);
  }
  umask(before);
}

TEST_CASE("what is no database is refused with a reason", "[sqlite]") {
  sqlite_table table;
  CHECK(!table.open("/nowhere/twins.sqlite").empty());
  const temporary_file file;
  write_file(file.path, std::string(4096, 'x'));
  CHECK_THAT(table.open(file.path), matchers::ContainsSubstring("not a database"));
  CHECK_THAT(table.open("/dev/null"), matchers::ContainsSubstring("not a regular file"));
}

namespace {

/// The rows of a query, one per line.
std::string rows(const std::string& path, const char* sql) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK);
  std::string all;
  const auto add = [](void* out, int count, char** values, char**) {
    for (int i = 0; i < count; ++i)
      *static_cast<std::string*>(out) +=
          std::string(values[i] != nullptr ? values[i] : "NULL") + (i + 1 == count ? "\n" : "|");
    return 0;
  };
  INFO(sqlite3_errmsg(db));
  REQUIRE(sqlite3_exec(db, sql, add, &all, nullptr) == SQLITE_OK);
  sqlite3_close(db);
  return all;
}
/// A copy of the database that the hub wrote before it had a schema version: two devices with keys,
/// `pump` and `short`, with a module `pump/valve`, modules without a device, `gone/left` and
/// `never/ghost`, and the twins of all these.
void copy_old_database(const temporary_file& file) {
  const std::string bytes = read_file(DEVICETWIN_TEST_DATA "/examples/data/twins_schema_0.sqlite");
  REQUIRE(bytes.size() == 16384);
  write_file(file.path, bytes);
}

}  // namespace

TEST_CASE(
    "a database without a schema version is changed to this one's tables, with all that is in it",
    "[sqlite]") {
  const temporary_file file;
  copy_old_database(file);
  const char* const twins = "SELECT device, module, revision, hex(form) FROM twins";
  const std::string twins_before = rows(file.path, twins);
  for (int round = 0; round < 2; ++round) {
    connection ours(file.path);
    CHECK(rows(file.path, "PRAGMA user_version") == "1\n");
    CHECK(rows(file.path, twins) == twins_before);
    CHECK(rows(file.path, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") ==
          "filters\nidentities\ntwins\n");
    CHECK(rows(file.path,
               "SELECT client_id, primary_key, secondary_key, status, status_reason FROM "
               "identities") ==
          "gone/left|dGhlIGtleSBvZiB0aGUgbGVmdA==|dGhlIGtleSBvZiB0aGUgbGVmdA==|enabled|\n"
          "never/ghost|dGhlIGtleSBvZiB0aGUgZ2hvc3Q=|dGhlIGtleSBvZiB0aGUgZ2hvc3Q=|enabled|\n"
          "pump|dGhlIGZpcnN0IGtleSBvZiBwdW1w|dGhlIHNlY29uZCBrZXkgb2YgcHVtcA==|enabled|\n"
          "pump/valve|dGhlIGtleSBvZiB0aGUgdmFsdmU=|dGhlIGtleSBvZiB0aGUgdmFsdmU=|enabled|\n"
          "short|YQ==|YQ==|enabled|\n");
    CHECK(rows(file.path,
               "SELECT count(DISTINCT etag), count(DISTINCT generation) FROM identities") ==
          "5|5\n");
    CHECK(ours.table.filters("pump") ==
          std::vector<std::string>{"$iothub/twin/PATCH/properties/desired/#"});
    identity_record r;
    for (const char* id : {"pump", "pump/valve", "short"}) CHECK(!ours.table.identity(id, r));
    CHECK(reported(ours.store, {"pump"}) ==
          R"({"desired":{"rpm":900,"$version":2},"reported":{"rpm":870,"$version":3}})");
    CHECK(reported(ours.store, {"pump", "valve"}) ==
          R"({"desired":{"$version":1},"reported":{"open":true,"$version":2}})");
  }
}

TEST_CASE("a database that cannot be changed stays as it was", "[sqlite]") {
  const temporary_file file;
  copy_old_database(file);
  const char* const everything =
      "PRAGMA user_version; SELECT name, sql FROM sqlite_schema; SELECT * FROM keys; SELECT "
      "device, module, hex(form) FROM twins";
  SECTION("a column is missing") {
    rows(file.path, "DROP TABLE keys; CREATE TABLE keys (client_id TEXT PRIMARY KEY, first TEXT)");
  }
  SECTION("an index has a name that is needed") {
    rows(file.path, "CREATE INDEX identities ON keys (first)");
  }
  SECTION("a key is not there") {
    rows(file.path,
         "DROP TABLE keys; CREATE TABLE keys (client_id, first, second); INSERT INTO keys VALUES "
         "('a', NULL, ''), ('b', 'YQ==', '')");
  }
  SECTION("the disk is full") {
    // As SQLite sees it: the file may not grow.
    const std::string before = rows(file.path, everything);
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open(file.path.c_str(), &db) == SQLITE_OK);
    REQUIRE(sqlite3_exec(db, "PRAGMA max_page_count = 1", nullptr, nullptr, nullptr) ==
            SQLITE_OK);  // at least what is there
    CHECK(!hub::set_up_tables(db).empty());
    sqlite3_close(db);
    CHECK(rows(file.path, everything) == before);
    return;
  }
  const std::string before = rows(file.path, everything);
  sqlite_table table;
  CHECK_THAT(table.open(file.path), matchers::ContainsSubstring("the tables cannot be made"));
  CHECK(rows(file.path, everything) == before);
}

TEST_CASE("a database of a newer version, and another program's, are refused and left alone",
          "[sqlite]") {
  const temporary_file file;
  sqlite_table table;
  { connection ours(file.path); }
  rows(file.path, "PRAGMA user_version = 2; PRAGMA journal_mode = DELETE");
  std::string before = read_file(file.path);
  CHECK_THAT(table.open(file.path), matchers::ContainsSubstring("newer version of this program"));
  CHECK(read_file(file.path) == before);
  rows(file.path, "PRAGMA user_version = 1; DROP TABLE filters");
  before = read_file(file.path);
  CHECK_THAT(table.open(file.path), matchers::ContainsSubstring("another program's"));
  CHECK(read_file(file.path) == before);
  rows(file.path,
       "DROP TABLE twins; DROP TABLE identities; PRAGMA user_version = 0; CREATE TABLE bookmarks "
       "(x)");
  before = read_file(file.path);
  CHECK_THAT(table.open(file.path), matchers::ContainsSubstring("another program's"));
  CHECK(read_file(file.path) == before);
}
