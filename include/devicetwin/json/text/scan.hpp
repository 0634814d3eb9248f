/// Text by blocks of 64 bytes: where its brackets, commas and quotes are, whether it is UTF-8, and
/// where two texts first differ.
///
/// The few functions here are the only instruction-set code of the library. They are plain
/// functions over some hundred bytes at a time, one set of them per level; which set is used is
/// decided once, at run time. With DEVICETWIN_SMALL defined for the whole program there is the
/// portable set alone. The compilers' vector types and built-in functions are used, not the
/// intrinsics' headers, which cost 39,000 lines.
#pragma once

#include <cstddef>  // std::size_t
#include <cstdint>  // std::uint64_t
#include <cstring>  // std::memcpy

#include "../../base/bits.hpp"
#include "../../base/inline.hpp"
#include "../../version.hpp"
#include "utf8.hpp"

#if !defined(DEVICETWIN_SMALL) && defined(__GNUC__)
#if defined(__x86_64__) && defined(__SSE2__)
#define DEVICETWIN_HAS_X86
#elif defined(__aarch64__) && defined(__ARM_NEON) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define DEVICETWIN_HAS_NEON
#endif
#endif

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

inline constexpr std::size_t block_size = 64;

/// The structure of one block, a bit per byte, the first byte's lowest. Brackets and commas are
/// those outside strings, quotes those that begin or end one.
struct scan_block {
  std::uint64_t open;   ///< { and [
  std::uint64_t close;  ///< } and ]
  std::uint64_t comma;
  std::uint64_t quote;
};

/// What one block leaves for the next. At the start of any token it is all zero.
struct scan_state {
  std::uint64_t in_string = 0;  ///< all ones inside a string
  std::uint64_t escaped = 0;    ///< 1 when the next byte is escaped
};

/// The strings of one block, a bit per byte, for those who validate them.
struct string_block {
  std::uint64_t quote;      ///< those that begin or end a string
  std::uint64_t escapes;    ///< backslashes in strings that begin an escape sequence
  std::uint64_t forbidden;  ///< control characters in strings
};
/// What some blocks have that most have not.
struct string_facts {
  bool marked;     ///< perhaps escapes or control characters in strings; otherwise there are none
  bool not_ascii;  ///< a byte that is not ASCII
};

/// An index of commas and brackets outside strings while it is made, an entry for each in order.
/// The entry of an opening bracket names that of its closing one; all others are places.
struct index_state {
  /// Set in the entry of an opening bracket.
  static constexpr std::uint32_t opens = std::uint32_t{1} << 31;
  static constexpr std::uint32_t none = static_cast<std::uint32_t>(-1);
  /// How much room there must be for a block.
  static constexpr std::size_t room = block_size + 4;

  std::uint32_t* entries;
  std::size_t size;
  std::size_t capacity;
  std::uint32_t place;        ///< of the next block
  std::uint32_t open = none;  ///< the innermost open bracket, whose entry names the one around it
  bool closed = false;  ///< a bracket was closed that was open at the start: the index ends there
};

/// One level of the instruction set.
struct scan_level {
  const char* name;
  /// Whether this processor has it.
  bool (*runs)() noexcept;
  /// Structure of `blocks` whole blocks from `text` on.
  void (*scan)(const char* text, std::size_t blocks, scan_state& state, scan_block* out);
  /// Strings of `blocks` whole blocks from `text` on.
  string_facts (*strings)(const char* text, std::size_t blocks, scan_state& state,
                          string_block* out);
  /// Validates UTF-8 (RFC 3629, section 4) from `p`, where a character begins, to `end`. Returns
  /// where the last character begins when it is not complete before `end`, otherwise `end`; null
  /// when a character is not valid. The incomplete one is not valid for certain: validate it from
  /// its first byte on when more of the text is there.
  const char* (*utf8)(const char* p, const char* end);
  /// Adds entries for the `blocks`, of the first of which the bits in `first` count. Stops when
  /// it is closed, or when there is no room for a block. Returns how many blocks it took.
  std::size_t (*index)(const scan_block* from, std::size_t blocks, std::uint64_t first,
                       index_state& state);
  /// How many bytes at the start of both are the same, at most `length`.
  std::size_t (*common)(const char* a, const char* b, std::size_t length);
};

/// Every bit becomes the parity of itself and all lower ones: quotes become the strings they
/// enclose.
inline std::uint64_t parity_prefix(std::uint64_t bits) noexcept {
  for (int by = 1; by < 64; by *= 2) bits ^= bits << by;
  return bits;
}

/// The bytes of a block that a backslash before them takes the meaning of. Few blocks have any.
inline std::uint64_t escaped_bytes(std::uint64_t backslashes, std::uint64_t& carry) noexcept {
  std::uint64_t escaped = carry;
  std::uint64_t left = backslashes & ~carry;
  carry = 0;
  while (left != 0) {
    const std::uint64_t one = left & (0 - left);
    escaped |= one << 1;
    carry = one >> 63;
    left &= ~(one | one << 1);
  }
  return escaped;
}

// --- Portable ------------------------------------------------------------------------------------

/// Which of eight bytes are `c`: a bit each.
inline std::uint64_t bytes_equal(std::uint64_t word, char c) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101u;
  constexpr std::uint64_t lows = 0x7F7F7F7F7F7F7F7Fu;
  const std::uint64_t x = word ^ (ones * static_cast<unsigned char>(c));
  const std::uint64_t zero =
      ~(((x & lows) + lows) | x | lows);  // the highest bit of each byte that is 0
  return ((zero >> 7) * 0x0102040810204080u) >> 56;
}

/// What lies outside strings of a block whose characters are these.
inline scan_block outside_strings(scan_state& state, std::uint64_t quote, std::uint64_t backslash,
                                  std::uint64_t open, std::uint64_t close,
                                  std::uint64_t comma) noexcept {
  if ((backslash | state.escaped) != 0) quote &= ~escaped_bytes(backslash, state.escaped);
  const std::uint64_t strings = parity_prefix(quote) ^ state.in_string;
  state.in_string = 0 - (strings >> 63);
  return {open & ~strings, close & ~strings, comma & ~strings, quote};
}
/// And what lies in them.
inline string_block inside_strings(scan_state& state, std::uint64_t quote, std::uint64_t backslash,
                                   std::uint64_t control) noexcept {
  if ((backslash | state.escaped) != 0) {
    const std::uint64_t escaped = escaped_bytes(backslash, state.escaped);
    quote &= ~escaped;
    backslash &= ~escaped;
  }
  const std::uint64_t strings = parity_prefix(quote) ^ state.in_string;
  state.in_string = 0 - (strings >> 63);
  return {quote, backslash & strings, control & strings};
}

inline void scan_portable(const char* text, std::size_t blocks, scan_state& state,
                          scan_block* out) {
  for (; blocks != 0; --blocks, ++out) {
    std::uint64_t quote = 0, backslash = 0, open = 0, close = 0, comma = 0;
#if defined(DEVICETWIN_SMALL)
    for (int i = 0; i < 64; ++i, ++text) {  // small
      const std::uint64_t bit = std::uint64_t{1} << i;
      switch (*text) {
        case '"':
          quote |= bit;
          break;
        case '\\':
          backslash |= bit;
          break;
        case '{':
        case '[':
          open |= bit;
          break;
        case '}':
        case ']':
          close |= bit;
          break;
        case ',':
          comma |= bit;
          break;
        default:
          break;
      }
    }
#else
    for (int i = 0; i < 64; i += 8, text += 8) {  // fast
      const std::uint64_t word = base::first_lowest(text);
      const std::uint64_t folded = word | 0x2020202020202020u;
      quote |= bytes_equal(word, '"') << i;
      backslash |= bytes_equal(word, '\\') << i;
      open |= bytes_equal(folded, '{') << i;
      close |= bytes_equal(folded, '}') << i;
      comma |= bytes_equal(word, ',') << i;
    }
#endif
    *out = outside_strings(state, quote, backslash, open, close, comma);
  }
}

inline string_facts strings_portable(const char* text, std::size_t blocks, scan_state& state,
                                     string_block* out) {
  std::uint64_t marked = 0, not_ascii = 0;
  for (; blocks != 0; --blocks, ++out) {
    std::uint64_t quote = 0, backslash = 0, control = 0;
    for (int i = 0; i < 64; i += 8, text += 8) {
      const std::uint64_t word = base::first_lowest(text);
      quote |= bytes_equal(word, '"') << i;
      backslash |= bytes_equal(word, '\\') << i;
      control |= bytes_equal(word & 0xE0E0E0E0E0E0E0E0u, 0) << i;
      not_ascii |= word;
    }
    *out = inside_strings(state, quote, backslash, control);
    marked |= out->escapes | out->forbidden;
  }
  return {marked != 0, (not_ascii & 0x8080808080808080u) != 0};
}

/// By runs of ASCII and runs of other characters.
inline const char* utf8_portable(const char* p, const char* end) {
  for (;;) {
#if !defined(DEVICETWIN_SMALL)
    for (; end - p >= 8; p += 8) {
      const std::uint64_t high = base::first_lowest(p) & 0x8080808080808080u;
      if (high == 0) continue;
      p += base::lowest_bit(high) / 8;
      break;
    }
    // Most characters have two or three bytes, and others behind them of the same script.
    while (end - p >= 8) {
      const auto word = static_cast<std::uint32_t>(base::first_lowest(p));
      if ((word & 0xC0C0F0) == 0x8080E0) {
        // Behind E0 the 0x20 of the second byte must be set, behind ED it must not.
        const std::uint32_t second = word & 0x200F;
        if (second == 0 || second == 0x200D) return nullptr;
        p += 3;
      } else if ((word & 0xC0E0) == 0x80C0) {
        if ((word & 0x1E) == 0) return nullptr;  // C0 and C1
        p += 2;
      } else {
        break;
      }
    }
#endif
    if (p == end) return p;
    const std::size_t length = utf8_length(p, end);
    if (length == 0) {
      const bool cut =
          static_cast<std::size_t>(end - p) < utf8_size(static_cast<unsigned char>(*p));
      return cut ? p : nullptr;
    }
    p += length;
  }
}

inline std::size_t common_portable(const char* a, const char* b, std::size_t length) {
  std::size_t at = 0;
  for (; length - at >= 8; at += 8) {
    const std::uint64_t differing = base::first_lowest(a + at) ^ base::first_lowest(b + at);
    if (differing != 0) return at + static_cast<std::size_t>(base::lowest_bit(differing) / 8);
  }
  while (at != length && a[at] == b[at]) ++at;
  return at;
}

/// scan_level::index, for every level; `count` returns how many bits are set.
template <class Count>
DEVICETWIN_ALWAYS_INLINE std::size_t index_blocks(const scan_block* from, std::size_t blocks,
                                                  std::uint64_t first, index_state& state,
                                                  Count count) noexcept {
  std::uint32_t* const entries = state.entries;
  std::size_t size = state.size;
  std::uint32_t open = state.open;
  std::uint32_t place = state.place;
  std::size_t taken = 0;
  for (std::uint64_t bits = first; taken != blocks; bits = ~std::uint64_t{0}) {
    if (state.capacity - size < index_state::room) break;
    const std::uint64_t opening = from[taken].open & bits;
    std::uint64_t brackets = opening | (from[taken].close & bits);
    const std::uint64_t all = brackets | (from[taken].comma & bits);
    const std::size_t here = count(all);
    // Four places at a time, without asking how many there are; the highest bit stands for those
    // that are not there. They are overwritten.
    const auto next = [place](std::uint64_t& left) noexcept {
      const int at = base::lowest_bit(left | std::uint64_t{1} << 63);
      left &= left - 1;
      return place + static_cast<std::uint32_t>(at);
    };
    std::uint32_t* out = entries + size;
    for (std::uint64_t left = all; left != 0;) {
      *out++ = next(left);
      if constexpr (base::shortcuts) {
        *out++ = next(left);
        *out++ = next(left);
        *out++ = next(left);
      }
    }
    ++taken;
    place += static_cast<std::uint32_t>(block_size);
    for (; brackets != 0; brackets &= brackets - 1) {
      const std::uint64_t below = (brackets - 1) & ~brackets;
      const auto at = static_cast<std::uint32_t>(size + count(all & below));
      if ((opening & (below + 1)) != 0) {
        entries[at] = open;
        open = at;
      } else if (open != index_state::none) {
        const std::uint32_t opened = open;
        open = entries[opened];
        entries[opened] = index_state::opens | at;
      } else {
        state.closed = true;
        state.size = std::size_t{at} + 1;
        return taken;
      }
    }
    size += here;
  }
  state.size = size;
  state.open = open;
  state.place = place;
  return taken;
}
inline std::size_t index_portable(const scan_block* from, std::size_t blocks, std::uint64_t first,
                                  index_state& state) {
  return index_blocks(from, blocks, first, state,
                      [](std::uint64_t bits) noexcept { return base::count_bits(bits); });
}

inline bool runs_everywhere() noexcept { return true; }

inline constexpr scan_level portable_level = {"portable",       runs_everywhere, scan_portable,
                                              strings_portable, utf8_portable,   index_portable,
                                              common_portable};

// --- UTF-8 by table ------------------------------------------------------------------------------

#if defined(DEVICETWIN_HAS_X86) || defined(DEVICETWIN_HAS_NEON)

// The method of "Validating UTF-8 in less than one instruction per byte" (Keiser and Lemire, 2020).
// Three tables of 16 entries are looked up for every two neighbouring bytes: by the first one's
// upper four bits, by its lower four, and by the second one's upper four. Each entry has a bit for
// every mistake that its four bits allow, and a bit that all three have is a mistake made.
// Inside a longer character, `two_continuations` alone is not a mistake.

enum utf8_mistake : unsigned {
  too_short = 1,            ///< a continuation is missing
  too_long = 2,             ///< ASCII, and a continuation behind it
  overlong_3 = 4,           ///< below U+0800 in three bytes
  too_large = 8,            ///< above U+10FFFF, F4 90 and more
  surrogate = 16,           ///< U+D800 to U+DFFF
  overlong_2 = 32,          ///< below U+0080 in two bytes
  overlong_4 = 64,          ///< below U+10000 in four bytes
  too_large_1000 = 64,      ///< above U+10FFFF, F5 80 and more
  two_continuations = 128,  ///< one behind another
};

struct utf8_table {
  unsigned char at[16];
};
template <class Entry>
constexpr utf8_table utf8_table_of(Entry&& entry) noexcept {
  utf8_table table{};
  for (unsigned half = 0; half < 16; ++half)
    table.at[half] = static_cast<unsigned char>(entry(half));
  return table;
}
inline constexpr utf8_table utf8_first_high = utf8_table_of([](unsigned half) -> unsigned {
  if (half < 0x8) return too_long;
  if (half < 0xC) return two_continuations;
  if (half == 0xC) return too_short | overlong_2;
  if (half == 0xD) return too_short;
  if (half == 0xE) return too_short | overlong_3 | surrogate;
  return too_short | too_large | too_large_1000 | overlong_4;
});
inline constexpr utf8_table utf8_first_low = utf8_table_of([](unsigned half) -> unsigned {
  const unsigned any = too_short | too_long | two_continuations;
  if (half == 0x0) return any | overlong_2 | overlong_3 | overlong_4;
  if (half == 0x1) return any | overlong_2;
  if (half < 0x4) return any;
  if (half == 0x4) return any | too_large;
  return any | too_large | too_large_1000 | (half == 0xD ? surrogate : 0u);
});
inline constexpr utf8_table utf8_second_high = utf8_table_of([](unsigned half) -> unsigned {
  if (half < 0x8 || half > 0xB) return too_short;
  const unsigned any = too_long | two_continuations | overlong_2;
  if (half == 0x8) return any | overlong_3 | overlong_4 | too_large_1000;
  return any | too_large | (half == 0x9 ? overlong_3 : surrogate);
});

/// Back from `end`, before which the tables find no mistake, to where a character begins that is
/// not complete, or a byte stands that begins none; `end` when neither is there.
inline const char* whole_characters(const char* end) noexcept {
  for (std::size_t i = 1; i < 4; ++i) {
    const auto byte = static_cast<unsigned char>(*(end - i));
    if (byte >= 0xC0) return utf8_size(byte) == i ? end : end - i;
    if (byte < 0x80) break;
  }
  return end;
}

#endif

// --- Sixteen bytes at a time: SSE2 (every x86-64) and NEON (every 64-bit ARM) --------------------

#if defined(DEVICETWIN_HAS_X86) || defined(DEVICETWIN_HAS_NEON)

using bytes16 = unsigned char __attribute__((vector_size(16)));
using words16 = long long __attribute__((vector_size(16)));

/// A block. As a mask, each byte is all ones or zero.
struct bytes64 {
  bytes16 a, b, c, d;
};

DEVICETWIN_ALWAYS_INLINE bytes64 load_64(const char* text) noexcept {
  bytes64 block;
  std::memcpy(&block, text, sizeof block);
  return block;
}
DEVICETWIN_ALWAYS_INLINE bytes64 same_bytes(const bytes64& x, const bytes64& y) noexcept {
  return {reinterpret_cast<bytes16>(x.a == y.a), reinterpret_cast<bytes16>(x.b == y.b),
          reinterpret_cast<bytes16>(x.c == y.c), reinterpret_cast<bytes16>(x.d == y.d)};
}
DEVICETWIN_ALWAYS_INLINE bytes64 and_all(const bytes64& x, unsigned char y) noexcept {
  const bytes16 all = bytes16{} + y;
  return {x.a & all, x.b & all, x.c & all, x.d & all};
}

#if defined(DEVICETWIN_HAS_X86)

/// A bit for each byte of a mask.
DEVICETWIN_ALWAYS_INLINE std::uint64_t mask_bits(const bytes64& mask) noexcept {
  using chars16 = char __attribute__((vector_size(16)));
  const auto bits = [](bytes16 part) {
    return static_cast<std::uint64_t>(
        static_cast<std::uint32_t>(__builtin_ia32_pmovmskb128(reinterpret_cast<chars16>(part))));
  };
  return bits(mask.a) | bits(mask.b) << 16 | bits(mask.c) << 32 | bits(mask.d) << 48;
}
DEVICETWIN_ALWAYS_INLINE bool is_all(bytes16 mask) noexcept {
  using chars16 = char __attribute__((vector_size(16)));
  return __builtin_ia32_pmovmskb128(reinterpret_cast<chars16>(mask)) == 0xFFFF;
}
DEVICETWIN_ALWAYS_INLINE bool is_any(bytes16 mask) noexcept {
  using chars16 = char __attribute__((vector_size(16)));
  return __builtin_ia32_pmovmskb128(reinterpret_cast<chars16>(mask)) != 0;
}

#else

/// The sums of neighbouring bytes.
DEVICETWIN_ALWAYS_INLINE bytes16 add_pairs(bytes16 low, bytes16 high) noexcept {
  bytes16 sums;
  asm("addp %0.16b, %1.16b, %2.16b" : "=w"(sums) : "w"(low), "w"(high));
  return sums;
}
/// A bit for each byte of a mask.
DEVICETWIN_ALWAYS_INLINE std::uint64_t mask_bits(const bytes64& mask) noexcept {
  const bytes16 weights = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  const bytes16 low = add_pairs(mask.a & weights, mask.b & weights);
  const bytes16 high = add_pairs(mask.c & weights, mask.d & weights);
  const bytes16 fours = add_pairs(low, high);
  return static_cast<std::uint64_t>(reinterpret_cast<words16>(add_pairs(fours, fours))[0]);
}
DEVICETWIN_ALWAYS_INLINE bool is_all(bytes16 mask) noexcept {
  const auto words = reinterpret_cast<words16>(mask);
  return (words[0] & words[1]) == -1;
}
DEVICETWIN_ALWAYS_INLINE bool is_any(bytes16 mask) noexcept {
  const auto words = reinterpret_cast<words16>(mask);
  return (words[0] | words[1]) != 0;
}

#endif

DEVICETWIN_ALWAYS_INLINE bytes64 bytes_equal(const bytes64& block, char c) noexcept {
  const bytes16 all = bytes16{} + static_cast<unsigned char>(c);
  return same_bytes(block, {all, all, all, all});
}
DEVICETWIN_ALWAYS_INLINE std::uint64_t bits_equal(const bytes64& block, char c) noexcept {
  return mask_bits(bytes_equal(block, c));
}
/// The same for a character that most blocks do not have.
DEVICETWIN_ALWAYS_INLINE std::uint64_t bits_equal_rare(const bytes64& block, char c) noexcept {
  const bytes64 found = bytes_equal(block, c);
  return is_any(found.a | found.b | found.c | found.d) ? mask_bits(found) : 0;
}

inline void scan_16(const char* text, std::size_t blocks, scan_state& state, scan_block* out) {
  const bytes16 fold = bytes16{} + static_cast<unsigned char>(' ');  // makes [ and ] of { and }
  scan_state now = state;
  for (; blocks != 0; --blocks, ++out, text += 64) {
    const bytes64 block = load_64(text);
    const bytes64 folded = {block.a | fold, block.b | fold, block.c | fold, block.d | fold};
    *out =
        outside_strings(now, bits_equal(block, '"'), bits_equal_rare(block, '\\'),
                        bits_equal(folded, '{'), bits_equal(folded, '}'), bits_equal(block, ','));
  }
  state = now;
}

inline string_facts strings_16(const char* text, std::size_t blocks, scan_state& state,
                               string_block* out) {
  std::uint64_t marked = 0;
  bytes16 all{};
  scan_state now = state;
  for (; blocks != 0; --blocks, ++out, text += 64) {
    const bytes64 block = load_64(text);
    all |= block.a | block.b | block.c | block.d;
    *out = inside_strings(now, bits_equal(block, '"'), bits_equal_rare(block, '\\'),
                          bits_equal_rare(and_all(block, 0xE0), 0));
    marked |= out->escapes | out->forbidden;
  }
  state = now;
  const bytes16 highest = bytes16{} + static_cast<unsigned char>(0x80);
  return {marked != 0, is_any(all & highest)};
}

#if defined(DEVICETWIN_HAS_NEON)

/// table[i] for each index, which is below 16.
DEVICETWIN_ALWAYS_INLINE bytes16 look_up(bytes16 table, bytes16 index) noexcept {
  bytes16 found;
  asm("tbl %0.16b, {%1.16b}, %2.16b" : "=w"(found) : "w"(table), "w"(index));
  return found;
}
/// As utf8_avx2().
inline const char* utf8_neon(const char* p, const char* end) {
  if (end - p < 40) return utf8_portable(p, end);
  p = utf8_portable(p, p + 6);
  if (p == nullptr) return nullptr;
  const auto load = [](const void* from) {
    bytes16 loaded;
    std::memcpy(&loaded, from, 16);
    return loaded;
  };
  const bytes16 first_high = load(utf8_first_high.at), first_low = load(utf8_first_low.at);
  const bytes16 second_high = load(utf8_second_high.at);
  const bytes16 low_half = bytes16{} + static_cast<unsigned char>(0x0F);
  const bytes16 highest = bytes16{} + static_cast<unsigned char>(0x80);
  const bytes16 three = bytes16{} + static_cast<unsigned char>(0xE0);
  const bytes16 four = bytes16{} + static_cast<unsigned char>(0xF0);
  bytes16 wrong{};
  for (;; p += 16) {
    if (end - p < 16) p = end - 16;
    const bytes16 bytes = load(p);
    if (!is_any(bytes & highest)) {
      if (whole_characters(p) != p) return nullptr;
    } else {
      const bytes16 before = load(p - 1);
      const bytes16 pairs = look_up(first_high, before >> 4) &
                            look_up(first_low, before & low_half) &
                            look_up(second_high, bytes >> 4);
      const bytes16 inside = reinterpret_cast<bytes16>(load(p - 2) >= three) |
                             reinterpret_cast<bytes16>(load(p - 3) >= four);
      wrong |= pairs ^ (inside & highest);
    }
    if (end - p == 16) break;
  }
  return is_any(wrong) ? nullptr : whole_characters(end);
}

#endif

inline std::size_t common_16(const char* a, const char* b, std::size_t length) {
  std::size_t at = 0;
  for (; length - at >= 64; at += 64) {
    const bytes64 same = same_bytes(load_64(a + at), load_64(b + at));
    if (!is_all(same.a & same.b & same.c & same.d)) {
      return at + static_cast<std::size_t>(base::lowest_bit(~mask_bits(same)));
    }
  }
  return at + common_portable(a + at, b + at, length - at);
}

#if defined(DEVICETWIN_HAS_X86)
inline constexpr scan_level sse2_level = {"sse2",        runs_everywhere, scan_16,  strings_16,
                                          utf8_portable, index_portable,  common_16};
#else
inline constexpr scan_level neon_level = {"neon",    runs_everywhere, scan_16,  strings_16,
                                          utf8_neon, index_portable,  common_16};
#endif

#endif

/// How many of 32 bytes stand before the first quote or backslash: 0 to 32.
#if defined(DEVICETWIN_HAS_X86)
DEVICETWIN_ALWAYS_INLINE std::size_t bytes_before_quote(const char* text) noexcept {
  const auto found = [](const char* from) {
    using chars16 = char __attribute__((vector_size(16)));
    bytes16 bytes;
    std::memcpy(&bytes, from, 16);
    const bytes16 quotes = bytes16{} + static_cast<unsigned char>('"');
    const bytes16 backslashes = bytes16{} + static_cast<unsigned char>('\\');
    const auto bits = reinterpret_cast<chars16>((bytes == quotes) | (bytes == backslashes));
    return static_cast<std::uint32_t>(__builtin_ia32_pmovmskb128(bits));
  };
  const std::uint32_t first = found(text);
  if (first != 0) return static_cast<std::size_t>(base::lowest_bit(first));
  return static_cast<std::size_t>(base::lowest_bit(found(text + 16) | 0x10000u)) + 16;
}
#else
inline std::size_t bytes_before_quote(const char* text) noexcept {
  for (std::size_t i = 0; i < 32; i += 8) {
    const std::uint64_t word = base::first_lowest(text + i);
    const std::uint64_t found = bytes_equal(word, '"') | bytes_equal(word, '\\');
    if (found != 0) return i + static_cast<std::size_t>(base::lowest_bit(found));
  }
  return 32;
}
#endif

/// Which of 16 hashes are this one: a bit each, the first one's lowest.
#if defined(DEVICETWIN_HAS_X86)
DEVICETWIN_ALWAYS_INLINE std::uint32_t same_hashes(const std::uint32_t* hashes,
                                                   std::uint32_t wanted) noexcept {
  using ints16 = int __attribute__((vector_size(16)));
  const ints16 all = ints16{} + static_cast<int>(wanted);
  ints16 four[4];
  std::memcpy(four, hashes, sizeof four);
  const auto low = __builtin_ia32_packssdw128(four[0] == all, four[1] == all);
  const auto high = __builtin_ia32_packssdw128(four[2] == all, four[3] == all);
  return static_cast<std::uint32_t>(
      __builtin_ia32_pmovmskb128(__builtin_ia32_packsswb128(low, high)));
}
#else
inline std::uint32_t same_hashes(const std::uint32_t* hashes, std::uint32_t wanted) noexcept {
  std::uint32_t same = 0;
  for (std::uint32_t i = 0; i < 16; ++i) same |= std::uint32_t{hashes[i] == wanted} << i;
  return same;
}
#endif

// --- AVX2 ----------------------------------------------------------------------------------------

#if defined(DEVICETWIN_HAS_X86)

using bytes32 = char __attribute__((vector_size(32)));
using unsigned_bytes32 = unsigned char __attribute__((vector_size(32)));
using shorts32 = unsigned short __attribute__((vector_size(32)));

#define DEVICETWIN_AVX2 __attribute__((target("avx2,bmi,pclmul,popcnt")))

#define DEVICETWIN_BITS(low, high)                                                              \
  (static_cast<std::uint32_t>(__builtin_ia32_pmovmskb256(reinterpret_cast<bytes32>(low))) |     \
   static_cast<std::uint64_t>(                                                                  \
       static_cast<std::uint32_t>(__builtin_ia32_pmovmskb256(reinterpret_cast<bytes32>(high)))) \
       << 32)

DEVICETWIN_AVX2 inline void scan_avx2(const char* text, std::size_t blocks, scan_state& state,
                                      scan_block* out) {
  // Taking bits out of vectors is what costs most. So first all characters looked for, [ and ] made
  // { and }, then two bits of them that tell which is which: 0x40 the brackets, 0x02 the quotes
  // from commas, and { from }.
  const bytes32 characters = {
      1, 0, '"', 0, 0, 0, 0, 0, 0, 0, 0, '{', ',', '}', 0, 0,  // by their lowest four bits
      1, 0, '"', 0, 0, 0, 0, 0, 0, 0, 0, '{', ',', '}', 0, 0};
  const bytes32 backslashes = bytes32{} + '\\';
  const bytes32 fold = bytes32{} + ' ';
  const words16 ones = {-1, -1};
  std::uint64_t in_string = state.in_string;
  for (; blocks != 0; --blocks, ++out, text += 64) {
    bytes32 low, high;
    std::memcpy(&low, text, 32);
    std::memcpy(&high, text + 32, 32);
    const bytes32 low_folded =
        low | (reinterpret_cast<bytes32>(reinterpret_cast<shorts32>(low) >> 1) & fold);
    const bytes32 high_folded =
        high | (reinterpret_cast<bytes32>(reinterpret_cast<shorts32>(high) >> 1) & fold);
    const std::uint64_t some =
        DEVICETWIN_BITS(__builtin_ia32_pshufb256(characters, low_folded) == low_folded,
                        __builtin_ia32_pshufb256(characters, high_folded) == high_folded);
    // Doubling moves 0x40 to the highest bit. Signed bytes would overflow.
    const unsigned_bytes32 low_bytes = reinterpret_cast<unsigned_bytes32>(low);
    const unsigned_bytes32 high_bytes = reinterpret_cast<unsigned_bytes32>(high);
    const std::uint64_t upper = DEVICETWIN_BITS(low_bytes + low_bytes, high_bytes + high_bytes);
    const std::uint64_t second = DEVICETWIN_BITS(reinterpret_cast<shorts32>(low) << 6,
                                                 reinterpret_cast<shorts32>(high) << 6);
    const bytes32 low_escapes = reinterpret_cast<bytes32>(low == backslashes);
    const bytes32 high_escapes = reinterpret_cast<bytes32>(high == backslashes);
    std::uint64_t quote = some & ~upper & second;
    if ((__builtin_ia32_pmovmskb256(low_escapes | high_escapes) |
         static_cast<int>(state.escaped)) != 0) {
      quote &= ~escaped_bytes(DEVICETWIN_BITS(low_escapes, high_escapes), state.escaped);
    }
    const words16 spread =
        __builtin_ia32_pclmulqdq128(words16{static_cast<long long>(quote), 0}, ones, 0);
    const std::uint64_t strings = static_cast<std::uint64_t>(spread[0]) ^ in_string;
    in_string = 0 - (strings >> 63);
    const std::uint64_t outside = some & ~strings;
    *out = {outside & upper & second, outside & upper & ~second, outside & ~(upper | second),
            quote};
  }
  state.in_string = in_string;
}

DEVICETWIN_AVX2 inline string_facts strings_avx2(const char* text, std::size_t blocks,
                                                 scan_state& state, string_block* out) {
  const bytes32 quotes = bytes32{} + '"';
  const bytes32 backslashes = bytes32{} + '\\';
  const unsigned_bytes32 controls = unsigned_bytes32{} + static_cast<unsigned char>(' ');
  const words16 ones = {-1, -1};
  bytes32 all{};
  std::uint64_t marked = 0;
  for (; blocks != 0; --blocks, ++out, text += 64) {
    bytes32 low, high;
    std::memcpy(&low, text, 32);
    std::memcpy(&high, text + 32, 32);
    all |= low | high;
    std::uint64_t quote = DEVICETWIN_BITS(low == quotes, high == quotes);
    const bytes32 low_escapes = reinterpret_cast<bytes32>(low == backslashes);
    const bytes32 high_escapes = reinterpret_cast<bytes32>(high == backslashes);
    std::uint64_t escapes = 0;
    if ((__builtin_ia32_pmovmskb256(low_escapes | high_escapes) |
         static_cast<int>(state.escaped)) != 0) {
      escapes = DEVICETWIN_BITS(low_escapes, high_escapes);
      const std::uint64_t escaped = escaped_bytes(escapes, state.escaped);
      quote &= ~escaped;
      escapes &= ~escaped;
    }
    const words16 spread =
        __builtin_ia32_pclmulqdq128(words16{static_cast<long long>(quote), 0}, ones, 0);
    const std::uint64_t strings = static_cast<std::uint64_t>(spread[0]) ^ state.in_string;
    state.in_string = 0 - (strings >> 63);
    const auto low_control = reinterpret_cast<unsigned_bytes32>(low) < controls;
    const auto high_control = reinterpret_cast<unsigned_bytes32>(high) < controls;
    *out = {quote, escapes & strings, 0};
    if (__builtin_ia32_pmovmskb256(reinterpret_cast<bytes32>(low_control | high_control)) != 0) {
      out->forbidden = DEVICETWIN_BITS(low_control, high_control) & strings;
      marked |= out->forbidden;
    }
    marked |= escapes;
  }
  return {marked != 0, __builtin_ia32_pmovmskb256(all) != 0};
}

/// The vector whose two halves are the same table.
DEVICETWIN_AVX2 DEVICETWIN_ALWAYS_INLINE bytes32 twice(const utf8_table& table) noexcept {
  const utf8_table two[] = {table, table};
  bytes32 both;
  std::memcpy(&both, two, sizeof both);
  return both;
}

/// By table, see there. Vectors that are not ASCII are loaded together with the bytes before them;
/// so a few characters at the start may be looked at one by one, and the last vector may overlap the
/// one before it.
DEVICETWIN_AVX2 inline const char* utf8_avx2(const char* p, const char* end) {
  if (end - p < 72) return utf8_portable(p, end);
  const char* const start = p;
  const bytes32 first_high = twice(utf8_first_high), first_low = twice(utf8_first_low);
  const bytes32 second_high = twice(utf8_second_high);
  const bytes32 low_half = bytes32{} + '\x0F';
  const bytes32 highest = bytes32{} + '\x80';
  const unsigned_bytes32 three = unsigned_bytes32{} + static_cast<unsigned char>(0xE0);
  const unsigned_bytes32 four = unsigned_bytes32{} + static_cast<unsigned char>(0xF0);
  bytes32 wrong{};
  for (;; p += 64) {
    if (end - p < 64) p = end - 64;
    bytes32 low, high;
    std::memcpy(&low, p, 32);
    std::memcpy(&high, p + 32, 32);
    if (__builtin_ia32_pmovmskb256(low | high) == 0) {
      if (p != start && whole_characters(p) != p) return nullptr;
    } else {
      if (p == start && (p = utf8_portable(p, p + 6)) == nullptr) return nullptr;
      for (const char* const q : {p, p + 32}) {
        bytes32 bytes, before;
        unsigned_bytes32 before_2, before_3;
        std::memcpy(&bytes, q, 32);
        std::memcpy(&before, q - 1, 32);
        std::memcpy(&before_2, q - 2, 32);
        std::memcpy(&before_3, q - 3, 32);
        const bytes32 pairs =
            __builtin_ia32_pshufb256(
                first_high,
                reinterpret_cast<bytes32>(reinterpret_cast<shorts32>(before) >> 4) & low_half) &
            __builtin_ia32_pshufb256(first_low, before & low_half) &
            __builtin_ia32_pshufb256(
                second_high,
                reinterpret_cast<bytes32>(reinterpret_cast<shorts32>(bytes) >> 4) & low_half);
        const bytes32 inside = reinterpret_cast<bytes32>(before_2 >= three) |
                               reinterpret_cast<bytes32>(before_3 >= four);
        wrong |= pairs ^ (inside & highest);
      }
    }
    if (end - p == 64) break;
  }
  const bytes32 right = reinterpret_cast<bytes32>(wrong == bytes32{});
  return __builtin_ia32_pmovmskb256(right) == -1 ? whole_characters(end) : nullptr;
}

DEVICETWIN_AVX2 inline std::size_t index_avx2(const scan_block* from, std::size_t blocks,
                                              std::uint64_t first, index_state& state) {
  struct count_bits {
    DEVICETWIN_AVX2 std::size_t operator()(std::uint64_t bits) const noexcept {
      return static_cast<std::size_t>(__builtin_popcountll(bits));
    }
  };
  return index_blocks(from, blocks, first, state, count_bits{});
}

DEVICETWIN_AVX2 inline std::size_t common_avx2(const char* a, const char* b, std::size_t length) {
  std::size_t at = 0;
  for (; length - at >= 64; at += 64) {
    bytes32 a1, a2, b1, b2;
    std::memcpy(&a1, a + at, 32);
    std::memcpy(&a2, a + at + 32, 32);
    std::memcpy(&b1, b + at, 32);
    std::memcpy(&b2, b + at + 32, 32);
    const bytes32 first = reinterpret_cast<bytes32>(a1 == b1);
    const bytes32 both = first & reinterpret_cast<bytes32>(a2 == b2);
    if (__builtin_ia32_pmovmskb256(both) == -1) continue;
    const auto same1 = static_cast<std::uint32_t>(__builtin_ia32_pmovmskb256(first));
    if (same1 != 0xFFFFFFFF) return at + static_cast<std::size_t>(__builtin_ctz(~same1));
    const auto same2 =
        static_cast<std::uint32_t>(__builtin_ia32_pmovmskb256(reinterpret_cast<bytes32>(a2 == b2)));
    return at + 32 + static_cast<std::size_t>(__builtin_ctz(~same2));
  }
  if (length - at >= 32) {
    bytes32 a1, b1;
    std::memcpy(&a1, a + at, 32);
    std::memcpy(&b1, b + at, 32);
    const auto same =
        static_cast<std::uint32_t>(__builtin_ia32_pmovmskb256(reinterpret_cast<bytes32>(a1 == b1)));
    if (same != 0xFFFFFFFF) return at + static_cast<std::size_t>(__builtin_ctz(~same));
    at += 32;
  }
  return at + common_portable(a + at, b + at, length - at);
}

#undef DEVICETWIN_AVX2
#undef DEVICETWIN_BITS

inline bool runs_avx2() noexcept {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
         __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("popcnt");
}

inline constexpr scan_level avx2_level = {"avx2",    runs_avx2,  scan_avx2,  strings_avx2,
                                          utf8_avx2, index_avx2, common_avx2};

#endif

// --- The choice ----------------------------------------------------------------------------------

/// All levels of this kind of machine, the slowest first.
inline constexpr const scan_level* all_levels[] = {
    &portable_level,
#if defined(DEVICETWIN_HAS_X86)
    &sse2_level,
    &avx2_level,
#elif defined(DEVICETWIN_HAS_NEON)
    &neon_level,
#endif
};

/// The i-th level that this processor can run, the portable one first; null behind the last.
inline const scan_level* level_at(std::size_t i) noexcept {
  for (const scan_level* const each : all_levels) {
    if (each->runs() && i-- == 0) return each;
  }
  return nullptr;
}

#if defined(DEVICETWIN_HAS_X86) || defined(DEVICETWIN_HAS_NEON)

/// The level in use; null until the first use.
inline const scan_level* chosen_level = nullptr;

/// The level to use: the best this processor has, or the one that was forced.
inline const scan_level& level() noexcept {
  const scan_level* now = __atomic_load_n(&chosen_level, __ATOMIC_RELAXED);
  if (now == nullptr) {
    for (const scan_level* const each : all_levels) {
      if (each->runs()) now = each;
    }
    __atomic_store_n(&chosen_level, now, __ATOMIC_RELAXED);
  }
  return *now;
}
/// For tests: from now on this level, whatever the processor; null: choose again.
inline void force_level(const scan_level* wanted) noexcept {
  __atomic_store_n(&chosen_level, wanted, __ATOMIC_RELAXED);
}

#else

inline const scan_level& level() noexcept { return portable_level; }
inline void force_level(const scan_level*) noexcept {}

#endif

#undef DEVICETWIN_HAS_X86
#undef DEVICETWIN_HAS_NEON

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
