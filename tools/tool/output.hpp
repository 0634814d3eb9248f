// Delivers the outputs of a command: all of them, or none. A file keeps its owner, mode, attributes
// and links, and is whole at any time. What is not a regular file (a pipe, a device, an open
// descriptor such as /dev/stdout) is written to.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

#include "byte_stream.hpp"
#include "temporary_file.hpp"

namespace tool {

/// Writes the content of an output. It may be called more than once, and then writes the same.
/// Returns false when the stream takes no more, or after a complaint of its own.
using content = std::function<bool(byte_stream&)>;

/// The outputs of one command. Use: add() each of them, check(), lock(), read the inputs,
/// deliver(). What returns int returns 0, or the exit status after a complaint.
class output_set {
 public:
  output_set() = default;
  output_set(const output_set&) = delete;
  output_set& operator=(const output_set&) = delete;

  /// Adds the output of an option. "-" is standard output. An optional output that has no text is
  /// removed if it is a file. The first output added is the main one: it is delivered last.
  int add(const char* option, const std::string& name, bool optional);
  /// Complains about two outputs that are the same, and about an optional output that is an input.
  int check(const std::vector<std::string>& inputs) const;
  /// Whether lock() has to wait for others.
  bool has_files() const;
  /// Locks the files that are there, so that nobody else changes them through this program between
  /// reading and writing.
  int lock();
  /// Sets the text of the output that was added for the option. Without such an output nothing
  /// happens.
  void set_text(const char* option, std::string_view text);
  /// The same for a text that is made while it is written, and never empty.
  void set_content(const char* option, content write);
  /// Writes all outputs. After a failure the files are as they were.
  int deliver();

 private:
  struct target {
    enum kinds { open_descriptor, stream, file };
    enum actions { none, write_stream, replace, create, write_in_place, take_away };

    std::string option, name, text;
    content write;            ///< instead of the text
    bool complained = false;  ///< by the content
    bool optional = false;
    kinds kind = file;
    actions action = none;

    int number = -1;    ///< of an open descriptor
    descriptor folder;  ///< of a file, its links followed
    std::string base;   ///< its name in this folder
    bool exists = false;
    struct stat status {};  ///< when it exists
    descriptor opened;      ///< the file, when it exists and can be opened; it holds the lock
    int write_error = 0;    ///< why `opened` cannot be written to; 0 when it can

    descriptor stream_file;
    temporary_file fresh;  ///< the new file, until it has the name
    temporary_file old;    ///< the old file, until all is delivered
    std::string old_text;  ///< of a file that is written in place
    std::string why_in_place;
    bool changed = false;
  };

  static bool follow(target& t);
  static bool find_status(target& t);
  static void open_and_lock(target& t);
  static int complain_of(const target& t);

  static bool write_content(target& t, byte_stream& out);
  static bool write_content(target& t, int file);

  static bool prepare(target& t);
  static bool prepare_stream(target& t);
  static bool prepare_file(target& t);
  static bool prepare_in_place(target& t, std::string why);
  static bool is_replaced(const target& t);
  static bool commit(target& t, bool undoable);
  static bool write_in_place(target& t);
  static void undo(target& t);

  std::vector<target> targets_;
};

/// Writes a text to standard output; 0, or the exit status after a complaint.
int print(std::string_view text);

}  // namespace tool
