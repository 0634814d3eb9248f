/// What a merge does to a text, written down: as records of text_changes, or as the patch that
/// removes what objects take the place of.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../base/memory.hpp"
#include "../../base/text_buffer.hpp"
#include "../../json/find_text.hpp"
#include "../../merge/text.hpp"
#include "../action.hpp"
#include "match_texts.hpp"
#include "removal_writer.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

// Each function returns false when memory ran out, or the output is full; it holds a part then.

/// Writes every change that a merge of `old_text` and the patch `new_text` makes.
template <class Output>
bool write_changes(merge::core::text_plan& plan, const memory_source& memory, Output& out,
                   std::string_view old_text, std::string_view new_text) {
  if (plan.changes() == 0) return true;
  merge::core::text_plan::steps path(memory);
  if (!plan.prepare_to_tell(path)) return false;
  text_buffer pointer(memory);
  bool fits = true;
  const auto journal = [&](const json::location& where, const std::string_view* before,
                           const std::string_view* after) {
    pointer.resize(0);
    for (std::size_t i = 0; i < where.depth(); ++i) fits = fits && append_step(where[i], pointer);
    const text_change change{pointer.view(), before == nullptr ? std::string_view() : *before,
                             after == nullptr ? std::string_view() : *after};
    fits = fits && text_changes::append(out, change, old_text, new_text);
  };
  plan.tell(journal, path);
  return fits;
}

/// Writes each member of an object as new.
template <class Output>
bool write_members(std::string_view object, const memory_source& memory, Output& out) {
  text_buffer pointer(memory);
  bool fits = true;
  json::core::text_items items(object);
  while (fits && items.next()) {
    pointer.resize(0);
    fits = merge::core::append_name(items.name(), pointer) &&
           text_changes::append(out, {pointer.view(), {}, items.value()}, {}, object);
  }
  return fits;
}

/// Writes the merge patch that removes each member that is there and that an object takes the place
/// of; nothing when there is none.
template <class Output>
bool write_removals(merge::core::text_plan& plan, const memory_source& memory, Output& out) {
  merge::core::text_plan::steps path(memory);
  if (!plan.prepare_to_tell(path)) return false;
  removal_writer<Output> writer(out, memory);
  bool fits = true;
  const auto journal = [&](const json::location& where, const std::string_view* old_text,
                           const std::string_view* new_text) {
    if (old_text != nullptr && new_text != nullptr && new_text->front() == '{')
      fits = fits && writer.remove(where);
  };
  plan.tell(journal, path);
  return fits && writer.finish();
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
