/// Is a text JSON, as strictly as the reader has it? A quick yes, or: ask the reader, who also knows what is wrong.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <cstring>      // std::memcmp
#include <string_view>  // std::string_view

#include "../memory.hpp"
#include "../number.hpp"
#include "escape.hpp"
#include "names.hpp"
#include "scan.hpp"
#include "stack.hpp"
#include "text.hpp"
#include "tokens.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace detail {

/// True when a string, from behind its opening quote to its closing one, is one that the reader accepts.
inline bool is_valid_string(const char* p, const char* end) noexcept {
  for (;;) {
    p = skip_plain(p, end);
    if (p == end) return true;
    const auto c = static_cast<unsigned char>(*p);
    if (c == '\\') {
      char decoded[4];
      std::size_t length;
      const escape_end read = read_escape(p, end, decoded, length);
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

/// To behind the number at `p`; null when it is none, or too large for a double.
inline const char* skip_valid_number(const char* p, const char* end) noexcept {
  const char* const start = p;
  if (p != end && *p == '-') ++p;
  if (p == end || !is_digit(*p)) return nullptr;
  if (*p == '0') {
    ++p;
  } else {
    while (p != end && is_digit(*p)) ++p;
  }
  if (p != end && *p == '.') {
    if (++p == end || !is_digit(*p)) return nullptr;
    while (p != end && is_digit(*p)) ++p;
  }
  if ((p != end && (*p == 'e' || *p == 'E')) || p - start > 300) {
    number ignored;
    const number_end read = parse_number(start, end, ignored);
    return read.code == errc::ok ? read.end : nullptr;
  }
  return p;
}

/// To behind the number or literal at `p`; null when it is none.
inline const char* skip_valid_plain(const char* p, const char* end) noexcept {
  const auto left = static_cast<std::size_t>(end - p);
  if (*p == 't') return left >= 4 && std::memcmp(p, "true", 4) == 0 ? p + 4 : nullptr;
  if (*p == 'f') return left >= 5 && std::memcmp(p, "false", 5) == 0 ? p + 5 : nullptr;
  if (*p == 'n') return left >= 4 && std::memcmp(p, "null", 4) == 0 ? p + 4 : nullptr;
  return skip_valid_number(p, end);
}

/// Goes from token to token and checks each. It knows no place and no cause of an error, and nothing of
/// names with escapes; that keeps it quick.
class quick_validator {
 public:
  quick_validator(std::string_view text, std::size_t max_depth, const memory_source& memory) noexcept
      : text_(text),
        end_(text.data() + text.size()),
        max_depth_(max_depth),
        frames_(memory),
        names_(memory),
        index_(memory) {}

  /// True when the text is valid for certain.
  bool sure() {
    const char* token = next();
    if (token == nullptr || !value(token)) return false;
    while (!frames_.empty()) {
      if (!(frames_.back().object ? rest_of_object() : rest_of_array())) return false;
    }
    return next() == nullptr && !failed_ && state_.in_string == 0;
  }

 private:
  struct seen_name {
    std::uint32_t offset;
    std::uint32_t length;
    std::uint32_t hash;
  };
  struct frame {
    bool object;
    bool empty;  ///< nothing was read of it yet
    name_filter filter;
    size_type count;  ///< of names
    std::size_t first_name;
  };

  /// The start of the next token; null at the end, or when failed_.
  DEVICETWIN_ALWAYS_INLINE const char* next() noexcept {
    if (starts_ == 0 && !next_blocks()) return nullptr;
    const char* const token = first_ + lowest_bit(starts_);
    starts_ &= starts_ - 1;
    return token;
  }

  /// Goes to the next block in which a token begins.
  DEVICETWIN_NEVER_INLINE bool next_blocks() noexcept {
    do {
      if (++at_ >= count_ && !scan()) return false;
      first_ = text_.data() + start_ + at_ * block_size;
      const token_block& block = blocks_[at_];
      if ((block.forbidden | block.escapes | block.not_ascii) != 0 && !check(block)) {
        failed_ = true;
        return false;
      }
      starts_ = block.starts;
    } while (starts_ == 0);
    return true;
  }
  bool scan() noexcept {
    start_ += count_ * block_size;
    at_ = count_ = 0;
    if (start_ >= text_.size()) return false;
    const std::size_t left = text_.size() - start_;
    count_ = left / block_size;
    if (count_ > most) count_ = most;
    if (count_ != 0) {
      level().tokens(text_.data() + start_, count_, state_, blocks_);
      return true;
    }
    char padded[block_size];
    std::memset(padded, ' ', sizeof padded);
    std::memcpy(padded, text_.data() + start_, left);
    level().tokens(padded, count_ = 1, state_, blocks_);
    blocks_[0].starts &= (std::uint64_t{1} << left) - 1;
    return true;
  }

  /// Escape sequences and UTF-8 of a block, which may reach into the next.
  bool check(const token_block& block) noexcept {
    if (block.forbidden != 0) return false;
    for (std::uint64_t left = block.escapes; left != 0; left &= left - 1) {
      const char* const p = first_ + lowest_bit(left);
      escapes_ = true;
      if (p < checked_escapes_) continue;
      char decoded[4];
      std::size_t length;
      const escape_end read = read_escape(p, end_, decoded, length);
      if (read.code != errc::ok) return false;
      checked_escapes_ = read.end;
    }
    for (std::uint64_t left = block.not_ascii; left != 0; left &= left - 1) {
      const char* const p = first_ + lowest_bit(left);
      if (p < checked_utf8_) continue;
      const std::size_t length = utf8_length(p, end_);
      if (length == 0) return false;
      checked_utf8_ = p + length;
    }
    return true;
  }

  bool value(const char* token) { return *token == '{' || *token == '[' ? open(token) : scalar(token); }
  bool open(const char* token) {
    return frames_.size() < max_depth_ && frames_.push({*token == '{', true, {}, 0, names_.size()});
  }
  DEVICETWIN_ALWAYS_INLINE bool scalar(const char* token) const noexcept {
    if (*token == '"') return true;  // what is in it was checked with its block; the token behind it will tell
    const char* const behind = skip_valid_plain(token, end_);
    return behind != nullptr &&
           (behind == end_ || *behind == ',' || *behind == '}' || *behind == ']' || is_space(*behind));
  }

  bool rest_of_object() {
    frame& top = frames_.back();
    const char* token = next();
    if (token == nullptr) return false;
    if (!top.empty || *token == '}') {
      if (*token == '}') return close(top);
      if (*token != ',' || (token = next()) == nullptr) return false;
    }
    top.empty = false;
    for (;;) {  // at a name
      if (*token != '"') return false;
      escapes_ = blocks_[at_].escapes != 0;
      const char* const name = token + 1;
      if ((token = next()) == nullptr || *token != ':') return false;
      const char* name_end = token - 1;
      while (*name_end != '"') --name_end;
      if (!note(top, {name, static_cast<std::size_t>(name_end - name)})) return false;
      if ((token = next()) == nullptr) return false;
      if (*token == '{' || *token == '[') return open(token);
      if (!scalar(token) || (token = next()) == nullptr) return false;
      if (*token == '}') return close(top);
      if (*token != ',' || (token = next()) == nullptr) return false;
    }
  }
  bool rest_of_array() {
    frame& top = frames_.back();
    const char* token = next();
    for (;; token = next()) {
      if (token == nullptr) return false;
      if (*token == ']') {
        frames_.pop();
        return true;
      }
      if (!top.empty) {
        if (*token != ',' || (token = next()) == nullptr) return false;
      }
      top.empty = false;
      const std::size_t depth = frames_.size();
      if (!value(token)) return false;
      if (frames_.size() != depth) return true;
    }
  }

  /// Quick; names that are alike at both ends may well collide, which costs time only.
  static std::uint32_t hash_ends(std::string_view name) noexcept {
    const char* const p = name.data();
    const std::size_t size = name.size();
    std::uint64_t a = 0, b = 0;
    if (size >= 8) {
      std::memcpy(&a, p, 8);
      std::memcpy(&b, p + size - 8, 8);
    } else if (size >= 4) {
      std::memcpy(&a, p, 4);
      std::memcpy(&b, p + size - 4, 4);
    } else if (size != 0) {
      a = static_cast<unsigned char>(p[0]) | static_cast<unsigned>(static_cast<unsigned char>(p[size / 2])) << 8;
      b = static_cast<unsigned char>(p[size - 1]);
    }
    const std::uint64_t hash = (a ^ size) * 0x9E3779B97F4A7C15u + b * 0xC2B2AE3D27D4EB4Fu;
    return static_cast<std::uint32_t>(hash >> 32) ^ static_cast<std::uint32_t>(hash >> 56);
  }

  bool note(frame& top, std::string_view name) {
    if (escapes_ && has_escapes(name)) return false;
    const std::uint32_t hash = hash_ends(name);
    const auto offset = static_cast<std::uint32_t>(name.data() - text_.data());
    if (++top.count <= small_object && top.filter.add(hash)) {
      for (std::size_t i = top.first_name; i < names_.size(); ++i) {
        if (names_[i].hash == hash && name_at(names_[i]) == name) return false;
      }
    }
    return names_.push({offset, static_cast<std::uint32_t>(name.size()), hash});
  }
  std::string_view name_at(const seen_name& n) const noexcept { return {text_.data() + n.offset, n.length}; }

  bool close(const frame& top) {
    if (top.count > small_object && !differ(names_.data() + top.first_name, top.count)) return false;
    names_.truncate(top.first_name);
    frames_.pop();
    return true;
  }
  /// Whether all of many names are different for certain.
  bool differ(const seen_name* names, size_type count) {
    constexpr size_type few = 128;
    if (count <= few) {  // mostly, no two share a bit of 4096
      std::uint64_t bits[64] = {};
      size_type i = 0;
      for (; i < count; ++i) {
        std::uint64_t& word = bits[names[i].hash >> 6 & 63];
        const std::uint64_t bit = std::uint64_t{1} << (names[i].hash & 63);
        if ((word & bit) != 0) break;
        word |= bit;
      }
      if (i == count) return true;
    }
    bool all_differ = true;
    name_index found;
    index_.truncate(0);
    return found.build(
               count, [&](size_type i) { return name_at(names[i]); }, index_,
               [&](size_type) { all_differ = false; }) &&
           all_differ;
  }

  static constexpr std::size_t most = 16;

  std::string_view text_;
  const char* end_;
  std::size_t max_depth_;
  bool failed_ = false;
  bool escapes_ = false;         ///< there are some in the blocks since the last name began
  std::uint64_t starts_ = 0;     ///< of the block at hand, those not gone to yet
  const char* first_ = nullptr;  ///< where that begins
  std::size_t at_ = 0;           ///< its index
  std::size_t count_ = 0;        ///< blocks at hand
  std::size_t start_ = 0;        ///< where the first of them begins
  const char* checked_escapes_ = nullptr;  ///< up to here
  const char* checked_utf8_ = nullptr;
  token_state state_;
  token_block blocks_[most];
  stack<frame, 16> frames_;
  stack<seen_name, 32> names_;
  index_memory index_;
};

}  // namespace detail
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
