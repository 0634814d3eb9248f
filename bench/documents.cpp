#include "documents.hpp"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "random_source.hpp"
#include "real_text.hpp"

// The mix
//   names    camelCase words; a share of them (`long_names`, 35 % in max) has more than 13
//            characters; in wide objects a word or two and a number, so that they are unique
//   strings  50 % of the leaves: words, hexadecimal ids, timestamps; 1 in 40 has an escape or a
//            character outside ASCII
//   others   20 % integers, 12 % numbers with one to six decimals, 13 % booleans, 5 % short arrays
//            (wide objects have no arrays)
//   never    null, blanks between tokens, numbers of 17 digits
//   shape    objects of a few leaves and a few child objects; one chain of objects reaches the full
//            depth. meta is a service-side twin: two trees of properties, each with a `$metadata`
//            mirror that gives every name a `$lastUpdated`; a change touches the time of the leaf,
//            of each object above it, and `$version`.
// Everything is drawn from splitmix64 with integer arithmetic only, and never twice in one
// expression, so no compiler, standard library or platform can change a byte.

namespace bench {
namespace {

// An object with members, or a leaf (scalar or array) kept as its text.
struct node {
  bool is_object = false;
  bool touched = false;  // a change reached it: its mirror in $metadata gets the new time
  std::string text;
  std::vector<std::pair<std::string, node>> members;

  static node leaf(std::string text) {
    node made;
    made.text = std::move(text);
    return made;
  }
  static node object() {
    node made;
    made.is_object = true;
    return made;
  }
  node& add(std::string name, node value) {
    members.emplace_back(std::move(name), std::move(value));
    return members.back().second;
  }
};

const char* const words[] = {
    "pump",   "valve",  "fan",      "door",    "motor",  "sensor", "level",   "speed",   "rate",
    "limit",  "mode",   "state",    "power",   "volt",   "signal", "network", "battery", "config",
    "target", "actual", "min",      "max",     "count",  "total",  "alarm",   "zone",    "unit",
    "line",   "heater", "cooler",   "filter",  "flow",   "press",  "temp",    "humid",   "firmware",
    "update", "report", "interval", "timeout", "retry",  "window", "sample",  "offset",  "gain",
    "bias",   "phase",  "cycle",    "stage",   "channel"};
constexpr std::uint32_t word_count = sizeof(words) / sizeof(words[0]);

std::string pick_word(random_source& random) { return words[random.below(word_count)]; }

std::string capital(std::string word) {
  word[0] = static_cast<char>(word[0] - 'a' + 'A');
  return word;
}

std::string digits(random_source& random, std::uint32_t count) {
  std::string out(1, static_cast<char>('1' + random.below(9)));
  while (out.size() < count) out += static_cast<char>('0' + random.below(10));
  return out;
}

std::string two_digits(std::uint32_t number) {
  std::string out;
  out += static_cast<char>('0' + number / 10);
  out += static_cast<char>('0' + number % 10);
  return out;
}

std::string timestamp(random_source& random) {
  std::string out = "\"2026-";
  out += two_digits(random.between(1, 12)) + "-";
  out += two_digits(random.between(1, 28)) + "T";
  out += two_digits(random.below(24)) + ":";
  out += two_digits(random.below(60)) + ":";
  out += two_digits(random.below(60)) + "Z\"";
  return out;
}

std::string string_value(random_source& random) {
  static const char* const unusual[] = {"\\\"quoted\\\"", "C:\\\\log",   "line\\nbreak",
                                        "at 21\xc2\xb0",  "caf\xc3\xa9", "\xe2\x82\xac 5",
                                        "tab\\there",     "\\u00b5m"};
  if (random.below(40) == 0) {
    const std::string word = pick_word(random);
    return "\"" + word + " " + unusual[random.below(8)] + "\"";
  }
  const std::uint32_t kind = random.below(100);
  if (kind < 25) return timestamp(random);
  if (kind < 55) {
    std::string out = "\"";
    for (std::uint32_t i = random.between(2, 8) * 4; i != 0; --i)
      out += "0123456789abcdef"[random.below(16)];
    return out + "\"";
  }
  std::string out = "\"" + pick_word(random);
  for (std::uint32_t i = random.below(5); i != 0; --i) out += " " + pick_word(random);
  return out + "\"";
}

std::string integer_value(random_source& random) {
  const std::string sign = random.percent(15) ? "-" : "";
  if (random.percent(10)) return random.percent(50) ? "0" : digits(random, 13);
  return sign + digits(random, random.between(1, 6));
}

std::string decimal_value(random_source& random) {
  std::string out = random.percent(20) ? "-" : "";
  out += random.percent(15) ? "0" : digits(random, random.between(1, 4));
  out += ".";
  for (std::uint32_t i = random.below(6); i != 0; --i)
    out += static_cast<char>('0' + random.below(10));
  return out + static_cast<char>('1' + random.below(9));
}

std::string scalar_value(random_source& random) {
  const std::uint32_t kind = random.below(95);
  if (kind < 50) return string_value(random);
  if (kind < 70) return integer_value(random);
  if (kind < 82) return decimal_value(random);
  return random.percent(50) ? "true" : "false";
}

std::string leaf_value(random_source& random, bool arrays) {
  if (!arrays || !random.percent(5)) return scalar_value(random);
  std::string out = "[" + integer_value(random);
  for (std::uint32_t i = random.between(1, 3); i != 0; --i) out += "," + integer_value(random);
  return out + "]";
}

struct recipe {
  const char* name;
  std::size_t wanted_bytes;
  std::uint32_t leaves;
  std::uint32_t depth;
  std::uint32_t long_names;       // percent
  std::uint32_t leaves_together;  // an object with up to this many leaves is not split further
  std::uint64_t seed;
};

// meta: `leaves` counts the properties without mirror; the depth is that of each property tree.
// clang-format off
const recipe recipes[] = {
    {"small", 953, 30, 3, 12, 12, 4},
    {"typical", 3989, 120, 4, 35, 18, 17},
    {"max", 30125, 1000, 8, 35, 40, 20},
    {"meta", 40929, 455, 5, 15, 20, 24},
    {"wide", 292156, 10000, 1, 0, 0, 15},
};
// clang-format on

// A name that `used` does not hold yet.
std::string fresh_name(random_source& random, std::uint32_t long_names,
                       std::unordered_set<std::string>& used) {
  const bool lengthy = random.percent(long_names);
  for (;;) {
    std::string name = pick_word(random);
    const std::uint32_t more = lengthy ? 2 : random.percent(75) ? 1 : 0;
    for (std::uint32_t i = 0; i != more; ++i) name += capital(pick_word(random));
    if (used.size() > 60) name += digits(random, 2);
    if ((name.size() > 13) == lengthy && used.insert(name).second) return name;
  }
}

node grow(random_source& random, const recipe& how, std::uint32_t leaves, std::uint32_t depth,
          bool chain) {
  node made = node::object();
  std::unordered_set<std::string> used;
  const bool split = depth > 1 && leaves > 2 && (chain || leaves > how.leaves_together);
  std::uint32_t direct = leaves;
  std::uint32_t children = 0;
  if (split) {
    children = leaves > how.leaves_together ? random.between(2, 4) : 1;
    direct = std::min(leaves / 3, random.between(how.leaves_together / 4, how.leaves_together / 2));
  }
  const auto add_leaves = [&](std::uint32_t count) {
    for (; count != 0; --count) {
      std::string name = fresh_name(random, how.long_names, used);
      made.add(std::move(name), node::leaf(leaf_value(random, true)));
    }
  };
  std::uint32_t left = leaves - direct;
  add_leaves(direct / 2);
  for (std::uint32_t i = 0; i != children; ++i) {
    const std::uint32_t others = children - i - 1;
    std::uint32_t share = left;
    if (others != 0) {
      const std::uint32_t fair = left / (others + 1);
      share = std::min(left - others, std::max(1u, fair / 2 + random.below(fair + 1)));
      if (chain && i == 0) share = std::min(left - others, std::max(share, 2 * depth));
    }
    left -= share;
    std::string name = fresh_name(random, how.long_names, used);
    made.add(std::move(name), grow(random, how, share, depth - 1, chain && i == 0));
  }
  add_leaves(direct - direct / 2);
  return made;
}

node grow_wide(random_source& random, std::uint32_t members) {
  node made = node::object();
  made.members.reserve(members + 1);
  for (std::uint32_t i = 0; i != members; ++i) {
    std::string name = pick_word(random);
    if (random.percent(60)) name += capital(pick_word(random));
    made.add(name + std::to_string(i), node::leaf(scalar_value(random)));
  }
  return made;
}

// A leaf, with the objects above it, so that a change can mark them.
struct place {
  std::vector<node*> above;  // root first, the holder of the leaf last
  std::size_t index;
};

// All leaves, in document order. Every object gets room for one more member, so that adding one
// leaves the pointers valid.
void collect(node& at, std::vector<node*>& above, std::vector<place>& out) {
  at.members.reserve(at.members.size() + 1);
  above.push_back(&at);
  for (std::size_t i = 0; i != at.members.size(); ++i) {
    if (at.members[i].second.is_object)
      collect(at.members[i].second, above, out);
    else
      out.push_back({above, i});
  }
  above.pop_back();
}

void touch(const place& where) {
  for (node* object : where.above) object->touched = true;
}

void change_leaf(random_source& random, const place& where, bool arrays) {
  node& leaf = where.above.back()->members[where.index].second;
  std::string text;
  do text = leaf_value(random, arrays);
  while (text == leaf.text);
  leaf.text = std::move(text);
  leaf.touched = true;
  touch(where);
}

// Makes the changes in `root`.
void change(random_source& random, node& root, std::string_view changes, bool arrays) {
  std::vector<place> leaves;
  std::vector<node*> above;
  collect(root, above, leaves);
  std::vector<std::size_t> order(leaves.size());
  for (std::size_t i = 0; i != order.size(); ++i) order[i] = i;
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[random.below(static_cast<std::uint32_t>(i))]);

  if (changes == "p0") return;
  if (changes == "p1") return change_leaf(random, leaves[order[0]], arrays);
  const auto change_first = [&](std::size_t count) {
    for (std::size_t i = 0; i != count && i != order.size(); ++i)
      change_leaf(random, leaves[order[i]], arrays);
  };
  if (changes == "p50") return change_first(order.size() / 2);
  if (changes == "n20") return change_first(20);
  if (changes == "n100") return change_first(100);
  if (changes != "p5") throw std::invalid_argument("no such changes: " + std::string(changes));
  for (std::size_t i = 0; i != 3; ++i) change_leaf(random, leaves[order[i]], arrays);
  // `collect` left room for one addition; the removal comes last, as it moves what follows.
  const place& addition = leaves[order[3]];
  const place& removal = leaves[order[4]];
  touch(addition);
  touch(removal);
  const std::string name = "added" + capital(pick_word(random));
  addition.above.back()->add(name, node::leaf(scalar_value(random))).touched = true;
  auto& holder = removal.above.back()->members;
  holder.erase(holder.begin() + static_cast<std::ptrdiff_t>(removal.index));
}

// The `$metadata` of one tree of properties. The times depend on the names above alone, so that a
// change moves only the times it touches.
node mirror(const node& of, std::uint64_t seed) {
  node made = node::object();
  random_source random(seed);
  const std::string before = timestamp(random);
  made.add("$lastUpdated", node::leaf(of.touched ? "\"2027-01-01T00:00:00Z\"" : before));
  for (const auto& [name, value] : of.members) {
    std::uint64_t below = seed;
    for (const char c : name) below = (below ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    made.add(name, mirror(value, below));
  }
  return made;
}

// The service twin around two property trees.
node service_twin(const node& desired, const node& reported) {
  const auto section = [](const node& tree, std::uint64_t seed, std::uint32_t version) {
    node made = tree;
    made.add("$metadata", mirror(tree, seed));
    made.add("$version", node::leaf(std::to_string(version + (tree.touched ? 1 : 0))));
    return made;
  };
  node twin = node::object();
  twin.add("deviceId", node::leaf("\"pump-station-0417\""));
  twin.add("etag", node::leaf(desired.touched || reported.touched ? "\"AAAAAAAAAAI=\""
                                                                  : "\"AAAAAAAAAAE=\""));
  twin.add("status", node::leaf("\"enabled\""));
  twin.add("connectionState", node::leaf("\"Connected\""));
  node properties = node::object();
  properties.add("desired", section(desired, 21, 411));
  properties.add("reported", section(reported, 22, 90217));
  twin.add("properties", std::move(properties));
  return twin;
}

void write(const node& value, std::string& out) {
  if (!value.is_object) {
    out += value.text;
    return;
  }
  out += '{';
  bool first = true;
  for (const auto& [name, member] : value.members) {
    if (!first) out += ',';
    first = false;
    out += '"' + name + "\":";
    write(member, out);
  }
  out += '}';
}

std::string text_of(const node& value) {
  std::string out;
  write(value, out);
  return out;
}

// The merge patch that turns `from` into `to`, both objects, members in the order of `to`.
node patch_between(const node& from, const node& to) {
  node patch = node::object();
  std::unordered_map<std::string_view, const node*> before;
  for (const auto& [name, value] : from.members) before.emplace(name, &value);
  for (const auto& [name, value] : to.members) {
    const auto found = before.find(name);
    if (found == before.end()) {
      patch.add(name, value);
      continue;
    }
    const node& old = *found->second;
    before.erase(found);
    if (old.is_object && value.is_object) {
      node inner = patch_between(old, value);
      if (!inner.members.empty()) patch.add(name, std::move(inner));
    } else if (old.is_object || value.is_object || old.text != value.text) {
      patch.add(name, value);
    }
  }
  for (const auto& [name, value] : from.members) {
    (void)value;
    if (before.count(name) != 0) patch.add(name, node::leaf("null"));
  }
  return patch;
}

// Appends the operations of the JSON Patch that does to `from` what a merge patch does.
void add_operations(const node& from, const node& patch, const std::string& pointer,
                    std::string& out) {
  std::unordered_map<std::string_view, const node*> before;
  for (const auto& [name, value] : from.members) before.emplace(name, &value);
  for (const auto& [name, value] : patch.members) {
    const auto found = before.find(name);
    const std::string place = pointer + "/" + name;  // no name here needs an escape
    if (found != before.end() && found->second->is_object && value.is_object) {
      add_operations(*found->second, value, place, out);
      continue;
    }
    if (!out.empty()) out += ",";
    if (value.text == "null") {
      out += R"({"op":"remove","path":")" + place + "\"}";
    } else {
      out += std::string(found == before.end() ? R"({"op":"add","path":")"
                                               : R"({"op":"replace","path":")") +
             place + R"(","value":)" + text_of(value) + "}";
    }
  }
}
std::string json_patch_of(const node& from, const node& patch) {
  std::string operations;
  add_operations(from, patch, "", operations);
  return "[" + operations + "]";
}

void shuffle(random_source& random, node& value) {
  auto& members = value.members;
  for (std::size_t i = members.size(); i > 1; --i)
    std::swap(members[i - 1], members[random.below(static_cast<std::uint32_t>(i))]);
  for (auto& member : members) shuffle(random, member.second);
}

const recipe* find_recipe(std::string_view document) {
  for (const recipe& known : recipes)
    if (document == known.name) return &known;
  return nullptr;
}

// A twin's three sections. The device reports back what is desired of it, and things of its own.
struct twin_sections_tree {
  node tags, desired, reported;
};

struct twin_recipe {
  const char* name;
  const char* like;  // the recipe whose shape and mix it has
  std::uint32_t leaves;
};
const twin_recipe twin_recipes[] = {
    {"twin-small", "small", 30}, {"twin-typical", "typical", 136}, {"twin-max", "max", 1000}};

twin_sections_tree make_sections(std::string_view document) {
  twin_sections_tree made;
  for (const twin_recipe& known : twin_recipes) {
    if (document != known.name) continue;
    const recipe& how = *find_recipe(known.like);
    random_source random(how.seed + 100);
    const std::uint32_t tags = known.leaves / 12;
    const std::uint32_t desired = known.leaves * 3 / 10;
    made.tags = grow(random, how, tags, 2, false);
    made.desired = grow(random, how, desired, how.depth, true);
    made.reported = grow(random, how, known.leaves - tags - 2 * desired, how.depth, true);
    node all = made.desired;
    for (auto& [name, value] : made.reported.members) {
      std::string unused = name;
      for (const auto& member : all.members)
        if (member.first == unused) unused += 'X';
      all.add(std::move(unused), std::move(value));
    }
    made.reported = std::move(all);
    return made;
  }
  if (document.substr(0, 6) != "twin-o" || document.size() < 7 ||
      document.find_first_not_of("0123456789", 6) != document.npos)
    throw std::invalid_argument("no such twin: " + std::string(document));
  random_source random(33);
  const auto objects = static_cast<std::uint32_t>(std::stoul(std::string(document.substr(6))));
  made.tags = made.desired = made.reported = node::object();
  for (std::uint32_t i = 0; i < objects; i += 8) {
    node group = node::object();
    for (std::uint32_t j = 0; j != 8; ++j) {
      node unit = node::object();
      for (const char* const name : {"power", "level", "state", "mode"})
        unit.add(name, node::leaf(integer_value(random)));
      group.add("unit" + std::to_string(j), std::move(unit));
    }
    made.reported.add("group" + std::to_string(i), std::move(group));
  }
  return made;
}

// The time of the n-th write to a twin.
std::string time_of_write(std::uint32_t n) {
  const std::uint32_t second = n * 17;
  std::string out = "\"2026-03-" + two_digits(1 + second / 86400 % 28) + "T";
  out += two_digits(second / 3600 % 24) + ":" + two_digits(second / 60 % 60) + ":";
  out += two_digits(second % 60) + ".12304";  // no zero at the end: a service would drop it
  out += two_digits(10 * (1 + n % 8) + 1 + n % 9) + "Z\"";
  return out;
}

// The `$metadata` of a section as a service has it: an object is as new as what is newest inside,
// and desired has versions too. `writes` counts the writes so far. Returns the number of the last
// write inside.
std::uint32_t stamp_tree(const node& of, stamps written, bool desired, std::uint32_t& writes,
                         node& made) {
  made = node::object();
  made.add("$lastUpdated", node());
  if (desired) made.add("$lastUpdatedVersion", node());
  std::uint32_t newest = 1;
  if (!of.is_object && written == stamps::different) newest = ++writes;
  for (const auto& [name, value] : of.members)
    newest = std::max(newest, stamp_tree(value, written, desired, writes, made.add(name, node())));
  made.members[0].second.text = time_of_write(newest);
  if (desired) made.members[1].second.text = std::to_string(newest);
  return newest;
}

// A twin as a service's GET has it.
node whole_twin(const twin_sections_tree& sections, stamps written) {
  node twin = node::object();
  const auto text = [](const char* value) { return node::leaf('"' + std::string(value) + '"'); };
  const auto number = [](std::uint32_t value) { return node::leaf(std::to_string(value)); };
  std::uint32_t versions[2] = {1, 1};
  node properties = node::object();
  for (const bool desired : {true, false}) {
    node section = desired ? sections.desired : sections.reported;
    node metadata;
    std::uint32_t& version = versions[desired ? 0 : 1];
    stamp_tree(section, written, desired, version, metadata);
    section.add("$metadata", std::move(metadata));
    section.add("$version", number(version));
    properties.add(desired ? "desired" : "reported", std::move(section));
  }
  twin.add("deviceId", text("pump-station-0417"));
  twin.add("etag", text("AAAAAAAAAAE="));
  twin.add("deviceEtag", text("NzM5MTA0NTI4"));
  twin.add("status", text("enabled"));
  twin.add("statusUpdateTime", text("0001-01-01T00:00:00Z"));
  twin.add("connectionState", text("Connected"));
  twin.add("lastActivityTime", text("2026-03-27T08:11:40.8310271Z"));
  twin.add("cloudToDeviceMessageCount", number(0));
  twin.add("authenticationType", text("sas"));
  node& thumbprints = twin.add("x509Thumbprint", node::object());
  thumbprints.add("primaryThumbprint", node::leaf("null"));
  thumbprints.add("secondaryThumbprint", node::leaf("null"));
  twin.add("modelId", text(""));
  twin.add("version", number(1 + versions[1]));
  if (!sections.tags.members.empty()) twin.add("tags", sections.tags);
  twin.add("properties", std::move(properties));
  twin.add("capabilities", node::object()).add("iotEdge", node::leaf("false"));
  return twin;
}

// Makes the document and, when `changes` is not empty, its changed form.
std::pair<node, node> make_trees(std::string_view document, std::string_view changes) {
  const recipe* how = find_recipe(document);
  if (document == "meta") {
    random_source random(how->seed);
    const node desired = grow(random, *how, how->leaves * 2 / 5, how->depth, true);
    const node reported = grow(random, *how, how->leaves - how->leaves * 2 / 5, how->depth, true);
    node both = node::object();
    both.add("desired", desired);
    both.add("reported", reported);
    change(random, both, changes, true);
    return {service_twin(desired, reported),
            service_twin(both.members[0].second, both.members[1].second)};
  }
  if (how != nullptr && how->depth > 1) {
    random_source random(how->seed);
    node from = grow(random, *how, how->leaves, how->depth, true);
    node to = from;
    change(random, to, changes, true);
    return {std::move(from), std::move(to)};
  }
  std::uint32_t members = 0;
  if (how != nullptr) {
    members = how->leaves;
  } else {
    if (document.size() < 2 || document.size() > 7 || document[0] != 'w' ||
        document.find_first_not_of("0123456789", 1) != document.npos)
      throw std::invalid_argument("no such document: " + std::string(document));
    members = static_cast<std::uint32_t>(std::stoul(std::string(document.substr(1))));
  }
  random_source random(15);
  node from = grow_wide(random, members);
  node to = from;
  change(random, to, changes, false);
  return {std::move(from), std::move(to)};
}

void survey(const node& value, std::size_t depth, document_facts& facts, std::size_t& names,
            std::size_t& lengthy) {
  if (!value.is_object) {
    ++facts.leaves;
    return;
  }
  facts.depth = std::max(facts.depth, depth + 1);
  for (const auto& [name, member] : value.members) {
    ++names;
    if (name.size() > 13) ++lengthy;
    survey(member, depth + 1, facts, names, lengthy);
  }
}

}  // namespace

pair_texts make_pair_texts(std::string_view document, std::string_view changes) {
  const bool shuffled = !changes.empty() && changes.back() == 's';
  if (shuffled) changes.remove_suffix(1);
  auto [from, to] = make_trees(document, changes);
  node forward = patch_between(from, to);
  node backward = patch_between(to, from);
  if (shuffled) {
    random_source random(99);
    shuffle(random, to);
    shuffle(random, forward);
    shuffle(random, backward);
  }
  return {text_of(from),
          text_of(to),
          text_of(forward),
          text_of(backward),
          json_patch_of(from, forward),
          json_patch_of(to, backward)};
}

pair_texts make_twin_texts(std::string_view document, std::string_view changes, stamps written) {
  const twin_sections_tree sections = make_sections(document);
  node to = sections.reported;
  random_source random(11);
  change(random, to, changes, true);
  return {text_of(whole_twin(sections, written)), text_of(to),
          text_of(patch_between(sections.reported, to)),
          text_of(patch_between(to, sections.reported))};
}

std::string twin_sections(std::string_view document) {
  twin_sections_tree sections = make_sections(document);
  node all = node::object();
  all.add("tags", std::move(sections.tags));
  all.add("desired", std::move(sections.desired));
  all.add("reported", std::move(sections.reported));
  return text_of(all);
}

std::vector<document_facts> all_document_facts() {
  std::vector<document_facts> out;
  for (const recipe& known : recipes) {
    const node tree = make_trees(known.name, "p0").first;
    document_facts facts{known.name, known.wanted_bytes, text_of(tree).size(), 0, 0, 0.0};
    std::size_t names = 0;
    std::size_t lengthy = 0;
    survey(tree, 0, facts, names, lengthy);
    facts.long_names = static_cast<double>(lengthy) / static_cast<double>(names);
    out.push_back(std::move(facts));
  }
  return out;
}

std::uint64_t fingerprint() {
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto add = [&hash](const std::string& text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  };
  for (const recipe& known : recipes) {
    for (const char* const changes : {"p1", "p5s", "p50"}) {
      const pair_texts texts = make_pair_texts(known.name, changes);
      for (const std::string& text : {texts.from, texts.to, texts.forward, texts.backward})
        add(text);
    }
  }
  for (const twin_recipe& known : twin_recipes) {
    const pair_texts texts = make_twin_texts(known.name, "p5");
    for (const std::string& text : {texts.from, texts.to, texts.forward, texts.backward}) add(text);
  }
  const pair_texts texts = make_real_texts("real-40k", "p5");
  for (const std::string& text : {texts.from, texts.to, texts.forward, texts.backward}) add(text);
  return hash;
}

bool facts_hold(const document_facts& facts) {
  const double ratio = static_cast<double>(facts.bytes) / static_cast<double>(facts.wanted_bytes);
  return ratio > 0.95 && ratio < 1.05;
}

}  // namespace bench
