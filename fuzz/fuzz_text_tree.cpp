// The functions on texts, those on trees, and an RFC 7396 of the test's own
// (tests/support/naive_json.hpp), for any two texts. The first byte chooses how the second text is
// made; see fuzz_text.cpp, from which the inputs come as well.
//   apply(a, b) is what the RFC's pseudocode makes, at both doors, and the trees agree where they
//   can be read; apply(a, diff(a, b)) = b, or diff fails because a merge patch cannot say it, and
//   only then; find_text() finds what is there, under every pointer, and nothing else, and
//   find_texts() the same with all pointers at once; equal() agrees.
#include <devicetwin/devicetwin.hpp>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "../tests/support/accepted_json.hpp"
#include "../tests/support/edited_text.hpp"

namespace {

namespace json = devicetwin::json;
namespace merge = devicetwin::merge;

void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

/// What a result says; it must be JSON.
naive::value said(std::string_view text) {
  must(is_json(text), "a result is JSON");
  const auto v = naive::reader::read(text);
  must(v.has_value(), "a result has numbers that no input has");
  return *v;
}

merge::text_options at(merge::text_trust door) {
  merge::text_options o;
  o.trust = door;
  return o;
}

void check_places(std::string_view text, const naive::value& v, const json::document* tree) {
  int most = 40;
  std::vector<std::string> pointers;
  naive::each_place(v, "", most, [&](const std::string& pointer, const naive::value& there) {
    const auto found = json::find_text(text, pointer);
    must(found && naive::reader::read(*found) == there, "find_text finds what is there");
    must(tree == nullptr || json::find(*tree, pointer), "and find() does");
    const std::string nowhere = pointer + "/there is no such name";
    must(json::find_text(text, nowhere).error().code() == json::errc::not_found,
         "find_text finds what is not there");
    pointers.insert(pointers.begin() + static_cast<std::ptrdiff_t>(pointers.size() / 2),
                    {nowhere, pointer});
    if (there.what == naive::value::array) pointers.push_back(pointer + "/1");
  });
  const std::vector<std::string_view> wanted(pointers.begin(), pointers.end());
  std::vector<std::string_view> together(wanted.size());
  const json::error e = json::find_texts(text, wanted.data(), wanted.size(), together.data());
  if (e.code() == json::errc::depth_exceeded) return;
  must(!e, "find_texts takes every pointer of up to 64 steps");
  for (std::size_t i = 0; i != wanted.size(); ++i) {
    const auto alone = json::find_text(text, wanted[i]);
    must(alone ? together[i].data() == alone->data() && together[i].size() == alone->size()
               : together[i].empty(),
         "find_texts finds what find_text does");
  }
}

void check(std::string_view a, std::string_view b) {
  std::string merged, merged_again, patch, patch_again;
  const json::error refused =
      merge::apply_merge_patch_text(a, b, merged, at(merge::text_trust::checked));
  const json::error no_patch = merge::diff_text(a, b, patch, at(merge::text_trust::checked));
  if (refused) {
    must(merged.empty() && patch.empty() && no_patch.code() == refused.code(),
         "what is refused leaves nothing");
    return;
  }
  const auto from = naive::reader::read(a), to = naive::reader::read(b);
  if (!from || !to) return;

  must(!merge::apply_merge_patch_text(a, b, merged_again, at(merge::text_trust::trusted)) &&
           merged == merged_again,
       "both doors make the same text");
  const naive::value expected = naive::merge_patch(*from, *to);
  must(said(merged) == expected, "apply does what RFC 7396 says");

  must(!no_patch == naive::can_diff(*from, *to), "diff fails where a merge patch cannot say it");
  must(merge::diff_text(a, b, patch_again, at(merge::text_trust::trusted)).code() ==
               no_patch.code() &&
           patch == patch_again,
       "both doors make the same patch");
  if (no_patch) {
    must(no_patch.code() == json::errc::null_member && patch.empty(), "and says why");
  } else {
    const naive::value difference = said(patch);
    must(naive::merge_patch(*from, difference) == *to, "from and the diff make to");
    must(!(*from == *to) || from->what != naive::value::object || patch == "{}",
         "equal texts have no difference");
    std::string result;
    must(!merge::apply_merge_patch_text(a, patch, result, at(merge::text_trust::trusted)) &&
             said(result) == *to,
         "apply undoes diff");
  }

  // Trees round what a double cannot hold, and refuse integers that they cannot hold.
  json::document x, y, z;
  const bool trees = !json::read(a, x) && !json::read(b, y);
  check_places(a, *from, trees ? &x : nullptr);
  if (!trees) return;
  const json::comparison same = json::equal(x, y);
  must(same == json::comparison::equal || same == json::comparison::different, "equal");
  must(same == json::comparison::equal || !(*from == *to), "equal texts make equal trees");
  must(!merge::apply_merge_patch(x, y), "apply on trees");
  must(!json::read(merged, z), "the text of the result is read");
  must(json::equal(x, z) == json::comparison::equal, "trees and texts agree");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::size_t middle = text.find('\0');
  if (middle == std::string_view::npos) return 0;
  const std::string_view first = text.substr(0, middle), rest = text.substr(middle + 1);
  if (data[0] <= 127) {
    check(first, rest);
    return 0;
  }
  const std::string second = edited_text(std::string(first), rest);
  check(first, second);
  check(second, first);
  return 0;
}
