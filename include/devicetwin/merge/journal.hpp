/// Who is told what a merge patch changed.
///
/// A journal is any callable
///     void (const json::location& where, const Value* old_value, const Value* new_value)
/// with Value the target's type. It is called once for each effective change while it is made:
/// `old_value` is null for a member that is new, `new_value` for one that is removed. A subtree
/// that is new, removed, or replaced as a whole is one change; a value equal to what was there is
/// none. All three arguments are valid during the call only. It must not touch the target and must
/// not throw. Under change_rule::by_presence an equal value is told as well, `old_value` and
/// `new_value` being the same.
///
/// When the journal also has `bool reserve(std::size_t changes)`, that is called before anything is
/// written, if there is at least one change; false refuses the patch (handler_stopped) and nothing
/// has changed.
#pragma once

#include <cstddef>      // std::size_t
#include <type_traits>  // std::is_invocable_v

#include "../json/pointer.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {

/// The journal of those who want none; it costs nothing.
struct no_journal {
  template <class Value>
  void operator()(const json::location&, const Value*, const Value*) const noexcept {}
};

namespace core {

template <class Journal, class Value>
inline constexpr bool is_journal =
    std::is_invocable_v<Journal&, const json::location&, const Value*, const Value*>;

template <class Journal>
auto reserve_journal(Journal& journal, std::size_t changes, int)
    -> decltype(journal.reserve(changes)) {
  return journal.reserve(changes);
}
template <class Journal>
bool reserve_journal(Journal&, std::size_t, long) {
  return true;
}

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
