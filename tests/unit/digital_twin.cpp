// The digital twin of a twin: its view, its change events, and JSON Patches on it.
#include <devicetwin/twin/digital_twin.hpp>

#include <ostream>
#include <string>
#include <vector>

#include "../support/digital_twin_laws.hpp"
#include "../support/failing_heap.hpp"
#include "../support/twin.hpp"

using devicetwin::outcome;
using devicetwin::twin;

namespace {

template <class Twin>
std::string view_of(const Twin& t) {
  std::string text;
  const json::error e = devicetwin::write_digital_twin(t, text);
  INFO(e.message());
  REQUIRE(!e);
  return text;
}

/// A twin that is written once a second, from a second after noon on.
struct written_twin {
  twin t;
  outcome done;
  int second = 0;

  explicit written_twin(const devicetwin::dialect& rules = devicetwin::azure) : t(rules) {
    REQUIRE(!t.create({"d"}, noon(), done));
  }
  written_twin& desire(const std::string& patch) {
    return check(t.service_patch(of_desired(patch), noon(++second), done));
  }
  written_twin& report(const std::string& patch) {
    return check(t.device_patch(patch, noon(++second), done));
  }
  written_twin& check(const json::error& e) {
    INFO(e.message());
    REQUIRE(!e);
    return *this;
  }
  std::string view() const { return view_of(t); }
  std::string event() const {
    std::string text;
    const json::error e = devicetwin::write_digital_twin_event(t, done, text);
    INFO(e.message());
    REQUIRE(!e);
    return text;
  }
};

/// The digital twin with these members before its `$metadata`, and these in it.
std::string digital(const std::string& members, const std::string& metadata) {
  return R"({"$dtId":"d",)" + members + (members.empty() ? "" : ",") + R"("$metadata":{)" +
         metadata + "}}";
}
/// When something was reported, in seconds after noon.
std::string updated(int second) {
  return R"("lastUpdateTime":"2026-01-31T12:00:0)" + std::to_string(second) + "Z\"";
}
std::string operation(const std::string& op, const std::string& path,
                      const std::string& value = "") {
  return R"({"op":")" + op + R"(","path":")" + path + '"' +
         (value.empty() ? "" : ",\"value\":" + value) + "}";
}
std::string add(const std::string& path, const std::string& value) {
  return operation("add", path, value);
}
std::string removed(const std::string& path) { return operation("remove", path); }
std::string quoted_time(int second) { return updated(second).substr(17); }

}  // namespace

// --- the view ------------------------------------------------------------------------------------

TEST_CASE("a digital twin has the id of the device and its model", "[digital_twin]") {
  twin t;
  outcome done;
  devicetwin::new_identity who{"d"};
  who.model_id = "dtmi:com:example:Pump;1";
  REQUIRE(!t.create(who, noon(), done));
  CHECK(view_of(t) == digital("", R"("$model":"dtmi:com:example:Pump;1")"));
  for (const char* model : {"null", "7", R"("")"}) {
    const auto loaded = loaded_twin(R"({"deviceId":"d","modelId":)" + std::string(model) + "}");
    CHECK(view_of(loaded) == digital("", ""));
  }
}
TEST_CASE("the digital twin of a module has both ids", "[digital_twin]") {
  CHECK(view_of(loaded_twin(R"({"deviceId":"d","moduleId":"m"})")) ==
        R"({"$dtId":"d~m","$metadata":{}})");
}
TEST_CASE("a property that only the device writes shows its value and when it was reported",
          "[digital_twin]") {
  written_twin x;
  x.report(R"({"serial":"A1","list":[1,[2]],"place":{"x":1}})");
  CHECK(x.view() == digital(R"("serial":"A1","list":[1,[2]],"place":{"x":1})",
                            R"("serial":{)" + updated(1) + R"(},"list":{)" + updated(1) +
                                R"(},"place":{)" + updated(1) + "}"));
}
TEST_CASE("an acknowledged property shows the value in effect and what was answered",
          "[digital_twin]") {
  written_twin x;
  x.desire(R"({"fan":2})").report(R"({"fan":{"value":3,"ac":200,"av":1,"ad":"applied"}})");
  CHECK(x.view() ==
        digital(R"("fan":3)",
                R"("fan":{"desiredValue":2,"desiredVersion":2,"ackVersion":1,"ackCode":200,)"
                R"("ackDescription":"applied",)" +
                    updated(2) + "}"));
}
TEST_CASE("an acknowledgement may lack its version and its description", "[digital_twin]") {
  written_twin x;
  x.report(R"({"a":{"value":3,"ac":200.0},"b":{"value":{"x":1},"ac":200,"ad":7}})");
  CHECK(x.view() ==
        digital(R"("a":3,"b":{"x":1})", R"("a":{"ackCode":200,)" + updated(1) +
                                            R"(},"b":{"ackCode":200,)" + updated(1) + "}"));
}
TEST_CASE("what is no acknowledgement is a value as it stands", "[digital_twin]") {
  for (const char* value : {R"({"value":3})", R"({"ac":200,"av":1})", R"({"value":3,"ac":"200"})",
                            R"({"value":3,"ac":1.5})", R"({"value":3,"ac":200,"av":"1"})",
                            R"([{"value":3,"ac":200}])"}) {
    written_twin x;
    x.report(R"({"a":)" + std::string(value) + "}");
    CHECK(x.view() == digital(R"("a":)" + std::string(value), R"("a":{)" + updated(1) + "}"));
  }
}
TEST_CASE("a property that is only desired stands in the metadata alone", "[digital_twin]") {
  written_twin x;
  x.desire(R"({"fan":2,"at":{"x":1}})").desire(R"({"fan":3})");
  CHECK(x.view() == digital("", R"("fan":{"desiredValue":3,"desiredVersion":3},)"
                                R"("at":{"desiredValue":{"x":1},"desiredVersion":2})"));
}
TEST_CASE("the desired version is that of the latest write inside a property", "[digital_twin]") {
  written_twin x;
  x.desire(R"({"at":{"x":1,"y":1},"b":1})").desire(R"({"at":{"x":2}})");
  CHECK(x.view() == digital("", R"("at":{"desiredValue":{"x":2,"y":1},"desiredVersion":3},)"
                                R"("b":{"desiredValue":1,"desiredVersion":2})"));
}
TEST_CASE("a component shows its properties and has metadata of its own", "[digital_twin]") {
  written_twin x;
  x.desire(R"({"t1":{"__t":"c","target":21.8,"later":1}})");
  x.report(
      R"({"serial":"A1","t1":{"max":25.3,"__t":"c","target":{"value":21.8,"ac":200,"av":2}}})");
  CHECK(
      x.view() ==
      digital(
          R"("serial":"A1","t1":{"max":25.3,"target":21.8,"$metadata":{)"
          R"("max":{)" +
              updated(2) +
              R"(},"target":{"desiredValue":21.8,"desiredVersion":2,"ackVersion":2,"ackCode":200,)" +
              updated(2) + R"(},"later":{"desiredValue":1,"desiredVersion":2}}})",
          R"("serial":{)" + updated(2) + "}"));
}
TEST_CASE("a mark in one section is enough for a component", "[digital_twin]") {
  written_twin desired, reported;
  desired.desire(R"({"t":{"__t":"c","a":1}})").report(R"({"t":{"b":2}})");
  reported.desire(R"({"t":{"a":1}})").report(R"({"t":{"__t":"c","b":2}})");
  const std::string both = digital(R"("t":{"b":2,"$metadata":{"b":{)" + updated(2) +
                                       R"(},"a":{"desiredValue":1,"desiredVersion":2}}})",
                                   "");
  CHECK(desired.view() == both);
  CHECK(reported.view() == both);
}
TEST_CASE("only the mark c makes an object of a section a component", "[digital_twin]") {
  for (const char* value : {R"({"__t":"d","a":1})", R"({"__t":7,"a":1})", R"({"t":"c","a":1})",
                            R"({"x":{"__t":"c","a":1}})", R"({"__t":["c"],"a":1})"}) {
    written_twin x;
    x.report(R"({"p":)" + std::string(value) + "}");
    CHECK(x.view() == digital(R"("p":)" + std::string(value), R"("p":{)" + updated(1) + "}"));
  }
  written_twin root;  // a section itself is none
  root.report(R"({"__t":"c","a":1})");
  CHECK(root.view() ==
        digital(R"("__t":"c","a":1)", R"("__t":{)" + updated(1) + R"(},"a":{)" + updated(1) + "}"));
}
TEST_CASE("a component without a property is not shown", "[digital_twin]") {
  written_twin x;
  x.desire(R"({"t":{"__t":"c"}})").report(R"({"t":{"__t":"c"},"u":{"__t":"c"}})");
  CHECK(x.view() == digital("", ""));
}
TEST_CASE("what stands beside a component and is no object is not shown", "[digital_twin]") {
  written_twin x;
  x.desire(R"({"t":7,"u":7})").report(R"({"t":{"__t":"c","a":1},"u":{"__t":"c"}})");
  CHECK(x.view() == digital(R"("t":{"a":1,"$metadata":{"a":{)" + updated(2) + "}}}", ""));
}
TEST_CASE("a digital twin leaves out what stamps do not say", "[digital_twin]") {
  CHECK(view_of(twin_with(R"({"a":1,"c":{"__t":"c","d":1}})", R"({"a":2,"b":3})")) ==
        digital(R"("a":2,"b":3,"c":{"$metadata":{"d":{"desiredValue":1}}})",
                R"("a":{"desiredValue":1},"b":{})"));
  // A version above the section's is not believed.
  const twin strange = loaded_twin(
      R"({"deviceId":"d","properties":{"desired":{"a":1,"$metadata":{"$lastUpdated":"2026-01-31T12:00:00Z",)"
      R"("a":{"$lastUpdated":"2026-01-31T12:00:00Z","$lastUpdatedVersion":9}},"$version":2},)"
      R"("reported":{"a":1,"$metadata":{"a":{"$lastUpdated":"yesterday"}},"$version":1}}})");
  CHECK(view_of(strange) == digital(R"("a":1)", R"("a":{"desiredValue":1})"));
}
TEST_CASE("names of any kind are shown as they are", "[digital_twin]") {
  written_twin x;
  x.desire(R"({"":1,"a/b~c":{"__t":"c","é":1,"":2}})");
  CHECK(x.view() == digital(R"("a/b~c":{"$metadata":{"é":{"desiredValue":1,"desiredVersion":2},)"
                            R"("":{"desiredValue":2,"desiredVersion":2}}})",
                            R"("":{"desiredValue":1,"desiredVersion":2})"));
}
TEST_CASE("a digital twin goes to any handler and any output, and is taken back when it is full",
          "[digital_twin]") {
  written_twin x;
  x.desire(R"({"t":{"__t":"c","a":{"x":1}}})").report(R"({"b":{"value":[1],"ac":200,"ad":"s"}})");
  const std::string whole = x.view();
  json::document d;
  REQUIRE(!json::core::document_access::rebuild(
      d, 0, [&](auto& handler) { return devicetwin::emit_digital_twin(x.t, handler); }));
  CHECK(written(d) == whole);
  std::string indented = "before:";
  REQUIRE(!devicetwin::write_digital_twin(x.t, indented, 2));
  CHECK(indented.substr(0, 24) == "before:{\n  \"$dtId\": \"d\",");
  CHECK(written(parsed(indented.substr(7))) == whole);
  char small[200];
  for (std::size_t room = 0; room < whole.size(); ++room) {
    devicetwin::text_buffer out(small, room);
    CHECK(devicetwin::write_digital_twin(x.t, out).code() == errc::out_of_memory);
    CHECK(out.size() == 0);
  }
}
TEST_CASE("a digital twin tells a handler that stops", "[digital_twin]") {
  struct stopping {
    int left;
    bool step() { return left-- > 0; }
    bool Null() { return step(); }
    bool Bool(bool) { return step(); }
    bool Int(int) { return step(); }
    bool Uint(unsigned) { return step(); }
    bool Int64(std::int64_t) { return step(); }
    bool Uint64(std::uint64_t) { return step(); }
    bool Double(double) { return step(); }
    bool String(const char*, json::size_type, bool) { return step(); }
    bool Key(const char*, json::size_type, bool) { return step(); }
    bool StartObject() { return step(); }
    bool EndObject(json::size_type) { return step(); }
    bool StartArray() { return step(); }
    bool EndArray(json::size_type) { return step(); }
  };
  written_twin x;
  x.desire(R"({"t":{"__t":"c","a":{"x":1}}})");
  x.report(R"({"b":{"value":[1],"ac":200,"av":1,"ad":"s"},"t":{"c":1}})");
  int events = 0;
  for (;; ++events) {
    REQUIRE(events < 1000);
    stopping handler{events};
    const json::error e = devicetwin::emit_digital_twin(x.t, handler);
    if (!e) break;
    CHECK(e.code() == errc::handler_stopped);
  }
  CHECK(events > 30);
}
TEST_CASE("before there is a twin there is no digital twin", "[digital_twin]") {
  twin none;
  std::string text = "kept";
  CHECK(devicetwin::write_digital_twin(none, text).code() == errc::not_a_twin);
  CHECK(devicetwin::write_digital_twin_event(none, outcome(), text).code() == errc::not_a_twin);
  CHECK(text == "kept");
}

// --- change events -------------------------------------------------------------------------------

TEST_CASE("an event tells what is desired", "[digital_twin]") {
  written_twin x;
  x.report(R"({"t":{"__t":"c","max":25}})").desire(R"({"t":{"__t":"c","target":21.8}})");
  CHECK(x.event() ==
        "[" + add("/t/$metadata/target", R"({"desiredValue":21.8,"desiredVersion":2})") + "]");
  x.desire(R"({"t":{"target":22}})");
  CHECK(x.event() == "[" + add("/t/$metadata/target/desiredValue", "22") + "," +
                         add("/t/$metadata/target/desiredVersion", "3") + "]");
  x.desire(R"({"t":{"target":22}})");  // the same again
  CHECK(x.event() == "[" + add("/t/$metadata/target/desiredVersion", "4") + "]");
}
TEST_CASE("an event tells what a device answered", "[digital_twin]") {
  written_twin x;
  x.report(R"({"t":{"__t":"c","max":25}})").desire(R"({"t":{"__t":"c","target":21.8}})");
  x.report(R"({"t":{"target":{"value":21.8,"ac":200,"av":4,"ad":"done"}}})");
  CHECK(x.event() == "[" + add("/t/$metadata/target/ackCode", "200") + "," +
                         add("/t/$metadata/target/ackDescription", R"("done")") + "," +
                         add("/t/$metadata/target/ackVersion", "4") + "," +
                         add("/t/$metadata/target/lastUpdateTime", quoted_time(3)) + "," +
                         add("/t/target", "21.8") + "]");
  x.report(R"({"t":{"target":{"ac":202,"av":5}}})");
  CHECK(x.event() == "[" + add("/t/$metadata/target/ackCode", "202") + "," +
                         add("/t/$metadata/target/ackVersion", "5") + "," +
                         add("/t/$metadata/target/lastUpdateTime", quoted_time(4)) + "]");
}
TEST_CASE("an event tells what is new and what has gone", "[digital_twin]") {
  written_twin x;
  x.report(R"({"serial":"A1"})");
  CHECK(x.event() == "[" + add("/$metadata/serial", "{" + updated(1) + "}") + "," +
                         add("/serial", R"("A1")") + "]");
  x.desire(R"({"t":{"__t":"c","a":1}})");
  CHECK(x.event() ==
        "[" + add("/t", R"({"$metadata":{"a":{"desiredValue":1,"desiredVersion":2}}})") + "]");
  x.report(R"({"serial":null})");
  CHECK(x.event() == "[" + removed("/$metadata/serial") + "," + removed("/serial") + "]");
  x.report(R"({"t":{"__t":"c","b":1}})").desire(R"({"t":{"c":1}})").desire(R"({"t":{"a":null}})");
  CHECK(x.event() == "[" + removed("/t/$metadata/a") + "]");
  x.report(R"({"t":{"b":null}})");
  CHECK(x.event() == "[" + removed("/t/$metadata/b") + "," + removed("/t/b") + "]");
  x.desire(R"({"t":null})");
  CHECK(x.event() == "[" + removed("/t") + "]");
}
TEST_CASE("metadata that loses a member is told as a whole", "[digital_twin]") {
  written_twin x;
  x.desire(R"({"a":1})").report(R"({"a":{"value":1,"ac":200,"av":2,"ad":"s"}})");
  x.report(R"({"a":{"ad":null}})");
  CHECK(x.event() ==
        "[" +
            add("/$metadata/a",
                R"({"desiredValue":1,"desiredVersion":2,"ackVersion":2,"ackCode":200,)" +
                    updated(3) + "}") +
            "]");
  x.report(R"({"a":{"av":null}})");
  CHECK(x.event() ==
        "[" +
            add("/$metadata/a",
                R"({"desiredValue":1,"desiredVersion":2,"ackCode":200,)" + updated(4) + "}") +
            "]");
  x.report(R"({"a":2})");
  CHECK(x.event() ==
        "[" + add("/$metadata/a", R"({"desiredValue":1,"desiredVersion":2,)" + updated(5) + "}") +
            "," + add("/a", "2") + "]");
  x.report(R"({"a":null})");
  CHECK(x.event() == "[" + add("/$metadata/a", R"({"desiredValue":1,"desiredVersion":2})") + "," +
                         removed("/a") + "]");
  x.report(R"({"a":3})").desire(R"({"a":null})");
  CHECK(x.event() == "[" + add("/$metadata/a", "{" + updated(7) + "}") + "]");
}
TEST_CASE("an event tells when a property becomes a component, and back", "[digital_twin]") {
  written_twin x;
  x.desire(R"({"t":{"a":1}})").report(R"({"t":{"b":2}})");
  x.report(R"({"t":{"__t":"c"}})");
  const std::string component = R"({"b":2,"$metadata":{"b":{)" + updated(2) +
                                R"(},"a":{"desiredValue":1,"desiredVersion":2}}})";
  CHECK(x.event() ==
        "[" + removed("/$metadata/t") + "," + removed("/t") + "," + add("/t", component) + "]");
  x.report(R"({"t":{"__t":null}})");
  CHECK(x.event() == "[" + removed("/t") + "," +
                         add("/$metadata/t",
                             R"({"desiredValue":{"a":1},"desiredVersion":2,)" + updated(4) + "}") +
                         "," + add("/t", R"({"b":2})") + "]");
}
TEST_CASE("an event spells names as JSON Pointers do", "[digital_twin]") {
  written_twin x;
  x.desire(R"({"":1,"a/b~c":{"__t":"c","":2}})").desire(R"({"":2,"a/b~c":{"":3}})");
  CHECK(x.event() == "[" + add("/$metadata//desiredValue", "2") + "," +
                         add("/$metadata//desiredVersion", "3") + "," +
                         add("/a~1b~0c/$metadata//desiredValue", "3") + "," +
                         add("/a~1b~0c/$metadata//desiredVersion", "3") + "]");
}
TEST_CASE("there is no event of what a digital twin does not show", "[digital_twin]") {
  written_twin x;
  CHECK(x.event().empty());
  x.report(R"({"t":{"__t":"c"}})");
  CHECK(x.event().empty());
  x.check(x.t.service_patch(R"({"tags":{"a":1}})", noon(), x.done));
  CHECK(x.event().empty());
  x.desire(R"({"gone":null})");
  CHECK(x.event().empty());
}
TEST_CASE("an event is of the last write alone", "[digital_twin]") {
  written_twin x;
  x.desire(R"({"a":1})");
  outcome other;
  REQUIRE(!x.t.device_patch(R"({"b":1})", noon(9), other));
  std::string text = "kept";
  CHECK(devicetwin::write_digital_twin_event(x.t, x.done, text).code() ==
        errc::precondition_failed);
  CHECK(text == "kept");
  REQUIRE(!devicetwin::write_digital_twin_event(x.t, other, text));
  CHECK(text == "kept[" + add("/$metadata/b", "{" + updated(9) + "}") + "," + add("/b", "1") + "]");
}
TEST_CASE("a back end's copy makes the same events", "[digital_twin]") {
  written_twin x, copy;
  const auto follow = [&] {
    copy.check(copy.t.apply_event(x.done.event(), copy.done));
    CHECK(copy.event() == x.event());
    CHECK(copy.view() == x.view());
  };
  x.desire(R"({"t":{"__t":"c","a":1},"b":2})");
  follow();
  x.report(R"({"t":{"__t":"c","a":{"value":1,"ac":200,"av":2}},"s":1})");
  follow();
  x.desire(R"({"t":{"a":null,"c":3}})");
  follow();
}
TEST_CASE("an event is taken back when the output is full", "[digital_twin]") {
  written_twin x;
  x.desire(R"({"t":{"__t":"c","a":{"x":1}},"b":1})");
  char small[400];
  const std::string whole = x.event();
  for (std::size_t room = 0; room < whole.size(); ++room) {
    devicetwin::text_buffer out(small, room);
    CHECK(devicetwin::write_digital_twin_event(x.t, x.done, out).code() == errc::out_of_memory);
    CHECK(out.size() == 0);
  }
}

// --- patches -------------------------------------------------------------------------------------

namespace {

std::string replace(const std::string& path, const std::string& value) {
  return operation("replace", path, value);
}

/// Patches the digital twin, which must succeed.
void patch(written_twin& x, const std::string& operations) {
  x.check(devicetwin::patch_digital_twin(x.t, "[" + operations + "]", noon(++x.second), x.done));
}
/// What is desired after operations on the digital twin of this desired and this reported.
std::string patched(const std::string& desired, const std::string& reported,
                    const std::string& operations) {
  twin t = twin_with(desired, reported);
  outcome done;
  const json::error e = devicetwin::patch_digital_twin(t, "[" + operations + "]", noon(), done);
  INFO(e.message());
  REQUIRE(!e);
  return written(t.desired());
}
/// Why operations are refused, with the index of the operation and the place.
struct refused {
  errc code;
  std::size_t operation;
  std::string pointer;
  friend bool operator==(const refused& a, const refused& b) {
    return a.code == b.code && a.operation == b.operation && a.pointer == b.pointer;
  }
  friend std::ostream& operator<<(std::ostream& out, const refused& r) {
    return out << json::describe(r.code) << " in " << r.operation << " at " << r.pointer;
  }
};
refused refusal(const std::string& desired, const std::string& reported, const std::string& text) {
  twin t = twin_with(desired, reported);
  const std::string before = state_text(t);
  outcome done;
  REQUIRE(!t.service_patch("{}", noon(), done));
  const json::error e = devicetwin::patch_digital_twin(t, text, noon(), done);
  INFO(text);
  REQUIRE(e);
  CHECK(state_text(t) == before);
  CHECK(outcome_text(done) == outcome_text(outcome()));
  CHECK(e.has_operation());
  return {e.code(), e.operation(), std::string(e.pointer())};
}
/// Of a single operation on an empty twin.
refused refusal(const std::string& operation) { return refusal("{}", "{}", "[" + operation + "]"); }

}  // namespace

TEST_CASE("add and replace of a property set what is desired", "[digital_twin]") {
  CHECK(patched("{}", "{}", add("/fan", "2")) == R"({"fan":2})");
  CHECK(patched(R"({"fan":1})", "{}", add("/fan", "2")) == R"({"fan":2})");
  CHECK(patched(R"({"fan":1})", "{}", replace("/fan", "2.5")) == R"({"fan":2.5})");
  CHECK(patched("{}", R"({"fan":1})", replace("/fan", R"("on")")) == R"({"fan":"on"})");
  CHECK(patched("{}", R"({"fan":{"value":1,"ac":200,"av":1}})", replace("/fan", "true")) ==
        R"({"fan":true})");
}
TEST_CASE("a property replaces the desired one as a whole", "[digital_twin]") {
  CHECK(patched(R"({"p":{"x":1,"y":{"z":1,"u":2}}})", "{}", add("/p", R"({"y":{"u":3}})")) ==
        R"({"p":{"y":{"u":3}}})");
  CHECK(patched(R"({"t":{"__t":"c","p":{"x":1,"y":2},"q":1}})", "{}",
                replace("/t/p", R"({"x":{}})")) == R"({"t":{"__t":"c","p":{"x":{}},"q":1}})");
  CHECK(patched(R"({"p":{"x":1}})", "{}", add("/p", "{}")) == R"({"p":{}})");
}
TEST_CASE("a property of a component is written with the mark", "[digital_twin]") {
  CHECK(patched("{}", "{}", add("/t/a", "1")) == R"({"t":{"__t":"c","a":1}})");
  CHECK(patched("{}", R"({"t":{"__t":"c","b":2}})", replace("/t/a", "1")) ==
        R"({"t":{"__t":"c","a":1}})");
  CHECK(patched(R"({"t":{"a":1}})", R"({"t":{"__t":"c"}})", add("/t/b", "2")) ==
        R"({"t":{"a":1,"__t":"c","b":2}})");
  written_twin x;
  patch(x, add("/t/a", "1"));
  CHECK(x.done.notification() == R"({"t":{"__t":"c","a":1},"$version":2})");
  patch(x, add("/t/b", "1"));
  CHECK(x.done.notification() == R"({"t":{"__t":"c","b":1},"$version":3})");
  patch(x, removed("/t/b"));
  CHECK(x.done.notification() == R"({"t":{"__t":"c","b":null},"$version":4})");
}
TEST_CASE("a component replaces all of its desired properties", "[digital_twin]") {
  for (const char* op : {"add", "replace"}) {
    CHECK(patched(R"({"t":{"__t":"c","a":1,"b":{"x":1,"y":2}}})", "{}",
                  operation(op, "/t", R"({"b":{"y":3},"$metadata":{},"c":4})")) ==
          R"({"t":{"__t":"c","b":{"y":3},"c":4}})");
  }
  CHECK(patched("{}", "{}", add("/t", R"({"$metadata":{},"a":1})")) ==
        R"({"t":{"__t":"c","a":1}})");
  CHECK(patched(R"({"t":{"x":1}})", "{}", add("/t", R"({"$metadata":{},"a":1})")) ==
        R"({"t":{"__t":"c","a":1}})");
  CHECK(patched(R"({"t":{"__t":"c","a":1}})", R"({"t":{"b":1}})",
                add("/t", R"({"$metadata":{},"c":1})")) == R"({"t":{"__t":"c","c":1}})");
  CHECK(patched(R"({"t":{"__t":"c","a":1}})", "{}", add("/t", R"({"$metadata":{}})")) == "{}");
}
TEST_CASE("remove takes back what is desired", "[digital_twin]") {
  CHECK(patched(R"({"a":1,"b":2})", "{}", removed("/a")) == R"({"b":2})");
  CHECK(patched(R"({"t":{"__t":"c","a":1},"b":2})", "{}", removed("/t")) == R"({"b":2})");
  CHECK(patched(R"({"t":{"__t":"c","a":1,"b":2}})", "{}", removed("/t/a")) ==
        R"({"t":{"__t":"c","b":2}})");
  CHECK(patched(R"({"t":{"__t":"c","a":1,"b":2}})", "{}",
                removed("/t/a") + "," + removed("/t/b")) == "{}");
  CHECK(patched(R"({"t":{"a":1}})", R"({"t":{"__t":"c"}})", removed("/t/a")) == "{}");
}
TEST_CASE("remove of what is not desired does nothing", "[digital_twin]") {
  const std::string desired = R"({"t":{"__t":"c","a":1},"u":{"b":1},"v":7,"w":{"__t":"c"}})";
  const std::string reported =
      R"({"t":{"__t":"c","b":1},"u":{"__t":"c","c":1},"v":{"__t":"c"},"x":1})";
  for (const char* path : {"/no", "/no/p", "/t/b", "/u/c", "/v/a", "/w/a", "/x"}) {
    twin t = twin_with(desired, reported);
    const std::string before = state_text(t);
    outcome done;
    REQUIRE(!devicetwin::patch_digital_twin(t, "[" + removed(path) + "]", noon(), done));
    CHECK(!done.effective());
    CHECK(state_text(t) == before);
  }
}
TEST_CASE("operations are carried out one after the other, in one step", "[digital_twin]") {
  written_twin x;
  patch(x, add("/a", "1") + "," + add("/t", R"({"$metadata":{},"p":1,"q":1})") + "," +
               replace("/a", "2") + "," + add("/t/p", "2") + "," + removed("/t/q"));
  CHECK(written(x.t.desired()) == R"({"a":2,"t":{"__t":"c","p":2}})");
  CHECK(x.t.desired_version() == 2);
  CHECK(x.t.version() == 3);
  CHECK(x.t.etag() == "AAAAAAAAAAI=");
  patch(x, removed("/t") + "," + add("/t/r", "1") + "," + removed("/a") + "," +
               add("/a", R"({"$metadata":{},"p":1})"));
  CHECK(written(x.t.desired()) == R"({"a":{"__t":"c","p":1},"t":{"__t":"c","r":1}})");
  CHECK(x.t.desired_version() == 3);
  patch(x, removed("/t") + "," + removed("/t/r") + "," + removed("/t/s"));
  CHECK(written(x.t.desired()) == R"({"a":{"__t":"c","p":1}})");
  patch(x, removed("/a") + "," + add("/a", "1"));
  CHECK(written(x.t.desired()) == R"({"a":1})");
  patch(x, add("/b/p", "1") + "," + removed("/b/p"));
  CHECK(!x.done.effective());
  patch(x, "");
  CHECK(!x.done.effective());
}
TEST_CASE("an equal value is a write, as in service_patch", "[digital_twin]") {
  written_twin x;
  patch(x, add("/a", "1") + "," + add("/t/b", R"({"x":1})"));
  patch(x, add("/a", "1"));
  CHECK(x.t.desired_version() == 3);
  patch(x, add("/t/b", R"({"x":1})"));
  CHECK(x.t.desired_version() == 4);
  CHECK(x.event() == "[" + add("/t/$metadata/b/desiredVersion", "4") + "]");
}
TEST_CASE("a patch may be a document or a value, and its outcome may be returned",
          "[digital_twin]") {
  const std::string text = "[" + add("/a", "1") + "]";
  written_twin x;
  const auto value = parsed(text);
  auto done = devicetwin::patch_digital_twin(x.t, value, noon(1));
  REQUIRE(done);
  CHECK(done->notification() == R"({"a":1,"$version":2})");
  json::document document;
  REQUIRE(!json::read(text, document));
  done = devicetwin::patch_digital_twin(x.t, document, noon(2));
  REQUIRE(done);
  CHECK(done->desired_version == 3);
  done = devicetwin::patch_digital_twin(x.t, text, noon(3), x.t.etag());
  REQUIRE(done);
  CHECK(done->desired_version == 4);
  // Of a name that a program has put in twice the first counts.
  rapidjson::Document twice =
      parsed(R"([{"op":"add","path":"/t","value":{"$metadata":{},"a":1}}])");
  auto& component = twice[0]["value"];
  component.AddMember("a", 2, twice.GetAllocator());
  component.AddMember("$metadata", 3, twice.GetAllocator());
  REQUIRE(devicetwin::patch_digital_twin(x.t, twice, noon(4)));
  CHECK(written(x.t.desired()) == R"({"a":1,"t":{"__t":"c","a":1}})");
}
TEST_CASE("what is no JSON Patch is refused", "[digital_twin]") {
  twin t = fresh_twin();
  for (const char* text : {"{}", "7", "null"}) {
    const auto done = devicetwin::patch_digital_twin(t, std::string_view(text), noon());
    CHECK(done.error().code() == errc::not_a_json_patch);
    CHECK(!done.error().has_operation());
  }
  const auto done = devicetwin::patch_digital_twin(t, std::string_view("[{]"), noon());
  CHECK(done.error().code() == errc::unexpected_character);
  CHECK(done.error().column() == 3);
  CHECK(refusal("7") == refused{errc::not_a_json_patch, 0, "/0"});
  CHECK(refusal(add("/a", "1") + R"(,{"op":"put","path":"/a","value":1})") ==
        refused{errc::not_a_json_patch, 1, "/1/op"});
  CHECK(refusal(R"({"op":"add","path":"/a"})") == refused{errc::not_a_json_patch, 0, "/0/value"});
}
TEST_CASE("other operations and other places are refused", "[digital_twin]") {
  CHECK(refusal(operation("test", "/a", "1")) == refused{errc::unsupported_operation, 0, "/a"});
  for (const char* verb : {"move", "copy"}) {
    CHECK(refusal(add("/a", "1") + R"(,{"op":")" + verb + R"(","path":"/b","from":"/a"})") ==
          refused{errc::unsupported_operation, 1, "/b"});
  }
  CHECK(refusal(add("", "{}")) == refused{errc::unsupported_operation, 0, ""});
  CHECK(refusal(removed("")) == refused{errc::unsupported_operation, 0, ""});
  CHECK(refusal(add("/t/p/x", "1")) == refused{errc::unsupported_operation, 0, "/t/p/x"});
  CHECK(refusal(removed("/t/p/")) == refused{errc::unsupported_operation, 0, "/t/p/"});
  CHECK(refusal(add("t", "1")) == refused{errc::invalid_pointer, 0, "t"});
  CHECK(refusal(add("/t~2", "1")) == refused{errc::invalid_pointer, 0, "/t~2"});
}
TEST_CASE("names must be those of the Digital Twins Definition Language", "[digital_twin]") {
  for (const char* name : {"", "_a", "a_", "1a", "a-b", "a.b", "é", "__t", "a~0", "a b"}) {
    for (const std::string& prefix : {std::string("/"), std::string("/t/")}) {
      CHECK(refusal(add(prefix + name, "1")) == refused{errc::forbidden_name, 0, prefix + name});
      CHECK(refusal(removed(prefix + name)) == refused{errc::forbidden_name, 0, prefix + name});
    }
  }
  CHECK(refusal(add("/$metadata/a", "1")) == refused{errc::reserved_member, 0, "/$metadata"});
  CHECK(refusal(add("/$dtId", "1")) == refused{errc::reserved_member, 0, "/$dtId"});
  CHECK(refusal(add("/t/$metadata", "1")) == refused{errc::reserved_member, 0, "/t/$metadata"});
  CHECK(refusal(add("/_t/a", "1")) == refused{errc::forbidden_name, 0, "/_t"});
  CHECK(refusal(add("/a", R"({"x":{"y-z":1}})")) == refused{errc::forbidden_name, 0, "/a/x/y-z"});
  CHECK(refusal(add("/a", R"({"x":{"$metadata":{}}})")) ==
        refused{errc::reserved_member, 0, "/a/x/$metadata"});
  CHECK(refusal(add("/t/a", R"({"$metadata":{}})")) ==
        refused{errc::reserved_member, 0, "/t/a/$metadata"});
  CHECK(refusal(add("/t", R"({"$metadata":{},"__t":"c"})")) ==
        refused{errc::forbidden_name, 0, "/t/__t"});
  CHECK(refusal(add("/t", R"({"$metadata":{},"a":{"b":{"_":1}}})")) ==
        refused{errc::forbidden_name, 0, "/t/a/b/_"});
  const std::string longest(64, 'x');
  CHECK(patched("{}", "{}", add("/" + longest + "/" + longest, "{\"" + longest + "\":1}")) ==
        "{\"" + longest + R"(":{"__t":"c",")" + longest + "\":{\"" + longest + "\":1}}}");
  for (const std::string& op :
       {add("/" + longest + "x", "1"), add("/a", "{\"" + longest + "x\":1}"),
        add("/a", "{\"$metadata\":{},\"" + longest + "x\":1}")}) {
    twin t = fresh_twin();
    const auto done = devicetwin::patch_digital_twin(t, "[" + op + "]", noon());
    CHECK(done.error().code() == errc::name_too_long);
    CHECK(done.error().limit() == 64);
    CHECK(done.error().actual() == 65);
    CHECK(done.error().operation() == 0);
  }
  CHECK(patched("{}", "{}", add("/A0_z/Z__9", "1")) == R"({"A0_z":{"__t":"c","Z__9":1}})");
}
TEST_CASE("values have no array, no null, and five levels", "[digital_twin]") {
  CHECK(refusal(add("/a", "null")) == refused{errc::null_forbidden, 0, "/a"});
  CHECK(refusal(add("/t/a", R"({"x":null})")) == refused{errc::null_forbidden, 0, "/t/a/x"});
  CHECK(refusal(add("/t", R"({"$metadata":{},"a":null})")) ==
        refused{errc::null_forbidden, 0, "/t/a"});
  CHECK(refusal(replace("/a", "[1]")) == refused{errc::array_forbidden, 0, "/a"});
  CHECK(refusal(add("/t", R"({"$metadata":{},"a":{"x":[]}})")) ==
        refused{errc::array_forbidden, 0, "/t/a/x"});
  const std::string five = R"({"a":{"b":{"c":{"d":{"e":1}}}}})";
  CHECK(patched("{}", "{}", add("/p", five)) == "{\"p\":" + five + "}");
  CHECK(patched("{}", "{}", add("/t", "{\"$metadata\":{},\"p\":" + five + "}")) ==
        R"({"t":{"__t":"c","p":)" + five + "}}");
  CHECK(refusal(add("/p", R"({"a":{"b":{"c":{"d":{"e":{}}}}}})")) ==
        refused{errc::depth_exceeded, 0, "/p/a/b/c/d/e"});
  CHECK(refusal(add("/t", R"({"$metadata":{},"p":{"a":{"b":{"c":{"d":{"e":{}}}}}}})")) ==
        refused{errc::depth_exceeded, 0, "/t/p/a/b/c/d/e"});
}
TEST_CASE("the rules of the dialect hold for each value", "[digital_twin]") {
  CHECK(refusal(add("/a", "1") + "," + add("/t/a", R"({"x":4503599627370496})")) ==
        refused{errc::integer_too_large, 1, "/t/a/x"});
  twin t = fresh_twin();
  const auto done = devicetwin::patch_digital_twin(
      t, "[" + add("/a", "\"" + std::string(5000, 'x') + "\"") + "]", noon());
  CHECK(done.error().code() == errc::string_too_long);
  CHECK(done.error().limit() == 4096);
  CHECK(done.error().actual() == 5000);
  CHECK(done.error().pointer() == "/a");
  std::string many;
  for (int i = 0; i < 9; ++i) {
    many +=
        (i == 0 ? "" : ",") + add("/p" + std::to_string(i), "\"" + std::string(4096, 'x') + "\"");
  }
  const auto large = devicetwin::patch_digital_twin(t, "[" + many + "]", noon());
  CHECK(large.error().code() == errc::section_too_large);
  CHECK(large.error().pointer() == "/properties/desired");
  CHECK(!large.error().has_operation());
}
TEST_CASE("the mark of a component's value is an empty object", "[digital_twin]") {
  for (const char* marker : {R"({"x":1})", "7", "null", "[]"}) {
    CHECK(refusal(add("/t", R"({"a":1,"$metadata":)" + std::string(marker) + "}")) ==
          refused{errc::reserved_member, 0, "/t/$metadata"});
  }
}
TEST_CASE("a component is no property, and a property no component", "[digital_twin]") {
  const std::string component = R"({"t":{"__t":"c","a":1}})", property = R"({"t":{"a":1}})";
  const std::string set = add("/t", R"({"a":2})"), number = add("/t", "2");
  const std::string whole = add("/t", R"({"a":2,"$metadata":{}})");
  const auto not_conformant = [](std::size_t operation, const std::string& path) {
    return refused{errc::not_conformant, operation, path};
  };
  for (const std::string& op : {set, number}) {
    CHECK(refusal(component, "{}", "[" + op + "]") == not_conformant(0, "/t"));
    CHECK(refusal("{}", component, "[" + op + "]") == not_conformant(0, "/t"));
    CHECK(refusal("{}", component, "[" + removed("/t") + "," + op + "]") ==
          not_conformant(1, "/t"));
    CHECK(refusal("{}", "{}", "[" + add("/t/a", "1") + "," + op + "]") == not_conformant(1, "/t"));
    CHECK(refusal("{}", "{}", "[" + whole + "," + op + "]") == not_conformant(1, "/t"));
  }
  CHECK(patched(component, "{}", removed("/t") + "," + set) == R"({"t":{"a":2}})");
  CHECK(refusal("{}", property, "[" + whole + "]") == not_conformant(0, "/t"));
  CHECK(refusal(property, R"({"t":7})", "[" + whole + "]") == not_conformant(0, "/t"));
  for (const std::string& op : {add("/t/a", "1"), removed("/t/a")}) {
    CHECK(refusal(property, "{}", "[" + op + "]") == not_conformant(0, "/t/a"));
    CHECK(refusal("{}", property, "[" + op + "]") == not_conformant(0, "/t/a"));
    CHECK(refusal(R"({"t":7})", "{}", "[" + op + "]") == not_conformant(0, "/t/a"));
    CHECK(refusal("{}", "{}", "[" + number + "," + op + "]") == not_conformant(1, "/t/a"));
  }
}
TEST_CASE("the first operation that is wrong is told", "[digital_twin]") {
  const std::string wrong_value = add("/x", "null"), wrong_kind = add("/t/a", "1");
  CHECK(refusal(R"({"t":1})", "{}", "[" + wrong_kind + "," + wrong_value + "]") ==
        refused{errc::not_conformant, 0, "/t/a"});
  CHECK(refusal(R"({"t":1})", "{}", "[" + wrong_value + "," + wrong_kind + "]") ==
        refused{errc::null_forbidden, 0, "/x"});
}
TEST_CASE("a digital twin is patched on condition of the etag", "[digital_twin]") {
  written_twin x;
  const std::string ok = "[" + add("/a", "1") + "]", wrong = "[7]";
  CHECK(devicetwin::patch_digital_twin(x.t, wrong, noon(), "other").error().code() ==
        errc::precondition_failed);
  CHECK(devicetwin::patch_digital_twin(x.t, ok, noon(), R"(W/"AAAAAAAAAAE=")"));
  CHECK(devicetwin::patch_digital_twin(x.t, ok, noon(), R"(W/"AAAAAAAAAAE=")").error().code() ==
        errc::precondition_failed);
  twin none;
  CHECK(devicetwin::patch_digital_twin(none, ok, noon()).error().code() == errc::not_a_twin);
}

// --- against the reference -----------------------------------------------------------------------

TEST_CASE("views, patches and events are those of the reference", "[digital_twin][property]") {
  laws::digital_life life;
  for (unsigned seed = 0; seed < 1500; ++seed) {
    random_json random(seed);
    INFO(seed);
    CHECK(life.run(random) == "");
  }
  CHECK(life.effective > 500);
  CHECK(life.refused > 500);
}
TEST_CASE("many operations on many names are one step", "[digital_twin]") {
  std::string operations;
  for (int i = 0; i < 3000; ++i) {
    operations += (i == 0 ? "" : ",") + add("/t" + std::to_string(i % 1000) + "/p", "1");
  }
  twin t(devicetwin::rfc7396);
  outcome done;
  REQUIRE(!t.create({"d"}, noon(), done));
  REQUIRE(!devicetwin::patch_digital_twin(t, "[" + operations + "]", noon(), done));
  CHECK(t.desired().MemberCount() == 1000);
  CHECK(t.desired_version() == 2);
}

// --- memory --------------------------------------------------------------------------------------

TEST_CASE("a digital twin and its events survive every failing allocation",
          "[digital_twin][failure]") {
  std::string many;
  for (int i = 0; i < 60; ++i) {
    const std::string n = std::to_string(i);
    many += (i == 0 ? "\"p" : ",\"p") + n + "\":" + (i % 2 == 0 ? n : R"({"value":1,"ac":200})");
  }
  for (const bool event : {false, true}) {
    for (std::size_t n = 1;; ++n) {
      REQUIRE(n < 3000);
      failing_heap heap;
      bool done = false;
      {
        twin t(devicetwin::azure, devicetwin::heap_memory(heap.source()));
        outcome written;
        REQUIRE(!t.create({"d"}, noon(), written));
        REQUIRE(!t.service_patch(of_desired("{" + many + R"(,"t":{"__t":"c",)" + many + "}}"),
                                 noon(1), written));
        REQUIRE(!t.device_patch(R"({"z":[[[[[[[[[1]]]]]]]]],"t":{)" + many + "}," + many + "}",
                                noon(2), written));
        const auto write = [&](std::string& to) {
          return event ? devicetwin::write_digital_twin_event(t, written, to)
                       : devicetwin::write_digital_twin(t, to);
        };
        std::string whole = "kept", text = "kept";
        REQUIRE(!write(whole));
        const std::size_t out = heap.out;
        heap.refused_request = heap.requests + n;
        const json::error e = write(text);
        done = heap.requests < heap.refused_request;
        CHECK(!e == (text == whole));
        CHECK((!e || text == "kept"));
        CHECK((!e || e.code() == errc::out_of_memory));
        CHECK(heap.out == out);
      }
      CHECK(heap.out == 0);
      if (done) break;
    }
  }
}

TEST_CASE("a patch of a digital twin survives every failing allocation",
          "[digital_twin][failure]") {
  std::string many;
  for (int i = 0; i < 40; ++i) {
    const std::string n = std::to_string(i);
    many += add("/p" + n, n) + "," +
            add("/t/p" + n, R"({"x":"a text that is longer than a value"})") + ",";
  }
  many += removed("/old") + "," + replace("/u", R"({"$metadata":{},"a":{"y":{"z":1}}})");
  for (std::size_t n = 1;; ++n) {
    REQUIRE(n < 3000);
    failing_heap heap;
    bool all_granted = false;
    {
      twin t(devicetwin::azure, devicetwin::heap_memory(heap.source()));
      outcome done(heap.source());
      REQUIRE(!t.create({"d"}, noon(), done));
      REQUIRE(!t.service_patch(
          of_desired(
              R"({"old":{"x":1},"u":{"__t":"c","a":{"x":1,"y":{"q":1}},"b":2},"p1":{"x":1}})"),
          noon(1), done));
      const std::string before = state_text(t);
      heap.refused_request = heap.requests + n;
      const json::error e = devicetwin::patch_digital_twin(t, "[" + many + "]", noon(2), done);
      all_granted = heap.requests < heap.refused_request;
      heap.refused_request = 0;
      CHECK(e.failed() != (state_text(t) != before));
      if (e) {
        CHECK(e.code() == errc::out_of_memory);
        CHECK(outcome_text(done) == outcome_text(outcome()));
      } else {
        CHECK(t.desired_version() == 3);
        CHECK(written(**json::find(t.desired(), "/u")) == R"({"__t":"c","a":{"y":{"z":1}}})");
      }
    }
    CHECK(heap.out == 0);
    if (all_granted) break;
  }
}

TEST_CASE("a twin in a buffer can be patched as a digital twin for ever",
          "[digital_twin][memory]") {
  std::vector<char> room(1 << 16);
  devicetwin::basic_twin<devicetwin::buffer_memory> t(
      devicetwin::azure, devicetwin::buffer_memory(room.data(), room.size()));
  outcome done(t.memory());
  REQUIRE(!t.create({"d"}, noon(), done));
  for (int i = 0; i < 500; ++i) {
    const std::string value = R"({"x":)" + std::to_string(i) + "}";
    REQUIRE(!devicetwin::patch_digital_twin(
        t, "[" + add("/t/a" + std::to_string(i % 7), value) + "]", noon(), done));
    std::string event;
    REQUIRE(!devicetwin::write_digital_twin_event(t, done, event));
    CHECK(event.find(value) != std::string::npos);
  }
  CHECK(view_of(t).find(R"("a2":{"desiredValue":{"x":499},"desiredVersion":501})") !=
        std::string::npos);
  const std::string large = "[" + add("/large", "\"" + std::string(4096, 'x') + "\"") + "]";
  std::vector<char> little(3000);
  devicetwin::basic_twin<devicetwin::buffer_memory> small(
      devicetwin::azure, devicetwin::buffer_memory(little.data(), little.size()));
  outcome other;
  REQUIRE(!small.create({"d"}, noon(), other));
  CHECK(devicetwin::patch_digital_twin(small, large, noon(), other).code() == errc::out_of_memory);
  CHECK(small.desired_version() == 1);
}
