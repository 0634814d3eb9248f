/// A section or a patch as it came, as the compact text that is kept.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <cstring>      // std::memcpy
#include <string_view>  // std::string_view

#include "../../json/find_text.hpp"
#include "../../json/text/tokens.hpp"
#include "../../json/value.hpp"
#include "../../merge/text/text_member.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// What is left out beside white space.
struct leave_out {
  bool reserved;  ///< members at the root whose names start with `$`, however that is spelled: the
                  ///< hub's own
  bool nulls;     ///< members that are null, outside arrays
};

/// Whether the name of which `raw` stands between the quotes starts with `$`.
inline bool is_reserved(std::string_view raw) noexcept {
  return json::core::plain_bytes(raw).next() == '$';
}

/// Copies an object that is valid JSON text, at most 64 levels deep, without white space. `to` has
/// room for as many bytes. Gives the end of what was written. A `$version` that was left out is
/// noted as it is spelled.
inline char* copy_compact(std::string_view object, leave_out without, char* to,
                          std::string_view& version) noexcept {
  static_assert(json::default_max_depth <= 64, "a bit for each level");
  const char* p = object.data();
  const char* const end = p + object.size();
  std::uint64_t arrays =
      0;  // which of the open containers are arrays, the innermost in the lowest bit
  std::uint64_t begun = 0;  // and which have something in them already
  std::size_t depth = 0;
  const auto put = [&to](const char* first, const char* last) {
    const auto length = static_cast<std::size_t>(last - first);
    if (length != 0) std::memcpy(to, first, length);
    to += length;
  };
  p = json::core::skip_space(p, end);
  for (;;) {
    // At a value.
    if (p == end) return to;
    if (*p == '{' || *p == '[') {
      *to++ = *p;
      arrays = arrays << 1 | (*p == '[' ? 1u : 0u);
      begun <<= 1;
      ++depth;
      ++p;
    } else {
      const char* const value = p;
      if ((p = json::core::skip_value(p, end)) == nullptr) return to;
      put(value, p);
    }
    // Behind a value or an opening bracket: on to the next value, closing what is complete.
    for (bool found = false; !found;) {
      if (depth == 0) return to;
      p = json::core::skip_space(p, end);
      if (p != end && *p == ',') p = json::core::skip_space(p + 1, end);
      if (p == end) return to;
      if (*p == '}' || *p == ']') {
        *to++ = *p++;
        arrays >>= 1;
        begun >>= 1;
        --depth;
        continue;
      }
      if ((arrays & 1) == 0) {
        const char* const name = p;
        if (*p != '"' || (p = json::core::skip_string(p + 1, end)) == nullptr) return to;
        const char* const name_end = p;
        p = json::core::skip_space(p, end);
        if (p != end) p = json::core::skip_space(p + 1, end);
        if (p == end) return to;
        if ((without.nulls && arrays == 0 && *p == 'n') ||
            (without.reserved && depth == 1 &&
             is_reserved({name + 1, static_cast<std::size_t>(name_end - name) - 2}))) {
          const char* const value = p;
          if ((p = json::core::skip_value(p, end)) == nullptr) return to;
          if (depth == 1 &&
              json::core::same_string({name + 1, static_cast<std::size_t>(name_end - name) - 2},
                                      "$version")) {
            version = {value, static_cast<std::size_t>(p - value)};
          }
          continue;
        }
        if ((begun & 1) != 0) *to++ = ',';
        put(name, name_end);
        *to++ = ':';
      } else if ((begun & 1) != 0) {
        *to++ = ',';
      }
      begun |= 1;
      found = true;
    }
  }
}

/// How many leaves a merge patch has, that is values but for objects with something in them; and
/// how many of them are null.
struct leaf_count {
  std::size_t all = 0;
  std::size_t nulls = 0;
};
/// In compact text.
inline leaf_count count_leaves(std::string_view patch) noexcept {
  leaf_count leaves;
  const char* p = patch.data();
  const char* const end = p + patch.size();
  while (p != nullptr && p != end) {
    if (*p != '"') {
      ++p;  // a brace or a comma
      continue;
    }
    p = json::core::skip_string(p + 1, end);
    if (p == nullptr || end - p < 3) break;
    ++p;  // the colon
    if (*p == '{' && p[1] != '}') continue;
    if (*p == 'n') ++leaves.nulls;
    p = json::core::skip_value(p, end);
    ++leaves.all;
  }
  return leaves;
}

/// A merge patch in parts that each fit a number of bytes, as merge/detail/split.hpp has it for
/// trees: walks the leaves of an object in compact text. A leaf has nothing below it to be sent
/// apart: a scalar, an array, an empty object.
class text_splitter {
 public:
  text_splitter(std::string_view patch, const memory_source& memory) noexcept
      : patch_(patch), frames_(memory) {}

  /// Calls `leaf(alone)` with the bytes of a patch that has that leaf alone, until it gives false.
  template <class Leaf>
  json::error measure(Leaf&& leaf) {
    return walk([&](std::string_view, std::string_view, std::size_t alone) { return leaf(alone); });
  }

  /// The place of the leaf at which the walk stopped, for an error.
  template <class Out>
  void render(Out&& put) const {
    for (std::size_t i = 1; i <= frames_.size(); ++i) {
      const std::string_view name = i == frames_.size() ? leaf_ : frames_[i].name;
      if (name.size() >= 3) merge::core::render_name(name.substr(1, name.size() - 3), put);
    }
  }

  /// Writes the patch of as many leaves, from the first on, as fit into `limit` bytes, at least
  /// one.
  template <class Output>
  json::error first_part(std::size_t limit, Output& out) {
    std::size_t bytes = 2;  // with the brackets that are still open
    bool good = out.append("{", 1);
    bool any = false;
    json::error e = walk(
        [&](std::string_view name, std::string_view value, std::size_t) {
          std::size_t more = name.size() + value.size() + (frames_.back().begun ? 1 : 0);
          for (std::size_t i = frames_.size() - 1; i != 0 && !frames_[i].begun; --i) {
            more += frames_[i].name.size() + 2 + (frames_[i - 1].begun ? 1 : 0);
          }
          if (any && bytes + more > limit) return false;
          any = true;
          bytes += more;
          for (std::size_t i = 1; i < frames_.size(); ++i) {
            if (frames_[i].begun) continue;
            good = good && (!frames_[i - 1].begun || out.append(",", 1)) &&
                   put(out, frames_[i].name) && out.append("{", 1);
            frames_[i - 1].begun = true;
          }
          good = good && (!frames_.back().begun || out.append(",", 1)) && put(out, name) &&
                 put(out, value);
          frames_.back().begun = true;
          return good;
        },
        [&] { good = good && out.append("}", 1); });
    if (e) return e;
    for (std::size_t i = frames_.size(); i-- != 0;) {
      if (i == 0 || frames_[i].begun) good = good && out.append("}", 1);
    }
    return good ? json::error() : json::error(json::errc::out_of_memory);
  }

 private:
  struct frame {
    std::string_view name;  ///< with quotes and colon; empty for the patch itself
    std::size_t around;     ///< bytes of the names and brackets down to here
    bool begun;             ///< something of it was written
  };
  template <class Output>
  static bool put(Output& out, std::string_view text) {
    return out.append(text.data(), text.size());
  }
  struct nothing {
    void operator()() const noexcept {}
  };

  /// Stops when `leaf` gives false. The objects that are open are in frames_ then.
  template <class Leaf, class Close = nothing>
  json::error walk(Leaf&& leaf, Close&& close = {}) {
    frames_.truncate(0);
    const char* p = patch_.data();
    const char* const end = p + patch_.size();
    if (patch_.size() < 2 || *p != '{') return json::errc::wrong_type;
    ++p;
    if (!frames_.push({{}, 2, false})) return json::errc::out_of_memory;
    while (p != end) {
      if (*p == ',') {
        ++p;
        continue;
      }
      if (*p == '}') {
        if (frames_.size() == 1) return {};
        if (frames_.back().begun) close();
        frames_.pop();
        ++p;
        continue;
      }
      const char* const name = p;
      if (*p != '"' || (p = json::core::skip_string(p + 1, end)) == nullptr || p == end) break;
      ++p;  // the colon
      const std::string_view named(name, static_cast<std::size_t>(p - name));
      if (end - p > 1 && *p == '{' && p[1] != '}') {
        if (!frames_.push({named, frames_.back().around + named.size() + 2, false}))
          return json::errc::out_of_memory;
        ++p;
        continue;
      }
      const char* const value = p;
      leaf_ = named;
      if ((p = json::core::skip_value(p, end)) == nullptr) break;
      const auto length = static_cast<std::size_t>(p - value);
      if (!leaf(named, std::string_view(value, length),
                frames_.back().around + named.size() + length))
        return {};
    }
    return {};
  }

  std::string_view patch_;
  std::string_view leaf_;
  base::stack<frame, 8> frames_;
};

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
