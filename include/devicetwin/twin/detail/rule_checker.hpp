/// Holds the names and values of a section, or of a patch of one, against the rules of a dialect.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t, std::uint64_t
#include <string_view>  // std::string_view

#include "../../base/memory.hpp"
#include "../../base/stack.hpp"
#include "../../json/error.hpp"
#include "../../json/number.hpp"
#include "../../json/pointer.hpp"
#include "../../json/text/utf8.hpp"
#include "../../json/tree/events.hpp"
#include "../../json/value.hpp"
#include "../dialect.hpp"
#include "../violations.hpp"
#include "big_numbers.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

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

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
