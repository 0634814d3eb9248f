/// What stored bytes have in common: a mark, a format number, a checksum, numbers and texts with
/// their lengths.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint32_t
#include <string_view>  // std::string_view

#include "../base/base128.hpp"
#include "../base/text_buffer.hpp"
#include "error.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

/// CRC-32 (ISO 3309), a nibble at a time: small enough for firmware.
class crc32_sum {
 public:
  crc32_sum() noexcept {
    for (std::uint32_t i = 0; i < 16; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 4; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0xEDB88320u : 0);
      table_[i] = value;
    }
  }
  void add(std::string_view bytes) noexcept {
    for (const char c : bytes) {
      crc_ ^= static_cast<unsigned char>(c);
      crc_ = (crc_ >> 4) ^ table_[crc_ & 15];
      crc_ = (crc_ >> 4) ^ table_[crc_ & 15];
    }
  }
  std::uint32_t value() const noexcept { return ~crc_; }

 private:
  std::uint32_t table_[16];
  std::uint32_t crc_ = 0xFFFFFFFF;
};
inline std::uint32_t crc32(std::string_view bytes) noexcept {
  crc32_sum sum;
  sum.add(bytes);
  return sum.value();
}

// The stored form: a mark of four letters, the format, three zeros, the length and the CRC-32 of
// what follows (four bytes each, the lowest first). Then, as the format says, numbers in groups of
// seven bits, the lowest first, and texts with their length before them.
inline constexpr std::size_t stored_header_size = 16;

/// Numbers and texts, for an output with a bool append().
template <class Output>
class stored_writer {
 public:
  explicit stored_writer(Output& out) noexcept : out_(out) {}
  bool good() const noexcept { return good_; }
  void number(std::uint64_t n) {
    char bytes[base::max_base128];
    this->bytes({bytes, static_cast<std::size_t>(base::write_base128(bytes, n) - bytes)});
  }
  void text(std::string_view t) {
    number(t.size());
    bytes(t);
  }
  void bytes(std::string_view b) { good_ = good_ && base::append(out_, b.data(), b.size()); }

 private:
  Output& out_;
  bool good_ = true;
};

class stored_reader {
 public:
  explicit stored_reader(std::string_view bytes) noexcept : rest_(bytes) {}
  bool number(std::uint64_t& n) noexcept { return base::read_base128(rest_, n); }
  bool text(std::string_view& t) noexcept {
    std::uint64_t length = 0;
    if (!number(length) || length > rest_.size()) return false;
    t = rest_.substr(0, static_cast<std::size_t>(length));
    rest_.remove_prefix(t.size());
    return true;
  }
  bool done() const noexcept { return rest_.empty(); }

 private:
  std::string_view rest_;
};

/// An output that only measures and sums up.
class stored_measure {
 public:
  bool append(const char* bytes, std::size_t count) noexcept {
    size_ += count;
    sum_.add({bytes, count});
    return true;
  }
  std::size_t size() const noexcept { return size_; }
  std::uint32_t sum() const noexcept { return sum_.value(); }

 private:
  std::size_t size_ = 0;
  crc32_sum sum_;
};

/// Appends the stored form whose content `write(stored_writer&)` writes, each time the same: it is
/// called twice. Errors: out_of_memory, for more than 4 GB too; then `out` is as it was.
template <class Output, class Write>
error write_stored_form(std::string_view mark, unsigned char format, Output& out, Write&& write) {
  stored_measure measured;
  stored_writer<stored_measure> measuring(measured);
  write(measuring);
  if (measured.size() > 0xFFFFFFFF) return errc::out_of_memory;
  char header[stored_header_size] = {mark[0], mark[1], mark[2], mark[3], static_cast<char>(format)};
  const auto put = [&header](std::size_t at, std::uint64_t n) {
    for (std::size_t i = 0; i < 4; ++i) header[at + i] = static_cast<char>(n >> (8 * i) & 0xFF);
  };
  put(8, measured.size());
  put(12, measured.sum());
  const std::size_t size = out.size();
  stored_writer<Output> writer(out);
  if (base::append(out, header, sizeof header)) {
    write(writer);
    if (writer.good()) return {};
  }
  out.resize(size);
  return error(errc::out_of_memory).needing(size + sizeof header + measured.size());
}

/// Finds the content of a stored form. damaged: torn, changed, or something else; newer_format: of
/// a later `format`.
inline errc read_stored_form(std::string_view bytes, std::string_view mark, unsigned char format,
                             std::string_view& content) noexcept {
  const auto number = [bytes](std::size_t at) {
    std::uint32_t n = 0;
    for (std::size_t i = 4; i-- > 0;) n = n << 8 | static_cast<unsigned char>(bytes[at + i]);
    return n;
  };
  if (bytes.size() < stored_header_size || bytes.substr(0, 4) != mark) return errc::damaged;
  if (static_cast<unsigned char>(bytes[4]) > format) return errc::newer_format;
  content = bytes.substr(stored_header_size);
  return bytes[4] == 0 || number(8) != content.size() || number(12) != crc32(content)
             ? errc::damaged
             : errc::ok;
}

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
