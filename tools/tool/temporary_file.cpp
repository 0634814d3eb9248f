#include "temporary_file.hpp"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <random>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace tool {
namespace {

constexpr int ending_signals[] = {SIGALRM, SIGHUP,  SIGINT,  SIGQUIT,
                                  SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU};

/// What is to be removed. The signal handler reads it, so it is a plain table.
struct entry {
  volatile std::sig_atomic_t used;
  int folder;
  char name[32];
};
entry table[16];

extern "C" void remove_and_end(int signal) {
  remove_temporary_files();
  std::signal(signal, SIG_DFL);
  std::raise(signal);  // delivered when the handler returns
}

void install_handler() {
  static bool installed = false;
  if (installed) return;
  installed = true;
  for (const int signal : ending_signals) {
    struct sigaction action {};
    // A signal that is ignored, as by nohup, stays ignored.
    if (::sigaction(signal, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) continue;
    action = {};
    action.sa_handler = remove_and_end;
    ::sigaction(signal, &action, nullptr);
  }
}

/// A path to an open file, with or without a name.
std::string path_of(int file) { return "/proc/self/fd/" + std::to_string(file); }

}  // namespace

void remove_temporary_files() {
  for (const entry& e : table) {
    if (e.used != 0) ::unlinkat(e.folder, e.name, 0);
  }
}

descriptor& descriptor::operator=(descriptor&& other) noexcept {
  if (this != &other) {
    static_cast<void>(close());
    number_ = other.release();
  }
  return *this;
}

int descriptor::release() {
  const int number = number_;
  number_ = -1;
  return number;
}

bool descriptor::close() { return number_ < 0 || ::close(release()) == 0; }

temporary_file::temporary_file(temporary_file&& other) noexcept
    : slot_(other.slot_), file_(std::move(other.file_)), future_folder_(other.future_folder_) {
  other.slot_ = -1;
}

temporary_file& temporary_file::operator=(temporary_file&& other) noexcept {
  if (this != &other) {
    remove();
    slot_ = other.slot_;
    other.slot_ = -1;
    file_ = std::move(other.file_);
    future_folder_ = other.future_folder_;
  }
  return *this;
}

const char* temporary_file::name() const { return table[slot_].name; }
int temporary_file::folder() const { return table[slot_].folder; }

bool temporary_file::reserve(int folder) {
  install_handler();
  for (entry& e : table) {
    if (e.used != 0) continue;
    static std::random_device random;
    const std::uint64_t number = (std::uint64_t{random()} << 32) | random();
    std::snprintf(e.name, sizeof e.name, ".devicetwin-%016llx",
                  static_cast<unsigned long long>(number));
    e.folder = folder;
    e.used =
        1;  // before the file is there, so that there is no moment in which a signal would leave it
    slot_ = static_cast<int>(&e - table);
    return true;
  }
  errno = EMFILE;
  return false;
}

void temporary_file::forget() {
  if (slot_ >= 0) table[slot_].used = 0;
  slot_ = -1;
}

bool temporary_file::create_without_name(int folder, mode_t mode) {
#ifdef O_TMPFILE
  future_folder_ = folder;
  file_ = descriptor(::openat(folder, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, mode));
  if (file_ && ::access(path_of(file_.get()).c_str(), F_OK) == 0) return true;
  static_cast<void>(file_.close());
#else
  static_cast<void>(folder);
  static_cast<void>(mode);
#endif
  return false;
}

bool temporary_file::create(int folder, mode_t mode) {
  remove();
  if (create_without_name(folder, mode)) return true;
  if (!reserve(folder)) return false;
  file_ = descriptor(
      ::openat(folder, name(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (file_) return true;
  const int reason = errno;
  forget();
  errno = reason;
  return false;
}

/// Gives the file at a path a random name in a folder.
bool temporary_file::link_from(int from, const char* path, int folder, int flags) {
  if (!reserve(folder)) return false;
  if (::linkat(from, path, folder, name(), flags) == 0) return true;
  const int reason = errno;
  forget();
  errno = reason;
  return false;
}

bool temporary_file::link_to(int folder, const std::string& other) {
  remove();
  return link_from(folder, other.c_str(), folder, 0);
}

bool temporary_file::move_from(int folder, const std::string& other) {
  remove();
  if (!reserve(folder)) return false;
  if (::renameat(folder, other.c_str(), folder, name()) == 0) return true;
  const int reason = errno;
  forget();
  errno = reason;
  return false;
}

bool temporary_file::rename_to(const std::string& other) {
  if (slot_ < 0) {  // a new name can be given at once, an old one only by a second name
    const std::string path = path_of(file_.get());
    if (::linkat(AT_FDCWD, path.c_str(), future_folder_, other.c_str(), AT_SYMLINK_FOLLOW) == 0)
      return true;
    if (errno != EEXIST || !link_from(AT_FDCWD, path.c_str(), future_folder_, AT_SYMLINK_FOLLOW))
      return false;
  }
  if (::renameat(folder(), name(), folder(), other.c_str()) != 0) return false;
  forget();
  return true;
}

void temporary_file::remove() {
  static_cast<void>(file_.close());
  if (slot_ >= 0) ::unlinkat(folder(), name(), 0);
  forget();
}

signals_held::signals_held() {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int signal : ending_signals) ::sigaddset(&set, signal);
  ::sigprocmask(SIG_BLOCK, &set, &before_);
}

signals_held::~signals_held() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

}  // namespace tool
