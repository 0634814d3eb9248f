/// The whole library.
#pragma once

#include "json/arena.hpp"
#include "json/equal.hpp"
#include "json/error.hpp"
#include "json/get.hpp"
#include "json/memory.hpp"
#include "json/number.hpp"
#include "json/pointer.hpp"
#include "json/read.hpp"
#include "json/value.hpp"
#include "json/write.hpp"
#include "merge/diff.hpp"
#include "merge/journal.hpp"
#include "merge/merge_patch.hpp"
#include "merge/options.hpp"
#include "merge/text.hpp"
#include "version.hpp"
