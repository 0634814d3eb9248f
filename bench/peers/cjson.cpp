// cJSON. Its merge patch and its diff are library calls of the utilities library, which not every
// package contains; always the case-sensitive variants. The diff sorts both inputs in place on its
// first call: the diff road therefore times sorted inputs, the text road pays for the sorting.
#include <cjson/cJSON.h>
#ifdef DEVICETWIN_BENCH_HAS_CJSON_UTILS
#include <cjson/cJSON_Utils.h>
#endif

#include <stdexcept>
#include <utility>

#include "peers.hpp"

namespace bench {
namespace {

struct library {
  class tree {
   public:
    tree() = default;
    tree(const tree&) = delete;
    tree& operator=(const tree&) = delete;
    ~tree() { cJSON_Delete(root); }
    cJSON* root = nullptr;
  };
  static void read(std::string_view text, tree& out) {
    out.root = cJSON_ParseWithLength(text.data(), text.size());
    if (out.root == nullptr) throw std::runtime_error("cJSON: parse error");
  }
  static void write(const tree& value, std::string& out) {
    char* const text = cJSON_PrintUnformatted(value.root);
    out = text;
    cJSON_free(text);
  }
  static bool equal(const tree& a, const tree& b) { return cJSON_Compare(a.root, b.root, 1) != 0; }
  static bool crowded(const tree&) { return false; }
#ifdef DEVICETWIN_BENCH_HAS_CJSON_UTILS
  static void apply(tree& target, const tree& patch) {
    target.root = cJSONUtils_MergePatchCaseSensitive(target.root, patch.root);
  }
  static void diff(const tree& from, const tree& to, tree& patch) {
    patch.root = cJSONUtils_GenerateMergePatchCaseSensitive(from.root, to.root);
    if (patch.root == nullptr) patch.root = cJSON_CreateObject();  // its way to say: no change
  }
#endif
};

}  // namespace

std::vector<contestant> cjson_contestants() {
  contestant one{"cjson",
                 {entry<read_job<library>>(road::read, made_by::library_call),
                  entry<write_job<library>>(road::write, made_by::library_call),
                  entry<equal_job<library>>(road::equal, made_by::library_call)}};
#ifdef DEVICETWIN_BENCH_HAS_CJSON_UTILS
  one.operations.push_back(entry<diff_job<library>>(road::diff, made_by::library_call));
  one.operations.push_back(entry<apply_job<library>>(road::apply, made_by::library_call));
  one.operations.push_back(entry<text_diff_job<library>>(road::text_diff, made_by::library_call));
  one.operations.push_back(entry<text_apply_job<library>>(road::text_apply, made_by::library_call));
#endif
  return {std::move(one)};
}

}  // namespace bench
