/// The whole library.
#pragma once

// Floor by floor; and first the type of most results, so that a compiler that tells of one that is
// ignored shows a short way to it.
#include "json/error.hpp"

#include "base/memory.hpp"
#include "base/pool.hpp"
#include "base/range.hpp"
#include "base/text_buffer.hpp"
#include "base/time.hpp"

#include "json/arena.hpp"
#include "json/equal.hpp"
#include "json/find_text.hpp"
#include "json/get.hpp"
#include "json/number.hpp"
#include "json/number_text.hpp"
#include "json/pointer.hpp"
#include "json/read.hpp"
#include "json/value.hpp"
#include "json/visible.hpp"
#include "json/write.hpp"

#include "merge/change.hpp"
#include "merge/change_builder.hpp"
#include "merge/conflict.hpp"
#include "merge/diff.hpp"
#include "merge/differences.hpp"
#include "merge/journal.hpp"
#include "merge/json_patch.hpp"
#include "merge/json_patch_conversions.hpp"
#include "merge/merge3.hpp"
#include "merge/merge_patch.hpp"
#include "merge/options.hpp"
#include "merge/outbox.hpp"
#include "merge/text.hpp"

#include "twin/answer.hpp"
#include "twin/delta.hpp"
#include "twin/dialect.hpp"
#include "twin/identity.hpp"
#include "twin/outcome.hpp"
#include "twin/since.hpp"
#include "twin/stamp.hpp"
#include "twin/store.hpp"
#include "twin/stored.hpp"
#include "twin/subscription.hpp"
#include "twin/synchronized_store.hpp"
#include "twin/twin.hpp"
#include "twin/validate.hpp"
#include "twin/view.hpp"
#include "twin/violations.hpp"

#include "protocol/error_body.hpp"
#include "protocol/topic.hpp"

#include "device/action.hpp"
#include "device/device_session.hpp"
#include "device/plug_and_play.hpp"

#include "hub/action.hpp"
#include "hub/hub_session.hpp"

#include "version.hpp"
