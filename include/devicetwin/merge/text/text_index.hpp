/// Where the commas and brackets of part of a text stand.
#pragma once

#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint32_t

#include "../../base/memory.hpp"
#include "../../base/stack.hpp"
#include "../../json/error.hpp"
#include "../../json/text/scan.hpp"
#include "../../json/text/tokens.hpp"
#include "text_member.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

/// An entry per comma and bracket outside strings, in order. The entry of an opening bracket names
/// that of its closing one, so that a member is passed over in one step, whatever is in it. All
/// other entries are places in the text. Where an opening bracket stands needs no entry: a value
/// begins there.
///
/// Memory: 4 bytes for each comma and bracket.
class text_index {
 public:
  /// The number of an entry, or an entry.
  using number = std::uint32_t;
  /// Set in the entry of an opening bracket. So an index reaches no further than 2 GiB.
  static constexpr number opens = json::core::index_state::opens;

  explicit text_index(const memory_source& memory) noexcept : entries_(memory) {}

  /// Adds the entries from `p`, which is between tokens inside a container, up to that container's
  /// closing bracket. `text` is where `structure` and the places begin.
  /// Errors: unexpected_character when it is not closed, out_of_memory, too_large.
  json::errc add(json::core::text_structure& structure, const char* text, const char* p) {
    constexpr std::size_t room = json::core::index_state::room;
    json::core::index_state state{};
    for (auto c = structure.at(p); c.block != nullptr;) {
      const auto place = static_cast<std::size_t>(c.first - text);
      if (place > longest) return json::errc::too_large;
      if (!entries_.reserve(entries_.size() + room)) return json::errc::out_of_memory;
      state.entries = entries_.data();
      state.size = entries_.size();
      state.capacity = entries_.capacity();
      state.place = static_cast<number>(place);
      const std::size_t taken =
          json::core::level().index(c.block, structure.at_hand(c), c.bits, state);
      static_cast<void>(entries_.extend(state.size - entries_.size()));  // there is room
      if (state.closed) return json::errc::ok;
      structure.pass(c, taken);
    }
    return json::errc::unexpected_character;
  }

  const number* entries() const noexcept { return entries_.data(); }
  number size() const noexcept { return static_cast<number>(entries_.size()); }
  void truncate(number size) noexcept { entries_.truncate(size); }

 private:
  /// No run of blocks at hand is longer.
  static constexpr std::size_t longest = opens - (std::size_t{1} << 16);

  base::stack<number, 256> entries_;
};

/// Where memory counts, there is no index.
class no_text_index {
 public:
  using number = text_index::number;
  explicit no_text_index(const memory_source&) noexcept {}
  json::errc add(json::core::text_structure&, const char*, const char*) noexcept {
    return json::errc::ok;
  }
  const number* entries() const noexcept { return nullptr; }
  number size() const noexcept { return 0; }
  void truncate(number) noexcept {}
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
