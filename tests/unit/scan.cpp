// The instruction-set code, level by level, against a loop over the bytes.
#include <devicetwin/json/text/scan.hpp>

#include "../support/text.hpp"

#include <cstring>
#include <string>
#include <vector>

#include "../support/random_json.hpp"
#include "../support/reference_utf8.hpp"
#include "../support/text_roads.hpp"

namespace {

namespace core = json::core;

struct blocks {
  std::vector<core::scan_block> structure;
  std::vector<core::string_block> strings;
  core::scan_state state;
  bool not_ascii = false;
};

bool same(const core::scan_state& a, const core::scan_state& b) {
  return a.in_string == b.in_string && a.escaped == b.escaped;
}
template <class Block>
bool same(const std::vector<Block>& a, const std::vector<Block>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(Block)) == 0;
}
bool same(const blocks& a, const blocks& b) {
  return same(a.structure, b.structure) && same(a.strings, b.strings) && same(a.state, b.state) &&
         a.not_ascii == b.not_ascii;
}

// A byte at a time.
blocks obvious(std::string_view text) {
  blocks found;
  found.structure.resize(text.size() / 64);
  found.strings.resize(text.size() / 64);
  bool inside = false, escaped = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const std::uint64_t bit = std::uint64_t{1} << (i % 64);
    core::scan_block& structure = found.structure[i / 64];
    core::string_block& strings = found.strings[i / 64];
    if (static_cast<unsigned char>(c) >= 0x80) found.not_ascii = true;
    const bool plain = !escaped;
    escaped = plain && c == '\\';
    if (plain && c == '"') {
      inside = !inside;
      structure.quote |= bit;
      strings.quote |= bit;
    }
    if (inside) {
      if (escaped) strings.escapes |= bit;
      if (static_cast<unsigned char>(c) < 0x20) strings.forbidden |= bit;
    } else {
      if (c == '{' || c == '[') structure.open |= bit;
      if (c == '}' || c == ']') structure.close |= bit;
      if (c == ',') structure.comma |= bit;
    }
  }
  found.state.in_string = inside ? ~std::uint64_t{0} : 0;
  found.state.escaped = escaped ? 1 : 0;
  return found;
}

// By a level, in two calls.
blocks by(const core::scan_level& level, std::string_view text, std::size_t first) {
  blocks found;
  found.structure.resize(text.size() / 64);
  found.strings.resize(text.size() / 64);
  const std::size_t rest = text.size() / 64 - first;
  level.scan(text.data(), first, found.state, found.structure.data());
  level.scan(text.data() + first * 64, rest, found.state, found.structure.data() + first);
  core::scan_state state;
  const core::string_facts a = level.strings(text.data(), first, state, found.strings.data());
  const core::string_facts b =
      level.strings(text.data() + first * 64, rest, state, found.strings.data() + first);
  found.not_ascii = a.not_ascii || b.not_ascii;
  bool any = false;
  for (const core::string_block& block : found.strings) {
    any = any || (block.escapes | block.forbidden) != 0;
  }
  CHECK((a.marked || b.marked || !any));  // it may say so for nothing, but never keep quiet
  CHECK(same(state, found.state));
  return found;
}

}  // namespace

TEST_CASE("every kind of machine has its levels", "[scan]") {
  REQUIRE(core::level_at(0) == &core::portable_level);
  std::string names;
  for (std::size_t i = 0; core::level_at(i) != nullptr; ++i) {
    core::force_level(core::level_at(i));
    names += std::string(core::level_at(i)->name) + " ";
    CHECK((names == "portable " || &core::level() == core::level_at(i)));
  }
  core::force_level(nullptr);
#if !defined(DEVICETWIN_SMALL) && defined(__x86_64__)
  CHECK(names.compare(0, 14, "portable sse2 ") == 0);
#elif !defined(DEVICETWIN_SMALL) && defined(__aarch64__) && !defined(__AARCH64EB__)
  CHECK(names == "portable neon ");
#else
  CHECK(names == "portable ");
#endif
  // The last one is what is used unless another is forced.
  CHECK(names.find(std::string(core::level().name) + " ") ==
        names.size() - std::strlen(core::level().name) - 1);
}

TEST_CASE("every level finds brackets, commas, strings and what is odd in them",
          "[scan][property]") {
  static guarded_memory memory;
  const char* const mixes[] = {"\"\\{}[],:ab1\x80 \x1F\x7F", "\"\\\\\\\\a",
                               "\"abcdefghijkl\\\x05\xE2\x82\xAC", "{}[],,,:123456"};
  for (unsigned seed = 0; seed < 400; ++seed) {
    random_json random(seed);
    const std::string_view mix = mixes[seed % 4];
    std::string text;
    for (int i = 0; i < 64 * 5; ++i) text += mix[random.below(static_cast<unsigned>(mix.size()))];
    const blocks expected = obvious(text);
    for (std::size_t i = 0; core::level_at(i) != nullptr; ++i) {
      INFO(core::level_at(i)->name << ", seed " << seed);
      for (std::size_t first = 0; first <= 5; ++first) {
        CHECK(same(by(*core::level_at(i), memory.put(text, first % 2 == 0), first), expected));
      }
    }
  }
}

TEST_CASE("every level knows every byte", "[scan]") {
  // In each quarter of a block, outside a string and in one.
  for (int byte = 0; byte < 256; ++byte) {
    for (const char* const start : {" ", "\""}) {
      for (std::size_t at = 1; at < 64; at += 7) {
        std::string text(128, 'x');
        text[0] = start[0];
        text[at] = static_cast<char>(byte);
        const blocks expected = obvious(text);
        for (std::size_t i = 0; core::level_at(i) != nullptr; ++i) {
          INFO(core::level_at(i)->name << ", byte " << byte << " at " << at);
          CHECK(same(by(*core::level_at(i), text, 1), expected));
        }
      }
    }
  }
}

namespace {

/// Holds what every level says about a text against the reference, at both ends of what may be
/// read. Returns how many were wrong.
int wrong_utf8(const std::string& text) {
  static guarded_memory memory;
  const std::size_t valid = reference::utf8_valid(text);
  const std::string rest = text.substr(valid);
  // At the end, what begins no character may also be left to the next call: FF, or E0 80.
  const bool either =
      rest.size() == 1 ||
      (!rest.empty() && rest.size() < core::utf8_size(static_cast<unsigned char>(rest[0])));
  const bool accepted = rest.empty() || reference::utf8_begins(rest);
  int wrong = 0;
  for (std::size_t i = 0; core::level_at(i) != nullptr; ++i) {
    for (const bool at_end : {false, true}) {
      const std::string_view there = memory.put(text, at_end);
      const char* const whole = core::level_at(i)->utf8(there.data(), there.data() + there.size());
      const bool right =
          whole == nullptr ? !accepted : (accepted || either) && whole == there.data() + valid;
      if (!right) ++wrong;
    }
  }
  return wrong;
}
/// Texts of 200 bytes and a few: the same characters again and again.
std::string filler(const char* characters, std::size_t least) {
  std::string text;
  while (text.size() < least) text += characters;
  return text;
}

}  // namespace

TEST_CASE("every level validates UTF-8, for every first two bytes", "[scan]") {
  int wrong = 0;
  const char* const fillers[] = {"x", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
  int kind = 0;
  for (unsigned first = 0x70; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      const std::string before = filler(fillers[kind++ % 4], 61 + second % 7);
      const std::string after = filler(fillers[kind++ % 3], 40 + first % 50);
      for (const char* const more : {"", "\x80", "\xBF\x80", "\x80\x80\x80", "x\x80"}) {
        std::string text = before;
        text += static_cast<char>(first);
        text += static_cast<char>(second);
        text += more;
        wrong += wrong_utf8(text + after);
        if (second % 16 == 0 || second % 16 == 15) wrong += wrong_utf8(text);
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("every level validates UTF-8 at every place", "[scan]") {
  std::vector<std::string> sequences;
  for (const char* const sequence :
       {"\xC2\x80",
        "\xDF\xBF",
        "\xE0\xA0\x80",
        "\xED\x9F\xBF",
        "\xEE\x80\x80",
        "\xEF\xBF\xBF",
        "\xF0\x90\x80\x80",
        "\xF4\x8F\xBF\xBF",  // the least and the greatest of each length
        "\xC0\x80",
        "\xC1\xBF",
        "\xE0\x9F\xBF",
        "\xF0\x8F\xBF\xBF",  // not the shortest form
        "\xED\xA0\x80",
        "\xED\xBF\xBF",
        "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80",
        "\xFF",
        "\xC3",
        "\xE2\x82",
        "\xF0\x9F\x98",
        "\xE2",
        "\xF0\x9F",
        "\xF0",  // cut
        "\x80",
        "\xC3\xA9\x80",
        "\xE2\x82\xAC\x80",
        "\xF0\x9F\x98\x80\x80"}) {
    sequences.push_back(sequence);
  }
  int wrong = 0;
  for (const std::string& sequence : sequences) {
    for (std::size_t before = 0; before < 140; ++before) {
      for (const unsigned after : {0u, 1u, 2u, 3u, 17u, 64u, 75u, 140u}) {
        wrong += wrong_utf8(std::string(before, 'x') + sequence + std::string(after, 'y'));
      }
      wrong +=
          wrong_utf8(filler("\xE2\x82\xAC", before) + sequence + filler("\xC3\xA9", before % 80));
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("every level validates UTF-8 of random bytes and damaged characters",
          "[scan][property]") {
  int wrong = 0, valid = 0;
  for (unsigned seed = 0; seed < 6000; ++seed) {
    random_json random(seed);
    static const char* const characters[] = {"a",
                                             "\"",
                                             "\xC3\xA9",
                                             "\xD0\x96",
                                             "\xE2\x82\xAC",
                                             "\xE6\xBC\xA2",
                                             "\xED\x9F\xBF",
                                             "\xF0\x9F\x98\x80"};
    const unsigned kinds = 1 + random.below(8);
    std::string text;
    for (unsigned left = random.below(150); left != 0; --left)
      text += characters[random.below(kinds)];
    if (seed % 3 != 0 && !text.empty()) {
      const std::size_t at = random.below(static_cast<unsigned>(text.size()));
      static const char bytes[] = "x\x80\x9F\xA0\xBF\xC0\xC3\xE0\xED\xF0\xF4\xF5\xFF";
      text[at] = bytes[random.below(sizeof bytes - 1)];
      if (seed % 2 == 0) text.resize(at + 1);
    }
    if (reference::utf8_valid(text) == text.size()) ++valid;
    wrong += wrong_utf8(text);
  }
  CHECK(wrong == 0);
  CHECK(valid > 1000);
}

TEST_CASE("every level finds the first difference and reads no further than it may", "[scan]") {
  static guarded_memory memory_a, memory_b;
  std::string text;
  for (int i = 0; i < 260; ++i) text += static_cast<char>(i * 37);
  for (std::size_t i = 0; core::level_at(i) != nullptr; ++i) {
    const core::scan_level& level = *core::level_at(i);
    INFO(level.name);
    for (std::size_t length = 0; length <= text.size(); ++length) {
      const std::string_view start = std::string_view(text).substr(0, length);
      for (const bool at_end : {false, true}) {
        CHECK(level.common(memory_a.put(start, at_end).data(), memory_b.put(start, at_end).data(),
                           length) == length);
        CHECK(level.common(memory_a.put(start, at_end).data(), memory_b.put(start, !at_end).data(),
                           length) == length);
      }
    }
    for (std::size_t changed = 0; changed < text.size(); ++changed) {
      for (const int flip : {0x01, 0x80}) {
        std::string other = text;
        other[changed] = static_cast<char>(other[changed] ^ flip);
        other.back() = static_cast<char>(~text.back());  // a later difference does not matter
        if (changed + 1 == text.size()) other.back() = static_cast<char>(text.back() ^ flip);
        for (const std::size_t length : {text.size(), changed + 1, changed}) {
          CHECK(level.common(text.data(), other.data(), length) ==
                (changed < length ? changed : length));
        }
      }
    }
  }
}
