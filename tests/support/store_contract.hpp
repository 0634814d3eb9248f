// What the requirement twin_store (devicetwin/twin/store.hpp) asks, on any store.
//
//     struct place {                       // where one store after the other lives
//       my_store& store();
//       bool reopen();                     // as after a restart; false when such a store does not
//       survive one bool another_patches(const devicetwin::twin_id&, std::string_view patch);  //
//       by a store of their own on the same data; bool another_removes(const devicetwin::twin_id&);
//       // false when there can be none
//     };
//     TEST_CASE("my store fulfils twin_store") { place p; store_contract(p); }
#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "twin.hpp"

template <class Place>
void store_contract(Place& place) {
  using devicetwin::outcome;
  using devicetwin::twin_id;
  using store_type = std::decay_t<decltype(place.store())>;
  static_assert(devicetwin::is_twin_store<store_type>);
  outcome done;
  const twin_id device{"greenhouse-07"}, module{"greenhouse-07", "fan"};
  const auto code = [](const auto& r) {
    if constexpr (std::is_same_v<std::decay_t<decltype(r)>, json::error>) {
      return r.code();
    } else {
      return r.error().code();
    }
  };
  const auto create = [&](const twin_id& id) {
    return place.store().create({id.device, id.module}, noon(), done);
  };
  const auto view = [&](const twin_id& id) {
    const auto found = place.store().find(id);
    INFO(id.device << '/' << id.module << ' ' << found.error().message());
    REQUIRE(found);
    return device_text(**found);
  };
  const auto report = [&](const twin_id& id, std::string_view patch) {
    const auto found = place.store().find(id);
    REQUIRE(found);
    const json::error e = (*found)->device_patch(patch, noon(1), done);
    REQUIRE(!e);
  };
  const std::string fresh = R"({"desired":{"$version":1},"reported":{"$version":1}})";

  // Nothing there.
  CHECK(code(place.store().find(device)) == errc::not_found);
  CHECK(code(place.store().commit(device)) == errc::not_found);
  CHECK(code(place.store().remove(device)) == errc::not_found);

  // Made, and found.
  REQUIRE(!create(device));
  CHECK(done.version == 2);
  CHECK(!done.event().empty());
  CHECK(view(device) == fresh);
  CHECK(code(place.store().find(module)) == errc::not_found);
  CHECK(code(create(device)) == errc::already_exists);
  CHECK(done.event().empty());
  CHECK(code(create({"not/an/id"})) == errc::invalid_identity);
  REQUIRE(!create(module));
  CHECK((*place.store().find(module))->module_id() == "fan");
  CHECK((*place.store().find(device))->module_id().empty());

  // Written and committed: it is there, now and later, and only there.
  report(device, R"({"a":1})");
  REQUIRE(!place.store().commit(device));
  const std::string one = R"({"desired":{"$version":1},"reported":{"a":1,"$version":2}})";
  CHECK(view(device) == one);
  CHECK(view(module) == fresh);
  if (place.reopen()) {
    CHECK(view(device) == one);
    CHECK(view(module) == fresh);
    CHECK((*place.store().find(device))->stamp_of(part::reported, "/a")->time == noon(1));
    CHECK(code(create(device)) == errc::already_exists);
    // Written and not committed: a restart forgets it.
    report(device, R"({"a":2})");
    REQUIRE(place.reopen());
    CHECK(view(device) == one);
  }

  // Somebody else writes in between.
  static_cast<void>(view(device));
  if (place.another_patches(device, R"({"b":1})")) {
    report(device, R"({"a":3})");
    CHECK(code(place.store().commit(device)) == errc::precondition_failed);
    CHECK(view(device) == R"({"desired":{"$version":1},"reported":{"a":1,"b":1,"$version":3}})");
    report(device, R"({"a":3})");
    REQUIRE(!place.store().commit(device));
    const std::string both = R"({"desired":{"$version":1},"reported":{"a":3,"b":1,"$version":4}})";
    CHECK(view(device) == both);
    REQUIRE(place.reopen());
    CHECK(view(device) == both);
    // ... or removes it.
    REQUIRE(place.another_removes(device));
    report(device, R"({"a":4})");
    CHECK(place.store().commit(device));
    CHECK(code(place.store().find(device)) == errc::not_found);
    REQUIRE(!create(device));
    CHECK(view(device) == fresh);
    // Removing what is gone already is told, and then known.
    REQUIRE(place.another_removes(device));
    CHECK(place.store().remove(device));
  } else {
    REQUIRE(!place.store().remove(device));
  }

  // Removed, and made anew: it starts again.
  CHECK(code(place.store().find(device)) == errc::not_found);
  CHECK(code(place.store().remove(device)) == errc::not_found);
  CHECK(view(module) == fresh);
  REQUIRE(!create(device));
  CHECK(view(device) == fresh);
  REQUIRE(!place.store().remove(device));
  REQUIRE(!place.store().remove(module));
  static_cast<void>(place.reopen());
  CHECK(code(place.store().find(device)) == errc::not_found);
  CHECK(code(place.store().find(module)) == errc::not_found);

  // Ids of every kind, in any order; each with a twin of its own.
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
  for (int i = 0; i < 600; ++i)
    ids.emplace_back("device-" + std::to_string(i * 7919 % 1000),
                     i % 3 == 0 ? "m" + std::to_string(i) : "");
  std::mt19937 random(7);
  std::shuffle(ids.begin(), ids.end(), random);
  const auto id_of = [&](std::size_t i) { return twin_id{ids[i].first, ids[i].second}; };
  for (std::size_t i = 0; i < ids.size(); ++i) {
    REQUIRE(!create(id_of(i)));
    report(id_of(i), "{\"n\":" + std::to_string(i) + "}");
    REQUIRE(!place.store().commit(id_of(i)));
  }
  std::shuffle(ids.begin(), ids.begin() + 300, random);  // from here on only their presence counts
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto found = place.store().find(id_of(i));
    REQUIRE(found);
    CHECK((*found)->device_id() == ids[i].first);
    CHECK((*found)->module_id() == ids[i].second);
    if (i >= 300)
      CHECK(*json::get<std::int64_t>((*found)->reported(), "/n") == static_cast<std::int64_t>(i));
  }
  for (std::size_t i = 0; i < ids.size(); i += 2) REQUIRE(!place.store().remove(id_of(i)));
  static_cast<void>(place.reopen());
  for (std::size_t i = 0; i < ids.size(); ++i)
    CHECK(static_cast<bool>(place.store().find(id_of(i))) == (i % 2 == 1));
  for (std::size_t i = 1; i < ids.size(); i += 2) REQUIRE(!place.store().remove(id_of(i)));

  // A large one.
  REQUIRE(!create(device));
  for (int i = 0; i < 7; ++i) {
    report(device, "{\"n" + std::to_string(i) + "\":\"" + std::string(4000, 'x') + "\"}");
    REQUIRE(!place.store().commit(device));
  }
  const std::string large = view(device);
  CHECK(large.size() > 28000);
  if (place.reopen()) CHECK(view(device) == large);
  REQUIRE(!place.store().remove(device));
}
