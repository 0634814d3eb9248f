// The laws of the change algebra and of three-way merge, for whatever a random_json comes up with.
// Each function gives what is broken, or an empty text. Used by the tests with random choices, and
// by the fuzz targets.
#pragma once

#include <devicetwin/devicetwin.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "random_json.hpp"
#include "reference.hpp"
#include "reference_change.hpp"

namespace laws {

namespace json = devicetwin::json;
namespace merge = devicetwin::merge;

/// A law that is broken: its text, the values in play.
class broken {
 public:
  template <class Value>
  broken& with(const char* name, const Value& value) {
    text_ += std::string("\n  ") + name + ": ";
    if (json::write(value, text_)) text_ += "cannot be written";
    return *this;
  }
  broken& says(const std::string& what) {
    text_ = what + text_;
    return *this;
  }
  std::string text() const { return text_; }

 private:
  std::string text_;
};

#define LAW(condition) \
  if (!(condition)) return broken(context).says("broken: " #condition).text()

inline reference::node seen(const json::document& d) { return reference::from_value(d); }
inline reference::node seen(const merge::change& c) { return reference::from_value(c.form()); }

inline bool read(const std::string& text, json::document& d) { return !json::read(text, d); }
inline bool read(const std::string& form, merge::change& c) {
  json::document d;
  return read(form, d) && !merge::read_change(d, c);
}

inline bool same(const merge::change& a, const merge::change& b) {
  return json::equal(a.form(), b.form()) == json::comparison::equal;
}
inline bool same(const json::document& a, const json::document& b) {
  return json::equal(a, b) == json::comparison::equal;
}

inline bool copy(const json::document& from, json::document& to) { return !to.assign(from); }

/// A change of some origin.
inline bool make_change(random_json& random, merge::change& c) {
  json::document a, b;
  switch (random.below(4)) {
    case 0:
      return read(random.change(), a) && !merge::from_merge_patch(a, c);
    case 1:
      return read(random.value(), a) && !merge::from_merge_patch(a, c);
    case 2:
      return read(random.object(0), a) && read(random.object(0), b) && !merge::difference(a, b, c);
    default:
      return read(random.change(), c);
  }
}

inline bool has_null_to_set(const reference::node& form, bool member = false) {
  if (form.what == reference::node::array) {
    return !form.a.empty() && (reference::has_null_member(form.a[0]) ||
                               (member && form.a[0].what == reference::node::null));
  }
  for (const auto& [name, inside] : form.o) {
    if (has_null_to_set(inside, true)) return true;
  }
  return false;
}
inline bool sets_object(const reference::node& form) {
  if (form.what == reference::node::array)
    return !form.a.empty() && form.a[0].what == reference::node::object;
  for (const auto& [name, inside] : form.o) {
    if (sets_object(inside)) return true;
  }
  return false;
}

/// Laws of one change on one document.
inline std::string of_one(const merge::change& p, const json::document& d) {
  broken context;
  context.with("change", p.form()).with("document", d);
  const reference::node before = seen(d);
  const reference::node expected = *reference::apply(seen(p), before);

  // apply is what the obvious implementation does, in every kind of memory; journals tell what
  // happened.
  json::document after;
  merge::change_recorder forward, undo(merge::change_recorder::direction::undo);
  std::size_t told = 0;
  LAW(copy(d, after));
  LAW(!merge::apply(after, p, {}, forward));
  LAW(equal(seen(after), expected));
  json::document fresh;
  LAW(copy(after, fresh) && fresh.size_in_bytes() == after.size_in_bytes());
  LAW(after.capacity_in_bytes() <= 2 * after.size_in_bytes() + 1024);
  json::document again;
  LAW(copy(d, again));
  LAW(!merge::apply(again, p, {}, undo));
  rapidjson::Document pooled;
  pooled.CopyFrom(d.root(), pooled.GetAllocator());
  LAW(!merge::apply(static_cast<json::value&>(pooled), p, pooled.GetAllocator(), {},
                    [&](const auto&, const auto*, const auto*) { ++told; }));
  LAW(identical(reference::from_value(pooled), seen(after)));
  LAW((told == 0) == equal(before, expected));

  merge::change recorded;
  LAW(!forward.finish(recorded));
  LAW(equal(*reference::apply(seen(recorded), before), expected));
  LAW(!undo.finish(recorded));
  LAW(equal(*reference::apply(seen(recorded), expected), before));

  // invert undoes
  merge::change inverse;
  LAW(!merge::invert(p, d, inverse));
  LAW(copy(after, again) && !merge::apply(again, inverse));
  LAW(equal(seen(again), before));

  // minimise does the same with the smallest change there is, and has nothing more to drop
  // afterwards
  merge::change minimal, twice;
  LAW(!merge::minimise(p, d, minimal));
  LAW(copy(d, again) && !merge::apply(again, minimal));
  LAW(equal(seen(again), expected));
  LAW(!merge::difference(d, after, twice));
  LAW(same(minimal, twice));
  LAW(minimal.keeps() == equal(before, expected));
  LAW(!merge::minimise(minimal, d, twice));
  LAW(same(minimal, twice));

  // to_merge_patch is the smallest merge patch, or there is none
  json::document patch;
  const json::error e = merge::to_merge_patch(p, d, patch);
  const auto smallest = reference::diff(before, expected);
  LAW(!e == smallest.has_value());
  LAW(!e || e.code() == json::errc::null_member);
  if (!e) {
    LAW(equal(seen(patch), *smallest));
    LAW(equal(reference::merge(before, seen(patch)), expected));
  }

  // to_merge_patches does the same without a base
  merge::merge_patches patches;
  const json::error unsaid = merge::to_merge_patches(p, patches);
  LAW(static_cast<bool>(unsaid) == has_null_to_set(seen(p)));
  if (!unsaid) {
    LAW(patches.count == (p.keeps() ? 0u : sets_object(seen(p)) ? 2u : 1u));
    reference::node step = before;
    for (std::size_t i = 0; i < patches.count; ++i)
      step = reference::merge(step, seen(patches.patch[i]));
    LAW(equal(step, expected));
  }

  // rebase onto the same document is the identity
  merge::change rebased;
  std::size_t conflicts = 0;
  LAW(!merge::rebase(p, d, d, rebased, merge::policy::fail, [&](const auto&) { ++conflicts; }));
  LAW(same(rebased, p) && conflicts == 0);

  // the form reads back
  std::string text;
  LAW(!json::write(p.form(), text));
  LAW(read(text, twice) && identical(seen(twice), seen(p)));
  return {};
}

/// Laws of two and three changes in a row.
inline std::string of_composition(const merge::change& p, const merge::change& q,
                                  const merge::change& r, const json::document& d) {
  broken context;
  context.with("p", p.form()).with("q", q.form()).with("r", r.form()).with("document", d);
  merge::change pq, qr, left, right, keep;
  LAW(!merge::compose(p, q, pq) && !merge::compose(q, r, qr));
  json::document once, inOrder;
  LAW(copy(d, once) && !merge::apply(once, pq));
  LAW(copy(d, inOrder) && !merge::apply(inOrder, p) && !merge::apply(inOrder, q));
  LAW(same(once, inOrder));
  LAW(equal(seen(once), *reference::apply(seen(q), *reference::apply(seen(p), seen(d)))));
  LAW(!merge::compose(pq, r, left) && !merge::compose(p, qr, right));
  LAW(same(left, right));
  LAW(!merge::compose(p, keep, left) && !merge::compose(keep, p, right));
  LAW(same(left, p) && same(right, p));
  LAW(!left.assign(p) && !merge::compose(left, q, left));  // into one of its inputs
  LAW(same(left, pq));
  LAW(!right.assign(q) && !merge::compose(p, right, right));
  LAW(same(right, pq));
  // Inverses undo a row of changes in the opposite order.
  merge::change undo_p, undo_q, undo;
  json::document after_p;
  LAW(copy(d, after_p) && !merge::apply(after_p, p));
  LAW(!merge::invert(p, d, undo_p) && !merge::invert(q, after_p, undo_q));
  LAW(!merge::compose(undo_q, undo_p, undo) && !merge::apply(once, undo));
  LAW(same(once, d));
  return {};
}

/// Everything about the algebra.
inline std::string algebra(random_json& random) {
  merge::change p, q, r;
  json::document d;
  if (!make_change(random, p)) return "a change could not be made";
  if (!read(random.below(4) == 0 ? random.value() : random.object(0), d))
    return "a document could not be read";
  std::string wrong = of_one(p, d);
  if (!wrong.empty()) return wrong;
  if (!make_change(random, q) || !make_change(random, r)) return "a change could not be made";
  return of_composition(p, q, r, d);
}

template <class Conflict>
reference::found_conflict noted(const Conflict& c) {
  const auto copied = [](const auto* value) {
    return value == nullptr ? reference::maybe() : reference::maybe(reference::from_value(*value));
  };
  std::string pointer;
  c.where.append_to(pointer);
  return {pointer, copied(c.base), copied(c.ours), copied(c.theirs), static_cast<int>(c.kind)};
}

inline bool same_conflicts(std::vector<reference::found_conflict> a,
                           std::vector<reference::found_conflict> b) {
  const auto order = [](const auto& x, const auto& y) { return x.pointer < y.pointer; };
  std::sort(a.begin(), a.end(), order);
  std::sort(b.begin(), b.end(), order);
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.pointer == y.pointer && x.kind == y.kind && equal(x.base, y.base) &&
           equal(x.ours, y.ours) && equal(x.theirs, y.theirs);
  });
}

/// Laws of three documents.
inline std::string of_three(const json::document& b, const json::document& o,
                            const json::document& t) {
  broken context;
  context.with("base", b).with("ours", o).with("theirs", t);
  json::document merged, other;
  std::vector<reference::found_conflict> found, expected, mirrored;
  const auto note = [&found](const auto& c) { found.push_back(noted(c)); };

  for (const bool ours : {true, false}) {
    const auto prefer = ours ? merge::policy::ours : merge::policy::theirs;
    found.clear();
    expected.clear();
    LAW(!merge::merge3(b, o, t, merged, prefer, note));
    LAW(equal(seen(merged), *reference::merge3(seen(b), seen(o), seen(t), ours, expected)));
    LAW(same_conflicts(found, expected));
    // The same when the report decides, in place, and mirrored.
    LAW(copy(o, other));
    LAW(!merge::merge3(b, other, t, other, merge::policy::fail, [&](const auto&) {
      return ours ? merge::side::ours : merge::side::theirs;
    }));
    LAW(same(merged, other));
    mirrored.clear();
    LAW(!merge::merge3(b, t, o, other, ours ? merge::policy::theirs : merge::policy::ours,
                       [&](const auto& c) {
                         mirrored.push_back(noted(c));
                         std::swap(mirrored.back().ours, mirrored.back().theirs);
                       }));
    LAW(same(merged, other));
    LAW(same_conflicts(found, mirrored));
  }
  found.clear();
  const json::error e = merge::merge3(b, o, t, merged, merge::policy::fail, note);
  LAW(same_conflicts(found, expected));
  LAW(static_cast<bool>(e) == !expected.empty());
  LAW(!e || e.code() == json::errc::conflict);

  LAW(!merge::merge3(b, b, t, merged) && same(merged, t));
  LAW(!merge::merge3(b, o, b, merged) && same(merged, o));
  LAW(!merge::merge3(b, o, o, merged) && same(merged, o));

  // rebase replays the smallest change as the obvious rule does
  merge::change change, rebased;
  LAW(!merge::difference(b, o, change));
  for (const bool ours : {true, false}) {
    found.clear();
    expected.clear();
    LAW(!merge::rebase(change, b, t, rebased, ours ? merge::policy::ours : merge::policy::theirs,
                       note));
    LAW(copy(t, other) && !merge::apply(other, rebased));
    LAW(equal(seen(other), *reference::replay(seen(b), seen(o), seen(t), ours, expected)));
    LAW(same_conflicts(found, expected));
  }
  return {};
}

/// Everything about three-way merge, also with changes that are not the smallest.
inline std::string merging(random_json& random) {
  json::document b, o, t, after, other;
  if (!read(random.below(8) == 0 ? random.value() : random.object(0), b))
    return "a document could not be read";
  for (json::document* side : {&o, &t}) {
    merge::change c;
    if (!make_change(random, c)) return "a change could not be made";
    if (!copy(b, *side) || merge::apply(*side, c)) return "a change could not be applied";
  }
  std::string wrong = of_three(b, o, t);
  if (!wrong.empty()) return wrong;

  // A change that says more than it does is replayed like the smallest one, once it is minimised.
  merge::change c, minimal, rebased;
  broken context;
  if (!make_change(random, c)) return "a change could not be made";
  context.with("change", c.form()).with("from", b).with("onto", t);
  std::vector<reference::found_conflict> found, expected;
  LAW(!merge::minimise(c, b, minimal));
  LAW(copy(b, after) && !merge::apply(after, c));
  LAW(!merge::rebase(minimal, b, t, rebased, merge::policy::ours,
                     [&](const auto& at) { found.push_back(noted(at)); }));
  LAW(copy(t, other) && !merge::apply(other, rebased));
  const auto replayed = *reference::replay(seen(b), seen(after), seen(t), true, expected);
  LAW(equal(seen(other), replayed));
  LAW(same_conflicts(found, expected));
  return {};
}

#undef LAW

}  // namespace laws
