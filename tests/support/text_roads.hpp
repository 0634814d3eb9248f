// The properties of the text roads, for any two texts: what the tree roads say is right. Trees do
// not hold every number of a text, so here they have numbers as strings, one string for each
// decimal value. Aborts where a property does not hold, so that tests and the fuzz target can share
// it.
#pragma once

#include <devicetwin/devicetwin.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "guarded_memory.hpp"
#include "reference.hpp"
#include "spelled_numbers.hpp"

namespace text_roads {

namespace json = devicetwin::json;
namespace merge = devicetwin::merge;

inline void require(bool holds, const char* what, std::string_view a, std::string_view b) {
  if (holds) return;
  std::fprintf(stderr, "%s\n  first:  %.*s\n  second: %.*s\n", what, static_cast<int>(a.size()),
               a.data(), static_cast<int>(b.size()), b.data());
  std::abort();
}

struct change {
  std::string before, after;  // as json::write spells them; empty: none
  bool operator==(const change& other) const {
    return before == other.before && after == other.after;
  }
};
using changes = std::map<std::string, change>;

template <class Value>
std::string written(const Value& value) {
  std::string text;
  if (json::write(value, text)) std::abort();
  return text;
}
/// Reads a text into a tree in which numbers are strings that start with n, and strings start with
/// s.
class reading {
 public:
  reading(json::number_equality numbers, std::size_t max_depth) : numbers_(numbers) {
    options_.max_depth = max_depth;
  }

  json::error operator()(std::string_view text, rapidjson::Document& to) const {
    std::string tagged;
    encoder events(tagged, numbers_ == json::number_equality::by_value_and_type);
    if (json::error e = json::read_events(text, events, options_)) return e;
    if (json::read(tagged, to, options_)) std::abort();
    return {};
  }
  std::string normal(std::string_view text) const {
    rapidjson::Document d;
    return (*this)(text, d) ? "not JSON: " + std::string(text) : written(d);
  }

 private:
  struct encoder {
    encoder(std::string& text, bool types) : out(text), with_type(types) {}
    json::text_writer out;
    bool with_type;

    bool tag(char mark, std::string text) {
      text.insert(0, 1, mark);
      return out.String(text.data(), static_cast<json::size_type>(text.size()), true);
    }
    bool NumberText(std::string_view number) {
      const std::string text(number);
      std::string value = spelled_numbers::decimal(text);
      if (with_type)
        value += spelled_numbers::is_integer(text) && text != "-0" ? " integer" : " double";
      return tag('n', value);
    }
    bool Null() { return out.Null(); }
    bool Bool(bool b) { return out.Bool(b); }
    bool Int(int) { std::abort(); }
    bool Uint(unsigned) { std::abort(); }
    bool Int64(std::int64_t) { std::abort(); }
    bool Uint64(std::uint64_t) { std::abort(); }
    bool Double(double) { std::abort(); }
    bool String(const char* text, json::size_type length, bool) {
      return tag('s', std::string(text, length));
    }
    bool Key(const char* text, json::size_type length, bool) { return out.Key(text, length, true); }
    bool StartObject() { return out.StartObject(); }
    bool EndObject(json::size_type count) { return out.EndObject(count); }
    bool StartArray() { return out.StartArray(); }
    bool EndArray(json::size_type count) { return out.EndArray(count); }
  };
  json::number_equality numbers_;
  json::read_options options_;
};

/// All properties under one set of options.
inline void check(std::string_view a, std::string_view b, const merge::options& base) {
  const std::string kept = "what was there";
  merge::text_options checked;
  static_cast<merge::options&>(checked) = base;
  merge::text_options trusted = checked;
  trusted.trust = merge::text_trust::trusted;

  rapidjson::Document x, y;
  const reading read(base.numbers, base.max_depth);
  json::error refused = read(a, x);
  unsigned which = 1;
  if (!refused) {
    refused = read(b, y);
    which = 2;
  }

  std::string diff = kept, merged = kept;
  const json::error d = merge::diff_text(a, b, diff, checked);
  const json::error m = merge::apply_merge_patch_text(a, b, merged, checked);
  if (refused) {
    const auto same = [&](const json::error& e) {
      return e.code() == refused.code() && e.offset() == refused.offset() &&
             e.line() == refused.line() && e.column() == refused.column() &&
             e.pointer() == refused.pointer() && e.text() == which && e.limit() == refused.limit();
    };
    require(same(d), "the checked diff refuses as the reader does", a, b);
    require(same(m), "the checked apply refuses as the reader does", a, b);
    require(diff == kept && merged == kept, "the output is as it was", a, b);
    // Anything goes at the trusted door, but within bounds and within time.
    std::string any;
    static_cast<void>(merge::diff_text(a, b, any, trusted));
    static_cast<void>(merge::apply_merge_patch_text(
        a, b, any, trusted, [](const json::location& where, const auto*, const auto*) {
          std::size_t length = 0;
          where.render([&](char) { ++length; });
        }));
    return;
  }

  // --- Diff
  rapidjson::Document patch;
  const json::error expected = merge::diff(x, y, patch, base);
  require(d.code() == expected.code(), "the diff of the texts fails when that of the trees does", a,
          b);
  std::string again = kept;
  const json::error t = merge::diff_text(a, b, again, trusted);
  require(t.code() == d.code() && t.pointer() == d.pointer() && again == diff,
          "both doors give the same diff", a, b);
  if (d) {
    require(diff == kept, "the output is as it was", a, b);
    const auto found = json::find(d.code() == json::errc::kept_member ? x : y, d.pointer());
    require(!d.pointer_is_whole() || found, "the error is about something that is there", a, b);
  } else {
    require(diff.compare(0, kept.size(), kept) == 0, "the diff is appended", a, b);
    diff.erase(0, kept.size());
    rapidjson::Document got;
    require(!read(diff, got), "the diff is JSON", a, b);
    require(identical(reference::from_value(got), reference::from_value(patch)),
            "the diff of the texts is that of the trees", a, b);
    std::string buffer(diff.size(), '?');
    devicetwin::text_buffer fits(&buffer[0], buffer.size());
    require(!merge::diff_text(a, b, fits, trusted) && fits.view() == diff,
            "a buffer that fits is enough", a, b);
    devicetwin::text_buffer short_by_one(&buffer[0], buffer.size() - 1);
    const json::error full = merge::diff_text(a, b, short_by_one, trusted);
    require(full.code() == json::errc::out_of_memory && full.needed() == diff.size() &&
                short_by_one.size() == 0,
            "one that is too small is told the size", a, b);
    // Under null_rule::keep nothing can be removed, under remove_existing a null in what is new
    // stays.
    std::string there;
    require(!merge::apply_merge_patch_text(a, diff, there, checked), "the diff can be applied", a,
            b);
    rapidjson::Document z;
    require(!read(there, z), "the result is JSON", a, b);
    require(reference::equal(reference::from_value(z), reference::from_value(y)),
            "from + diff = to", a, b);
  }

  // --- Apply
  changes by_tree, by_text;
  const auto pointer_of = [](const json::location& where) {
    std::string pointer;
    where.append_to(pointer);
    return pointer;
  };
  const json::error applied = merge::apply_merge_patch(
      x, y, x.GetAllocator(), base,
      [&](const json::location& where, const auto* old_value, const auto* new_value) {
        by_tree[pointer_of(where)] = {old_value == nullptr ? "" : written(*old_value),
                                      new_value == nullptr ? "" : written(*new_value)};
      });
  require(applied.code() == m.code(), "the apply of the texts fails when that of the trees does", a,
          b);
  std::string merged_again = kept;
  std::size_t reserved = 0;
  struct recorder {
    const reading& read;
    changes& seen;
    std::size_t& reserved;
    bool reserve(std::size_t count) {
      reserved = count;
      return true;
    }
    void operator()(const json::location& where, const std::string_view* old_text,
                    const std::string_view* new_text) {
      std::string pointer;
      where.append_to(pointer);
      seen[pointer] = {old_text == nullptr ? "" : read.normal(*old_text),
                       new_text == nullptr ? "" : read.normal(*new_text)};
    }
  };
  const json::error t2 =
      merge::apply_merge_patch_text(a, b, merged_again, trusted, recorder{read, by_text, reserved});
  require(t2.code() == m.code() && merged == merged_again, "both doors give the same text", a, b);
  if (m) return require(merged == kept, "the output is as it was", a, b);
  merged.erase(0, kept.size());
  rapidjson::Document z;
  require(!read(merged, z), "the result is JSON", a, b);
  require(identical(reference::from_value(z), reference::from_value(x)),
          "the text is that of the tree", a, b);
  require(by_tree == by_text && reserved == by_text.size(), "both journals say the same", a, b);
  require(!by_tree.empty() || merged == a, "without a change the bytes stay", a, b);
  std::string buffer(merged.size(), '?');
  devicetwin::text_buffer fits(&buffer[0], buffer.size());
  require(!merge::apply_merge_patch_text(a, b, fits, trusted) && fits.view() == merged,
          "a buffer that fits is enough", a, b);
  devicetwin::text_buffer short_by_one(&buffer[0], buffer.size() - 1);
  const json::error full = merge::apply_merge_patch_text(a, b, short_by_one, trusted);
  require(full.code() == json::errc::out_of_memory && full.needed() == merged.size() &&
              short_by_one.size() == 0,
          "one that is too small is told the size", a, b);
}

/// The options that a variant stands for.
inline merge::options variant_options(unsigned variant) {
  merge::options o;
  o.nulls = static_cast<merge::null_rule>(variant % 3);
  o.numbers = static_cast<json::number_equality>(variant / 3 % 2);
  return o;
}

/// All properties for two texts, with the texts at the edge of what may be read: at every level of
/// the instruction set, at both edges. `variant` chooses the options. With a `choice`, at one level
/// and one edge only.
inline void check_all(std::string_view first, std::string_view second, unsigned variant,
                      std::optional<std::size_t> choice = {}) {
  static guarded_memory memory_a, memory_b;
  std::size_t levels = 0;
  while (json::core::level_at(levels) != nullptr) ++levels;
  for (std::size_t i = 0; i < 2 * levels; ++i) {
    if (choice && i != *choice % (2 * levels)) continue;
    json::core::force_level(json::core::level_at(i / 2));
    const bool at_end = i % 2 != 0;
    check(memory_a.put(first, at_end), memory_b.put(second, at_end), variant_options(variant));
  }
  json::core::force_level(nullptr);
}

}  // namespace text_roads
