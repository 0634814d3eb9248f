#include "lookups.hpp"

#include <nlohmann/json.hpp>

namespace bench {
namespace {

// No name of the documents needs escaping.
void collect(const nlohmann::ordered_json& patch, const std::string& at,
             std::vector<std::string>& out) {
  for (const auto& [name, value] : patch.items()) {
    if (value.is_object())
      collect(value, at + "/" + name, out);
    else
      out.push_back(at + "/" + name);
  }
}

}  // namespace

std::vector<std::string> wanted_pointers(const pair_texts& texts) {
  std::vector<std::string> pointers;
  collect(nlohmann::ordered_json::parse(texts.forward), "", pointers);
  return pointers;
}

std::string found_array(const std::vector<std::string_view>& values) {
  std::string out;
  for (const std::string_view value : values) {
    out += out.empty() ? '[' : ',';
    out += value.empty() ? std::string_view("null") : value;
  }
  return out + "]";
}

}  // namespace bench
