// devicetwin: what the library does, from the command line.
#include <csignal>
#include <new>

#include <fcntl.h>
#include <unistd.h>

#include "commands.hpp"

namespace {

/// A file that is opened later must not become standard output because that was closed. Writing to
/// it stays an error.
void open_standard_descriptors() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(number, F_GETFD) >= 0) continue;
    if (::open("/dev/null", number == STDIN_FILENO ? O_WRONLY : O_RDONLY) != number) return;
  }
}

[[noreturn]] void end_without_memory() {
  constexpr char message[] = "devicetwin: out of memory\n";
  tool::remove_temporary_files();
  static_cast<void>(!::write(STDERR_FILENO, message, sizeof message - 1));
  ::_exit(tool::exit_trouble);
}

}  // namespace

int main(int count, char** words) {
  open_standard_descriptors();
  std::set_new_handler(end_without_memory);
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is then an error of write()
  std::signal(SIGXFSZ, SIG_IGN);  // so is a file that becomes larger than is allowed
  std::vector<tool::command> all;
  for (const auto group : {tool::patch_commands, tool::merge_commands, tool::twin_commands}) {
    for (tool::command& c : group()) all.push_back(c);
  }
  return tool::run(all, count, words);
}
