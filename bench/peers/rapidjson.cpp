// RapidJSON: the obvious code with FindMember, a hand-tuned walk that expects members in order, and
// its own default parse. In a namespace of its own, so that no setting of another file can reach
// it.
#define RAPIDJSON_NAMESPACE bench_peer_rapidjson
#define RAPIDJSON_NAMESPACE_BEGIN namespace bench_peer_rapidjson {
#define RAPIDJSON_NAMESPACE_END }
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <stdexcept>

#include "peers.hpp"

namespace bench {
namespace {

namespace rj = bench_peer_rapidjson;
using value = rj::Value;
using pool = rj::Document::AllocatorType;

// What the contestants share: default parse, default write, operator==, a tree with its pool.
struct common {
  struct tree {
    tree() = default;
    tree(const tree&) = delete;
    tree& operator=(const tree&) = delete;
    rj::Document document;
    std::size_t fresh_pool = 0;  // bytes in use after parsing
  };
  static void read(std::string_view text, tree& out) {
    out.document.Parse(text.data(), text.size());
    if (out.document.HasParseError()) throw std::runtime_error("rapidjson: parse error");
    out.fresh_pool = out.document.GetAllocator().Size();
  }
  static void write(const tree& value, std::string& out) {
    static rj::StringBuffer buffer;
    buffer.Clear();
    rj::Writer<rj::StringBuffer> writer(buffer);
    value.document.Accept(writer);
    out.assign(buffer.GetString(), buffer.GetSize());
  }
  static bool equal(const tree& a, const tree& b) { return a.document == b.document; }
  static bool crowded(tree& target) {
    return target.document.GetAllocator().Size() > 2 * target.fresh_pool + 65536;
  }
};

struct obvious : common {
  static void merge(value& target, const value& patch, pool& memory) {
    if (!patch.IsObject()) {
      target.CopyFrom(patch, memory);
      return;
    }
    if (!target.IsObject()) target.SetObject();
    for (auto change = patch.MemberBegin(); change != patch.MemberEnd(); ++change) {
      const auto found = target.FindMember(change->name);
      if (change->value.IsNull()) {
        if (found != target.MemberEnd()) target.RemoveMember(found);
      } else if (found != target.MemberEnd()) {
        merge(found->value, change->value, memory);
      } else {
        value fresh;
        merge(fresh, change->value, memory);
        target.AddMember(value(change->name, memory), fresh, memory);
      }
    }
  }
  static void compare(const value& from, const value& to, value& patch, pool& memory) {
    patch.SetObject();
    for (auto now = to.MemberBegin(); now != to.MemberEnd(); ++now) {
      const auto before = from.FindMember(now->name);
      if (before == from.MemberEnd()) {
        patch.AddMember(value(now->name, memory), value(now->value, memory), memory);
      } else if (before->value.IsObject() && now->value.IsObject()) {
        value inner;
        compare(before->value, now->value, inner, memory);
        if (inner.MemberCount() != 0) patch.AddMember(value(now->name, memory), inner, memory);
      } else if (before->value != now->value) {
        patch.AddMember(value(now->name, memory), value(now->value, memory), memory);
      }
    }
    for (auto before = from.MemberBegin(); before != from.MemberEnd(); ++before)
      if (to.FindMember(before->name) == to.MemberEnd())
        patch.AddMember(value(before->name, memory), value(), memory);
  }
  static void apply(tree& target, const tree& patch) {
    merge(target.document, patch.document, target.document.GetAllocator());
  }
  static void diff(const tree& from, const tree& to, tree& patch) {
    compare(from.document, to.document, patch.document, patch.document.GetAllocator());
  }
};

// The tuned walk: the next member is expected right behind the last one found; only when it is not
// there is it searched. Nothing is built until a difference is seen, and removals are looked for
// only when the counts tell that there are some.
struct cursor : common {
  static const value::Member* look(const value& object, std::size_t& expected, const value& name) {
    const value::Member* const members = object.MemberBegin().operator->();
    if (expected < object.MemberCount() && members[expected].name == name)
      return members + expected++;
    const auto found = object.FindMember(name);
    if (found == object.MemberEnd()) return nullptr;
    expected = static_cast<std::size_t>(found - object.MemberBegin()) + 1;
    return found.operator->();
  }
  static void merge(value& target, const value& patch, pool& memory) {
    if (!patch.IsObject()) {
      target.CopyFrom(patch, memory);
      return;
    }
    if (!target.IsObject()) target.SetObject();
    value::MemberIterator expected = target.MemberBegin();
    for (auto change = patch.MemberBegin(); change != patch.MemberEnd(); ++change) {
      value::MemberIterator found = expected;
      while (found != target.MemberEnd() && found->name != change->name) ++found;
      if (found == target.MemberEnd()) {
        found = target.MemberBegin();
        while (found != expected && found->name != change->name) ++found;
        if (found == expected) found = target.MemberEnd();
      }
      if (change->value.IsNull()) {
        if (found != target.MemberEnd()) expected = target.EraseMember(found);
      } else if (found != target.MemberEnd()) {
        merge(found->value, change->value, memory);
        expected = found + 1;
      } else {
        const auto at = expected - target.MemberBegin();
        value fresh;
        merge(fresh, change->value, memory);
        target.AddMember(value(change->name, memory), fresh, memory);
        expected = target.MemberBegin() + at;
      }
    }
  }
  static bool compare(const value& from, const value& to, value& patch, pool& memory) {
    bool differs = false;
    const auto add = [&](const value& name, value& what) {
      if (!differs) patch.SetObject();
      differs = true;
      patch.AddMember(value(name, memory), what, memory);
    };
    std::size_t expected = 0;
    std::size_t common_members = 0;
    for (auto now = to.MemberBegin(); now != to.MemberEnd(); ++now) {
      const value::Member* const before = look(from, expected, now->name);
      value change;
      if (before == nullptr) {
        change.CopyFrom(now->value, memory);
        add(now->name, change);
        continue;
      }
      ++common_members;
      if (before->value.IsObject() && now->value.IsObject()) {
        if (compare(before->value, now->value, change, memory)) add(now->name, change);
      } else if (before->value != now->value) {
        change.CopyFrom(now->value, memory);
        add(now->name, change);
      }
    }
    if (common_members == from.MemberCount()) return differs;
    expected = 0;
    for (auto before = from.MemberBegin(); before != from.MemberEnd(); ++before) {
      value null;
      if (look(to, expected, before->name) == nullptr) add(before->name, null);
    }
    return differs;
  }
  static void apply(tree& target, const tree& patch) {
    merge(target.document, patch.document, target.document.GetAllocator());
  }
  static void diff(const tree& from, const tree& to, tree& patch) {
    if (!compare(from.document, to.document, patch.document, patch.document.GetAllocator()))
      patch.document.SetObject();
  }
  static bool same(const value& a, const value& b) {
    if (!a.IsObject() || !b.IsObject()) return a == b;
    if (a.MemberCount() != b.MemberCount()) return false;
    std::size_t expected = 0;
    for (auto member = b.MemberBegin(); member != b.MemberEnd(); ++member) {
      const value::Member* const other = look(a, expected, member->name);
      if (other == nullptr || !same(other->value, member->value)) return false;
    }
    return true;
  }
  static bool equal(const tree& a, const tree& b) { return same(a.document, b.document); }
};

// A twin's yardstick: the patches' texts alone, read as they would be.
class patch_read_job : public job {
 public:
  explicit patch_read_job(const pair_texts& texts) : texts_{texts.forward, texts.backward} {}
  void run() override {
    tree_.reset();
    common::read(texts_[next_], tree_.emplace());
    next_ = 1 - next_;
  }
  std::string output() override { return text_of<common>(*tree_); }

 private:
  std::string texts_[2];
  std::size_t next_ = 0;
  std::optional<common::tree> tree_;
};

// A hub's yardsticks: what it answers a GET with, and what a service sends it.
class view_read_job : public job {
 public:
  explicit view_read_job(const pair_texts& texts) {
    rj::Document twin;
    twin.Parse(texts.from.data(), texts.from.size());
    value view(rj::kObjectType);
    for (const char* const section : {"desired", "reported"}) {
      value& values = twin["properties"][section];
      values.RemoveMember("$metadata");
      view.AddMember(rj::StringRef(section), values, twin.GetAllocator());
    }
    rj::StringBuffer buffer;
    rj::Writer<rj::StringBuffer> writer(buffer);
    view.Accept(writer);
    text_.assign(buffer.GetString(), buffer.GetSize());
  }
  void run() override {
    tree_.reset();
    common::read(text_, tree_.emplace());
  }
  std::string output() override { return text_of<common>(*tree_); }

 private:
  std::string text_;
  std::optional<common::tree> tree_;
};
class desired_read_job : public patch_read_job {
 public:
  explicit desired_read_job(const pair_texts& texts)
      : patch_read_job({{}, {}, desired_patch(texts.forward), desired_patch(texts.backward)}) {}
};

}  // namespace

std::vector<contestant> rapidjson_contestants() {
  return {
      {"rapidjson-default-parse",
       {entry<read_job<common>>(road::read, made_by::library_call),
        entry<patch_read_job>(road::device_patch, made_by::yardstick, yields::nothing),
        entry<view_read_job>(road::hub_get, made_by::yardstick, yields::nothing),
        entry<patch_read_job>(road::hub_report, made_by::yardstick, yields::nothing),
        entry<desired_read_job>(road::hub_desired, made_by::yardstick, yields::nothing),
        entry<patch_read_job>(road::session_change, made_by::yardstick, yields::nothing),
        entry<patch_read_job>(road::session_report, made_by::yardstick, yields::nothing)}},
      {"rapidjson-obvious",
       {entry<write_job<common>>(road::write, made_by::library_call),
        entry<equal_job<common>>(road::equal, made_by::library_call),
        entry<diff_job<obvious>>(road::diff, made_by::handwritten),
        entry<apply_job<obvious>>(road::apply, made_by::handwritten),
        entry<text_diff_job<obvious>>(road::text_diff, made_by::handwritten),
        entry<text_apply_job<obvious>>(road::text_apply, made_by::handwritten)}},
      {"rapidjson-cursor",
       {entry<equal_job<cursor>>(road::equal, made_by::handwritten),
        entry<diff_job<cursor>>(road::diff, made_by::handwritten),
        entry<apply_job<cursor>>(road::apply, made_by::handwritten),
        entry<text_diff_job<cursor>>(road::text_diff, made_by::handwritten),
        entry<text_diff_job<cursor>>(road::text_diff_checked, made_by::handwritten),
        entry<text_apply_job<cursor>>(road::text_apply, made_by::handwritten)}},
  };
}

}  // namespace bench
