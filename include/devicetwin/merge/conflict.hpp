/// Where two sides changed the same place in different ways: how that is reported, and who decides.
#pragma once

#include <type_traits>  // std::is_same_v
#include <utility>      // std::declval

#include "../json/error.hpp"
#include "../json/pointer.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {

/// One of two sides that changed the same document.
enum class side : unsigned char { ours, theirs };

/// What to do about conflicts: take that side's value, or refuse the whole.
enum class policy : unsigned char {
  ours,
  theirs,
  fail  ///< errc::conflict with the first place; every conflict is reported all the same
};

enum class conflict_kind : unsigned char {
  both_changed,         ///< two values of one JSON type
  changed_and_removed,  ///< one side changed what the other removed
  type_clash            ///< values of different JSON types, such as an object and a number
};

/// One conflict, valid during the call that reports it. A null pointer stands for a member that is
/// not there.
template <class Base, class Ours, class Theirs>
struct conflict {
  json::location where;
  const Base* base;  ///< before both
  const Ours* ours;
  const Theirs* theirs;
  conflict_kind kind;
  side chosen;  ///< by the policy; `ours` under policy::fail
};

/// The words for logs: "both changed", "changed and removed", "type clash"; "ours", "theirs".
constexpr const char* name_of(conflict_kind kind) noexcept {
  switch (kind) {
    case conflict_kind::both_changed:
      return "both changed";
    case conflict_kind::changed_and_removed:
      return "changed and removed";
    case conflict_kind::type_clash:
      return "type clash";
  }
  return "";
}
constexpr const char* name_of(side s) noexcept { return s == side::ours ? "ours" : "theirs"; }

/// The report of those who want none. A report is any callable that takes `const conflict<...>&`:
/// with `const auto&` for its parameter it fits every instance. When it returns a `side`, that
/// decides instead of the policy. It must not throw, nor touch the documents.
struct no_report {
  template <class Conflict>
  void operator()(const Conflict&) const noexcept {}
};

namespace detail {

/// Whether the report decides.
template <class Report, class Conflict>
inline constexpr bool decides =
    std::is_same_v<decltype(std::declval<Report&>()(std::declval<const Conflict&>())), side>;

/// Tells the report of each conflict, lets it or else the policy choose, and remembers what nobody
/// chose.
template <class Report>
class judge {
 public:
  judge(policy prefer, Report& report) noexcept : prefer_(prefer), report_(report) {}

  /// By the policy.
  side chosen() const noexcept { return prefer_ == policy::theirs ? side::theirs : side::ours; }

  template <class Conflict>
  side operator()(const Conflict& found) {
    if constexpr (decides<Report, Conflict>) {
      return report_(found);
    } else {
      report_(found);
      if (prefer_ == policy::fail && !refused_)
        refused_ = json::error(json::errc::conflict).at(found.where);
      return found.chosen;
    }
  }

  /// The first conflict, under policy::fail.
  const json::error& refused() const noexcept { return refused_; }

 private:
  policy prefer_;
  Report& report_;
  json::error refused_;
};

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
