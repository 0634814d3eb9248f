/// Three-way merge: two documents that came from the same one, brought together.
#pragma once

#include <type_traits>  // std::remove_reference_t

#include "../json/arena.hpp"
#include "../json/error.hpp"
#include "../json/value.hpp"
#include "change.hpp"
#include "conflict.hpp"
#include "detail/rebase.hpp"
#include "options.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {

namespace functions {

/// The change that brings into `ours` what `theirs` changed since `base`.
///
/// For each member, base, ours and theirs are values or missing. When ours and theirs are equal,
/// that is the result; when one of them is equal to base, the other is; when both are objects,
/// their members are merged in the same way, with an empty base where base has no object. Otherwise
/// both sides changed it: a conflict, which the policy or the report decides (conflict.hpp), for
/// the member as a whole. Arrays are single values. Of repeated names the first counts. Report:
/// told of every conflict, whatever the policy. Errors: conflict (policy::fail, unless the report
/// decides), depth_exceeded, not_finite, out_of_memory; with the place.
///   Then `from_ours` is as it was.
/// Cost: one diff of base and theirs, and a look at base and ours where theirs changed something.
template <class Base, class Ours, class Theirs, class Report = no_report>
json::error merge3(const Base& base, const Ours& ours, const Theirs& theirs, change& from_ours,
                   policy prefer = policy::fail, Report&& report = {}, const options& options = {});

/// The same as a document, this library's or RapidJSON's. `result` may be `ours`, which is then
/// changed in place. On an error it is as it was. Cost: in place as
/// above, and that of the change; else a copy of ours more.
template <class Base, class Ours, class Theirs, class Report = no_report>
json::error merge3(const Base& base, const Ours& ours, const Theirs& theirs, json::document& result,
                   policy prefer = policy::fail, Report&& report = {}, const options& options = {});
template <class Base, class Ours, class Theirs, class ResultAllocator, class StackAllocator,
          class Report = no_report>
json::error merge3(const Base& base, const Ours& ours, const Theirs& theirs,
                   json::basic_document<ResultAllocator, StackAllocator>& result,
                   policy prefer = policy::fail, Report&& report = {}, const options& options = {});

}  // namespace functions

// ---------------------------------------------------------------------------------------------

namespace functions {

template <class Base, class Ours, class Theirs, class Report>
json::error merge3(const Base& base, const Ours& ours, const Theirs& theirs, change& from_ours,
                   policy prefer, Report&& report, const options& options) {
  using base_value = json::core::value_type_of<Base>;
  using ours_value = json::core::value_type_of<Ours>;
  change changed(options.memory);
  if (json::error e = difference(base, theirs, changed, options)) return e;
  detail::judge<std::remove_reference_t<Report>> judge(prefer, report);
  auto decide = [&](const json::location& where, const base_value* before,
                    const json::arena_value* their_value, const ours_value* our_value,
                    conflict_kind kind) {
    return judge(conflict<base_value, ours_value, json::arena_value>{
               where, before, our_value, their_value, kind, judge.chosen()}) == side::theirs;
  };
  return detail::change_access::rebuild(from_ours, [&](auto& handler, bool& sent) {
    detail::rebase_walk<base_value, ours_value, std::remove_reference_t<decltype(handler)>,
                        decltype(decide)>
        walk(handler, detail::on_clash::whole, options, decide);
    json::error e =
        walk.run(changed.form(), json::core::value_of(base), json::core::value_of(ours));
    sent = walk.sent();
    return e ? e : judge.refused();
  });
}

template <class Base, class Ours, class Theirs, class Report>
json::error merge3(const Base& base, const Ours& ours, const Theirs& theirs, json::document& result,
                   policy prefer, Report&& report, const options& options) {
  change from_ours(options.memory);
  if (json::error e = merge3(base, ours, theirs, from_ours, prefer, report, options)) return e;
  if (static_cast<const void*>(&json::core::value_of(ours)) == &result.root())
    return apply(result, from_ours, options);
  return detail::replace_by_result(result, from_ours, json::core::value_of(ours), options);
}

template <class Base, class Ours, class Theirs, class ResultAllocator, class StackAllocator,
          class Report>
json::error merge3(const Base& base, const Ours& ours, const Theirs& theirs,
                   json::basic_document<ResultAllocator, StackAllocator>& result, policy prefer,
                   Report&& report, const options& options) {
  change from_ours(options.memory);
  if (json::error e = merge3(base, ours, theirs, from_ours, prefer, report, options)) return e;
  const json::basic_value<ResultAllocator>& root = result;
  if (static_cast<const void*>(&json::core::value_of(ours)) == &root)
    return apply(result, from_ours, options);
  return detail::replace_by_result(result, from_ours, json::core::value_of(ours), options);
}

}  // namespace functions

}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
