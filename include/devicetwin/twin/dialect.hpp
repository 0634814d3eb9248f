/// Dialects: what a twin service allows, refuses and counts as a change, as plain values.
///
/// A dialect of your own is a copy with some fields changed:
///     devicetwin::dialect mine = devicetwin::azure;
///     mine.max_reported = 8 * 1024;
/// The code has no case for any of them; docs/azure.md says where azure's values come from and what
/// was chosen where the service's own rule is not known.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view

#include "../json/number.hpp"
#include "../json/value.hpp"
#include "../merge/options.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// The three parts of a twin that have members of the user's.
enum class part : unsigned char { tags, desired, reported };
inline constexpr std::size_t part_count = 3;

/// "tags", "desired" or "reported".
constexpr std::string_view name_of(part p) noexcept {
  return p == part::tags ? "tags" : p == part::desired ? "desired" : "reported";
}

/// How the size of a section is counted.
enum class size_formula : unsigned char {
  /// The bytes of names and strings without control characters, 8 for a number, 4 for a boolean, 0
  /// for
  /// null; arrays and objects are the sum of what they hold (docs/azure.md, "Size").
  contents,
  json_text  ///< the bytes of the compact JSON text
};

/// What a size limit is held against.
enum class size_basis : unsigned char {
  merged,  ///< the section after the write; only growth beyond the limit is refused
  patch    ///< the patch alone
};

/// The rules of one service. Sizes and lengths are in bytes of UTF-8, depths in levels of objects
/// (and arrays) below the section.
struct dialect {
  static constexpr std::size_t unlimited = static_cast<std::size_t>(-1);
  /// No section nests deeper, so that every view of it, with what is wrapped around, stays
  /// readable.
  static constexpr std::size_t deepest = 48;

  std::string_view name;

  // Names of members
  std::size_t max_name = unlimited;
  std::string_view forbidden_in_names = {};  ///< ASCII characters
  bool control_characters_in_names = true;   ///< U+0000 to U+001F and U+007F to U+009F
  bool white_space_in_names = true;          ///< anything Unicode calls White_Space

  // Values
  std::size_t max_string = unlimited;
  std::int64_t min_integer = INT64_MIN;
  std::int64_t max_integer = INT64_MAX;  ///< also of integers above 2^63-1
  /// What a twin does with an integer beyond 64 bits in a text. A number beyond the largest double
  /// is always refused.
  json::big_integer_rule big_integers = json::big_integer_rule::refuse;
  bool arrays = true;
  bool nulls_in_arrays = true;       ///< as elements, or as members anywhere inside
  bool nulls_in_replacement = true;  ///< where a section is replaced; they are left out then
  std::size_t max_depth = deepest;   ///< at most `deepest`, whatever is said here
  bool arrays_are_levels = true;

  // Sizes
  size_formula size = size_formula::json_text;
  size_basis basis = size_basis::merged;
  std::size_t max_tags = unlimited;
  std::size_t max_desired = unlimited;
  std::size_t max_reported = unlimited;
  std::size_t max_total = unlimited;  ///< of the three together
  /// The compact JSON text of one section after a write; only growth beyond it is refused. It
  /// bounds what the formula does not count: brackets, quotes, escapes, digits, names and strings
  /// of control characters. Where the formula is `contents`, a twin counts 24 bytes, the longest,
  /// for each number that is a double.
  std::size_t max_text = unlimited;

  // Merging
  merge::null_rule nulls =
      merge::null_rule::remove;  ///< `keep` is for merging alone: a twin removes by null
  merge::number_equality numbers = merge::number_equality::by_value;
  merge::change_rule changes = merge::change_rule::by_value;
  bool empty_write_counts = false;  ///< a write without any effect moves the version

  // Rights
  /// Whether `$metadata`, `$version`, `$etag`, `reported` and identity in a service's write, where
  /// they come from an earlier GET, are ignored; otherwise they are refused.
  bool ignores_echo = true;

  constexpr std::size_t max_size(part p) const noexcept {
    return p == part::tags ? max_tags : p == part::desired ? max_desired : max_reported;
  }
};

namespace detail {

constexpr dialect make_azure() noexcept {
  dialect d;
  d.name = "azure";
  d.max_name = 1024;
  d.forbidden_in_names = ".$# ";
  d.control_characters_in_names = false;
  d.max_string = 4096;
  d.min_integer = -(std::int64_t{1} << 52);
  d.max_integer = (std::int64_t{1} << 52) - 1;
  d.nulls_in_arrays = false;
  d.nulls_in_replacement = false;
  d.max_depth = 10;
  d.size = size_formula::contents;
  d.max_tags = 8 * 1024;
  d.max_desired = 32 * 1024;
  d.max_reported = 32 * 1024;
  d.max_text =
      256 * 1024;  // the longest message of the service, and eight times what the formula allows
  d.changes = merge::change_rule::by_presence;
  return d;
}

constexpr dialect make_edge_hub() noexcept {
  dialect d = make_azure();
  d.name = "edge_hub";
  d.forbidden_in_names = ".$#";
  d.white_space_in_names = false;
  d.size = size_formula::json_text;
  d.basis = size_basis::patch;
  d.nulls = merge::null_rule::remove_existing;
  d.numbers = merge::number_equality::by_value_and_type;
  return d;
}

constexpr dialect make_aws() noexcept {
  dialect d;
  d.name = "aws";
  d.max_depth = 8;
  d.nulls_in_arrays = false;
  d.max_total = 8 * 1024;
  d.changes = merge::change_rule::by_presence;
  return d;
}

constexpr dialect make_ditto() noexcept {
  dialect d;
  d.name = "ditto";
  d.max_total = 100 * 1024;
  d.changes = merge::change_rule::by_presence;
  return d;
}

constexpr dialect make_rfc7396() noexcept {
  dialect d;
  d.name = "rfc7396";
  return d;
}

}  // namespace detail

/// Azure IoT Hub (docs/azure.md). The default everywhere.
inline constexpr dialect azure = detail::make_azure();
/// Azure IoT Edge's hub: it measures the patch and keeps nulls inside what is new.
inline constexpr dialect edge_hub = detail::make_edge_hub();
/// AWS IoT Device Shadow, its rules of merging and its limits.
inline constexpr dialect aws = detail::make_aws();
/// Eclipse Ditto.
inline constexpr dialect ditto = detail::make_ditto();
/// RFC 7396 and no limits; only a different value is a change.
inline constexpr dialect rfc7396 = detail::make_rfc7396();

namespace detail {

/// A dialect's rules of merging, for the merge floor.
inline merge::options merge_options(const dialect& d, const memory_source& memory) noexcept {
  merge::options o;
  o.nulls = d.nulls;
  o.numbers = d.numbers;
  o.changes = d.changes;
  o.max_depth = json::default_max_depth;  // what per_level has room for
  o.memory = memory;
  return o;
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
