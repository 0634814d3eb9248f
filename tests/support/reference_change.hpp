// Changes, three-way merge and replay, slow and obvious: on maps, by recursion, member by member as
// the rules stand. A missing member is an empty optional; the JSON form of a change is a node.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "reference.hpp"

namespace reference {

using maybe = std::optional<node>;

inline bool equal(const maybe& x, const maybe& y) {
  return x.has_value() == y.has_value() && (!x || equal(*x, *y));
}
inline bool is_object(const maybe& x) { return x && x->what == node::object; }
inline node empty_object() {
  node n;
  n.what = node::object;
  return n;
}
inline maybe optional_member(const node& of, const std::string& name) {
  const auto found = of.o.find(name);
  return found == of.o.end() ? std::nullopt : maybe(found->second);
}
inline maybe optional_member(const maybe& of, const std::string& name) {
  return is_object(of) ? optional_member(*of, name) : std::nullopt;
}
inline void put(node& object, const std::string& name, const maybe& value) {
  if (value) {
    object.o[name] = *value;
  } else {
    object.o.erase(name);
  }
}

/// What the change of this form makes of a value.
inline maybe apply(const node& form, const maybe& to) {
  if (form.what == node::null) return std::nullopt;
  if (form.what == node::array) return form.a.empty() ? to : maybe(form.a[0]);
  node result = is_object(to) ? *to : empty_object();
  for (const auto& [name, inside] : form.o)
    put(result, name, reference::apply(inside, optional_member(result, name)));
  return result;
}

inline std::set<std::string> names_of(std::initializer_list<const maybe*> objects) {
  std::set<std::string> names;
  for (const maybe* o : objects) {
    if (!is_object(*o)) continue;
    for (const auto& [name, value] : (*o)->o) names.insert(name);
  }
  return names;
}

struct found_conflict {
  std::string pointer;
  maybe base, ours, theirs;
  int kind;  // 0: both changed, 1: changed and removed, 2: type clash
};

inline std::string step_to(const std::string& name) {
  std::string text = "/";
  for (char c : name) text += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return text;
}

inline int kind_of(const maybe& ours, const maybe& theirs) {
  if (!ours || !theirs) return 1;
  const auto type = [](const node& n) {
    return n.what == node::natural || n.what == node::real ? node::integer : n.what;
  };
  return type(*ours) == type(*theirs) ? 0 : 2;
}

/// Three-way merge, rule by rule. The conflicts are in `found`.
inline maybe merge3(const maybe& base, const maybe& ours, const maybe& theirs, bool prefer_ours,
                    std::vector<found_conflict>& found, const std::string& pointer = "") {
  if (equal(ours, theirs)) return ours;
  if (equal(ours, base)) return theirs;
  if (equal(theirs, base)) return ours;
  if (is_object(ours) && is_object(theirs)) {
    node result = empty_object();
    for (const std::string& name : names_of({&ours, &theirs})) {
      put(result, name,
          merge3(optional_member(base, name), optional_member(ours, name),
                 optional_member(theirs, name), prefer_ours, found, pointer + step_to(name)));
    }
    return result;
  }
  found.push_back({pointer, base, ours, theirs, kind_of(ours, theirs)});
  return prefer_ours ? ours : theirs;
}

/// What somebody changed from `base` to `ours`, written into an object that was empty.
inline node changes_alone(const node& base, const node& ours) {
  node result = empty_object();
  for (const auto& [name, value] : ours.o) {
    const maybe before = optional_member(base, name);
    if (equal(before, value)) continue;
    result.o[name] =
        is_object(before) && value.what == node::object ? changes_alone(*before, value) : value;
  }
  return result;
}

/// What `ours` changed from `base`, replayed on `onto`: a three-way merge, but where `onto` lost an
/// object, only what was changed in it is written anew.
inline maybe replay(const maybe& base, const maybe& ours, const maybe& onto, bool prefer_ours,
                    std::vector<found_conflict>& found, const std::string& pointer = "") {
  if (equal(ours, onto)) return onto;
  if (equal(ours, base)) return onto;
  if (equal(onto, base)) return ours;
  if (is_object(ours) && is_object(onto)) {
    node result = empty_object();
    for (const std::string& name : names_of({&ours, &onto})) {
      put(result, name,
          replay(optional_member(base, name), optional_member(ours, name),
                 optional_member(onto, name), prefer_ours, found, pointer + step_to(name)));
    }
    return result;
  }
  found.push_back({pointer, base, ours, onto, kind_of(ours, onto)});
  if (!prefer_ours) return onto;
  return is_object(base) && is_object(ours) ? maybe(changes_alone(*base, *ours)) : ours;
}

}  // namespace reference
