#include "judge.hpp"

#include <exception>
#include <nlohmann/json.hpp>

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

}  // namespace

std::string judge_pair(const pair_texts& texts) {
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
      case road::text_apply:
      case road::text_apply_checked:
        return same_json(text, json::parse(texts.to)) ? "" : wrong;
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
    }
    return "unknown road";
  } catch (const std::exception& failure) {
    return failure.what();
  }
}

}  // namespace bench
