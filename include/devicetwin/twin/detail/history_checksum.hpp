/// A checksum over what a history speaks about: it tells whether a section is still the one that
/// the history was written for.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::uint64_t
#include <string_view>  // std::string_view

#include "../../json/read.hpp"
#include "../../json/tree/events.hpp"
#include "../../json/write.hpp"
#include "history.hpp"
#include "shadow.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// FNV-1a in 64 bits (G. Fowler, L. C. Noll, K.-P. Vo; draft-eastlake-fnv). Also an output for
/// text_writer.
class fnv_hash {
 public:
  fnv_hash() noexcept = default;
  explicit fnv_hash(std::uint64_t start) noexcept : hash_(start) {}
  bool append(const char* bytes, std::size_t count) noexcept {
    for (std::size_t i = 0; i < count; ++i)
      hash_ = (hash_ ^ static_cast<unsigned char>(bytes[i])) * 0x100000001B3u;
    size_ += count;
    return true;
  }
  void add(std::uint64_t number) noexcept {
    for (int shift = 0; shift < 64; shift += 8)
      hash_ = (hash_ ^ (number >> shift & 0xFF)) * 0x100000001B3u;
  }
  std::uint64_t value() const noexcept { return hash_; }
  std::size_t size() const noexcept { return size_; }
  void resize(std::size_t size) noexcept { size_ = size; }

 private:
  std::uint64_t hash_ = 0xCBF29CE484222325u;
  std::size_t size_ = 0;
};

/// Adds the hashes of all values in a tree, each with its path and, where there are stamps, its
/// version. The order of members makes no difference.
inline json::error add_tree(const arena_value& root, const stamp_shadow* stamps, std::uint64_t& sum,
                            const memory_source& working) {
  struct hashed {
    stamp_shadow::word at;
    std::uint64_t path;
  };
  json::core::object_walk<const arena_value, hashed> walk(working);
  json::core::own_walk_memory<json::arena_value> memory(working);
  const auto enter = [&](const arena_value& value, stamp_shadow::word w,
                         std::uint64_t path) -> json::error {
    fnv_hash hash(path);
    hash.add(stamps == nullptr ? 0 : static_cast<std::uint64_t>(stamps->at(w).version));
    if (value.IsObject()) {
      if (!walk.enter(value, {w, path})) return json::errc::out_of_memory;
    } else {
      json::text_writer writer(hash);
      if (json::error e = json::core::emit(value, writer, json::core::nulls::emit,
                                           static_cast<std::size_t>(-1), memory))
        return e;
    }
    hash.add(value.IsObject() ? 1 : 0);
    sum += hash.value();
    return {};
  };
  if (json::error e = enter(root, stamps == nullptr ? 0 : stamps->root(), fnv_hash().value()))
    return e;
  while (!walk.done()) {
    const value_member* member = walk.next();
    if (member == nullptr) {
      walk.leave();
      continue;
    }
    const std::string_view name = json::core::text_of(member->name);
    fnv_hash path(walk.note().path);
    path.append(name.data(), name.size());
    path.add(name.size());
    const stamp_shadow::word w =
        stamps == nullptr ? 0 : stamps->child(walk.note().at, walk.index());
    if (json::error e = enter(member->value, w, path.value())) return e;
  }
  return {};
}

/// The length of a checksum as text.
inline constexpr std::size_t checksum_chars = 16;

/// Writes the checksum of a section's values, the versions of its stamps, its own version, and its
/// history, as hexadecimal digits. Errors: out_of_memory. Cost: one pass over all of them.
inline json::error write_history_checksum(const arena_value& values, const stamp_shadow& stamps,
                                          std::int64_t version, const section_history& history,
                                          const memory_source& working,
                                          char (&text)[checksum_chars]) {
  std::uint64_t sum = 0;
  if (json::error e = add_tree(values, &stamps, sum, working)) return e;
  fnv_hash hash(sum);
  hash.add(static_cast<std::uint64_t>(version));
  hash.add(static_cast<std::uint64_t>(history.known_since()));
  for (std::size_t i = 0; i < history.size(); ++i) {
    json::document names(working);
    json::read_options options;
    options.memory = working;
    std::uint64_t of_names = 0;
    if (json::error e = json::read(history[i].names, names, options)) return e;
    if (json::error e = add_tree(names.root(), nullptr, of_names, working)) return e;
    hash.add(static_cast<std::uint64_t>(history[i].version));
    hash.add(of_names);
  }
  for (std::size_t i = 0; i < checksum_chars; ++i)
    text[i] = "0123456789abcdef"[hash.value() >> (60 - 4 * i) & 15];
  return {};
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
