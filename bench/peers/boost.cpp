// Boost.JSON with the obvious code: it offers neither a merge patch nor a diff.
#include <boost/json.hpp>

#include "peers.hpp"

namespace bench {
namespace {

namespace bj = boost::json;

struct library {
  using tree = bj::value;
  static void read(std::string_view text, tree& out) {
    out = bj::parse({text.data(), text.size()});
  }
  static void write(const tree& value, std::string& out) { out = bj::serialize(value); }
  static bool equal(const tree& a, const tree& b) { return a == b; }
  static bool crowded(const tree&) { return false; }
  static void apply(tree& target, const tree& patch) {
    if (!patch.is_object()) {
      target = patch;
      return;
    }
    if (!target.is_object()) target.emplace_object();
    bj::object& object = target.get_object();
    for (const auto& change : patch.get_object()) {
      if (change.value().is_null())
        object.erase(change.key());
      else
        apply(object[change.key()], change.value());
    }
  }
  static void diff(const tree& from, const tree& to, tree& patch) {
    const bj::object& before = from.get_object();
    const bj::object& now = to.get_object();
    bj::object& changes = patch.emplace_object();
    for (const auto& member : now) {
      const bj::value* const old = before.if_contains(member.key());
      if (old == nullptr) {
        changes.emplace(member.key(), member.value());
      } else if (old->is_object() && member.value().is_object()) {
        bj::value inner;
        diff(*old, member.value(), inner);
        if (!inner.get_object().empty()) changes.emplace(member.key(), std::move(inner));
      } else if (*old != member.value()) {
        changes.emplace(member.key(), member.value());
      }
    }
    for (const auto& member : before)
      if (!now.contains(member.key())) changes.emplace(member.key(), nullptr);
  }
};

}  // namespace

std::vector<contestant> boost_contestants() {
  return {{"boost",
           {entry<read_job<library>>(road::read, made_by::library_call),
            entry<write_job<library>>(road::write, made_by::library_call),
            entry<equal_job<library>>(road::equal, made_by::library_call),
            entry<diff_job<library>>(road::diff, made_by::handwritten),
            entry<apply_job<library>>(road::apply, made_by::handwritten),
            entry<text_diff_job<library>>(road::text_diff, made_by::handwritten),
            entry<text_apply_job<library>>(road::text_apply, made_by::handwritten)}}};
}

}  // namespace bench
