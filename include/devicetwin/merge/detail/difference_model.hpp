/// What a walk over two documents asks of them, for trees and for texts.
///
/// A model has a type `node`, a value of a document, and an `item`, a member or element with its
/// value and, for a member, its name. The functions that return bool return false when memory ran
/// out or, for texts, when what was taken on trust is not JSON; broken() says which.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <cstring>      // std::memcmp
#include <string_view>  // std::string_view

#include "../../base/stack.hpp"
#include "../../json/arena.hpp"
#include "../../json/equal.hpp"
#include "../../json/text/tokens.hpp"
#include "../../json/tree/events.hpp"
#include "../../json/tree/inside.hpp"
#include "../../json/tree/member_lookup.hpp"
#include "../../json/tree/scalar.hpp"
#include "../../json/value.hpp"
#include "../options.hpp"
#include "../tree/places.hpp"
#include "value_hash.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

enum class node_kind : unsigned char { scalar, array, object };

template <class Node>
struct difference_item {
  std::string_view name;
  Node value;
};

/// Trees.
template <class From, class To>
class tree_model {
 public:
  using from_node = const From*;
  using to_node = const To*;

  explicit tree_model(const text_options& o) noexcept : options_(o), indexes_(o.memory) {}

  static bool broken() noexcept { return false; }

  template <class Value>
  static node_kind kind(const Value* v) noexcept {
    return v->IsObject() ? node_kind::object : v->IsArray() ? node_kind::array : node_kind::scalar;
  }
  /// Whether two nodes are the same at a glance, or scalars that are equal.
  bool same(const From* a, const To* b) const noexcept {
    if (json::core::is_container(*a) || json::core::is_container(*b)) return false;
    return json::core::same_scalar(*a, *b, options_.numbers);
  }
  /// Whether two nodes are equal, which both may be of either document.
  template <class A, class B>
  bool equal(const A* a, const B* b, bool& same) const {
    json::equal_options how;
    how.numbers = options_.numbers;
    how.max_depth = any_depth;
    how.memory = options_.memory;
    const json::comparison found = json::equal(*a, *b, how);
    same = found == json::comparison::equal;
    return found != json::comparison::out_of_memory;
  }
  template <class Value>
  bool hash(const Value* v, std::uint64_t& hash) const {
    value_hasher hasher(options_.memory);
    json::core::walk_memory<Value> memory(options_.memory);
    const error e = json::core::emit(*v, hasher, json::core::nulls::emit, any_depth, memory);
    hash = hasher.hash();  // of a value with a NaN, of a part of it
    return e.code() != errc::out_of_memory;
  }
  /// Appends the elements of an array, or the members of an object, those that repeat a name left
  /// out.
  template <class Value, class Items>
  bool collect(const Value* v, bool /*in_from*/, Items& items) {
    using parts = json::core::inside<Value>;
    if (v->IsArray()) {
      const size_type count = parts::element_count(*v);
      if (!items.reserve(items.size() + count)) return false;
      for (size_type i = 0; i < count; ++i)
        static_cast<void>(items.push({{}, parts::elements(*v) + i}));
      return true;
    }
    repeat_lookup<Value> names(*v);
    const auto* const members = members_begin(*v);
    const size_type count = parts::member_count(*v);
    if (!items.reserve(items.size() + count)) return false;
    indexes_.truncate(0);
    for (size_type i = 0; i < count; ++i) {
      bool first = true;
      if (!names.is_first(i, indexes_, first)) return false;
      if (first) static_cast<void>(items.push({text_of(members[i].name), &members[i].value}));
    }
    return true;
  }

 private:
  text_options options_;
  index_memory indexes_;
};

/// Texts, which are valid or trusted.
class text_model {
 public:
  using from_node = std::string_view;
  using to_node = std::string_view;

  text_model(std::string_view from, std::string_view to, const text_options& o) noexcept
      : options_(o), names_(o.memory) {
    from_.text = from;
    from_.structure.reset(from);
    to_.text = to;
    to_.structure.reset(to);
  }

  /// Whether a text was found to be no JSON.
  bool broken() const noexcept { return broken_; }

  static node_kind kind(std::string_view text) noexcept {
    return text.front() == '{'   ? node_kind::object
           : text.front() == '[' ? node_kind::array
                                 : node_kind::scalar;
  }
  bool same(std::string_view a, std::string_view b) const noexcept {
    if (a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0) return true;
    if (kind(a) != node_kind::scalar || kind(b) != node_kind::scalar) return false;
    return json::core::same_scalar_text(a, b, options_.numbers, options_.number_texts);
  }
  /// Defined behind the walk, which it uses.
  inline bool equal(std::string_view a, std::string_view b, bool& same) const;
  bool hash(std::string_view text, std::uint64_t& hash) const {
    return hash_text(text, options_.memory, hash);
  }
  template <class Items>
  bool collect(std::string_view container, bool in_from, Items& items) {
    document& d = in_from ? from_ : to_;
    const bool object = container.front() == '{';
    const char* const end = container.data() + container.size();
    const char* p = json::core::skip_space(container.data() + 1, end);
    if (p != end && (*p == '}' || *p == ']')) return true;
    while (p != end) {
      std::string_view name;
      if (object && !take_name(d, p, end, name)) return false;
      if (p == end) break;
      const char* const start = p;
      p = d.structure.skip_value(p);
      if (p == nullptr || p > end) break;
      if (!items.push({name, {start, static_cast<std::size_t>(p - start)}})) return false;
      p = json::core::skip_space(p, end);
      if (p == end) break;
      if (*p == '}' || *p == ']') return true;
      if (*p != ',') break;
      p = json::core::skip_space(p + 1, end);
    }
    return fault();
  }

 private:
  struct document {
    std::string_view text;
    json::core::text_structure structure;
  };

  bool fault() noexcept {
    broken_ = true;
    return false;
  }
  bool take_name(document& d, const char*& p, const char* end, std::string_view& name) {
    if (*p != '"') return fault();
    const char* const start = p + 1;
    p = d.structure.skip_string(p);
    if (p == nullptr || p > end) return fault();
    name = {start, static_cast<std::size_t>(p - start) - 1};
    if (json::core::has_escapes(name) && !resolve(name)) return false;
    p = json::core::skip_space(p, end);
    if (p == end || *p != ':') return fault();
    p = json::core::skip_space(p + 1, end);
    return true;
  }
  /// Makes a copy of a name without escape sequences.
  bool resolve(std::string_view& name) {
    char* const copy = static_cast<char*>(names_.Malloc(name.size()));
    if (copy == nullptr) return false;
    json::core::plain_bytes bytes(name);
    std::size_t length = 0;
    for (int byte = bytes.next(); byte >= 0; byte = bytes.next())
      copy[length++] = static_cast<char>(byte);
    name = {copy, length};
    return true;
  }

  text_options options_;
  document from_, to_;
  json::arena names_;  ///< with escapes resolved
  mutable bool broken_ = false;
};

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
