/// The JSON form of a change, which is also how it is stored: writing one, and walking one beside a document.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../json/arena.hpp"
#include "../../json/detail/builder.hpp"
#include "../../json/detail/events.hpp"
#include "../../json/detail/names.hpp"
#include "../../json/detail/stack.hpp"
#include "../../json/detail/tree_diff.hpp"
#include "../../json/error.hpp"
#include "../../json/pointer.hpp"
#include "../../json/value.hpp"
#include "../options.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

using json::arena_value;
using json::errc;
using json::error;
using json::size_type;
using json::detail::index_memory;
using json::detail::members_begin;
using json::detail::no_index;
using json::detail::text_of;

inline constexpr std::size_t any_depth = static_cast<std::size_t>(-1);

/// What a change does at one place.
enum class deed : unsigned char { keep, set, remove, descend };

/// The deed of a place in a checked form: [] keep, [value] set, null remove, an object descend.
inline deed deed_of(const arena_value& form) noexcept {
  if (form.IsNull()) return deed::remove;
  if (form.IsObject()) return deed::descend;
  return form.Empty() ? deed::keep : deed::set;
}

/// The value that a `set` puts there.
inline const arena_value& value_of(const arena_value& form) noexcept { return *form.Begin(); }

/// Finds members of one object by name: a few names by looking at each member, many with an index.
class member_lookup {
 public:
  /// The first member of this name, or no_index. False when memory ran out. The index lies in `memory`,
  /// above everything that was there when it was built.
  template <class Value>
  [[nodiscard]] bool find(const Value& object, std::string_view name, index_memory& memory, size_type& found) {
    constexpr unsigned char worth_an_index = 8;
    const size_type count = object.MemberCount();
    const auto names = json::detail::names_of(object);
    if (count > json::detail::small_object && !indexed_ && scans_ >= worth_an_index) {
      if (!index_.build(count, names, memory, [this](size_type) { repeats_ = true; })) return false;
      indexed_ = true;
    }
    if (indexed_) {
      found = index_.find(name, names, memory);
      return true;
    }
    if (scans_ < worth_an_index) ++scans_;
    found = no_index;
    for (size_type i = 0; i < count; ++i) {
      if (names(i) != name) continue;
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
  [[nodiscard]] bool push(std::string_view name) noexcept { return steps_.push(json::step::member(name)); }
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
  return error(inner.code()).limited_to(inner.limit()).at(nested_place<Outer>{outer, inner.pointer()});
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

/// Sends what a change makes of a value, which may be missing: the events of the result.
/// Errors: depth_exceeded, not_finite, out_of_memory, and what the handler says, with the place.
template <class Base, class Handler, class Where = json::location>
class result_sender {
 public:
  result_sender(Handler& handler, std::size_t max_depth, const json::memory_source& memory, const Where& where = {},
                std::size_t depth = 0) noexcept
      : handler_(handler),
        max_depth_(max_depth),
        depth_(depth),
        where_(where),
        base_memory_(memory),
        form_memory_(memory),
        frames_(memory),
        indexes_(memory),
        path_(memory) {}

  /// `form` neither keeps nor removes, unless there is a `base` to keep.
  error run(const arena_value& form, const Base* base) {
    switch (deed_of(form)) {
      case deed::keep: return base == nullptr ? error() : send_value(*base, base_memory_);
      case deed::set: return send_value(value_of(form), form_memory_);
      case deed::remove: return {};
      case deed::descend: break;
    }
    if (!enter(form, base)) return failure_;
    while (!frames_.empty()) {
      frame& top = frames_.back();
      if (!(top.from_base ? base_step(top) : form_step(top))) return failure_;
    }
    return {};
  }

 private:
  struct frame {
    const arena_value* form;
    const Base* base;  ///< an object, or null
    size_type next;
    size_type sent;
    bool from_base;  ///< members of the base come first, in their order
    std::size_t index_base;
    member_lookup in_form;
    member_lookup in_base;
  };
  /// Where the result is, from the outside in.
  struct place {
    const Where& outer;
    const path& inner;
    template <class Put>
    void render(Put&& put) const {
      outer.render(put);
      inner.render(put);
    }
  };

  bool enter(const arena_value& form, const Base* base) {
    if (depth_ + frames_.size() >= max_depth_) return fail(errc::depth_exceeded);
    if (base != nullptr && !base->IsObject()) base = nullptr;
    if (!handler_.StartObject()) return stopped();
    return frames_.push({&form, base, 0, 0, base != nullptr, indexes_.size(), {}, {}}) || fail(errc::out_of_memory);
  }
  bool base_step(frame& top) {
    if (top.next == top.base->MemberCount()) {
      top.from_base = false;
      top.next = 0;
      return true;
    }
    const size_type at = top.next++;
    const auto& member = members_begin(*top.base)[at];
    const std::string_view name = text_of(member.name);
    size_type first = at;
    size_type index = no_index;
    // A name that stands twice counts once.
    if (!top.in_base.find(*top.base, name, indexes_, first)) return fail(errc::out_of_memory);
    if (first != at) return true;
    if (!top.in_form.find(*top.form, name, indexes_, index)) return fail(errc::out_of_memory);
    if (index == no_index) {
      return begin(top, name) && finish(send_value(member.value, base_memory_));
    }
    return send_node(top, name, members_begin(*top.form)[index].value, &member.value);
  }
  bool form_step(frame& top) {
    if (top.next == top.form->MemberCount()) {
      const size_type sent = top.sent;
      indexes_.truncate(top.index_base);
      frames_.pop();
      if (!frames_.empty()) path_.pop();
      return handler_.EndObject(sent) || stopped();
    }
    const auto& member = members_begin(*top.form)[top.next++];
    const std::string_view name = text_of(member.name);
    if (top.base != nullptr) {
      size_type index = no_index;
      if (!top.in_base.find(*top.base, name, indexes_, index)) return fail(errc::out_of_memory);
      if (index != no_index) return true;  // was sent in the base's order
    }
    return send_node(top, name, member.value, nullptr);
  }
  bool send_node(frame& top, std::string_view name, const arena_value& form, const Base* base) {
    switch (deed_of(form)) {
      case deed::keep:
      case deed::remove: return true;
      case deed::set: return begin(top, name) && finish(send_value(value_of(form), form_memory_));
      case deed::descend: return begin(top, name) && enter(form, base);
    }
    return true;
  }
  bool begin(frame& top, std::string_view name) {
    ++top.sent;
    if (!path_.push(name)) return fail(errc::out_of_memory);
    return handler_.Key(name.data(), static_cast<size_type>(name.size()), true) || stopped();
  }
  template <class Value>
  error send_value(const Value& value, json::detail::walk_memory<Value>& memory) {
    return json::detail::emit(value, handler_, json::detail::nulls::emit, max_depth_, memory, depth_ + frames_.size(),
                              place{where_, path_});
  }
  bool finish(const error& e) {
    failure_ = e;
    path_.pop();
    return !e;
  }
  bool stopped() { return fail(json::detail::failure_of(handler_, 0)); }
  bool fail(errc code) {
    failure_ = error(code)
                   .limited_to(code == errc::depth_exceeded ? max_depth_ : 0)
                   .at(place{where_, path_});
    return false;
  }

  Handler& handler_;
  std::size_t max_depth_;
  std::size_t depth_;
  Where where_;
  json::detail::walk_memory<Base> base_memory_;
  json::detail::walk_memory<arena_value> form_memory_;
  json::detail::stack<frame, 6> frames_;
  index_memory indexes_;
  path path_;
  error failure_;
};

/// Sends objects whose members turn out one by one. An object that stays empty is left out, unless it is
/// needed; then its name was never sent.
template <class Handler>
class sparse_writer {
 public:
  sparse_writer(Handler& handler, const json::memory_source& memory) noexcept
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
    return handler_.EndObject(top.members) || stopped();
  }
  /// Begins a member; its value is to be sent to the handler next. Without an open object, the value is the whole.
  bool member(std::string_view name) {
    if (levels_.empty()) return sent_ = true;
    return begin() && key(levels_.back(), name);
  }
  bool null(std::string_view name) { return member(name) && (handler_.Null() || stopped()); }
  /// A node of a form as it stands, or any value.
  template <class Value>
  bool value(std::string_view name, const Value& v, const json::memory_source& source) {
    return member(name) && send_value(v, source);
  }
  /// The node that sets a value.
  template <class Value>
  bool set(std::string_view name, const Value& v, const json::memory_source& source) {
    return member(name) && (handler_.StartArray() || stopped()) && send_value(v, source) &&
           (handler_.EndArray(1) || stopped());
  }
  /// The node that sets what a change makes of nothing.
  bool set_made(std::string_view name, const arena_value& form, const json::memory_source& source) {
    if (!member(name) || !(handler_.StartArray() || stopped())) return false;
    failure_ = result_sender<arena_value, Handler>(handler_, any_depth, source).run(form, nullptr);
    return !failure_ && (handler_.EndArray(1) || stopped());
  }
  /// Whether anything was sent.
  bool sent() const noexcept { return sent_; }
  const error& failure() const noexcept { return failure_; }
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
      if (!handler_.StartObject()) return stopped();
      levels_[first].begun = true;
    }
    return true;
  }
  bool key(level& in, std::string_view name) {
    ++in.members;
    return handler_.Key(name.data(), static_cast<size_type>(name.size()), true) || stopped();
  }
  template <class Value>
  bool send_value(const Value& v, const json::memory_source& source) {
    failure_ = send(v, handler_, source);
    return !failure_;
  }
  bool stopped() { return fail(json::detail::failure_of(handler_, 0)); }
  bool fail(errc code) {
    failure_ = code;
    return false;
  }

  Handler& handler_;
  json::detail::stack<level, 8> levels_;
  bool sent_ = false;
  error failure_;
};

/// The rules under which a tree_diff describes any difference.
inline json::detail::diff_rules difference_rules(const options& o) noexcept {
  json::detail::diff_rules rules;
  rules.sets_null = true;
  rules.carries_null = true;
  rules.numbers = o.numbers;
  rules.max_depth = o.max_depth;
  return rules;
}

/// Sends what differs between two values as the node of a form; nothing when they are equal. Errors are found
/// before anything is sent, except for the handler's. `removals` may be left out; then it only says what `to` has more or
/// otherwise.
template <class From, class To, class Handler, class Where = json::location>
error send_difference(const From& from, const To& to, std::string_view name, sparse_writer<Handler>& out,
                      const options& o, const Where& where = {}, bool removals = true) {
  using walk_type = json::detail::tree_diff<From, To>;
  using op = typename walk_type::op;
  walk_type walk(difference_rules(o), o.memory);
  if (const error e = walk.run(from, to)) return nested(e, where);
  if (!walk.differ()) return {};
  if (walk.whole()) return out.set(name, to, o.memory) ? error() : out.failure();
  bool good = out.open(name, false);
  for (std::size_t i = 0; good && i < walk.entries().size(); ++i) {
    const auto& entry = walk.entries()[i];
    switch (entry.kind) {
      case op::open: good = out.open(text_of(entry.to().name), false); break;
      case op::close: good = out.close(); break;
      case op::set: good = out.set(text_of(entry.to().name), entry.to().value, o.memory); break;
      case op::remove: good = !removals || out.null(text_of(entry.from().name)); break;
    }
  }
  if (good) good = out.close();
  return out.failure();
}

/// Walks a form in its order, with the document's value at each place. Pull it with next().
template <class Base>
class change_walk {
 public:
  enum class step : unsigned char {
    set,
    remove,
    open,   ///< a descend; its members follow unless skip() is called now
    close,
    end,    ///< also at once, for a change that keeps everything
    failed  ///< out of memory
  };

  change_walk(const arena_value& form, const Base* base, const json::memory_source& memory) noexcept
      : form_(&form), base_(base), frames_(memory), indexes_(memory), path_(memory) {}

  step next() {
    if (inside_) {
      inside_ = false;
      path_.pop();
    }
    if (!started_) {
      started_ = true;
      return visit();
    }
    if (entering_) {
      entering_ = false;
      const Base* object = base_ != nullptr && base_->IsObject() ? base_ : nullptr;
      if (!frames_.push({form_, object, 0, indexes_.size(), {}})) return step::failed;
    }
    if (frames_.empty()) return step::end;
    frame& top = frames_.back();
    if (top.next == top.form->MemberCount()) {
      indexes_.truncate(top.index_base);
      frames_.pop();
      inside_ = !frames_.empty();  // its name goes when the next step is asked for
      return step::close;
    }
    const auto& member = members_begin(*top.form)[top.next++];
    name_ = &member.name;
    form_ = &member.value;
    base_ = nullptr;
    index_ = no_index;
    if (top.base != nullptr) {
      if (!top.lookup.find(*top.base, name(), indexes_, index_)) return step::failed;
      if (index_ != no_index) base_ = &members_begin(*top.base)[index_].value;
    }
    if (!path_.push(name())) return step::failed;
    return visit();
  }
  /// After `open`: goes on behind the object. There is no `close` for it.
  void skip() noexcept {
    entering_ = false;
    inside_ = !frames_.empty();
  }

  /// The member's name, as text and as the value that holds it; the root has none.
  std::string_view name() const noexcept { return name_ == nullptr ? std::string_view() : text_of(*name_); }
  const arena_value& name_value() const noexcept { return *name_; }
  const arena_value& form() const noexcept { return *form_; }
  /// The document's value at this place, null where there is none; valid for set, remove and open.
  const Base* base() const noexcept { return base_; }
  /// The object that the place is in, null where the document has none there; and its index.
  const Base* parent() const noexcept { return frames_.empty() ? nullptr : frames_.back().base; }
  size_type index() const noexcept { return index_; }
  /// False when it is known that the parent has this name once at most.
  bool may_repeat() const noexcept { return !frames_.back().lookup.unique(); }
  bool at_root() const noexcept { return frames_.empty(); }
  const path& where() const noexcept { return path_; }

 private:
  struct frame {
    const arena_value* form;
    const Base* base;
    size_type next;
    std::size_t index_base;
    member_lookup lookup;
  };

  step visit() {
    switch (deed_of(*form_)) {
      case deed::keep: return step::end;
      case deed::descend: entering_ = true; return step::open;
      case deed::set: inside_ = !frames_.empty(); return step::set;
      case deed::remove: inside_ = !frames_.empty(); return step::remove;
    }
    return step::end;
  }

  const arena_value* form_;
  const Base* base_;
  const arena_value* name_ = nullptr;
  size_type index_ = no_index;
  json::detail::stack<frame, 6> frames_;
  index_memory indexes_;
  path path_;
  bool started_ = false;
  bool entering_ = false;
  bool inside_ = false;  ///< the path still has a name that is done with
};

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
