#include "growth_shapes.hpp"

#include <devicetwin/json/tree/name_hash.hpp>

#include <algorithm>
#include <cstdint>

namespace growth {
namespace {

struct member {
  std::string name, value;  // as JSON text, the name without its quotes
};
using members = std::vector<member>;

constexpr const char* order_names[] = {"kept", "reversed", "shuffled"};
constexpr const char* change_names[] = {"none", "one",   "few",     "half",
                                        "all",  "added", "removed", "renamed"};

// Names whose hashes are the same in their lowest bits, by which the library's tables are
// addressed.
std::string colliding_name(std::size_t i) {
  static std::vector<std::string> found;
  static std::size_t tried = 0;
  while (found.size() <= i) {
    std::string name = "c" + std::to_string(tried++);
    if ((devicetwin::json::core::hash_name(name) & 0x3FF) == 0x155) found.push_back(name);
  }
  return found[i];
}

std::string padded(std::size_t i) {
  std::string digits = std::to_string(i);
  return std::string(8 - digits.size(), '0') + digits;
}

std::string name_of(const std::string& kind, std::size_t i, std::size_t count) {
  if (kind == "colliding names") return colliding_name(i);
  if (kind == "escaped names") return "\\u0061\\n" + std::to_string(i) + "\\u00e9";
  if (kind == "long shared prefixes") return std::string(100, 'p') + std::to_string(i);
  // The same where a quick look goes: at both ends and in the middle.
  if (kind == "names that look alike")
    return std::string(12, 'a') + padded(i) + std::string(44, 'a');
  if (kind == "one long name" && i == count / 2) return std::string(10 * count, 'n');
  if (kind == "one long escaped name" && i == count / 2)
    return std::string(10 * count, 'n') + "\\t";
  return plain_name(i);
}

std::string value_of(const std::string& kind, std::size_t i, std::size_t count, bool changed) {
  const std::string digits = std::to_string(changed ? i + 1000000 : i);
  if (kind == "long strings" && i % (count / 8) == 0)
    return "\"" + std::string(8 * count, 's') + digits + "\"";
  if (kind == "escaped strings") return "\"\\u0001\\\"\\\\\\ud83d\\ude00" + digits + "\"";
  if (kind == "long numbers" && i % (count / 8) == 0)
    return "0." + std::string(8 * count, '7') + digits;
  if (kind == "small arrays") return "[" + digits + ",{\"x\":[" + digits + ",null]},\"y\"]";
  switch (i % 4) {
    case 0:
      return digits;
    case 1:
      return "\"text " + digits + "\"";
    case 2:
      return digits + ".25";
    default:
      return changed ? "false" : "true";
  }
}

bool is_changed(change what, std::size_t i, std::size_t count) {
  switch (what) {
    case change::one:
      return i == count / 2;
    case change::few:
      return i % (count / 16) == 0;
    case change::half:
      return i % 2 == 0;
    case change::all:
      return true;
    default:
      return false;
  }
}

std::uint64_t next_random(std::uint64_t& state) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return state >> 33;
}
template <class Items>
void arrange(Items& items, order how, std::uint64_t& random) {
  if (how == order::reversed) std::reverse(items.begin(), items.end());
  if (how != order::shuffled) return;
  for (std::size_t i = items.size(); i > 1; --i)
    std::swap(items[i - 1], items[next_random(random) % i]);
}

std::string object(const members& all, bool spaced = false) {
  std::string text = "{";
  for (const member& m : all) {
    if (text.size() > 1) text += spaced ? ",\n    " : ",";
    text += "\"" + m.name + (spaced ? "\" : " : "\":") + m.value;
  }
  return text + (spaced ? "\n}" : "}");
}

members leaves(const shape& s, std::size_t count, bool second) {
  members made;
  for (std::size_t i = 0; i < count; ++i) {
    const bool half = i % 2 == 0;
    if (second && s.what == change::removed && half) continue;
    if (!second && s.what == change::added && half) continue;
    const bool renamed = second && s.what == change::renamed && half;
    made.push_back({name_of(s.kind, renamed ? count + i : i, count),
                    value_of(s.kind, i, count, second && is_changed(s.what, i, count))});
  }
  return made;
}

std::string build(const shape& s, std::size_t count, bool second) {
  std::uint64_t random = 7;
  const order how = second ? s.how : order::kept;
  members all = leaves(s, count, second);
  if (s.kind == "deep") {  // 25 levels: with 2,000 members, each is an object that is not small
    std::string inner;
    const std::size_t share = all.size() / 25 + 1;
    for (std::size_t level = 25; level-- > 0;) {
      const std::size_t first = std::min(level * share, all.size()),
                        last = std::min(first + share, all.size());
      members own(all.begin() + static_cast<std::ptrdiff_t>(first),
                  all.begin() + static_cast<std::ptrdiff_t>(last));
      if (!inner.empty()) own.push_back({"down", inner});
      arrange(own, how, random);
      inner = object(own);
    }
    return inner;
  }
  const std::size_t group = s.kind == "small objects" || s.kind == "objects in an array" ? 4
                            : s.kind == "arrays of numbers"                              ? 8
                                                                                         : 0;
  if (group == 0) {
    arrange(all, how, random);
    return object(all, s.kind == "white space");
  }
  members groups;
  for (std::size_t first = 0; first < all.size(); first += group) {
    members own(all.begin() + static_cast<std::ptrdiff_t>(first),
                all.begin() + static_cast<std::ptrdiff_t>(std::min(first + group, all.size())));
    if (s.kind != "arrays of numbers") {
      arrange(own, how, random);
      groups.push_back({plain_name(first), object(own)});
      continue;
    }
    std::string text = "[";
    for (const member& m : own) text += (text.size() > 1 ? "," : "") + m.value;
    groups.push_back({plain_name(first), text + "]"});
  }
  if (s.kind != "objects in an array") {
    arrange(groups, how, random);
    return object(groups);
  }
  std::string text;
  for (const member& m : groups) text += (text.empty() ? "" : ",") + m.value;
  return "{\"before\":1,\"list\":[" + text + "],\"behind\":2}";
}

}  // namespace

// As long at every size: a look at the length would tell more of few names apart than of many.
std::string plain_name(std::size_t i) { return "name" + padded(i); }

std::string shape::name() const {
  return kind + ", " + order_names[static_cast<int>(how)] + ", " +
         change_names[static_cast<int>(what)];
}

pair_of_texts make(const shape& s, std::size_t count) {
  return {build(s, count, false), build(s, count, true)};
}

std::vector<shape> all_shapes() {
  std::vector<shape> shapes;
  for (const order how : {order::kept, order::reversed, order::shuffled}) {
    for (int what = 0; what <= static_cast<int>(change::renamed); ++what)
      shapes.push_back({"wide", how, static_cast<change>(what)});
  }
  for (const char* kind :
       {"deep", "small objects", "objects in an array", "arrays of numbers", "small arrays",
        "colliding names", "escaped names", "long shared prefixes", "names that look alike",
        "one long name", "one long escaped name", "long strings", "escaped strings", "long numbers",
        "white space"}) {
    shapes.push_back({kind, order::kept, change::half});
    shapes.push_back({kind, order::reversed, change::all});
    shapes.push_back({kind, order::shuffled, change::few});
    shapes.push_back({kind, order::shuffled, change::renamed});
    shapes.push_back({kind, order::shuffled, change::none});
    shapes.push_back({kind, order::kept, change::added});
    shapes.push_back({kind, order::reversed, change::removed});
  }
  return shapes;
}

std::vector<shape> some_shapes() {
  return {{"wide", order::reversed, change::half},
          {"wide", order::shuffled, change::renamed},
          {"escaped names", order::shuffled, change::none},
          {"deep", order::shuffled, change::few},
          {"small objects", order::shuffled, change::half},
          {"objects in an array", order::shuffled, change::half},
          {"colliding names", order::reversed, change::renamed},
          {"names that look alike", order::shuffled, change::few},
          {"one long name", order::reversed, change::renamed}};
}

}  // namespace growth
