/// Moving over what two JSON texts have in common.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <cstring>      // std::memchr, std::memcmp
#include <string_view>  // std::string_view
#include <type_traits>  // std::conditional_t

#include "../../base/bits.hpp"
#include "../../base/inline.hpp"
#include "../../base/memory.hpp"
#include "../../json/text/scan.hpp"
#include "../../json/text/tokens.hpp"
#include "../../json/text/validate.hpp"
#include "../../json/tree/scalar.hpp"
#include "../../json/tree/tree_diff.hpp"
#include "look_ahead.hpp"
#include "text_member.hpp"
#include "text_patch.hpp"
#include "text_sink.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

/// The same place of two texts, and how to get on from there while they are the same byte by byte.
/// The open containers are kept up to date by the masks of scan.hpp. What most changes are, a
/// scalar in the place of another, is dealt with on the way.
class text_walk {
 protected:
  enum class state : unsigned char {
    entry,  ///< before a member or element, or a closing bracket
    after   ///< behind a value, before a comma or a closing bracket
  };

  text_walk(const json::core::diff_rules& rules, text_sink* sink,
            const memory_source& memory) noexcept
      : memory_(memory), patch_(rules, sink, to_structure_, memory), aside_(patch_, memory) {}

  void reset(std::string_view from, std::string_view to) noexcept {
    from_ = a_ = from.data();
    to_ = b_ = to.data();
    a_end_ = a_ + from.size();
    b_end_ = b_ + to.size();
    from_structure_.reset(from);
    to_structure_.reset(to);
    patch_.reset(from_, to_);
  }

  bool strict() const noexcept { return shortcuts && strict_; }

  // Each returns false when patch_.failure() is set.

  /// Moves over what is the same in both texts, to the last place before the first difference from
  /// where meaning can be looked at: before a member, element or closing bracket, or behind a
  /// value.
  bool skip_equal() {
    if constexpr (!shortcuts) {  // one member after the other
      same_to_ = b_;
      return true;
    }
    do {
      const auto a_left = static_cast<std::size_t>(a_end_ - a_);
      const auto b_left = static_cast<std::size_t>(b_end_ - b_);
      const std::size_t least = a_left < b_left ? a_left : b_left;
      same_to_ = b_;
      if (shortcuts && least >= 8 && std::memcmp(a_, b_, 8) != 0) return true;  // worth no call
      const std::size_t same = json::core::level().common(a_, b_, least);
      same_to_ = b_ + same;
      if (same == least) {
        if (a_left == b_left && aside_.none()) {
          close_all();
          return true;
        }
        return same == 0 || follow(same);
      }
      if (same == 0 || !follow(same)) return same == 0;
    } while (shortcuts && state_ == state::entry && patch_.wanted() && !patch_.inside_array() &&
             changed_scalar());
    return true;
  }

  /// A shortcut for what most changes are, in texts without white space: the first difference is in
  /// the value of a member, which is a string, number, true or false in both. False when it is not
  /// so, with nothing done, or when no member follows.
  bool changed_scalar() {
    const char* const differing = same_to_;
    if (b_ >= differing || *b_ != '"') return false;
    const char* const name_end = to_structure_.skip_string(b_);
    if (name_end == nullptr || name_end >= differing || *name_end != ':') return false;
    const char* const b = name_end + 1;
    const char* const a = a_ + (b - b_);
    const char* a_end;
    const char* b_end;
    bool same = false;
    if (*a == '"' && *b == '"') {
      a_end = a + (differing - b);
      if (b == differing || !starts_apart(a_end, differing)) return false;
      b_end = to_structure_.skip_string(b);
      if (b_end == nullptr || b_end <= differing) return false;
      a_end = json::core::skip_string(a_end, a_end_);
    } else {
      bool a_plain = false, b_plain = false;
      a_end = scalar_end(a, a_end_, a_plain);
      b_end = scalar_end(b, b_end_, b_plain);
      if (a_end == nullptr || b_end == nullptr) return false;
      if (b_end <= differing && a_end - a == b_end - b)
        return false;  // the difference is behind the value
      if (!(a_plain && b_plain) && *a != '"' && *b != '"') {
        same = json::core::same_scalar_text(text_between(a, a_end), text_between(b, b_end),
                                            patch_.rules().numbers, patch_.rules().number_texts);
      }
    }
    if (a_end == nullptr || b_end >= b_end_ || a_end >= a_end_) return false;
    if (strict() && !is_valid(b, b_end)) return false;
    if (!same) {
      name_ = b_;
      name_end_ = name_end;
      if (!patch_.put_member(b_, name_end, b, b_end)) return false;
    }
    const bool go_on =
        *a_end == ',' && *b_end == ',' && (!strict() || (b_end_ - b_end > 1 && b_end[1] == '"'));
    a_ = a_end + (go_on ? 1 : 0);
    b_ = b_end + (go_on ? 1 : 0);
    if (!go_on) state_ = state::after;
    return go_on;
  }
  /// Behind the string, number, true or false at `p`; null for anything else. `plain` is set for a
  /// number that another such one is equal to only if it is spelled the same: without exponent,
  /// neither -0 nor with a 0 at the end of its fraction, and of so few digits that no two of them
  /// become one double.
  static const char* scalar_end(const char* p, const char* end, bool& plain) noexcept {
    if (*p == '"') return json::core::skip_string(p + 1, end);
    const auto digit = [](char c) { return static_cast<unsigned char>(c - '0') < 10; };
    const char* const start = p;
    if (!digit(*p) && *p != '-') {
      const auto left = static_cast<std::size_t>(end - p);
      if (left >= 4 && std::memcmp(p, "true", 4) == 0) return p + 4;
      return left >= 5 && std::memcmp(p, "false", 5) == 0 ? p + 5 : nullptr;
    }
    const char* const digits = *p == '-' ? p + 1 : p;
    p = json::core::skip_short_number(p, end);
    if (p == nullptr) {
      p = digits;
      while (p != end && (digit(*p) || *p == '.')) ++p;
      if (p == digits) return nullptr;
    }
    const std::size_t length = static_cast<std::size_t>(p - digits);
    plain = length <= 16 && (*start != '-' || *digits != '0' || length != 1) &&
            (p[-1] != '0' || std::memchr(digits, '.', length) == nullptr);
    while (p != end && (digit(*p) || *p == 'e' || *p == '-' || *p == '+' || *p == 'E')) {
      plain = false;
      ++p;
    }
    return p;
  }
  /// Two strings that are the same up to here and go on with different bytes: whether they mean
  /// something different for certain, there being no escape sequence here or in the 12 bytes
  /// before, the longest there is.
  bool starts_apart(const char* a, const char* b) const noexcept {
    if (b - to_ < 12 || *a == '\\' || *b == '\\') return false;
    return !base::any_byte(base::first_lowest(b - 12), '\\') &&
           !base::any_byte(base::first_lowest(b - 8), '\\');
  }

  /// What follows is the same to the end of both texts, and no member was put aside: it is equal.
  void close_all() {
    while (!patch_.empty()) leave();
    a_ = a_end_;
    b_ = b_end_;
  }
  /// Behind the closing brackets of the innermost container.
  void leave() {
    patch_.close_innermost();
    pop();
    state_ = state::after;
  }
  void pop() noexcept {
    aside_.leave(patch_.depth());
    patch_.pop();
  }

  /// Reads the structure of the next `same` bytes, which both texts share, and stops as
  /// skip_equal() says.
  bool follow(std::size_t same) {
    constexpr std::size_t block_size = json::core::block_size;
    const char* const last = b_ + same;
    auto c = to_structure_.at(b_);
    const char* item = b_;  // where the member or element at hand starts
    while (shortcuts) {     // short stretches mostly have no brackets
      const auto left = static_cast<std::size_t>(last - c.first);
      if (left < block_size) c.bits &= (std::uint64_t{1} << left) - 1;
      if (((c.block->open | c.block->close) & c.bits) != 0) break;
      const std::uint64_t commas = c.block->comma & c.bits;
      if (commas != 0) item = c.first + base::highest_bit(commas) + 1;
      if (left <= block_size) {
        a_ += item - b_;
        b_ = item;
        return true;
      }
      to_structure_.next(c);
    }
    const auto apart = static_cast<text_offset>((a_ - from_) - (b_ - to_));  // modulo 2^32
    const std::size_t lowest = aside_.outermost_to_stop_at();
    std::size_t size = patch_.depth();
    std::size_t least = size;
    for (;;) {  // as many blocks as are at hand
      const auto left = static_cast<std::size_t>(last - c.first);
      std::size_t blocks = (left + block_size - 1) / block_size;
      const bool ends = blocks <= to_structure_.at_hand(c);
      if (!ends) blocks = to_structure_.at_hand(c);
      const std::uint64_t end_bits =
          ends ? ~std::uint64_t{0} >> (0 - left) % block_size : ~std::uint64_t{0};
      text_offset first = static_cast<text_offset>(c.first - to_);
      std::uint64_t bits = c.bits;
      for (std::size_t i = 0; i != blocks;
           ++i, first += static_cast<text_offset>(block_size), bits = ~std::uint64_t{0}) {
        if (i + 1 == blocks) bits &= end_bits;
        std::uint64_t opening = c.block[i].open & bits;
        // Most containers are closed in the block that opens them, and leave nothing to write down.
        for (std::uint64_t closing = c.block[i].close & bits; closing != 0;
             closing &= closing - 1) {
          const std::uint64_t below = (closing - 1) & ~closing;
          std::uint64_t own = opening & below;
          opening &= ~below;
          if (own != 0) {
            for (; (own & (own - 1)) != 0; own &= own - 1) {
              if (!patch_.put(size, first + static_cast<text_offset>(base::lowest_bit(own)), apart))
                return false;
            }
            continue;
          }
          if (size == lowest) {
            const text_offset bracket = first + static_cast<text_offset>(base::lowest_bit(closing));
            patch_.settle(lowest, lowest);
            a_ = from_ + static_cast<text_offset>(bracket + apart);
            b_ = to_ + bracket;
            return true;
          }
          --size;
          if (size < least) least = size;
        }
        for (; opening != 0; opening &= opening - 1) {
          if (!patch_.put(size, first + static_cast<text_offset>(base::lowest_bit(opening)), apart))
            return false;
        }
      }
      for (std::size_t i = blocks; i-- != 0;) {
        std::uint64_t separators = c.block[i].open | c.block[i].close | c.block[i].comma;
        if (i + 1 == blocks) separators &= end_bits;
        if (separators == 0) continue;
        const char* const behind = c.first + i * block_size + base::highest_bit(separators) + 1;
        if (behind > item) item = behind;
        break;
      }
      if (ends) break;
      to_structure_.pass(c, blocks);
    }
    patch_.settle(size, least);
    state_ = item != b_ && (item[-1] == '}' || item[-1] == ']') ? state::after : state::entry;
    a_ += item - b_;
    b_ = item;
    return true;
  }
  // --- Validating `to` where it differs ---------------------------------------------------------

  /// Whether a comma stands before this place of `to`: what is equal may end with one.
  bool behind_comma(const char* p) const noexcept {
    while (p != to_ && json::core::is_space(p[-1])) --p;
    return p != to_ && p[-1] == ',';
  }
  /// Whether the reader would accept this value for certain.
  bool is_valid(const char* value, const char* end) {
    if (*value == '"') return json::core::is_valid_string(value + 1, end - 1);
    if (*value != '{' && *value != '[') {
      return end < b_end_ && json::core::skip_valid_plain(value, b_end_) == end;
    }
    const std::size_t max_depth = patch_.rules().max_depth;
    return patch_.depth() < max_depth &&
           json::core::quick_validator(text_between(value, end), max_depth - patch_.depth(),
                                       memory_)
               .sure();
  }

  memory_source memory_;
  const char* from_ = nullptr;
  const char* to_ = nullptr;
  const char* a_ = nullptr;  ///< where the walk is in `from`
  const char* b_ = nullptr;  ///< and in `to`
  const char* a_end_ = nullptr;
  const char* b_end_ = nullptr;
  const char* same_to_ = nullptr;  ///< from `b_` to here the texts are known to be the same
  const char* name_ = nullptr;     ///< of the member at hand, in `to`, with its quotes
  const char* name_end_ = nullptr;
  bool strict_ = false;  ///< `to` is to be validated
  state state_ = state::entry;
  json::core::text_structure from_structure_;
  json::core::text_structure to_structure_;
  text_patch patch_;
  std::conditional_t<shortcuts, look_ahead, no_look_ahead> aside_;
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
