/// Writing forms, and patches, whose members turn out one by one.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../base/stack.hpp"
#include "../../json/error.hpp"
#include "../../json/pointer.hpp"
#include "../../json/tree/events.hpp"
#include "../../json/tree/failure.hpp"
#include "../../json/tree/tree_diff.hpp"
#include "../options.hpp"
#include "../tree/places.hpp"
#include "change_form.hpp"
#include "change_result.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

/// Sends objects whose members turn out one by one. An object that stays empty is left out, unless
/// it is needed; then its name was never sent.
template <class Handler>
class sparse_writer : public json::core::steps_may_fail {
 public:
  sparse_writer(Handler& handler, const memory_source& memory) noexcept
      : handler_(handler), levels_(memory) {}

  /// Each gives false when failure() is set.
  bool open(std::string_view name, bool needed) {
    if (!levels_.push({name, 0, false})) return fail(errc::out_of_memory);
    return !needed || begin();
  }
  bool close() {
    const level top = levels_.back();
    levels_.pop();
    if (!top.begun) return true;
    sent_ = true;
    return handler_.EndObject(top.members) || stopped(handler_);
  }
  /// Begins a member; its value is to be sent to the handler next. Without an open object, the
  /// value is the whole.
  bool member(std::string_view name) {
    if (levels_.empty()) return sent_ = true;
    return begin() && key(levels_.back(), name);
  }
  bool null(std::string_view name) {
    return member(name) && (handler_.Null() || stopped(handler_));
  }
  /// A node of a form as it stands, or any value.
  template <class Value>
  bool value(std::string_view name, const Value& v, const memory_source& source) {
    return member(name) && send_value(v, source);
  }
  /// The node that sets a value.
  template <class Value>
  bool set(std::string_view name, const Value& v, const memory_source& source) {
    return member(name) && (handler_.StartArray() || stopped(handler_)) && send_value(v, source) &&
           (handler_.EndArray(1) || stopped(handler_));
  }
  /// The node that sets what a change makes of nothing.
  bool set_made(std::string_view name, const arena_value& form, const memory_source& source) {
    if (!member(name) || !(handler_.StartArray() || stopped(handler_))) return false;
    return good(result_sender<arena_value, Handler>(handler_, any_depth, source)
                    .run(form, nullptr)) &&
           (handler_.EndArray(1) || stopped(handler_));
  }
  /// Whether anything was sent.
  bool sent() const noexcept { return sent_; }
  Handler& handler() noexcept { return handler_; }

 private:
  struct level {
    std::string_view name;
    size_type members;
    bool begun;
  };
  bool begin() {
    std::size_t first = levels_.size();
    while (first != 0 && !levels_[first - 1].begun) --first;
    for (; first != levels_.size(); ++first) {
      if (first != 0 && !key(levels_[first - 1], levels_[first].name)) return false;
      if (!handler_.StartObject()) return stopped(handler_);
      levels_[first].begun = true;
    }
    return true;
  }
  bool key(level& in, std::string_view name) {
    ++in.members;
    return handler_.Key(name.data(), static_cast<size_type>(name.size()), true) ||
           stopped(handler_);
  }
  template <class Value>
  bool send_value(const Value& v, const memory_source& source) {
    return good(send(v, handler_, source));
  }

  Handler& handler_;
  base::stack<level, 8> levels_;
  bool sent_ = false;
};

/// The rules under which a tree_diff describes any difference.
inline json::core::diff_rules difference_rules(const options& o) noexcept {
  json::core::diff_rules rules;
  rules.sets_null = true;
  rules.carries_null = true;
  rules.numbers = o.numbers;
  rules.max_depth = o.max_depth;
  return rules;
}

/// Sends what differs between two values as the node of a form; nothing when they are equal. Errors
/// are found before anything is sent, except for the handler's. `removals` may be left out; then it
/// only says what `to` has more or otherwise.
template <class From, class To, class Handler, class Where = json::location>
error send_difference(const From& from, const To& to, std::string_view name,
                      sparse_writer<Handler>& out, const options& o, const Where& where = {},
                      bool removals = true) {
  using walk_type = json::core::tree_diff<From, To>;
  using op = typename walk_type::op;
  walk_type walk(difference_rules(o), o.memory);
  if (const error e = walk.run(from, to)) return nested(e, where);
  if (!walk.differ()) return {};
  if (walk.whole()) return out.set(name, to, o.memory) ? error() : out.failure();
  bool good = out.open(name, false);
  for (std::size_t i = 0; good && i < walk.entries().size(); ++i) {
    const auto& entry = walk.entries()[i];
    switch (entry.kind) {
      case op::open:
        good = out.open(text_of(entry.to().name), false);
        break;
      case op::close:
        good = out.close();
        break;
      case op::set:
        good = out.set(text_of(entry.to().name), entry.to().value, o.memory);
        break;
      case op::remove:
        good = !removals || out.null(text_of(entry.from().name));
        break;
    }
  }
  if (good) good = out.close();
  return out.failure();
}

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
