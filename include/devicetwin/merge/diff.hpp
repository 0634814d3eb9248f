/// Making the JSON Merge Patch (RFC 7396) that turns one value into another.
#pragma once

#include "../json/arena.hpp"
#include "../json/error.hpp"
#include "../json/tree/builder.hpp"
#include "../json/tree/events.hpp"
#include "../json/tree/scalar.hpp"
#include "../json/tree/tree_diff.hpp"
#include "../json/value.hpp"
#include "options.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {

namespace functions {

/// Sends the smallest merge patch from `from` to `to` to `handler`, a RapidJSON handler such as
/// json::text_writer. Applying it to `from` gives a value equal to `to`; for equal objects it is
/// {}. A member of `to` that is not equal to `from`'s is in the patch with its value, arrays as a
/// whole; one that is gone is null. Roots that are not both objects give `to` itself. Of repeated
/// names the first counts.
///
/// Errors: null_member, when `to` has a null that `from` does not have in the same place, for a
/// merge patch cannot say that (RFC 7396, section 1; null_rule decides); kept_member, when one must
/// be removed under null_rule::keep; depth_exceeded, not_finite; each with the pointer, and all of
/// them found before the first event. out_of_memory, before or after it; handler_stopped when the
/// handler gives false.
/// Cost: one pass over both when members stand in the same order, n log n at worst; equal subtrees
/// are not sent.
template <class From, class To, class Handler>
json::error diff(const From& from, const To& to, Handler& handler, const options& options = {});

/// The same as a value in `allocator`. On an error `patch` is as it was.
template <class From, class To, class PatchAllocator>
json::error diff(const From& from, const To& to, json::basic_value<PatchAllocator>& patch,
                 PatchAllocator& allocator, const options& options = {});
/// The same into a RapidJSON document, or one that keeps itself compact.
template <class From, class To, class PatchAllocator, class StackAllocator>
json::error diff(const From& from, const To& to,
                 json::basic_document<PatchAllocator, StackAllocator>& patch,
                 const options& options = {}) {
  json::basic_value<PatchAllocator>& root = patch;
  return diff(from, to, root, patch.GetAllocator(), options);
}
template <class From, class To>
json::error diff(const From& from, const To& to, json::document& patch,
                 const options& options = {});

}  // namespace functions

// ---------------------------------------------------------------------------------------------

namespace core {

template <class Walk, class To, class Handler>
json::error send_patch(const Walk& walk, const To& to, bool whole, Handler& handler,
                       const memory_source& source) {
  using op = typename Walk::op;
  json::core::walk_memory<To> memory(source);
  const auto send_value = [&](const To& value) -> json::error {
    return json::core::emit(value, handler, json::core::nulls::emit, static_cast<std::size_t>(-1),
                            memory);
  };
  if (whole) return send_value(to);
  base::stack<json::size_type, 8> counts(source);  // members sent in each open object
  const auto name = [&](const auto& member) {
    ++counts.back();
    return json::core::emit_name(member.name, handler);
  };
  constexpr bool copies = json::core::copies_scalars<Handler, To>;
  if constexpr (copies) {
    if (!handler.expect(walk.entries().size())) return json::errc::out_of_memory;
  }
  if (!counts.push(0)) return json::errc::out_of_memory;
  bool sent = handler.StartObject();
  for (std::size_t i = 0; sent && i < walk.entries().size(); ++i) {
    const auto& entry = walk.entries()[i];
    switch (entry.kind) {
      case op::open:
        sent = name(entry.to()) && handler.StartObject();
        if (!counts.push(0)) return json::errc::out_of_memory;
        break;
      case op::close:
        sent = handler.EndObject(counts.back());
        counts.pop();
        break;
      case op::set:
        if (json::core::is_container(entry.to().value)) {
          sent = name(entry.to());
          if (!sent) break;
          if (json::error e = send_value(entry.to().value)) return e;
        } else if constexpr (copies) {  // a scalar; the walk has checked it
          ++counts.back();
          sent = handler.ScalarMember(entry.to());
        } else {
          sent = name(entry.to()) && json::core::emit_scalar(entry.to().value, handler);
        }
        break;
      case op::remove:
        sent = name(entry.from()) && handler.Null();
        break;
    }
  }
  sent = sent && handler.EndObject(counts.back());
  return sent ? json::errc::ok : json::core::failure_of(handler, 0);
}

inline json::core::diff_rules rules_of(const options& o) noexcept {
  json::core::diff_rules rules;
  rules.sets_null = o.nulls == null_rule::keep;
  rules.carries_null = o.nulls != null_rule::remove;
  rules.removes = o.nulls != null_rule::keep;
  rules.numbers = o.numbers;
  rules.max_depth = o.max_depth;
  return rules;
}
inline json::core::diff_rules text_rules_of(const text_options& o) noexcept {
  json::core::diff_rules rules = rules_of(o);
  rules.number_texts = o.number_texts;
  return rules;
}

}  // namespace core

namespace functions {

template <class From, class To, class Handler>
json::error diff(const From& from, const To& to, Handler& handler, const options& options) {
  static_assert(json::core::is_handler<Handler>,
                "merge::diff: the third argument is a RapidJSON handler, a RapidJSON document, a "
                "json::document, "
                "or a value followed by its allocator");
  if constexpr (json::core::is_handler<Handler>) {
    const auto& before = json::core::value_of(from);
    const auto& after = json::core::value_of(to);
    json::core::tree_diff<json::core::value_type_of<From>, json::core::value_type_of<To>> walk(
        core::rules_of(options), options.memory);
    if (json::error e = walk.run(before, after)) return e;
    const bool whole = !before.IsObject() || !after.IsObject();
    return core::send_patch(walk, after, whole, handler, options.memory);
  } else {
    return json::errc::handler_stopped;
  }
}

template <class From, class To, class PatchAllocator>
json::error diff(const From& from, const To& to, json::basic_value<PatchAllocator>& patch,
                 PatchAllocator& allocator, const options& options) {
  const auto& before = json::core::value_of(from);
  const auto& after = json::core::value_of(to);
  json::core::tree_builder<PatchAllocator> builder(allocator, options.memory);
  return builder.build(patch, [&](auto& handler) { return diff(before, after, handler, options); });
}

template <class From, class To>
json::error diff(const From& from, const To& to, json::document& patch, const options& options) {
  const auto& before = json::core::value_of(from);
  const auto& after = json::core::value_of(to);
  json::error failure = json::core::document_access::rebuild(
      patch, 0, [&](auto& handler) { return diff(before, after, handler, options); });
  if (!failure) json::core::document_access::settle(patch, 0, 0);
  return failure;
}

}  // namespace functions

}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
