/// Twins in an SQLite file: the requirement twin_table of devicetwin/twin/store.hpp; and what else of a hub must outlive it,
/// the keys of devices that were made over HTTP and the subscriptions of sessions that are kept.
#pragma once

#include <devicetwin/twin/store.hpp>

#include <sqlite3.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace hub {

/// A database of twins, for one thread. What store() and remove() did is durable when they return, unless a group is
/// open: then it is when end_group() has returned true. The file is in write-ahead mode with full synchronisation: neither
/// a kill nor a power loss takes away what was durable.
class sqlite_table {
 public:
  sqlite_table() = default;
  sqlite_table(const sqlite_table&) = delete;
  sqlite_table& operator=(const sqlite_table&) = delete;
  ~sqlite_table() { close(); }

  /// Opens the file, made where there is none. Gives what went wrong, in one sentence; nothing when all is well.
  std::string open(const std::string& path);
  void close();

  // --- twin_table ------------------------------------------------------------------------------

  devicetwin::json::error load(const devicetwin::twin_id& id, devicetwin::json::text_buffer& bytes, std::uint64_t& revision);
  devicetwin::json::error store(const devicetwin::twin_id& id, std::string_view bytes, std::uint64_t expected, std::uint64_t& revision);
  devicetwin::json::error remove(const devicetwin::twin_id& id, std::uint64_t expected);

  // --- groups ----------------------------------------------------------------------------------

  /// From the first write on, writes are one transaction; its cost, one synchronisation of the disk, is paid once.
  void begin_group() { grouping_ = true; }
  /// Makes the group durable. False when that failed: then none of its writes has happened, and twins that are live must
  /// be loaded again.
  bool end_group();

  // --- identities ------------------------------------------------------------------------------

  /// The keys of an identity made over HTTP, by client id; none when there is no such.
  std::vector<std::string> keys(std::string_view client_id);
  bool put_keys(std::string_view client_id, const std::vector<std::string>& keys);
  bool remove_keys(std::string_view client_id);

  // --- sessions --------------------------------------------------------------------------------

  /// The topic filters that a client with a session of its own is subscribed to.
  std::vector<std::string> filters(std::string_view client_id);
  bool put_filter(std::string_view client_id, std::string_view filter);
  bool remove_filter(std::string_view client_id, std::string_view filter);
  bool remove_filters(std::string_view client_id);

  // --- for what is not foreseen above ---------------------------------------------------------

  const char* last_problem() const { return sqlite3_errmsg(db_); }
  bool run(const char* sql) { return sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK; }

 private:
  /// A statement for one use: bound, stepped, and reset when it goes.
  class use {
   public:
    explicit use(sqlite3_stmt* statement) : statement_(statement) {}
    use(const use&) = delete;
    use& operator=(const use&) = delete;
    ~use() {
      sqlite3_reset(statement_);
      sqlite3_clear_bindings(statement_);
    }
    use& text(int at, std::string_view t) {
      sqlite3_bind_text(statement_, at, t.data() != nullptr ? t.data() : "", static_cast<int>(t.size()), SQLITE_STATIC);
      return *this;
    }
    use& number(int at, std::uint64_t n) {
      sqlite3_bind_int64(statement_, at, static_cast<sqlite3_int64>(n));
      return *this;
    }
    use& blob(int at, std::string_view b) {
      sqlite3_bind_blob(statement_, at, b.data(), static_cast<int>(b.size()), SQLITE_STATIC);
      return *this;
    }
    int step() { return sqlite3_step(statement_); }
    std::uint64_t number_of(int column) const { return static_cast<std::uint64_t>(sqlite3_column_int64(statement_, column)); }
    std::string_view bytes_of(int column) const {
      const void* data = sqlite3_column_blob(statement_, column);
      return {static_cast<const char*>(data), static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
    }

   private:
    sqlite3_stmt* statement_;
  };

  bool start_write();
  bool change(sqlite3_stmt* statement, std::initializer_list<std::string_view> values);
  devicetwin::json::error storage_failed() const;

  sqlite3* db_ = nullptr;
  sqlite3_stmt* load_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* update_ = nullptr;
  sqlite3_stmt* delete_ = nullptr;
  sqlite3_stmt* keys_ = nullptr;
  sqlite3_stmt* put_keys_ = nullptr;
  sqlite3_stmt* delete_keys_ = nullptr;
  sqlite3_stmt* filters_ = nullptr;
  sqlite3_stmt* put_filter_ = nullptr;
  sqlite3_stmt* delete_filter_ = nullptr;
  sqlite3_stmt* delete_filters_ = nullptr;
  bool grouping_ = false;
  bool in_transaction_ = false;
};

// ---------------------------------------------------------------------------------------------

inline std::string sqlite_table::open(const std::string& path) {
  const auto failed = [this](const char* what) {
    std::string problem = std::string(what) + ": " + (db_ != nullptr ? last_problem() : "out of memory");
    close();
    return problem;
  };
  close();
  if (sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK) {
    return failed("the database cannot be opened");
  }
  sqlite3_busy_timeout(db_, 5000);
  // A revision is never used twice, also when a twin is removed and made again: it starts at random.
  if (!run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;"
           "CREATE TABLE IF NOT EXISTS twins (device TEXT NOT NULL, module TEXT NOT NULL, revision INTEGER NOT NULL,"
           " form BLOB NOT NULL, PRIMARY KEY (device, module)) WITHOUT ROWID;"
           "CREATE TABLE IF NOT EXISTS keys (client_id TEXT PRIMARY KEY, first TEXT NOT NULL, second TEXT NOT NULL) WITHOUT ROWID;"
           "CREATE TABLE IF NOT EXISTS filters (client_id TEXT NOT NULL, filter TEXT NOT NULL, PRIMARY KEY (client_id, filter)) WITHOUT ROWID;")) {
    return failed("the database cannot be set up");
  }
  const struct {
    sqlite3_stmt** statement;
    const char* sql;
  } statements[] = {
      {&load_, "SELECT revision, form FROM twins WHERE device = ? AND module = ?"},
      {&insert_,
       "INSERT OR IGNORE INTO twins VALUES (?, ?, (random() & 0x3FFFFFFFFFFF) + 1, ?) RETURNING revision"},
      {&update_, "UPDATE twins SET revision = revision + 1, form = ? WHERE device = ? AND module = ? AND revision = ? RETURNING revision"},
      {&delete_, "DELETE FROM twins WHERE device = ? AND module = ? AND revision = ?"},
      {&keys_, "SELECT first, second FROM keys WHERE client_id = ?"},
      {&put_keys_, "INSERT OR REPLACE INTO keys VALUES (?, ?, ?)"},
      {&delete_keys_, "DELETE FROM keys WHERE client_id = ?"},
      {&filters_, "SELECT filter FROM filters WHERE client_id = ?"},
      {&put_filter_, "INSERT OR IGNORE INTO filters VALUES (?, ?)"},
      {&delete_filter_, "DELETE FROM filters WHERE client_id = ? AND filter = ?"},
      {&delete_filters_, "DELETE FROM filters WHERE client_id = ?"},
  };
  for (const auto& s : statements) {
    if (sqlite3_prepare_v3(db_, s.sql, -1, SQLITE_PREPARE_PERSISTENT, s.statement, nullptr) != SQLITE_OK) return failed("a statement was not understood");
  }
  return {};
}

inline void sqlite_table::close() {
  for (sqlite3_stmt** s : {&load_, &insert_, &update_, &delete_, &keys_, &put_keys_, &delete_keys_, &filters_, &put_filter_, &delete_filter_,
                           &delete_filters_}) {
    sqlite3_finalize(*s);
    *s = nullptr;
  }
  sqlite3_close(db_);
  db_ = nullptr;
  in_transaction_ = false;
}

inline devicetwin::json::error sqlite_table::storage_failed() const {
  return sqlite3_errcode(db_) == SQLITE_NOMEM ? devicetwin::json::errc::out_of_memory : devicetwin::json::errc::storage_failed;
}

inline bool sqlite_table::start_write() {
  if (!grouping_) return true;
  // Some failures, a full disk among them, end the transaction by themselves; nothing more is for this group then.
  if (in_transaction_) return sqlite3_get_autocommit(db_) == 0;
  in_transaction_ = run("BEGIN IMMEDIATE");
  return in_transaction_;
}

inline bool sqlite_table::end_group() {
  grouping_ = false;
  if (!in_transaction_) return true;
  in_transaction_ = false;
  if (run("COMMIT")) return true;
  run("ROLLBACK");
  return false;
}

inline devicetwin::json::error sqlite_table::load(const devicetwin::twin_id& id, devicetwin::json::text_buffer& bytes, std::uint64_t& revision) {
  use row(load_);
  const int found = row.text(1, id.device).text(2, id.module).step();
  if (found == SQLITE_DONE) return devicetwin::json::errc::not_found;
  if (found != SQLITE_ROW) return storage_failed();
  revision = row.number_of(0);
  const std::string_view form = row.bytes_of(1);
  if (!bytes.append(form.data(), form.size())) return devicetwin::json::errc::out_of_memory;
  return {};
}

inline devicetwin::json::error sqlite_table::store(const devicetwin::twin_id& id, std::string_view bytes, std::uint64_t expected,
                                                   std::uint64_t& revision) {
  if (!start_write()) return storage_failed();
  use row(expected == 0 ? insert_ : update_);
  if (expected == 0) {
    row.text(1, id.device).text(2, id.module).blob(3, bytes);
  } else {
    row.blob(1, bytes).text(2, id.device).text(3, id.module).number(4, expected);
  }
  const int done = row.step();
  if (done == SQLITE_DONE) return devicetwin::json::errc::precondition_failed;
  if (done != SQLITE_ROW) return storage_failed();
  const std::uint64_t written = row.number_of(0);
  if (row.step() != SQLITE_DONE) return storage_failed();  // outside of a group this commits
  revision = written;
  return {};
}

inline devicetwin::json::error sqlite_table::remove(const devicetwin::twin_id& id, std::uint64_t expected) {
  if (!start_write()) return storage_failed();
  use row(delete_);
  if (row.text(1, id.device).text(2, id.module).number(3, expected).step() != SQLITE_DONE) return storage_failed();
  if (sqlite3_changes(db_) != 0) return {};
  use still(load_);
  const int found = still.text(1, id.device).text(2, id.module).step();
  return found == SQLITE_DONE ? devicetwin::json::errc::not_found : devicetwin::json::errc::precondition_failed;
}

inline std::vector<std::string> sqlite_table::keys(std::string_view client_id) {
  use row(keys_);
  if (row.text(1, client_id).step() != SQLITE_ROW) return {};
  std::vector<std::string> found;
  for (const int column : {0, 1}) {
    if (const std::string_view key = row.bytes_of(column); !key.empty()) found.emplace_back(key);
  }
  return found;
}

inline bool sqlite_table::change(sqlite3_stmt* statement, std::initializer_list<std::string_view> values) {
  if (!start_write()) return false;
  use row(statement);
  int at = 0;
  for (const std::string_view value : values) row.text(++at, value);
  return row.step() == SQLITE_DONE;
}

inline bool sqlite_table::put_keys(std::string_view client_id, const std::vector<std::string>& keys) {
  using text = std::string_view;
  return change(put_keys_, {client_id, keys.empty() ? text() : text(keys[0]), keys.size() < 2 ? text() : text(keys[1])});
}
inline bool sqlite_table::remove_keys(std::string_view client_id) { return change(delete_keys_, {client_id}); }

inline std::vector<std::string> sqlite_table::filters(std::string_view client_id) {
  use row(filters_);
  row.text(1, client_id);
  std::vector<std::string> found;
  while (row.step() == SQLITE_ROW) found.emplace_back(row.bytes_of(0));
  return found;
}
inline bool sqlite_table::put_filter(std::string_view client_id, std::string_view filter) { return change(put_filter_, {client_id, filter}); }
inline bool sqlite_table::remove_filter(std::string_view client_id, std::string_view filter) {
  return change(delete_filter_, {client_id, filter});
}
inline bool sqlite_table::remove_filters(std::string_view client_id) { return change(delete_filters_, {client_id}); }

}  // namespace hub
