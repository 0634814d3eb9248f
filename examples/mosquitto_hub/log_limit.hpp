/// How often a line of the log is repeated.
#pragma once

#include <devicetwin/twin/stamp.hpp>

#include <cstddef>
#include <map>
#include <string>

namespace hub {

/// Lets each text into the log once a minute, so that a client that repeats a request does not fill
/// the disk. It remembers the last 1,024 texts at most. For one thread.
class log_limit {
 public:
  /// Whether the text is to be written now.
  bool may_write(const std::string& text, devicetwin::timestamp now) {
    const auto found = written_.find(text);
    if (found != written_.end() && now >= found->second && now.ticks - found->second.ticks < minute)
      return false;
    if (found == written_.end() && written_.size() >= most) written_.clear();
    written_[text] = now;
    return true;
  }

 private:
  static constexpr std::int64_t minute = 60 * devicetwin::ticks_per_second;
  static constexpr std::size_t most = 1024;

  std::map<std::string, devicetwin::timestamp> written_;
};

}  // namespace hub
