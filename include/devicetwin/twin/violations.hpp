/// What a check against a dialect found: every rule that is broken, and how much room is left.
#pragma once

#include <cstddef>  // std::size_t
#include <cstdint>  // std::int64_t, INT64_MAX

#include "../base/memory.hpp"
#include "../base/plain_array.hpp"
#include "../json/error.hpp"
#include "dialect.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// Whether a value is a merge patch, in which null removes, or the content of a section.
enum class shape : unsigned char { patch, section };

/// One rule that is broken: in which part, and what json::error says: code, pointer inside the
/// part, limit, actual figure, sentence.
struct violation {
  part where = part::tags;
  json::error what;
};

namespace detail {
struct validation_access;
}

/// All violations found, and how much room each section has left.
class validation {
 public:
  explicit validation(const memory_source& memory = {}) noexcept : found_(memory) {}

  bool empty() const noexcept { return found_.empty(); }
  std::size_t size() const noexcept { return found_.size(); }
  const violation& operator[](std::size_t index) const noexcept { return found_[index]; }
  const violation* begin() const noexcept { return found_.data(); }
  const violation* end() const noexcept { return found_.data() + found_.size(); }

  /// How much the section may still grow, by the dialect's formula and on the merged result;
  /// negative when it is too large already, INT64_MAX when there is no limit. Filled in by what
  /// knows the section.
  std::int64_t head_room(part p) const noexcept { return head_room_[static_cast<std::size_t>(p)]; }

  /// Adds a violation: also for rules of a program's own. False when memory ran out.
  [[nodiscard]] bool add(part where, const json::error& what) noexcept {
    if (!found_.reserve(1)) return false;
    found_.push({where, what});
    return true;
  }
  void clear() noexcept { found_.truncate(0); }

 private:
  friend struct detail::validation_access;

  base::plain_array<violation> found_;
  std::int64_t head_room_[part_count] = {INT64_MAX, INT64_MAX, INT64_MAX};
};

namespace detail {

/// What only the checks of this library do to a validation.
struct validation_access {
  static void set_head_room(validation& v, part p, std::int64_t bytes) noexcept {
    v.head_room_[static_cast<std::size_t>(p)] = bytes;
  }
  /// Forgets all violations but the first `size`.
  static void truncate(validation& v, std::size_t size) noexcept { v.found_.truncate(size); }
};

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
