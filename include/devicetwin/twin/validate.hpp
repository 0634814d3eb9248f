/// Checking a section or a patch against a dialect, before anything is sent or changed.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view
#include <type_traits>  // std::enable_if_t

#include "../json/arena.hpp"
#include "../json/error.hpp"
#include "../json/pointer.hpp"
#include "../json/read.hpp"
#include "../json/tree/events.hpp"
#include "../json/value.hpp"
#include "detail/big_numbers.hpp"
#include "detail/rule_checker.hpp"
#include "detail/section_size.hpp"
#include "dialect.hpp"
#include "violations.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

namespace functions {

/// Checks `value`, the content of a section or a patch of it, and adds every violation to `out`:
/// names, strings, integers, nulls, arrays, depth, and for a section (or where the dialect measures
/// patches) the size, whose head room is noted; for a section also the length of its text.
/// `$version` and `$metadata` belong to the twin and are violations here. A tree does not tell how
/// a number was spelled: an integer beyond 64 bits that was rounded when it was read is a double
/// like any other here. Give the text to have it found.
/// Errors, with the pointer: not_a_twin when `value` is no object, not_finite, out_of_memory.
/// Cost: one pass.
template <class Value>
std::enable_if_t<!json::core::stands_for_text<Value>, json::error> validate(
    const Value& value, part where, shape form, const dialect& rules, validation& out,
    const memory_source& memory = {});

/// The same for JSON text. First adds each integer beyond 64 bits, where the dialect refuses them,
/// and each number beyond the largest double. Errors: those of json::read but for the size of
/// numbers; as above. Then `out` is as it was. Cost: two or three passes.
inline json::error validate(std::string_view text, part where, shape form, const dialect& rules,
                            validation& out, const memory_source& memory = {});

}  // namespace functions

// ---------------------------------------------------------------------------------------------

namespace functions {

template <class Value>
std::enable_if_t<!json::core::stands_for_text<Value>, json::error> validate(
    const Value& value, part where, shape form, const dialect& rules, validation& out,
    const memory_source& memory) {
  const auto& checked = json::core::value_of(value);
  json::core::walk_memory<json::core::value_type_of<Value>> walk(memory);
  detail::rule_checker checker(rules, where, form, &out, memory);
  if (json::error e = detail::check_rules(checked, checker, walk)) return e;
  if (form == shape::section || rules.basis == size_basis::patch) {
    detail::section_size size;
    const auto nulls =
        form == shape::section ? json::core::nulls::drop_outside_arrays : json::core::nulls::emit;
    if (json::error e = detail::measure(checked, rules.size, nulls, walk, size)) return e;
    const auto note = [&](const json::error& e) { return out.add(where, e); };
    if (!detail::check_sizes(rules, where, size.by_formula, {},
                             form == shape::section ? size : detail::section_size(), note)) {
      return json::errc::out_of_memory;
    }
    // A section has at most the room of the whole twin, which is empty otherwise.
    const std::size_t own = rules.max_size(where), total = rules.max_total;
    if (form == shape::section && size.by_formula > total && size.by_formula <= own &&
        !note(json::error(json::errc::section_too_large).limited_to(total, size.by_formula))) {
      return json::errc::out_of_memory;
    }
    detail::validation_access::set_head_room(
        out, where,
        detail::room_left(form == shape::section && total < own ? total : own, size.by_formula));
  }
  return {};
}

inline json::error validate(std::string_view text, part where, shape form, const dialect& rules,
                            validation& out, const memory_source& memory) {
  json::read_options options;
  options.big_integers = rules.big_integers;
  options.memory = memory;
  json::arena arena(memory);
  json::arena_value value;
  json::error e = json::read(text, value, arena, options);
  const std::size_t before = out.size();
  if (detail::is_number_size(e.code())) {
    e = detail::read_without_big_numbers(
        text, value, arena, rules, memory, [&](std::string_view pointer, json::errc code) {
          return out.add(where, json::error(code).at(json::core::pointer_text{pointer}))
                     ? json::errc::ok
                     : json::errc::out_of_memory;
        });
  }
  if (!e) e = validate(value, where, form, rules, out, memory);
  if (e) detail::validation_access::truncate(out, before);
  return e;
}

}  // namespace functions

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
