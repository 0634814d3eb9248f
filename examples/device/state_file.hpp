/// A file that is always whole: replaced by way of a new one beside it, never written over.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstddef>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

namespace device {

/// Its bytes; false when it is not there or cannot be read.
inline bool read_file(const std::string& path, std::string& bytes) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) return false;
  bytes = text.str();
  return true;
}

/// Replaces it. When this returns true, the new bytes are there after a power loss; until then, and after false, the old
/// ones are.
inline bool replace_file(const std::string& path, std::string_view bytes) {
  const std::string fresh = path + ".new";
  const int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return false;
  bool good = true;
  while (good && !bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    good = written > 0;
    if (good) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  good = ::fsync(file) == 0 && good;
  good = ::close(file) == 0 && good;
  if (!good || std::rename(fresh.c_str(), path.c_str()) != 0) {
    ::unlink(fresh.c_str());
    return false;
  }
  // The new name, too, must be on the disk.
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return false;
  good = ::fsync(directory) == 0;
  ::close(directory);
  return good;
}

}  // namespace device
