#include "../support/text.hpp"

#include <string>
#include <vector>

#include "../support/failing_heap.hpp"
#include "../support/random_json.hpp"

using devicetwin::answer_state;
using devicetwin::part;

namespace {

std::string unanswered(std::string_view desired, std::string_view reported, std::int64_t version,
                       devicetwin::component_names components = {}) {
  std::string all;
  const json::error e = devicetwin::find_unanswered(
      desired, reported, version, components, [&](const devicetwin::unanswered_property& p) {
        if (!all.empty()) all += " ";
        all += std::string(p.pointer) + (p.said.state == answer_state::none ? ":none" : ":pending");
      });
  return e ? e.message() : all;
}

}  // namespace

TEST_CASE("acknowledgements are written as Plug and Play has them", "[plug_and_play]") {
  std::string patch;
  devicetwin::property_writer<std::string> properties(patch);
  properties.property("serial", R"("A1")");
  properties.acknowledge("interval", {"60", 202, 7, "soon"});
  properties.component("thermostat1");
  properties.acknowledge("target", {" 21.5 ", 200, 7});
  properties.property("max", "null");
  properties.component("thermostat2");
  properties.acknowledge("target", devicetwin::initial_value(R"({"a":[1,null]})"));
  REQUIRE(!properties.finish());
  CHECK(
      patch ==
      R"({"serial":"A1","interval":{"value":60,"ac":202,"av":7,"ad":"soon"},)"
      R"("thermostat1":{"__t":"c","target":{"value":21.5,"ac":200,"av":7,"ad":null},"max":null},)"
      R"("thermostat2":{"__t":"c","target":{"value":{"a":[1,null]},"ac":203,"av":0,"ad":null}}})");
}

TEST_CASE("what is reported now is replaced where the writer knows it", "[plug_and_play]") {
  const std::string reported =
      R"({"a":{"value":{"x":1,"y":{"z":1,"u":2}},"ac":200,"av":1,"ad":"old","more":1},"b":{"p":1,"q":2},"n\u0061me":{"value":{"s":1},"ac":200,"av":1},)"
      R"("t":{"__t":"c","a":{"value":{"k":1},"ac":200,"av":1},"v":[{"a":1}]},"plain":{"r":1}})";
  std::string patch, whole;
  devicetwin::property_writer<std::string> properties(patch, reported);
  properties.acknowledge("a", {R"( {"y":{"u":2}, "w":null} )", 200, 2});
  properties.property("b", R"( {"q":3} )");
  properties.acknowledge("name", {R"({"v":1})", 200, 2});
  properties.acknowledge("plain", {"7", 200, 2, "said"});
  properties.acknowledge("new", {R"({"m":1})", 200, 2});
  properties.component("t");
  properties.acknowledge("a", {R"({"l":[null]})", 202, 3});
  properties.property("v", R"({"b":1})");
  REQUIRE(!properties.finish());
  REQUIRE(!devicetwin::merge::apply_merge_patch_text(reported, patch, whole));
  CHECK(are_equal(
      parsed(whole),
      parsed(
          R"({"a":{"value":{"y":{"u":2}},"ac":200,"av":2},"b":{"q":3},"name":{"value":{"v":1},"ac":200,"av":2},)"
          R"("t":{"__t":"c","a":{"value":{"l":[null]},"ac":202,"av":3},"v":{"b":1}},)"
          R"("plain":{"value":7,"ac":200,"av":2,"ad":"said"},"new":{"value":{"m":1},"ac":200,"av":2}})")));
  for (const char* value : {"", "{", R"({"a":1,"a":2})", R"({"a":tru})"}) {
    std::string none = "before";
    devicetwin::property_writer<std::string> wrong(none, reported);
    wrong.acknowledge("a", {value, 200, 1});
    wrong.property("b", R"({"q":1})");
    CHECK(wrong.finish());
    CHECK(none == "before");
  }
}

TEST_CASE("any value replaces any other", "[plug_and_play][property]") {
  for (unsigned seed = 0; seed < 300; ++seed) {
    INFO(seed);
    random_json random(seed);
    const std::string reported = R"({"a":)" + random.object(0) + R"(,"b":{"value":)" +
                                 random.object(0) + R"(,"ac":200,"av":1,"ad":"x"}})";
    const std::string a = random.object(0), b = random.object(0);
    INFO(reported << "\n" << a << "\n" << b);
    std::string patch, whole, wanted;
    devicetwin::property_writer<std::string> properties(patch, reported);
    properties.property("a", a);
    properties.acknowledge("b", {b, 200, 2});
    REQUIRE(!properties.finish());
    REQUIRE(!devicetwin::merge::apply_merge_patch_text(reported, patch, whole));
    REQUIRE(!devicetwin::merge::apply_merge_patch_text(
        "{}", R"({"a":)" + a + R"(,"b":{"value":)" + b + R"(,"ac":200,"av":2}})", wanted));
    CHECK(are_equal(parsed(whole), parsed(wanted)));
  }
}

TEST_CASE("names and texts of acknowledgements are escaped", "[plug_and_play]") {
  std::string patch;
  devicetwin::property_writer<std::string> properties(patch);
  properties.component("a\"b");
  properties.acknowledge("c\\d\n", {"true", 400, 9223372036854775807, "not \"so\"\x01\xC3\xA9"});
  REQUIRE(!properties.finish());
  CHECK(
      patch ==
      R"({"a\"b":{"__t":"c","c\\d\n":{"value":true,"ac":400,"av":9223372036854775807,"ad":"not \"so\"\u0001é"}}})");
  CHECK(written(parsed(patch)) == patch);
  std::string empty;
  devicetwin::property_writer<std::string> nothing(empty);
  REQUIRE(!nothing.finish());
  CHECK(empty == "{}");
}

TEST_CASE("what cannot be reported is said, and nothing is written", "[plug_and_play]") {
  for (const char* value : {"", "1 2", "{", "tru", "[1,]", "\"\\x\"", "01"}) {
    std::string patch = "before";
    devicetwin::property_writer<std::string> properties(patch);
    properties.acknowledge("a", {value, 200, 1});
    properties.property("b", "1");
    INFO(value);
    CHECK(properties.finish());
    CHECK(patch == "before");
  }
  std::string patch;
  devicetwin::property_writer<std::string> properties(patch);
  properties.acknowledge("a", {"1", 200, 1, "\xFF"});
  CHECK(properties.finish().code() == errc::invalid_utf8);
  CHECK(patch.empty());
  for (std::size_t size = 0; size < 60; ++size) {  // every size of an output
    char room[64];
    devicetwin::text_buffer out(room, size);
    devicetwin::property_writer<devicetwin::text_buffer> in_buffer(out);
    in_buffer.component("c");
    in_buffer.acknowledge("a", {"[1,2]", 200, 1, "x"});
    const json::error e = in_buffer.finish();
    const std::string_view all =
        R"({"c":{"__t":"c","a":{"value":[1,2],"ac":200,"av":1,"ad":"x"}}})";
    CHECK((size < all.size() ? e.code() == errc::out_of_memory && out.size() == 0
                             : !e && out.view() == all));
  }
}

TEST_CASE("a property or component that is written twice is an error that names it",
          "[plug_and_play]") {
  const auto problem = [](auto&& write) {
    std::string patch = "before";
    devicetwin::property_writer<std::string> properties(patch);
    write(properties);
    const json::error e = properties.finish();
    CHECK(patch.substr(0, 6) == "before");
    if (!e) return std::string();
    CHECK(patch == "before");
    CHECK(e.code() == errc::duplicate_name);
    return std::string(e.pointer());
  };
  using writer = devicetwin::property_writer<std::string>;
  CHECK(problem([](writer& w) {
          w.property("a", "1");
          w.property("b", "1");
          w.property("a", "2");
        }) == "/a");
  CHECK(problem([](writer& w) {
          w.property("a", "1");
          w.acknowledge("a", {"1"});
        }) == "/a");
  CHECK(problem([](writer& w) {
          w.acknowledge("a", {"1"});
          w.component("a");
        }) == "/a");
  CHECK(problem([](writer& w) {
          w.component("a/b");
          w.component("c");
          w.component("a/b");
        }) == "/a~1b");
  CHECK(problem([](writer& w) {
          w.component("c");
          w.property("x", "1");
          w.property("x", "1");
        }) == "/c/x");
  CHECK(problem([](writer& w) {
          w.component("c");
          w.property("__t", "1");
        }) == "/c/__t");
  CHECK(problem([](writer& w) {
          w.property("__t", "1");
          w.property("x", "1");
          w.component("c");
          w.property("x", "1");
          w.component("d");
          w.property("x", "1");
        }).empty());
  CHECK(problem([](writer& w) {
          for (int i = 0; i < 5000; ++i) w.property("name" + std::to_string(i), "1");
          w.property("name4711", "1");
        }) == "/name4711");
  with_every_failure(
      [](const devicetwin::memory_source& source) {
        std::string patch;
        devicetwin::property_writer<std::string> properties(patch, source);
        for (int i = 0; i < 40; ++i) properties.property("name" + std::to_string(i), "1");
        const json::error e = properties.finish();
        CHECK(patch.empty() == static_cast<bool>(e));
        return e;
      },
      [] {});
}

TEST_CASE("an acknowledgement removes what an earlier one said and it does not",
          "[plug_and_play]") {
  std::string reported = "{}";
  const auto report = [&](const devicetwin::acknowledgement& said) {
    std::string patch, merged;
    devicetwin::property_writer<std::string> properties(patch);
    properties.acknowledge("t", said);
    REQUIRE(!properties.finish());
    REQUIRE(!merge::apply_merge_patch_text(reported, patch, merged));
    reported = merged;
  };
  report({"1", 400, 2, "not a number"});
  CHECK(reported == R"({"t":{"value":1,"ac":400,"av":2,"ad":"not a number"}})");
  report({"5", 200, 3});
  CHECK(reported == R"({"t":{"value":5,"ac":200,"av":3}})");
}

TEST_CASE("what needs no answer is what a twin counts as in sync", "[plug_and_play][property]") {
  std::size_t different = 0;
  for (unsigned seed = 0; seed < 4000; ++seed) {
    random_json random(seed);
    random.avoid_null();
    const auto value = [&] {
      const std::string plain = random.below(3) == 0 ? random.object(3) : random.value(3);
      if (random.below(2) == 0) return plain;
      return R"({"value":)" + plain + R"(,"ac":)" + (random.below(4) == 0 ? "400" : "200") +
             R"(,"av":)" + std::to_string(random.below(4)) + "}";
    };
    const std::string plain = random.value(2);
    const std::string desired = R"({"a":)" + plain + "}";
    const std::string reported =
        random.below(3) == 0 ? R"({"a":)" + plain + "}" : R"({"a":)" + value() + "}";
    // A device takes digits that the hub may have rounded for equal, a twin does not.
    if ((desired + reported).find("9007199254740993") != std::string::npos) continue;
    INFO(desired);
    INFO(reported);
    devicetwin::twin t(devicetwin::rfc7396);
    REQUIRE(!t.load(R"({"desired":)" + desired.substr(0, desired.size() - 1) +
                    R"(,"$version":2},"reported":)" + reported + "}"));
    bool visited = false;
    REQUIRE(!devicetwin::find_unanswered(
        written(t.desired()), written(t.reported()), 2, {},
        [&](const devicetwin::unanswered_property&) { visited = true; }));
    const auto answer = devicetwin::answer_to(t, "/a");
    REQUIRE(answer);
    const bool open = answer->state == devicetwin::answer_state::none ||
                      answer->state == devicetwin::answer_state::pending;
    CHECK(visited == open);
    if (t.in_sync()) CHECK(!visited);
    if (!t.in_sync()) ++different;
  }
  CHECK(different > 500);
  CHECK(different < 3500);
}

TEST_CASE("what is desired and not answered is found", "[plug_and_play]") {
  CHECK(unanswered("{}", "{}", 1) == "");
  CHECK(unanswered(R"({"a":1,"b":2})", "{}", 3) == "/a:none /b:none");
  // Answered with this version, whatever was said.
  CHECK(unanswered(R"({"a":1,"b":2})",
                   R"({"a":{"value":1,"ac":200,"av":3},"b":{"value":5,"ac":400,"av":3,"ad":"no"}})",
                   3) == "");
  // Answered with an older one: only when it has what is desired now.
  CHECK(unanswered(R"({"a":1,"b":2})",
                   R"({"a":{"value":1.0,"ac":200,"av":2},"b":{"value":5,"ac":400,"av":2}})",
                   3) == "/b:pending");
  CHECK(unanswered(R"({"a":1})", R"({"a":{"value":1,"ac":400,"av":2}})", 3) == "");
  CHECK(unanswered(R"({"a":{"x":[1,2],"y":1}})",
                   R"({"a":{"value":{"y":1,"x":[1,2]},"ac":202,"av":2}})", 3) == "");
  // An equal value needs no answer, as an initial value or as a plain one; any other does.
  CHECK(unanswered(R"({"a":1,"b":2})", R"({"a":{"value":1,"ac":203,"av":0},"b":2})", 3) == "");
  CHECK(unanswered(R"({"a":1,"b":2})", R"({"a":{"value":2,"ac":203,"av":0},"b":1})", 3) ==
        "/a:pending /b:none");
  CHECK(unanswered(R"({"a":1})", R"({"a":{"value":2,"ac":203,"av":0}})", 0) == "/a:pending");
  // Of an object each member counts, and what only reported has does not.
  CHECK(unanswered(R"({"a":{"x":1,"y":{"z":2}}})", R"({"a":{"more":1,"y":{"z":2.0},"x":1}})", 3) ==
        "");
  CHECK(unanswered(R"({"a":{"x":1,"y":2}})", R"({"a":{"x":{"value":1,"ac":200,"av":1},"y":2}})",
                   3) == "");
  CHECK(unanswered(R"({"a":{"x":1,"y":2}})",
                   R"({"a":{"value":{"x":1,"y":2,"z":3},"ac":200,"av":1}})", 3) == "");
  CHECK(unanswered(R"({"a":{"x":1,"y":2}})", R"({"a":{"x":1}})", 3) == "/a:none");
  CHECK(unanswered(R"({"a":{"x":1}})", R"({"a":[1]})", 3) == "/a:none");
  CHECK(unanswered(R"({"a":[1,{"b":1}]})", R"({"a":[1,{"b":1}]})", 3) == "");
  CHECK(unanswered(R"({"a":{}})", R"({"a":{}})", 3) == "");
  CHECK(unanswered(R"({"a":{}})", R"({"a":1})", 3) == "/a:none");
  // No acknowledgements: something is missing or of another type.
  CHECK(
      unanswered(
          R"({"a":1,"b":1,"c":1,"d":1})",
          R"({"a":{"value":null,"ac":200,"av":9},"b":{"value":1,"ac":"200","av":9},"c":{"value":1,"ac":200},"d":{"ac":200,"av":9}})",
          3) == "/a:none /b:none /c:none /d:none");
  CHECK(unanswered(R"({"a~/b":1})", R"({"\u0061~/b":{"v\u0061lue":2,"ac":200,"av":3}})", 3) == "");
  CHECK(unanswered(R"({"a~/b":1})", "{}", 3) == "/a~0~1b:none");
}

TEST_CASE("components are marked or named", "[plug_and_play]") {
  const std::string_view names[] = {"fan", "a/b"};
  const devicetwin::component_names listed{names, 2};
  CHECK(unanswered(R"({"fan":{"rpm":1}})", "{}", 1) == "/fan:none");
  CHECK(unanswered(R"({"fan":{"rpm":1,"on":true},"x":1})",
                   R"({"fan":{"rpm":{"value":1,"ac":200,"av":1}}})", 1,
                   listed) == "/fan/on:none /x:none");
  CHECK(unanswered(R"({"a/b":{"c":1}})", "{}", 1, listed) == "/a~1b/c:none");
  CHECK(unanswered(R"({"lamp":{"__t":"c","on":true}})", "{}", 1) == "/lamp/on:none");
  CHECK(unanswered(R"({"lamp":{"on":true}})", R"({"lamp":{"__t":"c"}})", 1) == "/lamp/on:none");
  CHECK(unanswered(R"({"fan":1})", "{}", 1, listed) == "/fan:none");  // not an object: a property
}

TEST_CASE("looking for answers survives every failing allocation", "[plug_and_play]") {
  const std::string desired = R"({"some-long-property-name":{"x":[1,2,3]},"b":2})";
  const std::string reported =
      R"({"some-long-property-name":{"value":{"x":[1,2,3.0]},"ac":200,"av":1}})";
  with_every_failure(
      [&](const devicetwin::memory_source& source) {
        std::string all;
        const json::error e = devicetwin::find_unanswered(
            desired, reported, 2, {},
            [&](const devicetwin::unanswered_property& p) { all += p.pointer; }, source);
        if (!e) CHECK(all == "/b");
        return e;
      },
      [] {});
}

TEST_CASE("an acknowledgement goes through a session", "[plug_and_play]") {
  devicetwin::device_session session;
  REQUIRE(!session.connected(ms(0)));
  std::string get;
  for (const auto& action : session.actions()) {
    if (action.kind == devicetwin::device_action::publish)
      get = devicetwin::parse_twin_topic(action.topic)->request_id;
  }
  REQUIRE(!session.message("$iothub/twin/res/200/?$rid=" + get,
                           R"({"desired":{"target":21,"$version":4},"reported":{"$version":1}})",
                           ms(1)));
  std::vector<std::string> open;
  const auto look = [&] {
    open.clear();
    REQUIRE(!devicetwin::find_unanswered(
        session.text(part::desired), session.text(part::reported), session.version(part::desired),
        {}, [&](const devicetwin::unanswered_property& p) { open.emplace_back(p.pointer); },
        session.working_memory()));
    return open.size();
  };
  CHECK(look() == 1);
  std::string patch;
  devicetwin::property_writer<std::string> properties(patch);
  properties.acknowledge("target", {"21", 200, session.version(part::desired)});
  REQUIRE(!properties.finish());
  REQUIRE(!session.report(patch, ms(2)));
  REQUIRE(session.actions().size() == 3);  // arrived, changed, and what was reported
  CHECK(session.actions()[2].payload == R"({"target":{"value":21,"ac":200,"av":4}})");
  CHECK(devicetwin::parse_twin_topic(session.actions()[2].topic));
  CHECK(look() == 0);
}
