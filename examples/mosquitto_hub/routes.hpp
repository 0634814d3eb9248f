/// What a request to the hub's HTTP side is about.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "../azure/encoding.hpp"
#include "key_file.hpp"

namespace hub {

/// A request's method and path, understood.
struct route {
  enum class kind : unsigned char {
    twin,         ///< /twins/{device}[/modules/{module}]
    identity,     ///< /devices/{device}[/modules/{module}]
    missing,      ///< something that Azure's service has and this hub has not: `why` says so
    unknown,      ///< nothing of this path
    bad_path,     ///< `why` says what is wrong
    wrong_method  ///< nothing that can be done with it: `allow` lists what can
  };
  kind what = kind::unknown;
  std::string client_id;  ///< `device` or `device/module`
  std::string_view why = {};
  std::string_view allow = {};
};

/// Takes a request's method and target (path and query, as they were sent) apart.
inline route route_of(std::string_view method, std::string_view target);

// ---------------------------------------------------------------------------------------------

namespace detail {

/// Why the hub does not do what the service does at this path; nothing when it is not one of the
/// service's.
inline std::string_view why_missing(std::string_view method, const std::vector<std::string>& path) {
  const std::size_t size = path.size();
  const std::string& first = path[0];
  if (first == "devices") {
    if (size == 1 || (size == 2 && path[1].empty()))
      return method == "POST" ? "the hub has no bulk operations" : "the hub cannot list devices";
    if (size == 2 && path[1] == "query" && method == "POST") return "the hub has no queries";
    if (size >= 3 && path[2] == "modules" && (size == 3 || (size == 4 && path[3].empty())))
      return "the hub cannot list modules";
    if (size == 3 && path[2] == "applyConfigurationContent") return "the hub has no configurations";
    if (size >= 3 && (path[2] == "messages" || path[2] == "commands"))
      return "the hub has no messages to devices";
  }
  if (first == "twins" && (size == 3 || size == 5) && path[size - 1] == "methods" &&
      (size == 3 || path[2] == "modules")) {
    return "the hub has no direct methods";
  }
  if (first == "jobs") return "the hub has no jobs";
  if (first == "configurations") return "the hub has no configurations";
  if (first == "statistics") return "the hub has no statistics";
  if (first == "digitaltwins" || first == "digitalTwins") return "the hub has no digital twins";
  if (first == "messages") return "the hub has no messages to devices";
  return {};
}

inline bool is_one_of(std::string_view method, std::string_view list) {
  while (!list.empty()) {
    const std::string_view name = list.substr(0, list.find(','));
    if (name == method) return true;
    list.remove_prefix(name.size() == list.size() ? name.size() : name.size() + 2);  // ", "
  }
  return false;
}

}  // namespace detail

inline route route_of(std::string_view method, std::string_view target) {
  route found;
  const auto bad_path = [&found](std::string_view why) {
    found.what = route::kind::bad_path;
    found.why = why;
    return found;
  };
  std::vector<std::string> path;
  target = target.substr(0, target.find('?'));
  while (!target.empty()) {
    target.remove_prefix(1);  // the slash
    const std::string_view segment = target.substr(0, target.find('/'));
    path.emplace_back();
    if (!azure::percent_decoded(segment, path.back()))
      return bad_path("a % in the path has no two hexadecimal digits");
    target.remove_prefix(segment.size());
  }
  if (path.empty()) return found;
  found.why = detail::why_missing(method, path);
  if (!found.why.empty()) {
    found.what = route::kind::missing;
    return found;
  }
  const bool of_twin = path[0] == "twins", of_module = path.size() == 4 && path[2] == "modules";
  if ((!of_twin && path[0] != "devices") || (path.size() != 2 && !of_module)) return found;
  if (!is_id(path[1]) || (of_module && !is_id(path[3])))
    return bad_path("this cannot be the id of a device or module here");
  found.client_id = of_module ? path[1] + "/" + path[3] : path[1];
  found.what = of_twin ? route::kind::twin : route::kind::identity;
  const std::string_view allow = of_twin ? "GET, PATCH, PUT" : "GET, PUT, DELETE";
  if (!detail::is_one_of(method, allow)) {
    found.what = route::kind::wrong_method;
    found.why = of_twin ? "a twin can be read, patched and replaced"
                        : "a device or module can be read, put and deleted";
    found.allow = allow;
  }
  return found;
}

}  // namespace hub
