/// The hub's database as a file: its access rights, its tables, and the change from an older
/// version's tables.
#pragma once

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace hub {

/// The version of the tables, which the file has as its user_version.
///   0: no tables yet, or those of a hub that kept keys alone of an identity (`keys`)
///   1: identities with status and etag
inline constexpr int schema_version = 1;

/// Makes the file if there is none, and lets nobody but its owner read or write it and the files
/// that SQLite keeps beside it: there are keys in them. Returns what went wrong, or nothing.
inline std::string make_private(const std::string& path);

/// Makes the tables of schema_version, or changes those of an older version into them, in one
/// transaction: after an error the file is as it was. Returns what went wrong, or nothing. Refuses
/// a file of a newer version, and the database of another program.
inline std::string set_up_tables(sqlite3* db);

/// A prepared statement for one use: bound, stepped, and reset when it goes out of scope. What is
/// bound must outlive it.
class sqlite_use {
 public:
  explicit sqlite_use(sqlite3_stmt* statement) : statement_(statement) {}
  sqlite_use(const sqlite_use&) = delete;
  sqlite_use& operator=(const sqlite_use&) = delete;
  ~sqlite_use() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  sqlite_use& text(int at, std::string_view t) {
    sqlite3_bind_text(statement_, at, t.data() != nullptr ? t.data() : "",
                      static_cast<int>(t.size()), SQLITE_STATIC);
    return *this;
  }
  sqlite_use& number(int at, std::uint64_t n) {
    sqlite3_bind_int64(statement_, at, static_cast<sqlite3_int64>(n));
    return *this;
  }
  sqlite_use& blob(int at, std::string_view b) {
    sqlite3_bind_blob(statement_, at, b.data(), static_cast<int>(b.size()), SQLITE_STATIC);
    return *this;
  }
  int step() { return sqlite3_step(statement_); }
  std::int64_t number_of(int column) const { return sqlite3_column_int64(statement_, column); }
  bool is_text(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_TEXT; }
  /// Valid until the next step. Empty for NULL.
  std::string_view bytes_of(int column) const {
    const void* data = sqlite3_column_blob(statement_, column);
    if (data == nullptr) return {};
    return {static_cast<const char*>(data),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }

 private:
  sqlite3_stmt* statement_;
};

// ---------------------------------------------------------------------------------------------

namespace detail {

inline bool run_sql(sqlite3* db, const char* sql) {
  return sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
}

/// The number that a query returns first, or -1.
inline int number_from(sqlite3* db, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db, sql, -1, &statement, nullptr) != SQLITE_OK) return -1;
  const int number = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int(statement, 0) : -1;
  sqlite3_finalize(statement);
  return number;
}

/// Why the tables cannot be set up from what the file has; nothing when they can.
inline std::string why_not_ours(sqlite3* db) {
  const int version = number_from(db, "PRAGMA user_version");
  if (version < 0) return std::string("the database cannot be read: ") + sqlite3_errmsg(db);
  if (version > schema_version) {
    return "the database is of a newer version of this program (its tables are version " +
           std::to_string(version) + ", this program knows " + std::to_string(schema_version) + ")";
  }
  const int others =
      number_from(db, version == 0 ? "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND "
                                     "name NOT IN ('twins', 'keys', 'filters')"
                                   : "SELECT 3 - count(*) FROM sqlite_schema WHERE type = 'table' "
                                     "AND name IN ('twins', 'identities', 'filters')");
  if (others < 0) return std::string("the database cannot be read: ") + sqlite3_errmsg(db);
  return others == 0 ? std::string() : "the database is another program's";
}

}  // namespace detail

inline std::string make_private(const std::string& path) {
  const auto failed = [](const std::string& name) { return name + ": " + std::strerror(errno); };
  const int made = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (made < 0 && errno != EEXIST) return failed(path);
  if (made >= 0) ::close(made);
  // An existing file is not opened here: to close it would take away the locks of other connections
  // of this process.
  for (const char* end : {"", "-wal", "-shm"}) {
    const std::string name = path + end;
    struct stat s {};
    if (::stat(name.c_str(), &s) != 0) {
      if (*end != '\0' && errno == ENOENT) continue;
      return failed(name);
    }
    if (!S_ISREG(s.st_mode)) return name + " is not a regular file";
    if ((s.st_mode & 077) != 0 && ::chmod(name.c_str(), s.st_mode & 0700) != 0) {
      return failed(name) + " (it has keys, and others than its owner may use it)";
    }
  }
  return {};
}

inline std::string set_up_tables(sqlite3* db) {
  const auto failed = [db](const char* what) {
    return std::string(what) + ": " + sqlite3_errmsg(db);
  };
  if (std::string problem = detail::why_not_ours(db); !problem.empty()) return problem;
  if (!detail::run_sql(
          db,
          "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF")) {
    return failed("the database cannot be set up");
  }
  if (detail::number_from(db, "PRAGMA user_version") == schema_version) return {};
  if (!detail::run_sql(db, "BEGIN IMMEDIATE")) return failed("the database cannot be set up");
  std::string problem = detail::why_not_ours(db);  // another process may have been faster
  const char* const tables =
      "CREATE TABLE IF NOT EXISTS twins (device TEXT NOT NULL, module TEXT NOT NULL, revision "
      "INTEGER NOT NULL,"
      " form BLOB NOT NULL, PRIMARY KEY (device, module)) WITHOUT ROWID;"
      "CREATE TABLE IF NOT EXISTS filters (client_id TEXT NOT NULL, filter TEXT NOT NULL, PRIMARY "
      "KEY (client_id, filter)) WITHOUT ROWID;"
      "CREATE TABLE IF NOT EXISTS keys (client_id TEXT PRIMARY KEY, first TEXT NOT NULL, second "
      "TEXT NOT NULL) WITHOUT ROWID;"
      "CREATE TABLE identities (client_id TEXT PRIMARY KEY, primary_key TEXT NOT NULL, "
      "secondary_key TEXT NOT NULL, status TEXT NOT NULL,"
      " status_reason TEXT NOT NULL, status_time TEXT NOT NULL, generation TEXT NOT NULL, etag "
      "TEXT NOT NULL) WITHOUT ROWID;"
      // The second key was left empty where one was given; GET showed the first one for it.
      "INSERT INTO identities SELECT client_id, first, CASE second WHEN '' THEN first ELSE second "
      "END, 'enabled', '',"
      " '0001-01-01T00:00:00Z', hex(randomblob(8)), hex(randomblob(8)) FROM keys;"
      "DROP TABLE keys;"
      "PRAGMA user_version = 1;";
  if (problem.empty() && detail::number_from(db, "PRAGMA user_version") == 0 &&
      !detail::run_sql(db, tables)) {
    problem = failed("the tables cannot be made");
  }
  if (problem.empty() && !detail::run_sql(db, "COMMIT"))
    problem = failed("the tables cannot be stored");
  if (!problem.empty()) detail::run_sql(db, "ROLLBACK");
  return problem;
}

}  // namespace hub
