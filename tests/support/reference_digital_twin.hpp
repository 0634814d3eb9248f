// The slow and obvious digital twin: made from the service's view of a twin, as the tables of
// docs/digital-twin.md have it; and a JSON Patch that only adds and removes members.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reference_twin.hpp"

namespace reference {
inline namespace of_digital_twins {

inline bool is_marked(const node* n) {
  const node* mark = n == nullptr ? nullptr : member(*n, "__t");
  return mark != nullptr && mark->what == node::string && mark->s == "c";
}
inline std::vector<std::string> names_of(const node* a, const node* b) {
  std::map<std::string, int> all;
  for (const node* n : {a, b}) {
    if (n == nullptr) continue;
    for (const auto& [name, value] : n->o) all[name] = 0;
  }
  std::vector<std::string> names;
  for (const auto& [name, value] : all) names.push_back(name);
  return names;
}
inline std::optional<std::int64_t> as_integer(const node* n) {
  if (n == nullptr) return std::nullopt;
  if (n->what == node::integer) return n->i;
  if (n->what == node::natural && n->u <= INT64_MAX) return static_cast<std::int64_t>(n->u);
  if (n->what == node::real && n->d == std::floor(n->d) && std::fabs(n->d) < 9e18)
    return static_cast<std::int64_t>(n->d);
  return std::nullopt;
}

/// What one property shows, and its metadata. `stamps` are those of the property in each section.
inline void show_property(const std::string& name, const node* reported, const node* desired,
                          const node* reported_stamps, const node* desired_stamps, node& values,
                          node& metadata) {
  node entry = object_node();
  if (desired != nullptr) {
    entry.o["desiredValue"] = *desired;
    const node* version =
        desired_stamps == nullptr ? nullptr : member(*desired_stamps, "$lastUpdatedVersion");
    if (version != nullptr) entry.o["desiredVersion"] = *version;
  }
  if (reported != nullptr) {
    const node* value = member(*reported, "value");
    const node* av = member(*reported, "av");
    const node* ad = member(*reported, "ad");
    const bool acknowledged = value != nullptr && value->what != node::null &&
                              as_integer(member(*reported, "ac")) &&
                              (av == nullptr || as_integer(av));
    values.o[name] = acknowledged ? *value : *reported;
    if (acknowledged) {
      entry.o["ackCode"] = integer_node(*as_integer(member(*reported, "ac")));
      if (av != nullptr) entry.o["ackVersion"] = integer_node(*as_integer(av));
      if (ad != nullptr && ad->what == node::string) entry.o["ackDescription"] = *ad;
    }
    const node* time =
        reported_stamps == nullptr ? nullptr : member(*reported_stamps, "$lastUpdated");
    if (time != nullptr) entry.o["lastUpdateTime"] = *time;
  }
  metadata.o[name] = entry;
}

inline node digital_view(const node& service_view) {
  const auto inside = [](const node* n, const std::string& name) {
    return n == nullptr ? nullptr : member(*n, name);
  };
  const node* properties = member(service_view, "properties");
  node sections[2];  // reported, desired
  node stamps[2];
  const char* const names[] = {"reported", "desired"};
  for (int i = 0; i < 2; ++i) {
    const node* section = inside(properties, names[i]);
    sections[i] = section == nullptr ? object_node() : *section;
    if (const node* metadata = member(sections[i], "$metadata")) stamps[i] = *metadata;
    sections[i].o.erase("$metadata");
    sections[i].o.erase("$version");
  }
  node view = object_node(), metadata = object_node();
  std::string id = member(service_view, "deviceId")->s;
  if (const node* module = member(service_view, "moduleId");
      module != nullptr && !module->s.empty())
    id += "~" + module->s;
  view.o["$dtId"] = text_node(id);
  if (const node* model = member(service_view, "modelId"); model != nullptr && !model->s.empty())
    metadata.o["$model"] = *model;
  for (const std::string& name : names_of(&sections[0], &sections[1])) {
    const node* reported = member(sections[0], name);
    const node* desired = member(sections[1], name);
    const node* at[2] = {inside(&stamps[0], name), inside(&stamps[1], name)};
    if (!is_marked(reported) && !is_marked(desired)) {
      show_property(name, reported, desired, at[0], at[1], view, metadata);
      continue;
    }
    node component = object_node(), inner = object_node();
    for (const std::string& property : names_of(reported, desired)) {
      if (property == "__t") continue;
      show_property(property, inside(reported, property), inside(desired, property),
                    inside(at[0], property), inside(at[1], property), component, inner);
    }
    if (inner.o.empty()) continue;
    component.o["$metadata"] = inner;
    view.o[name] = component;
  }
  view.o["$metadata"] = metadata;
  return view;
}

/// Applies a JSON Patch of `add` and `remove` on members of objects, as RFC 6902 has them. False
/// when a target or what is around it is not there.
inline bool apply_operations(node& document, const node& patch) {
  for (const node& operation : patch.a) {
    const std::string path = member(operation, "path")->s;
    node* at = &document;
    std::size_t begin = 1;
    std::vector<std::string> steps;
    while (begin <= path.size()) {
      const std::size_t end = std::min(path.find('/', begin), path.size());
      std::string step;
      for (std::size_t i = begin; i < end; ++i)
        step += path[i] != '~' ? path[i] : path[++i] == '0' ? '~' : '/';
      steps.push_back(step);
      begin = end + 1;
    }
    if (steps.empty()) return false;
    for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
      const auto next = at->o.find(steps[i]);
      if (at->what != node::object || next == at->o.end()) return false;
      at = &next->second;
    }
    if (at->what != node::object) return false;
    if (member(operation, "op")->s == "add") {
      at->o[steps.back()] = *member(operation, "value");
    } else if (member(operation, "op")->s != "remove" || at->o.erase(steps.back()) == 0) {
      return false;
    }
  }
  return true;
}

}  // namespace of_digital_twins
}  // namespace reference
