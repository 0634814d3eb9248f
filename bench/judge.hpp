// Judges results before anything is timed. Built on one library that is neither ours nor fast, used
// only to read, compare and patch.
#pragma once

#include <memory>
#include <string>

#include "contest.hpp"

namespace bench {

// Checks the pair itself: both patches do what they say; a twin's are about its reported section.
// Empty when all is well, else what is wrong.
std::string judge_pair(const pair_texts& texts, bool twin);

// Prepares `what` as `candidate`, runs it and compares its result with the pair. Empty when right,
// else what is wrong; nothing is thrown.
std::string judge_operation(const operation& what, const pair_texts& texts,
                            std::unique_ptr<job>& candidate);

// Runs both in step and compares their results to the last stamp, lists of changes in any order.
// Empty when they agree, else where they do not.
std::string judge_agreement(const operation& one, const operation& other, const pair_texts& texts);

}  // namespace bench
