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

/// What becomes of desired by a JSON Patch on the digital twin, or the error of the first operation
/// that is refused.
struct digital_result {
  errc code = errc::ok;
  std::size_t operation = 0;
  node desired;
};

inline errc digital_name_error(const std::string& name) {
  if (name.empty()) return errc::forbidden_name;
  if (name[0] == '$') return errc::reserved_member;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool letter = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= 'A' && name[i] <= 'Z');
    const bool other =
        (name[i] >= '0' && name[i] <= '9') || (name[i] == '_' && i + 1 != name.size());
    if (!letter && !(other && i != 0)) return errc::forbidden_name;
  }
  return name.size() > 64 ? errc::name_too_long : errc::ok;
}
inline errc digital_value_error(const node& value, int depth = 1) {
  if (value.what == node::null) return errc::null_forbidden;
  if (value.what == node::array) return depth > 5 ? errc::depth_exceeded : errc::array_forbidden;
  if (value.what != node::object) return errc::ok;
  if (depth > 5) return errc::depth_exceeded;
  for (const auto& [name, inner] : value.o) {
    if (const errc e = digital_name_error(name); e != errc::ok) return e;
    if (const errc e = digital_value_error(inner, depth + 1); e != errc::ok) return e;
  }
  return errc::ok;
}

class digital_patcher {
 public:
  digital_patcher(const node& desired, const node& reported)
      : before_(desired), desired_(desired), reported_(reported) {}

  digital_result apply(const node& patch) {
    if (patch.what != node::array) return {errc::not_a_json_patch, 0, before_};
    for (std::size_t i = 0; i < patch.a.size(); ++i) {
      if (const errc e = operation(patch.a[i]); e != errc::ok) return {e, i, before_};
    }
    for (const auto& [name, known] : components_) settle(name, known);
    return {errc::ok, 0, desired_};
  }

 private:
  /// What operations did to the properties of a component since it was last written as a whole.
  struct written_component {
    bool as_a_whole = false;
    std::map<std::string, bool> is_set;
  };

  errc operation(const node& op) {
    const node* verb = member(op, "op");
    const node* at = member(op, "path");
    const node* value = member(op, "value");
    const std::string verbs[] = {"add", "replace", "remove", "test", "move", "copy"};
    if (verb == nullptr || verb->what != node::string ||
        std::find(std::begin(verbs), std::end(verbs), verb->s) == std::end(verbs))
      return errc::not_a_json_patch;
    const bool moves = verb->s == "move" || verb->s == "copy";
    const bool removes = verb->s == "remove";
    if (at == nullptr || at->what != node::string || (moves && member(op, "from") == nullptr) ||
        (!moves && !removes && value == nullptr))
      return errc::not_a_json_patch;
    if (moves || verb->s == "test") return errc::unsupported_operation;
    // The path: no allowed name has anything to escape.
    const std::string& path = at->s;
    if (!path.empty() && path[0] != '/') return errc::invalid_pointer;
    for (std::size_t i = 0; i < path.size(); ++i) {
      if (path[i] == '~' && (i + 1 == path.size() || (path[i + 1] != '0' && path[i + 1] != '1')))
        return errc::invalid_pointer;
    }
    std::vector<std::string> steps;
    for (std::size_t begin = 1; begin <= path.size();) {
      const std::size_t end = std::min(path.find('/', begin), path.size());
      steps.push_back(path.substr(begin, end - begin));
      begin = end + 1;
    }
    for (std::size_t i = 0; i < steps.size() && i < 2; ++i) {
      if (const errc e = digital_name_error(steps[i]); e != errc::ok) return e;
    }
    if (steps.empty() || steps.size() > 2) return errc::unsupported_operation;

    const node* marker = removes || steps.size() == 2 ? nullptr : member(*value, "$metadata");
    if (!removes && marker == nullptr) {
      if (const errc e = digital_value_error(*value); e != errc::ok) return e;
    }
    node made = removes ? node() : *value;
    if (marker != nullptr) {
      if (marker->what != node::object || !marker->o.empty()) return errc::reserved_member;
      made.o.erase("$metadata");
      for (const auto& [name, inner] : made.o) {
        if (const errc e = digital_name_error(name); e != errc::ok) return e;
        if (const errc e = digital_value_error(inner); e != errc::ok) return e;
      }
      made.o["__t"] = text_node("c");
    }
    return carry_out(steps, removes, marker != nullptr, made);
  }

  errc carry_out(const std::vector<std::string>& steps, bool removes, bool is_component,
                 const node& value) {
    const std::string& name = steps[0];
    const node* desired = member(desired_, name);
    const node* reported = member(reported_, name);
    const bool component = is_marked(desired) || is_marked(reported);
    if (steps.size() == 2) {
      if (!component && (desired != nullptr || reported != nullptr)) return errc::not_conformant;
      if (removes &&
          !(desired != nullptr && desired->what == node::object && desired->o.count(steps[1]) != 0))
        return errc::ok;
      node& inside = desired_.o[name];
      if (inside.what != node::object) inside = object_node();
      inside.o["__t"] = text_node("c");
      inside.o.erase(steps[1]);
      if (!removes) inside.o[steps[1]] = value;
      components_[name].is_set[steps[1]] = !removes;
      return errc::ok;
    }
    if (!removes && !is_component && component) return errc::not_conformant;
    if (!removes && is_component && !component && reported != nullptr) return errc::not_conformant;
    components_[name] = {true, {}};
    if (removes) {
      desired_.o.erase(name);
    } else {
      desired_.o[name] = value;
    }
    return errc::ok;
  }

  void settle(const std::string& name, const written_component& known) {
    const node* before = member(before_, name);
    bool concerns = known.as_a_whole;
    for (const auto& [property, is_set] : known.is_set) {
      concerns =
          concerns || is_set ||
          (before != nullptr && before->what == node::object && before->o.count(property) != 0);
    }
    if (!concerns) {
      desired_.o.erase(name);
      if (before != nullptr) desired_.o[name] = *before;
    }
    const node* now = member(desired_, name);
    if (concerns && is_marked(now) && now->o.size() == 1) desired_.o.erase(name);
  }

  node before_, desired_, reported_;
  std::map<std::string, written_component> components_;
};

}  // namespace of_digital_twins
}  // namespace reference
