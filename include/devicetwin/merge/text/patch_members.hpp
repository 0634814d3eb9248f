/// The members of a merge patch's objects, found by name.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <string_view>  // std::string_view
#include <type_traits>  // std::conditional_t

#include "../../base/bits.hpp"
#include "../../base/stack.hpp"
#include "../../json/error.hpp"
#include "../../json/text/tokens.hpp"
#include "../../json/tree/name_hash.hpp"
#include "../../json/tree/name_index.hpp"
#include "../../json/tree/tuning.hpp"
#include "container_ends.hpp"
#include "text_member.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace merge {
namespace core {

using base::shortcuts;

/// The members of the patch's objects that are open. Each is inside the one opened before it, and
/// only members of the innermost one can be found. A member that was found is taken: it is not found
/// again.
class patch_members {
  using hint_bits = std::conditional_t<shortcuts, std::uint64_t, unsigned char>;

 public:
  /// An open object of the patch.
  class object {
   public:
    /// Returns how many of its members are not taken.
    std::size_t left() const noexcept { return left_; }
    /// Returns false when no member's name begins like the one whose opening quote is at `name`. Two
    /// more bytes must be there, neither of them a backslash.
    bool may_begin(const char* name) const noexcept { return (begins_ & begin_bit(name)) != 0; }
    /// Returns false when no member has this name, which must have no escapes.
    bool may_be(std::string_view name) const noexcept { return (ends_ & end_bit(name)) != 0; }
    /// Returns whether any name is spelled with escapes.
    bool has_escapes() const noexcept { return escapes_; }

   private:
    friend class patch_members;
    std::size_t first_;  ///< of its members
    std::size_t next_;   ///< the member expected next: many patches have the document's order
    std::size_t left_;
    std::size_t names_;  ///< size of names_ when it was opened
    std::size_t slots_;  ///< size of index_ when it was opened
    std::size_t tags_;   ///< where its tags are in index_
    json::core::name_index index_;
    bool indexed_, tagged_, escapes_;
    hint_bits begins_, ends_;
  };

  explicit patch_members(const memory_source& memory) noexcept
      : members_(memory), names_(memory), index_(memory), ends_(memory) {}

  /// Sets the patch. Called once, before all others.
  void start(std::string_view patch) noexcept {
    text_ = patch.data();
    end_ = text_ + patch.size();
    most_passed_ = std::uint64_t{patch.size()} * json::core::tuning::text_passes_before_index;
    structure_.reset(patch);
  }
  json::core::text_structure& structure() noexcept { return structure_; }

  /// Opens the object whose opening brace is at `brace` and reads its members. Errors:
  /// unexpected_character when it is not JSON, out_of_memory.
  json::errc open(const char* brace, object& opened) {
    using json::errc;
    opened.first_ = opened.next_ = members_.size();
    opened.left_ = 0;
    opened.names_ = names_.size();
    opened.slots_ = index_.size();
    opened.index_ = {};
    opened.indexed_ = opened.tagged_ = opened.escapes_ = false;
    opened.begins_ = opened.ends_ = 0;
    const char* p = json::core::skip_space(brace + 1, end_);
    for (;;) {
      if (p == end_) return errc::unexpected_character;
      if (*p == '}') break;
      text_member next;
      next.name = at(p);
      if (*p != '"' || (p = string_end(structure_, p, end_)) == nullptr)
        return errc::unexpected_character;
      next.name_end = at(p);
      if constexpr (shortcuts) {
        opened.begins_ = static_cast<hint_bits>(opened.begins_ | begin_bit(text_ + next.name));
        opened.ends_ = static_cast<hint_bits>(opened.ends_ | end_bit(name_of(next)));
      }
      opened.escapes_ = opened.escapes_ || json::core::has_escapes(name_of(next));
      if (!to_value(p, end_)) return errc::unexpected_character;
      next.value = at(p);
      if (shortcuts && (*p == '{' || *p == '[')) {
        if (!leave_container(p)) return errc::out_of_memory;
      } else {
        p = value_end(structure_, p, end_);
      }
      if (p == nullptr) return errc::unexpected_character;
      next.value_end = at(p);
      next.unescaped = next.match = no_offset;
      if (!members_.push(next)) return errc::out_of_memory;
      ++opened.left_;
      p = json::core::skip_space(p, end_);
      if (p != end_ && *p == ',') {
        p = json::core::skip_space(p + 1, end_);
      } else if (p != end_ && *p != '}') {
        return errc::unexpected_character;
      }
    }
    left_ += opened.left_;
    return errc::ok;
  }
  void close(const object& innermost) noexcept {
    left_ -= innermost.left_;
    members_.truncate(innermost.first_);
    names_.truncate(innermost.names_);
    index_.truncate(innermost.slots_);
  }
  /// Returns how many members of all open objects are not taken.
  std::size_t left() const noexcept { return left_; }

  // --- the members of the innermost object ----------------------------------------------------

  std::string_view name_of(const text_member& member) const noexcept {
    return core::name_of(text_, member);
  }
  std::string_view value_of(const text_member& member) const noexcept {
    return {text_ + member.value, member.value_end - member.value};
  }

  /// Takes the member that is expected next, if its name, quotes included, is what `p` begins with;
  /// returns a null pointer otherwise. The result is valid until another object is opened.
  const text_member* take_expected(object& innermost, const char* p, const char* end) noexcept {
    if (innermost.next_ == members_.size()) return nullptr;
    text_member& member = members_[innermost.next_];
    const std::string_view name = text_between(text_ + member.name, text_ + member.name_end);
    if (member.match != no_offset || !starts_with(p, end, name)) return nullptr;
    return take(innermost, innermost.next_);
  }
  /// Takes the member with this name and sets `found` to it, or to a null pointer when there is none
  /// or it is taken. `escaped`: whether the name has escapes. Returns false when memory ran out.
  /// Cost: a few comparisons, or a look-up in an index.
  bool take_by_name(object& innermost, std::string_view raw, bool escaped,
                    const text_member*& found) {
    namespace tuning = json::core::tuning;
    found = nullptr;
    const std::size_t count = members_.size() - innermost.first_;
    std::size_t i = none;
    if (count <= tuning::text_names_scanned) {
      i = scan(innermost, raw, escaped);
    } else if (shortcuts && count <= tuning::text_names_tagged && !innermost.escapes_ && !escaped) {
      if (!find_tagged(innermost, raw, i)) return false;
    } else if (!look_up(innermost, raw, escaped, i)) {
      return false;
    }
    if (i != none && members_[i].match == no_offset) found = take(innermost, i);
    return true;
  }
  /// Takes the first member that is not taken, from the `from`-th on, and sets `from` to the next
  /// one. Returns a null pointer when all are taken.
  const text_member* take_left(object& innermost, std::size_t& from) noexcept {
    if (innermost.left_ == 0) return nullptr;
    std::size_t i = innermost.first_ + from;
    while (members_[i].match != no_offset) ++i;
    from = i + 1 - innermost.first_;
    return take(innermost, i);
  }

 private:
  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  /// Replaces container_ends on small machines, where patches are short.
  struct no_ends {
    explicit no_ends(const memory_source&) noexcept {}
    bool made() const noexcept { return false; }
    bool make(std::string_view, json::core::text_structure&) noexcept { return true; }
    const char* find(const char*) const noexcept { return nullptr; }
  };

  /// A bit for the first two bytes of a name without escapes, or its closing quote.
  static std::uint64_t begin_bit(const char* quote) noexcept {
    const unsigned first = static_cast<unsigned char>(quote[1]);
    const unsigned second = first == '"' ? 0u : static_cast<unsigned char>(quote[2]);
    return std::uint64_t{1} << ((first * 5u + second) & 63);
  }
  /// A bit for the length and the last byte of a name.
  static std::uint64_t end_bit(std::string_view name) noexcept {
    const std::size_t last = name.empty() ? 0 : static_cast<unsigned char>(name.back());
    return std::uint64_t{1} << ((name.size() * 7 + last) & 63);
  }

  /// Moves `p` to the end of the container that begins there; sets it to a null pointer when it has
  /// no end. A container is skipped once for each object around it that is opened. When that
  /// becomes too much, the ends of all containers are found at once. False when memory ran out.
  bool leave_container(const char*& p) {
    if (passed_ > most_passed_) {
      if (!ends_.made() && !ends_.make(text_between(text_, end_), structure_)) return false;
      const char* const known = ends_.find(p);
      p = known != nullptr ? known : structure_.leave_container(p + 1);
      return true;
    }
    const char* const start = p;
    p = structure_.leave_container(p + 1);
    if (p != nullptr) passed_ += static_cast<std::uint64_t>(p - start);
    return true;
  }

  const text_member* take(object& innermost, std::size_t i) noexcept {
    members_[i].match = 0;
    --innermost.left_;
    --left_;
    innermost.next_ = i + 1;
    return &members_[i];
  }

  /// Finds a name among few: compares each.
  std::size_t scan(const object& innermost, std::string_view raw, bool escaped) const noexcept {
    const std::size_t count = members_.size();
    for (std::size_t i = innermost.first_; i < count; ++i) {
      if (members_[i].match != no_offset) continue;
      const std::string_view name = name_of(members_[i]);
      if (name == raw || ((escaped || innermost.escapes_) && json::core::same_string(name, raw)))
        return i;
    }
    return none;
  }
  /// Finds a name among at most text_names_tagged, all without escapes: compares a byte of its hash
  /// with those of eight names at a time.
  bool find_tagged(object& innermost, std::string_view raw, std::size_t& i) {
    constexpr std::uint64_t ones = 0x0101010101010101u;
    const auto tag_of = [](std::string_view name) {
      return static_cast<unsigned char>(json::core::quick_name_hash(name) >> 56);
    };
    const text_member* const first = members_.data() + innermost.first_;
    const std::size_t count = members_.size() - innermost.first_;
    if (!innermost.tagged_) {
      innermost.tags_ = index_.size();
      if (!index_.extend((count + 7) / 8 * 2)) return false;
      char* const made = reinterpret_cast<char*>(index_.data() + innermost.tags_);
      for (std::size_t j = 0; j < count; ++j)
        made[j] = static_cast<char>(tag_of(name_of(first[j])));
      for (std::size_t j = count; j % 8 != 0; ++j) made[j] = 0;
      innermost.tagged_ = true;
    }
    const char* const tags = reinterpret_cast<const char*>(index_.data() + innermost.tags_);
    const std::uint64_t wanted = ones * tag_of(raw);
    for (std::size_t group = 0; group < count; group += 8) {
      const std::uint64_t x = base::first_lowest(tags + group) ^ wanted;
      // Of the bytes found, the lowest is equal; the others may not be.
      for (std::uint64_t same = (x - ones) & ~x & (ones * 0x80); same != 0; same &= same - 1) {
        const std::size_t j = group + static_cast<std::size_t>(base::lowest_bit(same)) / 8;
        if (j < count && first[j].match == no_offset && name_of(first[j]) == raw) {
          i = innermost.first_ + j;
          return true;
        }
      }
    }
    return true;
  }
  /// Finds a name in an index, which the first call makes.
  bool look_up(object& innermost, std::string_view raw, bool escaped, std::size_t& i) {
    text_member* const first = members_.data() + innermost.first_;
    const auto count = static_cast<size_type>(members_.size() - innermost.first_);
    if (!innermost.indexed_) {
      for (size_type j = 0; innermost.escapes_ && j < count; ++j) {
        if (!keep_plain(text_, first[j], names_)) return false;
      }
      json::core::first_repeat repeat;
      const member_names names{text_, first, names_.data()};
      if (!innermost.index_.build(count, json::core::indexed(names), index_, repeat)) return false;
      innermost.indexed_ = true;
    }
    std::string_view plain = raw;
    const std::size_t kept = names_.size();
    if (escaped) {
      if (!append_plain(raw, names_)) return false;
      plain = {names_.data() + kept, names_.size() - kept};
    }
    const size_type found =
        innermost.index_.find_text(plain, member_names{text_, first, names_.data()}, index_);
    names_.truncate(kept);
    i = found == json::core::no_index ? none : innermost.first_ + found;
    return true;
  }

  text_offset at(const char* p) const noexcept { return static_cast<text_offset>(p - text_); }

  const char* text_ = nullptr;
  const char* end_ = nullptr;
  std::size_t left_ = 0;
  std::uint64_t passed_ = 0;       ///< bytes in containers that were skipped
  std::uint64_t most_passed_ = 0;  ///< beyond that many, container_ends is used
  json::core::text_structure structure_;
  base::stack<text_member, 16> members_;
  plain_names names_;
  json::core::index_memory index_;
  std::conditional_t<shortcuts, container_ends, no_ends> ends_;
};

}  // namespace core
}  // namespace merge
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
