// Random operations of both parties on twins of several kinds and on the reference beside them,
// everything compared after each step. Used by the property test and by the fuzz target, which
// differ in where the choices come from.
#pragma once

#include <devicetwin/devicetwin.hpp>

#include <memory>
#include <string>
#include <vector>

#include "reference_twin.hpp"
#include "time.hpp"

namespace twin_model {

namespace json = devicetwin::json;
using devicetwin::part;
using reference::node;

/// Where choices come from.
class choices {
 public:
  virtual ~choices() = default;
  virtual unsigned below(unsigned n) = 0;
  virtual bool more() = 0;                        ///< whether another step is wanted
  virtual std::optional<std::string> text() = 0;  ///< a whole text, from those who have one
  /// Whether all kinds of twins are driven, or only the everyday one; asked once, before the first
  /// step.
  virtual bool all_kinds() { return true; }
  /// Whether everything that can be seen is compared after this step; what a step itself says
  /// always is.
  virtual bool compares() { return true; }
};

/// Memory that outlives what is built in it, for those who build many in a row: allocating so much
/// takes long, too.
class reused_buffer {
 public:
  explicit reused_buffer(std::size_t bytes) : memory_(std::move(spare())) {
    if (memory_ == nullptr) memory_.reset(new unsigned char[bytes]);
  }
  ~reused_buffer() { spare() = std::move(memory_); }
  reused_buffer(const reused_buffer&) = delete;
  reused_buffer& operator=(const reused_buffer&) = delete;
  unsigned char* get() const { return memory_.get(); }

 private:
  static std::unique_ptr<unsigned char[]>& spare() {
    static std::unique_ptr<unsigned char[]> kept;
    return kept;
  }
  std::unique_ptr<unsigned char[]> memory_;
};

/// Called when twin and reference differ; does not return.
[[noreturn]] void differ(const std::string& what, const std::string& is,
                         const std::string& should_be);

inline void same_text(const std::string& what, const std::string& is,
                      const std::string& should_be) {
  if (is != should_be) differ(what, is, should_be);
}
inline void that(bool condition, const std::string& what, const std::string& details = {}) {
  if (!condition) differ(what, details, "");
}
/// Where two values differ first.
inline std::string place_of_difference(const node& is, const node& should_be) {
  if (is.what != node::object || should_be.what != node::object) {
    return ": " + reference::text_of(is) + ", not " + reference::text_of(should_be);
  }
  for (const auto& [name, value] : should_be.o) {
    const node* there = reference::member(is, name);
    if (there == nullptr) return reference::step_of(name) + " is missing";
    if (!identical(*there, value))
      return reference::step_of(name) + place_of_difference(*there, value);
  }
  for (const auto& [name, value] : is.o) {
    if (reference::member(should_be, name) == nullptr)
      return reference::step_of(name) + " should not be there";
  }
  return {};
}
inline void same_json(const std::string& what, std::string_view text, const node& should_be) {
  const auto is = reference::parser::parse(text, 80);
  if (!is) differ(what + ": no JSON", std::string(text), reference::text_of(should_be));
  if (!identical(*is, should_be))
    differ(what + place_of_difference(*is, should_be), std::string(text),
           reference::text_of(should_be));
}
inline void same_json(const std::string& what, std::string_view text,
                      const std::optional<node>& should_be) {
  if (should_be)
    same_json(what, text, *should_be);
  else if (!text.empty())
    differ(what, std::string(text), "(nothing)");
}

// --- what is compared ----------------------------------------------------------------------------

template <class Twin, class Write>
std::string view_of(const Twin& t, Write&& write) {
  std::string text;
  const json::error e = write(t, text);
  that(!e == !t.identity().IsNull(), "a view and its error", e.message());
  return text;
}
template <class Twin>
std::string service_view(const Twin& t, bool metadata = true) {
  devicetwin::view_options options;
  options.metadata = metadata;
  return view_of(t, [&](const Twin& x, std::string& text) {
    return devicetwin::write_service_view(x, text, options);
  });
}
template <class Twin>
std::string device_view(const Twin& t) {
  return view_of(
      t, [](const Twin& x, std::string& text) { return devicetwin::write_device_view(x, text); });
}

inline void all_places(const node& value, std::vector<std::string>& names,
                       const std::string& pointer,
                       std::vector<std::pair<std::string, std::vector<std::string>>>& places) {
  places.emplace_back(pointer, names);
  for (const auto& [name, v] : value.o) {
    names.push_back(name);
    all_places(v, names, pointer + reference::step_of(name), places);
    names.pop_back();
  }
  if (value.what == node::array) {  // elements carry their array's stamp
    for (std::size_t i = 0; i < value.a.size(); ++i)
      places.emplace_back(pointer + "/" + std::to_string(i), names);
  }
}

template <class Twin>
void compare(const Twin& t, const reference::twin& r) {
  that(t.identity().IsNull() == !r.exists, "existence");
  that(t.version() == r.version && t.desired_version() == r.desired.version &&
           t.reported_version() == r.reported.version,
       "versions");
  if (!r.exists) return;
  same_json("the service's view", service_view(t), r.service_view(true));
  same_json("the service's view without metadata", service_view(t, false), r.service_view(false));
  same_json("the device's view", device_view(t), r.device_view());
  same_json(
      "the lifecycle event",
      view_of(t, [](const Twin& x,
                    std::string& text) { return devicetwin::write_lifecycle_event(x, text); }),
      r.whole_event());
  same_text("etag", std::string(t.etag()), r.etag());
  that(t.in_sync() == r.in_sync(), "in_sync", service_view(t));
  for (const part p : {part::tags, part::desired, part::reported}) {
    that(t.size(p) == r.size(p), "size of " + std::string(name_of(p)),
         std::to_string(t.size(p)) + " of " + service_view(t, false));
    std::vector<std::pair<std::string, std::vector<std::string>>> places;
    std::vector<std::string> names;
    all_places(r.section_of(p).values, names, "", places);
    for (const auto& [pointer, path] : places) {
      const auto is = t.stamp_of(p, pointer);
      const auto should_be = r.stamp_of(p, path);
      that(static_cast<bool>(is) == should_be.has_value(), "whether there is a stamp at " + pointer,
           service_view(t));
      // Whether a twin believes a history is not for this reference to say:
      // tests/property/twin_claims.cpp has that.
      const bool unknown = r.has_history && is && is->version == 0 && is->time == should_be->time;
      that(!is || unknown || *is == *should_be, "the stamp at " + pointer, service_view(t));
    }
  }
}

inline std::string shortened(const std::string& pointer) {
  return pointer.size() <= json::error::pointer_capacity ? pointer : "*";
}

inline void compare(const json::error& e, const std::vector<reference::broken_rule>& allowed,
                    const std::string& input) {
  for (const auto& b : allowed) {
    const std::string pointer = shortened(b.pointer);
    if (e.code() != b.code || (pointer != "*" && e.pointer() != pointer)) continue;
    if (pointer == "*" || (e.limit() == b.limit && e.actual() == b.actual)) return;
  }
  std::string expected;
  for (const auto& b : allowed) {
    expected += json::error(b.code).message() + " at " + b.pointer + " (" +
                std::to_string(b.limit) + ", " + std::to_string(b.actual) + "); ";
  }
  differ("an error for " + input, e.message(), expected.empty() ? "no error" : expected);
}

inline void compare(const devicetwin::outcome& done, const reference::result& r) {
  for (const part p : {part::tags, part::desired, part::reported}) {
    that(done.wrote(p) == r.wrote[static_cast<int>(p)], "wrote " + std::string(name_of(p)));
  }
  that(done.effective() == (r.wrote[0] || r.wrote[1] || r.wrote[2]), "effective");
  that(done.desired_version == r.desired_version && done.reported_version == r.reported_version &&
           done.version == r.version,
       "versions in the outcome");
  same_text("etag in the outcome", std::string(done.etag()), r.etag);
  same_json("the notification", done.notification(), r.notification);
  same_json("the event", done.event(), r.event);
  std::string is, should_be;
  std::vector<std::string> lines[2];
  part last = part::tags;
  for (std::size_t i = 0; i < done.size(); ++i) {
    const devicetwin::property_change c = done[i];
    that(c.where >= last, "parts in order");
    last = c.where;
    const char* kinds[] = {"added", "changed", "removed"};
    const auto text = [](const json::arena_value* v) {
      return v == nullptr ? "-" : reference::text_of(reference::from_value(*v));
    };
    lines[0].push_back(std::string(name_of(c.where)) + " " + std::string(c.pointer) + " " +
                       kinds[static_cast<int>(c.kind)] + " " + text(c.old_value) + " " +
                       text(c.new_value));
  }
  for (const reference::change& c : r.changes) {
    const auto text = [](const std::optional<node>& v) { return v ? reference::text_of(*v) : "-"; };
    lines[1].push_back(std::string(name_of(c.where)) + " " + c.pointer + " " +
                       (!c.old_value  ? "added"
                        : c.new_value ? "changed"
                                      : "removed") +
                       " " + text(c.old_value) + " " + text(c.new_value));
  }
  for (auto& l : lines) std::sort(l.begin(), l.end());
  for (const auto& l : lines[0]) is += l + "\n";
  for (const auto& l : lines[1]) should_be += l + "\n";
  same_text("the changes", is, should_be);
}

inline void compare_empty(const devicetwin::outcome& done) {
  that(!done.effective() && done.size() == 0 && done.version == 0 && done.desired_version == 0 &&
           done.reported_version == 0 && done.etag().empty() && done.notification().empty() &&
           done.event().empty(),
       "an empty outcome after an error");
}

// --- what is done --------------------------------------------------------------------------------

/// Random JSON as both parties send it.
class writer {
 public:
  explicit writer(choices& c) : c_(c) {}

  bool hostile = false;  ///< also what is refused
  bool replacement = false;

  std::string name() {
    static const char* const good[] = {"a",
                                       "b",
                                       "c",
                                       "value",
                                       "ac",
                                       "av",
                                       "ad",
                                       "a long name that is none for azure",
                                       "longer_than_a_value_has_room_for",
                                       "\\u00e9",
                                       "x~y/z",
                                       "",
                                       "A",
                                       "d",
                                       "e"};
    static const char* const bad[] = {"$version",
                                      "\\u0024version",
                                      "$metadata",
                                      "$x",
                                      "x.y",
                                      "x y",
                                      "x#",
                                      "\\u0001",
                                      "\\u0085",
                                      "\\u00a0",
                                      "\xE2\x80\x83",
                                      "x$y",
                                      "$",
                                      "\\u0024\\u006detadata",
                                      "$etag",
                                      "$lastUpdated"};
    if (hostile && c_.below(6) == 0) {
      const unsigned which = c_.below(18);
      return which == 16   ? std::string(1024, 'n')
             : which == 17 ? std::string(1025, 'n')
                           : bad[which];
    }
    unsigned which = c_.below(15);
    if (which == 7) which = 8;
    return good[which];
  }
  std::string scalar() {
    static const char* const good[] = {"0",
                                       "1",
                                       "2",
                                       "1.0",
                                       "-0.0",
                                       "0.5",
                                       "true",
                                       "false",
                                       "\"\"",
                                       "\"on\"",
                                       "\"a text that is longer than fifteen bytes\"",
                                       "200",
                                       "1e300",
                                       "-4503599627370496",
                                       "4503599627370495",
                                       "\"\\u0007\\u0085x\"",
                                       "\"\\u00e9\""};
    static const char* const bad[] = {"4503599627370496", "-4503599627370497",
                                      "9223372036854775807", "18446744073709551615"};
    if (hostile && c_.below(6) == 0) {
      const unsigned which = c_.below(6);
      return which == 4   ? '"' + std::string(4096, 's') + '"'
             : which == 5 ? '"' + std::string(4097, 's') + '"'
                          : bad[which];
    }
    return good[c_.below(17)];
  }
  std::string value(unsigned depth) {
    const unsigned kind = c_.below(depth > 2 ? 7 : 12);
    if (kind == 0) return replacement && !hostile ? "{}" : "null";
    if (kind < 6) return scalar();
    if (kind == 6) return array(depth);
    if (kind == 7) return acknowledgement(depth);
    return object(depth);
  }
  std::string acknowledgement(unsigned depth) {
    return "{\"value\":" + value(depth + 1) + ",\"ac\":" + (c_.below(4) != 0 ? "200" : scalar()) +
           ",\"av\":" + std::to_string(c_.below(5)) + (c_.below(2) != 0 ? "" : ",\"ad\":\"text\"") +
           "}";
  }
  std::string array(unsigned depth) {
    if (hostile && c_.below(5) == 0) return c_.below(2) != 0 ? "[null]" : "[[{\"x\":null}]]";
    std::string text = "[";
    for (unsigned n = c_.below(3); n != 0; --n) {
      text += (c_.below(3) != 0 ? scalar() : "{\"x\":" + scalar() + "}") + (n > 1 ? "," : "");
    }
    static_cast<void>(depth);
    return text + "]";
  }
  std::string object(unsigned depth) {
    if (hostile && depth == 0 && c_.below(8) == 0) {  // deep: below, at and beyond the limits
      static const unsigned depths[] = {8, 9, 10, 11, 12, 30, 59, 60, 61, 62, 63, 64};
      const unsigned deep = depths[c_.below(12)];
      std::string text;
      for (unsigned i = 0; i < deep; ++i)
        text += c_.below(4) == 0 && i != 0 && text.back() == ':' ? "[" : "{\"a\":";
      return close(text, c_.below(2) != 0 ? "1" : "{}");
    }
    std::string text = "{";
    std::vector<std::string> taken;
    unsigned wide = depth == 0 && c_.below(40) == 0 ? 24 : 0;
    for (unsigned n = c_.below(depth == 0 ? 5 : 3) + wide; n != 0; --n) {
      std::string name = wide != 0 && n > 4 ? "wide" + std::to_string(c_.below(40)) : this->name();
      if (std::find(taken.begin(), taken.end(), name) != taken.end() &&
          !(hostile && c_.below(16) == 0))
        continue;
      taken.push_back(name);
      if (text.size() > 1) text += ",";
      text += "\"" + name + "\":" + value(depth + 1);
    }
    return text + "}";
  }
  std::string section() {
    if (c_.below(12) == 0) return hostile && c_.below(4) == 0 ? scalar() : "null";
    return object(0);
  }
  /// A service's write.
  std::string service() {
    std::string text = "{";
    const auto add = [&text](const std::string& member) {
      text += (text.size() > 1 ? "," : "") + member;
    };
    if (c_.below(3) == 0) add("\"tags\":" + section());
    if (c_.below(8) != 0) {
      std::string inner = "{";
      if (c_.below(12) != 0) inner += "\"desired\":" + section();
      if (c_.below(12) == 0)
        inner += std::string(inner.size() > 1 ? "," : "") + "\"reported\":" + section();
      if (hostile && c_.below(12) == 0)
        inner += std::string(inner.size() > 1 ? "," : "") + "\"extra\":1";
      add("\"properties\":" + inner + "}");
    }
    if (c_.below(12) == 0) add("\"version\":77,\"deviceId\":\"other\",\"etag\":null");
    if (hostile && c_.below(12) == 0) add("\"" + name() + "\":" + scalar());
    if (hostile && c_.below(20) == 0) return scalar();
    return text + "}";
  }

 private:
  static std::string close(std::string text, const std::string& inner) {
    text += inner;
    std::string closing;
    bool quoted = false;
    for (const char ch : text.substr(0, text.size() - inner.size())) {
      if (ch == '"') quoted = !quoted;
      if (!quoted && ch == '{') closing.insert(closing.begin(), '}');
      if (!quoted && ch == '[') closing.insert(closing.begin(), ']');
    }
    return text + closing;
  }
  choices& c_;
};

/// Members in another order, which means the same.
inline void append_shuffled(std::string& out, const node& n, choices& c) {
  if (n.what == node::array) {
    return reference::append_text(out, n);
  }
  if (n.what != node::object) return reference::append_text(out, n);
  std::vector<const std::pair<const std::string, node>*> members;
  for (const auto& m : n.o) members.push_back(&m);
  if (members.size() > 1 && c.below(3) == 0) {
    const auto first = static_cast<std::ptrdiff_t>(c.below(static_cast<unsigned>(members.size())));
    std::rotate(members.begin(), members.begin() + first, members.end());
  }
  out += '{';
  const char* separator = "";
  for (const auto* m : members) {
    out += separator;
    reference::append_quoted(out, m->first);
    out += ':';
    append_shuffled(out, m->second, c);
    separator = ",";
  }
  out += '}';
}

/// Makes a service's view what it should not be, but may be found.
inline void disturb_metadata(node& meta, choices& c, unsigned depth) {
  static const char* const times[] = {"2015-02-30T16:24:48.789Z",
                                      "0001-01-01T00:00:00",
                                      "2020-01-02T03:04:05.1234567Z",
                                      "2020-01-02T03:04:05.100Z",
                                      "2020-01-02T05:04:05+02:00",
                                      "2020-01-02T03:04:05.123456789Z",
                                      "never",
                                      "",
                                      "2020-01-02t03:04:05z",
                                      "9999-12-31T23:59:59.9999999Z"};
  const unsigned what = c.below(14);
  if (what == 0) meta.o["$lastUpdated"] = reference::text_node(times[c.below(10)]);
  if (what == 1) meta.o["$lastUpdated"] = node{};
  if (what == 2) meta.o.erase("$lastUpdated");
  if (what == 3) meta.o.erase("$lastUpdatedVersion");
  if (what == 4)
    meta.o["$lastUpdatedVersion"] =
        reference::integer_node(static_cast<std::int64_t>(c.below(7)) - 2);
  if (what == 5) {
    meta.o["$lastUpdatedBy"] = reference::text_node("configuration");
    meta.o["$lastUpdatedByDigest"] = reference::text_node("1f");
  }
  if (what == 6) meta.o["gone"] = c.below(2) != 0 ? node{} : reference::stamp_node(0, 3, true);
  if (what == 7) meta.o["a"] = c.below(2) != 0 ? node{} : reference::integer_node(5);
  if (what == 8) meta.o["b"] = reference::object_node();
  if (what == 9) meta.o["c"] = reference::mirror(meta, reference::stamp_node(10000000, 2, true));
  if (what == 10)
    meta.o["$lastUpdatedVersion"].what = node::real, meta.o["$lastUpdatedVersion"].d = 3;
  if (what == 11 && !meta.o.empty()) meta.o.erase(meta.o.begin());
  if (what == 12) meta.o["$lastUpdatedVersion"] = reference::integer_node(INT64_MAX);
  if (depth > 4) return;
  for (auto& [name, m] : meta.o) {
    if (m.what == node::object && c.below(3) == 0) disturb_metadata(m, c, depth + 1);
  }
}
inline node disturbed(node view, choices& c) {
  if (view.o.count("properties") != 0) {
    for (const char* name : {"desired", "reported"}) {
      if (c.below(3) == 0 || view.o["properties"].o.count(name) == 0) continue;
      node& section = view.o["properties"].o[name];
      for (unsigned n = c.below(4); n != 0; --n) {
        if (c.below(8) == 0) section.o["$metadata"] = reference::object_node();
        if (section.o.count("$metadata") != 0) disturb_metadata(section.o["$metadata"], c, 0);
      }
      if (c.below(8) == 0) section.o.erase("$metadata");
      if (c.below(8) == 0) section.o.erase("$version");
      if (c.below(16) == 0)
        section.o["$version"] =
            reference::integer_node(INT64_MAX - static_cast<std::int64_t>(c.below(3)));
      if (c.below(8) == 0) section.o["$version"] = reference::integer_node(c.below(50));
    }
    if (c.below(24) == 0) view.o["properties"].o.erase(c.below(2) != 0 ? "desired" : "reported");
    if (c.below(40) == 0) view.o.erase("properties");
  }
  if (c.below(6) == 0)
    view.o["etag"] = reference::text_node(c.below(2) != 0 ? "not a counter" : "//////////8=");
  if (c.below(12) == 0) view.o["etag"] = node{};
  if (c.below(12) == 0) view.o.erase("etag");
  if (c.below(12) == 0) view.o.erase("version");
  if (c.below(12) == 0)
    view.o["version"] = reference::integer_node(INT64_MAX - static_cast<std::int64_t>(c.below(3)));
  if (c.below(6) == 0) view.o["version"] = reference::integer_node(c.below(1000));
  if (c.below(6) == 0) view.o["tags"] = reference::object_node();
  if (c.below(12) == 0) view.o.erase("tags");
  if (c.below(6) == 0)
    view.o["unknown"] =
        reference::mirror(reference::object_node(), reference::stamp_node(0, 1, true));
  if (c.below(12) == 0)
    view.o["lastActivityTime"] = reference::text_node("2015-02-30T16:24:48.789Z");
  return view;
}

/// The dialects that are driven: the named ones, and azure with fields changed.
inline const devicetwin::dialect& dialect_of(unsigned which) {
  static const auto made = [](auto&& change) {
    devicetwin::dialect d = devicetwin::azure;
    change(d);
    return d;
  };
  static const devicetwin::dialect small = made([](devicetwin::dialect& d) {
    d.max_tags = 60;
    d.max_desired = 200;
    d.max_reported = 150;
    d.max_total = 250;
  });
  static const devicetwin::dialect strict = made([](devicetwin::dialect& d) {
    d.ignores_echo = false;
    d.empty_write_counts = true;
    d.arrays = false;
    d.arrays_are_levels = false;
  });
  static const devicetwin::dialect text_sizes = made([](devicetwin::dialect& d) {
    d.size = devicetwin::size_formula::json_text;
    d.max_desired = 300;
    d.nulls_in_replacement = true;
    d.changes = devicetwin::merge::change_rule::by_value;
  });
  static const devicetwin::dialect* const all[] = {&devicetwin::azure,
                                                   &devicetwin::azure,
                                                   &devicetwin::azure,
                                                   &devicetwin::azure,
                                                   &devicetwin::rfc7396,
                                                   &devicetwin::edge_hub,
                                                   &devicetwin::aws,
                                                   &devicetwin::ditto,
                                                   &small,
                                                   &strict,
                                                   &text_sizes};
  return *all[which % 11];
}
inline constexpr unsigned dialects = 11;

/// The twins and what they are held against.
class model {
 public:
  model(const devicetwin::dialect& rules, choices& c)
      : c_(c),
        rules_(rules),
        all_kinds_(c.all_kinds()),
        buffer_(buffer_bytes),
        heap_(rules),
        buffered_(rules, devicetwin::buffer_memory(buffer_.get(), buffer_bytes)),
        device_(rules),
        reference_(rules) {
    create();
  }

  /// All that can be seen of the twins is what the reference says.
  void compare_all() {
    compare(heap_, reference_);
    if (!all_kinds_) return;
    const std::string view = service_view(heap_);
    same_text("the same twin in a buffer", service_view(buffered_), view);
    if (c_.below(4) != 0) return;  // the rest takes long and shows itself later, too
    compare(buffered_, reference_);
    // What is written is read back as the same.
    devicetwin::twin again(rules_);
    const json::error e = again.load(view);
    that(!e, "reading a view back", e.message() + " in " + view);
    same_text("the view of a view", service_view(again), view);
    const auto same = devicetwin::equal(again, heap_);
    that(same == json::comparison::equal, "equal() with a view read back", view);
  }

  void step() {
    const unsigned what = c_.below(25);
    now_ += c_.below(4) * 12345678;
    if (c_.below(64) == 0)
      now_ = c_.below(2) != 0 ? devicetwin::first_timestamp.ticks + 5
                              : devicetwin::last_timestamp.ticks - 5000000000;
    writer w(c_);
    w.hostile = c_.below(4) == 0;
    if (what == 24) {
      foreign();
    } else if (what < 7) {
      w.replacement = false;
      service(w.service(), false);
    } else if (what < 9) {
      w.replacement = true;
      service(w.service(), true);
    } else if (what < 17) {
      device(c_.below(30) == 0 ? w.scalar() : w.object(0));
    } else if (what == 17) {  // a whole view comes back
      service(service_view(heap_, c_.below(2) != 0), c_.below(2) != 0);
    } else if (what == 18) {
      std::string text;
      append_shuffled(text, disturbed(reference_.service_view(true), c_), c_);
      load(text);
    } else if (what == 19) {
      load(c_.below(4) == 0 ? device_view(heap_) : service_view(heap_));
    } else if (what == 20) {
      create();
    } else if (what == 21) {
      move_about();
    } else if (what == 22) {
      device(reference::text_of(reference_.section_view(reference_.desired, c_.below(4) == 0)));
    } else {
      broken(w.service());
    }
    if (c_.compares()) compare_all();
  }

 private:
  static constexpr std::size_t buffer_bytes = 1 << 20;
  using buffered_twin = devicetwin::basic_twin<devicetwin::buffer_memory>;

  /// A write on one twin and what the reference says of it.
  template <class Twin, class Act>
  void write(Twin& t, reference::twin& r, const reference::result& expected,
             const std::string& input, Act&& act) {
    const std::string before = t.identity().IsNull() ? "" : service_view(t);
    const json::error e = act(t);
    if (!expected.refusals.empty() || e) {
      compare(e, expected.refusals, input);
      compare_empty(done_);
      same_text("a twin after an error", t.identity().IsNull() ? "" : service_view(t), before);
    } else {
      compare(done_, expected);
    }
    static_cast<void>(r);
  }

  /// The input as text, as a value of RapidJSON's own, or as a value in an arena: not every twin
  /// gets each, for the compiler's sake.
  template <class Act>
  json::error given(const devicetwin::twin&, const std::string& text, Act&& act) {
    if (c_.below(2) != 0) return act(std::string_view(text));
    rapidjson::Document d;
    that(!json::read(text, d), "reading", text);
    return act(static_cast<const json::value&>(d));
  }
  template <class Act>
  json::error given(const buffered_twin&, const std::string& text, Act&& act) {
    json::document d;
    that(!json::read(text, d), "reading", text);
    return act(d);
  }

  void service(const std::string& text, bool replace) {
    const auto input = reference::parser::parse(text);
    if (!input) return broken(text);
    std::string condition;
    switch (c_.below(10)) {
      case 0:
        condition = "*";
        break;
      case 1:
        condition = "\"" + reference_.etag() + "\"";
        break;
      case 2:
        condition = "W/\"" + reference_.etag() + "\"";
        break;
      case 3:
        condition = reference_.etag();
        break;
      case 4:
        condition = "\"AAAAAAAAAAE=\"";
        break;
      default:
        break;
    }
    check(heap_, text, reference_.check_service(*input, replace),
          [&](devicetwin::validation& report) {
            return replace ? heap_.check_service_replace(text, report)
                           : heap_.check_service_patch(text, report);
          });
    const auto act = [&](auto& t) {
      return given(t, text, [&](const auto& v) {
        return replace ? t.service_replace(v, at(now_), done_, condition)
                       : t.service_patch(v, at(now_), done_, condition);
      });
    };
    const auto both = [&](reference::twin& r) {
      return replace ? r.service_replace(*input, now_, condition)
                     : r.service_patch(*input, now_, condition);
    };
    const reference::result expected = both(reference_);
    write(heap_, reference_, expected, text, act);
    if (expected.refusals.empty()) notify(std::string(done_.notification()));
    if (!all_kinds_) return;
    write(buffered_, reference_, expected, text, act);
  }

  void device(const std::string& text) {
    const auto input = reference::parser::parse(text);
    if (!input) return broken(text);
    const std::int64_t version =
        c_.below(4) == 0 ? reference_.reported.version - static_cast<int>(c_.below(2)) : -1;
    check(heap_, text, reference_.check_device(*input),
          [&](devicetwin::validation& report) { return heap_.check_device_patch(text, report); });
    const auto act = [&](auto& t) {
      return given(t, text,
                   [&](const auto& v) { return t.device_patch(v, at(now_), done_, version); });
    };
    const reference::result expected = reference_.device_patch(*input, now_, version);
    write(heap_, reference_, expected, text, act);
    if (!all_kinds_) return;
    write(buffered_, reference_, expected, text, act);
  }

  /// A device's copy follows by notifications alone.
  void notify(const std::string& notification) {
    if (notification.empty()) return;
    const auto input = reference::parser::parse(notification, 80);
    that(input.has_value(), "a notification", notification);
    if (device_.desired_version() + 1 != reference_.desired.version || c_.below(16) == 0)
      return fetch();
    const std::int64_t to = device_.desired_version() + 1;
    const json::error e = device_.apply_notification(notification, at(now_), done_);
    that(!e, "applying a notification", e.message() + ": " + notification);
    that(device_.desired_version() == to && done_.desired_version == to,
         "the version of a notification");
    same_json("desired as the device has it", written(device_.desired()),
              reference_.desired.values);
    that(device_.apply_notification(notification, at(now_), done_).code() ==
             json::errc::precondition_failed,
         "the same again");
    compare_empty(done_);
    same_json("desired as the device has it", written(device_.desired()),
              reference_.desired.values);
  }
  void fetch() { that(!device_.load(device_view(heap_)), "loading a device's view"); }

  static std::string written(const json::arena_value& v) {
    std::string text;
    json::write_options options;
    that(!json::write(v, text, options), "writing");
    return text;
  }

  template <class Twin, class Ask>
  void check(const Twin& t, const std::string& text, reference::findings expected, Ask&& ask) {
    const std::string before = service_view(t);
    devicetwin::validation report;
    const json::error e = ask(report);
    same_text("a twin that was asked", service_view(t), before);
    if (e || !expected.errors.empty()) return compare(e, expected.errors, text);
    std::vector<reference::broken_rule> is;
    for (std::size_t i = 0; i < report.size(); ++i) {
      const devicetwin::violation& v = report[i];
      is.push_back(
          {v.where, v.what.code(), std::string(v.what.pointer()), v.what.limit(), v.what.actual()});
    }
    for (auto* all : {&is, &expected.broken}) {
      for (auto& b : *all) {
        if (b.pointer.size() >= json::error::pointer_capacity - 8) b.pointer = "*";
      }
      std::sort(all->begin(), all->end());
    }
    const auto list = [](const std::vector<reference::broken_rule>& all) {
      std::string lines;
      for (const auto& b : all) {
        lines += std::string(name_of(b.where)) + b.pointer + ": " +
                 std::string(json::describe(b.code)) + " " + std::to_string(b.limit) + " " +
                 std::to_string(b.actual) + "\n";
      }
      return lines;
    };
    same_text("all violations of " + text, list(is), list(expected.broken));
    for (const part p : {part::tags, part::desired, part::reported}) {
      that(report.head_room(p) == expected.head_room[static_cast<int>(p)],
           "head room of " + std::string(name_of(p)),
           std::to_string(report.head_room(p)) + ", not " +
               std::to_string(expected.head_room[static_cast<int>(p)]) + ": " + text);
    }
  }

  void load(const std::string& text) {
    const auto input = reference::parser::parse(text, 68);
    that(input.has_value(), "text to load", text);
    reference::twin r = reference_;
    const bool good = r.load(*input);
    const auto one = [&](auto& t) {
      const std::string before = t.identity().IsNull() ? "" : service_view(t);
      const json::error e = load_into(t, text);
      that(!e == good, "loading", e.message() + ": " + text);
      if (e)
        same_text("a twin that could not be loaded", t.identity().IsNull() ? "" : service_view(t),
                  before);
    };
    one(heap_);
    if (all_kinds_) one(buffered_);
    if (!good) return;
    reference_ = r;
    fetch();
  }
  template <class Twin>
  json::error load_into(Twin& t, const std::string& text) {
    return t.load(text);
  }
  json::error load_into(devicetwin::twin& t, const std::string& text) {
    if (c_.below(2) != 0) return t.load(text);
    json::read_options options;
    options.max_depth = 80;
    rapidjson::Document d;
    that(!json::read(text, d, options), "reading", text);
    return t.load(d);
  }

  void create() {
    devicetwin::new_identity who{"device-1"};
    if (c_.below(2) != 0) who.module_id = "module_2";
    const auto one = [&](auto& t, reference::twin& r) {
      const json::error e = t.create(who, at(now_), done_);
      that(!e, "create", e.message());
      compare(done_, r.create("device-1", std::string(who.module_id), now_));
    };
    one(heap_, reference_);
    if (all_kinds_) one(buffered_, reference_);
    who.device_id = "no id";
    that(heap_.create(who, at(now_), done_).code() == json::errc::invalid_identity, "a bad id");
    compare_empty(done_);
    fetch();
  }

  void move_about() {
    devicetwin::twin copy(rules_);
    that(!copy.assign(heap_), "assign");
    compare(copy, reference_);
    compare(heap_, reference_);
    devicetwin::twin moved = static_cast<devicetwin::twin&&>(heap_);
    compare(moved, reference_);
    that(heap_.identity().IsNull() && heap_.version() == 0, "a twin moved from");
    heap_ = static_cast<devicetwin::twin&&>(copy);
    compare(heap_, reference_);
    moved.swap(heap_);
    that(!heap_.assign(heap_), "assign to itself");
    if (!all_kinds_) return;
    buffered_twin other(rules_, devicetwin::buffer_memory(nullptr, 0));
    other.swap(buffered_);
    compare(other, reference_);
    buffered_ = static_cast<buffered_twin&&>(other);
    that(!buffered_.assign(buffered_), "assign inside a buffer");
  }

  /// A text that somebody else has written.
  void foreign() {
    const unsigned kind = c_.below(4);
    const auto text = c_.text();
    if (!text) return;
    json::read_options options;
    options.big_integers = rules_.big_integers;
    json::document d;
    if (json::read(*text, d, options)) return refused(*text);
    if (kind < 2)
      service(*text, kind == 1);
    else if (kind == 2)
      device(*text);
    else
      load(*text);
  }

  /// Text that cannot be read.
  void broken(std::string text) {
    if (reference::parser::parse(text)) {
      switch (c_.below(4)) {
        case 0:
          text.pop_back();
          break;
        case 1:
          text += "}";
          break;
        case 2:
          text += '\0';
          break;
        default:
          text.insert(c_.below(static_cast<unsigned>(text.size())), 1, '\x80');
          break;
      }
      if (reference::parser::parse(text)) return;
    }
    refused(text);
  }
  void refused(const std::string& text) {
    const std::string before = service_view(heap_);
    devicetwin::validation report;
    that(static_cast<bool>(heap_.check_service_patch(text, report)), "asking for broken text",
         text);
    for (int i = 0; i < 4; ++i) {
      const json::error e = i == 0   ? heap_.service_patch(text, at(now_), done_)
                            : i == 1 ? heap_.service_replace(text, at(now_), done_)
                            : i == 2 ? heap_.device_patch(text, at(now_), done_)
                                     : heap_.apply_notification(text, at(now_), done_);
      that(e && e.has_position(), "broken text", text);
      compare_empty(done_);
      same_text("a twin after broken text", service_view(heap_), before);
    }
  }

  choices& c_;
  const devicetwin::dialect& rules_;
  const bool all_kinds_;
  reused_buffer buffer_;
  devicetwin::twin heap_;
  buffered_twin buffered_;
  devicetwin::twin device_;
  reference::twin reference_;
  devicetwin::outcome done_;
  std::int64_t now_ = 17'000'000'000'000'000;
};

}  // namespace twin_model
