// Properties, for any two documents a and b (the input is split at its first NUL):
//   apply(a, b) is what RFC 7396's own pseudocode gives, on every kind of memory;
//   apply(a, diff(a, b)) = b, where a merge patch can say that, and an error where it cannot;
//   the diff is the smallest patch; equal(a, b) is what the obvious comparison says;
//   each change in the journal is there in the trees, and no change means the same tree.
#include <devicetwin/devicetwin.hpp>

#include "../tests/support/reference.hpp"

#include <cstdlib>

namespace json = devicetwin::json;
namespace merge = devicetwin::merge;

#define REQUIRE_THAT(condition) \
  if (!(condition)) std::abort()

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t middle = text.find('\0');
  if (middle == std::string_view::npos) return 0;
  json::document a, b;
  if (json::read(text.substr(0, middle), a) || json::read(text.substr(middle + 1), b)) return 0;
  const reference::node x = reference::from_value(a);
  const reference::node y = reference::from_value(b);

  const json::comparison same = json::equal(a, b);
  REQUIRE_THAT(same == (equal(x, y) ? json::comparison::equal : json::comparison::different));

  json::document merged;
  REQUIRE_THAT(!merged.assign(a));
  std::size_t changes = 0;
  REQUIRE_THAT(!merge::apply_merge_patch(
      merged, b, {},
      [&](const json::location& where, const auto* old_value, const auto* new_value) {
        ++changes;
        std::string pointer;
        where.append_to(pointer);
        const auto before = json::find(a, pointer);
        REQUIRE_THAT((old_value != nullptr) == static_cast<bool>(before));
        if (old_value != nullptr) {
          REQUIRE_THAT(json::equal(*old_value, **before) == json::comparison::equal);
        }
        REQUIRE_THAT(old_value != nullptr || new_value != nullptr);
      }));
  const reference::node expected = reference::merge(x, y);
  REQUIRE_THAT(equal(reference::from_value(merged), expected));
  REQUIRE_THAT((changes == 0) == equal(x, expected));
  json::document fresh;
  REQUIRE_THAT(!fresh.assign(merged) && fresh.size_in_bytes() == merged.size_in_bytes());
  REQUIRE_THAT(merged.capacity_in_bytes() <= 2 * merged.size_in_bytes() + 1024);

  rapidjson::Document pooled;
  pooled.CopyFrom(a.root(), pooled.GetAllocator());
  REQUIRE_THAT(!merge::apply_merge_patch(pooled, b, pooled.GetAllocator()));
  REQUIRE_THAT(identical(reference::from_value(pooled), reference::from_value(merged)));

  json::document patch;
  const json::error e = merge::diff(a, b, patch);
  const auto smallest = reference::diff(x, y);
  REQUIRE_THAT(!e == smallest.has_value());
  if (e) {
    REQUIRE_THAT(e.code() == json::errc::null_member);
    REQUIRE_THAT(!e.pointer_is_whole() || json::find(b, e.pointer()));
    return 0;
  }
  REQUIRE_THAT(identical(reference::from_value(patch), *smallest));
  REQUIRE_THAT(!merge::apply_merge_patch(a, patch));
  REQUIRE_THAT(equal(reference::from_value(a), y));
  return 0;
}
