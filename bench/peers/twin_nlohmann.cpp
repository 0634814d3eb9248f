// A twin on nlohmann/json as a competent user writes it: the service's document with its
// `$metadata` is kept as JSON; a write goes to a copy of the section, which takes its place when
// all is well.
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "peers.hpp"

namespace bench {
namespace {

using nlohmann::json;

struct change {
  std::string pointer;
  json old_value;  // discarded where there is none, as JSON has null
  json new_value;
};

bool is_forbidden(unsigned char c) {
  return c < 0x20 || c == 0x7F || c == '.' || c == '$' || c == '#' || c == ' ';
}

void check_name(const std::string& name) {
  if (name.size() > 1024) throw std::runtime_error("a name is too long");
  for (std::size_t i = 0; i != name.size(); ++i) {
    const auto c = static_cast<unsigned char>(name[i]);
    if (is_forbidden(c) || (c == 0xC2 && static_cast<unsigned char>(name[i + 1]) < 0xA0))
      throw std::runtime_error("a name has a forbidden character: " + name);
  }
}

// Names, strings, integers, nulls and depth, by azure's rules.
void check(const json& value, std::size_t depth, bool in_array) {
  switch (value.type()) {
    case json::value_t::object:
      if (depth > 10) throw std::runtime_error("nested too deeply");
      for (const auto& [name, inner] : value.items()) {
        check_name(name);
        check(inner, depth + 1, in_array);
      }
      break;
    case json::value_t::array:
      if (depth > 10) throw std::runtime_error("nested too deeply");
      for (const json& inner : value) check(inner, depth + 1, true);
      break;
    case json::value_t::string:
      if (value.get_ref<const std::string&>().size() > 4096)
        throw std::runtime_error("a string is too long");
      break;
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
      if (value > 4503599627370495 || value < -4503599627370496)
        throw std::runtime_error("an integer is too large");
      break;
    case json::value_t::null:
      if (in_array) throw std::runtime_error("null in an array");
      break;
    default:
      break;
  }
}

std::size_t visible(const std::string& text) {
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
std::size_t size_of(const json& value) {
  std::size_t size = 0;
  switch (value.type()) {
    case json::value_t::object:
      for (const auto& [name, inner] : value.items()) size += visible(name) + size_of(inner);
      return size;
    case json::value_t::array:
      for (const json& inner : value) size += size_of(inner);
      return size;
    case json::value_t::string:
      return visible(value.get_ref<const std::string&>());
    case json::value_t::boolean:
      return 4;
    case json::value_t::null:
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

void append_escaped(std::string& pointer, const std::string& name) {
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
    twin_ = json::parse(text);
    size_ = 0;
    for (const auto& [name, value] : twin_["properties"]["reported"].items())
      if (name[0] != '$') size_ += visible(name) + size_of(value);
  }

  void patch(std::string_view text, std::int64_t now) {
    const json patch = json::parse(text);
    if (!patch.is_object()) throw std::runtime_error("a patch is an object");
    check(patch, 0, false);

    json section = twin_["properties"]["reported"];  // all or nothing
    time_ = time_text(now);
    changes_.clear();
    std::size_t size = size_;
    json told = json::object();
    json told_metadata = json::object();
    std::string pointer;
    if (!merge(section, section["$metadata"], patch, pointer, told, told_metadata, size)) return;
    if (size > 32 * 1024 && size > size_) throw std::runtime_error("the section is too large");

    const std::int64_t version = section["$version"].get<std::int64_t>() + 1;
    const std::int64_t root_version = twin_["version"].get<std::int64_t>() + 1;
    section["$version"] = version;
    told["$metadata"] = std::move(told_metadata);
    told["$version"] = version;
    const json event = {{"version", root_version}, {"properties", {{"reported", std::move(told)}}}};
    event_ = event.dump();
    reply_ = "$iothub/twin/res/204/?$rid=1&$version=" + std::to_string(version);
    twin_["properties"]["reported"] = std::move(section);
    twin_["version"] = root_version;
    size_ = size;
  }

  std::string report() const {
    json out = {{"event", json::parse(event_)}, {"reply", reply_}, {"twin", twin_}};
    out["changes"] = json::array();
    for (const change& one : changes_) {
      json entry = {{"pointer", one.pointer}};
      if (!one.old_value.is_discarded()) entry["old"] = one.old_value;
      if (!one.new_value.is_discarded()) entry["new"] = one.new_value;
      out["changes"].push_back(std::move(entry));
    }
    return out.dump();
  }

 private:
  static json nothing() { return json(json::value_t::discarded); }

  // The stamps of a new value: one for it and for each property inside.
  json stamps_of(const json& value) const {
    json made = {{"$lastUpdated", time_}};
    if (value.is_object())
      for (const auto& [name, inner] : value.items()) made[name] = stamps_of(inner);
    return made;
  }
  static void drop_nulls(json& value) {
    if (!value.is_object()) return;
    for (auto it = value.begin(); it != value.end();) {
      if (it->is_null()) {
        it = value.erase(it);
      } else {
        drop_nulls(*it);
        ++it;
      }
    }
  }

  // Whether anything was written; a present value counts even when it is equal.
  bool merge(json& target, json& metadata, const json& patch, std::string& pointer, json& told,
             json& told_metadata, std::size_t& size) {
    bool written = false;
    const std::size_t length = pointer.size();
    for (const auto& [name, value] : patch.items()) {
      append_escaped(pointer, name);
      const auto found = target.find(name);
      if (value.is_null()) {
        if (found != target.end()) {
          size -= visible(name) + size_of(*found);
          changes_.push_back({pointer, std::move(*found), nothing()});
          target.erase(found);
          metadata.erase(name);
          told[name] = nullptr;
          written = true;
        }
      } else if (value.is_object() && found != target.end() && found->is_object()) {
        json inner = json::object();
        json inner_metadata = json::object();
        if (merge(*found, metadata[name], value, pointer, inner, inner_metadata, size)) {
          told[name] = std::move(inner);
          told_metadata[name] = std::move(inner_metadata);
          written = true;
        }
      } else {
        json fresh = value;
        drop_nulls(fresh);
        if (found == target.end()) {
          size += visible(name) + size_of(fresh);
          changes_.push_back({pointer, nothing(), fresh});
        } else {
          size += size_of(fresh);
          size -= size_of(*found);
          if (*found != fresh) changes_.push_back({pointer, std::move(*found), fresh});
        }
        json stamps = stamps_of(fresh);
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

  json twin_;
  std::size_t size_ = 0;
  std::vector<change> changes_;
  std::string time_;
  std::string event_;
  std::string reply_;
};

struct on_nlohmann {
  using twin = hub_twin;
  static void load(std::string_view text, twin& out) { out.load(text); }
  static void patch(twin& to, std::string_view text, std::int64_t now) { to.patch(text, now); }
  static std::string report(const twin& of) { return of.report(); }
};

}  // namespace

std::vector<operation> nlohmann_twin_operations() {
  return {entry<device_patch_job<on_nlohmann>>(road::device_patch, made_by::handwritten)};
}

}  // namespace bench
