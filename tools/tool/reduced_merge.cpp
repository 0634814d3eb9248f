#include "reduced_merge.hpp"

#include <devicetwin/json/pointer.hpp>
#include <devicetwin/json/write.hpp>
#include <devicetwin/merge/differences.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "spelled.hpp"
#include "text_items.hpp"

namespace json = devicetwin::json;
namespace merge = devicetwin::merge;

namespace tool {
namespace {

/// A place where not all three documents are the same: as a whole, or in some of its members.
struct differing_place {
  bool whole = false;
  std::map<std::string, differing_place, std::less<>> members;

  /// Notes a place below this one. An array differs as a whole.
  void note(const json::location& where) {
    differing_place* at = this;
    for (std::size_t i = 0; i != where.depth() && where[i].name != nullptr; ++i) {
      if (at->whole) return;
      at = &at->members[std::string(where[i].text())];
    }
    at->whole = true;
  }
};

enum document { base, ours, theirs, documents };

/// The values that three documents have at one place. One that is not there has no data().
struct three_values {
  value_text in[documents];
  bool are_objects() const { return std::all_of(std::begin(in), std::end(in), is_object); }
};

struct three_texts {
  std::string of[documents];
};

three_texts reduce_values(const differing_place& place, const three_values& values);

three_texts reduce_members(const differing_place& place, const three_values& values) {
  struct member {
    std::string_view name;
    const differing_place* place;
    three_values values;
    three_texts reduced;
  };
  std::map<const differing_place*, member> members;
  std::vector<const member*> order[documents];
  for (int d = 0; d != documents; ++d) {
    for (text_items items(values.in[d]); items.next();) {
      const std::string_view raw = items.name();
      const auto found = json::core::has_escapes(raw) ? place.members.find(plain_string(raw))
                                                      : place.members.find(raw);
      if (found == place.members.end()) continue;
      member& m = members[&found->second];
      m.name = raw;
      m.place = &found->second;
      m.values.in[d] = items.value();
      order[d].push_back(&m);
    }
  }
  for (auto& [at, m] : members) m.reduced = reduce_values(*at, m.values);
  three_texts reduced;
  for (int d = 0; d != documents; ++d) {
    std::string& text = reduced.of[d];
    text = "{";
    for (const member* m : order[d]) {
      text += text.size() == 1 ? "\"" : ",\"";
      ((text += m->name) += "\":") += m->reduced.of[d];
    }
    text += '}';
  }
  return reduced;
}

three_texts reduce_values(const differing_place& place, const three_values& values) {
  if (!place.whole && values.are_objects()) return reduce_members(place, values);
  three_texts whole;
  for (int d = 0; d != documents; ++d) whole.of[d] = values.in[d];
  return whole;
}

using tree = json::arena_value;

/// The members of an object by name.
std::map<std::string_view, const tree*> members_of(const tree& object) {
  std::map<std::string_view, const tree*> members;
  for (auto m = object.MemberBegin(); m != object.MemberEnd(); ++m)
    members.emplace(std::string_view(m->name.GetString(), m->name.GetStringLength()), &m->value);
  return members;
}

/// Writes an object, its members one by one.
class object_writer {
 public:
  explicit object_writer(json_stream& out) : out_(out), going_on_(out.append("{")) {}

  /// Starts a member. `name` is the text between its quotes.
  bool start(std::string_view name) {
    going_on_ =
        going_on_ && out_.append(first_ ? "\"" : ",\"") && out_.append(name) && out_.append("\":");
    first_ = false;
    return going_on_;
  }
  bool end() { return going_on_ && out_.append("}"); }

 private:
  json_stream& out_;
  bool going_on_;
  bool first_ = true;
};

bool write_tree(const tree& value, json_stream& out) {
  std::string text;
  return !write_spelled(value, text) && out.append(text);
}

/// The text between the quotes of a name.
std::string text_of_name(const tree& name) {
  std::string text;
  json::text_writer writer(text);
  writer.String(name.GetString(), name.GetStringLength(), true);
  return text.substr(1, text.size() - 2);
}

bool write_value(value_text value, const tree& before, const tree& after, json_stream& out) {
  if (!is_object(value) || !before.IsObject() || !after.IsObject())
    return same_value(before, after) ? out.append(value) : write_tree(after, out);
  const auto old_members = members_of(before), new_members = members_of(after);
  object_writer object(out);
  for (text_items items(value); items.next();) {
    const bool has_escapes = json::core::has_escapes(items.name());
    const std::string plain = has_escapes ? plain_string(items.name()) : std::string();
    const std::string_view name = has_escapes ? std::string_view(plain) : items.name();
    const auto old_member = old_members.find(name);
    const bool same_in_all = old_member == old_members.end();
    const auto new_member = same_in_all ? new_members.end() : new_members.find(name);
    if (!same_in_all && new_member == new_members.end()) continue;
    if (!object.start(items.name())) return false;
    if (same_in_all ? !out.append(items.value())
                    : !write_value(items.value(), *old_member->second, *new_member->second, out))
      return false;
  }
  for (auto m = after.MemberBegin(); m != after.MemberEnd(); ++m) {
    if (old_members.count({m->name.GetString(), m->name.GetStringLength()}) != 0) continue;
    if (!object.start(text_of_name(m->name)) || !write_tree(m->value, out)) return false;
  }
  return object.end();
}

}  // namespace

json::error reduce(std::string_view base_text, std::string_view ours_text,
                   std::string_view theirs_text, reduced_documents& reduced) {
  differing_place root;
  const auto note = [&root](const json::location& where, const std::string_view*,
                            const std::string_view*) { root.note(where); };
  merge::text_options trusted;
  trusted.trust = merge::text_trust::trusted;
  for (const std::string_view other : {ours_text, theirs_text}) {
    if (auto e = merge::for_each_difference_text(base_text, other, note, trusted)) return e;
  }
  three_texts texts = reduce_values(
      root, {{whole_value(base_text), whole_value(ours_text), whole_value(theirs_text)}});
  reduced.base = std::move(texts.of[base]);
  reduced.ours = std::move(texts.of[ours]);
  reduced.theirs = std::move(texts.of[theirs]);
  return {};
}

bool write_merged(std::string_view ours_text, const tree& before, const tree& after,
                  json_stream& out) {
  return write_value(whole_value(ours_text), before, after, out);
}

}  // namespace tool
