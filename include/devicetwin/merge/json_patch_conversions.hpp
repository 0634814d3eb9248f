/// JSON Patches (RFC 6902) made of changes and merge patches, and changes made of JSON Patches.
///
/// All of these take the document that the patch is for: a merge patch and a change work on any
/// document, the operations of a JSON Patch only where the places that they name are there.
#pragma once

#include "../json/arena.hpp"
#include "../json/error.hpp"
#include "../json/value.hpp"
#include "change.hpp"
#include "json_patch.hpp"
#include "merge_patch.hpp"
#include "options.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {

namespace functions {

/// The JSON Patch that does to `base` what `c` does. It is the one that diff_json_patch() makes:
/// values that are there already are not in it, and arrays are changed element by element. Errors:
/// not_finite, depth_exceeded, with the place; out_of_memory. Then `patch` is as it was.
/// Cost and memory: a copy of `base` with the change, and diff_json_patch() of the two.
template <class Base>
json::error to_json_patch(const change& c, const Base& base, json::document& patch,
                          const json_patch_options& options = {});

/// The same of a merge patch (RFC 7396), with the meaning of null that options.nulls says.
template <class Patch, class Base>
json::error merge_patch_to_json_patch(const Patch& merge_patch, const Base& base,
                                      json::document& patch,
                                      const json_patch_options& options = {});

/// The smallest change that does to `base` what a JSON Patch does. An array that the patch changes
/// is set as a whole, and what was tested is not in it. Errors: those of apply_json_patch() when
/// the patch does not apply to `base`. Then `out` is as it was.
/// Cost and memory: a copy of `base` with the patch, and difference() of the two.
template <class Patch, class Base>
json::error from_json_patch(const Patch& patch, const Base& base, change& out,
                            const json_patch_options& options = {});

// ---------------------------------------------------------------------------------------------

template <class Base>
json::error to_json_patch(const change& c, const Base& base, json::document& patch,
                          const json_patch_options& options) {
  json::document result(options.memory);
  const auto& before = json::core::value_of(base);
  if (json::error e = detail::replace_by_result(result, c, before, options)) return e;
  return diff_json_patch(before, result, patch, options);
}

template <class Patch, class Base>
json::error merge_patch_to_json_patch(const Patch& merge_patch, const Base& base,
                                      json::document& patch, const json_patch_options& options) {
  json::document result(options.memory);
  if (json::error e = result.assign(base, options.max_depth)) return e;
  if (json::error e = apply_merge_patch(result, merge_patch, options)) return e;
  return diff_json_patch(base, result, patch, options);
}

template <class Patch, class Base>
json::error from_json_patch(const Patch& patch, const Base& base, change& out,
                            const json_patch_options& options) {
  json::document result(options.memory);
  if (json::error e = result.assign(base, options.max_depth)) return e;
  if (json::error e = apply_json_patch(result, patch, options)) return e;
  return difference(base, result, out, options);
}

}  // namespace functions

}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
