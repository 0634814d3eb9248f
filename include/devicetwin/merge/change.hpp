/// Changes: what merge patches cannot be, closed under composition.
///
/// Merge patches do not compose: {"a":null} and then {"a":{"x":1}} replaces a, whatever it holds,
/// by {"x":1}, and no merge patch says that. A change does. At each place of a document it does one
/// of four things:
///   keep      leaves it alone
///   set       puts a value there, whatever was there
///   remove    takes the member away
///   descend   makes it an object, if it is none, and goes on with members of it
/// For every document, each change gives one result. See docs/merging.md.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view
#include <type_traits>  // std::is_integral_v, std::remove_reference_t

#include "../json/arena.hpp"
#include "../json/error.hpp"
#include "../json/pointer.hpp"
#include "../json/tree/builder.hpp"
#include "../json/value.hpp"
#include "conflict.hpp"
#include "detail/change_form.hpp"
#include "detail/change_plan.hpp"
#include "detail/change_reader.hpp"
#include "detail/change_result.hpp"
#include "detail/change_to_patch.hpp"
#include "detail/change_walk.hpp"
#include "detail/change_writer.hpp"
#include "detail/compose.hpp"
#include "detail/rebase.hpp"
#include "diff.hpp"
#include "merge_patch.hpp"
#include "options.hpp"
#include "tree/places.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {

namespace detail {
struct change_access;
}

/// One change, in memory of its own (json::document's, on the heap or a memory source). It starts
/// as one that keeps everything. Movable; assign() copies and can fail. Every function below that
/// writes one leaves it as it was on an error, and may be given one of its inputs as the output.
///
/// JSON form, for logs and storage, read back by read_change(): an object is a descend, with the
/// places inside it by name; null is a remove; an array of one element sets that value; the empty
/// array, as a whole, keeps everything.
///     {"fan":{"rpm":[900]},"mode":null,"site":[{"row":4}]}
/// sets /fan/rpm to 900 and leaves the rest of fan, removes /mode, and replaces /site as a whole.
/// Two changes do the same to every document exactly when their forms are equal by json::equal. The
/// form may nest one level deeper than the documents it is for.
class change {
 public:
  change() noexcept : change(memory_source{}) {}
  explicit change(const memory_source& memory) noexcept : form_(memory) {
    json::core::document_access::root(form_).SetArray();
  }
  change(change&& other) noexcept : change() { swap(other); }
  change& operator=(change&& other) noexcept {
    change(static_cast<change&&>(other)).swap(*this);
    return *this;
  }
  void swap(change& other) noexcept { form_.swap(other.form_); }

  /// Becomes a copy of `other`. Errors: out_of_memory.
  json::error assign(const change& other) { return form_.assign(other.form(), detail::any_depth); }

  /// True when it keeps everything, whatever the document.
  bool keeps() const noexcept { return detail::deed_of(form()) == detail::deed::keep; }

  /// The JSON form; valid until the change is written.
  const json::arena_value& form() const noexcept { return form_.root(); }

 private:
  friend struct detail::change_access;
  json::document form_;
};

namespace functions {

/// Reads the JSON form; `form` may come from anywhere.
/// Errors: not_a_change, root_removed (null as a whole), duplicate_name, depth_exceeded (a change
/// reaches at most `options.max_depth` levels deep into a document), not_finite, out_of_memory;
/// with the place in the document.
template <class Form>
json::error read_change(const Form& form, change& out, const options& options = {});

/// The change that a merge patch is (RFC 7396, whatever options.nulls says). Of repeated names the
/// first counts. Errors: depth_exceeded, not_finite, out_of_memory; with the place.
template <class Patch>
json::error from_merge_patch(const Patch& patch, change& out, const options& options = {});

/// The smallest change that turns `from` into a value equal to `to`; it keeps everything when they
/// are equal. Unlike a merge patch it can set null. Errors: depth_exceeded, not_finite,
/// out_of_memory; with the place. Cost: as diff().
template <class From, class To>
json::error difference(const From& from, const To& to, change& out, const options& options = {});

/// Applies a change to a document: all of it or, on an error, nothing. Order, journal, errors, cost
/// and memory are as for apply_merge_patch(); a place that is set as a whole is one entry in the
/// journal.
template <class Journal = no_journal>
json::error apply(json::document& target, const change& c, const options& options = {},
                  Journal&& journal = {});
/// The same for a RapidJSON value with its allocator.
template <class Allocator, class Journal = no_journal>
json::error apply(json::basic_value<Allocator>& target, const change& c, Allocator& allocator,
                  const options& options = {}, Journal&& journal = {});
/// The same for a RapidJSON document with its own allocator.
template <class Allocator, class StackAllocator, class Journal = no_journal>
json::error apply(json::basic_document<Allocator, StackAllocator>& target, const change& c,
                  const options& options = {}, Journal&& journal = {}) {
  json::basic_value<Allocator>& root = target;
  return apply(root, c, target.GetAllocator(), options, static_cast<Journal&&>(journal));
}

/// A value without its allocator: a mistake, explained.
template <class Allocator>
json::error apply(json::basic_value<Allocator>&, const change&, const options& = {}) {
  static_assert(
      json::core::mistaken<Allocator>,
      "merge::apply: a RapidJSON value needs its allocator: apply(value, change, allocator)");
  return json::errc::wrong_type;
}

/// The change that does what `first` and then `second` do, for every document.
/// Errors: out_of_memory. Cost: linear in both changes (names of wide objects are hashed).
inline json::error compose(const change& first, const change& second, change& out,
                           const options& options = {});

/// The change that undoes `c` on `base`: applied to what `c` makes of `base` it gives a value equal
/// to `base`. Errors: not_finite, out_of_memory, with the place. Cost: linear in `c` and in the
/// parts of `base` that it replaces or removes.
template <class Base>
json::error invert(const change& c, const Base& base, change& out, const options& options = {});

/// The smallest change that does to `base` what `c` does: without values that are there already and
/// members that are not there to be removed; and where `c` sets an object over an object, only what
/// differs between the two. It is what difference(base, result) gives, at another cost; to another
/// document it may do something else than `c`. Errors: not_finite, depth_exceeded, out_of_memory,
/// with the place. Cost: as invert().
template <class Base>
json::error minimise(const change& c, const Base& base, change& out, const options& options = {});

/// Replays `c`, which was made for `from`, on the newer document `onto`: `out` does to `onto` what
/// `c` did to `from`, and leaves alone what happened in between elsewhere.
///
/// At each place that `c` writes: if `from` and `onto` are equal there, or `onto` already has what
/// `c` writes, all is well. If both have an object where `c` sets one, its members are looked at
/// one by one. Otherwise there is a conflict, in which `c` is ours and `onto` theirs. Under
/// policy::ours a member that `c` writes goes into a new object when theirs removed or replaced the
/// one it was in; nothing that theirs removed comes back with it. A write that `from` has already
/// is a write nonetheless; minimise() drops those first, if you like. Report: told of every
/// conflict, see conflict.hpp. Errors: conflict (policy::fail), not_finite, depth_exceeded,
/// out_of_memory; with the place. Cost: linear in `c` and in the values at the places that it
/// writes.
template <class From, class Onto, class Report = no_report>
json::error rebase(const change& c, const From& from, const Onto& onto, change& out,
                   policy prefer = policy::ours, Report&& report = {}, const options& options = {});

/// The smallest merge patch (RFC 7396) that does to `base` what `c` does. To a document with
/// another content it may do something else: a merge patch removes only members that it names.
/// Errors: null_member, where the result has a null that `base` has not, which no merge patch can
/// say; not_finite, depth_exceeded, out_of_memory; each with the place. Then `patch` is as it was.
/// Cost: as invert().
template <class Base>
json::error to_merge_patch(const change& c, const Base& base, json::document& patch,
                           const options& options = {});
template <class Base, class PatchAllocator>
json::error to_merge_patch(const change& c, const Base& base,
                           json::basic_value<PatchAllocator>& patch, PatchAllocator& allocator,
                           const options& options = {});
template <class Base, class PatchAllocator, class StackAllocator>
json::error to_merge_patch(const change& c, const Base& base,
                           json::basic_document<PatchAllocator, StackAllocator>& patch,
                           const options& options = {}) {
  json::basic_value<PatchAllocator>& root = patch;
  return to_merge_patch(c, base, root, patch.GetAllocator(), options);
}

}  // namespace functions

/// Merge patches to be applied one after the other; `count` of them, at most two. Their memory is
/// that of the options that they were made with.
struct merge_patches {
  std::size_t count = 0;
  json::document patch[2];
};

namespace functions {

/// The shortest sequence of merge patches that does what `c` does to every document: none for a
/// change that keeps everything, two when it sets an object (the first removes what was there),
/// else one. Errors: null_member, where `c` sets a null; out_of_memory; with the place. Then `out`
/// is as it was.
inline json::error to_merge_patches(const change& c, merge_patches& out,
                                    const options& options = {});

}  // namespace functions

// ---------------------------------------------------------------------------------------------

namespace detail {

/// The writing side of a change, for the functions of this library.
struct change_access {
  static json::document& document(change& c) noexcept { return c.form_; }

  /// Replaces the change by the form that `generate(handler, sent)` sends; when it leaves `sent`
  /// false, by one that keeps everything.
  template <class Generate>
  static json::error rebuild(change& c, Generate&& generate) {
    json::error failure = json::core::document_access::rebuild(c.form_, 0, [&](auto& handler) {
      bool sent = false;
      json::error e = generate(handler, sent);
      if (!e && !sent && !(handler.StartArray() && handler.EndArray(0)))
        e = json::errc::out_of_memory;
      return e;
    });
    if (!failure) json::core::document_access::settle(c.form_, 0, 0);
    return failure;
  }
};

template <class Handler>
using writer_for = sparse_writer<std::remove_reference_t<Handler>>;

template <class Value>
error read_places(const Value& root, bool form, change& out, const options& o) {
  return detail::change_access::rebuild(out, [&](auto& handler, bool& sent) {
    sent = true;
    return place_reader<Value, std::remove_reference_t<decltype(handler)>>(handler, form, o)
        .run(root);
  });
}

/// Makes `out` what a change makes of `base`, which may be its root.
template <class Base>
error replace_by_result(json::document& out, const change& c, const Base& base, const options& o) {
  const error failure =
      json::core::document_access::rebuild(out, out.size_in_bytes(), [&](auto& handler) {
        return result_sender<Base, std::remove_reference_t<decltype(handler)>>(handler, o.max_depth,
                                                                               o.memory)
            .run(c.form(), &base);
      });
  if (!failure) json::core::document_access::settle(out, 0, 0);
  return failure;
}
template <class Allocator, class StackAllocator, class Base>
error replace_by_result(json::basic_document<Allocator, StackAllocator>& out, const change& c,
                        const Base& base, const options& o) {
  json::core::tree_builder<Allocator> builder(out.GetAllocator(), o.memory);
  return builder.build(out, [&](auto& handler) {
    return result_sender<Base, std::remove_reference_t<decltype(handler)>>(handler, o.max_depth,
                                                                           o.memory)
        .run(c.form(), &base);
  });
}

}  // namespace detail

namespace functions {

template <class Form>
json::error read_change(const Form& form, change& out, const options& options) {
  return detail::read_places(json::core::value_of(form), true, out, options);
}

template <class Patch>
json::error from_merge_patch(const Patch& patch, change& out, const options& options) {
  return detail::read_places(json::core::value_of(patch), false, out, options);
}

template <class From, class To>
json::error difference(const From& from, const To& to, change& out, const options& options) {
  return detail::change_access::rebuild(out, [&](auto& handler, bool& sent) {
    detail::writer_for<decltype(handler)> form(handler, options.memory);
    const json::error e = detail::send_difference(json::core::value_of(from),
                                                  json::core::value_of(to), {}, form, options);
    sent = form.sent();
    return e;
  });
}

template <class Journal>
json::error apply(json::document& target, const change& c, const options& options,
                  Journal&& journal) {
  using access = json::core::document_access;
  detail::change_plan<json::arena_value> plan(options);
  if (!plan.make(target.root(), c.form())) return plan.failure();
  if (plan.changes() == 0) return {};
  json::arena left;  // what held the tree until now
  if (json::error e = access::make_room(target, plan.memory().needed(), left)) return e;
  if (json::error e = core::carry_out(plan, access::root(target), plan.whole_source(),
                                      access::memory(target), options, journal)) {
    return e;
  }
  access::settle(target, plan.memory().added(), plan.memory().freed());
  return {};
}

template <class Allocator, class Journal>
json::error apply(json::basic_value<Allocator>& target, const change& c, Allocator& allocator,
                  const options& options, Journal&& journal) {
  detail::change_plan<json::basic_value<Allocator>> plan(options);
  if (!plan.make(target, c.form())) return plan.failure();
  return core::carry_out(plan, target, plan.whole_source(), allocator, options, journal);
}

inline json::error compose(const change& first, const change& second, change& out,
                           const options& options) {
  if (first.keeps()) return &out == &second ? json::error() : out.assign(second);
  if (second.keeps()) return &out == &first ? json::error() : out.assign(first);
  return detail::change_access::rebuild(out, [&](auto& handler, bool& sent) {
    sent = true;
    return detail::composer<std::remove_reference_t<decltype(handler)>>(handler, options.memory)
        .run(first.form(), second.form());
  });
}

template <class Base>
json::error invert(const change& c, const Base& base, change& out, const options& options) {
  return detail::change_access::rebuild(out, [&](auto& handler, bool& sent) -> json::error {
    using walk_type = detail::change_walk<json::core::value_type_of<Base>>;
    using step = typename walk_type::step;
    walk_type walk(c.form(), &json::core::value_of(base), options.memory);
    detail::writer_for<decltype(handler)> to(handler, options.memory);
    const auto restore = [&] {
      return walk.base() == nullptr ? to.null(walk.name())
                                    : to.set(walk.name(), *walk.base(), options.memory);
    };
    for (;;) {
      bool good = true;
      switch (walk.next()) {
        case step::end:
          sent = to.sent();
          return to.failure();
        case step::failed:
          return json::error(json::errc::out_of_memory).at(walk.where());
        case step::set:
          good = restore();
          break;
        case step::remove:
          good = walk.base() == nullptr || restore();
          break;
        case step::close:
          good = to.close();
          break;
        case step::open:
          if (walk.base() != nullptr && walk.base()->IsObject()) {
            good = to.open(walk.name(), false);
          } else {
            good = restore();
            walk.skip();
          }
          break;
      }
      if (!good) return detail::nested(to.failure(), walk.where());
    }
  });
}

template <class Base>
json::error minimise(const change& c, const Base& base, change& out, const options& options) {
  return detail::change_access::rebuild(out, [&](auto& handler, bool& sent) -> json::error {
    using walk_type = detail::change_walk<json::core::value_type_of<Base>>;
    using step = typename walk_type::step;
    walk_type walk(c.form(), &json::core::value_of(base), options.memory);
    detail::writer_for<decltype(handler)> to(handler, options.memory);
    for (;;) {
      bool good = true;
      switch (walk.next()) {
        case step::end:
          sent = to.sent();
          return to.failure();
        case step::failed:
          return json::error(json::errc::out_of_memory).at(walk.where());
        case step::remove:
          good = walk.base() == nullptr || to.null(walk.name());
          break;
        case step::close:
          good = to.close();
          break;
        case step::open:
          if (walk.base() != nullptr && walk.base()->IsObject()) {
            good = to.open(walk.name(), false);
          } else {
            good = to.set_made(walk.name(), walk.form(), options.memory);
            walk.skip();
          }
          break;
        case step::set: {
          const auto& value = detail::value_of(walk.form());
          if (walk.base() == nullptr) {
            good = to.value(walk.name(), walk.form(), options.memory);
          } else if (json::error e = detail::send_difference(*walk.base(), value, walk.name(), to,
                                                             options, walk.where())) {
            return e;
          }
          break;
        }
      }
      if (!good) return to.failure();
    }
  });
}

template <class From, class Onto, class Report>
json::error rebase(const change& c, const From& from, const Onto& onto, change& out, policy prefer,
                   Report&& report, const options& options) {
  using from_value = json::core::value_type_of<From>;
  using onto_value = json::core::value_type_of<Onto>;
  detail::judge<std::remove_reference_t<Report>> judge(prefer, report);
  auto decide = [&](const json::location& where, const from_value* base,
                    const json::arena_value* ours, const onto_value* theirs, conflict_kind kind) {
    return judge(conflict<from_value, json::arena_value, onto_value>{
               where, base, ours, theirs, kind, judge.chosen()}) == side::ours;
  };
  return detail::change_access::rebuild(out, [&](auto& handler, bool& sent) {
    detail::rebase_walk<from_value, onto_value, std::remove_reference_t<decltype(handler)>,
                        decltype(decide)>
        walk(handler, detail::on_clash::replay, options, decide);
    json::error e = walk.run(c.form(), json::core::value_of(from), json::core::value_of(onto));
    sent = walk.sent();
    return e ? e : judge.refused();
  });
}

template <class Base>
json::error to_merge_patch(const change& c, const Base& base, json::document& patch,
                           const options& options) {
  json::error failure = json::core::document_access::rebuild(patch, 0, [&](auto& handler) {
    return detail::send_merge_patch(c.form(), json::core::value_of(base), handler, options);
  });
  if (!failure) json::core::document_access::settle(patch, 0, 0);
  return failure;
}

template <class Base, class PatchAllocator>
json::error to_merge_patch(const change& c, const Base& base,
                           json::basic_value<PatchAllocator>& patch, PatchAllocator& allocator,
                           const options& options) {
  json::core::tree_builder<PatchAllocator> builder(allocator, options.memory);
  return builder.build(patch, [&](auto& handler) {
    return detail::send_merge_patch(c.form(), json::core::value_of(base), handler, options);
  });
}

inline json::error to_merge_patches(const change& c, merge_patches& out, const options& options) {
  merge_patches made{0, {json::document(options.memory), json::document(options.memory)}};
  for (const bool second : {false, true}) {
    if (c.keeps()) break;
    bool sent = false;
    if (json::error e = json::core::document_access::rebuild(
            made.patch[made.count], 0, [&](auto& handler) -> json::error {
              json::error failure =
                  detail::send_blind_patch(c.form(), second, handler, sent, options);
              if (!failure && !sent && !handler.Null()) failure = json::errc::out_of_memory;
              return failure;
            })) {
      return e;
    }
    if (sent) ++made.count;
  }
  out.count = made.count;
  for (std::size_t i = 0; i < 2; ++i) out.patch[i].swap(made.patch[i]);
  return {};
}

}  // namespace functions

}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
