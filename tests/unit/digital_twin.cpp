// The digital twin of a twin: its view, its change events, and JSON Patches on it.
#include <devicetwin/twin/digital_twin.hpp>

#include <random>
#include <string>
#include <vector>

#include "../support/failing_heap.hpp"
#include "../support/reference_digital_twin.hpp"
#include "../support/twin.hpp"

using devicetwin::outcome;
using devicetwin::twin;

namespace {

template <class Twin>
std::string view(const Twin& t) {
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
  std::string view() const { return ::view(t); }
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

reference::node node_of(std::string_view text) {
  const auto node = reference::parser::parse(text, 100);
  INFO(text);
  REQUIRE(node);
  return *node;
}

}  // namespace

// --- the view ------------------------------------------------------------------------------------

TEST_CASE("a digital twin has the id of the device and its model", "[digital_twin]") {
  twin t;
  outcome done;
  devicetwin::new_identity who{"d"};
  who.model_id = "dtmi:com:example:Pump;1";
  REQUIRE(!t.create(who, noon(), done));
  CHECK(view(t) == digital("", R"("$model":"dtmi:com:example:Pump;1")"));
  for (const char* model : {"null", "7", R"("")"}) {
    const auto loaded = loaded_twin(R"({"deviceId":"d","modelId":)" + std::string(model) + "}");
    CHECK(view(loaded) == digital("", ""));
  }
}
TEST_CASE("the digital twin of a module has both ids", "[digital_twin]") {
  CHECK(view(loaded_twin(R"({"deviceId":"d","moduleId":"m"})")) ==
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
  CHECK(view(twin_with(R"({"a":1,"c":{"__t":"c","d":1}})", R"({"a":2,"b":3})")) ==
        digital(R"("a":2,"b":3,"c":{"$metadata":{"d":{"desiredValue":1}}})",
                R"("a":{"desiredValue":1},"b":{})"));
  // A version above the section's is not believed.
  const twin strange = loaded_twin(
      R"({"deviceId":"d","properties":{"desired":{"a":1,"$metadata":{"$lastUpdated":"2026-01-31T12:00:00Z",)"
      R"("a":{"$lastUpdated":"2026-01-31T12:00:00Z","$lastUpdatedVersion":9}},"$version":2},)"
      R"("reported":{"a":1,"$metadata":{"a":{"$lastUpdated":"yesterday"}},"$version":1}}})");
  CHECK(view(strange) == digital(R"("a":1)", R"("a":{"desiredValue":1})"));
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

// --- against the reference -----------------------------------------------------------------------

namespace {

/// Twins whose names and values often meet those of Plug and Play.
class random_writes {
 public:
  explicit random_writes(unsigned seed) : random_(seed) {}
  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
  std::string section(bool with_nulls) {
    return object(0, with_nulls, [&](int depth) { return value(depth, with_nulls); });
  }

 private:
  template <class Value>
  std::string object(int depth, bool with_nulls, Value&& value_of) {
    std::string text = "{", separator;
    for (const char* name : {"a", "b", "c/~", ""}) {
      if (below(2) == 0) continue;
      text += separator + "\"" + name + "\":" + value_of(depth + 1);
      separator = ",";
    }
    if (depth == 1 && below(2) == 0) {
      text += separator + "\"__t\":" + (with_nulls && below(4) == 0 ? "null" : R"("c")");
    }
    return text + "}";
  }
  std::string value(int depth, bool with_nulls) {
    switch (below(depth > 2 ? 4 : 9)) {
      case 0:
        return with_nulls ? "null" : "0";
      case 1:
        return std::to_string(below(3));
      case 2:
        return below(2) == 0 ? "1.0" : R"("s")";
      case 3:
        return below(2) == 0 ? "[1,{\"a\":2}]" : "{}";
      case 4:
        return R"({"value":)" + (below(4) == 0 ? R"({"x":1})" : std::to_string(below(3))) +
               R"(,"ac":)" + std::to_string(200 + below(2)) +
               (below(3) == 0 ? "" : R"(,"av":)" + std::to_string(below(3))) +
               (below(2) == 0                 ? ""
                : with_nulls && below(2) == 0 ? R"(,"ad":null)"
                                              : R"(,"ad":"s")") +
               "}";
      default:
        return object(depth, with_nulls, [&](int inner) { return value(inner, with_nulls); });
    }
  }
  std::mt19937 random_;
};

/// A twin without metadata at first, or with.
std::string random_twin(random_writes& random) {
  const std::string desired = random.section(false), reported = random.section(false);
  const auto section = [&](const std::string& values) {
    return values.substr(0, values.size() - 1) + (values.size() > 2 ? "," : "") +
           R"("$version":3})";
  };
  return R"({"deviceId":"d","etag":"AAAAAAAAAAE=","version":4,"properties":{"desired":)" +
         section(desired) + R"(,"reported":)" + section(reported) + "}}";
}

}  // namespace

TEST_CASE("views and events are those of the reference", "[digital_twin][property]") {
  const devicetwin::dialect* const dialects[] = {&devicetwin::azure, &devicetwin::edge_hub,
                                                 &devicetwin::rfc7396};
  for (unsigned seed = 0; seed < 400; ++seed) {
    random_writes random(seed);
    twin t(*dialects[seed % 3]);
    REQUIRE(!t.load(random_twin(random)));
    outcome done;
    for (int step = 1; step < 9; ++step) {
      INFO("seed " << seed << ", step " << step);
      const reference::node before = node_of(view(t));
      json::error e;
      switch (random.below(5)) {
        case 0:
          e = t.service_replace(of_desired(random.section(false)), noon(step), done);
          break;
        case 1:
        case 2:
          e = t.service_patch(of_desired(random.section(true)), noon(step), done);
          break;
        default:
          e = t.device_patch(random.section(true), noon(step), done);
      }
      INFO(e.message());
      REQUIRE(!e);
      const std::string now = view(t);
      INFO(now);
      const reference::node after = node_of(now);
      CHECK(reference::text_of(after) ==
            reference::text_of(reference::digital_view(node_of(service_text(t)))));
      std::string event;
      REQUIRE(!devicetwin::write_digital_twin_event(t, done, event));
      INFO(event);
      reference::node patched = before;
      if (!event.empty()) REQUIRE(reference::apply_operations(patched, node_of(event)));
      CHECK(reference::text_of(patched) == reference::text_of(after));
      if (!done.effective()) CHECK(event.empty());
    }
  }
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
