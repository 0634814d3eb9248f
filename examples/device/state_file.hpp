/// What must outlive the device program, in a file that is always whole, and that belongs to one
/// device of one hub.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace device {

/// The file. It starts with three lines: the form, the hub's host name and the device; the state
/// follows. What cannot be read, or belongs to another device, is never replaced. Nor is a file
/// that another program uses, or one that is a symbolic link. Functions return what is wrong, in
/// one sentence; nothing when all is well.
class state_file {
 public:
  /// `device` is DEVICE, or DEVICE/MODULE.
  state_file(std::string path, std::string host, std::string device);
  state_file(const state_file&) = delete;
  state_file& operator=(const state_file&) = delete;
  ~state_file() { hold(-1); }

  /// Reads what was saved; nothing when there is no file. After a failure save() does nothing, and
  /// fails too.
  std::string load(std::string& state);
  /// Whether the file that load() has read does not say whose it is, as those of the first version
  /// do not.
  bool was_unbound() const { return unbound_; }

  /// Replaces the file. After a success the new state is there after a power loss, too; until then,
  /// and after a failure, the old one is. Call it after load(). A state that is in the file already
  /// is not written again.
  std::string save(std::string_view state);

 private:
  static constexpr std::string_view form = "devicetwin device state ";
  static constexpr std::string_view first_version_mark =
      "DTDS";  ///< files of the first version are the state alone

  std::string problem(const std::string& what) const { return path_ + ": " + what; }
  std::string system_problem(const char* what) const {
    return problem(std::string(what) + ": " + std::strerror(errno));
  }
  /// Keeps a file open, whose lock tells other programs that it is used.
  void hold(int file);
  /// Whether the name still belongs to the file that is held, or to none if none is.
  bool is_mine() const;
  std::string take_header(const std::string& bytes, std::size_t& length);
  std::string write_new(const std::string& fresh, std::string_view bytes, int& file) const;

  std::string path_, host_, device_;
  std::string saved_;  ///< what is in the file
  int held_ = -1;
  bool loaded_ = false;
  bool unbound_ = false;
};

// ---------------------------------------------------------------------------------------------

inline state_file::state_file(std::string path, std::string host, std::string device)
    : path_(std::move(path)), host_(std::move(host)), device_(std::move(device)) {
  for (char& c : host_) {  // names of hosts are the same in capitals
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
}

inline void state_file::hold(int file) {
  if (held_ >= 0) ::close(held_);
  held_ = file;
}

inline bool state_file::is_mine() const {
  struct stat named {
  }, held{};
  if (::lstat(path_.c_str(), &named) != 0) return errno == ENOENT && held_ < 0;
  return held_ >= 0 && ::fstat(held_, &held) == 0 && named.st_dev == held.st_dev &&
         named.st_ino == held.st_ino;
}

inline std::string state_file::load(std::string& state) {
  state.clear();
  loaded_ = unbound_ = false;
  hold(::open(path_.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (held_ < 0) {
    if (errno == ELOOP) return problem("it is a symbolic link; give the name of the file itself");
    if (errno != ENOENT) return system_problem("it cannot be read");
    loaded_ = true;
    return {};
  }
  struct stat status {};
  if (::fstat(held_, &status) != 0) return system_problem("it cannot be read");
  if (!S_ISREG(status.st_mode)) return problem("it is not a regular file");
  // Where files cannot be locked, the program does without.
  if ((::flock(held_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) || !is_mine())
    return problem("another program uses it");
  std::string bytes;
  char block[65536];
  for (ssize_t count; (count = ::read(held_, block, sizeof block)) != 0;) {
    if (count > 0)
      bytes.append(block, static_cast<std::size_t>(count));
    else if (errno != EINTR)
      return system_problem("it cannot be read");
  }
  std::size_t header = 0;
  if (std::string wrong = take_header(bytes, header); !wrong.empty()) return wrong;
  state = bytes.substr(header);
  saved_ = std::move(bytes);
  loaded_ = true;
  return {};
}

inline std::string state_file::take_header(const std::string& bytes, std::size_t& length) {
  length = 0;
  unbound_ = bytes.compare(0, first_version_mark.size(), first_version_mark) == 0;
  if (unbound_) return {};
  std::string lines[3];
  for (std::string& line : lines) {
    const std::size_t end = bytes.find('\n', length);
    if (end == std::string::npos) return problem("the saved state is damaged");
    line = bytes.substr(length, end - length);
    length = end + 1;
  }
  if (lines[0].compare(0, form.size(), form) != 0) return problem("the saved state is damaged");
  if (lines[0].substr(form.size()) != "1")
    return problem("the state was saved by a newer version of this program");
  if (lines[1] == host_ && lines[2] == device_) return {};
  return problem("it is the state of " + lines[2] + " at " + lines[1] + ", not of " + device_ +
                 " at " + host_);
}

inline std::string state_file::write_new(const std::string& fresh, std::string_view bytes,
                                         int& file) const {
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  file = ::open(fresh.c_str(), flags, 0600);
  if (file < 0 && errno == EEXIST && ::unlink(fresh.c_str()) == 0)
    file = ::open(fresh.c_str(), flags, 0600);  // of a power loss
  if (file < 0)
    return problem("the state cannot be saved, " + fresh +
                   " cannot be made: " + std::strerror(errno));
  static_cast<void>(::flock(file, LOCK_EX | LOCK_NB));
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_problem("the state cannot be saved");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(file) == 0 ? std::string() : system_problem("the state cannot be saved");
}

inline std::string state_file::save(std::string_view state) {
  if (!loaded_) return problem("the state cannot be saved: the old one was not read");
  std::string bytes = std::string(form) + "1\n" + host_ + "\n" + device_ + "\n";
  bytes += state;
  if (bytes == saved_ && is_mine()) return {};
  const std::string fresh = path_ + ".new";
  int file = -1;
  std::string wrong = write_new(fresh, bytes, file);
  if (file < 0) return wrong;
  if (wrong.empty() && !is_mine())
    wrong = problem("the state cannot be saved: another program has changed the file");
  if (wrong.empty() && std::rename(fresh.c_str(), path_.c_str()) != 0)
    wrong = system_problem("the state cannot be saved");
  if (!wrong.empty()) {
    ::close(file);
    ::unlink(fresh.c_str());
    return wrong;
  }
  hold(file);
  // The new name, too, must be on the disk.
  const std::size_t slash = path_.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
  const int directory = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0 || (::fsync(directory) != 0 && errno != EINVAL))
    wrong = system_problem("the state may not outlive a power loss");
  if (directory >= 0) ::close(directory);
  if (wrong.empty()) saved_ = std::move(bytes);
  return wrong;
}

}  // namespace device
