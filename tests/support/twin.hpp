// Short ways to make and read twins in tests.
#pragma once

#include <devicetwin/twin/stored.hpp>
#include <devicetwin/twin/view.hpp>

#include <string>
#include <string_view>
#include <type_traits>

#include "text.hpp"

using devicetwin::part;

/// Whether equal() says so of two twins.
template <class A, class B, class... Options>
std::enable_if_t<!json::core::stands_for_value<A>, bool> are_equal(const A& a, const B& b,
                                                                   const Options&... options) {
  return devicetwin::equal(a, b, options...) == json::comparison::equal;
}

/// 2026-01-31T12:00:00Z, and so many seconds later.
inline devicetwin::timestamp noon(int seconds = 0) {
  return {devicetwin::parse_timestamp("2026-01-31T12:00:00Z")->ticks +
          seconds * devicetwin::ticks_per_second};
}

/// Desired or reported with what a twin keeps track of, which its users do not see.
template <class Twin>
const auto& tracked_section(const Twin& t, devicetwin::part where) {
  return devicetwin::detail::twin_access::state(t).properties(where);
}

/// A fresh twin that lives on the heap.
inline devicetwin::twin fresh_twin(const devicetwin::dialect& rules = devicetwin::azure) {
  devicetwin::twin t(rules);
  devicetwin::outcome done;
  REQUIRE(!t.create({"greenhouse-07"}, noon(), done));
  return t;
}

/// A twin of this JSON.
inline devicetwin::twin loaded_twin(std::string_view text,
                                    const devicetwin::dialect& rules = devicetwin::azure) {
  devicetwin::twin t(rules);
  const json::error e = t.load(text);
  INFO(text);
  INFO(e.message());
  REQUIRE(!e);
  return t;
}

/// A fresh twin with this desired and this reported.
inline devicetwin::twin twin_with(const std::string& desired, const std::string& reported = "{}",
                                  const devicetwin::dialect& rules = devicetwin::azure) {
  return loaded_twin(
      R"({"deviceId":"d","etag":"AAAAAAAAAAE=","version":2,"properties":{"desired":)" +
          desired.substr(0, desired.size() - 1) + (desired.size() > 2 ? "," : "") +
          R"("$version":1},"reported":)" + reported.substr(0, reported.size() - 1) +
          (reported.size() > 2 ? "," : "") + R"("$version":1}}})",
      rules);
}

template <class Twin>
std::string service_text(const Twin& t, bool metadata = true) {
  std::string text;
  devicetwin::view_options options;
  options.metadata = metadata;
  const json::error e = devicetwin::write_service_view(t, text, options);
  INFO(e.message());
  REQUIRE(!e);
  return text;
}
template <class Twin>
std::string device_text(const Twin& t) {
  std::string text;
  REQUIRE(!devicetwin::write_device_view(t, text));
  return text;
}
/// `$metadata` of a section, as the service's view shows it; empty when it has none.
template <class Twin>
std::string metadata_text(const Twin& t, part where) {
  const auto view = parsed(service_text(t));
  const auto found = json::find(view, "/properties/" + std::string(name_of(where)) + "/$metadata");
  return found ? written(**found) : std::string();
}

/// A service's patch or replacement of desired alone.
inline std::string of_desired(const std::string& desired) {
  return R"({"properties":{"desired":)" + desired + "}}";
}

/// A twin and the outcome of its last write; writes must succeed unless they are asked for their
/// error.
template <class Twin>
struct basic_test_twin {
  Twin t;
  devicetwin::outcome done;
  std::int64_t now = 0;

  explicit basic_test_twin(const devicetwin::dialect& rules = devicetwin::azure) : t(rules) {
    REQUIRE(!t.create({"devA"}, at(now), done));
  }
  json::error service(std::string_view patch) { return t.service_patch(patch, at(++now), done); }
  json::error desire(const std::string& patch) {
    return service("{\"properties\":{\"desired\":" + patch + "}}");
  }
  json::error replace(const std::string& values) {
    return t.service_replace("{\"properties\":{\"desired\":" + values + "}}", at(++now), done);
  }
  json::error report(std::string_view patch) { return t.device_patch(patch, at(++now), done); }

  std::string view(bool metadata = true) const {
    devicetwin::view_options options;
    options.metadata = metadata;
    std::string text;
    REQUIRE(!devicetwin::write_service_view(t, text, options));
    return text;
  }
  std::string since(devicetwin::part where, std::int64_t version) const {
    std::string text;
    const json::error e = devicetwin::write_changes_since(t, where, version, text);
    return e ? e.message() : text;
  }
};
using test_twin = basic_test_twin<devicetwin::twin>;

/// Everything that an outcome has.
inline std::string outcome_text(const devicetwin::outcome& done) {
  std::string text = std::string(done.notification()) + "|" + std::string(done.event()) + "|" +
                     std::string(done.etag());
  for (const std::int64_t version : {done.desired_version, done.reported_version, done.version})
    text += " " + std::to_string(version);
  for (const part p : {part::tags, part::desired, part::reported})
    text += done.wrote(p) ? "w" : "-";
  for (const devicetwin::property_change& change : done) {
    text += "\n" + std::string(change.pointer);
    text += change.old_value == nullptr ? " none" : " " + written(*change.old_value);
    text += change.new_value == nullptr ? " none" : " " + written(*change.new_value);
  }
  return text;
}

/// Everything that a twin shows and stores; "nothing" before there is one.
inline std::string state_text(const devicetwin::twin& t) {
  if (t.identity().IsNull()) return "nothing";
  std::string stored;
  REQUIRE(!devicetwin::write_stored(t, stored));
  return service_text(t) + device_text(t) + (t.in_sync() ? "in sync" : "not in sync") + stored;
}

/// Does the same with both forms of a write, the one that fills an outcome on `t` and the one that
/// returns its outcome on a copy, and expects the same of both. Returns whether they succeeded.
template <class Filling, class Returning>
bool check_both_forms(devicetwin::twin& t, Filling&& filling, Returning&& returning) {
  devicetwin::twin copy;
  REQUIRE(!copy.assign(t));
  devicetwin::outcome filled;
  const json::error e = filling(t, filled);
  const json::result<devicetwin::outcome> returned = returning(copy);
  CHECK(returned.has_value() == !e);
  CHECK(returned.error().message() == e.message());
  CHECK(returned.error().code() == e.code());
  CHECK(returned.error().pointer() == e.pointer());
  CHECK(returned.error().line() == e.line());
  CHECK(returned.error().column() == e.column());
  CHECK(outcome_text(*returned) == outcome_text(filled));
  CHECK(state_text(copy) == state_text(t));
  return !e;
}
