// The same document, or nearly, spelled otherwise: for texts that are alike in meaning but not in
// bytes.
#pragma once

#include <devicetwin/devicetwin.hpp>

#include <string>
#include <vector>

#include "random_json.hpp"

namespace respell_detail {

inline std::string space(random_json& random, bool spaces) {
  static const char* const kinds[] = {"", " ", "\n  ", "\t", "\r\n"};
  return spaces && random.below(3) == 0 ? kinds[random.below(5)] : "";
}

inline std::string string(std::string_view text, random_json& random, bool escapes) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    char code[8];
    std::snprintf(code, sizeof code, random.below(2) ? "\\u%04x" : "\\u%04X", byte);
    if (byte < 0x20 || c == '"' || c == '\\') {
      out += code;
    } else if (byte < 0x80 && escapes && random.below(12) == 0) {
      out += code;
    } else {
      out += c;
    }
  }
  return out + "\"";
}

inline std::string value(const rapidjson::Value& v, random_json& random, unsigned changes,
                         bool spaces, bool escapes, bool shuffled, int depth) {
  if (changes != 0 && random.below(100) < changes) return random.value(depth < 4 ? 4 : depth);
  if (v.IsObject()) {
    std::vector<const rapidjson::Value::Member*> members;
    for (devicetwin::json::size_type i = 0; i < v.MemberCount(); ++i) {
      if (changes == 0 || random.below(100) >= changes) {
        members.push_back(devicetwin::json::core::members_begin(v) + i);
      }
    }
    if (shuffled && random.below(2) == 0) {
      for (std::size_t i = members.size(); i > 1; --i) {
        std::swap(members[i - 1], members[random.below(static_cast<unsigned>(i))]);
      }
    }
    std::string out = "{";
    const auto add = [&](const std::string& name, const std::string& text) {
      if (out.size() > 1) out += ",";
      out += space(random, spaces) + name + space(random, spaces) + ":" + space(random, spaces) +
             text + space(random, spaces);
    };
    for (const auto* member : members) {
      if (changes != 0 && random.below(200) < changes) {
        add("\"new" + std::to_string(members.size()) + std::to_string(out.size()) + "\"",
            random.value(4));
      }
      add(string({member->name.GetString(), member->name.GetStringLength()}, random, escapes),
          value(member->value, random, changes, spaces, escapes, shuffled, depth + 1));
    }
    return out + "}";
  }
  if (v.IsArray()) {
    std::string out = "[" + space(random, spaces);
    for (devicetwin::json::size_type i = 0; i < v.Size(); ++i) {
      if (i != 0) out += "," + space(random, spaces);
      out += value(v[i], random, changes, spaces, escapes, shuffled, depth + 1) +
             space(random, spaces);
    }
    return out + "]";
  }
  if (v.IsString()) return string({v.GetString(), v.GetStringLength()}, random, escapes);
  std::string text;
  if (devicetwin::json::write(v, text)) return "null";
  if (v.IsInt() && escapes && random.below(4) == 0) return text + (random.below(2) ? ".0" : "e0");
  return text;
}

}  // namespace respell_detail

/// `text`, which must be JSON, with other white space, order, escapes and number spellings, each as
/// chance has it, and about `changes` percent of its members changed, removed or new.
inline std::string respelled(const std::string& text, random_json& random, unsigned changes) {
  rapidjson::Document d;
  if (devicetwin::json::read(text, d)) return text;
  const bool spaces = random.below(3) == 0, escapes = random.below(3) == 0,
             shuffled = random.below(3) == 0;
  return respell_detail::space(random, spaces) +
         respell_detail::value(d, random, changes, spaces, escapes, shuffled, 0) +
         respell_detail::space(random, spaces);
}
