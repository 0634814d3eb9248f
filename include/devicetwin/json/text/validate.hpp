/// Is a text JSON, as strictly as the reader has it? A quick yes, or: ask the reader, who also
/// knows what is wrong.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <cstring>      // std::memcmp
#include <string_view>  // std::string_view

#include "../../base/bits.hpp"
#include "../../base/memory.hpp"
#include "../../base/stack.hpp"
#include "../detail/escape.hpp"
#include "../number.hpp"
#include "../tree/distinct_names.hpp"
#include "../tree/name_hash.hpp"
#include "../tree/name_index.hpp"
#include "../tree/tuning.hpp"
#include "scan.hpp"
#include "tokens.hpp"
#include "utf8.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

/// True when a string, from behind its opening quote to its closing one, is one that the reader
/// accepts.
inline bool is_valid_string(const char* p, const char* end) noexcept {
  for (;;) {
    p = skip_plain(p, end);
    if (p == end) return true;
    const auto c = static_cast<unsigned char>(*p);
    if (c == '\\') {
      char decoded[4];
      std::size_t length;
      const detail::escape_end read = detail::read_escape(p, end, decoded, length);
      if (read.code != errc::ok) return false;
      p = read.end;
    } else if (c < 0x80) {
      return false;  // a control character, or a quote
    } else {
      const std::size_t length = utf8_length(p, end);
      if (length == 0) return false;
      p += length;
    }
  }
}

/// To behind the number at `p`; null when it is none. Reads on while there are digits,
/// so something else must follow somewhere.
inline const char* skip_valid_number(const char* p) noexcept {
  const auto digit = [](char c) { return static_cast<unsigned char>(c - '0') < 10; };
  if (*p == '-') ++p;
  if (!digit(*p)) return nullptr;
  if (*p++ != '0') {
    while (digit(*p)) ++p;
  }
  if (*p == '.') {
    if (!digit(*++p)) return nullptr;
    while (digit(*p)) ++p;
  }
  if ((*p | 0x20) == 'e') {
    ++p;
    if (*p == '+' || *p == '-') ++p;
    if (!digit(*p)) return nullptr;
    while (digit(*p)) ++p;
  }
  return p;
}

/// To behind the number or literal at `p`; null when it is none. What is before `end` must not end
/// in a digit.
inline const char* skip_valid_plain(const char* p, const char* end) noexcept {
  const auto left = static_cast<std::size_t>(end - p);
  if (*p == 't') return left >= 4 && std::memcmp(p, "true", 4) == 0 ? p + 4 : nullptr;
  if (*p == 'f') return left >= 5 && std::memcmp(p, "false", 5) == 0 ? p + 5 : nullptr;
  if (*p == 'n') return left >= 4 && std::memcmp(p, "null", 4) == 0 ? p + 4 : nullptr;
  return skip_valid_number(p);
}

/// Goes over a text and checks everything, strings by the block. It knows no place and no cause of
/// an error, and nothing of names with escapes; that keeps it quick. Of names it keeps hashes only.
class quick_validator {
 public:
  quick_validator(std::string_view text, std::size_t max_depth,
                  const memory_source& memory) noexcept
      : next_(text.data()),
        end_(text.data() + text.size()),
        max_depth_(max_depth),
        frames_(memory),
        names_(memory),
        index_(memory) {}

  /// True when the text is an array or object, and valid for certain. Goes from token to token;
  /// what comes next is known by where the code is, not by a state that is looked at for each.
  bool sure() {
    const char* p = next_ = skip_space(next_, end_);
    while (p != end_ && is_space(end_[-1])) --end_;
    // With a bracket at the end of the text, which no string, number or space runs over, nothing
    // below has to look for the end but what follows a closing bracket.
    if (end_ - p < 2 || (*p != '{' && *p != '[') || (end_[-1] != '}' && end_[-1] != ']'))
      return false;
    std::memset(seen_, 0, sizeof seen_);
    strings at{nullptr, nullptr, nullptr, 0};
    bool object = false;
    std::size_t names = 0, first_name = 0;  // of the innermost object

  open:
    if (frames_.size() >= max_depth_ || !frames_.push({first_name, object})) return false;
    object = *p == '{';
    first_name = names;
    if (is_space(*++p)) p = skip_space(p, end_);
    if (*p == '}' || *p == ']') goto close;

  item:
    if (object) {
      if (*p != '"') return false;
      const char* const name = p + 1;
      p = string_end(at);
      if (p == nullptr ||
          (may_have_escapes(at, name) && has_escapes({name, static_cast<std::size_t>(p - name)})))
        return false;
      if (names == names_.size() && !names_.extend(names + 1)) return false;
      names_[names++] = quick_name_hash(std::string_view(name, static_cast<std::size_t>(p - name)));
      if (*++p != ':') p = skip_space(p, end_);
      if (*p != ':') return false;
      if (is_space(*++p)) p = skip_space(p, end_);
    }
    if (*p == '"') {
      p = string_end(at);  // what is in it is checked with the blocks
      if (p == nullptr) return false;
      ++p;
    } else if (*p == '{' || *p == '[') {
      goto open;
    } else if (const char* const behind = skip_short_number(p, end_); behind != nullptr) {
      p = behind;
    } else if ((p = skip_valid_plain(p, end_)) == nullptr) {
      return false;
    }

  behind_value:
    if (*p != ',' && is_space(*p)) p = skip_space(p, end_);
    if (*p == ',') {
      if (is_space(*++p)) p = skip_space(p, end_);
      goto item;
    }

  close:
    if (*p++ != (object ? '}' : ']') || !differ(first_name, names)) return false;
    names = first_name;
    first_name = frames_.back().first_name;
    object = frames_.back().object;
    frames_.pop();
    if (frames_.empty()) return p == end_;
    if (p == end_) return false;
    goto behind_value;
  }

 private:
  struct frame {
    std::size_t first_name;
    bool object;
  };
  /// Where the walk over the quotes is.
  struct strings {
    const string_block* block;
    const string_block* end;  ///< of the blocks at hand
    const char* first;        ///< where the block begins
    std::uint64_t quotes;     ///< of the block, those not gone to yet
  };

  /// To the end of the string whose opening quote is the next one; null when there is none, or one
  /// is not valid.
  DEVICETWIN_ALWAYS_INLINE const char* string_end(strings& at) noexcept {
    if (at.quotes == 0 && !next_quotes(at)) return nullptr;
    at.quotes &= at.quotes - 1;
    if (at.quotes == 0 && !next_quotes(at)) return nullptr;
    const char* const quote = at.first + base::lowest_bit(at.quotes);
    at.quotes &= at.quotes - 1;
    return quote;
  }
  /// Whether a string from `start` to the quote gone to last lies in blocks with escape sequences.
  bool may_have_escapes(const strings& at, const char* start) const noexcept {
    return last_escape_ >= start && (start < at.first || at.block[-1].escapes != 0);
  }
  /// Goes to the next block that has a quote.
  DEVICETWIN_ALWAYS_INLINE bool next_quotes(strings& at) noexcept {
    do {
      if (at.block == at.end) {
        if (!scan()) return false;
        at.block = blocks_;
        at.end = blocks_ + count_;
        at.first = first_;
      } else {
        at.first += block_size;
      }
      at.quotes = at.block++->quote;
    } while (at.quotes == 0);
    return true;
  }

  /// Scans some blocks more, and checks what is in their strings. False at the end, and when that
  /// is not valid.
  DEVICETWIN_NEVER_INLINE bool scan() noexcept {
    first_ = next_;
    const auto left = static_cast<std::size_t>(end_ - first_);
    if (left == 0) return false;
    count_ = left / block_size < most ? left / block_size : most;
    string_facts facts;
    if (count_ != 0) {
      next_ += count_ * block_size;
      facts = level().strings(first_, count_, state_, blocks_);
    } else {
      char padded[block_size];
      std::memset(padded, ' ', sizeof padded);
      std::memcpy(padded, first_, left);
      next_ = end_;
      facts = level().strings(padded, count_ = 1, state_, blocks_);
    }
    return ((!facts.not_ascii && !cut_) || is_utf8()) && (!facts.marked || check());
  }

  /// Validates UTF-8 in the blocks at hand, the last character of the blocks before included when
  /// it was cut there.
  bool is_utf8() noexcept {
    const char* const whole = level().utf8(cut_ ? whole_ : first_, next_);
    if (whole == nullptr || (whole != next_ && next_ == end_)) return false;
    whole_ = whole;
    cut_ = whole != next_;
    return true;
  }

  /// Control characters and escape sequences in the blocks at hand; a sequence may reach beyond
  /// them.
  bool check() noexcept {
    const char* first = first_;
    for (std::size_t i = 0; i != count_; ++i, first += block_size) {
      if (blocks_[i].forbidden != 0) return false;
      for (std::uint64_t left = blocks_[i].escapes; left != 0; left &= left - 1) {
        const char* const p = first + base::lowest_bit(left);
        if (p < checked_escapes_) continue;
        last_escape_ = p;
        // What stands for itself, and the line break; a string's end is looked for elsewhere.
        if (end_ - p > 1 && (p[1] == '/' || p[1] == '"' || p[1] == '\\' || p[1] == 'n')) continue;
        char decoded[4];
        std::size_t length;
        const detail::escape_end read = detail::read_escape(p, end_, decoded, length);
        if (read.code != errc::ok) return false;
        checked_escapes_ = read.end;
      }
    }
    return true;
  }

  /// Whether the names from `first` to before `last` are all different for certain, because their
  /// hashes are.
  DEVICETWIN_ALWAYS_INLINE bool differ(std::size_t first, std::size_t last) {
    if (last - first < 2) return true;
    const std::uint64_t* const hashes = names_.data();
    if (last - first > tuning::validator_table_names) {
      index_.truncate(0);
      return surely_distinct(static_cast<size_type>(last - first), index_,
                             [own = hashes + first](size_type i) noexcept {
                               return (own[i] ^ own[i] >> 32) * 0x9E3779B97F4A7C15u;
                             });
    }
    if (++object_ == 0) {
      std::memset(seen_, 0, sizeof seen_);
      object_ = 1;
    }
    for (std::size_t i = first; i != last; ++i) {
      unsigned char& seen = seen_[hashes[i] >> 54];
      if (seen == object_ && repeats(hashes + first, hashes + i)) return false;
      seen = object_;
    }
    return true;
  }
  DEVICETWIN_NEVER_INLINE static bool repeats(const std::uint64_t* first,
                                              const std::uint64_t* at) noexcept {
    for (; first != at; ++first) {
      if (*first == *at) return true;
    }
    return false;
  }

  static constexpr std::size_t most = tuning::validator_blocks;

  const char* next_;  ///< where the blocks that were not scanned begin
  const char* end_;
  std::size_t max_depth_;
  const char* first_ = nullptr;            ///< where the blocks at hand begin
  std::size_t count_ = 0;                  ///< of these
  const char* last_escape_ = nullptr;      ///< in the blocks at hand, or before
  const char* checked_escapes_ = nullptr;  ///< up to here
  const char* whole_ = nullptr;            ///< up to here, characters are whole and valid
  bool cut_ = false;                       ///< the blocks at hand end behind that
  scan_state state_;
  string_block blocks_[most];
  unsigned char object_ = 0;  ///< a number for the object whose names are looked at
  unsigned char seen_[1024];  ///< the last object that had a name whose hash begins like that
  base::stack<frame, 16> frames_;
  base::stack<std::uint64_t, 32> names_;  ///< hashes of the names of all open objects
  index_memory index_;
};

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
