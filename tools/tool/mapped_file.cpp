#include "mapped_file.hpp"

#include <csignal>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io.hpp"
#include "temporary_file.hpp"

namespace tool {
namespace {

/// Where files are mapped, and what to say when one of them cannot be read. The signal handler
/// reads it, so it is a plain table.
struct entry {
  const char* volatile data;
  std::size_t size;
  char message[512];
};
entry table[16];

extern "C" void end_without_file(int signal, siginfo_t* info, void*) {
  for (const entry& e : table) {
    const char* const data = e.data;
    const char* const address = static_cast<const char*>(info->si_addr);
    if (data == nullptr || address < data || address - data >= static_cast<std::ptrdiff_t>(e.size))
      continue;
    remove_temporary_files();
    static_cast<void>(!::write(STDERR_FILENO, e.message, std::strlen(e.message)));
    ::_exit(exit_trouble);
  }
  std::signal(signal, SIG_DFL);  // another fault: it comes again when the handler returns
}

void install_handler() {
  struct sigaction action {};
  action.sa_sigaction = end_without_file;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGBUS, &action, nullptr);
}

bool same_time(const struct timespec& a, const struct timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

}  // namespace

std::shared_ptr<mapped_file> mapped_file::map(int file, const struct stat& status,
                                              const std::string& name) {
  constexpr int slots = sizeof table / sizeof table[0];
  int slot = 0;
  while (slot != slots && table[slot].data != nullptr) ++slot;
  if (slot == slots) return nullptr;
  const auto size = static_cast<std::size_t>(status.st_size);
  void* const data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  if (data == MAP_FAILED) return nullptr;
  std::shared_ptr<mapped_file> mapped(new mapped_file);
  mapped->data_ = static_cast<const char*>(data);
  mapped->size_ = size;
  mapped->file_ = ::fcntl(file, F_DUPFD_CLOEXEC, 3);
  mapped->status_ = status;
  mapped->name_ = name;
  mapped->slot_ = slot;
  std::snprintf(
      table[slot].message, sizeof table[slot].message,
      "devicetwin: %.380s: cannot be read: it became shorter meanwhile, or its disk fails\n",
      visible(name).c_str());
  table[slot].size = size;
  table[slot].data = mapped->data_;
  install_handler();
  return mapped;
}

mapped_file::~mapped_file() {
  if (slot_ >= 0) table[slot_].data = nullptr;
  if (data_ != nullptr) ::munmap(const_cast<char*>(data_), size_);
  if (file_ >= 0) ::close(file_);
}

bool mapped_file::is_unchanged() const {
  struct stat now {};
  return file_ < 0 || ::fstat(file_, &now) != 0 ||
         (now.st_size == status_.st_size && same_time(now.st_mtim, status_.st_mtim));
}

}  // namespace tool
