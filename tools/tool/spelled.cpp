#include "spelled.hpp"

#include <devicetwin/json/number_text.hpp>
#include <devicetwin/json/read.hpp>
#include <devicetwin/json/write.hpp>

#include <map>

namespace json = devicetwin::json;

namespace tool {
namespace {

using value = json::arena_value;
using writer = json::text_writer;

// Nothing here nests deeper than json::default_max_depth: json::read made the trees.

std::string_view text_of(const value& v) { return {v.GetString(), v.GetStringLength()}; }
bool is_number(const value& v) { return v.IsString() && text_of(v).front() == 'n'; }

bool put(writer& out, std::string_view text) {
  return out.String(text.data(), static_cast<json::size_type>(text.size()), true);
}
bool put_name(writer& out, const value& name) {
  return out.Key(name.GetString(), name.GetStringLength(), true);
}

/// The events of a text, with a mark before each string and number.
class marker {
 public:
  explicit marker(std::string& text) : out_(text) {}
  bool NumberText(std::string_view number) { return mark('n', number); }
  bool String(const char* text, json::size_type length, bool) { return mark('s', {text, length}); }
  bool Null() { return out_.Null(); }
  bool Bool(bool b) { return out_.Bool(b); }
  bool Int(int) { return false; }  // numbers come as they are spelled
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }
  bool StartObject() { return out_.StartObject(); }
  bool Key(const char* text, json::size_type length, bool) { return out_.Key(text, length, true); }
  bool EndObject(json::size_type count) { return out_.EndObject(count); }
  bool StartArray() { return out_.StartArray(); }
  bool EndArray(json::size_type count) { return out_.EndArray(count); }

 private:
  bool mark(char what, std::string_view text) {
    marked_.assign(1, what);
    return put(out_, marked_.append(text));
  }
  writer out_;
  std::string marked_;
};

/// Finds the members of an object by name, quickly where they are asked for in order.
class members {
 public:
  explicit members(const value* object)
      : object_(object != nullptr && object->IsObject() ? object : nullptr) {}

  const value* find(const value& name) {
    if (object_ == nullptr || object_->MemberCount() == 0) return nullptr;
    const auto first = object_->MemberBegin();
    if (next_ < object_->MemberCount() && text_of(first[next_].name) == text_of(name))
      return &first[next_++].value;
    if (indexes_.empty()) {
      for (json::size_type i = 0; i < object_->MemberCount(); ++i)
        indexes_.emplace(text_of(first[i].name), i);
    }
    const auto found = indexes_.find(text_of(name));
    if (found == indexes_.end()) return nullptr;
    next_ = found->second + 1;
    return &first[found->second].value;
  }

 private:
  const value* object_;
  json::size_type next_ = 0;
  std::map<std::string_view, json::size_type> indexes_;
};

/// Sends a value. Without the marks, numbers are numbers again.
bool send(const value& v, writer& out, bool with_marks) {
  if (v.IsObject()) {
    bool sent = out.StartObject();
    for (auto m = v.MemberBegin(); sent && m != v.MemberEnd(); ++m)
      sent = put_name(out, m->name) && send(m->value, out, with_marks);
    return sent && out.EndObject(v.MemberCount());
  }
  if (v.IsArray()) {
    bool sent = out.StartArray();
    for (auto e = v.Begin(); sent && e != v.End(); ++e) sent = send(*e, out, with_marks);
    return sent && out.EndArray(v.Size());
  }
  if (v.IsNull()) return out.Null();
  if (v.IsBool()) return out.Bool(v.GetBool());
  const std::string_view text = text_of(v);
  if (with_marks) return put(out, text);
  return is_number(v) ? out.NumberText(text.substr(1)) : put(out, text.substr(1));
}

/// Sends a value with the spellings of another one.
bool send_respelled(const value& v, const value* like, writer& out) {
  if (!v.IsObject()) return send(like != nullptr && same_value(v, *like) ? *like : v, out, true);
  members others(like);
  bool sent = out.StartObject();
  for (auto m = v.MemberBegin(); sent && m != v.MemberEnd(); ++m) {
    sent = put_name(out, m->name) && send_respelled(m->value, others.find(m->name), out);
  }
  return sent && out.EndObject(v.MemberCount());
}

}  // namespace

json::error read_spelled(std::string_view text, json::document& to) {
  std::string marked;
  marker events(marked);
  if (auto e = json::read_events(text, events)) return e;
  return json::read(marked, to);
}

int load_spelled(const std::string& name, input& in, json::document& to) {
  if (const int status = load(name, in)) return status;
  const auto e = read_spelled(in.text, to);
  return e ? complain(in, e) : 0;
}

json::error write_spelled(const value& v, std::string& out) {
  writer events(out);
  return send(v, events, false) ? json::error() : json::error(events.failure());
}

int deliver_spelled(const arguments& given, const json::document& v, const input& source) {
  std::string text;
  if (const auto e = write_spelled(v.root(), text)) return complain(source, e);
  return deliver_json(given, text, source);
}

bool same_type(const value& a, const value& b) {
  if (a.IsBool() || b.IsBool()) return a.IsBool() && b.IsBool();
  return a.GetType() == b.GetType() && is_number(a) == is_number(b);
}

bool same_value(const value& a, const value& b) {
  if (is_number(a) && is_number(b))
    return json::same_number_text(text_of(a).substr(1), text_of(b).substr(1));
  if (a.IsObject() && b.IsObject()) {
    if (a.MemberCount() != b.MemberCount()) return false;
    members others(&b);
    for (auto m = a.MemberBegin(); m != a.MemberEnd(); ++m) {
      const value* other = others.find(m->name);
      if (other == nullptr || !same_value(m->value, *other)) return false;
    }
    return true;
  }
  if (a.IsArray() && b.IsArray()) {
    if (a.Size() != b.Size()) return false;
    for (json::size_type i = 0; i < a.Size(); ++i) {
      if (!same_value(a[i], b[i])) return false;
    }
    return true;
  }
  return a.GetType() == b.GetType() && (!a.IsString() || text_of(a) == text_of(b));
}

json::error respell(json::document& tree, const json::document& like) {
  std::string marked;
  writer events(marked);
  if (!send_respelled(tree.root(), &like.root(), events)) return events.failure();
  return json::read(marked, tree);
}

}  // namespace tool
