/// A value as events: what RapidJSON's Accept() does, without recursion and with limits.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <string_view>  // std::string_view
#include <type_traits>  // std::void_t
#include <utility>      // std::declval

#include "../../base/stack.hpp"
#include "../error.hpp"
#include "../number.hpp"
#include "../pointer.hpp"
#include "../value.hpp"
#include "builder.hpp"
#include "handlers.hpp"
#include "inside.hpp"
#include "member_lookup.hpp"
#include "name_index.hpp"
#include "object_walk.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace json {
namespace core {

template <class Handler, class = void>
inline constexpr bool is_handler = false;
/// True for what has all events of RapidJSON's Handler concept but RawNumber, which is never sent.
template <class Handler>
inline constexpr bool is_handler<
    Handler, std::void_t<decltype(std::declval<Handler&>().Null()),
                         decltype(std::declval<Handler&>().Bool(true)),
                         decltype(std::declval<Handler&>().Int(int{})),
                         decltype(std::declval<Handler&>().Uint(unsigned{})),
                         decltype(std::declval<Handler&>().Int64(std::int64_t{})),
                         decltype(std::declval<Handler&>().Uint64(std::uint64_t{})),
                         decltype(std::declval<Handler&>().Double(double{})),
                         decltype(std::declval<Handler&>().String("", size_type{}, true)),
                         decltype(std::declval<Handler&>().StartObject()),
                         decltype(std::declval<Handler&>().Key("", size_type{}, true)),
                         decltype(std::declval<Handler&>().EndObject(size_type{})),
                         decltype(std::declval<Handler&>().StartArray()),
                         decltype(std::declval<Handler&>().EndArray(size_type{}))>> = true;

/// Every handler of events may say why it returned false; RapidJSON's do not.
template <class Handler>
auto failure_of(const Handler& handler, int) -> decltype(handler.failure()) {
  return handler.failure();
}
template <class Handler>
errc failure_of(const Handler&, long) {
  return errc::handler_stopped;
}

template <class Handler, class Value, class = void>
inline constexpr bool copies_scalars = false;
template <class Handler, class Value>
inline constexpr bool copies_scalars<
    Handler, Value,
    std::void_t<decltype(std::declval<Handler&>().Scalar(std::declval<const Value&>()))>> = true;

/// A scalar as one event; false as the handler says. Numbers go out as they are stored.
template <class Value, class Handler>
bool emit_scalar(const Value& scalar, Handler& handler) {
  if constexpr (copies_scalars<Handler, Value>) {
    return handler.Scalar(scalar);
  } else {
    if (scalar.IsString()) {
      const std::string_view text = text_of(scalar);
      return handler.String(text.data(), static_cast<size_type>(text.size()), true);
    }
    if (scalar.IsNull()) return handler.Null();
    if (scalar.IsBool()) return handler.Bool(scalar.GetBool());
    if (scalar.IsInt()) return handler.Int(scalar.GetInt());
    if (scalar.IsUint()) return handler.Uint(scalar.GetUint());
    if (scalar.IsInt64()) return handler.Int64(scalar.GetInt64());
    if (scalar.IsUint64()) return handler.Uint64(scalar.GetUint64());
    return handler.Double(scalar.GetDouble());
  }
}

/// A member's name as one event.
template <class Value, class Handler>
bool emit_name(const Value& name, Handler& handler) {
  if constexpr (copies_scalars<Handler, Value>) {
    return handler.Scalar(name);
  } else {
    const std::string_view text = text_of(name);
    return handler.Key(text.data(), static_cast<size_type>(text.size()), true);
  }
}

/// Which null members are left out of an emitted object: none, or those that RFC 7396 drops, which
/// are all except the ones inside arrays.
enum class nulls : unsigned char { emit, drop_outside_arrays };

/// Stands for repeat_lookup in a walk over a tree that this library made: no name is repeated
/// there.
template <class Value>
struct no_repeats {
  no_repeats() noexcept = default;
  explicit no_repeats(const Value&) noexcept {}
  static bool is_first(size_type, index_memory&, bool& first) noexcept {
    first = true;
    return true;
  }
};

/// The working memory of a walk over one tree, kept apart so that several walks can share it.
/// `Names` is no_repeats where it is known that no name is repeated.
template <class Value, class Names = repeat_lookup<Value>>
struct walk_memory {
  struct frame {
    const Value* container;
    size_type next;   ///< index of the member or element to visit
    size_type count;  ///< members or elements emitted so far
    std::size_t index_base;
    Names names;
  };
  explicit walk_memory(const memory_source& memory) noexcept : frames(memory), indexes(memory) {}
  base::stack<frame, 8> frames;
  index_memory indexes;
};

/// The working memory of walks over trees that this library has read or copied.
template <class Value>
using own_walk_memory = walk_memory<Value, no_repeats<Value>>;

/// The place that the frames of a walk have reached, for an error.
template <class Base, class Frames>
struct frame_location {
  const Base& base;
  const Frames& frames;
  template <class Put>
  void render(Put&& put) const {
    base.render(put);
    render_levels(frames, put);
  }
};

/// What a walk failed of, at the place that it has reached. Apart from emit(), so that programs
/// contain it once and not for each handler.
template <class Value, class Names, class Base>
error walk_failure(errc code, std::size_t max_depth, const walk_memory<Value, Names>& memory,
                   const Base& base) {
  return error(code)
      .limited_to(code == errc::depth_exceeded ? max_depth : 0)
      .at(frame_location<Base, decltype(memory.frames)>{base, memory.frames});
}

/// Sends `root` to `handler` (RapidJSON's Handler concept, strings with copy = true). Of members
/// with the same name only the first is sent. `base`, where `root` stands `base_depth` levels deep
/// in a document, is put before the pointer of an error and counts for the depth. Errors:
/// depth_exceeded, not_finite, out_of_memory, and what the handler says when it returns false; then
/// a part has been sent.
template <class Value, class Handler, class Names, class Base = location>
error emit(const Value& root, Handler& handler, nulls rule, std::size_t max_depth,
           walk_memory<Value, Names>& memory, std::size_t base_depth = 0, const Base& base = {}) {
  auto& frames = memory.frames;
  frames.truncate(0);
  memory.indexes.truncate(0);
  const auto fail = [&](errc code) { return walk_failure(code, max_depth, memory, base); };
  std::size_t arrays = 0;  // open ones
  const Value* at = &root;
  for (;;) {
    bool sent;
    if (at->IsObject() || at->IsArray()) {
      if (base_depth + frames.size() >= max_depth) return fail(errc::depth_exceeded);
      const bool object = at->IsObject();
      sent = object ? handler.StartObject() : handler.StartArray();
      if (sent) {
        if (!object) ++arrays;
        if (!frames.push({at, 0, 0, memory.indexes.size(), object ? Names(*at) : Names()})) {
          return fail(errc::out_of_memory);
        }
      }
    } else {
      if (at->IsDouble() && !is_finite(at->GetDouble())) return fail(errc::not_finite);
      sent = emit_scalar(*at, handler);
    }
    if (!sent) return fail(failure_of(handler, 0));

    for (at = nullptr; at == nullptr;) {  // the next value, closing what is complete
      if (frames.empty()) return {};
      auto& top = frames.back();
      if (top.container->IsObject()) {
        const size_type count = top.container->MemberCount();
        const auto* members = members_begin(*top.container);
        while (top.next != count && at == nullptr) {
          const size_type i = top.next++;
          bool first;
          if (!top.names.is_first(i, memory.indexes, first)) return fail(errc::out_of_memory);
          if (!first) continue;
          if (rule == nulls::drop_outside_arrays && arrays == 0 && members[i].value.IsNull())
            continue;
          if (!emit_name(members[i].name, handler)) return fail(failure_of(handler, 0));
          ++top.count;
          at = &members[i].value;
        }
        if (at != nullptr) continue;
        sent = handler.EndObject(top.count);
      } else {
        if (top.next != top.container->Size()) {
          at = top.container->Begin() + top.next++;
          ++top.count;
          continue;
        }
        sent = handler.EndArray(top.count);
        --arrays;
      }
      if (!sent) return fail(failure_of(handler, 0));
      memory.indexes.truncate(top.index_base);
      frames.pop();
    }
  }
}

/// A handler that adds up the bytes a value takes beyond itself, as an exact copy with `Value`'s
/// layout.
template <class Value>
class footprint_counter : public ignore_events {
 public:
  std::size_t bytes() const noexcept { return bytes_; }

  bool String(const char*, size_type length, bool) {
    bytes_ += string_bytes<Value>(length);
    return true;
  }
  bool Key(const char* text, size_type length, bool copy) { return String(text, length, copy); }
  bool EndObject(size_type members) {
    bytes_ += members * sizeof(member_of<Value>);
    return true;
  }
  bool EndArray(size_type elements) {
    bytes_ += elements * sizeof(Value);
    return true;
  }

 private:
  std::size_t bytes_ = 0;
};

}  // namespace core
}  // namespace json
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
