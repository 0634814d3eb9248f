// Differences for people: a line for each value that went, and for each that came.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "byte_stream.hpp"
#include "text_walk.hpp"

namespace tool {

/// Writes what two documents differ in:
///     - .tags.floor: 3
///     + .tags.floor: 4
/// Each line has the place of a value as jq spells it, in the first document after '-', in the
/// second after '+'. Arrays are compared element by element: what was inserted or removed does not
/// make the elements behind it differ. Values are compact, on one line, and shortened when they
/// are long: of two long strings the part is shown where they differ. Whatever a terminal obeys or
/// does not show is escaped.
class human_diff {
 public:
  human_diff(byte_stream& out, bool with_colours) : out_(out), with_colours_(with_colours) {}

  /// Compares two texts that have been validated. Returns false when the output takes no more.
  bool run(std::string_view from, std::string_view to);
  /// Whether the documents differ.
  bool any() const { return any_; }

 private:
  struct step {
    std::string_view name;  ///< of a member; what stands between its quotes
    bool is_element = false;
    std::uint32_t from = 0, to = 0;  ///< the indexes of an element
  };

  bool compare(value_text from, value_text to);
  bool compare_members(value_text from, value_text to);
  bool compare_elements(value_text from, value_text to);
  bool compare_gap(const std::vector<value_text>& from, const std::vector<value_text>& to,
                   std::uint32_t first_from, std::uint32_t first_to);
  bool removed(value_text value) { return line('-', value, 0); }
  bool added(value_text value) { return line('+', value, 0); }
  bool line(char sign, value_text value, std::size_t start);
  void append_path(char sign);

  byte_stream& out_;
  bool with_colours_;
  bool any_ = false;
  std::vector<step> path_;
  std::string line_;
};

}  // namespace tool
