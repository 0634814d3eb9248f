/// What every walk over the members of documents and changes needs: finding names, saying where it
/// is, comparing.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../base/memory.hpp"
#include "../../base/stack.hpp"
#include "../../json/error.hpp"
#include "../../json/pointer.hpp"
#include "../../json/tree/events.hpp"
#include "../../json/tree/member_lookup.hpp"
#include "../../json/tree/name_index.hpp"
#include "../../json/tree/tree_diff.hpp"
#include "../../json/value.hpp"
#include "../options.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

using json::errc;
using json::error;
using json::size_type;
using json::core::index_memory;
using json::core::lookup_in;
using json::core::member_lookup;
using json::core::members_begin;
using json::core::no_index;
using json::core::repeat_lookup;
using json::core::repeats_in;
using json::core::text_of;

inline constexpr std::size_t any_depth = static_cast<std::size_t>(-1);

/// The names of the members that lead to a place, for errors and reports.
class path {
 public:
  explicit path(const memory_source& memory) noexcept : steps_(memory) {}
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
  base::stack<json::step, 16> steps_;
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
error send(const Value& value, Handler& handler, const memory_source& source) {
  json::core::walk_memory<Value> memory(source);
  return json::core::emit(value, handler, json::core::nulls::emit, any_depth, memory);
}

/// Whether two values are equal; whatever keeps them from being compared is an error at `where`.
template <class A, class B, class Where>
error compare(const A& a, const B& b, const options& o, const Where& where, bool& same) {
  json::core::diff_rules rules;
  rules.stop_at_first = true;
  rules.numbers = o.numbers;
  rules.max_depth = any_depth;
  json::core::tree_diff<A, B> walk(rules, o.memory);
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

}  // namespace core

/// What this floor keeps to itself uses what it shares with the others.
namespace detail {
using namespace core;
}

}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
