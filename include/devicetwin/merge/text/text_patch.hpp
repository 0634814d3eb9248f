/// The containers that are open in two texts that are compared, and the merge patch about them.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../base/inline.hpp"
#include "../../base/memory.hpp"
#include "../../base/stack.hpp"
#include "../../json/error.hpp"
#include "../../json/text/tokens.hpp"
#include "../../json/tree/tree_diff.hpp"
#include "text_failure.hpp"
#include "text_member.hpp"
#include "text_sink.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

using base::shortcuts;

/// An open container of both texts: where its opening brackets are.
struct open_pair {
  text_offset from;
  text_offset to;
};

/// Knows the open containers, writes the patch, and notes what fails. An object of the patch is
/// opened when the first member in it is written. An array is one value: while one is open, no
/// member can be written.
class text_patch : public text_steps {
 public:
  /// `sink` gets the patch; when it is null, a difference is only noted. `structure` is that of
  /// `to`.
  text_patch(const json::core::diff_rules& rules, text_sink* sink,
             json::core::text_structure& structure, const memory_source& memory) noexcept
      : rules_(rules), sink_(sink), structure_(structure), open_(memory) {}

  void reset(const char* from, const char* to) noexcept {
    from_ = from;
    to_ = to;
  }

  using text_steps::fail;
  using text_steps::not_json;
  using text_steps::short_enough;

  const json::core::diff_rules& rules() const noexcept { return rules_; }
  bool wanted() const noexcept { return sink_ != nullptr; }
  bool differ() const noexcept { return differ_; }
  void note_difference() noexcept { differ_ = true; }
  text_sink& sink() noexcept { return *sink_; }

  // --- The open containers ------------------------------------------------------------------------

  bool empty() const noexcept { return open_.empty(); }
  std::size_t depth() const noexcept { return open_.size(); }
  const open_pair& innermost() const noexcept { return open_.back(); }
  const open_pair& operator[](std::size_t i) const noexcept { return open_[i]; }
  bool inside_object() const noexcept { return to_[open_.back().to] == '{'; }
  /// Whether an array is open. Then outermost_array() is its place among the open containers.
  bool inside_array() const noexcept { return array_ != no_array; }
  std::size_t outermost_array() const noexcept { return array_; }

  /// Errors: depth_exceeded, out_of_memory.
  bool push(const char* from_bracket, const char* to_bracket) {
    if (!room()) return false;
    static_cast<void>(open_.push({static_cast<text_offset>(from_bracket - from_),
                                  static_cast<text_offset>(to_bracket - to_)}));
    if (*to_bracket == '[' && array_ == no_array) array_ = open_.size() - 1;
    return true;
  }
  void pop() noexcept {
    open_.pop();
    if (array_ == open_.size()) array_ = no_array;
  }
  /// Makes room for one container more.
  bool room() {
    if (open_.size() >= rules_.max_depth) return fail_at(errc::depth_exceeded, {});
    return open_.reserve(open_.size() + 1) || fail_at(errc::out_of_memory, {});
  }

  // For a walk over brackets that are the same in both texts: it notes what opens by itself, from
  // size() on, and calls settle() at its end.

  /// Notes that `size` containers are open around the bracket of `to`, which opens one more; that
  /// of `from` is `apart` further.
  DEVICETWIN_ALWAYS_INLINE bool put(std::size_t& size, text_offset bracket, text_offset apart) {
    if ((size >= open_.capacity() || size >= rules_.max_depth) && !room_at(size)) return false;
    open_.data()[size++] = {bracket + apart, bracket};
    return true;
  }
  /// There are `size` open containers now, and there were down to `least`.
  void settle(std::size_t size, std::size_t least) {
    set_size(size);
    while (opened_ > least) close();
    if (array_ != no_array && array_ >= least) array_ = no_array;
    for (std::size_t i = least; i < size && array_ == no_array; ++i) {
      if (to_[open_[i].to] == '[') array_ = i;
    }
  }

  // --- The patch ----------------------------------------------------------------------------------

  /// Writes the whole patch where the roots are not both objects: `value`, up to `end`.
  bool put_root(const char* value, const char* end) {
    differ_ = true;
    if (*value == '{' && !sayable(nullptr, nullptr, value, end)) return false;
    sink_->put(value, end);
    return true;
  }
  /// Begins the patch with the object for the outermost one.
  void begin() {
    sink_->put('{');
    opened_ = 1;
  }
  /// Sets the member of the innermost object whose name stands from `name` to `name_end`, with its
  /// quotes. Error: null_member.
  bool set(const char* name, const char* name_end, const char* value, const char* end) {
    differ_ = true;
    return sayable(name, name_end, value, end) && put_member(name, name_end, value, end);
  }
  /// The same for a scalar that is not null.
  DEVICETWIN_ALWAYS_INLINE bool put_member(const char* name, const char* name_end,
                                           const char* value, const char* end) {
    differ_ = true;
    if (opened_ != open_.size() && !open_objects()) return false;
    separate();
    if (value - name_end == 1) {  // as it stands
      sink_->put(name, end);
    } else {
      put_name(name, name_end);
      sink_->put(value, end);
    }
    return true;
  }
  /// Removes that member, whose name may be one of `from`. Error: kept_member.
  bool remove(const char* name, const char* name_end) {
    if (!rules_.removes) return fail_at(errc::kept_member, text_between(name + 1, name_end - 1));
    differ_ = true;
    if (!open_objects()) return false;
    separate();
    put_name(name, name_end);
    sink_->put("null");
    return true;
  }
  /// Before the innermost object is popped.
  void close_innermost() {
    if (open_.size() == opened_) close();
  }

  /// The name, with its quotes, of the member whose value a container is: it stands before the
  /// opening bracket of `to`.
  bool name_before(const open_pair& container, const char*& name,
                   const char*& name_end) const noexcept {
    const char* p = to_ + container.to;
    while (p != to_ && json::core::is_space(p[-1])) --p;
    if (p == to_ || *--p != ':') return false;
    while (p != to_ && json::core::is_space(p[-1])) --p;
    name_end = p;
    if (p == to_ || *--p != '"') return false;
    while (p != to_) {
      if (*--p != '"') continue;
      const char* backslash = p;
      while (backslash != to_ && backslash[-1] == '\\') --backslash;
      name = p;
      if ((p - backslash) % 2 == 0) return true;
      p = backslash;
    }
    return false;
  }

  /// Notes the error with the pointer to the innermost container or, if it has one, to the member
  /// of this name (as it is spelled between its quotes), and returns false.
  bool fail_at(errc code, std::string_view name) noexcept {
    return fail(code, place{*this, name}, code == errc::depth_exceeded ? rules_.max_depth : 0);
  }

 private:
  static constexpr std::size_t no_array = static_cast<std::size_t>(-1);

  /// The open containers, and a member of the innermost one.
  struct place {
    const text_patch& patch;
    std::string_view name;
    template <class Put>
    void render(Put&& put) const {
      const auto& open = patch.open_;
      for (std::size_t i = 1; i < open.size(); ++i) {
        if (patch.to_[open[i - 1].to] != '{') return;
        const char* start;
        const char* end;
        if (patch.name_before(open[i], start, end))
          render_name(text_between(start + 1, end - 1), put);
      }
      if (name.data() != nullptr) render_name(name, put);
    }
  };

  DEVICETWIN_NEVER_INLINE bool room_at(std::size_t size) {
    set_size(size);
    return room();
  }
  void set_size(std::size_t size) noexcept {
    if (size > open_.size()) {
      static_cast<void>(open_.extend(size - open_.size()));  // there is room
    } else {
      open_.truncate(size);
    }
  }

  /// Checks that a patch can carry this value of a member.
  bool sayable(const char* name, const char* name_end, const char* value, const char* end) {
    if (*value == 'n') {
      return rules_.sets_null || fail_at(errc::null_member, text_between(name + 1, name_end - 1));
    }
    if (*value != '{' || rules_.carries_null) return true;
    const std::size_t around = open_.size();
    if (!push(from_, value)) return false;
    for (const char* p = value + 1; open_.size() > around;) {
      p = json::core::skip_space(p, end);
      if (p == end) return not_json();
      if (*p == '}') open_.pop();
      if (*p == '}' || *p == ',') {
        ++p;
        continue;
      }
      const char* const inner = p;
      if (*p != '"' || (p = string_end(structure_, p, end)) == nullptr) return not_json();
      const char* const inner_end = p;
      if (!to_value(p, end)) return not_json();
      if (*p == 'n') return fail_at(errc::null_member, text_between(inner + 1, inner_end - 1));
      if (*p == '{') {
        if (!push(from_, p)) return false;
        ++p;
      } else if ((p = value_end(structure_, p, end)) == nullptr) {  // of an array, nulls are kept
        return not_json();
      }
    }
    return true;
  }

  /// Opens the objects of the patch that lead to the member at hand.
  bool open_objects() {
    for (; opened_ < open_.size(); ++opened_) {
      const char* name;
      const char* end;
      if (!name_before(open_[opened_], name, end)) return not_json();
      separate();
      put_name(name, end);
      sink_->put('{');
      comma_ = false;
    }
    return true;
  }
  void close() {
    sink_->put('}');
    --opened_;
    comma_ = true;
  }
  void separate() {
    if (comma_) sink_->put(',');
    comma_ = true;
  }
  void put_name(const char* name, const char* end) {
    sink_->put(name, end);
    sink_->put(':');
  }

  json::core::diff_rules rules_;
  text_sink* sink_;
  json::core::text_structure& structure_;
  const char* from_ = nullptr;
  const char* to_ = nullptr;
  std::size_t array_ = no_array;  ///< the outermost open array
  std::size_t opened_ = 0;        ///< how many of the open objects are open in the patch
  bool comma_ = false;            ///< the next member of the patch needs a comma before it
  bool differ_ = false;
  base::stack<open_pair, shortcuts ? 32 : 28> open_;
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
