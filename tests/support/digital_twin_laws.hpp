// What must hold for the digital twin of whatever a random_json comes up with. Used by the tests
// with random choices, and by the fuzz target.
#pragma once

#include <devicetwin/devicetwin.hpp>

#include <string>

#include "random_json.hpp"
#include "reference_digital_twin.hpp"

namespace laws {

/// Sections and operations whose names and values often meet those of Plug and Play.
class digital_choices {
 public:
  explicit digital_choices(random_json& chosen) : chosen_(chosen) {}
  unsigned below(unsigned n) { return chosen_.below(n); }

  /// An object for a section; with nulls, which remove, for a patch of one.
  std::string section(bool with_nulls) { return object(0, with_nulls); }
  /// A twin of two such sections, without metadata.
  std::string twin() {
    const auto versioned = [](const std::string& values) {
      return values.substr(0, values.size() - 1) + (values.size() > 2 ? "," : "") +
             R"("$version":3})";
    };
    const std::string desired = section(false), reported = section(false);
    return R"({"deviceId":"d","etag":"AAAAAAAAAAE=","version":4,"properties":{"desired":)" +
           versioned(desired) + R"(,"reported":)" + versioned(reported) + "}}";
  }
  /// A JSON Patch on a digital twin. Most of its operations are allowed.
  std::string operations() {
    std::string text = "[";
    for (unsigned n = below(6); n != 0; --n) text += operation() + (n == 1 ? "" : ",");
    return text + "]";
  }

 private:
  std::string object(int depth, bool with_nulls) {
    std::string text = "{", separator;
    for (const char* name : {"a", "b", "c/~", ""}) {
      if (below(2) == 0) continue;
      text += separator + "\"" + name + "\":" + value(depth + 1, with_nulls);
      separator = ",";
    }
    if (depth == 1 && below(2) == 0)
      text += separator + "\"__t\":" + (with_nulls && below(4) == 0 ? "null" : R"("c")");
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
        return object(depth, with_nulls);
    }
  }
  std::string operation() {
    static const char* const odd_paths[] = {
        "", "/", "/a/b/c", "/$metadata/a", "/a/__t", "/1x", "/a~0", "/a~2", "a", "/a/$metadata"};
    std::string path = name() + (below(2) == 0 ? "" : name());
    if (below(40) == 0) path = odd_paths[below(10)];
    const unsigned verb = below(40);
    const std::string at = R"(","path":")" + path + '"';
    if (verb == 0) return R"({"op":"test)" + at + R"(,"value":1})";
    if (verb == 1) return R"({"op":"add)" + at + "}";
    if (verb < 12) return R"({"op":"remove)" + at + "}";
    return (verb < 20 ? R"({"op":"replace)" : R"({"op":"add)") + at + R"(,"value":)" + written(0) +
           "}";
  }
  std::string name() { return std::string("/") + static_cast<char>('a' + below(3)); }
  /// A value for an operation, sometimes one that is refused.
  std::string written(int depth) {
    switch (below(depth > 6 ? 3 : 12)) {
      case 0:
        return std::to_string(below(3));
      case 1:
        return R"("s")";
      case 2:
        return "1.0";
      case 3:
        return below(6) == 0 ? "null" : "true";
      case 4:
        return below(6) == 0 ? "[1]" : "false";
      default:
        break;
    }
    std::string text = "{", separator;
    if (depth == 0 && below(2) == 0) {
      text += below(12) == 0 ? R"("$metadata":{"x":1})" : R"("$metadata":{})";
      separator = ",";
    }
    for (const char* n : {"a", "b", "c_"}) {
      if (below(3) != 0 || (n[1] != 0 && below(9) != 0)) continue;
      text += separator + "\"" + n + "\":" + written(depth + 1);
      separator = ",";
    }
    return text + "}";
  }

  random_json& chosen_;
};

/// A twin that is written again and again, and its digital twin.
class digital_life {
 public:
  unsigned effective = 0, refused = 0;  ///< patches of the digital twin

  /// Returns what is broken, or an empty text.
  std::string run(random_json& chosen) {
    digital_choices choices(chosen);
    const devicetwin::dialect* const dialects[] = {&devicetwin::azure, &devicetwin::edge_hub,
                                                   &devicetwin::rfc7396};
    devicetwin::twin t(*dialects[choices.below(3)]);
    if (t.load(choices.twin())) return "a twin cannot be loaded";
    for (int step = 1; step < 9; ++step) {
      const std::string broken = write(t, choices, step);
      if (!broken.empty()) return broken + said_;
    }
    return {};
  }

 private:
  using node = reference::node;

  node parsed(const std::string& text) {
    const auto found = reference::parser::parse(text, 100);
    if (!found) said_ += "\n  no JSON: " + text;
    return found ? *found : node{};
  }
  node view_of(const devicetwin::twin& t) {
    std::string text;
    if (devicetwin::write_digital_twin(t, text)) said_ += "\n  no digital twin";
    return parsed(text);
  }
  template <class Value>
  node seen(const Value& v) {
    std::string text;
    if (devicetwin::json::write(v, text)) said_ += "\n  cannot be written";
    return parsed(text);
  }

  std::string write(devicetwin::twin& t, digital_choices& choices, int step) {
    const devicetwin::timestamp now{step * devicetwin::ticks_per_second};
    const node before = view_of(t);
    std::string text, service;
    if (devicetwin::write_service_view(t, service)) return "no view";
    said_ = "\n  twin: " + service;
    const auto of_desired = [&](bool with_nulls) {
      text = R"({"properties":{"desired":)" + choices.section(with_nulls) + "}}";
      return text;
    };
    devicetwin::json::error e;
    switch (choices.below(6)) {
      case 0:
        e = t.service_replace(of_desired(false), now, done_);
        break;
      case 1:
        e = t.service_patch(of_desired(true), now, done_);
        break;
      case 2:
      case 3:
        text = choices.section(true);
        e = t.device_patch(text, now, done_);
        break;
      default:
        text = choices.operations();
        said_ += "\n  patch: " + text;
        if (const std::string broken = patch(t, text, now, e); !broken.empty()) return broken;
        if (e) return view_of_is(t, before) ? "" : "a refused patch changed something";
    }
    said_ += "\n  written: " + text;
    if (e) return "a write is refused: " + e.message();
    return compare(t, before);
  }
  bool view_of_is(const devicetwin::twin& t, const node& expected) {
    return reference::text_of(view_of(t)) == reference::text_of(expected);
  }
  std::string patch(devicetwin::twin& t, const std::string& text, devicetwin::timestamp now,
                    devicetwin::json::error& e) {
    const node desired = seen(t.desired());
    const reference::digital_result expected =
        reference::digital_patcher(desired, seen(t.reported())).apply(parsed(text));
    const std::int64_t version = t.desired_version(), whole = t.version();
    e = devicetwin::patch_digital_twin(t, text, now, done_);
    said_ += "\n  " + e.message();
    if (e.code() != expected.code) return "the error should be another one";
    if (e && e.operation() != expected.operation) return "the error is of another operation";
    if (!reference::equal(seen(t.desired()), expected.desired))
      return "should be desired: " + reference::text_of(expected.desired);
    const int steps = !e && done_.effective() ? 1 : 0;
    if (t.desired_version() != version + steps || t.version() != whole + steps)
      return "a patch is one step";
    ++(e ? refused : effective);
    return {};
  }
  /// The view is that of the reference, and the event leads to it.
  std::string compare(const devicetwin::twin& t, const node& before) {
    std::string service, event;
    if (devicetwin::write_service_view(t, service)) return "no view";
    const node after = view_of(t);
    const std::string expected = reference::text_of(reference::digital_view(parsed(service)));
    if (reference::text_of(after) != expected)
      return "the digital twin should be " + expected + ", it is " + reference::text_of(after);
    if (devicetwin::write_digital_twin_event(t, done_, event)) return "no event";
    if (!done_.effective() && !event.empty()) return "an event of nothing: " + event;
    node patched = before;
    if (!event.empty() && !reference::apply_operations(patched, parsed(event)))
      return "the event cannot be applied: " + event;
    if (reference::text_of(patched) != reference::text_of(after))
      return "the event leads elsewhere: " + event;
    return {};
  }

  devicetwin::outcome done_;
  std::string said_;
};

}  // namespace laws
