// What every command of the tool does with the world: load inputs, complain, write results.
#pragma once

#include <devicetwin/json/arena.hpp>
#include <devicetwin/json/error.hpp>

#include <string>
#include <string_view>

namespace tool {

constexpr int exit_different = 1;
constexpr int exit_trouble = 2;

/// One input: its name for messages, and its text.
struct input {
  std::string name;
  std::string text;
};

// Each says what is wrong in one line on standard error, and gives exit_trouble.

int complain(std::string_view what);
/// With the reason that errno has.
int complain_of_file(const std::string& name, const char* doing);
/// With the error's place in the text, when it has one.
int complain(const input& in, const devicetwin::json::error& e);
/// For an error about a value that was read from `in`: with the place of its pointer in the text.
int complain_at_pointer(const input& in, const devicetwin::json::error& e);

// Each gives 0, or the exit status after a complaint.

/// Loads a file, or standard input for "-".
int load(const std::string& name, input& in);
/// Loads it and reads it as JSON.
int load(const std::string& name, input& in, devicetwin::json::document& document);
/// Replaces a regular file by way of a new one beside it, so that it is always whole; anything else
/// (a device, a pipe) is written to directly.
int store(const std::string& name, std::string_view text);
/// Writes to standard output and closes it: errors of a full disk or a closed pipe show up here.
int print(std::string_view text);

}  // namespace tool
