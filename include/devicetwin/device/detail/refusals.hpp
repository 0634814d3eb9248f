/// What the hub refused and why, until the caller has read it.
#pragma once

#include <cstddef>      // std::size_t
#include <cstdint>      // std::int64_t
#include <cstring>      // std::memcpy
#include <string_view>  // std::string_view

#include "../../json/find_text.hpp"
#include "twin_texts.hpp"

namespace devicetwin {
inline namespace DEVICETWIN_ABI {
namespace detail {

/// One refusal. The text `refusals` holds several, one after the other.
struct kept_refusal {
  unsigned status = 0;
  std::int64_t code = 0;
  std::string_view patch;  ///< empty for a twin
  std::string_view message;
};

/// Stands before the patch and the message of each.
struct refusal_head {
  std::int64_t code;
  std::uint32_t status;
  std::uint32_t patch_size;
  std::uint32_t message_size;
  std::size_t size() const noexcept { return sizeof *this + patch_size + message_size; }
};

/// The refusal at an index, which there must be.
inline kept_refusal read_refusal(std::string_view refusals, unsigned index) noexcept {
  refusal_head head{};
  for (;; --index) {
    std::memcpy(&head, refusals.data(), sizeof head);
    if (index == 0) break;
    refusals.remove_prefix(head.size());
  }
  return {head.status, head.code, refusals.substr(sizeof head, head.patch_size),
          refusals.substr(sizeof head + head.patch_size, head.message_size)};
}

inline void drop_first_refusal(twin_texts& texts) noexcept {
  refusal_head head{};
  std::memcpy(&head, texts.view(twin_texts::refusals).data(), sizeof head);
  texts.drop_front(twin_texts::refusals, head.size());
}

/// Adds the refusal of the patch in flight, or else of the twin. `payload` is what the hub says
/// about it: `{"errorCode":…,"message":…}`, or any text. Returns false when memory ran out.
inline bool add_refusal(twin_texts& texts, unsigned status, std::string_view payload,
                        bool of_patch) {
  constexpr std::size_t longest = 512;  // of a text that is not understood; it is shown, not kept
  refusal_head head{0, status, 0, 0};
  std::string_view reason;
  if (!payload.empty() && texts.check(payload)) {
    static constexpr std::string_view pointers[] = {"/errorCode", "/message", "/Message"};
    std::string_view found[3];
    static_cast<void>(json::find_texts(payload, pointers, 3, found));
    static_cast<void>(json::core::text_to(found[0], head.code));
    reason = found[1].empty() ? found[2] : found[1];
  }
  const bool understood = reason.size() >= 2 && reason.front() == '"';
  if (!understood) reason = payload.substr(0, longest);
  return texts.build(twin_texts::refusals, [&](twin_texts::output& out) {
    const std::string_view before = texts.view(twin_texts::refusals);
    const std::string_view patch = of_patch ? texts.view(twin_texts::sent) : std::string_view();
    char bytes[sizeof head] = {};
    if (!out.append(before.data(), before.size()) || !out.append(bytes, sizeof bytes) ||
        !out.append(patch.data(), patch.size()))
      return texts.out_of_memory();
    const std::size_t start = out.size();
    if (!understood) {
      if (!out.append(reason.data(), reason.size())) return texts.out_of_memory();
    } else if (!texts.good(json::get_string(reason, {}, out))) {
      return false;
    }
    head.patch_size = static_cast<std::uint32_t>(patch.size());
    head.message_size = static_cast<std::uint32_t>(out.size() - start);
    std::memcpy(out.at(before.size()), &head, sizeof head);
    return true;
  });
}

}  // namespace detail
}  // namespace DEVICETWIN_ABI
}  // namespace devicetwin
