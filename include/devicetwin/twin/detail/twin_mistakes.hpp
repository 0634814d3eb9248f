/// Which arguments a twin's writes take, so that a wrong one is told in one sentence.
#pragma once

#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view
#include <type_traits>  // std::is_convertible_v, std::enable_if_t

#include "../../base/time.hpp"
#include "../../json/error.hpp"
#include "../../json/value.hpp"
#include "../identity.hpp"
#include "../outcome.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// For writes without a condition: no argument converts to it.
struct no_condition {
  no_condition() = delete;
};

/// True for what a write takes after its input: the time, the caller's outcome or none, and the
/// condition or none.
template <class Condition, class... Arguments>
inline constexpr bool are_write_arguments = false;
template <class Condition, class Time>
inline constexpr bool are_write_arguments<Condition, Time> = std::is_convertible_v<Time, timestamp>;
template <class Condition, class Time, class Last>
inline constexpr bool are_write_arguments<Condition, Time, Last> =
    std::is_convertible_v<Time, timestamp> &&
    (std::is_convertible_v<Last, outcome&> || std::is_convertible_v<Last, Condition>);
template <class Condition, class Time, class Done, class Last>
inline constexpr bool are_write_arguments<Condition, Time, Done, Last> =
    std::is_convertible_v<Time, timestamp>&& std::is_convertible_v<Done, outcome&>&&
        std::is_convertible_v<Last, Condition>;

/// The same after an event: the caller's outcome or none.
template <class... Arguments>
inline constexpr bool are_event_arguments = sizeof...(Arguments) == 0 ||
                                            (sizeof...(Arguments) == 1 &&
                                             (std::is_convertible_v<Arguments, outcome&> && ...));

/// What a twin's write returns for wrong arguments: what its caller expects, lest there be a second
/// error. Nothing for the right ones.
template <bool right, class... Arguments>
using mistaken_write =
    std::enable_if_t<!right, std::conditional_t<(std::is_convertible_v<Arguments, outcome&> || ...),
                                                json::error, json::result<outcome>>>;

/// Overloads of a twin's writes for wrong arguments: mistakes, explained. Without them compilers
/// list every overload and what is wrong with it.
class twin_mistakes {
 public:
  template <class Who, class... Arguments>
  mistaken_write<std::is_convertible_v<const Who&, const new_identity&> &&
                     are_write_arguments<no_condition, Arguments...>,
                 Arguments...>
  create(const Who&, Arguments&&...) {
    static_assert(json::core::mistaken<Who>,
                  "basic_twin: a twin is created with a devicetwin::new_identity, the time (a "
                  "devicetwin::timestamp), and an outcome or none");
    return json::errc::wrong_type;
  }
  template <class Input, class... Arguments>
  mistaken_write<are_write_arguments<std::string_view, Arguments...>, Arguments...> service_patch(
      const Input&, Arguments&&...) {
    static_assert(json::core::mistaken<Input>,
                  "basic_twin: after the input come the time (a devicetwin::timestamp), an outcome "
                  "or none, and the text of If-Match or none");
    return json::errc::wrong_type;
  }
  template <class Input, class... Arguments>
  mistaken_write<are_write_arguments<std::string_view, Arguments...>, Arguments...> service_replace(
      const Input&, Arguments&&...) {
    static_assert(json::core::mistaken<Input>,
                  "basic_twin: after the input come the time (a devicetwin::timestamp), an outcome "
                  "or none, and the text of If-Match or none");
    return json::errc::wrong_type;
  }
  template <class Input, class... Arguments>
  mistaken_write<are_write_arguments<std::int64_t, Arguments...>, Arguments...> device_patch(
      const Input&, Arguments&&...) {
    static_assert(json::core::mistaken<Input>,
                  "basic_twin: after the input come the time (a devicetwin::timestamp), an outcome "
                  "or none, and the expected version or none");
    return json::errc::wrong_type;
  }
  template <class Input, class... Arguments>
  mistaken_write<are_write_arguments<no_condition, Arguments...>, Arguments...> apply_notification(
      const Input&, Arguments&&...) {
    static_assert(json::core::mistaken<Input>,
                  "basic_twin: after the input come the time (a devicetwin::timestamp), and an "
                  "outcome or none");
    return json::errc::wrong_type;
  }
  template <class Input, class... Arguments>
  mistaken_write<are_event_arguments<Arguments...>, Arguments...> apply_event(const Input&,
                                                                              Arguments&&...) {
    static_assert(json::core::mistaken<Input>,
                  "basic_twin: after an event comes an outcome or none; an event has its own time");
    return json::errc::wrong_type;
  }
};

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
