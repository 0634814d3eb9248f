// nlohmann/json: merge_patch is a library call; a merge-patch diff it has not, so that is
// hand-written; its own diff makes a JSON Patch (RFC 6902), which is another product.
#include <nlohmann/json.hpp>

#include "peers.hpp"

namespace bench {
namespace {

struct merge_kind {
  using tree = nlohmann::json;
  static void read(std::string_view text, tree& out) { out = tree::parse(text); }
  static void write(const tree& value, std::string& out) { out = value.dump(); }
  static bool equal(const tree& a, const tree& b) { return a == b; }
  static void apply(tree& target, const tree& patch) { target.merge_patch(patch); }
  static bool crowded(const tree&) { return false; }
  static void diff(const tree& from, const tree& to, tree& patch) {
    patch = tree::object();
    for (auto now = to.begin(); now != to.end(); ++now) {
      const auto before = from.find(now.key());
      if (before == from.end()) {
        patch[now.key()] = now.value();
      } else if (before->is_object() && now->is_object()) {
        tree inner;
        diff(*before, *now, inner);
        if (!inner.empty()) patch[now.key()] = std::move(inner);
      } else if (*before != *now) {
        patch[now.key()] = now.value();
      }
    }
    for (auto before = from.begin(); before != from.end(); ++before)
      if (!to.contains(before.key())) patch[before.key()] = nullptr;
  }
};

struct json_patch_kind : merge_kind {
  static void apply(tree& target, const tree& patch) { target.patch_inplace(patch); }
  static void diff(const tree& from, const tree& to, tree& patch) { patch = tree::diff(from, to); }
};

}  // namespace

std::vector<contestant> nlohmann_contestants() {
  return {
      {"nlohmann",
       {entry<read_job<merge_kind>>(road::read, made_by::library_call),
        entry<write_job<merge_kind>>(road::write, made_by::library_call),
        entry<equal_job<merge_kind>>(road::equal, made_by::library_call),
        entry<diff_job<merge_kind>>(road::diff, made_by::handwritten),
        entry<apply_job<merge_kind>>(road::apply, made_by::library_call),
        entry<text_diff_job<merge_kind>>(road::text_diff, made_by::handwritten),
        entry<text_apply_job<merge_kind>>(road::text_apply, made_by::library_call)}},
      {"nlohmann-rfc6902",
       {entry<diff_job<json_patch_kind>>(road::diff, made_by::library_call, yields::json_patch),
        entry<text_diff_job<json_patch_kind>>(road::text_diff, made_by::library_call,
                                              yields::json_patch),
        entry<diff_job<json_patch_kind>>(road::json_patch_diff, made_by::library_call),
        entry<json_patch_apply_job<json_patch_kind>>(road::json_patch_apply,
                                                     made_by::library_call)}},
  };
}

}  // namespace bench
