// jsoncons: both its merge patch and its diff are library calls.
#include <jsoncons/json.hpp>
#include <jsoncons_ext/jsonpatch/jsonpatch.hpp>
#include <jsoncons_ext/mergepatch/mergepatch.hpp>

#include "peers.hpp"

namespace bench {
namespace {

struct library {
  using tree = jsoncons::json;
  static void read(std::string_view text, tree& out) { out = tree::parse(text); }
  static void write(const tree& value, std::string& out) {
    out.clear();
    value.dump(out);
  }
  static bool equal(const tree& a, const tree& b) { return a == b; }
  static bool crowded(const tree&) { return false; }
  static void apply(tree& target, const tree& patch) {
    jsoncons::mergepatch::apply_merge_patch(target, patch);
  }
  static void diff(const tree& from, const tree& to, tree& patch) {
    patch = jsoncons::mergepatch::from_diff(from, to);
  }
};

struct json_patch_library : library {
  static void apply(tree& target, const tree& patch) {
    jsoncons::jsonpatch::apply_patch(target, patch);
  }
  static void diff(const tree& from, const tree& to, tree& patch) {
    patch = jsoncons::jsonpatch::from_diff(from, to);
  }
};

}  // namespace

std::vector<contestant> jsoncons_contestants() {
  return {{"jsoncons",
           {entry<read_job<library>>(road::read, made_by::library_call),
            entry<write_job<library>>(road::write, made_by::library_call),
            entry<equal_job<library>>(road::equal, made_by::library_call),
            entry<diff_job<library>>(road::diff, made_by::library_call),
            entry<apply_job<library>>(road::apply, made_by::library_call),
            entry<text_diff_job<library>>(road::text_diff, made_by::library_call),
            entry<text_apply_job<library>>(road::text_apply, made_by::library_call),
            entry<diff_job<json_patch_library>>(road::json_patch_diff, made_by::library_call),
            entry<json_patch_apply_job<json_patch_library>>(road::json_patch_apply,
                                                            made_by::library_call)}}};
}

}  // namespace bench
