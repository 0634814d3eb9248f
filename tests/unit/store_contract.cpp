// The contract of stores notices each promise that a store breaks, and names it.
#include <devicetwin/testing/store_contract.hpp>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../catch.hpp"

namespace {

namespace json = devicetwin::json;
using devicetwin::new_identity;
using devicetwin::outcome;
using devicetwin::timestamp;
using devicetwin::twin;
using devicetwin::twin_id;
using json::errc;

enum class fault {
  none,
  find_has_another_error,
  find_returns_another_twin,
  commit_takes_any_id,
  commit_is_not_durable,
  commit_loses_the_write,
  commit_stores_the_module_too,
  commit_is_not_needed,
  commit_overwrites_others,
  commit_remakes_what_is_removed,
  commit_hides_a_failure,
  a_failed_commit_is_not_forgotten,
  create_overwrites,
  create_leaves_the_outcome,
  create_empties_the_outcome,
  create_takes_any_id,
  create_does_nothing,
  create_is_not_durable,
  times_are_not_stored,
  remove_takes_any_id,
  remove_does_nothing,
  remove_is_not_durable,
  remove_takes_the_modules,
  remove_ignores_others,
  remove_hides_an_error,
  a_failed_remove_is_not_forgotten,
  a_new_twin_has_the_old_values,
  ids_ignore_case,
  ids_are_joined,
  ids_are_cut,
  large_twins_are_refused
};

using key = std::pair<std::string, std::string>;
struct row {
  std::string bytes;
  std::uint64_t revision = 0;
};
/// What outlives a store.
struct shared_rows {
  std::map<key, row> rows;
  std::map<key, row> removed;
  std::uint64_t last_revision = 0;
};

/// A store over rows, written to be read, with one fault.
class faulty_store {
 public:
  using twin_type = twin;

  faulty_store(shared_rows& shared, fault f) : shared_(shared), fault_(f) {}
  /// Also the end of the program, where what was not committed should be lost.
  ~faulty_store() {
    if (fault_ != fault::commit_is_not_needed) return;
    for (auto& [id, live] : live_) static_cast<void>(store(id, live.value));
  }
  faulty_store(const faulty_store&) = delete;
  faulty_store& operator=(const faulty_store&) = delete;

  json::result<twin*> find(const twin_id& id) {
    const key k = key_of(id);
    if (live_.count(k) != 0) return &live_[k].value;
    auto found = shared_.rows.find(k);
    if (found == shared_.rows.end()) {
      if (has(fault::find_has_another_error)) return errc::handler_stopped;
      return errc::not_found;
    }
    if (has(fault::find_returns_another_twin)) found = shared_.rows.begin();
    loaded made;
    if (json::error e = load(found->second.bytes, made.value)) return e;
    made.revision = found->second.revision;
    return &(live_[k] = std::move(made)).value;
  }

  json::error commit(const twin_id& id) {
    const key k = key_of(id);
    const auto found = live_.find(k);
    if (found == live_.end())
      return has(fault::commit_takes_any_id) ? json::error() : json::error(errc::not_found);
    if (has(fault::commit_is_not_durable)) return {};
    if (has(fault::commit_loses_the_write)) {
      live_.erase(found);
      return {};
    }
    const auto stored = shared_.rows.find(k);
    const bool is_removed = stored == shared_.rows.end();
    const std::uint64_t revision = is_removed ? 0 : stored->second.revision;
    const bool passes = is_removed ? has(fault::commit_remakes_what_is_removed)
                                   : has(fault::commit_overwrites_others);
    if (revision != found->second.revision && !passes) {
      if (!has(fault::a_failed_commit_is_not_forgotten)) live_.erase(found);
      return errc::precondition_failed;
    }
    if (fails_) {
      fails_ = false;
      live_.erase(found);
      return has(fault::commit_hides_a_failure) ? json::error()
                                                : json::error(errc::handler_stopped);
    }
    if (json::error e = store(k, found->second.value)) {
      live_.erase(found);
      return e;
    }
    found->second.revision = shared_.last_revision;
    if (has(fault::commit_stores_the_module_too)) {
      for (auto& [other, r] : shared_.rows) {
        if (other.first != k.first || other == k) continue;
        r.bytes = shared_.rows[k].bytes;
        live_.erase(other);
      }
    }
    return {};
  }

  json::error create(const new_identity& who, timestamp now, outcome& done) {
    const key k = key_of({who.device_id, who.module_id});
    if (!has(fault::create_leaves_the_outcome)) done.clear();
    if (shared_.rows.count(k) != 0 && !has(fault::create_overwrites)) return errc::already_exists;
    loaded made;
    outcome own;
    outcome& to = has(fault::create_leaves_the_outcome) ? own : done;
    const bool any_id =
        has(fault::create_takes_any_id) && check_id(twin_id{who.device_id}) != errc::ok;
    if (any_id) return {};
    if (json::error e = made.value.create(who, now, to)) return e;
    if (has(fault::create_leaves_the_outcome)) {
      twin again;
      if (json::error e = again.create(who, now, done)) return e;
    }
    if (has(fault::create_empties_the_outcome)) done.clear();
    if (has(fault::create_does_nothing)) return {};
    if (has(fault::a_new_twin_has_the_old_values) && shared_.removed.count(k) != 0) {
      shared_.rows[k] = shared_.removed[k];
      shared_.rows[k].revision = ++shared_.last_revision;
      return {};
    }
    if (!has(fault::create_is_not_durable)) {
      if (json::error e = store(k, made.value)) return e;
      made.revision = shared_.last_revision;
    }
    live_[k] = std::move(made);
    return {};
  }

  json::error remove(const twin_id& id) {
    const key k = key_of(id);
    const auto found = shared_.rows.find(k);
    const auto live = live_.find(k);
    if (has(fault::remove_does_nothing)) return {};
    if (found == shared_.rows.end()) {
      const bool was_live = live != live_.end();
      if (was_live && !has(fault::a_failed_remove_is_not_forgotten)) live_.erase(live);
      if (has(fault::remove_takes_any_id)) return {};
      if (was_live && (has(fault::remove_hides_an_error) || has(fault::create_is_not_durable)))
        return {};
      return errc::not_found;
    }
    const bool overtaken = live != live_.end() && live->second.revision != found->second.revision;
    if (overtaken && !has(fault::remove_ignores_others)) {
      if (!has(fault::a_failed_remove_is_not_forgotten)) live_.erase(live);
      return errc::precondition_failed;
    }
    if (live != live_.end()) live_.erase(live);
    shared_.removed[k] = found->second;
    shared_.rows.erase(found);
    if (has(fault::remove_takes_the_modules)) {
      for (auto i = shared_.rows.begin(); i != shared_.rows.end();) {
        const bool goes = k.second.empty() && i->first.first == k.first;
        if (goes) live_.erase(i->first);
        i = goes ? shared_.rows.erase(i) : ++i;
      }
    }
    return {};
  }

  void fail_next_commit() { fails_ = true; }

 private:
  struct loaded {
    twin value;
    std::uint64_t revision = 0;
  };
  bool has(fault f) const { return fault_ == f; }

  key key_of(const twin_id& id) const {
    std::string device(id.device), module(id.module);
    if (has(fault::ids_ignore_case)) {
      for (char& c : device) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    }
    if (has(fault::ids_are_joined)) return {device + module, ""};
    if (has(fault::ids_are_cut)) return {device.substr(0, 9), module};
    return {device, module};
  }
  json::error store(const key& k, const twin& t) {
    std::string bytes;
    devicetwin::view_options options;
    options.metadata = !has(fault::times_are_not_stored);
    if (json::error e = devicetwin::write_service_view(t, bytes, options)) return e;
    if (has(fault::large_twins_are_refused) && bytes.size() > 20000) return errc::out_of_memory;
    shared_.rows[k] = {bytes, ++shared_.last_revision};
    return {};
  }
  static json::error load(const std::string& bytes, twin& t) { return t.load(bytes); }

  shared_rows& shared_;
  fault fault_;
  std::map<key, loaded> live_;
  bool fails_ = false;
};

class faulty_place : public devicetwin::testing::store_place {
 public:
  explicit faulty_place(fault f) : fault_(f) { start(); }
  faulty_store& store() { return *held_; }
  bool reopen() {
    held_.reset();
    if (fault_ == fault::remove_is_not_durable) {
      for (const auto& [k, r] : shared_.removed) shared_.rows.insert({k, r});
    }
    start();
    return true;
  }
  bool another_patches(const twin_id& id, std::string_view patch) {
    faulty_store theirs(shared_, fault::none);
    outcome done;
    const auto found = theirs.find(id);
    return found && !(*found)->device_patch(patch, timestamp{}, done) && !theirs.commit(id);
  }
  bool another_removes(const twin_id& id) { return !faulty_store(shared_, fault::none).remove(id); }
  bool next_commit_fails() {
    held_->fail_next_commit();
    return true;
  }

 private:
  void start() { held_ = std::make_unique<faulty_store>(shared_, fault_); }

  fault fault_;
  shared_rows shared_;
  std::unique_ptr<faulty_store> held_;
};

std::vector<std::string> promises_broken_by(fault f) {
  faulty_place place(f);
  std::vector<std::string> promises;
  const std::size_t broken =
      devicetwin::testing::store_contract(place, [&](const devicetwin::testing::broken_promise& b) {
        CHECK(!b.twin.empty());
        CHECK(b.expected != b.actual);
        promises.push_back(b.promise);
      });
  CHECK(broken == promises.size());
  return promises;
}

}  // namespace

TEST_CASE("a store that keeps every promise breaks none", "[store_contract]") {
  const auto broken = promises_broken_by(fault::none);
  CHECK(broken == std::vector<std::string>());
}

TEST_CASE("a store that breaks a promise is found out, and the promise is named",
          "[store_contract]") {
  const std::pair<fault, const char*> faults[] = {
      {fault::find_has_another_error, "find() of a twin that is not there returns not_found"},
      {fault::find_returns_another_twin, "find() returns the twin of this id"},
      {fault::commit_takes_any_id, "commit() of a twin that is not there returns not_found"},
      {fault::commit_is_not_durable,
       "commit() is durable: a restart does not lose what was written"},
      {fault::commit_loses_the_write, "commit() keeps what was written"},
      {fault::commit_stores_the_module_too, "commit() of one twin leaves the others alone"},
      {fault::commit_is_not_needed, "what was not committed is not stored"},
      {fault::commit_overwrites_others,
       "commit() returns precondition_failed when another has stored the twin since find()"},
      {fault::commit_remakes_what_is_removed,
       "commit() returns precondition_failed when another has removed the twin since find()"},
      {fault::commit_hides_a_failure,
       "commit() returns an error when it could not store the write"},
      {fault::a_failed_commit_is_not_forgotten,
       "after an error of commit(), find() returns what is stored, without the failed write"},
      {fault::create_overwrites, "create() of a twin that is there returns already_exists"},
      {fault::create_leaves_the_outcome, "create() leaves the outcome empty after an error"},
      {fault::create_empties_the_outcome,
       "create() fills the outcome as basic_twin::create() does"},
      {fault::create_takes_any_id, "create() returns the errors of basic_twin::create()"},
      {fault::create_does_nothing, "create() makes a twin"},
      {fault::create_is_not_durable, "create() is durable: a restart does not lose the twin"},
      {fault::times_are_not_stored, "a twin keeps the times of its writes over a restart"},
      {fault::remove_takes_any_id, "remove() of a twin that is not there returns not_found"},
      {fault::remove_does_nothing, "remove() removes the twin"},
      {fault::remove_is_not_durable, "remove() is durable: a restart does not bring the twin back"},
      {fault::remove_takes_the_modules, "remove() of a device leaves its modules"},
      {fault::remove_ignores_others,
       "remove() returns precondition_failed when another has stored the twin since find()"},
      {fault::remove_hides_an_error, "remove() returns an error when another has removed the twin"},
      {fault::a_failed_remove_is_not_forgotten,
       "after an error of remove(), find() returns what is stored"},
      {fault::a_new_twin_has_the_old_values, "a twin that is made anew starts again"},
      {fault::ids_ignore_case, "each id has a twin of its own"},
      {fault::ids_are_joined, "each id has a twin of its own"},
      {fault::ids_are_cut, "each id has a twin of its own"},
      {fault::large_twins_are_refused, "a twin may be as large as its dialect allows"}};
  CHECK(std::size(faults) == static_cast<std::size_t>(fault::large_twins_are_refused));
  for (const auto& [f, promise] : faults) {
    const auto broken = promises_broken_by(f);
    INFO(promise);
    for (const std::string& other : broken) UNSCOPED_INFO("    found: " + other);
    CHECK(std::count(broken.begin(), broken.end(), promise) != 0);
  }
}

TEST_CASE("a broken promise is told in one sentence", "[store_contract]") {
  const devicetwin::testing::broken_promise b{"remove() removes the twin", "pump-7/fan",
                                              "the error \"not found\"", "no error"};
  CHECK(b.message() ==
        "remove() removes the twin: for pump-7/fan expected the error \"not found\", got no error");
}

TEST_CASE("a store in memory alone is tested without the steps that it cannot take",
          "[store_contract]") {
  struct : devicetwin::testing::store_place {
    devicetwin::memory_store held;
    devicetwin::memory_store& store() { return held; }
  } place;
  CHECK(devicetwin::testing::store_contract(
            place, [](const devicetwin::testing::broken_promise&) {}) == 0);
  CHECK(place.held.size() == 0);
}
