/// The names that were written into an object, to find one that comes twice.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint32_t
#include <string_view>  // std::string_view

#include "../../base/memory.hpp"
#include "../../base/plain_array.hpp"
#include "../../json/tree/name_hash.hpp"
#include "../../json/tree/name_index.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

class written_names {
 public:
  explicit written_names(const memory_source& memory) noexcept
      : text_(memory), names_(memory), slots_(memory) {}

  /// Notes a name; `repeated` when it is there already, and then it is not noted again. False when
  /// memory ran out. Cost: the same for each name, however many there are.
  [[nodiscard]] bool add(std::string_view name, bool& repeated) noexcept {
    repeated = false;
    if (2 * (names_.size() + 1) > slots_.size() && !make_slots()) return false;
    std::size_t slot = place(name);
    for (; slots_[slot] != 0; slot = (slot + 1) & (slots_.size() - 1)) {
      repeated = text(slots_[slot] - 1) == name;
      if (repeated) return true;
    }
    if (!text_.reserve(name.size()) || !names_.reserve(1)) return false;
    names_.push(
        {static_cast<std::uint32_t>(text_.size()), static_cast<std::uint32_t>(name.size())});
    text_.append(name.data(), name.size());
    slots_[slot] = static_cast<std::uint32_t>(names_.size());
    return true;
  }
  /// The name that was noted last; valid until the next one is.
  std::string_view last() const noexcept {
    return names_.size() == 0 ? std::string_view() : text(names_.size() - 1);
  }
  void clear() noexcept {
    text_.truncate(0);
    names_.truncate(0);
    slots_.truncate(0);
  }

 private:
  struct range {
    std::uint32_t offset, length;
  };
  std::string_view text(std::size_t index) const noexcept {
    return {text_.data() + names_[index].offset, names_[index].length};
  }
  std::size_t place(std::string_view name) const noexcept {
    return static_cast<std::size_t>(json::core::hash_name(name)) & (slots_.size() - 1);
  }
  bool make_slots() noexcept {
    std::size_t count = 16;
    while (count < 4 * (names_.size() + 1)) count *= 2;
    slots_.truncate(0);
    if (!slots_.reserve(count)) return false;
    slots_.extend(count);
    for (std::size_t i = 0; i < count; ++i) slots_[i] = 0;
    for (std::size_t i = 0; i < names_.size(); ++i) {
      std::size_t slot = place(text(i));
      while (slots_[slot] != 0) slot = (slot + 1) & (count - 1);
      slots_[slot] = static_cast<std::uint32_t>(i + 1);
    }
    return true;
  }

  base::plain_array<char> text_;
  base::plain_array<range> names_;
  base::plain_array<std::uint32_t>
      slots_;  ///< a name's index plus one, or 0; a power of two of them
};

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
