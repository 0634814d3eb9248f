/// What a report must keep to: the rules of the dialect, and what fits into a message.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../json/text/reader.hpp"
#include "../../twin/text_size.hpp"
#include "../../twin/validate.hpp"
#include "compact.hpp"
#include "twin_texts.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

// Each returns false when the report is refused, or when memory ran out; the texts' failure() then
// says why.

/// Whether `patch` is JSON that the dialect allows as a patch of reported.
inline bool check_report(twin_texts& texts, std::string_view patch) {
  using devicetwin::detail::rule_checker;
  using reader = json::core::reader<rule_checker>;
  const dialect& d = *texts.options().rules;
  return texts.retry([&] {
    const memory_source working = texts.working();
    placed<rule_checker> checker(working, d, part::reported, shape::patch, nullptr, working);
    if (!checker) return texts.out_of_memory();
    placed<reader> strict(working, patch, *checker, json::default_max_depth, d.big_integers,
                          working);
    if (!strict) return texts.out_of_memory();
    if (texts.good(strict->read())) return true;
    if (texts.failure().code() == checker->failure())
      texts.failure() = static_cast<json::error&&>(texts.failure())
                            .limited_to(checker->limit(), checker->actual());
    return false;
  });
}

/// Whether each leaf of `incoming` fits into a message.
inline bool check_leaves(twin_texts& texts) {
  const std::size_t limit = texts.options().max_payload;
  if (texts.view(twin_texts::incoming).size() <= limit) return true;
  return texts.retry([&] {
    text_splitter splitter(texts.view(twin_texts::incoming), texts.working());
    std::size_t longest = 0;
    if (!texts.good(
            splitter.measure([&](std::size_t alone) { return (longest = alone) <= limit; })))
      return false;
    if (longest <= limit) return true;
    return texts.fail(
        json::error(json::errc::patch_too_long).limited_to(limit, longest).at(splitter));
  });
}

/// Whether reported may go from `old_reported` to `new_reported` by the patch in `incoming`. Only
/// growth beyond a limit is refused.
inline bool check_size(twin_texts& texts, std::string_view old_reported,
                       std::string_view new_reported) {
  const dialect& d = *texts.options().rules;
  const auto size_of = [&](std::string_view object) {
    return devicetwin::text_size(object, d.size);
  };
  const auto too_large = [&](json::errc code, std::size_t limit, std::size_t size) {
    return texts.fail(json::error(code).limited_to(limit, size).at(json::core::pointer_text{{}}));
  };
  if (new_reported.size() > d.max_text && new_reported.size() > old_reported.size())
    return too_large(json::errc::section_text_too_long, d.max_text, new_reported.size());
  const std::size_t limit = d.max_size(part::reported);
  const bool by_patch = d.basis == size_basis::patch;
  const std::string_view measured = by_patch ? texts.view(twin_texts::incoming) : new_reported;
  // No value counts for more than eight times its text, so mostly there is nothing to measure.
  if (measured.size() > limit / 8) {
    const std::size_t size = size_of(measured);
    if (size > limit && (by_patch || size > size_of(old_reported)))
      return too_large(json::errc::section_too_large, limit, size);
  }
  if (d.max_total != dialect::unlimited) {
    const std::size_t reported = size_of(new_reported);
    const std::size_t size = size_of(texts.object(twin_texts::desired)) + reported;
    if (size > d.max_total && reported > size_of(old_reported))
      return too_large(json::errc::section_too_large, d.max_total, size);
  }
  return true;
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
