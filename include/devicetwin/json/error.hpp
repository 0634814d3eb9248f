/// Errors as values: what went wrong, where in the document, where in the text, in one sentence.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint32_t, std::uint64_t
#include <string>       // std::string, for error::message() alone
#include <string_view>  // std::string_view
#include <type_traits>  // std::is_trivially_destructible_v

#include "../version.hpp"
#include "visible.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {

/// Everything that can go wrong. `ok` is zero and means that nothing did.
enum class errc : unsigned char {
  ok,
  // text that is not JSON (RFC 8259), or that this library refuses by design
  empty_input,           ///< nothing but white space
  unexpected_end,        ///< the text stops in the middle of a value
  unexpected_character,  ///< a character that cannot stand here
  byte_order_mark,       ///< the text starts with U+FEFF (RFC 8259, section 8.1)
  trailing_characters,   ///< something follows the value
  invalid_number,        ///< `01`, `1.`, `.5`, `+1`, ...
  number_overflow,       ///< beyond the largest double
  integer_overflow,      ///< beyond 64 bits; see read_options::big_integers
  invalid_escape,     ///< a backslash followed by something else than RFC 8259, section 7, allows
  lone_surrogate,     ///< \ud800 to \udfff without its other half
  control_character,  ///< an unescaped character below U+0020 in a string
  invalid_utf8,       ///< bytes that are not UTF-8 (overlong and surrogate forms included)
  duplicate_name,     ///< one object has two members of the same name
  too_large,  ///< longer than a limit in bytes; without a lower one, 4 GiB: RapidJSON counts in 32
              ///< bits
  // values
  depth_exceeded,  ///< nested deeper than the limit
  not_finite,      ///< NaN or an infinity, which JSON cannot write
  null_member,     ///< a merge patch cannot set a member to null (RFC 7396, section 1); a JSON
                   ///< Patch can (merge/json_patch.hpp)
  kept_member,     ///< under null_rule::keep a merge patch cannot remove a member
  // changes
  not_a_change,    ///< not the JSON form of a change (merge/change.hpp)
  root_removed,    ///< a document as a whole cannot be removed
  conflict,        ///< both sides changed the same place, and the policy was to fail
  patch_too_long,  ///< one member alone makes a patch longer than the limit
  // JSON Patches
  not_a_json_patch,    ///< not an array of operations as RFC 6902 describes them
  test_failed,         ///< a `test` operation found another value (RFC 6902, section 4.6)
  index_out_of_range,  ///< an array has no element of that index
  moved_into_itself,   ///< a `move` operation to a place inside the value that moves
  // access
  invalid_pointer,      ///< not a JSON Pointer (RFC 6901)
  not_found,            ///< no value at that pointer
  wrong_type,           ///< a value of another type than asked for
  number_out_of_range,  ///< a number that the type asked for cannot hold exactly
  escaped_string,       ///< a string of a text has escape sequences, and a view of it was asked for
  // rules of a dialect
  forbidden_name,         ///< a name with a character that the dialect forbids
  name_too_long,          ///< a name of more bytes than allowed
  string_too_long,        ///< a string value of more bytes than allowed
  integer_too_large,      ///< an integer outside the range allowed
  array_forbidden,        ///< an array, where the dialect has none
  null_in_array,          ///< null as an element, or inside an element
  null_in_replacement,    ///< null where a section is replaced, not patched
  section_too_large,      ///< the section would grow beyond its size
  section_text_too_long,  ///< the JSON text of the section would grow beyond its length
  // rights and concurrency
  reserved_member,      ///< `$...`: written by the service alone
  not_writable,         ///< a part that this party may not write
  precondition_failed,  ///< If-Match or the expected version does not hold
  too_old,              ///< what changed since that version is no longer known
  already_exists,       ///< there is a twin of that id
  // documents
  not_a_twin,         ///< a part of a twin is missing or has the wrong type
  misplaced_section,  ///< `desired` or `reported` at the root of a twin that has `properties`
  invalid_identity,   ///< a device or module id that the service would refuse
  invalid_time,       ///< not a point in time as ISO 8601 writes it
  damaged,            ///< stored data whose checksum or structure is wrong
  newer_format,       ///< stored data of a later version of this library
  invalid_topic,  ///< not a topic on which twins are talked about, or not one that can be written
  // the world
  storage_failed,        ///< a store's database or medium could not read or write
  too_many_connections,  ///< as many connections as a hub session may have
  out_of_memory,    ///< the memory source, the arena or the caller's buffer has no more to give
  handler_stopped,  ///< the handler or journal that was given returned false
};

/// What kind of failure a code is, for callers that treat all of a kind the same.
enum class error_group : unsigned char {
  none,      ///< no error
  syntax,    ///< the input is not what it has to be: JSON, a twin, a pointer, a time, a topic
  rule,      ///< the input is well formed, and breaks a limit or rule, of a dialect or of a format
  rights,    ///< this party may not write that
  state,     ///< what is there does not allow it, or not any more: versions, conflicts, what exists
  resource,  ///< memory, storage, stored data, connections, or a handler that stopped
};

/// The group of a code. Cost: none.
constexpr error_group group_of(errc code) noexcept;

/// One failure, or none. Never allocates; copying it copies some 200 bytes.
///
/// Converts to true when there *is* an error, as std::error_code does:
///     if (auto e = json::read(text, document)) std::puts(e.message().c_str());
class [[nodiscard]] error {
 public:
  /// The longest pointer kept whole, in bytes; a longer one is shortened in the middle ("...").
  static constexpr std::size_t pointer_capacity = 120;

  error() noexcept {}  // NOLINT: not defaulted, `error e{}` would clear the pointer's room
  error(errc code) noexcept : code_(code) {}  // NOLINT: an errc is an error

  explicit operator bool() const noexcept { return failed(); }
  /// True when there is an error.
  bool failed() const noexcept { return code_ != errc::ok; }
  errc code() const noexcept { return code_; }
  error_group group() const noexcept { return group_of(code_); }

  /// Where in the document: a JSON Pointer (RFC 6901), "" for the whole document. For a duplicate
  /// or too deep value it names that value. Valid as long as this error.
  std::string_view pointer() const noexcept {
    return {reinterpret_cast<const char*>(pointer_), pointer_length_};
  }
  /// False when the pointer was too long and lost its middle; json::find() does not take it then.
  bool pointer_is_whole() const noexcept { return !shortened_; }

  /// Where in the text, when a text was read: a line and a column, counted from 1, the column in
  /// characters; and the offset in bytes from 0. Without a text, line() is 0.
  bool has_position() const noexcept { return line_ != 0; }
  std::size_t offset() const noexcept { return offset_; }
  std::size_t line() const noexcept { return line_; }
  std::size_t column() const noexcept { return column_; }

  /// The limit that was passed (levels, bytes, or as the code says) and what was found; 0 where
  /// there is none.
  std::uint64_t limit() const noexcept { return code_ == errc::out_of_memory ? 0 : limit_; }
  std::uint64_t actual() const noexcept { return actual_; }

  /// For out_of_memory of the functions on texts, when the output took no more: the bytes that it
  /// has to hold in all, what was in it before included; 0 otherwise.
  std::uint64_t needed() const noexcept { return code_ == errc::out_of_memory ? limit_ : 0; }

  /// Where a function takes two texts, which of them this is about: 1 or 2; 0 otherwise.
  unsigned text() const noexcept { return text_; }

  /// Where a function takes a JSON Patch, which of its operations this is about, counted from 0.
  bool has_operation() const noexcept { return operation_ != 0; }
  std::size_t operation() const noexcept { return operation_ == 0 ? 0 : operation_ - 1; }

  /// One sentence with the pointer, without the position: "a member name stands twice in one
  /// object, in the first text, at /a/b", and of an unexpected character which one it was. In
  /// names, characters that a terminal obeys or does not show are escaped, see put_visible().
  /// Writes at most `capacity` bytes, not terminated, and gives the length of the whole sentence,
  /// as snprintf does.
  std::size_t message(char* buffer, std::size_t capacity) const noexcept;
  /// The same as a string; this one allocates.
  std::string message() const {
    char buffer[max_message];
    return std::string(buffer, message(buffer, sizeof buffer));
  }

  // Used by the functions that find errors, each giving what it knows.
  error&& limited_to(std::uint64_t limit, std::uint64_t actual = 0) && noexcept {
    limit_ = limit;
    actual_ = actual;
    return static_cast<error&&>(*this);
  }
  error&& needing(std::uint64_t bytes) && noexcept {
    limit_ = bytes;
    return static_cast<error&&>(*this);
  }
  error&& of_text(unsigned which) && noexcept {
    text_ = static_cast<unsigned char>(which);
    return static_cast<error&&>(*this);
  }
  error&& in_operation(std::size_t index) && noexcept {
    operation_ = static_cast<std::uint32_t>(index) + 1;
    return static_cast<error&&>(*this);
  }
  /// Fills in offset, line and column from the text that was read. Cost: one pass up to `offset`.
  error&& in_text(std::string_view text, std::size_t offset) && noexcept;
  /// Copies the pointer of `where` (json::location), shortened in the middle when it is too long.
  template <class Location>
  error&& at(const Location& where) && noexcept {
    std::size_t length = 0;
    where.render([&](char c) { put(c, length++); });
    finish_pointer(length);
    return static_cast<error&&>(*this);
  }

 private:
  // The pointer is written character by character. Past the capacity the place of the last `tail`
  // bytes is used as a ring, so that head and tail survive whatever the length.
  static constexpr std::size_t gap = 3;
  static constexpr std::size_t tail = (pointer_capacity - gap) / 2;
  static constexpr std::size_t head = pointer_capacity - gap - tail;

  void put(char c, std::size_t index) noexcept {
    pointer_[index < pointer_capacity ? index : head + gap + (index - pointer_capacity) % tail] =
        static_cast<unsigned char>(c);
  }
  void finish_pointer(std::size_t length) noexcept;

  static constexpr std::size_t max_message = 256 + 6 * pointer_capacity;

  errc code_ = errc::ok;
  unsigned char pointer_length_ = 0;
  bool shortened_ = false;
  unsigned char text_ = 0;
  char found_ = 0;                           ///< for unexpected_character, when it has a position
  unsigned char pointer_[pointer_capacity];  ///< of which pointer_length_ are set: every call gives
                                             ///< an error, mostly none
  std::uint32_t operation_ = 0;              ///< its index plus one
  std::uint64_t limit_ = 0;                  ///< or the bytes needed
  std::uint64_t actual_ = 0;
  std::size_t offset_ = 0;
  std::size_t line_ = 0;
  std::size_t column_ = 0;
};

constexpr error_group group_of(errc code) noexcept {
  switch (code) {
    case errc::ok:
      return error_group::none;
    case errc::empty_input:
    case errc::unexpected_end:
    case errc::unexpected_character:
    case errc::byte_order_mark:
    case errc::trailing_characters:
    case errc::invalid_number:
    case errc::invalid_escape:
    case errc::lone_surrogate:
    case errc::control_character:
    case errc::invalid_utf8:
    case errc::duplicate_name:
    case errc::depth_exceeded:
    case errc::not_a_change:
    case errc::not_a_json_patch:
    case errc::invalid_pointer:
    case errc::wrong_type:
    case errc::not_a_twin:
    case errc::misplaced_section:
    case errc::invalid_time:
    case errc::invalid_topic:
      return error_group::syntax;
    case errc::number_overflow:
    case errc::integer_overflow:
    case errc::too_large:
    case errc::not_finite:
    case errc::null_member:
    case errc::kept_member:
    case errc::root_removed:
    case errc::moved_into_itself:
    case errc::patch_too_long:
    case errc::forbidden_name:
    case errc::name_too_long:
    case errc::string_too_long:
    case errc::integer_too_large:
    case errc::array_forbidden:
    case errc::null_in_array:
    case errc::null_in_replacement:
    case errc::section_too_large:
    case errc::section_text_too_long:
    case errc::invalid_identity:
      return error_group::rule;
    case errc::reserved_member:
    case errc::not_writable:
      return error_group::rights;
    case errc::conflict:
    case errc::test_failed:
    case errc::index_out_of_range:
    case errc::not_found:
    case errc::number_out_of_range:
    case errc::escaped_string:
    case errc::precondition_failed:
    case errc::too_old:
    case errc::already_exists:
      return error_group::state;
    case errc::damaged:
    case errc::newer_format:
    case errc::storage_failed:
    case errc::too_many_connections:
    case errc::out_of_memory:
    case errc::handler_stopped:
      break;
  }
  return error_group::resource;
}

/// The fixed part of an error's sentence, without place.
inline std::string_view describe(errc code) noexcept {
  switch (code) {
    case errc::ok:
      return "no error";
    case errc::empty_input:
      return "the text is empty where a JSON value was expected";
    case errc::unexpected_end:
      return "the text ends in the middle of a value";
    case errc::unexpected_character:
      return "unexpected character";
    case errc::byte_order_mark:
      return "the text starts with a byte order mark, which JSON must not";
    case errc::trailing_characters:
      return "something follows the end of the JSON value";
    case errc::invalid_number:
      return "this is not a JSON number";
    case errc::number_overflow:
      return "the number is too large for a double";
    case errc::integer_overflow:
      return "the integer does not fit in 64 bits";
    case errc::invalid_escape:
      return "invalid escape sequence in a string";
    case errc::lone_surrogate:
      return "half of a surrogate pair stands alone in a string";
    case errc::control_character:
      return "a control character in a string must be escaped";
    case errc::invalid_utf8:
      return "the string is not valid UTF-8";
    case errc::duplicate_name:
      return "a member name stands twice in one object";
    case errc::too_large:
      return "the text is too long";
    case errc::depth_exceeded:
      return "nested too deeply";
    case errc::not_finite:
      return "the number is NaN or infinite, which JSON cannot express";
    case errc::null_member:
      return "a merge patch cannot set a member to null; a JSON Patch can";
    case errc::kept_member:
      return "a merge patch cannot remove a member when null is kept as a value";
    case errc::not_a_change:
      return "not the JSON form of a change, where each place has [], [value], null or an object";
    case errc::root_removed:
      return "the document as a whole cannot be removed";
    case errc::conflict:
      return "both sides changed this in different ways";
    case errc::patch_too_long:
      return "this alone makes a patch longer than it may be";
    case errc::not_a_json_patch:
      return "not a JSON Patch: an array of objects, each with an \"op\" that is add, remove, "
             "replace, move, copy or test, a \"path\", and the \"value\" or \"from\" that it needs";
    case errc::test_failed:
      return "the value is not the one that was tested for";
    case errc::index_out_of_range:
      return "the array has no element of this index";
    case errc::moved_into_itself:
      return "a value cannot move to a place inside itself";
    case errc::invalid_pointer:
      return "not a JSON Pointer: it must be empty or start with '/', and '~' must be followed by "
             "0 or 1";
    case errc::not_found:
      return "there is no such value";
    case errc::wrong_type:
      return "the value has another type than was asked for";
    case errc::number_out_of_range:
      return "the number cannot be held exactly in the type that was asked for";
    case errc::escaped_string:
      return "the string has escape sequences; json::get_string() resolves them";
    case errc::forbidden_name:
      return "the name has a character that is forbidden in names";
    case errc::name_too_long:
      return "the name is too long";
    case errc::string_too_long:
      return "the string is too long";
    case errc::integer_too_large:
      return "the integer is outside the range allowed";
    case errc::array_forbidden:
      return "arrays are not allowed";
    case errc::null_in_array:
      return "null is not allowed inside an array";
    case errc::null_in_replacement:
      return "null is not allowed in a replacement; leave the member out instead";
    case errc::section_too_large:
      return "the section would be too large";
    case errc::section_text_too_long:
      return "the JSON text of the section would be too long";
    case errc::reserved_member:
      return "names that start with '$' are written by the service alone";
    case errc::not_writable:
      return "this part may not be written by this party";
    case errc::precondition_failed:
      return "the twin has changed: the expected etag or version is not the current one";
    case errc::too_old:
      return "what changed since that version is not known any more";
    case errc::already_exists:
      return "there is a twin of this id already";
    case errc::not_a_twin:
      return "a part of the twin has the wrong type";
    case errc::misplaced_section:
      return "desired and reported belong inside properties, not beside it";
    case errc::invalid_identity:
      return "not a device or module id: 1 to 128 of the letters, digits and - : . + % _ # * ? ! ( "
             ") , = @ ; $ '";
    case errc::invalid_time:
      return "not a time such as 2026-01-31T12:00:00Z";
    case errc::damaged:
      return "the stored data is damaged";
    case errc::newer_format:
      return "the data was stored by a newer version";
    case errc::invalid_topic:
      return "not a topic of a twin";
    case errc::storage_failed:
      return "the store failed to read or write";
    case errc::too_many_connections:
      return "too many connections";
    case errc::out_of_memory:
      return "out of memory";
    case errc::handler_stopped:
      return "the handler stopped";
  }
  return "unknown error";
}

/// Either a value or the reason why there is none, as C++23's std::expected. Converts to true when
/// there is a value; a result<bool>, which a reader of `if` would take for the other thing, does
/// not. The value must not be touched otherwise.
template <class T>
class [[nodiscard]] result {
  static_assert(std::is_nothrow_default_constructible_v<T> &&
                    std::is_nothrow_move_constructible_v<T>,
                "json::result<T>: T must be made and moved without exceptions");

 public:
  result(const T& held) noexcept : value_(held) {}                    // NOLINT: a value is a result
  result(T&& held) noexcept : value_(static_cast<T&&>(held)) {}       // NOLINT
  result(const json::error& failure) noexcept : failure_(failure) {}  // NOLINT: so is an error
  result(errc code) noexcept : failure_(code) {}                      // NOLINT

  /// True when there is a value.
  bool has_value() const noexcept { return !failure_.failed(); }
  explicit operator bool() const noexcept {
    static_assert(!std::is_same_v<T, bool>,
                  "result<bool>: is it whether there is a value, or the value? Ask has_value(), or "
                  "take value_or()");
    return has_value();
  }
  T& operator*() & noexcept { return value_; }
  const T& operator*() const& noexcept { return value_; }
  T&& operator*() && noexcept { return static_cast<T&&>(value_); }
  T* operator->() noexcept { return &value_; }
  const T* operator->() const noexcept { return &value_; }
  /// The value, or `fallback` when there is none.
  T value_or(T fallback) const noexcept { return has_value() ? value_ : fallback; }
  const json::error& error() const noexcept { return failure_; }

 private:
  T value_{};
  json::error failure_;
};

// ---------------------------------------------------------------------------------------------

namespace core {

/// Appends to a caller's buffer and counts what would have been written.
class bounded_text {
 public:
  bounded_text(char* buffer, std::size_t capacity) noexcept
      : buffer_(buffer), capacity_(capacity) {}
  void put(char c) noexcept {
    if (length_ < capacity_) buffer_[length_] = c;
    ++length_;
  }
  void put(std::string_view text) noexcept {
    for (char c : text) put(c);
  }
  void put(std::uint64_t number) noexcept {
    char digits[20];
    std::size_t count = 0;
    do digits[count++] = static_cast<char>('0' + number % 10);
    while ((number /= 10) != 0);
    while (count != 0) put(digits[--count]);
  }
  std::size_t length() const noexcept { return length_; }

 private:
  char* buffer_;
  std::size_t capacity_;
  std::size_t length_ = 0;
};

/// True for the second and later bytes of a UTF-8 character.
inline bool is_continuation(char c) noexcept {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

}  // namespace core

inline std::size_t error::message(char* buffer, std::size_t capacity) const noexcept {
  core::bounded_text out(buffer, capacity);
  constexpr char hex[] = "0123456789abcdef";
  out.put(describe(code_));
  if (code_ == errc::unexpected_character && has_position()) {
    const auto byte = static_cast<unsigned char>(found_);
    if (byte >= 0x20 && byte < 0x7F) {
      out.put(" '");
      out.put(found_);
      out.put('\'');
    } else {
      out.put(" (byte 0x");
      out.put(hex[byte >> 4]);
      out.put(hex[byte & 15]);
      out.put(')');
    }
  }
  if (limit_ != 0) {
    out.put(code_ == errc::out_of_memory ? " (bytes needed: " : " (the limit is ");
    out.put(limit_);
    if (actual_ != 0) {
      out.put(", this is ");
      out.put(actual_);
    }
    out.put(")");
  }
  if (operation_ != 0) {
    out.put(", in operation ");
    out.put(std::uint64_t{operation_} - 1);
  }
  if (text_ != 0) out.put(text_ == 1 ? ", in the first text" : ", in the second text");
  if (pointer_length_ != 0) {
    out.put(", at ");
    put_visible(pointer(), [&out](char c) { out.put(c); });
  }
  return out.length();
}

inline error&& error::in_text(std::string_view text, std::size_t offset) && noexcept {
  offset_ = offset;
  found_ = offset < text.size() ? text[offset] : '\0';
  line_ = 1;
  std::size_t line_start = 0;
  for (std::size_t i = 0; i < offset && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++line_;
      line_start = i + 1;
    }
  }
  column_ = 1;
  for (std::size_t i = line_start; i < offset && i < text.size(); ++i) {
    if (!core::is_continuation(text[i])) ++column_;
  }
  return static_cast<error&&>(*this);
}

inline void error::finish_pointer(std::size_t length) noexcept {
  shortened_ = length > pointer_capacity;
  if (!shortened_) {
    pointer_length_ = static_cast<unsigned char>(length);
    return;
  }
  char last[tail];  // the ring in order
  for (std::size_t i = 0; i < tail; ++i) {
    last[i] = static_cast<char>(pointer_[head + gap + (length - pointer_capacity + i) % tail]);
  }
  // Whole characters only, on both sides of the gap.
  std::size_t kept = head;
  while (kept != 0 && core::is_continuation(static_cast<char>(pointer_[kept - 1]))) --kept;
  if (kept != 0 && pointer_[kept - 1] >= 0x80) --kept;
  std::size_t first = 0;
  while (first < tail && core::is_continuation(last[first])) ++first;
  for (std::size_t i = 0; i < gap; ++i) pointer_[kept++] = '.';
  for (; first < tail; ++first) pointer_[kept++] = static_cast<unsigned char>(last[first]);
  pointer_length_ = static_cast<unsigned char>(kept);
}

}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
