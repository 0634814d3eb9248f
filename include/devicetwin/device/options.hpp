/// The options of a device session.
#pragma once

#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint64_t

#include "../base/time.hpp"
#include "../twin/dialect.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// Who writes reported.
enum class authority : unsigned char {
  /// The device alone. What a fetched twin lacks or has otherwise is sent again. This repairs a
  /// lost section, a device identity that was made anew, and a duplicate that came late.
  device,
  /// Others too. What they wrote is taken over, except where the device has written since. This is
  /// what merge::outbox does under policy::ours.
  shared
};

/// How a device session works. Durations are in milliseconds.
struct device_options {
  const dialect* rules = &azure;  ///< of what is reported; must outlive the session
  authority who = authority::device;
  /// Reported patches name the version they change. After 412 the twin is fetched, and what is
  /// still to be said is sent again.
  bool conditional = false;
  /// Bytes of one reported patch. A longer patch is sent in parts.
  std::size_t max_payload = dialect::unlimited;
  /// Bytes of changes that are kept while the twin is asked for. Each takes up to 16 bytes and its
  /// text, and costs one pass over desired once the twin is there.
  std::size_t max_kept = 4096;
  milliseconds time_out{30'000};  ///< for an answer
  /// Delay before a request is sent again. It doubles each time, up to retry_longest. A random half
  /// to all of it is waited.
  milliseconds retry_first{1'000};
  milliseconds retry_longest{300'000};
  /// Of that chance and of request ids. Use another one at each start of the program.
  std::uint64_t seed = 0;
};

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
