// jansson with the obvious code. Its json_object_update_recursive keeps null instead of removing,
// so it is not RFC 7396 and does not take part.
#include <jansson.h>

#include <cstdlib>
#include <stdexcept>

#include "peers.hpp"

namespace bench {
namespace {

struct library {
  class tree {
   public:
    tree() = default;
    tree(const tree&) = delete;
    tree& operator=(const tree&) = delete;
    ~tree() { json_decref(root); }
    json_t* root = nullptr;
  };
  static void read(std::string_view text, tree& out) {
    json_error_t error;
    out.root = json_loadb(text.data(), text.size(), 0, &error);
    if (out.root == nullptr) throw std::runtime_error("jansson: parse error");
  }
  static void write(const tree& value, std::string& out) {
    char* const text = json_dumps(value.root, JSON_COMPACT);
    out = text;
    std::free(text);
  }
  static bool equal(const tree& a, const tree& b) { return json_equal(a.root, b.root) != 0; }
  static bool crowded(const tree&) { return false; }

  static void merge(json_t* target, json_t* patch) {
    const char* name = nullptr;
    json_t* change = nullptr;
    json_object_foreach(patch, name, change) {
      if (json_is_null(change)) {
        json_object_del(target, name);
      } else if (json_is_object(change)) {
        json_t* inner = json_object_get(target, name);
        if (!json_is_object(inner)) {
          inner = json_object();
          json_object_set_new(target, name, inner);
        }
        merge(inner, change);
      } else {
        json_object_set_new(target, name, json_deep_copy(change));
      }
    }
  }
  static json_t* compare(json_t* from, json_t* to) {
    json_t* const patch = json_object();
    const char* name = nullptr;
    json_t* now = nullptr;
    json_t* before = nullptr;
    json_object_foreach(to, name, now) {
      before = json_object_get(from, name);
      if (json_is_object(before) && json_is_object(now)) {
        json_t* const inner = compare(before, now);
        if (json_object_size(inner) != 0)
          json_object_set_new(patch, name, inner);
        else
          json_decref(inner);
      } else if (before == nullptr || !json_equal(before, now)) {
        json_object_set_new(patch, name, json_deep_copy(now));
      }
    }
    json_object_foreach(from, name, before) {
      if (json_object_get(to, name) == nullptr) json_object_set_new(patch, name, json_null());
    }
    return patch;
  }
  static void apply(tree& target, const tree& patch) { merge(target.root, patch.root); }
  static void diff(const tree& from, const tree& to, tree& patch) {
    patch.root = compare(from.root, to.root);
  }
};

}  // namespace

std::vector<contestant> jansson_contestants() {
  return {{"jansson",
           {entry<read_job<library>>(road::read, made_by::library_call),
            entry<write_job<library>>(road::write, made_by::library_call),
            entry<equal_job<library>>(road::equal, made_by::library_call),
            entry<diff_job<library>>(road::diff, made_by::handwritten),
            entry<apply_job<library>>(road::apply, made_by::handwritten),
            entry<text_diff_job<library>>(road::text_diff, made_by::handwritten),
            entry<text_apply_job<library>>(road::text_apply, made_by::handwritten)}}};
}

}  // namespace bench
