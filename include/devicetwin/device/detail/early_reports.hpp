/// What is reported before the first twin: patches that are kept until there is something to apply
/// them to.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "twin_texts.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

// The text `early_reports` holds patches one after the other, each with a '\n' behind it. At most
// two are needed. Merge patches do not compose: {"a":1} and then {"a":{"b":2}} as one patch would
// be
// {"a":{"b":2}}, and that would leave other members of an object `a` that the hub has. So the first
// patch removes what an object in the second takes the place of.
//
// Each function returns false when it failed; the texts' failure() then says why.

/// The patch in `incoming` joins what was reported. Uses the scratch texts.
inline bool add_early_report(twin_texts& texts) {
  const auto begin_of_patch = [&](std::size_t end) {
    while (end > 1 && texts.view(twin_texts::early_reports)[end - 2] != '\n') --end;
    return end == 0 ? 0 : end - 1;
  };
  const auto patch = [&](std::size_t begin, std::size_t end) {
    return twin_texts::piece{twin_texts::early_reports, static_cast<std::uint32_t>(begin),
                             static_cast<std::uint32_t>(end - begin - 1)};
  };
  const std::size_t size = texts.view(twin_texts::early_reports).size(),
                    second = begin_of_patch(size), first = begin_of_patch(second);
  twin_texts::piece patches[2] = {{twin_texts::early_reports, 0, 0}, {twin_texts::incoming}};
  std::size_t kept_size = 0;  // of early_reports; `patches` follow
  if (size != 0) {
    if (!texts.join(twin_texts::scratch_a, twin_texts::scratch_c, patch(second, size),
                    {twin_texts::incoming}))
      return false;
    const bool joined = texts.empty(twin_texts::scratch_c);
    if (joined || second != 0) patches[1] = {twin_texts::scratch_a};
    if (joined) {
      kept_size = second;
    } else if (second == 0) {
      kept_size = size;
    } else {
      if (!texts.join(twin_texts::scratch_b, twin_texts::scratch_c, patch(first, second),
                      {twin_texts::scratch_c}))
        return false;
      // What the first patch had at a place that is above one of these covers it.
      if (!texts.empty(twin_texts::scratch_c) &&
          !texts.join(twin_texts::scratch_b, twin_texts::scratch_c, {twin_texts::scratch_b},
                      {twin_texts::scratch_c}))
        return false;
      kept_size = first;
      patches[0] = {twin_texts::scratch_b};
    }
  }
  return texts.build(twin_texts::early_reports, [&](twin_texts::output& out) {
    bool fits = out.append(texts.view(twin_texts::early_reports).data(), kept_size);
    for (const twin_texts::piece& p : patches) {
      const std::string_view one = p.size == 0 ? std::string_view() : texts.object(p);
      if (!one.empty()) fits = fits && out.append(one.data(), one.size()) && out.append("\n", 1);
    }
    return fits || texts.out_of_memory();
  });
}

/// Calls `apply(piece)` for each patch, in order, until it returns false; then drops them. They are
/// applied one by one, for one patch cannot always say what they do.
template <class Apply>
bool apply_early_reports(twin_texts& texts, Apply&& apply) {
  for (std::size_t at = 0; at < texts.view(twin_texts::early_reports).size();) {
    const std::size_t size = texts.view(twin_texts::early_reports).find('\n', at) - at;
    if (!apply(twin_texts::piece{twin_texts::early_reports, static_cast<std::uint32_t>(at),
                                 static_cast<std::uint32_t>(size)}))
      return false;
    at += size + 1;
  }
  texts.drop(twin_texts::early_reports);
  return true;
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
