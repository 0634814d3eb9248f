// What every command of the tool does with its inputs: load them, and complain about them. Results:
// output.hpp.
#pragma once

#include <devicetwin/json/arena.hpp>
#include <devicetwin/json/error.hpp>

#include <memory>
#include <string>
#include <string_view>

#include <sys/stat.h>

namespace tool {

constexpr int exit_different = 1;
constexpr int exit_trouble = 2;

/// One input: its name for messages, and its text.
struct input {
  std::string name;
  std::string_view text;
  std::shared_ptr<const void> storage = nullptr;  ///< of the text, if somebody has to keep it
};

/// A text for a terminal: characters that a terminal obeys or does not show are escaped as in JSON.
std::string visible(std::string_view text);

// Each says what is wrong in one line on standard error, and gives exit_trouble.

int complain(std::string_view what);
/// With the reason that errno has.
int complain_of_file(const std::string& name, const char* doing);
/// With the error's place in the text, when it has one.
int complain(const input& in, const devicetwin::json::error& e);
/// For an error about a value that was read from `in`: with the place of its pointer in the text.
int complain_at_pointer(const input& in, const devicetwin::json::error& e);

// Each returns 0, or the exit status after a complaint.

/// Loads a file, or standard input for "-". A regular file of map_from bytes or more is mapped and
/// not read: see mapped_file.hpp.
int load(const std::string& name, input& in);
constexpr long map_from = 1L << 20;
/// Reads an input now that load() will be asked for later, unless it is a regular file. A program
/// that waits for a lock must not keep the one waiting that writes to its input.
int load_early(const std::string& name);
/// Loads it and reads it as JSON.
int load(const std::string& name, input& in, devicetwin::json::document& document);
/// Finds out whether an input is JSON, with numbers of any size.
int check(const input& in);
/// Loads an input and checks it.
int load_checked(const std::string& name, input& in);

/// Makes load() read a file instead of mapping it, because this program writes to it while it still
/// needs the text.
void never_map(const struct stat& file);
/// Complains if another program has written to a mapped input.
int check_inputs_unchanged();

}  // namespace tool
