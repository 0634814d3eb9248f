// devicetwin apply, patch, diff: patches and their making.
#include <devicetwin/base/text_buffer.hpp>
#include <devicetwin/json/find_text.hpp>
#include <devicetwin/merge/json_patch.hpp>
#include <devicetwin/merge/text.hpp>

#include <cstdlib>
#include <utility>

#include <unistd.h>

#include "commands.hpp"
#include "human_diff.hpp"
#include "text_items.hpp"

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

const option format_option{"--format", nullptr, "merge-patch|json-patch|human",
                           "merge-patch, the default: a JSON Merge Patch (RFC 7396)\n"
                           "json-patch: a JSON Patch (RFC 6902)\n"
                           "human: a line for each value that went or came, for reading"};
const option color_option{
    "--color", nullptr, "auto|always|never",
    "with --format human: colours; auto, the default, is for terminals only,\n"
    "and not when NO_COLOR is set"};

const option tests_option{"--tests", nullptr, nullptr,
                          "with --format json-patch: a test before each change, so that the patch\n"
                          "applies only where the old values stand"};

/// Applies the patches of a command to its document, one after the other, and delivers the result.
/// `apply_one(document, patch, out)` applies one; `refuse(patch, error)` complains, and returns the
/// exit status.
template <class ApplyOne, class Refuse>
int apply_all(const arguments& given, ApplyOne apply_one, Refuse refuse) {
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
    if (const auto e = apply_one(document, patch.text, after)) return refuse(patch, e);
    before = std::move(after);
    document = before;
  }
  input patch;
  if (const int status = load_checked(given.operands[last], patch)) return status;
  int refused = 0;
  const auto write = [&](json_stream& out) {
    const auto e = apply_one(document, patch.text, out);
    if (e && !out.failed()) refused = refuse(patch, e);
    return !e;
  };
  const int status = deliver_json(given, write, first);
  return refused != 0 ? refused : status;
}

int apply(const arguments& given) {
  const auto apply_one = [](std::string_view document, std::string_view patch, auto& out) {
    return merge::apply_merge_patch_text(document, patch, out, trusted());
  };
  return apply_all(given, apply_one, [](const input& patch, const json::error& e) {
    return complain_at_pointer(patch, e);
  });
}

/// Complains of a JSON Patch that cannot be applied: 1 when it does not fit the document, 2 when it
/// is no JSON Patch.
int refuse_json_patch(const input& patch, const json::error& e) {
  if (e.code() == json::errc::not_a_json_patch) return complain_at_pointer(patch, e);
  if (!e.has_operation()) return complain(patch, e);
  // The error's pointer is of the document. The line is that of the operation.
  const auto operation = json::find_text(patch.text, "/" + std::to_string(e.operation()));
  if (!operation) return complain(patch, e);
  const auto offset = static_cast<std::size_t>(operation->data() - patch.text.data());
  complain(patch, json::error(e).in_text(patch.text, offset));
  return exit_different;
}

int patch(const arguments& given) {
  merge::json_patch_options options;
  options.trust = merge::text_trust::trusted;
  const auto apply_one = [&](std::string_view document, std::string_view patch, auto& out) {
    return merge::apply_json_patch_text(document, patch, out, options);
  };
  return apply_all(given, apply_one, refuse_json_patch);
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

int diff_as_merge_patch(const arguments& given, const input& first, const input& second,
                        bool& same) {
  if (!is_object(whole_value(second.text))) return diff_of_whole(given, first, second, same);
  short_text patch;
  if (const auto e = merge::diff_text(first.text, second.text, patch))
    return complain_of_difference(first, second, e);
  same = is_object(whole_value(first.text)) && patch.text() == "{}";
  const auto write = [&](json_stream& out) {
    if (patch.is_whole()) return out.append(patch.text());
    // It is not collected: a long patch is made once more.
    const auto e = merge::diff_text(first.text, second.text, out, trusted());
    if (e && !out.failed()) complain_of_difference(first, second, e);
    return !e;
  };
  return deliver_json(given, write, first);
}

/// Whether the result goes to a terminal that may get colours, or they are asked for.
bool with_colours(const arguments& given) {
  const std::string* color = given.find(color_option);
  if (color != nullptr && *color != "auto") return *color == "always";
  const std::string* file = given.find(output_option);
  const char* const no_color = std::getenv("NO_COLOR");
  const char* const terminal = std::getenv("TERM");
  return (file == nullptr || *file == "-") && ::isatty(STDOUT_FILENO) == 1 &&
         (no_color == nullptr || *no_color == '\0') &&
         (terminal == nullptr || std::string_view(terminal) != "dumb");
}

int diff_for_people(const arguments& given, input first, input second, bool& same) {
  for (input* in : {&first, &second}) {
    if (in->text.empty()) in->text = "{}";  // git has /dev/null where there is no file
    if (const int status = check(*in)) return status;
  }
  const auto write = [&, colours = with_colours(given)](byte_stream& out) {
    bool any = false;
    const auto e = write_differences(first.text, second.text, colours, out, any);
    same = !any;
    if (e && out.error() == 0) complain_at_pointer(second, e);
    return !e;
  };
  return deliver(given, write);
}

int diff_as_json_patch(const arguments& given, const input& first, const input& second,
                       bool& same) {
  merge::json_patch_options options;
  options.tests = given.has(tests_option);
  std::string patch;
  if (const auto e = merge::diff_json_patch_text(first.text, second.text, patch, options))
    return complain_of_difference(first, second, e);
  same = patch == "[]";
  return deliver_json(given, patch, first);
}

int diff(const arguments& given) {
  const std::string* chosen = given.find(format_option);
  const std::string format = chosen != nullptr ? *chosen : "merge-patch";
  if (format == "human" && given.has(pretty_option))
    return complain("--pretty goes with --format merge-patch and json-patch");
  if (format != "human" && given.has(color_option))
    return complain("--color goes with --format human");
  if (format != "json-patch" && given.has(tests_option))
    return complain("--tests goes with --format json-patch");
  input first, second;
  if (const int status = load(given.operands[0], first)) return status;
  if (const int status = load(given.operands[1], second)) return status;
  bool same = false;
  const int status = format == "human"        ? diff_for_people(given, first, second, same)
                     : format == "json-patch" ? diff_as_json_patch(given, first, second, same)
                                              : diff_as_merge_patch(given, first, second, same);
  if (status != 0) return status;
  return given.has(exit_code_option) && !same ? exit_different : 0;
}

}  // namespace

std::vector<command> patch_commands() {
  return {
      {"apply",
       "DOC PATCH...",
       "Apply the merge patches (RFC 7396) to DOC, in order",
       "",
       "devicetwin apply before.json change.json --pretty\n"
       "devicetwin apply twin.json change.json -o twin.json",
       {&output_option, &pretty_option},
       apply},
      {"patch",
       "DOC PATCH...",
       "Apply the JSON Patches (RFC 6902) to DOC, in order",
       "All operations are applied, or none. Exit 1 when an operation does not fit the document, "
       "2 when an input\n"
       "is wrong; then nothing is printed.",
       "devicetwin patch before.json change.json --pretty\n"
       "devicetwin diff a.json b.json --format json-patch --tests | devicetwin patch c.json -",
       {&output_option, &pretty_option},
       patch},
      {"diff",
       "FROM TO",
       "Print what turns FROM into TO: a patch, or lines for reading",
       "A line of --format human is - or +, the place as jq spells it, and the value. Arrays are "
       "compared element\n"
       "by element; the index is that in TO, or in FROM for an element that is gone. Long values "
       "are shortened.\n"
       "An empty file counts as {} there. As git's difftool, see docs/tool.md:\n"
       "  git config difftool.devicetwin.cmd 'devicetwin diff \"$LOCAL\" \"$REMOTE\" --format "
       "human'\n"
       "  git difftool --no-prompt --tool devicetwin",
       "devicetwin diff before.json after.json > change.json\n"
       "devicetwin diff before.json after.json --format human\n"
       "curl -s https://example.com/twin | devicetwin diff twin.json -\n"
       "devicetwin diff a.json b.json --exit-code > /dev/null && echo equal",
       {&format_option, &tests_option, &color_option, &output_option, &pretty_option,
        &exit_code_option},
       diff}};
}

}  // namespace tool
