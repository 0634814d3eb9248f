/// Tests a store of your own against the requirement twin_store (twin/store.hpp), with any test
/// framework or none:
///
///     struct my_place : devicetwin::testing::store_place {  // says how to get at the store
///       my_store& store();
///       bool reopen();
///     };
///     my_place place;
///     const std::size_t broken = devicetwin::testing::store_contract(
///         place, [](const devicetwin::testing::broken_promise& b) { puts(b.message().c_str()); });
///
/// docs/testing.md has a whole program.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <random>       // std::mt19937
#include <string>       // std::string
#include <string_view>  // std::string_view
#include <type_traits>  // std::remove_reference_t
#include <utility>      // std::declval, std::swap
#include <vector>       // std::vector

#include "../json/get.hpp"
#include "../twin/store.hpp"
#include "../twin/view.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace testing {

/// A promise of twin_store that a store does not keep.
struct broken_promise {
  std::string promise;   ///< what a store promises, as a sentence
  std::string twin;      ///< the twin that shows it: "device" or "device/module"
  std::string expected;  ///< what a store that keeps the promise returns
  std::string actual;    ///< what this one returned

  /// All of it in one sentence.
  std::string message() const {
    return promise + ": for " + twin + " expected " + expected + ", got " + actual;
  }
};

/// What a place can do. Derive from it, add `store()`, and hide the functions that your store can
/// offer. A function that returns false leaves out the tests that need it.
struct store_place {
  // my_store& store();  returns the store. It is empty when the test starts. Needed.

  /// Makes store() another one over the same data, as after a restart of the program, with nothing
  /// committed beforehand. False when a store of this kind does not outlive the program.
  bool reopen() { return false; }
  /// Patches the reported properties of a twin through another store over the same data, and
  /// commits. False when there can be no other store.
  bool another_patches(const twin_id&, std::string_view) { return false; }
  /// Removes a twin through another store over the same data.
  bool another_removes(const twin_id&) { return false; }
  /// Lets the next commit() of store() fail, as with a full disk. False when commits do not fail.
  bool next_commit_fails() { return false; }
};

namespace detail {

/// The steps of the test. Each starts with no twin in the store and leaves none.
template <class Place, class Report>
class store_contract_test {
  using store_type = std::remove_reference_t<decltype(std::declval<Place&>().store())>;
  static_assert(sizeof(devicetwin::detail::check_twin_store<store_type>) !=
                0);  // says what a store lacks

 public:
  store_contract_test(Place& place, Report& report) : place_(place), report_(report) {}

  std::size_t run() {
    nothing_is_found_in_an_empty_store();
    a_twin_is_made_once();
    a_removed_twin_can_be_made_anew();
    what_is_committed_is_kept();
    what_was_not_committed_is_lost_with_the_program();
    a_commit_notices_that_another_has_written();
    a_commit_notices_that_another_has_removed();
    a_removal_notices_what_another_did();
    a_commit_that_fails_is_forgotten();
    each_id_has_a_twin_of_its_own();
    a_large_twin_is_kept();
    return broken_;
  }

 private:
  // --- the steps --------------------------------------------------------------------------------

  void nothing_is_found_in_an_empty_store() {
    for (const twin_id& id : {device, module}) {
      is_code(place_.store().find(id).error(), json::errc::not_found, id,
              "find() of a twin that is not there returns not_found");
      is_code(place_.store().commit(id), json::errc::not_found, id,
              "commit() of a twin that is not there returns not_found");
      is_code(place_.store().remove(id), json::errc::not_found, id,
              "remove() of a twin that is not there returns not_found");
    }
  }

  void a_twin_is_made_once() {
    if (!create(device)) return;
    is(done_.version == 2 && !done_.event().empty(), device,
       "create() fills the outcome as basic_twin::create() does", "version 2 and an event",
       "version " + std::to_string(done_.version) + (done_.event().empty() ? ", no event" : ""));
    shows(device, fresh, "create() makes a twin");
    is_code(place_.store().find(module).error(), json::errc::not_found, module,
            "find() of a twin that is not there returns not_found");
    is_code(try_create(device), json::errc::already_exists, device,
            "create() of a twin that is there returns already_exists");
    is(done_.event().empty(), device, "create() leaves the outcome empty after an error",
       "no event", "an event");
    is_code(try_create({"not/an/id"}), json::errc::invalid_identity, {"not/an/id"},
            "create() returns the errors of basic_twin::create()");
    if (create(module)) {
      has_id(module);
      has_id(device);
    }
    for (const twin_id& id : {module, device}) {
      remove(id);
      is_code(place_.store().find(id).error(), json::errc::not_found, id,
              "remove() removes the twin");
    }
  }

  void a_removed_twin_can_be_made_anew() {
    const char* const promise = "remove() removes the twin";
    if (!create(device) || !create(module)) return;
    write_and_commit(device, R"({"a":1})", promise);
    is_code(place_.store().remove(device), json::errc::ok, device, promise);
    is_code(place_.store().find(device).error(), json::errc::not_found, device, promise);
    is_code(place_.store().commit(device), json::errc::not_found, device,
            "commit() of a removed twin returns not_found");
    is_code(place_.store().remove(device), json::errc::not_found, device,
            "remove() of a removed twin returns not_found");
    shows(module, fresh, "remove() of a device leaves its modules");
    if (create(device)) shows(device, fresh, "a twin that is made anew starts again");
    is_code(place_.store().remove(device), json::errc::ok, device, promise);
    is_code(place_.store().remove(module), json::errc::ok, module, promise);
    if (!place_.reopen()) return;
    for (const twin_id& id : {device, module}) {
      is_code(place_.store().find(id).error(), json::errc::not_found, id,
              "remove() is durable: a restart does not bring the twin back");
    }
  }

  void what_is_committed_is_kept() {
    const char* const promise = "commit() keeps what was written";
    const char* const durable = "commit() is durable: a restart does not lose what was written";
    if (!create(device) || !create(module)) return;
    write_and_commit(device, R"({"a":1})", promise);
    const std::string one = R"({"desired":{"$version":1},"reported":{"a":1,"$version":2}})";
    shows(device, one, promise);
    shows(module, fresh, "commit() of one twin leaves the others alone");
    if (place_.reopen()) {
      shows(device, one, durable);
      shows(module, fresh, "create() is durable: a restart does not lose the twin");
      const auto found = place_.store().find(device);
      if (found) {
        const auto stamp = (*found)->stamp_of(part::reported, "/a");
        is(stamp && stamp->time == noon(1), device,
           "a twin keeps the times of its writes over a restart", "the time of the write",
           stamp ? "another time" : stamp.error().message());
      }
      is_code(try_create(device), json::errc::already_exists, device,
              "create() of a twin that is there returns already_exists, also after a restart");
    }
    remove(device);
    remove(module);
  }

  void what_was_not_committed_is_lost_with_the_program() {
    const char* const promise = "what was not committed is not stored";
    if (!create(device)) return;
    if (write(device, R"({"a":1})", promise) && place_.reopen()) shows(device, fresh, promise);
    remove(device);
  }

  void a_commit_notices_that_another_has_written() {
    const char* const promise =
        "commit() returns precondition_failed when another has stored the twin since find()";
    const char* const forgets =
        "after an error of commit(), find() returns what is stored, without the failed write";
    if (!create(device)) return;
    const auto found = place_.store().find(device);
    if (!is_code(found.error(), json::errc::ok, device, promise)) return;
    if (place_.another_patches(device, R"({"b":1})")) {
      if (write_to(**found, R"({"a":3})", promise))
        is_code(place_.store().commit(device), json::errc::precondition_failed, device, promise);
      shows(device, R"({"desired":{"$version":1},"reported":{"b":1,"$version":2}})", forgets);
      write_and_commit(device, R"({"a":3})", forgets);
      const char* const both =
          R"({"desired":{"$version":1},"reported":{"b":1,"a":3,"$version":3}})";
      shows(device, both, "a write after a failed commit() is based on what is stored");
      if (place_.reopen())
        shows(device, both, "commit() is durable: a restart does not lose what was written");
    }
    remove(device);
  }

  void a_commit_notices_that_another_has_removed() {
    const char* const promise =
        "commit() returns precondition_failed when another has removed the twin since find()";
    if (!create(device)) return;
    const auto found = place_.store().find(device);
    if (!is_code(found.error(), json::errc::ok, device, promise)) return;
    if (!place_.another_removes(device)) return remove(device);
    if (write_to(**found, R"({"a":4})", promise))
      is_code(place_.store().commit(device), json::errc::precondition_failed, device, promise);
    is_code(place_.store().find(device).error(), json::errc::not_found, device,
            "after an error of commit(), find() of a removed twin returns not_found");
    if (create(device)) shows(device, fresh, "a twin that is made anew starts again");
    remove(device);
  }

  void a_removal_notices_what_another_did() {
    const char* const promise =
        "remove() returns precondition_failed when another has stored the twin since find()";
    if (!create(device) ||
        !is_code(place_.store().find(device).error(), json::errc::ok, device, promise))
      return;
    if (place_.another_patches(device, R"({"b":1})")) {
      is_code(place_.store().remove(device), json::errc::precondition_failed, device, promise);
      shows(device, R"({"desired":{"$version":1},"reported":{"b":1,"$version":2}})",
            "after an error of remove(), find() returns what is stored");
    }
    if (!place_.another_removes(device)) return remove(device);
    const char* const gone = "remove() returns an error when another has removed the twin";
    const json::error e = place_.store().remove(device);
    is(e.failed(), device, gone, "an error", "no error");
    is_code(place_.store().find(device).error(), json::errc::not_found, device,
            "after an error of remove(), find() of a removed twin returns not_found");
  }

  void a_commit_that_fails_is_forgotten() {
    const char* const promise = "commit() returns an error when it could not store the write";
    if (!create(device)) return;
    if (write(device, R"({"a":1})", promise) && place_.next_commit_fails()) {
      const json::error e = place_.store().commit(device);
      is(e.failed(), device, promise, "an error", "no error");
      // The write may have reached the store before the failure; but then it stays.
      const std::string now = view(device);
      is(now == fresh || now == R"({"desired":{"$version":1},"reported":{"a":1,"$version":2}})",
         device, "after an error of commit(), find() returns what is stored", fresh, now);
      if (place_.reopen())
        shows(device, now, "after an error of commit(), find() returns what is stored");
    }
    remove(device);
  }

  /// Ids of every kind, in any order. Stops at the first broken promise: the others would be alike.
  void each_id_has_a_twin_of_its_own() {
    const char* const promise = "each id has a twin of its own";
    std::mt19937 random(7);
    std::vector<std::pair<std::string, std::string>> ids = all_kinds_of_ids();
    shuffle(ids, random);
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < ids.size(); ++i) order.push_back(i);
    const auto id_of = [&](std::size_t i) { return twin_id{ids[i].first, ids[i].second}; };
    for (const std::size_t i : order) {
      if (!create(id_of(i), promise) ||
          !write_and_commit(id_of(i), "{\"n\":" + std::to_string(i) + "}", promise))
        return;
    }
    shuffle(order, random);
    static_cast<void>(place_.reopen());
    for (const std::size_t i : order) {
      if (!has_id(id_of(i)) || !shows(id_of(i),
                                      R"({"desired":{"$version":1},"reported":{"n":)" +
                                          std::to_string(i) + ",\"$version\":2}}",
                                      promise))
        return;
    }
    const auto remove_every_second = [&](std::size_t first) {
      for (std::size_t i = first; i < ids.size(); i += 2) remove(id_of(i));
    };
    remove_every_second(0);
    static_cast<void>(place_.reopen());
    for (const std::size_t i : order) {
      if (!is_code(place_.store().find(id_of(i)).error(),
                   i % 2 == 0 ? json::errc::not_found : json::errc::ok, id_of(i), promise))
        return;
    }
    remove_every_second(1);
  }
  /// The same order on every machine, which std::shuffle does not promise.
  template <class Element>
  static void shuffle(std::vector<Element>& elements, std::mt19937& random) {
    for (std::size_t i = elements.size(); i > 1; --i)
      std::swap(elements[i - 1], elements[random() % i]);
  }
  static std::vector<std::pair<std::string, std::string>> all_kinds_of_ids() {
    std::vector<std::pair<std::string, std::string>> ids = {
        {"a", ""},
        {"a", "b"},
        {"ab", ""},
        {"A", ""},
        {"a'", ""},
        {"%", ""},
        {"_", "%"},
        {"*?", "$"},
        {";", "'"},
        {"a#b", "c@d"},
        {"b", "a"},
        {"-:.+%_#*?!(),=@;$'", "-:.+%_#*?!(),=@;$'"},
        {std::string(128, 'x'), std::string(128, 'y')},
        {std::string(128, 'x'), ""}};
    for (int i = 0; i < 600; ++i) {
      ids.emplace_back("device-" + std::to_string(i * 7919 % 1000),
                       i % 3 == 0 ? "m" + std::to_string(i) : "");
    }
    return ids;
  }

  void a_large_twin_is_kept() {
    const char* const promise = "a twin may be as large as its dialect allows";
    if (!create(device)) return;
    for (int i = 0; i < 7; ++i) {
      if (!write_and_commit(device,
                            "{\"n" + std::to_string(i) + "\":\"" + std::string(4000, 'x') + "\"}",
                            promise))
        break;
    }
    const std::string large = view(device);
    is(large.size() > 28000, device, promise, "28,000 bytes",
       std::to_string(large.size()) + " bytes");
    if (place_.reopen()) shows(device, large, promise);
    remove(device);
  }

  // --- what the steps are made of ---------------------------------------------------------------

  bool is(bool holds, const twin_id& id, const char* promise, std::string expected,
          std::string actual) {
    if (holds) return true;
    ++broken_;
    std::string twin(id.device);
    if (!id.module.empty()) twin += "/" + std::string(id.module);
    report_(static_cast<const broken_promise&>(
        broken_promise{promise, twin, std::move(expected), std::move(actual)}));
    return false;
  }
  static std::string name_of_code(json::errc code) {
    return code == json::errc::ok ? "no error"
                                  : "the error \"" + std::string(json::describe(code)) + "\"";
  }
  bool is_code(const json::error& e, json::errc expected, const twin_id& id, const char* promise) {
    return is(e.code() == expected, id, promise, name_of_code(expected), name_of_code(e.code()));
  }

  static timestamp noon(int seconds = 0) {
    return {(std::int64_t{1'769'860'800} + seconds) * ticks_per_second};  // 2026-01-31T12:00:00Z
  }
  json::error try_create(const twin_id& id) {
    new_identity who;
    who.device_id = id.device;
    who.module_id = id.module;
    return place_.store().create(who, noon(), done_);
  }
  bool create(const twin_id& id, const char* promise = "create() makes a twin") {
    return is_code(try_create(id), json::errc::ok, id, promise);
  }
  /// Whatever a step has made; that it is gone is for other steps to test.
  void remove(const twin_id& id) { static_cast<void>(place_.store().remove(id)); }

  bool write(const twin_id& id, std::string_view patch, const char* promise) {
    const auto found = place_.store().find(id);
    if (!found) return is_code(found.error(), json::errc::ok, id, promise);
    return write_to(**found, patch, promise);
  }
  template <class Twin>
  bool write_to(Twin& t, std::string_view patch, const char* promise) {
    return is_code(t.device_patch(patch, noon(1), done_), json::errc::ok,
                   {t.device_id(), t.module_id()}, promise);
  }
  bool write_and_commit(const twin_id& id, std::string_view patch, const char* promise) {
    return write(id, patch, promise) &&
           is_code(place_.store().commit(id), json::errc::ok, id, promise);
  }

  /// The device's view of a twin, or why there is none.
  std::string view(const twin_id& id) {
    const auto found = place_.store().find(id);
    if (!found) return name_of_code(found.error().code());
    std::string text;
    const json::error e = devicetwin::write_device_view(**found, text);
    return e ? name_of_code(e.code()) : text;
  }
  bool shows(const twin_id& id, const std::string& expected, const char* promise) {
    const std::string actual = view(id);
    return is(actual == expected, id, promise, expected, actual);
  }
  bool has_id(const twin_id& id) {
    const char* const promise = "find() returns the twin of this id";
    const auto found = place_.store().find(id);
    if (!found) return is_code(found.error(), json::errc::ok, id, promise);
    return is((*found)->device_id() == id.device && (*found)->module_id() == id.module, id, promise,
              "its ids",
              std::string((*found)->device_id()) + "/" + std::string((*found)->module_id()));
  }

  static constexpr twin_id device{"greenhouse-07", {}};
  static constexpr twin_id module{"greenhouse-07", "fan"};
  static constexpr const char* fresh = R"({"desired":{"$version":1},"reported":{"$version":1}})";

  Place& place_;
  Report& report_;
  outcome done_;
  std::size_t broken_ = 0;
};

}  // namespace detail

/// Tests `place.store()` against everything that twin_store asks of a store, and calls
/// `report(const broken_promise&)` for each promise that is not kept. Returns how many those are.
/// The store must be empty; it is empty afterwards, unless it is broken. The twins are azure's or
/// of another dialect that takes 28 KB of reported properties. Cost: some 2,000 calls of the store,
/// 600 of them commits, and up to ten restarts.
template <class Place, class Report>
std::size_t store_contract(Place& place, Report&& report) {
  return detail::store_contract_test<Place, Report>(place, report).run();
}

}  // namespace testing
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
