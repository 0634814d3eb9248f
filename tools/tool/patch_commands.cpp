// devicetwin apply, diff: merge patches and their making.
#include <devicetwin/base/text_buffer.hpp>
#include <devicetwin/merge/text.hpp>

#include <utility>

#include "commands.hpp"

namespace base = devicetwin::base;
namespace json = devicetwin::json;
namespace merge = devicetwin::merge;

namespace tool {
namespace {

const option exit_code_option{"--exit-code", nullptr, nullptr,
                              "exit 1 when there is a difference, 0 when there is none"};

merge::text_options trusted() {
  merge::text_options options;
  options.trust = merge::text_trust::trusted;
  return options;
}

int apply(const arguments& given) {
  input first;
  if (const int status = load_checked(given.operands[0], first)) return status;
  std::string_view document = first.text;
  std::string before;  // the document with the patches so far
  const std::size_t last = given.operands.size() - 1;
  for (std::size_t i = 1; i < last; ++i) {
    input patch;
    if (const int status = load_checked(given.operands[i], patch)) return status;
    std::string after;
    after.reserve(document.size() + patch.text.size());
    if (const auto e = merge::apply_merge_patch_text(document, patch.text, after, trusted()))
      return complain_at_pointer(patch, e);
    before = std::move(after);
    document = before;
  }
  input patch;
  if (const int status = load_checked(given.operands[last], patch)) return status;
  const auto write = [&](json_stream& out) {
    const auto e = merge::apply_merge_patch_text(document, patch.text, out, trusted());
    if (e && !out.failed()) complain_at_pointer(patch, e);
    return !e;
  };
  return deliver_json(given, write, first);
}

/// Collects a text as long as it is short, and counts its bytes.
class short_text {
 public:
  bool append(const char* text, std::size_t length) {
    size_ += length;
    if (is_whole()) text_.append(text, length);
    return true;
  }
  std::size_t size() const { return size_; }
  void resize(std::size_t size) {
    size_ = size;
    if (is_whole()) text_.resize(size);
  }
  bool is_whole() const { return size_ <= most; }
  const std::string& text() const { return text_; }

 private:
  static constexpr std::size_t most = std::size_t{1} << 24;
  std::string text_;
  std::size_t size_ = 0;
};

bool is_object(std::string_view json) {
  const std::size_t start = json.find_first_not_of(" \t\r\n");
  return start != std::string_view::npos && json[start] == '{';
}

int complain_of_difference(const input& first, const input& second, json::error e) {
  if (!e.has_position()) return complain_at_pointer(second, e);
  const input& wrong = e.text() == 1 ? first : second;
  return complain(wrong, std::move(e).of_text(0));
}

/// The patch to a document that is no object: all of it. Where both are equal, the numbers stay as
/// they are spelled in `from`.
int diff_of_whole(const arguments& given, const input& first, const input& second, bool& same) {
  same = true;
  base::byte_counter nowhere;
  const auto note = [&same](const json::location&, const std::string_view*,
                            const std::string_view*) { same = false; };
  if (const auto e = merge::apply_merge_patch_text(first.text, second.text, nowhere, {}, note))
    return complain_of_difference(first, second, e);
  return deliver_json(given, same ? first.text : second.text, first);
}

int diff(const arguments& given) {
  input first, second;
  if (const int status = load(given.operands[0], first)) return status;
  if (const int status = load(given.operands[1], second)) return status;
  bool same = false;
  int status = 0;
  if (!is_object(second.text)) {
    status = diff_of_whole(given, first, second, same);
  } else {
    short_text patch;
    if (const auto e = merge::diff_text(first.text, second.text, patch))
      return complain_of_difference(first, second, e);
    same = is_object(first.text) && patch.text() == "{}";
    const auto write = [&](json_stream& out) {
      if (patch.is_whole()) return out.append(patch.text());
      // It is not collected: a long patch is made once more.
      const auto e = merge::diff_text(first.text, second.text, out, trusted());
      if (e && !out.failed()) complain_of_difference(first, second, e);
      return !e;
    };
    status = deliver_json(given, write, first);
  }
  if (status != 0) return status;
  return given.has(exit_code_option) && !same ? exit_different : 0;
}

}  // namespace

std::vector<command> patch_commands() {
  return {{"apply",
           "DOC PATCH...",
           "Apply the patches to DOC, in order",
           "",
           "devicetwin apply before.json change.json --pretty\n"
           "devicetwin apply twin.json change.json -o twin.json",
           {&output_option, &pretty_option},
           apply},
          {"diff",
           "FROM TO",
           "Print the patch that turns FROM into TO",
           "",
           "devicetwin diff before.json after.json > change.json\n"
           "curl -s https://example.com/twin | devicetwin diff twin.json -\n"
           "devicetwin diff a.json b.json --exit-code > /dev/null && echo equal",
           {&output_option, &pretty_option, &exit_code_option},
           diff}};
}

}  // namespace tool
