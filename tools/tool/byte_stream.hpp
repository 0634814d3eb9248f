// Where the bytes of an output go: an open file or a string.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace tool {

/// Writes all of a text to a descriptor. Returns false, with errno, when that fails.
bool write_all(int descriptor, std::string_view text);

/// Collects bytes and writes them in blocks. The functions return false when the file takes no
/// more; error() is the reason then.
class byte_stream {
 public:
  /// Writes to an open file, which must outlive the stream.
  explicit byte_stream(int file) : file_(file), buffer_(new char[capacity]) {}
  /// Appends to a string.
  explicit byte_stream(std::string& text) : text_(&text) {}
  byte_stream(const byte_stream&) = delete;
  byte_stream& operator=(const byte_stream&) = delete;

  bool append(const char* text, std::size_t length) {
    if (text_ != nullptr) {
      text_->append(text, length);
      return true;
    }
    if (length > capacity - size_) return append_much(text, length);
    std::memcpy(buffer_.get() + size_, text, length);
    size_ += length;
    return true;
  }
  bool append(std::string_view text) { return append(text.data(), text.size()); }
  /// Writes what is still held back.
  bool flush();
  /// The errno of the write that failed; 0 when none did.
  int error() const { return error_; }

 private:
  static constexpr std::size_t capacity = std::size_t{1} << 17;

  bool append_much(const char* text, std::size_t length);
  bool write(std::string_view text);

  std::string* text_ = nullptr;
  int file_ = -1;
  int error_ = 0;
  std::size_t size_ = 0;
  std::unique_ptr<char[]> buffer_;
};

}  // namespace tool
