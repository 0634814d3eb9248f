// Large files as memory, without reading them first.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <sys/stat.h>

namespace tool {

/// A mapped file can change while the program runs. If it becomes shorter, or its disk fails, the
/// next look at the missing part ends the program: it says so on standard error, removes its
/// temporary files, and exits with status 2. is_unchanged() finds other changes.
class mapped_file {
 public:
  /// Maps a regular file of some size for reading. `name` is what messages call it. Returns null
  /// when the system cannot map it: it is to be read then.
  static std::shared_ptr<mapped_file> map(int file, const struct stat& status,
                                          const std::string& name);
  ~mapped_file();
  mapped_file(const mapped_file&) = delete;
  mapped_file& operator=(const mapped_file&) = delete;

  std::string_view text() const { return {data_, size_}; }
  /// Whether nobody has written to the file since it was mapped, as far as its size and its times
  /// say.
  bool is_unchanged() const;
  const std::string& name() const { return name_; }

 private:
  mapped_file() = default;

  const char* data_ = nullptr;
  std::size_t size_ = 0;
  int file_ = -1;  ///< another descriptor of the file
  int slot_ = -1;  ///< in the table that the signal handler reads
  struct stat status_ {};
  std::string name_;
};

}  // namespace tool
