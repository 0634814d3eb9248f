/// One of two texts whose members are matched by name: reading members and elements one after the
/// other, without what is in them.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint32_t, std::uint64_t
#include <cstring>      // std::memcpy
#include <string_view>  // std::string_view
#include <type_traits>  // std::conditional_t

#include "../../base/bits.hpp"
#include "../../base/hash.hpp"
#include "../../base/inline.hpp"
#include "../../base/memory.hpp"
#include "../../json/error.hpp"
#include "../../json/text/scan.hpp"
#include "../../json/text/tokens.hpp"
#include "../../json/tree/name_hash.hpp"
#include "text_index.hpp"
#include "text_member.hpp"
#include "text_patch.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

/// A member of an object, or an element of an array, which has no name.
struct text_item {
  static constexpr text_index::number no_entry = static_cast<text_index::number>(-1);

  text_offset first;  ///< where it begins: of a member, at its name
  text_offset last;   ///< behind its value
  text_offset name_end;
  text_offset value;
  text_index::number inside;  ///< the first entry inside, when it is a container; no_entry: it is
                              ///< none, or not in the index
  text_offset unescaped;      ///< where its name stands without escapes; no_offset: it has none
  std::uint32_t met;          ///< a member of the other text has this name
};

/// A place in a text: a member, element or closing bracket begins there.
struct item_cursor {
  text_offset at;
  text_index::number entry;  ///< the first from there on
  bool more;                 ///< false behind the last member or element
};

/// A text and the index of parts of it. The text is taken on trust; nothing is read outside of it.
class indexed_text {
 public:
  /// Notes failures in `patch`, and keeps names without escapes in `names`.
  indexed_text(text_patch& patch, plain_names& names, const memory_source& memory) noexcept
      : index(memory), patch_(patch), names_(names) {}
  void reset(std::string_view all, json::core::text_structure& its) noexcept {
    text = all.data();
    end = text + all.size();
    structure_ = &its;
  }

  const char* text = nullptr;
  const char* end = nullptr;
  text_offset end_of_rest = 0;  ///< the closing bracket of the object that was asked about
  std::conditional_t<shortcuts, text_index, no_text_index> index;

  /// Adds what is from `p` on, inside a container, to the index.
  bool make_index(const char* p) {
    const errc code = index.add(*structure_, text, p);
    if (code == errc::ok) return true;
    return code == errc::unexpected_character ? patch_.not_json() : patch_.fail(code);
  }

  /// What pass() and read_name() need, at hand in a loop.
  struct source {
    const char* text;
    const char* end;
    const text_index::number* entries;
  };
  source at_hand() const noexcept { return {text, end, index.entries()}; }

  /// Finds where the member or element at `at` begins and ends, and moves behind it.
  DEVICETWIN_ALWAYS_INLINE bool pass(const source& s, item_cursor& at, text_item& it, bool member) {
    if constexpr (!shortcuts) return pass_unindexed(s, at, it, member);
    text_index::number entry = at.entry;
    text_index::number place = s.entries[entry];
    text_offset last = place;
    it.inside = text_item::no_entry;
    if ((place & text_index::opens) != 0) {
      it.inside = entry + 1;
      entry = place ^ text_index::opens;
      last = s.entries[entry] + 1;
      place = s.entries[++entry];
      if ((place & text_index::opens) != 0) return patch_.not_json();
    } else if (s.text[last - 1] <= ' ') {
      while (json::core::is_space(s.text[last - 1])) --last;  // a bracket or comma stands before
    }
    text_offset first = at.at;
    if (s.text[first] <= ' ') {
      while (json::core::is_space(s.text[first])) ++first;  // a bracket or comma stands behind
    }
    it.first = first;
    it.last = last;
    at.at = place + 1;
    at.entry = entry + 1;
    at.more = s.text[place] == ',';
    return true;
  }
  /// Reads the name of the member, its hash, and where its value begins.
  DEVICETWIN_ALWAYS_INLINE bool read_name(const source& s, text_item& it, std::uint32_t& hash) {
    const char* const name = s.text + it.first;
    if (shortcuts && s.end - name > 36 && *name == '"') {
      const std::size_t length = json::core::bytes_before_quote(name + 1);
      const char* const behind = name + 1 + length;
      if (length < 32 && behind[0] == '"' && behind[1] == ':' && !json::core::is_space(behind[2])) {
        hash = hash_name(name + 1, length);
        it.unescaped = no_offset;
        it.name_end = it.first + static_cast<text_offset>(length) + 2;
        it.value = it.name_end + 1;
        return it.value < it.last || patch_.not_json();
      }
    }
    return read_any_name(s, it, hash);
  }
  /// A member that was put aside.
  bool recall(const text_member& member, text_item& it, std::uint32_t& hash) {
    it.first = member.name;
    it.last = member.value_end;
    it.inside = text_item::no_entry;
    it.met = 0;
    return read_any_name(at_hand(), it, hash);
  }

  /// The name without quotes and escapes.
  std::string_view plain_name(const text_item& it) const noexcept {
    if (it.unescaped == no_offset) {
      return text_between(text + it.first + 1, text + it.name_end - 1);
    }
    size_type length;
    std::memcpy(&length, names_.data() + it.unescaped, sizeof length);
    return {names_.data() + it.unescaped + sizeof length, length};
  }

 private:
  /// The same without an index, where memory counts: what is in the item is passed over.
  bool pass_unindexed(const source& s, item_cursor& at, text_item& it, bool member) {
    const char* p = json::core::skip_space(s.text + at.at, s.end);
    it.first = static_cast<text_offset>(p - s.text);
    if (p == s.end) return patch_.not_json();
    if (member &&
        (*p != '"' || (p = string_end(*structure_, p, s.end)) == nullptr || !to_value(p, s.end))) {
      return patch_.not_json();
    }
    if ((p = value_end(*structure_, p, s.end)) == nullptr) return patch_.not_json();
    it.last = static_cast<text_offset>(p - s.text);
    p = json::core::skip_space(p, s.end);
    if (p == s.end) return patch_.not_json();
    at.more = *p == ',';
    at.at = static_cast<text_offset>(p - s.text) + 1;
    return true;
  }
  /// The same for a name that is long, near the end of the text or has white space behind, or one
  /// with escapes, which is kept without them.
  DEVICETWIN_NEVER_INLINE bool read_any_name(const source& s, text_item& it, std::uint32_t& hash) {
    const char* const name = s.text + it.first;
    const char* p = *name == '"' ? json::core::skip_string(name + 1, s.end) : nullptr;
    if (p == nullptr) return patch_.not_json();
    it.name_end = static_cast<text_offset>(p - s.text);
    it.unescaped = no_offset;
    if (json::core::has_escapes(text_between(name, p))) {
      text_member member{};
      member.name = it.first;
      member.name_end = it.name_end;
      if (!keep_plain(s.text, member, names_)) return patch_.fail(errc::out_of_memory);
      it.unescaped = member.unescaped;
    }
    hash = hash_of(plain_name(it));
    if (!to_value(p, s.end)) return patch_.not_json();
    it.value = static_cast<text_offset>(p - s.text);
    return it.value < it.last || patch_.not_json();
  }
  /// The hash of a name of less than 32 bytes. As many can be read.
  static std::uint32_t hash_name(const char* name, std::size_t length) noexcept {
    static constexpr unsigned char masks[32] = {255, 255, 255, 255, 255, 255, 255, 255,
                                                255, 255, 255, 255, 255, 255, 255, 255};
    std::uint64_t before = 0;
    if (length >= 16) {
      before = base::mix(base::load_8(name), base::load_8(name + 8));
      name += 16;
      length -= 16;
    }
    const std::uint64_t low = base::load_8(name) & base::load_8(masks + 16 - length);
    const std::uint64_t high = base::load_8(name + 8) & base::load_8(masks + 24 - length);
    return static_cast<std::uint32_t>(
        ((low ^ before ^ length) + high * 0xC2B2AE3D27D4EB4Fu) * 0x9E3779B97F4A7C15u >> 32);
  }
  static std::uint32_t hash_of(std::string_view name) noexcept {
    if (shortcuts && name.size() < 32) {
      char bytes[32] = {};
      name.copy(bytes, name.size());
      return hash_name(bytes, name.size());
    }
    return static_cast<std::uint32_t>(json::core::hash_name(name) >> 32);
  }

  json::core::text_structure* structure_ = nullptr;
  text_patch& patch_;
  plain_names& names_;
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
