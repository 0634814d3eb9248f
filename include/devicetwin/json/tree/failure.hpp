/// How the code inside the library reports failure, and what walkers share for it.
#pragma once

#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint64_t

#include "../error.hpp"
#include "events.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

/// How functions inside the library report failure:
///   - One that cannot know the place returns an errc; a bool where only memory can run out.
///   - One that knows the place returns an error.
///   - A class that does its work in steps derives from this one. Its steps return false when they
///     failed, and failure() says why.
class steps_may_fail {
 public:
  const error& failure() const noexcept { return failure_; }

 protected:
  /// Each notes the failure and returns false. `limit` is the one that was exceeded, if any.
  bool fail(errc code) noexcept {
    failure_ = code;
    return false;
  }
  template <class Place>
  bool fail(errc code, const Place& where, std::size_t limit = 0) {
    failure_ = error(code).limited_to(limit).at(where);
    return false;
  }
  /// Notes which limit was exceeded, where there is no place, and returns false. `actual` is what
  /// was found, if that is known.
  bool exceeded(errc code, std::uint64_t limit, std::uint64_t actual = 0) noexcept {
    fail(code);
    static_cast<void>(static_cast<error&&>(failure_).limited_to(limit, actual));
    return false;
  }
  /// For a class that can do its work again.
  void forget_failure() noexcept { failure_ = {}; }
  /// After a handler of events returned false: notes why, and returns false.
  template <class Handler>
  bool stopped(const Handler& handler) noexcept {
    return fail(failure_of(handler, 0));
  }
  template <class Handler, class Place>
  bool stopped(const Handler& handler, const Place& where) {
    return fail(failure_of(handler, 0), where);
  }
  /// Notes the outcome of something that was called; false when it failed.
  bool good(const error& e) noexcept {
    if (e) failure_ = e;
    return !e;
  }

 private:
  error failure_;
};

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
