// Differences for people: a line for each value that went, and for each that came.
#pragma once

#include <devicetwin/json/error.hpp>

#include <string_view>

#include "byte_stream.hpp"

namespace tool {

/// Writes what two documents differ in:
///     - .tags.floor: 3
///     + .tags.floor: 4
/// Each line has the place of the value as jq spells it. Arrays are compared element by element:
/// the index is that of the second document, or of the first for an element that is gone. Values
/// are on one line, without white space, and shortened when they are long; of two long strings the
/// part is shown where they differ. Whatever a terminal obeys or does not show is escaped.
///
/// The texts have been validated. `any` is set when there is a difference. Errors: those of
/// merge::for_each_difference_text; handler_stopped when the output takes no more.
devicetwin::json::error write_differences(std::string_view from, std::string_view to,
                                          bool with_colours, byte_stream& out, bool& any);

}  // namespace tool
