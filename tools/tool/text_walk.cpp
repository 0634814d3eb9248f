#include "text_walk.hpp"

#include <devicetwin/base/hash.hpp>
#include <devicetwin/json/find_text.hpp>
#include <devicetwin/json/tree/name_hash.hpp>

#include <algorithm>
#include <cstring>
#include <deque>
#include <utility>

namespace base = devicetwin::base;
namespace json = devicetwin::json;

namespace tool {
namespace {

// Valid texts are not deeper. A text that changed meanwhile may look so.
constexpr std::size_t max_depth = json::default_max_depth;

/// How many members one object is searched ahead for the next one of the other.
constexpr std::size_t look_ahead = 8;

struct member {
  std::string_view name;
  value_text value;
  std::size_t place;
};

/// The members of an object, of which some can be looked at ahead.
class member_queue {
 public:
  explicit member_queue(value_text object) : items_(object) {}

  /// The i-th member from here; null when there are fewer.
  const member* at(std::size_t i) {
    while (ahead_.size() <= i && items_.next())
      ahead_.push_back({items_.name(), items_.value(), count_++});
    return i < ahead_.size() ? &ahead_[i] : nullptr;
  }
  member take() {
    const member first = ahead_.front();
    ahead_.pop_front();
    return first;
  }
  /// How far ahead the member of this name is, or look_ahead.
  std::size_t find(std::string_view name) {
    std::size_t i = 0;
    for (; i != look_ahead; ++i) {
      const member* const m = at(i);
      if (m == nullptr) return look_ahead;
      if (json::core::same_string(m->name, name)) break;
    }
    return i;
  }

 private:
  text_items items_;
  std::deque<member> ahead_;
  std::size_t count_ = 0;
};

/// Pairs the members of two objects.
class member_matcher {
 public:
  std::vector<member_pair> run(value_text from, value_text to) {
    member_queue first(from), second(to);
    for (;;) {
      const member* const a = first.at(0);
      const member* const b = second.at(0);
      if (a == nullptr && b == nullptr) break;
      if (a == nullptr) {
        keep_new(second.take());
      } else if (b == nullptr) {
        old_.push_back(first.take());
      } else if (const std::size_t skipped = second.find(a->name); skipped != look_ahead) {
        for (std::size_t i = 0; i != skipped; ++i) keep_new(second.take());
        pair(first.take(), second.take().value);
      } else if (const std::size_t gone = first.find(b->name); gone != look_ahead) {
        for (std::size_t i = 0; i != gone; ++i) old_.push_back(first.take());
        pair(first.take(), second.take().value);
      } else {
        old_.push_back(first.take());
        keep_new(second.take());
      }
    }
    match_by_name();
    std::stable_sort(found_.begin(), found_.end(), [](const member_pair& x, const member_pair& y) {
      return std::make_pair(x.place, x.added) < std::make_pair(y.place, y.added);
    });
    return std::move(found_);
  }

 private:
  struct named {
    std::string_view name;  ///< without escapes
    const member* of;
  };

  void pair(const member& m, value_text to) {
    last_place_ = m.place;
    if (m.value != to) found_.push_back({m.name, m.value, to, m.place, false});
  }
  void keep_new(member m) {
    m.place = last_place_;
    new_.push_back(m);
  }
  std::string_view plain(std::string_view raw) {
    if (!json::core::has_escapes(raw)) return raw;
    plain_.push_back(plain_string(raw));
    return plain_.back();
  }
  /// Pairs what is left of both.
  void match_by_name() {
    std::vector<named> by_name;
    if (!old_.empty()) {
      by_name.reserve(new_.size());
      for (const member& m : new_) by_name.push_back({plain(m.name), &m});
      std::sort(by_name.begin(), by_name.end(),
                [](const named& x, const named& y) { return x.name < y.name; });
    }
    for (const member& m : old_) {
      const std::string_view name = plain(m.name);
      const auto at =
          std::lower_bound(by_name.begin(), by_name.end(), name,
                           [](const named& x, std::string_view y) { return x.name < y; });
      if (at == by_name.end() || at->name != name || at->of == nullptr) {
        found_.push_back({m.name, m.value, {}, m.place, false});
        continue;
      }
      if (m.value != at->of->value)
        found_.push_back({m.name, m.value, at->of->value, m.place, false});
      new_[static_cast<std::size_t>(at->of - new_.data())].value = {};  // it has its partner
    }
    for (const member& m : new_) {
      if (m.value.data() != nullptr) found_.push_back({m.name, {}, m.value, m.place, true});
    }
  }

  std::size_t last_place_ = 0;
  std::vector<member> old_, new_;  ///< without a partner so far
  std::deque<std::string> plain_;
  std::vector<member_pair> found_;
};

bool same(value_text a, value_text b, std::size_t depth) {
  if (a == b) return true;
  if (depth == 0) return false;
  if (is_object(a) && is_object(b)) {
    const std::vector<member_pair> pairs = differing_members(a, b);
    return std::all_of(pairs.begin(), pairs.end(), [depth](const member_pair& p) {
      return p.from.data() != nullptr && p.to.data() != nullptr && same(p.from, p.to, depth - 1);
    });
  }
  if (is_array(a) && is_array(b)) {
    text_items x(a), y(b);
    for (;;) {
      const bool more = x.next();
      if (more != y.next()) return false;
      if (!more) return true;
      if (!same(x.value(), y.value(), depth - 1)) return false;
    }
  }
  return !is_object(a) && !is_object(b) && !is_array(a) && !is_array(b) &&
         json::core::same_scalar_text(a, b, json::number_equality::by_value,
                                      json::text_numbers::exact);
}

std::uint64_t hash_of_string(std::string_view raw) {
  return json::core::hash_name(json::core::has_escapes(raw) ? std::string_view(plain_string(raw))
                                                            : raw);
}

std::uint64_t hash_of(value_text v, std::size_t depth) {
  if (v.empty() || depth == 0) return 0;
  const char kind = v.front();
  std::uint64_t hash = static_cast<unsigned char>(kind);
  if (kind == '"') return hash_of_string(v.substr(1, v.size() < 2 ? 0 : v.size() - 2)) + hash;
  if (kind == '{' || kind == '[') {
    for (text_items items(v); items.next();) {
      const std::uint64_t item = hash_of(items.value(), depth - 1);
      // The sum is the same in any order of members.
      hash = kind == '{' ? hash + base::mix(hash_of_string(items.name()), item + 1)
                         : base::mix(hash + 1, item + 1);
    }
    return hash;
  }
  if (kind == 't' || kind == 'f' || kind == 'n') return hash;
  const auto number = json::get_text<double>(v);
  std::uint64_t bits = 0;
  if (number && *number != 0) std::memcpy(&bits, &*number, sizeof bits);
  return base::mix(bits + 1, bits + 2);
}

}  // namespace

value_text whole_value(std::string_view text) {
  constexpr const char* spaces = " \t\r\n";
  const std::size_t first = text.find_first_not_of(spaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(spaces) + 1 - first);
}

text_items::text_items(value_text container)
    : p_(container.data() + 1),
      end_(container.data() + container.size()),
      named_(is_object(container)) {
  structure_.reset(container);
}

bool text_items::next() {
  using json::core::skip_space;
  p_ = skip_space(p_, end_);
  if (p_ != end_ && *p_ == ',') p_ = skip_space(p_ + 1, end_);
  if (p_ == end_ || *p_ == '}' || *p_ == ']') return false;
  const char* value = p_;
  p_ = end_;  // unless all goes well
  if (named_) {
    if (*value != '"') return false;
    const char* const colon = structure_.skip_string(value);
    if (colon == nullptr || colon > end_ || colon - value < 2) return false;
    name_ = {value + 1, static_cast<std::size_t>(colon - value) - 2};
    value = skip_space(colon, end_);
    if (value == end_) return false;
    value = skip_space(value + 1, end_);
    if (value == end_) return false;
  }
  const char* const behind = structure_.skip_value(value);
  if (behind == nullptr || behind > end_) return false;
  value_ = {value, static_cast<std::size_t>(behind - value)};
  p_ = behind;
  return true;
}

std::string plain_string(std::string_view raw) {
  std::string plain;
  json::core::plain_bytes bytes(raw);
  for (int c = bytes.next(); c >= 0; c = bytes.next()) plain += static_cast<char>(c);
  return plain;
}

std::vector<member_pair> differing_members(value_text from, value_text to) {
  return member_matcher().run(from, to);
}

bool same_value(value_text a, value_text b) { return same(a, b, max_depth + 1); }

std::uint64_t hash_of(value_text v) { return hash_of(v, max_depth + 1); }

}  // namespace tool
