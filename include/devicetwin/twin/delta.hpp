/// What the device has still to do: desired minus reported, as a patch and as a list, and what it
/// has answered.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view

#include "../base/plain_array.hpp"
#include "../base/range.hpp"
#include "../base/text_buffer.hpp"
#include "../json/get.hpp"
#include "../json/pointer.hpp"
#include "../json/tree/failure.hpp"
#include "../json/write.hpp"
#include "../merge/diff.hpp"
#include "answer.hpp"
#include "detail/sync_count.hpp"
#include "since.hpp"
#include "twin.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {

namespace functions {

/// Sends desired minus reported to a RapidJSON handler: the desired properties that reported lacks
/// or has with another value, inside the objects they stand in; {} when in_sync(). Where reported
/// has an acknowledgement its `value` counts (docs/azure.md, "Acknowledgements"). Arrays are
/// compared and sent as a whole. Errors: out_of_memory, handler_stopped; events may have been sent
/// before. Cost: both sections.
template <class Memory, class Handler>
json::error emit_delta(const basic_twin<Memory>& t, Handler& handler);

/// The same as text, appended to anything json::write() takes. On an error it is as it was.
template <class Memory, class Output>
json::error write_delta(const basic_twin<Memory>& t, Output& out, unsigned indent = 0);

}  // namespace functions

/// Why a property is in the delta.
enum class delta_kind : unsigned char {
  missing,        ///< reported does not have it
  different,      ///< reported has another value
  only_reported,  ///< desired does not have it
  was_desired     ///< desired does not have it any more, and a tombstone remembers that it did
};

struct delta_entry {
  delta_kind kind;
  std::string_view pointer;           ///< JSON Pointer inside the sections
  const json::arena_value* desired;   ///< null for the last two kinds
  const json::arena_value* reported;  ///< null for missing; as it stands, with its acknowledgement
  answer said;                        ///< for missing and different
};

struct delta_options {
  timestamp now;
  /// How long a device may take to answer, since the property was desired; 0: for ever.
  milliseconds allowed;
};

namespace detail {
template <class Twin>
class delta_lister;
}

/// The delta, entry by entry. Values are valid until the twin's next write.
class delta_list {
 public:
  explicit delta_list(const memory_source& memory = {}) noexcept
      : entries_(memory), pointers_(memory) {}

  std::size_t size() const noexcept { return entries_.size(); }
  bool empty() const noexcept { return entries_.empty(); }
  delta_entry operator[](std::size_t index) const noexcept {
    const entry& e = entries_[index];
    return {e.kind, {pointers_.data() + e.pointer, e.length}, e.desired, e.reported, e.said};
  }
  /// For algorithms: the entries by index.
  using iterator = index_iterator<delta_list, delta_entry>;
  iterator begin() const noexcept { return {this, 0}; }
  iterator end() const noexcept { return {this, size()}; }

  /// Empty again; the memory is kept.
  void clear() noexcept {
    entries_.truncate(0);
    pointers_.resize(0);
  }

 private:
  template <class Twin>
  friend class detail::delta_lister;

  [[nodiscard]] bool add(delta_kind kind, const json::location& where,
                         const json::arena_value* desired, const json::arena_value* reported,
                         const answer& said) {
    bool good = entries_.reserve(1);
    const std::size_t start = pointers_.size();
    where.render([&](char c) { good = good && pointers_.append(&c, 1); });
    if (good) entries_.push({kind, start, pointers_.size() - start, desired, reported, said});
    return good;
  }

  struct entry {
    delta_kind kind;
    std::size_t pointer, length;
    const json::arena_value* desired;
    const json::arena_value* reported;
    answer said;
  };
  base::plain_array<entry> entries_;
  text_buffer pointers_;
};

namespace functions {

/// Fills `list` with desired minus reported and, after each object's members, what only reported
/// has. Errors: out_of_memory; then the list is empty. Cost: both sections.
template <class Memory>
json::error list_delta(const basic_twin<Memory>& t, delta_list& list,
                       const delta_options& options = {});

/// What the device has said to the desired property at `pointer`, with an acknowledgement of it or
/// of what it is in. It is `accepted` where the value in effect is the desired one, unless the
/// device refused just that (docs/azure.md, "Acknowledgements"). Errors: as json::find() in
/// desired; out_of_memory.
template <class Memory>
json::result<answer> answer_to(const basic_twin<Memory>& t, std::string_view pointer,
                               const delta_options& options = {});

}  // namespace functions

// ---------------------------------------------------------------------------------------------

namespace detail {

/// Whether a device has had longer to answer than it may have.
inline bool is_overdue(timestamp desired, const delta_options& options) noexcept {
  if (options.allowed.count <= 0 || desired == timestamp() || options.now <= desired) return false;
  constexpr std::uint64_t ticks_per_millisecond = ticks_per_second / 1000;
  const std::uint64_t passed =
      static_cast<std::uint64_t>(options.now.ticks) - static_cast<std::uint64_t>(desired.ticks);
  return (passed - 1) / ticks_per_millisecond >= static_cast<std::uint64_t>(options.allowed.count);
}

/// What an acknowledgement, or a null pointer, says to a desired property that was written with
/// this stamp. `equal`: the value in effect is the desired one.
inline answer read_answer(const arena_value* acknowledgement, const stamp& desired, bool equal,
                          const delta_options& options) noexcept {
  answer said;
  if (acknowledgement != nullptr) {
    static_cast<void>(is_integer(*find_member(*acknowledgement, "ac"), said.code));
    static_cast<void>(is_integer(*find_member(*acknowledgement, "av"), said.version));
    const arena_value* text = find_member(*acknowledgement, "ad");
    if (text != nullptr && text->IsString()) said.text = json::core::text_of(*text);
    said.state = state_of(said.code, said.version, desired.version, equal);
  } else if (equal) {
    said.state = answer_state::accepted;
  }
  const bool open = said.state == answer_state::none || said.state == answer_state::pending;
  if (open && is_overdue(desired.time, options)) {
    said.state = answer_state::overdue;
  }
  return said;
}

/// The version at the latest with which a desired property of this stamp was written. Where the
/// stamp does not know, it is the section's: an acknowledgement of an older version is not taken
/// for an answer then.
template <class Twin>
stamp at_the_latest(const Twin& t, stamp known) noexcept {
  if (known.version <= 0 || known.version > t.desired_version())
    known.version = t.desired_version();
  if (known.version < 1)
    known.version = 1;  // an initial value, which is about version 0, answers nothing
  return known;
}

/// Puts entries of a delta walk into nested objects.
template <class Handler>
class delta_sender : public json::core::steps_may_fail {
 public:
  delta_sender(Handler& handler, const memory_source& working) noexcept
      : out_(handler), memory_(working) {}

  bool begin() { return out_.StartObject() || stopped(out_); }
  bool differs(const json::location& where, const arena_value& desired, const arena_value*,
               const arena_value*) {
    return go_to(where) && name(where[depth_]) &&
           good(json::core::emit(desired, out_, json::core::nulls::emit,
                                 static_cast<std::size_t>(-1), memory_));
  }
  bool end() { return close_down_to(0) && (out_.EndObject(sent_[0]) || stopped(out_)); }

 private:
  bool name(const json::step& s) {
    ++sent_[depth_];
    return out_.Key(s.name, s.length, true) || stopped(out_);
  }
  bool close_down_to(std::size_t depth) {
    while (depth_ > depth) {
      if (!out_.EndObject(sent_[depth_--])) return stopped(out_);
    }
    return true;
  }
  /// Closes and opens objects until those of `where`'s parent are open.
  bool go_to(const json::location& where) {
    std::size_t common = 0;
    while (common < depth_ && common + 1 < where.depth() &&
           open_[common].text() == where[common].text())
      ++common;
    if (!close_down_to(common)) return false;
    while (depth_ + 1 < where.depth()) {
      if (!name(where[depth_])) return false;
      if (!out_.StartObject()) return stopped(out_);
      open_[depth_] = where[depth_];
      sent_[++depth_] = 0;
    }
    return true;
  }

  Handler& out_;
  json::core::own_walk_memory<json::arena_value> memory_;
  per_level<json::step> open_;
  per_level<size_type> sent_ = {};
  std::size_t depth_ = 0;  ///< open objects inside the root
};

template <class Twin>
class delta_lister {
 public:
  /// `were_desired`: a tree of nulls, or a null pointer.
  delta_lister(const Twin& t, delta_list& list, const delta_options& options,
               const delta_walk& walk, const arena_value* were_desired,
               const memory_source& memory) noexcept
      : twin_(t),
        list_(list),
        options_(options),
        walk_(walk),
        were_desired_(were_desired),
        levels_(memory),
        indexes_(memory) {}

  bool enter(std::string_view name) {
    const arena_value* gone = were_desired_;
    if (!levels_.empty() && !step(name, gone)) return false;
    return levels_.push({gone, object_beside(gone, indexes_)});
  }
  void leave() noexcept {
    levels_.back().inside.close(indexes_);
    levels_.pop();
  }
  bool differs(const json::location& where, const arena_value& desired, const arena_value* reported,
               const arena_value* acknowledgement) {
    const answer said = read_answer(acknowledgement, at_the_latest(twin_, stamp_at(where.depth())),
                                    false, options_);
    return list_.add(reported == nullptr ? delta_kind::missing : delta_kind::different, where,
                     &desired, reported, said);
  }
  bool extra(const json::location& where, const arena_value& reported) {
    const arena_value* gone = nullptr;
    if (!step(where[where.depth() - 1].text(), gone)) return false;
    return list_.add(gone != nullptr ? delta_kind::was_desired : delta_kind::only_reported, where,
                     nullptr, &reported, {});
  }

 private:
  /// What was desired below the open object, of which the walk is at a member.
  struct level {
    const arena_value* gone;
    object_beside inside;
  };
  bool step(std::string_view name, const arena_value*& gone) {
    level& top = levels_.back();
    gone = top.gone;
    if (top.inside.get() == nullptr) return true;  // what is null went with all inside
    return top.inside.find(name, indexes_, gone);
  }
  stamp stamp_at(std::size_t depth) const noexcept {
    const auto& shadow = twin_access::state(twin_).desired.tracking().shadow();
    auto word = shadow.root();
    for (std::size_t i = 0; i < depth; ++i) word = shadow.child(word, walk_.desired_index(i));
    return shadow.at(word);
  }

  const Twin& twin_;
  delta_list& list_;
  const delta_options& options_;
  const delta_walk& walk_;
  const arena_value* were_desired_;
  base::stack<level, 8> levels_;
  json::core::index_memory indexes_;
};

}  // namespace detail

namespace functions {

template <class Memory, class Handler>
json::error emit_delta(const basic_twin<Memory>& t, Handler& handler) {
  static_assert(json::core::is_handler<Handler>,
                "emit_delta: the last argument is a RapidJSON handler");
  if (!t.desired().IsObject()) return json::errc::not_a_twin;
  const memory_source working = t.memory();
  detail::delta_sender<Handler> sender(handler, working);
  detail::delta_walk walk(t.rules().numbers, working);
  const bool sent = sender.begin() && walk.run(t.desired(), &t.reported(), sender) && sender.end();
  if (sent) return {};
  return walk.failure() ? walk.failure() : sender.failure();
}

template <class Memory, class Output>
json::error write_delta(const basic_twin<Memory>& t, Output& out, unsigned indent) {
  static_assert(base::is_output<Output>,
                "devicetwin: the output needs append(const char*, std::size_t), size() and "
                "resize(std::size_t)");
  return detail::write_events(out, indent, [&](auto& writer) { return emit_delta(t, writer); });
}

template <class Memory>
json::error list_delta(const basic_twin<Memory>& t, delta_list& list,
                       const delta_options& options) {
  list.clear();
  if (!t.desired().IsObject()) return json::errc::not_a_twin;
  const memory_source working = t.memory();
  json::document removed(working);
  const auto& history = detail::twin_access::state(t).desired.tracking().history();
  if (json::error e = detail::removed_since(history, t.desired(), -1, removed, working)) return e;
  detail::delta_walk walk(t.rules().numbers, working);
  detail::delta_lister<basic_twin<Memory>> lister(
      t, list, options, walk, removed.root().IsObject() ? &removed.root() : nullptr, working);
  if (walk.run(t.desired(), &t.reported(), lister)) return {};
  list.clear();
  return json::errc::out_of_memory;
}

template <class Memory>
json::result<answer> answer_to(const basic_twin<Memory>& t, std::string_view pointer,
                               const delta_options& options) {
  const auto desired = json::find(t.desired(), pointer);
  if (!desired) return desired.error();
  const json::arena_value* given = &t.reported();
  const json::arena_value* acknowledgement = nullptr;
  json::core::pointer_tokens tokens(pointer);
  for (const json::arena_value* in = given;
       given != nullptr;) {  // down reported, through acknowledgements on the way
    const std::string_view rest = pointer.substr(pointer.size() - tokens.remaining());
    std::string_view token;
    if (!tokens.next(token)) break;
    if (!in->IsObject()) {  // elements have no acknowledgements
      const auto found = json::find(*in, rest);
      given = found ? *found : nullptr;
      break;
    }
    const auto* members = json::core::members_begin(*in);
    json::size_type i = 0;
    while (i < in->MemberCount() &&
           !json::core::token_is(token, json::core::text_of(members[i].name)))
      ++i;
    given = i < in->MemberCount() ? &members[i].value : nullptr;
    in = detail::in_effect(given);
    if (in != given) acknowledgement = given;
  }
  std::int64_t differences = 0;
  detail::sync_counter counter(t.rules(), t.memory());
  if (json::error e = counter.count(**desired, given, detail::sync_counter::from_patch::neither,
                                    differences, pointer.empty()))
    return e;
  const auto written = t.stamp_of(part::desired, pointer);
  return detail::read_answer(acknowledgement,
                             detail::at_the_latest(t, written ? *written : stamp{}),
                             differences == 0, options);
}

}  // namespace functions

}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
