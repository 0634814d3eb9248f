// JSON text on its way to an output: without white space and with as few escapes as possible, or
// indented. It is not collected, so a large result takes no memory.
#pragma once

#include <devicetwin/json/text/scan.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "byte_stream.hpp"

namespace tool {

/// How indented text is laid out.
struct text_layout {
  std::string unit;           ///< the indentation of one level
  std::string_view line_end;  ///< "\n" or "\r\n"
};
/// The indentation and line ends of a text, if it has several lines; otherwise two spaces and "\n".
text_layout layout_of(std::string_view source);

/// Takes compact JSON text, in pieces of any length, and passes it on indented.
class indenter {
 public:
  indenter(byte_stream& out, text_layout layout) : out_(out), layout_(std::move(layout)) {}
  bool append(const char* text, std::size_t length);

 private:
  bool new_line();
  bool structural(char c);

  byte_stream& out_;
  text_layout layout_;
  std::string indentation_;  ///< of the deepest level so far
  std::size_t depth_ = 0;
  bool opened_ = false;  ///< the last character was an opening bracket
  bool in_string_ = false;
  bool escaped_ = false;  ///< the next character of the string is escaped
};

/// Takes valid JSON text in pieces of any length, as the library's functions on texts write it.
/// Passes it on as json::text_writer would write it: without white space, with only those escapes
/// that JSON needs. Digits are not changed. What is not JSON becomes some other text.
class json_stream {
 public:
  /// Passes on compact text, or indented text when there is a layout.
  explicit json_stream(byte_stream& out, const text_layout* layout = nullptr);
  ~json_stream();
  json_stream(const json_stream&) = delete;
  json_stream& operator=(const json_stream&) = delete;

  /// Returns false when the output takes no more.
  bool append(const char* text, std::size_t length);
  bool append(std::string_view text) { return append(text.data(), text.size()); }
  /// Passes on the rest and a line end.
  bool finish();
  /// Whether the output has taken no more.
  bool failed() const { return out_.error() != 0; }

  // The library's functions call these on an error. What was passed on stays, but that happens
  // only after append() has failed: these functions find all other errors before they write.
  std::size_t size() const { return 0; }
  void resize(std::size_t) {}

 private:
  bool pass_blocks(std::size_t count);
  bool pass(const char* text, std::size_t length);
  bool pass(std::size_t from, std::size_t to);
  std::size_t pass_escape(std::size_t at);

  byte_stream& out_;
  std::unique_ptr<indenter> indenter_;
  std::string_view line_end_ = "\n";
  std::unique_ptr<char[]> buffer_;
  std::size_t size_ = 0;
  std::size_t start_ = 0;  ///< in the buffer: what comes before is passed on already
  devicetwin::json::core::scan_state state_;
};

}  // namespace tool
