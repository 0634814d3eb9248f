/// What every walk over the members of documents and changes needs: finding names, saying where it
/// is, comparing.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../json/detail/events.hpp"
#include "../../json/detail/names.hpp"
#include "../../json/detail/stack.hpp"
#include "../../json/detail/tree_diff.hpp"
#include "../../json/error.hpp"
#include "../../json/memory.hpp"
#include "../../json/pointer.hpp"
#include "../../json/value.hpp"
#include "../options.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

using json::errc;
using json::error;
using json::size_type;
using json::detail::index_memory;
using json::detail::members_begin;
using json::detail::no_index;
using json::detail::text_of;

inline constexpr std::size_t any_depth = static_cast<std::size_t>(-1);

/// Finds members of one object by name: a few names by looking at each member, many with an index.
class member_lookup {
 public:
  /// The first member of this name, or no_index. False when memory ran out. The index lies in
  /// `memory`, above everything that was there when it was built.
  template <class Value>
  [[nodiscard]] bool find(const Value& object, std::string_view name, index_memory& memory,
                          size_type& found) {
    constexpr unsigned char worth_an_index = 8;
    const size_type count = object.MemberCount();
    const auto names = json::detail::names_of(object);
    if (count > json::detail::small_object && !indexed_ && scans_ >= worth_an_index) {
      if (!index_.build(count, names, memory, [this](size_type) { repeats_ = true; })) return false;
      indexed_ = true;
    }
    if (indexed_) {
      found = index_.find_text(name, names, memory);
      return true;
    }
    if (scans_ < worth_an_index) ++scans_;
    found = no_index;
    for (size_type i = 0; i < count; ++i) {
      if (names.text(i) != name) continue;
      found = i;
      break;
    }
    return true;
  }

  /// True when it is known that no name stands twice.
  bool unique() const noexcept { return indexed_ && !repeats_; }

 private:
  json::detail::name_index index_;
  bool indexed_ = false;
  bool repeats_ = false;
  unsigned char scans_ = 0;
};

/// The names of the members that lead to a place, for errors and reports.
class path {
 public:
  explicit path(const json::memory_source& memory) noexcept : steps_(memory) {}
  [[nodiscard]] bool push(std::string_view name) noexcept {
    return steps_.push(json::step::member(name));
  }
  void pop() noexcept { steps_.pop(); }
  std::size_t depth() const noexcept { return steps_.size(); }
  json::location where() const noexcept { return {steps_.data(), steps_.size()}; }
  template <class Put>
  void render(Put&& put) const {
    where().render(put);
  }

 private:
  json::detail::stack<json::step, 16> steps_;
};

/// A path by reference, for those who keep a copy of where they are.
struct path_view {
  const path* at;
  template <class Put>
  void render(Put&& put) const {
    at->render(put);
  }
};

/// A place inside a value that stands at `outer`.
template <class Outer>
struct nested_place {
  const Outer& outer;
  std::string_view pointer;
  template <class Put>
  void render(Put&& put) const {
    outer.render(put);
    for (char c : pointer) put(c);
  }
};

/// The same failure, found in a value that stands at `outer`.
template <class Outer>
error nested(const error& inner, const Outer& outer) {
  return error(inner.code())
      .limited_to(inner.limit())
      .at(nested_place<Outer>{outer, inner.pointer()});
}

/// Sends a value that was checked before.
template <class Value, class Handler>
error send(const Value& value, Handler& handler, const json::memory_source& source) {
  json::detail::walk_memory<Value> memory(source);
  return json::detail::emit(value, handler, json::detail::nulls::emit, any_depth, memory);
}

/// Whether two values are equal; whatever keeps them from being compared is an error at `where`.
template <class A, class B, class Where>
error compare(const A& a, const B& b, const options& o, const Where& where, bool& same) {
  json::detail::diff_rules rules;
  rules.stop_at_first = true;
  rules.numbers = o.numbers;
  rules.max_depth = any_depth;
  json::detail::tree_diff<A, B> walk(rules, o.memory);
  if (error e = walk.run(a, b)) return nested(e, where);
  same = !walk.differ();
  return {};
}
/// The same where either may be missing.
template <class A, class B, class Where>
error compare(const A* a, const B* b, const options& o, const Where& where, bool& same) {
  same = a == nullptr && b == nullptr;
  return a == nullptr || b == nullptr ? error() : compare(*a, *b, o, where, same);
}

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
