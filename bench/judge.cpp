#include "judge.hpp"

#include <exception>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "lookups.hpp"

namespace bench {
namespace {

using nlohmann::json;

bool same_json(const std::string& text, const json& expected) {
  return json::parse(text) == expected;
}

json patched(const std::string& text, const std::string& patch) {
  json value = json::parse(text);
  value.merge_patch(json::parse(patch));
  return value;
}

const char* const wrong = "the result is not the expected one";

// A section without what the service adds.
json values_of(json section) {
  section.erase("$metadata");
  section.erase("$version");
  return section;
}

json reported_of(const json& twin) { return twin.at("properties").at("reported"); }

// The changes that turn `from` into `to`, by pointer.
void list_changes(const json& from, const json& to, const std::string& at, json& out) {
  for (const auto& [name, value] : to.items()) {
    const std::string here = at + "/" + name;  // no name of the documents needs escaping
    const auto before = from.find(name);
    if (before == from.end())
      out[here] = {{"new", value}};
    else if (before->is_object() && value.is_object())
      list_changes(*before, value, here, out);
    else if (*before != value)
      out[here] = {{"old", *before}, {"new", value}};
  }
  for (const auto& [name, value] : from.items())
    if (!to.contains(name)) out[at + "/" + name] = {{"old", value}};
}

json by_pointer(const json& changes) {
  json out = json::object();
  for (json change : changes) {
    const std::string pointer = change.at("pointer");
    change.erase("pointer");
    if (out.contains(pointer)) throw std::runtime_error("a change is listed twice");
    out[pointer] = std::move(change);
  }
  return out;
}

// What a hub makes of a device's patch, by values and versions; the stamps are for judge_agreement.
std::string judge_device_patch(const json& report, const json& before, const std::string& patch,
                               const json& values_after) {
  const json before_reported = reported_of(before);
  const json& after = report.at("twin");
  const json after_reported = reported_of(after);
  const std::int64_t version = before.at("version").get<std::int64_t>() + 1;
  const std::int64_t section = before_reported.at("$version").get<std::int64_t>() + 1;
  if (values_of(after_reported) != values_after)
    return "the reported section is not the expected one";
  if (after.at("version") != version || after_reported.at("$version") != section)
    return "the versions are not the expected ones";
  const json& event = report.at("event");
  const json told = reported_of(event);
  if (event.at("version") != version || told.at("$version") != section ||
      values_of(told) != json::parse(patch))
    return "the event is not the expected one";
  if (told.at("$metadata").at("$lastUpdated") != after_reported.at("$metadata").at("$lastUpdated"))
    return "event and twin carry different times";
  if (report.contains("changes")) {
    json changes = json::object();
    list_changes(values_of(before_reported), values_after, "", changes);
    if (by_pointer(report.at("changes")) != changes) return "the changes are not the expected ones";
  }
  if (report.at("reply") != "$iothub/twin/res/204/?$rid=1&$version=" + std::to_string(section))
    return "the reply is not the expected one";
  return {};
}

// What a hub makes of a service's patch of desired.
std::string judge_desired_patch(const json& report, const json& before, const json& patch) {
  const json& after = report.at("twin");
  const json before_desired = before.at("properties").at("desired");
  const json after_desired = after.at("properties").at("desired");
  const std::int64_t version = before_desired.at("$version").get<std::int64_t>() + 1;
  json values = values_of(before_desired);
  values.merge_patch(patch);
  if (values_of(after_desired) != values || after_desired.at("$version") != version)
    return "the desired section is not the expected one";
  json notification = patch;
  notification["$version"] = version;
  if (report.at("notification") != notification ||
      report.at("topic") !=
          "$iothub/twin/PATCH/properties/desired/?$version=" + std::to_string(version))
    return "the notification is not the expected one";
  const json& event = report.at("event");
  if (event.at("version") != after.at("version") ||
      values_of(event.at("properties").at("desired")) != patch)
    return "the event is not the expected one";
  return {};
}

}  // namespace

std::string judge_pair(const pair_texts& texts, bool twin) {
  if (twin) {
    const json values = values_of(reported_of(json::parse(texts.from)));
    if (patched(values.dump(), texts.forward) != json::parse(texts.to))
      return "the forward patch is wrong";
    return patched(texts.to, texts.backward) == values ? "" : "the backward patch is wrong";
  }
  if (patched(texts.from, texts.forward) != json::parse(texts.to))
    return "the forward patch is wrong";
  if (patched(texts.to, texts.backward) != json::parse(texts.from))
    return "the backward patch is wrong";
  return {};
}

std::string judge_operation(const operation& what, const pair_texts& texts,
                            std::unique_ptr<job>& candidate) {
  try {
    candidate = what.prepare(texts);
    candidate->run();
    if (what.what == yields::nothing) return {};
    const std::string text = candidate->output();
    switch (what.where) {
      case road::read:
      case road::write:
        return same_json(text, json::parse(texts.from)) ? "" : wrong;
      case road::equal:
        return text == "true" ? "" : wrong;
      case road::diff:
      case road::text_diff:
      case road::text_diff_checked:
        if (what.what == yields::json_patch) {
          const json result = json::parse(texts.from).patch(json::parse(text));
          return result == json::parse(texts.to) ? "" : wrong;
        }
        return same_json(text, json::parse(texts.forward)) ? "" : wrong;
      case road::json_patch_diff:
      case road::json_patch_text_diff: {
        const json result = json::parse(texts.from).patch(json::parse(text));
        return result == json::parse(texts.to) ? "" : wrong;
      }
      case road::json_patch_text_apply:
      case road::text_apply:
      case road::text_apply_checked:
        return same_json(text, json::parse(texts.to)) ? "" : wrong;
      case road::json_patch_apply:
      case road::apply: {
        if (!same_json(text, json::parse(texts.to))) return wrong;
        // Two rounds, since a library may lose its way only on a tree it patched itself.
        const json from = json::parse(texts.from);
        for (int round = 0; round != 2; ++round) {
          candidate->run();
          if (!same_json(candidate->output(), from))
            return "the backward patch does not restore the document";
          candidate->run();
        }
        candidate->run();
        return same_json(candidate->output(), from) ? "" : wrong;
      }
      case road::lookup: {
        const json document = json::parse(texts.from);
        json values = json::array();
        for (const std::string& pointer : wanted_pointers(texts)) {
          const json::json_pointer place(pointer);
          values.push_back(document.contains(place) ? document.at(place) : json());
        }
        return same_json(text, values) ? "" : wrong;
      }
      case road::hub_get: {
        json twin = json::parse(texts.from).at("properties");
        for (const char* const section : {"desired", "reported"})
          twin.at(section).erase("$metadata");
        return same_json(text, twin) ? "" : wrong;
      }
      case road::hub_desired: {
        json before;
        for (int round = 0; round != 6; ++round) {
          if (round != 0) candidate->run();
          const json report = json::parse(candidate->output());
          const std::string complaint =
              round == 0 ? ""
                         : judge_desired_patch(
                               report, before,
                               json::parse(round % 2 == 0 ? texts.forward : texts.backward));
          if (!complaint.empty()) return complaint;
          before = report.at("twin");
        }
        return {};
      }
      case road::hub_report:
      case road::device_patch: {
        json before = json::parse(texts.from);
        const json values = values_of(reported_of(before));
        const json values_after = json::parse(texts.to);
        for (int round = 0; round != 6; ++round) {
          if (round != 0) candidate->run();
          const json report = json::parse(candidate->output());
          const bool forwards = round % 2 == 0;
          const std::string complaint =
              judge_device_patch(report, before, forwards ? texts.forward : texts.backward,
                                 forwards ? values_after : values);
          if (!complaint.empty()) return complaint;
          before = report.at("twin");
        }
        return {};
      }
      case road::changes_since:
        return same_json(text, json::parse(texts.forward)) ? "" : wrong;
      case road::session_change:
      case road::session_report:
        return same_json(text, json::parse(texts.to)) ? "" : wrong;
      case road::in_sync: {
        const json twin = json::parse(texts.from);
        json merged = values_of(json::parse(texts.to));
        merged.merge_patch(values_of(twin.at("properties").at("desired")));
        return text == (merged == json::parse(texts.to) ? "true" : "false") ? "" : wrong;
      }
    }
    return "unknown road";
  } catch (const std::exception& failure) {
    return failure.what();
  }
}

std::string judge_agreement(const operation& one, const operation& other, const pair_texts& texts) {
  try {
    const std::unique_ptr<job> first = one.prepare(texts);
    const std::unique_ptr<job> second = other.prepare(texts);
    for (int round = 0; round != 4; ++round) {
      first->run();
      second->run();
      json a = json::parse(first->output());
      json b = json::parse(second->output());
      for (json* const report : {&a, &b})
        if (report->contains("changes")) (*report)["changes"] = by_pointer(report->at("changes"));
      if (a != b) return "not what the first one says: " + json::diff(a, b).dump().substr(0, 300);
    }
    return {};
  } catch (const std::exception& failure) {
    return failure.what();
  }
}

}  // namespace bench
