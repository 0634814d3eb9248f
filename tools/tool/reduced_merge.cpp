#include "reduced_merge.hpp"

#include <devicetwin/json/write.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <vector>

#include "spelled.hpp"
#include "text_walk.hpp"

namespace json = devicetwin::json;

namespace tool {
namespace {

/// A member that is not the same in all three documents. One that is not there has no data().
struct three_values {
  std::string_view name;
  value_text base, ours, theirs;
};

/// The members that differ in three objects: those of `base` in its order, then new ones.
std::vector<three_values> differing_members(value_text base, value_text ours, value_text theirs) {
  std::vector<three_values> known, fresh;
  std::map<std::string, std::size_t> fresh_by_name;
  const std::vector<member_pair> in_ours = tool::differing_members(base, ours);
  const std::vector<member_pair> in_theirs = tool::differing_members(base, theirs);
  std::vector<const member_pair*> added;
  auto o = in_ours.begin();
  const auto take_ours_before = [&](std::size_t place) {
    for (; o != in_ours.end() && (o->added || o->place < place); ++o) {
      if (o->added) {
        fresh_by_name.emplace(plain_string(o->name), fresh.size());
        fresh.push_back({o->name, {}, o->to, {}});
      } else {
        known.push_back({o->name, o->from, o->to, o->from});
      }
    }
  };
  for (const member_pair& t : in_theirs) {
    if (t.added) {
      added.push_back(&t);
      continue;
    }
    take_ours_before(t.place);
    const bool in_both = o != in_ours.end() && !o->added && o->place == t.place;
    known.push_back({t.name, t.from, in_both ? o->to : t.from, t.to});
    if (in_both) ++o;
  }
  take_ours_before(static_cast<std::size_t>(-1));
  // New members keep the order that they have in `theirs`.
  std::sort(added.begin(), added.end(),
            [](const member_pair* x, const member_pair* y) { return x->to.data() < y->to.data(); });
  for (const member_pair* t : added) {
    const auto found = fresh_by_name.find(plain_string(t->name));
    if (found == fresh_by_name.end()) {
      fresh.push_back({t->name, {}, {}, t->to});
    } else {
      fresh[found->second].theirs = t->to;
    }
  }
  known.insert(known.end(), fresh.begin(), fresh.end());
  return known;
}

void append_name(std::string_view name, std::string& to) {
  if (to.back() != '{') to += ',';
  ((to += '"') += name) += "\":";
}
void append_member(std::string_view name, value_text value, std::string& to) {
  if (value.data() == nullptr) return;
  append_name(name, to);
  to += value;
}

void reduce_values(value_text base, value_text ours, value_text theirs, std::size_t depth,
                   reduced_documents& to) {
  if (depth == 0 || !is_object(base) || !is_object(ours) || !is_object(theirs)) {
    to.base += base;
    to.ours += ours;
    to.theirs += theirs;
    return;
  }
  for (std::string* text : {&to.base, &to.ours, &to.theirs}) *text += '{';
  for (const three_values& m : differing_members(base, ours, theirs)) {
    if (is_object(m.base) && is_object(m.ours) && is_object(m.theirs)) {
      for (std::string* text : {&to.base, &to.ours, &to.theirs}) append_name(m.name, *text);
      reduce_values(m.base, m.ours, m.theirs, depth - 1, to);
    } else {
      append_member(m.name, m.base, to.base);
      append_member(m.name, m.ours, to.ours);
      append_member(m.name, m.theirs, to.theirs);
    }
  }
  for (std::string* text : {&to.base, &to.ours, &to.theirs}) *text += '}';
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

bool write_value(value_text ours, const tree& before, const tree& after, json_stream& out) {
  if (!is_object(ours) || !before.IsObject() || !after.IsObject())
    return same_value(before, after) ? out.append(ours) : write_tree(after, out);
  const auto old_members = members_of(before), new_members = members_of(after);
  object_writer object(out);
  for (text_items items(ours); items.next();) {
    const std::string name = plain_string(items.name());
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

reduced_documents reduce(std::string_view base, std::string_view ours, std::string_view theirs) {
  reduced_documents reduced;
  reduce_values(whole_value(base), whole_value(ours), whole_value(theirs), json::default_max_depth,
                reduced);
  return reduced;
}

bool write_merged(std::string_view ours, const tree& before, const tree& after, json_stream& out) {
  return write_value(whole_value(ours), before, after, out);
}

}  // namespace tool
