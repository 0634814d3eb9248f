// What a contestant in the benchmarks is, and the jobs every contestant's library is put through.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "documents.hpp"

namespace bench {

// What is measured.
enum class road {
  read,               // text -> tree, and freeing the tree
  write,              // tree -> text, into a string that is used again
  equal,              // two equal trees, of both texts
  diff,               // tree x tree -> patch tree, and freeing the patch
  apply,              // parsed patch onto parsed tree
  text_diff,          // text x text -> patch text, everything freed; ours trusts the texts
  text_apply,         // text + patch text -> text, everything freed; ours trusts the texts
  text_diff_checked,  // ours validates both texts as strictly as when reading them; others always do
  text_apply_checked,
  lookup,            // the values of a text that the changes are about, by pointer, without a tree
  json_patch_diff,   // tree x tree -> JSON Patch as a tree, and freeing it
  json_patch_apply,  // parsed JSON Patch onto parsed tree
  json_patch_text_diff,   // ours: text x text -> JSON Patch as text, the texts trusted
  json_patch_text_apply,  // ours: text + JSON Patch as text -> text, the texts trusted
  device_patch,    // a device's patch as text -> a twin, with everything that a hub does then
  changes_since,   // what a patch changed, asked for by version -> patch text
  in_sync,         // whether the device has all that is desired
  hub_get,         // a device's GET, as topic and payload -> the reply's
  hub_report,      // a device's reported patch, as topic and payload -> reply and event
  hub_desired,     // a service's patch of desired -> notification and event
  session_change,  // a change of desired arrives at a device session: topic and payload -> what
                   // changed
  session_report,  // a device session reports, and is acknowledged: two events, one payload
};

// Whose work the timed call is.
enum class made_by {
  library_call,  // one call that the library offers for just this
  handwritten,   // what a competent user writes on top of the library
  yardstick,     // another piece of work, shown to compare with; never "best"
};

// What the result of an operation is, so that it can be judged.
enum class yields { expected, json_patch, nothing };

// One operation prepared for one pair of texts. Only `run` is timed.
class job {
 public:
  virtual ~job() = default;

  // The work, once.
  virtual void run() = 0;

  // Called untimed, after an even number of runs: a tree in a memory pool is made anew here once
  // its pool has grown.
  virtual void tidy() {}

  // The result of the last run as text; "true" or "false" for `equal` and `in_sync`.
  virtual std::string output() = 0;
};

// One entry of a contestant's table.
struct operation {
  road where;
  made_by whose;
  std::function<std::unique_ptr<job>(const pair_texts&)> prepare;
  yields what = yields::expected;
};

struct contestant {
  std::string name;
  std::vector<operation> operations;
};

// The jobs below work on a library description `L`, a struct with
//   using tree = ...;                                     default-constructible; frees itself
//   static void read(std::string_view text, tree& out);   `out` is fresh
//   static void write(const tree& value, std::string& out);          replaces the content of `out`
//   static bool equal(const tree& a, const tree& b);
//   static void apply(tree& target, const tree& patch);
//   static void diff(const tree& from, const tree& to, tree& patch);  `patch` is fresh
//   static bool crowded(tree& target);         the pool of a much patched tree has grown; time for
//   a new one
// of which only those in use need to exist.

template <class L>
std::string text_of(const typename L::tree& value) {
  std::string out;
  L::write(value, out);
  return out;
}

template <class L>
class read_job : public job {
 public:
  explicit read_job(const pair_texts& texts) : text_(texts.from) {}
  void run() override {
    tree_.reset();
    L::read(text_, tree_.emplace());
  }
  std::string output() override { return text_of<L>(*tree_); }

 private:
  std::string text_;
  std::optional<typename L::tree> tree_;
};

template <class L>
class write_job : public job {
 public:
  explicit write_job(const pair_texts& texts) { L::read(texts.from, tree_); }
  void run() override { L::write(tree_, out_); }
  std::string output() override { return out_; }

 private:
  typename L::tree tree_;
  std::string out_;
};

template <class L>
class equal_job : public job {
 public:
  explicit equal_job(const pair_texts& texts) {
    L::read(texts.from, a_);
    L::read(texts.to, b_);
  }
  void run() override { equal_ = L::equal(a_, b_); }
  std::string output() override { return equal_ ? "true" : "false"; }

 private:
  typename L::tree a_;
  typename L::tree b_;
  bool equal_ = false;
};

template <class L>
class diff_job : public job {
 public:
  explicit diff_job(const pair_texts& texts) {
    L::read(texts.from, from_);
    L::read(texts.to, to_);
  }
  void run() override {
    patch_.reset();
    L::diff(from_, to_, patch_.emplace());
  }
  std::string output() override { return text_of<L>(*patch_); }

 private:
  typename L::tree from_;
  typename L::tree to_;
  std::optional<typename L::tree> patch_;
};

// Forward and backward patch in turn on one tree, so that every pair of runs does the same work and
// nothing has to be restored between them.
template <class L>
class apply_job : public job {
 public:
  explicit apply_job(const pair_texts& texts) : text_(texts.from) {
    L::read(text_, target_.emplace());
    L::read(texts.forward, forward_);
    L::read(texts.backward, backward_);
  }
  void run() override {
    L::apply(*target_, forwards_ ? forward_ : backward_);
    forwards_ = !forwards_;
  }
  void tidy() override {
    if (!forwards_ || !L::crowded(*target_)) return;
    target_.reset();
    L::read(text_, target_.emplace());
  }
  std::string output() override { return text_of<L>(*target_); }

 private:
  std::string text_;
  std::optional<typename L::tree> target_;
  typename L::tree forward_;
  typename L::tree backward_;
  bool forwards_ = true;
};

// apply_job with JSON Patches.
template <class L>
class json_patch_apply_job : public apply_job<L> {
 public:
  explicit json_patch_apply_job(const pair_texts& texts)
      : apply_job<L>({texts.from, texts.to, texts.json_forward, texts.json_backward}) {}
};

template <class L>
class text_apply_job : public job {
 public:
  explicit text_apply_job(const pair_texts& texts) : text_(texts.from), patch_(texts.forward) {}
  void run() override {
    typename L::tree target;
    typename L::tree patch;
    L::read(text_, target);
    L::read(patch_, patch);
    L::apply(target, patch);
    L::write(target, out_);
  }
  std::string output() override { return out_; }

 private:
  std::string text_;
  std::string patch_;
  std::string out_;
};

template <class L>
class text_diff_job : public job {
 public:
  explicit text_diff_job(const pair_texts& texts) : from_(texts.from), to_(texts.to) {}
  void run() override {
    typename L::tree from;
    typename L::tree to;
    typename L::tree patch;
    L::read(from_, from);
    L::read(to_, to);
    L::diff(from, to, patch);
    L::write(patch, out_);
  }
  std::string output() override { return out_; }

 private:
  std::string from_;
  std::string to_;
  std::string out_;
};

// The job of a hub, on a description `T` of a twin:
//   using twin = ...;                                    default-constructible; has no patches yet
//   static void load(std::string_view text, twin& out);  as a service's GET has it
//   static void patch(twin& to, std::string_view text, std::int64_t now);
//     All or nothing, by azure's rules of names, values, depth and size: merges, stamps, counts;
//     makes the list of changes (pointer, old, new), the change event as text and the reply's topic
//     as text. `now` counts 100 ns since 1970.
//   static std::string report(twin& of);
//     {"event":…,"reply":"…","changes":[{"pointer":…,"old":…,"new":…},…],"twin":…}, without old
//     where a property is new, without new where it is gone; the twin as a service's GET has it.
// Forward and backward patch in turn, each a second after the one before.
template <class T>
class device_patch_job : public job {
 public:
  explicit device_patch_job(const pair_texts& texts)
      : forward_(texts.forward), backward_(texts.backward) {
    T::load(texts.from, twin_);
  }
  void run() override {
    T::patch(twin_, forwards_ ? forward_ : backward_, now_);
    forwards_ = !forwards_;
    now_ += 10000000;
  }
  std::string output() override { return T::report(twin_); }

 private:
  typename T::twin twin_;
  std::string forward_;
  std::string backward_;
  bool forwards_ = true;
  std::int64_t now_ = 17798400001230000;  // 2026-05-27T00:00:00.123Z
};

// The text that a service writes to patch desired.
inline std::string desired_patch(const std::string& patch) {
  return "{\"properties\":{\"desired\":" + patch + "}}";
}

// An entry that runs `Job`.
template <class Job>
operation entry(road where, made_by whose, yields what = yields::expected) {
  return {where, whose, [](const pair_texts& texts) { return std::make_unique<Job>(texts); }, what};
}

}  // namespace bench
