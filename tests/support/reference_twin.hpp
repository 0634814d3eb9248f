// The slow and obvious twin to compare with: everything is plain JSON, $metadata included, every
// write works on copies, and nothing is kept that could be counted again. Its rules are those of
// docs/azure.md, the dialect's values decide where services differ.
#pragma once

#include <devicetwin/json/number.hpp>
#include <devicetwin/twin/dialect.hpp>
#include <devicetwin/twin/stamp.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference.hpp"

namespace reference {
inline namespace of_twins {  // other references have functions of the same names

using devicetwin::dialect;
using devicetwin::part;
using errc = devicetwin::json::errc;
using std::int64_t;

// --- JSON ----------------------------------------------------------------------------------------

inline node object_node() {
  node n;
  n.what = node::object;
  return n;
}
inline node text_node(std::string text) {
  node n;
  n.what = node::string;
  n.s = static_cast<std::string&&>(text);
  return n;
}
inline node integer_node(int64_t i) {
  node n;
  n.what = node::integer;
  n.i = i;
  return n;
}
inline const node* member(const node& object, const std::string& name) {
  if (object.what != node::object) return nullptr;
  const auto found = object.o.find(name);
  return found == object.o.end() ? nullptr : &found->second;
}

inline void append_quoted(std::string& out, const std::string& text) {
  out += '"';
  for (const char c : text) {
    const std::string_view shorts = "\"\\\b\f\n\r\t", letters = "\"\\bfnrt";
    const std::size_t which = shorts.find(c);
    if (which != shorts.npos) {
      out += '\\';
      out += letters[which];
    } else if (static_cast<unsigned char>(c) < 0x20) {
      const char* digits = "0123456789abcdef";
      out += "\\u00";
      out += digits[c >> 4 & 15];
      out += digits[c & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}
/// Compact JSON text.
inline void append_text(std::string& out, const node& n) {
  char buffer[devicetwin::json::max_number_chars];
  const char* separator = "";
  switch (n.what) {
    case node::null:
      out += "null";
      break;
    case node::boolean:
      out += n.b ? "true" : "false";
      break;
    case node::integer:
      out += std::to_string(n.i);
      break;
    case node::natural:
      out += std::to_string(n.u);
      break;
    case node::real:
      out.append(buffer, devicetwin::json::to_chars(buffer, n.d));
      break;
    case node::string:
      append_quoted(out, n.s);
      break;
    case node::array:
      out += '[';
      for (const node& e : n.a) {
        out += separator;
        append_text(out, e);
        separator = ",";
      }
      out += ']';
      break;
    case node::object:
      out += '{';
      for (const auto& [name, value] : n.o) {
        out += separator;
        append_quoted(out, name);
        out += ':';
        append_text(out, value);
        separator = ",";
      }
      out += '}';
      break;
  }
}
inline std::string text_of(const node& n) {
  std::string text;
  append_text(text, n);
  return text;
}

/// What a merge makes of a new value: RFC 7396 drops nulls, except inside arrays.
inline node without_nulls(const node& n) {
  if (n.what != node::object) return n;
  node kept = object_node();
  for (const auto& [name, value] : n.o) {
    if (value.what != node::null) kept.o[name] = without_nulls(value);
  }
  return kept;
}

inline bool same_number_types(const node& x, const node& y) {
  if ((x.what == node::real) != (y.what == node::real)) return false;
  if (x.a.size() != y.a.size()) return false;
  for (std::size_t i = 0; i < x.a.size(); ++i) {
    if (!same_number_types(x.a[i], y.a[i])) return false;
  }
  for (const auto& [name, value] : x.o) {
    const node* other = member(y, name);
    if (other == nullptr || !same_number_types(value, *other)) return false;
  }
  return true;
}
inline bool same(const node& x, const node& y, devicetwin::json::number_equality numbers) {
  if (numbers == devicetwin::json::number_equality::by_value_and_type && !same_number_types(x, y))
    return false;
  return equal(x, y);
}

/// One step of a JSON Pointer.
inline std::string step_of(const std::string& name) {
  std::string text = "/";
  for (const char c : name) text += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return text;
}

// --- sizes and rules -----------------------------------------------------------------------------

inline std::size_t visible_bytes(const std::string& text) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = [&](std::size_t at) {
      return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u;
    };
    const bool c1 = byte(i) == 0xC2 && byte(i + 1) >= 0x80 && byte(i + 1) <= 0x9F;
    if (c1) ++i;
    if (!c1 && byte(i) >= 0x20 && byte(i) != 0x7F) ++count;
  }
  return count;
}
inline std::size_t size_by(devicetwin::size_formula formula, const node& n) {
  if (formula == devicetwin::size_formula::json_text) return text_of(n).size();
  std::size_t sum = 0;
  switch (n.what) {
    case node::null:
      break;
    case node::boolean:
      sum = 4;
      break;
    case node::integer:
    case node::natural:
    case node::real:
      sum = 8;
      break;
    case node::string:
      sum = visible_bytes(n.s);
      break;
    case node::array:
      for (const node& e : n.a) sum += size_by(formula, e);
      break;
    case node::object:
      for (const auto& [name, value] : n.o) sum += visible_bytes(name) + size_by(formula, value);
      break;
  }
  return sum;
}

/// A broken rule: where the pointer is inside the part, and its figures.
struct broken_rule {
  part where;
  errc code;
  std::string pointer;
  std::uint64_t limit = 0, actual = 0;
  friend bool operator<(const broken_rule& x, const broken_rule& y) {
    if (x.where != y.where) return x.where < y.where;
    if (x.code != y.code) return x.code < y.code;
    if (x.pointer != y.pointer) return x.pointer < y.pointer;
    return x.limit != y.limit ? x.limit < y.limit : x.actual < y.actual;
  }
};

inline bool is_white_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}
inline std::vector<char32_t> characters_of(const std::string& utf8) {
  std::vector<char32_t> characters;
  for (std::size_t i = 0; i < utf8.size();) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t c = length == 1 ? lead : lead & (0xFFu >> (length + 1));
    for (std::size_t k = 1; k < length; ++k)
      c = c * 64 + (static_cast<unsigned char>(utf8[i + k]) & 63u);
    characters.push_back(c);
    i += length;
  }
  return characters;
}

struct rule_check {
  const dialect& rules;
  part where;
  bool patch;
  std::vector<broken_rule>& broken;

  void note(errc code, const std::string& at, std::uint64_t limit = 0, std::uint64_t actual = 0) {
    broken.push_back({where, code, at, limit, actual});
  }
  void name(const std::string& n, const std::string& at) {
    if (!n.empty() && n[0] == '$') return note(errc::reserved_member, at);
    if (n.size() > rules.max_name) return note(errc::name_too_long, at, rules.max_name, n.size());
    for (const char32_t c : characters_of(n)) {
      const bool control = c < 0x20 || (c >= 0x7F && c <= 0x9F);
      const bool forbidden =
          c < 0x80 && rules.forbidden_in_names.find(static_cast<char>(c)) != std::string_view::npos;
      if (forbidden || (control && !rules.control_characters_in_names) ||
          (is_white_space(c) && !rules.white_space_in_names)) {
        return note(errc::forbidden_name, at);
      }
    }
  }
  void value(const node& n, const std::string& at, std::size_t level, bool in_array) {
    const auto magnitude = [](int64_t i) {
      return i < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(i)
                   : static_cast<std::uint64_t>(i);
    };
    const bool container =
        n.what == node::object || (n.what == node::array && rules.arrays_are_levels);
    if (n.what == node::array && !rules.arrays) note(errc::array_forbidden, at);
    if (container && level == rules.max_depth + 1)
      note(errc::depth_exceeded, at, rules.max_depth, level);
    const std::size_t inside = container ? level + 1 : level;
    switch (n.what) {
      case node::null:
        if (in_array && !rules.nulls_in_arrays) note(errc::null_in_array, at);
        if (!in_array && !patch && !rules.nulls_in_replacement) note(errc::null_in_replacement, at);
        break;
      case node::integer:
        if (n.i < rules.min_integer)
          note(errc::integer_too_large, at, magnitude(rules.min_integer), magnitude(n.i));
        if (n.i > rules.max_integer)
          note(errc::integer_too_large, at, magnitude(rules.max_integer), magnitude(n.i));
        break;
      case node::natural:
        if (rules.max_integer != INT64_MAX)
          note(errc::integer_too_large, at, magnitude(rules.max_integer), n.u);
        break;
      case node::string:
        if (n.s.size() > rules.max_string)
          note(errc::string_too_long, at, rules.max_string, n.s.size());
        break;
      case node::array:
        for (std::size_t i = 0; i < n.a.size(); ++i)
          value(n.a[i], at + "/" + std::to_string(i), inside, true);
        break;
      case node::object:
        for (const auto& [key, v] : n.o) {
          name(key, at + step_of(key));
          value(v, at + step_of(key), inside, in_array);
        }
        break;
      case node::boolean:
      case node::real:
        break;
    }
  }
};

// --- stamps --------------------------------------------------------------------------------------

/// ISO 8601, by counting years and months. (The C library's calendar does not know all of these
/// years everywhere.)
inline std::string time_text(int64_t ticks) {
  const auto whole = [](int64_t& rest, int64_t unit) {  // rounds down
    int64_t count = rest / unit;
    rest %= unit;
    if (rest < 0) {
      rest += unit;
      --count;
    }
    return count;
  };
  int64_t rest = ticks;
  int64_t second = whole(rest, 10000000);
  int64_t day = whole(second, 24 * 60 * 60);
  int64_t year = 1970 + 400 * whole(day, 146097);
  const auto leap = [&] { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; };
  for (; day >= (leap() ? 366 : 365); ++year) day -= leap() ? 366 : 365;
  const int lengths[] = {31, leap() ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int month = 0;
  for (; day >= lengths[month]; ++month) day -= lengths[month];
  char text[80];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d", static_cast<int>(year),
                month + 1, static_cast<int>(day) + 1, static_cast<int>(second / 3600),
                static_cast<int>(second / 60 % 60), static_cast<int>(second % 60));
  std::string out = text;
  if (rest != 0) {
    std::string digits = std::to_string(rest);
    digits.insert(0, 7 - digits.size(), '0');
    while (digits.back() == '0') digits.pop_back();
    out += "." + digits;
  }
  return out + "Z";
}

/// The version of a stamp in reported, which no view shows.
inline const std::string hidden_version = "\x01version";
inline const std::string hidden_doubt = "\x01doubt";

inline node stamp_node(int64_t now, int64_t version, bool shows_version) {
  node stamp = object_node();
  stamp.o["$lastUpdated"] = text_node(time_text(now));
  if (version != 0)
    stamp.o[shows_version ? "$lastUpdatedVersion" : hidden_version] = integer_node(version);
  return stamp;
}
/// The metadata of a value that was written as a whole.
inline node mirror(const node& value, const node& stamp) {
  node meta = stamp;
  for (const auto& [name, v] : value.o) {
    if (value.what == node::object) meta.o[name] = mirror(v, stamp);
  }
  return meta;
}
inline node shown(const node& meta) {
  node out = meta;
  out.o.erase(hidden_version);
  out.o.erase(hidden_doubt);
  for (auto& [name, v] : out.o) v = shown(v);
  return out;
}
/// A version in metadata, however it is spelled; 0 when it is not a version. `beyond` tells of one
/// beyond 63 bits.
inline int64_t version_in(const node& meta, bool& beyond) {
  const node* v = member(meta, "$lastUpdatedVersion");
  beyond = v != nullptr &&
           (v->what == node::natural || (v->what == node::real && v->d >= 9223372036854775808.0));
  if (v == nullptr || beyond) return 0;
  if (v->what == node::integer) return v->i > 0 ? v->i : 0;
  return v->what == node::real && v->d > 0 && v->d == std::floor(v->d) ? static_cast<int64_t>(v->d)
                                                                       : 0;
}
inline bool has_version_above(const node& meta, int64_t version) {
  if (meta.what != node::object) return false;
  bool beyond = false;
  if (version_in(meta, beyond) > version || beyond) return true;
  for (const auto& [name, inner] : meta.o) {
    if (has_version_above(inner, version)) return true;
  }
  return false;
}
inline void doubt_all(node& meta) {
  for (auto& [name, inner] : meta.o) doubt_all(inner);
  if (meta.what == node::object) meta.o[hidden_doubt] = node{};
}
/// Marks objects whose version is below one inside of them. Returns the highest version of the
/// value and what is inside.
inline int64_t doubt_disorder(const node& value, node& meta) {
  if (meta.what != node::object) return 0;
  const node* time = member(meta, "$lastUpdated");
  const bool timed =
      time != nullptr && time->what == node::string && devicetwin::parse_timestamp(time->s);
  bool beyond = false;
  const int64_t own = timed ? version_in(meta, beyond) : 0;
  int64_t latest = 0;
  for (const auto& [name, v] : value.o) {
    const auto inner = meta.o.find(name);
    if (value.what == node::object && inner != meta.o.end() && (name.empty() || name[0] != '$')) {
      latest = std::max(latest, doubt_disorder(v, inner->second));
    }
  }
  if (own < latest) meta.o[hidden_doubt] = node{};
  return std::max(own, latest);
}
/// Marks the versions that cannot be right: they are not believed, now or later. One above the
/// section's shows that the whole section was written by somebody else.
inline void doubt_versions(const node& values, node& meta, int64_t version) {
  if (has_version_above(meta, version)) {
    doubt_all(meta);
  } else {
    doubt_disorder(values, meta);
  }
}

inline std::string etag_text(std::uint64_t counter) {
  const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bits;
  for (int i = 63; i >= 0; --i) bits += (counter >> i & 1) != 0 ? '1' : '0';
  bits += "00";
  std::string text;
  for (std::size_t i = 0; i < bits.size(); i += 6)
    text += digits[std::stoul(bits.substr(i, 6), nullptr, 2)];
  return text + "=";
}
inline std::optional<std::uint64_t> etag_value(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() != 12) return std::nullopt;
  std::uint64_t counter = 0;
  for (std::size_t i = 0; i < 11; ++i) {
    const std::size_t digit = digits.find(text[i]);
    if (digit == digits.npos) return std::nullopt;
    counter = i == 10 ? counter << 4 | digit >> 2 : counter << 6 | digit;
  }
  return etag_text(counter) == text ? std::optional<std::uint64_t>(counter) : std::nullopt;
}

/// Without blanks, weak marks and quotes around it.
inline std::string bare_etag(std::string text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  text = text.substr(first, text.find_last_not_of(" \t") - first + 1);
  while (true) {
    const std::string start = text.compare(0, 3, "W/\"") == 0 ? "W/\"" : "\"";
    if (text.size() <= start.size() || text.compare(0, start.size(), start) != 0 ||
        text.back() != '"')
      return text;
    text = text.substr(start.size(), text.size() - start.size() - 1);
  }
}
/// All that an If-Match header may mean, the whole first.
inline std::vector<std::string> etags_in(const std::string& header) {
  std::vector<std::string> elements{header}, all;
  std::string element;
  bool quoted = false;
  for (const char c : header + ",") {
    if (c == '"') quoted = !quoted;
    if (c == ',' && !quoted) {
      elements.push_back(element);
      element.clear();
    } else {
      element += c;
    }
  }
  for (const std::string& e : elements) {
    if (&e != &elements.front() && e.find_first_not_of(" \t") == e.npos) continue;
    all.push_back(bare_etag(e));
    if (all.back().size() > 2 && all.back().compare(0, 2, "W/") == 0)
      all.push_back(all.back().substr(2));
  }
  return all;
}

// --- the twin ------------------------------------------------------------------------------------

struct change {
  part where;
  std::string pointer;
  std::optional<node> old_value, new_value;
};

struct result {
  /// Why it was refused: any of these, pointers in the whole input. Empty: it was done.
  std::vector<broken_rule> refusals;
  bool wrote[3] = {};
  int64_t desired_version = 0, reported_version = 0, version = 0;
  std::string etag;
  std::vector<change> changes;
  std::optional<node> notification, event;
};

/// What checking first finds: an error that stops it, or everything.
struct findings {
  std::vector<broken_rule> errors;
  std::vector<broken_rule> broken;
  int64_t head_room[3] = {INT64_MAX, INT64_MAX, INT64_MAX};
};

class twin {
 public:
  struct section {
    node values = object_node();
    std::optional<node> metadata;
    int64_t version = 0;
    bool present = false;
  };

  explicit twin(const dialect& d) : rules(&d) {}

  const dialect* rules;
  bool exists = false;
  bool has_history =
      false;  ///< it was loaded with a history, whose checksum this reference does not know
  node identity;
  section tags, desired, reported;
  bool shows_empty_tags = false, shows_properties = false;
  int64_t version = 0;

  const section& section_of(part p) const {
    return p == part::tags ? tags : p == part::desired ? desired : reported;
  }
  std::size_t size(part p) const { return size_by(rules->size, section_of(p).values); }
  std::string etag() const {
    const node* e = member(identity, "etag");
    return e != nullptr && e->what == node::string ? e->s : std::string();
  }

  // --- views -------------------------------------------------------------------------------------

  node section_view(const section& s, bool with_metadata) const {
    node view = s.values;
    if (with_metadata && s.metadata) view.o["$metadata"] = shown(*s.metadata);
    if (s.version != 0) view.o["$version"] = integer_node(s.version);
    return view;
  }
  node service_view(bool with_metadata) const {
    node view = identity;
    if (!tags.values.o.empty() || shows_empty_tags) view.o["tags"] = tags.values;
    if (desired.present || reported.present || shows_properties) {
      node properties = object_node();
      if (desired.present) properties.o["desired"] = section_view(desired, with_metadata);
      if (reported.present) properties.o["reported"] = section_view(reported, with_metadata);
      view.o["properties"] = properties;
    }
    return view;
  }
  node device_view() const {
    node view = object_node();
    view.o["desired"] = section_view(desired, false);
    view.o["reported"] = section_view(reported, false);
    return view;
  }
  /// The body of lifecycle and replaceTwin events.
  node whole_event() const {
    node body = object_node();
    for (const char* name : {"deviceId", "moduleId", "etag"}) {
      const node* n = member(identity, name);
      if (n != nullptr && n->what == node::string && !n->s.empty()) body.o[name] = *n;
    }
    body.o["version"] = integer_node(version);
    node properties = object_node();
    properties.o["desired"] = section_view(desired, true);
    properties.o["reported"] = section_view(reported, true);
    body.o["properties"] = properties;
    return body;
  }

  /// The stamp of a place, as its metadata tells it.
  std::optional<devicetwin::stamp> stamp_of(part where,
                                            const std::vector<std::string>& names) const {
    const section& s = section_of(where);
    if (where == part::tags || !s.metadata) return std::nullopt;
    const node* meta = &*s.metadata;
    for (const std::string& name : names) {
      meta = member(*meta, name);
      const bool services_own = !name.empty() && name[0] == '$';
      if (meta == nullptr || services_own) return std::nullopt;
    }
    const node* time = member(*meta, "$lastUpdated");
    if (time == nullptr || time->what != node::string) return std::nullopt;
    const auto ticks = devicetwin::parse_timestamp(time->s);
    if (!ticks) return std::nullopt;
    devicetwin::stamp found{*ticks, 0};
    for (const std::string& name : {std::string("$lastUpdatedVersion"), hidden_version}) {
      const node* v = member(*meta, name);
      if (v != nullptr && v->what == node::integer && v->i > 0) found.version = v->i;
      if (v != nullptr && v->what == node::real && v->d > 0 && v->d < 9e18 &&
          v->d == std::floor(v->d)) {
        found.version = static_cast<int64_t>(v->d);
      }
    }
    if (meta->o.count(hidden_doubt) != 0) found.version = 0;
    return found;
  }

  // --- desired against reported ------------------------------------------------------------------

  bool in_sync() const { return pending(desired.values, &reported.values, true) == 0; }
  static const node* in_effect(const node* reported) {
    if (reported == nullptr) return nullptr;
    const node* value = member(*reported, "value");
    const node* code = member(*reported, "ac");
    const node* version = member(*reported, "av");
    const auto is_integer = [](const node* n) {  // 200.0 is one
      return n != nullptr &&
             (n->what == node::integer || (n->what == node::real && n->d == std::floor(n->d) &&
                                           std::fabs(n->d) < 9223372036854775808.0));
    };
    const bool ack =
        value != nullptr && value->what != node::null && is_integer(code) && is_integer(version);
    return ack ? value : reported;
  }
  int64_t pending(const node& wanted, const node* given, bool root) const {
    const node* is = root ? given : in_effect(given);  // the section itself is no property
    if (is == nullptr) return 1;
    if (wanted.what != node::object || is->what != node::object)
      return same(wanted, *is, rules->numbers) ? 0 : 1;
    int64_t sum = 0;
    for (const auto& [name, value] : wanted.o) sum += pending(value, member(*is, name), false);
    return sum;
  }

  // --- making one --------------------------------------------------------------------------------

  result create(const std::string& device, const std::string& module, int64_t now) {
    identity = object_node();
    identity.o["deviceId"] = text_node(device);
    if (!module.empty()) identity.o["moduleId"] = text_node(module);
    identity.o["etag"] = text_node("AAAAAAAAAAE=");
    identity.o["deviceEtag"] = text_node("MQ==");
    identity.o["status"] = text_node("enabled");
    identity.o["statusUpdateTime"] = identity.o["lastActivityTime"] =
        text_node("0001-01-01T00:00:00Z");
    identity.o["connectionState"] = text_node("Disconnected");
    identity.o["cloudToDeviceMessageCount"] = integer_node(0);
    identity.o["authenticationType"] = text_node("sas");
    identity.o["modelId"] = text_node("");
    identity.o["version"] = integer_node(2);
    node thumbprint = object_node();
    thumbprint.o["primaryThumbprint"] = thumbprint.o["secondaryThumbprint"] = node{};
    identity.o["x509Thumbprint"] = thumbprint;
    node capabilities = object_node();
    capabilities.o["iotEdge"].what = node::boolean;
    identity.o["capabilities"] = capabilities;
    exists = true;
    tags = section{};
    desired = section{};
    desired.version = 1;
    desired.present = true;
    desired.metadata = stamp_node(now, 0, true);
    reported = desired;
    shows_empty_tags = shows_properties = false;
    version = 2;
    result done;
    done.desired_version = done.reported_version = 1;
    done.version = 2;
    done.etag = etag();
    done.event = whole_event();
    return done;
  }

  /// Takes a service view, a device view or the body of an event. False: it is none.
  bool load(const node& given) {
    if (given.what != node::object) return false;
    twin fresh(*rules);
    fresh.exists = true;
    fresh.has_history = member(given, "$history") != nullptr;
    fresh.identity = given;
    const auto take = [&fresh](const char* name) -> std::optional<node> {
      const node* found = member(fresh.identity, name);
      if (found == nullptr) return std::nullopt;
      node taken = *found;
      fresh.identity.o.erase(name);
      return taken;
    };
    if (const auto t = take("tags")) {
      if (t->what != node::object) return false;
      fresh.tags.values = *t;
      fresh.shows_empty_tags = true;
    }
    std::optional<node> sections[2];
    if (const auto properties = take("properties")) {
      if (properties->what != node::object) return false;
      fresh.shows_properties = true;
      if (const node* n = member(*properties, "desired")) sections[0] = *n;
      if (const node* n = member(*properties, "reported")) sections[1] = *n;
      if (member(fresh.identity, "desired") != nullptr ||
          member(fresh.identity, "reported") != nullptr)
        return false;
    } else {
      sections[0] = take("desired");
      sections[1] = take("reported");
    }
    for (int i = 0; i < 2; ++i) {
      section& s = i == 0 ? fresh.desired : fresh.reported;
      if (!sections[i]) continue;
      if (sections[i]->what != node::object) return false;
      s.present = true;
      s.values = *sections[i];
      if (const node* v = member(*sections[i], "$version")) {
        if (!whole_number(*v, s.version)) return false;
        s.values.o.erase("$version");
      }
      if (const node* m = member(*sections[i], "$metadata")) {
        if (m->what != node::object) return false;
        s.metadata = *m;
        s.values.o.erase("$metadata");
        doubt_versions(s.values, *s.metadata, s.version);
      }
    }
    if (const node* v = member(fresh.identity, "version")) {
      if (!whole_number(*v, fresh.version)) return false;
    }
    *this = fresh;
    return true;
  }

  // --- writing -----------------------------------------------------------------------------------

  result service_patch(const node& input, int64_t now, const std::string& if_match) {
    return as_service(input, false, now, if_match);
  }
  result service_replace(const node& input, int64_t now, const std::string& if_match) {
    return as_service(input, true, now, if_match);
  }

  result device_patch(const node& patch, int64_t now, int64_t expected_version) {
    result done;
    if (!exists) return refuse(done, errc::not_a_twin);
    if (expected_version != -1 && expected_version != reported.version)
      return refuse(done, errc::precondition_failed);
    if (patch.what != node::object) return refuse(done, errc::not_a_twin);
    twin after = *this;
    written w;
    if (!after.plan(after.reported, part::reported, patch, patch, true, "", now,
                    reported.version == INT64_MAX ? INT64_MAX : reported.version + 1, w, done))
      return done;
    if (!total_fits(after, done)) return done;
    if (!w.effective) return unchanged();
    if (reported.version == INT64_MAX) return refuse(done, errc::number_out_of_range);
    int64_t next = 0;
    if (!next_version(next)) return refuse(done, errc::number_out_of_range);
    done.wrote[2] = true;
    after.reported.version = reported.version + 1;
    after.reported.present = true;
    after.version = next;
    after.identity.o["version"] = integer_node(next);
    node body = object_node(), properties = object_node();
    properties.o["reported"] = w.event_body(true, after.reported.version);
    body.o["version"] = integer_node(next);
    body.o["properties"] = properties;
    done.event = body;
    *this = after;
    return told(done);
  }

  result notified(const node& input, int64_t now) {
    result done;
    if (!exists) return refuse(done, errc::not_a_twin);
    if (input.what != node::object) return refuse(done, errc::not_a_twin);
    const node* given = member(input, "$version");
    int64_t to = 0;
    if (given == nullptr || !whole_number(*given, to))
      return refuse(done, errc::not_a_twin, "/$version");
    if (desired.version == INT64_MAX || to != desired.version + 1)
      return refuse(done, errc::precondition_failed);
    node patch = input;
    patch.o.erase("$version");
    twin after = *this;
    written w;
    if (!after.plan(after.desired, part::desired, patch, patch, true, "", now, to, w, done))
      return done;
    if (!w.effective) after.stamp_root(after.desired, now, to, true);
    done.wrote[1] = w.effective;
    after.desired.version = to;
    after.desired.present = true;
    *this = after;
    return told(done);
  }

  findings check_service(const node& input, bool replace) const {
    findings found;
    parts given;
    if (!exists) {
      found.errors.push_back({part::tags, errc::not_a_twin, ""});
      return found;
    }
    found.errors = take_apart(input, given);
    if (!found.errors.empty()) return found;
    std::size_t sizes[3] = {size(part::tags), size(part::desired), size(part::reported)};
    for (const part p : {part::tags, part::desired}) {
      const auto& g = p == part::tags ? given.tags : given.desired;
      if (!g) continue;
      check_part(*g, p, replace, found, sizes[static_cast<int>(p)]);
      if (!found.errors.empty()) return found;
    }
    check_total(sizes[0] + sizes[1] + sizes[2], found);
    return found;
  }
  findings check_device(const node& patch) const {
    findings found;
    if (!exists || patch.what != node::object) {
      found.errors.push_back({part::tags, errc::not_a_twin, ""});
      return found;
    }
    std::size_t reported_size = size(part::reported);
    check_part(patch, part::reported, false, found, reported_size);
    check_total(size(part::tags) + size(part::desired) + reported_size, found);
    return found;
  }

 private:
  struct parts {
    std::optional<node> tags, desired;
  };
  /// What one section's write did, for its event and notification.
  struct written {
    bool effective = false;
    node members = object_node();
    node metadata = object_node();
    node event_body(bool stamps, int64_t to) const {
      node body = members;
      if (stamps && to != 0) body.o["$metadata"] = shown(metadata);
      if (to != 0) body.o["$version"] = integer_node(to);
      return body;
    }
  };

  static bool whole_number(const node& n, int64_t& out) {
    if (n.what == node::integer)
      out = n.i;
    else if (n.what == node::real && n.d == std::floor(n.d) && n.d >= 0 &&
             n.d < 9223372036854775808.0)
      out = static_cast<int64_t>(n.d);
    else
      return false;
    return out >= 0;
  }

  static result refuse(result& done, errc code, const std::string& pointer = "*") {
    done = result{};
    done.refusals.push_back({part::tags, code, pointer});
    return done;
  }
  result unchanged() const {
    result done;
    return told(done);
  }
  result told(result done) const {
    done.desired_version = desired.version;
    done.reported_version = reported.version;
    done.version = version;
    done.etag = etag();
    return done;
  }

  std::uint64_t etag_counter() const {
    // A counter may stand in quotes, and in a list.
    std::optional<std::uint64_t> highest;
    for (const std::string& one : etags_in(etag())) {
      const auto counter = etag_value(one);
      if (counter && (!highest || *counter > *highest)) highest = counter;
    }
    if (highest) return *highest;
    return version > reported.version ? static_cast<std::uint64_t>(version - reported.version) : 1;
  }
  bool next_version(int64_t& next) const {
    if (version != 0) {
      if (version == INT64_MAX) return false;
      next = version + 1;
      return true;
    }
    const std::uint64_t most = static_cast<std::uint64_t>(INT64_MAX);
    const std::uint64_t counter = etag_counter(), is = static_cast<std::uint64_t>(reported.version);
    if (counter >= most || is >= most - counter) return false;
    next = static_cast<int64_t>(counter + is) + 1;
    return true;
  }

  static node nulls_for_missing(const node& old, node replacement) {
    for (auto& [name, value] : replacement.o) {
      const node* before = member(old, name);
      if (before != nullptr && before->what == node::object && value.what == node::object)
        value = nulls_for_missing(*before, value);
    }
    for (const auto& [name, value] : old.o) replacement.o.emplace(name, node{});
    return replacement;
  }

  /// Merges, stamps, and notes what was written. `meta` is null where there are no stamps.
  void merge_into(node& values, node* meta, const node& patch, const node& stamp, part where,
                  const std::string& at, written& w, std::vector<change>& changes) {
    using devicetwin::merge::null_rule;
    w.metadata = stamp;
    for (const auto& [name, given] : patch.o) {
      const std::string here = at + step_of(name);
      const auto old = values.o.find(name);
      const bool is_there = old != values.o.end();
      if (given.what == node::null && rules->nulls != null_rule::keep) {
        if (!is_there) continue;
        w.effective = true;
        w.members.o[name] = node{};
        changes.push_back({where, here, old->second, std::nullopt});
        values.o.erase(old);
        if (meta != nullptr) meta->o.erase(name);
        continue;
      }
      const node value = rules->nulls == null_rule::remove ? without_nulls(given) : given;
      if (is_there && old->second.what == node::object && given.what == node::object) {
        written inner;
        node inner_meta =
            meta != nullptr && meta->o.count(name) != 0 && meta->o[name].what == node::object
                ? meta->o[name]
                : object_node();
        merge_into(old->second, meta == nullptr ? nullptr : &inner_meta, given, stamp, where, here,
                   inner, changes);
        if (!inner.effective) continue;
        w.effective = true;
        w.members.o[name] = inner.members;
        w.metadata.o[name] = inner.metadata;
        if (meta != nullptr) meta->o[name] = inner_meta;
        continue;
      }
      const bool equal_value = is_there && same(old->second, value, rules->numbers);
      if (equal_value && rules->changes == devicetwin::merge::change_rule::by_value) continue;
      w.effective = true;
      w.members.o[name] = value;
      w.metadata.o[name] = mirror(value, stamp);
      if (!equal_value) {
        changes.push_back(
            {where, here, is_there ? std::optional<node>(old->second) : std::nullopt, value});
        values.o[name] = value;
      }
      if (meta != nullptr) meta->o[name] = mirror(value, stamp);
    }
    if (w.effective && meta != nullptr) put_stamp(*meta, stamp);
  }
  static void put_stamp(node& meta, const node& stamp) {
    for (auto i = meta.o.begin(); i != meta.o.end();) {
      const bool services_own = i->first == hidden_version || i->first == hidden_doubt ||
                                (!i->first.empty() && i->first[0] == '$');
      i = services_own ? meta.o.erase(i) : std::next(i);
    }
    for (const auto& [name, value] : stamp.o) meta.o[name] = value;
  }
  void stamp_root(section& s, int64_t now, int64_t to, bool desired_section) {
    if (!s.metadata) s.metadata = object_node();
    put_stamp(*s.metadata, stamp_node(now, to, desired_section));
  }

  /// Checks a section's write and does it on `s`. False, with the refusals noted, when a rule is
  /// broken.
  bool plan(section& s, part where, const node& checked, const node& patch, bool is_patch,
            const std::string& base, int64_t now, int64_t to, written& w, result& done) {
    std::vector<broken_rule> broken;
    rule_check{*rules, where, is_patch, broken}.value(checked, "", 0, false);
    for (broken_rule& b : broken) b.pointer = base + b.pointer;
    if (!broken.empty()) {
      done = result{};
      done.refusals = broken;
      return false;
    }
    const std::size_t before = size_by(rules->size, s.values);
    const std::size_t text_before = size_by(devicetwin::size_formula::json_text, s.values);
    const node stamp = stamp_node(now, to, where == part::desired);
    const bool stamps = where != part::tags;
    node meta = s.metadata ? *s.metadata : object_node();
    merge_into(s.values, stamps ? &meta : nullptr, patch, stamp, where, "", w, done.changes);
    if (rules->empty_write_counts && !w.effective) {
      w.effective = true;
      if (stamps) put_stamp(meta, stamp);
    }
    if (stamps && w.effective) s.metadata = meta;
    const std::size_t limit = rules->max_size(where);
    const std::size_t after = size_by(rules->size, s.values);
    const std::size_t of_patch =
        size_by(rules->size, checked);  // without what the twin adds to a replacement
    const bool by_patch = rules->basis == devicetwin::size_basis::patch;
    if (by_patch ? of_patch > limit : after > limit && after > before) {
      done = result{};
      done.refusals.push_back(
          {where, errc::section_too_large, base, limit, by_patch ? of_patch : after});
      return false;
    }
    const std::size_t text =
        size_by(devicetwin::size_formula::json_text,
                s.values);  // doubles as they are: no section of a model is that long
    if (text > rules->max_text && text > text_before) {
      done = result{};
      done.refusals.push_back({where, errc::section_text_too_long, base, rules->max_text, text});
      return false;
    }
    return true;
  }
  bool total_fits(const twin& after, result& done) const {
    std::size_t sums[2] = {0, 0};
    for (const part p : {part::tags, part::desired, part::reported}) {
      sums[0] += size(p);
      sums[1] += after.size(p);
    }
    if (sums[1] <= rules->max_total || sums[1] <= sums[0]) return true;
    done = result{};
    done.refusals.push_back(
        {part::reported, errc::section_too_large, "", rules->max_total, sums[1]});
    return false;
  }

  /// The sections of a service's write, without what comes from an earlier GET.
  std::vector<broken_rule> take_apart(const node& input, parts& given) const {
    std::vector<broken_rule> wrong;
    if (input.what != node::object) return {{part::tags, errc::not_a_twin, ""}};
    const std::vector<std::string> service = {
        "deviceId",           "moduleId",        "modelId",          "etag",
        "deviceEtag",         "version",         "status",           "statusReason",
        "statusUpdateTime",   "connectionState", "lastActivityTime", "cloudToDeviceMessageCount",
        "authenticationType", "x509Thumbprint",  "capabilities",     "deviceScope",
        "parentScopes",       "configurations"};
    for (const auto& [name, value] : input.o) {
      if (name == "tags") {
        given.tags = value;
      } else if (name != "properties") {
        const bool echo = std::find(service.begin(), service.end(), name) != service.end() ||
                          member(identity, name) != nullptr;
        if (!echo || !rules->ignores_echo)
          wrong.push_back({part::tags, errc::not_writable, step_of(name)});
      } else if (value.what != node::object) {
        wrong.push_back({part::tags, errc::not_a_twin, "/properties"});
      } else {
        for (const auto& [section_name, s] : value.o) {
          if (section_name == "desired")
            given.desired = s;
          else if (section_name != "reported" || !rules->ignores_echo) {
            wrong.push_back(
                {part::tags, errc::not_writable, "/properties" + step_of(section_name)});
          }
        }
      }
    }
    if (rules->ignores_echo) {
      if (given.tags)
        for (const char* name : {"$metadata", "$version", "$etag"}) given.tags->o.erase(name);
      if (given.desired)
        for (const char* name : {"$metadata", "$version"}) given.desired->o.erase(name);
    }
    return wrong;
  }

  result as_service(const node& input, bool replace, int64_t now, const std::string& if_match) {
    result done;
    if (!exists) return refuse(done, errc::not_a_twin);
    if (!matches(if_match)) return refuse(done, errc::precondition_failed);
    parts given;
    done.refusals = take_apart(input, given);
    if (!done.refusals.empty()) return done;
    twin after = *this;
    written w[2];
    node contents[2] = {object_node(), object_node()};
    for (const part p : {part::tags, part::desired}) {
      const auto& g = p == part::tags ? given.tags : given.desired;
      if (!g) continue;
      const std::string base = p == part::tags ? "/tags" : "/properties/desired";
      if (g->what == node::null && replace && !rules->nulls_in_replacement)
        return refuse(done, errc::null_in_replacement, base);
      const bool clear = g->what == node::null;
      if (!clear && g->what != node::object) return refuse(done, errc::not_a_twin, base);
      section& s = p == part::tags ? after.tags : after.desired;
      const node content = clear ? object_node() : *g;
      const node patch = clear || replace ? nulls_for_missing(s.values, content) : content;
      contents[static_cast<int>(p)] = without_nulls(content);
      const int64_t to = p == part::tags || s.version == INT64_MAX ? s.version : s.version + 1;
      if (!after.plan(s, p, content, patch, !replace, base, now, to, w[static_cast<int>(p)], done))
        return done;
    }
    if (!total_fits(after, done)) return done;
    if (!w[0].effective && !w[1].effective) return unchanged();
    if (w[1].effective && desired.version == INT64_MAX)
      return refuse(done, errc::number_out_of_range);
    int64_t next = 0;
    if (!next_version(next) || etag_counter() == UINT64_MAX)
      return refuse(done, errc::number_out_of_range);

    done.wrote[0] = w[0].effective;
    done.wrote[1] = w[1].effective;
    after.version = next;
    after.identity.o["version"] = integer_node(next);
    after.identity.o["etag"] = text_node(etag_text(etag_counter() + 1));
    if (w[0].effective) after.shows_empty_tags = false;
    if (!w[0].effective) after.tags = tags;
    if (w[1].effective) {
      after.desired.version = desired.version + 1;
      after.desired.present = true;
      done.notification = w[1].event_body(false, after.desired.version);
      if (replace)
        after.desired.metadata =
            mirror(after.desired.values, stamp_node(now, after.desired.version, true));
    } else {
      after.desired = desired;
    }
    if (!replace) {
      node body = object_node();
      body.o["version"] = integer_node(next);
      if (w[0].effective) body.o["tags"] = w[0].members;
      if (w[1].effective) {
        node properties = object_node();
        properties.o["desired"] = w[1].event_body(true, after.desired.version);
        body.o["properties"] = properties;
      }
      done.event = body;
    } else {
      twin as_told = after;  // with the numbers as the replacement spells them
      if (w[0].effective) as_told.tags.values = contents[0];
      if (w[1].effective) as_told.desired.values = contents[1];
      done.event = as_told.whole_event();
      if (w[0].effective || !tags.values.o.empty()) done.event->o["tags"] = as_told.tags.values;
    }
    *this = after;
    return told(done);
  }

  bool matches(const std::string& condition) const {
    if (condition.find_first_not_of(" \t") == condition.npos || condition == etag()) return true;
    const std::vector<std::string> all = etags_in(condition);
    if (all.front() == "*") return true;
    const std::vector<std::string> own = etags_in('"' + etag() + '"');
    return std::find(all.begin(), all.end(), own.front()) != all.end();
  }

  void check_part(const node& g, part p, bool replace, findings& found, std::size_t& held) const {
    const std::string base = p == part::reported ? ""
                             : p == part::tags   ? "/tags"
                                                 : "/properties/desired";
    const bool clear = g.what == node::null && p != part::reported;
    if (clear && replace && !rules->nulls_in_replacement) {
      found.broken.push_back({p, errc::null_in_replacement, ""});
      held = 0;  // as if nothing had been planned
      return;
    }
    if (!clear && g.what != node::object) {
      found.errors.push_back({p, errc::not_a_twin, base});
      return;
    }
    const node content = clear ? object_node() : g;
    rule_check{*rules, p, !replace, found.broken}.value(content, "", 0, false);
    twin after = *this;
    section& s = p == part::tags ? after.tags : p == part::desired ? after.desired : after.reported;
    const node patch = clear || replace ? nulls_for_missing(s.values, content) : content;
    written w;
    std::vector<change> changes;
    after.merge_into(s.values, nullptr, patch, object_node(), p, "", w, changes);
    const std::size_t limit = rules->max_size(p);
    held = size_by(rules->size, s.values);
    const bool by_patch = rules->basis == devicetwin::size_basis::patch;
    const std::size_t counted = by_patch ? size_by(rules->size, content) : held;
    if (by_patch ? counted > limit : held > limit && held > size(p)) {
      found.broken.push_back({p, errc::section_too_large, "", limit, counted});
    }
    const section& now = p == part::tags ? tags : p == part::desired ? desired : reported;
    const std::size_t text = size_by(devicetwin::size_formula::json_text, s.values);
    if (text > rules->max_text && text > size_by(devicetwin::size_formula::json_text, now.values)) {
      found.broken.push_back({p, errc::section_text_too_long, "", rules->max_text, text});
    }
    if (limit != dialect::unlimited)
      found.head_room[static_cast<int>(p)] =
          static_cast<int64_t>(limit) - static_cast<int64_t>(counted);
  }
  void check_total(std::size_t sum, findings& found) const {
    const std::size_t before = size(part::tags) + size(part::desired) + size(part::reported);
    if (sum > rules->max_total && sum > before) {
      found.broken.push_back({part::reported, errc::section_too_large, "", rules->max_total, sum});
    }
  }
};

}  // namespace of_twins
}  // namespace reference
