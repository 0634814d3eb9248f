/// Twins in an SQLite file: the requirement twin_table of devicetwin/twin/store.hpp; and what else
/// of a hub must outlive it, the identities that were made over HTTP and the subscriptions of
/// sessions that are kept.
#pragma once

#include <devicetwin/twin/store.hpp>

#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "identity_record.hpp"
#include "sqlite_file.hpp"

namespace hub {

/// A database of twins, for one thread. What store() and remove() did is durable when they return,
/// unless a group is open: then it is when end_group() has returned true. The file is in
/// write-ahead mode with full synchronisation: neither a kill nor a power loss takes away what was
/// durable. Only its owner can read it.
class sqlite_table {
 public:
  sqlite_table() = default;
  sqlite_table(const sqlite_table&) = delete;
  sqlite_table& operator=(const sqlite_table&) = delete;
  ~sqlite_table() { close(); }

  /// Opens the file, and makes it if there is none. A file of an older version is changed to this
  /// one's tables. Returns what went wrong, in one sentence, or nothing; then the file is as it
  /// was.
  std::string open(const std::string& path);
  void close();

  // --- twin_table ------------------------------------------------------------------------------

  devicetwin::json::error load(const devicetwin::twin_id& id, devicetwin::text_buffer& bytes,
                               std::uint64_t& revision);
  devicetwin::json::error store(const devicetwin::twin_id& id, std::string_view bytes,
                                std::uint64_t expected, std::uint64_t& revision);
  devicetwin::json::error remove(const devicetwin::twin_id& id, std::uint64_t expected);

  // --- groups ----------------------------------------------------------------------------------

  /// From the first write on, writes are one transaction; its cost, one synchronisation of the
  /// disk, is paid once.
  void begin_group() { grouping_ = true; }
  /// Makes the group durable. False when that failed: then none of its writes has happened, and
  /// twins that are live must be loaded again.
  bool end_group();

  /// A part of a group that can be undone without the rest. Parts do not overlap. False when it
  /// cannot be begun.
  bool begin_part() { return start_write() && run("SAVEPOINT part"); }
  /// Keeps what was written since begin_part(), or undoes it. False when that failed; the whole
  /// group fails then.
  bool end_part(bool keep) { return run(keep ? "RELEASE part" : "ROLLBACK TO part; RELEASE part"); }

  // --- identities ------------------------------------------------------------------------------

  /// The record of an identity made over HTTP, by client id. Errors: not_found; damaged, when it is
  /// not a sound record.
  devicetwin::json::error identity(std::string_view client_id, identity_record& record);
  bool put_identity(std::string_view client_id, const identity_record& record);
  /// Removes the identities and twins of a device and its modules, or of one module, readable or
  /// not. `removed` gets the number of rows added. Subscriptions stay: the broker keeps its session
  /// of the client, and tells a client of the same id that it is still subscribed.
  bool remove_identity(const devicetwin::twin_id& id, std::size_t* removed = nullptr);
  /// The same for all modules of a device.
  bool remove_modules(std::string_view device, std::size_t* removed = nullptr);
  /// The modules of a device that have a twin.
  std::vector<std::string> modules_with_twins(std::string_view device);

  // --- sessions --------------------------------------------------------------------------------

  /// The topic filters that a client with a session of its own is subscribed to.
  std::vector<std::string> filters(std::string_view client_id);
  bool put_filter(std::string_view client_id, std::string_view filter);
  bool remove_filter(std::string_view client_id, std::string_view filter);
  bool remove_filters(std::string_view client_id);

  // --- for what is not foreseen above ---------------------------------------------------------

  const char* last_problem() const { return sqlite3_errmsg(db_); }
  bool run(const char* sql) { return detail::run_sql(db_, sql); }

 private:
  enum statement : std::size_t {
    load_twin,
    insert_twin,
    update_twin,
    delete_revision,
    delete_twin,
    delete_module_twins,
    twin_modules,
    find_identity,
    write_identity_row,
    delete_identity,
    delete_module_identities,
    find_filters,
    write_filter,
    delete_filter,
    delete_filters,
    statement_count
  };

  bool start_write();
  bool change(statement which, std::initializer_list<std::string_view> values,
              std::size_t* changed = nullptr);
  std::vector<std::string> texts(statement which, std::string_view key);
  devicetwin::json::error storage_failed() const;

  sqlite3* db_ = nullptr;
  sqlite3_stmt* statements_[statement_count] = {};
  bool grouping_ = false;
  bool in_transaction_ = false;
};

// ---------------------------------------------------------------------------------------------

inline std::string sqlite_table::open(const std::string& path) {
  close();
  if (std::string problem = make_private(path); !problem.empty()) return problem;
  const auto failed = [this](const char* what) {
    std::string problem =
        std::string(what) + ": " + (db_ != nullptr ? last_problem() : "out of memory");
    close();
    return problem;
  };
  if (sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr) !=
      SQLITE_OK) {
    return failed("the database cannot be opened");
  }
  sqlite3_busy_timeout(db_, 5000);
  if (std::string problem = set_up_tables(db_); !problem.empty()) {
    close();
    return problem;
  }
  // Client ids are `device` and `device/module`: the modules of a device are the ids between
  // `device/` and `device0`. A revision is never used twice, also when a twin is removed and made
  // again: it starts at random.
  const char* const sql[statement_count] = {
      "SELECT revision, form FROM twins WHERE device = ? AND module = ?",
      "INSERT OR IGNORE INTO twins VALUES (?, ?, (random() & 0x3FFFFFFFFFFF) + 1, ?) RETURNING "
      "revision",
      "UPDATE twins SET revision = revision + 1, form = ? WHERE device = ? AND module = ? AND "
      "revision = ? RETURNING revision",
      "DELETE FROM twins WHERE device = ? AND module = ? AND revision = ?",
      "DELETE FROM twins WHERE device = ? AND module = ?",
      "DELETE FROM twins WHERE device = ? AND module <> ''",
      "SELECT module FROM twins WHERE device = ? AND module <> ''",
      "SELECT primary_key, secondary_key, status, status_reason, status_time, generation, etag "
      "FROM identities WHERE client_id = ?",
      "INSERT OR REPLACE INTO identities VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      "DELETE FROM identities WHERE client_id = ?",
      "DELETE FROM identities WHERE client_id > ? AND client_id < ?",
      "SELECT filter FROM filters WHERE client_id = ?",
      "INSERT OR IGNORE INTO filters VALUES (?, ?)",
      "DELETE FROM filters WHERE client_id = ? AND filter = ?",
      "DELETE FROM filters WHERE client_id = ?",
  };
  for (std::size_t i = 0; i < statement_count; ++i) {
    if (sqlite3_prepare_v3(db_, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &statements_[i], nullptr) !=
        SQLITE_OK)
      return failed("a statement was not understood");
  }
  return {};
}

inline void sqlite_table::close() {
  for (sqlite3_stmt*& s : statements_) {
    sqlite3_finalize(s);
    s = nullptr;
  }
  sqlite3_close(db_);
  db_ = nullptr;
  in_transaction_ = false;
}

inline devicetwin::json::error sqlite_table::storage_failed() const {
  return sqlite3_errcode(db_) == SQLITE_NOMEM ? devicetwin::json::errc::out_of_memory
                                              : devicetwin::json::errc::storage_failed;
}

inline bool sqlite_table::start_write() {
  if (!grouping_) return true;
  // Some failures, a full disk among them, end the transaction by themselves; nothing more is for
  // this group then.
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

inline devicetwin::json::error sqlite_table::load(const devicetwin::twin_id& id,
                                                  devicetwin::text_buffer& bytes,
                                                  std::uint64_t& revision) {
  sqlite_use row(statements_[load_twin]);
  const int found = row.text(1, id.device).text(2, id.module).step();
  if (found == SQLITE_DONE) return devicetwin::json::errc::not_found;
  if (found != SQLITE_ROW) return storage_failed();
  if (row.number_of(0) <= 0)
    return devicetwin::json::errc::damaged;  // store() never writes such a revision
  const std::string_view form = row.bytes_of(1);
  if (!form.empty() && !bytes.append(form.data(), form.size()))
    return devicetwin::json::errc::out_of_memory;
  revision = static_cast<std::uint64_t>(row.number_of(0));
  return {};
}

inline devicetwin::json::error sqlite_table::store(const devicetwin::twin_id& id,
                                                   std::string_view bytes, std::uint64_t expected,
                                                   std::uint64_t& revision) {
  if (!start_write()) return storage_failed();
  sqlite_use row(statements_[expected == 0 ? insert_twin : update_twin]);
  if (expected == 0) {
    row.text(1, id.device).text(2, id.module).blob(3, bytes);
  } else {
    row.blob(1, bytes).text(2, id.device).text(3, id.module).number(4, expected);
  }
  const int done = row.step();
  if (done == SQLITE_DONE) return devicetwin::json::errc::precondition_failed;
  if (done != SQLITE_ROW) return storage_failed();
  const auto written = static_cast<std::uint64_t>(row.number_of(0));
  if (row.step() != SQLITE_DONE) return storage_failed();  // outside of a group this commits
  revision = written;
  return {};
}

inline devicetwin::json::error sqlite_table::remove(const devicetwin::twin_id& id,
                                                    std::uint64_t expected) {
  if (!start_write()) return storage_failed();
  sqlite_use row(statements_[delete_revision]);
  if (row.text(1, id.device).text(2, id.module).number(3, expected).step() != SQLITE_DONE)
    return storage_failed();
  if (sqlite3_changes(db_) != 0) return {};
  sqlite_use still(statements_[load_twin]);
  const int found = still.text(1, id.device).text(2, id.module).step();
  return found == SQLITE_DONE ? devicetwin::json::errc::not_found
                              : devicetwin::json::errc::precondition_failed;
}

inline bool sqlite_table::change(statement which, std::initializer_list<std::string_view> values,
                                 std::size_t* changed) {
  if (!start_write()) return false;
  sqlite_use row(statements_[which]);
  int at = 0;
  for (const std::string_view value : values) row.text(++at, value);
  if (row.step() != SQLITE_DONE) return false;
  if (changed != nullptr) *changed += static_cast<std::size_t>(sqlite3_changes(db_));
  return true;
}

inline std::vector<std::string> sqlite_table::texts(statement which, std::string_view key) {
  sqlite_use row(statements_[which]);
  row.text(1, key);
  std::vector<std::string> found;
  while (row.step() == SQLITE_ROW) found.emplace_back(row.bytes_of(0));
  return found;
}

inline devicetwin::json::error sqlite_table::identity(std::string_view client_id,
                                                      identity_record& record) {
  sqlite_use row(statements_[find_identity]);
  const int found = row.text(1, client_id).step();
  if (found == SQLITE_DONE) return devicetwin::json::errc::not_found;
  if (found != SQLITE_ROW) return storage_failed();
  identity_record read;
  std::string status;
  int column = 0;
  for (std::string* text : {&read.primary_key, &read.secondary_key, &status, &read.status_reason,
                            &read.status_time, &read.generation, &read.etag}) {
    if (!row.is_text(column)) return devicetwin::json::errc::damaged;
    *text = row.bytes_of(column++);
  }
  read.enabled = status == "enabled";
  if ((!read.enabled && status != "disabled") || !is_sound(read))
    return devicetwin::json::errc::damaged;
  record = std::move(read);
  return {};
}

inline bool sqlite_table::put_identity(std::string_view client_id, const identity_record& record) {
  return change(write_identity_row, {client_id, record.primary_key, record.secondary_key,
                                     record.enabled ? "enabled" : "disabled", record.status_reason,
                                     record.status_time, record.generation, record.etag});
}

inline bool sqlite_table::remove_identity(const devicetwin::twin_id& id, std::size_t* removed) {
  std::string client_id(id.device);
  if (!id.module.empty()) client_id.append("/").append(id.module);
  return (!id.module.empty() || remove_modules(id.device, removed)) &&
         change(delete_identity, {client_id}, removed) &&
         change(delete_twin, {id.device, id.module}, removed);
}

inline bool sqlite_table::remove_modules(std::string_view device, std::size_t* removed) {
  const std::string first = std::string(device) + "/", end = std::string(device) + "0";
  return change(delete_module_identities, {first, end}, removed) &&
         change(delete_module_twins, {device}, removed);
}

inline std::vector<std::string> sqlite_table::modules_with_twins(std::string_view device) {
  return texts(twin_modules, device);
}

inline std::vector<std::string> sqlite_table::filters(std::string_view client_id) {
  return texts(find_filters, client_id);
}
inline bool sqlite_table::put_filter(std::string_view client_id, std::string_view filter) {
  return change(write_filter, {client_id, filter});
}
inline bool sqlite_table::remove_filter(std::string_view client_id, std::string_view filter) {
  return change(delete_filter, {client_id, filter});
}
inline bool sqlite_table::remove_filters(std::string_view client_id) {
  return change(delete_filters, {client_id});
}

}  // namespace hub
