// The slow and obvious implementation of everything, to compare with: a strict recursive reader on
// strtod, RFC 7396 as its pseudocode stands, a diff and an equality without any cleverness.
#pragma once

#include <devicetwin/json/arena.hpp>
#include <devicetwin/json/tree/inside.hpp>
#include <devicetwin/json/value.hpp>

#include <cerrno>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reference {

struct node {
  enum kind { null, boolean, integer, natural, real, string, array, object } what = null;
  bool b = false;
  std::int64_t i = 0;
  std::uint64_t u = 0;
  double d = 0;
  std::string s;
  std::vector<node> a;
  std::map<std::string, node> o;
};

/// Equal as JSON; integers and doubles compared as exact numbers by way of long double, which holds
/// 64-bit integers and doubles exactly on x86 (elsewhere the integers are compared first).
inline bool equal(const node& x, const node& y) {
  const auto is_number = [](const node& n) {
    return n.what == node::integer || n.what == node::natural || n.what == node::real;
  };
  if (is_number(x) && is_number(y)) {
    if (x.what == y.what) return x.i == y.i && x.u == y.u && x.d == y.d;
    if (x.what != node::real && y.what != node::real) return false;
    const node& real = x.what == node::real ? x : y;
    const node& whole = x.what == node::real ? y : x;
    if (real.d != std::floor(real.d) || std::fabs(real.d) >= 18446744073709551616.0) return false;
    if (real.d < 0) {
      return real.d >= -9223372036854775808.0 && whole.what == node::integer &&
             static_cast<std::int64_t>(real.d) == whole.i;
    }
    const auto magnitude = static_cast<std::uint64_t>(real.d);
    return whole.what == node::natural
               ? magnitude == whole.u
               : whole.i >= 0 && magnitude == static_cast<std::uint64_t>(whole.i);
  }
  if (x.what != y.what) return false;
  if (x.what == node::array) {
    if (x.a.size() != y.a.size()) return false;
    for (std::size_t i = 0; i < x.a.size(); ++i) {
      if (!equal(x.a[i], y.a[i])) return false;
    }
    return true;
  }
  if (x.what == node::object) {
    if (x.o.size() != y.o.size()) return false;
    for (const auto& [name, value] : x.o) {
      const auto other = y.o.find(name);
      if (other == y.o.end() || !equal(value, other->second)) return false;
    }
    return true;
  }
  return x.b == y.b && x.s == y.s;
}

/// RFC 7396, section 2, word for word.
inline node merge(node target, const node& patch) {
  if (patch.what != node::object) return patch;
  if (target.what != node::object) {
    target = node{};
    target.what = node::object;
  }
  for (const auto& [name, value] : patch.o) {
    if (value.what == node::null) {
      target.o.erase(name);
    } else {
      target.o[name] = merge(target.o[name], value);
    }
  }
  return target;
}

inline bool has_null_member(const node& n) {
  if (n.what != node::object) return false;
  for (const auto& [name, value] : n.o) {
    if (value.what == node::null || has_null_member(value)) return true;
  }
  return false;
}

/// The merge patch between two values, or nothing when there is none.
inline std::optional<node> diff(const node& from, const node& to) {
  if (from.what != node::object || to.what != node::object) {
    if (has_null_member(to)) return std::nullopt;
    return to;
  }
  node patch;
  patch.what = node::object;
  for (const auto& [name, value] : from.o) {
    if (to.o.count(name) == 0) patch.o[name] = node{};
  }
  for (const auto& [name, value] : to.o) {
    const auto old = from.o.find(name);
    if (old != from.o.end() && equal(old->second, value)) continue;
    if (value.what == node::null || (value.what != node::object && has_null_member(value)))
      return std::nullopt;
    if (old == from.o.end() || old->second.what != node::object || value.what != node::object) {
      if (has_null_member(value)) return std::nullopt;
      patch.o[name] = value;
      continue;
    }
    const auto inner = diff(old->second, value);
    if (!inner) return std::nullopt;
    patch.o[name] = *inner;
  }
  return patch;
}

/// Reads strictly, or gives nothing.
class parser {
 public:
  static std::optional<node> parse(std::string_view text, int max_depth = 64) {
    parser p(text, max_depth);
    node n;
    p.space();
    if (!p.value(n, 0)) return std::nullopt;
    p.space();
    if (p.at_ != text.size()) return std::nullopt;
    return n;
  }

 private:
  parser(std::string_view text, int max_depth) : text_(text), max_depth_(max_depth) {}

  int peek() const { return at_ < text_.size() ? static_cast<unsigned char>(text_[at_]) : -1; }
  bool take(char c) {
    if (peek() != static_cast<unsigned char>(c)) return false;
    ++at_;
    return true;
  }
  void space() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\n' || peek() == '\r') ++at_;
  }
  bool word(std::string_view w) {
    if (text_.substr(at_, w.size()) != w) return false;
    at_ += w.size();
    return true;
  }
  bool digits() {
    const std::size_t start = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ != start;
  }

  bool value(node& n, int depth) {
    if (peek() == '{') return object(n, depth + 1);
    if (peek() == '[') return array(n, depth + 1);
    if (peek() == '"') {
      n.what = node::string;
      return string(n.s);
    }
    if (word("null")) return true;
    n.what = node::boolean;
    if (word("true")) return n.b = true;
    if (word("false")) return true;
    return number(n);
  }

  bool object(node& n, int depth) {
    n.what = node::object;
    if (depth > max_depth_) return false;
    ++at_;
    space();
    if (take('}')) return true;
    for (;;) {
      std::string name;
      node member;
      space();
      if (!string(name)) return false;
      space();
      if (!take(':')) return false;
      space();
      if (!value(member, depth)) return false;
      if (!n.o.emplace(name, member).second) return false;
      space();
      if (take('}')) return true;
      if (!take(',')) return false;
    }
  }
  bool array(node& n, int depth) {
    n.what = node::array;
    if (depth > max_depth_) return false;
    ++at_;
    space();
    if (take(']')) return true;
    for (;;) {
      node element;
      space();
      if (!value(element, depth)) return false;
      n.a.push_back(element);
      space();
      if (take(']')) return true;
      if (!take(',')) return false;
    }
  }

  bool number(node& n) {
    const std::size_t start = at_;
    const bool negative = take('-');
    if (!take('0') && !digits()) return false;
    bool whole = true;
    if (take('.')) {
      whole = false;
      if (!digits()) return false;
    }
    if (take('e') || take('E')) {
      whole = false;
      if (!take('+')) take('-');
      if (!digits()) return false;
    }
    const std::string spelled(text_.substr(start, at_ - start));
    errno = 0;
    if (whole && spelled != "-0") {
      n.what = node::integer;
      n.i = std::strtoll(spelled.c_str(), nullptr, 10);
      if (errno == 0) return true;
      errno = 0;
      n.i = 0;
      n.what = node::natural;
      n.u = std::strtoull(spelled.c_str(), nullptr, 10);
      if (errno == 0 && !negative) return true;
      n.u = 0;
    }
    n.what = node::real;
    n.d = std::strtod(spelled.c_str(), nullptr);
    return std::isfinite(n.d);
  }

  bool hex(unsigned& code) {
    code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const int c = peek();
      if (c >= '0' && c <= '9')
        code = code * 16 + static_cast<unsigned>(c - '0');
      else if (c >= 'a' && c <= 'f')
        code = code * 16 + static_cast<unsigned>(c - 'a' + 10);
      else if (c >= 'A' && c <= 'F')
        code = code * 16 + static_cast<unsigned>(c - 'A' + 10);
      else
        return false;
    }
    return true;
  }
  static void append(std::string& s, unsigned code) {
    if (code < 0x80) {
      s += static_cast<char>(code);
    } else if (code < 0x800) {
      s += static_cast<char>(0xC0 + code / 64);
      s += static_cast<char>(0x80 + code % 64);
    } else if (code < 0x10000) {
      s += static_cast<char>(0xE0 + code / 4096);
      s += static_cast<char>(0x80 + code / 64 % 64);
      s += static_cast<char>(0x80 + code % 64);
    } else {
      s += static_cast<char>(0xF0 + code / 262144);
      s += static_cast<char>(0x80 + code / 4096 % 64);
      s += static_cast<char>(0x80 + code / 64 % 64);
      s += static_cast<char>(0x80 + code % 64);
    }
  }
  /// One character of UTF-8: decoded, encoded again, and the same bytes.
  bool character(std::string& s) {
    const auto lead = static_cast<unsigned>(peek());
    std::size_t length = lead < 0x80   ? 1
                         : lead < 0xC0 ? 0
                         : lead < 0xE0 ? 2
                         : lead < 0xF0 ? 3
                         : lead < 0xF8 ? 4
                                       : 0;
    if (length == 0 || at_ + length > text_.size()) return false;
    unsigned code = length == 1 ? lead : lead & (0xFFu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
      const auto next = static_cast<unsigned char>(text_[at_ + i]);
      if (next < 0x80 || next > 0xBF) return false;
      code = code * 64 + (next - 0x80);
    }
    if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
    std::string again;
    append(again, code);
    if (again != text_.substr(at_, length)) return false;
    s += again;
    at_ += length;
    return true;
  }
  bool string(std::string& s) {
    if (!take('"')) return false;
    for (;;) {
      const int c = peek();
      if (c < 0x20) return false;
      if (take('"')) return true;
      if (!take('\\')) {
        if (!character(s)) return false;
        continue;
      }
      if (take('u')) {
        unsigned code = 0, low = 0;
        if (!hex(code) || (code >= 0xDC00 && code < 0xE000)) return false;
        if (code >= 0xD800 && code < 0xDC00) {
          if (!word("\\u") || !hex(low) || low < 0xDC00 || low >= 0xE000) return false;
          code = 0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00);
        }
        append(s, code);
        continue;
      }
      const std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
      const std::size_t which = peek() < 0 ? letters.npos : letters.find(static_cast<char>(peek()));
      if (which == letters.npos) return false;
      s += meanings[which];
      ++at_;
    }
  }

  std::string_view text_;
  int max_depth_;
  std::size_t at_ = 0;
};

/// A RapidJSON value as a node; of repeated names the first counts.
template <class Value>
node from_value(const Value& v) {
  node n;
  if (v.IsBool()) {
    n.what = node::boolean;
    n.b = v.GetBool();
  } else if (v.IsInt64()) {
    n.what = node::integer;
    n.i = v.GetInt64();
  } else if (v.IsUint64()) {
    n.what = node::natural;
    n.u = v.GetUint64();
  } else if (v.IsNumber()) {
    n.what = node::real;
    n.d = v.GetDouble();
  } else if (v.IsString()) {
    n.what = node::string;
    n.s.assign(v.GetString(), v.GetStringLength());
  } else if (v.IsArray()) {
    n.what = node::array;
    for (devicetwin::json::size_type i = 0; i < v.Size(); ++i) n.a.push_back(from_value(v[i]));
  } else if (v.IsObject()) {
    n.what = node::object;
    const auto* members = devicetwin::json::core::members_begin(v);
    for (devicetwin::json::size_type i = 0; i < v.MemberCount(); ++i) {
      n.o.emplace(std::string(members[i].name.GetString(), members[i].name.GetStringLength()),
                  from_value(members[i].value));
    }
  }
  return n;
}
inline node from_value(const devicetwin::json::document& d) { return from_value(d.root()); }

/// The same to the bit: 1 is not 1.0 here, and -0.0 not 0.0.
inline bool identical(const node& x, const node& y) {
  if (x.what != y.what || x.b != y.b || x.i != y.i || x.u != y.u || x.s != y.s) return false;
  if (std::memcmp(&x.d, &y.d, sizeof x.d) != 0) return false;
  if (x.a.size() != y.a.size() || x.o.size() != y.o.size()) return false;
  for (std::size_t i = 0; i < x.a.size(); ++i) {
    if (!identical(x.a[i], y.a[i])) return false;
  }
  for (auto i = x.o.begin(), j = y.o.begin(); i != x.o.end(); ++i, ++j) {
    if (i->first != j->first || !identical(i->second, j->second)) return false;
  }
  return true;
}

}  // namespace reference
