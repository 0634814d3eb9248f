// What the rows `lookup` look for: the values of a document that a change is about.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "documents.hpp"

namespace bench {

// The JSON Pointers of the leaves of the pair's forward patch, in its order: one for p1, five for
// p5. What p5 adds is not in the document.
std::vector<std::string> wanted_pointers(const pair_texts& texts);

// What was found, as a JSON array; null stands for an empty text, where there is no value.
std::string found_array(const std::vector<std::string_view>& values);

}  // namespace bench
