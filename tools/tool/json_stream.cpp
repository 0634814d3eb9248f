#include "json_stream.hpp"

#include <devicetwin/base/bits.hpp>
#include <devicetwin/json/text/tokens.hpp>
#include <devicetwin/json/text/utf8.hpp>
#include <devicetwin/json/write.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace base = devicetwin::base;
namespace json = devicetwin::json;

namespace tool {
namespace {

constexpr std::size_t block_size = json::core::block_size;
constexpr std::size_t batch = 16;           ///< blocks that are scanned at a time
constexpr std::size_t longest_escape = 12;  ///< \ud83d\ude00
constexpr std::size_t buffer_size = 64 * batch * block_size;

/// Which bytes of a block are white space or control characters, a bit each.
std::uint64_t spaces_of(const char* block) {
  constexpr std::uint64_t ones = 0x0101010101010101u;
  constexpr std::uint64_t highs = 0x8080808080808080u;
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < block_size; i += 8) {
    const std::uint64_t word = base::first_lowest(block + i);
    // The highest bit of each byte of at most 0x20, exactly: no byte borrows from the next.
    const std::uint64_t above = ((word & ~highs) + ones * (0x7F - 0x20)) | word;
    bits |= std::uint64_t{json::core::byte_bits(~above & highs)} << i;
  }
  return bits;
}

}  // namespace

text_layout layout_of(std::string_view source) {
  constexpr std::size_t longest_unit = 16;  // an input does not choose how large the output becomes
  text_layout layout{"  ", "\n"};
  const std::size_t first_end = source.find('\n', source.find_first_of("{["));
  if (first_end == std::string_view::npos) return layout;
  if (first_end != 0 && source[first_end - 1] == '\r') layout.line_end = "\r\n";
  const std::size_t member = source.find_first_not_of(" \t\r\n", first_end);
  if (member != std::string_view::npos && source[member] != '}' && source[member] != ']') {
    const std::size_t line = source.rfind('\n', member) + 1;
    if (member - line <= longest_unit) layout.unit = source.substr(line, member - line);
  }
  return layout;
}

bool indenter::new_line() {
  const std::size_t length = depth_ * layout_.unit.size();
  while (indentation_.size() < length) indentation_ += layout_.unit;
  return out_.append(layout_.line_end) && out_.append(indentation_.data(), length);
}

/// A bracket, comma or colon outside strings.
bool indenter::structural(char c) {
  if (c == ']' || c == '}') {
    if (depth_ != 0) --depth_;
    const bool empty = opened_;
    opened_ = false;
    return (empty || new_line()) && out_.append(&c, 1);
  }
  if (c == ':') return out_.append(": ", 2);
  if (!out_.append(&c, 1)) return false;
  if (c == ',') return new_line();
  ++depth_;
  opened_ = true;
  return true;
}

bool indenter::append(const char* text, std::size_t length) {
  const char* const end = text + length;
  for (const char* p = text; p != end;) {
    const char* const run = p;
    if (in_string_) {
      if (escaped_) ++p;
      escaped_ = false;
      while (p != end && *p != '"' && *p != '\\') ++p;
      if (p != end) {
        escaped_ = *p == '\\';
        in_string_ = escaped_;
        ++p;
      }
    } else {
      const char c = *p++;
      const bool closes = c == ']' || c == '}';
      if (opened_ && !closes) {
        opened_ = false;
        if (!new_line()) return false;
      }
      if (closes || c == '[' || c == '{' || c == ',' || c == ':') {
        if (!structural(c)) return false;
        continue;
      }
      in_string_ = c == '"';
    }
    if (!out_.append(run, static_cast<std::size_t>(p - run))) return false;
  }
  return true;
}

json_stream::json_stream(byte_stream& out, const text_layout* layout)
    : out_(out),
      indenter_(layout != nullptr ? new indenter(out, *layout) : nullptr),
      buffer_(new char[buffer_size]) {
  if (layout != nullptr) line_end_ = layout->line_end;
}

json_stream::~json_stream() = default;

bool json_stream::append(const char* text, std::size_t length) {
  while (length != 0) {
    const std::size_t count = std::min(length, buffer_size - size_);
    std::memcpy(buffer_.get() + size_, text, count);
    size_ += count;
    text += count;
    length -= count;
    // Behind the last block that is passed on a whole escape sequence must be there.
    if (size_ == buffer_size && !pass_blocks((size_ - longest_escape) / block_size)) return false;
  }
  return true;
}

bool json_stream::finish() {
  // White space at the end is not passed on.
  const std::size_t padding = 2 * block_size - size_ % block_size;
  const char spaces[2 * block_size] = {};
  if (!append(spaces, padding) || !pass_blocks(size_ / block_size)) return false;
  return out_.append(line_end_);
}

bool json_stream::pass(const char* text, std::size_t length) {
  return indenter_ != nullptr ? indenter_->append(text, length) : out_.append(text, length);
}
/// Passes on a piece of the buffer.
bool json_stream::pass(std::size_t from, std::size_t to) {
  return from >= to || pass(buffer_.get() + from, to - from);
}

/// Passes on what an escape sequence means, escaped only if it must be. Returns the length of the
/// sequence; 0 when the output takes no more.
std::size_t json_stream::pass_escape(std::size_t at) {
  const char* const sequence = buffer_.get() + at;
  if (sequence[1] != 'u') {
    const bool needed = sequence[1] != '/';
    return pass(needed ? at : at + 1, at + 2) ? 2 : 0;
  }
  const bool is_pair = (sequence[2] | 0x20) == 'd' && std::strchr("89abAB", sequence[3]) != nullptr;
  const std::size_t length = is_pair ? longest_escape : longest_escape / 2;
  char character[longest_escape];
  std::size_t size = 0;
  json::core::plain_bytes bytes({sequence, length});
  for (int c = bytes.next(); c >= 0; c = bytes.next()) character[size++] = static_cast<char>(c);
  const auto first = static_cast<unsigned char>(character[0]);
  if (first >= 0x20 && first != '"' && first != '\\') return pass(character, size) ? length : 0;
  std::string quoted;
  json::text_writer writer(quoted);
  writer.String(character, static_cast<json::size_type>(size), true);
  return quoted.size() < 2 || pass(quoted.data() + 1, quoted.size() - 2) ? length : 0;
}

/// Passes on some whole blocks, and moves the rest of the buffer to its start.
bool json_stream::pass_blocks(std::size_t count) {
  json::core::string_block scanned[batch];
  std::size_t done = start_;
  for (std::size_t first = 0; first < count; first += batch) {
    const std::size_t now = std::min(batch, count - first);
    std::uint64_t before = state_.in_string;
    json::core::level().strings(buffer_.get() + first * block_size, now, state_, scanned);
    for (std::size_t i = 0; i < now; ++i) {
      const std::size_t block = (first + i) * block_size;
      const std::uint64_t in_string = json::core::parity_prefix(scanned[i].quote) ^ before;
      before = 0 - (in_string >> 63);
      const std::uint64_t spaces = spaces_of(buffer_.get() + block) & ~in_string;
      for (std::uint64_t left = spaces | scanned[i].escapes; left != 0;) {
        const int bit = base::lowest_bit(left);
        const std::size_t at = block + static_cast<std::size_t>(bit);
        if (at < done) {  // the second half of a pair
          left &= left - 1;
          continue;
        }
        if (!pass(done, at)) return false;
        if ((scanned[i].escapes >> bit & 1) != 0) {
          const std::size_t length = pass_escape(at);
          if (length == 0) return false;
          done = at + length;
          left &= left - 1;
        } else {  // all of the white space
          const std::uint64_t others = ~(spaces >> bit);
          const int run = others == 0 ? 64 : base::lowest_bit(others);
          done = at + static_cast<std::size_t>(run);
          left = bit + run >= 64 ? 0 : left >> (bit + run) << (bit + run);
        }
      }
    }
  }
  const std::size_t passed = count * block_size;
  if (!pass(done, passed)) return false;
  start_ = std::max(done, passed) - passed;
  size_ -= passed;
  std::memmove(buffer_.get(), buffer_.get() + passed, size_);
  return true;
}

}  // namespace tool
