// What a command of the tool is. The parser knows commands from these descriptions alone: to add
// one, add it to the list of its group (patch_commands.cpp and the like), or add a group to the
// table in main.cpp.
#pragma once

#include <devicetwin/json/error.hpp>
#include <devicetwin/json/write.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io.hpp"
#include "json_stream.hpp"
#include "output.hpp"

namespace tool {

/// An option. Commands that take the same option refer to the same object.
struct option {
  const char* name;    ///< "--output"
  const char* letter;  ///< "-o", or null
  /// What the help calls its argument, "FILE", or all that it may be, "left|right"; null when it
  /// takes none.
  const char* argument;
  const char* meaning;  ///< for the help
  /// What the argument is. "-" is standard input or standard output.
  enum { word, input_file, output_file } kind = word;
};

extern const option output_option;  ///< -o, --output FILE
extern const option pretty_option;  ///< --pretty

/// The words after a command, taken apart.
struct arguments {
  std::vector<std::string> operands;
  std::vector<std::pair<const option*, std::string>> options;
  output_set* outputs =
      nullptr;  ///< the files of the options that are outputs, locked, and standard output

  bool has(const option& o) const { return find(o) != nullptr; }
  /// The argument of the last such option; null without one.
  const std::string* find(const option& o) const {
    for (auto at = options.rbegin(); at != options.rend(); ++at) {
      if (at->first == &o) return &at->second;
    }
    return nullptr;
  }
};

struct command {
  const char* name;  ///< "apply"; or two words, "twin patch", for one command of several
  /// Names of the operands for the help and for counting them: "DOC PATCH...", the dots for one or
  /// more.
  /// "[NAME]" may be left out.
  const char* operands;
  const char* purpose;   ///< one line
  const char* details;   ///< more lines for the command's own help, or ""
  const char* examples;  ///< one a line
  std::vector<const option*> options;
  int (*run)(const arguments&);  ///< gives the exit status
};

/// Finds the command and runs it; or explains. Gives the exit status.
int run(const std::vector<command>& all, int count, char** words);

/// Complains and shows the usage line of the command.
int wrong_usage(const command& c, std::string_view what);

/// An output besides the main one: the option that names its file, and its text.
using other_output = std::pair<const option*, std::string_view>;

/// Writes the result to where -o says, or to standard output, and other outputs to the files of
/// their options: all, or none. An other output that is empty, or is not given, becomes no file.
/// Returns 0 or the exit status.
int deliver(const arguments& given, std::string_view text,
            const std::vector<other_output>& others = {});

/// The same for a result that is written piece by piece.
int deliver(const arguments& given, content write, const std::vector<other_output>& others = {});
/// The same for a result that is JSON text, compact or laid out as --pretty says: as `source` is.
/// Numbers stay as they are spelled.
int deliver_json(const arguments& given, std::string_view json, const input& source,
                 const std::vector<other_output>& others = {});
/// The same for a result that is written piece by piece, as `write` sends it; see `content`.
int deliver_json(const arguments& given, const std::function<bool(json_stream&)>& write,
                 const input& source, const std::vector<other_output>& others = {});

}  // namespace tool
