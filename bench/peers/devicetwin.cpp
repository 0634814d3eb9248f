// This library, twice: `devicetwin` on a rapidjson::Document with its pool, as a user of RapidJSON
// has it, and `devicetwin-document` on json::document, which keeps itself compact in an arena. From
// text to text, the first uses no trees, and the second does.
#include <devicetwin/devicetwin.hpp>

#include <stdexcept>

#include "../lookups.hpp"
#include "peers.hpp"

namespace bench {
namespace {

namespace json = devicetwin::json;
namespace merge = devicetwin::merge;

void must(const json::error& failure) {
  if (failure) throw std::runtime_error(failure.message());
}

struct on_pool {
  struct tree {
    tree() = default;
    tree(const tree&) = delete;
    tree& operator=(const tree&) = delete;
    rapidjson::Document document;
    std::size_t fresh_pool = 0;  // bytes in use after reading
  };
  static void read(std::string_view text, tree& out) {
    must(json::read(text, out.document));
    out.fresh_pool = out.document.GetAllocator().Size();
  }
  static void write(const tree& value, std::string& out) {
    out.clear();
    must(json::write(value.document, out));
  }
  static bool equal(const tree& a, const tree& b) {
    return json::equal(a.document, b.document) == json::comparison::equal;
  }
  static void apply(tree& target, const tree& patch) {
    json::value& root = target.document;
    must(merge::apply_merge_patch(root, patch.document, target.document.GetAllocator()));
  }
  static bool crowded(tree& target) {
    return target.document.GetAllocator().Size() > 2 * target.fresh_pool + 65536;
  }
  static void diff(const tree& from, const tree& to, tree& patch) {
    must(merge::diff(from.document, to.document, patch.document));
  }
};

struct on_document {
  struct tree {
    tree() = default;
    tree(const tree&) = delete;
    tree& operator=(const tree&) = delete;
    json::document document;
  };
  static void read(std::string_view text, tree& out) { must(json::read(text, out.document)); }
  static void write(const tree& value, std::string& out) {
    out.clear();
    must(json::write(value.document, out));
  }
  static bool equal(const tree& a, const tree& b) {
    return json::equal(a.document, b.document) == json::comparison::equal;
  }
  static void apply(tree& target, const tree& patch) {
    must(merge::apply_merge_patch(target.document, patch.document));
  }
  static bool crowded(const tree&) { return false; }  // it looks after itself, in the timed call
  static void diff(const tree& from, const tree& to, tree& patch) {
    must(merge::diff(from.document, to.document, patch.document));
  }
};

// JSON Patches in place of merge patches.
template <class L>
struct with_json_patches : L {
  using tree = typename L::tree;
  static void apply(tree& target, const tree& patch) {
    must(merge::apply_json_patch(target.document, patch.document));
  }
  static void diff(const tree& from, const tree& to, tree& patch) {
    must(merge::diff_json_patch(from.document, to.document, patch.document));
  }
};

class json_patch_between_texts_job : public job {
 public:
  explicit json_patch_between_texts_job(const pair_texts& texts)
      : from_(texts.from), to_(texts.to) {
    trusted_.trust = merge::text_trust::trusted;
  }
  void run() override {
    out_.clear();
    must(merge::diff_json_patch_text(from_, to_, out_, trusted_));
  }
  std::string output() override { return out_; }

 private:
  std::string from_;
  std::string to_;
  std::string out_;
  merge::json_patch_options trusted_;
};

class json_patch_onto_text_job : public job {
 public:
  explicit json_patch_onto_text_job(const pair_texts& texts)
      : text_(texts.from), patch_(texts.json_forward) {
    trusted_.trust = merge::text_trust::trusted;
  }
  void run() override {
    out_.clear();
    must(merge::apply_json_patch_text(text_, patch_, out_, trusted_));
  }
  std::string output() override { return out_; }

 private:
  std::string text_;
  std::string patch_;
  std::string out_;
  merge::json_patch_options trusted_;
};

merge::text_options with_trust(merge::text_trust trust) {
  merge::text_options chosen;
  chosen.trust = trust;
  return chosen;
}

template <merge::text_trust trust>
class between_texts_job : public job {
 public:
  explicit between_texts_job(const pair_texts& texts) : from_(texts.from), to_(texts.to) {}
  void run() override {
    out_.clear();
    must(merge::diff_text(from_, to_, out_, with_trust(trust)));
  }
  std::string output() override { return out_; }

 private:
  std::string from_;
  std::string to_;
  std::string out_;
};

template <merge::text_trust trust>
class onto_text_job : public job {
 public:
  explicit onto_text_job(const pair_texts& texts) : text_(texts.from), patch_(texts.forward) {}
  void run() override {
    out_.clear();
    must(merge::apply_merge_patch_text(text_, patch_, out_, with_trust(trust)));
  }
  std::string output() override { return out_; }

 private:
  std::string text_;
  std::string patch_;
  std::string out_;
};

// One value, or several in one pass.
class lookup_job : public job {
 public:
  explicit lookup_job(const pair_texts& texts)
      : text_(texts.from),
        names_(wanted_pointers(texts)),
        pointers_(names_.begin(), names_.end()),
        found_(pointers_.size()) {}
  void run() override {
    if (found_.size() == 1) {
      const auto found = json::find_text(text_, pointers_[0]);
      found_[0] = found ? *found : std::string_view();
    } else {
      must(json::find_texts(text_, pointers_.data(), pointers_.size(), found_.data()));
    }
  }
  std::string output() override { return found_array(found_); }

 private:
  std::string text_;
  std::vector<std::string> names_;
  std::vector<std::string_view> pointers_;
  std::vector<std::string_view> found_;
};

std::vector<operation> text_operations() {
  using merge::text_trust;
  return {
      entry<lookup_job>(road::lookup, made_by::library_call),
      entry<between_texts_job<text_trust::trusted>>(road::text_diff, made_by::library_call),
      entry<between_texts_job<text_trust::checked>>(road::text_diff_checked, made_by::library_call),
      entry<onto_text_job<text_trust::trusted>>(road::text_apply, made_by::library_call),
      entry<onto_text_job<text_trust::checked>>(road::text_apply_checked, made_by::library_call),
      entry<json_patch_between_texts_job>(road::json_patch_text_diff, made_by::library_call),
      entry<json_patch_onto_text_job>(road::json_patch_text_apply, made_by::library_call)};
}

// A job at another level of the instruction set than the best.
class at_level_job : public job {
 public:
  at_level_job(std::unique_ptr<job> work, const json::core::scan_level& level)
      : work_(std::move(work)), level_(level) {}
  void run() override {
    json::core::force_level(&level_);
    work_->run();
    json::core::force_level(&best_);
  }
  std::string output() override { return work_->output(); }

 private:
  std::unique_ptr<job> work_;
  const json::core::scan_level& level_;
  const json::core::scan_level& best_ = json::core::level();
};

template <class Job>
operation at_level(road where, const json::core::scan_level& level) {
  return {where, made_by::yardstick, [&level](const pair_texts& texts) {
            return std::make_unique<at_level_job>(std::make_unique<Job>(texts), level);
          }};
}

// The diffs of texts at each level but the best, which is `devicetwin`.
std::vector<contestant> level_contestants() {
  using merge::text_trust;
  std::vector<contestant> all;
  const json::core::scan_level& best = json::core::level();
  for (std::size_t i = 0; json::core::level_at(i) != nullptr; ++i) {
    const json::core::scan_level& level = *json::core::level_at(i);
    if (&level == &best) break;
    all.push_back(
        {std::string("devicetwin-") + level.name,
         {at_level<between_texts_job<text_trust::trusted>>(road::text_diff, level),
          at_level<between_texts_job<text_trust::checked>>(road::text_diff_checked, level)}});
  }
  return all;
}

template <class L>
std::vector<operation> tree_operations() {
  return {entry<read_job<L>>(road::read, made_by::library_call),
          entry<write_job<L>>(road::write, made_by::library_call),
          entry<equal_job<L>>(road::equal, made_by::library_call),
          entry<diff_job<L>>(road::diff, made_by::library_call),
          entry<apply_job<L>>(road::apply, made_by::library_call),
          entry<diff_job<with_json_patches<L>>>(road::json_patch_diff, made_by::library_call),
          entry<json_patch_apply_job<with_json_patches<L>>>(road::json_patch_apply,
                                                            made_by::library_call)};
}

std::vector<operation> joined(std::vector<operation> all, const std::vector<operation>& more) {
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace

std::vector<contestant> devicetwin_contestants() {
  std::vector<contestant> all = {
      {"devicetwin", joined(tree_operations<on_pool>(), text_operations())},
      {"devicetwin-document",
       joined(tree_operations<on_document>(),
              {entry<text_diff_job<on_document>>(road::text_diff, made_by::library_call),
               entry<text_apply_job<on_document>>(road::text_apply, made_by::library_call)})}};
  for (contestant& one : level_contestants()) all.push_back(std::move(one));
  return all;
}

}  // namespace bench
