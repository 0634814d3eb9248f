// The groups of commands; each is in the file of its name.
#pragma once

#include <vector>

#include "command.hpp"

namespace tool {

std::vector<command> patch_commands();  ///< apply, patch, diff
std::vector<command> merge_commands();  ///< compose, invert, merge
std::vector<command> twin_commands();   ///< twin new, patch, replace, show, delta, since; check

}  // namespace tool
