// Files that must not be left behind: not by an error, and not by a signal that ends the program.
#pragma once

#include <csignal>
#include <string>

#include <sys/types.h>

namespace tool {

/// A file descriptor that is closed at the end of its scope.
class descriptor {
 public:
  descriptor() = default;
  explicit descriptor(int number) : number_(number) {}
  descriptor(descriptor&& other) noexcept : number_(other.release()) {}
  descriptor& operator=(descriptor&& other) noexcept;
  ~descriptor() { static_cast<void>(close()); }

  explicit operator bool() const { return number_ >= 0; }
  int get() const { return number_; }
  int release();
  /// Returns false, with errno, when closing reports an error of an earlier write.
  bool close();

 private:
  int number_ = -1;
};

/// A file without a name, or of a short random name in a folder. Its destructor removes it, and so
/// does a signal such as SIGINT. One without a name is gone whatever ends the program. The
/// functions return false, with errno, when they fail. The folder must stay open as long as the
/// file is there.
class temporary_file {
 public:
  temporary_file() = default;
  temporary_file(temporary_file&& other) noexcept;
  temporary_file& operator=(temporary_file&& other) noexcept;
  ~temporary_file() { remove(); }

  /// Makes a new file, open for writing: without a name where the system can do that.
  bool create(int folder, mode_t mode);
  /// Makes a second name for the file `name` of the same folder.
  bool link_to(int folder, const std::string& name);
  /// Moves the file `name` of the same folder here.
  bool move_from(int folder, const std::string& name);
  /// Gives the file the name `name`. A file of that name is replaced. Then nothing is left to
  /// remove.
  bool rename_to(const std::string& name);
  void remove();

  explicit operator bool() const { return slot_ >= 0 || file_; }
  int get() const { return file_.get(); }

 private:
  bool create_without_name(int folder, mode_t mode);
  bool link_from(int from, const char* path, int folder, int flags);
  bool reserve(int folder);
  const char* name() const;
  int folder() const;
  void forget();

  int slot_ = -1;  ///< in the table that the signal handler reads; -1 without a name
  descriptor file_;
  int future_folder_ = -1;  ///< where a file without a name will have one
};

/// Removes all temporary files before the program ends in a way that calls no destructors.
void remove_temporary_files();

/// Holds back the signals that end the program while files are being exchanged.
class signals_held {
 public:
  signals_held();
  ~signals_held();
  signals_held(const signals_held&) = delete;
  signals_held& operator=(const signals_held&) = delete;

 private:
  sigset_t before_;
};

}  // namespace tool
