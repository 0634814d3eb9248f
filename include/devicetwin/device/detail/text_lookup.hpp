/// Finding many members of one object in a text by their names.
#pragma once

#include <cstddef>      // std::size_t
#include <string_view>  // std::string_view

#include "../../base/memory.hpp"
#include "../../json/find_text.hpp"
#include "../../json/tree/name_hash.hpp"
#include "../../json/tree/name_index.hpp"
#include "../../merge/text/text_member.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// The memory of lookups that are open at the same time, the youngest on top.
struct lookup_memory {
  explicit lookup_memory(const memory_source& memory) noexcept
      : members(memory), names(memory), index(memory) {}
  base::stack<merge::core::text_member, 4> members;
  merge::core::plain_names names;
  json::core::index_memory index;
};

/// Finds members of one object in trusted text. It looks on from behind the last member found,
/// which is enough where both sides have one order; once that has cost as much as an index, it
/// makes one.
class text_lookup {
 public:
  /// Of a text that is no object no member is found.
  explicit text_lookup(std::string_view object = {}) noexcept : object_(object), rest_(object) {
    if (!rest_.is_object()) rest_ = json::core::text_items(object_ = {});
  }

  /// Finds the value of the member whose name is spelled as `raw` between quotes; an empty text
  /// when there is none. Of repeated names any may be found. False when there was no memory for an
  /// index.
  [[nodiscard]] bool find(std::string_view raw, lookup_memory& memory, std::string_view& value) {
    value = {};
    if (!indexed_ && scanned_ > 4 * object_.size() + 1024 && !make_index(memory)) return false;
    if (indexed_) return find_indexed(raw, memory, value);
    scan(raw, value);
    return true;
  }
  /// The same without memory: one look through the whole object at worst.
  void scan(std::string_view raw, std::string_view& value) noexcept {
    const char* const start = object_.data();
    value = {};
    for (int round = 0; round < 2 && value.empty(); ++round) {
      if (round == 1) rest_ = json::core::text_items(object_);
      while (value.empty() && rest_.next()) {
        if (json::core::same_string(rest_.name(), raw)) value = rest_.value();
      }
    }
    const std::size_t at =
        value.empty() ? 0 : static_cast<std::size_t>(value.data() + value.size() - start);
    scanned_ += at > at_ ? at - at_ : object_.size() - at_ + at;
    at_ = at;
  }

  /// Gives back what this lookup took of the memory. Those made after it must be closed before.
  void close(lookup_memory& memory) noexcept {
    if (!indexed_) return;
    memory.members.truncate(first_member_);
    memory.names.truncate(first_name_);
    memory.index.truncate(first_slot_);
    indexed_ = false;
  }

 private:
  bool make_index(lookup_memory& memory) {
    first_member_ = memory.members.size();
    first_name_ = memory.names.size();
    first_slot_ = memory.index.size();
    indexed_ = true;  // for close()
    const char* const start = object_.data();
    const auto offset = [start](const char* p) {
      return static_cast<merge::core::text_offset>(p - start);
    };
    bool good = object_.size() <= merge::core::longest_text;
    for (json::core::text_items items(object_); good && items.next();) {
      merge::core::text_member member{};
      member.name = offset(items.name().data() - 1);
      member.name_end = offset(items.name().data() + items.name().size() + 1);
      member.value = offset(items.value().data());
      member.value_end = offset(items.value().data() + items.value().size());
      member.unescaped = merge::core::no_offset;
      good = merge::core::keep_plain(start, member, memory.names) && memory.members.push(member);
    }
    if (good) {
      const auto count = static_cast<json::size_type>(memory.members.size() - first_member_);
      json::core::first_repeat repeat;
      const merge::core::member_names names{start, memory.members.data() + first_member_,
                                            memory.names.data()};
      good = index_.build(count, json::core::indexed(names), memory.index, repeat);
    }
    if (!good) {
      close(memory);
      scanned_ = 0;  // worth another try only after as much again
    }
    return good;
  }
  bool find_indexed(std::string_view raw, lookup_memory& memory, std::string_view& value) const {
    const std::size_t kept = memory.names.size();
    std::string_view plain = raw;
    if (json::core::has_escapes(raw)) {
      if (!merge::core::append_plain(raw, memory.names)) return false;
      plain = {memory.names.data() + kept, memory.names.size() - kept};
    }
    const merge::core::text_member* const members = memory.members.data() + first_member_;
    const json::size_type i = index_.find_text(
        plain, merge::core::member_names{object_.data(), members, memory.names.data()},
        memory.index);
    memory.names.truncate(kept);
    if (i != json::core::no_index)
      value = object_.substr(members[i].value, members[i].value_end - members[i].value);
    return true;
  }

  std::string_view object_;
  json::core::text_items rest_;  ///< behind the member found last
  std::size_t at_ = 0;           ///< how far that is; 0 where none was found
  std::size_t scanned_ = 0;      ///< bytes that were looked through
  std::size_t first_member_ = 0, first_name_ = 0, first_slot_ = 0;
  json::core::name_index index_;
  bool indexed_ = false;
};

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
