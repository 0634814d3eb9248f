// Judges results before anything is timed. Built on one library that is neither ours nor fast, used
// only to read, compare and patch.
#pragma once

#include <memory>
#include <string>

#include "contest.hpp"

namespace bench {

// Checks the pair itself: both patches do what they say. Empty when all is well, else what is
// wrong.
std::string judge_pair(const pair_texts& texts);

// Prepares `what` as `candidate`, runs it and compares its result with the pair. Empty when right,
// else what is wrong; nothing is thrown.
std::string judge_operation(const operation& what, const pair_texts& texts,
                            std::unique_ptr<job>& candidate);

}  // namespace bench
