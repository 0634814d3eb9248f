/// A merge patch in parts that each fit a number of bytes.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../base/text_buffer.hpp"
#include "../../json/error.hpp"
#include "../../json/tree/object_walk.hpp"
#include "../../json/value.hpp"
#include "../../json/write.hpp"
#include "../tree/places.hpp"
#include "change_writer.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace detail {

/// The bytes of a value as compact text.
inline error text_bytes(const arena_value& value, const memory_source& memory, std::size_t& bytes) {
  base::byte_counter counter;
  json::write_options options;
  options.max_depth = any_depth;
  options.memory = memory;
  const error e = json::write(value, counter, options);
  bytes = counter.size();
  return e;
}

/// Walks a merge patch that is an object, leaf by leaf. A leaf is what has nothing below it to be
/// sent apart: null, a scalar, an array, an empty object.
class patch_splitter {
 public:
  patch_splitter(const arena_value& patch, const memory_source& memory) noexcept
      : patch_(patch), memory_(memory), walk_(memory) {}

  /// How many leaves, from the first on, fit together in `limit` bytes; and how many there are.
  /// Errors: patch_too_long, for a leaf that does not fit alone; invalid_utf8, out_of_memory; with
  /// the place.
  error measure(std::size_t limit, std::size_t& fitting, std::size_t& count) {
    std::size_t bytes = 2;  // the patch's own braces
    bool full = false;
    fitting = count = 0;
    return walk([](std::string_view) { return true; }, [] { return true; },
                [&](const arena_value& name, const arena_value& leaf) -> error {
                  std::size_t own = 0, name_bytes = 0;
                  if (error e = text_bytes(leaf, memory_, own)) return nested(e, walk_);
                  if (error e = text_bytes(name, memory_, name_bytes))
                    return error(e.code()).at(walk_);
                  own += name_bytes + 1;
                  if (2 + walk_.note().path_bytes + own > limit) {
                    return error(errc::patch_too_long).limited_to(limit).at(walk_);
                  }
                  ++count;
                  std::size_t more = own + (walk_.note().begun ? 1 : 0);
                  for (std::size_t i = walk_.depth(); i-- != 0 && !walk_.note(i).begun;) {
                    if (i != 0) more += walk_.note(i).own_bytes + (walk_.note(i - 1).begun ? 1 : 0);
                  }
                  full = full || bytes + more > limit;
                  if (full) return {};
                  for (std::size_t i = 0; i < walk_.depth(); ++i) walk_.note(i).begun = true;
                  bytes += more;
                  ++fitting;
                  return {};
                });
  }

  /// Sends the patch of the leaves from `first` on, `last` excluded.
  template <class Handler>
  error send(std::size_t first, std::size_t last, Handler& handler) {
    sparse_writer<Handler> out(handler, memory_);
    std::size_t at = 0;
    static_cast<void>(out.open({}, true));
    error e = walk(
        [&](std::string_view name) { return out.open(name, false); }, [&] { return out.close(); },
        [&](const arena_value& name, const arena_value& leaf) -> error {
          const bool mine = at >= first && at < last;
          ++at;
          return !mine || out.value(text_of(name), leaf, memory_) ? error() : out.failure();
        });
    if (!e) static_cast<void>(out.close());
    return e ? e : out.failure();
  }

 private:
  struct measured {
    bool begun;              ///< the part has a member of it
    std::size_t own_bytes;   ///< of its name, colon and braces
    std::size_t path_bytes;  ///< the same for it and the objects around it, the patch excluded
  };

  template <class Open, class Close, class Leaf>
  error walk(Open&& open, Close&& close, Leaf&& leaf) {
    walk_.restart();
    if (!walk_.enter(patch_, {false, 0, 0})) return errc::out_of_memory;
    for (;;) {
      const auto* member = walk_.next();
      if (member == nullptr) {
        walk_.leave();
        if (walk_.done()) return {};
        if (!close()) return errc::out_of_memory;
      } else if (member->value.IsObject() && member->value.MemberCount() != 0) {
        std::size_t bytes = 0;
        if (error e = text_bytes(member->name, memory_, bytes)) return error(e.code()).at(walk_);
        bytes += 3;
        const std::size_t path_bytes = walk_.note().path_bytes + bytes;
        if (!open(text_of(member->name)) || !walk_.enter(member->value, {false, bytes, path_bytes}))
          return errc::out_of_memory;
      } else if (error e = leaf(member->name, member->value)) {
        return e;
      }
    }
  }

  const arena_value& patch_;
  memory_source memory_;
  json::core::object_walk<const arena_value, measured, json::core::in_memory<6>> walk_;
};

}  // namespace detail
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
