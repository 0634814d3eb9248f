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
#include "../../json/tree/names.hpp"
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
using json::core::members_begin;
using json::core::no_index;
using json::core::text_of;

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
    const auto names = json::core::names_of(object);
    if (count > json::core::small_object && !indexed_ && scans_ >= worth_an_index) {
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
  json::core::name_index index_;
  bool indexed_ = false;
  bool repeats_ = false;
  unsigned char scans_ = 0;
};

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
