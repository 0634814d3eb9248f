// Both forms of a twin's writes: the one that fills a caller's outcome and the one that returns its
// own. They do the same, also when they are refused, and when there is no memory.
#include "../support/twin.hpp"

#include <string>
#include <vector>

#include "../support/failing_heap.hpp"
#include "../support/random_json.hpp"

using devicetwin::outcome;
using devicetwin::twin;

namespace {

/// Does `act(twin, memory)`, which returns a json::result<outcome>, with the 1st, 2nd, ... request
/// of the twin's heap refused until it succeeds, each time on a twin made by `make(twin)`. After
/// each failure the twin is what it was, and the same write succeeds. Returns how often it failed.
template <class Make, class Act>
int refusals(Make&& make, Act&& act) {
  std::string twin_after, outcome_after;
  {
    twin t;
    make(t);
    const auto done = act(t, devicetwin::memory_source());
    INFO(done.error().message());
    REQUIRE(done);
    twin_after = state_text(t);
    outcome_after = outcome_text(*done);
  }
  int failures = 0;
  for (std::size_t n = 1, left = 1; left != 0; ++n) {
    REQUIRE(n < 3000);
    failing_heap heap;
    {
      twin t(devicetwin::azure, devicetwin::heap_memory(heap.source()));
      make(t);
      const std::string before = state_text(t);
      heap.refused_request = heap.requests + n;
      const auto done = act(t, heap.source());
      left = heap.requests >= heap.refused_request ? 1 : 0;
      heap.refused_request = 0;
      if (done) {
        CHECK(outcome_text(*done) == outcome_after);
      } else {
        ++failures;
        CHECK(left != 0);
        CHECK(done.error().code() == errc::out_of_memory);
        CHECK(outcome_text(*done) == outcome_text(outcome()));
        if (state_text(t) != before) CHECK(state_text(t) == before);
        REQUIRE(act(t, heap.source()));
      }
      if (state_text(t) != twin_after) CHECK(state_text(t) == twin_after);
    }
    CHECK(heap.out == 0);
  }
  return failures;
}

/// The same with both forms of a write.
template <class Make, class Filling, class Returning>
void survives_both(Make&& make, Filling&& filling, Returning&& returning) {
  const int filled = refusals(
      make, [&](twin& t, const devicetwin::memory_source& memory) -> json::result<outcome> {
        outcome done(memory);
        if (json::error e = filling(t, done)) {
          CHECK(outcome_text(done) == outcome_text(outcome()));
          return e;
        }
        return done;
      });
  const int returned =
      refusals(make, [&](twin& t, const devicetwin::memory_source&) { return returning(t); });
  // Both need memory for the outcome and for what is written.
  CHECK(filled > 2);
  CHECK(returned > 2);
}

const auto nothing = [](twin&) {};
const std::string long_text = "a text that is longer than a value has room for";

/// A twin with some of everything: objects, arrays, texts of their own, tombstones, stamps.
const auto a_used_one = [](twin& t) {
  REQUIRE(t.create({"greenhouse-07", "", "dtmi:example:greenhouse;1"}, noon()));
  REQUIRE(t.service_patch(R"({"tags":{"site":")" + long_text + R"(","floor":{"n":1}}})", noon()));
  std::string members = "{";
  for (int i = 0; i < 20; ++i) {
    members += (i == 0 ? "\"" : ",\"") + std::string("property_with_a_long_name_") +
               std::to_string(i) + "\":{\"deep\":{\"er\":[[" + std::to_string(i) + ",\"" +
               long_text + "\"]]}}";
  }
  members += "}";
  REQUIRE(t.service_patch(of_desired(members), noon(1)));
  REQUIRE(t.device_patch(members, noon(2)));
  REQUIRE(t.device_patch(R"({"property_with_a_long_name_3":null})", noon(3)));
};

/// Adds, changes and removes in the members of a_used_one.
std::string patch() {
  std::string text = "{";
  for (int i = 0; i < 24; ++i) {
    text += (i == 0 ? "\"" : ",\"") + std::string("property_with_a_long_name_") +
            std::to_string(i) + "\":";
    text += i % 3 == 0   ? "null"
            : i % 3 == 1 ? "{\"deep\":{\"er\":null,\"new\":{\"a\":{\"b\":\"" + long_text + "\"}}}}"
                         : "[\"" + long_text + "\",{\"c\":{}}]";
  }
  return text + "}";
}
const std::string tags = R"("tags":{"site":null,"more":{"a":[1,")" + long_text + R"("]}})";

}  // namespace

TEST_CASE("both forms of create() survive every failing allocation", "[twin][outcome][failure]") {
  const devicetwin::new_identity who{"device-1", "a-module-with-a-long-name",
                                     "dtmi:example:thermostat_with_a_long_name;1"};
  for (const bool used : {false, true}) {
    survives_both([&](twin& t) { used ? a_used_one(t) : nothing(t); },
                  [&](twin& t, outcome& done) { return t.create(who, noon(9), done); },
                  [&](twin& t) { return t.create(who, noon(9)); });
  }
}

TEST_CASE("both forms of the service's writes survive every failing allocation",
          "[twin][outcome][failure]") {
  const std::string write = "{" + tags + ",\"properties\":{\"desired\":" + patch() + "}}";
  survives_both(
      a_used_one,
      [&](twin& t, outcome& done) { return t.service_patch(write, noon(9), done, "*"); },
      [&](twin& t) { return t.service_patch(write, noon(9), "*"); });
  const auto value = parsed(write);
  survives_both(
      a_used_one, [&](twin& t, outcome& done) { return t.service_patch(value, noon(9), done); },
      [&](twin& t) { return t.service_patch(value, noon(9)); });
  const std::string whole = R"({"tags":{"x":")" + long_text +
                            R"("},"properties":{"desired":{"property_with_a_long_name_1":{"y":[")" +
                            long_text + R"("]},"z":1}}})";
  survives_both(
      a_used_one, [&](twin& t, outcome& done) { return t.service_replace(whole, noon(9), done); },
      [&](twin& t) { return t.service_replace(whole, noon(9)); });
}

TEST_CASE("both forms of a device's write survive every failing allocation",
          "[twin][outcome][failure]") {
  const std::string text = patch();
  const auto value = parsed(text);
  survives_both(
      a_used_one, [&](twin& t, outcome& done) { return t.device_patch(text, noon(9), done, -1); },
      [&](twin& t) { return t.device_patch(text, noon(9), -1); });
  survives_both(
      a_used_one, [&](twin& t, outcome& done) { return t.device_patch(value, noon(9), done); },
      [&](twin& t) { return t.device_patch(value, noon(9)); });
}

TEST_CASE("both forms of a notification survive every failing allocation",
          "[twin][outcome][failure]") {
  twin hub;
  a_used_one(hub);
  const std::string before = device_text(hub);
  const auto sent = hub.service_patch(of_desired(patch()), noon(9));
  REQUIRE(sent);
  const std::string notification(sent->notification());
  REQUIRE(notification.size() > 1000);
  const auto copy = [&](twin& t) { REQUIRE(!t.load(before)); };
  survives_both(
      copy,
      [&](twin& t, outcome& done) { return t.apply_notification(notification, noon(9), done); },
      [&](twin& t) { return t.apply_notification(notification, noon(9)); });
  const auto value = parsed(notification);
  survives_both(
      copy, [&](twin& t, outcome& done) { return t.apply_notification(value, noon(9), done); },
      [&](twin& t) { return t.apply_notification(value, noon(9)); });
}

TEST_CASE("both forms of an event survive every failing allocation", "[twin][outcome][failure]") {
  twin hub;
  a_used_one(hub);
  const std::string before = service_text(hub);
  const auto copy = [&](twin& t) { REQUIRE(!t.load(before)); };
  for (const bool by_service : {true, false}) {
    twin source;
    REQUIRE(!source.assign(hub));
    const auto sent =
        by_service ? source.service_patch(
                         "{" + tags + ",\"properties\":{\"desired\":" + patch() + "}}", noon(9))
                   : source.device_patch(patch(), noon(9));
    REQUIRE(sent);
    const std::string event(sent->event());
    REQUIRE(event.size() > 1000);
    survives_both(
        copy, [&](twin& t, outcome& done) { return t.apply_event(event, done); },
        [&](twin& t) { return t.apply_event(event); });
    const auto value = parsed(event);
    survives_both(
        copy, [&](twin& t, outcome& done) { return t.apply_event(value, done); },
        [&](twin& t) { return t.apply_event(value); });
  }
}

TEST_CASE("a load that finds no memory leaves the twin as it was", "[twin][failure]") {
  twin source;
  a_used_one(source);
  const std::string view = service_text(source), device = device_text(source);
  for (const std::string& text : {view, device}) {
    const auto value = parsed(text);
    for (const bool used : {false, true}) {
      const auto make = [&](twin& t) { used ? a_used_one(t) : nothing(t); };
      const auto loaded = [](const json::error& e) -> json::result<outcome> {
        if (e) return e;
        return outcome();
      };
      CHECK(refusals(make, [&](twin& t, const devicetwin::memory_source&) {
              return loaded(t.load(text));
            }) > 1);
      CHECK(refusals(make, [&](twin& t, const devicetwin::memory_source&) {
              return loaded(t.load(value));
            }) > 1);
    }
  }
}

TEST_CASE("both forms of a write do the same with any patch", "[twin][outcome][property]") {
  int taken = 0, refused = 0;
  for (unsigned seed = 0; seed < 150; ++seed) {
    INFO(seed);
    random_json random(seed);
    const devicetwin::dialect& rules = seed % 3 == 0   ? devicetwin::rfc7396
                                       : seed % 3 == 1 ? devicetwin::edge_hub
                                                       : devicetwin::azure;
    twin hub(rules), device(rules), back_end(rules);
    REQUIRE(hub.create({"d"}, noon()));
    for (int i = 1; i < 12; ++i) {
      REQUIRE(!device.load(device_text(hub)));
      REQUIRE(!back_end.load(service_text(hub)));
      // Of three patches one may have what no twin holds, another is cut off.
      random_json tame(random.below(60000));
      tame.for_twins();
      std::string written = random.below(3) == 0 ? random.patch() : tame.patch();
      if (random.below(8) == 0) written.resize(random.below(static_cast<unsigned>(written.size())));
      if (random.below(16) == 0 && !written.empty()) written.insert(1, "\"$x\":1,");
      const std::string of_service = R"({"properties":{"desired":)" + written + R"(},"tags":)" +
                                     (random.below(2) == 0 ? written : "{}") + "}";
      const std::string if_match = random.below(4) == 0 ? "wrong" : random.below(2) == 0 ? "*" : "";
      const std::int64_t version = random.below(4) == 0 ? 1 : twin::any_version;
      const auto now = noon(i);
      const std::string before = state_text(hub);
      bool written_by_both;
      std::string notification, event;
      const auto note = [&](const json::error& failure, const outcome& done) {
        notification = done.notification();
        event = done.event();
        return failure;
      };
      switch (random.below(3)) {
        case 0:
          written_by_both = check_both_forms(
              hub,
              [&](twin& t, outcome& done) {
                return note(t.service_patch(of_service, now, done, if_match), done);
              },
              [&](twin& t) { return t.service_patch(of_service, now, if_match); });
          break;
        case 1:
          written_by_both = check_both_forms(
              hub,
              [&](twin& t, outcome& done) {
                return note(t.service_replace(of_service, now, done, if_match), done);
              },
              [&](twin& t) { return t.service_replace(of_service, now, if_match); });
          break;
        default:
          written_by_both = check_both_forms(
              hub,
              [&](twin& t, outcome& done) {
                return note(t.device_patch(written, now, done, version), done);
              },
              [&](twin& t) { return t.device_patch(written, now, version); });
      }
      ++(written_by_both ? taken : refused);
      if (!written_by_both) CHECK(state_text(hub) == before);
      // What came of it at the copies, and once more, where it is refused; or cut off.
      for (int twice = 0; twice < 2; ++twice) {
        if (random.below(8) == 0) {
          notification.resize(notification.size() / 2);
          event.resize(event.size() / 2);
        }
        const std::string old_device = state_text(device), old_back_end = state_text(back_end);
        if (!check_both_forms(
                device,
                [&](twin& t, outcome& done) {
                  return t.apply_notification(notification, now, done);
                },
                [&](twin& t) { return t.apply_notification(notification, now); }))
          CHECK(state_text(device) == old_device);
        if (!check_both_forms(
                back_end, [&](twin& t, outcome& done) { return t.apply_event(event, done); },
                [&](twin& t) { return t.apply_event(event); }))
          CHECK(state_text(back_end) == old_back_end);
      }
    }
  }
  CHECK(taken > 300);
  CHECK(refused > 300);
}
