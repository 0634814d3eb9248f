// yyjson. Its merge patch is a library call (it builds a new document); the diffs are hand-written:
// one by look-up, one tuned with the library's iterator, which expects members in order. Immutable
// trees for all but the apply road, where the tree has to be kept and patched again.
#include <yyjson.h>

#include <cstdlib>
#include <stdexcept>

#include "peers.hpp"

namespace bench {
namespace {

struct immutable {
  class tree {
   public:
    tree() = default;
    tree(const tree&) = delete;
    tree& operator=(const tree&) = delete;
    ~tree() {
      yyjson_doc_free(document);
      yyjson_mut_doc_free(made);
    }
    yyjson_doc* document = nullptr;  // what was read
    yyjson_mut_doc* made = nullptr;  // or what was made: a patch, a patched document
  };
  static void read(std::string_view text, tree& out) {
    out.document = yyjson_read(text.data(), text.size(), 0);
    if (out.document == nullptr) throw std::runtime_error("yyjson: parse error");
  }
  static void write(const tree& value, std::string& out) {
    std::size_t size = 0;
    char* const text = value.made != nullptr ? yyjson_mut_write(value.made, 0, &size)
                                             : yyjson_write(value.document, 0, &size);
    out.assign(text, size);
    std::free(text);
  }
  static bool equal(const tree& a, const tree& b) {
    return yyjson_equals(yyjson_doc_get_root(a.document), yyjson_doc_get_root(b.document));
  }
  // For text_apply only: the target is a fresh one.
  static void apply(tree& target, const tree& patch) {
    target.made = yyjson_mut_doc_new(nullptr);
    yyjson_mut_doc_set_root(target.made,
                            yyjson_merge_patch(target.made, yyjson_doc_get_root(target.document),
                                               yyjson_doc_get_root(patch.document)));
  }
  // The two diffs differ only in how they look a member up.
  struct by_name {
    explicit by_name(yyjson_val* object) : object_(object) {}
    yyjson_val* find(yyjson_val* name) {
      return yyjson_obj_getn(object_, yyjson_get_str(name), yyjson_get_len(name));
    }

   private:
    yyjson_val* object_;
  };
  struct in_order {
    explicit in_order(yyjson_val* object) : next_(yyjson_obj_iter_with(object)) {}
    yyjson_val* find(yyjson_val* name) {
      return yyjson_obj_iter_getn(&next_, yyjson_get_str(name), yyjson_get_len(name));
    }

   private:
    yyjson_obj_iter next_;
  };

  // The patch from `from` to `to`; null when nothing differs. Names and values stay where they are
  // or are copied into `out`, as a patch has to outlive its sources.
  template <class Look>
  static yyjson_mut_val* compare(yyjson_val* from, yyjson_val* to, yyjson_mut_doc* out) {
    yyjson_mut_val* patch = nullptr;
    const auto add = [&](yyjson_val* name, yyjson_mut_val* value) {
      if (patch == nullptr) patch = yyjson_mut_obj(out);
      yyjson_mut_obj_add(patch, yyjson_val_mut_copy(out, name), value);
    };
    std::size_t index = 0;
    std::size_t count = 0;
    std::size_t common_members = 0;
    yyjson_val* name = nullptr;
    yyjson_val* value = nullptr;
    Look before(from);
    yyjson_obj_foreach(to, index, count, name, value) {
      yyjson_val* const old = before.find(name);
      if (old != nullptr) ++common_members;
      if (old == nullptr) {
        add(name, yyjson_val_mut_copy(out, value));
      } else if (yyjson_is_obj(old) && yyjson_is_obj(value)) {
        yyjson_mut_val* const inner = compare<Look>(old, value, out);
        if (inner != nullptr) add(name, inner);
      } else if (!yyjson_equals(old, value)) {
        add(name, yyjson_val_mut_copy(out, value));
      }
    }
    if (common_members == yyjson_obj_size(from)) return patch;
    Look now(to);
    yyjson_obj_foreach(from, index, count, name, value) {
      if (now.find(name) == nullptr) add(name, yyjson_mut_null(out));
    }
    return patch;
  }
  template <class Look>
  static void diff_by(const tree& from, const tree& to, tree& patch) {
    patch.made = yyjson_mut_doc_new(nullptr);
    yyjson_mut_val* root = compare<Look>(yyjson_doc_get_root(from.document),
                                         yyjson_doc_get_root(to.document), patch.made);
    if (root == nullptr) root = yyjson_mut_obj(patch.made);
    yyjson_mut_doc_set_root(patch.made, root);
  }
  static void diff(const tree& from, const tree& to, tree& patch) {
    diff_by<by_name>(from, to, patch);
  }
};

struct iterating : immutable {
  static void diff(const tree& from, const tree& to, tree& patch) {
    diff_by<in_order>(from, to, patch);
  }
};

// For the apply road: mutable trees; each application makes a new document and drops the old one.
struct changeable {
  class tree {
   public:
    tree() = default;
    tree(const tree&) = delete;
    tree& operator=(const tree&) = delete;
    ~tree() { yyjson_mut_doc_free(document); }
    yyjson_mut_doc* document = nullptr;
  };
  static void read(std::string_view text, tree& out) {
    yyjson_doc* const parsed = yyjson_read(text.data(), text.size(), 0);
    if (parsed == nullptr) throw std::runtime_error("yyjson: parse error");
    out.document = yyjson_doc_mut_copy(parsed, nullptr);
    yyjson_doc_free(parsed);
  }
  static void write(const tree& value, std::string& out) {
    std::size_t size = 0;
    char* const text = yyjson_mut_write(value.document, 0, &size);
    out.assign(text, size);
    std::free(text);
  }
  static void apply(tree& target, const tree& patch) {
    yyjson_mut_doc* const result = yyjson_mut_doc_new(nullptr);
    yyjson_mut_doc_set_root(result,
                            yyjson_mut_merge_patch(result, yyjson_mut_doc_get_root(target.document),
                                                   yyjson_mut_doc_get_root(patch.document)));
    yyjson_mut_doc_free(target.document);
    target.document = result;
  }
  static bool crowded(const tree&) { return false; }
};

}  // namespace

std::vector<contestant> yyjson_contestants() {
  return {{"yyjson",
           {entry<read_job<immutable>>(road::read, made_by::library_call),
            entry<write_job<immutable>>(road::write, made_by::library_call),
            entry<equal_job<immutable>>(road::equal, made_by::library_call),
            entry<diff_job<immutable>>(road::diff, made_by::handwritten),
            entry<apply_job<changeable>>(road::apply, made_by::library_call),
            entry<text_diff_job<immutable>>(road::text_diff, made_by::handwritten),
            entry<text_apply_job<immutable>>(road::text_apply, made_by::library_call)}},
          {"yyjson-iter",
           {entry<diff_job<iterating>>(road::diff, made_by::handwritten),
            entry<text_diff_job<iterating>>(road::text_diff, made_by::handwritten),
            entry<text_diff_job<iterating>>(road::text_diff_checked, made_by::handwritten)}}};
}

}  // namespace bench
