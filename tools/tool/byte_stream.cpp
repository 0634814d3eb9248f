#include "byte_stream.hpp"

#include <cerrno>

#include <unistd.h>

namespace tool {

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = ::write(file, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

bool byte_stream::write(std::string_view text) {
  if (error_ == 0 && !write_all(file_, text)) error_ = errno;
  return error_ == 0;
}

bool byte_stream::append_much(const char* text, std::size_t length) {
  if (!flush()) return false;
  if (length >= capacity) return write({text, length});
  return append(text, length);
}

bool byte_stream::flush() {
  const std::size_t size = size_;
  size_ = 0;
  return size == 0 ? error_ == 0 : write({buffer_.get(), size});
}

}  // namespace tool
