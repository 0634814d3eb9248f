// A three-way merge of large documents, of which only what differs becomes trees.
#pragma once

#include <devicetwin/json/arena.hpp>
#include <devicetwin/json/error.hpp>

#include <string>
#include <string_view>

#include "json_stream.hpp"

namespace tool {

/// Three documents without the members that are the same in all of them. To merge them makes the
/// same changes and meets the same conflicts, at the same places.
struct reduced_documents {
  std::string base, ours, theirs;
};

/// Takes texts that have been validated. Cost: that of merge::for_each_difference_text, and a pass
/// over each text more for each level of a difference. Errors: as there.
devicetwin::json::error reduce(std::string_view base, std::string_view ours,
                               std::string_view theirs, reduced_documents& reduced);

/// Writes the text `ours` with what a merge has changed. `before` and `after` are the reduced ours
/// before and after the merge, as read_spelled() reads them. What is the same keeps its bytes.
/// Returns false when the output takes no more.
bool write_merged(std::string_view ours, const devicetwin::json::arena_value& before,
                  const devicetwin::json::arena_value& after, json_stream& out);

}  // namespace tool
