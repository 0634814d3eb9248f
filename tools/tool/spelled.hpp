// Documents as trees in which every number keeps its spelling, for commands that have no
// counterpart on texts.
//
// Each string of a document stands in such a tree with an 's' before it, and each number as a
// string: an 'n' and the number as it is spelled. So the functions on trees move numbers about and
// cannot change a digit, whatever their size.
#pragma once

#include <devicetwin/json/arena.hpp>
#include <devicetwin/json/error.hpp>

#include <string>
#include <string_view>

#include "command.hpp"

namespace tool {

/// Reads JSON text into such a tree. Errors: those of json::read but for the size of numbers.
devicetwin::json::error read_spelled(std::string_view text, devicetwin::json::document& to);
/// Loads a file into one. Gives 0, or the exit status after a complaint.
int load_spelled(const std::string& name, input& in, devicetwin::json::document& to);

/// Appends a value of such a tree as JSON text.
devicetwin::json::error write_spelled(const devicetwin::json::arena_value& value, std::string& out);

/// Writes a result, as deliver_json() does.
int deliver_spelled(const arguments& given, const devicetwin::json::document& value,
                    const input& source);

/// Whether two values of such trees have the same type.
bool same_type(const devicetwin::json::arena_value& a, const devicetwin::json::arena_value& b);

/// Whether two values of such trees are equal: numbers when their decimal values are, objects in
/// any order of members.
bool same_value(const devicetwin::json::arena_value& a, const devicetwin::json::arena_value& b);

/// Gives each number that has an equal one at the same place of `like` the spelling that it has
/// there. An array is one value: it is spelled anew as a whole or not at all. Afterwards, of two
/// values at the same place, those that are equal are spelled the same, which is how functions on
/// trees compare them.
devicetwin::json::error respell(devicetwin::json::document& tree,
                                const devicetwin::json::document& like);

}  // namespace tool
