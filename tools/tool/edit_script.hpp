// Which elements two sequences have in common, in order.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace tool {

/// Pairs of indexes, one of each sequence, both ascending.
using index_pairs = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

/// Finds elements that two sequences have in common. With up to some hundred insertions and removals
/// these are as many as there can be; with more, elements that stand once in both sequences decide,
/// and the result may be smaller. Cost: n log n. Memory: some 50 bytes per element.
index_pairs common_elements(const std::vector<std::uint64_t>& a,
                            const std::vector<std::uint64_t>& b);

}  // namespace tool
