// The same twin on Boost.JSON: the service's document with its `$metadata` is kept as JSON; a write
// goes to a copy of the section, which takes its place when all is well.
#include <boost/json.hpp>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <optional>
#include <stdexcept>
#include <vector>

#include "peers.hpp"

namespace bench {
namespace {

namespace bj = boost::json;

struct change {
  std::string pointer;
  std::optional<bj::value> old_value;
  std::optional<bj::value> new_value;
};

bool is_forbidden(unsigned char c) {
  return c < 0x20 || c == 0x7F || c == '.' || c == '$' || c == '#' || c == ' ';
}

void check_name(bj::string_view name) {
  if (name.size() > 1024) throw std::runtime_error("a name is too long");
  for (std::size_t i = 0; i != name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    if (is_forbidden(c) || (c == 0xC2 && static_cast<unsigned char>(name[i + 1]) < 0xA0))
      throw std::runtime_error("a name has a forbidden character: " + std::string(name));
  }
}

// Names, strings, integers, nulls and depth, by azure's rules.
void check(const bj::value& value, std::size_t depth, bool in_array) {
  switch (value.kind()) {
    case bj::kind::object:
      if (depth > 10) throw std::runtime_error("nested too deeply");
      for (const auto& [name, inner] : value.get_object()) {
        check_name(name);
        check(inner, depth + 1, in_array);
      }
      break;
    case bj::kind::array:
      if (depth > 10) throw std::runtime_error("nested too deeply");
      for (const bj::value& inner : value.get_array()) check(inner, depth + 1, true);
      break;
    case bj::kind::string:
      if (value.get_string().size() > 4096) throw std::runtime_error("a string is too long");
      break;
    case bj::kind::int64:
      if (value.get_int64() > 4503599627370495 || value.get_int64() < -4503599627370496)
        throw std::runtime_error("an integer is too large");
      break;
    case bj::kind::uint64:
      throw std::runtime_error("an integer is too large");
    case bj::kind::null:
      if (in_array) throw std::runtime_error("null in an array");
      break;
    default:
      break;
  }
}

std::size_t visible(bj::string_view text) {
  std::size_t count = text.size();
  for (std::size_t i = 0; i != text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7F)
      --count;
    else if (c == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0)
      count -= 2;
  }
  return count;
}

// The size as azure counts it.
std::size_t size_of(const bj::value& value) {
  std::size_t size = 0;
  switch (value.kind()) {
    case bj::kind::object:
      for (const auto& [name, inner] : value.get_object()) size += visible(name) + size_of(inner);
      return size;
    case bj::kind::array:
      for (const bj::value& inner : value.get_array()) size += size_of(inner);
      return size;
    case bj::kind::string:
      return visible(value.get_string());
    case bj::kind::bool_:
      return 4;
    case bj::kind::null:
      return 0;
    default:
      return 8;
  }
}

std::string time_text(std::int64_t now) {
  const std::time_t seconds = now / 10000000;
  std::tm parts;
  gmtime_r(&seconds, &parts);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>(now / 10000 % 1000));
  return text;
}

void append_escaped(std::string& pointer, bj::string_view name) {
  pointer += '/';
  for (const char c : name) {
    if (c == '~')
      pointer += "~0";
    else if (c == '/')
      pointer += "~1";
    else
      pointer += c;
  }
}

class hub_twin {
 public:
  void load(std::string_view text) {
    twin_ = bj::parse({text.data(), text.size()}).as_object();
    size_ = 0;
    for (const auto& [name, value] : reported().get_object())
      if (name[0] != '$') size_ += visible(name) + size_of(value);
  }

  void patch(std::string_view text, std::int64_t now) {
    const bj::value patch = bj::parse({text.data(), text.size()});
    if (!patch.is_object()) throw std::runtime_error("a patch is an object");
    check(patch, 0, false);

    bj::object section = reported().get_object();  // all or nothing
    bj::object metadata = std::move(section["$metadata"].as_object());
    time_ = time_text(now);
    changes_.clear();
    std::size_t size = size_;
    bj::object told;
    bj::object told_metadata;
    std::string pointer;
    if (!merge(section, metadata, patch.get_object(), pointer, told, told_metadata, size)) return;
    if (size > 32 * 1024 && size > size_) throw std::runtime_error("the section is too large");

    const std::int64_t version = section["$version"].to_number<std::int64_t>() + 1;
    const std::int64_t root_version = twin_["version"].to_number<std::int64_t>() + 1;
    section["$metadata"] = std::move(metadata);
    section["$version"] = version;
    told["$metadata"] = std::move(told_metadata);
    told["$version"] = version;
    bj::object properties;
    properties["reported"] = std::move(told);
    bj::object event;
    event["version"] = root_version;
    event["properties"] = std::move(properties);
    event_ = bj::serialize(event);
    reply_ = "$iothub/twin/res/204/?$rid=1&$version=" + std::to_string(version);
    reported() = std::move(section);
    twin_["version"] = root_version;
    size_ = size;
  }

  std::string report() const {
    bj::object out;
    out["event"] = bj::parse(event_);
    out["reply"] = reply_;
    out["twin"] = twin_;
    bj::array changes;
    for (const change& one : changes_) {
      bj::object entry;
      entry["pointer"] = one.pointer;
      if (one.old_value) entry["old"] = *one.old_value;
      if (one.new_value) entry["new"] = *one.new_value;
      changes.push_back(std::move(entry));
    }
    out["changes"] = std::move(changes);
    return bj::serialize(out);
  }

 private:
  bj::value& reported() { return twin_["properties"].as_object()["reported"]; }

  // The stamps of a new value: one for it and for each property inside.
  bj::object stamps_of(const bj::value& value) const {
    bj::object made;
    made["$lastUpdated"] = time_;
    if (value.is_object())
      for (const auto& [name, inner] : value.get_object()) made[name] = stamps_of(inner);
    return made;
  }
  static void drop_nulls(bj::value& value) {
    if (!value.is_object()) return;
    bj::object& object = value.get_object();
    for (auto it = object.begin(); it != object.end();) {
      if (it->value().is_null()) {
        it = object.erase(it);
      } else {
        drop_nulls(it->value());
        ++it;
      }
    }
  }

  // Whether anything was written; a present value counts even when it is equal.
  bool merge(bj::object& target, bj::object& metadata, const bj::object& patch,
             std::string& pointer, bj::object& told, bj::object& told_metadata, std::size_t& size) {
    bool written = false;
    const std::size_t length = pointer.size();
    for (const auto& [name, value] : patch) {
      append_escaped(pointer, name);
      bj::value* const found = target.if_contains(name);
      if (value.is_null()) {
        if (found != nullptr) {
          size -= visible(name) + size_of(*found);
          changes_.push_back({pointer, std::move(*found), std::nullopt});
          target.erase(name);
          metadata.erase(name);
          told[name] = nullptr;
          written = true;
        }
      } else if (value.is_object() && found != nullptr && found->is_object()) {
        bj::object inner;
        bj::object inner_metadata;
        if (merge(found->get_object(), metadata[name].as_object(), value.get_object(), pointer,
                  inner, inner_metadata, size)) {
          told[name] = std::move(inner);
          told_metadata[name] = std::move(inner_metadata);
          written = true;
        }
      } else {
        bj::value fresh = value;
        drop_nulls(fresh);
        if (found == nullptr) {
          size += visible(name) + size_of(fresh);
          changes_.push_back({pointer, std::nullopt, fresh});
        } else {
          size += size_of(fresh);
          size -= size_of(*found);
          if (*found != fresh) changes_.push_back({pointer, std::move(*found), fresh});
        }
        bj::object stamps = stamps_of(fresh);
        told[name] = fresh;
        told_metadata[name] = stamps;
        metadata[name] = std::move(stamps);
        target[name] = std::move(fresh);
        written = true;
      }
      pointer.resize(length);
    }
    if (written) metadata["$lastUpdated"] = told_metadata["$lastUpdated"] = time_;
    return written;
  }

  bj::object twin_;
  std::size_t size_ = 0;
  std::vector<change> changes_;
  std::string time_;
  std::string event_;
  std::string reply_;
};

struct on_boost {
  using twin = hub_twin;
  static void load(std::string_view text, twin& out) { out.load(text); }
  static void patch(twin& to, std::string_view text, std::int64_t now) { to.patch(text, now); }
  static std::string report(const twin& of) { return of.report(); }
};

}  // namespace

std::vector<operation> boost_twin_operations() {
  return {entry<device_patch_job<on_boost>>(road::device_patch, made_by::handwritten)};
}

}  // namespace bench
