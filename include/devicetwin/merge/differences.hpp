/// What two documents differ in, value by value, arrays element by element: for showing to people,
/// and for programs that react to single changes.
#pragma once

#include <string_view>  // std::string_view
#include <type_traits>  // std::is_invocable_v, std::is_same_v

#include "../base/stack.hpp"
#include "../json/error.hpp"
#include "../json/pointer.hpp"
#include "../json/value.hpp"
#include "detail/difference_model.hpp"
#include "detail/difference_walk.hpp"
#include "options.hpp"
#include "text.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {

namespace functions {

/// Calls `visitor` for each difference between two values:
///     void (const json::location& where, const From* old_value, const To* new_value)
/// with the types of the two values. `old_value` is null for what is new, `new_value` for what is
/// gone. `where` is the place in `to`, for what is gone in `from`. Objects are gone into member by
/// member: first those of `from` in their order, then those that are new. Arrays are gone into
/// element by element, along an edit script: the shortest while it has at most 128 edits. Elements
/// that are removed and inserted at the same place count as changed, and are gone into as well.
/// All arguments are valid during the call only. A visitor that returns bool stops the walk with
/// false.
///
/// Errors: depth_exceeded with the place; out_of_memory; handler_stopped. Some differences have
/// been told then. Numbers are equal as options.numbers says; NaN is equal to nothing. Of repeated
/// names the first counts.
/// Cost: one pass over both where members stand in the same order; in another order their names
/// are hashed. Elements of an array are hashed from the first to the last that differ, and that is
/// done for each array around a difference: depth times size at worst, n log n in any one array.
/// Memory: 24 to 48 bytes for each member or element of the open objects and arrays.
template <class From, class To, class Visitor>
json::error for_each_difference(const From& from, const To& to, Visitor&& visitor,
                                const options& options = {});

}  // namespace functions

/// The same for two JSON texts, without trees:
///     void (const json::location& where, const std::string_view* old_text,
///           const std::string_view* new_text)
/// The texts are pieces of `from` and `to`. Numbers are compared as diff_text() compares them.
/// Errors: in addition those of json::read, with error::text(), found before the first difference
/// is told unless the texts are trusted. In trusted text that is not JSON, some differences may
/// have been told.
/// Cost: as above, plus the brackets of a container that differs once for each container around it.
/// Checked, one strict pass over each text more.
template <class Visitor>
json::error for_each_difference_text(std::string_view from, std::string_view to, Visitor&& visitor,
                                     const text_options& options = {});

// ---------------------------------------------------------------------------------------------

namespace detail {

/// Hands differences to a visitor.
template <class Visitor>
class visitor_sink {
 public:
  static constexpr bool by_position = false;

  visitor_sink(Visitor& visitor, const memory_source& memory) noexcept
      : visitor_(visitor), from_(memory), to_(memory) {}

  errc failure() const noexcept { return failure_; }
  bool enter(const difference_step& step) {
    if (from_.push(step_in(step, step.from)) && to_.push(step_in(step, step.to))) return true;
    failure_ = errc::out_of_memory;
    return false;
  }
  template <class From, class To>
  bool leave(const From&, const To&, bool) noexcept {
    pop();
    return true;
  }
  template <class From, class To>
  bool differ(const difference_step* step, const From* from, const To* to) {
    if (step != nullptr && !enter(*step)) return false;
    const auto& steps = to == nullptr ? from_ : to_;
    const json::location where(steps.data(), steps.size());
    using result = decltype(visitor_(where, value_of(from), value_of(to)));
    bool more = true;
    if constexpr (std::is_same_v<result, bool>) {
      more = visitor_(where, value_of(from), value_of(to));
    } else {
      visitor_(where, value_of(from), value_of(to));
    }
    if (step != nullptr) pop();
    return more;
  }

 private:
  static json::step step_in(const difference_step& step, size_type index) noexcept {
    return step.element ? json::step::element(index) : json::step::member(step.name);
  }
  template <class Value>
  static const Value* value_of(const Value* const* node) noexcept {
    return node == nullptr ? nullptr : *node;
  }
  static const std::string_view* value_of(const std::string_view* node) noexcept { return node; }
  void pop() noexcept {
    if (from_.empty()) return;  // the whole documents
    from_.pop();
    to_.pop();
  }

  Visitor& visitor_;
  base::stack<json::step, 16> from_, to_;  ///< the places in the two documents
  errc failure_ = errc::handler_stopped;
};

/// Runs a walk over two texts, which are checked unless they are trusted.
template <class Sink>
error walk_difference(std::string_view from, std::string_view to, Sink& sink,
                      const text_options& o) {
  if (o.trust == text_trust::checked) {
    if (error e = core::check_texts(from, to, o)) return e;
  }
  const std::string_view a = json::core::trimmed(from), b = json::core::trimmed(to);
  if (a.empty() || b.empty()) return core::check_texts(from, to, o);
  text_model model(a, b, o);
  difference_walk<text_model, Sink> walk(model, sink, o);
  if (walk.run(a, b)) return {};
  if (model.broken()) {
    if (error better = core::check_texts(from, to, o)) return better;
  }
  return walk.failure();
}

}  // namespace detail

namespace functions {

template <class From, class To, class Visitor>
json::error for_each_difference(const From& from, const To& to, Visitor&& visitor,
                                const options& options) {
  using from_value = json::core::value_type_of<From>;
  using to_value = json::core::value_type_of<To>;
  constexpr bool fits =
      std::is_invocable_v<Visitor&, const json::location&, const from_value*, const to_value*>;
  static_assert(fits,
                "merge::for_each_difference: the visitor is called as visitor(const "
                "json::location&, const From* old_value, const To* new_value)");
  if constexpr (fits) {
    text_options o;
    static_cast<merge::options&>(o) = options;
    detail::tree_model<from_value, to_value> model(o);
    detail::visitor_sink<std::remove_reference_t<Visitor>> sink(visitor, o.memory);
    detail::difference_walk<decltype(model), decltype(sink)> walk(model, sink, o);
    return walk.run(&json::core::value_of(from), &json::core::value_of(to)) ? json::error()
                                                                            : walk.failure();
  } else {
    return json::errc::wrong_type;
  }
}

}  // namespace functions

template <class Visitor>
json::error for_each_difference_text(std::string_view from, std::string_view to, Visitor&& visitor,
                                     const text_options& options) {
  constexpr bool fits = std::is_invocable_v<Visitor&, const json::location&,
                                            const std::string_view*, const std::string_view*>;
  static_assert(fits,
                "merge::for_each_difference_text: the visitor is called as visitor(const "
                "json::location&, const std::string_view* old_text, const std::string_view* "
                "new_text)");
  if constexpr (fits) {
    detail::visitor_sink<std::remove_reference_t<Visitor>> sink(visitor, options.memory);
    return detail::walk_difference(from, to, sink, options);
  } else {
    return json::errc::wrong_type;
  }
}

}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
