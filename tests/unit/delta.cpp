// Desired minus reported, and acknowledgements.
#include "../support/twin.hpp"

#include <string>

#include "../support/random_json.hpp"

using devicetwin::answer_state;
using devicetwin::delta_kind;

namespace {

std::string delta_of(const devicetwin::twin& t) {
  std::string text;
  REQUIRE(!devicetwin::write_delta(t, text));
  return text;
}

std::string listed(const devicetwin::twin& t, const devicetwin::delta_options& options = {}) {
  constexpr const char* kinds[] = {"missing", "different", "only reported", "was desired"};
  devicetwin::delta_list list;
  REQUIRE(!devicetwin::list_delta(t, list, options));
  std::string text;
  for (std::size_t i = 0; i < list.size(); ++i) {
    text += std::string(list[i].pointer) + " " + kinds[static_cast<int>(list[i].kind)] + "; ";
    CHECK((list[i].desired == nullptr) == (list[i].kind >= delta_kind::only_reported));
    CHECK((list[i].reported == nullptr) == (list[i].kind == delta_kind::missing));
  }
  return text;
}

}  // namespace

TEST_CASE("a delta lists what is missing, different, only reported, or was desired", "[delta]") {
  test_twin x;
  CHECK(x.t.in_sync());
  CHECK(delta_of(x.t) == "{}");
  REQUIRE(!x.desire(R"({"a":1,"o":{"p":{"q":1,"r":[1,2]}},"e":{}})"));
  CHECK(!x.t.in_sync());
  CHECK(delta_of(x.t) == R"({"a":1,"o":{"p":{"q":1,"r":[1,2]}},"e":{}})");
  REQUIRE(!x.report(R"({"a":1.0,"o":{"p":{"q":2,"r":[1,2]}},"x":{"y":1}})"));
  CHECK(delta_of(x.t) == R"({"o":{"p":{"q":1}},"e":{}})");
  CHECK(listed(x.t) == "/o/p/q different; /e missing; /x only reported; ");
  REQUIRE(!x.report(R"({"o":{"p":{"q":1}},"e":{"more":1}})"));
  CHECK(x.t.in_sync());
  CHECK(delta_of(x.t) == "{}");
  REQUIRE(!x.desire(R"({"a":null,"o":{"p":{"r":null}}})"));
  CHECK(x.t.in_sync());
  CHECK(listed(x.t) ==
        "/o/p/r was desired; /e/more only reported; /a was desired; /x only reported; ");
}

TEST_CASE("an acknowledgement counts in a delta as the value it names", "[delta]") {
  test_twin x;
  REQUIRE(!x.desire(R"({"fan":2,"zone":{"t":20}})"));
  devicetwin::delta_options late;
  late.now = at(1'000'000);
  late.allowed = ms(50);
  CHECK(devicetwin::answer_to(x.t, "/fan")->state == answer_state::none);
  CHECK(devicetwin::answer_to(x.t, "/fan", late)->state == answer_state::overdue);
  REQUIRE(!x.report(R"({"fan":{"value":1,"ac":202,"av":1,"ad":"soon"}})"));
  CHECK(devicetwin::answer_to(x.t, "/fan")->state ==
        answer_state::pending);  // it answers an older version
  REQUIRE(!x.report(R"({"fan":{"value":1,"ac":400,"av":2,"ad":"too fast"}})"));
  const auto refused = devicetwin::answer_to(x.t, "/fan");
  CHECK(refused->state == answer_state::refused);
  CHECK(refused->code == 400);
  CHECK(refused->text == "too fast");
  CHECK(devicetwin::answer_to(x.t, "/fan", late)->state == answer_state::refused);
  CHECK(delta_of(x.t) == R"({"fan":2,"zone":{"t":20}})");
  REQUIRE(!x.report(R"({"fan":{"value":2,"ac":200},"zone":{"value":{"t":20},"ac":200,"av":2}})"));
  CHECK(x.t.in_sync());
  CHECK(devicetwin::answer_to(x.t, "/fan")->state == answer_state::accepted);
  REQUIRE(!x.report(R"({"fan":{"ac":null}})"));  // no acknowledgement any more
  CHECK(delta_of(x.t) == R"({"fan":2})");
  REQUIRE(!x.report(R"({"fan":2})"));
  CHECK(devicetwin::answer_to(x.t, "/fan")->state == answer_state::accepted);
  CHECK(devicetwin::answer_to(x.t, "/none").error().code() == errc::not_found);
}

TEST_CASE("an equal value needs no answer, and an answer holds for what is inside", "[delta]") {
  test_twin x;
  REQUIRE(!x.desire(R"({"fan":1,"zone":{"t":20,"u":1}})"));  // version 2
  REQUIRE(!x.desire(R"({"fan":2})"));                        // version 3
  REQUIRE(!x.report(
      R"({"fan":{"value":2,"ac":200,"av":1},"zone":{"value":{"t":19},"ac":400,"av":2,"ad":"too warm"}})"));
  CHECK(devicetwin::answer_to(x.t, "/fan")->state ==
        answer_state::accepted);  // an older version, but what is desired now
  CHECK(devicetwin::answer_to(x.t, "/zone")->state == answer_state::refused);
  CHECK(devicetwin::answer_to(x.t, "/zone/t")->state == answer_state::refused);
  CHECK(devicetwin::answer_to(x.t, "/zone/t")->text == "too warm");
  CHECK(devicetwin::answer_to(x.t, "/zone/u")->state == answer_state::refused);
  CHECK(devicetwin::answer_to(x.t, "")->state == answer_state::none);
  devicetwin::delta_list list;
  REQUIRE(!devicetwin::list_delta(x.t, list));
  REQUIRE(list.size() == 2);
  for (std::size_t i = 0; i < list.size(); ++i) {
    CHECK(list[i].said.state == answer_state::refused);
    CHECK(list[i].said.code == 400);
    CHECK(devicetwin::answer_to(x.t, list[i].pointer)->state == list[i].said.state);
  }
  REQUIRE(!x.report(R"({"fan":null,"zone":{"value":{"t":20,"u":1,"v":1}}})"));
  CHECK(devicetwin::answer_to(x.t, "/zone/t")->state ==
        answer_state::refused);  // it answered just this version
  REQUIRE(!x.desire(R"({"zone":{"t":20}})"));
  CHECK(devicetwin::answer_to(x.t, "/zone/t")->state == answer_state::accepted);
  CHECK(delta_of(x.t) == R"({"fan":2})");
  // A plain object that has more is in step, and so is what is inside.
  REQUIRE(!x.report(R"({"fan":2,"zone":null})"));
  REQUIRE(!x.report(R"({"zone":{"t":20,"u":1,"v":[1]}})"));
  CHECK(x.t.in_sync());
  CHECK(devicetwin::answer_to(x.t, "/zone")->state == answer_state::accepted);
  CHECK(devicetwin::answer_to(x.t, "/zone/u")->state == answer_state::accepted);
  CHECK(devicetwin::answer_to(x.t, "")->state == answer_state::accepted);
}

TEST_CASE("where it is not known when a property was desired, an older answer is none", "[delta]") {
  const std::string reported =
      R"("reported":{"a":{"value":2,"ac":400,"av":3},"b":{"value":2,"ac":400,"av":4}})";
  for (
      const std::string metadata :
      {"",
       R"(,"$metadata":{"$lastUpdated":"2020-01-01T00:00:00Z","a":{"$lastUpdated":"2020-01-01T00:00:00Z"}})",
       R"(,"$metadata":{"a":{"$lastUpdated":"2020-01-01T00:00:00Z","$lastUpdatedVersion":-1}})",
       R"(,"$metadata":{"a":{"$lastUpdated":"2020-01-01T00:00:00Z","$lastUpdatedVersion":99},"b":{"$lastUpdated":"2020-01-01T00:00:00Z","$lastUpdatedVersion":99}})"}) {
    INFO(metadata);
    const std::string text = R"({"properties":{"desired":{"a":1,"b":1)" + metadata +
                             R"(,"$version":4},)" + reported + "}}";
    const devicetwin::twin t = loaded_twin(text);
    CHECK(devicetwin::answer_to(t, "/a")->state == answer_state::pending);
    CHECK(devicetwin::answer_to(t, "/b")->state == answer_state::refused);
  }
}

TEST_CASE("an answer to an object is none for a member that was desired later", "[delta]") {
  const auto stamp = [](int v) {
    return R"("$lastUpdated":"2020-01-01T00:00:00Z","$lastUpdatedVersion":)" + std::to_string(v);
  };
  const devicetwin::twin t = loaded_twin(
      R"({"properties":{"desired":{"a":{"b":2,"c":1},"$metadata":{)" + stamp(1) + R"(,"a":{)" +
      stamp(1) + R"(,"b":{)" + stamp(3) + R"(},"c":{)" + stamp(1) +
      R"(}}},"$version":4},"reported":{"a":{"value":{"b":1,"c":2},"ac":200,"av":2}}}})");
  CHECK(devicetwin::answer_to(t, "/a")->state == answer_state::pending);
  CHECK(devicetwin::answer_to(t, "/a/b")->state == answer_state::pending);
  CHECK(devicetwin::answer_to(t, "/a/c")->state == answer_state::accepted);
}

TEST_CASE("an initial value answers nothing, also where desired has no version", "[delta]") {
  const devicetwin::twin t = loaded_twin(
      R"({"desired":{"a":1,"b":1},"reported":{"a":{"value":2,"ac":203,"av":0},"b":{"value":1,"ac":203,"av":0}}})");
  CHECK(devicetwin::answer_to(t, "/a")->state == answer_state::pending);
  CHECK(devicetwin::answer_to(t, "/b")->state == answer_state::accepted);
}

TEST_CASE("how long a device may take is defined for every time", "[delta]") {
  for (const std::int64_t desired : {INT64_MIN, std::int64_t{-1}, std::int64_t{1}, INT64_MAX}) {
    for (const std::int64_t now : {INT64_MIN, std::int64_t{0}, INT64_MAX}) {
      devicetwin::twin t = fresh_twin();
      devicetwin::outcome done;
      REQUIRE(!t.service_patch(of_desired(R"({"a":1})"), at(desired), done));
      for (const std::int64_t allowed : {INT64_MIN, std::int64_t{0}, std::int64_t{1}, INT64_MAX}) {
        devicetwin::delta_options options;
        options.now = at(now);
        options.allowed = ms(allowed);
        const bool overdue = allowed == 1 && now > desired && !(desired == -1 && now == 0);
        CHECK((devicetwin::answer_to(t, "/a", options)->state == answer_state::overdue) == overdue);
      }
    }
  }
}

TEST_CASE("in_sync is what the delta says, after any writes", "[delta][property]") {
  for (unsigned seed = 0; seed < 120; ++seed) {
    INFO(seed);
    random_json random(seed);
    test_twin x(seed % 2 != 0 ? devicetwin::azure : devicetwin::edge_hub);
    std::string acked = R"({"a":{"value":1,"ac":200,"av":1}})";
    for (int i = 0; i < 20; ++i) {
      switch (random.below(6)) {
        case 0:
          static_cast<void>(x.desire(random.object(0)));
          break;
        case 1:
          static_cast<void>(x.replace(random.object(0)));
          break;
        case 2:
          static_cast<void>(x.report(acked));
          break;
        case 3:
          static_cast<void>(x.report(R"({"a":{"value":)" + random.value(2) + "}}"));
          break;
        case 4:
          static_cast<void>(x.report(written(x.t.desired())));
          break;
        default:
          static_cast<void>(x.report(random.object(0)));
      }
      CHECK(x.t.in_sync() == (delta_of(x.t) == "{}"));
      devicetwin::twin again(x.t.rules());
      REQUIRE(!again.load(x.view()));
      CHECK(again.in_sync() == x.t.in_sync());
    }
  }
}

TEST_CASE("an acknowledgement's integers may be spelled as decimals", "[delta]") {
  for (const std::string& ack : std::initializer_list<std::string>{
           R"("ac":200.0,"av":2)", R"("ac":2e2,"av":2.0)", R"("ac":200,"av":0.2e1)"}) {
    INFO(ack);
    test_twin x;
    REQUIRE(!x.desire(R"({"a":1})"));
    REQUIRE(!x.report(R"({"a":{"value":1,)" + ack + "}}"));
    CHECK(x.t.in_sync());
    CHECK(delta_of(x.t) == "{}");
    const auto said = devicetwin::answer_to(x.t, "/a");
    REQUIRE(said);
    CHECK(said->state == answer_state::accepted);
    CHECK(said->code == 200);
    CHECK(said->version == 2);
  }
  for (const std::string& ack : std::initializer_list<std::string>{
           R"("ac":200.5,"av":2)", R"("ac":200,"av":1e300)", R"("ac":"200","av":2)"}) {
    INFO(ack);
    test_twin x;
    REQUIRE(!x.desire(R"({"a":1})"));
    REQUIRE(!x.report(R"({"a":{"value":1,)" + ack + "}}"));
    CHECK(!x.t.in_sync());
  }
}
