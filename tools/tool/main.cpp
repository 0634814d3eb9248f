// devicetwin: what the library does, from the command line.
#include <csignal>

#include "commands.hpp"

int main(int count, char** words) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is then an error of fwrite
  std::vector<tool::command> all;
  for (const auto group : {tool::patch_commands, tool::merge_commands}) {
    for (tool::command& c : group()) all.push_back(c);
  }
  return tool::run(all, count, words);
}
