/// Checking a section or a patch against a dialect, before anything is sent or changed.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view
#include <type_traits>  // std::enable_if_t, std::is_convertible_v, std::remove_reference_t

#include "../base/plain_array.hpp"
#include "../base/text_buffer.hpp"
#include "../json/arena.hpp"
#include "../json/error.hpp"
#include "../json/number.hpp"
#include "../json/pointer.hpp"
#include "../json/read.hpp"
#include "../json/text/utf8.hpp"
#include "../json/tree/builder.hpp"
#include "../json/tree/events.hpp"
#include "../json/value.hpp"
#include "../json/write.hpp"
#include "dialect.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

/// Whether a value is a merge patch, in which null removes, or the content of a section.
enum class shape : unsigned char { patch, section };

/// One rule that is broken: in which part, and what json::error says: code, pointer inside the
/// part, limit, actual figure, sentence.
struct violation {
  part where = part::tags;
  json::error what;
};

namespace detail {
struct validation_access;
}

/// All violations found, and how much room each section has left.
class validation {
 public:
  explicit validation(const memory_source& memory = {}) noexcept : found_(memory) {}

  bool empty() const noexcept { return found_.empty(); }
  std::size_t size() const noexcept { return found_.size(); }
  const violation& operator[](std::size_t index) const noexcept { return found_[index]; }
  const violation* begin() const noexcept { return found_.data(); }
  const violation* end() const noexcept { return found_.data() + found_.size(); }

  /// How much the section may still grow, by the dialect's formula and on the merged result;
  /// negative when it is too large already, INT64_MAX when there is no limit. Filled in by what
  /// knows the section.
  std::int64_t head_room(part p) const noexcept { return head_room_[static_cast<std::size_t>(p)]; }

  /// Adds a violation: also for rules of a program's own. False when memory ran out.
  [[nodiscard]] bool add(part where, const json::error& what) noexcept {
    if (!found_.reserve(1)) return false;
    found_.push({where, what});
    return true;
  }
  void clear() noexcept { found_.truncate(0); }

 private:
  friend struct detail::validation_access;

  base::plain_array<violation> found_;
  std::int64_t head_room_[part_count] = {INT64_MAX, INT64_MAX, INT64_MAX};
};

namespace functions {

/// Checks `value`, the content of a section or a patch of it, and adds every violation to `out`:
/// names, strings, integers, nulls, arrays, depth, and for a section (or where the dialect measures
/// patches) the size, whose head room is noted; for a section also the length of its text.
/// `$version` and `$metadata` belong to the twin and are violations here. A tree does not tell how
/// a number was spelled: an integer beyond 64 bits that was rounded when it was read is a double
/// like any other here. Give the text to have it found.
/// Errors, with the pointer: not_a_twin when `value` is no object, not_finite, out_of_memory.
/// Cost: one pass.
template <class Value>
std::enable_if_t<!json::core::stands_for_text<Value>, json::error> validate(
    const Value& value, part where, shape form, const dialect& rules, validation& out,
    const memory_source& memory = {});

/// The same for JSON text. First adds each integer beyond 64 bits, where the dialect refuses them,
/// and each number beyond the largest double. Errors: those of json::read but for the size of
/// numbers; as above. Then `out` is as it was. Cost: two or three passes.
inline json::error validate(std::string_view text, part where, shape form, const dialect& rules,
                            validation& out, const memory_source& memory = {});

}  // namespace functions

// ---------------------------------------------------------------------------------------------

namespace detail {

/// What only the checks of this library do to a validation.
struct validation_access {
  static void set_head_room(validation& v, part p, std::int64_t bytes) noexcept {
    v.head_room_[static_cast<std::size_t>(p)] = bytes;
  }
  /// Forgets all violations but the first `size`.
  static void truncate(validation& v, std::size_t size) noexcept { v.found_.truncate(size); }
};

/// Counts the bytes of a text without the control characters U+0000 to U+001F and U+007F to U+009F.
class visible_count {
 public:
  void add(unsigned char byte) noexcept {
    if (before_ == 0xC2 && byte >= 0x80 && byte < 0xA0) {
      --count_;  // U+0080 to U+009F, whose first byte was counted
    } else if (byte >= 0x20 && byte != 0x7F) {
      ++count_;
    }
    before_ = byte;
  }
  std::size_t count() const noexcept { return count_; }

 private:
  std::size_t count_ = 0;
  unsigned char before_ = 0;
};

/// The bytes of a text that visible_count counts.
inline std::size_t visible_size(std::string_view text) noexcept {
  if (json::core::all_between<0x20, 0x7E>(text.data(), text.size())) return text.size();
  visible_count visible;
  for (const char c : text) visible.add(static_cast<unsigned char>(c));
  return visible.count();
}

/// How large a section, or a piece of one, is: by the dialect's formula, and as compact JSON text
/// (dialect::max_text).
struct section_size {
  std::size_t by_formula = 0;
  std::size_t text = 0;

  section_size& operator+=(const section_size& more) noexcept {
    by_formula += more.by_formula;
    text += more.text;
    return *this;
  }
  section_size& operator-=(const section_size& less) noexcept {
    by_formula -= less.by_formula;
    text -= less.text;
    return *this;
  }
};

/// The bytes of a string as JSON text, with its quotes.
inline std::size_t quoted_size(std::string_view text) noexcept {
  const char* const end = text.data() + text.size();
  std::size_t size = text.size() + 2;
  for (const char* p = json::core::skip_plain(text.data(), end); p != end;
       p = json::core::skip_plain(p + 1, end)) {
    const auto c = static_cast<unsigned char>(*p);
    if (c == '"' || c == '\\' || (c >= 0x08 && c <= 0x0D && c != 0x0B)) {
      size += 1;
    } else if (c < 0x20) {
      size += 5;
    }
  }
  return size;
}

/// A handler of events that counts by the formula size_formula::contents and the bytes of the
/// compact text at once. Each double counts as the longest in the text: to write every one would
/// cost more than the rest.
class size_counter {
 public:
  static constexpr std::size_t longest_double = 24;  ///< -1.7976931348623157e+308

  section_size size() const noexcept { return size_; }

  bool Null() { return value(0, 4); }
  bool Bool(bool b) { return value(4, b ? 4 : 5); }
  bool Int(int i) { return Int64(i); }
  bool Uint(unsigned u) { return Uint64(u); }
  bool Int64(std::int64_t i) {
    const auto magnitude = static_cast<std::uint64_t>(i);
    return i < 0 ? value(8, 1 + digits(0 - magnitude)) : value(8, digits(magnitude));
  }
  bool Uint64(std::uint64_t u) { return value(8, digits(u)); }
  bool Double(double) { return value(8, longest_double); }
  bool String(const char* text, json::size_type length, bool) {
    name({text, length});
    return value(0, 0);
  }
  bool Key(const char* text, json::size_type length, bool) {
    name({text, length});
    ++size_.text;  // the colon
    return true;
  }
  bool StartObject() { return start(); }
  bool EndObject(json::size_type) { return end(); }
  bool StartArray() { return start(); }
  bool EndArray(json::size_type) { return end(); }

 private:
  void name(std::string_view text) noexcept {
    if (json::core::is_plain(text.data(), text.size())) {
      size_ += {text.size(), text.size() + 2};
    } else {
      size_ += {visible_size(text), quoted_size(text)};
    }
  }
  static std::size_t digits(std::uint64_t n) noexcept {
    std::size_t count = 1;
    for (; n >= 10; n /= 10) ++count;
    return count;
  }
  // A comma is counted behind each value inside, and taken back at the end of what it is in.
  bool value(std::size_t by_formula, std::size_t text) noexcept {
    size_ += {by_formula, text + (depth_ != 0 ? 1u : 0u)};
    empty_ = false;
    return true;
  }
  bool start() noexcept {
    ++depth_;
    empty_ = true;
    return true;
  }
  bool end() noexcept {
    --depth_;
    if (!empty_) --size_.text;
    return value(0, 2);
  }

  section_size size_;
  std::size_t depth_ = 0;
  bool empty_ = false;
};

/// The size of a value by a formula; nulls that a merge drops do not count.
template <class Value, class Names>
json::error measure(const Value& value, size_formula formula, json::core::nulls rule,
                    json::core::walk_memory<Value, Names>& memory, section_size& size) {
  constexpr std::size_t deepest = json::default_max_depth;
  if (formula == size_formula::contents) {
    size_counter counter;
    json::error e = json::core::emit(value, counter, rule, deepest, memory);
    size = counter.size();
    return e;
  }
  base::byte_counter text;
  json::text_writer writer(text);
  json::error e = json::core::emit(value, writer, rule, deepest, memory);
  size = {text.size(), text.size()};
  return e;
}

/// The size of a name with what a member adds around it; a comma is counted by whoever knows its
/// neighbours.
inline section_size name_size(std::string_view name, size_formula formula) {
  const std::size_t text = quoted_size(name) + 1;  // the colon
  return {formula == size_formula::contents ? visible_size(name) : text, text};
}
/// The commas of an object of so many members.
inline section_size commas(std::size_t members, size_formula formula) noexcept {
  const std::size_t count = members == 0 ? 0 : members - 1;
  return {formula == size_formula::contents ? 0 : count, count};
}

/// Which limits a section would pass that had `before` bytes and will have `after`; calls
/// `broken(error)` for each until that gives false. `held` is what the dialect holds against its
/// limit by the formula.
template <class Broken>
bool check_sizes(const dialect& rules, part where, std::size_t held, const section_size& before,
                 const section_size& after, Broken&& broken) {
  const std::size_t limit = rules.max_size(where);
  if (held > limit && (rules.basis == size_basis::patch || held > before.by_formula) &&
      !broken(json::error(json::errc::section_too_large).limited_to(limit, held))) {
    return false;
  }
  return after.text <= rules.max_text || after.text <= before.text ||
         broken(
             json::error(json::errc::section_text_too_long).limited_to(rules.max_text, after.text));
}

/// Which names a dialect allows.
class name_rules {
 public:
  explicit name_rules(const dialect& d) noexcept
      : max_(d.max_name),
        controls_(d.control_characters_in_names),
        spaces_(d.white_space_in_names) {
    for (const char c : d.forbidden_in_names) forbid(static_cast<unsigned char>(c));
    if (!controls_) {
      low_ |= 0xFFFFFFFF;
      forbid(0x7F);
    }
    if (!spaces_) {
      low_ |= std::uint64_t{0x1F} << 0x09 | std::uint64_t{1} << ' ';  // U+0009 to U+000D
    }
    common_are_good_ = (low_ >> '0') == 0 && (high_ << 1) == 0;
  }

  /// ok, reserved_member, name_too_long or forbidden_name.
  json::errc check(std::string_view name) const noexcept {
    if (!name.empty() && name.front() == '$') return json::errc::reserved_member;
    if (name.size() > max_) return json::errc::name_too_long;
    if (common_are_good_ && json::core::is_common_name(name)) return json::errc::ok;
    for (std::size_t i = 0; i < name.size(); ++i) {
      const auto c = static_cast<unsigned char>(name[i]);
      if (c < 0x80) {
        if (((c < 64 ? low_ : high_) >> (c & 63) & 1) != 0) return json::errc::forbidden_name;
      } else if (c >= 0xC2 && (!controls_ || !spaces_) && forbidden_character(name.substr(i))) {
        return json::errc::forbidden_name;
      }
    }
    return json::errc::ok;
  }

 private:
  void forbid(unsigned char c) noexcept {
    if (c < 0x80) (c < 64 ? low_ : high_) |= std::uint64_t{1} << (c & 63);
  }
  /// A control or white space character beyond ASCII at the start of this UTF-8.
  bool forbidden_character(std::string_view text) const noexcept {
    const auto byte = [text](std::size_t i) {
      return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
    };
    const unsigned second = byte(1), third = byte(2);
    if (byte(0) == 0xC2) {
      return (!controls_ && second < 0xA0) || (!spaces_ && (second == 0x85 || second == 0xA0));
    }
    if (spaces_) return false;
    if (byte(0) == 0xE1) return second == 0x9A && third == 0x80;
    if (byte(0) == 0xE2 && second == 0x80)
      return third <= 0x8A || third == 0xA8 || third == 0xA9 || third == 0xAF;
    if (byte(0) == 0xE2) return second == 0x81 && third == 0x9F;
    return byte(0) == 0xE3 && second == 0x80 && third == 0x80;
  }

  std::size_t max_;
  bool controls_, spaces_;
  std::uint64_t low_ = 0, high_ = 0;  ///< forbidden ASCII characters, a bit each
  bool common_are_good_;              ///< none from '0' to '~' is forbidden
};

/// Whether trees can hold a number: ok, integer_overflow where the dialect refuses it,
/// number_overflow.
inline json::errc parse_for(const dialect& rules, std::string_view text, json::number& n) noexcept {
  const json::number_end read = json::parse_number(text.data(), text.data() + text.size(), n);
  const bool refused = n.big_integer && rules.big_integers == json::big_integer_rule::refuse;
  return refused ? json::errc::integer_overflow : read.code;
}

/// A handler of events that holds a patch or a section against a dialect. Without a report it stops
/// at the first violation, and whoever sends the events adds the pointer; with one it notes all and
/// goes on.
class rule_checker {
 public:
  rule_checker(const dialect& rules, part where, shape form, validation* report,
               const memory_source& memory) noexcept
      : rules_(rules),
        names_(rules),
        where_(where),
        form_(form),
        report_(report),
        steps_(memory),
        max_depth_(rules.max_depth < dialect::deepest ? rules.max_depth : dialect::deepest) {}

  json::errc failure() const noexcept { return failure_; }
  std::uint64_t limit() const noexcept { return limit_; }
  std::uint64_t actual() const noexcept { return actual_; }
  /// Whether any member or element was null.
  bool has_nulls() const noexcept { return has_nulls_; }

  bool Null() {
    has_nulls_ = true;
    if (arrays_ != 0) {
      return next(rules_.nulls_in_arrays || broken(json::errc::null_in_array));
    }
    return next(form_ == shape::patch || rules_.nulls_in_replacement ||
                broken(json::errc::null_in_replacement));
  }
  bool Bool(bool) { return next(true); }
  bool Int(int i) { return Int64(i); }
  bool Uint(unsigned u) { return Int64(u); }
  bool Int64(std::int64_t i) {
    const bool good = i >= rules_.min_integer && i <= rules_.max_integer;
    return next(good || broken(json::errc::integer_too_large, limit_of(i), size_of(i)));
  }
  bool Uint64(std::uint64_t u) {
    const bool good = rules_.max_integer == INT64_MAX;
    return next(good || broken(json::errc::integer_too_large,
                               static_cast<std::uint64_t>(rules_.max_integer), u));
  }
  bool Double(double) { return next(true); }
  bool NumberText(std::string_view text) {
    json::number n;
    const json::errc code = parse_for(rules_, text, n);
    if (code != json::errc::ok) return next(broken(code));
    if (n.stored_as == json::number::kind::signed_integer) return Int64(n.i);
    return n.stored_as == json::number::kind::unsigned_integer ? Uint64(n.u) : Double(n.d);
  }
  bool String(const char*, json::size_type length, bool) {
    return next(length <= rules_.max_string ||
                broken(json::errc::string_too_long, rules_.max_string, length));
  }
  bool Key(const char* text, json::size_type length, bool) {
    if (report_ != nullptr) steps_.back() = json::step::member({text, length});
    const json::errc code = names_.check({text, length});
    if (code == json::errc::ok) return true;
    return code == json::errc::name_too_long ? broken(code, rules_.max_name, length) : broken(code);
  }
  bool StartObject() { return start(false); }
  bool EndObject(json::size_type) { return end(false); }
  bool StartArray() {
    return (rules_.arrays || broken(json::errc::array_forbidden)) && start(true);
  }
  bool EndArray(json::size_type) { return end(true); }

 private:
  bool start(bool array) {
    // The section itself is level 0.
    if (!array || rules_.arrays_are_levels) {
      if (depth_++ == max_depth_ + 1 && !broken(json::errc::depth_exceeded, max_depth_, depth_ - 1))
        return false;
    }
    if (array) ++arrays_;
    if (report_ == nullptr) return true;
    return steps_.push(array ? json::step::element(0) : json::step()) ||
           fail(json::errc::out_of_memory);
  }
  bool end(bool array) {
    if (array) --arrays_;
    if (!array || rules_.arrays_are_levels) --depth_;
    if (report_ != nullptr) steps_.pop();
    return next(true);
  }
  /// After a value: the next element of an array.
  bool next(bool good) {
    if (report_ != nullptr && !steps_.empty() && steps_.back().name == nullptr)
      ++steps_.back().index;
    return good;
  }
  bool broken(json::errc code, std::uint64_t limit = 0, std::uint64_t actual = 0) {
    if (report_ == nullptr) {
      limit_ = limit;
      actual_ = actual;
      return fail(code);
    }
    const json::location place(steps_.data(), steps_.size());
    return report_->add(where_, json::error(code).limited_to(limit, actual).at(place)) ||
           fail(json::errc::out_of_memory);
  }
  bool fail(json::errc code) noexcept {
    failure_ = code;
    return false;
  }
  std::uint64_t limit_of(std::int64_t i) const noexcept {
    return size_of(i < 0 ? rules_.min_integer : rules_.max_integer);
  }
  static std::uint64_t size_of(std::int64_t i) noexcept {
    return i < 0 ? 0 - static_cast<std::uint64_t>(i) : static_cast<std::uint64_t>(i);
  }

  const dialect& rules_;
  name_rules names_;
  part where_;
  shape form_;
  validation* report_;
  base::stack<json::step, 16> steps_;  ///< kept only for a report
  std::size_t max_depth_;
  std::size_t depth_ = 0;
  std::size_t arrays_ = 0;
  bool has_nulls_ = false;
  json::errc failure_ = json::errc::ok;
  std::uint64_t limit_ = 0, actual_ = 0;
};

/// Passes the events of a text on to a handler, and a 0 for each number that trees cannot hold:
/// `note(pointer, code)` is told of it, and returns ok or why to stop.
template <class Handler, class Note>
class number_filter {
 public:
  number_filter(Handler& handler, const dialect& rules, Note& note,
                const memory_source& memory) noexcept
      : handler_(handler), rules_(rules), note_(note), pointer_(memory), open_(memory) {}

  json::errc failure() const noexcept {
    return failure_ != json::errc::ok ? failure_ : json::core::failure_of(handler_, 0);
  }

  bool NumberText(std::string_view text) {
    json::number n;
    const json::errc code = parse_for(rules_, text, n);
    if (code != json::errc::ok) {
      if (!locate()) return false;
      failure_ = note_(pointer_.view(), code);
      return failure_ == json::errc::ok && next(handler_.Int(0));
    }
    if (n.stored_as == json::number::kind::signed_integer) return next(handler_.Int64(n.i));
    return next(n.stored_as == json::number::kind::unsigned_integer ? handler_.Uint64(n.u)
                                                                    : handler_.Double(n.d));
  }
  bool Null() { return next(handler_.Null()); }
  bool Bool(bool b) { return next(handler_.Bool(b)); }
  bool Int(int i) { return next(handler_.Int(i)); }
  bool Uint(unsigned u) { return next(handler_.Uint(u)); }
  bool Int64(std::int64_t i) { return next(handler_.Int64(i)); }
  bool Uint64(std::uint64_t u) { return next(handler_.Uint64(u)); }
  bool Double(double d) { return next(handler_.Double(d)); }
  bool String(const char* text, json::size_type length, bool copy) {
    return next(handler_.String(text, length, copy));
  }
  bool Key(const char* text, json::size_type length, bool copy) {
    return point_at(json::step::member({text, length})) && handler_.Key(text, length, copy);
  }
  bool StartObject() { return start(false) && handler_.StartObject(); }
  bool EndObject(json::size_type count) { return end(handler_.EndObject(count)); }
  bool StartArray() { return start(true) && handler_.StartArray(); }
  bool EndArray(json::size_type count) { return end(handler_.EndArray(count)); }

 private:
  struct container {
    std::size_t pointer;    ///< length of the pointer down to here
    json::size_type index;  ///< of the element at hand
    bool array;
  };

  bool out_of_memory() noexcept {
    failure_ = json::errc::out_of_memory;
    return false;
  }
  /// Makes the pointer that of a member or element of the innermost container.
  bool point_at(const json::step& s) {
    pointer_.resize(open_.back().pointer);
    bool fits = true;
    json::core::render_step(s, [&](char c) { fits = fits && pointer_.append(&c, 1); });
    return fits || out_of_memory();
  }
  /// Makes the pointer that of the value at hand; in an object, its name did so.
  bool locate() {
    return open_.empty() || !open_.back().array ||
           point_at(json::step::element(open_.back().index));
  }
  bool start(bool array) {
    return locate() && (open_.push({pointer_.size(), 0, array}) || out_of_memory());
  }
  bool end(bool sent) {
    open_.pop();
    return next(sent);
  }
  bool next(bool sent) {
    if (!open_.empty()) ++open_.back().index;
    return sent;
  }

  Handler& handler_;
  const dialect& rules_;
  Note& note_;
  text_buffer pointer_;
  base::stack<container, 8> open_;
  json::errc failure_ = json::errc::ok;
};

/// Reads a text that json::read refused for the size of a number, with a 0 for each such number;
/// see number_filter.
template <class Note>
json::error read_without_big_numbers(std::string_view text, json::arena_value& out,
                                     json::arena& arena, const dialect& rules,
                                     const memory_source& memory, Note&& note) {
  json::read_options options;
  options.memory = memory;
  json::core::tree_builder<json::arena> builder(arena, memory);
  return builder.build(out, [&](auto& handler) {
    number_filter<std::remove_reference_t<decltype(handler)>, std::remove_reference_t<Note>> filter(
        handler, rules, note, memory);
    return json::read_events(text, filter, options);
  });
}
inline bool is_number_size(json::errc code) noexcept {
  return code == json::errc::integer_overflow || code == json::errc::number_overflow;
}

/// Runs a value through a checker; `base` is where it stands in the whole input.
template <class Value, class Names>
json::error check_rules(const Value& value, rule_checker& checker,
                        json::core::walk_memory<Value, Names>& memory,
                        const json::location& base = {}) {
  if (!value.IsObject()) return json::error(json::errc::not_a_twin).at(base);
  json::error e = json::core::emit(value, checker, json::core::nulls::emit, json::default_max_depth,
                                   memory, 0, base);
  if (e && e.code() == checker.failure()) {
    e = static_cast<json::error&&>(e).limited_to(checker.limit(), checker.actual());
  }
  return e;
}

/// What is left of a limit, as head room is told.
inline std::int64_t room_left(std::size_t limit, std::size_t size) noexcept {
  if (limit >= static_cast<std::size_t>(INT64_MAX)) return INT64_MAX;
  return static_cast<std::int64_t>(limit) - static_cast<std::int64_t>(size);
}

}  // namespace detail

namespace functions {

template <class Value>
std::enable_if_t<!json::core::stands_for_text<Value>, json::error> validate(
    const Value& value, part where, shape form, const dialect& rules, validation& out,
    const memory_source& memory) {
  const auto& checked = json::core::value_of(value);
  json::core::walk_memory<json::core::value_type_of<Value>> walk(memory);
  detail::rule_checker checker(rules, where, form, &out, memory);
  if (json::error e = detail::check_rules(checked, checker, walk)) return e;
  if (form == shape::section || rules.basis == size_basis::patch) {
    detail::section_size size;
    const auto nulls =
        form == shape::section ? json::core::nulls::drop_outside_arrays : json::core::nulls::emit;
    if (json::error e = detail::measure(checked, rules.size, nulls, walk, size)) return e;
    const auto note = [&](const json::error& e) { return out.add(where, e); };
    if (!detail::check_sizes(rules, where, size.by_formula, {},
                             form == shape::section ? size : detail::section_size(), note)) {
      return json::errc::out_of_memory;
    }
    // A section has at most the room of the whole twin, which is empty otherwise.
    const std::size_t own = rules.max_size(where), total = rules.max_total;
    if (form == shape::section && size.by_formula > total && size.by_formula <= own &&
        !note(json::error(json::errc::section_too_large).limited_to(total, size.by_formula))) {
      return json::errc::out_of_memory;
    }
    detail::validation_access::set_head_room(
        out, where,
        detail::room_left(form == shape::section && total < own ? total : own, size.by_formula));
  }
  return {};
}

inline json::error validate(std::string_view text, part where, shape form, const dialect& rules,
                            validation& out, const memory_source& memory) {
  json::read_options options;
  options.big_integers = rules.big_integers;
  options.memory = memory;
  json::arena arena(memory);
  json::arena_value value;
  json::error e = json::read(text, value, arena, options);
  const std::size_t before = out.size();
  if (detail::is_number_size(e.code())) {
    e = detail::read_without_big_numbers(
        text, value, arena, rules, memory, [&](std::string_view pointer, json::errc code) {
          return out.add(where, json::error(code).at(json::core::pointer_text{pointer}))
                     ? json::errc::ok
                     : json::errc::out_of_memory;
        });
  }
  if (!e) e = validate(value, where, form, rules, out, memory);
  if (e) detail::validation_access::truncate(out, before);
  return e;
}

}  // namespace functions

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
