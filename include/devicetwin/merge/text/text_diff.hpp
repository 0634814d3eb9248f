/// Two JSON texts walked side by side: the machine behind diff_text and the equality of texts.
///
/// It stands at the same place of both texts and does, over and over: skip what is the same byte by
/// byte, keeping the stack of open containers up to date by the masks of scan.hpp; then one member,
/// element or separator by its meaning; and so on. Members are expected in the same order. Where
/// they are not, the walk looks a few members ahead, and what it still cannot pair is matched by
/// name at the end of the object.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <cstring>      // std::memchr, std::memcmp
#include <string_view>  // std::string_view

#include "../../base/bits.hpp"
#include "../../base/memory.hpp"
#include "../../base/stack.hpp"
#include "../../json/error.hpp"
#include "../../json/pointer.hpp"
#include "../../json/text/scan.hpp"
#include "../../json/text/tokens.hpp"
#include "../../json/text/validate.hpp"
#include "../../json/tree/name_hash.hpp"
#include "../../json/tree/name_index.hpp"
#include "../../json/tree/scalar.hpp"
#include "../../json/tree/tree_diff.hpp"
#include "../../json/tree/tuning.hpp"
#include "text_member.hpp"
#include "text_sink.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

using base::shortcuts;
using json::errc;
using json::error;

class text_diff {
 public:
  /// `patch` gets the merge patch; when it is null, only whether the texts differ is found out.
  /// What goes wrong is written to `failure`.
  text_diff(const json::core::diff_rules& rules, text_sink* patch, const memory_source& memory,
            error& failure) noexcept
      : rules_(rules),
        memory_(memory),
        patch_(patch),
        failure_(failure),
        frames_(memory),
        specials_(memory),
        loose_from_(memory),
        loose_to_(memory),
        names_(memory),
        index_(memory) {}

  /// From now on `to` is validated wherever it differs from `from`, which must be valid: then a
  /// walk without error means that both are. malformed() means that the reader has to decide. Only
  /// where there are shortcuts.
  void check_second() noexcept {
    if constexpr (shortcuts) strict_ = true;
  }
  /// Walks. Errors: null_member, kept_member, depth_exceeded with the pointer, out_of_memory,
  /// too_large; and when malformed(), any: the text is not JSON then, and the reader knows better
  /// where.
  void run(std::string_view from, std::string_view to) {
    if (from.size() > longest_text || to.size() > longest_text) {
      failure_ = error(errc::too_large)
                     .limited_to(longest_text, from.size() > to.size() ? from.size() : to.size());
      return;
    }
    from_ = a_ = from.data();
    to_ = b_ = to.data();
    a_end_ = a_ + from.size();
    b_end_ = b_ + to.size();
    from_structure_.reset(from);
    to_structure_.reset(to);
    skip_spaces();
    static_cast<void>(walk());  // false may only mean that a difference was found
  }

  bool differ() const noexcept { return differ_; }
  bool malformed() const noexcept { return malformed_; }

 private:
  enum class state : unsigned char {
    entry,  ///< before a member or element, or a closing bracket
    after,  ///< behind a value, before a comma or a closing bracket
    loose   ///< among the members of the innermost object that were not paired in order
  };

  /// An open container of both texts: where its opening brackets are.
  struct frame {
    text_offset from_open;
    text_offset to_open;
  };

  /// More about some of the open containers.
  struct more {
    std::size_t index;  ///< in frames_
    text_offset first_loose_from, first_loose_to;
    text_offset first_name;
    text_offset next_loose;
    text_offset from_at, to_at;  ///< of the closing brackets, when `loose`
    bool loose;                  ///< the members left over are being gone through
    bool confined;  ///< its ends are the ends of the walk; those around it are kept here:
    text_offset from_end, to_end;
    std::size_t region;  ///< the confined container around it
  };

  using loose_members = base::stack<text_member, 16>;

  // Each returns false when failure_ is set, or when the walk is over because only a difference was
  // wanted.

  bool walk() {
    if (a_ == a_end_ || b_ == b_end_) return not_json();
    if (patch_ != nullptr) {
      if (*a_ != '{' || *b_ != '{') return strict() ? not_json() : whole();
      patch_->put('{');
      opened_ = 1;
    } else if (*a_ != *b_ || (*a_ != '{' && *a_ != '[')) {
      return scalars();
    }
    if (!enter(true)) return false;
    while (!frames_.empty()) {
      switch (state_) {
        case state::entry:
          if (!skip_equal()) return false;
          if (frames_.empty() || state_ != state::entry) break;
          if (!(to_[frames_.back().to_open] == '{' ? member_step() : element_step())) return false;
          break;
        case state::after:
          if (!after_step()) return false;
          break;
        case state::loose:
          if (!loose_step()) return false;
          break;
      }
    }
    return !strict() || json::core::skip_space(b_, b_end_) == b_end_ || not_json();
  }

  /// The roots are not both objects: the patch is `to` itself.
  bool whole() {
    const char* const end = value_end(to_structure_, b_, b_end_);
    if (end == nullptr) return not_json();
    differ_ = true;
    if (*b_ == '{' && !sayable(b_, end)) return false;
    patch_->put(b_, end);
    return true;
  }

  // --- Skipping what is equal -------------------------------------------------------------------

  /// Moves over what is the same in both texts, to the last place before the first difference from
  /// where meaning can be looked at: before a member, element or closing bracket, or behind a
  /// value.
  bool skip_equal() {
    do {
      const auto a_left = static_cast<std::size_t>(a_end_ - a_);
      const auto b_left = static_cast<std::size_t>(b_end_ - b_);
      const std::size_t least = a_left < b_left ? a_left : b_left;
      same_to_ = b_;
      if (shortcuts && least >= 8 && std::memcmp(a_, b_, 8) != 0) return true;  // worth no call
      const std::size_t same = json::core::level().common(a_, b_, least);
      same_to_ = b_ + same;
      if (same == least) {
        if (a_left == b_left && nothing_loose()) {
          close_region();
          return true;
        }
        return same == 0 || follow(same);
      }
      if (same == 0 || !follow(same)) return same == 0;
    } while (shortcuts && state_ == state::entry && patch_ != nullptr && !inside_array() &&
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
        same = json::core::same_scalar_text(text(a, a_end), text(b, b_end), rules_.numbers,
                                            rules_.number_texts);
      }
    }
    if (a_end == nullptr || b_end >= b_end_ || a_end >= a_end_) return false;
    if (strict() && !is_valid(b, b_end)) return false;
    if (!same) {
      name_ = b_;
      name_end_ = name_end;
      differ_ = true;
      if (opened_ != frames_.size() && !open_patch()) return false;
      separate();
      patch_->put(b_, b_end);
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

  /// Whether no open container of the region has members left over. Then, what is the same up to
  /// the end of the region is equal.
  bool nothing_loose() const noexcept { return specials_.back().index == region_ && !has_loose(); }
  void close_region() {
    while (frames_.size() > region_ + 1) {
      close_patch();
      pop();
    }
    a_ = a_end_;
    b_ = b_end_;
    leave();
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
    const std::size_t lowest =
        specials_.back().index + 1;  // a special container is left with more care
    std::size_t size = frames_.size();
    std::size_t least = size;
    for (;;) {  // as many blocks as are at hand
      const auto left = static_cast<std::size_t>(last - c.first);
      std::size_t blocks = (left + block_size - 1) / block_size;
      const bool ends = blocks <= to_structure_.at_hand(c);
      if (!ends) blocks = to_structure_.at_hand(c);
      const std::uint64_t end_bits =
          ends ? ~std::uint64_t{0} >> (0 - left) % block_size : ~std::uint64_t{0};
      text_offset first = in_to(c.first);
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
              if (!put_frame(size, first + static_cast<text_offset>(base::lowest_bit(own)), apart))
                return false;
            }
            continue;
          }
          if (size == lowest) {
            const text_offset bracket = first + static_cast<text_offset>(base::lowest_bit(closing));
            settle(lowest, lowest);
            a_ = from_ + static_cast<text_offset>(bracket + apart);
            b_ = to_ + bracket;
            return true;
          }
          --size;
          if (size < least) least = size;
        }
        for (; opening != 0; opening &= opening - 1) {
          if (!put_frame(size, first + static_cast<text_offset>(base::lowest_bit(opening)), apart))
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
    settle(size, least);
    state_ = item != b_ && (item[-1] == '}' || item[-1] == ']') ? state::after : state::entry;
    a_ += item - b_;
    b_ = item;
    return true;
  }
  /// Writes down that the bracket there opens a container, when `size` are open.
  DEVICETWIN_ALWAYS_INLINE bool put_frame(std::size_t& size, text_offset bracket,
                                          text_offset apart) {
    if ((size >= frames_.capacity() || size >= rules_.max_depth) && !frame_room_at(size))
      return false;
    frames_.data()[size++] = {bracket + apart, bracket};
    return true;
  }
  DEVICETWIN_NEVER_INLINE bool frame_room_at(std::size_t size) {
    set_frames(size);
    return frame_room();
  }
  /// After brackets were followed: there are `size` open containers, and there were down to
  /// `least`.
  void settle(std::size_t size, std::size_t least) {
    set_frames(size);
    for (; opened_ > least; --opened_) {
      patch_->put('}');
      comma_ = true;
    }
    if (array_ != no_array && array_ >= least) array_ = no_array;
    for (std::size_t i = least; i < size && array_ == no_array; ++i) {
      if (to_[frames_[i].to_open] == '[') array_ = i;
    }
  }
  void set_frames(std::size_t size) noexcept {
    if (size > frames_.size()) {
      static_cast<void>(frames_.extend(size - frames_.size()));  // there is room
    } else {
      frames_.truncate(size);
    }
  }
  /// Makes room for one frame more.
  bool frame_room() {
    const std::size_t size = frames_.size();
    if (size >= rules_.max_depth) return fail(errc::depth_exceeded, {});
    return frames_.reserve(size + 1) || fail(errc::out_of_memory, {});
  }

  // --- One thing at a time ----------------------------------------------------------------------

  bool after_step() {
    skip_spaces();
    if (a_ == a_end_ || b_ == b_end_) return not_json();
    const char close = to_[frames_.back().to_open] == '{' ? '}' : ']';
    if ((*a_ != ',' && *a_ != close) || (*b_ != ',' && *b_ != close)) return not_json();
    if (*a_ == ',') ++a_;
    if (*b_ == ',') {
      ++b_;
      if (strict()) {
        b_ = json::core::skip_space(b_, b_end_);
        if (b_ == b_end_ || *b_ == '}' || *b_ == ']') return not_json();
      }
    }
    state_ = state::entry;
    return true;
  }

  bool element_step() {
    skip_spaces();
    if (a_ == a_end_ || b_ == b_end_) return not_json();
    if (*a_ != ']' && *b_ != ']') return pair();
    if (*a_ != *b_) return different();
    ++a_;
    ++b_;
    leave();
    return true;
  }

  bool member_step() {
    skip_spaces();
    if (a_ == a_end_ || b_ == b_end_) return not_json();
    if (*a_ == '}' && *b_ == '}' && (!top_special() || !has_loose())) {
      ++a_;
      ++b_;
      leave();
      return true;
    }
    if (strict() && *b_ == '}' && behind_comma(b_)) return not_json();
    if (*a_ == '}' || *b_ == '}') return object_end();
    if (*a_ != '"' || *b_ != '"') return not_json();
    const char* const to_end = string_end(to_structure_, b_, b_end_);
    if (to_end == nullptr) return not_json();
    const char* from_end;
    if (to_end <= same_to_) {
      from_end = a_ + (to_end - b_);
    } else {
      if (strict() && !json::core::is_valid_string(b_ + 1, to_end - 1)) return not_json();
      from_end = string_end(from_structure_, a_, a_end_);
      if (from_end == nullptr) return not_json();
      if (!json::core::same_string(text(a_ + 1, from_end - 1), text(b_ + 1, to_end - 1)))
        return reorder();
    }
    name_ = b_;
    name_end_ = to_end;
    a_ = from_end;
    b_ = to_end;
    return to_value(a_, a_end_) && to_value(b_, b_end_) ? pair() : not_json();
  }

  /// Compares the two values at hand: settles scalars, enters containers.
  bool pair() {
    if (*a_ == *b_ && (*a_ == '{' || *a_ == '[')) return enter(false);
    const char* const value = b_;
    bool same = false;
    if (!skip_scalars(same)) return false;
    proceed();
    return same || different(value, b_);
  }
  bool skip_scalars(bool& same) {
    const char* const a = a_;
    const char* const b = b_;
    a_ = value_end(from_structure_, a_, a_end_);
    b_ = value_end(to_structure_, b_, b_end_);
    if (a_ == nullptr || b_ == nullptr) return not_json();
    if (strict() && !is_valid(b, b_)) return not_json();
    same =
        json::core::same_scalar_text(text(a, a_), text(b, b_), rules_.numbers, rules_.number_texts);
    return true;
  }
  bool scalars() {
    bool same = false;
    if (!skip_scalars(same)) return false;
    differ_ = !same;
    return true;
  }

  /// Opens the containers at hand; `confined` ones are not left by skipping what is equal.
  bool enter(bool confined) {
    if (!push(a_, b_, confined)) return false;
    ++a_;
    ++b_;
    state_ = state::entry;
    return true;
  }
  bool push(const char* a_bracket, const char* b_bracket, bool confined) {
    if (!frame_room()) return false;
    static_cast<void>(
        frames_.push({static_cast<text_offset>(a_bracket - from_), in_to(b_bracket)}));
    if (*b_bracket == '[' && array_ == no_array) array_ = frames_.size() - 1;
    if (!confined) return true;
    if (!mark(true)) return false;
    region_ = frames_.size() - 1;
    return true;
  }
  /// Makes the innermost container a special one.
  bool mark(bool confined) {
    const more about = {frames_.size() - 1,
                        static_cast<text_offset>(loose_from_.size()),
                        static_cast<text_offset>(loose_to_.size()),
                        static_cast<text_offset>(names_.size()),
                        0,
                        0,
                        0,
                        false,
                        confined,
                        static_cast<text_offset>(a_end_ - from_),
                        in_to(b_end_),
                        region_};
    if (!specials_.push(about)) return fail(errc::out_of_memory, {});
    return true;
  }

  /// Behind the closing brackets of the innermost container.
  void leave() {
    close_patch();
    pop();
    if (!frames_.empty()) proceed();
  }
  void pop() noexcept {
    if (top_special()) {
      const more& about = specials_.back();
      loose_from_.truncate(about.first_loose_from);
      loose_to_.truncate(about.first_loose_to);
      names_.truncate(about.first_name);
      if (about.confined) {
        a_end_ = from_ + about.from_end;
        b_end_ = to_ + about.to_end;
        region_ = about.region;
      }
      specials_.pop();
    }
    frames_.pop();
    if (array_ == frames_.size()) array_ = no_array;
  }
  /// What follows a value of the innermost container.
  void proceed() noexcept {
    state_ = top_special() && specials_.back().loose ? state::loose : state::after;
  }

  // --- Members in another order -----------------------------------------------------------------

  /// Two members of different names: finds the next pair of the same name, if it is near.
  bool reorder() {
    constexpr std::size_t few = json::core::tuning::text_reordered;
    if (!top_special() && !mark(false)) return false;
    const std::size_t first_from = loose_from_.size();
    const std::size_t first_to = loose_to_.size();
    for (std::size_t i = 0; i < few && *a_ != '}' && *b_ != '}'; ++i) {
      if (!collect_from() || !collect_to()) return false;
      std::string_view a, b;
      if (!next_name(from_structure_, a_, a_end_, a) || !next_name(to_structure_, b_, b_end_, b)) {
        return not_json();
      }
      if (*a_ == '"' && *b_ == '"' && json::core::same_string(a, b)) return valid_names(first_to);
      for (std::size_t j = 0; j <= i; ++j) {
        if (*a_ == '"' && json::core::same_string(a, name_of(to_, loose_to_[first_to + j]))) {
          b_ = to_ + loose_to_[first_to + j].name;
          loose_to_.truncate(first_to + j);
          return valid_names(first_to);
        }
        if (*b_ == '"' && json::core::same_string(b, name_of(from_, loose_from_[first_from + j]))) {
          a_ = from_ + loose_from_[first_from + j].name;
          loose_from_.truncate(first_from + j);
          return valid_names(first_to);
        }
      }
    }
    return valid_names(first_to) && object_end();
  }

  /// No more pairs in order: what is left of both objects is matched by name.
  bool object_end() {
    if (!top_special() && !mark(false)) return false;
    while (*a_ != '}') {
      if (!collect_from()) return false;
    }
    const std::size_t first_to = loose_to_.size();
    while (*b_ != '}') {
      if (!collect_to()) return false;
    }
    if (!valid_names(first_to)) return false;
    more& top = specials_.back();
    if (!match(top)) return fail(errc::out_of_memory, {});
    if (strict() && !new_names_differ(top)) return not_json();
    top.loose = true;
    top.next_loose = top.first_loose_from;
    top.from_at = static_cast<text_offset>(a_ - from_);
    top.to_at = in_to(b_);
    state_ = state::loose;
    return true;
  }

  bool collect_from() { return collect(from_structure_, a_, a_end_, from_, loose_from_); }
  bool collect_to() { return collect(to_structure_, b_, b_end_, to_, loose_to_); }
  /// Reads the member at `p` and goes to the next name or to the closing bracket.
  bool collect(json::core::text_structure& structure, const char*& p, const char* end,
               const char* base, loose_members& members) {
    text_member member;
    member.name = static_cast<text_offset>(p - base);
    if (*p != '"' || (p = string_end(structure, p, end)) == nullptr) return not_json();
    member.name_end = static_cast<text_offset>(p - base);
    if (!to_value(p, end)) return not_json();
    member.value = static_cast<text_offset>(p - base);
    if ((p = value_end(structure, p, end)) == nullptr) return not_json();
    member.value_end = static_cast<text_offset>(p - base);
    member.unescaped = member.match = no_offset;
    p = json::core::skip_space(p, end);
    if (p != end && *p == ',') {
      p = json::core::skip_space(p + 1, end);
      if (strict() && p != end && *p != '"') return not_json();
    } else if (p != end && *p != '}') {
      return not_json();
    }
    if (p == end) return not_json();
    return members.push(member) || fail(errc::out_of_memory, {});
  }

  /// The name at `p`, unless there is a closing bracket.
  static bool next_name(json::core::text_structure& structure, const char* p, const char* end,
                        std::string_view& name) noexcept {
    if (*p != '"') return *p == '}';
    const char* const last = string_end(structure, p, end);
    if (last != nullptr) name = text(p + 1, last - 1);
    return last != nullptr;
  }

  /// Finds for each member left over the one of the same name. False when memory ran out.
  bool match(const more& top) {
    constexpr size_type few = json::core::tuning::text_unmatched_scanned;
    const auto from_count = static_cast<size_type>(loose_from_.size() - top.first_loose_from);
    const auto to_count = static_cast<size_type>(loose_to_.size() - top.first_loose_to);
    text_member* const from = loose_from_.data() + top.first_loose_from;
    text_member* const to = loose_to_.data() + top.first_loose_to;
    if (from_count <= few || to_count <= few) {
      for (size_type i = 0; i < from_count; ++i) {
        for (size_type j = 0; j < to_count; ++j) {
          if (to[j].match == no_offset &&
              json::core::same_string(name_of(from_, from[i]), name_of(to_, to[j]))) {
            pair_up(from[i], i, to[j], j);
            break;
          }
        }
      }
      return true;
    }
    for (size_type i = 0; i < from_count; ++i) {
      if (!keep_plain(from_, from[i], names_)) return false;
    }
    for (size_type j = 0; j < to_count; ++j) {
      if (!keep_plain(to_, to[j], names_)) return false;
    }
    const member_names from_names{from_, from, names_.data()};
    const member_names to_names{to_, to, names_.data()};
    json::core::name_index index;
    const std::size_t base = index_.size();
    json::core::first_repeat repeat;
    if (!index.build(to_count, json::core::indexed(to_names), index_, repeat)) return false;
    // Some at a time, so that not each of them has to wait for memory.
    constexpr size_type together = json::core::tuning::text_lookups_together;
    std::uint64_t hashes[together];
    size_type candidates[together];
    for (size_type first = 0; first < from_count; first += together) {
      const size_type count = from_count - first < together ? from_count - first : together;
      for (size_type i = 0; i < count; ++i) {
        hashes[i] = from_names.hash(first + i);
        index.prefetch_slot(hashes[i], index_);
      }
      for (size_type i = 0; i < count; ++i) {
        candidates[i] = index.candidate(hashes[i], index_);
        if (candidates[i] != json::core::no_index) base::prefetch(to + candidates[i]);
      }
      for (size_type i = 0; i < count; ++i) {
        if (candidates[i] == json::core::no_index) continue;
        base::prefetch(to_ + to[candidates[i]].name);
        base::prefetch(to_ + to[candidates[i]].value_end);
      }
      for (size_type i = 0; i < count; ++i) {
        text_member& member = from[first + i];
        const size_type j =
            index.find_text(hashes[i], from_names.text(first + i), to_names, index_);
        if (j == json::core::no_index || to[j].match != no_offset) continue;
        pair_up(member, first + i, to[j], j);
        if (same_bytes(member, to[j])) member.match = same_value;
      }
    }
    index_.truncate(base);
    return true;
  }
  /// Whether the values of two members, one of each text, are the same byte by byte.
  bool same_bytes(const text_member& from, const text_member& to) const noexcept {
    const text_offset length = from.value_end - from.value;
    return length == to.value_end - to.value &&
           std::memcmp(from_ + from.value, to_ + to.value, length) == 0;
  }
  static void pair_up(text_member& from, size_type i, text_member& to, size_type j) noexcept {
    from.match = j;
    to.match = i;
  }

  /// The next member left over: first those of `from`, then those of `to`.
  bool loose_step() {
    more& top = specials_.back();
    const std::size_t at = top.next_loose++;
    if (at < loose_from_.size()) {
      const text_member& from = loose_from_[at];
      if (from.match == no_offset) return missing(from);
      if (from.match == same_value) return true;
      const text_member& to = loose_to_[top.first_loose_to + from.match];
      if (same_bytes(from, to)) return true;
      a_ = from_ + from.value;
      b_ = to_ + to.value;
      name_ = to_ + to.name;
      name_end_ = to_ + to.name_end;
      if (*a_ != *b_ || (*a_ != '{' && *a_ != '[')) return pair();
      if (!enter(true)) return false;
      a_end_ = from_ + from.value_end;
      b_end_ = to_ + to.value_end;
      return true;
    }
    const std::size_t rest = at - loose_from_.size() + top.first_loose_to;
    if (rest < loose_to_.size()) {
      const text_member& to = loose_to_[rest];
      if (to.match != no_offset) return true;
      name_ = to_ + to.name;
      name_end_ = to_ + to.name_end;
      const char* const value = to_ + to.value;
      const char* const end = to_ + to.value_end;
      if (strict() && !inside_array() && !is_valid(value, end))
        return not_json();  // an array is validated as a whole
      return different(value, end);
    }
    a_ = from_ + top.from_at + 1;
    b_ = to_ + top.to_at + 1;
    leave();
    return true;
  }

  // --- Validating `to` where it differs ---------------------------------------------------------

  /// Whether a comma stands before this place of `to`: what is equal may end with one.
  bool behind_comma(const char* p) const noexcept {
    while (p != to_ && json::core::is_space(p[-1])) --p;
    return p != to_ && p[-1] == ',';
  }

  /// Whether the reader would accept the names of the members left over of `to`, from the `first`
  /// on, for certain. Their values are validated when they are gone through, so that none is
  /// validated once for each object around it.
  bool valid_names(std::size_t first) {
    if (!strict()) return true;
    for (; first != loose_to_.size(); ++first) {
      const text_member& member = loose_to_[first];
      if (!json::core::is_valid_string(to_ + member.name + 1, to_ + member.name_end - 1))
        return not_json();
    }
    return true;
  }
  /// Whether the reader would accept this value for certain.
  bool is_valid(const char* value, const char* end) {
    if (*value == '"') return json::core::is_valid_string(value + 1, end - 1);
    if (*value != '{' && *value != '[') {
      return end < b_end_ && json::core::skip_valid_plain(value, b_end_) == end;
    }
    return frames_.size() < rules_.max_depth &&
           json::core::quick_validator(text(value, end), rules_.max_depth - frames_.size(), memory_)
               .sure();
  }

  /// Whether the members of `to` that `from` does not have repeat no name. Of the others that is
  /// certain: each stands for another member of `from`.
  bool new_names_differ(const more& about) {
    constexpr std::size_t few = json::core::tuning::text_new_names_scanned;
    std::size_t count = 0;
    for (std::size_t j = about.first_loose_to; j < loose_to_.size(); ++j) {
      if (loose_to_[j].match == no_offset) ++count;
    }
    if (count == 0) return true;
    const std::size_t base = index_.size();
    json::core::name_index index;
    if (count > few && !index_loose(about, index)) return false;
    const char* p = json::core::skip_space(to_ + frames_.back().to_open + 1, b_);
    while (p != b_) {
      const char* const name = p;
      const char* const name_end = string_end(to_structure_, p, b_);
      if (name_end == nullptr || (count > few ? stands_twice(about, index, name, name_end)
                                              : is_new_too(about, name, name_end)))
        break;
      p = to_structure_.next_separator(name_end);
      if (p != nullptr && (*p == '{' || *p == '[')) {
        p = to_structure_.leave_container(p + 1);
        if (p != nullptr) p = to_structure_.next_separator(p);
      }
      if (p == nullptr || p > b_) break;
      if (*p == ',') p = json::core::skip_space(p + 1, b_);
    }
    index_.truncate(base);
    return p == b_;
  }
  /// Whether a new member that stands elsewhere has this name, with its quotes.
  bool is_new_too(const more& about, const char* name, const char* name_end) const noexcept {
    for (std::size_t j = about.first_loose_to; j < loose_to_.size(); ++j) {
      const text_member& other = loose_to_[j];
      if (other.match == no_offset && name != to_ + other.name &&
          json::core::same_string(text(name + 1, name_end - 1), name_of(to_, other))) {
        return true;
      }
    }
    return false;
  }
  /// Makes an index of the members of `to` that are left over. False when a name stands twice or
  /// memory ran out.
  bool index_loose(const more& about, json::core::name_index& index) {
    const auto count = static_cast<size_type>(loose_to_.size() - about.first_loose_to);
    text_member* const members = loose_to_.data() + about.first_loose_to;
    for (size_type j = 0; j < count; ++j) {
      if (members[j].unescaped == no_offset && !keep_plain(to_, members[j], names_)) return false;
    }
    json::core::first_repeat repeat;
    const member_names names{to_, members, names_.data()};
    return index.build(count, json::core::indexed(names), index_, repeat) &&
           repeat.at == json::core::no_index;
  }
  /// Whether a member left over that stands elsewhere has this name, with its quotes; also when
  /// memory ran out.
  bool stands_twice(const more& about, const json::core::name_index& index, const char* name,
                    const char* name_end) {
    std::string_view plain = text(name + 1, name_end - 1);
    const std::size_t kept = names_.size();
    if (json::core::has_escapes(plain)) {
      if (!append_plain(plain, names_)) return true;
      plain = {names_.data() + kept, names_.size() - kept};
    }
    const text_member* const members = loose_to_.data() + about.first_loose_to;
    const size_type j = index.find_text(plain, member_names{to_, members, names_.data()}, index_);
    names_.truncate(kept);
    return j != json::core::no_index && to_ + members[j].name != name;
  }

  // --- Differences ------------------------------------------------------------------------------

  /// The member of `from` is not in `to`.
  bool missing(const text_member& member) {
    if (patch_ == nullptr || inside_array()) return different();
    const std::string_view name = name_of(from_, member);
    if (!rules_.removes) return fail(errc::kept_member, name);
    differ_ = true;
    if (!open_patch()) return false;
    separate();
    put_name(from_ + member.name, from_ + member.name_end);
    patch_->put("null");
    return true;
  }

  /// Inside an array, something differs; an array is one value, so the outermost one does.
  bool different() {
    differ_ = true;
    if (patch_ == nullptr) return false;
    const std::size_t outermost = array_;
    const frame outer = frames_[outermost];
    while (frames_.size() > outermost) pop();
    a_ = value_end(from_structure_, from_ + outer.from_open, a_end_);
    b_ = value_end(to_structure_, to_ + outer.to_open, b_end_);
    if (a_ == nullptr || b_ == nullptr) return not_json();
    if (!name_before(outer, name_, name_end_)) return not_json();
    if (strict() && !is_valid(to_ + outer.to_open, b_)) return not_json();
    proceed();
    return set(to_ + outer.to_open, b_);
  }
  /// The member at hand differs, or is new.
  bool different(const char* value, const char* end) {
    if (patch_ == nullptr || inside_array()) return different();
    differ_ = true;
    return set(value, end);
  }

  bool set(const char* value, const char* end) {
    if (!sayable(value, end) || !open_patch()) return false;
    separate();
    if (value - name_end_ == 1) {  // as it stands
      patch_->put(name_, end);
      return true;
    }
    put_name(name_, name_end_);
    patch_->put(value, end);
    return true;
  }

  /// Checks that a patch can carry this value.
  bool sayable(const char* value, const char* end) {
    if (*value == 'n')
      return rules_.sets_null || fail(errc::null_member, text(name_ + 1, name_end_ - 1));
    if (*value != '{' || rules_.carries_null) return true;
    const std::size_t around = frames_.size();
    if (!push(from_, value, false)) return false;
    for (const char* p = value + 1; frames_.size() > around;) {
      p = json::core::skip_space(p, end);
      if (p == end) return not_json();
      if (*p == '}') frames_.pop();
      if (*p == '}' || *p == ',') {
        ++p;
        continue;
      }
      const char* const name = p;
      if (*p != '"' || (p = string_end(to_structure_, p, end)) == nullptr) return not_json();
      const char* const name_end = p;
      if (!to_value(p, end)) return not_json();
      if (*p == 'n') return fail(errc::null_member, text(name + 1, name_end - 1));
      if (*p == '{') {
        if (!push(from_, p, false)) return false;
        ++p;
      } else if ((p = value_end(to_structure_, p, end)) ==
                 nullptr) {  // of an array, nulls are kept
        return not_json();
      }
    }
    return true;
  }

  // --- Writing the patch ------------------------------------------------------------------------

  /// Opens the objects of the patch that lead to the member at hand.
  bool open_patch() {
    for (; opened_ < frames_.size(); ++opened_) {
      const char* name;
      const char* end;
      if (!name_before(frames_[opened_], name, end)) return not_json();
      separate();
      put_name(name, end);
      patch_->put('{');
      comma_ = false;
    }
    return true;
  }
  /// Closes the innermost object of the patch, if it was opened.
  void close_patch() {
    if (frames_.size() != opened_) return;
    patch_->put('}');
    --opened_;
    comma_ = true;
  }
  void separate() {
    if (comma_) patch_->put(',');
    comma_ = true;
  }
  void put_name(const char* name, const char* end) {
    patch_->put(name, end);
    patch_->put(':');
  }

  // --- Small things -----------------------------------------------------------------------------

  static std::string_view text(const char* first, const char* last) noexcept {
    return {first, static_cast<std::size_t>(last - first)};
  }
  text_offset in_to(const char* p) const noexcept { return static_cast<text_offset>(p - to_); }
  bool top_special() const noexcept {
    return !specials_.empty() && specials_.back().index + 1 == frames_.size();
  }
  /// The name, with its quotes, of the member whose value a container is: it stands before the
  /// opening bracket.
  bool name_before(const frame& container, const char*& name,
                   const char*& name_end) const noexcept {
    const char* p = to_ + container.to_open;
    while (p != to_ && json::core::is_space(p[-1])) --p;
    if (p == to_ || *--p != ':') return false;
    while (p != to_ && json::core::is_space(p[-1])) --p;
    name_end = p;
    if (p == to_ || *--p != '"') return false;
    while (p != to_) {
      if (*--p != '"') continue;
      const char* backslash = p;
      while (backslash != to_ && backslash[-1] == '\\') --backslash;
      name = p;
      if ((p - backslash) % 2 == 0) return true;
      p = backslash;
    }
    return false;
  }
  bool strict() const noexcept { return shortcuts && strict_; }
  bool inside_array() const noexcept { return array_ != no_array; }
  /// Whether the innermost special container has members left over.
  bool has_loose() const noexcept {
    const more& about = specials_.back();
    return loose_from_.size() != about.first_loose_from || loose_to_.size() != about.first_loose_to;
  }
  void skip_spaces() noexcept {
    a_ = json::core::skip_space(a_, a_end_);
    b_ = json::core::skip_space(b_, b_end_);
  }
  /// From behind a name over the colon to the value.
  static bool to_value(const char*& p, const char* end) noexcept {
    if (end - p >= 2 && p[0] == ':' && !json::core::is_space(p[1])) {
      ++p;
      return true;
    }
    p = json::core::skip_space(p, end);
    if (p == end || *p != ':') return false;
    p = json::core::skip_space(p + 1, end);
    return p != end;
  }

  /// The open containers, and a member of the innermost one.
  struct place {
    const text_diff& walk;
    std::string_view name;
    template <class Put>
    void render(Put&& put) const {
      const auto& frames = walk.frames_;
      for (std::size_t i = 1; i < frames.size(); ++i) {
        if (walk.to_[frames[i - 1].to_open] != '{') return;
        const char* start;
        const char* end;
        if (walk.name_before(frames[i], start, end)) render_name(text(start + 1, end - 1), put);
      }
      if (name.data() != nullptr) render_name(name, put);
    }
  };
  bool fail(errc code, std::string_view name) noexcept {
    failure_ = error(code)
                   .limited_to(code == errc::depth_exceeded ? rules_.max_depth : 0)
                   .at(place{*this, name});
    return false;
  }
  bool not_json() noexcept {
    malformed_ = true;
    failure_ = errc::unexpected_character;
    return false;
  }

  json::core::diff_rules rules_;
  memory_source memory_;
  text_sink* patch_;
  error& failure_;
  const char* from_ = nullptr;
  const char* to_ = nullptr;
  const char* a_ = nullptr;  ///< where the walk is in `from`
  const char* b_ = nullptr;  ///< and in `to`
  const char* a_end_ = nullptr;
  const char* b_end_ = nullptr;
  const char* same_to_ = nullptr;  ///< from `b_` to here the texts are known to be the same
  const char* name_ = nullptr;     ///< of the member at hand, in `to`, with its quotes
  const char* name_end_ = nullptr;
  std::size_t region_ = 0;  ///< the innermost confined container
  static constexpr std::size_t no_array = static_cast<std::size_t>(-1);
  std::size_t array_ = no_array;  ///< the outermost open array, in frames_
  std::size_t opened_ = 0;        ///< how many of the open objects are open in the patch
  bool comma_ = false;            ///< the next member of the patch needs a comma before it
  bool differ_ = false;
  bool malformed_ = false;
  bool strict_ = false;  ///< `to` is to be validated
  state state_ = state::entry;
  json::core::text_structure from_structure_;
  json::core::text_structure to_structure_;
  base::stack<frame, 32> frames_;
  base::stack<more, 4> specials_;
  loose_members loose_from_;
  loose_members loose_to_;
  plain_names names_;
  json::core::index_memory index_;
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
